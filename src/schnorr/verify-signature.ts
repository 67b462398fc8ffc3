/** Verification of a finished signature, as any verifier of the scheme does it. Public. */
import { schnorr } from '@noble/curves/secp256k1.js';
import type { SchemeName } from '../curves/scheme.ts';
import { suite } from './suite.ts';

/**
 * Whether the signature verifies. Never throws on bad bytes.
 * frost-ed25519 and frost-ed448: RFC 8032 without a context, strict: key and R canonical and of prime order, so that
 * the equation with and the one without the cofactor agree. frost-secp256k1-tr: BIP-340. Others: RFC 9591, R ‖ z.
 * @param publicKey as {@link outputKey} gives it
 * @throws E_SCHEME only
 */
export function verifySignature(
  name: SchemeName,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { scheme, frost } = suite(name);
  // noble would also read uncompressed keys
  if (publicKey.length !== scheme.publicKeyBytes) return false;
  try {
    if (scheme.taproot) return schnorr.verify(signature, message, publicKey);
    return frost.verify(signature, message, publicKey);
  } catch {
    // noble throws where bytes are not a point or a scalar
    return false;
  }
}
