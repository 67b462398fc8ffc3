/**
 * Facts about a quorum expression, computed over its tree: how many exact minimal quorums there are and of which sizes,
 * which participants block. Public; knows neither people nor English. Because every participant stands in one leaf only,
 * the children of a gate are independent: counts multiply, sizes add, and nothing has to be enumerated.
 */
import type { Gate, Leaf } from './expression.ts';

/** A node of a quorum tree. */
export type Node = Gate | Leaf;

/**
 * How many exact minimal quorums a node has, by their size in participants; sizes that do not occur are left out.
 * Elementary symmetric polynomial of the children, in two variables (children used, participants used).
 */
export function quorumSizes(node: Node): Map<number, bigint> {
  if (node.kind === 'leaf') return new Map([[1, 1n]]);
  // ways[k] for k of the children seen so far, by the participants that they need together
  const ways = Array.from({ length: node.threshold + 1 }, () => new Map<number, bigint>());
  ways[0]?.set(0, 1n);
  for (const child of node.children.map(quorumSizes))
    // downwards, so that a child is used once
    for (let k = node.threshold; k > 0; k--) {
      const target = ways[k] as Map<number, bigint>;
      for (const [used, a] of ways[k - 1] as Map<number, bigint>)
        for (const [size, b] of child) target.set(used + size, (target.get(used + size) ?? 0n) + a * b);
    }
  return ways[node.threshold] as Map<number, bigint>;
}

/** Fewest participants that satisfy a node. */
export function smallestSize(node: Node): number {
  if (node.kind === 'leaf') return 1;
  return sum(node.children.map(smallestSize).sort((a, b) => a - b).slice(0, node.threshold));
}

/**
 * The dual tree: its minimal quorums are the smallest-by-inclusion sets whose absence (or refusal) makes the original
 * unsatisfiable. A gate t-of-m becomes (m − t + 1)-of-m.
 */
export function dual<N extends Node>(node: N): N {
  if (node.kind === 'leaf') return node;
  return { ...node, threshold: node.children.length - node.threshold + 1, children: node.children.map((c) => dual(c)) };
}

/**
 * The exact minimal quorums one after the other, in the order of the expression; stop when you have enough.
 * @param smallestOnly only those with the fewest participants
 */
export function* minimalQuorums(node: Node, smallestOnly = false): Generator<string[]> {
  if (node.kind === 'leaf') {
    yield [node.name];
    return;
  }
  const { children, threshold } = node;
  const sizes = children.map(smallestSize);
  const least = (from: number, count: number): number =>
    sum(sizes.slice(from).sort((a, b) => a - b).slice(0, count));
  yield* choose(0, threshold, smallestOnly ? least(0, threshold) : Infinity);

  function* choose(from: number, count: number, budget: number): Generator<string[]> {
    if (count === 0) {
      yield [];
      return;
    }
    for (let i = from; i + count <= children.length; i++) {
      const size = sizes[i] as number;
      if (size + least(i + 1, count - 1) > budget) continue;
      for (const head of minimalQuorums(children[i] as Node, smallestOnly))
        for (const tail of choose(i + 1, count - 1, budget - size)) yield [...head, ...tail];
    }
  }
}

/** Who blocks: participants without whom nothing is satisfied, and pairs of others who block together. */
export function blockers(root: Node): { alone: string[]; pairs: [string, string][] } {
  const walk = (node: Node): { alone: string[]; pairs: [string, string][] } => {
    if (node.kind === 'leaf') return { alone: [node.name], pairs: [] };
    const parts = node.children.map(walk);
    if (node.threshold === 1) return { alone: parts.flatMap((p) => p.alone), pairs: parts.flatMap((p) => p.pairs) };
    if (node.threshold > 2) return { alone: [], pairs: [] };
    const pairs = parts.flatMap((p, i) =>
      p.alone.flatMap((a) => parts.slice(i + 1).flatMap((q) => q.alone.map((b): [string, string] => [a, b]))),
    );
    return { alone: [], pairs };
  };
  return walk(dual(root));
}

/** Fewest of the given participants that any quorum must contain; 0 if they are dispensable altogether. */
export function fewestOf(node: Node, members: ReadonlySet<string>): number {
  if (node.kind === 'leaf') return members.has(node.name) ? 1 : 0;
  const needs = node.children.map((c) => fewestOf(c, members)).sort((a, b) => a - b);
  return sum(needs.slice(0, node.threshold));
}

/** The first `limit` items of a generator. */
export function take<T>(limit: number, items: Iterable<T>): T[] {
  const out: T[] = [];
  for (const item of items) {
    if (out.length === limit) break;
    out.push(item);
  }
  return out;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
