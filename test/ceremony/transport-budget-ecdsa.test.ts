/** What routes cost, as told before the day, against real ceremonies of an ECDSA key. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blobBytes, sizedPlan } from '../../src/plan/sizes.ts';
import { fragmentFor } from '../../src/qr/code.ts';
import { urSender } from '../../src/qr/ur.ts';
import { relayReady } from '../../src/relay/relay-key.ts';
import { expectBudget, expectSizes, trust } from '../support/carrying.ts';
import { Table } from '../support/harness.ts';

const THREE = ['alice', 'bob', 'carol'];
let table: Table;
beforeAll(async () => {
  await relayReady();
  table = await Table.open(THREE);
  trust(table);
});
afterAll(() => {
  table.close();
});

test('ECDSA: key generation 2-of-3 with a stock, presigning, signing from each stock', async () => {
  const key = await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: '2-of(alice, bob, carol)', honest: THREE, stock: 1 });
  await expectBudget(key, 'alice');
  expectSizes(key.plan, key.messages(), { commit: 3, deal: 3, prove: 3, confirm: 3 });
  const stocked = await table.sign({ honest: ['alice', 'bob'] });
  await stocked.settle();
  expectSizes(stocked.plan, stocked.messages(), { convert: 2, sum: 2, share: 2 });
  const presign = await table.presign({ honest: ['alice', 'bob'], count: 1 });
  await expectBudget(presign, 'alice');
  expectSizes(presign.plan, presign.messages(), { offer: 2, convert: 2, sum: 2 });
  const online = await table.sign({ honest: ['alice', 'bob'], message: 'second' });
  await expectBudget(online, 'alice');
  expectSizes(online.plan, online.messages(), { share: 2 });
  // an online ECDSA message in one code of version 10 at most
  expect(urSender(new Uint8Array(blobBytes(sizedPlan(online.plan), 'share', 1)), fragmentFor(10, 'low', blobBytes(sizedPlan(online.plan), 'share', 1))).count).toBe(1);
});
