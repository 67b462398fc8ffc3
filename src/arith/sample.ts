/** Uniform secret numbers, by rejection: no bias at all, whatever the range. Randomness is handed in. */
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { bitLength, fromBytes, isUnit } from './integer.ts';

/** So many draws in a row fail by chance with a probability far below 2^-128: the source is broken. */
const TRIES = 2000;

/** Draws until one is accepted. @throws E_RNG */
function draw(one: () => bigint | undefined): bigint {
  for (let i = 0; i < TRIES; i++) {
    const n = one();
    if (n !== undefined) return n;
  }
  return fail('E_RNG', 'the random source gives nothing usable');
}

/**
 * Uniform in [0, n). Secret.
 * @throws E_INTERNAL for n < 1, E_RNG when the source gives another length than asked or nothing usable
 */
export function below(n: bigint, random: Random): bigint {
  if (n < 1n) fail('E_INTERNAL', 'an empty range');
  const bits = bitLength(n - 1n);
  const length = (bits + 7) >> 3;
  return draw(() => {
    const bytes = random(length);
    if (bytes.length !== length) fail('E_RNG', 'the random source gives another length than asked');
    // drop the bits above the range, so that at least every second draw is accepted
    const value = fromBytes(bytes) >> BigInt(8 * length - bits);
    bytes.fill(0);
    return value < n ? value : undefined;
  });
}

/** Uniform in [-bound, bound]. Secret. @throws as {@link below}; E_INTERNAL for a negative bound */
export function symmetric(bound: bigint, random: Random): bigint {
  return below(2n * bound + 1n, random) - bound;
}

/**
 * Uniform in Z*_n, the units in (0, n) of this very n (row 49). Secret.
 * @throws as {@link below}; E_INTERNAL for n < 2
 */
export function unit(n: bigint, random: Random): bigint {
  if (n < 2n) fail('E_INTERNAL', 'no units');
  return draw(() => {
    const value = below(n, random);
    return isUnit(value, n) ? value : undefined;
  });
}
