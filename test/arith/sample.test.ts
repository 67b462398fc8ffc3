/** The samplers: uniform, in the range, of the modulus they are given (attack row 49). All tests are reproducible. */
import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expand } from '../../src/arith/expand.ts';
import { fromBytes, gcd, toBytes } from '../../src/arith/integer.ts';
import { below, symmetric, unit } from '../../src/arith/sample.ts';
import { encodeItem, sha512 } from '../../src/wire/hash.ts';
import type { Random } from '../../src/wire/random.ts';
import { noise, outcome, primeOf } from './powers.ts';

const random: Random = expand(new Uint8Array(32), 'test/sample');

/** Pearson's statistic of counts against equal expectations, in standard deviations from its mean. */
function deviation(counts: readonly number[]): number {
  const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
  const chi2 = counts.reduce((sum, c) => sum + (c - mean) ** 2 / mean, 0);
  const freedom = counts.length - 1;
  return (chi2 - freedom) / Math.sqrt(2 * freedom);
}

/** How often each of the values came up in so many draws. */
function count(values: readonly bigint[], draws: number, draw: () => bigint): number[] {
  const seen = new Map(values.map((v) => [v, 0]));
  for (let i = 0; i < draws; i++) {
    const v = draw();
    const n = seen.get(v);
    if (n === undefined) throw new Error(`${String(v)} is out of range`);
    seen.set(v, n + 1);
  }
  return [...seen.values()];
}

const range = (from: bigint, to: bigint): bigint[] => Array.from({ length: Number(to - from) + 1 }, (_, i) => from + BigInt(i));

describe('the statistic can tell', () => {
  it('a sampler that reduces modulo the range', () => {
    const biased = (n: bigint): bigint => fromBytes(random(1)) % n;
    expect(deviation(count(range(0n, 99n), 40_000, () => biased(100n)))).toBeGreaterThan(20);
  });
});

describe('below', () => {
  it.each([1n, 2n, 3n, 5n, 7n, 8n, 9n, 100n, 128n, 129n, 200n, 255n, 256n, 257n, 300n])('%i: every value, evenly', (n) => {
    const counts = count(range(0n, n - 1n), Number(n) * 400, () => below(n, random));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    if (n > 1n) expect(Math.abs(deviation(counts))).toBeLessThan(4.5);
  });
  it('long ranges: every sixteenth of them, evenly', () => {
    for (const n of [noise(3072, 'a', 4n), noise(3072, 'b'), noise(1285, 'c', 5n), (1n << 3000n) + 1n, 1n << 256n]) {
      const counts = count(range(0n, 15n), 4000, () => (16n * below(n, random)) / n);
      expect(Math.abs(deviation(counts))).toBeLessThan(4.5);
    }
  });
  it('every bit of a power of two, evenly', () => {
    const ones = Array<number>(256).fill(0);
    for (let i = 0; i < 2000; i++) for (let v = below(1n << 256n, random), j = 0; j < 256; j++, v >>= 1n) ones[j] = (ones[j] as number) + Number(v & 1n);
    for (const n of ones) expect(Math.abs(n - 1000)).toBeLessThan(5 * Math.sqrt(500));
  });
  it('rejects what is too large, and does not reduce it', () => {
    const bytes = [Uint8Array.of(0xff), Uint8Array.of(0xc9), Uint8Array.of(0xc7)];
    expect(below(200n, () => bytes.shift() as Uint8Array)).toBe(199n);
    expect(bytes).toEqual([]);
  });
  it('asks for no more than the largest number needs', () => {
    for (const [n, length] of [[1n, 0], [2n, 1], [256n, 1], [257n, 2], [1n << 256n, 32], [(1n << 256n) + 1n, 33]] as const) {
      const asked = new Set<number>();
      below(n, (k) => (asked.add(k), new Uint8Array(k)));
      expect([n, [...asked]]).toEqual([n, [length]]);
    }
  });
  it('wipes what it drew', () => {
    const bytes = Uint8Array.of(7);
    expect(below(8n, () => bytes)).toBe(0n);
    expect(bytes).toEqual(Uint8Array.of(0));
  });
});

describe('symmetric', () => {
  it.each([0n, 1n, 2n, 7n, 64n, 150n])('%i: from -bound to bound, evenly', (bound) => {
    const counts = count(range(-bound, bound), Number(2n * bound + 1n) * 400, () => symmetric(bound, random));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    if (bound > 0n) expect(Math.abs(deviation(counts))).toBeLessThan(4.5);
  });
  it('long bounds', () => {
    const bound = 1n << 768n;
    const counts = count(range(0n, 15n), 4000, () => (16n * (symmetric(bound, random) + bound)) / (2n * bound + 1n));
    expect(Math.abs(deviation(counts))).toBeLessThan(4.5);
  });
});

describe('unit', () => {
  it.each([2n, 3n, 9n, 15n, 16n, 77n, 105n, 210n, 221n])('%i: every unit and nothing else, evenly', (n) => {
    const units = range(1n, n - 1n).filter((a) => gcd(a, n) === 1n);
    const counts = count(units, units.length * 400, () => unit(n, random));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    if (units.length > 1) expect(Math.abs(deviation(counts))).toBeLessThan(4.5);
  });
  it('row 49: of the modulus that is given, the larger or the smaller of two', () => {
    const [a, b] = [primeOf(256, 'a', 7n) * primeOf(256, 'b', 7n), primeOf(256, 'c', 4n) * primeOf(256, 'd', 4n)];
    expect(a > 2n * b).toBe(true);
    for (const n of [a, b]) {
      const drawn = Array.from({ length: 1000 }, () => unit(n, random));
      expect(drawn.every((x) => x > 0n && x < n && gcd(x, n) === 1n)).toBe(true);
      expect(Math.abs(deviation(count(range(0n, 15n), 1000, () => (16n * (drawn.pop() as bigint)) / n)))).toBeLessThan(4.5);
    }
    // what was drawn for the larger one is mostly no number of the smaller, which the sampler above would show
    expect(Array.from({ length: 100 }, () => unit(a, random)).filter((x) => x >= b).length).toBeGreaterThan(30);
  });
  it('passes over multiples of a factor', () => {
    // 0, 7 and 11 modulo 77, then 10
    const bytes = [0, 7 << 1, 11 << 1, 10 << 1].map((b) => Uint8Array.of(b));
    expect(unit(77n, () => bytes.shift() as Uint8Array)).toBe(10n);
  });
});

describe('bad ranges and bad sources', () => {
  it.each([
    ['below 0', () => below(0n, random)],
    ['below -5', () => below(-5n, random)],
    ['symmetric -1', () => symmetric(-1n, random)],
    ['units of 1', () => unit(1n, random)],
    ['units of 0', () => unit(0n, random)],
    ['units of -7', () => unit(-7n, random)],
  ])('%s', (_, draw) => {
    expect(outcome(draw)).toBe('E_INTERNAL');
  });
  it.each<[string, Random]>([
    ['too short', (n) => random(n - 1)],
    ['too long', (n) => random(n + 1)],
    ['always ones', (n) => new Uint8Array(n).fill(255)],
  ])('a source that gives %s', (_, source) => {
    for (const draw of [() => below(200n, source), () => symmetric(100n, source), () => unit(201n, source)]) expect(outcome(draw)).toBe('E_RNG');
  });
  it('a source that gives always zeros has no unit', () => {
    expect(outcome(() => unit(77n, (n) => new Uint8Array(n)))).toBe('E_RNG');
  });
});

describe('expand', () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
  it('is AES-256-CTR keyed with the digest of label, seed and items', () => {
    const d = sha512(encodeItem(['mpc-ceremony/expand/label/v1', seed, [toBytes(5n, 4), 'text', [1, 2]]]));
    const want = createCipheriv('aes-256-ctr', d.slice(0, 32), d.slice(32, 48)).update(new Uint8Array(1000));
    expect(expand(seed, 'label/v1', toBytes(5n, 4), 'text', [1, 2])(1000)).toEqual(new Uint8Array(want));
  });
  it('vector, so that no version of node or of this program gives another stream', () => {
    expect(Buffer.from(expand(seed, 'label/v1', 'item')(24)).toString('hex')).toBe('5e5664deabdc2725914e9ad793b4f21b30b2993f4a828155');
  });
  it('is the same however it is divided into calls', () => {
    const whole = expand(seed, 'x', 'y')(500);
    const stream = expand(seed, 'x', 'y');
    const parts = [0, 1, 15, 16, 17, 31, 0, 33, 387].map((n) => stream(n));
    expect(Uint8Array.from(parts.flatMap((p) => [...p]))).toEqual(whole);
  });
  it('gives bytes of its own with every call', () => {
    const stream = expand(seed, 'x');
    const a = stream(16);
    const kept = a.slice();
    stream(16).fill(0);
    expect(a).toEqual(kept);
    expect(expand(seed, 'x')(16)).toEqual(kept);
  });
  it('anything else gives another stream', () => {
    const other = seed.slice();
    other[31] = 0;
    const streams = [
      expand(seed, 'x', 'y'), expand(other, 'x', 'y'), expand(seed.slice(1), 'x', 'y'), expand(seed, 'x'), expand(seed, 'xy'), expand(seed, 'x', 'y', ''), expand(seed, 'x', ['y']), expand(seed, 'x', 'y', []),
      expand(seed, 'x', new TextEncoder().encode('y')), expand(new Uint8Array(0), 'x', seed, 'y'), expand(seed, 'x', 'Y'),
    ].map((s) => Buffer.from(s(32)).toString('hex'));
    expect(new Set(streams).size).toBe(streams.length);
  });
  it('bytes are even', () => {
    const counts = Array<number>(256).fill(0);
    for (const b of expand(seed, 'even')(256 * 400)) counts[b] = (counts[b] as number) + 1;
    expect(Math.abs(deviation(counts))).toBeLessThan(4.5);
  });
});
