/**
 * Opening a part. The place where it lay says what it must be; a part that is anything else is refused, never tried as
 * something else. No text of a refusal holds a byte of what was inside, since whoever fills places must learn nothing from it.
 */
import * as v from 'valibot';
import { fromHex, Reader, toHex } from '../wire/bytes.ts';
import { parseCanonical } from '../wire/canon.ts';
import { verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { padme } from './padme.ts';
import { HeaderSchema, MAX_HEADER_BYTES, type PartHeader, partSignedBytes } from './part.ts';
import { OPENING } from './place.ts';
import type { RelayKey } from './relay-key.ts';
import { MAX_PART_BYTES, MAX_PAYLOAD_BYTES } from './relay.ts';

/** What a part must be, known before it is read. */
export interface ExpectedPart {
  /** Session digest, 32 bytes. */
  readonly sid: Uint8Array;
  readonly from: string;
  /** Ed25519 key of the sender, from the plan: 32 bytes. */
  readonly identity: Uint8Array;
  /** This participant. */
  readonly to: string;
  readonly label: string;
}

/** What lay at a door: signed by `identity`, for this reader. The payload is to be parsed, not trusted. */
export interface Opening {
  /** Session digest that the sender names, 32 bytes. */
  readonly sid: Uint8Array;
  readonly from: string;
  /** The sender's Ed25519 key, 32 bytes. */
  readonly identity: Uint8Array;
  readonly payload: Uint8Array;
}

const REMEDY = 'The relay, or whoever can write to it, exchanged or damaged the part. Ask the sender to repeat its command, or carry the message by another route.';

/**
 * Opens what lay at the place of a known message.
 * @returns the payload, which is to be parsed, not trusted
 * @throws E_RELAY_PART naming the sender and the first thing that differs (field)
 */
export function openPart(bytes: Uint8Array, expected: ExpectedPart, key: RelayKey): Uint8Array {
  try {
    const { header, payload } = open(bytes, key);
    if (header.sid !== toHex(expected.sid)) fail('E_RELAY_PART', 'the part belongs to another ceremony', { field: 'sid' });
    if (header.from !== expected.from) fail('E_RELAY_PART', 'the part is from somebody else than its place says', { field: 'from' });
    if (header.to !== expected.to) fail('E_RELAY_PART', 'the part is for somebody else', { field: 'to' });
    if (header.label !== expected.label) fail('E_RELAY_PART', 'the part belongs to another place of this ceremony', { field: 'label' });
    if (header.identity !== toHex(expected.identity)) fail('E_RELAY_PART', 'the part is signed by another key than that of its sender', { field: 'identity' });
    return payload;
  } catch (e) {
    // nobody is to blame for what lies in a place; the name only says whose message is missing
    if (e instanceof CeremonyError) throw e.with({ participant: expected.from, remedy: REMEDY });
    throw e;
  }
}

/**
 * Opens what lay at this reader's door: an opening, whose sender and ceremony are not known before. The signature was checked
 * against the key in the header; whether that is the key of the plan's lead, and whether `sid` is the digest of the plan in the payload,
 * the caller checks.
 * @param me the name of this participant
 * @throws E_RELAY_PART
 */
export function openAtDoor(bytes: Uint8Array, me: string, key: RelayKey): Opening {
  try {
    const { header, payload } = open(bytes, key);
    if (header.label !== OPENING) fail('E_RELAY_PART', 'what lies at the door is no opening of a ceremony', { field: 'label' });
    if (header.to !== me) fail('E_RELAY_PART', 'the opening is for somebody else', { field: 'to' });
    return { sid: fromHex(header.sid), from: header.from, identity: fromHex(header.identity), payload };
  } catch (e) {
    if (e instanceof CeremonyError)
      throw e.with({ remedy: 'Anybody who knows the card of this participant can leave something at its door. It is passed over; if an invitation is expected, ask its sender to repeat the command.' });
    throw e;
  }
}

/** Unseals and checks form, padding and signature. @throws E_RELAY_PART */
function open(bytes: Uint8Array, key: RelayKey): { header: PartHeader; payload: Uint8Array } {
  if (bytes.length > MAX_PART_BYTES) fail('E_RELAY_PART', 'the part is larger than any honest one', { field: 'length' });
  const inner = key.unseal(bytes);
  if (inner === undefined) return fail('E_RELAY_PART', 'the part does not open with the relay key of this home: damaged, or sealed to somebody else', { field: 'box' });
  const r = new Reader(inner, 'E_RELAY_PART');
  const headerBytes = limited(r, MAX_HEADER_BYTES, 'header');
  const signature = limited(r, 64, 'signature');
  const payload = limited(r, MAX_PAYLOAD_BYTES, 'payload');
  const length = inner.length - r.remaining;
  if (padme(length) !== inner.length) fail('E_RELAY_PART', 'the part is not padded as parts are', { field: 'padding' });
  if (r.take(r.remaining, 'padding').some((b) => b !== 0)) fail('E_RELAY_PART', 'the padding of the part is not of zeros', { field: 'padding' });
  const header = parseHeader(headerBytes);
  if (!verifyEd25519(fromHex(header.identity), partSignedBytes(headerBytes, key.publicKey, payload), signature))
    fail('E_RELAY_PART', 'the part is not signed, for this reader, by the key that it names', { field: 'signature' });
  return { header, payload };
}

function limited(r: Reader, max: number, what: string): Uint8Array {
  const length = r.u32(what);
  if (length > max) fail('E_RELAY_PART', `the ${what} of the part is too long`, { field: what });
  return r.take(length, what);
}

function parseHeader(bytes: Uint8Array): PartHeader {
  const parsed = v.safeParse(HeaderSchema, parseCanonical(bytes, MAX_HEADER_BYTES, 'E_RELAY_PART'));
  if (!parsed.success) return fail('E_RELAY_PART', 'the header of the part does not have the required form', { field: `header.${v.getDotPath(parsed.issues[0]) ?? ''}` });
  return parsed.output;
}
