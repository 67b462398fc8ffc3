/**
 * Integers on the wire and in hashes. Every integer has one encoding: naturals are big-endian of fixed width, signed
 * integers a sign byte and the absolute value of fixed width, without a negative zero (protocol notes A.3; attack rows
 * 48, 58). The width bounds what a reader ever turns into a bigint. Secret exactly if the integer is.
 */
import { areUnits, bitLength, fromBytes, toBytes } from '../arith/integer.ts';
import { concat, type Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';

/** A natural number in `width` bytes. @throws E_INTERNAL when it does not fit */
export function natural(n: bigint, width: number): Uint8Array {
  return toBytes(n, width);
}

/** Reads a natural number of `width` bytes; its range is the caller's to check. @throws E_FORMAT when bytes are missing */
export function readNatural(reader: Reader, width: number, what: string): bigint {
  return fromBytes(reader.take(width, what));
}

/** Sign byte (1: negative) and the absolute value in `width` bytes. @throws E_INTERNAL when it does not fit */
export function signed(n: bigint, width: number): Uint8Array {
  return n < 0n ? concat(Uint8Array.of(1), toBytes(-n, width)) : concat(Uint8Array.of(0), toBytes(n, width));
}

/** Reads a sign byte and `width` bytes; the range is the caller's to check. @throws E_FORMAT for other signs, a negative zero, missing bytes */
export function readSigned(reader: Reader, width: number, what: string): bigint {
  const sign = reader.u8(what);
  const magnitude = fromBytes(reader.take(width, what));
  if (sign > 1) fail('E_FORMAT', `${what}: a sign is 0 or 1`, { field: what });
  if (sign === 1 && magnitude === 0n) fail('E_FORMAT', `${what}: there is no negative zero`, { field: what });
  return sign === 1 ? -magnitude : magnitude;
}

/** Any integer for hashing: sign byte and the shortest absolute value of at least one byte. */
export function intItem(n: bigint): Uint8Array {
  return signed(n, Math.max(1, (bitLength(n) + 7) >> 3));
}

/** A response within its bound, which is part of what a proof shows. @throws E_RANGE unless |n| ≤ bound */
export function requireRange(n: bigint, bound: bigint, what: string): void {
  if (n > bound || n < -bound) fail('E_RANGE', `${what} is out of its range`, { field: what });
}

/** Canonical units modulo n, all in one gcd. @throws E_RANGE */
export function requireUnits(values: Readonly<Record<string, bigint>>, n: bigint): void {
  const names = Object.keys(values).join(', ');
  if (!areUnits(Object.values(values), n)) fail('E_RANGE', `a value is no unit: ${names}`, { field: names });
}
