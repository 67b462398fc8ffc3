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
import { altered, bundle, digestOf, newDir, partsOf, ROOT, run, runJson } from './support.ts';

let file: string;
let dir: string;
let text: string;
let parts: Map<string, string>;
beforeAll(() => {
  const built = bundle(ROOT, join(newDir(), 'out'));
  dir = join(newDir(), 'stick');
  file = join(dir, 'mpc-ceremony.mjs');
  cpSync(built, file);
  text = readFileSync(file, 'latin1');
  parts = partsOf(text);
});

describe('the file', () => {
  it('is at most 4 MB of ASCII', () => {
    expect(text.length).toBeLessThanOrEqual(4_000_000);
    expect(/[^\x00-\x7f]/.test(text)).toBe(false);
  });
  it('can be read: unpacked it is code with the names of the source', () => {
    const out = join(newDir(), 'parts');
    expect(spawnSync(process.execPath, [join(ROOT, 'bundle/unpack.mjs'), file, out]).status).toBe(0);
    const code = readdirSync(out).map((f) => readFileSync(join(out, f), 'utf8'));
    expect(code).toEqual([...parts.values()]);
    for (const name of ['function dkgFindings(', 'function programDigest(', 'class CeremonyStore', 'function checkOpenings(']) expect(code.some((c) => c.includes(name)), name).toBe(true);
    expect(code.join('').split('\n').length).toBeGreaterThan(30_000);
  });
  it('passes on the licences of the packages that are in it', () => {
    for (const name of ['libsodium-wrappers-sumo', '@noble/curves', 'yaml', 'commander', 'valibot', 'age-encryption']) expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
  });
  it('requires its own parts and what node brings along, nothing else', () => {
    const required = new Set([...parts.values()].flatMap((code) => [...code.matchAll(/\brequire\(([`"'])([^`"']+)\1\)/g)].map((m) => m[2] as string)));
    expect(required.size).toBeGreaterThan(50);
    expect([...required].filter((id) => (id.startsWith('./') ? !parts.has(id.slice(2)) : process.getBuiltinModule(id) === undefined))).toEqual([]);
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
  it('names part and line in a stack trace, as they are when it is unpacked', () => {
    const broken = join(newDir(), 'a b.mjs');
    const before = 'process.umask(63);';
    writeFileSync(broken, altered(text, before, `missing();${before}`));
    const code = parts.get('main.cjs') as string;
    const line = code.slice(0, code.indexOf(before)).split('\n').length;
    const { exit, stderr } = run(broken, ['--version']);
    expect(exit).toBe(1);
    expect(stderr).toContain('missing is not defined');
    expect(stderr).toContain(`${pathToFileURL(broken).href}/main.cjs:${String(line)}:1`);
    // the same in a part that is compressed
    writeFileSync(broken, altered(text, 'function examineMachine(', 'missing();\nfunction examineMachine('));
    const packed = [...parts].find(([, c]) => c.includes('function examineMachine('));
    const at = (packed?.[1] ?? '').split('function examineMachine(')[0]?.split('\n').length;
    expect(run(broken, ['doctor']).stderr).toMatch(/missing is not defined/);
    expect(spawnSync(process.execPath, [broken, 'doctor'], { env: { ...process.env, NODE_DEBUG: 'mpc-ceremony' }, encoding: 'utf8' }).stderr).toContain(`${packed?.[0] ?? ''}:${String(at)}:1`);
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
