/**
 * Refresh and reshare of threshold ECDSA keys by the real program, with test primes: shares and Paillier keys are made
 * anew, what was in stock is void, key and child keys stay. What each participant carries is counted, and steps are
 * killed at durable writes on the way.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { counted, expectGoodRecord, Life, screen, statement } from './key-life.ts';
import { files, type Member, must, type Ran, rehearsedPrimes } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const ALL = 'all-of(alice,bob)';
const NEW = 'all-of(bob,carol)';
const LONG = { timeout: 900_000 };

/** From here on a participant brings other primes along: a refresh with the old ones would heal nothing. */
const freshPrimes = (m: Member, i: number): unknown => Object.assign(m.env, rehearsedPrimes(m.world.dir, i));

/** Messages and visits by name. */
const counts = (steps: ReadonlyMap<string, readonly Ran[]>): unknown => Object.fromEntries([...steps].map(([name, ran]) => [name, Object.values(counted(ran))]));

/** Runs a command that is killed at every so-manieth write, until it gets through. */
async function through(m: Member, folder: string, args: readonly string[], every: number): Promise<number> {
  const own = new RegExp(`/${m.name}\\.blob$|certificate\\.json$|PLAN\\.yaml$`);
  const there = new Map<string, string>();
  for (let kills = 0, at = every; ; at += every) {
    const ran = await m.run(args, { env: { MPC_CEREMONY_REHEARSE_CRASH: String(at) } });
    const now = new Map(files(m.copy(folder)).filter((f) => own.test(f)).map((f) => [f, readFileSync(f, 'hex')]));
    for (const [path, bytes] of there) expect(now.get(path), path).toBe(bytes);
    for (const [path, bytes] of now) there.set(path, bytes);
    if (ran.signal === undefined) {
      if (ran.json.error?.code !== 'E_EXISTS') must(ran);
      return kills;
    }
    kills += 1;
  }
}

// in every run: test/attacks/rekey-ecdsa.test.ts, and the commands with FROST keys in refresh and reshare.test.ts
describe.runIf(ALL_TESTS)('cggmp24-secp256k1', () => {
  it('is refreshed and handed on; presignatures and first messages of an epoch die with it', LONG, async () => {
    const life = await Life.born('cggmp24-secp256k1', ALL, ['alice', 'bob', 'carol'], { stock: 1 });
    const [alice, bob] = life.world.members as [Member, Member];
    const { secret } = await life.wholeBy(1, ALL);
    const child = await life.child('alice', 'm/0/7');
    await life.run('presign-1', ['presign', '--key', 'treasury', '--count', '1', '--signers', 'alice,bob'], ['alice', 'bob']);

    for (const [i, m] of [alice, bob].entries()) freshPrimes(m, 3 + i);
    const refreshed = await life.end('refresh-2', await life.begin('refresh-2', ['refresh', '--key', 'treasury', '--stock', '1'], ['alice', 'bob'], { early: true }));
    // part E: 4 out, 4 in; the folder with the plan is the first visit, and not counted there
    expect(counts(refreshed)).toEqual({ alice: [4, 5], bob: [4, 5] });
    await life.inForce(2, ALL, ['alice', 'bob']);
    const after = await life.wholeBy(2, ALL);
    expect(after.secret === secret).toBe(true);
    for (const n of ['alice', 'bob']) {
      expect(life.sealed(n, 9), 'share, primes, stock, presignatures of epoch 1 are gone').toEqual(['primes', 'share', 'stock/0'].map((f) => `epoch-2/${f}.sealed`));
      expect((await life.shown(n))['presignatures']).toEqual([]);
      expect(statement(alice, 'refresh-2', n)).toMatchObject({ owner: n, epochs: [1] });
    }
    const signing = await life.signs(['bob', 'alice'], 'm/0/7');
    expect(signing.get('alice')?.[0]?.json.did?.[0], 'from the new stock').toBe('round2.sent');
    expect(await life.child('bob', 'm/0/7')).toBe(child);

    for (const [i, m] of life.world.members.entries()) freshPrimes(m, 5 + i);
    const handed = await life.reshare('reshare-3', ['bob', 'alice', 'carol'], '--quorum', NEW, '--dealers', 'alice,bob');
    // who leaves deals in one visit, and takes the certificate in another; the others as in a refresh
    expect(counts(handed)).toEqual({ bob: [4, 5], alice: [1, 2], carol: [4, 5] });
    await life.inForce(3, NEW, ['bob', 'carol']);
    expect((await life.wholeBy(3, NEW)).secret === secret).toBe(true);
    expect(['alice', 'bob', 'carol'].map((n) => life.sealed(n, 9))).toEqual([[], ...['bob', 'carol'].map(() => ['epoch-3/primes.sealed', 'epoch-3/share.sealed'])]);
    await life.signs(['carol', 'bob']);
    for (const folder of ['refresh-2', 'reshare-3']) await expectGoodRecord(bob, folder);
    expect(await screen(bob, 'plan', 'check', join(bob.copy('reshare-3'), 'PLAN.yaml'))).toMatch(/carol/);
  });
});

describe.runIf(ALL_TESTS)('cggmp24-p256', () => {
  it('is handed on by participants who are killed at durable writes', LONG, async () => {
    const life = await Life.born('cggmp24-p256', ALL, ['alice', 'bob', 'carol']);
    const [alice, bob, carol] = life.world.members as [Member, Member, Member];
    const { secret } = await life.wholeBy(1, ALL);
    for (const [i, m] of life.world.members.entries()) freshPrimes(m, 3 + i);
    let kills = await through(alice, 'r', ['reshare', '--key', 'treasury', '--cards', life.world.cards, '--quorum', NEW, '--dealers', 'alice,bob', '--out', alice.copy('r'), '--unattended'], 7);
    life.world.courier('r');
    for (const m of [bob, carol]) kills += await through(m, 'r', ['join', m.copy('r')], 9);
    for (let round = 0; round < 5; round++) {
      life.world.courier('r');
      for (const m of [bob, carol, ...(round > 2 ? [alice] : [])]) kills += await through(m, 'r', ['next', m.copy('r')], 8);
    }
    expect(kills).toBeGreaterThan(10);
    for (const m of life.world.members) expect((await m.run(['next', m.copy('r')])).json.nextAction?.code, m.name).toBe('DONE');
    await life.inForce(2, NEW, ['bob', 'carol']);
    expect((await life.wholeBy(2, NEW)).secret === secret).toBe(true);
    expect(['alice', 'bob', 'carol'].flatMap((n) => life.sealed(n, 1))).toEqual([]);
    for (const m of life.world.members) expect(files(join(m.home, 'ceremonies')).filter((f) => f.endsWith('.sealed')), m.name).toEqual([]);
    await life.signs(['bob', 'carol']);
    await expectGoodRecord(carol, 'r');
  });
});
