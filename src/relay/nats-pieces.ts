/**
 * How a part lies in a stream whose messages are bounded. A small one: 00 ‖ bytes. A larger one in pieces of half a MiB, each under its
 * own hash, and in the place itself a list of them: 01 ‖ u32 length ‖ SHA-256 of each piece. The list is stored last, so that a place
 * is empty until everything is there, and nobody who watches can fill the place of a piece that is still to come.
 */
import { concat, Reader, toHex, u32 } from '../wire/bytes.ts';
import { sha256 } from '../wire/hash.ts';
import { MAX_PART_BYTES } from './relay.ts';

/** Bytes of a piece; fixed, so that an upload that was cut off continues with the same pieces, whatever the server's settings are by then. */
export const PIECE_BYTES = 512 << 10;

/** A part in the form in which it is stored: what lies in the place, and the pieces that lie elsewhere before. */
export interface StoredPart {
  readonly body: Uint8Array;
  readonly pieces: readonly { readonly hash: string; readonly bytes: Uint8Array }[];
}

export function storedPart(bytes: Uint8Array): StoredPart {
  if (bytes.length <= PIECE_BYTES) return { body: concat(Uint8Array.of(0), bytes), pieces: [] };
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, i) => bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
  const hashes = pieces.map((p) => sha256(p));
  return { body: concat(Uint8Array.of(1), u32(bytes.length), ...hashes), pieces: pieces.map((p, i) => ({ hash: toHex(hashes[i] ?? new Uint8Array()), bytes: p })) };
}

/** What a place says: the bytes themselves, or which pieces they are. */
export type PlaceContent = { readonly bytes: Uint8Array } | { readonly length: number; readonly hashes: readonly string[] };

/** Reads what lies in a place; undefined when no {@link storedPart} looks like this. */
export function parsePlace(body: Uint8Array): PlaceContent | undefined {
  if (body[0] === 0 && body.length > 1 && body.length <= PIECE_BYTES + 1) return { bytes: body.slice(1) };
  if (body[0] !== 1 || body.length < 5) return undefined;
  const r = new Reader(body.subarray(1));
  const length = r.u32('length');
  if (length <= PIECE_BYTES || length > MAX_PART_BYTES || r.remaining !== 32 * Math.ceil(length / PIECE_BYTES)) return undefined;
  const hashes: string[] = [];
  while (r.remaining > 0) hashes.push(toHex(r.take(32, 'hash')));
  return { length, hashes };
}

/** Bytes that piece `i` of a part must have. */
export function pieceLength(length: number, i: number): number {
  return Math.min(PIECE_BYTES, length - i * PIECE_BYTES);
}
