/** Faults on the way: a message that does not arrive, and one that arrives changed. */
import { actTogether, onCopy, type Play } from './play.ts';
import type { Outcome } from './program.ts';
import { verdictOf } from './story.ts';

/** The last participant's first message does not reach the one before, who waits; the next round of the courier brings it. */
export async function dropped(play: Play, ceremony: string, people: readonly string[]): Promise<void> {
  const [reader, writer] = people.slice(-2) as [string, string];
  const lost = `round-1/${writer}.blob`;
  const fault = play.story.fault('dropped-blob', `${lost} does not reach ${reader}`);
  play.courier.carry(ceremony, people, (path, to, bytes) => (path === lost && to === reader ? undefined : bytes));
  const [outcome] = (await actTogether(play, [reader], 'next', onCopy('next', ceremony), '')) as [Outcome];
  const observed = verdictOf(outcome);
  play.story.gate(fault, reader, { exit: 10, participant: writer }, observed);
  play.story.remark('the courier goes back for it; then the ceremony goes on');
}

/** A byte of the second participant's second message changes on its way to the first, who refuses it. */
export async function tampered(play: Play, ceremony: string, people: readonly string[]): Promise<void> {
  const [reader, writer] = people as [string, string];
  const file = `round-2/${writer}.blob`;
  const fault = play.story.fault('tampered-blob', `a byte in the middle of ${file} changes on its way to ${reader}`);
  play.courier.carry(ceremony, people, (path, to, bytes) => (path === file && to === reader ? flipped(bytes) : bytes));
  const [outcome] = (await actTogether(play, [reader], 'next', onCopy('next', ceremony), '')) as [Outcome];
  const observed = verdictOf(outcome);
  play.story.gate(fault, reader, { exit: 21, code: 'E_SIGNATURE', file }, observed);
  play.story.remark(`the courier brings ${file} again from ${writer}; then the ceremony goes on`);
}

function flipped(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const at = out.length >> 1;
  out[at] = (out[at] as number) ^ 1;
  return out;
}
