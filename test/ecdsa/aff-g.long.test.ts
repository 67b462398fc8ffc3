/** Π-aff-g: holds for what is true, and for nothing else; in particular for no factor or mask outside its range. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mod } from '../../src/arith/integer.ts';
import { modPow } from '../../src/arith/modexp.ts';
import { group as groupOf } from '../../src/curves/group.ts';
import {
  AFF_G_BYTES,
  affGChallenge,
  affGItems,
  checkAffG,
  decodeAffG,
  encodeAffG,
  type AffGFirst,
  type AffGProof,
  type AffGStatement,
} from '../../src/ecdsa/aff-g.ts';
import { proveAffG } from '../../src/ecdsa/prove-aff-g.ts';
import { ringPedersenOf } from '../../src/ecdsa/ring-pedersen.ts';
import { toHex } from '../../src/wire/bytes.ts';
import {
  affGNonces,
  affGStatement,
  affGWitness,
  brokenAffG,
  bytes32,
  CTX,
  malformed,
  OTHER_CONTEXTS,
  party,
  stream,
  textbookAffG,
  textbookEncrypt,
  verdict,
} from '../support/proofs.ts';

const SEED = bytes32('seed');
const BOUND_X = 2n ** 768n;
const BOUND_Y = 2n ** 1792n;
const random = stream('aff-g');
const [prover, verifier] = [party(0), party(1)];

/** The verdict of everybody, after the verifier with its factors has said the same. */
function judge(st: AffGStatement, bytes: Uint8Array, ctx = CTX): string {
  const verdictOfAll = verdict(() => checkAffG(ctx, st, bytes));
  if (st.receiver === verifier.key && st.ring === verifier.ring)
    expect(verdict(() => checkAffG(ctx, { ...st, receiver: verifier.ownKey, ring: verifier.ownRing }, bytes))).toBe(verdictOfAll);
  return verdictOfAll;
}

/** The statement as the prover sees it. */
const forProver = (st: AffGStatement): AffGStatement => ({ ...st, own: prover.ownKey });

describe.each(['secp256k1', 'p256'] as const)('over %s', (name) => {
  const group = groupOf(name);
  const half = group.order / 2n;
  it('holds for any numbers in their ranges; the owner makes the same bytes', () => {
    const factor = fc.oneof(fc.constantFrom(1n, -1n, half, -half, 2n ** 256n, -(2n ** 256n)), fc.bigInt(1n, half));
    const mask = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 1280n, -(2n ** 1280n)), fc.bigInt(-(2n ** 1280n), 2n ** 1280n));
    fc.assert(
      fc.property(factor, mask, (x, y) => {
        const witness = affGWitness(group, random, { x, y });
        const st = affGStatement(group, witness, random);
        const bytes = proveAffG(CTX, forProver(st), witness, SEED);
        expect(bytes.length).toBe(AFF_G_BYTES);
        expect(judge(st, bytes)).toBe('ok');
        expect(proveAffG(CTX, st, witness, SEED)).toEqual(bytes);
      }),
      { numRuns: 6 },
    );
  });
  it('the text of A.5 makes a proof that holds, in its long form and as it is sent', () => {
    const witness = affGWitness(group, random);
    const st = affGStatement(group, witness, random);
    const { first, proof, bytes } = textbookAffG(CTX, st, witness, affGNonces(st, random));
    expect(brokenAffG(st, first, proof)).toEqual([]);
    expect(judge(st, bytes)).toBe('ok');
    expect(decodeAffG(group, bytes)).toEqual(proof);
  });
});

describe('a proof', () => {
  const group = groupOf('secp256k1');
  const { base, identity, order } = group;
  const witness = affGWitness(group, random);
  const st = affGStatement(group, witness, random);
  const { receiver, own, ring } = st;
  const bytes = proveAffG(CTX, forProver(st), witness, SEED);
  const parts = decodeAffG(group, bytes);
  const changed = (change: Partial<AffGProof>): string => judge(st, encodeAffG({ ...parts, ...change }));
  const challenge = (some: AffGStatement, first: AffGFirst): string => toHex(affGChallenge(group, CTX, affGItems(some), first).bytes);
  const FIRST: AffGFirst = { A: 1n, Bx: base, By: 2n, E: 3n, F: 4n, S: 5n, T: 6n };

  it('has 2856 bytes', () => expect(bytes.length).toBe(2856));
  it('says what the verifier decrypts: x·k + y', () => {
    const k = verifier.ownKey.decrypt(st.C);
    expect(verifier.ownKey.decrypt(st.D)).toBe(witness.x * k + witness.y);
  });

  // each of these breaks exactly one equation of A.5
  it.each<[string, Partial<AffGStatement>]>([
    ['product', { D: mod(st.D * (receiver.n + 1n), receiver.n2) }],
    ['product', { D: mod(st.D * st.C, receiver.n2) }],
    ['point', { X: st.X.add(base) }],
    ['mask', { Y: textbookEncrypt(own.n, witness.y + 1n, witness.rhoY) }],
    ['mask', { Y: textbookEncrypt(own.n, -witness.y, witness.rhoY) }],
  ])('cannot be made for a false statement: %s', (equation, change) => {
    const lie = { ...st, ...change };
    const { first, proof, bytes: made } = textbookAffG(CTX, lie, witness, affGNonces(lie, random));
    expect(brokenAffG(lie, first, proof)).toEqual([equation]);
    expect(judge(lie, made)).toBe('E_PROOF');
    expect(judge(lie, proveAffG(CTX, forProver(lie), witness, SEED))).toBe('E_PROOF');
  });
  it.each([
    ['S', 'ringX'],
    ['T', 'ringY'],
  ] as const)('cannot commit to another number in %s', (field, equation) => {
    const nonces = affGNonces(st, random);
    const honest = textbookAffG(CTX, st, witness, nonces).first[field];
    const { first, proof, bytes: made } = textbookAffG(CTX, st, witness, nonces, { [field]: mod(honest * ring.s, ring.nHat) });
    expect(brokenAffG(st, first, proof)).toEqual([equation]);
    expect(judge(st, made)).toBe('E_PROOF');
  });

  describe('keeps to its ranges (row 14)', () => {
    // without a mask, so that z2 is β whatever the challenge
    const bare = affGWitness(group, random, { y: 0n });
    const ofBare = affGStatement(group, bare, random);
    it.each([
      [BOUND_Y, 'ok', []],
      [-BOUND_Y, 'ok', []],
      [BOUND_Y + 1n, 'E_RANGE', ['rangeY']],
      [-BOUND_Y - 1n, 'E_RANGE', ['rangeY']],
    ] as const)('z2 = %s: %s', (beta, expected, broken) => {
      const { first, proof, bytes: made } = textbookAffG(CTX, ofBare, bare, { ...affGNonces(ofBare, random), beta });
      expect(proof.z2).toBe(beta);
      expect(brokenAffG(ofBare, first, proof)).toEqual(broken);
      expect(judge(ofBare, made)).toBe(expected);
    });
    it.each([BOUND_X, -BOUND_X])('z1 = %s is in its range, one more is not', (z1) => {
      // X is no identity, so x is not 0 and z1 is not free: at the bound the equations fail, beyond it the range
      expect(changed({ z1 })).toBe('E_PROOF');
      expect(changed({ z1: z1 + (z1 < 0n ? -1n : 1n) })).toBe('E_RANGE');
    });
    it.each([2n, -2n])('z1 beyond its range in a proof that holds otherwise, sign of %s', (sign) => {
      const { first, proof, bytes: made } = textbookAffG(CTX, st, witness, { ...affGNonces(st, random), alpha: sign * BOUND_X });
      expect(brokenAffG(st, first, proof)).toEqual(['rangeX']);
      expect(judge(st, made)).toBe('E_RANGE');
    });
    it.each([
      ['x', 'rangeX', { x: 2n ** 519n }],
      ['y', 'rangeY', { y: 2n ** 1543n }],
    ] as const)('a %s whose proof still fits into its width', (_, broken, change) => {
      const large = affGWitness(group, random, change);
      const ofLarge = affGStatement(group, large, random);
      const { first, proof, bytes: made } = textbookAffG(CTX, ofLarge, large, affGNonces(ofLarge, random));
      expect(brokenAffG(ofLarge, first, proof)).toEqual([broken]);
      expect(judge(ofLarge, made)).toBe('E_RANGE');
    });
    it.each([
      ['x of 1500 bits', { x: 2n ** 1500n }, { x: mod(2n ** 1500n, order) }, ['product']],
      ['mask of ℓ\' + 600 bits', { y: 2n ** 1880n }, { y: mod(2n ** 1880n, order) }, ['product', 'mask']],
    ])('an %s has no proof that can be written, and none when the responses are reduced', (_, change, reduction, broken) => {
      const huge = affGWitness(group, random, change);
      const ofHuge = affGStatement(group, huge, random);
      const nonces = affGNonces(ofHuge, random);
      expect(verdict(() => proveAffG(CTX, ofHuge, huge, SEED))).toBe('E_INTERNAL');
      const { first, proof, bytes: made } = textbookAffG(CTX, ofHuge, { ...huge, ...reduction }, nonces);
      expect(brokenAffG(ofHuge, first, proof)).toEqual(broken);
      expect(judge(ofHuge, made)).toBe('E_PROOF');
    });
    it('z1 with a multiple of q, which the curve does not see', () => {
      expect(changed({ z1: parts.z1 + order })).toBe('E_PROOF');
    });
  });

  it.each<[string, Partial<AffGStatement>]>([
    ['C', { C: mod(st.C * (receiver.n + 1n), receiver.n2) }],
    ['D', { D: mod(st.D * (receiver.n + 1n), receiver.n2) }],
    ['Y', { Y: mod(st.Y * (own.n + 1n), own.n2) }],
    ['X', { X: st.X.add(base) }],
    ['-X', { X: st.X.negate() }],
    ['C and D exchanged', { C: st.D, D: st.C }],
    ['s', { ring: ringPedersenOf(ring.M, mod(ring.s * ring.t, ring.nHat), ring.t) }],
    ['t', { ring: ringPedersenOf(ring.M, ring.s, mod(ring.s * ring.t, ring.nHat)) }],
    ['s and t exchanged', { ring: ringPedersenOf(ring.M, ring.t, ring.s) }],
    ['the ring of another verifier', { ring: party(2).ring }],
    ['the ring of the prover', { ring: prover.ring }],
    ['the key of another receiver', { receiver: party(2).key }],
    ['the key of another prover', { own: party(2).key }],
    ['the keys exchanged', { receiver: own, own: receiver }],
  ])('does not hold for another statement, and its challenge is another: %s', (_, change) => {
    const other = { ...st, ...change };
    expect(['E_PROOF', 'E_RANGE']).toContain(judge(other, bytes));
    expect(challenge(other, FIRST)).not.toBe(challenge(st, FIRST));
  });
  it('the challenge depends on each modulus by itself', () => {
    const all = [
      st,
      { ...st, ring: { ...ring, nHat: ring.nHat + 2n } },
      { ...st, receiver: { ...receiver, n: receiver.n + 2n } },
      { ...st, own: { ...own, n: own.n + 2n } },
    ].map((some) => challenge(some, FIRST));
    expect(new Set(all).size).toBe(4);
  });
  it.each(['A', 'By', 'E', 'F', 'S', 'T'] as const)('the challenge depends on the first message: %s', (field) => {
    expect(challenge(st, { ...FIRST, [field]: 7n })).not.toBe(challenge(st, FIRST));
  });
  it('the challenge depends on the first message: Bx', () => {
    expect(challenge(st, { ...FIRST, Bx: base.double() })).not.toBe(challenge(st, FIRST));
  });

  it.each<[string, Partial<AffGProof>]>([
    ['e', { challenge: { e: 0n, bytes: group.encodeScalar(mod(parts.challenge.e + 1n, order)) } }],
    ['-e', { challenge: { e: 0n, bytes: group.encodeScalar(mod(-parts.challenge.e, order)) } }],
    ['e = 0', { challenge: { e: 0n, bytes: group.encodeScalar(0n) } }],
    ['S', { S: mod(parts.S * ring.t, ring.nHat) }],
    ['T', { T: mod(parts.T * ring.t, ring.nHat) }],
    ['-S', { S: ring.nHat - parts.S }],
    ['-T', { T: ring.nHat - parts.T }],
    ['S and T', { S: parts.T, T: parts.S }],
    ['z1', { z1: parts.z1 + 1n }],
    ['-z1', { z1: -parts.z1 }],
    ['z2', { z2: parts.z2 + 1n }],
    ['-z2', { z2: -parts.z2 }],
    ['z3', { z3: parts.z3 + 1n }],
    ['z4', { z4: parts.z4 + 1n }],
    ['z3 and z4', { z3: parts.z4, z4: parts.z3 }],
    ['w', { w: mod(parts.w + 1n, receiver.n) }],
    ['-w', { w: receiver.n - parts.w }],
    ['wy', { wy: mod(parts.wy + 1n, own.n) }],
    ['-wy', { wy: own.n - parts.wy }],
    ['ones', { z1: 0n, z2: 0n, z3: 0n, z4: 0n, w: 1n, wy: 1n, S: 1n, T: 1n }],
  ])('does not hold when changed in %s', (_, change) => expect(changed(change)).toBe('E_PROOF'));
  it('does not hold with any bit changed', () => {
    fc.assert(
      fc.property(fc.nat(8 * AFF_G_BYTES - 1), (bit) => {
        const other = bytes.slice();
        other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(['E_PROOF', 'E_SCALAR', 'E_RANGE', 'E_FORMAT']).toContain(judge(st, other));
      }),
      { numRuns: 30 },
    );
  });

  describe('has units only (row 13)', () => {
    const notIn = (n: bigint, factor: bigint): [string, bigint][] => [['0', 0n], ['the modulus', n], ['above it', n + 1n], ['a factor', factor], ['a multiple of it', 12345n * factor]];
    const noCiphertext = (n: bigint, factor: bigint): [string, bigint][] => [...notIn(n * n, factor), ['N', n], ['negative', 1n - n]];
    it.each(notIn(ring.nHat, verifier.pHat))('S and T: %s', (_, n) => {
      expect(changed({ S: n })).toBe('E_RANGE');
      expect(changed({ T: n })).toBe('E_RANGE');
      expect(judge({ ...st, ring: ringPedersenOf(ring.M, n, ring.t) }, bytes)).toBe('E_RANGE');
      expect(judge({ ...st, ring: ringPedersenOf(ring.M, ring.s, n) }, bytes)).toBe('E_RANGE');
    });
    it.each(notIn(receiver.n, verifier.p))('w: %s', (_, w) => expect(changed({ w })).toBe('E_RANGE'));
    it.each(notIn(own.n, prover.p))('wy: %s', (_, wy) => expect(changed({ wy })).toBe('E_RANGE'));
    it.each(noCiphertext(receiver.n, verifier.p))('C and D: %s', (_, c) => {
      expect(judge({ ...st, C: c }, bytes)).toBe('E_RANGE');
      expect(judge({ ...st, D: c }, bytes)).toBe('E_RANGE');
    });
    it.each(noCiphertext(own.n, prover.p))('Y: %s', (_, Y) => expect(judge({ ...st, Y }, bytes)).toBe('E_RANGE'));
    it('S = T = 0 and D = 0 do not void the equations, even with a challenge made for them', () => {
      const nonces = affGNonces(st, random);
      expect(judge(st, textbookAffG(CTX, st, witness, nonces, { S: 0n, E: 0n }).bytes)).toBe('E_RANGE');
      expect(judge(st, textbookAffG(CTX, st, witness, nonces, { T: 0n, F: 0n }).bytes)).toBe('E_RANGE');
      const nothing = { ...st, D: 0n };
      expect(judge(nothing, textbookAffG(CTX, nothing, witness, nonces, { A: 0n }).bytes)).toBe('E_RANGE');
    });
  });

  it('speaks of no identity', () => {
    expect(judge({ ...st, X: identity }, bytes)).toBe('E_POINT');
    expect(verdict(() => proveAffG(CTX, { ...st, X: identity }, witness, SEED))).toBe('E_POINT');
  });
  it('has no identity in its first message', () => {
    // z1·G = e·X, so that Bx is the identity
    expect(changed({ z1: parts.challenge.e * witness.x })).toBe('E_PROOF');
  });
  it('a challenge that is not canonical is refused', () => {
    const other = bytes.slice();
    other.fill(0xff, 0, 32);
    expect(judge(st, other)).toBe('E_SCALAR');
  });
  // where the signed responses stand, and the bytes of their absolute values
  const SIGNED = [[800, 97], [898, 225], [1124, 481], [1606, 481]] as const;
  it.each(SIGNED)('a sign, at %i, is 0 or 1', (at) => {
    const other = bytes.slice();
    expect(other[at]).toBeLessThan(2);
    other[at] = 2;
    expect(judge(st, other)).toBe('E_FORMAT');
  });
  it.each(SIGNED)('there is no negative zero, at %i', (at, width) => {
    const other = bytes.slice();
    other.fill(0, at, at + 1 + width);
    other[at] = 1;
    expect(judge(st, other)).toBe('E_FORMAT');
  });
  it.each(malformed(bytes))('is not %s, which is seen at once (row 58)', (_, other) => {
    const before = performance.now();
    expect(judge(st, other)).toBe('E_FORMAT');
    expect(performance.now() - before).toBeLessThan(1000);
  });
  it.each(OTHER_CONTEXTS)('does not hold in %s', (_, ctx) => {
    expect(judge(st, bytes, ctx)).toBe('E_PROOF');
    expect(judge(st, proveAffG(ctx, forProver(st), witness, SEED), ctx)).toBe('ok');
  });

  it('is hedged: another seed, context, statement or witness gives other nonces, the same gives the same', () => {
    const nonce = (proof: Uint8Array): bigint => {
      const { challenge: c, z1 } = decodeAffG(group, proof);
      return z1 - c.e * witness.x;
    };
    const other = { ...st, C: modPow(st.C, 3n, receiver.n2) };
    const nonces = [
      bytes,
      proveAffG(CTX, st, witness, bytes32('another seed')),
      proveAffG({ ...CTX, verifier: 0 }, st, witness, SEED),
      proveAffG(CTX, other, witness, SEED),
      proveAffG(CTX, st, { ...witness, y: 0n }, SEED),
    ].map(nonce);
    expect(new Set(nonces).size).toBe(5);
    for (const alpha of nonces) expect(alpha <= BOUND_X && alpha >= -BOUND_X).toBe(true);
    expect(proveAffG(CTX, st, witness, SEED)).toEqual(bytes);
  });
  it('is not made from a seed of another length', () => {
    for (const length of [0, 31, 33]) expect(verdict(() => proveAffG(CTX, st, witness, new Uint8Array(length)))).toBe('E_RNG');
  });
});
