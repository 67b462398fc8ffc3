/** The keyboard and the screen are given back, whatever happens. */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Answers } from '../../src/cli/answers.ts';
import { discardTyped, KeyReader, oneLine, terminalOf, type KeySource, type ScreenStream } from '../../src/cli/terminal.ts';
import { realDisk } from '../../src/vault/durable.ts';

const asked: string[] = [];
vi.mock('@inquirer/prompts', () => ({
  input: ({ message }: { message: string }) => {
    asked.push(message);
    return Promise.resolve('typed after it');
  },
}));

class Keyboard extends EventEmitter {
  isTTY = true;
  isRaw = false;
  flowing = false;
  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }
  resume(): this {
    this.flowing = true;
    return this;
  }
  pause(): this {
    this.flowing = false;
    return this;
  }
}
class Window extends EventEmitter {
  isTTY = true;
  columns = 80;
  rows = 24;
  fd = -1; // no file: writeSync fails, and the stream is used
  writableNeedDrain = false;
  text = '';
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}
const open = (keyboard: Keyboard, ...windows: Window[]): ReturnType<typeof terminalOf> => terminalOf(keyboard as unknown as KeySource, windows as unknown as ScreenStream[]);

describe('keys', () => {
  it('come as characters, also when they arrive in pieces; arrows and the like are nothing', () => {
    const reader = new KeyReader();
    expect(reader.take(Buffer.from('aé'))).toEqual(['a', 'é']);
    const euro = Buffer.from('€');
    expect([reader.take(euro.subarray(0, 1)), reader.take(euro.subarray(1))]).toEqual([[], ['€']]);
    expect(reader.take(Buffer.from('\x1b[A\x1b[1;5Cb\x1bOPc\x1bxd'))).toEqual(['b', 'c', 'd']);
    expect([reader.take(Buffer.from('\x1b')), reader.take(Buffer.from('[')), reader.take(Buffer.from('Bq'))]).toEqual([[], [], ['q']]);
  });

  it('are taken raw and given back as they were, and nobody listens any more', () => {
    const keyboard = new Keyboard();
    const seen: string[] = [];
    const release = open(keyboard, new Window())?.keys((k) => seen.push(k), () => seen.push('closed'));
    expect([keyboard.isRaw, keyboard.flowing]).toEqual([true, true]);
    keyboard.emit('data', Buffer.from('ab'));
    keyboard.emit('end');
    release?.();
    release?.();
    keyboard.emit('data', Buffer.from('c'));
    expect([seen, keyboard.isRaw, keyboard.flowing, keyboard.listenerCount('data') + keyboard.listenerCount('end') + keyboard.listenerCount('error')]).toEqual([['a', 'b', 'closed'], false, false, 0]);
  });
});

describe('what was typed before the question', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const discard = (keyboard: Keyboard): Promise<unknown> => discardTyped(keyboard as unknown as KeySource).then(() => 'quiet', (e: unknown) => e);

  it('is thrown away, until the keyboard is quiet; then it is given back', async () => {
    const keyboard = new Keyboard();
    let end: unknown;
    void discard(keyboard).then((r) => (end = r));
    expect([keyboard.isRaw, keyboard.flowing]).toEqual([true, true]);
    // a scanner that goes on typing
    for (let i = 0; i < 12; i++) {
      keyboard.emit('data', Buffer.from('UR:BYTES/AEAE\r'));
      await vi.advanceTimersByTimeAsync(90);
      expect(end).toBeUndefined();
    }
    await vi.advanceTimersByTimeAsync(10);
    expect(end).toBe('quiet');
    expect([keyboard.isRaw, keyboard.flowing, keyboard.listenerCount('data') + keyboard.listenerCount('end') + keyboard.listenerCount('error')]).toEqual([false, false, 0]);
  });

  it('Ctrl-C in it ends the command; a keyboard that goes away is the question\'s affair', async () => {
    const keyboard = new Keyboard();
    const end = discard(keyboard);
    keyboard.emit('data', Buffer.from('ab\x03c'));
    expect(await end).toMatchObject({ code: 'E_INTERRUPTED' });
    expect([keyboard.isRaw, keyboard.listenerCount('data')]).toEqual([false, 0]);
    const gone = discard(keyboard);
    keyboard.emit('end');
    expect(await gone).toBe('quiet');
    expect(keyboard.isRaw).toBe(false);
  });

  it('is no answer: the question comes after it, and cannot command the terminal', async () => {
    const keyboard = new Keyboard();
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(keyboard as unknown as typeof process.stdin);
    let screen = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((screen += String(text)), true));
    await import('@inquirer/prompts');
    let answer: unknown;
    void new Answers(realDisk(), {}).ask('verify-peer', ['The card of \x9b2Jbob.', 'Type \x1b]0;two words:']).then((a) => (answer = a));
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(90);
      keyboard.emit('data', Buffer.from('Apollo zulu\r'));
      expect([screen, asked]).toEqual(['', []]);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect([screen, asked, answer]).toEqual(['The card of \\x9b2Jbob.\n', ['Type \\x1b]0;two words:'], { answer: 'typed after it', source: 'typed' }]);
    // what the question itself is typed is not thrown away
    expect([keyboard.isRaw, keyboard.listenerCount('data')]).toEqual([false, 0]);
  });
});

describe('the screen', () => {
  it('is the first stream that is a terminal; without a keyboard there is none', () => {
    const [pipe, window] = [new Window(), new Window()];
    pipe.isTTY = false;
    open(new Keyboard(), pipe, window)?.write('x');
    expect([pipe.text, window.text]).toEqual(['', 'x']);
    expect(open(new Keyboard(), pipe)).toBeUndefined();
    const file = new Keyboard();
    file.isTTY = false;
    expect(open(file, window)).toBeUndefined();
  });

  it('that does not tell its size is taken for 80 x 24', () => {
    const window = new Window();
    Object.assign(window, { columns: 0, rows: undefined });
    const terminal = open(new Keyboard(), window);
    expect([terminal?.columns, terminal?.rows]).toEqual([80, 24]);
  });

  it('is given back once, and at the end of the process if nobody did', () => {
    const before = [process.listenerCount('exit'), process.listenerCount('SIGTERM'), process.listenerCount('SIGHUP')];
    const [keyboard, window] = [new Keyboard(), new Window()];
    const terminal = open(keyboard, window);
    const page = terminal?.page();
    const keys = terminal?.keys(() => undefined, () => undefined);
    expect([process.listenerCount('exit'), process.listenerCount('SIGTERM'), process.listenerCount('SIGHUP')]).toEqual(before.map((n) => n + 1));
    expect(window.text).toMatch(/\x1b\[\?1049h.*\x1b\[\?25l/s);
    window.text = '';
    page?.();
    page?.();
    expect(window.text).toBe('\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l');
    keys?.();
    expect([process.listenerCount('exit'), process.listenerCount('SIGTERM'), process.listenerCount('SIGHUP')]).toEqual(before);

    terminal?.page();
    terminal?.keys(() => undefined, () => undefined);
    window.text = '';
    (process.listeners('exit').at(-1) as () => void)();
    expect([window.text, keyboard.isRaw]).toEqual(['\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l', false]);
  });
});

it('a line is cut, never wrapped', () => {
  expect([oneLine('abcdef', 6), oneLine('abcdef', 5), oneLine('abc', 1), oneLine('abc', 0)]).toEqual(['abcdef', 'abcd…', '…', '…']);
});
