/** SECRET: one participant's part of an ECDSA signature (CGGMP24 signing, protocol notes A.12). */
import type { Group } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import { digestScalar } from './signature.ts';

/**
 * σ_j = k~_j·m + r·χ~_j mod q. The share is public; what it is made from must be erased now: two shares under one
 * presignature over different digests give away k~_j and χ~_j (attack row 39). The caller has recorded durably that the
 * presignature is spent on this request, and checks the share against the public parts before it leaves.
 * Time depends on the sizes of the scalars: bigints.
 * @param kTilde k~_j = k_j/δ, in 1..q-1, secret
 * @param chiTilde χ~_j = χ_j/δ, in 0..q-1, secret
 * @param digest m, 32 bytes
 * @param r x-coordinate of Γ modulo q, as nonceScalar gives it
 * @throws E_FORMAT on another length of the digest, E_INTERNAL when a number is out of range
 */
export function signatureShare(group: Group, kTilde: bigint, chiTilde: bigint, digest: Uint8Array, r: bigint): bigint {
  const q = group.order;
  const m = digestScalar(group, digest);
  if (kTilde <= 0n || kTilde >= q || chiTilde < 0n || chiTilde >= q) fail('E_INTERNAL', 'part of a presignature out of range');
  if (r <= 0n || r >= q) fail('E_INTERNAL', 'r out of range');
  return (kTilde * m + r * chiTilde) % q;
}
