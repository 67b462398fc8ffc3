/**
 * Π-enc-elg: the Paillier ciphertext C under the prover's key holds an x in ±2^ℓ, and (B, X) is an ElGamal pair of the
 * same x under A (CGGMP24; A.5). C = enc(x; ρ), B = b·G, X = b·A + x·G. Public side.
 *
 * On the wire e ‖ S ‖ z1 ‖ z2 ‖ z3 ‖ w, with S = s^x·t^μ. The rest of the first message follows from these:
 * T = s^z1·t^z3·S^-e, D = enc(z1; z2)·C^-e, Y = w·A + z1·G - e·X, Z = w·G - e·B, and the proof holds if their challenge
 * is e again. This is as sound as sending them: every element is a unit, and e has one encoding.
 */
import type { Group, Point } from '../curves/group.ts';
import { concat, equalBytes, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { intItem, natural, readNatural, readSigned, requireRange, requireUnits, signed } from './codec.ts';
import { readScalarChallenge, scalarChallenge, type ProofContext, type ScalarChallenge } from './context.ts';
import { add, checkCiphertext, encrypt, scale, type PaillierKey } from './paillier.ts';
import { BLIND_RESPONSE_BYTES, N_BYTES, SCALAR_BYTES, SCALAR_RESPONSE_BOUND, SCALAR_RESPONSE_BYTES } from './parameters.ts';
import { firstPoints, statementPoints, sumOf } from './points.ts';
import { commit, ringItems, type RingPedersen } from './ring-pedersen.ts';

export const ENC_ELG_LABEL = 'enc-elg/v1';

/** Bytes of a proof. */
export const ENC_ELG_BYTES = 2 * SCALAR_BYTES + 2 * N_BYTES + (1 + SCALAR_RESPONSE_BYTES) + (1 + BLIND_RESPONSE_BYTES);

export interface EncElgStatement {
  readonly group: Group;
  /** The prover's key. */
  readonly key: PaillierKey;
  /** The verifier's parameters. */
  readonly ring: RingPedersen;
  readonly C: bigint;
  readonly A: Point;
  readonly B: Point;
  readonly X: Point;
}

/** The first message. */
export interface EncElgFirst {
  /** Modulo N^. */
  readonly S: bigint;
  readonly T: bigint;
  /** Modulo N². */
  readonly D: bigint;
  readonly Y: Point;
  readonly Z: Point;
}

/** What is sent. */
export interface EncElgProof {
  readonly challenge: ScalarChallenge;
  readonly S: bigint;
  /** α + e·x, an integer in ±2^(ℓ+ε). */
  readonly z1: bigint;
  /** r·ρ^e mod N. */
  readonly z2: bigint;
  /** γ + e·μ, an integer. */
  readonly z3: bigint;
  /** β + e·b mod q. */
  readonly w: bigint;
}

/** The statement as it is hashed. @throws E_POINT for an identity */
export function encElgItems({ group, key, ring, C, A, B, X }: EncElgStatement): Item[] {
  return [intItem(key.n), ringItems(ring), intItem(C), statementPoints(group, { A, B, X })];
}

/** @param statement of {@link encElgItems} */
export function encElgChallenge(group: Group, ctx: ProofContext, statement: readonly Item[], first: EncElgFirst): ScalarChallenge {
  const { S, T, D, Y, Z } = first;
  return scalarChallenge(group, ENC_ELG_LABEL, ctx, statement, [intItem(S), intItem(T), intItem(D), ...firstPoints(group, [Y, Z])]);
}

/** {@link ENC_ELG_BYTES}. */
export function encodeEncElg(group: Group, { challenge, S, z1, z2, z3, w }: EncElgProof): Uint8Array {
  return concat(
    challenge.bytes,
    natural(S, N_BYTES),
    signed(z1, SCALAR_RESPONSE_BYTES),
    natural(z2, N_BYTES),
    signed(z3, BLIND_RESPONSE_BYTES),
    group.encodeScalar(w),
  );
}

/** @throws E_FORMAT on another length or form, E_SCALAR */
export function decodeEncElg(group: Group, bytes: Uint8Array): EncElgProof {
  const reader = new Reader(bytes);
  const proof = {
    challenge: readScalarChallenge(group, reader.take(SCALAR_BYTES, 'e')),
    S: readNatural(reader, N_BYTES, 'S'),
    z1: readSigned(reader, SCALAR_RESPONSE_BYTES, 'z1'),
    z2: readNatural(reader, N_BYTES, 'z2'),
    z3: readSigned(reader, BLIND_RESPONSE_BYTES, 'z3'),
    w: group.decodeScalar(reader.take(SCALAR_BYTES, 'w')),
  };
  reader.end();
  return proof;
}

/**
 * @throws E_FORMAT, E_SCALAR on another length or form; E_POINT for an identity in the statement; E_RANGE for a value that
 *   is no unit and for a response out of its range; E_PROOF when the proof does not hold
 */
export function checkEncElg(ctx: ProofContext, st: EncElgStatement, proof: Uint8Array): void {
  const { group, key, ring, C, A, B, X } = st;
  const { challenge, S, z1, z2, z3, w } = decodeEncElg(group, proof);
  const { e, bytes } = challenge;
  const statement = encElgItems(st);
  requireRange(z1, SCALAR_RESPONSE_BOUND, 'z1');
  checkCiphertext(key, C, 'C');
  requireUnits({ z2 }, key.n);
  requireUnits({ S, s: ring.s, t: ring.t }, ring.nHat);
  const first = {
    S,
    T: (commit(ring, z1, z3) * ring.M.pow(S, -e)) % ring.nHat,
    D: add(key, encrypt(key, z1, z2), scale(key, C, -e)),
    Y: sumOf(group, [w, A], [z1, group.base], [-e, X]),
    Z: sumOf(group, [w, group.base], [-e, B]),
  };
  if (!equalBytes(encElgChallenge(group, ctx, statement, first).bytes, bytes)) fail('E_PROOF', 'Π-enc-elg does not hold');
}
