/** A dealer who cheats in a refresh or reshare. Rows 22, 26 and 28 of the attack table. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ResharePlan } from '../../src/plan/plan.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { additiveShare, type Polynomials } from '../../src/sharing/deal.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { loadShare, requireKey } from '../../src/ceremony/key-store.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { expectRekeyAbort, expectSigns, Redealer, refresh, replantRekey, reshare, standings } from '../support/redealer.ts';
import { Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { rekeyDealOf } from '../../src/protocols/rekey.ts';
import { decodeDealing } from '../../src/sharing/dealing.ts';
import { shapeOf } from '../../src/protocols/keying.ts';
import { Stage } from '../support/stage.ts';

const DEAL = 1;
const HOLDERS = ['alice', 'mallory', 'carol'];
const ALL = [...HOLDERS, 'dave'];
let table: Table;
/** Mallory's share of epoch 1, where epoch 2 is in force. */
let formerShare: Uint8Array;

beforeAll(async () => {
  table = await Table.open(ALL);
  const key = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: HOLDERS });
  await key.settle();
  const { home, identity } = table.party('mallory');
  formerShare = loadShare(identity.vault, requireKey(home, 'treasury'));
  // epoch 2 is what everything below is built on
  const second = await refresh(table, { honest: HOLDERS });
  await second.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

type Craft = (d: Redealer, run: Run) => Uint8Array | undefined;

/** Refresh and reshare in which everybody honest has dealt, and mallory is to deal. */
let moments: Record<'refresh' | 'reshare' | 'nested', Stage>;
beforeAll(async () => {
  const dealt = async (name: string, run: Run): Promise<Stage> => {
    await run.settle();
    const moment = new Stage(run, name);
    table.restore('key');
    return moment;
  };
  // by alice and mallory, who leaves
  const give = (quorum: string): Promise<Run> => reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'] }, { quorum, acceptWeaker: true, dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  moments = {
    refresh: await dealt('refresh', await refresh(table, { honest: ['alice', 'carol'], cheats: ['mallory'] })),
    reshare: await dealt('reshare', await give('2-of(alice, carol, dave)')),
    nested: await dealt('nested', await give('2-of(alice, 2-of(carol, dave))')),
  };
});
async function spoil(moment: Stage, craft: Craft): Promise<Run> {
  const run = moment.back();
  const d = new Redealer(run, 'mallory');
  run.say('mallory', DEAL, craft(d, run) ?? d.deal());
  await run.settle();
  return run;
}
const spoiltRefresh = (craft: Craft): Promise<Run> => spoil(moments.refresh, craft);
const spoiltReshare = (craft: Craft): Promise<Run> => spoil(moments.reshare, craft);
const kinds = { refresh: spoiltRefresh, reshare: spoiltReshare };

async function expectNothingGained(run: Run, code: ErrorCode, culprit = 'mallory', signs = false): Promise<void> {
  await expectRekeyAbort(run, code, culprit, standings(table, ALL));
  expect(standings(table, ['alice', 'carol']).get('carol')).toMatchObject({ epoch: 2, share: true });
  if (signs) await expectSigns(table, ['alice', 'carol'], 2);
}
const poly = (d: Redealer): Polynomials => d.poly as Polynomials;
/** The good dealing of somebody else, taken apart. */
const dealingOf = (d: Redealer, leaf: number): ReturnType<typeof decodeDealing> => {
  const envelope = d.messages().get(DEAL)?.get(leaf);
  if (!envelope) throw new Error('has not dealt');
  return decodeDealing(shapeOf(d.ctx), rekeyDealOf(d.ctx, envelope).dealing);
};

test('left alone, the cheat of these tests is honest', async () => {
  for (const kind of [spoiltRefresh, spoiltReshare]) {
    const run = await kind(() => undefined);
    expect(run.honest.map((n) => run.last.get(n)?.error?.message)).toEqual(run.honest.map(() => undefined));
  }
});

describe('row 26 a constant in a refresh', () => {
  test.each<[string, Craft, ErrorCode]>([
    ['a point in front of the commitments', (d) => ((d.treeBytes = concat(d.ctx.group.encodePoint(d.ctx.group.base), d.treeBytes)), undefined), 'E_DEALING'],
    [
      'a point in front, and the proof that it is known',
      (d) => {
        const { group, quorum } = d.ctx;
        d.tree = { group, quorum, gates: d.tree?.gates ?? new Map(), constant: group.base };
        d.poly = { ...poly(d), constant: 1n };
        d.possession = d.prove();
        d.treeBytes = concat(group.encodePoint(group.base), d.treeBytes);
        d.sealed = d.seal();
        return undefined;
      },
      'E_DEALING',
    ],
    ['in everybody’s sub-share alone', (d) => ((d.sealed = d.seal({ poly: { ...poly(d), constant: 1n } })), undefined), 'E_VSS'],
    [
      'hidden in the coefficients: what 1 and 2 get adds up, but 3',
      (d) => ((d.sealed = d.seal({ poly: { ...poly(d), constant: 2n, gates: new Map([['', [((poly(d).gates.get('')?.[0] as bigint) + d.ctx.group.order - 3n) % d.ctx.group.order, 1n]]]) } })), undefined),
      'E_VSS',
    ],
  ])('row 26 %s', async (_, craft, code) => {
    await expectNothingGained(await spoiltRefresh(craft), code, 'mallory', code === 'E_VSS');
  });
});

describe('row 28 a reshare with another constant', () => {
  const constant =
    (change: (c: bigint, d: Redealer) => bigint): Craft =>
    (d) => {
      d.take(d.polynomials(((change(d.constant() as bigint, d) % d.ctx.group.order) + d.ctx.group.order) % d.ctx.group.order));
      return undefined;
    };
  const leaves = (names: readonly string[]): ReturnType<typeof parseQuorum>['leaves'] => parseQuorum('2-of(alice, mallory, carol)').leaves.filter((l) => names.includes(l.name));

  test.each<[string, Craft, ErrorCode]>([
    ['one too much', constant((c) => c + 1n), 'E_DEALING'],
    ['negated', constant((c) => -c), 'E_DEALING'],
    ['its leaf share itself, without weight', constant((_, d) => d.ctx.group.decodeScalar(loadShare(d.party.identity.vault, d.base))), 'E_DEALING'],
    [
      'its share of the epoch before',
      constant((_, d) => additiveShare(d.ctx.group, parseQuorum('2-of(alice, mallory, carol)'), leaves(['alice', 'mallory']), leaves(['mallory'])[0] as never, formerShare)),
      'E_DEALING',
    ],
    [
      'weighted for other dealers (1 deals, it reckons with 3)',
      constant((_, d) => {
        const quorum = parseQuorum('2-of(alice, mallory, carol)');
        const c = recombination(quorum, leaves(['mallory', 'carol']), d.ctx.group.order).get(2) as bigint;
        return c * d.ctx.group.decodeScalar(loadShare(d.party.identity.vault, d.base));
      }),
      'E_DEALING',
    ],
    [
      'the point of 1, and 1’s proof of possession',
      (d) => {
        const other = dealingOf(d, 1);
        d.treeBytes = concat(other.treeBytes);
        d.tree = other.tree;
        d.possession = other.possessionBytes;
        d.sealed = d.seal();
        return undefined;
      },
      'E_DEALING',
    ],
    [
      'all that 1 dealt, copied',
      (d) => rekeyDealOf(d.ctx, d.messages().get(DEAL)?.get(1) as never).dealing,
      'E_DEALING',
    ],
    [
      'zero',
      (d) => {
        d.treeBytes = concat(new Uint8Array(32).fill(0, 0, 32).map((_, i) => (i === 0 ? 1 : 0)), d.treeBytes.slice(32));
        return undefined;
      },
      'E_POINT',
    ],
    ['the right point, without knowing the share', (d) => ((d.poly = { ...poly(d), constant: 5n }), (d.possession = d.prove()), undefined), 'E_POP'],
    ['the right point, and no proof at all', (d) => ((d.possession = new Uint8Array(0)), undefined), 'E_DEALING'],
    ['the right point, and a proof for another seat', (d) => {
      const own = d.leaf;
      Object.assign(d, { leaf: 1 });
      d.possession = d.prove();
      Object.assign(d, { leaf: own });
      return undefined;
    }, 'E_POP'],
    ['the right point, and a proof over other commitments', (d) => {
      const { possession } = d;
      d.take(d.polynomials());
      d.possession = possession;
      return undefined;
    }, 'E_POP'],
  ])('row 28 %s', async (what, craft, code) => {
    await expectNothingGained(await spoiltReshare(craft), code, 'mallory', what === 'one too much');
  });

  test('row 28 nobody asked it to deal: carol deals beside the two dealers', async () => {
    const run = await reshare(table, { honest: ['alice', 'dave'], cheats: ['mallory', 'carol'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
    await run.settle();
    const d = new Redealer(run, 'mallory');
    run.say('mallory', DEAL, d.deal());
    run.say('carol', DEAL, d.deal());
    await run.settle();
    await expectRekeyAbort(run, 'E_FORMAT', 'carol', standings(table, ALL));
    expect((run.plan as ResharePlan).dealers).toHaveLength(2);
  });
});

describe('a combined coefficient that vanishes', () => {
  test('row 22 the last to deal cancels the top coefficient of a refresh: no blame, and no epoch', async () => {
    const before = standings(table, ALL);
    const run = await spoiltRefresh((d) => {
      const { group, base } = d.ctx;
      const top = [base?.tree.gates.get('')?.[0], ...[1, 3].map((leaf) => dealingOf(d, leaf).tree.gates.get('')?.[0])];
      const sum = group.sum(top.map((p) => p as NonNullable<typeof p>));
      d.tree = { group, quorum: d.ctx.quorum, gates: new Map([['', [sum.negate()]]]) };
      d.treeBytes = group.encodePoint(sum.negate());
      d.sealed = d.seal();
      return undefined;
    });
    await expectRekeyAbort(run, 'E_DEGENERATE', undefined, before);
    await expectSigns(table, ['alice', 'carol'], 2);
  });
});

describe('nested quorum', () => {
  test.each<[string, (points: Uint8Array[]) => Uint8Array[], ErrorCode]>([
    // the old quorum is flat; the new one has the gates root (2-of) and 2 (2-of): constant, root, inner
    ['the inner gate left out', (p) => p.slice(0, 2), 'E_DEALING'],
    ['the inner gate twice', (p) => [...p, p[2] as Uint8Array], 'E_DEALING'],
    ['the gates exchanged', (p) => [p[0] as Uint8Array, p[2] as Uint8Array, p[1] as Uint8Array], 'E_POP'],
  ])('reshare to a nested quorum: %s', async (_, change, code) => {
    const run = await spoil(moments.nested, (d) => {
      d.treeBytes = concat(...change([0, 32, 64].map((at) => d.treeBytes.slice(at, at + 32))));
      return undefined;
    });
    await expectNothingGained(run, code);
  });
});

describe('a deal of another attempt', () => {
  test.each(['refresh', 'reshare'] as const)('%s: the very message, and the same dealing in a new one', async (kind) => {
    const first = await kinds[kind](() => undefined);
    const blob = first.file('alice', 'round-1/mallory.blob') as Uint8Array;
    const { dealing } = rekeyDealOf(new Redealer(first, 'mallory').ctx, new Redealer(first, 'mallory').messages().get(DEAL)?.get(first.seat('mallory').leaf) as never);
    table.restore('key');
    for (const n of ALL) table.renew(n);
    const second = await replantRekey(first, (p) => p, first.honest);
    const run = Object.assign(second, { cheats: ['mallory'] });
    run.carry();
    await run.settle();
    for (const n of run.honest) run.write(n, 'round-1/mallory.blob', blob);
    await run.settle();
    // it says nothing here, and nobody goes on
    for (const n of run.honest) expect([n, run.store(n)?.messages().get(DEAL)?.has(run.seat('mallory').leaf), run.code(n)]).not.toEqual([n, true, 'DONE']);
    for (const n of run.honest) expect(run.store(n)?.sent.has(2)).toBe(false);
    run.say('mallory', DEAL, dealing);
    await run.settle();
    await expectNothingGained(run, kind === 'refresh' ? 'E_SEALING' : 'E_POP');
  });
});
