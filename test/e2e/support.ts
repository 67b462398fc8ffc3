/**
 * Participants as outside checks see them: the real binary in processes of its own, a home and a copy of every folder
 * for each, and nothing shared but what a courier copies. Used by all tests of this folder.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect } from 'vitest';
import { encodeAuxSecret } from '../../src/ecdsa/make-aux.ts';
import { fixturePrimes } from '../support/primes.ts';

/** The program under test; MPC_CEREMONY_BIN names another build of it. */
export const BIN = process.env['MPC_CEREMONY_BIN'] ?? join(import.meta.dirname, '../../bin/mpc-ceremony.js');
export const TEMPLATES = join(import.meta.dirname, '../../templates');
export const PASSPHRASE = 'plover-anvil-quartz-71';

/** The object that `--json` prints, as far as the tests look at it. */
export interface Json {
  readonly [field: string]: unknown;
  readonly did?: string[];
  readonly needs?: { from: string; what: string }[];
  readonly wrote?: { path: string; sha256: string }[];
  readonly nextAction?: { code: string; who: string; text: string };
  readonly error?: { code: string; participant?: string; file?: string; field?: string; text: string; remedy?: string };
}

/** What a process left behind. */
export interface Ran {
  /** Undefined when a signal ended it. */
  readonly exit: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The one object on stdout, when `--json` was given; a test fails here when there is anything else. */
  readonly json: Json;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Program that starts node: for limits and the like. */
  readonly under?: readonly string[];
  /** Arguments of node before the program. */
  readonly node?: readonly string[];
  /** Seconds after which it counts as hanging; 60 unless given. Making primes takes long on a busy machine. */
  readonly seconds?: number;
  /** It waits for others, and takes none of the places of those who compute. */
  readonly waits?: boolean;
}

// Two processes at a time: key derivation takes 64 MiB and a core.
const SLOTS = 2;
let busy = 0;
const queue: (() => void)[] = [];

/** Runs `work` when one of two places is free. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (busy === SLOTS) await new Promise<void>((go) => queue.push(go));
  else busy += 1;
  try {
    return await work();
  } finally {
    const next = queue.shift();
    if (next) next();
    else busy -= 1;
  }
}

/** Everything that any process printed in this file's tests, for whoever wants to look through it. */
export const printed: string[] = [];

/** Runs the binary. Its environment holds PATH and a home of nobody. @throws never for a failing program */
export async function invoke(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const command = [...(options.under ?? []), process.execPath, ...(options.node ?? []), BIN, ...args];
  const run = () =>
    execa(command[0] as string, command.slice(1), {
      reject: false,
      extendEnv: false,
      env: { PATH: process.env['PATH'] ?? '', HOME: join(tmpdir(), 'no-such-home'), ...options.env },
      stripFinalNewline: false,
      timeout: 1000 * (options.seconds ?? 60),
      maxBuffer: 64 * 1024 * 1024,
      ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  const result = await (options.waits === true ? run() : inTurn(run));
  if (result.timedOut) throw new Error(`hangs: mpc-ceremony ${args.join(' ')}`);
  const { stdout, stderr } = result;
  printed.push(stdout, stderr);
  const killed = result.signal !== undefined;
  return { exit: result.exitCode, signal: result.signal, stdout, stderr, json: args.includes('--json') && !killed ? oneObject(stdout, args) : {} };
}

function oneObject(stdout: string, args: readonly string[]): Json {
  const lines = stdout.split('\n');
  if (lines.length !== 2 || lines[1] !== '') throw new Error(`not one line of JSON from ${args.join(' ')}: ${stdout}`);
  const value: unknown = JSON.parse(lines[0] as string);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`not an object: ${stdout}`);
  return value as Json;
}

/** Where a member's copies and the passphrase lie. */
export interface Place {
  readonly dir: string;
  readonly passphraseFile: string;
}

/** A participant: a home, and copies of the ceremony folders. */
export class Member {
  readonly world: Place;
  readonly name: string;
  readonly home: string;
  /** Environment of its commands. */
  readonly env: Record<string, string>;
  constructor(world: Place, name: string, home: string, env: Record<string, string> = {}) {
    this.world = world;
    this.name = name;
    this.home = home;
    this.env = env;
  }
  /** This participant's own copy of a folder. */
  copy(folder: string): string {
    return join(this.world.dir, 'copies', this.name, folder);
  }
  get card(): string {
    return join(this.home, 'identity', `${this.name}.card`);
  }
  /** The command as scripts run it: passphrase from a file, no questions, JSON. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.say([...args, '--json'], options);
  }
  /** The command as people run it, without questions. */
  say(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return invoke([...args, '--home', this.home, '--passphrase-file', this.world.passphraseFile, '--no-input'], { ...options, env: { ...this.env, ...options.env } });
  }
}

/** Writes the i-th set of test primes to a file; environment with which a rehearsal home takes them for its own. */
export function rehearsedPrimes(dir: string, i: number): Record<string, string> {
  const file = join(dir, `primes-${String(i)}`);
  writeFileSync(file, encodeAuxSecret(fixturePrimes(i)));
  return { MPC_CEREMONY_REHEARSE_PRIMES: file };
}

/** How the file system is to fail: see children/faults.mjs. */
export interface Fault {
  readonly calls: readonly ('open' | 'read' | 'write' | 'fsync' | 'rename' | 'link' | 'unlink' | 'mkdir')[];
  readonly error: 'KILL' | 'TEAR' | 'FLIP' | 'ENOSPC' | 'EROFS' | 'EIO' | 'EACCES';
  /** Paths that begin with this; all, unless given. */
  readonly under?: string;
  /** And hold this. */
  readonly part?: string;
  /** The first call that fails, from 1, and how many do. */
  readonly from?: number;
  readonly times?: number;
}

/** Options of a run on a failing file system. */
export function failing(fault: Fault): RunOptions {
  return { node: ['--import', join(import.meta.dirname, 'children/faults.mjs')], env: { E2E_FAULT: JSON.stringify(fault) } };
}

const worlds: string[] = [];
afterAll(() => {
  for (const dir of worlds.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A fresh private folder, removed after the tests of the file. */
export function newDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'e2e-')));
  worlds.push(dir);
  return dir;
}

/** Participants, their cards, and the courier between them. */
export class World implements Place {
  readonly dir: string;
  readonly passphraseFile: string;
  readonly cards: string;
  readonly members: Member[] = [];
  /** Every blob that ever lay in any folder, by its bytes in hex. */
  readonly blobs = new Map<string, Uint8Array>();
  #random: () => number;

  constructor(seed = 1) {
    this.dir = newDir();
    this.passphraseFile = join(this.dir, 'pw');
    this.cards = join(this.dir, 'CARDS');
    this.#random = mulberry(seed);
    writeFileSync(this.passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
    mkdirSync(this.cards);
  }

  /** A world with homes; their cards lie in CARDS. @param options.primes everybody brings test primes along, for ECDSA keys */
  static async of(names: readonly string[], options: { readonly production?: boolean; readonly seed?: number; readonly primes?: boolean } = {}): Promise<World> {
    const world = new World(options.seed);
    await Promise.all(names.map((name, i) => world.join(name, options.production === true, options.primes === true ? rehearsedPrimes(world.dir, i) : {})));
    world.members.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
    return world;
  }

  /** Makes a home and adds its card. */
  async join(name: string, production = false, env: Record<string, string> = {}): Promise<Member> {
    const member = new Member(this, name, join(this.dir, 'homes', name), env);
    const ran = await member.run(['init', '--name', name, ...(production ? [] : ['--rehearsal'])]);
    if (ran.exit !== 0) throw new Error(`init: ${ran.stdout}${ran.stderr}`);
    cpSync(member.card, join(this.cards, `${name}.card`));
    this.members.push(member);
    return member;
  }

  member(name: string): Member {
    const found = this.members.find((m) => m.name === name);
    if (!found) throw new Error(`no member ${name}`);
    return found;
  }

  /** Copies files between all copies of a folder: in any order, some twice, never deleting. */
  courier(folder: string, members: readonly Member[] = this.members): void {
    const journeys: { from: string; to: string }[] = [];
    for (const a of members)
      for (const file of files(a.copy(folder))) {
        const path = relative(a.copy(folder), file);
        if (path.endsWith('.blob')) this.#remember(file);
        for (const b of members) if (b !== a) journeys.push({ from: file, to: join(b.copy(folder), path) });
      }
    const again = journeys.filter(() => this.#random() < 0.2);
    // an older copy that travels late must not undo a newer one for good: the homes write theirs again
    for (const { from, to } of shuffle([...journeys, ...again], this.#random)) {
      mkdirSync(dirname(to), { recursive: true });
      cpSync(from, to);
    }
  }

  #remember(file: string): void {
    const bytes = new Uint8Array(readFileSync(file));
    this.blobs.set(Buffer.from(bytes).toString('hex'), bytes);
  }

  /** Courier and `next` for everybody until all are done; every exit is 0 or 10. */
  async settle(folder: string, members: readonly Member[] = this.members, rounds = 8): Promise<Map<string, Ran>> {
    const last = new Map<string, Ran>();
    for (let round = 0; round < rounds; round++) {
      this.courier(folder, members);
      const ran = await Promise.all(shuffle([...members], this.#random).map(async (m) => [m, await m.run(['next', m.copy(folder)])] as const));
      for (const [m, r] of ran) {
        if (r.exit !== 0 && r.exit !== 10) throw new Error(`${m.name}: next ended with ${String(r.exit)}: ${r.stdout}${r.stderr}`);
        last.set(m.name, r);
      }
      if ([...last.values()].every((r) => r.json.nextAction?.code === 'DONE')) break;
    }
    this.courier(folder, members);
    return last;
  }

  /** A whole key generation by flags; the first member leads. */
  async dkg(key: string, quorum: string, options: { readonly scheme?: string; readonly stock?: number; readonly members?: readonly Member[]; readonly folder?: string } = {}): Promise<void> {
    const members = options.members ?? this.members;
    const folder = options.folder ?? key;
    const [lead, ...others] = members as [Member, ...Member[]];
    must(
      await lead.run([
        'dkg', '--name', key, '--scheme', options.scheme ?? 'frost-ed25519', '--quorum', quorum, '--cards', this.cards, '--out', lead.copy(folder), '--unattended',
        ...(options.stock === undefined ? [] : ['--stock', String(options.stock)]),
      ]),
    );
    this.courier(folder, [lead, ...others]);
    for (const ran of await Promise.all(others.map((m) => m.run(['join', m.copy(folder)])))) must(ran);
    const last = await this.settle(folder, members);
    for (const [name, ran] of last) if (ran.json.nextAction?.code !== 'DONE') throw new Error(`${name} is not done: ${ran.stdout}`);
  }

  /** Intent and start of a signing; the first signer leads, and the others have joined. */
  async sign(key: string, signers: readonly Member[], folder: string, message: Uint8Array, path?: string): Promise<Ran[]> {
    const [lead, ...others] = signers as [Member, ...Member[]];
    const file = join(this.dir, `${folder}.msg`);
    const intent = join(this.dir, `${folder}.intent.json`);
    writeFileSync(file, message);
    must(await lead.run(['intent', 'create', '--key', key, '--action', 'message', '--file', file, '--out', intent, ...(path === undefined ? [] : ['--path', path])]));
    const began = must(await lead.run(['sign', '--intent', intent, '--signers', signers.map((m) => m.name).join(','), '--out', lead.copy(folder), '--unattended']));
    this.courier(folder, signers);
    return [began, ...(await Promise.all(others.map((m) => m.run(['join', m.copy(folder)])))).map(must)];
  }
}

/** The same, if it went on or waits. */
export function must(ran: Ran): Ran {
  if (ran.exit !== 0 && ran.exit !== 10) throw new Error(`ended with ${String(ran.exit ?? ran.signal)}: ${ran.stdout}${ran.stderr}`);
  return ran;
}

/** Checks of one step's object against the contract and the files it speaks of. */
export function expectStep(ran: Ran, member: Member, folder: string, kind: string): void {
  const { json } = ran;
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  expect(json).toMatchObject({ schema: 'mpc-ceremony/step/1', kind, attempt: 1, participant: member.name, exit: ran.exit });
  expect(Object.keys(json).sort()).toEqual(['attempt', 'ceremony', 'did', 'exit', 'head', 'kind', 'needs', 'nextAction', 'participant', 'schema', 'wrote']);
  expect(json.nextAction?.who).toBe(member.name);
  for (const { path, sha256: digest } of json.wrote ?? []) expect(sha256(readFileSync(join(folder, path))), path).toBe(digest);
  const entry = JSON.parse(readFileSync(join(folder, 'transcript', `${member.name}.jsonl`), 'utf8').trimEnd().split('\n').at(-1) as string) as { payload: string };
  expect(sha256(Buffer.from(entry.payload, 'base64')), 'head').toBe(json['head']);
}

/** All regular files below a folder, without dot files. */
export function files(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((file) => !/(^|\/)\.[^/]*$/.test(file) && lstatSync(file).isFile())
    .sort();
}

/** Small seeded generator: the order of a failing run can be had again. */
export function mulberry(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffle<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
  return list;
}
