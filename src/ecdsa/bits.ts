/** Lists of bits as bytes, the first bit highest: challenges and selections of the proofs with repetitions. Public. */

/** Packs bits, a multiple of eight of them. */
export function packBits(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(bits.length / 8);
  bits.forEach((bit, i) => {
    if (bit) (bytes[i >> 3] as number) |= 0x80 >> (i & 7);
  });
  return bytes;
}

/** The bits of bytes; every byte string is one list. */
export function unpackBits(bytes: Uint8Array): boolean[] {
  return Array.from({ length: 8 * bytes.length }, (_, i) => ((bytes[i >> 3] as number) & (0x80 >> (i & 7))) !== 0);
}
