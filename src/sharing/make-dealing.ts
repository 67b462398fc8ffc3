/** Making a whole dealing. Secret. */
import type { Random } from '../wire/random.ts';
import type { Polynomials } from './deal.ts';
import { encodeDealing } from './dealing.ts';
import { KINDS, type Kind } from './kinds.ts';
import { provePossession } from './prove-possession.ts';
import { sealBoxes } from './seal.ts';
import { encodeTree, type PublicTree } from './tree.ts';

export interface DealRequest {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array;
  readonly kind: Kind;
  /** The dealer's id. */
  readonly dealer: number;
  readonly tree: PublicTree;
  /** Secret. */
  readonly poly: Polynomials;
  /** All receivers' prekeys (32 bytes each) in the order of ids, their proofs of possession already checked. */
  readonly prekeys: readonly Uint8Array[];
  readonly random: Random;
}

/**
 * The encoded dealing of polynomials made by `makePolynomials`: public bytes, to be stored and never made twice,
 * since a second run draws other randomness. Once they are stored the polynomials are needed no more.
 * @throws as `sealBoxes` and `provePossession`
 */
export function makeDealing(request: DealRequest): Uint8Array {
  const { sid, kind, dealer, tree, poly, random } = request;
  const possession = KINDS[kind].possession ? provePossession(sid, dealer, tree, poly, random) : new Uint8Array(0);
  return encodeDealing(encodeTree(tree), possession, sealBoxes(request));
}
