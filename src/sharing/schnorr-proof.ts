/**
 * Schnorr proofs of possession: knowledge of x with X = x·G, bound to a context. Public side.
 * On the wire R ‖ z; the response is checked up to the cofactor, alone as in a batch, so that both agree.
 */
import { hashToScalar, type Group, type Point } from '../curves/group.ts';
import { Reader } from '../wire/bytes.ts';
import { batchWeights } from './batch.ts';

export interface SchnorrProof {
  /** R as sent. */
  readonly commitmentBytes: Uint8Array;
  readonly commitment: Point;
  readonly response: bigint;
}

/** What a proof is about. */
export interface SchnorrClaim {
  /** 32-byte digest of everything that the proof is bound to. */
  readonly context: Uint8Array;
  readonly statementBytes: Uint8Array;
  readonly statement: Point;
  readonly proof: SchnorrProof;
}

/** Bytes of an encoded proof. */
export function schnorrProofBytes(group: Group): number {
  return group.pointBytes + group.scalarBytes;
}

/** Reads R ‖ z of exact length. @throws E_POP on another length, E_POINT, E_SCALAR */
export function decodeSchnorrProof(group: Group, bytes: Uint8Array): SchnorrProof {
  const reader = new Reader(bytes, 'E_POP');
  const commitmentBytes = reader.take(group.pointBytes, 'commitment of the proof');
  const responseBytes = reader.take(group.scalarBytes, 'response of the proof');
  reader.end();
  const commitment = group.decodePointFast(commitmentBytes);
  return { commitmentBytes, commitment, response: group.decodeScalar(responseBytes) };
}

/** c = H(context, X, R). */
export function schnorrChallenge(
  group: Group,
  context: Uint8Array,
  statementBytes: Uint8Array,
  commitmentBytes: Uint8Array,
): bigint {
  return hashToScalar(group, 'schnorr-challenge/v1', context, statementBytes, commitmentBytes);
}

/**
 * Checks many proofs of one group: one multi-scalar multiplication decides whether all hold, and only if not, one
 * check each decides who.
 * @returns the positions of the claims that do not hold, ascending
 */
export function failingSchnorr(group: Group, claims: readonly SchnorrClaim[]): number[] {
  const challenges = claims.map((c) => schnorrChallenge(group, c.context, c.statementBytes, c.proof.commitmentBytes));
  /** Σ w·(z·G − R − c·X) = O up to the cofactor. */
  const holds = (at: readonly number[], weights: readonly bigint[]): boolean => {
    const points: Point[] = [];
    const scalars: bigint[] = [];
    let response = 0n;
    at.forEach((i, n) => {
      const { proof, statement } = claims[i] as SchnorrClaim;
      const weight = weights[n] as bigint;
      response = (response + weight * proof.response) % group.order;
      points.push(proof.commitment, statement);
      scalars.push(weight, (weight * (challenges[i] as bigint)) % group.order);
    });
    const left = group.multiplyPublic(group.base, response);
    return left.subtract(group.msm(points, scalars)).clearCofactor().is0();
  };
  const all = claims.map((_, i) => i);
  const responses = claims.map((c) => c.proof.response);
  if (holds(all, batchWeights(group, challenges, responses))) return [];
  return all.filter((i) => !holds([i], [1n]));
}
