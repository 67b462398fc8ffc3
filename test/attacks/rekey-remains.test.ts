/**
 * What must not outlive an epoch, and what must: half-made signings, one-time keys, and a confirmed share that waits for
 * the epoch that counts. Rows 40, 44, 62; rules C4, C6, P4.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { givenOn, takeUp } from '../../src/ceremony/bystander.ts';
import { lockHome } from '../../src/ceremony/home.ts';
import { pendingEpochs, requireKey, sharePath } from '../../src/ceremony/key-store.ts';
import { endKey } from '../../src/ceremony/supersede.ts';
import { isKeying } from '../../src/plan/plan.ts';
import { type Statement, statementBytes } from '../../src/transcript/statement.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { canonicalBytes } from '../../src/wire/canon.ts';
import { refresh, reshare } from '../support/redealer.ts';
import { Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const OLD = ['alice', 'bob', 'carol', 'dave'];
let table: Table;
beforeAll(async () => {
  table = await Table.open([...OLD, 'ea', 'eb', 'fa', 'fb']);
  await (await table.dkg({ quorum: `2-of(${OLD.join(', ')})`, honest: OLD, stock: 1 })).settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const at = (label: string, path: string): boolean => existsSync(join(table.party(label).home.root, path));
/** Sealed files of ceremonies, by their path in the home. */
const sealed = (label: string): string[] =>
  readdirSync(join(table.party(label).home.root, 'ceremonies'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.sealed'));

test('row 44 a signing under way: its nonces are destroyed when the next epoch is activated', async () => {
  const signing = await table.sign({ honest: ['alice', 'bob'], live: true, message: 'half made' });
  expect(sealed('alice').length).toBeGreaterThan(0);
  await (await refresh(table, { honest: OLD })).settle();
  expect(requireKey(table.party('alice').home, 'treasury').epoch.number).toBe(2);
  expect([sealed('alice'), sealed('bob')]).toEqual([[], []]);
  for (let i = 0; i < 3; i++) {
    signing.carry();
    for (const n of signing.honest) await signing.next(n);
  }
  expect(signing.honest.map((n) => [n, signing.file(n, `round-2/${n}.blob`)])).toEqual([['alice', undefined], ['bob', undefined]]);
});

test('rule P4 a key that was ended leaves nothing that opens an attempt under way', async () => {
  const run = await refresh(table, { honest: OLD });
  const { plan } = run;
  const own = isKeying(plan) ? plan.participants.find((p) => p.name === 'bob') : undefined;
  const prekey = `identity/prekeys/${String(own?.prekey.n)}.sealed`;
  await run.next('bob');
  expect(at('bob', prekey)).toBe(true);
  const { home, identity } = table.party('bob');
  expect(endKey(home, requireKey(home, 'treasury'), 'an auditor', 'elsewhere', identity.signer, table.clock)).toEqual([1]);
  expect([at('bob', prekey), at('bob', sharePath('treasury', 1)), sealed('bob')]).toEqual([false, false, []]);
  for (let i = 0; i < 2; i++) {
    run.carry();
    for (const n of OLD) await run.next(n);
  }
  expect(run.code('bob')).toBe('E_RETIRED');
});

test('row 40 an old copy: what is half made of a signing goes with its stocks when the home is renewed', async () => {
  await table.sign({ honest: ['alice', 'bob'], live: true, message: 'half made' });
  expect(sealed('alice').length).toBeGreaterThan(0);
  lockHome(table.party('alice').home, 'an older copy', table.clock);
  table.clock = new Date(table.clock.getTime() + 1000);
  table.renew('alice');
  expect(sealed('alice')).toEqual([]);
});

test('statements of destruction: those of holders are kept, one each; strangers, junk and what is too large are not, and stop nobody', async () => {
  const run = await refresh(table, { honest: OLD });
  await run.settle();
  for (const n of OLD) await run.next(n);
  const stranger = Buffer.from(run.file('alice', 'destroyed/bob.json') as Uint8Array).toString().replace(/"owner":"bob"/, '"owner":"eve"');
  for (let i = 0; i < 5; i++) run.write('alice', `destroyed/x${String(i)}.json`, Buffer.from(stranger));
  run.write('alice', 'destroyed/large.json', new Uint8Array(200_000).fill(0x20));
  const { signer } = table.party('ea').identity;
  const honest = JSON.parse(Buffer.from(run.file('alice', 'destroyed/bob.json') as Uint8Array).toString()) as Statement;
  const { sig: _sig, ...fields } = { ...honest, owner: 'ea', identity: toHex(signer.publicKey) };
  run.write('alice', 'destroyed/ea.json', canonicalBytes({ ...fields, sig: toHex(signer.sign(statementBytes(fields))) }));
  await run.next('alice');
  expect(run.code('alice')).toBe('DONE');
  const kept = readdirSync(join(table.party('alice').home.root, 'keys/treasury/epoch-2/statements'));
  expect(kept.sort()).toEqual(OLD.map((n) => `${toHex(table.party(n).identity.signer.publicKey)}.json`).sort());
});

test('rule C4 two epochs of one rank: the share that waits for the one that counts is not destroyed by the other', async () => {
  const a = await reshare(table, { honest: ['alice', 'bob', 'ea', 'eb'] }, { quorum: '2-of(alice, bob, ea, eb)', dealers: [['alice', 'alice'], ['bob', 'bob']] });
  const b = await reshare(table, { honest: ['carol', 'dave', 'fa', 'fb'] }, { quorum: '2-of(carol, dave, fa, fb)', dealers: [['carol', 'carol'], ['dave', 'dave']] });
  const sid = (run: Run): string => toHex(run.session.sid);
  const [high, low] = sid(a) > sid(b) ? [a, b] : [b, a];
  const who = high.honest[0] as string;
  for (let i = 0; i < 2; i++) {
    high.carry();
    for (const n of high.honest) await high.next(n);
  }
  const { home, port } = table.party(who);
  expect(pendingEpochs(home, 'treasury')).toEqual([2]);
  await low.settle();
  const folder = low.folder(low.honest[0] as string);
  const plan = await givenOn(home, folder);
  if (!plan) throw new Error('nothing was given on');
  await expect(takeUp(home, plan, folder, port)).rejects.toMatchObject({ code: 'E_EPOCH' });
  expect([at(who, sharePath('treasury', 1)), at(who, sharePath('treasury', 2))]).toEqual([true, true]);
  await high.settle();
  expect([high.code(who), requireKey(home, 'treasury').epoch.session, at(who, sharePath('treasury', 2))]).toEqual(['DONE', sid(high), true]);
});
