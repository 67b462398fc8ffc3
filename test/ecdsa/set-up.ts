/** Participants with the test primes, moduli that no honest participant has, and timing, for the tests of set-up proofs. */
import { createDiffieHellmanGroup } from 'node:crypto';
import { expect } from 'vitest';
import { ownedModulus, type OwnedModulus } from '../../src/arith/owner.ts';
import type { AuxInfo } from '../../src/ecdsa/aux-info.ts';
import type { ProofContext } from '../../src/ecdsa/context.ts';
import { type AuxSecret, drawAux, orderOfRing } from '../../src/ecdsa/make-aux.ts';
import { ringPedersen, ringPedersenOf, type RingPedersen } from '../../src/ecdsa/ring-pedersen.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { seeded } from '../sharing/support.ts';
import { fixturePrimes } from '../support/primes.ts';

export interface Party {
  readonly primes: AuxSecret;
  readonly aux: AuxInfo;
  readonly lambda: bigint;
  /** φ(N^). */
  readonly phi: bigint;
  /** The parameters as others have them, and as their owner does. */
  readonly ring: RingPedersen;
  readonly ownRing: RingPedersen;
  /** N with its factors. */
  readonly N: OwnedModulus;
}

const parties = new Map<number, Party>();

/** The i-th participant, from 0; always the same. */
export function party(i: number): Party {
  const known = parties.get(i);
  if (known) return known;
  const primes = fixturePrimes(i);
  const { aux, lambda } = drawAux(primes, seeded(`aux/${String(i)}`));
  const made = {
    primes,
    aux,
    lambda,
    phi: orderOfRing(primes),
    ring: ringPedersen(aux.nHat, aux.s, aux.t),
    ownRing: ringPedersenOf(ownedModulus(primes.pHat, primes.qHat), aux.s, aux.t),
    N: ownedModulus(primes.p, primes.q),
  };
  parties.set(i, made);
  return made;
}

export const bind = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
/** A proof of participant 1 for everybody. */
export const ctx: ProofContext = { bind: bind(1), prover: 1, verifier: 0 };
/** Contexts that differ from it in one thing each. */
export const otherContexts: readonly ProofContext[] = [
  { ...ctx, bind: bind(2) },
  { ...ctx, prover: 2 },
  { ...ctx, verifier: 3 },
];

/** The first prime = 3 mod 4 (one of them: 1 mod 4) above a power of two, and the one after that; found once. */
export const ABOVE = {
  63: 2n ** 63n + 99n,
  199: 2n ** 199n + 123n,
  512: 2n ** 512n + 75n,
  768: 2n ** 768n + 183n,
  next768: 2n ** 768n + 427n,
  1473: 2n ** 1473n + 7047n,
  1534: 2n ** 1534n + 1983n,
  1535: 2n ** 1535n + 699n,
  /** = 1 mod 4. */
  1536: 2n ** 1536n + 1381n,
  1537: 2n ** 1537n + 5879n,
  2872: 2n ** 2872n + 5475n,
  3008: 2n ** 3008n + 4927n,
  3055: 2n ** 3055n + 4395n,
  3056: 2n ** 3056n + 3171n,
} as const;

/** The largest prime = 3 mod 4 below 2^16 and the smallest above. */
export const BELOW_SMALL = 65519n;
export const ABOVE_SMALL = 65539n;

const { p, q } = fixturePrimes(0);
/** RFC 3526's prime of 3072 bits. */
const prime3072 = BigInt(`0x${createDiffieHellmanGroup('modp15').getPrime('hex')}`);

/** Numbers that no check may take for a modulus, each wrong in exactly one thing. */
export const badModuli: readonly (readonly [string, bigint])[] = [
  ['of 2048 bits', p * ABOVE[512]],
  ['of 3070 bits', p * ABOVE[1534]],
  ['of 3071 bits', p * ABOVE[1535]],
  ['of 3073 bits', p * ABOVE[1537]],
  ['of 8192 bits', p * q * party(1).aux.n * ABOVE[512] ** 4n],
  ['tiny', 15n],
  ['one', 1n],
  ['zero', 0n],
  ['negative', -p * q],
  ['even', 2n * p * ABOVE[1535]],
  ['prime', prime3072],
  ['with the factor 65519', BELOW_SMALL * ABOVE[3056]],
  ['with the factor 3', 3n * ABOVE[1535] ** 2n],
];

/** The result of a call that must not take a second of processor time, however busy the machine is. */
export function quickly<T>(run: () => T): T {
  const start = process.cpuUsage();
  const out = run();
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(1000);
  return out;
}

/** Code and text of the CeremonyError that `run` throws; anything else fails the test. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (e instanceof CeremonyError) return `${e.code} ${e.message}`;
    throw e;
  }
  return 'no error';
}

/** A copy with one byte changed. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  (copy[at] as number) ^= 1;
  return copy;
}
