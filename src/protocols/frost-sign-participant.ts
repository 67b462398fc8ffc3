/** FROST signing, the signer's side. Secret. */
import { type Decision, requireDecision } from '../policy/gate.ts';
import { signShare } from '../schnorr/sign.ts';
import type { SigningRequest } from '../schnorr/request.ts';
import { shareBody, type SignContext } from './frost-sign.ts';

/**
 * The share message: only with a positive decision of the gate on this very intent.
 * The caller has durably marked the nonces as spent on this request before it calls.
 * @param share leaf share, secret
 * @param nonces secret; zeroed here
 * @throws E_NO_DECISION, and as `signShare`
 */
export function makeShare(ctx: SignContext, request: SigningRequest, leaf: number, share: Uint8Array, nonces: Uint8Array, decision: Decision | undefined): Uint8Array {
  requireDecision(decision, ctx.intent.hash);
  return shareBody(request.hash, signShare(request, { id: leaf, share, nonces }));
}
