/** `join`, `next`, `abort`. */
import { join as joinPath } from 'node:path';
import { abort, step } from '../../ceremony/engine.ts';
import { requireRoute } from '../../ceremony/routes.ts';
import { CeremonyError, EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import type { ForeignShare } from '../../interop/foreign-share.ts';
import { byRoute } from '../by-route.ts';
import { choose } from '../choose.ts';
import type { Context } from '../context.ts';
import type { JoinOptions, WaitOptions } from '../via-relay.ts';

interface ShareOptions {
  readonly share?: string;
  readonly public?: string;
  readonly scheme?: string;
}

export async function joinCommand(ctx: Context, argument: string, options: ShareOptions & JoinOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { join, readPlan } = await import('../../ceremony/join.ts');
  const folder = ctx.folder(argument);
  if (ctx.route?.by === 'relay' && !ctx.disk.exists(joinPath(folder, 'PLAN.yaml')) && !(await (await import('../via-relay.ts')).takeInvitation(ctx, home, folder, options))) return EXIT.waiting;
  if (ctx.route?.by === 'qr') await (await import('../via-qr.ts')).planByCodes(ctx, home, folder);
  const port = ctx.port(home);
  const { share } = options;
  if (share === undefined) return byRoute(ctx, home, folder, await join(home, folder, port), options);
  const { plan } = await readPlan(home, folder);
  if (plan.kind !== 'import') fail('E_USAGE', `nobody hands over a share in a ${plan.kind}`, { field: 'share' });
  const { shareOf, tellKey } = await import('./import.ts');
  // what kind of key a private key is, its holder says, not the plan
  const imported = (): ForeignShare => shareOf(ctx, { ...options, share, format: plan.source.format });
  const own = imported();
  own.share.fill(0);
  await tellKey(ctx, own.key);
  return byRoute(ctx, home, folder, await join(home, folder, { ...port, imported }), options);
}

export async function next(ctx: Context, argument: string | undefined, options: WaitOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  try {
    const chosen = await choose(ctx, home, argument);
    if (ctx.route) requireRoute(chosen.store.plan, ctx.route.by);
    if (ctx.route?.by === 'relay') return await (await import('../via-relay.ts')).nextByRelay(ctx, home, chosen, options);
    return await byRoute(ctx, home, chosen.folder, await step(chosen.store, chosen.folder, ctx.port(home)), options);
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
