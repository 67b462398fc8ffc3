/** The digests of ECDSA, against published values and other implementations. */
import { createHash } from 'node:crypto';
import { keccak256 } from 'ethers';
import { describe, expect, it } from 'vitest';
import { DIGEST_BYTES, messageDigest, type DigestName } from '../../src/ecdsa/digest.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';

describe('messageDigest', () => {
  it.each<[DigestName, string, string]>([
    // FIPS 180-4 and the Keccak team's published values
    ['sha256', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['keccak256', '', 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
    ['keccak256', 'abc', '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ])('%s of "%s"', (hash, text, hex) => {
    expect(toHex(messageDigest(hash, utf8(text)))).toBe(hex);
  });

  it('agrees with OpenSSL and with ethers at every length around the blocks', () => {
    for (const length of [1, 55, 56, 63, 64, 65, 135, 136, 137, 271, 272, 1000]) {
      const message = new Uint8Array(length).map((_, i) => (i * 7 + length) & 255);
      expect(toHex(messageDigest('sha256', message))).toBe(createHash('sha256').update(message).digest('hex'));
      expect(`0x${toHex(messageDigest('keccak256', message))}`).toBe(keccak256(message));
      expect(messageDigest('keccak256', message)).toHaveLength(DIGEST_BYTES);
    }
  });

  it('keccak256 is not SHA3-256', () => {
    expect(toHex(messageDigest('keccak256', utf8('abc')))).not.toBe(createHash('sha3-256').update('abc').digest('hex'));
  });

  it('knows no other hash', () => {
    expect(() => messageDigest('sha1' as DigestName, utf8('abc'))).toThrowError(expect.objectContaining({ code: 'E_FORMAT' }));
  });
});
