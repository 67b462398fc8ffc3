/**
 * Messages of refresh, reshare and import, on the wire. Their form follows from the plan: who deals, who receives, which
 * quorum; no length is stated.
 *
 *   deal      V 32 (receivers of an ECDSA key) | dealing (dealers)
 *   reveal    ECDSA only: echo of the deals | salt 32 | auxiliary part
 *   prove     ECDSA only, see auxiliary.ts
 *   confirm   see epoch.ts; or a complaint, a refusal, an abandonment in its place
 */
import { concat, Reader } from '../wire/bytes.ts';
import { digest } from '../wire/hash.ts';

/** What a participant says first. */
export interface RekeyDeal {
  /** Commitment to the auxiliary part, 32 bytes; empty where none follows. */
  readonly commitment: Uint8Array;
  /** Empty where this participant does not deal. */
  readonly dealing: Uint8Array;
}

export function rekeyDealBody({ commitment, dealing }: RekeyDeal): Uint8Array {
  return concat(commitment, dealing);
}

/**
 * @param commits whether this participant commits to auxiliary information
 * @throws E_FORMAT
 */
export function parseRekeyDeal(body: Uint8Array, commits: boolean): RekeyDeal {
  const r = new Reader(body);
  return { commitment: r.take(commits ? 32 : 0, 'V'), dealing: r.take(r.remaining, 'dealing') };
}

/** Auxiliary information as it is revealed. */
export interface Reveal {
  readonly echo: Uint8Array;
  readonly salt: Uint8Array;
  readonly auxiliary: Uint8Array;
}

export function revealBody({ echo, salt, auxiliary }: Reveal): Uint8Array {
  return concat(echo, salt, auxiliary);
}

/** @param echoes number of messages of the round before @param bytes of the auxiliary part @throws E_FORMAT */
export function parseReveal(body: Uint8Array, echoes: number, bytes: number): Reveal {
  const r = new Reader(body);
  const reveal = { echo: r.take(32 * echoes, 'echo'), salt: r.take(32, 'salt'), auxiliary: r.take(bytes, 'auxiliary part') };
  r.end();
  return reveal;
}

/** V: the commitment to auxiliary information before anybody reveals theirs (32 bytes). @param salt 32 bytes */
export function auxiliaryCommitment(sid: Uint8Array, leaf: number, salt: Uint8Array, auxiliary: Uint8Array): Uint8Array {
  return digest('rekey/commit/v1', sid, leaf, salt, auxiliary);
}
