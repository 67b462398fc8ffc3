/** With which weights the shares of a quorum recombine. Public. */
import { invert } from '@noble/curves/abstract/modular.js';
import { fail } from '../wire/errors.ts';
import type { Gate, Leaf, Quorum } from './expression.ts';

/** λ_i = Π j/(j−i) over the other indices j: the weight of f(i) in f(0). Indices are small, distinct and positive. */
function lagrange(i: number, indices: readonly number[], order: bigint): bigint {
  let numerator = 1n;
  let denominator = 1n;
  for (const j of indices) {
    if (j === i) continue;
    numerator *= BigInt(j);
    denominator *= BigInt(j - i);
  }
  const inverse = invert(((denominator % order) + order) % order, order);
  return ((numerator % order) * inverse) % order;
}

/**
 * Lagrange coefficients at 0 over ids, as FROST computes them (RFC 9591 section 4.2).
 * @param order of the group
 * @throws E_INTERNAL on an id that is repeated or not positive
 */
export function flatLagrange(ids: readonly number[], order: bigint): Map<number, bigint> {
  if (new Set(ids).size !== ids.length || ids.some((id) => !Number.isSafeInteger(id) || id < 1))
    fail('E_INTERNAL', 'ids are distinct and positive');
  return new Map(ids.map((id) => [id, lagrange(id, ids, order)]));
}

/**
 * The weight c of each leaf, by id: Σ c = 1 and Σ c·share = the shared scalar.
 * c is the product of the Lagrange coefficients along the leaf's path.
 * @param leaves one minimal quorum, as `exactQuorum` returns it
 * @param order of the group
 * @throws E_QUORUM when the leaves are not a minimal quorum
 */
export function recombination(quorum: Quorum, leaves: readonly Leaf[], order: bigint): Map<number, bigint> {
  const wanted = new Set(leaves.map((leaf) => leaf.id));
  const weights = new Map<number, bigint>();
  const used = (node: Gate | Leaf): boolean => (node.kind === 'leaf' ? wanted.has(node.id) : node.children.some(used));
  const walk = (node: Gate | Leaf, weight: bigint): void => {
    if (node.kind === 'leaf') {
      weights.set(node.id, weight);
      return;
    }
    const children = node.children.filter(used);
    if (children.length !== node.threshold) fail('E_QUORUM', 'the leaves are not one minimal quorum');
    const indices = children.map((child) => child.index);
    for (const child of children) walk(child, (weight * lagrange(child.index, indices, order)) % order);
  };
  walk(quorum.root, 1n);
  if (weights.size !== wanted.size) fail('E_QUORUM', 'a leaf is not of this quorum');
  return weights;
}
