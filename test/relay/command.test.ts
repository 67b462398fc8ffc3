/** `relay serve` as an operator starts it: what it says, how it ends, and what it refuses. Runs the built program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openRelay } from '../../src/relay/open-relay.ts';
import { BIN } from '../e2e/support.ts';
import { place, random, tempDir, until } from './people.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
}
function start(...args: string[]): Started {
  const child = spawn(process.execPath, [BIN, 'relay', 'serve', ...args]);
  children.push(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  return { child, out: () => out, err: () => err };
}
async function exitOf({ child }: Started): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'close');
  return child.exitCode;
}

it.each(['SIGTERM', 'SIGINT'] as const)('makes its folder, says where it is and what it sees, serves, and ends well by %s', async (signal) => {
  const dir = join(tempDir(), 'relay');
  const one = start(dir, '--listen', '127.0.0.1:0');
  await until(() => one.out().includes('Ctrl-C') || one.child.exitCode !== null);
  const address = /Relay at (\S+)/.exec(one.out())?.[1] as string;
  expect(one.out()).toContain(`--via relay:${address}`);
  expect(one.out()).toMatch(/sealed.*sees boxes, sizes, times and addresses/s);
  for (const line of one.out().split('\n').filter((l) => !l.includes(dir))) expect(line.length).toBeLessThanOrEqual(80);
  const relay = await openRelay(address);
  const bytes = random(1000);
  expect(await relay.put(place(0), place(1), bytes)).toBe('stored');
  expect(await relay.get(place(0), place(1))).toEqual(bytes);
  await relay.close();
  expect(statSync(join(dir, place(0), place(1))).mode & 0o077).toBe(0);
  one.child.kill(signal);
  expect(await exitOf(one)).toBe(0);
});

it('with --json gives one object, at once', async () => {
  const one = start(tempDir(), '--listen', '127.0.0.1:0', '--max-bytes', '12288', '--json');
  await until(() => one.out().includes('\n') || one.child.exitCode !== null);
  const said = JSON.parse(one.out()) as Record<string, unknown>;
  expect(said).toMatchObject({ schema: 'mpc-ceremony/relay-serve/1', maxBytes: 12288, tls: false });
  const relay = await openRelay(said['address'] as string);
  expect(await relay.put(place(0), place(1), random(5000))).toBe('stored');
  await expect(relay.put(place(0), place(2), random(5000))).rejects.toMatchObject({ code: 'E_RELAY' });
  await relay.close();
  one.child.kill('SIGTERM');
  expect(await exitOf(one)).toBe(0);
  expect(one.out().trim().split('\n')).toHaveLength(1);
});

it('where another relay listens, under an address that is none, or with half of TLS: refused with the remedy', async () => {
  const first = start(tempDir(), '--listen', '127.0.0.1:0');
  await until(() => first.out().includes('Relay at') || first.child.exitCode !== null);
  const port = /:(\d+)\n/.exec(first.out())?.[1] as string;
  const dir = tempDir();
  const refused = [
    [74, 'another program listens', start(dir, '--listen', `127.0.0.1:${port}`)],
    [64, 'HOST:PORT', start(dir, '--listen', port)],
    [64, 'belong together', start(dir, '--listen', '127.0.0.1:0', '--tls-key', 'x')],
    [64, 'is not there', start(dir, '--listen', '127.0.0.1:0', '--tls-key', join(dir, 'k'), '--tls-cert', join(dir, 'c'))],
  ] as const;
  for (const [exit, words, started] of refused) {
    expect([words, await exitOf(started)]).toEqual([words, exit]);
    expect(started.err()).toContain(words);
  }
});
