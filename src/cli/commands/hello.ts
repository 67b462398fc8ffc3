/** The program without a command: what there is to do here. Reads the home if there is one, and changes nothing. */
import { join } from 'node:path';
import { awaited } from '../../protocols/machine.ts';
import { lockReason } from '../../ceremony/home.ts';
import { CeremonyStore } from '../../ceremony/store.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import type { Context } from '../context.ts';
import { wrap } from '../output.ts';

const BEGINNINGS = [
  '  See a whole one, nothing is kept:   mpc-ceremony rehearse',
  '  You were sent a ceremony folder:    mpc-ceremony init, then mpc-ceremony join FOLDER',
  '  You lead one:                       mpc-ceremony dkg --help',
];

/** What an open ceremony waits for, and what to do. */
function standing(store: CeremonyStore): { waitsFor: readonly string[]; message: string | undefined } {
  const pending = awaited(store.plan, store.session.seats, store.messages());
  return { waitsFor: pending?.missing.map((s) => s.name) ?? [], message: pending?.slot.name };
}

export async function hello(ctx: Context): Promise<ExitCode> {
  const schema = 'mpc-ceremony/hello/1';
  if (!ctx.disk.exists(join(ctx.homeRoot, 'VERSION'))) {
    ctx.out.result({ schema, participant: null, open: [], exit: 0 }, ['No ceremony here yet.', ...BEGINNINGS]);
    return EXIT.ok;
  }
  const home = await ctx.home('read');
  const locked = lockReason(home);
  const open = CeremonyStore.all(home).filter((s) => !s.done && !s.ending);
  const rows = open.map((s) => ({ ceremony: s.label, kind: s.plan.kind, folder: s.folder, ...standing(s) }));
  const who = `${home.facts.name}${home.facts.mode === 'rehearsal' ? ' (rehearsal)' : ''}`;
  ctx.out.result(
    { schema, participant: home.facts.name, mode: home.facts.mode, locked: locked ?? null, open: rows, exit: 0 },
    [
      ...(locked === undefined ? [] : [wrap(`✗ The home of ${who} is locked: ${locked}`, 80), '  mpc-ceremony status says more.']),
      ...(rows.length === 0
        ? [`${who}: no ceremony is open here.`, BEGINNINGS[0] as string, '  You were sent a ceremony folder:    mpc-ceremony join FOLDER', BEGINNINGS[2] as string]
        : rows.flatMap((r) => [
            wrap(`${r.ceremony}  ${r.waitsFor.length === 0 ? 'can go on' : `waits for the ${r.message ?? 'message'} of ${r.waitsFor.join(', ')}`}`, 80),
            `  mpc-ceremony next ${r.folder}`,
          ])),
    ],
  );
  return EXIT.ok;
}
