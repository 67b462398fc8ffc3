/** SECRET: the signature share of one participant. The only place where a key share and nonces meet. */
import { concat, equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { verifyShare } from './aggregate.ts';
import { decodeNonces } from './nonce.ts';
import type { SigningRequest } from './request.ts';
import { suite } from './suite.ts';

/** Secrets of one participant; all bytes in the suite's own order. */
export interface OwnSecrets {
  readonly id: number;
  /** The leaf share of the epoch, before any adjustment. */
  readonly share: Uint8Array;
  /** As made by makeNonces: hiding ‖ binding. Overwritten with zeros once the share is computed. */
  readonly nonces: Uint8Array;
}

/**
 * The participant's signature share for a request (RFC 9591 section 5.2), 32 to 57 bytes, public.
 * The caller has recorded durably that the nonces are spent on this request's hash, and has a decision to release.
 * @throws E_NOT_PARTICIPANT when the id is not one of the signers, E_NONCE_BURNED when the nonces were used before,
 *   E_COMMIT when the request does not hold the commitment of these nonces under the own id, E_EPOCH when the share is
 *   not the one that the epoch's verification share belongs to, E_SCALAR or E_STATE when the secrets are damaged,
 *   E_INTERNAL when the result fails its own check: then nothing is released and the nonces are gone
 */
export function signShare(request: SigningRequest, own: OwnSecrets): Uint8Array {
  const { key } = request;
  const { group, frost } = suite(key.scheme);
  const at = key.seats.findIndex((s) => s.leaf.id === own.id);
  const seat = key.seats[at];
  const commitment = request.commitments[at];
  if (seat === undefined || commitment === undefined)
    return fail('E_NOT_PARTICIPANT', 'this participant is not one of the signers');

  const nonces = decodeNonces(key.scheme, own.nonces);
  // a commitment of somebody else's making under the own id would let its maker choose the nonce
  const [hiding, binding] = [nonces.hiding, nonces.binding].map((nonce) =>
    group.encodePoint(group.multiply(group.base, group.decodeScalar(nonce))),
  ) as [Uint8Array, Uint8Array];
  const mine = concat(hiding, binding);
  if (!equalBytes(mine, commitment.commitment))
    fail('E_COMMIT', 'the request does not hold the commitment of these nonces', { participant: seat.leaf.name });

  const x = group.decodeScalar(own.share);
  // a share of another epoch would be blamed on its owner at aggregation
  if (x === 0n || !group.multiply(group.base, x).equals(seat.leafPoint))
    fail('E_EPOCH', 'the key share is not the one of this epoch', { participant: seat.leaf.name });

  const shifted = seat.scale * x + key.shift;
  const adjusted = ((((key.negate ? -shifted : shifted) + key.tweak) % group.order) + group.order) % group.order;
  const signingShare = frost.utils.Fn.toBytes(adjusted);
  let share: Uint8Array;
  try {
    const secret = { identifier: seat.identifier, signingShare };
    share = frost.signShare(secret, key.frost, nonces, [...request.list], request.message);
    own.nonces.fill(0);
  } finally {
    for (const copy of [signingShare, nonces.hiding, nonces.binding]) copy.fill(0);
  }
  if (!verifyShare(request, own.id, share)) fail('E_INTERNAL', 'the signature share fails its own check');
  return share;
}
