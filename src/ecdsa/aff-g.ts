/**
 * Π-aff-g: D was made from the verifier's ciphertext C as x times it plus y, with the x of X = x·G in ±2^ℓ and the y
 * that the prover's own ciphertext Y holds in ±2^ℓ' (CGGMP24; A.5). D = C^x · enc_j(y; ρ), Y = enc_i(y; ρ_y). Public side.
 *
 * On the wire e ‖ S ‖ T ‖ z1 ‖ z2 ‖ z3 ‖ z4 ‖ w ‖ w_y, with S = s^x·t^m and T = s^y·t^μ. The rest of the first message
 * follows from these: A = C^z1·enc_j(z2; w)·D^-e, B_x = z1·G - e·X, B_y = enc_i(z2; w_y)·Y^-e, E = s^z1·t^z3·S^-e,
 * F = s^z2·t^z4·T^-e, and the proof holds if their challenge is e again. This is as sound as sending them: every element
 * is a unit, and e has one encoding.
 */
import type { Group, Point } from '../curves/group.ts';
import { concat, equalBytes, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { intItem, natural, readNatural, readSigned, requireRange, requireUnits, signed } from './codec.ts';
import { readScalarChallenge, scalarChallenge, type ProofContext, type ScalarChallenge } from './context.ts';
import { add, checkCiphertext, encrypt, scale, type PaillierKey } from './paillier.ts';
import {
  BLIND_RESPONSE_BYTES,
  MASK_RESPONSE_BOUND,
  MASK_RESPONSE_BYTES,
  N_BYTES,
  SCALAR_BYTES,
  SCALAR_RESPONSE_BOUND,
  SCALAR_RESPONSE_BYTES,
} from './parameters.ts';
import { firstPoints, statementPoints, sumOf } from './points.ts';
import { commit, ringItems, type RingPedersen } from './ring-pedersen.ts';

export const AFF_G_LABEL = 'aff-g/v1';

/** Bytes of a proof. */
export const AFF_G_BYTES =
  SCALAR_BYTES + 4 * N_BYTES + (1 + SCALAR_RESPONSE_BYTES) + (1 + MASK_RESPONSE_BYTES) + 2 * (1 + BLIND_RESPONSE_BYTES);

export interface AffGStatement {
  readonly group: Group;
  /** The verifier's key N_j, of C and D. */
  readonly receiver: PaillierKey;
  /** The prover's key N_i, of Y. */
  readonly own: PaillierKey;
  /** The verifier's parameters. */
  readonly ring: RingPedersen;
  readonly C: bigint;
  readonly D: bigint;
  readonly Y: bigint;
  readonly X: Point;
}

/** The first message. */
export interface AffGFirst {
  /** Modulo N_j². */
  readonly A: bigint;
  readonly Bx: Point;
  /** Modulo N_i². */
  readonly By: bigint;
  /** Modulo N^. */
  readonly E: bigint;
  readonly F: bigint;
  readonly S: bigint;
  readonly T: bigint;
}

/** What is sent. */
export interface AffGProof {
  readonly challenge: ScalarChallenge;
  readonly S: bigint;
  readonly T: bigint;
  /** α + e·x, an integer in ±2^(ℓ+ε). */
  readonly z1: bigint;
  /** β + e·y, an integer in ±2^(ℓ'+ε). */
  readonly z2: bigint;
  /** γ + e·m, an integer. */
  readonly z3: bigint;
  /** δ + e·μ, an integer. */
  readonly z4: bigint;
  /** r·ρ^e mod N_j. */
  readonly w: bigint;
  /** r_y·ρ_y^e mod N_i. */
  readonly wy: bigint;
}

/** The statement as it is hashed. @throws E_POINT for an identity */
export function affGItems({ group, receiver, own, ring, C, D, Y, X }: AffGStatement): Item[] {
  return [intItem(receiver.n), intItem(own.n), ringItems(ring), intItem(C), intItem(D), intItem(Y), statementPoints(group, { X })];
}

/** @param statement of {@link affGItems} */
export function affGChallenge(group: Group, ctx: ProofContext, statement: readonly Item[], first: AffGFirst): ScalarChallenge {
  const { A, Bx, By, E, F, S, T } = first;
  return scalarChallenge(group, AFF_G_LABEL, ctx, statement, [[A, By, E, F, S, T].map(intItem), firstPoints(group, [Bx])]);
}

/** {@link AFF_G_BYTES}. */
export function encodeAffG({ challenge, S, T, z1, z2, z3, z4, w, wy }: AffGProof): Uint8Array {
  return concat(
    challenge.bytes,
    natural(S, N_BYTES),
    natural(T, N_BYTES),
    signed(z1, SCALAR_RESPONSE_BYTES),
    signed(z2, MASK_RESPONSE_BYTES),
    signed(z3, BLIND_RESPONSE_BYTES),
    signed(z4, BLIND_RESPONSE_BYTES),
    natural(w, N_BYTES),
    natural(wy, N_BYTES),
  );
}

/** @throws E_FORMAT on another length or form, E_SCALAR */
export function decodeAffG(group: Group, bytes: Uint8Array): AffGProof {
  const reader = new Reader(bytes);
  const proof = {
    challenge: readScalarChallenge(group, reader.take(SCALAR_BYTES, 'e')),
    S: readNatural(reader, N_BYTES, 'S'),
    T: readNatural(reader, N_BYTES, 'T'),
    z1: readSigned(reader, SCALAR_RESPONSE_BYTES, 'z1'),
    z2: readSigned(reader, MASK_RESPONSE_BYTES, 'z2'),
    z3: readSigned(reader, BLIND_RESPONSE_BYTES, 'z3'),
    z4: readSigned(reader, BLIND_RESPONSE_BYTES, 'z4'),
    w: readNatural(reader, N_BYTES, 'w'),
    wy: readNatural(reader, N_BYTES, 'wy'),
  };
  reader.end();
  return proof;
}

/**
 * @throws E_FORMAT, E_SCALAR on another length or form; E_POINT for an identity in the statement; E_RANGE for a value that
 *   is no unit and for a response out of its range; E_PROOF when the proof does not hold
 */
export function checkAffG(ctx: ProofContext, st: AffGStatement, proof: Uint8Array): void {
  const { group, receiver, own, ring, C, D, Y, X } = st;
  const { challenge, S, T, z1, z2, z3, z4, w, wy } = decodeAffG(group, proof);
  const { e, bytes } = challenge;
  const statement = affGItems(st);
  requireRange(z1, SCALAR_RESPONSE_BOUND, 'z1');
  requireRange(z2, MASK_RESPONSE_BOUND, 'z2');
  checkCiphertext(receiver, C, 'C');
  checkCiphertext(receiver, D, 'D');
  checkCiphertext(own, Y, 'Y');
  requireUnits({ w }, receiver.n);
  requireUnits({ wy }, own.n);
  requireUnits({ S, T, s: ring.s, t: ring.t }, ring.nHat);
  const first = {
    A: add(receiver, add(receiver, scale(receiver, C, z1), encrypt(receiver, z2, w)), scale(receiver, D, -e)),
    Bx: sumOf(group, [z1, group.base], [-e, X]),
    By: add(own, encrypt(own, z2, wy), scale(own, Y, -e)),
    E: (commit(ring, z1, z3) * ring.M.pow(S, -e)) % ring.nHat,
    F: (commit(ring, z2, z4) * ring.M.pow(T, -e)) % ring.nHat,
    S,
    T,
  };
  if (!equalBytes(affGChallenge(group, ctx, statement, first).bytes, bytes)) fail('E_PROOF', 'Π-aff-g does not hold');
}
