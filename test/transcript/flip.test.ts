/** No byte of a finished record can be changed without spoiling it. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { walkChain } from '../../src/transcript/chain.ts';
import { ceremonyId } from '../../src/wire/blob.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { Dealer } from '../support/dealer.ts';
import { Table } from '../support/harness.ts';
import { bytesOf, DERIVED, finishedCeremonies, type Fixture, type Folder, folderOf, verify, withFiles } from './fixture.ts';

let f: Fixture;
beforeAll(async () => {
  f = await finishedCeremonies();
});
afterAll(() => {
  f.table.close();
});

/** One change of one file: a byte exchanged, taken out or put in. */
const change = fc.record({ kind: fc.constantFrom('flip', 'flip', 'flip', 'delete', 'insert', 'cut'), file: fc.nat(), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) });

function apply(folder: Folder, { kind, file, at, value }: { kind: string; file: number; at: number; value: number }): { path: string; offset: number; folder: Folder } {
  const paths = [...folder.keys()].filter((p) => !DERIVED.includes(p));
  const path = paths[file % paths.length] as string;
  const bytes = bytesOf(folder, path);
  const offset = at % bytes.length;
  const changed =
    kind === 'flip'
      ? bytes.map((b, i) => (i === offset ? b ^ value : b))
      : kind === 'delete'
        ? new Uint8Array([...bytes.slice(0, offset), ...bytes.slice(offset + 1)])
        : kind === 'insert'
          ? new Uint8Array([...bytes.slice(0, offset), value, ...bytes.slice(offset)])
          : bytes.slice(0, offset);
  return { path, offset, folder: withFiles(folder, { [path]: changed }) };
}

it.each(['dkg', 'sign'] as const)('any change of any byte of a finished %s is never ok, and blames nobody', async (which) => {
  const folder = which === 'dkg' ? f.dkgFolder : f.signFolder;
  expect((await verify(folder)).verdict).toBe('ok');
  await fc.assert(
    fc.asyncProperty(change, async (c) => {
      const { path, offset, folder: changed } = apply(folder, c);
      const { verdict, checks } = await verify(changed);
      // cut at the end of a line, a transcript only lacks its tail
      const tail = c.kind === 'cut' && path.endsWith('.jsonl') && bytesOf(folder, path)[offset - 1] === 0x0a;
      if (!tail && verdict !== 'wrong') throw new Error(`${verdict}: ${c.kind} ${path} at ${String(offset)}`);
      const culprits = checks.filter((k) => k.culprit !== undefined);
      if (culprits.length > 0) throw new Error(`${path} at ${String(offset)}: ${JSON.stringify(culprits)}`);
    }),
    { numRuns: 150 },
  );
});

it('any change of any byte of a cheated ceremony is never ok, and blames nobody but the cheat', async () => {
  const table = await Table.open(['alice', 'mallory', 'carol']);
  try {
    const run = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: ['alice', 'carol'], cheats: ['mallory'] });
    run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
    await run.settle();
    run.say('mallory', DEAL, new Dealer(run, 'mallory').deal(run.messages()));
    await run.settle();
    const folder = await folderOf(run);
    expect([...folder.keys()].some((p) => p.startsWith('evidence/'))).toBe(true);
    await fc.assert(
      fc.asyncProperty(change, async (c) => {
        const { path, offset, folder: changed } = apply(folder, c);
        const { verdict, checks } = await verify(changed);
        if (verdict === 'ok') throw new Error(`ok: ${c.kind} ${path} at ${String(offset)}`);
        const others = checks.filter((k) => k.culprit !== undefined && k.culprit !== 'mallory');
        if (others.length > 0) throw new Error(`${path} at ${String(offset)}: ${JSON.stringify(others)}`);
      }),
      { numRuns: 150 },
    );
  } finally {
    table.close();
  }
});

it('every byte of a chain, changed in three ways, ends the reading', () => {
  const owner = { author: 'alice', identity: f.dkg.seat('alice').identity, ceremony: ceremonyId(f.dkg.session.sid) };
  const bytes = bytesOf(f.dkgFolder, 'transcript/alice.jsonl');
  expect([...walkChain(bytes, owner)]).toHaveLength(5);
  for (let i = 0; i < bytes.length; i++)
    for (const mask of [0x01, 0x20, 0x80]) {
      const changed = Uint8Array.from(bytes);
      changed[i] = (changed[i] as number) ^ mask;
      let entries = 0;
      let refused = false;
      try {
        for (const _ of walkChain(changed, owner)) entries += 1;
      } catch {
        refused = true;
      }
      if (!refused) throw new Error(`byte ${String(i)} ^ ${String(mask)}: ${String(entries)} entries were accepted`);
    }
});
