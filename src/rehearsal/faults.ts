/** The faults that a rehearsal can play. */
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';

/** Every fault, with what it shows in one line. */
export const FAULTS = {
  'tampered-blob': 'a byte of a message is changed on the way',
  'dropped-blob': 'a message does not arrive',
  crash: 'a laptop loses power again and again in the middle of a step',
  equivocation: 'two copies of one laptop sign different messages',
  'bad-sub-share': 'a dealer seals a wrong sub-share to one of the others',
  'bad-modulus': 'a dealer’s Paillier modulus has a small factor (ECDSA)',
  'wrong-share': 'a signer sends a wrong signature share (ECDSA)',
} as const satisfies Record<string, string>;

export type FaultName = keyof typeof FAULTS;

const OF_ECDSA: readonly FaultName[] = ['bad-modulus', 'wrong-share'];

/** Faults that end the attempt at the key in which they happen; the others are overcome within it, or come when it is used. */
export const ENDING = ['equivocation', 'bad-sub-share', 'bad-modulus'] as const satisfies readonly FaultName[];
export type EndingFault = (typeof ENDING)[number];

export function isFault(text: string): text is FaultName {
  return Object.hasOwn(FAULTS, text);
}

/** The faults that can be played with keys of a scheme. */
export function faultsOf(scheme: SchemeName): FaultName[] {
  return (Object.keys(FAULTS) as FaultName[]).filter((f) => SCHEMES[scheme].protocol === 'cggmp24' || !OF_ECDSA.includes(f));
}
