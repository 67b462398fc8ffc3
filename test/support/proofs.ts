/**
 * Statements for the proofs of threshold ECDSA, and provers written from the text of A.5 that take every nonce as an
 * argument: the honest ones do not let a test choose, and a cheat chooses.
 */
import { expand } from '../../src/arith/expand.ts';
import { mod } from '../../src/arith/integer.ts';
import { modPow } from '../../src/arith/modexp.ts';
import { ownedModulus } from '../../src/arith/owner.ts';
import { below, symmetric, unit } from '../../src/arith/sample.ts';
import type { Group, Point } from '../../src/curves/group.ts';
import { affGChallenge, affGItems, encodeAffG, type AffGFirst, type AffGProof, type AffGStatement } from '../../src/ecdsa/aff-g.ts';
import { inRole, type ProofContext } from '../../src/ecdsa/context.ts';
import { encElgChallenge, encElgItems, encodeEncElg, type EncElgFirst, type EncElgProof, type EncElgStatement } from '../../src/ecdsa/enc-elg.ts';
import { ownedPaillier, type OwnedPaillierKey } from '../../src/ecdsa/owner-paillier.ts';
import { paillierKey, type PaillierKey } from '../../src/ecdsa/paillier.ts';
import { MASK_BOUND, SCALAR_BOUND } from '../../src/ecdsa/parameters.ts';
import type { AffGWitness } from '../../src/ecdsa/prove-aff-g.ts';
import type { EncElgWitness } from '../../src/ecdsa/prove-enc-elg.ts';
import { ringPedersen, ringPedersenOf, type RingPedersen } from '../../src/ecdsa/ring-pedersen.ts';
import { concat, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { digest } from '../../src/wire/hash.ts';
import type { Random } from '../../src/wire/random.ts';
import { fixturePrimes } from './primes.ts';

/** The same bytes in every run. */
export const stream = (name: string): Random => expand(utf8('tests'), name);

/** 32 bytes from a name. */
export const bytes32 = (name: string): Uint8Array => digest('test', name);

/** Proofs of 2 for 3. */
export const CTX: ProofContext = { bind: bytes32('a place'), prover: 2, verifier: 3 };

/** A participant with the keys that all see, and the same keys with the factors. */
export interface Party {
  readonly p: bigint;
  readonly pHat: bigint;
  readonly key: PaillierKey;
  readonly ring: RingPedersen;
  readonly ownKey: OwnedPaillierKey;
  readonly ownRing: RingPedersen;
}

const parties = new Map<number, Party>();

/** The i-th participant, from 0, with the primes of the tests. */
export function party(i: number): Party {
  const known = parties.get(i);
  if (known) return known;
  const { p, q, pHat, qHat } = fixturePrimes(i);
  const random = stream(`ring ${String(i)}`);
  const nHat = pHat * qHat;
  const t = unit(nHat, random) ** 2n % nHat;
  const s = modPow(t, below(nHat, random), nHat);
  const made = {
    p,
    pHat,
    key: paillierKey(p * q),
    ring: ringPedersen(nHat, s, t),
    ownKey: ownedPaillier(p, q),
    ownRing: ringPedersenOf(ownedModulus(pHat, qHat), s, t),
  };
  parties.set(i, made);
  return made;
}

/** (1+mN)·r^N mod N², as the text has it. */
export function textbookEncrypt(n: bigint, m: bigint, r: bigint): bigint {
  const n2 = n * n;
  return mod((1n + m * n) * modPow(r, n, n2), n2);
}

/** Σ k·P with integers k of any sign and size. */
export function combination(group: Group, ...terms: readonly (readonly [bigint, Point])[]): Point {
  return group.sum(terms.map(([k, point]) => group.multiplyPublic(point, mod(k, group.order))));
}

const power = ({ nHat, s, t }: RingPedersen, x: bigint, y: bigint): bigint => mod(modPow(s, x, nHat) * modPow(t, y, nHat), nHat);

/** What makes a ciphertext and its ElGamal pair. */
export function encElgWitness(group: Group, random: Random, x = symmetric(group.order / 2n, random)): EncElgWitness {
  return { x, rho: unit(party(0).key.n, random), b: group.randomScalar(random) };
}

/** The statement of 0's witness for 1. */
export function encElgStatement(group: Group, { x, rho, b }: EncElgWitness, random: Random): EncElgStatement {
  const { key } = party(0);
  const A = group.multiply(group.base, group.randomScalar(random));
  const B = combination(group, [b, group.base]);
  const X = combination(group, [b, A], [x, group.base]);
  return { group, key, ring: party(1).ring, C: textbookEncrypt(key.n, x, rho), A, B, X };
}

/** Nonces of Π-enc-elg. */
export interface EncElgNonces {
  readonly alpha: bigint;
  readonly mu: bigint;
  readonly gamma: bigint;
  readonly r: bigint;
  readonly beta: bigint;
}

export function encElgNonces({ group, key, ring }: EncElgStatement, random: Random): EncElgNonces {
  return {
    alpha: symmetric(2n ** 768n, random),
    mu: symmetric(2n ** 256n * ring.nHat, random),
    gamma: symmetric(2n ** 768n * ring.nHat, random),
    r: unit(key.n, random),
    beta: group.randomScalar(random),
  };
}

/** A made proof: its first message, its parts, and how it is sent. */
export interface Made<First, Proof> {
  readonly first: First;
  readonly proof: Proof;
  readonly bytes: Uint8Array;
}

/** Π-enc-elg as A.5 has it, with these nonces; a cheat may change the first message. */
export function textbookEncElg(ctx: ProofContext, st: EncElgStatement, { x, rho, b }: EncElgWitness, nonces: EncElgNonces, change: Partial<EncElgFirst> = {}): Made<EncElgFirst, EncElgProof> {
  const { group, key, ring, A } = st;
  const { alpha, mu, gamma, r, beta } = nonces;
  const first: EncElgFirst = {
    S: power(ring, x, mu),
    T: power(ring, alpha, gamma),
    D: textbookEncrypt(key.n, alpha, r),
    Y: combination(group, [beta, A], [alpha, group.base]),
    Z: combination(group, [beta, group.base]),
    ...change,
  };
  const challenge = encElgChallenge(group, ctx, encElgItems(st), first);
  const { e } = challenge;
  const proof: EncElgProof = {
    challenge,
    S: first.S,
    z1: alpha + e * x,
    z2: mod(r * modPow(rho, e, key.n), key.n),
    z3: gamma + e * mu,
    w: mod(beta + e * b, group.order),
  };
  return { first, proof, bytes: encodeEncElg(group, proof) };
}

/** The names of the equations of Π-enc-elg in A.5 that do not hold, in the long form with its first message. */
export function brokenEncElg(st: EncElgStatement, first: EncElgFirst, { challenge: { e }, S, z1, z2, z3, w }: EncElgProof): string[] {
  const { group, key, ring, C, A, B, X } = st;
  const { nHat } = ring;
  const equations = {
    ciphertext: textbookEncrypt(key.n, z1, z2) === mod(first.D * modPow(C, e, key.n2), key.n2),
    pair: combination(group, [w, A], [z1, group.base]).equals(combination(group, [1n, first.Y], [e, X])),
    base: combination(group, [w, group.base]).equals(combination(group, [1n, first.Z], [e, B])),
    ring: power(ring, z1, z3) === mod(first.T * modPow(S, e, nHat), nHat),
    range: z1 <= 2n ** 768n && z1 >= -(2n ** 768n),
  };
  return Object.entries(equations).flatMap(([name, holds]) => (holds ? [] : [name]));
}

/** The product of 0 for 1, as it is shown. */
export function affGWitness(group: Group, random: Random, change: Partial<AffGWitness> = {}): AffGWitness {
  return {
    x: symmetric(group.order / 2n, random),
    y: symmetric(MASK_BOUND, random),
    rho: unit(party(1).key.n, random),
    rhoY: unit(party(0).key.n, random),
    ...change,
  };
}

/** The statement of 0's witness for 1, whose ciphertext C holds a random scalar. */
export function affGStatement(group: Group, { x, y, rho, rhoY }: AffGWitness, random: Random): AffGStatement {
  const [receiver, own] = [party(1).key, party(0).key];
  const C = textbookEncrypt(receiver.n, symmetric(SCALAR_BOUND, random), unit(receiver.n, random));
  const D = mod(modPow(C, x, receiver.n2) * textbookEncrypt(receiver.n, y, rho), receiver.n2);
  return { group, receiver, own, ring: party(1).ring, C, D, Y: textbookEncrypt(own.n, y, rhoY), X: combination(group, [x, group.base]) };
}

/** Nonces of Π-aff-g. */
export interface AffGNonces {
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly r: bigint;
  readonly ry: bigint;
  readonly gamma: bigint;
  readonly delta: bigint;
  readonly m: bigint;
  readonly mu: bigint;
}

export function affGNonces({ receiver, own, ring }: AffGStatement, random: Random): AffGNonces {
  return {
    alpha: symmetric(2n ** 768n, random),
    beta: symmetric(2n ** 1792n, random),
    r: unit(receiver.n, random),
    ry: unit(own.n, random),
    gamma: symmetric(2n ** 768n * ring.nHat, random),
    delta: symmetric(2n ** 768n * ring.nHat, random),
    m: symmetric(2n ** 256n * ring.nHat, random),
    mu: symmetric(2n ** 256n * ring.nHat, random),
  };
}

/** Π-aff-g as A.5 has it, with these nonces; a cheat may change the first message. */
export function textbookAffG(ctx: ProofContext, st: AffGStatement, { x, y, rho, rhoY }: AffGWitness, nonces: AffGNonces, change: Partial<AffGFirst> = {}): Made<AffGFirst, AffGProof> {
  const { group, receiver, own, ring, C } = st;
  const { alpha, beta, r, ry, gamma, delta, m, mu } = nonces;
  const first: AffGFirst = {
    A: mod(modPow(C, alpha, receiver.n2) * textbookEncrypt(receiver.n, beta, r), receiver.n2),
    Bx: combination(group, [alpha, group.base]),
    By: textbookEncrypt(own.n, beta, ry),
    E: power(ring, alpha, gamma),
    F: power(ring, beta, delta),
    S: power(ring, x, m),
    T: power(ring, y, mu),
    ...change,
  };
  const challenge = affGChallenge(group, ctx, affGItems(st), first);
  const { e } = challenge;
  const proof: AffGProof = {
    challenge,
    S: first.S,
    T: first.T,
    z1: alpha + e * x,
    z2: beta + e * y,
    z3: gamma + e * m,
    z4: delta + e * mu,
    w: mod(r * modPow(rho, e, receiver.n), receiver.n),
    wy: mod(ry * modPow(rhoY, e, own.n), own.n),
  };
  return { first, proof, bytes: encodeAffG(proof) };
}

/** The names of the equations of Π-aff-g in A.5 that do not hold, in the long form with its first message. */
export function brokenAffG(st: AffGStatement, first: AffGFirst, proof: AffGProof): string[] {
  const { group, receiver, own, ring, C, D, Y, X } = st;
  const { challenge, S, T, z1, z2, z3, z4, w, wy } = proof;
  const { e } = challenge;
  const { nHat } = ring;
  const { n2 } = receiver;
  const equations = {
    product: mod(modPow(C, z1, n2) * textbookEncrypt(receiver.n, z2, w), n2) === mod(first.A * modPow(D, e, n2), n2),
    point: combination(group, [z1, group.base]).equals(combination(group, [1n, first.Bx], [e, X])),
    mask: textbookEncrypt(own.n, z2, wy) === mod(first.By * modPow(Y, e, own.n2), own.n2),
    ringX: power(ring, z1, z3) === mod(first.E * modPow(S, e, nHat), nHat),
    ringY: power(ring, z2, z4) === mod(first.F * modPow(T, e, nHat), nHat),
    rangeX: z1 <= 2n ** 768n && z1 >= -(2n ** 768n),
    rangeY: z2 <= 2n ** 1792n && z2 >= -(2n ** 1792n),
  };
  return Object.entries(equations).flatMap(([name, holds]) => (holds ? [] : [name]));
}

/** The code of the refusal, or `ok`. Whatever else is thrown is a bug of the verifier and passes through. */
export function verdict(check: () => void): string {
  try {
    check();
    return 'ok';
  } catch (error) {
    if (error instanceof CeremonyError) return error.code;
    throw error;
  }
}

/** Where a proof of {@link CTX} must not hold: swapped roles, reflection, other places and people (rows 6, 16, 18). */
export const OTHER_CONTEXTS: readonly (readonly [string, ProofContext])[] = [
  ['another place', { ...CTX, bind: bytes32('another place') }],
  ['another prover', { ...CTX, prover: 1 }],
  ['another verifier', { ...CTX, verifier: 1 }],
  ['everybody as the verifier', { ...CTX, verifier: 0 }],
  ['reflection', { ...CTX, prover: CTX.verifier, verifier: CTX.prover }],
  ['a role', inRole(CTX, 'gamma')],
];

/** What is no proof by its form. */
export function malformed(proof: Uint8Array): (readonly [string, Uint8Array])[] {
  return [
    ['nothing', new Uint8Array()],
    ['one byte less', proof.subarray(0, -1)],
    ['one byte more', concat(proof, new Uint8Array(1))],
    ['a megabyte', new Uint8Array(1 << 20)],
    ['a megabyte that begins well', concat(proof, new Uint8Array(1 << 20))],
  ];
}
