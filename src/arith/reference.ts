/** Modular exponentiation on BigInt alone: what takes over where OpenSSL refuses. Not constant-time. */
import { fail } from '../wire/errors.ts';
import { invert, mod } from './integer.ts';

const WINDOW = 5n;

/**
 * base^exponent in [0, modulus), for any modulus > 0 and integers of any sign; x^0 = 1.
 * @throws E_RANGE for a negative exponent of what is no unit, E_INTERNAL for modulus < 1
 */
export function modPowReference(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (modulus < 1n) fail('E_INTERNAL', 'a modulus must be positive');
  if (exponent < 0n) return modPowReference(invert(base, modulus), -exponent, modulus);
  const b = mod(base, modulus);
  const powers = [1n];
  for (let i = 1; i < 1 << Number(WINDOW); i++) powers.push(((powers[i - 1] as bigint) * b) % modulus);
  // digits of the exponent to the base 32, most significant first
  let result = 1n % modulus;
  for (const digit of exponent.toString(1 << Number(WINDOW))) {
    for (let i = 0n; i < WINDOW; i++) result = (result * result) % modulus;
    result = (result * (powers[Number.parseInt(digit, 32)] as bigint)) % modulus;
  }
  return result;
}
