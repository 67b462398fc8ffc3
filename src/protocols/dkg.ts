/**
 * Distributed key generation, the public side: every check that needs no secret. The live ceremony, the verifier of
 * transcripts and the verifier of evidence all call {@link dkgFindings}; there is no second copy of any check.
 */
import { group, type Group } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { type DkgPlan, planQuorum, planSession } from '../plan/plan.ts';
import { judgeComplaint } from '../sharing/complaint.ts';
import { dealingBytes, openingBytes } from '../sharing/dealing.ts';
import type { Quorum } from '../sharing/expression.ts';
import { verifyPrekeyPop } from '../sharing/prekey.ts';
import { combineTrees, type KeyTree } from '../sharing/result.ts';
import { encodeTree } from '../sharing/tree.ts';
import { type DealingVerdict, verifyDealings } from '../sharing/verify-dealings.ts';
import { decodeCommitment } from '../schnorr/commitment.ts';
import { ceremonyId, type Envelope, type Session } from '../wire/blob.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import type { AuxInfo } from '../ecdsa/aux-info.ts';
import { N_BYTES, REPETITIONS } from '../ecdsa/parameters.ts';
import type { Judge } from './crew.ts';
import { commitment, type DealMessage, parseCommit, parseComplaint, parseDeal } from './dkg-messages.ts';
import { auxRecord, type EpochRecord, epochDigest, parseConfirm } from './epoch.ts';
import { attempt, closingOf, closingSlot, DEAL, type Finding, formFindings, type Inbound, parseEnding, viewFindings } from './machine.ts';

export const COMMIT = 1;
export { DEAL };
/** Proofs of an ECDSA key; the slot after it is then the closing one. */
export const PROVE = 3;

/** What the plan fixes for all of its protocol. Public. */
export interface DkgContext {
  readonly plan: DkgPlan;
  readonly session: Session;
  readonly group: Group;
  readonly quorum: Quorum;
  /** One-time keys in ascending order of leaf id, 32 bytes each. */
  readonly prekeys: readonly Uint8Array[];
  /** Slot of the confirmation. */
  readonly confirm: number;
}

/**
 * Context of a DKG plan; checks every one-time key's proof of possession.
 * @throws E_POP naming the participant
 */
export function dkgContext(plan: DkgPlan): DkgContext {
  for (const p of plan.participants)
    if (!verifyPrekeyPop({ owner: p.name, homeId: p.homeId, n: p.prekey.n }, fromHex(p.prekey.P), fromHex(p.prekey.pop)))
      fail('E_POP', `the one-time key of ${p.name} has no valid proof of possession`, {
        participant: p.name,
        field: 'prekey',
        remedy: `Ask ${p.name} for a fresh card (mpc-ceremony card renew), and the lead for a new plan.`,
      });
  return {
    plan,
    session: planSession(plan),
    group: group(SCHEMES[plan.scheme].group),
    quorum: planQuorum(plan),
    prekeys: plan.participants.map((p) => fromHex(p.prekey.P)),
    confirm: closingSlot(plan),
  };
}

/** A deal, read. @throws E_FORMAT, E_DEALING */
export function dealOf(ctx: DkgContext, deal: Envelope): DealMessage {
  const read = parseDeal(deal.body, ctx.session.seats.length, dealingBytes(shape(ctx)));
  const auxiliary = SCHEMES[ctx.plan.scheme].protocol === 'cggmp24' ? AUXILIARY_BYTES : 0;
  if (read.auxiliary.length !== auxiliary) fail('E_DEALING', 'the dealing has another length than the quorum demands');
  return read;
}

/** Bytes of the auxiliary part of a deal of an ECDSA key (auxiliary.ts): N, N̂, s, t, the compressed Π-prm, ρ. */
const AUXILIARY_BYTES = 4 * N_BYTES + REPETITIONS / 8 + REPETITIONS * N_BYTES + 32;

const shape = (ctx: DkgContext) => ({ kind: 'dkg' as const, group: ctx.group, quorum: ctx.quorum });

/** Findings about the commits alone. */
function commitFindings(commits: ReadonlyMap<number, Envelope>): Finding[] {
  const seen = new Map<string, Envelope>();
  return [...commits.values()].flatMap((c) => {
    const bad = attempt(c, [c], () => parseCommit(c.body));
    seen.set(toHex(c.body), c);
    return bad;
  });
}

/** Every part of a deal that was committed to, in the order in which the hash takes it. */
function opened(ctx: DkgContext, deal: Envelope): Uint8Array {
  const m = dealOf(ctx, deal);
  const opening = m.dealing.subarray(0, openingBytes(shape(ctx)));
  const possession = ctx.group.pointBytes + ctx.group.scalarBytes;
  const split = opening.length - possession;
  return commitment(ctx.session.sid, deal.leaf, { ...m, commitments: opening.subarray(0, split), possession: opening.subarray(split) });
}

/** Findings about the dealings, given all commits and all deals; also the verdict when there are none. */
function dealFindings(ctx: DkgContext, commits: ReadonlyMap<number, Envelope>, deals: ReadonlyMap<number, Envelope>): { findings: Finding[]; verdict?: DealingVerdict & { ok: true } } {
  const findings: Finding[] = [];
  // a round is judged when it is complete, also by whoever judges the evidence: the whole of it goes along
  const evidence = [...commits.values(), ...deals.values()];
  for (const deal of deals.values()) {
    const own = commits.get(deal.leaf) as Envelope;
    findings.push(
      ...attempt(deal, evidence, () => {
        if (!equalBytes(opened(ctx, deal), parseCommit(own.body))) fail('E_COMMIT', 'what was revealed is not what was committed to');
      }),
    );
  }
  findings.push(...[...deals.values()].flatMap((deal) => viewFindings(deal, parseEchoOf(ctx, deal), commits, evidence)));
  if (findings.length > 0) return { findings };
  const verdict = verifyDealings(
    { ...shape(ctx), sid: ctx.session.sid, prekeys: ctx.prekeys },
    new Map([...deals.values()].map((d) => [d.leaf, dealOf(ctx, d).dealing])),
  );
  if (verdict.ok) return { findings, verdict };
  return {
    findings: verdict.faults.map((f) => ({ code: f.check, culprit: f.dealer, text: `${nameOf(ctx, f.dealer)}: ${f.text}`, evidence })),
  };
}

function parseEchoOf(ctx: DkgContext, e: Envelope): Uint8Array | undefined {
  const n = ctx.session.seats.length;
  try {
    if (e.slot === DEAL) return dealOf(ctx, e).echo;
    const kind = closingOf(e.body);
    if (kind === 'close') return parseConfirm(e.body, n).echo;
    return kind === 'complaint' ? parseComplaint(e.body, n).echo : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(ctx: DkgContext, leaf: number): string {
  return ctx.session.seats.find((s) => s.leaf === leaf)?.name ?? `seat ${String(leaf)}`;
}

/** The public outcome of the dealings. */
export interface Dealt {
  readonly key: KeyTree;
  readonly verdict: DealingVerdict & { ok: true };
  /** Auxiliary information of every participant of an ECDSA key, in ascending order of leaf id. */
  readonly auxiliary: readonly AuxInfo[] | undefined;
}

/** The public outcome of all rounds before the confirmation. */
export interface DkgResult extends Dealt {
  readonly epoch: EpochRecord;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

type Round = ReadonlyMap<number, Envelope>;

function makeResult(ctx: DkgContext, dealt: Dealt, commits: Round, deals: Round, proves: Round): DkgResult {
  const { plan, session } = ctx;
  const { key, auxiliary } = dealt;
  const hashes = (messages: Round): Record<string, string> =>
    Object.fromEntries(session.seats.map((s) => [s.name, toHex((messages.get(s.leaf) as Envelope).hash)]));
  const parts = session.seats.map((s) => dealOf(ctx, deals.get(s.leaf) as Envelope).chainPart);
  const epoch: EpochRecord = {
    v: 1,
    type: 'mpc-ceremony/epoch',
    kind: 'dkg',
    session: toHex(session.sid),
    attempt: plan.attempt,
    number: plan.rank,
    key: { name: plan.name, id: ceremonyId(session.sid), scheme: plan.scheme, mode: plan.mode },
    publicKey: toHex(ctx.group.encodePoint(key.publicKey)),
    quorum: ctx.quorum.text,
    tree: toHex(encodeTree(key.tree)),
    chainCode: toHex(digest('chain-code/v1', session.sid, parts)),
    roster: plan.participants.map((p) => ({ name: p.name, identity: p.identity, homeId: p.homeId, x25519: p.x25519 })),
    ...(auxiliary ? { auxiliary: auxiliary.map(auxRecord) } : {}),
    rounds: { commit: hashes(commits), deal: hashes(deals), ...(auxiliary ? { prove: hashes(proves) } : {}) },
  };
  return { ...dealt, epoch, digest: epochDigest(epoch) };
}

function confirmFindings(ctx: DkgContext, closing: Envelope, result: DkgResult, before: Round, all: readonly Envelope[]): Finding[] {
  const n = ctx.session.seats.length;
  const evidence = [...all, closing];
  const views = viewFindings(closing, parseEchoOf(ctx, closing), before, evidence);
  if (views.length > 0) return views;
  return attempt(closing, evidence, () => {
    const c = parseConfirm(closing.body, n);
    if (!equalBytes(c.epoch, result.digest)) fail('E_CONFIRM', 'confirms another epoch than the dealings give');
    const seat = ctx.plan.participants[closing.leaf - 1];
    if (!seat || !verifyPrekeyPop({ owner: seat.name, homeId: seat.homeId, n: c.prekey.n }, c.prekey.P, c.prekey.pop))
      fail('E_POP', 'the next one-time key has no valid proof of possession');
    if (c.prekey.n <= seat.prekey.n) fail('E_CONFIRM', 'the next one-time key is not newer than the one used');
    if (c.stock.length !== ctx.plan.stock) fail('E_CONFIRM', 'stocks another number of first messages than the plan says');
    if (new Set(c.stock.map(toHex)).size !== c.stock.length) fail('E_CONFIRM', 'stocks one first message twice');
    if (!result.auxiliary) for (const bytes of c.stock) decodeCommitment(ctx.plan.scheme, bytes);
  });
}

function complaintFindings(ctx: DkgContext, closing: Envelope, dealt: Dealt, deals: Round, all: readonly Envelope[]): Finding[] {
  const evidence = [...all, closing];
  const views = viewFindings(closing, parseEchoOf(ctx, closing), deals, evidence);
  if (views.length > 0) return views;
  try {
    const c = parseComplaint(closing.body, ctx.session.seats.length);
    const dealing = dealt.verdict.dealings.get(c.dealer);
    const leaf = ctx.quorum.leaves[closing.leaf - 1];
    if (!dealing || !leaf) fail('E_FORMAT', 'complains about nobody');
    const verdict = judgeComplaint(
      { sid: ctx.session.sid, dealer: c.dealer, dealing, leaf, P: ctx.prekeys[closing.leaf - 1] as Uint8Array },
      c.complaint,
    );
    return verdict === 'dealer'
      ? [{ code: 'E_VSS', culprit: c.dealer, text: `the sub-share that ${nameOf(ctx, c.dealer)} sealed to ${closing.name} does not fit its commitments`, evidence }]
      : [{ code: 'E_FALSE_COMPLAINT', culprit: closing.leaf, text: `${closing.name} complained about a good sub-share of ${nameOf(ctx, c.dealer)}`, evidence }];
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return [{ code: e.code, culprit: closing.leaf, text: `${closing.name}: ${e.message}`, evidence }];
  }
}

/** Messages of the closing slot, by what they are. */
function closings(ctx: DkgContext, messages: Inbound, kind: 'close' | 'complaint' | 'other'): Envelope[] {
  return [...(messages.get(ctx.confirm)?.values() ?? [])].filter((e) => {
    const closing = closingOf(e.body);
    return kind === (closing === 'close' || closing === 'complaint' ? closing : 'other');
  });
}

/**
 * Everything that follows publicly from a set of messages: faults with their culprits, and, once they are there and
 * good, the outcome of the dealings and the new key. Messages of a round are judged when the round is complete; a later
 * round is judged only when the earlier ones are without fault.
 * @param judge used for the proofs of an ECDSA key alone
 */
export async function dkgFindings(ctx: DkgContext, messages: Inbound, judge: Judge): Promise<{ findings: readonly Finding[]; dealt?: Dealt; result?: DkgResult }> {
  const n = ctx.session.seats.length;
  const round = (slot: number): Round => messages.get(slot) ?? new Map<number, Envelope>();
  const [commits, deals] = [round(COMMIT), round(DEAL)];
  const findings: Finding[] = [...formFindings(messages, (slot) => slot >= COMMIT && slot <= ctx.confirm), ...commitFindings(commits)];
  if (findings.length > 0 || commits.size < n || deals.size < n) return { findings };
  const checked = dealFindings(ctx, commits, deals);
  if (!checked.verdict) return { findings: checked.findings };
  const dealings = [...commits.values(), ...deals.values()];

  const auxiliary = SCHEMES[ctx.plan.scheme].protocol === 'cggmp24' ? await import('./auxiliary.ts') : undefined;
  const aux = await auxiliary?.auxiliaryFindings(ctx, deals, dealings, judge);
  if (aux && 'findings' in aux) return aux;
  let key: KeyTree;
  try {
    key = combineTrees(ctx.group, ctx.quorum, [checked.verdict.tree]);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_DEGENERATE') throw e;
    return { findings: [{ code: 'E_DEGENERATE', culprit: undefined, text: e.message, evidence: dealings }] };
  }
  const dealt: Dealt = { key, verdict: checked.verdict, auxiliary: aux?.infos };
  const early = [
    ...closings(ctx, messages, 'complaint').flatMap((c) => complaintFindings(ctx, c, dealt, deals, dealings)),
    ...closings(ctx, messages, 'other').flatMap((c) => attempt(c, [...dealings, c], () => parseEnding(c.body))),
  ];
  if (early.length > 0) return { findings: early, dealt };

  const proves = auxiliary ? round(PROVE) : new Map<number, Envelope>();
  const before = auxiliary ? proves : deals;
  if (before.size < n) return { findings: [], dealt };
  const all = [...dealings, ...proves.values()];
  if (auxiliary && aux) {
    const faults = await auxiliary.proveFindings(ctx, { proves, deals, dealt, infos: aux.infos, bind: aux.bind, all }, judge);
    if (faults.length > 0) return { findings: faults, dealt };
  }
  const result = makeResult(ctx, dealt, commits, deals, proves);
  const confirms = closings(ctx, messages, 'close');
  const faults = confirms.flatMap((c) => confirmFindings(ctx, c, result, before, all));
  if (faults.length > 0 || !auxiliary) return { findings: faults, dealt, result };
  return { findings: await auxiliary.stockFindings(ctx, result, confirms, all, judge), dealt, result };
}
