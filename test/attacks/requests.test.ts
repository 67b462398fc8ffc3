/** What signers are asked to sign, and with which nonces. Rows 23, 39, 46, 50 of the attack table; SGN-01, SGN-06. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../../src/ceremony/engine.ts';
import { nextStockIndex, requireKey } from '../../src/ceremony/key-store.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import { group } from '../../src/curves/group.ts';
import { encodePlanFile } from '../../src/plan/plan-file.ts';
import type { SignPlan } from '../../src/plan/plan.ts';
import { NONCE, SHARE, shareBody } from '../../src/protocols/frost-sign.ts';
import type { Disk } from '../../src/vault/durable.ts';
import { concat, toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { Cosigner } from '../support/cosigner.ts';
import { expectEvidence, expectNothingReleased } from '../support/expect.ts';
import { random, type Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { ALL, keyTable, live, otherIntent, replanted, sharesOf, spent, stocked } from '../support/signing.ts';

let table: Table;
beforeAll(async () => {
  table = await keyTable(4);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const ed = group('ed25519');

describe('row 39 one nonce pair, one request', () => {
  test('row 39 second message: the stocked nonce of an earlier plan, another message', async () => {
    const run = await stocked(table);
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
    const { bytes, hash } = otherIntent(table);
    const again = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
    await again.settle();
    for (const name of ['alice', 'carol']) {
      expect([again.code(name), again.error(name).exit]).toEqual(['E_NONCE_BURNED', 24]);
      expect(sharesOf(again, name)).toEqual([]);
    }
  });

  test('row 39 row 50 two plans at once over one stocked nonce: the second is refused by every honest signer', async () => {
    const run = await stocked(table);
    const { bytes, hash } = otherIntent(table);
    const second = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
    // carol is shown the second plan first, alice has answered the first
    await second.next('carol');
    await second.next('alice');
    await run.settle();
    expect(second.code('alice')).toBe('E_NONCE_BURNED');
    expect(run.code('carol')).toBe('E_NONCE_BURNED');
    // one share of each at most, no signature
    expect([sharesOf(run, 'alice').length + sharesOf(second, 'alice').length, sharesOf(run, 'carol').length + sharesOf(second, 'carol').length]).toEqual([1, 1]);
    expect(run.file('alice', 'signature.bin') ?? second.file('carol', 'signature.bin')).toBeUndefined();
  });

  test('SGN-07 a signer refuses a plan that uses another signer’s stocked nonce again', async () => {
    const run = await stocked(table);
    await run.settle();
    const { bytes, hash } = otherIntent(table);
    const stock = requireKey(table.party('carol').home, 'treasury').confirms[2]?.confirm.stock as readonly Uint8Array[];
    // carol's own nonce is fresh; that of alice, whose home may have been put back, is not
    const fresh = { index: 1, commitment: toHex(stock[1] as Uint8Array) };
    const again = await replanted(run, (p) => ({ ...p, intent: hash, participants: p.participants.map((x) => (x.name === 'carol' ? { ...x, stock: fresh } : x)) }), { 'intent.json': bytes });
    await again.next('carol');
    expect([again.code('carol'), again.error('carol').facts.participant]).toEqual(['E_NONCE_BURNED', 'alice']);
    expect(sharesOf(again, 'carol')).toEqual([]);
  });

  test('SGN-06 crash between burning and sending: the same request gets the same share', async () => {
    const run = await live(table);
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    const first = await crash(run, (path) => path.endsWith('journal.jsonl'), (path) => path.endsWith('out/2.blob'));
    expect(spent(table, 'alice')).toHaveLength(1);
    expect(run.file('alice', 'round-2/alice.blob')).toBeUndefined();
    await run.next('alice');
    const body = run.store('alice')?.ownBlob(SHARE)?.body as Uint8Array;
    expect(toHex(body)).toBe(toHex(first.slice(1 + 16 + 2 + 4 + 32, -64)));
    run.say('mallory', SHARE, mallory.share(run.messages()));
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
  });

  test('SGN-06 crash between burning and sending: any other request is refused', async () => {
    const run = await live(table);
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await crash(run, (path) => path.endsWith('out/2.blob'));
    expect(spent(table, 'alice')).toHaveLength(1);
    // the home loses what it had received, and mallory sends another nonce
    rmSync(join((run.store('alice') as CeremonyStore).dir, 'in', '1-2.blob'));
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_NONCE_BURNED', 24]);
    expect(sharesOf(run, 'alice')).toEqual([]);
  });

  /** Steps alice until a write whose path fits fails; returns what was written to the other path before. */
  async function crash(run: Run, at: (path: string) => boolean, watch?: (path: string) => boolean): Promise<Uint8Array> {
    const { home, port } = table.party('alice');
    let seen = new Uint8Array(0);
    const disk: Disk = {
      ...home.disk,
      write: (path, bytes, opts) => {
        if (at(path) && (watch === undefined || seen.length > 0)) throw new CeremonyError('E_IO', 'the power went off');
        home.disk.write(path, bytes, opts);
        if (watch?.(path) === true) seen = bytes.slice();
      },
    };
    const store = CeremonyStore.byPlace({ ...home, disk }, run.folder('alice'), undefined) as CeremonyStore;
    await expect(step(store, run.folder('alice'), { ...port, disk })).rejects.toThrow('the power went off');
    return seen;
  }
});

describe('row 46 different requests for different signers', () => {
  test('row 46 two plans under one name: the messages do not fit each other, nobody is blamed', async () => {
    const run = await table.sign({ honest: ['alice', 'carol'], live: true });
    const { bytes, hash } = otherIntent(table);
    const other = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
    await other.next('carol');
    run.write('alice', 'round-1/carol.blob', other.file('carol', 'round-1/carol.blob') as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expectNothingReleased(run, 'alice');
  });

  test('row 46 the intent in the folder is not the one of the plan', async () => {
    const run = await table.sign({ honest: ['alice', 'carol'] });
    run.write('carol', 'intent.json', otherIntent(table).bytes);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_INTENT_HASH', 20]);
    expect(sharesOf(run, 'carol')).toEqual([]);
  });

  test('row 46 a message beside the intent is replaced', async () => {
    const big = 'x'.repeat(30_000);
    const intentFile = join(table.root, 'runs', 'big.json');
    const bytes = table.intent('alice', big, { payload: { kind: 'message', size: big.length, sha256: toHex(sha256(utf8(big))) } });
    writeFileSync(intentFile, bytes);
    writeFileSync(`${intentFile}.message`, big);
    const run = await table.sign({ honest: ['alice', 'carol'], intentFile });
    run.write('carol', 'message.bin', utf8(`${big.slice(1)}y`));
    await run.next('carol');
    expect(run.code('carol')).toBe('E_INTENT_HASH');
    run.write('carol', 'message.bin', utf8(big));
    await run.settle();
    expect([run.code('alice'), run.code('carol')]).toEqual(['DONE', 'DONE']);
  });

  test('row 46 from stock: a share for another request than the plan’s names its sender', async () => {
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'] });
    run.say('mallory', SHARE, shareBody(random(32), new Uint8Array(32)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_REQUEST', 'mallory']);
    await expectEvidence(run, 'alice', 'E_REQUEST', 'mallory');
  });

  test('row 46 THR-10 E_VIEW: with fresh nonces a share for another request blames nobody, and the nonce is burnt', async () => {
    const run = await live(table);
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    run.say('mallory', SHARE, shareBody(random(32), new Uint8Array(32)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').exit, run.error('alice').facts.participant]).toEqual(['E_VIEW', 23, undefined]);
    await expectEvidence(run, 'alice', 'E_VIEW', undefined);
    expect(spent(table, 'alice')).toHaveLength(1);
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });

  test('row 35 two nonce commitments, shown one after the other', async () => {
    const run = await live(table);
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_EQUIVOCATION', 'mallory']);
    await expectEvidence(run, 'alice', 'E_EQUIVOCATION', 'mallory');
    expect(sharesOf(run, 'alice')).toHaveLength(1);
  });
});

describe('row 50 commitment lists', () => {
  test('row 50 ROS: a rushing copy of the honest commitment is refused before any share', async () => {
    // copying proves nothing about who came first: refused, and nobody is blamed
    const run = await live(table);
    run.say('mallory', NONCE, run.messages().get(NONCE)?.get(1)?.body as Uint8Array);
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expectNothingReleased(run, 'alice');
    expect(spent(table, 'alice')).toEqual([]);
  });

  test.each<[string, ErrorCode, (p: SignPlan) => SignPlan]>([
    ['permuted', 'E_NONCE_BURNED', (p) => withStock(p, (s) => [s[1], s[0]])],
    ['duplicated', 'E_NONCE_BURNED', (p) => withStock(p, (s) => [s[0], s[0]])],
    ['of another index', 'E_NONCE_BURNED', (p) => withStock(p, (s) => [{ ...s[0], index: 3 } as never, s[1]])],
    ['never stocked', 'E_NONCE_BURNED', (p) => withStock(p, (s) => [{ index: 0, commitment: toHex(concat(ed.encodePoint(ed.base), ed.encodePoint(ed.multiply(ed.base, 2n)))) }, s[1]])],
    ['beyond the stock', 'E_NONCE_BURNED', (p) => withStock(p, (s) => [{ ...s[0], index: 999 } as never, s[1]])],
    ['there for one signer only', 'E_PLAN_FIELD', (p) => withStock(p, (s) => [s[0], undefined])],
    ['with a seat that the key does not have', 'E_ROSTER_HASH', (p) => ({ ...p, participants: p.participants.map((x, i) => (i === 1 ? { ...x, leaf: 9 } : x)) })],
  ])('row 50 the commitments of the plan are %s: refused before any share', async (_, code, change) => {
    const run = await stocked(table);
    table.restore('key');
    const planted = await replanted(run, change);
    await planted.settle();
    for (const name of ['alice', 'carol']) {
      expect([planted.code(name), planted.error(name).exit === 20 || planted.error(name).exit === 24]).toEqual([code, true]);
      expect(sharesOf(planted, name)).toEqual([]);
      expect(spent(table, name)).toEqual([]);
      expect(nextStockIndex(table.party(name).home, 'treasury', 1, 'alice')).toBe(0);
    }
  });
  type Stock = SignPlan['participants'][number]['stock'];
  function withStock(plan: SignPlan, change: (s: Stock[]) => Stock[]): SignPlan {
    const stock = change(plan.participants.map((p) => p.stock));
    return { ...plan, participants: plan.participants.map(({ stock: _, ...p }, i) => (stock[i] ? { ...p, stock: stock[i] } : p)) } as SignPlan;
  }
});

describe('row 23 and SGN-01: who signs', () => {
  type Seat = SignPlan['participants'][number];
  test.each<[string, ErrorCode, (p: Seat[]) => unknown[]]>([
    ['id 0', 'E_PLAN_FIELD', (p) => [{ ...p[0], leaf: 0 }, p[1]]],
    ['a negative id', 'E_PLAN_FIELD', (p) => [{ ...p[0], leaf: -1 }, p[1]]],
    ['an id above 64', 'E_PLAN_FIELD', (p) => [p[0], { ...p[1], leaf: 65 }]],
    ['a fraction', 'E_PLAN_FIELD', (p) => [{ ...p[0], leaf: 1.5 }, p[1]]],
    ['two equal ids', 'E_ROSTER_ORDER', (p) => [p[0], { ...p[1], leaf: 1 }]],
    ['ids of each other', 'E_ROSTER_ORDER', (p) => [{ ...p[0], leaf: 3 }, { ...p[1], leaf: 1 }]],
    ['the id of an absent participant', 'E_ROSTER_HASH', (p) => [{ ...p[0], leaf: 2 }, p[1]]],
    ['one signer twice', 'E_SEAT_DUP', (p) => [p[0], { ...p[0], leaf: 3 }]],
    ['one signer (SGN-01)', 'E_PLAN_FIELD', (p) => [p[0]]],
    ['no signer (row 57)', 'E_PLAN_FIELD', () => []],
  ])('row 23 a signing plan with %s is refused before round 1', async (_, code, change) => {
    const run = await stocked(table, { live: true });
    table.restore('key');
    const plan = { ...(run.plan as SignPlan), nonce: toHex(random(32)), participants: change((run.plan as SignPlan).participants) };
    const planted = await table.plant(run.plan, ['alice'], { 'intent.json': run.file('alice', 'intent.json') as Uint8Array });
    planted.write('alice', 'PLAN.yaml', await encodePlanFile(plan as never));
    await planted.next('alice');
    expect([planted.code('alice'), planted.error('alice').exit]).toEqual([code, 20]);
    expect(planted.files('alice')).toEqual(expect.arrayContaining(['PLAN.yaml', 'intent.json']));
    expect(planted.files('alice')).toHaveLength(2);
  });

  test('SGN-01 fewer than the quorum E_QUORUM, more E_QUORUM_SURPLUS', async () => {
    expect((await table.sign({ honest: ['alice'], signers: ['alice'] })).code('alice')).toBe('E_QUORUM');
    expect((await table.sign({ honest: ['alice'], signers: ALL })).code('alice')).toBe('E_QUORUM_SURPLUS');
    expect((await table.sign({ honest: ['alice'], signers: ['alice', 'dave'] })).code('alice')).toBe('E_QUORUM');
  });

  test('SGN-01 a lead that adds a signer to the plan: refused by the others', async () => {
    const run = await stocked(table, { live: true });
    table.restore('key');
    const { roster } = requireKey(table.party('alice').home, 'treasury').epoch;
    const { name, identity, homeId } = roster[1] as { name: string; identity: string; homeId: string };
    const planted = await replanted(run, (p) => ({ ...p, participants: [p.participants[0], { name, identity, homeId, leaf: 2 }, p.participants[1]] }) as SignPlan);
    await planted.settle();
    for (const n of ['alice', 'carol']) expect(planted.code(n)).toBe('E_QUORUM_SURPLUS');
  });
});
