/** Π-aff-g*: what holds, and everything that must not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { bitLength, mod } from '../../src/arith/integer.ts';
import {
  AFF_G_STAR_BYTES,
  AFF_G_STAR_LABEL,
  affGStarChallenge,
  affGStarItems,
  checkAffGStar,
  encodeAffGStar,
  type AffGStarStatement,
} from '../../src/ecdsa/aff-g-star.ts';
import { group as groupOf } from '../../src/curves/group.ts';
import { natural, signed } from '../../src/ecdsa/codec.ts';
import { inRole } from '../../src/ecdsa/context.ts';
import { foldBits, foldProduct, foldSum, foldWeights } from '../../src/ecdsa/folding.ts';
import { add, encrypt, scale } from '../../src/ecdsa/paillier.ts';
import {
  ELL_PRIME,
  EPSILON,
  MASK_RESPONSE_BOUND,
  MASK_RESPONSE_BYTES,
  N2_BYTES,
  N_BYTES,
  REPETITIONS,
  SCALAR_RESPONSE_BOUND,
  SCALAR_RESPONSE_BYTES,
} from '../../src/ecdsa/parameters.ts';
import { proveAffGStar } from '../../src/ecdsa/prove-aff-g-star.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { fixturePrimes } from '../support/primes.ts';
import { affGStarCase, changed, code, CTX, draws, OWNED, PUBLIC, SEED, spliced, times, type AffGStarCase } from './error-rounds.ts';

const MASK = 1n << BigInt(ELL_PRIME);
const [own, receiver] = [OWNED[0]!, OWNED[1]!];

const HEAD = REPETITIONS / 8;
const Z = 1 + SCALAR_RESPONSE_BYTES;
const ZY = 1 + MASK_RESPONSE_BYTES;
const ROW = 2 * N2_BYTES + Z + ZY;
const TAIL = AFF_G_STAR_BYTES - 2 * N_BYTES;
const LAST = REPETITIONS - 1;
function at(k: number): { A: number; B: number; z: number; zy: number } {
  const A = HEAD + k * ROW;
  return { A, B: A + N2_BYTES, z: A + 2 * N2_BYTES, zy: A + 2 * N2_BYTES + Z };
}

let made: AffGStarCase;
let proof: Uint8Array;
beforeAll(() => {
  made = affGStarCase('secp256k1', -MASK);
  proof = proveAffGStar(CTX, { ...made.st, own, receiver }, made.witness, SEED);
});
const check = (bytes: Uint8Array, st: Partial<AffGStarStatement> = {}, ctx = CTX): string => code(() => checkAffGStar(ctx, { ...made.st, ...st }, bytes));

describe('completeness', () => {
  it('holds with public keys and with the owners’', () => {
    expect(proof).toHaveLength(AFF_G_STAR_BYTES);
    expect(check(proof)).toBe('passed');
    expect(check(proof, { own, receiver })).toBe('passed');
  });
  it('holds over P-256, for y = 0', () => {
    const { st, witness } = affGStarCase('p256', 0n);
    expect(code(() => checkAffGStar(CTX, st, proveAffGStar(CTX, { ...st, own, receiver }, witness, SEED)))).toBe('passed');
  });
  it('is hedged, and wants 32 bytes of seed', () => {
    // the witness goes into the nonces: no A or B is shared
    const other = proveAffGStar(CTX, { ...made.st, own, receiver }, { ...made.witness, y: made.witness.y + 1n }, SEED);
    const parts = (p: Uint8Array): string[] => Array.from({ length: REPETITIONS }, (_, k) => [toHex(p.subarray(at(k).A, at(k).B)), toHex(p.subarray(at(k).B, at(k).z))]).flat();
    expect(new Set([proof, other].flatMap(parts)).size).toBe(4 * REPETITIONS);
    // and who computes makes no difference
    expect(toHex(proveAffGStar(CTX, { ...made.st, own }, made.witness, SEED))).toBe(toHex(proof));
    for (const length of [0, 31, 33]) expect(code(() => proveAffGStar(CTX, made.st, made.witness, new Uint8Array(length)))).toBe('E_RNG');
  });
  it('the ranges are below half a modulus, as derived', () => {
    expect(2n * MASK_RESPONSE_BOUND).toBe(1n << BigInt(ELL_PRIME + EPSILON + 1));
    const x = 2n * SCALAR_RESPONSE_BOUND;
    expect(bitLength(x * x + 2n * MASK_RESPONSE_BOUND)).toBeLessThanOrEqual(1794);
    expect(2n * (x * x + 2n * MASK_RESPONSE_BOUND) < made.st.own.n).toBe(true);
    expect(2n * (x * x + 2n * MASK_RESPONSE_BOUND) < made.st.receiver.n).toBe(true);
  });
});

// a prover of our own making -------------------------------------------------------------------------------------

interface Nonce {
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly r: bigint;
  readonly s: bigint;
}
type Respond = (k: number, bit: boolean) => { z: bigint; zy: bigint };
type First = { A: bigint; B: bigint };

const firstOf = ({ alpha, beta, r, s }: Nonce): First => ({
  A: add(receiver, scale(receiver, made.st.C, alpha), encrypt(receiver, beta, r)),
  B: encrypt(own, beta, s),
});
const pointOf = ({ alpha }: Nonce): ReturnType<typeof times> => times(made.st.group, made.st.group.base, alpha);
let honestNonces: Nonce[];
let honestFirst: First[];
let honestPoints: ReturnType<typeof times>[];
beforeAll(() => {
  const draw = draws('aff-g*');
  honestNonces = Array.from({ length: REPETITIONS }, () => ({
    alpha: draw.symmetric(SCALAR_RESPONSE_BOUND),
    beta: draw.symmetric(MASK_RESPONSE_BOUND),
    r: draw.unit(receiver.n),
    s: draw.unit(own.n),
  }));
  honestFirst = honestNonces.map(firstOf);
  honestPoints = honestNonces.map(pointOf);
});
const honest: Respond = (k, bit) => {
  const { alpha, beta } = honestNonces[k] as Nonce;
  return bit ? { z: alpha + made.witness.x, zy: beta + made.witness.y } : { z: alpha, zy: beta };
};
/** Honest answers with something added to those for the bit 1. */
const off =
  (x: bigint, y: bigint): Respond =>
  (k, bit) => {
    const { z, zy } = honest(k, bit);
    return bit ? { z: z + x, zy: zy + y } : { z, zy };
  };

/** The best that can be done with these responses by somebody who knows both factorisations: the roots of whatever the folds ask for. */
function forge(st: AffGStarStatement, respond: Respond, first = honestFirst, points = honestPoints): Uint8Array {
  const statement = affGStarItems(st);
  const bits = affGStarChallenge(st.group, CTX, statement, first.flatMap(({ A, B }) => [A, B]), points);
  const repetitions = first.map((f, k) => ({ ...f, ...respond(k, bits[k] === true) }));
  const sent = encodeAffGStar(bits, repetitions);
  const weights = foldWeights(AFF_G_STAR_LABEL, CTX, statement, sent);
  const asked = foldBits(weights, bits);
  const right = add(receiver, foldProduct(receiver.N2, weights, first.map(({ A }) => A)), scale(receiver, st.D, asked));
  const w = receiver.nonceOf(add(receiver, right, scale(receiver, st.C, -foldSum(weights, repetitions.map(({ z }) => z)))));
  const lambda = own.nonceOf(add(own, foldProduct(own.N2, weights, first.map(({ B }) => B)), scale(own, st.Y, asked)));
  return concat(sent, natural(w, N_BYTES), natural(lambda, N_BYTES));
}

describe('a prover that cheats', () => {
  it('can tell: honest answers pass', () => {
    expect(check(forge(made.st, honest))).toBe('passed');
  });

  it.each([
    ['α = 2^(ℓ+ε)', 'passed', 'alpha', 0n],
    ['α = 2^(ℓ+ε) + 1', 'E_RANGE', 'alpha', 1n],
    ["β = 2^(ℓ'+ε)", 'passed', 'beta', 0n],
    ["β = 2^(ℓ'+ε) + 1", 'E_RANGE', 'beta', 1n],
  ] as const)('%s of either sign, everything else right: %s', (_, verdict, field, beyond) => {
    const bound = (field === 'alpha' ? SCALAR_RESPONSE_BOUND : MASK_RESPONSE_BOUND) + beyond;
    for (const sign of [1n, -1n])
      for (let salt = 1n; ; salt++) {
        expect(salt).toBeLessThan(100n);
        // with the bit 0 the response is the nonce itself; another r gives another challenge
        const nonce = { ...(honestNonces[0] as Nonce), r: salt, [field]: sign * bound };
        let asked = true;
        const respond: Respond = (k, bit) => {
          if (k > 0) return honest(k, bit);
          asked = bit;
          return { z: nonce.alpha, zy: nonce.beta };
        };
        const bytes = forge(made.st, respond, honestFirst.with(0, firstOf(nonce)), honestPoints.with(0, pointOf(nonce)));
        if (asked) continue;
        expect(check(bytes)).toBe(verdict);
        break;
      }
  });

  it('D with another y than Y: fails with either y and with any other', () => {
    const { st, witness } = made;
    const claimed = { ...st, D: add(receiver, st.D, 1n + receiver.n) };
    expect(check(proveAffGStar(CTX, { ...claimed, own, receiver }, witness, SEED), claimed)).toBe('E_PROOF');
    for (const y of [0n, 1n]) expect(check(forge(claimed, off(0n, y)), claimed)).toBe('E_PROOF');
  });
  it('Y with another y than D: fails likewise', () => {
    const { st } = made;
    const claimed = { ...st, Y: add(own, st.Y, 1n + own.n) };
    for (const y of [0n, 1n]) expect(check(forge(claimed, off(0n, y)), claimed)).toBe('E_PROOF');
    // both moved alike is true again, and so is proved
    const both = { ...claimed, D: add(receiver, st.D, 1n + receiver.n) };
    expect(check(forge(both, off(0n, 1n)), both)).toBe('passed');
  });
  it('D with another x than X', () => {
    const { st } = made;
    const more = { ...st, D: add(receiver, st.D, st.C) };
    for (const x of [0n, 1n]) expect(check(forge(more, off(x, 0n)), more)).toBe('E_PROOF');
    const point = { ...st, X: st.X.add(st.group.base) };
    for (const x of [0n, 1n]) expect(check(forge(point, off(x, 0n)), point)).toBe('E_PROOF');
    const both = { ...more, X: point.X };
    expect(check(forge(both, off(1n, 0n)), both)).toBe('passed');
    // the same X by x + q is another x
    const q = st.group.order;
    expect(check(forge(st, off(q, 0n)))).toBe('E_PROOF');
  });
  it('an x or y beyond what a response can hold', () => {
    const { st, witness } = made;
    for (const w of [{ ...witness, x: witness.x + receiver.n }, { ...witness, y: witness.y + own.n }])
      expect(code(() => proveAffGStar(CTX, { ...st, own, receiver }, w, SEED))).toBe('E_INTERNAL');
  });
  it('a y that is longer than its proof allows: its first response is out of range', () => {
    const { st, witness } = made;
    const long = 4n * MASK_RESPONSE_BOUND;
    const claimed = { ...st, D: add(receiver, st.D, 1n + long * receiver.n), Y: add(own, st.Y, 1n + long * own.n) };
    const bytes = proveAffGStar(CTX, { ...claimed, own, receiver }, { ...witness, y: witness.y + long }, SEED);
    expect(check(bytes, claimed)).toBe('E_RANGE');
  });
  it('one wrong plaintext among all repetitions, and two that cancel out without weights', () => {
    const { st } = made;
    for (const [key, field] of [[receiver, 'A'], [own, 'B']] as const) {
      const moved = (k: number, by: bigint): First => {
        const f = honestFirst[k] as First;
        return { ...f, [field]: add(key, f[field], mod(1n + by * key.n, key.n2)) };
      };
      expect(check(forge(st, honest, honestFirst.with(9, moved(9, 1n))))).toBe('E_PROOF');
      expect(check(forge(st, honest, honestFirst.with(9, moved(9, 1n)).with(10, moved(10, -1n))))).toBe('E_PROOF');
    }
    // A and B moved together with the response are right again
    const f = honestFirst[9] as First;
    const both = honestFirst.with(9, { A: add(receiver, f.A, 1n + receiver.n), B: add(own, f.B, 1n + own.n) });
    const answer: Respond = (k, bit) => ({ ...honest(k, bit), zy: honest(k, bit).zy + (k === 9 ? 1n : 0n) });
    expect(check(forge(st, answer, both))).toBe('passed');
  });
});

describe('form', () => {
  it('the number of repetitions is fixed', () => {
    const rows = (n: number): Uint8Array => concat(proof.subarray(0, HEAD), proof.subarray(HEAD, HEAD + n * ROW), proof.subarray(TAIL));
    expect(rows(REPETITIONS)).toEqual(proof);
    for (const n of [0, 1, LAST]) expect(check(rows(n))).toBe('E_FORMAT');
    expect(check(concat(proof.subarray(0, TAIL), proof.subarray(HEAD, HEAD + ROW), proof.subarray(TAIL)))).toBe('E_FORMAT');
    for (const bytes of [new Uint8Array(0), proof.subarray(1), proof.subarray(0, -1), concat(proof, Uint8Array.of(0)), new Uint8Array(1 << 20)]) expect(check(bytes)).toBe('E_FORMAT');
  });
  it('one valid repetition, copied, and two exchanged', () => {
    const row = (k: number): Uint8Array => proof.subarray(at(k).A, at(k).A + ROW);
    expect(check(concat(proof.subarray(0, HEAD), ...Array.from({ length: REPETITIONS }, () => row(0)), proof.subarray(TAIL)))).toBe('E_PROOF');
    const bits = [...proof.subarray(0, HEAD)].flatMap((b) => [...b.toString(2).padStart(8, '0')]);
    const same = bits.findIndex((b, k) => k > 0 && b === bits[0]);
    expect(check(spliced(spliced(proof, at(0).A, row(same)), at(same).A, row(0)))).toBe('E_PROOF');
  });
  it('signs: 0 or 1, no negative zero', () => {
    for (const place of [at(3).z, at(3).zy]) for (const sign of [2, 0x80, 255]) expect(check(changed(proof, place, () => sign))).toBe('E_FORMAT');
    expect(check(spliced(proof, at(3).z, concat(Uint8Array.of(1), new Uint8Array(Z - 1))))).toBe('E_FORMAT');
    expect(check(spliced(proof, at(3).zy, concat(Uint8Array.of(1), new Uint8Array(ZY - 1))))).toBe('E_FORMAT');
  });
  it('responses out of range in any repetition', () => {
    for (const k of [0, LAST])
      for (const sign of [1n, -1n]) {
        expect(check(spliced(proof, at(k).z, signed(sign * (SCALAR_RESPONSE_BOUND + 1n), SCALAR_RESPONSE_BYTES)))).toBe('E_RANGE');
        expect(check(spliced(proof, at(k).z, signed(sign * SCALAR_RESPONSE_BOUND, SCALAR_RESPONSE_BYTES)))).toBe('E_PROOF');
        expect(check(spliced(proof, at(k).zy, signed(sign * (MASK_RESPONSE_BOUND + 1n), MASK_RESPONSE_BYTES)))).toBe('E_RANGE');
        expect(check(spliced(proof, at(k).zy, signed(sign * MASK_RESPONSE_BOUND, MASK_RESPONSE_BYTES)))).toBe('E_PROOF');
      }
  });
  it('values that are no units of their own modulus', () => {
    for (const [i, key, field, root] of [[1, receiver, 'A', TAIL], [0, own, 'B', TAIL + N_BYTES]] as const) {
      const { n, n2 } = key;
      const { p } = fixturePrimes(i);
      for (const c of [0n, n, n2 - n, n2, n2 + 1n, p, p * 12345n]) for (const k of [0, LAST]) expect(check(spliced(proof, at(k)[field], natural(c, N2_BYTES)))).toBe('E_RANGE');
      for (const r of [0n, n, n + 1n, p]) expect(check(spliced(proof, root, natural(r, N_BYTES)))).toBe('E_RANGE');
      for (const c of [0n, n, n2, n2 + 1n, p, -1n]) for (const name of field === 'A' ? (['C', 'D'] as const) : (['Y'] as const)) expect(check(proof, { [name]: c })).toBe('E_RANGE');
    }
  });
  it('the identity in the statement', () => {
    const X = made.st.group.identity;
    expect(check(proof, { X })).toBe('E_POINT');
    expect(code(() => proveAffGStar(CTX, { ...made.st, X }, made.witness, SEED))).toBe('E_POINT');
  });
  it('a response of 0 that makes an element the identity', () => {
    const k = [...Array(REPETITIONS).keys()].find((i) => ((proof[i >> 3] as number) & (0x80 >> (i & 7))) === 0) as number;
    expect(() => checkAffGStar(CTX, made.st, spliced(proof, at(k).z, new Uint8Array(Z)))).toThrow('identity');
  });
});

describe('each part changed alone', () => {
  it('of the proof', () => {
    for (const [name, place] of [
      ['e', 0],
      ['e, last', HEAD - 1],
      ['A', at(0).A + N2_BYTES - 1],
      ['A, last', at(LAST).A + N2_BYTES - 1],
      ['B', at(0).B + N2_BYTES - 1],
      ['B, last', at(LAST).B + N2_BYTES - 1],
      ['z', at(0).z + Z - 1],
      ['z, last', at(LAST).z + Z - 1],
      ["z'", at(0).zy + ZY - 1],
      ["z', last", at(LAST).zy + ZY - 1],
      ['sign of z', at(1).z],
      ["sign of z'", at(1).zy],
      ['w', TAIL + N_BYTES - 1],
      ['lambda', AFF_G_STAR_BYTES - 1],
    ] as const)
      expect([name, check(changed(proof, place))]).toEqual([name, 'E_PROOF']);
  });
  it('of the statement', () => {
    const { C, D, Y, X, group } = made.st;
    for (const st of [
      { C: add(receiver, C, 1n + receiver.n) },
      { D: add(receiver, D, 1n + receiver.n) },
      { Y: add(own, Y, 1n + own.n) },
      { C: add(receiver, C, receiver.nth(2n)) },
      { D: add(receiver, D, receiver.nth(2n)) },
      { Y: add(own, Y, own.nth(2n)) },
      { C: D, D: C },
      { X: X.add(group.base) },
      { X: X.negate() },
    ])
      expect([Object.keys(st), check(proof, st)]).toEqual([Object.keys(st), 'E_PROOF']);
    // other moduli: refused already where a value is not below them
    for (const st of [{ own: PUBLIC[1]! }, { receiver: PUBLIC[0]! }, { own: PUBLIC[1]!, receiver: PUBLIC[0]! }]) expect(['E_PROOF', 'E_RANGE']).toContain(check(proof, st));
  });
  it('of the context', () => {
    for (const ctx of [{ ...CTX, bind: new Uint8Array(32) }, { ...CTX, prover: 2 }, { ...CTX, verifier: 1 }, inRole(CTX, 'aff-g-star/chi')]) expect(check(proof, {}, ctx)).toBe('E_PROOF');
  });
  it('every part of the statement goes into the challenge', () => {
    const { group, C, D, Y, X } = made.st;
    const challenge = (st: Partial<AffGStarStatement>, ctx = CTX): string => affGStarChallenge(group, ctx, affGStarItems({ ...made.st, ...st }), [C], [X]).map(Number).join('');
    const all = [
      challenge({}),
      challenge({ own: PUBLIC[1]! }),
      challenge({ receiver: PUBLIC[0]! }),
      challenge({ C: C + 1n }),
      challenge({ D: D + 1n }),
      challenge({ Y: Y + 1n }),
      challenge({ X: X.double() }),
      challenge({ group: groupOf('p256'), X: groupOf('p256').base }),
      challenge({}, { ...CTX, prover: 2 }),
      challenge({}, { ...CTX, verifier: 1 }),
      challenge({}, { ...CTX, bind: new Uint8Array(32) }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
  it('the challenge depends on every element', () => {
    const { group } = made.st;
    const statement = affGStarItems(made.st);
    const flat = honestFirst.flatMap(({ A, B }) => [A, B]);
    const bits = (ciphertexts: readonly bigint[], points: typeof honestPoints): string => affGStarChallenge(group, CTX, statement, ciphertexts, points).map(Number).join('');
    const base = bits(flat, honestPoints);
    for (const k of [0, 7, LAST]) {
      for (const i of [2 * k, 2 * k + 1]) expect(bits(flat.with(i, (flat[i] as bigint) + 1n), honestPoints)).not.toBe(base);
      expect(bits(flat, honestPoints.with(k, (honestPoints[k] as typeof group.base).double()))).not.toBe(base);
    }
  });
});

it('a check costs less than a second of one core, whatever the verdict', () => {
  for (const bytes of [proof, changed(proof, 0), changed(proof, AFF_G_STAR_BYTES - 1)]) {
    const runs = [0, 1, 2].map(() => {
      const start = process.cpuUsage();
      check(bytes);
      return process.cpuUsage(start).user / 1000;
    });
    expect(Math.min(...runs)).toBeLessThan(1000);
  }
});
