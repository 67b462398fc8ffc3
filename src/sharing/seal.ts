/**
 * Sealing sub-shares to one-time prekeys, and opening one box. Secret: sub-shares are bigints while they are computed
 * with, which cannot be wiped; the sealing scalar and the shared points are bytes.
 */
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { boxMask, unmask, type BoxFacts } from './box.ts';
import { subShares, type Polynomials } from './deal.ts';
import { proveDleq } from './prove.ts';
import { multiply, multiplyBase, randomSealingScalar, requireScalar, secondBase } from './sealing-group.ts';
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
  const e = randomSealingScalar(random);
  const E = multiplyBase(e);
  const E2 = multiply(e, secondBase());
  const shares = subShares(poly, quorum);
  const boxes = quorum.leaves.map((leaf, i) => {
    const P = prekeys[i] as Uint8Array;
    const K = multiply(e, P);
    const mask = boxMask({ group, sid, dealer, leaf, E, P }, K);
    K.fill(0);
    return group.encodeScalar(((shares[i] as bigint) + mask) % group.order);
  });
  const context = sealingContext(sid, dealer, treeDigest(group, quorum, encodeTree(tree)), boxes, prekeys);
  const proof = proveDleq(context, e, sealingStatement(E, E2), random);
  e.fill(0);
  return { E, E2, boxes, proof };
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
 * @param secret p, 32 bytes
 * @returns the sub-share, 0..q−1; secret and not yet checked
 * @throws E_SCALAR
 */
export function openBox(facts: BoxFacts, box: Uint8Array, secret: Uint8Array): bigint {
  const K = multiply(requireScalar(secret), facts.E);
  const value = unmask(facts, box, K);
  K.fill(0);
  return value;
}
