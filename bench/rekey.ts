/**
 * Refresh and reshare, one participant's computation, against this project's own key generation in the same run.
 *
 *   npm run bench:rekey                   15-of-25 on all groups
 *   npm run bench:rekey -- p256 3 5       one group, threshold, participants
 *
 * Everything a participant computes who deals and receives: the base (its tree and all leaf points), everybody's prekeys,
 * the pinned constants of a reshare, its dealing with all boxes, all public checks of all dealings, opening its own boxes,
 * the new tree. In a reshare t dealers deal to n; in the other two all n deal. Medians of 15, warm, the three by turns.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { group as groupOf, type GroupName, type Point } from '../src/curves/group.ts';
import { additiveShare, makePolynomials, subShare } from '../src/sharing/deal.ts';
import { type Leaf, parseQuorum } from '../src/sharing/expression.ts';
import { makeDealing } from '../src/sharing/make-dealing.ts';
import { makePrekey } from '../src/sharing/make-prekey.ts';
import { ownShare, receiveShares } from '../src/sharing/open.ts';
import { type PrekeyId, verifyPrekeyPop } from '../src/sharing/prekey.ts';
import { exactQuorum } from '../src/sharing/quorum.ts';
import { recombination } from '../src/sharing/recombination.ts';
import { combineTrees } from '../src/sharing/result.ts';
import { sealingReady } from '../src/sharing/sealing-group.ts';
import { decodeTree, encodeTree, leafPoints } from '../src/sharing/tree.ts';
import { verifyDealings } from '../src/sharing/verify-dealings.ts';
import { Reader } from '../src/wire/bytes.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

type Kind = 'dkg' | 'refresh' | 'reshare';
const KINDS: readonly Kind[] = ['dkg', 'refresh', 'reshare'];
const WARM_UP = 3;
const ROUNDS = 15;

/** One run of the first participant, in milliseconds. */
function participant(name: GroupName, t: number, n: number): (kind: Kind) => number {
  const group = groupOf(name);
  const quorum = parseQuorum(`${String(t)}-of(${Array.from({ length: n }, (_, i) => `p${String(i + 1)}`).join(', ')})`);
  const sid = random(32);
  const prekeyId = (leaf: Leaf): PrekeyId => ({ owner: leaf.name, homeId: '00', n: 1 });
  const keys = quorum.leaves.map((leaf) => makePrekey(prekeyId(leaf), random));
  const prekeys = keys.map((key) => key.P);
  const base = makePolynomials(group, quorum, 'dkg', undefined, random);
  const baseBytes = encodeTree(base.tree);
  const leaves = exactQuorum(quorum, quorum.leaves.slice(0, t).map((l) => l.name));
  const own = quorum.leaves[0] as Leaf;
  const shareOf = (leaf: Leaf): Uint8Array => group.encodeScalar(subShare(base.coefficients, leaf));
  const constant = (kind: Kind, leaf: Leaf): bigint | undefined => (kind === 'reshare' ? additiveShare(group, quorum, leaves, leaf, shareOf(leaf)) : undefined);
  const deal = (kind: Kind, leaf: Leaf): Uint8Array => {
    const { coefficients: poly, tree } = makePolynomials(group, quorum, kind, constant(kind, leaf), random);
    return makeDealing({ sid, kind, dealer: leaf.id, tree, poly, prekeys, random });
  };
  const dealings = new Map(KINDS.map((kind) => [kind, new Map((kind === 'reshare' ? leaves : quorum.leaves).map((leaf) => [leaf.id, deal(kind, leaf)]))]));
  return (kind) => {
    const bytes = dealings.get(kind) as Map<number, Uint8Array>;
    const start = performance.now();
    quorum.leaves.forEach((each, i) => {
      const { P, pop } = keys[i] as (typeof keys)[0];
      if (!verifyPrekeyPop(prekeyId(each), P, pop)) throw new Error('prekey refused');
    });
    makePrekey(prekeyId(own), random);
    let expected: Map<number, Point> | undefined;
    const before = kind === 'dkg' ? undefined : decodeTree(group, quorum, true, new Reader(baseBytes));
    if (before) {
      const points = leafPoints(before);
      if (kind === 'reshare') {
        const c = recombination(quorum, leaves, group.order);
        expected = new Map(leaves.map((l) => [l.id, group.multiplyPublic(points.get(l.id) as Point, c.get(l.id) as bigint)]));
      }
    }
    bytes.set(own.id, deal(kind, own));
    const round = verifyDealings({ sid, kind, group, quorum, prekeys, ...(expected ? { expected } : {}) }, bytes);
    if (!round.ok) throw new Error('dealings refused');
    const received = receiveShares({ leaf: own, round, prekey: keys[0] as (typeof keys)[0] });
    if (!received.ok) throw new Error('sub-shares refused');
    ownShare(group, kind === 'refresh' ? [received.share, shareOf(own)] : [received.share]);
    combineTrees(group, quorum, kind === 'refresh' && before ? [round.tree, before] : [round.tree], before?.constant);
    return performance.now() - start;
  };
}

await sealingReady();
const [only, t = '15', n = '25'] = process.argv.slice(2);
for (const name of (only === undefined ? ['ed25519', 'secp256k1', 'p256', 'ristretto255', 'ed448'] : [only]) as GroupName[]) {
  const run = participant(name, Number(t), Number(n));
  const times = new Map<Kind, number[]>(KINDS.map((k) => [k, []]));
  for (let i = 0; i < WARM_UP + ROUNDS; i++)
    for (const kind of KINDS) {
      const ms = run(kind);
      if (i >= WARM_UP) (times.get(kind) as number[]).push(ms);
    }
  const ms = (kind: Kind): number => median(times.get(kind) as number[]);
  console.log(`${name.padEnd(13)} ${t}-of-${n}   dkg ${ms('dkg').toFixed(0)} ms   refresh ${ms('refresh').toFixed(0)} ms (${(ms('refresh') / ms('dkg')).toFixed(2)})   reshare ${ms('reshare').toFixed(0)} ms (${(ms('reshare') / ms('dkg')).toFixed(2)})`);
}
