import { describe, expect, test } from 'vitest';
import { invert, jacobi } from '../../src/arith/integer.ts';
import { publicModulus } from '../../src/arith/modulus.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { packBits, unpackBits } from '../../src/ecdsa/bits.ts';
import { natural } from '../../src/ecdsa/codec.ts';
import type { ProofContext } from '../../src/ecdsa/context.ts';
import { checkPrm, PRM_BYTES, prmChallenge } from '../../src/ecdsa/prm.ts';
import { provePrm } from '../../src/ecdsa/prove-prm.ts';
import type { RingPedersen } from '../../src/ecdsa/ring-pedersen.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { seeded } from '../sharing/support.ts';
import { badModuli, bind, ctx, flipped, otherContexts, party, quickly, refusal } from './set-up.ts';

const { aux, lambda, phi, primes, ring, ownRing } = party(0);
const { nHat, s, t } = aux;
const witness = { lambda, phi };
const seed = bind(7);
const proof = provePrm(ctx, { ring: ownRing }, witness, seed);
/** By default as the owner of N^ computes, which gives the same verdict four times faster. */
const check = (bytes: Uint8Array, of: RingPedersen = ownRing, where: ProofContext = ctx): string =>
  refusal(() => { checkPrm(where, { ring: of }, bytes); });

/** A proof taken apart; responses as numbers. */
function parts(bytes: Uint8Array): { bits: boolean[]; z: bigint[] } {
  const z = Array.from({ length: 128 }, (_, k) => BigInt(`0x${toHex(bytes.subarray(16 + 384 * k, 400 + 384 * k))}`));
  return { bits: unpackBits(bytes.subarray(0, 16)), z };
}
const joined = (bits: readonly boolean[], z: readonly bigint[]): Uint8Array => concat(packBits(bits), ...z.map((each) => natural(each, 384)));

describe('an honest proof', () => {
  test('holds, for whoever checks it', () => {
    expect(proof.length).toBe(PRM_BYTES);
    expect(PRM_BYTES).toBe(49_168);
    expect(check(proof, ring)).toBe('no error');
    expect(check(proof, ownRing)).toBe('no error');
  });
  test('is of the first message and the responses of the long form', () => {
    const { bits, z } = parts(proof);
    const A = z.map((each, k) => (ownRing.M.pow(t, each) * (bits[k] === true ? invert(s, nHat) : 1n)) % nHat);
    expect(prmChallenge(ctx, { ring }, A)).toEqual(bits);
    for (let k = 0; k < 128; k += 16)
      expect(modPowReference(t, z[k] as bigint, nHat)).toBe(((A[k] as bigint) * (bits[k] === true ? s : 1n)) % nHat);
    expect(new Set(z).size).toBe(128);
    expect(new Set(bits).size).toBe(2);
  });
  test('is hedged: the same of the same, another of anything else', () => {
    const make = (where = ctx, w = witness, from = seed): string => toHex(provePrm(where, { ring: ownRing }, w, from));
    expect(make()).toBe(toHex(proof));
    const z = (hex: string): string => hex.slice(32);
    const others = [make(ctx, witness, bind(8)), ...otherContexts.map((c) => make(c)), make(ctx, { lambda: lambda + 1n, phi })];
    expect(new Set([make(), ...others].map((hex) => z(hex).slice(0, 768))).size).toBe(6);
    expect(refusal(() => provePrm(ctx, { ring: ownRing }, witness, seed.subarray(1)))).toMatch(/^E_RNG/);
  });
});

describe('the challenge', () => {
  test('covers the context, the statement and every element (row 15)', () => {
    const first = Array.from({ length: 128 }, (_, k) => BigInt(k + 2));
    const base = prmChallenge(ctx, { ring }, first);
    const seen = [
      base,
      ...otherContexts.map((c) => prmChallenge(c, { ring }, first)),
      ...(['nHat', 's', 't'] as const).map((field) => prmChallenge(ctx, { ring: { ...ring, [field]: ring[field] + 2n } }, first)),
      prmChallenge(ctx, { ring: { ...ring, s: t, t: s } }, first),
      ...first.map((A, k) => prmChallenge(ctx, { ring }, first.with(k, A + 1n))),
      prmChallenge(ctx, { ring }, first.toReversed()),
      // row 1: the same digits, divided in another way
      prmChallenge(ctx, { ring }, first.slice(1)),
      prmChallenge(ctx, { ring }, [...first, 0n]),
      prmChallenge(ctx, { ring }, [((first[0] as bigint) << 8n) | (first[1] as bigint), ...first.slice(2)]),
    ];
    expect(new Set(seen.map((bits) => toHex(packBits(bits)))).size).toBe(seen.length);
  });
});

describe('refused', () => {
  const DOES_NOT_HOLD = 'E_PROOF Π-prm does not hold';
  test('another context: a proof of somebody else, of elsewhere, for others (rows 6, 18)', () => {
    for (const c of otherContexts) expect(check(proof, ownRing, c)).toBe(DOES_NOT_HOLD);
  });
  test('another statement: parameters of somebody else, s and t exchanged', () => {
    expect(check(proof, { ...ownRing, s: (s * t) % nHat })).toBe(DOES_NOT_HOLD);
    expect(check(proof, { ...ownRing, t: (s * t) % nHat })).toBe(DOES_NOT_HOLD);
    expect(check(proof, party(1).ownRing)).toMatch(/^E_/);
    expect(check(proof, { ...ownRing, s: t, t: s })).toBe(DOES_NOT_HOLD);
  });
  test('row 3: 127, 129, 1 or 0 repetitions', () => {
    for (const count of [127, 1, 0]) expect(check(proof.slice(0, 16 + 384 * count))).toMatch(/^E_FORMAT/);
    expect(check(concat(proof, proof.slice(-384)))).toMatch(/^E_FORMAT/);
    expect(check(proof.slice(0, -1))).toMatch(/^E_FORMAT/);
    expect(check(new Uint8Array(0))).toMatch(/^E_FORMAT/);
  });
  test('row 2: one valid repetition, 128 times', () => {
    const { bits, z } = parts(proof);
    for (const at of [bits.indexOf(false), bits.indexOf(true)]) {
      const copied = joined(bits.map(() => bits[at] as boolean), z.map(() => z[at] as bigint));
      expect(check(copied)).toBe(DOES_NOT_HOLD);
    }
  });
  test('a response or a bit of the challenge changed', () => {
    for (const k of [0, 64, 127]) {
      expect(check(flipped(proof, 16 + 384 * k + 383))).toBe(DOES_NOT_HOLD);
      expect(check(flipped(proof, k >> 3))).toBe(DOES_NOT_HOLD);
    }
    const { bits, z } = parts(proof);
    expect(check(joined(bits, [z[1], z[0], ...z.slice(2)] as bigint[]))).toBe(DOES_NOT_HOLD);
  });
  test('a response above N^, though the equation holds', () => {
    for (let i = 0; ; i++) {
      const { bits, z } = parts(provePrm(ctx, { ring: ownRing }, witness, bind(i)));
      const at = z.findIndex((each) => each + phi >= nHat && each + phi < 1n << 3072n);
      if (at < 0) continue;
      expect(check(joined(bits, z.with(at, (z[at] as bigint) + phi)))).toBe('E_RANGE a response of Π-prm is not below the modulus');
      break;
    }
    // below N^ there is more than one response; harmless, as it says nothing about s
    const { bits, z } = parts(proof);
    expect(check(joined(bits, z.with(3, nHat)))).toMatch(/^E_RANGE/);
  });
});

describe('forged parameters', () => {
  /** What the prover makes of parameters that it should not have, with a witness for which the equations hold where they can. */
  function forged(change: Partial<Pick<RingPedersen, 's' | 't'>>, exponent: bigint): string {
    const bad = { ...ownRing, ...change };
    return check(provePrm(ctx, { ring: bad }, { lambda: exponent, phi }, seed), bad);
  }
  const minus = (n: bigint): bigint => nHat - n;
  test('row 9: s = 1, t = 1, s = t, -1: the equations hold, the form refuses', () => {
    expect(forged({ s: 1n }, 0n)).toBe('E_MODULUS s or t is 1 or -1');
    expect(forged({ s: t }, 1n)).toBe('E_MODULUS s and t are the same');
    expect(forged({ t: minus(1n), s: 1n }, 2n)).toBe('E_MODULUS s or t is 1 or -1');
    expect(forged({ t: 1n, s: 1n }, 5n)).toBe('E_MODULUS s or t is 1 or -1');
    expect(forged({ t: 1n }, 5n)).toBe('E_MODULUS s or t is 1 or -1');
    expect(forged({ s: minus(1n) }, 5n)).toBe('E_MODULUS s or t is 1 or -1');
  });
  test('s or t that is no unit, or not below N^', () => {
    const bad = primes.pHat ** 2n % nHat;
    expect(forged({ t: bad, s: modPowReference(bad, lambda, nHat) }, lambda)).toBe('E_MODULUS s or t is no unit modulo N^');
    expect(forged({ s: primes.qHat }, lambda)).toBe('E_MODULUS s or t is no unit modulo N^');
    expect(check(proof, { ...ring, s: s + nHat })).toBe('E_MODULUS s or t is no unit modulo N^');
    expect(check(proof, { ...ring, t: t - nHat })).toBe('E_MODULUS s or t is no unit modulo N^');
    expect(check(proof, { ...ring, s: 0n })).toBe('E_MODULUS s or t is no unit modulo N^');
  });
  test('s that is no power of t', () => {
    const random = seeded('non-residue');
    let other = BigInt(`0x${toHex(random(384))}`) % nHat;
    while (jacobi(other, nHat) !== -1) other++;
    expect(forged({ s: other }, lambda)).toBe('E_PROOF Π-prm does not hold');
    expect(forged({ s: (s * t) % nHat }, lambda)).toBe('E_PROOF Π-prm does not hold');
    expect(forged({ s: minus(s) }, lambda)).toBe('E_PROOF Π-prm does not hold');
  });
  test('row 2: s = -t^λ with the best forgery, 1000 tries', () => {
    // each repetition passes for one value of its bit, which the forger guesses; with small numbers and a table, so that it is quick
    const random = seeded('minus');
    const { M } = ring;
    const exponent = 3n;
    const table = Array.from({ length: 262 }, (_, a) => M.pow(t, BigInt(a)));
    const pow = (base: bigint, e: bigint): bigint => (base === t && e >= 0n ? (table[Number(e)] as bigint) : M.pow(base, e));
    const bad = { ...ring, M: { n: nHat, pow }, s: minus(table[Number(exponent)] as bigint) };
    const powers = table.slice(2);
    let agreed = 0;
    for (let i = 0; i < 1000; i++) {
      const guess = i === 0 ? new Array<boolean>(128).fill(false) : unpackBits(random(16));
      const a = [...random(128)];
      const first = a.map((each, k) => (guess[k] === true ? minus(powers[each] as bigint) : (powers[each] as bigint)));
      const bits = prmChallenge(ctx, { ring: bad }, first);
      agreed += bits.filter((bit, k) => bit === guess[k]).length;
      const z = a.map((each, k) => BigInt(each + 2) + (bits[k] === true ? exponent : 0n));
      expect(check(joined(bits, z), bad)).toBe('E_PROOF Π-prm does not hold');
      // the guess itself as the challenge
      if (i < 10) expect(check(joined(guess, a.map((each, k) => BigInt(each + 2) + (guess[k] === true ? exponent : 0n))), bad)).toBe('E_PROOF Π-prm does not hold');
    }
    // half of the repetitions of each try would have passed
    expect(agreed / 128_000).toBeGreaterThan(0.49);
    expect(agreed / 128_000).toBeLessThan(0.51);
  });
});

describe('hostile input ends within a second', () => {
  test.each(badModuli)('N^ %s', (_, bad) => {
    const fake = { nHat: bad, s: 2n, t: 4n, M: publicModulus(bad) };
    expect(quickly(() => check(proof, fake))).toMatch(/^E_MODULUS/);
  });
  test('a t of order 2, which is slow to raise to powers', () => {
    // 1 modulo one prime, -1 modulo the other
    const order2 = (primes.pHat * invert(primes.pHat, primes.qHat) * 2n - 1n + nHat) % nHat;
    expect((order2 * order2) % nHat).toBe(1n);
    const bad = { ...ring, t: order2, s: nHat - order2 };
    const even = joined(new Array<boolean>(128).fill(false), new Array<bigint>(128).fill(nHat - 1n));
    expect(quickly(() => check(even, bad))).toBe('E_PROOF a power of t in Π-prm is 1 or -1');
  });
});
