/** The real program, as a process of its own for every step. */
import { spawn } from 'node:child_process';
import type { Stage } from './stage.ts';
import { homeOf, PASSPHRASE_FILE } from './stage.ts';

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

/** Environment variable that a rehearsal home obeys. */
const CRASH = 'MPC_CEREMONY_REHEARSE_CRASH';

export class Program {
  readonly #stage: Stage;
  readonly #entry: string;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param entry the file that started this process */
  constructor(stage: Stage, entry: string) {
    this.#stage = stage;
    this.#entry = entry;
  }

  /**
   * Runs one command with one participant's home.
   * @param options.home another home than the participant's usual one
   * @param options.killAt ends the process with SIGKILL at its n-th durable write
   */
  async run(who: string, args: readonly string[], options: { readonly home?: string; readonly killAt?: number } = {}): Promise<Outcome> {
    const command = [...args, '--home', options.home ?? homeOf(who), '--passphrase-file', PASSPHRASE_FILE, '--no-input', '--json'];
    const env = { ...process.env };
    for (const name of ['MPC_CEREMONY_HOME', CRASH]) delete env[name];
    if (options.killAt !== undefined) env[CRASH] = String(options.killAt);
    if (this.#running === LANES) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running += 1;
    try {
      return await this.#spawn(command, env, options.killAt);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  #spawn(command: readonly string[], env: NodeJS.ProcessEnv, killAt: number | undefined): Promise<Outcome> {
    const line = `${killAt === undefined ? '' : `${CRASH}=${String(killAt)} `}mpc-ceremony ${command.map((a) => (/^[\w@%+=:,./-]+$/.test(a) ? a : `'${a}'`)).join(' ')}`;
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [this.#entry, ...command, '--quiet'], { cwd: this.#stage.root, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
      child.once('error', reject);
      child.once('close', (exit, signal) => {
        // what is told, and kept, does not depend on where the folder lies
        const report = signal === null ? parse(stdout.replaceAll(`${this.#stage.root}/`, ''), stderr) : {};
        resolve({ line, exit: exit ?? undefined, killed: signal === 'SIGKILL', report });
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
