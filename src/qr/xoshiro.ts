/**
 * xoshiro256** (Blackman and Vigna) as UR seeds and uses it (BCR-2024-001): it decides which fragments a part mixes, on
 * both sides alike. Numbers of 64 bits are kept as two of 32: this runs for every frame.
 */
import { sha256 } from '@noble/hashes/sha2.js';

const TWO_32 = 2 ** 32;
const TWO_64 = 2 ** 64;

/** A sequence of numbers that the seed determines. No randomness in the sense of cryptography. */
export class Xoshiro {
  /** Four words, each as its high and its low half. */
  readonly #s: Int32Array;

  /** @param seed public bytes; the state is their SHA-256, as four big-endian words */
  constructor(seed: Uint8Array) {
    const digest = sha256(seed);
    const view = new DataView(digest.buffer, digest.byteOffset, 32);
    this.#s = Int32Array.from({ length: 8 }, (_, i) => view.getInt32(4 * i));
  }

  /** The next number: 64 bits divided by 2^64, rounded to a double. It can be 1, with a chance of 2^−54. */
  fraction(): number {
    const s = this.#s;
    const [h0, l0, h1, l1, h2, l2, h3, l3] = s as unknown as [number, number, number, number, number, number, number, number];
    // s1 · 5, turned left by 7, · 9
    const five = (l1 >>> 0) * 5;
    const high5 = (Math.imul(h1, 5) + Math.floor(five / TWO_32)) | 0;
    const low5 = five | 0;
    const highTurned = (high5 << 7) | (low5 >>> 25);
    const lowTurned = (low5 << 7) | (high5 >>> 25);
    const nine = (lowTurned >>> 0) * 9;
    const high = (Math.imul(highTurned, 9) + Math.floor(nine / TWO_32)) >>> 0;
    const low = nine % TWO_32;
    // the next state
    const x2h = h2 ^ h0;
    const x2l = l2 ^ l0;
    const x3h = h3 ^ h1;
    const x3l = l3 ^ l1;
    s[2] = h1 ^ x2h;
    s[3] = l1 ^ x2l;
    s[0] = h0 ^ x3h;
    s[1] = l0 ^ x3l;
    s[4] = x2h ^ ((h1 << 17) | (l1 >>> 15));
    s[5] = x2l ^ (l1 << 17);
    // turned left by 45: the halves change places, then by 13
    s[6] = (x3l << 13) | (x3h >>> 19);
    s[7] = (x3h << 13) | (x3l >>> 19);
    return (high * TWO_32 + low) / TWO_64;
  }

  /** A whole number from 0 to `below` − 1. */
  index(below: number): number {
    return Math.min(below - 1, Math.floor(this.fraction() * below));
  }
}
