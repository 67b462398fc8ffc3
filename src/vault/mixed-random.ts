/** Randomness: the system's, watched for the coarsest faults, with optional extra entropy mixed in and never replacing it. */
import { concat, u32 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha512 } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';

/**
 * A source that refuses constant or repeated output of `system`, and with `extra` (dice, coins, any secret bytes) gives
 * SHA-512(system 64 ‖ SHA-512(extra) ‖ counter) block by block: at least as hard to predict as either.
 * @param extra secret; only its hash is kept
 * @throws E_RNG when used with a faulty source
 */
export function mixedRandom(system: (length: number) => Uint8Array, extra?: Uint8Array): Random {
  let last = '';
  let counter = 0;
  const pool = extra && sha512(extra);
  const watched = (length: number): Uint8Array => {
    const bytes = system(length);
    if (length < 16) return bytes;
    const text = Buffer.from(bytes).toString('latin1');
    if (text === last || bytes.every((b) => b === bytes[0]))
      fail('E_RNG', 'the random source repeats itself', { remedy: 'Do not use this machine.' });
    last = text;
    return bytes;
  };
  if (!pool) return watched;
  return (length) => {
    const blocks: Uint8Array[] = [];
    for (let have = 0; have < length; have += 64) {
      counter += 1;
      blocks.push(sha512(concat(watched(64), pool, u32(counter))));
    }
    return concat(...blocks).slice(0, length);
  };
}
