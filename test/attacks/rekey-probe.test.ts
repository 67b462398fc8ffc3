import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { prekeyState } from '../../src/ceremony/identity.ts';
import type { ResharePlan } from '../../src/plan/plan.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { ABANDON_BODY, refusalBody } from '../../src/protocols/machine.ts';
import { Redealer, refresh, replantRekey, reshare, standing } from '../support/redealer.ts';
import { Table } from '../support/harness.ts';
import { givenOn, takeUp } from '../../src/ceremony/bystander.ts';

const ALL = ['alice', 'mallory', 'carol'];
let table: Table;
beforeAll(async () => {
  table = await Table.open([...ALL, 'dave', 'eve']);
  const key = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: ALL, stock: 2 });
  await key.settle();
  table.save('key');
});
afterAll(() => table.close());
beforeEach(() => table.restore('key'));

test('honest refresh and reshare', async () => {
  const run = await refresh(table, { honest: ALL });
  await run.settle();
  expect(ALL.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  const next = await reshare(table, { honest: [...ALL, 'dave'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  await next.settle();
  expect([...ALL, 'dave'].map((n) => next.code(n))).toEqual(['DONE', 'DONE', 'DONE', 'DONE']);
  expect(standing(table, 'mallory')).toMatchObject({ epoch: 3, share: false });
});
test('a: the lead gives the seat of carol to another identity', async () => {
  const model = await reshare(table, { honest: ['alice'], cheats: ['mallory', 'carol'], lead: 'mallory' }, { dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  const eve = table.party('eve').home.facts;
  const { ownCard } = await import('../../src/ceremony/home.ts');
  const card = ownCard(table.party('eve').home);
  const { makePrekey } = await import('../../src/sharing/make-prekey.ts');
  const made = makePrekey({ owner: 'carol', homeId: eve.homeId, n: 7 }, (n) => new Uint8Array(n).fill(7));
  const run = await replantRekey(model, (plan) => ({ ...plan, participants: plan.participants.map((p) => (p.name === 'carol' ? { ...p, identity: card.ed25519, homeId: eve.homeId, x25519: card.x25519, prekey: { n: 7, P: toHex(made.P), pop: toHex(made.pop) } } : p)) }), ['alice'], model.file('mallory', 'base/certificate.json'));
  await run.next('alice');
  console.log('a', run.code('alice'), run.last.get('alice')?.error?.message);
});
test('b: newcomer after a jump of rank', async () => {
  const model = await refresh(table, { honest: ALL });
  for (const n of ALL) table.renew(n);
  table.restore('key');
  const run = await replantRekey(model, (plan) => ({ ...plan, rank: 1001 }), ALL);
  await run.settle();
  console.log('b refresh', ALL.map((n) => run.code(n)), standing(table, 'alice'));
  const next = await reshare(table, { honest: [...ALL, 'dave'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  await next.settle();
  console.log('b', [...ALL, 'dave'].map((n) => next.code(n)));
});
test('c: prekeys of a superseded attempt', async () => {
  const first = await refresh(table, { honest: ['alice', 'carol'], cheats: ['mallory'] });
  const n1 = (first.plan as ResharePlan).participants[0]?.prekey.n as number;
  await first.settle();
  const m = new Redealer(first, 'mallory');
  first.say('mallory', 1, m.deal());
  await first.settle();
  console.log('c first', ['alice', 'carol'].map((n) => first.code(n)));
  const second = await reshare(table, { honest: ['alice', 'carol', 'dave'] }, { replace: [['mallory', 'dave']], dealers: [['alice', 'alice'], ['carol', 'carol']] });
  await second.settle();
  console.log('c second', ['alice', 'carol', 'dave'].map((n) => second.code(n)), second.last.get('alice')?.error?.message);
  console.log('c prekey of the first', prekeyState(table.party('alice').home, n1), table.party('alice').home.disk.exists(join(table.party('alice').home.root, `identity/prekeys/${n1}.sealed`)), standing(table, 'alice'));
});
test('d: leaving dealer shown a refusal', async () => {
  const run = await reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'] }, { quorum: '2-of(carol, mallory, dave)', dealers: [['alice', 'alice'], ['carol', 'carol']] });
  await run.settle(['alice', 'carol', 'dave']);
  const m = new Redealer(run, 'mallory');
  run.say('mallory', 2, refusalBody('E_POP', 1), ['alice']);
  await run.next('alice');
  console.log('d alice', run.code('alice'));
  run.say('mallory', 2, await m.confirm(m.messages('carol')), ['carol', 'dave']);
  for (const x of ['carol', 'dave', 'carol', 'dave']) { run.carry(['carol', 'dave']); await run.next(x); }
  console.log('d others', run.code('carol'), run.code('dave'), run.last.get('dave')?.error?.message);
  for (const f of run.files('carol')) run.write('alice', f, run.file('carol', f) as Uint8Array);
  await run.next('alice');
  console.log('d alice', run.code('alice'), standing(table, 'alice'), await givenOn(table.party('alice').home, run.folder('alice')) !== undefined);
  void takeUp; void ABANDON_BODY;
});
test('e: 3-of-3', async () => {
  const run = await reshare(table, { honest: ALL }, { quorum: '3-of(alice, mallory, carol)' });
  await run.settle();
  console.log('e', ALL.map((n) => run.code(n)));
});
