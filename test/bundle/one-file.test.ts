/** The one file by itself: it needs node and nothing beside it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromHex } from '../../src/wire/bytes.ts';
import { words } from '../../src/wire/words.ts';
import { bundle, digestOf, newDir, ROOT, run, runJson } from './support.ts';

let file: string;
let dir: string;
let text: string;
beforeAll(() => {
  const built = bundle(ROOT, join(newDir(), 'out'));
  dir = join(newDir(), 'stick');
  file = join(dir, 'mpc-ceremony.mjs');
  cpSync(built, file);
  text = readFileSync(file, 'latin1');
});

describe('the file', () => {
  it('is at most 4 MB of ASCII, with statements on lines of their own', () => {
    expect(text.length).toBeLessThanOrEqual(4_000_000);
    expect(/[^\x00-\x7f]/.test(text)).toBe(false);
    const lines = text.split('\n');
    expect(lines.length).toBeGreaterThan(20_000);
    // what is long is data, WebAssembly in base64 and tables, and what its makers publish shortened
    expect(lines.filter((l) => l.length > 10_000).length).toBeLessThan(8);
  });
  it('keeps names: what a person looks for is there', () => {
    for (const name of ['function dkgFindings(', 'function programDigest(', 'class CeremonyStore', 'function checkOpenings(']) expect(text.includes(name), name).toBe(true);
  });
  it('passes on the licences of the packages that are in it', () => {
    for (const name of ['libsodium-wrappers-sumo', '@noble/curves', 'yaml', 'commander', 'valibot', 'age-encryption']) expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
  });
  it('requires its own parts and what node brings along, nothing else', () => {
    const required = new Set([...text.matchAll(/\brequire\(([`"'])([^`"']+)\1\)/g)].map((m) => m[2] as string).filter((id) => !id.startsWith('./')));
    expect(required.size).toBeGreaterThan(5);
    expect([...required].filter((id) => process.getBuiltinModule(id) === undefined)).toEqual([]);
  });
});

describe('alone in a folder', () => {
  it('tells its version', () => {
    expect(run(file, ['--version'])).toEqual({ exit: 0, stdout: '0.1.0\n', stderr: '' });
    expect(runJson(file, ['--version'])).toMatchObject({ version: '0.1.0', exited: 0 });
  });
  it('doctor prints the SHA-256 of the file, its words, and how to compare', () => {
    const digest = digestOf(file);
    const ran = runJson(file, ['doctor']);
    expect(ran).toMatchObject({ exited: 0, program: digest, file, words: words(fromHex(digest).slice(0, 16)) });
    expect(JSON.stringify(ran['findings'])).toContain(`${digest}; sha256sum mpc-ceremony.mjs shows the same`);
    const people = run(file, ['doctor']).stdout;
    for (const word of words(fromHex(digest).slice(0, 16))) expect(people).toContain(word);
  });
  it('another byte is another program, whatever its name, and under a link as well', () => {
    const elsewhere = newDir();
    const other = join(elsewhere, 'renamed.mjs');
    writeFileSync(other, `${text}\n`);
    symlinkSync('renamed.mjs', join(elsewhere, 'mpc-ceremony.mjs'));
    const { program } = runJson(join(elsewhere, 'mpc-ceremony.mjs'), ['doctor']);
    expect(program).toBe(digestOf(other));
    expect(program).not.toBe(digestOf(file));
  });
  it('has the templates inside', () => {
    const out = join(newDir(), 'draft.yaml');
    expect(runJson(file, ['plan', 'new', '--template', 'dkg-2of3', '--out', out]).exited).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(readFileSync(join(ROOT, 'templates/dkg-2of3.yaml'), 'utf8'));
    const { exited, error } = runJson(file, ['plan', 'new', '--template', '../templates/ops-2of3']);
    expect([exited, error?.code]).toEqual([64, 'E_USAGE']);
    for (const f of readdirSync(join(ROOT, 'templates'))) expect(error?.remedy).toContain(f.slice(0, -5));
  });
  it('shows lines and columns of itself in a stack trace', () => {
    // the first statement of the main part throws
    const broken = join(newDir(), 'mpc-ceremony.mjs');
    const at = text.indexOf('process.umask(63)');
    writeFileSync(broken, `${text.slice(0, at)}missing();${text.slice(at)}`);
    const line = text.slice(0, at).split('\n').length;
    const column = at - text.lastIndexOf('\n', at);
    const { exit, stderr } = run(broken, ['--version']);
    expect(exit).toBe(1);
    expect(stderr).toContain('missing is not defined');
    expect(stderr).toContain(`${broken}:${String(line)}:${String(column)}`);
  });
  it('says so where node is too old', () => {
    const hook = join(newDir(), 'old.mjs');
    writeFileSync(hook, 'delete process.getBuiltinModule;\n');
    const { status, stderr } = spawnSync(process.execPath, ['--import', hook, file, '--version'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([40, `mpc-ceremony needs Node 20.19 or newer; this is ${process.version}.\n`]);
  });
  it('writes the scan page, with the WebAssembly of the reader exactly as its makers publish it', () => {
    const page = join(newDir(), 'scan.html');
    expect(runJson(file, ['qr', 'page', page]).exited).toBe(0);
    const wasm = readFileSync(createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'));
    expect(readFileSync(page, 'latin1').includes(wasm.toString('base64'))).toBe(true);
  });
  it('starts a worker of the crew from the same file', async () => {
    const worker = new Worker(pathToFileURL(file), { argv: ['crew-worker'] });
    try {
      const answer = new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.once('exit', () => {
          reject(new Error('the worker ended'));
        });
      });
      worker.postMessage({ id: 7, task: 'checkModulus', args: [] });
      expect(await answer).toEqual({ id: 7, outcomes: [] });
    } finally {
      await worker.terminate();
    }
    // the same word from a person is no command
    expect(runJson(file, ['crew-worker'])).toMatchObject({ exited: 64, error: { code: 'E_USAGE' } });
  });
  it('rehearses a whole ceremony with itself as the program of everybody', () => {
    const out = join(dir, 'rehearsed');
    const ran = runJson(file, ['rehearse', '--quorum', '2-of(alice, bob)', '--out', out]);
    expect(ran).toMatchObject({ exited: 0, participants: ['alice', 'bob'] });
    expect((ran['checks'] as { verdict: string }[]).map((c) => c.verdict)).not.toContain('wrong');
    const open = JSON.parse(Buffer.from((JSON.parse(readFileSync(join(out, 'alice/treasury-dkg-1/transcript/bob.jsonl'), 'utf8').split('\n')[0] as string) as { payload: string }).payload, 'base64').toString()) as { kind: string; program: string };
    expect(open).toMatchObject({ kind: 'open', program: digestOf(file) });
    rmSync(out, { recursive: true });
  });
  it('left nothing beside itself', () => {
    mkdirSync(join(dir, 'nobody'), { recursive: true });
    expect(readdirSync(dir).sort()).toEqual(['mpc-ceremony.mjs', 'nobody']);
    expect(readdirSync(join(dir, 'nobody'))).toEqual([]);
  });
});
