/** The viewer at the terminal: every picture that it draws is read by a camera, whatever keys are typed and however the window changes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Load } from '../../src/cli/qr-load.ts';
import { largestVersion, showCodes, type ShowOptions } from '../../src/cli/qr-show.ts';
import { UrReader } from '../../src/qr/ur.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { FakeTerminal } from './screen.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >> 3)) & 0xff);
const load = (length: number, readers = ['bob', 'carol']): Load => ({ what: 'treasury-dkg-1: plan, message of alice', message: bytes(length), readers });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A viewer that runs; its end is looked at with `end`. */
function viewer(columns: number, rows: number, length: number, options: ShowOptions = {}): { terminal: FakeTerminal; end: Promise<unknown> } {
  const terminal = new FakeTerminal(columns, rows);
  terminal.screen.write('before');
  const end = showCodes(terminal, load(length), options).catch((e: unknown) => e);
  return { terminal, end };
}
const next = (fps = 8): void => {
  vi.advanceTimersByTime(Math.ceil(1000 / fps));
};
const given = (terminal: FakeTerminal): void => {
  expect([terminal.pages, terminal.listened, [...terminal.screen.modes], terminal.screen.text]).toEqual([0, false, [], 'before']);
};
const codeOf = async (terminal: FakeTerminal): Promise<string> => {
  const codes = await terminal.screen.codes();
  expect(codes, terminal.screen.text).toHaveLength(1);
  return codes[0] as string;
};

describe('what is drawn', () => {
  it('a file whose name a terminal would obey cannot command it', async () => {
    const terminal = new FakeTerminal(120, 40);
    const hostile = { ...load(300), what: 'message \x1b[2J\x9b1;1HNEXT\n  DONE \u202e.blob' };
    const end = showCodes(terminal, hostile).catch((e: unknown) => e);
    expect(terminal.screen.text.replace(/\s+/g, '')).toContain('message\\x1b[2J\\x9b1;1HNEXT\\x0aDONE\\u202e.blob');
    expect(terminal.written.join('')).not.toMatch(/[\x80-\x9f\u202e\n]/);
    await codeOf(terminal);
    terminal.type('q');
    expect(await end).toBe('left');
  });

  it.each([
    [80, 24, 300],
    [80, 24, 2000],
    [80, 25, 2000],
    [120, 40, 4000],
    [100, 60, 3000],
    [80, 60, 3000],
    [48, 24, 500],
    [46, 23, 300],
    [200, 70, 20_000],
  ])('%i x %i, %i bytes: a camera that misses every third code puts the message together', async (columns, rows, length) => {
    const { terminal, end } = viewer(columns, rows, length);
    const reader = new UrReader();
    for (let n = 1; reader.message === undefined; n++) {
      expect(n, 'too many codes').toBeLessThan(200);
      if (n % 3 !== 0) reader.take(await codeOf(terminal));
      next();
    }
    expect(reader.message).toEqual(bytes(length));
    terminal.type('q');
    expect(await end).toBe('left');
    given(terminal);
  });

  it('80 x 24 says what it is, for whom, which code of how many, version and speed', () => {
    const { terminal } = viewer(80, 24, 2000);
    next();
    expect(terminal.screen.line(24)).toMatch(/^treasury-dkg-1: plan, message of alice   code 2 of 42  version 5  8 a second$/);
    expect(terminal.screen.line(24).length).toBeLessThan(80);
    for (const words of ['Hold this screen to the camera of', 'bob and carol.', '42 codes are enough', '< >', 'space', '+ -', 'q      end']) expect(terminal.screen.text).toContain(words);
    terminal.type('q');
  });

  it('one code stands still: no time passes, and there is nothing about speed', async () => {
    const { terminal, end } = viewer(120, 40, 184, { goesOn: true });
    const before = terminal.written.length;
    vi.advanceTimersByTime(60_000);
    expect(terminal.written.length).toBe(before);
    expect(terminal.screen.line(40)).toContain('the only code  version 10');
    expect(terminal.screen.text).not.toContain('slower');
    const reader = new UrReader();
    expect(reader.take(await codeOf(terminal))).toBe('complete');
    terminal.type('\r');
    expect(await end).toBe('done');
    given(terminal);
  });

  it('one code is preferred to two, in the window where it just fits', () => {
    const { terminal } = viewer(120, 40, 319);
    expect(terminal.screen.line(40)).toContain('the only code  version 14');
    terminal.type('q');
  });

  it('goes on to later parts after a round', () => {
    const { terminal } = viewer(80, 24, 300);
    for (let i = 0; i < 8; i++) next();
    expect(terminal.screen.line(24)).toMatch(/code 2 of 7, round 2/);
    terminal.type('q');
  });

  it('without room for words the foot says how to end', () => {
    const { terminal } = viewer(48, 24, 300);
    expect(terminal.screen.line(24)).toMatch(/code 1 of 7 .*q: end$/);
    terminal.type('q');
  });
});

describe('keys', () => {
  it('space stops and goes on; n is by hand', () => {
    const { terminal } = viewer(80, 24, 300);
    terminal.type(' ');
    vi.advanceTimersByTime(5000);
    expect(terminal.screen.line(24)).toMatch(/code 1 of 7  version 5  stopped$/);
    terminal.type('n');
    vi.advanceTimersByTime(5000);
    expect(terminal.screen.line(24)).toContain('code 2 of 7');
    terminal.type(' ');
    next();
    expect(terminal.screen.line(24)).toContain('code 3 of 7');
    terminal.type('q');
  });

  it('< and > change the speed between 1 and 15', () => {
    const { terminal } = viewer(80, 24, 300);
    terminal.type('>'.repeat(20));
    expect(terminal.screen.line(24)).toContain('15 a second');
    terminal.type('<'.repeat(30));
    expect(terminal.screen.line(24)).toContain('  1 a second');
    // the tick that was set before comes, then one a second
    vi.advanceTimersByTime(125);
    expect(terminal.screen.line(24)).toContain('code 2 of 7');
    vi.advanceTimersByTime(999);
    expect(terminal.screen.line(24)).toContain('code 2 of 7');
    vi.advanceTimersByTime(1);
    expect(terminal.screen.line(24)).toContain('code 3 of 7');
    terminal.type('q');
  });

  it('+ and - change the version as far as the window and the message go, and say so', async () => {
    const { terminal } = viewer(80, 24, 300);
    terminal.type('+');
    expect(terminal.screen.line(24)).toContain('another size: who is reading begins anew');
    for (let i = 0; i < 20; i++) next();
    expect(terminal.screen.line(24)).toContain('version 6');
    expect(await codeOf(terminal)).toMatch(/^UR:BYTES\/\d+-5\//);
    terminal.type('+');
    expect(terminal.screen.line(24)).toContain('finer codes do not fit');
    terminal.type('-----');
    expect(terminal.screen.line(24)).toContain('no coarser codes can carry this');
    for (let i = 0; i < 20; i++) next();
    expect(terminal.screen.line(24)).toContain('version 3');
    await codeOf(terminal);
    terminal.type('q');
  });

  it('what is typed ahead does not reach the screen after the end', async () => {
    const { terminal, end } = viewer(80, 24, 300);
    terminal.type('q+ n');
    expect(await end).toBe('left');
    given(terminal);
  });

  it('arrows and other words do nothing', () => {
    const { terminal } = viewer(80, 24, 300);
    const before = terminal.written.length;
    terminal.type('xyz\t');
    expect(terminal.written.length).toBe(before);
    terminal.type('q');
  });
});

describe('the window', () => {
  it('that becomes too small is told so, and goes on when it is large again', async () => {
    const { terminal } = viewer(80, 24, 300);
    terminal.resize(40, 12);
    expect(terminal.screen.text.replace(/\s+/g, ' ')).toContain('This window is too small for a code of version 5. Make it larger');
    next();
    expect(await terminal.screen.codes()).toEqual([]);
    terminal.resize(132, 50);
    expect(await codeOf(terminal)).toMatch(/^UR:BYTES\/\d+-7\//);
    terminal.type('q');
  });

  it('that became smaller shows coarser codes after -', async () => {
    const { terminal } = viewer(80, 24, 300);
    terminal.resize(80, 21);
    terminal.type('-');
    for (let i = 0; i < 20; i++) next();
    expect(await codeOf(terminal)).toMatch(/^UR:BYTES\//);
    terminal.type('q');
  });

  it.each([
    [20, 10],
    [80, 12],
    [30, 60],
  ])('%i x %i is refused before anything is drawn, with the ways out', async (columns, rows) => {
    const { terminal, end } = viewer(columns, rows, 300);
    const error = await end;
    expect(error).toBeInstanceOf(CeremonyError);
    expect(error).toMatchObject({ code: 'E_MACHINE', facts: { field: 'terminal' } });
    expect((error as CeremonyError).facts.remedy).toMatch(/larger.*--gif/);
    expect(terminal.written).toEqual([]);
    given(terminal);
  });

  it('a version that was asked for and does not fit is refused, the largest is named and works', async () => {
    const large = largestVersion(80, 24) as number;
    expect(await viewer(80, 24, 300, { density: large + 1 }).end).toMatchObject({ code: 'E_USAGE', facts: { field: 'density' } });
    const { terminal } = viewer(80, 24, 300, { density: large });
    await codeOf(terminal);
    terminal.type('q');
  });

  it('more than a reader puts together is refused', async () => {
    expect(await viewer(80, 24, 400_000).end).toMatchObject({ code: 'E_ROUTE' });
  });
});

describe('every way out gives the terminal back', () => {
  it.each([
    ['q', 'q'],
    ['Enter', '\r'],
  ])('%s', async (_, key) => {
    const { terminal, end } = viewer(80, 24, 300);
    terminal.type(key);
    await end;
    given(terminal);
    // and nothing ticks any more
    const { length } = terminal.written;
    vi.advanceTimersByTime(5000);
    expect([terminal.written.length, vi.getTimerCount()]).toEqual([length, 0]);
  });
  it.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('%s is 130', async (_, key) => {
    const { terminal, end } = viewer(80, 24, 300);
    terminal.type(key);
    expect(await end).toMatchObject({ code: 'E_INTERRUPTED', exit: 130 });
    given(terminal);
  });
  it('a terminal that is closed', async () => {
    const { terminal, end } = viewer(80, 24, 300);
    terminal.close();
    expect(await end).toMatchObject({ code: 'E_INTERRUPTED' });
    given(terminal);
  });
  it('an error while drawing', async () => {
    const { terminal, end } = viewer(80, 24, 300);
    terminal.broken = true;
    next();
    expect(await end).toMatchObject({ message: 'EIO' });
    given(terminal);
  });
  it('an error while drawing the first picture', async () => {
    const terminal = new FakeTerminal(80, 24);
    terminal.screen.write('before');
    terminal.broken = true;
    expect(await showCodes(terminal, load(300)).catch((e: unknown) => e)).toMatchObject({ message: 'EIO' });
    given(terminal);
  });
});
