/**
 * Sealing sub-shares to one-time prekeys, and opening one box. Secret: sub-shares, the sealing scalar and the shared
 * points are bigints and points while they are computed with, which cannot be wiped.
 */
import type { Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { boxMask, unmask, type BoxFacts } from './box.ts';
import { subShares, type Polynomials } from './deal.ts';
import { proveDleq } from './prove.ts';
import { secondBase, sealingGroup } from './sealing-group.ts';
import { sealingContext, sealingStatement, type SealedBoxes } from './sealing-proof.ts';
import { encodeTree, treeDigest, type PublicTree } from './tree.ts';

export interface SealRequest {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array;
  /** The dealer's id. */
  readonly dealer: number;
  readonly tree: PublicTree;
  /** Secret. */
  readonly poly: Polynomials;
  /** All receivers' prekeys (32 bytes each) in the order of ids, their proofs of possession already checked. */
  readonly prekeys: readonly Uint8Array[];
  readonly random: Random;
}

/**
 * Seals every leaf's sub-share under one fresh e, with the proof that E and E′ share it.
 * @throws E_POINT for a prekey that is no point; E_INTERNAL when their number is not that of the leaves
 */
export function sealBoxes({ sid, dealer, tree, poly, prekeys, random }: SealRequest): SealedBoxes {
  const { group, quorum } = tree;
  if (prekeys.length !== quorum.leaves.length) fail('E_INTERNAL', 'one prekey is needed for every leaf');
  const g = sealingGroup();
  const e = g.randomScalar(random);
  const bases = [g.base, secondBase()] as const;
  const E = g.encodePoint(g.multiply(bases[0], e));
  const E2 = g.encodePoint(g.multiply(bases[1], e));
  const shares = subShares(poly, quorum);
  const boxes = quorum.leaves.map((leaf, i) => {
    const P = prekeys[i] as Uint8Array;
    const K = g.encodePoint(g.multiply(g.decodePoint(P), e));
    const mask = boxMask({ group, sid, dealer, leaf, E, P }, K);
    return group.encodeScalar(((shares[i] as bigint) + mask) % group.order);
  });
  const context = sealingContext(sid, dealer, treeDigest(group, quorum, encodeTree(tree)), boxes, prekeys);
  return { E, E2, boxes, proof: proveDleq(context, e, bases, sealingStatement(E, E2), random) };
}

/** A receiver's own prekey. */
export interface OwnPrekey {
  /** p: 32 bytes, secret. */
  readonly secret: Uint8Array;
  /** P: 32 bytes. */
  readonly P: Uint8Array;
}

/**
 * Opens the receiver's box of a dealing whose sealing proof holds.
 * @param E the dealing's sealing key, decoded
 * @param secret p, 32 bytes
 * @returns the sub-share, 0..q−1; secret and not yet checked
 * @throws E_SCALAR
 */
export function openBox(facts: BoxFacts, box: Uint8Array, E: Point, secret: Uint8Array): bigint {
  const g = sealingGroup();
  return unmask(facts, box, g.encodePoint(g.multiply(E, g.decodeScalar(secret))));
}
