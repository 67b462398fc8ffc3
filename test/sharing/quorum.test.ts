import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { makePolynomials, subShares } from '../../src/sharing/deal.ts';
import { parseQuorum, type Leaf } from '../../src/sharing/expression.ts';
import { exactQuorum, select } from '../../src/sharing/quorum.ts';
import { flatLagrange, recombination } from '../../src/sharing/recombination.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { codeOf, minimalQuorums, quorums, satisfied, seeded, subsets } from './support.ts';

const { order } = group('ed25519');

describe('any nested quorum', () => {
  test('select finds a minimal quorum in exactly the sets that satisfy it, and is idempotent', () => {
    fc.assert(
      fc.property(quorums, (q) => {
        for (const names of subsets(q)) {
          const found = select(q, new Set(names))?.map((leaf) => leaf.name);
          expect(found !== undefined).toBe(satisfied(q.root, new Set(names)));
          if (found === undefined) continue;
          expect(names).toEqual(expect.arrayContaining(found));
          for (const name of found) expect(satisfied(q.root, new Set(found.filter((n) => n !== name)))).toBe(false);
          expect(select(q, new Set(found))?.map((leaf) => leaf.name)).toEqual(found);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('every minimal quorum recombines to the secret with weights that add up to 1', () => {
    fc.assert(
      fc.property(quorums, fc.string(), (q, seed) => {
        const g = group('ed25519');
        const { coefficients } = makePolynomials(g, q, 'dkg', undefined, seeded(seed));
        const values = subShares(coefficients, q);
        const all = minimalQuorums(q);
        expect(all.length).toBeGreaterThan(0);
        for (const names of all) {
          const leaves = exactQuorum(q, names);
          const weights = recombination(q, leaves, order);
          const sum = (f: (leaf: Leaf) => bigint): bigint => leaves.reduce((s, l) => (s + f(l)) % order, 0n);
          expect(sum((l) => weights.get(l.id) as bigint)).toBe(1n);
          expect(sum((l) => (weights.get(l.id) as bigint) * (values[l.id - 1] as bigint))).toBe(coefficients.constant);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a pinned signer set is accepted only if it is minimal', () => {
    fc.assert(
      fc.property(quorums, (q) => {
        const minimal = new Set(minimalQuorums(q).map((names) => names.join()));
        for (const names of subsets(q)) {
          const code = codeOf(() => exactQuorum(q, names));
          if (minimal.has(names.join())) expect(code).toBe('no error');
          else expect(code).toBe(satisfied(q.root, new Set(names)) ? 'E_QUORUM_SURPLUS' : 'E_QUORUM');
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('what a refusal names', () => {
  const q = parseQuorum('all-of(1-of(carol, dave), 2-of(alice, bob, erin))');
  const refusal = (signers: string[]): CeremonyError => {
    try {
      exactQuorum(q, signers);
    } catch (e) {
      if (e instanceof CeremonyError) return e;
    }
    throw new Error('not refused');
  };
  test('who is missing, gate by gate', () => {
    expect(refusal(['alice', 'carol']).facts.details).toEqual(['1 more of: 2-of(alice, bob, erin)', '1 more of: bob, erin']);
    expect(refusal([]).code).toBe('E_QUORUM');
  });
  test('who is too many', () => {
    const e = refusal(['carol', 'dave', 'alice', 'bob']);
    expect([e.code, e.facts.participant]).toEqual(['E_QUORUM_SURPLUS', 'dave']);
    expect(codeOf(() => exactQuorum(parseQuorum('2-of(a, b, c)'), ['a', 'b', 'c']))).toBe('E_QUORUM_SURPLUS');
  });
  test('who has no seat, and who comes twice', () => {
    expect([refusal(['carol', 'mallory']).code, refusal(['carol', 'mallory']).facts.participant]).toEqual(['E_QUORUM', 'mallory']);
    expect(refusal(['carol', 'carol', 'alice']).code).toBe('E_SEAT_DUP');
  });
});

describe('weights', () => {
  test('plain t-of-n: flat and nested weights are one', () => {
    const q = parseQuorum('3-of(a, b, c, d, e)');
    for (const names of minimalQuorums(q)) {
      const leaves = exactQuorum(q, names);
      expect(recombination(q, leaves, order)).toEqual(
        flatLagrange(
          leaves.map((l) => l.id),
          order,
        ),
      );
    }
  });
  test('leaves that are no minimal quorum are refused', () => {
    const q = parseQuorum('all-of(1-of(carol, dave), 2-of(alice, bob, erin))');
    const pick = (...ids: number[]): Leaf[] => q.leaves.filter((l) => ids.includes(l.id));
    for (const leaves of [[], pick(1), pick(1, 3), pick(1, 2, 3, 4), pick(1, 3, 4, 5), pick(3, 4)])
      expect(codeOf(() => recombination(q, leaves, order))).toBe('E_QUORUM');
    const foreign = parseQuorum('2-of(a, b, c, d, e, f, g)').leaves[6] as Leaf;
    expect(codeOf(() => recombination(q, [...pick(1, 3, 4), foreign], order))).toBe('E_QUORUM');
  });
  test.each([[[0, 1]], [[1, 1]], [[-1, 2]], [[1.5, 2]]])('ids %j are refused', (ids) => {
    expect(codeOf(() => flatLagrange(ids, order))).toBe('E_INTERNAL');
  });
});
