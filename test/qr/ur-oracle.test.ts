/** UR against another implementation, @ngraveio/bc-ur: the same parts byte for byte, and each reads the other's. */
import { UR, URDecoder, UREncoder } from '@ngraveio/bc-ur';
import { describe, expect, it } from 'vitest';
import { type UrSender, UrReader, urSender } from '../../src/qr/ur.ts';
import { seeded, seededBytes } from '../support/seeded.ts';

const theirs = (message: Uint8Array, fragment: number, type?: string, after = 0): UREncoder =>
  new UREncoder(type === undefined ? UR.fromBuffer(Buffer.from(message)) : new UR(UR.fromBuffer(Buffer.from(message)).cbor, type), fragment, after);

/** Lengths around every step of a CBOR head and of the number of fragments, and the sizes of real messages. */
const SHAPES: [length: number, fragment: number][] = [
  [0, 10], [1, 10], [8, 10], [9, 10], [10, 10], [18, 10], [19, 10], [22, 20], [23, 20], [24, 20], [38, 20], [39, 20], [100, 33], [255, 60], [256, 60], [256, 30], [333, 100], [1000, 1000], [1000, 997], [1200, 600],
  [1197, 1200], [1198, 1200], [3000, 10], [2400, 24], [4097, 1200], [20_000, 47], [20_000, 281], [65_535, 595], [65_536, 595], [70_001, 1200],
];

describe('our parts are theirs', () => {
  it.each(SHAPES)('%i bytes in fragments of %i', (length, fragment) => {
    const message = seededBytes(length, seeded(length + fragment));
    const ours = urSender(message, fragment);
    const other = theirs(message, fragment);
    expect(ours.count).toBe(other.fragmentsLength);
    // the plain parts, and half as many mixtures
    const many = Math.min(Math.ceil(1.5 * ours.count) + 12, 120);
    for (let n = 1; n <= many; n++) expect(ours.part(n)).toBe(other.nextPart().toUpperCase());
  });

  it.each([[500, 50, 0xff], [500, 50, 0x100], [500, 50, 0xffff], [5000, 41, 0x10000], [5000, 41, 123_456_789], [5000, 90, 2 ** 31 - 2], [1000, 300, 2 ** 32 - 40]])('%i bytes in %i, far along the sequence, from %i', (length, fragment, after) => {
    const message = seededBytes(length, seeded(after));
    const ours = urSender(message, fragment);
    const other = theirs(message, fragment, undefined, after - 20);
    for (let n = after - 19; n <= after + 20; n++) expect(ours.part(n)).toBe(other.nextPart().toUpperCase());
  });

  it('of any number of fragments: 2 to 200, ten mixtures each', () => {
    const random = seeded(5);
    for (let count = 2; count <= 200; count += 3) {
      const message = seededBytes(count * 11 - 8, random);
      const ours = urSender(message, 11);
      const other = theirs(message, 11, undefined, count);
      expect(ours.count).toBe(other.fragmentsLength);
      for (let n = count + 1; n <= count + 10; n++) expect(ours.part(n)).toBe(other.nextPart().toUpperCase());
    }
  });

  it('of another type', () => {
    const message = seededBytes(300, seeded(1));
    const ours = urSender(message, 100, 'x-any-2');
    const other = theirs(message, 100, 'x-any-2');
    for (let n = 1; n <= 12; n++) expect(ours.part(n)).toBe(other.nextPart().toUpperCase());
  });

  it('in the order that we show them, too', () => {
    const message = seededBytes(1500, seeded(9));
    const ours = urSender(message, 100);
    for (let frame = 1; frame <= 4 * ours.count; frame++) {
      const n = ours.sequence(frame);
      expect(ours.part(n)).toBe(theirs(message, 100, undefined, n - 1).nextPart().toUpperCase());
    }
  });
});

/** One in five lost, in the order of a screen; parts until it is complete. */
function throughCamera(part: (frame: number) => string, take: (text: string) => boolean, random: () => number): void {
  for (let frame = 1; frame < 10_000; frame++) {
    const text = part(frame);
    if (random() >= 0.2 && take(text)) return;
  }
  throw new Error('never complete');
}

describe('each reads the other', () => {
  it.each(SHAPES.filter(([length, fragment]) => length > 0 && length <= 150 * fragment))('%i bytes in fragments of %i', (length, fragment) => {
    const random = seeded(length * fragment);
    const message = seededBytes(length, random);
    const ours = urSender(message, fragment);

    const reader = new UrReader();
    const other = theirs(message, fragment);
    throughCamera(() => other.nextPart(), (text) => reader.take(text) === 'complete', random);
    expect(reader.message).toEqual(message);
    expect(reader.progress).toMatchObject({ parts: ours.count, missing: 0, foreign: 0, damaged: 0 });

    for (const order of [(frame: number) => frame, (frame: number) => ours.sequence(frame)]) {
      const decoder = new URDecoder();
      throughCamera((frame) => ours.part(order(frame)), (text) => (decoder.receivePart(text), decoder.isComplete()), random);
      expect(decoder.isSuccess()).toBe(true);
      expect(Buffer.compare(decoder.resultUR().decodeCBOR(), message)).toBe(0);
    }
  });

  it('and what one refuses of a damaged part, the other refuses', () => {
    const ours: UrSender = urSender(seededBytes(400, seeded(3)), 50);
    for (let n = 1; n <= 12; n++) {
      const text = ours.part(n);
      const bad = `${text.slice(0, -10)}${text.slice(-10, -8) === 'AE' ? 'AD' : 'AE'}${text.slice(-8)}`;
      expect(new UrReader().take(bad)).toBe('damaged');
      expect(() => new URDecoder().receivePart(bad)).toThrow('Invalid Checksum');
    }
  });
});
