/** Π-dec: what holds, and everything that must not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { bitLength, mod, toBytes } from '../../src/arith/integer.ts';
import { group as groupOf } from '../../src/curves/group.ts';
import { inRole } from '../../src/ecdsa/context.ts';
import {
  checkDec,
  DEC_BYTES,
  DEC_LABEL,
  DEC_RESPONSE_BYTES,
  decChallenge,
  decItems,
  decResponseBound,
  encodeDec,
  type DecStatement,
} from '../../src/ecdsa/dec.ts';
import { foldBits, foldProduct, foldSum, foldWeights } from '../../src/ecdsa/folding.ts';
import { natural, signed } from '../../src/ecdsa/codec.ts';
import { add, encrypt, scale } from '../../src/ecdsa/paillier.ts';
import { ELL, ELL_PRIME, EPSILON, MODULUS_BITS, N2_BYTES, N_BYTES, REPETITIONS, SCALAR_RESPONSE_BOUND, SCALAR_RESPONSE_BYTES } from '../../src/ecdsa/parameters.ts';
import { proveDec } from '../../src/ecdsa/prove-dec.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { fixturePrimes } from '../support/primes.ts';
import { changed, code, CTX, decCase, draws, OWNED, PUBLIC, SEED, spliced, times, type DecCase } from './error-rounds.ts';

const MASK = 1n << BigInt(ELL_PRIME);
/** The largest mask that a peer's proof lets pass, as dec.ts derives it. */
const LOOSE = 1n << BigInt(ELL_PRIME + EPSILON + 1);
const honestPeer = [MASK - 5n, -MASK] as const;

const HEAD = REPETITIONS / 8;
const Z = 1 + SCALAR_RESPONSE_BYTES;
const W = 1 + DEC_RESPONSE_BYTES;
const ROW = N2_BYTES + Z + W;
const at = (k: number): { A: number; z: number; w: number } => ({ A: HEAD + k * ROW, z: HEAD + k * ROW + N2_BYTES, w: HEAD + k * ROW + N2_BYTES + Z });
const NU = DEC_BYTES - N_BYTES;
const LAST = REPETITIONS - 1;

let made: DecCase;
let proof: Uint8Array;
beforeAll(() => {
  made = decCase('secp256k1', [honestPeer]);
  proof = proveDec(CTX, { ...made.st, key: OWNED[0]! }, made.witness, SEED);
});
const check = (bytes: Uint8Array, st: Partial<DecStatement> = {}, ctx = CTX): string => code(() => checkDec(ctx, { ...made.st, ...st }, bytes));

describe('completeness', () => {
  it('holds with the public key and with the owner’s', () => {
    expect(proof).toHaveLength(DEC_BYTES);
    expect(check(proof)).toBe('passed');
    expect(check(proof, { key: OWNED[0]! })).toBe('passed');
  });
  it.each([
    ['P-256, the round for δ', 'p256', [honestPeer], 'base'],
    ['P-256, the round for χ', 'p256', [honestPeer], 'gamma'],
    ['secp256k1, the round for χ, three signers', 'secp256k1', [honestPeer, [-MASK, MASK]], 'gamma'],
    ['four peers with the largest masks that their proofs allow', 'secp256k1', [[-LOOSE, MASK], [-LOOSE, MASK], [-LOOSE, MASK], [-LOOSE, MASK]], 'gamma'],
  ] as const)('%s', (_, curve, peers, H) => {
    const { st, witness } = decCase(curve, peers, H);
    expect(witness.y <= decResponseBound(st.signers) >> BigInt(EPSILON)).toBe(true);
    expect(code(() => checkDec(CTX, st, proveDec(CTX, { ...st, key: OWNED[0]! }, witness, SEED)))).toBe('passed');
  });
  it('is hedged: the same everything gives the same bytes, another seed or witness others', () => {
    const st = { ...made.st, key: OWNED[0]! };
    expect(toHex(proveDec(CTX, st, made.witness, SEED))).toBe(toHex(proof));
    const others = [
      proveDec({ ...CTX, prover: 2 }, st, made.witness, new Uint8Array(32)),
      proveDec(CTX, st, { ...made.witness, y: made.witness.y + 1n }, SEED),
    ];
    // not even one A is shared
    const As = (p: Uint8Array): string[] => Array.from({ length: REPETITIONS }, (_, k) => toHex(p.subarray(at(k).A, at(k).z)));
    expect(new Set([proof, ...others].flatMap(As)).size).toBe(3 * REPETITIONS);
  });
  it('wants 32 bytes of seed', () => {
    for (const length of [0, 31, 33]) expect(code(() => proveDec(CTX, made.st, made.witness, new Uint8Array(length)))).toBe('E_RNG');
  });
  it('the nonces of one proof are all different, and every challenge bit is asked', () => {
    const bits = [...proof.subarray(0, HEAD)].flatMap((b) => [...b.toString(2).padStart(8, '0')]);
    expect(new Set(bits)).toEqual(new Set(['0', '1']));
    expect(new Set(Array.from({ length: REPETITIONS }, (_, k) => toHex(proof.subarray(at(k).w, at(k).w + W)))).size).toBe(REPETITIONS);
  });
});

describe('ranges', () => {
  it('are as derived', () => {
    expect([ELL, ELL_PRIME, EPSILON]).toEqual([256, 1280, 512]);
    for (const [t, log] of [[2, 1], [3, 2], [4, 2], [5, 3], [8, 3], [9, 4], [63, 6], [64, 6]] as const) {
      expect(decResponseBound(t)).toBe(1n << BigInt(2305 + log));
      const Yb = decResponseBound(t) >> BigInt(EPSILON);
      const [n, two] = [BigInt(t), (bits: number): bigint => 1n << BigInt(bits)];
      // 1: an honest y fits
      expect(two(2 * ELL) + (n - 1n) * (two(2 * ELL + EPSILON + 1) + LOOSE + MASK) <= Yb).toBe(true);
      // ... and none with a bit less
      expect((n - 1n) * LOOSE > Yb >> 2n).toBe(true);
      // 3: extracted values are equal over the integers
      const right = n * two(2 * ELL + 2 * EPSILON + 2) + 2n * (n - 1n) * LOOSE;
      expect(2n * decResponseBound(t) + right < two(MODULUS_BITS - 1)).toBe(true);
      expect(bitLength(2n * decResponseBound(t) + right)).toBeLessThanOrEqual(2313);
    }
    expect(bitLength(decResponseBound(64))).toBeLessThanOrEqual(8 * DEC_RESPONSE_BYTES);
  });
  it.each([0, 1, 65, 2.5, Number.NaN, -2])('%d signers there are not', (signers) => {
    expect(check(proof, { signers })).toBe('E_INTERNAL');
    expect(code(() => proveDec(CTX, { ...made.st, signers }, made.witness, SEED))).toBe('E_INTERNAL');
  });
});

// a prover of our own making -------------------------------------------------------------------------------------

interface Nonce {
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly r: bigint;
}
interface Cheat {
  /** The statement it claims. */
  readonly st: DecStatement;
  readonly nonces: readonly Nonce[];
  /** Responses to a bit, in place of the honest ones. */
  readonly respond: (k: number, bit: boolean) => { z: bigint; w: bigint };
  /** A in place of the honest one. */
  readonly As?: readonly bigint[];
}

let honestNonces: Nonce[];
let honestAs: bigint[];
let honestPoints: ReturnType<typeof times>[];
beforeAll(() => {
  const draw = draws('dec');
  const key = OWNED[0]!;
  honestNonces = Array.from({ length: REPETITIONS }, () => ({
    alpha: draw.symmetric(SCALAR_RESPONSE_BOUND),
    beta: draw.symmetric(decResponseBound(2)),
    r: draw.unit(key.n),
  }));
  honestAs = honestNonces.map(firstA);
  honestPoints = honestNonces.flatMap(firstPoints);
});
const firstA = ({ alpha, beta, r }: Nonce): bigint => add(OWNED[0]!, scale(OWNED[0]!, made.st.K, -alpha), encrypt(OWNED[0]!, beta, r));
const firstPoints = ({ alpha, beta }: Nonce): ReturnType<typeof times>[] => [times(made.st.group, made.st.group.base, alpha), times(made.st.group, made.st.H, beta)];
const honest = (k: number, bit: boolean): { z: bigint; w: bigint } => {
  const { alpha, beta } = honestNonces[k] as Nonce;
  return bit ? { z: alpha + made.witness.x, w: beta + made.witness.y } : { z: alpha, w: beta };
};

/** The best that can be done with these responses: nu is the root of whatever the fold asks for, if there is one. */
function forge(cheat: Cheat): Uint8Array {
  const { st, nonces, respond } = cheat;
  const key = OWNED[0]!;
  const As = cheat.As ?? nonces.map((n, k) => (n === honestNonces[k] ? (honestAs[k] as bigint) : firstA(n)));
  const points = nonces.flatMap((n, k) => (n === honestNonces[k] ? honestPoints.slice(2 * k, 2 * k + 2) : firstPoints(n)));
  const statement = decItems(st);
  const bits = decChallenge(st.group, CTX, statement, As, points);
  const repetitions = As.map((A, k) => ({ A, ...respond(k, bits[k] === true) }));
  const sent = encodeDec(bits, repetitions);
  const weights = foldWeights(DEC_LABEL, CTX, statement, sent);
  const right = [foldProduct(key.N2, weights, As), scale(key, st.D, foldBits(weights, bits)), scale(key, st.K, foldSum(weights, repetitions.map(({ z }) => z)))].reduce((a, b) => add(key, a, b));
  return concat(sent, natural(key.nonceOf(right), N_BYTES));
}

describe('a prover that cheats', () => {
  it('can tell: honest answers pass', () => {
    expect(check(forge({ st: made.st, nonces: honestNonces, respond: honest }))).toBe('passed');
  });

  it.each([
    ['α = 2^(ℓ+ε)', 'passed', 'alpha', 0n],
    ['α = 2^(ℓ+ε) + 1', 'E_RANGE', 'alpha', 1n],
    ['β = 2^(Yb+ε)', 'passed', 'beta', 0n],
    ['β = 2^(Yb+ε) + 1', 'E_RANGE', 'beta', 1n],
  ] as const)('%s of either sign, everything else right: %s', (_, verdict, field, beyond) => {
    const bound = (field === 'alpha' ? SCALAR_RESPONSE_BOUND : decResponseBound(2)) + beyond;
    for (const sign of [1n, -1n])
      for (let salt = 1n; ; salt++) {
        expect(salt).toBeLessThan(100n);
        // with the bit 0 the response is the nonce itself; another r gives another challenge
        const first = { ...(honestNonces[0] as Nonce), r: salt, [field]: sign * bound };
        const nonces = [first, ...honestNonces.slice(1)];
        let asked = true;
        const bytes = forge({
          st: made.st,
          nonces,
          respond: (k, bit) => {
            if (k > 0) return honest(k, bit);
            asked = bit;
            return { z: first.alpha, w: first.beta };
          },
        });
        if (asked) continue;
        expect(check(bytes)).toBe(verdict);
        break;
      }
  });

  it('another sum: δ + 1 fails with the true witness and with the claimed one', () => {
    const { st, witness } = made;
    const claimed = { ...st, S: st.S.add(st.H) };
    const owned = { ...claimed, key: OWNED[0]! };
    expect(check(proveDec(CTX, owned, witness, SEED), claimed)).toBe('E_PROOF');
    expect(check(proveDec(CTX, owned, { ...witness, y: witness.y + 1n }, SEED), claimed)).toBe('E_PROOF');
    // the same with the best nu there is: now only the plaintexts disagree, in every repetition that asks
    const answer = (k: number, bit: boolean): { z: bigint; w: bigint } => ({ ...honest(k, bit), w: honest(k, bit).w + (bit ? 1n : 0n) });
    expect(check(forge({ st: claimed, nonces: honestNonces, respond: answer }), claimed)).toBe('E_PROOF');
  });

  it('another x: X + G fails with either witness', () => {
    const { st, witness } = made;
    const claimed = { ...st, X: st.X.add(st.group.base) };
    expect(check(proveDec(CTX, { ...claimed, key: OWNED[0]! }, witness, SEED), claimed)).toBe('E_PROOF');
    const answer = (k: number, bit: boolean): { z: bigint; w: bigint } => ({ ...honest(k, bit), z: honest(k, bit).z + (bit ? 1n : 0n) });
    expect(check(forge({ st: claimed, nonces: honestNonces, respond: answer }), claimed)).toBe('E_PROOF');
  });

  it('y + N, the same plaintext modulo N, cannot be said', () => {
    const { st, witness } = made;
    const claimed = { ...st, S: st.S.add(times(st.group, st.H, st.key.n)) };
    expect(code(() => proveDec(CTX, { ...claimed, key: OWNED[0]! }, { ...witness, y: witness.y + st.key.n }, SEED))).toBe('E_INTERNAL');
  });

  it('y + q, the same S: the plaintexts disagree', () => {
    const { st } = made;
    const answer = (k: number, bit: boolean): { z: bigint; w: bigint } => ({ ...honest(k, bit), w: honest(k, bit).w + (bit ? st.group.order : 0n) });
    expect(check(forge({ st, nonces: honestNonces, respond: answer }))).toBe('E_PROOF');
    // and x + q, the same X
    const other = (k: number, bit: boolean): { z: bigint; w: bigint } => ({ ...honest(k, bit), z: honest(k, bit).z + (bit ? st.group.order : 0n) });
    expect(check(forge({ st, nonces: honestNonces, respond: other }))).toBe('E_PROOF');
  });

  it('one wrong plaintext among all repetitions, and two that cancel out without weights', () => {
    const { st } = made;
    const q = st.group.order;
    // w off by q leaves the points as they are
    for (const off of [new Map([[5, q]]), new Map([[5, q], [6, -q]])]) {
      const answer = (k: number, bit: boolean): { z: bigint; w: bigint } => ({ ...honest(k, bit), w: honest(k, bit).w + (off.get(k) ?? 0n) });
      expect(check(forge({ st, nonces: honestNonces, respond: answer }))).toBe('E_PROOF');
    }
    const plus = mod(1n + q * st.key.n, st.key.n2);
    const As = honestAs.slice();
    As[9] = add(OWNED[0]!, As[9] as bigint, plus);
    expect(check(forge({ st, nonces: honestNonces, respond: honest, As }))).toBe('E_PROOF');
    // where w says the same as A it is right again
    const answer = (k: number, bit: boolean): { z: bigint; w: bigint } => ({ ...honest(k, bit), w: honest(k, bit).w + (k === 9 ? q : 0n) });
    expect(check(forge({ st, nonces: honestNonces, respond: answer, As }))).toBe('passed');
  });

  it('a repetition answers one bit without a witness, never both', () => {
    const { st } = made;
    const claimed = { ...st, S: st.S.add(st.H) };
    const owned = OWNED[0]!;
    // made for the bit 1: A, C and B are computed back from responses
    const [{ alpha, beta, r }] = honestNonces as [Nonce];
    const A = mod(firstA({ alpha, beta, r }) * owned.N2.pow(st.D, -1n), owned.n2);
    const [C, B] = [times(st.group, st.group.base, alpha).subtract(st.X), times(st.group, st.H, beta).subtract(claimed.S)];
    const statement = decItems(claimed);
    const verdicts = new Map<boolean, string>();
    // only this repetition is looked at: the equations of the paper
    for (const bit of [true, false]) {
      const left = add(owned, encrypt(owned, beta, r), scale(owned, st.K, -alpha));
      const holds =
        left === add(owned, A, bit ? st.D : 1n) &&
        times(st.group, st.group.base, alpha).equals(bit ? C.add(st.X) : C) &&
        times(st.group, st.H, beta).equals(bit ? B.add(claimed.S) : B);
      verdicts.set(bit, String(holds));
    }
    expect([...verdicts]).toEqual([[true, 'true'], [false, 'false']]);
    // 128 such repetitions are no proof: the challenge is not all ones
    const bits = decChallenge(st.group, CTX, statement, Array.from({ length: REPETITIONS }, () => A), Array.from({ length: REPETITIONS }, () => [C, B]).flat());
    const sent = encodeDec(Array.from({ length: REPETITIONS }, () => true), Array.from({ length: REPETITIONS }, () => ({ A, z: alpha, w: beta })));
    expect(bits.every((b) => b)).toBe(false);
    const weights = foldWeights(DEC_LABEL, CTX, statement, sent);
    const nu = owned.N.pow(r, foldBits(weights, bits.map(() => true)));
    expect(check(concat(sent, natural(nu, N_BYTES)), claimed)).toBe('E_PROOF');
  });
});

describe('form', () => {
  it('the number of repetitions is fixed', () => {
    const rows = (n: number): Uint8Array => concat(proof.subarray(0, HEAD), proof.subarray(HEAD, HEAD + n * ROW), proof.subarray(NU));
    expect(rows(REPETITIONS)).toEqual(proof);
    for (const n of [0, 1, LAST]) expect(check(rows(n))).toBe('E_FORMAT');
    expect(check(concat(proof.subarray(0, NU), proof.subarray(HEAD, HEAD + ROW), proof.subarray(NU)))).toBe('E_FORMAT');
    for (const bytes of [new Uint8Array(0), proof.subarray(1), proof.subarray(0, -1), concat(proof, Uint8Array.of(0)), new Uint8Array(1 << 20)]) expect(check(bytes)).toBe('E_FORMAT');
  });
  it('one valid repetition, copied', () => {
    const row = proof.subarray(at(0).A, at(1).A);
    expect(check(concat(proof.subarray(0, HEAD), ...Array.from({ length: REPETITIONS }, () => row), proof.subarray(NU)))).toBe('E_PROOF');
  });
  it('two repetitions exchanged, with their bits or without', () => {
    const bits = [...proof.subarray(0, HEAD)].flatMap((b) => [...b.toString(2).padStart(8, '0')]);
    const same = bits.findIndex((b, k) => k > 0 && b === bits[0]);
    const row = (k: number): Uint8Array => proof.subarray(at(k).A, at(k + 1).A);
    expect(check(spliced(spliced(proof, at(0).A, row(same)), at(same).A, row(0)))).toBe('E_PROOF');
  });
  it('signs: 0 or 1, no negative zero', () => {
    for (const place of [at(3).z, at(3).w]) for (const sign of [2, 0x80, 255]) expect(check(changed(proof, place, () => sign))).toBe('E_FORMAT');
    expect(check(spliced(proof, at(3).z, concat(Uint8Array.of(1), new Uint8Array(Z - 1))))).toBe('E_FORMAT');
    expect(check(spliced(proof, at(3).w, concat(Uint8Array.of(1), new Uint8Array(W - 1))))).toBe('E_FORMAT');
  });
  it('responses out of range in any repetition', () => {
    for (const k of [0, LAST])
      for (const sign of [1n, -1n]) {
        expect(check(spliced(proof, at(k).z, signed(sign * (SCALAR_RESPONSE_BOUND + 1n), SCALAR_RESPONSE_BYTES)))).toBe('E_RANGE');
        expect(check(spliced(proof, at(k).z, signed(sign * SCALAR_RESPONSE_BOUND, SCALAR_RESPONSE_BYTES)))).toBe('E_PROOF');
        expect(check(spliced(proof, at(k).w, signed(sign * (decResponseBound(2) + 1n), DEC_RESPONSE_BYTES)))).toBe('E_RANGE');
        expect(check(spliced(proof, at(k).w, signed(sign * decResponseBound(2), DEC_RESPONSE_BYTES)))).toBe('E_PROOF');
      }
    // what three signers may say, two may not
    expect(check(spliced(proof, at(0).w, signed(decResponseBound(3), DEC_RESPONSE_BYTES)))).toBe('E_RANGE');
    expect(check(spliced(proof, at(0).w, signed(decResponseBound(3), DEC_RESPONSE_BYTES)), { signers: 3 })).toBe('E_PROOF');
  });
  it('values that are no units', () => {
    const { n, n2 } = made.st.key;
    const { p } = fixturePrimes(0);
    for (const A of [0n, n, n2 - n, n2, n2 + 1n, p, p * 12345n]) for (const k of [0, LAST]) expect(check(spliced(proof, at(k).A, natural(A, N2_BYTES)))).toBe('E_RANGE');
    for (const nu of [0n, n, n + 1n, p]) expect(check(spliced(proof, NU, natural(nu, N_BYTES)))).toBe('E_RANGE');
    for (const c of [0n, n, n2, n2 + 1n, p, -1n]) {
      expect(check(proof, { K: c })).toBe('E_RANGE');
      expect(check(proof, { D: c })).toBe('E_RANGE');
    }
  });
  it('the identity in the statement', () => {
    const { identity } = made.st.group;
    for (const st of [{ X: identity }, { S: identity }, { H: identity }]) {
      expect(check(proof, st)).toBe('E_POINT');
      expect(code(() => proveDec(CTX, { ...made.st, ...st }, made.witness, SEED))).toBe('E_POINT');
    }
  });
  it('a response of 0 that makes an element the identity', () => {
    const zero = proof.slice();
    const k = [...Array(REPETITIONS).keys()].find((i) => ((proof[i >> 3] as number) & (0x80 >> (i & 7))) === 0) as number;
    zero.set(new Uint8Array(Z), at(k).z);
    expect(() => checkDec(CTX, made.st, zero)).toThrow('identity');
  });
});

describe('each part changed alone', () => {
  it('of the proof', () => {
    for (const [name, place] of [
      ['e', 0],
      ['e, last', HEAD - 1],
      ['A', at(0).A + N2_BYTES - 1],
      ['A, last', at(LAST).A + N2_BYTES - 1],
      ['z', at(0).z + Z - 1],
      ['z, last', at(LAST).z + Z - 1],
      ['w', at(0).w + W - 1],
      ['w, last', at(LAST).w + W - 1],
      ['sign of z', at(1).z],
      ['sign of w', at(1).w],
      ['nu', DEC_BYTES - 1],
    ] as const)
      expect([name, check(changed(proof, place))]).toEqual([name, 'E_PROOF']);
  });
  it('of the statement', () => {
    const { K, D, X, S, H, group, key } = made.st;
    for (const st of [
      { K: add(key, K, 1n + key.n) },
      { D: add(key, D, 1n + key.n) },
      { K: D, D: K },
      { X: X.add(group.base) },
      { X: X.negate() },
      { S: S.add(group.base) },
      { S: S.negate() },
      { H: H.double() },
      { S: X, X: S },
      { signers: 3 },
    ])
      expect([Object.keys(st), check(proof, st)]).toEqual([Object.keys(st), 'E_PROOF']);
    // another modulus: refused already where a value is not below it
    expect(['E_PROOF', 'E_RANGE']).toContain(check(proof, { key: PUBLIC[1]! }));
  });
  it('every part of the statement goes into the challenge', () => {
    const { group, K, D, X, S, H } = made.st;
    const G = group.base;
    const challenge = (st: Partial<DecStatement>, ctx = CTX): string => decChallenge(group, ctx, decItems({ ...made.st, ...st }), [K], [X]).map(Number).join('');
    const all = [
      challenge({}),
      challenge({ key: PUBLIC[1]! }),
      challenge({ K: K + 1n }),
      challenge({ D: D + 1n }),
      challenge({ X: X.add(G) }),
      challenge({ S: S.add(G) }),
      challenge({ H: H.add(G) }),
      challenge({ signers: 3 }),
      challenge({ group: groupOf('p256'), X: groupOf('p256').base, S: groupOf('p256').base, H: groupOf('p256').base }),
      challenge({}, { ...CTX, prover: 2 }),
      challenge({}, { ...CTX, verifier: 1 }),
      challenge({}, { ...CTX, bind: new Uint8Array(32) }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
  it('a nonce of the statement re-randomised is another statement', () => {
    const { K, D, key } = made.st;
    expect(check(proof, { D: add(key, D, key.nth(2n)) })).toBe('E_PROOF');
    expect(check(proof, { K: add(key, K, key.nth(2n)) })).toBe('E_PROOF');
  });
  it('of the context', () => {
    for (const ctx of [{ ...CTX, bind: new Uint8Array(32) }, { ...CTX, prover: 2 }, { ...CTX, verifier: 1 }, inRole(CTX, 'dec/chi')]) expect(check(proof, {}, ctx)).toBe('E_PROOF');
  });
  it('the challenge depends on every element, the weights on every byte', () => {
    const { group } = made.st;
    const statement = decItems(made.st);
    const bits = (As: readonly bigint[], points: typeof honestPoints): string => decChallenge(group, CTX, statement, As, points).map(Number).join('');
    const base = bits(honestAs, honestPoints);
    for (const k of [0, 7, LAST]) {
      expect(bits(honestAs.with(k, (honestAs[k] as bigint) + 1n), honestPoints)).not.toBe(base);
      for (const i of [2 * k, 2 * k + 1]) expect(bits(honestAs, honestPoints.with(i, (honestPoints[i] as typeof group.base).double()))).not.toBe(base);
    }
    const sent = proof.subarray(0, NU);
    const weights = foldWeights(DEC_LABEL, CTX, statement, sent);
    expect(new Set(weights).size).toBe(REPETITIONS);
    expect(weights.every((c) => c >= 0n && c < 1n << 128n)).toBe(true);
    expect(weights.some((c) => c >> 127n === 1n)).toBe(true);
    for (const place of [0, at(0).A + 5, at(7).z + 5, at(LAST).w + 5, NU - 1]) {
      const other = foldWeights(DEC_LABEL, CTX, statement, changed(sent, place));
      expect(other.filter((c, k) => c === weights[k])).toEqual([]);
    }
    expect(foldWeights(DEC_LABEL, { ...CTX, prover: 2 }, statement, sent)[0]).not.toBe(weights[0]);
    expect(foldWeights('other', CTX, statement, sent)[0]).not.toBe(weights[0]);
    expect(foldWeights(DEC_LABEL, CTX, statement.slice(1), sent)[0]).not.toBe(weights[0]);
  });
  it('a proof of random bytes', () => {
    const noise = draws('noise');
    const bytes = concat(
      toBytes(noise.unit(1n << BigInt(8 * HEAD)), HEAD),
      ...Array.from({ length: REPETITIONS }, () => [natural(noise.unit(made.st.key.n2), N2_BYTES), signed(noise.symmetric(SCALAR_RESPONSE_BOUND), SCALAR_RESPONSE_BYTES), signed(noise.symmetric(decResponseBound(2)), DEC_RESPONSE_BYTES)]).flat(),
      natural(noise.unit(made.st.key.n), N_BYTES),
    );
    expect(check(bytes)).toBe('E_PROOF');
  });
});

it('a check costs less than a second of one core, whatever the verdict', () => {
  for (const bytes of [proof, changed(proof, 0), changed(proof, DEC_BYTES - 1)]) {
    const runs = [0, 1, 2].map(() => {
      const start = process.cpuUsage();
      check(bytes);
      return process.cpuUsage(start).user / 1000;
    });
    expect(Math.min(...runs)).toBeLessThan(1000);
  }
});
