/** `recover` of a holder from its own backup: the file with its proofs, an age file, or the typed lines of a sheet. */
import { basename, dirname, join } from 'node:path';
import { ageFileName, MAX_BACKUP_BYTES, parseBackup, type ParsedBackup } from '../backup/backup-file.ts';
import { checkPackage, openPiece, packageScalar } from '../backup/open-backup.ts';
import { ageIdentity, parseIdentity } from '../backup/recipient.ts';
import { readSheet } from '../backup/sheet.ts';
import type { SharePackage } from '../backup/share-package.ts';
import { backupCertificate, checkAgeFile, verifyBackup, type BackupCheck } from '../backup/verify-backup.ts';
import { type Certificate, MAX_CERTIFICATE_BYTES, parseCertificate } from '../protocols/epoch.ts';
import type { Disk } from '../vault/durable.ts';
import type { Secret } from '../vault/secret.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { isAgeFile, MAX_AGE_BYTES, readAgeShare } from './backup-age.ts';
import { readTrusted } from './backup-check.ts';
import { custodySecrets } from './custody.ts';
import { type Home, requireUnlocked } from './home.ts';
import { epochCertificate } from './key-store.ts';
import type { Port } from './port.ts';
import { afterRestore, alreadyThere, checkPlaceFor, isSuperseded, keepRestored, noteExamined, refuseSuperseded, type RestoreSource } from './recover-store.ts';
import { compareEpoch, type EpochCompared } from './recover-words.ts';
import { utc } from './times.ts';

/** Most bytes of a typed sheet. */
const MAX_TYPED_BYTES = 65_536;

/** What to restore from, and with which keys. */
export interface RecoverRequest {
  /** The backup file, an age file, or the text of a printed sheet. */
  readonly from: { readonly kind: 'backup' | 'age' | 'sheet'; readonly file: string };
  /** SHA-256 printed on the sheet, if it was typed too. */
  readonly digest?: string | undefined;
  /** A certificate that the operator trusts: of the same epoch, or a later one. */
  readonly certificate?: string | undefined;
  /** age identities (`AGE-SECRET-KEY-…`). Secret. */
  readonly identities: readonly string[];
  /** Passphrase of the backup; asked for only where a passphrase opens the age file. Secret; the caller wipes it. */
  readonly passphrase?: (() => Promise<Secret>) | undefined;
  /** Open a backup of a retired epoch to see that it opens; nothing is kept. */
  readonly forensic: boolean;
  /** Where neither the home nor the operator has the certificate of the epoch: restore without comparing its words. */
  readonly unattended?: boolean;
}

/** How a restore ended. Public. */
export interface Recovery {
  readonly did: 'restored' | 'already-restored' | 'examined';
  readonly certificate: Certificate;
  readonly owner: string;
  /** How the epoch became known; absent where nothing was kept now. */
  readonly compared?: EpochCompared;
  /** For people. */
  readonly lines: readonly string[];
}

/** What was opened. */
interface Opened {
  readonly certificate: Certificate;
  readonly owner: string;
  /** Encoded; secret. */
  readonly share: Uint8Array;
  readonly source: RestoreSource;
}

/** Throws the first check that says wrong, as the error that it is. @throws the check's code naming file and field */
export function requireGood(checks: readonly BackupCheck[], file: string): void {
  const bad = checks.find((c) => c.verdict === 'wrong');
  if (bad) throw new CeremonyError(bad.code ?? 'E_BACKUP_BAD', bad.text, { file, field: bad.field, participant: bad.of !== undefined && /^[a-z][a-z0-9-]{0,31}$/.test(bad.of) ? bad.of : undefined, remedy: 'Nothing was restored. Take another copy of the backup, or another backup.' });
}

/** Reads a backup file and its certificate; nothing is verified yet. @throws E_MISSING, E_BACKUP_BAD, E_CERTIFICATE */
export function readBackup(disk: Disk, file: string): { backup: ParsedBackup; certificate: Certificate } {
  const bytes = disk.read(file, MAX_BACKUP_BYTES) ?? fail('E_MISSING', 'the backup is not there', { file });
  if (isAgeFile(bytes)) fail('E_BACKUP_BAD', 'this is an age file, not a backup file', { file, remedy: 'Give it with --age FILE.' });
  const backup = parseBackup(bytes, file);
  return { backup, certificate: backupCertificate(backup) };
}

/** What the certificate that an operator gave says about a backup: the same epoch to check against, or a later one. */
export function trustIn(disk: Disk, certificate: Certificate, file: string | undefined): { readonly same: Certificate | undefined; readonly newer: Certificate | undefined } {
  if (file === undefined) return { same: undefined, newer: undefined };
  const trusted = readTrusted(disk, file);
  const newer = trusted.epoch.key.id === certificate.epoch.key.id && trusted.epoch.number > certificate.epoch.number;
  return newer ? { same: undefined, newer: trusted } : { same: trusted, newer: undefined };
}

/**
 * Restores a share from the holder's own backup into this home.
 * @throws what the checks of the backup find, each fault with its own code; E_EPOCH for a retired epoch; E_TWO_SHARES,
 *   E_SEAT_DUP, E_RETIRED, E_FORK, E_ROLLBACK as `checkPlaceFor`; E_PERSON, E_WORDS as `compareEpoch`; E_EXISTS; E_BACKUP_KEY when no key opens it; E_QUORUM
 *   when it was dealt to custodians
 */
export async function recoverOwn(home: Home, request: RecoverRequest, port: Port): Promise<Recovery> {
  requireUnlocked(home);
  return request.from.kind === 'backup' ? fromBackup(home, request, port) : fromAge(home, request, port);
}

/** Everything that needs no secret; then whether there is anything to do. */
async function mayOpen(home: Home, certificate: Certificate, owner: string, newer: Certificate | undefined, request: RecoverRequest, port: Port): Promise<Recovery | undefined> {
  const later = isSuperseded(home, certificate, newer);
  if (later !== undefined && !request.forensic) refuseSuperseded(certificate, later);
  if (later === undefined && request.forensic) fail('E_USAGE', `epoch ${String(certificate.epoch.number)} is not known to be retired: --forensic is for retired epochs`, { field: 'forensic', remedy: 'Leave it out, or give --certificate FILE of the later epoch.' });
  checkPlaceFor(home, certificate, owner, request.forensic);
  if (request.forensic) return undefined;
  const { vault } = await port.unlock();
  return alreadyThere(home, vault, certificate, owner) ? { did: 'already-restored', certificate, owner, lines: afterRestore(certificate, owner, home.facts.name) } : undefined;
}

async function conclude(home: Home, { certificate, owner, share, source }: Opened, forensic: boolean, port: Port): Promise<Recovery> {
  try {
    const at = utc(port.now());
    if (forensic) {
      noteExamined(home, certificate, owner, share, source, at);
      return {
        did: 'examined',
        certificate,
        owner,
        lines: [`The backup opens, and holds the share of ${owner} in epoch ${String(certificate.epoch.number)} of ${certificate.epoch.key.name}.`, 'That epoch is retired: nothing of it was kept, and it neither signs nor is given on. That it was opened stands in recovered.json of this home.'],
      };
    }
    keepRestored(home, (await port.unlock()).vault, certificate, owner, share, source, at);
    return { did: 'restored', certificate, owner, ...(source.compared === undefined ? {} : { compared: source.compared }), lines: afterRestore(certificate, owner, home.facts.name) };
  } finally {
    share.fill(0);
  }
}

async function fromBackup(home: Home, request: RecoverRequest, port: Port): Promise<Recovery> {
  const { file } = request.from;
  const { backup, certificate } = readBackup(home.disk, file);
  const { same, newer } = trustIn(home.disk, certificate, request.certificate);
  requireGood(verifyBackup(backup, same), file);
  const { record } = backup;
  if (record.custodians)
    fail('E_QUORUM', `this backup was dealt to custodians under ${record.custodians.quorum}; nobody opens it alone`, { file, remedy: 'Ask them: mpc-ceremony recover --backup FILE --request --out DIR.' });
  const done = await mayOpen(home, certificate, record.owner, newer, request, port);
  if (done) return done;
  const compared = request.forensic ? {} : { compared: await compareEpoch(home, certificate, same, request.unattended === true, port) };
  const source: RestoreSource = { from: 'backup', source: backup.sha256, ...compared };
  const share = await openBackup(home, backup, certificate, request, port);
  return conclude(home, { certificate, owner: record.owner, share, source }, request.forensic, port);
}

/** The share: from the proof with any X25519 key that was given or is the home's, else from the age file beside. Secret. */
async function openBackup(home: Home, backup: ParsedBackup, certificate: Certificate, request: RecoverRequest, port: Port): Promise<Uint8Array> {
  const given = request.identities.length > 0;
  const custody = given || (backup.record.recipients === undefined && backup.record.age[0]?.lock === 'passphrase') ? [] : custodySecrets(home, (await port.unlock()).vault).map((k) => k.secret);
  const secrets = [...custody, ...request.identities.map(parseIdentity).filter((k) => k !== undefined)];
  try {
    if (backup.record.recipients)
      for (const secret of secrets) {
        try {
          return openPiece(backup, undefined, secret).scalar;
        } catch (e) {
          if (!(e instanceof CeremonyError && e.code === 'E_BACKUP_KEY')) throw e;
        }
      }
    if (backup.record.recipients && given) fail('E_BACKUP_KEY', 'the key given does not open this backup', { file: backup.file, remedy: 'Use the key of one of its recipients: mpc-ceremony backup verify names them.' });
    const path = join(dirname(backup.file), ageFileName(backup.record, undefined));
    const bytes = home.disk.read(path, MAX_AGE_BYTES);
    if (backup.record.recipients && !bytes) fail('E_BACKUP_KEY', 'no custody key of this home opens this backup', { file: backup.file, remedy: 'Give the key of one of its recipients with --identity FILE.' });
    requireGood([checkAgeFile(backup, 0, bytes)], path);
    if (!bytes) return fail('E_MISSING', 'this backup is opened by its age file, which is not beside it', { file: path, remedy: 'Put the age file into the same folder.' });
    const identities = [...request.identities, ...custody.map(ageIdentity)];
    const contents = await openAge(bytes, path, identities, needsPassphrase(bytes) ? request.passphrase : undefined);
    checkPackage(contents, certificate, backup, path);
    return packageScalar(contents);
  } finally {
    for (const secret of secrets) secret.fill(0);
  }
}

async function openAge(bytes: Uint8Array, file: string, identities: readonly string[], passphrase: (() => Promise<Secret>) | undefined): Promise<SharePackage> {
  const contents = await readAgeShare(bytes, { identities, passphrase: await passphrase?.() }, file);
  if (contents.type !== 'mpc-ceremony/share')
    fail('E_QUORUM', `this is the piece of ${contents.custodian.name}, one of the custodians; alone it restores nothing`, { file, participant: contents.custodian.name, remedy: 'Ask the custodians: mpc-ceremony recover --backup FILE --request --out DIR.' });
  return contents;
}

/** Whether a passphrase opens an age file: such a file has that one stanza. */
function needsPassphrase(bytes: Uint8Array): boolean {
  const begin = Buffer.from(bytes.subarray(0, 512)).toString('latin1').trimStart();
  const binary = begin.startsWith('-----') ? Buffer.from(begin.split(/\r?\n/).slice(1, 4).join(''), 'base64').toString('latin1') : begin;
  return binary.includes('-> scrypt ');
}

/** An age file alone, or the sheet that it was printed on: the epoch's certificate has to come from somewhere else. */
async function fromAge(home: Home, request: RecoverRequest, port: Port): Promise<Recovery> {
  const { kind, file } = request.from;
  const read = home.disk.read(file, kind === 'sheet' ? MAX_TYPED_BYTES : MAX_AGE_BYTES) ?? fail('E_MISSING', 'there is no such file', { file });
  const bytes = kind === 'sheet' ? readSheet(Buffer.from(read).toString('utf8'), request.digest) : read;
  const locked = needsPassphrase(bytes);
  const custody = request.identities.length > 0 || locked ? [] : custodySecrets(home, (await port.unlock()).vault).map((k) => k.secret);
  try {
    const identities = [...request.identities, ...custody.map(ageIdentity)];
    const contents = await openAge(bytes, file, identities, locked ? request.passphrase : undefined);
    const certificate = certificateFor(home, contents, file, request.certificate);
    const { same, newer } = trustIn(home.disk, certificate, request.certificate);
    checkPackage(contents, certificate, undefined, file);
    const done = await mayOpen(home, certificate, contents.owner, newer, request, port);
    if (done) return done;
    const compared = request.forensic ? {} : { compared: await compareEpoch(home, certificate, same, request.unattended === true, port) };
    return await conclude(home, { certificate, owner: contents.owner, share: packageScalar(contents), source: { from: 'age', source: toHex(sha256(bytes)), ...compared } }, request.forensic, port);
  } finally {
    for (const secret of custody) secret.fill(0);
  }
}

/**
 * The certificate of a package's epoch: the one given, this home's own, or the file `certificate.json` beside. Which place
 * it comes from does not matter: the package names its digest.
 */
function certificateFor(home: Home, contents: SharePackage, file: string, given: string | undefined): Certificate {
  const trusted = given === undefined ? undefined : readTrusted(home.disk, given);
  const newer = trusted?.epoch.key.id === contents.key.id && trusted.epoch.number > contents.epoch;
  if (trusted && !newer) return trusted;
  const own = epochCertificate(home, contents.key.name, contents.epoch);
  if (own?.epoch.key.id === contents.key.id) return own;
  const beside = join(dirname(file), 'certificate.json');
  const bytes = home.disk.read(beside, MAX_CERTIFICATE_BYTES);
  if (bytes) return parseCertificate(bytes, beside);
  return fail('E_MISSING', `the certificate of epoch ${String(contents.epoch)} of ${contents.key.name} is needed: ${basename(file)} does not hold it`, { file, field: 'certificate', remedy: 'Give it with --certificate FILE; every holder has it, and so has the folder of the ceremony.' });
}
