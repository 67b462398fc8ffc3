/** The rehearsal from beginning to end. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Draft } from '../ceremony/draft.ts';
import { type Cast, castOf } from './cast.ts';
import { checkKey, checkRecord, checkSignatures } from './checks.ts';
import { Courier } from './courier.ts';
import type { FaultName } from './faults.ts';
import { generateKey } from './key-generation.ts';
import { actTogether, allGood, type Play } from './play.ts';
import { Program } from './program.ts';
import { readme } from './readme.ts';
import { type Uses, useKey } from './signing.ts';
import { CARDS, homeOf, makeStage } from './stage.ts';
import { answered, Story } from './story.ts';

export interface Request {
  readonly draft: Draft;
  readonly faults: readonly FaultName[];
  /** Folder to make, absolute. */
  readonly out: string;
  /** File that started this process: run again for every step. */
  readonly entry: string;
  readonly now: Date;
  readonly say: (text: string) => void;
}

/** What a rehearsal leaves to be told. */
export interface Result {
  readonly cast: Cast;
  readonly folder: string;
  readonly story: Story;
  readonly message: string;
  /** Folders of the attempts at the key generation; the last one succeeded. */
  readonly attempts: readonly string[];
  readonly uses?: Uses | undefined;
  readonly publicKey?: string | undefined;
  /** Hex, one for each signing that gave one. */
  readonly signatures: readonly string[];
  readonly courier: { readonly rounds: number; readonly files: number };
  /** Why the rehearsal is not as it should be; undefined when all is well. */
  readonly failure?: string | undefined;
}

/**
 * Plays a whole ceremony. What goes wrong on the stage is told in the result, not thrown.
 * @throws E_EXISTS, E_USAGE and the refusals of a quorum, before anything is made
 */
export async function rehearse(request: Request): Promise<Result> {
  const cast = castOf(request.draft);
  const message = `This sentence was signed in a rehearsal on ${request.now.toISOString().slice(0, 10)}; it moves nothing and binds nobody.\n`;
  const draft = `# What this rehearsal plays. Nobody needs cards or words here; in a real ceremony people compare them.\n${stringify(request.draft, { lineWidth: 0 })}`;
  const stage = makeStage(request.out, cast, draft, message);
  const story = new Story(request.say);
  const play: Play = { stage, story, program: new Program(stage, request.entry, (who, text) => { story.busy(who, text); }), courier: new Courier(stage) };
  const result: { -readonly [K in keyof Result]: Result[K] } = { cast, folder: stage.root, story, message, attempts: [], signatures: [], courier: play.courier };
  try {
    await makeHomes(play);
    result.attempts = await generateKey(play, request.faults);
    result.publicKey = await checkKey(play);
    const { presigning, signings } = (result.uses = await useKey(play, request.faults));
    story.chapter('Checks by others');
    result.signatures = await checkSignatures(play, signings);
    await checkRecord(play, result.attempts.at(-1) as string, cast.lead);
    for (const ceremony of [...(presigning === undefined ? [] : [presigning]), ...signings]) await checkRecord(play, ceremony, cast.signers[0] as string);
  } catch (e) {
    result.failure = e instanceof Error ? e.message : String(e);
    story.remark(`✗ the rehearsal ends here: ${result.failure}`);
  }
  result.failure ??= fault(story);
  writeFileSync(join(stage.root, 'log.txt'), story.log);
  writeFileSync(join(stage.root, 'README.txt'), readme(result));
  return result;
}

async function makeHomes(play: Play): Promise<void> {
  const { stage, story } = play;
  story.chapter('Identities');
  const made = await actTogether(play, stage.cast.everybody, 'init', (who) => ['init', '--name', who, '--rehearsal'], 'makes identity and one-time keys');
  allGood(stage.cast.everybody, 'init', made);
  for (const who of stage.cast.everybody) cpSync(join(stage.root, homeOf(who), 'identity', `${who}.card`), join(stage.root, CARDS, `${who}.card`));
  story.remark(`the courier brings all cards to ${stage.cast.lead}, who leads`);
}

/** The first gate or check that is not as it should be. */
function fault(story: Story): string | undefined {
  const gate = story.faults.find((f) => !answered(f));
  if (gate) return `the gates did not answer the fault ${gate.fault} as they should`;
  return story.checks.find((c) => c.verdict === 'wrong')?.text;
}
