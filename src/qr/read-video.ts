/**
 * Frames of a video file or of a camera, as gray pixels, through `ffmpeg`: no package for cameras is kept up well enough,
 * and ffmpeg is on every distribution. It is started without a shell, may open files and devices but nothing on a network,
 * and is ended as soon as the caller has seen enough.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail } from '../wire/errors.ts';
import type { GrayPicture } from './reader.ts';

/** Frames are made no larger than this: the longer side, and the shorter one. */
const LONG = 1280;
const SHORT = 720;
/** Frames of one file: an hour at 30 a second. */
const MAX_FRAMES = 108_000;
/** Pixels of a frame before it is made smaller: 8K. */
const MAX_PIXELS = 8192 * 8192;
/** What is kept of ffmpeg's complaints. */
const MAX_COMPLAINT = 4096;

/** Where frames come from. `demuxer` is ffmpeg's name for the format, so that it does not guess. */
export type VideoSource = { readonly file: string; readonly demuxer: string } | { readonly camera: string; readonly platform?: NodeJS.Platform };

export interface VideoOptions {
  /** Ends ffmpeg at once, and with it the frames: for a camera that gives no more pictures, where a loop would wait. */
  readonly signal?: AbortSignal;
  /** For tests: another program in place of `ffmpeg`. */
  readonly ffmpeg?: string;
}

/** The first camera of this machine, as {@link VideoSource} names it. On Windows ffmpeg has no first one: its name must be given. */
export function defaultCamera(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'darwin') return '0';
  if (platform === 'win32') fail('E_USAGE', 'the camera must be named', { remedy: 'Run: ffmpeg -list_devices true -f dshow -i dummy, and give one of the names with --camera.' });
  let names: string[] = [];
  try {
    names = readdirSync('/dev').filter((n) => /^video\d+$/.test(n)).sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
  } catch {
    // no /dev: no camera
  }
  const [first] = names;
  return first === undefined ? fail('E_MISSING', 'this machine has no camera (/dev/video*)', { remedy: 'Plug one in, or take photographs or a video and give the files.' }) : `/dev/${first}`;
}

/** Arguments that open a camera. @throws E_USAGE when the name cannot be one of a camera */
function cameraInput(camera: string, platform: NodeJS.Platform): string[] {
  const size = ['-video_size', `${String(LONG)}x${String(SHORT)}`];
  if (platform === 'win32') {
    if (/[:\0"]/.test(camera) || camera === '') fail('E_USAGE', `${camera} is no name of a camera`, { field: '--camera' });
    return ['-f', 'dshow', ...size, '-i', `video=${camera}`];
  }
  if (platform === 'darwin') {
    if (/[:\0]/.test(camera) || camera === '') fail('E_USAGE', `${camera} is no name of a camera`, { field: '--camera' });
    // its rate must be one that the camera has, and 30 is what they have in common
    return ['-f', 'avfoundation', '-framerate', '30', ...size, '-i', `${camera}:none`];
  }
  if (!/^\/dev\/[A-Za-z0-9/_.:-]+$/.test(camera)) fail('E_USAGE', `${camera} is no camera device`, { field: '--camera', remedy: 'Give a device, for example /dev/video0.' });
  return ['-f', 'v4l2', ...size, '-i', camera];
}

/** The whole argument list for ffmpeg. */
export function ffmpegArguments(source: VideoSource): string[] {
  const input =
    'camera' in source
      ? cameraInput(source.camera, source.platform ?? process.platform)
      : ['-protocol_whitelist', 'file', '-max_pixels', String(MAX_PIXELS), '-f', source.demuxer, '-i', `file:${resolve(source.file)}`];
  // upright or lying, never larger than it was
  const scale = `scale=w='if(gte(iw,ih),min(iw,${String(LONG)}),min(iw,${String(SHORT)}))':h='if(gte(iw,ih),min(ih,${String(SHORT)}),min(ih,${String(LONG)}))':force_original_aspect_ratio=decrease`;
  return ['-nostdin', '-hide_banner', '-loglevel', 'error', ...input, '-map', '0:v:0', '-an', '-sn', '-dn', '-vf', scale, '-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'yuv4mpegpipe', '-'];
}

/** Cuts a stream of YUV4MPEG2 with gray pixels into frames. */
export class FrameCutter {
  #width = 0;
  #height = 0;
  #parts: Uint8Array[] = [];
  #held = 0;
  /**
   * Takes the next bytes.
   * @returns the frames that are complete now
   * @throws E_QR when the stream has another form
   */
  push(chunk: Uint8Array): GrayPicture[] {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    const frames: GrayPicture[] = [];
    for (;;) {
      if (this.#width === 0) {
        const line = this.#line('YUV4MPEG2');
        if (line === undefined) return frames;
        this.#width = Number(/ W(\d{1,5})\b/.exec(line)?.[1] ?? 0);
        this.#height = Number(/ H(\d{1,5})\b/.exec(line)?.[1] ?? 0);
        if (!/ Cmono\b/.test(line) || this.#width < 1 || this.#height < 1 || this.#width > LONG || this.#height > LONG) fail('E_QR', 'ffmpeg gives frames of another kind than it was asked for');
      }
      const pixels = this.#width * this.#height;
      // the line before each frame is FRAME, without parameters
      if (this.#held < 6 + pixels) return frames;
      const all = this.#joined();
      if (String.fromCharCode(...all.subarray(0, 6)) !== 'FRAME\n') fail('E_QR', 'ffmpeg gives frames of another kind than it was asked for');
      frames.push({ width: this.#width, height: this.#height, gray: new Uint8Array(all.subarray(6, 6 + pixels)) });
      this.#keep(all.subarray(6 + pixels));
    }
  }
  #joined(): Uint8Array {
    const [first] = this.#parts;
    if (this.#parts.length === 1 && first !== undefined) return first;
    const all = new Uint8Array(this.#held);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    this.#keep(all);
    return all;
  }
  #keep(rest: Uint8Array): void {
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
  }
  /** The line at the beginning, once it is whole. */
  #line(word: string): string | undefined {
    if (this.#held === 0) return undefined;
    const all = this.#joined();
    const end = all.subarray(0, 256).indexOf(10);
    if (end < 0) {
      if (all.length >= 256) fail('E_QR', 'ffmpeg gives frames of another kind than it was asked for');
      return undefined;
    }
    const line = String.fromCharCode(...all.subarray(0, end));
    if (!line.startsWith(word)) fail('E_QR', 'ffmpeg gives frames of another kind than it was asked for');
    this.#keep(all.subarray(end + 1));
    return line;
  }
}

/** What is shown of a foreign program's complaint: one line, no control characters. */
const tidy = (text: string): string =>
  (text.split(/[\r\n]+/).filter((l) => l.trim() !== '').at(-1) ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

/**
 * The frames of a video file or a camera, in gray, at most 1280 × 720 (or 720 × 1280). A camera ends only when the caller
 * stops: `break` from the loop, or the signal, ends ffmpeg.
 * @throws E_MISSING when ffmpeg or the camera is not there, E_QR when the file holds no frame that can be read, E_TOO_LARGE for
 *   more than 108 000 frames (files), E_USAGE for a camera's name that cannot be one; all name the file or the camera
 */
export async function* framesOfVideo(source: VideoSource, options: VideoOptions = {}): AsyncGenerator<GrayPicture, void, undefined> {
  const name = 'camera' in source ? source.camera : source.file;
  const child = spawn(options.ffmpeg ?? 'ffmpeg', ffmpegArguments(source), { stdio: ['ignore', 'pipe', 'pipe'], shell: false, windowsHide: true });
  const kill = (): void => {
    if (child.exitCode === null && child.pid !== undefined) child.kill('SIGKILL');
  };
  if (options.signal?.aborted === true) kill();
  options.signal?.addEventListener('abort', kill, { once: true });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('latin1')).slice(-MAX_COMPLAINT);
  });
  // waited for below; the handler is here at once, so that no error goes unheard
  const ended = once(child, 'close').then(
    ([code]: unknown[]) => code as number | null,
    (cause: unknown) => cause as NodeJS.ErrnoException,
  );
  let count = 0;
  try {
    const cutter = new FrameCutter();
    for await (const chunk of child.stdout as AsyncIterable<Buffer>)
      for (const frame of cutter.push(chunk)) {
        if (++count > MAX_FRAMES && !('camera' in source)) fail('E_TOO_LARGE', `${name} has more than ${String(MAX_FRAMES)} frames`, { file: name, remedy: 'Cut out the part with the codes.' });
        yield frame;
      }
    const end = await ended;
    if (end instanceof Error)
      fail('E_MISSING', end.code === 'ENOENT' ? 'ffmpeg is not installed; it is needed for videos and cameras' : `ffmpeg cannot be started: ${tidy(end.message)}`, {
        file: name,
        remedy: 'Install it (Debian: apt install ffmpeg), or give photographs or screenshots, or use the scan page (qr page).',
        cause: end,
      });
    if (count > 0 || options.signal?.aborted === true) return;
    const reason = tidy(complaint) || `ffmpeg ended with ${String(end)}`;
    if ('camera' in source) fail('E_MISSING', `the camera ${name} gives no pictures: ${reason}`, { file: name, remedy: 'Plug it in, close other programs that use it, or take photographs and give the files.' });
    fail('E_QR', `no frame of ${name} can be read: ${reason}`, { file: name, remedy: 'Save it as MP4, or take photographs or screenshots.' });
  } finally {
    options.signal?.removeEventListener('abort', kill);
    kill();
    child.stdout.destroy();
    child.stderr.destroy();
    await ended;
  }
}
