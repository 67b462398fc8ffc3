/** A code as lines for a terminal: what every cell says, and which code fits. */
import { describe, expect, it } from 'vitest';
import { codeOf, MAX_VERSION, textCapacity } from '../../src/qr/code.ts';
import { cellsOf, fittingVersion, terminalCode } from '../../src/qr/terminal.ts';

const VERSIONS = Array.from({ length: MAX_VERSION }, (_, i) => i + 1);
const COLOURS: Readonly<Record<string, boolean>> = { '16': true, '231': false };

/** What a terminal makes of a line: the upper and the lower square of every cell, true for black. */
function cells(line: string): { readonly above: boolean; readonly below: boolean }[] {
  let ink: boolean | undefined;
  let ground: boolean | undefined;
  const out: { above: boolean; below: boolean }[] = [];
  for (const [piece] of line.matchAll(/\x1b\[[0-9;]*m|[^]/gu)) {
    if (piece.startsWith('\x1b')) {
      if (piece === '\x1b[0m') ink = ground = undefined;
      for (const [, kind, colour] of piece.matchAll(/([34])8;5;([0-9]+)/g)) {
        if (kind === '3') ink = COLOURS[colour as string];
        else ground = COLOURS[colour as string];
      }
      if (!/^\x1b\[(?:0|[34]8;5;(?:16|231)(?:;[34]8;5;(?:16|231))*)m$/.test(piece)) throw new Error(`another sequence: ${JSON.stringify(piece)}`);
      continue;
    }
    // never in the terminal's own colours, nor in one that a theme changes
    if (ink === undefined || ground === undefined) throw new Error('a cell in a default colour');
    const glyph = { ' ': [ground, ground], '▀': [ink, ground], '▄': [ground, ink] }[piece];
    if (!glyph) throw new Error(`a cell with ${piece}`);
    out.push({ above: glyph[0] as boolean, below: glyph[1] as boolean });
  }
  if (ink !== undefined || ground !== undefined) throw new Error('the line leaves its colours behind');
  return out;
}

describe('lines', () => {
  it.each([0, 1, 2, 4])('say every square in black and white, border %i', (border) => {
    for (const version of [1, 2, 5, 6, 7, 13, 14, 27, 40]) {
      const { modules, size } = codeOf('A'.repeat(textCapacity(version, 'low')), { ecc: 'low' });
      const lines = terminalCode(modules, { border });
      const width = size + 2 * border;
      expect([lines.length, width]).toEqual([cellsOf(version, border).rows, cellsOf(version, border).columns]);
      const rows = lines.map(cells).flatMap((line) => [line.map((c) => c.above), line.map((c) => c.below)]);
      const white = Array.from({ length: width }, () => false);
      const margin = Array.from({ length: border }, () => false);
      // the squares are odd in number: below the border there is one white row more
      const expected = [...margin.map(() => white), ...modules.map((row) => [...margin, ...row, ...margin]), ...margin.map(() => white), white];
      expect([version, JSON.stringify(rows) === JSON.stringify(expected)]).toEqual([version, true]);
    }
  });
  it('have a border of 4 unless told otherwise', () => {
    const { modules } = codeOf('HELLO', { ecc: 'low' });
    expect(terminalCode(modules)).toEqual(terminalCode(modules, { border: 4 }));
  });
  it('draw with white ink alone', () => {
    const { modules } = codeOf('A'.repeat(154), { ecc: 'low' });
    expect(terminalCode(modules).join('')).not.toContain('38;5;16m');
  });
});

describe('the version that fits', () => {
  it('is known for the usual terminals', () => {
    expect([fittingVersion(80, 24), fittingVersion(80, 24, { border: 2 })]).toEqual([5, 6]);
    expect([fittingVersion(120, 40), fittingVersion(120, 40, { border: 2 })]).toEqual([13, 14]);
    expect([fittingVersion(80, 24, { keep: 2 }), fittingVersion(120, 40, { keep: 2 })]).toEqual([4, 12]);
  });
  it.each([[4, 1], [2, 1], [4, 2], [2, 3]])('with border %i and %i rows kept, it fits exactly and not with a row or column less', (border, keep) => {
    for (const version of VERSIONS) {
      const { columns, rows } = cellsOf(version, border);
      const least = version === 1 ? undefined : version - 1;
      expect(fittingVersion(columns, rows + keep, { border, keep })).toBe(version);
      expect(fittingVersion(columns - 1, rows + keep, { border, keep })).toBe(least);
      expect(fittingVersion(columns, rows + keep - 1, { border, keep })).toBe(least);
    }
  });
  it('is none on a terminal that is too small', () => {
    expect([fittingVersion(20, 10), fittingVersion(0, 0), fittingVersion(200, 14), fittingVersion(28, 200)]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
