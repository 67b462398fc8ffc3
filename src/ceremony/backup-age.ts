/**
 * age files (C2SP age v1) by the `age-encryption` library: what the age program opens, and opening what it wrote.
 * The library draws its own randomness from the system.
 */
import type { Recipient } from '../backup/recipient.ts';
import { checkRecipients } from '../backup/recipient.ts';
import { parsePackage } from '../backup/open-backup.ts';
import type { PiecePackage, SharePackage } from '../backup/share-package.ts';
import { Secret } from '../vault/secret.ts';
import { CeremonyError, fail } from '../wire/errors.ts';

/** Largest age file that is read. */
export const MAX_AGE_BYTES = 1 << 20;
/** Work of a new passphrase: 2^18, about a second. */
const SCRYPT_LOG_N = 18;
const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';
const BINARY = 'age-encryption.org/v1\n';

/** Whether bytes begin like an age file, binary or armored. */
export function isAgeFile(bytes: Uint8Array): boolean {
  const begin = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return begin.startsWith(BINARY) || begin.trimStart().startsWith(ARMOR);
}

const text = (passphrase: Secret): string =>
  passphrase.use((bytes) => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return fail('E_USAGE', 'the passphrase of a backup must be UTF-8 text', { field: 'passphrase-backup-file' });
    }
  });

/**
 * Encrypts a package.
 * @param contents secret; the caller wipes it
 * @param to recipients of one kind, or one passphrase (secret; the caller wipes it, the string that age needs cannot be)
 * @throws E_RECIPIENT on none, mixed kinds or a damaged one
 */
export async function writeAge(contents: Uint8Array, to: readonly Recipient[] | Secret, logN = SCRYPT_LOG_N): Promise<Uint8Array> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  if (to instanceof Secret) {
    encrypter.setPassphrase(text(to));
    encrypter.setScryptWorkFactor(logN);
  } else {
    checkRecipients(to, false);
    for (const { text: recipient } of to) {
      try {
        encrypter.addRecipient(recipient);
      } catch {
        fail('E_RECIPIENT', `${recipient.slice(0, 24)} cannot be encrypted to`, { field: 'to' });
      }
    }
  }
  return encrypter.encrypt(contents);
}

/** Keys to try on an age file: age identities (`AGE-SECRET-KEY-…`), or a passphrase. Secret. */
export interface AgeKeys {
  readonly identities?: readonly string[];
  readonly passphrase?: Secret | undefined;
}

/**
 * Decrypts an age file, binary or armored.
 * @returns the contents (secret; the caller wipes them)
 * @throws E_BACKUP_KEY when no key fits; E_BACKUP_BAD when it is no age file, or damaged
 */
export async function readAge(bytes: Uint8Array, keys: AgeKeys, file: string): Promise<Uint8Array> {
  if (bytes.length > MAX_AGE_BYTES) throw new CeremonyError('E_TOO_LARGE', 'larger than any age file of a backup', { file });
  if (!isAgeFile(bytes)) fail('E_BACKUP_BAD', 'this is not an age file', { file });
  const { armor, Decrypter } = await import('age-encryption');
  let binary = bytes;
  if (!Buffer.from(bytes.subarray(0, BINARY.length)).toString('latin1').startsWith(BINARY)) {
    try {
      binary = armor.decode(Buffer.from(bytes).toString('latin1'));
    } catch {
      fail('E_BACKUP_BAD', 'the armor of the age file is damaged', { file });
    }
  }
  const decrypter = new Decrypter();
  for (const identity of keys.identities ?? []) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      fail('E_RECIPIENT', 'an age identity has a typing error, or is of a kind that only the age program can use', { field: 'identity' });
    }
  }
  if (keys.passphrase) decrypter.addPassphrase(text(keys.passphrase));
  try {
    return await decrypter.decrypt(binary);
  } catch (cause) {
    // the library tells its cases apart by text alone; nothing of it is secret
    const said = cause instanceof Error ? cause.message : '';
    if (/no identity matched|incorrect passphrase|passphrase/i.test(said)) throw new CeremonyError('E_BACKUP_KEY', 'the key or passphrase given does not open this age file', { file, cause });
    throw new CeremonyError('E_BACKUP_BAD', 'the age file is damaged', { file, cause });
  }
}

/**
 * Opens an age file of a backup and reads the package in it; its secret fits its public point.
 * @returns secret
 * @throws as {@link readAge} and `parsePackage`
 */
export async function readAgeShare(bytes: Uint8Array, keys: AgeKeys, file: string): Promise<SharePackage | PiecePackage> {
  const contents = await readAge(bytes, keys, file);
  try {
    return parsePackage(contents, file);
  } finally {
    contents.fill(0);
  }
}

/** The identities of an age identity file: one a line, comments begin with #. Secret. @throws E_RECIPIENT when there is none */
export function parseIdentityFile(bytes: Uint8Array, file: string): string[] {
  const lines = Buffer.from(bytes)
    .toString('latin1')
    .split(/\r?\n/)
    .map((l) => l.trim())
    .filter((l) => l !== '' && !l.startsWith('#'));
  if (lines.length === 0 || lines.some((l) => !/^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/.test(l)))
    fail('E_RECIPIENT', 'this is not a file of age identities', { file, field: 'identity', remedy: 'Give the file that age-keygen wrote.' });
  return lines;
}
