/**
 * Auxiliary information of an ECDSA key (CGGMP24, "Auxiliary info"; protocol notes A.7, A.8): every participant's
 * Paillier modulus N and ring-Pedersen parameters N̂, s, t, with the proofs that they were made well. It travels in the
 * rounds of key generation and belongs to one key in one epoch. Public side: all checks.
 *
 *   in `deal` (key generation) or `reveal` (refresh, reshare, import), committed to in the round before:
 *               N, N̂, s, t 1536 | Π-prm | ρ 32
 *   prove       echo of that round (32n) | Schnorr proof of the share | Π-mod | Π-fac for each other participant, ascending
 */
import { AUX_BYTES, commonFactors, decodeAux, isFixture } from '../ecdsa/aux-info.ts';
import { FAC_BYTES } from '../ecdsa/fac.ts';
import { MOD_BYTES } from '../ecdsa/mod.ts';
import type { PartyAux } from '../ecdsa/presign.ts';
import { PRM_BYTES } from '../ecdsa/prm.ts';
import { decodeSchnorrProof, failingSchnorr, schnorrProofBytes } from '../sharing/schnorr-proof.ts';
import type { Envelope } from '../wire/blob.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { isOpen, type Judge, type Outcome } from './crew.ts';
import type { Dealt, KeyingContext, KeyingResult, Round } from './keying.ts';
import { parseConfirm } from './epoch.ts';
import { attempt, type Finding, viewFindings } from './machine.ts';
import { stockedOfferBinding } from './presign-binding.ts';

interface Announcement {
  readonly info: PartyAux;
  readonly proof: Uint8Array;
  readonly rho: Uint8Array;
}

/** The auxiliary part of a deal. */
export function announcement(aux: Uint8Array, proof: Uint8Array, rho: Uint8Array): Uint8Array {
  return concat(aux, proof, rho);
}

/** The auxiliary part of every member's message, by leaf id, with the message that it came in. */
export type Announcements = ReadonlyMap<number, { readonly envelope: Envelope; readonly part: Uint8Array }>;

function readAnnouncement(leaf: number, part: Uint8Array): Announcement {
  const r = new Reader(part);
  const info = { ...decodeAux(r.take(AUX_BYTES, 'auxiliary information')), leaf };
  const parts = { info, proof: r.take(PRM_BYTES, 'proof of the ring-Pedersen parameters'), rho: r.take(32, 'ρ') };
  r.end();
  return parts;
}

/** What Π-prm is bound to: the session. The prover's leaf stands in the challenge besides. */
export function announcementBinding(sid: Uint8Array): Uint8Array {
  return digest('aux/announce/v1', sid);
}

/** What the proofs of the next round are bound to: the session and everybody's ρ, which was committed to in round 1. */
export function proofBinding(ctx: KeyingContext, announcements: Announcements): Uint8Array {
  return digest('aux/prove/v1', ctx.session.sid, inOrder(ctx, announcements).map((a) => a.rho));
}

function inOrder({ members }: KeyingContext, announcements: Announcements): Announcement[] {
  return members.map(({ leaf }) => readAnnouncement(leaf, announcements.get(leaf)?.part ?? fail('E_INTERNAL', 'an announcement is missing')));
}

/** Auxiliary information of everybody, from announcements that {@link auxiliaryFindings} found good; by ascending leaf id. */
export function announced(ctx: KeyingContext, announcements: Announcements): PartyAux[] {
  return inOrder(ctx, announcements).map((a) => a.info);
}

/** Findings from the outcomes of checks, each about one envelope. */
export function outcomeFindings(about: readonly { readonly envelope: Envelope; readonly what: string }[], outcomes: readonly Outcome<void>[], evidence: readonly Envelope[]): Finding[] {
  return outcomes.flatMap((o, i) => {
    const { envelope, what } = about[i] as (typeof about)[number];
    return o.ok ? [] : [{ code: o.code, culprit: envelope.leaf, text: `${envelope.name}: ${what}: ${o.text}`, evidence }];
  });
}

/**
 * Judges the auxiliary parts of all members: form, size, Π-prm, and in production no modulus whose factors are published.
 * @returns everybody's information, and what the next round's proofs are bound to
 */
export async function auxiliaryFindings(
  ctx: KeyingContext,
  announcements: Announcements,
  evidence: readonly Envelope[],
  judge: Judge,
): Promise<{ findings: Finding[] } | { infos: readonly PartyAux[]; bind: Uint8Array }> {
  const malformed = [...announcements].flatMap(([leaf, { envelope, part }]) =>
    attempt(envelope, evidence, () => {
      const { info } = readAnnouncement(leaf, part);
      if (ctx.plan.mode === 'production' && isFixture(info)) fail('E_FIXTURE', 'its moduli were made for tests; their factors are published');
    }),
  );
  if (malformed.length > 0) return { findings: malformed };
  const others = [...announcements].filter(([leaf, { envelope }]) => leaf !== judge.own && isOpen(judge, envelope.slot));
  const bind = announcementBinding(ctx.session.sid);
  const outcomes = await judge.crew.check(
    'checkAuxOf',
    others.map(([leaf, { part }]) => {
      const { info, proof } = readAnnouncement(leaf, part);
      return { bind, leaf, aux: info, proof };
    }),
  );
  const findings = outcomeFindings(others.map(([, { envelope }]) => ({ envelope, what: 'auxiliary information' })), outcomes, evidence);
  return findings.length > 0 ? { findings } : { infos: announced(ctx, announcements), bind: proofBinding(ctx, announcements) };
}

/** A prove message, read. */
interface ProveMessage {
  readonly echo: Uint8Array;
  readonly possession: Uint8Array;
  readonly modulus: Uint8Array;
  /** Π-fac by leaf id of its verifier. */
  readonly factors: ReadonlyMap<number, Uint8Array>;
}

/** Body of a prove message. @param factors Π-fac for each other participant, by ascending leaf id */
export function proveBody(m: Pick<ProveMessage, 'echo' | 'possession' | 'modulus'> & { readonly factors: readonly Uint8Array[] }): Uint8Array {
  return concat(m.echo, m.possession, m.modulus, ...m.factors);
}

function parseProve(ctx: KeyingContext, e: Envelope): ProveMessage {
  const leaves = ctx.members.map((s) => s.leaf);
  const r = new Reader(e.body);
  const message = {
    echo: r.take(32 * leaves.length, 'echo'),
    possession: r.take(schnorrProofBytes(ctx.group), 'proof of the share'),
    modulus: r.take(MOD_BYTES, 'proof of the Paillier modulus'),
    factors: new Map(leaves.filter((l) => l !== e.leaf).map((l) => [l, r.take(FAC_BYTES, 'proof of the factors')])),
  };
  r.end();
  return message;
}

/** What the proof of a share is bound to: the other proofs of the round, and whose share it is. */
export function possessionBinding(bind: Uint8Array, leaf: number): Uint8Array {
  return digest('share/possession/v1', bind, leaf);
}

/** What the prove messages are judged against. */
interface Proving {
  readonly proves: Round;
  /** The round that they echo. */
  readonly before: Round;
  readonly dealt: Dealt;
  readonly infos: readonly PartyAux[];
  readonly bind: Uint8Array;
  /** Every envelope of the ceremony so far: the evidence. */
  readonly all: readonly Envelope[];
}

/**
 * Judges the prove messages: knowledge of the share, Π-mod, and all of Π-fac, which are cheap: so that no certificate is
 * completed whose record would show a fault between two others. Two moduli
 * with a common factor blame nobody by themselves (who copied N fails Π-mod): their owners make new ones.
 */
export async function proveFindings(ctx: KeyingContext, { proves, before, dealt, infos, bind, all }: Proving, judge: Judge): Promise<Finding[]> {
  const envelopes = [...proves.values()];
  const malformed = envelopes.flatMap((e) => attempt(e, all, () => parseProve(ctx, e)));
  if (malformed.length > 0) return malformed;
  const read = new Map(envelopes.map((e) => [e.leaf, parseProve(ctx, e)]));
  const views = envelopes.flatMap((e) => viewFindings(e, read.get(e.leaf)?.echo, before, all));
  if (views.length > 0) return views;
  const shares = envelopes.flatMap((e) =>
    attempt(e, all, () => {
      const statement = dealt.key.leafPoints.get(e.leaf) ?? fail('E_INTERNAL', 'no such leaf');
      const proof = decodeSchnorrProof(ctx.group, (read.get(e.leaf) as ProveMessage).possession);
      const claim = { context: possessionBinding(bind, e.leaf), statementBytes: ctx.group.encodePoint(statement), statement, proof };
      if (failingSchnorr(ctx.group, [claim]).length > 0) fail('E_POP', 'the proof of its share does not verify');
    }),
  );
  if (shares.length > 0) return shares;
  const others = envelopes.filter((e) => e.leaf !== judge.own && isOpen(judge, e.slot));
  const infoOf = (leaf: number): PartyAux => infos[leaf - 1] as PartyAux;
  const moduli = await judge.crew.check(
    'checkModulus',
    others.map((e) => ({ bind, leaf: e.leaf, n: infoOf(e.leaf).n, proof: (read.get(e.leaf) as ProveMessage).modulus })),
  );
  const pairs = others.flatMap((e) => [...(read.get(e.leaf) as ProveMessage).factors].map(([verifier, proof]) => ({ e, verifier, proof })));
  const factors = await judge.crew.check(
    'checkFactors',
    pairs.map(({ e, verifier, proof }) => ({ bind, leaf: e.leaf, n: infoOf(e.leaf).n, verifier: infoOf(verifier), proof })),
  );
  const findings = [
    ...outcomeFindings(others.map((envelope) => ({ envelope, what: 'Paillier modulus' })), moduli, all),
    ...outcomeFindings(pairs.map(({ e }) => ({ envelope: e, what: 'factors of the Paillier modulus' })), factors, all),
  ];
  if (findings.length > 0) return findings;
  const common = commonFactors(infos);
  if (common.length === 0) return [];
  const names = [...new Set(common.flat())].map((i) => ctx.session.seats[i]?.name ?? '').join(', ');
  return [{ code: 'E_AUX_COLLISION', culprit: undefined, text: `the moduli of ${names} have a common factor: one was copied, or their randomness is broken`, evidence: all }];
}

/** Judges the first messages of presigning that were stocked with the confirmations. */
export async function stockFindings(ctx: KeyingContext, result: KeyingResult, confirms: readonly Envelope[], all: readonly Envelope[], judge: Judge): Promise<Finding[]> {
  const infos = result.auxiliary as readonly PartyAux[];
  const leaves = infos.map((i) => i.leaf);
  const curve = ctx.group.name as 'secp256k1' | 'p256';
  const jobs = confirms
    .filter((e) => e.leaf !== judge.own)
    .flatMap((envelope) =>
      parseConfirm(envelope.body, leaves.length).stock.flatMap((offer, index) =>
        infos
          .filter((verifier) => verifier.leaf !== envelope.leaf && (judge.own === undefined || verifier.leaf === judge.own))
          .map((verifier) => ({ envelope, args: { curve, bind: stockedOfferBinding(result.digest, envelope.leaf, index), prover: infos[envelope.leaf - 1] as PartyAux, verifiers: leaves, verifier, offer } })),
      ),
    );
  const outcomes = await judge.crew.check('checkOffer', jobs.map((j) => j.args));
  return jobs.flatMap(({ envelope }, i) => {
    const o = outcomes[i] as Outcome<void>;
    return o.ok ? [] : [{ code: o.code, culprit: envelope.leaf, text: `${envelope.name}: a stocked first message: ${o.text}`, evidence: [...all, envelope] }];
  });
}
