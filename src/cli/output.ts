/**
 * Screens and JSON. Results go to stdout, words for people to stderr; with `--json` stdout holds exactly one object.
 * Colour never carries a meaning alone. What came from outside cannot command the terminal (wire/visible.ts).
 */
import { styleText } from 'node:util';
import { CeremonyError, type ExitCode } from '../wire/errors.ts';
import { visible, visibleJson, visibleLine } from '../wire/visible.ts';
import type { Step } from '../ceremony/port.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

const WIDTH = 80;

/** Breaks text into lines of at most `width` columns; an over-long word stays whole. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(indent + line);
  return lines.join('\n');
}

/**
 * Breaks a line of a screen that is wider than it; what goes on stands under the text behind the label, and a number that
 * is too long by itself is cut into pieces of whole bytes. Not for what is to be copied: see `key export`.
 */
export function fold(line: string): string[] {
  if (line.length <= WIDTH) return [line];
  const begin = /^(?:\s+|.*?\S {2,})(?=\S)/.exec(line)?.[0] ?? '';
  // what is longer than half a line is a long name, no label
  const label = begin.length <= WIDTH / 2 ? begin : '';
  const room = WIDTH - label.length;
  const cut = room - (room % 8);
  const words = line
    .slice(label.length)
    .split(' ')
    .flatMap((word) => (word.length <= room ? [word] : (word.match(new RegExp(`.{1,${String(cut)}}`, 'gu')) ?? [])));
  return (label + wrap(words.join(' '), WIDTH, ' '.repeat(label.length)).trimStart()).split('\n');
}

export class Output {
  readonly #options: OutputOptions;
  #held = '';
  constructor(options: OutputOptions) {
    this.#options = options;
  }
  get json(): boolean {
    return this.#options.json;
  }
  #style(format: 'bold' | 'green' | 'red', text: string): string {
    return this.#options.color ? styleText(format, text) : text;
  }

  /** Progress and remarks; never part of a result. */
  say(text: string): void {
    if (!this.#options.quiet) process.stderr.write(`${visible(text)}\n`);
  }

  /** The result of a command: an object for scripts, lines for people. Shown by {@link flush}. */
  result(object: Record<string, unknown>, lines: readonly string[]): void {
    if (this.#options.json) this.#held = `${visibleJson(object)}\n`;
    else if (lines.length > 0) this.#held += `${visible(lines.join('\n'))}\n`;
  }

  /** Shows the result; not before the command has run to its end, so that an error never follows a second object. */
  flush(): void {
    process.stdout.write(this.#held);
    this.#held = '';
  }

  /** A step of a ceremony. */
  step(step: Step): ExitCode {
    const { lines, ...facts } = step;
    if (this.#options.json) {
      this.#held = `${visibleJson({ schema: 'mpc-ceremony/step/1', ...facts })}\n`;
      return step.exit;
    }
    const out: string[] = [];
    const done = step.did.map((d) => d.replace(/^round(\d+)\.sent$/, 'message $1 written')).join(', ');
    if (done !== '') out.push(`${this.#style('green', '✓')} ${visible(done)}`);
    out.push(...lines.map(visible).flatMap(fold));
    out.push(`${this.#style('bold', `NEXT  ${step.nextAction.code}`)}`, wrap(visible(step.nextAction.text), WIDTH, '  '));
    this.#held += `${out.join('\n')}\n`;
    return step.exit;
  }

  /** An error in its one shape: what happened; where; what is safe; what to do. */
  error(error: CeremonyError, context: Record<string, unknown>): ExitCode {
    const { participant, file, field, remedy, details } = error.facts;
    if (this.#options.json) {
      const facts = { code: error.code, participant, file, field, text: error.message, remedy };
      process.stdout.write(`${visibleJson({ schema: 'mpc-ceremony/step/1', ...context, error: facts, exit: error.exit })}\n`);
      return error.exit;
    }
    this.flush();
    const out = [wrap(`${this.#style('red', `✗ ${String(error.exit)} ${error.code.slice(2)}`)}  ${visible(error.message)}`, WIDTH)];
    const where = [participant === undefined ? '' : `participant ${participant}`, file === undefined ? '' : `file ${file}`, field === undefined ? '' : `field ${field}`].filter((s) => s !== '');
    if (where.length > 0) out.push(`  ${where.map(visibleLine).join('   ')}`);
    for (const d of details ?? []) out.push(wrap(visible(d), WIDTH, '  '));
    if (remedy !== undefined) out.push(wrap(`NEXT  ${visible(remedy)}`, WIDTH, '  '));
    process.stderr.write(`${out.join('\n')}\n`);
    return error.exit;
  }
}

/** Any thrown value as a {@link CeremonyError}; foreign errors become E_INTERNAL without their values. */
export function asCeremonyError(e: unknown): CeremonyError {
  if (e instanceof CeremonyError) return e;
  const name = e instanceof Error ? e.name : 'unknown';
  if (name === 'ExitPromptError' || name === 'AbortPromptError') return new CeremonyError('E_INTERRUPTED', 'interrupted; repeat the command to go on');
  const text = e instanceof Error ? `${e.name}: ${e.message}` : 'unknown error';
  return new CeremonyError('E_INTERNAL', `unexpected: ${text}`, {
    details: process.env['NODE_DEBUG'] === 'mpc-ceremony' && e instanceof Error ? [e.stack ?? ''] : [],
    remedy: 'Nothing was released after this. Keep the home as it is and report the text above.',
    cause: e,
  });
}

