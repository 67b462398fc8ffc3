/** One message while its parts come in: the equations so far, and at the end the message itself. */
import { unwrapBytes, type PartFields } from './cbor-part.ts';
import { crc32 } from './crc32.ts';
import { Elimination } from './elimination.ts';
import { Mixer } from './fountain.ts';

/** A name for what all parts of one message have in common: count, length, checksum and fragment size. */
export function headerKey(part: PartFields): string {
  return `${String(part.count)}/${String(part.length)}/${String(part.checksum)}/${String(part.fragment.length)}`;
}

/** What a part brought; `spoilt`: it was the last one needed and what came out is not what all of them announced, so all is forgotten. */
export type Gathered = 'new' | 'known' | 'contradiction' | 'spoilt' | 'complete';

/** A message in the making. Everything in it comes from outside and is unauthenticated. */
export class Gathering {
  readonly key: string;
  readonly parts: number;
  /** Parts taken in, repeated ones too. */
  seen = 0;
  /** Parts taken in since the message that the reader is after last gained something, while this is another one. */
  waiting = 0;
  /** The message, once complete. */
  message: Uint8Array | undefined;
  readonly #length: number;
  readonly #checksum: number;
  readonly #mixer: Mixer;
  readonly #equations: Elimination;

  /** @param first any part of the message, whose numbers are within limits and fit each other */
  constructor(first: PartFields) {
    this.key = headerKey(first);
    this.parts = first.count;
    this.#length = first.length;
    this.#checksum = first.checksum;
    this.#mixer = new Mixer(first.count, first.checksum);
    this.#equations = new Elimination(first.count, first.fragment.length);
  }

  /** How much of the message is determined, of `parts`. */
  get rank(): number {
    return this.message === undefined ? this.#equations.rank : this.parts;
  }

  /** Takes in a part with this message's key. */
  take(part: PartFields): Gathered {
    this.seen++;
    if (this.message !== undefined) return 'known';
    const brought = this.#equations.add(this.#mixer.of(part.sequence), part.fragment);
    if (brought !== 'new') return brought === 'nothing' ? 'known' : 'contradiction';
    if (this.#equations.rank < this.parts) return 'new';
    const payload = this.#equations.solve().subarray(0, this.#length);
    this.message = crc32(payload) === this.#checksum ? unwrapBytes(payload) : undefined;
    return this.message === undefined ? 'spoilt' : 'complete';
  }

  /** Begins again with nothing. */
  restart(): void {
    this.message = undefined;
    this.seen = 0;
    this.waiting = 0;
    this.#equations.clear();
  }
}
