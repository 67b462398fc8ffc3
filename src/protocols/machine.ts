/**
 * protocols/: the round machines. A protocol is data and pure functions: which slots there are, how a participant's
 * message for a slot follows from what it holds and what it received, and which findings follow from a set of messages.
 * No files, no clock, no prompts, no randomness of their own.
 *
 * The last slot holds one of these messages, which exclude each other (rule C1): the protocol's own closing message, a
 * complaint, a trace, a refusal, or an abandonment. All but the first mean "I shall never close".
 */
import { SCHEMES } from '../curves/scheme.ts';
import { dealerSeats, fromStock, isKeying, type Plan, schemeOf } from '../plan/plan.ts';
import { type Envelope, MAX_SEQ, type Seat } from '../wire/blob.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { CeremonyError, type ErrorCode, fail } from '../wire/errors.ts';

/** One message place of a protocol. */
export interface Slot {
  readonly slot: number;
  /** Name of the message, as shown to people: `commit`, `deal`, `confirm`, `nonce`, `share`. */
  readonly name: string;
  /** A message stands here only where the attempt goes wrong: an error round, a refusal, an abandonment. */
  readonly optional?: true;
}

/** Slots by protocol, in order; the last one is the closing slot. Those of ECDSA carry zero-knowledge proofs. */
export const SLOTS = {
  'frost/dkg': [
    { slot: 1, name: 'commit' },
    { slot: 2, name: 'deal' },
    { slot: 3, name: 'confirm' },
  ],
  'frost/sign': [
    { slot: 1, name: 'nonce' },
    { slot: 2, name: 'share' },
  ],
  'frost/sign-from-stock': [{ slot: 2, name: 'share' }],
  'cggmp24/dkg': [
    { slot: 1, name: 'commit' },
    { slot: 2, name: 'deal' },
    { slot: 3, name: 'prove' },
    { slot: 4, name: 'confirm' },
  ],
  /** Refresh, reshare, import. Dealers speak first, receivers close; a dealer who leaves says nothing more. */
  'frost/rekey': [
    { slot: 1, name: 'deal' },
    { slot: 2, name: 'confirm' },
  ],
  /** Receivers commit to new auxiliary information beside the deals, and reveal it next. */
  'cggmp24/rekey': [
    { slot: 1, name: 'deal' },
    { slot: 2, name: 'reveal' },
    { slot: 3, name: 'prove' },
    { slot: 4, name: 'confirm' },
  ],
  'cggmp24/presign': [
    { slot: 1, name: 'offer' },
    { slot: 2, name: 'convert' },
    { slot: 3, name: 'sum' },
    { slot: 4, name: 'trace', optional: true },
  ],
  'cggmp24/sign': [
    { slot: 1, name: 'offer' },
    { slot: 2, name: 'convert' },
    { slot: 3, name: 'sum' },
    { slot: 4, name: 'share' },
  ],
  /** First messages were stocked with the confirmations. */
  'cggmp24/sign-from-stock': [
    { slot: 2, name: 'convert' },
    { slot: 3, name: 'sum' },
    { slot: 4, name: 'share' },
  ],
  'cggmp24/sign-presigned': [{ slot: 4, name: 'share' }],
} as const satisfies Record<string, readonly Slot[]>;

/** Slots of a plan, in order. */
export function slotsOf(plan: Plan): readonly Slot[] {
  const { protocol } = SCHEMES[schemeOf(plan)];
  if (isKeying(plan)) return SLOTS[`${protocol}/${plan.kind === 'dkg' ? 'dkg' : 'rekey'}`];
  if (plan.kind === 'presign') return SLOTS['cggmp24/presign'];
  if (plan.presignature !== undefined) return SLOTS['cggmp24/sign-presigned'];
  return fromStock(plan) ? SLOTS[`${protocol}/sign-from-stock`] : SLOTS[`${protocol}/sign`];
}

/** Slot of the deals of a plan that makes shares: what complaints are about. */
export function dealSlot(plan: Plan): number {
  return slotsOf(plan).find((s) => s.name === 'deal')?.slot ?? fail('E_INTERNAL', 'nobody deals in this ceremony');
}

/**
 * Seats (numbers, ascending) whose message a good end needs in a slot. Everybody's, but where shares are given on:
 * there dealers deal, and all later messages come from those who receive.
 */
export function speakers(plan: Plan, slot: number, seats: readonly Seat[]): number[] {
  const all = seats.map((s) => s.leaf);
  if (!('dealers' in plan)) return all;
  const ecdsa = SCHEMES[schemeOf(plan)].protocol === 'cggmp24';
  if (slot === dealSlot(plan)) return ecdsa ? all : dealerSeats(plan).sort((a, b) => a - b);
  return all.slice(0, plan.participants.length);
}

/** Slots that need this seat's message, in order. */
export function slotsOfSeat(plan: Plan, leaf: number, seats: readonly Seat[]): readonly Slot[] {
  return requiredSlots(plan).filter((s) => speakers(plan, s.slot, seats).includes(leaf));
}

/** Whether everybody whose message a slot needs has spoken there. */
export function isComplete(plan: Plan, slot: number, seats: readonly Seat[], messages: Inbound): boolean {
  return speakers(plan, slot, seats).every((leaf) => messages.get(slot)?.has(leaf) === true);
}

/** Slots in which everybody has to speak for a good end. */
export function requiredSlots(plan: Plan): readonly Slot[] {
  return slotsOf(plan).filter((s) => s.optional !== true);
}

/** The closing slot of a plan: its last one. */
export function closingSlot(plan: Plan): number {
  return slotsOf(plan).at(-1)?.slot as number;
}

/** First byte of a closing message. A trace is a signer's part in an error round of ECDSA. */
export const CLOSING = { close: 1, complaint: 2, refuse: 3, abandon: 4, trace: 5 } as const;
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
  'E_PROOF',
  'E_RANGE',
  'E_MODULUS',
  'E_FIXTURE',
  'E_AUX_COLLISION',
  'E_SUM',
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

/**
 * An echo that differs: nobody is blamed for it; the two signed copies, once together, name the one who equivocated.
 * @param echoed undefined where the message could not be read, which is judged elsewhere
 */
export function viewFindings(e: Envelope, echoed: Uint8Array | undefined, held: ReadonlyMap<number, Envelope>, evidence: readonly Envelope[]): Finding[] {
  if (!echoed) return [];
  const differing = echoDifferences(echoed, held);
  if (differing.length === 0) return [];
  const names = differing.map((leaf) => (held.get(leaf) as Envelope).name).join(', ');
  return [
    {
      code: 'E_VIEW',
      culprit: undefined,
      text: `${e.name} received another message of ${names} than the one held here`,
      evidence,
    },
  ];
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

/**
 * What a ceremony waits for: the first slot in which somebody's message is missing, and whose. An optional slot counts
 * once somebody has spoken there.
 */
export function awaited(plan: Plan, seats: readonly Seat[], messages: Inbound): { readonly slot: Slot; readonly missing: readonly Seat[] } | undefined {
  for (const slot of slotsOf(plan)) {
    const sent = messages.get(slot.slot);
    const needed = speakers(plan, slot.slot, seats);
    const missing = seats.filter((s) => needed.includes(s.leaf) && sent?.has(s.leaf) !== true);
    if (missing.length > 0 && (slot.optional !== true || sent !== undefined)) return { slot, missing };
  }
  return undefined;
}

/** Name of a slot's message, for people. */
export function slotName(plan: Plan, slot: number): string {
  return slotsOf(plan).find((s) => s.slot === slot)?.name ?? `round ${String(slot)}`;
}

/**
 * The finding of one check on one message, if it fails.
 * @param evidence the envelopes from which anybody can repeat it
 */
export function attempt(envelope: Envelope, evidence: readonly Envelope[], check: () => void): Finding[] {
  try {
    check();
    return [];
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return [{ code: e.code, culprit: envelope.leaf, text: `${envelope.name}: ${e.message}`, evidence }];
  }
}
