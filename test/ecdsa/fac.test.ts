import { describe, expect, test } from 'vitest';
import { fromBytes, isqrt } from '../../src/arith/integer.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { symmetric } from '../../src/arith/sample.ts';
import { natural, signed } from '../../src/ecdsa/codec.ts';
import type { ProofContext } from '../../src/ecdsa/context.ts';
import { checkFac, FAC_BYTES, facChallenge, factorBound, type FacFirst, type FacStatement } from '../../src/ecdsa/fac.ts';
import { proveFac } from '../../src/ecdsa/prove-fac.ts';
import { commit } from '../../src/ecdsa/ring-pedersen.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { seeded } from '../sharing/support.ts';
import { ABOVE, badModuli, bind, ctx, flipped, otherContexts, party, quickly, refusal } from './set-up.ts';

// participant 0 proves, participant 1 verifies
const { p, q } = party(0).primes;
const { n } = party(0).N;
const { ring, ownRing } = party(1);
const { nHat, s, t } = ring;
const { pHat } = party(1).primes;
const seed = bind(7);
const proof = proveFac(ctx, { n, ring }, { p, q }, seed);
const check = (bytes: Uint8Array, st: Partial<FacStatement> = {}, where: ProofContext = ctx): string =>
  refusal(() => { checkFac(where, { n, ring: ownRing, ...st }, bytes); });

const NO_UNIT = 'E_RANGE an element of Π-fac is no unit';
const RANGE = 'E_RANGE a response of Π-fac is out of range';
const DOES_NOT_HOLD = 'E_PROOF Π-fac does not hold';

interface Parts {
  readonly P: bigint;
  readonly Q: bigint;
  readonly e: bigint;
  readonly z1: bigint;
  readonly z2: bigint;
  readonly w1: bigint;
  readonly w2: bigint;
  readonly v: bigint;
}
const FIELDS = ['P', 'Q', 'e', 'z1', 'z2', 'w1', 'w2', 'v'] as const;
/** Bytes of each field's absolute value. */
const WIDTHS = [384, 384, 33, 288, 288, 481, 481, 865];
const isSigned = (i: number): boolean => i >= 2;
/** Where each field begins, its sign byte included. */
const STARTS = WIDTHS.map((_, i) => WIDTHS.slice(0, i).reduce((sum, w, k) => sum + w + (isSigned(k) ? 1 : 0), 0));

function parts(bytes: Uint8Array): Parts {
  const values = WIDTHS.map((width, i) => {
    const at = STARTS[i] as number;
    if (!isSigned(i)) return fromBytes(bytes.subarray(at, at + width));
    const magnitude = fromBytes(bytes.subarray(at + 1, at + 1 + width));
    return bytes[at] === 1 ? -magnitude : magnitude;
  });
  return Object.fromEntries(FIELDS.map((f, i) => [f, values[i]])) as unknown as Parts;
}
const joined = (of: Parts): Uint8Array =>
  concat(...FIELDS.map((f, i) => (isSigned(i) ? signed(of[f], WIDTHS[i] as number) : natural(of[f], WIDTHS[i] as number))));
const changed = (change: Partial<Parts>): Uint8Array => joined({ ...parts(proof), ...change });

/** Random numbers of a prover who does as it likes. */
interface Choice {
  readonly p?: bigint;
  readonly q?: bigint;
  readonly alpha?: bigint;
  readonly beta?: bigint;
  readonly n?: bigint;
}
const random = seeded('fac');
/** The prover's side after the paper, for any p, q and nonces. */
function forge(choice: Choice): Parts {
  const bound = factorBound(choice.n ?? n);
  const of = { p, q, n, alpha: symmetric(bound, random), beta: symmetric(bound, random), ...choice };
  const small = nHat << 256n;
  const large = nHat << 768n;
  const [mu, nu, x, y] = [symmetric(small, random), symmetric(small, random), symmetric(large, random), symmetric(large, random)] as const;
  const r = symmetric(large * of.n, random);
  const P = commit(ownRing, of.p, mu);
  const Q = commit(ownRing, of.q, nu);
  const A = commit(ownRing, of.alpha, x);
  const B = commit(ownRing, of.beta, y);
  const T = (ownRing.M.pow(Q, of.alpha) * ownRing.M.pow(t, r)) % nHat;
  const e = facChallenge(ctx, { n: of.n, ring }, { P, Q, A, B, T });
  return { P, Q, e, z1: of.alpha + e * of.p, z2: of.beta + e * of.q, w1: x + e * mu, w2: y + e * nu, v: r - e * nu * of.p };
}

describe('an honest proof', () => {
  test('holds, for whoever checks it', () => {
    expect(FAC_BYTES).toBe(3210);
    expect(proof.length).toBe(FAC_BYTES);
    expect(check(proof)).toBe('no error');
    expect(check(proof, { ring })).toBe('no error');
    expect(joined(parts(proof))).toEqual(proof);
  });
  test('is of the responses of the long form', () => {
    const { P, Q, e, z1, z2, w1, w2, v } = parts(proof);
    const power = (b: bigint, k: bigint): bigint => modPowReference(b, k, nHat);
    const A = (power(s, z1) * power(t, w1) * power(P, -e)) % nHat;
    const B = (power(s, z2) * power(t, w2) * power(Q, -e)) % nHat;
    const T = (power(Q, z1) * power(t, v) * power(power(s, n), -e)) % nHat;
    expect(facChallenge(ctx, { n, ring }, { P, Q, A, B, T })).toBe(e);
    expect(e >= -(1n << 256n) && e < 1n << 256n).toBe(true);
  });
  test('of the prover of this file holds, and of other primes, verifiers and seeds', () => {
    expect(check(joined(forge({})))).toBe('no error');
    for (let i = 2; i < 8; i++) {
      const [a, b] = [party(i), party(i + 1)];
      const st = { n: a.N.n, ring: b.ownRing };
      expect(check(proveFac(ctx, st, a.primes, bind(i)), st)).toBe('no error');
    }
  });
  test('is hedged: the same of the same, another of anything else', () => {
    const P = (where: ProofContext, w: { p: bigint; q: bigint }, from: Uint8Array): bigint => parts(proveFac(where, { n, ring: ownRing }, w, from)).P;
    expect(toHex(proveFac(ctx, { n, ring: ownRing }, { p, q }, seed))).toBe(toHex(proof));
    const others = [P(ctx, { p, q }, bind(8)), ...otherContexts.map((c) => P(c, { p, q }, seed)), P(ctx, { p, q: q + 2n }, seed)];
    expect(new Set([parts(proof).P, ...others]).size).toBe(6);
    expect(refusal(() => proveFac(ctx, { n, ring }, { p, q }, seed.subarray(1)))).toMatch(/^E_RNG/);
  });
});

describe('the challenge', () => {
  test('covers the context, the statement and every element (row 15), and has both signs', () => {
    const first: FacFirst = { P: 2n, Q: 3n, A: 4n, B: 5n, T: 6n };
    const seen = [
      facChallenge(ctx, { n, ring }, first),
      ...otherContexts.map((c) => facChallenge(c, { n, ring }, first)),
      facChallenge(ctx, { n: n + 2n, ring }, first),
      ...(['nHat', 's', 't'] as const).map((f) => facChallenge(ctx, { n, ring: { ...ring, [f]: ring[f] + 2n } }, first)),
      facChallenge(ctx, { n: nHat, ring: { ...ring, nHat: n } }, first),
      ...(['P', 'Q', 'A', 'B', 'T'] as const).map((f) => facChallenge(ctx, { n, ring }, { ...first, [f]: 7n })),
      facChallenge(ctx, { n, ring }, { ...first, P: 3n, Q: 2n }),
    ];
    expect(new Set(seen).size).toBe(seen.length);
    expect(new Set(seen.map((e) => e < 0n)).size).toBe(2);
    expect(seen.every((e) => e >= -(1n << 256n) && e < 1n << 256n)).toBe(true);
  });
});

describe('refused', () => {
  test('another context: a proof of somebody else, of elsewhere, for others (rows 6, 18)', () => {
    for (const c of otherContexts) expect(check(proof, {}, c)).toBe(DOES_NOT_HOLD);
  });
  test('another statement: the modulus or the parameters of somebody else (row 11)', () => {
    expect(check(proof, { n: party(2).N.n })).toMatch(/^E_(?:PROOF|RANGE)/);
    expect(check(proof, { n: n + 2n })).toBe(DOES_NOT_HOLD);
    expect(check(proof, { ring: { ...ownRing, s: t, t: s } })).toBe(DOES_NOT_HOLD);
    expect(check(proof, { ring: { ...ownRing, s: (s * s) % nHat } })).toBe(DOES_NOT_HOLD);
    expect(check(proof, { ring: { ...ownRing, t: (t * t) % nHat } })).toBe(DOES_NOT_HOLD);
    expect(check(proof, { ring: party(2).ownRing })).toMatch(/^E_(?:PROOF|RANGE)/);
  });
  test('another length', () => {
    for (const bad of [proof.slice(0, -1), proof.slice(1), concat(proof, Uint8Array.of(0)), new Uint8Array(0)]) expect(check(bad)).toMatch(/^E_FORMAT/);
  });
  test.each(FIELDS)('%s changed', (field) => {
    const { [field]: value } = parts(proof);
    expect(check(changed({ [field]: value + 1n }))).toBe(DOES_NOT_HOLD);
    if (isSigned(FIELDS.indexOf(field))) expect(check(changed({ [field]: -value }))).toBe(DOES_NOT_HOLD);
  });
  test('signs other than 0 and 1, and a negative zero', () => {
    for (const i of [2, 3, 4, 5, 6, 7]) {
      const at = STARTS[i] as number;
      const other = proof.slice();
      other[at] = 2;
      expect(check(other)).toMatch(/^E_FORMAT .*a sign is 0 or 1/);
      other[at] = 1;
      other.fill(0, at + 1, at + 1 + (WIDTHS[i] as number));
      expect(check(other)).toMatch(/^E_FORMAT .*no negative zero/);
    }
  });
  test('P or Q that is no unit, or not below N^ though the equations hold', () => {
    for (const field of ['P', 'Q'] as const)
      for (const bad of [0n, nHat, pHat, pHat * 6n]) expect(check(changed({ [field]: bad }))).toBe(NO_UNIT);
    for (const field of ['P', 'Q'] as const) {
      let bytes = proof;
      for (let i = 0; parts(bytes)[field] + nHat >= 1n << 3072n; i++) bytes = proveFac(ctx, { n, ring: ownRing }, { p, q }, bind(i));
      expect(check(bytes)).toBe('no error');
      expect(check(joined({ ...parts(bytes), [field]: parts(bytes)[field] + nHat }))).toBe(NO_UNIT);
    }
  });
  test('s or t that is no unit', () => {
    for (const bad of [0n, nHat, pHat, s + nHat]) {
      expect(check(proof, { ring: { ...ownRing, s: bad } })).toBe(NO_UNIT);
      expect(check(proof, { ring: { ...ownRing, t: bad } })).toBe(NO_UNIT);
    }
  });
});

describe('row 14: the range', () => {
  const bound = factorBound(n);
  const above = bound + (1n << 1900n); // e·p has 1792 bits
  test('ends at 2^768·√N, both included', () => {
    expect(bound).toBe((1n << 768n) * isqrt(n));
    for (const field of ['z1', 'z2'] as const)
      for (const sign of [1n, -1n]) {
        expect(check(changed({ [field]: sign * bound }))).toBe(DOES_NOT_HOLD);
        expect(check(changed({ [field]: sign * (bound + 1n) }))).toBe(RANGE);
      }
  });
  test.each([
    ['z1 above', { alpha: above }],
    ['z1 below', { alpha: -above }],
    ['z2 above', { beta: above }],
    ['z2 below', { beta: -above }],
  ])('%s, though the equations hold', (_, choice) => {
    const made = forge(choice);
    const { P, Q, e, z1, z2, w1, w2, v } = made;
    const { M } = ownRing;
    const A = (commit(ownRing, z1, w1) * M.pow(P, -e)) % nHat;
    const B = (commit(ownRing, z2, w2) * M.pow(Q, -e)) % nHat;
    const T = (M.pow(Q, z1) * commit(ownRing, -n * e, v)) % nHat;
    expect(facChallenge(ctx, { n, ring }, { P, Q, A, B, T })).toBe(e);
    expect(check(joined(made))).toBe(RANGE);
  });
});

describe('row 4: a small factor', () => {
  test.each([
    ['16 bits', 65519n, ABOVE[3056]],
    ['64 bits', ABOVE[63], ABOVE[3008]],
    ['200 bits', ABOVE[199], ABOVE[2872]],
    ['64 bits, of three primes', ABOVE[63], p * ABOVE[1473]],
    ['768 bits', ABOVE[768], p * ABOVE.next768],
  ])('of %s has no proof', (_, small, large) => {
    const bad = small * large;
    expect(bad >> 3071n).toBe(1n);
    // the response for the cofactor does not even fit its place
    expect(refusal(() => proveFac(ctx, { n: bad, ring: ownRing }, { p: large, q: small }, seed))).toMatch(/^E_INTERNAL/);
    const made = forge({ p: small, q: large, n: bad });
    const bound = factorBound(bad);
    expect(made.z2 > bound || made.z2 < -bound).toBe(true);
    expect(check(joined({ ...made, z2: made.z2 % (1n << 2303n) }), { n: bad })).toBe(DOES_NOT_HOLD);
    expect(check(joined({ ...made, z2: (made.z2 < 0n ? -1n : 1n) * ((1n << 2304n) - 1n) }), { n: bad })).toBe(RANGE);
    // numbers of the right size that are no factors
    expect(check(joined(forge({ n: bad })), { n: bad })).toBe(DOES_NOT_HOLD);
  });
  test('1 and N are no factors', () => {
    expect(refusal(() => proveFac(ctx, { n, ring: ownRing }, { p: 1n, q: n }, seed))).toMatch(/^E_INTERNAL/);
    expect(refusal(() => proveFac(ctx, { n, ring: ownRing }, { p: n, q: 1n }, seed))).toMatch(/^E_INTERNAL/);
  });
  test('numbers whose product is not N', () => {
    expect(check(joined(forge({ p: p + 2n })))).toBe(DOES_NOT_HOLD);
    expect(check(joined(forge({ q: q + 2n })))).toBe(DOES_NOT_HOLD);
    expect(check(joined(forge({ p: -p, q: -q })))).toBe('no error'); // the same factors
  });
});

describe('hostile input ends within a second', () => {
  // Π-fac asks for the size alone; that N is composite and without small factors is checked before, and by Π-mod
  const sizes = badModuli.filter(([name]) => /bits|even|tiny|one|zero|negative/.test(name));
  test.each(sizes)('N %s', (_, bad) => {
    expect(quickly(() => check(proof, { n: bad }))).toMatch(/^E_MODULUS/);
  });
  test.each(sizes)('N^ %s', (_, bad) => {
    expect(quickly(() => check(proof, { ring: { ...ring, nHat: bad } }))).toMatch(/^E_MODULUS/);
  });
  test('the longest responses', () => {
    const { P, Q } = parts(proof);
    const longest = joined({
      P, Q, e: -((1n << 264n) - 1n), z1: factorBound(n), z2: -factorBound(n),
      w1: -((1n << 3848n) - 1n), w2: -((1n << 3848n) - 1n), v: -((1n << 6920n) - 1n),
    });
    expect(longest.length).toBe(FAC_BYTES);
    expect(quickly(() => check(longest, { ring }))).toBe(DOES_NOT_HOLD);
    expect(quickly(() => check(flipped(longest, 100)))).toBe(DOES_NOT_HOLD);
  });
});
