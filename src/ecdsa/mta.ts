/**
 * Round 2 of presigning, multiplication into addition: Γ_i = γ_i·G, and for every peer j the ciphertexts under its key
 * of γ_i·k_j - β and of w_i·k_j - β^ with their proofs ("CGGMP24 presigning" round 2, A.11). Everything is said to
 * everybody, because the error rounds need all ciphertexts at every party. Public.
 *
 * Signs are Lockness's: D holds x·k - β and F, under the sender's own key, holds -β.
 */
import { fromBytes } from '../arith/integer.ts';
import { group, type Point } from '../curves/group.ts';
import { Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { AFF_G_BYTES, checkAffG } from './aff-g.ts';
import { checkElog, ELOG_BYTES } from './elog.ts';
import { offeredK, offerHead } from './offer.ts';
import { N2_BYTES } from './parameters.ts';
import {
  type CurveName,
  type Entry,
  othersOf,
  partyKeys,
  type PartyAux,
  type PartyKeys,
  placeOf,
  proofContext,
  type Which,
  WHICH,
} from './presign.ts';

/** One of the two products for one peer. */
export interface Affine {
  /** Encryption of x·k - β under the peer's key; ranges are checked with the proof. */
  readonly D: bigint;
  /** Encryption of -β under the sender's key. */
  readonly F: bigint;
  readonly proof: Uint8Array;
}

export interface Mta {
  readonly gamma: Point;
  /** Π-elog that Γ belongs to the commitment of the offer. */
  readonly proof: Uint8Array;
  /** By ascending leaf of the peers. */
  readonly affine: readonly Readonly<Record<Which, Affine>>[];
}

/** Bytes of one product for one peer: D, F and the proof. */
export const AFFINE_BYTES = 2 * N2_BYTES + AFF_G_BYTES;

function mtaHeadBytes(curve: CurveName): number {
  return group(curve).pointBytes + ELOG_BYTES;
}

/** Bytes of an entry of round 2. @param peers how many there are besides the sender */
export function mtaBytes(curve: CurveName, peers: number): number {
  return mtaHeadBytes(curve) + peers * 2 * AFFINE_BYTES;
}

function readAffine(reader: Reader): Affine {
  const D = fromBytes(reader.take(N2_BYTES, 'D'));
  const F = fromBytes(reader.take(N2_BYTES, 'F'));
  return { D, F, proof: reader.take(AFF_G_BYTES, 'a proof') };
}

/** Reads an entry of round 2. @param peers how many there are besides the sender @throws E_FORMAT on another length, E_POINT */
export function parseMta(bytes: Uint8Array, curve: CurveName, peers: number): Mta {
  if (bytes.length !== mtaBytes(curve, peers)) fail('E_FORMAT', 'an entry of round 2 has another length', { field: 'mta' });
  const reader = new Reader(bytes);
  const g = group(curve);
  const gamma = g.decodePoint(reader.take(g.pointBytes, 'Gamma'));
  const proof = reader.take(ELOG_BYTES, 'a proof');
  const affine = Array.from({ length: peers }, () => ({ gamma: readAffine(reader), chi: readAffine(reader) }));
  return { gamma, proof, affine };
}

/** What `from` says to `to` about one product; entry and leaves as in {@link CheckMta}. @throws E_FORMAT, E_POINT */
export function affineOf(curve: CurveName, mta: Uint8Array, signers: readonly number[], from: number, to: number, which: Which): Affine {
  const { affine } = parseMta(mta, curve, othersOf(signers, from).length);
  return (affine[placeOf(signers, from, to)] as Readonly<Record<Which, Affine>>)[which];
}

/** Γ = ΣΓ_j, encoded. @throws E_FORMAT, E_POINT; E_DEGENERATE when it is the identity */
export function gammaSum(curve: CurveName, mtas: readonly Entry[]): Uint8Array {
  const g = group(curve);
  const sum = g.sum(mtas.map(({ bytes }) => parseMta(bytes, curve, mtas.length - 1).gamma));
  return sum.is0() ? fail('E_DEGENERATE', 'the nonce points cancel') : g.encodePoint(sum);
}

export interface CheckGamma {
  readonly curve: CurveName;
  /** The context of round 2, 32 bytes. */
  readonly bind: Uint8Array;
  /** Leaves of all signers, the prover among them. */
  readonly signers: readonly number[];
  readonly prover: number;
  /** The prover's offer. */
  readonly offer: Uint8Array;
  /** The prover's entry of round 2. */
  readonly mta: Uint8Array;
}

/** Checks the length of an entry and that its Γ is the committed one. @throws E_FORMAT, E_POINT, E_SCALAR or E_PROOF; all blame the prover */
export function checkGamma({ curve, bind, signers, prover, offer, mta }: CheckGamma): void {
  const g = group(curve);
  const { Y, B1, B2 } = offerHead(offer, curve);
  const { gamma, proof } = parseMta(mta, curve, othersOf(signers, prover).length);
  checkElog(proofContext(bind, 'elog/gamma', prover), { group: g, L: B1, M: B2, X: Y, Y: gamma, H: g.base }, proof);
}

export interface CheckAffine {
  readonly curve: CurveName;
  /** The context of round 2, 32 bytes. */
  readonly bind: Uint8Array;
  /** Leaves of all signers. */
  readonly signers: readonly number[];
  readonly which: Which;
  readonly prover: PartyAux;
  readonly verifier: PartyAux;
  /** The verifier's offer, which was accepted. */
  readonly offer: Uint8Array;
  /** The prover's entry of round 2. */
  readonly mta: Uint8Array;
  /** W of the prover, encoded: c·X and whatever a derivation path adds. Needed for `chi`. */
  readonly point: Uint8Array;
}

/**
 * Checks one product that a prover offers to one verifier.
 * @param keys the verifier's, if its own faster ones are at hand
 * @throws E_FORMAT, E_POINT, E_SCALAR, E_RANGE or E_PROOF; all of them blame the prover
 */
export function checkAffine(args: CheckAffine, keys: PartyKeys = partyKeys(args.verifier)): void {
  const { curve, bind, signers, which, prover, verifier, offer, mta, point } = args;
  const g = group(curve);
  const { gamma, affine } = parseMta(mta, curve, othersOf(signers, prover.leaf).length);
  const { D, F, proof } = (affine[placeOf(signers, prover.leaf, verifier.leaf)] as Readonly<Record<Which, Affine>>)[which];
  checkAffG(
    proofContext(bind, `aff-g/${which}`, prover.leaf, verifier.leaf),
    {
      group: g,
      receiver: keys.paillier,
      own: partyKeys(prover).paillier,
      ring: keys.pedersen,
      C: offeredK(offer),
      D,
      Y: F,
      X: which === 'gamma' ? gamma : g.decodePoint(point),
    },
    proof,
  );
}

export type CheckMta = Omit<CheckAffine, 'which'> & {
  /** The prover's own offer. */
  readonly proverOffer: Uint8Array;
};

/**
 * Checks an entry of round 2 as far as one verifier is concerned: {@link checkGamma}, then {@link checkAffine} of both products.
 * @param keys the verifier's, if its own faster ones are at hand
 * @throws E_FORMAT, E_POINT, E_SCALAR, E_RANGE or E_PROOF; all of them blame the prover
 */
export function checkMta(args: CheckMta, keys?: PartyKeys): void {
  checkGamma({ ...args, prover: args.prover.leaf, offer: args.proverOffer });
  for (const which of WHICH) checkAffine({ ...args, which }, keys);
}
