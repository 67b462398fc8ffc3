/** Purposes, intents, sessions and further attempts. Row 54 of the attack table; SGN-05, 11, 12, 16, 19. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { epochCertificate, stockPath } from '../../src/ceremony/key-store.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import { encodePlanFile, parsePlanFile } from '../../src/plan/plan-file.ts';
import { sessionId, type SignPlan } from '../../src/plan/plan.ts';
import { parseIntent } from '../../src/policy/intent.ts';
import { NONCE, SHARE } from '../../src/protocols/frost-sign.ts';
import { ABANDON_BODY, closingOf } from '../../src/protocols/machine.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { Cosigner } from '../support/cosigner.ts';
import { expectNothingReleased } from '../support/expect.ts';
import type { Table } from '../support/harness.ts';
import { keyTable, live, otherIntent, replanted, spent, stocked } from '../support/signing.ts';

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

describe('row 54 a key in two roles', () => {
  test.each<[string, ErrorCode, (key: SignPlan['key']) => SignPlan['key']]>([
    ['another scheme', 'E_SCOPE', (k) => ({ ...k, scheme: 'frost-ristretto255' })],
    ['another key id', 'E_SCOPE', (k) => ({ ...k, id: '00'.repeat(16) })],
    ['another certificate', 'E_CERTIFICATE', (k) => ({ ...k, certificate: '00'.repeat(32) })],
    ['another epoch', 'E_EPOCH', (k) => ({ ...k, epoch: 2 })],
    ['a key that nobody has', 'E_UNKNOWN_KEY', (k) => ({ ...k, name: 'petty-cash' })],
  ])('row 54 the plan names %s', async (_, code, change) => {
    const run = await stocked(table, { live: true });
    table.restore('key');
    const planted = await replanted(run, (p) => ({ ...p, key: change(p.key) }));
    await planted.settle();
    for (const n of ['alice', 'carol']) {
      expect(planted.code(n)).toBe(code);
      expect(planted.file(n, `round-1/${n}.blob`)).toBeUndefined();
    }
  });

  test.each<[string, ErrorCode, object]>([
    ['another algorithm', 'E_KEY_PURPOSE', { algorithm: 'frost-ristretto255' }],
    ['another key', 'E_SCOPE', { keyId: '00'.repeat(16) }],
    ['another key by the name that people read', 'E_SCOPE', { keyName: 'petty-cash' }],
    ['another epoch', 'E_EPOCH', { keyEpoch: 2 }],
    ['production', 'E_REHEARSAL', { mode: 'production' }],
    ['a derived key of a scheme that has none', 'E_PATH', { path: 'm/0/5' }],
  ])('row 54 the intent is for %s: no share', async (_, code, over) => {
    const run = await stocked(table, { live: true });
    table.restore('key');
    const { bytes, hash } = otherIntent(table, 'mallory', over);
    const planted = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes });
    await planted.settle();
    for (const n of ['alice', 'carol']) {
      expect(planted.code(n)).toBe(code);
      expect(planted.file(n, `round-1/${n}.blob`)).toBeUndefined();
    }
  });
});

describe('intents', () => {
  test('an intent is single use: after its signature the same intent is refused in any plan', async () => {
    const run = await stocked(table);
    await run.settle();
    const again = await replanted(run, (p) => ({ ...p, participants: p.participants.map(({ stock: _, ...x }) => x) }) as SignPlan);
    await again.settle();
    for (const n of ['alice', 'carol']) expect(again.code(n)).toBe('E_INTENT_SEEN');
    const claims = await replanted(run, (p) => ({ ...p, previous: toHex(sessionId(run.plan)), attempt: 2, participants: p.participants.map(({ stock: _, ...x }) => x) }) as SignPlan);
    await claims.settle();
    for (const n of ['alice', 'carol']) expect(claims.code(n)).toBe('E_INTENT_SEEN');
  });

  test('an intent that expires between joining and the share: no share, no nonce burnt', async () => {
    const run = await live(table);
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    const before = table.clock;
    table.clock = new Date(before.getTime() + 2 * 86_400_000);
    await run.next('alice');
    table.clock = before;
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_INTENT_EXPIRED', 20]);
    expectNothingReleased(run, 'alice');
    expect(spent(table, 'alice')).toEqual([]);
    // the refusal is on the record (AUD-05)
    expect(run.store('alice')?.journal.some((e) => e.payload.kind === 'refused' && e.payload.code === 'E_INTENT_EXPIRED')).toBe(true);
  });

  test('an intent of somebody who is not of this key', async () => {
    const run = await stocked(table, { live: true });
    table.restore('key');
    const { identity } = table.party('mallory');
    const { bytes, hash } = otherIntent(table, 'mallory', { initiator: { name: 'dave', identity: toHex(identity.signer.publicKey) } });
    const planted = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes });
    await planted.settle();
    for (const n of ['alice', 'carol']) expect(planted.code(n)).toBe('E_INITIATOR');
  });

  test('an intent in the name of alice, signed by mallory', async () => {
    const { identity } = table.party('alice');
    const bytes = table.intent('mallory', 'pay 5000 to mallory', { initiator: { name: 'alice', identity: toHex(identity.signer.publicKey) } });
    expect(() => parseIntent(bytes, 'intent.json')).toThrow(expect.objectContaining({ code: 'E_INITIATOR_SIG' }));
  });

  test.each<[string, (text: string) => string]>([
    ['a repeated field', (t) => t.replace('"keyEpoch":1', '"keyEpoch":1,"keyEpoch":2')],
    ['another order', (t) => t.replace(/^\{"intent":(.*),"signature":("[0-9a-f]*")\}$/, '{"signature":$2,"intent":$1}')],
    ['a space', (t) => t.replace(':', ': ')],
    ['an unknown field', (t) => t.replace('"keyEpoch":1', '"keyEpoch":1,"note":1')],
    ['a number written otherwise', (t) => t.replace('"keyEpoch":1', '"keyEpoch":1.0')],
  ])('SGN-12 an intent with %s is refused', (_, change) => {
    const text = Buffer.from(table.intent('alice', 'pay')).toString();
    const changed = change(text);
    expect(changed).not.toBe(text);
    expect(() => parseIntent(utf8(changed), 'intent.json')).toThrow(CeremonyError);
  });
});

describe('messages of other sessions', () => {
  test('SGN-05 a share of another session is no message of this one', async () => {
    const run = await stocked(table);
    const other = await stocked(table, { message: 'another', live: true });
    await other.next('carol');
    run.write('alice', 'round-2/carol.blob', other.file('carol', 'round-1/carol.blob') as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expect(run.error('alice').message).toContain('another ceremony');
    // and the right one is taken when it comes
    await run.next('carol');
    run.carry(['carol', 'alice']);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
  });

  test('SGN-11 an altered byte, a swapped sender: refused, nobody is blamed, the good file helps', async () => {
    const run = await stocked(table);
    await run.next('carol');
    const good = run.file('carol', 'round-2/carol.blob') as Uint8Array;
    for (const at of [0, 5, 17, 18, 20, 40, 60, good.length - 1]) {
      const bad = good.slice();
      bad[at] = (bad[at] as number) ^ 1;
      run.write('alice', 'round-2/carol.blob', bad);
      await run.next('alice');
      expect(['E_SIGNATURE', 'E_FORMAT', 'E_VERSION']).toContain(run.code('alice'));
      expect(run.error('alice').facts.participant).toBeUndefined();
    }
    run.write('alice', 'round-2/carol.blob', good);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
  });

  test('SGN-12 replay and reordering: the same message under many names and in many places counts once', async () => {
    const run = await stocked(table);
    await run.next('carol');
    const blob = run.file('carol', 'round-2/carol.blob') as Uint8Array;
    for (const path of ['a.jsonl', 'round-1/z.blob', 'round-9/alice.blob', 'x/y']) run.write('alice', path, blob);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
  });
});

describe('SGN-16 further attempts', () => {
  test('SGN-16 stall: --again with others completes; the late message of the old attempt is refused', async () => {
    const run = await live(table);
    const mallory = new Cosigner(run, 'mallory');
    const again = await table.sign({
      honest: ['alice', 'carol'],
      intentFile: join(run.folder('alice'), 'intent.json'),
      previous: { sid: toHex(sessionId(run.plan)), attempt: 1 },
    });
    // mallory wakes up: its nonce of the first attempt arrives in both folders
    run.say('mallory', NONCE, mallory.nonce());
    again.write('alice', 'round-1/mallory.blob', run.file('alice', 'round-1/mallory.blob') as Uint8Array);
    await again.settle();
    expect([again.code('alice'), again.code('carol')]).toEqual(['DONE', 'DONE']);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_INTENT_SEEN', 20]);
    expectNothingReleased(run, 'alice');
  });

  test('SGN-16 a refusal ends the attempt without a share', async () => {
    const run = await live(table);
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    run.say('mallory', SHARE, ABANDON_BODY);
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_ABORTED', 'mallory']);
    expect(closingOf(run.store('alice')?.ownBlob(SHARE)?.body as Uint8Array)).toBe('abandon');
    expect(existsSync(join(table.party('alice').home.root, (run.store('alice') as CeremonyStore).secretPath('for-2')))).toBe(false);
  });

  test('SGN-16 a refusal of a plan from stock destroys the nonce that it names', async () => {
    const run = await table.sign({ honest: ['carol'], cheats: ['mallory'], lead: 'carol', live: true });
    run.say('mallory', SHARE, ABANDON_BODY);
    await run.settle();
    expect(run.code('carol')).toBe('E_ABORTED');
    expect(existsSync(join(table.party('carol').home.root, stockPath('treasury', 1, 0)))).toBe(true);
  });
});

test('SGN-19 the plan file of a joined signing is exchanged: E_PLAN_CHANGED, and GOV-01 E_ROSTER_HASH', async () => {
  const run = await stocked(table, { live: true });
  await run.next('carol');
  const plan = await parsePlanFile(run.file('carol', 'PLAN.yaml') as Uint8Array, 'PLAN.yaml') as SignPlan;
  run.write('carol', 'PLAN.yaml', await encodePlanFile({ ...plan, attempt: 2 }));
  await run.next('carol');
  expect(run.code('carol')).toBe('E_PLAN_CHANGED');
  run.write('carol', 'PLAN.yaml', await encodePlanFile({ ...plan, participants: plan.participants.map((p) => ({ ...p, homeId: '00'.repeat(16) })) }));
  await run.next('carol');
  expect(run.code('carol')).toBe('E_ROSTER_HASH');
  expect(epochCertificate(table.party('carol').home, 'treasury', 1)).toBeDefined();
});
