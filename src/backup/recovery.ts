/**
 * Recovery from custodians, the public side: the request of the home that recovers, and the piece that a custodian
 * releases to it. A piece is not sealed by a cipher of its own but encrypted in the publicly verifiable way of the backup
 * (pve.ts), to a key that the recovering home made for this request alone: whoever has the request and the backup sees,
 * without any secret, whether a custodian released what was dealt to it.
 */
import * as v from 'valibot';
import { type Card, encodeCard, parseCard } from '../plan/card.ts';
import { explainIssues, hex, int, nameOf, utcTime } from '../plan/fields.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { taggedHash } from '../wire/hash.ts';
import { words } from '../wire/words.ts';
import type { ParsedBackup } from './backup-file.ts';
import { type Statement, verifyProof } from './pve.ts';
import { ownerShare, statementOf } from './statement.ts';
import { backupTree } from './verify-backup.ts';
import { x25519Fault } from './x25519.ts';

/** Largest request: a card in base64 and the rest. */
export const MAX_REQUEST_BYTES = 65_536;
/** Largest piece file: a proof in base64 and the rest. */
export const MAX_PIECE_BYTES = 65_536;

const base64 = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64'),
  v.check((s) => Buffer.from(s, 'base64').toString('base64') === s, 'is not canonical base64'),
);

const RequestSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/recovery-request'),
  /** 16 random bytes: tells this request from every other. */
  session: hex(16),
  mode: v.picklist(['production', 'rehearsal']),
  /** SHA-256 of the backup file. */
  backup: hex(32),
  key: v.strictObject({ name: nameOf('key'), id: hex(16) }),
  epoch: int(1, 1_000_000),
  /** Digest of the epoch record. */
  certificate: hex(32),
  /** Whose share it is. */
  owner: nameOf('participant'),
  /** The card of the home that recovers, in base64: its identity signs the request. */
  card: base64,
  /** X25519 key made for this request, to which the pieces are encrypted. */
  transport: hex(32),
  /** Whether every custodian compares words with the person who recovers. */
  attended: v.boolean(),
  made: utcTime,
  sig: hex(64),
});

/** Fields of a request. Public. */
export type RequestRecord = v.InferOutput<typeof RequestSchema>;

/** A request whose form, card and signature were checked. */
export interface RecoveryRequest {
  readonly record: RequestRecord;
  readonly card: Card;
  readonly bytes: Uint8Array;
  /** 32 bytes: what its words show and what a piece answers. */
  readonly digest: Uint8Array;
}

/** How the words of a request were compared by a custodian. */
export const COMPARED = ['typed', 'scripted', 'not-compared'] as const;
export type Compared = (typeof COMPARED)[number];

const PieceFileSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/recovery-piece'),
  mode: v.picklist(['production', 'rehearsal']),
  /** Digest of the request that it answers. */
  request: hex(32),
  /** SHA-256 of the backup file. */
  backup: hex(32),
  key: v.strictObject({ name: nameOf('key'), id: hex(16) }),
  epoch: int(1, 1_000_000),
  owner: nameOf('participant'),
  custodian: v.strictObject({ name: nameOf('custodian'), leaf: int(1, 64) }),
  /** Identity key of the custodian, which signs. */
  identity: hex(32),
  /** The home that it is released to. */
  to: v.strictObject({ name: nameOf('participant'), identity: hex(32), homeId: hex(16) }),
  compared: v.picklist(COMPARED),
  at: utcTime,
  /** Verifiable encryption of the piece to the request's key. */
  proof: v.pipe(base64, v.maxLength(32_768, 'is too long')),
  sig: hex(64),
});

/** A piece as it was released. Public: only the recovering home can open it. */
export type PieceRecord = v.InferOutput<typeof PieceFileSchema>;

function read<S extends v.GenericSchema>(bytes: Uint8Array, max: number, schema: S, what: string, file: string): v.InferOutput<S> {
  const remedy = 'Bring the file again from whoever made it.';
  let json: Json;
  try {
    json = parseCanonical(bytes, max, 'E_RECOVERY');
  } catch (cause) {
    throw new CeremonyError('E_RECOVERY', `this is not ${what}: ${cause instanceof CeremonyError ? cause.message : 'unreadable'}`, { file, remedy, cause });
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const { field, text } = explainIssues(parsed.issues);
    throw new CeremonyError('E_RECOVERY', `this is not ${what}: ${field}: ${text}`, { file, field, remedy });
  }
  return parsed.output;
}

const without = <T extends { readonly sig: string }>({ sig: _, ...rest }: T): Omit<T, 'sig'> => rest;

/** Digest of a request without its signature, 32 bytes: signed, shown as words, answered by pieces. */
export function requestDigest(unsigned: Omit<RequestRecord, 'sig'>): Uint8Array {
  return taggedHash('recovery/request/v1', canonicalBytes(unsigned as unknown as Json));
}

/** The sixteen words of a request. */
export function requestWords(digest: Uint8Array): string[] {
  return words(digest.slice(0, 16));
}

/** The file bytes of a request or of a piece. */
export function encodeRecovery(record: RequestRecord | PieceRecord): Uint8Array {
  return canonicalBytes(record as unknown as Json);
}

/** A card as it stands in a request. */
export function cardText(card: Card): string {
  return Buffer.from(encodeCard(card)).toString('base64');
}

/**
 * Reads a request: its form, its card, its signature. What it asks for is checked by {@link checkRequest}.
 * @throws E_RECOVERY, E_CARD, E_SIGNATURE, E_REHEARSAL naming the file
 */
export function parseRequest(bytes: Uint8Array, file: string): RecoveryRequest {
  const record = read(bytes, MAX_REQUEST_BYTES, RequestSchema, 'a request for recovery', file);
  const card = parseCard(new Uint8Array(Buffer.from(record.card, 'base64')), file);
  const digest = requestDigest(without(record));
  if (!verifyEd25519(fromHex(card.ed25519), digest, fromHex(record.sig)))
    throw new CeremonyError('E_SIGNATURE', `the request is not signed by the identity key of ${card.name}: it was changed after it was made`, { file, field: 'sig', remedy: `Bring the request again from ${card.name}, and compare its words.` });
  if (card.mode !== record.mode) fail('E_REHEARSAL', `the request is for ${record.mode}, its card for ${card.mode}`, { file, field: 'mode' });
  const fault = x25519Fault(fromHex(record.transport));
  if (fault !== undefined) fail('E_RECOVERY', fault, { file, field: 'transport' });
  return { record, card, bytes, digest };
}

/**
 * Whether a request speaks of this very backup and of its epoch, and a home other than another holder's asks.
 * @param certificate that of the backup
 * @throws E_RECOVERY naming the field; E_TWO_SHARES when the home that asks holds another share; E_SEAT_DUP
 */
export function checkRequest({ record, card }: RecoveryRequest, backup: ParsedBackup, certificate: Certificate, file: string): void {
  const { epoch, digest } = certificate;
  const facts: readonly (readonly [keyof RequestRecord, boolean])[] = [
    ['backup', record.backup === backup.sha256],
    ['key', record.key.id === epoch.key.id && record.key.name === epoch.key.name],
    ['epoch', record.epoch === epoch.number],
    ['certificate', record.certificate === toHex(digest)],
    ['owner', record.owner === backup.record.owner],
    ['mode', record.mode === epoch.key.mode],
  ];
  for (const [field, good] of facts)
    if (!good) fail('E_RECOVERY', `the request is not for the backup beside it: its ${field} is another`, { file, field, remedy: 'Bring request and backup again, together, from the home that recovers.' });
  checkNewHolder(certificate, record.owner, { name: card.name, identity: card.ed25519, homeId: card.homeId });
}

/** Who is to hold a restored share. */
export interface Holder {
  readonly name: string;
  readonly identity: string;
  readonly homeId: string;
}

/**
 * Whether a home may take the share of a participant, as far as the epoch's roster tells: the participant's own home, or
 * one that holds no share and has a name of its own.
 * @throws E_TWO_SHARES when it holds another share of the epoch; E_SEAT_DUP when its name stands in the roster for another home
 */
export function checkNewHolder({ epoch }: Pick<Certificate, 'epoch'>, owner: string, home: Holder): void {
  for (const p of epoch.roster) {
    if (p.name !== owner && (p.identity === home.identity || p.homeId === home.homeId))
      fail('E_TWO_SHARES', `${home.name} holds the share of ${p.name} and would get that of ${owner} as well`, { participant: home.name, remedy: 'Restore it in a home that holds no share of this key, on another machine.' });
    if (p.name === home.name && (p.identity !== home.identity || p.homeId !== home.homeId))
      fail('E_SEAT_DUP', `${home.name} stands in epoch ${String(epoch.number)} with another home; from this one the share could never be dealt on`, {
        participant: home.name,
        remedy: `Make the new home under another name, for example: mpc-ceremony init --name ${owner.slice(0, 31)}2.`,
      });
  }
}

/** What a released piece is a proof of: the custodian's point, encrypted to the request's key, for this request alone. */
export function releaseStatement(request: RecoveryRequest, backup: ParsedBackup, certificate: Certificate, leafId: number): Statement {
  const owner = ownerShare(certificate, backup.record.owner);
  const tree = backupTree(backup, owner) ?? fail('E_BACKUP_BAD', 'this backup was not dealt to custodians', { file: backup.file, field: 'custodians' });
  const leaf = tree.quorum.leaves.find((l) => l.id === leafId) ?? fail('E_RECOVERY', `the backup has no custodian ${String(leafId)}`, { field: 'custodian' });
  const recipient = fromHex(request.record.transport);
  const dealt = statementOf(certificate, owner, { sid: backup.record.sid, name: leaf.name, key: recipient, custodian: { leaf, tree } });
  return { ...dealt, context: taggedHash('recovery/piece/v1', canonicalBytes({ request: toHex(request.digest), backup: backup.sha256, dealt: toHex(dealt.context) })) };
}

/** What a custodian signs of a piece: 32 bytes. */
export function pieceDigest(unsigned: Omit<PieceRecord, 'sig'>): Uint8Array {
  return taggedHash('recovery/released/v1', canonicalBytes(unsigned as unknown as Json));
}

/**
 * Reads a piece: its form and its signature by the identity that it names.
 * @throws E_RECOVERY, E_SIGNATURE naming the file
 */
export function parseReleased(bytes: Uint8Array, file: string): PieceRecord {
  const piece = read(bytes, MAX_PIECE_BYTES, PieceFileSchema, 'a released piece', file);
  if (!verifyEd25519(fromHex(piece.identity), pieceDigest(without(piece)), fromHex(piece.sig)))
    throw new CeremonyError('E_SIGNATURE', `the piece is not signed by the identity key that it names for ${piece.custodian.name}`, { file, field: 'sig', remedy: `Bring the piece again from ${piece.custodian.name}.` });
  return piece;
}

/**
 * Checks a piece against request and backup; nothing secret is needed.
 * @param piece of {@link parseReleased}: signed
 * @returns what it proves, for opening
 * @throws E_REQUEST when it answers another request or backup, or is released to another home; E_RECOVERY when it
 *   contradicts the backup; E_PIECE when it is not what was dealt to this custodian, or cannot be opened by the home that
 *   asked: whoever signed it is to blame
 */
export function checkReleased(piece: PieceRecord, request: RecoveryRequest, backup: ParsedBackup, certificate: Certificate, file: string): { readonly statement: Statement; readonly proof: Uint8Array } {
  const { record, card } = request;
  const { name, leaf } = piece.custodian;
  if (piece.request !== toHex(request.digest))
    fail('E_REQUEST', `the piece of ${name} answers another request`, { participant: name, file, field: 'request', remedy: `Ask ${name} to release its piece for this request.` });
  // the custodian signed that it answers this request: what follows is its word
  const wrong = (field: string, text: string): never => fail('E_PIECE', text, { participant: name, file, field, remedy: `Keep this file. Find out what happened in the home of ${name}, and ask another custodian.` });
  if (backup.record.custodians?.roster[leaf - 1]?.name !== name) fail('E_RECOVERY', `${name} is no custodian of this backup`, { participant: name, file, field: 'custodian' });
  const facts: readonly (readonly [keyof PieceRecord, boolean])[] = [
    ['backup', piece.backup === backup.sha256],
    ['key', piece.key.id === record.key.id && piece.key.name === record.key.name],
    ['epoch', piece.epoch === record.epoch],
    ['owner', piece.owner === record.owner],
    ['mode', piece.mode === record.mode],
    ['to', piece.to.identity === card.ed25519 && piece.to.homeId === card.homeId && piece.to.name === card.name],
  ];
  for (const [field, good] of facts) if (!good) wrong(field, `${name} signed a piece for this request that names another ${field}`);
  const statement = releaseStatement(request, backup, certificate, leaf);
  const proof = new Uint8Array(Buffer.from(piece.proof, 'base64'));
  try {
    verifyProof(statement, proof);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    wrong('proof', `${name} signed a piece that is not the one dealt to it, or is encrypted to another key`);
  }
  return { statement, proof };
}
