/**
 * One ceremony in one home: plan, journal, messages in and out, sealed round secrets.
 *
 * The journal is this participant's own transcript chain, and it is the commit point: a message counts as sent once its
 * `sent` entry is durable. What a step prepares before that (secret, message bytes) is overwritten when the step is
 * repeated after a crash; nothing of it has left the machine.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { hex } from '../plan/fields.ts';
import { ceremonyLabel, parsePlan, type Plan, planSession, rosterHash, sessionId, witnessesOf } from '../plan/plan.ts';
import { type Inbound, slotsOfSeat } from '../protocols/machine.ts';
import { type ChainOwner, encodeChain, type EntryFacts, headOf, MAX_CHAIN_BYTES, nextEntry, parseChain } from '../transcript/chain.ts';
import type { Entry } from '../transcript/entry.ts';
import type { Vault } from '../vault/vault.ts';
import { ceremonyId, type Envelope, type Head, MAX_BLOB_BYTES, openBlob, type Seat, type Session } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import type { Signer } from '../wire/ed25519.ts';
import { sha256 } from '../wire/hash.ts';
import { type ErrorCode, CeremonyError, ERRORS, fail } from '../wire/errors.ts';
import { type Home, inHome } from './home.ts';
import { DAMAGED, readRecord } from './record.ts';


const PlaceSchema = v.strictObject({ folder: v.string(), planFile: hex(32) });
const CounterSchema = v.strictObject({ n: v.number() });
const EndSchema = v.strictObject({
  code: v.picklist(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  text: v.string(),
  participant: v.optional(v.string()),
});

/** How a ceremony ended for this participant, other than well. */
export type Ending = v.InferOutput<typeof EndSchema>;

/** A ceremony that this home takes part in. */
export class CeremonyStore {
  readonly home: Home;
  readonly dir: string;
  readonly plan: Plan;
  readonly session: Session;
  /** This participant's seat. */
  readonly seat: Seat;
  #journal: Entry[] = [];

  private constructor(home: Home, dir: string, plan: Plan) {
    this.home = home;
    this.dir = dir;
    this.plan = plan;
    this.session = planSession(plan);
    const seat = this.session.seats.find((s) => s.name === home.facts.name);
    if (!seat) fail('E_NOT_PARTICIPANT', `${home.facts.name} has no seat in this plan`);
    this.seat = seat;
  }

  /** Ceremony id: 16 bytes hex. */
  get id(): string {
    return ceremonyId(this.session.sid);
  }
  get label(): string {
    return ceremonyLabel(this.plan);
  }
  get #owner(): ChainOwner {
    return { author: this.seat.name, identity: this.seat.identity, ceremony: this.id };
  }

  static #dirOf(home: Home, plan: Plan): string {
    return inHome(home, 'ceremonies', `${ceremonyLabel(plan)}-${ceremonyId(sessionId(plan)).slice(0, 8)}`);
  }

  /**
   * The ceremony of a plan, if this home takes part in it.
   * @throws E_STATE when its record is damaged
   */
  static find(home: Home, plan: Plan): CeremonyStore | undefined {
    const dir = CeremonyStore.#dirOf(home, plan);
    const found = home.disk.exists(join(dir, 'journal.jsonl')) ? CeremonyStore.#load(home, dir) : undefined;
    // names and 32 bits of the session are the folder's name; the rest must be the same too
    if (found && !equalBytes(found.session.sid, sessionId(plan)))
      fail('E_SESSION_SEEN', `another ceremony ${found.label} lies in this home where this one would`, { remedy: 'Ask the lead for a new plan.' });
    return found;
  }

  /** Every ceremony of this home. */
  static all(home: Home): CeremonyStore[] {
    return home.disk
      .dirs(inHome(home, 'ceremonies'))
      .map((name) => inHome(home, 'ceremonies', name))
      .filter((dir) => home.disk.exists(join(dir, 'journal.jsonl')))
      .map((dir) => CeremonyStore.#load(home, dir));
  }

  /**
   * The ceremony whose plan file has this SHA-256, or whose folder was here: found without reading the plan.
   * @param planFile hex of 32 bytes, or undefined when the folder has no plan file
   */
  static byPlace(home: Home, folder: string, planFile: string | undefined): CeremonyStore | undefined {
    for (const name of home.disk.dirs(inHome(home, 'ceremonies'))) {
      const dir = inHome(home, 'ceremonies', name);
      if (!home.disk.exists(join(dir, 'journal.jsonl'))) continue;
      const place = CeremonyStore.#place(home, dir);
      if (planFile === undefined ? place.folder === folder : place.planFile === planFile) return CeremonyStore.#load(home, dir);
    }
    return undefined;
  }

  static #place(home: Home, dir: string): v.InferOutput<typeof PlaceSchema> {
    const file = join(dir, 'place.json');
    return readRecord(home.disk, file, PlaceSchema, 'the record of a ceremony') ?? fail('E_STATE', 'the record of a ceremony is missing from this home', { file, remedy: DAMAGED });
  }

  static #load(home: Home, dir: string): CeremonyStore {
    const file = join(dir, 'plan.json');
    const plan = readRecord(home.disk, file, v.unknown(), 'the plan of a ceremony') ?? fail('E_STATE', 'the plan of a ceremony is missing from this home', { file, remedy: DAMAGED });
    const store = new CeremonyStore(home, dir, parsePlan(plan, file));
    const journal = join(dir, 'journal.jsonl');
    const lines = home.disk.read(journal, MAX_CHAIN_BYTES);
    if (!lines || lines.length === 0) fail('E_STATE', 'the journal of a ceremony is missing from this home', { file: journal });
    try {
      store.#journal = parseChain(lines, store.#owner);
    } catch (e) {
      throw e instanceof CeremonyError
        ? new CeremonyError('E_STATE', `the journal of this home is damaged: ${e.message}`, {
            file: journal,
            remedy: DAMAGED,
            cause: e,
          })
        : e;
    }
    return store;
  }

  /**
   * Begins a ceremony: plan and place, then the mark that this session was joined, then the first journal entry.
   * @throws E_SESSION_SEEN when this home joined the same session before and its record is gone
   */
  static begin(home: Home, plan: Plan, folder: string, planFile: string, open: EntryFacts, signer: Signer): CeremonyStore {
    const dir = CeremonyStore.#dirOf(home, plan);
    const id = ceremonyId(sessionId(plan));
    const resumed = home.disk.exists(join(dir, 'plan.json'));
    for (const sub of ['', 'in', 'out', 'secret']) home.disk.makeDir(join(dir, sub));
    const mark = inHome(home, 'sessions', id);
    if (!resumed && home.disk.exists(mark))
      fail('E_SESSION_SEEN', 'this home joined this very session before, and its record is gone', {
        participant: home.facts.name,
        remedy: 'Ask the lead for a further attempt (--again): a session is never run twice.',
      });
    home.disk.write(join(dir, 'plan.json'), canonicalBytes(plan as unknown as Json));
    home.disk.write(join(dir, 'place.json'), canonicalBytes({ folder, planFile }));
    home.disk.createOnce(mark, canonicalBytes({ plan: toHex(sessionId(plan)) }));
    const store = new CeremonyStore(home, dir, plan);
    store.append(open, signer);
    return store;
  }

  /** Stores files that belong to a ceremony before it begins; they are read back from here alone. */
  static attach(home: Home, plan: Plan, files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): void {
    const dir = CeremonyStore.#dirOf(home, plan);
    home.disk.makeDir(dir);
    for (const { path, bytes } of files) home.disk.write(join(dir, path), bytes);
  }

  /** Whether the lead's command that began the ceremony has run to its end. */
  get started(): boolean {
    return this.home.disk.exists(join(this.dir, 'started'));
  }
  markStarted(): void {
    this.home.disk.createOnce(join(this.dir, 'started'), new Uint8Array(0));
  }

  /** Remembers where the ceremony folder lies now. Its plan file is put back as it was joined, so that goes for its hash too. */
  moveTo(folder: string): void {
    const { planFile } = CeremonyStore.#place(this.home, this.dir);
    this.home.disk.write(join(this.dir, 'place.json'), canonicalBytes({ folder, planFile }));
  }
  get folder(): string {
    return CeremonyStore.#place(this.home, this.dir).folder;
  }

  get journal(): readonly Entry[] {
    return this.#journal;
  }
  get head(): Head {
    return headOf(this.#journal);
  }
  /** The journal as a transcript file. */
  get chainBytes(): Uint8Array {
    return encodeChain(this.#journal);
  }

  /** Appends a signed entry, durably. */
  append(facts: EntryFacts, signer: Signer): Entry {
    const entry = nextEntry(this.#journal, this.#owner, facts, signer);
    const journal = [...this.#journal, entry];
    this.home.disk.write(join(this.dir, 'journal.jsonl'), encodeChain(journal));
    this.#journal = journal;
    return entry;
  }

  /** Slots whose message this participant has sent. */
  get sent(): ReadonlySet<number> {
    return new Set(this.#journal.filter((e) => e.payload.kind === 'sent').map((e) => e.payload.slot as number));
  }

  /** The last slot whose round this participant has judged and found good: it has sent its message of the one after. */
  get settled(): number {
    const { sent } = this;
    const slots = slotsOfSeat(this.plan, this.seat.leaf, this.session.seats);
    const open = slots.findIndex((s) => !sent.has(s.slot));
    const last = open < 0 ? slots.at(-1) : slots[open - 1];
    return last === undefined ? 0 : last.slot - 1;
  }

  /**
   * This participant's own message of a slot, if it counts as sent.
   * @throws E_STATE when the journal says that it was sent and its bytes are missing or others
   */
  ownBlob(slot: number): Envelope | undefined {
    const entry = this.#journal.find((e) => e.payload.kind === 'sent' && e.payload.slot === slot);
    if (!entry) return undefined;
    const file = join(this.dir, 'out', `${String(slot)}.blob`);
    const bytes = this.home.disk.read(file, MAX_BLOB_BYTES);
    if (!bytes || toHex(sha256(bytes)) !== entry.payload.subject?.sha256)
      fail('E_STATE', 'a sent message is missing from this home, or was changed', { file, remedy: DAMAGED });
    return openBlob(bytes, this.session);
  }

  /** Stores the bytes of an outgoing message; they count only once {@link append} has recorded them as sent. */
  prepare(slot: number, bytes: Uint8Array): void {
    this.home.disk.write(join(this.dir, 'out', `${String(slot)}.blob`), bytes);
  }

  /** Keeps a received message. The first one kept for a seat and slot is never replaced. */
  keep(envelope: Envelope): void {
    this.home.disk.createOnce(join(this.dir, 'in', `${String(envelope.slot)}-${String(envelope.leaf)}.blob`), envelope.bytes);
  }

  /** Keeps a witness's chain; a later copy may hold more entries. */
  keepWitness(name: string, chain: Uint8Array): void {
    const file = join(this.dir, 'witness', `${name}.jsonl`);
    if ((this.home.disk.read(file, MAX_CHAIN_BYTES)?.length ?? 0) >= chain.length) return;
    this.home.disk.makeDir(join(this.dir, 'witness'));
    this.home.disk.write(file, chain);
  }

  /** The longest chain of another participant that this home has seen: file bytes, or undefined. */
  keptChain(name: string): Uint8Array | undefined {
    return this.home.disk.read(join(this.dir, 'chains', `${name}.jsonl`), MAX_CHAIN_BYTES);
  }
  /** Keeps a longer copy of another participant's chain. */
  keepChain(name: string, chain: Uint8Array): void {
    this.home.disk.makeDir(join(this.dir, 'chains'));
    this.home.disk.write(join(this.dir, 'chains', `${name}.jsonl`), chain);
  }

  /** Names of the plan's witnesses who have not signed this epoch (digest in hex). */
  missingWitnesses(epoch: string): string[] {
    return witnessesOf(this.plan)
      .filter(({ name, identity }) => {
        const bytes = this.home.disk.read(join(this.dir, 'witness', `${name}.jsonl`), MAX_CHAIN_BYTES);
        const entries = bytes ? parseChain(bytes, { author: name, identity: fromHex(identity), ceremony: this.id }) : [];
        return !entries.some((e) => e.payload.kind === 'witness' && e.payload.epoch === epoch);
      })
      .map((w) => w.name);
  }

  /** All messages held: received ones and own sent ones, by slot and leaf. */
  messages(): Inbound {
    const all = new Map<number, Map<number, Envelope>>();
    const put = (e: Envelope): void => {
      let slot = all.get(e.slot);
      if (!slot) all.set(e.slot, (slot = new Map()));
      slot.set(e.leaf, e);
    };
    for (const name of this.home.disk.list(join(this.dir, 'in'))) {
      const file = join(this.dir, 'in', name);
      const bytes = this.home.disk.read(file, MAX_BLOB_BYTES);
      if (!bytes) continue;
      try {
        put(openBlob(bytes, this.session));
      } catch (e) {
        throw e instanceof CeremonyError
          ? new CeremonyError('E_STATE', `a received message is damaged in this home: ${e.message}`, { file, remedy: 'Remove this one file, bring the folder again, and repeat the command.', cause: e })
          : e;
      }
    }
    for (const slot of this.sent) put(this.ownBlob(slot) as Envelope);
    return all;
  }

  /** Counter of the one-time key that this participant's confirmation publishes: chosen once, so that a repeated step makes no further key. */
  prekeyCounter(proposed: number): number {
    const file = join(this.dir, 'next-prekey.json');
    this.home.disk.createOnce(file, canonicalBytes({ n: proposed }));
    return readRecord(this.home.disk, file, CounterSchema, 'the counter of a one-time key')?.n ?? proposed;
  }

  /** Path of a sealed secret of this ceremony, relative to the home. */
  secretPath(name: string): string {
    return `${join(this.dir, 'secret', `${name}.sealed`).slice(this.home.root.length + 1)}`;
  }
  /** The same before the ceremony begins; makes its folder. */
  static secretPathOf(home: Home, plan: Plan, name: string): string {
    const dir = join(CeremonyStore.#dirOf(home, plan), 'secret');
    home.disk.makeDir(CeremonyStore.#dirOf(home, plan));
    home.disk.makeDir(dir);
    return join(dir, `${name}.sealed`).slice(home.root.length + 1);
  }
  /**
   * Destroys the round secrets of signings and presignings: what is half made of a nonce or a presignature is as good as
   * the share that it was made with.
   * @param which by id and epoch of the key
   */
  static destroyUses(home: Home, which: (key: { readonly id: string; readonly epoch: number }) => boolean): void {
    for (const store of CeremonyStore.all(home)) if ((store.plan.kind === 'sign' || store.plan.kind === 'presign') && which(store.plan.key)) store.destroySecrets();
  }

  /** Destroys every round secret of this ceremony. */
  destroySecrets(): void {
    for (const file of this.home.disk.list(join(this.dir, 'secret'))) this.home.disk.erase(join(this.dir, 'secret', file));
  }
  secret(vault: Vault, name: string): Uint8Array | undefined {
    return vault.get(this.secretPath(name));
  }

  /** How this ceremony ended badly, if it did. */
  get ending(): Ending | undefined {
    return readRecord(this.home.disk, join(this.dir, 'ended.json'), EndSchema, 'the record of how a ceremony ended');
  }
  /** Ends the ceremony for good; the first ending stands. */
  end(ending: Ending): void {
    this.home.disk.createOnce(join(this.dir, 'ended.json'), canonicalBytes(ending as unknown as Json));
  }

  /** Whether the ceremony is complete for this participant. */
  get done(): boolean {
    return this.#journal.some((e) => ['certificate', 'signature', 'presigned'].includes(e.payload.kind));
  }

  /** Digest of the roster that was joined, hex. */
  get roster(): string {
    return toHex(rosterHash(this.plan));
  }
}

