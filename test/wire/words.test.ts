import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { formatWords, parseWord, parseWords, words } from '../../src/wire/words.ts';

// published examples: a PGP fingerprint, a 128-bit number, another PGP fingerprint
const KNOWN: readonly (readonly [string, string])[] = [
  [
    'e58294f2e9a227486e8b061b31cc528fd7fa3f19',
    'topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa ' +
      'afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless',
  ],
  [
    '09f911029d74e35bd84156c5635688c0',
    'Algol Waterloo Athens aftermath quadrant hydraulic tissue exodus ' +
      'stormy decadence egghead resistor flatfoot escapade newborn recipe',
  ],
  [
    '41559711308f2a21b9d5072d621958afcb50b5f9',
    'cranky equipment preshrunk Babylon chairlift midsummer brickyard Camelot sentence specialist ' +
      'ahead clergyman flagpole bottomless endorse pharmacy spheroid embezzle scorecard Waterloo',
  ],
];

test.each(KNOWN)('%s', (hex, text) => {
  expect(words(fromHex(hex)).join(' ')).toBe(text);
  expect(parseWords(text.split(' '))).toEqual(fromHex(hex));
});

/** Every word once: the whole even list, then the whole odd list. */
function lists(): { even: string[]; odd: string[] } {
  const even: string[] = [];
  const odd: string[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const [a, b] = words(Uint8Array.of(byte, byte)) as [string, string];
    even.push(a);
    odd.push(b);
  }
  return { even, odd };
}

test('the lists are the published ones, word for word', () => {
  const { even, odd } = lists();
  expect(new Set([...even, ...odd].map((w) => w.toLowerCase())).size).toBe(512);
  // digest of two independent transcriptions that agree in all 512 words
  expect(Buffer.from(sha256(utf8([...even, ...odd].join(' ')))).toString('hex')).toBe(
    '3e090850023f09a3bff58dbc9926ee0840dd829fa8198af8ceffd1b2280a7096',
  );
  expect([even[0], odd[0], even[255], odd[255]]).toEqual(['aardvark', 'adroitness', 'Zulu', 'Yucatan']);
});

test('any bytes come back from their words', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    expect(parseWords(words(bytes))).toEqual(bytes);
  }));
});

test('a single word says its byte and its kind of position, whatever case it was typed in', () => {
  expect(parseWord('  DUPONT ')).toEqual({ word: 'Dupont', byte: 0x52, parity: 'even' });
  expect(parseWord('midsummer')).toEqual({ word: 'midsummer', byte: 0x8f, parity: 'odd' });
  expect(parseWord('abandon')).toBeUndefined();
  expect(parseWord('')).toBeUndefined();
});

test('a word left out or swapped is named by its number', () => {
  const refusal = (typed: string[]): string => {
    try {
      parseWords(typed);
    } catch (e) {
      if (e instanceof CeremonyError) return `${e.code} ${e.message}`;
    }
    return 'accepted';
  };
  expect(refusal(['topmost', 'Pluto'])).toBe(
    'E_WORDS word 2 stands in the wrong place: one was left out, repeated or swapped',
  );
  expect(refusal(['topmost', 'Istanbul', 'Plato'])).toBe('E_WORDS word 3 is not in the word list');
});

test('sixteen words: four to a row, numbered, within 80 columns', () => {
  expect(formatWords(words(fromHex('09f911029d74e35bd84156c5635688c0')))).toEqual([
    '  1 Algol           2 Waterloo        3 Athens          4 aftermath',
    '  5 quadrant        6 hydraulic       7 tissue          8 exodus',
    '  9 stormy         10 decadence      11 egghead        12 resistor',
    ' 13 flatfoot       14 escapade       15 newborn        16 recipe',
  ]);
  const { even, odd } = lists();
  for (const row of formatWords([...even, ...odd])) expect(row.length).toBeLessThanOrEqual(80);
});
