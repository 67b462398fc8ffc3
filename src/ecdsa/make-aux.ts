/**
 * A participant's own auxiliary information: its primes, and what it publishes of them (CGGMP24; protocol notes A.4,
 * A.7; attack row 10). Secret.
 */
import { expand } from '../arith/expand.ts';
import { bitLength } from '../arith/integer.ts';
import { ownedModulus } from '../arith/owner.ts';
import { blumPrime, safePrime } from '../arith/primes.ts';
import { below, unit } from '../arith/sample.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import type { AuxInfo } from './aux-info.ts';
import { intItem, natural, readNatural } from './codec.ts';
import { PRIME_BITS, PRIME_BYTES } from './parameters.ts';

/** The primes of one participant, 1536 bits each, top two bits set, = 3 mod 4; secret. */
export interface AuxSecret {
  /** Of the Paillier modulus N = p·q. */
  readonly p: bigint;
  readonly q: bigint;
  /** Of the ring-Pedersen modulus N^; safe primes. */
  readonly pHat: bigint;
  readonly qHat: bigint;
}

/** Bytes of encoded primes. */
export const AUX_SECRET_BYTES = 4 * PRIME_BYTES;

/** p ‖ q ‖ pHat ‖ qHat, {@link AUX_SECRET_BYTES}; secret, to be overwritten by the caller. @throws E_INTERNAL when one does not fit */
export function encodeAuxSecret({ p, q, pHat, qHat }: AuxSecret): Uint8Array {
  const parts = [p, q, pHat, qHat].map((each) => natural(each, PRIME_BYTES));
  const bytes = concat(...parts);
  for (const part of parts) part.fill(0);
  return bytes;
}

/** Reads what {@link encodeAuxSecret} wrote. Secret. @throws E_STATE on another length or numbers that cannot be such primes */
export function decodeAuxSecret(bytes: Uint8Array): AuxSecret {
  const reader = new Reader(bytes, 'E_STATE');
  const primes = ['p', 'q', 'pHat', 'qHat'].map((what) => readNatural(reader, PRIME_BYTES, what)) as [bigint, bigint, bigint, bigint];
  reader.end();
  if (new Set(primes).size !== 4 || !primes.every((n) => n >> BigInt(PRIME_BITS - 2) === 3n && (n & 3n) === 3n))
    fail('E_STATE', 'the stored primes are damaged');
  const [p, q, pHat, qHat] = primes;
  return { p, q, pHat, qHat };
}

/** φ(N^), the order that exponents of s and t count modulo; secret. */
export function orderOfRing({ pHat, qHat }: Pick<AuxSecret, 'pHat' | 'qHat'>): bigint {
  return (pHat - 1n) * (qHat - 1n);
}

/**
 * What is published of these primes: t = τ² for a random τ, s = t^λ modulo N^ (A.4).
 * @param random secret randomness
 * @returns the public part, and λ, which is secret and is forgotten once Π-prm is made
 * @throws E_RNG
 */
export function drawAux(primes: AuxSecret, random: Random): { aux: AuxInfo; lambda: bigint } {
  const { p, q, pHat, qHat } = primes;
  const M = ownedModulus(pHat, qHat);
  const hedged = expand(random(32), 'draw-aux/v1', ...[p, q, pHat, qHat].map(intItem));
  const t = unit(M.n, hedged) ** 2n % M.n;
  const lambda = below(orderOfRing(primes), hedged);
  return { aux: { n: p * q, nHat: M.n, s: M.pow(t, lambda), t }, lambda };
}

/**
 * New primes, all four at once and off the main thread: two Blum primes, two safe primes. Secret. Takes seconds, and
 * sometimes half a minute.
 * @param onProgress called whenever one is found, with how many there are of how many
 */
export async function makePrimes(onProgress?: (made: number, of: number) => void): Promise<AuxSecret> {
  let made = 0;
  const counted = async (prime: Promise<bigint>): Promise<bigint> => {
    const found = await prime;
    onProgress?.(++made, 4);
    return found;
  };
  const [p, q, pHat, qHat] = await Promise.all([blumPrime, blumPrime, safePrime, safePrime].map((make) => counted(make(PRIME_BITS)))) as [bigint, bigint, bigint, bigint];
  const primes = { p, q, pHat, qHat };
  if (new Set([p, q, pHat, qHat]).size !== 4) fail('E_RNG', 'two primes are the same');
  if (![p * q, pHat * qHat].every((n) => bitLength(n) === 2 * PRIME_BITS)) fail('E_INTERNAL', 'a modulus has the wrong size');
  return primes;
}
