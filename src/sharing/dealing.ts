/** The dealing as everybody receives it: tree ‖ proof of possession (by kind) ‖ sealing. Public. */
import type { Group } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import type { Quorum } from './expression.ts';
import { hasConstant, KINDS, type Kind } from './kinds.ts';
import { decodeSchnorrProof, schnorrProofBytes, type SchnorrProof } from './schnorr-proof.ts';
import { decodeSealing, encodeSealing, sealingBytes, type SealedBoxes, type Sealing } from './sealing-proof.ts';
import { decodeTreeFast, treeDigest, treePoints, type PublicTree } from './tree.ts';

/** What fixes the form and length of a dealing. */
export interface DealingShape {
  readonly kind: Kind;
  readonly group: Group;
  /** The quorum that receives. */
  readonly quorum: Quorum;
}

/** A dealing whose form was checked, and nothing else: points of a curve with a cofactor may have a small-order part. */
export interface Dealing {
  readonly tree: PublicTree;
  readonly treeBytes: Uint8Array;
  /** `treeDigest` of the tree: all commitments. */
  readonly treeHash: Uint8Array;
  /** Absent by kind. */
  readonly possession?: SchnorrProof;
  /** R ‖ z as sent; empty where the kind has none. */
  readonly possessionBytes: Uint8Array;
  readonly sealing: Sealing;
}

/** Bytes of the part that a commit round hides: tree ‖ proof of possession. */
export function openingBytes({ kind, group, quorum }: DealingShape): number {
  const possession = KINDS[kind].possession ? schnorrProofBytes(group) : 0;
  return treePoints(quorum, hasConstant(kind)) * group.pointBytes + possession;
}

/** Bytes of an encoded dealing. */
export function dealingBytes(shape: DealingShape): number {
  return openingBytes(shape) + sealingBytes(shape.group, shape.quorum);
}

/** @param possessionBytes R ‖ z, empty where the kind has none */
export function encodeDealing(treeBytes: Uint8Array, possessionBytes: Uint8Array, sealed: SealedBoxes): Uint8Array {
  return concat(treeBytes, possessionBytes, encodeSealing(sealed));
}

/**
 * Reads a dealing of exact length. The points of its tree are not yet checked for a small-order part; `verifyDealings` does.
 * @throws E_DEALING on another length; E_POINT, E_SCALAR naming the field
 */
export function decodeDealing(shape: DealingShape, bytes: Uint8Array): Dealing {
  const { kind, group, quorum } = shape;
  const reader = new Reader(bytes, 'E_DEALING');
  const treeBytes = reader.take(treePoints(quorum, hasConstant(kind)) * group.pointBytes, 'commitments');
  const possessionBytes = reader.take(KINDS[kind].possession ? schnorrProofBytes(group) : 0, 'proof of possession');
  const sealingPart = reader.take(sealingBytes(group, quorum), 'boxes');
  reader.end();
  const tree = decodeTreeFast(group, quorum, hasConstant(kind), new Reader(treeBytes, 'E_DEALING'));
  const common = {
    tree,
    treeBytes,
    treeHash: treeDigest(group, quorum, treeBytes),
    possessionBytes,
    sealing: decodeSealing(group, quorum, sealingPart),
  };
  return possessionBytes.length === 0 ? common : { ...common, possession: decodeSchnorrProof(group, possessionBytes) };
}
