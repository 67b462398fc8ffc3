/**
 * Ceremonies that others have begun with this participant, as their leads put them at this participant's door of the
 * relay. Whoever has the card of this participant can put something there; nothing is joined without a person or the plan
 * being checked like any other.
 */
import { openAtDoor } from '../relay/open-part.ts';
import { doorOf } from '../relay/place.ts';
import type { Relay } from '../relay/relay.ts';
import { type ParcelFile, parseParcel } from '../transport/parcel.ts';
import { ceremonyLabel, type Plan, seated, sessionId } from '../plan/plan.ts';
import { parsePlanFile } from '../plan/plan-file.ts';
import { ceremonyId } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { type Home, ownCard } from './home.ts';
import type { Identity } from './identity.ts';
import { CeremonyStore } from './store.ts';

/** A plan with what belongs to it, signed by its lead. */
export interface Invitation {
  readonly plan: Plan;
  /** 16 bytes hex. */
  readonly ceremony: string;
  readonly label: string;
  readonly files: readonly ParcelFile[];
}

/** Most parts that are looked at in one go: whoever fills a door with more only delays. */
const MAX_LOOKED_AT = 512;

/**
 * What lies at this participant's door and is neither joined nor expired, newest first.
 * @returns the invitations, how many names lie at the door, and how many parts cannot be read
 * @throws E_RELAY
 */
export async function invitations(home: Home, identity: Identity, relay: Relay, now: Date): Promise<{ found: Invitation[]; count: number; unreadable: number }> {
  const door = doorOf(identity.relay.publicKey);
  const names = await relay.list(door);
  const found: Invitation[] = [];
  let unreadable = 0;
  for (const name of names.slice(0, MAX_LOOKED_AT)) {
    const bytes = await relay.get(door, name);
    if (!bytes) continue;
    try {
      const invitation = await read(bytes, home, identity);
      if (!CeremonyStore.find(home, invitation.plan) && Date.parse(invitation.plan.expires) > now.getTime()) found.push(invitation);
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      unreadable += 1;
    }
  }
  return { found: found.sort((a, b) => b.plan.created.localeCompare(a.plan.created)), count: names.length, unreadable };
}

/** @throws E_RELAY_PART, E_PARCEL, E_PLAN_FIELD where it is no invitation of a lead to this participant */
async function read(bytes: Uint8Array, home: Home, identity: Identity): Promise<Invitation> {
  const part = openAtDoor(bytes, home.facts.name, identity.relay);
  const files = parseParcel(part.payload, `an invitation by ${part.from}`);
  const planFile = files.find((f) => f.path === 'PLAN.yaml') ?? fail('E_PARCEL', 'an invitation without a plan');
  const plan = await parsePlanFile(planFile.bytes, 'PLAN.yaml');
  const sid = sessionId(plan);
  const lead = seated(plan).find((p) => p.name === plan.lead);
  if (!equalBytes(sid, part.sid) || lead?.identity !== toHex(part.identity) || part.from !== plan.lead) fail('E_RELAY_PART', 'not signed by the lead of the plan in it');
  if (!seated(plan).some((p) => p.name === home.facts.name && p.identity === ownCard(home).ed25519)) fail('E_NOT_PARTICIPANT', 'for somebody else');
  return { plan, ceremony: ceremonyId(sid), label: ceremonyLabel(plan), files };
}
