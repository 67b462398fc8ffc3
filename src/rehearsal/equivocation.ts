/**
 * A participant's laptop exists twice. Both copies join, and each signs a first message of its own; the others get
 * different ones. The attempt ends; the two signed messages prove who is named.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk } from '../vault/durable.ts';
import { checkBlame } from './checks.ts';
import { act, actTogether, allGood, expectGood, onCopy, type Play } from './play.ts';
import type { Outcome } from './program.ts';
import { CARDS, copyOf, homeOf, rehearsalHome } from './stage.ts';
import { verdictOf } from './story.ts';

/** Plays one attempt, begun by the lead, to its end. */
export async function playEquivocation(play: Play, ceremony: string): Promise<void> {
  const { stage, program, courier, story } = play;
  const { root, cast } = stage;
  const culprit = cast.holders.at(-1) as string;
  const honest = cast.holders.slice(0, -1);
  const [first, ...others] = honest as [string, ...string[]];
  // no participant can have a name with a dot
  const twin = `${culprit}.copy`;
  const message = `round-1/${culprit}.blob`;

  courier.carry(ceremony, cast.holders);
  const fault = story.fault('equivocation', `${culprit}'s home is copied before the ceremony, and both copies take part; ${first} gets the message of one, the others that of the other`);
  rehearsalHome(stage, culprit, realDisk());
  cpSync(join(root, homeOf(culprit)), join(root, homeOf(twin)), { recursive: true });
  cpSync(join(root, copyOf(culprit, ceremony)), join(root, copyOf(twin, ceremony)), { recursive: true });
  const joining = [...others, culprit];
  allGood(joining, 'join', await actTogether(play, joining, 'join', onCopy('join', ceremony), 'reads the plan'));
  const twinJoined = await program.run(culprit, ['join', copyOf(twin, ceremony)], { home: homeOf(twin) });
  story.step(twin, 'join', 'reads the plan', twinJoined);
  expectGood(twin, 'join', twinJoined);

  const versions = { real: readFileSync(join(root, copyOf(culprit, ceremony), message)), twin: readFileSync(join(root, copyOf(twin, ceremony), message)) };
  courier.carry(ceremony, cast.holders, (path, to, bytes) => (path === message && to !== first ? versions.twin : bytes));
  allGood(honest, 'next', await actTogether(play, honest, 'next', onCopy('next', ceremony), 'has messages of all'));

  story.remark(`the courier brings everybody what the others have received from ${culprit}`);
  for (const who of honest) courier.hand(who, ceremony, `round-1/${culprit}-as-received-by-others.blob`, who === first ? versions.twin : versions.real);
  const stopped = await actTogether(play, honest, 'next', onCopy('next', ceremony), '');
  stopped.forEach((outcome, i) => {
    story.gate(fault, honest[i] as string, { exit: 23, code: 'E_EQUIVOCATION', participant: culprit }, verdictOf(outcome));
  });
  courier.carry(ceremony, honest);
  await checkBlame(play, fault, ceremony, honest, { code: 'E_EQUIVOCATION', culprit });
  await mend(play, ceremony, culprit, twin, versions.twin, stopped[0] as Outcome);
}

/** The lawful way on: the copy is destroyed, the home that is kept renews its card, and the lead begins again. */
async function mend(play: Play, ceremony: string, culprit: string, twin: string, foreign: Uint8Array, stopped: Outcome): Promise<void> {
  const { stage, courier, story } = play;
  const fault = story.fault('equivocation', `${culprit}'s own laptop meets the message that its copy signed`);
  courier.hand(culprit, ceremony, `round-1/${culprit}-as-received-by-others.blob`, foreign);
  const [outcome] = (await actTogether(play, [culprit], 'next', onCopy('next', ceremony), '')) as [Outcome];
  story.gate(fault, culprit, { exit: 24, code: 'E_ROLLBACK' }, verdictOf(outcome));
  story.remark(`the lawful next step, in the program's words: ${stopped.report.error?.remedy ?? ''}`);
  story.remark(`to ${culprit}: ${outcome.report.error?.remedy ?? ''}`);
  story.remark(`so it is done: the copy is destroyed, ${culprit} renews the card, and the lead begins again`);
  rmSync(join(stage.root, homeOf(twin)), { recursive: true });
  await act(play, culprit, 'card renew', ['card', 'renew'], 'makes fresh one-time keys and destroys the older ones');
  cpSync(join(stage.root, homeOf(culprit), 'identity', `${culprit}.card`), join(stage.root, CARDS, `${culprit}.card`));
}
