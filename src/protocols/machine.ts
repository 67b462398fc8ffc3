/**
 * protocols/: the round machines. A protocol is data and pure functions: which slots there are, how a participant's
 * message for a slot follows from what it holds and what it received, and which findings follow from a set of messages.
 * No files, no clock, no prompts, no randomness of their own.
 *
 * The last slot holds one of four messages that exclude each other (rule C1): the protocol's own closing message, a
 * complaint, a refusal, or an abandonment. The last three mean "I shall never close".
 */
import { fromStock, type Plan } from '../plan/plan.ts';
import { type Envelope, MAX_SEQ } from '../wire/blob.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { type ErrorCode, fail } from '../wire/errors.ts';

/** One message place of a protocol. */
export interface Slot {
  readonly slot: number;
  /** Name of the message, as shown to people: `commit`, `deal`, `confirm`, `nonce`, `share`. */
  readonly name: string;
}

/** Slots by kind of ceremony, in order; the last one is the closing slot. */
export const SLOTS = {
  dkg: [
    { slot: 1, name: 'commit' },
    { slot: 2, name: 'deal' },
    { slot: 3, name: 'confirm' },
  ],
  sign: [
    { slot: 1, name: 'nonce' },
    { slot: 2, name: 'share' },
  ],
  'sign-from-stock': [{ slot: 2, name: 'share' }],
} as const satisfies Record<string, readonly Slot[]>;

/** Slots of a plan, in order. */
export function slotsOf(plan: Plan): readonly Slot[] {
  if (plan.kind === 'dkg') return SLOTS.dkg;
  return fromStock(plan) ? SLOTS['sign-from-stock'] : SLOTS.sign;
}

/** First byte of a closing message. */
export const CLOSING = { close: 1, complaint: 2, refuse: 3, abandon: 4 } as const;
export type Closing = keyof typeof CLOSING;

/** Kind of a closing message; undefined for an unknown byte. */
export function closingOf(body: Uint8Array): Closing | undefined {
  return (Object.keys(CLOSING) as Closing[]).find((k) => CLOSING[k] === body[0]);
}

/** Codes that a refusal can name; the position is the byte on the wire. */
export const REFUSAL_CODES = [
  'E_ABORTED',
  'E_COMMIT',
  'E_POP',
  'E_DEALING',
  'E_SEALING',
  'E_POINT',
  'E_SCALAR',
  'E_FORMAT',
  'E_VSS',
  'E_FALSE_COMPLAINT',
  'E_CONFIRM',
  'E_EQUIVOCATION',
  'E_VIEW',
  'E_DEGENERATE',
  'E_SHARE',
  'E_REQUEST',
] as const satisfies readonly ErrorCode[];

/** Body of a refusal: why, and whom it names (leaf id; 0 for nobody). Three bytes; a hint to people, not a proof. */
export function refusalBody(code: ErrorCode, culprit: number | undefined): Uint8Array {
  const index = Math.max(0, (REFUSAL_CODES as readonly ErrorCode[]).indexOf(code));
  return Uint8Array.of(CLOSING.refuse, index, culprit ?? 0);
}

/** Body of an abandonment: one byte. */
export const ABANDON_BODY: Uint8Array = Uint8Array.of(CLOSING.abandon);

/** Reads a refusal or abandonment. @throws E_FORMAT */
export function parseEnding(body: Uint8Array): { kind: 'refuse' | 'abandon'; code: ErrorCode; culprit: number | undefined } {
  const r = new Reader(body);
  const kind = r.u8('kind');
  if (kind === CLOSING.abandon) {
    r.end();
    return { kind: 'abandon', code: 'E_ABORTED', culprit: undefined };
  }
  const code = REFUSAL_CODES[r.u8('code')];
  const culprit = r.u8('participant');
  r.end();
  if (kind !== CLOSING.refuse || code === undefined) fail('E_FORMAT', 'not a refusal');
  return { kind: 'refuse', code, culprit: culprit === 0 ? undefined : culprit };
}

/** Messages received and sent, by slot and leaf id. */
export type Inbound = ReadonlyMap<number, ReadonlyMap<number, Envelope>>;

/** A fault that a check found. Public; the envelopes prove it to a third party who runs the same check. */
export interface Finding {
  readonly code: ErrorCode;
  /** Leaf id of the culprit; undefined when nobody can be blamed. */
  readonly culprit: number | undefined;
  readonly text: string;
  /** The envelopes from which anybody can repeat the finding. */
  readonly evidence: readonly Envelope[];
}

/**
 * Faults that a message of any protocol can have: a round that does not exist, or a place in its sender's transcript
 * that no transcript has, which nobody else could put on record.
 */
export function formFindings(messages: Inbound, exists: (slot: number) => boolean): Finding[] {
  return [...messages].flatMap(([slot, sent]) =>
    [...sent.values()].flatMap((e) => {
      const fault = !exists(slot) ? 'sent a message for a round that does not exist' : e.head.seq > MAX_SEQ ? 'names an impossible place in its own transcript' : undefined;
      return fault === undefined ? [] : [{ code: 'E_FORMAT' as const, culprit: e.leaf, text: `${e.name} ${fault}`, evidence: [e] }];
    }),
  );
}

/** Echo of a round: the hash of every seat's envelope, in ascending order of leaf id; n × 32 bytes. */
export function echo(messages: ReadonlyMap<number, Envelope>): Uint8Array {
  return concat(...[...messages.keys()].sort((a, b) => a - b).map((leaf) => (messages.get(leaf) as Envelope).hash));
}

/** Leaves whose hash in an echo differs from the messages held here. @throws E_FORMAT on another length */
export function echoDifferences(bytes: Uint8Array, messages: ReadonlyMap<number, Envelope>): number[] {
  const leaves = [...messages.keys()].sort((a, b) => a - b);
  if (bytes.length !== 32 * leaves.length) fail('E_FORMAT', 'the echo has another length', { field: 'echo' });
  return leaves.filter((leaf, i) => {
    const hash = (messages.get(leaf) as Envelope).hash;
    return !hash.every((b, k) => b === bytes[32 * i + k]);
  });
}

/** The finding for two different envelopes of one sender in one slot (attack row 35). */
export function equivocation(a: Envelope, b: Envelope): Finding {
  return {
    code: 'E_EQUIVOCATION',
    culprit: a.leaf,
    text: `${a.name} signed two different messages for one slot, or ${a.name}'s device was restored from a copy`,
    evidence: [a, b],
  };
}

/** Name of a slot's message, for people. */
export function slotName(kind: 'dkg' | 'sign', slot: number): string {
  return SLOTS[kind].find((s) => s.slot === slot)?.name ?? `round ${String(slot)}`;
}
