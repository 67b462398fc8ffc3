/**
 * How many frames must be shown when some are lost: seeded statistics, the same in every run. The least number is
 * parts / (share that arrives).
 */
import { describe, expect, it } from 'vitest';
import { UrReader, type UrSender, urSender } from '../../src/qr/ur.ts';
import { seeded, seededBytes } from '../support/seeded.ts';

const TRIALS = 40;

/** Frames shown until the message is complete, of each trial, ascending, in units of the least number. */
function shown(length: number, fragment: number, loss: number, sequence: (sender: UrSender, frame: number) => number, trials = TRIALS): number[] {
  const random = seeded(length * 31 + fragment);
  const results: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const message = seededBytes(length, random);
    const sender = urSender(message, fragment);
    const reader = new UrReader();
    let frame = 0;
    while (reader.message === undefined) {
      frame++;
      if (random() >= loss) reader.take(sender.part(sequence(sender, frame)));
    }
    if (trial === 0) expect(reader.message).toEqual(message);
    results.push((frame * (1 - loss)) / sender.count);
  }
  return results.sort((a, b) => a - b);
}
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const inOrder = (_: UrSender, frame: number): number => frame;
const asShown = (sender: UrSender, frame: number): number => sender.sequence(frame);

describe('20 kB, one frame in five lost', () => {
  // bytes of a fragment in codes of version 20, 14, 13 and 10, and 51 and 101 parts
  it.each([[392, 52], [307, 66], [281, 72], [200, 101], [170, 118]])('in fragments of %i bytes: %i parts', (fragment, count) => {
    expect(urSender(new Uint8Array(20_000), fragment).count).toBe(count);
    const standard = shown(20_000, fragment, 0.2, inOrder);
    expect(mean(standard)).toBeLessThan(1.3);
    const ours = shown(20_000, fragment, 0.2, asShown);
    expect(mean(ours)).toBeLessThan(1.07);
    // nineteen of twenty, and the worst
    expect(ours[Math.floor(0.95 * TRIALS)]).toBeLessThan(1.2);
    expect(ours.at(-1)).toBeLessThan(1.3);
    expect(mean(ours)).toBeLessThan(mean(standard));
  });

  it('across a terminal of 120 × 40 at 8 frames a second (72 parts): 13 seconds, in nineteen of twenty cases', () => {
    const ours = shown(20_000, 281, 0.2, asShown).map((ratio) => (ratio * 72) / 0.8 / 8);
    expect(mean(ours)).toBeLessThan(12.5);
    expect(ours[Math.floor(0.95 * TRIALS)]).toBeLessThan(13);
  });
});

describe('otherwise', () => {
  it('nothing lost: exactly the parts', () => {
    for (const fragment of [30, 100, 999]) expect(new Set(shown(1000, fragment, 0, asShown, 5))).toEqual(new Set([1]));
  });
  it('half of the frames lost', () => {
    expect(mean(shown(10_000, 100, 0.5, asShown))).toBeLessThan(1.1);
  });
  it('nine of ten lost', () => {
    expect(mean(shown(5_000, 100, 0.9, asShown, 20))).toBeLessThan(1.4);
  });
  it('a reader that comes late, anywhere in the sequence', () => {
    const random = seeded(99);
    const start = Array.from({ length: 30 }, () => Math.floor(random() * 1000));
    for (const from of start) expect(mean(shown(10_000, 100, 0, (sender, frame) => sender.sequence(from + frame), 1))).toBeLessThan(1.5);
  });
  it('few parts: two to ten', () => {
    for (let count = 2; count <= 10; count++) expect(mean(shown(100 * count - 3, 100, 0.2, asShown))).toBeLessThan(1.4);
  });
  it('seven hundred parts', () => {
    expect(mean(shown(150_000, 200, 0.2, asShown, 2))).toBeLessThan(1.05);
  });
});
