/** The error round (A.13): who cheated is named, whatever it says; honest signers never. */
import { beforeAll, describe, expect, it } from 'vitest';
import { centred, mod } from '../../src/arith/integer.ts';
import { unit } from '../../src/arith/sample.ts';
import { AFF_G_STAR_BYTES } from '../../src/ecdsa/aff-g-star.ts';
import { natural } from '../../src/ecdsa/codec.ts';
import { DEC_BYTES } from '../../src/ecdsa/dec.ts';
import { ELOG_BYTES } from '../../src/ecdsa/elog.ts';
import { ENC_ELG_BYTES } from '../../src/ecdsa/enc-elg.ts';
import { decodeMtaSecret } from '../../src/ecdsa/make-mta.ts';
import { makeTrace } from '../../src/ecdsa/make-trace.ts';
import { AFFINE_BYTES, affineOf, mtaBytes } from '../../src/ecdsa/mta.ts';
import { offerBytes, offerHead, offerHeadBytes } from '../../src/ecdsa/offer.ts';
import { checkSums } from '../../src/ecdsa/outcome.ts';
import { add, encrypt, paillierKey, scale } from '../../src/ecdsa/paillier.ts';
import { MASK_BOUND, N2_BYTES } from '../../src/ecdsa/parameters.ts';
import { type Entry, partyKeys, proofContext, type Which } from '../../src/ecdsa/presign.ts';
import { proveAffG } from '../../src/ecdsa/prove-aff-g.ts';
import { sumBytes } from '../../src/ecdsa/sum.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import { checkTrace, traceBytes } from '../../src/ecdsa/trace.ts';
import { concat } from '../../src/wire/bytes.ts';
import {
  type Fault,
  faultOf,
  judgeMtas,
  judgeOffers,
  judgeSums,
  partsOf,
  partyIn,
  randomness,
  replaced,
  type Said,
  sayAll,
  saidBy,
  sayMta,
  sayOffers,
  saySum,
  seedOf,
  type Setting,
  setting,
  type Spoken,
  tracedOf,
} from './presigning.ts';

const BOTH = ['gamma', 'chi'] as const satisfies readonly Which[];

/** What was said, by whomever; the secrets stay what they were. */
type Public = Readonly<Record<keyof Said, readonly Entry[]>>;

/** The trace that a signer makes, with these entries in front of it. */
function sayTrace(s: Setting, said: Public, secret: Uint8Array, which: Which, leaf: number): Uint8Array {
  return makeTrace({ ...tracedOf(s, said, which, leaf), own: partyIn(s, leaf).own, secret, seed: seedOf('trace-seed', leaf) });
}

/** What everybody finds, from one trace of each signer. */
function judgeTraces(s: Setting, said: Public, which: Which, traces: ReadonlyMap<number, Uint8Array>): Fault[] {
  return [...traces].flatMap(([leaf, trace]) => faultOf(leaf, 0, () => checkTrace({ ...tracedOf(s, said, which, leaf), trace })));
}

function patched(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  const out = bytes.slice();
  out.set(by, at);
  return out;
}

describe('two of three, with a path', () => {
  const s = setting('secp256k1', 3, [1, 3], 77n);
  const { group: g, curve } = s;
  const honest = sayAll(s);
  const { offers, mtas, sums } = honest;
  const secretOf = (leaf: number): Uint8Array => saidBy(mtas, leaf).secret;
  /** The traces of honest signers. They do not depend on what others said in round 3. */
  const made = new Map<Which, Map<number, Uint8Array>>();
  const traceOf = (which: Which, leaf: number): Uint8Array => made.get(which)?.get(leaf) as Uint8Array;
  beforeAll(() => {
    for (const which of BOTH) made.set(which, new Map([1, 3].map((leaf) => [leaf, sayTrace(s, honest, secretOf(leaf), which, leaf)])));
  }, 300_000);

  const withSum = (leaf: number, bytes: Uint8Array): Public => ({ offers, mtas, sums: replaced(sums, leaf, bytes) });
  const withDelta = (leaf: number, delta: bigint): Public => withSum(leaf, patched(saidBy(sums, leaf).bytes, 0, g.encodeScalar(mod(delta, g.order))));
  const withS = (leaf: number, S: typeof g.base): Public => withSum(leaf, patched(saidBy(sums, leaf).bytes, 65, g.encodePoint(S)));
  const deltaOf = (leaf: number): bigint => g.decodeScalar(saidBy(sums, leaf).bytes.slice(0, 32));
  const SOf = (leaf: number): typeof g.base => g.decodePoint(saidBy(sums, leaf).bytes.slice(65, 98));
  /** Everybody's honest traces, but one of somebody. */
  const traces = (which: Which, leaf?: number, bytes?: Uint8Array): Map<number, Uint8Array> =>
    new Map([...(made.get(which) as Map<number, Uint8Array>)].map(([l, t]) => [l, l === leaf && bytes ? bytes : t]));
  /** Codes by who is blamed. */
  const blamed = (list: readonly Fault[]): [number, string][] => list.map((f) => [f.leaf, f.code]);

  it.each(BOTH)('where everybody was honest everybody passes: %s', (which) => {
    expect(traceOf(which, 1).length).toBe(traceBytes(curve, 1));
    expect(judgeTraces(s, honest, which, traces(which))).toEqual([]);
  });

  it('a wrong δ names its author, whatever trace it sends', () => {
    for (const cheat of [1, 3]) {
      const said = withDelta(cheat, deltaOf(cheat) + 1n);
      expect(checkSums(partsOf(s, said))).toBe('gamma');
      expect(blamed(judgeTraces(s, said, 'gamma', traces('gamma')))).toEqual([[cheat, 'E_PROOF']]);
    }
    const said = withDelta(3, deltaOf(3) + 1n);
    const forged = sayTrace(s, said, secretOf(3), 'gamma', 3);
    for (const trace of [forged, traceOf('chi', 3), traceOf('gamma', 1)]) {
      // what was made under another modulus may also be out of range
      const faults = blamed(judgeTraces(s, said, 'gamma', traces('gamma', 3, trace)));
      expect(faults.map(([leaf]) => leaf)).toEqual([3]);
      expect(['E_PROOF', 'E_RANGE']).toContain(faults[0]?.[1]);
    }
  });

  it('a wrong S names its author', () => {
    for (const cheat of [1, 3]) {
      const said = withS(cheat, SOf(cheat).add(g.base));
      expect(checkSums(partsOf(s, said))).toBe('chi');
      expect(blamed(judgeTraces(s, said, 'chi', traces('chi')))).toEqual([[cheat, 'E_PROOF']]);
    }
  });

  it('a wrong χ behind S names its author, though it knows the logarithm of S', () => {
    const said = withS(3, g.base.multiply(5n));
    expect(blamed(judgeTraces(s, said, 'chi', traces('chi')))).toEqual([[3, 'E_PROOF']]);
  });

  it('two cheats are both named', () => {
    const one = withDelta(1, deltaOf(1) + 1n);
    const said: Public = { ...one, sums: replaced(one.sums, 3, withDelta(3, deltaOf(3) + 5n).sums[1]?.bytes as Uint8Array) };
    expect(checkSums(partsOf(s, said))).toBe('gamma');
    expect(blamed(judgeTraces(s, said, 'gamma', traces('gamma')))).toEqual([[1, 'E_PROOF'], [3, 'E_PROOF']]);
  });

  it('a δ of zero names its author', () => {
    const said = withDelta(3, 0n);
    expect(checkSums(partsOf(s, said))).toBe('gamma');
    expect(blamed(judgeTraces(s, said, 'gamma', traces('gamma')))).toEqual([[3, 'E_POINT']]);
  });

  it('a trace of another form, product, context or signer is none', () => {
    const traced = tracedOf(s, honest, 'gamma', 3);
    const trace = traceOf('gamma', 3);
    const found = (bytes: Uint8Array, change = {}): [number, string][] => blamed(faultOf(3, 0, () => checkTrace({ ...traced, ...change, trace: bytes })));
    expect(found(trace)).toEqual([]);
    for (const bytes of [trace.slice(1), concat(trace, trace.slice(0, 1)), trace.slice(0, DEC_BYTES), concat(trace, trace.slice(DEC_BYTES)), new Uint8Array(0)]) expect(found(bytes)).toEqual([[3, 'E_FORMAT']]);
    expect(found(trace, { bind: seedOf('elsewhere') })).toEqual([[3, 'E_PROOF']]);
    expect(found(trace, { which: 'chi' })).toEqual([[3, 'E_PROOF']]);
    expect(found(traceOf('chi', 3), { which: 'chi', point: s.W.get(1) as Uint8Array })).toEqual([[3, 'E_PROOF']]);
    // one honest part does not carry the other
    expect(found(concat(trace.slice(0, DEC_BYTES), traceOf('chi', 3).slice(DEC_BYTES)))).toEqual([[3, 'E_PROOF']]);
    expect(found(concat(traceOf('chi', 3).slice(0, DEC_BYTES), trace.slice(DEC_BYTES)))).toEqual([[3, 'E_PROOF']]);
  });

  it('garbage is refused soon', () => {
    const said = withDelta(3, deltaOf(3) + 1n);
    const length = traceBytes(curve, 1);
    for (const bytes of [new Uint8Array(length), new Uint8Array(length).fill(255), randomness('garbage')(length), patched(traceOf('gamma', 3), DEC_BYTES, randomness('g')(AFF_G_STAR_BYTES))]) {
      const start = performance.now();
      expect(judgeTraces(s, said, 'gamma', new Map([[3, bytes]])).map((f) => f.leaf)).toEqual([3]);
      expect(performance.now() - start).toBeLessThan(1000);
    }
  });

  it('a damaged secret makes no trace, and tasks take plain data', () => {
    const args = structuredClone({ ...tracedOf(s, honest, 'gamma', 3), own: partyIn(s, 3).own, secret: secretOf(3).slice(1), seed: seedOf('x') });
    expect(() => TASKS.makeTrace(args)).toThrow(expect.objectContaining({ code: 'E_STATE' }));
    expect(TASKS.checkTrace(structuredClone({ ...tracedOf(s, honest, 'gamma', 3), trace: traceOf('gamma', 3) }))).toBeUndefined();
  });

  it('an honest signer passes whom a cheat gave masks as large as its proofs admit', () => {
    const random = randomness('large masks');
    const [cheat, peer] = [partyIn(s, 3), partyIn(s, 1)];
    const { gamma } = decodeMtaSecret(curve, secretOf(3), 1);
    const [receiver, own] = [paillierKey(peer.aux.n), paillierKey(cheat.aux.n)];
    const [x, y] = [centred(gamma, g.order), MASK_BOUND << 254n];
    const [rho, rhoY] = [unit(receiver.n, random), unit(own.n, random)];
    const C = offerHead(saidBy(offers, 1).bytes, curve).K;
    const D = add(receiver, scale(receiver, C, x), encrypt(receiver, y, rho));
    const Y = encrypt(own, y, rhoY);
    const statement = { group: g, receiver, own, ring: partyKeys(peer.aux).pedersen, C, D, Y, X: g.base.multiply(gamma) };
    const proof = proveAffG(proofContext(s.bind, 'aff-g/gamma', 3, 1), statement, { x, y, rho, rhoY }, random(32));
    const large = replaced(mtas, 3, patched(saidBy(mtas, 3).bytes, 33 + ELOG_BYTES, concat(natural(D, N2_BYTES), natural(Y, N2_BYTES), proof)));
    expect(judgeMtas(s, offers, large, 3)).toEqual([]);
    // it says the δ that belongs to the masks it should have taken
    const said: Said = { offers, mtas: large, sums: [saySum(s, peer, offers, large), saidBy(sums, 3)] };
    expect(judgeSums(s, said)).toEqual([]);
    expect(checkSums(partsOf(s, said))).toBe('gamma');
    expect(blamed(judgeTraces(s, said, 'gamma', new Map([[1, sayTrace(s, said, secretOf(1), 'gamma', 1)], [3, traceOf('gamma', 3)]])))).toEqual([[3, 'E_PROOF']]);
  });

  it('random cheats: the cheat is named, by a check or by its trace, and nobody else', () => {
    const random = randomness('random cheats');
    const below = (n: number): number => Number(BigInt(`0x${Buffer.from(random(6)).toString('hex')}`) % BigInt(n));
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
    const flipped = (bytes: Uint8Array, from: number, to: number): Uint8Array => {
      const at = from + below(to - from);
      return patched(bytes, at, Uint8Array.of((bytes[at] as number) ^ (1 << below(8))));
    };
    const outcomes = { offer: 0, mta: 0, sum: 0, gamma: 0, chi: 0 };
    for (let run = 0; run < 30; run++) {
      const cheat = pick([1, 3]);
      const place = pick(['offer', 'mta', 'sum', 'delta', 'S'] as const);
      const expectCheat = (list: readonly Fault[]): void => expect([run, place, [...new Set(list.map((f) => f.leaf))]]).toEqual([run, place, [cheat]]);
      if (place === 'offer') {
        // the proofs for the third, who does not sign, concern nobody: head, and what is for the peer
        const bytes = saidBy(offers, cheat).bytes;
        const [from, to] = pick([[0, offerHeadBytes(curve)], cheat === 1 ? [offerHeadBytes(curve) + 2 * ENC_ELG_BYTES, offerBytes(curve, 2)] : [offerHeadBytes(curve), offerHeadBytes(curve) + 2 * ENC_ELG_BYTES]] as const);
        expectCheat(judgeOffers(s, replaced(offers, cheat, flipped(bytes, from, to)), cheat));
        outcomes.offer++;
        continue;
      }
      if (place === 'mta') {
        expectCheat(judgeMtas(s, offers, replaced(mtas, cheat, flipped(saidBy(mtas, cheat).bytes, 0, mtaBytes(curve, 1))), cheat));
        outcomes.mta++;
        continue;
      }
      const own = saidBy(sums, cheat).bytes;
      const said = withSum(
        cheat,
        place === 'sum'
          ? flipped(own, 0, sumBytes(curve))
          : place === 'delta'
            ? patched(own, 0, g.encodeScalar(pick([0n, 1n, mod(-deltaOf(cheat), g.order), deltaOf(4 - cheat), g.randomScalar(random)])))
            : patched(own, 65, g.encodePoint(pick([g.base, SOf(cheat).negate(), SOf(4 - cheat), SOf(cheat).add(SOf(4 - cheat)), g.base.multiply(g.randomScalar(random))]))),
      );
      const found = judgeSums(s, said);
      if (found.length > 0) {
        expectCheat(found);
        outcomes.sum++;
        continue;
      }
      const which = checkSums(partsOf(s, said)) as Which;
      expect(BOTH).toContain(which);
      const trace = pick([traceOf(which, cheat), traceOf(which, 4 - cheat), flipped(traceOf(which, cheat), 0, traceBytes(curve, 1))]);
      expectCheat(judgeTraces(s, said, which, traces(which, cheat, trace)));
      outcomes[which]++;
    }
    // every kind has come up
    expect(Object.values(outcomes).every((n) => n > 0)).toBe(true);
  });
});

describe('three of three over P-256: 2 gives 3 something else than it proves, and 3 looks away', () => {
  const s = setting('p256', 3, [1, 2, 3]);
  const { curve } = s;
  const offers = sayOffers(s);
  const good = s.signers.map((p) => sayMta(s, p, offers));
  /** Where the product of γ for 3 stands in the entry of 2. */
  const at = 33 + ELOG_BYTES + 2 * AFFINE_BYTES;
  const withD = (D: bigint): Spoken[] => replaced(good, 2, patched(saidBy(good, 2).bytes, at, natural(D, N2_BYTES)));
  const { n } = partyIn(s, 3).aux;
  const D = affineOf(curve, saidBy(good, 2).bytes, [1, 2, 3], 2, 3, 'gamma').D;
  const mtas = withD((D * (1n + n)) % (n * n));
  const said: Said = { offers, mtas, sums: s.signers.map((p) => saySum(s, p, offers, mtas)) };
  const traces = new Map<number, Uint8Array>();
  beforeAll(() => {
    for (const leaf of [1, 2, 3]) traces.set(leaf, sayTrace(s, said, saidBy(mtas, leaf).secret, 'gamma', leaf));
  }, 300_000);

  it('nobody but 3 can object in round 2, and the parts do not add up', () => {
    expect(judgeMtas(s, offers, mtas, 2)).toEqual([{ leaf: 2, seen: 3, code: 'E_PROOF' }]);
    expect(judgeSums(s, said)).toEqual([]);
    expect(checkSums(partsOf(s, said))).toBe('gamma');
  });
  it('2 is named', () => {
    expect(judgeTraces(s, said, 'gamma', traces)).toEqual([{ leaf: 2, seen: 0, code: 'E_PROOF' }]);
  });
  it.each([0n, n, n * n])('2 is named where it gave no ciphertext at all, and 3 can prove nothing about its sum', (bad) => {
    expect(judgeTraces(s, { ...said, mtas: withD(bad) }, 'gamma', traces)).toEqual([{ leaf: 2, seen: 0, code: 'E_RANGE' }]);
  });
  it("proofs for two peers in each other's place are none", () => {
    const own = traces.get(1) as Uint8Array;
    const swapped = concat(own.slice(0, DEC_BYTES), own.slice(DEC_BYTES + AFF_G_STAR_BYTES), own.slice(DEC_BYTES, DEC_BYTES + AFF_G_STAR_BYTES));
    // a ciphertext under the one key may be out of range under the other
    expect(judgeTraces(s, said, 'gamma', new Map([[1, swapped]])).map((f) => f.leaf)).toEqual([1]);
  });
});
