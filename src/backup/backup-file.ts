/**
 * backup/: a share outside its home. Publicly verifiable encryption of a leaf share to X25519 keys, the file that carries
 * it, the package inside the age file, and the printed sheet. Pure: no files, no clock, randomness as an argument. Files
 * named make-* and open-* handle secrets; all others work on what anybody may see.
 *
 * This file reads and writes the backup file: canonical JSON, signed by the owner's identity key. It holds nothing
 * secret, and with the certificate inside it can be verified alone.
 */
import * as v from 'valibot';
import { explainIssues, hex, hexUpTo, int, line, nameOf, utcTime } from '../plan/fields.ts';
import { MAX_CERTIFICATE_BYTES } from '../protocols/epoch.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256, taggedHash } from '../wire/hash.ts';

/** Largest backup file: the certificate in base64, and 64 proofs. */
export const MAX_BACKUP_BYTES = Math.ceil(MAX_CERTIFICATE_BYTES * 1.4);
/** Most single recipients of one backup. */
export const MAX_RECIPIENTS = 8;
const MAX_PROOF_TEXT = 32_768;

const base64 = (max: number) =>
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64'),
    v.maxLength(max, 'is too long'),
    v.check((s) => Buffer.from(s, 'base64').toString('base64') === s, 'is not canonical base64'),
  );

const leafSchema = v.strictObject({ id: int(1, 64), label: v.pipe(v.string(), v.regex(/^[1-9][0-9]?(?:\.[1-9][0-9]?){0,7}$/, 'is no leaf')) });

const BackupSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/backup'),
  /** 16 random bytes: tells this backup from every other. */
  sid: hex(16),
  mode: v.picklist(['production', 'rehearsal']),
  key: nameOf('key'),
  epoch: int(1, 1_000_000),
  owner: nameOf('participant'),
  /** The owner's leaf in the key's quorum. */
  leaf: leafSchema,
  made: utcTime,
  /** The exact bytes of the epoch's certificate file. */
  certificate: base64(Math.ceil(MAX_CERTIFICATE_BYTES / 3) * 4),
  /** Each of these opens the backup alone; absent where the age file has a passphrase or post-quantum recipients. */
  recipients: v.optional(
    v.pipe(
      v.array(v.strictObject({ name: v.optional(nameOf('recipient')), key: hex(32), proof: base64(MAX_PROOF_TEXT) })),
      v.minLength(1, 'must not be empty'),
      v.maxLength(MAX_RECIPIENTS, `must be at most ${String(MAX_RECIPIENTS)}`),
    ),
  ),
  /** A quorum of these opens it: the dealing's public tree, and for every leaf, in order, the key and the proof. */
  custodians: v.optional(
    v.strictObject({
      quorum: line(8192),
      tree: hexUpTo(57 * 65),
      roster: v.pipe(v.array(v.strictObject({ name: nameOf('custodian'), key: hex(32), proof: base64(MAX_PROOF_TEXT) })), v.minLength(2, 'must be 2 or more'), v.maxLength(64, 'must be at most 64')),
    }),
  ),
  /** The age files that go with it: of which custodian (leaf id; 0 for the whole share), what opens them, SHA-256, bytes. */
  age: v.pipe(
    v.array(v.strictObject({ custodian: int(0, 64), lock: v.picklist(['x25519', 'pq', 'passphrase']), sha256: hex(32), bytes: int(1, 1 << 20) })),
    v.maxLength(64, 'must be at most 64'),
  ),
  /** The owner's Ed25519 signature over all other fields. */
  sig: hex(64),
});

/** Contents of a backup file. Public. */
export type BackupRecord = v.InferOutput<typeof BackupSchema>;
/** An age file as the record names it. */
export type AgeFile = BackupRecord['age'][number];

/** A backup file whose form was checked, and nothing else. */
export interface ParsedBackup {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Of the file, hex. */
  readonly sha256: string;
  readonly record: BackupRecord;
}

/** What the owner signs: 32 bytes. */
export function backupSignedBytes(unsigned: Omit<BackupRecord, 'sig'>): Uint8Array {
  const { sig: _, ...rest } = { sig: undefined, ...unsigned };
  return taggedHash('backup/v1', canonicalBytes(rest as unknown as Json));
}

/** The file bytes. */
export function encodeBackup(record: BackupRecord): Uint8Array {
  return canonicalBytes(record as unknown as Json);
}

/** `alice-treasury-epoch-1`: begin of the names of all files of a backup. */
export function backupStem({ owner, key, epoch }: Pick<BackupRecord, 'owner' | 'key' | 'epoch'>): string {
  return `${owner}-${key}-epoch-${String(epoch)}`;
}

/** Name of an age file of a backup. @param custodian its name, for a piece */
export function ageFileName(record: Pick<BackupRecord, 'owner' | 'key' | 'epoch'>, custodian: string | undefined): string {
  return custodian === undefined ? `${backupStem(record)}.age` : `${backupStem(record)}.${custodian}.age`;
}

/**
 * Reads a backup file: its form alone. What it claims is checked by `verifyBackup`.
 * @throws E_BACKUP_BAD naming file and field
 */
export function parseBackup(bytes: Uint8Array, file: string): ParsedBackup {
  const remedy = 'This copy is damaged: take another one, and export again while the home is there.';
  let json: Json;
  try {
    json = parseCanonical(bytes, MAX_BACKUP_BYTES, 'E_BACKUP_BAD');
  } catch (cause) {
    throw new CeremonyError('E_BACKUP_BAD', `this is not a backup file: ${cause instanceof CeremonyError ? cause.message : 'unreadable'}`, { file, remedy, cause });
  }
  const parsed = v.safeParse(BackupSchema, json);
  if (!parsed.success) {
    const { field, text } = explainIssues(parsed.issues);
    throw new CeremonyError('E_BACKUP_BAD', `this backup cannot be used: ${field}: ${text}`, { file, field, remedy });
  }
  const record = parsed.output;
  if (record.recipients && record.custodians) fail('E_BACKUP_BAD', 'a backup is for single recipients or for custodians, not for both', { file, field: 'custodians', remedy });
  const keys = (record.custodians?.roster ?? record.recipients ?? []).map((r) => r.key);
  if (new Set(keys).size !== keys.length) fail('E_BACKUP_BAD', 'one key stands in the backup twice', { file, field: 'key', remedy });
  if (keys.length > 0 && record.age.some((a) => a.lock !== 'x25519')) fail('E_BACKUP_BAD', 'keys open this backup, but an age file of it says something else', { file, field: 'age', remedy });
  const ids = record.age.map((a) => a.custodian);
  const wanted = record.custodians ? record.custodians.roster.map((_, i) => i + 1) : [0];
  if (ids.join() !== wanted.join()) fail('E_BACKUP_BAD', 'the age files are not one for each custodian, or one for the whole share', { file, field: 'age', remedy });
  return { file, bytes, sha256: toHex(sha256(bytes)), record };
}
