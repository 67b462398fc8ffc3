import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { openHome, sweepHome } from '/work/main/src/ceremony/home.ts';
import { openIdentity } from '/work/main/src/ceremony/identity.ts';
import { realDisk } from '/work/main/src/vault/durable.ts';
import { Secret } from '/work/main/src/vault/secret.ts';
import { PASSPHRASE, random, Table } from '/work/main/test/support/harness.ts';
import { files } from '/work/main/test/e2e/support.ts';
import { statSync } from 'node:fs';
it('puzzle', { timeout: 600000 }, async () => {
  class Killed extends Error {}
  let writes = 0, end = Infinity;
  const disk = realDisk({ onWrite: () => { writes += 1; if (writes === end) throw new Killed(); } });
  const table = await Table.open(['alice', 'bob']);
  table.clock = new Date();
  for (const label of ['alice', 'bob']) {
    const home = openHome(disk, join(table.root, 'homes', label));
    const identity = await openIdentity(home, new Secret(Buffer.from(PASSPHRASE)), random);
    table.parties.set(label, { name: label, home, identity, port: { ...table.party(label).port, disk, unlock: () => Promise.resolve(identity) } });
  }
  const run = await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: 'all-of(alice,bob)', honest: ['alice', 'bob'], stock: 1 });
  const root = (l: string) => join(table.root, 'homes', l);
  const listing = (l: string) => [...files(root(l)), ...files(run.folder(l))].map((f) => `${relative(table.root, f).replace(/[0-9a-f]{8,}/g, '#')} ${f.endsWith('.jsonl') ? '' : String(statSync(f).size)}`).sort();
  for (const W of [3, 5, 7])
  for (let i = 0; i < 1; i++) console.log('W', W);
  const W = Number(process.env['W'] ?? '5');
  for (let visit = 0; visit < 8; visit++) {
    const label = ['bob', 'alice'][visit % 2] as string;
    run.carry();
    let n = W, kills = 0; const log: string[] = [];
    for (;;) {
      const before = listing(label).join('\n');
      [writes, end] = [0, n];
      let killed = false;
      try { sweepHome(table.party(label).home); const o = await run.next(label); if (o.error) console.log(label, o.error.code); } catch (e) { if (!(e instanceof Killed)) throw e; killed = true; } finally { end = Infinity; }
      if (!killed) break;
      kills += 1;
      const now = listing(label);
      const set = new Set(before.split('\n'));
      const fresh = now.filter((x) => !set.has(x));
      const goneNames = before.split('\n').filter((x) => !now.includes(x));
      log.push(`n=${n} +[${fresh.join(', ')}] -[${goneNames.join(', ')}]`);
      n = now.join('\n') === before ? n + W : W;
      if (kills > 14) { console.log(`visit ${visit} ${label}: STUCK\n${log.slice(-8).join('\n')}`); break; }
    }
    console.log(`visit ${visit} ${label}: ${kills} kills, ${run.code(label)}`);
    if (kills > 14) await run.next(label);
  }
  table.close();
  expect(1).toBe(1);
});
