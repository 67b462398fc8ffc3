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
import { commitment, parseCommit, parseComplaint, parseDeal } from './dkg-messages.ts';
import { type EpochRecord, epochDigest, parseConfirm, stockEntryBytes } from './epoch.ts';
import { closingOf, echoDifferences, type Finding, formFindings, type Inbound, parseEnding } from './machine.ts';

export const COMMIT = 1;
export const DEAL = 2;
export const CONFIRM = 3;

/** What the plan fixes for all of its protocol. Public. */
export interface DkgContext {
  readonly plan: DkgPlan;
  readonly session: Session;
  readonly group: Group;
  readonly quorum: Quorum;
  /** One-time keys in ascending order of leaf id, 32 bytes each. */
  readonly prekeys: readonly Uint8Array[];
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
  };
}

const shape = (ctx: DkgContext) => ({ kind: 'dkg' as const, group: ctx.group, quorum: ctx.quorum });

function attempt(envelope: Envelope, evidence: readonly Envelope[], check: () => void): Finding[] {
  try {
    check();
    return [];
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return [{ code: e.code, culprit: envelope.leaf, text: `${envelope.name}: ${e.message}`, evidence }];
  }
}

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
  const m = parseDeal(deal.body, ctx.session.seats.length);
  if (m.dealing.length !== dealingBytes(shape(ctx))) fail('E_DEALING', 'the dealing has another length than the quorum demands');
  const opening = m.dealing.subarray(0, openingBytes(shape(ctx)));
  const possession = ctx.group.pointBytes + ctx.group.scalarBytes;
  const split = opening.length - possession;
  return commitment(ctx.session.sid, deal.leaf, opening.subarray(0, split), opening.subarray(split), m.chainPart, m.salt);
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
    new Map([...deals.values()].map((d) => [d.leaf, parseDeal(d.body, ctx.session.seats.length).dealing])),
  );
  if (verdict.ok) return { findings, verdict };
  return {
    findings: verdict.faults.map((f) => ({ code: f.check, culprit: f.dealer, text: `${nameOf(ctx, f.dealer)}: ${f.text}`, evidence })),
  };
}

function parseEchoOf(ctx: DkgContext, e: Envelope): Uint8Array | undefined {
  const n = ctx.session.seats.length;
  try {
    if (e.slot === DEAL) return parseDeal(e.body, n).echo;
    const kind = closingOf(e.body);
    if (kind === 'close') return parseConfirm(e.body, n, stockEntryBytes(ctx.plan.scheme)).echo;
    return kind === 'complaint' ? parseComplaint(e.body, n).echo : undefined;
  } catch {
    return undefined;
  }
}

/** An echo that differs: nobody is blamed for it; the two signed copies, once together, name the one who equivocated. */
function viewFindings(e: Envelope, echoed: Uint8Array | undefined, held: ReadonlyMap<number, Envelope>, evidence: readonly Envelope[]): Finding[] {
  if (!echoed) return [];
  const differing = echoDifferences(echoed, held);
  if (differing.length === 0) return [];
  const names = differing.map((leaf) => (held.get(leaf) as Envelope).name).join(', ');
  return [
    {
      code: 'E_VIEW',
      culprit: undefined,
      text: `${e.name} received another message of ${names} than the one held here`,
      evidence,
    },
  ];
}

function nameOf(ctx: DkgContext, leaf: number): string {
  return ctx.session.seats.find((s) => s.leaf === leaf)?.name ?? `seat ${String(leaf)}`;
}

/** The public outcome of the dealings. */
export interface DkgResult {
  readonly key: KeyTree;
  readonly verdict: DealingVerdict & { ok: true };
  readonly epoch: EpochRecord;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

function makeResult(ctx: DkgContext, verdict: DealingVerdict & { ok: true }, commits: ReadonlyMap<number, Envelope>, deals: ReadonlyMap<number, Envelope>): DkgResult {
  const key = combineTrees(ctx.group, ctx.quorum, [verdict.tree]);
  const { plan, session } = ctx;
  const hashes = (messages: ReadonlyMap<number, Envelope>): Record<string, string> =>
    Object.fromEntries(session.seats.map((s) => [s.name, toHex((messages.get(s.leaf) as Envelope).hash)]));
  const parts = session.seats.map((s) => parseDeal((deals.get(s.leaf) as Envelope).body, session.seats.length).chainPart);
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
    rounds: { commit: hashes(commits), deal: hashes(deals) },
  };
  return { key, verdict, epoch, digest: epochDigest(epoch) };
}

function closingFindings(ctx: DkgContext, closing: Envelope, result: DkgResult, deals: ReadonlyMap<number, Envelope>, all: readonly Envelope[]): Finding[] {
  const n = ctx.session.seats.length;
  const kind = closingOf(closing.body);
  const evidence = [...all, closing];
  const views = viewFindings(closing, parseEchoOf(ctx, closing), deals, evidence);
  if (views.length > 0) return views;
  if (kind === 'close')
    return attempt(closing, evidence, () => {
      const c = parseConfirm(closing.body, n, stockEntryBytes(ctx.plan.scheme));
      if (!equalBytes(c.epoch, result.digest)) fail('E_CONFIRM', 'confirms another epoch than the dealings give');
      const seat = ctx.plan.participants[closing.leaf - 1];
      if (!seat || !verifyPrekeyPop({ owner: seat.name, homeId: seat.homeId, n: c.prekey.n }, c.prekey.P, c.prekey.pop))
        fail('E_POP', 'the next one-time key has no valid proof of possession');
      if (c.prekey.n <= seat.prekey.n) fail('E_CONFIRM', 'the next one-time key is not newer than the one used');
      if (c.stock.length !== ctx.plan.stock) fail('E_CONFIRM', 'stocks another number of nonce commitments than the plan says');
      if (new Set(c.stock.map(toHex)).size !== c.stock.length) fail('E_CONFIRM', 'stocks one nonce commitment twice');
      for (const bytes of c.stock) decodeCommitment(ctx.plan.scheme, bytes);
    });
  if (kind === 'complaint') {
    try {
      const c = parseComplaint(closing.body, n);
      const dealing = result.verdict.dealings.get(c.dealer);
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
  return attempt(closing, evidence, () => parseEnding(closing.body));
}

/**
 * Everything that follows publicly from a set of messages: faults with their culprits, and, once all dealings are there
 * and good, the new key. Messages of a round are judged when the round is complete; a later round is judged only when
 * the earlier ones are without fault.
 */
export function dkgFindings(ctx: DkgContext, messages: Inbound): { findings: readonly Finding[]; result?: DkgResult } {
  const n = ctx.session.seats.length;
  const commits = messages.get(COMMIT) ?? new Map<number, Envelope>();
  const deals = messages.get(DEAL) ?? new Map<number, Envelope>();
  const closings = messages.get(CONFIRM) ?? new Map<number, Envelope>();
  const findings: Finding[] = [...formFindings(messages, (slot) => slot >= COMMIT && slot <= CONFIRM), ...commitFindings(commits)];
  if (findings.length > 0 || commits.size < n || deals.size < n) return { findings };
  const dealt = dealFindings(ctx, commits, deals);
  if (!dealt.verdict) return { findings: dealt.findings };
  const all = [...commits.values(), ...deals.values()];
  let result: DkgResult;
  try {
    result = makeResult(ctx, dealt.verdict, commits, deals);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_DEGENERATE') throw e;
    return { findings: [{ code: 'E_DEGENERATE', culprit: undefined, text: e.message, evidence: all }] };
  }
  return { findings: [...closings.values()].flatMap((c) => closingFindings(ctx, c, result, deals, all)), result };
}
