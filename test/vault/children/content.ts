/** File contents that show their number and whether they are whole: u32 number, filler of varying length, SHA-256. */
import { concat, equalBytes, u32 } from '../../../src/wire/bytes.ts';
import { sha256 } from '../../../src/wire/hash.ts';

export function content(n: number): Uint8Array {
  const body = concat(u32(n), new Uint8Array((n * 7919) % 20_000).fill(n & 0xff));
  return concat(body, sha256(body));
}

/** The number, or undefined when the bytes are torn. */
export function numberOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < 36) return undefined;
  const body = bytes.subarray(0, -32);
  if (!equalBytes(bytes.subarray(-32), sha256(body))) return undefined;
  return new DataView(body.buffer, body.byteOffset).getUint32(0);
}
