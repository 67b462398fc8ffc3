import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type FrostSchemeName } from '../../src/curves/scheme.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { FOREIGN, sodium } from './foreign.ts';
import { codeOf, dealKey, EXPRESSIONS, SCHEME_NAMES, signWith } from './helpers.ts';
import { MESSAGE } from './quorum-cases.ts';
import { bytes } from './vectors.ts';

beforeAll(() => sodium.ready);

describe.each(SCHEME_NAMES)('%s', (scheme) => {
  const key = dealKey(scheme, EXPRESSIONS[0], 'verify');
  const { outputKey, signature } = signWith(key, ['alice', 'bob'], { message: MESSAGE });
  const foreign = (k: Uint8Array, m: Uint8Array, s: Uint8Array): boolean => {
    try {
      return FOREIGN[scheme](k, m, s);
    } catch {
      return false;
    }
  };
  const flip = (b: Uint8Array, at: number): Uint8Array => b.map((v, i) => (i === at ? v ^ 4 : v));

  it('takes the signature, as the foreign verifier does', () => {
    expect(outputKey).toHaveLength(SCHEMES[scheme].publicKeyBytes);
    expect(verifySignature(scheme, outputKey, MESSAGE, signature)).toBe(true);
    expect(foreign(outputKey, MESSAGE, signature)).toBe(true);
  });

  it('takes no altered one, as the foreign verifier does not', () => {
    for (let at = 0; at < signature.length; at += 7) {
      expect(verifySignature(scheme, outputKey, MESSAGE, flip(signature, at))).toBe(false);
      expect(foreign(outputKey, MESSAGE, flip(signature, at))).toBe(false);
    }
    expect(verifySignature(scheme, outputKey, flip(MESSAGE, 31), signature)).toBe(false);
    expect(foreign(outputKey, flip(MESSAGE, 31), signature)).toBe(false);
    expect(verifySignature(scheme, flip(outputKey, 9), MESSAGE, signature)).toBe(false);
  });

  it('takes no other length and no scalar beyond the order', () => {
    const g = group(SCHEMES[scheme].group);
    for (const bad of [signature.slice(1), signature.slice(0, -1), new Uint8Array([...signature, 0]), new Uint8Array()])
      expect(verifySignature(scheme, outputKey, MESSAGE, bad)).toBe(false);
    for (const bad of [outputKey.slice(1), new Uint8Array([...outputKey, 0]), new Uint8Array()])
      expect(verifySignature(scheme, bad, MESSAGE, signature)).toBe(false);
    const z = signature.slice(-g.scalarBytes);
    const le = !SCHEMES[scheme].group.match(/secp256k1|p256/);
    const value = BigInt(`0x${Buffer.from(le ? z.slice().reverse() : z).toString('hex')}`) + g.order;
    const text = value.toString(16).padStart(2 * g.scalarBytes, '0');
    if (text.length > 2 * g.scalarBytes) return;
    const beyond = bytes(text);
    const altered = new Uint8Array([...signature.slice(0, -g.scalarBytes), ...(le ? beyond.reverse() : beyond)]);
    expect(verifySignature(scheme, outputKey, MESSAGE, altered)).toBe(false);
  });

  it('never throws on bytes', () => {
    const any = fc.uint8Array({ maxLength: 120 });
    const long = fc.uint8Array({ minLength: signature.length, maxLength: signature.length });
    fc.assert(
      fc.property(any, any, fc.oneof(any, long), (k, m, s) => {
        expect(verifySignature(scheme, k, m, s)).toBe(false);
        expect(verifySignature(scheme, outputKey, m, s)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

it.each(['frost-secp256k1', 'frost-p256'] as const)('%s: no uncompressed key or R', (scheme) => {
  const { outputKey, signature } = signWith(dealKey(scheme, EXPRESSIONS[0], 'verify'), ['alice', 'bob'], { message: MESSAGE });
  const long = (point: Uint8Array): Uint8Array =>
    (group(SCHEMES[scheme].group).decodePoint(point) as unknown as { toBytes(compressed: boolean): Uint8Array }).toBytes(false);
  expect(long(outputKey)).toHaveLength(65);
  expect(verifySignature(scheme, outputKey, MESSAGE, signature)).toBe(true);
  expect(verifySignature(scheme, long(outputKey), MESSAGE, signature)).toBe(false);
  const R = long(signature.slice(0, 33));
  expect(verifySignature(scheme, outputKey, MESSAGE, new Uint8Array([...R, ...signature.slice(33)]))).toBe(false);
});

it('knows FROST schemes only', () => {
  expect(codeOf(() => verifySignature('cggmp24-p256' as FrostSchemeName, MESSAGE, MESSAGE, MESSAGE))).toBe('E_SCHEME');
});

describe('Ed25519, strict', () => {
  const { Point } = ed25519;
  const order = Point.Fn.ORDER;
  const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const scalar = (...parts: Uint8Array[]): bigint => {
    const h = createHash('sha512');
    for (const p of parts) h.update(p);
    return BigInt(`0x${h.digest().reverse().toString('hex')}`) % order;
  };
  const sign = (a: bigint, A: Uint8Array, r: bigint, R: Uint8Array): Uint8Array =>
    new Uint8Array([...R, ...Point.Fn.toBytes((r + scalar(R, A, MESSAGE) * a) % order)]);
  const A = Point.BASE.multiply(77n);
  const R = Point.BASE.multiply(99n);

  it('takes the plain equation', () => {
    expect(verifySignature('frost-ed25519', A.toBytes(), MESSAGE, sign(77n, A.toBytes(), 99n, R.toBytes()))).toBe(true);
  });

  it('refuses a small-order part in R and in the key, though the equation with the cofactor holds', () => {
    const mixedR = R.add(torsion).toBytes();
    expect(verifySignature('frost-ed25519', A.toBytes(), MESSAGE, sign(77n, A.toBytes(), 99n, mixedR))).toBe(false);
    const mixedA = A.add(torsion).toBytes();
    expect(verifySignature('frost-ed25519', mixedA, MESSAGE, sign(77n, mixedA, 99n, R.toBytes()))).toBe(false);
    expect(ed25519.verify(sign(77n, mixedA, 99n, R.toBytes()), MESSAGE, mixedA)).toBe(true);
  });

  it('refuses keys and R of small order', () => {
    for (let i = 0n; i < 8n; i++) {
      const small = (i === 0n ? Point.ZERO : torsion.multiplyUnsafe(i)).toBytes();
      expect(verifySignature('frost-ed25519', small, MESSAGE, sign(0n, small, 99n, R.toBytes()))).toBe(false);
      expect(verifySignature('frost-ed25519', A.toBytes(), MESSAGE, sign(77n, A.toBytes(), 0n, small))).toBe(false);
    }
  });
});
