/**
 * A crew for tests in one process: what one participant has checked, another need not check again, for a check is a pure
 * function of its arguments. What is made is always made.
 */
import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import type { Outcome } from '../../src/protocols/crew.ts';
import { type Crew, perform } from '../../src/protocols/make-crew.ts';

const known = new Map<string, Outcome<unknown>>();

export const rememberingCrew: Crew = {
  run: (task, args) =>
    Promise.resolve(
      args.map((a) => {
        if (!task.startsWith('check')) return perform(task, a);
        const { own: _, ...publicArgs } = a as { own?: unknown };
        const key = `${task} ${createHash('sha256').update(serialize(publicArgs)).digest('hex')}`;
        const outcome = known.get(key) ?? perform(task, a);
        known.set(key, outcome);
        return outcome as ReturnType<typeof perform<typeof task>>;
      }),
    ),
};
