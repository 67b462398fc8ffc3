import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { aggregate, verifyShare } from '../../src/schnorr/aggregate.ts';
import { signingRequest } from '../../src/schnorr/request.ts';
import { signShare } from '../../src/schnorr/sign.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import {
  expectSignature,
  keyFor,
  keyOfShares,
  nudge,
  SCHEME_NAMES,
} from './helpers.ts';
import { bytes, hex, vectors } from './vectors.ts';

interface Fixture {
  readonly keys: readonly {
    min: number;
    max: number;
    publicKey: string;
    members: readonly { id: number; signingShare: string; verifyingShare: string }[];
    sessions: readonly {
      message: string;
      signers: readonly {
        id: number;
        hidingNonce: string;
        bindingNonce: string;
        hidingCommitment: string;
        bindingCommitment: string;
        signatureShare: string;
      }[];
      signature: string;
    }[];
  }[];
}

describe.each(SCHEME_NAMES)('ZF FROST, %s', (scheme) => {
  const g = group(SCHEMES[scheme].group);
  const { keys } = vectors<Fixture>(`frost/zf/${scheme}.json`);

  it.each(keys.map((key, i) => ({ ...key, name: `key ${String(i)}` })))('$name, $min of $max', (k) => {
    const names = k.members.map((m) => `p${String(m.id)}`);
    const quorum = parseQuorum(`${String(k.min)}-of(${names.join(', ')})`);
    const shares = new Map(k.members.map((m) => [m.id, g.decodeScalar(bytes(m.signingShare))]));
    const key = { ...keyOfShares(scheme, quorum, 1n, shares), publicKey: bytes(k.publicKey) };
    for (const m of k.members) expect(hex(g.encodePoint(key.leafPoints.get(m.id) as never))).toBe(m.verifyingShare);

    for (const session of k.sessions) {
      const signing = keyFor(
        key,
        session.signers.map((s) => `p${String(s.id)}`),
      );
      const zero = new Uint8Array(32);
      const request = signingRequest({
        key: signing,
        keyId: zero,
        epochDigest: zero,
        intentHash: zero,
        message: bytes(session.message),
        commitments: session.signers.map((s) => ({ id: s.id, commitment: bytes(s.hidingCommitment + s.bindingCommitment) })),
      });
      const theirs = new Map(session.signers.map((s) => [s.id, bytes(s.signatureShare)]));
      // their shares verify and aggregate here
      for (const [id, share] of theirs) expect(verifyShare(request, id, share)).toBe(true);
      expect(hex(expectSignature(aggregate(request, theirs)))).toBe(session.signature);
      expect(verifySignature(scheme, signing.outputKey, request.message, bytes(session.signature))).toBe(true);
      // with their nonces we give their shares, byte for byte
      const s = session.signers[0] as (typeof session.signers)[number];
      const own = { id: s.id, share: g.encodeScalar(shares.get(s.id) as bigint), nonces: bytes(s.hidingNonce + s.bindingNonce) };
      expect(hex(signShare(request, own))).toBe(s.signatureShare);
      theirs.set(s.id, nudge(scheme, bytes(s.signatureShare)));
      expect(aggregate(request, theirs)).toEqual({ kind: 'cheaters', ids: [s.id] });
    }
  });
});
