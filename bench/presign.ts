/**
 * Presigning, one participant's computation on one core, round by round; everything by the functions that a ceremony calls.
 *
 *   npm run bench:presign             two signers on secp256k1
 *   npm run bench:presign -- p256 3   another curve, more signers
 *
 * Node 20 runs no TypeScript, so the script bundles this file with rolldown and runs the bundle, from the project's root.
 * Warm: in one process, after enough rounds that all moduli are used with their exact set-up. The primes are those of the
 * tests. A participant checks what is addressed to it. "first" is the first presignature of the process.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { group } from '../src/curves/group.ts';
import { type AuxSecret, drawAux } from '../src/ecdsa/make-aux.ts';
import { makeMta } from '../src/ecdsa/make-mta.ts';
import { makeOffer } from '../src/ecdsa/make-offer.ts';
import { makePresignSecret } from '../src/ecdsa/make-presignature.ts';
import { makeSum } from '../src/ecdsa/make-sum.ts';
import { makeTrace } from '../src/ecdsa/make-trace.ts';
import { checkMta, gammaSum } from '../src/ecdsa/mta.ts';
import { checkOffer } from '../src/ecdsa/offer.ts';
import { deltaSum, presignature } from '../src/ecdsa/outcome.ts';
import { ownKeys } from '../src/ecdsa/owner-keys.ts';
import type { CurveName, Entry, PartyAux } from '../src/ecdsa/presign.ts';
import { checkSum } from '../src/ecdsa/sum.ts';
import { checkTrace } from '../src/ecdsa/trace.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const [curve, count] = [(process.argv[2] ?? 'secp256k1') as CurveName, Number(process.argv[3] ?? 2)];
const WARM_UP = 8;
const ROUNDS = 21;

interface Party {
  readonly leaf: number;
  readonly own: AuxSecret;
  readonly aux: PartyAux;
  readonly w: Uint8Array;
  readonly W: Uint8Array;
}

const g = group(curve);
const sets = JSON.parse(readFileSync('test/vectors/primes.json', 'utf8')) as Record<keyof AuxSecret, string>[];
const parties = Array.from({ length: count }, (_, i): Party => {
  const set = sets[i];
  if (!set) throw new Error(`at most ${String(sets.length)} signers`);
  const [p, q, pHat, qHat] = [set.p, set.q, set.pHat, set.qHat].map((hex) => BigInt(`0x${hex}`)) as [bigint, bigint, bigint, bigint];
  const own = { p, q, pHat, qHat };
  const w = g.randomScalar(random);
  return { leaf: i + 1, own, aux: { leaf: i + 1, ...drawAux(own, random).aux }, w: g.encodeScalar(w), W: g.encodePoint(g.multiply(g.base, w)) };
});
const me = parties[0] as Party;
const others = parties.slice(1);
const auxes = parties.map((p) => p.aux);
const leaves = parties.map((p) => p.leaf);
const publicKey = g.encodePoint(g.sum(parties.map((p) => g.decodePoint(p.W))));

const offerArgs = ({ leaf, own }: Party): Parameters<typeof makeOffer>[0] => ({ curve, bind: new Uint8Array(32), leaf, own, verifiers: auxes, seed: random(32) });

type Spoken = Entry & { readonly secret: Uint8Array };
type Said = Readonly<Record<'offers' | 'mtas' | 'sums', readonly Spoken[]>> & { readonly bind: Uint8Array };
const bytesOf = (entries: readonly Entry[], leaf: number): Uint8Array => (entries[leaf - 1] as Entry).bytes;

/** One presignature; milliseconds that the first participant spends on each part. */
function presign(): { spent: Map<string, number>; said: Said } {
  const spent = new Map<string, number>();
  const bind = random(32);
  /** Runs for everybody, and counts what the first participant takes. */
  function timed<T>(name: string, p: Party, run: () => T): T {
    if (p !== me) return run();
    const start = performance.now();
    const out = run();
    spent.set(name, performance.now() - start);
    return out;
  }
  const offers = parties.map((p): Spoken => {
    const { offer, secret } = timed('R1 make', p, () => makeOffer(offerArgs(p)));
    return { leaf: p.leaf, bytes: offer, secret };
  });
  timed('R2 verify', me, () => {
    const keys = ownKeys(me.own, me.aux);
    for (const { aux, leaf } of others) checkOffer({ curve, bind: new Uint8Array(32), prover: aux, verifiers: leaves, verifier: me.aux, offer: bytesOf(offers, leaf) }, keys);
  });
  const mtas = parties.map((p): Spoken => {
    const args = { curve, bind, leaf: p.leaf, own: p.own, signers: auxes, offers, secret: (offers[p.leaf - 1] as Spoken).secret, w: p.w, seed: random(32) };
    const { mta, secret } = timed('R2 make', p, () => makeMta(args));
    return { leaf: p.leaf, bytes: mta, secret };
  });
  timed('R3 verify', me, () => {
    const keys = ownKeys(me.own, me.aux);
    for (const { aux, leaf, W } of others)
      checkMta({ curve, bind, signers: leaves, prover: aux, verifier: me.aux, offer: bytesOf(offers, 1), proverOffer: bytesOf(offers, leaf), mta: bytesOf(mtas, leaf), point: W }, keys);
  });
  const sums = parties.map((p): Spoken => {
    const args = { curve, bind, leaf: p.leaf, own: p.own, offer: bytesOf(offers, p.leaf), mtas, secret: (mtas[p.leaf - 1] as Spoken).secret, seed: random(32) };
    const { sum, secret } = timed('R3 make', p, () => makeSum(args));
    return { leaf: p.leaf, bytes: sum, secret };
  });
  timed('outcome', me, () => {
    const gamma = gammaSum(curve, mtas);
    for (const { leaf } of others) checkSum({ curve, bind, prover: leaf, offer: bytesOf(offers, leaf), gamma, sum: bytesOf(sums, leaf) });
    const parts = { curve, publicKey, mtas, sums };
    presignature(parts);
    makePresignSecret({ curve, secret: (sums[0] as Spoken).secret, delta: deltaSum(parts) });
  });
  spent.set('total', [...spent.values()].reduce((a, b) => a + b, 0));
  return { spent, said: { offers, mtas, sums, bind } };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

console.log(`${curve}, ${String(count)} signers, Node ${process.version}`);
const { spent: first, said } = presign();
for (let i = 0; i < WARM_UP; i++) presign();
const runs = Array.from({ length: ROUNDS }, () => presign().spent);
console.log('part        first   warm: median   least   (ms)');
for (const [name, ms] of first) {
  const all = runs.map((r) => r.get(name) as number);
  console.log(`${name.padEnd(10)} ${ms.toFixed(1).padStart(6)} ${median(all).toFixed(1).padStart(13)} ${Math.min(...all).toFixed(1).padStart(8)}`);
}

const { offers, mtas, sums, bind } = said;
const traced = { curve, bind, which: 'chi', signers: auxes, prover: 1, offers, mtas, sums, point: me.W } as const;
const start = performance.now();
const trace = makeTrace({ ...traced, own: me.own, secret: (mtas[0] as Spoken).secret, seed: random(32) });
const made = performance.now();
checkTrace({ ...traced, trace });
console.log(`error round: one trace ${(made - start).toFixed(0)} ms to make, ${(performance.now() - made).toFixed(0)} to check, ${String(trace.length)} bytes`);
