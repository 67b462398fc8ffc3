/** PLAN.yaml: the plan as people read it. The bytes do not matter, the object does: its digest is the session id. */
import { CeremonyError } from '../wire/errors.ts';
import { parseYaml } from '../wire/yaml.ts';
import { parsePlan, type Plan } from './plan.ts';

/** Largest plan file. */
export const MAX_PLAN_FILE_BYTES = 262_144;

/** The plan as YAML text. */
export async function encodePlanFile(plan: Plan): Promise<Uint8Array> {
  const { stringify } = await import('yaml');
  const head = `# Plan of the ceremony ${plan.name}. Whoever joins agrees to every line; changing one makes another ceremony.\n`;
  return new TextEncoder().encode(head + stringify(plan, { lineWidth: 0, aliasDuplicateObjects: false }));
}

/** Reads a plan file. @throws E_PLAN_FIELD, E_TOO_LARGE */
export async function parsePlanFile(bytes: Uint8Array, file: string): Promise<Plan> {
  let value: unknown;
  try {
    value = await parseYaml(bytes, MAX_PLAN_FILE_BYTES);
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file, remedy: 'The file is damaged, or no plan. Bring the folder again from the lead.' }) : e;
  }
  return parsePlan(value, file);
}
