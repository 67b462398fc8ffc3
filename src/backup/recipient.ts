/**
 * Recipients of a backup, as age writes them: `age1…` is an X25519 public key in bech32, `age1pq1…` a hybrid
 * post-quantum one, `AGE-SECRET-KEY-1…` the secret X25519 key (C2SP age, section Recipients). Which may stand together.
 */
import { bech32 } from '@scure/base';
import { CeremonyError, fail } from '../wire/errors.ts';
import { X25519_BYTES, x25519Fault } from './x25519.ts';

/** What age allows in one file: X25519 recipients, hybrid post-quantum ones, or one passphrase. */
export type RecipientKind = 'x25519' | 'pq';

/** A recipient: its text for age and, where it is an X25519 key, the 32 bytes. Public. */
export interface Recipient {
  readonly kind: RecipientKind;
  /** As age takes it. */
  readonly text: string;
  /** 32 bytes; X25519 only: what publicly verifiable encryption needs. */
  readonly key?: Uint8Array;
  /** Name of the card it came from. */
  readonly name?: string;
}

/** `age1…` of 32 bytes, to be shown: whether they are a usable key is not checked. */
export function recipientText(key: Uint8Array): string {
  return bech32.encodeFromBytes('age', key);
}

/** `age1…` of an X25519 public key of 32 bytes. @throws E_RECIPIENT when the key is unusable */
export function ageRecipient(key: Uint8Array): string {
  checkRecipientKey(key);
  return recipientText(key);
}

/** @throws E_RECIPIENT for a key of another length, not canonical, or of small order */
export function checkRecipientKey(key: Uint8Array): void {
  const fault = x25519Fault(key);
  if (fault !== undefined) fail('E_RECIPIENT', fault, { field: 'recipient', remedy: 'Ask its owner for the key again.' });
}

/**
 * Reads a recipient as age writes it.
 * @throws E_RECIPIENT when it is damaged, of a kind that this program does not write for, or an unusable key
 */
export function parseRecipient(text: string): Recipient {
  const trimmed = text.trim();
  if (/^age1pq1[02-9ac-hj-np-z]{1900,2000}$/.test(trimmed)) return { kind: 'pq', text: trimmed };
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(trimmed))
    fail('E_RECIPIENT', `${trimmed.slice(0, 24)} is no recipient that a backup can be written for`, {
      field: 'to',
      remedy: 'Give a card (FILE.card), age1… or age1pq1…; plugin keys need the age program itself.',
    });
  try {
    const { prefix, bytes } = bech32.decodeToBytes(trimmed);
    if (prefix !== 'age') fail('E_RECIPIENT', 'not an age recipient');
    checkRecipientKey(bytes);
    return { kind: 'x25519', text: trimmed, key: bytes };
  } catch (cause) {
    if (cause instanceof CeremonyError) throw cause;
    throw new CeremonyError('E_RECIPIENT', `${trimmed.slice(0, 24)}… has a typing error: its checksum is wrong`, { field: 'to', remedy: 'Copy the recipient again.', cause });
  }
}

/** `AGE-SECRET-KEY-1…` of a secret X25519 key. Secret. */
export function ageIdentity(secret: Uint8Array): string {
  return bech32.encodeFromBytes('age-secret-key-', secret).toUpperCase();
}

/**
 * The secret X25519 key (32 bytes; the caller wipes it) of `AGE-SECRET-KEY-1…`; undefined for another kind of identity.
 * @throws E_RECIPIENT when it is damaged; its text is never quoted
 */
export function parseIdentity(text: string): Uint8Array | undefined {
  if (!text.startsWith('AGE-SECRET-KEY-1')) return undefined;
  try {
    const { prefix, bytes } = bech32.decodeToBytes(text as `${string}1${string}`);
    if (prefix.toLowerCase() === 'age-secret-key-' && bytes.length === X25519_BYTES) return bytes;
  } catch {
    // its text must not get into an error
  }
  return fail('E_RECIPIENT', 'the age identity has a typing error', { field: 'identity' });
}

/** What age refuses, and what would void the stronger kind. @throws E_RECIPIENT on none, a repetition, or mixed kinds */
export function checkRecipients(recipients: readonly Recipient[], passphrase: boolean): void {
  const remedy = 'Write two backups, one for each.';
  if (recipients.length === 0 && !passphrase)
    fail('E_RECIPIENT', 'nobody could open this backup', { field: 'to', remedy: 'Give --to CARD or age1…, or --passphrase-backup-file.' });
  if (passphrase && recipients.length > 0) fail('E_RECIPIENT', 'a passphrase must be the only way into an age file', { field: 'to', remedy });
  if (new Set(recipients.map((r) => r.kind)).size > 1)
    fail('E_RECIPIENT', 'post-quantum and X25519 recipients do not mix: the weaker one would open the file', { field: 'to', remedy });
  const seen = new Set<string>();
  for (const { text } of recipients) {
    if (seen.has(text)) fail('E_RECIPIENT', 'one recipient is given twice', { field: 'to', remedy: 'Give every recipient once.' });
    seen.add(text);
  }
}
