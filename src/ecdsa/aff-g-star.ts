/**
 * Π-aff-g*: the statement of Π-aff-g without a verifier's parameters, so that it convinces everybody (CGGMP24 error
 * rounds; A.5, A.13). D was made from somebody's ciphertext C as x times it plus y, with the x of X = x·G and the y that
 * the prover's own ciphertext Y holds: D = C^x·enc_j(y; ρ), Y = enc_i(y; ρ_y). Public side. Π-aff-g is not enough there:
 * a pair of cheats could have made it with the factors of the receiver's N^.
 *
 * A repetition has one bit e of challenge, A = C^α·enc_j(β; r), R = α·G, B = enc_i(β; s), z = α + e·x, z' = β + e·y, and
 * holds if C^z·enc_j(z'; w) = A·D^e, enc_i(z'; λ) = B·Y^e, z·G = R + e·X.
 *
 * On the wire e ‖ m times (A ‖ B ‖ z ‖ z') ‖ w ‖ λ. R follows from the rest, R = z·G - e·X, and is hashed into the
 * challenge as if it had been sent; all repetitions have one w and one λ (folding.ts). A and B could follow as well, from
 * a w and a λ for each repetition: two fifths less to send, and more than ten times as long to check (5 s; a proof
 * must cost less than one).
 *
 * Ranges. |z| ≤ 2^(ℓ+ε) and |z'| ≤ 2^(ℓ'+ε), as in Π-aff-g. From accepted responses to both values of a bit follow
 * |x*| ≤ 2^(ℓ+ε+1) and |y*| ≤ 2^(ℓ'+ε+1) = 2^1793 < N_i/2: y* is the one plaintext of Y, and D holds x*·c + y* for the
 * c of C, |c| ≤ 2^(ℓ+ε+1) by Π-enc-elg, so |x*·c + y*| < 2^1794 < N_j/2: over the integers, not only modulo N_j. These
 * are the bounds from which dec.ts starts.
 */
import { areUnits, mod } from '../arith/integer.ts';
import type { Group, Point } from '../curves/group.ts';
import { concat, equalBytes, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { packBits, unpackBits } from './bits.ts';
import { intItem, natural, readNatural, readSigned, requireRange, requireUnits, signed } from './codec.ts';
import { bitChallenges, type ProofContext } from './context.ts';
import { foldBits, foldProduct, foldSum, foldWeights } from './folding.ts';
import { add, checkCiphertext, encrypt, scale, type PaillierKey } from './paillier.ts';
import {
  MASK_RESPONSE_BOUND,
  MASK_RESPONSE_BYTES,
  N2_BYTES,
  N_BYTES,
  REPETITIONS,
  SCALAR_RESPONSE_BOUND,
  SCALAR_RESPONSE_BYTES,
} from './parameters.ts';
import { firstPoints, statementPoints } from './points.ts';

export const AFF_G_STAR_LABEL = 'aff-g-star/v1';

/** Bytes of a proof. */
export const AFF_G_STAR_BYTES =
  REPETITIONS / 8 + REPETITIONS * (2 * N2_BYTES + (1 + SCALAR_RESPONSE_BYTES) + (1 + MASK_RESPONSE_BYTES)) + 2 * N_BYTES;

export interface AffGStarStatement {
  readonly group: Group;
  /** The key N_j, of C and D. */
  readonly receiver: PaillierKey;
  /** The prover's key N_i, of Y. */
  readonly own: PaillierKey;
  readonly C: bigint;
  readonly D: bigint;
  readonly Y: bigint;
  readonly X: Point;
}

/** One repetition as it is sent. */
export interface AffGStarRepetition {
  /** C^α·enc_j(β; r), modulo N_j². */
  readonly A: bigint;
  /** enc_i(β; s), modulo N_i². */
  readonly B: bigint;
  /** α + e·x, an integer in ±2^(ℓ+ε). */
  readonly z: bigint;
  /** z' = β + e·y, an integer in ±2^(ℓ'+ε). */
  readonly zy: bigint;
}

/** The statement as it is hashed. @throws E_POINT for an identity */
export function affGStarItems({ group, receiver, own, C, D, Y, X }: AffGStarStatement): Item[] {
  return [intItem(receiver.n), intItem(own.n), intItem(C), intItem(D), intItem(Y), statementPoints(group, { X })];
}

/**
 * The bits of the challenge.
 * @param statement of {@link affGStarItems}
 * @param ciphertexts A_1, B_1, A_2, B_2, ...
 * @param points R_1, R_2, ...
 */
export function affGStarChallenge(
  group: Group,
  ctx: ProofContext,
  statement: readonly Item[],
  ciphertexts: readonly bigint[],
  points: readonly Point[],
): boolean[] {
  return bitChallenges(AFF_G_STAR_LABEL, ctx, statement, [ciphertexts.map((c) => natural(c, N2_BYTES)), firstPoints(group, points)]);
}

/** e ‖ m times (A ‖ B ‖ z ‖ z'): what the weights are a hash of. */
export function encodeAffGStar(bits: readonly boolean[], repetitions: readonly AffGStarRepetition[]): Uint8Array {
  return concat(
    packBits(bits),
    ...repetitions.flatMap(({ A, B, z, zy }) => [
      natural(A, N2_BYTES),
      natural(B, N2_BYTES),
      signed(z, SCALAR_RESPONSE_BYTES),
      signed(zy, MASK_RESPONSE_BYTES),
    ]),
  );
}

/**
 * @throws E_FORMAT on another length or form; E_POINT for an identity in the statement; E_RANGE for a value that is no
 *   unit and for a response out of its range; E_PROOF when the proof does not hold
 */
export function checkAffGStar(ctx: ProofContext, st: AffGStarStatement, proof: Uint8Array): void {
  const { group, receiver, own, C, D, Y, X } = st;
  const reader = new Reader(proof);
  const e = reader.take(REPETITIONS / 8, 'e');
  const repetitions = Array.from({ length: REPETITIONS }, () => ({
    A: readNatural(reader, N2_BYTES, 'A'),
    B: readNatural(reader, N2_BYTES, 'B'),
    z: readSigned(reader, SCALAR_RESPONSE_BYTES, 'z'),
    zy: readSigned(reader, MASK_RESPONSE_BYTES, "z'"),
  }));
  const w = readNatural(reader, N_BYTES, 'w');
  const lambda = readNatural(reader, N_BYTES, 'lambda');
  reader.end();

  const statement = affGStarItems(st);
  const [As, Bs, zs, zys] = [repetitions.map(({ A }) => A), repetitions.map(({ B }) => B), repetitions.map(({ z }) => z), repetitions.map(({ zy }) => zy)];
  for (const z of zs) requireRange(z, SCALAR_RESPONSE_BOUND, 'z');
  for (const zy of zys) requireRange(zy, MASK_RESPONSE_BOUND, "z'");
  checkCiphertext(receiver, C, 'C');
  checkCiphertext(receiver, D, 'D');
  checkCiphertext(own, Y, 'Y');
  requireUnits({ w }, receiver.n);
  requireUnits({ lambda }, own.n);
  if (!areUnits(As, receiver.n2)) fail('E_RANGE', 'A is not a Paillier ciphertext', { field: 'A' });
  if (!areUnits(Bs, own.n2)) fail('E_RANGE', 'B is not a Paillier ciphertext', { field: 'B' });

  const bits = unpackBits(e);
  const points = zs.map((z, k) => {
    const R = group.multiplyPublic(group.base, mod(z, group.order));
    return bits[k] === true ? R.subtract(X) : R;
  });
  const ciphertexts = repetitions.flatMap(({ A, B }) => [A, B]);
  if (!equalBytes(packBits(affGStarChallenge(group, ctx, statement, ciphertexts, points)), e)) fail('E_PROOF', 'Π-aff-g* does not hold');

  const weights = foldWeights(AFF_G_STAR_LABEL, ctx, statement, proof.subarray(0, AFF_G_STAR_BYTES - 2 * N_BYTES));
  const [asked, y] = [foldBits(weights, bits), foldSum(weights, zys)];
  const left = add(receiver, scale(receiver, C, foldSum(weights, zs)), encrypt(receiver, y, w));
  if (left !== add(receiver, foldProduct(receiver.N2, weights, As), scale(receiver, D, asked))) fail('E_PROOF', 'Π-aff-g* does not hold');
  if (encrypt(own, y, lambda) !== add(own, foldProduct(own.N2, weights, Bs), scale(own, Y, asked))) fail('E_PROOF', 'Π-aff-g* does not hold');
}
