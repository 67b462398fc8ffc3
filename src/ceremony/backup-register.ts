/**
 * The register of backups in a home, one for each key: what was made, for whom, where it is kept, when it was last tested.
 * Nothing secret. Written when a backup is made, moved or tested; a copy that nobody registered is a copy that nobody counts.
 */
import * as v from 'valibot';
import { hex, int, line, nameOf, utcTime } from '../plan/fields.ts';
import type { Certificate } from '../protocols/epoch.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { fail } from '../wire/errors.ts';
import { recordCare } from './care.ts';
import { type Home, inHome } from './home.ts';
import { activeEpoch, keyNames } from './key-store.ts';
import { readRecord } from './record.ts';

const CopySchema = v.strictObject({
  /** Name of the backup file, and its SHA-256. */
  file: line(200),
  sha256: hex(32),
  owner: nameOf('participant'),
  /** Id of the key, 16 bytes, and the epoch. */
  keyId: hex(16),
  epoch: int(1, 1_000_000),
  /** What opens it. */
  lock: v.picklist(['recipients', 'custodians', 'post-quantum', 'passphrase']),
  quorum: v.optional(line(8192)),
  recipients: v.array(v.strictObject({ name: v.optional(nameOf('recipient')), key: v.optional(hex(32)) })),
  site: v.optional(line(100)),
  made: utcTime,
  /** The last test: by the public proof, or by opening it. */
  tested: v.optional(v.strictObject({ at: utcTime, how: v.picklist(['proof', 'opened']) })),
  /**
   * The export has begun and is not known to have ended: SHA-256 of the path of its folder, and of every file that it was
   * to write there. A copy may exist.
   */
  begun: v.optional(v.strictObject({ out: hex(32), files: v.pipe(v.array(hex(32)), v.maxLength(200)) })),
  /** When it was destroyed, and by whose word: no program can see that. */
  destroyed: v.optional(v.strictObject({ at: utcTime, by: line(64) })),
});
const RegisterSchema = v.strictObject({ v: v.literal(1), copies: v.pipe(v.array(CopySchema), v.maxLength(1000)) });

/** One registered copy. Public. */
export type BackupCopy = v.InferOutput<typeof CopySchema>;

const file = (home: Home, key: string): string => inHome(home, 'keys', key, 'backups.json');

/** The registered copies of a key, in the order of their making. @throws E_STATE when the register is damaged */
export function backupCopies(home: Home, key: string): BackupCopy[] {
  return readRecord(home.disk, file(home, key), RegisterSchema, `the register of the backups of ${key}`)?.copies ?? [];
}

function save(home: Home, key: string, copies: readonly BackupCopy[]): void {
  home.disk.write(file(home, key), canonicalBytes({ v: 1, copies } as unknown as Json));
}

/** Whether two copies back up the same share. */
const sameShare = (a: Pick<BackupCopy, 'keyId' | 'owner' | 'epoch'>, b: typeof a): boolean => a.keyId === b.keyId && a.owner === b.owner && a.epoch === b.epoch;
/** Places are compared as people write them: capitals and spaces do not make two of one. */
const place = (site: string): string => site.toLowerCase().replace(/\s+/g, ' ').trim();

/** @throws E_BACKUP_PLACE when a copy of the same share is kept at that site already */
export function checkSite(copies: readonly BackupCopy[], share: Pick<BackupCopy, 'keyId' | 'owner' | 'epoch'>, site: string | undefined): void {
  if (site === undefined) return;
  const there = copies.find((c) => sameShare(c, share) && c.begun === undefined && c.site !== undefined && place(c.site) === place(site));
  if (there)
    fail('E_BACKUP_PLACE', `a backup of this share is kept at "${there.site ?? ''}" already (${there.sha256.slice(0, 8)}): one fire would take both`, {
      field: 'site',
      remedy: 'Keep this copy at another site.',
    });
}

/**
 * @param keys custody keys, hex
 * @throws E_CUSTODY_REUSED when one of them already opens a backup of another epoch of the key: its keeper would hold both
 */
export function checkCustodyKeys(copies: readonly BackupCopy[], keyId: string, epoch: number, keys: readonly { readonly name: string; readonly key: string }[]): void {
  for (const { name, key } of keys) {
    const before = copies.find((c) => c.keyId === keyId && c.epoch !== epoch && c.recipients.some((r) => r.key === key));
    if (before)
      fail('E_CUSTODY_REUSED', `the custody key on the card of ${name} already opens the backup of epoch ${String(before.epoch)}`, {
        participant: name,
        field: 'custody',
        remedy: `Ask ${name} to run mpc-ceremony card renew, and take the new card.`,
      });
  }
}

/** Enters a new copy. @throws E_BACKUP_PLACE */
export function registerBackup(home: Home, key: string, copy: BackupCopy): void {
  const copies = backupCopies(home, key);
  if (copies.some((c) => c.sha256 === copy.sha256 && c.site === copy.site)) return;
  checkSite(copies, copy, copy.site);
  save(home, key, [...copies, copy]);
}

/**
 * The export of a copy has ended: all its files are there. @param instead SHA-256 of copies whose interrupted export it
 * replaced, file by file
 */
export function endExport(home: Home, key: string, copy: BackupCopy, instead: readonly string[]): void {
  const { begun: _, ...ended } = copy;
  save(home, key, backupCopies(home, key).flatMap((c) => (c.sha256 === copy.sha256 && c.site === copy.site ? [ended] : c.begun && instead.includes(c.sha256) ? [] : [c])));
}

/** Notes a test of a registered copy; of the active epoch also in the care register of the key. @returns whether it is registered */
export function noteTest(home: Home, key: string, sha256: string, at: string, how: 'proof' | 'opened'): boolean {
  const copies = backupCopies(home, key);
  const copy = copies.find((c) => c.sha256 === sha256);
  if (!copy) return false;
  save(home, key, copies.map((c) => (c.sha256 === sha256 ? { ...c, tested: { at, how } } : c)));
  const epoch = activeEpoch(home, key)?.epoch;
  if (epoch?.key.id === copy.keyId && epoch.number === copy.epoch) recordCare(home, key, { kind: 'backup-test', at, epoch: copy.epoch });
  return true;
}

/** A registered copy as it stands today. */
export interface ListedCopy extends BackupCopy {
  readonly key: string;
  /** A later epoch is active: it restores nothing that signs. */
  readonly retired: boolean;
}

/** All registered copies of a home, or of one key. */
export function listBackups(home: Home, key?: string): ListedCopy[] {
  return (key === undefined ? keyNames(home) : [key]).flatMap((name) => {
    const epoch = activeEpoch(home, name)?.epoch;
    return backupCopies(home, name).map((copy) => ({ ...copy, key: name, retired: epoch !== undefined && (epoch.key.id !== copy.keyId || epoch.number > copy.epoch) }));
  });
}

/** Registered copies of epochs below the active one that nobody has noted as destroyed: file, with its place, and the beginning of its SHA-256. */
export function openBackups(home: Home, { epoch }: Certificate): { readonly file: string; readonly digest: string }[] {
  return backupCopies(home, epoch.key.name)
    .filter((c) => c.keyId === epoch.key.id && c.epoch < epoch.number && c.destroyed === undefined)
    .map((c) => ({ file: c.site === undefined ? c.file : `${c.file} at ${c.site}`, digest: c.sha256.slice(0, 16) }));
}

/** Notes that a copy was destroyed, and by whose word. @returns whether it is registered */
export function noteDestroyed(home: Home, key: string, sha256: string, at: string, by: string): boolean {
  const copies = backupCopies(home, key);
  if (!copies.some((c) => c.sha256 === sha256)) return false;
  save(home, key, copies.map((c) => (c.sha256 === sha256 ? { ...c, destroyed: { at, by } } : c)));
  return true;
}
