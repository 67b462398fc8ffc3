/** A plan may pin the program that everybody must run. What a participant ran stands in the first entry of its chain. */
import type { Plan } from '../plan/plan.ts';
import type { EntryPayload } from './entry-fields.ts';

/**
 * Why an opening entry does not fit the program that the plan pins, or undefined when it does, or when the plan pins none.
 * It is what the participant's program said of itself: a program that lies about its digest is not found out by this. Public.
 */
export function otherProgram(plan: Plan, open: EntryPayload): string | undefined {
  if (plan.program === undefined || open.kind !== 'open' || open.program === plan.program) return undefined;
  return `the plan pins the program ${plan.program}, and ${open.author} ran ${open.program ?? 'one that it does not name'}`;
}
