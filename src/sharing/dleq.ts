/**
 * Proofs of equality of discrete logarithms in ristretto255: one e with P1 = e·B1 and P2 = e·B2. Public side.
 * On the wire A1 ‖ A2 ‖ z (96 bytes): the first message, not the challenge, so that many can be checked at once.
 */
import { hashToScalar, type Point } from '../curves/group.ts';
import { Reader } from '../wire/bytes.ts';
import type { ErrorCode } from '../wire/errors.ts';
import { batchWeights } from './batch.ts';
import { sealingGroup } from './sealing-group.ts';

export const DLEQ_BYTES = 96;

/** The encodings of bases and points, in the order B1, B2, P1, P2: what the challenge covers. */
export type DleqStatement = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

export interface DleqProof {
  /** A1 ‖ A2 as sent. */
  readonly commitmentBytes: Uint8Array;
  readonly commitments: readonly [Point, Point];
  readonly response: bigint;
}

export interface DleqClaim {
  /** 32-byte digest of everything that the proof is bound to. */
  readonly context: Uint8Array;
  readonly statement: DleqStatement;
  readonly points: readonly [Point, Point];
  readonly proof: DleqProof;
}

/** Reads A1 ‖ A2 ‖ z of exact length. @throws `code` on another length, E_POINT, E_SCALAR */
export function decodeDleqProof(bytes: Uint8Array, code: ErrorCode): DleqProof {
  const g = sealingGroup();
  const reader = new Reader(bytes, code);
  const commitmentBytes = reader.take(2 * g.pointBytes, 'commitments of the proof');
  const response = g.decodeScalar(reader.take(g.scalarBytes, 'response of the proof'));
  reader.end();
  const first = g.decodePoint(commitmentBytes.subarray(0, g.pointBytes));
  const second = g.decodePoint(commitmentBytes.subarray(g.pointBytes));
  return { commitmentBytes, commitments: [first, second], response };
}

/** c = H(context, B1, B2, P1, P2, A1 ‖ A2). */
export function dleqChallenge(context: Uint8Array, statement: DleqStatement, commitmentBytes: Uint8Array): bigint {
  return hashToScalar(sealingGroup(), 'dleq-challenge/v1', context, statement, commitmentBytes);
}

/**
 * Checks many proofs over the same two bases: one multi-scalar multiplication decides whether all hold, and only if
 * not, one check each decides who.
 * @returns the positions of the claims that do not hold, ascending
 */
export function failingDleq(bases: readonly [Point, Point], claims: readonly DleqClaim[]): number[] {
  const g = sealingGroup();
  const challenges = claims.map((c) => dleqChallenge(c.context, c.statement, c.proof.commitmentBytes));
  /** Σ w·(z·B1 − A1 − c·P1) + w′·(z·B2 − A2 − c·P2) = O; the weights are w, w′ of the first claim, then the next. */
  const holds = (at: readonly number[], weights: readonly bigint[]): boolean => {
    const points: Point[] = [];
    const scalars: bigint[] = [];
    const responses: [bigint, bigint] = [0n, 0n];
    at.forEach((i, n) => {
      const { proof, points: images } = claims[i] as DleqClaim;
      for (const side of [0, 1] as const) {
        const weight = weights[2 * n + side] as bigint;
        responses[side] = (responses[side] + weight * proof.response) % g.order;
        points.push(proof.commitments[side], images[side]);
        scalars.push(weight, (weight * (challenges[i] as bigint)) % g.order);
      }
    });
    const left = g.multiplyPublic(bases[0], responses[0]).add(g.multiplyPublic(bases[1], responses[1]));
    return left.equals(g.msm(points, scalars));
  };
  const all = claims.map((_, i) => i);
  const responses = claims.map((c) => c.proof.response);
  if (holds(all, batchWeights(g, challenges, responses, 2))) return [];
  return all.filter((i) => !holds([i], [1n, 0n]) || !holds([i], [0n, 1n]));
}
