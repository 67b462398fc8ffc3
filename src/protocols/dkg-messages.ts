/**
 * Messages of distributed key generation, on the wire.
 *
 *   commit   32 bytes: V, the hash of what `deal` will reveal
 *   deal     echo of the commits (32n) | salt 32 | chain-code part 32 | auxiliary part (ECDSA only) | dealing
 *   prove    ECDSA only, see auxiliary.ts
 *   confirm  see epoch.ts; or a complaint, a refusal, an abandonment in its place
 *   complaint  kind 1 | echo of the dealings (32n) | dealer 1 | complaint
 */
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { CLOSING } from './machine.ts';

/** What a dealer reveals. The dealing's own bytes are read by the sharing layer. */
export interface DealMessage {
  readonly echo: Uint8Array;
  readonly salt: Uint8Array;
  readonly chainPart: Uint8Array;
  /** What an ECDSA key needs besides (auxiliary.ts); empty for every other key. */
  readonly auxiliary: Uint8Array;
  readonly dealing: Uint8Array;
}

/** @throws E_FORMAT */
export function parseCommit(body: Uint8Array): Uint8Array {
  const r = new Reader(body);
  const V = r.take(32, 'V');
  r.end();
  return V;
}

export function dealBody(m: DealMessage): Uint8Array {
  return concat(m.echo, m.salt, m.chainPart, m.auxiliary, m.dealing);
}

/** @param seats number of participants @param dealing bytes of a dealing over the quorum @throws E_FORMAT, E_DEALING */
export function parseDeal(body: Uint8Array, seats: number, dealing: number): DealMessage {
  const r = new Reader(body);
  const head = { echo: r.take(32 * seats, 'echo'), salt: r.take(32, 'salt'), chainPart: r.take(32, 'chain code') };
  if (r.remaining < dealing) fail('E_DEALING', 'the dealing has another length than the quorum demands');
  return { ...head, auxiliary: r.take(r.remaining - dealing, 'auxiliary part'), dealing: r.take(dealing, 'dealing') };
}

/**
 * V: the commitment to a dealing before anybody reveals (32 bytes). Without it the last to speak chooses the key
 * (attack rows 19, 20, 25, 51).
 * @param commitments encoded public tree
 * @param possession encoded proof of possession
 */
export function commitment(
  sid: Uint8Array,
  leaf: number,
  opening: { readonly commitments: Uint8Array; readonly possession: Uint8Array } & Pick<DealMessage, 'chainPart' | 'salt' | 'auxiliary'>,
): Uint8Array {
  const { commitments, possession, chainPart, salt, auxiliary } = opening;
  return digest('dkg/commit/v1', sid, leaf, commitments, possession, chainPart, salt, auxiliary);
}

/** A complaint about one dealer's box: takes the place of the confirmation. */
export interface ComplaintMessage {
  readonly echo: Uint8Array;
  readonly dealer: number;
  readonly complaint: Uint8Array;
}

export function complaintBody(m: ComplaintMessage): Uint8Array {
  return concat(Uint8Array.of(CLOSING.complaint), m.echo, Uint8Array.of(m.dealer), m.complaint);
}

/** @throws E_FORMAT */
export function parseComplaint(body: Uint8Array, seats: number): ComplaintMessage {
  const r = new Reader(body);
  if (r.u8('kind') !== CLOSING.complaint) fail('E_FORMAT', 'not a complaint');
  return { echo: r.take(32 * seats, 'echo'), dealer: r.u8('dealer'), complaint: r.take(r.remaining, 'complaint') };
}
