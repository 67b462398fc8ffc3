/** SECRET: the entry of round 3 (A.11). */
import { expand } from '../arith/expand.ts';
import { mod } from '../arith/integer.ts';
import { group } from '../curves/group.ts';
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { AuxSecret } from './make-aux.ts';
import { decodeMtaSecret } from './make-mta.ts';
import { affineOf, gammaSum } from './mta.ts';
import { offerHead } from './offer.ts';
import { ownPaillier } from './owner-keys.ts';
import { type CurveName, type Entry, entryOf, othersOf, proofContext, type Which } from './presign.ts';
import { proveElog } from './prove-elog.ts';

export interface MakeSum {
  readonly curve: CurveName;
  /** The context of round 3, 32 bytes. */
  readonly bind: Uint8Array;
  /** The maker. */
  readonly leaf: number;
  readonly own: AuxSecret;
  /** The own offer. */
  readonly offer: Uint8Array;
  /** The accepted entries of round 2 of all signers. */
  readonly mtas: readonly Entry[];
  /** The secret of round 2. */
  readonly secret: Uint8Array;
  /** 32 fresh bytes, secret. */
  readonly seed: Uint8Array;
}

/**
 * @returns the entry for everybody, and the secret that a presignature is made of: k ‖ χ, 32 bytes each. The secret of
 *   round 2 is kept beside it until the sums are known to be right
 * @throws E_STATE; E_DEGENERATE with negligible probability
 */
export function makeSum({ curve, bind, leaf, own, offer, mtas, secret, seed }: MakeSum): { sum: Uint8Array; secret: Uint8Array } {
  const g = group(curve);
  const signers = mtas.map((m) => m.leaf);
  const peers = othersOf(signers, leaf);
  const { k, gamma, a, w, affine } = decodeMtaSecret(curve, secret, peers.length);
  const key = ownPaillier(own.p, own.q);

  /** Own product, and for every peer what it gave (α) and what was kept back from it (β). */
  const part = (x: bigint, which: Which): bigint =>
    peers.reduce((sum, from, at) => {
      const alpha = key.decrypt(affineOf(curve, entryOf(mtas, from), signers, from, leaf, which).D);
      return mod(sum + alpha + (affine[at] as Readonly<Record<Which, { beta: bigint }>>)[which].beta, g.order);
    }, mod(x * k, g.order));

  const delta = part(gamma, 'gamma');
  const chi = part(w, 'chi');
  if (chi === 0n) fail('E_DEGENERATE', 'a part of the presignature is zero');
  const nonce = g.decodePoint(gammaSum(curve, mtas));
  const Delta = g.multiply(nonce, k);
  const S = g.multiply(nonce, chi);
  const { Y, A1, A2 } = offerHead(offer, curve);
  const fresh = expand(seed, 'make-sum/v1', curve, bind, leaf)(32);
  const proof = proveElog(proofContext(bind, 'elog/delta', leaf), { group: g, L: A1, M: A2, X: Y, Y: Delta, H: nonce }, { y: k, lambda: a }, fresh);
  return {
    sum: concat(g.encodeScalar(delta), g.encodePoint(Delta), g.encodePoint(S), proof),
    secret: concat(g.encodeScalar(k), g.encodeScalar(chi)),
  };
}
