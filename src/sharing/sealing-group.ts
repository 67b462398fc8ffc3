/**
 * The group of all sealing: ristretto255 with two bases, whatever group the dealt key lives in. The arithmetic is
 * libsodium's, which takes the same steps for every scalar. Points and scalars are their canonical 32-byte encodings
 * throughout (RFC 9496), so that secrets can be wiped here; copies stay in libsodium's memory until the process ends.
 *
 * Every process that seals, opens or judges sealed dealings awaits {@link sealingReady} first.
 */
import { ristretto255_hasher } from '@noble/curves/ed25519.js';
import { concat, equalBytes, fromHex, utf8 } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { wideDigest, type Item } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';
import { loadSodium, type Sodium } from '../wire/sodium.ts';

/** Bytes of an encoded point, and of an encoded scalar (little-endian). */
export const POINT_BYTES = 32;
export const SCALAR_BYTES = 32;

/** The identity as well as the scalar 0. */
const ZERO = new Uint8Array(32);

let loaded: Sodium | undefined;

/** Loads libsodium; all functions of this file that compute need it. */
export async function sealingReady(): Promise<void> {
  loaded = await loadSodium();
}

function sodium(): Sodium {
  return loaded ?? fail('E_INTERNAL', 'libsodium was not loaded before sealed boxes were to be handled');
}

/** B, the base point of ristretto255 (RFC 9496 appendix A.1). */
export const FIRST_BASE: Uint8Array = fromHex('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76');

let second: Uint8Array | undefined;

/** B′: hash_to_ristretto255 (RFC 9380 appendix B) of "mpc-ceremony/seal/v1"; nobody knows its logarithm to the base B. */
export function secondBase(): Uint8Array {
  second ??= ristretto255_hasher.hashToCurve(utf8('mpc-ceremony/seal/v1')).toBytes();
  return second;
}

/** @returns the bytes, which are the canonical encoding of a point other than the identity @throws E_POINT */
export function requirePoint(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== POINT_BYTES) fail('E_POINT', 'a point of ristretto255 has 32 bytes');
  if (!sodium().crypto_core_ristretto255_is_valid_point(bytes)) fail('E_POINT', 'not a canonical point of ristretto255');
  if (equalBytes(bytes, ZERO)) fail('E_POINT', 'the point is the identity');
  return bytes;
}

/** @returns the bytes, which are a scalar 0..q−1; secret in, secret out @throws E_SCALAR */
export function requireScalar(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== SCALAR_BYTES) fail('E_SCALAR', 'a scalar of ristretto255 has 32 bytes');
  const wide = concat(bytes, ZERO);
  const canonical = equalBytes(sodium().crypto_core_ristretto255_scalar_reduce(wide), bytes);
  wide.fill(0);
  if (!canonical) fail('E_SCALAR', 'not a canonical scalar of ristretto255');
  return bytes;
}

/** Uniform, not 0; secret. @throws E_RNG when the source gives another length than asked, or nothing but zeros */
export function randomSealingScalar(random: Random): Uint8Array {
  const wide = random(64);
  if (wide.length !== 64) fail('E_RNG', 'the random source gave another number of bytes');
  const scalar = sodium().crypto_core_ristretto255_scalar_reduce(wide);
  wide.fill(0);
  if (equalBytes(scalar, ZERO)) fail('E_RNG', 'the random source gave zeros');
  return scalar;
}

/** The scalar that `hashToScalar` of curves/ gives in ristretto255, as bytes. Secret exactly if an item is. */
export function hashToSealingScalar(tag: string, ...items: readonly Item[]): Uint8Array {
  // the digest is read big-endian, libsodium reads little-endian
  return sodium().crypto_core_ristretto255_scalar_reduce(wideDigest(tag, 0, 'ristretto255', ...items).reverse());
}

/** scalar·B, for a secret scalar as well. @throws E_INTERNAL for 0 */
export function multiplyBase(scalar: Uint8Array): Uint8Array {
  if (equalBytes(scalar, ZERO)) fail('E_INTERNAL', 'the scalar is zero');
  return sodium().crypto_scalarmult_ristretto255_base(scalar);
}

/** scalar·P, for a secret scalar as well. @throws E_POINT for bytes that are no point, or the identity; E_INTERNAL for the scalar 0 */
export function multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  if (equalBytes(scalar, ZERO)) fail('E_INTERNAL', 'the scalar is zero');
  try {
    return sodium().crypto_scalarmult_ristretto255(scalar, point);
  } catch (cause) {
    requirePoint(point);
    throw new CeremonyError('E_INTERNAL', 'the multiplication failed', { cause });
  }
}

/** a + b·c modulo q; secret in, secret out. */
export function addProduct(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  const { crypto_core_ristretto255_scalar_add: add, crypto_core_ristretto255_scalar_mul: times } = sodium();
  return add(a, times(b, c));
}

/**
 * Whether z·base = A + c·X: the equation of every proof in this group. Public values, points checked before.
 */
export function equationHolds(z: Uint8Array, base: Uint8Array, A: Uint8Array, c: Uint8Array, X: Uint8Array): boolean {
  // an honest prover meets neither zero but with probability 2^-251, and libsodium multiplies by none
  if (equalBytes(z, ZERO) || equalBytes(c, ZERO)) return false;
  const left = equalBytes(base, FIRST_BASE) ? multiplyBase(z) : multiply(z, base);
  return equalBytes(left, sodium().crypto_core_ristretto255_add(A, multiply(c, X)));
}
