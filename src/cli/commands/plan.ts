/** `plan new`, `plan check`, `plan print`. */
import { dirname, join, resolve } from 'node:path';
import { parseDraft } from '../../ceremony/draft.ts';
import { lintDraft } from '../../ceremony/draft-lint.ts';
import { roomScript } from '../../ceremony/room-script.ts';
import { routeFaults, routeWarnings } from '../../ceremony/route-faults.ts';
import { scriptFacts } from '../../ceremony/script-facts.ts';
import { transportBudget } from '../../ceremony/transport-budget.ts';
import { MAX_PLAN_FILE_BYTES, parsePlanFile } from '../../plan/plan-file.ts';
import { checkPlan, isKeying, isRekey, type Plan, planQuorum, type RekeyPlan, sessionId } from '../../plan/plan.ts';
import { baseOf, pinnedConstants } from '../../protocols/base.ts';
import { type Certificate, MAX_CERTIFICATE_BYTES, parseCertificate } from '../../protocols/epoch.ts';
import { dealtWarning, handoverSentences } from '../../protocols/handover.ts';
import { type Explanation, explainQuorum } from '../../sharing/explain.ts';
import type { ParcelFile } from '../../transport/parcel.ts';
import { toHex } from '../../wire/bytes.ts';
import { CeremonyError, EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { formatWords, words } from '../../wire/words.ts';
import { parseYaml } from '../../wire/yaml.ts';
import { budgetLines } from '../budget-table.ts';
import type { Context } from '../context.ts';
import { wrap } from '../output.ts';
import { pinLines } from '../pin-lines.ts';
import { templates } from '../templates.ts';

export async function planNew(ctx: Context, options: { template: string; out?: string }): Promise<ExitCode> {
  const known = templates();
  const bytes = known.get(options.template) ?? fail('E_USAGE', `there is no template ${options.template}`, { field: 'template', remedy: `Templates: ${[...known.keys()].join(', ')}` });
  const out = resolve(options.out ?? `${options.template}.yaml`);
  if (!ctx.disk.createOnce(out, bytes, 0o644)) fail('E_EXISTS', `${out} exists`, { file: out, remedy: 'Name another file with --out.' });
  ctx.out.result({ schema: 'mpc-ceremony/plan-new/1', file: out, exit: 0 }, [
    `✓ ${out}`,
    '  Fill in names, places and the quorum, then:',
    `  mpc-ceremony plan check ${options.out ?? `${options.template}.yaml`}`,
  ]);
  return EXIT.ok;
}

const bullets = (lines: readonly string[]): string[] => lines.map((l) => wrap(l, 78, '  '));

/** A quorum in plain words: who can sign; what colluders need; what losses are survived. */
function inWords(e: Explanation): string[] {
  const rest = new Set([...e.safety, ...e.liveness]);
  return ['Who can sign:', ...bullets(e.sentences.filter((s) => !rest.has(s))), 'Safety:', ...bullets(e.safety), 'Liveness:', ...bullets(e.liveness)];
}

async function load(ctx: Context, argument: string): Promise<{ bytes: Uint8Array; file: string; schema: unknown }> {
  const file = resolve(argument);
  const bytes = ctx.disk.read(file, MAX_PLAN_FILE_BYTES) ?? fail('E_MISSING', `there is no plan ${file}`, { file });
  try {
    const value = await parseYaml(bytes, MAX_PLAN_FILE_BYTES);
    return { bytes, file, schema: typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['schema'] : undefined };
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file }) : e;
  }
}

/**
 * The certificate that lies beside a plan which builds on one, and whether the two belong together.
 * @returns undefined where none lies there
 * @throws as `baseOf` and `pinnedConstants`
 */
function checkBase(ctx: Context, plan: RekeyPlan, file: string): Certificate | undefined {
  const beside = join(dirname(file), 'base', 'certificate.json');
  const bytes = plan.kind === 'import' ? undefined : ctx.disk.read(beside, MAX_CERTIFICATE_BYTES);
  const certificate = bytes && parseCertificate(bytes, beside);
  try {
    if (certificate || plan.kind === 'import') pinnedConstants(plan, baseOf(plan, certificate));
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file }) : e;
  }
  return certificate;
}

/** The files beside a plan with which its ceremony begins, and the cards there. What cannot be read is for `join` to refuse. */
function filesBeside(ctx: Context, file: string, plan: Uint8Array): { opening: ParcelFile[]; cards: ParcelFile[] } {
  const dir = dirname(file);
  const read = (path: string): ParcelFile[] => {
    try {
      const bytes = ctx.disk.read(join(dir, path), MAX_CERTIFICATE_BYTES);
      return bytes ? [{ path, bytes }] : [];
    } catch (e) {
      if (e instanceof CeremonyError) return [];
      throw e;
    }
  };
  const beside = ['intent.json', 'message.bin', 'base/certificate.json', 'base/rehearsal.json'].flatMap(read);
  const names = ctx.disk.dirs(dir).includes('cards') ? ctx.disk.list(join(dir, 'cards')) : [];
  return { opening: [{ path: 'PLAN.yaml', bytes: plan }, ...beside], cards: names.filter((n) => n.endsWith('.card')).flatMap((n) => read(`cards/${n}`)) };
}

const fault = ({ code, text, remedy }: { readonly code: string; readonly text: string; readonly remedy?: string }): string =>
  [wrap(`✗ ${code}  ${text}`, 80), ...(remedy === undefined ? [] : [wrap(remedy, 78, '  ')])].join('\n');

export async function planCheck(ctx: Context, argument: string): Promise<ExitCode> {
  const { bytes, file, schema } = await load(ctx, argument);
  if (schema === 'mpc-ceremony/draft/1') {
    const draft = await parseDraft(bytes, file);
    const lint = lintDraft(draft);
    const exit = lint.errors.length > 0 ? EXIT.refused : EXIT.ok;
    const { budget } = lint;
    ctx.out.result(
      { schema: 'mpc-ceremony/plan-check/1', file, errors: lint.errors, warnings: lint.warnings, sentences: lint.explanation?.sentences ?? [], safety: lint.explanation?.safety ?? [], liveness: lint.explanation?.liveness ?? [], budget: budget ? { handOvers: budget.folder.handOvers, ...budget } : null, exit },
      [
        ...lint.errors.map(fault),
        ...lint.warnings.map((w) => wrap(`! ${w.code}  ${w.text}`, 80)),
        ...(lint.explanation ? inWords(lint.explanation) : []),
        ...pinLines(draft.program),
        ...(budget ? budgetLines(draft, budget) : []),
        ...(exit === EXIT.ok ? ['✓ The draft is sound. Begin with:', '  mpc-ceremony dkg --plan FILE --cards DIR --out DIR'] : ['✗ The draft cannot be used as it stands.']),
      ],
    );
    return exit;
  }
  const plan = await parsePlanFile(bytes, file);
  checkPlan(plan, file, ctx.now());
  const explanation = isKeying(plan) ? explainQuorum(planQuorum(plan), plan.participants, plan.roles) : undefined;
  const base = isRekey(plan) ? checkBase(ctx, plan, file) : undefined;
  const changes = handoverSentences(plan, base?.epoch);
  const dealt = dealtWarning(plan);
  const { opening, cards } = filesBeside(ctx, file, bytes);
  const budget = transportBudget(plan, opening, cards);
  const errors = routeFaults(plan, budget);
  const exit = errors.length > 0 ? EXIT.refused : EXIT.ok;
  const warnings = [...(dealt ? [dealt] : []), ...(explanation?.warnings ?? []), ...routeWarnings(plan, budget)];
  const unchecked = 'rank' in plan && 'key' in plan && !base ? ['The certificate of the base is not beside this plan (base/certificate.json): whether the two belong together was not checked.'] : [];
  const list = words(sessionId(plan).slice(0, 16));
  ctx.out.result(
    { schema: 'mpc-ceremony/plan-check/1', file, session: toHex(sessionId(plan)), words: list, ...(plan.program === undefined ? {} : { program: plan.program }), errors, warnings, changes, sentences: explanation?.sentences ?? [], safety: explanation?.safety ?? [], liveness: explanation?.liveness ?? [], budget: { handOvers: budget.folder.handOvers, ...budget }, exit },
    [
      ...errors.map(fault),
      ...warnings.map((w) => wrap(`! ${w.code}  ${w.text}`, 80)),
      ...(changes.length > 0 ? ['What changes:', ...bullets(changes)] : []),
      ...unchecked.map((t) => wrap(`! ${t}`, 80)),
      ...(explanation ? inWords(explanation) : [`Signers: ${plan.participants.map((p) => p.name).join(', ')}`]),
      ...pinLines(plan.program),
      ...budgetLines(plan, budget),
      'Words of this plan:',
      ...formatWords(list),
      exit === EXIT.ok ? '✓ The plan is sound.' : '✗ The plan cannot be carried out as it stands. Ask the lead for another one.',
    ],
  );
  return exit;
}

export async function planPrint(ctx: Context, argument: string, options: { out?: string }): Promise<ExitCode> {
  const { bytes, file } = await load(ctx, argument);
  const plan: Plan = await parsePlanFile(bytes, file);
  checkPlan(plan, file, new Date(plan.created));
  const html = roomScript(scriptFacts(plan));
  const out = resolve(options.out ?? join(dirname(file), 'SCRIPT.html'));
  ctx.disk.write(out, new TextEncoder().encode(html), { mode: 0o644 });
  ctx.out.result({ schema: 'mpc-ceremony/plan-print/1', file: out, exit: 0 }, [`✓ ${out}`, '  Open it in a browser and print it: one copy for everybody in the room.']);
  return EXIT.ok;
}
