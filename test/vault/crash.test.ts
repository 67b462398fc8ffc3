/** Processes that are killed while they write, and processes that race for one file. Shows what a kill can do, not a power cut. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LONG } from '../support/long.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { content, numberOf } from './children/content.ts';
import { bundle, newDir } from './support.ts';

const root = newDir();
let writer = '';
let spender = '';

beforeAll(async () => {
  writer = await bundle('write-loop', join(root, 'bin'));
  spender = await bundle('spender', join(root, 'bin'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

function output(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

/** The last complete line of each kind: what the writer was told is durable. */
function acknowledged(text: string): Record<string, number> {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).matchAll(/^(\w+) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, what, n]) => [what, Number(n)]));
}

describe.runIf(process.platform !== 'win32')('kill -9 in the middle of a write loop', () => {
  // a hundred times: npm run test:long
  const ROUNDS = LONG ? 100 : 30;
  it('many times: nothing torn, nothing lost, nothing comes back', { timeout: 180_000 }, async () => {
    const dir = join(root, 'home');
    mkdirSync(dir);
    const disk = realDisk();
    let state = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const child = spawn(process.execPath, [writer, dir, String(state + 1)], { stdio: ['ignore', 'pipe', 'inherit'] });
      const told = output(child);
      await once(child.stdout, 'data');
      await new Promise((go) => setTimeout(go, Math.random() * 25));
      child.kill('SIGKILL');
      await once(child, 'close');
      const last = acknowledged(told());

      const now = numberOf(readFileSync(join(dir, 'state')));
      expect(now, 'torn state').toBeDefined();
      expect(now).toBeGreaterThanOrEqual(last['state'] ?? state);
      expect(now).toBeLessThanOrEqual((last['state'] ?? state) + 1);
      for (let n = state + 1; n <= (last['spent'] ?? 0); n++)
        expect(numberOf(readFileSync(join(dir, 'spent', String(n)))), `spent ${String(n)}`).toBe(n);
      for (const name of disk.list(join(dir, 'spent'))) {
        if (Number(name) <= state) continue;
        expect(numberOf(readFileSync(join(dir, 'spent', name))), `torn spent ${name}`).toBe(Number(name));
      }
      for (const name of disk.list(join(dir, 'live'))) {
        expect(Number(name), 'erased and back').toBeGreaterThan(last['erased'] ?? state);
        expect(numberOf(readFileSync(join(dir, 'live', name))), 'half erased under its name').toBe(Number(name));
        disk.erase(join(dir, 'live', name));
      }
      for (const sub of ['', 'spent', 'live']) {
        disk.removeStaleTemps(join(dir, sub));
        expect(readdirSync(join(dir, sub)).filter((name) => name.startsWith('.'))).toEqual([]);
      }
      state = now as number;
    }
    for (const name of disk.list(join(dir, 'spent')))
      expect(Buffer.from(content(Number(name))).equals(readFileSync(join(dir, 'spent', name))), 'sweeping hurt a file').toBe(true);
  });
});

describe('createOnce', () => {
  it('4 processes race for 200 names: exactly 200 win', async () => {
    const dir = join(root, 'spent');
    mkdirSync(dir);
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, [spender, dir, '200'], { stdio: ['pipe', 'pipe', 'inherit'] }));
    const outputs = children.map(output);
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    for (const child of children) child.stdin.write('go\n');
    await Promise.all(children.map((child) => once(child, 'close')));
    const results = outputs.map((told) => JSON.parse(told().split('\n')[1] ?? '') as { pid: number; won: number[] });
    expect(results.flatMap((r) => r.won).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    for (const { pid, won } of results)
      for (const id of won) expect(readFileSync(join(dir, String(id)), 'utf8')).toBe(`request of ${String(pid)}`);
    expect(readdirSync(dir)).toHaveLength(200);
  });
});
