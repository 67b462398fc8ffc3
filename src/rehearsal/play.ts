/** What every scene of a rehearsal has at hand, and the steps that all scenes are made of. */
import { fail } from '../wire/errors.ts';
import type { Courier } from './courier.ts';
import { type Outcome, type Program, together } from './program.ts';
import { copyOf, type Stage } from './stage.ts';
import { show, type Story, verdictOf } from './story.ts';

export interface Play {
  readonly stage: Stage;
  readonly program: Program;
  readonly courier: Courier;
  readonly story: Story;
}

/** A step that must go well: it goes on (0) or waits (10). @throws E_INTERNAL with what the program said instead */
export function expectGood(who: string, command: string, outcome: Outcome): Outcome {
  if (outcome.exit === 0 || outcome.exit === 10) return outcome;
  const text = outcome.report.error?.text;
  return fail('E_INTERNAL', `${who}'s ${command} ended with ${show(verdictOf(outcome))}${text === undefined ? '' : `: ${text}`}`, { participant: who });
}

/** {@link expectGood} for what several participants did side by side. */
export function allGood(people: readonly string[], command: string, outcomes: readonly Outcome[]): void {
  outcomes.forEach((outcome, i) => expectGood(people[i] as string, command, outcome));
}

/** One command of one participant, told and required to go well. */
export async function act(play: Play, who: string, command: string, args: readonly string[], doing: string): Promise<Outcome> {
  const outcome = await play.program.run(who, args);
  play.story.step(who, command, doing, outcome);
  return expectGood(who, command, outcome);
}

/** One command of several participants, side by side. Nothing is required of the outcomes. */
export async function actTogether(play: Play, people: readonly string[], command: string, args: (who: string) => readonly string[], doing: string): Promise<Outcome[]> {
  return together(people, (who) => play.program.run(who, args(who)), (who, outcome) => {
    play.story.step(who, command, doing, outcome);
  });
}

/** The arguments of `join` or `next` on a participant's own copy. */
export function onCopy(command: 'join' | 'next', ceremony: string): (who: string) => string[] {
  return (who) => [command, copyOf(who, ceremony)];
}
