/**
 * Verification of a backup by anybody: without its keys, without a home, without opening it. Every fault has a check of
 * its own, so that "damaged", "another epoch", "another key", "exchanged" and "forged" are told apart.
 */
import { epochTree } from '../protocols/base.ts';
import { type Certificate, parseCertificate } from '../protocols/epoch.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { verifyEd25519 } from '../wire/ed25519.ts';
import { CeremonyError, type ErrorCode } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { ageFileName, backupSignedBytes, backupStem, type ParsedBackup } from './backup-file.ts';
import { verifyProof } from './pve.ts';
import { recipientText } from './recipient.ts';
import { type CustodianTree, custodianTree, type OwnerShare, ownerShare, type ProofFor, statementOf } from './statement.ts';
import type { Statement } from './pve.ts';

export type Verdict = 'ok' | 'wrong' | 'cannot-tell';

/** One check. `name` is stable; `of` is the recipient or custodian it is about. */
export interface BackupCheck {
  readonly name: 'form' | 'name' | 'certificate' | 'key' | 'epoch' | 'owner' | 'signature' | 'constant' | 'proof' | 'recipient' | 'age' | 'open' | 'home';
  readonly verdict: Verdict;
  readonly of?: string;
  readonly code?: ErrorCode;
  readonly field?: string;
  readonly text: string;
}

/** A proof of the backup with its statement: what opening needs. */
export interface Piece {
  /** Name that the recipient goes by, if any. */
  readonly name: string | undefined;
  /** Leaf id in the custodians' quorum; 0 for a single recipient. */
  readonly custodian: number;
  readonly statement: Statement;
  readonly proof: Uint8Array;
}

/**
 * The certificate in the file: complete, and its shares are those of its public key. Whether the people in it are those of
 * the key, no certificate tells of itself.
 * @throws E_CERTIFICATE
 */
export function backupCertificate(backup: ParsedBackup): Certificate {
  const certificate = parseCertificate(new Uint8Array(Buffer.from(backup.record.certificate, 'base64')), backup.file);
  epochTree(certificate.epoch);
  return certificate;
}

/** The custodians' tree of a backup, if it has one. @throws as `custodianTree`, and E_BACKUP_BAD when the roster is not that of the quorum */
export function backupTree({ file, record }: ParsedBackup, owner: OwnerShare): CustodianTree | undefined {
  const { custodians } = record;
  if (!custodians) return undefined;
  const tree = custodianTree(owner, custodians.quorum, fromHex(custodians.tree));
  const { leaves } = tree.quorum;
  if (leaves.length !== custodians.roster.length || leaves.some((leaf, i) => custodians.roster[i]?.name !== leaf.name))
    throw new CeremonyError('E_BACKUP_BAD', "the custodians are not those of their quorum, in its order", { file, field: 'custodians.roster' });
  return tree;
}

/** All proofs of a backup with their statements, in the order of the file. @throws as {@link backupTree}, `ownerShare`, `statementOf` */
export function backupPieces(backup: ParsedBackup, certificate: Certificate): Piece[] {
  const { record } = backup;
  const owner = ownerShare(certificate, record.owner);
  const tree = backupTree(backup, owner);
  const list = record.custodians?.roster ?? record.recipients ?? [];
  return list.map((each, i) => {
    const leaf = tree?.quorum.leaves[i];
    const to: ProofFor = { sid: record.sid, name: each.name, key: fromHex(each.key), ...(tree && leaf ? { custodian: { leaf, tree } } : {}) };
    return { name: each.name, custodian: leaf?.id ?? 0, statement: statementOf(certificate, owner, to), proof: new Uint8Array(Buffer.from(each.proof, 'base64')) };
  });
}

const shortName = (piece: Piece): string => piece.name ?? `key ${toHex(piece.statement.recipient).slice(0, 8)}`;
/** What a proof shows: of a key. Whose key that is, no proof shows. */
const shows = ({ custodian, statement }: Piece): string => `${recipientText(statement.recipient)} opens the ${custodian === 0 ? 'share' : 'piece that was dealt'}`;

/**
 * Checks everything that the public can see of a backup.
 * @param trusted the certificate that the backup should belong to, where the verifier has it; without it the backup is
 *   checked against the certificate inside, whose public key and words the result shows
 * @returns all checks; the backup is good if every verdict is ok
 */
export function verifyBackup(backup: ParsedBackup, trusted?: Certificate): BackupCheck[] {
  const { record, file } = backup;
  const checks: BackupCheck[] = [{ name: 'form', verdict: 'ok', text: 'the file is whole and in canonical form' }];
  const attempt = <T>(name: BackupCheck['name'], work: () => T, good: string, of?: string): T | undefined => {
    try {
      const value = work();
      checks.push({ name, verdict: 'ok', ...(of === undefined ? {} : { of }), text: good });
      return value;
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      checks.push({ name, verdict: 'wrong', ...(of === undefined ? {} : { of }), code: e.code, ...(e.facts.field === undefined ? {} : { field: e.facts.field }), text: e.message });
      return undefined;
    }
  };
  const refuse = (code: ErrorCode, text: string, field?: string): never => {
    throw new CeremonyError(code, text, { file, field });
  };

  const named = /([^/\\]+)\.backup$/.exec(file)?.[1];
  if (named !== undefined && /^[a-z][a-z0-9-]*-epoch-\d+$/.test(named))
    attempt('name', () => named === backupStem(record) || refuse('E_BACKUP_BAD', `the name says ${named}; in the file is ${backupStem(record)}: two files were exchanged`, 'name'), 'the name and the contents agree');

  const certificate = attempt('certificate', () => backupCertificate(backup), 'the certificate inside is complete');
  if (!certificate) return checks;
  const { epoch } = certificate;
  if (trusted) {
    attempt('key', () => {
      if (trusted.epoch.key.id !== epoch.key.id) refuse('E_BACKUP_BAD', `this is a backup of the key ${epoch.key.name} (${epoch.key.id.slice(0, 8)}), not of ${trusted.epoch.key.name} (${trusted.epoch.key.id.slice(0, 8)})`, 'certificate');
    }, 'it is a backup of the key asked for');
  }
  attempt('epoch', () => {
    if (record.epoch !== epoch.number || record.key !== epoch.key.name || record.mode !== epoch.key.mode) refuse('E_BACKUP_BAD', 'the file names another key or epoch than its certificate', 'epoch');
    if (trusted && trusted.epoch.key.id === epoch.key.id && toHex(trusted.digest) !== toHex(certificate.digest))
      refuse('E_EPOCH', `this backup is of epoch ${String(epoch.number)}, the certificate given of epoch ${String(trusted.epoch.number)}`, 'epoch');
  }, `it belongs to epoch ${String(epoch.number)} of ${epoch.key.name}`);
  const owner = attempt('owner', () => {
    const found = ownerShare(certificate, record.owner);
    if (found.leaf.id !== record.leaf.id || found.leaf.label !== record.leaf.label) refuse('E_BACKUP_BAD', `the leaf of ${record.owner} is another one`, 'leaf');
    return found;
  }, `${record.owner} holds leaf ${String(record.leaf.id)} of this epoch`);
  if (!owner) return checks;
  attempt('signature', () => {
    const identity = epoch.roster[owner.leaf.id - 1]?.identity ?? '';
    const { sig, ...unsigned } = record;
    if (!verifyEd25519(fromHex(identity), backupSignedBytes(unsigned), fromHex(sig))) refuse('E_SIGNATURE', `the file is not signed by the identity key of ${record.owner}: it was changed after it was made, or made by somebody else`, 'sig');
  }, `it is signed by ${record.owner}`);

  if (record.custodians && attempt('constant', () => backupTree(backup, owner), "what was dealt to the custodians is the owner's share") === undefined) return checks;
  const pieces = attemptPieces(backup, certificate, checks);
  for (const piece of pieces ?? [])
    attempt('proof', () => verifyProof(piece.statement, piece.proof), shows(piece), shortName(piece));
  if (pieces?.length === 0)
    checks.push({ name: 'proof', verdict: 'cannot-tell', text: 'this backup has no public proof; it can be tested only by opening it (--open)' });
  return checks;
}

function attemptPieces(backup: ParsedBackup, certificate: Certificate, checks: BackupCheck[]): Piece[] | undefined {
  try {
    return backupPieces(backup, certificate);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    checks.push({ name: 'proof', verdict: 'wrong', code: e.code, ...(e.facts.field === undefined ? {} : { field: e.facts.field }), text: e.message });
    return undefined;
  }
}

/**
 * Whether an age file is the one that the backup names.
 * @param custodian leaf id, 0 for the whole share @param bytes undefined when it is not there
 */
export function checkAgeFile({ record }: ParsedBackup, custodian: number, bytes: Uint8Array | undefined): BackupCheck {
  const name = custodian === 0 ? undefined : record.custodians?.roster[custodian - 1]?.name;
  const file = ageFileName(record, name);
  const entry = record.age.find((a) => a.custodian === custodian);
  const base = { name: 'age' as const, of: file };
  if (!entry || !bytes) return { ...base, verdict: 'cannot-tell', code: 'E_MISSING', text: `${file} is not here` };
  const digest = toHex(sha256(bytes));
  if (digest === entry.sha256) return { ...base, verdict: 'ok', text: 'the age file is the one that was made with this backup' };
  const other = record.age.find((a) => a.sha256 === digest);
  const text = other ? 'two age files of this backup were exchanged' : 'the age file is damaged, or belongs to another backup';
  return { ...base, verdict: 'wrong', code: 'E_BACKUP_BAD', field: 'sha256', text };
}

/** All together: wrong if one check is, else cannot-tell if one is, else ok. */
export function verdictOf(checks: readonly BackupCheck[]): Verdict {
  if (checks.some((c) => c.verdict === 'wrong')) return 'wrong';
  return checks.some((c) => c.verdict === 'cannot-tell') ? 'cannot-tell' : 'ok';
}
