/**
 * The list of powers that every supported version of node must get right, with a plain square-and-multiply to compare
 * with. No test framework in here: `test/interop/node-versions.mjs` bundles it and runs it on other versions.
 */
import { getDiffieHellman } from 'node:crypto';
import { expand } from '../../src/arith/expand.ts';
import { bitLength, fromBytes, gcd, invert, isqrt, jacobi } from '../../src/arith/integer.ts';
import { exactPower, modPow } from '../../src/arith/modexp.ts';
import { probablyPrime } from '../../src/arith/primes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';

export const SIZES = [512, 513, 1536, 3071, 3072, 6144, 8192] as const;

const SEED = new Uint8Array(32).fill(0x5a);

/** Reproducible noise of exactly so many bits; the top bits are `lead` (3 bits). */
export function noise(bits: number, label: string, lead = 7n): bigint {
  const wide = fromBytes(expand(SEED, `test/${label}`)((bits + 7) >> 3)) % (1n << BigInt(bits - 3));
  return (lead << BigInt(bits - 3)) | wide;
}

/** A reproducible prime of exactly so many bits with these three top bits. */
export function primeOf(bits: number, label: string, lead = 7n): bigint {
  let p = noise(bits, `prime ${label}`, lead) | 1n;
  while (!probablyPrime(p)) p += 2n;
  return p;
}

const rfc = (name: string): bigint => BigInt(`0x${getDiffieHellman(name).getPrime('hex')}`);

/** Square and multiply, nothing else: what everything is compared with. */
export function plainPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let b = ((base % modulus) + modulus) % modulus;
  let result = 1n % modulus;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus;
    b = (b * b) % modulus;
  }
  return result;
}

export interface TestModulus {
  readonly name: string;
  readonly m: bigint;
  /** Prime factors, each named once, where the list needs them. */
  readonly factors: readonly bigint[];
  /** Setting up the exact mode takes many seconds: a long prime. */
  readonly slow: boolean;
}

/** A product of so many bits, made of primes whose top bits are tried until it fits. */
function fitted(bits: number, make: (lead: bigint) => readonly bigint[], value: (factors: readonly bigint[]) => bigint): readonly bigint[] {
  for (const lead of [7n, 6n, 5n, 4n]) {
    const factors = make(lead);
    if (bitLength(value(factors)) === bits) return factors;
  }
  throw new Error(`no product of ${String(bits)} bits`);
}

const product = (factors: readonly bigint[]): bigint => factors.reduce((a, b) => a * b, 1n);
const square = (factors: readonly bigint[]): bigint => product(factors) ** 2n;

/** Primes that take too long to find anew. */
const LONG: Readonly<Record<number, () => readonly bigint[]>> = {
  // 2^3071 - 187 is prime
  3071: () => [(1n << 3071n) - 187n],
  3072: () => [rfc('modp15')],
  6144: () => [rfc('modp17')],
  8192: () => [rfc('modp18')],
};

/** Prime, N, N², p² of a size. */
function structured(bits: number): (readonly [string, readonly bigint[], bigint])[] {
  const high = Math.ceil(bits / 2);
  const quarter = Math.ceil(high / 2);
  const prime = LONG[bits]?.() ?? [primeOf(bits, 'p')];
  const big = bits > 3072;
  const N = big
    ? [rfc(bits === 6144 ? 'modp16' : 'modp17'), rfc('modp14')]
    : fitted(bits, (lead) => [primeOf(high, 'p', lead), primeOf(bits - high, 'q')], product);
  const N2 = fitted(bits, (lead) => [bits === 8192 ? rfc('modp14') : primeOf(quarter, 'p', lead), bits === 8192 ? (1n << 2048n) - 1557n : primeOf(high - quarter, 'q')], square);
  const p2 = big ? [rfc(bits === 6144 ? 'modp15' : 'modp16')] : fitted(bits, (lead) => [primeOf(high, 'p', lead)], square);
  return [
    ['prime', prime, product(prime)],
    ['N', N, product(N)],
    ['N²', N2, square(N2)],
    ['p²', p2, square(p2)],
  ];
}

/** Odd, of a size, with this residue modulo `by`. */
function withResidue(bits: number, label: string, by: bigint, residue: bigint): bigint {
  let m = noise(bits, label, 5n) | 1n;
  while (m % by !== residue) m += 2n;
  return m;
}

/** 3·5·7·...·43, so that the padding needs another prime than 3. */
const SMOOTH = 3n * 5n * 7n * 11n * 13n * 17n * 19n * 23n * 29n * 31n * 37n * 41n * 43n;

/** The moduli of one size. */
export function moduliOf(bits: number): TestModulus[] {
  const all: TestModulus[] = structured(bits).map(([name, factors, m]) => ({ name, factors, m, slow: name === 'prime' && bits > 3072 }));
  for (const [name, m] of [
    ['1 mod 3', withResidue(bits, '1 mod 3', 3n, 1n)],
    ['2 mod 3', withResidue(bits, '2 mod 3', 3n, 2n)],
    ['0 mod 3', withResidue(bits, '0 mod 3', 3n, 0n)],
    ['0 mod 3·5·…·43', (noise(bits - bitLength(SMOOTH) + 1, 'smooth', 4n) | 1n) * SMOOTH],
  ] as const)
    all.push({ name, m, factors: [], slow: false });
  for (const { name, m } of all) if (bitLength(m) !== bits || m % 2n === 0n) throw new Error(`${name} of ${String(bits)} bits was made wrongly`);
  return all;
}

export interface PowerCase {
  readonly name: string;
  readonly base: bigint;
  readonly exponent: bigint;
  /** The result, where theory gives it. */
  readonly result?: bigint;
}

/**
 * Bases and exponents in all combinations, but exponents of the modulus's length only with few bases when that is long.
 * @param all with every exponent also where plain powers take most of a second each
 */
export function casesOf({ m, factors }: TestModulus, all = bitLength(m) <= 3072): PowerCase[] {
  const bits = bitLength(m);
  const nonUnit = factors[0] !== undefined && factors[0] !== m ? factors[0] * (m / factors[0] / 3n) : m % 3n === 0n ? 3n * (m / 7n) : m;
  const bases: [string, bigint][] = [
    ['0', 0n], ['1', 1n], ['2', 2n], ['3', 3n], ['m-2', m - 2n], ['m-1', m - 1n], ['m', m], ['m+1', m + 1n], ['2m+5', 2n * m + 5n], ['-1', -1n], ['-3', -3n],
    ['no unit', nonUnit], ['random', noise(bits, 'base') % m], ['random, long', noise(2 * bits, 'base')],
  ];
  const short: [string, bigint][] = [
    ['0', 0n], ['1', 1n], ['2', 2n], ['3', 3n], ['2^64', 1n << 64n], ['65537', 65537n], ['-1', -1n], ['-2', -2n], ['-65537', -65537n],
  ];
  const long: [string, bigint][] = [
    ['longer than m', noise(bits + 70, 'exponent')], ['256 bits', noise(256, 'exponent')], ['-256 bits', -noise(256, 'exponent')],
    ...(all ? ([['m-1', m - 1n], ['random', noise(bits - 3, 'exponent')], ['-random', -noise(bits - 5, 'exponent')]] as [string, bigint][]) : []),
  ];
  const someBases = bits <= 513 ? bases : bases.filter(([name]) => name === 'random' || (bits < 3071 && ['m-1', 'no unit', '-3'].includes(name)));
  const cross = (b: [string, bigint][], e: [string, bigint][]): PowerCase[] =>
    b.flatMap(([bn, base]) => e.map(([en, exponent]) => ({ name: `(${bn})^(${en})`, base, exponent })));
  return [...cross(bases, short), ...cross(someBases, long), ...resultsOf(m, factors)];
}

/** Powers of bases other than 0, 1 and -1 whose results are 0, 1 and m-1. */
function resultsOf(m: bigint, factors: readonly bigint[]): PowerCase[] {
  const [p, q] = factors;
  if (p === undefined) return [];
  const x = noise(bitLength(m), 'result') % m;
  if (m === p) {
    let z = 2n;
    while (jacobi(z, p) === 1) z++;
    return [
      { name: 'x^(p-1) = 1', base: x, exponent: p - 1n, result: 1n },
      { name: 'z^((p-1)/2) = -1', base: z, exponent: (p - 1n) / 2n, result: m - 1n },
      { name: 'z²^((p-1)/2) = 1', base: z * z, exponent: (p - 1n) / 2n, result: 1n },
    ];
  }
  const out: PowerCase[] = [];
  const root = isqrt(m);
  if (root * root === m)
    out.push(
      { name: '(5·root)² = 0', base: root * 5n, exponent: 2n, result: 0n },
      { name: '(x·root)^65537 = 0', base: root * (x % root), exponent: 65537n, result: 0n },
      { name: '(1+root)^root = 1', base: 1n + root, exponent: root, result: 1n },
      { name: '(-1-root)^root = -1', base: m - 1n - root, exponent: root, result: m - 1n },
    );
  if (q === undefined) {
    // what the decryption of an encryption of 0 meets
    out.push({ name: '(x^p)^(p-1) = 1', base: plainPower(x, p, m), exponent: p - 1n, result: 1n });
  } else {
    // 1 on one side and -1 on the other
    const [a, b] = root * root === m ? [p * p, q * q] : [p, q];
    const half = (1n + a * (((b - 2n) * invert(a, b)) % b)) % m;
    out.push(
      { name: '(1, -1)² = 1', base: half, exponent: 2n, result: 1n },
      { name: '(1, -1)³', base: half, exponent: 3n, result: half },
      { name: '(1, -1)^-2 = 1', base: half, exponent: -2n, result: 1n },
    );
  }
  return out;
}

/** What a function gives: the number, or the code with which it refuses. */
export function outcome(run: () => bigint): bigint | string {
  try {
    return run();
  } catch (error) {
    return error instanceof CeremonyError ? error.code : String(error);
  }
}

/** What must come out. */
export function expected({ base, exponent, result }: PowerCase, m: bigint): bigint | string {
  if (result !== undefined) return result;
  if (exponent >= 0n) return plainPower(base, exponent, m);
  return gcd(base, m) === 1n ? plainPower(invert(base, m), -exponent, m) : 'E_RANGE';
}

/** Both modes on every case of a modulus: descriptions of what is wrong. */
export function failuresOf(modulus: TestModulus, modes: readonly ('once' | 'reuse')[], all?: boolean): { failures: string[]; cases: number } {
  const { m } = modulus;
  const failures: string[] = [];
  const cases = casesOf(modulus, all);
  const exact = modes.includes('reuse') ? exactPower(m) : undefined;
  for (const each of cases) {
    const want = expected(each, m);
    if (modes.includes('once') && outcome(() => modPow(each.base, each.exponent, m)) !== want) failures.push(`once: ${each.name} modulo ${modulus.name}`);
    if (exact && outcome(() => exact(each.base, each.exponent)) !== want) failures.push(`reuse: ${each.name} modulo ${modulus.name}`);
  }
  return { failures, cases: cases.length * modes.length };
}

/** What is no modulus. */
export const REFUSED: readonly (readonly [string, bigint])[] = [
  ['0', 0n], ['1', 1n], ['-1', -1n], ['2', 2n], ['3', 3n], ['negative', -noise(3072, 'negative') | 1n], ['even', noise(3072, 'even') & ~1n], ['511 bits', noise(511, 'short') | 1n],
  ['9217 bits', noise(9217, 'long') | 1n], ['16384 bits', noise(16384, 'long') | 1n],
];

/** Many small powers with random moduli: results with leading zeros are among them. */
export function randomFailures(count: number): string[] {
  const stream = expand(SEED, 'test/random powers');
  const number = (bytes: number): bigint => fromBytes(stream(bytes));
  const failures: string[] = [];
  for (let i = 0; i < count; i++) {
    const m = number(64 + (i % 70)) | 1n | (1n << 511n);
    const each = { name: '', base: number(64 + (i % 90)), exponent: number(1 + (i % 9)) };
    const want = expected(each, m);
    if (outcome(() => modPow(each.base, each.exponent, m)) !== want) failures.push(`once: round ${String(i)}`);
    if (outcome(() => exactPower(m)(each.base, each.exponent)) !== want) failures.push(`reuse: round ${String(i)}`);
  }
  return failures;
}
