/** Building the one file for tests, and running it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll } from 'vitest';
import type { Json } from '../e2e/support.ts';
// @ts-expect-error a script without types
import * as unpack from '../../bundle/unpack.mjs';

export const ROOT = join(import.meta.dirname, '../..');
const ROLLDOWN = join(ROOT, 'node_modules/rolldown/bin/cli.mjs');

/** How a build may differ from another that must give the same bytes. */
export interface Circumstances {
  readonly env?: Record<string, string>;
  /** Octal, as the shell takes it. */
  readonly umask?: string;
}

/**
 * Runs what `npm run bundle` runs, in some checkout.
 * @param out the folder for the one file, instead of dist/
 * @returns path of the one file
 */
export function bundle(checkout: string, out: string, { env, umask = '022' }: Circumstances = {}): string {
  const command = ['sh', '-c', `umask ${umask} && exec "$0" "$@"`, process.execPath, ROLLDOWN, '-c', 'bundle/rolldown.config.js', '-d', out];
  execFileSync(command[0] as string, command.slice(1), { cwd: checkout, env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  return join(out, 'mpc-ceremony.mjs');
}

const made: string[] = [];
afterAll(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A fresh folder, removed after the tests of the file. */
export function newDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'bundle-')));
  made.push(dir);
  return dir;
}

/** The parts of a one-file program by name, as code. */
export const partsOf = (unpack as { partsOf: (text: string) => Map<string, string> }).partsOf;

/** The text of a one-file program in which one piece of code, which must be there once, is another. */
export function altered(text: string, from: string, to: string): string {
  const found = [...partsOf(text)].filter(([, code]) => code.includes(from));
  const [name, code] = found[0] ?? ['', ''];
  if (found.length !== 1 || code.split(from).length !== 2) throw new Error(`not once in the program: ${from}`);
  const other = code.replace(from, () => to);
  const at = text.indexOf(`'${name}': () => {/*\n`) + `'${name}': () => {/*\n`.length;
  const end = text.indexOf('\n*/}', at);
  const plain = text.slice(at, end) === code;
  return text.slice(0, at) + (plain ? other : deflateRawSync(other).toString('base64')) + text.slice(end);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const digestOf = (file: string): string => sha256(readFileSync(file));

export interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program file with node, in a folder, with an environment that knows nothing of this checkout. */
export function run(file: string, args: readonly string[], cwd = dirname(file)): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: join(cwd, 'nobody') }, encoding: 'utf8', timeout: 60_000 });
  return { exit: status, stdout, stderr };
}

/** The object that `--json` prints, with the exit code of the process. */
export function runJson(file: string, args: readonly string[], cwd?: string): Json & { readonly exited: number | null } {
  const { exit, stdout, stderr } = run(file, [...args, '--json'], cwd);
  try {
    return { ...(JSON.parse(stdout) as Json), exited: exit };
  } catch {
    throw new Error(`no JSON object from ${args.join(' ')}: ${stdout}${stderr}`);
  }
}

/** Participants who each run a program of their own, and the courier between them. */
export class Room {
  readonly dir = newDir();
  readonly #program = new Map<string, string>();
  constructor(programs: Readonly<Record<string, string>>) {
    writeFileSync(join(this.dir, 'pw'), 'plover-anvil-quartz-71\n', { mode: 0o600 });
    mkdirSync(join(this.dir, 'CARDS'));
    for (const [name, program] of Object.entries(programs)) {
      this.#program.set(name, program);
      const ran = this.as(name, ['init', '--name', name, '--rehearsal']);
      if (ran.exited !== 0) throw new Error(JSON.stringify(ran));
      cpSync(join(this.home(name), 'identity', `${name}.card`), join(this.dir, 'CARDS', `${name}.card`));
    }
  }
  home(name: string): string {
    return join(this.dir, 'homes', name);
  }
  folder(name: string, ceremony: string): string {
    return join(this.dir, 'copies', name, ceremony);
  }
  get cards(): string {
    return join(this.dir, 'CARDS');
  }
  /** A command in somebody's home, without questions. @param program another one than that participant's */
  as(name: string, args: readonly string[], program = this.#program.get(name) as string): ReturnType<typeof runJson> {
    return runJson(program, [...args, '--home', this.home(name), '--passphrase-file', join(this.dir, 'pw'), '--no-input'], this.dir);
  }
  /** Brings all files of a ceremony to everybody; who writes a file brings it. */
  courier(ceremony: string): void {
    const names = [...this.#program.keys()].filter((n) => existsSync(this.folder(n, ceremony)));
    for (const from of names)
      for (const path of readdirSync(this.folder(from, ceremony), { recursive: true, encoding: 'utf8' })) {
        const file = join(this.folder(from, ceremony), path);
        const owner = /\/([a-z]+)\.(?:blob|jsonl)$/.exec(path)?.[1];
        if (!statSync(file).isFile() || (owner !== undefined && owner !== from)) continue;
        for (const to of this.#program.keys()) {
          const there = join(this.folder(to, ceremony), path);
          if (to === from || (owner === undefined && existsSync(there))) continue;
          mkdirSync(dirname(there), { recursive: true });
          cpSync(file, there);
        }
      }
  }
}
