/** `card show`, `card renew`. */
import { inHome, lockReason, ownCard } from '../../ceremony/home.ts';
import { renewCard } from '../../ceremony/identity.ts';
import { ageRecipient } from '../../backup/recipient.ts';
import { type Card, cardFingerprint } from '../../plan/card.ts';
import { fromHex } from '../../wire/bytes.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { formatWords, words } from '../../wire/words.ts';
import type { Context } from '../context.ts';

function show(ctx: Context, card: Card, path: string, first: string): ExitCode {
  const list = words(cardFingerprint(card));
  const custody = card.custody === undefined ? undefined : { n: card.custody.n, recipient: ageRecipient(fromHex(card.custody.key)) };
  ctx.out.result(
    { schema: 'mpc-ceremony/card/1', participant: card.name, mode: card.mode, card: path, words: list, prekeys: card.prekeys.map((p) => p.n), ...(custody ? { custody } : {}), exit: 0 },
    [first, 'Words of this card:', ...formatWords(list), `One-time keys: ${card.prekeys.map((p) => String(p.n)).join(', ') || 'none left'}`, ...(custody ? [`Custody key ${String(custody.n)}, for backups of others (age):`, `  ${custody.recipient}`] : []), `File: ${path}`],
  );
  return EXIT.ok;
}

export async function cardShow(ctx: Context): Promise<ExitCode> {
  const home = await ctx.home('read');
  const card = ownCard(home);
  return show(ctx, card, inHome(home, 'identity', `${card.name}.card`), `Card of ${card.name} (${card.mode})`);
}

/** Fresh one-time keys; on a locked home all older ones are destroyed, and new attempts become possible again. */
export async function cardRenew(ctx: Context): Promise<ExitCode> {
  const home = await ctx.home('write');
  const identity = await ctx.port(home).unlock();
  const locked = lockReason(home) !== undefined;
  const card = renewCard(home, identity, ctx.random, ctx.now());
  return show(
    ctx,
    card,
    inHome(home, 'identity', `${card.name}.card`),
    locked ? '✓ New card. This home takes part in new ceremonies again; those begun before stay closed.' : '✓ New card. Give it to the lead; the words are the same as before.',
  );
}
