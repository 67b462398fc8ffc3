/**
 * A cheat in the second round of presigning: rows 6, 13 to 18, 33, 36, 58, 60 of the attack table. Mallory signs with
 * alice; or with carol and dave, who must both end it and name mallory, also where only one of them can see.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { centred } from '../../src/arith/integer.ts';
import { decodeAffG } from '../../src/ecdsa/aff-g.ts';
import { MASK_RESPONSE_BOUND, SCALAR_RESPONSE_BOUND } from '../../src/ecdsa/parameters.ts';
import { CONVERT, OFFER, SUM } from '../../src/protocols/presign.ts';
import type { Inbound } from '../../src/protocols/machine.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { blamedIn, ecdsaTable, evidenceAgainst, forget, GROUP, messagesIn, Presigner, RANGE_OR_PROOF, statesOf, timed, Turn } from '../support/ecdsa-cheat.ts';
import { expectEvidence, judge } from '../support/expect.ts';
import { random, type Table } from '../support/harness.ts';
import { Stage } from '../support/stage.ts';

let table: Table;
/** Alice has said what follows from both offers, and mallory is to say it. */
let pair: Turn;
let pairMessages: Inbound;
/** Carol and dave have. */
let trio: Turn;
let trioMessages: Inbound;

beforeAll(async () => {
  table = await ecdsaTable();
  const begin = async (honest: readonly string[]): Promise<[Turn, Inbound]> => {
    table.restore('key');
    const run = await table.presign({ honest, cheats: ['mallory'] });
    const cheat = new Presigner(run, 'mallory');
    run.say('mallory', OFFER, await cheat.offer());
    await run.settle();
    const messages = messagesIn(run, honest[0] as string);
    return [new Turn(new Stage(run, 'converted'), cheat, CONVERT, await cheat.convert(messages)), messages];
  };
  [trio, trioMessages] = await begin(['carol', 'dave']);
  [pair, pairMessages] = await begin(['alice']);
});
afterAll(() => {
  table.close();
});

const { base, order } = GROUP;

test('mallory, left alone, is honest: the others have a presignature', async () => {
  const run = trio.say(trio.good.bytes);
  await run.settle();
  run.say('mallory', SUM, await trio.cheat.sum(messagesIn(run, 'carol')));
  await run.settle();
  expect([run.code('carol'), run.code('dave')]).toEqual(['DONE', 'DONE']);
});

describe('row 13 what is no unit', () => {
  test.each<[string, () => Uint8Array]>([
    ['D = 0', () => pair.good.with('D@1', 0n)],
    ['D = N of alice', () => pair.good.with('D@1', pair.cheat.key(1).n)],
    ['D^, a multiple of alice’s p', () => pair.good.with('D^@1', new Presigner(pair.stage.run, 'alice').own.p * 12345n)],
    ['F = 0', () => pair.good.with('F@1', 0n)],
    ['F, a multiple of p', () => pair.good.with('F@1', pair.cheat.own.p * 12345n)],
    ['F^ = N²', () => pair.good.with('F^@1', pair.cheat.key().n2)],
    ['S = 0', () => pair.good.with('psi@1.S', 0n)],
    ['T = 0', () => pair.good.with('psi@1.T', 0n)],
    ['T = N^ for χ', () => pair.good.with('psi^@1.T', pair.cheat.info(1).nHat)],
    ['w_y = N', () => pair.good.with('psi@1.wy', pair.cheat.key().n)],
  ])('row 13 %s', (_, body) => pair.expectRefused(body(), 'E_RANGE'));
});

describe('row 14 what is too large', () => {
  const x = (): bigint => centred(GROUP.decodeScalar(pair.cheat.offerSecret.slice(32, 64)), order);
  test('row 14 a mask of 1540 bits, shown as it is', async () => {
    let body: Uint8Array;
    // a challenge is small now and then
    do body = pair.cheat.withProduct(pair.good.bytes, pairMessages, 'gamma', 1, x(), 2n ** 1540n);
    while (decodeAffG(GROUP, pair.cheat.parts(CONVERT, body).get('psi@1')).z2 <= MASK_RESPONSE_BOUND && decodeAffG(GROUP, pair.cheat.parts(CONVERT, body).get('psi@1')).z2 >= -MASK_RESPONSE_BOUND);
    await pair.expectRefused(body, 'E_RANGE');
  });
  test('row 14 β = 2^(ℓ’ + 600), shown as a small one', async () => {
    const beta = 2n ** 1880n;
    await pair.expectRefused(pair.cheat.withProduct(pair.good.bytes, pairMessages, 'gamma', 1, x(), beta, beta % order), 'E_PROOF');
  });
  test.each<[string, ErrorCode, () => Uint8Array]>([
    ['z1 one above its bound', 'E_RANGE', () => pair.good.with('psi@1.z1', SCALAR_RESPONSE_BOUND + 1n)],
    ['z2 one above its bound', 'E_RANGE', () => pair.good.with('psi^@1.z2', MASK_RESPONSE_BOUND + 1n)],
    ['z2 + N, which its place cannot hold', 'E_FORMAT', () => pair.good.with('psi@1.z2', concat(Uint8Array.of(0), random(384)))],
  ])('row 14 %s', (_, code, body) => pair.expectRefused(body(), code));
});

describe('row 15 every part is in the challenges', () => {
  const more = (name: string, leaf: number): Uint8Array => pair.good.with(name, (pair.good.number(name) * (1n + pair.cheat.key(leaf).n)) % pair.cheat.key(leaf).n2);
  test.each<[string, () => Uint8Array]>([
    ['Γ', () => pair.good.with('Gamma', GROUP.encodePoint(GROUP.decodePoint(pair.good.get('Gamma')).add(base)))],
    ['z of the proof of Γ', () => pair.shifted('elog.z')],
    ['u of the proof of Γ', () => pair.shifted('elog.u')],
    ['D', () => more('D@1', 1)],
    ['F', () => more('F@1', 2)],
    ['D^', () => more('D^@1', 1)],
    ['F^', () => more('F^@1', 2)],
    ['S', () => pair.good.with('psi@1.S', (pair.good.number('psi@1.S') * pair.cheat.ring(1).s) % pair.cheat.info(1).nHat)],
    ...['e', 'z4', 'wy'].map((name): [string, () => Uint8Array] => [`${name} for χ`, () => pair.shifted(`psi^@1.${name}`)]),
  ])('row 15 %s', (_, body) => pair.expectRefused(body(), 'E_PROOF'));
});

describe('row 16 proofs in other places', () => {
  test.each<[string, () => Uint8Array]>([
    ['ψ and ψ^', () => trio.good.swapped(['psi@3', 'psi^@3'])],
    ['both products with their proofs', () => trio.good.swapped(['D@3', 'D^@3'], ['F@3', 'F^@3'], ['psi@3', 'psi^@3'])],
  ])('row 16 %s', (_, body) => trio.expectRefused(body(), 'E_PROOF'));
  test.each<[string, () => Uint8Array]>([
    ['carol’s ψ^ and dave’s', () => trio.good.swapped(['psi^@3', 'psi^@4'])],
    ['all that is for carol and all that is for dave', () => trio.good.swapped(['D@3', 'D@4'], ['F@3', 'F@4'], ['psi@3', 'psi@4'], ['D^@3', 'D^@4'], ['F^@3', 'F^@4'], ['psi^@3', 'psi^@4'])],
  ])('row 16 %s', (_, body) => trio.expectRefused(body(), ...RANGE_OR_PROOF));
});

describe('D from another x than the one that is bound', () => {
  const twice = (bytes: Uint8Array): Uint8Array => GROUP.encodeScalar((GROUP.decodeScalar(bytes) * 2n) % order);
  test('D from twice γ, for alice', async () => {
    const x = 2n * GROUP.decodeScalar(pair.cheat.offerSecret.slice(32, 64));
    await pair.expectRefused(pair.cheat.withProduct(pair.good.bytes, pairMessages, 'gamma', 1, centred(x % order, order), 7n), 'E_PROOF');
  });
  test('another γ throughout: Γ is not the committed one', async () => {
    const { offerSecret } = pair.cheat;
    await pair.expectRefused(await pair.cheat.convert(pairMessages, concat(offerSecret.slice(0, 32), twice(offerSecret.slice(32, 64)), offerSecret.slice(64))), 'E_PROOF');
  });
  test('row 33 D^ from another share of the key', async () => {
    const { leafShare } = pair.cheat;
    pair.cheat.leafShare = twice(leafShare);
    await pair.expectRefused(await pair.cheat.convert(pairMessages), 'E_PROOF');
    pair.cheat.leafShare = leafShare;
  });
});

describe('row 17 for everybody, and nobody else', () => {
  const forOne = (leaf: number): Uint8Array => concat(...['D', 'F', 'psi', 'D^', 'F^', 'psi^'].map((name) => trio.good.get(`${name}@${String(leaf)}`)));
  test.each<[string, () => Uint8Array]>([
    ['no ψ^ for dave', () => trio.good.with('psi^@4', new Uint8Array(0))],
    ['no D^, F^, ψ^ for carol', () => trio.good.withAll({ 'D^@3': new Uint8Array(768), 'psi^@3': new Uint8Array(0) })],
    ['nothing for carol', () => trio.good.bytes.slice(0, -forOne(4).length)],
    ['something for a leaf 9', () => concat(trio.good.bytes, forOne(4))],
    ['something for mallory itself', () => concat(trio.good.bytes.slice(0, -2 * forOne(4).length), forOne(3), forOne(3), forOne(4))],
    ['nothing at all (row 57)', () => new Uint8Array(0)],
  ])('row 17 %s', (_, body) => trio.expectRefused(body(), 'E_FORMAT'));

  test('row 17 a ψ^ that is false for dave alone: carol, who went on, names mallory as well', async () => {
    const run = trio.say(trio.shifted('psi^@4.wy'));
    run.carry();
    await run.next('carol');
    expect(run.store('carol')?.sent.has(SUM)).toBe(true);
    await run.settle();
    forget();
    await trio.caught('E_PROOF');
  });
});

describe('rows 6, 18, 55 what was said by others, or before', () => {
  test('row 18 carol’s message as mallory’s own', async () => {
    const body = trioMessages.get(CONVERT)?.get(3)?.body as Uint8Array;
    await trio.expectRefused(body, 'E_PROOF');
  });
  test('row 18 what carol made for dave', async () => {
    const carols = new Presigner(trio.stage.run, 'carol').parts(CONVERT, trioMessages.get(CONVERT)?.get(3)?.body as Uint8Array);
    await trio.expectRefused(trio.good.withAll({ 'D@4': carols.get('D@4'), 'F@4': carols.get('F@4'), 'psi@4': carols.get('psi@4') }), ...RANGE_OR_PROOF);
  });
  test('rows 6 and 55 what it said in an earlier ceremony: with its echo, which blames nobody, and with the right one', async () => {
    pair.stage.back();
    const old = await table.presign({ honest: ['alice'], cheats: ['mallory'] });
    const then = new Presigner(old, 'mallory');
    old.say('mallory', OFFER, await then.offer());
    await old.next('alice');
    const said = then.parts(CONVERT, await then.convert(messagesIn(old, 'alice')));
    await pair.expectRefused(said.with('echo', pair.good.get('echo')), 'E_PROOF');

    const run = pair.say(said.bytes);
    await run.settle();
    expect([run.code('alice'), run.error('alice').exit, run.error('alice').facts.participant]).toEqual(['E_VIEW', 23, undefined]);
    await expectEvidence(run, 'alice', 'E_VIEW', undefined);
    expect([run.store('alice')?.sent.has(SUM), blamedIn(table, 'alice')]).toEqual([false, []]);
    expect(statesOf(run)).toEqual(pair.before);
  });
});

describe('row 60 evidence that frames', () => {
  test('row 60 another offer of mallory’s does not make carol’s answer to the first one false', async () => {
    const run = trio.stage.back();
    const second = openBlob(run.blob('mallory', OFFER, await new Presigner(run, 'mallory').offer()), run.session);
    const [first, offers, answers] = [trioMessages.get(OFFER)?.get(2), trioMessages.get(OFFER), trioMessages.get(CONVERT)] as [Envelope, ReadonlyMap<number, Envelope>, ReadonlyMap<number, Envelope>];
    const own = openBlob(run.blob('mallory', CONVERT, trio.good.bytes), run.session);
    const others = [offers.get(3), offers.get(4), answers.get(3)] as Envelope[];
    for (const mallorys of [first, second])
      for (const code of ['E_PROOF', 'E_RANGE', 'E_FORMAT', 'E_SUM'] as const)
        for (const envelopes of [[...answers.values()], [mallorys, ...others], [mallorys, ...others, answers.get(4) as Envelope, own]])
          // whoever is said to have judged
          for (const by of [null, 2, 3, 4, 64]) expect(await judge(run, evidenceAgainst(run, code, 'carol', by, envelopes))).toEqual({ code: 'E_EVIDENCE', culprit: undefined });
    // not to say that mallory said one thing alone
    expect(await judge(run, evidenceAgainst(run, 'E_EQUIVOCATION', 'mallory', null, [first, second]))).toEqual({ code: 'E_EQUIVOCATION', culprit: 'mallory' });
  });
});

describe('row 36 echo', () => {
  test.each<[string, () => Uint8Array]>([
    ['stripped', () => trio.good.bytes.slice(96)],
    ['one entry short', () => trio.good.bytes.slice(32)],
    ['one entry long', () => concat(random(32), trio.good.bytes)],
  ])('row 36 the echo of the offers is %s', (_, body) => trio.expectRefused(body(), 'E_FORMAT'));

  test('row 36 a false echo stops the attempt and blames nobody; it is not for good', async () => {
    const run = trio.say(concat(random(32), trio.good.bytes.slice(32)));
    await run.settle();
    for (const label of ['carol', 'dave']) {
      expect([run.code(label), run.error(label).facts.participant]).toEqual(['E_VIEW', undefined]);
      expect(blamedIn(table, label)).toEqual([]);
    }
    expect(statesOf(run)).toEqual(trio.before);
  });
});

describe('rows 48 and 58 encodings and sizes', () => {
  test.each<[string, ErrorCode, () => Uint8Array]>([
    ['Γ is the identity', 'E_POINT', () => pair.good.with('Gamma', 0n)],
    ['u + q', 'E_SCALAR', () => pair.good.with('elog.u', order)],
    ['z2 is a negative zero', 'E_FORMAT', () => pair.good.with('psi@1.z2', 1n << BigInt(8 * 225))],
  ])('row 48 %s', (_, code, body) => pair.expectRefused(body(), code));

  test.each<[string, () => Uint8Array]>([
    ['a D of 1 MB', () => pair.good.with('D@1', random(1 << 20))],
    ['two entries where one is asked for', () => concat(pair.good.bytes, pair.good.bytes.slice(64))],
  ])('row 58 %s: refused within a second', async (_, body) => {
    const run = pair.say(body());
    expect(await timed(() => run.next('alice'))).toBeLessThan(1000);
    await pair.caught('E_FORMAT');
  });
});
