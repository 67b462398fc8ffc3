/** Source of randomness as the pure layers see it: `length` fresh, uniform, secret bytes. Handed in from outside. */
export type Random = (length: number) => Uint8Array;
