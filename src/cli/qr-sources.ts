/** Where codes come from: files by their paths, as a person types or drops them, and what such a file holds. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { MAX_PARCEL_BYTES } from '../transport/parcel.ts';
import type { Disk } from '../vault/durable.ts';
import { errnoOf, onFile } from '../vault/io-error.ts';
import { blobHint } from '../wire/blob.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { realPath } from './context.ts';
import { oneLine } from './terminal.ts';

/** What %20 and the like stand for; a text in which they stand for nothing is meant as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A path as it is typed, dropped onto the terminal, or pasted: quotes, escaped spaces and ~ become what they stand for. */
export function typedPath(line: string): string {
  const text = line.trim();
  const quoted = /^(['"])(.*)\1$/.exec(text)?.[2];
  const plain = quoted ?? (process.platform === 'win32' ? text : text.replace(/\\(.)/g, '$1'));
  const url = plain.startsWith('file://') ? decoded(plain.slice(7)) : plain;
  return url === '~' || url.startsWith('~/') ? join(homedir(), url.slice(1)) : url;
}

/**
 * Whether a path is one of a folder.
 * @throws E_IO when the system refuses; in plain words for what cannot be a path: any code that somebody points a scanner at
 */
export function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== undefined && errno !== 'ENAMETOOLONG')
      return onFile('read', path, () => {
        throw cause;
      });
    return fail('E_IO', `"${oneLine(basename(path), 40)}" is neither a code of this program nor the path of a file`, { remedy: 'scan the codes that another participant shows, or give the path of a picture, GIF or video' });
  }
}

/** The files that a path means: itself, or what lies in the folder. @throws E_IO */
export function filesAt(disk: Disk, path: string): string[] {
  const real = realPath(path);
  return isFolder(real) ? disk.list(real).map((name) => join(real, name)) : [real];
}

/** A message that lies whole in a file: what the scan page saved, a parcel, or a message of a ceremony. Undefined for anything else. */
export function wholeMessage(disk: Disk, file: string): Uint8Array | undefined {
  let bytes: Uint8Array | undefined;
  try {
    bytes = disk.read(file, MAX_PARCEL_BYTES);
  } catch (e) {
    // a long video
    if (e instanceof CeremonyError && e.code === 'E_TOO_LARGE') return undefined;
    throw e;
  }
  if (!bytes) return undefined;
  const parcel = Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'MPCP';
  return parcel || blobHint(bytes) ? bytes : undefined;
}
