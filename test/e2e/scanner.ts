/** Looks for secrets in bytes, in every form in which a program could let them out. */

/** Name of a secret → its bytes. */
export type Secrets = ReadonlyMap<string, Uint8Array>;

const RAW = 8;
const B64 = 9;
const DECIMAL = 20;

class Patterns {
  readonly #length: number;
  readonly #names = new Map<string, string>();
  readonly #starts = new Uint8Array(1 << 16);
  constructor(length: number) {
    this.#length = length;
  }
  add(text: string, name: string): void {
    if (text.length !== this.#length || /^(.)\1*$/s.test(text)) return;
    this.#names.set(text, name);
    this.#starts[(text.charCodeAt(0) << 8) | text.charCodeAt(1)] = 1;
  }
  find(hay: Buffer, found: Set<string>): void {
    for (let i = 0; i + this.#length <= hay.length; i++) {
      if (this.#starts[((hay[i] as number) << 8) | (hay[i + 1] as number)] === 0) continue;
      const name = this.#names.get(hay.toString('latin1', i, i + this.#length));
      if (name !== undefined) found.add(name);
    }
  }
}

/**
 * Finds windows of eight bytes of any secret: raw, as hex of either case, as base64 at every offset and in both alphabets,
 * and the number it stands for in decimal; each in both byte orders.
 */
export class Scanner {
  readonly #raw = new Patterns(RAW);
  readonly #hex = new Patterns(2 * RAW);
  readonly #base64 = new Patterns((B64 / 3) * 4);
  readonly #decimal = new Patterns(DECIMAL);

  constructor(secrets: Secrets) {
    for (const [name, bytes] of secrets)
      for (const b of [Buffer.from(bytes), Buffer.from(bytes).reverse()]) {
        for (let i = 0; i + RAW <= b.length; i++) {
          this.#raw.add(b.toString('latin1', i, i + RAW), name);
          this.#hex.add(b.toString('hex', i, i + RAW), name);
        }
        // a window of nine bytes begins at a boundary of the encoding in one of three places
        for (let i = 0; i + B64 <= b.length; i++) {
          this.#base64.add(b.toString('base64', i, i + B64), name);
          this.#base64.add(b.toString('base64url', i, i + B64), name);
        }
        const decimal = BigInt(`0x${b.toString('hex')}`).toString();
        for (const part of [decimal.slice(0, DECIMAL), decimal.slice(-DECIMAL)]) this.#decimal.add(part, name);
      }
  }

  /** Names of the secrets of which something is there. */
  find(bytes: Uint8Array): string[] {
    const hay = Buffer.from(bytes);
    const found = new Set<string>();
    this.#raw.find(hay, found);
    this.#base64.find(hay, found);
    this.#decimal.find(hay, found);
    this.#hex.find(Buffer.from(hay.toString('latin1').toLowerCase(), 'latin1'), found);
    return [...found].sort();
  }
}
