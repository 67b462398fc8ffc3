/** The UR reader with honest frames: any order, losses, repetitions, two messages by turns; and the sender's arguments. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Elimination } from '../../src/qr/elimination.ts';
import { Mixer, Showing } from '../../src/qr/fountain.ts';
import { MAX_FRAGMENT, MAX_PAYLOAD, UrReader, type UrSender, urSender } from '../../src/qr/ur.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { seeded, seededBytes } from '../support/seeded.ts';

function thrown(f: () => unknown): CeremonyError {
  try {
    f();
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
  throw new Error('accepted');
}
const message = (length: number, seed = length): Uint8Array => seededBytes(length, seeded(seed));
const parts = (sender: UrSender, from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => sender.part(from + i));

describe('the sender', () => {
  const sender = urSender(message(1000), 100);

  it('has no end of parts, each the same whenever asked for', () => {
    expect(sender.part(2 ** 32 - 1)).toBe(urSender(message(1000), 100).part(2 ** 32 - 1));
    expect([30, 2, 30].map((n) => sender.part(n))).toEqual([30, 2, 30].map((n) => urSender(message(1000), 100).part(n)));
  });

  it('writes only what a code holds in its alphanumeric mode, and no more than the documented length', () => {
    for (const [length, fragment] of [[60_000, 1200], [400_000, 100], [3_999_995, 1200], [1197, 1200]] as const) {
      const big = urSender(message(length), fragment);
      for (const n of [1, big.count, big.count + 1, 2 ** 32 - 1]) {
        expect(big.part(n)).toMatch(/^[0-9A-Z:/-]+$/);
        expect(big.part(n).length).toBeLessThanOrEqual(2 * (fragment + 28) + 36);
      }
    }
  });

  it.each([0, -1, 1.5, 2 ** 32, NaN, Infinity])('refuses part %d', (n) => {
    expect(thrown(() => sender.part(n)).code).toBe('E_QR');
    expect(thrown(() => urSender(message(5), 100).part(n)).code).toBe('E_QR');
  });
  it.each([0, -1, 1.5, NaN])('refuses frame %d', (n) => {
    expect(thrown(() => sender.sequence(n)).code).toBe('E_QR');
    expect(thrown(() => urSender(message(5), 100).sequence(n)).code).toBe('E_QR');
  });
  it.each([0, -5, 9.5, NaN, MAX_FRAGMENT + 1])('refuses fragments of %d bytes', (size) => {
    expect(thrown(() => urSender(message(1000), size)).code).toBe('E_QR');
  });
  it.each(['', 'Bytes', 'a/b', 'ü', 'a b'])('refuses the type %j', (type) => {
    expect(thrown(() => urSender(message(10), 100, type)).code).toBe('E_QR');
  });
  it('refuses what no reader takes', () => {
    expect(urSender(new Uint8Array(4096 * 10 - 3), 10).count).toBe(4096);
    expect(thrown(() => urSender(new Uint8Array(4096 * 10 - 2), 10))).toMatchObject({ code: 'E_QR', facts: { remedy: expect.stringContaining('denser') as string } });
    expect(urSender(new Uint8Array(MAX_PAYLOAD - 5), 1200).count).toBe(Math.ceil(MAX_PAYLOAD / 1200));
    expect(thrown(() => urSender(new Uint8Array(MAX_PAYLOAD - 4), 1200))).toMatchObject({ code: 'E_QR', facts: { remedy: expect.stringContaining('file') as string } });
  });
});

describe('the order of showing', () => {
  it.each([2, 3, 7, 10, 101, 750])('of %i fragments: the plain parts, then rich mixtures, in turn', (count) => {
    const mixer = new Mixer(count, 77 * count);
    const showing = new Showing(count, mixer);
    const mixtures: number[] = [];
    for (let frame = 1; frame <= 9 * count; frame++) {
      const n = showing.sequence(frame);
      const at = (frame - 1) % (3 * count);
      if (at < count) expect(n).toBe(at + 1);
      else {
        expect(n).toBeGreaterThan(count);
        expect(n).toBeLessThanOrEqual(65_535);
        expect(mixer.of(n).length).toBeGreaterThanOrEqual(count / 4);
        mixtures.push(n);
      }
    }
    // none twice, none left out
    expect(mixtures).toEqual(Array.from({ length: Math.max(...mixtures) - count }, (_, i) => count + 1 + i).filter((n) => mixer.degree(n) >= count / 4));
  });
  it('depends on the frame only, and does not run out', () => {
    const sender = urSender(message(1000), 100);
    const again = urSender(message(1000), 100);
    expect([500_000, 17, 500_001, 3].map((f) => again.sequence(f))).toEqual([500_000, 17, 500_001, 3].map((f) => sender.sequence(f)));
    for (const frame of [10 ** 6, 10 ** 9, Number.MAX_SAFE_INTEGER]) {
      const n = sender.sequence(frame);
      expect(Number.isInteger(n) && n >= 1 && n <= 65_535).toBe(true);
    }
    expect(urSender(message(5), 100).sequence(9)).toBe(1);
  });
});

describe('the reader', () => {
  it('says how far it is', () => {
    const sender = urSender(message(500), 100);
    const reader = new UrReader();
    expect(reader.progress).toEqual({ parts: 0, rank: 0, missing: 0, seen: 0, foreign: 0, damaged: 0 });
    expect(reader.take(sender.part(3))).toBe('new');
    expect(reader.take(sender.part(3))).toBe('known');
    expect(reader.take('https://example.org/')).toBe('foreign');
    expect(reader.lastRefusal).toBe('not a UR');
    expect(reader.take(sender.part(2).slice(0, -2))).toBe('damaged');
    expect(reader.lastRefusal).toBe('its checksum is wrong: misread or damaged');
    expect(reader.progress).toEqual({ parts: 6, rank: 1, missing: 5, seen: 2, foreign: 1, damaged: 1 });
    expect(reader.message).toBeUndefined();
    expect([1, 2, 5, 6].map((n) => reader.take(sender.part(n).toLowerCase()))).toEqual(['new', 'new', 'new', 'new']);
    expect(reader.lastRefusal).toBeUndefined();
    expect(reader.take(sender.part(4))).toBe('complete');
    expect(reader.progress).toEqual({ parts: 6, rank: 6, missing: 0, seen: 7, foreign: 1, damaged: 1 });
    expect(reader.message).toEqual(message(500));
    expect([reader.take(sender.part(4)), reader.take(sender.part(77))]).toEqual(['known', 'known']);
    expect(reader.message).toEqual(message(500));
  });

  it('takes frames in any order, lost and repeated, of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 5, max: 300 }), fc.integer(), (length, fragment, seed) => {
        const random = seeded(seed);
        const sender = urSender(message(length, seed), fragment);
        const reader = new UrReader();
        // numbers out of a window of three times the parts, somewhere in the sequence, plain parts among them or not
        const from = random() < 0.5 ? 1 : Math.floor(random() * 2 ** 32 * 0.99);
        for (let i = 0; reader.message === undefined; i++) {
          expect(i).toBeLessThan(200 + 200 * sender.count);
          const n = from + Math.floor(random() * (20 + 3 * sender.count));
          const before = reader.progress.rank;
          const taken = reader.take(sender.part(n));
          expect(['new', 'known', 'complete']).toContain(taken);
          expect(reader.progress.rank - before).toBe(taken === 'known' ? 0 : 1);
        }
        expect(reader.message).toEqual(message(length, seed));
        expect(reader.progress).toMatchObject({ foreign: 0, damaged: 0, missing: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('needs no plain part at all', () => {
    const sender = urSender(message(6000), 100);
    const reader = new UrReader();
    let shown = 0;
    for (let n = 5000; reader.message === undefined; n++, shown++) reader.take(sender.part(n));
    expect(reader.message).toEqual(message(6000));
    expect(shown).toBeLessThan(1.3 * sender.count);
  });

  it('of the type asked for only', () => {
    const sender = urSender(message(50), 100, 'mpc-blob');
    const other = new UrReader();
    expect([other.take(sender.part(1)), other.lastRefusal]).toEqual(['foreign', 'a UR of another type than bytes']);
    const reader = new UrReader({ type: 'mpc-blob' });
    expect([reader.take(sender.part(1)), reader.message]).toEqual(['complete', message(50)]);
  });

  it('a message in one part, written as part 1 of 1', async () => {
    const { writePart } = await import('../../src/qr/ur-part.ts');
    const { crc32 } = await import('../../src/qr/crc32.ts');
    const payload = Uint8Array.of(0x43, 1, 2, 3);
    const reader = new UrReader();
    expect(reader.take(writePart('bytes', { sequence: 1, count: 1, length: 4, checksum: crc32(payload), fragment: payload }))).toBe('complete');
    expect(reader.message).toEqual(Uint8Array.of(1, 2, 3));
    // the same message in its other form is the same message
    expect(reader.take(urSender(Uint8Array.of(1, 2, 3), 100).part(1))).toBe('known');
  });
});

describe('several messages', () => {
  const [a, b] = [message(1000, 1), message(900, 2)];
  const [ofA, ofB] = [urSender(a, 100), urSender(b, 100)];

  it('a person goes from one screen to the next, and back', () => {
    const reader = new UrReader();
    for (const text of parts(ofA, 1, 6)) expect(reader.take(text)).toBe('new');
    expect(parts(ofB, 1, 5).map((t) => reader.take(t))).toEqual(['foreign', 'foreign', 'foreign', 'foreign', 'new']);
    expect(reader.progress).toMatchObject({ parts: ofB.count, rank: 5, foreign: 4 });
    expect(parts(ofA, 7, 11).map((t) => reader.take(t))).toEqual(['foreign', 'foreign', 'foreign', 'foreign', 'complete']);
    expect(reader.message).toEqual(a);
    expect(parts(ofB, 6, ofB.count).map((t) => reader.take(t))).not.toContain('complete');
    expect(reader.message).toEqual(a);
    expect(reader.messages).toEqual([a, b]);
    reader.putAway();
    expect([reader.message, reader.messages]).toEqual([b, [b]]);
    expect(reader.take(ofA.part(3))).toBe('known');
    reader.putAway();
    expect([reader.message, reader.messages]).toEqual([undefined, []]);
    expect([reader.take(ofA.part(3)), reader.take(ofB.part(33))]).toEqual(['known', 'known']);
    expect(reader.progress).toMatchObject({ parts: 0, rank: 0, missing: 0 });
  });

  it('two by turns are both read, in no more frames than each alone needs', () => {
    const reader = new UrReader();
    for (let n = 1; n <= Math.max(ofA.count, ofB.count); n++) for (const text of [ofA.part(n), ofB.part(n)]) reader.take(text);
    // the shorter one is there first, and what is there is not kept back for the other
    expect(reader.messages).toEqual([b, a]);
    reader.putAway();
    expect(reader.message).toEqual(a);
  });

  it('putting away does nothing before the message is complete', () => {
    const reader = new UrReader();
    for (const text of parts(ofA, 1, 6)) reader.take(text);
    reader.putAway();
    expect(reader.progress.rank).toBe(6);
  });

  it('one that is put away as not wanted can come again', () => {
    const reader = new UrReader();
    const all = parts(ofA, 1, ofA.count);
    for (const text of all) reader.take(text);
    reader.putAway(false);
    expect(reader.message).toBeUndefined();
    expect(all.map((t) => reader.take(t)).at(-1)).toBe('complete');
    expect(reader.message).toEqual(a);
  });

  it('the last 64 that were put away are known', () => {
    const reader = new UrReader();
    const codes = Array.from({ length: 66 }, (_, i) => urSender(message(40, i), 100).part(1));
    for (const text of codes) {
      expect(reader.take(text)).toBe('complete');
      reader.putAway();
    }
    expect(codes.slice(2).map((t) => reader.take(t)).every((t) => t === 'known')).toBe(true);
    expect(reader.take(codes[1] as string)).toBe('complete');
  });
});

describe('elimination', () => {
  it('determines what the equations determine, and finds contradictions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 9 }), fc.integer(), (count, size, seed) => {
        const random = seeded(seed);
        const truth = Array.from({ length: count }, () => seededBytes(size, random));
        const equations = new Elimination(count, size);
        // the same over GF(2) with one integer a row: the reference
        const basis = new Map<number, bigint>();
        while (equations.rank < count) {
          const density = random();
          const indexes = Uint16Array.from(truth.keys()).filter(() => random() < density);
          if (indexes.length === 0) continue;
          const value = new Uint8Array(size);
          for (const i of indexes) truth[i]?.forEach((byte, at) => (value[at] = (value[at] as number) ^ byte));
          let rest = indexes.reduce((row, i) => row | (1n << BigInt(i)), 0n);
          const lead = (): number => rest.toString(2).length;
          while (rest !== 0n && basis.has(lead())) rest ^= basis.get(lead()) as bigint;
          if (rest !== 0n) basis.set(lead(), rest);
          else {
            const wrong = value.slice();
            wrong[size - 1] = (wrong[size - 1] as number) ^ 0x80;
            expect(equations.add(indexes, wrong)).toBe('contradiction');
          }
          expect(equations.add(indexes, value)).toBe(rest === 0n ? 'nothing' : 'new');
          expect(equations.rank).toBe(basis.size);
        }
        expect(equations.solve()).toEqual(Uint8Array.from(truth.flatMap((t) => [...t])));
        expect(equations.rank).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
