/** All drills, by name. */
import { fail } from '../wire/errors.ts';
import { compromiseRefresh, coordinator, halfRefresh } from './drill-attacks.ts';
import { beyondT, lostStick, nodeLoss, staleBackup } from './drill-losses.ts';
import type { DrillCast, Scenario } from './drill-script.ts';

const MAKERS = {
  'node-loss': nodeLoss,
  'compromise-refresh': compromiseRefresh,
  'beyond-t': beyondT,
  coordinator,
  'half-refresh': halfRefresh,
  'stale-backup': staleBackup,
  'lost-stick': lostStick,
} as const satisfies Record<string, (cast: DrillCast) => Scenario>;

export type DrillName = keyof typeof MAKERS;

/** Names of all drills, in the order of the list. */
export const DRILL_NAMES = Object.keys(MAKERS) as readonly DrillName[];

/** @throws E_USAGE naming the drills that there are */
export function drillName(text: string): DrillName {
  if (Object.hasOwn(MAKERS, text)) return text as DrillName;
  return fail('E_USAGE', `there is no drill ${text}`, { field: 'name', remedy: `Drills: ${DRILL_NAMES.join(', ')}` });
}

/** A drill for a cast. @throws E_USAGE where the quorum does not fit */
export function scenarioOf(name: DrillName, cast: DrillCast): Scenario {
  return MAKERS[name](cast);
}
