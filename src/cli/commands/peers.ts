/** `peers add`, `peers list`, `peers verify`. */
import { resolve } from 'node:path';
import { ABORT_LIMIT, clearBlame } from '../../ceremony/blame.ts';
import { requireKey } from '../../ceremony/key-store.ts';
import { addPeer, listPeers, recordVerification, requirePeer } from '../../ceremony/peers.ts';
import { utc } from '../../ceremony/times.ts';
import { parseCard, cardFingerprint } from '../../plan/card.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { formatWords, words } from '../../wire/words.ts';
import type { Context } from '../context.ts';
import { blankTwo } from '../../ceremony/word-quiz.ts';

export async function peersAdd(ctx: Context, files: string[]): Promise<ExitCode> {
  const home = await ctx.home('write');
  const cards = files.map((f) => {
    const file = resolve(f);
    return parseCard(ctx.disk.read(file, 65_536) ?? fail('E_CARD', `there is no card ${file}`, { file }), file);
  });
  for (const [i, card] of cards.entries()) addPeer(home, card, resolve(files[i] as string));
  ctx.out.result(
    { schema: 'mpc-ceremony/peers/1', added: cards.map((c) => c.name), exit: 0 },
    cards.flatMap((c) => [`✓ Card of ${c.name} taken up; not compared yet.`, `NEXT  COMPARE_WORDS`, `  mpc-ceremony peers verify ${c.name}`]),
  );
  return EXIT.ok;
}

export async function peersList(ctx: Context): Promise<ExitCode> {
  const peers = listPeers(await ctx.home('read'));
  ctx.out.result(
    { schema: 'mpc-ceremony/peers/1', peers, exit: 0 },
    peers.length === 0 ? ['No cards of others here.'] : peers.map((p) => `${p.name.padEnd(32)} ${p.compared === 'not-compared' ? 'not compared' : `compared (${p.compared}) ${p.at ?? ''}`}`),
  );
  return EXIT.ok;
}

export async function peersVerify(ctx: Context, name: string): Promise<ExitCode> {
  const home = await ctx.home('write');
  const card = requirePeer(home, name);
  const quiz = blankTwo(words(cardFingerprint(card)));
  const { answer, source } = await ctx.answers.ask('verify-peer', [
    `Words of the card of ${name}. Ask ${name} to read aloud the words of "mpc-ceremony card show".`,
    ...formatWords(quiz.shown),
    `Type words ${quiz.positions.join(' and ')} as ${name} reads them, with a space between:`,
  ]);
  if (!quiz.matches(answer))
    fail('E_WORDS', `the words that ${name} read are not those of the card in this home`, {
      participant: name,
      remedy: `Read all sixteen again, slowly. If they still differ, the card was exchanged on the way: ask ${name} for it again.`,
    });
  const at = utc(ctx.now());
  recordVerification(home, card, source, at);
  ctx.out.result({ schema: 'mpc-ceremony/peers/1', verified: name, compared: source, at, exit: 0 }, [`✓ The card of ${name} is compared (${source}).`]);
  return EXIT.ok;
}

/** Lets a participant take part again who was proven to have cheated in a use of an ECDSA key. */
export async function peersClear(ctx: Context, name: string, options: { key: string; reason: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  if (options.reason.trim() === '' || options.reason.length > 512) fail('E_USAGE', 'the reason must have 1 to 512 characters', { field: 'reason' });
  const { epoch } = requireKey(home, options.key);
  // the passphrase shows that it is a person of this home who decides
  await ctx.port(home).unlock();
  const at = utc(ctx.now());
  const failures = clearBlame(home, options.key, epoch.number, name, options.reason, at);
  const left = ABORT_LIMIT - failures;
  ctx.out.result(
    { schema: 'mpc-ceremony/peers/1', cleared: name, key: options.key, epoch: epoch.number, failures, at, exit: 0 },
    [
      `✓ ${name} may take part in signings with ${options.key} again, as far as this home is concerned.`,
      left > 0 ? `  It failed ${String(failures)} time${failures === 1 ? '' : 's'} in this epoch; after ${String(ABORT_LIMIT)} only a new epoch helps.` : '  It has failed too often in this epoch: only a new epoch helps.',
    ],
  );
  return EXIT.ok;
}
