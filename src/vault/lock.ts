/**
 * One process per home. The lock is a listening socket: the system frees it the moment its process dies, and a process
 * that is merely stopped (a closed laptop lid) keeps it, which no lock with a time limit can promise.
 *
 * The lock is for comfort. Two machines on a network drive, two containers, or two starts at once after a crash where
 * there are only socket files, can pass it. What must happen once is guarded by {@link Disk.createOnce}.
 */
import { realpathSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { toHex, utf8 } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { errnoOf, onFile } from './io-error.ts';

export interface Lock {
  /** Frees the lock; done when the promise is. */
  release(): Promise<void>;
}

// A socket's path must fit into 104 bytes on macOS, including the final zero.
const MAX_SOCKET_PATH = 100;

/**
 * Takes the lock of a home for the life of this process. Does not keep the process alive.
 * @param platform decides the kind of socket: abstract on Linux, named pipe on Windows, a file elsewhere
 * @throws E_BUSY when another process holds it, even a stopped one; E_IO when the home is not there
 */
export async function acquireLock(home: string, platform: NodeJS.Platform = process.platform): Promise<Lock> {
  const real = onFile('lock', home, () => realpathSync(home));
  const name = `mpc-ceremony-${toHex(sha256(utf8(real))).slice(0, 32)}`;
  try {
    if (platform === 'linux') return await listen(`\0${name}`);
    if (platform === 'win32') return await listen(`\\\\.\\pipe\\${name}`);
    const inHome = join(real, '.lock');
    const path = Buffer.byteLength(inHome) <= MAX_SOCKET_PATH ? inHome : join('/tmp', name);
    return await listenOnFile(path);
  } catch (cause) {
    if (errnoOf(cause) !== 'EADDRINUSE') return onFile('lock', home, () => raise(cause));
    throw new CeremonyError('E_BUSY', `another process is using ${home}`, {
      file: home,
      remedy: 'wait until it has ended, or end it, then repeat the command',
      cause,
    });
  }
}

function raise(cause: unknown): never {
  throw cause;
}

function listen(path: string): Promise<Lock> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((connection) => connection.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      server.unref();
      resolve({
        release: () =>
          new Promise((freed) => {
            server.close(() => {
              freed();
            });
          }),
      });
    });
  });
}

/** A socket file outlives its process: whether somebody still listens is found out by calling. */
async function listenOnFile(path: string): Promise<Lock> {
  try {
    return await listen(path);
  } catch (cause) {
    if (errnoOf(cause) !== 'EADDRINUSE' || (await answers(path))) throw cause;
    unlinkSync(path);
    return listen(path);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = connect(path);
    call.once('connect', () => {
      call.destroy();
      resolve(true);
    });
    call.once('error', (cause) => {
      // anything but a plain refusal (a full queue, for one) means that somebody may be there
      resolve(errnoOf(cause) !== 'ECONNREFUSED' && errnoOf(cause) !== 'ENOENT');
    });
  });
}
