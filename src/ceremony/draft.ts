/**
 * The draft of a plan: what the lead writes before there are cards. It names the participants, the quorum and what is
 * known about the people; keys, times and the session come with the plan that is made from it. Public.
 */
import * as v from 'valibot';
import { SCHEMES, type SchemeName } from '../curves/scheme.ts';
import { explainIssues, int, line, nameOf } from '../plan/fields.ts';
import { MAX_STOCK, ROUTES } from '../plan/plan.ts';
import { CeremonyError } from '../wire/errors.ts';
import { parseYaml } from '../wire/yaml.ts';

const MAX_DRAFT_BYTES = 65_536;
/** Longest time that a plan may wait for its participants, in days. */
export const MAX_EXPIRES_DAYS = 365;

const schemeNames = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];

const about = line(64);
const names = (what: string) => v.pipe(v.array(nameOf(what)), v.minLength(1, 'is empty'), v.maxLength(64, 'has more than 64 names'));

const DraftSchema = v.strictObject({
  schema: v.literal('mpc-ceremony/draft/1', 'must be mpc-ceremony/draft/1'),
  kind: v.literal('dkg', 'must be dkg'),
  name: nameOf('key'),
  scheme: v.picklist(schemeNames, `must be one of ${schemeNames.join(', ')}`),
  quorum: line(4096),
  roles: v.optional(v.record(nameOf('role'), names('participant'))),
  participants: v.pipe(
    v.array(
      v.strictObject({
        name: nameOf('participant'),
        person: v.optional(about),
        unit: v.optional(about),
        place: v.optional(about),
        vendor: v.optional(about),
      }),
    ),
    v.minLength(2, 'a ceremony has at least two participants'),
    v.maxLength(64, 'a ceremony has at most 64 participants'),
  ),
  witnesses: v.optional(v.pipe(names('witness'), v.maxLength(16, 'has more than 16 names'))),
  attended: v.boolean('must be true or false'),
  stock: v.optional(int(0, MAX_STOCK), 0),
  /** `required`: the ceremony begins only with the certificate of a rehearsal by the same people. */
  rehearsal: v.optional(v.literal('required', 'must be required')),
  machine: v.optional(v.strictObject({ network: v.literal('off', 'must be off') })),
  /** `pinned`: everybody must run the very program that the lead makes the plan with. */
  program: v.optional(v.literal('pinned', 'must be pinned')),
  /** Ways by which messages may travel; without it, every way. */
  routes: v.optional(v.pipe(v.array(v.picklist(ROUTES, `must be one of ${ROUTES.join(', ')}`)), v.minLength(1, 'is empty'), v.maxLength(ROUTES.length, `has more than ${String(ROUTES.length)} routes`))),
  expiresInDays: int(1, MAX_EXPIRES_DAYS),
});

/** A draft whose form was checked; draft-lint.ts checks what it says. */
export type Draft = v.InferOutput<typeof DraftSchema>;

/** The refusal of one schema issue, beginning with its YAML path. */
function sentence(issue: v.BaseIssue<unknown>): string {
  const { field, text } = explainIssues([issue]);
  const where = field === '' ? 'the draft' : field;
  if (issue.kind === 'schema' && issue.type === 'string') return `${where}: must be text`;
  if (issue.kind === 'schema' && issue.type === 'array') return `${where}: must be a list`;
  if (issue.kind === 'schema' && issue.expected === 'Object') return `${where}: must be named fields`;
  return `${where}: ${text}`;
}

/**
 * Reads a draft from the bytes of a YAML file.
 * @param file its name, for the refusal
 * @throws E_TOO_LARGE above 64 kB; E_PLAN_FIELD naming the line when it is no strict YAML, or the YAML path of the first
 *   wrong field, with one line for each of them in the details
 */
export async function parseDraft(bytes: Uint8Array, file: string): Promise<Draft> {
  let value: unknown;
  try {
    value = await parseYaml(bytes, MAX_DRAFT_BYTES);
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file }) : e;
  }
  const parsed = v.safeParse(DraftSchema, value);
  if (parsed.success) return parsed.output;
  const faults = parsed.issues.map(sentence);
  const first = faults[0] ?? '';
  throw new CeremonyError('E_PLAN_FIELD', first, {
    file,
    field: first.slice(0, first.indexOf(':')),
    details: faults,
    remedy: 'Correct the file, then run mpc-ceremony plan check again.',
  });
}
