/**
 * Ceremonies that others have begun with this participant, as their leads left them at the relay. Each pair of a lead and a
 * reader has a door of its own that nobody else can find, so the reader looks behind the doors of those whose cards it has, and
 * what lies there is of the owner of that card or of nobody.
 */
import { openAtDoor } from '../relay/open-part.ts';
import { doorOf } from '../relay/place.ts';
import type { Relay } from '../relay/relay.ts';
import { type ParcelFile, parseParcel } from '../transport/parcel.ts';
import type { Card } from '../plan/card.ts';
import { ceremonyLabel, type Plan, seated, sessionId } from '../plan/plan.ts';
import { parsePlanFile } from '../plan/plan-file.ts';
import { ceremonyId } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { Home } from './home.ts';
import type { Identity } from './identity.ts';
import { checkJoining } from './join.ts';
import { knownCards } from './leading.ts';
import { isOpeningFile } from './outgoing.ts';
import { CeremonyStore } from './store.ts';

/** A plan with what belongs to it, signed by its lead, which this home could join. */
export interface Invitation {
  readonly plan: Plan;
  /** 16 bytes hex. */
  readonly ceremony: string;
  readonly label: string;
  readonly files: readonly ParcelFile[];
}

/** Bytes that are taken from one door in one process: a lead who leaves more only delays itself. */
const MAX_BEHIND_A_DOOR = 256 * 1024 * 1024;

/** Looking behind doors, again and again; what was looked at once is not fetched again. */
export class Doors {
  readonly #home: Home;
  readonly #identity: Identity;
  readonly #relay: Relay;
  readonly #cards: readonly Card[];
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
    this.#cards = [...knownCards(home, cards).values()].map(({ card }) => card).filter((c) => c.name !== home.facts.name);
  }

  /** Names of those behind whose doors is looked. */
  get leads(): string[] {
    return this.#cards.map((c) => c.name);
  }

  /**
   * Invitations that are neither joined nor expired, newest first.
   * @throws E_RELAY when the relay cannot be asked at all
   */
  async look(now: Date): Promise<Invitation[]> {
    for (const card of this.#cards) {
      const door = doorOf(this.#identity.relay.shared(fromHex(card.x25519, 32)), card.name, this.#home.facts.name);
      for (const name of await this.#relay.list(door)) if (!this.#judged.has(name)) await this.#judge(card, door, name, now);
    }
    return [...this.#found.values()].filter((i) => !CeremonyStore.find(this.#home, i.plan)).sort((a, b) => b.plan.created.localeCompare(a.plan.created));
  }

  async #judge(card: Card, door: string, name: string, now: Date): Promise<void> {
    const taken = this.#taken.get(card.name) ?? 0;
    if (taken > MAX_BEHIND_A_DOOR) return;
    try {
      const bytes = await this.#relay.get(door, name);
      if (!bytes) return;
      this.#taken.set(card.name, taken + bytes.length);
      this.#judged.add(name);
      const invitation = await this.#read(bytes, card);
      if (CeremonyStore.find(this.#home, invitation.plan) || Date.parse(invitation.plan.expires) <= now.getTime()) return;
      checkJoining(this.#home, invitation.plan, 'PLAN.yaml', now);
      this.#found.set(invitation.ceremony, invitation);
    } catch (e) {
      if (!(e instanceof CeremonyError) || e.code === 'E_RELAY') throw e;
      this.#judged.add(name);
      this.problems.set(card.name, e);
    }
  }

  /** @throws E_RELAY_PART, E_PARCEL, E_PLAN_FIELD where it is no invitation by the owner of the card */
  async #read(bytes: Uint8Array, { name, ed25519 }: Card): Promise<Invitation> {
    const part = openAtDoor(bytes, this.#home.facts.name, this.#identity.relay);
    const files = parseParcel(part.payload, `an invitation by ${name}`);
    const planFile = files.find((f) => f.path === 'PLAN.yaml') ?? fail('E_PARCEL', 'an invitation without a plan');
    const foreign = files.find((f) => !isOpeningFile(f.path));
    if (foreign) fail('E_PARCEL', `${foreign.path} belongs to no invitation`);
    const plan = await parsePlanFile(planFile.bytes, 'PLAN.yaml');
    const sid = sessionId(plan);
    const lead = seated(plan).find((p) => p.name === plan.lead);
    if (part.from !== name || toHex(part.identity) !== ed25519) fail('E_RELAY_PART', `not signed by ${name}, whose door it is`);
    if (!equalBytes(sid, part.sid) || plan.lead !== name || lead?.identity !== ed25519) fail('E_RELAY_PART', 'the plan in it has another lead, or is another plan');
    return { plan, ceremony: ceremonyId(sid), label: ceremonyLabel(plan), files };
  }
}
