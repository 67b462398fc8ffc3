/** Key shares written here, read by ZF FROST and Lockness CGGMP themselves; needs their program built (README.md here): npm run test:oracle. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { group as groupOf } from '../../../src/curves/group.ts';
import { type EcdsaSchemeName, type FrostSchemeName, SCHEMES } from '../../../src/curves/scheme.ts';
import { type ForeignShare, plainKey } from '../../../src/interop/foreign-share.ts';
import { makeLocknessShare } from '../../../src/interop/make-lockness.ts';
import { makeZfKeyPackage } from '../../../src/interop/make-zf-frost.ts';
import { openLocknessShare } from '../../../src/interop/open-lockness.ts';
import { openShare } from '../../../src/interop/open-share.ts';
import { zfPublicKeyPackage } from '../../../src/interop/zf-frost.ts';
import { outputKey } from '../../../src/schnorr/output-key.ts';
import { verifySignature } from '../../../src/schnorr/verify-signature.ts';
import { fromHex, utf8 } from '../../../src/wire/bytes.ts';
import { LOCKNESS, LOCKNESS_SAMPLES, lockness, sample } from '../../interop-formats/fixtures.ts';
import { dealKey, SCHEME_NAMES } from '../../schnorr/helpers.ts';

const oracle = fileURLToPath(new URL('./target/release/key-shares', import.meta.url));
const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function ask(command: 'read' | 'sign', input: unknown): unknown[] {
  const run = spawnSync(oracle, [command], { input: JSON.stringify(input), encoding: 'utf8' });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout) as unknown[];
}

/** All shares of a key dealt here. */
function shares(scheme: FrostSchemeName, as: FrostSchemeName | EcdsaSchemeName, text: string, seed: string): ForeignShare[] {
  const dealt = dealKey(scheme, text, seed);
  const group = groupOf(SCHEMES[scheme].group);
  const key = plainKey({ ...dealt, scheme: as });
  return [...dealt.shares].map(([id, x]) => openShare(key, group.encodeScalar(BigInt(id)), group.encodeScalar(x)));
}

const QUORUMS = ['2-of(a, b, c)', 'all-of(a, b)', '3-of(a, b, c, d, e)', '5-of(a, b, c, d, e, f, g, h, i, j, k)'];
const keys = SCHEME_NAMES.flatMap((scheme) => QUORUMS.map((text, i) => shares(scheme, scheme, text, `live/${String(i)}`)));

describe('ZF FROST', () => {
  it('reads our packages of every suite, and writes them as we do', () => {
    const lines = keys.flatMap((list) => {
      const { key } = list[0] as ForeignShare;
      return [{ scheme: key.scheme, kind: 'public', text: ascii(zfPublicKeyPackage(key)) }, ...list.map((s) => ({ scheme: key.scheme, kind: 'key', text: ascii(makeZfKeyPackage(s)) }))];
    });
    expect(ask('read', lines)).toEqual(lines.map((l) => l.text));
    const cut = lines.map((l) => ({ ...l, text: l.text.slice(0, -1) }));
    expect(new Set(ask('read', cut))).toEqual(new Set([null]));
  });
  it('signs with them, Taproot keys of either parity: the signature verifies under our address', () => {
    const message = utf8('moved to the other implementation');
    const lines = keys.map((list) => {
      const { key } = list[0] as ForeignShare;
      return { scheme: key.scheme, public: ascii(zfPublicKeyPackage(key)), keys: list.slice(-key.minSigners).map((s) => ascii(makeZfKeyPackage(s))), message: Buffer.from(message).toString('hex') };
    });
    const answers = ask('sign', lines) as { signature: string }[];
    answers.forEach((answer, i) => {
      const { key } = keys[i]?.[0] as ForeignShare;
      expect([key.scheme, i, verifySignature(key.scheme, outputKey(key.scheme, key.publicKey).bytes, message, fromHex(answer.signature))]).toEqual([key.scheme, i, true]);
    });
    const parities = new Set(keys.flatMap(([s]) => (s?.key.scheme === 'frost-secp256k1-tr' ? [s.key.publicKey[0]] : [])));
    expect(parities).toEqual(new Set([2, 3]));
    // one signer fewer does not sign
    expect(new Set(ask('sign', lines.map((l) => ({ ...l, keys: l.keys.slice(1) }))))).toEqual(new Set([null]));
  });
});

describe('Lockness CGGMP', () => {
  const line = (s: ForeignShare) => ({ scheme: s.key.scheme, kind: 'lockness', text: ascii(makeLocknessShare(s)) });
  it('reads and checks our shares, and writes them as we do', () => {
    const ours = (['secp256k1', 'p256'] as const).flatMap((curve) => QUORUMS.flatMap((text) => shares(`frost-${curve}`, `cggmp24-${curve}`, text, 'live')));
    const without = ours.map((s) => openShare({ format: 'lockness', scheme: s.key.scheme, publicKey: s.key.publicKey, minSigners: s.key.minSigners, shares: s.key.shares }, s.identifier, s.share));
    const lines = [...ours, ...without].map(line);
    expect(lines.filter((l) => l.text.includes('chain_code')).length).toBe(ours.length);
    expect(ask('read', lines)).toEqual(lines.map((l) => l.text));
    // its own check answers: another threshold is refused
    const lying = ours.filter((s) => s.key.minSigners > 2).map(line).map((l) => ({ ...l, text: l.text.replace(/"min_signers":\d/, '"min_signers":2') }));
    expect(lying.length).toBeGreaterThan(0);
    expect(new Set(ask('read', lying))).toEqual(new Set([null]));
  });
  it('reads what we write of its own shares, additive ones as shares of a polynomial', () => {
    const lines = [...LOCKNESS_SAMPLES.map(sample), ...LOCKNESS.flatMap((name) => lockness(name))].map((text) => line(openLocknessShare(utf8(text), 'x')));
    expect(ask('read', lines)).toEqual(lines.map((l) => l.text));
  });
});
