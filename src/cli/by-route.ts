/** The end of a command that took a step: shows it, and lets the route that was chosen carry on. */
import type { Home } from '../ceremony/home.ts';
import type { Step } from '../ceremony/port.ts';
import type { ExitCode } from '../wire/errors.ts';
import type { Context } from './context.ts';
import type { WaitOptions } from './via-relay.ts';

/** Shows a step that began, joined or continued the ceremony of a folder; over a relay and by codes, what it made goes out at once. */
export async function byRoute(ctx: Context, home: Home, folder: string, step: Step, options: WaitOptions = {}): Promise<ExitCode> {
  if (ctx.route?.by === 'relay') return (await import('./via-relay.ts')).afterStep(ctx, home, folder, step, options);
  if (ctx.route?.by === 'qr') return (await import('./via-qr.ts')).goOnByCodes(ctx, home, folder, step);
  return ctx.out.step(step);
}
