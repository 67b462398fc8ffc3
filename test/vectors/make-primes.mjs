/**
 * Makes the primes of the tests, test/vectors/primes.json, and the list of their moduli that ceremonies refuse,
 * src/ecdsa/fixture-moduli.ts. Takes some minutes: 20 safe primes of 1536 bits, two at a time.
 *
 *   node test/vectors/make-primes.mjs            makes new primes, then the list
 *   node test/vectors/make-primes.mjs --moduli   only the list, from the primes that are there
 *
 * Each set is what one participant has: p and q (Blum primes, = 3 mod 4) of the Paillier modulus n, pHat and qHat (safe
 * primes) of the ring-Pedersen modulus nHat. 1536 bits each, lowercase hex, top two bits set, so that a product has
 * exactly 3072 bits.
 */
import { createHash, generatePrime } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const SETS = 10;
const BITS = 1536;
const PRIMES = new URL('primes.json', import.meta.url);
const MODULI = new URL('../../src/ecdsa/fixture-moduli.ts', import.meta.url);

const generate = promisify(generatePrime);
const topTwo = (prime) => prime >> BigInt(BITS - 2) === 3n;
const hex = (n) => n.toString(16);

async function prime(options) {
  for (;;) {
    const found = await generate(BITS, { ...options, bigint: true });
    if (topTwo(found)) return found;
  }
}
const blumPrime = () => prime({ add: 4n, rem: 3n });
const safePrime = () => prime({ safe: true });

async function makeSet() {
  const [p, q] = [await blumPrime(), await blumPrime()];
  const [pHat, qHat] = await Promise.all([safePrime(), safePrime()]);
  return { p: hex(p), q: hex(q), pHat: hex(pHat), qHat: hex(qHat) };
}

const digestOf = (p, q) => {
  const n = BigInt(`0x${p}`) * BigInt(`0x${q}`);
  return createHash('sha256').update(Buffer.from(n.toString(16).padStart(BITS / 2, '0'), 'hex')).digest('hex');
};

if (!process.argv.includes('--moduli')) {
  const sets = [];
  while (sets.length < SETS) {
    sets.push(await makeSet());
    writeFileSync(PRIMES, `${JSON.stringify(sets, null, 2)}\n`);
  }
}
const sets = JSON.parse(readFileSync(PRIMES, 'utf8'));
const digests = sets.flatMap(({ p, q, pHat, qHat }) => [digestOf(p, q), digestOf(pHat, qHat)]);
writeFileSync(
  MODULI,
  `/**
 * The moduli whose factors everybody knows: those of the test primes. A ceremony refuses them (E_FIXTURE).
 * Written by test/vectors/make-primes.mjs; not to be edited by hand.
 */

/** SHA-256 of each such modulus (384 bytes, big-endian), lowercase hex; n and nHat of each set in turn. Public. */
export const FIXTURE_MODULI: ReadonlySet<string> = new Set([
${digests.map((d) => `  '${d}',`).join('\n')}
]);
`,
);
