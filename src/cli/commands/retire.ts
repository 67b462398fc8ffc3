/** `key retire`, `key release`, `key close`: the end of a key, of a lock, of an epoch. */
import { activeEpoch, isForked, releaseFork, requireKey } from '../../ceremony/key-store.ts';
import { openBackups } from '../../ceremony/backup-register.ts';
import { closingItems } from '../../ceremony/retire.ts';
import { endKey } from '../../ceremony/supersede.ts';
import { utc } from '../../ceremony/times.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import type { Context } from '../context.ts';
import { fold } from '../output.ts';

export async function keyRetire(ctx: Context, name: string, options: { attest?: string; movedTo?: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const certificate = requireKey(home, name);
  const forked = isForked(home, name);
  if (!forked && (options.attest === undefined || options.movedTo === undefined))
    fail('E_BALANCE_ATTEST', `whoever ends ${name} says who found that nothing depends on it any more, and where what it protected is now`, {
      field: options.attest === undefined ? 'attest' : 'moved-to',
      remedy: `mpc-ceremony key retire ${name} --attest "who, when, how" --moved-to "new address or key"`,
    });
  const { signer } = await ctx.port(home).unlock();
  const gone = endKey(home, certificate, options.attest ?? 'locked: another epoch of the key is in force', options.movedTo ?? 'another epoch of the key', signer, ctx.now());
  releaseFork(home, name);
  ctx.out.result({ schema: 'mpc-ceremony/key-retired/1', key: name, epochs: gone, exit: 0 }, fold(`✓ This home has ended its part in ${name}. Destroyed: shares and stocks of epoch ${gone.map(String).join(', ') || '(none were left)'}. Backups and copies elsewhere are yours to destroy.`));
  return EXIT.ok;
}

export async function keyRelease(ctx: Context, name: string, options: { reason: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  requireKey(home, name);
  if (!isForked(home, name)) fail('E_USAGE', `the share of ${name} is not locked`, { field: 'name' });
  await ctx.port(home).unlock();
  releaseFork(home, name, { reason: options.reason, at: utc(ctx.now()) });
  ctx.out.result({ schema: 'mpc-ceremony/key-released/1', key: name, reason: options.reason, exit: 0 }, fold(`The share of ${name} may be used again: ${options.reason}`));
  return EXIT.ok;
}

export async function keyClose(ctx: Context, name: string): Promise<ExitCode> {
  const home = await ctx.home('read');
  const certificate = activeEpoch(home, name) ?? requireKey(home, name);
  const items = closingItems(home, certificate, openBackups(home, certificate));
  const exit = items.length === 0 ? EXIT.ok : EXIT.cannotTell;
  const before = certificate.epoch.base?.number;
  ctx.out.result(
    { schema: 'mpc-ceremony/epoch-close/1', key: name, epoch: certificate.epoch.number, before: before ?? null, open: items, ...(exit === EXIT.ok ? {} : { error: { code: 'E_RETIRE_OPEN' } }), exit },
    before === undefined ? [`Epoch ${String(certificate.epoch.number)} of ${name} is its first; there is nothing before it to close.`] : items.length === 0 ? [`✓ Nothing is left of epoch ${String(before)} of ${name}, as far as statements go.`] : [`Still open before epoch ${String(before)} of ${name} is closed:`, ...items.flatMap((i) => fold(`  ${i.text}`))],
  );
  return exit;
}
