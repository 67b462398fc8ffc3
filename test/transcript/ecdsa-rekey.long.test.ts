/** The record of a reshare of an ECDSA key: receivers commit beside the deals, and one dealer leaves with its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Table } from '../support/harness.ts';
import { reshare } from '../support/redealer.ts';
import type { Run } from '../support/run.ts';
import { bytesOf, faults, type Folder, folderOf, verify, withFiles } from './fixture.ts';
import { ScriptRunner } from './script-runner.ts';

let table: Table;
let run: Run;
let folder: Folder;
beforeAll(async () => {
  table = await Table.open(['alice', 'bob', 'carol']);
  await (await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: 'all-of(alice, bob)', honest: ['alice', 'bob'] })).settle();
  run = await reshare(table, { honest: ['alice', 'bob', 'carol'] }, { quorum: 'all-of(alice, carol)', dealers: [['alice', 'alice'], ['bob', 'bob']] });
  await run.settle();
  folder = await folderOf(run);
});
afterAll(() => {
  table.close();
});

describe('a reshare of an ECDSA key', () => {
  it('verifies, by this program and by VERIFY.txt', async () => {
    expect(run.honest.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
    expect([...folder.keys()].filter((p) => p.endsWith('.blob')).sort()).toEqual(
      ['round-1/alice', 'round-1/bob', 'round-1/carol', 'round-2/alice', 'round-2/carol', 'round-3/alice', 'round-3/carol', 'round-4/alice', 'round-4/carol'].map((p) => `${p}.blob`),
    );
    const result = await verify(folder);
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(result.checks.find((c) => c.name === 'proofs')?.text).toMatch(/of 2 dealings hold, each of the very share.*zero-knowledge proofs recomputed/);
    const script = new ScriptRunner();
    const said = await script.run(folder);
    expect([said.exit, said.wrong, said.missing]).toEqual([0, [], []]);
    script.close();
  });

  it.each(['round-1/bob.blob', 'round-1/carol.blob', 'round-2/carol.blob', 'round-3/alice.blob', 'round-4/carol.blob'])('%s missing, and changed', async (path) => {
    const without = await verify(withFiles(folder, { [path]: undefined }));
    expect([without.verdict, without.checks.filter((c) => c.verdict !== 'ok').map((c) => c.text).join('\n')]).toEqual(['cannot-tell', expect.stringContaining(`bring ${path}`)]);
    const bytes = bytesOf(folder, path);
    const changed = await verify(withFiles(folder, { [path]: bytes.map((b, i) => (i === bytes.length >> 1 ? b ^ 1 : b)) }));
    expect([changed.verdict, faults(changed).filter((l) => l.includes('['))]).toEqual(['wrong', []]);
  });
});
