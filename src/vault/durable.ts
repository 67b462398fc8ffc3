/**
 * The one way in which the program touches the disk. Every change is on the medium when its function returns, is
 * seen whole or not at all after a crash, and may be repeated.
 *
 * What it does not promise: a medium that acknowledges a sync it has not done; that overwritten bytes are gone from
 * flash, journals and snapshots (encrypt the whole disk); that reading back reaches the medium instead of the
 * system's cache. Windows cannot sync folders, FAT has no hard links and no modes; both are let pass where noted.
 */
import { chmodSync, linkSync, lstatSync, mkdirSync, opendirSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { errnoOf, onFile } from './io-error.ts';
import {
  createSynced,
  createTemp,
  discard,
  DOOMED,
  freeName,
  readRegular,
  shred,
  sizeOf,
  syncDir,
  syncFile,
  TEMP,
  unlessGone,
  unlessUnsupported,
  UNSUPPORTED,
} from './raw-file.ts';

const MAX_ENTRIES = 10_000;

/**
 * All operations are synchronous and in order. Errors of the operating system become E_IO with file and remedy.
 * Links are refused as the last and the last but one part of a path; a folder that a person names is resolved first.
 */
export interface Disk {
  /**
   * A regular file whole, or undefined when absent.
   * @param max bytes accepted, checked before memory is taken
   * @throws E_TOO_LARGE beyond `max`; E_IO for links and anything that is not a regular file
   */
  read(path: string, max: number): Uint8Array | undefined;
  /**
   * Replaces a file as one step; after an error or a crash the earlier contents are intact. If exactly these bytes are
   * there already, nothing is written.
   * @param opts.mode permission bits, 0600 unless given
   * @param opts.verify read the file back and compare: for media that are carried
   */
  write(path: string, bytes: Uint8Array, opts?: { readonly mode?: number; readonly verify?: boolean }): void;
  /**
   * Creates a file if nothing has its name: true for exactly one of all who try, also across processes. True and false
   * are both durable. Without hard links (FAT) a crash may leave the new file incomplete, never two winners.
   */
  createOnce(path: string, bytes: Uint8Array, mode?: number): boolean;
  /** Takes the name away as one step, then overwrites and frees the contents. No error if nothing is there. */
  erase(path: string): void;
  /** Creates a folder and its missing parents. @param mode of what is created, 0700 unless given */
  makeDir(path: string, mode?: number): void;
  /** Sorted names of the regular files in a folder, without dot files; empty if absent. @throws E_TOO_LARGE beyond 10,000 entries */
  list(dir: string): string[];
  /** Sorted names of the folders in a folder, with the rules of {@link Disk.list}. */
  dirs(dir: string): string[];
  /** Whether anything has this name. */
  exists(path: string): boolean;
  /** Removes what a crash left in a folder, and ends interrupted erasures. */
  removeStaleTemps(dir: string): void;
  /**
   * Refuses what others could have read or put there.
   * @throws E_IO unless `path` is there, no link, owned by this user, and closed to group and others
   */
  checkPrivate(path: string): void;
}

/** The real disk. @param options.onWrite called with 1, 2, … after each completed change */
export function realDisk(options: { readonly onWrite?: (count: number) => void } = {}): Disk {
  let count = 0;
  const done = (): void => {
    count += 1;
    options.onWrite?.(count);
  };
  return {
    read: (path, max) => onFile('read', path, () => readRegular(path, max)),
    write: (path, bytes, { mode = 0o600, verify = false } = {}) => {
      onFile('write', path, () => {
        refuseLinkedFolder(path);
        if (holds(path, bytes, mode)) return settle(path);
        replace(path, bytes, mode);
        if (verify && !sameBytes(path, bytes))
          fail('E_IO', `${path} does not read back as it was written`, { file: path, remedy: 'use another stick or disk' });
        done();
      });
    },
    createOnce: (path, bytes, mode = 0o600) =>
      onFile('create', path, () => {
        refuseLinkedFolder(path);
        const won = create(path, bytes, mode);
        if (won) done();
        return won;
      }),
    erase: (path) => {
      onFile('erase', path, () => {
        refuseLinkedFolder(path);
        if (sizeOf(path) === undefined) return;
        const doomed = freeName(dirname(path), DOOMED);
        renameSync(path, doomed);
        // before the overwriting: after a power cut the old name must not come back holding zeros
        syncDir(dirname(path));
        shred(doomed);
        done();
      });
    },
    makeDir: (path, mode = 0o700) => {
      if (onFile('create', path, () => makeFolder(path, mode))) done();
    },
    list: (dir) => onFile('list', dir, () => names(dir, 'file')),
    dirs: (dir) => onFile('list', dir, () => names(dir, 'folder')),
    exists: (path) => onFile('look at', path, () => lstatSync(path, { throwIfNoEntry: false }) !== undefined),
    removeStaleTemps: (dir) => {
      if (onFile('clean up', dir, () => sweep(dir))) done();
    },
    checkPrivate: (path) => {
      onFile('check', path, () => {
        refuseShared(path);
      });
    },
  };
}

function refuseLinkedFolder(path: string): void {
  // a prepared stick could otherwise lead our writes to any place on this machine
  const dir = dirname(path);
  if (lstatSync(dir, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    fail('E_IO', `${dir} is a symbolic link`, { file: dir, remedy: 'give the real path of the folder' });
}

function sameBytes(path: string, bytes: Uint8Array): boolean {
  if (sizeOf(path) !== bytes.length) return false;
  const there = readRegular(path, bytes.length);
  return there !== undefined && equalBytes(there, bytes);
}

function holds(path: string, bytes: Uint8Array, mode: number): boolean {
  if (!sameBytes(path, bytes)) return false;
  // a private file that lies open to others is written anew
  return (mode & 0o077) !== 0 || process.platform === 'win32' || (lstatSync(path).mode & 0o077) === 0;
}

// Whoever put the bytes there may have been stopped before the sync; we are about to rely on them.
function settle(path: string): void {
  syncFile(path);
  syncDir(dirname(path));
}

/** Runs `use` on a fresh temporary file; writes it again if a neighbour's clean-up of a shared folder took it. */
function withTemp<T>(path: string, bytes: Uint8Array, mode: number, use: (temp: string) => T): T {
  for (let attempt = 1; ; attempt++) {
    const temp = createTemp(dirname(path), bytes, mode);
    try {
      return use(temp);
    } catch (cause) {
      discard(temp);
      if (errnoOf(cause) !== 'ENOENT' || attempt === 3) throw cause;
    }
  }
}

function replace(path: string, bytes: Uint8Array, mode: number): void {
  withTemp(path, bytes, mode, (temp) => {
    renameSync(temp, path);
  });
  syncDir(dirname(path));
}

function create(path: string, bytes: Uint8Array, mode: number): boolean {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return lost(path);
  const outcome = withTemp(path, bytes, mode, (temp) => {
    try {
      linkSync(temp, path);
      return 'won';
    } catch (cause) {
      const errno = errnoOf(cause) ?? '';
      if (errno !== 'EEXIST' && !UNSUPPORTED.has(errno)) throw cause;
      return errno === 'EEXIST' ? 'lost' : 'no links';
    } finally {
      discard(temp);
    }
  });
  if (outcome === 'lost') return lost(path);
  if (outcome === 'no links') {
    try {
      createSynced(path, bytes, mode);
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause;
      return lost(path);
    }
  }
  syncDir(dirname(path));
  return true;
}

function lost(path: string): false {
  settle(path);
  return false;
}

function makeFolder(path: string, mode: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    syncDir(dirname(path));
    return false;
  }
  if (stat !== undefined) fail('E_IO', `${path} is not a folder`, { file: path, remedy: 'move away what has this name' });
  const parent = dirname(path);
  // existing parents may be links: only what is created here and below is ours to judge
  if (lstatSync(parent, { throwIfNoEntry: false })?.isSymbolicLink() !== true) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
  }
  unlessUnsupported(() => {
    chmodSync(path, mode);
  });
  syncDir(parent);
  return true;
}

/** Calls `see` for each entry of a folder. Absent folders have none. */
function entries(dir: string, see: (name: string, kind: 'file' | 'folder' | 'other') => void): void {
  const stat = lstatSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory())
    fail('E_IO', `${dir} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'not a folder'}`, {
      file: dir,
      remedy: 'give the real path of the folder',
    });
  const open = unlessGone(() => opendirSync(dir));
  try {
    let count = 0;
    for (let entry = open?.readSync(); entry; entry = open?.readSync()) {
      if (++count > MAX_ENTRIES)
        fail('E_TOO_LARGE', `${dir} has more than ${String(MAX_ENTRIES)} entries`, {
          file: dir,
          remedy: 'take away what does not belong there, then repeat the command',
        });
      see(entry.name, entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other');
    }
  } finally {
    open?.closeSync();
  }
}

function names(dir: string, wanted: 'file' | 'folder'): string[] {
  const found: string[] = [];
  entries(dir, (name, kind) => {
    if (kind === wanted && !name.startsWith('.')) found.push(name);
  });
  return found.sort();
}

function sweep(dir: string): boolean {
  const stale: string[] = [];
  entries(dir, (name, kind) => {
    if (kind === 'file' && name.startsWith(TEMP)) stale.push(name);
  });
  for (const name of stale) {
    const path = join(dir, name);
    // Other leftovers are only unlinked: one of them may be the second name of a file that createOnce made,
    // or a neighbour's write in progress on a shared folder; overwriting it would destroy the real file.
    unlessGone(() => {
      if (name.startsWith(DOOMED)) shred(path);
      else unlinkSync(path);
    });
  }
  if (stale.length > 0) syncDir(dir);
  return stale.length > 0;
}

function refuseShared(path: string): void {
  const stat = lstatSync(path);
  const name = `${path} (mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')})`;
  if (stat.isSymbolicLink()) fail('E_IO', `${path} is a symbolic link`, { file: path, remedy: 'give the real path' });
  const uid = process.getuid?.();
  // Windows has neither owner numbers nor these bits; its profile folder is private by default
  if (uid === undefined) return;
  if (stat.uid !== uid)
    fail('E_IO', `${name} belongs to another user`, { file: path, remedy: 'run as the user who made this home' });
  if ((stat.mode & 0o077) !== 0)
    fail('E_IO', `${name} is open to other users`, {
      file: path,
      remedy: `chmod ${stat.isDirectory() ? '700' : '600'} ${path}`,
    });
}
