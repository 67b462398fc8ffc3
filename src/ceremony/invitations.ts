/**
 * Ceremonies that others have begun with this participant, as their leads left them at the relay. Each pair of a lead and a
 * reader has a door of its own that nobody else can find, so the reader looks behind the doors of those whose cards it has and
 * of the members of its keys, and what lies there is of the one whose door it is or of nobody.
 */
import { openAtDoor } from '../relay/open-part.ts';
import { doorOf } from '../relay/place.ts';
import type { Relay } from '../relay/relay.ts';
import { type ParcelFile, parseParcel } from '../transport/parcel.ts';
import { ceremonyLabel, type Plan, seated, sessionId } from '../plan/plan.ts';
import { parsePlanFile } from '../plan/plan-file.ts';
import { ceremonyId } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { type Home, ownCard } from './home.ts';
import type { Identity } from './identity.ts';
import { checkJoining } from './join.ts';
import { activeEpoch, keyNames } from './key-store.ts';
import { knownCards } from './leading.ts';
import { isOpeningFile } from './outgoing.ts';
import { requireRoute } from './routes.ts';
import { CeremonyStore } from './store.ts';

/** A plan with what belongs to it, signed by its lead, which this home could join. */
export interface Invitation {
  readonly plan: Plan;
  /** 16 bytes hex. */
  readonly ceremony: string;
  readonly label: string;
  readonly files: readonly ParcelFile[];
}

/** Whoever may lead a ceremony with this participant: name, raw Ed25519 and X25519 keys in hex. */
interface Lead {
  readonly name: string;
  readonly identity: string;
  readonly x25519: string;
}

/** Owners of the cards of this home and a folder, and members of the keys that this home has. */
function knownLeads(home: Home, cards: string | undefined): Lead[] {
  const own = ownCard(home).ed25519;
  const all: Lead[] = [
    ...[...knownCards(home, cards).values()].map(({ card }) => ({ name: card.name, identity: card.ed25519, x25519: card.x25519 })),
    ...keyNames(home).flatMap((key) => activeEpoch(home, key)?.epoch.roster ?? []),
  ];
  const unique = new Map(all.map((l) => [`${l.name} ${l.identity} ${l.x25519}`, { name: l.name, identity: l.identity, x25519: l.x25519 }]));
  return [...unique.values()].filter((l) => l.identity !== own);
}

/** Bytes that are taken from one door in one process: a lead who leaves more only delays itself. */
const MAX_BEHIND_A_DOOR = 128 * 1024 * 1024;

/** Looking behind doors, again and again; what was looked at once is not fetched again. */
export class Doors {
  readonly #home: Home;
  readonly #identity: Identity;
  readonly #relay: Relay;
  readonly #leads: readonly Lead[];
  readonly #judged = new Set<string>();
  readonly #found = new Map<string, Invitation>();
  readonly #taken = new Map<string, number>();
  /** What could not be used, by lead. */
  readonly problems = new Map<string, CeremonyError>();

  /** @param cards folder with cards of leads whom this home does not know yet */
  constructor(home: Home, identity: Identity, relay: Relay, cards: string | undefined) {
    this.#home = home;
    this.#identity = identity;
    this.#relay = relay;
    this.#leads = knownLeads(home, cards);
  }

  /** Names of those behind whose doors is looked. */
  get leads(): string[] {
    return [...new Set(this.#leads.map((c) => c.name))];
  }

  /**
   * Invitations that are neither joined nor expired, newest first.
   * @throws E_RELAY when the relay cannot be asked at all
   */
  async look(now: Date): Promise<Invitation[]> {
    let unreachable: CeremonyError | undefined;
    let reached = 0;
    for (const lead of this.#leads) {
      // what one lead does to its door, or to its card, is nobody else's matter
      try {
        await this.#lookBehind(lead, now);
        reached += 1;
      } catch (e) {
        if (!(e instanceof CeremonyError)) throw e;
        this.problems.set(lead.name, e);
        if (e.code === 'E_RELAY') unreachable = e;
      }
    }
    if (unreachable && reached === 0) throw unreachable;
    return [...this.#found.values()].filter((i) => !CeremonyStore.find(this.#home, i.plan)).sort((a, b) => b.plan.created.localeCompare(a.plan.created));
  }

  async #lookBehind(lead: Lead, now: Date): Promise<void> {
    const door = doorOf(this.#identity.relay.shared(fromHex(lead.x25519, 32)), lead.name, this.#home.facts.name);
    for (const name of await this.#relay.list(door)) if (!this.#judged.has(name)) await this.#judge(lead, door, name, now);
  }

  async #judge(from: Lead, door: string, name: string, now: Date): Promise<void> {
    const taken = this.#taken.get(from.name) ?? 0;
    if (taken > MAX_BEHIND_A_DOOR) return;
    try {
      const bytes = await this.#relay.get(door, name);
      if (!bytes) return;
      this.#taken.set(from.name, taken + bytes.length);
      this.#judged.add(name);
      const invitation = await this.#read(bytes, from);
      // unpacked it may be much larger than what was fetched, and it is kept
      this.#taken.set(from.name, (this.#taken.get(from.name) ?? 0) + invitation.files.reduce((sum, f) => sum + f.bytes.length, 0));
      if (CeremonyStore.find(this.#home, invitation.plan) || Date.parse(invitation.plan.expires) <= now.getTime()) return;
      checkJoining(this.#home, invitation.plan, 'PLAN.yaml', now);
      requireRoute(invitation.plan, 'relay');
      this.#found.set(invitation.ceremony, invitation);
    } catch (e) {
      if (!(e instanceof CeremonyError) || e.code === 'E_RELAY') throw e;
      this.#judged.add(name);
      this.problems.set(from.name, e);
    }
  }

  /** @throws E_RELAY_PART, E_PARCEL, E_PLAN_FIELD where it is no invitation by the owner of the card */
  async #read(bytes: Uint8Array, { name, identity }: Lead): Promise<Invitation> {
    const part = openAtDoor(bytes, this.#home.facts.name, this.#identity.relay);
    const files = parseParcel(part.payload, `an invitation by ${name}`);
    const planFile = files.find((f) => f.path === 'PLAN.yaml') ?? fail('E_PARCEL', 'an invitation without a plan');
    const messages = files.filter((f) => /^round-[1-9]\//.test(f.path) && f.path.endsWith(`/${name}.blob`));
    const foreign = files.find((f) => !isOpeningFile(f.path) && f !== messages[0]);
    if (foreign) fail('E_PARCEL', `${foreign.path} belongs to no invitation`);
    const plan = await parsePlanFile(planFile.bytes, 'PLAN.yaml');
    const sid = sessionId(plan);
    const lead = seated(plan).find((p) => p.name === plan.lead);
    if (part.from !== name || toHex(part.identity) !== identity) fail('E_RELAY_PART', `not signed by ${name}, whose door it is`);
    if (!equalBytes(sid, part.sid) || plan.lead !== name || lead?.identity !== identity) fail('E_RELAY_PART', 'the plan in it has another lead, or is another plan');
    // the plan last: a folder with a plan in it counts as filled
    return { plan, ceremony: ceremonyId(sid), label: ceremonyLabel(plan), files: [...files.filter((f) => f !== planFile), planFile] };
  }
}
