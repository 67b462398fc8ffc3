/**
 * Round 1 of presigning, the offer: encryptions of k and γ with ElGamal commitments to both, and for every verifier
 * the proofs that the encrypted numbers are small and are the committed ones ("CGGMP24 presigning" round 1, A.11).
 * It depends on nothing but auxiliary information, so offers may be stocked. Public.
 */
import { fromBytes } from '../arith/integer.ts';
import { group, type Point } from '../curves/group.ts';
import { Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { checkEncElg, ENC_ELG_BYTES } from './enc-elg.ts';
import { N2_BYTES } from './parameters.ts';
import { type CurveName, othersOf, partyKeys, placeOf, proofContext, type PartyAux, type PartyKeys } from './presign.ts';

/** What an offer says to everybody. */
export interface OfferHead {
  /** Encryption of k under the owner's key; 768 bytes on the wire, its range is checked with the proofs. */
  readonly K: bigint;
  /** Encryption of γ. */
  readonly G: bigint;
  /** The ElGamal key, a point whose logarithm nobody keeps. */
  readonly Y: Point;
  /** a·G and a·Y + k·G. */
  readonly A1: Point;
  readonly A2: Point;
  /** b·G and b·Y + γ·G. */
  readonly B1: Point;
  readonly B2: Point;
}

/** The two proofs for one verifier. */
export interface OfferProofs {
  readonly k: Uint8Array;
  readonly gamma: Uint8Array;
}

export interface Offer extends OfferHead {
  /** By ascending leaf of the verifiers, the owner left out. */
  readonly proofs: readonly OfferProofs[];
}

/** Bytes of the part of an offer that all verifiers share. */
export function offerHeadBytes(curve: CurveName): number {
  return 2 * N2_BYTES + 5 * group(curve).pointBytes;
}

/** Bytes of an offer. @param verifiers how many there are besides the owner */
export function offerBytes(curve: CurveName, verifiers: number): number {
  return offerHeadBytes(curve) + verifiers * 2 * ENC_ELG_BYTES;
}

function readHead(reader: Reader, curve: CurveName): OfferHead {
  const g = group(curve);
  const K = fromBytes(reader.take(N2_BYTES, 'K'));
  const G = fromBytes(reader.take(N2_BYTES, 'G'));
  const point = (what: string): Point => g.decodePoint(reader.take(g.pointBytes, what));
  return { K, G, Y: point('Y'), A1: point('A1'), A2: point('A2'), B1: point('B1'), B2: point('B2') };
}

/** The part for everybody of an offer, of whatever number of verifiers. @throws E_FORMAT when it is too short, E_POINT */
export function offerHead(bytes: Uint8Array, curve: CurveName): OfferHead {
  return readHead(new Reader(bytes), curve);
}

/** K alone, which round 2 multiplies. @throws E_FORMAT when it is too short */
export function offeredK(bytes: Uint8Array): bigint {
  return fromBytes(new Reader(bytes).take(N2_BYTES, 'K'));
}

/** Reads an offer. @param verifiers how many there are besides the owner @throws E_FORMAT on another length, E_POINT */
export function parseOffer(bytes: Uint8Array, curve: CurveName, verifiers: number): Offer {
  if (bytes.length !== offerBytes(curve, verifiers)) fail('E_FORMAT', 'an offer has another length', { field: 'offer' });
  const reader = new Reader(bytes);
  const head = readHead(reader, curve);
  const proof = (): Uint8Array => reader.take(ENC_ELG_BYTES, 'a proof');
  return { ...head, proofs: Array.from({ length: verifiers }, () => ({ k: proof(), gamma: proof() })) };
}

export interface CheckOffer {
  readonly curve: CurveName;
  /** The context that the offer was made in, 32 bytes. */
  readonly bind: Uint8Array;
  readonly prover: PartyAux;
  /** The leaves for which the offer was made; the prover may stand among them. */
  readonly verifiers: readonly number[];
  /** For whom it is checked: itself, or anybody who wants to know whether the accusation holds. */
  readonly verifier: PartyAux;
  readonly offer: Uint8Array;
}

/**
 * Checks an offer as far as one verifier is concerned.
 * @param keys the verifier's, if its own faster ones are at hand
 * @throws E_FORMAT, E_POINT, E_SCALAR, E_RANGE or E_PROOF; all of them blame the prover
 */
export function checkOffer(args: CheckOffer, keys: PartyKeys = partyKeys(args.verifier)): void {
  const { curve, bind, prover, verifiers, verifier } = args;
  const offer = parseOffer(args.offer, curve, othersOf(verifiers, prover.leaf).length);
  const proofs = offer.proofs[placeOf(verifiers, prover.leaf, verifier.leaf)] as OfferProofs;
  const { K, G, Y, A1, A2, B1, B2 } = offer;
  const common = { group: group(curve), key: partyKeys(prover).paillier, ring: keys.pedersen, A: Y };
  checkEncElg(proofContext(bind, 'enc-elg/k', prover.leaf, verifier.leaf), { ...common, C: K, B: A1, X: A2 }, proofs.k);
  checkEncElg(proofContext(bind, 'enc-elg/gamma', prover.leaf, verifier.leaf), { ...common, C: G, B: B1, X: B2 }, proofs.gamma);
}
