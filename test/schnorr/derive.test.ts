import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as secp from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { deriveKey, parsePath, rootKey, xpub, type ExtendedKey } from '../../src/schnorr/derive.ts';
import { codeOf, dealKey, EXPRESSIONS, keyFor } from './helpers.ts';
import { bytes, hex, vectors } from './vectors.ts';

const g = group('secp256k1');

/** Base58check decoding, written for this test. */
function decode(text: string): ExtendedKey {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const n = [...text].reduce((sum, c) => sum * 58n + BigInt(alphabet.indexOf(c)), 0n);
  const all = bytes(n.toString(16).padStart(164, '0'));
  const twice = createHash('sha256').update(createHash('sha256').update(all.slice(0, 78)).digest()).digest();
  expect(hex(all.slice(78))).toBe(hex(twice.subarray(0, 4)));
  expect(hex(all.slice(0, 4))).toBe('0488b21e');
  return {
    depth: all[4] as number,
    parentFingerprint: all.slice(5, 9),
    childNumber: new DataView(all.buffer).getUint32(9),
    chainCode: all.slice(13, 45),
    publicKey: all.slice(45, 78),
  };
}

describe('BIP-32', () => {
  const rows = vectors<{ parent: string; path: string; child: string }[]>('bip/bip32-public.json');
  it.each(rows)('$path of $parent', ({ parent, path, child }) => {
    const key = decode(parent);
    expect(xpub(key)).toBe(parent);
    const derived = deriveKey(key, parsePath(path));
    expect(xpub(derived.key)).toBe(child);
    const sum = g.decodePoint(key.publicKey).add(g.multiply(g.base, derived.shift));
    expect(hex(g.encodePoint(sum))).toBe(hex(decode(child).publicKey));
  });
});

describe('a path', () => {
  it.each([
    ['m', []],
    ['m/0', [0]],
    ['m/0/5', [0, 5]],
    ['m/2147483647', [2147483647]],
  ])('%s', (text, indices) => expect(parsePath(text)).toEqual(indices));
  it.each([
    "m/0'", 'm/0h', 'm/44H/0', '', 'M', 'm/', '/0', '0/1', 'm//1', 'm/01', 'm/+1', 'm/-1', 'm/1e3', 'm/ 1', 'm/1 ', 'm/0x1',
    'm/2147483648', 'm/9999999999', 'm/99999999999', 'm/\u0661', 'm/0\n', `m${'/0'.repeat(256)}`,
  ])('%j is refused', (text) => expect(codeOf(() => parsePath(text))).toBe('E_PATH'));

  it('cannot be walked around with indices', () => {
    const root = rootKey(g.encodePoint(g.base), new Uint8Array(32));
    for (const index of [0x80000000, -1, 1.5, NaN]) expect(codeOf(() => deriveKey(root, [index]))).toBe('E_PATH');
    expect(codeOf(() => deriveKey({ ...root, depth: 255 }, [0]))).toBe('E_PATH');
  });
});

it('a root wants a point and 32 bytes', () => {
  expect(codeOf(() => rootKey(new Uint8Array(33), new Uint8Array(32)))).toBe('E_POINT');
  expect(codeOf(() => rootKey(g.encodePoint(g.base), new Uint8Array(33)))).toBe('E_FORMAT');
});

it('steps compose, shifts add up, and libsecp256k1 comes to the same point', () => {
  const index = fc.nat({ max: 0x7fffffff });
  const key = fc.bigInt({ min: 1n, max: g.order - 1n });
  fc.assert(
    fc.property(key, fc.uint8Array({ minLength: 32, maxLength: 32 }), index, index, (x, chainCode, a, b) => {
      const root = rootKey(g.encodePoint(g.multiply(g.base, x)), chainCode);
      const whole = deriveKey(root, [a, b]);
      const first = deriveKey(root, [a]);
      const second = deriveKey(first.key, [b]);
      expect(second.key).toEqual(whole.key);
      expect((first.shift + second.shift) % g.order).toBe(whole.shift);
      const theirs = secp.pointAddScalar(root.publicKey, bytes(whole.shift.toString(16).padStart(64, '0')), true);
      expect(hex(theirs as Uint8Array)).toBe(hex(whole.key.publicKey));
    }),
    { numRuns: 25 },
  );
});

it('the signing key below a path is the child', () => {
  const key = dealKey('frost-secp256k1', EXPRESSIONS[1], 'child');
  const { key: child, shift } = deriveKey(rootKey(key.publicKey, key.chainCode), [3, 1]);
  const signing = keyFor(key, ['carol', 'alice', 'bob'], 'm/3/1');
  expect(signing.publicKey).toEqual(child.publicKey);
  expect(signing.outputKey).toEqual(child.publicKey);
  expect(signing.shift).toBe(shift);
  expect(hex(child.publicKey)).toBe(hex(g.encodePoint(g.multiply(g.base, (key.secret + shift) % g.order))));
});
