/** Making a part: sign, pad, seal. The format stands in {@link ./part.ts}. */
import { concat, toHex, u32 } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import type { Signer } from '../wire/ed25519.ts';
import { fail } from '../wire/errors.ts';
import { padme } from './padme.ts';
import { partSignedBytes } from './part.ts';
import { LABEL } from './place.ts';
import type { RelayKey } from './relay-key.ts';
import { MAX_PAYLOAD_BYTES } from './relay.ts';

/** What goes into a part. */
export interface PartToSeal {
  /** Session digest, 32 bytes. */
  readonly sid: Uint8Array;
  /** Name of the sender, whose signer and relay key the following are. */
  readonly from: string;
  readonly to: string;
  /** {@link LABEL} */
  readonly label: string;
  /** At most 24 MiB. May be anything; nothing of it is seen outside the box but its padded length. */
  readonly payload: Uint8Array;
  /** X25519 relay key of the reader, from its card: 32 bytes. */
  readonly reader: Uint8Array;
  readonly signer: Signer;
  readonly key: RelayKey;
}

/**
 * The part as it lies in a relay: public bytes, the same ones for the same input.
 * @throws E_TOO_LARGE; E_POINT when nothing can be sealed to the reader's key
 */
export function sealPart(part: PartToSeal): Uint8Array {
  const { sid, from, to, label, payload, reader, signer, key } = part;
  if (sid.length !== 32 || !LABEL.test(label)) fail('E_INTERNAL', 'a part needs a session digest of 32 bytes and a label');
  if (payload.length > MAX_PAYLOAD_BYTES)
    fail('E_TOO_LARGE', `${String(payload.length)} bytes are more than a relay carries at once`, { remedy: 'Carry the folder itself.' });
  const header = canonicalBytes({ v: 1, sid: toHex(sid), from, to, label, identity: toHex(signer.publicKey) });
  const signature = signer.sign(partSignedBytes(header, reader, payload));
  const length = 12 + header.length + signature.length + payload.length;
  const zeros = new Uint8Array(padme(length) - length);
  const inner = concat(u32(header.length), header, u32(signature.length), signature, u32(payload.length), payload, zeros);
  const sealed = key.seal(reader, inner);
  inner.fill(0);
  return sealed;
}
