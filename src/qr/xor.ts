/** Bytes as words of 32 bits, which is how fragments are added: addition over GF(2) is XOR. */

/** Bytes as words in the machine's order, filled up with zeros to `size` bytes and to a whole word. A copy. */
export function toWords(bytes: Uint8Array, size: number): Int32Array {
  const words = new Int32Array(Math.ceil(size / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/** target ^= other, over the length of `other`. */
export function xorInto(target: Int32Array, other: Int32Array): void {
  for (let i = 0; i < other.length; i++) target[i] = (target[i] as number) ^ (other[i] as number);
}
