/** One courier with a folder, or a relay between every two: the ceremony is the same, to the last transcript entry (SGN-15). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Table } from '../support/harness.ts';
import { MemoryRelay, settleOver } from '../support/relayed.ts';
import type { Run } from '../support/run.ts';
import { Stage } from '../support/stage.ts';

const SIGNERS = ['alice', 'bob'];
let table: Table;
let begun: Stage;
beforeAll(async () => {
  table = await Table.open(['alice', 'bob', 'carol']);
  const keys = await table.dkg({ quorum: '2-of(alice,bob,carol)', honest: ['alice', 'bob', 'carol'], stock: 1 });
  await keys.settle();
  // from stock nothing is drawn any more: everything that follows is decided
  const run = await table.sign({ honest: ['alice'], signers: SIGNERS });
  (run as { honest: readonly string[] }).honest = SIGNERS;
  begun = new Stage(run, 'begun');
});
afterAll(() => table.close());

const heads = (run: Run): string[] => SIGNERS.map((name) => run.head(name));

it('the transcript heads are the same whether one stick goes round or a relay carries every message', async () => {
  const byStick = begun.back();
  await byStick.settle(SIGNERS);
  expect(SIGNERS.map((n) => byStick.code(n))).toEqual(['DONE', 'DONE']);
  const expected = heads(byStick);

  const byRelay = begun.back();
  await settleOver(byRelay, new MemoryRelay(), SIGNERS);
  expect(SIGNERS.map((n) => byRelay.code(n))).toEqual(['DONE', 'DONE']);
  expect(heads(byRelay)).toEqual(expected);
});
