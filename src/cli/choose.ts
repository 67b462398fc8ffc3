/** Which ceremony a command means. */
import { join as joinPath } from 'node:path';
import type { Home } from '../ceremony/home.ts';
import { CeremonyStore } from '../ceremony/store.ts';
import { MAX_PLAN_FILE_BYTES } from '../plan/plan-file.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Context } from './context.ts';

/** The ceremony of a folder, found by its plan file; a plan that was changed since joining is refused. */
async function find(ctx: Context, home: Home, folder: string): Promise<CeremonyStore> {
  const file = joinPath(folder, 'PLAN.yaml');
  const bytes = ctx.disk.read(file, MAX_PLAN_FILE_BYTES);
  const found = CeremonyStore.byPlace(home, folder, bytes && toHex(sha256(bytes)));
  if (found) return found;
  const { findChanged } = await import('../ceremony/find.ts');
  return findChanged(home, folder);
}

/** Without a folder: the one open ceremony of this home. */
function onlyOpen(home: Home): CeremonyStore {
  const open = CeremonyStore.all(home).filter((s) => !s.done && !s.ending);
  const [one, two] = open;
  if (!one)
    fail('E_NOT_JOINED', 'no ceremony is open here', { remedy: 'You were sent a folder: mpc-ceremony join FOLDER. You lead one: mpc-ceremony dkg --help' });
  if (two) fail('E_USAGE', `several ceremonies are open: ${open.map((s) => s.folder).join(', ')}`, { remedy: 'Name the folder: mpc-ceremony next FOLDER' });
  return one;
}

/** Notes which ceremony the command is about, for errors. */
function tell(ctx: Context, store: CeremonyStore): CeremonyStore {
  const { name, kind, attempt } = store.plan;
  Object.assign(ctx.about, { ceremony: name, kind, attempt });
  return store;
}

/** The ceremony of the named folder, of the current one, or the only one that is open. @throws E_NOT_JOINED, E_USAGE */
export async function choose(ctx: Context, home: Home, argument: string | undefined): Promise<{ store: CeremonyStore; folder: string }> {
  if (argument === undefined && ctx.route?.by !== 'folder' && !ctx.disk.exists(joinPath(ctx.folder(undefined), 'PLAN.yaml'))) {
    const store = tell(ctx, onlyOpen(home));
    return { store, folder: store.folder };
  }
  const folder = ctx.folder(argument);
  return { store: tell(ctx, await find(ctx, home, folder)), folder };
}

/** The same, or nothing where this home has no ceremony of its own in the folder: a lead without a seat, a home that took up what others made. */
export async function chosenOrNone(ctx: Context, home: Home, argument: string): Promise<{ store: CeremonyStore; folder: string } | undefined> {
  try {
    return await choose(ctx, home, argument);
  } catch (e) {
    if (e instanceof CeremonyError && (e.code === 'E_NOT_JOINED' || e.code === 'E_NOT_PARTICIPANT')) return undefined;
    throw e;
  }
}
