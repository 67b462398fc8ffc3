/**
 * A real terminal emulator: xterm on a screen in memory (Xvfb), what stands in it as a picture, and the programs of other
 * people that read codes. A program that is not installed is an error that names its Debian package, never a skipped test.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PACKAGES = {
  Xvfb: 'xvfb',
  xterm: 'xterm',
  xwd: 'x11-apps',
  convert: 'imagemagick',
  zbarimg: 'zbar-tools',
  gs: 'ghostscript',
  bash: 'bash',
} as const;

/** The path of a program that a test needs. @throws if it is not there, naming the package that has it */
export function tool(name: keyof typeof PACKAGES): string {
  const path = (process.env['PATH'] ?? '').split(delimiter).map((d) => join(d, name)).find((p) => existsSync(p));
  if (path === undefined) throw new Error(`${name} is missing: this test needs the Debian package ${PACKAGES[name]} (apt-get install ${PACKAGES[name]})`);
  return path;
}

/** What zbarimg reads from a picture: the texts of all codes in it, none if there are none. @throws if zbarimg itself fails */
export function zbar(...pictures: readonly string[]): string[] {
  const run = spawnSync(tool('zbarimg'), ['--quiet', '--raw', '--nodbus', '-Sdisable', '-Sqrcode.enable', ...pictures], { encoding: 'utf8', maxBuffer: 1 << 26 });
  // 4: no code found in some picture
  if (run.status !== 0 && run.status !== 4) throw new Error(`zbarimg: ${run.error?.message ?? run.stderr}`);
  return run.stdout.split('\n').filter((l) => l !== '');
}

/** Runs ImageMagick's convert on public test pictures. */
export function convert(...args: readonly string[]): void {
  execFileSync(tool('convert'), args);
}

/** Colours of a terminal: X colour names or #rrggbb, and the sixteen named colours where a theme changes them. */
export interface Theme {
  readonly background: string;
  readonly foreground: string;
  readonly palette?: readonly string[];
}

const SOLARIZED = ['073642', 'dc322f', '859900', 'b58900', '268bd2', 'd33682', '2aa198', 'eee8d5', '002b36', 'cb4b16', '586e75', '657b83', '839496', '6c71c4', '93a1a1', 'fdf6e3'].map((c) => `#${c}`);

/** Themes that people have: the usual ones, a dark and a light one that change all named colours, and one nobody should have. */
export const THEMES = {
  dark: { background: 'black', foreground: 'white' },
  light: { background: 'white', foreground: 'black' },
  solarizedDark: { background: '#002b36', foreground: '#839496', palette: SOLARIZED },
  solarizedLight: { background: '#fdf6e3', foreground: '#657b83', palette: SOLARIZED },
  allGrey: { background: '#777777', foreground: '#777777', palette: Array.from({ length: 16 }, () => '#777777') },
} as const satisfies Record<string, Theme>;

/** Size and colours of a terminal. */
export interface TerminalShape {
  readonly columns: number;
  readonly rows: number;
  readonly theme: Theme;
}

/** A cursor position, from 1. */
export interface Cursor {
  readonly row: number;
  readonly column: number;
}

// Shows each file named on the pipe and asks where the cursor is, twice: the second answer comes only after the emulator
// has gone through its loop once more, which sends what it has drawn to the screen.
const SHOW = `
stty -icanon -echo min 1
stty size > "$1/size"
exec 3<> "$1/pipe"
while read -r name <&3; do
  cat "$1/$name"
  for turn in 1 2; do
    printf '\\033[6n'
    IFS= read -rsdR reply
  done
  printf '%s' "\${reply#*[}" > "$1/reply"
  mv "$1/reply" "$1/$name.seen"
done
`;

async function waitFor<T>(what: string, look: () => T | undefined): Promise<T> {
  for (let turn = 0; turn < 3000; turn++) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error(`the terminal emulator: ${what} did not come within 30 seconds`);
}

/** A file's text once it is there and not empty. */
const textOf = (path: string): string | undefined => {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text === '' ? undefined : text;
};

/** A picture of the screen: a file (PGM) for other programs, and its pixels, a byte each. */
export interface Picture {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
}

/** The pixels of an X window dump with 32 bits a pixel (blue, green, red, nothing), as brightness. */
function grayOf(dump: Buffer): Omit<Picture, 'path'> {
  const field = (n: number): number => dump.readUInt32BE(4 * n);
  const [head, width, height, bits, stride, colours] = [field(0), field(4), field(5), field(11), field(12), field(19)];
  if (bits !== 32) throw new Error(`xwd: ${String(bits)} bits a pixel`);
  const gray = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = head + 12 * colours + y * stride + 4 * x;
      gray[y * width + x] = (dump.readUInt8(at) + 5 * dump.readUInt8(at + 1) + 2 * dump.readUInt8(at + 2)) >> 3;
    }
  return { width, height, gray };
}

/** One xterm. */
export class Terminal {
  readonly #display: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #shown = 0;

  constructor(display: string, folder: string, shape: TerminalShape) {
    this.#display = display;
    this.#folder = folder;
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(join(folder, 'show.sh'), SHOW);
    const { columns, rows, theme } = shape;
    const palette = (theme.palette ?? []).flatMap((colour, i) => ['-xrm', `XTerm*color${String(i)}: ${colour}`]);
    this.#process = spawn(
      tool('xterm'),
      ['-display', display, '-geometry', `${String(columns)}x${String(rows)}+0+0`, '-fa', 'DejaVu Sans Mono', '-fs', '9', '-bg', theme.background, '-fg', theme.foreground,
        '-b', '0', '-bw', '0', '+sb', '-u8', '-xrm', 'XTerm*waitForMap: true', '-xrm', 'XTerm*cursorBlink: false', ...palette, '-e', tool('bash'), join(folder, 'show.sh'), folder],
      { stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C.UTF-8' } },
    );
  }

  /** Rows and columns as a program in the terminal sees them. */
  async size(): Promise<string> {
    return (await waitFor('its size', () => textOf(join(this.#folder, 'size')))).trim();
  }

  /** Clears the terminal, shows a text (line ends as a program writes them), and says where the cursor then is. */
  async show(text: string): Promise<Cursor> {
    const name = `text-${String((this.#shown += 1))}`;
    writeFileSync(join(this.#folder, name), `\x1b[0m\x1b[2J\x1b[H${text}`);
    await this.size();
    writeFileSync(join(this.#folder, 'pipe'), `${name}\n`);
    const reply = await waitFor('an answer', () => textOf(join(this.#folder, `${name}.seen`)));
    const [row, column] = reply.split(';').map(Number);
    return { row: row ?? 0, column: column ?? 0 };
  }

  /** What the screen shows, once it stands still. */
  async picture(): Promise<Picture> {
    const shot = (): Buffer => execFileSync(tool('xwd'), ['-silent', '-root', '-display', this.#display], { maxBuffer: 1 << 26 });
    let last = shot();
    await waitFor('a picture that stands still', () => {
      const next = shot();
      const still = next.equals(last);
      last = next;
      return still ? true : undefined;
    });
    const { width, height, gray } = grayOf(last);
    const path = join(this.#folder, `picture-${String(this.#shown)}.pgm`);
    writeFileSync(path, Buffer.concat([Buffer.from(`P5 ${String(width)} ${String(height)} 255\n`), gray]));
    return { path, width, height, gray };
  }

  close(): void {
    this.#process.kill();
  }
}

/** A screen in memory, on which terminals are opened one after the other. */
export class Screen {
  readonly #display: string;
  readonly #process: ChildProcess;
  readonly #root: string;
  #terminals = 0;
  #open: Terminal | undefined;

  private constructor(display: string, process: ChildProcess) {
    this.#display = display;
    this.#process = process;
    this.#root = mkdtempSync(join(tmpdir(), 'screen-'));
  }

  /** Starts the screen: 1000 × 720 pixels, enough for 120 × 40 characters. @throws naming the package of a program that is missing */
  static async open(): Promise<Screen> {
    for (const name of ['xterm', 'xwd', 'bash'] as const) tool(name);
    const server = spawn(tool('Xvfb'), ['-displayfd', '3', '-screen', '0', '1000x720x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    // also when a test runner ends this process early
    process.once('exit', () => server.kill());
    let said = '';
    server.stdio[3]?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await waitFor('the screen (Xvfb)', () => (said.endsWith('\n') ? true : undefined));
    return new Screen(`:${said.trim()}`, server);
  }

  /** Opens a terminal and closes the one before. */
  terminal(shape: TerminalShape): Terminal {
    this.#open?.close();
    const folder = mkdtempSync(join(this.#root, `terminal-${String((this.#terminals += 1))}-`));
    return (this.#open = new Terminal(this.#display, folder, shape));
  }

  close(): void {
    this.#open?.close();
    this.#process.kill();
    rmSync(this.#root, { recursive: true, force: true });
  }
}
