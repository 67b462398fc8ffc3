import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/vault/secret.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { codeOf } from './support.ts';

const CANARY = 'LEAKCANARY-0123456789';

describe('Secret', () => {
  it('never prints', () => {
    const secret = new Secret(utf8(CANARY));
    const error = new Error(`failed with ${String(secret)}`, { cause: secret });
    const shown = [
      String(secret),
      `${secret as unknown as string}`,
      '' + (secret as unknown as string),
      JSON.stringify(secret),
      JSON.stringify({ nested: [secret] }),
      inspect(secret, { showHidden: true, depth: 9 }),
      inspect({ nested: new Map([['key', secret]]) }, { showHidden: true, depth: 9 }),
      inspect(error, { depth: 9 }),
      format('%s %o %O %j %d', secret, secret, secret, secret, secret),
      Object.keys(secret).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
      inspect(structuredClone(secret)),
    ].join('\n');
    const hex = Buffer.from(CANARY).toString('hex');
    for (const needle of [CANARY, hex, [...utf8(CANARY)].join(), [...utf8(CANARY)].slice(0, 4).join(', ')])
      expect(shown).not.toContain(needle);
    expect(String(secret)).toBe('[secret]');
    expect(JSON.stringify(secret)).toBe('"[secret]"');
    expect(inspect(secret)).toBe('[secret]');
  });

  it('lends its bytes, and is of no use after wiping', () => {
    const bytes = utf8(CANARY);
    const secret = new Secret(bytes);
    expect(secret.use((b) => b.length)).toBe(CANARY.length);
    secret.wipe();
    expect(bytes.every((b) => b === 0)).toBe(true);
    expect(codeOf(() => secret.use((b) => b))).toBe('E_INTERNAL');
    expect(String(secret)).toBe('[secret]');
    secret.wipe();
  });

  it('comes from the random source it is given', () => {
    const secret = Secret.fromRandom((n) => new Uint8Array(n).fill(7), 4);
    expect(secret.use((b) => [...b])).toEqual([7, 7, 7, 7]);
  });
});
