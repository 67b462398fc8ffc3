/**
 * Epoch and certificate. The epoch record holds all that is public about a key in one epoch; its digest is what every
 * participant confirms; the certificate is the record with everybody's confirmation, complete or absent
 * (dealing specification, "Confirmation and certificate").
 */
import * as v from 'valibot';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import type { AuxInfo } from '../ecdsa/aux-info.ts';
import { hex, hexUpTo, int, line, nameOf } from '../plan/fields.ts';
import { type Envelope, MAX_BLOB_BYTES, openBlob, type Seat, type Session } from '../wire/blob.ts';
import { concat, fromHex, Reader, toHex, u32 } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256, taggedHash } from '../wire/hash.ts';
import { CLOSING } from './machine.ts';

/** Largest certificate file: all confirmations together. */
export const MAX_CERTIFICATE_BYTES = 64 * 1024 * 1024;

const schemeNames = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];
const hashes = v.record(nameOf('participant'), hex(32));
const modulus = hex(384);

const EpochSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/epoch'),
  kind: v.picklist(['dkg', 'refresh', 'reshare', 'import']),
  /** Session id of the ceremony that made the epoch. */
  session: hex(32),
  attempt: int(1, 1000),
  /** Number of the epoch: the rank of the attempt that made it. */
  number: int(1, 1_000_000),
  key: v.strictObject({
    name: nameOf('key'),
    id: hex(16),
    scheme: v.picklist(schemeNames),
    mode: v.picklist(['production', 'rehearsal']),
  }),
  /** The epoch before, whose shares were given on: its number and digest. */
  base: v.optional(v.strictObject({ number: int(1, 1_000_000), epoch: hex(32) })),
  /** The key existed in one place once: it was imported. Said for ever. */
  born: v.optional(v.literal('whole')),
  /** The group's public key, compressed; for Taproot the untweaked internal key. */
  publicKey: hexUpTo(57),
  quorum: line(8192),
  /** The combined public tree: constant, then every gate's coefficients. */
  tree: hexUpTo(57 * 65),
  chainCode: hex(32),
  roster: v.pipe(
    v.array(v.strictObject({ name: nameOf('participant'), identity: hex(32), homeId: hex(16), x25519: hex(32) })),
    v.minLength(2),
    v.maxLength(64),
  ),
  /** Names of those who dealt, where not everybody does. */
  dealers: v.optional(v.pipe(v.array(nameOf('participant')), v.minLength(1), v.maxLength(64))),
  /** ECDSA only: Paillier modulus, ring-Pedersen modulus and bases of every participant, by ascending leaf id. */
  auxiliary: v.optional(v.pipe(v.array(v.strictObject({ n: modulus, nHat: modulus, s: modulus, t: modulus })), v.minLength(2), v.maxLength(64))),
  /** Hashes of all messages before the confirmations; the last round is the one that they echo. */
  rounds: v.strictObject({ commit: v.optional(hashes), deal: hashes, reveal: v.optional(hashes), prove: v.optional(hashes) }),
});

/** All that is public about a key in one epoch. The roster is in ascending order of leaf id, from 1. */
export type EpochRecord = v.InferOutput<typeof EpochSchema>;

const CertificateSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/certificate'),
  epoch: EpochSchema,
  confirms: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]+={0,2}$/), v.maxLength(1.5 * MAX_BLOB_BYTES))), v.minLength(2), v.maxLength(64)),
});

/** 32-byte digest of an epoch record: what is confirmed, and what every later request carries. */
export function epochDigest(epoch: EpochRecord): Uint8Array {
  return taggedHash('epoch/v1', canonicalBytes(epoch as unknown as Json));
}

/** A one-time key as published in a confirmation. */
export interface NextPrekey {
  readonly n: number;
  /** 32 bytes. */
  readonly P: Uint8Array;
  /** 64 bytes. */
  readonly pop: Uint8Array;
}

/** Contents of a confirmation: echo of the dealings, digest of the epoch, the next one-time key, stocked nonce commitments. */
export interface Confirm {
  readonly echo: Uint8Array;
  readonly epoch: Uint8Array;
  readonly prekey: NextPrekey;
  readonly stock: readonly Uint8Array[];
}

/** Body of a confirmation: 1 + 32n + 32 + 100 + 2 bytes, and the stock. */
export function confirmBody(c: Confirm): Uint8Array {
  return concat(
    Uint8Array.of(CLOSING.close),
    c.echo,
    c.epoch,
    u32(c.prekey.n),
    c.prekey.P,
    c.prekey.pop,
    u32(c.stock.length).slice(2),
    ...c.stock,
  );
}

/**
 * Reads a confirmation. The stock fills what is left with entries of one length, which whoever reads them checks.
 * @param echoes number of messages of the round before
 * @throws E_FORMAT
 */
export function parseConfirm(body: Uint8Array, echoes: number): Confirm {
  const r = new Reader(body);
  if (r.u8('kind') !== CLOSING.close) fail('E_FORMAT', 'not a confirmation');
  const echo = r.take(32 * echoes, 'echo');
  const epoch = r.take(32, 'epoch');
  const prekey = { n: r.u32('prekey.n'), P: r.take(32, 'prekey.P'), pop: r.take(64, 'prekey.pop') };
  const count = r.u16('stock');
  const entry = count === 0 ? 0 : r.remaining / count;
  if (!Number.isInteger(entry) || (count > 0 && entry === 0)) fail('E_FORMAT', 'the stock does not consist of entries of one length', { field: 'stock' });
  const stock = Array.from({ length: count }, (_, i) => r.take(entry, `stock[${String(i)}]`));
  r.end();
  return { echo, epoch, prekey, stock };
}

/** Auxiliary information as it stands in an epoch record. */
export function auxRecord(aux: AuxInfo): NonNullable<EpochRecord['auxiliary']>[number] {
  const text = (n: bigint): string => n.toString(16).padStart(2 * 384, '0');
  return { n: text(aux.n), nHat: text(aux.nHat), s: text(aux.s), t: text(aux.t) };
}

/** Auxiliary information of every participant of an ECDSA key, with its leaf id, ascending. @throws E_CERTIFICATE for other keys */
export function auxiliaryOf(epoch: EpochRecord): (AuxInfo & { readonly leaf: number })[] {
  const number = (text: string): bigint => BigInt(`0x${text}`);
  const all = epoch.auxiliary ?? fail('E_CERTIFICATE', `keys of ${epoch.key.scheme} have no auxiliary information`);
  return all.map((a, i) => ({ leaf: i + 1, n: number(a.n), nHat: number(a.nHat), s: number(a.s), t: number(a.t) }));
}

/** A certificate whose confirmations were all checked; made by {@link parseCertificate} and {@link completeCertificate} alone. */
export interface Certificate {
  readonly epoch: EpochRecord;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  readonly session: Session;
  readonly confirms: readonly { readonly envelope: Envelope; readonly confirm: Confirm }[];
  /** The exact file bytes and their SHA-256 (hex). */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly verified: true;
}

/** Seats of an epoch: the roster, numbered from 1. */
export function epochSeats(epoch: EpochRecord): Seat[] {
  return epoch.roster.map((p, i) => ({ leaf: i + 1, name: p.name, identity: fromHex(p.identity) }));
}

/** Slot of the confirmations of an epoch: the last one of its kind of ceremony. */
function confirmSlot({ kind, rounds }: EpochRecord): number {
  if (kind === 'dkg') return rounds.prove ? 4 : 3;
  return rounds.prove ? 4 : 2;
}

function check(epoch: EpochRecord, envelopes: readonly Envelope[], session: Session, bytes: Uint8Array): Certificate {
  if (envelopes.length !== session.seats.length) fail('E_CERTIFICATE', 'the certificate does not hold one confirmation of every participant');
  const digest = epochDigest(epoch);
  const before = epoch.rounds.prove ?? epoch.rounds.deal;
  const slot = confirmSlot(epoch);
  const ecdsa = SCHEMES[epoch.key.scheme].protocol === 'cggmp24';
  if (ecdsa !== (epoch.rounds.prove !== undefined) || ecdsa !== (epoch.auxiliary !== undefined) || (epoch.auxiliary && epoch.auxiliary.length !== epoch.roster.length))
    fail('E_CERTIFICATE', 'the epoch does not hold what a key of its scheme needs');
  const dkg = epoch.kind === 'dkg';
  if (dkg !== (epoch.rounds.commit !== undefined) || (ecdsa && !dkg) !== (epoch.rounds.reveal !== undefined) || ['refresh', 'reshare'].includes(epoch.kind) !== (epoch.base !== undefined) || ['reshare', 'import'].includes(epoch.kind) !== (epoch.dealers !== undefined) || (epoch.kind === 'import' && epoch.born !== 'whole') || (dkg && epoch.born !== undefined))
    fail('E_CERTIFICATE', 'the epoch does not hold what an epoch of its kind does');
  if (epoch.base && epoch.base.number >= epoch.number) fail('E_CERTIFICATE', 'the epoch is not above the one that it builds on');
  // in the order of seats: those who received, then dealers who left
  const seats = [...new Set([...epoch.roster.map((p) => p.name), ...(epoch.dealers ?? [])])];
  const echo = concat(...seats.flatMap((name) => (before[name] === undefined ? [] : [fromHex(before[name])])));
  const echoes = Object.keys(before).length;
  const confirms = envelopes.map((envelope, i) => {
    const seat = session.seats[i] as Seat;
    if (envelope.slot !== slot || envelope.leaf !== seat.leaf)
      fail('E_CERTIFICATE', `the confirmation of ${seat.name} is missing or out of order`, { participant: seat.name });
    const confirm = parseConfirm(envelope.body, echoes);
    if (toHex(confirm.epoch) !== toHex(digest) || toHex(confirm.echo) !== toHex(echo))
      fail('E_CERTIFICATE', `${seat.name} confirmed another epoch`, { participant: seat.name });
    return { envelope, confirm };
  });
  return { epoch, digest, session, confirms, bytes, sha256: toHex(sha256(bytes)), verified: true };
}

/**
 * The certificate of an epoch from everybody's confirmation.
 * @throws E_CERTIFICATE when one is missing or confirms something else
 */
export function completeCertificate(epoch: EpochRecord, { sid, kind, attempt, maxBytes }: Session, confirms: ReadonlyMap<number, Envelope>): Certificate {
  const session: Session = { sid, kind, attempt, seats: epochSeats(epoch), ...(maxBytes === undefined ? {} : { maxBytes }) };
  const ordered = session.seats.map((s) => confirms.get(s.leaf)).filter((e) => e !== undefined);
  const bytes = canonicalBytes({
    v: 1,
    type: 'mpc-ceremony/certificate',
    epoch,
    confirms: ordered.map((e) => Buffer.from(e.bytes).toString('base64')),
  } as unknown as Json);
  return check(epoch, ordered, session, bytes);
}

/**
 * Reads a certificate file and checks every confirmation's signature and content. It does not recompute the key from
 * the dealings; `transcript verify` does.
 * @throws E_CERTIFICATE naming file and field
 */
export function parseCertificate(bytes: Uint8Array, file: string): Certificate {
  try {
    const parsed = v.safeParse(CertificateSchema, parseCanonical(bytes, MAX_CERTIFICATE_BYTES, 'E_CERTIFICATE'));
    if (!parsed.success) fail('E_CERTIFICATE', 'a field of the certificate is unknown, missing or malformed');
    const { epoch, confirms } = parsed.output;
    const session: Session = { sid: fromHex(epoch.session), kind: epoch.kind, attempt: epoch.attempt, seats: epochSeats(epoch), maxBytes: MAX_BLOB_BYTES };
    const envelopes = confirms.map((text) => {
      const blob = Buffer.from(text, 'base64');
      if (blob.toString('base64') !== text) fail('E_CERTIFICATE', 'a confirmation is not canonical base64');
      return openBlob(new Uint8Array(blob), session);
    });
    return check(epoch, envelopes, session, bytes);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    throw new CeremonyError('E_CERTIFICATE', e.message, { file, ...e.facts, cause: e });
  }
}
