/** Long work in pieces: codes come from strangers, and who waits for them must be able to leave. */
import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds of work after which keys, signals and timers get their turn. */
const PIECE = 50;

/** Asked between two pieces of work; every 50 ms it lets the process look at everything else. */
export class Breath {
  #since = performance.now();

  async draw(): Promise<void> {
    if (performance.now() - this.#since < PIECE) return;
    await turn();
    this.#since = performance.now();
  }
}
