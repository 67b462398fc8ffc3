/**
 * A cheat in the first round of presigning, and messages that are none: rows 6, 13 to 18, 47, 48, 55, 57, 58 of the attack
 * table. Mallory signs with alice; or with carol and dave, who must both end it and name mallory, also where only one of
 * them can see.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCALAR_RESPONSE_BOUND } from '../../src/ecdsa/parameters.ts';
import { decodeEncElg } from '../../src/ecdsa/enc-elg.ts';
import { refusalBody } from '../../src/protocols/machine.ts';
import { CLOSE, CONVERT, OFFER } from '../../src/protocols/presign.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { blamedIn, ecdsaTable, expectCaught, forget, GROUP, keyState, Parts, Presigner, RANGE_OR_PROOF, statesOf, timed, Turn } from '../support/ecdsa-cheat.ts';
import { evidenceOf, expectNobodyFramed } from '../support/expect.ts';
import { random, type Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { Stage } from '../support/stage.ts';

let table: Table;
/** Alice has said her offer, and mallory is to say one. */
let pair: Turn;
/** Carol and dave have. */
let trio: Turn;
/** Carol and dave have, in another ceremony: of two presignatures. */
let other: Stage;

beforeAll(async () => {
  table = await ecdsaTable();
  const begin = async (honest: readonly string[], count = 1): Promise<Stage> => {
    const run = await table.presign({ honest, cheats: ['mallory'], count });
    await run.settle();
    return new Stage(run, 'offered');
  };
  const turn = async (stage: Stage): Promise<Turn> => {
    const cheat = new Presigner(stage.run, 'mallory');
    return new Turn(stage, cheat, OFFER, await cheat.offer());
  };
  other = await begin(['carol', 'dave'], 2);
  trio = await turn(await begin(['carol', 'dave']));
  table.restore('key');
  pair = await turn(await begin(['alice']));
});
afterAll(() => {
  table.close();
});

const { base, order } = GROUP;
const pointOf = (turn: Turn, name: string): ReturnType<typeof GROUP.decodePoint> => GROUP.decodePoint(turn.good.get(name));

test('the good offer is good, and so is mallory where it does as it should', async () => {
  const run = trio.say(trio.good.bytes);
  await run.settle();
  for (const label of ['carol', 'dave']) expect([label, run.store(label)?.sent.has(CONVERT)]).toEqual([label, true]);
});

describe('row 13 what is no unit', () => {
  test.each<[string, () => Uint8Array]>([
    ['K = 0', () => pair.good.with('K', 0n)],
    ['K = N', () => pair.good.with('K', pair.cheat.key().n)],
    ['K = N²', () => pair.good.with('K', pair.cheat.key().n2)],
    ['K, a multiple of p', () => pair.good.with('K', pair.cheat.own.p * 12345n)],
    ['K of 768 bytes of 255', () => pair.good.with('K', 2n ** 6144n - 1n)],
    ['G = 0', () => pair.good.with('G', 0n)],
    ['G, a multiple of q', () => pair.good.with('G', pair.cheat.own.q * 12345n)],
    ['S = 0 in a proof for alice', () => pair.good.with('psi0@1.S', 0n)],
    ['S = N^ in a proof', () => pair.good.with('psi1@1.S', pair.cheat.info(1).nHat)],
    ['z2 = 0 in a proof', () => pair.good.with('psi1@1.z2', 0n)],
  ])('row 13 %s', (_, body) => pair.expectRefused(body(), 'E_RANGE'));
});

describe('row 14 what is too large', () => {
  const beyond = (z1: bigint): boolean => z1 > SCALAR_RESPONSE_BOUND || z1 < -SCALAR_RESPONSE_BOUND;

  test('row 14 k of 520 bits, shown as it is', async () => {
    let body: Uint8Array;
    // a challenge is small now and then
    do body = pair.cheat.withNonce(pair.good.bytes, 2n ** 520n);
    while (!beyond(decodeEncElg(GROUP, pair.cheat.parts(OFFER, body).get('psi0@1')).z1));
    await pair.expectRefused(body, 'E_RANGE');
  });
  test('row 14 k = 2^1500, shown as the scalar that it is on the curve', async () => {
    const k = 2n ** 1500n;
    await pair.expectRefused(pair.cheat.withNonce(pair.good.bytes, k, k % order), 'E_PROOF');
  });
  test.each<[string, ErrorCode, () => Uint8Array]>([
    ['z1 one above its bound', 'E_RANGE', () => pair.good.with('psi0@1.z1', SCALAR_RESPONSE_BOUND + 1n)],
    ['z1 one below its bound', 'E_RANGE', () => pair.good.with('psi1@1.z1', concat(Uint8Array.of(1), new Parts(pair.good.bytes.slice(0, 97), [['', 97]]).with('', SCALAR_RESPONSE_BOUND + 1n)))],
    ['z1 + N, which its place cannot hold', 'E_FORMAT', () => pair.good.with('psi0@1.z1', concat(Uint8Array.of(0), random(384)))],
    ['z2 + N', 'E_RANGE', () => pair.good.with('psi0@1.z2', 2n ** 3072n - 1n)],
    // a z3 beyond its width does not fit either; within it, it must fit the equation
    ['another z3', 'E_PROOF', () => pair.shifted('psi0@1.z3')],
  ])('row 14 %s', (_, code, body) => pair.expectRefused(body(), code));
});

describe('row 15 every part of an offer is in the challenges', () => {
  test.each<[string, () => Uint8Array]>([
    ['K', () => pair.good.with('K', (pair.good.number('K') * (1n + pair.cheat.key().n)) % pair.cheat.key().n2)],
    ['G', () => pair.good.with('G', (pair.good.number('G') * (1n + pair.cheat.key().n)) % pair.cheat.key().n2)],
    ...['Y', 'A1', 'A2', 'B1', 'B2'].map((name): [string, () => Uint8Array] => [name, () => pair.good.with(name, GROUP.encodePoint(pointOf(pair, name).add(base)))]),
    ['S of a proof', () => pair.good.with('psi0@1.S', (pair.good.number('psi0@1.S') * pair.cheat.ring(1).s) % pair.cheat.info(1).nHat)],
    ...['e', 'z2'].map((name): [string, () => Uint8Array] => [`${name} of a proof`, () => pair.shifted(`psi1@1.${name}`)]),
  ])('row 15 %s', (_, body) => pair.expectRefused(body(), 'E_PROOF'));
});

describe('row 16 proofs in other places', () => {
  test.each<[string, () => Uint8Array]>([
    ['ψ0 and ψ1 of carol', () => trio.good.swapped(['psi0@3', 'psi1@3'])],
    ['carol’s ψ0 and dave’s', () => trio.good.swapped(['psi0@3', 'psi0@4'])],
    // every statement is true then, but k is said to be γ
    ['k and γ with all that belongs to them', () => trio.good.swapped(['K', 'G'], ['A1', 'B1'], ['A2', 'B2'], ['psi0@3', 'psi1@3'], ['psi0@4', 'psi1@4'])],
  ])('row 16 %s', (_, body) => trio.expectRefused(body(), ...RANGE_OR_PROOF));
});

describe('row 17 for everybody, and nobody else', () => {
  const forOne = (leaf: number): Uint8Array => concat(trio.good.get(`psi0@${String(leaf)}`), trio.good.get(`psi1@${String(leaf)}`));
  test.each<[string, () => Uint8Array]>([
    ['nothing for dave', () => trio.cheat.parts(OFFER, trio.good.bytes).bytes.slice(0, -forOne(4).length)],
    ['nothing for carol', () => trio.good.withAll({ 'psi0@3': new Uint8Array(0) })],
    ['something for a leaf 9', () => concat(trio.good.bytes, forOne(4))],
    ['something for mallory itself', () => concat(trio.good.bytes.slice(0, -2 * forOne(3).length), forOne(3), forOne(3), forOne(4))],
    ['nothing at all (row 57)', () => new Uint8Array(0)],
  ])('row 17 %s', (_, body) => trio.expectRefused(body(), 'E_FORMAT'));

  test('row 17 a proof that is false for dave alone: carol, who went on, names mallory as well', async () => {
    const run = trio.say(trio.shifted('psi1@4.w'));
    run.carry();
    await run.next('carol');
    // all that carol needs to check is good
    expect(run.store('carol')?.sent.has(CONVERT)).toBe(true);
    await run.settle();
    forget();
    await trio.caught('E_PROOF');
  });
});

describe('row 18 what others said', () => {
  test('row 18 carol’s offer as mallory’s own', async () => {
    const offer = trio.stage.back().messages('carol').get(OFFER)?.get(3)?.body as Uint8Array;
    await trio.expectRefused(offer, ...RANGE_OR_PROOF);
  });
  test('row 18 carol’s proofs as mallory’s own', async () => {
    const body = trio.stage.back().messages('carol').get(OFFER)?.get(3)?.body as Uint8Array;
    const carols = new Presigner(trio.stage.run, 'carol').parts(OFFER, body);
    await trio.expectRefused(trio.good.withAll({ 'psi0@4': carols.get('psi0@4'), 'psi1@4': carols.get('psi1@4') }), ...RANGE_OR_PROOF);
  });
});

describe('rows 47 and 48 encodings', () => {
  test.each<[string, ErrorCode, () => Uint8Array]>([
    ['Y is the identity', 'E_POINT', () => pair.good.with('Y', 0n)],
    ['A2 is not on the curve', 'E_POINT', () => pair.good.with('A2', concat(Uint8Array.of(2), new Uint8Array(31), Uint8Array.of(5)))],
    ['B1 has an unknown prefix', 'E_POINT', () => pair.good.with('B1', concat(Uint8Array.of(7), pair.good.get('B1').slice(1)))],
    ['Y is uncompressed', 'E_FORMAT', () => pair.good.with('Y', random(65))],
    ['e + q', 'E_SCALAR', () => pair.good.with('psi0@1.e', 2n ** 256n - 1n)],
    ['w + q', 'E_SCALAR', () => pair.good.with('psi1@1.w', order)],
    ['z1 is a negative zero', 'E_FORMAT', () => pair.good.with('psi0@1.z1', 1n << 776n)],
    ['the sign of z3 is 2', 'E_FORMAT', () => pair.good.with('psi1@1.z3', 2n << BigInt(8 * 481))],
  ])('row 48 %s', (_, code, body) => pair.expectRefused(body(), code));
});

describe('rows 6 and 55 an earlier ceremony', () => {
  test('row 55 its message itself belongs to no one here', async () => {
    const run = trio.stage.back();
    run.write('carol', 'round-1/mallory.blob', other.run.blob('mallory', OFFER, trio.good.bytes));
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expect(run.error('carol').message).toContain('another ceremony');
    expect(keyState(table, 'carol')).toEqual(trio.before.carol);
    // and nothing is lost
    run.say('mallory', OFFER, trio.good.bytes);
    await run.next('carol');
    expect(run.store('carol')?.sent.has(CONVERT)).toBe(true);
  });
  test('row 6 what it said there, signed anew', async () => {
    const said = await new Presigner(other.run, 'mallory').offer();
    await trio.expectRefused(said.slice(0, trio.good.bytes.length), 'E_PROOF');
  });
});

describe('row 58 sizes', () => {
  test.each<[string, () => Uint8Array]>([
    ['a z1 of 1 MB', () => trio.good.with('psi0@3.z1', random(1 << 20))],
    ['an offer with 1 MB besides', () => concat(trio.good.bytes, random(1 << 20))],
    ['two entries where one is asked for', () => concat(trio.good.bytes, trio.good.bytes)],
  ])('row 58 %s: refused within a second', async (_, body) => {
    const run = trio.say(body());
    run.carry();
    for (const label of ['carol', 'dave']) {
      expect(await timed(() => run.next(label))).toBeLessThan(1000);
      expect(run.code(label)).toBe('E_FORMAT');
      run.carry();
    }
    await trio.caught('E_FORMAT');
  });
  test('row 58 one entry where two are asked for', async () => {
    const run = other.back();
    const before = statesOf(run);
    run.say('mallory', OFFER, (await new Presigner(run, 'mallory').offer()).slice(0, trio.good.bytes.length));
    await run.settle();
    await expectCaught(other, 'E_FORMAT', 'mallory', before);
  });
  test.each<[string, ErrorCode, (run: Run) => Uint8Array]>([
    ['15 MB, signed by mallory', 'E_TOO_LARGE', (run) => run.blob('mallory', OFFER, new Uint8Array(15 << 20).fill(255))],
    ['17 MB', 'E_FORMAT', (run) => concat(run.blob('mallory', OFFER, trio.good.bytes), new Uint8Array(17 << 20))],
  ])('row 58 %s: more than any message of this plan has is none; it names nobody, and nothing is lost', async (_, code, bytes) => {
    const run = trio.stage.back();
    run.write('carol', 'round-1/mallory.blob', bytes(run));
    expect(await timed(() => run.next('carol'))).toBeLessThan(1000);
    expect([run.code('carol'), run.error('carol').facts.participant]).toEqual([code, undefined]);
    run.say('mallory', OFFER, trio.good.bytes);
    await run.next('carol');
    expect(run.store('carol')?.sent.has(CONVERT)).toBe(true);
  });
});

describe('messages that do not belong there', () => {
  test.each<[string, number, () => Uint8Array]>([
    ['a round 5', 5, () => random(10)],
    ['a share in presigning', CLOSE, () => concat(Uint8Array.of(1), random(64))],
    ['a complaint', CLOSE, () => concat(Uint8Array.of(2), random(64))],
    ['a trace of no length', CLOSE, () => Uint8Array.of(5)],
  ])('%s', async (_, slot, body) => {
    const run = trio.say(trio.good.bytes);
    run.say('mallory', slot, body());
    await run.settle();
    await trio.caught('E_FORMAT');
  });

  test.each<[string, number]>([
    ['carol', 3],
    ['itself', 2],
  ])('a refusal that names %s is a claim, and blames nobody', async (_, leaf) => {
    const run = trio.say(trio.good.bytes);
    run.say('mallory', CLOSE, refusalBody('E_PROOF', leaf));
    await run.settle();
    for (const label of run.honest) expect([label, run.code(label), blamedIn(table, label), evidenceOf(run, label)]).toEqual([label, 'E_ABORTED', [], []]);
    expect(statesOf(run)).toEqual(trio.before);
    await expectNobodyFramed(run);
  });
});
