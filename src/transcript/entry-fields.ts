/**
 * What an entry may say: the closed list of kinds, and the fields of each. Everything is of fixed form and public; there
 * is no field for text, so that nothing can be written into a transcript that was not meant for it.
 */
import { MAX_SEQ } from '../wire/blob.ts';
import { type ErrorCode, ERRORS } from '../wire/errors.ts';

/** The closed list of what an entry can record. */
export const ENTRY_KINDS = {
  open: 'this participant took part: plan, roster, program and machine',
  gate: 'the gate decided on an intent',
  sent: 'a message of a round was signed and stored',
  certificate: 'the certificate of an epoch is complete and the epoch active',
  signature: 'a signature was combined and verified',
  presigned: 'a stock of presignatures is complete',
  refused: 'something was refused, with its code',
  blamed: 'a participant was found to have cheated, with the check that failed',
  aborted: 'this participant ended its part in the attempt',
  destroyed: 'one-time secrets were destroyed',
  witness: 'a witness signs what it has seen',
  exception: 'something out of the ordinary, whose text lies in evidence/',
} as const;
export type EntryKind = keyof typeof ENTRY_KINDS;

const COMPARED = ['typed', 'scripted', 'not-compared'] as const;
const NETWORK = ['off', 'up'] as const;
const REASONS = ['operator', 'equivocation', 'stalled', 'mistake', 'suspicion', 'superseded', 'refused'] as const;

/** A place in somebody's chain, as seen: entry number and hash. */
interface SeenHead {
  readonly hash: string;
  readonly seq: number;
}

/** The payload of an entry. Public. Hashes are 32 bytes in lowercase hex, names are those of the plan. */
export interface EntryPayload {
  readonly v: 1;
  readonly author: string;
  /** Key id: 8 bytes hex. */
  readonly key: string;
  /** 16 bytes hex. */
  readonly ceremony: string;
  readonly seq: number;
  readonly prev: string;
  /** UTC to the second; a claim, never an ordering rule. */
  readonly at: string;
  readonly kind: EntryKind;
  readonly seen?: Readonly<Record<string, SeenHead>>;
  // open; its subject is the plan file as it was joined
  readonly plan?: string;
  readonly roster?: string;
  readonly program?: string;
  readonly node?: string;
  readonly platform?: string;
  readonly compared?: (typeof COMPARED)[number];
  /** Whether an interface beside the loopback was up when this participant took part: its machine's own word. */
  readonly network?: (typeof NETWORK)[number];
  // sent, refused, blamed
  readonly slot?: number;
  readonly message?: string;
  readonly subject?: { readonly bytes: number; readonly sha256: string };
  readonly inputs?: Readonly<Record<string, string>>;
  readonly code?: ErrorCode;
  readonly participant?: string;
  readonly evidence?: string;
  readonly reason?: (typeof REASONS)[number];
  // gate, certificate, signature, witness
  readonly intent?: string;
  readonly decision?: string;
  readonly allow?: boolean;
  readonly request?: string;
  readonly epoch?: string;
  readonly result?: string;
  readonly heads?: Readonly<Record<string, string>>;
}
type Field = keyof EntryPayload;

const ALWAYS: readonly Field[] = ['v', 'author', 'key', 'ceremony', 'seq', 'prev', 'at', 'kind'];

/** What an entry of each kind must say, and what else it may say. */
const FIELDS: Readonly<Record<EntryKind, { readonly must: readonly Field[]; readonly may?: readonly Field[] }>> = {
  open: { must: ['plan', 'roster', 'program', 'node', 'platform', 'compared', 'subject'], may: ['network'] },
  gate: { must: ['intent', 'allow'], may: ['decision', 'request'] },
  sent: { must: ['slot', 'message', 'subject'], may: ['inputs'] },
  certificate: { must: ['epoch', 'result'] },
  signature: { must: ['intent', 'request', 'subject'] },
  presigned: { must: ['epoch', 'result'] },
  refused: { must: ['code'], may: ['intent', 'slot', 'participant'] },
  blamed: { must: ['code', 'evidence'], may: ['participant', 'slot'] },
  aborted: { must: ['reason'], may: ['participant'] },
  destroyed: { must: ['epoch'], may: ['participant'] },
  witness: { must: ['plan', 'epoch', 'result', 'heads'] },
  exception: { must: ['message', 'evidence'] },
};
const ALLOWED = new Map(Object.entries(FIELDS).map(([kind, f]) => [kind, new Set<string>([...ALWAYS, 'seen', ...f.must, ...(f.may ?? [])])]));

type Test = (value: unknown) => boolean;
const text =
  (form: RegExp): Test =>
  (value) =>
    typeof value === 'string' && form.test(value);
const hex = (bytes: number): Test => text(new RegExp(`^[0-9a-f]{${String(2 * bytes)}}$`));
const whole =
  (min: number, max: number): Test =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
const oneOf = (values: readonly string[]): Test => {
  const set = new Set<unknown>(values);
  return (value) => set.has(value);
};
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
/** A map from names of participants. */
const byName =
  (test: Test): Test =>
  (value) => {
    if (!isObject(value)) return false;
    for (const name in value) if (!NAME.test(name) || !test(value[name])) return false;
    return true;
  };
const pair =
  (a: string, testA: Test, b: string, testB: Test): Test =>
  (value) =>
    isObject(value) && Object.keys(value).length === 2 && testA(value[a]) && testB(value[b]);

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const name = text(NAME);
const hash = hex(32);
const seq = whole(1, MAX_SEQ);

function isTime(value: unknown): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false;
  const ms = Date.parse(value);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value.replace('Z', '.000Z');
}

/** What each field may hold: fixed-length hex, numbers, names and closed lists; no free text. */
const TESTS: Readonly<Record<Field, Test>> = {
  v: (value) => value === 1,
  author: name,
  key: hex(8),
  ceremony: hex(16),
  seq,
  prev: hash,
  at: isTime,
  kind: oneOf(Object.keys(ENTRY_KINDS)),
  seen: byName(pair('hash', hash, 'seq', seq)),
  plan: hash,
  roster: hash,
  program: hash,
  node: text(/^v\d{1,4}\.\d{1,4}\.\d{1,4}$/),
  platform: text(/^[a-z0-9]{1,16}-[a-z0-9_]{1,16}$/),
  compared: oneOf(COMPARED),
  network: oneOf(NETWORK),
  slot: whole(1, 255),
  message: text(/^[a-z-]{1,24}$/),
  subject: pair('bytes', whole(0, Number.MAX_SAFE_INTEGER), 'sha256', hash),
  inputs: byName(hash),
  code: oneOf(Object.keys(ERRORS)),
  participant: name,
  evidence: hash,
  reason: oneOf(REASONS),
  intent: hash,
  decision: hash,
  allow: (value) => typeof value === 'boolean',
  request: hash,
  epoch: hash,
  result: hash,
  heads: byName(hash),
};

/** The payload, if every field stands where it belongs and holds what it may. */
export function checkFields(value: unknown): EntryPayload | undefined {
  if (!isObject(value)) return undefined;
  const fields = FIELDS[value['kind'] as EntryKind] as (typeof FIELDS)[EntryKind] | undefined;
  const allowed = ALLOWED.get(value['kind'] as string);
  if (!fields || !allowed) return undefined;
  for (const field in value) if (!allowed.has(field) || !TESTS[field as Field](value[field])) return undefined;
  for (const field of ALWAYS) if (value[field] === undefined) return undefined;
  for (const field of fields.must) if (value[field] === undefined) return undefined;
  return value as unknown as EntryPayload;
}
