/** The public result of a round of dealings: the new tree, the public key and every leaf's point. Public. */
import type { Group, Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import type { Quorum } from './expression.ts';
import { addTrees, coefficients, leafPoints, type PublicTree } from './tree.ts';

export interface KeyTree {
  readonly tree: PublicTree & { readonly constant: Point };
  /** The root constant. */
  readonly publicKey: Point;
  /** X of every leaf, by id. */
  readonly leafPoints: ReadonlyMap<number, Point>;
}

/**
 * Adds up trees: those of the dealings (or their sum), and the old tree in a refresh.
 * @param expected the public key as it was, in every kind but dkg
 * @throws E_DEGENERATE when the public key, a leaf's point or a combined coefficient is the identity: nobody is to
 *   blame, for in a gate with fewer than t honest leaves the last to speak can force it, and it gains no share;
 *   E_INTERNAL when the public key is not the expected one, which the checks of every dealer rule out
 */
export function combineTrees(group: Group, quorum: Quorum, trees: readonly PublicTree[], expected?: Point): KeyTree {
  const tree = addTrees(trees);
  const { constant } = tree;
  if (tree.group !== group || tree.quorum.text !== quorum.text) return fail('E_INTERNAL', 'trees of another group or quorum');
  if (constant === undefined) return fail('E_INTERNAL', 'a key needs a constant');
  const points = leafPoints(tree);
  const degenerate = [...coefficients(tree), ...points.values()].some((p) => p.is0());
  if (degenerate)
    fail('E_DEGENERATE', 'a combined point is the identity; nobody is to blame', { remedy: 'Start a further attempt.' });
  if (expected !== undefined && !constant.equals(expected)) fail('E_INTERNAL', 'the public key has changed');
  return { tree: { ...tree, constant }, publicKey: constant, leafPoints: points };
}
