/** The scanning session: a scanner that types, files, the camera, and a person who is tired. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { intake, type IntakeOptions, TypedLines } from '../../src/cli/qr-intake.ts';
import { Receiver, Scan, ScanMemory } from '../../src/cli/qr-scan.ts';
import { CodeSequence } from '../../src/cli/qr-sequence.ts';
import { typedPath } from '../../src/cli/qr-sources.ts';
import { codesGif } from '../../src/qr/gif.ts';
import { codePng } from '../../src/qr/png.ts';
import { urSender } from '../../src/qr/ur.ts';
import { encodeParcel } from '../../src/transport/parcel.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { FakeTerminal } from './screen.ts';

const message = encodeParcel([{ path: 'files/notes.txt', bytes: utf8('what is carried') }, { path: 'files/more', bytes: new Uint8Array(createHash('shake256', { outputLength: 500 }).digest()) }]);
const sequence = new CodeSequence(message, 6);
const part = (n: number): string => sequence.text(n);

let dir: string;
let path: string | undefined;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'qr-intake-')));
  path = process.env['PATH'];
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
  process.env['PATH'] = path;
});

interface Session {
  readonly terminal: FakeTerminal;
  readonly end: Promise<unknown>;
  readonly got: Uint8Array[];
  /** Until the screen shows something. */
  readonly until: (what: RegExp) => Promise<void>;
  readonly enter: (text: string) => void;
}

function session(options: Partial<IntakeOptions> & { refuse?: CeremonyError } = {}): Session {
  const terminal = new FakeTerminal(80, 24);
  const got: Uint8Array[] = [];
  const disk = realDisk();
  const receiver = new Receiver(new Scan(new ScanMemory(disk, join(dir, '.scan'), () => undefined)), (m) => {
    if (options.refuse) throw options.refuse;
    got.push(m);
    return Promise.resolve();
  });
  const end = intake(terminal, receiver, { disk, title: 'Codes of bob and carol are to come in.', canShow: true, makePage: () => Promise.resolve('/somewhere/scan-page.html'), ...options }).catch((e: unknown) => e);
  return {
    terminal,
    end,
    got,
    enter: (text) => {
      terminal.type(`${text}\r`);
    },
    until: async (what) => {
      for (let i = 0; i < 2000 && !what.test(terminal.screen.text); i++) await (i < 100 ? turn() : pause(5));
      expect(terminal.screen.text).toMatch(what);
    },
  };
}

describe('a USB scanner', () => {
  it('types the codes: one line says how far it is, the codes themselves are not shown, and the last one ends it', async () => {
    const { terminal, end, got, until, enter } = session();
    await until(/no code yet$/);
    expect(terminal.screen.text.split('\n').slice(0, 7)).toEqual([
      'SCAN_QR  Codes of bob and carol are to come in.',
      '  USB scanner     point it at the codes, one after the other',
      '  file            type the path of a photo, screenshot, GIF or video, then Enter',
      '  c Enter         the camera of this machine; another one: c /dev/video2 Enter',
      '  p Enter         a page for a browser that has a camera',
      '  s Enter         show my own codes again',
      '  q Enter         leave; what was scanned is remembered',
    ]);
    terminal.type(part(1).slice(0, 90));
    expect(terminal.screen.text).toMatch(/reading a code …$/);
    enter(part(1).slice(90));
    await until(/1 of \d+ parts, \d+ missing$/);
    // another alphabet case, Tab in place of Enter, two codes without anything between, a code twice
    terminal.type(`${part(2).toLowerCase()}\t${part(3)}${part(4)}\r${part(2)}\r`);
    await until(/4 of \d+ parts/);
    for (let n = 5; n <= sequence.count; n++) enter(part(n));
    expect(await end).toBe('taken');
    expect(got).toEqual([message]);
    expect(terminal.screen.text).not.toMatch(/UR:/i);
    expect(terminal.listened).toBe(false);
    expect(existsSync(join(dir, '.scan'))).toBe(false);
  });

  it('every code that was scanned by hand is remembered at once', async () => {
    const { until, enter, terminal } = session();
    await until(/no code yet$/);
    enter(part(1));
    await until(/1 of/);
    expect(readFileSync(join(dir, '.scan'), 'utf8')).toContain(part(1));
    terminal.type('\x03');
  });

  it('that reads wrongly, or is set to another keyboard, is told what to do', async () => {
    const { until, enter, terminal } = session();
    enter(`${part(1).slice(0, -3)}AAA`);
    await until(/! that code was not taken: .*Scan it\s+again/s);
    await until(/1 damaged$/);
    enter(part(2).replace(':', 'Ö').replace('Y', 'Z').replaceAll('/', '-'));
    await until(/The scanner types "URÖBZTES-2": its keyboard layout is not the one of this\s+machine/);
    terminal.type('\x03');
  });

  it('lines are bounded', () => {
    const typed = new TypedLines();
    for (let i = 0; i < 100_000; i++) typed.key('A');
    expect(typed.line.length).toBeLessThan(20_000);
    typed.key('\x15');
    for (const k of 'abcé\x7f\x7f') typed.key(k);
    expect([typed.line, typed.key('\r'), typed.line]).toEqual(['ab', 'ab', '']);
  });
});

describe('files', () => {
  it('photos, a folder, a GIF, a saved message: by their paths, as they are dropped or typed', async () => {
    mkdirSync(join(dir, 'my photos'));
    writeFileSync(join(dir, 'my photos', '1.png'), codePng(sequence.code(1).modules));
    writeFileSync(join(dir, 'my photos', '2.png'), codePng(sequence.code(2).modules));
    const { until, enter, end, got } = session();
    enter(`'${join(dir, 'my photos')}'`);
    await until(/2 of \d+ parts/);
    writeFileSync(join(dir, 'rest.gif'), codesGif(Array.from({ length: sequence.count + 12 }, (_, i) => sequence.code(i + 3).modules), { fps: 8 }));
    enter(join(dir, 'rest.gif'));
    expect(await end).toBe('taken');
    expect(got).toEqual([message]);

    writeFileSync(join(dir, 'scan-1.parcel'), message);
    const second = session();
    second.enter(join(dir, 'scan-1.parcel'));
    expect(await second.end).toBe('taken');
    expect(second.got).toEqual([message]);
  });

  it('without a code, not there, or of no kind that holds codes: said, and the session goes on', async () => {
    writeFileSync(join(dir, 'empty.png'), codePng(Array.from({ length: 21 }, () => Array.from({ length: 21 }, () => false))));
    writeFileSync(join(dir, 'zip'), 'PK\x03\x04\0\0\0');
    const { terminal, until, enter, end } = session();
    enter(join(dir, 'empty.png'));
    await until(/! No code was found there\. Take the picture again/);
    enter(join(dir, 'none.png'));
    await until(/! cannot read .*none\.png/);
    enter(join(dir, 'zip'));
    await until(/neither a picture nor a\s+video/);
    enter('   ');
    enter('q');
    expect(await end).toBe('left');
    expect(terminal.listened).toBe(false);
  });

  it('a message that does not belong here is told why, and the session goes on', async () => {
    writeFileSync(join(dir, 'm.parcel'), message);
    const { until, enter, terminal } = session({ refuse: new CeremonyError('E_PARCEL', 'this message belongs to another ceremony', { remedy: 'scan it into the folder of its own ceremony' }) });
    enter(join(dir, 'm.parcel'));
    await until(/! this message belongs to another ceremony\. Scan it into the folder of its own\s+ceremony/);
    enter(join(dir, 'm.parcel'));
    await until(/That was taken before/);
    terminal.type('\x03');
  });

  it('paths become what the person means', () => {
    expect(typedPath(" '/a b/c.png' ")).toBe('/a b/c.png');
    expect(typedPath('"/a b/c.png"')).toBe('/a b/c.png');
    expect(typedPath('/a\\ b/c\\(1\\).png')).toBe('/a b/c(1).png');
    expect(typedPath('file:///a%20b.gif')).toBe('/a b.gif');
    expect(typedPath('~/x')).toMatch(/^\/.*\/x$/);
    expect(typedPath('file:///100%zz.gif')).toBe('/100%zz.gif');
  });

  it('a code of anything else is no path, and no end of the session', async () => {
    const { until, enter, end } = session();
    enter('WIFI:T:WPA;S:guest;P:'.padEnd(300, 'A'));
    await until(/! "WIFI:T:WPA;S:guest;P:A+…" is neither a code of this program\s+nor the path of a file\. Scan the codes/);
    for (const [text, said] of [['file://%zz', /! cannot read .*%zz/], ['file://%00', /! "\\x00" is neither/], [`/${'a/'.repeat(4000)}`, /! "a" is neither/]] as const) {
      enter(text);
      await until(said);
    }
    enter('q');
    expect(await end).toBe('left');
  });

  it('a name that a terminal would obey is shown, not obeyed', async () => {
    const { terminal, until, enter } = session();
    enter(`${dir}/\x9b2J\u202egpj.exe`);
    await until(/! cannot read .*\\x9b2J\\u202egpj\.exe/);
    terminal.type('a\x9b2J');
    expect(terminal.screen.text).toMatch(/> a\\x9b2J$/);
    expect(terminal.written.join('')).not.toMatch(/[\x80-\x9f\u202e]/);
    terminal.type('\x03');
  });
});

describe('Ctrl-C is heard', () => {
  const small = encodeParcel([{ path: 'files/a', bytes: utf8('a') }]);
  /** Types a path, and Ctrl-C as soon as the screen shows that it is being read. */
  const leave = async ({ terminal, enter, end, until }: Session, file: string, shown: RegExp): Promise<unknown> => {
    enter(file);
    await until(shown);
    terminal.type('\x03');
    return end;
  };

  it('in a GIF without codes, before the frame that has one', async () => {
    const code = new CodeSequence(small, 6).code(1).modules;
    // frames of 3072 x 3072 white pixels in a few bytes, then a code
    const white = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0];
    const gif = Buffer.from(codesGif([code], { scale: 3 }));
    const colours = gif.subarray(13, 13 + 3 * 2 ** (((gif[10] ?? 0) & 7) + 1));
    const file = join(dir, 'x.gif');
    const make = (frames: number): void => {
      writeFileSync(file, Buffer.concat([Buffer.from('GIF89a'), Buffer.from([0, 12, 0, 12, gif[10] ?? 0, 0, 0]), colours, ...Array.from({ length: frames }, () => Buffer.from(white)), gif.subarray(gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0])))]));
    };
    make(1);
    const patient = session();
    patient.enter(file);
    expect(await patient.end).toBe('taken');
    expect(patient.got).toEqual([small]);
    make(8);
    const s = session();
    expect(await leave(s, file, /reading the file/)).toMatchObject({ code: 'E_INTERRUPTED' });
    expect(s.got).toEqual([]);
  });

  it('in a text of mixtures that keep the reader busy; what was taken until then stays', async () => {
    const heavy = urSender(new Uint8Array(createHash('shake256', { outputLength: 16_000 }).digest()), 4);
    const lines = Array.from({ length: 7000 }, (_, i) => heavy.part(5000 + i));
    const file = join(dir, 'x.txt');
    writeFileSync(file, lines.join('\n'));
    expect(await leave(session(), file, /reading the file: \d+ of/)).toMatchObject({ code: 'E_INTERRUPTED' });
    const kept = readFileSync(join(dir, '.scan'), 'utf8').split('\n').length;
    expect(kept).toBeGreaterThan(2);
    expect(kept).toBeLessThan(3900);
    // pasted at the prompt, all of it in one piece
    rmSync(join(dir, '.scan'));
    const pasting = session();
    await pasting.until(/no code yet$/);
    pasting.terminal.type(`${lines.join('\r')}\r`);
    await turn();
    await turn();
    pasting.terminal.type('\x03');
    expect(await pasting.end).toMatchObject({ code: 'E_INTERRUPTED' });
    expect(readFileSync(join(dir, '.scan'), 'utf8').split('\n').length).toBeLessThan(3900);
  });

  it('in a remembered scan that somebody else wrote', async () => {
    const heavy = urSender(new Uint8Array(createHash('shake256', { outputLength: 16_000 }).digest()), 4);
    const first = session();
    first.enter(heavy.part(5000));
    await first.until(/1 of/);
    first.terminal.type('\x03');
    await first.end;
    const text = readFileSync(join(dir, '.scan'), 'utf8') + Array.from({ length: 7000 }, (_, i) => `${heavy.part(5001 + i)}\n`).join('');
    writeFileSync(join(dir, '.scan'), text);
    const { terminal, end } = session();
    await turn();
    terminal.type('\x03');
    expect(await end).toMatchObject({ code: 'E_INTERRUPTED' });
    // the introduction was not reached, and nothing is lost
    expect(terminal.screen.text).not.toContain('SCAN_QR');
    expect(new Set(readFileSync(join(dir, '.scan'), 'utf8').split('\n'))).toEqual(new Set(text.split('\n')));
  });

  it('in a video that stalls, and at a camera that does; ffmpeg is ended', async () => {
    fakeCamera([1]);
    writeFileSync(join(dir, 'bin', 'ffmpeg'), `#!/bin/sh\necho $$ > '${dir}/pid'\nexec sleep 1000\n`);
    const stalls = async (): Promise<void> => {
      for (let i = 0; i < 2000 && !runs(); i++) await pause(5);
      expect(runs()).toBe(true);
    };
    const ends = async (): Promise<void> => {
      for (let i = 0; i < 400 && runs(); i++) await pause(5);
      expect(runs()).toBe(false);
    };
    const file = join(dir, 'x.y4m');
    writeFileSync(file, 'YUV4MPEG2 W8 H8 F1:1\n');
    const video = session();
    video.enter(file);
    await stalls();
    video.terminal.type('\x03');
    expect(await video.end).toMatchObject({ code: 'E_INTERRUPTED' });
    await ends();
    rmSync(join(dir, 'pid'));
    const watched = session({ camera: '/dev/video9', watch: true });
    await stalls();
    watched.terminal.type('\r');
    await watched.until(/no code yet$/);
    await ends();
    watched.enter('q');
    expect(await watched.end).toBe('left');
  });
});

/** An ffmpeg that shows what a camera would see: frames with codes, then for ever an empty wall. */
function fakeCamera(codes: readonly number[]): string {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const modules = codes.map((n) => sequence.code(n).modules);
  const size = ((modules[0]?.length ?? 0) + 8) * 4;
  const frames = modules.map((m) => {
    const gray = Buffer.alloc(size * size, 255);
    m.forEach((row, y) => row.forEach((black, x) => {
      if (black) for (let i = 0; i < 4; i++) gray.fill(0, ((y + 4) * 4 + i) * size + (x + 4) * 4, ((y + 4) * 4 + i) * size + (x + 5) * 4);
    }));
    return Buffer.concat([Buffer.from('FRAME\n'), gray]);
  });
  writeFileSync(join(dir, 'seen.y4m'), Buffer.concat([Buffer.from(`YUV4MPEG2 W${String(size)} H${String(size)} F8:1 Ip A1:1 Cmono\n`), ...frames]));
  writeFileSync(join(dir, 'wall.y4m'), Buffer.concat([Buffer.from('FRAME\n'), Buffer.alloc(size * size, 200)]));
  const script = join(bin, 'ffmpeg');
  writeFileSync(script, `#!/bin/sh\necho $$ > '${dir}/pid'\necho "$@" > '${dir}/args'\ncat '${dir}/seen.y4m'\nwhile cat '${dir}/wall.y4m'; do sleep 0.05; done\n`);
  chmodSync(script, 0o755);
  process.env['PATH'] = `${bin}${delimiter}${path ?? ''}`;
  return '/dev/video9';
}

const runs = (): boolean => {
  try {
    process.kill(Number(readFileSync(join(dir, 'pid'), 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
};

describe('the camera', () => {
  it('reads until the message is complete, and is switched off', async () => {
    const camera = fakeCamera(Array.from({ length: sequence.count + 12 }, (_, i) => i + 2));
    const { end, got, enter } = session();
    enter(`c ${camera}`);
    expect(await end).toBe('taken');
    expect(got).toEqual([message]);
    expect(readFileSync(join(dir, 'args'), 'utf8')).toContain('/dev/video9');
    for (let i = 0; i < 400 && runs(); i++) await pause(5);
    expect(runs()).toBe(false);
  });

  it('that sees no code any more ends with Enter; what it saw stays', async () => {
    const camera = fakeCamera([1, 2]);
    const { terminal, until, end, enter } = session({ camera, watch: true });
    await until(/camera: 2 of \d+ parts/);
    terminal.type('\r');
    await until(/\n2 of \d+ parts/);
    enter('q');
    expect(await end).toBe('left');
    expect(readFileSync(join(dir, '.scan'), 'utf8')).toContain(part(2));
    for (let i = 0; i < 400 && runs(); i++) await pause(5);
    expect(runs()).toBe(false);
  });

  it('Ctrl-C ends it and the session', async () => {
    const camera = fakeCamera([1]);
    const { terminal, until, end } = session({ camera, watch: true });
    await until(/camera: 1 of/);
    terminal.type('\x03');
    expect(await end).toMatchObject({ code: 'E_INTERRUPTED' });
    expect(terminal.listened).toBe(false);
  });

  it('that is not there is said', async () => {
    const { terminal, until, enter } = session({ camera: '/dev/video-none' });
    enter('c');
    await until(/! the camera \/dev\/video-none gives no pictures|! ffmpeg is not installed/);
    await until(/no code yet$/);
    terminal.type('\x03');
  });
});

describe('the session', () => {
  it('shows the page, and own codes again, where there are any', async () => {
    const { until, enter, end } = session();
    enter('p');
    await until(/The page lies in \/somewhere\/scan-page\.html/);
    enter('S');
    expect(await end).toBe('show');
    const none = session({ canShow: false });
    await none.until(/no code yet$/);
    expect(none.terminal.screen.text).not.toContain('my own codes');
    none.enter('s');
    await none.until(/! cannot read/);
    none.terminal.type('\x03');
  });

  it('goes on with an earlier scan, and says so', async () => {
    const first = session();
    first.enter(part(1));
    await first.until(/1 of/);
    first.enter('q');
    await first.end;
    const second = session();
    await second.until(/Going on with an earlier scan: 1 of \d+ parts/);
    second.terminal.type('\x03');
    expect(await second.end).toMatchObject({ exit: 130 });
  });

  it('Ctrl-D and a terminal that goes away end it', async () => {
    const typed = session();
    typed.terminal.type('\x04');
    expect(await typed.end).toMatchObject({ code: 'E_INTERRUPTED' });
    const closed = session();
    closed.terminal.close();
    expect(await closed.end).toMatchObject({ code: 'E_INTERRUPTED', message: 'the terminal was closed' });
  });

  it('no line is wider than the window', async () => {
    const { terminal, until, enter } = session();
    await until(/no code yet$/);
    terminal.type(`/a/${'long/'.repeat(40)}end`);
    expect(terminal.screen.text.split('\n').at(-1)).toMatch(/^> ….*end$/);
    terminal.type('\x15');
    enter(part(1));
    await until(/1 of/);
    for (const line of terminal.screen.text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    terminal.type('\x03');
  });
});
