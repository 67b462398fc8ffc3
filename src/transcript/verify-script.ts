/** placeholder */
import type { Plan } from '../plan/plan.ts';
export function verifyScript(_plan: Plan): string {
  return '';
}
