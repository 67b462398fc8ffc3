/**
 * The online step of threshold ECDSA (CGGMP24 signing, protocol notes A.12): checking the signature shares of a
 * presignature, adding them up, and the encodings of the result. Public.
 *
 * The nonce point of the signature is Γ itself: with k~ = Σ k~_j and χ~ = Σ χ~_j the presignature has k~·Γ = G and
 * χ~ = k~·x, so s = k~·m + r·χ~ = k~·(m + r·x) with k~ the inverse of the discrete logarithm of Γ. Every share is
 * checked alone against the public parts Δ~_j = k~_j·Γ and S~_j = χ~_j·Γ, so a wrong one has an owner.
 */
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { fromBytes, mod, toBytes } from '../arith/integer.ts';
import type { Group, Point } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { DIGEST_BYTES } from './digest.ts';
import { SCALAR_BYTES } from './parameters.ts';

/** What everybody knows of a presignature; by leaf id, one entry of each signer. */
export interface PresignPublic {
  /** Γ, the nonce point. */
  readonly gamma: Point;
  /** Δ~_j = k~_j·Γ. */
  readonly delta: ReadonlyMap<number, Point>;
  /** S~_j = χ~_j·Γ. */
  readonly chi: ReadonlyMap<number, Point>;
}

/** An ECDSA signature, s in the lower half. */
export interface Signature {
  /** In 1..q-1. */
  readonly r: bigint;
  /** In 1..(q-1)/2. */
  readonly s: bigint;
  /** Which of the points with this r the nonce point is: 0..3, see {@link nonceBits}. */
  readonly recoveryId: number;
}

/** ECDSA of the two curves, as noble names it. @throws E_SCHEME for a group without ECDSA */
function ecdsaOf(group: Group): typeof secp256k1 {
  if (group.name === 'secp256k1') return secp256k1;
  if (group.name === 'p256') return p256;
  return fail('E_SCHEME', `there is no ECDSA over ${group.name}`);
}

/** m: the 32 bytes read big-endian, modulo q (both curves have 256 bits: nothing is cut off). @throws E_FORMAT on another length */
export function digestScalar(group: Group, digest: Uint8Array): bigint {
  if (digest.length !== DIGEST_BYTES) fail('E_FORMAT', `a digest has ${String(DIGEST_BYTES)} bytes`);
  return fromBytes(digest) % group.order;
}

/** r = x mod q, and the two bits that tell a nonce point from the others with the same r. */
export interface NonceBits {
  readonly r: bigint;
  /** Bit 0: y is odd. Bit 1: x was not below q. */
  readonly id: number;
}

/** r and the recovery bits of a nonce point with affine coordinates x and y, before low-s (SEC 1, 4.1.6). */
export function nonceBits(order: bigint, x: bigint, y: bigint): NonceBits {
  return { r: x % order, id: (x >= order ? 2 : 0) + Number(y & 1n) };
}

function nonceOf(group: Group, gamma: Point): NonceBits {
  if (gamma.is0()) fail('E_POINT', 'the nonce point is the identity');
  const { x, y } = gamma.toAffine();
  const bits = nonceBits(group.order, x, y);
  // a point with x = 0 exists on P-256
  if (bits.r === 0n) fail('E_DEGENERATE', 'the nonce point gives r = 0');
  return bits;
}

/** r of every signature under this presignature, in 1..q-1. @throws E_DEGENERATE for r = 0, E_POINT for the identity */
export function nonceScalar(group: Group, gamma: Point): bigint {
  return nonceOf(group, gamma).r;
}

/**
 * The lower of s and q-s. The other one belongs to the negated nonce point: bit 0 of the recovery id flips with it.
 * On P-256 too, where no standard asks for it, so that a signature has one form.
 */
export function lowS(order: bigint, s: bigint, id: number): { s: bigint; recoveryId: number } {
  return s > order / 2n ? { s: order - s, recoveryId: id ^ 1 } : { s, recoveryId: id };
}

/**
 * Whether the public parts are those of a presignature under this key: the same signers in both lists,
 * Σ Δ~_j = G and Σ S~_j = public key.
 * @param publicKey the key that is signed under, shifted already where a path is used
 * @throws E_SUM otherwise, E_POINT when the nonce point is the identity
 */
export function checkPublic(group: Group, pre: PresignPublic, publicKey: Point): void {
  if (pre.gamma.is0()) fail('E_POINT', 'the nonce point is the identity');
  if (pre.delta.size !== pre.chi.size || [...pre.delta.keys()].some((leaf) => !pre.chi.has(leaf)))
    fail('E_SUM', 'the parts of a presignature are not of the same signers');
  if (!group.sum(pre.delta.values()).equals(group.base)) fail('E_SUM', 'the nonce parts of a presignature do not add up');
  if (!group.sum(pre.chi.values()).equals(publicKey)) fail('E_SUM', 'the key parts of a presignature do not add up to the key');
}

/**
 * Whether a signature share is right: σ_j·Γ = m·Δ~_j + r·S~_j.
 * @param digest 32 bytes
 * @param leaf the signer's leaf id
 * @param sigma the share; false unless in 0..q-1
 * @throws E_NOT_PARTICIPANT when the leaf is none of the signers, E_FORMAT on another length of the digest,
 *   E_DEGENERATE, E_POINT as {@link nonceScalar}
 */
export function checkShare(group: Group, pre: PresignPublic, digest: Uint8Array, leaf: number, sigma: bigint): boolean {
  const delta = pre.delta.get(leaf);
  const chi = pre.chi.get(leaf);
  if (delta === undefined || chi === undefined) return fail('E_NOT_PARTICIPANT', `leaf ${String(leaf)} is not one of the signers`);
  const m = digestScalar(group, digest);
  const r = nonceScalar(group, pre.gamma);
  if (sigma < 0n || sigma >= group.order) return false;
  return group.multiplyPublic(pre.gamma, sigma).equals(group.msm([delta, chi], [m, r]));
}

/**
 * The leaf ids of all whose share is wrong, ascending.
 * @param shares by leaf id: one of each signer
 * @throws E_MISSING when one is missing, E_NOT_PARTICIPANT when there is a foreign one, and as {@link checkShare}
 */
export function wrongShares(group: Group, pre: PresignPublic, digest: Uint8Array, shares: ReadonlyMap<number, bigint>): number[] {
  for (const leaf of pre.delta.keys()) if (!shares.has(leaf)) fail('E_MISSING', `no signature share of leaf ${String(leaf)}`);
  return [...shares]
    .filter(([leaf, sigma]) => !checkShare(group, pre, digest, leaf, sigma))
    .map(([leaf]) => leaf)
    .sort((a, b) => a - b);
}

/**
 * Whether a signature verifies over a digest, s in the lower half. Never throws for any r and s.
 * @throws E_SCHEME for a group without ECDSA, E_FORMAT on another length of the digest
 */
export function verifyDigest(group: Group, publicKey: Point, digest: Uint8Array, { r, s }: { r: bigint; s: bigint }): boolean {
  const ecdsa = ecdsaOf(group);
  if (digest.length !== DIGEST_BYTES) fail('E_FORMAT', `a digest has ${String(DIGEST_BYTES)} bytes`);
  if (publicKey.is0() || !inRange(group, r) || !inRange(group, s)) return false;
  return ecdsa.verify(compact(r, s), digest, group.encodePoint(publicKey), { prehash: false, lowS: true });
}

/**
 * Adds up the shares of all signers.
 * @param shares by leaf id: one of each signer
 * @returns the signature, verified under the key by another implementation of the equation (noble's ECDSA)
 * @throws E_SHARE naming every leaf whose share is wrong ({@link wrongShares} gives the list), E_DEGENERATE when r or s
 *   is 0, E_MISSING, E_NOT_PARTICIPANT, E_SUM when every share is right and the signature does not verify: the parts
 *   never passed {@link checkPublic} under this key, and no share is to blame
 */
export function combine(
  group: Group,
  pre: PresignPublic,
  publicKey: Point,
  digest: Uint8Array,
  shares: ReadonlyMap<number, bigint>,
): Signature {
  const { r, id } = nonceOf(group, pre.gamma);
  const wrong = wrongShares(group, pre, digest, shares);
  if (wrong.length > 0) fail('E_SHARE', `the signature share of leaf ${wrong.join(' and of leaf ')} does not verify`);
  let sum = 0n;
  for (const sigma of shares.values()) sum = mod(sum + sigma, group.order);
  if (sum === 0n) fail('E_DEGENERATE', 'the signature would have s = 0');
  const { s, recoveryId } = lowS(group.order, sum, id);
  if (!verifyDigest(group, publicKey, digest, { r, s })) fail('E_SUM', 'every signature share verifies, their sum does not');
  return { r, s, recoveryId };
}

const inRange = (group: Group, n: bigint): boolean => n > 0n && n < group.order;

/** r ‖ s, 32 bytes each (IEEE P1363). @throws E_INTERNAL when one is negative or longer */
export function compact(r: bigint, s: bigint): Uint8Array {
  return concat(toBytes(r, SCALAR_BYTES), toBytes(s, SCALAR_BYTES));
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** A DER INTEGER: shortest, with a zero byte before a set top bit. */
function derInteger(n: bigint): Uint8Array {
  const padded = toBytes(n, SCALAR_BYTES);
  const first = padded.findIndex((b) => b !== 0);
  const shortest = first < 0 ? Uint8Array.of(0) : padded.slice(first);
  const body = (shortest[0] as number) >= 0x80 ? concat(Uint8Array.of(0), shortest) : shortest;
  return concat(Uint8Array.of(INTEGER, body.length), body);
}

/** SEQUENCE of INTEGER r and INTEGER s in DER (RFC 3279 section 2.2.3), at most 72 bytes. @throws E_INTERNAL as {@link compact} */
export function derEncode(r: bigint, s: bigint): Uint8Array {
  const body = concat(derInteger(r), derInteger(s));
  return concat(Uint8Array.of(SEQUENCE, body.length), body);
}

function readDerInteger(reader: Reader, group: Group, what: string): bigint {
  if (reader.u8(what) !== INTEGER) fail('E_FORMAT', `${what} is not a DER integer`);
  const body = reader.take(reader.u8(what), what);
  const [first, second] = body;
  // a long-form length reads as one above 127, of a number that is out of range
  if (first === undefined) return fail('E_FORMAT', `${what} has no contents`);
  if (first >= 0x80) fail('E_FORMAT', `${what} is negative`);
  if (first === 0 && second !== undefined && second < 0x80) fail('E_FORMAT', `${what} is not in its shortest form`);
  const n = fromBytes(body);
  if (!inRange(group, n)) fail('E_FORMAT', `${what} is not in 1..q-1`);
  return n;
}

/**
 * Reads what {@link derEncode} writes and nothing else: definite short lengths, shortest positive integers in 1..q-1,
 * no bytes after the end. A high s is read; {@link verifyDigest} refuses it.
 * @throws E_FORMAT
 */
export function derDecode(group: Group, bytes: Uint8Array): { r: bigint; s: bigint } {
  const reader = new Reader(bytes);
  if (reader.u8('signature') !== SEQUENCE) fail('E_FORMAT', 'a signature is a DER sequence');
  if (reader.u8('signature') !== reader.remaining) fail('E_FORMAT', 'the length of the sequence is not that of its contents');
  const r = readDerInteger(reader, group, 'r');
  const s = readDerInteger(reader, group, 's');
  reader.end();
  return { r, s };
}
