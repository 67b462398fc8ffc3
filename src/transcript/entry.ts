/**
 * transcript/: the public record. One signed, hash-chained list of entries per author; several copies can be merged and
 * checked against each other. Nothing here can hold a secret: entries are an allow-list of public fields without free
 * text, and verification (verify.ts) reaches no file that handles secrets.
 *
 * An entry is a DSSE envelope on one line. The payload is canonical JSON; its SHA-256 is the entry's hash; `prev` is the
 * hash of the author's entry before it (64 zeros for the first); `seen` tells the heads of the others that the author had
 * verified when writing.
 */
import { createHash } from 'node:crypto';
import { toHex } from '../wire/bytes.ts';
import { canonical, type Json } from '../wire/canon.ts';
import { type Signer, verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { checkFields, type EntryPayload } from './entry-fields.ts';

export const PAYLOAD_TYPE = 'application/vnd.mpc-ceremony.entry.v1+json';
/** Largest line of a transcript. */
export const MAX_ENTRY_BYTES = 65_536;
/** `prev` of the first entry. */
export const NO_ENTRY = '0'.repeat(64);

/** An entry whose form, hash and signature were checked. */
export interface Entry {
  readonly payload: EntryPayload;
  /** SHA-256 of the payload bytes, hex. */
  readonly hash: string;
  /** The exact line, without its newline. */
  readonly line: string;
}

/** Key id: the first 8 bytes of SHA-256 of the raw identity key, hex. */
export function keyId(identity: Uint8Array): string {
  return toHex(sha256(identity).slice(0, 8));
}

/** DSSE pre-authentication encoding: what is signed. @param payload plain ASCII */
export function preAuthEncoding(payload: string): Uint8Array {
  return Buffer.from(`DSSEv1 ${String(PAYLOAD_TYPE.length)} ${PAYLOAD_TYPE} ${String(payload.length)} ${payload}`, 'latin1');
}

/** Hash of an entry: SHA-256 of its payload, hex. */
function hashOf(payload: string): string {
  return createHash('sha256').update(payload, 'latin1').digest('hex');
}

const BEFORE_KEY = `","payloadType":"${PAYLOAD_TYPE}","signatures":[{"keyid":"`;

const envelopeLine = (payload: string, keyid: string, sig: string): string => `{"payload":"${payload}${BEFORE_KEY}${keyid}","sig":"${sig}"}]}`;

const PAYLOAD_AT = '{"payload":"'.length;
const SIG_CHARS = 88;
/** Characters after the payload. */
const TAIL_CHARS = envelopeLine('', '0'.repeat(16), '0'.repeat(SIG_CHARS)).length - PAYLOAD_AT;

/** Makes and signs an entry. @throws E_INTERNAL when a field is not on the allow-list of its kind */
export function makeEntry(payload: EntryPayload, signer: Signer): Entry {
  if (!checkFields(payload)) fail('E_INTERNAL', 'an entry may hold only the public fields of its kind');
  const json = canonical(payload as unknown as Json);
  const sig = signer.sign(preAuthEncoding(json));
  return { payload, hash: hashOf(json), line: envelopeLine(Buffer.from(json, 'latin1').toString('base64'), payload.key, Buffer.from(sig).toString('base64')) };
}

/** Strict base64: the one encoding of the bytes. @throws E_CANON */
function base64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) fail('E_CANON', `${what} is not canonical base64`, { field: what });
  return bytes;
}

// No field of an entry can hold a quote, a backslash or a character outside ASCII.
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;

function sorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  let before = '';
  for (const key in value) {
    if (key <= before || !sorted((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}

/**
 * Canonical JSON of plain ASCII: for this subset, printing again what was parsed gives the canonical text exactly if the
 * keys stand in ascending order. Cheaper than `parseCanonical`, and never less strict.
 */
function parsePlain(json: string): unknown {
  if (!PLAIN.test(json)) fail('E_CANON', 'an entry is plain ASCII on one line');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new CeremonyError('E_CANON', 'an entry is not JSON', { cause });
  }
  if (JSON.stringify(value) !== json || !sorted(value)) fail('E_CANON', 'an entry is not in canonical form');
  return value;
}

/** The parts of an entry line, before any signature is checked. @throws E_TOO_LARGE, E_CANON, E_FORMAT */
function readLine(line: string): { payload: EntryPayload; json: string; keyid: string; sig: Buffer } {
  if (line.length > MAX_ENTRY_BYTES) fail('E_TOO_LARGE', 'an entry is too long');
  const end = line.length - TAIL_CHARS;
  const payload64 = end < PAYLOAD_AT ? '' : line.slice(PAYLOAD_AT, end);
  const keyid = line.slice(end + BEFORE_KEY.length, end + BEFORE_KEY.length + 16);
  const sig64 = line.slice(-(SIG_CHARS + 4), -4);
  if (envelopeLine(payload64, keyid, sig64) !== line) fail('E_CANON', 'not an entry in canonical form');
  const json = base64(payload64, 'payload').toString('latin1');
  const sig = base64(sig64, 'sig');
  const payload = checkFields(parsePlain(json));
  if (!payload) fail('E_FORMAT', 'an entry has an unknown, missing or malformed field');
  return { payload, json, keyid, sig };
}

const keyIds = new WeakMap<Uint8Array, string>();

function keyIdOf(identity: Uint8Array): string {
  let id = keyIds.get(identity);
  if (id === undefined) keyIds.set(identity, (id = keyId(identity)));
  return id;
}

/**
 * Reads one line and checks form, canonical bytes and signature by `identity` (32 bytes raw).
 * @throws E_TOO_LARGE, E_CANON, E_FORMAT, E_SIGNATURE
 */
export function parseEntry(line: string, identity: Uint8Array): Entry {
  const { payload, json, keyid, sig } = readLine(line);
  if (keyid !== payload.key || keyid !== keyIdOf(identity))
    fail('E_SIGNATURE', `entry ${String(payload.seq)} names another key than its author's`, { participant: payload.author });
  if (!verifyEd25519(identity, preAuthEncoding(json), sig))
    fail('E_SIGNATURE', `entry ${String(payload.seq)} is not signed by ${payload.author}`, { participant: payload.author });
  return { payload, hash: hashOf(json), line };
}

/**
 * Reads one line without a key: for showing, and for finding out whose chain it is. Nothing in it is proven.
 * @throws E_TOO_LARGE, E_CANON, E_FORMAT
 */
export function readUnproven(line: string): Pick<Entry, 'payload' | 'hash'> {
  const { payload, json } = readLine(line);
  return { payload, hash: hashOf(json) };
}
