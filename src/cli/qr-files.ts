/** Codes as files: an animated GIF, PNG and SVG pictures, sheets of paper (PDF), a page for a browser; and the scan page. */
import { basename, extname, join, relative, resolve } from 'node:path';
import { versionFor } from '../qr/code.ts';
import { codesGif } from '../qr/gif.ts';
import { paperParts, sheetPdf } from '../qr/pdf.ts';
import { codePng } from '../qr/png.ts';
import { codeSvg } from '../qr/svg.ts';
import { scanPage } from '../qr/page.ts';
import type { Disk } from '../vault/durable.ts';
import { toHex, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Load } from './qr-load.ts';
import { chooseVersion, CodeSequence, DENSE, pictureVersion } from './qr-sequence.ts';

/** Kinds of files that codes are written to. */
export const FORMATS = ['gif', 'svg', 'png', 'pdf', 'page'] as const;
export type Format = (typeof FORMATS)[number];

/** Most pictures that one message becomes. */
const MAX_PICTURES = 100;

/** A file made of codes. */
export interface CodeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Codes as files, and what is in them. */
export interface Drawn {
  readonly files: readonly CodeFile[];
  readonly version: number;
  /** Codes that are enough, and those that one round shows. */
  readonly codes: number;
  readonly frames: number;
}

/** How a path is written in a command that a person copies: short, and quoted where a shell would take it apart. */
export function fileName(path: string): string {
  const near = relative('.', path);
  const short = near === '' ? '.' : near.startsWith('..') || near.length >= path.length ? path : near;
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(short) ? short : `'${short.replaceAll("'", `'\\''`)}'`;
}

/** Codes that a GIF shows in a round: all plain parts, and as many mixed ones, so that another round brings other codes too. */
function framesOf(sequence: CodeSequence): number {
  return sequence.count === 1 ? 1 : 2 * sequence.count;
}

/** `base.png`, or `base-01.png` … where there are several. */
function numbered(path: string, count: number): string[] {
  if (count === 1) return [path];
  const ext = extname(path);
  const base = path.slice(0, path.length - ext.length);
  const width = String(count).length;
  return Array.from({ length: count }, (_, i) => `${base}-${String(i + 1).padStart(width, '0')}${ext}`);
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${String(c.charCodeAt(0))};`);

/** A page with the GIF in it, as large as the window: nothing is loaded, nothing runs. */
function showPage(load: Load, gif: Uint8Array, about: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escaped(load.what)}</title>
<style>html,body{margin:0;height:100%;background:#fff;color:#000;font:16px sans-serif}body{display:flex;flex-direction:column;align-items:center}img{flex:1;min-height:0;max-width:100vw;object-fit:contain;image-rendering:pixelated}p{margin:.5em}</style></head>
<body><img alt="codes" src="data:image/gif;base64,${Buffer.from(gif).toString('base64')}"><p>${escaped(load.what)}. ${escaped(about)}</p></body></html>
`;
}

/**
 * Draws a message for a kind of file. Nothing is written.
 * @param density version of the codes; chosen by the length, if not given
 * @throws E_ROUTE when there would be too many codes; E_USAGE when one code does not hold enough; E_TOO_LARGE for paper
 */
export function drawFiles(load: Load, format: Format, path: string, options: { readonly density?: number | undefined; readonly fps: number }): Drawn {
  const { fps } = options;
  if (format === 'pdf') {
    const message = load.file ?? load.message;
    const bytes = sheetPdf({ title: load.what, lines: [], message, ...(options.density === undefined ? {} : { version: options.density }) });
    const parts = paperParts(message, options.density);
    const version = Math.max(...parts.map((text) => versionFor(text.length, 'medium') ?? 0));
    return { files: [{ path, bytes }], version, codes: parts.length, frames: 2 * parts.length };
  }
  const { length } = load.message;
  const usual = pictureVersion(length);
  const version = options.density ?? chooseVersion(length, 'low', Math.max(usual, DENSE), usual);
  const sequence = new CodeSequence(load.message, version);
  if (format === 'gif' || format === 'page') {
    const frames = framesOf(sequence);
    const gif = codesGif(Array.from({ length: frames }, (_, i) => sequence.code(i + 1).modules), { fps });
    const about = sequence.count === 1 ? 'One code.' : `${String(sequence.count)} codes are enough, in any order; ${String(fps)} a second.`;
    return { files: [{ path, bytes: format === 'gif' ? gif : utf8(showPage(load, gif, about)) }], version, codes: sequence.count, frames };
  }
  if (sequence.count > MAX_PICTURES)
    fail('E_ROUTE', `${String(length)} bytes would be ${String(sequence.count)} pictures`, { field: format, remedy: 'Use --gif FILE, which is one file, or a larger --density, or carry the file itself.' });
  const files = numbered(path, sequence.count).map((file, i) => {
    const { modules } = sequence.code(i + 1);
    return { path: file, bytes: format === 'png' ? codePng(modules) : utf8(codeSvg(modules)) };
  });
  return { files, version, codes: sequence.count, frames: sequence.count };
}

/** Writes files that are not there yet; none, if one of them is. @returns path and SHA-256 of each @throws E_EXISTS */
export function writeNew(disk: Disk, files: readonly CodeFile[]): { path: string; sha256: string }[] {
  const there = files.find((f) => disk.exists(f.path));
  if (there) fail('E_EXISTS', `${basename(there.path)} is there already`, { file: there.path, remedy: 'Name another file, or move it away.' });
  return files.map(({ path, bytes }) => {
    if (!disk.createOnce(path, bytes, 0o644)) fail('E_EXISTS', `${basename(path)} is there already`, { file: path, remedy: 'Name another file, or move it away.' });
    return { path, sha256: toHex(sha256(bytes)) };
  });
}

/** Puts the scan page into the folder where the command runs, once. @returns its path @throws E_EXISTS when all its names are taken by other files */
export async function writeScanPage(disk: Disk): Promise<string> {
  const bytes = utf8(await scanPage());
  for (const name of ['scan-page.html', 'scan-page-2.html', 'scan-page-3.html']) {
    const path = resolve(name);
    if (disk.createOnce(path, bytes, 0o644)) return path;
    const there = disk.read(path, 64 * 1024 * 1024);
    if (there && Buffer.compare(there, bytes) === 0) return path;
  }
  return fail('E_EXISTS', 'scan-page.html is there already, and is another file', { file: join(resolve('.'), 'scan-page.html'), remedy: 'Name another: mpc-ceremony qr page FILE' });
}
