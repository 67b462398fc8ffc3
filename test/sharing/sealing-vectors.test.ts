/** Sealed dealings that another implementation of the sealing made (test/vectors/README.md): the bytes mean the same. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { group, type GroupName } from '../../src/curves/group.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { receiveShares } from '../../src/sharing/open.ts';
import { verifyPrekeyPop } from '../../src/sharing/prekey.ts';
import { verifyDealings } from '../../src/sharing/verify-dealings.ts';
import { fromHex, toHex } from '../../src/wire/bytes.ts';
import { faultsOf, mustPass } from './support.ts';

interface Known {
  quorum: string;
  homeId: string;
  rounds: { group: GroupName; sid: string; keys: { secret: string; P: string; pop: string }[]; dealings: [number, string][]; shares: string[] }[];
}

const known = JSON.parse(readFileSync(new URL('../vectors/sealing.json', import.meta.url), 'utf8')) as Known;

describe.each(known.rounds)('$group', ({ group: name, sid, keys, dealings, shares }) => {
  const quorum = parseQuorum(known.quorum);
  const round = { sid: fromHex(sid), kind: 'dkg' as const, group: group(name), quorum, prekeys: keys.map((k) => fromHex(k.P)) };
  const bytes = new Map(dealings.map(([dealer, hex]) => [dealer, fromHex(hex)]));

  test('the proofs of the prekeys hold', () => {
    quorum.leaves.forEach((leaf, i) => {
      const { P, pop } = keys[i] as (typeof keys)[0];
      expect(verifyPrekeyPop({ owner: leaf.name, homeId: known.homeId, n: 1 }, fromHex(P), fromHex(pop))).toBe(true);
      expect(verifyPrekeyPop({ owner: leaf.name, homeId: known.homeId, n: 2 }, fromHex(P), fromHex(pop))).toBe(false);
    });
  });

  test('the dealings pass, and every box opens to its sub-share', () => {
    const verdict = mustPass(verifyDealings(round, bytes));
    quorum.leaves.forEach((leaf, i) => {
      const { secret, P } = keys[i] as (typeof keys)[0];
      const got = receiveShares({ round: verdict, leaf, prekey: { secret: fromHex(secret), P: fromHex(P) } });
      expect(got.ok && toHex(got.share)).toBe(shares[i]);
    });
  });

  test('of another session they do not pass', () => {
    expect(faultsOf(verifyDealings({ ...round, sid: new Uint8Array(32) }, bytes)).length).toBe(5);
  });
});
