/** CRC-32 (ISO-HDLC: reflected polynomial EDB88320), which protects UR parts against misreading. It authenticates nothing. */

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/**
 * The CRC-32 of bytes, 0 to 2^32 − 1.
 * @param length how many of the bytes count, from the first; all unless told
 */
export function crc32(bytes: Uint8Array, length = bytes.length): number {
  let c = -1;
  for (let i = 0; i < length; i++) c = (TABLE[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
