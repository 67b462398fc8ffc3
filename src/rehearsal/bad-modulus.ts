/** A dealer cheats: its Paillier modulus has a small factor, and it proves what can be proven of it. The attempt ends. */
import { realDisk } from '../vault/durable.ts';
import type { Cheating } from './cheat.ts';
import { joinAll } from './ceremony.ts';
import { checkBlame } from './checks.ts';
import { act, actTogether, allGood, onCopy, type Play } from './play.ts';
import type { Outcome } from './program.ts';
import { commitSmallFactor, proveSmallFactor, SMALL_FACTOR_BITS, smallFactor } from './small-factor.ts';
import { copyOf, rehearsalHome } from './stage.ts';
import { verdictOf } from './story.ts';
import { watch } from './watch.ts';

/** Plays one attempt, begun by the lead, to its end. */
export async function playBadModulus(play: Play, ceremony: string): Promise<void> {
  const { stage, courier, story } = play;
  const { holders } = stage.cast;
  const dealer = holders.at(-1) as string;
  const honest = holders.slice(0, -1);
  const cheating: Cheating = { home: rehearsalHome(stage, dealer, realDisk()), stage, cheater: dealer, ceremony };

  await joinAll(play, { ceremony, people: honest, witnesses: [], faults: [] });
  courier.carry(ceremony, holders);
  const fault = story.fault('bad-modulus', `${dealer} deals with a changed program: its Paillier modulus has a factor of ${String(SMALL_FACTOR_BITS)} bits`);
  const quiet = watch((text) => { story.busy(dealer, text); }, () => 'looking for a modulus that is to deceive the others …');
  const primes = await smallFactor().finally(quiet);
  await commitSmallFactor(cheating, primes);
  await act(play, dealer, 'next', ['next', copyOf(dealer, ceremony)], 'has joined, and commits to its dealing');
  courier.carry(ceremony, holders);
  allGood(holders, 'next', await actTogether(play, holders, 'next', onCopy('next', ceremony), ''));
  courier.carry(ceremony, holders);
  allGood(honest, 'next', await actTogether(play, honest, 'next', onCopy('next', ceremony), 'finds no fault in the form of the modulus'));
  story.remark(`${dealer} proves that the modulus has two prime factors, which is true, and that both are large, as well as it can`);
  await proveSmallFactor(cheating, primes);
  await act(play, dealer, 'next', ['next', copyOf(dealer, ceremony)], 'sends its proofs');

  courier.carry(ceremony, holders);
  const judged = await actTogether(play, honest, 'next', onCopy('next', ceremony), 'checks all proofs');
  judged.forEach((outcome, i) => {
    story.gate(fault, honest[i] as string, { exit: 21, code: 'E_PROOF', participant: dealer }, verdictOf(outcome));
  });
  courier.carry(ceremony, holders);
  await checkBlame(play, fault, ceremony, honest, { code: 'E_PROOF', culprit: dealer });
  const [first] = judged as [Outcome];
  story.remark(`the lawful next step, in the program's words: ${first.report.error?.remedy ?? ''}`);
  story.remark(`the changed program is found; ${dealer} gets the released one back, and the lead begins again`);
}
