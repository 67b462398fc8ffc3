/** Whole private keys from the files that other programs write. */
import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { group as groupOf, type GroupName } from '../../src/curves/group.ts';
import { type SchemeName, SCHEMES } from '../../src/curves/scheme.ts';
import { foreignConstant } from '../../src/interop/foreign-share.ts';
import { openPrivateKey } from '../../src/interop/open-key.ts';
import { openConstant } from '../../src/interop/open-share.ts';
import { fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { refusal } from './fixtures.ts';

type Pem = 'ed25519' | 'ed448' | 'secp256k1' | 'p256';
const make = (name: Pem): KeyObject => {
  if (name === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (name === 'ed448') return generateKeyPairSync('ed448').privateKey;
  return generateKeyPairSync('ec', { namedCurve: name === 'p256' ? 'prime256v1' : 'secp256k1' }).privateKey;
};
const pkcs8 = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }) as string;
const sec1 = (key: KeyObject): string => key.export({ format: 'pem', type: 'sec1' }) as string;
/** The public key as OpenSSL has it, compressed. */
function publicOf(key: KeyObject): string {
  const { x, y } = key.export({ format: 'jwk' });
  const bytes = Buffer.from(x as string, 'base64url');
  if (y === undefined) return bytes.toString('hex');
  return `0${String(2 + ((Buffer.from(y, 'base64url').at(-1) as number) & 1))}${bytes.toString('hex')}`;
}
const SCHEME_OF: Record<Pem, SchemeName[]> = {
  ed25519: ['frost-ed25519'],
  ed448: ['frost-ed448'],
  secp256k1: ['frost-secp256k1', 'frost-secp256k1-tr', 'cggmp24-secp256k1'],
  p256: ['frost-p256', 'cggmp24-p256'],
};
const open = (text: string, scheme: SchemeName) => openPrivateKey(utf8(text), scheme, 'key.pem');
const ALL = Object.keys(SCHEME_OF) as Pem[];
const wrap = (der: Uint8Array, label = 'PRIVATE KEY'): string => `-----BEGIN ${label}-----\n${(Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

describe.each(ALL)('PEM of %s', (name) => {
  it.each(SCHEME_OF[name])('is a key of %s with the public key that OpenSSL has', (scheme) => {
    for (let i = 0; i < 4; i++) {
      const object = make(name);
      const own = open(pkcs8(object), scheme);
      expect(toHex(own.key.publicKey)).toBe(publicOf(object));
      expect(own.key).toMatchObject({ format: 'key', scheme, minSigners: 1 });
      expect(own.key.shares).toEqual([{ identifier: own.identifier, point: own.key.publicKey }]);
      // as its single holder it hands over all of it
      const group = groupOf(SCHEMES[scheme].group);
      expect(openConstant(own, [own.identifier])).toBe(group.decodeScalar(own.share));
      expect(group.encodePoint(foreignConstant(own.key, [own.identifier], own.identifier).point)).toEqual(own.key.publicKey);
      if (name === 'secp256k1' || name === 'p256') expect(open(sec1(object), scheme)).toEqual(own);
      expect(open(pkcs8(object).replaceAll('\n', '\r\n'), scheme)).toEqual(own);
      expect(open(`${toHex(own.share)}\n`, scheme)).toEqual(own);
    }
  });
  it('is no key of another curve', () => {
    const text = pkcs8(make(name));
    for (const [scheme, { group }] of Object.entries(SCHEMES) as [SchemeName, { group: GroupName }][])
      if (group !== name) expect([scheme, refusal(() => open(text, scheme)).code]).toEqual([scheme, 'E_SCHEME']);
  });
  it('is refused encrypted, doubled, truncated, altered, with text around it, or public', () => {
    const scheme = SCHEME_OF[name][0] as SchemeName;
    const object = make(name);
    const text = pkcs8(object);
    const locked = object.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }) as string;
    for (const bad of [locked, text + text, `x\n${text}`, `${text}x`, text.slice(0, -30), text.replace('BEGIN PRIVATE', 'BEGIN PUBLIC'), wrap(new Uint8Array(48)), wrap(object.export({ format: 'der', type: 'pkcs8' }).subarray(0, -1)), '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n', ''])
      expect([bad, refusal(() => open(bad, scheme)).code]).toEqual([bad, 'E_FORMAT']);
    expect(refusal(() => open(text + '\n'.repeat(4096), scheme)).code).toBe('E_TOO_LARGE');
    expect(refusal(() => openPrivateKey(Uint8Array.of(0, 255), scheme, 'k')).facts.file).toBe('k');
  });
});

describe('elliptic PEM files', () => {
  it.each(['secp256k1', 'p256'] as const)('of %s without their public key are read, with another one are refused', (name) => {
    const scheme = SCHEME_OF[name][0] as SchemeName;
    const object = make(name);
    const der = object.export({ format: 'der', type: 'sec1' });
    // RFC 5915: SEQUENCE { version, OCTET STRING key, [0] curve, [1] public key }
    const end = der.length - 70;
    const short = Uint8Array.from([0x30, end - 2, ...der.subarray(2, end)]);
    expect(wrap(short, 'EC PRIVATE KEY')).not.toBe(sec1(object));
    expect(toHex(open(wrap(short, 'EC PRIVATE KEY'), scheme).key.publicKey)).toBe(publicOf(object));
    const stranger = make(name).export({ format: 'der', type: 'sec1' });
    const mixed = Uint8Array.from([...der.subarray(0, -65), ...stranger.subarray(-65)]);
    expect(refusal(() => open(wrap(mixed, 'EC PRIVATE KEY'), scheme))).toMatchObject({ code: 'E_FOREIGN', facts: { field: 'publicKey' } });
  });
  it('of a curve that is not ours are refused', () => {
    for (const namedCurve of ['secp384r1', 'secp224r1']) {
      const text = pkcs8(generateKeyPairSync('ec', { namedCurve }).privateKey);
      expect(refusal(() => open(text, 'frost-p256')).code).toBe('E_SCHEME');
    }
    expect(refusal(() => open(pkcs8(generateKeyPairSync('x25519').privateKey), 'frost-ed25519')).code).toBe('E_SCHEME');
    expect(refusal(() => open(pkcs8(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), 'frost-ed25519')).code).toBe('E_SCHEME');
  });
});

describe('known answers', () => {
  it('RFC 8032 section 7.1, test 1, as PKCS#8', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    const own = open(wrap(Uint8Array.from([...fromHex('302e020100300506032b657004220420'), ...seed])), 'frost-ed25519');
    expect(toHex(own.key.publicKey)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  });
  it('RFC 8032 section 7.4, blank, as PKCS#8', () => {
    const seed = fromHex('6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b');
    const own = open(wrap(Uint8Array.from([...fromHex('3047020100300506032b6571043b0439'), ...seed])), 'frost-ed448');
    expect(toHex(own.key.publicKey)).toBe('5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180');
  });
});

describe('a scalar in hex', () => {
  it.each(Object.keys(SCHEMES) as SchemeName[])('of %s is the key in its own byte order', (scheme) => {
    const group = groupOf(SCHEMES[scheme].group);
    for (const n of [1n, 2n, group.order - 1n]) {
      const own = open(toHex(group.encodeScalar(n)), scheme);
      expect(own.key.publicKey).toEqual(group.encodePoint(group.multiply(group.base, n)));
    }
    const size = group.scalarBytes;
    for (const bad of ['00'.repeat(size), 'ff'.repeat(size), '01'.repeat(size - 1), '01'.repeat(size + 1)]) expect([bad, refusal(() => open(bad, scheme)).code]).toEqual([bad, 'E_SCALAR']);
    const good = toHex(group.encodeScalar(0xabcdefn));
    for (const bad of [good.toUpperCase(), `0x${good}`, `${good}\n\n`, ` ${good}`, good.slice(1), `${good} ${good}`]) expect([bad, refusal(() => open(bad, scheme)).code]).toEqual([bad, 'E_FORMAT']);
  });
  it('is the one of OpenSSL on the curves whose byte order it shares', () => {
    const ecdh = createECDH('secp256k1');
    ecdh.generateKeys();
    expect(toHex(open(ecdh.getPrivateKey('hex').padStart(64, '0'), 'cggmp24-secp256k1').key.publicKey)).toBe(ecdh.getPublicKey('hex', 'compressed'));
  });
  it('is never repeated in a refusal', () => {
    const secret = 'f'.repeat(20) + '0123456789ab'.repeat(4);
    for (const text of [secret, `${secret}zz`, `${secret}0`]) {
      const error = refusal(() => open(text, 'frost-p256'));
      expect(`${error.message} ${JSON.stringify(error.facts)}`).not.toContain(secret.slice(0, 24));
    }
    expect(() => createPrivateKey(secret)).toThrow();
  });
});
