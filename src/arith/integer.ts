/**
 * Integers: bytes, residues, inverses, Jacobi symbols and units. All of it is variable-time BigInt arithmetic: what is
 * secret passes through here for the length of one operation and shows at most its size and, in {@link invert} and
 * {@link gcd}, the number of Euclid's steps.
 */
import { fail } from '../wire/errors.ts';

/** Bits of |n|; 0 for 0. */
export function bitLength(n: bigint): number {
  if (n === 0n) return 0;
  const hex = (n < 0n ? -n : n).toString(16);
  return 4 * hex.length - Math.clz32(Number.parseInt(hex[0] as string, 16)) + 28;
}

/** The natural number of big-endian bytes; 0 for no bytes. */
export function fromBytes(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`);
}

/**
 * Big-endian bytes of a natural number, padded with zeros to `length`.
 * @throws E_INTERNAL when it is negative or does not fit
 */
export function toBytes(n: bigint, length: number): Uint8Array {
  const hex = n === 0n ? '' : n.toString(16);
  if (n < 0n || hex.length > 2 * length) fail('E_INTERNAL', 'a number does not fit its width');
  const bytes = new Uint8Array(length);
  Buffer.from(bytes.buffer).write(hex.padStart(2 * length, '0'), 'hex');
  return bytes;
}

/** The residue of a in [0, m), m > 0. */
export function mod(a: bigint, m: bigint): bigint {
  const r = a % m;
  return r < 0n ? r + m : r;
}

/** The residue of a in (-m/2, m/2], m > 0: the lift of scalars and plaintexts (A.1). */
export function centred(a: bigint, m: bigint): bigint {
  const r = mod(a, m);
  return 2n * r > m ? r - m : r;
}

/** Greatest common divisor, not negative; gcd(0, 0) = 0. */
export function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/**
 * The inverse of a modulo m, in [0, m), m > 0.
 * @throws E_RANGE when a is no unit
 */
export function invert(a: bigint, m: bigint): bigint {
  let [r, next] = [m, mod(a, m)];
  let [s, t] = [0n, 1n]; // s·a = r and t·a = next, modulo m
  while (next !== 0n) {
    const q = r / next;
    [r, next] = [next, r - q * next];
    [s, t] = [t, s - q * t];
  }
  if (r !== 1n) fail('E_RANGE', 'a number has no inverse');
  return mod(s, m);
}

/** Number of times that 2 divides n > 0. */
function twos(n: bigint): bigint {
  for (let count = 0n; ; count += 64n) {
    const low = BigInt.asUintN(64, n >> count);
    if (low !== 0n) return count + BigInt(bitLength(low & -low) - 1);
  }
}

/**
 * The Jacobi symbol (a|n) for odd n > 0: 1, -1, or 0 when they have a common factor.
 * @throws E_INTERNAL for other n
 */
export function jacobi(a: bigint, n: bigint): -1 | 0 | 1 {
  if (n <= 0n || (n & 1n) === 0n) fail('E_INTERNAL', 'the Jacobi symbol needs an odd modulus');
  let top = mod(a, n);
  let bottom = n;
  let negative = false;
  while (top !== 0n) {
    const k = twos(top);
    top >>= k;
    const low = bottom & 7n;
    if ((k & 1n) === 1n && (low === 3n || low === 5n)) negative = !negative;
    if ((low & 3n) === 3n && (top & 3n) === 3n) negative = !negative;
    [top, bottom] = [bottom % top, top];
  }
  if (bottom !== 1n) return 0;
  return negative ? -1 : 1;
}

/**
 * Floor of the square root.
 * @throws E_INTERNAL for negative n
 */
export function isqrt(n: bigint): bigint {
  if (n < 0n) fail('E_INTERNAL', 'no square root of a negative number');
  if (n < 2n) return n;
  // Newton from above falls until it has arrived
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Whether 0 < a < n and gcd(a, n) = 1 (A.3). */
export function isUnit(a: bigint, n: bigint): boolean {
  return a > 0n && a < n && gcd(n, a) === 1n;
}

/** Whether all are units of Z_n in (0, n): one gcd, of their product (A.3). An empty list is. */
export function areUnits(list: readonly bigint[], n: bigint): boolean {
  if (!list.every((a) => a > 0n && a < n)) return false;
  return gcd(n, list.reduce((product, a) => (product * a) % n, 1n)) === 1n;
}
