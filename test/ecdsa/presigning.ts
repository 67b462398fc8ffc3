/** Whole presignings in memory: some parties with the primes of the tests, everything that they say, and what a judge says to it. */
import { expand } from '../../src/arith/expand.ts';
import { mod } from '../../src/arith/integer.ts';
import { type Group, group, type Point } from '../../src/curves/group.ts';
import { type AuxSecret, drawAux } from '../../src/ecdsa/make-aux.ts';
import { affineJobs, assembleMta, type MakeMta } from '../../src/ecdsa/make-mta.ts';
import { makeOffer } from '../../src/ecdsa/make-offer.ts';
import { makePresignSecret } from '../../src/ecdsa/make-presignature.ts';
import { makeSum } from '../../src/ecdsa/make-sum.ts';
import { checkGamma, gammaSum } from '../../src/ecdsa/mta.ts';
import { deltaSum, type Parts } from '../../src/ecdsa/outcome.ts';
import type { CurveName, Entry, PartyAux } from '../../src/ecdsa/presign.ts';
import { checkSum } from '../../src/ecdsa/sum.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import type { Traced } from '../../src/ecdsa/trace.ts';
import { flatLagrange } from '../../src/sharing/recombination.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { digest } from '../../src/wire/hash.ts';
import type { Random } from '../../src/wire/random.ts';
import { fixturePrimes } from '../support/primes.ts';

/** Reproducible randomness. */
export const randomness = (name: string): Random => expand(utf8(name), 'test-presigning');
/** 32 bytes that differ with the name. */
export const seedOf = (...name: (string | number)[]): Uint8Array => digest('test-seed', ...name);

export interface Party {
  readonly leaf: number;
  readonly own: AuxSecret;
  readonly aux: PartyAux;
}

/** The i-th participant, whose leaf is i. */
export function partyOf(leaf: number): Party {
  const own = fixturePrimes(leaf - 1);
  return { leaf, own, aux: { leaf, ...drawAux(own, randomness(`aux-${String(leaf)}`)).aux } };
}

/** A key, who signs with it, and what the rounds are bound to. */
export interface Setting {
  readonly curve: CurveName;
  readonly group: Group;
  /** Everybody who holds a share: offers are made for all of them. */
  readonly parties: readonly Party[];
  readonly signers: readonly Party[];
  /** The signed key's logarithm: share polynomial at 0 and shift. */
  readonly key: bigint;
  readonly publicKey: Point;
  /** Additive shares and their points, by leaf. */
  readonly w: ReadonlyMap<number, bigint>;
  readonly W: ReadonlyMap<number, Uint8Array>;
  readonly bind: Uint8Array;
}

/**
 * A t-of-n key and some of its participants as signers.
 * @param shift of a derivation path, which the lowest leaf adds
 */
export function setting(curve: CurveName, n: number, leaves: readonly number[], shift = 0n): Setting {
  const g = group(curve);
  const random = randomness(`key-${curve}`);
  const polynomial = leaves.map(() => g.randomScalar(random));
  const share = (at: number): bigint => polynomial.reduceRight((sum, c) => mod(sum * BigInt(at) + c, g.order), 0n);
  const weights = flatLagrange(leaves, g.order);
  const w = new Map(leaves.map((leaf, i) => [leaf, mod((weights.get(leaf) as bigint) * share(leaf) + (i === 0 ? shift : 0n), g.order)]));
  const key = mod(share(0) + shift, g.order);
  const parties = Array.from({ length: n }, (_, i) => partyOf(i + 1));
  return {
    curve,
    group: g,
    parties,
    signers: parties.filter((p) => leaves.includes(p.leaf)),
    key,
    publicKey: g.multiplyPublic(g.base, key),
    w,
    W: new Map([...w].map(([leaf, scalar]) => [leaf, g.encodePoint(g.multiplyPublic(g.base, scalar))])),
    bind: seedOf('bind', curve),
  };
}

/** What somebody said, and what it keeps of it. */
export interface Spoken extends Entry {
  readonly secret: Uint8Array;
}

/** Everything that was said so far, each list by ascending leaf. */
export interface Said {
  readonly offers: readonly Spoken[];
  readonly mtas: readonly Spoken[];
  readonly sums: readonly Spoken[];
}

export const leavesOf = (s: Setting): number[] => s.signers.map((p) => p.leaf);
export const partyIn = (s: Setting, leaf: number): Party => s.parties.find((p) => p.leaf === leaf) as Party;
export const saidBy = <T extends Entry>(entries: readonly T[], leaf: number): T => entries.find((e) => e.leaf === leaf) as T;
/** The entries with one of them replaced. */
export const replaced = <T extends Entry>(entries: readonly T[], leaf: number, bytes: Uint8Array): T[] => entries.map((e) => (e.leaf === leaf ? { ...e, bytes } : e));

export const offerBind = (leaf: number): Uint8Array => seedOf('offer', leaf);

/** @param as whose primes are used; others than those of the leaf for a copy */
export function offerArgs(s: Setting, { leaf, own }: Party): Parameters<typeof makeOffer>[0] {
  return { curve: s.curve, bind: offerBind(leaf), leaf, own, verifiers: s.parties.map((p) => p.aux), seed: seedOf('offer-seed', leaf) };
}

export function sayOffers(s: Setting): Spoken[] {
  return s.signers.map((p) => {
    const { offer, secret } = makeOffer(offerArgs(s, p));
    return { leaf: p.leaf, bytes: offer, secret };
  });
}

export function mtaArgs(s: Setting, { leaf, own }: Party, offers: readonly Spoken[]): MakeMta {
  return {
    curve: s.curve,
    bind: s.bind,
    leaf,
    own,
    signers: s.signers.map((p) => p.aux),
    offers,
    secret: saidBy(offers, leaf).secret,
    w: s.group.encodeScalar(s.w.get(leaf) as bigint),
    seed: seedOf('mta-seed', leaf),
  };
}

export function sayMta(s: Setting, party: Party, offers: readonly Spoken[]): Spoken {
  const args = mtaArgs(s, party, offers);
  const { mta, secret } = assembleMta(args, affineJobs(args).map(TASKS.makeAffine));
  return { leaf: party.leaf, bytes: mta, secret };
}

export function saySum(s: Setting, { leaf, own }: Party, offers: readonly Spoken[], mtas: readonly Spoken[]): Spoken {
  const { sum, secret } = makeSum({
    curve: s.curve,
    bind: s.bind,
    leaf,
    own,
    offer: saidBy(offers, leaf).bytes,
    mtas,
    secret: saidBy(mtas, leaf).secret,
    seed: seedOf('sum-seed', leaf),
  });
  return { leaf, bytes: sum, secret };
}

/** All three rounds, everybody honest. */
export function sayAll(s: Setting): Said {
  const offers = sayOffers(s);
  const mtas = s.signers.map((p) => sayMta(s, p, offers));
  return { offers, mtas, sums: s.signers.map((p) => saySum(s, p, offers, mtas)) };
}

export interface Fault {
  /** Who is to blame. */
  readonly leaf: number;
  /** Who sees it; 0: everybody. */
  readonly seen: number;
  readonly code: ErrorCode;
}

/** The fault that a check finds; anything but a refusal is an error of ours. */
export function faultOf(leaf: number, seen: number, check: () => void): Fault[] {
  try {
    check();
    return [];
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    return [{ leaf, seen, code: e.code }];
  }
}

/** All ordered pairs of different signers, or those of one prover: who proved, who verifies. */
export const pairsOf = (s: Setting, prover?: number): [Party, Party][] =>
  s.signers.filter((a) => prover === undefined || a.leaf === prover).flatMap((a) => s.signers.filter((b) => b !== a).map((b): [Party, Party] => [a, b]));

/** What everybody finds in round 1, each with its own factors. @param of whose entry, if only one is judged */
export function judgeOffers(s: Setting, offers: readonly Entry[], of?: number): Fault[] {
  const verifiers = s.parties.map((p) => p.leaf);
  return pairsOf(s, of).flatMap(([prover, verifier]) =>
    faultOf(prover.leaf, verifier.leaf, () =>
      TASKS.checkOffer({
        curve: s.curve,
        bind: offerBind(prover.leaf),
        prover: prover.aux,
        verifiers,
        verifier: verifier.aux,
        own: verifier.own,
        offer: saidBy(offers, prover.leaf).bytes,
      }),
    ),
  );
}

/** What everybody finds in round 2, each with its own factors. @param of whose entry, if only one is judged */
export function judgeMtas(s: Setting, offers: readonly Entry[], mtas: readonly Entry[], of?: number): Fault[] {
  const common = { curve: s.curve, bind: s.bind, signers: leavesOf(s) };
  return [
    ...s.signers.filter((p) => of === undefined || p.leaf === of).flatMap(({ leaf }) =>
      faultOf(leaf, 0, () => checkGamma({ ...common, prover: leaf, offer: saidBy(offers, leaf).bytes, mta: saidBy(mtas, leaf).bytes })),
    ),
    ...pairsOf(s, of).flatMap(([prover, verifier]) =>
      (['gamma', 'chi'] as const).flatMap((which) =>
        faultOf(prover.leaf, verifier.leaf, () =>
          TASKS.checkAffine({
            ...common,
            which,
            prover: prover.aux,
            verifier: verifier.aux,
            own: verifier.own,
            offer: saidBy(offers, verifier.leaf).bytes,
            mta: saidBy(mtas, prover.leaf).bytes,
            point: s.W.get(prover.leaf) as Uint8Array,
          }),
        ),
      ),
    ),
  ];
}

/** What everybody finds in round 3 before adding up. */
export function judgeSums(s: Setting, { offers, mtas, sums }: Readonly<Record<keyof Said, readonly Entry[]>>): Fault[] {
  const gamma = gammaSum(s.curve, mtas);
  return s.signers.flatMap(({ leaf }) =>
    faultOf(leaf, 0, () => checkSum({ curve: s.curve, bind: s.bind, prover: leaf, offer: saidBy(offers, leaf).bytes, gamma, sum: saidBy(sums, leaf).bytes })),
  );
}

export function partsOf(s: Setting, { mtas, sums }: { mtas: readonly Entry[]; sums: readonly Entry[] }): Parts {
  return { curve: s.curve, publicKey: s.group.encodePoint(s.publicKey), mtas, sums };
}

/** The secret halves of the signers, by leaf: k~ ‖ χ~. */
export function halvesOf(s: Setting, said: Said): Map<number, Uint8Array> {
  const delta = deltaSum(partsOf(s, said));
  return new Map(said.sums.map(({ leaf, secret }) => [leaf, makePresignSecret({ curve: s.curve, secret, delta })]));
}

export function tracedOf(s: Setting, { offers, mtas, sums }: Readonly<Record<keyof Said, readonly Entry[]>>, which: 'gamma' | 'chi', prover: number): Traced {
  return { curve: s.curve, bind: s.bind, which, signers: s.signers.map((p) => p.aux), prover, offers, mtas, sums, point: s.W.get(prover) as Uint8Array };
}
