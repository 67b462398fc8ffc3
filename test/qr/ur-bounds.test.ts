/** What hostile UR frames cost at most: memory that stays flat, and work that comes to an end. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type PartFields, wrapBytes } from '../../src/qr/cbor-part.ts';
import { writePart, writeSingle } from '../../src/qr/ur-part.ts';
import { UrReader, urSender } from '../../src/qr/ur.ts';
import { seeded, seededBytes } from '../support/seeded.ts';

const message = (length: number, seed = length): Uint8Array => seededBytes(length, seeded(seed));
/** A frame with a right checksum that says whatever one likes. */
const forged = (part: Partial<PartFields>): string => writePart('bytes', { sequence: 1, count: 10, length: 1000, checksum: 7, fragment: new Uint8Array(100).fill(3), ...part });

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const MB = 1_000_000;

  it.each<[frames: number, what: string, frame: (k: number) => string, most: number]>([
    [10_000, 'that each claim another message of 4 MB', (k) => forged({ count: 4096, length: 4096 * 976, checksum: k, fragment: new Uint8Array(976) }), 2],
    [3_000, 'mixtures of ever other messages of 4 MB', (k) => forged({ sequence: 2 ** 32 - 1 - k, count: 4096, length: 4096 * 976, checksum: k, fragment: new Uint8Array(976) }), 2],
    [10_000, 'that claim a million parts', (k) => forged({ count: 1_000_000 + k, length: 100_000_000 }), 1],
    [10_000, 'of four messages by turns, of few fragments, with ever new numbers', (k) => forged({ sequence: 1 + k * 400_000, count: 20, length: 2000, checksum: k % 4 }), 1],
    [10_000, 'that are no part', (k) => `UR:BYTES/${String(k)}-10/${'AE'.repeat(1000)}`, 1],
    [10_000, 'that are a complete message each', (k) => writeSingle('bytes', wrapBytes(new Uint8Array(1000).fill(k))), 1],
  ])('stays flat under %i frames %s', (frames, _, frame, most) => {
    const reader = new UrReader();
    for (let k = 0; k < 500; k++) reader.take(frame(k));
    const before = used();
    for (let k = 500; k < frames + 500; k++) reader.take(frame(k));
    expect((used() - before) / MB).toBeLessThan(most);
    // and it still reads
    const wanted = message(500);
    const sender = urSender(wanted, 100);
    let shown = 0;
    while (reader.message === undefined || Buffer.compare(reader.message, wanted) !== 0) {
      reader.putAway(false);
      reader.take(sender.part(++shown));
      expect(shown).toBeLessThan(20);
    }
  });

  it('of a message as large as there may be, is what has come in', () => {
    const reader = new UrReader();
    const before = used();
    // 1,000 frames of each of five messages, all of full size, no equation a plain one
    const ends: number[] = [];
    for (let k = 0; k < 1_000; k++) {
      for (let m = 0; m < 5; m++) reader.take(forged({ sequence: 5000 + k, count: 4096, length: 4096 * 976, checksum: m, fragment: new Uint8Array(976).fill(k) }));
      if (k % 250 === 249) ends.push((used() - before) / MB);
    }
    // four are kept, each with at most 1,000 rows of 976 + 512 bytes and what an object costs
    expect(Math.max(...ends)).toBeLessThan(8);
  });
});

describe('work', () => {
  it('a frame costs at most one pass over the rows: 2,048 parts, only mixtures, lost and repeated', () => {
    const wanted = message(2048 * 20 - 5, 41);
    const sender = urSender(wanted, 20);
    expect(sender.count).toBe(2048);
    const reader = new UrReader();
    let frames = 0;
    for (let n = 2049; reader.message === undefined; n++, frames++) reader.take(sender.part(n));
    expect(frames).toBeLessThan(2048 * 1.05);
    expect(reader.message).toEqual(wanted);
  });
});
