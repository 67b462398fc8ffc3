/** Codes as pictures, read by zbar, and opened by ImageMagick where zbar does not. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import omggif from 'omggif';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, fragmentFor, textCapacity } from '../../src/qr/code.ts';
import { codesGif } from '../../src/qr/gif.ts';
import { codePng } from '../../src/qr/png.ts';
import { rasterOf } from '../../src/qr/raster.ts';
import { codeSvg } from '../../src/qr/svg.ts';
import { UrReader, urSender } from '../../src/qr/ur.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { convert, zbar } from '../support/emulator.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'draw-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 167 + (i >> 8) * 31) & 0xff);
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
    const pictures = texts.flatMap((text, i) => [[3, 4], [6, 2]].map(([scale = 0, border = 0]) => ({ text, path: put(`${String(i)}-${String(scale)}-${String(border)}.png`, codePng(codeOf(text, { ecc: 'low' }).modules, { scale, border })) })));
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
  it.each([6, 13])('version %i is read once it has been drawn', (version) => {
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
  const gif = codesGif(frames, { scale: 3, fps: 8 });

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
    expect([read.numFrames(), read.loopCount(), read.width, read.height]).toEqual([texts.length, 0, 195, 195]);
    expect(texts.map((_, i) => read.frameInfo(i).delay)).toEqual(texts.map(() => 13));
    expect(new omggif.GifReader(codesGif(frames, { scale: 1, fps: 20 })).frameInfo(1).delay).toBe(5);
    expect(Buffer.compare(codesGif(frames, { scale: 3, fps: 8 }), gif)).toBe(0);
    // about as large as a screen shows it, unless asked otherwise
    expect([1, 10, 27, 40].map((version) => new omggif.GifReader(codesGif([codeOf('A', { ecc: 'low', version }).modules])).width)).toEqual([290, 585, 532, 555]);
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
