/**
 * Primes of an ECDSA key, secret: made ahead of the day (`init --prepare`) and sealed in the home, or when they are
 * needed. A set serves one key in one epoch.
 */
import { type AuxSecret, decodeAuxSecret, encodeAuxSecret, makePrimes } from '../ecdsa/make-aux.ts';
import type { Vault } from '../vault/vault.ts';
import { equalBytes, toHex, utf8 } from '../wire/bytes.ts';
import { type Home, inHome } from './home.ts';
import type { Identity } from './identity.ts';
import type { Port } from './port.ts';

const DIR = 'identity/primes';

/** Paths of the prepared sets, relative to the home. */
export function preparedPrimes(home: Home): string[] {
  return home.disk
    .list(inHome(home, DIR))
    .filter((f) => f.endsWith('.sealed'))
    .sort()
    .map((f) => `${DIR}/${f}`);
}

/** Seals a set. */
export function keepPrimes(vault: Vault, path: string, primes: AuxSecret): void {
  const bytes = encodeAuxSecret(primes);
  vault.put(path, bytes);
  bytes.fill(0);
}

/** A sealed set; secret. @throws E_STATE when it is damaged */
export function storedPrimes(vault: Vault, path: string): AuxSecret | undefined {
  const bytes = vault.get(path);
  if (!bytes) return undefined;
  const primes = decodeAuxSecret(bytes);
  bytes.fill(0);
  return primes;
}

async function fresh(port: Port): Promise<AuxSecret> {
  port.say('making the primes of this participant: seconds, now and then half a minute …');
  return port.primes ? port.primes() : makePrimes((made, of) => { port.say(`prime ${String(made)} of ${String(of)}`); });
}

/** Makes a set ahead of the day. */
export async function preparePrimes(home: Home, { vault }: Identity, port: Port): Promise<void> {
  const primes = await fresh(port);
  home.disk.makeDir(inHome(home, DIR));
  keepPrimes(vault, `${DIR}/${toHex(port.random(8))}.sealed`, primes);
}

/**
 * The set of a ceremony: the one it has already, or a prepared one, or a new one. A prepared one is marked as this
 * ceremony's before anything else, so that no crash gives it to two; its copy among the prepared ones is destroyed, also
 * where a crash came before that.
 */
export async function primesFor(home: Home, { vault }: Identity, path: string, port: Port): Promise<AuxSecret> {
  const there = storedPrimes(vault, path);
  const prepared = preparedPrimes(home).find((set) => (there ? isTaken(home, set, path) : takeSet(home, set, path)));
  const primes = there ?? (prepared === undefined ? undefined : storedPrimes(vault, prepared)) ?? (await fresh(port));
  if (!there) keepPrimes(vault, path, primes);
  if (prepared !== undefined) home.disk.erase(inHome(home, prepared));
  return primes;
}

const markOf = (home: Home, set: string): string => inHome(home, set.replace(/sealed$/, 'taken'));

/** Marks a prepared set as that of one ceremony, before it is used. @returns false when it is another's already */
function takeSet(home: Home, set: string, path: string): boolean {
  return home.disk.createOnce(markOf(home, set), utf8(path)) || isTaken(home, set, path);
}

/** Whether a prepared set is marked as that of this ceremony. */
function isTaken(home: Home, set: string, path: string): boolean {
  const mark = home.disk.read(markOf(home, set), 4096);
  return mark !== undefined && equalBytes(mark, utf8(path));
}
