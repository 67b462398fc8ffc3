/** Proof that a dealer knows the constant it deals, bound to its whole tree. Public side. */
import type { Group, Point } from '../curves/group.ts';
import { digest } from '../wire/hash.ts';
import { failingSchnorr, type SchnorrProof } from './schnorr-proof.ts';

/**
 * What a proof of possession is bound to (32 bytes). Without it the last to speak may deal X* − Σ others for a key X*
 * that it knows.
 * @param sid session id, 32 bytes
 * @param dealer the dealer's id
 * @param treeHash `treeDigest` of the dealing: all commitments
 */
export function possessionContext(sid: Uint8Array, dealer: number, treeHash: Uint8Array): Uint8Array {
  return digest('possession/v1', sid, dealer, treeHash);
}

export interface PossessionClaim {
  readonly dealer: number;
  readonly treeHash: Uint8Array;
  /** C_0 as sent, and decoded. */
  readonly constantBytes: Uint8Array;
  readonly constant: Point;
  readonly proof: SchnorrProof;
}

/** Ids of the dealers whose proof of possession does not hold; in one batch unless one fails. */
export function verifyPossessions(group: Group, sid: Uint8Array, claims: readonly PossessionClaim[]): number[] {
  const failing = failingSchnorr(
    group,
    claims.map((c) => ({
      context: possessionContext(sid, c.dealer, c.treeHash),
      statementBytes: c.constantBytes,
      statement: c.constant,
      proof: c.proof,
    })),
  );
  return failing.map((i) => (claims[i] as PossessionClaim).dealer);
}
