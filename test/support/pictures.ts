/** Picture and video files for the tests of reading: small writers, and ffmpeg for what is made elsewhere. */
import { spawnSync } from 'node:child_process';
import { deflateSync, crc32 } from 'node:zlib';
import { concat, u32, utf8 } from '../../src/wire/bytes.ts';

export interface Gray {
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
}

export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = concat(utf8(type), data);
  return concat(u32(data.length), body, u32(crc32(body)));
}

/** A PNG whose header says what it is told, whatever its pixels are. */
export function pngOf(header: { width: number; height: number; depth?: number; color?: number; interlaced?: boolean }, packed: Uint8Array): Uint8Array {
  const head = concat(u32(header.width), u32(header.height), Uint8Array.of(header.depth ?? 8, header.color ?? 0, 0, 0, header.interlaced === true ? 1 : 0));
  return concat(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), pngChunk('IHDR', head), pngChunk('IDAT', packed), pngChunk('IEND', new Uint8Array(0)));
}

/** A picture as PNG, 8 bits gray. */
export function grayPng({ width, height, gray }: Gray): Uint8Array {
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(gray.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return pngOf({ width, height }, deflateSync(rows, { level: 1 }));
}

/** An uncompressed BMP of 24 bits. */
export function grayBmp({ width, height, gray }: Gray): Uint8Array {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const out = new Uint8Array(54 + stride * height);
  const view = new DataView(out.buffer);
  out.set(utf8('BM'));
  view.setUint32(2, out.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) out.fill(gray[(height - 1 - y) * width + x] as number, 54 + y * stride + 3 * x, 57 + y * stride + 3 * x);
  return out;
}

/** A picture with its middle at the top left of a larger white one, and others beside it: several codes on one table. */
export function sideBySide(pictures: readonly Gray[]): Gray {
  const [width, height] = [pictures.reduce((n, p) => n + p.width, 0), Math.max(...pictures.map((p) => p.height))];
  const gray = new Uint8Array(width * height).fill(255);
  let left = 0;
  for (const p of pictures) {
    for (let y = 0; y < p.height; y++) gray.set(p.gray.subarray(y * p.width, (y + 1) * p.width), y * width + left);
    left += p.width;
  }
  return { width, height, gray };
}

/**
 * An uncompressed video, YUV4MPEG2 with gray in colour 4:2:0, which browsers and ffmpeg read; width and height even.
 * Each picture stays for `hold` frames.
 */
export function y4mOf(pictures: readonly Gray[], fps: number, hold = 1): Uint8Array {
  const [first] = pictures;
  if (first === undefined) throw new Error('a video without pictures');
  const { width, height } = first;
  const head = utf8(`YUV4MPEG2 W${String(width)} H${String(height)} F${String(fps)}:1 Ip A1:1 C420jpeg\n`);
  const frame = utf8('FRAME\n');
  const pixels = width * height;
  const size = frame.length + pixels + pixels / 2;
  const out = new Uint8Array(head.length + pictures.length * hold * size).fill(128);
  out.set(head);
  let at = head.length;
  for (const picture of pictures)
    for (let n = 0; n < hold; n++) {
      out.set(frame, at);
      out.set(picture.gray, at + frame.length);
      at += size;
    }
  return out;
}

/** Runs ffmpeg, which the tests of videos need as the program does. */
export function ffmpeg(args: readonly string[], input?: Uint8Array): Uint8Array {
  const run = spawnSync('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args].filter((a) => a !== '-nostdin' || input === undefined), {
    ...(input === undefined ? {} : { input }),
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.error) throw new Error('ffmpeg is missing; the tests of videos need it (Debian: apt install ffmpeg)', { cause: run.error });
  if (run.status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${run.stderr.toString()}`);
  return new Uint8Array(run.stdout);
}
