/** Which code holds which text, and which fragment fits which code. */
import { encodeQR } from 'qr';
import { decodeQR } from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { codeOf, codesNeeded, type Ecc, fragmentFor, MAX_SEQUENCE, MAX_VERSION, type Modules, sizeOf, textCapacity, versionFor } from '../../src/qr/code.ts';
import { rasterOf } from '../../src/qr/raster.ts';
import { MAX_FRAGMENT, MAX_PARTS, MAX_PAYLOAD, UrReader, urSender } from '../../src/qr/ur.ts';
import { CeremonyError } from '../../src/wire/errors.ts';

const LEVELS: readonly Ecc[] = ['low', 'medium'];
const VERSIONS = Array.from({ length: MAX_VERSION }, (_, i) => i + 1);
const letters = (n: number): string => Array.from({ length: n }, (_, i) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/'[(i * i + 5 * i) % 38]).join('');
const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 167 + (i >> 8) * 31 + 11) & 0xff);

function codeOfError(work: () => unknown): string {
  try {
    work();
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
  return 'none';
}

/** What a reader that shares no code with the writer's side sees in a code. */
function read(modules: Modules): string {
  const { side, pixels } = rasterOf(modules, { scale: 3 });
  return decodeQR({ width: side, height: side, data: Uint8Array.from({ length: side * side * 4 }, (_, i) => (i % 4 === 3 ? 255 : pixels[i >> 2] === 1 ? 0 : 255)) });
}

it.each(LEVELS)('capacities, error correction %s: a text that fills a version fits it, one character more does not', (ecc) => {
  for (const version of VERSIONS) {
    const most = textCapacity(version, ecc);
    const code = codeOf(letters(most), { ecc });
    expect([code.version, code.size, code.modules.length, code.modules.every((row) => row.length === sizeOf(version))]).toEqual([version, 17 + 4 * version, 17 + 4 * version, true]);
    expect(codeOfError(() => codeOf(letters(most + 1), { ecc, version }))).toBe('E_TOO_LARGE');
    expect(versionFor(most + 1, ecc)).toBe(version === MAX_VERSION ? undefined : version + 1);
    // what the library can do is neither less nor more than the table says
    expect(() => encodeQR(letters(most + 1), 'raw', { ecc, encoding: 'alphanumeric', version })).toThrow();
  }
});

describe('a code', () => {
  it('says its text', () => {
    for (const version of [1, 2, 5, 6, 7, 9, 10, 13, 14, 20, 26, 27, 40]) for (const ecc of LEVELS) expect(read(codeOf(letters(textCapacity(version, ecc)), { ecc }).modules)).toBe(letters(textCapacity(version, ecc)));
  });
  it('has no quiet zone of its own: the finder patterns stand in its corners', () => {
    const { modules, size } = codeOf('HELLO', { ecc: 'low' });
    const finder = (x: number, y: number): boolean => Array.from({ length: 7 }, (_, i) => [modules[y]?.[x + i], modules[y + 6]?.[x + i], modules[y + i]?.[x], modules[y + i]?.[x + 6]]).flat().every((m) => m === true);
    expect([finder(0, 0), finder(size - 7, 0), finder(0, size - 7)]).toEqual([true, true, true]);
  });
  it('is the smallest that fits, or no smaller than asked, or exactly as asked', () => {
    expect(codeOf(letters(100), { ecc: 'low' }).version).toBe(4);
    expect(codeOf(letters(100), { ecc: 'medium' }).version).toBe(5);
    expect(codeOf(letters(100), { ecc: 'low', minVersion: 9 }).version).toBe(9);
    expect(codeOf(letters(100), { ecc: 'low', minVersion: 2 }).version).toBe(4);
    expect(codeOf(letters(100), { ecc: 'low', version: 4 }).version).toBe(4);
    expect(codeOf(letters(100), { ecc: 'low', version: 11 }).version).toBe(11);
    expect(codeOfError(() => codeOf(letters(100), { ecc: 'low', version: 3 }))).toBe('E_TOO_LARGE');
    expect(codeOfError(() => codeOf(letters(100), { ecc: 'low', minVersion: 41 }))).toBe('E_TOO_LARGE');
    expect(codeOfError(() => codeOf(letters(4297), { ecc: 'low' }))).toBe('E_TOO_LARGE');
  });
  it('has the error correction asked for', () => {
    // format information, bits 14 and 13 beside the upper left finder pattern, with the mask of the standard taken off
    const level = (m: Modules): string => `${m[8]?.[0] === true ? 0 : 1}${m[8]?.[1] === true ? 1 : 0}`;
    expect([level(codeOf(letters(200), { ecc: 'low' }).modules), level(codeOf(letters(200), { ecc: 'medium' }).modules)]).toEqual(['01', '00']);
  });
  it('takes no text that would need another mode', () => {
    for (const text of ['ur:bytes/ae', 'UR:BYTES/Ä', 'A\n', '', 'A_B']) expect(codeOfError(() => codeOf(text, { ecc: 'low' }))).toBe('E_INTERNAL');
  });
  it('is the same every time', () => {
    expect(codeOf(letters(300), { ecc: 'low' })).toEqual(codeOf(letters(300), { ecc: 'low' }));
  });
  it('there is none of version 0 or 41', () => {
    for (const version of [0, 41, 1.5]) expect(codeOfError(() => textCapacity(version, 'low'))).toBe('E_INTERNAL');
  });
});

describe('one code', () => {
  it('holds a blob of 185 bytes at version 10, error correction low', () => {
    const sender = urSender(bytes(185), fragmentFor(10, 'low', 185));
    expect(sender.count).toBe(1);
    const text = sender.part(1);
    expect(text.length).toBe(391);
    expect(codeOf(text, { ecc: 'low' }).version).toBeLessThanOrEqual(10);
    expect(codesNeeded(10, 'low', 185)).toBe(1);
  });
  it('holds what it can and not one byte more', () => {
    for (const ecc of LEVELS)
      for (let version = 5; version <= 27; version++) {
        let most = 0;
        while (codesNeeded(version, ecc, most + 1) === 1) most += 1;
        const text = (n: number): string => urSender(bytes(n), MAX_FRAGMENT).part(1);
        expect([ecc, version, text(most).length <= textCapacity(version, ecc), text(most + 1).length <= textCapacity(version, ecc)]).toEqual([ecc, version, true, false]);
      }
  });
});

describe('fragments', () => {
  // every number of digits, and both sides of where a number takes a byte more in CBOR
  const SEQUENCES = [1, 9, 23, 24, 99, 100, 255, 256, 999, 1000, 9999, 10_000, 65_535];
  const LENGTHS = [60, 185, 300, 1_000, 4_000, 20_000, 65_533, 150_000];

  it('fit, for every version, error correction, size and sequence number; a byte more would not, or would spare no code', () => {
    expect(SEQUENCES.at(-1)).toBe(MAX_SEQUENCE);
    const digits = new Set<number>();
    for (const ecc of LEVELS)
      for (let version = 5; version <= 27; version++)
        for (const length of LENGTHS) {
          const capacity = textCapacity(version, ecc);
          const where = [ecc, version, length];
          const message = bytes(length);
          const longest = (fragment: number): { readonly count: number; readonly longest: number } => {
            const sender = urSender(message, fragment);
            // of many parts only the last: the length depends on nothing but the numbers
            return { count: sender.count, longest: Math.max(...(sender.count > 99 ? [MAX_SEQUENCE] : SEQUENCES).map((n) => sender.part(n).length)) };
          };
          let fragment: number;
          try {
            fragment = fragmentFor(version, ecc, length);
          } catch (e) {
            expect([...where, (e as CeremonyError).code]).toEqual([...where, 'E_TOO_LARGE']);
            // there is no fragment that would do: already the size that makes 4,096 parts is too large
            expect([...where, longest(Math.min(MAX_FRAGMENT, Math.ceil((length + 5) / MAX_PARTS))).longest > capacity]).toEqual([...where, true]);
            continue;
          }
          const fits = longest(fragment);
          expect([...where, fits.longest <= capacity]).toEqual([...where, true]);
          expect([...where, fits.count]).toEqual([...where, codesNeeded(version, ecc, length)]);
          digits.add(String(fits.count).length);
          if (fits.count === 1 || fragment === MAX_FRAGMENT) continue;
          const more = longest(fragment + 1);
          expect([...where, more.longest > capacity || more.count === fits.count]).toEqual([...where, true]);
        }
    expect([...digits].sort()).toEqual([1, 2, 3, 4]);
  });
  it('come back as codes that a reader reads', () => {
    const message = bytes(2_000);
    const sender = urSender(message, fragmentFor(13, 'low', message.length));
    const reader = new UrReader();
    for (let n = 1; n <= sender.count; n++) reader.take(read(codeOf(sender.part(n), { ecc: 'low', version: 13 }).modules));
    expect(reader.message).toEqual(message);
  });
  it('there are none for what no sender takes', () => {
    expect(codeOfError(() => fragmentFor(1, 'medium', 100_000))).toBe('E_TOO_LARGE');
    expect(codeOfError(() => fragmentFor(40, 'low', MAX_PAYLOAD - 4))).toBe('E_TOO_LARGE');
    expect(codeOfError(() => fragmentFor(40, 'low', MAX_PAYLOAD - 5))).toBe('none');
  });
});
