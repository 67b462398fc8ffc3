/**
 * Π-elog: (L, M) is an ElGamal pair under X of the y with Y = y·H (CGGMP24; A.5). L = λ·G, M = y·G + λ·X. Public side.
 *
 * On the wire e ‖ z ‖ u. The first message follows from these, A = z·G - e·L, N = u·G + z·X - e·M, B = u·H - e·Y, and
 * the proof holds if their challenge is e again.
 */
import type { Group, Point } from '../curves/group.ts';
import { concat, equalBytes, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { readScalarChallenge, scalarChallenge, type ProofContext, type ScalarChallenge } from './context.ts';
import { SCALAR_BYTES } from './parameters.ts';
import { firstPoints, statementPoints, sumOf } from './points.ts';

export const ELOG_LABEL = 'elog/v1';

/** Bytes of a proof. */
export const ELOG_BYTES = 3 * SCALAR_BYTES;

export interface ElogStatement {
  readonly group: Group;
  readonly L: Point;
  readonly M: Point;
  readonly X: Point;
  readonly Y: Point;
  readonly H: Point;
}

/** The first message. */
export interface ElogFirst {
  readonly A: Point;
  readonly N: Point;
  readonly B: Point;
}

/** What is sent. */
export interface ElogProof {
  readonly challenge: ScalarChallenge;
  /** Modulo q. */
  readonly z: bigint;
  readonly u: bigint;
}

/** The statement as it is hashed. @throws E_POINT for an identity */
export function elogItems({ group, L, M, X, Y, H }: ElogStatement): Item[] {
  return statementPoints(group, { L, M, X, Y, H });
}

/** @param statement of {@link elogItems} */
export function elogChallenge(group: Group, ctx: ProofContext, statement: readonly Item[], { A, N, B }: ElogFirst): ScalarChallenge {
  return scalarChallenge(group, ELOG_LABEL, ctx, statement, firstPoints(group, [A, N, B]));
}

/** e ‖ z ‖ u, {@link ELOG_BYTES}. */
export function encodeElog(group: Group, { challenge, z, u }: ElogProof): Uint8Array {
  return concat(challenge.bytes, group.encodeScalar(z), group.encodeScalar(u));
}

/** @throws E_FORMAT on another length, E_SCALAR */
export function decodeElog(group: Group, bytes: Uint8Array): ElogProof {
  const reader = new Reader(bytes);
  const proof = {
    challenge: readScalarChallenge(group, reader.take(SCALAR_BYTES, 'e')),
    z: group.decodeScalar(reader.take(SCALAR_BYTES, 'z')),
    u: group.decodeScalar(reader.take(SCALAR_BYTES, 'u')),
  };
  reader.end();
  return proof;
}

/** @throws E_FORMAT on another length; E_SCALAR; E_POINT for an identity in the statement; E_PROOF when it does not hold */
export function checkElog(ctx: ProofContext, st: ElogStatement, proof: Uint8Array): void {
  const { group, L, M, X, Y, H } = st;
  const statement = elogItems(st);
  const { challenge, z, u } = decodeElog(group, proof);
  const { e, bytes } = challenge;
  const first = {
    A: sumOf(group, [z, group.base], [-e, L]),
    N: sumOf(group, [u, group.base], [z, X], [-e, M]),
    B: sumOf(group, [u, H], [-e, Y]),
  };
  if (!equalBytes(elogChallenge(group, ctx, statement, first).bytes, bytes)) fail('E_PROOF', 'Π-elog does not hold');
}
