/** Where codes come from: files by their paths, as a person types or drops them, and what such a file holds. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MAX_PARCEL_BYTES } from '../transport/parcel.ts';
import type { Disk } from '../vault/durable.ts';
import { blobHint } from '../wire/blob.ts';
import { CeremonyError } from '../wire/errors.ts';
import { realPath } from './context.ts';

/** A path as it is typed, dropped onto the terminal, or pasted: quotes, escaped spaces and ~ become what they stand for. */
export function typedPath(line: string): string {
  const text = line.trim();
  const quoted = /^(['"])(.*)\1$/.exec(text)?.[2];
  const plain = quoted ?? (process.platform === 'win32' ? text : text.replace(/\\(.)/g, '$1'));
  const url = plain.startsWith('file://') ? decodeURIComponent(plain.slice(7)) : plain;
  return url === '~' || url.startsWith('~/') ? join(homedir(), url.slice(1)) : url;
}

/** The files that a path means: itself, or what lies in the folder. */
export function filesAt(disk: Disk, path: string): string[] {
  const real = realPath(path);
  const folder = statSync(real, { throwIfNoEntry: false })?.isDirectory() === true;
  return folder ? disk.list(real).map((name) => join(real, name)) : [real];
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
