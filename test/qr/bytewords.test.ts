/** Bytewords and the checksum below UR: the published examples, and everything that must be refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBytewords, toBytewords } from '../../src/qr/bytewords.ts';
import { crc32 } from '../../src/qr/crc32.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('CRC-32', () => {
  // the reference implementation's tests, and the check value of the CRC catalogue
  it.each([['Hello, world!', 0xebe6c6e6], ['Wolf', 0x598c84dc], ['123456789', 0xcbf43926], ['', 0]])('of %j', (text, sum) => {
    expect(crc32(ascii(text))).toBe(sum);
  });
  it('of the first bytes only', () => {
    expect(crc32(ascii('Wolfram'), 4)).toBe(0x598c84dc);
  });
});

describe('bytewords', () => {
  const LONG = Uint8Array.of(
    245, 215, 20, 198, 241, 235, 69, 59, 209, 205, 165, 18, 150, 158, 116, 135, 229, 212, 19, 159, 17, 37, 239, 240, 253, 11, 109, 191, 37, 242, 38, 120, 223, 41, 156, 189, 242, 254, 147, 204, 66, 163, 216, 175, 191, 72, 169, 54, 32, 60,
    144, 230, 210, 137, 184, 197, 33, 113, 88, 14, 157, 31, 177, 46, 1, 115, 205, 69, 225, 150, 65, 235, 58, 144, 65, 240, 133, 69, 113, 247, 63, 53, 242, 165, 160, 144, 26, 13, 79, 237, 133, 71, 82, 69, 254, 165, 138, 41, 85, 24,
  );
  const LONG_WORDS =
    'yktsbbswwnwmfefrttsnonbgmtnnjyltvwtybwnebydawswtzcbdjnrsdawzdsksurdtnsrywzzemusffwottppersfdptencxfnmhvatdldroskcljshdbantctpadmadjksnfevymtfpwmftmhfpwtlpfejsylfhecwzonnbmhcybtgwwelpflgmfezeonledtgocsfzhycypf';

  // published with the current list of words (BCR-2020-012)
  it.each([
    ['five bytes', Uint8Array.of(0, 1, 2, 128, 255), 'aeadaolazmjendeoti'],
    ['a word', ascii('data'), 'iehsjyhspmwfwfia'],
    ['a hundred bytes', LONG, LONG_WORDS],
  ])('of %s, both ways and in either case', (_, bytes, words) => {
    expect(toBytewords(bytes)).toBe(words.toUpperCase());
    expect(fromBytewords(words)).toEqual(bytes);
    expect(fromBytewords(words.toUpperCase())).toEqual(bytes);
    expect(fromBytewords(`ur:bytes/${words}`, 9)).toEqual(bytes);
  });

  it('every byte has its own letters; no other pair is taken', () => {
    const one = (n: number): string => toBytewords(Uint8Array.of(n)).slice(0, 2);
    const pairs = new Set(Array.from({ length: 256 }, (_, n) => one(n)));
    expect(pairs.size).toBe(256);
    let taken = 0;
    for (let a = 0; a < 26; a++)
      for (let b = 0; b < 26; b++) {
        const pair = String.fromCharCode(65 + a, 65 + b);
        const why = fromBytewords(pair.repeat(5));
        if (why === 'letters that no byteword has') expect(pairs.has(pair)).toBe(false);
        else taken++;
      }
    expect(taken).toBe(256);
  });

  it('round trip, in mixed case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1300 }), fc.infiniteStream(fc.boolean()), (bytes, coins) => {
        const words = [...toBytewords(bytes)].map((c) => (coins.next().value === true ? c.toLowerCase() : c)).join('');
        expect(words.length).toBe(2 * bytes.length + 8);
        expect(fromBytewords(words)).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });

  it('the least change of any word is refused', () => {
    const words = toBytewords(LONG);
    for (let i = 0; i < words.length; i += 2)
      for (const other of ['AE', 'TI', 'ZM']) if (words.slice(i, i + 2) !== other) expect(fromBytewords(words.slice(0, i) + other + words.slice(i + 2))).toBe('its checksum is wrong: misread or damaged');
    expect(fromBytewords('aeadaolazmjendewf')).toBe('an odd number of letters');
    expect(fromBytewords('aeadaolazmjendeowf')).toBe('its checksum is wrong: misread or damaged');
    expect(fromBytewords(words.slice(0, -2))).toBe('its checksum is wrong: misread or damaged');
  });

  it.each(['', 'ae', 'aeaeae'])('%j is too short for a checksum', (text) => {
    expect(fromBytewords(text)).toBe('shorter than its checksum');
  });

  it.each(['AE@[{`AEAE', 'aeaea\u0161aeae', '\ud800\udc00aeaeaeae', '\uffff\u0000aeaeaeae', 'aeae aeaea', '\u212aeaeaeaee', 'aeaeaea\u017faeaea'])('%j has characters of no word', (text) => {
    expect(fromBytewords(text + (text.length % 2 === 0 ? '' : 'a'))).toBe('letters that no byteword has');
  });

  it('nothing makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.nat(0xffff), { maxLength: 60 }).map((units) => String.fromCharCode(...units)), fc.string({ unit: fc.constantFrom(...'aedaolzmAEDAOLZM') })), fc.nat(5), (text, from) => {
        const bytes = fromBytewords(text, from);
        if (typeof bytes !== 'string') expect(toBytewords(bytes)).toBe(text.slice(from).toUpperCase());
      }),
      { numRuns: 200 },
    );
  });
});
