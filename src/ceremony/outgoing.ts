/**
 * What of a ceremony must travel from here, where a route carries single files and no folder. The lead's machine is the
 * hub: it gives out everything that somebody may still lack, the others give their own messages to it. Who has sent a
 * message of a later round holds all messages of the rounds before.
 */
import { join } from 'node:path';
import { MAX_CERTIFICATE_BYTES } from '../protocols/epoch.ts';
import { type Inbound, slotsOfSeat } from '../protocols/machine.ts';
import type { ParcelFile } from '../transport/parcel.ts';
import type { Envelope, Seat } from '../wire/blob.ts';
import { BASE_FILE, STORED_BASE } from './base.ts';
import { REHEARSAL_FILE } from './rehearsed.ts';
import type { CeremonyStore } from './store.ts';

/** Files with which a ceremony begins, and their names in the home. */
const OPENING: readonly (readonly [string, string])[] = [
  ['PLAN.yaml', 'PLAN.yaml'],
  ['intent.json', 'intent.json'],
  ['message.bin', 'message.bin'],
  [BASE_FILE, STORED_BASE],
];

/** What somebody needs to join: plan, intent and message of a signing, the certificate that a new epoch builds on. */
export function openingFiles(store: CeremonyStore): ParcelFile[] {
  const { disk } = store.home;
  const read = (path: string, file: string): ParcelFile[] => {
    const bytes = disk.read(file, MAX_CERTIFICATE_BYTES);
    return bytes ? [{ path, bytes }] : [];
  };
  // the rehearsal that a plan relies on is not kept in the home: its hash stands in the plan
  return [...OPENING.flatMap(([path, stored]) => read(path, join(store.dir, stored))), ...read(REHEARSAL_FILE, join(store.folder, REHEARSAL_FILE))];
}

/** Whether a file may come with an invitation: what is needed to join, and cards. */
export function isOpeningFile(path: string): boolean {
  return OPENING.some(([name]) => name === path) || path === REHEARSAL_FILE || path.startsWith('cards/');
}

/** A message as a file of the folder. */
export function messageFile(e: Envelope): ParcelFile {
  return { path: `round-${String(e.slot)}/${e.name}.blob`, bytes: e.bytes };
}

/** Files that `outgoing` gives. Empty: the others have everything, or this participant has said nothing yet. */
export function outgoing(store: CeremonyStore): ParcelFile[] {
  const { plan, seat, session } = store;
  const messages = store.messages();
  const lead = session.seats.find((s) => s.name === plan.lead);
  const hub = seat.name === plan.lead || lead === undefined;
  const readers = session.seats.filter((s) => s.leaf !== seat.leaf && (hub || s.leaf === lead.leaf));
  const lacking = (e: Envelope): boolean => readers.some((r) => r.leaf !== e.leaf && !isPast(store, r, e.slot, messages));
  const files = [...messages.values()].flatMap((sent) => [...sent.values()]).filter((e) => (hub || e.leaf === seat.leaf) && lacking(e));
  const joined = (s: Seat): boolean => [...messages.values()].some((sent) => sent.has(s.leaf));
  const opening = hub && readers.some((r) => !joined(r)) ? openingFiles(store) : [];
  return [...opening, ...files.sort((a, b) => a.slot - b.slot || a.leaf - b.leaf).map(messageFile)];
}

/** Whether a participant has sent a message of a later slot, and so holds all messages of this one. */
function isPast(store: CeremonyStore, reader: Seat, slot: number, messages: Inbound): boolean {
  return slotsOfSeat(store.plan, reader.leaf, store.session.seats).some((s) => s.slot > slot && messages.get(s.slot)?.has(reader.leaf) === true);
}
