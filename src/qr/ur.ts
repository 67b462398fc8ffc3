/**
 * Blockchain Commons UR (BCR-2020-005): a message as texts for codes, and back. A message that one code holds is one text;
 * otherwise there is no end of parts, and about as many as there are fragments bring the message back, whichever they are.
 * The checksums are against misreading only: what comes out is as unauthenticated as what came in.
 */
import { fail } from '../wire/errors.ts';
import { wrapBytes, type PartFields } from './cbor-part.ts';
import { crc32 } from './crc32.ts';
import { Fragments, LAST_SEQUENCE, Mixer, Showing } from './fountain.ts';
import { Gathering, headerKey } from './gathering.ts';
import { readPart, writePart, writeSingle, type PartLimits } from './ur-part.ts';

/** Most parts of a message: the figure up to which one frame costs milliseconds at most. */
export const MAX_PARTS = 4096;
/** Most bytes of a fragment: more than the densest code that a camera reads in motion carries. */
export const MAX_FRAGMENT = 1200;
/** Most bytes of a payload, which is a message and up to five bytes around it. */
export const MAX_PAYLOAD = 4_000_000;

/** A message as UR parts. */
export interface UrSender {
  /** Fragments of the message; 1 if it is one part. */
  readonly count: number;
  /**
   * The text of a part, upper case. Parts 1 to `count` suffice if none is lost; all later ones are mixtures.
   * @param n sequence number, 1 to 2^32 − 1; of a message in one part, every number gives that part
   * @throws E_QR on any other number
   */
  part(n: number): string;
  /**
   * The sequence number of the part to show as frame 1, 2, 3, …: first 1 to `count`, then mixtures of many fragments, and
   * so on in turn. Readers need fewer frames than if part 1, 2, 3, … were shown (fountain.ts).
   * @throws E_QR if the frame is not a whole number from 1
   */
  sequence(frame: number): number;
}

/**
 * Prepares a message for showing: the same parts as other implementations give for the same message, size and type (some
 * cut otherwise below 20 bytes a fragment).
 * @param message public or sealed bytes, at most 4 MB
 * @param maxFragment most bytes of the message in one part, 1 to 1,200; a part's text is at most 2 · (maxFragment + 28) + 36 characters (type `bytes`)
 * @param type lower-case letters, digits and hyphens
 * @throws E_QR if the message needs more than 4,096 parts or is larger than 4 MB, or on another fragment size or type
 */
export function urSender(message: Uint8Array, maxFragment: number, type = 'bytes'): UrSender {
  if (!Number.isInteger(maxFragment) || maxFragment < 1 || maxFragment > MAX_FRAGMENT) fail('E_QR', `a fragment has 1 to ${String(MAX_FRAGMENT)} bytes, not ${String(maxFragment)}`);
  if (!/^[a-z0-9-]+$/.test(type)) fail('E_QR', 'the type of a UR has lower-case letters, digits and hyphens');
  return payloadSender(wrapBytes(message), maxFragment, type);
}

/**
 * The same for a payload that is already CBOR, or whatever the type says it is.
 * @param payload 1 to 4,000,000 bytes
 * @throws E_QR as {@link urSender}
 */
export function payloadSender(payload: Uint8Array, maxFragment: number, type: string): UrSender {
  if (payload.length > MAX_PAYLOAD) fail('E_QR', `a message of ${String(payload.length)} bytes is too large for codes; at most ${String(MAX_PAYLOAD)}`, { remedy: 'carry it as a file' });
  if (Math.ceil(payload.length / maxFragment) > MAX_PARTS)
    fail('E_QR', `${String(payload.length)} bytes in fragments of ${String(maxFragment)} are more than ${String(MAX_PARTS)} parts`, { remedy: 'use denser codes, or carry it as a file' });
  const fragments = new Fragments(payload, maxFragment);
  const { count } = fragments;
  if (count === 1) {
    const text = writeSingle(type, payload);
    return { count, part: (n) => (checkNumber(n), text), sequence: (frame) => (checkNumber(frame, Number.MAX_SAFE_INTEGER), 1) };
  }
  const checksum = crc32(payload);
  const mixer = new Mixer(count, checksum);
  const showing = new Showing(count, mixer);
  return {
    count,
    sequence: (frame) => (checkNumber(frame, Number.MAX_SAFE_INTEGER), showing.sequence(frame)),
    part: (n) => {
      checkNumber(n);
      return writePart(type, { sequence: n, count, length: payload.length, checksum, fragment: fragments.mix(mixer.of(n)) });
    },
  };
}

function checkNumber(n: number, most = LAST_SEQUENCE): void {
  if (!Number.isInteger(n) || n < 1 || n > most) fail('E_QR', `parts and frames are numbered 1 to ${String(most)}, not ${String(n)}`);
}

/**
 * What a text was for the reader: `new` said something about the message, `known` nothing new, `complete` the last that
 * was missing; `foreign` belongs to something else; `damaged` is a part that cannot be one, or that contradicts others.
 */
export type Taken = 'new' | 'known' | 'foreign' | 'damaged' | 'complete';

/** How far a reader is. */
export interface UrProgress {
  /** Fragments of the message that the reader is after; 0 before its first part. */
  readonly parts: number;
  /** How many of them are determined, alone or among each other. */
  readonly rank: number;
  /** parts − rank: so many more parts are needed at least. */
  readonly missing: number;
  /** Parts of this message so far, repeated ones too. */
  readonly seen: number;
  /** Texts so far that belonged to something else. */
  readonly foreign: number;
  /** Texts so far that were damaged or contradictory. */
  readonly damaged: number;
}

/** What a reader takes at most, and what it is after. */
export interface UrLimits extends PartLimits {
  /** Messages gathered at the same time: the one that the reader is after, and the others that were last seen. */
  readonly messages: number;
  /** So many parts of one other message without any gain for the present one, and the reader goes after that one. */
  readonly patience: number;
}

const DEFAULTS: UrLimits = { type: 'bytes', parts: MAX_PARTS, fragment: MAX_FRAGMENT, payload: MAX_PAYLOAD, messages: 4, patience: 5 };
/** Messages put away whose parts are still recognised. */
const REMEMBERED = 64;

/**
 * Brings a message back from the texts of codes in any order, with losses, repetitions, and texts of anything else between.
 *
 * It goes after the first message it sees a part of. Parts of others count as foreign, but are gathered too, for the few
 * that were last seen: when one of these gets several parts without a gain for the present one, or is complete and has been
 * seen as often, the reader goes after it (at once if the present one has had to begin again). So neither a code that somebody holds up first nor one held up in between keeps
 * the message out for long, and going from one screen to the next needs no key.
 *
 * Memory is bounded by the limits and by what really came in (with the defaults at most 4 times 6.2 MB: 4 MB of fragments and
 * 4,096 · 512 bytes of equations), the work for a text by one pass over the parts so far.
 */
export class UrReader {
  readonly #limits: UrLimits;
  #current: Gathering | undefined;
  /** The other messages, the last seen at the end. */
  readonly #others = new Map<string, Gathering>();
  readonly #away = new Set<string>();
  #foreign = 0;
  #damaged = 0;
  #lastRefusal: string | undefined;

  /** @param limits where they differ from 4,096 parts, 1,200 bytes of a fragment, 4 MB, type `bytes`, 4 messages, patience 5 */
  constructor(limits: Partial<UrLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** The message, once complete: bytes from outside that nobody has authenticated. */
  get message(): Uint8Array | undefined {
    return this.#current?.message;
  }

  /** All complete messages that have not been put away: first the one that the reader was after, then others that were seen on the way. */
  get messages(): readonly Uint8Array[] {
    return [this.#current, ...this.#others.values()].flatMap((g) => (g?.message === undefined ? [] : [g.message]));
  }

  /** Why the last text was `foreign` or `damaged`, in words, none of them from the text; `undefined` if it was neither. */
  get lastRefusal(): string | undefined {
    return this.#lastRefusal;
  }

  /** How far it is with the message it is after. */
  get progress(): UrProgress {
    const { parts, rank, seen } = this.#current ?? { parts: 0, rank: 0, seen: 0 };
    return { parts, rank, missing: parts - rank, seen, foreign: this.#foreign, damaged: this.#damaged };
  }

  /** Takes in the text of a code. Never throws, whatever the text. */
  take(text: string): Taken {
    this.#lastRefusal = undefined;
    const part = readPart(text, this.#limits);
    if ('refused' in part) return this.#refuse(part.refused, part.why);
    const key = headerKey(part);
    if (this.#away.has(key)) return 'known';
    this.#current ??= new Gathering(part);
    if (this.#current.key !== key) return this.#takeOther(this.#other(key, part), part);
    const gathered = this.#gather(this.#current, part);
    if (gathered === 'new' || gathered === 'complete') this.#nobodyWaits();
    return gathered;
  }

  /**
   * Puts the complete message away and goes on with the others that were seen meanwhile; `message` is then the next
   * complete one, if there is one. Does nothing while the message is not complete.
   * @param kept whether it is the message that was wanted: its parts are `known` from now on. Otherwise they are taken as
   *   if never seen, since somebody may have forged this message with the checksum of the wanted one.
   */
  putAway(kept = true): void {
    const done = this.#current;
    if (done?.message === undefined) return;
    if (kept) {
      this.#away.add(done.key);
      for (const oldest of this.#away) if (this.#away.size > REMEMBERED) this.#away.delete(oldest);
    }
    const others = [...this.#others.values()];
    this.#current = others.find((g) => g.message !== undefined) ?? others.at(-1);
    if (this.#current) this.#others.delete(this.#current.key);
    this.#nobodyWaits();
  }

  #nobodyWaits(): void {
    for (const other of this.#others.values()) other.waiting = 0;
  }

  #refuse(kind: 'foreign' | 'damaged', why: string): Taken {
    if (kind === 'foreign') this.#foreign++;
    else this.#damaged++;
    this.#lastRefusal = why;
    return kind;
  }

  /** The gathering of another message, now the last seen; the one not seen for longest makes room. */
  #other(key: string, part: PartFields): Gathering {
    const other = this.#others.get(key) ?? new Gathering(part);
    this.#others.delete(key);
    this.#others.set(key, other);
    for (const oldest of this.#others.keys()) if (this.#others.size >= this.#limits.messages) this.#others.delete(oldest);
    return other;
  }

  #takeOther(other: Gathering, part: PartFields): Taken {
    const gathered = this.#gather(other, part);
    if (gathered === 'damaged') return gathered;
    other.waiting++;
    const current = this.#current as Gathering;
    const enough = other.waiting >= this.#limits.patience || (other.message !== undefined && other.seen >= this.#limits.patience);
    if (current.message !== undefined || (!enough && current.rank > 0)) return this.#refuse('foreign', 'belongs to another message');
    this.#others.delete(other.key);
    this.#others.set(current.key, current);
    this.#nobodyWaits();
    this.#current = other;
    return other.message === undefined ? 'new' : 'complete';
  }

  #gather(gathering: Gathering, part: PartFields): Taken {
    const gathered = gathering.take(part);
    if (gathered === 'contradiction') return this.#refuse('damaged', 'contradicts the parts before it: one of them is not of this message');
    if (gathered !== 'spoilt') return gathered;
    gathering.restart();
    const { parts } = gathering;
    return this.#refuse('damaged', parts === 1 ? 'its contents are not one CBOR byte string with the checksum announced' : `all ${String(parts)} parts are there, but not the message announced: one was forged or misread, so it begins again`);
  }
}
