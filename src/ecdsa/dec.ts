/**
 * Π-dec: x·k + d, with k and d in the ciphertexts K and D under the prover's key, is the y of S = y·H, and x that of
 * X = x·G (CGGMP24 error rounds; A.5, A.13). In the error round of a presignature a signer shows by it that the sum it
 * published is the one that its ciphertexts give: enc(y; ρ) = K^x·D. Public side. No set-up: it convinces everybody.
 *
 * A repetition has one bit e of challenge, A = K^-α·enc(β; r), C = α·G, B = β·H, z = α + e·x, w = β + e·y, and holds if
 * enc(w; ν)·K^-z = A·D^e, z·G = C + e·X, w·H = B + e·S. One-bit challenges are not to be replaced by a long one: without
 * a commitment modulo N^ nothing else binds x and y as integers.
 *
 * On the wire e ‖ m times (A ‖ z ‖ w) ‖ ν. C and B follow from the rest, C = z·G - e·X, B = w·H - e·S, and are hashed
 * into the challenge as if they had been sent. A could follow too, from a ν for each repetition: that is a third less to
 * send, and ten times as long to check (3 s; a proof must cost less than one). With the A there, all repetitions have
 * one ν (folding.ts).
 *
 * Ranges. Let ε, ℓ, ℓ' be those of parameters.ts and t the number of signers. What a peer's proof by Π-aff-g or Π-aff-g*
 * guarantees is not what an honest peer does, but what the difference of two responses allows: |x| ≤ 2^(ℓ+ε+1) and
 * |y| ≤ 2^(ℓ'+ε+1); likewise |k| ≤ 2^(ℓ+ε+1) by Π-enc-elg.
 * 1. An honest prover's y among dishonest peers: D adds up t-1 peers' x_l·k + y_l and own masks, so
 *    |y| ≤ 2^2ℓ + (t-1)·(2^(2ℓ+ε+1) + 2^(ℓ'+ε+1) + 2^ℓ') ≤ t·2^(ℓ'+ε+1) ≤ 2^Yb with Yb = ℓ' + ε + 1 + ⌈log₂ t⌉.
 *    With ±2^ℓ' for y a peer with large masks would make an honest prover fail.
 * 2. Hence β is drawn from ±2^(Yb+ε), and w and z hide y and x up to 2^-(ε+1) each, 2^-505 for all.
 * 3. From accepted responses to both values of a bit: |x*| ≤ 2^(ℓ+ε+1), |y*| ≤ 2^(Yb+ε+1) and y* = x*·k + d modulo N.
 *    It is wanted over the integers, for modulo N alone a cheat moves S by a multiple of N·H. Now
 *    |x*·k + d| ≤ t·2^(2ℓ+2ε+2) + 2(t-1)·2^(ℓ'+ε+1) < t·2^(ℓ'+ε+3), so that both sides together are below
 *    2^(Yb+ε+2) = 2^(2307+⌈log₂ t⌉) ≤ 2^2313 for 64 signers, far below N > 2^3071: they are equal.
 */
import { areUnits, bitLength, mod } from '../arith/integer.ts';
import type { Group, Point } from '../curves/group.ts';
import { concat, equalBytes, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { packBits, unpackBits } from './bits.ts';
import { intItem, natural, readNatural, readSigned, requireRange, requireUnits, signed } from './codec.ts';
import { bitChallenges, type ProofContext } from './context.ts';
import { foldBits, foldProduct, foldSum, foldWeights } from './folding.ts';
import { checkCiphertext, encrypt, scale, type PaillierKey } from './paillier.ts';
import {
  ELL_PRIME,
  EPSILON,
  N2_BYTES,
  N_BYTES,
  REPETITIONS,
  SCALAR_RESPONSE_BOUND,
  SCALAR_RESPONSE_BYTES,
} from './parameters.ts';
import { firstPoints, statementPoints } from './points.ts';

export const DEC_LABEL = 'dec/v1';

/** The most signers that the width of a response has room for. */
const MOST_SIGNERS = 64;

/**
 * 2^(Yb+ε): the largest absolute value of a response for y (derivation 1 and 2 above).
 * @param signers t, 2..64
 * @throws E_INTERNAL for another number
 */
export function decResponseBound(signers: number): bigint {
  if (!Number.isInteger(signers) || signers < 2 || signers > MOST_SIGNERS) fail('E_INTERNAL', 'a presignature has 2 to 64 signers');
  const log = bitLength(BigInt(signers - 1));
  return 1n << BigInt(ELL_PRIME + 2 * EPSILON + 1 + log);
}

/** Bytes of the absolute value of a response for y, whatever the number of signers. */
export const DEC_RESPONSE_BYTES = Math.ceil(bitLength(decResponseBound(MOST_SIGNERS)) / 8);

/** Bytes of a proof. */
export const DEC_BYTES =
  REPETITIONS / 8 + REPETITIONS * (N2_BYTES + (1 + SCALAR_RESPONSE_BYTES) + (1 + DEC_RESPONSE_BYTES)) + N_BYTES;

export interface DecStatement {
  readonly group: Group;
  /** The prover's key, of K and D. */
  readonly key: PaillierKey;
  readonly K: bigint;
  readonly D: bigint;
  readonly X: Point;
  readonly S: Point;
  readonly H: Point;
  /** t, 2..64: how many signers the presignature has. */
  readonly signers: number;
}

/** One repetition as it is sent. */
export interface DecRepetition {
  /** K^-α·enc(β; r), modulo N². */
  readonly A: bigint;
  /** α + e·x, an integer in ±2^(ℓ+ε). */
  readonly z: bigint;
  /** β + e·y, an integer in ±2^(Yb+ε). */
  readonly w: bigint;
}

/** The statement as it is hashed. @throws E_POINT for an identity */
export function decItems({ group, key, K, D, X, S, H, signers }: DecStatement): Item[] {
  return [intItem(key.n), intItem(K), intItem(D), statementPoints(group, { X, S, H }), signers];
}

/**
 * The bits of the challenge.
 * @param statement of {@link decItems}
 * @param points C_1, B_1, C_2, B_2, ...
 */
export function decChallenge(group: Group, ctx: ProofContext, statement: readonly Item[], As: readonly bigint[], points: readonly Point[]): boolean[] {
  return bitChallenges(DEC_LABEL, ctx, statement, [As.map((A) => natural(A, N2_BYTES)), firstPoints(group, points)]);
}

/** e ‖ m times (A ‖ z ‖ w): what the weights are a hash of. */
export function encodeDec(bits: readonly boolean[], repetitions: readonly DecRepetition[]): Uint8Array {
  return concat(
    packBits(bits),
    ...repetitions.flatMap(({ A, z, w }) => [natural(A, N2_BYTES), signed(z, SCALAR_RESPONSE_BYTES), signed(w, DEC_RESPONSE_BYTES)]),
  );
}

/**
 * @throws E_FORMAT on another length or form; E_POINT for an identity in the statement; E_RANGE for a value that is no
 *   unit and for a response out of its range; E_PROOF when the proof does not hold
 */
export function checkDec(ctx: ProofContext, st: DecStatement, proof: Uint8Array): void {
  const { group, key, K, D, X, S, H } = st;
  const bound = decResponseBound(st.signers);
  const reader = new Reader(proof);
  const e = reader.take(REPETITIONS / 8, 'e');
  const repetitions = Array.from({ length: REPETITIONS }, () => ({
    A: readNatural(reader, N2_BYTES, 'A'),
    z: readSigned(reader, SCALAR_RESPONSE_BYTES, 'z'),
    w: readSigned(reader, DEC_RESPONSE_BYTES, 'w'),
  }));
  const nu = readNatural(reader, N_BYTES, 'nu');
  reader.end();

  const statement = decItems(st);
  const [As, zs, ws] = [repetitions.map(({ A }) => A), repetitions.map(({ z }) => z), repetitions.map(({ w }) => w)];
  for (const z of zs) requireRange(z, SCALAR_RESPONSE_BOUND, 'z');
  for (const w of ws) requireRange(w, bound, 'w');
  checkCiphertext(key, K, 'K');
  checkCiphertext(key, D, 'D');
  requireUnits({ nu }, key.n);
  if (!areUnits(As, key.n2)) fail('E_RANGE', 'A is not a Paillier ciphertext', { field: 'A' });

  const bits = unpackBits(e);
  const points = repetitions.flatMap(({ z, w }, k) => {
    const [C, B] = [group.multiplyPublic(group.base, mod(z, group.order)), group.multiplyPublic(H, mod(w, group.order))];
    return bits[k] === true ? [C.subtract(X), B.subtract(S)] : [C, B];
  });
  if (!equalBytes(packBits(decChallenge(group, ctx, statement, As, points)), e)) fail('E_PROOF', 'Π-dec does not hold');

  const weights = foldWeights(DEC_LABEL, ctx, statement, proof.subarray(0, DEC_BYTES - N_BYTES));
  const { N2 } = key;
  const right = (foldProduct(N2, weights, As) * scale(key, D, foldBits(weights, bits)) * scale(key, K, foldSum(weights, zs))) % N2.n;
  if (encrypt(key, foldSum(weights, ws), nu) !== right) fail('E_PROOF', 'Π-dec does not hold');
}
