/** Powers through OpenSSL in both modes against plain square-and-multiply, on everything that a version of node treats in its own way. */
import { describe, expect, it } from 'vitest';
import { exactPower, modPow, paddedBits, usesOpenssl } from '../../src/arith/modexp.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { casesOf, expected, failuresOf, moduliOf, noise, outcome, plainPower, primeOf, randomFailures, REFUSED, SIZES } from './powers.ts';

it('this runtime computes powers with OpenSSL', () => {
  expect(usesOpenssl()).toBe(true);
});

describe.each(SIZES)('%i bits, both modes', (bits) => {
  it.each(moduliOf(bits).map((m) => [m.name, m] as const))('modulo %s', (_, modulus) => {
    // the exact mode tests its modulus for primality, which takes ten seconds and more on a long prime
    const { failures, cases } = failuresOf(modulus, modulus.slow ? ['once'] : ['once', 'reuse']);
    expect(failures).toEqual([]);
    expect(cases).toBeGreaterThan(100);
  });
});

it('the list has results of 0, 1 and m-1 from other bases than 0, 1 and -1', () => {
  const results = new Set<string>();
  for (const modulus of moduliOf(512))
    for (const each of casesOf(modulus)) {
      if (each.result !== undefined && each.exponent > 0n) expect([each.name, plainPower(each.base, each.exponent, modulus.m)]).toEqual([each.name, each.result]);
      const b = ((each.base % modulus.m) + modulus.m) % modulus.m;
      const out = expected(each, modulus.m);
      if (each.exponent === 0n || b <= 1n || b === modulus.m - 1n) continue;
      if (out === 0n || out === 1n) results.add(`${modulus.name}: ${String(out)}`);
      if (out === modulus.m - 1n) results.add(`${modulus.name}: -1`);
    }
  expect([...results].sort()).toEqual(['N: 1', 'N²: -1', 'N²: 0', 'N²: 1', 'prime: -1', 'prime: 1', 'p²: -1', 'p²: 0', 'p²: 1']);
});

it('500 random powers of random moduli', () => {
  expect(randomFailures(500)).toEqual([]);
});

it('a result that is 0 modulo the padded modulus as well', () => {
  // a base that is divisible by p and, lifted, by the whole factor of the padding
  const p = primeOf(768, 'p');
  const m = p * p;
  const largest = (1n << BigInt(paddedBits(1536) - 1536)) - 1n;
  const c = largest - 3n - (largest % 6n);
  const lifted = p * c * ((2n * m) / (p * c));
  expect(outcome(() => modPow(lifted % m, 2n, m))).toBe(0n);
  expect(plainPower(lifted, 2n, c * m)).toBe(0n);
});

describe('what is no modulus', () => {
  it.each(REFUSED)('%s', (_, m) => {
    expect(outcome(() => modPow(5n, 3n, m))).toBe('E_MODULUS');
    expect(outcome(() => exactPower(m)(5n, 3n))).toBe('E_MODULUS');
  });
  it('the longest and the shortest that are one', () => {
    for (const m of [(1n << 511n) | 1n, noise(9216, 'longest') | 1n]) {
      expect(modPow(5n, 1n << 20n, m)).toBe(plainPower(5n, 1n << 20n, m));
      expect(exactPower(m)(5n, 1n << 20n)).toBe(plainPower(5n, 1n << 20n, m));
    }
  });
});

describe('the reference', () => {
  it.each(moduliOf(512).map((m) => [m.name, m] as const))('modulo %s of 512 bits', (_, modulus) => {
    for (const each of casesOf(modulus)) expect([each.name, outcome(() => modPowReference(each.base, each.exponent, modulus.m))]).toEqual([each.name, expected(each, modulus.m)]);
  });
  it('moduli of any size and parity', () => {
    for (let m = 1n; m < 40n; m++)
      for (let b = -3n; b < 45n; b++) for (const e of [0n, 1n, 2n, 5n, 31n, 32n, 33n, 1025n]) expect([m, b, e, modPowReference(b, e, m)]).toEqual([m, b, e, plainPower(b, e, m)]);
  });
  it('a modulus that is not positive', () => {
    expect(outcome(() => modPowReference(2n, 2n, 0n))).toBe('E_INTERNAL');
    expect(outcome(() => modPowReference(2n, 2n, -7n))).toBe('E_INTERNAL');
  });
});
