/** Keys, statements and a prover that may cheat, for the tests of the proofs of the error rounds. */
import { expand } from '../../src/arith/expand.ts';
import { centred, mod } from '../../src/arith/integer.ts';
import { symmetric, unit } from '../../src/arith/sample.ts';
import { group as groupOf, type Group, type Point } from '../../src/curves/group.ts';
import type { AffGStarStatement } from '../../src/ecdsa/aff-g-star.ts';
import type { ProofContext } from '../../src/ecdsa/context.ts';
import type { DecStatement } from '../../src/ecdsa/dec.ts';
import { ownedPaillier } from '../../src/ecdsa/owner-paillier.ts';
import { add, encrypt, paillierKey, scale, subtract, type PaillierKey } from '../../src/ecdsa/paillier.ts';
import type { AffGWitness } from '../../src/ecdsa/prove-aff-g.ts';
import type { DecWitness } from '../../src/ecdsa/prove-dec.ts';
import { concat } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { seeded } from '../sharing/support.ts';
import { fixturePrimes } from '../support/primes.ts';

const primes = [0, 1].map(fixturePrimes);
/** Keys of two signers as their owners have them, and as others do. */
export const OWNED = primes.map(({ p, q }) => ownedPaillier(p, q));
export const PUBLIC = primes.map(({ p, q }) => paillierKey(p * q));

export const CTX: ProofContext = { bind: new Uint8Array(32).fill(7), prover: 1, verifier: 0 };
export const SEED = new Uint8Array(32).fill(9);

/** The code of what is thrown, or `passed`; anything but a CeremonyError goes through. */
export function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CeremonyError) return error.code;
    throw error;
  }
  return 'passed';
}

/** k·P for any integer. */
export const times = (group: Group, point: Point, k: bigint): Point => group.multiplyPublic(point, mod(k, group.order));

/** Moves the bytes at `at` by `by`. */
export function changed(bytes: Uint8Array, at: number, by: (old: number) => number = (b) => b ^ 1): Uint8Array {
  const out = bytes.slice();
  out[at] = by(out[at] as number);
  return out;
}

/** The proof with a part of it replaced. */
export const spliced = (proof: Uint8Array, at: number, part: Uint8Array): Uint8Array =>
  concat(proof.subarray(0, at), part, proof.subarray(at + part.length));

export interface DecCase {
  readonly st: DecStatement;
  readonly witness: DecWitness;
}

/**
 * What a signer proves in the error round, made of real parts: K = enc(k), and for each peer a D_l = x_l·K + y_l and an own
 * F_l, as they come out of the multiplication.
 * @param masks (y_l, -y of F_l) of each peer
 * @param H G in the round for δ, Γ in the one for χ
 */
export function decCase(curve: 'secp256k1' | 'p256', peers: readonly (readonly [bigint, bigint])[], H: 'base' | 'gamma' = 'base'): DecCase {
  const group = groupOf(curve);
  const random = seeded(`dec ${curve} ${H} ${String(peers.length)}`);
  const lift = (): bigint => centred(group.randomScalar(random), group.order);
  const key = OWNED[0] as (typeof OWNED)[number];
  const [x, k] = [lift(), lift()];
  const K = encrypt(key, k, unit(key.n, random));
  let [D, y] = [1n, x * k];
  for (const [yl, own] of peers) {
    const xl = lift();
    const Dl = add(key, scale(key, K, xl), encrypt(key, yl, unit(key.n, random)));
    D = add(key, D, subtract(key, Dl, encrypt(key, own, unit(key.n, random))));
    y += xl * k + yl - own;
  }
  const whole = add(key, scale(key, K, x), D);
  const point = H === 'base' ? group.base : group.multiply(group.base, group.randomScalar(random));
  return {
    st: { group, key: PUBLIC[0] as PaillierKey, K, D, X: times(group, group.base, x), S: times(group, point, y), H: point, signers: peers.length + 1 },
    witness: { x, y, rho: key.nonceOf(whole) },
  };
}

export interface AffGStarCase {
  readonly st: AffGStarStatement;
  readonly witness: AffGWitness;
}

/** Signer 0's part of a multiplication with signer 1: D = x·C + y under the key of 1, Y = enc(y) under the own. */
export function affGStarCase(curve: 'secp256k1' | 'p256', y: bigint): AffGStarCase {
  const group = groupOf(curve);
  const random = seeded(`aff-g* ${curve}`);
  const lift = (): bigint => centred(group.randomScalar(random), group.order);
  const [own, receiver] = [PUBLIC[0], OWNED[1]] as [PaillierKey, PaillierKey];
  const x = lift();
  const [rho, rhoY] = [unit(receiver.n, random), unit(own.n, random)];
  const C = encrypt(receiver, lift(), unit(receiver.n, random));
  return {
    st: {
      group,
      receiver: PUBLIC[1] as PaillierKey,
      own,
      C,
      D: add(receiver, scale(receiver, C, x), encrypt(receiver, y, rho)),
      Y: encrypt(own, y, rhoY),
      X: times(group, group.base, x),
    },
    witness: { x, y, rho, rhoY },
  };
}

/** Numbers that a cheat draws: reproducible, and as the honest prover's otherwise. */
export function draws(label: string): { symmetric(bound: bigint): bigint; unit(n: bigint): bigint } {
  const random = expand(SEED, `cheat ${label}`);
  return { symmetric: (bound) => symmetric(bound, random), unit: (n) => unit(n, random) };
}
