/**
 * The printed backup: the bytes of an age file as lines that can be typed. Public, as the age file is: who holds the
 * sheet holds the ciphertext.
 *
 * A line is bech32m (BIP-350) with the prefix "mpc" over 1 byte line number (from 1), 1 byte number of lines and up to 24
 * bytes of the file; 52 characters, printed in groups of 4. Capital and small letters are the same, spaces mean nothing.
 * The checksum of a line finds every error of up to four characters; the SHA-256 of the file stands below the lines.
 * A QR code of the sheet holds lines in capitals, one after the other with a space between, and nothing else.
 */
import { bech32m } from '@scure/base';
import { concat, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';

/** Prefix of every line. */
export const SHEET_PREFIX = 'mpc';
/** Bytes of the file in a line. */
export const LINE_BYTES = 24;
const MAX_LINES = 255;
const MAX_TYPED = 65_536;
const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** Most bytes that a sheet can hold. */
export const MAX_SHEET_BYTES = LINE_BYTES * MAX_LINES;

/** The lines of a file, small letters, without spaces. @throws E_TOO_LARGE beyond {@link MAX_SHEET_BYTES} */
export function sheetLines(file: Uint8Array): string[] {
  if (file.length === 0 || file.length > MAX_SHEET_BYTES)
    throw new CeremonyError('E_TOO_LARGE', `a printed sheet holds 1 to ${String(MAX_SHEET_BYTES)} bytes; this file has ${String(file.length)}`);
  const total = Math.ceil(file.length / LINE_BYTES);
  return Array.from({ length: total }, (_, i) =>
    bech32m.encodeFromBytes(SHEET_PREFIX, concat(Uint8Array.of(i + 1, total), file.subarray(i * LINE_BYTES, (i + 1) * LINE_BYTES))),
  );
}

/** A line as it is printed: groups of 4. */
export function inGroups(text: string): string {
  return (text.match(/.{1,4}/g) ?? []).join(' ');
}

/** SHA-256 of a file as it is printed: 8 groups of 8 hex digits. */
export function fileDigest(file: Uint8Array): string {
  return (toHex(sha256(file)).match(/.{8}/g) as string[]).join(' ');
}

interface ReadLine {
  readonly number: number;
  readonly total: number;
  readonly bytes: Uint8Array;
}

function readLine(text: string): ReadLine | undefined {
  try {
    const { prefix, bytes } = bech32m.decodeToBytes(text);
    const [number, total] = bytes;
    if (prefix !== SHEET_PREFIX || number === undefined || total === undefined || number < 1 || number > total) return undefined;
    const data = bytes.slice(2);
    // all lines but the last are full; another number of bytes is another kind of line
    if (data.length === 0 || data.length > LINE_BYTES || (number < total && data.length !== LINE_BYTES)) return undefined;
    return { number, total, bytes: data };
  } catch {
    return undefined;
  }
}

/** The one line that differs in one character and whose checksum is right, if there is exactly one. */
function singleTypo(text: string): { readonly group: number; readonly fixed: string } | undefined {
  const found: { group: number; fixed: string }[] = [];
  for (let i = SHEET_PREFIX.length + 1; i < text.length; i++)
    for (const c of CHARSET) {
      if (c === text[i]) continue;
      const fixed = text.slice(0, i) + c + text.slice(i + 1);
      if (readLine(fixed)) found.push({ group: Math.floor(i / 4) + 1, fixed });
    }
  return found.length === 1 ? found[0] : undefined;
}

function typo(text: string, where: string): never {
  const field = where;
  const remedy = `Compare ${where} with the sheet, group by group, and type it again.`;
  const foreign = [...text.slice(SHEET_PREFIX.length + 1)].findIndex((c) => !CHARSET.includes(c));
  if (foreign >= 0) {
    const at = foreign + SHEET_PREFIX.length + 1;
    fail('E_SHEET', `${where}: "${text[at] as string}" in group ${String(Math.floor(at / 4) + 1)} is no character of a sheet (0 and l are; 1, b, i and o are not)`, { field, remedy });
  }
  const near = singleTypo(text);
  if (near) {
    const at = (near.group - 1) * 4;
    fail('E_SHEET', `${where} is wrong in group ${String(near.group)}: typed ${text.slice(at, at + 4)}, and ${near.fixed.slice(at, at + 4)} would fit`, { field, remedy });
  }
  fail('E_SHEET', `${where} is wrong in more than one character, or in its length (${String(text.length)} characters)`, { field, remedy });
}

/**
 * Reads typed or scanned lines back into the file. Lines may come in any order and more than once, with or without
 * spaces and leading line numbers; everything that holds no line is passed over, so that a whole text sheet can be given.
 * @param expected SHA-256 of the file as printed, if it was typed too; spaces and capitals mean nothing
 * @returns the bytes of the age file
 * @throws E_SHEET naming the wrong line, and the group of a single wrong character; E_MISSING naming the lines that lack
 */
export function readSheet(text: string, expected?: string): Uint8Array {
  if (text.length > MAX_TYPED) throw new CeremonyError('E_TOO_LARGE', 'longer than any sheet');
  const lines = new Map<number, ReadLine>();
  let total: number | undefined;
  let count = 0;
  for (const row of text.split(/\r?\n/)) {
    const packed = row.replace(/\s+/g, '').toLowerCase();
    const begin = /^([0-9]{1,3}[.:)]?)?mpc1/.exec(packed);
    if (!begin) continue;
    const printed = begin[1]?.replace(/\D/g, '');
    const parts = packed.slice(begin[1]?.length ?? 0).split(/(?=mpc1)/);
    for (const part of parts) {
      count += 1;
      const where = printed !== undefined && parts.length === 1 ? `line ${String(Number(printed))}` : `typed line ${String(count)}`;
      const read = readLine(part) ?? typo(part, where);
      total ??= read.total;
      if (read.total !== total) fail('E_SHEET', `line ${String(read.number)} is of another sheet: it has ${String(read.total)} lines, the first one typed is of ${String(total)}`, { field: where });
      const before = lines.get(read.number);
      if (before && toHex(before.bytes) !== toHex(read.bytes)) fail('E_SHEET', `line ${String(read.number)} was typed twice, and differently: lines of two sheets`, { field: where });
      lines.set(read.number, read);
    }
  }
  if (total === undefined) return fail('E_MISSING', 'there is no line of a sheet in this text', { remedy: `Lines begin with ${SHEET_PREFIX}1.` });
  const missing = Array.from({ length: total }, (_, i) => i + 1).filter((n) => !lines.has(n));
  if (missing.length > 0) return fail('E_MISSING', `of ${String(total)} lines these are missing: ${missing.join(', ')}`, { field: 'lines' });
  const file = concat(...Array.from({ length: total }, (_, i) => (lines.get(i + 1) as ReadLine).bytes));
  if (expected !== undefined && expected.replace(/\s+/g, '').toLowerCase() !== toHex(sha256(file)))
    fail('E_SHEET', 'all lines are right by themselves, but not all of one sheet: the SHA-256 differs', { field: 'sha256' });
  return file;
}
