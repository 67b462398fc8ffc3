/** Π-aff-g (A.5). Secret side. */
import { symmetric, unit } from '../arith/sample.ts';
import { AFF_G_LABEL, affGChallenge, affGItems, encodeAffG, type AffGStatement } from './aff-g.ts';
import type { ProofContext } from './context.ts';
import { add, encrypt, scale } from './paillier.ts';
import { MASK_RESPONSE_BOUND, SCALAR_BOUND, SCALAR_RESPONSE_BOUND } from './parameters.ts';
import { multiple, proofRandom } from './prove-nonce.ts';
import { commit } from './ring-pedersen.ts';

/** D = C^x · enc_j(y; ρ), Y = enc_i(y; ρ_y), X = x·G; secret. */
export interface AffGWitness {
  /** Centred lift, in ±2^ℓ. */
  readonly x: bigint;
  /** In ±2^ℓ'. */
  readonly y: bigint;
  /** Unit modulo N_j. */
  readonly rho: bigint;
  /** Unit modulo N_i. */
  readonly rhoY: bigint;
}

/**
 * @param seed 32 fresh bytes, secret
 * @returns the proof, public; one that does not hold where the witness is none
 * @throws E_POINT for an identity in the statement; E_RNG for a seed of another length
 */
export function proveAffG(ctx: ProofContext, st: AffGStatement, { x, y, rho, rhoY }: AffGWitness, seed: Uint8Array): Uint8Array {
  const { group, receiver, own, ring, C } = st;
  const statement = affGItems(st);
  const random = proofRandom(AFF_G_LABEL, ctx, statement, [x, y, rho, rhoY], seed);
  const alpha = symmetric(SCALAR_RESPONSE_BOUND, random);
  const beta = symmetric(MASK_RESPONSE_BOUND, random);
  const [gamma, delta] = [symmetric(SCALAR_RESPONSE_BOUND * ring.nHat, random), symmetric(SCALAR_RESPONSE_BOUND * ring.nHat, random)];
  const [m, mu] = [symmetric(SCALAR_BOUND * ring.nHat, random), symmetric(SCALAR_BOUND * ring.nHat, random)];
  const r = unit(receiver.n, random);
  const ry = unit(own.n, random);
  const S = commit(ring, x, m);
  const T = commit(ring, y, mu);
  const challenge = affGChallenge(group, ctx, statement, {
    A: add(receiver, scale(receiver, C, alpha), encrypt(receiver, beta, r)),
    Bx: multiple(group, group.base, alpha),
    By: encrypt(own, beta, ry),
    E: commit(ring, alpha, gamma),
    F: commit(ring, beta, delta),
    S,
    T,
  });
  const { e } = challenge;
  return encodeAffG({
    challenge,
    S,
    T,
    z1: alpha + e * x,
    z2: beta + e * y,
    z3: gamma + e * m,
    z4: delta + e * mu,
    w: (r * receiver.N.pow(rho, e)) % receiver.n,
    wy: (ry * own.N.pow(rhoY, e)) % own.n,
  });
}
