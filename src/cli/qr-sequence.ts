/** A message as codes of one size: one code if it fits, else a sequence that has no end (parts of a fountain). Public. */
import { type Code, codeOf, codesNeeded, type Ecc, fragmentFor, MAX_VERSION } from '../qr/code.ts';
import { urSender, type UrSender } from '../qr/ur.ts';
import { CeremonyError, fail } from '../wire/errors.ts';

/** Densest code that is chosen without being asked for, if one code is enough. */
export const DENSE = 20;
/** The version of a sequence on a screen, if there is room: read well by cameras of laptops. */
const USUAL = 13;
/** Codes a second unless told otherwise, and most. */
export const USUAL_FPS = 8;
export const MAX_FPS = 15;

export class CodeSequence {
  readonly message: Uint8Array;
  /** Version of every code, 1 to 40. */
  readonly version: number;
  readonly ecc: Ecc;
  readonly #sender: UrSender;
  readonly #codes = new Map<number, Code>();

  /** @throws E_TOO_LARGE when the message takes more codes of this version than a reader takes */
  constructor(message: Uint8Array, version: number, ecc: Ecc = 'low') {
    this.message = message;
    this.version = version;
    this.ecc = ecc;
    this.#sender = urSender(message, fragmentFor(version, ecc, message.length));
  }

  /** Codes that are enough, if none is lost; 1 if there is no sequence. */
  get count(): number {
    return this.#sender.count;
  }

  /** Text of the n-th code to show, n ≥ 1, in the order that needs the fewest: all plain parts, then mixtures of many, and so on in turn. */
  text(n: number): string {
    return this.#sender.part(this.#sender.sequence(n));
  }

  /** The n-th code to show. */
  code(n: number): Code {
    const number = this.#sender.sequence(n);
    const kept = this.#codes.get(number);
    if (kept) return kept;
    const code = codeOf(this.#sender.part(number), { ecc: this.ecc, version: this.version });
    // plain parts come again and again; mixtures hardly
    if (number <= this.count) this.#codes.set(number, code);
    return code;
  }
}

/** Codes of a version that a message needs, or undefined where it takes more than a reader takes. */
export function codesAt(version: number, ecc: Ecc, length: number): number | undefined {
  try {
    return codesNeeded(version, ecc, length);
  } catch (e) {
    if (e instanceof CeremonyError && e.code === 'E_TOO_LARGE') return undefined;
    throw e;
  }
}

/** The smallest version not above `most` in which a message is one code, if there is one. */
export function singleVersion(length: number, ecc: Ecc, most: number): number | undefined {
  for (let version = 1; version <= Math.min(most, MAX_VERSION); version++) if (codesAt(version, ecc, length) === 1) return version;
  return undefined;
}

/**
 * The version to begin with.
 * @param most largest version that there is room for
 * @throws E_ROUTE where not even that carries the message
 */
export function chooseVersion(length: number, ecc: Ecc, most: number, usual = USUAL): number {
  const one = singleVersion(length, ecc, Math.min(most, DENSE));
  if (one !== undefined) return one;
  for (let version = Math.min(most, usual); version <= most; version++) if (codesAt(version, ecc, length) !== undefined) return version;
  return fail('E_ROUTE', `${String(length)} bytes take more codes of this size than a scanner puts together`, { remedy: 'Make the window larger, use qr show --gif FILE, or carry the file itself.' });
}

/** Version of a picture that is shown on a whole screen: denser where there is more to carry. */
export function pictureVersion(length: number): number {
  return length <= 8_000 ? USUAL : length <= 40_000 ? DENSE : 27;
}

/** Seconds of one round, and of a reading in which every fifth code is lost, in words. */
export function duration(count: number, fps: number): { readonly seconds: number; readonly words: string } {
  const seconds = Math.ceil(count / fps);
  const say = (s: number): string => (s < 100 ? `${String(s)} s` : `${String(Math.round(s / 60))} min`);
  return { seconds, words: say(seconds) };
}
