/**
 * What the proofs of presigning are bound to, 32 bytes each (protocol notes A.2). Public.
 *
 * An offer depends on nothing but auxiliary information: a stocked one is bound to the epoch, its owner and its index.
 * From round 2 on everything is bound to the ceremony (its plan names key, epoch, signers, path and, where a message is
 * signed at once, the intent), to the number of the presignature in it, and to the very offers that are used.
 */
import { digest, sha256 } from '../wire/hash.ts';

/** Of an offer that was stocked with the confirmation of an epoch. @param epoch digest of the epoch, 32 bytes */
export function stockedOfferBinding(epoch: Uint8Array, leaf: number, index: number): Uint8Array {
  return digest('presign/stocked-offer/v1', epoch, leaf, index);
}

/** Of an offer made in the ceremony that uses it. */
export function offerBinding(sid: Uint8Array, epoch: Uint8Array, leaf: number, index: number): Uint8Array {
  return digest('presign/offer/v1', sid, epoch, leaf, index);
}

/** Of rounds 2, 3 and the error rounds. @param offers of all signers, by ascending leaf id */
export function roundBinding(sid: Uint8Array, epoch: Uint8Array, index: number, offers: readonly Uint8Array[]): Uint8Array {
  return digest('presign/rounds/v1', sid, epoch, index, offers.map(sha256));
}

/** Hash of an offer, by which a plan names it. */
export function offerHash(offer: Uint8Array): Uint8Array {
  return digest('presign/offer-hash/v1', offer);
}
