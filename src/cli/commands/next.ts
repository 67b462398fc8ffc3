/** `join`, `next`, `abort`. */
import { abort, step } from '../../ceremony/engine.ts';
import type { ExitCode } from '../../wire/errors.ts';
import { choose } from '../choose.ts';
import type { Context } from '../context.ts';

export async function joinCommand(ctx: Context, folder: string): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { join } = await import('../../ceremony/join.ts');
  return ctx.out.step(await join(home, ctx.folder(folder), ctx.port(home)));
}

export async function next(ctx: Context, argument: string | undefined): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { store, folder } = await choose(ctx, home, argument);
  return ctx.out.step(await step(store, folder, ctx.port(home)));
}

export async function abortCommand(ctx: Context, argument: string | undefined, options: { reason: Parameters<typeof abort>[3] }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { store, folder } = await choose(ctx, home, argument);
  return abort(store, folder, ctx.port(home), options.reason);
}
