/** The few steps on files and folders from which {@link ./durable.ts} composes durable operations. No links are followed. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../wire/errors.ts';
import { errnoOf } from './io-error.ts';

/** All names that may be left over after a crash begin with this. */
export const TEMP = '.mpc-';
/** Left over from an erasure: the contents are to be overwritten before the name goes. */
export const DOOMED = '.mpc-erase-';

// Windows has neither flag; there the check by lstat alone must do.
const NOFOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const NONBLOCK = (constants.O_NONBLOCK as number | undefined) ?? 0;

/** File systems (and Windows, for folders) that cannot do something answer with one of these. */
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  'EACCES',
  'EINVAL',
  'EISDIR',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EPERM',
]);

/** Runs `work` and lets the file system decline it. Returns whether it was done. */
export function unlessUnsupported(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (cause) {
    if (!UNSUPPORTED.has(errnoOf(cause) ?? '')) throw cause;
    return false;
  }
}

function withFile<T>(path: string, flags: number, work: (fd: number) => T): T {
  const fd = openSync(path, flags | NOFOLLOW);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Size of the regular file at `path`, or undefined when nothing is there.
 * @throws E_IO when a link, a folder or a device is there
 */
export function sizeOf(path: string): number | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile())
    fail('E_IO', `${path} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}`, {
      file: path,
      remedy: 'put the file itself there; links, folders and devices are not read',
    });
  return stat?.size;
}

/**
 * A regular file whole, or undefined when nothing is there. The bound is checked before memory is taken.
 * @throws E_TOO_LARGE beyond `max` bytes; E_IO for links and anything that is not a regular file
 */
export function readRegular(path: string, max: number): Uint8Array | undefined {
  if (sizeOf(path) === undefined) return undefined;
  // O_NONBLOCK: a pipe that takes the file's place after the check must not hang the program
  return unlessGone(() => withFile(path, constants.O_RDONLY | NONBLOCK, (fd) => readOpen(fd, path, max)));
}

function readOpen(fd: number, path: string, max: number): Uint8Array {
  const stat = fstatSync(fd);
  if (!stat.isFile()) fail('E_IO', `${path} is not a regular file`, { file: path });
  if (stat.size > max)
    fail('E_TOO_LARGE', `${path} has ${String(stat.size)} bytes; at most ${String(max)} are accepted`, {
      file: path,
      remedy: 'no honest file is that large: take it away, or put the right one there, then repeat the command',
    });
  const bytes = new Uint8Array(stat.size);
  let at = 0;
  while (at < bytes.length) {
    const got = readSync(fd, bytes, at, bytes.length - at, null);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}

/** Runs `work`; undefined when the name it needs is not there (another process may have taken it away meanwhile). */
export function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return undefined;
  }
}

/**
 * Creates a file that must not exist, writes it and waits for the medium; after an error nothing is left of it.
 * @throws EEXIST when the name is taken
 */
export function createSynced(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, bytes);
    // 0600 until here: nobody else reads a half-written file. FAT has no modes and declines.
    if (mode !== 0o600) unlessUnsupported(() => fchmodSync(fd, mode));
    fsyncSync(fd);
  } catch (cause) {
    discard(path);
    throw cause;
  } finally {
    closeSync(fd);
  }
}

let counter = 0;

/** A name in `dir` that nothing has. */
export function freeName(dir: string, prefix: string): string {
  for (;;) {
    const path = join(dir, `${prefix}${String(process.pid)}-${String(counter++)}`);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path;
  }
}

/** Writes a temporary file in `dir` and waits for the medium. Returns its path. */
export function createTemp(dir: string, bytes: Uint8Array, mode: number): string {
  for (;;) {
    const path = freeName(dir, TEMP);
    try {
      createSynced(path, bytes, mode);
      return path;
    } catch (cause) {
      // another machine on a shared folder may have the same process number
      if (errnoOf(cause) !== 'EEXIST') throw cause;
    }
  }
}

/** Removes a name if it is there; used for clean-up, where the first error is the one worth reporting. */
export function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // a leftover is swept at the next start
  }
}

/** Waits until the contents of a file that another run wrote are on the medium. */
export function syncFile(path: string): void {
  unlessUnsupported(() => withFile(path, constants.O_RDONLY | NONBLOCK, fsyncSync));
}

/** Waits until the names in a folder are on the medium. Windows and some network file systems cannot; they are let pass. */
export function syncDir(dir: string): void {
  unlessUnsupported(() => {
    const fd = openSync(dir, constants.O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Overwrites a doomed file with zeros, waits, and removes it. A full copy-on-write disk may refuse the overwriting. */
export function shred(path: string): void {
  try {
    withFile(path, constants.O_WRONLY | NONBLOCK, (fd) => {
      const zeros = new Uint8Array(65_536);
      const { size } = fstatSync(fd);
      for (let at = 0; at < size; ) at += writeSync(fd, zeros, 0, Math.min(zeros.length, size - at), at);
      fsyncSync(fd);
    });
  } catch (cause) {
    if (!['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '')) throw cause;
  }
  unlinkSync(path);
  syncDir(dirname(path));
}
