/** Writes incomplete key shares of Lockness CGGMP. Secret. */
import { fail } from '../wire/errors.ts';
import type { ForeignShare } from './foreign-share.ts';
import { locknessText } from './lockness.ts';
import { textAround } from './make-text.ts';
import { openShare } from './open-share.ts';

/**
 * The key share of one holder: compact JSON, byte for byte as the crates write it. Its auxiliary information is made
 * there, by all holders together, before it can sign.
 * @returns the file; secret, to be encrypted before it touches a disk, and overwritten by the caller
 * @throws E_SCHEME for keys that are not ECDSA, E_QUORUM for a whole key; as `openShare` when share and key do not belong
 *   together
 */
export function makeLocknessShare(own: ForeignShare): Uint8Array {
  const { key, identifier, share } = openShare(own.key, own.identifier, own.share);
  const index = key.shares.findIndex((s) => Buffer.compare(s.identifier, identifier) === 0);
  if (index < 0) fail('E_INTERNAL', 'a checked share has its holder');
  const { before, after } = locknessText(key, index);
  return textAround(before, share, after);
}
