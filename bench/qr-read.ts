/**
 * Reading codes from camera frames: milliseconds of one processor for a frame of 1280 × 720, and the share of frames that is read, against the
 * reader in JavaScript that comes with `qr` (qr/decode.js), frame by frame by turns in one process.
 *
 *   npm run bench:qr-read             40 frames of each kind
 *   npm run bench:qr-read -- 100      another number
 *
 * The frames are drawn by test/support/photo.ts: turned by up to 4 degrees, unsharp, noisy, unevenly lit, on a cluttered
 * ground. A time is processor time, the best of three for a frame, since other programs only add to it; shown are median and largest.
 * Both get pixels as they come from a camera and convert them themselves: ours gray, theirs red, green, blue and opacity.
 */
import decodeQR from 'qr/decode.js';
import { codeOf } from '../src/qr/code.ts';
import { codesInPixels } from '../src/qr/read-image.ts';
import { urSender } from '../src/qr/ur.ts';
import { photograph, type Photograph, seeded, type Shot } from '../test/support/photo.ts';

const count = Number(process.argv[2] ?? 40);
const random = seeded(1);
const message = Uint8Array.from({ length: 20_000 }, () => Math.floor(random() * 256));

async function best(work: () => unknown): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < 3; run++) {
    const from = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(from);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

const sorted = (times: readonly number[]): number[] => [...times].sort((a, b) => a - b);
const middle = (times: readonly number[]): number => sorted(times)[times.length >> 1] as number;
const shown = (times: readonly number[], read: number): string => `${middle(times).toFixed(1).padStart(6)} (${(sorted(times).at(-1) as number).toFixed(1).padStart(5)}) ms ${`${String(Math.round((100 * read) / count))} %`.padStart(6)}`;

function rgbaOf(picture: Photograph): { width: number; height: number; data: Uint8ClampedArray } {
  const data = new Uint8ClampedArray(4 * picture.gray.length).fill(255);
  picture.gray.forEach((g, i) => {
    data.fill(g, 4 * i, 4 * i + 3);
  });
  return { width: picture.width, height: picture.height, data };
}

console.log(`node ${process.version}; ${String(count)} frames of 1280 x 720 of each kind; processor time, median (largest), share that is read\n`);
console.log(`${''.padEnd(36)} ${'ours'.padEnd(24)} ${'qr/decode.js'.padEnd(24)} ratio`);
const kinds: readonly (readonly [string, number, Partial<Shot>])[] = [
  ['version 13', 13, {}],
  ['version 13, tilted', 13, { tilt: 0.1 }],
  ['version 13, as a JPEG of quality 60', 13, { jpeg: 60 }],
  ['version 13, unsharp and noisy', 13, { blur: 1.3, noise: 14 }],
  ['version 20', 20, {}],
  ['version 20, tilted', 20, { tilt: 0.1 }],
  ['version 20, unsharp and noisy', 20, { blur: 1.3, noise: 14 }],
  ['no code', 0, {}],
];
for (const [name, version, shot] of kinds) {
  const ours: number[] = [];
  const theirs: number[] = [];
  let [weRead, theyRead] = [0, 0];
  const sender = urSender(message, version === 20 ? 590 : 280);
  for (let seed = 0; seed < count; seed++) {
    const text = sender.part(seed + 1);
    const picture = photograph(version === 0 ? [[false]] : codeOf(text, { ecc: 'low', version }).modules, { seed, ...shot });
    const rgba = rgbaOf(picture);
    ours.push(await best(() => codesInPixels(picture, 'moving')));
    if ((await codesInPixels(picture, 'moving'))[0] === text) weRead++;
    const decode = (): string | undefined => {
      try {
        return decodeQR(rgba);
      } catch {
        return undefined;
      }
    };
    theirs.push(await best(decode));
    if (decode() === text) theyRead++;
  }
  console.log(`${name.padEnd(36)} ${shown(ours, weRead).padEnd(24)} ${shown(theirs, theyRead).padEnd(24)} ${(middle(ours) / middle(theirs)).toFixed(2)}`);
}
