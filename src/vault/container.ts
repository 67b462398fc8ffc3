/**
 * A sealed file, format MPCS1: secret bytes encrypted under a key, for one purpose (its path in the home).
 *
 *     MPCS1 | u16 length | header (canonical JSON) | commitment 32 | nonce 24 | wrapped data key 48
 *           | nonce 24 | ciphertext (plaintext + 16) | SHA-256 of all before 32
 *
 * XChaCha20-Poly1305 twice: a random data key encrypts the contents, the caller's key encrypts the data key. Both
 * authenticate magic, length and header, and with it purpose and cost. The cipher does not commit to its key
 * (one file could be made that opens under two passphrases), so the commitment does. The hash at the end needs no key:
 * it tells a damaged file from a wrong passphrase, and protects against nothing else.
 */
import { hkdfSync } from 'node:crypto';
import { concat, equalBytes, fromHex, Reader, toHex, utf8 } from '../wire/bytes.ts';
import { canonicalBytes, parseCanonical, type Json } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';
import type { Sodium } from '../wire/sodium.ts';
import { acceptableCost, KEY_BYTES, SALT_BYTES, type KdfCost } from './kdf.ts';
import { Secret } from './secret.ts';

const MAGIC = utf8('MPCS1');
const SUITE = 'xchacha20poly1305-hkdf-sha256';
const MAX_HEADER = 1024;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const HASH_BYTES = 32;

/** Largest plaintext, bytes. */
export const MAX_PLAINTEXT = 16 * 1024 * 1024;
/** Largest sealed file, bytes. */
export const MAX_SEALED = MAX_PLAINTEXT + MAX_HEADER + 512;

/** How the key of a file comes from a passphrase; only the file that a passphrase opens has it. Public. */
export interface KdfHeader extends KdfCost {
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

/** A sealed file taken apart, its form checked, nothing decrypted yet. All public. */
export interface Sealed {
  /** For messages. */
  readonly file: string;
  readonly kdf?: KdfHeader;
  /** Magic, length and header: what both encryptions authenticate. */
  readonly head: Uint8Array;
  readonly commitment: Uint8Array;
  readonly wrapNonce: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * HKDF-SHA256 (RFC 5869) of a secret key: 32 bytes, secret unless the label says otherwise.
 * @param label names the purpose; different labels give independent keys
 */
export function subkey(key: Secret, label: string): Secret {
  return key.use((ikm) => new Secret(new Uint8Array(hkdfSync('sha256', ikm, '', `mpc-ceremony/vault/${label}`, KEY_BYTES))));
}

// 32 bytes, public: fixes the key without revealing it.
function commitmentTo(key: Secret): Uint8Array {
  return subkey(key, 'commitment').use((bytes) => bytes);
}

/**
 * Seals bytes.
 * @param key 32 bytes, secret
 * @param purpose path within the home; opening asks for the same
 * @param plaintext secret, at most {@link MAX_PLAINTEXT} bytes; the caller wipes it
 * @param kdf how `key` came from a passphrase, if it did
 * @throws E_TOO_LARGE
 */
export function seal(
  sodium: Sodium,
  key: Secret,
  purpose: string,
  plaintext: Uint8Array,
  random: Random,
  kdf?: KdfHeader,
): Uint8Array {
  if (plaintext.length > MAX_PLAINTEXT) fail('E_TOO_LARGE', `too much to seal in one file: ${purpose}`, { file: purpose });
  const header = canonicalBytes({
    ...(kdf && { kdf: { memory: kdf.memory, name: 'argon2id', passes: kdf.passes, salt: toHex(kdf.salt) } }),
    purpose,
    suite: SUITE,
  });
  if (header.length > MAX_HEADER) fail('E_INTERNAL', 'the header of a sealed file is too long');
  const head = concat(MAGIC, Uint8Array.of(header.length >> 8, header.length & 0xff), header);
  const encrypt = (bytes: Uint8Array, nonce: Uint8Array, k: Uint8Array): Uint8Array =>
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(bytes, head, null, nonce, k);
  const wrapNonce = random(NONCE_BYTES);
  const nonce = random(NONCE_BYTES);
  const dataKey = Secret.fromRandom(random, KEY_BYTES);
  const wrapped = dataKey.use((bytes) => key.use((k) => encrypt(bytes, wrapNonce, k)));
  const ciphertext = dataKey.use((k) => encrypt(plaintext, nonce, k));
  dataKey.wipe();
  const body = concat(head, commitmentTo(key), wrapNonce, wrapped, nonce, ciphertext);
  return concat(body, sha256(body));
}

/**
 * Takes a sealed file apart. Needs no key and takes no memory beyond the file.
 * @param file its path, for messages
 * @throws E_STATE naming the file, if it is damaged, was sealed for another purpose, or asks for a forbidden cost
 */
export function parseSealed(bytes: Uint8Array, purpose: string, file: string): Sealed {
  try {
    return parse(bytes, purpose, file);
  } catch (cause) {
    if (!(cause instanceof CeremonyError)) throw cause;
    throw damaged(file, cause.message);
  }
}

function damaged(file: string, why: string): CeremonyError {
  return new CeremonyError('E_STATE', `the sealed file ${file} cannot be used: ${why}`, {
    file,
    remedy: 'keep the file as it is; nothing was changed',
  });
}

function parse(bytes: Uint8Array, purpose: string, file: string): Sealed {
  if (bytes.length > MAX_SEALED) fail('E_STATE', 'it is too large');
  const reader = new Reader(bytes, 'E_STATE');
  if (!equalBytes(reader.take(MAGIC.length, 'magic'), MAGIC)) fail('E_STATE', 'it does not begin as a sealed file');
  const headerLength = reader.u16('header length');
  if (headerLength > MAX_HEADER) fail('E_STATE', 'its header is too long');
  const header = reader.take(headerLength, 'header');
  const commitment = reader.take(KEY_BYTES, 'commitment');
  const wrapNonce = reader.take(NONCE_BYTES, 'nonce of the data key');
  const wrapped = reader.take(KEY_BYTES + TAG_BYTES, 'data key');
  const nonce = reader.take(NONCE_BYTES, 'nonce');
  const ciphertext = reader.take(Math.max(TAG_BYTES, reader.remaining - HASH_BYTES), 'ciphertext');
  const hash = reader.take(HASH_BYTES, 'hash');
  reader.end();
  if (!equalBytes(hash, sha256(bytes.subarray(0, bytes.length - HASH_BYTES)))) fail('E_STATE', 'it is damaged');
  const kdf = parseHeader(header, purpose);
  const head = bytes.slice(0, MAGIC.length + 2 + headerLength);
  return { file, ...(kdf && { kdf }), head, commitment, wrapNonce, wrapped, nonce, ciphertext };
}

function parseHeader(bytes: Uint8Array, purpose: string): KdfHeader | undefined {
  const header = fields(parseCanonical(bytes, MAX_HEADER, 'E_STATE'), ['purpose', 'suite'], 'kdf');
  if (header['suite'] !== SUITE) fail('E_STATE', 'it uses an unknown suite');
  if (header['purpose'] !== purpose) fail('E_STATE', `it was sealed as ${String(header['purpose'])}`);
  if (header['kdf'] === undefined) return undefined;
  const { name, memory, passes, salt } = fields(header['kdf'], ['memory', 'name', 'passes', 'salt']);
  if (name !== 'argon2id' || typeof memory !== 'number' || typeof passes !== 'number' || typeof salt !== 'string')
    fail('E_STATE', 'its key derivation is unknown');
  if (!acceptableCost({ memory, passes })) fail('E_STATE', 'the cost of its key derivation is out of bounds');
  return { memory, passes, salt: fromHex(salt, SALT_BYTES) };
}

function fields(value: Json, required: readonly string[], optional?: string): Readonly<Record<string, Json>> {
  const refuse = (): never => fail('E_STATE', 'its header has an unknown or missing field');
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return refuse();
  const keys = Object.keys(value);
  if (required.some((k) => !keys.includes(k))) refuse();
  if (keys.some((k) => !required.includes(k) && k !== optional)) refuse();
  return value as Readonly<Record<string, Json>>;
}

/** Whether the file was sealed under this key: tells a wrong passphrase from a file that was tampered with. */
export function isSealedUnder(sealed: Sealed, key: Secret): boolean {
  return equalBytes(sealed.commitment, commitmentTo(key));
}

/**
 * The plaintext (secret; the caller wipes it).
 * @param key 32 bytes, secret
 * @throws E_STATE naming the file, if it was sealed under another key or altered
 */
export function open(sodium: Sodium, key: Secret, sealed: Sealed): Uint8Array {
  if (!isSealedUnder(sealed, key)) throw damaged(sealed.file, 'it belongs to another home');
  const decrypt = (bytes: Uint8Array, nonce: Uint8Array, k: Uint8Array): Uint8Array => {
    try {
      return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, bytes, sealed.head, nonce, k);
    } catch {
      throw damaged(sealed.file, 'it was altered');
    }
  };
  const dataKey = new Secret(key.use((k) => decrypt(sealed.wrapped, sealed.wrapNonce, k)));
  try {
    return dataKey.use((k) => decrypt(sealed.ciphertext, sealed.nonce, k));
  } finally {
    dataKey.wipe();
  }
}
