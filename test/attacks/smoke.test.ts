import { afterAll, beforeAll, expect, test } from 'vitest';
import { Dealer } from '../support/dealer.ts';
import { expectAbort } from '../support/expect.ts';
import { Table } from '../support/harness.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
let table: Table;
beforeAll(async () => { const t=performance.now(); table = await Table.open(['alice', 'mallory', 'carol']); console.log('open', performance.now()-t) });
afterAll(() => table.close());
test('honest', async () => {
  const t=performance.now();
  const run = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: ['alice', 'mallory', 'carol'] });
  await run.settle();
  expect(run.honest.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  console.log('dkg', performance.now()-t)
  const s = await table.sign({ honest: ['alice', 'carol'] });
  await s.settle();
  expect(s.honest.map((n) => s.code(n))).toEqual(['DONE', 'DONE']);
  console.log('sign', performance.now()-t)
});
test('cheat', async () => {
  table.restore('fresh');
  const t=performance.now();
  const run = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: ['alice', 'carol'], cheats: ['mallory'] });
  const d = new Dealer(run, 'mallory');
  run.say('mallory', COMMIT, d.commit());
  await run.settle();
  d.salt[0]! ^= 1;
  run.say('mallory', DEAL, d.deal(run.messages()));
  await run.settle();
  console.log('cheat', performance.now()-t)
  expectAbort(run, 'E_COMMIT', 'mallory');
});
