/** The public side of additive shares. */
import type { Group, Point } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import type { Leaf, Quorum } from './expression.ts';
import { recombination } from './recombination.ts';

/**
 * W = c·X of every member of one minimal quorum, by id; their sum is the public key. In a reshare or repair it is the
 * point that the member's dealt constant must equal.
 * @param leaves the minimal quorum, as `exactQuorum` returns it
 * @param points X of at least these leaves, by id
 * @throws E_QUORUM when the leaves are not a minimal quorum
 */
export function additivePoints(
  group: Group,
  quorum: Quorum,
  leaves: readonly Leaf[],
  points: ReadonlyMap<number, Point>,
): Map<number, Point> {
  const weights = recombination(quorum, leaves, group.order);
  return new Map(
    [...weights].map(([id, weight]) => {
      const point = points.get(id) ?? fail('E_INTERNAL', `no share point of leaf ${String(id)}`);
      return [id, group.multiplyPublic(point, weight)];
    }),
  );
}
