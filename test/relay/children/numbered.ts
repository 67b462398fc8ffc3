/** Parts that show their number and whether they are whole: u32 number, filler of varying length, SHA-256. */
import { concat, equalBytes, toHex, u32 } from '../../../src/wire/bytes.ts';
import { sha256 } from '../../../src/wire/hash.ts';

export function part(n: number): Uint8Array {
  const body = concat(u32(n), new Uint8Array((n * 7919) % 200_000).fill(n & 0xff));
  return concat(body, sha256(body));
}

/** The number, or undefined when the bytes are torn. */
export function numberOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < 36 || !equalBytes(bytes.subarray(-32), sha256(bytes.subarray(0, -32)))) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

export const partPlace = (n: number): string => toHex(sha256(u32(n)).subarray(0, 16));
