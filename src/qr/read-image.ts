/** Codes in a picture that somebody took: PNG, JPEG, BMP, GIF. Pictures come from outside; their sizes are checked first. */
import { fail } from '../wire/errors.ts';
import { checkPicture, pictureKind } from './picture.ts';
import { framesOfGif } from './read-gif.ts';
import { codesInFileBytes, codesInGray, grayOf, hasReader, type Look, useReader } from './reader.ts';

/**
 * Makes the reader ready. Without an argument it takes the WebAssembly that the program carries in itself.
 * @param wasm `zxing_reader.wasm`, if it is to be another one
 */
export async function prepareReader(wasm?: Uint8Array): Promise<void> {
  if (wasm !== undefined) useReader(wasm);
  else if (!hasReader()) useReader(Buffer.from((await import('embedded:reader-wasm')).default, 'base64'));
}

/** A picture as pixels: gray, one byte each, or red, green, blue and opacity, four bytes each. */
export type Pixels = { readonly width: number; readonly height: number } & (
  | { readonly gray: Uint8Array }
  | { readonly rgba: Uint8Array | Uint8ClampedArray }
);

/**
 * The texts of all codes in a picture given as pixels; none is an empty list.
 * @param look 'moving' for one frame of many, where a code that is not found will come again
 * @throws E_QR when the pixels are not as many as width and height say
 */
export async function codesInPixels(picture: Pixels, look: Look = 'still'): Promise<string[]> {
  await prepareReader();
  return codesInGray('gray' in picture ? picture : grayOf(picture), look);
}

/**
 * The texts of all codes in a picture file, told by its content; of an animated GIF the first frame. None is an empty list.
 * @param file the name for messages
 * @throws E_QR when the bytes are no picture or a damaged one, E_TOO_LARGE when it would take too much memory; both name the file
 */
export async function codesIn(bytes: Uint8Array, file = 'the picture'): Promise<string[]> {
  const kind = pictureKind(bytes);
  if (kind === undefined) fail('E_QR', `${file} is no PNG, JPEG, BMP or GIF picture`, { file, remedy: 'Save the picture as PNG or JPEG.' });
  if (kind === 'gif') {
    for (const frame of framesOfGif(bytes, file)) return codesInPixels(frame);
    return [];
  }
  const pixels = await checkPicture(bytes, kind, file);
  await prepareReader();
  const texts = await codesInFileBytes(bytes, pixels);
  return texts ?? fail('E_QR', `${file} is a picture that cannot be opened`, { file, remedy: 'Save it as PNG, without special options, and try again.' });
}
