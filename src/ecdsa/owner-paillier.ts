/**
 * The owner's side of a Paillier key: decryption, the nonce of a ciphertext, and the public operations by way of the
 * factors. Secret. What it gives is the same as the public key's, so that no verdict depends on who computes.
 */
import { expand } from '../arith/expand.ts';
import { centred, invert, mod, toBytes } from '../arith/integer.ts';
import { nthPower, ownedModulus, ownedSquare, type OwnedPrime } from '../arith/owner.ts';
import { below, unit } from '../arith/sample.ts';
import { concat } from '../wire/bytes.ts';
import { checkCiphertext, encrypt, type PaillierKey } from './paillier.ts';
import { N2_BYTES, PRIME_BYTES, requireModulus } from './parameters.ts';

export interface OwnedPaillierKey extends PaillierKey {
  /** The message in (-N/2, N/2); secret. @throws E_RANGE for what is no ciphertext */
  decrypt(c: bigint): bigint;
  /** ρ in Z*_N with c = (1+mN)·ρ^N mod N² (the witness of Π-dec, A.5); secret. @throws E_RANGE for what is no ciphertext */
  nonceOf(c: bigint): bigint;
}

/**
 * The key of two primes.
 * @param p, q secret primes with a product of the right size
 * @throws E_MODULUS for another size
 */
export function ownedPaillier(p: bigint, q: bigint): OwnedPaillierKey {
  const n = p * q;
  requireModulus(n, 'the Paillier modulus');
  const N = ownedModulus(p, q);
  const N2 = ownedSquare(p, q);
  const key: PaillierKey = { n, n2: n * n, N, N2, nth: (r) => nthPower(N2, r) };
  const root = invert(n, (p - 1n) * (q - 1n));
  const qInverse = invert(q, p);
  const secret = concat(toBytes(p, PRIME_BYTES), toBytes(q, PRIME_BYTES));

  /** m mod p: c^(p-1) = 1 - m·N mod p², since r^(N·(p-1)) = 1 there.*/
  const residue = (c: bigint, side: OwnedPrime, inverseOfOther: bigint): bigint =>
    mod(((1n - side.second.pow(c, side.p - 1n)) / side.p) * inverseOfOther, side.p);
  const [atP, atQ] = N2.sides;
  const pInverse = invert(p, q);

  return {
    ...key,
    decrypt: (c) => {
      checkCiphertext(key, c, 'ciphertext');
      // blinded: what is computed on is another ciphertext of another message, for each c and each key
      const random = expand(secret, 'decryption-blind/v1', toBytes(c, N2_BYTES));
      const shift = below(n, random);
      const blinded = (c * encrypt(key, shift, unit(n, random))) % key.n2;
      const mp = residue(blinded, atP, qInverse);
      const mq = residue(blinded, atQ, pInverse);
      return centred(mq + q * mod((mp - mq) * qInverse, p) - shift, n);
    },
    nonceOf: (c) => {
      checkCiphertext(key, c, 'ciphertext');
      // modulo N the message's factor 1+mN is 1
      return N.pow(c % n, root);
    },
  };
}
