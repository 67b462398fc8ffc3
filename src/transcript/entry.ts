/**
 * transcript/: the public record. One signed, hash-chained list of entries per author; several copies can be merged and
 * checked against each other. Nothing here can hold a secret: entries are an allow-list of public fields without free
 * text, and verification (verify.ts) reaches no file that handles secrets.
 *
 * An entry is a DSSE envelope on one line. The payload is canonical JSON; its SHA-256 is the entry's hash; `prev` is the
 * hash of the author's entry before it (64 zeros for the first); `seen` tells the heads of the others that the author had
 * verified when writing.
 */
import * as v from 'valibot';
import { toHex, utf8 } from '../wire/bytes.ts';
import { canonical, type Json } from '../wire/canon.ts';
import { type Signer, verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, ERRORS, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { hex, int, nameOf, utcTime } from '../plan/fields.ts';

export const PAYLOAD_TYPE = 'application/vnd.mpc-ceremony.entry.v1+json';
/** Largest line of a transcript. */
export const MAX_ENTRY_BYTES = 65_536;
/** `prev` of the first entry. */
export const NO_ENTRY = '0'.repeat(64);

/** The closed list of what an entry can record. */
export const ENTRY_KINDS = {
  open: 'this participant took part: plan, roster, program and machine',
  gate: 'the gate decided on an intent',
  sent: 'a message of a round was signed and stored',
  certificate: 'the certificate of an epoch is complete and the epoch active',
  signature: 'a signature was combined and verified',
  refused: 'something was refused, with its code',
  blamed: 'a participant was found to have cheated, with the check that failed',
  aborted: 'this participant ended its part in the attempt',
  destroyed: 'one-time secrets were destroyed',
  witness: 'a witness signs what it has seen',
  exception: 'something out of the ordinary, whose text lies in evidence/',
} as const;
export type EntryKind = keyof typeof ENTRY_KINDS;

const codes = Object.keys(ERRORS) as [keyof typeof ERRORS, ...(keyof typeof ERRORS)[]];
const head = v.strictObject({ hash: hex(32), seq: int(1, 1_000_000) });
const artifact = v.strictObject({ bytes: int(0, Number.MAX_SAFE_INTEGER), sha256: hex(32) });
const hashes = v.record(nameOf('participant'), hex(32));

const EntrySchema = v.strictObject({
  v: v.literal(1),
  author: nameOf('author'),
  key: hex(8),
  ceremony: hex(16),
  seq: int(1, 1_000_000),
  prev: hex(32),
  at: utcTime,
  kind: v.picklist(Object.keys(ENTRY_KINDS) as [EntryKind, ...EntryKind[]]),
  seen: v.optional(v.record(nameOf('participant'), head)),
  // open; its subject is the plan file as it was joined
  plan: v.optional(hex(32)),
  roster: v.optional(hex(32)),
  program: v.optional(hex(32)),
  node: v.optional(v.pipe(v.string(), v.regex(/^v\d+\.\d+\.\d+$/))),
  platform: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9]{1,16}-[a-z0-9_]{1,16}$/))),
  compared: v.optional(v.picklist(['typed', 'scripted', 'not-compared'])),
  // sent, refused, blamed
  slot: v.optional(int(1, 255)),
  message: v.optional(v.pipe(v.string(), v.regex(/^[a-z-]{1,24}$/))),
  subject: v.optional(artifact),
  inputs: v.optional(hashes),
  code: v.optional(v.picklist(codes)),
  participant: v.optional(nameOf('participant')),
  evidence: v.optional(hex(32)),
  reason: v.optional(v.picklist(['operator', 'equivocation', 'stalled', 'mistake', 'suspicion', 'superseded', 'refused'])),
  // gate, certificate, signature, witness
  intent: v.optional(hex(32)),
  decision: v.optional(hex(32)),
  allow: v.optional(v.boolean()),
  request: v.optional(hex(32)),
  epoch: v.optional(hex(32)),
  result: v.optional(hex(32)),
  heads: v.optional(hashes),
});

/** The payload of an entry. Public. */
export type EntryPayload = v.InferOutput<typeof EntrySchema>;
type Field = keyof EntryPayload;

const COMMON: readonly Field[] = ['v', 'author', 'key', 'ceremony', 'seq', 'prev', 'at', 'kind', 'seen'];

/** What an entry of each kind must say, and what else it may say. */
const FIELDS: Readonly<Record<EntryKind, { readonly must: readonly Field[]; readonly may?: readonly Field[] }>> = {
  open: { must: ['plan', 'roster', 'program', 'node', 'platform', 'compared', 'subject'] },
  gate: { must: ['intent', 'allow'], may: ['decision', 'request'] },
  sent: { must: ['slot', 'message', 'subject'], may: ['inputs'] },
  certificate: { must: ['epoch', 'result'] },
  signature: { must: ['intent', 'request', 'subject'] },
  refused: { must: ['code'], may: ['intent', 'slot', 'participant'] },
  blamed: { must: ['code', 'evidence'], may: ['participant', 'slot'] },
  aborted: { must: ['reason'], may: ['participant'] },
  destroyed: { must: ['epoch'], may: ['participant'] },
  witness: { must: ['plan', 'epoch', 'result', 'heads'] },
  exception: { must: ['message', 'evidence'] },
};
const ALLOWED = new Map(Object.entries(FIELDS).map(([kind, f]) => [kind, new Set<string>([...COMMON, ...f.must, ...(f.may ?? [])])]));

/** The payload, if every field stands where it belongs. */
function checkFields(value: unknown): EntryPayload | undefined {
  const checked = v.safeParse(EntrySchema, value);
  if (!checked.success) return undefined;
  const payload = checked.output;
  const allowed = ALLOWED.get(payload.kind);
  for (const field in payload) if (allowed?.has(field) !== true) return undefined;
  for (const field of FIELDS[payload.kind].must) if (payload[field] === undefined) return undefined;
  return payload;
}

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

/** DSSE pre-authentication encoding: what is signed. */
export function preAuthEncoding(payload: Uint8Array): Uint8Array {
  return Buffer.concat([utf8(`DSSEv1 ${String(PAYLOAD_TYPE.length)} ${PAYLOAD_TYPE} ${String(payload.length)} `), payload]);
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
  const text = canonical(payload as unknown as Json);
  const bytes = utf8(text);
  const sig = signer.sign(preAuthEncoding(bytes));
  return {
    payload,
    hash: toHex(sha256(bytes)),
    line: envelopeLine(Buffer.from(bytes).toString('base64'), payload.key, Buffer.from(sig).toString('base64')),
  };
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
function parsePlain(bytes: Buffer): unknown {
  const text = bytes.toString('latin1');
  if (!PLAIN.test(text)) fail('E_CANON', 'an entry is plain ASCII on one line');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CeremonyError('E_CANON', 'an entry is not JSON', { cause });
  }
  if (JSON.stringify(value) !== text || !sorted(value)) fail('E_CANON', 'an entry is not in canonical form');
  return value;
}

/** The parts of an entry line, before any signature is checked. @throws E_TOO_LARGE, E_CANON, E_FORMAT */
function readLine(line: string): { payload: EntryPayload; bytes: Buffer; keyid: string; sig: Buffer } {
  if (line.length > MAX_ENTRY_BYTES) fail('E_TOO_LARGE', 'an entry is too long');
  const end = line.length - TAIL_CHARS;
  const payload64 = end < PAYLOAD_AT ? '' : line.slice(PAYLOAD_AT, end);
  const keyid = line.slice(end + BEFORE_KEY.length, end + BEFORE_KEY.length + 16);
  const sig64 = line.slice(-(SIG_CHARS + 4), -4);
  if (envelopeLine(payload64, keyid, sig64) !== line) fail('E_CANON', 'not an entry in canonical form');
  const bytes = base64(payload64, 'payload');
  const sig = base64(sig64, 'sig');
  const payload = checkFields(parsePlain(bytes));
  if (!payload) fail('E_FORMAT', 'an entry has an unknown, missing or malformed field');
  return { payload, bytes, keyid, sig };
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
  const { payload, bytes, keyid, sig } = readLine(line);
  if (keyid !== payload.key || keyid !== keyIdOf(identity))
    fail('E_SIGNATURE', `entry ${String(payload.seq)} names another key than its author's`, { participant: payload.author });
  if (!verifyEd25519(identity, preAuthEncoding(bytes), sig))
    fail('E_SIGNATURE', `entry ${String(payload.seq)} is not signed by ${payload.author}`, { participant: payload.author });
  return { payload, hash: toHex(sha256(bytes)), line };
}

/**
 * Reads one line without a key: for showing, and for finding out whose chain it is. Nothing in it is proven.
 * @throws E_TOO_LARGE, E_CANON, E_FORMAT
 */
export function readUnproven(line: string): Pick<Entry, 'payload' | 'hash'> {
  const { payload, bytes } = readLine(line);
  return { payload, hash: toHex(sha256(bytes)) };
}
