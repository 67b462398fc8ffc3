/**
 * The folder behind a relay: ROOT/BOX/NAME, each file one part, byte for byte. A file has its name when all of its bytes are
 * on the medium, and never before; a name is given once. Both hold between processes and between machines that share
 * the folder, as far as its file system has hard links; without them (FAT, exFAT, some shares) a claim file decides who gives a name. (There a process
 * that stands still for seconds between its last look at its claim and its renaming may still replace what another one stored meanwhile: no
 * system call looks and renames at once. It is seen when the replaced one is put again; whoever opens the part decides in any case.)
 * Work in progress lies in ROOT/.tmp; what a crash left there is ignored, and taken away after an hour.
 */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, type FileHandle, link as hardLink, lstat, mkdir, open, opendir, rename, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errnoOf, onFile } from '../vault/io-error.ts';
import { UNSUPPORTED } from '../vault/raw-file.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { MAX_NAMES, MAX_PART_BYTES, PLACE } from './relay.ts';

const TEMP_DIR = '.tmp';
const STALE_MS = 3_600_000;
/** Names of what this program makes there; nothing else is ever taken away. */
const OURS = /^(?:[0-9a-f]{24}\.part|[0-9a-f]{32}-[0-9a-f]{32}\.claim)$/;
/** Entries of a box that are looked at: of a box with more, which others filled, names may be missing in lists. Every one of them can be read. */
const MAX_ENTRIES = 16 * MAX_NAMES;
/** A claim is held for the length of a renaming; one that was watched for longer belongs to a process that was killed. */
const CLAIM_MS = 3000;
// Windows has neither flag
const NOFOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const NONBLOCK = (constants.O_NONBLOCK as number | undefined) ?? 0;

/** What became of bytes that were brought to a place. */
export type Outcome = 'stored' | 'there' | 'other';

/** A part that lies in the folder, open for reading; whoever gets it closes it. */
export interface StoredFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** The folder, as relays use it. Errors of the operating system are E_RELAY with file and remedy. */
export interface Spool {
  readonly root: string;
  /** Brings bytes to a place, durably; `there` is as durable as `stored`. @throws E_RELAY_PART (field: name) when something that is no file has the name */
  put(box: string, name: string, bytes: Uint8Array): Promise<Outcome>;
  /** The file at a place, or undefined. @throws E_RELAY_PART (field: name) when it is no regular file, or larger than a part */
  open(box: string, name: string): Promise<StoredFile | undefined>;
  /** The bytes of that file. */
  read(box: string, name: string): Promise<Uint8Array | undefined>;
  /** Names in a box, ascending; of a box with more than {@link MAX_NAMES}, which only others can have filled, the first ones. {@link open} finds every one. */
  list(box: string): Promise<string[]>;
  /** Takes away what crashes have left behind, an hour after it was begun. @param now milliseconds since 1970 */
  sweep(now: number): Promise<void>;
  /** Bytes that the folder takes on the disk, in blocks. */
  usage(): Promise<number>;
}

/** What a file takes on a disk with blocks of 4 KiB. */
export function onDisk(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096;
}

/** Runs work on the folder; what the system refuses becomes E_RELAY with its reason. */
async function onSpool<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    try {
      return onFile(doing, path, () => {
        throw cause;
      });
    } catch (e) {
      if (e instanceof CeremonyError && e.code === 'E_IO') throw new CeremonyError('E_RELAY', e.message, e.facts);
      throw e;
    }
  }
}

/** Undefined where the name that the work needs is not there. */
async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return undefined;
  }
}

/** Lets a file system decline what it cannot do. */
async function unlessDeclined(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!UNSUPPORTED.has(errnoOf(cause) ?? '')) throw cause;
  }
}

async function syncPath(path: string): Promise<void> {
  await unlessDeclined(async () => {
    const handle = await open(path, constants.O_RDONLY | NONBLOCK);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/**
 * The spool in an existing folder. What it makes gets the permissions of that folder, so that whoever may write there decides who may use the relay.
 * @param parts for tests: how a file gets a second name, where a file system cannot; how long a claim is watched
 */
export function openSpool(root: string, parts: { readonly link?: (from: string, to: string) => Promise<void>; readonly claimMs?: number } = {}): Spool {
  const { link = hardLink, claimMs = CLAIM_MS } = parts;
  const temps = join(root, TEMP_DIR);
  const pathOf = (box: string, name: string): string => join(root, box, name);
  // folders that this process has waited for to be on the medium
  const known = new Set<string>();
  /** Permissions of the folder itself. */
  let mode = 0o700;

  const ready = async (dir: string): Promise<void> => {
    if (known.has(dir)) return;
    ({ mode } = await stat(root));
    try {
      await mkdir(dir);
      await unlessDeclined(() => chmod(dir, mode & 0o7777));
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause;
    }
    requireFolder(dir, await lstat(dir));
    await syncPath(root);
    if (known.size > 10_000) known.clear();
    known.add(dir);
  };

  /** Writes a temporary file and waits until it is on the medium. */
  const temp = async (bytes: Uint8Array): Promise<string> => {
    const path = join(temps, `${toHex(randomBytes(12))}.part`);
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW, 0o600);
    try {
      await handle.writeFile(bytes);
      if ((mode & 0o066) !== 0) await unlessDeclined(() => handle.chmod(mode & 0o666));
      await handle.sync();
    } catch (cause) {
      await drop(path);
      throw cause;
    } finally {
      await handle.close();
    }
    return path;
  };

  const drop = async (path: string): Promise<void> => {
    // what cannot be taken away now is swept later
    await unlink(path).catch(() => undefined);
  };

  const openFile = async (box: string, name: string): Promise<StoredFile | undefined> => {
    const path = pathOf(box, name);
    let handle: FileHandle | undefined;
    let facts: Stats | undefined;
    try {
      handle = await unlessAbsent(open(path, constants.O_RDONLY | NOFOLLOW | NONBLOCK));
      facts = await handle?.stat();
    } catch (cause) {
      if (!['ELOOP', 'EISDIR', 'ENXIO', 'ENOTDIR'].includes(errnoOf(cause) ?? '')) throw cause;
      return squatted(path, name);
    }
    if (handle === undefined || facts === undefined) return undefined;
    if (facts.isFile() && facts.size <= MAX_PART_BYTES) return { handle, size: facts.size };
    await handle.close();
    return squatted(path, name);
  };

  /**
   * How what lies in a place compares with these bytes. What is there stays there, even the beginning of these very bytes: everybody
   * who sees the names of a box could otherwise lengthen what others have put.
   */
  const compare = async (box: string, name: string, bytes: Uint8Array): Promise<'same' | 'other' | 'absent'> => {
    const file = await openFile(box, name);
    if (file === undefined) return 'absent';
    try {
      if (file.size !== bytes.length || !equalBytes(await readWhole(file), bytes)) return 'other';
      await unlessDeclined(() => file.handle.sync());
      return 'same';
    } finally {
      await file.handle.close();
    }
  };

  /** Gives a file its name where that can be done once. @returns false when the name is given already */
  const give = async (from: string, box: string, name: string, bytes: Uint8Array): Promise<boolean> => {
    try {
      await link(from, pathOf(box, name));
      return true;
    } catch (cause) {
      const errno = errnoOf(cause) ?? '';
      if (errno === 'EEXIST') return false;
      if (!UNSUPPORTED.has(errno)) throw cause;
    }
    return claimed(from, box, name, bytes);
  };

  /** Who made a claim: what it holds, empty for a moment after it was made. Undefined: there is none. */
  const ownerOf = async (claim: string): Promise<string | undefined> => {
    const handle = await unlessAbsent(open(claim, constants.O_RDONLY | NOFOLLOW | NONBLOCK));
    try {
      return handle === undefined ? undefined : Buffer.from(await readWhole({ handle, size: 64 })).toString('latin1');
    } finally {
      await handle?.close();
    }
  };

  /** The same without hard links: whoever made the claim file renames, as long as it is still its own. */
  const claimed = async (from: string, box: string, name: string, bytes: Uint8Array): Promise<boolean> => {
    const claim = join(temps, `${box}-${name}.claim`);
    const token = basename(from);
    let seen: string | undefined;
    for (let since = performance.now(); ; ) {
      try {
        const handle = await open(claim, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW, 0o600);
        try {
          await handle.writeFile(token);
        } catch (cause) {
          await drop(claim);
          throw cause;
        } finally {
          await handle.close();
        }
        break;
      } catch (cause) {
        if (errnoOf(cause) !== 'EEXIST') throw cause;
      }
      await setTimeout(50);
      const owner = await ownerOf(claim);
      if (owner !== undefined && owner === seen) {
        if (performance.now() - since < claimMs) continue;
        await drop(claim);
      }
      // another owner, or whoever comes next, has as long again
      seen = owner;
      since = performance.now();
    }
    try {
      if ((await unlessAbsent(lstat(pathOf(box, name)))) !== undefined) return false;
      // this process may have stood still for so long that others took the claim over
      if ((await ownerOf(claim)) !== token) return false;
      await rename(from, pathOf(box, name));
      return (await compare(box, name, bytes)) === 'same';
    } finally {
      if ((await ownerOf(claim)) === token) await drop(claim);
    }
  };

  return {
    root,
    put: (box, name, bytes) =>
      onSpool('write', pathOf(box, name), async () => {
        for (let attempt = 1; ; attempt++) {
          try {
            await ready(temps);
            await ready(join(root, box));
            const there = await compare(box, name, bytes);
            if (there === 'other') return 'other';
            if (there === 'same') {
              await syncPath(join(root, box));
              return 'there';
            }
            const path = await temp(bytes);
            let given = false;
            try {
              given = await give(path, box, name, bytes);
            } finally {
              await Promise.all([drop(path), given ? syncPath(join(root, box)) : undefined]);
            }
            if (given) return 'stored';
            // somebody was faster: look again at what they brought
          } catch (cause) {
            // a box or a temporary file that somebody took away meanwhile
            if (errnoOf(cause) !== 'ENOENT' || attempt >= 3) throw cause;
            known.clear();
            await requireRoot(root);
          }
        }
      }),
    open: (box, name) => onSpool('read', pathOf(box, name), () => openFile(box, name)),
    read: (box, name) =>
      onSpool('read', pathOf(box, name), async () => {
        const file = await openFile(box, name);
        if (file === undefined) {
          await requireRoot(root);
          return undefined;
        }
        try {
          return await readWhole(file);
        } finally {
          await file.handle.close();
        }
      }),
    list: (box) =>
      onSpool('list', join(root, box), async () => {
        const names: string[] = [];
        const dir = await unlessAbsent(opendir(join(root, box)));
        if (dir === undefined) {
          await requireRoot(root);
          return names;
        }
        let entries = 0;
        for await (const entry of dir) {
          if (++entries > MAX_ENTRIES) break;
          if (PLACE.test(entry.name)) names.push(entry.name);
        }
        return names.sort().slice(0, MAX_NAMES);
      }),
    sweep: (now) =>
      onSpool('clean up', temps, async () => {
        // a link would lead elsewhere
        const facts = await unlessAbsent(lstat(temps));
        if (facts === undefined) return;
        requireFolder(temps, facts);
        for await (const entry of await opendir(temps)) {
          if (!OURS.test(entry.name)) continue;
          const path = join(temps, entry.name);
          const facts = await unlessAbsent(lstat(path));
          if (facts?.isFile() === true && now - facts.mtimeMs > STALE_MS) await drop(path);
        }
      }),
    usage: () =>
      onSpool('measure', root, async () => {
        let bytes = 0;
        for await (const box of await opendir(root)) {
          if (!box.isDirectory()) continue;
          if (PLACE.test(box.name)) bytes += 4096;
          const dir = await unlessAbsent(opendir(join(root, box.name)));
          if (dir === undefined) continue;
          for await (const entry of dir) bytes += onDisk((await unlessAbsent(lstat(join(root, box.name, entry.name))))?.size ?? 0);
        }
        return bytes;
      }),
  };
}

function requireFolder(path: string, facts: Stats): void {
  if (!facts.isDirectory()) fail('E_RELAY', `${path} is not a folder`, { file: path, remedy: 'Take away what has this name, then repeat the command.' });
}

function squatted(path: string, name: string): never {
  return fail('E_RELAY_PART', `what lies at ${path} is not a part`, { file: path, field: name, remedy: 'Take away what has this name, then let the sender repeat its command.' });
}

/** The bytes of a file that was opened; fewer than its size where it shrank meanwhile. */
async function readWhole({ handle, size }: StoredFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** @throws E_RELAY unless the folder of the relay is there: a stick that is not plugged in must not look like an empty relay */
export async function requireRoot(root: string): Promise<void> {
  const facts = await onSpool('open', root, () => unlessAbsent(stat(root)));
  if (facts?.isDirectory() !== true)
    fail('E_RELAY', `there is no folder ${root}`, { file: root, remedy: 'Check the path, and that the stick or share is there. A new relay needs an empty folder: make it once.' });
}
