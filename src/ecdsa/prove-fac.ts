/** Π-fac (A.5). Secret side. */
import { symmetric } from '../arith/sample.ts';
import { concat } from '../wire/bytes.ts';
import { natural, signed } from './codec.ts';
import type { ProofContext } from './context.ts';
import { FAC_LABEL, FAC_WIDTHS, facChallenge, facItems, factorBound, type FacStatement } from './fac.ts';
import { N_BYTES, SCALAR_BOUND, SCALAR_RESPONSE_BOUND } from './parameters.ts';
import { proofRandom } from './prove-nonce.ts';
import { commit } from './ring-pedersen.ts';

/** The primes of N, secret. */
export interface FacWitness {
  readonly p: bigint;
  readonly q: bigint;
}

/**
 * @param st whose parameters passed Π-prm: under others, P and Q may not hide p and q
 * @param seed 32 fresh bytes, secret
 * @returns P ‖ Q ‖ e ‖ z1 ‖ z2 ‖ w1 ‖ w2 ‖ v, {@link FAC_BYTES}
 * @throws E_RNG, E_INTERNAL when a response does not fit; other false statements give a proof that does not hold
 */
export function proveFac(ctx: ProofContext, st: FacStatement, { p, q }: FacWitness, seed: Uint8Array): Uint8Array {
  const { n, ring } = st;
  const { nHat, t, M } = ring;
  const random = proofRandom(FAC_LABEL, ctx, facItems(st), [p, q], seed);
  const bound = factorBound(n);
  const alpha = symmetric(bound, random);
  const beta = symmetric(bound, random);
  const mu = symmetric(SCALAR_BOUND * nHat, random);
  const nu = symmetric(SCALAR_BOUND * nHat, random);
  const r = symmetric(SCALAR_RESPONSE_BOUND * n * nHat, random);
  const x = symmetric(SCALAR_RESPONSE_BOUND * nHat, random);
  const y = symmetric(SCALAR_RESPONSE_BOUND * nHat, random);
  const P = commit(ring, p, mu);
  const Q = commit(ring, q, nu);
  const A = commit(ring, alpha, x);
  const B = commit(ring, beta, y);
  const T = (M.pow(Q, alpha) * M.pow(t, r)) % nHat;
  const e = facChallenge(ctx, st, { P, Q, A, B, T });
  return concat(
    natural(P, N_BYTES),
    natural(Q, N_BYTES),
    signed(e, FAC_WIDTHS.e),
    signed(alpha + e * p, FAC_WIDTHS.z),
    signed(beta + e * q, FAC_WIDTHS.z),
    signed(x + e * mu, FAC_WIDTHS.w),
    signed(y + e * nu, FAC_WIDTHS.w),
    signed(r - e * nu * p, FAC_WIDTHS.v),
  );
}
