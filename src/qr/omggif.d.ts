/** Types of what is used of the library, which has none of its own. */
declare module 'omggif' {
  interface GifFrame {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    /** Hundredths of a second. */
    readonly delay: number;
    readonly disposal: number;
  }
  class GifReader {
    constructor(bytes: Uint8Array);
    readonly width: number;
    readonly height: number;
    numFrames(): number;
    loopCount(): number | null;
    frameInfo(frame: number): GifFrame;
    decodeAndBlitFrameRGBA(frame: number, pixels: Uint8Array | Uint8ClampedArray): void;
  }
  class GifWriter {
    constructor(buffer: Uint8Array, width: number, height: number, options?: { readonly palette?: readonly number[]; readonly loop?: number });
    addFrame(x: number, y: number, width: number, height: number, pixels: Uint8Array, options?: { readonly delay?: number }): number;
    end(): number;
    getOutputBufferPosition(): number;
    setOutputBufferPosition(position: number): void;
  }
  const omggif: { readonly GifReader: typeof GifReader; readonly GifWriter: typeof GifWriter };
  export default omggif;
}
