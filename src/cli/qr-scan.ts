/**
 * Parts of messages as they come from codes, and what of them is remembered between two commands: the texts of the codes
 * themselves, one a line, in a file beside what they will become. Codes are shown to a room; nothing here is secret.
 */
import { basename, dirname } from 'node:path';
import { Breath } from '../qr/breath.ts';
import { wrapBytes } from '../qr/cbor-part.ts';
import { crc32 } from '../qr/crc32.ts';
import { headerKey } from '../qr/gathering.ts';
import { MAX_FRAGMENT, MAX_PARTS, MAX_PAYLOAD, type Taken, UrReader } from '../qr/ur.ts';
import { readPart } from '../qr/ur-part.ts';
import type { Disk } from '../vault/durable.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';

const LIMITS = { type: 'bytes', parts: MAX_PARTS, fragment: MAX_FRAGMENT, payload: MAX_PAYLOAD };
/** Most that is remembered, characters: a message of 4 MB, and parts of others. */
const MAX_REMEMBERED = 12 * 1024 * 1024;
/** Most codes that are taken up from a file, the last ones: they are of the message that the scan was after. */
const MAX_CODES = 4 * MAX_PARTS;
/** Messages whose codes are remembered: as many as are gathered at the same time. */
const MAX_MESSAGES = 4;
const MAX_SPURNED = 64;
/** After so many new codes of a camera or a video the file is written again. */
const SAVE_EVERY = 16;
const HEAD = '# mpc-ceremony: codes scanned so far; mpc-ceremony qr scan goes on with them. Nothing secret. Removed when complete.';

/** How far a scan is. */
export interface ScanFacts {
  /** Codes that the message needs; 0 before the first. */
  readonly parts: number;
  readonly have: number;
  readonly missing: number;
  /** Codes seen of other messages that are not complete either. */
  readonly foreign: number;
  /** Texts that were misread, forged or no codes of this program. */
  readonly damaged: number;
}

export class Scan {
  readonly #reader = new UrReader();
  readonly #memory: ScanMemory | undefined;
  /** Texts by message and number, upper case; the last seen message at the end. */
  readonly #texts = new Map<string, Map<number, string>>();
  /** Messages that were complete and not wanted: the reader takes them again, since somebody may have forged one, but nobody is asked for the rest of them. */
  readonly #spurned = new Set<string>();
  #current: string | undefined;
  /** Texts from the file that were not looked at yet. */
  #remembered: readonly string[];
  #damaged = 0;
  #unsaved = 0;

  /** @param memory where codes are remembered, and what was remembered is taken up from: see {@link recall} */
  constructor(memory?: ScanMemory) {
    this.#memory = memory;
    this.#remembered = memory?.load() ?? [];
  }

  /**
   * Takes up what was remembered, in pieces: somebody else may have written the file, and it takes seconds then.
   * @param signal ends it; what was not taken up stays remembered
   */
  async recall(signal?: AbortSignal): Promise<void> {
    if (this.#remembered.length === 0) return;
    const damaged = this.#damaged;
    const breath = new Breath();
    for (const [at, text] of this.#remembered.entries()) {
      await breath.draw();
      if (signal?.aborted === true) {
        this.#remembered = this.#remembered.slice(at);
        return;
      }
      this.#feed(text);
    }
    this.#remembered = [];
    this.#damaged = damaged;
  }

  /** Whether anything is held already of a message that is not complete. */
  get begun(): boolean {
    return this.facts.have > 0;
  }

  /** Takes the text of a code, or anything else that a scanner gives. Never throws on the text. */
  take(text: string): Taken {
    const taken = this.#feed(text);
    if (taken === 'new' && ++this.#unsaved >= SAVE_EVERY) this.save();
    return taken;
  }

  #feed(text: string): Taken {
    const taken = this.#reader.take(text);
    const part = readPart(text, LIMITS);
    if ('refused' in part) {
      if (taken === 'damaged') this.#damaged += 1;
      return taken;
    }
    const key = headerKey(part);
    if (taken === 'damaged') {
      // a part that contradicts the others, or spoils them: what was remembered of the message holds a forged one
      this.#damaged += 1;
      this.#texts.delete(key);
      return taken;
    }
    if (taken === 'new' || taken === 'complete') this.#current = key;
    // nothing new of this message, or a message that was put away
    if (taken === 'known' || this.#spurned.has(key)) return taken;
    const texts = this.#texts.get(key) ?? new Map<number, string>();
    // of another message it is not known whether a code says anything new; so many are enough
    if (taken !== 'foreign' || texts.size < 2 * part.count + 16) texts.set(part.sequence, text.toUpperCase());
    this.#texts.delete(key);
    this.#texts.set(key, texts);
    for (const oldest of this.#texts.keys()) if (this.#texts.size > MAX_MESSAGES && oldest !== this.#current) this.#texts.delete(oldest);
    return taken;
  }

  /** Why the last text was not taken, in words. */
  get lastRefusal(): string | undefined {
    return this.#reader.lastRefusal;
  }

  /** Messages that are complete and not put away: the one that the scan is after, and others that were seen on the way. */
  get messages(): readonly Uint8Array[] {
    return this.#reader.messages;
  }
  /** The one that the scan is after, once it is complete. */
  get message(): Uint8Array | undefined {
    return this.#reader.message;
  }

  /** Nothing of this message is to be remembered any more, nor codes of it in another size, shown before somebody changed it. @param spurned nor in future */
  forget(message: Uint8Array, spurned: boolean): void {
    const payload = wrapBytes(message);
    const same = `/${String(payload.length)}/${String(crc32(payload))}/`;
    for (const key of this.#texts.keys()) {
      if (!key.includes(same)) continue;
      this.#texts.delete(key);
      if (spurned) this.#spurned.add(key);
    }
    for (const oldest of this.#spurned) if (this.#spurned.size > MAX_SPURNED) this.#spurned.delete(oldest);
  }

  /** Puts the complete message away that the scan is after. @param kept whether it was wanted; else it may come again */
  done(kept: boolean): void {
    this.#reader.putAway(kept);
    const { parts } = this.#reader.progress;
    this.#current = [...this.#texts.keys()].findLast((key) => key.startsWith(`${String(parts)}/`));
    this.save();
  }

  get facts(): ScanFacts {
    const spurned = this.#current !== undefined && this.#spurned.has(this.#current);
    const { parts, rank, missing } = spurned ? { parts: 0, rank: 0, missing: 0 } : this.#reader.progress;
    const foreign = [...this.#texts].reduce((n, [key, texts]) => (key === this.#current ? n : n + texts.size), 0);
    return { parts, have: rank, missing, foreign, damaged: this.#damaged };
  }

  /** How far it is, in one line. */
  get words(): string {
    return scanWords(this.facts);
  }

  /** Writes what is not complete where it is remembered; removes the file when there is nothing. */
  save(): void {
    this.#unsaved = 0;
    this.#memory?.store([...[...this.#texts.values()].flatMap((texts) => [...texts.values()]), ...this.#remembered]);
  }
}

/** "41 of 72 parts, 31 missing, 2 codes of another message, 1 damaged". */
export function scanWords({ parts, have, missing, foreign, damaged }: ScanFacts): string {
  return [
    parts === 0 ? 'no code yet' : `${String(have)} of ${String(parts)} parts, ${String(missing)} missing`,
    ...(foreign === 0 ? [] : [`${String(foreign)} code${foreign === 1 ? '' : 's'} of another message`]),
    ...(damaged === 0 ? [] : [`${String(damaged)} damaged`]),
  ].join(', ');
}

/**
 * The file in which codes are remembered. What cannot be read or written is told once and does not stop a scan; a file of that
 * name that is not ours stays as it is.
 */
export class ScanMemory {
  readonly file: string;
  readonly #disk: Disk;
  readonly #tell: (text: string) => void;
  #told = false;

  constructor(disk: Disk, file: string, tell: (text: string) => void) {
    this.#disk = disk;
    this.file = file;
    this.#tell = tell;
  }

  load(): string[] {
    const text = this.#try(() => this.#ours());
    return text === undefined ? [] : text.split('\n').filter((line) => line.startsWith('UR:')).slice(-MAX_CODES);
  }

  store(texts: readonly string[]): void {
    this.#try(() => {
      const there = this.#ours() !== undefined;
      if (texts.length === 0) {
        if (there) this.#disk.erase(this.file);
        return;
      }
      const text = `${[HEAD, ...texts].join('\n')}\n`;
      if (text.length > MAX_REMEMBERED) fail('E_TOO_LARGE', 'there are too many of them');
      this.#disk.makeDir(dirname(this.file), 0o755);
      this.#disk.write(this.file, new TextEncoder().encode(text), { mode: 0o644 });
    });
  }

  /** What is in the file, if there is one. @throws E_EXISTS for a file that does not begin as ours do, E_TOO_LARGE, E_IO */
  #ours(): string | undefined {
    const bytes = this.#disk.read(this.file, MAX_REMEMBERED);
    if (bytes === undefined) return undefined;
    const text = Buffer.from(bytes).toString('latin1');
    return text.startsWith(`${HEAD}\n`) ? text : fail('E_EXISTS', `${basename(this.file)} is there already and is no such file`, { file: this.file });
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      if (!this.#told) this.#tell(`! codes are not remembered for a further scan: ${e.message}`);
      this.#told = true;
      return undefined;
    }
  }
}

/** What became of a text: how many messages it completed that were wanted, and why one was not. */
export interface Received {
  readonly taken: Taken;
  readonly accepted: number;
  readonly refused?: CeremonyError;
}

/** Takes a complete message that nobody has judged; throws a CeremonyError for one that is not wanted here. */
export type Accept = (message: Uint8Array) => Promise<void>;

/** A scan whose complete messages go somewhere. */
export class Receiver {
  readonly scan: Scan;
  readonly #accept: Accept;
  /** Messages that were judged, by hash: a code may stand before the camera for a while. */
  readonly #judged = new Map<string, boolean>();

  constructor(scan: Scan, accept: Accept) {
    this.scan = scan;
    this.#accept = accept;
  }

  /** Takes the text of a code. @throws what is no judgement of a message: E_IO */
  async take(text: string): Promise<Received> {
    const taken = this.scan.take(text);
    return { taken, ...(await this.settle()) };
  }

  /** Gives on what is complete already: a remembered scan may be, which is taken up first. @param signal ends that */
  async settle(signal?: AbortSignal): Promise<Omit<Received, 'taken'>> {
    await this.scan.recall(signal);
    let accepted = 0;
    let refused: CeremonyError | undefined;
    for (const message of this.scan.messages) {
      const error = await this.give(message);
      if (error === undefined) accepted += 1;
      else if (error !== 'again') refused = error;
    }
    for (let message = this.scan.message; message; message = this.scan.message) this.scan.done(this.#judged.get(digestOf(message)) === true);
    if (accepted > 0) this.scan.save();
    return { accepted, ...(refused === undefined ? {} : { refused }) };
  }

  /** Gives on a message that came whole. @returns why it is not wanted; 'again' if it was judged before */
  async give(message: Uint8Array): Promise<CeremonyError | 'again' | undefined> {
    const digest = digestOf(message);
    if (this.#judged.has(digest)) return 'again';
    try {
      await this.#accept(message);
      this.#judged.set(digest, true);
      this.scan.forget(message, false);
      return undefined;
    } catch (e) {
      if (!(e instanceof CeremonyError) || e.code === 'E_IO') throw e;
      this.#judged.set(digest, false);
      this.scan.forget(message, true);
      return e;
    }
  }
}

const digestOf = (message: Uint8Array): string => toHex(sha256(message));
