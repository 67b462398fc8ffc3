/**
 * Π-prm: s is a power of t modulo N^ (CGGMP24; A.5). With it, commitments under (N^, s, t) hide, whoever made the
 * parameters (attack rows 1, 2, 3, 9). Public side.
 *
 * On the wire e ‖ z_1 ‖ ... ‖ z_m with one bit of e for each repetition. The first message follows, A_k = t^z_k·s^-e_k,
 * and the proof holds if its challenge is e again. One-bit challenges are not to be replaced by a long one: in a group
 * of unknown order, an s outside of the group of t would pass it with the probability that a small number divides it.
 */
import { equalBytes, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { requireBases, requireComposite } from './aux-info.ts';
import { packBits, unpackBits } from './bits.ts';
import { intItem, natural, readNatural } from './codec.ts';
import { bitChallenges, type ProofContext } from './context.ts';
import { N_BYTES, REPETITIONS } from './parameters.ts';
import type { RingPedersen } from './ring-pedersen.ts';

export const PRM_LABEL = 'prm/v1';

/** Bytes of a proof. */
export const PRM_BYTES = REPETITIONS / 8 + REPETITIONS * N_BYTES;

export interface PrmStatement {
  /** The prover's parameters. */
  readonly ring: RingPedersen;
}

/** The statement as it is hashed. */
export function prmItems({ ring: { nHat, s, t } }: PrmStatement): Item[] {
  return [nHat, s, t].map(intItem);
}

/** The bits of the challenge for the elements A_k of a first message. */
export function prmChallenge(ctx: ProofContext, st: PrmStatement, first: readonly bigint[]): boolean[] {
  return bitChallenges(PRM_LABEL, ctx, prmItems(st), first.map((A) => natural(A, N_BYTES)));
}

/**
 * @throws E_FORMAT on another length; E_MODULUS when the form of N^, s or t is wrong; E_RANGE for a response that is not
 * below N^; E_PROOF when it does not hold
 */
export function checkPrm(ctx: ProofContext, st: PrmStatement, proof: Uint8Array): void {
  const { nHat, s, t, M } = st.ring;
  const reader = new Reader(proof);
  const challenge = reader.take(REPETITIONS / 8, 'challenge');
  const responses = Array.from({ length: REPETITIONS }, () => readNatural(reader, N_BYTES, 'response'));
  reader.end();
  requireComposite(nHat, 'the ring-Pedersen modulus');
  requireBases(st.ring);
  if (!responses.every((z) => z < nHat)) fail('E_RANGE', 'a response of Π-prm is not below the modulus');
  const inverse = M.pow(s, -1n);
  const bits = unpackBits(challenge);
  const first = responses.map((z, k) => {
    const power = M.pow(t, z);
    // by chance with a probability of 2^-1500; a t of small order would make this check twice as slow otherwise
    if (power === 1n || power === nHat - 1n) fail('E_PROOF', 'a power of t in Π-prm is 1 or -1');
    return bits[k] === true ? (power * inverse) % nHat : power;
  });
  if (!equalBytes(packBits(prmChallenge(ctx, st, first)), challenge)) fail('E_PROOF', 'Π-prm does not hold');
}
