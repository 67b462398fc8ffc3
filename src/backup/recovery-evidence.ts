/**
 * Evidence against a custodian: request, backup and the piece that it signed, as they were. Anybody repeats the check with
 * no secret. The file itself proves nothing; the signature of the piece in it does, for whoever knows the identity key.
 */
import * as v from 'valibot';
import { nameOf } from '../plan/fields.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { MAX_BACKUP_BYTES, parseBackup, type ParsedBackup } from './backup-file.ts';
import { checkReleased, checkRequest, parseReleased, parseRequest, type RecoveryRequest } from './recovery.ts';
import { backupCertificate, verdictOf, verifyBackup } from './verify-backup.ts';

/** Largest evidence file: a backup in base64 and the rest. */
export const MAX_RECOVERY_EVIDENCE_BYTES = Math.ceil(MAX_BACKUP_BYTES * 1.5);

const text = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]+={0,2}$/));
const Schema = v.strictObject({ v: v.literal(1), type: v.literal('mpc-ceremony/recovery-evidence'), custodian: nameOf('custodian'), request: text, backup: text, piece: text });

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const decode = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

/** The file of a false piece. Public. */
export function encodeRecoveryEvidence(custodian: string, request: RecoveryRequest, backup: ParsedBackup, piece: Uint8Array): Uint8Array {
  return canonicalBytes({ v: 1, type: 'mpc-ceremony/recovery-evidence', custodian, request: encode(request.bytes), backup: encode(backup.bytes), piece: encode(piece) });
}

/**
 * Repeats the finding of an evidence file.
 * @returns the custodian, the identity key (hex) that signed the false piece, and what is wrong with it
 * @throws E_EVIDENCE when the file shows nothing against anybody
 */
export function proveRecoveryEvidence(bytes: Uint8Array, file: string): { readonly custodian: string; readonly identity: string; readonly text: string } {
  const nothing = (why: string): never => fail('E_EVIDENCE', why, { file });
  try {
    const parsed = v.safeParse(Schema, parseCanonical(bytes, MAX_RECOVERY_EVIDENCE_BYTES) as Json);
    if (!parsed.success) return nothing('this is no evidence of a recovery');
    const request = parseRequest(decode(parsed.output.request), file);
    const backup = parseBackup(decode(parsed.output.backup), file);
    if (verdictOf(verifyBackup(backup)) !== 'ok') return nothing('the backup in it is not good: a piece of it says nothing against its custodian');
    const certificate = backupCertificate(backup);
    checkRequest(request, backup, certificate, file);
    const piece = parseReleased(decode(parsed.output.piece), file);
    if (piece.custodian.name !== parsed.output.custodian) return nothing('the piece is of another custodian');
    try {
      checkReleased(piece, request, backup, certificate, file);
    } catch (e) {
      if (e instanceof CeremonyError && e.code === 'E_PIECE') return { custodian: piece.custodian.name, identity: piece.identity, text: e.message };
      throw e;
    }
    return nothing(`the piece of ${piece.custodian.name} is the one that was dealt`);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    if (e.code === 'E_EVIDENCE') throw e;
    throw new CeremonyError('E_EVIDENCE', `what is in it does not hold: ${e.message}`, { file, cause: e });
  }
}

/** Digest of a request in hex: names the files that belong to it. */
export const requestName = (request: RecoveryRequest): string => toHex(request.digest).slice(0, 16);
