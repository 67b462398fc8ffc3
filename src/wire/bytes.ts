/**
 * Bytes: strict hex, concatenation, comparison and fixed-format binary reading and writing.
 * Everything binary that comes from outside is read with {@link Reader}, which checks every length.
 */
import { timingSafeEqual } from 'node:crypto';
import { CeremonyError, fail, type ErrorCode } from './errors.ts';

/** Lowercase hex of public bytes. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * Bytes of a lowercase hex string.
 * @param length required number of bytes, if fixed
 * @throws E_FORMAT on upper case, odd length, foreign characters or another length
 */
export function fromHex(text: string, length?: number): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) fail('E_FORMAT', 'not lowercase hex');
  if (length !== undefined && text.length !== 2 * length) fail('E_FORMAT', `expected ${String(length)} bytes of hex`);
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Concatenation into fresh memory. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Equality in time independent of the contents (lengths are public). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Big-endian u32. */
export function u32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) fail('E_INTERNAL', 'u32 out of range');
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Reads fixed-format binary data; every call checks that the bytes are there. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #code: ErrorCode;
  #at = 0;
  /** @param code the error code with which a malformed input is refused */
  constructor(bytes: Uint8Array, code: ErrorCode = 'E_FORMAT') {
    this.#bytes = bytes;
    this.#code = code;
  }
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }
  /** @throws the reader's code when fewer than `length` bytes are left */
  take(length: number, what: string): Uint8Array {
    if (this.remaining < length) throw new CeremonyError(this.#code, `too short: ${what} is missing`, { field: what });
    const out = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return out;
  }
  u8(what: string): number {
    return this.take(1, what)[0] as number;
  }
  u16(what: string): number {
    const b = this.take(2, what);
    return ((b[0] as number) << 8) | (b[1] as number);
  }
  u32(what: string): number {
    const b = this.take(4, what);
    return new DataView(b.buffer).getUint32(0);
  }
  /** @throws the reader's code when bytes are left over */
  end(): void {
    if (this.remaining !== 0)
      throw new CeremonyError(this.#code, `${String(this.remaining)} bytes too many`, { field: 'length' });
  }
}
