/**
 * Reading a record for verification: files and folders as somebody names them. A transcript inside `…/transcript/` brings
 * the messages, plan and certificate of the folder above along, but no other transcript: those that are meant are named.
 * What cannot be read is told and never stops the rest.
 */
import { basename, dirname, join, posix } from 'node:path';
import { MAX_CHAIN_BYTES } from '../transcript/chain.ts';
import { type RecordFile, sortOf } from '../transcript/record-files.ts';
import type { Disk } from '../vault/durable.ts';
import { CeremonyError } from '../wire/errors.ts';

const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Memory for one verification. */
const MAX_TOTAL_BYTES = 1024 * 1024 * 1024;

/** A path as a person named it, and where it leads. */
export interface NamedPath {
  readonly shown: string;
  readonly real: string;
}

/** What could not be read. */
export interface Unreadable {
  readonly file: string;
  /** Absent or unreadable; or there, and larger than any honest file. */
  readonly reason: 'missing' | 'too-large';
  readonly text: string;
}

/** Files read for a verification. */
export interface ReadRecord {
  /** Files of each folder; loose files last, as a folder of their own. */
  readonly folders: readonly (readonly RecordFile[])[];
  /** Evidence files that were named themselves, where nothing but evidence and folders was named. */
  readonly evidence: readonly RecordFile[];
  readonly unreadable: readonly Unreadable[];
}

class Reader {
  readonly unreadable: Unreadable[] = [];
  readonly #disk: Disk;
  readonly #seen = new Set<string>();
  #total = 0;
  constructor(disk: Disk) {
    this.#disk = disk;
  }

  #tell(file: string, e: unknown): void {
    if (!(e instanceof CeremonyError)) throw e;
    this.unreadable.push({ file, reason: e.code === 'E_TOO_LARGE' ? 'too-large' : 'missing', text: e.message });
  }

  /** A file, the first time that it is asked for. */
  read({ shown, real }: NamedPath): RecordFile[] {
    if (this.#seen.has(real)) return [];
    this.#seen.add(real);
    try {
      const bytes = this.#disk.read(real, real.endsWith('.jsonl') ? MAX_CHAIN_BYTES : MAX_FILE_BYTES);
      if (!bytes) throw new CeremonyError('E_MISSING', 'there is no such file');
      this.#total += bytes.length;
      if (this.#total > MAX_TOTAL_BYTES) throw new CeremonyError('E_TOO_LARGE', 'more than can be verified at once');
      return [{ file: shown.replaceAll('\\', '/'), bytes }];
    } catch (e) {
      this.#tell(shown, e);
      return [];
    }
  }

  isFolder({ real }: NamedPath): boolean {
    try {
      return this.#disk.exists(real) && this.#disk.dirs(real).length >= 0;
    } catch (e) {
      if (e instanceof CeremonyError) return e.code === 'E_TOO_LARGE';
      throw e;
    }
  }
  #names(path: NamedPath, kind: 'list' | 'dirs'): NamedPath[] {
    try {
      return this.#disk[kind](path.real).map((name) => within(path, name));
    } catch (e) {
      this.#tell(path.shown, e);
      return [];
    }
  }
  list(path: NamedPath): NamedPath[] {
    return this.#names(path, 'list');
  }
  dirs(path: NamedPath): NamedPath[] {
    return this.#names(path, 'dirs');
  }
}

function within({ shown, real }: NamedPath, name: string): NamedPath {
  return { shown: posix.join(shown, name), real: join(real, name) };
}
function above({ shown, real }: NamedPath): NamedPath {
  return { shown: posix.join(shown, '..'), real: dirname(real) };
}
const folderName = ({ real }: NamedPath): string => basename(dirname(real));

/** Files of a ceremony folder, two levels deep; derived files and what is no part of a record are left out later. */
function readFolder(reader: Reader, folder: NamedPath, wanted: (file: NamedPath) => boolean): RecordFile[] {
  const paths = [...reader.list(folder), ...reader.dirs(folder).flatMap((d) => reader.list(d))];
  return paths.filter(wanted).flatMap((p) => reader.read(p));
}

/** Whether a folder is one of a ceremony, by what lies in it. */
function isCeremony(reader: Reader, folder: NamedPath): boolean {
  const holds = (paths: readonly NamedPath[], ...names: string[]): boolean => paths.some((p) => names.includes(basename(p.real)));
  return holds(reader.list(folder), 'PLAN.yaml') || holds(reader.dirs(folder), 'transcript', 'evidence');
}

/**
 * Reads everything that somebody named.
 * @param paths files and folders, in any number and mixture; several copies are welcome
 */
export function readRecord(disk: Disk, paths: readonly NamedPath[]): ReadRecord {
  const reader = new Reader(disk);
  const folders = new Map<string, RecordFile[]>();
  const loose: RecordFile[] = [];
  const evidence: NamedPath[] = [];
  const files: NamedPath[] = [];
  const open = (folder: NamedPath, wanted: (file: NamedPath) => boolean): void => {
    folders.set(folder.real, [...(folders.get(folder.real) ?? []), ...readFolder(reader, folder, wanted)]);
  };

  const named = paths.filter((p) => reader.isFolder(p));
  for (const path of paths.filter((p) => !named.includes(p))) {
    const isEvidence = folderName(path) === 'evidence' && path.real.endsWith('.json');
    (isEvidence ? evidence : files).push(path);
  }
  const alone = evidence.length > 0 && files.length === 0;
  const proofs = alone ? evidence.flatMap((p) => reader.read(p)) : [];
  for (const folder of named) {
    // the folders in it may be copies, or ceremonies
    const inside = isCeremony(reader, folder) ? [] : reader.dirs(folder).filter((d) => isCeremony(reader, d));
    if (['transcript', 'evidence'].includes(basename(folder.real)) && inside.length === 0) open(above(folder), () => true);
    else if (inside.length > 0) for (const d of inside) open(d, () => true);
    else open(folder, () => true);
  }
  for (const path of files) {
    const home = above(above(path));
    if (folderName(path) !== 'transcript' || !disk.exists(path.real)) loose.push(...reader.read(path));
    else folders.set(home.real, [...(folders.get(home.real) ?? []), ...reader.read(path)]);
  }
  for (const path of files)
    if (folderName(path) === 'transcript' && disk.exists(path.real)) open(above(above(path)), (f) => folderName(f) !== 'transcript' || sortOf({ file: f.shown, bytes: new Uint8Array(0) }) === 'certificates');

  for (const path of evidence) {
    if (!alone) loose.push(...reader.read(path));
    else if (!folders.has(dirname(dirname(path.real)))) open(above(above(path)), () => true);
  }
  return { folders: [...folders.values(), ...(loose.length > 0 ? [loose] : [])], evidence: proofs, unreadable: reader.unreadable };
}
