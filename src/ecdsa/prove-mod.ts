/** Π-mod (A.5). Secret side. */
import { invert, jacobi } from '../arith/integer.ts';
import { unit } from '../arith/sample.ts';
import { concat } from '../wire/bytes.ts';
import { packBits } from './bits.ts';
import { natural } from './codec.ts';
import type { ProofContext } from './context.ts';
import { fourthPower, MOD_LABEL, modChallenges, modItems, type ModStatement, selected } from './mod.ts';
import { N_BYTES } from './parameters.ts';
import { proofRandom } from './prove-nonce.ts';

/** The primes of N, secret. */
export interface ModWitness {
  readonly p: bigint;
  readonly q: bigint;
}

/**
 * No residue symbols modulo the primes are computed. For any unit y let y' be its fourth-root candidate y^f, where f =
 * ((φ+4)/8)². Modulo each prime the fourth power of y' is y or -y, whichever is a square there. So y'^4 = y or -y modulo
 * N tells that y or -y is a square; otherwise y and w are squares modulo exactly one prime each, and the product of
 * their fourth powers tells whether it is the same one. Candidates multiply, so that of ±w^b·y needs no power of its own.
 * @param st with arithmetic that knows the factors of N, which is four times faster
 * @param seed 32 fresh bytes, secret
 * @returns w ‖ a ‖ b ‖ x_1 ‖ z_1 ‖ ... ‖ x_m ‖ z_m, {@link MOD_BYTES}
 * @throws E_RNG, E_RANGE when N is not prime to φ(N); other false statements give a proof that does not hold
 */
export function proveMod(ctx: ProofContext, st: ModStatement, { p, q }: ModWitness, seed: Uint8Array): Uint8Array {
  const { N } = st;
  const { n } = N;
  const random = proofRandom(MOD_LABEL, ctx, modItems(st), [p, q], seed);
  let w = unit(n, random);
  while (jacobi(w, n) !== -1) w = unit(n, random);
  const phi = (p - 1n) * (q - 1n);
  const nthRoot = invert(n, phi);
  const fourthRoot = ((phi + 4n) / 8n) ** 2n % phi;
  const ofW = N.pow(w, fourthRoot);
  const ofMinusOne = (fourthRoot & 1n) === 1n ? n - 1n : 1n;
  const wSquare = fourthPower(ofW, n);

  const roots = modChallenges(ctx, st, w).map((y) => {
    const ofY = N.pow(y, fourthRoot);
    const ySquare = fourthPower(ofY, n);
    const withW = ySquare !== y && ySquare !== n - y;
    const square = withW ? (wSquare * ySquare) % n : ySquare;
    const negative = square !== selected(y, w, false, withW, n);
    const x = (ofY * (withW ? ofW : 1n) * (negative ? ofMinusOne : 1n)) % n;
    return { negative, withW, x, z: N.pow(y, nthRoot) };
  });
  return concat(
    natural(w, N_BYTES),
    packBits(roots.map(({ negative }) => negative)),
    packBits(roots.map(({ withW }) => withW)),
    ...roots.flatMap(({ x, z }) => [natural(x, N_BYTES), natural(z, N_BYTES)]),
  );
}
