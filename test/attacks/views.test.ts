/**
 * Party 2 shows different things to different participants, speaks in other names, repeats sessions.
 * Rows 35 to 38, 55, 56 of the attack table; THR-10.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rmSync } from 'node:fs';
import { abort } from '../../src/ceremony/engine.ts';
import { type DkgPlan, sessionId } from '../../src/plan/plan.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { confirmBody, parseConfirm } from '../../src/protocols/epoch.ts';
import { closingOf } from '../../src/protocols/machine.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { EMPTY_HEAD, makeBlob } from '../../src/wire/blob.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { Dealer } from '../support/dealer.ts';
import { expectAbort, expectEvidence, expectNoKey, expectNothingReleased } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const CONFIRM = 3;

const HONEST = ['alice', 'carol'];
const ALL = ['alice', 'mallory', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('fresh');
});

const begin = (over = {}): Promise<Run> => table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'], ...over });

/** Up to the deals of the honest; mallory has committed. */
async function revealed(): Promise<{ run: Run; dealer: Dealer }> {
  const run = await begin();
  const dealer = new Dealer(run, 'mallory');
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  return { run, dealer };
}

/** Up to the confirmations of the honest: only mallory's is missing. */
async function confirmed(): Promise<Run> {
  const { run, dealer } = await revealed();
  run.say('mallory', DEAL, dealer.deal(run.messages()));
  await run.settle();
  for (const name of HONEST) expect(closingOf(run.store(name)?.ownBlob(CONFIRM)?.body as Uint8Array)).toBe('close');
  return run;
}

/** A good confirmation of mallory, with a next one-time key of its choice. */
function confirm(run: Run, n = 1000): Uint8Array {
  const honest = parseConfirm(run.messages().get(CONFIRM)?.get(1)?.body as Uint8Array, 3);
  const { homeId } = table.party('mallory').home.facts;
  const { P, pop } = makePrekey({ owner: 'mallory', homeId, n }, random);
  return confirmBody({ echo: honest.echo, epoch: honest.epoch, prekey: { n, P, pop }, stock: [] });
}

describe('row 35 equivocation', () => {
  test('row 35 equivocation: two commits, shown to 1 and to 3', async () => {
    const run = await begin();
    await run.next('carol');
    for (const victim of HONEST) {
      run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit(), [victim]);
      await run.next(victim);
    }
    await run.settle();
    await expectAbort(run, 'E_EQUIVOCATION', 'mallory');
  });

  test('row 35 equivocation: both copies reach one participant through the evidence that another one wrote', async () => {
    // the courier overwrites mallory's file with the other copy before anybody has seen both
    const { run, dealer } = await revealed();
    const body = dealer.deal(run.messages());
    run.say('mallory', DEAL, body, ['alice']);
    await run.next('alice');
    dealer.salt = random(32);
    run.say('mallory', DEAL, dealer.deal(run.messages()), ['carol']);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').facts.participant]).toEqual(['E_COMMIT', 'mallory']);
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_EQUIVOCATION', 'mallory']);
    await expectEvidence(run, 'alice', 'E_EQUIVOCATION', 'mallory');
    expectNoKey(run, 'carol');
  });

  test('row 35 THR-10 E_VIEW: an echo that differs blames nobody until both copies are there', async () => {
    const run = await begin();
    await run.next('carol');
    const [one, two] = [new Dealer(run, 'mallory').commit(), new Dealer(run, 'mallory').commit()];
    run.say('mallory', COMMIT, one, ['alice']);
    run.say('mallory', COMMIT, two, ['carol']);
    await run.next('carol');
    await run.next('alice');
    // only messages that differ in nothing but the sender are carried: mallory's own files are held back
    for (const [from, to] of [['alice', 'carol'], ['carol', 'alice']] as const) {
      run.write(to, `round-1/${from}.blob`, run.file(from, `round-1/${from}.blob`) as Uint8Array);
    }
    await run.next('alice');
    await run.next('carol');
    for (const [from, to] of [['alice', 'carol'], ['carol', 'alice']] as const) run.write(to, `round-2/${from}.blob`, run.file(from, `round-2/${from}.blob`) as Uint8Array);
    for (const name of HONEST) run.say('mallory', DEAL, new Dealer(run, 'mallory').deal(run.messages(name)), [name]);
    await run.next('alice');
    // mallory's deal does not open its commit, whatever the views: that is found first
    expect(['E_VIEW', 'E_COMMIT']).toContain(run.code('alice'));
    expectNothingReleased(run, 'alice');
    await run.settle();
    for (const name of HONEST) {
      expect(run.error(name).facts.participant).toBe('mallory');
      expectNothingReleased(run, name);
      expectNoKey(run, name);
    }
  });

  test('row 35 THR-10 E_VIEW: a false echo in an otherwise honest deal stops the attempt and blames nobody', async () => {
    const { run, dealer } = await revealed();
    const body = dealer.deal(run.messages());
    run.say('mallory', DEAL, concat(random(32), body.slice(32)));
    await run.settle();
    for (const name of HONEST) {
      expect([run.code(name), run.error(name).exit, run.error(name).facts.participant]).toEqual(['E_VIEW', 23, undefined]);
      await expectEvidence(run, name, 'E_VIEW', undefined);
      expectNothingReleased(run, name);
      expectNoKey(run, name);
    }
    // it is not for good: whoever holds it may still be shown the truth; a person ends it
    await expect(abort(run.store('alice') as never, run.folder('alice'), table.party('alice').port, 'equivocation')).rejects.toMatchObject({ code: 'E_ABORTED' });
  });
});

describe('row 36 echo', () => {
  test.each<[string, (body: Uint8Array) => Uint8Array]>([
    ['stripped', (b) => b.slice(96)],
    ['one entry short', (b) => b.slice(32)],
    ['one entry long', (b) => concat(new Uint8Array(32), b)],
  ])('row 36 the echo of a deal is %s', async (_, change) => {
    const { run, dealer } = await revealed();
    run.say('mallory', DEAL, change(dealer.deal(run.messages())));
    await run.settle();
    await expectAbort(run, 'E_DEALING', 'mallory');
  });

  test('row 36 a confirmation without echo', async () => {
    const run = await confirmed();
    const body = confirm(run);
    run.say('mallory', CONFIRM, concat(body.slice(0, 1), body.slice(97)));
    await run.settle();
    for (const name of HONEST) expect([run.code(name), run.error(name).facts.participant]).toEqual(['E_FORMAT', 'mallory']);
  });
});

describe('rows 37 and 38 who speaks', () => {
  test('row 37 spoofed sender: mallory signs a message for the seat of 3', async () => {
    // whoever forges signs nothing that could be held against it: refused, and nobody is blamed
    const run = await begin();
    const blob = makeBlob(run.session, run.seat('carol'), COMMIT, EMPTY_HEAD, random(32), table.party('mallory').identity.signer);
    run.write('alice', 'round-1/carol.blob', blob);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').exit, run.error('alice').facts.participant]).toEqual(['E_SIGNATURE', 21, undefined]);
    expect(run.messages('alice').get(COMMIT)?.has(3)).toBe(false);
    // the honest message still counts
    run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
    await run.next('carol');
    run.carry(['carol', 'alice']);
    await run.next('alice');
    expect(run.store('alice')?.sent.has(DEAL)).toBe(true);
  });

  test('row 37 the name of a file says nothing: a message under another name counts for who signed it', async () => {
    const run = await begin();
    run.write('alice', 'round-3/carol.blob', run.blob('mallory', COMMIT, new Dealer(run, 'mallory').commit()));
    await run.next('alice');
    expect([...(run.messages('alice').get(COMMIT)?.keys() ?? [])].sort()).toEqual([1, 2]);
  });

  test('row 38 unknown key in the slot of 3', async () => {
    const run = await begin();
    const stranger = await table.seat('carol', 'stranger');
    const blob = makeBlob(run.session, run.seat('carol'), COMMIT, EMPTY_HEAD, random(32), stranger.identity.signer);
    run.write('alice', 'round-1/carol.blob', blob);
    await run.next('alice');
    expect(run.code('alice')).toBe('E_SIGNATURE');
    // and the stranger cannot join in carol's name either
    run.carry(['alice', 'carol']);
    table.parties.delete('stranger');
    table.parties.set('stranger', stranger);
    run.write('stranger', 'PLAN.yaml', run.file('alice', 'PLAN.yaml') as Uint8Array);
    await run.next('stranger');
    expect(run.code('stranger')).toBe('E_CARD');
    table.parties.delete('stranger');
    rmSync(stranger.home.root, { recursive: true });
  });

  test('row 37 a seat that the plan does not have', async () => {
    const run = await begin();
    const seat = { ...run.seat('mallory'), leaf: 9 };
    run.write('alice', 'round-1/x.blob', makeBlob(run.session, seat, COMMIT, EMPTY_HEAD, random(32), table.party('mallory').identity.signer));
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
  });

  test.each([0, 4, 255])('row 37 a message for round %i, which does not exist, names its sender', async (slot) => {
    const { run } = await revealed();
    run.say('mallory', slot, random(10));
    run.say('mallory', DEAL, random(10));
    await run.settle();
    await expectAbort(run, 'E_FORMAT', 'mallory');
  });

  test('row 37 a place in its own transcript that no transcript can have names its sender', async () => {
    // every honest journal records the heads that it has seen: an absurd one must not stop the journals
    const run = await begin();
    const blob = run.blob('mallory', COMMIT, new Dealer(run, 'mallory').commit(), { seq: 0xffffffff, hash: random(32) });
    for (const name of HONEST) run.write(name, 'round-1/mallory.blob', blob);
    await run.settle();
    await expectAbort(run, 'E_FORMAT', 'mallory');
  });
});

describe('row 55 sessions', () => {
  test('row 55 repeated session SGN-19: the same descriptor is joined once; a lost record is not begun again', async () => {
    const run = await begin();
    await run.next('carol');
    const first = run.file('carol', 'round-1/carol.blob');
    // joining again continues, byte for byte
    await run.next('carol');
    expect(run.file('carol', 'round-1/carol.blob')).toEqual(first);
    rmSync((run.store('carol') as { dir: string }).dir, { recursive: true });
    rmSync(`${run.folder('carol')}/round-1/carol.blob`);
    rmSync(`${run.folder('carol')}/transcript/carol.jsonl`);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_SESSION_SEEN', 20]);
    expect(run.file('carol', 'round-1/carol.blob')).toBeUndefined();
  });

  test('row 55 the 32 random bytes of the plan are in the session', async () => {
    const run = await begin();
    const other = { ...(run.plan as DkgPlan), nonce: toHex(random(32)) };
    expect(toHex(sessionId(other))).not.toBe(toHex(sessionId(run.plan)));
  });
});

describe('row 56 descriptors that differ', () => {
  test('row 56 3 was given another plan: the messages do not fit, nobody is blamed', async () => {
    const run = await begin();
    const other = await table.plant({ ...(run.plan as DkgPlan), nonce: toHex(random(32)) }, ['carol']);
    await other.next('carol');
    run.write('alice', 'round-1/carol.blob', other.file('carol', 'round-1/carol.blob') as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
    expect(run.error('alice').message).toContain('another ceremony');
    expect(run.messages('alice').get(COMMIT)?.size).toBe(1);
  });

  test('row 56 roster in another order: refused before any cryptography', async () => {
    const run = await begin();
    const [a, m, c] = (run.plan as DkgPlan).participants;
    const other = await table.plant({ ...(run.plan as DkgPlan), participants: [c, m, a] } as DkgPlan, ['carol']);
    await other.next('carol');
    expect([other.code('carol'), other.error('carol').exit, other.error('carol').facts.participant]).toEqual(['E_ROSTER_ORDER', 20, undefined]);
    expect(other.files('carol')).toEqual(['PLAN.yaml']);
  });
});
