/** The stories of epochs that broke earlier versions of rules C1 to C6, P4 and P6, and power cuts while an epoch is taken up. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { releaseFork, requireKey, requireSigning } from '../../src/ceremony/key-store.ts';
import { type Attempt, KEY, World } from '../support/epochs.ts';

let world: World;
beforeAll(async () => {
  world = await World.open(['alice', 'bob', 'carol', 'dave', 'erin'], '2-of(alice, bob, carol)');
});
afterAll(() => {
  world.table.close();
});

/** Everybody named gets everything and goes on, until nobody moves any more; the others learn nothing. */
async function go(attempt: Attempt, names: readonly string[]): Promise<void> {
  for (let before = ''; before !== names.map((n) => world.fingerprint(n)).join(); ) {
    before = names.map((n) => world.fingerprint(n)).join();
    for (const name of names) {
      world.bringAll(attempt, name);
      await world.visit(attempt, name);
    }
  }
}
async function meet(attempt: Attempt, name: string): Promise<string> {
  world.bringAll(attempt, name);
  const outcome = await world.visit(attempt, name);
  return outcome === 'power cut' ? outcome : (outcome.error?.code ?? outcome.step?.nextAction.code ?? '');
}
const standing = (...names: string[]): string[] => names.map((n) => world.describe(n));
const CONFIRM = 'round-2/carol.blob';

describe('stories that broke earlier rules', () => {
  beforeEach(() => {
    world.reset();
  });

  /** Attempt of rank 2, in which carol withholds its confirmation, and attempt of rank 3, which is complete. */
  async function two(): Promise<{ first: Attempt; second: Attempt }> {
    world.dishonest = 'carol';
    const first = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(alice, bob, carol)', dealers: ['alice', 'bob'] });
    await go(first, ['alice', 'bob']);
    await world.scheme(first);
    expect(standing('alice', 'bob')).toEqual(['2?* 1*', '2?* 1*']);
    expect(first.withheld.has(CONFIRM)).toBe(true);
    const second = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    for (const name of ['alice', 'bob', 'alice', 'bob', 'dave']) await meet(second, name);
    expect(standing('alice', 'bob', 'dave')).toEqual(['3?* 2?* 1*', '3?* 2?* 1*', '3*']);
    return { first, second };
  }

  test('a withheld confirmation in attempt 1, a completed attempt 2, then certificate 1 shown to one and certificate 2 to another', async () => {
    const { first, second } = await two();
    world.reveal(first, CONFIRM, 'alice');
    expect(await meet(first, 'alice')).toBe('DONE');
    expect(await meet(second, 'bob')).toBe('DONE');
    // alice keeps the higher share, bob has it: nobody has destroyed what is still needed
    expect(standing('alice', 'bob')).toEqual(['3?* 2* 1', '3* 2? 1']);
    await world.settle();
    expect(standing('alice', 'bob', 'dave')).toEqual(['3* 2 1', '3* 2? 1', '3*']);
    expect(world.checkEnd()).toEqual(['alice', 'bob', 'dave']);
    await world.sign(['alice', 'dave']);
  });

  test.each([[['first', 'second']], [['second', 'first']]] as const)('certificates in the order %j end in one epoch, and the lower is refused for ever', async (order) => {
    const attempts = await two();
    world.reveal(attempts.first, CONFIRM, 'bob');
    await go(attempts.second, ['alice', 'dave']);
    const said = [];
    for (const which of [...order, 'first', 'second', 'first'] as const) said.push(await meet(attempts[which], 'bob'));
    expect(said).toEqual(order[0] === 'first' ? ['DONE', 'DONE', 'DONE', 'DONE', 'DONE'] : ['DONE', 'E_EPOCH', 'E_EPOCH', 'DONE', 'E_EPOCH']);
    expect(world.active('bob')).toMatchObject({ epoch: 3, share: true });
    await world.settle();
    world.checkEnd();
    await world.sign(['bob', 'dave']);
  });

  test('who has joined a rank joins and confirms no lower one, and the higher attempt completes', async () => {
    const lower = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    expect(await meet(lower, 'alice')).toBe('CARRY_OUT');
    const higher = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(alice, bob, carol)', dealers: ['alice', 'bob'] });
    expect([await meet(higher, 'alice'), await meet(higher, 'carol')]).toEqual(['CARRY_OUT', 'BRING_IN']);
    // bob has joined neither: in the lower one it may still take part
    expect(await meet(lower, 'bob')).toBe('CARRY_OUT');
    expect([await meet(lower, 'alice'), await meet(lower, 'alice')]).toEqual(['E_RANK', 'E_RANK']);
    expect(lower.shown.has('round-2/alice.blob')).toBe(false);
    const equal = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(alice, bob, erin)', dealers: ['alice', 'bob'] });
    expect(await meet(equal, 'alice')).toBe('E_RANK');
    await go(higher, ['alice', 'bob', 'carol']);
    expect(standing('alice', 'bob', 'carol')).toEqual(['3* 1', '3* 2? 1', '3* 1']);
    await world.settle();
    expect(world.checkEnd()).toEqual(['alice', 'bob', 'carol']);
    expect(world.top()).toBe(higher);
  });

  test('a confirmation shown to one, its opposite to the others: the certificate heals members, the dealer who leaves, and who was not there', async () => {
    world.dishonest = 'carol';
    const attempt = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(carol, dave, erin)', dealers: ['alice', 'carol'] });
    await go(attempt, ['alice']);
    await world.scheme(attempt);
    world.reveal(attempt, 'round-1/carol.blob', 'alice');
    await go(attempt, ['dave', 'erin']);
    await world.scheme(attempt);
    world.bring(attempt, 'dave', CONFIRM, attempt.withheld.get(CONFIRM) as Uint8Array);
    for (const name of ['alice', 'erin']) world.bring(attempt, name, 'round-2/carol-not.blob', attempt.withheld.get('round-2/carol-not.blob') as Uint8Array);
    for (const name of ['alice', 'erin', 'dave']) await world.visit(attempt, name);
    expect(['alice', 'erin', 'dave'].map((name) => attempt.run.code(name))).toEqual(['E_ABORTED', 'E_ABORTED', 'DONE']);
    world.reveal(attempt, CONFIRM, 'bob');
    world.reveal(attempt, 'round-2/carol-not.blob', 'bob');
    expect(standing('alice', 'bob', 'dave', 'erin')).toEqual(['1*', '1*', '2*', '2?*']);
    for (const name of ['alice', 'bob', 'erin']) expect([name, await meet(attempt, name)]).toEqual([name, 'DONE']);
    expect(standing('alice', 'bob', 'dave', 'erin')).toEqual(['2 1', '2 1', '2*', '2*']);
    await world.sign(['dave', 'erin']);
  });

  test('everybody ended its part after confirming: who was not there takes up the epoch, and brings them the certificate', async () => {
    const attempt = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    for (const name of ['alice', 'bob', 'alice']) await meet(attempt, name);
    await world.abort(attempt, 'alice');
    await meet(attempt, 'bob');
    await world.abort(attempt, 'bob');
    await world.visit(attempt, 'dave');
    const before = attempt.shown.get('round-1/bob.blob');
    expect(before).toBeDefined();
    for (const path of ['round-1/alice.blob', 'round-1/bob.blob']) world.bring(attempt, 'dave', path, (attempt.shown.get(path) as Uint8Array[])[0] as Uint8Array);
    await world.visit(attempt, 'dave');
    await world.abort(attempt, 'dave');
    expect(standing('alice', 'bob', 'carol', 'dave')).toEqual(['2?* 1*', '2?* 1*', '1*', '2?*']);
    await world.settle();
    expect(world.checkEnd()).toEqual(['alice', 'bob', 'dave']);
    expect(standing('alice', 'bob', 'carol', 'dave')).toEqual(['2* 1', '2* 1', '2 1', '2*']);
  });

  test('siblings: a higher certificate that puts out and builds elsewhere locks the share, until a person has looked', async () => {
    const lower = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    for (const name of ['alice', 'bob', 'alice', 'bob', 'dave', 'alice']) await meet(lower, name);
    expect(standing('alice', 'bob', 'dave')).toEqual(['2* 1', '2?* 1*', '2*']);
    const higher = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(bob, carol, erin)', dealers: ['bob', 'carol'] });
    await go(higher, ['bob', 'carol', 'erin']);
    expect(await meet(higher, 'alice')).toBe('E_FORK');
    const { home } = world.table.party('alice');
    expect(() => { requireSigning(home, requireKey(home, KEY)); }).toThrow(expect.objectContaining({ code: 'E_FORK' }));
    expect(standing('alice', 'bob', 'carol', 'erin')).toEqual(['2* 1 FORK', '3* 2? 1', '3* 1', '3*']);
    // nothing is destroyed, and the lock stays whatever else comes
    await world.settle();
    world.checkEnd();
    expect(standing('alice', 'dave')).toEqual(['2* 1 FORK', '2* FORK']);
    for (const name of ['alice', 'dave']) releaseFork(world.table.party(name).home, KEY);
    await world.sign(['alice', 'dave']);
    await world.sign(['bob', 'erin']);
  });

  test('siblings: a refresh that newcomers of a lower epoch learn of locks their shares too', async () => {
    const lower = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(bob, dave, erin)', dealers: ['bob', 'carol'] });
    for (const name of ['bob', 'carol', 'bob', 'dave', 'erin', 'dave']) await meet(lower, name);
    expect(standing('bob', 'dave', 'erin')).toEqual(['2?* 1*', '2*', '2*']);
    const higher = await world.propose({ kind: 'refresh', rank: 3 });
    await go(higher, ['alice', 'bob', 'carol']);
    expect([await meet(higher, 'dave'), await meet(higher, 'erin')]).toEqual(['E_FORK', 'E_FORK']);
    await world.settle();
    world.checkEnd();
    await expect(world.sign(['dave', 'erin'])).rejects.toMatchObject({ code: 'E_FORK' });
    await world.sign(['alice', 'carol']);
  });

  test('siblings of one rank: the session decides which of the two is locked', async () => {
    world.dishonest = 'carol';
    const both = [];
    for (const [one, more] of [['alice', 'dave'], ['bob', 'erin']] as const) {
      const attempt = await world.propose({ kind: 'reshare', rank: 2, quorum: `2-of(${one}, carol, ${more})`, dealers: [one, 'carol'] });
      await go(attempt, [one]);
      await world.scheme(attempt);
      world.reveal(attempt, 'round-1/carol.blob', one);
      await go(attempt, [one, more]);
      await world.scheme(attempt);
      world.reveal(attempt, CONFIRM, one);
      await go(attempt, [one, more]);
      both.push({ attempt, names: [one, more] });
    }
    expect(standing('alice', 'bob', 'dave', 'erin')).toEqual(['2* 1', '2* 1', '2*', '2*']);
    await world.settle();
    const [low, high] = [...both].sort((a, b) => (a.attempt.sid < b.attempt.sid ? -1 : 1)) as [(typeof both)[0], (typeof both)[0]];
    expect(low.names.map((n) => world.forked(n))).toEqual([true, true]);
    expect(high.names.map((n) => world.forked(n))).toEqual([false, false]);
    await world.sign(high.names);
  });

  test('a newcomer of a lower attempt takes up the higher certificate, destroys, and refuses the lower one for ever', async () => {
    const lower = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(bob, dave, erin)', dealers: ['alice', 'bob'] });
    for (const name of ['alice', 'bob', 'dave', 'bob']) await meet(lower, name);
    const higher = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(alice, bob, carol)', dealers: ['alice', 'bob'] });
    await go(higher, ['alice', 'bob', 'carol']);
    expect(world.describe('dave')).toBe('2?*');
    expect(await meet(higher, 'dave')).toBe('DONE');
    expect(world.describe('dave')).toBe('3 2?');
    await meet(lower, 'erin');
    expect(await meet(lower, 'dave')).toBe('E_EPOCH');
    await world.settle();
    world.checkEnd();
  });

  test('a restored home is locked, becomes a member without share, and is left out of the next epoch', async () => {
    world.restored = 'bob';
    const attempt = await world.propose({ kind: 'reshare', rank: 2, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    for (const name of ['alice', 'bob']) await world.visit(attempt, name);
    world.image('bob');
    const other = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    await go(attempt, ['alice', 'bob', 'dave']);
    expect(world.describe('bob')).toBe('2* 1');
    world.restore('bob');
    expect(await meet(attempt, 'bob')).toBe('E_ROLLBACK');
    expect(world.describe('bob')).toBe('1* LOCKED');
    await expect(world.sign(['alice', 'bob'])).rejects.toThrow();
    world.renew('bob');
    expect(await meet(attempt, 'bob')).toBe('DONE');
    expect(world.describe('bob')).toBe('2 1');
    expect(await meet(other, 'bob')).not.toBe('DONE');
    const without = await world.propose({ kind: 'reshare', base: attempt, rank: 4, quorum: '2-of(alice, carol, dave)', dealers: ['alice', 'dave'] });
    await world.settle();
    expect(world.checkEnd()).toEqual(['alice', 'carol', 'dave']);
    expect(world.describe('bob')).toBe('4 2 1');
    expect(without.certificate).toBeDefined();
    await world.sign(['carol', 'dave']);
  });

  test('a restored home takes up an epoch whose ceremony its older self does not know', async () => {
    world.restored = 'bob';
    world.image('bob');
    const refresh = await world.propose({ kind: 'refresh', rank: 2 });
    const reshare = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(alice, bob, dave)', dealers: ['alice', 'bob'] });
    await world.visit(refresh, 'bob');
    await go(reshare, ['alice', 'bob', 'dave']);
    world.restore('bob');
    expect(await meet(refresh, 'bob')).toBe('E_ROLLBACK');
    world.renew('bob');
    expect(await meet(reshare, 'bob')).toBe('DONE');
    expect(world.describe('bob')).toBe('3 1');
  });
});

describe('a power cut while an epoch is taken up', () => {
  let after: string;
  let attempt: Attempt;
  beforeAll(async () => {
    world.reset();
    const lower = await world.propose({ kind: 'refresh', rank: 2 });
    for (const name of ['alice', 'carol']) await meet(lower, name);
    attempt = await world.propose({ kind: 'reshare', rank: 3, quorum: '2-of(bob, dave, erin)', dealers: ['alice', 'bob'] });
    await go(attempt, ['alice', 'bob', 'dave', 'erin'].filter((n) => n !== 'alice' && n !== 'bob'));
    for (const name of ['alice', 'bob', 'dave', 'erin', 'bob']) await meet(attempt, name);
    after = world.describe('erin');
    world.table.save('almost');
  });

  // member, dealer who leaves, who was not there
  test.each(['bob', 'alice', 'carol'])('%s ends with nothing of what was superseded, wherever it stopped', async (name) => {
    expect(after).toContain('3');
    const shown = new Map(attempt.shown);
    for (let change = 1; ; change += 1) {
      world.table.restore('almost');
      world.forget(attempt, shown, name);
      world.bringAll(attempt, name);
      const outcome = await world.visit(attempt, name, change);
      world.bringAll(attempt, name);
      await world.visit(attempt, name);
      expect([change, world.describe(name)]).toEqual([change, name === 'bob' ? '3* 1' : '3 1']);
      const statement = attempt.run.file(name, `destroyed/${name}.json`);
      expect([change, statement && (JSON.parse(Buffer.from(statement).toString()) as { epochs: number[] }).epochs]).toEqual([change, [1]]);
      world.checkHome(name, 3);
      if (outcome !== 'power cut') return;
    }
  });
});
