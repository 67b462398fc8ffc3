/**
 * Where a part lies. The box of a ceremony is known to everybody who takes part, a door to two; the name of a place follows
 * from a secret that two relay keys share, so that nobody else can guess it, fill it first, or see who speaks to whom.
 */
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';

/** Name of what a part carries: `opening`, `message-N`, `evidence-N`, `end`, `abort`, or another word of at most 16 letters with a suffix. */
export const LABEL = /^[a-z]{1,16}(?:-[a-z0-9]{1,64})?$/;
/** The label of what lies at a door. */
export const OPENING = 'opening';

const PLACE_BYTES = 16;

/** The box of a ceremony: 32 hex digits. @param sid its 32-byte session digest; public among the participants */
export function boxOf(sid: Uint8Array): string {
  if (sid.length !== 32) fail('E_INTERNAL', 'a session digest has 32 bytes');
  return toHex(digest('relay-box', sid).subarray(0, PLACE_BYTES));
}

/**
 * The door at which one lead leaves openings for one reader: 32 hex digits. Only these two know where it is, so nobody else can fill or
 * watch it.
 * @param shared what their relay keys share (32 bytes, secret): {@link ./relay-key.ts}
 */
export function doorOf(shared: Uint8Array, from: string, to: string): string {
  if (shared.length !== 32) fail('E_INTERNAL', 'a shared secret has 32 bytes');
  return toHex(digest('relay-door', shared, from, to).subarray(0, PLACE_BYTES));
}

/**
 * The name of a place: 32 hex digits, public once something lies there.
 * @param shared what the relay keys of sender and reader share (32 bytes, secret): {@link ./relay-key.ts}
 * @param place.from and place.to: names of sender and reader; place.label: {@link LABEL}
 */
export function placeName(shared: Uint8Array, place: { readonly sid: Uint8Array; readonly from: string; readonly to: string; readonly label: string }): string {
  if (shared.length !== 32 || place.sid.length !== 32) fail('E_INTERNAL', 'a shared secret and a session digest have 32 bytes');
  if (!LABEL.test(place.label)) fail('E_INTERNAL', `no label of a part: ${place.label}`);
  return toHex(digest('relay-place', shared, place.sid, place.from, place.to, place.label).subarray(0, PLACE_BYTES));
}
