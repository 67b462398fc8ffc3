/**
 * One modular exponentiation: OpenSSL in both modes against BigInt, by turns in one run.
 *
 *   npm run bench:modexp              the sizes of threshold ECDSA
 *   npm run bench:modexp -- 21        so many rounds instead of 11
 *
 * "reuse" is a cached object (its set-up apart), "once" the padded form that needs none, "best BigInt" the fastest of three: a
 * sliding window over the % operator, over Montgomery's and over Barrett's reduction, the last two with their constants
 * computed beforehand; "reference" is what takes over where OpenSSL is missing. `bigint-mod-arith` is measured where it is
 * installed. All results are compared. Times are the processor's, not the clock's. The last table shows what time tells about an exponent.
 */
import { createDiffieHellman, randomBytes } from 'node:crypto';
import { bitLength, fromBytes, invert, toBytes } from '../src/arith/integer.ts';
import { exactPower, modPow, paddedBits, usesOpenssl } from '../src/arith/modexp.ts';
import { modPowReference } from '../src/arith/reference.ts';

const ROUNDS = Number(process.argv[2] ?? 11);
const SIZES = [[1536, 1536], [3072, 256], [3072, 3072], [6144, 256], [6144, 1280], [6144, 3072]] as const;
// rarely installed, hence by a name that neither bundler nor compiler looks up
const OTHER: string = 'bigint-mod-arith';

type Power = (base: bigint, exponent: bigint) => bigint;
type Multiply = (a: bigint, b: bigint) => bigint;

const random = (bits: number): bigint => (fromBytes(randomBytes(bits >> 3)) % (1n << BigInt(bits - 1))) | (1n << BigInt(bits - 1));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/** Odd powers of the base in a table, runs of zeros skipped. */
function slidingWindow(multiply: Multiply, base: bigint, exponent: bigint): bigint {
  const width = bitLength(exponent) <= 256 ? 5 : 6;
  const square = multiply(base, base);
  const odd = [base];
  for (let i = 1; i < 1 << (width - 1); i++) odd.push(multiply(odd[i - 1] as bigint, square));
  const bits = exponent.toString(2);
  let result: bigint | undefined;
  for (let at = 0; at < bits.length; ) {
    if (bits[at] === '0') {
      result = multiply(result as bigint, result as bigint);
      at++;
      continue;
    }
    let end = Math.min(at + width, bits.length);
    while (bits[end - 1] === '0') end--;
    const power = odd[Number.parseInt(bits.slice(at, end), 2) >> 1] as bigint;
    if (result === undefined) result = power;
    else {
      for (; at < end; at++) result = multiply(result, result);
      result = multiply(result, power);
    }
    at = end;
  }
  return result ?? 1n;
}

function withRemainder(m: bigint): Power {
  return (base, exponent) => slidingWindow((a, b) => (a * b) % m, base, exponent);
}

function withMontgomery(m: bigint): Power {
  const k = BigInt(bitLength(m));
  const R = 1n << k;
  const mask = R - 1n;
  const negated = R - invert(m, R);
  const multiply: Multiply = (a, b) => {
    const t = a * b;
    const u = (t + ((((t & mask) * negated) & mask) * m)) >> k;
    return u >= m ? u - m : u;
  };
  return (base, exponent) => multiply(slidingWindow(multiply, (base << k) % m, exponent), 1n);
}

function withBarrett(m: bigint): Power {
  const k = BigInt(bitLength(m));
  const mu = (1n << (2n * k)) / m;
  const multiply: Multiply = (a, b) => {
    const t = a * b;
    let r = t - (((t >> k) * mu) >> k) * m;
    while (r >= m) r -= m;
    return r;
  };
  return (base, exponent) => slidingWindow(multiply, base, exponent);
}

/** Milliseconds of processor time so far; unlike the clock it stands still while others run. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Median milliseconds of processor time of each, by turns. All must give the same. */
function measure(contestants: ReadonlyMap<string, () => unknown>): Map<string, number> {
  const times = new Map([...contestants.keys()].map((name) => [name, [] as number[]]));
  for (let round = -2; round < ROUNDS; round++) {
    const results = new Set<unknown>();
    for (const [name, run] of contestants) {
      const start = processorTime();
      results.add(run());
      const time = processorTime() - start;
      if (round >= 0) (times.get(name) as number[]).push(time);
    }
    if (results.size !== 1) throw new Error('different results');
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]));
}

const ms = (x: number): string => x.toFixed(x < 1 ? 3 : x < 10 ? 2 : 1).padStart(8);
const times = (x: number): string => `${x.toFixed(2)}x`.padStart(8);
const line = (...cells: readonly string[]): void => console.log(cells.join('  '));
const head = (...cells: readonly string[]): void => line(...cells.map((c, i) => (i === 0 ? c.padEnd(11) : c.padStart(8))));

console.log(`node ${process.version}, OpenSSL ${process.versions.openssl}${usesOpenssl() ? '' : ' (NOT USED)'}; medians of ${String(ROUNDS)} rounds\n`);
const other = (await import(OTHER).catch(() => undefined)) as { modPow(b: bigint, e: bigint, m: bigint): bigint } | undefined;

console.log('One exponentiation: ms of the two modes; everything else as a multiple of "reuse" / of "once"');
head('mod/exp bits', 'reuse', 'once', 'once/re.', 'best BigInt', '  reference', ...(other ? [` ${OTHER}`] : []));
for (const [modulusBits, exponentBits] of SIZES) {
  const m = random(modulusBits) | 1n;
  const [base, exponent] = [random(modulusBits) % m, random(exponentBits)];
  const exact = exactPower(m);
  const big = { remainder: withRemainder(m), montgomery: withMontgomery(m), barrett: withBarrett(m) };
  const result = measure(
    new Map<string, () => bigint>([
      ['reuse', () => exact(base, exponent)],
      ['once', () => modPow(base, exponent, m)],
      ...Object.entries(big).map(([name, power]) => [name, () => power(base, exponent)] as const),
      ['reference', () => modPowReference(base, exponent, m)],
      ...(other ? ([['other', () => other.modPow(base, exponent, m)]] as const) : []),
    ]),
  );
  const of = (name: string): number => result.get(name) as number;
  const both = (t: number): string => `${(t / of('reuse')).toFixed(2)} / ${(t / of('once')).toFixed(2)}`.padStart(11);
  const best = Math.min(...Object.keys(big).map(of));
  line(`${String(modulusBits)}/${String(exponentBits)}`.padEnd(11), ms(of('reuse')), ms(of('once')), times(of('once') / of('reuse')), both(best), both(of('reference')), ...(other ? [both(of('other'))] : []));
}

console.log('\nSet-up, ms: the object of both modes; the shortest power, which has the rest of what does not depend on the exponent; and after how many bits of exponents "reuse" has paid off');
head('modulus', 'object: reuse', '    once', 'shortest: reuse', '    once', 'pays off');
for (const bits of [1536, 3072, 6144]) {
  // without small factors, as products of large primes are: others are recognised at once
  let m = random(bits) | 1n;
  for (let d = 3n; d < 20000n; d += 2n) if (m % d === 0n) [m, d] = [m + 2n, 1n];
  const three = toBytes(3n * (((1n << BigInt(paddedBits(bits))) / 7n) | 1n), paddedBits(bits) >> 3);
  const base = random(bits - 1);
  const exponent = random(512);
  const exact = exactPower(m);
  const result = measure(
    new Map<string, () => unknown>([
      ['object reuse', () => void exactPower(m)],
      ['object once', () => void createDiffieHellman(three, 3)],
      ['shortest reuse', () => exact(base, 1n) && undefined],
      ['shortest once', () => modPow(base, 1n, m) && undefined],
      ['reuse', () => exact(base, exponent) && undefined],
      ['once', () => modPow(base, exponent, m) && undefined],
    ]),
  );
  const of = (name: string): number => result.get(name) as number;
  const after = (512 * of('object reuse')) / (of('once') - of('reuse'));
  line(String(bits).padEnd(11), ms(of('object reuse')).padStart(13), ms(of('object once')), ms(of('shortest reuse')).padStart(15), ms(of('shortest once')), String(Math.round(after)).padStart(8));
}

console.log('\nWhat time tells, 3072 bits, exponents of 3072 bits, ms: a single one, all ones, random; and what is a word shorter');
head('', 'one bit', 'all bits', 'random', '3008 bits');
{
  const m = random(3072) | 1n;
  const base = random(3072) % m;
  const exponents = { 'one bit': 1n << 3071n, 'all bits': (1n << 3072n) - 1n, random: random(3072), '3008 bits': random(3008) };
  const exact = exactPower(m);
  const plain = withRemainder(m);
  for (const [name, power] of [['reuse', exact], ['once', (b: bigint, e: bigint) => modPow(b, e, m)], ['window, %', plain]] as const) {
    const result = measure(new Map(Object.entries(exponents).map(([which, e]) => [which, () => void power(base, e)])));
    line(name.padEnd(11), ...[...result.values()].map(ms));
  }
}
