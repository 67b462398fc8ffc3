/** The mask of a box. Whoever knows K knows the mask: the two who share it, and everybody after a complaint. */
import { hashToScalar, type Group } from '../curves/group.ts';
import type { Leaf } from './expression.ts';

export interface BoxFacts {
  /** Group of the dealt key. */
  readonly group: Group;
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array;
  /** The dealer's id. */
  readonly dealer: number;
  /** The receiver's leaf. */
  readonly leaf: Leaf;
  /** The dealing's E as sent, 32 bytes. */
  readonly E: Uint8Array;
  /** The receiver's prekey, 32 bytes. */
  readonly P: Uint8Array;
}

/** The scalar that is added to the sub-share modulo q. @param K encoded e·P = p·E, 32 bytes */
export function boxMask({ group, sid, dealer, leaf, E, P }: BoxFacts, K: Uint8Array): bigint {
  return hashToScalar(group, 'seal/v1', sid, dealer, leaf.id, leaf.label, E, P, K);
}

/** What a box holds under K: always some scalar, 0..q−1. @throws E_SCALAR for a box that is not canonical */
export function unmask(facts: BoxFacts, box: Uint8Array, K: Uint8Array): bigint {
  const { order } = facts.group;
  return (facts.group.decodeScalar(box) - boxMask(facts, K) + order) % order;
}
