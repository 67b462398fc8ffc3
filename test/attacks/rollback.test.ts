/**
 * Old copies of homes, and two copies at once. Rows 34, 40 of the attack table; SGN-06, SGN-07; rule P6.
 *
 * The limit that the design states: where an old copy is shown a folder from which every trace of its newer self and of
 * its peers was taken away, nothing on that machine can tell. In all cases here some trace lies in the folder.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockHome, lockReason, ownCard } from '../../src/ceremony/home.ts';
import { prekeyState } from '../../src/ceremony/identity.ts';
import { requireKey, stockPath } from '../../src/ceremony/key-store.ts';
import { sessionId } from '../../src/plan/plan.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { confirmBody } from '../../src/protocols/epoch.ts';
import { NONCE } from '../../src/protocols/frost-sign.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { Cosigner } from '../support/cosigner.ts';
import { Dealer } from '../support/dealer.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const CONFIRM = 3;

const ALL = ['alice', 'mallory', 'carol'];
const HONEST = ['alice', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
  const run = await table.dkg({ quorum: QUORUM, honest: ALL, stock: 3 });
  await run.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const path = (label: string, ...parts: string[]): string => join(table.party(label).home.root, ...parts);
const stockLeft = (label: string): number => [0, 1, 2].filter((i) => existsSync(path(label, stockPath('treasury', 1, i)))).length;

/** The home was found to be an old copy: it is locked, its stocks are void, and nothing was signed a second time. */
function expectLocked(run: Run, label: string, shares: readonly string[]): void {
  expect([run.code(label), run.error(label).exit]).toEqual(['E_ROLLBACK', 24]);
  expect(lockReason(table.party(label).home)).toBeDefined();
  expect(stockLeft(label)).toBe(0);
  expectOneShare(run, 'alice', shares);
}
/** In no folder lies a signature share of this participant that is not one of the known ones. */
function expectOneShare(run: Run, name: string, known: readonly string[]): void {
  for (const label of [...run.honest, ...run.cheats, 'copy']) {
    const bytes = run.file(label, `round-2/${name}.blob`);
    if (bytes) expect(known).toContain(toHex(bytes));
  }
}
const shareOf = (run: Run, label: string, name = 'alice'): string => toHex(run.file(label, `round-2/${name}.blob`) as Uint8Array);

/** `card renew` opens the home for new attempts; what was begun before stays closed. */
async function expectRenewed(run: Run, label: string): Promise<void> {
  table.clock = new Date(table.clock.getTime() + 1000);
  table.renew(label);
  await run.next(label);
  expect(run.code(label)).toBe('E_ROLLBACK');
  // looking at the old folder again does not lock it again
  expect(lockReason(table.party(label).home)).toBeUndefined();
  const again = await table.sign({ honest: HONEST, live: true, message: 'a new one' });
  await again.settle();
  expect(HONEST.map((n) => again.code(n))).toEqual(['DONE', 'DONE']);
}

describe('row 40 and SGN-07: an old copy of a home is put back', () => {
  test('row 40 restored before it signed from stock; its own share lies in the folder', async () => {
    const run = await table.sign({ honest: HONEST });
    const first = shareOf(run, 'alice');
    table.restore('key', 'alice');
    expect(stockLeft('alice')).toBe(3);
    await run.next('alice');
    expectLocked(run, 'alice', [first]);
    await run.settle();
    expectLocked(run, 'alice', [first]);
    await expectRenewed(run, 'alice');
  });

  test('row 40 its own transcript alone lies in the folder', async () => {
    const run = await table.sign({ honest: HONEST });
    const first = shareOf(run, 'alice');
    table.restore('key', 'alice');
    rmSync(join(run.folder('alice'), 'round-2'), { recursive: true });
    await run.next('alice');
    expectLocked(run, 'alice', [first]);
    await expectRenewed(run, 'alice');
  });

  test('SGN-07 only a peer’s transcript lies there, which has seen more of it than it knows', async () => {
    // an honest peer's word and a lie look alike: the share is refused, but one peer's word does not lock a home
    const run = await table.sign({ honest: HONEST });
    const first = shareOf(run, 'alice');
    await run.next('carol');
    table.restore('key', 'alice');
    const seen = run.file('carol', 'transcript/carol.jsonl') as Uint8Array;
    for (const dir of ['round-2', 'transcript']) rmSync(join(run.folder('alice'), dir), { recursive: true });
    run.write('alice', 'transcript/carol.jsonl', seen);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_ROLLBACK', 24]);
    expect(run.file('alice', 'round-2/alice.blob')).toBeUndefined();
    expectOneShare(run, 'alice', [first]);
  });

  test('row 40 restored between nonce and share: the nonce is in the old copy, the share in the folder', async () => {
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'], live: true });
    table.save('nonce');
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    const first = shareOf(run, 'alice');
    table.restore('nonce', 'alice');
    // mallory asks again, with another nonce of its own
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    expectLocked(run, 'alice', [first]);
    await expectRenewed(run, 'alice');
  });

  test('a locked home signs nothing anywhere, begins nothing, and joins nothing', async () => {
    const run = await table.sign({ honest: HONEST });
    const other = await table.sign({ honest: HONEST, lead: 'carol', live: true, message: 'other' });
    table.restore('key', 'alice');
    await run.next('alice');
    await other.next('alice');
    expect(other.code('alice')).toBe('E_ROLLBACK');
    expect((await table.sign({ honest: HONEST, live: true })).code('alice')).toBe('E_ROLLBACK');
    expect((await table.dkg({ name: 'x', quorum: QUORUM, honest: ALL })).code('alice')).toBe('E_ROLLBACK');
  });

  test('P6 after the renewal it joins nothing that began before, whatever lies in the folder', async () => {
    const run = await table.sign({ honest: HONEST });
    const other = await table.sign({ honest: HONEST, live: true, message: 'other' });
    table.restore('key', 'alice');
    await run.next('alice');
    table.clock = new Date(table.clock.getTime() + 1000);
    table.renew('alice');
    // with its newer self's message in the folder, and without
    for (const stripped of [false, true]) {
      if (stripped) for (const dir of ['round-1', 'transcript']) rmSync(join(other.folder('alice'), dir), { recursive: true });
      const before = other.file('alice', 'round-1/alice.blob');
      await other.next('alice');
      expect([other.code('alice'), other.error('alice').exit]).toEqual(['E_ROLLBACK', 24]);
      expect(lockReason(table.party('alice').home)).toBeUndefined();
      expect(other.file('alice', 'round-1/alice.blob')).toEqual(before);
    }
  });

  test('P6 the one-time keys of a restored home are destroyed, and no counter comes twice', async () => {
    const run = await table.sign({ honest: HONEST });
    table.restore('key', 'alice');
    await run.next('alice');
    const { home } = table.party('alice');
    const before = ownCard(home).prekeys.map((p) => p.n);
    table.renew('alice');
    const after = ownCard(home).prekeys.map((p) => p.n);
    for (const n of before) expect(prekeyState(home, n)).not.toBe('free');
    expect(Math.min(...after)).toBeGreaterThan(Math.max(...before));
  });

  test('SGN-06 only the record of the ceremony is put back, the spent marks are not', async () => {
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'], live: true });
    table.save('nonce');
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    const first = shareOf(run, 'alice');
    const spent = table.party('alice').home.disk.list(path('alice', 'keys/treasury/epoch-1/spent'));
    table.restore('nonce', 'alice');
    mkdirSync(path('alice', 'keys/treasury/epoch-1/spent'), { mode: 0o700 });
    for (const mark of spent) table.party('alice').home.disk.write(path('alice', 'keys/treasury/epoch-1/spent', mark), random(32));
    for (const dir of ['round-2', 'transcript']) rmSync(join(run.folder('alice'), dir), { recursive: true });
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_NONCE_BURNED', 24]);
    expect(run.file('alice', 'round-2/alice.blob')).toBeUndefined();
    expectOneShare(run, 'alice', [first]);
  });
});

describe('two copies of one home at the same time', () => {
  test('both hold the nonce of one signing; the second to answer finds the first one’s answer', async () => {
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'], live: true });
    await table.copyHome('alice', 'copy');
    run.carry(['alice', 'copy']);
    const mallory = [new Cosigner(run, 'mallory'), new Cosigner(run, 'mallory')] as const;
    run.say('mallory', NONCE, mallory[0].nonce(), ['alice']);
    await run.next('alice');
    const first = shareOf(run, 'alice');
    run.carry(['alice', 'copy']);
    run.say('mallory', NONCE, mallory[1].nonce(), ['copy']);
    await run.next('copy');
    expectLocked(run, 'copy', [first]);
    drop('copy');
  });

  test('both sign from stock under one plan: the second is stopped by the first one’s transcript', async () => {
    await table.copyHome('alice', 'copy');
    const run = await table.sign({ honest: HONEST });
    const first = shareOf(run, 'alice');
    run.carry(['alice', 'copy']);
    rmSync(join(run.folder('copy'), 'round-2'), { recursive: true });
    await run.next('copy');
    expectLocked(run, 'copy', [first]);
    drop('copy');
  });

  test('both take part in a key generation: the second is stopped, and its deal never leaves', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    await table.copyHome('alice', 'copy');
    run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
    await run.settle();
    const deal = toHex(run.file('alice', 'round-2/alice.blob') as Uint8Array);
    run.carry(['alice', 'copy']);
    await run.next('copy');
    expect(run.code('copy')).toBe('E_ROLLBACK');
    expect(lockReason(table.party('copy').home)).toBeDefined();
    expect(toHex(run.file('copy', 'round-2/alice.blob') as Uint8Array)).toBe(deal);
    drop('copy');
  });

  function drop(label: string): void {
    rmSync(table.party(label).home.root, { recursive: true });
    table.parties.delete(label);
  }
});

describe('row 34 state rollback inside a ceremony', () => {
  test('row 34 state rollback: bundle B1, then restored and B2: refused; for B1 the same bytes', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    await run.next('carol');
    run.carry();
    table.save('committed');
    run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
    await run.next('alice');
    const first = run.file('alice', 'round-2/alice.blob') as Uint8Array;
    // the same bundle again: the same bytes, also where the courier lost them
    rmSync(join(run.folder('alice'), 'round-2'), { recursive: true });
    await run.next('alice');
    expect(run.file('alice', 'round-2/alice.blob')).toEqual(first);
    table.restore('committed', 'alice');
    run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_ROLLBACK', 24]);
    expect(run.file('alice', 'round-2/alice.blob')).toEqual(first);
  });

  test('row 34 even with every trace gone, a second deal gives away nothing: same polynomials, same proof', async () => {
    // the proof of possession is made with the commitment, once: there is no second response over one nonce
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    await run.next('carol');
    run.carry();
    table.save('committed');
    const deals: Uint8Array[] = [];
    for (const _ of [1, 2]) {
      table.restore('committed', 'alice');
      rmSync(join(run.folder('alice'), 'round-2'), { recursive: true, force: true });
      rmSync(join(run.folder('alice'), 'transcript'), { recursive: true, force: true });
      run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
      await run.next('alice');
      deals.push(openBlob(run.file('alice', 'round-2/alice.blob') as Uint8Array, run.session).body);
    }
    const [one, two] = deals as [Uint8Array, Uint8Array];
    expect(toHex(one.slice(0, 96))).not.toBe(toHex(two.slice(0, 96)));
    expect(toHex(one.slice(96, 288))).toBe(toHex(two.slice(96, 288)));
  });

  test('row 34 no round secret outlives its round: the polynomials are gone once the deal is out', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
    await run.settle();
    for (const n of HONEST) {
      expect(run.store(n)?.sent.has(DEAL)).toBe(true);
      expect(existsSync(path(n, run.store(n)?.secretPath('for-2') as string))).toBe(false);
    }
  });
});

describe('a home that is locked while it is in doubt', () => {
  test('P6, C3: after the renewal it still takes up the certificate of an epoch that it had confirmed', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    const dealer = new Dealer(run, 'mallory');
    run.say('mallory', COMMIT, dealer.commit());
    await run.settle();
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    expect(run.store('alice')?.sent.has(CONFIRM)).toBe(true);
    table.save('doubt');

    // meanwhile an old copy is used in a signing, and found out
    const signing = await table.sign({ honest: HONEST });
    table.restore('doubt', 'alice');
    await signing.next('alice');
    expect(lockReason(table.party('alice').home)).toBeDefined();
    await run.next('alice');
    expect(run.code('alice')).toBe('E_ROLLBACK');
    table.renew('alice');

    const { n, P, pop } = { n: 4000, ...makePrekey({ owner: 'mallory', homeId: table.party('mallory').home.facts.homeId, n: 4000 }, random) };
    const mine = run.messages('carol').get(CONFIRM)?.get(3)?.body as Uint8Array;
    run.say('mallory', CONFIRM, confirmBody({ echo: mine.slice(1, 97), epoch: mine.slice(97, 129), prekey: { n, P, pop }, stock: [] }), ['carol']);
    await run.next('carol');
    expect(run.code('carol')).toBe('DONE');
    run.carry(['carol', 'alice']);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    expect(requireKey(table.party('alice').home, 'second').epoch.session).toBe(toHex(sessionId(run.plan)));
  });
});

test('row 40 reuse through a copy: a power cut between lock and stocks; the renewal destroys what the lock left', () => {
  lockHome(table.party('alice').home, 'an older copy', table.clock);
  expect(stockLeft('alice')).toBe(3);
  table.clock = new Date(table.clock.getTime() + 1000);
  table.renew('alice');
  expect([stockLeft('alice'), lockReason(table.party('alice').home)]).toEqual([0, undefined]);
});
