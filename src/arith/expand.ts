/** A deterministic stream of bytes from a seed. */
import { createCipheriv } from 'node:crypto';
import { type Item, wideDigest } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';

/**
 * A deterministic stream: AES-256 in counter mode, whose key and first block are the 512-bit digest of label, seed and
 * items. The same arguments give the same bytes, however they are divided into calls. With a secret seed it is secret
 * randomness, hedged by the items: should the source of the seed fail, another statement or witness still gives another
 * stream. With a public one it is a hash of any length.
 * @param label the purpose, for example `prove-enc-elg/v1`
 */
export function expand(seed: Uint8Array, label: string, ...items: readonly Item[]): Random {
  const key = wideDigest(`expand/${label}`, seed, items);
  const stream = createCipheriv('aes-256-ctr', key.subarray(0, 32), key.subarray(32, 48));
  key.fill(0);
  return (length) => {
    const bytes = stream.update(new Uint8Array(length));
    return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
  };
}
