/** Primes, from OpenSSL. Secret where they become factors of a modulus. */
import { checkPrimeSync, generatePrime } from 'node:crypto';
import { bitLength } from './integer.ts';

/**
 * Whether n is prime, with the 64 (above 2048 bits 128) Miller-Rabin rounds to random bases that OpenSSL runs: a
 * composite passes with a probability of 2^-128, whoever has chosen it.
 */
export function probablyPrime(n: bigint): boolean {
  return n > 1n && checkPrimeSync(n, { checks: 64 });
}

const generate = (bits: number, options: { add: bigint; rem: bigint } | { safe: true }): Promise<bigint> =>
  new Promise((resolve, reject) => {
    generatePrime(bits, { ...options, bigint: true }, (error, prime) => {
      if (error) reject(error);
      else resolve(prime);
    });
  });

/** Draws until length and the two top bits are right: the product of two such primes has exactly 2·bits bits. */
async function topTwo(bits: number, options: Parameters<typeof generate>[1]): Promise<bigint> {
  for (;;) {
    const prime = await generate(bits, options);
    if (bitLength(prime) === bits && prime >> BigInt(bits - 2) === 3n) return prime;
  }
}

/** A prime p = 3 mod 4 of exactly so many bits, top two set, made off the main thread; secret (A.4). */
export function blumPrime(bits: number): Promise<bigint> {
  // OpenSSL sets only the top bit when the residue is given
  return topTwo(bits, { add: 4n, rem: 3n });
}

/** A prime p with (p-1)/2 prime, of exactly so many bits, top two set, made off the main thread; secret (A.4). Takes seconds. */
export function safePrime(bits: number): Promise<bigint> {
  return topTwo(bits, { safe: true });
}
