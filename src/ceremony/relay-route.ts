/**
 * The relay as a route: takes what lies there for this participant into the ceremony folder, and puts there what the
 * others need from this participant. Every place is known to its writer and its reader alone (relay/place.ts) and is
 * written once. The relay is believed in nothing: it can keep things back, and that is all.
 */
import { join } from 'node:path';
import { MAX_CERTIFICATE_BYTES } from '../protocols/epoch.ts';
import { slotName, slotsOf } from '../protocols/machine.ts';
import { MAX_CHAIN_BYTES } from '../transcript/chain.ts';
import { MAX_EVIDENCE_BYTES } from '../transcript/evidence.ts';
import { encodeParcel, type ParcelFile, parseParcel } from '../transport/parcel.ts';
import { unpack } from '../transport/unpack.ts';
import { openPart } from '../relay/open-part.ts';
import { boxOf, doorOf, OPENING, placeName } from '../relay/place.ts';
import { MAX_NAMES, type Relay } from '../relay/relay.ts';
import { sealPart } from '../relay/seal-part.ts';
import { blobHint, type Seat } from '../wire/blob.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Identity } from './identity.ts';
import { messageFile, openingFiles } from './outgoing.ts';
import { relayKeys } from './relay-keys.ts';
import type { CeremonyStore } from './store.ts';

/** A place of the relay that somebody fills for somebody. */
export interface Place {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** What lies there, for people. */
  readonly what: string;
  readonly box: string;
  readonly name: string;
}

/** What came over the relay in one go. */
export interface Fetched {
  /** Files that came, by their path in the folder. */
  readonly fetched: readonly string[];
  /** Places whose contents cannot be used; they only matter while something is missing. */
  readonly problems: readonly CeremonyError[];
  /** Names in the ceremony's box when it was looked at. */
  readonly count: number;
}
/** What went out. */
export interface Pushed {
  /** "bob: deal", one for each place filled. */
  readonly pushed: readonly string[];
  readonly problems: readonly CeremonyError[];
}

const AT_ONCE = 8;
/** Times that what does not open is fetched in one process: bytes may be damaged under way. */
const TRIES = 3;
/** Places of evidence: one file each. */
const EVIDENCE = ['evidence-1', 'evidence-2', 'evidence-3'];
/** What a participant leaves last: when it has finished, and when it has given up, which may come before. */
const ENDS = ['end', 'abort'];
const slotOfLabel = (label: string): number | undefined => (label.startsWith('message-') ? Number(label.slice('message-'.length)) : undefined);

/** What this process knows of a relay beyond the home: places that need no second look. */
export class Visited {
  /** Places whose contents were taken. */
  readonly taken = new Set<string>();
  /** Places that were filled. */
  readonly filled = new Set<string>();
  readonly #failed = new Map<string, number>();

  failed(name: string): void {
    this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1);
  }
  isHopeless(name: string): boolean {
    return (this.#failed.get(name) ?? 0) >= TRIES;
  }
}

/** Runs a few at a time: a relay may be far away, and a participant's files are many. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  }));
}

function place(store: CeremonyStore, { relay: key }: Identity, peers: ReadonlyMap<string, Uint8Array>, from: string, to: string, label: string, what: string): Place {
  const me = store.seat.name;
  const other = from === me ? to : from;
  const peer = peers.get(other) ?? fail('E_CARD', `the relay key of ${other} is not known here`, { participant: other, remedy: `Put ${other}.card into the cards folder of this ceremony, or: mpc-ceremony peers add ${other}.card` });
  const { sid } = store.session;
  const shared = key.shared(peer);
  return { from, to, label, what, box: label === OPENING ? doorOf(shared, from, to) : boxOf(sid), name: placeName(shared, { sid, from, to, label }) };
}

const others = (store: CeremonyStore): Seat[] => store.session.seats.filter((s) => s.leaf !== store.seat.leaf);

/** Places that others fill for this participant, in the order in which they are filled. */
export function placesForMe(store: CeremonyStore, identity: Identity): Place[] {
  const peers = relayKeys(store);
  const me = store.seat.name;
  return others(store).flatMap(({ name }) => [
    ...slotsOf(store.plan).map(({ slot, name: what }) => place(store, identity, peers, name, me, `message-${String(slot)}`, what)),
    ...EVIDENCE.map((label) => place(store, identity, peers, name, me, label, 'evidence')),
    ...ENDS.map((label) => place(store, identity, peers, name, me, label, 'transcript')),
  ]);
}

/**
 * Takes into the folder what lies in the relay and is not held here.
 * @throws E_RELAY when the relay cannot be asked, E_ROLLBACK when it holds a message of this participant that this home does not know
 */
export async function fetchFrom(relay: Relay, store: CeremonyStore, folder: string, identity: Identity, visited: Visited): Promise<Fetched> {
  const there = new Set(await relay.list(boxOf(store.session.sid)));
  requireOwn(store, identity, there);
  const messages = store.messages();
  const seats = new Map(store.session.seats.map((s) => [s.name, s]));
  const held = ({ from, label }: Place): boolean => messages.get(slotOfLabel(label) ?? -1)?.has(seats.get(from)?.leaf ?? 0) === true;
  // a box that somebody has filled hides names: then every place is asked for
  const mayBeThere = (name: string): boolean => there.has(name) || there.size >= MAX_NAMES;
  const fetched: string[] = [];
  const problems: CeremonyError[] = [];
  await each(
    placesForMe(store, identity).filter((p) => mayBeThere(p.name) && !visited.taken.has(p.name) && !visited.isHopeless(p.name) && !held(p)),
    async (p) => {
      try {
        const bytes = await relay.get(p.box, p.name);
        if (!bytes) return;
        const sender = seats.get(p.from)?.identity ?? fail('E_INTERNAL', 'a place of nobody');
        const from = `the ${p.what} of ${p.from} on the relay`;
        const payload = openPart(bytes, { sid: store.session.sid, from: p.from, to: p.to, label: p.label, identity: sender }, identity.relay);
        const files = parseParcel(payload, from);
        requireFitting(p, files, seats.get(p.from)?.leaf, from);
        const { wrote } = unpack(store.home.disk, folder, files, from, { ceremony: store.id, names: new Map(store.session.seats.map((s) => [s.leaf, s.name])) });
        fetched.push(...wrote);
        visited.taken.add(p.name);
      } catch (e) {
        if (!(e instanceof CeremonyError) || e.code === 'E_RELAY' || e.code === 'E_IO') throw e;
        visited.failed(p.name);
        problems.push(e.with({ participant: p.from, remedy: `Carry the ${p.what} of ${p.from} by another route; every route may be mixed.` }));
      }
    },
  );
  return { fetched, problems, count: there.size };
}

/** Nobody brings files of others under its own name, and no more of them than belong to the place. @throws E_PARCEL */
function requireFitting({ from, label }: Place, files: readonly ParcelFile[], leaf: number | undefined, shown: string): void {
  const fits = ({ path, bytes }: ParcelFile): boolean => {
    if (EVIDENCE.includes(label)) return path.startsWith(`evidence/${from}-`) && Buffer.from(bytes.subarray(0, 11)).toString('latin1') === '{"code":"E_';
    if (ENDS.includes(label)) return path === `transcript/${from}.jsonl` || path === 'transcript/certificate.json';
    const hint = blobHint(bytes);
    // a lone blob has no path of its own: it was named after its seat
    return hint !== undefined && hint.leaf === leaf && hint.slot === slotOfLabel(label) && path === `round-${String(hint.slot)}/seat-${String(leaf)}.blob`;
  };
  const most = ENDS.includes(label) ? 2 : 1;
  const foreign = files.find((f) => !fits(f)) ?? files[most];
  if (foreign) fail('E_PARCEL', `${foreign.path} does not belong there`, { file: shown });
}

/**
 * A message of this participant that only it and its reader could put there, and that this home has not sent: the home is
 * an older copy of itself, or the reader lies. Nothing is signed until a person has looked.
 */
function requireOwn(store: CeremonyStore, identity: Identity, there: ReadonlySet<string>): void {
  if (store.done || store.ending) return;
  const peers = relayKeys(store);
  const { sent } = store;
  for (const { slot } of slotsOf(store.plan).filter((s) => !sent.has(s.slot)))
    for (const { name } of others(store))
      if (there.has(place(store, identity, peers, store.seat.name, name, `message-${String(slot)}`, '').name)) throw foreignOwn(store, slot, name, 'has not sent one');
}

/** Something lies in a place of this participant that this home has not put there. Whoever keeps the relay can do that too: nobody is named. */
function foreignOwn(store: CeremonyStore, slot: number, reader: string, what: string): CeremonyError {
  return new CeremonyError('E_ROLLBACK', `the relay holds a ${slotName(store.plan, slot)} message of this participant for ${reader}, and this home ${what}`, {
    details: ['Either this home is an older copy of itself, or one of two; or the relay, or somebody who can write to it, says something false. Nothing more was signed, and nothing is locked.'],
    remedy: 'Stop. Compare with the words on paper, and look for another copy of this home. If this home is the only one: go on by another route (mpc-ceremony next FOLDER, and carry the folder), and tell whoever keeps the relay.',
  });
}

/** Places in the box of the ceremony that this participant has something for. */
export function placesFromMe(store: CeremonyStore, identity: Identity): Place[] {
  return parcelsFromMe(store, store.folder, identity).map((p) => p.place).filter((p) => p.label !== OPENING);
}

/** What this participant has to say to each of the others, by place. */
function parcelsFromMe(store: CeremonyStore, folder: string, identity: Identity): { place: Place; files: ParcelFile[] }[] {
  const peers = relayKeys(store);
  const me = store.seat.name;
  const { disk } = store.home;
  const messages = [...store.sent].map((slot) => ({ slot, own: store.ownBlob(slot) ?? fail('E_INTERNAL', 'sent, and not there') }));
  // in the order in which it was found: a place is written once, whatever is found later
  const found = store.journal.map((e) => e.payload.evidence);
  const age = (bytes: Uint8Array): number => (found.indexOf(toHex(sha256(bytes))) + found.length + 1) % (found.length + 1);
  const kept = disk.list(join(store.dir, 'evidence')).flatMap((name) => {
    const bytes = disk.read(join(store.dir, 'evidence', name), MAX_EVIDENCE_BYTES);
    return bytes ? [{ name, bytes }] : [];
  });
  const evidence = kept.sort((a, b) => age(a.bytes) - age(b.bytes)).flatMap(({ name, bytes }) => {
    return bytes.length <= MAX_RELAYED_EVIDENCE ? [{ path: `evidence/${name}`, bytes }] : [];
  });
  const certificate = store.done ? disk.read(join(folder, 'transcript', 'certificate.json'), MAX_CERTIFICATE_BYTES) : undefined;
  const over = store.done ? 'end' : store.ending === undefined ? undefined : 'abort';
  const end = over !== undefined ? [{ path: `transcript/${me}.jsonl`, bytes: store.chainBytes.slice(0, MAX_CHAIN_BYTES) }, ...(certificate ? [{ path: 'transcript/certificate.json', bytes: certificate }] : [])] : [];
  // with the lead's first message, so that whoever joins need not come again for it
  const first = messages.filter(({ slot }) => slot === slotsOf(store.plan)[0]?.slot).map(({ own }) => messageFile(own));
  const opening = me === store.plan.lead ? [...openingFiles(store), ...cardFiles(store, folder), ...first] : [];
  return others(store).flatMap(({ name }) => {
    const parcel = (label: string, what: string, files: ParcelFile[]) => (files.length === 0 ? [] : [{ place: place(store, identity, peers, me, name, label, what), files }]);
    return [
      ...parcel(OPENING, 'plan', opening),
      ...messages.flatMap(({ slot, own }) => parcel(`message-${String(slot)}`, slotName(store.plan, slot), [messageFile(own)])),
      ...evidence.slice(0, EVIDENCE.length).flatMap((file, i) => parcel(EVIDENCE[i] as string, 'evidence', [file])),
      ...parcel(over ?? 'end', 'transcript', end),
    ];
  });
}

/** Larger evidence (proofs of a whole ECDSA round) goes by file. */
const MAX_RELAYED_EVIDENCE = 16 * 1024 * 1024;

function cardFiles(store: CeremonyStore, folder: string): ParcelFile[] {
  const { disk } = store.home;
  const dir = join(folder, 'cards');
  if (!disk.exists(dir)) return [];
  const seats = new Set(store.session.seats.map((s) => `${s.name}.card`));
  return disk.list(dir).filter((n) => seats.has(n)).flatMap((n) => {
    const bytes = disk.read(join(dir, n), 65_536);
    return bytes ? [{ path: `cards/${n}`, bytes }] : [];
  });
}

/**
 * Puts what this participant has said where its readers look. Repeating it is harmless: a place is written once, with the
 * same bytes every time. A message is put even where the relay says that it has one: if it is another, this home is not the only one.
 * @throws E_ROLLBACK where another message of this participant lies; E_RELAY when nothing could be put
 */
export async function pushTo(relay: Relay, store: CeremonyStore, folder: string, identity: Identity, visited: Visited): Promise<Pushed> {
  const pushed: string[] = [];
  const problems: CeremonyError[] = [];
  const wanted = parcelsFromMe(store, folder, identity).filter(({ place: p }) => !visited.filled.has(p.name));
  const peers = relayKeys(store);
  const unreachable: CeremonyError[] = [];
  let otherSelf: CeremonyError | undefined;
  await each(wanted, async ({ place: p, files }) => {
    const reader = peers.get(p.to) ?? fail('E_INTERNAL', 'a place of nobody');
    const part = sealPart({ sid: store.session.sid, from: p.from, to: p.to, label: p.label, payload: encodeParcel(files), reader, signer: identity.signer, key: identity.relay });
    try {
      if ((await relay.put(p.box, p.name, part)) === 'stored') pushed.push(`${p.to}: ${p.what}`);
      visited.filled.add(p.name);
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      const slot = slotOfLabel(p.label);
      if (e.code === 'E_RELAY_PART' && slot !== undefined) otherSelf ??= foreignOwn(store, slot, p.to, 'has sent another');
      // what was left last may have grown since
      if (e.code === 'E_RELAY_PART') visited.filled.add(p.name);
      else if (e.code === 'E_RELAY') unreachable.push(e);
      else throw e;
      if (e.code === 'E_RELAY') problems.push(e.with({ participant: p.to, remedy: `Repeat the command, or carry your ${p.what} to ${p.to} by another route.` }));
    }
  });
  if (otherSelf as CeremonyError | undefined) throw otherSelf as unknown as CeremonyError;
  const [first] = unreachable;
  if (first && unreachable.length === wanted.length) throw first;
  return { pushed, problems };
}
