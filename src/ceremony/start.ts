/** The lead's part: making a checked plan and its folder, and entering it. */
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { checkPlan, parsePlan, type Plan, type SignPlan } from '../plan/plan.ts';
import { refusal } from '../policy/gate.ts';
import { intentMessage, MAX_INTENT_BYTES, MAX_MESSAGE_BYTES, parseIntent } from '../policy/intent.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { encodePresignature, presignatureId } from '../protocols/presignature.ts';
import { offerHash } from '../protocols/presign-binding.ts';
import { type Roles, parseQuorum } from '../sharing/expression.ts';
import { exactQuorum } from '../sharing/quorum.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { requireUnblamed } from './blame.ts';
import { type Home, requireUnlocked } from './home.ts';
import { activeEpoch, highestRank, nextStockIndex, requireKey } from './key-store.ts';
import type { Port, Step } from './port.ts';
import { storedPresignature, unspentPresignatures } from './presignatures.ts';
import { readRehearsal, REHEARSAL_FILE } from './rehearsed.ts';
import { contextIn, decideIn } from './signing.ts';
import { type About, type Asked, begin, Cards, claimFolder, planHead, type Previous } from './leading.ts';

/** What the lead asks for. */
export interface DkgRequest extends Asked {
  readonly name: string;
  readonly scheme: SchemeName;
  readonly quorum: string;
  readonly roles?: Roles | undefined;
  readonly about?: ReadonlyMap<string, About> | undefined;
  readonly stock: number;
  readonly network?: 'off' | undefined;
  readonly witnesses?: readonly string[] | undefined;
  /** Folder of the finished rehearsal that the plan relies on. */
  readonly rehearsed?: string | undefined;
  readonly requireRehearsal?: boolean | undefined;
  /** Folder with the others' cards. */
  readonly cards?: string | undefined;
}

/** Begins a key generation. @throws every refusal of a plan, E_CARD, E_EXISTS, E_PREKEY_BUSY */
export async function startDkg(home: Home, request: DkgRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const unfinished = await claimFolder(
    home,
    request,
    (p) => p.kind === 'dkg' && p.name === request.name && p.scheme === request.scheme && p.quorum === request.quorum && p.stock === request.stock && p.previous === request.previous?.sid,
  );
  if (activeEpoch(home, request.name))
    fail('E_TWO_SHARES', `this home already holds a share of a key named ${request.name}`, { field: 'name', remedy: 'Choose another name for the new key.' });
  const quorum = parseQuorum(request.quorum, request.roles);
  const cards = new Cards(home, request.cards);
  if (request.requireRehearsal === true && request.rehearsed === undefined)
    fail('E_REHEARSAL', 'the draft asks for a rehearsal by the same people', { field: 'rehearsal', remedy: 'Rehearse first, then name its folder with --rehearsed FOLDER.' });
  const rehearsal = request.rehearsed === undefined ? undefined : readRehearsal(home.disk, request.rehearsed);
  const cardFiles = (): { path: string; bytes: Uint8Array }[] => [
    ...[...quorum.leaves.map((l) => l.name), ...(request.witnesses ?? [])].map((name) => cards.asFile(name)),
    ...(rehearsal ? [{ path: REHEARSAL_FILE, bytes: rehearsal.bytes }] : []),
  ];
  const taken = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, cardFiles(), port);
  const participants = quorum.leaves.map(({ name }) => cards.member(name, request.about?.get(name)));
  const now = port.now();
  const plan = parsePlan(
    {
      ...planHead(home, request.name, request, port),
      kind: 'dkg',
      rank: highestRank(home, request.name) + 1,
      ...(request.network ? { machine: { network: 'off' } } : {}),
      scheme: request.scheme,
      quorum: request.quorum,
      ...(request.roles && Object.keys(request.roles).length > 0 ? { roles: request.roles } : {}),
      stock: request.stock,
      ...(rehearsal ? { rehearsal: rehearsal.sha256 } : {}),
      participants,
      ...(request.witnesses?.length ? { witnesses: request.witnesses.map((name) => cards.person(name)) } : {}),
    },
    'PLAN.yaml',
  );
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
  readonly previous?: Previous | undefined;
  readonly routes?: Asked['routes'];
  readonly pinProgram?: Asked['pinProgram'];
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
    request,
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
      ...planHead(home, epoch.key.name, { ...request, days: signed.intent.expires }, port),
      kind: 'sign',
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
export interface PresignRequest extends Asked {
  readonly key: string;
  readonly count: number;
  /** A non-hardened BIP-32 path, fixed for all of them. */
  readonly path?: string | undefined;
  readonly signers: readonly string[];
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
    request,
    (p) => p.kind === 'presign' && p.key.name === request.key && p.count === request.count && p.path === request.path && p.participants.map((x) => x.name).join() === leaves.map((l) => l.name).join(),
  );
  const taken = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, files, port);
  const now = port.now();
  const plan = parsePlan(
    {
      ...planHead(home, epoch.key.name, request, port),
      kind: 'presign',
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
