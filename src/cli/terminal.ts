/**
 * The terminal of this process, key by key. Used where a whole line is not what is typed: codes on the screen, and a
 * scanner that types. Every way out (the end, an error, Ctrl-C, SIGTERM, a crash) gives the terminal back as it was.
 */
import { writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { CeremonyError } from '../wire/errors.ts';
import { visibleLine } from '../wire/visible.ts';

/** The part of `process.stdin` that is used. */
export type KeySource = Pick<NodeJS.ReadStream, 'isTTY' | 'isRaw' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;
/** The part of `process.stdout` and `process.stderr` that is used. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly fd: number;
  readonly writableNeedDrain: boolean;
  write(text: string): unknown;
  on(event: 'resize', tell: () => void): unknown;
  off(event: 'resize', tell: () => void): unknown;
}

/** A keyboard and a screen. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** Whether the screen has not taken yet what was written; drawing more would only pile up. */
  readonly behind: boolean;
  /** Takes the keyboard, character by character without echo, until the returned function gives it back. */
  keys(take: (key: string) => void, closed: () => void): () => void;
  /** Tells when the size changes, until the returned function is called. */
  resized(tell: () => void): () => void;
  /** Takes the whole screen (another page, no cursor, no wrapping) until the returned function gives it back. */
  page(): () => void;
}

const PAGE = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J';
const NO_PAGE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';
const SIGNALS = ['SIGTERM', 'SIGHUP'] as const;
/** What a terminal is taken to be that does not tell its size. */
const USUAL = { columns: 80, rows: 24 };

/** Characters of what the keyboard sent; keys like arrows, which send an escape sequence, become nothing. */
export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  #escape: 'none' | 'begun' | 'parameters' | 'last' = 'none';

  take(chunk: Uint8Array): string[] {
    return [...this.#decoder.write(Buffer.from(chunk))].filter((c) => !this.#inEscape(c));
  }

  #inEscape(c: string): boolean {
    if (this.#escape === 'none') {
      if (c !== '\x1b') return false;
      this.#escape = 'begun';
    } else if (this.#escape === 'begun') this.#escape = c === '[' ? 'parameters' : c === 'O' ? 'last' : 'none';
    else if (this.#escape === 'last' || (c >= '@' && c <= '~')) this.#escape = 'none';
    return true;
  }
}

/** The terminal at which a person sits, or undefined: keys must come from one, and a screen be one. */
export function terminalOf(stdin: KeySource = process.stdin, streams: readonly ScreenStream[] = [process.stdout, process.stderr] as unknown as ScreenStream[]): Terminal | undefined {
  const screen = streams.find((s) => s.isTTY === true);
  if (!stdin.isTTY || !screen) return undefined;
  return {
    get columns() {
      return screen.columns || USUAL.columns;
    },
    get rows() {
      return screen.rows || USUAL.rows;
    },
    get behind() {
      return screen.writableNeedDrain;
    },
    write: (text) => {
      screen.write(text);
    },
    keys: (take, closed) => takeKeys(stdin, take, closed),
    resized: (tell) => {
      screen.on('resize', tell);
      return () => void screen.off('resize', tell);
    },
    page: () => takePage(screen),
  };
}

/** What gives the terminal back, newest last; run once each, whatever ends the process. */
const owed: (() => void)[] = [];

function giveBackAll(): void {
  for (let back = owed.pop(); back; back = owed.pop()) back();
}

function onSignal(signal: NodeJS.Signals): void {
  giveBackAll();
  for (const s of SIGNALS) process.off(s, onSignal);
  // the signal's own end, now that nobody holds it up
  process.kill(process.pid, signal);
}

/** Sees to it that something is given back on every way out. @returns what gives it back now */
function owe(back: () => void): () => void {
  if (owed.length === 0) {
    process.on('exit', giveBackAll);
    for (const s of SIGNALS) process.on(s, onSignal);
  }
  owed.push(back);
  return () => {
    const at = owed.indexOf(back);
    if (at < 0) return;
    owed.splice(at, 1);
    back();
    if (owed.length > 0) return;
    process.off('exit', giveBackAll);
    for (const s of SIGNALS) process.off(s, onSignal);
  };
}

function takeKeys(stdin: KeySource, take: (key: string) => void, closed: () => void): () => void {
  const reader = new KeyReader();
  const wasRaw = stdin.isRaw;
  const onData = (chunk: Buffer): void => {
    for (const key of reader.take(chunk)) take(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.on('end', closed);
  stdin.on('error', closed);
  stdin.resume();
  return owe(() => {
    stdin.off('data', onData);
    stdin.off('end', closed);
    stdin.off('error', closed);
    stdin.pause();
    stdin.setRawMode(wasRaw);
  });
}

function takePage(screen: ScreenStream): () => void {
  screen.write(PAGE);
  return owe(() => {
    try {
      // at the end of a process nothing asynchronous is written any more
      writeSync(screen.fd, NO_PAGE);
    } catch {
      screen.write(NO_PAGE);
    }
  });
}

/** What Ctrl-C, or a keyboard that went away, ends a command with. */
export function interrupted(text = 'interrupted; repeat the command to go on'): CeremonyError {
  return new CeremonyError('E_INTERRUPTED', text);
}

/** Keys that end a session at once: Ctrl-C and Ctrl-D. */
export function isInterrupt(key: string): boolean {
  return key === '\x03' || key === '\x04';
}

/** Cuts a text for one line of the screen, so that it never wraps; nothing in it commands the terminal. */
export function oneLine(text: string, width: number): string {
  const line = visibleLine(text);
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/**
 * Throws away what was typed before anybody was asked, until the keyboard is quiet: a scanner that is pointed at one code too
 * many types it into the next question, and an answer given before the question is none.
 * @param quiet milliseconds without a key; scanners type faster
 * @throws E_INTERRUPTED on Ctrl-C
 */
export function discardTyped(stdin: KeySource = process.stdin, quiet = 100): Promise<void> {
  return new Promise((resolve, reject) => {
    let ended = false;
    const end = (settle: () => void): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      release();
      settle();
    };
    const timer = setTimeout(() => {
      end(resolve);
    }, quiet);
    const release = takeKeys(
      stdin,
      (key) => {
        if (isInterrupt(key)) end(() => {
          reject(interrupted());
        });
        else if (!ended) timer.refresh();
      },
      () => {
        end(resolve);
      },
    );
  });
}

