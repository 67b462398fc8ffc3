/**
 * A plan may ask for machines without network. What each machine found when its participant took part stands in the first
 * entry of the chain; at every later step the program stops where an interface is up (E_NETWORK_UP), and says nothing.
 */
import type { Plan } from '../plan/plan.ts';
import type { EntryPayload } from './entry-fields.ts';

/**
 * Why an opening entry does not fit a plan for machines without network, or undefined when it does, or when the plan does
 * not ask. It is the word of the participant's own machine, under its signature: a machine that lies is not found out by
 * this, and a radio that the system does not show is not seen. Public.
 */
export function notAirGapped(plan: Plan, open: EntryPayload): string | undefined {
  if (plan.machine?.network !== 'off' || open.kind !== 'open' || open.network === 'off') return undefined;
  return `the plan asks for machines without network, and ${open.network === 'up' ? `that of ${open.author} had one` : `${open.author} does not say so of its own`}`;
}

/** Who says that its machine had no network, in words; empty where nobody does. */
export function airGapWords(opens: readonly EntryPayload[]): string {
  const off = opens.filter((o) => o.network === 'off').map((o) => o.author);
  return off.length === 0 ? '' : `; without network, by the word of their own machines: ${off.join(', ')}`;
}
