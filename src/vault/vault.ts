/**
 * Secrets at rest. In this folder live: durable files and the lock of a home, the type of secret values, the sealed
 * file format, and the reading of passphrases. No protocol, no plan, and nothing that decides when a secret is used.
 *
 * One passphrase opens `identity/identity.sealed`, which holds a random master key and the secrets of the identity.
 * All other sealed files are encrypted under keys derived from the master key and their path in the home.
 */
import { dirname, join } from 'node:path';
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { loadSodium, type Sodium } from '../wire/sodium.ts';
import { isSealedUnder, MAX_SEALED, open, parseSealed, seal, subkey } from './container.ts';
import type { Disk } from './durable.ts';
import { deriveKey, KEY_BYTES, type KdfCost, SALT_BYTES } from './kdf.ts';
import { Secret } from './secret.ts';

export { type KdfCost, PRODUCTION, REHEARSAL } from './kdf.ts';

/** Where the vault begins, within the home. */
export const IDENTITY_FILE = 'identity/identity.sealed';

/** The unlocked sealed files of one home. Paths are relative to the home, `/` between lower-case names. */
export interface Vault {
  /**
   * Seals and durably writes a file, replacing an earlier one as one step. Missing folders are made.
   * @param bytes secret; the caller wipes them
   */
  put(relPath: string, bytes: Uint8Array): void;
  /**
   * The plaintext (secret; the caller wipes it), or undefined when there is no such file.
   * @throws E_STATE naming the file, if it is damaged or another file was put in its place; E_IO if it is open to others
   */
  get(relPath: string): Uint8Array | undefined;
  /** Destroys a file; no error if there is none. */
  erase(relPath: string): void;
  /** Wipes the master key; nothing can be read or written after it. */
  close(): void;
}

/**
 * Makes the vault of a new home, with a fresh master key.
 * @param passphrase secret; the caller wipes it
 * @param payload secrets of the identity; the caller wipes them
 * @throws E_EXISTS if the home has an identity: it is never overwritten; E_IO if the home is open to other users
 */
export async function createVault(
  disk: Disk,
  home: string,
  passphrase: Secret,
  cost: KdfCost,
  random: Random,
  payload: Uint8Array,
): Promise<Vault> {
  const sodium = await loadSodium();
  const file = join(home, IDENTITY_FILE);
  disk.makeDir(join(home, 'identity'));
  disk.checkPrivate(home);
  if (disk.exists(file)) refuseSecond(file);
  const kdf = { ...cost, salt: random(SALT_BYTES) };
  const key = deriveKey(sodium, passphrase, kdf.salt, kdf);
  const master = Secret.fromRandom(random, KEY_BYTES);
  const contents = new Secret(master.use((m) => concat(m, payload)));
  try {
    const sealed = contents.use((bytes) => seal(sodium, key, IDENTITY_FILE, bytes, random, kdf));
    if (!disk.createOnce(file, sealed)) refuseSecond(file);
  } finally {
    key.wipe();
    contents.wipe();
  }
  return unlocked(disk, home, sodium, random, master);
}

function refuseSecond(file: string): never {
  fail('E_EXISTS', 'this home has an identity already', { file, remedy: 'use another home; an identity is never replaced' });
}

/**
 * Opens the vault of a home. Blocks for the time the key derivation costs; to be done once a process.
 * @param passphrase secret; the caller wipes it
 * @returns the vault and the secrets of the identity, as {@link createVault} was given them; the caller wipes these
 * @throws E_PASSPHRASE for a wrong passphrase; E_STATE for a damaged file; E_NO_HOME; E_IO if it is open to other users
 */
export async function openVault(
  disk: Disk,
  home: string,
  passphrase: Secret,
  random: Random,
): Promise<{ readonly vault: Vault; readonly payload: Uint8Array }> {
  const sodium = await loadSodium();
  const file = join(home, IDENTITY_FILE);
  const bytes = readPrivate(disk, home, file);
  if (bytes === undefined) fail('E_NO_HOME', `there is no identity in ${home}`, { file, remedy: 'mpc-ceremony init' });
  const sealed = parseSealed(bytes, IDENTITY_FILE, file);
  if (sealed.kdf === undefined) fail('E_STATE', `the sealed file ${file} cannot be used: no passphrase opens it`, { file });
  const key = deriveKey(sodium, passphrase, sealed.kdf.salt, sealed.kdf);
  try {
    if (!isSealedUnder(sealed, key)) fail('E_PASSPHRASE', 'the passphrase is wrong', { file, remedy: 'type it again' });
    const contents = open(sodium, key, sealed);
    const master = new Secret(contents.slice(0, KEY_BYTES));
    const payload = contents.slice(KEY_BYTES);
    contents.fill(0);
    return { vault: unlocked(disk, home, sodium, random, master), payload };
  } finally {
    key.wipe();
  }
}

function readPrivate(disk: Disk, home: string, file: string): Uint8Array | undefined {
  if (!disk.exists(file)) return undefined;
  disk.checkPrivate(home);
  disk.checkPrivate(file);
  return disk.read(file, MAX_SEALED);
}

function unlocked(disk: Disk, home: string, sodium: Sodium, random: Random, master: Secret): Vault {
  /** Runs `work` with the file's own key: files cannot be exchanged, even by someone who rewrites headers. */
  const withKey = <T>(purpose: string, work: (key: Secret) => T): T => {
    const key = subkey(master, `file/${purpose}`);
    try {
      return work(key);
    } finally {
      key.wipe();
    }
  };
  return {
    put: (relPath, bytes) => {
      const file = place(home, relPath);
      const sealed = withKey(relPath, (key) => seal(sodium, key, relPath, bytes, random));
      disk.makeDir(dirname(file));
      disk.write(file, sealed);
    },
    get: (relPath) => {
      const file = place(home, relPath);
      const bytes = readPrivate(disk, home, file);
      if (bytes === undefined) return undefined;
      const sealed = parseSealed(bytes, relPath, file);
      return withKey(relPath, (key) => open(sodium, key, sealed));
    },
    erase: (relPath) => {
      disk.erase(place(home, relPath));
    },
    close: () => {
      master.wipe();
    },
  };
}

/** Absolute place of a sealed file. @throws E_INTERNAL for a path that could leave the home or replace the identity */
function place(home: string, relPath: string): string {
  const plain = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/;
  if (!plain.test(relPath) || relPath.length > 256 || relPath === IDENTITY_FILE)
    fail('E_INTERNAL', `not a place for a sealed file: ${relPath}`);
  return join(home, ...relPath.split('/'));
}
