/**
 * X25519 (RFC 7748) by OpenSSL, on raw keys of 32 bytes, and which public keys are usable. The same key may serve as an
 * age recipient. What a function is given may be secret (a recipient's key) or revealed (the ephemeral key of an opened
 * row); it decides nothing about either.
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { concat, fromHex, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';

/** Bytes of a key, public or secret. */
export const X25519_BYTES = 32;

const PKCS8 = fromHex('302e020100300506032b656e04220420');
const SPKI = fromHex('302a300506032b656e032100');
const P = 2n ** 255n - 19n;
/** u-coordinates of the points of small order on the curve and its twist (RFC 7748 section 6.1; canonical values). */
const SMALL_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

function secretKey(secret: Uint8Array): KeyObject {
  if (secret.length !== X25519_BYTES) fail('E_INTERNAL', 'an X25519 key has 32 bytes');
  const der = Buffer.from(concat(PKCS8, secret));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}

/** The public key as OpenSSL takes it. @param raw 32 bytes that were checked */
export function importPublic(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(SPKI, raw)), format: 'der', type: 'spki' });
}

/** Public key (32 bytes) of a secret one. */
export function x25519Public(secret: Uint8Array): Uint8Array {
  return publicOf(secretKey(secret));
}

function publicOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })).slice(-X25519_BYTES);
}

/**
 * Public key of a secret one and what it shares with another's public key, 32 bytes each; the second is as secret as the
 * secret key. OpenSSL refuses a shared secret of zeros, and it is compared here once more.
 * @throws E_RECIPIENT when the shared secret is zero
 */
export function x25519Agree(secret: Uint8Array, other: KeyObject): { own: Uint8Array; shared: Uint8Array } {
  const privateKey = secretKey(secret);
  let shared: Uint8Array | undefined;
  try {
    shared = new Uint8Array(diffieHellman({ privateKey, publicKey: other }));
  } catch {
    shared = undefined;
  }
  if (shared === undefined || shared.every((b) => b === 0)) return fail('E_RECIPIENT', 'the X25519 key gives a shared secret of zero');
  return { own: publicOf(privateKey), shared };
}

/** Why a public key must not be encrypted to, or undefined: another length, a second form of a number, or small order. */
export function x25519Fault(raw: Uint8Array): string | undefined {
  if (raw.length !== X25519_BYTES) return 'an X25519 key has 32 bytes';
  const u = BigInt(`0x${toHex(Uint8Array.from(raw).reverse())}`);
  if (u >= P) return 'the X25519 key is not in canonical form';
  return SMALL_ORDER.has(u) ? 'the X25519 key is of small order' : undefined;
}
