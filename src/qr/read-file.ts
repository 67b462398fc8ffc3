/**
 * The codes in a file, whatever it is: a photograph, a screenshot, an animated GIF, a video, or text with one code a line, as
 * a USB scanner types it. What a file is, its first bytes say; its name says nothing. Nothing read here is believed.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, onFile } from '../vault/io-error.ts';
import { fail } from '../wire/errors.ts';
import { Breath } from './breath.ts';
import { MAX_PICTURE_BYTES, pictureKind } from './picture.ts';
import { codesIn, codesInPixels } from './read-image.ts';
import { framesOfGif } from './read-gif.ts';
import type { GrayPicture } from './reader.ts';
import { framesOfVideo, type VideoOptions, type VideoSource } from './read-video.ts';
import { codesInText } from './typed.ts';
import { MAX_PARTS } from './ur.ts';

/** Largest text: a message of 4 MB, twice over. */
const MAX_TEXT_BYTES = 20 * 1024 * 1024;
/** Most codes in a text: those of four messages of the most parts. Every one costs the reader up to some milliseconds. */
const MAX_TEXT_CODES = 4 * MAX_PARTS;
/** How much of a file is looked at to tell what it is. */
const HEAD = 4096;

/** What a file is, as far as this program is concerned. */
export type FileKind = 'picture' | 'gif' | 'text' | { readonly demuxer: string };

/** What a file is by its first bytes (4096 are enough); undefined when it is nothing that can hold codes. */
export function fileKind(head: Uint8Array): FileKind | undefined {
  const picture = pictureKind(head);
  if (picture !== undefined) return picture === 'gif' ? 'gif' : 'picture';
  const text = String.fromCharCode(...head.subarray(0, 16));
  // ISO base media (MP4, MOV, 3GP, HEIC, AVIF), older QuickTime
  if (/^[^]{4}(?:ftyp|moov|mdat|wide|free|skip)/.test(text)) return { demuxer: 'mov' };
  if (text.startsWith('\x1a\x45\xdf\xa3')) return { demuxer: 'matroska' };
  if (/^RIFF[^]{4}AVI /.test(text)) return { demuxer: 'avi' };
  if (/^RIFF[^]{4}WEBP/.test(text)) return { demuxer: 'webp_pipe' };
  if (text.startsWith('OggS')) return { demuxer: 'ogg' };
  if (text.startsWith('FLV\x01')) return { demuxer: 'flv' };
  if (text.startsWith('YUV4MPEG2 ')) return { demuxer: 'yuv4mpegpipe' };
  if (text.startsWith('\x00\x00\x01\xba')) return { demuxer: 'mpeg' };
  if (head[0] === 0x47 && head[188] === 0x47) return { demuxer: 'mpegts' };
  if (text.startsWith('\x30\x26\xb2\x75\x8e\x66\xcf\x11')) return { demuxer: 'asf' };
  return decodeText(head) === undefined ? undefined : 'text';
}

/** Text of bytes that are text: UTF-8 or, with its mark, UTF-16; no control characters but white space. Only the beginning is judged. */
function decodeText(bytes: Uint8Array): string | undefined {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes);
  return /[\x00-\x08\x0e-\x1f\ufffd]/.test(text.slice(0, HEAD / 2)) ? undefined : text;
}

/** All codes in the frames, each time they are seen. */
async function* codesInFrames(frames: AsyncIterable<GrayPicture> | Iterable<GrayPicture>, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
  const breath = new Breath();
  let [inverted, found] = [false, false];
  for await (const frame of frames) {
    await breath.draw();
    if (signal?.aborted === true) return;
    // white on black is looked for in every second frame, while nothing else was found
    inverted = !inverted && !found;
    const codes = await codesInPixels(frame, inverted ? 'still' : 'moving');
    found ||= codes.length > 0;
    yield* codes;
  }
}

/** The codes that a camera sees, for as long as the caller asks for more; see {@link framesOfVideo} for errors. */
export function codesInCamera(camera: string, options: VideoOptions = {}): AsyncGenerator<string, void, undefined> {
  return codesInFrames(framesOfVideo({ camera }, options), options.signal);
}

async function* codesInBytes(bytes: Uint8Array, kind: Exclude<FileKind, object>, file: string, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
  if (kind === 'picture') return yield* await codesIn(bytes, file);
  if (kind === 'gif') return yield* codesInFrames(framesOfGif(bytes, file), signal);
  const codes = codesInText(decodeText(bytes) ?? '', MAX_TEXT_CODES + 1);
  if (codes.length === 0) fail('E_QR', `${file} is a text without a line that begins with UR:`, { file, remedy: 'Give what the scanner typed, a picture, or a video.' });
  if (codes.length > MAX_TEXT_CODES) fail('E_TOO_LARGE', `${file} holds more than ${String(MAX_TEXT_CODES)} codes`, { file, remedy: 'Cut out the part that belongs to one message.' });
  const breath = new Breath();
  for (const code of codes) {
    await breath.draw();
    if (signal?.aborted === true) return;
    yield code;
  }
}

/** Runs work on a file and translates what the system says. */
async function reading<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    return onFile('read', file, () => {
      throw cause;
    });
  }
}

async function head(handle: FileHandle, file: string): Promise<{ first: Uint8Array; size: number }> {
  const info = await handle.stat();
  if (!info.isFile()) fail('E_IO', `${file} is not a file`, { file, remedy: 'Give a picture, a video or a text.' });
  const buffer = new Uint8Array(HEAD);
  const { bytesRead } = await handle.read(buffer, 0, HEAD, 0);
  return { first: buffer.slice(0, bytesRead), size: info.size };
}

/**
 * The texts of all codes in a file, as they come: frames of a video may show one many times. Stop with `break` when enough
 * has been seen; ffmpeg is ended then. Every 50 ms of work the process looks at everything else, keys and signals among it.
 * @param file path of the file; with `bytes` only a name for messages
 * @param bytes what is in it, if it was read already (not for videos, which ffmpeg opens itself)
 * @param options its signal ends the reading between two frames or codes, and ffmpeg at once: nothing comes any more
 * @throws E_QR when the file is of no kind that can hold codes, or is damaged; E_TOO_LARGE when opening it would take too much
 *   memory or time; E_MISSING without ffmpeg for a video; E_IO when it cannot be read. All name the file. A picture without a code is
 *   no error: nothing comes
 */
export async function* codesInFile(file: string, bytes?: Uint8Array, options: VideoOptions = {}): AsyncGenerator<string, void, undefined> {
  if (bytes === undefined) {
    const opened = await reading(file, async () => {
      const handle = await open(file, 'r');
      try {
        const { first, size } = await head(handle, file);
        const kind = fileKind(first);
        const limit = kind === 'text' ? MAX_TEXT_BYTES : MAX_PICTURE_BYTES;
        if (typeof kind === 'object' || kind === undefined) return { kind };
        if (size > limit) fail('E_TOO_LARGE', `${file} is larger than ${String(limit >> 20)} MiB`, { file });
        return { kind, bytes: new Uint8Array(await handle.readFile()).subarray(0, limit) };
      } finally {
        await handle.close();
      }
    });
    if (opened.bytes !== undefined) return yield* codesInBytes(opened.bytes, opened.kind, file, options.signal);
    if (opened.kind !== undefined) return yield* codesInFrames(framesOfVideo({ file, demuxer: opened.kind.demuxer } satisfies VideoSource, options), options.signal);
  } else {
    const kind = fileKind(bytes.subarray(0, HEAD));
    if (typeof kind === 'string') return yield* codesInBytes(bytes, kind, file, options.signal);
  }
  fail('E_QR', `${file} is neither a picture nor a video nor a text with codes`, { file, remedy: 'Give a PNG, JPEG, BMP or GIF picture, a video, or what a scanner typed.' });
}
