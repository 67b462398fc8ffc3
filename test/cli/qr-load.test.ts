/** What is shown of a file or a folder, and what never is; codes as files. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawFiles, type Format, fileName, writeNew, writeScanPage } from '../../src/cli/qr-files.ts';
import { fileLoad, folderLoad, type Load, MAX_SHOWN_FILE, namesInWords } from '../../src/cli/qr-load.ts';
import { makeCard, encodeCard } from '../../src/plan/card.ts';
import { codesInFile } from '../../src/qr/read-file.ts';
import { UrReader } from '../../src/qr/ur.ts';
import { parseParcel } from '../../src/transport/parcel.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import type { CeremonyError } from '../../src/wire/errors.ts';

let dir: string;
const disk = realDisk();
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'qr-load-')));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});
const put = (path: string, bytes: Uint8Array | string): string => {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
};
const load = (path: string, bytes: Uint8Array | string): Load => fileLoad(disk, put(path, bytes), join(dir, 'home'));
const refusal = (work: () => unknown): CeremonyError => {
  try {
    work();
  } catch (e) {
    return e as CeremonyError;
  }
  throw new Error('not refused');
};
const blob = (slot: number): Uint8Array => Uint8Array.from({ length: 150 }, (_, i) => (i === 0 ? 1 : i === 17 ? slot : i));
const aCard = (): Uint8Array => encodeCard(makeCard({ mode: 'rehearsal', name: 'bob', homeId: '00'.repeat(16), x25519: '11'.repeat(32), prekeys: [] }, signerFromSeed(new Uint8Array(32).fill(7))));

describe('a file', () => {
  it('that is a message or a parcel travels as it is', () => {
    expect(load('round-1/bob.blob', blob(1)).message).toEqual(blob(1));
    const { message } = load('pay.json', '{"a":1}');
    const again = load('a.parcel', message);
    expect(again.message).toEqual(message);
    expect(again.what).toBe('a.parcel: files/pay.json');
  });

  it('that is a card travels under the name of its owner, whatever the file is called', () => {
    const shown = load('Downloads/card (1).card', aCard());
    expect(parseParcel(shown.message, 'x')).toEqual([{ path: 'cards/bob.card', bytes: aCard() }]);
    expect([shown.what, shown.file]).toEqual(['card of bob', aCard()]);
    expect(refusal(() => load('bob.card', 'no card')).code).toBe('E_CARD');
  });

  it.each([
    ['t/PLAN.yaml', 'PLAN.yaml'],
    ['t/evidence/e-1.json', 'evidence/e-1.json'],
    ['t/transcript/bob.jsonl', 'transcript/bob.jsonl'],
    ['Pay Roll..(1).JSON', 'files/pay-roll.-1-.json'],
    ['..hidden', 'files/hidden'],
    ['äöü', 'files/file'],
    [`${'x'.repeat(200)}.txt`, `files/${'x'.repeat(64)}`],
  ])('%s travels as %s', (path, as) => {
    expect(parseParcel(load(path, 'text').message, 'x')).toEqual([{ path: as, bytes: utf8('text') }]);
  });

  it('that is too large, empty or not there is refused, with the other way', () => {
    expect(load('a', new Uint8Array(MAX_SHOWN_FILE).fill(65)).message.length).toBeGreaterThan(0);
    const large = refusal(() => load('b', new Uint8Array(MAX_SHOWN_FILE + 1).fill(65)));
    expect([large.code, large.facts.file, large.facts.remedy]).toEqual(['E_ROUTE', join(dir, 'b'), expect.stringMatching(/stick/)]);
    expect(refusal(() => load('c', '')).code).toBe('E_USAGE');
    expect(refusal(() => fileLoad(disk, join(dir, 'none'), dir)).code).toBe('E_MISSING');
  });

  it.each([
    ['sealed file', 'x', 'MPCS1\0\x10rest'],
    ['age identity', 'key.txt', '# created\nAGE-SECRET-KEY-1QQQQ\n'],
    ['private key', 'id', '-----BEGIN OPENSSH PRIVATE KEY-----\nx'],
    ['file of the home', 'home/keys/t/epoch-1/public.json', '{}'],
    ['file of the home by another name', 'home/notes', 'x'],
  ])('with a secret is never shown: %s', (_, path, bytes) => {
    const error = refusal(() => load(path, bytes));
    expect([error.code, error.facts.file]).toEqual(['E_USAGE', join(dir, path)]);
    expect(error.message).not.toContain('QQQQ');
  });

  it('of the home that may be shown is the card', () => {
    expect(load('home/identity/bob.card', aCard()).what).toBe('card of bob');
  });
});

describe('a folder of which this home has no part', () => {
  it('is shown with plan and messages, and nothing else that lies in it', () => {
    put('t/PLAN.yaml', 'plan');
    put('t/round-1/alice.blob', blob(1));
    put('t/round-2/alice.blob', blob(2));
    put('t/base/certificate.json', '{}');
    put('t/SCRIPT.html', 'x');
    put('t/transcript/alice.jsonl', 'x');
    put('t/.scan', 'x');
    put('t/round-1/Foreign File.txt', 'x');
    const shown = folderLoad(disk, join(dir, 't'));
    expect(parseParcel(shown.message, 'x').map((f) => f.path).sort()).toEqual(['PLAN.yaml', 'base/certificate.json', 'round-1/alice.blob', 'round-2/alice.blob']);
    expect(shown.what).toBe('t: plan, 2 messages');
    mkdirSync(join(dir, 'empty'));
    expect(refusal(() => folderLoad(disk, join(dir, 'empty'))).code).toBe('E_MISSING');
  });
});

describe('files of codes', () => {
  const read = async (files: readonly string[]): Promise<Uint8Array | undefined> => {
    const reader = new UrReader();
    for (const file of files) for await (const text of codesInFile(file)) reader.take(text);
    return reader.message;
  };
  const write = (format: Format, length: number, name = `codes.${format}`): { paths: string[]; shown: Load; drawn: ReturnType<typeof drawFiles> } => {
    const shown: Load = { what: 'treasury <&> "1"', message: new Uint8Array(randomBytes(length)), readers: [] };
    const drawn = drawFiles(shown, format, join(dir, name), { fps: 8 });
    return { paths: writeNew(disk, drawn.files).map((f) => f.path), shown, drawn };
  };

  it.each(['gif', 'png'] as const)('%s: one code, or several, are read back', async (format) => {
    const one = write(format, 184, `one.${format}`);
    expect([one.paths, one.drawn.codes, one.drawn.frames, one.drawn.version]).toEqual([[join(dir, `one.${format}`)], 1, 1, 10]);
    expect(await read(one.paths)).toEqual(one.shown.message);
    const many = write(format, 3000);
    expect(many.drawn).toMatchObject({ codes: 11, version: 13, frames: format === 'gif' ? 22 : 11 });
    expect(many.paths.map((p) => p.slice(dir.length + 1))).toEqual(format === 'gif' ? ['codes.gif'] : Array.from({ length: 11 }, (_, i) => `codes-${String(i + 1).padStart(2, '0')}.png`));
    expect(await read([...many.paths].reverse())).toEqual(many.shown.message);
  });

  it('denser for more bytes', () => {
    expect([184, 570, 650, 8_000, 8_001, 40_000, 40_001].map((n) => write('svg', n, `${String(n)}.svg`).drawn.version)).toEqual([10, 20, 13, 13, 20, 20, 27]);
  });

  it('the page holds the picture, runs and loads nothing, and a name cannot break out of it', async () => {
    const { paths, shown } = write('page', 1000, 'codes.html');
    const html = readFileSync(paths[0] as string, 'utf8');
    expect(html).toContain("default-src 'none'; img-src data:");
    expect(html).not.toMatch(/<script|https?:|treasury <|"1"/);
    const gif = Buffer.from(/base64,([^"]+)"/.exec(html)?.[1] ?? '', 'base64');
    expect(await read([put('out.gif', gif)])).toEqual(shown.message);
  });

  it('svg and pdf say what they are', () => {
    expect(readFileSync(write('svg', 100).paths[0] as string, 'utf8')).toMatch(/^<svg /);
    const pdf = write('pdf', 2000);
    expect(readFileSync(pdf.paths[0] as string, 'latin1')).toMatch(/^%PDF-1\.4/);
    expect(pdf.drawn).toMatchObject({ version: 13 });
    expect(pdf.drawn.frames).toBe(2 * pdf.drawn.codes);
  });

  it('more than a hundred pictures are refused, nothing is written', () => {
    expect(refusal(() => write('png', 150_000)).code).toBe('E_ROUTE');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('nothing is ever overwritten, and of several files either all are written or none', () => {
    put('codes-03.png', 'mine');
    const error = refusal(() => write('png', 3000));
    expect([error.code, error.facts.file, readdirSync(dir)]).toEqual(['E_EXISTS', join(dir, 'codes-03.png'), ['codes-03.png']]);
    put('codes.gif', 'mine');
    expect(refusal(() => write('gif', 100)).code).toBe('E_EXISTS');
    expect(readFileSync(join(dir, 'codes.gif'), 'utf8')).toBe('mine');
  });

  it('the scan page is written once, beside what others called so', async () => {
    const was = process.cwd();
    process.chdir(dir);
    try {
      const first = await writeScanPage(disk);
      expect([first, await writeScanPage(disk)]).toEqual([join(dir, 'scan-page.html'), join(dir, 'scan-page.html')]);
      writeFileSync(first, 'another');
      expect(await writeScanPage(disk)).toBe(join(dir, 'scan-page-2.html'));
      expect(readFileSync(first, 'utf8')).toBe('another');
    } finally {
      process.chdir(was);
    }
  });

  it('paths in commands can be copied', () => {
    expect([fileName('/a/b c'), fileName("/a/it's"), fileName(join(process.cwd(), 'x'))]).toEqual(["'/a/b c'", `'/a/it'\\''s'`, 'x']);
    expect([namesInWords(['a']), namesInWords(['a', 'b']), namesInWords(['a', 'b', 'c'])]).toEqual(['a', 'a and b', 'a, b and c']);
  });
});
