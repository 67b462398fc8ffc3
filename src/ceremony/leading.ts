/** What every lead's command does: reading cards, claiming the folder, the head of the plan, filling the folder and entering. */
import { join as joinPath } from 'node:path';
import { type Card, encodeCard, parseCard, type PublicPrekey } from '../plan/card.ts';
import { type Plan, type PlanHead, type Route, seated } from '../plan/plan.ts';
import { release } from '../transport/folder.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { step } from './engine.ts';
import { type Home, inHome, ownCard } from './home.ts';
import { prekeyState, prekeyUsed } from './identity.ts';
import { enter, planFileOf, readPlan } from './join.ts';
import { confirmedPrekeys } from './key-store.ts';
import type { Port, Step } from './port.ts';
import { programDigest } from './program.ts';
import { CeremonyStore } from './store.ts';
import { utc } from './times.ts';

/** Facts about a participant that the lead states in a draft. */
export interface About {
  readonly person?: string | undefined;
  readonly unit?: string | undefined;
  readonly place?: string | undefined;
  readonly vendor?: string | undefined;
}

/** The attempt before: its session id (hex) and number. */
export interface Previous {
  readonly sid: string;
  readonly attempt: number;
}

/** What a lead says of every ceremony. */
export interface Asked {
  readonly attended: boolean;
  readonly days: number;
  readonly out: string;
  readonly previous?: Previous | undefined;
  /** Ways by which messages may travel; all of them, if absent. */
  readonly routes?: readonly Route[] | undefined;
  /** Everybody must run the program that the lead runs. */
  readonly pinProgram?: boolean | undefined;
}

/** The head that all plans have. @param expires instead of a number of days */
export function planHead(home: Home, name: string, { attended, days, previous, routes, pinProgram }: Pick<Asked, 'attended' | 'previous' | 'routes' | 'pinProgram'> & { readonly days: number | string }, port: Port): PlanHead {
  const now = port.now();
  return {
    schema: 'mpc-ceremony/plan/1',
    name,
    mode: home.facts.mode,
    attended,
    attempt: (previous?.attempt ?? 0) + 1,
    nonce: toHex(port.random(32)),
    lead: home.facts.name,
    created: utc(now),
    expires: typeof days === 'string' ? days : utc(new Date(now.getTime() + days * 86_400_000)),
    ...(previous ? { previous: previous.sid } : {}),
    ...(routes ? { routes: [...routes] } : {}),
    ...(pinProgram === true ? { program: programDigest() } : {}),
  };
}

/** Cards by owner: own, verified peers, and those of a folder; of every owner the one with the newest one-time key. */
export function knownCards(home: Home, cardsFolder: string | undefined): Map<string, { card: Card; file: string }> {
  const found = new Map<string, { card: Card; file: string }>();
  const take = (file: string, strict: boolean): void => {
    const bytes = home.disk.read(file, 65_536);
    if (!bytes) return;
    let card: Card;
    try {
      card = parseCard(bytes, file);
    } catch (e) {
      if (strict || !(e instanceof CeremonyError)) throw e;
      return;
    }
    const peer = inHome(home, 'peers', `${card.name}.card`);
    const known = home.disk.read(peer, 65_536);
    if (known && parseCard(known, peer).ed25519 !== card.ed25519) return;
    const before = found.get(card.name);
    const newest = (c: Card): number => c.prekeys.at(-1)?.n ?? 0;
    if (!before || newest(before.card) < newest(card)) found.set(card.name, { card, file });
  };
  for (const name of home.disk.list(inHome(home, 'peers'))) if (name.endsWith('.card')) take(inHome(home, 'peers', name), true);
  if (cardsFolder !== undefined) for (const name of home.disk.list(cardsFolder)) if (name.endsWith('.card')) take(joinPath(cardsFolder, name), false);
  const own = ownCard(home);
  found.set(own.name, { card: own, file: inHome(home, 'identity', `${own.name}.card`) });
  return found;
}

/** What a start that was interrupted left behind. */
export type Unfinished = { readonly store: CeremonyStore } | { readonly plan: Plan } | undefined;

/**
 * The folder of a new ceremony must be absent or empty, unless this very command was interrupted while filling it: then
 * the plan that it made is taken up again, whether this home had entered it or not. A plan that pins a program is not taken
 * for one that does not, nor the other way round.
 * @throws E_EXISTS
 */
export async function claimFolder(home: Home, { out, pinProgram }: Pick<Asked, 'out' | 'pinProgram'>, alike: (plan: Plan) => boolean): Promise<Unfinished> {
  const { disk } = home;
  const same = (plan: Plan): boolean => (plan.program !== undefined) === (pinProgram === true) && alike(plan);
  const store = CeremonyStore.byPlace(home, out, undefined);
  if (store && !store.started && same(store.plan)) return { store };
  if (!disk.exists(out) || (disk.list(out).length === 0 && disk.dirs(out).length === 0)) return undefined;
  const begun = disk.dirs(out).some((d) => d === 'transcript' || d.startsWith('round-'));
  if (!store && !begun && disk.exists(joinPath(out, 'PLAN.yaml'))) {
    const { plan } = await readPlan(home, out);
    if (plan.lead === home.facts.name && same(plan)) return { plan };
  }
  return fail('E_EXISTS', `${out} is not empty`, { file: out, remedy: 'Name a folder that does not exist yet with --out. To continue a ceremony: mpc-ceremony next FOLDER.' });
}

/** Fills the folder and enters the ceremony; repeated after a crash it does what is left to do. @throws E_ROUTE before anything is written when the routes cannot carry it */
export async function begin(home: Home, plan: Plan, out: string, extra: readonly { path: string; bytes: Uint8Array }[], port: Port): Promise<Step> {
  const planFile = await planFileOf(plan);
  if (plan.routes) (await import('./route-faults.ts')).requireCarriable(plan, [{ path: 'PLAN.yaml', bytes: planFile.bytes }, ...extra], port.say);
  for (const file of [{ path: 'PLAN.yaml', bytes: planFile.bytes }, ...extra]) release(home.disk, out, file.path, file.bytes);
  if (!seated(plan).some((p) => p.name === home.facts.name))
    return {
      ceremony: plan.name, kind: plan.kind, attempt: plan.attempt, participant: home.facts.name, did: ['plan.made'], wrote: [], needs: [], head: '0'.repeat(64), lines: [],
      nextAction: { code: 'CARRY_OUT', who: home.facts.name, text: `Carry this folder to ${seated(plan).map((p) => p.name).join(', ')}; each runs: mpc-ceremony join FOLDER` },
      exit: 0,
    };
  const store = CeremonyStore.find(home, plan) ?? (await enter(home, plan, out, planFile, port));
  const result = await step(store, out, port);
  store.markStarted();
  if (result.nextAction.code !== 'BRING_IN') return result;
  // a lead with nothing to say yet has made the folder all the same
  const who = result.needs.map((n) => n.from).join(', ');
  return { ...result, nextAction: { ...result.nextAction, code: 'CARRY_OUT', text: `Carry this folder to ${who}; each runs: mpc-ceremony join FOLDER` }, exit: 0 };
}


/**
 * The newest one-time key of a participant that nobody has used.
 * @param onCard keys of a card; confirmations bring newer ones, since cards that people hand on grow old
 * @throws E_PREKEY_BUSY
 */
export function unusedPrekey(home: Home, name: string, identity: string, onCard: readonly PublicPrekey[]): PublicPrekey {
  const known = [...onCard, ...confirmedPrekeys(home, identity)].sort((a, b) => a.n - b.n);
  const prekey = known.findLast((p) => !prekeyUsed(home, name, p) && (name !== home.facts.name || prekeyState(home, p.n) === 'free'));
  if (!prekey) fail('E_PREKEY_BUSY', `every one-time key of ${name} that is known here was used`, { participant: name, remedy: `Ask ${name} for a fresh card (mpc-ceremony card renew), and name its folder with --cards DIR.` });
  return { n: prekey.n, P: prekey.P, pop: prekey.pop };
}

/** Cards by name, each of this home's mode. */
export class Cards {
  readonly #home: Home;
  readonly #known: ReturnType<typeof knownCards>;
  constructor(home: Home, folder: string | undefined) {
    this.#home = home;
    this.#known = knownCards(home, folder);
  }

  /** @throws E_CARD when there is none, E_REHEARSAL when it is of the other mode */
  of(name: string): { card: Card; file: string } {
    const found = this.#known.get(name);
    if (!found) fail('E_CARD', `there is no card of ${name}`, { participant: name, remedy: `Put ${name}.card into the folder given with --cards, or: mpc-ceremony peers add ${name}.card` });
    const { mode } = this.#home.facts;
    if (found.card.mode !== mode) fail('E_REHEARSAL', `the card of ${name} is for ${found.card.mode}, this home for ${mode}`, { participant: name, file: found.file });
    return found;
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** The card as it is put into the folder. */
  asFile(name: string): { path: string; bytes: Uint8Array } {
    return { path: `cards/${name}.card`, bytes: encodeCard(this.of(name).card) };
  }

  /** A seat that receives: keys of the card, and the newest one-time key that nobody has used. @throws E_PREKEY_BUSY */
  member(name: string, { person, unit, place, vendor }: About = {}) {
    const { card } = this.of(name);
    return {
      name, identity: card.ed25519, homeId: card.homeId, x25519: card.x25519, prekey: unusedPrekey(this.#home, name, card.ed25519, card.prekeys),
      ...(person === undefined ? {} : { person }), ...(unit === undefined ? {} : { unit }), ...(place === undefined ? {} : { place }), ...(vendor === undefined ? {} : { vendor }),
    };
  }

  /** A seat that only deals or watches. */
  person(name: string): { name: string; identity: string; homeId: string } {
    const { card } = this.of(name);
    return { name, identity: card.ed25519, homeId: card.homeId };
  }
}
