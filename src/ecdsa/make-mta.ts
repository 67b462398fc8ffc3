/** SECRET: the entry of round 2 from its products, which may have been made elsewhere at the same time (A.11). */
import { expand } from '../arith/expand.ts';
import { group } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { AFFINE_SECRET_BYTES, type AffineSecret, type MadeAffine, makeAffine, type MakeAffine, readAffineSecret } from './make-affine.ts';
import type { AuxSecret } from './make-aux.ts';
import { decodeOfferSecret, OFFER_SECRET_BYTES, type OfferSecret, storedScalar } from './make-offer.ts';
import { offerHead } from './offer.ts';
import { SCALAR_BYTES } from './parameters.ts';
import { type CurveName, type Entry, entryOf, othersOf, type PartyAux, proofContext, type Which, WHICH } from './presign.ts';
import { proveElog } from './prove-elog.ts';

/** Everything that a signer keeps from round 2 on, until the outcome or the end of an error round. */
export interface MtaSecret extends OfferSecret {
  /** The additive share of the key, with whatever a derivation path adds. */
  readonly w: bigint;
  /** By ascending leaf of the peers. */
  readonly affine: readonly Readonly<Record<Which, AffineSecret>>[];
}

/** Bytes of a stored {@link MtaSecret}: the offer's, w, and for each peer the product of γ and that of w. */
export function mtaSecretBytes(peers: number): number {
  return OFFER_SECRET_BYTES + SCALAR_BYTES + peers * 2 * AFFINE_SECRET_BYTES;
}

/** Reads a stored secret of round 2. @throws E_STATE */
export function decodeMtaSecret(curve: CurveName, bytes: Uint8Array, peers: number): MtaSecret {
  if (bytes.length !== mtaSecretBytes(peers)) fail('E_STATE', 'a stored secret of a presigning has another length');
  const reader = new Reader(bytes, 'E_STATE');
  const offer = decodeOfferSecret(curve, reader.take(OFFER_SECRET_BYTES, 'offer secret'));
  const w = storedScalar(curve, reader.take(SCALAR_BYTES, 'w'));
  const one = (): AffineSecret => readAffineSecret(reader);
  return { ...offer, w, affine: Array.from({ length: peers }, () => ({ gamma: one(), chi: one() })) };
}

export interface MakeMta {
  readonly curve: CurveName;
  /** The context of round 2, 32 bytes. */
  readonly bind: Uint8Array;
  /** The maker. */
  readonly leaf: number;
  readonly own: AuxSecret;
  /** All signers, the maker among them. */
  readonly signers: readonly PartyAux[];
  /** The accepted offers of all signers. */
  readonly offers: readonly Entry[];
  /** The secret of the own offer. */
  readonly secret: Uint8Array;
  /** The own additive share: coefficient times share, and the derivation path's shift at one signer; 32 bytes, secret. */
  readonly w: Uint8Array;
  /** 32 fresh bytes, secret. */
  readonly seed: Uint8Array;
}

const peersOf = ({ signers, leaf }: MakeMta): number[] => othersOf(signers.map((s) => s.leaf), leaf);

/** The products to be made, in the order in which {@link assembleMta} takes them. @throws E_STATE */
export function affineJobs(args: MakeMta): MakeAffine[] {
  const { curve, bind, leaf, own, signers, offers, secret, w, seed } = args;
  const gamma = group(curve).encodeScalar(decodeOfferSecret(curve, secret).gamma);
  return peersOf(args).flatMap((to) =>
    WHICH.map((which) => ({
      curve,
      bind,
      which,
      leaf,
      own,
      peer: signers.find((s) => s.leaf === to) as PartyAux,
      offer: entryOf(offers, to),
      x: which === 'gamma' ? gamma : w,
      seed,
    })),
  );
}

/**
 * Puts the products together with Γ and its proof.
 * @returns the entry for everybody, and the secret to keep in the place of the offer's ({@link mtaSecretBytes})
 * @throws E_STATE
 */
export function assembleMta(args: MakeMta, products: readonly MadeAffine[]): { mta: Uint8Array; secret: Uint8Array } {
  const { curve, bind, leaf, offers, secret, w, seed } = args;
  if (products.length !== 2 * peersOf(args).length) fail('E_INTERNAL', 'another number of products');
  const g = group(curve);
  const { gamma, b } = decodeOfferSecret(curve, secret);
  const { Y, B1, B2 } = offerHead(entryOf(offers, leaf), curve);
  const point = g.multiply(g.base, gamma);
  const fresh = expand(seed, 'make-mta/v1', curve, bind, leaf)(32);
  const proof = proveElog(proofContext(bind, 'elog/gamma', leaf), { group: g, L: B1, M: B2, X: Y, Y: point, H: g.base }, { y: gamma, lambda: b }, fresh);
  return {
    mta: concat(g.encodePoint(point), proof, ...products.map((p) => p.affine)),
    secret: concat(secret, w, ...products.map((p) => p.secret)),
  };
}

/** {@link affineJobs}, {@link makeAffine} and {@link assembleMta} one after the other. */
export function makeMta(args: MakeMta): { mta: Uint8Array; secret: Uint8Array } {
  return assembleMta(args, affineJobs(args).map(makeAffine));
}
