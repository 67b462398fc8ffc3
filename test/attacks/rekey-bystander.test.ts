/**
 * A courier or outsider hands a holder the record of a reshare that puts it out. Nothing but the shares of an old quorum
 * may make it destroy its own: rules C4a and P6.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { givenOn, takeUp } from '../../src/ceremony/bystander.ts';
import { openHome } from '../../src/ceremony/home.ts';
import { requireKey, requireNoFork, sharePath } from '../../src/ceremony/key-store.ts';
import type { RekeyPlan } from '../../src/plan/plan.ts';
import { type Certificate, completeCertificate, confirmBody, epochDigest, type EpochRecord, epochSeats, parseCertificate } from '../../src/protocols/epoch.ts';
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
    const run = await fabricated((plan) => ({ ...plan, participants: plan.participants.map((p) => (p.name === 'eve' ? forPrekey(p, homeId) : p)), dealers: 'dealers' in plan ? plan.dealers.map((d) => (d.name === 'eve' ? { ...d, homeId } : d)) : [] }));
    handOver(run, 'carol');
    expect(await offered(run, 'carol')).not.toBe('TAKEN');
    untouched('carol');
    await expectSigns(table, ['alice', 'carol'], 1);
  });

  test('on the real certificate, without the shares of anybody: every dealer is found out', async () => {
    const run = await fabricated();
    const real = requireKey(table.party('alice').home, 'treasury');
    const plan = { ...(run.plan as RekeyPlan), key: { ...(run.plan as { key: object }).key, certificate: toHex(real.digest) } };
    const planted = await replantRekey(run, () => plan, THIEVES, real.bytes);
    handOver(planted, 'carol');
    expect(await offered(planted, 'carol')).not.toBe('TAKEN');
    untouched('carol');
  });
});

/** A seat that claims another home: its one-time key is made for that one. */
function forPrekey<P extends { name: string; prekey: { n: number } }>(p: P, homeId: string): P {
  const { n } = p.prekey;
  const made = makePrekey({ owner: p.name, homeId, n }, random);
  return { ...p, homeId, prekey: { n, P: toHex(made.P), pop: toHex(made.pop) } };
}
void sharePath;
