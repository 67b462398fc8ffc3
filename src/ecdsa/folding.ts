/**
 * One weighted equation in place of one for each repetition, for the proofs of the error rounds. Public; the prover uses
 * the same functions on what it hides. [own derivation, for review]
 *
 * The repetitions of these proofs each claim an equation between Paillier ciphertexts, U_k = enc(u_k; ν_k) with the
 * prover's ν_k, and the power ν_k^N is nearly all that the check costs: 19 ms, 128 times. Here the prover sends the
 * ciphertexts of its first message, and then, for weights c_k of 128 bits from a hash over everything sent so far, the
 * one nonce ν = Π ν_k^c_k; what is checked is Π U_k^c_k = enc(Σ c_k·u_k; ν).
 *
 * It proves the same. A unit modulo N² has exactly one plaintext modulo N, because gcd(N, φ(N)) = 1 (Π-mod), and taking
 * it turns products into sums. Let δ_k be the plaintext of U_k minus u_k. The equation says Σ c_k·δ_k = 0 mod N. If one
 * δ_k is not 0 modulo N, it is not 0 modulo a prime p of N, and p > 2^128 (Π-fac), so at most one value of c_k below
 * 2^128 fits the others: the equation holds with probability 2^-128 for every try of the hash. Else every U_k
 * holds u_k, and it has a nonce, which nobody asks for. It shows less: ν is a function of what the separate nonces show.
 * The factors of the units which are no plaintext, elements of small order among them, have no part in any statement;
 * that is different modulo N^, where nothing of the kind may be folded.
 */
import { fromBytes } from '../arith/integer.ts';
import type { Modulus } from '../arith/modulus.ts';
import type { Item } from '../wire/hash.ts';
import { challengeStream, type ProofContext } from './context.ts';
import { REPETITIONS } from './parameters.ts';

/** Bytes of a weight: as many bits as a challenge has, so that the fold is no weaker than what it folds. */
const WEIGHT_BYTES = 16;

/**
 * The weights, each uniform in [0, 2^128), {@link REPETITIONS} of them.
 * @param label of the proof; the weights and its challenge are different hashes
 * @param sent the proof up to here: challenge, first message, responses
 */
export function foldWeights(label: string, ctx: ProofContext, statement: readonly Item[], sent: Uint8Array): bigint[] {
  const stream = challengeStream(`${label}/weights`, ctx, statement, [sent]);
  return Array.from({ length: REPETITIONS }, () => fromBytes(stream(WEIGHT_BYTES)));
}

/** Σ c_k·n_k over the integers. Secret if a number is. */
export function foldSum(weights: readonly bigint[], numbers: readonly bigint[]): bigint {
  return numbers.reduce((sum, n, k) => sum + n * (weights[k] as bigint), 0n);
}

/** Σ c_k·e_k: how often what the challenge asks for is in the fold. */
export function foldBits(weights: readonly bigint[], bits: readonly boolean[]): bigint {
  return weights.reduce((sum, c, k) => (bits[k] === true ? sum + c : sum), 0n);
}

/** Π b_k^c_k modulo n. Secret if a base is. */
export function foldProduct(modulus: Modulus, weights: readonly bigint[], bases: readonly bigint[]): bigint {
  return bases.reduce((product, b, k) => (product * modulus.pow(b, weights[k] as bigint)) % modulus.n, 1n);
}
