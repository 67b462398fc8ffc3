/** The group of sealing, by libsodium, against @noble/curves; and when libsodium is loaded. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ristretto255_hasher } from '@noble/curves/ed25519.js';
import { describe, expect, test, vi } from 'vitest';
import { group, hashToScalar } from '../../src/curves/group.ts';
import * as sealing from '../../src/sharing/sealing-group.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { codeOf, seeded } from './support.ts';

const { addProduct, equationHolds, FIRST_BASE, hashToSealingScalar, multiply, multiplyBase, randomSealingScalar, requirePoint, requireScalar, secondBase } = sealing;

const g = group('ristretto255');
const random = seeded('sealing group');
const P = g.encodePoint(g.multiply(g.base, 12345n));
const zero = new Uint8Array(32);

/** Little-endian, 32 bytes. */
function littleEndian(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')).reverse();
}

const scalars = [1n, 2n, 8n, g.order - 1n, g.order - 2n, 2n ** 252n, ...Array.from({ length: 24 }, () => g.randomScalar(random))];

describe('agrees with another library', () => {
  test('on both bases', () => {
    expect(toHex(FIRST_BASE)).toBe(toHex(g.encodePoint(g.base)));
    expect(toHex(secondBase())).toBe(toHex(g.encodePoint(ristretto255_hasher.hashToCurve(utf8('mpc-ceremony/seal/v1')) as never)));
    expect(toHex(secondBase())).not.toBe(toHex(FIRST_BASE));
    expect(toHex(requirePoint(secondBase()))).toBe(toHex(secondBase()));
  });

  test('on multiples of the bases and of any point', () => {
    for (const k of scalars) {
      const Q = g.multiply(g.base, g.randomScalar(random));
      expect(toHex(multiplyBase(g.encodeScalar(k)))).toBe(toHex(g.encodePoint(g.multiply(g.base, k))));
      for (const point of [Q, g.base, g.decodePoint(secondBase())])
        expect(toHex(multiply(g.encodeScalar(k), g.encodePoint(point)))).toBe(toHex(g.encodePoint(g.multiply(point, k))));
    }
  });

  test('on sums and products of scalars, and on scalars from hashes', () => {
    for (const a of [0n, ...scalars])
      for (const b of [0n, 1n, g.order - 1n, g.randomScalar(random)]) {
        const c = g.randomScalar(random);
        expect(toHex(addProduct(g.encodeScalar(a), g.encodeScalar(b), g.encodeScalar(c)))).toBe(toHex(g.encodeScalar((a + b * c) % g.order)));
      }
    for (let i = 0; i < 64; i++) {
      const items = [random(32), 'text', i, [random(i)]] as const;
      expect(toHex(hashToSealingScalar('tag/v1', ...items))).toBe(toHex(g.encodeScalar(hashToScalar(g, 'tag/v1', ...items))));
    }
  });

  test('on which bytes are a point', () => {
    const p = 2n ** 255n - 19n;
    const negative = littleEndian(p - BigInt(`0x${Buffer.from(P).reverse().toString('hex')}`));
    const candidates = [
      P,
      negative,
      // small field elements, the same beyond p, and the sign bit set
      ...Array.from({ length: 64 }, (_, i) => littleEndian(BigInt(i))),
      ...Array.from({ length: 19 }, (_, i) => littleEndian(p + BigInt(i))),
      ...Array.from({ length: 64 }, (_, i) => littleEndian(p - BigInt(i + 1))),
      ...Array.from({ length: 64 }, (_, i) => littleEndian(BigInt(i) + 2n ** 255n)),
      ...Array.from({ length: 256 }, () => random(32)),
      ...Array.from({ length: 32 }, (_, bit) => P.map((b, i) => (i === bit ? b ^ (1 << (bit % 8)) : b))),
      zero,
      new Uint8Array(32).fill(255),
      P.slice(1),
      new Uint8Array(33),
      new Uint8Array(0),
    ];
    let points = 0;
    for (const bytes of candidates) {
      const verdict = codeOf(() => g.decodePoint(bytes));
      if (verdict === 'no error') points++;
      expect([toHex(bytes), codeOf(() => requirePoint(bytes))]).toEqual([toHex(bytes), verdict]);
      expect([toHex(bytes), codeOf(() => multiply(littleEndian(7n), bytes))]).toEqual([toHex(bytes), verdict]);
    }
    expect(points).toBeGreaterThan(16);
  });

  test('on which bytes are a scalar', () => {
    const edge = [0n, 1n, g.order - 1n, g.order, g.order + 1n, 2n * g.order, 2n ** 253n, 2n ** 255n - 1n, 2n ** 255n, 2n ** 256n - 1n];
    for (const bytes of [...edge.map(littleEndian), ...Array.from({ length: 256 }, () => random(32)), P.slice(1), new Uint8Array(33), new Uint8Array(0)])
      expect([toHex(bytes), codeOf(() => requireScalar(bytes))]).toEqual([toHex(bytes), codeOf(() => g.decodeScalar(bytes))]);
  });
});

test('the equation of the proofs holds exactly for the right response', () => {
  const [k, c, x] = [g.randomScalar(random), g.randomScalar(random), g.randomScalar(random)];
  const z = g.encodeScalar((k + c * x) % g.order);
  for (const base of [FIRST_BASE, secondBase(), P]) {
    const [A, X] = [k, x].map((s) => g.encodePoint(g.multiply(g.decodePoint(base), s))) as [Uint8Array, Uint8Array];
    const challenge = g.encodeScalar(c);
    expect(equationHolds(z, base, A, challenge, X)).toBe(true);
    expect(equationHolds(challenge, base, A, z, X)).toBe(false);
    expect(equationHolds(z, base, X, challenge, A)).toBe(false);
    expect(equationHolds(zero, base, A, challenge, X)).toBe(false);
    expect(equationHolds(z, base, A, zero, X)).toBe(false);
  }
  // z·B = O = A + c·X with X = −A and c = 1 would need the response 0
  const A = g.encodePoint(g.multiply(g.base, 5n));
  const X = g.encodePoint(g.multiply(g.base, g.order - 5n));
  expect(equationHolds(zero, FIRST_BASE, A, littleEndian(1n), X)).toBe(false);
  expect(equationHolds(littleEndian(3n), FIRST_BASE, A, littleEndian(1n), X)).toBe(false);
});

test('zero multiplies nothing, and a source of nothing but zeros is refused', () => {
  expect(codeOf(() => multiplyBase(zero))).toBe('E_INTERNAL');
  expect(codeOf(() => multiply(zero, P))).toBe('E_INTERNAL');
  expect(codeOf(() => randomSealingScalar((n) => new Uint8Array(n)))).toBe('E_RNG');
  expect(codeOf(() => randomSealingScalar((n) => random(n - 1)))).toBe('E_RNG');
  const drawn = random(64);
  const wide = BigInt(`0x${Buffer.from(drawn).reverse().toString('hex')}`);
  expect(toHex(randomSealingScalar(() => drawn))).toBe(toHex(g.encodeScalar(wide % g.order)));
  expect(drawn).toEqual(new Uint8Array(64));
});

describe('libsodium', () => {
  test('must be loaded first: nothing is computed, and nobody blamed, without it', async () => {
    vi.resetModules();
    const fresh = await import('../../src/sharing/sealing-group.ts');
    const { verifyPrekeyPop } = await import('../../src/sharing/prekey.ts');
    const { CeremonyError } = await import('../../src/wire/errors.ts');
    const code = (run: () => unknown): string => {
      try {
        run();
      } catch (e) {
        if (e instanceof CeremonyError) return e.code;
        throw e;
      }
      return 'no error';
    };
    const one = littleEndian(1n);
    const uses = [
      () => fresh.requirePoint(P),
      () => fresh.requireScalar(one),
      () => fresh.randomSealingScalar(random),
      () => fresh.hashToSealingScalar('tag/v1'),
      () => fresh.multiply(one, P),
      () => fresh.multiplyBase(one),
      () => fresh.addProduct(one, one, one),
      () => fresh.equationHolds(one, P, P, one, P),
      () => verifyPrekeyPop({ owner: 'alice', homeId: 'ab', n: 1 }, P, new Uint8Array(64)),
    ];
    for (const use of uses) expect(code(use)).toBe('E_INTERNAL');
    await fresh.sealingReady();
    expect(code(uses[4] as () => unknown)).toBe('no error');
  });

  test('is imported by one file alone, and only when it is asked for', () => {
    const folder = fileURLToPath(new URL('../../src/', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
    const importing = files.filter((f) => /(?:from|import\()\s*'libsodium/.test(readFileSync(`${folder}${f}`, 'utf8')));
    expect(importing.map((f) => f.replaceAll('\\', '/'))).toEqual(['wire/sodium.ts']);
    const text = readFileSync(`${folder}wire/sodium.ts`, 'utf8');
    expect(/^import .*libsodium/m.test(text)).toBe(false);
  });
});
