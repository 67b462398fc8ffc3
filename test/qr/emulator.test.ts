/** Codes on a real terminal emulator, photographed from its screen and read by zbar. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, textCapacity } from '../../src/qr/code.ts';
import { fittingVersion, terminalCode } from '../../src/qr/terminal.ts';
import { Screen, THEMES, tool, zbar } from '../support/emulator.ts';

let screen: Screen;
beforeAll(async () => {
  screen = await Screen.open();
});
afterAll(() => screen?.close());

/** A text in capitals that fills a version to the last character, other for every salt. */
function full(version: number, salt: string): string {
  const head = `UR:BYTES/${salt.toUpperCase()}/`;
  return head + Array.from({ length: textCapacity(version, 'low') - head.length }, (_, i) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[(i * i * (i + 3) + 7 * i + salt.length) % 26]).join('');
}

const STATUS = 'part 17 of 72';
const SMALL = { columns: 80, rows: 24, fits: [[4, 5], [2, 6]] } as const;
const LARGE = { columns: 120, rows: 40, fits: [[4, 13], [2, 14]] } as const;

/** A code with its status line, as a program shows it. */
function screenful(text: string, border: number): string {
  return `${terminalCode(codeOf(text, { ecc: 'low' }).modules, { border }).join('\n')}\n${STATUS}`;
}

describe.each([SMALL, LARGE])('a terminal of $columns × $rows', ({ columns, rows, fits }) => {
  it.each(['dark', 'light'] as const)('%s: the largest code fits and is read', async (name) => {
    const terminal = screen.terminal({ columns, rows, theme: THEMES[name] });
    expect(await terminal.size()).toBe(`${String(rows)} ${String(columns)}`);
    for (const [border, version] of fits) {
      expect(fittingVersion(columns, rows, { border })).toBe(version);
      const text = full(version, `${name}${String(border)}`);
      // the cursor stands behind the status line, in the last row
      expect(await terminal.show(screenful(text, border))).toEqual({ row: rows, column: STATUS.length + 1 });
      expect(zbar((await terminal.picture()).path)).toEqual([text]);
    }
  });
  it('a larger code runs out of it, and is not read', async () => {
    const terminal = screen.terminal({ columns, rows, theme: THEMES.dark });
    await terminal.show(screenful(full(fits[1][1] + 1, 'larger'), 2));
    expect(zbar((await terminal.picture()).path)).toEqual([]);
  });
});

describe('why the colours are said as they are', () => {
  const text = full(5, 'colours');
  const lines = screenful(text, 4);
  it.each(['solarizedDark', 'solarizedLight'] as const)('themes that change the named colours: %s', async (name) => {
    const terminal = screen.terminal({ ...SMALL, theme: THEMES[name] });
    await terminal.show(lines);
    expect(zbar((await terminal.picture()).path)).toEqual([text]);
  });
  it('with the named colours a theme can make the same code unreadable', async () => {
    const terminal = screen.terminal({ ...SMALL, theme: THEMES.allGrey });
    await terminal.show(lines.replaceAll('38;5;231', '97').replaceAll('48;5;16', '40').replaceAll('48;5;231', '107'));
    expect(zbar((await terminal.picture()).path)).toEqual([]);
    await terminal.show(lines);
    expect(zbar((await terminal.picture()).path)).toEqual([text]);
  });
  it('with the default colours it comes out inverted on one of two themes', async () => {
    const read: string[][] = [];
    for (const theme of [THEMES.dark, THEMES.light]) {
      const terminal = screen.terminal({ ...SMALL, theme });
      // as programs do that know the text only: white is drawn, black is left
      await terminal.show(lines.replaceAll('\x1b[38;5;231m', '').replaceAll('\x1b[48;5;16m', '\x1b[0m').replaceAll('\x1b[48;5;231m', '\x1b[7m'));
      read.push(zbar((await terminal.picture()).path));
    }
    expect(read).toEqual([[text], []]);
  });
});

it('a program that is missing is an error that names its package', () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    expect(() => zbar('x.png')).toThrow('apt-get install zbar-tools');
    expect(() => tool('Xvfb')).toThrow('needs the Debian package xvfb');
  } finally {
    process.env['PATH'] = path;
  }
});
