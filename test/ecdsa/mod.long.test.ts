import { describe, expect, test } from 'vitest';
import { fromBytes, gcd, invert, jacobi } from '../../src/arith/integer.ts';
import { adaptiveModulus, type Modulus, PRIME_SET_UP, publicModulus } from '../../src/arith/modulus.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { packBits, unpackBits } from '../../src/ecdsa/bits.ts';
import { natural } from '../../src/ecdsa/codec.ts';
import type { ProofContext } from '../../src/ecdsa/context.ts';
import { checkMod, fourthPower, MOD_BYTES, modChallenges, selected } from '../../src/ecdsa/mod.ts';
import { proveMod } from '../../src/ecdsa/prove-mod.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { seeded } from '../sharing/support.ts';
import { ABOVE, ABOVE_SMALL, badModuli, bind, ctx, flipped, otherContexts, party, quickly, refusal } from './set-up.ts';

const { N, primes } = party(0);
const { n } = N;
const { p, q } = primes;
const seed = bind(7);
const proof = proveMod(ctx, { N }, { p, q }, seed);
/** By default as the owner of N computes, which gives the same verdict four times faster. */
const check = (bytes: Uint8Array, of: Modulus = N, where: ProofContext = ctx): string => refusal(() => { checkMod(where, { N: of }, bytes); });

const UNIT = 'E_RANGE w of Π-mod is no unit';
const SYMBOL = 'E_PROOF w of Π-mod does not have the Jacobi symbol -1';
const RANGE = 'E_RANGE a root of Π-mod is out of range';
const FOURTH = 'E_PROOF Π-mod does not hold: a fourth root is wrong';
const NTH = 'E_PROOF Π-mod does not hold: an N-th root is wrong';

/** One repetition. */
interface Root {
  readonly negative: boolean;
  readonly withW: boolean;
  readonly x: bigint;
  readonly z: bigint;
}

/** A proof taken apart. */
function parts(bytes: Uint8Array): { w: bigint; roots: Root[] } {
  const number = (at: number): bigint => fromBytes(bytes.subarray(at, at + 384));
  const a = unpackBits(bytes.subarray(384, 400));
  const b = unpackBits(bytes.subarray(400, 416));
  const roots = a.map((negative, k) => ({ negative, withW: b[k] as boolean, x: number(416 + 768 * k), z: number(800 + 768 * k) }));
  return { w: number(0), roots };
}
const joined = (w: bigint, roots: readonly Root[]): Uint8Array =>
  concat(
    natural(w, 384),
    packBits(roots.map((r) => r.negative)),
    packBits(roots.map((r) => r.withW)),
    ...roots.flatMap((r) => [natural(r.x, 384), natural(r.z, 384)]),
  );
/** The proof with one repetition changed. */
function withRoot(k: number, change: (root: Root) => Partial<Root>): Uint8Array {
  const { w, roots } = parts(proof);
  const root = roots[k] as Root;
  return joined(w, roots.with(k, { ...root, ...change(root) }));
}

/** The number modulo the product of pairwise coprime moduli that has these residues. */
function joinResidues(residues: readonly bigint[], moduli: readonly bigint[]): bigint {
  const product = moduli.reduce((a, b) => a * b, 1n);
  return moduli.reduce((sum, m, i) => (sum + (residues[i] as bigint) * (product / m) * invert(product / m, m)) % product, 0n);
}

/**
 * The best that somebody can do who knows the primes of N, which may be any: for each y the first of the four numbers
 * that has a fourth root, found prime by prime, or else no root at all.
 */
class Forger {
  readonly n: bigint;
  readonly factors: readonly bigint[];
  readonly #arithmetic: Modulus[];
  constructor(...factors: readonly bigint[]) {
    this.factors = factors;
    this.n = factors.reduce((a, b) => a * b, 1n);
    this.#arithmetic = factors.map((f) => (f >> 600n > 0n ? adaptiveModulus(f, PRIME_SET_UP) : { n: f, pow: (b, e) => modPowReference(b, e, f) }));
  }
  #root(y: bigint, degree: bigint): bigint | undefined {
    const residues: bigint[] = [];
    for (const [i, f] of this.factors.entries()) {
      const order = f - 1n;
      // y^e is a root if there is one; degree 4 has no inverse modulo 2, so the odd part of the order counts
      let odd = order;
      while (degree === 4n && odd % 2n === 0n) odd /= 2n;
      if (gcd(degree, odd) !== 1n) return undefined;
      const candidate = (this.#arithmetic[i] as Modulus).pow(y % f, invert(degree, odd));
      if (modPowReference(candidate, degree, f) !== y % f) return undefined;
      residues.push(candidate);
    }
    return joinResidues(residues, this.factors);
  }
  fourth(y: bigint): bigint | undefined {
    return this.#root(y, 4n);
  }
  /** What of y, -y, w·y, -w·y has a fourth root, and the root. */
  choice(y: bigint, w: bigint): Omit<Root, 'z'> | undefined {
    for (const withW of [false, true])
      for (const negative of [false, true]) {
        const x = this.fourth(selected(y, w, negative, withW, this.n));
        if (x !== undefined) return { negative, withW, x };
      }
    return undefined;
  }
  nth(y: bigint): bigint | undefined {
    const exponents = this.factors.map((f) => (gcd(this.n, f - 1n) === 1n ? invert(this.n, f - 1n) : undefined));
    if (exponents.includes(undefined)) return undefined;
    return joinResidues(this.factors.map((f, i) => (this.#arithmetic[i] as Modulus).pow(y % f, exponents[i] as bigint)), this.factors);
  }
  /** A whole proof with this w, which on the wire may stand as another number; where there is no root stands 1. */
  proof(w: bigint, written = w): Uint8Array {
    const ys = modChallenges(ctx, { N: publicModulus(this.n) }, written);
    return joined(written, ys.map((y) => ({ ...(this.choice(y, w) ?? { negative: false, withW: false, x: 1n }), z: this.nth(y) ?? 1n })));
  }
  /** The same with 1 for every N-th root, which saves most of the time. */
  fourthRoots(w: bigint): Uint8Array {
    const ys = modChallenges(ctx, { N: publicModulus(this.n) }, w);
    return joined(w, ys.map((y) => ({ ...(this.choice(y, w) ?? { negative: false, withW: false, x: 1n }), z: 1n })));
  }
  /** A w with this symbol. */
  w(symbol: 1 | -1, from = seeded('w')): bigint {
    for (;;) {
      const w = fromBytes(from(384)) % this.n;
      if (jacobi(w, this.n) === symbol) return w;
    }
  }
}

describe('an honest proof', () => {
  test('holds, for whoever checks it', () => {
    expect(proof.length).toBe(MOD_BYTES);
    expect(MOD_BYTES).toBe(98_720);
    expect(check(proof, publicModulus(n))).toBe('no error');
    expect(check(proof)).toBe('no error');
  });
  test('has principal fourth roots and N-th roots, of all four kinds', () => {
    const { w, roots } = parts(proof);
    const ys = modChallenges(ctx, { N }, w);
    expect(new Set(ys).size).toBe(128);
    expect(jacobi(w, n)).toBe(-1);
    for (const [k, { negative, withW, x, z }] of roots.entries()) {
      const y = selected(ys[k] as bigint, w, negative, withW, n);
      expect([jacobi(y, p), jacobi(y, q)]).toEqual([1, 1]);
      expect([jacobi(x, p), jacobi(x, q)]).toEqual([1, 1]);
      expect(fourthPower(x, n)).toBe(y);
      if (k < 6) expect(modPowReference(z, n, n)).toBe(ys[k]);
    }
    expect(new Set(roots.map(({ negative, withW }) => `${String(negative)} ${String(withW)}`)).size).toBe(4);
  });
  test('holds for other primes', () => {
    for (let i = 1; i < 4; i++) {
      const { N: other, primes: of } = party(i);
      expect(check(proveMod(ctx, { N: other }, of, bind(i)), other)).toBe('no error');
    }
    // and either way round
    expect(check(proveMod(ctx, { N }, { p: q, q: p }, bind(9)))).toBe('no error');
  });
  test('is what somebody who goes prime by prime finds', () => {
    const { w, roots } = parts(proof);
    const forger = new Forger(p, q);
    const ys = modChallenges(ctx, { N }, w);
    for (const k of [0, 1, 2, 3, 4, 5]) {
      expect(forger.choice(ys[k] as bigint, w)).toEqual({ negative: roots[k]?.negative, withW: roots[k]?.withW, x: roots[k]?.x });
      expect(forger.nth(ys[k] as bigint)).toBe(roots[k]?.z);
    }
  });
  test('is hedged: the same of the same, another w of anything else', () => {
    const w = (where = ctx, from = seed): bigint => parts(proveMod(where, { N }, { p, q }, from)).w;
    expect(toHex(proveMod(ctx, { N }, { p, q }, seed))).toBe(toHex(proof));
    expect(new Set([parts(proof).w, w(ctx, bind(8)), ...otherContexts.map((c) => w(c))]).size).toBe(5);
    expect(refusal(() => proveMod(ctx, { N }, { p, q }, seed.subarray(1)))).toMatch(/^E_RNG/);
  });
});

describe('the challenges', () => {
  test('cover the context, N and w (row 15)', () => {
    const first = (c: ProofContext, m: bigint, w: bigint): bigint => modChallenges(c, { N: publicModulus(m) }, w)[0] as bigint;
    const seen = [first(ctx, n, 5n), ...otherContexts.map((c) => first(c, n, 5n)), first(ctx, n + 2n, 5n), first(ctx, n, 6n)];
    expect(new Set(seen).size).toBe(seen.length);
  });
  test('are uniform modulo N, not squares (row 8), and reach its top', () => {
    const ys = [5n, 6n, 7n, 8n].flatMap((w) => modChallenges(ctx, { N }, w));
    expect(ys.every((y) => y >= 0n && y < n)).toBe(true);
    const share = (test: (y: bigint) => boolean): number => ys.filter(test).length / ys.length;
    for (const part of [share((y) => jacobi(y, p) === 1), share((y) => jacobi(y, q) === 1), share((y) => y < n / 2n)]) {
      expect(part).toBeGreaterThan(0.4);
      expect(part).toBeLessThan(0.6);
    }
    expect(share((y) => y > n - n / 50n)).toBeGreaterThan(0);
    // three quarters of what 384 bytes hold: reduced instead of rejected, half of the numbers would be in the lowest third
    const third = 1n << 3070n;
    const others = [5n, 6n, 7n, 8n].flatMap((w) => modChallenges(ctx, { N: publicModulus(3n * third + 1n) }, w));
    const low = others.filter((y) => y < third).length / others.length;
    expect(low).toBeGreaterThan(0.25);
    expect(low).toBeLessThan(0.42);
  });
});

describe('refused', () => {
  test('another context: a proof of somebody else, of elsewhere, for others (rows 6, 11, 18)', () => {
    for (const c of otherContexts) expect(check(proof, N, c)).toBe(FOURTH);
  });
  test('row 11: a proof for the modulus of somebody else', () => {
    expect(check(proof, party(1).N)).toMatch(/^E_/);
    expect(check(proveMod(ctx, party(1), party(1).primes, seed), N)).toMatch(/^E_/);
  });
  test('row 3: 127, 129, 1 or 0 repetitions', () => {
    for (const count of [127, 1, 0]) expect(check(proof.slice(0, 416 + 768 * count))).toMatch(/^E_FORMAT/);
    expect(check(concat(proof, proof.slice(-768)))).toMatch(/^E_FORMAT/);
    expect(check(proof.slice(0, -1))).toMatch(/^E_FORMAT/);
    expect(check(new Uint8Array(0))).toMatch(/^E_FORMAT/);
  });
  test('one valid repetition, 128 times', () => {
    const { w, roots } = parts(proof);
    expect(check(joined(w, roots.map(() => roots[0] as Root)))).toBe(FOURTH);
  });
  test.each([0, 77, 127])('repetition %i: a root, a sign or a selection changed', (k) => {
    expect(check(withRoot(k, ({ x }) => ({ x: (x * 2n) % n })))).toBe(FOURTH);
    expect(check(withRoot(k, ({ negative }) => ({ negative: !negative })))).toBe(FOURTH);
    expect(check(withRoot(k, ({ withW }) => ({ withW: !withW })))).toBe(FOURTH);
    expect(check(withRoot(k, ({ z }) => ({ z: n - z })))).toBe(NTH);
    expect(check(withRoot(k, ({ z }) => ({ z: z + 1n })))).toBe(NTH);
  });
  test('another w', () => {
    const { roots } = parts(proof);
    expect(check(joined(new Forger(p, q).w(-1, seeded('other w')), roots))).toBe(FOURTH);
    // w = J makes no other y: this one is not even of symbol -1
    expect(check(flipped(proof, 383))).toMatch(/^E_(?:PROOF|RANGE)/);
  });
  test('roots not in (0, N), though the equations hold', () => {
    const fits = (value: bigint): boolean => value < 1n << 3072n;
    const { roots } = parts(proof);
    const small = (root: 'x' | 'z'): number => roots.findIndex((each) => fits(each[root] + n));
    // of x and -x, both of which are fourth roots, one may be small enough
    const k = small('x');
    expect(k >= 0 && small('z') >= 0).toBe(true);
    expect(check(withRoot(k, ({ x }) => ({ x: x + n })))).toBe(RANGE);
    expect(check(withRoot(small('z'), ({ z }) => ({ z: z + n })))).toBe(RANGE);
    for (const bad of [0n, n]) {
      expect(check(withRoot(0, () => ({ x: bad })))).toBe(RANGE);
      expect(check(withRoot(127, () => ({ z: bad })))).toBe(RANGE);
    }
  });
});

describe('row 7: a w that is no non-residue', () => {
  const { roots } = parts(proof);
  const three = new Forger(p, ABOVE[768], ABOVE.next768);
  test('0, with which x = 0 solves everything for any N', () => {
    const ys = modChallenges(ctx, { N: publicModulus(three.n) }, 0n);
    const solved = ys.map((y): Root => ({ negative: false, withW: true, x: 0n, z: three.nth(y) as bigint }));
    for (const [k, y] of ys.entries()) {
      expect(fourthPower(0n, three.n)).toBe(selected(y, 0n, false, true, three.n));
      if (k < 3) expect(modPowReference((solved[k] as Root).z, three.n, three.n)).toBe(y);
    }
    expect(check(joined(0n, solved), publicModulus(three.n))).toBe(UNIT);
    expect(check(joined(0n, solved.map((root) => ({ ...root, x: 1n }))), publicModulus(three.n))).toBe(UNIT);
  });
  test('N', () => {
    expect(check(joined(n, roots))).toBe(UNIT);
  });
  test('a prime of N', () => {
    expect(check(joined(p, roots))).toBe(UNIT);
    expect(check(joined(q, roots))).toBe(UNIT);
  });
  test('two of three primes, with which everything has a root that is not 0', () => {
    const w = ABOVE[768] * ABOVE.next768;
    const bytes = three.fourthRoots(w);
    const ys = modChallenges(ctx, { N: publicModulus(three.n) }, w);
    for (const [k, { negative, withW, x }] of parts(bytes).roots.entries()) {
      expect(x > 0n && x < three.n).toBe(true);
      expect(fourthPower(x, three.n)).toBe(selected(ys[k] as bigint, w, negative, withW, three.n));
    }
    expect(check(bytes, publicModulus(three.n))).toBe(UNIT);
  });
  test('a square, or anything else of symbol 1', () => {
    const forger = new Forger(p, q);
    for (const w of [4n, forger.w(-1) ** 2n % n, forger.w(1), n - 4n]) expect(check(forger.fourthRoots(w))).toBe(SYMBOL);
  });
  test('above N, though the equations hold', () => {
    const forger = new Forger(p, q);
    // small enough to fit 384 bytes with N added
    let w = 5n;
    while (jacobi(w, n) !== -1) w++;
    expect(check(forger.proof(w))).toBe('no error');
    expect(check(forger.proof(w, w + n))).toBe(UNIT);
  });
});

describe('a modulus that is not of two primes = 3 mod 4', () => {
  test('row 8: three primes: half of the challenges have no root, though all of their squares have', () => {
    const forger = new Forger(p, ABOVE[768], ABOVE.next768);
    expect(forger.factors.every((f) => f % 4n === 3n)).toBe(true);
    const w = forger.w(-1);
    const ys = modChallenges(ctx, { N: publicModulus(forger.n) }, w);
    const solved = ys.filter((y) => forger.choice(y, w) !== undefined).length;
    expect(solved).toBeGreaterThan(32);
    expect(solved).toBeLessThan(96);
    expect(ys.slice(0, 24).every((y) => forger.fourth((y * y) % forger.n) !== undefined)).toBe(true);
    expect(check(forger.fourthRoots(w), publicModulus(forger.n))).toBe(FOURTH);
  });
  test('row 4: three primes, one of 64 bits', () => {
    const forger = new Forger(p, ABOVE[63], ABOVE[1473]);
    expect(check(forger.fourthRoots(forger.w(-1)), publicModulus(forger.n))).toBe(FOURTH);
  });
  test('row 4: two primes, one of 64 bits, are a true statement; it is Π-fac that refuses them', () => {
    const forger = new Forger(ABOVE[63], ABOVE[3008]);
    expect(check(forger.proof(forger.w(-1)), publicModulus(forger.n))).toBe('no error');
  });
  test('a prime = 1 mod 4', () => {
    const forger = new Forger(p, ABOVE[1536]);
    expect(check(forger.fourthRoots(forger.w(-1)), publicModulus(forger.n))).toBe(FOURTH);
  });
  test('the square of a prime: fourth roots exist, N-th roots do not', () => {
    const r = ABOVE[768];
    const N = publicModulus(r * r * p);
    // the prover's own way works for the order of this group; the N-th roots are anything
    const order = r * (r - 1n) * (p - 1n);
    const fourthRoot = ((order + 4n) / 8n) ** 2n % order;
    let w = 2n;
    while (jacobi(w, r) !== 1 || jacobi(w, p) !== -1) w++;
    const ys = modChallenges(ctx, { N }, w);
    const wRoot = N.pow(w, fourthRoot);
    const solved = ys.map((y): Root => {
      const x = N.pow(y, fourthRoot);
      for (const [withW, candidate] of [[false, x], [true, (x * wRoot) % N.n]] as const)
        for (const negative of [false, true])
          if (fourthPower(candidate, N.n) === selected(y, w, negative, withW, N.n)) return { negative, withW, x: candidate, z: y };
      throw new Error('a fourth root should exist');
    });
    expect(check(joined(w, solved), N)).toBe(NTH);
  });
  test.each(badModuli)('hostile, refused within a second: N %s', (_, bad) => {
    expect(quickly(() => check(proof, publicModulus(bad)))).toMatch(/^E_MODULUS/);
  });
  test('a challenge that is no unit', () => {
    // a true statement with so small a prime that one can search for a y that it divides
    const forger = new Forger(ABOVE_SMALL, ABOVE[3055]);
    const N = publicModulus(forger.n);
    let w = 2n;
    for (; ; w++) if (jacobi(w, forger.n) === -1 && modChallenges(ctx, { N }, w).some((y) => y % ABOVE_SMALL === 0n)) break;
    const ys = modChallenges(ctx, { N }, w);
    const bytes = forger.proof(w);
    for (const [k, { negative, withW, x }] of parts(bytes).roots.entries())
      expect(fourthPower(x, forger.n)).toBe(selected(ys[k] as bigint, w, negative, withW, forger.n));
    expect(check(bytes, N)).toBe('E_PROOF a challenge of Π-mod is no unit');
  });
});
