/**
 * `backup verify`: reads backup files and what lies beside them, and checks them without a home and without a secret; with
 * keys it also opens them, and says no more than that it went.
 */
import { basename, dirname, join } from 'node:path';
import { ageFileName, MAX_BACKUP_BYTES, parseBackup, type ParsedBackup } from '../backup/backup-file.ts';
import { checkPackage, openPiece } from '../backup/open-backup.ts';
import { ageIdentity, parseIdentity, recipientText } from '../backup/recipient.ts';
import { backupCertificate, type BackupCheck, checkAgeFile, type Verdict, verdictOf, verifyBackup } from '../backup/verify-backup.ts';
import { x25519Public } from '../backup/x25519.ts';
import { type Card, parseCard } from '../plan/card.ts';
import { type Certificate, MAX_CERTIFICATE_BYTES, parseCertificate } from '../protocols/epoch.ts';
import type { Disk } from '../vault/durable.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { words } from '../wire/words.ts';
import { type AgeKeys, isAgeFile, MAX_AGE_BYTES, readAgeShare } from './backup-age.ts';
import { backupCopies } from './backup-register.ts';
import { custodyCounters } from './custody.ts';
import { type Home, inHome, ownCard } from './home.ts';
import { activeEpoch, epochCertificate } from './key-store.ts';

/**
 * A key that opens a backup, or a piece of it, and whether the name beside it is more than what the owner wrote: `card`, a
 * card says so; `own`, it is a custody key of this home; `register`, this home made the backup to it; `unknown`.
 */
export interface KnownKey {
  /** As it stands in the backup; where it has none, as on the card that has the key. */
  readonly name?: string | undefined;
  /** `age1…`. */
  readonly key: string;
  readonly known: 'card' | 'own' | 'register' | 'unknown';
}

/** What is known of one file after its checks. Public. */
export interface CheckedBackup {
  readonly file: string;
  readonly verdict: Verdict;
  readonly checks: readonly BackupCheck[];
  readonly sha256?: string;
  readonly facts?: {
    readonly owner: string;
    readonly key: string;
    readonly keyId: string;
    readonly scheme: string;
    readonly mode: string;
    readonly epoch: number;
    readonly leaf: number;
    readonly publicKey: string;
    readonly certificate: string;
    /** Of the epoch: whoever has no certificate of its own compares them. */
    readonly words: readonly string[];
    readonly made: string;
    readonly recipients?: readonly { readonly name?: string | undefined; readonly key: string }[];
    readonly custodians?: { readonly quorum: string; readonly names: readonly string[] };
  };
  /** Who can open it; empty for a passphrase or post-quantum keys. */
  readonly keys: readonly KnownKey[];
  /** Whether the certificate inside is the one that was given, or that the home has of this epoch. */
  readonly trusted: boolean;
  /** Whether the home knows a later epoch of the key; absent without such a home. */
  readonly retired?: boolean;
  /** Which parts were opened with the keys given. */
  readonly opened: readonly string[];
}

/** Keys to open with. Secret. */
export interface OpeningKeys extends AgeKeys {
  /** X25519 keys of the home, 32 bytes; the caller wipes them. */
  readonly custody: readonly Uint8Array[];
}

const MAX_CARD_BYTES = 65_536;

/** A certificate that the verifier trusts. @throws E_MISSING, E_CERTIFICATE */
export function readTrusted(disk: Disk, file: string): Certificate {
  return parseCertificate(disk.read(file, MAX_CERTIFICATE_BYTES) ?? fail('E_MISSING', 'the certificate is missing', { file }), file);
}

function fault(name: BackupCheck['name'], e: unknown, verdict: Verdict = 'wrong', of?: string): BackupCheck {
  if (!(e instanceof CeremonyError)) throw e;
  const { field } = e.facts;
  return { name, verdict, code: e.code, ...(of === undefined ? {} : { of }), ...(field === undefined ? {} : { field }), text: e.message };
}

/**
 * Checks one file: a backup with the age files beside it, or an age file alone, which says nothing before it is opened.
 * @param home for whether the epoch is still the active one; nothing in it is written
 * @param keys with them the backup is opened as well; at least one part must open
 * @param cards of those who should be able to open it, beside the cards that the home knows
 */
export async function checkBackup(disk: Disk, file: string, trusted: Certificate | undefined, home: Home | undefined, keys: OpeningKeys | undefined, cards: readonly Card[] = []): Promise<CheckedBackup> {
  const none = (check: BackupCheck): CheckedBackup => ({ file, verdict: check.verdict, checks: [check], keys: [], trusted: false, opened: [] });
  let bytes: Uint8Array | undefined;
  try {
    bytes = disk.read(file, MAX_BACKUP_BYTES);
  } catch (e) {
    return none(fault('form', e));
  }
  if (!bytes) return none({ name: 'form', verdict: 'cannot-tell', code: 'E_MISSING', text: 'there is no such file' });
  if (isAgeFile(bytes)) return checkAgeAlone(bytes, file, trusted, keys);
  let backup: ParsedBackup;
  try {
    backup = parseBackup(bytes, file);
  } catch (e) {
    return none(fault('form', e));
  }
  const checks = verifyBackup(backup, trusted);
  const { record } = backup;
  const beside = new Map<number, Uint8Array>();
  for (const { custodian } of record.age) {
    const there = ageBeside(disk, backup, custodian);
    if (!there) continue;
    beside.set(custodian, there);
    checks.push(checkAgeFile(backup, custodian, there));
  }
  const certificate = checks.some((c) => c.name === 'certificate' && c.verdict === 'ok') ? backupCertificate(backup) : undefined;
  const opened: string[] = [];
  if (keys && certificate && verdictOf(checks) !== 'wrong') await open(backup, certificate, beside, keys, checks, opened);
  const named = namedKeys(backup, home, keys?.custody ?? [], cards);
  checks.push(...named.checks);
  const known = certificate && home ? homeCheck(home, certificate, trusted !== undefined) : undefined;
  if (known) checks.push(known.check);
  // what has no public proof is told by opening it
  const counted = opened.length > 0 ? checks.filter((c) => !(c.name === 'proof' && c.verdict === 'cannot-tell')) : checks;
  return {
    file,
    verdict: verdictOf(counted),
    checks,
    sha256: backup.sha256,
    ...(certificate ? { facts: factsOf(backup, certificate) } : {}),
    keys: named.keys,
    trusted: certificate !== undefined && (known?.same === true || (trusted !== undefined && toHex(trusted.digest) === toHex(certificate.digest))),
    ...(known ? { retired: known.retired } : {}),
    opened,
  };
}

/** Custody keys in hex, by the name that a card gives them. A card that cannot be read tells nothing. */
function cardKeys(home: Home | undefined, given: readonly Card[]): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>();
  const take = ({ name, custody }: Card): void => {
    if (custody) keys.set(name, (keys.get(name) ?? new Set()).add(custody.key));
  };
  for (const card of given) take(card);
  if (!home) return keys;
  for (const f of home.disk.list(inHome(home, 'peers'))) {
    const file = inHome(home, 'peers', f);
    if (!f.endsWith('.card') || keys.has(f.slice(0, -'.card'.length))) continue;
    try {
      take(parseCard(home.disk.read(file, MAX_CARD_BYTES) ?? new Uint8Array(), file));
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
    }
  }
  return keys;
}

/**
 * Whose the keys are. The names in a backup are what its owner wrote: a key counts as somebody's only where a card, the
 * register of this home, or the home itself says so; a name that a card gives to another key is wrong.
 * @param custody secret custody keys of the home, where it was opened: with them its earlier keys are known too
 */
function namedKeys({ record, sha256 }: ParsedBackup, anyHome: Home | undefined, custody: readonly Uint8Array[], given: readonly Card[]): { keys: KnownKey[]; checks: BackupCheck[] } {
  const home = anyHome?.facts.mode === record.mode ? anyHome : undefined;
  const cards = cardKeys(home, given);
  const own = new Set(custody.map((k) => toHex(x25519Public(k))));
  const current = home ? ownCard(home).custody?.key : undefined;
  if (current !== undefined) own.add(current);
  const complete = custody.length > 0 || (home !== undefined && custodyCounters(home).length <= 1);
  const registered = home ? backupCopies(home, record.key).some((c) => c.sha256 === sha256) : false;
  const checks: BackupCheck[] = [];
  const keys = (record.custodians?.roster ?? record.recipients ?? []).map((r): KnownKey => {
    const key = recipientText(fromHex(r.key));
    const onCard = r.name === undefined ? [...cards].find(([, all]) => all.has(r.key))?.[0] : cards.get(r.name)?.has(r.key) === true ? r.name : undefined;
    const of = r.name ?? onCard ?? `key ${r.key.slice(0, 8)}`;
    const say = (known: KnownKey['known'], text: string): KnownKey => {
      checks.push({ name: 'recipient', verdict: 'ok', of, text });
      return { name: r.name ?? onCard, key, known };
    };
    const wrong = (text: string): KnownKey => {
      checks.push({ name: 'recipient', verdict: 'wrong', code: 'E_BACKUP_KEY', field: 'key', of, text });
      return { name: r.name, key, known: 'unknown' };
    };
    if (home !== undefined && own.has(r.key) && (r.name === undefined || r.name === home.facts.name)) return say('own', `${key} is a custody key of this home`);
    if (onCard !== undefined) return say('card', `${key} is the custody key on the card of ${onCard}`);
    if (registered) return say('register', `this home made the backup to ${key}`);
    if (r.name !== undefined && r.name === home?.facts.name && complete) return wrong(`${key} stands under the name of this home, and is no custody key of it`);
    if (r.name !== undefined && cards.has(r.name)) return wrong(`${key} is not the key on the card of ${r.name}: somebody else's, or one from before ${r.name} renewed its card; ask ${r.name}`);
    return { name: r.name, key, known: 'unknown' };
  });
  return { keys, checks };
}

function ageBeside(disk: Disk, { file, record }: ParsedBackup, custodian: number): Uint8Array | undefined {
  const name = custodian === 0 ? undefined : record.custodians?.roster[custodian - 1]?.name;
  return disk.read(join(dirname(file), ageFileName(record, name)), MAX_AGE_BYTES);
}

function factsOf({ record }: ParsedBackup, { epoch, digest }: Certificate): NonNullable<CheckedBackup['facts']> {
  return {
    owner: record.owner,
    key: epoch.key.name,
    keyId: epoch.key.id,
    scheme: epoch.key.scheme,
    mode: epoch.key.mode,
    epoch: epoch.number,
    leaf: record.leaf.id,
    publicKey: epoch.publicKey,
    certificate: toHex(digest),
    words: words(digest.slice(0, 16)),
    made: record.made,
    ...(record.recipients ? { recipients: record.recipients.map(({ name, key }) => ({ name, key })) } : {}),
    ...(record.custodians ? { custodians: { quorum: record.custodians.quorum, names: record.custodians.roster.map((r) => r.name) } } : {}),
  };
}

/**
 * What this home knows of the epoch. A home that is behind knows nothing of a later epoch: its certificate may be made up by
 * whoever made the file.
 * @param given whether a certificate was given: then that one tells
 */
function homeCheck(home: Home, { epoch, digest }: Certificate, given: boolean): { check: BackupCheck; retired: boolean; same: boolean } | undefined {
  const own = activeEpoch(home, epoch.key.name);
  if (!own || own.epoch.key.id !== epoch.key.id) return undefined;
  const { number } = own.epoch;
  const there = number === epoch.number ? own : epochCertificate(home, epoch.key.name, epoch.number);
  const same = there !== undefined && toHex(there.digest) === toHex(digest);
  const retired = number > epoch.number;
  const wrong = (text: string): { check: BackupCheck; retired: boolean; same: boolean } => ({ retired, same, check: { name: 'home', verdict: 'wrong', code: 'E_FORK', text } });
  if (there && !same) return wrong(`the certificate inside is another one than that of epoch ${String(epoch.number)} in this home`);
  if (own.epoch.publicKey !== epoch.publicKey || own.epoch.key.scheme !== epoch.key.scheme) return wrong(`the certificate inside has another public key than ${epoch.key.name} in this home`);
  if (retired)
    return { retired, same, check: { name: 'home', verdict: 'ok', code: 'E_EPOCH', text: `RETIRED: this backup is of epoch ${String(epoch.number)}; epoch ${String(number)} is active. It restores nothing that signs` } };
  if (same) return { retired, same, check: { name: 'home', verdict: 'ok', text: 'it is of the epoch that is active in this home' } };
  const behind = `it is of epoch ${String(epoch.number)}; this home knows only epoch ${String(number)}`;
  if (given) return { retired, same, check: { name: 'home', verdict: 'ok', text: behind } };
  return { retired, same, check: { name: 'home', verdict: 'cannot-tell', code: 'E_EPOCH', text: `${behind} and cannot tell whether there is such an epoch: give its certificate (--certificate FILE)` } };
}

/** Opens what the keys fit: the proofs with X25519 keys, the age files with all. */
async function open(backup: ParsedBackup, certificate: Certificate, beside: ReadonlyMap<number, Uint8Array>, keys: OpeningKeys, checks: BackupCheck[], opened: string[]): Promise<void> {
  const { record } = backup;
  const custodianName = (id: number): string | undefined => (id === 0 ? undefined : record.custodians?.roster[id - 1]?.name);
  const secrets = [...keys.custody.map((k) => k.slice()), ...(keys.identities ?? []).map(parseIdentity).filter((k) => k !== undefined)];
  try {
    for (const secret of secrets) {
      try {
        const { name, custodian, scalar } = openPiece(backup, undefined, secret);
        scalar.fill(0);
        opened.push(custodianName(custodian) ?? name ?? 'recipient');
        checks.push({ name: 'open', verdict: 'ok', of: custodianName(custodian) ?? name ?? 'recipient', text: custodian === 0 ? 'the proof opens to the share' : 'the proof opens to the piece that was dealt' });
      } catch (e) {
        if (!(e instanceof CeremonyError && e.code === 'E_BACKUP_KEY')) checks.push(fault('open', e));
      }
    }
    const identities = [...(keys.identities ?? []), ...keys.custody.map(ageIdentity)];
    for (const [custodian, bytes] of beside) {
      const file = ageFileName(record, custodianName(custodian));
      try {
        const contents = await readAgeShare(bytes, { identities, passphrase: keys.passphrase }, file);
        checkPackage(contents, certificate, backup, file);
        opened.push(file);
        checks.push({ name: 'open', verdict: 'ok', of: file, text: 'the age file opens, and holds what belongs to the public share' });
      } catch (e) {
        if (!(e instanceof CeremonyError && e.code === 'E_BACKUP_KEY')) checks.push(fault('open', e, 'wrong', file));
      }
    }
  } finally {
    for (const secret of secrets) secret.fill(0);
  }
  if (opened.length === 0 && !checks.some((c) => c.name === 'open'))
    checks.push({ name: 'open', verdict: 'wrong', code: 'E_BACKUP_KEY', text: `no key given opens it; it is for ${keepersOf(backup)}` });
}

function keepersOf({ record }: ParsedBackup): string {
  const list = record.custodians?.roster ?? record.recipients ?? [];
  if (list.length === 0) return record.age[0]?.lock === 'passphrase' ? 'a passphrase' : 'a post-quantum key';
  return list.map((r) => r.name ?? `key ${r.key.slice(0, 8)}`).join(', ');
}

async function checkAgeAlone(bytes: Uint8Array, file: string, trusted: Certificate | undefined, keys: OpeningKeys | undefined): Promise<CheckedBackup> {
  if (!keys) {
    const check: BackupCheck = { name: 'open', verdict: 'cannot-tell', of: basename(file), text: 'an age file shows nothing to the public: give the .backup file, or open it with --open' };
    return { file, verdict: 'cannot-tell', checks: [check], keys: [], trusted: false, opened: [] };
  }
  try {
    const contents = await readAgeShare(bytes, { identities: [...(keys.identities ?? []), ...keys.custody.map(ageIdentity)], passphrase: keys.passphrase }, file);
    if (trusted) checkPackage(contents, trusted, undefined, file);
    const what = contents.type === 'mpc-ceremony/share' ? `the share of ${contents.owner}` : `the piece of ${contents.custodian.name} of the share of ${contents.owner}`;
    const check: BackupCheck = {
      name: 'open',
      verdict: trusted ? 'ok' : 'cannot-tell',
      of: basename(file),
      text: `it opens, and holds ${what} of ${contents.key.name}, epoch ${String(contents.epoch)}${trusted ? '' : '; whether that is the public share of the epoch takes the certificate: --certificate FILE'}`,
    };
    return { file, verdict: check.verdict, checks: [check], keys: [], trusted: trusted !== undefined, opened: [basename(file)] };
  } catch (e) {
    const check = fault('open', e, 'wrong', basename(file));
    return { file, verdict: 'wrong', checks: [check], keys: [], trusted: false, opened: [] };
  }
}
