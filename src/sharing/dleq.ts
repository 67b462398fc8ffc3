/**
 * Proofs of equality of discrete logarithms in the sealing group: one e with P1 = e·B and P2 = e·B2. Public side.
 * On the wire A1 ‖ A2 ‖ z (96 bytes).
 */
import { concat, Reader } from '../wire/bytes.ts';
import type { ErrorCode } from '../wire/errors.ts';
import { equationHolds, FIRST_BASE, hashToSealingScalar, POINT_BYTES, requirePoint, requireScalar, SCALAR_BYTES } from './sealing-group.ts';

export const DLEQ_BYTES = 2 * POINT_BYTES + SCALAR_BYTES;

/** What is stated; the first base is always B. Encoded points, 32 bytes each. */
export interface DleqStatement {
  readonly P1: Uint8Array;
  /** The second base. */
  readonly B2: Uint8Array;
  readonly P2: Uint8Array;
}

/** A proof whose form was checked. */
export interface DleqProof {
  /** The first message, 32 bytes each. */
  readonly A1: Uint8Array;
  readonly A2: Uint8Array;
  /** The response, 32 bytes. */
  readonly z: Uint8Array;
}

/** Reads A1 ‖ A2 ‖ z of exact length. @throws `code` on another length, E_POINT, E_SCALAR */
export function decodeDleqProof(bytes: Uint8Array, code: ErrorCode): DleqProof {
  const reader = new Reader(bytes, code);
  const A1 = reader.take(POINT_BYTES, 'first commitment of the proof');
  const A2 = reader.take(POINT_BYTES, 'second commitment of the proof');
  const z = reader.take(SCALAR_BYTES, 'response of the proof');
  reader.end();
  return { z: requireScalar(z), A1: requirePoint(A1), A2: requirePoint(A2) };
}

/** c = H(context, B, B2, P1, P2, A1 ‖ A2), 32 bytes. @param commitments A1 ‖ A2 */
export function dleqChallenge(context: Uint8Array, { P1, B2, P2 }: DleqStatement, commitments: Uint8Array): Uint8Array {
  return hashToSealingScalar('dleq-challenge/v1', context, [FIRST_BASE, B2, P1, P2], commitments);
}

/**
 * Whether z·B = A1 + c·P1 and z·B2 = A2 + c·P2.
 * @param context 32-byte digest of everything that the proof is bound to
 * @param statement of points that were checked
 */
export function dleqHolds(context: Uint8Array, statement: DleqStatement, { A1, A2, z }: DleqProof): boolean {
  const { P1, B2, P2 } = statement;
  const c = dleqChallenge(context, statement, concat(A1, A2));
  return equationHolds(z, FIRST_BASE, A1, c, P1) && equationHolds(z, B2, A2, c, P2);
}
