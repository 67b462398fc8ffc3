/** One author's chain of entries: appending, reading, and finding where it breaks. */
import { fromHex } from '../wire/bytes.ts';
import type { Head } from '../wire/blob.ts';
import { EMPTY_HEAD } from '../wire/blob.ts';
import type { Signer } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { EntryPayload } from './entry-fields.ts';
import { type Entry, keyId, makeEntry, MAX_ENTRY_BYTES, NO_ENTRY, parseEntry } from './entry.ts';

/** Most entries that one author's file may hold. */
export const MAX_ENTRIES = 100_000;
/** Largest transcript file. */
export const MAX_CHAIN_BYTES = 256 * 1024 * 1024;

/** Whose chain it is, in which ceremony. */
export interface ChainOwner {
  readonly author: string;
  /** Raw Ed25519 key, 32 bytes. */
  readonly identity: Uint8Array;
  /** Ceremony id, 16 bytes hex. */
  readonly ceremony: string;
}

/** The fields of an entry that its writer chooses. */
export type EntryFacts = Omit<EntryPayload, 'v' | 'author' | 'key' | 'ceremony' | 'seq' | 'prev'>;

/** Head after the last entry. */
export function headOf(entries: readonly Entry[]): Head {
  const last = entries.at(-1);
  return last ? { seq: last.payload.seq, hash: fromHex(last.hash) } : EMPTY_HEAD;
}

/** The next entry of a chain, signed. */
export function nextEntry(entries: readonly Entry[], owner: ChainOwner, facts: EntryFacts, signer: Signer): Entry {
  const last = entries.at(-1);
  const payload = {
    v: 1 as const,
    author: owner.author,
    key: keyId(owner.identity),
    ceremony: owner.ceremony,
    seq: (last?.payload.seq ?? 0) + 1,
    prev: last?.hash ?? NO_ENTRY,
    ...facts,
  };
  return makeEntry(payload, signer);
}

/** The file bytes of a chain: one line an entry, each ended by a newline. */
export function encodeChain(entries: readonly Entry[]): Uint8Array {
  return new TextEncoder().encode(entries.map((e) => `${e.line}\n`).join(''));
}

/** Lines of a chain file. @throws E_CANON when it is empty or the last line is not ended, E_TOO_LARGE */
export function* chainLines(bytes: Uint8Array): Generator<string> {
  if (bytes.length > MAX_CHAIN_BYTES) fail('E_TOO_LARGE', 'a transcript file is too large');
  if (bytes.length === 0) fail('E_CANON', 'the file is empty');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < buffer.length) {
    const end = buffer.indexOf(10, at);
    if (end < 0) fail('E_CANON', 'the last line is cut off');
    if (end - at > MAX_ENTRY_BYTES) fail('E_TOO_LARGE', 'an entry is too long');
    yield buffer.toString('latin1', at, end);
    at = end + 1;
  }
}

/**
 * Reads a chain file entry by entry, checking signatures and links as it goes.
 * @throws the code of the first fault, with the line number in the text
 */
export function* walkChain(bytes: Uint8Array, owner: ChainOwner): Generator<Entry> {
  let prev = NO_ENTRY;
  let seq = 0;
  for (const line of chainLines(bytes)) {
    seq += 1;
    if (seq > MAX_ENTRIES) fail('E_TOO_LARGE', 'a transcript holds too many entries');
    let entry: Entry;
    try {
      entry = parseEntry(line, owner.identity);
    } catch (e) {
      throw e instanceof CeremonyError
        ? new CeremonyError(e.code, `line ${String(seq)}: ${e.message}`, { participant: owner.author, field: `line ${String(seq)}`, ...e.facts })
        : e;
    }
    const at = { participant: owner.author, field: `line ${String(seq)}` };
    const { payload } = entry;
    if (payload.author !== owner.author) fail('E_CHAIN', `line ${String(seq)}: written by ${payload.author}, in the file of ${owner.author}`, at);
    if (payload.ceremony !== owner.ceremony) fail('E_CHAIN', `line ${String(seq)}: belongs to another ceremony`, at);
    if (payload.seq !== seq) fail('E_CHAIN', `line ${String(seq)}: GAP: expected entry ${String(seq)}, found ${String(payload.seq)}`, at);
    if (payload.prev !== prev) fail('E_CHAIN', `line ${String(seq)}: BROKEN CHAIN: does not continue the entry before it`, at);
    prev = entry.hash;
    yield entry;
  }
}

/** All entries of a chain file. @throws as {@link walkChain} */
export function parseChain(bytes: Uint8Array, owner: ChainOwner): Entry[] {
  return [...walkChain(bytes, owner)];
}
