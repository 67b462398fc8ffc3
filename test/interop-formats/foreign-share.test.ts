/** Public facts of a threshold key, the weights of its holders, and our own keys in those terms. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { group as groupOf, type Group, type GroupName } from '../../src/curves/group.ts';
import { type SchemeName, SCHEMES } from '../../src/curves/scheme.ts';
import { checkForeignKey, type ForeignKey, foreignConstant, foreignKeyOf, foreignKeyRecord, lagrangeAtZero, plainKey } from '../../src/interop/foreign-share.ts';
import { ForeignKeySchema } from '../../src/interop/foreign-record.ts';
import { openConstant, openShare } from '../../src/interop/open-share.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { flatLagrange } from '../../src/sharing/recombination.ts';
import { toHex } from '../../src/wire/bytes.ts';
import * as v from 'valibot';
import { GROUPS, seeded } from '../sharing/support.ts';
import { choose, refusal } from './fixtures.ts';

const NAMES: Record<GroupName, SchemeName> = {
  ed25519: 'frost-ed25519', ristretto255: 'frost-ristretto255', ed448: 'frost-ed448', secp256k1: 'frost-secp256k1', p256: 'frost-p256',
};

/** A key with these places, made from a random polynomial of this degree + 1. */
function deal(scheme: SchemeName, terms: number, places: readonly bigint[], seed = 'deal'): { key: ForeignKey; shares: Uint8Array[]; secret: bigint } {
  const group = groupOf(SCHEMES[scheme].group);
  const random = seeded(`${seed}/${scheme}`);
  const poly = Array.from({ length: terms }, () => group.randomScalar(random));
  const at = (x: bigint): bigint => poly.reduceRight((sum, c) => (sum * x + c) % group.order, 0n);
  const point = (n: bigint): Uint8Array => group.encodePoint(group.multiply(group.base, n));
  const key: ForeignKey = {
    format: SCHEMES[scheme].protocol === 'frost' ? 'zf-frost' : 'lockness',
    scheme,
    publicKey: point(at(0n)),
    minSigners: terms,
    shares: places.map((x) => ({ identifier: group.encodeScalar(x), point: point(at(x)) })),
  };
  return { key, shares: places.map((x) => group.encodeScalar(at(x))), secret: at(0n) };
}

const withShare = (key: ForeignKey, i: number, change: Partial<ForeignKey['shares'][number]>): ForeignKey => ({
  ...key,
  shares: key.shares.map((s, j) => (j === i ? { ...s, ...change } : s)),
});
const share = (key: ForeignKey, i: number): ForeignKey['shares'][number] => key.shares[i] as ForeignKey['shares'][number];
const places = (n: number): bigint[] => Array.from({ length: n }, (_, i) => BigInt(i + 1));

describe.each(GROUPS)('weights in %s', (name) => {
  const group = groupOf(name);
  const scalar = fc.bigInt({ min: 1n, max: group.order - 1n });
  it('recombine every polynomial at arbitrary places', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(scalar, fc.bigInt({ min: 1n, max: 70n }).map((x) => (x > 35n ? group.order - x + 35n : x))), { minLength: 1, maxLength: 8 }), fc.array(scalar, { minLength: 8, maxLength: 8 }), (xs, poly) => {
        const at = (x: bigint): bigint => poly.slice(0, xs.length).reduceRight((sum, c) => (sum * x + c) % group.order, 0n);
        const ids = xs.map((x) => group.encodeScalar(x));
        const weights = ids.map((id) => lagrangeAtZero(group, ids, id));
        expect(xs.reduce((sum, x, i) => (sum + (weights[i] as bigint) * at(x)) % group.order, 0n)).toBe(poly[0]);
        for (const w of weights) expect(w > 0n && w < group.order).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
  it('are those of FROST at small places', () => {
    const ids = [2n, 3n, 7n].map((x) => group.encodeScalar(x));
    const flat = flatLagrange([2, 3, 7], group.order);
    expect(ids.map((id) => lagrangeAtZero(group, ids, id))).toEqual([flat.get(2), flat.get(3), flat.get(7)]);
  });
  it('refuse a holder listed twice, a stranger, 0 and malformed places', () => {
    const [one, two, three] = [1n, 2n, 3n].map((x) => group.encodeScalar(x)) as [Uint8Array, Uint8Array, Uint8Array];
    const zero = new Uint8Array(group.scalarBytes);
    expect(refusal(() => lagrangeAtZero(group, [one, two, one], one)).code).toBe('E_QUORUM');
    expect(refusal(() => lagrangeAtZero(group, [one, two], three)).code).toBe('E_QUORUM');
    expect(refusal(() => lagrangeAtZero(group, [one, zero], one)).code).toBe('E_SCALAR');
    expect(refusal(() => lagrangeAtZero(group, [one, two], zero)).code).toBe('E_SCALAR');
    expect(refusal(() => lagrangeAtZero(group, [one, two.slice(1)], one)).code).toBe('E_SCALAR');
    expect(refusal(() => lagrangeAtZero(group, [one, new Uint8Array(group.scalarBytes).fill(255)], one)).code).toBe('E_SCALAR');
  });

  const scheme = NAMES[name];
  it('hand a key over: what the holders deal adds up to the key, and each to its point', () => {
    const { key, shares, secret } = deal(scheme, 3, [5n, 1n, group.order - 2n, 1000n]);
    for (const some of choose([0, 1, 2, 3], 3)) {
      const holders = some.map((i) => share(key, i).identifier);
      const parts = some.map((i) => {
        const constant = openConstant(openShare(key, share(key, i).identifier, shares[i] as Uint8Array), holders);
        expect(group.multiply(group.base, constant).equals(foreignConstant(key, holders, share(key, i).identifier).point)).toBe(true);
        return constant;
      });
      expect(parts.reduce((sum, part) => (sum + part) % group.order, 0n)).toBe(secret);
    }
  });
  it('are given to exactly as many holders as the threshold, all of the key', () => {
    const { key } = deal(scheme, 2, places(3));
    const ids = key.shares.map((s) => s.identifier);
    const own = ids[0] as Uint8Array;
    expect(refusal(() => foreignConstant(key, ids, own)).code).toBe('E_QUORUM');
    expect(refusal(() => foreignConstant(key, [own], own)).code).toBe('E_QUORUM');
    expect(refusal(() => foreignConstant(key, [own, own], own)).code).toBe('E_QUORUM');
    expect(refusal(() => foreignConstant(key, [own, group.encodeScalar(4n)], own)).code).toBe('E_QUORUM');
    expect(refusal(() => foreignConstant(key, ids.slice(0, 2), ids[2] as Uint8Array)).code).toBe('E_QUORUM');
  });
});

describe.each(Object.values(NAMES))('public facts of %s', (scheme) => {
  const group: Group = groupOf(SCHEMES[scheme].group);
  const { key } = deal(scheme, 3, [1n, 2n, 9n, 11n, group.order - 1n]);
  const other = group.encodePoint(group.multiply(group.base, 12345n));

  it('are accepted when they fit, n-of-n too', () => {
    expect(checkForeignKey(key)).toBe(key);
    for (const n of [2, 3]) checkForeignKey(deal(scheme, n, places(n)).key);
  });
  it('name the one wrong public share by its identifier, and a wrong public key', () => {
    key.shares.forEach((s, i) => {
      const error = refusal(() => checkForeignKey(withShare(key, i, { point: other })));
      expect([error.code, error.facts.field]).toEqual(['E_FOREIGN', `shares.${toHex(s.identifier)}`]);
      expect(error.message).toContain(toHex(s.identifier));
      expect(refusal(() => checkForeignKey(withShare(key, i, { identifier: group.encodeScalar(77n) }))).code).toBe('E_FOREIGN');
    });
    const error = refusal(() => checkForeignKey({ ...key, publicKey: other }));
    expect([error.code, error.facts.field]).toEqual(['E_FOREIGN', 'publicKey']);
  });
  it('name nobody where two are wrong, or where all shares are needed and any may be', () => {
    const two = withShare(withShare(key, 0, { point: other }), 1, { point: other });
    expect(refusal(() => checkForeignKey(two))).toMatchObject({ code: 'E_FOREIGN', facts: {} });
    expect(refusal(() => checkForeignKey(two)).facts.field).toBeUndefined();
    const { key: all } = deal(scheme, 3, places(3));
    expect(refusal(() => checkForeignKey(withShare(all, 1, { point: other }))).facts.field).toBeUndefined();
  });
  it('refuse swapped public shares', () => {
    const swapped = withShare(withShare(key, 1, { point: share(key, 2).point }), 2, { point: share(key, 1).point });
    expect(refusal(() => checkForeignKey(swapped)).code).toBe('E_FOREIGN');
  });
  it('refuse a threshold that is too low or too high', () => {
    expect(refusal(() => checkForeignKey({ ...key, minSigners: 2 })).code).toBe('E_FOREIGN');
    for (const minSigners of [4, 5]) expect(refusal(() => checkForeignKey({ ...key, minSigners })).facts.field).toBe('minSigners');
    for (const minSigners of [0, 1, 6, 2.5, -1, NaN]) expect(refusal(() => checkForeignKey({ ...key, minSigners })).code).toBe('E_FORMAT');
  });
  it('refuse identity and malformed points and places', () => {
    const identity = group.Point.ZERO;
    const encoded = SCHEMES[scheme].group === 'secp256k1' || SCHEMES[scheme].group === 'p256' ? new Uint8Array(33) : identity.toBytes();
    for (const point of [encoded, other.slice(1), new Uint8Array(group.pointBytes).fill(255), new Uint8Array()]) {
      expect(refusal(() => checkForeignKey(withShare(key, 2, { point }))).code).toBe('E_POINT');
      expect(refusal(() => checkForeignKey({ ...key, publicKey: point })).facts.field).toBe('publicKey');
    }
    for (const identifier of [new Uint8Array(group.scalarBytes), new Uint8Array(group.scalarBytes).fill(255), Uint8Array.of(1)])
      expect(refusal(() => checkForeignKey(withShare(key, 2, { identifier }))).code).toBe('E_SCALAR');
  });
  it('refuse two holders in one place, one holder alone, and another scheme', () => {
    expect(refusal(() => checkForeignKey({ ...key, shares: [...key.shares, share(key, 0)] })).message).toMatch(/same identifier/);
    expect(refusal(() => checkForeignKey({ ...key, shares: key.shares.slice(0, 1) })).code).toBe('E_FORMAT');
    expect(refusal(() => checkForeignKey({ ...key, shares: [] })).code).toBe('E_FORMAT');
    expect(refusal(() => checkForeignKey({ ...key, format: 'lockness' })).code).toBe('E_SCHEME');
    expect(refusal(() => checkForeignKey({ ...key, scheme: 'cggmp24-secp256k1' })).code).toBe('E_SCHEME');
    expect(refusal(() => checkForeignKey({ ...key, chainCode: new Uint8Array(31) })).code).toBe('E_FORMAT');
  });
  it('survive writing and reading; a changed record is refused', () => {
    const record = v.parse(ForeignKeySchema, JSON.parse(JSON.stringify(foreignKeyRecord({ ...key, chainCode: new Uint8Array(32).fill(7) }))));
    expect(foreignKeyOf(record)).toEqual({ ...key, chainCode: new Uint8Array(32).fill(7) });
    expect(refusal(() => foreignKeyOf({ ...record, publicKey: toHex(other) })).code).toBe('E_FOREIGN');
    expect(v.safeParse(ForeignKeySchema, { ...record, extra: 1 }).success).toBe(false);
  });
  it('of a share: only its holder, only its share', () => {
    const { key: own, shares } = deal(scheme, 2, places(3));
    const id = (i: number): Uint8Array => share(own, i).identifier;
    expect(openShare(own, id(0), shares[0] as Uint8Array).key).toBe(own);
    expect(refusal(() => openShare(own, id(0), shares[1] as Uint8Array))).toMatchObject({ code: 'E_FOREIGN', facts: { field: 'share' } });
    expect(refusal(() => openShare(own, group.encodeScalar(4n), shares[0] as Uint8Array))).toMatchObject({ code: 'E_FOREIGN', facts: { field: 'identifier' } });
    expect(refusal(() => openShare(own, id(0), new Uint8Array(group.scalarBytes))).code).toBe('E_SCALAR');
    expect(refusal(() => openShare(own, id(0), new Uint8Array(group.scalarBytes).fill(255))).code).toBe('E_SCALAR');
    expect(refusal(() => openShare({ ...own, publicKey: other }, id(0), shares[0] as Uint8Array)).code).toBe('E_FOREIGN');
  });
});

describe('sizes', () => {
  it('64 holders, not 65; the wrong one of 64 is named', () => {
    const { key } = deal('frost-secp256k1', 30, places(65));
    expect(refusal(() => checkForeignKey(key)).code).toBe('E_FORMAT');
    const full = { ...key, shares: key.shares.slice(0, 64) };
    checkForeignKey(full);
    expect(refusal(() => checkForeignKey(withShare(full, 40, { point: share(key, 3).point }))).facts.field).toBe(`shares.${toHex(share(key, 40).identifier)}`);
  });
});

describe('our keys in the terms of others', () => {
  const group = groupOf('secp256k1');
  const facts = (text: string, scheme: SchemeName, dealt: ForeignKey) => {
    const quorum = parseQuorum(text);
    return { scheme, quorum, publicKey: dealt.publicKey, leafPoints: new Map(quorum.leaves.map((l, i) => [l.id, group.decodePoint(share(dealt, i).point)])), chainCode: new Uint8Array(32).fill(9) };
  };
  it('are plain t-of-n: the same facts, with the chain code where the format has one', () => {
    const frost = deal('frost-secp256k1', 2, places(3)).key;
    expect(plainKey(facts('2-of(a, b, c)', 'frost-secp256k1', frost))).toEqual(frost);
    const ecdsa = deal('cggmp24-secp256k1', 3, places(3)).key;
    expect(plainKey(facts('all-of(a, b, c)', 'cggmp24-secp256k1', ecdsa))).toEqual({ ...ecdsa, chainCode: new Uint8Array(32).fill(9) });
  });
  it('refuse nested quorums by name', () => {
    const { key } = deal('frost-secp256k1', 2, places(4));
    const error = refusal(() => plainKey(facts('2-of(a, b, 2-of(c, d))', 'frost-secp256k1', key)));
    expect(error.code).toBe('E_QUORUM');
    expect(error.message).toContain('2-of(a, b, all-of(c, d))');
  });
  it('refuse facts of two epochs', () => {
    const [one, two] = [deal('frost-secp256k1', 2, places(3)).key, deal('frost-secp256k1', 2, places(3), 'later').key];
    expect(refusal(() => plainKey({ ...facts('2-of(a, b, c)', 'frost-secp256k1', one), publicKey: two.publicKey })).facts.field).toBe('publicKey');
    expect(refusal(() => plainKey({ ...facts('2-of(a, b, c)', 'frost-secp256k1', one), leafPoints: new Map() })).code).toBe('E_MISSING');
  });
});
