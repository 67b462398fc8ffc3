/** Known answers of an independent model; see test/vectors/README.md. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type SchemeName } from '../../src/curves/scheme.ts';
import { makePolynomials, subShare, subShares } from '../../src/sharing/deal.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { exactQuorum } from '../../src/sharing/quorum.ts';
import { flatLagrange, recombination } from '../../src/sharing/recombination.ts';
import { decodeTree, encodeTree, leafPoint, leafPoints } from '../../src/sharing/tree.ts';
import { fromHex, Reader, toHex } from '../../src/wire/bytes.ts';
import { minimalQuorums } from './support.ts';

interface Case {
  scheme: SchemeName;
  quorum: string;
  kind: 'dkg' | 'refresh';
  constant?: { scalar: string; point: string };
  gates: Record<string, string[]>;
  leaves: { label: string; name: string; id: number; share: string; point: string }[];
  minimalQuorums?: { count: number; listed: { signers: { name: string; weight: string; scale: string }[] }[] };
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/dealing.json', import.meta.url), 'utf8')) as { cases: Case[] };
const hex = (scalar: bigint): string => scalar.toString(16).padStart(64, '0');

describe.each(cases)('$scheme $kind $quorum', (known) => {
  const g = group(SCHEMES[known.scheme].group);
  const quorum = parseQuorum(known.quorum);
  const coefficient = (k: string): bigint => {
    const text = `dealing/${known.scheme}/${known.quorum}/${known.kind}/${k}`;
    return BigInt(`0x${createHash('sha256').update(text).digest('hex')}`) % g.order;
  };
  // randomScalar maps wide bytes r to r mod (q−1) + 1
  let drawn = known.kind === 'dkg' ? -1 : 0;
  const random = (length: number): Uint8Array => {
    const scalar = coefficient(drawn < 0 ? 's' : String(drawn));
    drawn++;
    return fromHex((scalar - 1n).toString(16).padStart(2 * length, '0'));
  };
  const { coefficients, tree } = makePolynomials(g, quorum, known.kind, undefined, random);

  test('the expression is canonical as it stands', () => {
    expect(quorum.text).toBe(known.quorum);
  });
  test('public tree', () => {
    const gates = Object.fromEntries([...tree.gates].map(([label, row]) => [label, row.map((p) => toHex(g.encodePoint(p)))]));
    expect(gates).toEqual(known.gates);
    expect(tree.constant === undefined ? undefined : toHex(g.encodePoint(tree.constant))).toBe(known.constant?.point);
    const bytes = encodeTree(tree);
    const order = quorum.gates.flatMap((gate) => known.gates[gate.label] as string[]);
    expect(toHex(bytes)).toBe([known.constant?.point ?? '', ...order].join(''));
    expect(toHex(encodeTree(decodeTree(g, quorum, known.kind === 'dkg', new Reader(bytes))))).toBe(toHex(bytes));
  });
  test('sub-shares and their points', () => {
    if (known.constant !== undefined) expect(hex(coefficients.constant)).toBe(known.constant.scalar);
    const points = leafPoints(tree);
    const shares = subShares(coefficients, quorum);
    const found = quorum.leaves.map((leaf, i) => ({
      label: leaf.label,
      name: leaf.name,
      id: leaf.id,
      share: hex(shares[i] as bigint),
      point: toHex(g.encodePoint(points.get(leaf.id) as NonNullable<typeof tree.constant>)),
    }));
    expect(found).toEqual(known.leaves);
    for (const leaf of quorum.leaves) {
      expect(hex(subShare(coefficients, leaf))).toBe(known.leaves[leaf.id - 1]?.share);
      expect(toHex(g.encodePoint(leafPoint(tree, leaf)))).toBe(known.leaves[leaf.id - 1]?.point);
    }
  });
  test('minimal quorums and their weights', () => {
    if (known.minimalQuorums === undefined) return;
    expect(minimalQuorums(quorum).length).toBe(known.minimalQuorums.count);
    for (const { signers } of known.minimalQuorums.listed) {
      const leaves = exactQuorum(
        quorum,
        signers.map((s) => s.name),
      );
      const weights = recombination(quorum, leaves, g.order);
      const flat = flatLagrange(
        leaves.map((l) => l.id),
        g.order,
      );
      for (const leaf of leaves) {
        const { weight, scale } = signers.find((s) => s.name === leaf.name) as { weight: string; scale: string };
        expect(hex(weights.get(leaf.id) as bigint)).toBe(weight);
        expect((BigInt(`0x${scale}`) * (flat.get(leaf.id) as bigint)) % g.order).toBe(BigInt(`0x${weight}`));
      }
    }
  });
});
