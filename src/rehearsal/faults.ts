/** The faults that a rehearsal can play. */

/** Every fault, with what it shows in one line. */
export const FAULTS = {
  'tampered-blob': 'a byte of a message is changed on the way',
  'dropped-blob': 'a message does not arrive',
  crash: 'a laptop loses power again and again in the middle of a step',
  equivocation: 'two copies of one laptop sign different messages',
  'bad-sub-share': 'a dealer seals a wrong sub-share to one of the others',
} as const satisfies Record<string, string>;

export type FaultName = keyof typeof FAULTS;

/** Faults that end the attempt in which they happen; the others are overcome within it. */
export const ENDING: readonly FaultName[] = ['equivocation', 'bad-sub-share'];

export function isFault(text: string): text is FaultName {
  return Object.hasOwn(FAULTS, text);
}
