/**
 * Gaussian elimination over GF(2), one equation at a time: how a receiver gets fragments back from mixtures in any order.
 * Each equation says that the XOR of some fragments is a value. No equation is kept that says nothing new, so there are
 * never more than fragments; a value is never kept longer than its fragment.
 */
import { toWords, xorInto } from './xor.ts';

/** What an equation brought: something new, nothing new, or the contrary of what earlier ones say. */
export type Brought = 'new' | 'nothing' | 'contradiction';

/** An equation that is kept. */
interface Row {
  /** Which fragments it mixes, a bit each, its own the lowest; missing if it is the fragment itself. */
  readonly mixed: Int32Array | undefined;
  readonly value: Int32Array;
}

/** Equations in the fragments of one payload. */
export class Elimination {
  readonly #count: number;
  readonly #size: number;
  /** The equation whose lowest fragment is i, at i. */
  readonly #rows: (Row | undefined)[];
  #rank = 0;
  /** Bits of the equation in hand; all 0 between two calls. */
  readonly #bits: Int32Array;

  /**
   * @param count fragments; the caller bounds it
   * @param size bytes of a fragment
   */
  constructor(count: number, size: number) {
    this.#count = count;
    this.#size = size;
    this.#rows = new Array<Row | undefined>(count).fill(undefined);
    this.#bits = new Int32Array(Math.ceil(count / 32));
  }

  /** Independent equations so far; all fragments are determined when it is the number of fragments. */
  get rank(): number {
    return this.#rank;
  }

  /**
   * Takes in one equation. Its work is at most that of adding `count` kept ones: count · (count / 32 + size / 4) words.
   * @param indexes the fragments mixed, each below `count` and once
   * @param value their XOR, `size` bytes; copied
   */
  add(indexes: Uint16Array, value: Uint8Array): Brought {
    const bits = this.#bits;
    bits.fill(0);
    for (let i = 0; i < indexes.length; i++) {
      const index = indexes[i] as number;
      bits[index >> 5] = (bits[index >> 5] as number) ^ (1 << (index & 31));
    }
    const sum = toWords(value, this.#size);
    let own = -1;
    let more = false;
    for (let w = 0; w < bits.length; w++) {
      // fragments of this word that no equation begins with stay in it
      let open = bits[w] as number;
      let staying = 0;
      while (open !== 0) {
        const low = open & -open;
        const index = 32 * w + 31 - Math.clz32(low);
        const row = this.#rows[index];
        if (row === undefined) {
          if (own < 0) own = index;
          else more = true;
          staying |= low;
        } else {
          xorInto(sum, row.value);
          if (row.mixed === undefined) bits[w] = (bits[w] as number) ^ low;
          else for (let k = w; k < bits.length; k++) bits[k] = (bits[k] as number) ^ (row.mixed[k] as number);
        }
        open = (bits[w] as number) & ~staying;
      }
    }
    if (own < 0) return sum.every((word) => word === 0) ? 'nothing' : 'contradiction';
    this.#rows[own] = { mixed: more ? bits.slice() : undefined, value: sum };
    this.#rank++;
    return 'new';
  }

  /**
   * All fragments one after the other: count · size bytes. Afterwards it holds nothing any more.
   * To be called when the rank is the number of fragments.
   */
  solve(): Uint8Array {
    const rows = this.#rows as Row[];
    const whole = new Uint8Array(this.#count * this.#size);
    for (let i = this.#count - 1; i >= 0; i--) {
      const { mixed, value } = rows[i] as Row;
      for (let w = i >> 5; mixed !== undefined && w < mixed.length; w++)
        for (let open = mixed[w] as number; open !== 0; open &= open - 1) {
          const index = 32 * w + 31 - Math.clz32(open & -open);
          if (index !== i) xorInto(value, (rows[index] as Row).value);
        }
      whole.set(new Uint8Array(value.buffer, 0, this.#size), i * this.#size);
    }
    this.clear();
    return whole;
  }

  /** Forgets all equations. */
  clear(): void {
    this.#rows.fill(undefined);
    this.#rank = 0;
  }
}
