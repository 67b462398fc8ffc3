import { describe, expect, it } from 'vitest';
import { argon2id } from '@noble/hashes/argon2.js';
import { acceptableCost, deriveKey, PRODUCTION, REHEARSAL } from '../../src/vault/kdf.ts';
import { Secret } from '../../src/vault/secret.ts';
import { loadSodium } from '../../src/wire/sodium.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { codeOf } from './support.ts';

describe('the key of a passphrase', () => {
  it('is what another implementation of Argon2id gives', async () => {
    const salt = utf8('0123456789abcdef');
    const key = deriveKey(await loadSodium(), new Secret(utf8('correct horse battery')), salt, REHEARSAL);
    const other = argon2id(utf8('correct horse battery'), salt, { t: REHEARSAL.passes, m: REHEARSAL.memory / 1024, p: 1, dkLen: 32 });
    expect(key.use(toHex)).toBe(toHex(other));
  });

  it('has bounds on its cost', async () => {
    const sodium = await loadSodium();
    // what protects a real home is a quarter of a gigabyte and three passes
    expect(PRODUCTION).toEqual({ memory: 256 * 1024 * 1024, passes: 3 });
    expect([acceptableCost(PRODUCTION), acceptableCost(REHEARSAL)]).toEqual([true, true]);
    expect(acceptableCost({ memory: 1024 ** 3, passes: 10 })).toBe(true);
    for (const cost of [
      { memory: 8 * 1024 ** 3, passes: 3 },
      { memory: PRODUCTION.memory, passes: 11 },
      { memory: REHEARSAL.memory - 1024, passes: 3 },
      { memory: PRODUCTION.memory, passes: 0 },
      { memory: NaN, passes: 3 },
      { memory: PRODUCTION.memory, passes: 3.5 },
    ]) {
      expect(acceptableCost(cost)).toBe(false);
      expect(codeOf(() => deriveKey(sodium, new Secret(utf8('x')), new Uint8Array(16), cost))).toBe('E_INTERNAL');
    }
  });
});
