/**
 * Messages against chains, in both directions: every message is signed and recorded by its sender, every record has its
 * message, and what one author saw of another stands in the other's chain.
 */
import { closingOf, closingSlot, equivocation, type Inbound, requiredSlots, type Slot, slotsOf, slotsOfSeat, speakers } from '../protocols/machine.ts';
import type { Plan } from '../plan/plan.ts';
import { blobHint, ceremonyId, type Envelope, openBlob, type Session } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { type AuthorChain, type Link, placeOf } from './merge.ts';
import type { RecordFile } from './record-files.ts';
import type { Report } from './report.ts';

/** What the checks of this file look at. */
export interface Recorded {
  readonly report: Report;
  readonly plan: Plan;
  readonly session: Session;
  readonly chains: ReadonlyMap<string, AuthorChain>;
  readonly messages: Inbound;
}

/** Opens every message. The first one of a seat and slot stands; a different second one is proof against its sender. */
export function openMessages(report: Report, session: Session, files: readonly RecordFile[]): Inbound {
  const messages = new Map<number, Map<number, Envelope>>();
  const told = new Set<string>();
  for (const { file, bytes } of files) {
    // a file that only happens to look like a message, and is not named like one
    if (!file.endsWith('.blob') && blobHint(bytes)?.ceremony !== ceremonyId(session.sid)) continue;
    let e: Envelope;
    try {
      e = openBlob(bytes, session);
    } catch (cause) {
      if (!(cause instanceof CeremonyError)) throw cause;
      report.wrong('messages', `this message is damaged, foreign or forged: ${cause.message}`, { code: cause.code, place: file });
      continue;
    }
    const slot = messages.get(e.slot) ?? new Map<number, Envelope>();
    messages.set(e.slot, slot);
    const before = slot.get(e.leaf);
    if (!before) slot.set(e.leaf, e);
    else if (toHex(before.hash) !== toHex(e.hash) && !told.has(toHex(e.hash))) {
      told.add(toHex(e.hash));
      const { code, text } = equivocation(before, e);
      report.wrong('messages', `EQUIVOCATION: ${text}: ${toHex(before.hash).slice(0, 16)}… and ${toHex(e.hash).slice(0, 16)}…`, { culprit: e.name, code, place: file });
    }
  }
  return messages;
}

/** Names of the seats of a slot that have to speak there. */
function speakerNames(plan: Plan, { slot }: Slot, { seats }: Session): string[] {
  const leaves = speakers(plan, slot, seats);
  return seats.filter((s) => leaves.includes(s.leaf)).map((s) => s.name);
}

/** Names of the seats whose message of a required slot is missing, by slot, in the order of the slots. */
function missingMessages(plan: Plan, session: Session, messages: Inbound): { name: string; slot: number; from: string[] }[] {
  return requiredSlots(plan)
    .map((s) => ({ name: s.name, slot: s.slot, from: speakerNames(plan, s, session).filter((name) => ![...(messages.get(s.slot)?.values() ?? [])].some((e) => e.name === name)) }))
    .filter((m) => m.from.length > 0);
}

/** Name under which a message is recorded. */
function messageName(plan: Plan, e: Envelope): string | undefined {
  const name = slotsOf(plan).find((s) => s.slot === e.slot)?.name;
  const kind = e.slot === closingSlot(plan) ? closingOf(e.body) : 'close';
  return kind === 'close' ? name : kind;
}

/** The round whose messages a recorded message depends on: the one before, but for a complaint the deals. */
function dependsOn(plan: Plan, { message, slot }: Link['payload']): Slot | undefined {
  const slots = slotsOf(plan);
  if (message === 'refuse' || message === 'abandon') return undefined;
  return message === 'complaint' ? slots.find((s) => s.name === 'deal') : slots[slots.findIndex((s) => s.slot === slot) - 1];
}

/** Whether a message seals its sender's chain up to its head: its last one on the way to a good end, which for a dealer who leaves is its deal. */
function seals(plan: Plan, session: Session, e: Envelope): boolean {
  return e.slot === slotsOfSeat(plan, e.leaf, session.seats).at(-1)?.slot && (e.slot !== closingSlot(plan) || closingOf(e.body) === 'close');
}

/** Entries that others saw and that the author's chain lacks; one line an author. */
class Omissions {
  readonly #report: Report;
  readonly #chains: Recorded['chains'];
  readonly #found = new Map<string, Map<number, string>>();
  constructor({ report, chains }: Recorded) {
    this.#report = report;
    this.#chains = chains;
  }

  /** The entry that must stand at a place, unless the chain ends before it. A chain that is absent or damaged is told elsewhere. */
  expect(author: string, seq: number, by: string): Link | undefined {
    const chain = this.#chains.get(author);
    const link = chain?.links[seq - 1];
    if (link || !chain || chain.damaged) return link;
    const found = this.#found.get(author) ?? new Map<number, string>();
    this.#found.set(author, found.set(seq, found.get(seq) ?? by));
    return undefined;
  }

  tell(name: string): void {
    for (const [author, found] of this.#found) {
      const list = [...found].sort(([a], [b]) => a - b).map(([seq, by]) => `${placeOf(author, seq)} seen by ${by}`);
      const last = this.#chains.get(author)?.links.length ?? 0;
      this.#report.cannotTell(name, `OMITTED ${list.join(', ')}: the transcript of ${author} ends at entry ${String(last)}; bring a newer copy of it`, {
        code: 'E_MISSING',
        place: placeOf(author, Math.min(...found.keys())),
      });
    }
  }
}

/** A message's head and record in the chain of its sender; both are signed by the same hand. */
function checkMessage({ report, plan, session, chains }: Recorded, omissions: Omissions, e: Envelope): void {
  const name = messageName(plan, e) ?? `message of round ${String(e.slot)}`;
  const by = `${e.name}'s own ${name}`;
  const { seq } = e.head;
  if (seq === 0) {
    report.wrong('messages', `${by} names no entry of its sender's transcript`, { culprit: e.name, code: 'E_CHAIN', place: placeOf(e.name, 0) });
    return;
  }
  const head = omissions.expect(e.name, seq, by);
  if (head && head.hash !== toHex(e.head.hash)) {
    report.wrong('messages', `FORK by ${e.name} at entry ${String(seq)}: ${by} names ${toHex(e.head.hash).slice(0, 16)}…, the transcript holds ${head.hash.slice(0, 16)}…; ${e.name} signed both`, {
      culprit: e.name,
      code: 'E_FORK',
      place: placeOf(e.name, seq),
    });
    return;
  }
  if (!chains.has(e.name)) return;
  // the entry that records a sealing message may be missing like all that come after
  const record = (seals(plan, session, e) ? chains.get(e.name)?.links[seq] : omissions.expect(e.name, seq + 1, by))?.payload;
  if (!record) return;
  const place = placeOf(e.name, seq + 1);
  if (record.kind !== 'sent' || record.slot !== e.slot)
    report.wrong('messages', `the entry after the one that ${by} names does not record this message`, { culprit: e.name, code: 'E_CHAIN', place });
  else if (record.subject?.sha256 !== toHex(e.hash) || record.subject.bytes !== e.bytes.length)
    report.wrong('messages', `EQUIVOCATION: the transcript of ${e.name} records another ${name} than the one here; ${e.name} signed both`, { culprit: e.name, code: 'E_EQUIVOCATION', place });
  else if (record.message !== messageName(plan, e))
    report.wrong('messages', `${e.name} recorded a ${name} as ${record.message ?? 'nothing'}`, { culprit: e.name, code: 'E_CHAIN', place });
}

/** One `sent` entry: its message, what it says it depends on, and that it tells the heads of these. */
function checkSent(recorded: Recorded, complete: boolean, author: string, { payload }: Link): void {
  const { report, plan, session, messages } = recorded;
  const place = placeOf(author, payload.seq);
  const seats = new Map(session.seats.map((s) => [s.name, s]));
  const leaf = seats.get(author)?.leaf ?? 0;
  const slot = slotsOf(plan).find((s) => s.slot === payload.slot);
  if (!slot) {
    report.wrong('messages', `${author} recorded a message for a round that does not exist`, { culprit: author, code: 'E_FORMAT', place });
    return;
  }
  const own = messages.get(slot.slot)?.get(leaf);
  if (!own) {
    // where everybody's messages must be there, missing ones are told once, for all
    if (!complete || slot.optional === true)
      report.cannotTell('messages', `the ${payload.message ?? 'message'} of ${author}, which its transcript records, is missing: bring round-${String(slot.slot)}/${author}.blob`, { code: 'E_MISSING', place });
  } else if (own.head.seq !== payload.seq - 1)
    report.wrong('messages', `${author} recorded two messages for one slot`, { culprit: author, code: 'E_EQUIVOCATION', place });

  const before = dependsOn(plan, payload);
  const inputs = payload.inputs ?? {};
  const names = Object.keys(inputs);
  const expected = before ? speakerNames(plan, before, session).sort().join() : '';
  if (names.sort().join() !== expected)
    report.wrong('messages', `${author} does not record the messages that its ${payload.message ?? 'message'} depends on`, { culprit: author, code: 'E_CHAIN', place });
  if (!before) return;
  for (const [name, hash] of Object.entries(inputs)) {
    const e = messages.get(before.slot)?.get(seats.get(name)?.leaf ?? 0);
    if (!e) {
      if (!complete) report.cannotTell('messages', `the ${before.name} of ${name}, which ${author} depended on, is missing: bring round-${String(before.slot)}/${name}.blob`, { code: 'E_MISSING', place });
    } else if (toHex(e.hash) !== hash)
      report.wrong('messages', `${author} depended on another ${before.name} of ${name} (${hash.slice(0, 16)}…) than the one here (${toHex(e.hash).slice(0, 16)}…): one of the two is to blame`, {
        code: 'E_VIEW',
        place,
      });
    else if (name !== author && (payload.seen?.[name]?.seq ?? 0) < e.head.seq)
      report.wrong('seen', `${author} held the ${before.name} of ${name} and does not record the head that it names, ${placeOf(name, e.head.seq)}`, { culprit: author, code: 'E_CHAIN', place });
  }
}

/** Heads of others that an entry says its author has verified. */
function checkSeen({ report, session }: Recorded, omissions: Omissions, author: string, { payload }: Link): void {
  const place = placeOf(author, payload.seq);
  for (const [name, head] of Object.entries(payload.seen ?? {})) {
    if (name === author || !session.seats.some((s) => s.name === name)) {
      report.wrong('seen', `${author} claims to have seen a transcript of ${name}, who cannot have one to show`, { culprit: author, code: 'E_CHAIN', place });
      continue;
    }
    const link = omissions.expect(name, head.seq, place);
    if (link && link.hash !== head.hash)
      report.wrong('seen', `OMITTED: ${place} has seen entry ${String(head.seq)} of ${name} as ${head.hash.slice(0, 16)}…, the transcript of ${name} holds ${link.hash.slice(0, 16)}… there: one of the two is to blame`, {
        code: 'E_CHAIN',
        place: placeOf(name, head.seq),
      });
  }
}

/**
 * All of the above.
 * @param complete false when the ceremony ended before everybody had spoken: later messages cannot be missing then
 */
export function checkMessages(recorded: Recorded, complete: boolean): void {
  const { report, plan, session, chains, messages } = recorded;
  report.section(
    'messages',
    () => {
      const count = `${String([...messages.values()].reduce((n, m) => n + m.size, 0))} messages, signed by their senders`;
      const silent = session.seats.map((s) => s.name).filter((name) => !chains.has(name) || chains.get(name)?.damaged === true);
      return silent.length === 0 ? `${count} and recorded in their transcripts` : `${count}; those of ${silent.join(', ')} could not be compared with a transcript`;
    },
    () => {
      if (complete)
        for (const { name, slot, from } of missingMessages(plan, session, messages))
          report.cannotTell('messages', `the ${name} of ${from.join(', ')} is missing: bring ${from.map((f) => `round-${String(slot)}/${f}.blob`).join(', ')}`, {
            code: 'E_MISSING',
            ...(from.length === 1 ? { place: from[0] } : {}),
          });
      const omissions = new Omissions(recorded);
      for (const sent of messages.values()) for (const e of sent.values()) checkMessage(recorded, omissions, e);
      for (const { name } of session.seats)
        for (const link of chains.get(name)?.links ?? []) if (link.payload.kind === 'sent') checkSent(recorded, complete, name, link);
      omissions.tell('messages');
    },
  );
  report.section(
    'seen',
    () => 'what each participant saw of the others stands in their transcripts',
    () => {
      const omissions = new Omissions(recorded);
      for (const [name, { links }] of chains) for (const link of links) checkSeen(recorded, omissions, name, link);
      omissions.tell('seen');
    },
  );
}

/** Messages with which somebody ended the attempt in its closing slot. A trace only says that the end is not the good one. */
export function endingMessages(plan: Plan, messages: Inbound): Envelope[] {
  return [...(messages.get(closingSlot(plan))?.values() ?? [])].filter((e) => !['close', 'trace'].includes(closingOf(e.body) ?? ''));
}
