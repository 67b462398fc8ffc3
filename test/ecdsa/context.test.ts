/** The challenges of the proofs: injective, and dependent on everything (attack rows 1, 15, 16 and 18). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { intItem } from '../../src/ecdsa/codec.ts';
import {
  bitChallenges,
  challengeStream,
  inRole,
  readScalarChallenge,
  scalarChallenge,
  symmetricChallenge,
  type ProofContext,
} from '../../src/ecdsa/context.ts';
import { fromBytes } from '../../src/arith/integer.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import type { Item } from '../../src/wire/hash.ts';
import { bytes32, CTX, verdict } from '../support/proofs.ts';

const hex = (statement: readonly Item[], first: readonly Item[] = [], ctx: ProofContext = CTX, label = 'x/v1'): string =>
  toHex(challengeStream(label, ctx, statement, first)(32));

/** All differ from each other. */
const expectDistinct = (list: readonly string[]): void => expect(new Set(list).size).toBe(list.length);

describe('the transcript is injective (TSSHOCK, row 1)', () => {
  it('text with a delimiter in it', () => {
    expectDistinct([hex(['a$', 'b']), hex(['a', '$b']), hex(['a$b']), hex(['a', '$', 'b'])]);
  });
  it('statement and first message', () => {
    const [x, y] = [utf8('x'), utf8('y')];
    const xy = utf8('xy');
    expectDistinct([hex([xy], []), hex([x], [y]), hex([x, y], []), hex([], [x, y]), hex([], [xy]), hex([[x], y]), hex([[x, y]]), hex([[x], [y]]), hex([x], [[y]])]);
  });
  it('nothing, an empty list, an empty text, no bytes, zero', () => {
    expectDistinct([hex([]), hex([[]]), hex(['']), hex([new Uint8Array()]), hex([0]), hex([intItem(0n)]), hex([], [[]])]);
  });
  it('text and its bytes', () => {
    expectDistinct([hex(['a']), hex([utf8('a')]), hex([0x61])]);
  });
  it('integers of other sizes and signs', () => {
    const of = (...list: readonly bigint[]): string => hex(list.map(intItem));
    expectDistinct([of(1n, 2n), of(0x0102n), of(0x01n, 0x0002n, 0n), of(-1n, 2n), of(1n, -2n), of(0n, 0x0102n), of(0x010002n)]);
  });
  it('one list of integers divided in two places', () => {
    const bytes = fc.uint8Array({ minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(), (all, a, b) => {
        const [i, j] = [a % (all.length + 1), b % (all.length + 1)];
        const divided = (at: number): string => hex([all.subarray(0, at), all.subarray(at)]);
        expect(divided(i) === divided(j)).toBe(i === j);
      }),
    );
  });
  it('the stream does not depend on how it is read', () => {
    const one = challengeStream('x/v1', CTX, ['s'], []);
    const other = challengeStream('x/v1', CTX, ['s'], []);
    expect(toHex(one(7)) + toHex(one(25))).toBe(toHex(other(32)));
  });
});

describe('the challenge is bound to', () => {
  const base = hex(['s'], ['f']);
  it('itself: the same gives the same', () => {
    expect(hex(['s'], ['f'])).toBe(base);
  });
  it.each<[string, () => string]>([
    ['the label', () => hex(['s'], ['f'], CTX, 'y/v1')],
    ['the place', () => hex(['s'], ['f'], { ...CTX, bind: bytes32('elsewhere') })],
    ['the prover', () => hex(['s'], ['f'], { ...CTX, prover: 4 })],
    ['the verifier', () => hex(['s'], ['f'], { ...CTX, verifier: 4 })],
    ['who of the two proves', () => hex(['s'], ['f'], { ...CTX, prover: CTX.verifier, verifier: CTX.prover })],
    ['being for one and not for all', () => hex(['s'], ['f'], { ...CTX, verifier: 0 })],
    ['the role', () => hex(['s'], ['f'], inRole(CTX, 'enc-elg/k'))],
    ['the statement', () => hex(['S'], ['f'])],
    ['the first message', () => hex(['s'], ['F'])],
  ])('%s', (_, other) => {
    expect(other()).not.toBe(base);
  });
  it('roles differ from each other, and nested from joined', () => {
    expectDistinct([
      toHex(CTX.bind),
      ...['enc-elg/k', 'enc-elg/gamma', ''].map((role) => toHex(inRole(CTX, role).bind)),
      toHex(inRole(inRole(CTX, 'enc-elg'), '/k').bind),
    ]);
  });
  it('a place that is no digest is a bug of ours', () => {
    for (const length of [0, 31, 33]) expect(verdict(() => hex(['s'], [], { ...CTX, bind: new Uint8Array(length) }))).toBe('E_INTERNAL');
  });
});

describe.each(['secp256k1', 'p256'] as const)('scalars of %s', (name) => {
  const g = group(name);
  const challenge = (i: number) => scalarChallenge(g, 'x/v1', CTX, [i], []);
  it('are centred, and canonical as bytes', () => {
    for (let i = 0; i < 50; i++) {
      const { e, bytes } = challenge(i);
      expect(2n * e <= g.order && 2n * e > -g.order).toBe(true);
      expect(fromBytes(bytes)).toBe(e < 0n ? e + g.order : e);
      expect(readScalarChallenge(g, bytes)).toEqual({ e, bytes });
    }
  });
  it('have both signs and nearly full length', () => {
    const all = Array.from({ length: 50 }, (_, i) => challenge(i).e);
    expect(all.some((e) => e > g.order / 4n) && all.some((e) => e < -g.order / 4n)).toBe(true);
  });
  it('of other groups, statements, first messages and contexts differ', () => {
    const other = group(name === 'p256' ? 'secp256k1' : 'p256');
    expectDistinct(
      [
        challenge(0),
        challenge(1),
        scalarChallenge(other, 'x/v1', CTX, [0], []),
        scalarChallenge(g, 'x/v1', CTX, [], [0]),
        scalarChallenge(g, 'y/v1', CTX, [0], []),
        scalarChallenge(g, 'x/v1', { ...CTX, prover: 9 }, [0], []),
      ].map(({ bytes }) => toHex(bytes)),
    );
  });
  it('are bound to the group by its name, and not only reduced differently', () => {
    const nameless = g.wideScalar(challengeStream('x/v1', CTX, [0], [])(64));
    expect(toHex(challenge(0).bytes)).not.toBe(toHex(g.encodeScalar(nameless)));
  });
  it('that are not canonical are refused', () => {
    for (const n of [g.order, g.order + 1n, 2n ** 256n - 1n])
      expect(verdict(() => readScalarChallenge(g, new Uint8Array(Buffer.from(n.toString(16), 'hex'))))).toBe('E_SCALAR');
    expect(verdict(() => readScalarChallenge(g, new Uint8Array(31)))).toBe('E_SCALAR');
  });
});

describe('bits', () => {
  it('are 128, of both kinds, and depend on everything', () => {
    const text = (...[label, ctx, statement, first]: Parameters<typeof bitChallenges>): string => bitChallenges(label, ctx, statement, first).map(Number).join('');
    const all = [
      text('x/v1', CTX, [0], []),
      text('x/v1', CTX, [1], []),
      text('x/v1', CTX, [], [0]),
      text('y/v1', CTX, [0], []),
      text('x/v1', { ...CTX, verifier: 0 }, [0], []),
    ];
    expectDistinct(all);
    for (const bits of all) {
      expect(bits).toMatch(/^[01]{128}$/);
      const ones = bits.replaceAll('0', '').length;
      expect(ones).toBeGreaterThan(30);
      expect(ones).toBeLessThan(98);
    }
  });
  it('are those of the stream, the highest first', () => {
    const bytes = challengeStream('x/v1', CTX, [0], [])(16);
    const bits = bitChallenges('x/v1', CTX, [0], []);
    expect(BigInt(`0b${bits.map(Number).join('')}`)).toBe(fromBytes(bytes));
  });
  it('every position takes both values', () => {
    const seen = Array.from({ length: 40 }, (_, i) => bitChallenges('x/v1', CTX, [i], []));
    for (let k = 0; k < 128; k++) expect(new Set(seen.map((bits) => bits[k])).size).toBe(2);
  });
});

describe('symmetric challenges', () => {
  it('stay in ±2^256, have both signs and use the whole range', () => {
    const all = Array.from({ length: 60 }, (_, i) => symmetricChallenge('x/v1', CTX, [i], []));
    for (const e of all) expect(e >= -(2n ** 256n) && e <= 2n ** 256n).toBe(true);
    expect(all.some((e) => e > 2n ** 255n) && all.some((e) => e < -(2n ** 255n))).toBe(true);
    expectDistinct(all.map(String));
  });
});
