/** Is this machine fit? Facts of the machine, looked at and never changed. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { Disk } from '../vault/durable.ts';
import { fromHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { formatWords, words } from '../wire/words.ts';
import { programDigest, programFile } from './program.ts';

/** One finding: `bad` makes the machine unfit, `warn` is for a person to weigh. */
export interface MachineFinding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'bad';
  readonly text: string;
  readonly remedy?: string;
}

/** Names of the network interfaces that are up and not the loopback. */
export function interfacesUp(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([, addresses]) => addresses?.some((a) => !a.internal))
    .map(([name]) => name);
}

/** A program's digest as people compare it: 16 words, the first 128 bits. Public. */
export function programWords(digest: string): string[] {
  return words(fromHex(digest).slice(0, 16));
}

/** The program that the plan pins must be this one. @throws E_RELEASE naming both digests, in hex and in words */
function requireProgram(plan: Plan): void {
  if (plan.program === undefined) return;
  const own = programDigest();
  if (own === plan.program) return;
  fail('E_RELEASE', `the plan pins the program ${plan.program}, and this one is ${own}`, {
    field: 'program',
    details: ['Words of the program that the plan pins:', ...formatWords(programWords(plan.program)), 'Words of this program:', ...formatWords(programWords(own))],
    remedy: 'Repeat the command with the pinned program; its doctor prints the words of the plan. If this program is the right one, ask the lead for a new plan (--again FOLDER --pin-program).',
  });
}

/** What the plan asks of the machine and the program. @throws E_RELEASE, E_NETWORK_UP */
export function requireMachine(plan: Plan): void {
  requireProgram(plan);
  if (plan.machine?.network !== 'off') return;
  const up = interfacesUp();
  if (up.length > 0)
    fail('E_NETWORK_UP', `the plan asks for a machine without network, and ${up.join(', ')} is up`, {
      field: 'machine.network',
      remedy: 'Switch off the network (pull the cable, switch off Wi-Fi, or ip link set DEV down), then repeat the command.',
    });
}

function readSystem(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function nodeVersion(): MachineFinding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fit = major > 20 || (major === 20 && minor >= 19);
  return fit
    ? { name: 'node', state: 'ok', text: `Node ${process.version} with OpenSSL ${process.versions.openssl}` }
    : { name: 'node', state: 'bad', text: `Node ${process.version} is too old`, remedy: 'Install Node 20.19 or newer.' };
}

function program(): MachineFinding {
  const file = programFile();
  // no folder in it: findings go into the bundle for support
  const compare = file === undefined ? 'over all files of its build' : `sha256sum ${basename(file)} shows the same`;
  return { name: 'program', state: 'ok', text: `this program is ${programDigest()}; ${compare}` };
}

function entropy(): MachineFinding {
  // a repetition among 4,096 draws of 8 bytes has probability 2^-41 from a good source
  const seen = new Set<string>();
  let ones = 0;
  for (let i = 0; i < 4096; i++) {
    const b = randomBytes(8);
    seen.add(b.toString('hex'));
    for (const byte of b) for (let x = byte; x > 0; x &= x - 1) ones += 1;
  }
  // 262,144 bits: six standard deviations are 1,536
  const balanced = Math.abs(ones - 131_072) < 1536;
  return seen.size === 4096 && balanced
    ? { name: 'entropy', state: 'ok', text: 'the random source passes a quick test' }
    : { name: 'entropy', state: 'bad', text: 'the random source repeats itself or is biased', remedy: 'Do not use this machine.' };
}

function diskWorks(disk: Disk, dir: string): MachineFinding {
  const file = join(dir, 'doctor-test');
  const bytes = new Uint8Array(randomBytes(4096));
  const started = process.hrtime.bigint();
  try {
    disk.write(file, bytes, { verify: true });
    disk.erase(file);
  } catch (e) {
    return { name: 'disk', state: 'bad', text: e instanceof CeremonyError ? e.message : 'the disk test failed', remedy: 'Use another disk.' };
  }
  const ms = Number(process.hrtime.bigint() - started) / 1e6;
  return { name: 'disk', state: 'ok', text: `writes are synced and read back (${ms.toFixed(1)} ms)` };
}

function clock(now: Date): MachineFinding {
  const year = now.getUTCFullYear();
  const text = `the clock says ${now.toISOString().slice(0, 19)}Z; compare it with another clock`;
  return year >= 2026 && year < 2100
    ? { name: 'clock', state: 'ok', text }
    : { name: 'clock', state: 'bad', text, remedy: 'Set the clock. Plans and intents expire by it.' };
}

function network(): MachineFinding {
  const up = interfacesUp();
  return up.length === 0
    ? { name: 'network', state: 'ok', text: 'no network interface is up' }
    : { name: 'network', state: 'warn', text: `network interfaces are up: ${up.join(', ')}`, remedy: 'For an air gap: pull the cable and switch off Wi-Fi.' };
}

function swap(): MachineFinding {
  const lines = readSystem('/proc/swaps')?.trim().split('\n').slice(1) ?? [];
  return lines.length === 0
    ? { name: 'swap', state: 'ok', text: 'no swap space is in use (or this system does not tell)' }
    : { name: 'swap', state: 'warn', text: 'swap space is on: memory with secrets can reach the disk', remedy: 'swapoff -a' };
}

function coreDumps(): MachineFinding {
  const limit = /^Max core file size\s+(\S+)/m.exec(readSystem('/proc/self/limits') ?? '')?.[1];
  return limit === undefined || limit === '0'
    ? { name: 'core dumps', state: 'ok', text: 'core dumps are off (or this system does not tell)' }
    : { name: 'core dumps', state: 'warn', text: 'core dumps are on: a crash can write memory to disk', remedy: 'ulimit -c 0' };
}

function debuggerOff(): MachineFinding {
  const tracer = /^TracerPid:\s+(\d+)/m.exec(readSystem('/proc/self/status') ?? '')?.[1] ?? '0';
  const inspected = process.execArgv.some((a) => a.startsWith('--inspect')) || /--inspect/.test(process.env['NODE_OPTIONS'] ?? '');
  return tracer === '0' && !inspected
    ? { name: 'debugger', state: 'ok', text: 'no debugger is attached' }
    : { name: 'debugger', state: 'bad', text: 'a debugger is attached or Node may be inspected', remedy: 'Start the program without it.' };
}

function exponentiation(openssl: boolean): MachineFinding {
  return openssl
    ? { name: 'arithmetic', state: 'ok', text: 'OpenSSL computes the powers that ECDSA needs, in constant time' }
    : { name: 'arithmetic', state: 'warn', text: 'OpenSSL does not compute powers here: ECDSA is five times slower and not constant-time', remedy: 'Use a Node with its own OpenSSL.' };
}

/** Primes made ahead for ECDSA keys. @param sets undefined without a home */
function primes(sets: number | undefined): MachineFinding[] {
  if (sets === undefined) return [];
  const text = sets === 0 ? 'no primes are prepared; an ECDSA key makes them on the day, in half a minute at most' : `primes for ${String(sets)} ECDSA key${sets === 1 ? '' : 's'} are prepared`;
  return [{ name: 'primes', state: 'ok', text, ...(sets === 0 ? { remedy: 'To make them ahead: mpc-ceremony init --prepare cggmp24' } : {}) }];
}

/**
 * Every finding about this machine. `dir` is where the disk is tried: the home, or a folder for temporary files.
 * @param ecdsa whether OpenSSL computes powers, and how many sets of primes the home has, if there is one
 */
export function examineMachine(disk: Disk, dir: string, now: Date, ecdsa: { readonly openssl: boolean; readonly primes: number | undefined }): MachineFinding[] {
  return [
    nodeVersion(),
    program(),
    entropy(),
    diskWorks(disk, dir),
    clock(now),
    network(),
    swap(),
    coreDumps(),
    debuggerOff(),
    exponentiation(ecdsa.openssl),
    ...primes(ecdsa.primes),
  ];
}
