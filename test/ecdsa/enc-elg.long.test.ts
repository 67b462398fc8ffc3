/** Π-enc-elg: holds for what is true, and for nothing else; in particular for no number outside its range. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mod } from '../../src/arith/integer.ts';
import { group as groupOf } from '../../src/curves/group.ts';
import {
  checkEncElg,
  decodeEncElg,
  ENC_ELG_BYTES,
  encElgChallenge,
  encElgItems,
  encodeEncElg,
  type EncElgProof,
  type EncElgStatement,
} from '../../src/ecdsa/enc-elg.ts';
import { proveEncElg } from '../../src/ecdsa/prove-enc-elg.ts';
import { ringPedersenOf } from '../../src/ecdsa/ring-pedersen.ts';
import { toHex } from '../../src/wire/bytes.ts';
import {
  brokenEncElg,
  bytes32,
  CTX,
  encElgNonces,
  encElgStatement,
  encElgWitness,
  malformed,
  OTHER_CONTEXTS,
  party,
  stream,
  textbookEncElg,
  textbookEncrypt,
  verdict,
} from '../support/proofs.ts';

const SEED = bytes32('seed');
const BOUND = 2n ** 768n;
const random = stream('enc-elg');
const [prover, verifier] = [party(0), party(1)];

/** The verdict of everybody, after the verifier with its factors has said the same. */
function judge(st: EncElgStatement, bytes: Uint8Array, ctx = CTX): string {
  const verdictOfAll = verdict(() => checkEncElg(ctx, st, bytes));
  if (st.ring === verifier.ring) expect(verdict(() => checkEncElg(ctx, { ...st, ring: verifier.ownRing }, bytes))).toBe(verdictOfAll);
  return verdictOfAll;
}

/** The statement as the prover sees it. */
const forProver = (st: EncElgStatement): EncElgStatement => ({ ...st, key: prover.ownKey });

describe.each(['secp256k1', 'p256'] as const)('over %s', (name) => {
  const group = groupOf(name);
  const half = group.order / 2n;
  it('holds for any number in its range; the owner makes the same bytes', () => {
    const number = fc.oneof(fc.constantFrom(0n, 1n, -1n, half, -half, 2n ** 256n, -(2n ** 256n)), fc.bigInt(-half, half));
    fc.assert(
      fc.property(number, (x) => {
        const witness = encElgWitness(group, random, x);
        const st = encElgStatement(group, witness, random);
        const bytes = proveEncElg(CTX, forProver(st), witness, SEED);
        expect(bytes.length).toBe(ENC_ELG_BYTES);
        expect(judge(st, bytes)).toBe('ok');
        expect(proveEncElg(CTX, st, witness, SEED)).toEqual(bytes);
      }),
      { numRuns: 8 },
    );
  });
  it('the text of A.5 makes a proof that holds, in its long form and as it is sent', () => {
    const witness = encElgWitness(group, random);
    const st = encElgStatement(group, witness, random);
    const { first, proof, bytes } = textbookEncElg(CTX, st, witness, encElgNonces(st, random));
    expect(brokenEncElg(st, first, proof)).toEqual([]);
    expect(judge(st, bytes)).toBe('ok');
    expect(decodeEncElg(group, bytes)).toEqual(proof);
  });
});

describe('a proof', () => {
  const group = groupOf('secp256k1');
  const { base, identity, order } = group;
  const witness = encElgWitness(group, random);
  const st = encElgStatement(group, witness, random);
  const { key, ring } = st;
  const bytes = proveEncElg(CTX, forProver(st), witness, SEED);
  const parts = decodeEncElg(group, bytes);
  const changed = (change: Partial<EncElgProof>): string => judge(st, encodeEncElg(group, { ...parts, ...change }));

  it('has 1412 bytes', () => expect(bytes.length).toBe(1412));

  // each of these breaks exactly one equation of A.5
  it.each<[string, Partial<EncElgStatement>]>([
    ['ciphertext', { C: textbookEncrypt(key.n, witness.x + 1n, witness.rho) }],
    ['pair', { X: st.X.add(base) }],
    ['base', { B: st.B.add(base) }],
  ])('cannot be made for a false statement: %s', (equation, change) => {
    const lie = { ...st, ...change };
    const { first, proof, bytes: made } = textbookEncElg(CTX, lie, witness, encElgNonces(lie, random));
    expect(brokenEncElg(lie, first, proof)).toEqual([equation]);
    expect(judge(lie, made)).toBe('E_PROOF');
    expect(judge(lie, proveEncElg(CTX, forProver(lie), witness, SEED))).toBe('E_PROOF');
  });
  it('cannot commit to another number: ring', () => {
    const nonces = encElgNonces(st, random);
    const S = mod(textbookEncElg(CTX, st, witness, nonces).first.S * ring.s, ring.nHat);
    const { first, proof, bytes: made } = textbookEncElg(CTX, st, witness, nonces, { S });
    expect(brokenEncElg(st, first, proof)).toEqual(['ring']);
    expect(judge(st, made)).toBe('E_PROOF');
  });

  describe('keeps to its range (row 14)', () => {
    // of 0, so that z1 is α whatever the challenge
    const zero = encElgWitness(group, random, 0n);
    const ofZero = encElgStatement(group, zero, random);
    it.each([
      [BOUND, 'ok', []],
      [-BOUND, 'ok', []],
      [BOUND + 1n, 'E_RANGE', ['range']],
      [-BOUND - 1n, 'E_RANGE', ['range']],
    ] as const)('z1 = %s: %s', (alpha, expected, broken) => {
      const { first, proof, bytes: made } = textbookEncElg(CTX, ofZero, zero, { ...encElgNonces(ofZero, random), alpha });
      expect(proof.z1).toBe(alpha);
      expect(brokenEncElg(ofZero, first, proof)).toEqual(broken);
      expect(judge(ofZero, made)).toBe(expected);
    });
    it('a number of 519 bits whose proof still fits into its width', () => {
      const large = encElgWitness(group, random, 2n ** 519n);
      const ofLarge = encElgStatement(group, large, random);
      const { first, proof, bytes: made } = textbookEncElg(CTX, ofLarge, large, encElgNonces(ofLarge, random));
      expect(brokenEncElg(ofLarge, first, proof)).toEqual(['range']);
      expect(judge(ofLarge, made)).toBe('E_RANGE');
    });
    it('a number of 1500 bits has no proof that can be written, and none when z1 is reduced', () => {
      const huge = encElgWitness(group, random, 2n ** 1500n);
      const ofHuge = encElgStatement(group, huge, random);
      const nonces = encElgNonces(ofHuge, random);
      expect(verdict(() => textbookEncElg(CTX, ofHuge, huge, nonces))).toBe('E_INTERNAL');
      expect(verdict(() => proveEncElg(CTX, ofHuge, huge, SEED))).toBe('E_INTERNAL');
      const reduced = { ...huge, x: mod(huge.x, order) };
      const { first, proof, bytes: made } = textbookEncElg(CTX, ofHuge, reduced, nonces);
      expect(brokenEncElg(ofHuge, first, proof)).toEqual(['ciphertext']);
      expect(judge(ofHuge, made)).toBe('E_PROOF');
    });
    it('z1 with a multiple of q, which the curve does not see', () => {
      expect(changed({ z1: parts.z1 + order })).toBe('E_PROOF');
    });
  });

  it.each<[string, Partial<EncElgStatement>]>([
    ['C', { C: mod(st.C * (key.n + 1n), key.n2) }],
    ['A', { A: st.A.add(base) }],
    ['B', { B: st.B.add(base) }],
    ['X', { X: st.X.add(base) }],
    ['A and B exchanged', { A: st.B, B: st.A }],
    ['s', { ring: ringPedersenOf(ring.M, mod(ring.s * ring.t, ring.nHat), ring.t) }],
    ['t', { ring: ringPedersenOf(ring.M, ring.s, mod(ring.s * ring.t, ring.nHat)) }],
    ['s and t exchanged', { ring: ringPedersenOf(ring.M, ring.t, ring.s) }],
    ['the ring of another verifier', { ring: party(2).ring }],
    ['the ring of the prover', { ring: prover.ring }],
    ['the key of another', { key: party(2).key }],
  ])('does not hold for another statement, and its challenge is another: %s', (_, change) => {
    const other = { ...st, ...change };
    expect(['E_PROOF', 'E_RANGE']).toContain(judge(other, bytes));
    const first = { S: 1n, T: 1n, D: 1n, Y: base, Z: base };
    const challenge = (some: EncElgStatement): string => toHex(encElgChallenge(group, CTX, encElgItems(some), first).bytes);
    expect(challenge(other)).not.toBe(challenge(st));
  });
  it('does not hold with only the modulus of the ring or of the key replaced in the transcript', () => {
    // the arithmetic stays that of the honest statement: nothing but the challenge can notice
    const nHat = ring.nHat + 2n;
    expect(judge({ ...st, ring: { ...ring, nHat, M: { n: nHat, pow: ring.M.pow } } }, bytes)).not.toBe('ok');
    expect(encElgItems({ ...st, ring: { ...ring, nHat } })).not.toEqual(encElgItems(st));
    expect(encElgItems({ ...st, key: { ...key, n: key.n + 2n } })).not.toEqual(encElgItems(st));
  });
  it.each([
    ['S', { S: 2n }],
    ['T', { T: 2n }],
    ['D', { D: 2n }],
    ['Y', { Y: base.double() }],
    ['Z', { Z: base.double() }],
    ['S and T', { S: 3n, T: 1n }],
  ])('the challenge depends on the first message: %s', (_, change) => {
    const first = { S: 1n, T: 3n, D: 1n, Y: base, Z: base };
    const challenge = (some: typeof first): string => toHex(encElgChallenge(group, CTX, encElgItems(st), some).bytes);
    expect(challenge({ ...first, ...change })).not.toBe(challenge(first));
  });

  it.each<[string, Partial<EncElgProof>]>([
    ['e', { challenge: { e: 0n, bytes: group.encodeScalar(mod(parts.challenge.e + 1n, order)) } }],
    ['-e', { challenge: { e: 0n, bytes: group.encodeScalar(mod(-parts.challenge.e, order)) } }],
    ['e = 0', { challenge: { e: 0n, bytes: group.encodeScalar(0n) } }],
    ['S', { S: mod(parts.S * ring.t, ring.nHat) }],
    ['-S', { S: ring.nHat - parts.S }],
    ['S = 1', { S: 1n }],
    ['z1', { z1: parts.z1 + 1n }],
    ['-z1', { z1: -parts.z1 }],
    ['z2', { z2: mod(parts.z2 + 1n, key.n) }],
    ['-z2', { z2: key.n - parts.z2 }],
    ['z3', { z3: parts.z3 + 1n }],
    ['-z3', { z3: -parts.z3 }],
    ['w', { w: mod(parts.w + 1n, order) }],
    ['zeros', { z1: 0n, z2: 1n, z3: 0n, w: 0n }],
  ])('does not hold when changed in %s', (_, change) => expect(changed(change)).toBe('E_PROOF'));
  it('does not hold with any bit changed', () => {
    fc.assert(
      fc.property(fc.nat(8 * ENC_ELG_BYTES - 1), (bit) => {
        const other = bytes.slice();
        other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(['E_PROOF', 'E_SCALAR', 'E_RANGE', 'E_FORMAT']).toContain(judge(st, other));
      }),
      { numRuns: 40 },
    );
  });

  describe('has units only (row 13)', () => {
    const notInRing = [['0', 0n], ['N^', ring.nHat], ['above N^', ring.nHat + 1n], ['a factor', verifier.pHat], ['a multiple of it', 12345n * verifier.pHat]] as const;
    const notInKey = [['0', 0n], ['N', key.n], ['above N', key.n + 1n], ['a factor', prover.p], ['a multiple of it', 12345n * prover.p]] as const;
    const noCiphertext = [['0', 0n], ['N', key.n], ['N²', key.n2], ['above N²', st.C + key.n2], ['negative', st.C - key.n2], ['a factor', prover.p], ['a multiple of it', prover.p * st.C % key.n2]] as const;
    it.each(notInRing)('S: %s', (_, S) => expect(changed({ S })).toBe('E_RANGE'));
    it.each(notInKey)('z2: %s', (_, z2) => expect(changed({ z2 })).toBe('E_RANGE'));
    it.each(noCiphertext)('C: %s', (_, C) => expect(judge({ ...st, C }, bytes)).toBe('E_RANGE'));
    it.each(notInRing)('s and t: %s', (_, n) => {
      expect(judge({ ...st, ring: ringPedersenOf(ring.M, n, ring.t) }, bytes)).toBe('E_RANGE');
      expect(judge({ ...st, ring: ringPedersenOf(ring.M, ring.s, n) }, bytes)).toBe('E_RANGE');
    });
    it('S = 0 and C = 0 do not void the equations, even with a challenge made for them', () => {
      const nonces = encElgNonces(st, random);
      expect(judge(st, textbookEncElg(CTX, st, witness, nonces, { S: 0n, T: 0n }).bytes)).toBe('E_RANGE');
      const void_ = { ...st, C: 0n };
      expect(judge(void_, textbookEncElg(CTX, void_, witness, nonces, { D: 0n }).bytes)).toBe('E_RANGE');
    });
  });

  it.each(['A', 'B', 'X'] as const)('speaks of no identity: %s', (field) => {
    expect(judge({ ...st, [field]: identity }, bytes)).toBe('E_POINT');
    expect(verdict(() => proveEncElg(CTX, { ...st, [field]: identity }, witness, SEED))).toBe('E_POINT');
  });
  it('has no identity in its first message', () => {
    // w·G = e·B, so that Z is the identity
    expect(changed({ w: mod(parts.challenge.e * witness.b, order) })).toBe('E_PROOF');
  });
  it.each([0, ENC_ELG_BYTES - 32])('a scalar that is not canonical, at %i, is refused', (at) => {
    const other = bytes.slice();
    other.fill(0xff, at, at + 32);
    expect(judge(st, other)).toBe('E_SCALAR');
  });
  it.each([416, 898])('a sign, at %i, is 0 or 1', (at) => {
    const other = bytes.slice();
    expect(other[at]).toBeLessThan(2);
    other[at] = 2;
    expect(judge(st, other)).toBe('E_FORMAT');
  });
  it.each([[416, 97], [898, 481]])('there is no negative zero, at %i', (at, width) => {
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
    expect(judge(st, proveEncElg(ctx, forProver(st), witness, SEED), ctx)).toBe('ok');
  });

  it('is hedged: another seed, context, statement or witness gives other nonces, the same gives the same', () => {
    const nonce = (proof: Uint8Array, { x } = witness): bigint => {
      const { challenge, z1 } = decodeEncElg(group, proof);
      return z1 - challenge.e * x;
    };
    const other = encElgStatement(group, witness, random);
    const wrong = { ...witness, rho: 2n };
    const nonces = [
      bytes,
      proveEncElg(CTX, st, witness, bytes32('another seed')),
      proveEncElg({ ...CTX, verifier: 0 }, st, witness, SEED),
      proveEncElg(CTX, other, witness, SEED),
      proveEncElg(CTX, st, wrong, SEED),
    ].map((proof) => nonce(proof));
    expect(new Set(nonces).size).toBe(5);
    for (const alpha of nonces) expect(alpha <= BOUND && alpha >= -BOUND).toBe(true);
    expect(proveEncElg(CTX, st, witness, SEED)).toEqual(bytes);
  });
  it('is not made from a seed of another length', () => {
    for (const length of [0, 31, 33]) expect(verdict(() => proveEncElg(CTX, st, witness, new Uint8Array(length)))).toBe('E_RNG');
  });
});
