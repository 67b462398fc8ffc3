/**
 * Taking in what a courier brought: every file of the folder is sorted by content, checked against the session, and
 * kept. Files with this participant's own signature that its journal does not know mean that the home is an old copy.
 */
import { ceremonyLabel, witnessesOf } from '../plan/plan.ts';
import { equivocation, type Finding, slotName } from '../protocols/machine.ts';
import { parseChain } from '../transcript/chain.ts';
import type { Entry } from '../transcript/entry.ts';
import { otherProgram } from '../transcript/pinned.ts';
import { scanFolder } from '../transport/folder.ts';
import { type Envelope, openBlob, type Seat } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { evidenceEnvelopes } from './evidence.ts';
import type { CeremonyStore } from './store.ts';

/** What came in. */
export interface Collected {
  /** Messages that were not held before. */
  readonly fresh: readonly Envelope[];
  /** Files that cannot be used; they matter only while something is missing. */
  readonly problems: readonly CeremonyError[];
  readonly equivocations: readonly Finding[];
  /** Files that look like certificates. */
  readonly certificates: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  /** Why this home must be an older copy of itself: this participant's own signature proves it. */
  readonly rollback: string | undefined;
  /** What a peer says it has seen of this participant and this home does not know: a claim, no proof. */
  readonly claim: string | undefined;
  /** One author, two chains: an old copy of that author's home, or two of them, is in use. Or one who ran another program than the plan pins. */
  readonly fork: CeremonyError | undefined;
}

/** Reads the folder into the store. Nothing that is held already is ever replaced. */
export function collect(store: CeremonyStore, folder: string): Collected {
  const { disk } = store.home;
  const contents = scanFolder(disk, folder);
  const held = store.messages();
  const known = new Set([...held.values()].flatMap((m) => [...m.values()].map((e) => toHex(e.hash))));
  const fresh: Envelope[] = [];
  const problems: CeremonyError[] = [...contents.problems];
  const equivocations: Finding[] = [];
  const taken = new Map<string, Envelope>([...held.entries()].flatMap(([slot, m]) => [...m.entries()].map(([leaf, e]) => [`${String(slot)}/${String(leaf)}`, e] as const)));
  let rollback: string | undefined;
  let claim: string | undefined;
  let fork: CeremonyError | undefined;

  const take = (envelope: Envelope, file: string): void => {
    const place = `${String(envelope.slot)}/${String(envelope.leaf)}`;
    const before = taken.get(place);
    if (envelope.leaf === store.seat.leaf) {
      rollback ??= `a ${slotName(store.plan, envelope.slot)} message signed by this participant lies in the folder, and this home does not know it (${file})`;
    } else if (!before) {
      taken.set(place, envelope);
      store.keep(envelope);
      fresh.push(envelope);
    } else if (!equalBytes(before.bytes, envelope.bytes)) equivocations.push(equivocation(before, envelope));
  };

  for (const { file, bytes, hint } of contents.blobs) {
    if (known.has(toHex(sha256(bytes)))) continue;
    if (!hint || hint.ceremony !== store.id) {
      problems.push(
        new CeremonyError('E_FORMAT', hint ? 'this message belongs to another ceremony' : 'this is not a message: it is empty, cut off or damaged', {
          file,
          remedy: `Bring the file again from its sender. Nothing was lost; ${ceremonyLabel(store.plan)} waits.`,
        }),
      );
      continue;
    }
    let envelope: Envelope;
    try {
      envelope = openBlob(bytes, store.session);
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      problems.push(e.with({ file, remedy: 'Bring the file again from its sender. Nothing was lost.' }));
      continue;
    }
    take(envelope, file);
  }
  for (const { file, bytes } of contents.evidence)
    for (const blob of evidenceEnvelopes(bytes)) {
      const envelope = known.has(toHex(sha256(blob))) ? undefined : openQuietly(blob, store);
      if (envelope) take(envelope, file);
    }

  for (const { file, bytes } of contents.chains) {
    for (const witness of witnessesOf(store.plan))
      if (readChain(bytes, witness.name, fromHex(witness.identity), store.id)) store.keepWitness(witness.name, bytes);
    for (const seat of store.session.seats) {
      const entries = readChain(bytes, seat.name, seat.identity, store.id);
      if (!entries) continue;
      if (seat.leaf === store.seat.leaf) rollback ??= newerOwnChain(store, entries, file);
      else {
        claim ??= seenAhead(store, entries, seat.name);
        fork ??= keepLongest(store, seat, bytes, entries, file) ?? otherProgramOf(store, seat.name, entries, file);
      }
    }
  }
  return { fresh, problems, equivocations, certificates: contents.certificates, rollback, claim, fork };
}

/** A message of this ceremony, if the bytes are one: evidence may be about another ceremony, or false. */
function openQuietly(blob: Uint8Array, store: CeremonyStore): Envelope | undefined {
  try {
    return openBlob(blob, store.session);
  } catch (e) {
    if (e instanceof CeremonyError) return undefined;
    throw e;
  }
}

/** The entries of a chain file, if it is a whole and valid chain of this author; else it says nothing. */
function readChain(bytes: Uint8Array, author: string, identity: Uint8Array, ceremony: string): Entry[] | undefined {
  try {
    return parseChain(bytes, { author, identity, ceremony });
  } catch {
    return undefined;
  }
}

/**
 * Keeps the longest chain of every author: a courier may bring an older copy over a newer one. Two copies of which neither
 * continues the other are a fork by their author, and both are signed.
 */
function keepLongest(store: CeremonyStore, { name, identity }: Seat, bytes: Uint8Array, entries: readonly Entry[], file: string): CeremonyError | undefined {
  const kept = store.keptChain(name);
  const before = kept ? (readChain(kept, name, identity, store.id) ?? []) : [];
  const fork = entries.find((e, i) => before[i] !== undefined && before[i].hash !== e.hash);
  if (fork)
    return new CeremonyError('E_FORK', `${name} signed two different entries ${String(fork.payload.seq)}`, {
      participant: name,
      file,
      details: ['One copy is kept in this home, the other lies in the folder. A restored or copied home does this.'],
      remedy: `Stop. Ask ${name} whether there is a second copy of that home. Keep both files.`,
    });
  if (entries.length > before.length) store.keepChain(name, bytes);
  return undefined;
}

/** Somebody's own first entry says that another program began this ceremony there than the plan pins. */
function otherProgramOf(store: CeremonyStore, participant: string, entries: readonly Entry[], file: string): CeremonyError | undefined {
  const text = entries[0] && otherProgram(store.plan, entries[0].payload);
  return text === undefined
    ? undefined
    : new CeremonyError('E_RELEASE', text, { participant, file, remedy: `Stop, and tell the lead. A further attempt (--again FOLDER) needs the pinned program at ${participant}, or goes without ${participant}.` });
}

/**
 * Whether a chain file is provably older than its author's own messages: every message is recorded by the entry after the
 * head that it carries.
 */
export function isOutdated(store: CeremonyStore, seat: Seat, chain: Uint8Array): boolean {
  const entries = readChain(chain, seat.name, seat.identity, store.id);
  if (!entries) return false;
  const heads = [...store.messages().values()].map((m) => m.get(seat.leaf)?.head.seq ?? -1);
  return entries.length < Math.max(...heads) + 1;
}

function newerOwnChain(store: CeremonyStore, entries: readonly Entry[], file: string): string | undefined {
  const foreign = entries.find((e, i) => store.journal[i]?.hash !== e.hash);
  return foreign && `the folder holds entry ${String(foreign.payload.seq)} of this participant's own transcript, which this home does not know (${file})`;
}

function seenAhead(store: CeremonyStore, entries: readonly Entry[], by: string): string | undefined {
  const seq = store.head.seq;
  for (const { payload } of entries) {
    const seen = payload.seen?.[store.seat.name];
    if (!seen) continue;
    const own = store.journal[seen.seq - 1];
    if (seen.seq > seq || own?.hash !== seen.hash)
      return `${by} has seen entry ${String(seen.seq)} of this participant's transcript; this home ${seen.seq > seq ? `has only ${String(seq)}` : 'holds another'}`;
  }
  return undefined;
}
