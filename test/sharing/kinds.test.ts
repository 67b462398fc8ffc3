/** Refresh, reshare, repair, import and backup by the same code as key generation: what differs is the constant rule. */
import { describe, expect, test } from 'vitest';
import type { Point } from '../../src/curves/group.ts';
import { additivePoints } from '../../src/sharing/additive.ts';
import { additiveShare } from '../../src/sharing/deal.ts';
import { dealingBytes } from '../../src/sharing/dealing.ts';
import { parseQuorum, type Leaf, type Quorum } from '../../src/sharing/expression.ts';
import { checkConstant, hasConstant, isPinned, KINDS, type Kind } from '../../src/sharing/kinds.ts';
import { exactQuorum } from '../../src/sharing/quorum.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { combineTrees, type KeyTree } from '../../src/sharing/result.ts';
import { verifyDealings } from '../../src/sharing/verify-dealings.ts';
import { concat } from '../../src/wire/bytes.ts';
import { codeOf, deal, dealAll, faultsOf, GROUPS, makeKey, minimalQuorums, mustPass, party, roundOf, shares, type Party } from './support.ts';

const NESTED = 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))';

/** Every minimal quorum's shares recombine to the key's secret point. */
function expectKey(p: Party, own: readonly Uint8Array[], key: KeyTree, publicKey: Point): void {
  const { group: g, quorum } = p;
  expect(key.publicKey.equals(publicKey)).toBe(true);
  own.forEach((x, i) => {
    expect(g.multiply(g.base, g.decodeScalar(x)).equals(key.leafPoints.get(i + 1) as Point)).toBe(true);
  });
  for (const names of minimalQuorums(quorum).slice(0, 6)) {
    const leaves = exactQuorum(quorum, names);
    const weights = recombination(quorum, leaves, g.order);
    const x = leaves.reduce((s, l) => (s + (weights.get(l.id) as bigint) * g.decodeScalar(own[l.id - 1] as Uint8Array)) % g.order, 0n);
    expect(g.multiply(g.base, x).equals(publicKey)).toBe(true);
  }
}

/** What the members of an old quorum deal, and the points that pin it. */
function contributions(old: Party, key: KeyTree, own: readonly Uint8Array[], names: readonly string[]) {
  const leaves = exactQuorum(old.quorum, names);
  const expected = additivePoints(old.group, old.quorum, leaves, key.leafPoints);
  const w = (leaf: Leaf): bigint => additiveShare(old.group, old.quorum, leaves, leaf, own[leaf.id - 1] as Uint8Array);
  return { leaves, expected, w };
}

describe.each(GROUPS)('%s', (name) => {
  const old = party(name, NESTED);
  const { key, shares: own } = makeKey(old);

  test('refresh: other shares, the same key', () => {
    const p = { ...old, sid: old.random(32) };
    const round = mustPass(verifyDealings(roundOf(p, 'refresh'), dealAll(p, 'refresh')));
    expect(round.tree.constant).toBeUndefined();
    const next = combineTrees(p.group, p.quorum, [round.tree, key.tree], key.publicKey);
    const fresh = shares(p, round, own);
    expectKey(p, fresh, next, key.publicKey);
    fresh.forEach((share, i) => {
      expect(share).not.toEqual(own[i]);
    });
    // old and new shares do not mix
    const leaves = exactQuorum(p.quorum, ['carol', 'alice', 'bob']);
    const weights = recombination(p.quorum, leaves, p.group.order);
    const mixed = leaves.map((l, i) => ((weights.get(l.id) as bigint) * p.group.decodeScalar((i === 0 ? own : fresh)[l.id - 1] as Uint8Array)) % p.group.order);
    const x = mixed.reduce((a, b) => (a + b) % p.group.order);
    expect(p.group.multiply(p.group.base, x).equals(key.publicKey)).toBe(false);
  });

  test('reshare to another structure: the new shares give the old key', () => {
    const p = party(name, '3-of(alice, zoe, all-of(yan, xia), bob)');
    const { leaves, expected, w } = contributions(old, key, own, ['dave', 'alice', 'erin']);
    const bytes = new Map(leaves.map((leaf) => [leaf.id, deal(p, 'reshare', leaf.id, w(leaf))]));
    const round = mustPass(verifyDealings(roundOf(p, 'reshare', expected), bytes));
    const next = combineTrees(p.group, p.quorum, [round.tree], key.publicKey);
    expectKey(p, shares(p, round), next, key.publicKey);
  });

  test('reshare: a dealer with another share than its own of this epoch is named', () => {
    const p = party(name, '2-of(zoe, yan, xia)');
    const { leaves, expected, w } = contributions(old, key, own, ['carol', 'alice', 'bob']);
    const honest = new Map(leaves.map((leaf) => [leaf.id, deal(p, 'reshare', leaf.id, w(leaf))]));
    const second = leaves[1] as Leaf;
    const lie = (constant: bigint): string[] =>
      faultsOf(verifyDealings(roundOf(p, 'reshare', expected), new Map(honest).set(second.id, deal(p, 'reshare', second.id, constant % p.group.order))));
    expect(lie(w(second))).toEqual([]);
    expect(lie(w(second) + 1n)).toEqual([`${String(second.id)} E_DEALING`]);
    // weight of another quorum, and the bare share without any weight
    const other = contributions(old, key, own, ['carol', 'alice', 'erin']);
    expect(lie(other.w(second))).toEqual([`${String(second.id)} E_DEALING`]);
    expect(lie(p.group.decodeScalar(own[second.id - 1] as Uint8Array))).toEqual([`${String(second.id)} E_DEALING`]);
  });
});

describe('repair, import and backup', () => {
  test('repair: a reshare to the same structure, after which the lost share is worth nothing', () => {
    const old = party('secp256k1', NESTED);
    const { key, shares: own } = makeKey(old);
    const p = party('secp256k1', NESTED, 'new prekeys');
    const { leaves, expected, w } = contributions(old, key, own, ['carol', 'alice', 'bob']);
    const bytes = new Map(leaves.map((leaf) => [leaf.id, deal(p, 'repair', leaf.id, w(leaf))]));
    const round = mustPass(verifyDealings(roundOf(p, 'repair', expected), bytes));
    const fresh = shares(p, round);
    expectKey(p, fresh, combineTrees(p.group, p.quorum, [round.tree], key.publicKey), key.publicKey);
    expect(fresh[4]).not.toEqual(own[4]);
  });

  test('import: one holder deals the key, and no other', () => {
    const p = party('p256', '2-of(a, b, c)');
    const x = p.group.randomScalar(p.random);
    const expected = new Map([[1, p.group.multiply(p.group.base, x)]]);
    const round = mustPass(verifyDealings(roundOf(p, 'import', expected), new Map([[1, deal(p, 'import', 1, x)]])));
    const publicKey = expected.get(1) as Point;
    expectKey(p, shares(p, round), combineTrees(p.group, p.quorum, [round.tree], publicKey), publicKey);
    const other = new Map([[1, deal(p, 'import', 1, x + 1n)]]);
    expect(faultsOf(verifyDealings(roundOf(p, 'import', expected), other))).toEqual(['1 E_DEALING']);
  });

  test('backup: an owner deals its own leaf share to custodians', () => {
    const p = party('ed25519', '2-of(a, b, c)');
    const { key, shares: own } = makeKey(p);
    const custodians = party('ed25519', '3-of(v, w, x, y, z)');
    const expected = new Map([[2, key.leafPoints.get(2) as Point]]);
    const share = p.group.decodeScalar(own[1] as Uint8Array);
    const bytes = new Map([[2, deal(custodians, 'backup', 2, share)]]);
    const round = mustPass(verifyDealings(roundOf(custodians, 'backup', expected), bytes));
    const got = shares(custodians, round);
    const leaves = exactQuorum(custodians.quorum, ['v', 'x', 'z']);
    const weights = recombination(custodians.quorum, leaves, p.group.order);
    const back = leaves.reduce((s, l) => (s + (weights.get(l.id) as bigint) * p.group.decodeScalar(got[l.id - 1] as Uint8Array)) % p.group.order, 0n);
    expect(back).toBe(share);
    const wrong = new Map([[2, deal(custodians, 'backup', 2, p.group.decodeScalar(own[0] as Uint8Array))]]);
    expect(faultsOf(verifyDealings(roundOf(custodians, 'backup', expected), wrong))).toEqual(['2 E_DEALING']);
  });
});

describe('the table', () => {
  const p = party('ed25519', '2-of(a, b, c)');
  test('a constant in a refresh, and none elsewhere, is a matter of length', () => {
    const shape = (kind: Kind) => ({ kind, group: p.group, quorum: p.quorum });
    expect(dealingBytes(shape('dkg')) - dealingBytes(shape('refresh'))).toBe(32 + 64);
    expect(dealingBytes(shape('backup')) - dealingBytes(shape('refresh'))).toBe(32);
    const bytes = dealAll(p, 'refresh');
    const good = bytes.get(1) as Uint8Array;
    const withConstant = concat(p.group.encodePoint(p.group.base), good);
    expect(faultsOf(verifyDealings(roundOf(p, 'refresh'), new Map(bytes).set(1, withConstant)))).toEqual(['1 E_DEALING']);
    expect(faultsOf(verifyDealings(roundOf(p, 'refresh'), new Map(bytes).set(1, deal(p, 'dkg', 1))))).toEqual(['1 E_DEALING']);
    const fresh = dealAll(p, 'dkg');
    expect(faultsOf(verifyDealings(roundOf(p, 'dkg'), new Map(fresh).set(1, good)))).toEqual(['1 E_DEALING']);
  });

  test('the sealing proof of a refresh, which has no proof of possession, covers its commitments', () => {
    const bytes = dealAll(p, 'refresh');
    const other = deal(p, 'refresh', 1);
    const mixed = concat(other.slice(0, 32), (bytes.get(1) as Uint8Array).slice(32));
    expect(faultsOf(verifyDealings(roundOf(p, 'refresh'), new Map(bytes).set(1, other)))).toEqual([]);
    expect(faultsOf(verifyDealings(roundOf(p, 'refresh'), new Map(bytes).set(1, mixed)))).toEqual(['1 E_SEALING']);
  });

  test('a refresh of another threshold cannot be written', () => {
    const other: Quorum = parseQuorum('3-of(a, b, c)');
    const bytes = dealAll(p, 'refresh').set(1, deal({ ...p, quorum: other }, 'refresh', 1));
    expect(faultsOf(verifyDealings(roundOf(p, 'refresh'), bytes))).toEqual(['1 E_DEALING']);
  });

  test('pinned kinds need their point, the others take none', () => {
    const { tree } = makeKey(p).key;
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const code = (expected: Point | undefined): string => codeOf(() => { checkConstant(kind, tree, expected); });
      expect(code(undefined)).toBe(isPinned(kind) ? 'E_INTERNAL' : 'no error');
      expect(code(tree.constant)).toBe(isPinned(kind) ? 'no error' : 'E_INTERNAL');
      expect(code(p.group.base)).toBe(isPinned(kind) ? 'E_DEALING' : 'E_INTERNAL');
      expect(hasConstant(kind)).toBe(kind !== 'refresh');
    }
  });
});
