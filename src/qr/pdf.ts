/**
 * A message as sheets of paper: a PDF (ISO 32000-1) with codes as vector squares and Courier text, nothing embedded, no date.
 *
 * Paper codes have error correction M and squares of at least 0.8 mm. A sheet holds plain parts of the message, never mixed
 * ones: few mixed parts do not make up for one that is lost. Instead every part is printed twice, in set A and in set B, on different
 * sheets, so that losing any one sheet loses nothing; a whole set is enough by itself.
 */
import { deflateSync } from 'node:zlib';
import { concat, toHex, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { codeOf, fragmentFor, type Modules, QUIET_ZONE, sizeOf, versionFor } from './code.ts';
import { runsOf } from './svg.ts';
import { urSender } from './ur.ts';

/** Version of the codes on a sheet unless asked otherwise: 6 on a page of A4. */
export const PAPER_VERSION = 13;
/** Most sheets of one message, both sets together. */
export const MAX_SHEETS = 100;
/** Least width of a square, millimetres. */
const MIN_SQUARE = 0.8;

const MAX_SQUARE = 2;
const MAX_LINES = 12;
const MM = 72 / 25.4;
const PAGE = { width: 210, height: 297, margin: 15 } as const;
const AREA = { width: PAGE.width - 2 * PAGE.margin, bottom: PAGE.margin } as const;
const TITLE_SIZE = 13;
const TEXT_SIZE = 9;
/** Millimetres of a line of text, and of the line below a code. */
const LINE = 4;
/** Characters of Courier, six tenths as wide as high, in a line. */
const COLUMNS = Math.floor((AREA.width * MM) / (0.6 * TEXT_SIZE));

/** What is printed. All of it is public to whoever holds the paper. */
export interface Sheet {
  /** What this is, one line, at the head of every sheet. */
  readonly title: string;
  /** What the holder has to know about it; at most 12 lines once they are broken to the width of the page. */
  readonly lines: readonly string[];
  /** The bytes that the codes carry. */
  readonly message: Uint8Array;
  /** Version of the codes. Default {@link PAPER_VERSION}; a message that fits one smaller code gets that. */
  readonly version?: number;
}

/** Where a set's codes lie. */
interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** Width of a square, millimetres. */
  readonly square: number;
}

/** As many codes as go on the page with squares of MIN_SQUARE, then as large as they can be. */
function gridOf(size: number, height: number): Grid {
  const width = size + 2 * QUIET_ZONE;
  const columns = Math.floor(AREA.width / (MIN_SQUARE * width));
  const rows = Math.floor(height / (MIN_SQUARE * width + LINE));
  if (columns < 1 || rows < 1) fail('E_TOO_LARGE', 'no code of this version fits on the page beside its text');
  return { columns, rows, square: Math.min(MAX_SQUARE, AREA.width / columns / width, (height / rows - LINE) / width) };
}

/** Text broken to the width of the page, at spaces where there are some. */
function broken(text: string, columns = COLUMNS): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const at = space > 0 ? space : columns;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** Printable ASCII as it is; every other character by its number, so that none can look like another. */
function printable(text: string): string {
  return [...text].map((c) => (/[ -~]/.test(c) ? c : `<U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`)).join('');
}

/** A number in a page description. */
function num(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

/** Text at a place given in millimetres from the upper left corner. */
function text(font: 'F1' | 'F2', size: number, x: number, y: number, words: string): string {
  return `BT /${font} ${num(size)} Tf ${num(x * MM)} ${num((PAGE.height - y) * MM)} Td (${words.replace(/[\\()]/g, '\\$&')}) Tj ET`;
}

/** The squares of a code as one filled path, a unit a square, upright. */
function drawing(modules: Modules): string {
  return `${runsOf(modules).map(({ x, y, length }) => `${String(x)} ${String(modules.length - 1 - y)} ${String(length)} 1 re`).join('\n')}\nf`;
}

/** The numbered objects of a PDF, put together with the table of where each begins. */
function assemble(objects: readonly Uint8Array[]): Uint8Array {
  // the second line tells programs that copy files that this one is not text
  const parts: Uint8Array[] = [utf8('%PDF-1.4\n%'), Uint8Array.of(0xe2, 0xe3, 0xcf, 0xd3), utf8('\n')];
  const starts: number[] = [];
  let at = parts.reduce((n, p) => n + p.length, 0);
  objects.forEach((body, i) => {
    const object = concat(utf8(`${String(i + 1)} 0 obj\n`), body, utf8('\nendobj\n'));
    starts.push(at);
    at += object.length;
    parts.push(object);
  });
  const rows = starts.map((s) => `${String(s).padStart(10, '0')} 00000 n \n`).join('');
  const count = String(objects.length + 1);
  parts.push(utf8(`xref\n0 ${count}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${String(at)}\n%%EOF\n`));
  return concat(...parts);
}

/** A stream object; `extra` are further entries of its dictionary. */
function stream(content: string, extra = ''): Uint8Array {
  const data = deflateSync(utf8(content), { level: 9 });
  return concat(utf8(`<< ${extra}/Filter /FlateDecode /Length ${String(data.length)} >>\nstream\n`), data, utf8('\nendstream'));
}

/** The plain parts of a message for codes of a version on paper, or its single part. @throws E_TOO_LARGE as {@link fragmentFor} */
export function paperParts(message: Uint8Array, version = PAPER_VERSION): string[] {
  const sender = urSender(message, fragmentFor(version, 'medium', message.length));
  return Array.from({ length: sender.count }, (_, i) => sender.part(i + 1));
}

/** Sheets that a message takes, both sets together. @throws E_TOO_LARGE beyond {@link MAX_SHEETS} */
function sheetsOf(count: number, grid: Grid, length: number): number {
  const sheets = 2 * Math.ceil(count / (grid.columns * grid.rows));
  if (sheets > MAX_SHEETS) fail('E_TOO_LARGE', `${String(length)} bytes take ${String(sheets)} sheets of paper; at most ${String(MAX_SHEETS)} are printed`, { remedy: 'Use denser codes (--density), or carry it by file.' });
  return sheets;
}

/**
 * The sheets as a PDF, A4. The same facts give the same bytes.
 * Every sheet says its number, the title, the lines, length and SHA-256 of the message, which codes it holds and how to read them.
 * @throws E_TOO_LARGE if it takes more than {@link MAX_SHEETS} sheets, or the text leaves no room for a code
 */
export function sheetPdf(sheet: Sheet): Uint8Array {
  const { message } = sheet;
  const parts = paperParts(message, sheet.version);
  const version = Math.max(...parts.map((p) => versionFor(p.length, 'medium') ?? 0));
  const codes = parts.map((p) => codeOf(p, { ecc: 'medium', version }).modules);
  const size = sizeOf(version);
  const about = sheet.lines.flatMap((l) => broken(printable(l)));
  if (about.length > MAX_LINES) fail('E_TOO_LARGE', `the text of a sheet has ${String(about.length)} lines; at most ${String(MAX_LINES)} are printed`);
  const digest = (toHex(sha256(message)).match(/.{8}/g) ?? []).join(' ');
  const [title = '', ...more] = broken(printable(sheet.title), Math.floor((COLUMNS * TEXT_SIZE) / TITLE_SIZE));
  const fixed = [
    ...about,
    '',
    `Message: ${String(message.length)} bytes, SHA-256`,
    `  ${digest}`,
    'Each code is a part of it (UR, type bytes, BCR-2020-005). To read it back, photograph or scan',
    'the sheets, in any order, and give the pictures to',
    '  mpc-ceremony qr scan PICTURE... --out FILE',
    '  sha256sum FILE    must say the digest above',
  ];
  const head = PAGE.margin + 2 * LINE + LINE * (more.length + fixed.length + 3);
  const height = PAGE.height - AREA.bottom - head;
  const grid = gridOf(size, height);
  const each = grid.columns * grid.rows;
  const sheets = sheetsOf(codes.length, grid, message.length);
  const total = String(codes.length);

  const page = (number: number): { readonly content: string; readonly shown: readonly number[] } => {
    const half = sheets / 2;
    const set = number < half ? 'A' : 'B';
    const from = (number % half) * each;
    const shown = codes.slice(from, from + each).map((_, i) => from + i);
    const range = shown.length === 1 ? `code ${String(from + 1)}` : `codes ${String(from + 1)} to ${String(from + shown.length)}`;
    const rows = [
      `Sheet ${String(number + 1)} of ${String(sheets)}. Set ${set}, ${range} of ${total}.`,
      `Sets A and B hold the same codes: either is enough, and any one sheet may be lost.`,
      ...fixed,
    ];
    const draw = [text('F2', TITLE_SIZE, PAGE.margin, PAGE.margin + LINE, title)];
    more.forEach((line, i) => draw.push(text('F2', TITLE_SIZE, PAGE.margin, PAGE.margin + LINE * (i + 2), line)));
    rows.forEach((row, i) => draw.push(text('F1', TEXT_SIZE, PAGE.margin, PAGE.margin + LINE * (more.length + i + 2.5), row)));
    const cell = AREA.width / grid.columns;
    const side = (size + 2 * QUIET_ZONE) * grid.square;
    shown.forEach((code, i) => {
      const left = PAGE.margin + (i % grid.columns) * cell + (cell - side) / 2;
      const top = head + Math.floor(i / grid.columns) * (side + LINE);
      const unit = num(grid.square * MM);
      const x = num((left + QUIET_ZONE * grid.square) * MM);
      const y = num((PAGE.height - top - side + QUIET_ZONE * grid.square) * MM);
      draw.push(`q ${unit} 0 0 ${unit} ${x} ${y} cm /C${String(code)} Do Q`);
      draw.push(text('F1', TEXT_SIZE, left + QUIET_ZONE * grid.square, top + side, `code ${String(code + 1)} of ${total}`));
    });
    return { content: draw.join('\n'), shown };
  };

  // 1 catalogue, 2 page tree, 3 and 4 fonts, then the codes, then of each page its content and itself
  const firstCode = 5;
  const firstPage = firstCode + codes.length;
  const pages = Array.from({ length: sheets }, (_, i) => page(i));
  const kids = pages.map((_, i) => `${String(firstPage + 2 * i + 1)} 0 R`).join(' ');
  const box = `${num(PAGE.width * MM)} ${num(PAGE.height * MM)}`;
  return assemble([
    utf8('<< /Type /Catalog /Pages 2 0 R >>'),
    utf8(`<< /Type /Pages /Kids [${kids}] /Count ${String(sheets)} >>`),
    utf8('<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>'),
    utf8('<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold /Encoding /WinAnsiEncoding >>'),
    ...codes.map((c) => stream(drawing(c), `/Type /XObject /Subtype /Form /BBox [0 0 ${String(size)} ${String(size)}] `)),
    ...pages.flatMap(({ content, shown }, i) => [
      stream(content),
      utf8(
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${box}] /Contents ${String(firstPage + 2 * i)} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> ` +
          `/XObject << ${shown.map((c) => `/C${String(c)} ${String(firstCode + c)} 0 R`).join(' ')} >> >> >>`,
      ),
    ]),
  ]);
}
