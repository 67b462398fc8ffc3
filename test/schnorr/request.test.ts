import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ed25519 } from '@noble/curves/ed25519.js';
import { group } from '../../src/curves/group.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { commitmentBytes, decodeCommitment } from '../../src/schnorr/commitment.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { signingRequest, type RequestFacts } from '../../src/schnorr/request.ts';
import { digest, sha256 } from '../../src/wire/hash.ts';
import { codeOf, dealKey, EXPRESSIONS, keyFor, open, SCHEME_NAMES, seeded, shareBytes } from './helpers.ts';
import { bytes, hex } from './vectors.ts';

describe.each(SCHEME_NAMES)('the commitment list, %s', (scheme) => {
  const g = group(SCHEMES[scheme].group);
  const key = dealKey(scheme, EXPRESSIONS[0], 'request');
  const { facts } = open(key, ['alice', 'carol']);
  const [alice, carol] = facts.commitments as [RequestFacts['commitments'][number], RequestFacts['commitments'][number]];
  const bob = { id: 2, commitment: makeNonces(scheme, shareBytes(key, 2), seeded('bob')).commitment };
  const given = (...commitments: RequestFacts['commitments']) => codeOf(() => signingRequest({ ...facts, commitments }));

  it('holds each signer once and nobody else, in any order', () => {
    expect(given(alice, carol)).toBe('nothing thrown');
    const request = signingRequest(facts);
    expect(signingRequest({ ...facts, commitments: [carol, alice] })).toEqual(request);
    expect(request.commitments.map((c) => c.id)).toEqual([1, 3]);
    expect(given(alice)).toBe('E_MISSING');
    expect(given()).toBe('E_MISSING');
    expect(given(alice, bob)).toBe('E_NOT_PARTICIPANT');
    expect(given(alice, carol, bob)).toBe('E_NOT_PARTICIPANT');
    expect(given(alice, carol, { ...bob, id: 0 })).toBe('E_NOT_PARTICIPANT');
    expect(given(alice, carol, alice)).toBe('E_FORMAT');
    expect(given(alice, { ...bob, id: 1 }, carol)).toBe('E_FORMAT');
    expect(given(alice, { ...alice, id: 3 })).toBe('E_FORMAT');
  });

  it('names the owner of a bad commitment', () => {
    const bad = (commitment: Uint8Array): unknown => {
      try {
        signingRequest({ ...facts, commitments: [alice, { id: 3, commitment }] });
      } catch (e) {
        return (e as { facts?: { participant?: string } }).facts?.participant;
      }
      return undefined;
    };
    const good = carol.commitment;
    expect(commitmentBytes(scheme)).toBe(good.length);
    expect(hex(decodeCommitment(scheme, good).binding)).toBe(hex(good.slice(g.pointBytes)));
    const off = good.slice();
    off.fill(0xff, 0, g.pointBytes);
    const identity = good.slice();
    identity.fill(0, 0, g.pointBytes);
    for (const wrong of [off, identity, good.slice(1), new Uint8Array([...good, 0]), new Uint8Array()])
      expect(bad(wrong)).toBe('carol');
    expect(given(alice, { id: 3, commitment: off })).toBe('E_POINT');
    expect(given(alice, { id: 3, commitment: good.slice(1) })).toBe('E_FORMAT');
  });
});

it('refuses the uncompressed form, small order and a small-order part', () => {
  const key = dealKey('frost-p256', EXPRESSIONS[0], 'request');
  const { commitment } = makeNonces('frost-p256', shareBytes(key, 1), seeded('p'));
  const p = group('p256').decodePoint(commitment.slice(0, 33));
  const uncompressed = bytes((p as unknown as { toHex(compressed: boolean): string }).toHex(false));
  const long = new Uint8Array([...uncompressed, ...commitment.slice(33)]);
  expect(codeOf(() => decodeCommitment('frost-p256', long))).toBe('E_FORMAT');

  const g = group('ed25519');
  const torsion = bytes('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const good = g.encodePoint(g.base);
  const mixed = ed25519.Point.BASE.add(ed25519.Point.fromBytes(torsion)).toBytes();
  for (const bad of [torsion, mixed]) {
    expect(codeOf(() => decodeCommitment('frost-ed25519', new Uint8Array([...bad, ...good])))).toBe('E_POINT');
    expect(codeOf(() => decodeCommitment('frost-ed25519', new Uint8Array([...good, ...bad])))).toBe('E_POINT');
  }
  expect(codeOf(() => decodeCommitment('frost-ed25519', new Uint8Array([...good, ...good])))).toBe('nothing thrown');
});

describe('the request hash', () => {
  const key = dealKey('frost-secp256k1', EXPRESSIONS[1], 'hash');
  const signers = ['carol', 'alice', 'bob'];
  const { facts, request } = open(key, signers);
  const flip = (b: Uint8Array, at: number): Uint8Array => b.map((v, i) => (i === at % b.length ? v ^ 1 : v));

  it('has 32 bytes and covers every field', () => {
    expect(request.hash).toHaveLength(32);
    const other = open(key, signers, { seed: 'other' });
    const fields: RequestFacts[] = [
      { ...facts, keyId: flip(facts.keyId, 0) },
      { ...facts, keyId: new Uint8Array([...facts.keyId, 0]) },
      { ...facts, epochDigest: flip(facts.epochDigest, 31) },
      { ...facts, intentHash: flip(facts.intentHash, 5) },
      { ...facts, message: flip(facts.message, 2) },
      { ...facts, message: new Uint8Array() },
      { ...facts, key: keyFor(key, signers, 'm/0') },
      { ...facts, key: keyFor(key, signers, 'm/1') },
      { ...facts, commitments: [other.facts.commitments[0] as never, ...facts.commitments.slice(1)] },
      other.facts,
      open(key, ['dave', 'alice', 'bob']).facts,
      open({ ...key, scheme: 'frost-secp256k1-tr' }, signers).facts,
    ];
    const hashes = [request, ...fields.map(signingRequest)].map((r) => hex(r.hash));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('is the digest of the fields in their order', () => {
    const { key: k } = facts;
    expect(k.path).toBe('m');
    const below = keyFor(key, signers, 'm/4');
    for (const [view, path] of [[k, 'm'], [below, 'm/4']] as const) {
      const list = facts.commitments.map(({ id, commitment }) => [id, commitment]);
      const { keyId, epochDigest, intentHash } = facts;
      const before = [keyId, epochDigest, view.outputKey, 'frost-secp256k1', path, [1, 3, 4]];
      const known = digest('signing-request/v1', ...before, list, sha256(facts.message), intentHash);
      expect(hex(signingRequest({ ...facts, key: view }).hash)).toBe(hex(known));
    }
  });

  it('changes with any bit of the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (message, at) => {
        const hash = (m: Uint8Array): string => hex(signingRequest({ ...facts, message: m }).hash);
        expect(hash(flip(message, at))).not.toBe(hash(message));
      }),
      { numRuns: 15 },
    );
  });

  it('does not change afterwards with the buffers that were given', () => {
    const message = facts.message.slice();
    const made = signingRequest({ ...facts, message });
    message.fill(0);
    expect(made.message).toEqual(facts.message);
    expect(made).toEqual(request);
  });

  it('wants digests of 32 bytes', () => {
    expect(codeOf(() => signingRequest({ ...facts, epochDigest: new Uint8Array(31) }))).toBe('E_FORMAT');
    expect(codeOf(() => signingRequest({ ...facts, intentHash: new Uint8Array(33) }))).toBe('E_FORMAT');
  });
});
