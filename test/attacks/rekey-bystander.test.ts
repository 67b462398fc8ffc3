/**
 * A courier or outsider hands a holder the record of a reshare that puts it out. Nothing but the shares of an old quorum
 * may make it destroy its own: rules C4a and P6.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { givenOn, takeUp } from '../../src/ceremony/bystander.ts';
import { openHome } from '../../src/ceremony/home.ts';
import { releaseFork, requireKey, requireNoFork } from '../../src/ceremony/key-store.ts';
import { parseStatement } from '../../src/transcript/statement.ts';
import type { Point } from '../../src/curves/group.ts';
import type { RekeyPlan, ResharePlan } from '../../src/plan/plan.ts';
import { type Certificate, completeCertificate, confirmBody, epochDigest, type EpochRecord, epochSeats, parseCertificate } from '../../src/protocols/epoch.ts';
import type { PublicTree } from '../../src/sharing/tree.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { makeBlob, openBlob, type Session } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { expectSigns, Redealer, replantRekey, reshare, standing } from '../support/redealer.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const ALL = ['alice', 'bob', 'carol'];
const THIEVES = ['mallory', 'eve'];
let table: Table;
/** Of the key that the thieves made for themselves, under the name and id of the real one. */
let forged: Certificate;
beforeAll(async () => {
  table = await Table.open([...ALL, ...THIEVES, 'dave']);
  const key = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: ALL, stock: 2 });
  await key.settle();
  const own = await table.dkg({ quorum: '2-of(mallory, eve)', honest: THIEVES });
  await own.settle();
  const real = requireKey(table.party('alice').home, 'treasury');
  const theirs = requireKey(table.party('mallory').home, 'treasury');
  forged = certify({ ...theirs.epoch, key: { ...theirs.epoch.key, id: real.epoch.key.id } });
  for (const n of THIEVES) {
    const { home } = table.party(n);
    home.disk.write(join(home.root, 'keys/treasury/epoch-1/certificate.json'), forged.bytes);
  }
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

/** A certificate of any epoch record of key generation whose confirmations the thieves can sign. */
function certify(epoch: EpochRecord): Certificate {
  const session: Session = { sid: fromHex(epoch.session), kind: epoch.kind, attempt: epoch.attempt, seats: epochSeats(epoch) };
  const echo = concat(...epoch.roster.map((p) => fromHex(epoch.rounds.deal[p.name] as string)));
  const confirms = session.seats.map((seat) => {
    const { homeId } = epoch.roster[seat.leaf - 1] as { homeId: string };
    const { P, pop } = makePrekey({ owner: seat.name, homeId, n: 900 }, random);
    const body = confirmBody({ echo, epoch: epochDigest(epoch), prekey: { n: 900, P, pop }, stock: [] });
    return openBlob(makeBlob(session, seat, 3, { seq: 1, hash: new Uint8Array(32) }, body, table.party(seat.name).identity.signer), session);
  });
  return parseCertificate(completeCertificate(epoch, session, new Map(confirms.map((e) => [e.leaf, e]))).bytes, 'certificate.json');
}

/** What `next` does with a folder in which this home has no seat. */
async function offered(run: Run, label: string): Promise<string> {
  const { home, port } = table.party(label);
  try {
    const plan = await givenOn(home, run.folder(label));
    if (!plan) return 'NOT-MINE';
    await takeUp(home, plan, run.folder(label), port);
    return 'TAKEN';
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    return e.code;
  }
}

/** The folder of a run, in somebody's hands who is not in it. */
function handOver(run: Run, label: string, leaveOut: (file: string) => boolean = () => false): void {
  const from = run.honest[0] as string;
  for (const file of run.files(from)) if (!leaveOut(file)) run.write(label, file, run.file(from, file) as Uint8Array);
}

/** A reshare of the thieves' own key among themselves, complete, made to look like one of the real key. */
async function fabricated(change: (plan: RekeyPlan) => unknown = (p) => p, kind: { base?: Uint8Array } = {}): Promise<Run> {
  for (const n of THIEVES) table.renew(n);
  const model = await reshare(table, { honest: THIEVES }, { quorum: '2-of(mallory, eve)', dealers: THIEVES.map((n) => [n, n] as const) });
  const run = await replantRekey(model, change, THIEVES, kind.base);
  const dealers = THIEVES.map((n) => new Redealer(run, n));
  for (const [i, d] of dealers.entries()) run.say(THIEVES[i] as string, 1, d.deal(), THIEVES);
  const messages = (): ReturnType<Redealer['messages']> => {
    const files = new Map<number, Map<number, ReturnType<typeof openBlob>>>();
    for (const f of run.files('mallory').filter((x) => x.endsWith('.blob'))) {
      const e = openBlob(run.file('mallory', f) as Uint8Array, run.session);
      files.set(e.slot, (files.get(e.slot) ?? new Map<number, ReturnType<typeof openBlob>>()).set(e.leaf, e));
    }
    return files;
  };
  const held = messages();
  for (const [i, d] of dealers.entries()) {
    const { name, homeId } = (run.plan as RekeyPlan).participants[i] as { name: string; homeId: string };
    const next = makePrekey({ owner: name, homeId, n: 1000 }, random);
    run.say(name, 2, await d.confirm(held, { prekey: { n: 1000, P: next.P, pop: next.pop } }), THIEVES);
  }
  return run;
}

const untouched = (label: string): void => {
  expect(standing(table, label)).toMatchObject({ epoch: 1, share: true });
  const { home } = table.party(label);
  expect(home.disk.list(join(home.root, 'keys/treasury/epoch-1/stock'))).toHaveLength(2);
  requireNoFork(openHome(home.disk, home.root), 'treasury');
};

describe('a record that thieves made up', () => {
  test('a reshare of a key of their own, under name and id of the real one', async () => {
    const run = await fabricated();
    handOver(run, 'carol');
    expect(await offered(run, 'carol')).toBe('E_EPOCH');
    untouched('carol');
    await expectSigns(table, ['alice', 'carol'], 1);
  });

  test('the same, with the home of the victim in the roster, under another name', async () => {
    const { homeId } = table.party('carol').home.facts;
    const base = certify({ ...forged.epoch, roster: forged.epoch.roster.map((p) => (p.name === 'eve' ? { ...p, homeId } : p)) });
    const moved = (plan: ResharePlan): unknown => ({
      ...plan,
      key: { ...plan.key, certificate: toHex(base.digest) },
      participants: plan.participants.map((p) => (p.name === 'eve' ? forPrekey(p, homeId) : p)),
      dealers: plan.dealers.map((d) => (d.name === 'eve' ? { ...d, homeId } : d)),
    });
    const run = await fabricated((p) => moved(p as ResharePlan), { base: base.bytes });
    handOver(run, 'carol');
    expect(await offered(run, 'carol')).toBe('E_EPOCH');
    untouched('carol');
    await expectSigns(table, ['alice', 'carol'], 1);
  });

  test.each<[string, (d: Redealer, expected: Point) => void, string]>([
    ['constants of their own', () => undefined, 'E_DEALING'],
    [
      'the right constants, of which they know nothing',
      (d, expected) => {
        d.treeBytes = concat(d.ctx.group.encodePoint(expected), d.treeBytes.slice(32));
        d.tree = { ...(d.tree as PublicTree), constant: expected };
        d.possession = d.prove();
        d.sealed = d.seal();
      },
      'E_POP',
    ],
  ])('on the real certificate, with %s', async (_, craft, code) => {
    for (const n of THIEVES) table.renew(n);
    const model = await reshare(table, { honest: ['alice'], cheats: ['bob', 'mallory', 'eve'] }, { quorum: '2-of(alice, mallory, eve)', dealers: [['alice', 'alice'], ['bob', 'bob']] });
    const { participants, dealers } = model.plan as ResharePlan;
    // whoever restored a share deals in a home of another name
    const thief = (name: string, leaf: number): ResharePlan['dealers'][number] => {
      const { identity, homeId } = participants.find((p) => p.name === name) as ResharePlan['participants'][number];
      return { name, identity, homeId, leaf };
    };
    expect(dealers.map((d) => d.leaf)).toEqual([1, 2]);
    const real = requireKey(table.party('alice').home, 'treasury');
    const run = await replantRekey(model, (p) => ({ ...p, lead: 'mallory', quorum: '2-of(mallory, eve)', weakens: true, participants: participants.filter((x) => x.name !== 'alice'), dealers: [thief('mallory', 1), thief('eve', 2)] }), THIEVES, real.bytes);
    for (const n of THIEVES) {
      const d = new Redealer(run, n, 7n);
      craft(d, d.ctx.expected?.get(d.leaf) as Point);
      run.say(n, 1, d.deal(), THIEVES);
      run.say(n, 2, random(300), THIEVES);
    }
    handOver(run, 'carol');
    // a closing message of no form comes first where there is one; the deals are judged before it
    expect(await offered(run, 'carol')).toBe(code);
    untouched('carol');
  });
});

describe('a real reshare that leaves carol out', () => {
  const STAY = ['alice', 'bob', 'dave'];
  const give = (): Promise<Run> => reshare(table, { honest: STAY }, { quorum: '2-of(alice, bob, dave)', dealers: [['alice', 'alice'], ['bob', 'bob']] });

  test('incomplete, or with a bit changed anywhere: nothing is destroyed; complete: everything is, and she says so', async () => {
    const run = await give();
    await run.settle();
    expect(STAY.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
    const blobs = run.files('alice').filter((f) => f.endsWith('.blob'));
    expect(blobs).toHaveLength(5);
    const { home } = table.party('carol');
    const isolated = new Map<string, Uint8Array>(run.files('alice').filter((f) => !f.startsWith('transcript/')).map((f) => [f, run.file('alice', f) as Uint8Array]));
    const put = (files: ReadonlyMap<string, Uint8Array>): void => {
      rmSync(run.folder('carol'), { recursive: true, force: true });
      for (const [f, bytes] of files) run.write('carol', f, bytes);
    };
    for (const left of blobs) {
      put(new Map([...isolated].filter(([f]) => f !== left)));
      expect([left, await offered(run, 'carol')]).toEqual([left, 'E_MISSING']);
    }
    for (const changed of [...blobs, 'base/certificate.json']) {
      const bytes = (isolated.get(changed) as Uint8Array).slice();
      bytes[bytes.length - 20] = (bytes.at(-20) as number) ^ 1;
      put(new Map([...isolated, [changed, bytes]]));
      expect([changed, await offered(run, 'carol')]).not.toEqual([changed, 'TAKEN']);
    }
    untouched('carol');
    put(isolated);
    expect(await offered(run, 'carol')).toBe('TAKEN');
    expect(standing(table, 'carol')).toMatchObject({ epoch: 2, share: false });
    expect(home.disk.list(join(home.root, 'keys/treasury/epoch-1/stock'))).toEqual([]);
    expect(parseStatement(run.file('carol', 'destroyed/carol.json') as Uint8Array, 'x')).toMatchObject({ owner: 'carol', epochs: [1], supersededBy: standing(table, 'alice').digest });
  });

  test('E_FORK: it builds on the epoch before the one that is active here: the share is locked, and not destroyed', async () => {
    const model = await give();
    table.restore('key');
    const run = await replantRekey(model, (p) => ({ ...p, rank: 3 }));
    await run.settle();
    expect(STAY.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
    handOver(run, 'carol');
    // meanwhile bob, a cheat with two copies of its home, had given the key to carol and mallory
    table.restore('key');
    for (const n of THIEVES) table.party(n).home.disk.erase(join(table.party(n).home.root, 'keys/treasury/epoch-1/certificate.json'));
    const other = await reshare(table, { honest: ['carol', 'bob', 'dave'] }, { quorum: '2-of(carol, bob, dave)', dealers: [['bob', 'bob'], ['carol', 'carol']] });
    await other.settle();
    expect([other.code('carol'), standing(table, 'carol').epoch]).toEqual(['DONE', 2]);
    expect(await offered(run, 'carol')).toBe('E_FORK');
    expect(standing(table, 'carol')).toMatchObject({ epoch: 2, share: true });
    // locked: it signs nothing and deals nothing until a person has looked
    const sign = await table.sign({ honest: ['bob', 'carol'], live: true });
    await sign.settle();
    expect(sign.code('carol')).toBe('E_FORK');
    const next = await reshare(table, { honest: ['bob', 'carol', 'dave'] }, { quorum: '2-of(bob, carol, dave)', dealers: [['bob', 'bob'], ['carol', 'carol']] });
    await next.settle();
    expect([next.code('carol'), next.file('carol', 'round-1/carol.blob')]).toEqual(['E_FORK', undefined]);
    releaseFork(table.party('carol').home, 'treasury');
    await next.settle();
    expect(next.code('carol')).toBe('DONE');
  });
});

/** A seat that claims another home: its one-time key is made for that one. */
function forPrekey<P extends { name: string; prekey: { n: number } }>(p: P, homeId: string): P {
  const { n } = p.prekey;
  const made = makePrekey({ owner: p.name, homeId, n }, random);
  return { ...p, homeId, prekey: { n, P: toHex(made.P), pop: toHex(made.pop) } };
}
