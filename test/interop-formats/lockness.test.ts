/** Key shares that Lockness CGGMP wrote: read, checked, written again; and every way to falsify one. */
import { describe, expect, it } from 'vitest';
import { group as groupOf } from '../../src/curves/group.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { foreignConstant } from '../../src/interop/foreign-share.ts';
import { makeLocknessShare } from '../../src/interop/make-lockness.ts';
import { openLocknessShare } from '../../src/interop/open-lockness.ts';
import { openConstant } from '../../src/interop/open-share.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { changed, choose, type Loose, lockness, LOCKNESS, LOCKNESS_SAMPLES, refusal, sample } from './fixtures.ts';

const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const open = (text: string | Uint8Array) => openLocknessShare(typeof text === 'string' ? utf8(text) : text, 'share.json');
const vss = (p: Loose): Loose => p['vss_setup'] as Loose;
/** Identity and other points that are none, of the two curves. */
const NO_POINTS = ['00', '00'.repeat(33), `05${'11'.repeat(32)}`, `02${'ff'.repeat(32)}`, `04${'11'.repeat(32)}`];

describe.each(LOCKNESS_SAMPLES)('sample %s', (name) => {
  const text = sample(name);
  const share = open(text);
  it('is read and written with the same contents, in the order of its fields', () => {
    expect(share.key).toMatchObject({ format: 'lockness', minSigners: 3, scheme: name.includes('k1') ? 'cggmp24-secp256k1' : 'cggmp24-p256' });
    expect(share.key.chainCode?.length).toBe(name.endsWith('true') ? 32 : undefined);
    expect(ascii(makeLocknessShare(share))).toBe(JSON.stringify(JSON.parse(text)));
    expect(open(makeLocknessShare(share))).toEqual(share);
  });
});

describe.each(LOCKNESS)('%s', (name) => {
  const texts = lockness(name);
  const shares = texts.map(open);
  const [first, second] = texts as [string, string];
  const { key } = shares[0] as (typeof shares)[0] & object;
  const group = groupOf(SCHEMES[key.scheme].group);
  const additive = name.includes('additive');

  it('is the same key in all its shares, and every quorum hands it over', () => {
    for (const s of shares) expect(s.key).toEqual(key);
    expect(toHex(key.publicKey)).toBe((JSON.parse(first) as Loose)['shared_public_key']);
    for (const some of choose(shares, key.minSigners)) {
      const holders = some.map((s) => s.identifier);
      const secret = some.reduce((sum, s) => (sum + openConstant(s, holders)) % group.order, 0n);
      expect(group.encodePoint(group.multiply(group.base, secret))).toEqual(key.publicKey);
      expect(group.encodePoint(group.sum(holders.map((id) => foreignConstant(key, holders, id).point)))).toEqual(key.publicKey);
    }
  });
  it('is written again: byte for byte, or as shares of a polynomial where they were additive', () => {
    const again = shares.map((s) => ascii(makeLocknessShare(s)));
    if (!additive) expect(again).toEqual(texts);
    else for (const text of again) expect(JSON.parse(text)).toMatchObject({ shared_public_key: toHex(key.publicKey), vss_setup: { min_signers: 3 } });
    expect(again.map(open)).toEqual(shares);
  });
  it('refuses every missing, unknown or mistyped field', () => {
    for (const field of Object.keys(JSON.parse(first) as Loose)) {
      const error = refusal(() => open(changed(first, (p) => (p[field] = field === 'i' ? 'x' : 77))));
      expect([field, error.code, error.facts.file]).toEqual([field, 'E_FORMAT', 'share.json']);
      for (const wrong of ['zz', {}, [[]], ['zz'], 'ABCD']) expect([field, refusal(() => open(changed(first, (p) => (p[field] = wrong)))).facts.file]).toEqual([field, 'share.json']);
      if (field === 'chain_code') continue;
      const missing = refusal(() => open(changed(first, (p) => delete p[field])));
      if (field === 'vss_setup') expect(missing.code).toBe('E_FOREIGN');
      else expect([field, missing.code, missing.facts.field]).toEqual([field, 'E_FORMAT', field]);
    }
    expect(refusal(() => open(changed(first, (p) => (p['extra'] = 1)))).message).toMatch(/unknown field/);
    expect(refusal(() => open(utf8(`{"core":${first},"aux":{}}`))).code).toBe('E_FORMAT');
    expect(refusal(() => open(changed(first, (p) => (p['chain_code'] = '00'.repeat(31))))).facts.field).toBe('chain_code');
    for (const cut of [0, 1, 99, first.length - 1]) expect(refusal(() => open(first.slice(0, cut))).code).toBe('E_FORMAT');
    expect(refusal(() => open(first + '\n'.repeat(70_000))).code).toBe('E_TOO_LARGE');
  });
  it('never repeats the share in a refusal', () => {
    const x = (JSON.parse(first) as { x: string }).x;
    for (const value of [`${x}00`, x.slice(2), x.toUpperCase(), [x], { [x]: 1 }]) {
      const error = refusal(() => open(changed(first, (p) => (p['x'] = value))));
      expect(`${error.message} ${JSON.stringify(error.facts)}`.toLowerCase()).not.toContain(x.slice(2, 20));
    }
  });
  it('refuses another curve', () => {
    for (const curve of ['ed25519', 'stark', '', 'secp256k2']) expect(refusal(() => open(changed(first, (p) => (p['curve'] = curve)))).code).toBe('E_SCHEME');
    const swapped = first.includes('secp256k1') ? 'secp256r1' : 'secp256k1';
    expect(['E_POINT', 'E_FOREIGN']).toContain(refusal(() => open(changed(first, (p) => (p['curve'] = swapped)))).code);
  });
  it('refuses the share or the index of another, and numbers out of range', () => {
    const other = JSON.parse(second) as Loose;
    expect(refusal(() => open(changed(first, (p) => (p['x'] = other['x']))))).toMatchObject({ code: 'E_FOREIGN', facts: { field: 'share' } });
    expect(refusal(() => open(changed(first, (p) => (p['i'] = 1)))).facts.field).toBe('share');
    for (const i of [key.shares.length, 64, 70000]) expect(refusal(() => open(changed(first, (p) => (p['i'] = i)))).facts.field).toBe('i');
    for (const x of ['00'.repeat(32), 'ff'.repeat(32), group.order.toString(16), '01']) expect(refusal(() => open(changed(first, (p) => (p['x'] = x)))).code).toBe('E_SCALAR');
  });
  it('refuses identity points, and swapped, replaced or removed public shares', () => {
    for (const bad of NO_POINTS) {
      expect(refusal(() => open(changed(first, (p) => (p['shared_public_key'] = bad)))).code).toBe('E_POINT');
      expect(refusal(() => open(changed(first, (p) => ((p['public_shares'] as string[])[2] = bad)))).code).toBe('E_POINT');
    }
    const list = (change: (points: string[]) => void) => refusal(() => open(changed(first, (p) => change(p['public_shares'] as string[])))).code;
    // additive shares carry no place: which two are swapped shows only where one of them is one's own
    expect(list((l) => ([l[0], l[1]] = [l[1] as string, l[0] as string]))).toBe('E_FOREIGN');
    if (!additive) expect(list((l) => ([l[2], l[1]] = [l[1] as string, l[2] as string]))).toBe('E_FOREIGN');
    expect(list((l) => (l[1] = toHex(key.publicKey)))).toBe('E_FOREIGN');
    expect(list((l) => l.pop())).toBe(additive ? 'E_FOREIGN' : 'E_FORMAT');
    expect(list((l) => l.push(toHex(key.publicKey)))).toBe(additive ? 'E_FOREIGN' : 'E_FORMAT');
    expect(list((l) => l.splice(0))).toBe('E_FORMAT');
    expect(refusal(() => open(changed(first, (p) => (p['shared_public_key'] = (p['public_shares'] as string[])[0])))).code).toBe('E_FOREIGN');
  });
  if (!additive) it('refuses a wrong threshold and wrong places', () => {
    for (const t of [0, 1, 65]) expect(refusal(() => open(changed(first, (p) => (vss(p)['min_signers'] = t)))).facts.field).toBe('vss_setup.min_signers');
    expect(refusal(() => open(changed(first, (p) => (vss(p)['min_signers'] = key.shares.length + 1)))).code).toBe('E_FORMAT');
    expect(refusal(() => open(changed(first, (p) => (vss(p)['min_signers'] = key.minSigners + 1)))).facts.field).toBe('minSigners');
    if (key.minSigners > 2) expect(refusal(() => open(changed(first, (p) => (vss(p)['min_signers'] = key.minSigners - 1)))).code).toBe('E_FOREIGN');
    const place = (change: (I: string[]) => void) => refusal(() => open(changed(first, (p) => change(vss(p)['I'] as string[])))).code;
    expect(place((I) => (I[1] = '00'.repeat(32)))).toBe('E_SCALAR');
    expect(place((I) => (I[1] = 'ff'.repeat(32)))).toBe('E_SCALAR');
    expect(place((I) => (I[1] = I[0] as string))).toBe('E_FORMAT');
    expect(place((I) => I.pop())).toBe('E_FORMAT');
    expect(place((I) => (I[1] = '77'.repeat(31) + '00'))).toBe('E_FOREIGN');
    expect(place((I) => ([I[0], I[1]] = [I[1] as string, I[0] as string]))).toBe('E_FOREIGN');
    expect(refusal(() => open(changed(first, (p) => delete vss(p)['I']))).facts.field).toBe('vss_setup.I');
    expect(refusal(() => open(changed(first, (p) => (vss(p)['extra'] = 1)))).facts.field).toBe('vss_setup.extra');
  });
  it('keeps or leaves out the chain code', () => {
    const without = open(changed(first, (p) => delete p['chain_code']));
    expect(without.key.chainCode).toBeUndefined();
    expect(ascii(makeLocknessShare(without))).not.toContain('chain_code');
    const withOne = open(changed(first, (p) => (p['chain_code'] = '5a'.repeat(32))));
    expect(ascii(makeLocknessShare(withOne))).toContain(`"chain_code":"${'5a'.repeat(32)}","x":"`);
  });
  it('writes no share that is not of its key, and no key of another kind', () => {
    const [one, two] = shares as [(typeof shares)[0] & object, (typeof shares)[0] & object];
    expect(refusal(() => makeLocknessShare({ ...one, share: two.share })).code).toBe('E_FOREIGN');
    const scheme = key.scheme === 'cggmp24-p256' ? 'frost-p256' : 'frost-secp256k1';
    expect(refusal(() => makeLocknessShare({ ...one, key: { ...key, format: 'zf-frost', scheme } })).code).toBe('E_SCHEME');
  });
});
