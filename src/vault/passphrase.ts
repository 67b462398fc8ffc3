/**
 * The passphrase: from a file, from an open file descriptor, or typed without echo. Never from an argument or the
 * environment, where every process of the user can read it. It stays in bytes: strings cannot be wiped.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { equalBytes } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { HiddenLine, MAX_LINE } from './hidden-line.ts';
import { errnoOf, onFile } from './io-error.ts';
import { Secret } from './secret.ts';

const MIN_CHARACTERS = 8;

/** The part of `process.stdin` that is used. */
export type TerminalInput = Pick<NodeJS.ReadStream, 'isTTY' | 'isRaw' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;

export interface PassphraseRequest {
  /** Path of a file whose first line is the passphrase; it may be a pipe. */
  readonly file?: string | undefined;
  /** Number of an open file descriptor, read up to the first line end and not further. */
  readonly fd?: number | undefined;
  /** A new passphrase: typed twice at a terminal and judged there by {@link passphraseFault}; a weak one of a script is warned of. */
  readonly confirm?: boolean;
  /** What the terminal shows, without colon. */
  readonly prompt: string;
  readonly stdin: TerminalInput;
  readonly stderr: { write(text: string): unknown };
}

export interface Passphrase {
  /** The caller wipes it. */
  readonly secret: Secret;
  /** A sentence for the screen, when others can read the file. */
  readonly warning?: string;
}

/** Why bytes will not do as a new passphrase, or undefined if they will. */
export function passphraseFault(bytes: Uint8Array): string | undefined {
  const characters = bytes.reduce((n, byte) => ((byte & 0xc0) === 0x80 ? n : n + 1), 0);
  if (characters < MIN_CHARACTERS) return `the passphrase has fewer than ${String(MIN_CHARACTERS)} characters`;
  if (bytes.every((byte) => byte === bytes[0])) return 'the passphrase is one character repeated';
  return undefined;
}

/**
 * Reads the passphrase from where the request says.
 * @throws E_USAGE when file or descriptor give no usable line; E_PERSON without any source and terminal;
 *   E_INTERRUPTED on Ctrl-C; E_PASSPHRASE when a new passphrase will not do, or was twice typed differently
 */
export async function readPassphrase(request: PassphraseRequest): Promise<Passphrase> {
  const { file, fd, confirm = false } = request;
  if (file !== undefined && fd !== undefined) fail('E_USAGE', 'the passphrase can come from a file or a descriptor, not both');
  if (file === undefined && fd === undefined) return { secret: await fromTerminal(request) };
  const given = file === undefined ? { secret: await firstLine(fd as number, `descriptor ${String(fd)}`) } : await fromFile(file);
  // a script's passphrase was chosen elsewhere: say that it is weak, and leave the decision there
  const fault = confirm ? given.secret.use(passphraseFault) : undefined;
  if (fault !== undefined) return { ...given, warning: [given.warning, `${fault}; whoever copies this home can guess it`].filter((w) => w !== undefined).join('; ') };
  return given;
}

// Not through Disk: it may be a link or a pipe, it belongs to the operator, and it is not state of the program.
async function fromFile(file: string): Promise<Passphrase> {
  const fd = onFile('read', file, () => openSync(file, constants.O_RDONLY));
  try {
    const stat = fstatSync(fd);
    const mode = stat.mode & 0o777;
    const exposed = stat.isFile() && process.platform !== 'win32' && (mode & 0o077) !== 0;
    const secret = await firstLine(fd, file);
    if (!exposed) return { secret };
    return { secret, warning: `other users can read ${file} (mode ${mode.toString(8).padStart(4, '0')}): chmod 600 ${file}` };
  } finally {
    closeSync(fd);
  }
}

/** Reads one byte at a time: what follows the line in a shared descriptor belongs to somebody else. */
async function firstLine(fd: number, source: string): Promise<Secret> {
  const line = new Uint8Array(MAX_LINE + 1);
  const one = new Uint8Array(1);
  let length = 0;
  try {
    while (await readByte(fd, one, source)) {
      const byte = one[0] as number;
      if (byte === 0x0a) break;
      if (length === line.length) fail('E_USAGE', `the passphrase in ${source} is longer than ${String(MAX_LINE)} bytes`);
      line[length++] = byte;
    }
    if (length > 0 && line[length - 1] === 0x0d) length -= 1;
    if (length > MAX_LINE) fail('E_USAGE', `the passphrase in ${source} is longer than ${String(MAX_LINE)} bytes`);
    if (length === 0) fail('E_USAGE', `there is no passphrase in the first line of ${source}`);
    return new Secret(line.slice(0, length));
  } finally {
    line.fill(0);
    one.fill(0);
  }
}

async function readByte(fd: number, into: Uint8Array, source: string): Promise<boolean> {
  for (;;) {
    try {
      return readSync(fd, into, 0, 1, null) === 1;
    } catch (cause) {
      const errno = errnoOf(cause);
      if (errno === 'EOF') return false; // Windows, at the end of a pipe
      if (errno === 'EBADF') throw new CeremonyError('E_USAGE', `${source} is not open for reading`, { cause });
      if (errno !== 'EAGAIN')
        return onFile('read', source, () => {
          throw cause;
        });
    }
    await pause(20); // an empty pipe in non-blocking mode
  }
}

async function fromTerminal(request: PassphraseRequest): Promise<Secret> {
  const { stdin, stderr, prompt } = request;
  if (!stdin.isTTY)
    fail('E_PERSON', 'the passphrase must be typed, and there is no terminal', {
      field: 'passphrase',
      remedy: 'run it at a terminal, or give --passphrase-file or --passphrase-fd',
    });
  if (request.confirm !== true) return typed(stdin, stderr, prompt);
  for (let attempt = 1; ; attempt++) {
    const first = await typed(stdin, stderr, prompt);
    let fault = first.use(passphraseFault);
    if (fault === undefined) {
      const second = await typed(stdin, stderr, 'The same again');
      if (first.use((a) => second.use((b) => equalBytes(a, b)))) {
        second.wipe();
        return first;
      }
      second.wipe();
      fault = 'the two passphrases differ';
    }
    first.wipe();
    if (attempt === 2) fail('E_PASSPHRASE', fault, { field: 'passphrase', remedy: 'repeat the command' });
    stderr.write(`${fault}; once more\n`);
  }
}

/** One hidden line. What was pasted after its end is dropped: it must not answer the next question. */
function typed(stdin: TerminalInput, stderr: PassphraseRequest['stderr'], prompt: string): Promise<Secret> {
  return new Promise((resolve, reject) => {
    const line = new HiddenLine();
    const wasRaw = stdin.isRaw;
    const finish = (result: Secret | CeremonyError): void => {
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.off('error', onEnd);
      stdin.pause();
      stdin.setRawMode(wasRaw);
      line.wipe();
      stderr.write('\n');
      if (result instanceof Secret) resolve(result);
      else reject(result);
    };
    const onEnd = (): void => {
      finish(new CeremonyError('E_INTERRUPTED', 'the terminal was closed', { field: 'passphrase' }));
    };
    const onData = (chunk: Buffer): void => {
      for (const byte of chunk) {
        const state = line.push(byte);
        if (state === 'more') continue;
        if (state === 'complete') finish(line.secret());
        else if (state === 'interrupted') finish(new CeremonyError('E_INTERRUPTED', 'interrupted', { field: 'passphrase' }));
        else finish(new CeremonyError('E_PASSPHRASE', `longer than ${String(MAX_LINE)} bytes`, { field: 'passphrase' }));
        break;
      }
      chunk.fill(0);
    };
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    stdin.on('error', onEnd);
    stderr.write(`${prompt}: `);
    stdin.resume();
  });
}
