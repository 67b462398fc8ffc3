/**
 * A photograph of a code, as a camera would take it from a screen or from paper: turned, tilted, unsharp, noisy, unevenly lit, on
 * a cluttered ground. Everything comes from the seed, so the same call gives the same picture.
 */

/** What is photographed: squares of a code without quiet zone (true is black), or a picture in gray, RGB or RGBA. */
export type Subject =
  | readonly (readonly boolean[])[]
  | { readonly width: number; readonly height: number; readonly gray: Uint8Array }
  | { readonly width: number; readonly height: number; readonly rgb: Uint8Array }
  | { readonly width: number; readonly height: number; readonly rgba: Uint8Array | Uint8ClampedArray };

export interface Shot {
  readonly seed: number;
  /** How far the subject is turned. Default: up to 4 degrees either way, from the seed. */
  readonly degrees?: number;
  /** Standard deviation of the unsharpness, in pixels of the photograph. Default 0.8. */
  readonly blur?: number;
  /** Standard deviation of the noise, of 255 levels. Default 8. */
  readonly noise?: number;
  /** How much shorter the far edge is than the near one, as a share. Default 0. */
  readonly tilt?: number;
  /** Squares of 8 × 8 lose detail as in a JPEG of this quality, 1 to 100. Default: they do not. */
  readonly jpeg?: number;
  /** Size of the photograph. Default 1280 × 720. */
  readonly width?: number;
  readonly height?: number;
  /** The longer side of the subject, as a share of the shorter side of the photograph. Default 0.85. */
  readonly fill?: number;
}

export interface Photograph {
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const QUIET = 4;

/** The subject in gray, with the quiet zone that a code has on a screen. */
function grayOf(subject: Subject): Photograph {
  if (!('width' in subject)) {
    const side = subject.length + 2 * QUIET;
    const gray = new Uint8Array(side * side).fill(255);
    subject.forEach((row, y) => {
      row.forEach((black, x) => {
        if (black) gray[(y + QUIET) * side + x + QUIET] = 0;
      });
    });
    return { width: side, height: side, gray };
  }
  if ('gray' in subject) return subject;
  const { width, height } = subject;
  const [pixels, step] = 'rgb' in subject ? [subject.rgb, 3] : [subject.rgba, 4];
  const gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i++) gray[i] = (77 * (pixels[i * step] as number) + 150 * (pixels[i * step + 1] as number) + 29 * (pixels[i * step + 2] as number)) >> 8;
  return { width, height, gray };
}

/** Noise with standard deviation 1, enough of it that a picture does not repeat visibly. */
const NOISE = ((): Float32Array => {
  const random = seeded(0x6e6f6973);
  // the sum of twelve uniform numbers
  return Float32Array.from({ length: 65_537 }, () => Array.from({ length: 12 }, random).reduce((a, b) => a + b, 0) - 6);
})();

/** Gaussian blur of a picture, in place, by a small kernel along rows and then columns. */
function blurred(pixels: Float32Array, width: number, sigma: number): void {
  const reach = Math.ceil(2.5 * sigma);
  if (reach < 1) return;
  const weights = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const between = new Float32Array(pixels.length);
  // shifted copies of the whole picture are added up: what comes in at the ends of rows is the neighbour row, and is not looked at
  const add = (from: Float32Array, to: Float32Array, shift: number, weight: number): void => {
    const start = Math.max(-shift, 0);
    const end = Math.min(from.length - shift, from.length);
    for (let i = start; i < end; i++) to[i] = (to[i] as number) + weight * (from[i + shift] as number);
  };
  weights.forEach((weight, k) => {
    add(pixels, between, k - reach, weight / sum);
  });
  pixels.fill(0);
  weights.forEach((weight, k) => {
    add(between, pixels, (k - reach) * width, weight / sum);
  });
}

// ISO/IEC 10918-1, annex K.1: luminance
const QUANTA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const COSINES = Float32Array.from({ length: 64 }, (_, i) => ((i >> 3) === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos((((i & 7) * 2 + 1) * (i >> 3) * Math.PI) / 16));

const BACK = COSINES.map((_, i) => COSINES[(i & 7) * 8 + (i >> 3)] as number);

/** matrix · block · matrixᵀ, in place. */
function turned(matrix: Float32Array, block: Float32Array, half: Float32Array): void {
  for (let y = 0; y < 8; y++)
    for (let f = 0; f < 8; f++) {
      let v = 0;
      for (let x = 0; x < 8; x++) v += (matrix[f * 8 + x] as number) * (block[y * 8 + x] as number);
      half[y * 8 + f] = v;
    }
  for (let x = 0; x < 8; x++)
    for (let f = 0; f < 8; f++) {
      let v = 0;
      for (let y = 0; y < 8; y++) v += (matrix[f * 8 + y] as number) * (half[y * 8 + x] as number);
      block[f * 8 + x] = v;
    }
}

/** What a JPEG leaves of a picture: each square of 8 × 8 in coarse cosines. */
function coarse(picture: Photograph, quality: number): void {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  const quanta = QUANTA.map((q) => Math.max(Math.floor((q * scale + 50) / 100), 1));
  const [block, half] = [new Float32Array(64), new Float32Array(64)];
  const { width, height, gray } = picture;
  for (let top = 0; top + 8 <= height; top += 8)
    for (let left = 0; left + 8 <= width; left += 8) {
      for (let i = 0; i < 64; i++) block[i] = (gray[(top + (i >> 3)) * width + left + (i & 7)] as number) - 128;
      turned(COSINES, block, half);
      for (let i = 0; i < 64; i++) block[i] = Math.round((block[i] as number) / (quanta[i] as number)) * (quanta[i] as number);
      turned(BACK, block, half);
      for (let i = 0; i < 64; i++) gray[(top + (i >> 3)) * width + left + (i & 7)] = Math.min(Math.max((block[i] as number) + 128, 0), 255);
    }
}

/** Takes the photograph. A 1280 × 720 one takes some 40 ms. */
export function photograph(subject: Subject, shot: Shot): Photograph {
  const random = seeded(shot.seed);
  const { width = 1280, height = 720, blur = 0.8, noise = 8, tilt = 0, fill = 0.85 } = shot;
  const degrees = shot.degrees ?? 8 * random() - 4;
  const source = grayOf(subject);

  // the ground: a wall with a few things on it, darker on one side
  const light = new Float32Array(width * height);
  const [dark, slopeX, slopeY] = [90 + 60 * random(), (random() - 0.5) * 60, (random() - 0.5) * 60];
  light.fill(dark);
  for (let n = 0; n < 12; n++) {
    const [x, y, w, h, shade] = [random() * width, random() * height, random() * width * 0.3, random() * height * 0.3, 40 + 160 * random()];
    for (let row = Math.floor(y); row < Math.min(y + h, height); row++) light.fill(shade, row * width + Math.floor(x), row * width + Math.floor(Math.min(x + w, width)));
  }

  // the subject: for each pixel of the photograph the place it shows, backwards through the tilt and the turn
  const size = (fill * Math.min(width, height)) / Math.max(source.width, source.height);
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const reach = 0.5 * size * Math.hypot(source.width, source.height) * (1 + tilt);
  const free = (length: number, taken: number): number => (random() - 0.5) * Math.max(length - 1.05 * size * taken, 0);
  const middleX = width / 2 + free(width, Math.abs(cos) * source.width + Math.abs(sin) * source.height);
  const middleY = height / 2 + free(height, Math.abs(cos) * source.height + Math.abs(sin) * source.width);
  const [left, right] = [Math.max(Math.floor(middleX - reach), 0), Math.min(Math.ceil(middleX + reach), width)];
  const [top, bottom] = [Math.max(Math.floor(middleY - reach), 0), Math.min(Math.ceil(middleY + reach), height)];
  // a pixel of the photograph sees several points, so that edges are neither jagged nor lost
  const points = Math.min(Math.max(Math.ceil(1 / size) + 1, 2), 4);
  const [black, white] = [25 + 20 * random(), 200 + 30 * random()];
  const far = size * source.height;
  const [halfX, halfY, inverse] = [source.width / 2, source.height / 2, 1 / size];
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      let sum = 0;
      let seen = 0;
      for (let py = 0; py < points; py++)
        for (let px = 0; px < points; px++) {
          const dx = x + (px + 0.5) / points - middleX;
          const dy = y + (py + 0.5) / points - middleY;
          const scale = inverse / (1 + (tilt * dy) / far);
          const sx = Math.floor((cos * dx + sin * dy) * scale + halfX);
          const sy = Math.floor((cos * dy - sin * dx) * scale + halfY);
          if (sx < 0 || sy < 0 || sx >= source.width || sy >= source.height) continue;
          sum += source.gray[sy * source.width + sx] as number;
          seen++;
        }
      if (seen === 0) continue;
      const at = y * width + x;
      const share = seen / (points * points);
      light[at] = (light[at] as number) * (1 - share) + share * (black + ((white - black) * sum) / seen / 255);
    }
  blurred(light, width, blur);

  const gray = new Uint8Array(width * height);
  let grain = Math.floor(random() * NOISE.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      grain = grain + 1 === NOISE.length ? 0 : grain + 1;
      if (x === 0) grain = (grain + Math.floor(random() * 997)) % NOISE.length;
      gray[at] = Math.min(Math.max((light[at] as number) + slopeX * (x / width - 0.5) + slopeY * (y / height - 0.5) + noise * (NOISE[grain] as number), 0), 255);
    }
  const picture = { width, height, gray };
  if (shot.jpeg !== undefined) coarse(picture, shot.jpeg);
  return picture;
}
