/** The printed sheet: typed back, with every kind of slip; and restored from by code that knows the written format alone. */
import { createHash } from 'node:crypto';
import { bech32m as oracle } from 'bech32';
import fc from 'fast-check';
import { decodeQR } from 'qr/decode.js';
import { encodeQR } from 'qr';
import { Decrypter } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { ageIdentity, ageRecipient, parseRecipient } from '../../src/backup/recipient.ts';
import { fileDigest, inGroups, LINE_BYTES, MAX_SHEET_BYTES, readSheet, sheetLines } from '../../src/backup/sheet.ts';
import { codeTexts, sheetPage, type SheetFacts, sheetText } from '../../src/backup/sheet-text.ts';
import { writeAge } from '../../src/ceremony/backup-age.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { words } from '../../src/wire/words.ts';
import { backupOf, codeOf, keeper, makeKey, random, toOne } from './support.ts';

const file = random(996);
const lines = sheetLines(file);
const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

describe('lines', () => {
  it('are bech32m as another implementation reads it: number, total, 24 bytes', () => {
    expect(lines.length).toBe(42);
    for (const [i, line] of lines.entries()) {
      const { prefix, words: five } = oracle.decode(line);
      const bytes = oracle.fromWords(five);
      expect(prefix).toBe('mpc');
      expect(bytes.slice(0, 2)).toEqual([i + 1, 42]);
      expect(toHex(Uint8Array.from(bytes.slice(2)))).toBe(toHex(file.slice(i * LINE_BYTES, (i + 1) * LINE_BYTES)));
      if (i < 41) expect(line.length).toBe(52);
    }
  });
  it('come back, of every length', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => toHex(readSheet(sheetLines(bytes).join('\n'))) === toHex(bytes)), { numRuns: 100 });
    const largest = random(MAX_SHEET_BYTES);
    expect(toHex(readSheet(sheetLines(largest).join('\n')))).toBe(toHex(largest));
    expect(codeOf(() => sheetLines(new Uint8Array(MAX_SHEET_BYTES + 1)))).toBe('E_TOO_LARGE');
    expect(codeOf(() => sheetLines(new Uint8Array(0)))).toBe('E_TOO_LARGE');
  });
  it('may be typed in any order, twice, in capitals, with numbers, spaces and other text between', () => {
    const typed = [...lines].reverse().map((l, i) => (i % 2 === 0 ? `${String(42 - i).padStart(3)}  ${inGroups(l).toUpperCase()}` : `${String(42 - i)}.${l}`));
    expect(toHex(readSheet(['BACKUP OF A KEY SHARE', '', ...typed, typed[3], 'mpc is a prefix'].join('\r\n'), fileDigest(file)))).toBe(toHex(file));
  });
});

describe('slips of the hand', () => {
  const with7 = (change: (line: string) => string): string => lines.map((l, i) => `${String(i + 1)}  ${i === 6 ? change(l) : l}`).join('\n');
  const refuse = (text: string, digest?: string) => {
    try {
      readSheet(text, digest);
    } catch (e) {
      return e as { code: string; message: string; facts: { field?: string } };
    }
    return expect.unreachable();
  };
  it('one wrong character: the line and the group are named, and what would fit', () => {
    for (const at of [4, 5, 11, 30, 51]) {
      const e = refuse(with7((l) => l.slice(0, at) + (CHARSET[(CHARSET.indexOf(l[at] as string) + 5) % 32] as string) + l.slice(at + 1)));
      expect([e.code, e.facts.field]).toEqual(['E_SHEET', 'line 7']);
      expect(e.message).toContain(`group ${String(Math.floor(at / 4) + 1)}`);
      expect(e.message).toContain((lines[6] as string).slice(Math.floor(at / 4) * 4, Math.floor(at / 4) * 4 + 4));
    }
  });
  it('a character that no sheet has', () => {
    expect(refuse(with7((l) => `${l.slice(0, 20)}b${l.slice(21)}`)).message).toBe('line 7: "b" in group 6 is no character of a sheet (0 and l are; 1, b, i and o are not)');
  });
  it('two neighbours exchanged, a character lost or doubled, four wrong ones', () => {
    const swap = (l: string): string => {
      const at = [...l].findIndex((c, i) => i > 6 && c !== l[i + 1]);
      return l.slice(0, at) + (l[at + 1] as string) + (l[at] as string) + l.slice(at + 2);
    };
    for (const change of [swap, (l: string) => l.slice(0, 20) + l.slice(21), (l: string) => `${l.slice(0, 20)}q${l.slice(20)}`, (l: string) => l.slice(0, 30) + [...l.slice(30, 34)].map((c) => CHARSET[(CHARSET.indexOf(c) + 1) % 32]).join('') + l.slice(34)])
      expect(refuse(with7(change))).toMatchObject({ code: 'E_SHEET', facts: { field: 'line 7' } });
  });
  it('no error of up to four characters passes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 4, max: 51 }), { minLength: 1, maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 31 }), { minLength: 4, maxLength: 4 }), (places, by) => {
        const wrong = [...(lines[0] as string)];
        places.forEach((at, i) => (wrong[at] = CHARSET[(CHARSET.indexOf(wrong[at] as string) + (by[i] as number)) % 32] as string));
        return codeOf(() => readSheet([wrong.join(''), ...lines.slice(1)].join('\n'))) === 'E_SHEET';
      }),
      { numRuns: 60 },
    );
  });
  it('missing lines are named', () => {
    expect(refuse(lines.filter((_, i) => i !== 2 && i !== 40).join('\n'))).toMatchObject({ code: 'E_MISSING', message: 'of 42 lines these are missing: 3, 41' });
    expect(refuse('nothing here')).toMatchObject({ code: 'E_MISSING' });
  });
  it('lines of another sheet', () => {
    expect(refuse([...lines.slice(0, 41), ...sheetLines(random(100)).slice(0, 1)].join('\n')).message).toContain('of another sheet');
    const same = sheetLines(random(996));
    expect(refuse([...lines, same[4]].join('\n')).message).toContain('typed twice, and differently');
    // one line from a sheet of the same length is right by itself: the SHA-256 finds it
    const mixed = lines.map((l, i) => (i === 4 ? (same[4] as string) : l)).join('\n');
    expect(codeOf(() => readSheet(mixed))).toBe('none');
    expect(refuse(mixed, fileDigest(file))).toMatchObject({ code: 'E_SHEET', facts: { field: 'sha256' } });
  });
  it('a line whose numbers are not possible', () => {
    for (const bytes of [[0, 2, 1], [3, 2, 1], [1, 2, 1], [1, 1], [1, 1, ...random(25)]]) expect(refuse(oracle.encode('mpc', oracle.toWords(bytes)))).toMatchObject({ code: 'E_SHEET' });
    expect(refuse(oracle.encode('mpc', oracle.toWords([1, 1, 5])).replace('mpc1', 'mpc1q')).code).toBe('E_SHEET');
  });
});

function facts(over: Partial<SheetFacts> = {}): SheetFacts {
  return {
    owner: 'alice', key: 'treasury', mode: 'production', scheme: 'frost-ed25519', quorum: '2-of(alice, bob, carol)', leaf: 1, epoch: 3, made: '2026-03-01T12:00:00Z', publicKey: 'ab'.repeat(32),
    certificate: 'cd'.repeat(32), words: words(new Uint8Array(16)), opens: ['the custody key of c1'], fileName: 'alice-treasury-epoch-3.age', file, lock: 'x25519', program: 'mpc-ceremony 0', ...over,
  };
}

describe('the page and the text', () => {
  it('the text fits a screen and is read back as it is', () => {
    const text = sheetText(facts());
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(84);
    expect(toHex(readSheet(text, fileDigest(file)))).toBe(toHex(file));
    expect(text).toContain('age -d -i key.txt alice-treasury-epoch-3.age | jq .');
    expect(sheetText(facts({ lock: 'passphrase' }))).toContain('age -d alice-treasury-epoch-3.age | jq .');
  });
  it('the page has the same lines, no script, nothing from outside', () => {
    const page = sheetPage(facts({ custodian: { name: 'c1', leaf: 1, quorum: '2-of(c1, c2, c3)' }, opens: ['<script>'] }));
    expect(page).toContain(inGroups(lines[41] as string));
    expect(page).not.toMatch(/<script|https?:|src=|url\(/);
    expect(page).toContain('&lt;script&gt;');
    expect(page.match(/<svg /g)?.length).toBe(codeTexts(file).length);
    expect(sheetPage(facts({ mode: 'rehearsal' }))).toContain('REHEARSAL');
  });
  it('its QR codes are read by a decoder, and give the file', () => {
    const scanned = codeTexts(file).map((text) => {
      const raw = encodeQR(text, 'raw', { ecc: 'medium', encoding: 'alphanumeric', version: 13, border: 4 });
      // four pixels a module, as a camera would see it
      const size = raw.length * 4;
      const data = new Uint8Array(size * size * 3).fill(255);
      for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (raw[y >> 2]?.[x >> 2]) data.fill(0, (y * size + x) * 3, (y * size + x) * 3 + 3);
      return decodeQR({ width: size, height: size, data });
    });
    expect(scanned).toEqual(codeTexts(file));
    expect(toHex(readSheet(scanned.join('\n')))).toBe(toHex(file));
  });
});

/**
 * Restores a share from the text of a sheet as the written format describes it, with nothing of this project: rows that
 * begin with a number and mpc1; bech32m (BIP-350) with the prefix mpc; number, total, bytes; SHA-256 of the whole; age.
 */
async function cleanRoom(sheet: string, identity: string): Promise<Record<string, unknown>> {
  const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  const polymod = (values: number[]): number =>
    values.reduce((chk, value) => {
      const top = chk >>> 25;
      let next = ((chk & 0x1ffffff) << 5) ^ value;
      GENERATOR.forEach((g, i) => ((top >>> i) & 1 ? (next ^= g) : undefined));
      return next >>> 0;
    }, 1);
  const parts = new Map<number, number[]>();
  let total = 0;
  for (const row of sheet.split('\n')) {
    const match = /^\s*\d+\s+(mpc1[ a-z0-9]+)$/.exec(row);
    if (!match) continue;
    const digits = [...(match[1] as string).replaceAll(' ', '').slice(4)].map((c) => CHARSET.indexOf(c));
    // "mpc" expanded: high bits, 0, low bits
    if (polymod([3, 3, 3, 0, 13, 16, 3, ...digits]) !== 0x2bc830a3) throw new Error(`checksum of ${row}`);
    let acc = 0;
    let bits = 0;
    const bytes: number[] = [];
    for (const digit of digits.slice(0, -6)) {
      acc = ((acc << 5) | digit) & 0xfff;
      bits += 5;
      if (bits >= 8) bytes.push((acc >> (bits -= 8)) & 0xff);
    }
    total = bytes[1] as number;
    parts.set(bytes[0] as number, bytes.slice(2));
  }
  const age = Buffer.from(Array.from({ length: total }, (_, i) => parts.get(i + 1) as number[]).flat());
  const printed = sheet.split('\n')[sheet.split('\n').findIndex((l) => l.startsWith('SHA-256')) + 1]?.replaceAll(' ', '');
  if (createHash('sha256').update(age).digest('hex') !== printed) throw new Error('SHA-256');
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return JSON.parse(await decrypter.decrypt(age, 'text')) as Record<string, unknown>;
}

describe('clean room', () => {
  it.each(['frost-ed25519', 'frost-ed448', 'cggmp24-secp256k1'] as const)('a share of %s from the typed sheet alone', async (scheme) => {
    const key = makeKey(scheme, '2-of(alice, bob, carol)');
    const c1 = keeper('c1');
    const { packages } = backupOf(key, 'bob', toOne(c1));
    const age = await writeAge((packages[0] as { bytes: Uint8Array }).bytes, [parseRecipient(ageRecipient(c1.key))]);
    const restored = await cleanRoom(sheetText(facts({ file: age })), ageIdentity(c1.secret));
    expect(restored).toMatchObject({ type: 'mpc-ceremony/share', owner: 'bob', leaf: { id: 2, label: '2' }, quorum: '2-of(alice, bob, carol)', share: toHex(key.shares.get('bob') as Uint8Array) });
  });
});
