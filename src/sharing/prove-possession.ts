/** Proof that a dealer knows the constant it deals. Secret side. */
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import type { Polynomials } from './deal.ts';
import { possessionContext } from './possession.ts';
import { proveSchnorr } from './prove.ts';
import { encodeTree, treeDigest, type PublicTree } from './tree.ts';

/**
 * R ‖ z for C_0 = constant·G, in the key's own group.
 * @param sid session id, 32 bytes
 * @param dealer the dealer's id
 * @throws E_INTERNAL for a tree without a constant
 */
export function provePossession(
  sid: Uint8Array,
  dealer: number,
  tree: PublicTree,
  poly: Polynomials,
  random: Random,
): Uint8Array {
  const { group, quorum, constant } = tree;
  if (constant === undefined) return fail('E_INTERNAL', 'nothing is possessed in a refresh');
  const context = possessionContext(sid, dealer, treeDigest(group, quorum, encodeTree(tree)));
  return proveSchnorr(group, context, poly.constant, group.encodePoint(constant), random);
}
