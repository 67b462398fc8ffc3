/**
 * Keys of a home, by epoch: certificate (public, its presence makes the epoch active), sealed share, stock of nonces,
 * and the marks of what is spent. A share without a certificate is pending and cannot be used.
 */
import * as v from 'valibot';
import type { PublicPrekey } from '../plan/card.ts';
import { type Certificate, type EpochRecord, MAX_CERTIFICATE_BYTES, parseCertificate } from '../protocols/epoch.ts';
import type { Vault } from '../vault/vault.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { type Home, inHome } from './home.ts';
import { readRecord } from './record.ts';

const MAX_RANK_JUMP = 1000;
/** Stocked nonces that a plan may skip: those of plans that never came here. */
const MAX_STOCK_JUMP = 64;
const PendingSchema = v.strictObject({ id: v.string(), session: v.string() });
const ForkSchema = v.strictObject({ epoch: v.number(), by: v.string() });
const RetiredSchema = v.strictObject({ supersededBy: v.number() });
const RankSchema = v.strictObject({ rank: v.number(), ceremony: v.string() });

/** Folder of an epoch, relative to the home. */
export const epochDir = (name: string, epoch: number): string => `keys/${name}/epoch-${String(epoch)}`;

/** Path of the sealed leaf share of an epoch, relative to the home. */
export const sharePath = (name: string, epoch: number): string => `${epochDir(name, epoch)}/share.sealed`;
/** Path of the sealed primes of an ECDSA key. */
export const epochPrimesPath = (name: string, epoch: number): string => `${epochDir(name, epoch)}/primes.sealed`;
/** Path of a sealed stocked nonce pair, or of the secret of a stocked first message. */
export const stockPath = (name: string, epoch: number, index: number): string => `${epochDir(name, epoch)}/stock/${String(index)}.sealed`;

/** Names of all keys of a home, active or pending. */
export function keyNames(home: Home): string[] {
  return home.disk.dirs(inHome(home, 'keys'));
}

function epochs(home: Home, name: string): number[] {
  return home.disk
    .dirs(inHome(home, 'keys', name))
    .map((d) => /^epoch-(\d+)$/.exec(d)?.[1])
    .filter((d) => d !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

/** The highest certificate of a key in this home: its active epoch. @throws E_CERTIFICATE when the file is damaged */
export function activeEpoch(home: Home, name: string): Certificate | undefined {
  for (const epoch of epochs(home, name)) {
    const certificate = epochCertificate(home, name, epoch);
    if (certificate) return certificate;
  }
  return undefined;
}

/**
 * The certificate of one epoch of a key, if this home has it.
 * @throws E_CERTIFICATE when the file is damaged, E_REHEARSAL when somebody put that of a rehearsal into a production home
 */
export function epochCertificate(home: Home, name: string, epoch: number): Certificate | undefined {
  const file = inHome(home, epochDir(name, epoch), 'certificate.json');
  const bytes = home.disk.read(file, MAX_CERTIFICATE_BYTES);
  if (!bytes) return undefined;
  const certificate = parseCertificate(bytes, file);
  const { mode } = certificate.epoch.key;
  if (mode !== home.facts.mode) fail('E_REHEARSAL', `the certificate is for ${mode}, this home for ${home.facts.mode}`, { file, remedy: 'Use the home that was made for it.' });
  return certificate;
}

/** The active epoch of a key. @throws E_UNKNOWN_KEY, E_KEY_PENDING */
export function requireKey(home: Home, name: string): Certificate {
  const certificate = activeEpoch(home, name);
  if (certificate) return certificate;
  if (epochs(home, name).length > 0)
    fail('E_KEY_PENDING', `the key ${name} has no complete certificate yet`, { remedy: 'Finish its ceremony: mpc-ceremony next FOLDER.' });
  fail('E_UNKNOWN_KEY', `this home knows no key ${name}`, { remedy: 'mpc-ceremony key list shows the keys of this home.' });
}

/** One-time keys that a participant (identity key, hex) published with its confirmations in the epochs that are active here. */
export function confirmedPrekeys(home: Home, identity: string): PublicPrekey[] {
  return keyNames(home).flatMap((name) => {
    const certificate = activeEpoch(home, name);
    const seat = certificate?.epoch.roster.findIndex((p) => p.identity === identity) ?? -1;
    const prekey = certificate?.confirms[seat]?.confirm.prekey;
    return prekey ? [{ n: prekey.n, P: toHex(prekey.P), pop: toHex(prekey.pop) }] : [];
  });
}

/** Epochs of a key that have a share but no certificate. */
export function pendingEpochs(home: Home, name: string): number[] {
  return epochs(home, name).filter((e) => home.disk.exists(inHome(home, sharePath(name, e))) && !home.disk.exists(inHome(home, epochDir(name, e), 'certificate.json')));
}

/** Remembers of which key a share is that waits for its certificate; before the share is stored. */
export function keepPending(home: Home, { key, number, session }: EpochRecord): void {
  home.disk.makeDir(inHome(home, epochDir(key.name, number)));
  home.disk.write(inHome(home, epochDir(key.name, number), 'pending.json'), canonicalBytes({ id: key.id, session }));
}

function pendingOf(home: Home, name: string, epoch: number): v.InferOutput<typeof PendingSchema> | undefined {
  return readRecord(home.disk, inHome(home, epochDir(name, epoch), 'pending.json'), PendingSchema, `the record of a pending epoch of ${name}`);
}

/** Id of the key whose epoch this is, as far as this home knows. */
function idOf(home: Home, name: string, epoch: number): string | undefined {
  return epochCertificate(home, name, epoch)?.epoch.key.id ?? pendingOf(home, name, epoch)?.id;
}

/**
 * Activates an epoch: the certificate is the one write that makes it usable (rule C2).
 * @throws E_EPOCH while a confirmed share waits for a certificate of the same rank that counts more
 */
export function activate(home: Home, certificate: Certificate): void {
  const { key: { name }, number, session } = certificate.epoch;
  home.disk.makeDir(inHome(home, epochDir(name, number)));
  // of two attempts of one rank the one with the higher session counts (rule C4): a share that waits for it stays
  const pending = pendingOf(home, name, number);
  if (pending && pending.session > session && home.disk.exists(inHome(home, sharePath(name, number))))
    fail('E_EPOCH', `this home has confirmed another epoch ${String(number)} of ${name}, which counts more if its certificate is completed; nothing was destroyed`, {
      field: 'rank',
      remedy: 'Bring the folder of that other attempt first. If it can never be completed, a reshare of a higher rank settles both.',
    });
  if (pending && pending.session !== session) dropPending(home, name, number);
  home.disk.write(inHome(home, epochDir(name, certificate.epoch.number), 'certificate.json'), certificate.bytes);
}

/**
 * Destroys what a higher epoch of the same key supersedes (rule C6): shares, primes and stocks of every lower one, pending
 * ones too, with a tombstone each. Pending shares of a higher rank stay (rule C4a).
 * @returns the epochs that were destroyed
 */
export function retireLower(home: Home, { key, number }: EpochRecord): number[] {
  const { name } = key;
  // another attempt to generate a key makes another key, which may hold value where its certificate came through
  const same = (e: number): boolean => idOf(home, name, e) === key.id;
  return destroyEpochs(home, name, epochs(home, name).filter((e) => e < number && same(e)), number);
}

function destroyEpochs(home: Home, name: string, which: readonly number[], number: number): number[] {
  const retired = (e: number): number | undefined => readRecord(home.disk, inHome(home, epochDir(name, e), 'retired.json'), RetiredSchema, `the tombstone of an epoch of ${name}`)?.supersededBy;
  // what a crash interrupted is repeated, and stated again
  const held = which.filter((e) => home.disk.exists(inHome(home, sharePath(name, e))) || retired(e) === number);
  for (const e of held) {
    home.disk.write(inHome(home, epochDir(name, e), 'retired.json'), canonicalBytes({ supersededBy: number }));
    dropPending(home, name, e);
  }
  return held;
}

const forkFile = (home: Home, name: string): string => inHome(home, 'keys', name, 'fork.json');

/**
 * A certificate that puts this home out, and builds on another epoch than the one in force here (rule C4a): the share is
 * locked instead of destroyed, until a person has looked.
 * @throws E_FORK always
 */
export function forkActive(home: Home, active: Certificate, other: Certificate): never {
  const { name } = active.epoch.key;
  home.disk.write(forkFile(home, name), canonicalBytes({ epoch: active.epoch.number, by: toHex(other.digest) }));
  throw forkError(name, active.epoch.number, other.epoch.number);
}

function forkError(name: string, active: number, other?: number): CeremonyError {
  return new CeremonyError('E_FORK', `${other === undefined ? 'another epoch' : `epoch ${String(other)}`} of ${name} leaves this home out, and does not build on epoch ${String(active)}, which is active here`, {
    file: `keys/${name}/fork.json`,
    details: ['Two groups gave the same key on. The share of this home is locked, not destroyed. It signs and deals nothing.'],
    remedy: `Find out with the others which of the two is to stay. If the higher one: mpc-ceremony key retire ${name}. If it was a mistake: mpc-ceremony key release ${name} --reason TEXT.`,
  });
}

const RetirementSchema = v.strictObject({ id: v.string(), attested: v.string(), movedTo: v.string(), at: v.string() });
const retirementFile = (home: Home, name: string): string => inHome(home, 'keys', name, 'retirement.json');

/** Whether this home has ended its part in a key for good. */
export function isRetired(home: Home, name: string, id: string): boolean {
  return readRecord(home.disk, retirementFile(home, name), RetirementSchema, `the record of the end of ${name}`)?.id === id;
}

/** @throws E_RETIRED when this home has ended its part in a key for good */
export function requireNotRetired(home: Home, name: string, id: string): void {
  const retired = readRecord(home.disk, retirementFile(home, name), RetirementSchema, `the record of the end of ${name}`);
  if (retired?.id === id) fail('E_RETIRED', `this home ended its part in ${name} at ${retired.at}; its shares are destroyed`, { remedy: `What it protected is now: ${retired.movedTo}` });
}

/**
 * Ends this home's part in a key: its shares and stocks are destroyed, pending ones too. There is no way back without a backup.
 * @param attested who found that nothing depends on the key any more, and how
 * @param movedTo where what it protected is now
 * @param at UTC to the second
 * @returns the epochs that were destroyed
 */
export function retireKey(home: Home, { key, number }: EpochRecord, attested: string, movedTo: string, at: string): number[] {
  home.disk.write(retirementFile(home, key.name), canonicalBytes({ id: key.id, attested, movedTo, at }));
  return destroyEpochs(home, key.name, epochs(home, key.name).filter((e) => idOf(home, key.name, e) === key.id), number);
}

/** @throws E_FORK while the share of a key is locked */
export function requireNoFork(home: Home, name: string): void {
  const fork = readRecord(home.disk, forkFile(home, name), ForkSchema, `the lock of the share of ${name}`);
  if (fork && activeEpoch(home, name)?.epoch.number === fork.epoch) throw forkError(name, fork.epoch);
}

/** Whether the share of the active epoch is locked. */
export function isForked(home: Home, name: string): boolean {
  try {
    requireNoFork(home, name);
    return false;
  } catch (e) {
    if (e instanceof CeremonyError && e.code === 'E_FORK') return true;
    throw e;
  }
}

/** Lifts the lock of a share, after a person has looked. @param found what the person says, kept with the key */
export function releaseFork(home: Home, name: string, found?: { readonly reason: string; readonly at: string }): void {
  if (found) home.disk.write(inHome(home, 'keys', name, 'released.json'), canonicalBytes({ reason: found.reason, at: found.at }));
  home.disk.erase(forkFile(home, name));
}

/** A share that came from a backup: it deals in a reshare, or takes part in a refresh, and signs nothing (protocol E, "After restore"). */
const restoredFile = (home: Home, name: string, epoch: number): string => inHome(home, epochDir(name, epoch), 'restored.json');

export function markRestored(home: Home, { key, number }: EpochRecord): void {
  home.disk.makeDir(inHome(home, epochDir(key.name, number)));
  home.disk.write(restoredFile(home, key.name, number), canonicalBytes({ id: key.id }));
}

export function isRestored(home: Home, { key, number }: EpochRecord): boolean {
  return home.disk.exists(restoredFile(home, key.name, number));
}

/** @throws E_RESTORED, E_FORK, E_RETIRED when the share of an active epoch must not sign */
export function requireSigning(home: Home, { epoch }: Certificate): void {
  requireNotRetired(home, epoch.key.name, epoch.key.id);
  requireNoFork(home, epoch.key.name);
  if (isRestored(home, epoch))
    fail('E_RESTORED', `the share of ${epoch.key.name} in this home came from a backup; nobody can say what its stocks were spent on`, {
      remedy: 'It can be dealt on: mpc-ceremony reshare (or, in the same home, refresh). The new epoch signs again.',
    });
}

/** Removes the pending share of an epoch that will never be certified by this participant. */
export function dropPending(home: Home, name: string, epoch: number): void {
  eraseStock(home, name, epoch);
  home.disk.erase(inHome(home, epochPrimesPath(name, epoch)));
  // last: as long as it is there, an interrupted destruction is repeated
  home.disk.erase(inHome(home, sharePath(name, epoch)));
}

const takenRank = (home: Home, name: string): v.InferOutput<typeof RankSchema> | undefined =>
  readRecord(home.disk, inHome(home, 'keys', name, 'rank.json'), RankSchema, `the record of the rank of ${name}`);

/** Highest rank this home joined or holds a certificate of, for a key name. */
export function highestRank(home: Home, name: string): number {
  return Math.max(takenRank(home, name)?.rank ?? 0, activeEpoch(home, name)?.epoch.number ?? 0);
}

/**
 * Whether this home may take part in a rank (rule C4): it is above every rank joined or certified before, or the one
 * that this ceremony took. Asked again before every message: who has joined a higher rank confirms no lower one.
 * @param base number of the epoch that it builds on: a newcomer counts from there
 * @throws E_RANK
 */
export function checkRank(home: Home, name: string, rank: number, ceremony: string, base = 0): void {
  const before = takenRank(home, name);
  if (before?.ceremony === ceremony && before.rank === rank) return;
  const highest = Math.max(highestRank(home, name), base);
  const remedy = 'Ask the lead for a further attempt: the lead’s command with --again FOLDER gives it the next rank.';
  if (rank <= highest) fail('E_RANK', `this home already took part in rank ${String(highest)} of ${name}; rank ${String(rank)} is not above it`, { field: 'rank', remedy });
  if (rank > highest + MAX_RANK_JUMP) fail('E_RANK', `rank ${String(rank)} jumps more than ${String(MAX_RANK_JUMP)} above ${String(highest)}`, { field: 'rank', remedy });
}

/** Takes part in a rank, durably, before any message. @throws E_RANK */
export function takeRank(home: Home, name: string, rank: number, ceremony: string, base = 0): void {
  checkRank(home, name, rank, ceremony, base);
  home.disk.makeDir(inHome(home, 'keys', name));
  home.disk.write(inHome(home, 'keys', name, 'rank.json'), canonicalBytes({ rank, ceremony }));
}

/** Leaf share of the active epoch: secret, the caller wipes it. @throws E_STATE when it is gone */
export function loadShare(vault: Vault, certificate: Certificate): Uint8Array {
  const { name } = certificate.epoch.key;
  return vault.get(sharePath(name, certificate.epoch.number)) ?? fail('E_STATE', `the share of ${name} is missing from this home`, { file: sharePath(name, certificate.epoch.number) });
}

/**
 * Marks a nonce pair, a stocked first message or a presignature as spent on a request, durably, before anything that
 * depends on it leaves (attack rows 39, 50).
 * @param commitment the pair's commitment, the first message, or the name of the presignature
 * @throws `code` when it was spent on another request
 */
export function burnNonce(home: Home, name: string, epoch: number, commitment: Uint8Array, request: Uint8Array, code: 'E_NONCE_BURNED' | 'E_PRESIGN_USED' = 'E_NONCE_BURNED'): void {
  const dir = inHome(home, epochDir(name, epoch), 'spent');
  home.disk.makeDir(dir);
  const file = inHome(home, epochDir(name, epoch), 'spent', toHex(sha256(commitment)).slice(0, 32));
  if (home.disk.createOnce(file, request)) return;
  const there = home.disk.read(file, 64);
  if (!there || toHex(there) !== toHex(request))
    fail(code, `this ${code === 'E_PRESIGN_USED' ? 'presignature' : 'nonce'} was already spent on another request`, {
      file,
      remedy: 'Ask the lead for a further attempt with fresh nonces: mpc-ceremony sign --again FOLDER. If nobody signed twice, this home may be a copy: see CEREMONY.md, "Two copies of one home".',
    });
}

/** Whether a nonce pair is marked as spent. */
export function nonceSpent(home: Home, name: string, epoch: number, commitment: Uint8Array): boolean {
  return home.disk.exists(inHome(home, epochDir(name, epoch), 'spent', toHex(sha256(commitment)).slice(0, 32)));
}

const SeenSchema = v.record(v.string(), v.strictObject({ index: v.number(), ceremony: v.string() }));

function seenStock(home: Home, name: string, epoch: number): v.InferOutput<typeof SeenSchema> {
  return readRecord(home.disk, inHome(home, epochDir(name, epoch), 'stock-seen.json'), SeenSchema, `the record of the used nonces of ${name}`) ?? {};
}

/** The lowest stock index of a participant that this home has not seen used; indices are used in ascending order. */
export function nextStockIndex(home: Home, name: string, epoch: number, owner: string): number {
  return (seenStock(home, name, epoch)[owner]?.index ?? -1) + 1;
}

/**
 * Accepts the use of stocked commitments in a ceremony: every index above the highest seen of its owner (rule of stocks).
 * @throws E_NONCE_BURNED naming the owner
 */
export function acceptStock(home: Home, name: string, epoch: number, ceremony: string, used: readonly { owner: string; index: number }[]): void {
  const seen = seenStock(home, name, epoch);
  for (const { owner, index } of used) {
    const before = seen[owner];
    if (index > (before?.index ?? -1) + MAX_STOCK_JUMP)
      fail('E_NONCE_BURNED', `the plan skips to stocked nonce ${String(index)} of ${owner}, and would make all before it useless`, {
        participant: owner,
        remedy: 'Ask the lead for a plan with fresh nonces: mpc-ceremony sign … --live.',
      });
    if (before && index <= before.index && !(index === before.index && before.ceremony === ceremony))
      fail('E_NONCE_BURNED', `the plan uses stocked nonce ${String(index)} of ${owner}; ${String(before.index)} was already used`, {
        participant: owner,
        remedy: 'Ask the lead for a new plan; its tool takes the next unused nonces.',
      });
  }
  const after = { ...seen, ...Object.fromEntries(used.map(({ owner, index }) => [owner, { index, ceremony }])) };
  home.disk.write(inHome(home, epochDir(name, epoch), 'stock-seen.json'), canonicalBytes(after));
}

/** Destroys all stocked nonces, first messages and presignatures of an epoch. */
export function eraseStock(home: Home, name: string, epoch: number): void {
  for (const stock of ['stock', 'presignatures']) {
    const dir = inHome(home, epochDir(name, epoch), stock);
    for (const file of home.disk.list(dir)) if (file.endsWith('.sealed')) home.disk.erase(inHome(home, epochDir(name, epoch), stock, file));
  }
}

/** Destroys the stocks of all keys: after a restore nobody can say what was spent (rule P6). */
export function eraseAllStocks(home: Home): void {
  for (const name of keyNames(home)) for (const epoch of epochs(home, name)) eraseStock(home, name, epoch);
}

/**
 * Remembers a signature's nonce point for a key: a repetition under another request means faulty randomness or a copy.
 * @param point the encoded R
 * @throws E_R_REUSE
 */
export function rememberNoncePoint(home: Home, name: string, point: Uint8Array, request: Uint8Array): void {
  const dir = inHome(home, 'keys', name, 'nonce-points');
  home.disk.makeDir(dir);
  const file = inHome(home, 'keys', name, 'nonce-points', toHex(sha256(point)).slice(0, 32));
  if (home.disk.createOnce(file, request)) return;
  const there = home.disk.read(file, 64);
  if (!there || toHex(there) !== toHex(request))
    fail('E_R_REUSE', `two signatures of ${name} have the same nonce point`, {
      file,
      remedy: 'Stop using this key now. Two signatures with one nonce may reveal it; treat it as compromised and move what it protects.',
    });
}
