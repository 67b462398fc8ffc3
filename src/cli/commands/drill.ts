/** `drill list`, `drill run`, `drill print`, `drill backup`, `drill record`, `drill verify`. */
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import type { DrillResult } from '../../ceremony/care.ts';
import type { Home } from '../../ceremony/home.ts';
import type { Identity } from '../../ceremony/identity.ts';
import { type SchemeName, SCHEMES } from '../../curves/scheme.ts';
import type { Certificate } from '../../protocols/epoch.ts';
import { drillCast } from '../../rehearsal/drill-cast.ts';
import { FOLDERS, keptFolders, verifyDrill, writeDrill } from '../../rehearsal/drill-folder.ts';
import { printDrill } from '../../rehearsal/drill-print.ts';
import { DRILL_DAYS, type DrillRecord } from '../../rehearsal/drill-report.ts';
import type { RoomFacts } from '../../rehearsal/drill-room.ts';
import { DRILL_NAMES, drillName, scenarioOf } from '../../rehearsal/drill-scenarios.ts';
import { inWords } from '../../rehearsal/story.ts';
import { toHex } from '../../wire/bytes.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { type Context, realPath } from '../context.ts';
import { fold } from '../output.ts';
import { VERSION } from '../version.ts';
import { openingKeys } from '../opening-keys.ts';

const DEFAULT_SCHEME = 'frost-ed25519';
const DEFAULT_QUORUM = '2-of(alice, bob, carol)';
const PROGRAM = `mpc-ceremony ${VERSION}`;
const SAYS: Readonly<Record<DrillResult, string>> = { pass: '✓ PASS', 'pass-with-exceptions': '! PASS WITH EXCEPTIONS', fail: '✗ FAIL' };

function schemeOf(text: string | undefined): SchemeName {
  if (text === undefined) return DEFAULT_SCHEME;
  if (Object.hasOwn(SCHEMES, text)) return text as SchemeName;
  return fail('E_SCHEME', `there is no scheme ${text}`, { field: 'scheme', remedy: `Known schemes: ${Object.keys(SCHEMES).join(', ')}` });
}

const exitOf = (result: DrillResult): ExitCode => (result === 'fail' ? EXIT.wrong : EXIT.ok);

export function drillList(ctx: Context): Promise<ExitCode> {
  const cast = drillCast('treasury', DEFAULT_SCHEME, DEFAULT_QUORUM);
  const drills = DRILL_NAMES.map((name) => {
    const { title, shows, faults, steps } = scenarioOf(name, cast);
    return { name, title, shows, faults: faults.map((f) => f.id), steps: steps.length };
  });
  const width = Math.max(...DRILL_NAMES.map((n) => n.length)) + 2;
  ctx.out.result({ schema: 'mpc-ceremony/drills/1', drills, exit: 0 }, [
    ...drills.flatMap((d) => fold(`${d.name.padEnd(width)}${d.shows}`)),
    ...fold(`${'all'.padEnd(width)}all of these, with one key`),
    'NEXT  mpc-ceremony drill run NAME --out DIR',
  ]);
  return Promise.resolve(EXIT.ok);
}

interface RunOptions {
  readonly scheme?: string;
  readonly quorum?: string;
  readonly out: string;
}

export async function drillRun(ctx: Context, given: string, options: RunOptions): Promise<ExitCode> {
  if (ctx.flags.home !== undefined) fail('E_REHEARSAL', 'a lab drill makes homes of its own and touches no other', { field: 'home', remedy: 'Leave --home out. On real backups: mpc-ceremony drill backup.' });
  const names = given === 'all' ? DRILL_NAMES : [drillName(given)];
  const { runDrills } = await import('../../rehearsal/drill.ts');
  const runs = await runDrills({
    names,
    scheme: schemeOf(options.scheme),
    quorum: options.quorum ?? DEFAULT_QUORUM,
    out: resolve(options.out),
    entry: process.argv[1] ?? fail('E_INTERNAL', 'the file of this program is not known'),
    program: PROGRAM,
    now: () => ctx.now(),
    say: (text) => {
      ctx.out.say(text);
    },
  });
  const records = runs.map((r) => r.record);
  const result: DrillResult = records.some((r) => r.result === 'fail') ? 'fail' : records.some((r) => r.result === 'pass-with-exceptions') ? 'pass-with-exceptions' : 'pass';
  const [only] = runs;
  ctx.out.result(
    runs.length === 1 && only
      ? { ...asObject(only.record), folder: only.folder }
      : { schema: 'mpc-ceremony/drill-runs/1', result, drills: runs.map((r) => ({ ...asObject(r.record), folder: r.folder })), exit: exitOf(result) },
    runs.flatMap((r) => screen(r.record, relative(process.cwd(), r.folder) || '.')),
  );
  return exitOf(result);
}

function asObject({ v: _v, type: _type, ...record }: DrillRecord): Record<string, unknown> {
  return { schema: 'mpc-ceremony/drill/1', ...record, exit: exitOf(record.result) };
}

/** The result for people: how it ended, who noticed what, where the evidence lies. */
function screen(r: DrillRecord, folder: string): string[] {
  const timed = r.steps.filter((s) => s.milliseconds !== undefined);
  const slowest = timed.reduce<(typeof timed)[number] | undefined>((a, b) => (a && (a.milliseconds ?? 0) >= (b.milliseconds ?? 0) ? a : b), undefined);
  const slow = slowest === undefined ? '' : `; longest: step ${String(slowest.no)}, ${((slowest.milliseconds ?? 0) / 1000).toFixed(1)} s`;
  return [
    `${SAYS[r.result]}  ${r.scenario}: ${r.title}`,
    `  Steps      ${String(r.steps.length)} in ${(r.milliseconds / 1000).toFixed(0)} s${slow}`,
    ...r.faults.map((f) => (f.noticed ? `  ${f.asExpected ? '✓' : '!'} ${f.id.padEnd(14)}  noticed by ${f.noticed.by}${f.noticed.exit === undefined ? '' : `, exit ${String(f.noticed.exit)}`}${f.noticed.code === undefined ? '' : ` ${f.noticed.code.slice(2)}`}` : `  ✗ ${f.id.padEnd(14)}  NOBODY NOTICED: ${f.what}`)),
    ...r.exceptions.map((e) => `  ! ${e}`),
    ...r.failures.map((e) => `  ✗ ${e}`),
    `  Next due   ${r.result === 'fail' ? 'at once' : r.due.slice(0, 10)}`,
    `  Evidence   ${folder}/ — begin with REPORT.md there`,
  ].flatMap(fold);
}

export function drillPrint(ctx: Context, given: string, options: { readonly quorum?: string; readonly key?: string }): Promise<ExitCode> {
  const name = drillName(given);
  const key = options.key ?? 'treasury';
  const quorum = options.quorum ?? DEFAULT_QUORUM;
  const text = printDrill(scenarioOf(name, drillCast(key, DEFAULT_SCHEME, quorum)), key, quorum);
  ctx.out.result({ schema: 'mpc-ceremony/drill-print/1', name, text, exit: 0 }, [text.trimEnd()]);
  return Promise.resolve(EXIT.ok);
}

interface RoomOptions {
  readonly key: string;
  readonly place: string;
  readonly people: readonly string[];
  readonly exception?: readonly string[];
  readonly dueDays?: number;
  readonly out: string;
}

/** An empty folder for a record. @throws E_EXISTS, E_REHEARSAL */
async function newFolder(argument: string): Promise<string> {
  const out = realPath(argument);
  const { refuseInsideHome } = await import('../../rehearsal/drill.ts');
  refuseInsideHome(out);
  if (existsSync(out) && readdirSync(out).length > 0) fail('E_EXISTS', `${out} is not empty`, { file: out, field: 'out', remedy: 'Name a folder that does not exist yet with --out.' });
  return out;
}

async function roomFacts(ctx: Context, identity: Identity, home: Home, certificate: Certificate, options: RoomOptions, out: string, began: Date, ended: Date): Promise<RoomFacts> {
  const { programDigest } = await import('../../ceremony/program.ts');
  return {
    certificate,
    people: options.people,
    place: options.place,
    began,
    ended,
    dueDays: options.dueDays ?? DRILL_DAYS,
    program: { name: PROGRAM, digest: programDigest() },
    folders: existsSync(out) ? keptFolders(ctx.disk, out) : [],
    signer: { name: home.facts.name, identity: toHex(identity.signer.publicKey) },
  };
}

/** Writes and signs a record, and marks the care register of the home. */
async function finish(ctx: Context, home: Home, identity: Identity, record: DrillRecord, out: string): Promise<ExitCode> {
  const { recordCare } = await import('../../ceremony/care.ts');
  mkdirSync(out, { recursive: true, mode: 0o700 });
  writeDrill(ctx.disk, out, record, identity.signer);
  recordCare(home, record.key.name, { kind: 'drill', at: record.ended, result: record.result, due: record.due });
  ctx.out.result({ ...asObject(record), folder: out }, [...screen(record, relative(process.cwd(), out) || '.'), ...fold(`  Signed by ${record.signer?.name ?? ''}, and entered into the care of ${record.key.name} in this home.`)]);
  return exitOf(record.result);
}

function timeOf(text: string, field: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text) || Number.isNaN(at.getTime())) fail('E_USAGE', `${text} is not a time like 2026-01-31T12:00:00Z`, { field });
  return at;
}

interface RecordOptions extends RoomOptions {
  readonly result: DrillResult;
  readonly began: string;
  readonly ended?: string;
  readonly noticed?: readonly string[];
  readonly step?: readonly string[];
  readonly folder?: readonly string[];
}

export async function drillRecord(ctx: Context, given: string, options: RecordOptions): Promise<ExitCode> {
  const [{ requireKey }, { roomDrill }] = await Promise.all([import('../../ceremony/key-store.ts'), import('../../rehearsal/drill-room.ts')]);
  const name = drillName(given);
  const home = await ctx.home('write');
  const certificate = requireKey(home, options.key);
  const { epoch } = certificate;
  const scenario = scenarioOf(name, drillCast(options.key, epoch.key.scheme, epoch.quorum));
  const noticed = (options.noticed ?? []).map((text) => {
    const match = /^([a-z][a-z0-9-]*)=([^:]+)(?::(E_[A-Z_]+))?$/.exec(text) ?? fail('E_USAGE', `${text}: write FAULT=WHO or FAULT=WHO:E_CODE`, { field: 'noticed' });
    return { fault: match[1] ?? '', by: match[2] ?? '', code: match[3] };
  });
  const times = new Map((options.step ?? []).map((text) => {
    const match = /^(\d{1,4})=(\d{1,7})$/.exec(text) ?? fail('E_USAGE', `${text}: write NUMBER=SECONDS`, { field: 'step' });
    return [Number(match[1]), Number(match[2])] as const;
  }));
  const out = await newFolder(options.out);
  const began = timeOf(options.began, 'began');
  const ended = options.ended === undefined ? ctx.now() : timeOf(options.ended, 'ended');
  const identity = await ctx.port(home).unlock();
  const said = { result: options.result, noticed, exceptions: options.exception ?? [], times };
  // what cannot be recorded is refused before anything is written
  roomDrill(await roomFacts(ctx, identity, home, certificate, options, out, began, ended), scenario, said);
  for (const folder of options.folder ?? []) {
    const from = realPath(folder);
    if (!existsSync(join(from, 'PLAN.yaml'))) fail('E_MISSING', `${folder} is not a ceremony folder`, { file: from, field: 'folder' });
    mkdirSync(join(out, FOLDERS, home.facts.name), { recursive: true, mode: 0o700 });
    cpSync(from, join(out, FOLDERS, home.facts.name, basename(from)), { recursive: true, errorOnExist: true, force: false });
  }
  return finish(ctx, home, identity, roomDrill(await roomFacts(ctx, identity, home, certificate, options, out, began, ended), scenario, said), out);
}

interface BackupOptions extends RoomOptions {
  readonly backup: readonly string[];
  readonly identity?: readonly string[];
  readonly passphraseBackupFile?: string;
}

export async function drillBackup(ctx: Context, options: BackupOptions): Promise<ExitCode> {
  const [{ requireKey }, { checkBackup }, { backupDrill }, { recordCare }, { noteTest }, { utc }] = await Promise.all([
    import('../../ceremony/key-store.ts'),
    import('../../ceremony/backup-check.ts'),
    import('../../rehearsal/drill-room.ts'),
    import('../../ceremony/care.ts'),
    import('../../ceremony/backup-register.ts'),
    import('../../ceremony/times.ts'),
  ]);
  const home = await ctx.home('write');
  const certificate = requireKey(home, options.key);
  const out = await newFolder(options.out);
  const identity = await ctx.port(home).unlock();
  const began = ctx.now();
  const { keys, wipe } = await openingKeys(ctx, home, options);
  const backups: { checked: Awaited<ReturnType<typeof checkBackup>>; milliseconds: number }[] = [];
  try {
    for (const file of options.backup) {
      const start = performance.now();
      const checked = await checkBackup(ctx.disk, realPath(file), certificate, home, keys);
      backups.push({ checked, milliseconds: Math.round(performance.now() - start) });
    }
  } finally {
    wipe();
  }
  const facts = await roomFacts(ctx, identity, home, certificate, options, out, began, ctx.now());
  const record = backupDrill(facts, backups, options.exception ?? []);
  const at = utc(ctx.now());
  if (record.result !== 'fail') {
    recordCare(home, options.key, { kind: 'backup-test', at, epoch: certificate.epoch.number });
    for (const { checked } of backups) noteTest(home, options.key, checked.sha256 ?? '', at, 'opened');
  }
  return finish(ctx, home, identity, record, out);
}

export async function drillVerify(ctx: Context, argument: string, options: { readonly card?: string }): Promise<ExitCode> {
  const dir = realPath(argument);
  if (!existsSync(dir)) fail('E_MISSING', `there is no folder ${argument}`, { file: dir });
  const { parseCard } = await import('../../plan/card.ts');
  const card = options.card === undefined ? undefined : realPath(options.card);
  const signer = card === undefined ? undefined : parseCard(ctx.disk.read(card, 65_536) ?? fail('E_MISSING', 'there is no such card', { file: card }), card);
  const { report, record } = verifyDrill(ctx.disk, dir, signer?.ed25519);
  const sign = { ok: '✓', wrong: '✗', 'cannot-tell': '?' } as const;
  const exit = { ok: EXIT.ok, wrong: EXIT.wrong, 'cannot-tell': EXIT.cannotTell }[report.verdict];
  ctx.out.result(
    { schema: 'mpc-ceremony/drill-verify/1', verdict: report.verdict, checks: report.checks, ...(record ? { scenario: record.scenario, mode: record.mode, key: record.key, result: record.result, ended: record.ended, due: record.due, signer: record.signer ?? null } : {}), exit },
    [
      ...report.checks.map((c) => `${sign[c.verdict]} ${c.name.padEnd(11)} ${c.text}${c.place === undefined || c.verdict === 'ok' ? '' : ` [${relative(dir, c.place).startsWith('..') ? c.place : relative(dir, c.place)}]`}`),
      ...(record && report.verdict === 'ok' ? [`✓ ${record.scenario} of ${record.key.name}, ${record.ended.slice(0, 10)}, ${inWords(record.people)}: ${record.result}; next due ${record.due.slice(0, 10)}`] : []),
    ].flatMap(fold),
  );
  return exit;
}
