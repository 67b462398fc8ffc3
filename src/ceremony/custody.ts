/**
 * Custody keys: X25519 keys to which others make backups of their shares, as custodians or single recipients. A home has
 * one from `init`, and a fresh one with every `card renew`: a custodian with one key for all epochs would hold all
 * epochs. Older ones stay, sealed, for the backups that were made to them. Each is an age recipient at the same time.
 */
import { x25519Public } from '../backup/x25519.ts';
import type { Card } from '../plan/card.ts';
import type { Vault } from '../vault/vault.ts';
import { toHex } from '../wire/bytes.ts';
import type { Random } from '../wire/random.ts';
import { type Home, inHome } from './home.ts';

const custodyPath = (n: number): string => `identity/custody/${String(n)}.sealed`;

/** Makes and seals a custody key. @returns what stands on the card; public */
export function makeCustodyKey(vault: Vault, n: number, random: Random): NonNullable<Card['custody']> {
  const secret = random(32);
  const key = toHex(x25519Public(secret));
  vault.put(custodyPath(n), secret);
  secret.fill(0);
  return { n, key };
}

/** Counters of the custody keys of a home, ascending. */
export function custodyCounters(home: Home): number[] {
  const files = home.disk.list(inHome(home, 'identity', 'custody'));
  return files
    .map((f) => /^([1-9]\d*)\.sealed$/.exec(f)?.[1])
    .filter((n) => n !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * The counter of the next custody key: above all that this home has, and above the card's.
 * @param restored time of the renewal of a home that was restored: its newer self may have published counters that this
 *   copy does not know
 */
export function nextCustody(home: Home, onCard: number | undefined, restored: Date | undefined): number {
  const above = Math.max(0, onCard ?? 0, ...custodyCounters(home)) + 1;
  return restored === undefined ? above : Math.max(above, Math.floor(restored.getTime() / 1000));
}

/** All custody keys of a home, the newest first: secret, 32 bytes each; the caller wipes them. */
export function custodySecrets(home: Home, vault: Vault): { readonly n: number; readonly secret: Uint8Array }[] {
  return custodyCounters(home)
    .reverse()
    .flatMap((n) => {
      const secret = vault.get(custodyPath(n));
      return secret ? [{ n, secret }] : [];
    });
}
