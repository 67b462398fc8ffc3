import { expect, describe, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type FrostSchemeName } from '../../src/curves/scheme.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { aggregate } from '../../src/schnorr/aggregate.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { signingRequest } from '../../src/schnorr/request.ts';
import { signShare } from '../../src/schnorr/sign.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { expectSignature, keyFor, keyOfShares } from './helpers.ts';
import { bytes, hex, vectors } from './vectors.ts';

interface Vector {
  readonly scheme: FrostSchemeName;
  readonly groupSecret: string;
  readonly publicKey: string;
  readonly message: string;
  readonly shares: readonly { id: number; share: string }[];
  readonly signers: readonly {
    id: number;
    hidingRandomness: string;
    bindingRandomness: string;
    hidingNonce: string;
    bindingNonce: string;
    hidingCommitment: string;
    bindingCommitment: string;
    signatureShare: string;
  }[];
  readonly signature: string;
}

describe.each(['ed25519', 'ed448', 'ristretto255', 'p256', 'secp256k1'])('RFC 9591, appendix E: %s', (name) => {
  const v = vectors<Vector>(`frost/rfc9591/frost-${name}.json`);
  const g = group(SCHEMES[v.scheme].group);
  const shares = new Map(v.shares.map((s) => [s.id, g.decodeScalar(bytes(s.share))]));
  const key = keyOfShares(v.scheme, parseQuorum('2-of(p1, p2, p3)'), g.decodeScalar(bytes(v.groupSecret)), shares);
  const signing = keyFor(
    key,
    v.signers.map((s) => `p${String(s.id)}`),
  );

  it('gives the nonces, commitments, signature shares and signature of the vector', () => {
    expect(hex(key.publicKey)).toBe(v.publicKey);
    const made = v.signers.map((s) => {
      const randomness = [bytes(s.hidingRandomness), bytes(s.bindingRandomness)];
      const share = g.encodeScalar(shares.get(s.id) as bigint);
      const { nonces, commitment } = makeNonces(v.scheme, share, (length) => {
        expect(length).toBe(32);
        return randomness.shift() as Uint8Array;
      });
      expect(hex(nonces)).toBe(s.hidingNonce + s.bindingNonce);
      expect(hex(commitment)).toBe(s.hidingCommitment + s.bindingCommitment);
      return { id: s.id, share, nonces, commitment };
    });
    const digest = new Uint8Array(32);
    const facts = { key: signing, keyId: new Uint8Array(16), epochDigest: digest, intentHash: digest };
    const request = signingRequest({ ...facts, message: bytes(v.message), commitments: made });
    const answers = new Map(made.map((own) => [own.id, signShare(request, own)]));
    for (const s of v.signers) expect(hex(answers.get(s.id) as Uint8Array)).toBe(s.signatureShare);
    const signature = expectSignature(aggregate(request, answers));
    expect(hex(signature)).toBe(v.signature);
    expect(verifySignature(v.scheme, bytes(v.publicKey), bytes(v.message), signature)).toBe(true);
  });
});
