/** The order in which codes are shown, on the screen and in a GIF. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawFiles } from '../../src/cli/qr-files.ts';
import { CodeSequence } from '../../src/cli/qr-sequence.ts';
import { MAX_SEQUENCE, textCapacity } from '../../src/qr/code.ts';
import { codesInFile } from '../../src/qr/read-file.ts';
import { urSender, UrReader } from '../../src/qr/ur.ts';
import { fragmentFor } from '../../src/qr/code.ts';

const message = (length: number): Uint8Array => new Uint8Array(createHash('shake256', { outputLength: length }).update('sequence').digest());
const numberOf = (text: string): number => Number(/^UR:BYTES\/(\d+)-/.exec(text)?.[1]);

describe('codes', () => {
  it('are the plain parts, then twice as many mixtures of many, and so on', () => {
    const sequence = new CodeSequence(message(3000), 8);
    const { count } = sequence;
    const sender = urSender(message(3000), fragmentFor(8, 'low', 3000));
    const shown = Array.from({ length: 7 * count }, (_, i) => sequence.text(i + 1));
    expect(shown).toEqual(shown.map((_, i) => sender.part(sender.sequence(i + 1))));
    const plain = Array.from({ length: count }, (_, i) => i + 1);
    for (const turn of [0, 3, 6]) expect(shown.slice(turn * count, (turn + 1) * count).map(numberOf)).toEqual(plain);
    const mixed = [...shown.slice(count, 3 * count), ...shown.slice(4 * count, 6 * count)].map(numberOf);
    expect(new Set(mixed).size).toBe(4 * count);
    expect(Math.min(...mixed)).toBeGreaterThan(count);
    // not simply the next ones: those of few parts are left out
    expect(Math.max(...mixed)).toBeGreaterThan(5 * count);
    // what is drawn is what is said
    expect(sequence.code(count + 1).modules).toEqual(new CodeSequence(message(3000), 8).code(count + 1).modules);
    expect(sequence.code(1)).toBe(sequence.code(3 * count + 1));
  });

  it.each([[3, 700], [6, 5000], [13, 30_000]])('of version %i fit, however long they run', (version, length) => {
    const sequence = new CodeSequence(message(length), version);
    for (const frame of [1, 2, 3, 10, 1000, 50_000, 150_000, 150_001, 400_000, 10_000_000]) {
      const text = sequence.text(frame);
      expect(numberOf(text)).toBeLessThanOrEqual(MAX_SEQUENCE);
      expect(text.length).toBeLessThanOrEqual(textCapacity(version, 'low'));
      expect(sequence.code(frame).version).toBe(version);
    }
  });

  it('one alone stays one', () => {
    const sequence = new CodeSequence(message(40), 8);
    expect([sequence.count, sequence.text(1) === sequence.text(999)]).toEqual([1, true]);
  });
});

describe('a GIF', () => {
  it('shows them in the same order, plain and mixed; without its plain parts it is as good', async () => {
    const load = { what: 'x', message: message(2000), readers: [] };
    const drawn = drawFiles(load, 'gif', 'x.gif', { density: 8, fps: 8 });
    const texts: string[] = [];
    for await (const text of codesInFile('x.gif', drawn.files[0]?.bytes)) texts.push(text);
    const sequence = new CodeSequence(load.message, 8);
    expect(texts).toEqual(Array.from({ length: drawn.frames }, (_, i) => sequence.text(i + 1)));
    expect(drawn.frames).toBe(2 * drawn.codes);
    const reader = new UrReader();
    for (const text of texts.slice(1)) reader.take(text);
    expect(reader.message).toEqual(load.message);
  });
});
