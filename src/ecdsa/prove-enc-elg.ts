/** Π-enc-elg (A.5). Secret side. */
import { mod } from '../arith/integer.ts';
import { symmetric, unit } from '../arith/sample.ts';
import type { ProofContext } from './context.ts';
import { ENC_ELG_LABEL, encElgChallenge, encElgItems, encodeEncElg, type EncElgStatement } from './enc-elg.ts';
import { encrypt } from './paillier.ts';
import { SCALAR_BOUND, SCALAR_RESPONSE_BOUND } from './parameters.ts';
import { multiple, proofRandom } from './prove-nonce.ts';
import { commit } from './ring-pedersen.ts';

/** C = enc(x; ρ), B = b·G, X = b·A + x·G; secret. */
export interface EncElgWitness {
  /** The centred lift that is encrypted, in ±2^ℓ. */
  readonly x: bigint;
  /** Unit modulo N. */
  readonly rho: bigint;
  /** Modulo q. */
  readonly b: bigint;
}

/**
 * @param seed 32 fresh bytes, secret
 * @returns the proof, public; one that does not hold where the witness is none
 * @throws E_POINT for an identity in the statement; E_RNG for a seed of another length
 */
export function proveEncElg(ctx: ProofContext, st: EncElgStatement, { x, rho, b }: EncElgWitness, seed: Uint8Array): Uint8Array {
  const { group, key, ring, A } = st;
  const { base, order } = group;
  const statement = encElgItems(st);
  const random = proofRandom(ENC_ELG_LABEL, ctx, statement, [x, rho, b], seed);
  const alpha = symmetric(SCALAR_RESPONSE_BOUND, random);
  const mu = symmetric(SCALAR_BOUND * ring.nHat, random);
  const gamma = symmetric(SCALAR_RESPONSE_BOUND * ring.nHat, random);
  const r = unit(key.n, random);
  const beta = group.randomScalar(random);
  const S = commit(ring, x, mu);
  const challenge = encElgChallenge(group, ctx, statement, {
    S,
    T: commit(ring, alpha, gamma),
    D: encrypt(key, alpha, r),
    Y: multiple(group, A, beta).add(multiple(group, base, alpha)),
    Z: multiple(group, base, beta),
  });
  const { e } = challenge;
  return encodeEncElg(group, {
    challenge,
    S,
    z1: alpha + e * x,
    z2: (r * key.N.pow(rho, e)) % key.n,
    z3: gamma + e * mu,
    w: mod(beta + e * b, order),
  });
}
