/** A value that must not be printed: keys, shares, nonces, passphrases. */
import { inspect } from 'node:util';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';

const SHOWN = '[secret]';

/**
 * Secret bytes that show as `[secret]` in text, JSON, logs and the debugger's inspection. They are reached only inside
 * {@link Secret.use}, so every place that touches them can be found by searching for one word.
 *
 * JavaScript promises no more than best effort: the engine may have copied the bytes before {@link Secret.wipe}, and
 * libsodium leaves copies in the memory of its WebAssembly instance.
 */
export class Secret {
  readonly #bytes: Uint8Array;
  #wiped = false;

  /** @param bytes secret; owned from now on: the caller neither keeps nor changes them */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** `length` fresh random bytes. */
  static fromRandom(random: Random, length: number): Secret {
    return new Secret(random(length));
  }

  /**
   * Lends the bytes to `fn`, which must not keep a reference to them.
   * @throws E_INTERNAL after {@link Secret.wipe}: zeros must never pass for a key
   */
  use<T>(fn: (bytes: Uint8Array) => T): T {
    if (this.#wiped) fail('E_INTERNAL', 'a secret was used after it was wiped');
    return fn(this.#bytes);
  }

  /** Overwrites the bytes with zeros. May be called again. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#wiped = true;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
