/** Length, form and sealing of the dealings of a refresh or reshare. Rows 21 and 22 of the attack table. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { multiply, multiplyBase, randomSealingScalar } from '../../src/sharing/sealing-group.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { expectRekeyAbort, Redealer, refresh, reshare, standings } from '../support/redealer.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { rekeyDealOf } from '../../src/protocols/rekey.ts';
import { decodeDealing } from '../../src/sharing/dealing.ts';
import { shapeOf } from '../../src/protocols/keying.ts';
import { Stage } from '../support/stage.ts';

const DEAL = 1;
const HOLDERS = ['alice', 'mallory', 'carol'];
const ALL = [...HOLDERS, 'dave'];
let table: Table;

beforeAll(async () => {
  table = await Table.open(ALL);
  const key = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: HOLDERS });
  await key.settle();
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
let moments: Record<'refresh' | 'reshare', Stage>;
beforeAll(async () => {
  const dealt = async (name: string, run: Run): Promise<Stage> => {
    await run.settle();
    const moment = new Stage(run, name);
    table.restore('key');
    return moment;
  };
  // by alice and mallory, who leaves
  const give = (quorum: string): Promise<Run> => reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'] }, { quorum, dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  moments = {
    refresh: await dealt('refresh', await refresh(table, { honest: ['alice', 'carol'], cheats: ['mallory'] })),
    reshare: await dealt('reshare', await give('2-of(alice, carol, dave)')),
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

async function expectNothingGained(run: Run, code: ErrorCode, culprit = 'mallory'): Promise<void> {
  await expectRekeyAbort(run, code, culprit, standings(table, ALL));
  expect(standings(table, ['alice', 'carol']).get('carol')).toMatchObject({ epoch: 2, share: true });
}
/** The good dealing of somebody else, taken apart. */
const dealingOf = (d: Redealer, leaf: number): ReturnType<typeof decodeDealing> => {
  const envelope = d.messages().get(DEAL)?.get(leaf);
  if (!envelope) throw new Error('has not dealt');
  return decodeDealing(shapeOf(d.ctx), rekeyDealOf(d.ctx, envelope).dealing);
};

describe.each(['refresh', 'reshare'] as const)('rows 21, 22 length and form of a dealing: %s', (kind) => {
  const size = 32;
  test.each<[string, Craft, ErrorCode]>([
    ['row 21 threshold raise: a coefficient more', (d) => ((d.treeBytes = concat(d.treeBytes, d.treeBytes.slice(-size))), undefined), 'E_DEALING'],
    ['row 21 threshold raise: fifty more', (d) => ((d.treeBytes = concat(d.treeBytes, ...Array.from({ length: 50 }, () => d.treeBytes.slice(-size)))), undefined), 'E_DEALING'],
    ['row 22 threshold lowering: a coefficient less', (d) => ((d.treeBytes = d.treeBytes.slice(0, -size)), undefined), 'E_DEALING'],
    ['row 22 threshold lowering: the last one is the identity', (d) => ((d.treeBytes = concat(d.treeBytes.slice(0, -size), Uint8Array.of(1), new Uint8Array(31))), undefined), 'E_POINT'],
    ['no dealing at all', () => new Uint8Array(0), 'E_FORMAT'],
    ['a point that is none', (d) => ((d.treeBytes = concat(d.treeBytes.slice(0, -size), new Uint8Array(32).fill(255))), undefined), 'E_POINT'],
    ['a point with a small-order part', (d) => {
      const { group } = d.ctx;
      const clean = group.decodePoint(d.treeBytes.slice(-size));
      void clean;
      // y = −1 is the point of order two of edwards25519
      d.treeBytes = concat(d.treeBytes.slice(0, -size), Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xec : i === 31 ? 0x7f : 0xff)));
      return undefined;
    }, 'E_POINT'],
    ['a box less', (d) => d.deal().slice(0, -32), 'E_DEALING'],
    ['a box more', (d) => concat(d.deal(), random(31), Uint8Array.of(0)), 'E_DEALING'],
    ['a box that is no scalar', (d) => concat(d.deal().slice(0, -32), new Uint8Array(32).fill(255)), 'E_SCALAR'],
    ['a V, which only ECDSA has', (d) => concat(random(32), d.deal()), 'E_DEALING'],
  ])('%s', async (_, craft, code) => {
    await expectNothingGained(await kinds[kind](craft), code);
  });

  test.each<[string, Craft]>([
    ['the proof of another dealing of its own', (d) => {
      const first = d.sealed;
      d.sealed = d.seal();
      d.sealed = { ...d.sealed, proof: first?.proof as Uint8Array };
      return undefined;
    }],
    ['sealed for another ceremony', (d) => ((d.sealed = d.seal({ sid: random(32) })), undefined)],
    ['sealed in the name of 1', (d) => ((d.sealed = d.seal({ dealer: 1 })), undefined)],
    ['the sealing of 1', (d) => ((d.sealed = dealingOf(d, 1).sealing), undefined)],
    ['sealed before the commitments were changed', (d) => {
      const { sealed } = d;
      d.take(d.polynomials());
      d.sealed = sealed;
      return undefined;
    }],
    ['boxes exchanged after the proof', (d) => ((d.sealed = { ...(d.sealed as NonNullable<typeof d.sealed>), boxes: [...(d.sealed?.boxes ?? [])].reverse() }), undefined)],
    ['sealed to another one-time key of 3', (d) => ((d.sealed = d.seal({ prekeys: d.ctx.prekeys.map((p, i) => (i === 2 ? multiplyBase(randomSealingScalar(random)) : p)) })), undefined)],
    ['E derived from that of 1, garbage in the boxes: a complaint would open 1’s', (d) => {
      const { sealing } = dealingOf(d, 1);
      const r = randomSealingScalar(random);
      d.sealed = { ...(d.sealed as NonNullable<typeof d.sealed>), E: multiply(r, sealing.E), E2: multiply(r, sealing.E2), proof: sealing.proof };
      return undefined;
    }],
  ])('sealing: %s', async (_, craft) => {
    const run = await kinds[kind](craft);
    await expectNothingGained(run, 'E_SEALING');
    // nobody opened, and so nobody complained
    for (const n of run.honest) expect(run.store(n)?.ownBlob(2)?.body[0]).not.toBe(2);
  });
});
