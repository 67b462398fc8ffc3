/**
 * The plan: what is to happen, who takes part, with which keys. Everybody agrees to it by joining; its digest, the
 * session id, stands in every signature of the ceremony. Public.
 */
import * as v from 'valibot';
import { SCHEMES, type SchemeName } from '../curves/scheme.ts';
import { ForeignKeySchema } from '../interop/foreign-record.ts';
import { type Leaf, parseQuorum, type Quorum } from '../sharing/expression.ts';
import { samePersonQuorum } from '../sharing/explain.ts';
import { exactQuorum } from '../sharing/quorum.ts';
import { MAX_BLOB_BYTES, type Seat, type Session, USUAL_BLOB_BYTES } from '../wire/blob.ts';
import { fromHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { PrekeySchema } from './card.ts';
import { explainIssues, hex, hexUpTo, int, line, nameOf, utcTime } from './fields.ts';

/** Most nonce commitments (FROST) or first messages (ECDSA) that one participant may stock at once. */
export const MAX_STOCK = 1000;
/** Most presignatures that one ceremony makes. */
export const MAX_PRESIGNATURES = 1000;
const MAX_RANK = 1_000_000;

/** Ways for messages to travel. */
export const ROUTES = ['folder', 'qr', 'relay'] as const;
export type Route = (typeof ROUTES)[number];

const schemeNames = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];

const person = {
  name: nameOf('participant'),
  identity: hex(32),
  homeId: hex(16),
};

const about = {
  person: v.optional(line(64)),
  unit: v.optional(line(64)),
  place: v.optional(line(64)),
  vendor: v.optional(line(64)),
};

const common = {
  schema: v.literal('mpc-ceremony/plan/1'),
  name: nameOf('ceremony'),
  mode: v.picklist(['production', 'rehearsal']),
  attended: v.boolean(),
  attempt: int(1, 1000),
  nonce: hex(32),
  lead: nameOf('participant'),
  created: utcTime,
  expires: utcTime,
  previous: v.optional(hex(32)),
  machine: v.optional(v.strictObject({ network: v.literal('off') })),
  /** SHA-256 of the program that everybody must run, where the plan pins one (`doctor` prints it). */
  program: v.optional(hex(32)),
  /** Routes by which messages may travel; without it, every route may be used. */
  routes: v.optional(v.pipe(v.array(v.picklist(ROUTES)), v.minLength(1), v.maxLength(ROUTES.length))),
};

/** What every plan begins with. */
export type PlanHead = v.InferInput<v.StrictObjectSchema<typeof common, undefined>>;

/** What every ceremony has that makes an epoch of a key: who receives shares, under which quorum, in which rank. */
const keying = {
  ...common,
  rank: int(1, MAX_RANK),
  quorum: line(4096),
  roles: v.optional(v.record(nameOf('role'), v.pipe(v.array(nameOf('participant')), v.minLength(1), v.maxLength(64)))),
  stock: int(0, MAX_STOCK),
  participants: v.pipe(
    v.array(v.strictObject({ ...person, ...about, x25519: hex(32), prekey: PrekeySchema })),
    v.minLength(2, 'a ceremony has at least two participants'),
    v.maxLength(64, 'a ceremony has at most 64 participants'),
  ),
  witnesses: v.optional(v.pipe(v.array(v.strictObject(person)), v.minLength(1), v.maxLength(16))),
};
const schemeField = v.picklist(schemeNames, `must be one of ${schemeNames.join(', ')}`);

const DkgSchema = v.strictObject({
  ...keying,
  kind: v.literal('dkg'),
  scheme: schemeField,
  /** SHA-256 of the certificate of a rehearsal by the same people, where one is asked for. */
  rehearsal: v.optional(hex(32)),
});

/** The key that a plan uses, in one epoch. */
const keyUsed = v.strictObject({
  name: nameOf('key'),
  id: hex(16),
  scheme: v.picklist(schemeNames),
  epoch: int(1, MAX_RANK),
  /** Digest of the epoch that the certificate confirms: certificates of one epoch may differ in single confirmations. */
  certificate: hex(32),
});
const signer = { ...person, leaf: int(1, 64) };

/** Receivers of dealings in attempts that came to nothing (`W_DEALT`): what was dealt to them cannot be recalled. */
const dealt = v.optional(v.pipe(v.array(nameOf('participant')), v.minLength(1), v.maxLength(128)));

const RefreshSchema = v.strictObject({ ...keying, kind: v.literal('refresh'), key: keyUsed, dealt });

const ReshareSchema = v.strictObject({
  ...keying,
  kind: v.literal('reshare'),
  key: keyUsed,
  dealt,
  /** An exact minimal quorum of the epoch that is left, by leaf of that epoch. Whoever restored a share there may have a new home. */
  dealers: v.pipe(v.array(v.strictObject(signer)), v.minLength(2, 'at least two deal'), v.maxLength(64)),
  /** Said aloud where the new quorum is easier to satisfy or survives less than the old one. */
  weakens: v.optional(v.literal(true)),
});

const ImportSchema = v.strictObject({
  ...keying,
  kind: v.literal('import'),
  /** The key as it was: its public key, and the public shares of its holders. */
  source: ForeignKeySchema,
  /** As many of its holders as are needed, each with its identifier, an encoded scalar. */
  dealers: v.pipe(v.array(v.strictObject({ ...person, identifier: hexUpTo(57) })), v.minLength(1), v.maxLength(64)),
});

const SignSchema = v.strictObject({
  ...common,
  kind: v.literal('sign'),
  key: keyUsed,
  intent: hex(32),
  /** Id of the presignature that is spent on the intent. */
  presignature: v.optional(hex(32)),
  participants: v.pipe(
    v.array(
      v.strictObject({
        ...signer,
        /** What this signer stocked: its nonce commitment (FROST), or the hash of its first message (ECDSA). */
        stock: v.optional(v.strictObject({ index: int(0, MAX_STOCK - 1), commitment: hexUpTo(114) })),
      }),
    ),
    v.minLength(2, 'at least two sign'),
    v.maxLength(64),
  ),
});

const PresignSchema = v.strictObject({
  ...common,
  kind: v.literal('presign'),
  key: keyUsed,
  count: int(1, MAX_PRESIGNATURES),
  path: v.optional(v.pipe(v.string(), v.regex(/^m(?:\/(?:0|[1-9][0-9]{0,9})){1,16}$/, 'must be a path like m/0/5, without hardened steps'))),
  participants: v.pipe(v.array(v.strictObject(signer)), v.minLength(2, 'at least two sign'), v.maxLength(64)),
});

const PlanSchema = v.variant('kind', [DkgSchema, RefreshSchema, ReshareSchema, ImportSchema, SignSchema, PresignSchema], 'must be dkg, refresh, reshare, import, presign or sign');

export type DkgPlan = v.InferOutput<typeof DkgSchema>;
export type RefreshPlan = v.InferOutput<typeof RefreshSchema>;
export type ResharePlan = v.InferOutput<typeof ReshareSchema>;
export type ImportPlan = v.InferOutput<typeof ImportSchema>;
/** Plans that give an existing secret to new shares. */
export type RekeyPlan = RefreshPlan | ResharePlan | ImportPlan;
/** Plans that make an epoch of a key. */
export type KeyingPlan = DkgPlan | RekeyPlan;
export type SignPlan = v.InferOutput<typeof SignSchema>;
export type PresignPlan = v.InferOutput<typeof PresignSchema>;
/** A plan whose form was checked; {@link checkPlan} checks what it says. */
export type Plan = KeyingPlan | SignPlan | PresignPlan;

/** The scheme of the key that a plan makes or uses. */
export function schemeOf(plan: Plan): SchemeName {
  if (plan.kind === 'dkg') return plan.scheme;
  return plan.kind === 'import' ? plan.source.scheme : plan.key.scheme;
}

/** Whether a plan makes an epoch of a key. */
export function isKeying(plan: Plan): plan is KeyingPlan {
  return 'rank' in plan;
}

/** Whether a plan gives an existing secret to new shares. */
export function isRekey(plan: Plan): plan is RekeyPlan {
  return isKeying(plan) && plan.kind !== 'dkg';
}

/** Seats of those who deal, in the order of the plan; everybody deals in a key generation and a refresh. */
export function dealerSeats(plan: KeyingPlan): number[] {
  const seats = planSeats(plan);
  if (!('dealers' in plan)) return seats.map((s) => s.leaf);
  return plan.dealers.map((d) => seats.find((s) => s.name === d.name)?.leaf ?? fail('E_INTERNAL', 'a dealer without a seat'));
}

/**
 * Reads a plan object (from YAML or JSON).
 * @throws E_PLAN_FIELD naming file and field
 */
export function parsePlan(value: unknown, file: string): Plan {
  const parsed = v.safeParse(PlanSchema, value);
  if (parsed.success) return parsed.output;
  const { field, text } = explainIssues(parsed.issues);
  throw new CeremonyError('E_PLAN_FIELD', `${field === '' ? 'the plan' : field}: ${text}`, {
    file,
    field,
    remedy: 'Ask the lead for a corrected plan; mpc-ceremony plan check shows every fault.',
  });
}

/** Session id: 32-byte digest of the whole plan, in canonical form. */
export function sessionId(plan: Plan): Uint8Array {
  return digest('session/v1', canonicalBytes(plan as unknown as Json));
}

/** Digest of the roster alone (32 bytes): who takes part, in which order, with which keys. */
export function rosterHash(plan: Plan): Uint8Array {
  const leaving = leavingDealers(plan);
  return digest('roster/v1', canonicalBytes((leaving.length === 0 ? plan.participants : [...plan.participants, ...leaving]) as unknown as Json));
}

/** The quorum that a plan gives shares to, roles expanded. @throws E_QUORUM_SYNTAX, E_SEAT_DUP, E_THRESHOLD, E_ROLE_SHORT */
export function planQuorum(plan: KeyingPlan): Quorum {
  return parseQuorum(plan.quorum, plan.roles);
}

type Person = { readonly name: string; readonly identity: string; readonly homeId: string };

/** Dealers who receive nothing. */
function leavingDealers(plan: Plan): readonly Person[] {
  return 'dealers' in plan ? plan.dealers.filter((d) => !plan.participants.some((p) => p.name === d.name)) : [];
}

/** Everybody who has a seat in a plan: who receives or signs, then the dealers who leave. */
export function seated(plan: Plan): readonly Person[] {
  return [...plan.participants, ...leavingDealers(plan)];
}

/**
 * Seats of a plan in ascending order of their number. Where shares are made, the number is the leaf id in the new quorum,
 * and dealers who leave sit behind; where they are used, it is the signer's leaf id.
 */
export function planSeats(plan: Plan): Seat[] {
  if (isKeying(plan)) return seated(plan).map((p, i) => ({ leaf: i + 1, name: p.name, identity: fromHex(p.identity) }));
  return plan.participants.map((p) => ({ leaf: p.leaf, name: p.name, identity: fromHex(p.identity) }));
}

// what one entry of ECDSA weighs for each other participant, rounded up (bench/README.md); all of them travel in one blob
const CONVERT_BYTES_PER_PEER = 9_500;
const OFFER_BYTES = 1_900;
const OFFER_BYTES_PER_PEER = 3_000;
const TRACE_BYTES_PER_PEER = 350_000;
/** Bytes of all messages that have to fit into one certificate or evidence file. */
const MAX_TOGETHER_BYTES = 40 * 1024 * 1024;

/** What envelopes are bound to. */
export function planSession(plan: Plan): Session {
  return { sid: sessionId(plan), kind: plan.kind, attempt: plan.attempt, seats: planSeats(plan), maxBytes: largestBlob(plan) };
}

/** Bytes that no honest message of a plan exceeds. */
function largestBlob(plan: Plan): number {
  const peers = plan.participants.length - 1;
  if (SCHEMES[schemeOf(plan)].protocol === 'frost') return USUAL_BLOB_BYTES;
  if (isKeying(plan)) return USUAL_BLOB_BYTES + plan.stock * (OFFER_BYTES + OFFER_BYTES_PER_PEER * peers);
  const trace = USUAL_BLOB_BYTES + TRACE_BYTES_PER_PEER * peers;
  return plan.kind === 'sign' ? trace : Math.max(trace, 65_536 + plan.count * CONVERT_BYTES_PER_PEER * peers);
}

/** Name of the ceremony as shown to people and used for its folder in the home. */
export function ceremonyLabel(plan: Plan): string {
  return `${plan.name}-${plan.kind}-${String(plan.attempt)}`;
}

function refuseDuplicates(plan: Plan): void {
  const everybody = [...seated(plan), ...witnessesOf(plan)];
  for (const field of ['name', 'identity', 'homeId'] as const) {
    const seen = new Map<string, string>();
    for (const p of everybody) {
      const other = seen.get(p[field]);
      if (other !== undefined)
        fail('E_SEAT_DUP', `${p.name} and ${other} have the same ${field}: one participant, card or home sits in two seats`, {
          participant: p.name,
          field,
        });
      seen.set(p[field], p.name);
    }
  }
}

/**
 * Checks what a plan says, before any cryptography: quorum, roster, seats, times.
 * @param now the participant's clock
 * @throws the code of the first fault found
 */
export function checkPlan(plan: Plan, file: string, now: Date): void {
  try {
    if (isKeying(plan)) checkKeyingPlan(plan);
    else checkSigners(plan);
    refuseDuplicates(plan);
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file, remedy: 'Ask the lead for a corrected plan.' }) : e;
  }
  checkPlanTime(plan, file, now);
}

/** @throws E_PLAN_EXPIRED when `now` is outside created (less ten minutes of clock difference) … expires */
export function checkPlanTime(plan: Plan, file: string, now: Date): void {
  const remedy = 'Check the clock of this machine; if it is right, ask the lead for a new plan.';
  if (Date.parse(plan.expires) <= Date.parse(plan.created))
    fail('E_PLAN_FIELD', 'expires: is not after created', { file, field: 'expires', remedy: 'Ask the lead for a corrected plan.' });
  if (now.getTime() >= Date.parse(plan.expires))
    fail('E_PLAN_EXPIRED', `the plan expired at ${plan.expires}`, { file, field: 'expires', remedy });
  if (now.getTime() < Date.parse(plan.created) - 600_000)
    fail('E_PLAN_EXPIRED', `the plan was created at ${plan.created}, which this clock says is still to come`, {
      file,
      field: 'created',
      remedy,
    });
}

function checkKeyingPlan(plan: KeyingPlan): void {
  const quorum = planQuorum(plan);
  const names = plan.participants.map((p) => p.name);
  const leaves = quorum.leaves.map((l) => l.name);
  for (const [i, name] of names.entries())
    if (!leaves.includes(name))
      fail('E_PLAN_FIELD', `participants[${String(i)}].name: ${name} is not in the quorum`, { field: `participants[${String(i)}].name` });
  for (const name of leaves)
    if (!names.includes(name)) fail('E_PLAN_FIELD', `participants: ${name} stands in the quorum but not in the roster`, { field: 'participants' });
  if (names.join() !== leaves.join())
    fail('E_ROSTER_ORDER', `the roster must be in the order of the quorum: ${leaves.join(', ')}`, { field: 'participants' });
  for (const role of Object.keys(plan.roles ?? {}))
    if (!new RegExp(`(^|[^a-z0-9-])${role}($|[^a-z0-9-])`).test(plan.quorum))
      fail('E_PLAN_FIELD', `roles.${role}: no gate uses this role`, { field: `roles.${role}` });
  if (!seated(plan).some((p) => p.name === plan.lead)) fail('E_PLAN_FIELD', `lead: ${plan.lead} is not a participant`, { field: 'lead' });
  if (SCHEMES[schemeOf(plan)].protocol === 'cggmp24') {
    const offer = OFFER_BYTES + OFFER_BYTES_PER_PEER * (names.length - 1);
    requireCarriable(plan.stock, offer, 'stock');
    // all confirmations together are the certificate
    requireTogether(plan.stock, names.length * offer, 'stock');
  }
  const alone = samePersonQuorum(quorum, plan.participants);
  if (alone !== undefined)
    fail('E_THRESHOLD', `${alone} alone could satisfy the quorum with the seats held under that name`, { participant: alone });
  const points = new Set(plan.participants.map((p) => p.prekey.P));
  if (points.size !== plan.participants.length) fail('E_SEAT_DUP', 'two participants have the same one-time encryption key', { field: 'participants' });
  if ('dealers' in plan) checkDealers(plan);
  if ('key' in plan && plan.key.name !== plan.name) fail('E_PLAN_FIELD', 'name: is not the name of the key', { field: 'name' });
  if ('key' in plan && plan.rank <= plan.key.epoch) fail('E_RANK', `rank ${String(plan.rank)} is not above epoch ${String(plan.key.epoch)}`, { field: 'rank' });
  for (const w of plan.witnesses ?? [])
    if (seated(plan).some((p) => p.name === w.name || p.identity === w.identity || p.homeId === w.homeId))
      fail('E_WITNESS_SHARE', `${w.name} is to witness and to hold a share`, { participant: w.name });
}

/** Dealers: each once, and the same person where one also receives. Whether they are a quorum of the key, the base tells. */
function checkDealers(plan: ResharePlan | ImportPlan): void {
  for (const d of plan.dealers) {
    const member = plan.participants.find((p) => p.name === d.name);
    if (member && (member.identity !== d.identity || member.homeId !== d.homeId))
      fail('E_CARD', `${d.name} deals with another card than it receives with`, { participant: d.name, field: 'dealers', remedy: 'Who has a new home and no share there takes another name.' });
  }
  const twice = (values: readonly (string | number)[]): boolean => new Set(values).size !== values.length;
  if (twice(plan.dealers.map((d) => d.name))) fail('E_SEAT_DUP', 'one dealer deals twice', { field: 'dealers' });
  if (plan.kind === 'reshare') {
    plan.dealers.forEach((d, i) => {
      if (i > 0 && (plan.dealers[i - 1]?.leaf ?? 0) >= d.leaf) fail('E_ROSTER_ORDER', 'the dealers must be in ascending order of their leaf', { field: 'dealers' });
    });
    return;
  }
  if (twice(plan.dealers.map((d) => d.identifier))) fail('E_SEAT_DUP', 'two dealers have the same identifier', { field: 'dealers' });
  if (plan.dealers.length !== plan.source.minSigners) fail('E_QUORUM', `the key needs ${String(plan.source.minSigners)} of its holders, the plan names ${String(plan.dealers.length)}`, { field: 'dealers' });
}

/** @throws E_PLAN_FIELD when so many entries of this size make no blob */
function requireCarriable(count: number, bytes: number, field: string): void {
  const most = Math.floor((MAX_BLOB_BYTES - USUAL_BLOB_BYTES) / bytes);
  if (count > most) fail('E_PLAN_FIELD', `${field}: with so many participants, one message can hold ${String(most)} at most`, { field });
}

/** @throws E_PLAN_FIELD when so many entries of everybody do not fit into one file */
function requireTogether(count: number, bytes: number, field: string): void {
  const most = Math.floor(MAX_TOGETHER_BYTES / bytes);
  if (count > most) fail('E_PLAN_FIELD', `${field}: with so many participants, one ceremony can make ${String(most)} at most`, { field });
}

function checkSigners(plan: SignPlan | PresignPlan): void {
  plan.participants.forEach((p, i) => {
    const before = plan.participants[i - 1];
    if (before && before.leaf >= p.leaf) fail('E_ROSTER_ORDER', 'the signers must be in ascending order of their leaf', { field: 'participants' });
  });
  const { protocol } = SCHEMES[plan.key.scheme];
  if (plan.kind === 'presign') {
    if (protocol !== 'cggmp24') fail('E_SCHEME', `keys of ${plan.key.scheme} have no presignatures`, { field: 'key.scheme' });
    const peers = plan.participants.length - 1;
    requireCarriable(plan.count, CONVERT_BYTES_PER_PEER * peers, 'count');
    // all messages of a faulty attempt together are the evidence
    requireTogether(plan.count, (peers + 1) * (OFFER_BYTES + (OFFER_BYTES_PER_PEER + CONVERT_BYTES_PER_PEER) * peers), 'count');
    return;
  }
  const stocked = plan.participants.filter((p) => p.stock).length;
  if (stocked !== 0 && stocked !== plan.participants.length)
    fail('E_PLAN_FIELD', 'participants: either all signers sign from stock or none', { field: 'participants' });
  if (plan.presignature !== undefined && (protocol !== 'cggmp24' || stocked > 0))
    fail('E_PLAN_FIELD', 'presignature: only ECDSA has presignatures, and one needs nothing from a stock besides', { field: 'presignature' });
}

/** True when every signer answers from a stocked nonce commitment. */
export function fromStock(plan: SignPlan): boolean {
  return plan.participants.every((p) => p.stock !== undefined);
}

/** Leaves of the signers; @throws E_QUORUM, E_QUORUM_SURPLUS when they are not an exact minimal quorum */
export function signerLeaves(plan: SignPlan | PresignPlan, quorum: Quorum): Leaf[] {
  return exactQuorum(
    quorum,
    plan.participants.map((p) => p.name),
  );
}

/** Witnesses that the plan names: they hold no share, and the result is final only with their signatures. */
export function witnessesOf(plan: Plan): NonNullable<DkgPlan['witnesses']> {
  return isKeying(plan) ? (plan.witnesses ?? []) : [];
}
