/** Packages that ZF FROST wrote: read, checked, written again; and every way to falsify one. */
import { describe, expect, it } from 'vitest';
import { group as groupOf } from '../../src/curves/group.ts';
import { type FrostSchemeName, SCHEMES } from '../../src/curves/scheme.ts';
import { type ForeignKey, foreignConstant } from '../../src/interop/foreign-share.ts';
import { makeZfKeyPackage } from '../../src/interop/make-zf-frost.ts';
import { openConstant, openShare } from '../../src/interop/open-share.ts';
import { openZfKeyPackage } from '../../src/interop/open-zf-frost.ts';
import { readZfPublicKeyPackage, zfPublicKeyPackage } from '../../src/interop/zf-frost.ts';
import { outputKey } from '../../src/schnorr/output-key.ts';
import { verifySignature } from '../../src/schnorr/verify-signature.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { dealKey, minimalQuorums, signWith } from '../schnorr/helpers.ts';
import { changed, choose, type Loose, refusal, ZF, zf } from './fixtures.ts';

const FILES = { key: 'key.json', public: 'public.json' };
const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const open = (key: string | Uint8Array, pub: string | Uint8Array) =>
  openZfKeyPackage(typeof key === 'string' ? utf8(key) : key, typeof pub === 'string' ? utf8(pub) : pub, FILES);
const readPublic = (pub: string | Uint8Array, minSigners?: number): ForeignKey => readZfPublicKeyPackage(typeof pub === 'string' ? utf8(pub) : pub, 'public.json', minSigners);

describe('fixtures', () => {
  it('are of all six suites', () => {
    expect(new Set(ZF.map((name) => readPublic(zf(name).publicKeyPackage).scheme)).size).toBe(6);
  });
});

describe.each(ZF)('%s', (name) => {
  const { publicKeyPackage, keyPackages } = zf(name);
  const key = readPublic(publicKeyPackage);
  const group = groupOf(SCHEMES[key.scheme].group);
  const shares = keyPackages.map((text) => open(text, publicKeyPackage));
  const first = keyPackages[0] as string;
  const identity = key.scheme === 'frost-ed25519' || key.scheme === 'frost-ed448' ? toHex(group.identity.toBytes()) : '00'.repeat(group.pointBytes);

  it('is read, and written byte for byte', () => {
    expect(name.startsWith(`${key.scheme}-`)).toBe(true);
    expect([key.minSigners, key.shares.length]).toEqual(/-(\d)of(\d)/.exec(name)?.slice(1).map(Number));
    expect(ascii(zfPublicKeyPackage(key))).toBe(publicKeyPackage);
    expect(shares.map((s) => ascii(makeZfKeyPackage(s)))).toEqual(keyPackages);
    expect(ascii(zfPublicKeyPackage({ ...key, shares: key.shares.toReversed() }))).toBe(publicKeyPackage);
    const turned = changed(publicKeyPackage, (p) => (p['verifying_shares'] = Object.fromEntries(Object.entries(p['verifying_shares'] as Loose).reverse())));
    expect(readPublic(turned)).toEqual(key);
  });
  it('is handed over by every quorum of its holders', () => {
    for (const some of choose(shares, key.minSigners)) {
      const holders = some.map((s) => s.identifier);
      const secret = some.reduce((sum, s) => (sum + openConstant(s, holders)) % group.order, 0n);
      expect(group.encodePoint(group.multiply(group.base, secret))).toEqual(key.publicKey);
      expect(group.encodePoint(group.sum(holders.map((id) => foreignConstant(key, holders, id).point)))).toEqual(key.publicKey);
    }
  });
  it('signs with us after it was handed over, over another quorum', () => {
    const some = shares.slice(-key.minSigners);
    const secret = some.reduce((sum, s) => (sum + openConstant(s, some.map((o) => o.identifier))) % group.order, 0n);
    const moved = dealKey(key.scheme as FrostSchemeName, 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))', name, secret);
    const { message, signature } = signWith(moved, minimalQuorums(moved.quorum)[1] as string[], {});
    const under = outputKey(key.scheme, key.publicKey).bytes;
    expect(verifySignature(key.scheme, under, message, signature)).toBe(true);
    expect(verifySignature(key.scheme, under, utf8('another'), signature)).toBe(false);
  });
  it('takes the threshold from a key package where an old public package states none', () => {
    const old = changed(publicKeyPackage, (p) => delete p['min_signers']);
    expect(open(first, old)).toEqual(shares[0]);
    expect(readPublic(old, key.minSigners)).toEqual(key);
    expect(refusal(() => readPublic(old)).code).toBe('E_MISSING');
    // one that is stated wrongly does not get past the public shares
    const lying = changed(first, (p) => (p['min_signers'] = key.minSigners + 1));
    expect(refusal(() => open(lying, old)).code).toBe('E_FOREIGN');
    expect(refusal(() => open(lying, publicKeyPackage)).facts).toMatchObject({ field: 'min_signers', file: 'public.json' });
  });
  it('refuses every missing, unknown or mistyped field', () => {
    for (const [text, run] of [[first, (b: Uint8Array) => open(b, publicKeyPackage)], [publicKeyPackage, (b: Uint8Array) => open(first, b)]] as const) {
      for (const field of Object.keys(JSON.parse(text) as Loose)) {
        if (text === first || field !== 'min_signers') {
          const error = refusal(() => run(changed(text, (p) => delete p[field])));
          expect([error.code, error.facts.field]).toEqual(['E_FORMAT', field]);
          expect(error.message).toMatch(/missing/);
        }
        for (const wrong of [7777, 'xyz', [], {}, [1], '', 'AB'])
          expect([field, wrong, refusal(() => run(changed(text, (p) => (p[field] = wrong)))).facts.file]).toEqual([field, wrong, text === first ? 'key.json' : 'public.json']);
      }
      for (const field of ['version', 'ciphersuite']) expect(refusal(() => run(changed(text, (p) => delete (p['header'] as Loose)[field]))).facts.field).toBe(`header.${field}`);
      expect(refusal(() => run(changed(text, (p) => (p['extra'] = 1)))).message).toMatch(/unknown field/);
      expect(refusal(() => run(changed(text, (p) => ((p['header'] as Loose)['extra'] = 1)))).message).toMatch(/unknown field/);
      expect(refusal(() => run(changed(text, (p) => ((p['header'] as Loose)['version'] = 1)))).code).toBe('E_VERSION');
      expect(refusal(() => run(changed(text, (p) => ((p['header'] as Loose)['ciphersuite'] = 'FROST-X')))).code).toBe('E_SCHEME');
      for (const n of [0, 1, 65, 70000]) expect(refusal(() => run(changed(text, (p) => (p['min_signers'] = n)))).code).toBe('E_FORMAT');
      for (const cut of [0, 1, 40, text.length - 1]) expect(refusal(() => run(utf8(text.slice(0, cut)))).code).toBe('E_FORMAT');
      expect(refusal(() => run(utf8(text + ' '.repeat(70_000)))).code).toBe('E_TOO_LARGE');
    }
  });
  it('never repeats the share in a refusal', () => {
    const secret = (JSON.parse(first) as { signing_share: string }).signing_share;
    for (const value of [`${secret}00`, secret.slice(2), secret.toUpperCase(), `0x${secret}`, [secret], { [secret]: 1 }]) {
      const error = refusal(() => open(changed(first, (p) => (p['signing_share'] = value)), publicKeyPackage));
      expect(`${error.message} ${JSON.stringify(error.facts)}`.toLowerCase()).not.toContain(secret.slice(2, 20));
    }
  });
  it('refuses identity points, zero and numbers out of range', () => {
    const order = group.order;
    const big = toHex(new Uint8Array(group.scalarBytes).fill(255));
    // q itself, in the byte order of the suite
    const q = order.toString(16).padStart(2 * group.scalarBytes, '0');
    const text = key.scheme.includes('secp') || key.scheme.includes('p256') ? q : Buffer.from(q, 'hex').reverse().toString('hex');
    const zero = '00'.repeat(group.scalarBytes);
    for (const bad of [zero, big, text]) {
      expect(refusal(() => open(changed(first, (p) => (p['signing_share'] = bad)), publicKeyPackage)).code).toBe('E_SCALAR');
      const renamed = changed(publicKeyPackage, (p) => {
        const list = p['verifying_shares'] as Loose;
        list[bad] = Object.values(list)[0];
        delete list[Object.keys(list)[0] as string];
      });
      expect(refusal(() => readPublic(renamed)).code).toBe('E_SCALAR');
    }
    expect(refusal(() => readPublic(changed(publicKeyPackage, (p) => (p['verifying_key'] = identity)))).code).toBe('E_POINT');
    const shareless = changed(publicKeyPackage, (p) => {
      const list = p['verifying_shares'] as Loose;
      list[Object.keys(list)[1] as string] = identity;
    });
    expect(refusal(() => readPublic(shareless)).code).toBe('E_POINT');
  });
  it("refuses another holder's share, another holder's place, another key and a stranger", () => {
    const second = JSON.parse(keyPackages[1] as string) as Loose;
    const swap = (...fields: string[]) => changed(first, (p) => fields.forEach((f) => (p[f] = second[f])));
    expect(refusal(() => open(swap('signing_share'), publicKeyPackage)).facts).toMatchObject({ field: 'share', file: 'key.json' });
    expect(refusal(() => open(swap('identifier'), publicKeyPackage)).facts.field).toBe('verifying_share');
    expect(refusal(() => open(swap('verifying_share'), publicKeyPackage)).facts.field).toBe('verifying_share');
    expect(refusal(() => open(swap('identifier', 'verifying_share'), publicKeyPackage)).facts.field).toBe('share');
    expect(ascii(makeZfKeyPackage(open(swap('identifier', 'verifying_share', 'signing_share'), publicKeyPackage)))).toBe(keyPackages[1]);
    expect(refusal(() => open(changed(first, (p) => (p['verifying_key'] = second['verifying_share'])), publicKeyPackage)).facts.field).toBe('verifying_key');
    const stranger = toHex(group.encodeScalar(4242n));
    expect(refusal(() => open(changed(first, (p) => (p['identifier'] = stranger)), publicKeyPackage)).facts.field).toBe('identifier');
  });
  it('refuses swapped, replaced, added and removed public shares', () => {
    const alter = (change: (list: Record<string, unknown>, ids: string[]) => void) => changed(publicKeyPackage, (p) => {
      const list = p['verifying_shares'] as Loose;
      change(list, Object.keys(list));
    });
    const point = toHex(key.publicKey);
    const [a, b] = key.shares.map((s) => toHex(s.identifier)) as [string, string];
    const swapped = alter((list) => ([list[a], list[b]] = [list[b], list[a]]));
    expect(refusal(() => readPublic(swapped)).code).toBe('E_FOREIGN');
    expect(refusal(() => readPublic(alter((list) => (list[b] = point))))).toMatchObject({ code: 'E_FOREIGN', facts: { field: `shares.${b}` } });
    expect(refusal(() => readPublic(alter((list) => (list[toHex(group.encodeScalar(4242n))] = point)))).code).toBe('E_FOREIGN');
    expect(refusal(() => readPublic(alter((list, ids) => ids.slice(1).forEach((id) => delete list[id])))).code).toBe('E_FORMAT');
    expect(refusal(() => readPublic(changed(publicKeyPackage, (p) => (p['verifying_shares'] = {})))).code).toBe('E_FORMAT');
    expect(refusal(() => readPublic(changed(publicKeyPackage, (p) => (p['min_signers'] = key.minSigners + 1)))).facts.field).toBe('minSigners');
    // a holder that is missing is not seen, as long as enough are left; its own package then finds no place
    const fewer = alter((list) => delete list[a]);
    expect(readPublic(fewer).shares.length).toBe(key.shares.length - 1);
    const own = keyPackages.find((text) => text.includes(`"identifier":"${a}"`)) as string;
    expect(refusal(() => open(own, fewer)).facts.field).toBe('identifier');
  });
  it('refuses a field that stands there twice', () => {
    expect(refusal(() => open(first.replace('"min_signers"', '"min_signers":2,"min_signers"'), publicKeyPackage)).message).toMatch(/twice/);
    expect(refusal(() => open(first, publicKeyPackage.replace(/("[0-9a-f]+":"[0-9a-f]+"),/, '$1,$1,'))).message).toMatch(/twice/);
  });
  it('writes no share that is not of its key, and no key of another kind', () => {
    const [one, two] = shares as [typeof shares[0], typeof shares[0]];
    expect(refusal(() => makeZfKeyPackage({ ...(one as NonNullable<typeof one>), share: (two as NonNullable<typeof two>).share })).code).toBe('E_FOREIGN');
  });
});

describe('packages of two suites', () => {
  it('do not mix: same curve, same key, other ciphersuite', () => {
    const { publicKeyPackage, keyPackages } = zf('frost-secp256k1-tr-2of3-even');
    const plain = (text: string) => utf8(text.replace('FROST-secp256k1-SHA256-TR-v1', 'FROST-secp256k1-SHA256-v1'));
    const first = keyPackages[0] as string;
    expect(open(plain(first), plain(publicKeyPackage)).key.scheme).toBe('frost-secp256k1');
    expect(refusal(() => open(first, plain(publicKeyPackage)))).toMatchObject({ code: 'E_FOREIGN', facts: { field: 'header.ciphersuite', file: 'key.json' } });
    expect(refusal(() => open(plain(first), publicKeyPackage)).facts.field).toBe('header.ciphersuite');
  });
  it('of another curve are refused', () => {
    const [ed, p256] = [zf('frost-ed25519-2of3'), zf('frost-p256-2of3')];
    expect(refusal(() => open(ed.keyPackages[0] as string, p256.publicKeyPackage)).code).toBe('E_FOREIGN');
    const renamed = ed.publicKeyPackage.replace('FROST-ED25519-SHA512-v1', 'FROST-RISTRETTO255-SHA512-v1');
    expect(['E_POINT', 'E_FOREIGN']).toContain(refusal(() => readPublic(renamed)).code);
  });
  it('refuses a point with a part of small order', () => {
    const { publicKeyPackage } = zf('frost-ed25519-2of3');
    const group = groupOf('ed25519');
    const torsion = group.Point.fromBytes(Uint8Array.from([236, ...Array<number>(30).fill(255), 127]));
    const point = group.Point.fromBytes(readPublic(publicKeyPackage).publicKey).add(torsion);
    expect(refusal(() => readPublic(changed(publicKeyPackage, (p) => (p['verifying_key'] = toHex(point.toBytes()))))).code).toBe('E_POINT');
  });
});

describe('what ZF FROST cannot hold', () => {
  it('is refused: keys for ECDSA, whole keys', () => {
    const { publicKeyPackage, keyPackages } = zf('frost-secp256k1-2of3');
    const share = open(keyPackages[0] as string, publicKeyPackage);
    const ecdsa = { ...share.key, scheme: 'cggmp24-secp256k1', format: 'lockness' } as const;
    expect(refusal(() => zfPublicKeyPackage(ecdsa)).code).toBe('E_SCHEME');
    expect(refusal(() => makeZfKeyPackage({ ...share, key: ecdsa })).code).toBe('E_SCHEME');
    const group = groupOf('secp256k1');
    const identifier = group.encodeScalar(1n);
    const whole = openShare({ format: 'key', scheme: 'frost-secp256k1', publicKey: group.encodePoint(group.base), minSigners: 1, shares: [{ identifier, point: group.encodePoint(group.base) }] }, identifier, group.encodeScalar(1n));
    expect(refusal(() => zfPublicKeyPackage(whole.key)).code).toBe('E_QUORUM');
    expect(refusal(() => makeZfKeyPackage(whole)).code).toBe('E_QUORUM');
  });
  it('reads the sample of its documentation', () => {
    const sample = {
      header: { version: 0, ciphersuite: 'FROST-ED25519-SHA512-v1' },
      identifier: `2a${'00'.repeat(31)}`,
      signing_share: '498d4e9311420c903913a56c94a694b8aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0a',
      verifying_share: `58${'66'.repeat(31)}`,
      verifying_key: `58${'66'.repeat(31)}`,
      min_signers: 2,
    };
    // a package for showing the fields: share and public share are the ones of no key
    const { publicKeyPackage } = zf('frost-ed25519-2of3');
    expect(refusal(() => open(JSON.stringify(sample), publicKeyPackage))).toMatchObject({ code: 'E_FOREIGN', facts: { field: 'verifying_key' } });
  });
});
