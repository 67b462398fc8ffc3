/** Codes in photographs, screenshots, GIFs and texts, and files that are made to hurt whoever opens them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import omggif from 'omggif';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { codeOf, type Modules } from '../../src/qr/code.ts';
import { codesInFile, fileKind } from '../../src/qr/read-file.ts';
import { framesOfGif } from '../../src/qr/read-gif.ts';
import { codesIn, codesInPixels, prepareReader } from '../../src/qr/read-image.ts';
import { codesInFileBytes, grayOf } from '../../src/qr/reader.ts';
import { codesInText } from '../../src/qr/typed.ts';
import { concat, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { photograph, seeded } from '../support/photo.ts';
import { ffmpeg, type Gray, grayBmp, grayPng, pngOf, sideBySide, y4mOf } from '../support/pictures.ts';

const text = (n: number, length = 560): string => `UR:BYTES/${String(n)}-72/${'LPADBBCSIECYVDIDATKPFEGHIHJTCX'.repeat(20).slice(n, n + length)}`;
const V13 = (n: number): Modules => codeOf(text(n), { ecc: 'low', version: 13 }).modules;
const small = (n: number): Modules => codeOf(`UR:BYTES/${String(n)}`, { ecc: 'low' }).modules;
/** A code as a screenshot: exact squares, with quiet zone. */
function screenshot(modules: Modules, scale = 4): Gray {
  const side = (modules.length + 8) * scale;
  const gray = new Uint8Array(side * side).fill(255);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) if (modules[Math.floor(y / scale) - 4]?.[Math.floor(x / scale) - 4] === true) gray[y * side + x] = 0;
  return { width: side, height: side, gray };
}
async function all(codes: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const code of codes) list.push(code);
  return list;
}
async function refusal(work: Promise<unknown>): Promise<CeremonyError> {
  const e = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(e instanceof CeremonyError)) throw new Error('not refused as it should be', { cause: e });
  return e;
}

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'read-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('pictures of a code', () => {
  const shot = (): Gray => photograph(V13(1), { seed: 1, width: 640, height: 640 });

  it('the reader is in the program: nothing is fetched', async () => {
    const fetched = vi.fn(() => {
      throw new Error('fetched');
    });
    vi.stubGlobal('fetch', fetched);
    vi.stubGlobal('XMLHttpRequest', fetched);
    try {
      // a module that is made anew, from the bytes that the program carries
      await prepareReader(Buffer.from((await import('embedded:reader-wasm')).default, 'base64'));
      expect(await codesInPixels(shot())).toEqual([text(1)]);
      expect(fetched).not.toHaveBeenCalled();
    } finally {
      vi.unstubAllGlobals();
    }
  });
  it('another WebAssembly than the reader is an error and not silence', async () => {
    await prepareReader(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    await expect(codesInPixels(shot())).rejects.toThrow();
    await prepareReader(Buffer.from((await import('embedded:reader-wasm')).default, 'base64'));
    expect(await codesInPixels(shot())).toEqual([text(1)]);
  });
  it('PNG, JPEG, BMP and GIF, told by content', async () => {
    const png = grayPng(shot());
    for (const [kind, bytes] of [['png', png], ['bmp', grayBmp(shot())], ['jpeg', ffmpeg(['-f', 'png_pipe', '-i', '-', '-q:v', '5', '-f', 'mjpeg', '-'], png)], ['gif', ffmpeg(['-f', 'png_pipe', '-i', '-', '-f', 'gif', '-'], png)]] as const) {
      expect([kind, await codesIn(bytes)]).toEqual([kind, [text(1)]]);
      expect([kind, await all(codesInFile('stick/IMG_0001', bytes))]).toEqual([kind, [text(1)]]);
      const path = join(dir, `${kind}.txt`);
      writeFileSync(path, bytes);
      expect([kind, await all(codesInFile(path))]).toEqual([kind, [text(1)]]);
    }
  });
  it('PNG with a palette, with 1 and 16 bits, interlaced', async () => {
    const { width, height, gray } = screenshot(small(1), 2);
    const path = join(dir, 'in.png');
    writeFileSync(path, grayPng({ width, height, gray }));
    for (const [name, options] of [['monob', []], ['gray16be', []], ['rgba', []], ['pal8', ['-vf', 'format=rgb24,split[a][b];[a]palettegen[p];[b][p]paletteuse']]] as const)
      expect([name, await codesIn(ffmpeg(['-i', path, ...options, '-pix_fmt', name, '-f', 'image2', '-c:v', 'png', '-']))]).toEqual([name, ['UR:BYTES/1']]);
    // seven passes, by hand
    const rows: number[] = [];
    for (const [x0, y0, dx, dy] of [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const)
      for (let y = y0; y < height; y += dy) {
        rows.push(0);
        for (let x = x0; x < width; x += dx) rows.push(gray[y * width + x] as number);
      }
    expect(await codesIn(pngOf({ width, height, interlaced: true }, deflateSync(Uint8Array.from(rows))))).toEqual(['UR:BYTES/1']);
  });
  it('several codes in one picture are all read', async () => {
    const table = sideBySide([1, 2, 3, 4, 5, 6].map((n) => screenshot(small(n))));
    expect((await codesIn(grayPng(table))).sort()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `UR:BYTES/${String(n)}`));
    expect((await codesIn(grayPng(photograph(sideBySide([1, 2, 3].map((n) => screenshot(V13(n)))), { seed: 9, width: 1600, height: 1200, degrees: 12 })))).sort()).toEqual([1, 2, 3].map((n) => text(n)));
  });
  it('white on black, mirrored and turned', async () => {
    const { width, height, gray } = screenshot(V13(1), 3);
    expect(await codesInPixels({ width, height, gray: gray.map((g) => 255 - g) })).toEqual([text(1)]);
    expect(await codesInPixels({ width, height, gray: gray.map((_, i) => gray[i - (i % width) + width - 1 - (i % width)] as number) })).toEqual([text(1)]);
    for (const degrees of [45, 90, 180, 233]) expect([degrees, await codesInPixels(photograph(V13(2), { seed: 3, degrees, fill: 0.65 }))]).toEqual([degrees, [text(2)]]);
  });
  it('pixels in colour', async () => {
    const { width, height, gray } = screenshot(small(1));
    const rgba = new Uint8ClampedArray(4 * gray.length);
    gray.forEach((g, i) => rgba.set([g, g === 0 ? 60 : 255, g, 255], 4 * i));
    expect(await codesInPixels({ width, height, rgba })).toEqual(['UR:BYTES/1']);
    expect(grayOf({ width: 1, height: 2, rgba: Uint8Array.of(255, 255, 255, 0, 255, 0, 0, 255) }).gray).toEqual(Uint8Array.of(255, 76));
  });
  it('no code is an empty list', async () => {
    expect(await codesInPixels(photograph([[true]], { seed: 4 }))).toEqual([]);
    expect(await all(codesInFile('empty.png', grayPng({ width: 3, height: 3, gray: new Uint8Array(9) })))).toEqual([]);
  });
  it('at least 27 of 28 photographs of 720 rows (95 %): turned, tilted, unsharp, noisy, as JPEG', async () => {
    const read = { plain: 0, tilted: 0, compressed: 0, poor: 0 };
    for (let seed = 0; seed < 7; seed++) {
      const modules = V13(seed + 1);
      for (const [name, shot] of [['plain', {}], ['tilted', { tilt: 0.12 }], ['compressed', { jpeg: 50 }], ['poor', { blur: 1.3, noise: 16, tilt: 0.06 }]] as const)
        if ((await codesInPixels(photograph(modules, { seed, ...shot }), 'moving'))[0] === text(seed + 1)) read[name]++;
    }
    expect(Object.values(read).reduce((a, b) => a + b) >= 27, JSON.stringify(read)).toBe(true);
  });
  it('a photograph is the same for the same seed, another for another, and can be too poor to read', async () => {
    const [one, again, other] = [5, 5, 6].map((seed) => Buffer.from(photograph(V13(1), { seed, width: 640, height: 480 }).gray)) as [Buffer, Buffer, Buffer];
    expect(one.equals(again)).toBe(true);
    expect(one.equals(other)).toBe(false);
    expect(await codesInPixels(photograph(V13(1), { seed: 5, blur: 5, width: 640, height: 480 }))).toEqual([]);
  });
});

describe('animated GIFs', () => {
  /** What another reader of GIFs makes of it, on white. */
  function reference(bytes: Uint8Array): Uint8Array[] {
    const gif = new omggif.GifReader(bytes);
    const screen = new Uint8Array(4 * gif.width * gif.height).fill(255);
    return Array.from({ length: gif.numFrames() }, (_, n) => {
      const before = screen.slice();
      gif.decodeAndBlitFrameRGBA(n, screen);
      const shown = grayOf({ width: gif.width, height: gif.height, rgba: screen }).gray;
      const { x, y, width, height, disposal } = gif.frameInfo(n);
      if (disposal === 3) screen.set(before);
      if (disposal === 2) for (let row = y; row < y + height; row++) screen.fill(255, 4 * (row * gif.width + x), 4 * (row * gif.width + x + width));
      return shown;
    });
  }
  const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean => a.length === b.length && a.every((frame, i) => Buffer.compare(frame, b[i] as Uint8Array) === 0);
  const frames = (bytes: Uint8Array): Uint8Array[] => Array.from(framesOfGif(bytes), (f) => f.gray.slice());

  it('every frame, with what stays, gives way, is cleared and shines through: as another reader sees it', () => {
    const random = seeded(7);
    const below = (n: number): number => Math.floor(random() * n);
    for (let trial = 0; trial < 30; trial++) {
      const [width, height, colors] = [5 + below(60), 5 + below(60), 2 ** (1 + below(8))];
      const buffer = new Uint8Array(400_000);
      const palette = Array.from({ length: colors }, () => below(1 << 24));
      const gif = new omggif.GifWriter(buffer, width, height, { palette });
      for (let n = 0; n < 6; n++) {
        const [x, y] = [below(width), below(height)];
        const [w, h] = [1 + below(width - x), 1 + below(height - y)];
        const run = 1 + below(9);
        let color = 0;
        const pixels = Uint8Array.from({ length: w * h }, (_, i) => (color = i % run === 0 ? below(colors) : color));
        gif.addFrame(x, y, w, h, pixels, { delay: 10, disposal: below(4), ...(below(2) === 0 ? { transparent: below(colors) } : {}) } as { delay: number });
      }
      const bytes = buffer.slice(0, gif.end());
      expect(same(frames(bytes), reference(bytes))).toBe(true);
    }
  });
  it('made by another program: only what changes is stored; interlaced', async () => {
    const pictures = [1, 2, 3, 4, 5].map((n) => screenshot(small(n)));
    const bytes = ffmpeg(['-f', 'yuv4mpegpipe', '-i', '-', '-f', 'gif', '-'], y4mOf(pictures, 5));
    expect(same(frames(bytes), reference(bytes))).toBe(true);
    expect(new Set(await all(codesInFile('a.gif', bytes)))).toEqual(new Set([1, 2, 3, 4, 5].map((n) => `UR:BYTES/${String(n)}`)));
    expect(await codesIn(bytes)).toEqual(['UR:BYTES/1']);

    // the rows of a stored picture in the order of the four passes, told so
    const { width, height, gray } = screenshot(small(9));
    const order = [[0, 8], [4, 8], [2, 4], [1, 2]].flatMap(([start, step]) => Array.from({ length: Math.ceil((height - (start as number)) / (step as number)) }, (_, i) => (start as number) + i * (step as number)));
    const buffer = new Uint8Array(200_000);
    const gif = new omggif.GifWriter(buffer, width, height, { palette: [0, 0xffffff] });
    gif.addFrame(0, 0, width, height, concat(...order.map((y) => gray.subarray(y * width, (y + 1) * width).map((g) => (g === 0 ? 0 : 1)))));
    const woven = buffer.slice(0, gif.end());
    expect(same(frames(woven), [gray])).toBe(false);
    const descriptor = woven.indexOf(0x2c, 19);
    woven[descriptor + 9] = (woven[descriptor + 9] as number) | 0x40;
    expect(same(frames(woven), [gray])).toBe(true);
    expect(same(frames(woven), reference(woven))).toBe(true);
  });
  it('a lost end still gives the frames before it', async () => {
    const bytes = ffmpeg(['-f', 'yuv4mpegpipe', '-i', '-', '-f', 'gif', '-'], y4mOf([1, 2, 3].map((n) => screenshot(small(n))), 5));
    const codes = await all(codesInFile('a.gif', bytes.subarray(0, Math.floor(bytes.length * 0.7))));
    expect(codes).toContain('UR:BYTES/1');
    expect(codes).not.toContain('UR:BYTES/3');
  });
  it('one whose codes refer to each other in a ring ends', () => {
    // the reader that is the reference here never comes back from these 93 bytes
    const ring = Buffer.from('47494638396164006400800000000000ffffff2c000000006400640000023ca00087fbf7479cb86dfe747d23673f277d1165c449300a6d97cc4b34a88bc231b874c5fe3dc12752693f26b99320430c9fdd3dfdb7664dadf3ecb1eb003b', 'hex');
    expect(frames(ring).length).toBe(1);
    const random = seeded(13);
    for (let n = 0; n < 2000; n++) {
      for (let i = 31; i < 91; i++) ring[i] = Math.floor(random() * 256);
      expect(frames(ring).length).toBe(1);
    }
  });
  it('refuses sizes, numbers of frames and forms that no code needs', async () => {
    const head = (width: number, height: number): Uint8Array => concat(utf8('GIF89a'), Uint8Array.of(width & 255, width >> 8, height & 255, height >> 8, 0x80, 0, 0, 0, 0, 0, 255, 255, 255));
    // a frame with nothing in it
    const frame = (width: number, height: number): Uint8Array => Uint8Array.of(0x2c, 0, 0, 0, 0, width & 255, width >> 8, height & 255, height >> 8, 0, 2, 1, 0x2c, 0);
    const many = (count: number, one: Uint8Array): Uint8Array => concat(...Array.from({ length: count }, () => one));
    const run = (bytes: Uint8Array): number => [...framesOfGif(bytes, 'x.gif')].length;
    const code = (bytes: Uint8Array): string => {
      try {
        return String(run(bytes));
      } catch (e) {
        if (!(e instanceof CeremonyError) || !e.message.includes('x.gif') || e.facts.file !== 'x.gif') throw e;
        return e.code;
      }
    };
    expect(code(concat(head(10, 10), frame(10, 10), Uint8Array.of(0x3b)))).toBe('1');
    expect(code(concat(head(65535, 65535), frame(10, 10)))).toBe('E_TOO_LARGE');
    expect(code(concat(head(10, 10), frame(65535, 65535)))).toBe('E_TOO_LARGE');
    expect(code(concat(head(1, 1), many(8193, frame(1, 1))))).toBe('E_TOO_LARGE');
    expect(code(concat(head(1, 1), many(8191, frame(1, 1)), Uint8Array.of(0x3b)))).toBe('8191');
    expect(code(head(10, 10))).toBe('E_QR');
    expect(code(concat(head(0, 10), frame(1, 1)))).toBe('E_QR');
    expect(code(concat(head(10, 10), Uint8Array.of(0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 99, 0)))).toBe('E_QR');
    // the sum of all pixels: frames of the largest size
    const large = framesOfGif(concat(head(4096, 4096), many(600, frame(1, 1))), 'x.gif');
    let shown = 0;
    expect(() => {
      for (const _ of large) shown++;
    }).toThrow(/too many frames/);
    // some seconds' work, and those of an honest GIF: 1000 frames of 1000 x 1000
    expect([shown > 100, shown < 130]).toEqual([true, true]);
    expect(code(concat(head(1000, 1000), many(1000, frame(1, 1)), Uint8Array.of(0x3b)))).toBe('1000');
  });
});

describe('texts', () => {
  it('one code a line, as a scanner types', async () => {
    const typed = 'UR:BYTES/1-2/AEADAO\r\nur:bytes/2-2/aead\n\n  UR:BYTES/9  \n';
    const codes = ['UR:BYTES/1-2/AEADAO', 'ur:bytes/2-2/aead', 'UR:BYTES/9'];
    expect(await all(codesInFile('typed.txt', utf8(typed)))).toEqual(codes);
    expect(await all(codesInFile('typed.txt', concat(Uint8Array.of(0xef, 0xbb, 0xbf), utf8(typed))))).toEqual(codes);
    // as some editors save
    expect(await all(codesInFile('typed.txt', concat(Uint8Array.of(0xff, 0xfe), new Uint8Array(Buffer.from(typed, 'utf16le')))))).toEqual(codes);
    const path = join(dir, 'typed.png');
    writeFileSync(path, typed);
    expect(await all(codesInFile(path))).toEqual(codes);
  });
  it('without Enter between them, and with other lines', () => {
    expect(codesInText('UR:BYTES/1-2/AEUR:BYTES/2-2/AD')).toEqual(['UR:BYTES/1-2/AE', 'UR:BYTES/2-2/AD']);
    expect(codesInText('Dear all,\nUR:BYTES/AE\nyours')).toEqual(['UR:BYTES/AE']);
    expect(codesInText('')).toEqual([]);
    expect(codesInText('xxur:ur:a\tUR:B ur')).toEqual(['ur:', 'ur:a', 'UR:B']);
    expect(codesInText('ur:a ur:b ur:c', 2)).toEqual(['ur:a', 'ur:b']);
    // one word of many megabytes, and many words of few letters
    const long = 'ur:'.padEnd(8_000_000, 'a');
    expect(codesInText(long)).toEqual([long]);
    expect(codesInText('ur:'.repeat(2_000_000), 3)).toEqual(['ur:', 'ur:', 'ur:']);
  });
  it('more codes than any four messages have are refused before the first is taken', async () => {
    const lines = (count: number): Uint8Array => utf8(Array.from({ length: count }, (_, i) => `UR:BYTES/${String(i + 1)}-4096/AE`).join('\n'));
    expect(await refusal(all(codesInFile('x.txt', lines(16_385))))).toMatchObject({ code: 'E_TOO_LARGE', facts: { file: 'x.txt' } });
    expect(await all(codesInFile('x.txt', lines(16_384)))).toHaveLength(16_384);
  });
  it('reading ends between two codes when its signal says so, and lets everything else run meanwhile', async () => {
    const leaving = new AbortController();
    setImmediate(() => {
      leaving.abort();
    });
    let taken = 0;
    for await (const _ of codesInFile('x.txt', utf8('UR:BYTES/AE\n'.repeat(2000)), { signal: leaving.signal })) {
      taken++;
      // a reader that is busy with each
      for (const until = performance.now() + 2; performance.now() < until; );
    }
    expect([taken > 0, taken < 2000]).toEqual([true, true]);
  });
  it('a text without a code is refused, since somebody meant another file', async () => {
    expect(await refusal(all(codesInFile('notes.txt', utf8('hello\n'))))).toMatchObject({ code: 'E_QR', facts: { file: 'notes.txt' } });
    expect(await refusal(all(codesInFile('notes.txt', new Uint8Array(0))))).toMatchObject({ code: 'E_QR' });
  });
});

describe('files that are no picture, or one that hurts', () => {
  const HUGE = 200 * 1024 * 1024;
  const bomb = (): Uint8Array => pngOf({ width: 1000, height: 1000 }, deflateSync(new Uint8Array(HUGE), { level: 1 }));

  it('claims of 60 000 × 60 000 pixels', async () => {
    const bmp = grayBmp(screenshot(small(1)));
    new DataView(bmp.buffer).setInt32(18, 60_000, true);
    new DataView(bmp.buffer).setInt32(22, -60_000, true);
    const jpeg = (width: number, height: number, length = 200): Uint8Array =>
      concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0), new Uint8Array(length), Uint8Array.of(0xff, 0xd9));
    const cases = {
      png: [pngOf({ width: 60_000, height: 60_000 }, deflateSync(new Uint8Array(1000))), 'E_TOO_LARGE'],
      // 16 bits of four channels: within the sides, not within the memory
      deep: [pngOf({ width: 9000, height: 9000, depth: 16, color: 6 }, deflateSync(new Uint8Array(1000))), 'E_TOO_LARGE'],
      bmp: [bmp, 'E_TOO_LARGE'],
      jpeg: [jpeg(60_000, 60_000), 'E_TOO_LARGE'],
      // within the limits, but so few bytes cannot be so many pixels
      thin: [jpeg(8000, 6000), 'E_QR'],
      flat: [pngOf({ width: 0, height: 5 }, deflateSync(new Uint8Array(5))), 'E_QR'],
      odd: [pngOf({ width: 5, height: 5, color: 5 }, deflateSync(new Uint8Array(50))), 'E_QR'],
      scans: [concat(jpeg(64, 64).subarray(0, -2), ...Array.from({ length: 100 }, () => Uint8Array.of(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1)), Uint8Array.of(0xff, 0xd9)), 'E_TOO_LARGE'],
    } as const;
    for (const [name, [bytes, code]] of Object.entries(cases)) {
      const e = await refusal(codesIn(bytes, `${name}.x`));
      expect([name, e.code, e.facts.file, e.message.includes(`${name}.x`)]).toEqual([name, code, `${name}.x`, true]);
    }
  });
  it('pixels that unpack to two hundred times what the header says: refused, memory flat', async () => {
    const bytes = bomb();
    await codesIn(grayPng(screenshot(small(1))));
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 10; i++) expect((await refusal(codesIn(bytes, 'bomb.png'))).code).toBe('E_TOO_LARGE');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
  it('a picture that is cut short, by any length', async () => {
    const files = { png: grayPng(screenshot(small(1))), bmp: grayBmp(screenshot(small(1))) };
    for (const [name, bytes] of Object.entries(files))
      for (const share of [0.01, 0.1, 0.5, 0.9, 0.97]) {
        const e = await refusal(codesIn(bytes.subarray(0, Math.ceil(bytes.length * share)), name));
        expect([name, share, e.code]).toEqual([name, share, 'E_QR']);
      }
  });
  it('a scan of 30 million pixels is read; its memory is given back, since a module of WebAssembly only grows', async () => {
    await codesInPixels(screenshot(small(2)));
    // a sheet of A4 at 600 points an inch: three codes across
    const codes = sideBySide([1, 2, 3].map((n) => screenshot(V13(n), 18)));
    const scan = { width: codes.width, height: 7000, gray: new Uint8Array(codes.width * 7000).fill(255) };
    scan.gray.set(codes.gray);
    const made = vi.spyOn((globalThis as unknown as { WebAssembly: { instantiate: () => unknown } }).WebAssembly, 'instantiate');
    try {
      expect(await codesInPixels(screenshot(small(2)))).toEqual(['UR:BYTES/2']);
      expect(made).not.toHaveBeenCalled();
      expect((await codesIn(grayPng(scan))).sort()).toEqual([1, 2, 3].map((n) => text(n)));
      expect(made).not.toHaveBeenCalled();
      expect(await codesInPixels(screenshot(small(2)))).toEqual(['UR:BYTES/2']);
      expect(made).toHaveBeenCalledTimes(1);
    } finally {
      made.mockRestore();
    }
  });
  it('damaged at random: a code, no code or a refusal that names the file, and the next picture is read as before', async () => {
    const random = seeded(11);
    const shot = screenshot(small(1));
    const png = grayPng(shot);
    const files = [png, grayBmp(shot), ffmpeg(['-f', 'png_pipe', '-i', '-', '-f', 'mjpeg', '-'], png), ffmpeg(['-f', 'png_pipe', '-i', '-', '-f', 'gif', '-'], png)];
    const outcomes = new Map<string, number>();
    for (let n = 0; n < 400; n++) {
      const bytes = (files[n % files.length] as Uint8Array).slice();
      const header = n % 3 === 0 ? 64 : bytes.length;
      for (let k = 0; k <= n % 5; k++) bytes[Math.floor(random() * Math.min(header, bytes.length))] = Math.floor(random() * 256);
      const outcome = await all(codesInFile('damaged', bytes)).then(
        (codes) => (codes.length === 0 ? 'none' : codes.join()),
        (e: unknown) => {
          if (!(e instanceof CeremonyError) || e.facts.file !== 'damaged') throw e;
          return e.code;
        },
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].filter((k) => !['none', 'UR:BYTES/1', 'E_QR', 'E_TOO_LARGE'].includes(k))).toEqual([]);
    expect(outcomes.get('E_QR')).toBeGreaterThan(50);
    expect(await codesIn(png)).toEqual(['UR:BYTES/1']);
  });
  it('random bytes, with and without the beginning of something', async () => {
    const random = seeded(12);
    const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256));
    expect(await refusal(all(codesInFile('noise.bin', noise(5000))))).toMatchObject({ code: 'E_QR', facts: { file: 'noise.bin' } });
    for (const begin of ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'GIF89a', 'BM\0\0\0\0\0\0\0\0'])
      for (let n = 0; n < 20; n++) {
        const e = await refusal(codesIn(concat(Uint8Array.from(begin, (c) => c.charCodeAt(0)), noise(3000)), 'noise.png'));
        expect(['E_QR', 'E_TOO_LARGE']).toContain(e.code);
        expect(e.facts.file).toBe('noise.png');
      }
  });
  it('what cannot be read at all', async () => {
    mkdirSync(join(dir, 'folder'));
    expect(await refusal(all(codesInFile(join(dir, 'absent.png'))))).toMatchObject({ code: 'E_IO', facts: { file: join(dir, 'absent.png') } });
    expect(await refusal(all(codesInFile(join(dir, 'folder'))))).toMatchObject({ code: 'E_IO' });
    expect(await refusal(codesInPixels({ width: 10, height: 10, gray: new Uint8Array(99) }))).toMatchObject({ code: 'E_QR' });
    expect(await refusal(codesInPixels({ width: 10, height: 10, rgba: new Uint8Array(399) }))).toMatchObject({ code: 'E_QR' });
    await prepareReader();
    expect(await codesInFileBytes(utf8('no picture'), 10)).toBeUndefined();
  });
  it('knows a kind by its first bytes', () => {
    expect(fileKind(utf8('UR:BYTES/AE'))).toBe('text');
    expect(fileKind(utf8('BMW is no picture'))).toBe('text');
    expect(fileKind(concat(Uint8Array.of(0, 0, 0, 24), utf8('ftypisom')))).toEqual({ demuxer: 'mov' });
    expect(fileKind(Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0))).toEqual({ demuxer: 'matroska' });
    expect(fileKind(utf8('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00'))).toBeUndefined();
  });
});
