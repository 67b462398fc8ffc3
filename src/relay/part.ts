/**
 * A part: what one participant says to one other by way of a relay. Signed inside, sealed outside:
 *
 *   part    = sealed box to the reader of ( inner ‖ zeros up to the Padmé length of inner )
 *   inner   = LP(header) ‖ LP(signature) ‖ LP(payload)            LP: u32 length ‖ bytes
 *   header  = canonical JSON {from, identity, label, sid, to, v}
 *   signature by `identity` over the header, the reader's relay key and SHA-256 of the payload
 *
 * A sealed box says nothing about its maker, and a signed text without its reader can be sealed again to somebody else; hence the
 * reader's key in the signature. `sid` is the digest of the whole plan: ceremony, attempt, kind and roster hang on it.
 */
import * as v from 'valibot';
import { hex, nameOf } from '../plan/fields.ts';
import { encodeItem, sha256 } from '../wire/hash.ts';
import { LABEL } from './place.ts';

/** No honest header is longer. */
export const MAX_HEADER_BYTES = 512;

export const HeaderSchema = v.strictObject({
  v: v.literal(1),
  /** Session digest, 32 bytes. */
  sid: hex(32),
  from: nameOf('participant'),
  to: nameOf('participant'),
  label: v.pipe(v.string(), v.regex(LABEL, 'is not a label of a part')),
  /** Ed25519 key of the sender, 32 bytes. Only whoever opens the part sees it; which key it must be, the plan says. */
  identity: hex(32),
});
/** What a part says about itself; believed only after the signature was checked. */
export type PartHeader = v.InferOutput<typeof HeaderSchema>;

/** What the sender signs. @param reader its X25519 relay key, 32 bytes */
export function partSignedBytes(header: Uint8Array, reader: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeItem(['mpc-ceremony/relay-part/v1', header, reader, sha256(payload)]);
}
