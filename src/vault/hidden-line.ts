/** A line typed at a terminal in raw mode, byte by byte, kept in memory that can be wiped. */
import { Secret } from './secret.ts';

/** Longest line, bytes. */
export const MAX_LINE = 1024;

const ETX = 0x03; // Ctrl-C
const EOT = 0x04; // Ctrl-D
const BS = 0x08;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const NAK = 0x15; // Ctrl-U
const ESC = 0x1b;
const DEL = 0x7f;

export type Typed = 'more' | 'complete' | 'interrupted' | 'too long';

/** Arrow keys and the like arrive as an escape sequence: ESC, then `[` parameters and a final byte, or `O` and one byte. */
type Escape = 'none' | 'begun' | 'parameters' | 'last';

export class HiddenLine {
  readonly #bytes = new Uint8Array(MAX_LINE);
  #length = 0;
  #escape: Escape = 'none';

  /** Takes one byte as the terminal sends it. */
  push(byte: number): Typed {
    if (byte === ETX) return 'interrupted';
    if (byte === CR || byte === LF) return 'complete';
    if (this.#inEscape(byte)) return 'more';
    if (byte === EOT) return this.#length === 0 ? 'interrupted' : 'complete';
    if (byte === BS || byte === DEL) this.#rubOut();
    else if (byte === NAK) this.wipe();
    else if (byte >= 0x20 || byte === TAB) {
      if (this.#length === MAX_LINE) return 'too long';
      this.#bytes[this.#length++] = byte;
    }
    return 'more';
  }

  /** The line so far, copied; the caller wipes it. */
  secret(): Secret {
    return new Secret(this.#bytes.slice(0, this.#length));
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  #inEscape(byte: number): boolean {
    if (this.#escape === 'none') {
      if (byte !== ESC) return false;
      this.#escape = 'begun';
    } else if (this.#escape === 'begun') this.#escape = byte === 0x5b ? 'parameters' : byte === 0x4f ? 'last' : 'none';
    else if (this.#escape === 'last' || (byte >= 0x40 && byte <= 0x7e)) this.#escape = 'none';
    return true;
  }

  /** Removes the last character: its UTF-8 continuation bytes, then its first byte. */
  #rubOut(): void {
    let removed = 0x80;
    while (this.#length > 0 && (removed & 0xc0) === 0x80) {
      this.#length -= 1;
      removed = this.#bytes[this.#length] as number;
      this.#bytes[this.#length] = 0;
    }
  }
}
