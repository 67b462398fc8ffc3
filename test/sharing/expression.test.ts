import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DEPTH, parseQuorum } from '../../src/sharing/expression.ts';
import { codeOf, quorums } from './support.ts';

const names = (n: number): string => Array.from({ length: n }, (_, i) => `p${String(i + 1)}`).join(',');

describe('what a quorum expression says', () => {
  test('labels, ids and x-coordinates follow the order as written', () => {
    const q = parseQuorum('2-of(all-of(a, b), 1-of(2-of(c, d, e), all-of(f, g)), 3-of(h, i, j, k))');
    expect(q.leaves.map((l) => `${String(l.id)} ${l.label} ${String(l.index)} ${l.name}`)).toEqual([
      '1 1.1 1 a',
      '2 1.2 2 b',
      '3 2.1.1 1 c',
      '4 2.1.2 2 d',
      '5 2.1.3 3 e',
      '6 2.2.1 1 f',
      '7 2.2.2 2 g',
      '8 3.1 1 h',
      '9 3.2 2 i',
      '10 3.3 3 j',
      '11 3.4 4 k',
    ]);
    expect(q.gates.map((g) => `${g.label}/${String(g.index)}/${String(g.threshold)}`)).toEqual([
      '/0/2',
      '1/1/2',
      '2/2/1',
      '2.1/1/2',
      '2.2/2/2',
      '3/3/3',
    ]);
    expect(q.root).toBe(q.gates[0]);
  });

  test.each([
    ['2-of(alice,bob,carol)', '2-of(alice, bob, carol)'],
    [' \n2-of (\talice , bob,carol ) \n', '2-of(alice, bob, carol)'],
    ['all-of(any-of(carol, dave), 2-of(alice, bob, erin))', 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))'],
    ['2-of(alice, bob)', 'all-of(alice, bob)'],
    ['2-of(p9, all, any, of, k-of)', '2-of(p9, all, any, of, k-of)'],
  ])('%j is %j', (text, canonical) => {
    expect(parseQuorum(text).text).toBe(canonical);
    expect(parseQuorum(canonical).text).toBe(canonical);
  });

  test('the canonical text of any quorum reads as the same quorum', () => {
    fc.assert(
      fc.property(quorums, (q) => {
        expect(parseQuorum(q.text)).toEqual(q);
      }),
    );
  });
});

describe('roles', () => {
  const roles = { treasury: ['t1', 't2', 't3'], compliance: ['c1', 'c2'], ceo: ['eve'], empty: [] };
  test.each([
    ['all-of(compliance, 2-of(treasury))', 'all-of(1-of(c1, c2), 2-of(t1, t2, t3))'],
    ['2-of(treasury)', '2-of(t1, t2, t3)'],
    ['all-of(treasury)', 'all-of(t1, t2, t3)'],
    ['all-of(ceo, compliance)', 'all-of(eve, 1-of(c1, c2))'],
    ['all-of(1-of(ceo), all-of(compliance))', 'all-of(eve, all-of(c1, c2))'],
    ['2-of(treasury, zoe, compliance)', '2-of(1-of(t1, t2, t3), zoe, 1-of(c1, c2))'],
  ])('%j expands to %j', (text, canonical) => {
    expect(parseQuorum(text, roles).text).toBe(canonical);
  });
  test.each([
    ['4-of(treasury)', 'E_ROLE_SHORT'],
    ['2-of(ceo)', 'E_ROLE_SHORT'],
    ['2-of(empty, alice, bob)', 'E_ROLE_SHORT'],
    ['all-of(empty)', 'E_ROLE_SHORT'],
    ['all-of(ceo)', 'E_THRESHOLD'],
    ['1-of(treasury)', 'E_THRESHOLD'],
    ['treasury', 'E_THRESHOLD'],
    ['all-of(treasury, t1)', 'E_SEAT_DUP'],
    ['all-of(treasury, treasury)', 'E_SEAT_DUP'],
  ])('%j is refused with %s', (text, code) => {
    expect(codeOf(() => parseQuorum(text, roles))).toBe(code);
  });
  test('holders must be names, and inherited properties are no roles', () => {
    expect(codeOf(() => parseQuorum('2-of(r)', { r: ['alice', 'Bob'] }))).toBe('E_QUORUM_SYNTAX');
    expect(parseQuorum('2-of(constructor, valueof)').leaves.map((l) => l.name)).toEqual(['constructor', 'valueof']);
  });
});

describe('what is refused', () => {
  const nested = (depth: number): string => {
    let text = 'all-of(z1, z2)';
    for (let i = 1; i < depth; i++) text = `all-of(x${String(i)}, ${text})`;
    return text;
  };
  test.each([
    ['', 'E_QUORUM_SYNTAX'],
    ['alice', 'E_THRESHOLD'],
    ['1-of(alice, bob)', 'E_THRESHOLD'],
    ['any-of(alice, all-of(bob, carol))', 'E_THRESHOLD'],
    ['1-of(alice, bob', 'E_QUORUM_SYNTAX'],
    ['2-of(alice, bob))', 'E_QUORUM_SYNTAX'],
    ['2-of(alice, bob) x', 'E_QUORUM_SYNTAX'],
    ['2-of(alice bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(alice,, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(alice, bob,)', 'E_QUORUM_SYNTAX'],
    ['2-of(,alice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of()', 'E_QUORUM_SYNTAX'],
    ['all-of(alice)', 'E_QUORUM_SYNTAX'],
    ['3-of(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['0-of(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['02-of(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['-1-of(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['100-of(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['some-of(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-OF(alice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(Alice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(al_ice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(alice, b\u00a0ob)', 'E_QUORUM_SYNTAX'],
    ['2-of(1alice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(-alice, bob)', 'E_QUORUM_SYNTAX'],
    ['2-of(all-of, bob)', 'E_QUORUM_SYNTAX'],
    [`2-of(${'a'.repeat(33)}, bob)`, 'E_QUORUM_SYNTAX'],
    [`2-of(alice, bob)${' '.repeat(9000)}`, 'E_QUORUM_SYNTAX'],
    ['2-of(alice, bob, alice)', 'E_SEAT_DUP'],
    ['all-of(alice, 1-of(bob, alice))', 'E_SEAT_DUP'],
    [`2-of(${names(65)})`, 'E_QUORUM_SYNTAX'],
    [nested(MAX_DEPTH + 1), 'E_QUORUM_SYNTAX'],
    [nested(5000).slice(0, 8000), 'E_QUORUM_SYNTAX'],
    [`${'('.repeat(4000)}`, 'E_QUORUM_SYNTAX'],
  ])('%j', (text, code) => {
    expect(codeOf(() => parseQuorum(text))).toBe(code);
  });
  test('a role counts towards the depth', () => {
    const text = nested(MAX_DEPTH).replace('z1', 'role');
    expect(codeOf(() => parseQuorum(text, { role: ['h1', 'h2'] }))).toBe('E_QUORUM_SYNTAX');
    expect(parseQuorum(text, { role: ['h1'] }).leaves.length).toBe(MAX_DEPTH + 1);
  });
  test('the limits themselves are accepted', () => {
    expect(parseQuorum(`34-of(${names(64)})`).leaves.length).toBe(64);
    expect(parseQuorum(nested(MAX_DEPTH)).gates.length).toBe(MAX_DEPTH);
    expect(parseQuorum(`2-of(${'a'.repeat(32)}, bob)`).leaves[0]?.name.length).toBe(32);
  });
});
