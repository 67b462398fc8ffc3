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
import { boxOf, doorOf, placeName } from '../relay/place.ts';
import type { Relay } from '../relay/relay.ts';
import { sealPart } from '../relay/seal-part.ts';
import { blobHint, type Seat } from '../wire/blob.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
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
  return { from, to, label, what, box: label === 'opening' ? doorOf(from === me ? peer : key.publicKey) : boxOf(sid), name: placeName(key.shared(peer), { sid, from, to, label }) };
}

const others = (store: CeremonyStore): Seat[] => store.session.seats.filter((s) => s.leaf !== store.seat.leaf);

/** Places that others fill for this participant, in the order in which they are filled. */
export function placesForMe(store: CeremonyStore, identity: Identity): Place[] {
  const peers = relayKeys(store);
  const me = store.seat.name;
  return others(store).flatMap(({ name }) => [
    ...slotsOf(store.plan).map(({ slot, name: what }) => place(store, identity, peers, name, me, `message-${String(slot)}`, what)),
    place(store, identity, peers, name, me, 'evidence', 'evidence'),
    place(store, identity, peers, name, me, 'end', 'transcript'),
  ]);
}

/**
 * Takes into the folder what lies in the relay and is not held here.
 * @param taken names of places that need no second look in this process; grows
 * @throws E_RELAY when the relay cannot be asked, E_ROLLBACK when it holds a message of this participant that this home does not know
 */
export async function fetchFrom(relay: Relay, store: CeremonyStore, folder: string, identity: Identity, taken: Set<string>): Promise<Fetched> {
  const there = new Set(await relay.list(boxOf(store.session.sid)));
  requireOwn(store, identity, there);
  const messages = store.messages();
  const seats = new Map(store.session.seats.map((s) => [s.name, s]));
  const held = ({ from, label }: Place): boolean => label.startsWith('message-') && messages.get(Number(label.slice(8)))?.has(seats.get(from)?.leaf ?? 0) === true;
  const fetched: string[] = [];
  const problems: CeremonyError[] = [];
  await each(
    placesForMe(store, identity).filter((p) => there.has(p.name) && !taken.has(p.name) && !held(p)),
    async (p) => {
      try {
        const bytes = await relay.get(p.box, p.name);
        if (!bytes) return;
        const sender = seats.get(p.from)?.identity ?? fail('E_INTERNAL', 'a place of nobody');
        const from = `the ${p.what} of ${p.from} on the relay`;
        const payload = openPart(bytes, { sid: store.session.sid, from: p.from, to: p.to, label: p.label, identity: sender }, identity.relay);
        const files = parseParcel(payload, from);
        requireFitting(store, p, files, from);
        const { wrote } = unpack(store.home.disk, folder, files, from, { ceremony: store.id, names: new Map(store.session.seats.map((s) => [s.leaf, s.name])) });
        fetched.push(...wrote);
        taken.add(p.name);
      } catch (e) {
        if (!(e instanceof CeremonyError) || e.code === 'E_RELAY' || e.code === 'E_IO') throw e;
        problems.push(e.with({ participant: p.from, remedy: `Carry the ${p.what} of ${p.from} by another route; every route may be mixed.` }));
      }
    },
  );
  return { fetched, problems, count: there.size };
}

/** Nobody brings files of others under its own name. @throws E_PARCEL */
function requireFitting(store: CeremonyStore, { from, label }: Place, files: readonly ParcelFile[], shown: string): void {
  const leaf = store.session.seats.find((s) => s.name === from)?.leaf;
  const fits = ({ path, bytes }: ParcelFile): boolean => {
    if (label === 'evidence') return path.startsWith('evidence/');
    if (label === 'end') return path === `transcript/${from}.jsonl` || path === 'transcript/certificate.json' || path.startsWith('evidence/');
    const hint = path.endsWith('.blob') ? blobHint(bytes) : undefined;
    return hint?.leaf === leaf && `message-${String(hint?.slot)}` === label;
  };
  const foreign = files.find((f) => !fits(f));
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
      if (there.has(place(store, identity, peers, store.seat.name, name, `message-${String(slot)}`, '').name))
        fail('E_ROLLBACK', `the relay holds a ${slotName(store.plan, slot)} message of this participant for ${name}, and this home has not sent one`, {
          participant: name,
          details: ['Either this home is an older copy of itself, or the relay and this reader together say something false. Nothing was signed.'],
          remedy: 'Compare with the words on paper and look for a newer copy of this home. If this home is right, go on by another route and tell the lead.',
        });
}

/** Places in the box of the ceremony that this participant has something for. */
export function placesFromMe(store: CeremonyStore, identity: Identity): Place[] {
  return parcelsFromMe(store, store.folder, identity).map((p) => p.place).filter((p) => p.label !== 'opening');
}

/** What this participant has to say to each of the others, by place. */
function parcelsFromMe(store: CeremonyStore, folder: string, identity: Identity): { place: Place; files: ParcelFile[] }[] {
  const peers = relayKeys(store);
  const me = store.seat.name;
  const { disk } = store.home;
  const messages = [...store.sent].map((slot) => ({ slot, own: store.ownBlob(slot) ?? fail('E_INTERNAL', 'sent, and not there') }));
  const evidence = disk.list(join(store.dir, 'evidence')).flatMap((name) => {
    const bytes = disk.read(join(store.dir, 'evidence', name), MAX_EVIDENCE_BYTES);
    return bytes && bytes.length <= MAX_RELAYED_EVIDENCE ? [{ path: `evidence/${name}`, bytes }] : [];
  });
  const certificate = store.done ? disk.read(join(folder, 'transcript', 'certificate.json'), MAX_CERTIFICATE_BYTES) : undefined;
  const end = store.done || store.ending !== undefined ? [{ path: `transcript/${me}.jsonl`, bytes: store.chainBytes.slice(0, MAX_CHAIN_BYTES) }, ...(certificate ? [{ path: 'transcript/certificate.json', bytes: certificate }] : [])] : [];
  const opening = me === store.plan.lead ? [...openingFiles(store), ...cardFiles(store, folder)] : [];
  return others(store).flatMap(({ name }) => {
    const parcel = (label: string, what: string, files: ParcelFile[]) => (files.length === 0 ? [] : [{ place: place(store, identity, peers, me, name, label, what), files }]);
    return [
      ...parcel('opening', 'plan', opening),
      ...messages.flatMap(({ slot, own }) => parcel(`message-${String(slot)}`, slotName(store.plan, slot), [messageFile(own)])),
      ...parcel('evidence', 'evidence', evidence.slice(0, 1)),
      ...parcel('end', 'transcript', end),
    ];
  });
}

/** Larger evidence (proofs of a whole ECDSA round) goes by file. */
const MAX_RELAYED_EVIDENCE = 16 * 1024 * 1024;

function cardFiles(store: CeremonyStore, folder: string): ParcelFile[] {
  const { disk } = store.home;
  const dir = join(folder, 'cards');
  if (!disk.exists(dir)) return [];
  return disk.list(dir).filter((n) => /^[a-z0-9][a-z0-9-]*\.card$/.test(n)).flatMap((n) => {
    const bytes = disk.read(join(dir, n), 65_536);
    return bytes ? [{ path: `cards/${n}`, bytes }] : [];
  });
}

/**
 * Puts what this participant has said where its readers look. Repeating it is harmless: a place is written once, with the
 * same bytes every time.
 * @param filled names of places that were filled before; grows
 * @throws E_RELAY
 */
export async function pushTo(relay: Relay, store: CeremonyStore, folder: string, identity: Identity, filled: Set<string>): Promise<Pushed> {
  const pushed: string[] = [];
  const problems: CeremonyError[] = [];
  const wanted = parcelsFromMe(store, folder, identity).filter(({ place: p }) => !filled.has(p.name));
  if (wanted.length === 0) return { pushed, problems };
  const peers = relayKeys(store);
  const listed = new Map<string, Set<string>>();
  for (const box of new Set(wanted.map(({ place: p }) => p.box))) listed.set(box, new Set(await relay.list(box)));
  await each(wanted, async ({ place: p, files }) => {
    if (listed.get(p.box)?.has(p.name) !== true) {
      const reader = peers.get(p.to) ?? fail('E_INTERNAL', 'a place of nobody');
      const part = sealPart({ sid: store.session.sid, from: p.from, to: p.to, label: p.label, payload: encodeParcel(files), reader, signer: identity.signer, key: identity.relay });
      try {
        if ((await relay.put(p.box, p.name, part)) === 'stored') pushed.push(`${p.to}: ${p.what}`);
      } catch (e) {
        if (!(e instanceof CeremonyError) || e.code !== 'E_RELAY_PART') throw e;
        problems.push(e.with({ participant: p.to, remedy: `Carry your ${p.what} to ${p.to} by another route.` }));
      }
    }
    filled.add(p.name);
  });
  return { pushed, problems };
}
