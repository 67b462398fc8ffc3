/**
 * Refresh and reshare, ended at durable writes. First every single write of every participant, at a table in this
 * process: the disk ends the step when the write is done, as kill -9 does. Then the real program, killed at every
 * so-manieth write, the next time at others. After each there is a usable epoch, what has reached the folder stays as it
 * is to the byte, and the repeated step leaves in the home exactly the files of an undisturbed one: nothing of an epoch
 * that is over is forgotten on the disk, and no statement of its destruction is missing.
 */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { givenOn, takeUp } from '../../src/ceremony/bystander.ts';
import { openHome, sweepHome } from '../../src/ceremony/home.ts';
import { openIdentity } from '../../src/ceremony/identity.ts';
import { activeEpoch, sharePath } from '../../src/ceremony/key-store.ts';
import type { Step } from '../../src/ceremony/port.ts';
import { startRefresh, startReshare } from '../../src/ceremony/start-rekey.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { PASSPHRASE, random, type Party, Table } from '../support/harness.ts';
import { Run } from '../support/run.ts';
import { Life, statement } from './key-life.ts';
import { files, Member, mulberry, must, newDir } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const pick = mulberry(20_260_404);
const LONG = { timeout: 600_000 };

/** Thrown in the place of kill -9. */
class Killed extends Error {}
let writes = 0;
let end = Infinity;
const disk = realDisk({
  onWrite: () => {
    writes += 1;
    if (writes === end) throw new Killed();
  },
});

/** Names of files without what is random in them. */
const plainName = (path: string): string => path.replace(/[0-9a-f]{8,}/g, '#');

describe('at every durable write of every participant', LONG, () => {
  let table: Table;
  let places = 0;
  afterAll(() => {
    table.close();
  });

  const home = (label: string): string => join(table.root, 'homes', label);
  /**
   * Names of all files. A one-time key that a step made before it was ended, and that nobody was told of, may be left; and
   * who comes back finds its own statement in the folder.
   */
  const listing = (dir: string): string[] =>
    files(dir)
      .filter((f) => !/prekeys\/\d+\.sealed$/.test(f) || existsSync(f.replace(/sealed$/, 'used')))
      .filter((f) => !f.includes('/statements/'))
      .map((f) => plainName(relative(dir, f)))
      .sort();
  /** Own files that somebody may already have carried away. */
  const released = (run: Run, label: string): Map<string, string> =>
    new Map(
      files(run.folder(label))
        .map((f) => [relative(run.folder(label), f), readFileSync(f, 'hex')] as const)
        .filter(([path]) => new RegExp(`^round-\\d+/${label}\\.blob$|certificate\\.json$|^PLAN\\.yaml$|^destroyed/${label}\\.json$`).test(path)),
    );

  /** The effects of a participant go by the disk that can be ended. */
  async function hook(label: string): Promise<void> {
    const opened = openHome(disk, home(label));
    const identity = await openIdentity(opened, new Secret(Buffer.from(PASSPHRASE)), random);
    const party: Party = { name: label, home: opened, identity, port: { ...table.party(label).port, disk, unlock: () => Promise.resolve(identity) } };
    table.parties.set(label, party);
  }

  /** Whoever held or holds a seat has a share of the epoch in force there, or was left out of it. */
  function expectUsable(label: string): void {
    const active = activeEpoch(table.party(label).home, 'treasury');
    if (!active) return expect(label, 'only a newcomer knows no epoch').toBe('dave');
    const seated = active.epoch.roster.some((p) => p.name === label);
    expect(existsSync(join(home(label), sharePath('treasury', active.epoch.number))) || !seated, `${label} in epoch ${String(active.epoch.number)}`).toBe(true);
    expect(seated || active.epoch.number > 1, label).toBe(true);
  }

  /** Does a step over and over, ended at each of its writes, and goes on from one of these. */
  async function step(run: Run, label: string, command: () => Promise<Step>): Promise<void> {
    const saved = join(table.root, 'before');
    rmSync(saved, { recursive: true, force: true });
    cpSync(home(label), join(saved, 'home'), { recursive: true });
    if (existsSync(run.folder(label))) cpSync(run.folder(label), join(saved, 'folder'), { recursive: true });
    const back = (): void => {
      rmSync(home(label), { recursive: true, force: true });
      rmSync(run.folder(label), { recursive: true, force: true });
      cpSync(join(saved, 'home'), home(label), { recursive: true });
      if (existsSync(join(saved, 'folder'))) cpSync(join(saved, 'folder'), run.folder(label), { recursive: true });
    };
    /** What was said at the end, or nothing if the step was ended. */
    const attempt = async (at: number): Promise<string | undefined> => {
      [writes, end] = [0, at];
      try {
        sweepHome(table.party(label).home);
        const { nextAction } = await command();
        return nextAction.code;
      } catch (e) {
        if (e instanceof Killed) return undefined;
        if (e instanceof CeremonyError && e.code === 'E_EXISTS') return 'begun';
        throw e;
      } finally {
        end = Infinity;
      }
    };
    const whole = await attempt(Infinity);
    const last = writes;
    const after = { home: listing(home(label)), folder: listing(run.folder(label)) };
    const again = async (at: number): Promise<void> => {
      back();
      const label_ = `${label}, ended at write ${String(at)} of ${String(last)}`;
      expect(await attempt(at), label_).toBeUndefined();
      places += 1;
      expectUsable(label);
      const before = released(run, label);
      const said = await attempt(Infinity);
      // everything had reached the folder already, and only the screen was lost
      if (said !== whole) expect([said, at], label_).toEqual([whole === 'CARRY_OUT' && said === 'BRING_IN' ? 'BRING_IN' : 'begun', said === 'begun' ? last : at]);
      for (const [path, bytes] of before) expect(released(run, label).get(path), `${label_}: ${path}`).toBe(bytes);
      expect({ home: listing(home(label)), folder: listing(run.folder(label)) }, label_).toEqual(after);
      expectUsable(label);
    };
    for (let at = 1; at <= last; at++) await again(at);
    await again(1 + Math.floor(pick() * last));
  }

  const next = (run: Run, label: string) => (): Promise<Step> => run.next(label).then(({ step: s, error }) => s ?? Promise.reject(error as CeremonyError));
  const asked = { key: 'treasury', stock: 1, attended: false, days: 30 };
  const lead = (label: string, begin: (party: Party) => Promise<Step>) => (): Promise<Step> => begin(table.party(label));
  /** Everybody steps, with the courier in between, until all are done. */
  async function through(run: Run, names: readonly string[]): Promise<void> {
    for (let round = 0; round < 5 && !names.every((n) => run.code(n) === 'DONE'); round++) {
      run.carry();
      for (const name of names) if (run.code(name) !== 'DONE') await step(run, name, next(run, name));
    }
    run.carry();
    expect(names.map((n) => run.code(n))).toEqual(names.map(() => 'DONE'));
  }
  const stated = (run: Run, label: string): unknown => (JSON.parse(Buffer.from(run.file('alice', `destroyed/${label}.json`) ?? []).toString()) as { epochs: unknown }).epochs;

  it('a refresh with a stock', async () => {
    table = await Table.open(['alice', 'bob', 'carol', 'dave']);
    table.clock = new Date();
    const key = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: ['alice', 'bob', 'carol'], stock: 1 });
    await key.settle();
    for (const label of table.parties.keys()) await hook(label);
    const names = ['alice', 'bob', 'carol'];
    const run = new Run(table, 'refresh', names, []);
    await step(run, 'alice', lead('alice', ({ home: h, port }) => startRefresh(h, { ...asked, out: run.folder('alice') }, port)));
    await run.begun('alice');
    for (const name of ['bob', 'carol']) await step(run, name, next(run, name));
    await through(run, names);
    for (const name of names) expect([activeEpoch(table.party(name).home, 'treasury')?.epoch.number, stated(run, name)]).toEqual([2, [1]]);
    const certificates = names.map((n) => activeEpoch(table.party(n).home, 'treasury')?.sha256);
    expect(new Set(certificates).size).toBe(1);
  });

  it('a reshare: who stays, who leaves, who is new, and who had no part in it', async () => {
    const run = new Run(table, 'reshare', ['alice', 'bob', 'dave'], []);
    const request = { ...asked, quorum: '2-of(alice, dave)', dealers: [['alice', 'alice'], ['bob', 'bob']] as const, replace: [], acceptWeaker: true };
    const cards = join(table.root, 'cards');
    for (const n of table.parties.keys()) cpSync(join(home(n), 'identity', `${n}.card`), join(cards, `${n}.card`), { recursive: true });
    await step(run, 'alice', lead('alice', ({ home: h, port }) => startReshare(h, { ...request, cards, out: run.folder('alice') }, port)));
    await run.begun('alice');
    for (const name of ['bob', 'dave']) await step(run, name, next(run, name));
    await through(run, ['alice', 'bob', 'dave']);
    cpSync(run.folder('dave'), run.folder('carol'), { recursive: true });
    await step(run, 'carol', async () => {
      const { home: h, port } = table.party('carol');
      return takeUp(h, (await givenOn(h, run.folder('carol'))) ?? expect.fail('not given on'), run.folder('carol'), port);
    });
    cpSync(run.folder('carol'), run.folder('alice'), { recursive: true });
    for (const name of ['alice', 'bob', 'carol', 'dave']) expect(activeEpoch(table.party(name).home, 'treasury')?.epoch.number, name).toBe(3);
    for (const name of ['alice', 'bob', 'carol']) expect([name, stated(run, name)]).toEqual([name, [2]]);
    for (const name of ['bob', 'carol']) expect(files(join(home(name), 'keys')).filter((f) => f.endsWith('.sealed'))).toEqual([]);
    const sign = await table.sign({ honest: ['alice', 'dave'], message: 'after all that' });
    await sign.settle();
    expect(['alice', 'dave'].map((n) => sign.code(n))).toEqual(['DONE', 'DONE']);
  });

  it('was so at more than 200 places', () => {
    expect(places).toBeGreaterThan(200);
  });
});

describe.concurrent('the real program, killed here and there', () => {
  /** A step that is killed at the `first` write, then further on each time, until it gets through. */
  async function through(life: Life, m: Member, folder: string, args: readonly string[], first: number): Promise<number> {
    const there = new Map<string, string>();
    for (let kills = 0, at = first; ; at += 4) {
      const ran = await m.run(args, { env: { MPC_CEREMONY_REHEARSE_CRASH: String(at) } });
      const now = new Map(files(m.copy(folder)).filter((f) => new RegExp(`/${m.name}\\.blob$|certificate\\.json$|PLAN\\.yaml$`).test(f)).map((f) => [f, readFileSync(f, 'hex')]));
      for (const [path, bytes] of there) expect(now.get(path), path).toBe(bytes);
      for (const [path, bytes] of now) there.set(path, bytes);
      const shown = await m.run(['key', 'show', life.key]);
      if (shown.exit === 0) expect(shown.json['publicKey']).toBe(life.publicKey);
      if (ran.signal === undefined) {
        if (ran.json.error?.code !== 'E_EXISTS') must(ran);
        return kills;
      }
      kills += 1;
    }
  }

  it.runIf(ALL_TESTS)('a reshare completes with everybody, and signs', LONG, async () => {
    const life = await Life.born('frost-ed25519', 'all-of(alice,bob)', ['alice', 'bob', 'carol']);
    const [alice, bob, carol] = life.world.members as [Member, Member, Member];
    let kills = 0;
    const begin = ['reshare', '--key', life.key, '--cards', life.world.cards, '--quorum', 'all-of(alice,carol)', '--dealers', 'alice,bob', '--stock', '1', '--out', alice.copy('r'), '--unattended'];
    kills += await through(life, alice, 'r', begin, 3);
    life.world.courier('r');
    for (const [m, first] of [[bob, 5], [carol, 6]] as const) kills += await through(life, m, 'r', ['join', m.copy('r')], first);
    for (const first of [7, 2, 4]) {
      life.world.courier('r');
      for (const m of [alice, carol, bob]) kills += await through(life, m, 'r', ['next', m.copy('r')], first + (m === carol ? 1 : 0));
    }
    life.world.courier('r');
    for (const m of life.world.members) expect((await m.run(['next', m.copy('r')])).json.nextAction?.code, m.name).toBe('DONE');
    expect(kills).toBeGreaterThan(15);
    await life.inForce(2, 'all-of(alice,carol)', ['alice', 'carol']);
    await life.wholeBy(2, 'all-of(alice,carol)');
    expect(['alice', 'bob', 'carol'].flatMap((n) => life.sealed(n, 1))).toEqual([]);
    for (const n of ['alice', 'bob']) expect(statement(alice, 'r', n)).toMatchObject({ epochs: [1] });
    await life.signs(['carol', 'alice']);
  });
});

describe.concurrent('split views of the certificate', () => {
  it('the last confirmation reaches one alone; anybody who has the certificate heals the others', LONG, async () => {
    const life = await Life.born('frost-ed25519', '2-of(alice,bob,carol)', ['alice', 'bob', 'carol']);
    const [alice, bob, carol] = life.world.members as [Member, Member, Member];
    await life.begin('r1', ['refresh', '--key', life.key], ['alice', 'bob', 'carol']);
    life.world.courier('r1');
    for (const m of life.world.members) must(await m.run(['next', m.copy('r1')]));
    // attempt 1: the last confirmation is withheld from all but bob
    for (const m of [alice, carol]) life.carry('r1', m.name, 'bob');
    const hidden = join(newDir(), 'r1');
    cpSync(bob.copy('r1'), hidden, { recursive: true });
    // nobody waits for it: attempt 2 of a higher rank, in which everybody confirms
    const begun = await life.begin('r2', ['refresh', '--again', alice.copy('r1'), '--cards', life.world.cards], ['alice', 'bob', 'carol']);
    life.world.courier('r2');
    for (const m of life.world.members) must(await m.run(['next', m.copy('r2')]));
    for (const m of life.world.members) expect(await life.shown(m.name)).toMatchObject({ epoch: 1, pending: [3, 2] });
    // now certificate 1 comes through at bob, certificate 2 at carol
    const late = must(await bob.run(['next', bob.copy('r1')]));
    expect(late.json.nextAction?.code, late.stdout).toBe('DONE');
    expect(await life.shown('bob')).toMatchObject({ epoch: 2, pending: [3] });
    expect(life.sealed('bob', 3), 'what a higher rank needs stays').toEqual(['epoch-2/share.sealed', 'epoch-3/share.sealed']);
    for (const m of [alice, bob]) life.carry('r2', m.name, 'carol');
    expect(must(await carol.run(['next', carol.copy('r2')])).json.nextAction?.code).toBe('DONE');
    // certificate 2 goes round; the lower one is refused for ever, and does no harm
    for (const m of [alice, bob]) {
      life.carry('r2', 'carol', m.name);
      const done = must(await m.run(['next', m.copy('r2')]));
      expect(done.json.nextAction?.code, done.stdout).toBe('DONE');
    }
    cpSync(hidden, alice.copy('r1'), { recursive: true });
    const lower = await alice.run(['next', alice.copy('r1')]);
    expect([lower.exit, lower.json.error?.code], lower.stdout).toEqual([24, 'E_EPOCH']);
    expect(begun.size).toBe(3);
    await life.inForce(3, '2-of(alice,bob,carol)', ['alice', 'bob', 'carol']);
    for (const n of ['alice', 'bob', 'carol']) expect(life.sealed(n, 9)).toEqual(['epoch-3/share.sealed']);
    await life.signs(['alice', 'bob']);
  });
});
