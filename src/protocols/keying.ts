/**
 * What all ceremonies that make an epoch of a key have in common, the public side: the context that follows from plan and
 * base, complaints, confirmations, and the epoch record. Key generation adds its commit round (dkg.ts); refresh, reshare
 * and import deal an existing secret (rekey.ts).
 */
import { group, type Group, type Point } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import type { AuxInfo } from '../ecdsa/aux-info.ts';
import { isRekey, type KeyingPlan, planQuorum, planSession, schemeOf } from '../plan/plan.ts';
import { decodeCommitment } from '../schnorr/commitment.ts';
import { judgeComplaint } from '../sharing/complaint.ts';
import type { DealingShape } from '../sharing/dealing.ts';
import type { Quorum } from '../sharing/expression.ts';
import { verifyPrekeyPop } from '../sharing/prekey.ts';
import type { KeyTree } from '../sharing/result.ts';
import { encodeTree } from '../sharing/tree.ts';
import type { VerifiedRound } from '../sharing/verify-dealings.ts';
import { ceremonyId, type Envelope, type Seat, type Session } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { type Base, baseOf, pinnedConstants } from './base.ts';
import { parseComplaint } from './dkg-messages.ts';
import { auxRecord, type Certificate, type EpochRecord, epochDigest, parseConfirm } from './epoch.ts';
import { attempt, closingOf, closingSlot, dealSlot, type Finding, type Inbound, parseEnding, speakers, viewFindings } from './machine.ts';

/** What the plan, and the epoch it builds on, fix for all of a protocol. Public. */
export interface KeyingContext<P extends KeyingPlan = KeyingPlan> {
  readonly plan: P;
  readonly session: Session;
  readonly group: Group;
  /** The quorum that receives. */
  readonly quorum: Quorum;
  /** Those who receive, in ascending order of leaf id: seats 1..n. */
  readonly members: readonly Seat[];
  /** One-time keys of the members in their order, 32 bytes each. */
  readonly prekeys: readonly Uint8Array[];
  /** Slots of the deals and of the confirmation. */
  readonly deal: number;
  readonly confirm: number;
  /** The epoch that is refreshed or left; absent in key generation and import. */
  readonly base: Base | undefined;
  /** The public constants that the dealers must deal, by seat; absent where constants are random or zero. */
  readonly expected: ReadonlyMap<number, Point> | undefined;
}

/**
 * Context of a plan; checks every one-time key's proof of possession, and that plan and base belong together.
 * @param certificate of the epoch that a refresh or reshare builds on
 * @throws E_POP naming the participant; E_EPOCH, E_QUORUM, E_QUORUM_SURPLUS, E_CARD, E_WEAKEN, E_POINT, E_SCALAR, E_DEALING
 */
export function keyingContext<P extends KeyingPlan>(plan: P, certificate?: Certificate): KeyingContext<P> {
  for (const p of plan.participants)
    if (!verifyPrekeyPop({ owner: p.name, homeId: p.homeId, n: p.prekey.n }, fromHex(p.prekey.P), fromHex(p.prekey.pop)))
      fail('E_POP', `the one-time key of ${p.name} has no valid proof of possession`, {
        participant: p.name,
        field: 'prekey',
        remedy: `Ask ${p.name} for a fresh card (mpc-ceremony card renew), and the lead for a new plan.`,
      });
  const session = planSession(plan);
  const base = isRekey(plan) ? baseOf(plan, certificate) : undefined;
  return {
    plan,
    session,
    group: group(SCHEMES[schemeOf(plan)].group),
    quorum: planQuorum(plan),
    members: session.seats.slice(0, plan.participants.length),
    prekeys: plan.participants.map((p) => fromHex(p.prekey.P)),
    deal: dealSlot(plan),
    confirm: closingSlot(plan),
    base,
    expected: isRekey(plan) ? pinnedConstants(plan, base) : undefined,
  };
}

/** Form of this ceremony's dealings. */
export function shapeOf({ plan, group: g, quorum }: KeyingContext): DealingShape {
  return { kind: plan.kind, group: g, quorum };
}

/** Name of a seat. */
export function seatName(ctx: KeyingContext, leaf: number): string {
  return ctx.session.seats.find((s) => s.leaf === leaf)?.name ?? `seat ${String(leaf)}`;
}

/** The public outcome of the dealings. */
export interface Dealt {
  readonly key: KeyTree;
  readonly verdict: VerifiedRound;
}

/** The public outcome of all rounds before the confirmation. */
export interface KeyingResult extends Dealt {
  /** Auxiliary information of every member of an ECDSA key, in ascending order of leaf id. */
  readonly auxiliary: readonly AuxInfo[] | undefined;
  readonly epoch: EpochRecord;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

/** Messages of one slot, by seat. */
export type Round = ReadonlyMap<number, Envelope>;

/** Messages of a slot; none where nobody has spoken. */
export function roundOf(messages: Inbound, slot: number): Round {
  return messages.get(slot) ?? new Map<number, Envelope>();
}

/** The rounds before the confirmation, by the name of their message; the last one is what confirmations echo. */
export type Rounds = Readonly<Partial<Record<'commit' | 'deal' | 'reveal' | 'prove', Round>>>;

/**
 * The epoch record: all that is public about the key in the new epoch.
 * @param chainCode 32 bytes
 */
export function makeResult(ctx: KeyingContext, dealt: Dealt, auxiliary: readonly AuxInfo[] | undefined, chainCode: Uint8Array, rounds: Rounds): KeyingResult {
  const { plan, session, base } = ctx;
  const hashes = (messages: Round): Record<string, string> => Object.fromEntries([...messages.values()].map((e) => [e.name, toHex(e.hash)]));
  const born = plan.kind === 'import' ? 'whole' : base?.epoch.born;
  const epoch: EpochRecord = {
    v: 1,
    type: 'mpc-ceremony/epoch',
    kind: plan.kind,
    session: toHex(session.sid),
    attempt: plan.attempt,
    number: plan.rank,
    key: { name: plan.name, id: base?.epoch.key.id ?? ceremonyId(session.sid), scheme: schemeOf(plan), mode: plan.mode },
    ...(base ? { base: { number: base.epoch.number, epoch: toHex(base.digest) } } : {}),
    ...(born ? { born } : {}),
    publicKey: toHex(ctx.group.encodePoint(dealt.key.publicKey)),
    quorum: ctx.quorum.text,
    tree: toHex(encodeTree(dealt.key.tree)),
    chainCode: toHex(chainCode),
    roster: plan.participants.map((p) => ({ name: p.name, identity: p.identity, homeId: p.homeId, x25519: p.x25519 })),
    ...('dealers' in plan ? { dealers: plan.dealers.map((d) => d.name) } : {}),
    ...(auxiliary ? { auxiliary: auxiliary.map(auxRecord) } : {}),
    rounds: Object.fromEntries(Object.entries(rounds).map(([name, round]) => [name, hashes(round)])) as EpochRecord['rounds'],
  };
  return { ...dealt, auxiliary, epoch, digest: epochDigest(epoch) };
}

/** Closing messages, by what they are. */
export function closings(ctx: KeyingContext, messages: Inbound, kind: 'close' | 'complaint' | 'other'): Envelope[] {
  return [...roundOf(messages, ctx.confirm).values()].filter((e) => {
    const closing = closingOf(e.body);
    return kind === (closing === 'close' || closing === 'complaint' ? closing : 'other');
  });
}

/** Findings about confirmations, given what they must confirm. @param before the round that they echo */
export function confirmFindings(ctx: KeyingContext, closing: Envelope, result: KeyingResult, before: Round, all: readonly Envelope[]): Finding[] {
  const evidence = [...all, closing];
  const read = (): ReturnType<typeof parseConfirm> => parseConfirm(closing.body, before.size);
  const malformed = attempt(closing, evidence, read);
  if (malformed.length > 0) return malformed;
  const c = read();
  const views = viewFindings(closing, c.echo, before, evidence);
  if (views.length > 0) return views;
  return attempt(closing, evidence, () => {
    if (!equalBytes(c.epoch, result.digest)) fail('E_CONFIRM', 'confirms another epoch than the dealings give');
    const seat = ctx.plan.participants[closing.leaf - 1];
    if (!seat) fail('E_CONFIRM', 'confirms a share that it does not receive');
    if (!verifyPrekeyPop({ owner: seat.name, homeId: seat.homeId, n: c.prekey.n }, c.prekey.P, c.prekey.pop)) fail('E_POP', 'the next one-time key has no valid proof of possession');
    if (c.prekey.n <= seat.prekey.n) fail('E_CONFIRM', 'the next one-time key is not newer than the one used');
    if (c.stock.length !== ctx.plan.stock) fail('E_CONFIRM', 'stocks another number of first messages than the plan says');
    if (new Set(c.stock.map(toHex)).size !== c.stock.length) fail('E_CONFIRM', 'stocks one first message twice');
    if (!result.auxiliary) for (const bytes of c.stock) decodeCommitment(schemeOf(ctx.plan), bytes);
  });
}

function complaintFindings(ctx: KeyingContext, closing: Envelope, dealt: Dealt, deals: Round, all: readonly Envelope[]): Finding[] {
  const evidence = [...all, closing];
  try {
    const c = parseComplaint(closing.body, deals.size);
    const views = viewFindings(closing, c.echo, deals, evidence);
    if (views.length > 0) return views;
    const dealing = dealt.verdict.dealings.get(c.dealer);
    const leaf = ctx.quorum.leaves[closing.leaf - 1];
    if (!dealing || !leaf) fail('E_FORMAT', 'complains about nobody');
    const verdict = judgeComplaint(
      { sid: ctx.session.sid, dealer: c.dealer, dealing, leaf, P: ctx.prekeys[closing.leaf - 1] as Uint8Array },
      c.complaint,
    );
    return verdict === 'dealer'
      ? [{ code: 'E_VSS', culprit: c.dealer, text: `the sub-share that ${seatName(ctx, c.dealer)} sealed to ${closing.name} does not fit its commitments`, evidence }]
      : [{ code: 'E_FALSE_COMPLAINT', culprit: closing.leaf, text: `${closing.name} complained about a good sub-share of ${seatName(ctx, c.dealer)}`, evidence }];
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return [{ code: e.code, culprit: closing.leaf, text: `${closing.name}: ${e.message}`, evidence }];
  }
}

/** Findings from complaints and from malformed endings, once the dealings are judged. @param all what the dealings rest on */
export function protestFindings(ctx: KeyingContext, messages: Inbound, dealt: Dealt, all: readonly Envelope[]): Finding[] {
  return [
    ...closings(ctx, messages, 'complaint').flatMap((c) => complaintFindings(ctx, c, dealt, roundOf(messages, ctx.deal), all)),
    ...closings(ctx, messages, 'other').flatMap((c) => attempt(c, [...all, c], () => parseEnding(c.body))),
  ];
}

/** Messages in places where their sender has nothing to say; only an ending may stand in anybody's closing slot. */
export function foreignFindings(ctx: KeyingContext, messages: Inbound): Finding[] {
  const { plan, session } = ctx;
  return [...messages].flatMap(([slot, sent]) => {
    const allowed = slot <= ctx.confirm ? speakers(plan, slot, session.seats) : [];
    return [...sent.values()]
      .filter((e) => !allowed.includes(e.leaf) && !(slot === ctx.confirm && ['refuse', 'abandon'].includes(closingOf(e.body) ?? '')))
      .map((e) => ({ code: 'E_FORMAT' as const, culprit: e.leaf, text: `${e.name} spoke in a round in which it has nothing to say`, evidence: [e] }));
  });
}
