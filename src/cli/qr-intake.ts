/**
 * A person brings codes in at the terminal: a USB scanner types them, files are named by their path, the camera looks, or a
 * browser's page gives a file. One line says how far it is. The keyboard is taken key by key, since a scanner types more than
 * a line of a terminal holds, and nobody wants to see that.
 */
import { Breath } from '../qr/breath.ts';
import { defaultCamera, framesOfVideo } from '../qr/read-video.ts';
import { codesInFile } from '../qr/read-file.ts';
import { codesInPixels } from '../qr/read-image.ts';
import { codesInText } from '../qr/typed.ts';
import type { Disk } from '../vault/durable.ts';
import { CeremonyError } from '../wire/errors.ts';
import { visible } from '../wire/visible.ts';
import type { Received, Receiver } from './qr-scan.ts';
import { filesAt, typedPath, wholeMessage } from './qr-sources.ts';
import { interrupted, isInterrupt, oneLine, type Terminal } from './terminal.ts';
import { wrap } from './output.ts';

/** How it ended: a message was taken, a person leaves, or wants its own codes shown again. */
export type IntakeEnd = 'taken' | 'left' | 'show';

export interface IntakeOptions {
  readonly disk: Disk;
  /** What is to come in, in one sentence. */
  readonly title: string;
  /** Whether there are codes of one's own to show again. */
  readonly canShow: boolean;
  /** The camera to use; the first one of the machine, if not given. */
  readonly camera?: string | undefined;
  /** Begin with the camera. */
  readonly watch?: boolean;
  /** Makes the scan page and gives its path. */
  readonly makePage: () => Promise<string>;
}

/** Longest line that is taken, characters: more than the largest code holds. */
const MAX_TYPED = 16_384;
const COLUMNS = 80;

/** A scanner whose keyboard layout is not the machine's types other signs for those between the letters. */
const OTHER_LAYOUT = /^[A-Z]{2}[^A-Z:][A-Z]{5}[^A-Z/]/i;

/** Lines that a keyboard or a scanner types; keys come in, whole lines go out. */
export class TypedLines {
  #line = '';

  get line(): string {
    return this.#line;
  }
  /** Whether what is being typed is a code. */
  get isCode(): boolean {
    return /^ur:/i.test(this.#line);
  }

  /** Takes a key. @returns the line that it ended */
  key(key: string): string | undefined {
    // scanners end what they type with Enter, or with Tab
    if (key === '\r' || key === '\n' || (key === '\t' && this.isCode)) {
      const line = this.#line;
      this.#line = '';
      return line;
    }
    if (key === '\x7f' || key === '\b') this.#line = [...this.#line].slice(0, -1).join('');
    else if (key === '\x15') this.#line = '';
    else if (key >= ' ' && this.#line.length < MAX_TYPED) this.#line += key;
    return undefined;
  }
}

/** One line at the foot of what was said so far, drawn again and again. */
class ProgressLine {
  readonly #terminal: Terminal;
  #shown = '';
  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }
  show(text: string): void {
    const line = oneLine(text, this.#terminal.columns - 1);
    if (line === this.#shown) return;
    this.#shown = line;
    this.#terminal.write(`\r\x1b[K${line}`);
  }
  /** Says something above it. */
  say(text: string): void {
    this.#terminal.write(`\r\x1b[K${visible(text)}\n`);
    const again = this.#shown;
    this.#shown = '';
    if (again !== '') this.show(again);
  }
  /** Leaves the line, or takes it away when it says nothing any more. */
  end(keep: boolean): void {
    if (this.#shown !== '') this.#terminal.write(keep ? '\n' : '\r\x1b[K');
    this.#shown = '';
  }
}

function introduction({ title, canShow }: IntakeOptions, begun: string | undefined): string[] {
  return [
    ...wrap(`SCAN_QR  ${title}`, COLUMNS).split('\n'),
    '  USB scanner     point it at the codes, one after the other',
    '  file            type the path of a photo, screenshot, GIF or video, then Enter',
    '  c Enter         the camera of this machine; another one: c /dev/video2 Enter',
    '  p Enter         a page for a browser that has a camera',
    ...(canShow ? ['  s Enter         show my own codes again'] : []),
    '  q Enter         leave; what was scanned is remembered',
    ...(begun === undefined ? [] : [`Going on with an earlier scan: ${begun}`]),
  ];
}

/**
 * Takes codes until a message is complete and taken, or the person leaves.
 * @throws E_INTERRUPTED on Ctrl-C, or when the terminal goes away
 */
export async function intake(terminal: Terminal, receiver: Receiver, options: IntakeOptions): Promise<IntakeEnd> {
  const { scan } = receiver;
  const line = new ProgressLine(terminal);
  const typed = new TypedLines();
  const lines: string[] = options.watch === true ? ['c'] : [];
  let wake: (() => void) | undefined;
  let stopped: CeremonyError | undefined;
  // what reads a file looks at it between two frames or codes, and ffmpeg is ended by it
  const stop = new AbortController();
  const breath = new Breath();
  const halt = (why: CeremonyError): void => {
    stopped ??= why;
    stop.abort();
  };
  const stir = (): void => {
    wake?.();
    wake = undefined;
  };
  /** Until a line was typed or the session was stopped. */
  const stirred = (): Promise<void> =>
    new Promise((resolve) => {
      if (lines.length > 0 || stopped) resolve();
      else wake = resolve;
    });
  let doing = '';
  let introduced = false;
  const draw = (): void => {
    if (!introduced) return;
    const { line: text } = typed;
    line.show(typed.isCode ? 'reading a code …' : text !== '' ? `> ${text.length > 76 ? `…${text.slice(-75)}` : text}` : `${doing}${scan.words}`);
  };
  const release = terminal.keys(
    (key) => {
      if (isInterrupt(key)) halt(interrupted());
      else {
        const whole = typed.key(key);
        if (whole !== undefined && whole.trim() !== '') lines.push(whole.trim());
        else if (whole !== undefined && doing !== '') lines.push('');
        draw();
      }
      if (lines.length > 0 || stopped) stir();
    },
    () => {
      halt(interrupted('the terminal was closed'));
      stir();
    },
  );

  const complain = (e: CeremonyError): void => {
    const { remedy } = e.facts;
    line.say(wrap(`! ${e.message}${remedy === undefined ? '' : `. ${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`}`, COLUMNS));
  };
  const judged = ({ refused, accepted }: Omit<Received, 'taken'>): boolean => {
    if (refused) complain(refused);
    draw();
    return accepted > 0;
  };

  const takeCode = async (text: string): Promise<boolean> => {
    const codes = codesInText(text);
    let accepted = false;
    for (const code of codes) {
      await breath.draw();
      if (stopped) break;
      const received = await receiver.take(code);
      if (received.taken === 'damaged') line.say(wrap(`! that code was not taken: ${scan.lastRefusal ?? 'damaged'}. Scan it again.`, COLUMNS));
      accepted = judged(received) || accepted;
    }
    // what a person scans by hand is worth the most; what is pasted comes at once
    if (lines.length === 0) scan.save();
    return accepted;
  };

  const takeFile = async (path: string): Promise<boolean> => {
    let accepted = false;
    let found = 0;
    for (const file of filesAt(options.disk, typedPath(path))) {
      await breath.draw();
      if (stopped) break;
      doing = 'reading the file: ';
      draw();
      const whole = wholeMessage(options.disk, file);
      if (whole) {
        found += 1;
        const error = await receiver.give(whole);
        if (error === undefined) accepted = true;
        else if (error === 'again') line.say('That was taken before.');
        else complain(error);
        continue;
      }
      try {
        for await (const text of codesInFile(file, undefined, { signal: stop.signal })) {
          found += 1;
          accepted = judged(await receiver.take(text)) || accepted;
        }
      } catch (e) {
        // what was taken before the rest of a file turned out to be damaged, or too much, was taken
        if (!accepted || !(e instanceof CeremonyError)) throw e;
        complain(e);
      }
    }
    if (found === 0 && !stopped) line.say(wrap('! No code was found there. Take the picture again: closer, sharp, with the whole code in view.', COLUMNS));
    scan.save();
    return accepted;
  };

  const watch = async (named: string | undefined): Promise<boolean> => {
    const camera = named ?? options.camera ?? defaultCamera();
    line.say(`The camera ${camera} looks. Hold the codes so that they fill its view. Enter ends it.`);
    doing = 'camera: ';
    draw();
    const closed = new AbortController();
    const frames = framesOfVideo({ camera }, { signal: closed.signal });
    try {
      for (;;) {
        const next = await Promise.race([frames.next(), stirred().then(() => 'stirred' as const)]);
        if (next === 'stirred' || next.done === true) return false;
        for (const text of await codesInPixels(next.value, 'moving')) if (judged(await receiver.take(text))) return true;
      }
    } finally {
      scan.save();
      // a camera that gives no more pictures must not hold up the way out: return() alone would wait for the next one
      closed.abort();
      void frames.return().catch(() => undefined);
    }
  };

  const page = async (): Promise<void> => {
    const file = await options.makePage();
    line.say(
      wrap(`The page lies in ${file}. Open it in a browser on this machine (it needs no network) and let it use the camera. At the end it saves a file scan-….parcel, mostly in Downloads: type the path of that file here.`, COLUMNS),
    );
  };

  try {
    // a remembered scan may have been complete already
    const settled = await receiver.settle(stop.signal);
    if (settled.accepted > 0) return 'taken';
    if (stopped) throw stopped as CeremonyError;
    for (const text of introduction(options, scan.begun ? scan.words : undefined)) terminal.write(`${visible(text)}\n`);
    introduced = true;
    for (;;) {
      doing = '';
      draw();
      await stirred();
      await breath.draw();
      if (stopped) throw stopped;
      const text = lines.shift() ?? '';
      if (text === '') continue;
      const command = text.toLowerCase();
      if (command === 'q') return 'left';
      if (command === 's' && options.canShow) return 'show';
      try {
        let accepted = false;
        if (command === 'p') await page();
        else if (command === 'c' || text.startsWith('c /dev/')) accepted = await watch(text.slice(2).trim() || undefined);
        else if (/^ur:/i.test(text)) accepted = await takeCode(text);
        else if (OTHER_LAYOUT.test(text) && text.length > 30)
          line.say(wrap(`! The scanner types "${text.slice(0, 10)}": its keyboard layout is not the one of this machine. Set both to the same (US English), and scan again.`, COLUMNS));
        else accepted = await takeFile(text);
        if (accepted) return 'taken';
      } catch (e) {
        if (!(e instanceof CeremonyError) || e.code === 'E_INTERRUPTED') throw e;
        complain(e);
      }
      if (stopped) throw stopped as CeremonyError;
    }
  } finally {
    release();
    line.end(scan.facts.have > 0);
    scan.save();
  }
}
