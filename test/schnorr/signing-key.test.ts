import { describe, expect, it } from 'vitest';
import type { FrostSchemeName } from '../../src/curves/scheme.ts';
import { FOREIGN } from './foreign.ts';
import { codeOf, dealKey, EXPRESSIONS, keyFor, SCHEME_NAMES, signWith } from './helpers.ts';
import { MESSAGE } from './quorum-cases.ts';

describe.each(SCHEME_NAMES)('%s', (scheme) => {
  it('gives plain t-of-n exactly the Shamir share', () => {
    const key = dealKey(scheme, '3-of(p1, p2, p3, p4, p5)', 'plain');
    for (const signers of [['p1', 'p3', 'p5'], ['p2', 'p3', 'p4']]) {
      const signing = keyFor(key, signers);
      for (const seat of signing.seats) expect(seat.scale).toBe(1n);
      expect(signing.frost.signers).toEqual({ min: 3, max: 3 });
      expect(Object.keys(signing.frost.verifyingShares)).toHaveLength(3);
      expect(signing.frost.commitments).toHaveLength(1);
    }
    const nested = keyFor(dealKey(scheme, EXPRESSIONS[1], 'x'), ['dave', 'bob', 'erin']);
    expect(nested.seats.every((seat) => seat.scale === 1n)).toBe(false);
  });

  it('refuses verification shares that are not those of the key', () => {
    const key = dealKey(scheme, EXPRESSIONS[1], 'epochs');
    const other = dealKey(scheme, EXPRESSIONS[1], 'another');
    const signers = ['carol', 'alice', 'bob'];
    const leafPoints = new Map(key.leafPoints).set(1, other.leafPoints.get(1) as never);
    expect(codeOf(() => keyFor({ ...key, leafPoints }, signers))).toBe('E_CERTIFICATE');
    expect(codeOf(() => keyFor({ ...key, publicKey: other.publicKey }, signers))).toBe('E_CERTIFICATE');
    leafPoints.delete(1);
    expect(codeOf(() => keyFor({ ...key, leafPoints }, signers))).toBe('E_MISSING');
    expect(codeOf(() => keyFor({ ...key, publicKey: key.publicKey.slice(1) }, signers))).toBe('E_POINT');
  });
});

describe('the quorum', () => {
  it('is exactly one minimal quorum', () => {
    const key = dealKey('frost-secp256k1', EXPRESSIONS[1], 'exact');
    expect(codeOf(() => keyFor(key, ['carol', 'alice']))).toBe('E_QUORUM');
    expect(codeOf(() => keyFor(key, ['carol', 'alice', 'bob', 'erin']))).toBe('E_QUORUM_SURPLUS');
    expect(codeOf(() => keyFor(key, ['carol', 'dave', 'alice', 'bob']))).toBe('E_QUORUM_SURPLUS');
    expect(codeOf(() => keyFor(key, ['carol', 'alice', 'mallory']))).toBe('E_QUORUM');
    expect(codeOf(() => keyFor(key, ['carol', 'carol', 'alice', 'bob']))).toBe('E_SEAT_DUP');
  });

  it('is exact for plain t-of-n too', () => {
    const key = dealKey('frost-secp256k1', EXPRESSIONS[0], 'exact');
    expect(codeOf(() => keyFor(key, ['alice', 'bob', 'carol']))).toBe('E_QUORUM_SURPLUS');
    expect(codeOf(() => keyFor(key, ['alice']))).toBe('E_QUORUM');
  });

  it('does not depend on the order in which the signers are listed', () => {
    const key = dealKey('frost-secp256k1', EXPRESSIONS[1], 'exact');
    expect(keyFor(key, ['bob', 'carol', 'alice'])).toEqual(keyFor(key, ['carol', 'alice', 'bob']));
  });
});

it('refuses a key of another engine', () => {
  const key = dealKey('frost-secp256k1', EXPRESSIONS[0], 'purpose');
  for (const scheme of ['cggmp24-secp256k1', 'toString', ''])
    expect(codeOf(() => keyFor({ ...key, scheme: scheme as FrostSchemeName }, ['alice', 'bob']))).toBe('E_SCHEME');
  expect(codeOf(() => keyFor({ ...key, scheme: 'frost-ed25519' }, ['alice', 'bob']))).not.toBe('nothing thrown');
});

describe('a path', () => {
  it('needs a scheme with child keys and a chain code', () => {
    for (const scheme of SCHEME_NAMES) {
      const key = dealKey(scheme, EXPRESSIONS[0], 'paths');
      const derivable = scheme.startsWith('frost-secp256k1');
      expect(codeOf(() => keyFor(key, ['alice', 'bob'], 'm/0'))).toBe(derivable ? 'nothing thrown' : 'E_PATH');
      expect(codeOf(() => keyFor(key, ['alice', 'bob'], 'm'))).toBe('nothing thrown');
    }
    const { chainCode, ...key } = dealKey('frost-secp256k1', EXPRESSIONS[0], 'paths');
    expect(chainCode).toHaveLength(32);
    expect(codeOf(() => keyFor(key as never, ['alice', 'bob'], 'm/0'))).toBe('E_PATH');
    expect(codeOf(() => keyFor({ ...key, chainCode: new Uint8Array(31) }, ['alice', 'bob'], 'm/0'))).toBe('E_FORMAT');
  });

  it.each(['frost-secp256k1', 'frost-secp256k1-tr'] as const)('%s: both parities of inner and output key sign', (scheme) => {
    const key = dealKey(scheme, EXPRESSIONS[0], 'parity');
    const seen = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const path = `m/${String(i)}`;
      const signing = keyFor(key, ['alice', 'carol'], path);
      const { outputKey, signature, message } = signWith(key, ['alice', 'carol'], { path, message: MESSAGE });
      expect(FOREIGN[scheme](outputKey, message, signature)).toBe(true);
      seen.add(`${String(signing.publicKey[0])}${String(signing.frost.commitments[0]?.[0])}`);
    }
    expect([...seen].sort()).toEqual(scheme === 'frost-secp256k1' ? ['22', '33'] : ['22', '23', '32', '33']);
  });
});
