/** Π-elog (A.5). Secret side. */
import { mod } from '../arith/integer.ts';
import type { ProofContext } from './context.ts';
import { ELOG_LABEL, elogChallenge, elogItems, encodeElog, type ElogStatement } from './elog.ts';
import { multiple, proofRandom } from './prove-nonce.ts';

/** L = λ·G, M = y·G + λ·X, Y = y·H; secret, modulo q. */
export interface ElogWitness {
  readonly y: bigint;
  readonly lambda: bigint;
}

/**
 * @param seed 32 fresh bytes, secret
 * @returns the proof, public; one that does not hold where the witness is none
 * @throws E_POINT for an identity in the statement; E_RNG for a seed of another length
 */
export function proveElog(ctx: ProofContext, st: ElogStatement, { y, lambda }: ElogWitness, seed: Uint8Array): Uint8Array {
  const { group, X, H } = st;
  const { base, order } = group;
  const statement = elogItems(st);
  const random = proofRandom(ELOG_LABEL, ctx, statement, [y, lambda], seed);
  const alpha = group.randomScalar(random);
  const m = group.randomScalar(random);
  const A = multiple(group, base, alpha);
  const N = multiple(group, base, m).add(multiple(group, X, alpha));
  const B = multiple(group, H, m);
  const challenge = elogChallenge(group, ctx, statement, { A, N, B });
  const { e } = challenge;
  return encodeElog(group, { challenge, z: mod(alpha + e * lambda, order), u: mod(m + e * y, order) });
}
