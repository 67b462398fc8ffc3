/**
 * Paillier encryption modulo N² (protocol notes A.1). Public side: the key, encryption, the homomorphic operations.
 * Messages are integers modulo N, spoken of as their representatives in (-N/2, N/2).
 */
import { isUnit, mod } from '../arith/integer.ts';
import { publicModulus, type Modulus } from '../arith/modulus.ts';
import { fail } from '../wire/errors.ts';
import { requireModulus } from './parameters.ts';

/** A public key. The owner's (owner-paillier.ts) gives the same numbers faster and goes wherever this one does. */
export interface PaillierKey {
  /** N, {@link MODULUS_BITS} bits. */
  readonly n: bigint;
  /** N². */
  readonly n2: bigint;
  /** Arithmetic modulo N. */
  readonly N: Modulus;
  /** Arithmetic modulo N². */
  readonly N2: Modulus;
  /** r^N mod N². */
  nth(r: bigint): bigint;
}

/** The key with modulus n. @throws E_MODULUS unless n is odd and of the right size */
export function paillierKey(n: bigint): PaillierKey {
  requireModulus(n, 'the Paillier modulus');
  const n2 = n * n;
  const N2 = publicModulus(n2);
  return { n, n2, N: publicModulus(n), N2, nth: (r) => N2.pow(r, n) };
}

/**
 * (1 + m·N)·r^N mod N².
 * @param m the message, any integer; it counts modulo N
 * @param r the nonce, a unit modulo N; both are secret unless a proof shows them
 */
export function encrypt(key: PaillierKey, m: bigint, r: bigint): bigint {
  return ((1n + mod(m, key.n) * key.n) * key.nth(r)) % key.n2;
}

/** Encrypts the sum of the messages. */
export function add(key: PaillierKey, a: bigint, b: bigint): bigint {
  return mod(a * b, key.n2);
}

/** Encrypts the difference of the messages. @throws E_RANGE when b is no unit */
export function subtract(key: PaillierKey, a: bigint, b: bigint): bigint {
  return mod(a * key.N2.pow(b, -1n), key.n2);
}

/** Encrypts k times the message; k may be negative, and secret. @throws E_RANGE when k is negative and c no unit */
export function scale(key: PaillierKey, c: bigint, k: bigint): bigint {
  return key.N2.pow(c, k);
}

/** A ciphertext is a unit modulo N² in its canonical range: 0 < c < N² and gcd(c, N) = 1 (A.3; attack row 13). @throws E_RANGE */
export function checkCiphertext(key: PaillierKey, c: bigint, what: string): void {
  if (c <= 0n || c >= key.n2 || !isUnit(c % key.n, key.n)) fail('E_RANGE', `${what} is not a Paillier ciphertext`, { field: what });
}
