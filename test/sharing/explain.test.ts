import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainQuorum, samePersonQuorum } from '../../src/sharing/explain.ts';
import { parseQuorum, type Quorum } from '../../src/sharing/expression.ts';
import { blockers, dual, fewestOf, minimalQuorums, quorumSizes, smallestSize, take } from '../../src/sharing/quorum-facts.ts';
import type { Seat } from '../../src/sharing/quorum-people.ts';
import { select } from '../../src/sharing/quorum.ts';

const seats = (attribute: keyof Seat, values: Record<string, string>): Seat[] =>
  Object.entries(values).map(([name, value]) => ({ name, [attribute]: value }));
const codes = (quorum: string, people: Seat[] = [], roles = {}): string[] =>
  explainQuorum(parseQuorum(quorum, roles), people, roles).warnings.map((w) => w.code);

// who can sign ---------------------------------------------------------------------------------------------------

test.each([
  ['2-of(alice, bob, carol)', ['Any 2 of alice, bob and carol.']],
  ['all-of(alice, bob)', ['alice and bob together.']],
  [
    'all-of(1-of(carol, dave), 2-of(alice, bob, erin))',
    ['carol or dave, together with any 2 of alice, bob and erin.'],
  ],
  ['all-of(carol, 2-of(alice, bob, erin), dave)', ['carol and dave, together with any 2 of alice, bob and erin.']],
  ['any-of(2-of(a, b, c), all-of(d, e))', ['Either any 2 of a, b and c, or d and e.']],
  ['2-of(1-of(a, b), 2-of(c, d, e), f)', ['Any 2 of these 3: a or b; any 2 of c, d and e; f.']],
  [
    'all-of(a, any-of(b, all-of(c, 2-of(d, e, f))))',
    ['a, together with group A.', 'Group A: either b, or group B.', 'Group B: c, together with any 2 of d, e and f.'],
  ],
])('%s in plain words', (text, expected) => {
  expect(explainQuorum(parseQuorum(text)).sentences.slice(0, expected.length)).toEqual(expected);
});

test('the whole explanation of a nested rule', () => {
  const people = seats('place', { carol: 'Zurich', dave: 'Zurich', alice: 'Bern', bob: 'Basel' });
  const rule = parseQuorum('all-of(1-of(carol, dave), 2-of(alice, bob, erin))');
  const { sentences, safety, liveness } = explainQuorum(rule, people);
  expect(sentences).toEqual([
    'carol or dave, together with any 2 of alice, bob and erin.',
    'There are 6 quorums, each of 3 participants.',
    'Nobody is indispensable and nobody alone can block signing.',
    'Two who can block together: carol with dave, alice with bob, alice with erin, bob with erin.',
    'Signing survives the loss of any 1 participant, and of up to 2 if the right ones are lost.',
    'Without place "Zurich" nothing can be signed (carol and dave).',
    'Misusing the key takes 3 participants acting together: carol + alice + bob, carol + alice + erin, ' +
      'carol + bob + erin, dave + alice + bob, dave + alice + erin, dave + bob + erin.',
    'No single place could sign alone.',
    'The place is not stated for erin.',
  ]);
  expect(safety).toEqual(sentences.slice(6));
  expect(liveness).toEqual(sentences.slice(2, 6));
});

test('one who is needed always, and a rule with no slack', () => {
  expect(explainQuorum(parseQuorum('all-of(carol, 2-of(alice, bob, erin))')).liveness).toEqual([
    'Nothing can be signed without carol, who alone can block.',
    'Any two others together can block signing.',
    'Losing one participant can be enough to end signing; at best the loss of 1 participant is survived.',
  ]);
  expect(explainQuorum(parseQuorum('all-of(alice, bob)')).sentences).toEqual([
    'alice and bob together.',
    'There is no other quorum.',
    'Everybody is needed: each participant alone can block signing.',
    'Signing survives no loss at all.',
    'Misusing the key takes 2 participants acting together: alice + bob.',
  ]);
});

test('large rules are counted, not enumerated', () => {
  const names = Array.from({ length: 64 }, (_, i) => `p${String(i + 1)}`);
  const { minimalQuorums: all, collusion, blockersPairs } = explainQuorum(parseQuorum(`32-of(${names.join(', ')})`));
  expect(all.count).toBe(1832624140942590534n);
  expect(collusion.listed).toHaveLength(10);
  expect(blockersPairs).toEqual([]);
  const pairs = explainQuorum(parseQuorum(`63-of(${names.join(', ')})`));
  expect(pairs.blockersPairs).toHaveLength(2016);
  expect(pairs.liveness).toContain('Any two together can block signing.');
  // eight gates of eight: the smallest sets of an uneven rule, without walking all the others
  const gates = Array.from({ length: 8 }, (_, g) => `${String(g + 1)}-of(${names.slice(8 * g, 8 * g + 8).join(', ')})`);
  const uneven = explainQuorum(parseQuorum(`4-of(${gates.join(', ')})`));
  expect([uneven.collusion.smallest, uneven.collusion.count]).toEqual([10, 8n * 28n * 56n * 70n]);
  expect(uneven.sentences).toContain(
    `There are ${uneven.minimalQuorums.count.toLocaleString('en-US')} quorums, each of 10 to 26 participants.`,
  );
});

// warnings -------------------------------------------------------------------------------------------------------

test('warnings, one fixture each', () => {
  const three = '2-of(alice, bob, carol)';
  expect(codes(three)).toEqual([]);
  expect(codes('2-of(alice, bob)')).toEqual(['W_NO_REDUNDANCY']);
  expect(codes('all-of(carol, 1-of(alice, bob))')).toEqual(['W_INDISPENSABLE']);
  expect(codes(three, seats('place', { alice: 'Bern', bob: 'bern ', carol: 'Basel' }))).toEqual(['W_ONE_PLACE']);
  expect(codes(three, seats('unit', { alice: 'ops', bob: 'ops', carol: 'risk' }))).toEqual(['W_ONE_UNIT']);
  expect(codes(three, seats('vendor', { alice: 'acme', bob: 'acme' }))).toEqual(['W_ONE_VENDOR']);
  expect(codes(three, seats('place', { alice: 'Bern', bob: 'Basel', carol: 'Chur' }))).toEqual([]);
});

test('a place or vendor whose loss ends signing is a warning; a unit that can veto is only told', () => {
  const rule = 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))';
  expect(codes(rule, seats('place', { carol: 'Bern', dave: 'Bern' }))).toEqual(['W_ONE_PLACE']);
  const compliance = seats('unit', { carol: 'compliance', dave: 'compliance' });
  expect(codes(rule, compliance)).toEqual([]);
  expect(explainQuorum(parseQuorum(rule), compliance).liveness).toContain(
    'Without unit "compliance" nothing can be signed (carol and dave).',
  );
});

test('a role that has no spare holder', () => {
  const roles = { compliance: ['carol'], treasury: ['alice', 'bob', 'erin'] };
  const rule = 'all-of(1-of(compliance), 2-of(treasury))';
  expect(explainQuorum(parseQuorum(rule, roles), [], roles).warnings).toEqual([
    { code: 'W_INDISPENSABLE', text: 'nothing can be signed without carol; add a deputy, or have a backup' },
    {
      code: 'W_ROLE_SINGLE',
      text: 'role compliance has 1 holder and every quorum needs 1 of them; add a holder',
    },
  ]);
  const two = { compliance: ['carol', 'dave'], treasury: ['alice', 'bob'] };
  expect(codes(rule, [], two)).toEqual(['W_INDISPENSABLE', 'W_ROLE_SINGLE']);
  expect(codes(rule, [], { compliance: ['carol', 'dave'], treasury: ['alice', 'bob', 'erin'] })).toEqual([]);
  // a role that is not required may be as small as it likes
  expect(codes('2-of(alice, bob, carol)', [], { spare: ['carol'] })).toEqual([]);
});

test('one person in several seats', () => {
  const rule = parseQuorum('2-of(alice, bob, carol)');
  expect(samePersonQuorum(rule, [])).toBeUndefined();
  expect(samePersonQuorum(rule, seats('person', { alice: 'A. Archer', bob: 'B. Baker' }))).toBeUndefined();
  expect(samePersonQuorum(rule, seats('person', { alice: 'A. Archer', carol: 'a.  archer' }))).toBe('A. Archer');
  // a seat without a person is the person of its own name
  expect(samePersonQuorum(rule, seats('person', { bob: 'Alice' }))).toBe('alice');
  const four = parseQuorum('3-of(alice, bob, carol, dave)');
  const held = seats('person', { alice: 'Ann', bob: 'Ann' });
  expect(samePersonQuorum(four, held)).toBeUndefined();
  expect(explainQuorum(four, held).warnings).toEqual([
    { code: 'W_INDISPENSABLE', text: 'nothing can be signed without person "Ann" (alice and bob)' },
  ]);
});

// against brute force --------------------------------------------------------------------------------------------

interface Shape {
  t: number;
  children: (Shape | null)[];
}

const shape = fc.letrec<{ node: Shape | null; gate: Shape }>((tie) => ({
  gate: fc
    .tuple(fc.array(tie('node'), { minLength: 2, maxLength: 4 }), fc.nat(3))
    .map(([children, t]) => ({ t: (t % children.length) + 1, children })),
  node: fc.oneof({ maxDepth: 2, withCrossShrink: true }, fc.constant(null), tie('gate')),
})).gate;

/** A random expression of at most nine participants, or undefined when one of them alone would satisfy it. */
function toQuorum(root: Shape): Quorum | undefined {
  let n = 0;
  const write = (s: Shape | null): string =>
    s === null ? `p${String(++n)}` : `${String(s.t)}-of(${s.children.map(write).join(', ')})`;
  const text = write(root);
  if (n > 9) return undefined;
  try {
    return parseQuorum(text);
  } catch {
    return undefined;
  }
}

const key = (names: Iterable<string>): string => [...names].sort().join(' ');

test('counts, sizes, blockers and losses agree with brute force', () => {
  let checked = 0;
  fc.assert(
    fc.property(shape, fc.nat(511), (s, mask) => {
      const quorum = toQuorum(s);
      if (quorum === undefined) return;
      checked++;
      const names = quorum.leaves.map((l) => l.name);
      const subsets = Array.from({ length: 1 << names.length }, (_, m) => names.filter((__, i) => (m >> i) & 1));
      const ok = (set: readonly string[]): boolean => select(quorum, new Set(set)) !== undefined;
      const rest = (set: readonly string[]): string[] => names.filter((x) => !set.includes(x));
      const minimal = subsets.filter((q) => ok(q) && q.every((x) => !ok(q.filter((y) => y !== x))));
      const cuts = subsets.filter((q) => !ok(rest(q)) && q.every((x) => ok(rest(q.filter((y) => y !== x)))));
      const least = Math.min(...minimal.map((q) => q.length));

      expect([...minimalQuorums(quorum.root)].map(key).sort()).toEqual(minimal.map(key).sort());
      expect([...minimalQuorums(quorum.root, true)].map(key).sort()).toEqual(
        minimal.filter((q) => q.length === least).map(key).sort(),
      );
      expect([...minimalQuorums(dual(quorum.root))].map(key).sort()).toEqual(cuts.map(key).sort());
      const bySize = quorumSizes(quorum.root);
      for (let size = 0; size <= names.length; size++)
        expect(bySize.get(size) ?? 0n).toBe(BigInt(minimal.filter((q) => q.length === size).length));
      expect(smallestSize(quorum.root)).toBe(least);

      const { alone, pairs } = blockers(quorum.root);
      expect(alone).toEqual(names.filter((x) => !ok(rest([x]))));
      expect(pairs.map(key).sort()).toEqual(cuts.filter((q) => q.length === 2).map(key).sort());

      const told = explainQuorum(quorum);
      expect(told.indispensable).toEqual(names.filter((x) => minimal.every((q) => q.includes(x))));
      // any set of `worst` may be lost, not any larger one; some set of `best` may be lost, none larger
      const survived = (size: number): boolean[] => subsets.filter((q) => q.length === size).map((q) => ok(rest(q)));
      const { worst, best } = told.lossesSurvived;
      expect(survived(worst).every(Boolean)).toBe(true);
      expect(survived(worst + 1).every(Boolean)).toBe(false);
      expect(survived(best).some(Boolean)).toBe(true);
      expect(survived(best + 1).some(Boolean)).toBe(false);

      const members = new Set(names.filter((_, i) => (mask >> i) & 1));
      expect(fewestOf(quorum.root, members)).toBe(Math.min(...minimal.map((q) => q.filter((x) => members.has(x)).length)));

      const people = [...members].map((name) => ({ name, person: 'One', place: 'here' }));
      const group = explainQuorum(quorum, people).groups.find((g) => g.attribute === 'place');
      if (group) {
        expect(group.signsAlone).toBe(ok([...members]));
        expect(group.blocksAlone).toBe(!ok(rest([...members])));
      }
      expect(samePersonQuorum(quorum, people) !== undefined).toBe(ok([...members]));
    }),
    { numRuns: 200 },
  );
  expect(checked).toBeGreaterThan(40);
});

test('taking none takes none', () => {
  expect(take(0, [1, 2])).toEqual([]);
});
