/** `sign`: the lead begins a signing. */
import { join, resolve } from 'node:path';
import { readPlan } from '../../ceremony/join.ts';
import { startSign, type SignRequest } from '../../ceremony/start.ts';
import { sessionId } from '../../plan/plan.ts';
import { toHex } from '../../wire/bytes.ts';
import { type ExitCode, fail } from '../../wire/errors.ts';
import { type Context, realPath } from '../context.ts';

interface SignOptions {
  intent?: string;
  signers?: string[];
  live?: boolean;
  unattended?: boolean;
  again?: string;
  out?: string;
}

export async function sign(ctx: Context, options: SignOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const out = realPath(options.out ?? fail('E_USAGE', 'the folder to make is missing: --out DIR', { field: 'out' }));
  let previous: SignRequest['previous'];
  let signers = options.signers;
  let attended = options.unattended !== true;
  let intentFile = options.intent;
  if (options.again !== undefined) {
    const folder = resolve(options.again);
    const { plan } = await readPlan(home, folder);
    if (plan.kind !== 'sign') fail('E_USAGE', `the ceremony in ${options.again} is a ${plan.kind}`, { field: 'again' });
    previous = { sid: toHex(sessionId(plan)), attempt: plan.attempt };
    signers ??= plan.participants.map((p) => p.name);
    attended = options.unattended === true ? false : plan.attended;
    intentFile ??= join(folder, 'intent.json');
  }
  const step = await startSign(
    home,
    {
      intentFile: resolve(intentFile ?? fail('E_USAGE', 'the intent is missing: --intent FILE', { field: 'intent' })),
      signers: signers ?? fail('E_USAGE', 'the signers are missing: --signers alice,bob', { field: 'signers' }),
      live: options.live === true,
      attended,
      out,
      previous,
    },
    ctx.port(home),
  );
  return ctx.out.step(step);
}
