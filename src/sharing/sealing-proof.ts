/**
 * The sealed part of a dealing and the proof that its sealing key is the dealer's own. Public side. Everybody checks
 * the proof before opening anything: a dealer that derives its E from somebody else's would otherwise turn an honest
 * complaint about its garbage into the opening of that other dealer's box.
 */
import type { Group } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { digest } from '../wire/hash.ts';
import { decodeDleqProof, DLEQ_BYTES, dleqHolds, type DleqProof, type DleqStatement } from './dleq.ts';
import type { Quorum } from './expression.ts';
import { POINT_BYTES, requirePoint, secondBase } from './sealing-group.ts';

/** E = e·B, E′ = e·B′, the proof that both have one e, and a box for every leaf in the order of ids. As bytes. */
export interface SealedBoxes {
  /** 32 bytes. */
  readonly E: Uint8Array;
  /** E′, 32 bytes. */
  readonly E2: Uint8Array;
  /** 96 bytes. */
  readonly proof: Uint8Array;
  /** Each of the key group's scalar size. */
  readonly boxes: readonly Uint8Array[];
}

/** Sealed boxes whose form was checked. */
export interface Sealing extends SealedBoxes {
  readonly dleq: DleqProof;
}

/** Bytes of an encoded sealing. @param group of the dealt key */
export function sealingBytes(group: Group, quorum: Quorum): number {
  return 2 * POINT_BYTES + DLEQ_BYTES + quorum.leaves.length * group.scalarBytes;
}

/** E ‖ E′ ‖ proof ‖ boxes. */
export function encodeSealing(sealed: SealedBoxes): Uint8Array {
  return concat(sealed.E, sealed.E2, sealed.proof, ...sealed.boxes);
}

/** Reads a sealing of exact length. @throws E_DEALING on another length; E_POINT, E_SCALAR */
export function decodeSealing(group: Group, quorum: Quorum, bytes: Uint8Array): Sealing {
  const reader = new Reader(bytes, 'E_DEALING');
  const E = reader.take(POINT_BYTES, 'sealing key');
  const E2 = reader.take(POINT_BYTES, 'second sealing key');
  const proof = reader.take(DLEQ_BYTES, 'sealing proof');
  const boxes = quorum.leaves.map((leaf) => reader.take(group.scalarBytes, `box of ${leaf.name}`));
  reader.end();
  for (const box of boxes) group.decodeScalar(box);
  const dleq = decodeDleqProof(proof, 'E_DEALING');
  return { E: requirePoint(E), E2: requirePoint(E2), proof, boxes, dleq };
}

/** What a sealing proof is bound to (32 bytes): session, dealer, all commitments, all boxes, all prekeys. */
export function sealingContext(
  sid: Uint8Array,
  dealer: number,
  treeHash: Uint8Array,
  boxes: readonly Uint8Array[],
  prekeys: readonly Uint8Array[],
): Uint8Array {
  return digest('sealing/v1', sid, dealer, treeHash, boxes, prekeys);
}

/** What the sealing proof states: log_B E = log_B′ E′. */
export function sealingStatement(E: Uint8Array, E2: Uint8Array): DleqStatement {
  return { P1: E, B2: secondBase(), P2: E2 };
}

export interface SealingClaim {
  readonly dealer: number;
  readonly treeHash: Uint8Array;
  readonly sealing: Sealing;
}

/**
 * Ids of the dealers whose sealing proof does not hold.
 * @param prekeys all receivers' prekeys as the plan names them, in the order of ids
 */
export function verifySealings(sid: Uint8Array, prekeys: readonly Uint8Array[], claims: readonly SealingClaim[]): number[] {
  const holds = ({ dealer, treeHash, sealing: { E, E2, boxes, dleq } }: SealingClaim): boolean =>
    dleqHolds(sealingContext(sid, dealer, treeHash, boxes, prekeys), sealingStatement(E, E2), dleq);
  return claims.filter((claim) => !holds(claim)).map(({ dealer }) => dealer);
}
