/** What the screens say of a program that a plan pins. */
import { programWords } from '../ceremony/machine.ts';
import { programDigest } from '../ceremony/program.ts';
import { formatWords } from '../wire/words.ts';
import { fold } from './output.ts';

/** Lines about the program that a plan pins, with its words; none where it pins none. @param pinned 64 hex digits, or `pinned` in a draft */
export function pinLines(pinned: string | undefined): string[] {
  if (pinned === undefined) return [];
  if (pinned === 'pinned') return fold('The program is pinned: everybody must run the very one that the lead makes the plan with (mpc-ceremony doctor prints its words).');
  const own = programDigest();
  return [
    ...fold(`The program is pinned: ${pinned}`),
    ...formatWords(programWords(pinned)),
    ...fold(own === pinned ? 'This program is it.' : `! This program is another one, ${own}: it can check this plan and not take part.`),
  ];
}
