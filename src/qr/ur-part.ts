/**
 * The text of one UR part: `ur:TYPE/SEQUENCE-COUNT/BYTEWORDS`, or `ur:TYPE/BYTEWORDS` for a payload in one part. Reading it
 * checks everything that can be checked without other parts, cheapest first, before anything of a claimed size is made.
 */
import { CHECKSUM_LETTERS, fromBytewords, toBytewords } from './bytewords.ts';
import { PART_OVERHEAD, decodePart, encodePart, type PartFields } from './cbor-part.ts';
import { crc32 } from './crc32.ts';
import { LAST_SEQUENCE } from './fountain.ts';

/** What a reader accepts at most. */
export interface PartLimits {
  /** Type of the UR, lower case. */
  readonly type: string;
  /** Fragments of a payload, at most 65,535. */
  readonly parts: number;
  /** Bytes of a fragment, less than 65,536. */
  readonly fragment: number;
  /** Bytes of a payload, less than 2^32. */
  readonly payload: number;
}

/** Why a text is not taken: another thing altogether (`foreign`), or a part that cannot be one (`damaged`). */
export interface Refusal {
  readonly refused: 'foreign' | 'damaged';
  /** A sentence without any of the text, so that it is safe to show. */
  readonly why: string;
}

/** Letters of the longest part within limits. */
export function longestPart(limits: PartLimits): number {
  const sequence = `${String(LAST_SEQUENCE)}-${String(limits.parts)}`;
  return 'ur:'.length + limits.type.length + 1 + sequence.length + 1 + 2 * (limits.fragment + PART_OVERHEAD) + CHECKSUM_LETTERS;
}

const damaged = (why: string): Refusal => ({ refused: 'damaged', why });
const foreign = (why: string): Refusal => ({ refused: 'foreign', why });

/** A canonical decimal from 1 to 2^32 − 1, otherwise 0. */
function positive(digits: string): number {
  const n = /^[1-9][0-9]{0,9}$/.test(digits) ? Number(digits) : 0;
  return n <= LAST_SEQUENCE ? n : 0;
}

/**
 * Reads a part, in letters of either case. Never throws, whatever the text; its work and memory are bounded by the limits.
 * A payload in one part becomes part 1 of 1.
 */
export function readPart(text: string, limits: PartLimits): PartFields | Refusal {
  if (!/^ur:/i.test(text)) return foreign('not a UR');
  if (text.length > longestPart(limits)) return damaged(`longer than a part with a fragment of ${String(limits.fragment)} bytes`);
  const [head, ...path] = text.slice(3).split('/', 4) as [string, ...string[]];
  if (!/^[a-z0-9-]+$/i.test(head)) return damaged('its type has other characters than letters, digits and hyphens');
  if (head.toLowerCase() !== limits.type) return foreign(`a UR of another type than ${limits.type}`);
  const [first, second] = path;
  if (first === undefined || path.length > 2) return damaged('it has not the form ur:TYPE/SEQUENCE-COUNT/BYTEWORDS');
  return second === undefined ? readSingle(first, limits) : readMultiple(first, second, limits);
}

/** The only part of a payload: the payload itself. */
function readSingle(words: string, limits: PartLimits): PartFields | Refusal {
  const payload = fromBytewords(words);
  if (typeof payload === 'string') return damaged(payload);
  const most = Math.min(limits.fragment, limits.payload);
  if (payload.length === 0 || payload.length > most) return damaged(`a single part holds 1 to ${String(most)} bytes, not ${String(payload.length)}`);
  return { sequence: 1, count: 1, length: payload.length, checksum: crc32(payload), fragment: payload };
}

/** One of several parts. */
function readMultiple(place: string, words: string, limits: PartLimits): PartFields | Refusal {
  const [sequence, count, rest] = place.split('-', 3).map(positive) as [number, number | undefined, number | undefined];
  if (rest !== undefined || count === undefined || sequence === 0 || count === 0) return damaged('its SEQUENCE-COUNT is not two numbers from 1 to 4294967295');
  if (count > limits.parts) return damaged(`it claims ${String(count)} parts; at most ${String(limits.parts)} are taken`);
  const cbor = fromBytewords(words);
  if (typeof cbor === 'string') return damaged(cbor);
  const part = decodePart(cbor);
  if (part === undefined) return damaged('its contents are not the CBOR of a part in shortest form');
  if (part.sequence !== sequence || part.count !== count) return damaged('its contents have another SEQUENCE-COUNT than its text');
  const size = part.fragment.length;
  if (size > limits.fragment) return damaged(`its fragment has ${String(size)} bytes; at most ${String(limits.fragment)} are taken`);
  if (part.length > limits.payload) return damaged(`it claims a message of ${String(part.length)} bytes; at most ${String(limits.payload)} are taken`);
  if (count * size < part.length || (count - 1) * size >= part.length) return damaged(`${String(part.length)} bytes are not ${String(count)} fragments of ${String(size)} bytes`);
  return part;
}

/** The text of a part, upper case. @param type lower case */
export function writePart(type: string, part: PartFields): string {
  return `UR:${type.toUpperCase()}/${String(part.sequence)}-${String(part.count)}/${toBytewords(encodePart(part))}`;
}

/** The text of a payload in one part, upper case. @param type lower case */
export function writeSingle(type: string, payload: Uint8Array): string {
  return `UR:${type.toUpperCase()}/${toBytewords(payload)}`;
}
