/**
 * The two forms of CBOR that UR needs (RFC 8949, shortest form only): a byte string, which a message is wrapped in, and
 * the array of one part: [sequence number, number of parts, length of the payload, CRC-32 of the payload, fragment].
 */

/** What the CBOR of a part says. All numbers are below 2^32; nothing else has been checked. */
export interface PartFields {
  /** 1, 2, 3, …: up to `count` one fragment each, above it a mixture. */
  readonly sequence: number;
  /** Fragments of the payload. */
  readonly count: number;
  /** Bytes of the payload. */
  readonly length: number;
  /** CRC-32 of the payload. */
  readonly checksum: number;
  readonly fragment: Uint8Array;
}

const UNSIGNED = 0x00;
const BYTES = 0x40;
const ARRAY_OF_FIVE = 0x85;
/** Longest CBOR around a fragment of less than 65,536 bytes: the array's head, four numbers of up to five bytes, the byte string's head. */
export const PART_OVERHEAD = 1 + 4 * 5 + 3;

/** Writes a head (type and number below 2^32) and says where it ends. */
function writeHead(out: Uint8Array, at: number, type: number, n: number): number {
  if (n < 24) {
    out[at] = type | n;
    return at + 1;
  }
  const size = n < 0x100 ? 1 : n < 0x10000 ? 2 : 4;
  out[at] = type | (size === 1 ? 24 : size === 2 ? 25 : 26);
  for (let i = size - 1, rest = n; i >= 0; i--, rest = Math.floor(rest / 256)) out[at + 1 + i] = rest & 0xff;
  return at + 1 + size;
}

/** Bytes of a head. */
const headSize = (n: number): number => (n < 24 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 5);

/** Reads heads one after the other; every refusal is `undefined`. */
class Heads {
  at = 0;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  /** The number of a head of this type in its shortest form. */
  read(type: number): number | undefined {
    const first = this.#bytes[this.at];
    if (first === undefined || (first & 0xe0) !== type) return undefined;
    const low = first & 0x1f;
    if (low < 24) {
      this.at++;
      return low;
    }
    const size = low === 24 ? 1 : low === 25 ? 2 : low === 26 ? 4 : 0;
    if (size === 0 || this.at + 1 + size > this.#bytes.length) return undefined;
    let n = 0;
    for (let i = 1; i <= size; i++) n = n * 256 + (this.#bytes[this.at + i] as number);
    if (headSize(n) !== 1 + size) return undefined;
    this.at += 1 + size;
    return n;
  }
  /** A byte string that ends where the bytes end, not copied. */
  lastBytes(): Uint8Array | undefined {
    const n = this.read(BYTES);
    return n !== undefined && this.at + n === this.#bytes.length ? this.#bytes.subarray(this.at) : undefined;
  }
}

/** A message (public or sealed, below 4 GiB) as a CBOR byte string: 1 to 5 bytes more. */
export function wrapBytes(message: Uint8Array): Uint8Array {
  const size = headSize(message.length);
  const out = new Uint8Array(size + message.length);
  writeHead(out, 0, BYTES, message.length);
  out.set(message, size);
  return out;
}

/** The contents of bytes that are exactly one CBOR byte string in shortest form, copied; otherwise `undefined`. Never throws. */
export function unwrapBytes(cbor: Uint8Array): Uint8Array | undefined {
  return new Heads(cbor).lastBytes()?.slice();
}

/** The CBOR of a part. */
export function encodePart(part: PartFields): Uint8Array {
  const numbers = [part.sequence, part.count, part.length, part.checksum];
  const size = numbers.reduce((sum, n) => sum + headSize(n), 1 + headSize(part.fragment.length) + part.fragment.length);
  const out = new Uint8Array(size);
  out[0] = ARRAY_OF_FIVE;
  let at = 1;
  for (const n of numbers) at = writeHead(out, at, UNSIGNED, n);
  at = writeHead(out, at, BYTES, part.fragment.length);
  out.set(part.fragment, at);
  return out;
}

/** The fields of bytes that are exactly the CBOR of one part in shortest form, the fragment not copied; otherwise `undefined`. Never throws. */
export function decodePart(cbor: Uint8Array): PartFields | undefined {
  if (cbor[0] !== ARRAY_OF_FIVE) return undefined;
  const heads = new Heads(cbor);
  heads.at = 1;
  const sequence = heads.read(UNSIGNED);
  const count = heads.read(UNSIGNED);
  const length = heads.read(UNSIGNED);
  const checksum = heads.read(UNSIGNED);
  if (sequence === undefined || count === undefined || length === undefined || checksum === undefined) return undefined;
  const fragment = heads.lastBytes();
  return fragment && { sequence, count, length, checksum, fragment };
}
