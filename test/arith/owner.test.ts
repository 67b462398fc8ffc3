/** Powers by way of the factors give what powers without them give, for every base and exponent. */
import { describe, expect, it } from 'vitest';
import { gcd } from '../../src/arith/integer.ts';
import { modPow } from '../../src/arith/modexp.ts';
import { publicModulus } from '../../src/arith/modulus.ts';
import { nthPower, ownedModulus, ownedSquare } from '../../src/arith/owner.ts';
import { noise, outcome, plainPower, primeOf } from './powers.ts';

const p = primeOf(512, 'owner p');
const q = primeOf(530, 'owner q');
const N = p * q;

describe.each([
  ['N', ownedModulus(p, q), N],
  ['N²', ownedSquare(p, q), N * N],
] as const)('modulo %s', (_, owned, m) => {
  it('is that modulus', () => {
    expect([owned.n, owned.p, owned.q]).toEqual([m, p, q]);
  });
  const order = m === N ? (p - 1n) * (q - 1n) : N * (p - 1n) * (q - 1n);
  const exponents = [0n, 1n, 2n, 3n, 65537n, p - 2n, p - 1n, p, 2n * (p - 1n), 2n * (p - 1n) - 1n, 2n * p * (p - 1n), p * (p - 1n), 2n * q * (q - 1n), N, m, order, order + 1n, 7n * order, noise(4000, 'exponent')];
  const bases = [0n, 1n, 2n, m - 1n, m, m + 1n, -3n, 2n * m + 5n, p, q, 5n * p, p * p, p * p * 7n, q * q, N, noise(1000, 'base'), noise(3000, 'base')];
  it.each(bases.map((b, i) => [i, b] as const))('base %i of the list', (i, base) => {
    for (const [j, e] of [...exponents, ...exponents.slice(1).map((x) => -x)].entries())
      expect([i, j, outcome(() => owned.pow(base, e))]).toEqual([i, j, outcome(() => modPow(base, e, m))]);
  });
  it('the list has units and others, on one side and on both', () => {
    expect(new Set(bases.map((b) => gcd(b, N)))).toEqual(new Set([1n, p, q, N]));
  });
  it('goes on being right after the objects are exact', () => {
    const fresh = m === N ? ownedModulus(p, q) : ownedSquare(p, q);
    for (let i = 0; i < 70; i++) expect(fresh.pow(BigInt(i), N)).toBe(i < 5 || i > 65 ? plainPower(BigInt(i), N, m) : publicModulus(m).pow(BigInt(i), N));
  });
});

describe('r^N modulo N²', () => {
  const square = ownedSquare(p, q);
  it.each([0n, 1n, 2n, N - 1n, N, N + 1n, p, 3n * q, -5n, noise(1041, 'r'), noise(2080, 'r')].map((r, i) => [i, r] as const))('r %i of the list', (_, r) => {
    expect(nthPower(square, r)).toBe(plainPower(r, N, N * N));
  });
  it('many', () => {
    for (let i = 2n; i < 80n; i++) expect(nthPower(square, i)).toBe(publicModulus(N * N).pow(i, N));
  });
  it('the two sides are those of p and q', () => {
    expect(square.sides.map((s) => [s.p, s.first.n, s.second.n])).toEqual([[p, p, p * p], [q, q, q * q]]);
    const x = noise(2000, 'x') % (N * N);
    expect(square.join(x % (p * p), x % (q * q))).toBe(x);
  });
});

it('twice the same prime is no pair', () => {
  expect(outcome(() => ownedModulus(p, p).n)).toBe('E_RANGE');
  expect(outcome(() => ownedSquare(p, p).n)).toBe('E_RANGE');
});
