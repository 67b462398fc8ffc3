import { readFileSync } from 'node:fs';
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/version.ts';
import { fromHex } from '../../src/wire/bytes.ts';
import { checkIdentityKey, signerFromSeed, verifyEd25519 } from '../../src/wire/ed25519.ts';

describe('identity signatures', () => {
  it('RFC 8032 section 7.1, test 2', () => {
    const signer = signerFromSeed(fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'));
    expect(signer.publicKey).toEqual(fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'));
    const sig = fromHex('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00');
    expect(signer.sign(Uint8Array.of(0x72))).toEqual(sig);
    expect(verifyEd25519(signer.publicKey, Uint8Array.of(0x72), sig)).toBe(true);
    expect(verifyEd25519(signer.publicKey, Uint8Array.of(0x73), sig)).toBe(false);
  });
  it('s + L does not verify: one message, one signature', () => {
    const signer = signerFromSeed(new Uint8Array(32).fill(3));
    const sig = signer.sign(new Uint8Array(3));
    const L = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(sig.slice(32)).reverse().toString('hex')}`) + L;
    const bad = sig.slice();
    bad.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(), 32);
    expect(verifyEd25519(signer.publicKey, new Uint8Array(3), bad)).toBe(false);
  });
  it('keys of small order and non-canonical keys are refused', () => {
    for (const h of ED25519_TORSION_SUBGROUP) expect(() => { checkIdentityKey(fromHex(h)); }).toThrow(/small order/);
    expect(() => { checkIdentityKey(new Uint8Array(32).fill(255)); }).toThrow(/canonical/);
    expect(() => { checkIdentityKey(new Uint8Array(31)); }).toThrow(/32 bytes/);
  });
});

it('the program and the package have the same version', () => {
  const pkg = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(pkg.version);
});
