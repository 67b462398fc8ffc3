/**
 * A code on a terminal: two squares a character cell, one above the other. Black and white are said as colours 16 and 231 of
 * the 256, which no theme changes (the 16 named colours and the default ones belong to the theme): a code looks the same on a
 * dark and on a light terminal.
 *
 * What is black is always ground, and what is ink is always white. The half blocks of many fonts do not quite fill their half
 * of the cell; as ink, the black lines of the finder patterns then have gaps, and zbar reads few of these codes.
 */
import { MAX_VERSION, type Modules, QUIET_ZONE, sizeOf } from './code.ts';

const START = '\x1b[38;5;231m';
const BLACK = '\x1b[48;5;16m';
const WHITE = '\x1b[48;5;231m';
const RESET = '\x1b[0m';

/** Border and lines kept free. */
export interface Fit {
  /** Squares of quiet zone on each side; 4 by the standard, 2 is read by all readers tried. */
  readonly border?: number;
  /** Rows kept for a status line. Default 1. */
  readonly keep?: number;
}

/** Columns and rows that a code of a version takes on a terminal. */
export function cellsOf(version: number, border = QUIET_ZONE): { readonly columns: number; readonly rows: number } {
  const squares = sizeOf(version) + 2 * border;
  return { columns: squares, rows: Math.ceil(squares / 2) };
}

/** The largest version that fits a terminal beside its status line, or undefined if it is too small for any. */
export function fittingVersion(columns: number, rows: number, fit: Fit = {}): number | undefined {
  for (let version = MAX_VERSION; version > 0; version--) {
    const cells = cellsOf(version, fit.border);
    if (cells.columns <= columns && cells.rows + (fit.keep ?? 1) <= rows) return version;
  }
  return undefined;
}

/**
 * The lines of a code, without line ends; each sets its colours itself and ends with the terminal's own. The number of squares
 * is odd, so the lowest line has a white row more than the border.
 * @param options.border squares of quiet zone on each side, default 4
 */
export function terminalCode(modules: Modules, options: Pick<Fit, 'border'> = {}): string[] {
  const border = options.border ?? QUIET_ZONE;
  const width = modules.length + 2 * border;
  const black = (x: number, y: number): boolean => modules[y - border]?.[x - border] === true;
  return Array.from({ length: Math.ceil(width / 2) }, (_, row) => {
    let line = START;
    let ground = '';
    for (let x = 0; x < width; x++) {
      const above = black(x, 2 * row);
      const below = black(x, 2 * row + 1);
      const needed = above || below ? BLACK : WHITE;
      if (needed !== ground) line += needed;
      ground = needed;
      line += above === below ? ' ' : above ? '▄' : '▀';
    }
    return line + RESET;
  });
}
