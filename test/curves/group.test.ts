import { ECDH } from 'node:crypto';
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { ED448_TORSION_SUBGROUP } from '@noble/curves/ed448.js';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { group, hashToScalar, type GroupName } from '../../src/curves/group.ts';
import { concat, fromHex, toHex } from '../../src/wire/bytes.ts';
import { codeOf, GROUPS, seeded } from '../sharing/support.ts';

const SIZES: Record<GroupName, [point: number, scalar: number]> = {
  ed25519: [32, 32],
  ristretto255: [32, 32],
  ed448: [57, 57],
  secp256k1: [33, 32],
  p256: [33, 32],
};

/** Little- or big-endian bytes of a number. */
function number(value: bigint, length: number, endian: 'LE' | 'BE'): Uint8Array {
  const bytes = fromHex(value.toString(16).padStart(2 * length, '0'), length);
  return endian === 'LE' ? bytes.reverse() : bytes;
}

const endian = (name: GroupName): 'LE' | 'BE' => (name === 'secp256k1' || name === 'p256' ? 'BE' : 'LE');

describe.each(GROUPS)('%s', (name) => {
  const g = group(name);
  const random = seeded(name);

  test('is made once, with the sizes of RFC 9591', () => {
    expect(group(name)).toBe(g);
    expect([g.pointBytes, g.scalarBytes]).toEqual(SIZES[name]);
    expect(g.base.toBytes().length).toBe(g.pointBytes);
    expect(8 * g.wideBytes).toBeGreaterThanOrEqual(g.order.toString(2).length + 128);
  });

  test('points and scalars come back from their bytes', () => {
    for (let i = 0; i < 20; i++) {
      const s = g.randomScalar(random);
      const p = g.multiply(g.base, s);
      expect(g.decodeScalar(g.encodeScalar(s))).toBe(s);
      expect(g.decodePoint(g.encodePoint(p)).equals(p)).toBe(true);
      expect(g.decodePointFast(g.encodePoint(p)).equals(p)).toBe(true);
      expect(g.inSubgroup(p)).toBe(true);
    }
    expect(g.decodeScalar(g.encodeScalar(0n))).toBe(0n);
    expect(toHex(g.encodeScalar(1n))).toBe(toHex(number(1n, g.scalarBytes, endian(name))));
  });

  test('scalars outside 0..q−1 and of other lengths are refused', () => {
    const { order, scalarBytes } = g;
    const top = 2n ** BigInt(8 * scalarBytes) - 1n;
    for (const value of [order, order + 1n, top])
      expect(codeOf(() => g.decodeScalar(number(value, scalarBytes, endian(name))))).toBe('E_SCALAR');
    expect(g.decodeScalar(number(order - 1n, scalarBytes, endian(name)))).toBe(order - 1n);
    for (const length of [0, scalarBytes - 1, scalarBytes + 1])
      expect(codeOf(() => g.decodeScalar(new Uint8Array(length)))).toBe('E_SCALAR');
    for (const value of [-1n, order]) expect(codeOf(() => g.encodeScalar(value))).toBe('E_INTERNAL');
  });

  test('a refused scalar is not quoted in the error', () => {
    const value = number(g.order + 5n, g.scalarBytes, endian(name));
    try {
      g.decodeScalar(value);
    } catch (e) {
      expect(String((e as Error).stack)).not.toContain(String(g.order + 5n));
      expect((e as Error).cause).toBeUndefined();
    }
  });

  test('the identity and points of other lengths are refused', () => {
    const good = g.encodePoint(g.base);
    for (const bad of [good.slice(0, -1), concat(good, new Uint8Array(1)), new Uint8Array(0), new Uint8Array(1)]) {
      expect(codeOf(() => g.decodePoint(bad))).toBe('E_POINT');
      expect(codeOf(() => g.decodePointFast(bad))).toBe('E_POINT');
    }
    expect(codeOf(() => g.encodePoint(g.identity))).toBe('E_INTERNAL');
    const zero = endian(name) === 'LE' && name !== 'ristretto255' ? number(1n, g.pointBytes, 'LE') : new Uint8Array(g.pointBytes);
    expect(codeOf(() => g.decodePointFast(zero))).toBe('E_POINT');
  });

  test('arbitrary bytes are either refused or the one encoding of their point', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: g.pointBytes, maxLength: g.pointBytes }), (bytes) => {
        const decoded = (() => {
          try {
            return g.decodePointFast(bytes);
          } catch {
            return undefined;
          }
        })();
        if (decoded !== undefined) expect(toHex(g.encodePoint(decoded))).toBe(toHex(bytes));
      }),
      { numRuns: 200 },
    );
  });

  test('multiplication, sums and multi-scalar multiplication agree', () => {
    const s = Array.from({ length: 5 }, () => g.randomScalar(random));
    const p = s.map((x) => g.multiply(g.base, x));
    expect(g.multiplyPublic(g.base, s[0] as bigint).equals(p[0] as (typeof p)[0])).toBe(true);
    expect(g.multiplyPublic(p[0] as (typeof p)[0], 0n).is0()).toBe(true);
    expect(g.sum(p).equals(g.multiplyPublic(g.base, s.reduce((a, b) => (a + b) % g.order)))).toBe(true);
    expect(g.sum([]).is0()).toBe(true);
    const weights = [3n, 0n, 1n, g.order - 1n, s[1] as bigint];
    const naive = g.sum(p.map((point, i) => g.multiplyPublic(point, weights[i] as bigint)));
    expect(g.msm(p, weights).equals(naive)).toBe(true);
    for (const bad of [0n, g.order, -1n]) expect(codeOf(() => g.multiply(g.base, bad))).toBe('E_INTERNAL');
  });

  test('random scalars are never zero, whatever the source gives', () => {
    expect(g.randomScalar((n) => new Uint8Array(n))).toBe(1n);
    const multiple = (g.order - 1n) * 7n;
    expect(g.randomScalar((n) => number(multiple, n, 'BE'))).toBe(1n);
    expect(g.randomScalar((n) => number(multiple - 1n, n, 'BE'))).toBe(g.order - 1n);
    expect(codeOf(() => g.randomScalar((n) => new Uint8Array(n - 1)))).toBe('E_RNG');
    expect(codeOf(() => g.wideScalar(new Uint8Array(g.wideBytes - 1)))).toBe('E_INTERNAL');
  });

  test('hashing to a scalar separates tags, items and groups', () => {
    const seen = [
      hashToScalar(g, 'a', 'x'),
      hashToScalar(g, 'b', 'x'),
      hashToScalar(g, 'a', 'x', 'y'),
      hashToScalar(g, 'a', 'xy'),
      ...GROUPS.filter((n) => n !== name).map((n) => hashToScalar(group(n), 'a', 'x') % g.order),
    ];
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('points with a small-order part', () => {
  const cases: [GroupName, readonly string[]][] = [
    ['ed25519', ED25519_TORSION_SUBGROUP],
    ['ed448', ED448_TORSION_SUBGROUP],
  ];
  test.each(cases)('%s: every torsion point, alone or added to a good one', (name, torsion) => {
    const g = group(name);
    let found = 0;
    for (const hex of torsion) {
      const T = g.Point.fromHex(hex);
      expect(codeOf(() => g.decodePoint(fromHex(hex)))).toBe('E_POINT');
      if (T.is0()) continue;
      found++;
      expect(g.inSubgroup(g.decodePointFast(fromHex(hex)))).toBe(false);
      const mixed = g.encodePoint(g.multiply(g.base, 7n).add(T));
      expect(codeOf(() => g.decodePoint(mixed))).toBe('E_POINT');
      expect(g.inSubgroup(g.decodePointFast(mixed))).toBe(false);
    }
    expect(found).toBe(name === 'ed25519' ? 7 : 3);
  });
});

describe('encodings that are not canonical', () => {
  const P25519 = 2n ** 255n - 19n;
  const P448 = 2n ** 448n - 2n ** 224n - 1n;
  const sign = (bytes: Uint8Array): Uint8Array => {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) | 0x80;
    return bytes;
  };
  test('ed25519: y ≥ p, and x = 0 with a sign', () => {
    const g = group('ed25519');
    for (let k = 0n; k < 19n; k++) {
      expect(codeOf(() => g.decodePointFast(number(P25519 + k, 32, 'LE')))).toBe('E_POINT');
      expect(codeOf(() => g.decodePointFast(sign(number(P25519 + k, 32, 'LE'))))).toBe('E_POINT');
    }
    expect(codeOf(() => g.decodePointFast(sign(number(1n, 32, 'LE'))))).toBe('E_POINT');
    expect(codeOf(() => g.decodePointFast(sign(number(P25519 - 1n, 32, 'LE'))))).toBe('E_POINT');
  });
  test('ed448: y ≥ p, x = 0 with a sign, bits between y and the sign', () => {
    const g = group('ed448');
    for (const y of [P448, P448 + 1n, P448 + 3n, 2n ** 448n, 2n ** 455n - 1n])
      expect(codeOf(() => g.decodePointFast(number(y, 57, 'LE')))).toBe('E_POINT');
    for (const y of [1n, P448 - 1n]) expect(codeOf(() => g.decodePointFast(sign(number(y, 57, 'LE'))))).toBe('E_POINT');
    const bad = g.encodePoint(g.base);
    bad[56] = (bad[56] as number) | 1;
    expect(codeOf(() => g.decodePointFast(bad))).toBe('E_POINT');
  });
  test('ristretto255: s ≥ p, negative s, no square', () => {
    const g = group('ristretto255');
    const good = BigInt(`0x${toHex(g.encodePoint(g.base).reverse())}`);
    for (const s of [P25519, P25519 - good, good + 2n ** 255n, 1n, P25519 + 2n])
      expect(codeOf(() => g.decodePoint(number(s, 32, 'LE')))).toBe('E_POINT');
  });
  test.each(['secp256k1', 'p256'] as const)('%s: only the compressed form', (name) => {
    const g = group(name);
    const { x, y } = g.base.toAffine();
    const X = number(x, 32, 'BE');
    const Y = number(y, 32, 'BE');
    const p = g.Point.Fp.ORDER;
    const bad = [
      concat(Uint8Array.of(4), X, Y),
      concat(Uint8Array.of(6), X, Y),
      ...[0, 1, 4, 5, 6, 7, 255].map((head) => concat(Uint8Array.of(head), X)),
      concat(Uint8Array.of(2), number(p, 32, 'BE')),
      concat(Uint8Array.of(3), number(p + 1n, 32, 'BE')),
      concat(Uint8Array.of(2), new Uint8Array(32).fill(255)),
    ];
    for (const bytes of bad) expect(codeOf(() => g.decodePoint(bytes))).toBe('E_POINT');
    // about half of all x have no point
    const onCurve = Array.from({ length: 64 }, (_, i) => {
      return codeOf(() => g.decodePoint(concat(Uint8Array.of(2), number(BigInt(i + 2), 32, 'BE'))));
    });
    expect(new Set(onCurve)).toEqual(new Set(['E_POINT', 'no error']));
  });
});

describe.each(['secp256k1', 'p256'] as const)('the hint from OpenSSL on %s', (name) => {
  const g = group(name);
  const random = seeded(`hint ${name}`);
  const good = [2n, 3n, g.order - 1n, ...Array.from({ length: 12 }, () => g.randomScalar(random))].map((s) => g.encodePoint(g.multiply(g.base, s)));
  const bad = [
    ...[0, 1, 4, 5, 6, 7].map((head) => concat(Uint8Array.of(head), good[0]?.subarray(1) as Uint8Array)),
    concat(Uint8Array.of(2), number(g.Point.Fp.ORDER + 1n, 32, 'BE')),
    ...Array.from({ length: 64 }, () => concat(Uint8Array.of(3), random(32))).filter((bytes) => {
      try {
        g.Point.fromBytes(bytes);
        return false;
      } catch {
        return true;
      }
    }),
  ];
  const y = (bytes: Uint8Array, change: (y: bigint) => bigint): Uint8Array => {
    const { x, y: was } = g.Point.fromBytes(bytes).toAffine();
    return concat(Uint8Array.of(4), number(x as bigint, 32, 'BE'), number(change(was as bigint), 32, 'BE'));
  };
  const full = (bytes: Uint8Array): Uint8Array => y(bytes, (v) => v);
  const p = g.Point.Fp.ORDER;

  test.each<[string, ((bytes: Uint8Array) => Uint8Array) | undefined]>([
    ['is right', full],
    ['is the other root', (b) => y(b, (v) => p - v)],
    ['is no root', (b) => y(b, (v) => v ^ 2n)],
    ['is beyond p', (b) => y(b, () => 2n ** 256n - 1n)],
    ['is another point', () => full(good[1] as Uint8Array)],
    ['has another length', (b) => b],
    ['is empty', () => new Uint8Array(0)],
    ['is given for anything', () => full(good[0] as Uint8Array)],
    ['fails', undefined],
  ])('decides nothing when it %s', (_, hint) => {
    const spy = vi.spyOn(ECDH, 'convertKey').mockImplementation((bytes) => {
      if (hint === undefined) throw new Error('unsupported');
      return Buffer.from(hint(bytes as Uint8Array));
    });
    try {
      for (const bytes of good) {
        expect(g.decodePoint(bytes).equals(g.Point.fromBytes(bytes))).toBe(true);
        expect(spy).toHaveBeenLastCalledWith(bytes, expect.anything(), undefined, undefined, 'uncompressed');
      }
      for (const bytes of bad) expect(codeOf(() => g.decodePoint(bytes))).toBe('E_POINT');
    } finally {
      spy.mockRestore();
    }
  });

  test('agrees with noble', () => {
    for (const bytes of good) expect(g.decodePoint(bytes).equals(g.Point.fromBytes(bytes))).toBe(true);
    for (const bytes of bad) expect(codeOf(() => g.decodePoint(bytes))).toBe('E_POINT');
    expect(bad.length).toBeGreaterThan(20);
  });
});
