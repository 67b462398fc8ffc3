import { CeremonyError } from '../../src/wire/errors.ts';

/** The error that some work is refused with. @throws when it is not refused */
export function refusal(work: () => unknown): CeremonyError {
  try {
    work();
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
  throw new Error('not refused');
}
