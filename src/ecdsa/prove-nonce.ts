/** What the provers share: their randomness and multiplication by secret integers. Secret. */
import { expand } from '../arith/expand.ts';
import { mod } from '../arith/integer.ts';
import type { Group, Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';
import { intItem } from './codec.ts';
import { contextItem, type ProofContext } from './context.ts';

/**
 * The randomness of one proof, hedged: from 32 fresh bytes, the context, the statement and the witness. A source that
 * repeats gives away nothing, because another statement or witness gives other nonces, and the same gives the same proof.
 * @throws E_RNG when the seed has not 32 bytes
 */
export function proofRandom(
  label: string,
  ctx: ProofContext,
  statement: readonly Item[],
  witness: readonly bigint[],
  seed: Uint8Array,
): Random {
  if (seed.length !== 32) fail('E_RNG', 'the random source gave another number of bytes');
  return expand(seed, `prove/${label}`, contextItem(ctx), statement, witness.map(intItem));
}

/** k·P on the constant-time path for a secret integer k of any size and sign; only k = 0 mod q takes a path of its own. */
export function multiple(group: Group, point: Point, k: bigint): Point {
  const scalar = mod(k, group.order);
  return scalar === 0n ? group.identity : group.multiply(point, scalar);
}
