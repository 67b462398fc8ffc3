/**
 * The frames of an animated GIF (GIF89a, CompuServe 1990), as a viewer would show them one after the other. Strict and
 * bounded, since the file comes from a stranger: the library that writes our GIFs (omggif 1.0.10) can read them too, but a file
 * of 93 bytes keeps it busy for ever (test/qr/read.test.ts). Nothing of node, so that the scan page reads GIFs as well.
 */
import { CeremonyError, fail } from '../wire/errors.ts';
import type { GrayPicture } from './reader.ts';

const MAX_SIDE = 4096;
const MAX_FRAMES = 8192;
/** Pixels of all frames, as stored and as shown: 1000 frames of 1000 × 1000, or those that carry 1 MB in codes; ten seconds' work. */
const MAX_PIXELS = 2_000_000_000;
/** Codes of the compression have 12 bits at most. */
const MAX_CODES = 4096;

/** One frame as it stands in the file. */
interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** What becomes of the frame afterwards: 2 it is cleared, 3 it gives way to what was there before, else it stays. */
  readonly disposal: number;
  /** Number of the colour that lets the ground show through. */
  readonly transparent: number | undefined;
  readonly interlaced: boolean;
  /** Gray of each colour. */
  readonly palette: Uint8Array;
  readonly codeSize: number;
  /** Compressed pixels, the blocks joined. */
  readonly data: Uint8Array;
}

/** Unpacks the pixels of a frame; what is missing at the end stays `filler`, and what is too much is left out. */
function unpack(data: Uint8Array, codeSize: number, pixels: number, filler: number): Uint8Array {
  const out = new Uint8Array(pixels).fill(filler);
  const prefix = new Uint16Array(MAX_CODES);
  const suffix = new Uint8Array(MAX_CODES);
  const lengths = new Uint16Array(MAX_CODES);
  const clear = 1 << codeSize;
  for (let i = 0; i < clear; i++) {
    suffix[i] = i;
    lengths[i] = 1;
  }
  let [next, width, previous, bits, buffer, at, done] = [clear + 2, codeSize + 1, -1, 0, 0, 0, 0];
  while (done < pixels) {
    while (bits < width && at < data.length) {
      buffer |= (data[at++] as number) << bits;
      bits += 8;
    }
    if (bits < width) break;
    const code = buffer & ((1 << width) - 1);
    buffer >>>= width;
    bits -= width;
    if (code === clear) {
      [next, width, previous] = [clear + 2, codeSize + 1, -1];
      continue;
    }
    // the end, or a code that nothing stands for yet
    if (code === clear + 1 || code > next || (code === next && previous < 0)) break;
    // a code that is only just being made repeats the one before with its own first pixel
    const known = code < next ? code : previous;
    const length = (lengths[known] as number) + (code < next ? 0 : 1);
    let first = known;
    let place = done + (lengths[known] as number) - 1;
    for (let c = known; ; c = prefix[c] as number) {
      if (place < pixels) out[place] = suffix[c] as number;
      place--;
      first = c;
      if (c < clear) break;
    }
    if (code === next && done + length - 1 < pixels) out[done + length - 1] = suffix[first] as number;
    done += length;
    if (previous >= 0 && next < MAX_CODES) {
      prefix[next] = previous;
      suffix[next] = suffix[first] as number;
      lengths[next] = (lengths[previous] as number) + 1;
      next++;
      if (next === 1 << width && width < 12) width++;
    }
    previous = code;
  }
  return out;
}

/** Row of the picture that the n-th stored row is: interlaced pictures come in four passes. */
function rowOf(n: number, height: number): number {
  let left = n;
  for (const [start, step] of [[0, 8], [4, 8], [2, 4], [1, 2]] as const) {
    const rows = Math.max(Math.ceil((height - start) / step), 0);
    if (left < rows) return start + left * step;
    left -= rows;
  }
  return height - 1;
}

/** Paints a frame on the screen; what sticks out is left out. */
function paint(screen: GrayPicture, frame: Frame): void {
  const pixels = unpack(frame.data, frame.codeSize, frame.width * frame.height, frame.transparent ?? 0);
  for (let n = 0; n < frame.height; n++) {
    const y = frame.top + (frame.interlaced ? rowOf(n, frame.height) : n);
    if (y >= screen.height) continue;
    for (let x = 0; x < frame.width && frame.left + x < screen.width; x++) {
      const color = pixels[n * frame.width + x] as number;
      if (color !== frame.transparent) screen.gray[y * screen.width + frame.left + x] = frame.palette[color] ?? 0;
    }
  }
}

/** Takes a frame from the screen again. */
function clear(screen: GrayPicture, frame: Frame): void {
  const [left, right] = [Math.min(frame.left, screen.width), Math.min(frame.left + frame.width, screen.width)];
  for (let y = frame.top; y < Math.min(frame.top + frame.height, screen.height); y++) screen.gray.fill(255, y * screen.width + left, y * screen.width + right);
}

/**
 * The frames of a GIF as they are shown, each complete. The same memory is used again for the next one: who keeps a frame
 * copies it.
 * @param file the name for messages
 * @throws E_QR when the file is damaged before its first frame is complete (what is damaged later ends it), E_TOO_LARGE when
 *   it claims more than 4096 × 4096 pixels, 8192 frames, or 2 × 10^9 pixels in all; both name the file
 */
export function* framesOfGif(bytes: Uint8Array, file = 'the GIF'): Generator<GrayPicture, void, undefined> {
  let at = 0;
  const broken = (what: string): never => fail('E_QR', `${file} is a damaged GIF: ${what}`, { file, remedy: 'Take or copy the file again.' });
  const u8 = (): number => bytes[at++] ?? broken('it is cut short');
  const u16 = (): number => u8() | (u8() << 8);
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) broken('it is cut short');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const palette = (flags: number): Uint8Array => {
    const colors = take(3 << ((flags & 7) + 1));
    return Uint8Array.from({ length: colors.length / 3 }, (_, i) => (77 * (colors[3 * i] as number) + 150 * (colors[3 * i + 1] as number) + 29 * (colors[3 * i + 2] as number)) >> 8);
  };
  /** The blocks up to the empty one that ends them, joined. */
  const blocks = (): Uint8Array => {
    const from = at;
    let total = 0;
    for (let length = u8(); length > 0; length = u8()) total += take(length).length;
    const joined = new Uint8Array(total);
    let to = 0;
    for (let p = from; bytes[p] !== 0; p += (bytes[p] as number) + 1) {
      const block = bytes.subarray(p + 1, p + 1 + (bytes[p] as number));
      joined.set(block, to);
      to += block.length;
    }
    return joined;
  };

  const signature = String.fromCharCode(...take(6));
  if (signature !== 'GIF87a' && signature !== 'GIF89a') broken('its header is missing');
  const [width, height, flags] = [u16(), u16(), u8()];
  take(2);
  if (width < 1 || height < 1) broken('it has no pixels');
  if (width > MAX_SIDE || height > MAX_SIDE) fail('E_TOO_LARGE', `${file} claims ${String(width)} × ${String(height)} pixels`, { file, remedy: 'Make it smaller.' });
  const common = (flags & 0x80) !== 0 ? palette(flags) : undefined;

  let total = 0;
  /** The next frame, or undefined at the end of the file. */
  const nextFrame = (): Frame | undefined => {
    let [disposal, transparent]: [number, number | undefined] = [0, undefined];
    for (;;) {
      const kind = u8();
      if (kind === 0x3b) return undefined;
      if (kind === 0x2c) {
        const [left, top, w, h, packed] = [u16(), u16(), u16(), u16(), u8()];
        total += w * h + width * height;
        if (w > MAX_SIDE || h > MAX_SIDE || total > MAX_PIXELS)
          fail('E_TOO_LARGE', `${file} claims a frame of ${String(w)} × ${String(h)} pixels, or too many frames`, { file, remedy: 'Make its pictures smaller, or read a part of it.' });
        const colors = (packed & 0x80) !== 0 ? palette(packed) : (common ?? broken('it has no colours'));
        const codeSize = u8();
        if (codeSize < 1 || codeSize > 8) broken('its compression does not exist');
        return { left, top, width: w, height: h, disposal, transparent, interlaced: (packed & 0x40) !== 0, palette: colors, codeSize, data: blocks() };
      }
      if (kind !== 0x21) broken('an unknown part');
      const label = u8();
      const block = blocks();
      if (label === 0xf9 && block.length >= 4) {
        const packed = block[0] as number;
        disposal = (packed >> 2) & 7;
        transparent = (packed & 1) !== 0 ? (block[3] as number) : undefined;
      }
    }
  };

  // where nothing is painted a viewer shows its own ground, usually white
  const screen: GrayPicture = { width, height, gray: new Uint8Array(width * height).fill(255) };
  for (let count = 0; count < MAX_FRAMES; count++) {
    let frame: Frame | undefined;
    try {
      frame = nextFrame();
    } catch (e) {
      // a file whose end was lost still gives the frames before
      if (count > 0 && e instanceof CeremonyError && e.code === 'E_QR') return;
      throw e;
    }
    if (frame === undefined) return;
    const before = frame.disposal === 3 ? screen.gray.slice() : undefined;
    paint(screen, frame);
    yield screen;
    if (before !== undefined) screen.gray.set(before);
    else if (frame.disposal === 2) clear(screen, frame);
  }
  fail('E_TOO_LARGE', `${file} has more than ${String(MAX_FRAMES)} frames`, { file, remedy: 'Read a part of it.' });
}
