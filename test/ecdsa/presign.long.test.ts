/** Presigning (CGGMP24, A.11): whole runs, and every check broken once. */
import { createPublicKey, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { centred, mod } from '../../src/arith/integer.ts';
import { unit } from '../../src/arith/sample.ts';
import { CHECKS } from '../../src/ecdsa/checks.ts';
import { natural } from '../../src/ecdsa/codec.ts';
import { ENC_ELG_BYTES } from '../../src/ecdsa/enc-elg.ts';
import { AFFINE_SECRET_BYTES, makeAffine, readAffineSecret } from '../../src/ecdsa/make-affine.ts';
import { drawAux } from '../../src/ecdsa/make-aux.ts';
import { affineJobs, assembleMta, decodeMtaSecret, makeMta, mtaSecretBytes } from '../../src/ecdsa/make-mta.ts';
import { decodeOfferSecret, makeOffer, OFFER_SECRET_BYTES } from '../../src/ecdsa/make-offer.ts';
import { decodePresignSecret, makePresignSecret } from '../../src/ecdsa/make-presignature.ts';
import { signatureShare } from '../../src/ecdsa/make-signature-share.ts';
import { makeSum } from '../../src/ecdsa/make-sum.ts';
import { AFFINE_BYTES, checkMta, gammaSum, mtaBytes } from '../../src/ecdsa/mta.ts';
import { checkOffer, offerBytes, offerHead, offerHeadBytes } from '../../src/ecdsa/offer.ts';
import { checkSums, deltaSum, presignature, presignPoints } from '../../src/ecdsa/outcome.ts';
import { ownKeys } from '../../src/ecdsa/owner-keys.ts';
import { add, encrypt, paillierKey, scale } from '../../src/ecdsa/paillier.ts';
import { MASK_BOUND, N2_BYTES } from '../../src/ecdsa/parameters.ts';
import { type CurveName, type Entry, othersOf, partyKeys, proofContext, type Which } from '../../src/ecdsa/presign.ts';
import { proveAffG } from '../../src/ecdsa/prove-aff-g.ts';
import { proveElog } from '../../src/ecdsa/prove-elog.ts';
import { proveEncElg } from '../../src/ecdsa/prove-enc-elg.ts';
import { checkPublic, checkShare, combine, compact, derEncode, nonceScalar } from '../../src/ecdsa/signature.ts';
import { checkSum, sumBytes } from '../../src/ecdsa/sum.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import { concat, Reader, utf8 } from '../../src/wire/bytes.ts';
import { type ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import {
  type Fault,
  faultOf,
  halvesOf,
  judgeMtas,
  judgeOffers,
  judgeSums,
  leavesOf,
  mtaArgs,
  offerArgs,
  offerBind,
  type Party,
  partsOf,
  partyIn,
  partyOf,
  randomness,
  replaced,
  type Said,
  sayAll,
  saidBy,
  sayMta,
  sayOffers,
  saySum,
  seedOf,
  type Setting,
  setting,
  type Spoken,
} from './presigning.ts';

const CURVES = ['secp256k1', 'p256'] as const satisfies readonly CurveName[];
const ECDSA = { secp256k1, p256 } as const;

/** A signature by all signers, verified by noble and by OpenSSL. */
function expectSignature(s: Setting, said: Said): void {
  const { group, curve, publicKey } = s;
  const message = utf8('a message');
  const digest = sha256(message);
  const pre = presignPoints(curve, presignature(partsOf(s, said)));
  checkPublic(group, pre, publicKey);
  const r = nonceScalar(group, pre.gamma);
  const shares = new Map(
    [...halvesOf(s, said)].map(([leaf, half]) => {
      const { kTilde, chiTilde } = decodePresignSecret(curve, half);
      const sigma = signatureShare(group, kTilde, chiTilde, digest, r);
      expect(checkShare(group, pre, digest, leaf, sigma)).toBe(true);
      return [leaf, sigma];
    }),
  );
  const signature = combine(group, pre, publicKey, digest, shares);
  expect(ECDSA[curve].verify(compact(signature.r, signature.s), message, group.encodePoint(publicKey))).toBe(true);
  const { x, y } = publicKey.toAffine();
  const coordinate = (n: bigint): string => Buffer.from(natural(n, 32)).toString('base64url');
  const jwk = { kty: 'EC', crv: curve === 'p256' ? 'P-256' : 'secp256k1', x: coordinate(x), y: coordinate(y) };
  expect(verify('sha256', message, createPublicKey({ key: jwk, format: 'jwk' }), derEncode(signature.r, signature.s))).toBe(true);
}

describe.each(CURVES)('whole presignings over %s', (curve) => {
  it.each([
    ['2-of-2', 2, [1, 2], 0n],
    ['2-of-2 with a path', 2, [1, 2], 0x123456789n],
    ['2-of-3', 3, [1, 3], 0n],
    ['2-of-3 with a path', 3, [2, 3], 0xabcdefn],
    ['3-of-3', 3, [1, 2, 3], 0n],
    ['3-of-3 with a path', 3, [1, 2, 3], 7n],
  ] as const)('%s', (_name, n, leaves, shift) => {
    const s = setting(curve, n, leaves, shift);
    const said = sayAll(s);
    expect(judgeOffers(s, said.offers)).toEqual([]);
    expect(judgeMtas(s, said.offers, said.mtas)).toEqual([]);
    expect(judgeSums(s, said)).toEqual([]);
    expect(checkSums(partsOf(s, said))).toBeUndefined();

    const peers = leaves.length - 1;
    expect(new Set(said.offers.map((o) => o.bytes.length))).toEqual(new Set([offerBytes(curve, n - 1)]));
    expect(new Set(said.mtas.map((o) => o.bytes.length))).toEqual(new Set([mtaBytes(curve, peers)]));
    expect(new Set(said.sums.map((o) => o.bytes.length))).toEqual(new Set([sumBytes(curve)]));
    expect(said.offers[0]?.secret.length).toBe(OFFER_SECRET_BYTES);
    expect(said.mtas[0]?.secret.length).toBe(mtaSecretBytes(peers));

    // the presignature is what its name says: Γ = G/k~, and both halves add up
    const { group, key } = s;
    const pre = presignature(partsOf(s, said));
    expect(pre.delta.map((d) => d.leaf)).toEqual(leaves);
    expect(pre.chi.map((d) => d.leaf)).toEqual(leaves);
    const halves = [...halvesOf(s, said)].map(([leaf, half]) => ({ leaf, ...decodePresignSecret(curve, half) }));
    const kTilde = halves.reduce((sum, h) => mod(sum + h.kTilde, group.order), 0n);
    const chiTilde = halves.reduce((sum, h) => mod(sum + h.chiTilde, group.order), 0n);
    const gamma = group.decodePoint(pre.gamma);
    expect(gamma.multiply(kTilde).equals(group.base)).toBe(true);
    expect(chiTilde).toBe(mod(kTilde * key, group.order));
    for (const { leaf, kTilde: k, chiTilde: chi } of halves) {
      expect(group.encodePoint(gamma.multiply(k))).toEqual(pre.delta.find((d) => d.leaf === leaf)?.point);
      expect(group.encodePoint(gamma.multiply(chi))).toEqual(pre.chi.find((d) => d.leaf === leaf)?.point);
    }
    expectSignature(s, said);
  });
});

const s = setting('secp256k1', 3, [1, 2, 3]);
const { group: g, curve } = s;
const honest = sayAll(s);
const { offers, mtas, sums } = honest;
const cheat = partyIn(s, 2);
const q = g.order;

/** The same fault of the cheat, seen by these; 0 is everybody. */
const faults = (code: ErrorCode, ...seen: number[]): Fault[] => seen.map((each) => ({ leaf: 2, seen: each, code }));
/** A copy with some bytes replaced. */
function patched(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  const out = bytes.slice();
  out.set(by, at);
  return out;
}
/** A copy in which two equally long parts have changed places. */
function swapped(bytes: Uint8Array, a: number, b: number, length: number): Uint8Array {
  return patched(patched(bytes, a, bytes.slice(b, b + length)), b, bytes.slice(a, a + length));
}

describe('what leaves and what is kept', () => {
  it('is plain data: every task works on structured clones', () => {
    const two = setting('p256', 2, [1, 2]);
    const [one, other] = two.signers as [Party, Party];
    const clone = structuredClone;
    const made = two.signers.map((p): Spoken => {
      const { offer, secret } = clone(TASKS.makeOffer(clone(offerArgs(two, p))));
      return { leaf: p.leaf, bytes: offer, secret };
    });
    TASKS.checkOffer(clone({ curve: 'p256', bind: offerBind(1), prover: one.aux, verifiers: [1, 2], verifier: other.aux, own: other.own, offer: saidBy(made, 1).bytes }));
    const second = two.signers.map((p): Spoken => {
      const { mta, secret } = clone(TASKS.makeMta(clone(mtaArgs(two, p, made))));
      return { leaf: p.leaf, bytes: mta, secret };
    });
    const common = { curve: 'p256', bind: two.bind, signers: [1, 2], mta: saidBy(second, 1).bytes } as const;
    CHECKS.checkGamma(clone({ ...common, prover: 1, offer: saidBy(made, 1).bytes }));
    for (const which of ['gamma', 'chi'] as const)
      TASKS.checkAffine(clone({ ...common, which, prover: one.aux, verifier: other.aux, own: other.own, offer: saidBy(made, 2).bytes, point: two.W.get(1) as Uint8Array }));
    const third = two.signers.map((p) => saySum(two, p, clone(made), clone(second)));
    CHECKS.checkSum(clone({ curve: 'p256', bind: two.bind, prover: 1, offer: saidBy(made, 1).bytes, gamma: gammaSum('p256', second), sum: saidBy(third, 1).bytes }));
    expectSignature(two, { offers: made, mtas: second, sums: third });
  });

  it('the order in which parties are listed does not matter', () => {
    const args = offerArgs(s, cheat);
    expect(makeOffer({ ...args, verifiers: [...args.verifiers].reverse() })).toEqual(makeOffer(args));
    const second = mtaArgs(s, cheat, offers);
    expect(makeMta({ ...second, signers: [...second.signers].reverse(), offers: [...offers].reverse() })).toEqual(makeMta(second));
    expect(gammaSum(curve, [...mtas].reverse())).toEqual(gammaSum(curve, mtas));
    expect(presignature(partsOf(s, { mtas, sums: [...sums].reverse() }))).toEqual(presignature(partsOf(s, honest)));
  });

  it('a seed that repeats gives the same bytes in the same context and nothing in common in another', () => {
    const args = offerArgs(s, cheat);
    expect(makeOffer(args)).toEqual({ offer: saidBy(offers, 2).bytes, secret: saidBy(offers, 2).secret });
    const other = decodeOfferSecret(curve, makeOffer({ ...args, bind: offerBind(9) }).secret);
    const first = decodeOfferSecret(curve, saidBy(offers, 2).secret);
    expect(Object.values(other).filter((scalar) => Object.values(first).includes(scalar))).toEqual([]);
    const jobs = affineJobs(mtaArgs(s, cheat, offers));
    const again = affineJobs({ ...mtaArgs(s, cheat, offers), bind: seedOf('elsewhere') });
    const secrets = [...jobs, ...again].map((job) => Buffer.from(makeAffine(job).secret).toString('hex'));
    expect(new Set(secrets).size).toBe(secrets.length);
  });

  it('secrets are read strictly', () => {
    const state = expect.objectContaining({ code: 'E_STATE' });
    const offer = saidBy(offers, 2).secret;
    const mta = saidBy(mtas, 2).secret;
    const half = saidBy(sums, 2).secret;
    const tooBig = natural(q, 32);
    const zero = new Uint8Array(32);
    for (const bad of [offer.slice(1), concat(offer, zero), new Uint8Array(0), ...[0, 32, 64, 96].flatMap((at) => [patched(offer, at, zero), patched(offer, at, tooBig)])])
      expect(() => decodeOfferSecret(curve, bad)).toThrow(state);
    expect(() => decodeMtaSecret(curve, mta, 1)).toThrow(state);
    for (const bad of [mta.slice(1), concat(mta, zero), patched(mta, 0, zero), patched(mta, OFFER_SECRET_BYTES, zero), patched(mta, OFFER_SECRET_BYTES, tooBig), patched(mta, mta.length - AFFINE_SECRET_BYTES, Uint8Array.of(3))])
      expect(() => decodeMtaSecret(curve, bad, 2)).toThrow(state);
    for (const bad of [half.slice(1), concat(half, zero), patched(half, 0, zero), patched(half, 32, tooBig)]) {
      expect(() => decodePresignSecret(curve, bad)).toThrow(state);
      expect(() => makePresignSecret({ curve, secret: bad, delta: deltaSum(partsOf(s, honest)) })).toThrow(state);
    }
    expect(() => makeMta({ ...mtaArgs(s, cheat, offers), w: zero })).toThrow(state);
    expect(() => ownKeys(cheat.own, partyIn(s, 1).aux)).toThrow(state);
  });

  it('the nonces of a product are units of the moduli that they are for (attack row 49)', () => {
    // the smallest and the largest modulus of the tests
    const [small, large] = [partyOf(8), partyOf(10)];
    const drawn = (maker: Party, peer: Party): { s: bigint; r: bigint }[] =>
      Array.from({ length: 8 }, (_, i) => {
        const offer = natural(encrypt(paillierKey(peer.aux.n), 5n, 7n), N2_BYTES);
        const job = { curve, bind: s.bind, which: 'gamma', leaf: maker.leaf, own: maker.own, peer: peer.aux, offer, x: g.encodeScalar(9n), seed: seedOf('nonce', i) } as const;
        return readAffineSecret(new Reader(makeAffine(job).secret));
      });
    // numbers of the larger modulus would not all be below the smaller one
    const [toSmall, toLarge] = [drawn(large, small), drawn(small, large)];
    for (const list of [toSmall.map((d) => d.s), toLarge.map((d) => d.r)]) expect(list.filter((n) => n >= small.aux.n)).toEqual([]);
    for (const list of [toSmall.map((d) => d.r), toLarge.map((d) => d.s)]) expect(list.some((n) => n >= small.aux.n)).toBe(true);
  });

  it('set-up proofs as tasks', () => {
    const [one, other] = s.signers as [Party, Party];
    const bind = seedOf('set-up');
    const { aux, lambda } = drawAux(one.own, randomness('aux-1'));
    expect(aux).toEqual({ n: one.aux.n, nHat: one.aux.nHat, s: one.aux.s, t: one.aux.t });
    const common = { bind, leaf: 1, own: one.own, seed: seedOf('set-up seed') };
    const proof = TASKS.proveRingPedersen(structuredClone({ ...common, aux, lambda }));
    TASKS.checkAuxOf({ bind, leaf: 1, aux, proof });
    const modulus = TASKS.proveModulus(structuredClone(common));
    TASKS.checkModulus({ bind, leaf: 1, n: aux.n, proof: modulus });
    const factors = TASKS.proveFactors(structuredClone({ ...common, verifier: other.aux }));
    TASKS.checkFactors({ bind, leaf: 1, n: aux.n, verifier: other.aux, proof: factors });
    const refusal = expect.objectContaining({ code: 'E_PROOF' });
    for (const change of [{ leaf: 2 }, { bind: seedOf('elsewhere') }]) {
      expect(() => TASKS.checkAuxOf({ bind, leaf: 1, aux, proof, ...change })).toThrow(refusal);
      expect(() => TASKS.checkModulus({ bind, leaf: 1, n: aux.n, proof: modulus, ...change })).toThrow(refusal);
      expect(() => TASKS.checkFactors({ bind, leaf: 1, n: aux.n, verifier: other.aux, proof: factors, ...change })).toThrow(refusal);
    }
    expect(() => TASKS.checkFactors({ bind, leaf: 1, n: aux.n, verifier: partyIn(s, 3).aux, proof: factors })).toThrow(refusal);
    expect(() => TASKS.checkAuxOf({ bind, leaf: 1, aux: { ...aux, n: aux.nHat }, proof })).toThrow(expect.objectContaining({ code: 'E_MODULUS' }));
    expect(() => TASKS.proveRingPedersen({ ...common, aux: other.aux, lambda })).toThrow(expect.objectContaining({ code: 'E_STATE' }));
  });

  it('caller mistakes are no accusations', () => {
    const internal = expect.objectContaining({ code: 'E_INTERNAL' });
    expect(() => othersOf([1, 2, 2], 1)).toThrow(internal);
    const args = { curve, bind: offerBind(2), prover: cheat.aux, verifiers: [1, 2], verifier: partyIn(s, 3).aux, offer: makeOffer({ ...offerArgs(s, cheat), verifiers: [partyIn(s, 1).aux] }).offer };
    expect(() => checkOffer(args)).toThrow(internal);
    expect(() => checkOffer({ ...args, verifier: partyIn(s, 1).aux, bind: new Uint8Array(31) })).toThrow(internal);
    expect(() => assembleMta(mtaArgs(s, cheat, offers), [])).toThrow(internal);
  });
});

/** What a cheat does otherwise in round 1; integers before they are lifted to anything. */
interface OfferCheat {
  /** Encrypted in place of k; proven as k is. */
  readonly k?: bigint;
  readonly K?: bigint;
  /** What the proof of K uses as its witness, where it is not what was encrypted. */
  readonly claimed?: bigint;
  readonly gamma?: bigint;
}

/** An offer with proofs that a cheat can make. */
function forgedOffer({ k: encrypted, K: given, claimed, gamma: otherGamma }: OfferCheat, leaf = 2): Uint8Array {
  const random = randomness('forged offer');
  const { own } = partyIn(s, leaf);
  const key = paillierKey(own.p * own.q);
  const { k, gamma, a, b } = decodeOfferSecret(curve, saidBy(offers, leaf).secret);
  const { Y } = offerHead(saidBy(offers, leaf).bytes, curve);
  const [rho, nu] = [unit(key.n, random), unit(key.n, random)];
  const x = encrypted ?? centred(k, q);
  const K = given ?? encrypt(key, x, rho);
  const G = encrypt(key, otherGamma ?? centred(gamma, q), nu);
  const points = [Y, g.base.multiply(a), Y.multiply(a).add(g.base.multiply(k)), g.base.multiply(b), Y.multiply(b).add(g.base.multiply(gamma))] as const;
  const proofs = s.parties
    .filter((p) => p.leaf !== leaf)
    .flatMap((p) => {
      const ring = partyKeys(p.aux).pedersen;
      const forK = { group: g, key, ring, C: K, A: Y, B: points[1], X: points[2] };
      const forG = { group: g, key, ring, C: G, A: Y, B: points[3], X: points[4] };
      return [
        proveEncElg(proofContext(offerBind(leaf), 'enc-elg/k', leaf, p.leaf), forK, { x: claimed ?? x, rho, b: a }, random(32)),
        proveEncElg(proofContext(offerBind(leaf), 'enc-elg/gamma', leaf, p.leaf), forG, { x: otherGamma ?? centred(gamma, q), rho: nu, b }, random(32)),
      ];
    });
  return concat(natural(K, N2_BYTES), natural(G, N2_BYTES), ...points.map((p) => g.encodePoint(p)), ...proofs);
}

describe('round 1: the cheat is named', () => {
  const own = saidBy(offers, 2).bytes;
  const { n } = cheat.aux;
  const { k, gamma } = decodeOfferSecret(curve, saidBy(offers, 2).secret);
  const head = offerHeadBytes(curve);
  const proofAt = (verifier: number, which: 'k' | 'gamma'): number => head + (2 * (verifier === 1 ? 0 : 1) + (which === 'k' ? 0 : 1)) * ENC_ELG_BYTES;
  const judge = (bytes: Uint8Array): Fault[] => judgeOffers(s, replaced(offers, 2, bytes), 2);

  it('an honest one is not, and the forger of these tests can be honest', () => {
    expect(judgeOffers(s, offers)).toEqual([]);
    expect(judge(forgedOffer({}))).toEqual([]);
    // any lift of k is fine as long as it is short
    expect(judge(forgedOffer({ k: centred(k, q) + q }))).toEqual([]);
  });
  it.each([
    ['0', 0n],
    ['N', n],
    ['a multiple of p', cheat.own.p * 12345n],
    ['N²', n * n],
    ['N² + 1', n * n + 1n],
  ])('K is no unit or out of range: %s', (_what, K) => {
    expect(judge(forgedOffer({ K }))).toEqual(faults('E_RANGE', 1, 3));
    expect(judge(patched(own, N2_BYTES, natural(K, N2_BYTES)))).toEqual(faults('E_RANGE', 1, 3));
  });
  it('k out of range: 2^1500', () => {
    // an honest answer would not fit into the format
    expect(judge(forgedOffer({ k: 1n << 1500n, claimed: centred(k, q) }))).toEqual(faults('E_PROOF', 1, 3));
  });
  it('k out of range, as long as the format can say', () => {
    const long = centred(k, q) + q * (1n << 263n);
    expect(judge(forgedOffer({ k: long }))).toEqual(faults('E_RANGE', 1, 3));
    expect(judge(forgedOffer({ gamma: centred(gamma, q) + q * (1n << 263n) }))).toEqual(faults('E_RANGE', 1, 3));
  });
  it('another number is encrypted than committed to', () => {
    expect(judge(forgedOffer({ k: centred(k, q) + 1n }))).toEqual(faults('E_PROOF', 1, 3));
    expect(judge(forgedOffer({ gamma: centred(gamma, q) + 1n }))).toEqual(faults('E_PROOF', 1, 3));
  });
  it('the proof of k in the place of that of γ, for one verifier', () => {
    expect(judge(swapped(own, proofAt(3, 'k'), proofAt(3, 'gamma'), ENC_ELG_BYTES))).toEqual(faults('E_PROOF', 3));
  });
  it('γ is offered as k with the proof of γ: the role is part of the context', () => {
    const G = own.slice(N2_BYTES, 2 * N2_BYTES);
    const [B1, B2] = [own.slice(head - 66, head - 33), own.slice(head - 33, head)];
    let bytes = patched(patched(patched(own, 0, G), head - 132, B1), head - 99, B2);
    for (const v of [1, 3]) bytes = patched(bytes, proofAt(v, 'k'), own.slice(proofAt(v, 'gamma'), proofAt(v, 'gamma') + ENC_ELG_BYTES));
    expect(judge(bytes)).toEqual(faults('E_PROOF', 1, 3));
  });
  it('the proofs for one verifier are those for another', () => {
    expect(judge(swapped(own, proofAt(1, 'k'), proofAt(3, 'k'), 2 * ENC_ELG_BYTES))).toEqual(faults('E_PROOF', 1, 3));
    expect(judge(patched(own, proofAt(1, 'k'), own.slice(proofAt(3, 'k'), proofAt(3, 'k') + 2 * ENC_ELG_BYTES)))).toEqual(faults('E_PROOF', 1));
  });
  it('proofs for one verifier are missing, or there are some for nobody', () => {
    expect(judge(own.slice(0, -2 * ENC_ELG_BYTES))).toEqual(faults('E_FORMAT', 1, 3));
    expect(judge(own.slice(0, -1))).toEqual(faults('E_FORMAT', 1, 3));
    expect(judge(concat(own, own.slice(-2 * ENC_ELG_BYTES)))).toEqual(faults('E_FORMAT', 1, 3));
    expect(judge(new Uint8Array(0))).toEqual(faults('E_FORMAT', 1, 3));
  });
  it("somebody else's offer, under the own name or in another context", () => {
    // what was made modulo another's N may be above the own one: then the range refuses it before the equation does
    const refusals = (found: Fault[]): unknown => found.map(({ code, ...fault }) => ({ ...fault, refused: code === 'E_PROOF' || code === 'E_RANGE' }));
    const refused = refusals(faults('E_PROOF', 1, 3));
    expect(refusals(judge(saidBy(offers, 1).bytes))).toEqual(refused);
    const stolen = makeOffer({ ...offerArgs(s, partyIn(s, 1)), bind: offerBind(2) }).offer;
    expect(refusals(judge(stolen))).toEqual(refused);
    expect(judge(makeOffer({ ...offerArgs(s, cheat), bind: offerBind(9) }).offer)).toEqual(faults('E_PROOF', 1, 3));
  });
  it("the reflected offer of somebody with the cheat's own key: the prover is part of the context", () => {
    const verifier = partyIn(s, 3);
    const { offer } = makeOffer({ ...offerArgs(s, cheat), leaf: 1 });
    const args = { curve, bind: offerBind(2), verifiers: [1, 2, 3], verifier: verifier.aux, offer };
    expect(faultOf(1, 3, () => checkOffer({ ...args, prover: { ...cheat.aux, leaf: 1 } }))).toEqual([]);
    expect(faultOf(2, 3, () => checkOffer({ ...args, prover: cheat.aux }))).toEqual(faults('E_PROOF', 3));
  });
  it.each([0, 1, 2, 3, 4])('point %i is none, the identity or another one', (i) => {
    const at = 2 * N2_BYTES + 33 * i;
    expect(judge(patched(own, at, new Uint8Array(33)))).toEqual(faults('E_POINT', 1, 3));
    expect(judge(patched(own, at, Uint8Array.of(4)))).toEqual(faults('E_POINT', 1, 3));
    expect(judge(patched(own, at, natural(5n, 33)))).toEqual(faults('E_POINT', 1, 3));
    expect(judge(patched(own, at, g.encodePoint(g.base)))).toEqual(faults('E_PROOF', 1, 3));
  });
  it('the verdict is the same without the factors of the verifier', () => {
    for (const offer of [own, forgedOffer({ k: centred(k, q) + 1n }), patched(own, N2_BYTES, natural(0n, N2_BYTES)), patched(own, proofAt(3, 'k') + 40, Uint8Array.of(1, 2, 3))]) {
      const args = { curve, bind: offerBind(2), prover: cheat.aux, verifiers: [1, 2, 3], verifier: partyIn(s, 3).aux, offer };
      expect(faultOf(2, 3, () => CHECKS.checkOffer(args))).toEqual(faultOf(2, 3, () => TASKS.checkOffer({ ...args, own: partyIn(s, 3).own })));
    }
  });
});

/** What a cheat does otherwise in round 2 towards one peer. */
interface AffineCheat {
  readonly to?: number;
  readonly which: Which;
  /** In the place of γ or w, as an integer; proven for its own point unless `asHonest`. */
  readonly x?: bigint;
  /** The mask that is encrypted, -β. */
  readonly y?: bigint;
  /** The ciphertext that is multiplied in the place of the peer's K. */
  readonly C?: bigint;
  /** Prove for the point that the verifier will use, though the witness is another. */
  readonly asHonest?: boolean;
}

/** Where a part of round 2 stands in the entry of the cheat: D ‖ F ‖ proof. */
const partAt = (to: number, which: Which): number => 33 + 96 + (2 * (to === 1 ? 0 : 1) + (which === 'gamma' ? 0 : 1)) * AFFINE_BYTES;

/** The cheat's entry of round 2 with one forged product. */
function forgedMta({ to = 3, which, x: other, y = 12345n, C: foreign, asHonest }: AffineCheat): Uint8Array {
  const random = randomness('forged product');
  const secret = decodeMtaSecret(curve, saidBy(mtas, 2).secret, 2);
  const peer = partyIn(s, to);
  const [receiver, own] = [paillierKey(peer.aux.n), paillierKey(cheat.aux.n)];
  const scalar = which === 'gamma' ? secret.gamma : secret.w;
  const x = other ?? centred(scalar, q);
  const [rho, rhoY] = [unit(receiver.n, random), unit(own.n, random)];
  const C = foreign ?? offerHead(saidBy(offers, to).bytes, curve).K;
  const D = add(receiver, scale(receiver, C, x), encrypt(receiver, y, rho));
  const Y = encrypt(own, y, rhoY);
  const X = g.base.multiply(asHonest === true ? scalar : mod(x, q));
  const proof = proveAffG(proofContext(s.bind, `aff-g/${which}`, 2, to), { group: g, receiver, own, ring: partyKeys(peer.aux).pedersen, C, D, Y, X }, { x, y, rho, rhoY }, random(32));
  return patched(saidBy(mtas, 2).bytes, partAt(to, which), concat(natural(D, N2_BYTES), natural(Y, N2_BYTES), proof));
}

describe('round 2: the cheat is named', () => {
  const own = saidBy(mtas, 2).bytes;
  const { gamma, b, w } = decodeMtaSecret(curve, saidBy(mtas, 2).secret, 2);
  const judge = (bytes: Uint8Array): Fault[] => judgeMtas(s, offers, replaced(mtas, 2, bytes), 2);
  const both = ['gamma', 'chi'] as const;

  it('an honest one is not, and the forger of these tests can be honest', () => {
    expect(judgeMtas(s, offers, mtas)).toEqual([]);
    for (const which of both) expect(judge(forgedMta({ which }))).toEqual([]);
  });
  it('Γ is not the committed one, with a proof made for it', () => {
    const { Y, B1, B2 } = offerHead(saidBy(offers, 2).bytes, curve);
    const other = g.base.multiply(gamma + 1n);
    const proof = proveElog(proofContext(s.bind, 'elog/gamma', 2), { group: g, L: B1, M: B2, X: Y, Y: other, H: g.base }, { y: gamma + 1n, lambda: b }, seedOf('elog'));
    const bytes = patched(own, 0, concat(g.encodePoint(other), proof));
    // the products do not fit it either
    expect(judge(bytes)).toEqual([...faults('E_PROOF', 0), ...faults('E_PROOF', 1, 3)]);
    const fitting = assembleMta({ ...mtaArgs(s, cheat, offers), secret: patched(saidBy(offers, 2).secret, 32, g.encodeScalar(gamma + 1n)) }, affineJobs(mtaArgs(s, cheat, offers)).map((job) => makeAffine(job.which === 'gamma' ? { ...job, x: g.encodeScalar(gamma + 1n) } : job)));
    expect(judge(fitting.mta)).toEqual(faults('E_PROOF', 0));
  });
  it('Γ is no point; its proof is not canonical', () => {
    expect(judge(patched(own, 0, new Uint8Array(33)))[0]).toEqual({ leaf: 2, seen: 0, code: 'E_POINT' });
    expect(judge(patched(own, 33, natural(q, 32)))).toEqual(faults('E_SCALAR', 0));
    expect(judge(patched(own, 33, new Uint8Array(96)))).toEqual(faults('E_PROOF', 0));
  });
  it.each(both)('D is shifted by one: %s', (which) => {
    const { n } = partyIn(s, 3).aux;
    const at = partAt(3, which);
    const D = BigInt(`0x${Buffer.from(own.slice(at, at + N2_BYTES)).toString('hex')}`);
    expect(judge(patched(own, at, natural((D * (1n + n)) % (n * n), N2_BYTES)))).toEqual(faults('E_PROOF', 3));
  });
  it.each(both)('F is shifted by one: %s', (which) => {
    const { n } = cheat.aux;
    const at = partAt(1, which) + N2_BYTES;
    const F = BigInt(`0x${Buffer.from(own.slice(at, at + N2_BYTES)).toString('hex')}`);
    expect(judge(patched(own, at, natural((F * (1n + n)) % (n * n), N2_BYTES)))).toEqual(faults('E_PROOF', 1));
  });
  it.each(both)('D or F is no unit or out of range: %s', (which) => {
    const [mine, theirs] = [cheat.own, partyIn(s, 3).own];
    const at = partAt(3, which);
    for (const bad of [0n, theirs.p * theirs.q, theirs.p, (theirs.p * theirs.q) ** 2n]) expect(judge(patched(own, at, natural(bad, N2_BYTES)))).toEqual(faults('E_RANGE', 3));
    for (const bad of [0n, mine.p * mine.q, mine.q, (mine.p * mine.q) ** 2n]) expect(judge(patched(own, at + N2_BYTES, natural(bad, N2_BYTES)))).toEqual(faults('E_RANGE', 3));
  });
  it('one product in the place of the other', () => {
    expect(judge(swapped(own, partAt(3, 'gamma'), partAt(3, 'chi'), AFFINE_BYTES))).toEqual(faults('E_PROOF', 3, 3));
    // only the proofs
    const length = AFFINE_BYTES - 2 * N2_BYTES;
    expect(judge(swapped(own, partAt(3, 'gamma') + 2 * N2_BYTES, partAt(3, 'chi') + 2 * N2_BYTES, length))).toEqual(faults('E_PROOF', 3, 3));
  });
  it('the same factor in both products does not make their proofs one: the role is part of the context', () => {
    const job = affineJobs(mtaArgs(s, cheat, offers)).find((j) => j.peer.leaf === 3 && j.which === 'gamma');
    const bytes = patched(own, partAt(3, 'chi'), makeAffine(job as NonNullable<typeof job>).affine);
    const args = { curve, bind: s.bind, signers: [1, 2, 3], prover: cheat.aux, verifier: partyIn(s, 3).aux, offer: saidBy(offers, 3).bytes, mta: bytes, point: g.encodePoint(g.base.multiply(gamma)) };
    expect(faultOf(2, 3, () => CHECKS.checkAffine({ ...args, which: 'gamma' }))).toEqual([]);
    expect(faultOf(2, 3, () => CHECKS.checkAffine({ ...args, which: 'chi' }))).toEqual(faults('E_PROOF', 3));
  });
  it('the products for one peer are those for another', () => {
    expect(judge(swapped(own, partAt(1, 'gamma'), partAt(3, 'gamma'), 2 * AFFINE_BYTES)).map((f) => [f.leaf, f.seen])).toEqual([[2, 1], [2, 1], [2, 3], [2, 3]]);
  });
  it.each(both)('the mask is too large: %s', (which) => {
    expect(judge(forgedMta({ which, y: MASK_BOUND << 263n }))).toEqual(faults('E_RANGE', 3));
    expect(judge(forgedMta({ which, y: -(MASK_BOUND << 263n) }))).toEqual(faults('E_RANGE', 3));
  });
  it.each(both)('the factor is right modulo q and too long: %s', (which) => {
    const scalar = which === 'gamma' ? gamma : w;
    expect(judge(forgedMta({ which, x: centred(scalar, q) + q * (1n << 263n) }))).toEqual(faults('E_RANGE', 3));
  });
  it.each(both)('the factor is not that of Γ or W: %s', (which) => {
    const x = centred((which === 'gamma' ? gamma : w) + 1n, q);
    expect(judge(forgedMta({ which, x }))).toEqual(faults('E_PROOF', 3));
    expect(judge(forgedMta({ which, x, asHonest: true }))).toEqual(faults('E_PROOF', 3));
  });
  it("γ in the place of w, w in that of γ, and the share of another's seat", () => {
    expect(judge(forgedMta({ which: 'chi', x: centred(gamma, q) }))).toEqual(faults('E_PROOF', 3));
    expect(judge(forgedMta({ which: 'gamma', x: centred(w, q) }))).toEqual(faults('E_PROOF', 3));
    expect(judge(forgedMta({ which: 'chi', x: centred(s.w.get(1) as bigint, q) }))).toEqual(faults('E_PROOF', 3));
  });
  it.each(both)('another ciphertext than the peer\'s K is multiplied: %s', (which) => {
    expect(judge(forgedMta({ which, C: offerHead(saidBy(offers, 3).bytes, curve).G }))).toEqual(faults('E_PROOF', 3));
  });
  it('products for one peer are missing, or there are some for nobody', () => {
    const everybody = [...faults('E_FORMAT', 0), ...faults('E_FORMAT', 1, 1, 3, 3)];
    for (const bytes of [own.slice(0, -2 * AFFINE_BYTES), own.slice(0, -AFFINE_BYTES), concat(own, own.slice(-2 * AFFINE_BYTES)), own.slice(1)]) expect(judge(bytes)).toEqual(everybody);
  });
  it("somebody else's entry", () => {
    const copy = judge(saidBy(mtas, 1).bytes);
    expect(new Set(copy.map((f) => f.leaf))).toEqual(new Set([2]));
    expect(copy.map((f) => f.seen)).toEqual([0, 1, 1, 3, 3]);
  });
  it("the reflected product of somebody with the cheat's own key: the prover is part of the context", () => {
    const job = affineJobs(mtaArgs(s, cheat, offers)).find((j) => j.peer.leaf === 3 && j.which === 'gamma');
    const bytes = patched(own, partAt(3, 'gamma'), makeAffine({ ...(job as NonNullable<typeof job>), leaf: 1 }).affine);
    expect(judge(bytes)).toEqual(faults('E_PROOF', 3));
  });
  it('an entry of another context, and of another set of offers', () => {
    const elsewhere = makeMta({ ...mtaArgs(s, cheat, offers), bind: seedOf('elsewhere') }).mta;
    expect(judge(elsewhere)).toEqual([...faults('E_PROOF', 0), ...faults('E_PROOF', 1, 1, 3, 3)]);
    const others = s.signers.map((p): Spoken => {
      const { offer, secret } = makeOffer({ ...offerArgs(s, p), seed: seedOf('other offers', p.leaf) });
      return p.leaf === 2 ? saidBy(offers, 2) : { leaf: p.leaf, bytes: offer, secret };
    });
    expect(judge(sayMta(s, cheat, others).bytes)).toEqual(faults('E_PROOF', 1, 1, 3, 3));
  });
  it('the point of another seat or of the key without the path shift is refused', () => {
    const args = { curve, bind: s.bind, signers: [1, 2, 3], which: 'chi', prover: cheat.aux, verifier: partyIn(s, 3).aux, offer: saidBy(offers, 3).bytes, mta: own } as const;
    expect(faultOf(2, 3, () => CHECKS.checkAffine({ ...args, point: s.W.get(2) as Uint8Array }))).toEqual([]);
    expect(faultOf(2, 3, () => CHECKS.checkAffine({ ...args, point: s.W.get(1) as Uint8Array }))).toEqual(faults('E_PROOF', 3));
    const shifted = g.encodePoint(g.decodePoint(s.W.get(2) as Uint8Array).add(g.base));
    expect(faultOf(2, 3, () => CHECKS.checkAffine({ ...args, point: shifted }))).toEqual(faults('E_PROOF', 3));
  });
  it('the verdict is the same without the factors of the verifier, and from the check of the whole entry', () => {
    for (const mta of [own, forgedMta({ which: 'chi', x: 5n }), forgedMta({ which: 'gamma', y: MASK_BOUND << 263n }), patched(own, partAt(3, 'gamma'), natural(0n, N2_BYTES))]) {
      const args = { curve, bind: s.bind, signers: [1, 2, 3], prover: cheat.aux, verifier: partyIn(s, 3).aux, offer: saidBy(offers, 3).bytes, mta, point: s.W.get(2) as Uint8Array };
      const slow = both.flatMap((which) => faultOf(2, 3, () => CHECKS.checkAffine({ ...args, which })));
      expect(both.flatMap((which) => faultOf(2, 3, () => TASKS.checkAffine({ ...args, which, own: partyIn(s, 3).own })))).toEqual(slow);
      expect(faultOf(2, 3, () => checkMta({ ...args, proverOffer: saidBy(offers, 2).bytes }))).toEqual(slow);
    }
  });
  it('nonce points that cancel blame nobody', () => {
    const negative = g.encodePoint(g.sum(mtas.filter((m) => m.leaf !== 2).map((m) => g.decodePoint(m.bytes.slice(0, 33)))).negate());
    expect(() => gammaSum(curve, replaced(mtas, 2, patched(own, 0, negative)))).toThrow(expect.objectContaining({ code: 'E_DEGENERATE' }));
  });
});

describe('round 3: the cheat is named, or an error round is due', () => {
  const own = saidBy(sums, 2).bytes;
  const { k, a } = decodeMtaSecret(curve, saidBy(mtas, 2).secret, 2);
  const judge = (bytes: Uint8Array): Fault[] => judgeSums(s, { offers, mtas, sums: replaced(sums, 2, bytes) });
  const outcome = (bytes: Uint8Array): Which | undefined => checkSums(partsOf(s, { mtas, sums: replaced(sums, 2, bytes) }));
  const { Y, A1, A2 } = offerHead(saidBy(offers, 2).bytes, curve);
  const nonce = g.decodePoint(gammaSum(curve, mtas));
  const elog = (Delta: typeof nonce, y: bigint, H = nonce, bind = s.bind): Uint8Array =>
    proveElog(proofContext(bind, 'elog/delta', 2), { group: g, L: A1, M: A2, X: Y, Y: Delta, H }, { y, lambda: a }, seedOf('elog'));

  it('an honest one is not, and the forger of these tests can be honest', () => {
    expect(judge(own)).toEqual([]);
    expect(judge(patched(own, 98, elog(nonce.multiply(k), k)))).toEqual([]);
    expect(outcome(own)).toBeUndefined();
  });
  it('Δ is not k·Γ, with a proof made for it', () => {
    const other = nonce.multiply(k + 1n);
    expect(judge(patched(own, 32, g.encodePoint(other)))).toEqual(faults('E_PROOF', 0));
    const bytes = patched(patched(own, 32, g.encodePoint(other)), 98, elog(other, k + 1n));
    expect(judge(bytes)).toEqual(faults('E_PROOF', 0));
    // nor would it add up
    expect(outcome(bytes)).toBe('gamma');
  });
  it('Δ is a multiple of another point: the own nonce point, the base', () => {
    for (const H of [g.base, g.decodePoint(saidBy(mtas, 2).bytes.slice(0, 33))]) {
      const Delta = H.multiply(k);
      expect(judge(patched(patched(own, 32, g.encodePoint(Delta)), 98, elog(Delta, k, H)))).toEqual(faults('E_PROOF', 0));
    }
  });
  it("the proof is of another context, or of Γ, or somebody else's", () => {
    expect(judge(patched(own, 98, elog(nonce.multiply(k), k, nonce, seedOf('elsewhere'))))).toEqual(faults('E_PROOF', 0));
    expect(judge(patched(own, 98, saidBy(mtas, 2).bytes.slice(33, 129)))).toEqual(faults('E_PROOF', 0));
    expect(judge(patched(own, 98, saidBy(sums, 1).bytes.slice(98)))).toEqual(faults('E_PROOF', 0));
    expect(judge(saidBy(sums, 1).bytes)).toEqual(faults('E_PROOF', 0));
  });
  it('form', () => {
    for (const bytes of [own.slice(1), concat(own, Uint8Array.of(0)), new Uint8Array(0)]) expect(judge(bytes)).toEqual(faults('E_FORMAT', 0));
    expect(judge(patched(own, 0, natural(q, 32)))).toEqual(faults('E_SCALAR', 0));
    expect(judge(patched(own, 98, natural(q, 32)))).toEqual(faults('E_SCALAR', 0));
    expect(judge(patched(own, 32, new Uint8Array(33)))).toEqual(faults('E_POINT', 0));
    expect(judge(patched(own, 65, new Uint8Array(33)))).toEqual(faults('E_POINT', 0));
  });
  it('a wrong δ passes alone, and the nonce does not add up', () => {
    for (const delta of [0n, 1n, mod(BigInt(`0x${Buffer.from(own.slice(0, 32)).toString('hex')}`) + 1n, q)]) {
      const bytes = patched(own, 0, g.encodeScalar(delta));
      expect(judge(bytes)).toEqual([]);
      expect(outcome(bytes)).toBe('gamma');
      expect(() => presignature(partsOf(s, { mtas, sums: replaced(sums, 2, bytes) }))).toThrow(expect.objectContaining({ code: 'E_SUM' }));
    }
  });
  it("a wrong S passes alone, and the key's part does not add up", () => {
    const bytes = patched(own, 65, g.encodePoint(nonce));
    expect(judge(bytes)).toEqual([]);
    expect(outcome(bytes)).toBe('chi');
    expect(() => presignature(partsOf(s, { mtas, sums: replaced(sums, 2, bytes) }))).toThrow(expect.objectContaining({ code: 'E_SUM' }));
  });
  it('parts for one key are none for another', () => {
    const other = g.encodePoint(s.publicKey.add(g.base));
    expect(checkSums({ ...partsOf(s, honest), publicKey: other })).toBe('chi');
  });
  it('a product that is zero blames nobody', () => {
    const two = (delta: bigint, Delta: typeof nonce): Uint8Array => patched(patched(own, 0, g.encodeScalar(delta)), 32, g.encodePoint(Delta));
    const vanishing: Entry[] = [
      { leaf: 1, bytes: two(5n, g.base.multiply(9n)) },
      { leaf: 2, bytes: two(q - 5n, g.base.multiply(9n).negate()) },
    ];
    const parts = partsOf(s, { mtas, sums: vanishing });
    for (const step of [checkSums, deltaSum, presignature]) expect(() => step(parts)).toThrow(expect.objectContaining({ code: 'E_DEGENERATE' }));
  });
  it('a nonce or share that vanishes is not sent', () => {
    // χ = 0 needs w·k to cancel what the peers gave: forced through the stored secret
    const args = { curve, bind: s.bind, leaf: 2, own: cheat.own, offer: saidBy(offers, 2).bytes, mtas, seed: seedOf('x') };
    const secret = saidBy(mtas, 2).secret;
    const plain = makeSum({ ...args, secret });
    const chi = g.decodeScalar(plain.secret.slice(32));
    const { w } = decodeMtaSecret(curve, secret, 2);
    const inverse = BigInt(g.Point.Fn.inv(k));
    const vanishing = patched(secret, OFFER_SECRET_BYTES, g.encodeScalar(mod(w - chi * inverse, q)));
    expect(() => makeSum({ ...args, secret: vanishing })).toThrow(expect.objectContaining({ code: 'E_DEGENERATE' }));
  });
});

describe('hostile input', () => {
  const random = randomness('garbage');
  const garbage = (length: number): Uint8Array[] => [new Uint8Array(length), new Uint8Array(length).fill(255), random(length)];
  const verifier = partyIn(s, 3);
  /** Refused as a fault of the sender, in less than a second. */
  function refused(check: () => void): void {
    const start = performance.now();
    expect(faultOf(2, 3, check)).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(1000);
  }
  const offerArgsOf = (offer: Uint8Array): Parameters<typeof checkOffer>[0] => ({ curve, bind: offerBind(2), prover: cheat.aux, verifiers: [1, 2, 3], verifier: verifier.aux, offer });
  const mtaArgsOf = (mta: Uint8Array): Parameters<typeof checkMta>[0] => ({ curve, bind: s.bind, signers: [1, 2, 3], prover: cheat.aux, verifier: verifier.aux, offer: saidBy(offers, 3).bytes, proverOffer: saidBy(offers, 2).bytes, mta, point: s.W.get(2) as Uint8Array });

  it('is refused at once: garbage in the place of any part', () => {
    const offer = saidBy(offers, 2).bytes;
    const mta = saidBy(mtas, 2).bytes;
    const sum = saidBy(sums, 2).bytes;
    const head = offerHeadBytes(curve);
    const proofs = head + 2 * ENC_ELG_BYTES;
    for (const [at, length] of [[0, N2_BYTES], [N2_BYTES, N2_BYTES], [2 * N2_BYTES, 165], [proofs, ENC_ELG_BYTES], [proofs + ENC_ELG_BYTES, ENC_ELG_BYTES], [0, offer.length]] as const)
      for (const bytes of garbage(length)) refused(() => checkOffer(offerArgsOf(patched(offer, at, bytes))));
    const part = partAt(3, 'gamma');
    for (const [at, length] of [[0, 33], [33, 96], [part, N2_BYTES], [part + N2_BYTES, N2_BYTES], [part + 2 * N2_BYTES, AFFINE_BYTES - 2 * N2_BYTES], [0, mta.length]] as const)
      for (const bytes of garbage(length)) refused(() => checkMta(mtaArgsOf(patched(mta, at, bytes))));
    for (const [at, length] of [[32, 33], [65, 33], [98, 96], [0, sum.length]] as const)
      for (const bytes of garbage(length)) refused(() => checkSum({ curve, bind: s.bind, prover: 2, offer, gamma: gammaSum(curve, mtas), sum: patched(sum, at, bytes) }));
  });

  it('is refused whatever byte is another one', () => {
    const places = (length: number): number[] => Array.from({ length: 15 }, () => Number(BigInt(`0x${Buffer.from(random(6)).toString('hex')}`) % BigInt(length)));
    const offer = saidBy(offers, 2).bytes;
    const mta = saidBy(mtas, 2).bytes;
    const flip = (bytes: Uint8Array, at: number): Uint8Array => patched(bytes, at, Uint8Array.of((bytes[at] as number) ^ (1 << (at % 8))));
    // whatever of the entry concerns the verifier
    for (const at of places(offer.length).map((i) => (i >= offerHeadBytes(curve) && i < offerHeadBytes(curve) + 2 * ENC_ELG_BYTES ? i + 2 * ENC_ELG_BYTES : i))) refused(() => checkOffer(offerArgsOf(flip(offer, at))));
    for (const at of places(mta.length).map((i) => (i >= 129 && i < 129 + 2 * AFFINE_BYTES ? i + 2 * AFFINE_BYTES : i))) refused(() => checkMta(mtaArgsOf(flip(mta, at))));
  });
});

it('leaves of the tests are what they seem', () => {
  expect(leavesOf(s)).toEqual([1, 2, 3]);
  expect(sayOffers(s).map((o) => o.leaf)).toEqual([1, 2, 3]);
});
