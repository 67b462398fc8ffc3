import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { aggregate, verifyShare } from '../../src/schnorr/aggregate.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { signingRequest, type SigningRequest } from '../../src/schnorr/request.ts';
import { signShare } from '../../src/schnorr/sign.ts';
import type { SigningKey } from '../../src/schnorr/signing-key.ts';
import {
  codeOf,
  dealKey,
  EXPRESSIONS,
  nudge,
  open,
  SCHEME_NAMES,
  seeded,
  signShares,
  type Signing,
  type TestKey,
} from './helpers.ts';

/** All sign one request, except that one device works with another view of the key and perhaps another share. */
function withDeviant(
  key: TestKey,
  signing: Signing,
  deviant: { id: number; share: bigint; view: SigningKey },
): { request: SigningRequest; shares: Map<number, Uint8Array> } {
  const g = group(SCHEMES[key.scheme].group);
  const random = seeded('deviant');
  const made = signing.key.seats.map(({ leaf: { id } }) => {
    const share = g.encodeScalar(id === deviant.id ? deviant.share : (key.shares.get(id) as bigint));
    return { id, share, ...makeNonces(key.scheme, share, random) };
  });
  const request = signingRequest({ ...signing.facts, commitments: made });
  const there = signingRequest({ ...signing.facts, key: deviant.view, commitments: made });
  const shares = made.map((own) => [own.id, signShare(own.id === deviant.id ? there : request, own)] as const);
  return { request, shares: new Map(shares) };
}

describe.each(SCHEME_NAMES)('%s', (scheme) => {
  const g = group(SCHEMES[scheme].group);

  it('names all whose share is wrong, malformed ones among them', () => {
    const key = dealKey(scheme, '4-of(p1, p2, p3, p4, p5)', 'several');
    const { request, ...rest } = open(key, ['p1', 'p2', 'p4', 'p5']);
    const good = signShares(key, { request, ...rest });
    const wrong = nudge(scheme, good.get(2) as Uint8Array);
    const out = new Uint8Array(g.scalarBytes).fill(0xff);
    expect(aggregate(request, new Map(good).set(2, wrong).set(4, out))).toEqual({ kind: 'cheaters', ids: [2, 4] });
    for (const bad of [out, new Uint8Array(), new Uint8Array(g.scalarBytes + 1), (good.get(4) as Uint8Array).slice(1)]) {
      expect(verifyShare(request, 4, bad)).toBe(false);
      expect(aggregate(request, new Map(good).set(4, bad))).toEqual({ kind: 'cheaters', ids: [4] });
    }
    expect(aggregate(request, good).kind).toBe('signature');
    for (const [id, share] of good) expect(verifyShare(request, id, share)).toBe(true);
  });

  it('names the holder of a share of an older epoch', () => {
    const key = dealKey(scheme, EXPRESSIONS[1], 'epochs');
    const signing = open(key, ['carol', 'alice', 'erin']);
    const id = signing.key.seats[1]?.leaf.id as number;
    const share = ((key.shares.get(id) as bigint) + 12345n) % g.order;
    const own = { id, share: g.encodeScalar(share), nonces: signing.nonces.get(id) as Uint8Array };
    expect(codeOf(() => signShare(signing.request, own))).toBe('E_EPOCH');

    // forced through: the device's public record is of the older epoch as well
    const { negate, tweak, frost } = signing.key;
    const seats = signing.key.seats.map((s) => (s.leaf.id === id ? { ...s, leafPoint: g.multiply(g.base, share) } : s));
    const { identifier, scale } = seats.find((s) => s.leaf.id === id) as (typeof seats)[number];
    const adjusted = ((((negate ? -scale : scale) * share + tweak) % g.order) + g.order) % g.order;
    const verifyingShares = {
      ...frost.verifyingShares,
      [identifier]: new Uint8Array(g.encodePoint(g.multiply(g.base, adjusted))),
    };
    const view: SigningKey = { ...signing.key, seats, frost: { ...frost, verifyingShares } };
    const { request, shares } = withDeviant(key, signing, { id, share, view });
    expect(aggregate(request, shares)).toEqual({ kind: 'cheaters', ids: [id] });
  });
});

it('names a device that leaves the shift of the path out, or adds it twice', () => {
  const key = dealKey('frost-secp256k1', EXPRESSIONS[0], 'shift');
  const g = group('secp256k1');
  const signing = open(key, ['alice', 'bob'], { path: 'm/7' });
  for (const shift of [0n, 2n * signing.key.shift]) {
    const point = g.multiplyPublic(g.base, shift % g.order);
    const verifyingShares = Object.fromEntries(
      signing.key.seats.map((s) => [s.identifier, new Uint8Array(g.encodePoint(s.leafPoint.add(point)))]),
    );
    const view: SigningKey = { ...signing.key, shift, frost: { ...signing.key.frost, verifyingShares } };
    const { request, shares } = withDeviant(key, signing, { id: 1, share: key.shares.get(1) as bigint, view });
    expect(aggregate(request, shares)).toEqual({ kind: 'cheaters', ids: [1] });
  }
});

describe('the shares', () => {
  const key = dealKey('frost-secp256k1', EXPRESSIONS[0], 'exact');
  const signing = open(key, ['alice', 'carol']);
  const shares = signShares(key, signing);
  const alice = shares.get(1) as Uint8Array;
  const carol = shares.get(3) as Uint8Array;

  it('must be those of the signers', () => {
    expect(codeOf(() => aggregate(signing.request, new Map([[1, alice]])))).toBe('E_MISSING');
    expect(codeOf(() => aggregate(signing.request, new Map()))).toBe('E_MISSING');
    expect(codeOf(() => aggregate(signing.request, new Map(shares).set(2, alice)))).toBe('E_NOT_PARTICIPANT');
    expect(codeOf(() => verifyShare(signing.request, 2, alice))).toBe('E_NOT_PARTICIPANT');
  });

  it('are judged one by one only when the sum is wrong: errors that cancel harm nobody', () => {
    const swapped = new Map([
      [1, carol],
      [3, alice],
    ]);
    expect(aggregate(signing.request, swapped)).toEqual(aggregate(signing.request, shares));
    expect([1, 3].map((id) => verifyShare(signing.request, id, swapped.get(id) as Uint8Array))).toEqual([false, false]);
  });

  it('are not blamed for a failure that is not theirs', () => {
    const outputKey = dealKey('frost-secp256k1', EXPRESSIONS[0], 'other').publicKey;
    const request = { ...signing.request, key: { ...signing.key, outputKey } };
    expect(codeOf(() => aggregate(request, shares))).toBe('E_INTERNAL');
    // a package whose verification shares do not add up to its key cannot come out of signingKey
    const frost = { ...signing.key.frost, commitments: [new Uint8Array(outputKey)] };
    const other = { ...signing.request, key: { ...signing.key, frost } };
    expect(aggregate(other, shares).kind).toBe('cheaters');
    const message = new Uint8Array([1]);
    expect(aggregate({ ...signing.request, message }, shares)).toEqual({ kind: 'cheaters', ids: [1, 3] });
  });
});
