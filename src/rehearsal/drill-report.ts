/** The record of a drill: `drill.json`, canonical, and REPORT.md, which says the same to people and follows from it alone. Public. */
import * as v from 'valibot';
import { DRILL_RESULTS } from '../ceremony/care.ts';
import { explainIssues, hex, int, line, nameOf, utcTime } from '../plan/fields.ts';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { fold, inWords } from './story.ts';

export const MAX_DRILL_BYTES = 1 << 20;
const schemes = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];
const who = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9 -]{0,31}$/, 'must be a short name'));
const milliseconds = int(0, 31_536_000_000);
const errorCode = v.pipe(v.string(), v.regex(/^E_[A-Z_]{1,30}$/, 'must be an error code'));

/** Lab: simulated participants on one machine. Staging: people, with homes made for rehearsals. Window: people, with the key in production. */
export const DRILL_MODES = ['lab', 'staging', 'window'] as const;
export type DrillMode = (typeof DRILL_MODES)[number];

const StepSchema = v.strictObject({
  no: int(1, 1000),
  who: v.pipe(v.array(who), v.minLength(1), v.maxLength(64)),
  does: line(400),
  command: v.optional(line(1000)),
  milliseconds: v.optional(milliseconds),
  exits: v.optional(v.pipe(v.array(int(0, 255)), v.maxLength(64))),
  code: v.optional(errorCode),
  outcome: v.picklist(['as-expected', 'exception', 'failure']),
  expected: v.optional(line(400)),
  observed: v.optional(line(1000)),
});

const FaultSchema = v.strictObject({
  id: nameOf('fault'),
  what: line(400),
  noticed: v.optional(v.strictObject({ by: line(400), exit: v.optional(int(0, 255)), code: v.optional(errorCode), text: v.optional(line(1000)) })),
  asExpected: v.boolean(),
});

const DrillSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/drill'),
  /** Name of the scenario; `backup` for the opening of real backups. */
  scenario: nameOf('drill'),
  title: line(200),
  mode: v.picklist(DRILL_MODES),
  key: v.strictObject({ name: nameOf('key'), id: v.optional(hex(16)), scheme: v.picklist(schemes), quorum: line(4000), epoch: v.optional(int(1, 1_000_000)) }),
  people: v.pipe(v.array(line(64)), v.maxLength(200)),
  place: v.optional(line(200)),
  began: utcTime,
  ended: utcTime,
  /** From the first step to the last, without preparations. */
  milliseconds,
  /** Homes and key of a lab drill. */
  preparation: v.optional(milliseconds),
  steps: v.pipe(v.array(StepSchema), v.maxLength(1000)),
  faults: v.pipe(v.array(FaultSchema), v.maxLength(100)),
  exceptions: v.pipe(v.array(line(2000)), v.maxLength(200)),
  failures: v.pipe(v.array(line(2000)), v.maxLength(200)),
  result: v.picklist(DRILL_RESULTS),
  /** When the next drill is due. */
  due: utcTime,
  program: v.strictObject({ name: line(100), digest: hex(32) }),
  /** Ceremony folders that are kept with the record; the digest covers names and contents of all files. */
  folders: v.pipe(v.array(v.strictObject({ path: line(200), files: int(1, 100_000), sha256: hex(32) })), v.maxLength(1000)),
  /** Whose home signed the record; a lab drill has no signature. */
  signer: v.optional(v.strictObject({ name: nameOf('participant'), identity: hex(32) })),
});

/** What a drill leaves. Public. */
export type DrillRecord = v.InferOutput<typeof DrillSchema>;
export type DrillStepRecord = DrillRecord['steps'][number];

/** How long a drill is good for, in days, unless somebody says otherwise. */
export const DRILL_DAYS = 365;

/** The bytes of drill.json. @throws E_USAGE naming the field, for a text that cannot stand in a record */
export function encodeDrill(record: DrillRecord): Uint8Array {
  const parsed = v.safeParse(DrillSchema, record);
  if (!parsed.success) {
    const { field, text } = explainIssues(parsed.issues);
    fail('E_USAGE', `the record of the drill cannot be written: ${field}: ${text}`, { field });
  }
  return canonicalBytes(record as unknown as Json);
}

/**
 * Reads drill.json: form, and that the result follows from what is recorded.
 * @throws E_TOO_LARGE, E_CANON, E_FORMAT naming file and field
 */
export function parseDrill(bytes: Uint8Array, file: string): DrillRecord {
  try {
    const parsed = v.safeParse(DrillSchema, parseCanonical(bytes, MAX_DRILL_BYTES));
    if (!parsed.success) {
      const { field, text } = explainIssues(parsed.issues);
      return fail('E_FORMAT', `this is not the record of a drill: ${field}: ${text}`, { field });
    }
    const wrong = contradiction(parsed.output);
    if (wrong !== undefined) return fail('E_FORMAT', `the record of the drill contradicts itself: ${wrong}`, { field: 'result' });
    return parsed.output;
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file }) : e;
  }
}

/** Why a record cannot have the result that it says; undefined when it can. */
export function contradiction({ result, faults, steps, exceptions, failures, mode, signer, began, ended, due }: DrillRecord): string | undefined {
  const unnoticed = faults.find((f) => f.noticed === undefined);
  if (result !== 'fail' && unnoticed) return `nobody noticed ${unnoticed.id}, and the drill did not fail`;
  if (result !== 'fail' && (failures.length > 0 || steps.some((s) => s.outcome === 'failure'))) return 'something failed, and the drill did not';
  const otherwise = exceptions.length > 0 || steps.some((s) => s.outcome === 'exception') || faults.some((f) => !f.asExpected);
  if (result === 'pass' && otherwise) return 'it passed without exceptions, and there are some';
  if (result === 'pass-with-exceptions' && exceptions.length === 0) return 'it passed with exceptions, and none is named';
  if (result === 'fail' && failures.length === 0) return 'it failed, and nothing says why';
  if (mode !== 'lab' && signer === undefined) return 'nobody signed it';
  if (mode === 'lab' && signer !== undefined) return 'a lab drill is signed by nobody';
  if (Date.parse(ended) < Date.parse(began)) return 'it ended before it began';
  if (Date.parse(due) <= Date.parse(ended)) return 'the next one is due before this one ended';
  return undefined;
}

const WIDTH = 80;
const seconds = (ms: number): string => (ms < 600_000 ? `${(ms / 1000).toFixed(1)} s` : `${String(Math.round(ms / 60_000))} min`);

/** Text behind a label, within 80 columns. */
function item(label: string, text: string): string[] {
  return fold(text, WIDTH - label.length).map((l, i) => (i === 0 ? label : ' '.repeat(label.length)) + l);
}

const MODE_SAYS: Readonly<Record<DrillMode, string>> = {
  lab: 'lab: simulated participants on one machine, homes made for this drill; no evidence for people',
  staging: 'staging: people, with homes made for rehearsals',
  window: 'window: people, with the key in production',
};
const MARK = { 'as-expected': ' ', exception: '!', failure: '✗' } as const;
const RESULT_SAYS = { pass: 'PASS', 'pass-with-exceptions': 'PASS WITH EXCEPTIONS', fail: 'FAIL' } as const;

/** REPORT.md, 80 columns. It depends on the record alone, so that it can be checked against it. */
export function drillReport(r: DrillRecord): string {
  const rows: [string, string][] = [
    ['Result', RESULT_SAYS[r.result]],
    ['Next due', r.result === 'fail' ? `at once; a drill that passes would be good until ${r.due.slice(0, 10)}` : r.due.slice(0, 10)],
    ['Mode', MODE_SAYS[r.mode]],
    ['Key', `${r.key.name}, ${r.key.scheme}, ${r.key.quorum}${r.key.epoch === undefined ? '' : `, epoch ${String(r.key.epoch)}`}`],
    ['People', r.people.length === 0 ? 'not recorded' : r.people.join(', ')],
    ['Place', r.place ?? (r.mode === 'lab' ? 'one machine' : 'not recorded')],
    ['Began', r.began],
    ['Ended', `${r.ended}; ${seconds(r.milliseconds)}${r.preparation === undefined ? '' : `, after ${seconds(r.preparation)} of preparations`}`],
    ['Program', `${r.program.name}, ${r.program.digest.slice(0, 16)}…`],
    ...(r.signer ? [['Signed by', `${r.signer.name}, identity ${r.signer.identity.slice(0, 16)}… (SIGNATURE.json)`] as [string, string]] : []),
  ];
  const lines = [...fold(`# Drill: ${r.title}`, WIDTH), '', ...rows.flatMap(([a, b]) => item(`- ${`${a}:`.padEnd(11)}`, b)), '', '## Faults, and who noticed', ''];
  if (r.faults.length === 0) lines.push('None was made.');
  for (const f of r.faults) {
    lines.push(...item(`${f.noticed ? (f.asExpected ? '- ' : '! ') : '✗ '}${f.id}: `, f.what));
    if (f.noticed) {
      const { by, exit, code, text } = f.noticed;
      lines.push(...item('  ', `noticed by ${by}${exit === undefined ? '' : `, exit ${String(exit)}`}${code === undefined ? '' : ` ${code.slice(2)}`}${text === undefined ? '' : `: ${text}`}`));
    } else lines.push('  NOT NOTICED');
  }
  lines.push('', '## Exceptions and failures', '');
  if (r.exceptions.length + r.failures.length === 0) lines.push('None.');
  for (const e of r.exceptions) lines.push(...item('! ', e));
  for (const e of r.failures) lines.push(...item('✗ ', e));
  lines.push('', '## Steps', '');
  if (r.steps.length === 0) lines.push('No single steps were recorded.');
  for (const s of r.steps) {
    lines.push(...item(`${String(s.no).padStart(3)} ${MARK[s.outcome]}${s.milliseconds === undefined ? '' : seconds(s.milliseconds).padStart(8)}  `, `${inWords(s.who)}: ${s.does}`));
    const said = [s.exits === undefined ? undefined : `exit ${[...new Set(s.exits)].join(', ')}`, s.code?.slice(2)].filter((x) => x !== undefined).join(' ');
    if (s.command !== undefined) lines.push(...item(`${' '.repeat(s.milliseconds === undefined ? 7 : 15)}`, `${s.command}${said === '' ? '' : ` → ${said}`}`));
    if (s.observed !== undefined) lines.push(...item(' '.repeat(s.milliseconds === undefined ? 7 : 15), `expected: ${s.expected ?? ''}; seen: ${s.observed}`));
  }
  lines.push('', '## Kept', '');
  if (r.folders.length === 0) lines.push('No ceremony folders.');
  for (const f of r.folders) lines.push(...item('- ', `${f.path}/ (${String(f.files)} files) ${f.sha256.slice(0, 16)}…`));
  lines.push('', ...fold('Check this folder with mpc-ceremony drill verify; the sums with sha256sum -c SHA256SUMS. Evidence for whoever asks whether disasters are rehearsed; it shows nothing about other keys, other people or another program.', WIDTH));
  return `${lines.join('\n')}\n`;
}
