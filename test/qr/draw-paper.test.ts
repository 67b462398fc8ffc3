/** Sheets of paper: drawn by Ghostscript, read by zbar, lost one by one. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_SHEETS, paperParts, type Sheet, sheetPdf } from '../../src/qr/pdf.ts';
import { UrReader } from '../../src/qr/ur.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { convert, tool, zbar } from '../support/emulator.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'draw-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (n: number, salt = 0): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 167 + (i >> 8) * 31 + salt) & 0xff);

function put(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
  return 'none';
}

/** The pages of a PDF as Ghostscript draws them, at 150 dots an inch, and the text that it finds on each. */
function pagesOf(name: string, pdf: Uint8Array): { readonly pictures: string[]; readonly texts: string[] } {
  const path = put(`${name}.pdf`, pdf);
  const run = (...args: readonly string[]): string => execFileSync(tool('gs'), ['-q', '-dBATCH', '-dNOPAUSE', '-dSAFER', '-dPDFSTOPONERROR', '-dPDFSTOPONWARNING', ...args, path], { encoding: 'utf8' });
  expect(run('-sDEVICE=pnggray', '-r150', '-dTextAlphaBits=4', `-sOutputFile=${join(folder, `${name}-%03d.png`)}`)).toBe('');
  run('-sDEVICE=txtwrite', `-sOutputFile=${join(folder, `${name}-%03d.txt`)}`);
  const files = (end: string): string[] => readdirSync(folder).filter((f) => f.startsWith(`${name}-`) && f.endsWith(end)).sort().map((f) => join(folder, f));
  return { pictures: files('.png'), texts: files('.txt').map((f) => readFileSync(f, 'utf8').replace(/\s+/g, ' ')) };
}

/** The page descriptions of a PDF, unpacked. */
function pageDescriptions(pdf: Uint8Array): string[] {
  const text = Buffer.from(pdf).toString('latin1');
  return [...text.matchAll(/\/Length ([0-9]+) >>\nstream\n/g)].map((m) => inflateSync(pdf.subarray(m.index + m[0].length, m.index + m[0].length + Number(m[1]))).toString());
}

/** What a reader has after the texts of these sheets. */
function carried(sheets: readonly (readonly string[])[]): Uint8Array | undefined {
  const reader = new UrReader();
  for (const text of sheets.flat()) reader.take(text);
  return reader.message;
}

describe('paper', () => {
  const message = bytes(3_100, 5);
  const sheet: Sheet = { title: 'Round 2 of ceremony (treasury)', lines: ['From carol, to everybody. Public.', `A line ${'that is longer than the page is wide '.repeat(4)}`], message };
  const pdf = sheetPdf(sheet);
  const count = paperParts(message).length;
  let pages: ReturnType<typeof pagesOf>;
  let read: string[][];
  beforeAll(() => {
    pages = pagesOf('sheets', pdf);
    read = pages.pictures.map((p) => zbar(p));
  });

  it('every part stands on two sheets, and no sheet holds a mixed part', () => {
    expect([pages.pictures.length, count]).toEqual([6, 15]);
    expect(read.map((r) => r.length)).toEqual([6, 6, 3, 6, 6, 3]);
    const parts = paperParts(message);
    for (const part of parts) expect(read.filter((r) => r.includes(part)).length).toBe(2);
    expect(new Set(read.flat())).toEqual(new Set(parts));
  });
  it('without any one sheet the message is complete; a set is enough by itself', () => {
    for (let lost = 0; lost < read.length; lost++) expect(carried(read.filter((_, i) => i !== lost))).toEqual(message);
    expect(carried(read.slice(0, 3))).toEqual(message);
    expect(carried(read.slice(3))).toEqual(message);
    // and these tests can tell: both sheets with the same codes are lost
    expect(carried(read.filter((_, i) => i % 3 !== 1))).toBeUndefined();
  });
  it('every sheet says its number, what it is, the digest, and how it is read back', () => {
    const digest = (createHash('sha256').update(message).digest('hex').match(/.{8}/g) ?? []).join(' ');
    const codes = ['codes 1 to 6', 'codes 7 to 12', 'codes 13 to 15'];
    expect(pages.texts.length).toBe(6);
    pages.texts.forEach((text, i) => {
      for (const words of [
        'Round 2 of ceremony (treasury)', 'From carol, to everybody. Public.', `A line ${'that is longer than the page is wide '.repeat(4)}`.trim(),
        `Sheet ${String(i + 1)} of 6. Set ${i < 3 ? 'A' : 'B'}, ${codes[i % 3] ?? ''} of 15.`, 'any one sheet may be lost',
        'Message: 3100 bytes, SHA-256', digest, 'mpc-ceremony qr scan PICTURE... --out FILE', 'sha256sum FILE must say the digest above', `code ${String((i % 3) * 6 + 1)} of 15`,
      ])
        expect(text).toContain(words);
    });
  });
  it('photographed badly, every code of a sheet is still read', () => {
    const path = join(folder, 'photo.jpg');
    convert(pages.pictures[0] as string, '-colorspace', 'Gray', '-background', 'gray87', '-rotate', '0.8', '-blur', '0x0.8', '-seed', '7', '-attenuate', '0.3', '+noise', 'Gaussian', '-quality', '60', path);
    expect(new Set(zbar(path))).toEqual(new Set(paperParts(message).slice(0, 6)));
  });
  it('the same facts give the same bytes, and there is no date in them', () => {
    expect(Buffer.compare(sheetPdf(sheet), pdf)).toBe(0);
    expect(Buffer.from(pdf).toString('latin1')).not.toMatch(/CreationDate|ModDate|Producer|\/ID/);
  });
  it('a message that one code holds is one code, on two sheets', () => {
    const small = bytes(150);
    const one = pagesOf('one', sheetPdf({ ...sheet, message: small }));
    const codes = one.pictures.map((p) => zbar(p));
    expect(codes).toEqual([paperParts(small), paperParts(small)]);
    expect([carried(codes.slice(0, 1)), carried(codes.slice(1))]).toEqual([small, small]);
    expect(one.texts[1]).toContain('Sheet 2 of 2. Set B, code 1 of 1.');
  });
  it('of every density the squares are wide enough, and the codes stay on the page and apart', () => {
    for (const version of [5, 13, 19, 23, 40]) {
      const pdf = sheetPdf({ ...sheet, version, message: bytes(2_000) });
      const size = Number(/\/BBox \[0 0 ([0-9]+) /.exec(Buffer.from(pdf).toString('latin1'))?.[1]);
      let codes = 0;
      for (const description of pageDescriptions(pdf)) {
        const placed = [...description.matchAll(/q ([0-9.]+) 0 0 ([0-9.]+) ([0-9.]+) ([0-9.]+) cm \/C/g)].map((m) => m.slice(1).map(Number));
        codes += placed.length;
        placed.forEach(([wide = 0, high = 0, x = 0, y = 0], i) => {
          expect([version, wide === high, wide >= (0.8 * 72) / 25.4 - 0.001]).toEqual([version, true, true]);
          // with its quiet zone it is inside the margins of 15 mm, and no other code touches it
          const zone = 4 * wide - 0.1;
          const side = size * wide;
          expect([version, x - zone >= 42.5, y - zone >= 42.5, x + side + zone <= 595.3 - 42.5, y + side + zone <= 841.9 - 42.5]).toEqual([version, true, true, true, true]);
          for (const [, , u = 0, v = 0] of placed.slice(i + 1)) expect([version, Math.abs(u - x) >= side + 2 * zone || Math.abs(v - y) >= side + 2 * zone]).toEqual([version, true]);
        });
      }
      expect(codes).toBe(2 * paperParts(bytes(2_000), version).length);
    }
    const dense = bytes(4_000, 9);
    const large = pagesOf('dense', sheetPdf({ ...sheet, message: dense, version: 19 }));
    expect(carried(large.pictures.slice(0, large.pictures.length / 2).map((p) => zbar(p)))).toEqual(dense);
  });
  it('characters outside ASCII are printed by number, and none breaks the page', () => {
    const odd = pagesOf('odd', sheetPdf({ title: 'a\\b) Tj ET (c', lines: ['Zo\u00eb \u202e\u4e2d', '((('], message: bytes(100) }));
    expect(odd.texts[0]).toContain('a\\b) Tj ET (c');
    expect(odd.texts[0]).toContain('Zo<U+00EB> <U+202E><U+4E2D>');
    expect(odd.texts[0]).toContain('(((');
  });
  it('not what would be a book, nor a text that leaves no room', () => {
    expect(refusal(() => sheetPdf({ ...sheet, message: bytes(100_000) }))).toBe('E_TOO_LARGE');
    expect(refusal(() => sheetPdf({ ...sheet, lines: Array.from({ length: 13 }, () => 'x') }))).toBe('E_TOO_LARGE');
    expect(MAX_SHEETS).toBe(100);
  });
});
