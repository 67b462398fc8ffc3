/** Signing a sentence with the new key. */
import { goThrough, joinAll } from './ceremony.ts';
import type { FaultName } from './faults.ts';
import { act, type Play } from './play.ts';
import { copyOf, MESSAGE } from './stage.ts';

/** Signs the message of the stage by an exact minimal quorum. @returns the folder of the signing */
export async function signMessage(play: Play, faults: readonly FaultName[]): Promise<string> {
  const { key, signers } = play.stage.cast;
  const [lead] = signers as [string, ...string[]];
  const ceremony = `${key}-sign-1`;
  const intent = `${lead}/${ceremony}-intent.json`;
  play.story.chapter('Signing');
  await act(play, lead, 'intent create', ['intent', 'create', '--key', key, '--action', 'message', '--file', MESSAGE, '--out', intent], `states what is to be signed: ${MESSAGE}`);
  await act(play, lead, 'sign', ['sign', '--intent', intent, '--signers', signers.join(','), '--out', copyOf(lead, ceremony), '--unattended'], 'makes the plan of the signing');
  const held = { ceremony, people: signers, witnesses: [], faults: faults.filter((f) => f === 'crash') };
  await joinAll(play, held);
  await goThrough(play, held);
  return ceremony;
}
