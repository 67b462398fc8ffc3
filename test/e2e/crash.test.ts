/**
 * kill -9 at every single durable write. For each step of each participant: a copy of its home and folders, the step
 * ended at its n-th write, for n = 1, 2, … until it runs through; then the same command again. What had already reached
 * the folder must stay as it is to the byte, the repeated command must arrive where the undisturbed one does, and no
 * nonce may answer two requests. The ceremony goes on from one of the interrupted copies, so that every step of the path
 * that completes was interrupted.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createPublicKey, verify } from 'node:crypto';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/wire/yaml.ts';
import { failing, files, Member, mulberry, must, newDir, type Ran, type RunOptions, World } from './support.ts';
import { LONG } from '../support/long.ts';

type Command = (m: Member) => string[];

/** Nonce commitment (hex) → requests (hex) that it answered, along one line of events. */
type Answers = Map<string, Set<string>>;

const HEADER = 1 + 16 + 1 + 1 + 4 + 32;
const pick = mulberry(20_260_101);
/** The one share of every commitment and request, over all copies. */
const shares = new Map<string, string>();
/** In how many places a process was ended. */
let places = 0;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const body = (blob: Uint8Array): Uint8Array => blob.subarray(HEADER, blob.length - 64);

/** Reads which nonces answered which requests in the copies of a signing folder. */
async function observe(m: Member, folder: string, answers: Answers): Promise<void> {
  const dir = m.copy(folder);
  if (!existsSync(join(dir, 'PLAN.yaml'))) return;
  const plan = (await parseYaml(readFileSync(join(dir, 'PLAN.yaml')), 262_144)) as { kind: string; participants: { name: string; stock?: { commitment: string } }[] };
  if (plan.kind !== 'sign') return;
  for (const p of plan.participants) {
    const nonce = join(dir, 'round-1', `${p.name}.blob`);
    const share = join(dir, 'round-2', `${p.name}.blob`);
    if (!existsSync(share)) continue;
    const commitment = p.stock?.commitment ?? hex(body(readFileSync(nonce)));
    const said = body(readFileSync(share));
    const request = hex(said.subarray(1, 33));
    answers.set(commitment, (answers.get(commitment) ?? new Set()).add(request));
    const answered = answers.get(commitment) as Set<string>;
    expect(answered.size, `a nonce of ${p.name} answers two requests`).toBe(1);
    const key = `${commitment}/${request}`;
    if (shares.has(key)) expect(hex(said), 'one nonce and one request have one share').toBe(shares.get(key));
    shares.set(key, hex(said));
  }
}

/** Own files that a courier may already have taken away: blobs, certificates, signatures. */
function released(m: Member, folder: string): Map<string, string> {
  const own = new RegExp(`^round-\\d+/${m.name}\\.blob$|^signature\\.bin$|certificate\\.json$|^PLAN\\.yaml$`);
  return new Map(
    files(m.copy(folder))
      .map((f) => [relative(m.copy(folder), f), readFileSync(f).toString('hex')] as const)
      .filter(([path]) => own.test(path)),
  );
}

/** The program's own hook for rehearsals. */
const afterWrite = (n: number): RunOptions => ({ env: { MPC_CEREMONY_REHEARSE_CRASH: String(n) } });
/** A home that is being made is no rehearsal home yet: there the process ends before the n-th change of a name. */
const beforeName = (n: number): RunOptions => failing({ calls: ['rename', 'link', 'mkdir'], error: 'KILL', from: n });

/** A copy whose process was ended. */
interface Stopped {
  readonly n: number;
  readonly copy: Member;
  readonly answers: Answers;
  /** What had reached the folder, and what lay in home and folder. */
  readonly before: ReadonlyMap<string, string>;
  readonly left: string;
}

/** Names and sizes of all files, whatever their random names. */
const listing = (m: Member, folder: string): string =>
  [...files(m.home), ...files(m.copy(folder))].map((f) => `${relative(m.world.dir, f).replace(/[0-9a-f]{8,}/g, '#')} ${String(statSync(f).size)}`).sort().join('\n');

class Path {
  readonly world: World;
  answers: Answers = new Map();
  constructor(world: World) {
    this.world = world;
  }

  /** A copy of a member with everything it has. */
  #copyOf(m: Member): Member {
    const dir = newDir();
    const copy = new Member({ dir, passphraseFile: this.world.passphraseFile }, m.name, join(dir, 'home'));
    if (existsSync(m.home)) cpSync(m.home, copy.home, { recursive: true });
    if (existsSync(m.copy(''))) cpSync(m.copy(''), copy.copy(''), { recursive: true });
    return copy;
  }

  /**
   * Runs a step of a member in copies, ended at each of its durable writes, and repeats it in each; then goes on from one.
   * @param options.done code with which the command may say, repeated after its very last write, that everything is there
   * @param options.every only each so-manieth write: for a participant whose steps are those of another
   */
  async step(m: Member, folder: string, command: Command, options: { done?: string; every?: number; killed?: (n: number) => RunOptions } = {}): Promise<void> {
    const { done = 'no refusal', killed = afterWrite } = options;
    // every single write takes minutes: npm run test:long
    const every = (options.every ?? 1) * (LONG ? 1 : 6);
    const stopped: Stopped[] = [];
    let whole: { copy: Member; ran: Ran } | undefined;
    const stop = async (n: number): Promise<void> => {
      const copy = this.#copyOf(m);
      const answers = new Map([...this.answers].map(([k, v]) => [k, new Set(v)]));
      const ran = await copy.run(command(copy), killed(n));
      if (ran.signal === undefined) {
        expect([0, 10], `${command(copy).join(' ')}: ${ran.stdout}`).toContain(ran.exit);
        whole ??= { copy, ran };
        return;
      }
      expect(ran.signal).toBe('SIGKILL');
      await observe(copy, folder, answers);
      stopped.push({ n, copy, answers, before: released(copy, folder), left: listing(copy, folder) });
    };
    // some steps have few writes: from the first one on
    for (let n = every === 1 ? 1 : 2; !whole; n += 2 * every) await Promise.all([stop(n), stop(n + every)]);
    stopped.sort((a, b) => a.n - b.n);
    // a write that only made a folder leaves what the one before it left: the command is not repeated for both
    const distinct = stopped.filter((x, i) => stopped[i + 1]?.left !== x.left);
    const last = stopped.at(-1)?.n;
    const { copy, ran } = whole as { copy: Member; ran: Ran };
    const all = (x: Member): string[] => files(x.copy(folder)).map((f) => relative(x.copy(folder), f));
    await Promise.all(
      distinct.map(async ({ n, copy: other, answers, before }) => {
        const again = await other.run(command(other));
        const label = `${m.name}: ${command(other)[0] as string}, ended at write ${String(n)}, repeated: ${again.stdout}`;
        for (const [path, bytes] of before) expect(released(other, folder).get(path), `${label} ${path}`).toBe(bytes);
        await observe(other, folder, answers);
        expect(all(other), `the same files in the folder; ${label}`).toEqual(all(copy));
        if (again.exit !== 0 && again.exit !== 10) {
          expect([n, again.json.error?.code], label).toEqual([last, done]);
        } else if (again.json.nextAction?.code !== ran.json.nextAction?.code) {
          // every message had reached the folder already; only the screen was lost
          expect(again.json.nextAction?.code, label).toBe('BRING_IN');
          expect([...before.keys()].sort()).toEqual([...released(copy, folder).keys()].sort());
        }
      }),
    );
    const chosen = distinct[Math.floor(pick() * distinct.length)];
    expect(chosen, 'at least one write').toBeDefined();
    places += stopped.length;
    for (const [from, to] of [
      [chosen?.copy.home, m.home],
      [chosen?.copy.copy(''), m.copy('')],
    ] as [string, string][]) {
      rmSync(to, { recursive: true, force: true });
      if (existsSync(from)) cpSync(from, to, { recursive: true });
    }
    this.answers = chosen?.answers as Answers;
    for (const used of [...stopped, { copy }]) rmSync(used.copy.world.dir, { recursive: true, force: true });
  }
}

const next =
  (folder: string): Command =>
  (m) => ['next', m.copy(folder)];
const join_ =
  (folder: string): Command =>
  (m) => ['join', m.copy(folder)];

describe('killed after each durable write', { timeout: 300_000 }, () => {
  let world: World;
  let path: Path;
  let alice: Member;
  let bob: Member;
  let carol: Member;

  beforeAll(async () => {
    world = await World.of(['alice', 'bob', 'carol']);
    [alice, bob, carol] = world.members as [Member, Member, Member];
    path = new Path(world);
  });

  it('init', async () => {
    const dave = new Member(world, 'dave', join(world.dir, 'homes', 'dave'));
    await path.step(dave, 'none', () => ['init', '--name', 'dave', '--rehearsal'], { killed: beforeName });
    const { json } = await dave.run(['card', 'renew']);
    expect(json['prekeys']).toHaveLength(8);
  });

  it('card renew', async () => {
    await path.step(bob, 'none', () => ['card', 'renew']);
    cpSync(bob.card, join(world.cards, 'bob.card'));
  });

  it('key generation with a stock: begun, joined, and every round of everybody', async () => {
    const begin: Command = (m) => ['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice,bob,carol)', '--stock', '1', '--cards', world.cards, '--out', m.copy('dkg'), '--unattended'];
    await path.step(alice, 'dkg', begin, { done: 'E_EXISTS' });
    world.courier('dkg');
    await path.step(bob, 'dkg', join_('dkg'));
    await path.step(carol, 'dkg', join_('dkg'), { every: 3 });
    for (const round of [2, 3, 4]) {
      world.courier('dkg');
      for (const m of world.members) await path.step(m, 'dkg', next('dkg'), m === carol ? { every: 3 } : {});
      expect(files(alice.copy(`dkg/round-${String(round)}`)).length > 0).toBe(round < 4);
    }
    for (const m of world.members) expect((await m.run(['next', m.copy('dkg')])).json.nextAction?.code).toBe('DONE');
    const shown = await Promise.all(world.members.map((m) => m.run(['key', 'show', 'k'])));
    // what is due, each home counts from its own activation
    expect(new Set(shown.map((r) => JSON.stringify({ ...r.json, care: undefined }))).size).toBe(1);
  });

  it('an intent', async () => {
    writeFileSync(join(world.dir, 'msg'), Buffer.alloc(30_000, 'pay'));
    // the message is too large to stand in the intent: two files
    await path.step(alice, 'out', (m) => ['intent', 'create', '--key', 'k', '--action', 'message', '--file', join(world.dir, 'msg'), '--out', join(m.copy(''), 'i.json')], { done: 'E_EXISTS' });
    const { exit } = await alice.run(['intent', 'show', join(alice.copy(''), 'i.json')]);
    expect(exit).toBe(0);
  });

  const signed = async (folder: string): Promise<void> => {
    for (const m of [alice, bob]) {
      expect((await m.run(['next', m.copy(folder)])).json.nextAction?.code).toBe('DONE');
      const pem = (await m.say(['key', 'export', 'k', '--format', 'pem'])).stdout;
      expect(verify(null, readFileSync(join(m.copy(folder), 'message.bin')), createPublicKey(pem), readFileSync(join(m.copy(folder), 'signature.bin')))).toBe(true);
    }
    expect(path.answers.size).toBeGreaterThan(0);
  };

  it('signing from stock', async () => {
    await path.step(alice, 's1', (m) => ['sign', '--intent', join(m.copy(''), 'i.json'), '--signers', 'alice,bob', '--out', m.copy('s1'), '--unattended'], { done: 'E_EXISTS' });
    world.courier('s1', [alice, bob]);
    await path.step(bob, 's1', join_('s1'));
    world.courier('s1', [alice, bob]);
    await path.step(alice, 's1', next('s1'));
    await signed('s1');
  });

  it.runIf(LONG)('signing live, the stock being used up', async () => {
    writeFileSync(join(world.dir, 'msg2'), 'live');
    const made = await alice.run(['intent', 'create', '--key', 'k', '--action', 'message', '--file', join(world.dir, 'msg2'), '--out', join(alice.copy(''), 'j.json')]);
    expect(made.exit).toBe(0);
    await path.step(alice, 's2', (m) => ['sign', '--intent', join(m.copy(''), 'j.json'), '--signers', 'alice,bob', '--out', m.copy('s2'), '--unattended'], { done: 'E_EXISTS' });
    world.courier('s2', [alice, bob]);
    await path.step(bob, 's2', join_('s2'));
    world.courier('s2', [alice, bob]);
    await path.step(alice, 's2', next('s2'));
    world.courier('s2', [alice, bob]);
    await path.step(bob, 's2', next('s2'));
    await signed('s2');
  });

  it('was so at many places', () => {
    expect(places).toBeGreaterThan(LONG ? 250 : 20);
  });
});

describe('an erasure that is cut off', { timeout: 60_000 }, () => {
  it('is ended by the next command: the secret is gone from the disk', async () => {
    const world = await World.of(['alice', 'bob']);
    const [alice, bob] = world.members as [Member, Member];
    must(await alice.run(['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', 'all-of(alice,bob)', '--cards', world.cards, '--out', alice.copy('k'), '--unattended']));
    world.courier('k');
    // the polynomials are destroyed once they are dealt: the name is taken away first, then the contents
    const killed = await bob.run(['join', bob.copy('k')], failing({ calls: ['open'], part: '.mpc-erase', error: 'KILL' }));
    expect(killed.signal).toBe('SIGKILL');
    const leftovers = (): string[] => readdirSync(bob.home, { recursive: true, encoding: 'utf8' }).filter((f) => f.includes('.mpc-'));
    expect(leftovers()).toEqual([expect.stringMatching(/secret\/\.mpc-erase-/)]);
    expect(readFileSync(join(bob.home, leftovers()[0] as string)).length).toBeGreaterThan(100);
    must(await bob.run(['next', bob.copy('k')]));
    expect(leftovers()).toEqual([]);

    // and what was half written on a stick does not travel on
    world.courier('k');
    const halfWritten = await alice.run(['next', alice.copy('k')], failing({ calls: ['rename'], under: alice.copy('k'), error: 'KILL' }));
    expect(halfWritten.signal).toBe('SIGKILL');
    const onStick = (): string[] => readdirSync(alice.copy('k'), { recursive: true, encoding: 'utf8' }).filter((f) => f.includes('.mpc-'));
    expect(onStick()).toHaveLength(1);
    must(await alice.run(['next', alice.copy('k')]));
    expect(onStick()).toEqual([]);
  });
});
