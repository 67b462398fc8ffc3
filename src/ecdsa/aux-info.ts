/**
 * Auxiliary information: what each participant publishes once for a key and epoch, its Paillier modulus N and its
 * ring-Pedersen parameters (N^, s, t) (CGGMP24; protocol notes A.3, A.4, A.7; attack rows 4, 9, 11, 12). Public.
 *
 * Everything here is about form and costs milliseconds, whatever it is given. What form cannot show is proven: Π-prm for
 * s and t, Π-mod and Π-fac for N.
 */
import { areUnits, gcd } from '../arith/integer.ts';
import { modPow } from '../arith/modexp.ts';
import { concat, Reader, toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { natural, readNatural } from './codec.ts';
import { FIXTURE_MODULI } from './fixture-moduli.ts';
import { N_BYTES, requireModulus } from './parameters.ts';

/** One participant's auxiliary information; public. */
export interface AuxInfo {
  /** The Paillier modulus N. */
  readonly n: bigint;
  /** The ring-Pedersen modulus N^. */
  readonly nHat: bigint;
  readonly s: bigint;
  readonly t: bigint;
}

/** Bytes of encoded auxiliary information. */
export const AUX_BYTES = 4 * N_BYTES;

/** n ‖ nHat ‖ s ‖ t, {@link AUX_BYTES}. @throws E_INTERNAL when one does not fit */
export function encodeAux({ n, nHat, s, t }: AuxInfo): Uint8Array {
  return concat(...[n, nHat, s, t].map((each) => natural(each, N_BYTES)));
}

/** Reads {@link AUX_BYTES} bytes; whether they are good is for {@link checkAux} to say. @throws E_FORMAT on another length */
export function decodeAux(bytes: Uint8Array): AuxInfo {
  const reader = new Reader(bytes);
  const [n, nHat, s, t] = [0, 1, 2, 3].map(() => readNatural(reader, N_BYTES, 'auxiliary information')) as [bigint, bigint, bigint, bigint];
  reader.end();
  return { n, nHat, s, t };
}

/** A modulus has no factor below this (A.3). */
const SMALL = 1 << 16;

let product: bigint | undefined;

/** The product of all odd primes below {@link SMALL}, 94 000 bits; made when first needed. */
function smallPrimes(): bigint {
  if (product !== undefined) return product;
  const composite = new Uint8Array(SMALL);
  let factors: bigint[] = [];
  for (let i = 3; i < SMALL; i += 2) {
    if (composite[i] === 1) continue;
    factors.push(BigInt(i));
    for (let j = i * i; j < SMALL; j += 2 * i) composite[j] = 1;
  }
  // by twos, which is many times faster than one after the other
  while (factors.length > 1) factors = factors.flatMap((f, i) => (i % 2 === 0 ? [f * (factors[i + 1] ?? 1n)] : []));
  product = factors[0] as bigint;
  return product;
}

/**
 * The form of a modulus that is said to be the product of two large primes: odd, of exactly 3072 bits, no factor below
 * 2^16, not prime. That is less than Π-mod and Π-fac show, and costs one exponentiation at most.
 * @param what names the modulus in the error
 * @throws E_MODULUS
 */
export function requireComposite(n: bigint, what: string): void {
  requireModulus(n, what);
  if (gcd(n, smallPrimes() % n) !== 1n) fail('E_MODULUS', `${what} has a small factor`, { field: what });
  // Fermat: every prime passes, and no product of two random primes does but with a probability far below 2^-128
  if (modPow(2n, n - 1n, n) === 1n) fail('E_MODULUS', `${what} is prime`, { field: what });
}

/**
 * The form of s and t, under which commitments hide nothing if it does not hold (row 9): units modulo N^, neither 1 nor
 * -1, and different. N^ itself is not looked at.
 * @throws E_MODULUS
 */
export function requireBases({ nHat, s, t }: Pick<AuxInfo, 'nHat' | 's' | 't'>): void {
  if (!areUnits([s, t], nHat)) fail('E_MODULUS', 's or t is no unit modulo N^', { field: 's, t' });
  if ([s, t].some((each) => each === 1n || each === nHat - 1n)) fail('E_MODULUS', 's or t is 1 or -1', { field: 's, t' });
  if (s === t) fail('E_MODULUS', 's and t are the same', { field: 's, t' });
}

/**
 * Everything that the form of one participant's auxiliary information must show; about 20 ms. Its owner is to blame if
 * it does not. Whether a modulus is somebody else's too: {@link commonFactors}; or everybody's: {@link isFixture}.
 * @throws E_MODULUS
 */
export function checkAux(aux: AuxInfo): void {
  const { n, nHat } = aux;
  requireComposite(n, 'the Paillier modulus');
  requireComposite(nHat, 'the ring-Pedersen modulus');
  if (gcd(n, nHat) !== 1n) fail('E_MODULUS', 'the two moduli have a common factor', { field: 'n, nHat' });
  requireBases(aux);
}

/**
 * The pairs of participants, as positions i < j in the list, one of whose moduli has a factor in common with one of the
 * other's: copied, or made with the same randomness (row 11). Such a pair by itself blames nobody (A.3).
 * @param all that {@link checkAux} accepted
 */
export function commonFactors(all: readonly AuxInfo[]): [number, number][] {
  const own = all.map(({ n, nHat }) => n * nHat);
  const total = own.reduce((a, b) => a * b, 1n);
  // of each, the part that some other has as well; 1 for all of them when everybody is honest
  const shared = own.map((m) => gcd(m, (total / m) % m));
  const suspects = shared.flatMap((part, i) => (part === 1n ? [] : [i]));
  return suspects.flatMap((i) =>
    suspects.filter((j) => j > i && gcd(shared[i] as bigint, shared[j] as bigint) !== 1n).map((j): [number, number] => [i, j]),
  );
}

/** Whether a modulus is one of those of the tests, whose factors everybody knows; a ceremony then refuses with E_FIXTURE. */
export function isFixture({ n, nHat }: AuxInfo): boolean {
  return [n, nHat].some((modulus) => FIXTURE_MODULI.has(toHex(sha256(natural(modulus, N_BYTES)))));
}
