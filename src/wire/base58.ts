/** Base58 with the Bitcoin alphabet, encoding only: for extended public keys and addresses. Public data. */
import { concat } from './bytes.ts';
import { sha256 } from './hash.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Base58 of bytes; every leading zero byte becomes one leading `1`. */
export function base58(bytes: Uint8Array): string {
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  let rest = 0n;
  for (const b of bytes) rest = (rest << 8n) | BigInt(b);
  let text = '';
  while (rest > 0n) {
    text = ALPHABET.charAt(Number(rest % 58n)) + text;
    rest /= 58n;
  }
  return '1'.repeat(zeros) + text;
}

/** Base58 of the bytes followed by the first four bytes of their double SHA-256 (BIP-32, serialization format). */
export function base58check(bytes: Uint8Array): string {
  return base58(concat(bytes, sha256(sha256(bytes)).subarray(0, 4)));
}
