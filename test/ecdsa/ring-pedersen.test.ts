/** Ring-Pedersen commitments: what they are, and the owner's way against everybody's. */
import { describe, expect, it } from 'vitest';
import { mod } from '../../src/arith/integer.ts';
import { publicModulus } from '../../src/arith/modulus.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { symmetric } from '../../src/arith/sample.ts';
import { commit, ringItems, ringPedersen, ringPedersenOf } from '../../src/ecdsa/ring-pedersen.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { encodeItem } from '../../src/wire/hash.ts';
import { party, stream, verdict } from '../support/proofs.ts';

const { ring, ownRing, pHat } = party(0);
const { nHat, s, t } = ring;
const random = stream('exponents');

describe('commitments', () => {
  it.each<[string, bigint, bigint]>([
    ['zero', 0n, 0n],
    ['one of each', 1n, 1n],
    ['signs', -1n, 1n],
    ['other signs', 1n, -1n],
    ['the lengths of a response', symmetric(2n ** 768n, random), symmetric(2n ** 768n * nHat, random)],
    ['the other signs of it', -symmetric(2n ** 768n, random), -symmetric(2n ** 768n * nHat, random)],
  ])('are s^x·t^y: %s', (_, x, y) => {
    const c = commit(ring, x, y);
    expect(commit(ownRing, x, y)).toBe(c);
    // both sides times what makes the exponents positive
    const [sx, ty] = [modPowReference(s, x < 0n ? -x : x, nHat), modPowReference(t, y < 0n ? -y : y, nHat)];
    expect(mod(c * (x < 0n ? sx : 1n) * (y < 0n ? ty : 1n), nHat)).toBe(mod((x < 0n ? 1n : sx) * (y < 0n ? 1n : ty), nHat));
  });
  it('add up', () => {
    const [a, b, c, d] = [3n, -5n, 2n ** 300n, -(2n ** 400n)] as const;
    expect(mod(commit(ring, a, c) * commit(ring, b, d), nHat)).toBe(commit(ring, a + b, c + d));
  });
  it('do not take one exponent for the other', () => {
    expect(commit(ring, 2n, 3n)).not.toBe(commit(ring, 3n, 2n));
  });
});

describe('parameters', () => {
  it.each<[string, bigint]>([
    ['zero', 0n],
    ['a negative number', -nHat],
    ['an even number', nHat + 1n],
    ['3071 bits', (1n << 3071n) - 1n],
    ['3073 bits', (1n << 3072n) + 1n],
    ['a prime of half the size', pHat],
  ])('have no modulus of %s (row 12)', (_, modulus) => {
    expect(verdict(() => ringPedersen(modulus, s, t))).toBe('E_MODULUS');
    expect(verdict(() => ringPedersenOf({ n: modulus, pow: () => 0n }, s, t))).toBe('E_MODULUS');
  });
  it('are hashed whole', () => {
    const hex = (n: bigint, a: bigint, b: bigint): string => toHex(encodeItem(ringItems(ringPedersenOf({ ...publicModulus(n) }, a, b))));
    expect(new Set([hex(nHat, s, t), hex(nHat, t, s), hex(nHat, s, t + 1n), hex(nHat, s + 1n, t), hex(nHat + 2n, s, t)]).size).toBe(5);
    expect(encodeItem(ringItems(ownRing))).toEqual(encodeItem(ringItems(ring)));
  });
});
