import { expect, test } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { PREKEY_BYTES, PREKEY_PROOF_BYTES, verifyPrekeyPop } from '../../src/sharing/prekey.ts';
import { concat, equalBytes } from '../../src/wire/bytes.ts';
import { seeded } from './support.ts';

const id = { owner: 'alice', homeId: '00112233', n: 7 };
// the group of sealing by another library than the code under test
const g = group('ristretto255');

test('a prekey proves its possession to its owner, home and counter alone', () => {
  const { secret, P, pop } = makePrekey(id, seeded('a'));
  expect([secret.length, P.length, pop.length]).toEqual([32, PREKEY_BYTES, PREKEY_PROOF_BYTES]);
  expect(equalBytes(g.encodePoint(g.multiply(g.base, g.decodeScalar(secret))), P)).toBe(true);
  expect(verifyPrekeyPop(id, P, pop)).toBe(true);
  for (const other of [{ ...id, owner: 'bob' }, { ...id, homeId: '00112234' }, { ...id, n: 8 }])
    expect(verifyPrekeyPop(other, P, pop)).toBe(false);
});

test('every altered byte, every other length, the identity and foreign proofs fail', () => {
  const { P, pop } = makePrekey(id, seeded('a'));
  const other = makePrekey(id, seeded('b'));
  expect(verifyPrekeyPop(id, other.P, pop)).toBe(false);
  expect(verifyPrekeyPop(id, P, other.pop)).toBe(false);
  for (let i = 0; i < 64; i++) {
    const bad = pop.slice();
    bad[i] = (bad[i] as number) ^ 1;
    expect(verifyPrekeyPop(id, P, bad)).toBe(false);
    if (i >= 32) continue;
    const badP = P.slice();
    badP[i] = (badP[i] as number) ^ 1;
    expect(verifyPrekeyPop(id, badP, pop)).toBe(false);
  }
  for (const bad of [pop.slice(1), concat(pop, Uint8Array.of(0)), new Uint8Array(64), new Uint8Array(0)])
    expect(verifyPrekeyPop(id, P, bad)).toBe(false);
  for (const bad of [P.slice(1), concat(P, Uint8Array.of(0)), new Uint8Array(32), new Uint8Array(32).fill(255)])
    expect(verifyPrekeyPop(id, bad, pop)).toBe(false);
  // a response z + q is another encoding of the same scalar
  const z = BigInt(`0x${Buffer.from(pop.slice(32)).reverse().toString('hex')}`) + g.order;
  const shifted = Buffer.from(z.toString(16).padStart(64, '0'), 'hex').reverse();
  expect(verifyPrekeyPop(id, P, concat(pop.slice(0, 32), new Uint8Array(shifted)))).toBe(false);
});

test('a source that repeats gives other nonces for other prekeys', () => {
  const stuck = (length: number): Uint8Array => new Uint8Array(length).fill(9);
  const [a, b] = [makePrekey(id, stuck), makePrekey({ ...id, n: 8 }, stuck)];
  expect(equalBytes(a.P, b.P)).toBe(true);
  expect(equalBytes(a.pop.slice(0, 32), b.pop.slice(0, 32))).toBe(false);
});
