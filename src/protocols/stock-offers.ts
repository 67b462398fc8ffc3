/** First messages of presigning, stocked with the confirmation of an epoch. Secret side. */
import type { AuxSecret } from '../ecdsa/make-aux.ts';
import type { Random } from '../wire/random.ts';
import type { PartyAux } from '../ecdsa/presign.ts';
import type { KeyingContext, KeyingResult } from './keying.ts';
import { type Crew, make } from './make-crew.ts';
import { stockedOfferBinding } from './presign-binding.ts';

/**
 * As many offers as the plan asks for, to all other participants of the epoch.
 * @returns for each the entry for the confirmation (public) and what is kept (secret, to be sealed)
 */
export async function makeStockedOffers(result: KeyingResult, ctx: KeyingContext, leaf: number, own: AuxSecret, crew: Crew, random: Random): Promise<{ entry: Uint8Array; secret: Uint8Array }[]> {
  const verifiers = result.auxiliary as readonly PartyAux[];
  const made = await make(
    crew,
    'makeOffer',
    Array.from({ length: ctx.plan.stock }, (_, index) => ({
      curve: ctx.group.name as 'secp256k1' | 'p256',
      bind: stockedOfferBinding(result.digest, leaf, index),
      leaf,
      own,
      verifiers,
      seed: random(32),
    })),
  );
  return made.map(({ offer, secret }) => ({ entry: offer, secret }));
}
