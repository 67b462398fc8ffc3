/**
 * The stream of a NATS relay, and the JetStream requests that a relay makes: four, each a message with a JSON answer. A place is a
 * subject; it is written once because the stream keeps one message of each subject, refuses another, and lets nobody take one away.
 * All of this holds with nats-server 2.9, without consumers.
 */
import * as v from 'valibot';
import { fail } from '../wire/errors.ts';

/** Name of the stream. A NATS account holds one relay. */
export const STREAM = 'mpc-ceremony';
/** Bytes of the largest message in the stream, headers included: a piece of a part and some. */
export const MAX_STORED = (512 << 10) + 4096;

/** Subject of a place. @param box, name: 32 hex digits */
export const placeSubject = (box: string, name: string): string => `mpc.${box}.${name}`;
/** All places of a box, and nothing of their pieces. */
export const boxSubject = (box: string): string => `mpc.${box}.*`;
/** Where a piece of a large part lies. @param hash SHA-256 of its bytes, hex: whoever does not have the bytes cannot fill the place before */
export const pieceSubject = (box: string, hash: string): string => `mpc.${box}.piece.${hash}`;

export const STREAM_INFO = `$JS.API.STREAM.INFO.${STREAM}`;
export const STREAM_CREATE = `$JS.API.STREAM.CREATE.${STREAM}`;
export const MESSAGE_GET = `$JS.API.STREAM.MSG.GET.${STREAM}`;
/** Header with which a message is stored in this stream or not at all. */
export const EXPECTED_STREAM = ['Nats-Expected-Stream', STREAM] as const;

/** With what the stream is created when there is none. */
export const WANTED_STREAM = {
  name: STREAM,
  subjects: ['mpc.>'],
  retention: 'limits',
  storage: 'file',
  discard: 'new',
  discard_new_per_subject: true,
  max_msgs_per_subject: 1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msg_size: MAX_STORED,
  max_consumers: -1,
  num_replicas: 1,
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
} as const;

const flag = v.optional(v.boolean(), false);
const whole = v.pipe(v.number(), v.integer());
/** What an answer says of the stream's settings; those that do not matter here are left out. */
const ConfigSchema = v.object({
  name: v.string(),
  subjects: v.optional(v.array(v.string()), []),
  retention: v.string(),
  storage: v.string(),
  discard: v.string(),
  discard_new_per_subject: flag,
  max_msgs_per_subject: whole,
  max_age: whole,
  max_msg_size: whole,
  no_ack: flag,
  deny_delete: flag,
  deny_purge: flag,
  allow_rollup_hdrs: flag,
  mirror: v.optional(v.unknown()),
  sources: v.optional(v.unknown()),
  // of later servers
  subject_transform: v.optional(v.unknown()),
  subject_delete_marker_ttl: v.optional(whole, 0),
  allow_msg_ttl: flag,
  allow_msg_counter: flag,
  allow_msg_schedules: flag,
  persist_mode: v.optional(v.string(), 'default'),
});
export type StreamConfig = v.InferOutput<typeof ConfigSchema>;

/** The settings without which places are not written once, kept, or acknowledged when they are on the disk. */
const RULES: readonly (readonly [setting: keyof StreamConfig, must: string, holds: (c: StreamConfig) => boolean])[] = [
  ['name', STREAM, (c) => c.name === STREAM],
  ['subjects', 'mpc.>', (c) => c.subjects.includes('mpc.>')],
  ['max_msgs_per_subject', '1', (c) => c.max_msgs_per_subject === 1],
  ['discard', 'new', (c) => c.discard === 'new'],
  ['discard_new_per_subject', 'true', (c) => c.discard_new_per_subject],
  ['deny_delete', 'true', (c) => c.deny_delete],
  ['deny_purge', 'true', (c) => c.deny_purge],
  ['allow_rollup_hdrs', 'false', (c) => !c.allow_rollup_hdrs],
  ['storage', 'file', (c) => c.storage === 'file'],
  ['retention', 'limits', (c) => c.retention === 'limits'],
  ['max_age', '0', (c) => c.max_age === 0],
  ['max_msg_size', `-1, or ${String(MAX_STORED)} or more`, (c) => c.max_msg_size === -1 || c.max_msg_size >= MAX_STORED],
  ['no_ack', 'false', (c) => !c.no_ack],
  ['mirror', 'absent', (c) => c.mirror === undefined || c.mirror === null],
  ['sources', 'absent', (c) => c.sources === undefined || c.sources === null],
  ['subject_transform', 'absent', (c) => c.subject_transform === undefined || c.subject_transform === null],
  ['subject_delete_marker_ttl', '0', (c) => c.subject_delete_marker_ttl === 0],
  ['allow_msg_ttl', 'false', (c) => !c.allow_msg_ttl],
  ['allow_msg_counter', 'false', (c) => !c.allow_msg_counter],
  ['allow_msg_schedules', 'false', (c) => !c.allow_msg_schedules],
  ['persist_mode', 'default', (c) => c.persist_mode === 'default' || c.persist_mode === ''],
];

/** @throws E_RELAY naming the first setting that differs */
export function checkStream(config: StreamConfig, address: string): void {
  const broken = RULES.find(([, , holds]) => !holds(config));
  if (broken === undefined) return;
  const [setting, must] = broken;
  fail('E_RELAY', `places of ${address} are not written once: ${setting} of its stream ${STREAM} must be ${must}`, {
    field: setting,
    remedy: `Let the operator of the relay create the stream ${STREAM} as "A relay on NATS" in CEREMONY.md says, or remove it, so that the first login that may create streams does.`,
  });
}

const ErrorSchema = v.object({ code: whole, err_code: v.optional(whole, 0), description: v.optional(v.string(), '') });
/** An error that a server answered with. Its text is only compared, never shown. */
export type StreamError = v.InferOutput<typeof ErrorSchema>;

export const NOT_FOUND = 404;
/** `err_code` of nats-server. */
export const NAME_IN_USE = 10058;

/** Answers with the settings: STREAM.INFO, with or without a filter, and STREAM.CREATE. */
export const StreamAnswer = v.object({
  config: ConfigSchema,
  /** Subjects that match the filter, on all pages together. */
  total: v.optional(whole, 0),
  // the names are checked one by one; nothing is a schema's business that may have a hundred thousand entries
  state: v.object({ subjects: v.optional(v.custom<object>((x) => typeof x === 'object' && x !== null), {}) }),
});
/** Answer to MSG.GET. */
export const MessageAnswer = v.object({ message: v.object({ subject: v.string(), data: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]*={0,2}$/)), '') }) });
/** Answer to a published message. */
export const StoredAnswer = v.object({ stream: v.literal(STREAM), seq: v.pipe(whole, v.minValue(1)), duplicate: v.optional(v.literal(false), false) });

/**
 * Reads an answer of JetStream.
 * @returns what the schema makes of it, or the error that it holds
 * @throws E_RELAY for anything else
 */
export function parseAnswer<T>(payload: Uint8Array, schema: v.GenericSchema<unknown, T>, address: string): { readonly ok: T } | { readonly error: StreamError } {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'));
  } catch {
    // refused below
  }
  const error = v.safeParse(v.object({ error: ErrorSchema }), raw);
  if (error.success) return { error: error.output.error };
  const ok = v.safeParse(schema, raw);
  if (ok.success) return { ok: ok.output };
  return fail('E_RELAY', `${address} answers with what is no answer of JetStream`, {
    field: v.getDotPath(ok.issues[0]) ?? undefined,
    remedy: 'Somebody else may answer in its place. Let the operator of the relay look at who may subscribe to what; meanwhile use another route.',
  });
}

/** What a refusal means, in words of ours. */
export function refusal(error: StreamError): string {
  const known: Readonly<Record<number, string>> = {
    10002: 'the account has used up its storage',
    10023: 'its storage is full',
    10028: 'its memory is full',
    10039: 'JetStream is not switched on for this account',
    10047: 'its storage is full',
    10054: 'the message is larger than it takes',
    10059: `there is no stream ${STREAM}`,
    10060: `another stream than ${STREAM} takes its subjects`,
    10065: 'another stream already takes the subjects mpc.>',
    10076: 'JetStream is not switched on',
    10109: `the stream ${STREAM} is sealed`,
  };
  if (error.err_code === 10077) return /^maximum (?:bytes|messages) exceeded$/.test(error.description) ? `the stream ${STREAM} is full` : 'its store failed';
  return known[error.err_code] ?? `error ${String(error.code)}/${String(error.err_code)} of JetStream`;
}
