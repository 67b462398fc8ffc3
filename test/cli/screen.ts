/** A terminal in memory: what a program wrote, as the cells that a person would see; strict about everything else. */
import { codesInPixels } from '../../src/qr/read-image.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

interface Cell {
  readonly glyph: string;
  /** Colours by number; undefined is the terminal's own. */
  readonly ink: number | undefined;
  readonly ground: number | undefined;
}

const BLANK: Cell = { glyph: ' ', ink: undefined, ground: undefined };
const PIXELS = 4;

/** A screen of a fixed size with two pages. */
export class Screen {
  columns: number;
  rows: number;
  /** Whether the other page is shown, the cursor is hidden, and lines do not wrap. */
  readonly modes = new Set<string>();
  #cells: Cell[][] = [];
  #main: Cell[][] = [];
  #row = 0;
  #column = 0;
  #mainPlace = [0, 0] as [number, number];
  #ink: number | undefined;
  #ground: number | undefined;
  #rest = '';

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#clear();
  }

  #clear(): void {
    this.#cells = Array.from({ length: this.rows }, () => Array.from({ length: this.columns }, () => BLANK));
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#clear();
  }

  write(text: string): void {
    const all = this.#rest + text;
    this.#rest = '';
    for (const [piece] of all.matchAll(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[^[]|\x1b(?:\[[0-9;?]*)?$|[^]/gu)) {
      if (/^\x1b(?:\[[0-9;?]*)?$/.test(piece)) this.#rest = piece;
      else if (piece.startsWith('\x1b')) this.#escape(piece);
      else this.#put(piece);
    }
  }

  #put(glyph: string): void {
    if (glyph === '\r') this.#column = 0;
    else if (glyph === '\n') this.#newLine();
    else if (glyph === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (glyph === '\x07') return;
    else {
      if (glyph < ' ') throw new Error(`a control character on the screen: ${JSON.stringify(glyph)}`);
      if (this.#column >= this.columns) {
        if (this.modes.has('?7')) throw new Error(`row ${String(this.#row + 1)} is wider than ${String(this.columns)} columns`);
        this.#column = 0;
        this.#newLine();
      }
      (this.#cells[this.#row] as Cell[])[this.#column++] = { glyph, ink: this.#ink, ground: this.#ground };
    }
  }

  #newLine(): void {
    if (++this.#row < this.rows) return;
    this.#row = this.rows - 1;
    this.#cells = [...this.#cells.slice(1), Array.from({ length: this.columns }, () => BLANK)];
  }

  #escape(sequence: string): void {
    const [, args = '', final] = /^\x1b\[([0-9;?]*)([A-Za-z])$/.exec(sequence) ?? [];
    const numbers = args.split(';').map((n) => Number(n));
    if (final === 'H') {
      const [row = 1, column = 1] = numbers;
      if (row > this.rows || column > this.columns) throw new Error(`the cursor leaves the screen: ${JSON.stringify(sequence)}`);
      [this.#row, this.#column] = [(row || 1) - 1, (column || 1) - 1];
    } else if (final === 'K') {
      const line = this.#cells[this.#row] as Cell[];
      line.fill(BLANK, numbers[0] === 2 ? 0 : Math.min(this.#column, this.columns - 1));
    } else if (final === 'J') {
      if (args !== '2') throw new Error('only the whole screen is cleared');
      this.#clear();
    } else if (final === 'm') this.#colour(numbers);
    else if (final === 'h' || final === 'l') this.#mode(args, final === 'h');
    else throw new Error(`a sequence that not every terminal knows: ${JSON.stringify(sequence)}`);
  }

  #mode(mode: string, on: boolean): void {
    // wrapping is on and the cursor is there at first: their absence is what is noted
    const inverted = mode === '?7' || mode === '?25';
    if (!['?7', '?25', '?1049', '?2026', '?2004'].includes(mode)) throw new Error(`another mode: ${mode}`);
    if (mode === '?1049' && on !== this.modes.has(mode)) {
      if (on) [this.#main, this.#mainPlace] = [this.#cells, [this.#row, this.#column]];
      else {
        this.#cells = this.#main;
        [this.#row, this.#column] = this.#mainPlace;
      }
      if (on) this.#clear();
    }
    if (on !== inverted) this.modes.add(mode);
    else this.modes.delete(mode);
  }

  #colour(numbers: readonly number[]): void {
    for (let i = 0; i < numbers.length; i++) {
      const n = numbers[i] as number;
      if (n === 0) this.#ink = this.#ground = undefined;
      else if ((n === 38 || n === 48) && numbers[i + 1] === 5) {
        if (n === 38) this.#ink = numbers[i + 2];
        else this.#ground = numbers[i + 2];
        i += 2;
      }
    }
  }

  /** The words of the screen, without blanks at the ends. */
  get text(): string {
    return this.#cells.map((line) => line.map((c) => c.glyph).join('').trimEnd()).join('\n').trimEnd();
  }
  line(row: number): string {
    return (this.#cells[row - 1] ?? []).map((c) => c.glyph).join('').trimEnd();
  }

  /** The screen as a picture; the terminal's own colours are a middle gray. */
  picture(): { width: number; height: number; gray: Uint8Array } {
    const width = this.columns * PIXELS;
    const height = this.rows * PIXELS * 2;
    const gray = new Uint8Array(width * height);
    const shade = (colour: number | undefined): number => (colour === 16 ? 0 : colour === 231 ? 255 : 110);
    this.#cells.forEach((line, row) => {
      line.forEach(({ glyph, ink, ground }, column) => {
        for (const [half, colour] of [[0, glyph === '▀' || glyph === '█' ? ink : ground], [1, glyph === '▄' || glyph === '█' ? ink : ground]] as const)
          for (let y = 0; y < PIXELS; y++) {
            const at = (row * 2 * PIXELS + half * PIXELS + y) * width + column * PIXELS;
            gray.fill(shade(colour), at, at + PIXELS);
          }
      });
    });
    return { width, height, gray };
  }

  /** The texts of the codes on it, as a camera reads them. */
  codes(): Promise<string[]> {
    return codesInPixels(this.picture());
  }
}

/** A terminal whose keys the test types. */
export class FakeTerminal implements Terminal {
  readonly screen: Screen;
  readonly behind = false;
  /** What was written, in order. */
  readonly written: string[] = [];
  #take: ((key: string) => void) | undefined;
  #closed: (() => void) | undefined;
  #resized: (() => void) | undefined;
  pages = 0;
  /** Throws once when something is written, as a terminal that went away does. */
  broken = false;

  constructor(columns: number, rows: number) {
    this.screen = new Screen(columns, rows);
  }
  get columns(): number {
    return this.screen.columns;
  }
  get rows(): number {
    return this.screen.rows;
  }
  write(text: string): void {
    if (this.broken) {
      this.broken = false;
      throw new Error('EIO');
    }
    this.written.push(text);
    this.screen.write(text.replaceAll('\n', '\r\n'));
  }
  keys(take: (key: string) => void, closed: () => void): () => void {
    this.#take = take;
    this.#closed = closed;
    return () => {
      this.#take = this.#closed = undefined;
    };
  }
  resized(tell: () => void): () => void {
    this.#resized = tell;
    return () => {
      this.#resized = undefined;
    };
  }
  page(): () => void {
    this.pages += 1;
    this.screen.write('\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J');
    return () => {
      this.pages -= 1;
      this.screen.write('\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l');
    };
  }
  /** Whether somebody listens to the keyboard. */
  get listened(): boolean {
    return this.#take !== undefined;
  }
  type(keys: string): void {
    for (const key of keys) this.#take?.(key);
  }
  close(): void {
    this.#closed?.();
  }
  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#resized?.();
  }
}
