/**
 * Round 3 of presigning, the sum: a signer's additive part δ_i of k·γ, and Δ_i = k_i·Γ and S_i = χ_i·Γ, the points
 * against which signature shares are checked later ("CGGMP24 presigning" round 3, A.11). Public.
 */
import { group, type Point } from '../curves/group.ts';
import { Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { checkElog, ELOG_BYTES } from './elog.ts';
import { offerHead } from './offer.ts';
import { type CurveName, proofContext } from './presign.ts';

export interface Sum {
  /** δ_i, modulo q. */
  readonly delta: bigint;
  /** Δ_i. */
  readonly Delta: Point;
  /** S_i. */
  readonly S: Point;
  /** Π-elog that Δ_i belongs to the k of the offer. */
  readonly proof: Uint8Array;
}

/** Bytes of an entry of round 3. */
export function sumBytes(curve: CurveName): number {
  const g = group(curve);
  return g.scalarBytes + 2 * g.pointBytes + ELOG_BYTES;
}

/** Reads an entry of round 3. @throws E_FORMAT on another length, E_SCALAR, E_POINT */
export function parseSum(bytes: Uint8Array, curve: CurveName): Sum {
  if (bytes.length !== sumBytes(curve)) fail('E_FORMAT', 'an entry of round 3 has another length', { field: 'sum' });
  const g = group(curve);
  const reader = new Reader(bytes);
  const delta = g.decodeScalar(reader.take(g.scalarBytes, 'delta'));
  const Delta = g.decodePoint(reader.take(g.pointBytes, 'Delta'));
  const S = g.decodePoint(reader.take(g.pointBytes, 'S'));
  return { delta, Delta, S, proof: reader.take(ELOG_BYTES, 'a proof') };
}

export interface CheckSum {
  readonly curve: CurveName;
  /** The context of round 3, 32 bytes. */
  readonly bind: Uint8Array;
  readonly prover: number;
  /** The prover's offer. */
  readonly offer: Uint8Array;
  /** Γ, the sum of all Γ_j, encoded. */
  readonly gamma: Uint8Array;
  /** The prover's entry of round 3. */
  readonly sum: Uint8Array;
}

/** Checks that Δ is k·Γ. That δ and S are right, only all entries together show. @throws E_FORMAT, E_POINT, E_SCALAR or E_PROOF; all blame the prover */
export function checkSum({ curve, bind, prover, offer, gamma, sum }: CheckSum): void {
  const g = group(curve);
  const { Y, A1, A2 } = offerHead(offer, curve);
  const { Delta, proof } = parseSum(sum, curve);
  checkElog(proofContext(bind, 'elog/delta', prover), { group: g, L: A1, M: A2, X: Y, Y: Delta, H: g.decodePoint(gamma) }, proof);
}
