/** The lead's part of refresh and reshare: who receives, who deals, on which base. */
import { checkPlan, parsePlan, type Plan, type RekeyPlan } from '../plan/plan.ts';
import { keyingContext } from '../protocols/keying.ts';
import { weakens } from '../protocols/base.ts';
import type { Certificate, EpochRecord } from '../protocols/epoch.ts';
import { parseQuorum, type Quorum } from '../sharing/expression.ts';
import { exactQuorum, select } from '../sharing/quorum.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { BASE_FILE } from './base.ts';
import { type Home, requireUnlocked } from './home.ts';
import { highestRank, requireKey, requireNoFork } from './key-store.ts';
import { type Asked, begin, Cards, claimFolder, planHead, unusedPrekey } from './leading.ts';
import type { Port, Step } from './port.ts';
import { CeremonyStore } from './store.ts';

/** What the lead asks for in a refresh. */
export interface RefreshRequest extends Asked {
  readonly key: string;
  readonly stock: number;
  readonly cards?: string | undefined;
  readonly witnesses?: readonly string[] | undefined;
}

/** What the lead asks for in a reshare. */
export interface ReshareRequest extends RefreshRequest {
  /** The new quorum; the old one if absent, with {@link replace} applied. */
  readonly quorum?: string | undefined;
  /** Who deals: names of the old epoch, each with the name of its new home if it has one. A minimal quorum without the replaced if absent. */
  readonly dealers?: readonly (readonly [string, string])[] | undefined;
  /** Names of the old epoch that give way to new ones. */
  readonly replace: readonly (readonly [string, string])[];
  readonly acceptWeaker: boolean;
}

type Member = RekeyPlan['participants'][number];

/** Seats of those who receive: people of the base by its roster, everybody else by card. */
function members(home: Home, { epoch }: Certificate, cards: Cards, names: readonly string[]): Member[] {
  return names.map((name) => {
    const before = epoch.roster.find((p) => p.name === name);
    if (!before) return cards.member(name);
    const prekeys = cards.has(name) && cards.of(name).card.ed25519 === before.identity ? cards.of(name).card.prekeys : [];
    return { ...before, prekey: unusedPrekey(home, name, before.identity, prekeys) };
  });
}

/** Cards of those who have one here; the base has the keys of the others. */
function cardFiles(cards: Cards, names: readonly string[]): { path: string; bytes: Uint8Array }[] {
  return [...new Set(names)].filter((n) => cards.has(n)).map((n) => cards.asFile(n));
}

/**
 * Who received dealings on the same base in attempts that did not complete here (`W_DEALT`): what was dealt cannot be
 * recalled, and an epoch on another base heals it.
 */
function dealtBefore(home: Home, epoch: EpochRecord): string[] {
  const names = CeremonyStore.all(home)
    .filter(({ plan, done, sent }) => !done && (plan.kind === 'reshare' || plan.kind === 'refresh') && plan.key.id === epoch.key.id && plan.key.epoch === epoch.number && sent.has(1))
    .flatMap(({ plan }) => plan.participants.map((p) => p.name));
  return [...new Set(names)].sort();
}

async function start(home: Home, request: RefreshRequest, certificate: Certificate, names: readonly string[], part: Record<string, unknown>, dealers: readonly string[], port: Port): Promise<Step> {
  const { epoch, digest } = certificate;
  requireNoFork(home, epoch.key.name);
  const { kind } = part as { kind: RekeyPlan['kind'] };
  const cards = new Cards(home, request.cards);
  const files = (): { path: string; bytes: Uint8Array }[] => [{ path: BASE_FILE, bytes: certificate.bytes }, ...cardFiles(cards, [...names, ...dealers, ...(request.witnesses ?? [])])];
  const unfinished = await claimFolder(
    home,
    request,
    (p) => p.kind === kind && p.name === epoch.key.name && 'quorum' in p && p.quorum === part['quorum'] && p.stock === request.stock && p.previous === request.previous?.sid,
  );
  const taken: Plan | undefined = unfinished && ('store' in unfinished ? unfinished.store.plan : unfinished.plan);
  if (taken) return begin(home, taken, request.out, files(), port);
  const dealt = dealtBefore(home, epoch);
  const plan = parsePlan(
    {
      ...planHead(home, epoch.key.name, request, port),
      rank: highestRank(home, epoch.key.name) + 1,
      key: { name: epoch.key.name, id: epoch.key.id, scheme: epoch.key.scheme, epoch: epoch.number, certificate: toHex(digest) },
      stock: request.stock,
      ...(dealt.length > 0 ? { dealt } : {}),
      participants: members(home, certificate, cards, names),
      ...(request.witnesses?.length ? { witnesses: request.witnesses.map((name) => cards.person(name)) } : {}),
      ...part,
    },
    'PLAN.yaml',
  ) as RekeyPlan;
  checkPlan(plan, 'PLAN.yaml', port.now());
  await sealingReady();
  keyingContext(plan, certificate);
  return begin(home, plan, request.out, files(), port);
}

/** Begins a refresh: all shares change, for the same people under the same quorum. @throws E_UNKNOWN_KEY, E_FORK, E_PREKEY_BUSY, E_EXISTS */
export async function startRefresh(home: Home, request: RefreshRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const certificate = requireKey(home, request.key);
  const { epoch } = certificate;
  return start(home, request, certificate, epoch.roster.map((p) => p.name), { kind: 'refresh', quorum: epoch.quorum }, [], port);
}

/** The quorum text with names replaced. @throws E_QUORUM for a name that is not in it */
function replaced(quorum: Quorum, replace: ReshareRequest['replace']): string {
  return replace.reduce((text, [from, to]) => {
    const name = new RegExp(`(?<![a-z0-9-])${from}(?![a-z0-9-])`);
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(from) || !name.test(text)) fail('E_QUORUM', `${from} is not in the quorum ${quorum.text}`, { field: 'replace', participant: from });
    return text.replace(name, to);
  }, quorum.text);
}

/** Begins a reshare: any old quorum hands the key on. @throws as {@link startRefresh}, and E_QUORUM, E_QUORUM_SURPLUS, E_WEAKEN, E_CARD */
export async function startReshare(home: Home, request: ReshareRequest, port: Port): Promise<Step> {
  requireUnlocked(home);
  const certificate = requireKey(home, request.key);
  const { epoch } = certificate;
  const old = parseQuorum(epoch.quorum);
  const quorum = request.quorum ?? replaced(old, request.replace);
  const after = parseQuorum(quorum);
  const gone = new Set(request.replace.map(([from]) => from));
  const present = new Set(epoch.roster.map((p) => p.name).filter((n) => !gone.has(n)));
  const chosen = request.dealers ?? (select(old, present) ?? fail('E_QUORUM', 'without those who are replaced, no quorum of the old epoch is left to deal', { field: 'replace' })).map((l) => [l.name, l.name] as const);
  const leaves = exactQuorum(old, chosen.map(([name]) => name));
  const cards = new Cards(home, request.cards);
  const dealers = leaves.map((leaf) => {
    const now = chosen.find(([name]) => name === leaf.name)?.[1] ?? leaf.name;
    const before = epoch.roster[leaf.id - 1] ?? fail('E_CERTIFICATE', 'the roster does not fit the quorum');
    return { ...(now === leaf.name ? { name: before.name, identity: before.identity, homeId: before.homeId } : cards.person(now)), leaf: leaf.id };
  });
  const part = { kind: 'reshare', quorum, dealers, ...(request.acceptWeaker && weakens(old, after) ? { weakens: true } : {}) };
  return start(home, request, certificate, after.leaves.map((l) => l.name), part, dealers.map((d) => d.name), port);
}
