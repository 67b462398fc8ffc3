/** `init`: makes a participant's home. */
import { createHome } from '../../ceremony/identity.ts';
import { cardFingerprint } from '../../plan/card.ts';
import { PRODUCTION, REHEARSAL } from '../../vault/kdf.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { formatWords, words } from '../../wire/words.ts';
import { join } from 'node:path';
import type { Context } from '../context.ts';

export async function init(ctx: Context, options: { name: string; rehearsal?: boolean }): Promise<ExitCode> {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(options.name))
    fail('E_USAGE', `${options.name} cannot be a name: a lowercase letter, then letters, digits or "-", at most 32 in all`, { field: 'name' });
  const root = ctx.homeRoot;
  if (ctx.disk.exists(join(root, 'VERSION')))
    fail('E_EXISTS', `there is a home at ${root} already`, { file: root, remedy: 'Choose another with --home. A home is never overwritten.' });
  if (ctx.disk.exists(root) && !ctx.disk.exists(join(root, 'identity')) && (ctx.disk.list(root).length > 0 || ctx.disk.dirs(root).length > 0))
    fail('E_EXISTS', `${root} is not empty and is no home`, { file: root, remedy: 'Choose an empty or new folder with --home.' });
  const secret = await ctx.passphrase(true);
  ctx.out.say('making identity and one-time keys …');
  const mode = options.rehearsal === true ? 'rehearsal' : 'production';
  const card = await createHome(ctx.disk, root, { name: options.name, mode }, secret, mode === 'rehearsal' ? REHEARSAL : PRODUCTION, ctx.random);
  secret.wipe();
  const path = join(root, 'identity', `${card.name}.card`);
  const list = words(cardFingerprint(card));
  ctx.out.result(
    { schema: 'mpc-ceremony/card/1', participant: card.name, mode, home: root, card: path, words: list, exit: 0 },
    [
      `✓ The home of ${card.name} is made${mode === 'rehearsal' ? ' (for rehearsals only)' : ''}.`,
      'Words of this card. Read them aloud to whoever takes it up:',
      ...formatWords(list),
      'NEXT  CARRY_OUT',
      '  Give this card to the ceremony lead. It holds nothing secret:',
      `  ${path}`,
    ],
  );
  return EXIT.ok;
}
