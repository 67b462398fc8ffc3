/**
 * The public tree: commitments to every polynomial of a dealing, or to those of a whole key. Public.
 *
 * A gate's own constant is never stated: it is the value of the gate above at its index, so a wrong one cannot be said.
 */
import type { Group, Point } from '../curves/group.ts';
import { concat, type Reader } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import type { Gate, Leaf, Quorum } from './expression.ts';

export interface PublicTree {
  readonly group: Group;
  readonly quorum: Quorum;
  /** The point of the shared scalar; absent where the scalar is zero by format (refresh). */
  readonly constant?: Point;
  /** By gate label: the commitments to the coefficients of degree 1..threshold−1, ascending. */
  readonly gates: ReadonlyMap<string, readonly Point[]>;
}

/** Number of points of an encoded tree: 1 if it has a constant, and t−1 for every gate. */
export function treePoints(quorum: Quorum, hasConstant: boolean): number {
  return quorum.gates.reduce((n, gate) => n + gate.threshold - 1, hasConstant ? 1 : 0);
}

/** The points of a tree in their fixed order: constant, then the gates in pre-order, by ascending degree. */
export function coefficients(tree: PublicTree): Point[] {
  const points = tree.constant === undefined ? [] : [tree.constant];
  for (const gate of tree.quorum.gates) points.push(...gateOf(tree, gate.label));
  return points;
}

/** Points in their fixed order, each in the suite's compressed form. @throws E_INTERNAL when one is the identity */
export function encodeTree(tree: PublicTree): Uint8Array {
  return concat(...coefficients(tree).map((p) => tree.group.encodePoint(p)));
}

function read(
  group: Group,
  quorum: Quorum,
  hasConstant: boolean,
  reader: Reader,
  decode: (bytes: Uint8Array) => Point,
): PublicTree {
  const point = (field: string): Point => {
    const bytes = reader.take(group.pointBytes, field);
    try {
      return decode(bytes);
    } catch (e) {
      throw e instanceof CeremonyError ? e.with({ field }) : e;
    }
  };
  const constant = hasConstant ? point('constant') : undefined;
  const gates = new Map<string, Point[]>();
  for (const gate of quorum.gates) {
    const name = gate.label === '' ? 'root' : gate.label;
    const degrees = Array.from({ length: gate.threshold - 1 }, (_, i) => i + 1);
    gates.set(
      gate.label,
      degrees.map((k) => point(`gate ${name}, coefficient ${String(k)}`)),
    );
  }
  return constant === undefined ? { group, quorum, gates } : { group, quorum, constant, gates };
}

/**
 * Reads a tree of exactly the quorum's shape, every point fully checked.
 * @throws E_POINT naming the field; the reader's code when bytes are missing
 */
export function decodeTree(group: Group, quorum: Quorum, hasConstant: boolean, reader: Reader): PublicTree {
  return read(group, quorum, hasConstant, reader, group.decodePoint);
}

/**
 * As {@link decodeTree} without the subgroup checks: for a caller that checks every coefficient of a sum of trees and
 * goes through the single trees when that fails.
 * @throws E_POINT naming the field; the reader's code when bytes are missing
 */
export function decodeTreeFast(group: Group, quorum: Quorum, hasConstant: boolean, reader: Reader): PublicTree {
  return read(group, quorum, hasConstant, reader, group.decodePointFast);
}

/** Digest of a tree's encoding (32 bytes) with its group and quorum: the "all commitments" of every challenge. */
export function treeDigest(group: Group, quorum: Quorum, encoded: Uint8Array): Uint8Array {
  return digest('tree/v1', group.name, quorum.text, encoded);
}

function gateOf(tree: PublicTree, label: string): readonly Point[] {
  return tree.gates.get(label) ?? fail('E_INTERNAL', `the tree lacks gate "${label}"`);
}

/** x·P for a small public x > 0 by doubling and adding: cheaper than any table below 64. */
function timesSmall(point: Point, x: number): Point {
  let out = point;
  for (let bit = 30 - Math.clz32(x); bit >= 0; bit--) {
    out = out.double();
    if ((x >> bit) & 1) out = out.add(point);
  }
  return out;
}

/** F_g(x) by Horner: value at 0 plus Σ x^k·C_k. */
function evaluate(atZero: Point, commitments: readonly Point[], x: number, group: Group): Point {
  let sum = group.identity;
  for (let k = commitments.length - 1; k >= 0; k--) {
    const next = commitments[k] as Point;
    sum = timesSmall(k === commitments.length - 1 ? next : sum.add(next), x);
  }
  return atZero.add(sum);
}

/**
 * F_g(1), …, F_g(count): by Horner as many as fix the polynomial together with F_g(0), the others by their differences,
 * one addition for each degree.
 */
function evaluateAll(atZero: Point, commitments: readonly Point[], count: number, group: Group): Point[] {
  const degree = commitments.length;
  const values = Array.from({ length: Math.min(degree, count) }, (_, i) => evaluate(atZero, commitments, i + 1, group));
  if (count <= degree) return values;
  // differences of order 0, 1, …, degree that end at the newest value; the last one is the same everywhere
  const differences: Point[] = [];
  for (let newest of [atZero, ...values]) {
    for (const [order, previous] of differences.entries()) {
      differences[order] = newest;
      newest = newest.subtract(previous);
    }
    differences.push(newest);
  }
  while (values.length < count) {
    for (let order = degree - 1; order >= 0; order--)
      differences[order] = (differences[order] as Point).add(differences[order + 1] as Point);
    values.push(differences[0] as Point);
  }
  return values;
}

/** L_leaf: the point of the leaf's share; the identity is possible and the caller's to refuse. */
export function leafPoint(tree: PublicTree, leaf: Leaf): Point {
  let value = tree.constant ?? tree.group.identity;
  let label = '';
  for (const index of leaf.label.split('.')) {
    value = evaluate(value, gateOf(tree, label), Number(index), tree.group);
    label = label === '' ? index : `${label}.${index}`;
  }
  return value;
}

/** The points of all leaves by id; the identity is possible and the caller's to refuse. */
export function leafPoints(tree: PublicTree): Map<number, Point> {
  const points = new Map<number, Point>();
  const walk = (gate: Gate, value: Point): void => {
    const values = evaluateAll(value, gateOf(tree, gate.label), gate.children.length, tree.group);
    for (const child of gate.children) {
      const at = values[child.index - 1] as Point;
      if (child.kind === 'leaf') points.set(child.id, at);
      else walk(child, at);
    }
  };
  walk(tree.quorum.root, tree.constant ?? tree.group.identity);
  return points;
}

/**
 * The sum, coefficient by coefficient. A tree without constant counts as zero there; the sum has a constant if one has.
 * @throws E_INTERNAL on no tree, or trees of different groups or quorums
 */
export function addTrees(trees: readonly PublicTree[]): PublicTree {
  const [first] = trees;
  if (first === undefined) return fail('E_INTERNAL', 'no tree to add');
  const { group, quorum } = first;
  if (trees.some((t) => t.group !== group || t.quorum.text !== quorum.text))
    fail('E_INTERNAL', 'only trees of one group and quorum add up');
  const gates = new Map(
    quorum.gates.map((gate) => {
      const rows = trees.map((t) => gateOf(t, gate.label));
      return [gate.label, Array.from({ length: gate.threshold - 1 }, (_, k) => group.sum(rows.map((r) => r[k] as Point)))];
    }),
  );
  const constants = trees.flatMap((t) => (t.constant === undefined ? [] : [t.constant]));
  return constants.length === 0 ? { group, quorum, gates } : { group, quorum, constant: group.sum(constants), gates };
}
