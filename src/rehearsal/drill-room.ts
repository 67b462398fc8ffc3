/** Records of drills that people played in a room, and of backups that were really opened. Pure; public. */
import type { CheckedBackup } from '../ceremony/backup-check.ts';
import type { DrillResult } from '../ceremony/care.ts';
import { utc } from '../ceremony/times.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { fail } from '../wire/errors.ts';
import { contradiction, type DrillMode, type DrillRecord } from './drill-report.ts';
import type { Scenario } from './drill-script.ts';
import { seenOf, shown } from './drill-words.ts';

const DAY_MS = 86_400_000;

/** What every record of a room says. */
export interface RoomFacts {
  readonly certificate: Certificate;
  readonly people: readonly string[];
  readonly place: string;
  readonly began: Date;
  readonly ended: Date;
  readonly dueDays: number;
  readonly program: DrillRecord['program'];
  readonly folders: DrillRecord['folders'];
  readonly signer: NonNullable<DrillRecord['signer']>;
}

/** Who noticed a fault, as a person says it. */
export interface Noticed {
  readonly fault: string;
  readonly by: string;
  readonly code?: string | undefined;
}

/** Keys carry the mode: a drill in people's hands is staging with a rehearsal key, and a window with one in production. */
export function roomMode({ epoch }: Certificate): DrillMode {
  return epoch.key.mode === 'production' ? 'window' : 'staging';
}

function head(facts: RoomFacts, scenario: string, title: string) {
  const { epoch } = facts.certificate;
  return {
    v: 1 as const,
    type: 'mpc-ceremony/drill' as const,
    scenario,
    title,
    mode: roomMode(facts.certificate),
    key: { name: epoch.key.name, id: epoch.key.id, scheme: epoch.key.scheme, quorum: epoch.quorum, epoch: epoch.number },
    people: [...facts.people],
    place: facts.place,
    began: utc(facts.began),
    ended: utc(facts.ended),
    milliseconds: Math.max(0, facts.ended.getTime() - facts.began.getTime()),
    due: utc(new Date(facts.ended.getTime() + facts.dueDays * DAY_MS)),
    program: facts.program,
    folders: [...facts.folders],
    signer: facts.signer,
  };
}

/** @throws E_USAGE where a record says two things that do not go together */
function consistent(record: DrillRecord): DrillRecord {
  const wrong = contradiction(record);
  if (wrong !== undefined) fail('E_USAGE', `this cannot be recorded: ${wrong}`, { field: 'result', remedy: 'Give --noticed FAULT=WHO for every fault that was noticed, --exception for every exception; or record it as fail.' });
  return record;
}

/**
 * The record of a drill that was played by hand.
 * @param said.times seconds of single steps, by number
 * @param said.exceptions one sentence each; with the result `fail` they are what failed
 * @throws E_USAGE for a fault or step that the drill does not have, and where result and facts do not go together
 */
export function roomDrill(facts: RoomFacts, scenario: Scenario, said: { readonly result: DrillResult; readonly noticed: readonly Noticed[]; readonly exceptions: readonly string[]; readonly times: ReadonlyMap<number, number> }): DrillRecord {
  const known = scenario.faults.map((f) => f.id);
  for (const { fault } of said.noticed) if (!known.includes(fault)) fail('E_USAGE', `the drill ${scenario.name} has no fault ${fault}`, { field: 'noticed', remedy: `Its faults: ${known.join(', ')}` });
  for (const no of said.times.keys()) if (!scenario.steps[no - 1]) fail('E_USAGE', `the drill ${scenario.name} has ${String(scenario.steps.length)} steps; there is no step ${String(no)}`, { field: 'step' });
  const expectedCode = (fault: string): string | undefined => {
    const act = scenario.steps.find((s) => s.notices === fault)?.act;
    return act?.kind === 'command' ? act.expect.code : undefined;
  };
  const expectedBy = (fault: string): readonly string[] => scenario.steps.find((s) => s.notices === fault)?.who ?? [];
  const faults: DrillRecord['faults'] = scenario.faults.map(({ id, what }) => {
    const noticed = said.noticed.find((n) => n.fault === id);
    if (!noticed) return { id, what, asExpected: false };
    const { by, code } = noticed;
    return { id, what, noticed: { by, ...(code === undefined ? {} : { code }) }, asExpected: expectedBy(id).includes(by) && (code === undefined || code === expectedCode(id)) };
  });
  const failed = said.result === 'fail';
  const unnoticed = faults.filter((f) => !f.noticed).map((f) => `nobody noticed ${f.id}: ${f.what}`);
  return consistent({
    ...head(facts, scenario.name, scenario.title),
    steps: scenario.steps.map((s, i) => {
      const command = shown(s);
      const seconds = said.times.get(i + 1);
      const expected = seenOf(s);
      return {
        no: i + 1,
        who: [...s.who],
        does: s.does,
        ...(command === undefined ? {} : { command }),
        ...(seconds === undefined ? {} : { milliseconds: seconds * 1000 }),
        outcome: 'as-expected' as const,
        ...(expected === '' ? {} : { expected }),
      };
    }),
    faults,
    exceptions: failed ? [] : [...said.exceptions],
    failures: failed ? [...said.exceptions, ...unnoticed] : [],
    result: said.result,
  });
}

/** One backup, as it was opened. */
export interface OpenedBackup {
  readonly checked: CheckedBackup;
  readonly milliseconds: number;
}

/**
 * The record of a drill on real backups: each was opened in memory, its share compared with the public verification share
 * of the active epoch, and destroyed.
 */
export function backupDrill(facts: RoomFacts, backups: readonly OpenedBackup[], exceptions: readonly string[]): DrillRecord {
  const steps = backups.map(({ checked, milliseconds }, i): DrillRecord['steps'][number] => {
    const good = isGood(checked, facts.certificate);
    const bad = checked.checks.find((c) => c.verdict === 'wrong') ?? checked.checks.find((c) => c.verdict !== 'ok');
    return {
      no: i + 1,
      who: [facts.signer.name],
      does: `opens ${nameIn(checked.file)}${checked.facts ? `, the share of ${checked.facts.owner}` : ''}${checked.sha256 === undefined ? '' : `, SHA-256 ${checked.sha256.slice(0, 16)}…`}`,
      milliseconds,
      ...(bad?.code === undefined || good ? {} : { code: bad.code }),
      outcome: good ? 'as-expected' : 'failure',
      expected: 'it opens, and holds what belongs to the public share of the active epoch',
      ...(good ? {} : { observed: bad?.text ?? 'it was not opened' }),
    };
  });
  const failures = steps.flatMap((s) => (s.outcome === 'failure' ? [`${s.does}: ${s.observed ?? ''}`] : []));
  return consistent({
    ...head(facts, 'backup', 'the real backups are opened'),
    steps,
    faults: [],
    exceptions: failures.length > 0 ? [] : [...exceptions],
    failures: failures.length > 0 ? [...failures, ...exceptions] : [],
    result: failures.length > 0 ? 'fail' : exceptions.length > 0 ? 'pass-with-exceptions' : 'pass',
  });
}

const nameIn = (file: string): string => file.split('/').at(-1) ?? file;

/** Whether a backup was opened, and is one of the active epoch of this key. */
function isGood({ verdict, opened, facts }: CheckedBackup, { epoch }: Certificate): boolean {
  return verdict === 'ok' && opened.length > 0 && facts?.keyId === epoch.key.id && facts.epoch === epoch.number;
}
