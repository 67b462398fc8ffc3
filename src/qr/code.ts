/**
 * The squares of a QR code (ISO/IEC 18004) from a text in capitals, and how much fits into which code. Only the alphanumeric
 * mode is used: two characters cost 11 bits, which makes a byte of a UR (two letters) cost as much. Everything here is public.
 */
import { encodeQR } from 'qr';
import { fail } from '../wire/errors.ts';
import { MAX_FRAGMENT, MAX_PARTS, MAX_PAYLOAD } from './ur.ts';

/** Error correction: low restores 7 % of a code (screens), medium 15 % (paper). */
export type Ecc = 'low' | 'medium';

/** The squares of a code without its quiet zone: `modules[y][x]` is true where it is black. */
export type Modules = readonly (readonly boolean[])[];

/** A drawn code. */
export interface Code {
  /** 1 to 40. */
  readonly version: number;
  /** Squares a side, without quiet zone: 17 + 4 × version. */
  readonly size: number;
  readonly modules: Modules;
}

/** How a text is drawn. */
export interface CodeOptions {
  readonly ecc: Ecc;
  /** The code is no smaller than this, so that all codes of a sequence can have one size. Default 1. */
  readonly minVersion?: number;
  /** Exactly this version, or a refusal. */
  readonly version?: number;
}

/** Squares of quiet zone on each side that ISO/IEC 18004 asks for. */
export const QUIET_ZONE = 4;
/** The largest version of a code. */
export const MAX_VERSION = 40;
/**
 * The largest sequence number of a part that {@link fragmentFor} keeps room for: two bytes. The order of showing has no
 * larger one (fountain.ts).
 */
export const MAX_SEQUENCE = 65_535;

// ISO/IEC 18004, table 7: characters in alphanumeric mode, versions 1 to 40
const CAPACITY: Readonly<Record<Ecc, readonly number[]>> = {
  low: [
    25, 47, 77, 114, 154, 195, 224, 279, 335, 395, 468, 535, 619, 667, 758, 854, 938, 1046, 1153, 1249,
    1352, 1460, 1588, 1704, 1853, 1990, 2132, 2223, 2369, 2520, 2677, 2840, 3009, 3183, 3351, 3537, 3729, 3927, 4087, 4296,
  ],
  medium: [
    20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600, 656, 734, 816, 909, 970,
    1035, 1134, 1248, 1326, 1451, 1542, 1637, 1732, 1839, 1994, 2113, 2238, 2369, 2506, 2632, 2780, 2894, 3054, 3220, 3391,
  ],
};

/** Squares a side of a code of a version, without quiet zone. */
export function sizeOf(version: number): number {
  return 17 + 4 * version;
}

/** Characters that a code holds in alphanumeric mode. @param version 1 to 40 @throws E_INTERNAL on another version */
export function textCapacity(version: number, ecc: Ecc): number {
  return CAPACITY[ecc][version - 1] ?? fail('E_INTERNAL', `there is no QR code of version ${String(version)}`);
}

/** The smallest version that holds a text of so many characters, or undefined if none does. */
export function versionFor(characters: number, ecc: Ecc): number | undefined {
  const at = CAPACITY[ecc].findIndex((c) => c >= characters);
  return at < 0 ? undefined : at + 1;
}

/**
 * Draws a text. The same text and options give the same squares.
 * @param text digits, capitals, space and $%*+-./: and nothing else
 * @throws E_TOO_LARGE if it does not fit (into the version asked for); E_INTERNAL on small letters and other characters
 */
export function codeOf(text: string, options: CodeOptions): Code {
  if (!/^[0-9A-Z $%*+\-./:]+$/.test(text)) fail('E_INTERNAL', 'a text with characters beside those of the alphanumeric mode');
  const { ecc } = options;
  const least = versionFor(text.length, ecc);
  const version = options.version ?? (least === undefined ? undefined : Math.max(least, options.minVersion ?? 1));
  if (least === undefined || version === undefined || version < least || version > MAX_VERSION)
    return fail('E_TOO_LARGE', `a text of ${String(text.length)} characters does not fit into a QR code of version ${String(version ?? MAX_VERSION)}, error correction ${ecc}`, { remedy: 'Split it into more parts, or carry it by file.' });
  // the library draws no code without a border
  const framed = encodeQR(text, 'raw', { ecc, encoding: 'alphanumeric', version, border: 1 });
  return { version, size: sizeOf(version), modules: framed.slice(1, -1).map((row) => row.slice(1, -1)) };
}

/** Bytes of the head of a CBOR item (RFC 8949, 3) with this count or number. */
function cborHead(n: number): number {
  return n < 24 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 5;
}

/** Bytes of a message as a CBOR byte string. */
function payloadLength(messageLength: number): number {
  return cborHead(messageLength) + messageLength;
}

const PREFIX = 'UR:BYTES/'.length;

/** Characters of the single part that carries so many bytes of CBOR (BCR-2020-005, BCR-2020-012): two a byte, four bytes of checksum. */
function singleLength(payload: number): number {
  return PREFIX + 2 * (payload + 4);
}

/**
 * Characters of a part of a multi-part `ur:bytes` (BCR-2020-005): `UR:BYTES/seq-count/` and, in letters, the CBOR array
 * [seq, count, length, checksum, fragment] with its own checksum.
 * @param payload bytes of CBOR that are carried in all @param fragment bytes of a fragment
 */
function partLength(sequence: number, count: number, payload: number, fragment: number): number {
  const cbor = 1 + cborHead(sequence) + cborHead(count) + cborHead(payload) + 5 + cborHead(fragment) + fragment;
  return PREFIX + `${String(sequence)}-${String(count)}/`.length + 2 * (cbor + 4);
}

/**
 * Bytes a fragment, as {@link urSender} takes it, so that every part with a sequence number up to {@link MAX_SEQUENCE} fits
 * into a code of a version; one byte more would not. If the message fits as a single part, that part's whole payload is the
 * answer.
 * @param messageLength bytes of the message, before it becomes a CBOR byte string
 * @throws E_TOO_LARGE if it would take more than {@link MAX_PARTS} codes of this version, or no sender takes the message
 */
export function fragmentFor(version: number, ecc: Ecc, messageLength: number): number {
  const capacity = textCapacity(version, ecc);
  const payload = payloadLength(messageLength);
  if (payload <= MAX_FRAGMENT && singleLength(payload) <= capacity) return payload;
  for (let fragment = Math.min(MAX_FRAGMENT, payload - 1, Math.floor(capacity / 2)); fragment > 0 && payload <= MAX_PAYLOAD; fragment--) {
    const count = Math.ceil(payload / fragment);
    if (count > MAX_PARTS) break;
    if (partLength(MAX_SEQUENCE, count, payload, fragment) <= capacity) return fragment;
  }
  return fail('E_TOO_LARGE', `${String(messageLength)} bytes need more than ${String(MAX_PARTS)} QR codes of version ${String(version)}, error correction ${ecc}`, { remedy: 'Use a larger terminal, denser codes, or carry it by file.' });
}

/** Codes that a message needs at least at a version: 1, or the plain parts of the sequence. @throws E_TOO_LARGE as {@link fragmentFor} */
export function codesNeeded(version: number, ecc: Ecc, messageLength: number): number {
  return Math.ceil(payloadLength(messageLength) / fragmentFor(version, ecc, messageLength));
}
