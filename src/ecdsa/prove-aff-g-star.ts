/** Π-aff-g* (A.5). Secret side. */
import { symmetric, unit } from '../arith/sample.ts';
import { concat } from '../wire/bytes.ts';
import { AFF_G_STAR_LABEL, affGStarChallenge, affGStarItems, encodeAffGStar, type AffGStarStatement } from './aff-g-star.ts';
import { natural } from './codec.ts';
import type { ProofContext } from './context.ts';
import { foldBits, foldProduct, foldWeights } from './folding.ts';
import { add, encrypt, scale } from './paillier.ts';
import { MASK_RESPONSE_BOUND, N_BYTES, REPETITIONS, SCALAR_RESPONSE_BOUND } from './parameters.ts';
import type { AffGWitness } from './prove-aff-g.ts';
import { multiple, proofRandom } from './prove-nonce.ts';

/**
 * @param st with the prover's own fast key as `own`
 * @param witness the one of Π-aff-g
 * @param seed 32 fresh bytes, secret
 * @returns the proof, public; one that does not hold where the witness is none
 * @throws E_POINT for an identity in the statement; E_RNG for a seed of another length; E_INTERNAL for an x or y that is too long
 */
export function proveAffGStar(
  ctx: ProofContext,
  st: AffGStarStatement,
  { x, y, rho, rhoY }: AffGWitness,
  seed: Uint8Array,
): Uint8Array {
  const { group, receiver, own, C } = st;
  const statement = affGStarItems(st);
  const random = proofRandom(AFF_G_STAR_LABEL, ctx, statement, [x, y, rho, rhoY], seed);
  const nonces = Array.from({ length: REPETITIONS }, () => ({
    alpha: symmetric(SCALAR_RESPONSE_BOUND, random),
    beta: symmetric(MASK_RESPONSE_BOUND, random),
    r: unit(receiver.n, random),
    s: unit(own.n, random),
  }));
  const first = nonces.map(({ alpha, beta, r, s }) => ({
    A: add(receiver, scale(receiver, C, alpha), encrypt(receiver, beta, r)),
    B: encrypt(own, beta, s),
  }));
  const points = nonces.map(({ alpha }) => multiple(group, group.base, alpha));
  const bits = affGStarChallenge(group, ctx, statement, first.flatMap(({ A, B }) => [A, B]), points);
  const repetitions = nonces.map(({ alpha, beta }, k) => {
    const { A, B } = first[k] as (typeof first)[number];
    return bits[k] === true ? { A, B, z: alpha + x, zy: beta + y } : { A, B, z: alpha, zy: beta };
  });
  const sent = encodeAffGStar(bits, repetitions);
  const weights = foldWeights(AFF_G_STAR_LABEL, ctx, statement, sent);
  const asked = foldBits(weights, bits);
  const rs = nonces.map(({ r }) => r);
  const ss = nonces.map(({ s }) => s);
  const w = (foldProduct(receiver.N, weights, rs) * receiver.N.pow(rho, asked)) % receiver.n;
  const lambda = (foldProduct(own.N, weights, ss) * own.N.pow(rhoY, asked)) % own.n;
  return concat(sent, natural(w, N_BYTES), natural(lambda, N_BYTES));
}
