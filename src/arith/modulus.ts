/** Moduli that many powers are taken of: the first ones padded, and exact once the set-up has paid off. */
import { bitLength } from './integer.ts';
import { exactPower, modPow, paddedBits } from './modexp.ts';

/** A modulus n and its powers. */
export interface Modulus {
  readonly n: bigint;
  /** base^exponent in [0, n); the exponent may be negative. Constant-time in its bits. @throws E_RANGE when a negative one meets what is no unit */
  pow(base: bigint, exponent: bigint): bigint;
}

/**
 * A modulus that begins with padded powers and goes over to exact ones when what the padding has cost in total reaches
 * the cost of the set-up; whatever follows, at most twice the best choice is spent.
 * @param n odd, 512..9216 bits
 * @param setUp cost of the set-up in exponentiations with exponents of n's length: 1, or {@link PRIME_SET_UP}
 * @throws E_MODULUS on another n
 */
export function adaptiveModulus(n: bigint, setUp = 1): Modulus {
  const bits = bitLength(n);
  // multiplication is quadratic in the length, so this is the part of each power that padding adds
  const waste = (paddedBits(bits) / bits) ** 2 - 1;
  let left = (setUp * bits) / waste; // bits of exponents
  let exact: Modulus['pow'] | undefined;
  return {
    n,
    pow(base, exponent) {
      if (!exact) {
        if (left > 0) {
          left -= bitLength(exponent);
          return modPow(base, exponent, n);
        }
        exact = exactPower(n);
      }
      return exact(base, exponent);
    },
  };
}

/** The set-up of a prime modulus: OpenSSL runs all rounds of its primality test on it. */
export const PRIME_SET_UP = 60;

/** Moduli that are remembered: more than one step of a ceremony of the largest size meets. */
const REMEMBERED = 256;
const memory = new Map<bigint, Modulus>();

/**
 * A public modulus: adaptive, and the same object for the same n as long as it is remembered.
 * @param n odd, 512..9216 bits; never a secret prime, which {@link ownedModulus} takes
 * @throws E_MODULUS on another n, at the first power
 */
export function publicModulus(n: bigint): Modulus {
  const known = memory.get(n);
  if (known) return known;
  const fresh = adaptiveModulus(n);
  if (memory.size >= REMEMBERED) memory.delete(memory.keys().next().value as bigint);
  memory.set(n, fresh);
  return fresh;
}
