/**
 * The UR codec against the npm library (@ngraveio/bc-ur), by turns in one process: milliseconds a frame to write and to read,
 * and how many frames must be shown when one in five is lost.
 *
 *   npm run bench:ur
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { UR, URDecoder, UREncoder } from '@ngraveio/bc-ur';
import { UrReader, urSender } from '../src/qr/ur.ts';

const ROUNDS = 7;
const LOSS = 0.2;

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] as number;
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

function timed<T>(work: () => T): [milliseconds: number, result: T] {
  const from = performance.now();
  const result = work();
  return [performance.now() - from, result];
}

/** The texts of this many frames. */
const oursWrites = (message: Uint8Array, fragment: number, frames: number): string[] => {
  const sender = urSender(message, fragment);
  return Array.from({ length: frames }, (_, i) => sender.part(i + 1));
};
const theirsWrites = (message: Uint8Array, fragment: number, frames: number): string[] => {
  const encoder = new UREncoder(UR.fromBuffer(Buffer.from(message)), fragment);
  return Array.from({ length: frames }, () => encoder.nextPart());
};

/** How many of the texts were read until the message was there. */
function oursReads(texts: Iterable<string>): number {
  const reader = new UrReader();
  let count = 0;
  for (const text of texts) {
    count++;
    if (reader.take(text) === 'complete') return count;
  }
  return Infinity;
}
function theirsReads(texts: Iterable<string>): number {
  const decoder = new URDecoder();
  let count = 0;
  for (const text of texts) {
    count++;
    decoder.receivePart(text);
    if (decoder.isComplete()) return count;
  }
  return Infinity;
}

console.log(`node ${process.version}; medians of ${String(ROUNDS)} rounds, ms a frame; the first 1.7 × parts in order, one in five lost\n`);
console.log('message    fragment  parts |  write: theirs    ours  ratio |   read: theirs    ours  ratio');
for (const [length, fragment] of [[1000, 200], [20_000, 200], [20_000, 281], [20_000, 400], [150_000, 400], [150_000, 800]] as const) {
  const message = randomBytes(length);
  const { count } = urSender(message, fragment);
  const frames = Math.ceil(1.7 * count) + 10;
  const times = { theirsWrite: [] as number[], oursWrite: [] as number[], theirsRead: [] as number[], oursRead: [] as number[] };
  for (let round = -2; round < ROUNDS; round++) {
    const [theirsWrite, texts] = timed(() => theirsWrites(message, fragment, frames));
    const [oursWrite, same] = timed(() => oursWrites(message, fragment, frames));
    if (same.some((text, i) => text !== texts[i]?.toUpperCase())) throw new Error('the parts differ');
    const arrived = same.filter(() => Math.random() >= LOSS);
    const [theirsRead, readByThem] = timed(() => theirsReads(arrived));
    const [oursRead, readByUs] = timed(() => oursReads(arrived));
    if (round < 0) continue;
    times.theirsWrite.push(theirsWrite / frames);
    times.oursWrite.push(oursWrite / frames);
    times.theirsRead.push(theirsRead / Math.min(readByThem, arrived.length));
    times.oursRead.push(oursRead / Math.min(readByUs, arrived.length));
  }
  const [tw, ow, tr, or] = [median(times.theirsWrite), median(times.oursWrite), median(times.theirsRead), median(times.oursRead)];
  const cells = [tw, ow, tr, or].map((t) => t.toFixed(4).padStart(8)) as [string, string, string, string];
  console.log(
    `${String(length).padStart(7)} B  ${String(fragment).padStart(6)} B ${String(count).padStart(6)} |        ${cells[0]}${cells[1]} ${(tw / ow).toFixed(0).padStart(6)} |       ${cells[2]}${cells[3]} ${(tr / or).toFixed(0).padStart(6)}`,
  );
}

/** Frames shown until complete, of many trials: mean and the nineteenth of twenty, in units of parts / (1 − loss). */
function shown(length: number, fragment: number, trials: number, texts: (message: Uint8Array) => (frame: number) => string, reads: (texts: Iterable<string>) => number): string {
  const ratios = Array.from({ length: trials }, () => {
    const message = randomBytes(length);
    const text = texts(message);
    let frame = 0;
    reads(
      (function* () {
        for (;;) {
          frame++;
          if (Math.random() >= LOSS) yield text(frame);
        }
      })(),
    );
    return (frame * (1 - LOSS)) / urSender(message, fragment).count;
  }).sort((a, b) => a - b);
  return `${mean(ratios).toFixed(2)} (${(ratios[Math.floor(0.95 * trials)] as number).toFixed(2)})`.padStart(14);
}

console.log('\nFrames shown, in units of the least number (parts / 0.8): mean, and in brackets what 19 of 20 trials do not exceed\n');
console.log('message    fragment  parts |    their reader    our reader    our reader');
console.log('                           |  parts in order            do.  as we show them');
for (const [length, fragment, trials] of [[1000, 200, 400], [20_000, 400, 400], [20_000, 281, 400], [20_000, 200, 400], [150_000, 400, 60], [150_000, 200, 40]] as const) {
  const inOrder = (message: Uint8Array): ((frame: number) => string) => {
    const sender = urSender(message, fragment);
    return (frame) => sender.part(frame);
  };
  const asShown = (message: Uint8Array): ((frame: number) => string) => {
    const sender = urSender(message, fragment);
    return (frame) => sender.part(sender.sequence(frame));
  };
  const theirs = shown(length, fragment, Math.min(trials, length > 20_000 ? 5 : 40), inOrder, theirsReads);
  const cells = `${theirs}${shown(length, fragment, trials, inOrder, oursReads)}${shown(length, fragment, trials, asShown, oursReads)}`;
  console.log(`${String(length).padStart(7)} B  ${String(fragment).padStart(6)} B ${String(urSender(new Uint8Array(length), fragment).count).padStart(6)} |  ${cells}`);
}
