/** Text with a secret in it, without a string of it. Secret. */
import { concat, utf8 } from '../wire/bytes.ts';

/** ASCII hex of secret bytes, as bytes that can be overwritten. */
export function hexAscii(secret: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * secret.length);
  const digit = (n: number): number => n + (n < 10 ? 48 : 87);
  secret.forEach((b, i) => {
    out[2 * i] = digit(b >> 4);
    out[2 * i + 1] = digit(b & 15);
  });
  return out;
}

/** The text with the hex of the secret between its two parts. Secret; the caller overwrites it. */
export function textAround(before: string, secret: Uint8Array, after: string): Uint8Array {
  const hex = hexAscii(secret);
  const out = concat(utf8(before), hex, utf8(after));
  hex.fill(0);
  return out;
}
