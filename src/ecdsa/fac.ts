/**
 * Π-fac: both factors of N = p·q are larger than 2^ℓ, in fact than about 2^766 (CGGMP24; A.5; attack row 4). Made for
 * one verifier, under its ring-Pedersen parameters. Public side.
 *
 * On the wire P ‖ Q ‖ e ‖ z1 ‖ z2 ‖ w1 ‖ w2 ‖ v, with P = s^p·t^μ and Q = s^q·t^ν. The rest of the first message follows,
 * A = s^z1·t^w1·P^-e, B = s^z2·t^w2·Q^-e, T = Q^z1·t^v·s^(-N·e), and the proof holds if their challenge is e again. That
 * is as sound as sending them, since every element is a unit and e has one encoding.
 */
import { areUnits, isqrt } from '../arith/integer.ts';
import { Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { intItem, natural, readNatural, readSigned } from './codec.ts';
import { symmetricChallenge, type ProofContext } from './context.ts';
import { BLIND_RESPONSE_BYTES, EPSILON, ELL, N_BYTES, PRIME_BYTES, requireModulus, SCALAR_BYTES, SCALAR_RESPONSE_BOUND } from './parameters.ts';
import { commit, type RingPedersen } from './ring-pedersen.ts';

export const FAC_LABEL = 'fac/v1';

/** Bytes of the absolute values of e, z1 and z2, w1 and w2, v: what their ranges need, bounds included. */
export const FAC_WIDTHS = {
  e: SCALAR_BYTES + 1,
  z: (ELL + EPSILON) / 8 + PRIME_BYTES,
  w: BLIND_RESPONSE_BYTES,
  v: BLIND_RESPONSE_BYTES + N_BYTES,
} as const;

/** Bytes of a proof. */
export const FAC_BYTES = 2 * N_BYTES + (1 + FAC_WIDTHS.e) + 2 * (1 + FAC_WIDTHS.z) + 2 * (1 + FAC_WIDTHS.w) + (1 + FAC_WIDTHS.v);

export interface FacStatement {
  /** The prover's Paillier modulus N. */
  readonly n: bigint;
  /** The verifier's parameters. */
  readonly ring: RingPedersen;
}

/** The statement as it is hashed. */
export function facItems({ n, ring: { nHat, s, t } }: FacStatement): Item[] {
  return [n, nHat, s, t].map(intItem);
}

/** The elements of the first message. */
export interface FacFirst {
  readonly P: bigint;
  readonly Q: bigint;
  readonly A: bigint;
  readonly B: bigint;
  readonly T: bigint;
}

/** e in [-2^ℓ, 2^ℓ) for a first message. */
export function facChallenge(ctx: ProofContext, st: FacStatement, { P, Q, A, B, T }: FacFirst): bigint {
  return symmetricChallenge(FAC_LABEL, ctx, facItems(st), [P, Q, A, B, T].map((each) => natural(each, N_BYTES)));
}

/** 2^(ℓ+ε)·√N, the largest absolute value of z1 and z2; the root is rounded down. */
export function factorBound(n: bigint): bigint {
  return SCALAR_RESPONSE_BOUND * isqrt(n);
}

/**
 * @param st of which the moduli's form was checked (aux-info.ts) and the parameters by Π-prm
 * @throws E_FORMAT on another length or form; E_MODULUS for a modulus of another size; E_RANGE for an element that is no
 * unit, or for z1 or z2 out of range; E_PROOF when it does not hold
 */
export function checkFac(ctx: ProofContext, st: FacStatement, proof: Uint8Array): void {
  const { n, ring } = st;
  const { nHat, s, t, M } = ring;
  const reader = new Reader(proof);
  const P = readNatural(reader, N_BYTES, 'P');
  const Q = readNatural(reader, N_BYTES, 'Q');
  const e = readSigned(reader, FAC_WIDTHS.e, 'challenge');
  const z1 = readSigned(reader, FAC_WIDTHS.z, 'z1');
  const z2 = readSigned(reader, FAC_WIDTHS.z, 'z2');
  const w1 = readSigned(reader, FAC_WIDTHS.w, 'w1');
  const w2 = readSigned(reader, FAC_WIDTHS.w, 'w2');
  const v = readSigned(reader, FAC_WIDTHS.v, 'v');
  reader.end();
  requireModulus(n, 'the Paillier modulus');
  requireModulus(nHat, 'the ring-Pedersen modulus');
  if (!areUnits([P, Q, s, t], nHat)) fail('E_RANGE', 'an element of Π-fac is no unit');
  const bound = factorBound(n);
  if (![z1, z2].every((z) => z >= -bound && z <= bound)) fail('E_RANGE', 'a response of Π-fac is out of range');
  const A = (commit(ring, z1, w1) * M.pow(P, -e)) % nHat;
  const B = (commit(ring, z2, w2) * M.pow(Q, -e)) % nHat;
  const T = (M.pow(Q, z1) * commit(ring, -n * e, v)) % nHat;
  if (facChallenge(ctx, st, { P, Q, A, B, T }) !== e) fail('E_PROOF', 'Π-fac does not hold');
}
