/** SECRET: making the offer of round 1 (A.11). */
import { expand } from '../arith/expand.ts';
import { centred } from '../arith/integer.ts';
import { unit } from '../arith/sample.ts';
import { group } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { intItem, natural } from './codec.ts';
import type { AuxSecret } from './make-aux.ts';
import { ownPaillier } from './owner-keys.ts';
import { encrypt } from './paillier.ts';
import { N2_BYTES, SCALAR_BYTES } from './parameters.ts';
import { type CurveName, othersOf, partyKeys, type PartyAux, proofContext } from './presign.ts';
import { proveEncElg } from './prove-enc-elg.ts';

/** What the owner of an offer keeps: scalars in 1..q-1. The nonces of K and G are in them and need no keeping. */
export interface OfferSecret {
  readonly k: bigint;
  readonly gamma: bigint;
  /** Of A1 = a·G. */
  readonly a: bigint;
  /** Of B1 = b·G. */
  readonly b: bigint;
}

/** Bytes of a stored {@link OfferSecret}: k ‖ γ ‖ a ‖ b. */
export const OFFER_SECRET_BYTES = 4 * SCALAR_BYTES;

/** Reads a stored scalar in 1..q-1. @throws E_STATE */
export function storedScalar(curve: CurveName, bytes: Uint8Array): bigint {
  let scalar = 0n;
  try {
    scalar = group(curve).decodeScalar(bytes);
  } catch {
    // the same refusal as for zero
  }
  return scalar === 0n ? fail('E_STATE', 'a stored secret of a presigning is damaged') : scalar;
}

/** Reads a stored offer secret. @throws E_STATE on another length or what is no scalar */
export function decodeOfferSecret(curve: CurveName, bytes: Uint8Array): OfferSecret {
  const reader = new Reader(bytes, 'E_STATE');
  const next = (what: string): bigint => storedScalar(curve, reader.take(SCALAR_BYTES, what));
  const secret = { k: next('k'), gamma: next('gamma'), a: next('a'), b: next('b') };
  reader.end();
  return secret;
}

export interface MakeOffer {
  readonly curve: CurveName;
  /** Digest of everything that the offer is about, with its number; 32 bytes. */
  readonly bind: Uint8Array;
  /** The maker. */
  readonly leaf: number;
  readonly own: AuxSecret;
  /** For whom proofs are made; the maker may stand among them. */
  readonly verifiers: readonly PartyAux[];
  /** 32 fresh bytes, secret. */
  readonly seed: Uint8Array;
}

/** @returns the offer for everybody, and the secret to keep ({@link OFFER_SECRET_BYTES}) until the outcome */
export function makeOffer({ curve, bind, leaf, own, verifiers, seed }: MakeOffer): { offer: Uint8Array; secret: Uint8Array } {
  const g = group(curve);
  const key = ownPaillier(own.p, own.q);
  const random = expand(seed, 'make-offer/v1', curve, bind, leaf, intItem(own.p), intItem(own.q));
  const [k, gamma, a, b] = [0, 0, 0, 0].map(() => g.randomScalar(random)) as [bigint, bigint, bigint, bigint];
  const [rho, nu] = [unit(key.n, random), unit(key.n, random)];
  // nobody may know the logarithm of Y, so it is not kept
  const Y = g.multiply(g.base, g.randomScalar(random));
  const lifted = { k: centred(k, g.order), gamma: centred(gamma, g.order) };
  const K = encrypt(key, lifted.k, rho);
  const G = encrypt(key, lifted.gamma, nu);
  const A1 = g.multiply(g.base, a);
  const A2 = g.multiply(Y, a).add(g.multiply(g.base, k));
  const B1 = g.multiply(g.base, b);
  const B2 = g.multiply(Y, b).add(g.multiply(g.base, gamma));

  const proofs = othersOf(verifiers.map((v) => v.leaf), leaf).flatMap((to) => {
    const aux = verifiers.find((v) => v.leaf === to) as PartyAux;
    const common = { group: g, key, ring: partyKeys(aux).pedersen, A: Y };
    const forK = { ...common, C: K, B: A1, X: A2 };
    const forGamma = { ...common, C: G, B: B1, X: B2 };
    return [
      proveEncElg(proofContext(bind, 'enc-elg/k', leaf, to), forK, { x: lifted.k, rho, b: a }, random(32)),
      proveEncElg(proofContext(bind, 'enc-elg/gamma', leaf, to), forGamma, { x: lifted.gamma, rho: nu, b }, random(32)),
    ];
  });
  const points = [Y, A1, A2, B1, B2].map((point) => g.encodePoint(point));
  return {
    offer: concat(natural(K, N2_BYTES), natural(G, N2_BYTES), ...points, ...proofs),
    secret: concat(...[k, gamma, a, b].map((scalar) => g.encodeScalar(scalar))),
  };
}
