import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HiddenLine } from '../../src/vault/hidden-line.ts';
import { type PassphraseRequest, passphraseFault, readPassphrase, type TerminalInput } from '../../src/vault/passphrase.ts';
import type { Secret } from '../../src/vault/secret.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { bundle, newDir, rejection, tempDir } from './support.ts';

const posix = process.platform !== 'win32';
const shown = (secret: Secret): string => secret.use((b) => Buffer.from(b).toString());

class Terminal extends PassThrough {
  isTTY = true;
  isRaw = false;
  modes: boolean[] = [];
  screen = '';
  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    this.modes.push(raw);
    return this;
  }
  /** A request at this terminal; `keys` are typed one chunk after each prompt. */
  request(confirm: boolean, ...keys: string[]): PassphraseRequest {
    const write = (text: string): void => {
      this.screen += text;
      const next = text.endsWith(': ') ? keys.shift() : undefined;
      if (next !== undefined) setImmediate(() => this.write(next));
    };
    return { confirm, prompt: 'Passphrase', stdin: this as unknown as TerminalInput, stderr: { write } };
  }
}

function fromFile(file: string, confirm = false): PassphraseRequest {
  return { file, confirm, prompt: 'Passphrase', stdin: new PassThrough() as unknown as TerminalInput, stderr: { write: () => true } };
}

describe('from a file', () => {
  it.each([
    ['hunter22', 'hunter22'],
    ['hunter22\n', 'hunter22'],
    ['hunter22\r\n', 'hunter22'],
    ['hunter22\nsecond line\n', 'hunter22'],
    ['  spaces stay  \n', '  spaces stay  '],
    ['grüße 🔑 ok\n', 'grüße 🔑 ok'],
    ['x'.repeat(1024) + '\r\n', 'x'.repeat(1024)],
  ])('%j is read as %j', async (contents, expected) => {
    const file = join(tempDir(), 'pw');
    writeFileSync(file, contents, { mode: 0o600 });
    const { secret, warning } = await readPassphrase(fromFile(file));
    expect(shown(secret)).toBe(expected);
    expect(warning).toBeUndefined();
  });

  it.each(['', '\n', '\r\n', '\nhunter22\n', 'x'.repeat(1025), 'x'.repeat(5000) + '\n'])('is refused without a usable first line', async (contents) => {
    const file = join(tempDir(), 'pw');
    writeFileSync(file, contents, { mode: 0o600 });
    expect((await rejection(readPassphrase(fromFile(file)))).code).toBe('E_USAGE');
  });

  it.runIf(posix)('warns when others can read it; follows links, reads pipes', async () => {
    const dir = tempDir();
    const file = join(dir, 'pw');
    writeFileSync(file, 'hunter22\n');
    chmodSync(file, 0o640);
    symlinkSync(file, join(dir, 'link'));
    expect((await readPassphrase(fromFile(join(dir, 'link')))).warning).toContain('(mode 0640): chmod 600');
    spawnSync('mkfifo', [join(dir, 'pipe')]);
    const feeder = spawn('sh', ['-c', `echo hunter22 > ${join(dir, 'pipe')}`]);
    expect(shown((await readPassphrase(fromFile(join(dir, 'pipe')))).secret)).toBe('hunter22');
    await once(feeder, 'close');
  });

  it('a new one is judged', async () => {
    const file = join(tempDir(), 'pw');
    writeFileSync(file, 'seven77\n', { mode: 0o600 });
    expect((await readPassphrase(fromFile(file, true))).warning).toContain('fewer than 8 characters');
    expect((await readPassphrase(fromFile(file))).warning).toBeUndefined();
    expect(shown((await readPassphrase(fromFile(file))).secret)).toBe('seven77');
  });

  it('that is absent, or given together with a descriptor, is refused', async () => {
    expect((await rejection(readPassphrase(fromFile(join(tempDir(), 'none'))))).code).toBe('E_IO');
    expect((await rejection(readPassphrase(fromFile(tempDir())))).code).toBe('E_IO');
    expect((await rejection(readPassphrase({ ...fromFile('x'), fd: 3 }))).code).toBe('E_USAGE');
  });
});

describe('from a descriptor', () => {
  it('reads one line and not a byte more', async () => {
    const file = join(tempDir(), 'pw');
    writeFileSync(file, 'hunter22\nthe rest');
    const fd = openSync(file, 'r');
    const { secret } = await readPassphrase({ ...fromFile(''), file: undefined, fd });
    const rest = Buffer.alloc(20);
    expect(shown(secret)).toBe('hunter22');
    expect(rest.toString('utf8', 0, readSync(fd, rest))).toBe('the rest');
    closeSync(fd);
  });

  it('that is not open is a usage error', async () => {
    expect((await rejection(readPassphrase({ ...fromFile(''), file: undefined, fd: 4321 }))).code).toBe('E_USAGE');
  });
});

describe('at a terminal', () => {
  it('is typed in raw mode without echo', async () => {
    const terminal = new Terminal();
    const { secret } = await readPassphrase(terminal.request(false, 'hunter22\r'));
    expect(shown(secret)).toBe('hunter22');
    expect(terminal.screen).toBe('Passphrase: \n');
    expect(terminal.modes).toEqual([true, false]);
    expect(terminal.listenerCount('data')).toBe(0);
  });

  it.each([
    ['hunter2x\x7f2\r', 'hunter22'],
    ['\x7f\x7fhunter22\n', 'hunter22'],
    ['hunter2🔑\x082\r', 'hunter22'],
    ['mistake\x15hunter22\r', 'hunter22'],
    ['hunt\x1b[D\x1b[3~\x1bOP\x1bxer22\r', 'hunter22'],
    ['\x1b[200~hunter22\x1b[201~\r', 'hunter22'],
    ['hunter22\x04', 'hunter22'],
    ['hunt\x00\x1aer22\r', 'hunter22'],
    ['hunter22\rdropped\r', 'hunter22'],
  ])('keys %j give %j', async (keys, expected) => {
    expect(shown((await readPassphrase(new Terminal().request(false, keys))).secret)).toBe(expected);
  });

  it.each(['\x03', 'hunter22\x03', '\x04', 'hunter\x1b[\x03'])('keys %j interrupt, and restore the terminal', async (keys) => {
    const terminal = new Terminal();
    expect((await rejection(readPassphrase(terminal.request(false, keys)))).code).toBe('E_INTERRUPTED');
    expect(terminal.isRaw).toBe(false);
  });

  it('that is closed interrupts; too long a line is refused', async () => {
    const terminal = new Terminal();
    const request = terminal.request(false);
    setImmediate(() => terminal.end('hunt'));
    expect((await rejection(readPassphrase(request))).code).toBe('E_INTERRUPTED');
    expect((await rejection(readPassphrase(new Terminal().request(false, 'x'.repeat(1025))))).code).toBe('E_PASSPHRASE');
    expect(shown((await readPassphrase(new Terminal().request(false, `${'x'.repeat(1024)}\r`))).secret)).toHaveLength(1024);
  });

  it('a new one is typed twice, with one redo', async () => {
    const ask = (...keys: string[]): Promise<{ secret: Secret }> => readPassphrase(new Terminal().request(true, ...keys));
    expect(shown((await ask('hunter22\r', 'hunter22\r')).secret)).toBe('hunter22');
    expect(shown((await ask('hunter22\r', 'hunter23\r', 'hunter24\r', 'hunter24\r')).secret)).toBe('hunter24');
    expect(shown((await ask('short\r', 'hunter24\r', 'hunter24\r')).secret)).toBe('hunter24');
    expect((await rejection(ask('hunter22\r', 'hunter23\r', 'hunter22\r', 'hunter23\r'))).code).toBe('E_PASSPHRASE');
    expect((await rejection(ask('hunter22\r', 'hunter23\r', 'short\r'))).code).toBe('E_PASSPHRASE');
    expect((await rejection(ask('hunter22\r', '\x03'))).code).toBe('E_INTERRUPTED');
  });

  it('that is not there needs a person, and names the question', async () => {
    const error = await rejection(readPassphrase({ ...fromFile(''), file: undefined }));
    expect([error.code, error.facts.field]).toEqual(['E_PERSON', 'passphrase']);
  });

  const hasScript = spawnSync('script', ['--version']).status === 0;
  it.runIf(process.platform === 'linux' && hasScript)('a real one shows nothing of it', async () => {
    const dir = newDir();
    const asker = await bundle('asker', dir);
    const child = spawn('script', ['-qfec', `${process.execPath} ${asker}; stty -a`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let screen = '';
    const keys = ['hunter22\r', 'hunter22\r'];
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
      if (/(?:Passphrase|again): $/.test(screen)) child.stdin.write(keys.shift() ?? '');
    });
    await once(child, 'close');
    rmSync(dir, { recursive: true });
    expect(screen).toContain('LENGTH=8');
    expect(screen).not.toContain('hunter');
    expect(screen).not.toContain('*');
    expect(screen).toMatch(/ icanon .*| echo /);
    expect(screen).not.toContain('-icanon');
  });
});

describe('passphraseFault', () => {
  it('counts characters, not bytes', () => {
    expect(passphraseFault(utf8('1234567'))).toContain('8 characters');
    expect(passphraseFault(utf8('12345678'))).toBeUndefined();
    expect(passphraseFault(utf8('üüüäää'))).toContain('8 characters');
    expect(passphraseFault(utf8('grüßefuß'))).toBeUndefined();
    expect(passphraseFault(utf8('aaaaaaaaaaaa'))).toContain('repeated');
    expect(passphraseFault(new Uint8Array(0))).toContain('8 characters');
  });
});

describe('HiddenLine', () => {
  it('takes any bytes in any order', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const line = new HiddenLine();
        for (const byte of bytes) if (line.push(byte) !== 'more') break;
        expect(line.secret().use((b) => b.length)).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
