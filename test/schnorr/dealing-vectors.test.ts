import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type FrostSchemeName } from '../../src/curves/scheme.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { keyFor, keyOfShares, signWith } from './helpers.ts';
import { FOREIGN } from './foreign.ts';
import { MESSAGE } from './quorum-cases.ts';
import { hex, vectors } from './vectors.ts';

interface Case {
  readonly scheme: FrostSchemeName;
  readonly quorum: string;
  readonly kind: string;
  readonly constant: { readonly scalar: string; readonly point: string };
  readonly leaves: readonly { id: number; share: string; point: string }[];
  readonly minimalQuorums: { readonly listed: readonly { signers: readonly { name: string; scale: string }[] }[] };
}

const cases = vectors<{ cases: Case[] }>('dealing.json').cases.filter((c) => c.kind === 'dkg');

describe.each(cases)('$scheme, $quorum', (c) => {
  const g = group(SCHEMES[c.scheme].group);
  const shares = new Map(c.leaves.map((leaf) => [leaf.id, BigInt(`0x${leaf.share}`)]));
  const key = keyOfShares(c.scheme, parseQuorum(c.quorum), BigInt(`0x${c.constant.scalar}`), shares);
  const { listed } = c.minimalQuorums;
  const names = (q: (typeof listed)[number] | undefined): string[] => q?.signers.map((s) => s.name) ?? [];

  it('scales every listed quorum as the vectors say', () => {
    expect(hex(key.publicKey)).toBe(c.constant.point);
    for (const leaf of c.leaves) expect(hex(g.encodePoint(key.leafPoints.get(leaf.id) as never))).toBe(leaf.point);
    expect(listed.length).toBeGreaterThan(0);
    for (const entry of listed) {
      const scales = keyFor(key, names(entry)).seats.map((seat) => [seat.leaf.name, seat.scale]);
      expect(scales).toEqual(entry.signers.map((s) => [s.name, BigInt(`0x${s.scale}`)]));
    }
  });

  it('signs', () => {
    const signers = names(listed.at(-1));
    const { outputKey, signature } = signWith(key, signers, { message: MESSAGE });
    expect(hex(outputKey)).toBe(c.constant.point);
    expect(FOREIGN[c.scheme](outputKey, MESSAGE, signature)).toBe(true);
  });
});
