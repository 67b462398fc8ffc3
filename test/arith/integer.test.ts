import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areUnits, bitLength, centred, fromBytes, gcd, invert, isqrt, isUnit, jacobi, mod, toBytes } from '../../src/arith/integer.ts';
import { noise, outcome, plainPower, primeOf } from './powers.ts';

const big = fc.bigInt({ min: -(1n << 400n), max: 1n << 400n });
const natural = fc.bigInt({ min: 0n, max: 1n << 700n });
const positive = fc.bigInt({ min: 1n, max: 1n << 400n });

describe('size and bytes', () => {
  it('bits are those of the binary digits', () => {
    expect([0n, 1n, 2n, 3n, 255n, 256n, -1n, -256n].map(bitLength)).toEqual([0, 1, 2, 2, 8, 9, 1, 9]);
    fc.assert(fc.property(natural, (n) => { expect(bitLength(n)).toBe(n === 0n ? 0 : n.toString(2).length); expect(bitLength(-n)).toBe(bitLength(n)); }));
    for (let i = 1n; i < 200n; i++) expect([bitLength((1n << i) - 1n), bitLength(1n << i)]).toEqual([Number(i), Number(i) + 1]);
  });
  it('there and back, big-endian, padded', () => {
    expect(toBytes(0x0102n, 4)).toEqual(Uint8Array.of(0, 0, 1, 2));
    expect(fromBytes(Uint8Array.of(0, 0, 1, 2))).toBe(0x0102n);
    expect([fromBytes(new Uint8Array(0)), toBytes(0n, 1)]).toEqual([0n, new Uint8Array(1)]);
    fc.assert(fc.property(natural, fc.nat(5), (n, more) => { expect(fromBytes(toBytes(n, Math.ceil(bitLength(n) / 8) + more))).toBe(n); }));
    fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), (b) => { expect(toBytes(fromBytes(b), b.length)).toEqual(b); }));
  });
  it('a view of a larger buffer is read where it lies', () => {
    expect(fromBytes(Uint8Array.of(9, 1, 2, 9).subarray(1, 3))).toBe(0x0102n);
  });
  it.each([[256n, 1], [-1n, 4], [-256n, 8], [1n << 64n, 8]])('%i does not fit %i bytes', (n, length) => {
    expect(outcome(() => fromBytes(toBytes(n, length)))).toBe('E_INTERNAL');
  });
});

describe('residues', () => {
  it('mod lies in [0, m), centred in (-m/2, m/2]', () => {
    fc.assert(
      fc.property(big, positive, (a, m) => {
        const [r, c] = [mod(a, m), centred(a, m)];
        expect([r >= 0n && r < m, (a - r) % m, 2n * c > -m && 2n * c <= m, (a - c) % m]).toEqual([true, 0n, true, 0n]);
      }),
    );
    expect([-5n, -4n, -3n, 0n, 3n, 4n, 5n].map((a) => centred(a, 8n))).toEqual([3n, 4n, -3n, 0n, 3n, 4n, -3n]);
    expect([3n, 4n, -3n, -4n].map((a) => centred(a, 7n))).toEqual([3n, -3n, -3n, 3n]);
    expect([-1n, -8n, 8n, 17n].map((a) => mod(a, 8n))).toEqual([7n, 0n, 0n, 1n]);
  });
  it('gcd', () => {
    expect([gcd(0n, 0n), gcd(0n, 7n), gcd(-7n, 0n), gcd(-12n, 18n), gcd(12n, -18n), gcd(17n, 5n)]).toEqual([0n, 7n, 7n, 6n, 6n, 1n]);
    fc.assert(fc.property(big, big, positive, (a, b, c) => { expect(gcd(a * c, b * c)).toBe(gcd(a, b) * c); expect(gcd(a, b)).toBe(gcd(b, a + 5n * b)); }));
  });
  it('an inverse, or E_RANGE', () => {
    let refused = 0;
    fc.assert(
      fc.property(big, positive, (a, m) => {
        const x = outcome(() => invert(a, m));
        if (gcd(a, m) !== 1n) refused++;
        if (gcd(a, m) !== 1n) expect(x).toBe('E_RANGE');
        else expect([mod((x as bigint) * a, m), (x as bigint) >= 0n && (x as bigint) < m]).toEqual([1n % m, true]);
      }),
    );
    expect(refused).toBeGreaterThan(0);
    expect([0n, 5n, 10n, 15n, -5n].map((a) => outcome(() => invert(a, 15n)))).toEqual(Array(5).fill('E_RANGE'));
    expect([invert(1n, 15n), invert(-1n, 15n), invert(17n, 15n), invert(7n, 1n)]).toEqual([1n, 14n, 8n, 0n]);
  });
});

describe('the Jacobi symbol', () => {
  it('of a prime is Euler’s criterion', () => {
    for (const p of [3n, 5n, 7n, 11n, 13n, 17n, 10007n, primeOf(300, 'jacobi')])
      for (let a = -20n; a < 60n; a++) {
        const euler = plainPower(a, (p - 1n) / 2n, p);
        expect([a, p, jacobi(a, p)]).toEqual([a, p, euler === p - 1n ? -1 : Number(euler)]);
      }
  });
  it('is the product over the factors, and 0 with a common one', () => {
    const odd = fc.bigInt({ min: 0n, max: 1n << 200n }).map((n) => 2n * n + 1n);
    fc.assert(
      fc.property(big, big, odd, odd, (a, b, m, n) => {
        expect(jacobi(a, m * n)).toBe(jacobi(a, m) * jacobi(a, n) + 0);
        expect(jacobi(a * b, n)).toBe(jacobi(a, n) * jacobi(b, n) + 0);
        expect(jacobi(a, n) === 0).toBe(gcd(a, n) !== 1n);
      }),
    );
    expect([jacobi(0n, 1n), jacobi(5n, 1n), jacobi(0n, 9n), jacobi(2n, 9n), jacobi(3n, 9n)]).toEqual([1, 1, 0, 1, 0]);
  });
  it('of a number with many trailing zeros', () => {
    const p = primeOf(300, 'jacobi');
    for (const k of [63n, 64n, 65n, 127n, 128n, 129n, 250n]) expect([k, jacobi(1n << k, p)]).toEqual([k, k % 2n === 0n ? 1 : jacobi(2n, p)]);
  });
  it.each([0n, -3n, 4n])('has no modulus %i', (n) => {
    expect(outcome(() => BigInt(jacobi(1n, n)))).toBe('E_INTERNAL');
  });
});

describe('square roots', () => {
  it('are the floor', () => {
    for (let n = 0n; n < 2000n; n++) expect(isqrt(n) ** 2n <= n && (isqrt(n) + 1n) ** 2n > n).toBe(true);
    fc.assert(fc.property(natural, (n) => { const r = isqrt(n); expect(r * r <= n && (r + 1n) * (r + 1n) > n).toBe(true); }));
    for (const bits of [511, 512, 3071, 3072]) {
      const r = noise(bits, 'root');
      expect([isqrt(r * r), isqrt(r * r - 1n), isqrt(r * r + 2n * r)]).toEqual([r, r - 1n, r]);
    }
  });
  it('of a negative number there is none', () => {
    expect(outcome(() => isqrt(-1n))).toBe('E_INTERNAL');
  });
});

describe('units', () => {
  const [p, q] = [primeOf(200, 'p'), primeOf(210, 'q')];
  const n = p * q;
  const no = [0n, n, -1n, n + 1n, p, q, 7n * p, n - q, 2n * n + 5n, -n];
  const yes = [1n, 2n, n - 1n, n - 2n, p + 1n];
  it('lie in (0, n) and have no common factor', () => {
    expect(no.filter((a) => isUnit(a, n))).toEqual([]);
    expect(yes.filter((a) => !isUnit(a, n))).toEqual([]);
  });
  it('a list is one of units when each is', () => {
    expect([areUnits([], n), areUnits(yes, n)]).toEqual([true, true]);
    for (const a of no) for (let i = 0; i <= yes.length; i++) expect([a, areUnits([...yes.slice(0, i), a, ...yes.slice(i)], n)]).toEqual([a, false]);
    expect(areUnits([p, q], n)).toBe(false);
  });
});
