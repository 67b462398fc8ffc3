/** The message digests of ECDSA. Public. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';

/** `sha256` as ECDSA is used nearly everywhere; `keccak256` as Ethereum uses it, which is not SHA3-256. */
export type DigestName = 'sha256' | 'keccak256';

/** Bytes of either digest, and of every digest that is signed. */
export const DIGEST_BYTES = 32;

/**
 * The digest of a message of any length, 32 bytes. What stands around the message (Ethereum's prefix of personal
 * messages, the fields of a transaction) belongs to the message.
 * @throws E_FORMAT for another hash
 */
export function messageDigest(hash: DigestName, message: Uint8Array): Uint8Array {
  switch (hash) {
    case 'sha256':
      return sha256(message);
    case 'keccak256':
      return keccak_256(message);
    default:
      return fail('E_FORMAT', 'the hash is sha256 or keccak256');
  }
}
