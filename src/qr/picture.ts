/**
 * What kind of picture some bytes are, how large it becomes when opened, and whether that is bearable: asked before
 * anything is allocated for it. A picture comes from a camera's card or a stranger's message, and its header may claim
 * anything.
 */
import { createInflate } from 'node:zlib';
import { fail } from '../wire/errors.ts';

export type PictureKind = 'png' | 'jpeg' | 'bmp' | 'gif';

/** Largest picture file. */
export const MAX_PICTURE_BYTES = 64 * 1024 * 1024;
/** Largest picture when opened: a photograph of 50 million pixels, a screenshot of 40 million. */
const MAX_OPENED_BYTES = 160 * 1024 * 1024;
const MAX_SIDE = 16_384;
/** A progressive JPEG is drawn over and over; cameras do it ten times. */
const MAX_JPEG_SCANS = 64;
/** No JPEG has more pixels a byte: a block of 64 takes a bit at least. */
const MAX_JPEG_RATIO = 512;

/** Kind of a picture by its first bytes, whatever its name says. */
export function pictureKind(bytes: Uint8Array): PictureKind | undefined {
  const begins = (...first: readonly number[]): boolean => first.every((b, i) => bytes[i] === b);
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  if (begins(0xff, 0xd8, 0xff)) return 'jpeg';
  if (begins(0x47, 0x49, 0x46, 0x38) && (bytes[4] === 0x37 || bytes[4] === 0x39) && bytes[5] === 0x61) return 'gif';
  // BM, then the length, then four zero bytes: two letters alone could be text
  if (begins(0x42, 0x4d) && bytes.length >= 10 && bytes.subarray(6, 10).every((b) => b === 0)) return 'bmp';
  return undefined;
}

const broken = (file: string, what: string): never =>
  fail('E_QR', `${file} is a damaged picture: ${what}`, { file, remedy: 'Take or copy the picture again.' });

/**
 * Refuses a size that no photograph or screenshot of a code needs.
 * @param bytes number of bytes that the opened picture takes
 * @returns its number of pixels
 * @throws E_TOO_LARGE, or E_QR for a side of 0
 */
function checkSize(file: string, width: number, height: number, bytes: number): number {
  if (width < 1 || height < 1) broken(file, `it claims ${String(width)} × ${String(height)} pixels`);
  if (width > MAX_SIDE || height > MAX_SIDE || bytes > MAX_OPENED_BYTES)
    fail('E_TOO_LARGE', `${file} claims ${String(width)} × ${String(height)} pixels`, { file, remedy: 'Make the picture smaller, or cut out the code.' });
  return width * height;
}

/** Counts what comes out of a deflate stream without keeping it, and stops when it is more than `limit`. */
async function inflatedBytes(parts: readonly Uint8Array[], limit: number): Promise<number> {
  const inflate = createInflate();
  return new Promise((resolve, reject) => {
    let total = 0;
    inflate.on('data', (chunk: Uint8Array) => {
      total += chunk.length;
      if (total > limit) {
        inflate.destroy();
        resolve(total);
      }
    });
    inflate.on('end', () => {
      resolve(total);
    });
    inflate.on('error', reject);
    for (const part of parts) inflate.write(part);
    inflate.end();
  });
}

/** Bytes of the seven passes of an interlaced PNG, or of the one of any other, with a filter byte for each row. */
function pngBytes(width: number, height: number, bitsPerPixel: number, interlaced: boolean): number {
  const pass = (w: number, h: number): number => (w < 1 || h < 1 ? 0 : h * (1 + Math.ceil((w * bitsPerPixel) / 8)));
  if (!interlaced) return pass(width, height);
  const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const;
  return PASSES.reduce((sum, [x, y, dx, dy]) => sum + pass(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)), 0);
}

async function checkPng(bytes: Uint8Array, file: string): Promise<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) broken(file, 'its header is missing');
  const [width, height, depth, color] = [view.getUint32(16), view.getUint32(20), bytes[24] as number, bytes[25] as number];
  const channels = [1, 0, 3, 1, 2, 0, 4][color] ?? 0;
  if (channels === 0 || ![1, 2, 4, 8, 16].includes(depth)) broken(file, 'its kind of pixels does not exist');
  // the reader widens small pixels to bytes, and colours of a palette to four of them
  const opened = width * height * Math.max((channels * depth) / 8, channels, color === 3 ? 4 : 1);
  const pixels = checkSize(file, width, height, opened);
  const expected = pngBytes(width, height, channels * depth, bytes[28] === 1);
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (length > bytes.length - at - 12) break;
    if (view.getUint32(at + 4) === 0x49444154) parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const inside = await inflatedBytes(parts, expected).catch(() => broken(file, 'its pixels cannot be unpacked'));
  if (inside > expected) fail('E_TOO_LARGE', `${file} unpacks to more than its header says`, { file, remedy: 'Do not use this picture; ask its sender.' });
  if (inside < expected) broken(file, 'it is cut short');
  return pixels;
}

function checkJpeg(bytes: Uint8Array, file: string): number {
  const u16 = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  let pixels = 0;
  let scans = 0;
  for (let at = 2; at < bytes.length; ) {
    // to the next marker: in the pixels FF is followed by 00 or by a restart, and may be repeated before a marker
    const next = bytes.indexOf(0xff, at);
    if (next < 0) break;
    const marker = bytes[next + 1] ?? 0;
    at = next + (marker === 0xff ? 1 : 2);
    if (marker === 0xff || marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker === 0xd9) break;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width, components] = [u16(at + 3), u16(at + 5), bytes[at + 7] ?? 0];
      pixels = checkSize(file, width, height, width * height * components);
      if (pixels > MAX_JPEG_RATIO * bytes.length) broken(file, 'it is cut short');
    }
    if (marker === 0xda && ++scans > MAX_JPEG_SCANS) fail('E_TOO_LARGE', `${file} is drawn more than ${String(MAX_JPEG_SCANS)} times over`, { file });
    at += Math.max(u16(at), 2);
  }
  if (pixels === 0 || scans === 0) broken(file, 'its pixels are missing');
  return pixels;
}

function checkBmp(bytes: Uint8Array, file: string): number {
  if (bytes.length < 54) broken(file, 'its header is missing');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, header, width, height, bits] = [view.getUint32(10, true), view.getUint32(14, true), view.getInt32(18, true), Math.abs(view.getInt32(22, true)), view.getUint16(28, true)];
  if (header < 40) broken(file, 'its header is of a kind that is not read');
  const pixels = checkSize(file, width, height, width * height * 4);
  if (start + Math.ceil((width * bits) / 32) * 4 * height > bytes.length) broken(file, 'it is cut short');
  return pixels;
}

/**
 * Judges a PNG, JPEG or BMP from its headers, and a PNG by unpacking it without keeping it: in constant memory.
 * @param file its name, for the message
 * @returns its number of pixels
 * @throws E_TOO_LARGE when opening it would take too much memory or time, E_QR when it is damaged; both name the file
 */
export async function checkPicture(bytes: Uint8Array, kind: Exclude<PictureKind, 'gif'>, file: string): Promise<number> {
  if (bytes.length > MAX_PICTURE_BYTES) fail('E_TOO_LARGE', `${file} is larger than ${String(MAX_PICTURE_BYTES >> 20)} MiB`, { file });
  if (kind === 'png') return checkPng(bytes, file);
  return kind === 'jpeg' ? checkJpeg(bytes, file) : checkBmp(bytes, file);
}
