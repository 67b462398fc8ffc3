/**
 * Who does the heavy arithmetic of ECDSA. Every proof is checked (and made) by a pure task on plain data, so that a task
 * can run in another thread. Public side: the checks.
 */
import type { CheckArgs, CheckName } from '../ecdsa/checks.ts';
import { CeremonyError, type ErrorCode } from '../wire/errors.ts';

/** What became of a task: its result, or the refusal of a check. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: ErrorCode; readonly text: string };

/** Runs checks of one kind; outcomes come in the order of the arguments. A refusal is an outcome; only our own faults are thrown. */
export interface Checkers {
  check<K extends CheckName>(task: K, args: readonly CheckArgs<K>[]): Promise<Outcome<void>[]>;
}

/** The outcome of a task run here. @throws what is no refusal of a check: our own faults, damage of our own state, a bad random source */
export function outcomeOf<T>(work: () => T): Outcome<T> {
  try {
    return { ok: true, value: work() };
  } catch (e) {
    if (!(e instanceof CeremonyError) || ['E_INTERNAL', 'E_STATE', 'E_RNG'].includes(e.code)) throw e;
    return { ok: false, code: e.code, text: e.message };
  }
}

/** Checks in this thread, one after the other. */
export const checkHere: Checkers = {
  check: async (task, args) => {
    const { CHECKS } = await import('../ecdsa/checks.ts');
    return args.map((a) => outcomeOf(() => (CHECKS[task] as (x: typeof a) => void)(a)));
  },
};

/** How messages are judged: by whom the proofs are checked, and which of those that are meant for one verifier only. */
export interface Judge {
  readonly crew: Checkers;
  /** Leaf id of the verifier; absent: all proofs, as whoever judges a record does. */
  readonly own?: number | undefined;
  /**
   * Proofs in rounds up to this slot were checked by this judge before, on the same messages, and are not checked again:
   * a participant that has sent its message of the next slot had found nothing wrong.
   */
  readonly settled?: number | undefined;
}

/** Whether the proofs of a round are still to be checked. */
export function isOpen(judge: Judge, slot: number): boolean {
  return slot > (judge.settled ?? 0);
}

/** The judge of records and evidence: all proofs, in this thread. */
export const anybody: Judge = { crew: checkHere };

/** For a ceremony that has reached its end here: every proof was checked before that, and nothing is checked again. */
export const concluded: Judge = { crew: { check: (_, args) => Promise.resolve(args.map(() => ({ ok: true, value: undefined }))) } };
