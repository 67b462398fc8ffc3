/**
 * Putting what travelled into a ceremony folder. What is there is never overwritten: other bytes of one name are put
 * beside it, so that two different messages of one sender come together and nothing is lost. Nothing is judged here
 * except what would change the plan itself.
 */
import { dirname, join } from 'node:path';
import type { Disk } from '../vault/durable.ts';
import { blobHint } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { ParcelFile } from './parcel.ts';

/** What is known of the ceremony whose folder is filled, if anything is. */
export interface Expected {
  /** Ceremony id, 16 bytes hex: messages of another one are refused. */
  readonly ceremony?: string;
  /** Names of the seats, by number: a blob that came without a name gets its sender's. */
  readonly names?: ReadonlyMap<number, string>;
}

/** What became of the files, by path in the folder. */
export interface Unpacked {
  readonly wrote: readonly string[];
  /** There already, byte for byte. */
  readonly known: readonly string[];
}

/** Files that everybody has agreed to: they are there, and the same, or the parcel is for another ceremony. */
const AGREED = new Set(['PLAN.yaml', 'intent.json', 'message.bin', 'base/certificate.json', 'base/rehearsal.json']);
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Writes the files of a parcel into a folder, which is made if need be.
 * @param from what they came from, for the error
 * @throws E_PLAN_CHANGED or E_PARCEL before anything is written, E_IO
 */
export function unpack(disk: Disk, folder: string, files: readonly ParcelFile[], from: string, { ceremony, names }: Expected = {}): Unpacked {
  const placed = files.map((file) => ({ ...file, path: namedBySender(file, names) }));
  for (const { path, bytes } of placed) {
    const hint = path.endsWith('.blob') ? blobHint(bytes) : undefined;
    if (hint && ceremony !== undefined && hint.ceremony !== ceremony) fail('E_PARCEL', 'this message belongs to another ceremony', { file: from, field: 'ceremony', remedy: 'Scan or fetch it into the folder of its own ceremony.' });
    const there = AGREED.has(path) ? disk.read(join(folder, path), MAX_FILE_BYTES) : undefined;
    if (there && !equalBytes(there, bytes))
      fail('E_PLAN_CHANGED', `${path} in ${folder} is another one than what ${from} brought`, { file: from, field: path, remedy: 'Name the folder of this ceremony, or a new one. If it should be the same ceremony, stop and compare with the lead.' });
  }
  const wrote: string[] = [];
  const known: string[] = [];
  for (const { path, bytes } of placed) {
    const free = freePlace(disk, folder, path, bytes);
    if (free === undefined) {
      known.push(path);
      continue;
    }
    const file = join(folder, free);
    disk.makeDir(folder, 0o755);
    disk.makeDir(dirname(file), 0o755);
    disk.write(file, bytes, { mode: 0o644 });
    wrote.push(free);
  }
  return { wrote, known };
}

function namedBySender({ path, bytes }: ParcelFile, names: ReadonlyMap<number, string> | undefined): string {
  const hint = /^round-[1-9]\/seat-[0-9]+\.blob$/.test(path) ? blobHint(bytes) : undefined;
  const name = hint && names?.get(hint.leaf);
  return hint && name !== undefined ? `round-${String(hint.slot)}/${name}.blob` : path;
}

/** Where bytes go: the path, or one beside it where other bytes are; undefined where they are there already. */
function freePlace(disk: Disk, folder: string, path: string, bytes: Uint8Array): string | undefined {
  const hash = toHex(sha256(bytes));
  const beside = (digits: number): string => path.replace(/(\.[a-z]+)$/, `-${hash.slice(0, digits)}$1`);
  for (const place of [path, beside(8), beside(64)]) {
    let there: Uint8Array | undefined;
    try {
      there = disk.read(join(folder, place), MAX_FILE_BYTES);
    } catch (e) {
      // a link, a folder or something too large stands there: not overwritten
      if (!(e instanceof CeremonyError)) throw e;
      continue;
    }
    if (!there) return place;
    if (equalBytes(there, bytes)) return undefined;
  }
  return fail('E_PARCEL', `there is no room for ${path} in ${folder}`, { file: join(folder, path), remedy: 'Something stands there that is no file of this ceremony. Take it away, and repeat the command.' });
}
