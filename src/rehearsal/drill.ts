/**
 * A drill in the lab: the key and the homes are made, a disaster is played with the real program, every step is measured,
 * and a folder of evidence is left. It touches nothing outside the folder that it makes.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DrillResult } from '../ceremony/care.ts';
import { programDigest } from '../ceremony/program.ts';
import { utc } from '../ceremony/times.ts';
import type { SchemeName } from '../curves/scheme.ts';
import { realDisk } from '../vault/durable.ts';
import { fail } from '../wire/errors.ts';
import { stringify } from 'yaml';
import { castOf, plainDraft } from './cast.ts';
import { checkKey } from './checks.ts';
import { Courier } from './courier.ts';
import { drillCast } from './drill-cast.ts';
import { FOLDERS, keptFolders, writeDrill } from './drill-folder.ts';
import { DrillPlayer, type Played } from './drill-play.ts';
import { DRILL_DAYS, type DrillRecord } from './drill-report.ts';
import { type DrillName, scenarioOf } from './drill-scenarios.ts';
import { FINDER, type Scenario, THIEF } from './drill-script.ts';
import { generateKey } from './key-generation.ts';
import { actTogether, allGood, type Play } from './play.ts';
import { Lanes, Program } from './program.ts';
import { CARDS, copyOf, homeOf, makeStage, type Stage } from './stage.ts';
import { Story } from './story.ts';

export interface DrillRequest {
  readonly names: readonly DrillName[];
  readonly scheme: SchemeName;
  readonly quorum: string;
  /** Folder to make, absolute; with several drills, each gets a folder in it. */
  readonly out: string;
  /** File that started this process: run again for every step. */
  readonly entry: string;
  /** Name and version of this program. */
  readonly program: string;
  readonly now: () => Date;
  readonly say: (text: string) => void;
}

export interface DrillRun {
  readonly name: DrillName;
  /** Absolute. */
  readonly folder: string;
  readonly record: DrillRecord;
}

const KEY = 'treasury';
const DAY_MS = 86_400_000;
const STAGE = 'stage';
const PREPARATIONS = 'preparations.log';

/** @throws E_REHEARSAL when a folder lies in a home: a drill never writes there */
export function refuseInsideHome(out: string): void {
  for (let dir = resolve(out); ; dir = dirname(dir)) {
    const real = existsSync(dir) ? realpathSync(dir) : dir;
    if (existsSync(join(real, 'VERSION')) && existsSync(join(real, 'identity')))
      fail('E_REHEARSAL', `${out} lies in the home ${real}; a drill never touches a home that it has not made`, { file: real, field: 'out', remedy: 'Name a folder elsewhere with --out.' });
    if (dirname(dir) === dir) return;
  }
}

interface Base {
  readonly stage: Stage;
  readonly publicKey: string;
  readonly milliseconds: number;
}

function playOn(stage: Stage, request: DrillRequest, story: Story, lanes?: Lanes): Play {
  return { stage, story, program: new Program(stage, request.entry, (who, text) => { story.busy(who, text); }, lanes), courier: new Courier(stage) };
}

/** Homes and key, as every drill begins. */
async function prepare(request: DrillRequest, root: string): Promise<Base> {
  const begun = performance.now();
  const draft = plainDraft(request.scheme, request.quorum);
  const cast = castOf({ ...draft, name: KEY });
  const stage = makeStage(root, cast, `# The key of this drill.\n${stringify(draft, { lineWidth: 0 })}`, `This sentence was signed in a drill on ${request.now().toISOString().slice(0, 10)}; it moves nothing and binds nobody.\n`);
  writeFileSync(join(stage.root, 'other.txt'), 'This sentence nobody has agreed to.\n');
  const story = new Story(request.say);
  const play = playOn(stage, request, story);
  story.chapter('Preparations: homes and a key');
  const made = await actTogether(play, cast.everybody, 'init', (who) => ['init', '--name', who, '--rehearsal'], 'makes identity and one-time keys');
  allGood(cast.everybody, 'init', made);
  for (const who of cast.everybody) cpSync(join(stage.root, homeOf(who), 'identity', `${who}.card`), join(stage.root, CARDS, `${who}.card`));
  await generateKey(play, []);
  const publicKey = await checkKey(play);
  writeFileSync(join(stage.root, PREPARATIONS), story.log);
  return { stage, publicKey, milliseconds: Math.round(performance.now() - begun) };
}

/** Drills that are played at once: one often waits for a single process. */
const AT_ONCE = 2;

/**
 * Plays drills, each beginning with the same key in homes of its own. Several are played two at a time, and then their
 * steps take longer than by themselves.
 * @throws E_EXISTS, E_REHEARSAL, E_USAGE and the refusals of a quorum before anything is made; E_INTERNAL when homes or
 *   key cannot be made. What goes wrong in a drill is in its record.
 */
export async function runDrills(request: DrillRequest): Promise<DrillRun[]> {
  const { names, out } = request;
  refuseInsideHome(out);
  const cast = drillCast(KEY, request.scheme, request.quorum);
  const scenarios = names.map((name) => scenarioOf(name, cast));
  if (existsSync(out) && readdirSync(out).length > 0) fail('E_EXISTS', `${out} is not empty`, { file: out, field: 'out', remedy: 'Name a folder that does not exist yet with --out.' });
  mkdirSync(out, { recursive: true, mode: 0o700 });
  const base = await prepare(request, join(out, STAGE));
  const lanes = new Lanes();
  const runs: DrillRun[] = [];
  const waiting = [...scenarios.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [i, scenario] = next;
      const name = names[i] as DrillName;
      const folder = names.length === 1 ? out : join(out, name);
      const story = new Story(names.length === 1 ? request.say : () => undefined);
      const record = await one(request, base, scenario, folder, story, lanes);
      if (names.length > 1) request.say(`${name}: ${record.result} in ${(record.milliseconds / 1000).toFixed(0)} s`);
      runs[i] = { name, folder, record };
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    rmSync(join(out, STAGE), { recursive: true, force: true });
  }
  return runs;
}

/** One drill on a stage of its own, which is gone afterwards; what lay on sticks is kept. */
async function one(request: DrillRequest, base: Base, scenario: Scenario, folder: string, story: Story, lanes: Lanes): Promise<DrillRecord> {
  const began = request.now();
  const root = join(folder, STAGE);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(root)) cpSync(base.stage.root, root, { recursive: true });
  const everybody = [...base.stage.cast.everybody, ...scenario.joining];
  const stage: Stage = { root: realpathSync(root), cast: { ...base.stage.cast, everybody } };
  for (const who of scenario.joining) mkdirSync(join(stage.root, who), { recursive: true });
  story.chapter(`Drill ${scenario.name}: ${scenario.title}`);
  const played = await new DrillPlayer(playOn(stage, request, story, lanes), scenario, base.publicKey).all();
  keep(stage, everybody, folder);
  writeFileSync(join(folder, 'log.txt'), `${readFileSync(join(stage.root, PREPARATIONS), 'utf8')}${story.log}`);
  rmSync(stage.root, { recursive: true, force: true });
  const record = recordOf(request, base, scenario, played, folder, began);
  writeDrill(realDisk(), folder, record);
  return record;
}

/** Keeps what lay on sticks: every copy of every ceremony folder, never a home. */
function keep(stage: Stage, people: readonly string[], folder: string): void {
  for (const who of [...people, THIEF, FINDER]) {
    const own = join(stage.root, who);
    if (!existsSync(own)) continue;
    for (const entry of readdirSync(own, { withFileTypes: true })) {
      if (!entry.isDirectory() || !existsSync(join(own, entry.name, 'PLAN.yaml'))) continue;
      mkdirSync(join(folder, FOLDERS, who), { recursive: true });
      renameSync(join(stage.root, copyOf(who, entry.name)), join(folder, FOLDERS, who, entry.name));
    }
  }
}

/** Texts of a program may hold what a record must not; it is shown as a question mark. */
function plain(text: string, max = 1000): string {
  return text.normalize('NFC').replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g, '?').slice(0, max);
}

/** How a played drill ended. */
export function resultOf(played: Pick<Played, 'failures' | 'exceptions' | 'faults'>): DrillResult {
  if (played.failures.length > 0) return 'fail';
  return played.exceptions.length > 0 ? 'pass-with-exceptions' : 'pass';
}

function recordOf(request: DrillRequest, base: Base, scenario: Scenario, played: Played, folder: string, began: Date): DrillRecord {
  const ended = request.now();
  return {
    v: 1,
    type: 'mpc-ceremony/drill',
    scenario: scenario.name,
    title: scenario.title,
    mode: 'lab',
    key: { name: KEY, scheme: request.scheme, quorum: request.quorum },
    people: [...base.stage.cast.everybody, ...scenario.joining],
    began: utc(began),
    ended: utc(ended),
    milliseconds: played.milliseconds,
    preparation: base.milliseconds,
    steps: played.steps.map((s) => ({
      no: s.no,
      who: [...s.who],
      does: s.does,
      ...(s.command === undefined ? {} : { command: plain(s.command) }),
      milliseconds: s.milliseconds,
      ...(s.exits === undefined ? {} : { exits: [...s.exits] }),
      ...(s.code === undefined ? {} : { code: s.code }),
      outcome: s.outcome,
      ...(s.expected === '' ? {} : { expected: s.expected }),
      ...(s.observed === undefined ? {} : { observed: plain(s.observed) }),
    })),
    faults: played.faults.map((f) => ({ id: f.id, what: f.what, ...(f.noticed ? { noticed: { ...f.noticed, text: plain(f.noticed.text) } } : {}), asExpected: f.asExpected })),
    exceptions: played.exceptions.map((e) => plain(e, 2000)),
    failures: played.failures.map((e) => plain(e, 2000)),
    result: resultOf(played),
    due: utc(new Date(ended.getTime() + DRILL_DAYS * DAY_MS)),
    program: { name: request.program, digest: programDigest() },
    folders: keptFolders(realDisk(), folder),
  };
}

