/** A code as pixels. */
import { fail } from '../wire/errors.ts';
import { type Modules, QUIET_ZONE } from './code.ts';

/** How large a picture is drawn. */
export interface Raster {
  /** Pixels a square, 1 to 64. */
  readonly scale?: number;
  /** Squares of quiet zone on each side, 0 to 16. Default 4, as the standard asks for. */
  readonly border?: number;
}

/** Pixels of a code: `side` × `side` bytes, row by row, 1 is black and 0 white. @throws E_INTERNAL on another scale or border */
export function rasterOf(modules: Modules, raster: Required<Pick<Raster, 'scale'>> & Raster): { readonly side: number; readonly pixels: Uint8Array } {
  const { scale } = raster;
  const border = raster.border ?? QUIET_ZONE;
  if (!Number.isInteger(scale) || scale < 1 || scale > 64 || !Number.isInteger(border) || border < 0 || border > 16) fail('E_INTERNAL', 'scale or border of a code out of range');
  const side = (modules.length + 2 * border) * scale;
  const pixels = new Uint8Array(side * side);
  modules.forEach((row, y) => {
    const top = (y + border) * scale * side;
    row.forEach((black, x) => {
      if (black) pixels.fill(1, top + (x + border) * scale, top + (x + border + 1) * scale);
    });
    for (let again = 1; again < scale; again++) pixels.copyWithin(top + again * side, top, top + side);
  });
  return { side, pixels };
}
