/** Checking signature shares and adding them up. Public. */
import { fail } from '../wire/errors.ts';
import type { SigningRequest } from './request.ts';
import type { SigningSeat } from './signing-key.ts';
import { suite } from './suite.ts';
import { verifySignature } from './verify-signature.ts';

/** A signature that verifies under the request's output key, or the ids of everybody whose share is wrong. */
export type Aggregate =
  | { readonly kind: 'signature'; readonly signature: Uint8Array }
  | { readonly kind: 'cheaters'; readonly ids: readonly number[] };

function seatOf(request: SigningRequest, id: number): SigningSeat {
  return (
    request.key.seats.find((seat) => seat.leaf.id === id) ??
    fail('E_NOT_PARTICIPANT', `id ${String(id)} is not one of the signers`)
  );
}

function wellFormed(request: SigningRequest, share: Uint8Array): boolean {
  try {
    suite(request.key.scheme).group.decodeScalar(share);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a signature share fits the request and the verification share of its owner (RFC 9591 section 5.4).
 * A share that is not a canonical scalar does not.
 * @throws E_NOT_PARTICIPANT when the id is not one of the signers
 */
export function verifyShare(request: SigningRequest, id: number, share: Uint8Array): boolean {
  const { identifier } = seatOf(request, id);
  if (!wellFormed(request, share)) return false;
  const { frost } = suite(request.key.scheme);
  return frost.verifyShare(request.key.frost, [...request.list], request.message, identifier, share);
}

/**
 * Adds up the shares of all signers (RFC 9591 section 5.3).
 * @param shares by leaf id: one of each signer
 * @returns the signature; or, when the sum is wrong, all whose share is, by ascending id. Wrong shares whose errors
 *   cancel out give a signature and name nobody
 * @throws E_MISSING or E_NOT_PARTICIPANT when the shares are not those of the signers; E_INTERNAL when the sum does
 *   not verify although every share does: then nobody is to blame
 */
export function aggregate(request: SigningRequest, shares: ReadonlyMap<number, Uint8Array>): Aggregate {
  const { key, list, message } = request;
  for (const id of shares.keys()) seatOf(request, id);
  const given = key.seats.map((seat) => ({
    seat,
    share:
      shares.get(seat.leaf.id) ??
      fail('E_MISSING', `no signature share of ${seat.leaf.name}`, { participant: seat.leaf.name }),
  }));

  const attribute = (cause: unknown): Aggregate => {
    const ids = given.filter((g) => !verifyShare(request, g.seat.leaf.id, g.share)).map((g) => g.seat.leaf.id);
    if (ids.length === 0) fail('E_INTERNAL', 'every signature share verifies, their sum does not', { cause });
    return { kind: 'cheaters', ids };
  };

  const { frost } = suite(key.scheme);
  const byIdentifier = Object.fromEntries(given.map((g) => [g.seat.identifier, g.share]));
  let signature: Uint8Array;
  try {
    signature = frost.aggregate(key.frost, [...list], message, byIdentifier);
  } catch (cause) {
    // its error may name the cheaters, but not when it stops at a malformed scalar
    return attribute(cause);
  }
  if (!verifySignature(key.scheme, key.outputKey, message, signature))
    fail('E_INTERNAL', 'the signature does not verify under the output key');
  return { kind: 'signature', signature };
}
