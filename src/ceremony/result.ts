/** How a ceremony stands for one participant: the closed list that status shows and scripts read. */
import type { CeremonyStore } from './store.ts';

export const RESULTS = {
  complete: 'the key is active or the signature made',
  waiting: 'waiting for messages of others',
  expired: 'not complete when the plan expired; may still be continued by those who have joined',
  refused: 'plan or gate refused',
  wrong: 'a participant was found to have cheated',
  equivocation: 'a participant signed two different messages for one slot',
  aborted: 'somebody ended the attempt on the record',
  'rolled-back': 'this home is an older copy of itself',
  superseded: 'a higher epoch is in force',
} as const;

export type Result = keyof typeof RESULTS;

/** The result of a ceremony at a time. */
export function resultOf(store: CeremonyStore, now: Date): Result {
  const { ending } = store;
  if (ending) {
    if (ending.code === 'E_EQUIVOCATION') return 'equivocation';
    if (ending.code === 'E_ROLLBACK') return 'rolled-back';
    if (ending.code === 'E_EPOCH') return 'superseded';
    if (ending.code === 'E_ABORTED' || ending.code === 'E_DEGENERATE') return 'aborted';
    return store.journal.some((e) => e.payload.kind === 'refused') ? 'refused' : 'wrong';
  }
  if (store.done) return 'complete';
  return now.getTime() >= Date.parse(store.plan.expires) ? 'expired' : 'waiting';
}
