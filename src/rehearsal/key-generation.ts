/** Making the key: attempts that a fault ends, then one that succeeds. */
import { playBadModulus } from './bad-modulus.ts';
import { playBadSubShare } from './bad-sub-share.ts';
import { begin, goThrough, joinAll } from './ceremony.ts';
import { playEquivocation } from './equivocation.ts';
import { ENDING, type EndingFault, type FaultName } from './faults.ts';
import { expectGood, type Play } from './play.ts';
import { CARDS, copyOf, DRAFT } from './stage.ts';

/** Folder of an attempt in everybody's copy. */
function attemptFolder(play: Play, attempt: number): string {
  return `${play.stage.cast.key}-dkg-${String(attempt)}`;
}

/** Faults that end an attempt, and how they are played. */
const PLAYED: Readonly<Record<EndingFault, (play: Play, ceremony: string) => Promise<void>>> = { equivocation: playEquivocation, 'bad-sub-share': playBadSubShare, 'bad-modulus': playBadModulus };

/** The lead begins an attempt: the first one from the draft, each further one from the one before. */
async function beginAttempt(play: Play, attempt: number): Promise<string> {
  const { lead } = play.stage.cast;
  const ceremony = attemptFolder(play, attempt);
  const from = attempt === 1 ? ['--plan', DRAFT] : ['--again', copyOf(lead, attemptFolder(play, attempt - 1))];
  play.story.chapter(attempt === 1 ? 'Key generation' : `Key generation, attempt ${String(attempt)}`);
  expectGood(lead, 'dkg', await begin(play, { ceremony, lead, command: 'dkg', args: [...from, '--cards', CARDS], doing: 'makes the plan and the ceremony folder' }));
  return ceremony;
}

/** Runs the key generation with its faults. @returns the folders of all attempts; the last one succeeded */
export async function generateKey(play: Play, faults: readonly FaultName[]): Promise<string[]> {
  const { holders, witnesses } = play.stage.cast;
  const folders: string[] = [];
  for (const fault of ENDING.filter((f) => faults.includes(f))) {
    const ceremony = await beginAttempt(play, folders.length + 1);
    folders.push(ceremony);
    await PLAYED[fault](play, ceremony);
  }
  const ceremony = await beginAttempt(play, folders.length + 1);
  folders.push(ceremony);
  const held = { ceremony, people: holders, witnesses, faults };
  await joinAll(play, held);
  await goThrough(play, held);
  return folders;
}
