/**
 * Distributed key generation, the public side: every check that needs no secret. The live ceremony, the verifier of
 * transcripts and the verifier of evidence all call {@link dkgFindings}; there is no second copy of any check.
 */
import { SCHEMES } from '../curves/scheme.ts';
import { N_BYTES, REPETITIONS } from '../ecdsa/parameters.ts';
import { type DkgPlan, schemeOf } from '../plan/plan.ts';
import { dealingBytes, openingBytes } from '../sharing/dealing.ts';
import { combineTrees, type KeyTree } from '../sharing/result.ts';
import { type DealingVerdict, verifyDealings } from '../sharing/verify-dealings.ts';
import type { Envelope } from '../wire/blob.ts';
import { equalBytes } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import type { Judge } from './crew.ts';
import { commitment, type DealMessage, parseCommit, parseDeal } from './dkg-messages.ts';
import { closings, confirmFindings, type Dealt, type KeyingContext, keyingContext, type KeyingResult, makeResult, protestFindings, type Round, roundOf, seatName, shapeOf } from './keying.ts';
import { attempt, type Finding, formFindings, type Inbound, viewFindings } from './machine.ts';

export const COMMIT = 1;
export const DEAL = 2;
/** Proofs of an ECDSA key; the slot after it is then the closing one. */
export const PROVE = 3;

export type DkgContext = KeyingContext<DkgPlan>;

/** Context of a DKG plan; checks every one-time key's proof of possession. @throws E_POP naming the participant */
export function dkgContext(plan: DkgPlan): DkgContext {
  return keyingContext(plan);
}

/** A deal, read. @throws E_FORMAT, E_DEALING */
export function dealOf(ctx: DkgContext, deal: Envelope): DealMessage {
  const read = parseDeal(deal.body, ctx.members.length, dealingBytes(shapeOf(ctx)));
  const auxiliary = SCHEMES[schemeOf(ctx.plan)].protocol === 'cggmp24' ? AUXILIARY_BYTES : 0;
  if (read.auxiliary.length !== auxiliary) fail('E_DEALING', 'the dealing has another length than the quorum demands');
  return read;
}

/** Bytes of the auxiliary part of an ECDSA key (auxiliary.ts): N, N̂, s, t, the compressed Π-prm, ρ. */
export const AUXILIARY_BYTES = 4 * N_BYTES + REPETITIONS / 8 + REPETITIONS * N_BYTES + 32;

/** Findings about the commits alone. */
function commitFindings(commits: Round): Finding[] {
  return [...commits.values()].flatMap((c) => attempt(c, [c], () => parseCommit(c.body)));
}

/** Every part of a deal that was committed to, in the order in which the hash takes it. */
function opened(ctx: DkgContext, deal: Envelope): Uint8Array {
  const m = dealOf(ctx, deal);
  const opening = m.dealing.subarray(0, openingBytes(shapeOf(ctx)));
  const possession = ctx.group.pointBytes + ctx.group.scalarBytes;
  const split = opening.length - possession;
  return commitment(ctx.session.sid, deal.leaf, { ...m, commitments: opening.subarray(0, split), possession: opening.subarray(split) });
}

/** Findings about the dealings, given all commits and all deals; also the verdict when there are none. */
function dealFindings(ctx: DkgContext, commits: Round, deals: Round): { findings: Finding[]; verdict?: DealingVerdict & { ok: true } } {
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
  // who sent what cannot be read was found above
  const echoOf = (deal: Envelope): Uint8Array | undefined => {
    try {
      return dealOf(ctx, deal).echo;
    } catch {
      return undefined;
    }
  };
  findings.push(...[...deals.values()].flatMap((deal) => viewFindings(deal, echoOf(deal), commits, evidence)));
  if (findings.length > 0) return { findings };
  const verdict = verifyDealings(
    { ...shapeOf(ctx), sid: ctx.session.sid, prekeys: ctx.prekeys },
    new Map([...deals.values()].map((d) => [d.leaf, dealOf(ctx, d).dealing])),
  );
  if (verdict.ok) return { findings, verdict };
  return {
    findings: verdict.faults.map((f) => ({ code: f.check, culprit: f.dealer, text: `${seatName(ctx, f.dealer)}: ${f.text}`, evidence })),
  };
}

/**
 * Everything that follows publicly from a set of messages: faults with their culprits, and, once they are there and
 * good, the outcome of the dealings and the new key. Messages of a round are judged when the round is complete; a later
 * round is judged only when the earlier ones are without fault.
 * @param judge used for the proofs of an ECDSA key alone
 */
export async function dkgFindings(ctx: DkgContext, messages: Inbound, judge: Judge): Promise<{ findings: readonly Finding[]; dealt?: Dealt; result?: KeyingResult }> {
  const n = ctx.members.length;
  const [commits, deals] = [roundOf(messages, COMMIT), roundOf(messages, DEAL)];
  const findings: Finding[] = [...formFindings(messages, (slot) => slot >= COMMIT && slot <= ctx.confirm), ...commitFindings(commits)];
  if (findings.length > 0 || commits.size < n || deals.size < n) return { findings };
  const checked = dealFindings(ctx, commits, deals);
  if (!checked.verdict) return { findings: checked.findings };
  const dealings = [...commits.values(), ...deals.values()];

  const auxiliary = SCHEMES[schemeOf(ctx.plan)].protocol === 'cggmp24' ? await import('./auxiliary.ts') : undefined;
  const announcements = new Map([...deals].map(([leaf, envelope]) => [leaf, { envelope, part: dealOf(ctx, envelope).auxiliary }]));
  const aux = await auxiliary?.auxiliaryFindings(ctx, announcements, dealings, judge);
  if (aux && 'findings' in aux) return aux;
  let key: KeyTree;
  try {
    key = combineTrees(ctx.group, ctx.quorum, [checked.verdict.tree]);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_DEGENERATE') throw e;
    return { findings: [{ code: 'E_DEGENERATE', culprit: undefined, text: e.message, evidence: dealings }] };
  }
  const dealt: Dealt = { key, verdict: checked.verdict };
  const early = protestFindings(ctx, messages, dealt, dealings);
  if (early.length > 0) return { findings: early, dealt };

  const proves = auxiliary ? roundOf(messages, PROVE) : new Map<number, Envelope>();
  const before = auxiliary ? proves : deals;
  if (before.size < n) return { findings: [], dealt };
  const all = [...dealings, ...proves.values()];
  if (auxiliary && aux) {
    const faults = await auxiliary.proveFindings(ctx, { proves, before: deals, dealt, infos: aux.infos, bind: aux.bind, all }, judge);
    if (faults.length > 0) return { findings: faults, dealt };
  }
  const parts = ctx.members.map((s) => dealOf(ctx, deals.get(s.leaf) as Envelope).chainPart);
  const result = makeResult(ctx, dealt, aux?.infos, digest('chain-code/v1', ctx.session.sid, parts), { commit: commits, deal: deals, ...(auxiliary ? { prove: proves } : {}) });
  const confirms = closings(ctx, messages, 'close');
  const faults = confirms.flatMap((c) => confirmFindings(ctx, c, result, before, all));
  if (faults.length > 0 || !auxiliary) return { findings: faults, dealt, result };
  return { findings: await auxiliary.stockFindings(ctx, result, confirms, all, judge), dealt, result };
}
