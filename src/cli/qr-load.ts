/** What is to be shown in codes: a file, or what the others need of a ceremony. Public; what looks secret is refused. */
import { basename, dirname, join, relative } from 'node:path';
import type { CeremonyStore } from '../ceremony/store.ts';
import { outgoing } from '../ceremony/outgoing.ts';
import { requireRoute } from '../ceremony/routes.ts';
import { parseCard } from '../plan/card.ts';
import { encodeParcel, isParcelPath, type ParcelFile, parseParcel } from '../transport/parcel.ts';
import type { Disk } from '../vault/durable.ts';
import { blobHint, MAX_BLOB_BYTES } from '../wire/blob.ts';
import { fail } from '../wire/errors.ts';

/** Largest file that is shown, bytes: about a minute at a large terminal. */
export const MAX_SHOWN_FILE = 65_536;
/** Above this many bytes codes take minutes. */
export const SLOW_BYTES = 40_000;

/** What the codes carry. */
export interface Load {
  /** In a few words, for the status line. */
  readonly what: string;
  /** What a scanner puts together again. */
  readonly message: Uint8Array;
  /** Names of those who need it; empty where nobody in particular does. */
  readonly readers: readonly string[];
  /** The file itself, where one file is shown: what goes onto paper. */
  readonly file?: Uint8Array;
}

const words = (names: readonly string[]): string => (names.length < 3 ? names.join(' and ') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) as string}`);

/** Names in a sentence: "bob and carol". */
export { words as namesInWords };

/** Those to whose cameras this participant holds its screen: the lead is the hub, the others show to it. */
export function readersOf({ plan, session, seat }: CeremonyStore): string[] {
  const others = session.seats.filter((s) => s.leaf !== seat.leaf).map((s) => s.name);
  return seat.name !== plan.lead && others.includes(plan.lead) ? [plan.lead] : others;
}

/** What the others need of a ceremony, or undefined if they need nothing. @throws E_ROUTE, E_TOO_LARGE */
export function ceremonyLoad(store: CeremonyStore): Load | undefined {
  requireRoute(store.plan, 'qr');
  const files = outgoing(store);
  if (files.length === 0) return undefined;
  const blobs = files.filter((f) => f.path.endsWith('.blob'));
  const senders = [...new Set(blobs.map((f) => basename(f.path, '.blob')))].sort();
  const messages = blobs.length === 0 ? [] : [`${blobs.length === 1 ? 'message' : `${String(blobs.length)} messages`} of ${words(senders)}`];
  const plan = files.length > blobs.length ? [files.some((f) => f.path === 'intent.json') ? 'plan and intent' : 'plan'] : [];
  return { what: `${store.label}: ${[...plan, ...messages].join(', ')}`, message: encodeParcel(files), readers: readersOf(store) };
}

/** What lies in a folder of which this home has no part: plan and messages, as a courier or a lead without a seat shows them. @throws E_MISSING */
export function folderLoad(disk: Disk, folder: string): Load {
  const places = ['', 'base', ...disk.dirs(folder).filter((d) => /^round-[1-9]$/.test(d))];
  const paths = places.flatMap((dir) => disk.list(join(folder, dir)).map((name) => (dir === '' ? name : `${dir}/${name}`))).filter((path) => isParcelPath(path) && path !== 'certificate.json');
  if (!paths.includes('PLAN.yaml')) fail('E_MISSING', `there is no PLAN.yaml in ${folder}`, { file: join(folder, 'PLAN.yaml'), remedy: 'Give a ceremony folder, or the one file that is to be shown.' });
  const files = paths.map((path) => ({ path, bytes: disk.read(join(folder, path), MAX_BLOB_BYTES) ?? new Uint8Array(0) }));
  const messages = paths.filter((p) => p.endsWith('.blob')).length;
  return { what: `${basename(folder)}: plan${messages === 0 ? '' : `, ${String(messages)} message${messages === 1 ? '' : 's'}`}`, message: encodeParcel(files), readers: [] };
}

// a sealed file of a home; an age identity; a private key in PEM
const SECRET = ['MPCS1', 'AGE-SECRET-KEY-1', 'PRIVATE KEY-----'];

function looksSecret(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return SECRET.some((mark, i) => (i === 0 ? text.indexOf(mark) === 0 : text.includes(mark)));
}

/**
 * A file: a message as it is, a parcel as it is, anything else as a parcel of one file, by the name that it has in a
 * ceremony folder or in `files/`.
 * @param homeRoot of which only the card is ever shown
 * @throws E_MISSING, E_ROUTE for more than {@link MAX_SHOWN_FILE}, E_USAGE for what looks secret, E_CARD, E_PARCEL
 */
export function fileLoad(disk: Disk, file: string, homeRoot: string): Load {
  const bytes = disk.read(file, 1 << 28) ?? fail('E_MISSING', `there is no file ${file}`, { file });
  if (bytes.length > MAX_SHOWN_FILE)
    fail('E_ROUTE', `${basename(file)} has ${String(bytes.length)} bytes; codes carry files up to ${String(MAX_SHOWN_FILE)}`, { file, remedy: 'Carry the file itself, on a stick or by a relay.' });
  if (bytes.length === 0) fail('E_USAGE', `${basename(file)} is empty`, { file });
  const inside = relative(homeRoot, file);
  const inHome = inside !== '' && !inside.startsWith('..') && !inside.startsWith('/');
  if (looksSecret(bytes) || (inHome && !inside.endsWith('.card')))
    fail('E_USAGE', `${basename(file)} ${inHome ? 'belongs to the home of this participant' : 'looks like a secret'}, and a screen is read by everybody in the room`, { file, remedy: 'Show a card, a message, an intent or another public file.' });
  const name = basename(file);
  if (blobHint(bytes)) return { what: `message ${name}`, message: bytes, readers: [] };
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'MPCP') {
    const inIt = parseParcel(bytes, file);
    return { what: `${name}: ${inIt.map((f) => f.path).join(', ')}`, message: bytes, readers: [] };
  }
  const travelling = fileInParcel(file, bytes);
  return { what: travelling.path.startsWith('cards/') ? `card of ${basename(travelling.path, '.card')}` : name, message: encodeParcel([travelling]), readers: [], file: bytes };
}

/** The path that a file travels under: a card's owner names it; the places of a ceremony folder stay; the rest is `files/NAME`. */
function fileInParcel(file: string, bytes: Uint8Array): ParcelFile {
  const name = basename(file);
  if (name.endsWith('.card')) return { path: `cards/${parseCard(bytes, file).name}.card`, bytes };
  const place = [`${basename(dirname(file))}/${name}`, name].find(isParcelPath);
  if (place !== undefined) return { path: place, bytes };
  const plain = name.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/\.{2,}/g, '.').replace(/^[^a-z0-9]+/, '').slice(0, 64);
  return { path: `files/${plain === '' ? 'file' : plain}`, bytes };
}
