/** What the operating system reports, in words an operator can act on. */
import { CeremonyError } from '../wire/errors.ts';

const REPEAT = 'then repeat the command';
const PERMISSION = ['permission is denied', `check the owner and the permissions, ${REPEAT}`] as const;
const GONE = ['the medium is gone', `plug it in again, ${REPEAT}`] as const;
const OPEN = ['too many files are open', `close other programs, ${REPEAT}`] as const;

const CAUSES: Readonly<Record<string, readonly [text: string, remedy: string]>> = {
  ENOSPC: ['no space is left', `free some space or use another medium, ${REPEAT}; what was there before is unchanged`],
  EDQUOT: ['the disk quota is used up', `free some space, ${REPEAT}; what was there before is unchanged`],
  EFBIG: ['the file is too large for this file system', `use another medium, ${REPEAT}`],
  EROFS: ['the file system is read-only', `remove the write protection or mount it writable, ${REPEAT}`],
  EACCES: PERMISSION,
  EPERM: PERMISSION,
  ENOENT: ['the file or its folder is not there', `check the path and that the stick is plugged in, ${REPEAT}`],
  ENOTDIR: ['a file stands where a folder is expected', `check the path, ${REPEAT}`],
  EISDIR: ['a folder stands where a file is expected', `check the path, ${REPEAT}`],
  ELOOP: ['it is a symbolic link, and links are not followed', `give the real path, ${REPEAT}`],
  ENAMETOOLONG: ['the path is too long', `use a shorter path, ${REPEAT}`],
  EIO: ['the medium reports a fault', `use another stick or disk, ${REPEAT}`],
  ENODEV: GONE,
  ENXIO: GONE,
  ENOTCONN: GONE,
  ESTALE: GONE,
  EBUSY: ['the medium is busy', `close other programs that use it, ${REPEAT}`],
  EMFILE: OPEN,
  ENFILE: OPEN,
};

/** The system's error code (`ENOSPC` …) of something caught, if it has one. */
export function errnoOf(cause: unknown): string | undefined {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * Runs one piece of work on a file.
 * @param doing what was attempted, for the message: `write`, `read` …
 * @throws E_IO with the file and the remedy, for an error of the operating system; any other error unchanged
 */
export function onFile<T>(doing: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    const [text, remedy] = CAUSES[errno] ?? ['the system refuses', `check disk, stick and permissions, ${REPEAT}`];
    throw new CeremonyError('E_IO', `cannot ${doing} ${path}: ${text} (${errno})`, { file: path, remedy, cause });
  }
}
