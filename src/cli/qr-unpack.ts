/** What came by codes, into a folder: sorted and placed, not believed. */
import { join } from 'node:path';
import { requireRoute } from '../ceremony/routes.ts';
import { MAX_PLAN_FILE_BYTES, parsePlanFile } from '../plan/plan-file.ts';
import { planSession } from '../plan/plan.ts';
import { parseParcel } from '../transport/parcel.ts';
import { type Expected, unpack, type Unpacked } from '../transport/unpack.ts';
import type { Disk } from '../vault/durable.ts';
import { ceremonyId } from '../wire/blob.ts';
import { CeremonyError, fail } from '../wire/errors.ts';

const FROM = 'the codes';

/** The plan of a folder, or the one that a parcel brings: it says which messages belong here, and by which routes they come. */
async function expected(bytes: Uint8Array, file: string): Promise<Expected> {
  const plan = await parsePlanFile(bytes, file);
  requireRoute(plan, 'qr');
  const { sid, seats } = planSession(plan);
  return { ceremony: ceremonyId(sid), names: new Map(seats.map((s) => [s.leaf, s.name])) };
}

/**
 * Takes a message into a folder, which is made if need be.
 * @param needsPlan refuse what comes before the plan
 * @throws E_PARCEL, E_TOO_LARGE, E_VERSION, E_PLAN_FIELD, E_PLAN_CHANGED, E_ROUTE before anything is written; E_IO
 */
export async function unpackMessage(disk: Disk, folder: string, message: Uint8Array, { needsPlan = false } = {}): Promise<Unpacked> {
  let files;
  try {
    files = parseParcel(message, FROM);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_PARCEL') throw e;
    throw new CeremonyError('E_PARCEL', e.message, { ...e.facts, remedy: 'Let it be shown again. If it is no part of a ceremony: mpc-ceremony qr scan FILE… --out FILE' });
  }
  const here = disk.read(join(folder, 'PLAN.yaml'), MAX_PLAN_FILE_BYTES);
  const comes = files.find((f) => f.path === 'PLAN.yaml')?.bytes;
  const plan = here ?? comes;
  if (!plan && needsPlan)
    fail('E_PARCEL', 'these codes hold no plan', { file: FROM, field: 'PLAN.yaml', remedy: 'The lead shows the plan first: mpc-ceremony qr show FOLDER on its machine.' });
  return unpack(disk, folder, files, FROM, plan ? await expected(plan, here ? join(folder, 'PLAN.yaml') : FROM) : {});
}
