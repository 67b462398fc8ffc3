/** `init`: makes a participant's home; `--prepare` makes the primes of an ECDSA key ahead of the day, also in a home that exists. */
import { join } from 'node:path';
import { createHome } from '../../ceremony/identity.ts';
import { cardFingerprint } from '../../plan/card.ts';
import { PRODUCTION, REHEARSAL } from '../../vault/kdf.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { formatWords, words } from '../../wire/words.ts';
import type { Context } from '../context.ts';

interface InitOptions {
  readonly name?: string;
  readonly rehearsal?: boolean;
  readonly prepare?: string;
}

export async function init(ctx: Context, options: InitOptions): Promise<ExitCode> {
  const wants = options.prepare;
  if (wants !== undefined && wants !== 'cggmp24') fail('E_USAGE', `there is nothing to prepare for ${wants}`, { field: 'prepare', remedy: 'What can be prepared: cggmp24' });
  if (wants !== undefined && ctx.disk.exists(join(ctx.homeRoot, 'VERSION'))) return prepareExisting(ctx, options);
  const made = await makeHome(ctx, options);
  const prepared = wants === undefined ? {} : { prepared: await prepare(ctx, made.secret) };
  made.secret.wipe();
  const { card, mode, path } = made;
  const list = words(cardFingerprint(card));
  ctx.out.result(
    { schema: 'mpc-ceremony/card/1', participant: card.name, mode, home: ctx.homeRoot, card: path, words: list, ...prepared, exit: 0 },
    [
      `✓ The home of ${card.name} is made${mode === 'rehearsal' ? ' (for rehearsals only)' : ''}.`,
      ...(wants === undefined ? [] : ['✓ The primes of one ECDSA key are made and sealed in it.']),
      'Words of this card. Read them aloud to whoever takes it up:',
      ...formatWords(list),
      'NEXT  CARRY_OUT',
      '  Give this card to the ceremony lead. It holds nothing secret:',
      `  ${path}`,
    ],
  );
  return EXIT.ok;
}

async function makeHome(ctx: Context, { name, rehearsal }: InitOptions) {
  if (name === undefined) return fail('E_USAGE', 'the name of this participant is missing: --name NAME', { field: 'name' });
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) fail('E_USAGE', `${name} cannot be a name: a lowercase letter, then letters, digits or "-", at most 32 in all`, { field: 'name' });
  const root = ctx.homeRoot;
  if (ctx.disk.exists(join(root, 'VERSION')))
    fail('E_EXISTS', `there is a home at ${root} already`, { file: root, remedy: 'Choose another with --home. A home is never overwritten.' });
  if (ctx.disk.exists(root) && !ctx.disk.exists(join(root, 'identity')) && (ctx.disk.list(root).length > 0 || ctx.disk.dirs(root).length > 0))
    fail('E_EXISTS', `${root} is not empty and is no home`, { file: root, remedy: 'Choose an empty or new folder with --home.' });
  const secret = await ctx.passphrase(true);
  ctx.out.say('making identity and one-time keys …');
  const mode = rehearsal === true ? ('rehearsal' as const) : ('production' as const);
  const card = await createHome(ctx.disk, root, { name, mode }, secret, mode === 'rehearsal' ? REHEARSAL : PRODUCTION, ctx.random);
  return { card, mode, secret, path: join(root, 'identity', `${card.name}.card`) };
}

/** Makes one set of primes in a home that exists. */
async function prepareExisting(ctx: Context, { name }: InitOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  if (name !== undefined && name !== home.facts.name) fail('E_EXISTS', `the home at ${ctx.homeRoot} is that of ${home.facts.name}`, { file: ctx.homeRoot, field: 'name', remedy: 'Choose another with --home.' });
  const prepared = await prepare(ctx);
  ctx.out.result({ schema: 'mpc-ceremony/prepared/1', participant: home.facts.name, home: ctx.homeRoot, prepared, exit: 0 }, [
    '✓ The primes of an ECDSA key are made and sealed.',
    `Sets in this home: ${String(prepared)}. Each serves one key.`,
  ]);
  return EXIT.ok;
}

/** @param secret the passphrase, where it was just typed @returns how many sets are there now */
async function prepare(ctx: Context, secret?: import('../../vault/secret.ts').Secret): Promise<number> {
  const [{ preparedPrimes, preparePrimes }, { openIdentity }] = await Promise.all([import('../../ceremony/primes.ts'), import('../../ceremony/identity.ts')]);
  const home = await ctx.home('write');
  const port = ctx.port(home);
  await preparePrimes(home, secret ? await openIdentity(home, secret, ctx.random) : await port.unlock(), port);
  return preparedPrimes(home).length;
}
