/**
 * The one set of parameters of threshold ECDSA (CGGMP24, protocol notes A.1). Public constants; nobody chooses them.
 *
 * The inequalities of the paper's appendix C.1 for a curve of 256 bits (κ = 256): ε ≥ ℓ + κ, ℓ' ≥ 3ℓ + ε and
 * log N ≥ ℓ' + ε. Two of our own: 2ℓ + ε fits into half a modulus, so that Π-fac excludes every small factor; and the
 * range of the proofs of the error rounds, ℓ' + 2ε + 1 + log t, stays below the modulus.
 */
import { bitLength } from '../arith/integer.ts';
import { fail } from '../wire/errors.ts';

/** Names the set in every challenge, so that no proof made under other numbers is one here. */
export const PARAMETER_SET = 'cggmp24/3072/v1';

/** ℓ: bits of a secret scalar lifted to the integers (the order of secp256k1 and P-256 has 256 bits). */
export const ELL = 256;
/** ε: bits by which a proof's response hides what it answers for, and the slack of every range. */
export const EPSILON = 512;
/** ℓ' = 3ℓ + ε: bits of the additive masks β of the multiplication. */
export const ELL_PRIME = 3 * ELL + EPSILON;
/** Bits of a Paillier modulus N and of a ring-Pedersen modulus N^, exactly. */
export const MODULUS_BITS = 3072;
/** Bits of each of their two primes. */
export const PRIME_BITS = MODULUS_BITS / 2;
/** m: repetitions of the proofs with one-bit challenges; one is guessed with probability 2^-m. */
export const REPETITIONS = 128;

/** 2^ℓ: the largest absolute value of a lifted scalar that a proof speaks about. */
export const SCALAR_BOUND = 1n << BigInt(ELL);
/** 2^(ℓ+ε): the largest absolute value of the response for a scalar. */
export const SCALAR_RESPONSE_BOUND = 1n << BigInt(ELL + EPSILON);
/** 2^ℓ': the largest absolute value of a mask β. */
export const MASK_BOUND = 1n << BigInt(ELL_PRIME);
/** 2^(ℓ'+ε): the largest absolute value of the response for a mask. */
export const MASK_RESPONSE_BOUND = 1n << BigInt(ELL_PRIME + EPSILON);

/** Bytes of a scalar and of a challenge. */
export const SCALAR_BYTES = ELL / 8;
/** Bytes of a prime. */
export const PRIME_BYTES = PRIME_BITS / 8;
/** Bytes of a modulus and of an element modulo N or N^. */
export const N_BYTES = MODULUS_BITS / 8;
/** Bytes of a Paillier ciphertext. */
export const N2_BYTES = 2 * N_BYTES;
/** Bytes of the absolute value of a response for a scalar, 2^(ℓ+ε) included. */
export const SCALAR_RESPONSE_BYTES = (ELL + EPSILON) / 8 + 1;
/** Bytes of the absolute value of a response for a mask, 2^(ℓ'+ε) included. */
export const MASK_RESPONSE_BYTES = (ELL_PRIME + EPSILON) / 8 + 1;
/** Bytes of the absolute value of a response for the exponent of t in a commitment: a little above 2^(ℓ+ε)·N^. */
export const BLIND_RESPONSE_BYTES = (ELL + EPSILON) / 8 + N_BYTES + 1;

/**
 * Every modulus is odd and has exactly {@link MODULUS_BITS} bits, whoever it comes from. What else a foreign modulus
 * must show is in aux-info.ts and the set-up proofs.
 * @throws E_MODULUS
 */
export function requireModulus(n: bigint, what: string): void {
  if (n <= 0n || bitLength(n) !== MODULUS_BITS || (n & 1n) === 0n)
    fail('E_MODULUS', `${what} is not an odd number of ${String(MODULUS_BITS)} bits`, { field: what });
}
