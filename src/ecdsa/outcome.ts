/**
 * What comes of a presigning: whether the parts add up, and the public half of the presignature ("CGGMP24 presigning"
 * output, A.11). Public.
 */
import { invert } from '../arith/integer.ts';
import { group, type Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import { gammaSum } from './mta.ts';
import type { CurveName, Entry, Which } from './presign.ts';
import type { PresignPublic } from './signature.ts';
import { parseSum } from './sum.ts';

/** Everything that the outcome depends on; all entries were checked one by one. */
export interface Parts {
  readonly curve: CurveName;
  /** What the signature is to verify under, encoded: the key with the derivation path applied; the sum of all W. */
  readonly publicKey: Uint8Array;
  /** The entries of round 2 and round 3 of all signers. */
  readonly mtas: readonly Entry[];
  readonly sums: readonly Entry[];
}

/** A point for each signer. */
export interface LeafPoint {
  readonly leaf: number;
  readonly point: Uint8Array;
}

/** The public half of a presignature: all points encoded, lists by ascending leaf. */
export interface Presignature {
  /** Γ; the r of the signature is its x modulo q. */
  readonly gamma: Uint8Array;
  /** Δ~_j = δ^-1·Δ_j, which add up to G. */
  readonly delta: readonly LeafPoint[];
  /** S~_j = δ^-1·S_j, which add up to the public key. */
  readonly chi: readonly LeafPoint[];
}

function totals({ curve, sums }: Parts): { delta: bigint; Delta: Point; S: Point } {
  const g = group(curve);
  const parsed = sums.map(({ bytes }) => parseSum(bytes, curve));
  return {
    delta: parsed.reduce((sum, { delta }) => (sum + delta) % g.order, 0n),
    Delta: g.sum(parsed.map(({ Delta }) => Delta)),
    S: g.sum(parsed.map(({ S }) => S)),
  };
}

/** δ = Σδ_j, encoded; public. @throws E_FORMAT, E_SCALAR, E_POINT; E_DEGENERATE for 0 */
export function deltaSum(parts: Parts): Uint8Array {
  const { delta } = totals(parts);
  return delta === 0n ? fail('E_DEGENERATE', 'the product of nonce and mask is zero') : group(parts.curve).encodeScalar(delta);
}

/**
 * Whether the parts add up: δ·G = ΣΔ_j and δ·PK' = ΣS_j.
 * @returns which error round is due (`gamma`: the nonce's product; `chi`: the key's), if one is
 * @throws E_FORMAT, E_SCALAR, E_POINT for what no check has seen; E_DEGENERATE with negligible probability, which blames nobody
 */
export function checkSums(parts: Parts): Which | undefined {
  const g = group(parts.curve);
  const { delta, Delta, S } = totals(parts);
  if (!g.multiplyPublic(g.base, delta).equals(Delta)) return 'gamma';
  if (delta === 0n) fail('E_DEGENERATE', 'the product of nonce and mask is zero');
  if (!g.multiplyPublic(g.decodePoint(parts.publicKey), delta).equals(S)) return 'chi';
  return undefined;
}

/** The public half of the presignature. @throws E_SUM when the parts do not add up; as {@link checkSums} otherwise */
export function presignature(parts: Parts): Presignature {
  if (checkSums(parts) !== undefined) fail('E_SUM', 'the parts of the presignature do not add up');
  const g = group(parts.curve);
  const inverse = invert(g.decodeScalar(deltaSum(parts)), g.order);
  const scaled = (pick: 'Delta' | 'S'): LeafPoint[] =>
    [...parts.sums]
      .sort((a, b) => a.leaf - b.leaf)
      .map(({ leaf, bytes }) => ({ leaf, point: g.encodePoint(g.multiplyPublic(parseSum(bytes, parts.curve)[pick], inverse)) }));
  return { gamma: gammaSum(parts.curve, parts.mtas), delta: scaled('Delta'), chi: scaled('S') };
}

/** The same as points by leaf, for signing. @throws E_POINT */
export function presignPoints(curve: CurveName, { gamma, delta, chi }: Presignature): PresignPublic {
  const g = group(curve);
  const byLeaf = (list: readonly LeafPoint[]): Map<number, Point> => new Map(list.map(({ leaf, point }) => [leaf, g.decodePoint(point)]));
  return { gamma: g.decodePoint(gamma), delta: byLeaf(delta), chi: byLeaf(chi) };
}
