/**
 * Presigning of ECDSA (CGGMP24, protocol notes A.11, A.13), the public side: all checks. It is a ceremony of its own,
 * which makes a batch of presignatures, and the first three rounds of signing without one. Messages:
 *
 *   offer    entries of round 1 (offer.ts)
 *   convert  echo of the offers (32 for each signer; none where the offers were stocked) | entries of round 2 (mta.ts)
 *   sum      echo of round 2 | entries of round 3 (sum.ts)
 *   trace    kind 5 | echo of round 3 | number of the presignature 2 | which product 1 | trace (trace.ts): the error round,
 *            only where the parts do not add up
 */
import { checkSums, type Parts, type Presignature, presignature } from '../ecdsa/outcome.ts';
import { gammaSum, mtaBytes } from '../ecdsa/mta.ts';
import { offerBytes } from '../ecdsa/offer.ts';
import type { CurveName, Entry, PartyAux, Which } from '../ecdsa/presign.ts';
import type { QuorumKey } from '../ecdsa/quorum-key.ts';
import { sumBytes } from '../ecdsa/sum.ts';
import { traceBytes } from '../ecdsa/trace.ts';
import type { Envelope, Session } from '../wire/blob.ts';
import { concat, Reader, u32 } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { outcomeFindings } from './auxiliary.ts';
import { isOpen, type Judge } from './crew.ts';
import { attempt, CLOSING, closingOf, type Finding, formFindings, type Inbound, parseEnding, viewFindings } from './machine.ts';
import { offerBinding, roundBinding, stockedOfferBinding } from './presign-binding.ts';

/** Most bytes of envelopes that fit into an evidence file. */
const MAX_PROOF_BYTES = 45 * 1024 * 1024;

export const OFFER = 1;
export const CONVERT = 2;
export const SUM = 3;
/** The closing slot: a signature share where a message is signed at once, and the trace where the parts do not add up. */
export const CLOSE = 4;

/** An offer that was stocked with the confirmation of the epoch. */
export interface StockedOffer {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What is fixed before the first message. Public. */
export interface Presigning {
  readonly session: Session;
  /** Digest of the epoch. */
  readonly epoch: Uint8Array;
  readonly key: QuorumKey;
  /** Auxiliary information of all participants of the epoch, by ascending leaf id. */
  readonly auxiliary: readonly PartyAux[];
  /** How many presignatures. */
  readonly count: number;
  /** By leaf id, where the offers come from the stock. */
  readonly stocked: ReadonlyMap<number, StockedOffer> | undefined;
}

/** Leaf ids of the signers, ascending. */
export const signersOf = ({ key }: Presigning): number[] => key.signers.map((s) => s.leaf.id);
export const curveOf = ({ key }: Presigning): CurveName => key.group.name as CurveName;
const infoOf = ({ auxiliary }: Presigning, leaf: number): PartyAux => auxiliary[leaf - 1] ?? fail('E_INTERNAL', 'no such participant');
/** Auxiliary information of the signers, by ascending leaf id. */
export const signerInfos = (p: Presigning): PartyAux[] => signersOf(p).map((leaf) => infoOf(p, leaf));

const round = (messages: Inbound, slot: number): ReadonlyMap<number, Envelope> => messages.get(slot) ?? new Map<number, Envelope>();

/** For whom an offer was made: the signers, or, where it was stocked, all participants of the epoch. */
export const verifiersOf = (p: Presigning): number[] => (p.stocked ? p.auxiliary.map((a) => a.leaf) : signersOf(p));

/** What the offer of a leaf is bound to. */
export function bindingOfOffer(p: Presigning, leaf: number, entry: number): Uint8Array {
  const stocked = p.stocked?.get(leaf);
  return stocked ? stockedOfferBinding(p.epoch, leaf, stocked.index) : offerBinding(p.session.sid, p.epoch, leaf, entry);
}

interface Entries {
  readonly echo: Uint8Array | undefined;
  readonly entries: readonly Uint8Array[];
}
// a batch asks for single entries many times
const read = new WeakMap<Uint8Array, Entries>();

/** Entries of a round's message, and its echo. @throws E_FORMAT */
function readEntries(p: Presigning, slot: number, body: Uint8Array): Entries {
  const known = read.get(body);
  if (known) return known;
  const signers = signersOf(p).length;
  const size = { [OFFER]: offerBytes(curveOf(p), verifiersOf(p).length - 1), [CONVERT]: mtaBytes(curveOf(p), signers - 1), [SUM]: sumBytes(curveOf(p)) }[slot] as number;
  const r = new Reader(body);
  const echoed = slot !== OFFER && !(slot === CONVERT && p.stocked);
  const echo = echoed ? r.take(32 * signers, 'echo') : undefined;
  const entries = Array.from({ length: p.count }, (_, i) => r.take(size, `entry ${String(i + 1)}`));
  r.end();
  read.set(body, { echo, entries });
  return { echo, entries };
}

/** Body of a message of rounds 1 to 3. @param echo absent in round 1, and in round 2 where offers were stocked */
export function entriesBody(echo: Uint8Array | undefined, entries: readonly Uint8Array[]): Uint8Array {
  return concat(echo ?? new Uint8Array(0), ...entries);
}

/** The offers of one presignature, by ascending leaf id. */
export function offersOf(p: Presigning, messages: Inbound, entry: number): Entry[] {
  return signersOf(p).map((leaf) => {
    const stocked = p.stocked?.get(leaf);
    return { leaf, bytes: stocked ? stocked.bytes : (entriesOf(p, messages, OFFER, leaf)[entry] as Uint8Array) };
  });
}

function entriesOf(p: Presigning, messages: Inbound, slot: number, leaf: number): readonly Uint8Array[] {
  const envelope = round(messages, slot).get(leaf) ?? fail('E_INTERNAL', 'a message of a complete round is missing');
  return readEntries(p, slot, envelope.body).entries;
}

/** The entries of one presignature in round 2 or 3, by ascending leaf id. */
export function roundEntries(p: Presigning, messages: Inbound, slot: typeof CONVERT | typeof SUM, entry: number): Entry[] {
  return signersOf(p).map((leaf) => ({ leaf, bytes: entriesOf(p, messages, slot, leaf)[entry] as Uint8Array }));
}

/** What rounds 2, 3 and the error round of one presignature are bound to. */
export function bindingOfRounds(p: Presigning, messages: Inbound, entry: number): Uint8Array {
  return roundBinding(p.session.sid, p.epoch, entry, offersOf(p, messages, entry).map((o) => o.bytes));
}

/** The additive point of a signer, encoded. */
export function pointOf({ key }: Presigning, leaf: number): Uint8Array {
  const signer = key.signers.find((s) => s.leaf.id === leaf) ?? fail('E_INTERNAL', 'not a signer');
  return key.group.encodePoint(signer.point);
}

/** All that the outcome of one presignature follows from. */
export function partsOf(p: Presigning, messages: Inbound, entry: number): Parts {
  return {
    curve: curveOf(p),
    publicKey: p.key.publicKeyBytes,
    mtas: roundEntries(p, messages, CONVERT, entry),
    sums: roundEntries(p, messages, SUM, entry),
  };
}

/** Where the parts of a presigning do not add up: the lowest number, and which product. */
export interface Mismatch {
  readonly entry: number;
  readonly which: Which;
}

/** The public outcome. */
export interface Presigned {
  /** In the order of their numbers. */
  readonly presignatures: readonly Presignature[];
}

/** A trace message, read. @throws E_FORMAT */
export function parseTrace(p: Presigning, body: Uint8Array): { echo: Uint8Array; entry: number; which: Which; trace: Uint8Array } {
  const r = new Reader(body);
  r.u8('kind');
  const echo = r.take(32 * signersOf(p).length, 'echo');
  const entry = r.u16('entry');
  const which = (['gamma', 'chi'] as const)[r.u8('product')] ?? fail('E_FORMAT', 'names no product');
  const trace = r.take(r.remaining, 'trace');
  if (trace.length !== traceBytes(curveOf(p), signersOf(p).length - 1)) fail('E_FORMAT', 'the trace has another length');
  return { echo, entry, which, trace };
}

/** Body of a trace message. */
export function traceBody(echo: Uint8Array, { entry, which }: Mismatch, trace: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(CLOSING.trace), echo, u32(entry).slice(2), Uint8Array.of(which === 'gamma' ? 0 : 1), trace);
}

/** Judges offers, of a round or stocked. */
async function offerFindings(p: Presigning, messages: Inbound, judge: Judge): Promise<Finding[]> {
  const verifiers = verifiersOf(p);
  const jobs = signersOf(p)
    .filter((leaf) => leaf !== judge.own)
    .flatMap((leaf) =>
      Array.from({ length: p.count }, (_, entry) => entry).flatMap((entry) =>
        // those for verifiers who do not sign concern nobody here
        signersOf(p)
          .filter((v) => v !== leaf && (judge.own === undefined || v === judge.own))
          .map((v) => ({
            leaf,
            args: { curve: curveOf(p), bind: bindingOfOffer(p, leaf, entry), prover: infoOf(p, leaf), verifiers, verifier: infoOf(p, v), offer: offersOf(p, messages, entry).find((o) => o.leaf === leaf)?.bytes as Uint8Array },
          })),
      ),
    );
  const outcomes = await judge.crew.check('checkOffer', jobs.map((j) => j.args));
  const all = [...round(messages, OFFER).values()];
  return jobs.flatMap(({ leaf }, i) => {
    const o = outcomes[i];
    if (!o || o.ok) return [];
    const name = p.session.seats.find((s) => s.leaf === leaf)?.name ?? '';
    return [{ code: o.code, culprit: leaf, text: `${name}: offer: ${o.text}`, evidence: all }];
  });
}

/** Judges round 2: that Γ is the committed one, and both products for the judge's own verifier or for all. */
async function convertFindings(p: Presigning, messages: Inbound, all: readonly Envelope[], judge: Judge): Promise<Finding[]> {
  const signers = signersOf(p);
  const senders = [...round(messages, CONVERT).values()].filter((e) => e.leaf !== judge.own);
  const gammas: { envelope: Envelope; args: Parameters<typeof import('../ecdsa/mta.ts').checkGamma>[0] }[] = [];
  const products: { envelope: Envelope; args: Parameters<typeof import('../ecdsa/mta.ts').checkAffine>[0] }[] = [];
  for (let entry = 0; entry < p.count; entry++) {
    const bind = bindingOfRounds(p, messages, entry);
    const offers = new Map(offersOf(p, messages, entry).map((o) => [o.leaf, o.bytes]));
    for (const envelope of senders) {
      const mta = entriesOf(p, messages, CONVERT, envelope.leaf)[entry] as Uint8Array;
      const common = { curve: curveOf(p), bind, signers, mta };
      gammas.push({ envelope, args: { ...common, prover: envelope.leaf, offer: offers.get(envelope.leaf) as Uint8Array } });
      for (const verifier of signers.filter((v) => v !== envelope.leaf && (judge.own === undefined || v === judge.own)))
        for (const which of ['gamma', 'chi'] as const)
          products.push({
            envelope,
            args: { ...common, which, prover: infoOf(p, envelope.leaf), verifier: infoOf(p, verifier), offer: offers.get(verifier) as Uint8Array, point: pointOf(p, envelope.leaf) },
          });
    }
  }
  const about = (list: readonly { envelope: Envelope }[]): { envelope: Envelope; what: string }[] => list.map(({ envelope }) => ({ envelope, what: 'conversion' }));
  return [
    ...outcomeFindings(about(gammas), await judge.crew.check('checkGamma', gammas.map((g) => g.args)), all),
    ...outcomeFindings(about(products), await judge.crew.check('checkAffine', products.map((g) => g.args)), all),
  ];
}

async function sumFindings(p: Presigning, messages: Inbound, all: readonly Envelope[], judge: Judge): Promise<Finding[]> {
  const senders = [...round(messages, SUM).values()].filter((e) => e.leaf !== judge.own);
  const jobs = Array.from({ length: p.count }, (_, entry) => entry).flatMap((entry) => {
    const bind = bindingOfRounds(p, messages, entry);
    const gamma = gammaSum(curveOf(p), roundEntries(p, messages, CONVERT, entry));
    const offers = new Map(offersOf(p, messages, entry).map((o) => [o.leaf, o.bytes]));
    return senders.map((envelope) => ({
      envelope,
      what: 'sum',
      args: { curve: curveOf(p), bind, prover: envelope.leaf, offer: offers.get(envelope.leaf) as Uint8Array, gamma, sum: entriesOf(p, messages, SUM, envelope.leaf)[entry] as Uint8Array },
    }));
  });
  return outcomeFindings(jobs, await judge.crew.check('checkSum', jobs.map((j) => j.args)), all);
}

/** Judges the traces that are there: somebody's must fail or be missing, for otherwise the parts would add up. */
async function traceFindings(p: Presigning, messages: Inbound, mismatch: Mismatch, all: readonly Envelope[], judge: Judge): Promise<Finding[]> {
  const { entry, which } = mismatch;
  const traces = [...round(messages, CLOSE).values()].filter((e) => closingOf(e.body) === 'trace');
  // who has seen other sums traces something else, and does no wrong: the views come first
  const views = traces.flatMap((e) => viewFindings(e, parseTrace(p, e.body).echo, round(messages, SUM), [...all, e]));
  if (views.length > 0) return views;
  const beside = traces.flatMap((e) =>
    attempt(e, [...all, e], () => {
      const t = parseTrace(p, e.body);
      if (t.entry !== entry || t.which !== which) fail('E_SUM', 'traces something else than what does not add up');
    }),
  );
  if (beside.length > 0) return beside;
  // the judge's own too: whoever is left is named because all of these hold, and evidence may claim any judge
  const others = traces;
  const outcomes = await judge.crew.check(
    'checkTrace',
    others.map((e) => ({
      curve: curveOf(p),
      bind: bindingOfRounds(p, messages, entry),
      which,
      signers: signerInfos(p),
      prover: e.leaf,
      offers: offersOf(p, messages, entry),
      mtas: roundEntries(p, messages, CONVERT, entry),
      sums: roundEntries(p, messages, SUM, entry),
      point: pointOf(p, e.leaf),
      trace: parseTrace(p, e.body).trace,
    })),
  );
  const lies = others.flatMap((e, i) => outcomeFindings([{ envelope: e, what: 'error round' }], outcomes.slice(i, i + 1), [...all, e]));
  return lies.length > 0 ? lies : eliminate(p, traces, all);
}

/**
 * Everything that follows publicly from the messages of presigning: faults with their culprits; then either the
 * presignatures, or where the parts do not add up. Messages of a round are judged when the round is complete.
 * @param closes whether a signature share may stand in the closing slot; who signs judges it afterwards
 */
export async function presignFindings(
  p: Presigning,
  messages: Inbound,
  judge: Judge,
  closes: boolean,
): Promise<{ findings: readonly Finding[]; mismatch?: Mismatch; presigned?: Presigned }> {
  const signers = signersOf(p);
  const first = p.stocked ? CONVERT : OFFER;
  const findings = formFindings(messages, (slot) => slot >= first && slot <= CLOSE);
  for (const slot of [OFFER, CONVERT, SUM].filter((s) => s >= first)) for (const e of round(messages, slot).values()) findings.push(...attempt(e, [e], () => readEntries(p, slot, e.body)));
  for (const e of round(messages, CLOSE).values()) {
    const kind = closingOf(e.body);
    if (kind === 'trace') findings.push(...attempt(e, [e], () => parseTrace(p, e.body)));
    else if (kind !== 'close' || !closes) findings.push(...attempt(e, [e], () => parseEnding(e.body)));
  }
  const complete = (slot: number): boolean => round(messages, slot).size === signers.length;
  if (findings.length > 0 || (!p.stocked && !complete(OFFER))) return { findings };

  const offers = isOpen(judge, OFFER) ? await offerFindings(p, messages, judge) : [];
  if (offers.length > 0 || !complete(CONVERT)) return { findings: offers };
  const before = [...round(messages, OFFER).values(), ...round(messages, CONVERT).values()];
  const views = [...round(messages, CONVERT).values()].flatMap((e) => viewFindings(e, readEntries(p, CONVERT, e.body).echo, round(messages, OFFER), before));
  const converts = views.length > 0 || !isOpen(judge, CONVERT) ? views : await convertFindings(p, messages, before, judge);
  if (converts.length > 0 || !complete(SUM)) return { findings: converts };

  const all = [...before, ...round(messages, SUM).values()];
  try {
    const echoes = [...round(messages, SUM).values()].flatMap((e) => viewFindings(e, readEntries(p, SUM, e.body).echo, round(messages, CONVERT), all));
    const sums = echoes.length > 0 || !isOpen(judge, SUM) ? echoes : await sumFindings(p, messages, all, judge);
    if (sums.length > 0) return { findings: sums };
    const presignatures: Presignature[] = [];
    for (let entry = 0; entry < p.count; entry++) {
      const parts = partsOf(p, messages, entry);
      const which = checkSums(parts);
      if (which) {
        const mismatch = { entry, which };
        return { findings: await traceFindings(p, messages, mismatch, all, judge), mismatch };
      }
      presignatures.push(presignature(parts));
    }
    const early = [...round(messages, CLOSE).values()].filter((e) => closingOf(e.body) === 'trace');
    // whoever traces parts that add up has seen another round 3, or lies
    if (early.length > 0) return { findings: early.flatMap((e) => falseTrace(p, e, messages, all)) };
    return { findings: [], presigned: { presignatures } };
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_DEGENERATE') throw e;
    return { findings: [{ code: e.code, culprit: undefined, text: e.message, evidence: all }] };
  }
}

/**
 * The parts do not add up, and all signers but one have shown theirs to be right: the one that is left is to blame,
 * whether it refuses to trace, sends something else or keeps silent. An honest one is never left like that.
 */
function eliminate(p: Presigning, traces: readonly Envelope[], all: readonly Envelope[]): Finding[] {
  const left = p.session.seats.filter((s) => !traces.some((e) => e.leaf === s.leaf));
  const [only] = left;
  const evidence = [...all, ...traces];
  if (left.length !== 1 || !only || evidence.reduce((n, e) => n + e.bytes.length, 0) > MAX_PROOF_BYTES) return [];
  return [{ code: 'E_SUM', culprit: only.leaf, text: `the parts do not add up, and those of all others were shown to be right: ${only.name} is left`, evidence }];
}

function falseTrace(p: Presigning, e: Envelope, messages: Inbound, all: readonly Envelope[]): Finding[] {
  const views = viewFindings(e, parseTrace(p, e.body).echo, round(messages, SUM), [...all, e]);
  return views.length > 0 ? views : [{ code: 'E_SUM', culprit: e.leaf, text: `${e.name} traces parts that add up`, evidence: [...all, e] }];
}
