/** The secret side of a home: identity key, relay key, one-time encryption keys. Everything here is sealed at rest. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { type Card, encodeCard, makeCard, MAX_PREKEYS, type PublicPrekey } from '../plan/card.ts';
import type { KeyingPlan } from '../plan/plan.ts';
import { relayKey, type RelayKey } from '../relay/relay-key.ts';
import { makePrekey } from '../sharing/make-prekey.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import type { Disk } from '../vault/durable.ts';
import { createVault, type KdfCost, openVault, type Vault } from '../vault/vault.ts';
import type { Secret } from '../vault/secret.ts';
import { concat, fromHex, toHex, u32 } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import { signerFromSeed, type Signer } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { type Home, type HomeFacts, inHome, lockReason, ownCard, unlockHome, writeHomeFacts } from './home.ts';
import { makeCustodyKey, nextCustody } from './custody.ts';
import { eraseAllStocks } from './key-store.ts';
import { CeremonyStore } from './store.ts';

/** One-time keys that a new card starts with, and that a renewal adds. */
export const PREKEYS_PER_CARD = 4;

const PKCS8_X25519 = fromHex('302e020100300506032b656e04220420');

/** An unlocked identity. */
export interface Identity {
  readonly signer: Signer;
  readonly vault: Vault;
  /** The relay key of the card: names places of a relay, opens and seals what lies there. */
  readonly relay: RelayKey;
}

function x25519Public(secret: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.from(concat(PKCS8_X25519, secret)), format: 'der', type: 'pkcs8' });
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })).slice(-32);
}

const prekeyPath = (n: number): string => `identity/prekeys/${String(n)}.sealed`;
const reservationPath = (home: Home, n: number): string => inHome(home, 'identity', 'prekeys', `${String(n)}.used`);

/** Makes sealed one-time keys from counter `first` on, and returns their public parts. */
function makePrekeys(vault: Vault, name: string, homeId: string, first: number, random: Random): PublicPrekey[] {
  return Array.from({ length: PREKEYS_PER_CARD }, (_, i) => {
    const n = first + i;
    const made = makePrekey({ owner: name, homeId, n }, random);
    vault.put(prekeyPath(n), made.secret);
    made.secret.fill(0);
    return { n, P: toHex(made.P), pop: toHex(made.pop) };
  });
}

/**
 * Makes a home: identity, relay key, one-time keys and card, all sealed under the passphrase. VERSION is written last,
 * so that a home that was interrupted while being made is no home, and `init` can be repeated.
 */
export async function createHome(
  disk: Disk,
  root: string,
  facts: Omit<HomeFacts, 'homeId' | 'layout'>,
  passphrase: Secret,
  cost: KdfCost,
  random: Random,
): Promise<Card> {
  for (const dir of ['', 'identity', 'identity/prekeys', 'peers', 'keys', 'ceremonies', 'sessions', 'intents']) disk.makeDir(join(root, dir));
  // what an interrupted init left behind is not a home: start over
  disk.erase(join(root, 'identity', 'identity.sealed'));
  const seed = random(32);
  const relay = random(32);
  const payload = concat(seed, relay);
  await sealingReady();
  const vault = await createVault(disk, root, passphrase, cost, random, payload);
  const signer = signerFromSeed(seed);
  const homeId = toHex(random(16));
  const prekeys = makePrekeys(vault, facts.name, homeId, 1, random);
  const custody = makeCustodyKey(vault, 1, random);
  const card = makeCard({ mode: facts.mode, name: facts.name, homeId, x25519: toHex(x25519Public(relay)), prekeys, custody }, signer);
  for (const secret of [seed, relay, payload]) secret.fill(0);
  vault.close();
  disk.write(join(root, 'identity', `${facts.name}.card`), encodeCard(card), { mode: 0o644 });
  writeHomeFacts(disk, root, { layout: 1, homeId, ...facts });
  return card;
}

/** Unlocks the identity of a home. @throws E_PASSPHRASE, E_STATE */
export async function openIdentity(home: Home, passphrase: Secret, random: Random): Promise<Identity> {
  await sealingReady();
  const { vault, payload } = await openVault(home.disk, home.root, passphrase, random);
  const seed = payload.slice(0, 32);
  const signer = signerFromSeed(seed);
  const secret = payload.slice(32, 64);
  const relay = relayKey(secret);
  for (const bytes of [seed, secret, payload]) bytes.fill(0);
  if (toHex(signer.publicKey) !== ownCard(home).ed25519)
    fail('E_STATE', 'the sealed identity of this home does not belong to its card', { file: inHome(home, 'identity') });
  return { signer, vault, relay };
}

/**
 * Adds one-time keys and a fresh custody key, and signs a new card; used and spent one-time keys are left out. On a locked home (rule P6) all older keys
 * are destroyed, every open ceremony is closed for good, and the lock is lifted last.
 */
export function renewCard(home: Home, identity: Identity, random: Random, now: Date): Card {
  const old = ownCard(home);
  const reason = lockReason(home);
  if (reason !== undefined) {
    eraseAllStocks(home);
    CeremonyStore.destroyUses(home, () => true);
    for (const store of CeremonyStore.all(home)) if (!store.done) store.end({ code: 'E_ROLLBACK', text: reason });
    for (const n of prekeyCounters(home)) destroyPrekey(home, n);
  }
  // a restored home must not reuse a counter that its newer self may have published
  const above = Math.max(0, ...old.prekeys.map((p) => p.n), highestPrekey(home)) + 1;
  const first = reason === undefined ? above : Math.max(above, Math.floor(now.getTime() / 1000));
  const fresh = makePrekeys(identity.vault, home.facts.name, home.facts.homeId, first, random);
  const kept = old.prekeys.filter((p) => prekeyState(home, p.n) === 'free');
  const prekeys = [...kept, ...fresh].slice(-MAX_PREKEYS);
  // a home that was restored must not repeat a counter that its newer self has published
  const custody = makeCustodyKey(identity.vault, nextCustody(home, old.custody?.n, reason === undefined ? undefined : now), random);
  const card = makeCard({ mode: old.mode, name: old.name, homeId: old.homeId, x25519: old.x25519, prekeys, custody }, identity.signer);
  home.disk.write(inHome(home, 'identity', `${old.name}.card`), encodeCard(card), { mode: 0o644 });
  if (reason !== undefined) unlockHome(home, now);
  return card;
}

/** A counter above all that this home ever gave to a one-time key. */
export function nextPrekeyCounter(home: Home): number {
  return Math.max(highestPrekey(home), ...ownCard(home).prekeys.map((p) => p.n)) + 1;
}

/** One further one-time key, for the confirmation to publish. @param n its counter */
export function freshPrekey(home: Home, vault: Vault, random: Random, n: number): PublicPrekey {
  const made = makePrekey({ owner: home.facts.name, homeId: home.facts.homeId, n }, random);
  vault.put(prekeyPath(n), made.secret);
  made.secret.fill(0);
  return { n, P: toHex(made.P), pop: toHex(made.pop) };
}

/** Counters of all one-time keys that this home has or remembers. */
function prekeyCounters(home: Home): number[] {
  const names = home.disk.list(inHome(home, 'identity', 'prekeys'));
  return names.map((f) => Number.parseInt(f, 10)).filter((n) => Number.isSafeInteger(n));
}

function highestPrekey(home: Home): number {
  return Math.max(0, ...prekeyCounters(home));
}

/** Whether a one-time key of this home can be promised: free, promised to a ceremony, or gone. */
export function prekeyState(home: Home, n: number): 'free' | 'reserved' | 'gone' {
  if (home.disk.exists(reservationPath(home, n))) return 'reserved';
  return home.disk.exists(inHome(home, prekeyPath(n))) ? 'free' : 'gone';
}

/**
 * Whether a one-time key of this home can be promised to a ceremony; writes nothing.
 * @throws E_PREKEY_BUSY when it is unknown, another one, destroyed, or promised to another ceremony
 */
export function checkOwnPrekey(home: Home, prekey: PublicPrekey, ceremony: string, rank: number): void {
  const remedy = 'Make fresh keys with mpc-ceremony card renew, give the new card to the lead, and ask for a new plan.';
  const busy = (text: string): CeremonyError => new CeremonyError('E_PREKEY_BUSY', text, { participant: home.facts.name, field: 'prekey', remedy });
  if (!home.disk.exists(inHome(home, prekeyPath(prekey.n)))) throw busy(`one-time key ${String(prekey.n)} is not in this home, or was destroyed`);
  const there = home.disk.read(reservationPath(home, prekey.n), 4096);
  if (there && toHex(there) !== toHex(canonicalBytes({ ceremony, rank }))) throw busy(`one-time key ${String(prekey.n)} is promised to another ceremony`);
  // whoever made the plan could read what is sealed to a key of its own under this counter; the promise holds the plan's digest
  if (!there && !ownCard(home).prekeys.some((p) => p.n === prekey.n && p.P === prekey.P)) throw busy(`one-time key ${String(prekey.n)} of the plan is not on the card of this home`);
}

/** Promises a one-time key to one ceremony, durably (rule P2: one prekey, one session). @throws E_PREKEY_BUSY */
export function reservePrekey(home: Home, prekey: PublicPrekey, ceremony: string, rank: number): void {
  home.disk.createOnce(reservationPath(home, prekey.n), canonicalBytes({ ceremony, rank }));
  checkOwnPrekey(home, prekey, ceremony, rank);
}

/** The secret of a one-time key (32 bytes), or undefined when it was destroyed. */
export function prekeySecret(vault: Vault, n: number): Uint8Array | undefined {
  return vault.get(prekeyPath(n));
}

/** Destroys a one-time key (rule P4); the reservation stays, so that it is never promised again. */
export function destroyPrekey(home: Home, n: number): void {
  home.disk.createOnce(reservationPath(home, n), u32(0));
  home.disk.erase(inHome(home, prekeyPath(n)));
}

/** Puts the one-time key that a confirmation published on the card, so that the lead finds it there too. */
export function addPrekeyToCard(home: Home, identity: Identity, prekey: PublicPrekey): void {
  const old = ownCard(home);
  const prekeys = [...old.prekeys.filter((p) => p.n !== prekey.n && prekeyState(home, p.n) === 'free'), prekey];
  const custody = old.custody === undefined ? {} : { custody: old.custody };
  const card = makeCard({ mode: old.mode, name: old.name, homeId: old.homeId, x25519: old.x25519, prekeys, ...custody }, identity.signer);
  home.disk.write(inHome(home, 'identity', `${old.name}.card`), encodeCard(card), { mode: 0o644 });
}

const usePath = (home: Home, owner: string, prekey: PublicPrekey): string => inHome(home, 'peers', 'prekeys', `${owner}-${String(prekey.n)}-${prekey.P.slice(0, 16)}`);

/**
 * Whether no one-time key of a plan was used in another ceremony that this home took part in (rule P5); writes nothing.
 * @throws E_PREKEY_BUSY naming the owner
 */
export function checkPrekeys(home: Home, plan: KeyingPlan, ceremony: string): void {
  for (const p of plan.participants) {
    const there = home.disk.read(usePath(home, p.name, p.prekey), 4096);
    if (there && toHex(there) !== toHex(canonicalBytes({ ceremony })))
      fail('E_PREKEY_BUSY', `one-time key ${String(p.prekey.n)} of ${p.name} was used in another ceremony`, {
        participant: p.name,
        remedy: `Ask ${p.name} for a fresh card (mpc-ceremony card renew), and the lead for a new plan.`,
      });
  }
}

/** Remembers which ceremony uses which one-time key of which participant. @throws E_PREKEY_BUSY */
export function acceptPrekeys(home: Home, plan: KeyingPlan, ceremony: string): void {
  home.disk.makeDir(inHome(home, 'peers', 'prekeys'));
  for (const p of plan.participants) home.disk.createOnce(usePath(home, p.name, p.prekey), canonicalBytes({ ceremony }));
  checkPrekeys(home, plan, ceremony);
}

/** Whether this home has seen a one-time key used. */
export function prekeyUsed(home: Home, owner: string, prekey: PublicPrekey): boolean {
  return home.disk.exists(usePath(home, owner, prekey));
}
