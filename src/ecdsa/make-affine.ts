/** SECRET: one product of round 2 for one peer (A.11). */
import { expand } from '../arith/expand.ts';
import { centred } from '../arith/integer.ts';
import { symmetric, unit } from '../arith/sample.ts';
import { group } from '../curves/group.ts';
import { concat, type Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { natural, readNatural } from './codec.ts';
import type { AuxSecret } from './make-aux.ts';
import { storedScalar } from './make-offer.ts';
import { offeredK } from './offer.ts';
import { ownPaillier } from './owner-keys.ts';
import { add, encrypt, scale } from './paillier.ts';
import { ELL_PRIME, MASK_BOUND, N2_BYTES, N_BYTES } from './parameters.ts';
import { type CurveName, partyKeys, type PartyAux, proofContext, type Which } from './presign.ts';
import { proveAffG } from './prove-aff-g.ts';

/** What the maker of a product keeps. */
export interface AffineSecret {
  /** The mask, in ±2^ℓ'. D and F hold its negative. */
  readonly beta: bigint;
  /** The nonce of D, a unit modulo the peer's N. */
  readonly s: bigint;
  /** The nonce of F, a unit modulo the own N. */
  readonly r: bigint;
}

/** Bytes of β + 2^ℓ'. */
const BETA_BYTES = ELL_PRIME / 8 + 1;

/** Bytes of a stored {@link AffineSecret}: β + 2^ℓ' ‖ s ‖ r. */
export const AFFINE_SECRET_BYTES = BETA_BYTES + 2 * N_BYTES;

/** Reads the next stored product. @param reader refuses with E_STATE @throws E_STATE */
export function readAffineSecret(reader: Reader): AffineSecret {
  const beta = readNatural(reader, BETA_BYTES, 'beta') - MASK_BOUND;
  if (beta > MASK_BOUND) fail('E_STATE', 'a stored secret of a presigning is damaged');
  return { beta, s: readNatural(reader, N_BYTES, 's'), r: readNatural(reader, N_BYTES, 'r') };
}

export interface MakeAffine {
  readonly curve: CurveName;
  /** The context of round 2, 32 bytes. */
  readonly bind: Uint8Array;
  readonly which: Which;
  /** The maker. */
  readonly leaf: number;
  readonly own: AuxSecret;
  readonly peer: PartyAux;
  /** The peer's offer, which was accepted. */
  readonly offer: Uint8Array;
  /** γ of the own offer, or w; a scalar, secret. */
  readonly x: Uint8Array;
  /** 32 fresh bytes, secret; the seed of the whole round may be the same for all its products. */
  readonly seed: Uint8Array;
}

export interface MadeAffine {
  /** D ‖ F ‖ proof. */
  readonly affine: Uint8Array;
  /** {@link AFFINE_SECRET_BYTES}. */
  readonly secret: Uint8Array;
}

/** @throws E_STATE for an x that is no scalar in 1..q-1 */
export function makeAffine({ curve, bind, which, leaf, own, peer, offer, x: stored, seed }: MakeAffine): MadeAffine {
  const g = group(curve);
  const scalar = storedScalar(curve, stored);
  const x = centred(scalar, g.order);
  const mine = ownPaillier(own.p, own.q);
  const { paillier: theirs, pedersen } = partyKeys(peer);
  const random = expand(seed, 'make-affine/v1', curve, bind, which, leaf, peer.leaf, stored);
  const beta = symmetric(MASK_BOUND, random);
  const [s, r] = [unit(theirs.n, random), unit(mine.n, random)];
  const C = offeredK(offer);
  const D = add(theirs, scale(theirs, C, x), encrypt(theirs, -beta, s));
  const F = encrypt(mine, -beta, r);
  const statement = { group: g, receiver: theirs, own: mine, ring: pedersen, C, D, Y: F, X: g.multiply(g.base, scalar) };
  const proof = proveAffG(proofContext(bind, `aff-g/${which}`, leaf, peer.leaf), statement, { x, y: -beta, rho: s, rhoY: r }, random(32));
  return {
    affine: concat(natural(D, N2_BYTES), natural(F, N2_BYTES), proof),
    secret: concat(natural(beta + MASK_BOUND, BETA_BYTES), natural(s, N_BYTES), natural(r, N_BYTES)),
  };
}
