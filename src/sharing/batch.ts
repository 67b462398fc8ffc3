/** Weights for checking many proofs at once. Public. */
import type { Group } from '../curves/group.ts';
import { toHex } from '../wire/bytes.ts';
import { digest } from '../wire/hash.ts';

/**
 * 128-bit weights derived from every challenge and response. A challenge covers statement and first message, so nobody
 * can choose a proof after its weight is known; a false proof passes with probability 2^-128.
 * Deterministic, so that all who check the same proofs come to the same verdict.
 */
export function batchWeights(group: Group, challenges: readonly bigint[], responses: readonly bigint[]): bigint[] {
  const encode = (scalars: readonly bigint[]): Uint8Array[] => scalars.map((s) => group.encodeScalar(s));
  const seed = digest('batch/v1', group.name, encode(challenges), encode(responses));
  return challenges.map((_, i) => BigInt(`0x${toHex(digest('batch-weight/v1', seed, i).subarray(0, 16))}`));
}
