/** A ceremony from its start to the end of everybody's part, with the courier in between. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlanFile } from '../plan/plan-file.ts';
import { requiredSlots } from '../protocols/machine.ts';
import { fail } from '../wire/errors.ts';
import { crashThrough } from './crash.ts';
import { actTogether, allGood, onCopy, type Play } from './play.ts';
import type { Outcome } from './program.ts';
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
  /** Witnesses sign once every message is there. */
  readonly witnesses: readonly string[];
  /** Faults to be played and overcome in this ceremony. */
  readonly faults: readonly FaultName[];
}

/** What makes the folder of a ceremony. */
export interface Beginning {
  /** Folder name of the ceremony. */
  readonly ceremony: string;
  readonly lead: string;
  /** Name of the command and its arguments, without those that every ceremony has. */
  readonly command: string;
  readonly args: readonly string[];
  readonly doing: string;
}

/** The lead makes a ceremony's folder; the plan in it says which rounds are told from here on. Nothing is required of the outcome. */
export async function begin(play: Play, { ceremony, lead, command, args, doing }: Beginning): Promise<Outcome> {
  const { program, stage, story } = play;
  const folder = copyOf(lead, ceremony);
  const outcome = await program.run(lead, [command, ...args, '--out', folder, '--unattended']);
  const plan = join(stage.root, folder, 'PLAN.yaml');
  if (existsSync(plan)) story.rounds = requiredSlots(await parsePlanFile(readFileSync(plan), plan));
  story.step(lead, command, doing, outcome);
  return outcome;
}

/** Everybody but the lead joins. With the fault `crash`, one of them loses power again and again. */
export async function joinAll(play: Play, { ceremony, people, faults }: Ceremony): Promise<void> {
  const [, ...others] = people;
  const [second, ...rest] = others;
  play.courier.carry(ceremony, people);
  const crashing = faults.includes('crash') && second !== undefined;
  if (crashing) await crashThrough(play, second, 'join', ceremony);
  const joining = crashing ? rest : others;
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
    if (visit === play.story.rounds.length && witnesses.length > 0) {
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
