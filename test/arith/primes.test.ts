import { describe, expect, it } from 'vitest';
import { bitLength, gcd } from '../../src/arith/integer.ts';
import { blumPrime, probablyPrime, safePrime } from '../../src/arith/primes.ts';
import { plainPower, primeOf } from './powers.ts';

describe('which numbers are prime', () => {
  it('the small ones, by trial division', () => {
    for (let n = -5n; n < 3000n; n++) {
      let prime = n > 1n;
      for (let d = 2n; d * d <= n; d++) if (n % d === 0n) prime = false;
      expect([n, probablyPrime(n)]).toEqual([n, prime]);
    }
  });
  it('not Carmichael numbers, strong pseudoprimes, squares, products', () => {
    const p = primeOf(512, 'p');
    for (const n of [561n, 1729n, 294409n, 3215031751n, 3825123056546413051n, 318665857834031151167461n, p * p, p * primeOf(513, 'q'), (1n << 1279n) + 1n]) expect([n, probablyPrime(n)]).toEqual([n, false]);
    // Arnault's Carmichael number, a strong pseudoprime to all prime bases below 307: fixed bases would not do
    const p1 = 29674495668685510550154174642905332730771991799853043350995075531276838753171770199594238596428121188033664754218345562493168782883n;
    expect(probablyPrime(p1)).toBe(true);
    const arnault = p1 * (313n * (p1 - 1n) + 1n) * (353n * (p1 - 1n) + 1n);
    const half = (arnault - 1n) / 2n;
    expect(half % 2n).toBe(1n);
    for (const b of [2n, 3n, 5n, 97n, 293n]) expect([1n, arnault - 1n]).toContain(plainPower(b, half, arnault));
    expect(probablyPrime(arnault)).toBe(false);
  });
  it('Mersenne primes', () => {
    expect([127n, 521n, 607n, 1279n].map((k) => probablyPrime((1n << k) - 1n))).toEqual([true, true, true, true]);
  });
});

describe('making them', () => {
  it.each([256, 384, 511, 768])('Blum, %i bits: p = 3 mod 4, the top two bits set', async (bits) => {
    const primes = await Promise.all(Array.from({ length: 8 }, () => blumPrime(bits)));
    for (const p of primes) expect([bitLength(p), p >> BigInt(bits - 2), p % 4n, probablyPrime(p)]).toEqual([bits, 3n, 3n, true]);
    expect(new Set(primes).size).toBe(8);
    expect(bitLength((primes[0] as bigint) * (primes[1] as bigint))).toBe(2 * bits);
  });
  it.each([128, 256, 320])('safe, %i bits: (p-1)/2 is prime (attack row 10)', async (bits) => {
    const primes = await Promise.all(Array.from({ length: 4 }, () => safePrime(bits)));
    for (const p of primes) expect([bitLength(p), p >> BigInt(bits - 2), probablyPrime(p), probablyPrime((p - 1n) / 2n), gcd(p - 1n, 12n)]).toEqual([bits, 3n, true, true, 2n]);
    expect(new Set(primes).size).toBe(4);
  });
  it('off the main thread', async () => {
    let ticks = 0;
    const clock = setInterval(() => ticks++, 1);
    await blumPrime(1536);
    clearInterval(clock);
    expect(ticks).toBeGreaterThan(3);
  });
});
