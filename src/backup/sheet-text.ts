/** The printed backup as text and as a page, from the same facts. Public: nothing in it is secret but the ciphertext it carries. */
import { encodeQR } from 'qr';
import { formatWords } from '../wire/words.ts';
import { fileDigest, inGroups, sheetLines } from './sheet.ts';

/** Lines of a sheet in one QR code: 476 characters, version 13 with error correction M. */
const LINES_PER_CODE = 9;
const CODE_VERSION = 13;

/** What stands on a sheet beside the lines. */
export interface SheetFacts {
  readonly owner: string;
  readonly key: string;
  readonly mode: 'production' | 'rehearsal';
  readonly scheme: string;
  readonly quorum: string;
  readonly leaf: number;
  readonly epoch: number;
  readonly made: string;
  readonly publicKey: string;
  /** Digest of the epoch, hex, and its sixteen words. */
  readonly certificate: string;
  readonly words: readonly string[];
  /** In custodian mode: whose piece this is, and the custodians' quorum. */
  readonly custodian?: { readonly name: string; readonly leaf: number; readonly quorum: string };
  /** Who or what opens it, in words; never a secret. */
  readonly opens: readonly string[];
  /** Name of the age file, and its bytes. */
  readonly fileName: string;
  readonly file: Uint8Array;
  readonly lock: 'x25519' | 'pq' | 'passphrase';
  /** Name and version of the program. */
  readonly program: string;
}

const TITLE = 'BACKUP OF A KEY SHARE';
const BANNER = 'ENCRYPTED KEY MATERIAL. Keep it closed away, count the copies, tell who has seen it.';

function rows(f: SheetFacts): (readonly [string, string])[] {
  return [
    ['Owner', `${f.owner}, leaf ${String(f.leaf)}`],
    ...(f.custodian ? ([['Piece of', `${f.custodian.name}, leaf ${String(f.custodian.leaf)} of ${f.custodian.quorum}`]] as const) : []),
    ['Key', `${f.key} (${f.mode})`],
    ['Scheme', f.scheme],
    ['Quorum', f.quorum],
    ['Epoch', `${String(f.epoch)}; worth nothing once a later epoch is active`],
    ['Made', `${f.made} by ${f.program}`],
    ['Public key', f.publicKey],
    ['Certificate', f.certificate],
    ['Opened by', f.opens.join('; ')],
    ['File', `${f.fileName}, ${String(f.file.length)} bytes`],
  ];
}

/** The shell lines that open the file without this program. */
function shell(f: SheetFacts): string[] {
  const open = f.lock === 'passphrase' ? `age -d ${f.fileName}` : `age -d -i key.txt ${f.fileName}`;
  return [`sha256sum ${f.fileName}`, `${open} | jq .`, ...(f.lock === 'pq' ? ['# needs age 1.3 or newer'] : [])];
}

const TYPING = [
  'A line is bech32m with the prefix mpc: line number, number of lines, 24 bytes.',
  'Capital and small letters are the same, spaces mean nothing. The bytes of all',
  'lines in order are the age file. To read them back, and to find a wrong line:',
  'mpc-ceremony backup type TYPED.txt --out FILE.age',
];

/** Numbered lines in groups of 4. */
function numbered(f: SheetFacts): string[] {
  return sheetLines(f.file).map((l, i) => `${String(i + 1).padStart(3)}  ${inGroups(l)}`);
}

/** The sheet as plain text: 80 columns, but for long keys, names and quorums. @throws E_TOO_LARGE */
export function sheetText(f: SheetFacts): string {
  return [
    TITLE,
    BANNER,
    '',
    ...rows(f).map(([label, text]) => `${label.padEnd(12)}${text}`),
    '',
    'Words of the epoch',
    ...formatWords(f.words),
    '',
    'The age file',
    ...numbered(f),
    '',
    'SHA-256 of the age file',
    fileDigest(f.file),
    '',
    'How to read it back',
    ...TYPING,
    '',
    'How to open it with age and nothing else',
    ...shell(f),
    '',
  ].join('\n');
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (c) => entities[c] as string);
}

/** What the QR codes of a sheet say: lines in capitals with a space between, so that the code's own letter mode fits. */
export function codeTexts(file: Uint8Array): string[] {
  const lines = sheetLines(file).map((l) => l.toUpperCase());
  return Array.from({ length: Math.ceil(lines.length / LINES_PER_CODE) }, (_, i) => lines.slice(i * LINES_PER_CODE, (i + 1) * LINES_PER_CODE).join(' '));
}

/** A QR code as inline SVG with a border of 4 modules. */
function svg(text: string): string {
  const raw = encodeQR(text, 'raw', { ecc: 'medium', encoding: 'alphanumeric', version: CODE_VERSION, border: 4 });
  const size = raw.length;
  const path = raw.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${String(x)} ${String(y)}h1v1h-1z`] : []))).join('');
  return `<svg viewBox="0 0 ${String(size)} ${String(size)}" shape-rendering="crispEdges" role="img"><rect width="${String(size)}" height="${String(size)}" fill="#fff"/><path d="${path}"/></svg>`;
}

const STYLE = `
body { font: 10.5pt/1.35 Georgia, serif; color: #000; background: #fff; max-width: 50em; margin: 1em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin: .3em 0 } h2 { font-size: 1.1em; margin: 1em 0 .3em }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #000; padding: .2em .5em; text-align: left; vertical-align: top; overflow-wrap: anywhere } th { width: 7em }
.mode { border: 2px solid #000; padding: .3em .6em; font-weight: bold; text-align: center }
pre { font: 9.5pt/1.35 monospace; margin: .3em 0; white-space: pre-wrap } .codes { display: flex; flex-wrap: wrap; gap: 4mm } .codes figure { margin: 0; width: 56mm; break-inside: avoid } figcaption { font-size: 9pt; text-align: center }
@page { size: A4; margin: 15mm } @media print { body { max-width: none; margin: 0; padding: 0 } .keep { break-inside: avoid } }
`.trim();

/** The sheet as a self-contained page with QR codes: no script, nothing from outside, the same facts give the same bytes. @throws E_TOO_LARGE */
export function sheetPage(f: SheetFacts): string {
  const title = `Backup: ${f.owner}, ${f.key}, epoch ${String(f.epoch)}${f.custodian ? `, ${f.custodian.name}` : ''}`;
  const codes = codeTexts(f.file);
  const figures = codes.map((text, i) => `<figure>${svg(text)}<figcaption>code ${String(i + 1)} of ${String(codes.length)}</figcaption></figure>`);
  const facts = rows(f).map(([label, text]) => `<tr><th>${escape(label)}</th><td>${escape(text)}</td></tr>`);
  const pre = (lines: readonly string[]): string => `<pre>${escape(lines.join('\n'))}</pre>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
<p class="mode">${escape(f.mode === 'rehearsal' ? 'REHEARSAL: this key is worth nothing' : BANNER)}</p>
<h1>${escape(title)}</h1>
<table>
${facts.join('\n')}
</table>
<div class="keep"><h2>Words of the epoch</h2>
${pre(formatWords(f.words))}</div>
<h2>The age file, for scanning</h2>
<div class="codes">
${figures.join('\n')}
</div>
<h2>The age file, for typing</h2>
${pre(numbered(f))}
<div class="keep"><h2>SHA-256 of the age file</h2>
${pre([fileDigest(f.file)])}</div>
<div class="keep"><h2>How to read it back</h2>
${pre(TYPING)}</div>
<div class="keep"><h2>How to open it with age and nothing else</h2>
${pre(shell(f))}</div>
<p>Copy ____ of ____ &emsp; kept at ______________________ &emsp; bag or seal ______________ &emsp; by ______________ on ____________</p>
</body>
</html>
`;
}
