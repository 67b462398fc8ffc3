/** Codes as pictures and on paper, read by zbar after other people's programs have opened the files: ImageMagick, Ghostscript. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import omggif from 'omggif';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, fragmentFor, textCapacity } from '../../src/qr/code.ts';
import { codesGif } from '../../src/qr/gif.ts';
import { MAX_SHEETS, MIN_SQUARE, paperParts, type Sheet, sheetPdf } from '../../src/qr/pdf.ts';
import { codePng } from '../../src/qr/png.ts';
import { rasterOf } from '../../src/qr/raster.ts';
import { codeSvg } from '../../src/qr/svg.ts';
import { UrReader, urSender } from '../../src/qr/ur.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { convert, tool, zbar } from '../support/emulator.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'draw-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (n: number, salt = 0): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 167 + (i >> 8) * 31 + salt) & 0xff);
const full = (version: number): string => Array.from({ length: textCapacity(version, 'low') }, (_, i) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'[(i * i * (i + 1) + i) % 36]).join('');

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

describe('PNG', () => {
  it('is read, at every scale and with the least quiet zone', () => {
    const texts = [5, 13, 20, 27].map(full);
    const pictures = texts.flatMap((text, i) => [[3, 4], [8, 4], [5, 2]].map(([scale = 0, border = 0]) => ({ text, path: put(`${String(i)}-${String(scale)}-${String(border)}.png`, codePng(codeOf(text, { ecc: 'low' }).modules, { scale, border })) })));
    expect(zbar(...pictures.map((p) => p.path))).toEqual(pictures.map((p) => p.text));
  });
  it('has the pixels of the code and nothing else in it', () => {
    const { modules } = codeOf(full(6), { ecc: 'low' });
    const png = codePng(modules, { scale: 3, border: 1 });
    const types: string[] = [];
    for (let at = 8; at < png.length; at += 12 + new DataView(png.buffer, png.byteOffset).getUint32(at)) types.push(String.fromCharCode(...png.subarray(at + 4, at + 8)));
    expect(types).toEqual(['IHDR', 'IDAT', 'IEND']);
    convert(`png:${put('pixels.png', png)}`, '-depth', '8', `gray:${join(folder, 'pixels.gray')}`);
    const { pixels } = rasterOf(modules, { scale: 3, border: 1 });
    expect(Buffer.from(readFileSync(join(folder, 'pixels.gray'))).equals(Buffer.from(pixels.map((p) => (p === 1 ? 0 : 255))))).toBe(true);
    expect(codePng(modules, { scale: 3, border: 1 })).toEqual(png);
  });
  it('no size that is no size', () => {
    const { modules } = codeOf('A', { ecc: 'low' });
    for (const raster of [{ scale: 0 }, { scale: 65 }, { scale: 1.5 }, { border: -1 }, { border: 17 }, { border: 0.5 }]) expect(refusal(() => codePng(modules, raster))).toBe('E_INTERNAL');
  });
});

describe('SVG', () => {
  it.each([6, 20])('version %i is read once it has been drawn', (version) => {
    const svg = codeSvg(codeOf(full(version), { ecc: 'low' }).modules);
    convert(`svg:${put('code.svg', svg)}`, `png:${join(folder, 'svg.png')}`);
    expect(zbar(join(folder, 'svg.png'))).toEqual([full(version)]);
    expect(codeSvg(codeOf(full(version), { ecc: 'low' }).modules)).toBe(svg);
  });
  it('loads nothing and runs nothing', () => {
    expect(codeSvg(codeOf(full(5), { ecc: 'low' }).modules).replace('http://www.w3.org/2000/svg', '')).not.toMatch(/script|href|url|http|style|<!/i);
  });
});

describe('GIF', () => {
  const message = bytes(2_500);
  const sender = urSender(message, fragmentFor(10, 'low', message.length));
  const texts = Array.from({ length: sender.count + 5 }, (_, i) => sender.part(i + 1));
  const frames = texts.map((t) => codeOf(t, { ecc: 'low', version: 10 }).modules);
  const gif = codesGif(frames, { scale: 4, fps: 8 });

  it('its first frame and all others are read, each whole by itself', () => {
    const path = put('codes.gif', gif);
    convert(`gif:${path}[0]`, `png:${join(folder, 'first.png')}`);
    expect(zbar(join(folder, 'first.png'))).toEqual([texts[0]]);
    convert(`gif:${path}`, `png:${join(folder, 'frame-%03d.png')}`);
    const all = readdirSync(folder).filter((f) => f.startsWith('frame-')).sort();
    expect(zbar(...all.map((f) => join(folder, f)))).toEqual(texts);
    const reader = new UrReader();
    for (const text of texts) reader.take(text);
    expect(reader.message).toEqual(message);
  });
  it('goes round for ever at the speed asked for', () => {
    const read = new omggif.GifReader(gif);
    expect([read.numFrames(), read.loopCount(), read.width, read.height]).toEqual([texts.length, 0, 260, 260]);
    expect(texts.map((_, i) => read.frameInfo(i).delay)).toEqual(texts.map(() => 13));
    expect(new omggif.GifReader(codesGif(frames, { fps: 20 })).frameInfo(1).delay).toBe(5);
    expect(codesGif(frames, { scale: 4, fps: 8 })).toEqual(gif);
  });
  it('one code stands still', () => {
    const read = new omggif.GifReader(codesGif(frames.slice(0, 1)));
    expect([read.numFrames(), read.loopCount(), read.frameInfo(0).delay]).toEqual([1, null, 0]);
  });
  it('of the largest codes it is what its pixels are', () => {
    const large = [full(40), [...full(40)].reverse().join('')].map((t) => codeOf(t, { ecc: 'low' }).modules);
    const read = new omggif.GifReader(codesGif(large, { scale: 5 }));
    large.forEach((modules, i) => {
      const { side, pixels } = rasterOf(modules, { scale: 5 });
      const rgba = new Uint8Array(side * side * 4);
      read.decodeAndBlitFrameRGBA(i, rgba);
      expect(pixels.every((p, at) => rgba[4 * at] === (p === 1 ? 0 : 255))).toBe(true);
    });
  });
  it('not of nothing, nor of codes of two sizes, nor at a speed that no screen shows', () => {
    for (const work of [() => codesGif([]), () => codesGif([...frames, codeOf('A', { ecc: 'low' }).modules]), () => codesGif(frames, { fps: 0 }), () => codesGif(frames, { fps: 26 }), () => codesGif(frames, { fps: Number.NaN })])
      expect(refusal(work)).toBe('E_INTERNAL');
  });
});

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
  it('photographed badly, every code is still read', () => {
    const damaged = pages.pictures.slice(0, 3).map((p, i) => {
      const path = join(folder, `photo-${String(i)}.jpg`);
      convert(p, '-background', '#ddd', '-rotate', '0.8', '-blur', '0x0.8', '-seed', '7', '-attenuate', '0.3', '+noise', 'Gaussian', '-quality', '60', path);
      return zbar(path);
    });
    expect(carried(damaged)).toEqual(message);
  });
  it('the same facts give the same bytes, and there is no date in them', () => {
    expect(sheetPdf(sheet)).toEqual(pdf);
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
    for (const version of [5, 10, 13, 19, 23, 27, 40]) {
      // the page's own description, before it is packed
      const placed = pageDescriptions(sheetPdf({ ...sheet, version, message: bytes(2_000) })).flatMap((text) => [...text.matchAll(/q ([0-9.]+) 0 0 ([0-9.]+) ([0-9.]+) ([0-9.]+) cm \/C/g)].map((m) => m.slice(1).map(Number)));
      expect(placed.length).toBeGreaterThan(0);
      for (const [wide = 0, high = 0, x = 0, y = 0] of placed) {
        expect(wide).toBe(high);
        expect(wide).toBeGreaterThanOrEqual((MIN_SQUARE * 72) / 25.4 - 0.001);
        expect([x >= 42, y >= 42]).toEqual([true, true]);
      }
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
