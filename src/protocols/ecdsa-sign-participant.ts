/** Threshold ECDSA signing, the signer's side of the online step. Secret. */
import { decodePresignSecret } from '../ecdsa/make-presignature.ts';
import { signatureShare } from '../ecdsa/make-signature-share.ts';
import { checkShare, nonceScalar } from '../ecdsa/signature.ts';
import { type Decision, requireDecision } from '../policy/gate.ts';
import { fail } from '../wire/errors.ts';
import { type EcdsaContext, type EcdsaRequest, ecdsaShareBody } from './ecdsa-sign.ts';

/**
 * The share message: only with a positive decision of the gate on this very intent.
 * The caller has durably marked the presignature as spent on this request before it calls, and erases the secret after.
 * @param secret k̃ ‖ χ̃, 64 bytes; zeroed here
 * @throws E_NO_DECISION; E_STATE when the secret is not that of the presignature
 */
export function makeEcdsaShare(ctx: EcdsaContext, request: EcdsaRequest, leaf: number, secret: Uint8Array, decision: Decision | undefined): Uint8Array {
  requireDecision(decision, ctx.intent.hash);
  const { group } = ctx.presigning.key;
  const { kTilde, chiTilde } = decodePresignSecret(group.name as 'secp256k1' | 'p256', secret);
  secret.fill(0);
  const sigma = signatureShare(group, kTilde, chiTilde, ctx.digest, nonceScalar(group, request.parts.gamma));
  if (!checkShare(group, request.parts, ctx.digest, leaf, sigma)) fail('E_STATE', 'the stored presignature is damaged: its share would not verify');
  return ecdsaShareBody(request.hash, group.encodeScalar(sigma));
}
