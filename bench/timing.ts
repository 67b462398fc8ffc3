/**
 * What time tells about secrets, as a statistic: two classes of inputs by turns in random order, and Welch's t of their
 * times (the method of dudect; attack row 59). Information and no gate: a machine that does other things as well blurs
 * small differences, and this program's steps answer no adaptive queries.
 *
 *   npx rolldown bench/timing.ts --platform node -d node_modules/.cache/bench && node node_modules/.cache/bench/timing.js [1000]
 *
 * The number is that of measurements in each class (400 take two minutes on an idle core). |t| above 4.5 says that time
 * tells the classes apart at all; the difference of the medians says how much it tells. The first line of each part
 * compares one class with itself: what it shows is noise. The last part shows classes that time is known to tell apart
 * (arith/modexp.ts: the length of an exponent in words): that the test can see something. Uses the primes of the tests,
 * from the folder of the project.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { readFileSync } from 'node:fs';
import { fromBytes } from '../src/arith/integer.ts';
import { exactPower, modPow, usesOpenssl } from '../src/arith/modexp.ts';
import { modPowReference } from '../src/arith/reference.ts';
import { unit } from '../src/arith/sample.ts';
import { ownedPaillier } from '../src/ecdsa/owner-paillier.ts';
import { encrypt } from '../src/ecdsa/paillier.ts';

const COUNT = Number(process.argv[2] ?? 400);
/** Above it dudect calls two classes distinguishable. */
const THRESHOLD = 4.5;
/** Of the times of both classes together, those above this share of them are left out: interruptions by the system. */
const KEPT = 0.9;

const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const random = (bits: number): bigint => (fromBytes(bytes(bits >> 3)) % (1n << BigInt(bits - 1))) | (1n << BigInt(bits - 1));

interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
}

function moments(values: readonly number[]): Moments {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1), count: values.length };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

function welch(a: Moments, b: Moments): number {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

/** A class of inputs: a fresh input each time, made before the clock starts. */
type Class<T> = () => T;

/** Times both classes in random order, and says what they differ in. */
function compare<T>(what: string, work: (input: T) => unknown, a: Class<T>, b: Class<T>): void {
  const coins = bytes(Math.ceil((2 * COUNT) / 8));
  const inputs = Array.from({ length: 2 * COUNT }, (_, i) => {
    const second = (((coins[i >> 3] as number) >> (i & 7)) & 1) === 1;
    return { second, input: second ? b() : a() };
  });
  for (const { input } of inputs.slice(0, 20)) work(input);
  const times = inputs.map(({ second, input }) => {
    const from = performance.now();
    work(input);
    return { second, time: performance.now() - from };
  });
  const limit = times.map((t) => t.time).sort((x, y) => x - y)[Math.floor(KEPT * times.length)] as number;
  const [first, other] = [false, true].map((which) => times.filter((t) => t.second === which && t.time <= limit).map((t) => t.time)) as [number[], number[]];
  const t = welch(moments(first), moments(other));
  const difference = (median(other) - median(first)) * 1000;
  const verdict = Math.abs(t) > THRESHOLD ? 'tells apart' : '';
  console.log(`${what.padEnd(52)} ${median(first).toFixed(3).padStart(9)} ms ${difference.toFixed(1).padStart(9)} µs ${t.toFixed(1).padStart(8)}  ${verdict}`);
}

const head = (title: string): void => {
  console.log(`\n${title.padEnd(52)} ${'first'.padStart(9)}    ${'second'.padStart(9)}    ${'t'.padStart(8)}`);
};

console.log(`node ${process.version}, OpenSSL ${process.versions.openssl}${usesOpenssl() ? '' : ' (NOT USED)'}; ${String(COUNT)} of each class`);

const m = random(3072) | 1n;
const base = random(3071) % m;
const few = (1n << 3071n) | 1n;
const all = (1n << 3072n) - 1n;
const exact = exactPower(m);
for (const [name, power] of [['padded', (b: bigint, e: bigint) => modPow(b, e, m)], ['reused', exact]] as const) {
  head(`Powers modulo 3072 bits, ${name}`);
  const by = (e: bigint): bigint => power(base, e);
  compare('one exponent, and the same', by, () => few, () => few);
  compare('exponent with two bits, and with all', by, () => few, () => all);
  compare('one exponent, and random ones', by, () => few, () => random(3072));
  compare('scalars of 256 bits: one, and random ones', by, () => (1n << 255n) | 1n, () => random(256));
}

type Hex = Record<'p' | 'q', string>;
const [set] = JSON.parse(readFileSync('test/vectors/primes.json', 'utf8')) as [Hex];
const key = ownedPaillier(BigInt(`0x${set.p}`), BigInt(`0x${set.q}`));
const ciphertext = (message: bigint): bigint => encrypt(key, message, unit(key.n, bytes));
const fixed = ciphertext(random(256));
head('Decryption, 3072 bits (blinded by the ciphertext)');
const decrypt = (c: bigint): bigint => key.decrypt(c);
compare('one ciphertext, and the same', decrypt, () => fixed, () => fixed);
compare('one ciphertext, and random ones', decrypt, () => fixed, () => ciphertext(random(256)));
compare('of 0, and of scalars', decrypt, () => ciphertext(0n), () => ciphertext(random(256)));
compare('of scalars, and of 2900 bits', decrypt, () => ciphertext(random(256)), () => ciphertext(random(2900)));
compare('of positive numbers, and of negative ones', decrypt, () => ciphertext(random(1280)), () => ciphertext(-random(1280)));
head('The nonce of a ciphertext');
compare('one ciphertext, and random ones', (c: bigint) => key.nonceOf(c), () => fixed, () => ciphertext(random(256)));

head('What a test like this can see');
compare('a scalar of 256 bits, and one a word shorter', (e: bigint) => exact(base, e), () => random(256), () => random(192));
compare('BigInt alone: exponent with two bits, and with all', (e: bigint) => modPowReference(base, e, m), () => few >> 2560n, () => all >> 2560n);
