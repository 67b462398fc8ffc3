/**
 * Boxes, complaints, confirmations and certificates of a refresh or reshare. Rows 29, 30, 32, 33, 35, 40, 44 and 62 of the
 * attack table; rules C1 to C6.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { prekeyState } from '../../src/ceremony/identity.ts';
import { pendingEpochs, requireKey, sharePath, stockPath } from '../../src/ceremony/key-store.ts';
import { parseStatement } from '../../src/transcript/statement.ts';
import { givenOn, takeUp } from '../../src/ceremony/bystander.ts';
import type { RekeyPlan, SignPlan } from '../../src/plan/plan.ts';
import { complaintBody } from '../../src/protocols/dkg-messages.ts';
import { NONCE, requestOf, SHARE, shareBody } from '../../src/protocols/frost-sign.ts';
import { decodeNonces } from '../../src/schnorr/nonce.ts';
import { suite } from '../../src/schnorr/suite.ts';
import { roundOf } from '../../src/protocols/keying.ts';
import { closingOf, echo, type Inbound, refusalBody } from '../../src/protocols/machine.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { ErrorCode } from '../../src/wire/errors.ts';
import { Cosigner } from '../support/cosigner.ts';
import { evidenceOf, expectEvidence } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';
import { expectRekeyAbort, expectSigns, expectStanding, Redealer, refresh, reshare, standing, standings } from '../support/redealer.ts';
import type { Run } from '../support/run.ts';
import { bothNonces } from '../support/signing.ts';
import { Stage } from '../support/stage.ts';

const [DEAL, CONFIRM] = [1, 2];
const HOLDERS = ['alice', 'mallory', 'carol'];
const ALL = [...HOLDERS, 'dave'];
const HONEST = ['alice', 'carol'];
let table: Table;
/** Everybody has dealt; mallory stays, and is to confirm. */
let dealt: Stage;
/** By alice and mallory, who stays, to mallory, carol and dave: alice leaves. */
let given: Stage;
let dealer: Redealer;
let giver: Redealer;
beforeAll(async () => {
  table = await Table.open(ALL);
  const key = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: HOLDERS, stock: 2 });
  await key.settle();
  table.save('key');
  const run = await refresh(table, { honest: HONEST, cheats: ['mallory'] }, { stock: 1 });
  await run.settle();
  dealer = new Redealer(run, 'mallory');
  dealt = new Stage(run, 'dealt');
  table.restore('key');
  const gift = await reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'] }, { quorum: '2-of(mallory, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
  await gift.settle();
  giver = new Redealer(gift, 'mallory');
  given = new Stage(gift, 'given');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const path = (label: string, ...parts: string[]): string => join(table.party(label).home.root, ...parts);
const has = (label: string, file: string): boolean => table.party(label).home.disk.exists(path(label, file));
/** Mallory deals as it should, in everybody's folder; nobody has taken it in yet. */
function afterDeal(moment = dealt, d = dealer): { run: Run; held: () => Inbound } {
  const run = moment.back();
  run.say('mallory', DEAL, d.deal());
  return { run, held: () => d.messages() };
}

describe('row 29 a bad sub-share for one receiver only', () => {
  /** Good boxes for 1 and 2, a bad one for 3: f(x) + (x − 1)(x − 2). */
  function spoil(d: Redealer): void {
    const { order: q } = d.ctx.group;
    const poly = d.poly as NonNullable<typeof d.poly>;
    const slope = poly.gates.get('')?.[0] as bigint;
    d.sealed = d.seal({ poly: { ...poly, constant: (poly.constant + 2n) % q, gates: new Map([['', [(slope + q - 3n) % q, 1n]]]) } });
  }
  test.each([[['carol', 'alice'] as const], [['alice', 'carol'] as const]])('row 29 in a refresh: the receiver complains, everybody judges, nobody activates (%j)', async (order) => {
    const run = dealt.back();
    const before = standings(table, ALL);
    const d = new Redealer(run, 'mallory');
    spoil(d);
    run.say('mallory', DEAL, d.deal());
    await run.settle(order);
    await expectRekeyAbort(run, 'E_VSS', 'mallory', before);
    expect(closingOf(run.store('carol')?.ownBlob(CONFIRM)?.body as Uint8Array)).toBe('complaint');
    // who had confirmed before is in doubt, and keeps the pending share (C3); who had not keeps none
    const confirmed = closingOf(run.store('alice')?.ownBlob(CONFIRM)?.body as Uint8Array) === 'close';
    expect([confirmed, pendingEpochs(table.party('alice').home, 'treasury')]).toEqual([order[0] === 'alice', order[0] === 'alice' ? [2] : []]);
    expect(pendingEpochs(table.party('carol').home, 'treasury')).toEqual([]);
    await expectSigns(table, HONEST, 1);
  });
  test('row 29 in a reshare: a newcomer complains, and the dealer who leaves names the other one too', async () => {
    const run = given.back();
    const before = standings(table, ALL);
    const d = new Redealer(run, 'mallory');
    spoil(d);
    run.say('mallory', DEAL, d.deal());
    await run.settle();
    await expectRekeyAbort(run, 'E_VSS', 'mallory', before);
    expect(closingOf(run.store('dave')?.ownBlob(CONFIRM)?.body as Uint8Array)).toBe('complaint');
    await expectSigns(table, HONEST, 1);
  });
});

describe('row 30 false complaints', () => {
  const alice = (d: Redealer): number => d.run.seat('alice').leaf;
  test.each<[string, (d: Redealer, held: Inbound) => Uint8Array | Promise<Uint8Array>, ErrorCode]>([
    ['about a good sub-share, with the true key of the box', (d, held) => d.complain(held, alice(d)), 'E_FALSE_COMPLAINT'],
    ['about its own dealing', (d, held) => d.complain(held, d.leaf), 'E_FALSE_COMPLAINT'],
    ['with noise', (d, held) => complaintBody({ echo: echo(roundOf(held, DEAL)), dealer: alice(d), complaint: random(128) }), 'E_FALSE_COMPLAINT'],
    ['about nobody', (_, held) => complaintBody({ echo: echo(roundOf(held, DEAL)), dealer: 9, complaint: random(128) }), 'E_FORMAT'],
    ['cut off', async (d, held) => (await d.complain(held, alice(d))).slice(0, -1), 'E_FALSE_COMPLAINT'],
  ])('row 30 %s', async (_, make, code) => {
    for (const [moment, d] of [[dealt, dealer], [given, giver]] as const) {
      const { run, held } = afterDeal(moment, d);
      const before = standings(table, ALL);
      run.say('mallory', CONFIRM, await make(d, held()));
      await run.settle();
      await expectRekeyAbort(run, code, 'mallory', before);
    }
  });
  test('row 30 the dealer who leaves complains: it has nothing to complain of', async () => {
    const run = await reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
    await run.settle();
    const before = standings(table, ALL);
    const d = new Redealer(run, 'mallory');
    run.say('mallory', DEAL, d.deal());
    run.say('mallory', CONFIRM, complaintBody({ echo: echo(roundOf(d.messages(), DEAL)), dealer: 1, complaint: random(128) }));
    await run.settle();
    await expectRekeyAbort(run, 'E_FORMAT', 'mallory', before);
  });
});

describe('out of turn', () => {
  const leaving = async (): Promise<{ run: Run; d: Redealer; before: ReturnType<typeof standings> }> => {
    const run = await reshare(table, { honest: ['alice', 'carol', 'dave'], cheats: ['mallory'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
    await run.settle();
    const d = new Redealer(run, 'mallory');
    run.say('mallory', DEAL, d.deal());
    return { run, d, before: standings(table, ALL) };
  };
  test('a dealer who leaves sends a confirmation', async () => {
    const { run, d, before } = await leaving();
    run.say('mallory', CONFIRM, await d.confirm(d.messages()));
    await run.settle();
    await expectRekeyAbort(run, 'E_FORMAT', 'mallory', before);
    await expectSigns(table, HONEST, 1);
  });
  test('a dealer who leaves refuses: the attempt ends, and proves nothing against anybody', async () => {
    const { run, before } = await leaving();
    run.say('mallory', CONFIRM, refusalBody('E_POP', 1));
    await run.settle();
    for (const n of run.honest) expect([n, run.code(n), evidenceOf(run, n)]).toEqual([n, 'E_ABORTED', []]);
    expectStanding(table, before);
  });
  test('a newcomer deals', async () => {
    const run = await reshare(table, { honest: HOLDERS, cheats: ['dave'] }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
    const before = standings(table, ALL);
    run.say('dave', DEAL, new Redealer(run, 'mallory').deal());
    await run.settle();
    await expectRekeyAbort(run, 'E_FORMAT', 'dave', before);
    await expectSigns(table, HONEST, 1);
  });
  test('a round that does not exist', async () => {
    const { run, before } = await leaving();
    run.say('mallory', 3, random(10));
    await run.settle();
    await expectRekeyAbort(run, 'E_FORMAT', 'mallory', before);
  });
  test('a deal in the name of carol, signed by mallory, is no message of carol', async () => {
    const run = dealt.back();
    const forged = run.blob('mallory', DEAL, dealer.deal());
    // version 1 ‖ ceremony 16 ‖ slot 1 ‖ leaf: the seat of carol, signed by mallory
    const bytes = forged.slice();
    expect(bytes[18]).toBe(run.seat('mallory').leaf);
    bytes[18] = run.seat('carol').leaf;
    run.say('mallory', DEAL, dealer.deal());
    const confirm = await dealer.confirm(dealer.messages());
    for (const n of HONEST) run.write(n, 'round-1/carol-2.blob', bytes);
    run.say('mallory', CONFIRM, confirm);
    await run.settle();
    expect(HONEST.map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
  });
});

describe('row 35 equivocation', () => {
  test('two deals: both signed copies name mallory, whoever brings them together', async () => {
    const run = dealt.back();
    const before = standings(table, ALL);
    const other = new Redealer(run, 'mallory');
    run.say('mallory', DEAL, dealer.deal(), ['alice']);
    run.say('mallory', DEAL, other.deal(), ['carol']);
    await run.next('alice');
    await run.next('carol');
    for (const n of HONEST) expect(run.store(n)?.sent.has(CONFIRM)).toBe(true);
    // each is given what the other has
    run.write('carol', 'round-1/other.blob', run.file('alice', 'round-1/mallory.blob') as Uint8Array);
    run.write('alice', 'round-1/other.blob', run.file('carol', 'round-1/mallory.blob') as Uint8Array);
    for (const n of HONEST) await run.next(n);
    await expectRekeyAbort(run, 'E_EQUIVOCATION', 'mallory', before);
    for (const n of HONEST) expect(pendingEpochs(table.party(n).home, 'treasury')).toEqual([2]);
    await expectSigns(table, HONEST, 1);
  });
  test('two deals, and only the confirmations meet: nobody is blamed, nobody activates', async () => {
    const run = dealt.back();
    const before = standings(table, ALL);
    const other = new Redealer(run, 'mallory');
    run.say('mallory', DEAL, dealer.deal(), ['alice']);
    run.say('mallory', DEAL, other.deal(), ['carol']);
    await run.next('alice');
    await run.next('carol');
    run.write('carol', 'round-2/alice.blob', run.file('alice', 'round-2/alice.blob') as Uint8Array);
    run.write('alice', 'round-2/carol.blob', run.file('carol', 'round-2/carol.blob') as Uint8Array);
    run.say('mallory', CONFIRM, await dealer.confirm(dealer.messages('alice')), ['alice']);
    run.say('mallory', CONFIRM, await other.confirm(other.messages('carol')), ['carol']);
    for (const n of HONEST) await run.next(n);
    for (const n of HONEST) expect([n, run.code(n), run.error(n).facts.participant]).toEqual([n, 'E_VIEW', undefined]);
    expectStanding(table, before);
    await expectSigns(table, HONEST, 1);
  });
  test('two confirmations: the certificate stands with either, and no second epoch comes of it', async () => {
    const { run, held } = afterDeal();
    run.carry();
    const [first, second] = [await dealer.confirm(held()), await dealer.confirm(held())];
    run.say('mallory', CONFIRM, first, ['alice']);
    run.say('mallory', CONFIRM, second, ['carol']);
    await run.next('alice');
    await run.next('carol');
    run.write('alice', 'round-2/carol.blob', run.file('carol', 'round-2/carol.blob') as Uint8Array);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    // carol sees both, and the certificate of alice
    for (const f of run.files('alice')) if (!f.endsWith('mallory.blob')) run.write('carol', f, run.file('alice', f) as Uint8Array);
    run.write('carol', 'round-2/m2.blob', run.file('alice', 'round-2/mallory.blob') as Uint8Array);
    await run.next('carol');
    expect(standing(table, 'carol')).toEqual(standing(table, 'alice'));
    expect(standing(table, 'carol')).toMatchObject({ epoch: 2, share: true });
    await expectSigns(table, HONEST, 2);
  });
});

describe('confirmations', () => {
  test.each<[string, (d: Redealer, held: Inbound) => Promise<Uint8Array>, ErrorCode]>([
    ['of another epoch', (d, held) => d.confirm(held, { epoch: random(32) }), 'E_CONFIRM'],
    ['of the base', (d, held) => d.confirm(held, { epoch: d.base.digest }), 'E_CONFIRM'],
    ['with a one-time key without proof', (d, held) => d.confirm(held, { prekey: { n: 1000, P: makePrekey({ owner: 'mallory', homeId: '00', n: 1 }, random).P, pop: new Uint8Array(64) } }), 'E_POP'],
    ['with the one-time key of this ceremony again', (d, held) => {
      const { homeId } = d.party.home.facts;
      const { n } = (d.ctx.plan as RekeyPlan).participants[d.leaf - 1]?.prekey as { n: number };
      const { P, pop } = makePrekey({ owner: 'mallory', homeId, n }, random);
      return d.confirm(held, { prekey: { n, P, pop } });
    }, 'E_CONFIRM'],
    ['with a stock that nobody asked for', (d, held) => d.confirm(held, { stock: Array.from({ length: 3 }, () => random(64)) }), 'E_CONFIRM'],
    ['with noise for a stock', (d, held) => d.confirm(held, { stock: [new Uint8Array(64).fill(255)] }), 'E_POINT'],
    ['with a byte too many', async (d, held) => concat(await d.confirm(held), Uint8Array.of(0)), 'E_POINT'],
    ['that is empty', () => Promise.resolve(Uint8Array.of(1)), 'E_FORMAT'],
  ])('%s', async (_, make, code) => {
    const { run, held } = afterDeal();
    const before = standings(table, ALL);
    run.say('mallory', CONFIRM, await make(dealer, held()));
    await run.settle();
    for (const n of HONEST) {
      expect([n, run.error(n).facts.participant, evidenceOf(run, n)[0]?.code]).toEqual([n, 'mallory', run.code(n)]);
      if (code !== 'E_POINT') expect([n, run.code(n)]).toEqual([n, code]);
      await expectEvidence(run, n, run.code(n) as ErrorCode, 'mallory');
    }
    expectStanding(table, before);
    await expectSigns(table, HONEST, 1);
  });
});

describe('rows 32, 62 a confirmation is withheld', () => {
  test('row 62 without the last confirmation nobody has the new epoch, and everybody the old one', async () => {
    for (const [moment, d, honest] of [[dealt, dealer, HONEST], [given, giver, ['carol', 'dave']]] as const) {
      const { run } = afterDeal(moment, d);
      const before = standings(table, ALL);
      await run.settle();
      expectStanding(table, before);
      for (const n of honest) {
        expect([n, run.code(n), pendingEpochs(table.party(n).home, 'treasury')]).toEqual([n, 'WAIT', [2]]);
      }
      await expectSigns(table, HONEST, 1);
      // no plan for the pending epoch, by anybody
      const forced = await table.sign({ honest: HONEST, live: true });
      const plan = { ...(forced.plan as SignPlan), nonce: 'ab'.repeat(32), key: { ...(forced.plan as SignPlan).key, epoch: 2 } };
      const planted = await table.plant(plan, HONEST, { 'intent.json': forced.file('alice', 'intent.json') as Uint8Array, 'message.bin': forced.file('alice', 'message.bin') as Uint8Array, 'base/certificate.json': forced.file('alice', 'base/certificate.json') as Uint8Array });
      await planted.settle();
      for (const n of HONEST) expect(['E_EPOCH', 'E_CERTIFICATE']).toContain(planted.code(n));
    }
  });

  test('row 32 shown to alice alone: her certificate heals carol, who was shown a refusal', async () => {
    const { run, held } = afterDeal();
    run.carry();
    const confirm = await dealer.confirm(held());
    await run.next('alice');
    await run.next('carol');
    run.write('alice', 'round-2/carol.blob', run.file('carol', 'round-2/carol.blob') as Uint8Array);
    run.say('mallory', CONFIRM, confirm, ['alice']);
    run.say('mallory', CONFIRM, refusalBody('E_VSS', 1), ['carol']);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    await run.next('carol');
    expect(run.code('carol')).toBe('E_ABORTED');
    expect(pendingEpochs(table.party('carol').home, 'treasury')).toEqual([2]);
    // signatures of the mixture do not come about: each refuses the other's plan
    const mixed = await table.sign({ honest: HONEST, live: true, lead: 'carol' });
    await mixed.settle();
    expect(mixed.code('alice')).toBe('E_EPOCH');
    for (const f of ['transcript/certificate.json']) run.write('carol', f, run.file('alice', f) as Uint8Array);
    await run.next('carol');
    expect([run.code('carol'), standing(table, 'carol')]).toEqual(['DONE', standing(table, 'alice')]);
    await expectSigns(table, HONEST, 2);
  });

  test('row 32 a dealer who leaves was shown a refusal, the others a confirmation: with the whole record it destroys its share', async () => {
    const { run, held } = afterDeal(given, giver);
    run.say('mallory', CONFIRM, refusalBody('E_POP', 1), ['alice']);
    await run.next('alice');
    expect(run.code('alice')).toBe('E_ABORTED');
    run.carry(['carol', 'dave']);
    run.say('mallory', CONFIRM, await giver.confirm(held()), ['carol', 'dave']);
    await run.settle(['carol', 'dave']);
    expect(['carol', 'dave'].map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
    expect(standing(table, 'alice')).toMatchObject({ epoch: 1, share: true });
    for (const f of run.files('carol')) run.write('alice', f, run.file('carol', f) as Uint8Array);
    await run.next('alice');
    const { home, port } = table.party('alice');
    const plan = await givenOn(home, run.folder('alice'));
    expect(plan).toBeDefined();
    if (plan) await takeUp(home, plan, run.folder('alice'), port);
    expect(standing(table, 'alice')).toMatchObject({ epoch: 2, share: false });
  });

  test('C4a a withheld confirmation in attempt 1, attempt 2 without mallory completed, then the certificate of 1 to carol', async () => {
    const { run, held } = afterDeal();
    run.carry();
    const confirm = await dealer.confirm(held());
    await run.next('alice');
    await run.next('carol');
    expect(HONEST.map((n) => pendingEpochs(table.party(n).home, 'treasury'))).toEqual([[2], [2]]);
    const reserved = (run.plan as RekeyPlan).participants[0]?.prekey.n as number;
    const next = await reshare(table, { honest: [...HONEST, 'dave'] }, { replace: [['mallory', 'dave']], dealers: HONEST.map((n) => [n, n] as const) });
    // alice, who has everybody's confirmation of 1 now, has joined 2: she activates 1 first, and 2 afterwards
    await next.next('carol');
    run.say('mallory', CONFIRM, confirm, ['alice']);
    run.write('alice', 'round-2/carol.blob', run.file('carol', 'round-2/carol.blob') as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), standing(table, 'alice').epoch]).toEqual(['DONE', 2]);
    // her deal of attempt 2 had left before: it completes on epoch 1
    await next.settle();
    const epochs = [...HONEST, 'dave'].map((n) => standing(table, n).epoch);
    // one epoch in the end, or 2 still usable by whoever holds it with carol once she is given its certificate
    if (epochs.every((e) => e === 3)) {
      await expectSigns(table, HONEST, 3);
      expect(['alice', 'carol'].map((n) => [pendingEpochs(table.party(n).home, 'treasury'), has(n, sharePath('treasury', 1)), has(n, sharePath('treasury', 2))])).toEqual([[[], false, false], [[], false, false]]);
    } else {
      run.write('carol', 'transcript/certificate.json', run.file('alice', 'transcript/certificate.json') as Uint8Array);
      await run.next('carol');
      expect(standing(table, 'carol')).toMatchObject({ epoch: 2, share: true });
      await expectSigns(table, HONEST, 2);
    }
    expect(prekeyState(table.party('alice').home, reserved)).toBe('reserved');
  });

  test('C6, P4 a completed attempt destroys what the one before it left: pending share, one-time key, round secrets', async () => {
    const { run } = afterDeal();
    await run.settle();
    const first = run.plan as RekeyPlan;
    const secret = (n: string): string => `identity/prekeys/${String(first.participants.find((p) => p.name === n)?.prekey.n)}.sealed`;
    expect(HONEST.map((n) => [pendingEpochs(table.party(n).home, 'treasury'), has(n, secret(n))])).toEqual([[[2], true], [[2], true]]);
    const next = await reshare(table, { honest: [...HONEST, 'dave'] }, { replace: [['mallory', 'dave']], dealers: HONEST.map((n) => [n, n] as const) });
    await next.settle();
    expect(HONEST.map((n) => [standing(table, n).epoch, pendingEpochs(table.party(n).home, 'treasury'), has(n, sharePath('treasury', 2))])).toEqual([[3, [], false], [3, [], false]]);
    // with these and the public record of attempt 1, its boxes would open
    expect(HONEST.map((n) => [n, has(n, secret(n))])).toEqual(HONEST.map((n) => [n, false]));
    expect((next.plan as RekeyPlan & { dealt?: string[] }).dealt).toEqual(['alice', 'carol', 'mallory']);
  });
});

describe('rows 33, 40, 44 what is left of the epoch before', () => {
  /** A refresh that came to its end, with everybody honest. */
  async function done(): Promise<void> {
    const run = await refresh(table, { honest: HOLDERS }, { stock: 1 });
    await run.settle();
    expect(HOLDERS.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  }

  test('row 44 shares and stocks of the old epoch are gone, one-time keys of the ceremony too, and each says so, signed', async () => {
    const run = await refresh(table, { honest: HOLDERS }, { stock: 1 });
    await run.settle();
    const all = run.plan as RekeyPlan;
    for (const n of HOLDERS) {
      expect([0, 1].map((i) => has(n, stockPath('treasury', 1, i)))).toEqual([false, false]);
      expect([has(n, sharePath('treasury', 1)), has(n, sharePath('treasury', 2)), has(n, stockPath('treasury', 2, 0))]).toEqual([false, true, true]);
      expect(has(n, `identity/prekeys/${String(all.participants.find((p) => p.name === n)?.prekey.n)}.sealed`)).toBe(false);
      const statement = parseStatement(run.file(n, `destroyed/${n}.json`) as Uint8Array, 'x');
      expect(statement).toMatchObject({ owner: n, epochs: [1], supersededBy: standing(table, n).digest });
      expect(table.party(n).home.disk.list(path(n, 'keys/treasury/epoch-1')).filter((f) => f.endsWith('.sealed'))).toEqual([]);
    }
  });

  test('row 33 a plan of the old epoch, also one that was joined before, also from stock', async () => {
    const joined = await table.sign({ honest: HONEST, live: true, message: 'joined before' });
    await joined.next('carol');
    const stocked = await table.sign({ honest: HONEST, message: 'from stock' });
    const fresh = await table.sign({ honest: HONEST, live: true, message: 'not joined' });
    await done();
    // carol had answered the first, alice the second; nobody answers what is left
    for (const [run, who] of [[joined, 'alice'], [stocked, 'carol'], [fresh, 'carol']] as const) {
      run.carry();
      await run.next(who);
      expect([who, run.code(who)]).toEqual([who, 'E_EPOCH']);
      expect(run.file(who, `round-2/${who}.blob`)).toBeUndefined();
      expect(run.files(who)).not.toContain('signature.bin');
    }
  });

  test('row 33 a share of the old epoch, forced into a signing of the new one, names its sender', async () => {
    const old = table.party('mallory').identity.vault.get(sharePath('treasury', 1)) as Uint8Array;
    await done();
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'], live: true });
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    // the program itself refuses to sign with it
    const { vault } = mallory.party.identity;
    const current = vault.get(sharePath('treasury', 2)) as Uint8Array;
    vault.put(sharePath('treasury', 2), old);
    expect(() => mallory.share(bothNonces(run), mallory.made.nonces.slice())).toThrow(expect.objectContaining({ code: 'E_EPOCH' }));
    vault.put(sharePath('treasury', 2), current);
    const request = requestOf(mallory.ctx, bothNonces(run));
    const { frost, group } = suite('frost-ed25519');
    const seat = request.key.seats.find((x) => x.leaf.id === mallory.leaf) as (typeof request.key.seats)[number];
    const signingShare = frost.utils.Fn.toBytes((seat.scale * group.decodeScalar(old)) % group.order);
    const share = frost.signShare({ identifier: seat.identifier, signingShare }, request.key.frost, decodeNonces('frost-ed25519', mallory.made.nonces), [...request.list], request.message);
    run.say('mallory', SHARE, shareBody(request.hash, share));
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_SHARE', 'mallory']);
    await expectEvidence(run, 'alice', 'E_SHARE', 'mallory');
    await expectSigns(table, HONEST, 2);
  });

  test('row 33 a stock of the old epoch in a plan of the new one', async () => {
    const before = await table.sign({ honest: HONEST, message: 'x' });
    await done();
    const model = await table.sign({ honest: HONEST, message: 'y' });
    const stocks = (before.plan as SignPlan).participants;
    const plan = { ...(model.plan as SignPlan), nonce: 'cd'.repeat(32), participants: (model.plan as SignPlan).participants.map((p, i) => ({ ...p, stock: stocks[i]?.stock })) } as SignPlan;
    const run = await table.plant(plan, HONEST, Object.fromEntries(['intent.json', 'message.bin', 'base/certificate.json'].map((f) => [f, model.file('alice', f) as Uint8Array])));
    await run.settle();
    for (const n of HONEST) expect([n, ['E_NONCE_BURNED', 'E_PLAN_FIELD', 'E_REQUEST', 'E_CERTIFICATE', 'E_INTENT_SEEN'].includes(run.code(n)), run.file(n, 'signature.bin')]).toEqual([n, true, undefined]);
  });

  test('row 33 a home put back to the old epoch deals and signs nothing that the others take', async () => {
    table.save('old');
    await done();
    table.restore('old', 'carol');
    // she is asked to sign by herself: the plan is of epoch 1, alice refuses
    const run = await table.sign({ honest: ['carol', 'alice'], live: true });
    await run.settle();
    expect(run.code('alice')).toBe('E_EPOCH');
    // and a refresh that alice leads is none of hers
    const next = await refresh(table, { honest: HONEST, cheats: ['mallory'] });
    await next.settle();
    expect(['E_EPOCH', 'E_ROLLBACK', 'E_PREKEY_BUSY', 'E_LOCKED']).toContain(next.code('carol'));
    expect(requireKey(table.party('alice').home, 'treasury').epoch.number).toBe(2);
  });
});
