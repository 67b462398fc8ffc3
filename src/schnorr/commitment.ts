/** Nonce commitments of RFC 9591 section 5.1 on the wire: the hiding point, then the binding point. Public. */
import type { SchemeName } from '../curves/scheme.ts';
import { fail } from '../wire/errors.ts';
import { suite } from './suite.ts';

/** The two encoded points of a nonce commitment. */
export interface NonceCommitment {
  readonly hiding: Uint8Array<ArrayBuffer>;
  readonly binding: Uint8Array<ArrayBuffer>;
}

/** Bytes of an encoded nonce commitment: 64 to 114. */
export function commitmentBytes(scheme: SchemeName): number {
  return 2 * suite(scheme).group.pointBytes;
}

/**
 * Reads a nonce commitment: both points canonical, of prime order and not the identity (RFC 9591 section 3.1).
 * @throws E_FORMAT on another length, E_POINT on a bad point
 */
export function decodeCommitment(scheme: SchemeName, bytes: Uint8Array): NonceCommitment {
  const { group } = suite(scheme);
  if (bytes.length !== 2 * group.pointBytes)
    fail('E_FORMAT', `a nonce commitment has ${String(2 * group.pointBytes)} bytes`);
  const hiding = bytes.slice(0, group.pointBytes);
  const binding = bytes.slice(group.pointBytes);
  group.decodePoint(hiding);
  group.decodePoint(binding);
  return { hiding, binding };
}
