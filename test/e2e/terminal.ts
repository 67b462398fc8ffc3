/** A person at a real terminal: the binary under `script`, which gives it a pseudo-terminal. Linux only. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { BIN } from './support.ts';

export const hasTerminal = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

/** What a person answers when the screen ends with something: each answer is given once, in order. */
export type Reply = readonly [prompt: RegExp, answer: (screen: string) => string];

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Runs the binary at a terminal. @returns exit code and everything that stood on the screen */
export async function atTerminal(args: readonly string[], replies: readonly Reply[], env: Record<string, string> = {}): Promise<{ exit: number; screen: string }> {
  const command = [process.execPath, BIN, ...args].map(quote).join(' ');
  const child = spawn('script', ['-qfec', `stty cols 80 rows 40; ${command}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), TERM: 'xterm', ...env },
  });
  let screen = '';
  let seen = 0;
  let left = [...replies];
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [first] = left;
    if (!first?.[0].test(screen.slice(seen))) return;
    seen = screen.length;
    left = left.slice(1);
    child.stdin.write(`${first[1](screen)}\r`);
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  if (exit === null) throw new Error(`hangs at the terminal: ${screen}`);
  return { exit, screen };
}
