/** The lead's part: making a checked plan and its folder, and entering it. */
import { join as joinPath } from 'node:path';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { type Card, encodeCard, parseCard } from '../plan/card.ts';
import { checkPlan, type DkgPlan, parsePlan, type Plan, type SignPlan } from '../plan/plan.ts';
import { refusal } from '../policy/gate.ts';
import { intentMessage, MAX_INTENT_BYTES, MAX_MESSAGE_BYTES, parseIntent } from '../policy/intent.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { encodePresignature, presignatureId } from '../protocols/presignature.ts';
import { offerHash } from '../protocols/presign-binding.ts';
import { type Roles, parseQuorum } from '../sharing/expression.ts';
import { exactQuorum } from '../sharing/quorum.ts';
import { release } from '../transport/folder.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { requireUnblamed } from './blame.ts';
import { utc, step } from './engine.ts';
import { type Home, inHome, ownCard, requireUnlocked } from './home.ts';
import { prekeyState, prekeyUsed } from './identity.ts';
import { enter, planFileOf, readPlan } from './join.ts';
import { activeEpoch, confirmedPrekeys, highestRank, nextStockIndex, requireKey } from './key-store.ts';
import type { Port, Step } from './port.ts';
import { storedPresignature, unspentPresignatures } from './presignatures.ts';
import { readRehearsal, REHEARSAL_FILE } from './rehearsed.ts';
import { contextIn, decideIn } from './signing.ts';
import { CeremonyStore } from './store.ts';

/** Facts about a participant that the lead states in a draft. */
export interface About {
  readonly person?: string | undefined;
  readonly unit?: string | undefined;
  readonly place?: string | undefined;
  readonly vendor?: string | undefined;
}

/** What the lead asks for. */
export interface DkgRequest {
  readonly name: string;
  readonly scheme: SchemeName;
  readonly quorum: string;
  readonly roles?: Roles | undefined;
  readonly about?: ReadonlyMap<string, About> | undefined;
  readonly stock: number;
  readonly attended: boolean;
  readonly days: number;
  readonly network?: 'off' | undefined;
  readonly witnesses?: readonly string[] | undefined;
  /** Folder of the finished rehearsal that the plan relies on. */
  readonly rehearsed?: string | undefined;
  readonly requireRehearsal?: boolean | undefined;
  /** Folder with the others' cards. */
  readonly cards?: string | undefined;
  readonly out: string;
  /** Plan of the attempt before this one. */
  readonly previous?: { readonly sid: string; readonly attempt: number } | undefined;
}

const days = (from: Date, n: number): string => utc(new Date(from.getTime() + n * 86_400_000));

/** Cards by owner: own, verified peers, and those of a folder; of every owner the one with the newest one-time key. */
function knownCards(home: Home, cardsFolder: string | undefined): Map<string, { card: Card; file: string }> {
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
type Unfinished = { readonly store: CeremonyStore } | { readonly plan: Plan } | undefined;

/**
 * The folder of a new ceremony must be absent or empty, unless this very command was interrupted while filling it: then
 * the plan that it made is taken up again, whether this home had entered it or not.
 * @throws E_EXISTS
 */
async function claimFolder(home: Home, out: string, same: (plan: Plan) => boolean): Promise<Unfinished> {
  const { disk } = home;
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

/** Fills the folder and enters the ceremony; repeated after a crash it does what is left to do. */
async function begin(home: Home, plan: Plan, out: string, extra: readonly { path: string; bytes: Uint8Array }[], port: Port): Promise<Step> {
  const planFile = await planFileOf(plan);
  for (const file of [{ path: 'PLAN.yaml', bytes: planFile.bytes }, ...extra]) release(home.disk, out, file.path, file.bytes);
  if (!plan.participants.some((p) => p.name === home.facts.name))
    return {
      ceremony: plan.name, kind: plan.kind, attempt: plan.attempt, participant: home.facts.name, did: ['plan.made'], wrote: [], needs: [], head: '0'.repeat(64), lines: [],
      nextAction: { code: 'CARRY_OUT', who: home.facts.name, text: `Carry this folder to ${plan.participants.map((p) => p.name).join(', ')}; each runs: mpc-ceremony join FOLDER` },
      exit: 0,
    };
  const store = CeremonyStore.find(home, plan) ?? (await enter(home, plan, out, planFile, port));
  const result = await step(store, out, port);
  store.markStarted();
  return result;
}

/** Begins a key generation. @throws every refusal of a plan, E_CARD, E_EXISTS, E_PREKEY_BUSY */
export async function startDkg(home: Home, request: DkgRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const unfinished = await claimFolder(
    home,
    request.out,
    (p) => p.kind === 'dkg' && p.name === request.name && p.scheme === request.scheme && p.quorum === request.quorum && p.stock === request.stock && p.previous === request.previous?.sid,
  );
  if (activeEpoch(home, request.name))
    fail('E_TWO_SHARES', `this home already holds a share of a key named ${request.name}`, { field: 'name', remedy: 'Choose another name for the new key.' });
  const quorum = parseQuorum(request.quorum, request.roles);
  const cards = knownCards(home, request.cards);
  const cardOf = (name: string): { card: Card; file: string } => {
    const found = cards.get(name);
    if (!found)
      fail('E_CARD', `there is no card of ${name}`, { participant: name, remedy: `Put ${name}.card into the folder given with --cards, or: mpc-ceremony peers add ${name}.card` });
    if (found.card.mode !== home.facts.mode) fail('E_REHEARSAL', `the card of ${name} is for ${found.card.mode}, this home for ${home.facts.mode}`, { participant: name, file: found.file });
    return found;
  };
  if (request.requireRehearsal === true && request.rehearsed === undefined)
    fail('E_REHEARSAL', 'the draft asks for a rehearsal by the same people', { field: 'rehearsal', remedy: 'Rehearse first, then name its folder with --rehearsed FOLDER.' });
  const rehearsal = request.rehearsed === undefined ? undefined : readRehearsal(home.disk, request.rehearsed);
  const cardFiles = (): { path: string; bytes: Uint8Array }[] =>
    [
      ...[...quorum.leaves.map((l) => l.name), ...(request.witnesses ?? [])].map((name) => ({ path: `cards/${name}.card`, bytes: encodeCard(cardOf(name).card) })),
      ...(rehearsal ? [{ path: REHEARSAL_FILE, bytes: rehearsal.bytes }] : []),
    ];
  const taken = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, cardFiles(), port);
  const participants = quorum.leaves.map(({ name }) => {
    const { card, file } = cardOf(name);
    // cards that people hand on grow old; a confirmation brings the owner's next key with it
    const known = [...card.prekeys, ...confirmedPrekeys(home, card.ed25519)].sort((a, b) => a.n - b.n);
    const unused = known.filter((p) => !prekeyUsed(home, name, p) && (name !== home.facts.name || prekeyState(home, p.n) === 'free'));
    const prekey = unused.at(-1);
    if (!prekey)
      fail('E_PREKEY_BUSY', `every one-time key on the card of ${name} was used`, { participant: name, file, remedy: `Ask ${name} for a fresh card: mpc-ceremony card renew.` });
    const { person, unit, place, vendor } = request.about?.get(name) ?? {};
    return {
      name, identity: card.ed25519, homeId: card.homeId, x25519: card.x25519, prekey,
      ...(person === undefined ? {} : { person }), ...(unit === undefined ? {} : { unit }), ...(place === undefined ? {} : { place }), ...(vendor === undefined ? {} : { vendor }),
    };
  });
  const now = port.now();
  const plan = parsePlan(
    {
      schema: 'mpc-ceremony/plan/1',
      kind: 'dkg',
      name: request.name,
      mode: home.facts.mode,
      attended: request.attended,
      attempt: (request.previous?.attempt ?? 0) + 1,
      rank: highestRank(home, request.name) + 1,
      nonce: toHex(port.random(32)),
      lead: home.facts.name,
      created: utc(now),
      expires: days(now, request.days),
      ...(request.previous ? { previous: request.previous.sid } : {}),
      ...(request.network ? { machine: { network: 'off' } } : {}),
      scheme: request.scheme,
      quorum: request.quorum,
      ...(request.roles && Object.keys(request.roles).length > 0 ? { roles: request.roles } : {}),
      stock: request.stock,
      ...(rehearsal ? { rehearsal: rehearsal.sha256 } : {}),
      participants,
      ...(request.witnesses?.length
        ? { witnesses: request.witnesses.map((name) => ({ name, identity: cardOf(name).card.ed25519, homeId: cardOf(name).card.homeId })) }
        : {}),
    },
    'PLAN.yaml',
  ) as DkgPlan;
  checkPlan(plan, 'PLAN.yaml', now);
  return begin(home, plan, request.out, cardFiles(), port);
}

/** What the lead asks for when signing. */
export interface SignRequest {
  readonly intentFile: string;
  readonly signers: readonly string[];
  /** Fresh nonces in two visits, though there is a stock: for a signer whose stock is void. */
  readonly live: boolean;
  readonly attended: boolean;
  readonly out: string;
  readonly previous?: { readonly sid: string; readonly attempt: number } | undefined;
}

/** What the signers stocked with their confirmations: the lowest unused index of each, or undefined when one has run out. */
function takeStock(home: Home, certificate: Certificate, leaves: readonly { id: number; name: string }[]): Map<string, { index: number; commitment: string }> | undefined {
  // a nonce commitment stands in the plan itself, the much longer first message of ECDSA by its hash
  const nameOf = (entry: Uint8Array): string => toHex(SCHEMES[certificate.epoch.key.scheme].protocol === 'frost' ? entry : offerHash(entry));
  const { key, number } = certificate.epoch;
  const taken = new Map<string, { index: number; commitment: string }>();
  for (const { id, name } of leaves) {
    const index = nextStockIndex(home, key.name, number, name);
    const commitment = certificate.confirms[id - 1]?.confirm.stock[index];
    if (!commitment) return undefined;
    taken.set(name, { index, commitment: nameOf(commitment) });
  }
  return taken;
}

/** Begins a signing. @throws E_INTENT…, E_UNKNOWN_KEY, E_QUORUM, E_QUORUM_SURPLUS, E_EXISTS, and the gate's refusals */
export async function startSign(home: Home, request: SignRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const { disk } = home;
  const bytes = disk.read(request.intentFile, MAX_INTENT_BYTES) ?? fail('E_MISSING', `there is no intent ${request.intentFile}`, { file: request.intentFile });
  const signed = parseIntent(bytes, request.intentFile);
  const message = intentMessage(signed.intent, disk.read(`${request.intentFile}.message`, MAX_MESSAGE_BYTES));
  if (signed.intent.mode !== home.facts.mode)
    fail('E_REHEARSAL', `the intent is for ${signed.intent.mode}, this home for ${home.facts.mode}`, { file: request.intentFile, field: 'mode', remedy: 'Use the home that was made for it.' });
  const certificate = requireKey(home, signed.intent.keyName);
  const { epoch } = certificate;
  const leaves = exactQuorum(parseQuorum(epoch.quorum), request.signers);
  const files = (plan: Plan): { path: string; bytes: Uint8Array }[] => [
    { path: 'intent.json', bytes },
    { path: 'message.bin', bytes: message },
    { path: 'base/certificate.json', bytes: certificate.bytes },
    ...(plan.kind === 'sign' && plan.presignature !== undefined
      ? [{ path: 'base/presignature.json', bytes: encodePresignature(storedPresignature(home, epoch.key.name, epoch.number, plan.presignature)) }]
      : []),
  ];
  const unfinished = await claimFolder(
    home,
    request.out,
    (p) => p.kind === 'sign' && p.intent === toHex(signed.hash) && p.participants.map((x) => x.name).join() === leaves.map((l) => l.name).join(),
  );
  const taken = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, files(taken), port);
  const path = signed.intent.path ?? 'm';
  const presignature = request.live ? undefined : unspentPresignatures(home, epoch.key.name, epoch.number).find((r) => r.path === path && r.signers.join() === leaves.map((l) => l.id).join());
  const stock = request.live || presignature ? undefined : takeStock(home, certificate, leaves);
  const now = port.now();
  const plan = parsePlan(
    {
      schema: 'mpc-ceremony/plan/1',
      kind: 'sign',
      name: epoch.key.name,
      mode: home.facts.mode,
      attended: request.attended,
      attempt: (request.previous?.attempt ?? 0) + 1,
      nonce: toHex(port.random(32)),
      lead: home.facts.name,
      created: utc(now),
      expires: signed.intent.expires,
      ...(request.previous ? { previous: request.previous.sid } : {}),
      key: { name: epoch.key.name, id: epoch.key.id, scheme: epoch.key.scheme, epoch: epoch.number, certificate: toHex(certificate.digest) },
      intent: toHex(signed.hash),
      ...(presignature ? { presignature: toHex(presignatureId(presignature)) } : {}),
      participants: leaves.map((l) => {
        const seat = epoch.roster[l.id - 1] ?? fail('E_CERTIFICATE', 'the roster does not fit the quorum');
        const entry = stock?.get(l.name);
        return { name: l.name, leaf: l.id, identity: seat.identity, homeId: seat.homeId, ...(entry ? { stock: entry } : {}) };
      }),
    },
    'PLAN.yaml',
  ) as SignPlan;
  requireUnblamed(home, plan);
  const decision = decideIn(home, await contextIn(home, plan, signed, message), now);
  if (!decision.allow) throw refusal(decision, request.intentFile);
  checkPlan(plan, 'PLAN.yaml', now);
  return begin(home, plan, request.out, files(plan), port);
}

/** What the lead asks for when presigning. */
export interface PresignRequest {
  readonly key: string;
  readonly count: number;
  /** A non-hardened BIP-32 path, fixed for all of them. */
  readonly path?: string | undefined;
  readonly signers: readonly string[];
  readonly attended: boolean;
  readonly days: number;
  readonly out: string;
  readonly previous?: { readonly sid: string; readonly attempt: number } | undefined;
}

/** Begins the making of presignatures. @throws E_UNKNOWN_KEY, E_SCHEME, E_PATH, E_QUORUM, E_QUORUM_SURPLUS, E_EXISTS, E_BLOCKED */
export async function startPresign(home: Home, request: PresignRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const certificate = requireKey(home, request.key);
  const { epoch } = certificate;
  if (SCHEMES[epoch.key.scheme].protocol !== 'cggmp24')
    fail('E_SCHEME', `keys of ${epoch.key.scheme} have no presignatures`, { field: 'key', remedy: 'A stock of nonces is made with the key: mpc-ceremony dkg --stock N.' });
  if (request.path !== undefined && !SCHEMES[epoch.key.scheme].derivable) fail('E_PATH', `keys of ${epoch.key.scheme} have no derived keys`, { field: 'path' });
  const leaves = exactQuorum(parseQuorum(epoch.quorum), request.signers);
  const files = [{ path: 'base/certificate.json', bytes: certificate.bytes }];
  const unfinished = await claimFolder(
    home,
    request.out,
    (p) => p.kind === 'presign' && p.key.name === request.key && p.count === request.count && p.path === request.path && p.participants.map((x) => x.name).join() === leaves.map((l) => l.name).join(),
  );
  const taken = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, files, port);
  const now = port.now();
  const plan = parsePlan(
    {
      schema: 'mpc-ceremony/plan/1',
      kind: 'presign',
      name: epoch.key.name,
      mode: home.facts.mode,
      attended: request.attended,
      attempt: (request.previous?.attempt ?? 0) + 1,
      nonce: toHex(port.random(32)),
      lead: home.facts.name,
      created: utc(now),
      expires: days(now, request.days),
      ...(request.previous ? { previous: request.previous.sid } : {}),
      key: { name: epoch.key.name, id: epoch.key.id, scheme: epoch.key.scheme, epoch: epoch.number, certificate: toHex(certificate.digest) },
      count: request.count,
      ...(request.path === undefined ? {} : { path: request.path }),
      participants: leaves.map((l) => {
        const seat = epoch.roster[l.id - 1] ?? fail('E_CERTIFICATE', 'the roster does not fit the quorum');
        return { name: l.name, leaf: l.id, identity: seat.identity, homeId: seat.homeId };
      }),
    },
    'PLAN.yaml',
  );
  checkPlan(plan, 'PLAN.yaml', now);
  if (plan.kind === 'presign') {
    const { presigningOf } = await import('../protocols/presign-plan.ts');
    presigningOf(plan, certificate);
    requireUnblamed(home, plan);
  }
  return begin(home, plan, request.out, files, port);
}
