/**
 * Signing with presignatures, and who is asked to: rows 5, 39 to 46 and 60 of the attack table; SGN-13. Alice signs with
 * mallory, whose home has behaved so far.
 */
import { HDKey } from '@scure/bip32';
import * as tiny from 'tiny-secp256k1';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ABORT_LIMIT, clearBlame } from '../../src/ceremony/blame.ts';
import { step } from '../../src/ceremony/engine.ts';
import { utc } from '../../src/ceremony/times.ts';
import { inHome } from '../../src/ceremony/home.ts';
import { requireKey } from '../../src/ceremony/key-store.ts';
import { presignaturePath, unspentPresignatures } from '../../src/ceremony/presignatures.ts';
import { join as joinCeremony } from '../../src/ceremony/join.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import type { SignPlan } from '../../src/plan/plan.ts';
import { ecdsaRequest, ecdsaShareBody } from '../../src/protocols/ecdsa-sign.ts';
import { CLOSE } from '../../src/protocols/presign.ts';
import { encodePresignature, presignatureId } from '../../src/protocols/presignature.ts';
import type { Disk } from '../../src/vault/durable.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { blamedIn, ecdsaContextOf, ecdsaTable, evidenceAgainst, GROUP, keyState, makeKey, timed, unspent } from '../support/ecdsa-cheat.ts';
import { expectEvidence, judge } from '../support/expect.ts';
import { random, type Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { otherIntent, replanted, spent } from '../support/signing.ts';

const PAIR = ['alice', 'mallory'];
const PATH = 'm/0/5';
let table: Table;
beforeAll(async () => {
  table = await ecdsaTable();
  await makeKey(table, 'vault');
  for (const over of [{ count: ABORT_LIMIT }, { count: 1, path: PATH }]) {
    const run = await table.presign({ honest: PAIR, ...over });
    await run.settle();
    expect([run.code('alice'), run.code('mallory')]).toEqual(['DONE', 'DONE']);
  }
  table.save('stocked');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('stocked');
});

/** Alice begins to sign with mallory, who is a cheat. */
const signing = (over = {}): Promise<Run> => table.sign({ honest: ['alice'], cheats: ['mallory'], ...over });
/** A share of mallory's for what the plan asks. */
const shareOf = (run: Run, sigma: Uint8Array): Uint8Array => ecdsaShareBody(ecdsaRequest(ecdsaContextOf(run, 'mallory')).hash, sigma);
/** Presignatures for a path, in the order in which they are used. */
const stockOf = (path: string): ReturnType<typeof unspentPresignatures> => unspentPresignatures(table.party('alice').home, 'treasury', 1).filter((r) => r.path === path);
const sharesOf = (run: Run, name: string): number => ['alice', 'mallory', 'carol', 'dave'].filter((label) => run.file(label, `round-${String(CLOSE)}/${name}.blob`)).length;
/** A plan that mallory made by hand, and what belongs to it. */
async function planted(run: Run, change: (plan: SignPlan) => SignPlan, over = {}): Promise<Run> {
  const { bytes, hash } = otherIntent(table, 'mallory', over);
  return replanted(run, (p) => change({ ...p, intent: hash, lead: 'mallory' }), { 'intent.json': bytes, 'message.bin': utf8('pay 5000 to mallory') });
}
function refused(run: Run, label: string, code: ErrorCode): void {
  expect([label, run.code(label)]).toEqual([label, code]);
  expect([label, sharesOf(run, label)]).toEqual([label, 0]);
}

describe('row 5 a wrong share', () => {
  const fail = async (): Promise<Run> => {
    const run = await signing();
    run.say('mallory', CLOSE, shareOf(run, random(32).fill(0, 0, 1)));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_SHARE', 'mallory']);
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
    return run;
  };
  /** With whom alice would sign, and what she is told. */
  const attempts = async (): Promise<string[]> => {
    const runs = [await signing(), await signing({ live: true }), await table.presign({ honest: ['alice'], cheats: ['mallory'] })];
    expect(runs.map((r) => r.error('alice').facts.participant)).toEqual(runs.map(() => 'mallory'));
    return runs.map((r) => r.code('alice'));
  };

  test('row 5 names mallory with evidence; mallory takes no part until a person has looked, and after three times not at all', async () => {
    const { home } = table.party('alice');
    const before = keyState(table, 'alice');
    for (let failures = 1; failures <= ABORT_LIMIT; failures++) {
      const run = await fail();
      await expectEvidence(run, 'alice', 'E_SHARE', 'mallory');
      // seen again, it is the same failure
      await run.next('alice');
      const limit = failures === ABORT_LIMIT;
      expect(await attempts()).toEqual(Array(3).fill(limit ? 'E_ABORT_LIMIT' : 'E_BLOCKED'));
      expect(clearBlame(home, 'treasury', 1, 'mallory', 'the machine had a fault', utc(table.clock))).toBe(failures);
      expect(() => clearBlame(home, 'treasury', 1, 'mallory', 'again', utc(table.clock))).toThrow('nothing stands against mallory');
      if (limit) expect(await attempts()).toEqual(Array(3).fill('E_ABORT_LIMIT'));
    }
    // share, primes and certificate are as they were; of three presignatures the halves are gone and the marks are there
    const after = keyState(table, 'alice');
    for (const file of ['share.sealed', 'primes.sealed', 'certificate.json']) expect(after[file]).toBe(before[file]);
    expect([unspent(table, 'alice'), spent(table, 'alice').length]).toEqual([1, ABORT_LIMIT]);
  });

  test('row 5 a plan of mallory’s own is refused as well, and without mallory alice goes on', async () => {
    const run = await fail();
    const next = stockOf('m')[0];
    const again = await planted(run, (p) => ({ ...p, presignature: toHex(presignatureId(next as never)) }));
    await again.next('alice');
    refused(again, 'alice', 'E_BLOCKED');
    const without = await table.sign({ honest: ['alice', 'carol', 'dave'] });
    expect(without.code('alice')).toBe('WAIT');
    // others have seen nothing of it
    expect(blamedIn(table, 'carol')).toEqual([]);
  });

  test.each<[string, ErrorCode, (run: Run) => Uint8Array]>([
    ['zero', 'E_SHARE', (run) => shareOf(run, new Uint8Array(32))],
    ['alice’s (row 18)', 'E_SHARE', (run) => messageOf(run, 'alice')],
    ['σ + q (row 48)', 'E_SCALAR', (run) => shareOf(run, new Uint8Array(32).fill(255))],
    ['cut off', 'E_FORMAT', (run) => shareOf(run, new Uint8Array(31))],
    ['of 1 MB (row 58)', 'E_FORMAT', (run) => shareOf(run, new Uint8Array(1 << 20))],
    ['no share but a trace', 'E_FORMAT', () => concat(Uint8Array.of(5), random(64))],
    ['nothing (row 57)', 'E_FORMAT', () => new Uint8Array(0)],
    ['for another request (row 46)', 'E_REQUEST', () => ecdsaShareBody(random(32), new Uint8Array(32))],
  ])('SGN-13 a share that is %s', async (_, code, body) => {
    const run = await signing();
    run.say('mallory', CLOSE, body(run));
    expect(await timed(() => run.next('alice'))).toBeLessThan(1000);
    expect([run.code('alice'), run.error('alice').facts.participant, blamedIn(table, 'alice')]).toEqual([code, 'mallory', ['mallory']]);
    await expectEvidence(run, 'alice', code, 'mallory');
    expect(run.file('alice', 'signature.bin')).toBeUndefined();
  });
  const messageOf = (run: Run, name: string): Uint8Array => openBlob(run.file(name, `round-${String(CLOSE)}/${name}.blob`) as Uint8Array, run.session).body;

  test('row 60 evidence against alice, whose share is good, proves nothing', async () => {
    const run = await signing();
    const share = openBlob(run.file('alice', `round-${String(CLOSE)}/alice.blob`) as Uint8Array, run.session);
    for (const code of ['E_SHARE', 'E_REQUEST', 'E_FORMAT'] as const)
      for (const by of [null, 1, 2]) expect(await judge(run, evidenceAgainst(run, code, 'alice', by, [share]))).toEqual({ code: 'E_EVIDENCE', culprit: undefined });
  });
});

describe('row 39 one presignature, one request', () => {
  test('row 39 second message: refused by whoever has answered, in this home and for good', async () => {
    const run = await table.sign({ honest: PAIR });
    await run.settle();
    expect([run.code('alice'), run.code('mallory')]).toEqual(['DONE', 'DONE']);
    const again = await planted(run, (p) => p);
    await again.settle();
    for (const label of PAIR) {
      refused(again, label, 'E_PRESIGN_USED');
      expect(again.error(label).exit).toBe(24);
    }
  });

  test('row 39 two plans over one presignature at once: nobody answers both', async () => {
    const run = await table.sign({ honest: PAIR });
    const second = await planted(run, (p) => p);
    await second.next('mallory');
    await second.next('alice');
    await run.settle();
    refused(second, 'alice', 'E_PRESIGN_USED');
    refused(run, 'mallory', 'E_PRESIGN_USED');
    expect(run.file('alice', 'signature.bin') ?? second.file('mallory', 'signature.bin')).toBeUndefined();
  });

  test('row 40 the half put back does not help: the mark stays', async () => {
    const half = presignaturePath('treasury', 1, toHex(presignatureId(stockOf('m')[0] as never)));
    const { home } = table.party('alice');
    const aside = join(table.root, 'half');
    cpSync(inHome(home, half), aside);
    const run = await table.sign({ honest: PAIR });
    await run.settle();
    expect(home.disk.exists(inHome(home, half))).toBe(false);
    cpSync(aside, inHome(home, half));
    const again = await planted(run, (p) => p);
    await again.settle();
    refused(again, 'alice', 'E_PRESIGN_USED');
    // nor does alice's own tool take it
    expect((await table.sign({ honest: PAIR })).plan).not.toMatchObject({ presignature: (run.plan as SignPlan).presignature });
  });

  /** Mallory, whose home is as good as any here, makes its share until a write whose path fits fails; returns what was written to the other path before. */
  async function crash(run: Run, at: (path: string) => boolean, watch?: (path: string) => boolean): Promise<Uint8Array> {
    const { home, port } = table.party('mallory');
    let seen = new Uint8Array(0);
    const disk: Disk = {
      ...home.disk,
      write: (path, bytes, opts) => {
        if (at(path) && (watch === undefined || seen.length > 0)) throw new CeremonyError('E_IO', 'the power went off');
        home.disk.write(path, bytes, opts);
        if (watch?.(path) === true) seen = bytes.slice();
      },
    };
    const store = CeremonyStore.byPlace({ ...home, disk }, run.folder('mallory'), undefined);
    const work = store ? step(store, run.folder('mallory'), { ...port, disk }) : joinCeremony({ ...home, disk }, run.folder('mallory'), { ...port, disk });
    await expect(work).rejects.toThrow('the power went off');
    return seen;
  }

  test('row 39 crash between burning and sending: the same request gets the same bytes', async () => {
    const run = await table.sign({ honest: PAIR });
    const first = await crash(run, (path) => path.endsWith('journal.jsonl'), (path) => path.endsWith('out/4.blob'));
    expect([spent(table, 'mallory').length, sharesOf(run, 'mallory')]).toEqual([1, 0]);
    await run.next('mallory');
    const body = run.store('mallory')?.ownBlob(CLOSE)?.body as Uint8Array;
    expect(toHex(body)).toBe(toHex(first.slice(1 + 16 + 2 + 4 + 32, -64)));
    await run.settle();
    expect([run.code('alice'), run.code('mallory')]).toEqual(['DONE', 'DONE']);
  });

  test('row 39 crash between burning and sending: any other request is refused', async () => {
    const run = await table.sign({ honest: PAIR });
    const other = await planted(run, (p) => p);
    await crash(run, (path) => path.endsWith('out/4.blob'));
    expect(spent(table, 'mallory')).toHaveLength(1);
    await other.next('mallory');
    refused(other, 'mallory', 'E_PRESIGN_USED');
    // the half is still there for what it was burnt for
    await run.settle();
    expect(run.code('mallory')).toBe('DONE');
  });
});

describe('rows 41, 43 and 45 paths', () => {
  const child = (path: string): Uint8Array => {
    const { epoch } = requireKey(table.party('alice').home, 'treasury');
    return new HDKey({ publicKey: fromHex(epoch.publicKey), chainCode: fromHex(epoch.chainCode) }).derive(path).publicKey as Uint8Array;
  };
  const expectSigned = (run: Run, key: Uint8Array): void => {
    const file = JSON.parse(Buffer.from(run.file('alice', 'signature.json') as Uint8Array).toString()) as { compact: string; publicKey: string; digest: string };
    expect(file.publicKey).toBe(toHex(key));
    expect(file.digest).toBe(toHex(sha256(utf8('pay 5 to the baker'))));
    expect(tiny.verify(fromHex(file.digest), key, fromHex(file.compact), true)).toBe(true);
  };

  test('row 45 a correct signature under a derived key blames nobody: it is that of an independent BIP-32', async () => {
    const made = toHex(presignatureId(stockOf(PATH)[0] as never));
    const run = await table.sign({ honest: PAIR, intent: { path: PATH } });
    expect((run.plan as SignPlan).presignature).toBe(made);
    await run.settle();
    expect([run.code('alice'), run.code('mallory')]).toEqual(['DONE', 'DONE']);
    expectSigned(run, child(PATH));
    expect(PAIR.map((label) => blamedIn(table, label))).toEqual([[], []]);
  });
  test('row 45 without a presignature, three levels down', async () => {
    const run = await table.sign({ honest: PAIR, intent: { path: 'm/44/0/2147483647' } });
    expect((run.plan as SignPlan).presignature).toBeUndefined();
    await run.settle();
    expect([run.code('alice'), run.code('mallory')]).toEqual(['DONE', 'DONE']);
    expectSigned(run, child('m/44/0/2147483647'));
  });
  test('row 45 without a path the key itself signs', async () => {
    const run = await table.sign({ honest: PAIR });
    await run.settle();
    expectSigned(run, fromHex(requireKey(table.party('alice').home, 'treasury').epoch.publicKey));
  });

  test.each<[string, string, string | undefined]>([
    ['row 41 the presignature of a path, for another path', PATH, 'm/0/6'],
    ['row 43 the presignature of a path, for the key itself', PATH, undefined],
    ['row 43 the presignature of the key, with a path at signing', 'm', PATH],
  ])('%s: refused', async (_, made, wanted) => {
    const run = await table.sign({ honest: PAIR });
    const id = toHex(presignatureId(stockOf(made)[made === 'm' ? 1 : 0] as never));
    const before = spent(table, 'alice');
    const other = await planted(run, (p) => ({ ...p, presignature: id }), wanted === undefined ? {} : { path: wanted });
    await other.next('alice');
    refused(other, 'alice', 'E_PRESIGN_USED');
    // refused before anything was burnt
    expect(spent(table, 'alice')).toEqual(before);
    // an honest lead has no such presignature, and makes one with the message
    const honest = await table.sign({ honest: PAIR, intent: { path: 'm/0/6' } });
    expect((honest.plan as SignPlan).presignature).toBeUndefined();
  });
  test('row 41 after one path, the same presignature for a second one', async () => {
    const run = await table.sign({ honest: PAIR, intent: { path: PATH } });
    await run.settle();
    for (const [path, code] of [['m/0/6', 'E_PRESIGN_USED'], [PATH, 'E_PRESIGN_USED']] as const) {
      const other = await planted(run, (p) => p, { path });
      await other.next('alice');
      refused(other, 'alice', code);
    }
  });
});

describe('row 42 digests that were made elsewhere', () => {
  const digest = random(32);
  const payload = { kind: 'message' as const, size: 32, sha256: toHex(sha256(digest)), bytes: `0x${toHex(digest)}` };

  test('row 42 with a presignature: refused by the lead’s own tool', async () => {
    const run = await table.sign({ honest: PAIR, intent: { action: 'digest', payload } });
    expect([run.code('alice'), run.error('alice').exit]).toEqual(['E_RAW_DIGEST', 20]);
    expect(run.files('alice')).toEqual([]);
  });
  test('row 42 with a presignature: refused by who joins, and nothing is burnt', async () => {
    const run = await table.sign({ honest: PAIR });
    const id = toHex(presignatureId(stockOf('m')[1] as never));
    const before = spent(table, 'alice');
    const { bytes, hash } = otherIntent(table, 'mallory', { action: 'digest', payload });
    const other = await replanted(run, (p) => ({ ...p, intent: hash, presignature: id, lead: 'mallory' }), { 'intent.json': bytes, 'message.bin': digest });
    await other.next('alice');
    refused(other, 'alice', 'E_RAW_DIGEST');
    expect(spent(table, 'alice')).toEqual(before);
  });
  test('row 42 without one it is signed as it is', async () => {
    const run = await table.sign({ honest: PAIR, live: true, intent: { action: 'digest', payload } });
    await run.settle();
    expect([run.code('alice'), run.code('mallory')]).toEqual(['DONE', 'DONE']);
    const { compact, publicKey } = JSON.parse(Buffer.from(run.file('alice', 'signature.json') as Uint8Array).toString()) as { compact: string; publicKey: string };
    expect(tiny.verify(digest, fromHex(publicKey), fromHex(compact), true)).toBe(true);
  });
});

describe('row 44 presignatures of something else', () => {
  const first = async (): Promise<Run> => table.sign({ honest: PAIR });
  const seats = (): SignPlan['participants'] => requireKey(table.party('alice').home, 'treasury').epoch.roster.map(({ name, identity, homeId }, i) => ({ name, identity, homeId, leaf: i + 1 }));

  test('row 44 other signers: by who has a half of it, and by who has none', async () => {
    const run = await first();
    const id = toHex(presignatureId(stockOf('m')[1] as never));
    const without = await planted(run, (p) => ({ ...p, presignature: id, participants: seats().filter((x) => x.name !== 'mallory') }));
    await without.next('alice');
    refused(without, 'alice', 'E_PRESIGN_USED');
    const folder = { 'base/presignature.json': encodePresignature(stockOf('m')[1] as never), 'PLAN.yaml': without.file('alice', 'PLAN.yaml') as Uint8Array };
    for (const file of without.files('alice')) without.write('carol', file, without.file('alice', file) as Uint8Array);
    for (const [file, bytes] of Object.entries(folder)) without.write('carol', file, bytes);
    await without.next('carol');
    refused(without, 'carol', 'E_PRESIGN_USED');
  });
  test('row 44 another key of the same people', async () => {
    const run = await first();
    const { epoch, digest } = requireKey(table.party('alice').home, 'vault');
    const id = toHex(presignatureId(stockOf('m')[1] as never));
    const plan = (p: SignPlan): SignPlan => ({ ...p, presignature: id, key: { name: 'vault', id: epoch.key.id, scheme: epoch.key.scheme, epoch: epoch.number, certificate: toHex(digest) } });
    const other = await planted(run, plan, { keyName: 'vault', keyId: epoch.key.id });
    await other.next('alice');
    refused(other, 'alice', 'E_PRESIGN_USED');
    // also when its files lie where those of that key lie
    const { home } = table.party('alice');
    for (const key of ['vault', 'treasury']) home.disk.makeDir(inHome(home, `keys/${key}/epoch-1/presignatures`));
    cpSync(inHome(home, 'keys/treasury/epoch-1/presignatures'), inHome(home, 'keys/vault/epoch-1/presignatures'), { recursive: true });
    await other.next('alice');
    refused(other, 'alice', 'E_PRESIGN_USED');
  });
  test.each<[string, ErrorCode, (p: SignPlan) => SignPlan]>([
    ['of an epoch that is not active', 'E_EPOCH', (p) => ({ ...p, key: { ...p.key, epoch: 2 } })],
    ['an epoch that is not active, without one', 'E_EPOCH', ({ presignature: _, ...p }) => ({ ...p, key: { ...p.key, epoch: 2 } })],
    ['a certificate that is another', 'E_CERTIFICATE', (p) => ({ ...p, key: { ...p.key, certificate: toHex(random(32)) } })],
    ['a presignature that nobody has', 'E_PRESIGN_USED', (p) => ({ ...p, presignature: toHex(random(32)) })],
    ['a presignature and a stock besides', 'E_PLAN_FIELD', (p) => ({ ...p, participants: p.participants.map((x) => ({ ...x, stock: { index: 0, commitment: toHex(random(32)) } })) })],
  ])('row 44 %s', async (_, code, change) => {
    const run = await first();
    const other = await planted(run, (p) => change({ ...p, presignature: toHex(presignatureId(stockOf('m')[1] as never)) }));
    await other.next('alice');
    refused(other, 'alice', code);
  });
  test('row 44 the record of a presignature in the home, changed: no request follows from it', async () => {
    const { home } = table.party('alice');
    const [, record] = stockOf('m');
    const id = toHex(presignatureId(record as never));
    const run = await first();
    const file = inHome(home, `keys/treasury/epoch-1/presignatures/${id}.json`);
    writeFileSync(file, encodePresignature({ ...(record as NonNullable<typeof record>), path: PATH }));
    const other = await planted(run, (p) => ({ ...p, presignature: id }), { path: PATH });
    await other.next('alice');
    refused(other, 'alice', 'E_PRESIGN_USED');
  });
});

describe('row 46 different messages for different signers', () => {
  test('row 46 alice and mallory answer two plans: the shares fit neither, nobody is blamed, the presignature is spent', async () => {
    const run = await table.sign({ honest: PAIR });
    const other = await planted(run, (p) => p);
    await other.next('mallory');
    const file = `round-${String(CLOSE)}/mallory.blob`;
    run.write('alice', file, other.file('mallory', file) as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expect(run.error('alice').message).toContain('another ceremony');
    expect([blamedIn(table, 'alice'), run.file('alice', 'signature.bin')]).toEqual([[], undefined]);
    // the sum of both is a signature of nothing
    const [a, m] = [[run, 'alice'], [other, 'mallory']].map(([r, name]) => {
      const { body } = openBlob((r as Run).file(name as string, `round-${String(CLOSE)}/${name as string}.blob`) as Uint8Array, (r as Run).session);
      return GROUP.decodeScalar(body.slice(33));
    }) as [bigint, bigint];
    const { digest, presigning } = ecdsaContextOf(run, 'alice');
    const r = ecdsaRequest(ecdsaContextOf(run, 'alice')).parts.gamma.toAffine().x % GROUP.order;
    for (const message of [digest, sha256(utf8('pay 5000 to mallory'))])
      expect(tiny.verify(message, presigning.key.publicKeyBytes, concat(fromHex(r.toString(16).padStart(64, '0')), GROUP.encodeScalar((a + m) % GROUP.order)), false)).toBe(false);
    // and both have spent it
    for (const [label, plan] of [['alice', other], ['mallory', run]] as const) {
      await plan.next(label);
      expect([plan.code(label), plan.file(label, `round-${String(CLOSE)}/${label}.blob`)]).toEqual(['E_PRESIGN_USED', undefined]);
    }
  });

  test('row 46 the message in the folder is another one', async () => {
    const run = await table.sign({ honest: PAIR });
    run.write('mallory', 'intent.json', otherIntent(table, 'alice').bytes);
    await run.next('mallory');
    refused(run, 'mallory', 'E_INTENT_HASH');
    expect(spent(table, 'mallory')).toEqual([]);
  });
});
