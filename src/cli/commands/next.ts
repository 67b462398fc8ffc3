/** `join`, `next`, `abort`. */
import { abort, step } from '../../ceremony/engine.ts';
import { CeremonyError, type ExitCode, fail } from '../../wire/errors.ts';
import type { ForeignShare } from '../../interop/foreign-share.ts';
import { choose } from '../choose.ts';
import type { Context } from '../context.ts';

export async function joinCommand(ctx: Context, folder: string, options: { share?: string; public?: string; scheme?: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { join, readPlan } = await import('../../ceremony/join.ts');
  const port = ctx.port(home);
  const { share } = options;
  if (share === undefined) return ctx.out.step(await join(home, ctx.folder(folder), port));
  const { plan } = await readPlan(home, ctx.folder(folder));
  if (plan.kind !== 'import') fail('E_USAGE', `nobody hands over a share in a ${plan.kind}`, { field: 'share' });
  const { shareOf, tellKey } = await import('./import.ts');
  // what kind of key a private key is, its holder says, not the plan
  const imported = (): ForeignShare => shareOf(ctx, { ...options, share, format: plan.source.format });
  const own = imported();
  own.share.fill(0);
  await tellKey(ctx, own.key);
  return ctx.out.step(await join(home, ctx.folder(folder), { ...port, imported }));
}

export async function next(ctx: Context, argument: string | undefined): Promise<ExitCode> {
  const home = await ctx.home('write');
  try {
    const { store, folder } = await choose(ctx, home, argument);
    return ctx.out.step(await step(store, folder, ctx.port(home)));
  } catch (e) {
    // a home that is behind may still take up what was given on without it
    if (argument === undefined || !(e instanceof CeremonyError)) throw e;
    const { orTakeUp } = await import('../../ceremony/bystander.ts');
    return ctx.out.step(await orTakeUp(home, ctx.folder(argument), ctx.port(home), e));
  }
}

export async function abortCommand(ctx: Context, argument: string | undefined, options: { reason: Parameters<typeof abort>[3] }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { store, folder } = await choose(ctx, home, argument);
  return abort(store, folder, ctx.port(home), options.reason);
}
