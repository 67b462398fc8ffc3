/** A relay that is a folder: a share, a stick that goes round, a folder that something keeps in step between machines. */
import { resolve } from 'node:path';
import { closer, pause } from './pause.ts';
import { checkPlace, type Relay, taken } from './relay.ts';
import { openSpool, requireRoot, type Spool } from './spool.ts';

/** Between two looks at a box that somebody waits for: shares tell nobody of changes made elsewhere. */
const LOOK_MS = 500;

/**
 * The relay in an existing folder.
 * @param path absolute, or relative to the working directory
 * @throws E_RELAY when there is no such folder
 */
export async function folderRelay(path: string, spool: Spool = openSpool(resolve(path))): Promise<Relay> {
  const address = spool.root;
  await requireRoot(address);
  const closing = closer();
  let swept = false;
  return {
    address,
    put: async (box, name, bytes) => {
      checkPlace(box, name, bytes);
      const outcome = await spool.put(box, name, bytes);
      if (!swept) {
        swept = true;
        // clean-up is no part of what was asked for
        await spool.sweep(Date.now()).catch(() => undefined);
      }
      return outcome === 'other' ? taken(address, box, name) : outcome;
    },
    get: async (box, name) => {
      checkPlace(box, name);
      return spool.read(box, name);
    },
    list: async (box) => {
      checkPlace(box);
      return spool.list(box);
    },
    wait: async (box, known, ms) => {
      checkPlace(box);
      const end = performance.now() + ms;
      while (!closing.signal.aborted && (await spool.list(box)).length <= known) {
        const left = end - performance.now();
        if (left <= 0) return;
        await pause(Math.min(LOOK_MS, left), closing.signal);
      }
    },
    close: () => {
      closing.abort();
      return Promise.resolve();
    },
  };
}
