/**
 * Distributed key generation, one participant's computation: this project's dealing against @noble/curves' own FROST
 * DKG, in one run and on one machine.
 *
 *   npm run bench:dkg                     15-of-25 on Ed25519 and secp256k1
 *   npm run bench:dkg -- p256 3 5         one group, threshold, participants
 *
 * Node 20 runs no TypeScript, so the script bundles this file with rolldown and runs the bundle. Ours is everything a
 * participant computes: making its prekey and checking everybody's, making and sealing its dealing, all public checks of
 * all dealings, opening its boxes and the resulting tree. "sealing" is the part that noble's DKG does not have at all, since it leaves the encryption of its
 * second round to the caller; "dealing" is the rest, which is comparable. Figures are medians, warm.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { FROST, Identifier } from '@noble/curves/abstract/frost.js';
import { ed25519_FROST, ristretto255_FROST } from '@noble/curves/ed25519.js';
import { ed448_FROST } from '@noble/curves/ed448.js';
import { p256_FROST } from '@noble/curves/nist.js';
import { secp256k1_FROST } from '@noble/curves/secp256k1.js';
import { group as groupOf, type GroupName } from '../src/curves/group.ts';
import { makePolynomials } from '../src/sharing/deal.ts';
import { decodeDealing, encodeDealing } from '../src/sharing/dealing.ts';
import { type Leaf, parseQuorum } from '../src/sharing/expression.ts';
import { makeDealing } from '../src/sharing/make-dealing.ts';
import { makePrekey } from '../src/sharing/make-prekey.ts';
import { ownShare, receiveShares } from '../src/sharing/open.ts';
import { provePossession } from '../src/sharing/prove-possession.ts';
import { combineTrees } from '../src/sharing/result.ts';
import { sealBoxes } from '../src/sharing/seal.ts';
import { type PrekeyId, verifyPrekeyPop } from '../src/sharing/prekey.ts';
import { sealingReady } from '../src/sharing/sealing-group.ts';
import { decodeSealing, encodeSealing, verifySealings } from '../src/sharing/sealing-proof.ts';
import { encodeTree } from '../src/sharing/tree.ts';
import { verifyDealings } from '../src/sharing/verify-dealings.ts';

const FROSTS: Readonly<Record<GroupName, FROST>> = {
  ed25519: ed25519_FROST,
  ristretto255: ristretto255_FROST,
  ed448: ed448_FROST,
  secp256k1: secp256k1_FROST,
  p256: p256_FROST,
};

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const WARM_UP = 3;
const ROUNDS = 11;

/** Milliseconds of each named phase of one run. */
type Phases = Map<string, number>;

function timed<T>(phases: Phases, name: string, run: () => T): T {
  const start = performance.now();
  const out = run();
  phases.set(name, performance.now() - start);
  return out;
}

function ours(name: GroupName, t: number, n: number): () => Phases {
  const group = groupOf(name);
  const quorum = parseQuorum(`${String(t)}-of(${Array.from({ length: n }, (_, i) => `p${String(i + 1)}`).join(', ')})`);
  const sid = random(32);
  const prekeyId = (leaf: Leaf): PrekeyId => ({ owner: leaf.name, homeId: '00', n: 1 });
  const keys = quorum.leaves.map((leaf) => makePrekey(prekeyId(leaf), random));
  const prekeys = keys.map((key) => key.P);
  const bytes = new Map(
    quorum.leaves.map(({ id: dealer }) => {
      const { coefficients: poly, tree } = makePolynomials(group, quorum, 'dkg', undefined, random);
      return [dealer, makeDealing({ sid, kind: 'dkg', dealer, tree, poly, prekeys, random })];
    }),
  );
  const sealings = [...bytes].map(([dealer, raw]) => {
    const { treeHash, sealing } = decodeDealing({ kind: 'dkg', group, quorum }, raw);
    return { dealer, treeHash, raw: encodeSealing(sealing) };
  });
  const leaf = quorum.leaves[0] as Leaf;
  return () => {
    const phases: Phases = new Map();
    timed(phases, 'prekeys', () => {
      quorum.leaves.forEach((each, i) => {
        const { P, pop } = keys[i] as (typeof keys)[0];
        if (!verifyPrekeyPop(prekeyId(each), P, pop)) throw new Error('prekey refused');
      });
      return makePrekey(prekeyId(leaf), random);
    });
    const { coefficients: poly, tree } = timed(phases, 'polynomials', () => makePolynomials(group, quorum, 'dkg', undefined, random));
    const proof = timed(phases, 'possession', () => provePossession(sid, leaf.id, tree, poly, random));
    const sealed = timed(phases, 'seal', () => sealBoxes({ sid, dealer: leaf.id, tree, poly, prekeys, random }));
    bytes.set(leaf.id, encodeDealing(encodeTree(tree), proof, sealed));
    const round = timed(phases, 'verify', () => verifyDealings({ sid, kind: 'dkg', group, quorum, prekeys }, bytes));
    if (!round.ok) throw new Error('dealings refused');
    const received = timed(phases, 'open', () => receiveShares({ leaf, round, prekey: keys[0] as (typeof keys)[0] }));
    if (!received.ok) throw new Error('sub-shares refused');
    timed(phases, 'result', () => {
      ownShare(group, [received.share]);
      return combineTrees(group, quorum, [round.tree]);
    });
    // measured a second time on its own: the part of `verify` that belongs to sealing
    timed(phases, 'sealing proofs', () => {
      const claims = sealings.map(({ dealer, treeHash, raw }) => ({ dealer, treeHash, sealing: decodeSealing(group, quorum, raw) }));
      return verifySealings(sid, prekeys, claims.slice(1));
    });
    return phases;
  };
}

function noble(name: GroupName, t: number, n: number): () => number {
  const frost = FROSTS[name];
  const signers = { min: t, max: n };
  const ids: Identifier[] = Array.from({ length: n }, (_, i) => frost.Identifier.fromNumber(i + 1));
  const others = ids.slice(1).map((id) => ({ id, ...frost.DKG.round1(id, signers) }));
  const { Fn } = frost.utils;
  // what each of the others sends to the first participant in round 2: f(1)
  const shares = others.map(({ id, secret }) => ({
    identifier: id,
    signingShare: Fn.toBytes((secret.coefficients ?? []).reduce((sum, c) => Fn.add(sum, c), Fn.ZERO)),
  }));
  const packages = others.map((o) => o.public);
  return () => {
    const start = performance.now();
    const own = frost.DKG.round1(ids[0] as Identifier, signers);
    frost.DKG.round2(own.secret, packages);
    frost.DKG.round3(own.secret, packages, shares);
    return performance.now() - start;
  };
}

function compare(name: GroupName, t: number, n: number): void {
  const run = ours(name, t, n);
  const reference = noble(name, t, n);
  // by turns, so that both meet the same moments of a busy machine
  const rounds = Array.from({ length: WARM_UP + ROUNDS }, () => ({ own: run(), noble: reference() })).slice(WARM_UP);
  const runs = rounds.map((r) => r.own);
  const theirs = median(rounds.map((r) => r.noble));
  const phase = (key: string): number => median(runs.map((r) => r.get(key) as number));
  const total = ['prekeys', 'polynomials', 'possession', 'seal', 'verify', 'open', 'result'].reduce((sum, key) => sum + phase(key), 0);
  const sealing = phase('prekeys') + phase('seal') + phase('sealing proofs') + phase('open');
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const share = (value: number): string => `${ms(value)} (1/${(theirs / value).toFixed(1)})`;
  console.log(`${name}, ${String(t)}-of-${String(n)}`);
  console.log(`  noble's FROST DKG  ${ms(theirs)}`);
  console.log(`  ours, everything   ${share(total)}`);
  console.log(`    dealing          ${share(total - sealing)}`);
  console.log(`    sealing          ${ms(sealing)}`);
  console.log(`  phases: ${['prekeys', 'polynomials', 'possession', 'seal', 'verify', 'sealing proofs', 'open', 'result'].map((k) => `${k} ${ms(phase(k))}`).join(', ')}`);
}

await sealingReady();
const [name, t, n] = process.argv.slice(2);
if (name === undefined) {
  compare('ed25519', 15, 25);
  compare('secp256k1', 15, 25);
} else {
  compare(name as GroupName, Number(t ?? 15), Number(n ?? 25));
}
