/**
 * Auxiliary information of threshold ECDSA: how long its preparation takes, and the proofs about it.
 *
 *   rolldown bench/primes.ts --platform node -d node_modules/.cache/bench && node node_modules/.cache/bench/primes.js
 *   ... primes.js 30              so many preparations
 *   ... primes.js proofs          the proofs alone, with the test primes
 *
 * A preparation is four primes of 1536 bits, two of them safe, on as many cores as there are: wall time, which varies by
 * its nature. Proofs are processor time on one core, warm but for the arithmetic, which is made anew for each: a ceremony
 * makes each of them once in a process.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { adaptiveModulus, type Modulus } from '../src/arith/modulus.ts';
import { ownedModulus } from '../src/arith/owner.ts';
import { checkAux } from '../src/ecdsa/aux-info.ts';
import { checkFac } from '../src/ecdsa/fac.ts';
import { type AuxSecret, drawAux, makePrimes, orderOfRing } from '../src/ecdsa/make-aux.ts';
import { checkMod } from '../src/ecdsa/mod.ts';
import { checkPrm } from '../src/ecdsa/prm.ts';
import { proveFac } from '../src/ecdsa/prove-fac.ts';
import { proveMod } from '../src/ecdsa/prove-mod.ts';
import { provePrm } from '../src/ecdsa/prove-prm.ts';
import { ringPedersenOf } from '../src/ecdsa/ring-pedersen.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** The value that so large a part of the values does not exceed. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] as number;
}

async function preparations(count: number): Promise<void> {
  const seconds: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const primes = await makePrimes();
    seconds.push((performance.now() - start) / 1000);
    checkAux(drawAux(primes, random).aux);
    console.log(`  ${(seconds.at(-1) as number).toFixed(1)} s, load ${(loadavg()[0] as number).toFixed(1)}`);
  }
  const s = (part: number): string => `${quantile(seconds, part).toFixed(1)} s`;
  console.log(`${String(count)} preparations on ${String(availableParallelism())} cores: median ${s(0.5)}, 90 % within ${s(0.9)}, longest ${s(1)}`);
}

function proofs(): void {
  const times = new Map<string, number[]>();
  const timed = <T>(name: string, run: () => T): T => {
    const start = process.cpuUsage();
    const out = run();
    const { user, system } = process.cpuUsage(start);
    times.set(name, [...(times.get(name) ?? []), (user + system) / 1000]);
    return out;
  };
  /** The modulus of somebody else, without what is remembered of it from earlier. */
  const foreign = (n: bigint): Modulus => adaptiveModulus(n);
  // the test primes; from the root of the project, where npm runs scripts
  const sets = (JSON.parse(readFileSync('test/vectors/primes.json', 'utf8')) as Record<keyof AuxSecret, string>[]).map(
    (set) => Object.fromEntries(Object.entries(set).map(([name, hex]) => [name, BigInt(`0x${hex}`)])) as unknown as AuxSecret,
  );
  for (const [i, primes] of sets.entries()) {
    const ctx = { bind: random(32), prover: 1, verifier: 0 };
    const other = sets[(i + 1) % sets.length] as AuxSecret;
    const { aux, lambda } = timed('auxiliary information: make', () => drawAux(primes, random));
    timed('auxiliary information: check', () => { checkAux(aux); });

    const ownRing = ringPedersenOf(ownedModulus(primes.pHat, primes.qHat), aux.s, aux.t);
    const prm = timed('Π-prm: make', () => provePrm(ctx, { ring: ownRing }, { lambda, phi: orderOfRing(primes) }, random(32)));
    timed('Π-prm: check', () => { checkPrm(ctx, { ring: ringPedersenOf(foreign(aux.nHat), aux.s, aux.t) }, prm); });

    const mod = timed('Π-mod: make', () => proveMod(ctx, { N: ownedModulus(primes.p, primes.q) }, primes, random(32)));
    timed('Π-mod: check', () => { checkMod(ctx, { N: foreign(aux.n) }, mod); });

    const { aux: theirs } = drawAux(other, random);
    const st = { n: aux.n, ring: ringPedersenOf(foreign(theirs.nHat), theirs.s, theirs.t) };
    const fac = timed('Π-fac: make', () => proveFac(ctx, st, primes, random(32)));
    const owner = ringPedersenOf(ownedModulus(other.pHat, other.qHat), theirs.s, theirs.t);
    timed('Π-fac: check by its verifier', () => { checkFac(ctx, { ...st, ring: owner }, fac); });
    timed('Π-fac: check by others', () => { checkFac(ctx, { ...st, ring: ringPedersenOf(foreign(theirs.nHat), theirs.s, theirs.t) }, fac); });
  }
  for (const [name, list] of times) console.log(`  ${name.padEnd(30)} ${quantile(list, 0.5).toFixed(0).padStart(4)} ms`);
}

const [argument] = process.argv.slice(2);
if (argument === 'proofs') proofs();
else {
  await preparations(Number(argument ?? 15));
  proofs();
}
