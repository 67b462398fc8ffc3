/** `status`: read-only. One line a participant; without a folder, one line a ceremony. Needs no passphrase. */
import { join } from 'node:path';
import type { Home } from '../../ceremony/home.ts';
import { lockReason } from '../../ceremony/home.ts';
import { resultOf } from '../../ceremony/result.ts';
import { CeremonyStore } from '../../ceremony/store.ts';
import { awaited, closingOf, slotsOf, slotsOfSeat } from '../../protocols/machine.ts';
import { isKeying } from '../../plan/plan.ts';
import { MAX_PLAN_FILE_BYTES } from '../../plan/plan-file.ts';
import { toHex } from '../../wire/bytes.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { sha256 } from '../../wire/hash.ts';
import type { Context } from '../context.ts';

export async function status(ctx: Context, argument: string | undefined): Promise<ExitCode> {
  const home = await ctx.home('read');
  const locked = lockReason(home);
  if (argument !== undefined || ctx.route?.by === 'folder') return one(ctx, home, ctx.folder(argument));
  const all = CeremonyStore.all(home);
  ctx.out.result(
    {
      schema: 'mpc-ceremony/status/1',
      participant: home.facts.name,
      mode: home.facts.mode,
      locked: locked ?? null,
      ceremonies: all.map((s) => ({ ceremony: s.label, kind: s.plan.kind, folder: s.folder, state: resultOf(s, ctx.now()) })),
      exit: 0,
    },
    [
      `${home.facts.name} (${home.facts.mode})${locked === undefined ? '' : `  LOCKED: ${locked}`}`,
      ...(all.length === 0 ? ['No ceremony here yet.'] : all.map((s) => `${s.label.padEnd(28)} ${resultOf(s, ctx.now()).padEnd(12)} ${s.folder}`)),
    ],
  );
  return EXIT.ok;
}

function one(ctx: Context, home: Home, folder: string): ExitCode {
  const bytes = ctx.disk.read(join(folder, 'PLAN.yaml'), MAX_PLAN_FILE_BYTES);
  const store =
    CeremonyStore.byPlace(home, folder, bytes && toHex(sha256(bytes))) ??
    fail('E_NOT_JOINED', `${home.facts.name} has not joined the ceremony in ${folder}`, { file: folder, remedy: `mpc-ceremony join ${folder}` });
  const messages = store.messages();
  const slots = slotsOf(store.plan);
  const waitingFor = awaited(store.plan, store.session.seats, messages);
  const participants = store.session.seats.map((seat) => ({
    name: seat.name,
    sent: slots.filter((s) => messages.get(s.slot)?.has(seat.leaf)).map((s) => {
      const e = messages.get(s.slot)?.get(seat.leaf);
      const closing = s === slots.at(-1) && e ? closingOf(e.body) : 'close';
      return closing === 'close' ? s.name : (closing ?? s.name);
    }),
    // of its messages on the way to a good end; a dealer who leaves has fewer
    owes: slotsOfSeat(store.plan, seat.leaf, store.session.seats).filter((s) => messages.get(s.slot)?.has(seat.leaf) !== true).map((s) => s.name),
    leaves: isKeying(store.plan) && seat.leaf > store.plan.participants.length,
    waiting: !store.done && waitingFor?.missing.some((s) => s.leaf === seat.leaf) === true,
  }));
  ctx.out.result(
    { schema: 'mpc-ceremony/status/1', participant: home.facts.name, ceremony: store.plan.name, kind: store.plan.kind, attempt: store.plan.attempt, state: resultOf(store, ctx.now()), participants, exit: 0 },
    [
      `${store.label}  ${resultOf(store, ctx.now())}`,
      ...participants.map((p) => `  ${p.name.padEnd(20)} ${p.sent.join(', ') || 'nothing yet'}${p.leaves ? ' (leaves)' : ''}${p.waiting ? `   ← waiting for ${waitingFor?.slot.name ?? ''}` : ''}`),
    ],
  );
  return EXIT.ok;
}
