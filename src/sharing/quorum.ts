/** Who satisfies a quorum. Public; the weights with which shares recombine are in {@link ./recombination.ts}. */
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
