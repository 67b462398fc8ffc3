/** `backup export`: from the sealed share of the active epoch to files that can be carried away. */
import { join } from 'node:path';
import { ageFileName, type AgeFile, backupStem, encodeBackup } from '../backup/backup-file.ts';
import { checkEscrow } from '../backup/escrow.ts';
import { type BackupFor, type BackupDraft, makeBackup, signBackup } from '../backup/make-backup.ts';
import { ageRecipient, checkRecipients, parseRecipient, type Recipient } from '../backup/recipient.ts';
import { sheetPage, sheetText, type SheetFacts } from '../backup/sheet-text.ts';
import { type Card, parseCard } from '../plan/card.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { parseQuorum, type Quorum } from '../sharing/expression.ts';
import type { Secret } from '../vault/secret.ts';
import { fromHex, toHex, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { words } from '../wire/words.ts';
import { writeAge } from './backup-age.ts';
import { type BackupCopy, backupCopies, checkCustodyKeys, checkSite, endExport, registerBackup } from './backup-register.ts';
import { type Home, ownCard, requireUnlocked } from './home.ts';
import { loadShare, requireKey } from './key-store.ts';
import type { Port } from './port.ts';

const MAX_CARD_BYTES = 65_536;
const MAX_OUTPUT_BYTES = 1 << 27;

export interface ExportRequest {
  readonly key: string;
  /** Paths of cards, or recipients as age writes them. */
  readonly to: readonly string[];
  /** The custodians' quorum, over the names of the cards. */
  readonly quorum?: string | undefined;
  /** Instead of recipients. The caller wipes it. */
  readonly passphrase?: Secret | undefined;
  /** Where this copy will be kept. */
  readonly site?: string | undefined;
  /** Folder for the files; it is made if it is absent. */
  readonly out: string;
  /** Name and version of the program, for the sheet. */
  readonly program: string;
}

export interface Exported {
  readonly certificate: Certificate;
  readonly owner: string;
  readonly leaf: number;
  readonly lock: 'recipients' | 'custodians' | 'post-quantum' | 'passphrase';
  readonly wrote: readonly { readonly path: string; readonly sha256: string }[];
  /** What a person should know. */
  readonly notes: readonly string[];
}

interface Keepers {
  readonly recipients: readonly Recipient[];
  readonly cards: readonly Card[];
  readonly quorum: Quorum | undefined;
}

/**
 * Makes a backup of this home's share and writes it: the backup file, its age file or one for each custodian, a printable
 * sheet for each of these as page and text, and the certificate. Enters it into the register before anything is written: a
 * crash leaves a copy that is registered and may not exist; the same command again ends it.
 * @throws E_ROLLBACK, E_UNKNOWN_KEY, E_KEY_PENDING, E_STATE, E_RECIPIENT, E_CARD, E_REHEARSAL, E_ESCROW, E_CUSTODY_REUSED, E_BACKUP_PLACE, E_EXISTS, what `parseQuorum` throws
 */
export async function exportBackup(home: Home, request: ExportRequest, port: Port): Promise<Exported> {
  requireUnlocked(home);
  const certificate = requireKey(home, request.key);
  const { epoch } = certificate;
  const identity = ownCard(home).ed25519;
  const owner = epoch.roster.find((p) => p.identity === identity)?.name ?? fail('E_STATE', `this home holds no share of ${request.key} in its active epoch`);
  const keepers = readKeepers(home, request);
  checkRecipients(keepers.recipients, request.passphrase !== undefined);
  checkEscrow(epoch, owner, keepers.cards, keepers.quorum);
  const copies = backupCopies(home, request.key);
  checkCustodyKeys(copies, epoch.key.id, epoch.number, keepers.cards.map((c) => ({ name: c.name, key: c.custody?.key ?? '' })));
  checkSite(copies, { keyId: epoch.key.id, owner, epoch: epoch.number }, request.site);
  const whole = endedBefore(home, request, keepers, copies, backupStem({ owner, key: epoch.key.name, epoch: epoch.number }));
  if (whole) return { certificate, owner, leaf: epoch.roster.findIndex((p) => p.identity === identity) + 1, ...whole };

  const unlocked = await port.unlock();
  const share = loadShare(unlocked.vault, certificate);
  let draft: BackupDraft;
  try {
    draft = makeBackup(certificate, owner, share, backupFor(keepers), utcNow(port), port.random);
  } finally {
    share.fill(0);
  }
  const lock = request.passphrase ? ('passphrase' as const) : keepers.recipients.some((r) => r.kind === 'pq') ? ('pq' as const) : ('x25519' as const);
  const files = await encryptPackages(draft, keepers, request.passphrase, lock);
  const record = signBackup(draft, files.map((f) => f.entry), unlocked.signer);
  const backup = encodeBackup(record);

  const kind = request.passphrase ? ('passphrase' as const) : lock === 'pq' ? ('post-quantum' as const) : keepers.quorum ? ('custodians' as const) : ('recipients' as const);
  const notes: string[] = [];
  const outputs: { name: string; bytes: Uint8Array; mode: number }[] = [];
  for (const f of files) {
    const stem = f.name.slice(0, -'.age'.length);
    outputs.push({ name: f.name, bytes: f.bytes, mode: 0o600 });
    const facts = sheetFacts(certificate, draft, f, keepers, request, lock);
    try {
      outputs.push({ name: `SHEET-${stem}.html`, bytes: utf8(sheetPage(facts)), mode: 0o600 }, { name: `SHEET-${stem}.txt`, bytes: utf8(sheetText(facts)), mode: 0o600 });
    } catch (e) {
      if (!(e instanceof Error && 'code' in e && e.code === 'E_TOO_LARGE')) throw e;
      notes.push(`${f.name} is too large to be printed: no sheet was made.`);
    }
  }
  // the backup file last: where it is, the export was whole
  const last = `${backupStem(record)}.backup`;
  outputs.push(certificateFile(home, request.out, certificate), { name: last, bytes: backup, mode: 0o644 });
  const out = pathHash(request.out);
  const unfinished = home.disk.exists(join(request.out, last)) ? [] : copies.filter((c) => c.begun?.out === out && c.file === last);
  const leftovers = new Set(unfinished.flatMap((c) => c.begun?.files ?? []));
  for (const { name } of outputs) {
    const file = join(request.out, name);
    if (name.endsWith('certificate.json') || !home.disk.exists(file) || leftovers.has(toHex(sha256(home.disk.read(file, MAX_OUTPUT_BYTES) ?? new Uint8Array())))) continue;
    fail('E_EXISTS', `${name} is there already`, { file, remedy: 'Give another folder with --out. A backup is never overwritten.' });
  }
  const copy: BackupCopy = {
    file: last,
    sha256: toHex(sha256(backup)),
    owner,
    keyId: epoch.key.id,
    epoch: epoch.number,
    lock: kind,
    ...(keepers.quorum ? { quorum: keepers.quorum.text } : {}),
    recipients: registered(keepers),
    ...(request.site === undefined ? {} : { site: request.site }),
    made: record.made,
    begun: { out, files: outputs.map((o) => toHex(sha256(o.bytes))) },
  };
  registerBackup(home, request.key, copy);
  home.disk.makeDir(request.out);
  for (const { name, bytes, mode } of outputs) home.disk.write(join(request.out, name), bytes, { mode, verify: true });
  endExport(home, request.key, copy, unfinished.map((c) => c.sha256));
  if (kind === 'passphrase' || kind === 'post-quantum') notes.push('This backup has no public proof; it can be tested only by opening it: mpc-ceremony backup verify FILE --open.');
  if (kind === 'recipients' && copies.some((c) => c.keyId === epoch.key.id && c.epoch !== epoch.number && c.recipients.some((r) => keepers.recipients.some((k) => k.key && r.key === toHex(k.key)))))
    notes.push('A recipient opens backups of earlier epochs too. A fresh key for every epoch keeps them apart.');
  if (request.site === undefined) notes.push('No --site was given: the register does not know where this copy is kept.');
  const leaf = draft.record.leaf.id;
  return { certificate, owner, leaf, lock: kind, wrote: outputs.map(({ name, bytes }) => ({ path: name, sha256: toHex(sha256(bytes)) })), notes };
}

const pathHash = (path: string): string => toHex(sha256(utf8(path)));
const registered = ({ recipients }: Keepers): BackupCopy['recipients'] => recipients.map((r) => ({ ...(r.name === undefined ? {} : { name: r.name }), ...(r.key === undefined ? {} : { key: toHex(r.key) }) }));

/** An export by the same command that wrote everything and was interrupted before it could say so: it is ended, not repeated. */
function endedBefore(home: Home, { key, out, site }: ExportRequest, keepers: Keepers, copies: readonly BackupCopy[], stem: string): Pick<Exported, 'lock' | 'wrote' | 'notes'> | undefined {
  const there = home.disk.read(join(out, `${stem}.backup`), MAX_OUTPUT_BYTES);
  const digest = there && toHex(sha256(there));
  const whole = copies.find((c) => c.begun?.out === pathHash(out) && c.sha256 === digest && c.site === site && c.quorum === keepers.quorum?.text);
  if (!whole?.begun || JSON.stringify(whole.recipients) !== JSON.stringify(registered(keepers))) return undefined;
  const { files } = whole.begun;
  const wrote = home.disk.list(out).map((path) => ({ path, sha256: toHex(sha256(home.disk.read(join(out, path), MAX_OUTPUT_BYTES) ?? new Uint8Array())) }));
  endExport(home, key, whole, []);
  return { lock: whole.lock, wrote: wrote.filter((w) => files.includes(w.sha256)), notes: ['This backup was made before, by a command that was interrupted at its end.'] };
}

function utcNow(port: Port): string {
  return port.now().toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Reads the keepers: cards by path, recipients by text; with a quorum exactly its leaves, in its order. */
function readKeepers(home: Home, request: ExportRequest): Keepers {
  const cards: Card[] = [];
  const recipients = request.to.map((text): Recipient => {
    if (/^age1/.test(text) && !text.endsWith('.card')) return parseRecipient(text);
    const bytes = home.disk.read(text, MAX_CARD_BYTES);
    if (!bytes) return fail('E_CARD', `there is no card at ${text}`, { file: text, field: 'to', remedy: 'Give the path of a card, or a recipient that begins with age1.' });
    const card = parseCard(bytes, text);
    if (card.mode !== home.facts.mode) fail('E_REHEARSAL', `the card of ${card.name} is for ${card.mode}, this home for ${home.facts.mode}`, { file: text, participant: card.name });
    if (!card.custody) return fail('E_CARD', `the card of ${card.name} has no custody key`, { file: text, participant: card.name, field: 'custody', remedy: `Ask ${card.name} to run mpc-ceremony card renew, and take the new card.` });
    cards.push(card);
    const key = fromHex(card.custody.key);
    return { kind: 'x25519', text: ageRecipient(key), key, name: card.name };
  });
  if (request.quorum === undefined) {
    if (new Set(cards.map((c) => c.name)).size !== cards.length) fail('E_RECIPIENT', 'two cards have one name', { field: 'to', remedy: 'Give every recipient once.' });
    return { recipients, cards, quorum: undefined };
  }
  const quorum = parseQuorum(request.quorum);
  if (recipients.length !== cards.length || request.passphrase) fail('E_RECIPIENT', 'custodians are named by their cards', { field: 'to', remedy: 'Give --to with a card for every name of --quorum, and nothing else.' });
  const ordered = quorum.leaves.map((leaf) => recipients.find((r) => r.name === leaf.name) ?? fail('E_CARD', `there is no card of ${leaf.name}`, { participant: leaf.name, field: 'to', remedy: 'Give --to with a card for every name of --quorum.' }));
  const surplus = cards.find((c) => !quorum.leaves.some((l) => l.name === c.name));
  if (surplus) fail('E_CARD', `${surplus.name} does not stand in the quorum of the custodians`, { participant: surplus.name, field: 'to' });
  if (ordered.length !== recipients.length) fail('E_RECIPIENT', 'two cards have one name', { field: 'to' });
  return { recipients: ordered, cards, quorum };
}

function backupFor({ recipients, quorum }: Keepers): BackupFor {
  if (recipients.length === 0 || recipients.some((r) => r.key === undefined)) return { kind: 'unproven' };
  const keys = recipients.map((r) => ({ name: r.name, key: r.key as Uint8Array }));
  if (!quorum) return { kind: 'recipients', keys };
  return { kind: 'custodians', quorum, keys: keys.map((k) => ({ key: k.key, name: k.name ?? '' })) };
}

interface Encrypted {
  readonly name: string;
  readonly custodian: string | undefined;
  readonly bytes: Uint8Array;
  readonly entry: AgeFile;
}

async function encryptPackages(draft: BackupDraft, { recipients, quorum }: Keepers, passphrase: Secret | undefined, lock: AgeFile['lock']): Promise<Encrypted[]> {
  const files: Encrypted[] = [];
  try {
    for (const p of draft.packages) {
      const to = passphrase ?? (quorum ? recipients.slice(p.custodian - 1, p.custodian) : recipients);
      const bytes = await writeAge(p.bytes, to);
      files.push({ name: ageFileName(draft.record, p.name), custodian: p.name, bytes, entry: { custodian: p.custodian, lock, sha256: toHex(sha256(bytes)), bytes: bytes.length } });
    }
  } finally {
    for (const p of draft.packages) p.bytes.fill(0);
  }
  return files;
}

/** The certificate beside the backups: under its plain name, unless the folder has that of another epoch or key. */
function certificateFile(home: Home, out: string, { bytes, epoch }: Certificate): { name: string; bytes: Uint8Array; mode: number } {
  const there = home.disk.exists(join(out, 'certificate.json')) ? home.disk.read(join(out, 'certificate.json'), MAX_OUTPUT_BYTES) : undefined;
  const name = there === undefined || toHex(sha256(there)) === toHex(sha256(bytes)) ? 'certificate.json' : `${epoch.key.name}-epoch-${String(epoch.number)}.certificate.json`;
  return { name, bytes, mode: 0o644 };
}

function sheetFacts({ epoch, digest }: Certificate, { record }: BackupDraft, file: Encrypted, { recipients, quorum }: Keepers, request: ExportRequest, lock: AgeFile['lock']): SheetFacts {
  const leaf = quorum?.leaves.find((l) => l.name === file.custodian);
  const custodian = quorum && leaf ? { custodian: { name: leaf.name, leaf: leaf.id, quorum: quorum.text } } : {};
  const keepers = leaf ? recipients.filter((r) => r.name === leaf.name) : recipients;
  const opens = lock === 'passphrase' ? ['a passphrase'] : keepers.map((r) => (r.name === undefined ? `the key of ${shorten(r.text)}` : `the custody key of ${r.name}, ${shorten(r.text)}`));
  return {
    owner: record.owner,
    key: epoch.key.name,
    mode: epoch.key.mode,
    scheme: epoch.key.scheme,
    quorum: epoch.quorum,
    leaf: record.leaf.id,
    epoch: epoch.number,
    made: record.made,
    publicKey: epoch.publicKey,
    certificate: toHex(digest),
    words: words(digest.slice(0, 16)),
    ...custodian,
    opens,
    fileName: file.name,
    file: file.bytes,
    lock,
    program: request.program,
  };
}

/** A post-quantum recipient has 1,959 characters: enough to know it by. */
const shorten = (recipient: string): string => (recipient.length > 80 ? `${recipient.slice(0, 32)}…${recipient.slice(-8)}` : recipient);
