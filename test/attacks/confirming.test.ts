/** Partial output, late and double confirmations, overlapping attempts. Row 62 of the attack table; rules C1, C3, C4, C6. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pendingEpochs, requireKey } from '../../src/ceremony/key-store.ts';
import { type DkgPlan, sessionId } from '../../src/plan/plan.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { confirmBody, parseConfirm } from '../../src/protocols/epoch.ts';
import { ABANDON_BODY, CLOSING, closingOf } from '../../src/protocols/machine.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { encodeChain, nextEntry } from '../../src/transcript/chain.ts';
import { ceremonyId } from '../../src/wire/blob.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { Dealer } from '../support/dealer.ts';
import { expectEvidence, expectNoKey, expectNothingReleased } from '../support/expect.ts';
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

describe('row 62 partial output, and the rules of confirmation', () => {
  test('row 62 late participant: without the last confirmation nobody can sign', async () => {
    const run = await confirmed();
    for (const name of HONEST) {
      expect(run.code(name)).toBe('WAIT');
      const { home } = table.party(name);
      expect(pendingEpochs(home, 'treasury')).toEqual([1]);
      expect(() => requireKey(home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
      expect(() => table.intent(name, 'pay')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
    }
  });

  test('row 62 it is finished by the last message, whenever it comes', async () => {
    const run = await confirmed();
    table.clock = new Date(table.clock.getTime() + 400 * 86_400_000);
    run.say('mallory', CONFIRM, confirm(run));
    await run.settle();
    table.clock = new Date('2026-03-01T12:00:00Z');
    expect(HONEST.map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
  });

  test.each<[string, (run: Run) => Uint8Array]>([
    ['of another epoch', (run) => {
      const body = confirm(run);
      body[97] = (body[97] as number) ^ 1;
      return body;
    }],
    ['with a next one-time key that is not newer', (run) => confirm(run, 1)],
    ['with stock that the plan does not ask for', (run) => {
      const c = parseConfirm(confirm(run), 3);
      return confirmBody({ ...c, stock: [random(64)] });
    }],
  ])('row 62 E_CONFIRM: a confirmation %s', async (_, make) => {
    const run = await confirmed();
    run.say('mallory', CONFIRM, make(run));
    await run.settle();
    for (const name of HONEST) {
      expect([run.code(name), run.error(name).facts.participant]).toEqual(['E_CONFIRM', 'mallory']);
      await expectEvidence(run, name, 'E_CONFIRM', 'mallory');
      expect(() => requireKey(table.party(name).home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
    }
  });

  test('C1 one closing message: after a confirmation neither refusal nor abandonment is signed, and the share stays (C3)', async () => {
    const run = await confirmed();
    const own = run.store('alice')?.ownBlob(CONFIRM)?.bytes;
    run.say('mallory', CONFIRM, ABANDON_BODY);
    await run.settle();
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_ABORTED', 'mallory']);
    expect(run.store('alice')?.ownBlob(CONFIRM)?.bytes).toEqual(own);
    expect(pendingEpochs(table.party('alice').home, 'treasury')).toEqual([1]);
  });

  test('C1 after a refusal no confirmation is signed', async () => {
    const { run, dealer } = await revealed();
    run.say('mallory', CONFIRM, Uint8Array.of(CLOSING.abandon));
    await run.settle();
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    for (const name of HONEST) {
      expect(run.code(name)).toBe('E_ABORTED');
      expectNothingReleased(run, name);
      expectNoKey(run, name);
    }
  });

  test('C3 a good confirmation for 3, a bad one for 1: whoever gets the certificate later still activates', async () => {
    const run = await confirmed();
    const bad = confirm(run);
    bad[97] = (bad[97] as number) ^ 1;
    run.say('mallory', CONFIRM, bad, ['alice']);
    await run.next('alice');
    expect(run.code('alice')).toBe('E_CONFIRM');
    run.say('mallory', CONFIRM, confirm(run), ['carol']);
    await run.next('carol');
    expect(run.code('carol')).toBe('DONE');
    // carol's folder holds the certificate: alice confirmed this epoch and holds its share
    run.carry(['carol', 'alice']);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    const [one, three] = HONEST.map((n) => requireKey(table.party(n).home, 'treasury'));
    expect(toHex(one?.digest as Uint8Array)).toBe(toHex(three?.digest as Uint8Array));
  });

  test('C3 two confirmations that differ in the next one-time key, one for 1 and one for 3: both activate and can sign together', async () => {
    const run = await confirmed();
    for (const [i, name] of HONEST.entries()) {
      run.say('mallory', CONFIRM, confirm(run, 2000 + i), [name]);
      await run.next(name);
      expect(run.code(name)).toBe('DONE');
    }
    await run.settle();
    // the certificates differ in mallory's part; the epoch is one
    const signing = await table.sign({ honest: HONEST });
    await signing.settle();
    expect(HONEST.map((n) => signing.code(n))).toEqual(['DONE', 'DONE']);
  });

  test('C4 who has joined a higher rank confirms no lower one any more', async () => {
    const { run, dealer } = await revealed();
    table.renew('alice');
    table.renew('carol');
    const again = await begin({ previous: { sid: toHex(sessionId(run.plan)), attempt: 1 } });
    await again.next('carol');
    expect((again.plan as DkgPlan).rank).toBe(2);
    // mallory's late deal arrives in the first attempt
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle();
    for (const name of HONEST) {
      expect(run.code(name)).toBe('E_RANK');
      expectNothingReleased(run, name);
    }
  });

  /** A second attempt by rank 2, in which everybody is honest, while the first one waits for mallory's confirmation. */
  async function secondAttempt(first: Run): Promise<Run> {
    for (const name of ALL) table.renew(name);
    return table.dkg({ quorum: '2-of(alice, carol)', honest: HONEST, previous: { sid: toHex(sessionId(first.plan)), attempt: 1 } });
  }

  test('C3, C6: the key of a later attempt does not destroy the confirmed share of another key', async () => {
    // mallory may have shown its confirmation to somebody: that key may be in use, and hold value
    const run = await confirmed();
    const again = await secondAttempt(run);
    await again.settle();
    expect(HONEST.map((n) => again.code(n))).toEqual(['DONE', 'DONE']);
    for (const name of HONEST) expect(pendingEpochs(table.party(name).home, 'treasury')).toEqual([1]);
  });

  test('C4 a key that became active while a further attempt was under way stops that attempt', async () => {
    const run = await confirmed();
    const again = await secondAttempt(run);
    run.say('mallory', CONFIRM, confirm(run), ['alice']);
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    await again.settle();
    expect(again.code('alice')).toBe('E_TWO_SHARES');
    expectNothingReleased(again, 'alice');
    expect(requireKey(table.party('alice').home, 'treasury').epoch.session).toBe(toHex(sessionId(run.plan)));
  });
});

describe('SGN-07 what a peer says it has seen', () => {
  /** A transcript of mallory that claims to have seen entry 999 of everybody. */
  function lie(run: Run): void {
    const { identity } = table.party('mallory');
    const owner = { author: 'mallory', identity: identity.signer.publicKey, ceremony: ceremonyId(run.session.sid) };
    const seen = Object.fromEntries(HONEST.map((n) => [n, { hash: toHex(random(32)), seq: 999 }]));
    const entry = nextEntry([], owner, { at: '2026-03-01T12:00:00Z', kind: 'aborted', reason: 'operator', seen }, identity.signer);
    for (const name of HONEST) run.write(name, 'transcript/mallory.jsonl', encodeChain([entry]));
  }
  test('a false claim stops this ceremony, which its author can do anyway, and locks nothing', async () => {
    const { run } = await revealed();
    lie(run);
    await run.settle();
    for (const name of HONEST) expect(run.code(name)).toBe('E_ROLLBACK');
    const other = await table.dkg({ name: 'other', quorum: '2-of(alice, carol)', honest: HONEST });
    await other.settle();
    expect(HONEST.map((n) => other.code(n))).toEqual(['DONE', 'DONE']);
  });
  test('nor does it take back a finished ceremony', async () => {
    const run = await confirmed();
    run.say('mallory', CONFIRM, confirm(run));
    await run.settle();
    lie(run);
    await run.settle();
    for (const name of HONEST) expect(run.code(name)).toBe('DONE');
  });
});
