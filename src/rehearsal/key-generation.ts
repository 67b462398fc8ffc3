/** Making the key: attempts that a fault ends, then one that succeeds. */
import { playBadSubShare } from './bad-sub-share.ts';
import { goThrough, joinAll } from './ceremony.ts';
import { playEquivocation } from './equivocation.ts';
import { ENDING, type FaultName } from './faults.ts';
import { act, type Play } from './play.ts';
import { CARDS, copyOf, DRAFT } from './stage.ts';

/** Folder of an attempt in everybody's copy. */
function attemptFolder(play: Play, attempt: number): string {
  return `${play.stage.cast.key}-dkg-${String(attempt)}`;
}

/** The lead begins an attempt: the first one from the draft, each further one from the one before. */
async function begin(play: Play, attempt: number): Promise<string> {
  const { lead } = play.stage.cast;
  const ceremony = attemptFolder(play, attempt);
  const from = attempt === 1 ? ['--plan', DRAFT] : ['--again', copyOf(lead, attemptFolder(play, attempt - 1))];
  play.story.chapter(attempt === 1 ? 'Key generation' : `Key generation, attempt ${String(attempt)}`);
  await act(play, lead, 'dkg', ['dkg', ...from, '--cards', CARDS, '--out', copyOf(lead, ceremony), '--unattended'], 'makes the plan and the ceremony folder');
  return ceremony;
}

/** Runs the key generation with its faults. @returns the folders of all attempts; the last one succeeded */
export async function generateKey(play: Play, faults: readonly FaultName[]): Promise<string[]> {
  const { holders, witnesses } = play.stage.cast;
  const folders: string[] = [];
  for (const fault of ENDING.filter((f) => faults.includes(f))) {
    const ceremony = await begin(play, folders.length + 1);
    folders.push(ceremony);
    await (fault === 'equivocation' ? playEquivocation(play, ceremony) : playBadSubShare(play, ceremony));
  }
  const ceremony = await begin(play, folders.length + 1);
  folders.push(ceremony);
  const held = { ceremony, people: holders, witnesses, faults };
  await joinAll(play, held);
  await goThrough(play, held);
  return folders;
}
