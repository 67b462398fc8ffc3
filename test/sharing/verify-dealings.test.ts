/** A dealer that cheats is named with the check that it fails; see also complaint.test.ts and kinds.test.ts. */
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { ED448_TORSION_SUBGROUP } from '@noble/curves/ed448.js';
import { describe, expect, test } from 'vitest';
import { group, type Group, type GroupName, type Point } from '../../src/curves/group.ts';
import { makePolynomials, subShares, type Polynomials } from '../../src/sharing/deal.ts';
import type { Leaf } from '../../src/sharing/expression.ts';
import type { NewPrekey } from '../../src/sharing/make-prekey.ts';
import { dealingBytes, decodeDealing, encodeDealing, openingBytes } from '../../src/sharing/dealing.ts';
import type { Kind } from '../../src/sharing/kinds.ts';
import { ownShare, receiveShares } from '../../src/sharing/open.ts';
import { possessionContext } from '../../src/sharing/possession.ts';
import { provePossession } from '../../src/sharing/prove-possession.ts';
import { proveSchnorr } from '../../src/sharing/prove.ts';
import { exactQuorum } from '../../src/sharing/quorum.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { combineTrees } from '../../src/sharing/result.ts';
import { sealBoxes } from '../../src/sharing/seal.ts';
import { sealingBytes } from '../../src/sharing/sealing-proof.ts';
import { encodeTree, leafPoints, treeDigest, type PublicTree } from '../../src/sharing/tree.ts';
import { verifyDealings } from '../../src/sharing/verify-dealings.ts';
import { concat, equalBytes } from '../../src/wire/bytes.ts';
import { codeOf, dealAll, deal, faultsOf, GROUPS, makeKey, minimalQuorums, mustPass, party, roundOf, seeded, type Party } from './support.ts';

const NESTED = 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))';
const FLAT = '2-of(alice, bob, carol)';

/** A dealing whose public tree is altered after the polynomials were drawn; proof and boxes are made for the altered tree. */
function crooked(p: Party, dealer: number, alter: (tree: PublicTree, poly: Polynomials) => PublicTree, kind: Kind = 'dkg'): Uint8Array {
  const { coefficients: poly, tree } = makePolynomials(p.group, p.quorum, kind, undefined, p.random);
  const altered = alter(tree, poly);
  const { sid, prekeys, random } = p;
  const proof = kind === 'dkg' ? provePossession(sid, dealer, altered, poly, random) : new Uint8Array(0);
  return encodeDealing(encodeTree(altered), proof, sealBoxes({ sid, dealer, tree: altered, poly, prekeys, random }));
}

const shifted = (tree: PublicTree, label: string, by: Point): PublicTree => ({
  ...tree,
  gates: new Map([...tree.gates].map(([l, row]) => [l, l === label ? row.map((c) => c.add(by)) : row])),
});

const verdict = (p: Party, bytes: Map<number, Uint8Array>): string[] => faultsOf(verifyDealings(roundOf(p, 'dkg'), bytes));

describe.each(GROUPS)('%s', (name) => {
  test('an honest round gives every participant its share of one key', () => {
    const p = party(name, NESTED);
    const { key, shares } = makeKey(p);
    const { group: g, quorum } = p;
    shares.forEach((share, i) => {
      const X = g.multiply(g.base, g.decodeScalar(share));
      expect(X.equals(key.leafPoints.get(i + 1) as Point)).toBe(true);
    });
    for (const names of minimalQuorums(quorum)) {
      const leaves = exactQuorum(quorum, names);
      const weights = recombination(quorum, leaves, g.order);
      const x = leaves.reduce((s, l) => (s + (weights.get(l.id) as bigint) * g.decodeScalar(shares[l.id - 1] as Uint8Array)) % g.order, 0n);
      expect(g.multiply(g.base, x).equals(key.publicKey)).toBe(true);
    }
  });

  test('the length is exact', () => {
    const p = party(name, NESTED);
    const bytes = dealAll(p, 'dkg');
    const good = bytes.get(2) as Uint8Array;
    expect(good.length).toBe(dealingBytes(roundOf(p, 'dkg')));
    expect(openingBytes(roundOf(p, 'dkg'))).toBe(4 * p.group.pointBytes + p.group.scalarBytes);
    expect(sealingBytes(p.group, p.quorum)).toBe(160 + 5 * p.group.scalarBytes);
    // one point too few or too many is the lowered or raised threshold (attack rows 21, 22)
    const point = good.slice(0, p.group.pointBytes);
    for (const bad of [good.slice(0, -1), concat(good, Uint8Array.of(0)), new Uint8Array(0), good.slice(point.length), concat(point, good)])
      expect(verdict(p, new Map(bytes).set(2, bad))).toEqual(['2 E_DEALING']);
  });

  test('an altered byte anywhere is found and the dealer named', () => {
    const p = party(name, FLAT);
    const bytes = dealAll(p, 'dkg');
    const good = bytes.get(3) as Uint8Array;
    const step = name === 'ed25519' ? 1 : 17;
    for (let i = 0; i < good.length; i += step) {
      const bad = good.slice();
      bad[i] = (bad[i] as number) ^ (1 << (i % 8));
      const found = verdict(p, new Map(bytes).set(3, bad));
      expect(found.length).toBe(1);
      expect(found[0]).toMatch(/^3 E_(POINT|SCALAR|POP|SEALING)$/);
    }
  });

  test('the identity and a scalar equal to the order are refused in every place', () => {
    const p = party(name, FLAT);
    const bytes = dealAll(p, 'dkg');
    const good = bytes.get(1) as Uint8Array;
    const { group: g } = p;
    const put = (at: number, piece: Uint8Array): Map<number, Uint8Array> => {
      const bad = good.slice();
      bad.set(piece, at);
      return new Map(bytes).set(1, bad);
    };
    const littleEndian = name !== 'secp256k1' && name !== 'p256';
    const order = (length: number, q: bigint, le: boolean): Uint8Array => {
      const out = new Uint8Array(Buffer.from(q.toString(16).padStart(2 * length, '0'), 'hex'));
      return le ? out.reverse() : out;
    };
    const identity = new Uint8Array(g.pointBytes);
    if (name === 'ed25519' || name === 'ed448') identity[0] = 1;
    for (const at of [0, 1, 2]) expect(verdict(p, put(at * g.pointBytes, identity))).toEqual(['1 E_POINT']);
    const z = 3 * g.pointBytes;
    expect(verdict(p, put(z, order(g.scalarBytes, g.order, littleEndian)))).toEqual(['1 E_SCALAR']);
    const E = z + g.scalarBytes;
    for (const at of [0, 1, 2, 3]) expect(verdict(p, put(E + 32 * at, new Uint8Array(32)))).toEqual(['1 E_POINT']);
    const L = 2n ** 252n + 27742317777372353535851937790883648493n;
    expect(verdict(p, put(E + 128, order(32, L, true)))).toEqual(['1 E_SCALAR']);
    for (const at of [0, 1, 2])
      expect(verdict(p, put(E + 160 + at * g.scalarBytes, order(g.scalarBytes, g.order, littleEndian)))).toEqual(['1 E_SCALAR']);
  });

  test('a proof of possession counts for its session, dealer and commitments alone', () => {
    const p = party(name, FLAT);
    const bytes = dealAll(p, 'dkg');
    // the same bytes under another dealer, another session, or with another dealer's proof
    const copied = new Map(bytes).set(2, bytes.get(1) as Uint8Array);
    expect(verdict(p, copied)).toEqual(['2 E_POP']);
    const later = { ...roundOf(p, 'dkg'), sid: new Uint8Array(32).fill(1) };
    expect(faultsOf(verifyDealings(later, bytes))).toEqual(['1 E_POP', '2 E_POP', '3 E_POP']);
    const cut = 2 * p.group.pointBytes;
    const end = openingBytes(roundOf(p, 'dkg'));
    const foreign = (bytes.get(1) as Uint8Array).slice();
    foreign.set((bytes.get(2) as Uint8Array).slice(cut, end), cut);
    expect(verdict(p, new Map(bytes).set(1, foreign))).toEqual(['1 E_POP']);
  });

  test('responses that are wrong by opposite amounts do not cancel', () => {
    const p = party(name, FLAT);
    const bytes = dealAll(p, 'dkg');
    const moved = (id: number, at: number, g: Group, by: bigint): Uint8Array => {
      const bad = (bytes.get(id) as Uint8Array).slice();
      const z = g.decodeScalar(bad.slice(at, at + g.scalarBytes));
      bad.set(g.encodeScalar((z + by + g.order) % g.order), at);
      return bad;
    };
    const response = 3 * p.group.pointBytes;
    const possessions = new Map(bytes).set(1, moved(1, response, p.group, 1n)).set(2, moved(2, response, p.group, -1n));
    expect(verdict(p, possessions)).toEqual(['1 E_POP', '2 E_POP']);
    const sealed = openingBytes(roundOf(p, 'dkg')) + 128;
    const sealings = new Map(bytes).set(1, moved(1, sealed, group('ristretto255'), 1n)).set(2, moved(2, sealed, group('ristretto255'), -1n));
    expect(verdict(p, sealings)).toEqual(['1 E_SEALING', '2 E_SEALING']);
  });

  test('rogue key: a constant chosen against the others has no proof of possession', () => {
    const p = party(name, FLAT);
    const bytes = dealAll(p, 'dkg');
    const others = [1, 2].map((id) => decodeDealing(roundOf(p, 'dkg'), bytes.get(id) as Uint8Array).tree.constant as Point);
    const target = p.group.multiply(p.group.base, 42n);
    const rogue = crooked(p, 3, (tree) => ({ ...tree, constant: target.subtract(p.group.sum(others)) }));
    expect(verdict(p, new Map(bytes).set(3, rogue))).toEqual(['3 E_POP']);
  });
});

describe('points with a small-order part', () => {
  const torsion: [GroupName, string][] = [
    ...ED25519_TORSION_SUBGROUP.slice(1).map((hex): [GroupName, string] => ['ed25519', hex]),
    ...ED448_TORSION_SUBGROUP.slice(1).map((hex): [GroupName, string] => ['ed448', hex]),
  ];
  test.each(torsion)('%s %s in a coefficient or the constant is named', (name, hex) => {
    const p = party(name, NESTED);
    const T = p.group.Point.fromHex(hex);
    if (T.is0()) return;
    const bytes = dealAll(p, 'dkg');
    const inGate = crooked(p, 2, (tree) => shifted(tree, '2', T));
    expect(verdict(p, new Map(bytes).set(2, inGate))).toEqual(['2 E_POINT']);
    const inConstant = crooked(p, 4, (tree) => ({ ...tree, constant: (tree.constant as Point).add(T) }));
    expect(verdict(p, new Map(bytes).set(4, inConstant))).toEqual(['4 E_POINT']);
    expect(verdict(p, new Map(bytes).set(2, inGate).set(4, inConstant))).toEqual(['2 E_POINT', '4 E_POINT']);
  });

  test('parts that cancel within one dealing are found; parts that cancel between two dealers change nothing', () => {
    const p = party('ed25519', NESTED);
    const T = p.group.Point.fromHex(ED25519_TORSION_SUBGROUP[3] as string);
    const bytes = dealAll(p, 'dkg');
    const within = crooked(p, 1, (tree) => shifted(shifted(tree, '', T), '2', T.negate()));
    expect(verdict(p, new Map(bytes).set(1, within))).toEqual(['1 E_POINT']);
    const pair = new Map(bytes)
      .set(1, crooked(p, 1, (tree) => shifted(tree, '2', T)))
      .set(2, crooked(p, 2, (tree) => shifted(tree, '2', T.negate())));
    const { tree } = mustPass(verifyDealings(roundOf(p, 'dkg'), pair));
    for (const X of leafPoints(tree).values()) expect(p.group.inSubgroup(X)).toBe(true);
  });

  test('a small-order part in the commitment of a proof does not make two verifiers differ', () => {
    const p = party('ed25519', FLAT);
    const T = p.group.Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string);
    const bytes = dealAll(p, 'dkg');
    const good = bytes.get(1) as Uint8Array;
    const R = p.group.decodePoint(good.slice(64, 96)).add(T);
    const bad = good.slice();
    bad.set(R.toBytes(), 64);
    // the challenge covers R, so moving it afterwards fails in the batch as alone
    expect(verdict(p, new Map(bytes).set(1, bad))).toEqual(['1 E_POP']);
  });
});

describe('sealing', () => {
  test('a sealing proof counts for its session, dealer, commitments, boxes and prekeys alone', () => {
    const p = party('p256', FLAT);
    const bytes = dealAll(p, 'dkg');
    const otherKeys = { ...roundOf(p, 'dkg'), prekeys: [...p.prekeys].reverse() };
    expect(faultsOf(verifyDealings(otherKeys, bytes))).toEqual(['1 E_SEALING', '2 E_SEALING', '3 E_SEALING']);
    // the whole sealed part of another dealer
    const cut = openingBytes(roundOf(p, 'dkg'));
    const stolen = concat((bytes.get(1) as Uint8Array).slice(0, cut), (bytes.get(2) as Uint8Array).slice(cut));
    expect(verdict(p, new Map(bytes).set(1, stolen))).toEqual(['1 E_SEALING']);
    // two boxes exchanged
    const swapped = (bytes.get(3) as Uint8Array).slice();
    const box = (i: number): number => cut + 160 + 32 * i;
    swapped.set((bytes.get(3) as Uint8Array).slice(box(1), box(2)), box(0));
    swapped.set((bytes.get(3) as Uint8Array).slice(box(0), box(1)), box(1));
    expect(verdict(p, new Map(bytes).set(3, swapped))).toEqual(['3 E_SEALING']);
  });

  test('two equal dealings have different sealing keys, so that no box repeats', () => {
    const p = party('secp256k1', FLAT);
    const { coefficients: poly, tree } = makePolynomials(p.group, p.quorum, 'dkg', undefined, p.random);
    const seal = () => sealBoxes({ sid: p.sid, dealer: 1, tree, poly, prekeys: p.prekeys, random: p.random });
    const [a, b] = [seal(), seal()];
    expect(equalBytes(a.E, b.E)).toBe(false);
    expect(a.boxes.some((box, i) => equalBytes(box, b.boxes[i] as Uint8Array))).toBe(false);
  });
});

describe('the round', () => {
  test('a missing dealing is missing, not somebody’s fault', () => {
    const p = party('ristretto255', FLAT);
    const bytes = dealAll(p, 'dkg');
    bytes.delete(2);
    expect(codeOf(() => verifyDealings(roundOf(p, 'dkg'), bytes))).toBe('E_MISSING');
    bytes.set(2, deal(p, 'dkg', 2)).set(4, deal(p, 'dkg', 4));
    expect(codeOf(() => verifyDealings(roundOf(p, 'dkg'), bytes))).toBe('E_INTERNAL');
  });

  test('all who cheat are named at once, each with the first check that fails', () => {
    const p = party('ed25519', NESTED);
    const bytes = dealAll(p, 'dkg');
    const T = p.group.Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string);
    bytes.set(1, new Uint8Array(3));
    bytes.set(2, crooked(p, 2, (tree) => shifted(tree, '', T)));
    bytes.set(3, bytes.get(4) as Uint8Array);
    const spoiled = (bytes.get(5) as Uint8Array).slice();
    spoiled[spoiled.length - 32] = (spoiled[spoiled.length - 32] as number) ^ 1;
    bytes.set(5, spoiled);
    expect(verdict(p, bytes)).toEqual(['1 E_DEALING', '2 E_POINT', '3 E_POP', '5 E_SEALING']);
  });

  test('sub-shares off the polynomial are found by their receiver, who names every such dealer', () => {
    const p = party('ed25519', FLAT);
    const by = p.group.multiply(p.group.base, 3n);
    const bytes = dealAll(p, 'dkg');
    bytes.set(1, crooked(p, 1, (tree) => shifted(tree, '', by)));
    bytes.set(3, crooked(p, 3, (tree) => shifted(tree, '', by.negate().add(by).add(by))));
    const round = mustPass(verifyDealings(roundOf(p, 'dkg'), bytes));
    p.quorum.leaves.forEach((leaf, i) => {
      const got = receiveShares({ leaf, round, prekey: p.keys[i] as (typeof p.keys)[0] });
      expect(got).toEqual({ ok: false, bad: [1, 3] });
    });
  });

  test('a stored prekey that is not the plan’s is a damaged home, not a cheating dealer', () => {
    const p = party('p256', FLAT);
    const round = mustPass(verifyDealings(roundOf(p, 'dkg'), dealAll(p, 'dkg')));
    const leaf = p.quorum.leaves[0] as Leaf;
    const [alice, bob] = p.keys as [NewPrekey, NewPrekey, NewPrekey];
    const receive = (prekey: { secret: Uint8Array; P: Uint8Array }) => codeOf(() => receiveShares({ leaf, round, prekey }));
    expect(receive(alice)).toBe('no error');
    expect(receive(bob)).toBe('E_STATE');
    expect(receive({ secret: bob.secret, P: alice.P })).toBe('E_STATE');
    expect(receive({ secret: new Uint8Array(32).fill(255), P: alice.P })).toBe('E_SCALAR');
  });
});

describe('degenerate results', () => {
  test('a combined coefficient, leaf point or key that is the identity ends the attempt without blame', () => {
    const p = party('ed25519', '2-of(alice, bob)');
    const g = p.group;
    const { tree, coefficients } = makePolynomials(g, p.quorum, 'dkg', undefined, seeded('d'));
    const C = tree.constant as Point;
    const row = tree.gates.get('') as readonly Point[];
    const negated: PublicTree = { ...tree, constant: C.negate(), gates: new Map([['', row.map((x) => x.negate())]]) };
    const gate = (points: readonly Point[]): PublicTree => ({ ...tree, gates: new Map([['', points]]) });
    const combine = (...trees: PublicTree[]) => codeOf(() => combineTrees(g, p.quorum, trees));
    expect(combine(tree)).toBe('no error');
    expect(combine(tree, negated)).toBe('E_DEGENERATE');
    expect(combine(tree, { ...negated, constant: C })).toBe('E_DEGENERATE');
    expect(combine(tree, { ...tree, constant: C.negate() })).toBe('E_DEGENERATE');
    // X_1 = C + C_1 = O
    expect(combine(gate([C.negate()]))).toBe('E_DEGENERATE');
    expect(codeOf(() => combineTrees(g, p.quorum, [tree], g.base))).toBe('E_INTERNAL');
    const [share] = subShares(coefficients, p.quorum);
    const parts = [g.encodeScalar(share as bigint), g.encodeScalar(g.order - (share as bigint))];
    expect(codeOf(() => ownShare(g, parts))).toBe('E_DEGENERATE');
  });
});

test('the proof of possession of a hand-made statement verifies only with the right witness', () => {
  const p = party('secp256k1', FLAT);
  const { tree, coefficients: poly } = makePolynomials(p.group, p.quorum, 'dkg', undefined, p.random);
  const treeBytes = encodeTree(tree);
  const context = possessionContext(p.sid, 1, treeDigest(p.group, p.quorum, treeBytes));
  const sealed = sealBoxes({ sid: p.sid, dealer: 1, tree, poly, prekeys: p.prekeys, random: p.random });
  const with_ = (witness: bigint): Map<number, Uint8Array> => {
    const proof = proveSchnorr(p.group, context, witness, treeBytes.slice(0, 33), p.random);
    return dealAll(p, 'dkg').set(1, encodeDealing(treeBytes, proof, sealed));
  };
  expect(verdict(p, with_(poly.constant))).toEqual([]);
  expect(verdict(p, with_((poly.constant + 1n) % p.group.order))).toEqual(['1 E_POP']);
});
