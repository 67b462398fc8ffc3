/** What is lost, and what is not, when homes are lost or shares are stolen. REC-01, DKG-08, DKG-12, SGN-01. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { rmSync } from 'node:fs';
import { loadShare, requireKey } from '../../src/ceremony/key-store.ts';
import { group } from '../../src/curves/group.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { decodeTree } from '../../src/sharing/tree.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { fromHex, Reader, toHex } from '../../src/wire/bytes.ts';
import { Dealer } from '../support/dealer.ts';
import { expectAbort } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';

const FIVE = ['alice', 'mallory', 'carol', 'dave', 'erin'];
const QUORUM = `3-of(${FIVE.join(', ')})`;
let table: Table;
beforeAll(async () => {
  table = await Table.open(FIVE);
  const run = await table.dkg({ quorum: QUORUM, honest: FIVE });
  await run.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const g = group('ed25519');
const share = (name: string): bigint => {
  const { home, identity } = table.party(name);
  return g.decodeScalar(loadShare(identity.vault, requireKey(home, 'treasury')));
};
/** Value at 0 of the polynomial of lowest degree through these points. */
function interpolate(points: ReadonlyMap<number, bigint>, at = 0n): bigint {
  // moving the points by −at makes the value at `at` the constant
  const q = g.order;
  let sum = 0n;
  for (const [i, y] of points) {
    let [num, den] = [1n, 1n];
    for (const j of points.keys()) if (j !== i) [num, den] = [(num * (((at - BigInt(j)) % q) + q)) % q, (den * (((BigInt(i - j) % q) + q) % q)) % q];
    sum = (sum + y * num * power(den, q - 2n, q)) % q;
  }
  return sum;
}
function power(base: bigint, e: bigint, q: bigint): bigint {
  let out = 1n;
  for (; e > 0n; e >>= 1n, base = (base * base) % q) if (e & 1n) out = (out * base) % q;
  return out;
}

test('REC-01 two of five lost for good: the other three sign', async () => {
  for (const lost of ['mallory', 'erin']) rmSync(table.party(lost).home.root, { recursive: true });
  const run = await table.sign({ honest: ['alice', 'carol', 'dave'] });
  await run.settle();
  expect(run.honest.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
});

test('SGN-01 every quorum of three signs, no two do', async () => {
  for (const signers of [['alice', 'mallory', 'erin'], ['mallory', 'carol', 'dave']]) {
    const run = await table.sign({ honest: signers });
    await run.settle();
    expect(run.honest.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  }
  expect((await table.sign({ honest: ['alice', 'mallory'] })).code('alice')).toBe('E_QUORUM');
});

test('DKG-12 two shares of a 3-of-5 fit every secret, three fit one', () => {
  const [one, two, three] = ['alice', 'mallory', 'carol'].map(share) as [bigint, bigint, bigint];
  const { publicKey } = requireKey(table.party('alice').home, 'treasury').epoch;
  for (let i = 0; i < 5; i++) {
    const any = g.randomScalar(random);
    const line = new Map([[0, any], [1, one], [2, two]]);
    expect(interpolate(line, 1n)).toBe(one);
    expect(interpolate(line, 2n)).toBe(two);
    expect(interpolate(line, 0n)).toBe(any);
  }
  const secret = interpolate(new Map([[1, one], [2, two], [3, three]]));
  expect(toHex(g.encodePoint(g.multiply(g.base, secret)))).toBe(publicKey);
});

test('DKG-12 the public record commits to the polynomial and gives no value of it', () => {
  const { tree, quorum } = requireKey(table.party('alice').home, 'treasury').epoch;
  const points = decodeTree(g, parseQuorum(quorum), true, new Reader(fromHex(tree)));
  const scalars = FIVE.map((n) => toHex(g.encodeScalar(share(n))));
  for (const s of scalars) expect(tree).not.toContain(s);
  expect(points.gates.get('')).toHaveLength(2);
});

test('DKG-08 row 21 in a 3-of-5 all four honest abort, name 2, and keep nothing', async () => {
  for (const n of FIVE) table.renew(n);
  const honest = FIVE.filter((n) => n !== 'mallory');
  const run = await table.dkg({ name: 'second', quorum: QUORUM, honest, cheats: ['mallory'] });
  const dealer = new Dealer(run, 'mallory');
  dealer.treeBytes = new Uint8Array([...dealer.treeBytes, ...dealer.treeBytes.slice(0, 32)]);
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  run.say('mallory', DEAL, dealer.deal(run.messages()));
  await run.settle();
  await expectAbort(run, 'E_DEALING', 'mallory');
  // without the one who is named it succeeds
  for (const n of honest) table.renew(n);
  const again = await table.dkg({ name: 'second', quorum: '3-of(alice, carol, dave, erin)', honest });
  await again.settle();
  expect(honest.map((n) => again.code(n))).toEqual(['DONE', 'DONE', 'DONE', 'DONE']);
});
