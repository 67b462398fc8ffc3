/** A code as a PNG picture (ISO/IEC 15948): one bit a pixel, black on white, and nothing in the file but the pixels. */
import { crc32, deflateSync } from 'node:zlib';
import { concat, u32, utf8 } from '../wire/bytes.ts';
import type { Modules } from './code.ts';
import { type Raster, rasterOf } from './raster.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** A chunk: length, type, data, checksum over type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = concat(utf8(type), data);
  return concat(u32(data.length), body, u32(crc32(body)));
}

/** The picture of a code with its quiet zone; 8 pixels a square unless asked otherwise. @throws E_INTERNAL as {@link rasterOf} */
export function codePng(modules: Modules, raster: Raster = {}): Uint8Array {
  const { side, pixels } = rasterOf(modules, { scale: 8, ...raster });
  // a row is its filter (0: none) and its bits, 1 for white; what the last byte has too much stays 0
  const stride = 1 + Math.ceil(side / 8);
  const packed = new Uint8Array(side * stride);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = y * stride + 1 + (x >> 3);
      if (pixels[y * side + x] === 0) packed[at] = (packed[at] ?? 0) | (0x80 >> (x & 7));
    }
  const header = concat(u32(side), u32(side), Uint8Array.of(1, 0, 0, 0, 0));
  return concat(SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(packed, { level: 9 })), chunk('IEND', new Uint8Array(0)));
}
