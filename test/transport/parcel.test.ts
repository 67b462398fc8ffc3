/** Parcels: what travels by code and relay. Whatever comes in, a folder only ever gains files that a ceremony reads. */
import { deflateRawSync } from 'node:zlib';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeParcel, isParcelPath, MAX_PARCEL_BYTES, parseParcel, type ParcelFile } from '../../src/transport/parcel.ts';
import { unpack } from '../../src/transport/unpack.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { concat, u32, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';

const root = mkdtempSync(join(tmpdir(), 'parcel-'));
afterAll(() => rmSync(root, { recursive: true }));
const disk = realDisk();

function code(work: () => unknown): ErrorCode | 'none' {
  try {
    work();
    return 'none';
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
}

/** A blob by its header alone: nothing here checks signatures. */
const blob = (slot: number, leaf: number, fill = 7, ceremony = 0xaa): Uint8Array => concat(Uint8Array.of(1), new Uint8Array(16).fill(ceremony), Uint8Array.of(slot, leaf), new Uint8Array(120).fill(fill));
const raw = (...files: [string, Uint8Array][]): Uint8Array => concat(utf8('MPCP'), Uint8Array.of(1, 0), ...files.flatMap(([path, bytes]) => [Uint8Array.of(path.length), Buffer.from(path, 'latin1'), u32(bytes.length), bytes]));

describe('packing', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
  const path = fc.oneof(fc.constantFrom('PLAN.yaml', 'intent.json', 'message.bin', 'base/certificate.json', 'transcript/certificate.json'), fc.tuple(fc.integer({ min: 1, max: 9 }), name).map(([s, n]) => `round-${String(s)}/${n}.blob`), name.map((n) => `transcript/${n}.jsonl`), name.map((n) => `cards/${n}.card`));

  it('gives back what went in', () => {
    // what is called a message must look like one
    const file = fc.tuple(path, fc.uint8Array({ minLength: 1, maxLength: 300 })).map(([p, bytes]) => ({ path: p, bytes: p.endsWith('.blob') ? concat(blob(1, 1), bytes) : bytes }));
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (f) => f.path, minLength: 2, maxLength: 12 }), (files) => {
        const back = parseParcel(encodeParcel(files), 'x');
        expect(back.map((f) => f.path)).toEqual(files.map((f) => f.path));
        expect(back.map((f) => Buffer.from(f.bytes))).toEqual(files.map((f) => Buffer.from(f.bytes)));
      }),
    );
  });
  it('never throws anything but a refusal, whatever it is given', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void code(() => parseParcel(bytes, 'x'))));
    const good = encodeParcel([{ path: 'PLAN.yaml', bytes: utf8('schema: x\n'.repeat(20)) }]);
    fc.assert(fc.property(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => void code(() => parseParcel(good.map((b, i) => (i === at ? b ^ flip : b)), 'x'))));
  });
  it('leaves a lone message as it is, and names it by its seat', () => {
    const bytes = blob(2, 3);
    expect(encodeParcel([{ path: 'round-2/carol.blob', bytes }])).toBe(bytes);
    expect(parseParcel(bytes, 'x')).toEqual([{ path: 'round-2/seat-3.blob', bytes }]);
  });

  it.each<[string, Uint8Array, ErrorCode]>([
    ['nothing', new Uint8Array(0), 'E_PARCEL'],
    ['something else', utf8('hello, world'), 'E_PARCEL'],
    ['another version', concat(utf8('MPCP'), Uint8Array.of(2, 0, 1)), 'E_VERSION'],
    ['an unknown packing', concat(utf8('MPCP'), Uint8Array.of(1, 2, 1)), 'E_PARCEL'],
    ['no file', concat(utf8('MPCP'), Uint8Array.of(1, 0), new Uint8Array(0)), 'E_PARCEL'],
    ['damaged packing', concat(utf8('MPCP'), Uint8Array.of(1, 1, 255, 255, 255)), 'E_PARCEL'],
    ['a bomb', concat(utf8('MPCP'), Uint8Array.of(1, 1), new Uint8Array(deflateRawSync(new Uint8Array(MAX_PARCEL_BYTES + 1)))), 'E_TOO_LARGE'],
    ['a path out of the folder', raw(['../PLAN.yaml', utf8('x')]), 'E_PARCEL'],
    ['an absolute path', raw(['/etc/passwd', utf8('x')]), 'E_PARCEL'],
    ['a path with a dot-dot inside', raw(['evidence/a..json', utf8('x')]), 'E_PARCEL'],
    ['a derived file', raw(['VERIFY.txt', utf8('x')]), 'E_PARCEL'],
    ['a path twice', raw(['PLAN.yaml', utf8('x')], ['PLAN.yaml', utf8('x')]), 'E_PARCEL'],
    ['a length beyond the end', concat(utf8('MPCP'), Uint8Array.of(1, 0, 9), utf8('PLAN.yaml'), u32(0xffffffff), utf8('x')), 'E_PARCEL'],
    ['a path beyond the end', concat(utf8('MPCP'), Uint8Array.of(1, 0, 200), utf8('PLAN.yaml')), 'E_PARCEL'],
    ['a message of round 77', blob(77, 1), 'E_PARCEL'],
    ['a message that is none', raw(['round-1/bob.blob', utf8('hello')]), 'E_PARCEL'],
    ['an empty message', raw(['round-1/bob.blob', new Uint8Array(0)]), 'E_PARCEL'],
    ['more files than there are', raw(...Array.from({ length: 513 }, (_, i): [string, Uint8Array] => [`cards/c${String(i)}.card`, utf8('x')])), 'E_PARCEL'],
  ])('refuses %s', (_, bytes, expected) => expect(code(() => parseParcel(bytes, 'x'))).toBe(expected));

  it('packs nothing that it would not take', () => {
    for (const path of ['SCRIPT.html', 'round-0/a.blob', 'round-1/A.blob', 'transcript/../x.jsonl', 'cards/a.card/b', 'evidence/.json', '']) {
      expect(isParcelPath(path)).toBe(false);
      expect(code(() => encodeParcel([{ path, bytes: utf8('x') }]))).toBe('E_PARCEL');
    }
  });
});

describe('unpacking into a folder', () => {
  let n = 0;
  const folder = (): string => join(root, `f${String((n += 1))}`);
  const put = (dir: string, ...files: ParcelFile[]) => unpack(disk, dir, files, 'the code');
  const read = (dir: string, path: string): string => readFileSync(join(dir, path), 'utf8');

  it('writes what is missing and knows what is there', () => {
    const dir = folder();
    const file = { path: 'round-1/bob.blob', bytes: blob(1, 2) };
    expect(put(dir, file)).toEqual({ wrote: ['round-1/bob.blob'], known: [] });
    expect(put(dir, file)).toEqual({ wrote: [], known: ['round-1/bob.blob'] });
  });
  it('puts another message of one name beside the first, once', () => {
    const dir = folder();
    put(dir, { path: 'round-1/bob.blob', bytes: blob(1, 2, 7) });
    const other = { path: 'round-1/bob.blob', bytes: blob(1, 2, 8) };
    const { wrote } = put(dir, other);
    expect(wrote).toHaveLength(1);
    expect(wrote[0]).toMatch(/^round-1\/bob-[0-9a-f]{8}\.blob$/);
    expect(put(dir, other).wrote).toEqual([]);
    expect(readdirSync(join(dir, 'round-1'))).toHaveLength(2);
  });
  it.each(['PLAN.yaml', 'intent.json', 'message.bin', 'base/certificate.json'])('refuses another %s, and writes nothing of what came with it', (path) => {
    const dir = folder();
    put(dir, { path, bytes: utf8('one') });
    expect(code(() => put(dir, { path: 'round-1/bob.blob', bytes: blob(1, 2) }, { path, bytes: utf8('two') }))).toBe('E_PLAN_CHANGED');
    expect(read(dir, path)).toBe('one');
    expect(readdirSync(dir)).not.toContain('round-1');
  });
  it('refuses a message of another ceremony, and writes nothing of what came with it', () => {
    const dir = folder();
    const files = [{ path: 'cards/a.card', bytes: utf8('{}') }, { path: 'round-1/bob.blob', bytes: blob(1, 2, 7, 0xbb) }];
    expect(code(() => unpack(disk, dir, files, 'x', { ceremony: 'aa'.repeat(16) }))).toBe('E_PARCEL');
    expect(disk.exists(dir)).toBe(false);
    expect(unpack(disk, dir, files, 'x', { ceremony: 'bb'.repeat(16) }).wrote).toHaveLength(2);
  });
  it('gives a message without a name that of its sender', () => {
    const dir = folder();
    expect(unpack(disk, dir, parseParcel(blob(2, 3), 'x'), 'x', { names: new Map([[3, 'carol']]) }).wrote).toEqual(['round-2/carol.blob']);
    expect(unpack(disk, dir, parseParcel(blob(2, 4), 'x'), 'x', { names: new Map([[3, 'carol']]) }).wrote).toEqual(['round-2/seat-4.blob']);
  });
  it('overwrites no transcript either, longer or not: which one is true is for its author’s signature to say', () => {
    const dir = folder();
    const chain = (text: string): ParcelFile => ({ path: 'transcript/bob.jsonl', bytes: utf8(text) });
    put(dir, chain('a\nb\n'));
    for (const other of ['a\nb\nc\n', 'a\n', 'a\nX\n']) expect(put(dir, chain(other)).wrote[0]).toMatch(/^transcript\/bob-[0-9a-f]{8}\.jsonl$/);
    expect(read(dir, 'transcript/bob.jsonl')).toBe('a\nb\n');
  });
  it('finds room where somebody has taken the name beside', () => {
    const dir = folder();
    const file = { path: 'round-1/bob.blob', bytes: blob(1, 2, 8) };
    put(dir, { path: 'round-1/bob.blob', bytes: blob(1, 2, 7) });
    const [beside] = put(dir, file).wrote;
    writeFileSync(join(dir, beside as string), 'squatted');
    expect(put(dir, file).wrote[0]).toMatch(/^round-1\/bob-[0-9a-f]{64}\.blob$/);
    expect(put(dir, file).wrote).toEqual([]);
  });
  it('follows no link', () => {
    const dir = folder();
    mkdirSync(join(dir, 'round-1'), { recursive: true });
    writeFileSync(join(root, 'outside'), 'safe');
    symlinkSync(join(root, 'outside'), join(dir, 'round-1', 'bob.blob'));
    expect(put(dir, { path: 'round-1/bob.blob', bytes: blob(1, 2) }).wrote[0]).toMatch(/bob-/);
    expect(readFileSync(join(root, 'outside'), 'utf8')).toBe('safe');
  });
});
