/** A terminal of a given size with the binary in it, key by key: what stands on its screen, and whether it was given back. Linux only. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Screen } from '../cli/screen.ts';
import { BIN } from './support.ts';

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

export class Pty {
  readonly screen: Screen;
  readonly #child: ChildProcess;
  readonly #dir: string;
  #closed = false;
  /** Everything that was written, from the beginning. */
  raw = '';

  /** Runs the binary; when it has ended, the state of the terminal is written below it. */
  constructor(args: readonly string[], { columns = 80, rows = 24, cwd, env }: PtyOptions = {}) {
    this.screen = new Screen(columns, rows);
    this.#dir = mkdtempSync(join(tmpdir(), 'pty-'));
    const command = [process.execPath, BIN, ...args].map(quote).join(' ');
    const script = `tty > ${quote(join(this.#dir, 'tty'))}; stty cols ${String(columns)} rows ${String(rows)}; sh -c 'echo $$ > ${join(this.#dir, 'pid')}; exec "$@"' sh ${command}; echo "exit $?"; stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(echo|icanon|isig)'`;
    this.#child = spawn('script', ['-qfec', script, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), TERM: 'xterm', SHELL: '/bin/sh', ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.raw += chunk;
      // a prompt of inquirer moves the cursor about; only what this program draws by itself is looked at as cells
      try {
        this.screen.write(chunk);
      } catch (e) {
        this.#strange ??= e;
      }
    });
    this.#child.on('close', () => {
      this.#closed = true;
    });
  }
  #strange: unknown;

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }
  /** Waits until the screen, or all that was written, shows something. */
  async until(what: RegExp, where: 'screen' | 'raw' = 'screen'): Promise<void> {
    for (let i = 0; i < 3000 && !what.test(where === 'screen' ? this.screen.text : this.raw); i++) {
      if (this.#closed) break;
      await pause(10);
    }
    if (!what.test(where === 'screen' ? this.screen.text : this.raw)) throw new Error(`${String(what)} does not come: ${this.screen.text}\n${JSON.stringify(this.raw.slice(-2000))}`);
  }
  signal(name: NodeJS.Signals): void {
    process.kill(Number(readFileSync(join(this.#dir, 'pid'), 'utf8')), name);
  }
  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    execFileSync('stty', ['-F', readFileSync(join(this.#dir, 'tty'), 'utf8').trim(), 'cols', String(columns), 'rows', String(rows)]);
  }

  /** The end: exit code as the shell saw it, and whether the terminal is as it was. */
  async end(): Promise<{ exit: number; givenBack: boolean; screen: string }> {
    for (let i = 0; i < 3000 && !this.#closed; i++) await pause(10);
    if (!this.#closed) {
      this.kill();
      throw new Error(`does not end: ${this.screen.text}`);
    }
    if (existsSync(this.#dir)) rmSync(this.#dir, { recursive: true });
    const [, exit] = /exit (\d+)\r?\n/.exec(this.raw) ?? [];
    const modes = /exit \d+\r?\n([^]*)$/.exec(this.raw)?.[1]?.trim().split(/\s+/).sort().join(' ');
    return { exit: Number(exit), givenBack: this.screen.modes.size === 0 && modes === 'echo icanon isig', screen: this.screen.text };
  }
  /** @throws when something was drawn that leaves the window, or that not every terminal knows */
  check(): void {
    if (this.#strange !== undefined) throw this.#strange;
  }
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
