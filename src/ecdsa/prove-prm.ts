/** Π-prm (A.5). Secret side. */
import { below } from '../arith/sample.ts';
import { concat } from '../wire/bytes.ts';
import { packBits } from './bits.ts';
import { natural } from './codec.ts';
import type { ProofContext } from './context.ts';
import { N_BYTES, REPETITIONS } from './parameters.ts';
import { PRM_LABEL, prmChallenge, prmItems, type PrmStatement } from './prm.ts';
import { proofRandom } from './prove-nonce.ts';

/** s = t^λ modulo N^; secret, and forgotten after this proof. */
export interface PrmWitness {
  readonly lambda: bigint;
  /** φ(N^). */
  readonly phi: bigint;
}

/**
 * @param st with arithmetic that knows the factors of N^, which is four times faster
 * @param seed 32 fresh bytes, secret
 * @returns e ‖ z_1 ‖ ... ‖ z_m, {@link PRM_BYTES}
 * @throws E_RNG; a false statement gives a proof that does not hold
 */
export function provePrm(ctx: ProofContext, st: PrmStatement, { lambda, phi }: PrmWitness, seed: Uint8Array): Uint8Array {
  const { t, M } = st.ring;
  const random = proofRandom(PRM_LABEL, ctx, prmItems(st), [lambda, phi], seed);
  const nonces = Array.from({ length: REPETITIONS }, () => below(phi, random));
  const bits = prmChallenge(ctx, st, nonces.map((a) => M.pow(t, a)));
  const responses = nonces.map((a, k) => natural(bits[k] === true ? (a + lambda) % phi : a, N_BYTES));
  return concat(packBits(bits), ...responses);
}
