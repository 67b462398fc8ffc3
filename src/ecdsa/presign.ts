/**
 * What all rounds of presigning share ("CGGMP24 presigning", A.11): curves, parties, the order in which entries stand,
 * and what every proof is bound to. Public.
 *
 * An *entry* is what one participant says in one round about one presignature; a message of a batch holds several of
 * one length. All arguments and results are plain data, points and scalars as bytes, so that each function can run in a
 * worker thread. A check throws, and what it throws is about the sender of the entry and nobody else.
 */
import { fail } from '../wire/errors.ts';
import type { AuxInfo } from './aux-info.ts';
import { inRole, type ProofContext } from './context.ts';
import { paillierKey, type PaillierKey } from './paillier.ts';
import { ringPedersen, type RingPedersen } from './ring-pedersen.ts';

/** The groups of ECDSA keys. In both a point has 33 bytes and a scalar 32. */
export type CurveName = 'secp256k1' | 'p256';

/** Auxiliary information with its owner, a leaf of the quorum expression (1 or more). */
export interface PartyAux extends AuxInfo {
  readonly leaf: number;
}

/** One participant's entry of a round. */
export interface Entry {
  readonly leaf: number;
  readonly bytes: Uint8Array;
}

/** The two multiplications: k·γ, from which the nonce comes, and k·x, the key's part. */
export type Which = 'gamma' | 'chi';
/** Both, in the order in which they stand in an entry. */
export const WHICH = ['gamma', 'chi'] as const satisfies readonly Which[];

/** What a proof says; part of its context, so that no proof passes for another of the same kind (attack row 16). */
export type Role =
  | 'enc-elg/k'
  | 'enc-elg/gamma'
  | 'elog/gamma'
  | 'elog/delta'
  | `aff-g/${Which}`
  | `aff-g-star/${Which}`
  | `dec/${Which}`;

/** The keys of a party in the form in which they compute; an owner's are faster and hold secrets. */
export interface PartyKeys {
  readonly paillier: PaillierKey;
  readonly pedersen: RingPedersen;
}

/** The keys from published auxiliary information, which was checked when it was published. */
export function partyKeys(aux: AuxInfo): PartyKeys {
  return { paillier: paillierKey(aux.n), pedersen: ringPedersen(aux.nHat, aux.s, aux.t) };
}

/**
 * The context of one proof.
 * @param bind 32 bytes, the digest of everything that the round is about, the number of the presignature among it
 * @param verifier a leaf, or 0 for a proof to everybody
 */
export function proofContext(bind: Uint8Array, role: Role, prover: number, verifier = 0): ProofContext {
  if (bind.length !== 32) fail('E_INTERNAL', 'a context is a digest of 32 bytes');
  return inRole({ bind, prover, verifier }, role);
}

/** The leaves by ascending number without one: the order in which an entry addresses them. @throws E_INTERNAL on a repeated leaf */
export function othersOf(leaves: readonly number[], self: number): number[] {
  if (new Set(leaves).size !== leaves.length) fail('E_INTERNAL', 'a leaf stands twice');
  return leaves.filter((leaf) => leaf !== self).sort((a, b) => a - b);
}

/** Where in the entry of `from` the part for `to` stands. @throws E_INTERNAL when `to` is not addressed */
export function placeOf(leaves: readonly number[], from: number, to: number): number {
  const at = othersOf(leaves, from).indexOf(to);
  if (at < 0) fail('E_INTERNAL', 'the entry does not address this leaf');
  return at;
}

/** The entry of a leaf. @throws E_INTERNAL when there is none: the caller knows who must have spoken */
export function entryOf(entries: readonly Entry[], leaf: number): Uint8Array {
  return (entries.find((e) => e.leaf === leaf) ?? fail('E_INTERNAL', 'an entry of this leaf is missing')).bytes;
}
