/**
 * Hashing with domain separation. Everything that is hashed is first written in an injective form: each item carries
 * its type and length, each list its count, so that no two different inputs give the same bytes
 * (protocol notes A.2; attack rows 1, 15, 61).
 */
import { createHash, createHmac } from 'node:crypto';
import { concat, u32, utf8 } from './bytes.ts';

/** What may be hashed: bytes, text, a non-negative integer below 2^32, or a list of these. */
export type Item = Uint8Array | string | number | readonly Item[];

const HEAD = { bytes: Uint8Array.of(1), text: Uint8Array.of(2), number: Uint8Array.of(3), list: Uint8Array.of(4) } as const;

/** Adds the parts of an item's encoding to `parts`. */
function write(item: Item, parts: Uint8Array[]): void {
  if (item instanceof Uint8Array) parts.push(HEAD.bytes, u32(item.length), item);
  else if (typeof item === 'string') {
    const b = utf8(item);
    parts.push(HEAD.text, u32(b.length), b);
  } else if (typeof item === 'number') parts.push(HEAD.number, u32(4), u32(item));
  else {
    parts.push(HEAD.list, u32(item.length));
    for (const each of item) write(each, parts);
  }
}

/** The injective encoding: type byte, u32 length (or count of a list), contents. */
export function encodeItem(item: Item): Uint8Array {
  const parts: Uint8Array[] = [];
  write(item, parts);
  return concat(...parts);
}

/** SHA-256 of bytes (32 bytes). */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** SHA-512 of bytes (64 bytes). */
export function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha512').update(bytes).digest());
}

/** HMAC-SHA512 (64 bytes). */
export function hmacSha512(key: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha512', key).update(message).digest());
}

/** 32-byte digest of a tag and items; the tag names the purpose, for example `session/v1`. */
export function digest(tag: string, ...items: readonly Item[]): Uint8Array {
  return sha256(encodeItem([`mpc-ceremony/${tag}`, ...items]));
}

/** 64-byte digest of a tag and items: for scalars, which are reduced from 512 bits. */
export function wideDigest(tag: string, ...items: readonly Item[]): Uint8Array {
  return sha512(encodeItem([`mpc-ceremony/${tag}`, ...items]));
}

/** SHA-256 with a tag in the manner of BIP-340: sha256(sha256(tag) ‖ sha256(tag) ‖ message). Used for canonical JSON objects. */
export function taggedHash(tag: string, message: Uint8Array): Uint8Array {
  const t = sha256(utf8(`mpc-ceremony/${tag}`));
  return sha256(concat(t, t, message));
}
