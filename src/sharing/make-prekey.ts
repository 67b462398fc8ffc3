/** One-time encryption keys: the owner's side. Secret. */
import type { Random } from '../wire/random.ts';
import { prekeyContext, type PrekeyId } from './prekey.ts';
import { proveSchnorr } from './prove.ts';
import { sealingGroup } from './sealing-group.ts';

export interface NewPrekey {
  /** p: 32 bytes, secret; to be sealed at rest and destroyed by the rules of the epoch. */
  readonly secret: Uint8Array;
  /** P = p·B: 32 bytes, public. */
  readonly P: Uint8Array;
  /** Proof of possession: 64 bytes, public. */
  readonly pop: Uint8Array;
}

/** Draws a prekey. While it is made p also exists as a bigint, which cannot be wiped. */
export function makePrekey(id: PrekeyId, random: Random): NewPrekey {
  const g = sealingGroup();
  const p = g.randomScalar(random);
  const P = g.encodePoint(g.multiply(g.base, p));
  return { secret: g.encodeScalar(p), P, pop: proveSchnorr(g, prekeyContext(id), p, P, random) };
}
