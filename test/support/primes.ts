/**
 * The primes of the tests, made once by test/vectors/make-primes.mjs: making some would take seconds in every test.
 * Everybody knows them; the program refuses their moduli (E_FIXTURE).
 */
import { readFileSync } from 'node:fs';
import type { AuxSecret } from '../../src/ecdsa/make-aux.ts';

type Hex = Record<keyof AuxSecret, string>;

const sets = JSON.parse(readFileSync(new URL('../vectors/primes.json', import.meta.url), 'utf8')) as Hex[];
const number = (hex: string): bigint => BigInt(`0x${hex}`);

/** How many sets there are. */
export const FIXTURES = sets.length;

/** The primes of the i-th participant, from 0: p and q Blum primes, pHat and qHat safe primes, 1536 bits each. */
export function fixturePrimes(i: number): AuxSecret {
  const set = sets[i];
  if (set === undefined) throw new RangeError(`there are ${String(FIXTURES)} sets of test primes`);
  return { p: number(set.p), q: number(set.q), pHat: number(set.pHat), qHat: number(set.qHat) };
}
