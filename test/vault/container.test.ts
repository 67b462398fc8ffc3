import { beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { isSealedUnder, MAX_PLAINTEXT, MAX_SEALED, open, parseSealed, seal, type KdfHeader } from '../../src/vault/container.ts';
import { REHEARSAL } from '../../src/vault/kdf.ts';
import { Secret } from '../../src/vault/secret.ts';
import { concat, utf8 } from '../../src/wire/bytes.ts';
import { canonical, type Json } from '../../src/wire/canon.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { loadSodium, type Sodium } from '../../src/wire/sodium.ts';
import { codeOf, random, refusal } from './support.ts';

const PURPOSE = 'keys/treasury/epoch-1/share.sealed';
const FILE = `/home/${PURPOSE}`;
const key = Secret.fromRandom(random, 32);
const plaintext = utf8('thirty-two bytes of a key share.');
let sodium: Sodium;

beforeAll(async () => {
  sodium = await loadSodium();
});

const sealed = (kdf?: KdfHeader): Uint8Array => seal(sodium, key, PURPOSE, plaintext, random, kdf);
const unseal = (bytes: Uint8Array, purpose = PURPOSE, k = key): Uint8Array => open(sodium, k, parseSealed(bytes, purpose, FILE));
/** With the hash at the end made anew: what somebody who alters a file on purpose would do. */
const rehashed = (bytes: Uint8Array): Uint8Array => concat(bytes.subarray(0, -32), sha256(bytes.subarray(0, -32)));
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((b, i) => (i === at ? b ^ (1 << (at % 8)) : b));
/** A file with another header; everything else as it was. */
function withHeader(bytes: Uint8Array, text: string, length = utf8(text).length): Uint8Array {
  const old = ((bytes[5] as number) << 8) | (bytes[6] as number);
  return rehashed(concat(bytes.subarray(0, 5), Uint8Array.of(length >> 8, length & 0xff), utf8(text), bytes.subarray(7 + old)));
}

describe('a sealed file', () => {
  it('gives back what was sealed, for any contents and lengths', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), (bytes, withKdf) => {
        const kdf = withKdf ? { ...REHEARSAL, salt: random(16) } : undefined;
        const file = seal(sodium, key, PURPOSE, bytes, random, kdf);
        const parsed = parseSealed(file, PURPOSE, FILE);
        expect(parsed.kdf).toEqual(kdf);
        expect(open(sodium, key, parsed)).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });

  it('never looks the same twice, and shows neither key nor contents', () => {
    const [a, b] = [sealed(), sealed()].map((f) => Buffer.from(f));
    expect(a?.equals(b as Buffer)).toBe(false);
    expect(a?.includes(Buffer.from(plaintext.subarray(0, 8)))).toBe(false);
    expect(key.use((k) => a?.includes(Buffer.from(k.subarray(0, 8))))).toBe(false);
  });

  it.each([undefined, { ...REHEARSAL, salt: new Uint8Array(16) }])('is refused with any byte flipped', (kdf) => {
    const file = sealed(kdf);
    for (let at = 0; at < file.length; at++) {
      const error = refusal(() => unseal(flipped(file, at)));
      expect([at, error.code, error.facts.file]).toEqual([at, 'E_STATE', FILE]);
      // also by somebody who makes the hash fit again
      if (at < file.length - 32) expect([at, codeOf(() => unseal(rehashed(flipped(file, at))))]).toEqual([at, 'E_STATE']);
    }
  });

  it('is refused when cut at any length, or with bytes added', () => {
    const file = sealed();
    for (let length = 0; length < file.length; length++) {
      expect([length, codeOf(() => unseal(file.slice(0, length)))]).toEqual([length, 'E_STATE']);
      if (length >= 32) expect([length, codeOf(() => unseal(rehashed(file.slice(0, length))))]).toEqual([length, 'E_STATE']);
    }
    expect(codeOf(() => unseal(concat(file, Uint8Array.of(0))))).toBe('E_STATE');
    expect(codeOf(() => unseal(rehashed(concat(file, Uint8Array.of(0)))))).toBe('E_STATE');
  });

  it('is refused for another purpose, even with the header rewritten', () => {
    const file = sealed();
    const other = 'keys/treasury/epoch-2/share.sealed';
    expect(refusal(() => unseal(file, other)).message).toContain(`sealed as ${PURPOSE}`);
    const moved = withHeader(file, canonical({ purpose: other, suite: 'xchacha20poly1305-hkdf-sha256' }));
    expect(refusal(() => unseal(moved, other)).message).toContain('altered');
  });

  it('is refused under another key; the commitment tells so without decrypting', () => {
    const other = Secret.fromRandom(random, 32);
    const parsed = parseSealed(sealed(), PURPOSE, FILE);
    expect([isSealedUnder(parsed, key), isSealedUnder(parsed, other)]).toEqual([true, false]);
    expect(refusal(() => open(sodium, other, parsed)).message).toContain('another home');
  });

  it('is bounded in size on both sides', () => {
    expect(codeOf(() => seal(sodium, key, PURPOSE, new Uint8Array(MAX_PLAINTEXT + 1), random))).toBe('E_TOO_LARGE');
    const largest = seal(sodium, key, PURPOSE, new Uint8Array(MAX_PLAINTEXT), random, { ...REHEARSAL, salt: random(16) });
    expect(largest.length).toBeLessThanOrEqual(MAX_SEALED);
    expect(unseal(largest)).toHaveLength(MAX_PLAINTEXT);
    expect(codeOf(() => parseSealed(new Uint8Array(MAX_SEALED + 1), PURPOSE, FILE))).toBe('E_STATE');
  });
});

describe('a hostile header', () => {
  const salt = '00'.repeat(16);
  const kdf = { memory: REHEARSAL.memory, name: 'argon2id', passes: 3, salt };
  const base = { purpose: PURPOSE, suite: 'xchacha20poly1305-hkdf-sha256' };
  const headers: readonly (readonly [string, Json])[] = [
    ['8 GiB of memory', { ...base, kdf: { ...kdf, memory: 8 * 1024 ** 3 } }],
    ['just above the ceiling', { ...base, kdf: { ...kdf, memory: 1024 ** 3 + 1024 } }],
    ['2^53 - 1 bytes', { ...base, kdf: { ...kdf, memory: Number.MAX_SAFE_INTEGER } }],
    ['below the floor', { ...base, kdf: { ...kdf, memory: 4 * 1024 ** 2 } }],
    ['negative memory', { ...base, kdf: { ...kdf, memory: -REHEARSAL.memory } }],
    ['no whole KiB', { ...base, kdf: { ...kdf, memory: REHEARSAL.memory + 1 } }],
    ['11 passes', { ...base, kdf: { ...kdf, passes: 11 } }],
    ['no pass', { ...base, kdf: { ...kdf, passes: 0 } }],
    ['another function', { ...base, kdf: { ...kdf, name: 'scrypt' } }],
    ['a short salt', { ...base, kdf: { ...kdf, salt: '00' } }],
    ['salt in upper case', { ...base, kdf: { ...kdf, salt: 'AA'.repeat(16) } }],
    ['memory as text', { ...base, kdf: { ...kdf, memory: '268435456' } }],
    ['a missing field', { ...base, kdf: { memory: kdf.memory, name: kdf.name, passes: 3 } }],
    ['a further field', { ...base, more: 1 }],
    ['a further field of the cost', { ...base, kdf: { ...kdf, lanes: 4 } }],
    ['kdf null', { ...base, kdf: null }],
    ['kdf a list', { ...base, kdf: [] }],
    ['another suite', { ...base, suite: 'none' }],
    ['no purpose', { suite: base.suite }],
    ['a list', []],
    ['null', null],
  ];
  it.each(headers)('with %s is refused when it is parsed, where no key can be derived yet', (_, header) => {
    const error = refusal(() => parseSealed(withHeader(sealed(), canonical(header)), PURPOSE, FILE));
    expect([error.code, error.facts.file]).toEqual(['E_STATE', FILE]);
  });

  it.each([
    ['spaces', `{ "purpose":"${PURPOSE}","suite":"${base.suite}"}`],
    ['a duplicate field', `{"purpose":"x","purpose":"${PURPOSE}","suite":"${base.suite}"}`],
    ['wrong order', `{"suite":"${base.suite}","purpose":"${PURPOSE}"}`],
    ['__proto__', `{"__proto__":{"kdf":1},"purpose":"${PURPOSE}","suite":"${base.suite}"}`],
    ['no JSON', 'x'],
    ['depth', '['.repeat(500) + ']'.repeat(500)],
  ])('with %s is refused', (_, text) => {
    expect(codeOf(() => parseSealed(withHeader(sealed(), text), PURPOSE, FILE))).toBe('E_STATE');
  });

  it('with a length beyond the file or the limit is refused', () => {
    const file = sealed();
    for (const length of [0, 1024, 1025, 65_535]) {
      const bomb = rehashed(concat(file.subarray(0, 5), Uint8Array.of(length >> 8, length & 0xff), file.subarray(7)));
      expect(codeOf(() => parseSealed(bomb, PURPOSE, FILE))).toBe('E_STATE');
    }
  });
});
