/**
 * Π-mod: N is the product of two primes = 3 mod 4, and prime to φ(N) (CGGMP24; A.5). Public side.
 *
 * Each repetition asks for an N-th root z of a random y, and a fourth root x of y, -y, w·y or -w·y. With two such primes
 * exactly one of these four is a square when w has Jacobi symbol -1; with three primes, half of all y have none. That
 * argument is void for a w without an inverse, with which x = 0 solves everything (attack row 7, CVE-2025-66016), and
 * for a y that is itself drawn as a square (row 8): w's symbol is checked, and y is uniform modulo N.
 *
 * On the wire w ‖ a ‖ b ‖ x_1 ‖ z_1 ‖ ... ‖ x_m ‖ z_m; one bit of a and of b for each repetition.
 */
import { areUnits, fromBytes, jacobi } from '../arith/integer.ts';
import type { Modulus } from '../arith/modulus.ts';
import { Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Item } from '../wire/hash.ts';
import { requireComposite } from './aux-info.ts';
import { unpackBits } from './bits.ts';
import { intItem, natural, readNatural } from './codec.ts';
import { challengeStream, type ProofContext } from './context.ts';
import { N_BYTES, REPETITIONS } from './parameters.ts';

export const MOD_LABEL = 'mod/v1';

/** Bytes of a proof. */
export const MOD_BYTES = N_BYTES + 2 * (REPETITIONS / 8) + REPETITIONS * 2 * N_BYTES;

export interface ModStatement {
  /** The prover's Paillier modulus N. */
  readonly N: Modulus;
}

/** The statement as it is hashed. */
export function modItems({ N: { n } }: ModStatement): Item[] {
  return [intItem(n)];
}

/** y_1 ... y_m, uniform in [0, N): numbers of N's length, those that are too large rejected. */
export function modChallenges(ctx: ProofContext, st: ModStatement, w: bigint): bigint[] {
  const { n } = st.N;
  const stream = challengeStream(MOD_LABEL, ctx, modItems(st), [natural(w, N_BYTES)]);
  return Array.from({ length: REPETITIONS }, () => {
    for (;;) {
      const y = fromBytes(stream(N_BYTES));
      if (y < n) return y;
    }
  });
}

/** The one of y, -y, w·y, -w·y modulo n that two bits select. */
export function selected(y: bigint, w: bigint, negative: boolean, withW: boolean, n: bigint): bigint {
  const value = withW ? (w * y) % n : y;
  return negative ? n - value : value;
}

/** x^4 modulo n. */
export function fourthPower(x: bigint, n: bigint): bigint {
  const square = (x * x) % n;
  return (square * square) % n;
}

/**
 * @throws E_FORMAT on another length; E_MODULUS when the form of N is wrong; E_RANGE for w, x or z out of range, and for
 * a w that is no unit; E_PROOF when it does not hold
 */
export function checkMod(ctx: ProofContext, st: ModStatement, proof: Uint8Array): void {
  const { n } = st.N;
  const reader = new Reader(proof);
  const w = readNatural(reader, N_BYTES, 'w');
  const a = unpackBits(reader.take(REPETITIONS / 8, 'signs'));
  const b = unpackBits(reader.take(REPETITIONS / 8, 'selections'));
  const roots = Array.from({ length: REPETITIONS }, () => ({ x: readNatural(reader, N_BYTES, 'x'), z: readNatural(reader, N_BYTES, 'z') }));
  reader.end();
  requireComposite(n, 'the Paillier modulus');
  const symbol = jacobi(w, n);
  if (w <= 0n || w >= n || symbol === 0) fail('E_RANGE', 'w of Π-mod is no unit');
  if (symbol !== -1) fail('E_PROOF', 'w of Π-mod does not have the Jacobi symbol -1');
  if (!roots.every(({ x, z }) => x > 0n && x < n && z > 0n && z < n)) fail('E_RANGE', 'a root of Π-mod is out of range');
  const ys = modChallenges(ctx, st, w);
  // an honest N shows a factor here with a probability of 2^-1500
  if (!areUnits(ys, n)) fail('E_PROOF', 'a challenge of Π-mod is no unit');
  const pairs = roots.map((root, k) => ({ ...root, y: ys[k] as bigint, k }));
  // the cheap equation of all first
  if (!pairs.every(({ x, y, k }) => fourthPower(x, n) === selected(y, w, a[k] === true, b[k] === true, n)))
    fail('E_PROOF', 'Π-mod does not hold: a fourth root is wrong');
  if (!pairs.every(({ z, y }) => st.N.pow(z, n) === y)) fail('E_PROOF', 'Π-mod does not hold: an N-th root is wrong');
}
