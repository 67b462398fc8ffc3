/** A share of another implementation against its key. Secret. */
import { group as groupOf } from '../curves/group.ts';
import { SCHEMES } from '../curves/scheme.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { checkForeignKey, foreignConstant, type ForeignKey, type ForeignShare } from './foreign-share.ts';

/**
 * Checks the key, and that the share is the one of this holder: share·G = its public share.
 * @param share encoded scalar; secret
 * @returns the share with the same bytes, not copied
 * @throws as `checkForeignKey`; E_SCALAR for a malformed share or 0; E_FOREIGN when the holder is not of this key or the
 *   share is not its own
 */
export function openShare(key: ForeignKey, identifier: Uint8Array, share: Uint8Array): ForeignShare {
  checkForeignKey(key);
  const group = groupOf(SCHEMES[key.scheme].group);
  const secret = group.decodeScalar(share);
  if (secret === 0n) fail('E_SCALAR', 'the share is 0');
  const own = key.shares.find((s) => equalBytes(s.identifier, identifier));
  if (own === undefined) return fail('E_FOREIGN', `${toHex(identifier)} is no holder of this key`, { field: 'identifier' });
  if (!equalBytes(group.encodePoint(group.multiply(group.base, secret)), own.point))
    fail('E_FOREIGN', `the share is not the one of ${toHex(identifier)}: its public share is another`, { field: 'share' });
  return { key, identifier, share };
}

/**
 * The constant that this holder deals when exactly these holders hand the key over: λ·share. Secret; 1..q−1.
 * @param holders identifiers, as many as the threshold
 * @throws E_QUORUM as `foreignConstant`, whose point pins it
 */
export function openConstant(share: ForeignShare, holders: readonly Uint8Array[]): bigint {
  const group = groupOf(SCHEMES[share.key.scheme].group);
  const { weight } = foreignConstant(share.key, holders, share.identifier);
  return (weight * group.decodeScalar(share.share)) % group.order;
}
