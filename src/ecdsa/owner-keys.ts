/** SECRET: the own keys in their fast form, by way of the factors. */
import { ownedModulus } from '../arith/owner.ts';
import { fail } from '../wire/errors.ts';
import type { AuxInfo } from './aux-info.ts';
import type { AuxSecret } from './make-aux.ts';
import { ownedPaillier, type OwnedPaillierKey } from './owner-paillier.ts';
import type { PartyKeys } from './presign.ts';
import { ringPedersenOf } from './ring-pedersen.ts';

/** A few sets of factors at a time are one owner's: of the epochs that it signs for in one run. */
const REMEMBERED = 8;

/** Makes at first use, and remembers for as long as the process lives: what exact powers need takes a while to set up. */
function remembered<T>(make: (p: bigint, q: bigint) => T): (p: bigint, q: bigint) => T {
  const memory = new Map<bigint, T>();
  return (p, q) => {
    const n = p * q;
    const known = memory.get(n);
    if (known !== undefined) return known;
    const fresh = make(p, q);
    if (memory.size >= REMEMBERED) memory.delete(memory.keys().next().value as bigint);
    memory.set(n, fresh);
    return fresh;
  };
}

/** The own Paillier key. @throws E_MODULUS for a product of another size */
export const ownPaillier: (p: bigint, q: bigint) => OwnedPaillierKey = remembered(ownedPaillier);
const ownModulus = remembered(ownedModulus);

/**
 * The own keys, for checking what is made for this participant.
 * @throws E_STATE when secret and published information do not belong together
 */
export function ownKeys(own: AuxSecret, aux: AuxInfo): PartyKeys & { readonly paillier: OwnedPaillierKey } {
  if (own.p * own.q !== aux.n || own.pHat * own.qHat !== aux.nHat) fail('E_STATE', 'the stored factors are not those of the published moduli');
  return { paillier: ownPaillier(own.p, own.q), pedersen: ringPedersenOf(ownModulus(own.pHat, own.qHat), aux.s, aux.t) };
}
