/** The folder behind a relay, when somebody else has a hand in it: squatters, leftovers, file systems without links, kills. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { folderRelay } from '../../src/relay/folder-relay.ts';
import { openRelay } from '../../src/relay/open-relay.ts';
import { MAX_NAMES, MAX_PART_BYTES } from '../../src/relay/relay.ts';
import { openSpool } from '../../src/relay/spool.ts';
import { numberOf, part, partPlace } from './children/numbered.ts';
import { bundle, place, random, refusal, tempDir } from './people.ts';

const box = place(0);
const name = place(1);
const unlinkable = async (): Promise<never> => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }));

describe('a squatted or damaged place', () => {
  it.each([
    ['a folder', (at: string) => mkdirSync(at)],
    ['a link', (at: string) => symlinkSync('/etc/passwd', at)],
    ['a link to nothing', (at: string) => symlinkSync('nowhere', at)],
    ['a pipe', (at: string) => execFileSync('mkfifo', [at])],
    ['a file larger than any part', (at: string) => {
      writeFileSync(at, '');
      truncateSync(at, MAX_PART_BYTES + 1);
    }],
  ])('%s is reported by its name, and stops nothing else', async (_, squat) => {
    const dir = tempDir();
    mkdirSync(join(dir, box));
    squat(join(dir, box, name));
    const relay = await folderRelay(dir);
    for (const work of [() => relay.get(box, name), () => relay.put(box, name, random(10))]) {
      const error = await refusal(work);
      expect([error.code, error.facts.field, error.facts.file]).toEqual(['E_RELAY_PART', name, join(dir, box, name)]);
    }
    expect(await relay.put(box, place(2), random(10))).toBe('stored');
    expect(await relay.list(box)).toContain(place(2));
  });
  it('a copy that was interrupted stays what it is: nobody lengthens what lies there', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, box));
    const bytes = random(1000);
    for (const [n, length] of [[1, 0], [2, 1], [3, 999]] as const) {
      writeFileSync(join(dir, box, place(n)), bytes.subarray(0, length));
      const error = await refusal(async () => (await folderRelay(dir)).put(box, place(n), bytes));
      expect([error.code, error.facts.field]).toEqual(['E_RELAY_PART', place(n)]);
      expect(await (await folderRelay(dir)).get(box, place(n))).toEqual(bytes.slice(0, length));
    }
  });
  it('a box that is a file, or a link to another folder, is not written into', async () => {
    for (const squat of [(at: string) => writeFileSync(at, 'x'), (at: string) => symlinkSync(tempDir(), at)]) {
      const dir = tempDir();
      squat(join(dir, box));
      const relay = await folderRelay(dir);
      expect((await refusal(() => relay.put(box, name, random(10)))).code).toBe('E_RELAY');
    }
  });
  it('what is not a name is not listed, and neither is what lies beyond the most names', async () => {
    const dir = tempDir();
    const relay = await folderRelay(dir);
    await relay.put(box, name, random(10));
    for (const other of ['.hidden', 'README', name.toUpperCase(), `${name}.tmp`, name.slice(1)]) writeFileSync(join(dir, box, other), 'x');
    expect(await relay.list(box)).toEqual([name]);
    for (let n = 2; n < MAX_NAMES + 10; n++) linkSync(join(dir, box, name), join(dir, box, place(n)));
    expect(await relay.list(box)).toHaveLength(MAX_NAMES);
  });
  it('of a box that somebody filled with junk, everybody sees the same first names, and can read and put every other', async () => {
    const dir = tempDir();
    const relay = await folderRelay(dir);
    const names = Array.from({ length: MAX_NAMES + 500 }, (_, n) => place(n)).sort();
    const [first, ...rest] = names as [string, ...string[]];
    await relay.put(box, first, random(10));
    for (const n of rest) linkSync(join(dir, box, first), join(dir, box, n));
    expect(await relay.list(box)).toEqual(names.slice(0, MAX_NAMES));
    const late = 'f'.repeat(32);
    const bytes = random(10);
    expect(await relay.put(box, late, bytes)).toBe('stored');
    expect(await relay.put(box, late, bytes)).toBe('there');
    expect(await relay.list(box)).not.toContain(late);
    expect(await relay.get(box, late)).toEqual(bytes);
  });
});

describe('the folder', () => {
  it('must be there: a stick that is not plugged in is no empty relay', async () => {
    const dir = join(tempDir(), 'stick');
    expect((await refusal(() => folderRelay(dir))).code).toBe('E_RELAY');
    expect(existsSync(dir)).toBe(false);
    mkdirSync(dir);
    const relay = await folderRelay(dir);
    await relay.put(box, name, random(10));
    rmSync(dir, { recursive: true });
    for (const work of [() => relay.get(box, name), () => relay.list(box), () => relay.put(box, name, random(10)), () => relay.wait(box, 0, 10_000)]) expect((await refusal(work)).code).toBe('E_RELAY');
    expect(existsSync(dir)).toBe(false);
    writeFileSync(dir, '');
    expect((await refusal(() => folderRelay(dir))).code).toBe('E_RELAY');
  });
  it('goes on after somebody took ended ceremonies and temporary files away', async () => {
    const dir = tempDir();
    const relay = await folderRelay(dir);
    const bytes = random(10);
    for (const gone of [box, '.tmp']) {
      await relay.put(box, name, bytes);
      rmSync(join(dir, gone), { recursive: true });
      expect(await relay.put(box, place(2), bytes)).toBe('stored');
      rmSync(join(dir, box), { recursive: true });
      expect(await relay.put(box, name, bytes)).toBe('stored');
    }
  });
  it.skipIf(process.platform === 'win32').each([0o700, 0o755, 0o2770])('what is made in it has its permissions (%o)', async (mode) => {
    const dir = tempDir();
    chmodSync(dir, mode);
    await (await folderRelay(dir)).put(box, name, random(10));
    expect((statSync(join(dir, box)).mode & 0o7777).toString(8)).toBe(mode.toString(8));
    expect((statSync(join(dir, box, name)).mode & 0o777).toString(8)).toBe((mode & 0o666).toString(8));
  });
  it('holds nothing but the parts when all is done, and ignores and sweeps what crashes left', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, '.tmp'));
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const leftover of [`${'a'.repeat(24)}.part`, `${box}-${name}.claim`]) {
      writeFileSync(join(dir, '.tmp', leftover), random(5));
      utimesSync(join(dir, '.tmp', leftover), old, old);
    }
    const young = `${'b'.repeat(24)}.part`;
    writeFileSync(join(dir, '.tmp', young), random(5));
    const relay = await folderRelay(dir);
    expect(await relay.list(box)).toEqual([]);
    await relay.put(box, name, random(10));
    expect(readdirSync(join(dir, '.tmp'))).toEqual([young]);
    expect(readdirSync(dir).sort()).toEqual(['.tmp', box]);
    expect(readdirSync(join(dir, box))).toEqual([name]);
  });
  it('is cleaned of nothing but what this program makes, and never through a link', async () => {
    const old = new Date(Date.now() - 2 * 3_600_000);
    const dir = tempDir();
    mkdirSync(join(dir, '.tmp'));
    const ours = `${'a'.repeat(24)}.part`;
    const others = ['thesis.txt', 'a.part', `x${ours}`, `${ours}.bak`, ours.toUpperCase(), `${name}.claim`, `${box}-${name}.claim~`];
    for (const file of [ours, ...others]) {
      writeFileSync(join(dir, '.tmp', file), 'x');
      utimesSync(join(dir, '.tmp', file), old, old);
    }
    await openSpool(dir).sweep(Date.now());
    expect(readdirSync(join(dir, '.tmp')).sort()).toEqual(others.sort());
    const elsewhere = tempDir();
    writeFileSync(join(elsewhere, ours), 'x');
    utimesSync(join(elsewhere, ours), old, old);
    const root = tempDir();
    symlinkSync(elsewhere, join(root, '.tmp'));
    const error = await refusal(() => openSpool(root).sweep(Date.now()));
    expect([error.code, error.facts.file]).toEqual(['E_RELAY', join(root, '.tmp')]);
    // who only puts is told the same, and nothing is written there either
    expect((await refusal(async () => (await folderRelay(root)).put(box, name, random(10)))).code).toBe('E_RELAY');
    expect(readdirSync(elsewhere)).toEqual([ours]);
  });
  it('tells a full disk from other faults', async () => {
    const dir = tempDir();
    const spool = openSpool(dir, { link: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) });
    const error = await refusal(async () => (await folderRelay(dir, spool)).put(box, name, random(10)));
    expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('no space')]);
    expect(readdirSync(join(dir, '.tmp'))).toEqual([]);
    expect(await (await folderRelay(dir)).list(box)).toEqual([]);
  });
});

describe('a file system without hard links', () => {
  it('gives each name once as well', async () => {
    const dir = tempDir();
    for (let round = 0; round < 3; round++) {
      const tries = Array.from({ length: 12 }, () => random(3000));
      // each with a spool of its own, as other processes have
      const said = await Promise.all(tries.map(async (bytes) => openSpool(dir, { link: unlinkable }).put(box, place(round), bytes)));
      expect(said.filter((s) => s === 'stored')).toHaveLength(1);
      expect(said.filter((s) => s === 'other')).toHaveLength(11);
      expect(readFileSync(join(dir, box, place(round))).equals(tries[said.indexOf('stored')] as Uint8Array)).toBe(true);
    }
    expect(readdirSync(join(dir, '.tmp'))).toEqual([]);
    const again = random(10);
    expect(await openSpool(dir, { link: unlinkable }).put(box, place(50), again)).toBe('stored');
    expect(await openSpool(dir, { link: unlinkable }).put(box, place(50), again)).toBe('there');
  });
  it('a claim whose owner was killed is taken over after a while', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, '.tmp'));
    writeFileSync(join(dir, '.tmp', `${box}-${name}.claim`), '');
    expect(await openSpool(dir, { link: unlinkable, claimMs: 300 }).put(box, name, random(10))).toBe('stored');
    expect(readdirSync(join(dir, '.tmp'))).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('processes', () => {
  let putter = '';
  const bin = mkdtempSync(join(tmpdir(), 'relay-bin-'));
  beforeAll(async () => void (putter = await bundle('putter', bin)));
  afterAll(() => {
    rmSync(bin, { recursive: true });
  });

  it('killed while they put leave whole parts alone, and lose none that was acknowledged', async () => {
    const dir = tempDir();
    const acknowledged = new Set<number>();
    let began = 0;
    for (let kill = 0; kill < 5; kill++) {
      const child = spawn(process.execPath, [putter, dir, String(began), '100000', box]);
      const said = collect(child);
      // in the middle of whatever it does after some parts
      const enough = 5 + 7 * kill;
      while (said().split('\n').length < enough && child.exitCode === null) await new Promise((done) => setTimeout(done, 1));
      child.kill('SIGKILL');
      await once(child, 'close');
      for (const [, n] of said().matchAll(/^stored (\d+)\n/gm)) acknowledged.add(Number(n));
      began = Math.max(...acknowledged) - 8; // the next one says some of it again
      if (began < 0) began = 0;
    }
    const relay = await folderRelay(dir);
    const there = new Set(await relay.list(box));
    for (const n of acknowledged) expect([n, there.has(partPlace(n))]).toEqual([n, true]);
    for (const place of there) expect(numberOf((await relay.get(box, place)) ?? new Uint8Array(0))).toBeTypeOf('number');
    // what had not been acknowledged is put again without a fault
    for (let n = 0; n < Math.max(...acknowledged) + 8; n++) await relay.put(box, partPlace(n), part(n));
  });
  it('that race for the same names agree on every one of them', async () => {
    const dir = tempDir();
    const children = [0, 1, 2].map(() => spawn(process.execPath, [putter, dir, '0', '60', box]));
    const said = children.map(collect);
    await Promise.all(children.map((c) => once(c, 'close')));
    expect(children.map((c) => c.exitCode)).toEqual([0, 0, 0]);
    const stored = said.flatMap((s) => [...s().matchAll(/^stored (\d+)$/gm)].map((m) => Number(m[1])));
    expect([...stored].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });
});

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

describe('an address', () => {
  it.each([
    ['ftp://relay.example/'], ['ws://relay.example'], ['file:///tmp'], ['http://'], ['http://bob:geheim@relay.example'], ['https://geheim@relay.example/'], ['nats://:geheim@relay.example'],
    ['tls://geheim@relay.example'], ['http://relay.example/?geheim'], ['http://relay.example/#geheim'], ['http://relay.example/?'], ['http://@relay.example'], ['http://a b/'], ['http://relay.example:99999'],
  ])('%s is refused and not repeated', async (address) => {
    const error = await refusal(() => openRelay(address));
    expect(error.code).toBe('E_USAGE');
    expect(JSON.stringify([error.message, error.facts])).not.toContain('geheim');
  });
  it('of a folder may be relative; options that it has no use for are refused', async () => {
    const dir = tempDir();
    expect((await openRelay(dir)).address).toBe(dir);
    for (const options of [{ creds: 'x' }, { ca: 'x' }]) expect((await refusal(() => openRelay(dir, options))).code).toBe('E_USAGE');
    expect((await refusal(() => openRelay('http://127.0.0.1:1', { ca: 'x' }))).code).toBe('E_USAGE');
    expect((await refusal(() => openRelay('https://127.0.0.1:1', { creds: 'x' }))).code).toBe('E_USAGE');
    expect((await refusal(() => openRelay('https://127.0.0.1:1', { ca: join(dir, 'absent') }))).code).toBe('E_IO');
    writeFileSync(join(dir, 'key.pem'), 'no certificate');
    expect((await refusal(() => openRelay('https://127.0.0.1:1', { ca: join(dir, 'key.pem') }))).code).toBe('E_USAGE');
  });
});
