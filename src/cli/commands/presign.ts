/** `presign`: the lead begins the making of presignatures. */
import { resolve } from 'node:path';
import { readPlan } from '../../ceremony/join.ts';
import { parseRoutes } from '../../ceremony/routes.ts';
import { type PresignRequest, startPresign } from '../../ceremony/start.ts';
import { sessionId } from '../../plan/plan.ts';
import { toHex } from '../../wire/bytes.ts';
import { type ExitCode, fail } from '../../wire/errors.ts';
import { byRoute } from '../by-route.ts';
import { type Context, realPath } from '../context.ts';

interface PresignOptions {
  key?: string;
  count?: number;
  path?: string;
  signers?: string[];
  expiresDays?: number;
  unattended?: boolean;
  pinProgram?: boolean;
  again?: string;
  routes?: string[];
  out?: string;
}

export async function presign(ctx: Context, options: PresignOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const out = realPath(options.out ?? fail('E_USAGE', 'the folder to make is missing: --out DIR', { field: 'out' }));
  let given: Partial<PresignRequest> = {};
  if (options.again !== undefined) {
    const { plan } = await readPlan(home, resolve(options.again));
    if (plan.kind !== 'presign') fail('E_USAGE', `the ceremony in ${options.again} is a ${plan.kind}`, { field: 'again' });
    given = {
      key: plan.key.name,
      count: plan.count,
      path: plan.path,
      signers: plan.participants.map((p) => p.name),
      attended: plan.attended,
      pinProgram: plan.program !== undefined,
      routes: plan.routes,
      previous: { sid: toHex(sessionId(plan)), attempt: plan.attempt },
    };
  }
  const step = await startPresign(
    home,
    {
      key: options.key ?? given.key ?? fail('E_USAGE', 'the key is missing: --key NAME', { field: 'key' }),
      count: options.count ?? given.count ?? fail('E_USAGE', 'how many is missing: --count N', { field: 'count' }),
      path: options.path ?? given.path,
      signers: options.signers ?? given.signers ?? fail('E_USAGE', 'the signers are missing: --signers alice,bob', { field: 'signers' }),
      attended: options.unattended === true ? false : (given.attended ?? true),
      days: options.expiresDays ?? 30,
      pinProgram: options.pinProgram === true || given.pinProgram === true,
      routes: options.routes ? parseRoutes(options.routes) : given.routes,
      out,
      previous: given.previous,
    },
    ctx.port(home),
  );
  return byRoute(ctx, home, out, step);
}
