/** Π-dec (A.5). Secret side. */
import { symmetric, unit } from '../arith/sample.ts';
import { concat } from '../wire/bytes.ts';
import { natural } from './codec.ts';
import type { ProofContext } from './context.ts';
import { DEC_LABEL, decChallenge, decItems, decResponseBound, encodeDec, type DecStatement } from './dec.ts';
import { foldBits, foldProduct, foldWeights } from './folding.ts';
import { add, encrypt, scale } from './paillier.ts';
import { N_BYTES, REPETITIONS, SCALAR_RESPONSE_BOUND } from './parameters.ts';
import { multiple, proofRandom } from './prove-nonce.ts';

/** enc(y; ρ) = K^x·D, X = x·G, S = y·H; secret. */
export interface DecWitness {
  /** Centred lift, in ±2^ℓ. */
  readonly x: bigint;
  /** The plaintext of K^x·D as an integer, in ±2^Yb: not reduced by the order. */
  readonly y: bigint;
  /** Unit modulo N; OwnedPaillierKey.nonceOf gives it. */
  readonly rho: bigint;
}

/**
 * @param st with the owner's key, which is more than twice as fast
 * @param seed 32 fresh bytes, secret
 * @returns the proof, public; one that does not hold where the witness is none
 * @throws E_POINT for an identity in the statement; E_RNG for a seed of another length; E_INTERNAL for a y that is too long
 */
export function proveDec(ctx: ProofContext, st: DecStatement, { x, y, rho }: DecWitness, seed: Uint8Array): Uint8Array {
  const { group, key, K, H } = st;
  const bound = decResponseBound(st.signers);
  const statement = decItems(st);
  const random = proofRandom(DEC_LABEL, ctx, statement, [x, y, rho], seed);
  const nonces = Array.from({ length: REPETITIONS }, () => ({
    alpha: symmetric(SCALAR_RESPONSE_BOUND, random),
    beta: symmetric(bound, random),
    r: unit(key.n, random),
  }));
  const As = nonces.map(({ alpha, beta, r }) => add(key, scale(key, K, -alpha), encrypt(key, beta, r)));
  const points = nonces.flatMap(({ alpha, beta }) => [multiple(group, group.base, alpha), multiple(group, H, beta)]);
  const bits = decChallenge(group, ctx, statement, As, points);
  const repetitions = nonces.map(({ alpha, beta }, k) =>
    bits[k] === true ? { A: As[k] as bigint, z: alpha + x, w: beta + y } : { A: As[k] as bigint, z: alpha, w: beta },
  );
  const sent = encodeDec(bits, repetitions);
  const weights = foldWeights(DEC_LABEL, ctx, statement, sent);
  const rs = nonces.map(({ r }) => r);
  const nu = (foldProduct(key.N, weights, rs) * key.N.pow(rho, foldBits(weights, bits))) % key.n;
  return concat(sent, natural(nu, N_BYTES));
}
