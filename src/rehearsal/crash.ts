/**
 * Power cuts: the process of one step is killed at ever later durable writes, and started again each time, until it
 * comes through. Whatever once left the laptop must stay the same, byte for byte.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CeremonyStore } from '../ceremony/store.ts';
import { realDisk } from '../vault/durable.ts';
import { toHex } from '../wire/bytes.ts';
import { sha256 } from '../wire/hash.ts';
import { filesIn } from './courier.ts';
import { expectGood, type Play } from './play.ts';
import { copyOf, rehearsalHome } from './stage.ts';
import { inWords } from './story.ts';

// a step has about two dozen durable writes
const MAX_KILLS = 60;

/** Messages of a participant that lie in its folder, by path: SHA-256 in hex. */
function released(play: Play, who: string, ceremony: string): Map<string, string> {
  const dir = join(play.stage.root, copyOf(who, ceremony));
  const own = filesIn(dir).filter((path) => path.endsWith(`/${who}.blob`));
  return new Map(own.map((path) => [path, toHex(sha256(readFileSync(join(dir, path))))]));
}

/** What a killed step has got done: messages that count as sent, and all that can be seen from outside. */
function progress(play: Play, who: string, ceremony: string): string {
  const dir = join(play.stage.root, copyOf(who, ceremony));
  const store = CeremonyStore.byPlace(rehearsalHome(play.stage, who, realDisk()), dir, undefined);
  return JSON.stringify([store === undefined, [...(store?.sent ?? [])], store?.done, filesIn(dir)]);
}

/** Plays the fault on `join` or `next` of one participant, which has got through it afterwards. */
export async function crashThrough(play: Play, who: string, command: 'join' | 'next', ceremony: string): Promise<void> {
  const { story, program } = play;
  const args = [command, copyOf(who, ceremony)];
  const outside = released(play, who, ceremony);
  const before = new Set(outside.keys());
  let same = true;
  const look = (): void => {
    for (const [path, hash] of released(play, who, ceremony)) {
      same &&= (outside.get(path) ?? hash) === hash;
      outside.set(path, hash);
    }
  };
  let kills = 0;
  let killedOutside = 0;
  let killAt = 1;
  let reached = progress(play, who, ceremony);
  let outcome = await program.run(who, args, { killAt });
  if (!outcome.killed) {
    // a step that writes nothing leaves nothing to interrupt
    story.step(who, command, '', outcome);
    expectGood(who, command, outcome);
    return;
  }
  const fault = story.fault('crash', `the process of ${who}'s ${command} is killed (kill -9) again and again, each time at a later durable write`);
  while (outcome.killed && kills < MAX_KILLS) {
    kills += 1;
    story.aside(outcome.line);
    look();
    if (outside.size > before.size) killedOutside += 1;
    const now = progress(play, who, ceremony);
    killAt = now === reached ? killAt + 1 : 1;
    reached = now;
    outcome = await program.run(who, args, { killAt });
  }
  story.step(who, command, `killed ${String(kills)} times, then comes through`, outcome);
  expectGood(who, command, outcome);
  look();
  const again = await program.run(who, ['next', copyOf(who, ceremony)]);
  story.step(who, 'next', 'once more', again);
  expectGood(who, 'next', again);
  look();
  const fresh = [...outside.keys()].filter((path) => !before.has(path));
  story.gate(
    fault,
    who,
    { sameBytes: true },
    { sameBytes: same && killedOutside > 0 },
    `${command} of ${ceremony} killed ${String(kills)} times, ${String(killedOutside)} of them with a message outside; ${inWords(fresh)} the same byte for byte`,
  );
}
