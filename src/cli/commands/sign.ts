/** `sign`: the lead begins a signing. */
import { join, resolve } from 'node:path';
import { readPlan } from '../../ceremony/join.ts';
import { parseRoutes } from '../../ceremony/routes.ts';
import { startSign, type SignRequest } from '../../ceremony/start.ts';
import { sessionId } from '../../plan/plan.ts';
import { toHex } from '../../wire/bytes.ts';
import { type ExitCode, fail } from '../../wire/errors.ts';
import { byRoute } from '../by-route.ts';
import { type Context, realPath } from '../context.ts';

interface SignOptions {
  intent?: string;
  signers?: string[];
  live?: boolean;
  unattended?: boolean;
  pinProgram?: boolean;
  again?: string;
  routes?: string[];
  out?: string;
}

export async function sign(ctx: Context, options: SignOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const out = realPath(options.out ?? fail('E_USAGE', 'the folder to make is missing: --out DIR', { field: 'out' }));
  let previous: SignRequest['previous'];
  let routes = options.routes && parseRoutes(options.routes);
  let signers = options.signers;
  let attended = options.unattended !== true;
  let pinProgram = options.pinProgram === true;
  let intentFile = options.intent;
  if (options.again !== undefined) {
    const folder = resolve(options.again);
    const { plan } = await readPlan(home, folder);
    if (plan.kind !== 'sign') fail('E_USAGE', `the ceremony in ${options.again} is a ${plan.kind}`, { field: 'again' });
    previous = { sid: toHex(sessionId(plan)), attempt: plan.attempt };
    routes ??= plan.routes;
    signers ??= plan.participants.map((p) => p.name);
    attended = options.unattended === true ? false : plan.attended;
    pinProgram ||= plan.program !== undefined;
    intentFile ??= join(folder, 'intent.json');
  }
  const step = await startSign(
    home,
    {
      intentFile: resolve(intentFile ?? fail('E_USAGE', 'the intent is missing: --intent FILE', { field: 'intent' })),
      signers: signers ?? fail('E_USAGE', 'the signers are missing: --signers alice,bob', { field: 'signers' }),
      live: options.live === true,
      attended,
      pinProgram,
      routes,
      out,
      previous,
    },
    ctx.port(home),
  );
  return byRoute(ctx, home, out, step);
}
