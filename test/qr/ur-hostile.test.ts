/** UR frames from somebody who means harm: refused for a stated reason, and without keeping the honest message out (memory and work: ur-bounds.test.ts). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytewords } from '../../src/qr/bytewords.ts';
import { type PartFields, wrapBytes } from '../../src/qr/cbor-part.ts';
import { crc32 } from '../../src/qr/crc32.ts';
import { Fragments, Mixer } from '../../src/qr/fountain.ts';
import { writePart, writeSingle } from '../../src/qr/ur-part.ts';
import { payloadSender, type Taken, UrReader, type UrSender, urSender } from '../../src/qr/ur.ts';
import { fromHex } from '../../src/wire/bytes.ts';
import { seeded, seededBytes } from '../support/seeded.ts';

const message = (length: number, seed = length): Uint8Array => seededBytes(length, seeded(seed));
/** Texts of any 16-bit units, halves of pairs among them. */
const anyText = fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 60 }).map((units) => String.fromCharCode(...units));
/** A frame with a right checksum that says whatever one likes. */
const forged = (part: Partial<PartFields>): string => writePart('bytes', { sequence: 1, count: 10, length: 1000, checksum: 7, fragment: new Uint8Array(100).fill(3), ...part });
/** A part whose contents are these bytes of CBOR, with a right checksum. */
const raw = (path: string, cbor: string): string => `ur:bytes/${path}/${toBytewords(fromHex(cbor))}`;
/** What a new reader says to one text. */
function said(text: string, limits = {}): [Taken, string | undefined] {
  const reader = new UrReader(limits);
  const taken = reader.take(text);
  expect(reader.message).toBeUndefined();
  expect(reader.progress.parts).toBe(taken === 'new' ? reader.progress.missing + 1 : 0);
  return [taken, reader.lastRefusal];
}

describe('refused, with the reason', () => {
  it('the frames that these are made from are taken', () => {
    expect(said(forged({}))).toEqual(['new', undefined]);
    expect(said(raw('1-2', '8501020a004502030405ff'.replace('0a00', '0a07')))).toEqual(['new', undefined]);
  });

  it.each([4097, 5000, 65_535, 65_536, 1_000_000, 2 ** 31, 2 ** 32 - 1])('a claim of %i parts', (count) => {
    const text = forged({ count, length: Math.min(2 ** 32 - 1, count * 100) });
    expect(said(text)).toEqual(['damaged', `it claims ${String(count)} parts; at most 4096 are taken`]);
    // the limit does not lean on the text outside of the checksum
    expect(said(text.replace(/-\d+/, '-4096'))).toEqual(['damaged', 'its contents have another SEQUENCE-COUNT than its text']);
  });

  it.each([['0-10'], ['1-0'], ['4294967296-10'], ['1-4294967296'], ['99999999999999999999-3'], ['01-10'], ['1-010'], ['+1-10'], ['1-10-1'], ['1-10-'], ['1'], ['-1-10'], ['1.0-10'], ['1e1-10'], ['٣-10'], [' 1-10'], ['-'], ['']])('the place %j', (place) => {
    expect(said(forged({}).replace('1-10', place))).toEqual(['damaged', 'its SEQUENCE-COUNT is not two numbers from 1 to 4294967295']);
  });

  it('a place that differs from the contents', () => {
    for (const place of ['2-10', '1-11']) expect(said(forged({}).replace('1-10', place))).toEqual(['damaged', 'its contents have another SEQUENCE-COUNT than its text']);
  });

  it('a fragment above 1,200 bytes, or as large as a text can be', () => {
    expect(said(forged({ fragment: new Uint8Array(1200), length: 12_000 }))[0]).toBe('new');
    expect(said(forged({ fragment: new Uint8Array(1201), length: 12_000 }))).toEqual(['damaged', 'its fragment has 1201 bytes; at most 1200 are taken']);
    expect(said(forged({ fragment: new Uint8Array(1300), length: 12_000 }))).toEqual(['damaged', 'longer than a part with a fragment of 1200 bytes']);
    expect(said(forged({ fragment: new Uint8Array(1_000_000), length: 12_000 }))).toEqual(['damaged', 'longer than a part with a fragment of 1200 bytes']);
    expect(said('UR:BYTES/'.padEnd(5_000_000, 'AE'))).toEqual(['damaged', 'longer than a part with a fragment of 1200 bytes']);
    expect(said('x'.repeat(5_000_000))).toEqual(['foreign', 'not a UR']);
  });

  it('a message above 4 MB', () => {
    expect(said(forged({ count: 4000, length: 4_000_000, fragment: new Uint8Array(1000) }))[0]).toBe('new');
    expect(said(forged({ count: 4001, length: 4_000_001, fragment: new Uint8Array(1000) }))).toEqual(['damaged', 'it claims a message of 4000001 bytes; at most 4000000 are taken']);
    expect(said(forged({ count: 4096, length: 2 ** 32 - 1, fragment: new Uint8Array(1000) }))[1]).toMatch(/^it claims a message of 4294967295 bytes/);
  });

  it('a message that its fragments do not hold exactly', () => {
    for (const [count, size, from, to] of [[10, 100, 901, 1000], [1, 5, 1, 5], [4096, 1, 4096, 4096], [2, 1200, 1201, 2400]] as const) {
      const part = (length: number): Taken => said(forged({ count, length, fragment: new Uint8Array(size) }))[0];
      // a single part of 1 whose checksum is wrong is damaged for that reason
      if (count > 1) expect([part(from), part(to)]).toEqual(['new', 'new']);
      for (const length of [0, from - 1, to + 1]) expect(said(forged({ count, length, fragment: new Uint8Array(size) }))).toEqual(['damaged', `${String(length)} bytes are not ${String(count)} fragments of ${String(size)} bytes`]);
    }
    expect(said(forged({ count: 3, length: 0, fragment: new Uint8Array(0) }))[0]).toBe('damaged');
  });

  it('checksums', () => {
    const text = urSender(message(500), 100).part(8);
    for (let i = text.lastIndexOf('/') + 1; i < text.length; i += 2) {
      const letters = text.slice(i, i + 2) === 'ZM' ? 'AE' : 'ZM';
      expect(said(text.slice(0, i) + letters + text.slice(i + 2))).toEqual(['damaged', 'its checksum is wrong: misread or damaged']);
    }
  });

  it.each([
    ['an array of four', '1-2', '840102031845'],
    ['an array of six', '1-2', '860102030a45020304050600'],
    ['a map', '1-2', 'a50102030405'],
    ['an array of no stated length', '1-2', '9f01020a07450203040506ff'],
    ['a sequence number longer than need be', '1-2', '851801020a07450203040506'],
    ['a count in three bytes', '1-2', '85011900020a07450203040506'],
    ['a length in five bytes', '1-2', '8501021a0000000a07450203040506'],
    ['a length in nine bytes', '1-2', '8501021b000000000000000a07450203040506'],
    ['a head of a reserved kind', '1-2', '8501021c0a07450203040506'],
    ['a checksum below zero', '1-2', '8501020a26450203040506'],
    ['a fragment of text', '1-2', '8501020a07656162636465'],
    ['a fragment with a longer head than need be', '1-2', '8501020a0758050203040506'],
    ['a fragment in pieces', '1-2', '8501020a075f450203040506ff'],
    ['a fragment that ends too early', '1-2', '8501020a074502030405'],
    ['a fragment that claims 4 GB', '1-2', '8501020a075affffffff0203'],
    ['something after the fragment', '1-2', '8501020a0745020304050600'],
    ['a head cut off', '1-2', '8501020a0758'],
    ['nothing', '1-2', ''],
    ['the array only', '1-2', '85'],
  ])('contents that are %s', (_, place, cbor) => {
    expect(said(raw(place, cbor))).toEqual(['damaged', 'its contents are not the CBOR of a part in shortest form']);
  });

  it('a single part that is empty, too large, or no byte string', () => {
    expect(said(writeSingle('bytes', new Uint8Array(0)))).toEqual(['damaged', 'a single part holds 1 to 1200 bytes, not 0']);
    expect(said(writeSingle('bytes', wrapBytes(new Uint8Array(1198))))).toEqual(['damaged', 'a single part holds 1 to 1200 bytes, not 1201']);
    for (const payload of ['000102', '58020102', '4301', '43010203ff', '6161', '5f4101ff', '5b0000000000000001aa']) {
      const reader = new UrReader();
      expect(reader.take(writeSingle('bytes', fromHex(payload)))).toBe('damaged');
      expect(reader.lastRefusal).toBe('its contents are not one CBOR byte string with the checksum announced');
    }
  });

  it.each([
    ['', 'foreign'], ['ur', 'foreign'], ['urn:bytes/x', 'foreign'], [' ur:bytes/aeadaolazmjendeoti', 'foreign'], ['uʀ:bytes/x', 'foreign'], ['https://ur:bytes/', 'foreign'], ['ur:crypto-psbt/aeadaolazmjendeoti', 'foreign'],
    ['ur:byte/aeadaolazmjendeoti', 'foreign'], ['ur:', 'damaged'], ['ur:bytes', 'damaged'], ['ur:bytes/', 'damaged'], ['ur:/aeadaolazmjendeoti', 'damaged'], ['ur:bytes#4/aeadaolazmjendeoti', 'damaged'], ['ur:bytes /ae', 'damaged'],
    ['ur:bytes/1-1a/aeadaolazmjendeoti', 'damaged'], ['ur:bytes/1-1/toomuch/aeadaolazmjendeoti', 'damaged'], ['ur:bytes//aeadaolazmjendeoti', 'damaged'], ['ur:bytes/aeadaolazmjendeoti/', 'damaged'], ['ur:byte\u017f/aeadaolazmjendeoti', 'damaged'],
    ['ur:bytes/aeadaolazmjendeoti\n', 'damaged'], ['ur:bytes/aeadaolazmjendeoti?x', 'damaged'],
  ])('%j', (text, taken) => {
    const reader = new UrReader();
    expect(reader.take(text)).toBe(taken);
    expect(reader.lastRefusal).toBeTypeOf('string');
    expect(reader.message).toBeUndefined();
    expect(reader.progress).toMatchObject({ foreign: taken === 'foreign' ? 1 : 0, damaged: taken === 'damaged' ? 1 : 0 });
  });

  it('without a word of the text in the reason', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom('', 'ur:', 'UR:BYTES/', 'ur:bytes/1-2/', 'ur:x-\u001b[2J/'), (text, start) => {
        const reader = new UrReader();
        reader.take(start + text);
        expect(reader.lastRefusal).toMatch(/^[A-Za-z0-9 ,;:./-]+$/);
      }),
      { numRuns: 100 },
    );
  });
});

/** Feeds frames by turns, one of each source, until the message is there; returns how many frames of the first source it took. */
function turns(reader: UrReader, wanted: Uint8Array, honest: (k: number) => string, ...hostile: ((k: number) => string)[]): number {
  const isWanted = (): boolean => reader.messages.some((m) => Buffer.compare(m, wanted) === 0);
  for (let k = 1; k <= 5000; k++) {
    reader.take(honest(k));
    if (isWanted()) {
      // somebody who rejects what is not wanted gets to it
      for (let i = 0; reader.message !== undefined && Buffer.compare(reader.message, wanted) !== 0; i++) {
        expect(i).toBeLessThan(4);
        reader.putAway(false);
      }
      if (reader.message !== undefined) return k;
    }
    for (const other of hostile) reader.take(other(k));
  }
  throw new Error('kept out');
}

describe('a hostile frame keeps nothing out', () => {
  const wanted = message(3000, 11);
  const sender: UrSender = urSender(wanted, 100);
  const honest = (k: number): string => sender.part(k);
  const other = urSender(message(400_000, 12), 100);

  it('the first frame is of another message: five frames later the honest one is followed, nothing of it lost', () => {
    for (const first of [forged({ count: 4096, length: 4096 * 100 }), other.part(1), other.part(5000), writeSingle('bytes', Uint8Array.of(7)), raw('1-1', '85010101014107')]) {
      const reader = new UrReader();
      reader.take(first);
      const taken = Array.from({ length: sender.count }, (_, i) => reader.take(sender.part(i + 1)));
      expect(taken.at(-1)).toBe('complete');
      expect(taken.filter((t) => t === 'foreign').length).toBeLessThanOrEqual(4);
      expect(reader.message).toEqual(wanted);
    }
  });

  it('one hostile frame between any two', () => {
    expect(turns(new UrReader(), wanted, honest, () => other.part(1))).toBe(sender.count);
  });
  it('a whole hostile message between, part for part', () => {
    expect(turns(new UrReader(), wanted, honest, (k) => other.part(k))).toBe(sender.count);
  });
  it('three hostile messages between, growing all the time', () => {
    const more = [1, 2, 3].map((seed) => urSender(message(400_000, seed), 100));
    expect(turns(new UrReader(), wanted, honest, ...more.map((s) => (k: number) => s.part(k)))).toBe(sender.count);
  });
  it('a new message in every hostile frame', () => {
    expect(turns(new UrReader(), wanted, honest, (k) => forged({ checksum: k }), (k) => forged({ checksum: 10_000 + k }))).toBe(sender.count);
  });
  it('small complete messages between: the caller rejects them and goes on', () => {
    expect(turns(new UrReader(), wanted, honest, (k) => urSender(message(20, 100 + (k % 2)), 100).part(1))).toBe(sender.count);
  });
  it('a burst of a hundred new messages at once does not touch what the reader is after', () => {
    const reader = new UrReader();
    for (let k = 1; k < sender.count; k++) {
      reader.take(honest(k));
      for (let i = 0; i < 100; i++) expect(reader.take(forged({ checksum: 1000 * k + i }))).toBe('foreign');
    }
    expect(reader.take(honest(sender.count))).toBe('complete');
    expect(reader.message).toEqual(wanted);
  });

  it('a first frame that is no message makes room at once', () => {
    const single = urSender(Uint8Array.of(1, 2, 3), 100).part(1);
    const reader = new UrReader();
    expect([reader.take(raw('1-1', '85010101014107')), reader.take(single)]).toEqual(['damaged', 'complete']);
    expect(reader.message).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('while its message gains, the reader stays with it', () => {
    const reader = new UrReader();
    for (let k = 1; k <= 20; k++) {
      expect(reader.take(honest(k))).toBe('new');
      for (let i = 0; i < 4; i++) expect(reader.take(other.part(4 * k + i))).toBe('foreign');
      expect(reader.progress).toMatchObject({ parts: sender.count, rank: k });
    }
    reader.take(honest(21));
    // frames that say nothing new are no gain
    for (let i = 0; i < 4; i++) expect([reader.take(honest(3)), reader.take(other.part(100 + i))]).toEqual(['known', 'foreign']);
    expect(reader.take(other.part(104))).toBe('new');
    expect(reader.progress).toMatchObject({ parts: other.count, rank: 85 });
    // back again takes as many, and so does forth again
    expect([22, 23, 24, 25, 26].map((n) => reader.take(honest(n)))).toEqual(['foreign', 'foreign', 'foreign', 'foreign', 'new']);
    expect([105, 106, 107, 108, 109].map((n) => reader.take(other.part(n)))).toEqual(['foreign', 'foreign', 'foreign', 'foreign', 'new']);
  });

  it('of the others, the one not seen for longest makes room', () => {
    const [x, y, z, w] = [1, 2, 3, 4].map((seed) => urSender(message(290, seed), 100)) as [UrSender, UrSender, UrSender, UrSender];
    const reader = new UrReader();
    for (const text of [honest(1), x.part(1), y.part(1), z.part(1), x.part(2), w.part(1), x.part(3)]) reader.take(text);
    expect(reader.messages).toEqual([message(290, 1)]);
    // y had to go: what it had is lost
    for (const text of [y.part(2), y.part(3)]) reader.take(text);
    expect(reader.messages.length).toBe(1);
    reader.take(y.part(1));
    expect(reader.messages.length).toBe(2);
  });

  it('a single code that passes by is not taken for the message; one that stays is', () => {
    const single = urSender(Uint8Array.of(1, 2, 3), 100).part(1);
    const reader = new UrReader();
    reader.take(honest(1));
    for (let i = 0; i < 4; i++) expect(reader.take(single)).toBe('foreign');
    expect(reader.take(single)).toBe('complete');
    expect(reader.message).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('forged parts of the same message', () => {
  const wanted = message(1000, 21);
  const sender = urSender(wanted, 100);
  const payload = wrapBytes(wanted);
  const like = { count: sender.count, length: payload.length, checksum: crc32(payload) };
  const size = new Fragments(payload, 100).size;
  const bad = writePart('bytes', { ...like, sequence: 3, fragment: new Uint8Array(size).fill(9) });

  it('a forged part is found out when the right one comes, and harms only this round', () => {
    const reader = new UrReader();
    expect(reader.take(bad)).toBe('new');
    expect(reader.take(sender.part(3))).toBe('damaged');
    expect(reader.lastRefusal).toMatch(/^contradicts the parts before it/);
    for (let n = 1; n < sender.count; n++) if (n !== 3) expect(reader.take(sender.part(n))).toBe('new');
    expect(reader.take(sender.part(sender.count))).toBe('damaged');
    expect(reader.lastRefusal).toBe(`all ${String(sender.count)} parts are there, but not the message announced: one was forged or misread, so it begins again`);
    expect(reader.progress).toMatchObject({ parts: sender.count, rank: 0, seen: 0, damaged: 2 });
    expect(reader.message).toBeUndefined();
    for (let n = 1; n <= sender.count; n++) reader.take(sender.part(n));
    expect(reader.message).toEqual(wanted);
  });

  it('a forged part that comes after the right one changes nothing', () => {
    const reader = new UrReader();
    for (let n = 1; n < sender.count; n++) reader.take(sender.part(n));
    expect(reader.take(bad)).toBe('damaged');
    expect(reader.take(sender.part(sender.count))).toBe('complete');
    expect(reader.message).toEqual(wanted);
  });

  it('a forged mixture too', () => {
    const mixer = new Mixer(sender.count, like.checksum);
    const sequence = Array.from({ length: 50 }, (_, i) => sender.count + 1 + i).find((n) => mixer.degree(n) === 3) as number;
    const reader = new UrReader();
    for (const i of mixer.of(sequence)) reader.take(sender.part(i + 1));
    expect(reader.take(sender.part(sequence))).toBe('known');
    expect(reader.take(writePart('bytes', { ...like, sequence, fragment: new Uint8Array(size) }))).toBe('damaged');
  });

  it('another message under the same announcement is only what the caller can refuse: the honest one comes after it', () => {
    // CRC-32 is linear: four chosen bytes give any checksum
    const text = new Uint8Array(1000).fill(65);
    const fake = sameChecksum(wrapBytes(text), like.checksum);
    const liar = payloadSender(fake, 100, 'bytes');
    const reader = new UrReader();
    for (let n = 1; n <= liar.count; n++) reader.take(liar.part(n));
    expect(reader.message?.length).toBe(1000);
    expect(reader.message).not.toEqual(wanted);
    reader.putAway(false);
    for (let n = 1; n <= sender.count; n++) reader.take(sender.part(n));
    expect(reader.message).toEqual(wanted);
  });
});

/** The bytes with their last four changed so that their CRC-32 is the one given. */
function sameChecksum(bytes: Uint8Array, checksum: number): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer, out.length - 4);
  view.setUint32(0, 0);
  const base = crc32(out);
  // how each of the 32 bits changes the checksum; then elimination, lowest bit first
  const rows = Array.from({ length: 32 }, (_, bit) => {
    view.setUint32(0, (1 << bit) >>> 0);
    return { change: (crc32(out) ^ base) >>> 0, bits: (1 << bit) >>> 0 };
  });
  let want = (base ^ checksum) >>> 0;
  let bits = 0;
  for (let column = 0; column < 32; column++) {
    const at = rows.findIndex((r, i) => i >= column && ((r.change >>> column) & 1) === 1);
    const pivot = rows[at] as (typeof rows)[number];
    rows[at] = rows[column] as (typeof rows)[number];
    rows[column] = pivot;
    for (const row of rows)
      if (row !== pivot && ((row.change >>> column) & 1) === 1) {
        row.change = (row.change ^ pivot.change) >>> 0;
        row.bits = (row.bits ^ pivot.bits) >>> 0;
      }
  }
  for (const [column, row] of rows.entries()) {
    if (((want >>> column) & 1) === 0) continue;
    want = (want ^ row.change) >>> 0;
    bits = (bits ^ row.bits) >>> 0;
  }
  view.setUint32(0, bits);
  expect(crc32(out)).toBe(checksum);
  return out;
}

describe('nothing makes it throw', () => {
  /** Whatever a frame says, the reader's own account stays sound. */
  function sound(reader: UrReader): void {
    const p = reader.progress;
    expect(p.rank).toBeLessThanOrEqual(p.parts);
    expect(p.missing).toBe(p.parts - p.rank);
    expect(reader.message === undefined || p.missing === 0).toBe(true);
  }

  it('no text', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, fc.string({ unit: fc.constantFrom(...'ur:bytesURBYTES/1-29aezm'), maxLength: 60 })), { maxLength: 10 }), (texts) => {
        const reader = new UrReader();
        for (const text of texts) expect(['foreign', 'damaged']).toContain(reader.take(text));
        sound(reader);
      }),
      { numRuns: 200 },
    );
  });

  it('no part with any numbers', () => {
    const number = fc.oneof(fc.nat(30), fc.nat(5000), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.integer({ min: 1, max: 12 }), number, fc.constantFrom(0, 1, 2 ** 32 - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.boolean()), { maxLength: 60 }), (list) => {
        const reader = new UrReader();
        for (const [sequence, count, length, checksum, fragment, fits] of list) {
          reader.take(writePart('bytes', { sequence, count, length: fits ? count * fragment.length : length, checksum, fragment }));
          sound(reader);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('no change of an honest part, and a part that is changed never changes the message', () => {
    const wanted = message(700, 31);
    const sender = urSender(wanted, 60);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(200), fc.constantFrom('', 'A', 'AE', 'e', '-', '/', '0', '\u0000'), fc.nat(2)), { minLength: 1, maxLength: 30 }), (changes) => {
        const reader = new UrReader();
        for (const [n, at, put, cut] of changes) {
          const text = sender.part(n);
          const where = at % text.length;
          const changed = text.slice(0, where) + put + text.slice(where + cut);
          const taken = reader.take(changed);
          if (changed.toUpperCase() !== text) expect(['foreign', 'damaged']).toContain(taken);
          sound(reader);
        }
        for (let n = 1; n <= sender.count; n++) reader.take(sender.part(n));
        expect(reader.message).toEqual(wanted);
      }),
      { numRuns: 100 },
    );
  });
});
