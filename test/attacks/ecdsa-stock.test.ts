/**
 * First messages of ECDSA signing that were stocked with the confirmations of the key: bad ones, and good ones that are
 * used twice or out of turn. Rows 17, 18, 39, 45, 50 of the attack table.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rmSync } from 'node:fs';
import { inHome } from '../../src/ceremony/home.ts';
import { activeEpoch, requireKey, stockPath } from '../../src/ceremony/key-store.ts';
import { join } from '../../src/ceremony/join.ts';
import { offerBytes } from '../../src/ecdsa/offer.ts';
import { checkPlan, type DkgPlan, MAX_STOCK, type SignPlan } from '../../src/plan/plan.ts';
import { type Confirm, confirmBody, MAX_CERTIFICATE_BYTES, parseConfirm } from '../../src/protocols/epoch.ts';
import { CLOSE, CONVERT, OFFER, SUM, traceBody } from '../../src/protocols/presign.ts';
import { echo } from '../../src/protocols/machine.ts';
import { offerHash } from '../../src/protocols/presign-binding.ts';
import { traceBytes } from '../../src/ecdsa/trace.ts';
import type { Disk } from '../../src/vault/durable.ts';
import { concat, toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { ALL, blamedIn, keyState, messagesIn, offerLayout, Parts, Presigner, QUORUM, Turn } from '../support/ecdsa-cheat.ts';
import { expectEvidence } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { otherIntent, replanted, spent } from '../support/signing.ts';
import { Stage } from '../support/stage.ts';

const CONFIRM = 4;
const PAIR = ['alice', 'mallory'];
const HONEST = ['alice', 'carol', 'dave'];
let table: Table;
/** Everybody but mallory has confirmed the key, and nobody has seen mallory's confirmation. */
let confirming: Stage;
/** The confirmation that mallory's home made, and the layout of an offer in it. */
let good: Confirm;

/** Each takes a step, from what there was before. */
async function round(run: Run, labels: readonly string[]): Promise<void> {
  run.carry(ALL);
  for (const label of labels) await run.next(label);
}

beforeAll(async () => {
  table = await Table.open(ALL);
  const run = await table.dkg({ quorum: QUORUM, scheme: 'cggmp24-secp256k1', stock: 2, honest: HONEST, cheats: ['mallory'] });
  for (let slot = 1; slot < CONFIRM; slot++) await round(run, slot === 1 ? ALL.slice(1) : ALL);
  await round(run, HONEST);
  confirming = new Stage(run, 'confirming');
  await round(run, ['mallory']);
  good = parseConfirm(run.store('mallory')?.ownBlob(CONFIRM)?.body as Uint8Array, ALL.length);
  await run.settle(ALL);
  expect(ALL.map((label) => run.code(label))).toEqual(ALL.map(() => 'DONE'));
  table.save('key');
});
afterAll(() => {
  table.close();
});

/** Mallory's stocked offers by the names of their parts. */
const stocked = (index: number): Parts => new Parts(good.stock[index] as Uint8Array, offerLayout([1, 3, 4]));

const off = (index: number, name: string): Uint8Array => stocked(index).with(name, stocked(index).number(name) ^ 1n);
/** Mallory confirms with these offers. */
function confirmed(stock: readonly Uint8Array[]): Run {
  const run = confirming.back();
  run.say('mallory', CONFIRM, confirmBody({ ...good, stock }));
  return run;
}

describe('bad offers in a confirmation', () => {
  test.each<[string, ErrorCode, () => readonly Uint8Array[]]>([
    ['a proof is false', 'E_PROOF', () => [off(0, 'K'), good.stock[1] as Uint8Array]],
    ['one in the place of the other (row 6)', 'E_PROOF', () => good.stock.toReversed()],
    ['they are short (row 17)', 'E_FORMAT', () => good.stock.map((o) => o.slice(0, -2824))],
    ['alice’s (row 18)', 'E_PROOF', () => [alices(), good.stock[1] as Uint8Array]],
  ])('%s: everybody names mallory, and nobody has a key', async (_, code, stock) => {
    const run = confirmed(stock());
    await run.settle();
    for (const label of HONEST) {
      // a number that was made under alice's modulus may be none under mallory's
      expect([label, run.code(label) === 'E_RANGE' && code === 'E_PROOF' ? code : run.code(label), run.error(label).facts.participant]).toEqual([label, code, 'mallory']);
      await expectEvidence(run, label, run.code(label) as ErrorCode, 'mallory');
      expect([label, activeEpoch(table.party(label).home, 'treasury')]).toEqual([label, undefined]);
    }
  });
  const alices = (): Uint8Array => parseConfirm(confirming.back().store('alice')?.ownBlob(CONFIRM)?.body as Uint8Array, ALL.length).stock[0] as Uint8Array;
});

/** What a plan names. */
const named = (name: string, index: number): { index: number; commitment: string } => {
  const leaf = ALL.indexOf(name);
  return { index, commitment: toHex(offerHash(requireKey(table.party('alice').home, 'treasury').confirms[leaf]?.confirm.stock[index] ?? new Uint8Array(0))) };
};
/** A plan that mallory made by hand. */
async function planted(run: Run, stock: (name: string) => { index: number; commitment: string }, change: (plan: SignPlan) => SignPlan = (p) => p): Promise<Run> {
  const { bytes, hash } = otherIntent(table, 'mallory');
  return replanted(run, (p) => change({ ...p, intent: hash, lead: 'mallory', participants: p.participants.map((x) => ({ ...x, stock: stock(x.name) })) }), {
    'intent.json': bytes,
    'message.bin': utf8('pay 5000 to mallory'),
  });
}

describe('row 17 an offer that is false for dave alone', () => {
  let made: Run;
  beforeAll(async () => {
    made = confirmed([good.stock[0] as Uint8Array, off(1, 'psi1@4.w')]);
    made.carry();
    await made.next('dave');
  });
  test('dave names mallory; the others, who need it for nothing, take the key, and so does dave then', async () => {
    expect([made.code('dave'), made.error('dave').facts.participant]).toEqual(['E_PROOF', 'mallory']);
    await expectEvidence(made, 'dave', 'E_PROOF', 'mallory');
    await made.settle();
    expect(HONEST.map((label) => [made.code(label), activeEpoch(table.party(label).home, 'treasury')?.epoch.number])).toEqual(HONEST.map(() => ['DONE', 1]));
  });

  describe('where it is used', () => {
    let using: Stage;
    beforeAll(async () => {
      await made.settle();
      const begun = await table.sign({ honest: ['carol', 'dave'], cheats: ['mallory'] });
      const plan = { ...(begun.plan as SignPlan), nonce: toHex(random(32)), participants: (begun.plan as SignPlan).participants.map((x) => ({ ...x, stock: named(x.name, 1) })) };
      const { bytes, hash } = otherIntent(table, 'carol');
      const files = { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory'), 'base/certificate.json': begun.file('carol', 'base/certificate.json') as Uint8Array };
      using = new Stage(await table.plant({ ...plan, intent: hash }, ['carol', 'dave'], files), 'using');
      (using.run.cheats as string[]).push('mallory');
    });
    test('dave names mallory', async () => {
      const run = using.back();
      await run.next('dave');
      expect([run.code('dave'), run.error('dave').facts.participant, blamedIn(table, 'dave')]).toEqual(['E_PROOF', 'mallory', ['mallory']]);
    });
    // the offer stands in the certificate, which is no envelope of the signing
    test('dave’s evidence, which holds no envelope at all, proves it to a stranger', async () => {
      const run = using.back();
      await run.next('dave');
      await expectEvidence(run, 'dave', 'E_PROOF', 'mallory');
    });
    test('carol, who sees dave refuse, names mallory as well', async () => {
      const run = using.back();
      await run.next('dave');
      await run.settle();
      expect([run.code('carol'), run.error('carol').facts.participant]).toEqual(['E_PROOF', 'mallory']);
    });
  });
});

describe('using them', () => {
  /** Alice has begun to sign with mallory, whose home behaves; and both have signed. */
  let begun: Stage;
  let used: Stage;
  beforeAll(async () => {
    table.restore('key');
    const run = await table.sign({ honest: PAIR });
    begun = new Stage(run, 'begun');
    await run.settle();
    expect(PAIR.map((label) => run.code(label))).toEqual(['DONE', 'DONE']);
    used = new Stage(run, 'used');
  });
  function refused(run: Run, label: string, code: ErrorCode, participant?: string): void {
    expect([label, run.code(label), run.error(label).facts.participant]).toEqual([label, code, participant]);
    expect([label, run.file(label, `round-${String(CONVERT)}/${label}.blob`)]).toEqual([label, undefined]);
  }

  test('rows 39 and 50 the same offers again: refused by everybody', async () => {
    const run = used.back();
    const again = await planted(run, (name) => named(name, 0));
    await again.settle();
    for (const label of PAIR) refused(again, label, 'E_NONCE_BURNED', 'alice');
    // though what was seen is forgotten, the mark stays
    rmSync(inHome(table.party('alice').home, 'keys/treasury/epoch-1/stock-seen.json'));
    const forgotten = await planted(run, (name) => named(name, 0));
    await forgotten.next('alice');
    refused(forgotten, 'alice', 'E_NONCE_BURNED');
  });
  test('the next ones are taken; and then there are none, and the rounds begin with offers made at once', async () => {
    used.back();
    const stock = async (): Promise<(number | undefined)[]> => ((await table.sign({ honest: PAIR })).plan as SignPlan).participants.map((p) => p.stock?.index);
    expect([await stock(), await stock()]).toEqual([[1, 1], [undefined, undefined]]);
  });

  test('two plans at once over the same offers: nobody answers both', async () => {
    const run = begun.back();
    const second = await planted(run, (name) => named(name, 0));
    await second.next('mallory');
    await second.next('alice');
    await run.settle();
    refused(second, 'alice', 'E_NONCE_BURNED', 'alice');
    refused(run, 'mallory', 'E_NONCE_BURNED', 'alice');
    expect(run.file('alice', 'signature.bin') ?? second.file('mallory', 'signature.bin')).toBeUndefined();
  });

  test.each<[string, (name: string) => { index: number; commitment: string }, string]>([
    ['an offer of mallory’s again', (name) => named(name, name === 'mallory' ? 0 : 1), 'mallory'],
    ['one that was never stocked', (name) => ({ index: name === 'alice' ? 2 : 1, commitment: named(name, 1).commitment }), 'alice'],
    ['one far ahead', () => ({ index: 999, commitment: toHex(random(32)) }), 'alice'],
    ['one under another index', (name) => ({ ...named(name, 0), index: 1 }), 'alice'],
    ['another’s', () => named('mallory', 1), 'alice'],
  ])('a plan names %s: refused, and nothing is burnt', async (_, stock, participant) => {
    const run = used.back();
    const before = keyState(table, 'alice');
    const other = await planted(run, stock);
    await other.next('alice');
    refused(other, 'alice', 'E_NONCE_BURNED', participant);
    expect(keyState(table, 'alice')).toEqual(before);
  });

  test('a plan that skips one makes it useless, and no plan comes back to it', async () => {
    const run = begun.back();
    table.restore('key');
    const skip = await planted(run, (name) => named(name, 1));
    await skip.next('alice');
    expect(skip.store('alice')?.sent.has(CONVERT)).toBe(true);
    const back = await planted(run, (name) => named(name, 0));
    await back.next('alice');
    refused(back, 'alice', 'E_NONCE_BURNED', 'alice');
  });

  test('crash between burning and sending: the same plan goes on, any other is refused', async () => {
    const run = begun.back();
    const { home, port } = table.party('mallory');
    const disk: Disk = {
      ...home.disk,
      write: (path, bytes, opts) => {
        if (path.endsWith('out/2.blob')) throw new CeremonyError('E_IO', 'the power went off');
        home.disk.write(path, bytes, opts);
      },
    };
    await expect(join({ ...home, disk }, run.folder('mallory'), { ...port, disk })).rejects.toThrow('the power went off');
    expect(spent(table, 'mallory')).toHaveLength(1);
    const other = await planted(run, (name) => named(name, 0));
    rmSync(inHome(home, 'keys/treasury/epoch-1/stock-seen.json'));
    await other.next('mallory');
    refused(other, 'mallory', 'E_NONCE_BURNED');
    await run.settle();
    expect(PAIR.map((label) => run.code(label))).toEqual(['DONE', 'DONE']);
    expect(home.disk.exists(inHome(home, stockPath('treasury', 1, 0)))).toBe(false);
  });

  describe('with mallory as a cheat', () => {
    let turn: Turn;
    beforeAll(async () => {
      table.restore('key');
      const run = await table.sign({ honest: ['alice'], cheats: ['mallory'], intent: { path: 'm/7' } });
      const cheat = new Presigner(run, 'mallory');
      turn = new Turn(new Stage(run, 'tried'), cheat, CONVERT, await cheat.convert(messagesIn(run, 'alice')));
    });

    test('row 45 mallory, left alone, is honest: the signature of a derived key', async () => {
      const run = turn.say(turn.good.bytes);
      await run.settle();
      run.say('mallory', SUM, await turn.cheat.sum(messagesIn(run, 'alice')));
      await run.settle();
      run.say('mallory', CLOSE, await turn.cheat.share(messagesIn(run, 'alice')));
      await run.settle();
      expect([run.code('alice'), blamedIn(table, 'alice')]).toEqual(['DONE', []]);
    });
    test('row 17 a false product', () => turn.expectRefused(turn.shifted('psi^@1.z4'), 'E_PROOF'));
    test('row 36 an echo where there is nothing to echo', () => turn.expectRefused(concat(new Uint8Array(64), turn.good.bytes), 'E_FORMAT'));
    test('an offer where there is none to make', async () => {
      const run = turn.say(turn.good.bytes);
      run.say('mallory', OFFER, good.stock[0] as Uint8Array);
      await run.settle();
      await turn.caught('E_FORMAT');
    });
    test('row 6 a product from another signing with the same offer', async () => {
      turn.stage.back();
      table.restore('key');
      const earlier = await table.sign({ honest: ['alice'], cheats: ['mallory'] });
      const said = await new Presigner(earlier, 'mallory').convert(messagesIn(earlier, 'alice'));
      await turn.expectRefused(said, 'E_PROOF');
    });
    test('another δ: the error round names mallory', async () => {
      const run = turn.say(turn.good.bytes);
      await run.settle();
      const sum = turn.cheat.parts(SUM, await turn.cheat.sum(messagesIn(run, 'alice')));
      run.say('mallory', SUM, sum.with('delta', 1n));
      run.say('mallory', CLOSE, traceBody(echo(messagesIn(run, 'alice').get(SUM) as never), { entry: 0, which: 'gamma' }, new Uint8Array(traceBytes('secp256k1', 1))));
      await run.settle();
      await turn.caught('E_RANGE');
    });
  });
});

test('row 58 the largest stock that a plan may have fits into a certificate that can be read again', () => {
  const plan = confirming.run.plan as DkgPlan;
  const names = Array.from({ length: 5 }, (_, i) => `p${String(i)}`);
  const first = plan.participants[0] as DkgPlan['participants'][number];
  const people = names.map((name) => ({ ...first, name, identity: toHex(random(32)), homeId: toHex(random(16)), prekey: { ...first.prekey, P: toHex(random(32)) } }));
  const accepted = (stock: number): boolean => {
    try {
      checkPlan({ ...plan, lead: 'p0', quorum: `3-of(${names.join(', ')})`, participants: people, stock }, 'PLAN.yaml', table.clock);
      return true;
    } catch (e) {
      expect([e instanceof CeremonyError && e.code, (e as CeremonyError).message]).toEqual(['E_PLAN_FIELD', expect.stringContaining('stock')]);
      return false;
    }
  };
  expect(accepted(1)).toBe(true);
  let largest = MAX_STOCK;
  while (!accepted(largest)) largest -= 10;
  // base64 takes four bytes for three
  expect((names.length * largest * offerBytes('secp256k1', names.length - 1) * 4) / 3).toBeLessThan(MAX_CERTIFICATE_BYTES);
});
