/** A dealer cheats: everything it publishes is in order, and one sealed sub-share is wrong. The attempt ends. */
import { realDisk } from '../vault/durable.ts';
import { joinAll } from './ceremony.ts';
import { checkBlame } from './checks.ts';
import { act, actTogether, allGood, expectGood, onCopy, type Play } from './play.ts';
import type { Outcome } from './program.ts';
import { copyOf, rehearsalHome } from './stage.ts';
import { verdictOf } from './story.ts';
import { dealWrongSubShare } from './wrong-sub-share.ts';

/** Plays one attempt, begun by the lead, to its end. */
export async function playBadSubShare(play: Play, ceremony: string): Promise<void> {
  const { stage, courier, story } = play;
  const { holders } = stage.cast;
  const dealer = holders.at(-1) as string;
  const victim = holders[1] === dealer ? (holders[0] as string) : (holders[1] as string);
  const rest = holders.filter((h) => h !== victim);

  await joinAll(play, { ceremony, people: holders, witnesses: [], faults: [] });
  courier.carry(ceremony, holders);
  const fault = story.fault('bad-sub-share', `${dealer} deals with a changed program: the sub-share sealed to ${victim} is wrong by one, and all proofs are made for it`);
  await dealWrongSubShare({ home: rehearsalHome(stage, dealer, realDisk()), stage, cheater: dealer, ceremony }, victim);
  await act(play, dealer, 'next', ['next', copyOf(dealer, ceremony)], 'sends the wrong dealing');
  const honest = holders.filter((h) => h !== dealer);
  const dealt = await actTogether(play, honest, 'next', onCopy('next', ceremony), '');
  allGood(honest, 'next', dealt);

  courier.carry(ceremony, holders);
  const opened = await actTogether(play, holders, 'next', onCopy('next', ceremony), 'checks all proofs and opens its own boxes');
  const expected = { exit: 21, code: 'E_VSS', participant: dealer };
  holders.forEach((who, i) => {
    const outcome = opened[i] as Outcome;
    if (who === victim) story.gate(fault, who, expected, verdictOf(outcome));
    else expectGood(who, 'next', outcome);
  });
  story.remark(`the courier carries ${victim}'s complaint, which opens that one box for all to see`);
  courier.carry(ceremony, holders);
  const judged = await actTogether(play, rest, 'next', onCopy('next', ceremony), 'judges the complaint');
  rest.forEach((who, i) => {
    const observed = verdictOf(judged[i] as Outcome);
    story.gate(fault, who, expected, observed);
  });
  courier.carry(ceremony, holders);
  await checkBlame(play, fault, ceremony, [victim], { code: 'E_VSS', culprit: dealer });
  story.remark(`the lawful next step, in the program's words: ${judged[0]?.report.error?.remedy ?? ''}`);
  story.remark(`the changed program is found; ${dealer} gets the released one back, and the lead begins again`);
}
