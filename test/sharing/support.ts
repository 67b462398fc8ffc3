/** Deterministic randomness, random quorums and whole rounds of dealings for the tests of sharing/. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { group as groupOf, type Group, type GroupName, type Point } from '../../src/curves/group.ts';
import { makePolynomials } from '../../src/sharing/deal.ts';
import { parseQuorum, type Gate, type Leaf, type Quorum } from '../../src/sharing/expression.ts';
import type { Kind } from '../../src/sharing/kinds.ts';
import { makeDealing } from '../../src/sharing/make-dealing.ts';
import { makePrekey, type NewPrekey } from '../../src/sharing/make-prekey.ts';
import { ownShare, receiveShares } from '../../src/sharing/open.ts';
import { combineTrees, type KeyTree } from '../../src/sharing/result.ts';
import { verifyDealings, type DealingRound, type DealingVerdict, type VerifiedRound } from '../../src/sharing/verify-dealings.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import type { Random } from '../../src/wire/random.ts';

export const GROUPS: readonly GroupName[] = ['ed25519', 'ristretto255', 'ed448', 'secp256k1', 'p256'];

/** A repeatable stream of bytes. */
export function seeded(seed: string): Random {
  let block = 0;
  let rest = Buffer.alloc(0);
  return (length) => {
    while (rest.length < length)
      rest = Buffer.concat([rest, createHash('sha512').update(`${seed}/${String(block++)}`).digest()]);
    const out = new Uint8Array(rest.subarray(0, length));
    rest = rest.subarray(length);
    return out;
  };
}

/** The code of the CeremonyError that `run` throws; anything else fails the test. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
  return 'no error';
}

/** Satisfaction as the definition has it, apart from the code under test. */
export function satisfied(node: Gate | Leaf, present: ReadonlySet<string>): boolean {
  if (node.kind === 'leaf') return present.has(node.name);
  return node.children.filter((child) => satisfied(child, present)).length >= node.threshold;
}

/** Every subset of the quorum's names. */
export function subsets(quorum: Quorum): string[][] {
  const names = quorum.leaves.map((leaf) => leaf.name);
  return Array.from({ length: 2 ** names.length }, (_, mask) => names.filter((_name, i) => (mask >> i) & 1));
}

/** Every minimal quorum, by trying all subsets. */
export function minimalQuorums(quorum: Quorum): string[][] {
  return subsets(quorum).filter((names) => {
    const set = new Set(names);
    if (!satisfied(quorum.root, set)) return false;
    return names.every((name) => !satisfied(quorum.root, new Set(names.filter((other) => other !== name))));
  });
}

interface Shape {
  readonly pick: number;
  readonly children: readonly Shape[];
}

const shapes = fc.letrec<{ node: Shape; leaf: Shape }>((tie) => ({
  leaf: fc.constant({ pick: 0, children: [] }),
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.record({ pick: fc.nat(100), children: fc.array(tie('node'), { minLength: 2, maxLength: 4 }) }),
  ),
}));

/** Random nested quorums of 2 to 9 participants, no one of whom suffices. */
export const quorums: fc.Arbitrary<Quorum> = shapes.node
  .map((shape) => {
    let next = 0;
    const write = ({ pick, children }: Shape): string =>
      children.length === 0
        ? `p${String(++next)}`
        : `${String((pick % children.length) + 1)}-of(${children.map(write).join(',')})`;
    const text = write(shape);
    if (next < 2 || next > 9) return undefined;
    try {
      return parseQuorum(text);
    } catch {
      return undefined;
    }
  })
  .filter((quorum) => quorum !== undefined);

/** A receiving structure with everybody's prekey. */
export interface Party {
  readonly group: Group;
  readonly quorum: Quorum;
  readonly sid: Uint8Array;
  readonly keys: readonly NewPrekey[];
  readonly prekeys: readonly Uint8Array[];
  readonly random: Random;
}

export function party(name: GroupName, expression: string, seed = 'seed'): Party {
  const random = seeded(`${name}/${expression}/${seed}`);
  const quorum = parseQuorum(expression);
  const keys = quorum.leaves.map((leaf) => makePrekey({ owner: leaf.name, homeId: 'ab', n: 1 }, random));
  return { group: groupOf(name), quorum, sid: random(32), keys, prekeys: keys.map((k) => k.P), random };
}

/** One dealing to the party. */
export function deal(p: Party, kind: Kind, dealer: number, constant?: bigint): Uint8Array {
  const { coefficients: poly, tree } = makePolynomials(p.group, p.quorum, kind, constant, p.random);
  return makeDealing({ sid: p.sid, kind, dealer, tree, poly, prekeys: p.prekeys, random: p.random });
}

/** Dealings of all members of the party. */
export function dealAll(p: Party, kind: 'dkg' | 'refresh'): Map<number, Uint8Array> {
  return new Map(p.quorum.leaves.map(({ id }) => [id, deal(p, kind, id)]));
}

export function roundOf(p: Party, kind: Kind, expected?: ReadonlyMap<number, Point>): DealingRound {
  const { sid, group, quorum, prekeys } = p;
  return expected === undefined ? { sid, kind, group, quorum, prekeys } : { sid, kind, group, quorum, prekeys, expected };
}

export function mustPass(verdict: DealingVerdict): VerifiedRound {
  if (!verdict.ok) throw new Error(`refused: ${JSON.stringify(verdict.faults)}`);
  return verdict;
}

/** Dealer and check of every fault, as `2 E_POP`. */
export function faultsOf(verdict: DealingVerdict): string[] {
  return verdict.ok ? [] : verdict.faults.map((f) => `${String(f.dealer)} ${f.check}`);
}

/** What every receiver has after a round, added to its old share if there is one. */
export function shares(p: Party, round: VerifiedRound, old?: readonly Uint8Array[]): Uint8Array[] {
  return p.quorum.leaves.map((leaf, i) => {
    const got = receiveShares({ leaf, round, prekey: p.keys[i] as NewPrekey });
    if (!got.ok) throw new Error(`bad sub-shares from ${got.bad.join(', ')}`);
    const before = old?.[i];
    return ownShare(p.group, before === undefined ? [got.share] : [before, got.share]);
  });
}

/** A key made by distributed generation: every share, and the public result. */
export function makeKey(p: Party): { key: KeyTree; shares: Uint8Array[] } {
  const round = mustPass(verifyDealings(roundOf(p, 'dkg'), dealAll(p, 'dkg')));
  return { key: combineTrees(p.group, p.quorum, [round.tree]), shares: shares(p, round) };
}
