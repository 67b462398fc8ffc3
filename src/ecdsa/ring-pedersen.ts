/**
 * Ring-Pedersen commitments s^x·t^y modulo N^ (protocol notes A.1, A.4), each under the parameters of the verifier whom
 * a proof is made for. Public side; the verifier itself may bring arithmetic that knows the factors of N^.
 */
import { publicModulus, type Modulus } from '../arith/modulus.ts';
import type { Item } from '../wire/hash.ts';
import { intItem } from './codec.ts';
import { requireModulus } from './parameters.ts';

/** Parameters of one verifier. That s lies in the group of t is what Π-prm shows; units and the rest: aux-info.ts. */
export interface RingPedersen {
  /** N^, {@link MODULUS_BITS} bits. */
  readonly nHat: bigint;
  readonly s: bigint;
  readonly t: bigint;
  /** Arithmetic modulo N^. */
  readonly M: Modulus;
}

/** The parameters for arithmetic that is there already, such as the owner's. @throws E_MODULUS unless odd and of the right size */
export function ringPedersenOf(M: Modulus, s: bigint, t: bigint): RingPedersen {
  requireModulus(M.n, 'the ring-Pedersen modulus');
  return { nHat: M.n, s, t, M };
}

/** The parameters of somebody else. @throws E_MODULUS unless the modulus is odd and of the right size */
export function ringPedersen(nHat: bigint, s: bigint, t: bigint): RingPedersen {
  return ringPedersenOf(publicModulus(nHat), s, t);
}

/** s^x·t^y mod N^; the exponents may be negative, and secret. @throws E_RANGE when a base to be inverted is no unit */
export function commit({ nHat, s, t, M }: RingPedersen, x: bigint, y: bigint): bigint {
  return (M.pow(s, x) * M.pow(t, y)) % nHat;
}

/** The parameters as they are hashed. */
export function ringItems({ nHat, s, t }: RingPedersen): Item {
  return [intItem(nHat), intItem(s), intItem(t)];
}
