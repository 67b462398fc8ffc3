/**
 * Modular exponentiation through OpenSSL: a Diffie-Hellman object whose prime is the modulus, whose private key is the
 * exponent and whose peer's public key is the base gives base^exponent. OpenSSL treats that exponent as secret
 * (BN_FLG_CONSTTIME): a Montgomery exponentiation with fixed windows and table look-ups that touch every entry.
 *
 * Two things about it are not obvious.
 * - Making the object tests the modulus for primality. That ends at once when 3 divides it; it takes as long as one
 *   exponentiation on a product of large primes, sixty on a prime of 1536 bits, 240 on a safe prime of 3072.
 * - A result of 0, 1 or modulus - 1 is refused, and so are such bases: by an exception, an empty or an all-zero buffer,
 *   depending on the version of node. Nothing is read from error texts: what is no non-zero number of full width is a refusal.
 *
 * What time shows: the length of the exponent in words of 64 bits, its sign, whether it is 0, and the size of the modulus; not
 * its other bits. Conversions, lifting and the reduction of base and result are BigInt arithmetic, whose time depends on
 * lengths and, in the last places, on values. BigInts and their hexadecimal strings cannot be overwritten; buffers are.
 */
import { createDiffieHellman, type DiffieHellman } from 'node:crypto';
import { fail } from '../wire/errors.ts';
import { bitLength, fromBytes, gcd, invert, mod, toBytes } from './integer.ts';
import { modPowReference } from './reference.ts';

/** Bits of the moduli that are accepted: OpenSSL takes 512 to 10000 in Diffie-Hellman, of which padding needs up to 528. */
const MIN_BITS = 512;
const MAX_BITS = 9216;

/** OpenSSL's fast multiplication works on blocks of eight words of 64 bits. */
const BLOCK_BITS = 512;

/** Room for the factor of a padded modulus: enough for three times the smallest odd prime that does not divide the modulus. */
const ROOM_BITS = 16;

/** Not used in any computation. With 2 node recognises the primes of RFC 3526, and versions with OpenSSL 3.5 then refuse bases outside the subgroup. */
const GENERATOR = 3;

const ONE = Uint8Array.of(1);

/** @throws E_MODULUS unless the modulus is odd, positive and of 512..9216 bits */
function requireModulus(modulus: bigint): void {
  const bits = bitLength(modulus);
  if (modulus <= 0n || (modulus & 1n) === 0n || bits < MIN_BITS || bits > MAX_BITS)
    fail('E_MODULUS', `a modulus must be odd and of ${String(MIN_BITS)} to ${String(MAX_BITS)} bits`);
}

/** Bytes of n > 0, without leading zeros. */
const minimal = (n: bigint): Uint8Array => toBytes(n, (bitLength(n) + 7) >> 3);

/** The object of a modulus; costs a primality test. `undefined` where this runtime refuses. */
function open(modulus: bigint): DiffieHellman | undefined {
  try {
    return createDiffieHellman(minimal(modulus), GENERATOR);
  } catch {
    return undefined;
  }
}

/** base^exponent, exponent > 0 and 1 < base < modulus - 1; `undefined` when OpenSSL refuses. Overwrites its copies of the exponent. */
function compute(dh: DiffieHellman, modulus: bigint, base: bigint, exponent: bigint): bigint | undefined {
  const width = (bitLength(modulus) + 7) >> 3;
  const secret = minimal(exponent);
  const peer = toBytes(base, width);
  try {
    dh.setPrivateKey(secret);
    const out = dh.computeSecret(peer);
    const result = out.length === width ? fromBytes(out) : 0n;
    out.fill(0);
    return result === 0n ? undefined : result;
  } catch {
    return undefined;
  } finally {
    secret.fill(0);
    peer.fill(0);
    dh.setPrivateKey(ONE);
  }
}

/** Bits of the padded form of a modulus of so many bits. */
export function paddedBits(bits: number): number {
  return Math.ceil((bits + ROOM_BITS) / BLOCK_BITS) * BLOCK_BITS;
}

/**
 * Padding: computes modulo a multiple c·m that fills whole blocks of words and is divisible by 3, so that OpenSSL's
 * primality test ends at once. The base is lifted to b + k·m = 0 modulo a prime l that divides c and not m (3, unless 3
 * divides m): neither base nor result is then 1 or c·m - 1, so no value that is secret takes another path.
 */
function padded(base: bigint, exponent: bigint, modulus: bigint): bigint | undefined {
  let l = 3n;
  while (gcd(modulus, l) !== 1n) l += 2n;
  const bits = bitLength(modulus);
  const largest = (1n << BigInt(paddedBits(bits) - bits)) - 1n;
  const c = largest - l - (largest % (2n * l)); // the largest odd multiple of l below, or the one before it
  const big = c * modulus;
  const dh = open(big);
  if (!dh) return undefined;
  const k = l - mod(base * invert(modulus, l), l); // 1..l
  const result = compute(dh, big, base + k * modulus, exponent);
  return result === undefined ? undefined : result % modulus;
}

let probed: boolean | undefined;

/**
 * Whether this runtime's OpenSSL computes powers. Where it does not (a FIPS build, a runtime on BoringSSL) the BigInt
 * reference takes over, which is some five times slower and not constant-time; `doctor` says so.
 */
export function usesOpenssl(): boolean {
  if (probed === undefined) {
    // any odd modulus of the least size, base and exponent without structure
    const modulus = (1n << 511n) + 0x1234567n;
    const base = modulus / 7n;
    const exponent = (1n << 127n) - 1n;
    probed = padded(base, exponent, modulus) === modPowReference(base, exponent, modulus);
  }
  return probed;
}

/** Handles exponent signs and what OpenSSL never gets to see; `power` gets 0 <= base < modulus and exponent > 0. */
function signed(modulus: bigint, power: (base: bigint, exponent: bigint) => bigint): (base: bigint, exponent: bigint) => bigint {
  return (base, exponent) => {
    if (exponent === 0n) return 1n;
    return exponent > 0n ? power(mod(base, modulus), exponent) : power(invert(base, modulus), -exponent);
  };
}

/**
 * base^exponent modulo an odd modulus of 512..9216 bits, in [0, modulus); no set-up, 1.2 (6144 bits) to 1.8 (1536 bits)
 * times the cost of {@link exactPower}. Constant-time in the bits of the exponent, for secret exponents and bases. A
 * negative exponent inverts the base; x^0 = 1.
 * @throws E_MODULUS on another modulus, E_RANGE when a negative exponent meets what is no unit
 */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  requireModulus(modulus);
  return signed(modulus, (b, e) => {
    const result = usesOpenssl() ? padded(b, e, modulus) : undefined;
    // a result of 0 is refused: only what is no unit has one
    return result ?? modPowReference(b, e, modulus);
  })(base, exponent);
}

/**
 * Powers modulo one modulus of 512..9216 bits, without padding. The set-up costs one exponentiation of the modulus's
 * length, or sixty when it is prime; {@link publicModulus} decides when that has paid off. As {@link modPow} otherwise,
 * except that a result of 1 or -1 takes twice as long: for secret values only where those do not occur but by chance.
 * @throws E_MODULUS on another modulus; the returned function E_RANGE as modPow
 */
export function exactPower(modulus: bigint): (base: bigint, exponent: bigint) => bigint {
  requireModulus(modulus);
  const dh = usesOpenssl() ? open(modulus) : undefined;
  if (!dh) return (base, exponent) => modPowReference(base, exponent, modulus);
  return signed(modulus, (b, e) => {
    if (b <= 1n) return b;
    if (b === modulus - 1n) return (e & 1n) === 1n ? b : 1n;
    const result = compute(dh, modulus, b, e);
    if (result !== undefined) return result;
    // b^e is 0, 1 or -1; if b is a unit other than 1 and -1, b^(e-1) is none of them
    const before = e > 1n ? compute(dh, modulus, b, e - 1n) : undefined;
    return before === undefined ? modPowReference(b, e, modulus) : (before * b) % modulus;
  });
}
