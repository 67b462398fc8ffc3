/** `refresh` and `reshare`: the lead begins. */
import { resolve } from 'node:path';
import { readPlan } from '../../ceremony/join.ts';
import { parseRoutes } from '../../ceremony/routes.ts';
import { startRefresh, startReshare } from '../../ceremony/start-rekey.ts';
import { type Plan, sessionId } from '../../plan/plan.ts';
import { toHex } from '../../wire/bytes.ts';
import { type ExitCode, fail } from '../../wire/errors.ts';
import { byRoute } from '../by-route.ts';
import { type Context, realPath } from '../context.ts';

interface RekeyOptions {
  key?: string;
  stock?: number;
  cards?: string;
  expiresDays?: number;
  witness?: string[];
  unattended?: boolean;
  pinProgram?: boolean;
  again?: string;
  routes?: string[];
  out?: string;
}

interface ReshareOptions extends RekeyOptions {
  quorum?: string;
  dealers?: string[];
  replace?: string[];
  acceptWeaker?: boolean;
}

/** The plan of the attempt before. @throws E_USAGE when it is of another kind */
async function previous<K extends Plan['kind']>(ctx: Context, kind: K, again: string | undefined): Promise<Extract<Plan, { kind: K }> | undefined> {
  if (again === undefined) return undefined;
  const { plan } = await readPlan(await ctx.home('write'), resolve(again));
  if (plan.kind !== kind) fail('E_USAGE', `the ceremony in ${again} is a ${plan.kind}`, { field: 'again' });
  return plan as Extract<Plan, { kind: K }>;
}

function asked(options: RekeyOptions, before: Extract<Plan, { rank: number; key: unknown }> | undefined) {
  return {
    key: options.key ?? before?.name ?? fail('E_USAGE', 'the key is missing: --key NAME', { field: 'key' }),
    stock: options.stock ?? before?.stock ?? 0,
    cards: options.cards === undefined ? undefined : realPath(options.cards),
    witnesses: options.witness ?? before?.witnesses?.map((w) => w.name),
    attended: options.unattended === true ? false : (before?.attended ?? true),
    days: options.expiresDays ?? 30,
    pinProgram: options.pinProgram === true || before?.program !== undefined,
    out: realPath(options.out ?? fail('E_USAGE', 'the folder to make is missing: --out DIR', { field: 'out' })),
    routes: options.routes ? parseRoutes(options.routes) : before?.routes,
    previous: before && { sid: toHex(sessionId(before)), attempt: before.attempt },
  };
}

export async function refresh(ctx: Context, options: RekeyOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const before = await previous(ctx, 'refresh', options.again);
  const request = asked(options, before);
  return byRoute(ctx, home, request.out, await startRefresh(home, request, ctx.port(home)));
}

/** `old=new`, or one name for both. */
function pair(text: string, field: string): readonly [string, string] {
  const [from, to, more] = text.split('=');
  if (!from || more !== undefined || to === '') return fail('E_USAGE', `${text}: write OLD=NEW`, { field });
  return [from, to ?? from];
}

export async function reshare(ctx: Context, options: ReshareOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const before = await previous(ctx, 'reshare', options.again);
  const request = asked(options, before);
  const replace = (options.replace ?? []).map((text) => {
    const names = pair(text, 'replace');
    return names[0] === names[1] ? fail('E_USAGE', `${text}: write OLD=NEW`, { field: 'replace' }) : names;
  });
  if (replace.length > 0 && options.quorum !== undefined) fail('E_USAGE', 'either --quorum or --replace', { field: 'replace' });
  const step = await startReshare(
    home,
    {
      ...request,
      quorum: options.quorum ?? (replace.length > 0 ? undefined : before?.quorum),
      dealers: options.dealers?.map((text) => pair(text, 'dealers')),
      replace,
      acceptWeaker: options.acceptWeaker === true || before?.weakens === true,
    },
    ctx.port(home),
  );
  return byRoute(ctx, home, request.out, step);
}
