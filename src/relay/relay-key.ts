/**
 * The relay key of a home: X25519 (RFC 7748), on its card. It names places together with another's key, and opens and makes
 * sealed boxes as libsodium's `crypto_box_seal` defines them: ephemeral key, then XSalsa20-Poly1305 under HSalsa20 of what both
 * keys share, with BLAKE2b of both public keys as nonce. The agreement is OpenSSL's, so that the secret key stays out of
 * libsodium's memory, which nothing can clear.
 *
 * The ephemeral key of a box is derived from the secret key, the reader and the message: sealing again gives the same bytes, which is
 * what a place that is written once and a sender that may be killed at any moment need. Two equal messages to one reader are therefore seen to
 * be equal; two different ones never share a key.
 */
import { createHmac, createPrivateKey, createPublicKey, createSecretKey, diffieHellman } from 'node:crypto';
import { importPublic, x25519Agree, X25519_BYTES, x25519Fault } from '../backup/x25519.ts';
import { concat, fromHex, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { digest, encodeItem, hmacSha512, sha256 } from '../wire/hash.ts';
import { loadSodium, type Sodium } from '../wire/sodium.ts';

/** Bytes that a sealed box adds: ephemeral key and authenticator. */
export const SEAL_BYTES = 48;

const PKCS8 = fromHex('302e020100300506032b656e04220420');
const ZERO16 = new Uint8Array(16);

let loaded: Sodium | undefined;

/** Loads libsodium; whoever seals or opens awaits this first. */
export async function relayReady(): Promise<void> {
  loaded = await loadSodium();
}

function sodium(): Sodium {
  return loaded ?? fail('E_INTERNAL', 'libsodium was not loaded before a part was to be sealed or opened');
}

/** An unlocked relay key. The secret is in OpenSSL's memory. */
export interface RelayKey {
  /** 32 bytes, as on the card. Public. */
  readonly publicKey: Uint8Array;
  /**
   * What this key and another's public key share, hashed: 32 bytes, the same on both sides, secret.
   * @throws E_POINT when the other key is of small order, not canonical, or not of 32 bytes
   */
  shared(peer: Uint8Array): Uint8Array;
  /** A sealed box to `reader`, {@link SEAL_BYTES} longer than the message; the same each time. @throws E_POINT as {@link RelayKey.shared} */
  seal(reader: Uint8Array, message: Uint8Array): Uint8Array;
  /** What is in a sealed box for this key, or undefined when it does not open. Says nothing about who made it. */
  unseal(box: Uint8Array): Uint8Array | undefined;
}

/** @throws E_POINT */
function checkPeer(raw: Uint8Array): void {
  const fault = x25519Fault(raw);
  if (fault !== undefined) fail('E_POINT', `a relay key cannot be used: ${fault}`, { remedy: 'Ask its owner for the card again.' });
}

/** Key and nonce of a box. @param raw the X25519 agreement (32 bytes, secret); wiped */
function boxKey(raw: Uint8Array, ephemeral: Uint8Array, reader: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const key = sodium().crypto_core_hsalsa20(ZERO16, raw, null);
  raw.fill(0);
  return { key, nonce: sodium().crypto_generichash(24, concat(ephemeral, reader), null) };
}

/**
 * The relay key of a secret of 32 bytes, which the caller may wipe afterwards.
 * @throws E_INTERNAL for another length
 */
export function relayKey(secret: Uint8Array): RelayKey {
  if (secret.length !== X25519_BYTES) fail('E_INTERNAL', 'an X25519 key has 32 bytes');
  const der = Buffer.from(concat(PKCS8, secret));
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const forEphemerals = hmacSha512(secret, utf8('mpc-ceremony/relay-ephemeral/v1'));
  const deriving = createSecretKey(forEphemerals);
  forEphemerals.fill(0);
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' })).slice(-X25519_BYTES);

  return {
    publicKey,
    shared: (peer) => {
      checkPeer(peer);
      const raw = diffieHellman({ privateKey, publicKey: importPublic(peer) });
      const out = digest('relay-shared/v1', raw);
      raw.fill(0);
      return out;
    },
    seal: (reader, message) => {
      checkPeer(reader);
      const derived = createHmac('sha512', deriving).update(encodeItem([reader, sha256(message)])).digest();
      const { own, shared } = x25519Agree(derived.subarray(0, X25519_BYTES), importPublic(reader));
      derived.fill(0);
      const { key, nonce } = boxKey(shared, own, reader);
      const out = concat(own, sodium().crypto_secretbox_easy(message, nonce, key));
      key.fill(0);
      return out;
    },
    unseal: (box) => {
      if (box.length < SEAL_BYTES) return undefined;
      const ephemeral = box.slice(0, X25519_BYTES);
      let raw: Uint8Array;
      try {
        raw = diffieHellman({ privateKey, publicKey: importPublic(ephemeral) });
      } catch {
        return undefined; // of small order: the agreement is zero
      }
      const { key, nonce } = boxKey(raw, ephemeral, publicKey);
      try {
        return sodium().crypto_secretbox_open_easy(box.subarray(X25519_BYTES), nonce, key);
      } catch {
        return undefined;
      } finally {
        key.fill(0);
      }
    },
  };
}
