/**
 * A share that came from a backup, put into a home: who may hold it, and in which order it becomes durable.
 *
 * One home, one share: a home that holds, held or restored a share of a key takes no other holder's (mission rows PLC-11,
 * REC-02). `recovered.json` remembers every share that was ever restored or examined here, also after its destruction.
 */
import * as v from 'valibot';
import { checkNewHolder } from '../backup/recovery.ts';
import { ownerShare } from '../backup/statement.ts';
import { hex, int, nameOf, utcTime } from '../plan/fields.ts';
import type { Certificate } from '../protocols/epoch.ts';
import type { Vault } from '../vault/vault.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { type Home, inHome, ownCard, requireUnlocked } from './home.ts';
import { activate, activeEpoch, epochCertificate, epochPrimesPath, eraseStock, isRestored, keepPending, keyNames, markRestored, pendingEpochs, requireNoFork, requireNotRetired, sharePath } from './key-store.ts';
import { readRecord } from './record.ts';
import { EPOCH_COMPARED } from './recover-words.ts';
import { CeremonyStore } from './store.ts';

const RecoveredSchema = v.strictObject({
  key: v.strictObject({ name: nameOf('key'), id: hex(16) }),
  epoch: int(1, 1_000_000),
  /** Digest of the epoch record. */
  certificate: hex(32),
  owner: nameOf('participant'),
  /** Identity key of the owner in that epoch. */
  identity: hex(32),
  /** What it came from, and the SHA-256 of that file. */
  from: v.picklist(['backup', 'age', 'custodians']),
  source: hex(32),
  at: utcTime,
  /** How its epoch became known to this home; absent where nothing was kept. */
  compared: v.optional(v.picklist(EPOCH_COMPARED)),
  /** Opened to be examined: nothing was kept. */
  forensic: v.boolean(),
});
const RegisterSchema = v.strictObject({ v: v.literal(1), shares: v.pipe(v.array(RecoveredSchema), v.maxLength(1000)) });

/** One share that was restored or examined in this home. Public. */
export type Recovered = v.InferOutput<typeof RecoveredSchema>;

/** Where a share came from. */
export type RestoreSource = Pick<Recovered, 'from' | 'source' | 'compared'>;

/** All shares that were restored or examined here, oldest first. @throws E_STATE when the register is damaged */
export function recoveredShares(home: Home): Recovered[] {
  return readRecord(home.disk, inHome(home, 'recovered.json'), RegisterSchema, 'the register of the shares restored in this home')?.shares ?? [];
}

function remember(home: Home, share: Recovered): void {
  const before = recoveredShares(home);
  const same = (s: Recovered): boolean => s.certificate === share.certificate && s.owner === share.owner && s.source === share.source && s.forensic === share.forensic;
  if (before.some(same)) return;
  home.disk.write(inHome(home, 'recovered.json'), canonicalBytes({ v: 1, shares: [...before, share] } as unknown as Json));
}

/**
 * Whether this home may take the share of a participant of an epoch; writes nothing.
 * @throws E_ROLLBACK when the home is locked; E_REHEARSAL; E_RETIRED, E_FORK; E_TWO_SHARES, E_SEAT_DUP; E_EPOCH when this
 *   home has another epoch of the key: see {@link isSuperseded} for a later one
 */
export function checkPlaceFor(home: Home, certificate: Certificate, owner: string, forensic: boolean): void {
  requireUnlocked(home);
  const { epoch } = certificate;
  const { key } = epoch;
  if (key.mode !== home.facts.mode) fail('E_REHEARSAL', `the backup is for ${key.mode}, this home for ${home.facts.mode}`, { remedy: 'Use the home that was made for it.' });
  requireNotRetired(home, key.name, key.id);
  requireNoFork(home, key.name);
  const seat = epoch.roster.find((p) => p.name === owner) ?? fail('E_BACKUP_BAD', `${owner} holds no share in this epoch`, { participant: owner });
  const me = { name: home.facts.name, identity: ownCard(home).ed25519, homeId: home.facts.homeId };
  checkNewHolder(certificate, owner, me);
  const mine = seat.identity === me.identity && seat.homeId === me.homeId;
  const two = (text: string): never => fail('E_TWO_SHARES', `${text}; nothing was kept`, { participant: owner, remedy: 'Restore this share in a home of its own, on another machine.' });
  for (const s of recoveredShares(home))
    if (s.key.id === key.id && s.identity !== seat.identity && !mine) two(`this home restored or examined the share of ${s.owner} of epoch ${String(s.epoch)}`);
  const held = keyNames(home).flatMap((name) => certificates(home, name)).filter((c) => c.epoch.key.id === key.id);
  const own = held.find((c) => c.epoch.roster.some((p) => p.identity === me.identity || p.homeId === me.homeId));
  if (own && !mine) two(`this home holds or held a share of ${key.name} of its own, in epoch ${String(own.epoch.number)}`);
  // a share that waits for its certificate is a share
  if (!mine && pendingEpochs(home, key.name).some((e) => e !== epoch.number || !isRestored(home, epoch))) two(`this home holds a share of ${key.name} that waits for its certificate`);
  const active = activeEpoch(home, key.name);
  if (active && active.epoch.key.id !== key.id) fail('E_TWO_SHARES', `this home holds another key named ${key.name}`, { field: 'key', remedy: 'Use another home for this one.' });
  if (!active || forensic) return;
  if (active.epoch.number < epoch.number)
    fail('E_EPOCH', `epoch ${String(active.epoch.number)} of ${key.name} is active in this home, the backup is of epoch ${String(epoch.number)}`, {
      remedy: 'Bring the folder of the ceremony that made the later epoch first: mpc-ceremony next FOLDER. Then restore.',
    });
  if (active.epoch.number === epoch.number && !equalBytes(active.digest, certificate.digest))
    fail('E_EPOCH', `epoch ${String(epoch.number)} of ${key.name} in this home is another one than that of the backup`, { remedy: 'Compare the words of the epoch with the other holders. One of the two was made by somebody else.' });
}

/** Certificates of all epochs of a key name in this home. */
function certificates(home: Home, name: string): Certificate[] {
  return home.disk.dirs(inHome(home, 'keys', name)).flatMap((dir) => {
    const number = /^epoch-(\d+)$/.exec(dir)?.[1];
    const certificate = number === undefined ? undefined : epochCertificate(home, name, Number(number));
    return certificate ? [certificate] : [];
  });
}

/**
 * The later epoch that makes this one retired, as far as this home or its operator knows: what was of it restores nothing
 * that signs (mission row BAK-06).
 * @param newer a certificate that the operator gave
 */
export function isSuperseded(home: Home, { epoch }: Certificate, newer: Certificate | undefined): number | undefined {
  const known = [activeEpoch(home, epoch.key.name), newer].flatMap((c) => (c?.epoch.key.id === epoch.key.id ? [c.epoch.number] : []));
  const highest = Math.max(0, ...known);
  return highest > epoch.number ? highest : undefined;
}

/** @throws E_EPOCH naming the later epoch, for a backup of a retired one */
export function refuseSuperseded({ epoch }: Certificate, later: number): never {
  return fail('E_EPOCH', `this backup is of epoch ${String(epoch.number)} of ${epoch.key.name}; epoch ${String(later)} is in force. A backup of a retired epoch restores nothing`, {
    field: 'epoch',
    remedy: 'Use a backup of the epoch in force. To see whether this one opens, keeping nothing of it: mpc-ceremony recover --forensic.',
  });
}

/** Whether a sealed share in the home is the one of the certificate; undefined when there is none. A damaged one is none. */
function held(vault: Vault, certificate: Certificate, owner: string): 'good' | 'bad' | undefined {
  const { group, X } = ownerShare(certificate, owner);
  let share: Uint8Array | undefined;
  try {
    share = vault.get(sharePath(certificate.epoch.key.name, certificate.epoch.number));
    if (!share) return undefined;
    const x = group.decodeScalar(share);
    return x !== 0n && group.multiply(group.base, x).equals(X) ? 'good' : 'bad';
  } catch (e) {
    if (e instanceof CeremonyError && ['E_STATE', 'E_SCALAR', 'E_FORMAT'].includes(e.code)) return 'bad';
    throw e;
  } finally {
    share?.fill(0);
  }
}

/**
 * Whether the share is in this home already.
 * @returns true when it was restored before and is whole: there is nothing left to do
 * @throws E_EXISTS when the home has its share and it never was away
 */
export function alreadyThere(home: Home, vault: Vault, certificate: Certificate, owner: string): boolean {
  const { epoch } = certificate;
  if (held(vault, certificate, owner) !== 'good') return false;
  if (!isRestored(home, epoch))
    fail('E_EXISTS', `this home holds its share of epoch ${String(epoch.number)} of ${epoch.key.name}, and it is good; nothing was restored`, {
      remedy: 'Nothing to do. To see whether the backup would open: mpc-ceremony backup verify FILE --open.',
    });
  return epochCertificate(home, epoch.key.name, epoch.number) !== undefined;
}

/**
 * Puts a restored share into the home. In this order, each durable, all repeatable: the register, the mark that keeps it
 * from signing, the end of stocks and primes, the share, the certificate. Until the last nothing can use it; after the mark
 * nothing can sign with it.
 * @param share encoded (secret); the caller wipes it
 * @throws E_BACKUP_BAD when the share does not belong to the certificate; E_IO
 */
export function keepRestored(home: Home, vault: Vault, certificate: Certificate, owner: string, share: Uint8Array, source: RestoreSource, at: string): void {
  const { epoch } = certificate;
  requireFit(certificate, owner, share);
  remember(home, recoveredOf(certificate, owner, source, at, false));
  keepPending(home, epoch);
  markRestored(home, epoch);
  eraseStock(home, epoch.key.name, epoch.number);
  CeremonyStore.destroyUses(home, (key) => key.id === epoch.key.id && key.epoch <= epoch.number);
  home.disk.erase(inHome(home, epochPrimesPath(epoch.key.name, epoch.number)));
  vault.put(sharePath(epoch.key.name, epoch.number), share);
  if (held(vault, certificate, owner) !== 'good') fail('E_IO', 'the share does not read back as it was written', { file: sharePath(epoch.key.name, epoch.number), remedy: 'Use another disk, and repeat the command.' });
  activate(home, certificate);
}

/** Notes that a retired share was opened to be examined. Nothing of it is kept. @throws E_BACKUP_BAD when it does not fit */
export function noteExamined(home: Home, certificate: Certificate, owner: string, share: Uint8Array, source: RestoreSource, at: string): void {
  requireFit(certificate, owner, share);
  remember(home, recoveredOf(certificate, owner, source, at, true));
}

function recoveredOf({ epoch, digest }: Certificate, owner: string, source: RestoreSource, at: string, forensic: boolean): Recovered {
  const identity = epoch.roster.find((p) => p.name === owner)?.identity ?? fail('E_INTERNAL', 'no such owner');
  return { key: { name: epoch.key.name, id: epoch.key.id }, epoch: epoch.number, certificate: toHex(digest), owner, identity, ...source, at, forensic };
}

/** The last check before anything is kept: share·G is the public verification share of the certificate. */
function requireFit(certificate: Certificate, owner: string, share: Uint8Array): void {
  const { group, X } = ownerShare(certificate, owner);
  const x = group.decodeScalar(share);
  if (x === 0n || !group.multiply(group.base, x).equals(X)) fail('E_BACKUP_BAD', `what the backup holds is not the share of ${owner} in epoch ${String(certificate.epoch.number)}`, { participant: owner, field: 'share' });
}

/** What has to follow a restore, in words. */
export function afterRestore({ epoch }: Certificate, owner: string, me: string): string[] {
  const own = owner === me;
  return [
    `The share of ${owner} in epoch ${String(epoch.number)} of ${epoch.key.name} is in this home.`,
    'IT SIGNS NOTHING. Stocks and presignatures of this epoch are void. It can only be given on, and that has to follow now:',
    ...(own ? [`  mpc-ceremony refresh --key ${epoch.key.name} … when every holder is there, or`] : []),
    `  mpc-ceremony reshare --key ${epoch.key.name} --quorum EXPR --dealers ${own ? `${owner},OTHER` : `${owner}=${me},OTHER`} …`,
    'The new epoch signs again, under the same public key and addresses. Until then the lost home, if it comes back, could still sign with others that are at this epoch.',
    'After it, destroy this backup and its copies: they are of a retired epoch.',
  ];
}
