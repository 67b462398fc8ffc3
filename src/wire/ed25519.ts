/**
 * Ed25519 signatures of identities, by OpenSSL. Keys and signatures are raw bytes (32 and 64).
 * RFC 8032; small-order and non-canonical public keys are refused, so that one signature has one meaning.
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { concat, fromHex, toHex } from './bytes.ts';
import { fail } from './errors.ts';

const SPKI = fromHex('302a300506032b6570032100');
const PKCS8 = fromHex('302e020100300506032b657004220420');
const P = 2n ** 255n - 19n;
// y-coordinates of the eight points of small order
const SMALL_ORDER_Y = new Set([
  0n,
  1n,
  P - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

const cache = new Map<string, KeyObject>();

/**
 * Checks a raw public key: canonical encoding, not of small order.
 * @throws E_POINT
 */
export function checkIdentityKey(raw: Uint8Array): void {
  if (raw.length !== 32) fail('E_POINT', 'an Ed25519 public key has 32 bytes');
  const y = BigInt(`0x${toHex(raw.slice().reverse())}`) & (2n ** 255n - 1n);
  if (y >= P) fail('E_POINT', 'Ed25519 public key is not canonical');
  if (SMALL_ORDER_Y.has(y)) fail('E_POINT', 'Ed25519 public key of small order');
}

function publicKey(raw: Uint8Array): KeyObject {
  const id = toHex(raw);
  let key = cache.get(id);
  if (!key) {
    checkIdentityKey(raw);
    key = createPublicKey({ key: Buffer.from(concat(SPKI, raw)), format: 'der', type: 'spki' });
    if (cache.size > 1024) cache.clear();
    cache.set(id, key);
  }
  return key;
}

/** True when `signature` (64 bytes) by `raw` (32-byte public key) over `message` verifies. Never throws on bad input. */
export function verifyEd25519(raw: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  try {
    return verify(null, message, publicKey(raw), signature);
  } catch {
    return false;
  }
}

/** A signing identity: the seed lives in OpenSSL's memory, not in JavaScript's. */
export interface Signer {
  /** Raw public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Deterministic signature, 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Signer of a 32-byte secret seed; the caller may wipe the seed afterwards. */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== 32) fail('E_INTERNAL', 'an Ed25519 seed has 32 bytes');
  const der = Buffer.from(concat(PKCS8, seed));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const raw = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })).slice(-32);
  return { publicKey: raw, sign: (message) => new Uint8Array(sign(null, message, key)) };
}
