/**
 * A parcel: what travels by QR and relay, where no file system travels along. One message blob travels as it is, so that a
 * signing answer is one code; anything else, or several files, as
 *
 *   "MPCP" | version 1 | packing 1 (0 as they are, 1 deflate) | files: path length 1, path, length 4, bytes
 *
 * with the paths that the files have in a ceremony folder. Nothing in a parcel is believed: it only fills a folder, which
 * is not believed either. Public.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { blobHint } from '../wire/blob.ts';
import { concat, Reader, u32, utf8 } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { visible } from '../wire/visible.ts';

/** A file by its path in a ceremony folder. */
export interface ParcelFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** No parcel, unpacked, is larger: the largest message and what belongs to it. */
export const MAX_PARCEL_BYTES = 24 * 1024 * 1024;
const MAX_FILES = 512;
const MAGIC = utf8('MPCP');
const VERSION = 1;
const REMEDY = 'Let it be shown or sent again. Nothing was taken from it.';

// every file that a ceremony reads; what is derived (SCRIPT.html, VERIFY.txt …) is made anew by everybody
const NAME = '[a-z0-9][a-z0-9-]{0,63}';
const PATHS = new RegExp(
  `^(?:PLAN\\.yaml|intent\\.json|message\\.bin|base/(?:certificate|rehearsal)\\.json|transcript/certificate\\.json|round-[1-9]/${NAME}\\.blob|transcript/${NAME}\\.jsonl|cards/${NAME}\\.card|(?:evidence|destroyed)/[a-z0-9][a-z0-9._-]{0,95}\\.json|files/[a-z0-9][a-z0-9._-]{0,63})$`,
);

/** Whether a path may stand in a parcel: no way out of the folder, no file that the program does not read. */
export function isParcelPath(path: string): boolean {
  return PATHS.test(path) && !path.includes('..');
}

/**
 * Packs files; a single message blob stays as it is.
 * @throws E_PARCEL for a path that no parcel carries, E_TOO_LARGE above {@link MAX_PARCEL_BYTES}
 */
export function encodeParcel(files: readonly ParcelFile[]): Uint8Array {
  const [only] = files;
  if (only && files.length === 1 && only.path.endsWith('.blob') && blobHint(only.bytes)) return only.bytes;
  for (const { path } of files) if (!isParcelPath(path)) fail('E_PARCEL', `${path} is no file that travels`, { file: path });
  const body = concat(...files.flatMap(({ path, bytes }) => [Uint8Array.of(path.length), utf8(path), u32(bytes.length), bytes]));
  if (files.length > MAX_FILES || body.length > MAX_PARCEL_BYTES) fail('E_TOO_LARGE', `${String(files.length)} files of ${String(body.length)} bytes are more than travels at once`, { remedy: 'Carry the folder itself.' });
  const packed = new Uint8Array(deflateRawSync(body, { level: 9 }));
  return concat(MAGIC, packed.length < body.length ? concat(Uint8Array.of(VERSION, 1), packed) : concat(Uint8Array.of(VERSION, 0), body));
}

/**
 * Unpacks what a code or a relay carried. A lone blob gets the name of its seat's number.
 * @param from what it came from, for the error
 * @throws E_PARCEL, E_TOO_LARGE, E_VERSION naming `from`
 */
export function parseParcel(bytes: Uint8Array, from: string): ParcelFile[] {
  const refuse = (text: string, field?: string): never => fail('E_PARCEL', text, { file: from, field, remedy: REMEDY });
  if (bytes.length > MAX_PARCEL_BYTES) fail('E_TOO_LARGE', 'larger than anything that travels', { file: from, remedy: REMEDY });
  const hint = blobHint(bytes);
  if (hint) return hint.slot >= 1 && hint.slot <= 9 ? [{ path: `round-${String(hint.slot)}/seat-${String(hint.leaf)}.blob`, bytes }] : refuse('a message of a round that does not exist', 'slot');
  if (bytes.length < 7 || !MAGIC.every((b, i) => bytes[i] === b)) return refuse('this is neither a message nor a parcel of this program');
  if (bytes[4] !== VERSION) fail('E_VERSION', `a parcel of version ${String(bytes[4])}; this program reads ${String(VERSION)}`, { file: from });
  const body = bytes[5] === 0 ? bytes.slice(6) : bytes[5] === 1 ? inflate(bytes.slice(6), from) : refuse('packed in an unknown way', 'packing');
  const r = new Reader(body, 'E_PARCEL');
  const files: ParcelFile[] = [];
  try {
    while (r.remaining > 0) {
      if (files.length === MAX_FILES) return refuse('more files than a parcel holds', 'files');
      const path = Buffer.from(r.take(r.u8('path'), 'path')).toString('latin1');
      if (!isParcelPath(path)) return refuse(`${visible(JSON.stringify(path))} is no file that travels`, 'path');
      if (files.some((f) => f.path === path)) return refuse(`${path} stands in it twice`, 'path');
      const file = r.take(r.u32('length'), path);
      if (path.endsWith('.blob') && !blobHint(file)) return refuse(`${path} is no message`, 'path');
      files.push({ path, bytes: file });
    }
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file: from, remedy: REMEDY }) : e;
  }
  return files.length === 0 ? refuse('an empty parcel') : files;
}

function inflate(packed: Uint8Array, from: string): Uint8Array {
  try {
    return new Uint8Array(inflateRawSync(packed, { maxOutputLength: MAX_PARCEL_BYTES }));
  } catch (cause) {
    const large = cause instanceof RangeError;
    throw new CeremonyError(large ? 'E_TOO_LARGE' : 'E_PARCEL', large ? 'unpacks to more than anything that travels' : 'damaged: it does not unpack', { file: from, remedy: REMEDY, cause });
  }
}
