/** The real program, as a process of its own for every step. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Stage } from './stage.ts';
import { homeOf, PASSPHRASE_FILE } from './stage.ts';
import { watch } from './watch.ts';

/** The error object of `--json`. */
export interface Refusal {
  readonly code: string;
  readonly participant?: string;
  readonly file?: string;
  readonly text: string;
  readonly remedy?: string;
}

/** What `--json` prints, as far as a rehearsal reads it. */
export interface Report {
  readonly [field: string]: unknown;
  readonly did?: readonly string[];
  readonly needs?: readonly { readonly from: string; readonly what: string }[];
  readonly nextAction?: { readonly code: string };
  readonly error?: Refusal;
}

/** How a process ended. */
export interface Outcome {
  /** The command as typed on the stage. */
  readonly line: string;
  /** Undefined when a signal ended the process. */
  readonly exit: number | undefined;
  readonly killed: boolean;
  readonly report: Report;
}

/** How many processes run at once: each takes one core for a moment, and 64 MiB for the key derivation. */
const LANES = 2;

/** Environment variables that a rehearsal home obeys: the durable write at which its process dies, and its primes. */
const CRASH = 'MPC_CEREMONY_REHEARSE_CRASH';
const PRIMES = 'MPC_CEREMONY_REHEARSE_PRIMES';

/** Room for so many processes at once; several programs can share it. */
export class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  constructor(count = LANES) {
    this.#free = count;
  }

  /** Does some work as soon as there is room for it. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

export class Program {
  readonly #stage: Stage;
  readonly #entry: string;
  readonly #busy: (who: string, text: string) => void;
  readonly #primes: string | undefined;
  readonly #lanes: Lanes;

  /**
   * @param entry the file that started this process
   * @param busy told once a second what a process says that runs for longer than that
   * @param lanes shared with other programs, if any
   */
  constructor(stage: Stage, entry: string, busy: (who: string, text: string) => void, lanes = new Lanes()) {
    this.#stage = stage;
    this.#entry = entry;
    this.#busy = busy;
    this.#lanes = lanes;
    // tests bring primes along: a folder with a file NAME.primes for everybody
    const folder = process.env[PRIMES];
    this.#primes = folder === undefined ? undefined : resolve(folder);
  }

  /**
   * Runs one command with one participant's home.
   * @param options.home another home than the participant's usual one
   * @param options.killAt ends the process with SIGKILL at its n-th durable write
   */
  async run(who: string, args: readonly string[], options: { readonly home?: string; readonly killAt?: number } = {}): Promise<Outcome> {
    const command = [...args, '--home', options.home ?? homeOf(who), '--passphrase-file', PASSPHRASE_FILE, '--no-input', '--json'];
    const env = { ...process.env };
    for (const name of ['MPC_CEREMONY_HOME', CRASH, PRIMES]) delete env[name];
    if (this.#primes !== undefined) env[PRIMES] = join(this.#primes, `${who}.primes`);
    if (options.killAt !== undefined) env[CRASH] = String(options.killAt);
    return this.#lanes.take(() => this.#spawn(who, command, env, options.killAt));
  }

  #spawn(who: string, command: readonly string[], env: NodeJS.ProcessEnv, killAt: number | undefined): Promise<Outcome> {
    const line = `${killAt === undefined ? '' : `${CRASH}=${String(killAt)} `}mpc-ceremony ${command.map((a) => (/^[\w@%+=:,./-]+$/.test(a) ? a : `'${a}'`)).join(' ')}`;
    // the words of the command, before folders and options
    const words = command.slice(0, Math.max(1, command.findIndex((a) => !/^[a-z]+$/.test(a)))).join(' ');
    return new Promise((done, reject) => {
      const child = spawn(process.execPath, [this.#entry, ...command], { cwd: this.#stage.root, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
      const quiet = watch((text) => { this.#busy(who, text); }, () => stderr.trimEnd().split('\n').at(-1) || `${words} …`);
      child.once('error', (e) => {
        quiet();
        reject(e);
      });
      child.once('close', (exit, signal) => {
        quiet();
        // what is told, and kept, does not depend on where the folder lies
        const report = signal === null ? parse(stdout.replaceAll(`${this.#stage.root}/`, ''), stderr) : {};
        done({ line, exit: exit ?? undefined, killed: signal === 'SIGKILL', report });
      });
    });
  }
}

function parse(stdout: string, stderr: string): Report {
  try {
    return JSON.parse(stdout) as Report;
  } catch {
    return { error: { code: 'E_INTERNAL', text: `no JSON object on stdout: ${(stdout + stderr).trim().slice(0, 200)}` } };
  }
}

/** Starts work for all at once and tells the results in order, each as soon as those before it are told. */
export async function together<T, R>(items: readonly T[], work: (item: T) => Promise<R>, tell: (item: T, result: R) => void): Promise<R[]> {
  const started = items.map(work);
  // a later one must not end the process while an earlier one is awaited
  for (const s of started) s.catch(() => undefined);
  const results: R[] = [];
  for (const [i, item] of items.entries()) {
    const result = await (started[i] as Promise<R>);
    tell(item, result);
    results.push(result);
  }
  return results;
}
