import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { verifyShare } from '../../src/schnorr/aggregate.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { signingRequest } from '../../src/schnorr/request.ts';
import { signShare } from '../../src/schnorr/sign.ts';
import { codeOf, dealKey, EXPRESSIONS, nudge, open, SCHEME_NAMES, seeded, shareBytes } from './helpers.ts';

describe.each(SCHEME_NAMES)('signShare, %s', (scheme) => {
  const g = group(SCHEMES[scheme].group);
  const key = dealKey(scheme, EXPRESSIONS[0], 'sign');
  const signing = open(key, ['alice', 'carol']);
  const share = shareBytes(key, 1);
  const nonces = (): Uint8Array => (signing.nonces.get(1) as Uint8Array).slice();

  it('signs once: the nonces are wiped', () => {
    const own = { id: 1, share: share.slice(), nonces: nonces() };
    const answer = signShare(signing.request, own);
    expect(answer).toHaveLength(g.scalarBytes);
    expect(verifyShare(signing.request, 1, answer)).toBe(true);
    expect(own.nonces.every((b) => b === 0)).toBe(true);
    expect(own.share).toEqual(share);
    expect(codeOf(() => signShare(signing.request, own))).toBe('E_NONCE_BURNED');
  });

  it('refuses when it is not one of the signers', () => {
    const own = { id: 2, share: shareBytes(key, 2), nonces: nonces() };
    expect(codeOf(() => signShare(signing.request, own))).toBe('E_NOT_PARTICIPANT');
    expect(codeOf(() => signShare(signing.request, { ...own, id: 9 }))).toBe('E_NOT_PARTICIPANT');
  });

  it('refuses nonces that are not those of its commitment', () => {
    const other = makeNonces(scheme, share, seeded('other')).nonces;
    expect(codeOf(() => signShare(signing.request, { id: 1, share, nonces: other }))).toBe('E_COMMIT');
    // hiding nonce right, binding nonce not
    const half = nonces();
    half.set(other.subarray(g.scalarBytes), g.scalarBytes);
    expect(codeOf(() => signShare(signing.request, { id: 1, share, nonces: half }))).toBe('E_COMMIT');
    expect(half.some((b) => b !== 0)).toBe(true);
    // the coordinator gave two commitments to each other's owners
    const [a, b] = signing.facts.commitments;
    const exchanged = signingRequest({
      ...signing.facts,
      commitments: [
        { id: 1, commitment: b?.commitment as Uint8Array },
        { id: 3, commitment: a?.commitment as Uint8Array },
      ],
    });
    expect(codeOf(() => signShare(exchanged, { id: 1, share, nonces: nonces() }))).toBe('E_COMMIT');
    const kept = nonces();
    expect(codeOf(() => signShare(exchanged, { id: 1, share, nonces: kept }))).toBe('E_COMMIT');
    expect(kept).toEqual(nonces());
  });

  it('refuses a share that is not the one of this epoch', () => {
    for (const wrong of [nudge(scheme, share), shareBytes(key, 3), new Uint8Array(g.scalarBytes)])
      expect(codeOf(() => signShare(signing.request, { id: 1, share: wrong, nonces: nonces() }))).toBe('E_EPOCH');
    for (const wrong of [share.slice(1), new Uint8Array(g.scalarBytes).fill(0xff)])
      expect(codeOf(() => signShare(signing.request, { id: 1, share: wrong, nonces: nonces() }))).toBe('E_SCALAR');
  });

  it('releases nothing when the share fails its own check', () => {
    // as a fault in the arithmetic would: the public package is right, the scalar is not
    const seats = signing.key.seats.map((seat) => ({ ...seat, scale: 2n }));
    const own = { id: 1, share, nonces: nonces() };
    const faulty = { ...signing.request, key: { ...signing.key, seats } };
    expect(codeOf(() => signShare(faulty, own))).toBe('E_INTERNAL');
    expect(own.nonces.every((b) => b === 0)).toBe(true);
  });

  it('refuses damaged nonces', () => {
    const zeroHalf = nonces();
    zeroHalf.fill(0, 0, g.scalarBytes);
    const out = nonces();
    out.fill(0xff, g.scalarBytes);
    for (const bad of [zeroHalf, out, nonces().slice(1), new Uint8Array()])
      expect(codeOf(() => signShare(signing.request, { id: 1, share, nonces: bad }))).toBe('E_STATE');
    expect(codeOf(() => signShare(signing.request, { id: 1, share, nonces: nonces().fill(0) }))).toBe('E_NONCE_BURNED');
  });
});

describe.each(SCHEME_NAMES)('makeNonces, %s', (scheme) => {
  const g = group(SCHEMES[scheme].group);
  const share = shareBytes(dealKey(scheme, EXPRESSIONS[0], 'nonce'), 1);

  it('gives two scalars and their points', () => {
    const { nonces, commitment } = makeNonces(scheme, share, seeded('n'));
    const halves = (b: Uint8Array, n: number): Uint8Array[] => [b.slice(0, n), b.slice(n)];
    const points = halves(nonces, g.scalarBytes).map((n) => g.encodePoint(g.multiply(g.base, g.decodeScalar(n))));
    expect(halves(commitment, g.pointBytes)).toEqual(points);
  });

  it('depends on the randomness and on the share', () => {
    const other = shareBytes(dealKey(scheme, EXPRESSIONS[0], 'nonce'), 2);
    const inputs = [[share, 'a'], [share, 'b'], [other, 'a']] as const;
    const all = inputs.map(([s, seed]) => makeNonces(scheme, s, seeded(seed)));
    const points = all.flatMap(({ nonces }) => [nonces.slice(0, g.scalarBytes), nonces.slice(g.scalarBytes)]);
    expect(new Set(points.map(String)).size).toBe(6);
    expect(makeNonces(scheme, share, seeded('a'))).toEqual(all[0]);
  });

  it('refuses a source that repeats or runs short, and a share that is none', () => {
    expect(codeOf(() => makeNonces(scheme, share, (n) => new Uint8Array(n)))).toBe('E_RNG');
    const source = seeded('short');
    expect(codeOf(() => makeNonces(scheme, share, (n) => source(n - 1)))).toBe('E_RNG');
    expect(codeOf(() => makeNonces(scheme, share.slice(1), seeded('a')))).toBe('E_SCALAR');
  });
});
