/**
 * Without any network: the one file, in a network namespace of its own in which no interface is up, and traced, so that
 * it is seen that no socket of the internet is even asked for (GOV-41, CARD-06).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle, digestOf, newDir, ROOT } from '../bundle/support.ts';

/** Identities, key generation, a signature, the record, codes shown and read: a script, as people would type it. */
const SESSION = join(import.meta.dirname, 'children/stick-session.sh');

let program: string;
beforeAll(() => {
  program = bundle(ROOT, join(newDir(), 'out'));
});

const env = { PATH: `${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`, HOME: '/nonexistent' };

/** Runs a command to its end. */
function ended(command: readonly string[]): Promise<{ exit: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0] as string, command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (exit) => {
      resolve({ exit, output });
    });
  });
}

/** What a session has to leave behind. */
function expectSigned(dir: string): void {
  expect(readFileSync(join(dir, 'stick/sign-1/signature.bin'))).toHaveLength(64);
  expect(readFileSync(join(dir, 'stick/treasury-dkg/PLAN.yaml'), 'utf8')).toContain(digestOf(program));
}

/** The command that runs another one without any network. */
function withoutNetwork(): string[] {
  const ways = [['unshare', '-n'], ['unshare', '-rn']];
  const found = ways.find(([command, ...args]) => spawnSync(command as string, [...args, 'true']).status === 0);
  if (!found) throw new Error('a network namespace cannot be made here: unshare -n (package util-linux) is missing or not permitted');
  return found;
}

/** Families of the sockets that were asked for, as strace names them. */
const families = (trace: string): Set<string> => new Set([...trace.matchAll(/\bsocket\((\w+),/g)].map((m) => m[1] as string));

function strace(out: string): string[] {
  if (spawnSync('strace', ['-V']).status !== 0) throw new Error('strace is missing: install the package strace');
  return ['strace', '-f', '-q', '-e', 'trace=socket', '-e', 'signal=none', '-o', out];
}

const INTERNET = "require('node:net').connect(9, '192.0.2.1').on('error', (e) => { console.log(e.code); process.exit(); }); setTimeout(() => process.exit(), 300)";

describe('a machine without network', () => {
  it('makes a key and a signature, with a plan that asks for it (machine.network: off)', async () => {
    const dir = join(newDir(), 'room');
    mkdirSync(dir);
    const ran = await ended([...withoutNetwork(), 'bash', SESSION, program, dir, 'machine: {network: off}', 'alice', 'bob', 'carol']);
    expect(ran.exit, ran.output).toBe(0);
    expectSigned(dir);
    expect(readFileSync(join(dir, 'doctor.txt'), 'utf8')).toContain('no network interface is up');
  });
  it('and this test would notice a network there', async () => {
    const interfaces = await ended([...withoutNetwork(), process.execPath, '-p', 'JSON.stringify(os.networkInterfaces())']);
    expect(interfaces).toEqual({ exit: 0, output: '{}\n' });
    expect((await ended([...withoutNetwork(), process.execPath, '-e', INTERNET])).output).toBe('ENETUNREACH\n');
  });
});

describe('a machine with a network', () => {
  it('is not asked for one: no socket of the internet is opened', async () => {
    const dir = join(newDir(), 'room');
    mkdirSync(dir);
    const trace = join(dir, '../trace');
    const ran = await ended([...strace(trace), 'bash', SESSION, program, dir, '', 'alice', 'bob']);
    expect(ran.exit, ran.output).toBe(0);
    expectSigned(dir);
    const seen = families(readFileSync(trace, 'utf8'));
    // the lock of a home is a name that only this machine knows; doctor asks the kernel which interfaces are up
    expect([...seen].sort()).toEqual(['AF_NETLINK', 'AF_UNIX']);
  });
  it('and this test would notice one', async () => {
    const trace = join(newDir(), 'trace');
    await ended([...strace(trace), process.execPath, '-e', INTERNET]);
    expect([...families(readFileSync(trace, 'utf8'))]).toContain('AF_INET');
  });
});
