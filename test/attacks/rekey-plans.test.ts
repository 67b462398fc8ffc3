/** A lead who cheats: plans of refreshes and reshares that nobody may join. Rows 23, 27, 28 of the attack table; rule C4; RSH-05. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ownCard } from '../../src/ceremony/home.ts';
import { prekeyState } from '../../src/ceremony/identity.ts';
import { highestRank, requireKey } from '../../src/ceremony/key-store.ts';
import type { RekeyPlan, ResharePlan } from '../../src/plan/plan.ts';
import { parseCertificate } from '../../src/protocols/epoch.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { canonicalBytes } from '../../src/wire/canon.ts';
import { expectSigns, expectStanding, refresh, replantRekey, reshare, standings } from '../support/redealer.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const HOLDERS = ['alice', 'mallory', 'carol'];
const ALL = [...HOLDERS, 'dave', 'eve'];
const HONEST = ['alice', 'carol'];
let table: Table;
/** A refresh, and a reshare by alice and mallory to alice, carol and dave, both of them led by mallory and good. */
let refreshed: Run;
let reshared: Run;
let firstEpoch: Uint8Array;
/** Of another key of the same people. */
let otherKey: Uint8Array;
beforeAll(async () => {
  table = await Table.open(ALL);
  const key = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: HOLDERS });
  await key.settle();
  firstEpoch = requireKey(table.party('alice').home, 'treasury').bytes;
  for (const n of ALL) table.renew(n);
  const other = await table.dkg({ name: 'second', quorum: '2-of(alice, mallory, carol)', honest: HOLDERS });
  await other.settle();
  otherKey = requireKey(table.party('alice').home, 'second').bytes;
  const second = await refresh(table, { honest: HOLDERS });
  await second.settle();
  table.save('key');
  refreshed = await refresh(table, { honest: HONEST, cheats: ['mallory'], lead: 'mallory' });
  table.restore('key');
  reshared = await reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'], lead: 'mallory' }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  table.restore('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const reshareOf = (change: (p: ResharePlan) => unknown) => (p: RekeyPlan) => change(p as ResharePlan);
const baseOf = (run: Run): Uint8Array => run.file('mallory', 'base/certificate.json') as Uint8Array;
type Named = { readonly name: string };
const without = <T extends Named>(list: readonly T[], name: string): T[] => list.filter((x) => x.name !== name);
/** A seat of somebody, by the card of its home. */
function seatOf(label: string): RekeyPlan['participants'][number] {
  const { name, homeId, ed25519, x25519, prekeys } = ownCard(table.party(label).home);
  return { name, identity: ed25519, homeId, x25519, prekey: prekeys.at(-1) as (typeof prekeys)[number] };
}

/** These refuse the plan before anything is promised or said. */
async function expectRefused(model: Run, change: (p: RekeyPlan) => unknown, codes: readonly string[], labels: readonly string[] = HONEST, base = baseOf(model)): Promise<void> {
  const before = standings(table, ALL);
  const ranks = labels.map((n) => highestRank(table.party(n).home, 'treasury'));
  const run = await replantRekey(model, change, labels, base);
  for (const n of labels) {
    await run.next(n);
    expect([n, run.last.get(n)?.error?.message, codes.includes(run.code(n)) ? codes : run.code(n)]).toEqual([n, expect.any(String), codes]);
    // neither a word of it nor a promise
    expect(run.files(n).sort()).toEqual(['PLAN.yaml', 'base/certificate.json']);
    const own = (run.plan as RekeyPlan).participants.find((p) => p.name === n);
    if (own) expect([n, prekeyState(table.party(n).home, own.prekey.n)]).not.toEqual([n, 'reserved']);
  }
  expect(labels.map((n) => highestRank(table.party(n).home, 'treasury'))).toEqual(ranks);
  expectStanding(table, before);
}

test('left as they are, the plans are joined', async () => {
  for (const [model, labels] of [[refreshed, HONEST], [reshared, ['alice', 'carol', 'dave']]] as const) {
    table.restore('key');
    const run = await replantRekey(model, (p) => p, labels, baseOf(model));
    for (const n of labels) {
      await run.next(n);
      expect([n, run.last.get(n)?.error?.message]).toEqual([n, undefined]);
    }
  }
});

describe('row 27 a refresh is of the same quorum and people', () => {
  test.each<[string, (p: RekeyPlan) => unknown, string[]]>([
    ['threshold raised', (p) => ({ ...p, quorum: '3-of(alice, mallory, carol)' }), ['E_QUORUM']],
    ['any of them', (p) => ({ ...p, quorum: 'any-of(alice, mallory, carol)' }), ['E_THRESHOLD', 'E_QUORUM']],
    ['another expression of the same threshold', (p) => ({ ...p, quorum: '2-of(alice, any-of(mallory, carol))' }), ['E_QUORUM']],
    ['other order of seats', (p) => ({ ...p, quorum: '2-of(mallory, alice, carol)', participants: [p.participants[1], p.participants[0], p.participants[2]] }), ['E_QUORUM']],
    ['without mallory', (p) => ({ ...p, quorum: '2-of(alice, carol)', participants: without(p.participants, 'mallory') }), ['E_QUORUM', 'E_PLAN_FIELD']],
    ['eve in the seat of mallory', (p) => ({ ...p, quorum: '2-of(alice, eve, carol)', participants: p.participants.map((x) => (x.name === 'mallory' ? seatOf('eve') : x)) }), ['E_QUORUM', 'E_CARD', 'E_PLAN_FIELD']],
    ['eve under the name of mallory', (p) => ({ ...p, participants: p.participants.map((x) => (x.name === 'mallory' ? named(seatOf('eve'), 'mallory') : x)) }), ['E_CARD']],
    ['dealers named, as in a reshare', (p) => ({ ...p, dealers: (reshared.plan as ResharePlan).dealers }), ['E_PLAN_FIELD']],
  ])('row 27 %s', async (_, change, codes) => {
    await expectRefused(refreshed, change, codes);
  });
});

/** A seat under another name: its one-time key proves that name. */
function named(seat: RekeyPlan['participants'][number], name: string): RekeyPlan['participants'][number] {
  const made = makePrekey({ owner: name, homeId: seat.homeId, n: 50 }, random);
  return { ...seat, name, prekey: { n: 50, P: toHex(made.P), pop: toHex(made.pop) } };
}

describe('dealers of a reshare', () => {
  const dealer = (name: string, leaf: number): ResharePlan['dealers'][number] => {
    const { identity, homeId } = seatOf(name);
    return { name, identity, homeId, leaf };
  };
  test.each<[string, (p: ResharePlan) => unknown, string[]]>([
    ['two dealers for one leaf', (p) => ({ ...p, dealers: [dealer('alice', 1), dealer('mallory', 2), dealer('eve', 2)] }), ['E_ROSTER_ORDER', 'E_SEAT_DUP']],
    ['one dealer twice', (p) => ({ ...p, lead: 'alice', dealers: [dealer('alice', 1), dealer('alice', 2)] }), ['E_SEAT_DUP']],
    ['a surplus dealer', (p) => ({ ...p, dealers: [dealer('alice', 1), dealer('mallory', 2), dealer('carol', 3)] }), ['E_QUORUM_SURPLUS']],
    ['too few', (p) => ({ ...p, dealers: [dealer('mallory', 2)] }), ['E_PLAN_FIELD', 'E_QUORUM']],
    ['mallory deals for carol', (p) => ({ ...p, dealers: [dealer('alice', 1), dealer('mallory', 3)] }), ['E_SEAT_DUP']],
    ['a leaf that the base does not have', (p) => ({ ...p, lead: 'alice', dealers: [dealer('alice', 1), dealer('eve', 4)] }), ['E_QUORUM']],
    ['in another order', (p) => ({ ...p, dealers: [dealer('mallory', 2), dealer('alice', 1)] }), ['E_ROSTER_ORDER']],
    ['alice deals with another card than she receives with', (p) => ({ ...p, dealers: [{ ...dealer('eve', 1), name: 'alice' }, dealer('mallory', 2)] }), ['E_CARD']],
    ['leaf zero', (p) => ({ ...p, dealers: [dealer('alice', 0), dealer('mallory', 2)] }), ['E_PLAN_FIELD']],
  ])('row 28 %s', async (_, change, codes) => {
    await expectRefused(reshared, reshareOf(change), codes);
  });

  test('somebody who holds no share is to deal: it cannot, and the others are none the worse', async () => {
    const before = standings(table, ALL);
    const run = await replantRekey(reshared, reshareOf((p) => ({ ...p, lead: 'alice', dealers: [dealer('alice', 1), dealer('eve', 2)] })), ['alice', 'carol', 'dave', 'eve'], baseOf(reshared));
    await run.settle();
    expect(run.file('eve', 'round-1/eve.blob')).toBeUndefined();
    expect(['E_STATE', 'E_EPOCH', 'E_UNKNOWN_KEY']).toContain(run.code('eve'));
    expectStanding(table, before);
    await expectSigns(table, HONEST, 2);
  });

  test('the seat of carol given to the home of eve, under the name of carol', async () => {
    await expectRefused(reshared, (p) => ({ ...p, participants: p.participants.map((x) => (x.name === 'carol' ? named(seatOf('eve'), 'carol') : x)) }), ['E_CARD'], ['alice', 'dave']);
  });
  test('a dealer in the name of carol who is eve', async () => {
    await expectRefused(reshared, reshareOf((p) => ({ ...p, quorum: '2-of(alice, dave, mallory)', participants: [seatOf('alice'), seatOf('dave'), seatOf('mallory')], dealers: [dealer('alice', 1), { ...dealer('eve', 3), name: 'carol' }] })), ['E_CARD'], ['alice', 'dave']);
  });
  test('one home in two seats of the new quorum', async () => {
    await expectRefused(reshared, (p) => ({ ...p, quorum: '2-of(alice, carol, dave, evil)', participants: [...p.participants, named(seatOf('mallory'), 'evil')] }), ['E_SEAT_DUP']);
  });
});

describe('RSH-05 E_WEAKEN', () => {
  const to = (quorum: string, names: readonly string[], over = {}) => reshareOf((p) => ({ ...p, quorum, participants: names.map((n) => p.participants.find((x) => x.name === n) ?? seatOf(n)), ...over }));
  const holders = ['alice', 'carol'];
  test.each<[string, string, readonly string[]]>([
    ['fewer seats', '2-of(alice, carol)', ['alice', 'carol']],
    ['all are needed: the loss of one loses the key', '3-of(alice, carol, dave)', ['alice', 'carol', 'dave']],
    ['one of them cannot be done without', 'all-of(alice, 2-of(carol, dave, eve))', ['alice', 'carol', 'dave', 'eve']],
  ])('%s: refused unless the plan says so', async (_, quorum, names) => {
    await expectRefused(reshared, to(quorum, names), ['E_WEAKEN'], holders);
    const run = await replantRekey(reshared, to(quorum, names, { weakens: true }), holders, baseOf(reshared));
    for (const n of holders) {
      await run.next(n);
      expect([n, run.last.get(n)?.error?.message]).toEqual([n, undefined]);
    }
  });
  test('fewer people could sign: from 3-of-4 to 2-of-4', async () => {
    const up = await reshare(table, { honest: [...HOLDERS, 'dave'] }, { quorum: '3-of(alice, mallory, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']], acceptWeaker: true });
    await up.settle();
    expect(up.code('alice')).toBe('DONE');
    const down = await reshare(table, { honest: [...HOLDERS, 'dave'] }, { quorum: '2-of(alice, mallory, carol, dave)', acceptWeaker: true });
    expect((down.plan as ResharePlan).weakens).toBe(true);
    const silent = await replantRekey(down, reshareOf(({ weakens: _, ...p }) => p), ['carol', 'dave'], down.file('alice', 'base/certificate.json'));
    for (const n of ['carol', 'dave']) {
      await silent.next(n);
      expect([n, silent.code(n)]).toEqual([n, 'E_WEAKEN']);
    }
  });
  test('a plan that says so where nothing gets weaker is refused as well', async () => {
    await expectRefused(reshared, reshareOf((p) => ({ ...p, weakens: true })), ['E_WEAKEN']);
  });
  test('weakens: false cannot be said', async () => {
    await expectRefused(reshared, reshareOf((p) => ({ ...p, weakens: false })), ['E_PLAN_FIELD']);
  });
});

describe('the base', () => {
  const good = (): Record<string, unknown> => JSON.parse(Buffer.from(baseOf(refreshed)).toString()) as Record<string, unknown>;
  const forgedEpoch = (over: Record<string, unknown>): Uint8Array => {
    const parsed = good() as { epoch: Record<string, unknown> };
    return canonicalBytes({ ...parsed, epoch: { ...parsed.epoch, ...over } } as never);
  };
  const models = (): Run[] => [refreshed, reshared];
  test('of the epoch before', async () => {
    for (const m of models()) await expectRefused(m, (p) => p, ['E_EPOCH'], HONEST, firstEpoch);
  });
  test('of the epoch before, and the plan says so', async () => {
    const old = parseCertificate(firstEpoch, 'x');
    for (const m of models()) await expectRefused(m, (p) => ('key' in p ? { ...p, key: { ...p.key, epoch: old.epoch.number, certificate: toHex(old.digest) } } : p), ['E_EPOCH'], HONEST, firstEpoch);
  });
  test('of another key of the same people', async () => {
    const other = parseCertificate(otherKey, 'x');
    for (const m of models()) {
      await expectRefused(m, (p) => p, ['E_TWO_SHARES'], HONEST, otherKey);
      // and with its id under this name
      await expectRefused(m, (p) => ('key' in p ? { ...p, key: { ...p.key, id: other.epoch.key.id, epoch: other.epoch.number, certificate: toHex(other.digest) } } : p), ['E_EPOCH', 'E_TWO_SHARES'], HONEST, otherKey);
    }
  });
  test.each<[string, () => Uint8Array]>([
    ['with other shares of the key', () => forgedEpoch({ tree: (good() as { epoch: { tree: string } }).epoch.tree.replace(/^(.{64})(.{64})$/, '$1$1') })],
    ['with another quorum', () => forgedEpoch({ quorum: '2-of(alice, carol, mallory)' })],
    ['without confirmations', () => canonicalBytes({ ...good(), confirms: [] } as never)],
    ['that is none', () => utf8('{}')],
  ])('%s', async (_, make) => {
    for (const m of models()) await expectRefused(m, (p) => p, ['E_CERTIFICATE'], ['alice', 'carol'], make());
    await expectRefused(reshared, (p) => p, ['E_CERTIFICATE'], ['dave'], make());
  });
  test('left out', async () => {
    const run = await table.plant({ ...(reshared.plan as ResharePlan), nonce: toHex(random(32)) }, ['alice', 'dave']);
    for (const n of ['alice', 'dave']) {
      await run.next(n);
      expect([n, run.code(n)]).toEqual([n, 'E_MISSING']);
    }
  });
  test('exchanged in the folder after joining: what was joined counts', async () => {
    const run = await replantRekey(refreshed, (p) => p, HONEST, baseOf(refreshed));
    for (const n of HONEST) await run.next(n);
    for (const n of HONEST) run.write(n, 'base/certificate.json', otherKey);
    for (const n of HONEST) {
      await run.next(n);
      expect([n, run.code(n)]).toEqual([n, 'WAIT']);
    }
  });
});

describe('C4 rank', () => {
  test.each<[string, number, string]>([
    ['not above the base', 2, 'E_RANK'],
    ['below the base', 1, 'E_RANK'],
    ['a jump of more than a thousand', 1003, 'E_RANK'],
    ['beyond all ranks', 1_000_001, 'E_PLAN_FIELD'],
  ])('%s', async (_, rank, code) => {
    for (const m of [refreshed, reshared]) await expectRefused(m, (p) => ({ ...p, rank }), [code]);
  });

  test('who has joined a higher rank joins and confirms no lower one, and says again what it said', async () => {
    const low = await replantRekey(refreshed, (p) => p, HONEST, baseOf(refreshed));
    for (const n of HONEST) await low.next(n);
    const said = low.file('alice', 'round-1/alice.blob');
    for (const n of ALL) table.renew(n);
    const high = await reshare(table, { honest: HONEST, cheats: ['dave'] }, { replace: [['mallory', 'dave']], dealers: [['alice', 'alice'], ['carol', 'carol']] });
    expect((high.plan as ResharePlan).rank).toBe(4);
    await high.next('carol');
    expect(high.code('carol')).toBe('WAIT');
    // the lower one goes on without them
    low.write('alice', 'round-1/carol.blob', low.file('carol', 'round-1/carol.blob') as Uint8Array);
    await low.next('alice');
    expect(low.file('alice', 'round-1/alice.blob')).toEqual(said);
    expect(low.store('alice')?.sent.has(2)).toBe(false);
    for (const n of ALL) table.renew(n);
    await expectRefused(refreshed, (p) => ({ ...p, participants: p.participants.map((x) => seatOf(x.name)) }), ['E_RANK']);
  });

  test('a lead that jumps a thousand ranks does not keep newcomers out for ever', async () => {
    const run = await replantRekey(refreshed, (p) => ({ ...p, rank: 1002 }), HOLDERS, baseOf(refreshed));
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
    const next = await reshare(table, { honest: [...HOLDERS, 'dave'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
    await next.settle();
    expect([...HOLDERS, 'dave'].map((n) => [n, next.code(n)])).toEqual([...HOLDERS, 'dave'].map((n) => [n, 'DONE']));
  });
});

describe('one-time keys', () => {
  test('P3: a one-time key that the lead made itself, under the counter of carol', async () => {
    await expectRefused(
      refreshed,
      (p) => ({ ...p, participants: p.participants.map((x) => (x.name === 'carol' ? { ...x, prekey: replaced(x) } : x)) }),
      ['E_PREKEY_BUSY'],
      ['carol'],
    );
  });
  test('P2: one that another attempt took', async () => {
    const run = await replantRekey(refreshed, (p) => p, HONEST, baseOf(refreshed));
    for (const n of HONEST) await run.next(n);
    const again = await replantRekey(refreshed, (p) => ({ ...p, rank: 4 }), HONEST, baseOf(refreshed));
    for (const n of HONEST) {
      await again.next(n);
      expect([n, again.code(n)]).toEqual([n, 'E_PREKEY_BUSY']);
    }
  });
  const replaced = (x: RekeyPlan['participants'][number]): (typeof x)['prekey'] => {
    const made = makePrekey({ owner: x.name, homeId: x.homeId, n: x.prekey.n }, random);
    return { n: x.prekey.n, P: toHex(made.P), pop: toHex(made.pop) };
  };
});
