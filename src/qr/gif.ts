/** Codes one after the other as an animated GIF (GIF89a), for a telephone's or a browser's screen: no player, no program. */
import omggif from 'omggif';
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { type Modules, QUIET_ZONE } from './code.ts';
import { type Raster, rasterOf } from './raster.ts';

/** What a GIF is drawn with. */
export interface Animation extends Raster {
  /** Codes a second, 1 to 25. The format counts in hundredths of a second. Default 8. */
  readonly fps?: number;
}

/** Pixels a side that a GIF has about, if nothing else is asked: seen on every screen, and no larger a file than need be. */
const USUAL_SIDE = 600;
const WHITE = 0xffffff;
const BLACK = 0x000000;

/**
 * The codes in their order, for ever. One code makes a GIF that stands still.
 * @param frames codes of one size
 * @throws E_INTERNAL on no code, on codes of different sizes, on a scale, border or speed out of range
 */
export function codesGif(frames: readonly Modules[], animation: Animation = {}): Uint8Array {
  const fps = animation.fps ?? 8;
  const first = frames[0] ?? fail('E_INTERNAL', 'an animation without a code');
  if (!(fps >= 1 && fps <= 25)) fail('E_INTERNAL', 'codes a second out of range');
  if (frames.some((f) => f.length !== first.length)) fail('E_INTERNAL', 'codes of different sizes in one animation');
  const squares = first.length + 2 * (animation.border ?? QUIET_ZONE);
  const raster = { scale: Math.max(3, Math.min(10, Math.floor(USUAL_SIDE / squares))), ...animation };
  const { side } = rasterOf(first, raster);
  // a pixel takes at most one code of twelve bits; every piece is written to the same place and copied
  const scratch = new Uint8Array(2 * side * side + 4096);
  const writer = new omggif.GifWriter(scratch, side, side, { palette: [WHITE, BLACK], ...(frames.length > 1 ? { loop: 0 } : {}) });
  const pieces: Uint8Array[] = [];
  const take = (): void => {
    pieces.push(scratch.slice(0, writer.getOutputBufferPosition()));
    writer.setOutputBufferPosition(0);
  };
  take();
  for (const frame of frames) {
    writer.addFrame(0, 0, side, side, rasterOf(frame, raster).pixels, frames.length > 1 ? { delay: Math.round(100 / fps) } : {});
    take();
  }
  writer.end();
  take();
  return concat(...pieces);
}
