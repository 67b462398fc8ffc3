/** A signer who is a cheat: nonces, shares, randomness. Rows 35, 46, 47, 48, 57 of the attack table; SGN-13, SGN-18. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { group } from '../../src/curves/group.ts';
import { NONCE, requestOf, SHARE, shareBody } from '../../src/protocols/frost-sign.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { Cosigner, signingContext } from '../support/cosigner.ts';
import { expectAbort, expectEvidence } from '../support/expect.ts';
import { random, type Table } from '../support/harness.ts';
import { bothNonces, keyTable, live, stocked } from '../support/signing.ts';

let table: Table;
beforeAll(async () => {
  table = await keyTable(4);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const ed = group('ed25519');

describe('a wrong share (SGN-13)', () => {
  test.each<[string, (good: Uint8Array) => Uint8Array]>([
    ['one bit off', (b) => concat(b.slice(0, 40), Uint8Array.of((b[40] as number) ^ 1), b.slice(41))],
    ['zero', (b) => concat(b.slice(0, 33), new Uint8Array(32))],
    ['all ones', (b) => concat(b.slice(0, 33), new Uint8Array(32).fill(255))],
  ])('SGN-13 wrong share: %s: no signature, the culprit is named', async (_, change) => {
    const run = await live(table);
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    run.say('mallory', SHARE, change(mallory.share(bothNonces(run))));
    await run.settle();
    await expectAbort(run, 'E_SHARE', 'mallory');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });

  test('row 48 scalar plus q in a signature share', async () => {
    const run = await live(table);
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    const good = mallory.share(bothNonces(run));
    const s = ed.decodeScalar(good.slice(33)) + ed.order;
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 255n));
    run.say('mallory', SHARE, concat(good.slice(0, 33), bytes));
    await run.settle();
    await expectAbort(run, 'E_SHARE', 'mallory');
  });

  test.each<[string, (good: Uint8Array) => Uint8Array]>([
    ['cut off', (b) => b.slice(0, 60)],
    ['too long', (b) => concat(b, Uint8Array.of(0))],
    ['a complaint, which signing does not know', (b) => concat(Uint8Array.of(2), b.slice(1))],
    ['of an unknown kind', (b) => concat(Uint8Array.of(77), b.slice(1))],
    ['empty (row 57)', () => new Uint8Array(0)],
  ])('SGN-13 a share message that is %s', async (_, change) => {
    const run = await live(table);
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    run.say('mallory', SHARE, change(mallory.share(bothNonces(run))));
    await run.settle();
    await expectAbort(run, 'E_FORMAT', 'mallory');
  });

  test('SGN-13 THR-07 a share with another key share (row 33: of another epoch) names its owner', async () => {
    const run = await live(table);
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    const good = mallory.share(bothNonces(run));
    // z + λ·c for x + 1: what an old or altered share gives
    run.say('mallory', SHARE, concat(good.slice(0, 33), ed.encodeScalar((ed.decodeScalar(good.slice(33)) + 12345n) % ed.order)));
    await run.settle();
    await expectAbort(run, 'E_SHARE', 'mallory');
  });

  test('SGN-13 from stock: a wrong share after the honest one is out gives no signature and names the culprit', async () => {
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'] });
    const request = signingContext(run, 'mallory');
    run.say('mallory', SHARE, shareBody(requestOf(request, new Map()).hash, new Uint8Array(32)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_SHARE', 'mallory']);
    await expectEvidence(run, 'alice', 'E_SHARE', 'mallory');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });
});

describe('row 47 nonce commitments', () => {
  const G = (k: bigint): Uint8Array => ed.encodePoint(ed.multiply(ed.base, k));
  const torsion = new Uint8Array(32);
  const shifted = ed.encodePoint(ed.decodePoint(G(7n)).add(ed.decodePointFast(torsion)));
  test.each<[string, ErrorCode, Uint8Array]>([
    ['the identity', 'E_POINT', concat(Uint8Array.of(1, ...new Uint8Array(31)), G(5n))],
    ['off the curve', 'E_POINT', concat(G(5n), Uint8Array.of(2, ...new Uint8Array(31)))],
    ['of small order', 'E_POINT', concat(torsion, G(5n))],
    ['with a small-order part', 'E_POINT', concat(G(5n), shifted)],
    ['not canonical', 'E_POINT', concat(new Uint8Array(Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex')), G(5n))],
    ['one point', 'E_FORMAT', G(5n)],
    ['empty (row 57)', 'E_FORMAT', new Uint8Array(0)],
  ])('row 47 a nonce commitment that is %s', async (_, code, body) => {
    const run = await live(table);
    run.say('mallory', NONCE, body);
    await run.settle();
    await expectAbort(run, code, 'mallory');
  });
});

test('SGN-18 R reuse: a nonce point that was seen under another request stops the signature', async () => {
  const run = await stocked(table);
  await run.next('carol');
  run.carry();
  const signature = run.file('carol', 'signature.bin') as Uint8Array;
  expect(run.code('carol')).toBe('DONE');
  const { home } = table.party('alice');
  const dir = join(home.root, 'keys/treasury/nonce-points');
  home.disk.makeDir(dir);
  home.disk.write(join(dir, toHex(sha256(signature.slice(0, 32))).slice(0, 32)), random(32));
  rmSync(join(run.folder('alice'), 'signature.bin'));
  await run.next('alice');
  expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_R_REUSE', 24]);
  expect(run.file('alice', 'signature.bin')).toBeUndefined();
});
