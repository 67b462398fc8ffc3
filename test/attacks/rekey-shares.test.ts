/**
 * What captured shares are worth after a refresh or reshare: fewer than a quorum of one epoch, with any number of another,
 * give nothing (REF-02, RSH-03).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadShare, requireKey } from '../../src/ceremony/key-store.ts';
import { group, type Group } from '../../src/curves/group.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { minimalQuorums } from '../../src/sharing/quorum-facts.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { Table } from '../support/harness.ts';
import { refresh, reshare } from '../support/redealer.ts';

const NAMES = ['alice', 'bob', 'carol', 'dave'];
const g: Group = group('ed25519');

/** Shares of everybody in the active epoch, by name. */
function shares(table: Table, names: readonly string[]): Map<string, bigint> {
  return new Map(
    names.map((n) => {
      const { home, identity } = table.party(n);
      return [n, g.decodeScalar(loadShare(identity.vault, requireKey(home, 'treasury')))];
    }),
  );
}
/** The public key that a minimal quorum would have with these shares. */
function recombined(quorum: string, who: readonly string[], share: (name: string) => bigint): string {
  const q = parseQuorum(quorum);
  const leaves = q.leaves.filter((l) => who.includes(l.name));
  const c = recombination(q, leaves, g.order);
  const x = leaves.reduce((sum, l) => (sum + (c.get(l.id) as bigint) * share(l.name)) % g.order, 0n);
  return x === 0n ? 'identity' : toHex(g.encodePoint(g.multiply(g.base, x)));
}
/** Every way of taking each member's share from one of several epochs. */
function* mixtures(who: readonly string[], epochs: number): Generator<Map<string, number>> {
  for (let i = 0; i < epochs ** who.length; i++) yield new Map(who.map((n, k) => [n, Math.floor(i / epochs ** k) % epochs]));
}

describe.each([
  ['flat', '2-of(alice, bob, carol)', ['alice', 'bob', 'carol']],
  ['nested', '2-of(alice, bob, 2-of(carol, dave))', NAMES],
])('%s quorum', (_, quorum, names) => {
  let table: Table;
  beforeAll(async () => {
    table = await Table.open(NAMES);
    const key = await table.dkg({ quorum, honest: names });
    await key.settle();
    table.save('key');
  });
  afterAll(() => {
    table.close();
  });

  test('REF-02 shares of two or three epochs, in any mixture, are not the key; those of one epoch are', async () => {
    const publicKey = requireKey(table.party('alice').home, 'treasury').epoch.publicKey;
    const epochs = [shares(table, names)];
    for (let i = 0; i < 2; i++) {
      const run = await refresh(table, { honest: names });
      await run.settle();
      expect(requireKey(table.party('alice').home, 'treasury').epoch).toMatchObject({ number: i + 2, publicKey });
      epochs.push(shares(table, names));
    }
    // no share stays what it was
    for (const n of names) expect(new Set(epochs.map((e) => e.get(n))).size).toBe(3);
    let mixed = 0;
    for (const who of minimalQuorums(parseQuorum(quorum).root))
      for (const mixture of mixtures(who, 3)) {
        const pure = new Set(mixture.values()).size === 1;
        mixed += pure ? 0 : 1;
        const key = recombined(quorum, who, (n) => epochs[mixture.get(n) as number]?.get(n) as bigint);
        expect([[...mixture], key === publicKey]).toEqual([[...mixture], pure]);
      }
    expect(mixed).toBeGreaterThan(0);
  });

  test('RSH-03 shares of the old and of the new quorum, under either’s weights, are not the key', async () => {
    table.restore('key');
    const { publicKey } = requireKey(table.party('alice').home, 'treasury').epoch;
    const old = shares(table, names);
    // one who stays under another number, one who is new or gone
    const next = quorum.startsWith('2-of(alice, bob, carol') ? '2-of(dave, carol, bob)' : '2-of(dave, 2-of(bob, alice), carol)';
    const after = parseQuorum(next).leaves.map((l) => l.name);
    const run = await reshare(table, { honest: NAMES }, { quorum: next });
    await run.settle();
    expect([...new Set([...names, ...after])].map((n) => run.code(n)).every((c) => c === 'DONE')).toBe(true);
    expect(requireKey(table.party('carol').home, 'treasury').epoch.publicKey).toBe(publicKey);
    const now = shares(table, after);
    for (const q of [quorum, next])
      for (const who of minimalQuorums(parseQuorum(q).root))
        for (const mixture of mixtures(who, 2)) {
          const share = (n: string): bigint | undefined => (mixture.get(n) === 0 ? old : now).get(n);
          if (who.some((n) => share(n) === undefined)) continue;
          const right = q === quorum ? [...mixture.values()].every((e) => e === 0) : [...mixture.values()].every((e) => e === 1);
          expect([q, [...mixture], recombined(q, who, (n) => share(n) as bigint) === publicKey]).toEqual([q, [...mixture], right]);
        }
  });
});
