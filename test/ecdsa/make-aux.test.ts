import { checkPrimeSync } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { jacobi } from '../../src/arith/integer.ts';
import { blumPrime, safePrime } from '../../src/arith/primes.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { checkAux, isFixture } from '../../src/ecdsa/aux-info.ts';
import { AUX_SECRET_BYTES, type AuxSecret, decodeAuxSecret, drawAux, encodeAuxSecret, makePrimes } from '../../src/ecdsa/make-aux.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { concat } from '../../src/wire/bytes.ts';
import { codeOf, seeded } from '../sharing/support.ts';
import { FIXTURES, fixturePrimes } from '../support/primes.ts';

vi.mock('../../src/arith/primes.ts', async (original) => {
  const actual = await original<typeof import('../../src/arith/primes.ts')>();
  return { ...actual, blumPrime: vi.fn(actual.blumPrime), safePrime: vi.fn(actual.safePrime) };
});

const set = fixturePrimes(0);

/** What every set of primes must be. */
function expectGood({ p, q, pHat, qHat }: AuxSecret): void {
  for (const prime of [p, q, pHat, qHat]) {
    expect(checkPrimeSync(prime)).toBe(true);
    expect(prime >> 1534n).toBe(3n);
    expect(prime % 4n).toBe(3n);
  }
  for (const safe of [pHat, qHat]) expect(checkPrimeSync((safe - 1n) / 2n)).toBe(true);
  for (const n of [p * q, pHat * qHat]) expect(n.toString(2).length).toBe(3072);
}

describe('the test primes', () => {
  test('are what they should be, and all different', () => {
    const sets = Array.from({ length: FIXTURES }, (_, i) => fixturePrimes(i));
    expect(FIXTURES).toBe(10);
    for (const each of sets) expectGood(each);
    expect(new Set(sets.flatMap((each) => Object.values(each) as bigint[])).size).toBe(4 * FIXTURES);
    expect(() => fixturePrimes(FIXTURES)).toThrow(RangeError);
  });
});

describe('stored primes', () => {
  const bytes = encodeAuxSecret(set);
  test('are four numbers of 192 bytes', () => {
    expect(AUX_SECRET_BYTES).toBe(768);
    expect(bytes.length).toBe(AUX_SECRET_BYTES);
    expect(decodeAuxSecret(bytes)).toEqual(set);
  });
  test('of another length are damaged', () => {
    for (const bad of [new Uint8Array(0), bytes.slice(1), concat(bytes, Uint8Array.of(0))]) expect(codeOf(() => decodeAuxSecret(bad))).toBe('E_STATE');
  });
  test.each([
    ['two alike', { ...set, q: set.p }],
    ['one for both moduli', { ...set, pHat: set.q }],
    ['too short', { ...set, p: set.p >> 2n }],
    ['the second bit unset', { ...set, qHat: set.qHat - (1n << 1534n) }],
    ['1 mod 4', { ...set, q: set.q + 2n }],
    ['even', { ...set, pHat: set.pHat + 1n }],
  ])('damaged: %s', (_, bad) => {
    expect(codeOf(() => decodeAuxSecret(encodeAuxSecret(bad)))).toBe('E_STATE');
  });
});

describe('what is published', () => {
  test('is N, N^, a square t and s = t^λ', () => {
    const { aux, lambda } = drawAux(set, seeded('draw'));
    expect(aux.n).toBe(set.p * set.q);
    expect(aux.nHat).toBe(set.pHat * set.qHat);
    expect([jacobi(aux.t, set.pHat), jacobi(aux.t, set.qHat)]).toEqual([1, 1]);
    expect(modPowReference(aux.t, lambda, aux.nHat)).toBe(aux.s);
    expect(lambda < (set.pHat - 1n) * (set.qHat - 1n)).toBe(true);
    checkAux(aux);
  });
  test('is drawn anew each time', () => {
    const random = seeded('draws');
    const [a, b] = [drawAux(set, random), drawAux(set, random)];
    expect(a.aux.t).not.toBe(b.aux.t);
    expect(a.lambda).not.toBe(b.lambda);
    expect(drawAux(set, seeded('draws'))).toEqual(a);
  });
  test('λ is as long as the order and reaches its upper half', () => {
    const random = seeded('lambdas');
    const phi = (set.pHat - 1n) * (set.qHat - 1n);
    const lambdas = Array.from({ length: 12 }, () => drawAux(set, random).lambda);
    expect(lambdas.some((l) => l > phi / 2n) && lambdas.some((l) => l < phi / 2n)).toBe(true);
  });
});

describe('new primes', () => {
  beforeEach(() => {
    vi.clearAllMocks();
  });
  const other = fixturePrimes(1);
  test('are two Blum primes and two safe primes, begun at once', async () => {
    vi.mocked(blumPrime).mockResolvedValueOnce(set.p).mockResolvedValueOnce(set.q);
    vi.mocked(safePrime).mockResolvedValueOnce(set.pHat).mockResolvedValueOnce(set.qHat);
    const seen: string[] = [];
    const making = makePrimes((made, of) => seen.push(`${String(made)}/${String(of)}`));
    expect(vi.mocked(blumPrime).mock.calls).toEqual([[1536], [1536]]);
    expect(vi.mocked(safePrime).mock.calls).toEqual([[1536], [1536]]);
    expect(await making).toEqual(set);
    expect(seen).toEqual(['1/4', '2/4', '3/4', '4/4']);
  });
  test('that repeat mean that the source of randomness is broken', async () => {
    for (const [p, q, pHat, qHat] of [[set.p, set.p, set.pHat, set.qHat], [set.p, set.q, set.pHat, set.pHat], [set.p, set.q, set.p, set.qHat]] as const) {
      vi.mocked(blumPrime).mockResolvedValueOnce(p).mockResolvedValueOnce(q);
      vi.mocked(safePrime).mockResolvedValueOnce(pHat).mockResolvedValueOnce(qHat);
      const error = await makePrimes().catch((e: unknown) => e);
      expect(error instanceof CeremonyError && error.code).toBe('E_RNG');
    }
  });
  test('too short for a modulus are never returned', async () => {
    vi.mocked(blumPrime).mockResolvedValueOnce(set.p).mockResolvedValueOnce(other.p >> 1n);
    vi.mocked(safePrime).mockResolvedValueOnce(set.pHat).mockResolvedValueOnce(set.qHat);
    await expect(makePrimes()).rejects.toThrow('a modulus has the wrong size');
  });
  test('row 10: are good, N^ of safe primes, and none that everybody knows', { timeout: 600_000 }, async () => {
    const primes = await makePrimes();
    expectGood(primes);
    expect(isFixture(drawAux(primes, seeded('new')).aux)).toBe(false);
  });
});
