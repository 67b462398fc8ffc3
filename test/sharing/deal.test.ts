import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { group, type Point } from '../../src/curves/group.ts';
import { additivePoints } from '../../src/sharing/additive.ts';
import {
  additiveShare,
  decodePolynomials,
  encodePolynomials,
  makePolynomials,
  subShares,
  type Polynomials,
} from '../../src/sharing/deal.ts';
import { parseQuorum, type Gate, type Leaf, type Quorum } from '../../src/sharing/expression.ts';
import { KINDS, type Kind } from '../../src/sharing/kinds.ts';
import { exactQuorum } from '../../src/sharing/quorum.ts';
import { flatLagrange, recombination } from '../../src/sharing/recombination.ts';
import { addTrees, coefficients, decodeTree, decodeTreeFast, encodeTree, leafPoint, leafPoints, treePoints, type PublicTree } from '../../src/sharing/tree.ts';
import { concat, Reader } from '../../src/wire/bytes.ts';
import { codeOf, GROUPS, makeKey, minimalQuorums, party, quorums, satisfied, seeded, subsets } from './support.ts';

const q3 = parseQuorum('2-of(alice, bob, carol)');
const NESTED = '2-of(all-of(a, b), 1-of(2-of(c, d, e), all-of(f, g)), 3-of(h, i, j, k))';

/** The value at x of the polynomial of least degree through the points. */
function through(points: readonly (readonly [number, bigint])[], x: number, order: bigint): bigint {
  const inverse = (n: bigint): bigint => {
    let [a, b, u, v] = [((n % order) + order) % order, order, 1n, 0n];
    while (a > 1n) [a, b, u, v] = [b % a, a, v - (b / a) * u, u];
    return ((u % order) + order) % order;
  };
  let sum = 0n;
  for (const [xi, yi] of points) {
    let weight = yi;
    for (const [xj] of points) if (xj !== xi) weight = (((weight * BigInt(x - xj)) % order) * inverse(BigInt(xi - xj))) % order;
    sum = (sum + weight) % order;
  }
  return (sum + order) % order;
}

/** Shares that agree with `known` on the holders of `set`, which is not satisfied, for another secret. */
function explain(root: Gate, secret: bigint, known: readonly bigint[], set: ReadonlySet<string>, order: bigint): bigint[] {
  const out: bigint[] = [];
  const given = (node: Gate | Leaf): bigint => {
    if (node.kind === 'leaf') return known[node.id - 1] as bigint;
    const used = node.children.filter((c) => satisfied(c, set)).slice(0, node.threshold);
    return through(
      used.map((c) => [c.index, given(c)]),
      0,
      order,
    );
  };
  const walk = (node: Gate | Leaf, value: bigint): void => {
    if (node.kind === 'leaf') {
      out.push(value);
      return;
    }
    const fixed = node.children.filter((c) => satisfied(c, set)).map((c) => [c.index, given(c)] as const);
    const points: (readonly [number, bigint])[] = satisfied(node, set) ? [...fixed] : [[0, value], ...fixed];
    // free points to fill up to the degree
    for (let x = 100; points.length < node.threshold; x++) points.push([x, BigInt(x)]);
    for (const child of node.children) walk(child, through(points.slice(0, Math.max(node.threshold, fixed.length)), child.index, order));
  };
  walk(root, secret);
  return out;
}

describe('polynomials', () => {
  test.each(GROUPS)('%s: shares fit the public tree, bytes come back', (name) => {
    const g = group(name);
    const quorum = parseQuorum(NESTED);
    for (const kind of ['dkg', 'refresh'] as const) {
      const { coefficients, tree } = makePolynomials(g, quorum, kind, undefined, seeded(name + kind));
      const points = leafPoints(tree);
      subShares(coefficients, quorum).forEach((share, i) => {
        expect(g.multiplyPublic(g.base, share).equals(points.get(i + 1) as never)).toBe(true);
        expect(leafPoint(tree, quorum.leaves[i] as Leaf).equals(points.get(i + 1) as never)).toBe(true);
      });
      const bytes = encodePolynomials(coefficients, quorum, kind);
      expect(bytes.length).toBe(treePoints(quorum, kind === 'dkg') * g.scalarBytes);
      expect(decodePolynomials(g, quorum, kind, bytes)).toEqual(coefficients);
      for (const bad of [bytes.slice(0, -1), concat(bytes, Uint8Array.of(0)), new Uint8Array(0)])
        expect(codeOf(() => decodePolynomials(g, quorum, kind, bad))).toBe('E_STATE');
      expect(codeOf(() => decodePolynomials(g, quorum, kind, bytes.map(() => 255)))).toBe('E_SCALAR');
    }
  });

  test('the constant is given exactly where the kind pins it', () => {
    const g = group('p256');
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const pinned = !['dkg', 'refresh'].includes(kind);
      const make = (constant: bigint | undefined) => () => makePolynomials(g, q3, kind, constant, seeded('k'));
      expect(codeOf(make(undefined))).toBe(pinned ? 'E_INTERNAL' : 'no error');
      expect(codeOf(make(5n))).toBe(pinned ? 'no error' : 'E_INTERNAL');
      expect(codeOf(make(0n))).toBe('E_INTERNAL');
    }
  });

  test('a 1-of gate gives every child the same scalar', () => {
    const g = group('ristretto255');
    const quorum = parseQuorum('all-of(1-of(carol, dave), 2-of(alice, bob, erin))');
    const { coefficients } = makePolynomials(g, quorum, 'dkg', undefined, seeded('x'));
    const shares = subShares(coefficients, quorum);
    expect(shares[0]).toBe(shares[1]);
    expect(new Set(shares).size).toBe(4);
  });

  test.each([
    [2, 2],
    [2, 3],
    [3, 5],
    [4, 7],
    [34, 50],
  ])('%i-of-%i is Shamir over the ids', (t, n) => {
    const g = group('secp256k1');
    const quorum = parseQuorum(`${String(t)}-of(${Array.from({ length: n }, (_, i) => `p${String(i)}`).join()})`);
    const { coefficients } = makePolynomials(g, quorum, 'dkg', undefined, seeded(`${String(t)}/${String(n)}`));
    const shares = subShares(coefficients, quorum);
    const ids = quorum.leaves.map((l) => l.id);
    for (const subset of [ids.slice(0, t), ids.slice(-t)]) {
      const flat = flatLagrange(subset, g.order);
      const sum = subset.reduce((s, id) => (s + (flat.get(id) as bigint) * (shares[id - 1] as bigint)) % g.order, 0n);
      expect(sum).toBe(coefficients.constant);
    }
  });
});

describe('fewer than a quorum know nothing', () => {
  test('t−1 shares fit every secret equally well', () => {
    const g = group('ed25519');
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 0, max: 3 }), fc.string(), (t, more, seed) => {
        const n = t + more;
        const quorum = parseQuorum(`${String(t)}-of(${Array.from({ length: n }, (_, i) => `p${String(i)}`).join()})`);
        const { coefficients } = makePolynomials(g, quorum, 'dkg', undefined, seeded(seed));
        const shares = subShares(coefficients, quorum);
        for (const other of [0n, 1n, g.order - 1n, coefficients.constant + 1n]) {
          const known = shares.slice(0, t - 1).map((s, i) => [i + 1, s] as const);
          const points = [[0, other % g.order] as const, ...known];
          for (const [x, y] of points) expect(through(points, x, g.order)).toBe(y);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('in any nested quorum: an unsatisfied set’s shares belong to a dealing of any other secret', () => {
    const g = group('ed25519');
    fc.assert(
      fc.property(quorums, fc.string(), (quorum, seed) => {
        const { coefficients } = makePolynomials(g, quorum, 'dkg', undefined, seeded(seed));
        const shares = subShares(coefficients, quorum);
        const other = (coefficients.constant + 12345n) % g.order;
        for (const names of subsets(quorum)) {
          const set = new Set(names);
          if (satisfied(quorum.root, set)) continue;
          const fake = explain(quorum.root, other, shares, set, g.order);
          for (const leaf of quorum.leaves) if (set.has(leaf.name)) expect(fake[leaf.id - 1]).toBe(shares[leaf.id - 1]);
          for (const minimal of minimalQuorums(quorum).slice(0, 4)) {
            const leaves = exactQuorum(quorum, minimal);
            const weights = recombination(quorum, leaves, g.order);
            const secret = leaves.reduce((s, l) => (s + (weights.get(l.id) as bigint) * (fake[l.id - 1] as bigint)) % g.order, 0n);
            expect(secret).toBe(other);
          }
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('public tree', () => {
  const tree = (quorum: Quorum, seed: string, kind: 'dkg' | 'refresh' = 'dkg'): PublicTree =>
    makePolynomials(group('ed25519'), quorum, kind, undefined, seeded(seed)).tree;
  const g = group('ed25519');
  const quorum = parseQuorum(NESTED);

  test('leaf points of a sum are sums of leaf points; a refresh leaves the constant alone', () => {
    const [a, b, zero] = [tree(quorum, 'a'), tree(quorum, 'b'), tree(quorum, 'z', 'refresh')];
    const sum = leafPoints(addTrees([a, b, zero]));
    for (const leaf of quorum.leaves) {
      const parts = [a, b, zero].map((t) => leafPoint(t, leaf));
      expect(sum.get(leaf.id)?.equals(g.sum(parts))).toBe(true);
    }
    expect(addTrees([a, zero]).constant?.equals(a.constant as never)).toBe(true);
    expect(addTrees([zero, zero]).constant).toBeUndefined();
  });

  test('only trees of one group and quorum add up', () => {
    const other = makePolynomials(group('ristretto255'), quorum, 'dkg', undefined, seeded('r')).tree;
    expect(codeOf(() => addTrees([]))).toBe('E_INTERNAL');
    expect(codeOf(() => addTrees([tree(quorum, 'a'), other]))).toBe('E_INTERNAL');
    expect(codeOf(() => addTrees([tree(q3, 'a'), tree(parseQuorum('2-of(alice, bob, carla)'), 'a')]))).toBe('E_INTERNAL');
  });

  test('reading: exact length, a point per coefficient, the field is named', () => {
    const bytes = encodeTree(tree(quorum, 'a'));
    expect(bytes.length).toBe(32 * (1 + 1 + 1 + 0 + 1 + 1 + 2));
    expect(codeOf(() => decodeTree(g, quorum, true, new Reader(bytes.slice(0, -1), 'E_DEALING')))).toBe('E_DEALING');
    const rest = new Reader(concat(bytes, Uint8Array.of(1)), 'E_DEALING');
    decodeTree(g, quorum, true, rest);
    expect(codeOf(() => { rest.end(); })).toBe('E_DEALING');
    const field = (at: number): unknown => {
      const bad = bytes.slice();
      bad.fill(255, 32 * at, 32 * at + 32);
      try {
        decodeTree(g, quorum, true, new Reader(bad));
      } catch (e) {
        return (e as { code: string; facts: { field: string } }).facts.field;
      }
      return undefined;
    };
    expect(Array.from({ length: 7 }, (_, at) => field(at))).toEqual([
      'constant',
      'gate root, coefficient 1',
      'gate 1, coefficient 1',
      'gate 2.1, coefficient 1',
      'gate 2.2, coefficient 1',
      'gate 3, coefficient 1',
      'gate 3, coefficient 2',
    ]);
  });

  test('a stored tree with a small-order part is refused; the fast reader leaves that to its caller', () => {
    const good = tree(q3, 'a');
    const T = g.Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string);
    const bytes = encodeTree({ ...good, gates: new Map([['', (good.gates.get('') as Point[]).map((c) => c.add(T))]]) });
    expect(codeOf(() => decodeTree(g, q3, true, new Reader(bytes)))).toBe('E_POINT');
    expect(coefficients(decodeTreeFast(g, q3, true, new Reader(bytes))).map((c) => g.inSubgroup(c))).toEqual([true, false]);
  });

  test.each([1, 2, 3, 33, 63, 64])('at every leaf the polynomial’s value: %i of 64 by differences as one by one', (threshold) => {
    const names = Array.from({ length: 64 }, (_, i) => `p${String(i)}`);
    const wide = parseQuorum(threshold === 1 ? `all-of(p0, 1-of(${names.slice(1).join()}))` : `${String(threshold)}-of(${names.join()})`);
    for (const kind of ['dkg', 'refresh'] as const) {
      const { coefficients, tree: t } = makePolynomials(g, wide, kind, undefined, seeded('w'));
      const points = leafPoints(t);
      expect(points.size).toBe(64);
      for (const [i, s] of subShares(coefficients, wide).entries()) {
        const expected = g.multiplyPublic(g.base, s);
        expect(points.get(i + 1)?.equals(expected)).toBe(true);
        expect(leafPoint(t, wide.leaves[i] as Leaf).equals(expected)).toBe(true);
      }
    }
  });
});

describe('additive shares', () => {
  test('w·G = W for every member, and they add up to the key', () => {
    const p = party('secp256k1', NESTED);
    const { key, shares } = makeKey(p);
    for (const names of minimalQuorums(p.quorum).slice(0, 6)) {
      const leaves = exactQuorum(p.quorum, names);
      const W = additivePoints(p.group, p.quorum, leaves, key.leafPoints);
      expect(p.group.sum(W.values()).equals(key.publicKey)).toBe(true);
      for (const leaf of leaves) {
        const w = additiveShare(p.group, p.quorum, leaves, leaf, shares[leaf.id - 1] as Uint8Array);
        expect(p.group.multiply(p.group.base, w).equals(W.get(leaf.id) as never)).toBe(true);
      }
    }
    const leaves = exactQuorum(p.quorum, ['a', 'b', 'f', 'g']);
    const outside = p.quorum.leaves[10] as Leaf;
    expect(codeOf(() => additiveShare(p.group, p.quorum, leaves, outside, shares[10] as Uint8Array))).toBe('E_QUORUM');
  });
});

describe('what a polynomial may not be', () => {
  test('polynomials of another quorum are refused', () => {
    const g = group('p256');
    const { coefficients } = makePolynomials(g, q3, 'dkg', undefined, seeded('a'));
    const nested = parseQuorum(NESTED);
    const poly: Polynomials = coefficients;
    expect(codeOf(() => subShares(poly, nested))).toBe('E_INTERNAL');
    expect(codeOf(() => encodePolynomials(poly, nested, 'dkg'))).toBe('E_INTERNAL');
  });
});
