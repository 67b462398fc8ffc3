/** Who satisfies a quorum, and with which weights their shares recombine. Public. */
import { invert } from '@noble/curves/abstract/modular.js';
import { fail } from '../wire/errors.ts';
import { nodeText, type Gate, type Leaf, type Quorum } from './expression.ts';

/**
 * The lexicographically first minimal quorum among those present: each gate keeps the first `threshold` of its
 * children that succeed. Inclusion-minimal and idempotent.
 * @param present names
 * @returns its leaves by ascending id, or undefined when the quorum is not satisfied
 */
export function select(quorum: Quorum, present: ReadonlySet<string>): Leaf[] | undefined {
  const walk = (node: Gate | Leaf): Leaf[] | undefined => {
    if (node.kind === 'leaf') return present.has(node.name) ? [node] : undefined;
    const found: Leaf[] = [];
    let count = 0;
    for (const child of node.children) {
      const leaves = walk(child);
      if (leaves === undefined) continue;
      found.push(...leaves);
      count++;
      if (count === node.threshold) return found;
    }
    return undefined;
  };
  return walk(quorum.root);
}

/** One line for each gate that lacks children, from the root down. */
function lacks(quorum: Quorum, present: ReadonlySet<string>): string[] {
  const lines: string[] = [];
  const walk = (node: Gate | Leaf): boolean => {
    if (node.kind === 'leaf') return present.has(node.name);
    const own = lines.length;
    const open = node.children.filter((child) => !walk(child));
    const short = node.threshold - (node.children.length - open.length);
    if (short <= 0) {
      lines.length = own;
      return true;
    }
    lines.splice(own, 0, `${String(short)} more of: ${open.map(nodeText).join(', ')}`);
    return false;
  };
  walk(quorum.root);
  return lines;
}

/**
 * The leaves of a pinned signer set, which must be exactly one minimal quorum (also for plain t-of-n).
 * @throws E_QUORUM naming what is missing or who has no seat, E_QUORUM_SURPLUS naming who is too many,
 *   E_SEAT_DUP when a name comes twice
 */
export function exactQuorum(quorum: Quorum, signers: readonly string[]): Leaf[] {
  const present = new Set<string>();
  for (const name of signers) {
    if (present.has(name)) fail('E_SEAT_DUP', `${name} is listed twice`, { participant: name });
    if (!quorum.leaves.some((leaf) => leaf.name === name))
      fail('E_QUORUM', `${name} has no seat in the quorum`, { participant: name });
    present.add(name);
  }
  const leaves = select(quorum, present);
  if (leaves === undefined) {
    const details = lacks(quorum, present);
    return fail('E_QUORUM', `the signers do not satisfy the quorum: ${details.join('; ')}`, { details });
  }
  const used = new Set(leaves.map((leaf) => leaf.name));
  const surplus = signers.filter((name) => !used.has(name));
  if (surplus.length > 0)
    fail('E_QUORUM_SURPLUS', `not needed: ${surplus.join(', ')}`, {
      participant: surplus[0],
      remedy: `Sign with ${[...used].join(', ')}.`,
    });
  return leaves;
}

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
 * @param leaves one minimal quorum, as {@link exactQuorum} returns it
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
