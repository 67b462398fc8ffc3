import { readFileSync } from 'node:fs';
import * as secp from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { outputKey } from '../../src/schnorr/output-key.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { codeOf, dealKey, EXPRESSIONS, signWith } from './helpers.ts';
import { bytes, hex, vectors } from './vectors.ts';

const TR = 'frost-secp256k1-tr';
const g = group('secp256k1');

describe('BIP-340', () => {
  const rows = readFileSync(new URL('../vectors/bip/bip340.csv', import.meta.url), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','));
  it('has all its rows', () => {
    expect(rows).toHaveLength(19);
    expect(rows.filter((row) => row[6] === 'TRUE')).toHaveLength(9);
  });
  it.each(rows)('row %s', (...row) => {
    const [publicKey, message, signature] = [row[2], row[4], row[5]].map((f) => bytes(f as string));
    expect(verifySignature(TR, publicKey as Uint8Array, message as Uint8Array, signature as Uint8Array)).toBe(row[6] === 'TRUE');
  });
});

interface KeyPath {
  readonly outputKeys: readonly { internal: string; tweak: string; output: string; scriptPubKey: string }[];
  readonly spends: readonly {
    internalSecret: string;
    internal: string;
    tweak: string;
    tweakedSecret: string;
    sigHash: string;
    signature: string;
  }[];
}

describe('BIP-341, key path without a script tree', () => {
  const { outputKeys, spends } = vectors<KeyPath>('bip/bip341-key-path.json');

  it.each(outputKeys)('output key of $internal', ({ internal, tweak, output, scriptPubKey }) => {
    for (const parity of ['02', '03']) {
      const key = outputKey(TR, bytes(parity + internal));
      expect(key.tweak).toBe(BigInt(`0x${tweak}`));
      expect(key.negate).toBe(parity === '03');
      expect(hex(key.bytes)).toBe(output);
      expect(`5120${hex(key.bytes)}`).toBe(scriptPubKey);
    }
  });

  it.each(spends)('spends as the holder of $internalSecret does', (v) => {
    for (const text of EXPRESSIONS.slice(0, 2)) {
      const key = dealKey(TR, text, 'spend', BigInt(`0x${v.internalSecret}`));
      expect(hex(key.publicKey.slice(1))).toBe(v.internal);
      const signers = text === EXPRESSIONS[0] ? ['bob', 'carol'] : ['dave', 'alice', 'erin'];
      const { outputKey: output, signature } = signWith(key, signers, { message: bytes(v.sigHash) });
      expect(hex(output)).toBe(hex(g.encodePoint(g.multiply(g.base, BigInt(`0x${v.tweakedSecret}`)))).slice(2));
      expect(secp.verifySchnorr(bytes(v.sigHash), output, signature)).toBe(true);
      // the signature published in the BIP is by the same key
      expect(verifySignature(TR, output, bytes(v.sigHash), bytes(v.signature))).toBe(true);
    }
  });

  it('agrees with libsecp256k1 about many keys', () => {
    for (let i = 1n; i < 40n; i++) {
      const publicKey = g.encodePoint(g.multiply(g.base, i * 0x1234567n));
      const { bytes: output, tweak, point } = outputKey(TR, publicKey);
      const theirs = secp.xOnlyPointAddTweak(publicKey.slice(1), bytes(tweak.toString(16).padStart(64, '0')));
      expect(theirs?.xOnlyPubkey).toEqual(output);
      expect(theirs?.parity).toBe((g.encodePoint(point)[0] as number) - 2);
    }
  });

  it('refuses what is not a point', () => {
    expect(codeOf(() => outputKey(TR, bytes(`02${'ff'.repeat(32)}`)))).toBe('E_POINT');
    expect(codeOf(() => outputKey(TR, bytes('ff'.repeat(32))))).toBe('E_POINT');
  });
});
