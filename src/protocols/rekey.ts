/**
 * Refresh, reshare and import, the public side: every check that needs no secret. An existing secret is dealt to the
 * members of the new epoch: zero by everybody (refresh), c·x by an exact minimal quorum of the base (reshare, which is
 * also repair), λ·x by the holders of a foreign key (import). Each dealer's constant is pinned to a public point, so a
 * wrong one names its dealer (attack row 28), and one honest dealer makes all the rest uniform: no commit round. The live
 * ceremony, the verifier of transcripts and the verifier of evidence all call {@link rekeyFindings}.
 */
import { SCHEMES } from '../curves/scheme.ts';
import { dealerSeats, type RekeyPlan, schemeOf } from '../plan/plan.ts';
import { combineTrees } from '../sharing/result.ts';
import { type DealingVerdict, verifyDealings } from '../sharing/verify-dealings.ts';
import type { Envelope } from '../wire/blob.ts';
import { equalBytes, fromHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import type { Announcements } from './auxiliary.ts';
import type { Judge } from './crew.ts';
import { AUXILIARY_BYTES } from './dkg.ts';
import type { Certificate } from './epoch.ts';
import { closings, confirmFindings, type Dealt, foreignFindings, type KeyingContext, keyingContext, type KeyingResult, makeResult, protestFindings, type Round, roundOf, seatName, shapeOf } from './keying.ts';
import { attempt, type Finding, formFindings, type Inbound, isComplete, viewFindings } from './machine.ts';
import { auxiliaryCommitment, parseRekeyDeal, parseReveal, type RekeyDeal, type Reveal } from './rekey-messages.ts';

export type RekeyContext = KeyingContext<RekeyPlan>;

/** Slots of the ECDSA rounds between deal and confirmation. */
export const REVEAL = 2;
export const REKEY_PROVE = 3;

/** Context of a plan; see {@link keyingContext} for what it throws. @param base certificate of the epoch that is refreshed or left */
export function rekeyContext(plan: RekeyPlan, base: Certificate | undefined): RekeyContext {
  return keyingContext(plan, base);
}

/** Whether the key is one of ECDSA: receivers make new auxiliary information. */
export function isEcdsa(ctx: RekeyContext): boolean {
  return SCHEMES[schemeOf(ctx.plan)].protocol === 'cggmp24';
}

/** A participant's first message, read. @throws E_FORMAT when it deals and should not, or the other way round */
export function rekeyDealOf(ctx: RekeyContext, deal: Envelope): RekeyDeal {
  const read = parseRekeyDeal(deal.body, isEcdsa(ctx) && deal.leaf <= ctx.members.length);
  if (read.dealing.length > 0 !== dealerSeats(ctx.plan).includes(deal.leaf)) fail('E_FORMAT', read.dealing.length > 0 ? 'deals and is no dealer' : 'holds no dealing', { field: 'dealing' });
  return read;
}

/** A reveal, read. @throws E_FORMAT */
export function revealOf(ctx: RekeyContext, reveal: Envelope): Reveal {
  return parseReveal(reveal.body, ctx.session.seats.length, AUXILIARY_BYTES);
}

/** What everybody revealed, for {@link auxiliaryFindings}. */
export function announcementsOf(ctx: RekeyContext, reveals: Round): Announcements {
  return new Map([...reveals].map(([leaf, envelope]) => [leaf, { envelope, part: revealOf(ctx, envelope).auxiliary }]));
}

/** Findings about the first round, and the combined key when there are none. */
function dealFindings(ctx: RekeyContext, deals: Round): { findings: Finding[] } | { dealt: Dealt } {
  const evidence = [...deals.values()];
  const malformed = evidence.flatMap((deal) => attempt(deal, evidence, () => void rekeyDealOf(ctx, deal)));
  if (malformed.length > 0) return { findings: malformed };
  const dealings = new Map(dealerSeats(ctx.plan).map((seat) => [seat, rekeyDealOf(ctx, deals.get(seat) as Envelope).dealing]));
  const verdict: DealingVerdict = verifyDealings({ ...shapeOf(ctx), sid: ctx.session.sid, prekeys: ctx.prekeys, ...(ctx.expected ? { expected: ctx.expected } : {}) }, dealings);
  if (!verdict.ok) return { findings: verdict.faults.map((f) => ({ code: f.check, culprit: f.dealer, text: `${seatName(ctx, f.dealer)}: ${f.text}`, evidence })) };
  const before = ctx.plan.kind === 'refresh' && ctx.base ? [ctx.base.tree] : [];
  const publicKey = ctx.base?.tree.constant ?? ctx.group.decodePoint(fromHex(ctx.plan.kind === 'import' ? ctx.plan.source.publicKey : fail('E_INTERNAL', 'no base')));
  try {
    return { dealt: { key: combineTrees(ctx.group, ctx.quorum, [verdict.tree, ...before], publicKey), verdict } };
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_DEGENERATE') throw e;
    return { findings: [{ code: 'E_DEGENERATE', culprit: undefined, text: e.message, evidence }] };
  }
}

/** Whether what was revealed is what was committed to, and all saw the same deals. */
function revealFindings(ctx: RekeyContext, deals: Round, reveals: Round): Finding[] {
  const evidence = [...deals.values(), ...reveals.values()];
  const faults = [...reveals.values()].flatMap((e) =>
    attempt(e, evidence, () => {
      const { salt, auxiliary } = revealOf(ctx, e);
      const { commitment } = rekeyDealOf(ctx, deals.get(e.leaf) as Envelope);
      if (!equalBytes(auxiliaryCommitment(ctx.session.sid, e.leaf, salt, auxiliary), commitment)) fail('E_COMMIT', 'what was revealed is not what was committed to');
    }),
  );
  return faults.length > 0 ? faults : [...reveals.values()].flatMap((e) => viewFindings(e, revealOf(ctx, e).echo, deals, evidence));
}

/** 32 bytes: the chain code stays with the key; a key that comes without one gets one from its import. */
function chainCodeOf({ plan, base, session }: RekeyContext): Uint8Array {
  if (base) return fromHex(base.epoch.chainCode);
  if (plan.kind === 'import' && plan.source.chainCode !== undefined) return fromHex(plan.source.chainCode);
  return digest('chain-code/v1', session.sid, []);
}

/**
 * Everything that follows publicly from a set of messages: faults with their culprits, and, once they are there and
 * good, the outcome of the dealings and the new epoch. Messages of a round are judged when the round is complete; a later
 * round is judged only when the earlier ones are without fault.
 * @param judge used for the proofs of an ECDSA key alone
 */
export async function rekeyFindings(ctx: RekeyContext, messages: Inbound, judge: Judge): Promise<{ findings: readonly Finding[]; dealt?: Dealt; result?: KeyingResult }> {
  const complete = (slot: number): boolean => isComplete(ctx.plan, slot, ctx.session.seats, messages);
  const findings: Finding[] = [...formFindings(messages, (slot) => slot >= ctx.deal && slot <= ctx.confirm), ...foreignFindings(ctx, messages)];
  if (findings.length > 0 || !complete(ctx.deal)) return { findings };
  const deals = roundOf(messages, ctx.deal);
  const outcome = dealFindings(ctx, deals);
  if ('findings' in outcome) return outcome;
  const { dealt } = outcome;
  const early = protestFindings(ctx, messages, dealt, [...deals.values()]);
  if (early.length > 0) return { findings: early, dealt };

  const confirms = closings(ctx, messages, 'close');
  if (!isEcdsa(ctx)) {
    const result = makeResult(ctx, dealt, undefined, chainCodeOf(ctx), { deal: deals });
    return { findings: confirms.flatMap((c) => confirmFindings(ctx, c, result, deals, [...deals.values()])), dealt, result };
  }
  if (!complete(REVEAL)) return { findings: [], dealt };
  const reveals = roundOf(messages, REVEAL);
  const revealed = [...deals.values(), ...reveals.values()];
  const opened = revealFindings(ctx, deals, reveals);
  if (opened.length > 0) return { findings: opened, dealt };
  const { auxiliaryFindings, proveFindings, stockFindings } = await import('./auxiliary.ts');
  const aux = await auxiliaryFindings(ctx, announcementsOf(ctx, reveals), revealed, judge);
  if ('findings' in aux) return { ...aux, dealt };

  if (!complete(REKEY_PROVE)) return { findings: [], dealt };
  const proves = roundOf(messages, REKEY_PROVE);
  const all = [...revealed, ...proves.values()];
  const faults = await proveFindings(ctx, { proves, before: reveals, dealt, infos: aux.infos, bind: aux.bind, all }, judge);
  if (faults.length > 0) return { findings: faults, dealt };
  const result = makeResult(ctx, dealt, aux.infos, chainCodeOf(ctx), { deal: deals, reveal: reveals, prove: proves });
  const unsound = confirms.flatMap((c) => confirmFindings(ctx, c, result, proves, all));
  return { findings: unsound.length > 0 ? unsound : await stockFindings(ctx, result, confirms, all, judge), dealt, result };
}
