/** Paillier encryption against another implementation, paillier-bigint; the owner's way against everybody's. */
import fc from 'fast-check';
import { PrivateKey, PublicKey } from 'paillier-bigint';
import { describe, expect, it } from 'vitest';
import { centred, gcd, invert, mod } from '../../src/arith/integer.ts';
import { below, symmetric, unit } from '../../src/arith/sample.ts';
import { ownedPaillier } from '../../src/ecdsa/owner-paillier.ts';
import { add, checkCiphertext, encrypt, paillierKey, scale, subtract } from '../../src/ecdsa/paillier.ts';
import { fixturePrimes } from '../support/primes.ts';
import { party, stream, textbookEncrypt, verdict } from '../support/proofs.ts';

const { p, q } = fixturePrimes(0);
const { key, ownKey } = party(0);
const { n, n2 } = key;
const lambda = ((p - 1n) * (q - 1n)) / gcd(p - 1n, q - 1n);
const peerPublic = new PublicKey(n, n + 1n);
const peer = new PrivateKey(lambda, invert(lambda, n), peerPublic, p, q);

const message = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, (n - 1n) / 2n, -(n - 1n) / 2n, n - 1n, n, n + 1n, -n),
  fc.bigInt(-(2n ** 256n), 2n ** 256n),
  fc.bigInt(-n, n),
);
/** A nonce from a number that fast-check can show. */
const nonce = fc.nat().map((i) => unit(n, stream(`nonce ${String(i)}`)));
const few = { numRuns: 8 };

describe('against paillier-bigint', () => {
  it('encrypts alike', () => {
    fc.assert(
      fc.property(message, nonce, (m, r) => {
        const c = peerPublic.encrypt(mod(m, n), r);
        expect(encrypt(key, m, r)).toBe(c);
        expect(encrypt(ownKey, m, r)).toBe(c);
        expect(textbookEncrypt(n, m, r)).toBe(c);
      }),
      few,
    );
  });
  it('decrypts alike, to the representative nearest zero', () => {
    fc.assert(
      fc.property(message, nonce, (m, r) => {
        const c = peerPublic.encrypt(mod(m, n), r);
        expect(ownKey.decrypt(c)).toBe(centred(m, n));
        expect(mod(ownKey.decrypt(c), n)).toBe(peer.decrypt(c));
      }),
      few,
    );
  });
  it('adds, subtracts and scales alike', () => {
    fc.assert(
      fc.property(message, message, nonce, nonce, fc.bigInt(0n, 2n ** 256n), (a, b, r, s, k) => {
        const [x, y] = [encrypt(ownKey, a, r), encrypt(ownKey, b, s)];
        const sum = peerPublic.addition(x, y);
        const product = peerPublic.multiply(x, k);
        for (const some of [key, ownKey]) {
          expect(add(some, x, y)).toBe(sum);
          expect(scale(some, x, k)).toBe(product);
          expect(add(some, subtract(some, x, y), y)).toBe(x);
          expect(mod(scale(some, x, -k) * product, n2)).toBe(1n);
        }
        expect(peer.decrypt(subtract(key, x, y))).toBe(mod(a - b, n));
        expect(peer.decrypt(scale(key, x, -k))).toBe(mod(-k * a, n));
      }),
      few,
    );
  });
});

describe('the owner', () => {
  it.each<[string, bigint, bigint]>([
    ['zero', 0n, 0n],
    ['the largest', (n - 1n) / 2n, (n - 1n) / 2n],
    ['one more', (n + 1n) / 2n, -(n - 1n) / 2n],
    ['the smallest', -(n - 1n) / 2n, -(n - 1n) / 2n],
    ['one less', -(n + 1n) / 2n, (n - 1n) / 2n],
    ['N', n, 0n],
  ])('reads %s', (_, m, expected) => {
    expect(ownKey.decrypt(encrypt(key, m, 12345n))).toBe(expected);
  });
  it('reads a ciphertext whose nonce is 1 or -1', () => {
    expect(ownKey.decrypt(1n)).toBe(0n);
    expect(ownKey.decrypt(n2 - 1n)).toBe(0n);
    expect(ownKey.decrypt(n + 1n)).toBe(1n);
  });
  it('finds the nonce, also of what it did not make', () => {
    fc.assert(
      fc.property(message, nonce, nonce, fc.bigInt(-(2n ** 256n), 2n ** 256n), (m, r, s, k) => {
        expect(ownKey.nonceOf(encrypt(ownKey, m, r))).toBe(r);
        // a·C + b, as the error rounds see it
        const c = add(ownKey, scale(ownKey, encrypt(ownKey, m, r), k), encrypt(ownKey, 7n, s));
        expect(encrypt(key, ownKey.decrypt(c), ownKey.nonceOf(c))).toBe(c);
      }),
      few,
    );
  });
  it('computes the powers that everybody computes', () => {
    const random = stream('powers');
    for (let i = 0; i < 3; i++) {
      const [r, c, k] = [unit(n, random), unit(n2, random), symmetric(2n ** 1300n, random)];
      expect(ownKey.nth(r)).toBe(key.nth(r));
      expect(ownKey.N.pow(r, k)).toBe(key.N.pow(r, k));
      expect(ownKey.N2.pow(c, k)).toBe(key.N2.pow(c, k));
    }
    expect([ownKey.n, ownKey.n2, ownKey.N.n, ownKey.N2.n]).toEqual([n, n2, n, n2]);
  });
  it.each<[string, bigint]>([
    ['zero', 0n],
    ['N', n],
    ['N²', n2],
    ['a multiple of p', p * 12345n],
    ['a multiple of q²', q * q],
    ['a negative number', -1n],
    ['a ciphertext and N²', n2 + n + 1n],
  ])('opens nothing for %s', (_, c) => {
    expect(verdict(() => ownKey.decrypt(c))).toBe('E_RANGE');
    expect(verdict(() => ownKey.nonceOf(c))).toBe('E_RANGE');
  });
});

describe('ciphertexts (row 13)', () => {
  it('are units in their canonical range', () => {
    const random = stream('ciphertexts');
    const good = [1n, n2 - 1n, n + 1n, encrypt(key, 5n, unit(n, random)), unit(n2, random)];
    const bad = [0n, -1n, n, 2n * n, n2, n2 + 1n, n2 - n, p, q, p * p, p * below(n, random), q * (n + 1n)];
    for (const some of [key, ownKey]) {
      expect(good.map((c) => verdict(() => checkCiphertext(some, c, 'C')))).toEqual(good.map(() => 'ok'));
      expect(bad.map((c) => verdict(() => checkCiphertext(some, c, 'C')))).toEqual(bad.map(() => 'E_RANGE'));
    }
  });
  it('cannot be inverted when they are no units', () => {
    expect(verdict(() => subtract(key, 1n, p))).toBe('E_RANGE');
    expect(verdict(() => scale(key, p, -2n))).toBe('E_RANGE');
    expect(verdict(() => scale(ownKey, p, -2n))).toBe('E_RANGE');
  });
});

describe('keys (row 12)', () => {
  it.each<[string, bigint]>([
    ['zero', 0n],
    ['a negative number', -n],
    ['an even number', n + 1n],
    ['3071 bits', (1n << 3071n) - 1n],
    ['3073 bits', (1n << 3072n) + 1n],
    ['2048 bits', (1n << 2048n) - 1n],
    ['8192 bits', (1n << 8192n) - 1n],
    ['1', 1n],
  ])('are not of %s', (_, modulus) => {
    expect(verdict(() => paillierKey(modulus))).toBe('E_MODULUS');
  });
  it('an owner cannot bring another size', () => {
    expect(verdict(() => ownedPaillier(p, 65537n))).toBe('E_MODULUS');
  });
});
