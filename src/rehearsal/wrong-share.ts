/**
 * A signer cheats: its signature share is wrong. The attempt ends, its presignature is spent, and nobody signs with this
 * signer again until a person has looked.
 */
import { CLOSE } from '../protocols/presign.ts';
import { group } from '../curves/group.ts';
import { SCHEMES, type SchemeName } from '../curves/scheme.ts';
import { concat } from '../wire/bytes.ts';
import { realDisk } from '../vault/durable.ts';
import { type Cheating, sendChanged } from './cheat.ts';
import { joinAll } from './ceremony.ts';
import { checkBlame } from './checks.ts';
import { act, actTogether, onCopy, type Play } from './play.ts';
import type { Outcome } from './program.ts';
import { rehearsalHome } from './stage.ts';
import { verdictOf } from './story.ts';

/** Joins, and sends a share that is wrong by one. @throws as `sendChanged` */
function sendWrongShare(cheating: Cheating, scheme: SchemeName): Promise<void> {
  const { decodeScalar, encodeScalar, order, scalarBytes } = group(SCHEMES[scheme].group);
  return sendChanged(cheating, CLOSE, (honest) => concat(honest.slice(0, -scalarBytes), encodeScalar((decodeScalar(honest.slice(-scalarBytes)) + 1n) % order)));
}

/**
 * Plays one attempt at a signing from stock, begun by the lead, to its end.
 * @param retry the lead's command for a further attempt, which must be refused at first
 */
export async function playWrongShare(play: Play, ceremony: string, retry: () => Promise<Outcome>): Promise<void> {
  const { stage, courier, story } = play;
  const { key, scheme, signers } = stage.cast;
  const cheater = signers.at(-1) as string;
  const honest = signers.slice(0, -1);
  const fault = story.fault('wrong-share', `${cheater} signs with a changed program: its share is wrong by one`);
  await joinAll(play, { ceremony, people: honest, witnesses: [], faults: [] });
  courier.carry(ceremony, signers);
  await sendWrongShare({ home: rehearsalHome(stage, cheater, realDisk()), stage, cheater, ceremony }, scheme);
  const expected = { exit: 21, code: 'E_SHARE', participant: cheater };
  const gates = async (people: readonly string[], doing: string): Promise<void> => {
    const outcomes = await actTogether(play, people, 'next', onCopy('next', ceremony), doing);
    outcomes.forEach((outcome, i) => {
      story.gate(fault, people[i] as string, expected, verdictOf(outcome));
    });
    courier.carry(ceremony, signers);
  };
  await gates([cheater], 'sends its share, and sees what the others will see');
  await gates(honest, 'checks the share');
  await checkBlame(play, fault, ceremony, honest, { code: 'E_SHARE', culprit: cheater });

  story.remark('the lead begins again at once, with the same signers');
  story.gate(fault, `${honest[0] as string}, who begins again`, { exit: 20, code: 'E_BLOCKED', participant: cheater }, verdictOf(await retry()));
  story.remark(`a person looks at ${cheater}'s laptop and finds the changed program; ${cheater} gets the released one back, and every signer clears ${cheater}`);
  for (const who of signers) await act(play, who, 'peers clear', ['peers', 'clear', cheater, '--key', key, '--reason', 'changed program found and replaced'], `lets ${cheater} sign again`);
}
