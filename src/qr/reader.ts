/**
 * The one decoder of QR codes: ZXing, as WebAssembly whose bytes are handed over and never fetched. Runs in node and in a
 * browser alike (the scan page), so nothing of node is imported here. Pictures are public: a code is shown to a room.
 */
import { prepareZXingModule, purgeZXingModule } from 'zxing-wasm/reader';
import { fail } from '../wire/errors.ts';

/** A picture of one byte a pixel, row by row, 0 black; `gray` holds width × height bytes. */
export interface GrayPicture {
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
}

/** What is known of a picture beforehand: a still one is looked at from all sides, one of many in a row briefly. */
export type Look = 'still' | 'moving';

/** What is used of the WebAssembly module; its own types lean on a package that is not there. */
interface Module {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(at: number): void;
  readBarcodesFromPixmap(at: number, width: number, height: number, options: object): Found;
  readBarcodesFromImage(at: number, length: number, options: object): Found;
}
interface Found {
  size(): number;
  get(n: number): { readonly isValid: boolean; readonly error: string; readonly text: string } | undefined;
  delete(): void;
}

/** Above this size of its memory the module is made anew, since WebAssembly never gives memory back. */
const KEEP_BYTES = 64 * 1024 * 1024;
/** Codes in one picture: a sheet of paper holds six. */
const MAX_CODES = 64;

// as zxing-wasm passes them on: numbers are places in its lists of binarizers (local average), add-ons, text modes (plain)
// and character sets
const OPTIONS = {
  formats: 'QRCode',
  tryHarder: true,
  tryRotate: true,
  tryInvert: true,
  tryDownscale: true,
  tryDenoise: false,
  binarizer: 0,
  isPure: false,
  downscaleFactor: 3,
  downscaleThreshold: 500,
  minLineCount: 2,
  maxNumberOfSymbols: MAX_CODES,
  validateOptionalChecksum: false,
  returnErrors: false,
  eanAddOnSymbol: 0,
  textMode: 0,
  characterSet: 0,
  tryCode39ExtendedMode: false,
};
/** Pictures with more pixels are not searched row by row: a picture full of corners of codes would take half a minute. */
const SEARCHED_PIXELS = 16_000_000;

/** Options for a look. White on black doubles the time of a frame without a code, so it is left out for one of many. */
const optionsFor = (look: Look, pixels: number): typeof OPTIONS => ({ ...OPTIONS, tryInvert: look === 'still', tryHarder: pixels <= SEARCHED_PIXELS });

let wasm: Uint8Array | undefined;

/**
 * Hands over the WebAssembly of the reader (`zxing_reader.wasm`, 950 kB). It is made ready with the first picture.
 */
export function useReader(bytes: Uint8Array): void {
  wasm = bytes;
  purgeZXingModule();
}

/** Whether {@link useReader} was called. */
export function hasReader(): boolean {
  return wasm !== undefined;
}

async function moduleOf(): Promise<Module> {
  if (wasm === undefined) fail('E_INTERNAL', 'the code reader has no WebAssembly');
  const overrides = { wasmBinary: wasm, printErr: () => undefined } as object;
  return (await prepareZXingModule({ overrides, equalityFn: () => true, fireImmediately: true })) as unknown as Module;
}

/** The texts of the valid codes; undefined when the reader could not open the picture at all. */
function textsOf(found: Found): string[] | undefined {
  try {
    const texts: string[] = [];
    for (let i = 0; i < found.size(); i++) {
      const one = found.get(i);
      if (one === undefined || one.error !== '') return undefined;
      if (one.isValid) texts.push(one.text);
    }
    return texts;
  } finally {
    found.delete();
  }
}

/** Puts bytes into the module's memory and runs `work` on them; undefined when the module has not enough memory, or fails. */
async function withBytes(bytes: Uint8Array, work: (module: Module, at: number) => Found): Promise<string[] | undefined> {
  const module = await moduleOf();
  try {
    const at = module._malloc(bytes.length);
    if (at === 0) return undefined;
    module.HEAPU8.set(bytes, at);
    const texts = textsOf(work(module, at));
    module._free(at);
    if (module.HEAPU8.length > KEEP_BYTES) purgeZXingModule();
    return texts;
  } catch {
    // an exception of C++ or a trap: what the module holds is unknown
    purgeZXingModule();
    return undefined;
  }
}

/**
 * The texts of all QR codes in a picture, in no particular order; none is an empty list.
 * @throws E_QR when the picture is not width × height bytes, or the reader gives up on it
 */
export async function codesInGray(picture: GrayPicture, look: Look = 'still'): Promise<string[]> {
  const { width, height, gray } = picture;
  if (!Number.isSafeInteger(width) || !Number.isSafeInteger(height) || width < 1 || height < 1 || gray.length !== width * height)
    fail('E_QR', 'a picture is not as large as it says');
  const texts = await withBytes(gray, (module, at) => module.readBarcodesFromPixmap(at, width, height, optionsFor(look, gray.length)));
  return texts ?? fail('E_QR', 'the picture is too large for the code reader');
}

/**
 * The texts of all QR codes in a picture file (PNG, JPEG or BMP) whose sizes the caller has checked; undefined when the
 * reader cannot open it.
 * @param pixels how many it has
 */
export async function codesInFileBytes(bytes: Uint8Array, pixels: number): Promise<string[] | undefined> {
  return withBytes(bytes, (module, at) => module.readBarcodesFromImage(at, bytes.length, optionsFor('still', pixels)));
}

/**
 * Gray of red, green, blue and opacity, four bytes a pixel; opacity is ignored, as a camera has none.
 * @throws E_QR when there are not four bytes for each pixel
 */
export function grayOf(picture: { readonly width: number; readonly height: number; readonly rgba: Uint8Array | Uint8ClampedArray }): GrayPicture {
  const { width, height, rgba } = picture;
  if (rgba.length !== 4 * width * height) fail('E_QR', 'a picture is not as large as it says');
  const gray = new Uint8Array(width * height);
  // shares of ITU-R BT.601 in 256ths
  for (let i = 0, at = 0; i < gray.length; i++, at += 4)
    gray[i] = (77 * (rgba[at] as number) + 150 * (rgba[at + 1] as number) + 29 * (rgba[at + 2] as number)) >> 8;
  return { width, height, gray };
}
