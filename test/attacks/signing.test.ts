/**
 * Signing against a cheat who is a signer, the lead or the courier. Rows 39, 46, 47, 48, 50, 54 of the attack table;
 * SGN-01, 05, 06, 11, 12, 13, 16, 18, 19.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../../src/ceremony/engine.ts';
import { epochCertificate, nextStockIndex, requireKey, stockPath } from '../../src/ceremony/key-store.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import { group } from '../../src/curves/group.ts';
import { encodePlanFile, parsePlanFile } from '../../src/plan/plan-file.ts';
import { sessionId, type SignPlan } from '../../src/plan/plan.ts';
import { parseIntent } from '../../src/policy/intent.ts';
import { NONCE, requestOf, SHARE, shareBody } from '../../src/protocols/frost-sign.ts';
import { ABANDON_BODY, closingOf } from '../../src/protocols/machine.ts';
import type { Disk } from '../../src/vault/durable.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { concat, toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { Cosigner, signingContext } from '../support/cosigner.ts';
import { expectAbort, expectEvidence, expectNothingReleased } from '../support/expect.ts';
import { random, type Run, Table } from '../support/harness.ts';

const ALL = ['alice', 'mallory', 'carol'];
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
  const run = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: ALL, stock: 4 });
  await run.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const ed = group('ed25519');
const live = (over = {}): Promise<Run> => table.sign({ honest: ['alice'], cheats: ['mallory'], live: true, ...over });
const stocked = (over = {}): Promise<Run> => table.sign({ honest: ['alice', 'carol'], ...over });
const spent = (label: string): string[] => {
  const { home } = table.party(label);
  return home.disk.list(join(home.root, 'keys/treasury/epoch-1/spent'));
};
/** Every signature share that an honest participant has put into any folder, by nonce commitment. */
function shares(run: Run, name: string): string[] {
  const found = new Set<string>();
  for (const label of [...run.honest, ...run.cheats]) {
    const bytes = run.file(label, `round-2/${name}.blob`);
    if (bytes) found.add(toHex(bytes));
  }
  return [...found];
}
/** The plan of a run, changed, in fresh folders, with the files that belong to it. */
async function replanted(run: Run, change: (plan: SignPlan) => SignPlan, files: Record<string, Uint8Array> = {}): Promise<Run> {
  const plan = change({ ...(run.plan as SignPlan), nonce: toHex(random(32)) });
  const label = run.honest[0] as string;
  return table.plant(plan, run.honest, {
    'intent.json': run.file(label, 'intent.json') as Uint8Array,
    'message.bin': run.file(label, 'message.bin') as Uint8Array,
    'base/certificate.json': run.file(label, 'base/certificate.json') as Uint8Array,
    ...files,
  });
}
/** An intent that was never used, and the plan that names it. */
function otherIntent(by = 'alice', over = {}): { bytes: Uint8Array; hash: string } {
  const bytes = table.intent(by, 'pay 5000 to mallory', over);
  return { bytes, hash: toHex(parseIntent(bytes, 'x').hash) };
}

describe('a wrong share (SGN-13)', () => {
  test.each<[string, (good: Uint8Array) => Uint8Array]>([
    ['one bit off', (b) => concat(b.slice(0, 40), Uint8Array.of((b[40] as number) ^ 1), b.slice(41))],
    ['zero', (b) => concat(b.slice(0, 33), new Uint8Array(32))],
    ['all ones', (b) => concat(b.slice(0, 33), new Uint8Array(32).fill(255))],
  ])('SGN-13 wrong share: %s: no signature, the culprit is named', async (_, change) => {
    const run = await live();
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    run.say('mallory', SHARE, change(mallory.share(bothNonces(run))));
    await run.settle();
    expectAbort(run, 'E_SHARE', 'mallory');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });

  test('row 48 scalar plus q in a signature share', async () => {
    const run = await live();
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    const good = mallory.share(bothNonces(run));
    const s = ed.decodeScalar(good.slice(33)) + ed.order;
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 255n));
    run.say('mallory', SHARE, concat(good.slice(0, 33), bytes));
    await run.settle();
    expectAbort(run, 'E_SHARE', 'mallory');
  });

  test.each<[string, (good: Uint8Array) => Uint8Array]>([
    ['cut off', (b) => b.slice(0, 60)],
    ['too long', (b) => concat(b, Uint8Array.of(0))],
    ['a complaint, which signing does not know', (b) => concat(Uint8Array.of(2), b.slice(1))],
    ['of an unknown kind', (b) => concat(Uint8Array.of(77), b.slice(1))],
    ['empty (row 57)', () => new Uint8Array(0)],
  ])('SGN-13 a share message that is %s', async (_, change) => {
    const run = await live();
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    run.say('mallory', SHARE, change(mallory.share(bothNonces(run))));
    await run.settle();
    expectAbort(run, 'E_FORMAT', 'mallory');
  });

  test('SGN-13 THR-07 a share with another key share (row 33: of another epoch) names its owner', async () => {
    const run = await live();
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    const good = mallory.share(bothNonces(run));
    // z + λ·c for x + 1: what an old or altered share gives
    run.say('mallory', SHARE, concat(good.slice(0, 33), ed.encodeScalar((ed.decodeScalar(good.slice(33)) + 12345n) % ed.order)));
    await run.settle();
    expectAbort(run, 'E_SHARE', 'mallory');
  });

  test('SGN-13 from stock: a wrong share after the honest one is out gives no signature and names the culprit', async () => {
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'] });
    const request = signingContext(run, 'mallory');
    run.say('mallory', SHARE, shareBody(requestOf(request, new Map()).hash, new Uint8Array(32)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_SHARE', 'mallory']);
    expectEvidence(run, 'alice', 'E_SHARE', 'mallory');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });
});

/** The nonce messages of both, though the honest one may not have taken mallory's in yet. */
function bothNonces(run: Run): ReturnType<Run['messages']> {
  const messages = new Map([...run.messages()].map(([slot, m]) => [slot, new Map(m)]));
  const blob = run.file('alice', 'round-1/mallory.blob') as Uint8Array;
  messages.get(NONCE)?.set(run.seat('mallory').leaf, openBlob(blob, run.session));
  return messages;
}

describe('row 39 one nonce pair, one request', () => {
  test('row 39 second message: the stocked nonce of an earlier plan, another message', async () => {
    const run = await stocked();
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
    const { bytes, hash } = otherIntent();
    const again = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
    await again.settle();
    for (const name of ['alice', 'carol']) {
      expect([again.code(name), again.error(name).exit]).toEqual(['E_NONCE_BURNED', 24]);
      expect(shares(again, name)).toEqual([]);
    }
  });

  test('row 39 row 50 two plans at once over one stocked nonce: the second is refused by every honest signer', async () => {
    const run = await stocked();
    const { bytes, hash } = otherIntent();
    const second = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
    // carol is shown the second plan first, alice has answered the first
    await second.next('carol');
    await second.next('alice');
    await run.settle();
    expect(second.code('alice')).toBe('E_NONCE_BURNED');
    expect(run.code('carol')).toBe('E_NONCE_BURNED');
    // one share of each at most, no signature
    expect([shares(run, 'alice').length + shares(second, 'alice').length, shares(run, 'carol').length + shares(second, 'carol').length]).toEqual([1, 1]);
    expect(run.file('alice', 'signature.bin') ?? second.file('carol', 'signature.bin')).toBeUndefined();
  });

  test('SGN-06 crash between burning and sending: the same request gets the same share', async () => {
    const run = await live();
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    const first = await crash(run, (path) => path.endsWith('journal.jsonl'), (path) => path.endsWith('out/2.blob'));
    expect(spent('alice')).toHaveLength(1);
    expect(run.file('alice', 'round-2/alice.blob')).toBeUndefined();
    await run.next('alice');
    const body = run.store('alice')?.ownBlob(SHARE)?.body as Uint8Array;
    expect(toHex(body)).toBe(toHex(first.slice(1 + 16 + 2 + 4 + 32, -64)));
    run.say('mallory', SHARE, mallory.share(run.messages()));
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
  });

  test('SGN-06 crash between burning and sending: any other request is refused', async () => {
    const run = await live();
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await crash(run, (path) => path.endsWith('out/2.blob'));
    expect(spent('alice')).toHaveLength(1);
    // the home loses what it had received, and mallory sends another nonce
    rmSync(join((run.store('alice') as CeremonyStore).dir, 'in', '1-2.blob'));
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_NONCE_BURNED', 24]);
    expect(shares(run, 'alice')).toEqual([]);
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
    const { bytes, hash } = otherIntent();
    const other = await replanted(run, (p) => ({ ...p, intent: hash }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
    await other.next('carol');
    run.write('alice', 'round-1/carol.blob', other.file('carol', 'round-1/carol.blob') as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expectNothingReleased(run, 'alice');
  });

  test('row 46 the intent in the folder is not the one of the plan', async () => {
    const run = await table.sign({ honest: ['alice', 'carol'] });
    run.write('carol', 'intent.json', otherIntent().bytes);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_INTENT_HASH', 20]);
    expect(shares(run, 'carol')).toEqual([]);
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
    expectEvidence(run, 'alice', 'E_REQUEST', 'mallory');
  });

  test('row 46 THR-10 E_VIEW: with fresh nonces a share for another request blames nobody, and the nonce is burnt', async () => {
    const run = await live();
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    run.say('mallory', SHARE, shareBody(random(32), new Uint8Array(32)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').exit, run.error('alice').facts.participant]).toEqual(['E_VIEW', 23, undefined]);
    expectEvidence(run, 'alice', 'E_VIEW', undefined);
    expect(spent('alice')).toHaveLength(1);
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });

  test('row 35 two nonce commitments, shown one after the other', async () => {
    const run = await live();
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_EQUIVOCATION', 'mallory']);
    expectEvidence(run, 'alice', 'E_EQUIVOCATION', 'mallory');
    expect(shares(run, 'alice')).toHaveLength(1);
  });
});

describe('row 47 nonce commitments', () => {
  const G = (k: bigint): Uint8Array => ed.encodePoint(ed.multiply(ed.base, k));
  const torsion = new Uint8Array(32);
  const shifted = ed.encodePoint(ed.decodePoint(G(7n)).add(ed.decodePointFast(torsion)));
  test.each<[string, ErrorCode, Uint8Array]>([
    ['the identity', 'E_POINT', concat(Uint8Array.of(1, ...new Uint8Array(31)), G(5n))],
    ['off the curve', 'E_POINT', concat(G(5n), Uint8Array.of(2, ...new Uint8Array(31)))],
    ['of small order', 'E_POINT', concat(torsion, G(5n))],
    ['with a small-order part', 'E_POINT', concat(G(5n), shifted)],
    ['not canonical', 'E_POINT', concat(new Uint8Array(Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex')), G(5n))],
    ['one point', 'E_FORMAT', G(5n)],
    ['empty (row 57)', 'E_FORMAT', new Uint8Array(0)],
  ])('row 47 a nonce commitment that is %s', async (_, code, body) => {
    const run = await live();
    run.say('mallory', NONCE, body);
    await run.settle();
    expectAbort(run, code, 'mallory');
  });
});

describe('row 50 commitment lists', () => {
  test('row 50 ROS: a rushing copy of the honest commitment is refused before any share', async () => {
    // copying proves nothing about who came first: refused, and nobody is blamed
    const run = await live();
    run.say('mallory', NONCE, run.messages().get(NONCE)?.get(1)?.body as Uint8Array);
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expectNothingReleased(run, 'alice');
    expect(spent('alice')).toEqual([]);
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
    const run = await stocked();
    table.restore('key');
    const planted = await replanted(run, change);
    await planted.settle();
    for (const name of ['alice', 'carol']) {
      expect([planted.code(name), planted.error(name).exit === 20 || planted.error(name).exit === 24]).toEqual([code, true]);
      expect(shares(planted, name)).toEqual([]);
      expect(spent(name)).toEqual([]);
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
    const run = await stocked({ live: true });
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
    const run = await stocked({ live: true });
    table.restore('key');
    const { roster } = requireKey(table.party('alice').home, 'treasury').epoch;
    const { name, identity, homeId } = roster[1] as { name: string; identity: string; homeId: string };
    const planted = await replanted(run, (p) => ({ ...p, participants: [p.participants[0], { name, identity, homeId, leaf: 2 }, p.participants[1]] }) as SignPlan);
    await planted.settle();
    for (const n of ['alice', 'carol']) expect(planted.code(n)).toBe('E_QUORUM_SURPLUS');
  });
});

describe('row 54 a key in two roles', () => {
  test.each<[string, ErrorCode, (key: SignPlan['key']) => SignPlan['key']]>([
    ['another scheme', 'E_SCOPE', (k) => ({ ...k, scheme: 'frost-ristretto255' })],
    ['another key id', 'E_SCOPE', (k) => ({ ...k, id: '00'.repeat(16) })],
    ['another certificate', 'E_CERTIFICATE', (k) => ({ ...k, certificate: '00'.repeat(32) })],
    ['another epoch', 'E_EPOCH', (k) => ({ ...k, epoch: 2 })],
    ['a key that nobody has', 'E_UNKNOWN_KEY', (k) => ({ ...k, name: 'petty-cash' })],
  ])('row 54 the plan names %s', async (_, code, change) => {
    const run = await stocked({ live: true });
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
    const run = await stocked({ live: true });
    table.restore('key');
    const { bytes, hash } = otherIntent('mallory', over);
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
    const run = await stocked();
    await run.settle();
    const again = await replanted(run, (p) => ({ ...p, participants: p.participants.map(({ stock: _, ...x }) => x) }) as SignPlan);
    await again.settle();
    for (const n of ['alice', 'carol']) expect(again.code(n)).toBe('E_INTENT_SEEN');
    const claims = await replanted(run, (p) => ({ ...p, previous: toHex(sessionId(run.plan)), attempt: 2, participants: p.participants.map(({ stock: _, ...x }) => x) }) as SignPlan);
    await claims.settle();
    for (const n of ['alice', 'carol']) expect(claims.code(n)).toBe('E_INTENT_SEEN');
  });

  test('an intent that expires between joining and the share: no share, no nonce burnt', async () => {
    const run = await live();
    run.say('mallory', NONCE, new Cosigner(run, 'mallory').nonce());
    const before = table.clock;
    table.clock = new Date(before.getTime() + 2 * 86_400_000);
    await run.next('alice');
    table.clock = before;
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_INTENT_EXPIRED', 20]);
    expectNothingReleased(run, 'alice');
    expect(spent('alice')).toEqual([]);
    // the refusal is on the record (AUD-05)
    expect(run.store('alice')?.journal.some((e) => e.payload.kind === 'refused' && e.payload.code === 'E_INTENT_EXPIRED')).toBe(true);
  });

  test('an intent of somebody who is not of this key', async () => {
    const run = await stocked({ live: true });
    table.restore('key');
    const { identity } = table.party('mallory');
    const { bytes, hash } = otherIntent('mallory', { initiator: { name: 'dave', identity: toHex(identity.signer.publicKey) } });
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
    const run = await stocked();
    const other = await stocked({ message: 'another', live: true });
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
    const run = await stocked();
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
    const run = await stocked();
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
    const run = await live();
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
    const run = await live();
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

test('SGN-18 R reuse: a nonce point that was seen under another request stops the signature', async () => {
  const run = await stocked();
  await run.next('carol');
  run.carry();
  const signature = run.file('carol', 'signature.bin') as Uint8Array;
  expect(run.code('carol')).toBe('DONE');
  const { home } = table.party('alice');
  const dir = join(home.root, 'keys/treasury/nonce-points');
  home.disk.makeDir(dir);
  home.disk.write(join(dir, toHex(sha256(signature.slice(0, 32))).slice(0, 32)), random(32));
  rmSync(join(run.folder('alice'), 'signature.bin'));
  await run.next('alice');
  expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_R_REUSE', 24]);
  expect(run.file('alice', 'signature.bin')).toBeUndefined();
});

test('SGN-19 the plan file of a joined signing is exchanged: E_PLAN_CHANGED, and GOV-01 E_ROSTER_HASH', async () => {
  const run = await stocked({ live: true });
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
