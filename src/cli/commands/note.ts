/** `note exception`, `note bag`, `note witness`. */
import { noteFact, witness as witnessCeremony } from '../../ceremony/witness.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import type { Context } from '../context.ts';
import { choose } from '../choose.ts';

async function fact(ctx: Context, kind: 'exception' | 'bag', argument: string | undefined, text: string): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { store, folder } = await choose(ctx, home, argument);
  const { file, head } = await noteFact(store, folder, kind, text, ctx.port(home));
  ctx.out.result({ schema: 'mpc-ceremony/note/1', kind, file, head, exit: 0 }, [`✓ Noted on the record: ${file}`]);
  return EXIT.ok;
}

export async function noteException(ctx: Context, argument: string | undefined, options: { text: string }): Promise<ExitCode> {
  return fact(ctx, 'exception', argument, options.text);
}

export async function noteBag(ctx: Context, argument: string | undefined, options: { text: string }): Promise<ExitCode> {
  return fact(ctx, 'bag', argument, options.text);
}

export async function noteWitness(ctx: Context, folder: string): Promise<ExitCode> {
  const home = await ctx.home('write');
  return ctx.out.step(await witnessCeremony(home, ctx.folder(folder), ctx.port(home)));
}
