/** Complaints: the liar is named, whichever side it is on, and no complaint opens an honest box of another dealing. */
import { describe, expect, test } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { boxMask, unmask } from '../../src/sharing/box.ts';
import { COMPLAINT_BYTES, complaintContext, complaintStatement, disputeOf, judgeComplaint, type Dispute } from '../../src/sharing/complaint.ts';
import { makePolynomials, subShare } from '../../src/sharing/deal.ts';
import { encodeDealing } from '../../src/sharing/dealing.ts';
import type { Leaf } from '../../src/sharing/expression.ts';
import { makeComplaint } from '../../src/sharing/make-complaint.ts';
import { receiveShares } from '../../src/sharing/open.ts';
import { provePossession } from '../../src/sharing/prove-possession.ts';
import { proveDleq } from '../../src/sharing/prove.ts';
import { openBox, sealBoxes } from '../../src/sharing/seal.ts';
import { secondBase } from '../../src/sharing/sealing-group.ts';
import { sealingContext, sealingStatement } from '../../src/sharing/sealing-proof.ts';
import { encodeTree, treeDigest } from '../../src/sharing/tree.ts';
import { verifyDealings, type VerifiedDealing } from '../../src/sharing/verify-dealings.ts';
import { concat, equalBytes } from '../../src/wire/bytes.ts';
import type { Random } from '../../src/wire/random.ts';
import { codeOf, dealAll, faultsOf, GROUPS, mustPass, party, roundOf, seeded, type Party } from './support.ts';

const NESTED = 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))';
// the group of sealing by another library than the code under test
const s = group('ristretto255');
const B2 = s.decodePoint(secondBase());

/** A dealing that passes every public check and whose boxes in gate 2 hold values off the polynomial. */
function garbage(p: Party, dealer: number): Uint8Array {
  const { sid, prekeys, random, group: g } = p;
  const { coefficients: poly, tree } = makePolynomials(g, p.quorum, 'dkg', undefined, random);
  const gates = new Map([...poly.gates].map(([label, row]) => [label, label === '2' ? row.map((c) => (c + 1n) % g.order) : row]));
  const sealed = sealBoxes({ sid, dealer, tree, poly: { ...poly, gates }, prekeys, random });
  return encodeDealing(encodeTree(tree), provePossession(sid, dealer, tree, poly, random), sealed);
}

/** A complaint made by a program that complains about anything, with any secret. */
function frame(dispute: Dispute, secret: Uint8Array, random: Random): Uint8Array {
  const E = s.decodePoint(dispute.dealing.sealing.E);
  const K = s.encodePoint(s.multiply(E, s.decodeScalar(secret)));
  return concat(K, proveDleq(complaintContext(dispute), secret, complaintStatement(dispute, K), random));
}

describe.each(GROUPS)('%s', (name) => {
  const p = party(name, NESTED);
  const [carol, , alice, bob] = p.quorum.leaves as [Leaf, Leaf, Leaf, Leaf, Leaf];
  const secret = (leaf: Leaf): Uint8Array => p.keys[leaf.id - 1]?.secret as Uint8Array;
  const round = mustPass(verifyDealings(roundOf(p, 'dkg'), dealAll(p, 'dkg').set(2, garbage(p, 2))));

  test('the receiver finds the dealer, and everybody finds the complaint true', () => {
    for (const leaf of p.quorum.leaves) {
      const got = receiveShares({ leaf, round, prekey: p.keys[leaf.id - 1] as (typeof p.keys)[0] });
      expect(got.ok).toBe(leaf.label.startsWith('1'));
      if (got.ok) continue;
      expect(got.bad).toEqual([2]);
      const dispute = disputeOf(round, 2, leaf);
      const complaint = makeComplaint(dispute, secret(leaf), p.random);
      expect(complaint.length).toBe(COMPLAINT_BYTES);
      expect(judgeComplaint(dispute, complaint)).toBe('dealer');
    }
  });

  test('framing: a complaint about a good sub-share falls back on the complainer', () => {
    for (const [dealer, leaf] of [
      [1, alice],
      [2, carol],
      [4, bob],
    ] as const) {
      const dispute = disputeOf(round, dealer, leaf);
      expect(judgeComplaint(dispute, frame(dispute, secret(leaf), p.random))).toBe('complainer');
      // our own program does not publish a good sub-share in the first place
      expect(codeOf(() => makeComplaint(dispute, secret(leaf), p.random))).toBe('E_INTERNAL');
    }
  });

  test('framing: a false K with any proof falls back on the complainer', () => {
    const dispute = disputeOf(round, 1, alice);
    const wrongSecret = s.encodeScalar(s.randomScalar(p.random));
    expect(judgeComplaint(dispute, frame(dispute, wrongSecret, p.random))).toBe('complainer');
    const honest = frame(dispute, secret(alice), p.random);
    const swappedK = concat(s.encodePoint(s.multiply(s.base, 5n)), honest.slice(32));
    expect(judgeComplaint(dispute, swappedK)).toBe('complainer');
  });

  test('a true complaint counts for its session, dealer and leaf alone', () => {
    const dispute = disputeOf(round, 2, alice);
    const complaint = makeComplaint(dispute, secret(alice), p.random);
    expect(judgeComplaint(disputeOf(round, 2, bob), complaint)).toBe('complainer');
    expect(judgeComplaint(disputeOf(round, 1, alice), complaint)).toBe('complainer');
    expect(judgeComplaint({ ...dispute, sid: new Uint8Array(32) }, complaint)).toBe('complainer');
    expect(judgeComplaint({ ...dispute, P: p.prekeys[0] as Uint8Array }, complaint)).toBe('complainer');
  });
});

test('every altered byte and every other length of a true complaint falls back on the complainer', () => {
  const p = party('ed25519', NESTED);
  const leaf = p.quorum.leaves[3] as Leaf;
  const round = mustPass(verifyDealings(roundOf(p, 'dkg'), dealAll(p, 'dkg').set(2, garbage(p, 2))));
  const dispute = disputeOf(round, 2, leaf);
  const complaint = makeComplaint(dispute, p.keys[3]?.secret as Uint8Array, p.random);
  expect(judgeComplaint(dispute, complaint)).toBe('dealer');
  for (let i = 0; i < COMPLAINT_BYTES; i++) {
    const bad = complaint.slice();
    bad[i] = (bad[i] as number) ^ (1 << (i % 8));
    expect(judgeComplaint(dispute, bad)).toBe('complainer');
  }
  for (const bad of [new Uint8Array(0), complaint.slice(0, -1), concat(complaint, Uint8Array.of(0)), new Uint8Array(COMPLAINT_BYTES)])
    expect(judgeComplaint(dispute, bad)).toBe('complainer');
});

test('a complaint opens the disputed box and no other', () => {
  const p = party('secp256k1', NESTED);
  const leaf = p.quorum.leaves[3] as Leaf;
  const round = mustPass(verifyDealings(roundOf(p, 'dkg'), dealAll(p, 'dkg').set(2, garbage(p, 2))));
  const complaint = makeComplaint(disputeOf(round, 2, leaf), p.keys[3]?.secret as Uint8Array, p.random);
  const K = complaint.slice(0, 32);
  const P = p.prekeys[3] as Uint8Array;
  for (const dealer of [1, 2, 3, 4, 5]) {
    const { sealing } = round.dealings.get(dealer) as VerifiedDealing;
    const facts = { group: p.group, sid: p.sid, dealer, leaf, E: sealing.E, P };
    const opened = openBox(facts, sealing.boxes[3] as Uint8Array, p.keys[3]?.secret as Uint8Array);
    expect(unmask(facts, sealing.boxes[3] as Uint8Array, K) === opened).toBe(dealer === 2);
  }
});

test('the mask depends on everything that it is bound to', () => {
  const p = party('p256', NESTED);
  const [a, b] = p.quorum.leaves as [Leaf, Leaf];
  const facts = { group: p.group, sid: p.sid, dealer: 1, leaf: a, E: p.prekeys[0] as Uint8Array, P: p.prekeys[1] as Uint8Array };
  const K = p.prekeys[2] as Uint8Array;
  const masks = [
    boxMask(facts, K),
    boxMask({ ...facts, sid: new Uint8Array(32) }, K),
    boxMask({ ...facts, dealer: 2 }, K),
    boxMask({ ...facts, leaf: b }, K),
    boxMask({ ...facts, leaf: { ...a, label: '9' } }, K),
    boxMask({ ...facts, E: K }, K),
    boxMask({ ...facts, P: K }, K),
    boxMask(facts, facts.P),
  ];
  expect(new Set(masks).size).toBe(masks.length);
});

describe('a dealer that derives its sealing key from another’s', () => {
  const p = party('ed25519', NESTED);
  const bytes = dealAll(p, 'dkg');
  const victim = mustPass(verifyDealings(roundOf(p, 'dkg'), bytes)).dealings.get(1) as VerifiedDealing;
  const leaf = p.quorum.leaves[3] as Leaf;
  const random = seeded('attacker');
  const r = s.randomScalar(random);
  const witness = s.encodeScalar(r);
  const own = s.encodePoint(s.multiply(s.base, r));
  const own2 = s.encodePoint(s.multiply(B2, r));
  const E = s.encodePoint(s.decodePoint(victim.sealing.E).add(s.decodePoint(own)));
  const E2 = s.encodePoint(s.decodePoint(victim.sealing.E2).add(s.decodePoint(own2)));

  test('would turn an honest complaint into the opening of the other’s box', () => {
    // K of the attacker's dealing, as an honest complaint would reveal it; minus r·P it is K of the victim's
    const key = p.keys[3] as (typeof p.keys)[0];
    const K = s.multiply(s.decodePoint(E), s.decodeScalar(key.secret));
    const stolen = s.encodePoint(K.subtract(s.multiply(s.decodePoint(key.P), r)));
    const facts = { group: p.group, sid: p.sid, dealer: 1, leaf, E: victim.sealing.E, P: key.P };
    const box = victim.sealing.boxes[3] as Uint8Array;
    expect(unmask(facts, box, stolen)).toBe(openBox(facts, box, key.secret));
  });

  test('is refused by everybody before anybody opens anything', () => {
    const { coefficients: poly, tree } = makePolynomials(p.group, p.quorum, 'dkg', undefined, random);
    const boxes = p.quorum.leaves.map((l) => p.group.encodeScalar(subShare(poly, l)));
    const treeBytes = encodeTree(tree);
    const possession = provePossession(p.sid, 3, tree, poly, random);
    const context = sealingContext(p.sid, 3, treeDigest(p.group, p.quorum, treeBytes), boxes, p.prekeys);
    const attempts: [Uint8Array, Uint8Array, Uint8Array][] = [
      // the other's own proof; a proof with the difference for a witness; the other's keys and proof as they are
      [E, E2, victim.sealing.proof],
      [E, E2, proveDleq(context, witness, sealingStatement(E, E2), random)],
      [victim.sealing.E, victim.sealing.E2, victim.sealing.proof],
      // a key of its own in one base only
      [own, E2, proveDleq(context, witness, sealingStatement(own, E2), random)],
      [E, own2, proveDleq(context, witness, sealingStatement(E, own2), random)],
    ];
    for (const [first, second, proof] of attempts) {
      const dealing = encodeDealing(treeBytes, possession, { E: first, E2: second, proof, boxes });
      expect(faultsOf(verifyDealings(roundOf(p, 'dkg'), new Map(bytes).set(3, dealing)))).toEqual(['3 E_SEALING']);
    }
  });

  test('honest dealings never share a sealing key', () => {
    const all = [...mustPass(verifyDealings(roundOf(p, 'dkg'), bytes)).dealings.values()].map((d) => d.sealing.E);
    all.forEach((a, i) => {
      for (const b of all.slice(i + 1)) expect(equalBytes(a, b)).toBe(false);
    });
  });
});
