/**
 * Moduli whose factors are known: powers modulo each prime (or its square) and the Chinese remainder theorem. For their
 * owner only; everything here is secret.
 */
import { invert, mod } from './integer.ts';
import { adaptiveModulus, type Modulus, PRIME_SET_UP } from './modulus.ts';

/** The modulus p·q of a known factorisation. */
export interface OwnedModulus extends Modulus {
  readonly p: bigint;
  readonly q: bigint;
}

/** What belongs to one prime of an {@link OwnedSquare}. Secret. */
export interface OwnedPrime {
  readonly p: bigint;
  /** Powers modulo p. */
  readonly first: Modulus;
  /** Powers modulo p². */
  readonly second: Modulus;
}

/** The modulus (p·q)² of a known factorisation. */
export interface OwnedSquare extends OwnedModulus {
  /** What belongs to p and to q, in this order. */
  readonly sides: readonly [OwnedPrime, OwnedPrime];
  /** The number modulo (p·q)² with these residues modulo p² and q². */
  join(modP2: bigint, modQ2: bigint): bigint;
}

/** The Chinese remainder theorem for coprime m and n. @throws E_RANGE when they are not */
function joiner(m: bigint, n: bigint): (a: bigint, b: bigint) => bigint {
  const inverse = invert(n, m);
  return (a, b) => b + n * mod((a - b) * inverse, m);
}

/** A modulus with the order of its units. */
interface Side {
  readonly modulus: Modulus;
  readonly order: bigint;
}

/** base^exponent on one side, exponent >= 0. One that is longer than the order is shortened, which holds for non-units too as long as the order is added. */
function powerOf({ modulus, order }: Side, base: bigint, exponent: bigint): bigint {
  return modulus.pow(base, exponent < 2n * order ? exponent : (exponent % order) + order);
}

/** Powers on both sides. */
function powers(left: Side, right: Side, join: (a: bigint, b: bigint) => bigint): Modulus['pow'] {
  return (base, exponent) => {
    if (exponent >= 0n) return join(powerOf(left, base, exponent), powerOf(right, base, exponent));
    // the base is inverted, since an exponent reduced by the order would be long however short it was
    const on = (side: Side): bigint => powerOf(side, invert(base, side.modulus.n), -exponent);
    return join(on(left), on(right));
  };
}

/**
 * The modulus p·q for its owner: powers at half the price, at a quarter when exponents are long. Secret.
 * @param p a prime of 512 bits or more
 * @param q another one
 * @throws E_RANGE when they are the same; powers throw as {@link Modulus.pow}
 */
export function ownedModulus(p: bigint, q: bigint): OwnedModulus {
  const [left, right] = [p, q].map((prime) => ({ modulus: adaptiveModulus(prime, PRIME_SET_UP), order: prime - 1n })) as [Side, Side];
  return { n: p * q, p, q, pow: powers(left, right, joiner(p, q)) };
}

/** The modulus (p·q)² for its owner, as {@link ownedModulus}. Secret. */
export function ownedSquare(p: bigint, q: bigint): OwnedSquare {
  const sideOf = (prime: bigint): OwnedPrime => ({
    p: prime,
    first: adaptiveModulus(prime, PRIME_SET_UP),
    second: adaptiveModulus(prime * prime),
  });
  const sides = [sideOf(p), sideOf(q)] as const;
  const [left, right] = sides.map(({ p: prime, second }) => ({ modulus: second, order: prime * (prime - 1n) })) as [Side, Side];
  const join = joiner(left.modulus.n, right.modulus.n);
  return { n: left.modulus.n * right.modulus.n, p, q, sides, join, pow: powers(left, right, join) };
}

/** r^N modulo N² for N = p·q: modulo p² it is (r^q mod p)^p, since x^p mod p² depends on x mod p alone. Secret. */
export function nthPower({ sides: [left, right], join }: OwnedSquare, r: bigint): bigint {
  const power = (own: OwnedPrime, other: OwnedPrime): bigint => own.second.pow(own.first.pow(r, other.p), own.p);
  return join(power(left, right), power(right, left));
}
