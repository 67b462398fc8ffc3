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
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { type Home, inHome } from './home.ts';
import { readRecord } from './record.ts';

const MAX_RANK_JUMP = 1000;
/** Stocked nonces that a plan may skip: those of plans that never came here. */
const MAX_STOCK_JUMP = 64;
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

/** Activates an epoch: the certificate is the one write that makes it usable (rule C2). */
export function activate(home: Home, certificate: Certificate): void {
  const { name } = certificate.epoch.key;
  home.disk.makeDir(inHome(home, epochDir(name, certificate.epoch.number)));
  home.disk.write(inHome(home, epochDir(name, certificate.epoch.number), 'certificate.json'), certificate.bytes);
}

/**
 * Destroys what a higher epoch of the same key supersedes (rule C6): shares and stocks of every lower one, with a
 * tombstone each.
 * @returns the epochs that were destroyed
 */
export function retireLower(home: Home, { key, number }: EpochRecord): number[] {
  const { name } = key;
  // another attempt to generate a key makes another key, which may hold value where its certificate came through
  const same = (e: number): boolean => epochCertificate(home, name, e)?.epoch.key.id === key.id;
  const lower = epochs(home, name).filter((e) => e < number && home.disk.exists(inHome(home, sharePath(name, e))) && same(e));
  for (const e of lower) {
    home.disk.write(inHome(home, epochDir(name, e), 'retired.json'), canonicalBytes({ supersededBy: number }));
    dropPending(home, name, e);
  }
  return lower;
}

/** Removes the pending share of an epoch that will never be certified by this participant. */
export function dropPending(home: Home, name: string, epoch: number): void {
  home.disk.erase(inHome(home, sharePath(name, epoch)));
  home.disk.erase(inHome(home, epochPrimesPath(name, epoch)));
  eraseStock(home, name, epoch);
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
 * @throws E_RANK
 */
export function checkRank(home: Home, name: string, rank: number, ceremony: string): void {
  const before = takenRank(home, name);
  if (before?.ceremony === ceremony && before.rank === rank) return;
  const highest = highestRank(home, name);
  const remedy = 'Ask the lead for a further attempt: mpc-ceremony dkg --again FOLDER gives it the next rank.';
  if (rank <= highest) fail('E_RANK', `this home already took part in rank ${String(highest)} of ${name}; rank ${String(rank)} is not above it`, { field: 'rank', remedy });
  if (rank > highest + MAX_RANK_JUMP) fail('E_RANK', `rank ${String(rank)} jumps more than ${String(MAX_RANK_JUMP)} above ${String(highest)}`, { field: 'rank', remedy });
}

/** Takes part in a rank, durably, before any message. @throws E_RANK */
export function takeRank(home: Home, name: string, rank: number, ceremony: string): void {
  checkRank(home, name, rank, ceremony);
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
