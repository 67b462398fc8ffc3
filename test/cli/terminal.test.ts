/** The keyboard and the screen are given back, whatever happens. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { KeyReader, oneLine, terminalOf, type KeySource, type ScreenStream } from '../../src/cli/terminal.ts';

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
