/** Π-elog: holds for what is true, and for nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mod } from '../../src/arith/integer.ts';
import { group as groupOf, type Point } from '../../src/curves/group.ts';
import { checkElog, decodeElog, ELOG_BYTES, elogChallenge, elogItems, encodeElog, type ElogProof, type ElogStatement } from '../../src/ecdsa/elog.ts';
import { proveElog, type ElogWitness } from '../../src/ecdsa/prove-elog.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { bytes32, combination, CTX, malformed, OTHER_CONTEXTS, stream, verdict } from '../support/proofs.ts';

const SEED = bytes32('seed');

describe.each(['secp256k1', 'p256'] as const)('over %s', (name) => {
  const group = groupOf(name);
  const { base, identity, order } = group;
  const random = stream(`elog ${name}`);
  const point = (): Point => group.multiply(base, group.randomScalar(random));

  const statement = ({ y, lambda }: ElogWitness, X = point(), H = point()): ElogStatement => ({
    group,
    L: combination(group, [lambda, base]),
    M: combination(group, [y, base], [lambda, X]),
    X,
    Y: combination(group, [y, H]),
    H,
  });
  const witness: ElogWitness = { y: group.randomScalar(random), lambda: group.randomScalar(random) };
  const st = statement(witness);
  const proof = proveElog(CTX, st, witness, SEED);
  const judge = (statement: ElogStatement, bytes = proof, ctx = CTX): string => verdict(() => checkElog(ctx, statement, bytes));

  it('holds, for any witness', () => {
    const scalar = fc.oneof(fc.constantFrom(1n, 2n, order - 1n), fc.bigInt(1n, order - 1n));
    fc.assert(
      fc.property(scalar, scalar, fc.boolean(), (y, lambda, onBase) => {
        const some = statement({ y, lambda }, point(), onBase ? base : point());
        const bytes = proveElog(CTX, some, { y, lambda }, SEED);
        expect(bytes.length).toBe(ELOG_BYTES);
        expect(judge(some, bytes)).toBe('ok');
      }),
      { numRuns: 20 },
    );
  });
  it('has 96 bytes', () => expect(proof.length).toBe(96));

  it('satisfies the equations of A.5, and one that does is a proof', () => {
    const { X, H, L, M, Y } = st;
    const [alpha, m] = [group.randomScalar(random), group.randomScalar(random)];
    const first = { A: combination(group, [alpha, base]), N: combination(group, [m, base], [alpha, X]), B: combination(group, [m, H]) };
    const challenge = elogChallenge(group, CTX, elogItems(st), first);
    const { e } = challenge;
    const z = mod(alpha + e * witness.lambda, order);
    const u = mod(m + e * witness.y, order);
    expect(combination(group, [z, base]).equals(combination(group, [1n, first.A], [e, L]))).toBe(true);
    expect(combination(group, [u, base], [z, X]).equals(combination(group, [1n, first.N], [e, M]))).toBe(true);
    expect(combination(group, [u, H]).equals(combination(group, [1n, first.B], [e, Y]))).toBe(true);
    expect(judge(st, encodeElog(group, { challenge, z, u }))).toBe('ok');
  });

  // each of these breaks exactly one of the three equations
  it.each<[string, Partial<ElogStatement>]>([
    ['L of another λ', { L: combination(group, [witness.lambda + 1n, base]) }],
    ['M of another y', { M: combination(group, [witness.y + 1n, base], [witness.lambda, st.X]) }],
    ['Y of another y', { Y: combination(group, [witness.y + 1n, st.H]) }],
  ])('cannot be made for %s', (_, change) => {
    const lie = { ...st, ...change };
    expect(judge(lie, proveElog(CTX, lie, witness, SEED))).toBe('E_PROOF');
  });

  it.each(['L', 'M', 'X', 'Y', 'H'] as const)('does not hold for another %s, and its challenge is another', (field) => {
    const other = { ...st, [field]: st[field].add(base) };
    expect(judge(other)).toBe('E_PROOF');
    const first = { A: base, N: base, B: base };
    const challenge = (some: ElogStatement): string => toHex(elogChallenge(group, CTX, elogItems(some), first).bytes);
    expect(challenge(other)).not.toBe(challenge(st));
  });
  it('does not hold with two points exchanged', () => {
    expect(judge({ ...st, X: st.H, H: st.X })).toBe('E_PROOF');
    expect(judge({ ...st, L: st.M, M: st.L })).toBe('E_PROOF');
  });
  it.each(['A', 'N', 'B'] as const)('the challenge depends on %s', (field) => {
    const first = { A: base, N: base, B: base };
    const challenge = (some: typeof first): string => toHex(elogChallenge(group, CTX, elogItems(st), some).bytes);
    expect(challenge({ ...first, [field]: base.double() })).not.toBe(challenge(first));
  });
  it.each(['L', 'M', 'X', 'Y', 'H'] as const)('speaks of no identity: %s', (field) => {
    expect(judge({ ...st, [field]: identity })).toBe('E_POINT');
    expect(verdict(() => proveElog(CTX, { ...st, [field]: identity }, witness, SEED))).toBe('E_POINT');
  });
  it('has no identity in its first message', () => {
    const { challenge } = decodeElog(group, proof);
    // z·G = e·L, so that A is the identity
    expect(judge(st, encodeElog(group, { challenge, z: mod(challenge.e * witness.lambda, order), u: 1n }))).toBe('E_PROOF');
  });

  it.each<[string, (p: ElogProof) => Partial<ElogProof>]>([
    ['e', ({ challenge: { e } }) => ({ challenge: { e: e + 1n, bytes: group.encodeScalar(mod(e + 1n, order)) } })],
    ['z', ({ z }) => ({ z: mod(z + 1n, order) })],
    ['-z', ({ z }) => ({ z: order - z })],
    ['u', ({ u }) => ({ u: mod(u + 1n, order) })],
    ['z and u', ({ z, u }) => ({ z: u, u: z })],
    ['zeros', () => ({ z: 0n, u: 0n })],
  ])('does not hold when changed in %s', (_, change) => {
    const parts = decodeElog(group, proof);
    expect(judge(st, encodeElog(group, { ...parts, ...change(parts) }))).toBe('E_PROOF');
  });
  it('does not hold with any bit changed', () => {
    fc.assert(
      fc.property(fc.nat(8 * ELOG_BYTES - 1), (bit) => {
        const bytes = proof.slice();
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(['E_PROOF', 'E_SCALAR']).toContain(judge(st, bytes));
      }),
      { numRuns: 60 },
    );
  });
  it.each([0, 32, 64])('a scalar that is not canonical, at %i, is refused', (at) => {
    const bytes = proof.slice();
    bytes.fill(0xff, at, at + 32);
    expect(judge(st, bytes)).toBe('E_SCALAR');
  });
  it.each(malformed(proof))('is not %s', (_, bytes) => expect(judge(st, bytes)).toBe('E_FORMAT'));
  it.each(OTHER_CONTEXTS)('does not hold in %s', (_, ctx) => {
    expect(judge(st, proof, ctx)).toBe('E_PROOF');
    expect(judge(st, proveElog(ctx, st, witness, SEED), ctx)).toBe('ok');
  });

  it('is hedged: another seed, context or statement gives other nonces, the same gives the same', () => {
    const nonce = (bytes: Uint8Array): bigint => {
      const { challenge, z } = decodeElog(group, bytes);
      return mod(z - challenge.e * witness.lambda, order);
    };
    const other = statement(witness);
    const nonces = [
      proof,
      proveElog(CTX, st, witness, bytes32('another seed')),
      proveElog({ ...CTX, verifier: 0 }, st, witness, SEED),
      proveElog(CTX, other, witness, SEED),
    ].map(nonce);
    expect(new Set(nonces).size).toBe(4);
    expect(proveElog(CTX, st, witness, SEED)).toEqual(proof);
  });
  it('is not made from a seed of another length', () => {
    for (const length of [0, 31, 33]) expect(verdict(() => proveElog(CTX, st, witness, new Uint8Array(length)))).toBe('E_RNG');
  });
});
