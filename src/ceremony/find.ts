/** Finding the ceremony of a folder whose plan file is not, byte for byte, the one that was joined. */
import { ownCard, type Home } from './home.ts';
import { readPlan } from './join.ts';
import { rosterHash, seated } from '../plan/plan.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { CeremonyStore } from './store.ts';

/**
 * @throws E_NOT_JOINED, E_NOT_PARTICIPANT for a ceremony of others; E_ROSTER_HASH, E_PLAN_CHANGED when the plan of a
 *   joined ceremony was changed in the folder
 */
export async function findChanged(home: Home, folder: string): Promise<CeremonyStore> {
  const { plan, file } = await readPlan(home, folder);
  const same = CeremonyStore.find(home, plan);
  if (same) {
    same.moveTo(folder);
    return same;
  }
  const joined = CeremonyStore.byPlace(home, folder, undefined);
  const restore = 'Bring the folder again from the lead. This home goes on only with the plan that it joined.';
  // another ceremony may have stood at this path before: only the same nonce makes it a changed plan
  if (joined?.plan.nonce === plan.nonce) {
    if (joined.roster !== toHex(rosterHash(plan)))
      fail('E_ROSTER_HASH', 'the roster in PLAN.yaml is not the one that this participant joined', { file, field: 'participants', remedy: restore });
    fail('E_PLAN_CHANGED', 'PLAN.yaml is not the plan that this participant joined', { file, remedy: restore });
  }
  const me = ownCard(home);
  if (!seated(plan).some((p) => p.name === me.name && p.identity === me.ed25519))
    fail('E_NOT_PARTICIPANT', `${me.name} has no seat in this plan`, { file, participant: me.name, remedy: 'Check --home, and that this is the right folder.' });
  return fail('E_NOT_JOINED', `${me.name} has not joined this ceremony`, { file, participant: me.name, remedy: `mpc-ceremony join ${folder}` });
}
