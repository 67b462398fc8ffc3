/** A ceremony from its start to the end of everybody's part, with the courier in between. */
import { fail } from '../wire/errors.ts';
import { crashThrough } from './crash.ts';
import { actTogether, allGood, onCopy, type Play } from './play.ts';
import { copyOf } from './stage.ts';
import { dropped, tampered } from './transit.ts';
import type { FaultName } from './faults.ts';

// more visits than any ceremony here needs
const MAX_VISITS = 8;

export interface Ceremony {
  /** Folder name of the ceremony in everybody's copy. */
  readonly ceremony: string;
  /** Who takes part; the first one has begun it. */
  readonly people: readonly string[];
  /** Witnesses sign before the last visit. */
  readonly witnesses: readonly string[];
  /** Faults to be played and overcome in this ceremony. */
  readonly faults: readonly FaultName[];
}

/** Everybody but the lead joins. With the fault `crash`, one of them loses power again and again. */
export async function joinAll(play: Play, { ceremony, people, faults }: Ceremony): Promise<void> {
  const [, second, ...rest] = people as [string, string, ...string[]];
  play.courier.carry(ceremony, people);
  if (faults.includes('crash')) await crashThrough(play, second, 'join', ceremony);
  const joining = faults.includes('crash') ? rest : [second, ...rest];
  const outcomes = await actTogether(play, joining, 'join', onCopy('join', ceremony), 'reads the plan');
  allGood(joining, 'join', outcomes);
}

/** Round after round until everybody is done. @throws E_INTERNAL when somebody stops, or never gets done */
export async function goThrough(play: Play, held: Ceremony): Promise<void> {
  const { ceremony, people, witnesses, faults } = held;
  let open = [...people];
  for (let visit = 1; open.length > 0; visit++) {
    if (visit > MAX_VISITS) fail('E_INTERNAL', `after ${String(MAX_VISITS)} visits ${open.join(', ')} still wait in ${ceremony}`);
    if (visit === 1 && faults.includes('dropped-blob')) await dropped(play, ceremony, people);
    if (visit === 2 && faults.includes('tampered-blob')) await tampered(play, ceremony, people);
    play.courier.carry(ceremony, [...people, ...witnesses]);
    if (visit === 1 && faults.includes('crash')) await crashThrough(play, people[1] as string, 'next', ceremony);
    if (visit === 3 && witnesses.length > 0) {
      await actTogether(play, witnesses, 'note witness', (who) => ['note', 'witness', copyOf(who, ceremony)], 'checks every message and signs what was seen');
      play.courier.carry(ceremony, [...people, ...witnesses]);
    }
    const visited = open;
    const outcomes = await actTogether(play, visited, 'next', onCopy('next', ceremony), '');
    allGood(visited, 'next', outcomes);
    open = visited.filter((_, i) => outcomes[i]?.report.nextAction?.code !== 'DONE');
  }
  play.courier.carry(ceremony, [...people, ...witnesses]);
}
