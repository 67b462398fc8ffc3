/** From the group's key to the key that verifiers see: unchanged, or the Taproot output key of BIP-341. Public. */
import { group as groupOf, type Point } from '../curves/group.ts';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { concat, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';

/** The verifiers' key, and what has to happen to every share to sign under it: first negate, then add the tweak. */
export interface OutputKey {
  readonly point: Point;
  /** As verifiers of the scheme take it: x-only (32 bytes) for Taproot, else the encoded point. */
  readonly bytes: Uint8Array;
  readonly negate: boolean;
  /** Modulo the group order; 0 where the scheme has none. */
  readonly tweak: bigint;
}

const TAG = sha256(utf8('TapTweak'));

/**
 * The key that signatures verify under.
 * Taproot: the internal key is the point with this x and even y; the tweak commits to it and to no script tree, so
 * that nobody can hide a script path in the key (BIP-341, "Constructing and spending Taproot outputs").
 * @param publicKey encoded key of the group, after any BIP-32 derivation: the internal key, untweaked
 * @throws E_POINT when it is not a point of the group, E_DEGENERATE in the one case in 2^127 where no output key exists
 */
export function outputKey(name: SchemeName, publicKey: Uint8Array): OutputKey {
  const scheme = SCHEMES[name];
  const group = groupOf(scheme.group);
  const internal = group.decodePoint(publicKey);
  if (!scheme.taproot) return { point: internal, bytes: group.encodePoint(internal), negate: false, tweak: 0n };
  const encoded = group.encodePoint(internal);
  const negate = encoded[0] === 3;
  const tweak = BigInt(`0x${Buffer.from(sha256(concat(TAG, TAG, encoded.subarray(1)))).toString('hex')}`);
  if (tweak >= group.order) fail('E_DEGENERATE', 'the key has no Taproot output key');
  const point = (negate ? internal.negate() : internal).add(group.multiplyPublic(group.base, tweak));
  if (point.is0()) fail('E_DEGENERATE', 'the key has no Taproot output key');
  return { point, bytes: group.encodePoint(point).slice(1), negate, tweak };
}
