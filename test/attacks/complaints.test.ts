/** Complaints, closing messages and evidence, true and false. Rows 29, 30, 60 of the attack table. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { prekeySecret } from '../../src/ceremony/identity.ts';
import { pendingEpochs, requireKey } from '../../src/ceremony/key-store.ts';
import type { DkgPlan } from '../../src/plan/plan.ts';
import { COMMIT, DEAL, dkgContext, dkgFindings } from '../../src/protocols/dkg.ts';
import { complaintBody } from '../../src/protocols/dkg-messages.ts';
import { closingOf, echo, type Inbound, refusalBody } from '../../src/protocols/machine.ts';
import { complaintContext, complaintStatement, disputeOf } from '../../src/sharing/complaint.ts';
import { proveDleq } from '../../src/sharing/prove.ts';
import { FIRST_BASE, multiply } from '../../src/sharing/sealing-group.ts';
import { type Envelope, makeBlob, openBlob } from '../../src/wire/blob.ts';
import { concat, toHex, utf8 } from '../../src/wire/bytes.ts';
import { Dealer } from '../support/dealer.ts';
import { type Evidence, evidenceOf, expectAbort, expectEvidence, expectNoKey, judge } from '../support/expect.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';
import { anybody } from '../../src/protocols/crew.ts';

const CONFIRM = 3;

const HONEST = ['alice', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
beforeAll(async () => {
  table = await Table.open(['alice', 'mallory', 'carol']);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('fresh');
});

/** A key generation in which the honest participants have revealed, mallory has committed, and is to reveal. */
async function revealed(craft: (d: Dealer, run: Run) => void = () => undefined): Promise<{ run: Run; dealer: Dealer }> {
  const run = await table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
  await run.settle();
  const dealer = new Dealer(run, 'mallory');
  craft(dealer, run);
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  return { run, dealer };
}
const flip = (bytes: Uint8Array, at: number): Uint8Array => {
  const out = bytes.slice();
  out[at] = (out[at] as number) ^ 1;
  return out;
};

describe('row 29 a bad sub-share for one receiver only', () => {
  /** Good boxes for 1 and 2, a bad one for 3. */
  async function cheatCarol(order: readonly string[]): Promise<Run> {
    const { run, dealer } = await revealed();
    // f(x) + (x − 1)(x − 2) agrees with f at 1 and 2
    const { order: q } = dealer.ctx.group;
    const slope = dealer.poly.gates.get('')?.[0] as bigint;
    dealer.sealed = dealer.seal({ poly: { ...dealer.poly, constant: (dealer.poly.constant + 2n) % q, gates: new Map([['', [(slope + q - 3n) % q, 1n]]]) } });
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    await run.settle(order);
    return run;
  }

  test('row 29 DKG-03 E_VSS: the receiver complains, everybody judges, nobody activates', async () => {
    const run = await cheatCarol(['carol', 'alice']);
    await expectAbort(run, 'E_VSS', 'mallory');
    expect(closingOf(run.store('carol')?.ownBlob(CONFIRM)?.body as Uint8Array)).toBe('complaint');
  });

  test('row 29 C1, C3: who confirmed before the complaint arrived keeps a pending share and activates nothing', async () => {
    const run = await cheatCarol(['alice', 'carol']);
    for (const name of HONEST) {
      expect([run.error(name).code, run.error(name).facts.participant]).toEqual(['E_VSS', 'mallory']);
      await expectEvidence(run, name, 'E_VSS', 'mallory');
    }
    const { home } = table.party('alice');
    expect(closingOf(run.store('alice')?.ownBlob(CONFIRM)?.body as Uint8Array)).toBe('close');
    expect(pendingEpochs(home, 'treasury')).toEqual([1]);
    expect(() => requireKey(home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
    expectNoKey(run, 'carol');
  });
});

describe('row 30 false complaints', () => {
  /** Everything is honest up to the deals; then mallory complains instead of confirming. */
  async function complain(make: (run: Run, dealer: Dealer) => Uint8Array | Promise<Uint8Array>): Promise<Run> {
    const { run, dealer } = await revealed();
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    // let the deals arrive, nobody confirms before the complaint is there
    run.carry();
    const { messages } = await held(run);
    run.say('mallory', CONFIRM, await make(run, dealer));
    void messages;
    await run.settle();
    return run;
  }
  /** The deals of all, though nobody has taken mallory's in yet. */
  function held(run: Run): { messages: Inbound } {
    const messages = new Map([...run.messages()].map(([slot, m]) => [slot, new Map(m)]));
    const mallory = openBlob(run.file('alice', 'round-2/mallory.blob') as Uint8Array, run.session);
    messages.get(DEAL)?.set(2, mallory);
    return { messages };
  }
  const about = (run: Run, dealer: number, complaint: Uint8Array): Uint8Array =>
    complaintBody({ echo: echo(held(run).messages.get(DEAL) as ReadonlyMap<number, Envelope>), dealer, complaint });

  /** K and proof, the way an honest complainer makes them. */
  async function realComplaint(run: Run, accused: number, wrongK = false): Promise<Uint8Array> {
    const ctx = dkgContext(run.plan as DkgPlan);
    const { result } = await dkgFindings(ctx, held(run).messages, anybody);
    if (!result) throw new Error('the dealings are not good');
    const dispute = disputeOf(result.verdict, accused, ctx.quorum.leaves[1] as never);
    const { n } = (run.plan as DkgPlan).participants[1]?.prekey as { n: number };
    const p = prekeySecret(table.party('mallory').identity.vault, n) as Uint8Array;
    const K = multiply(p, wrongK ? FIRST_BASE : dispute.dealing.sealing.E);
    return concat(K, proveDleq(complaintContext(dispute), p, complaintStatement(dispute, K), random));
  }

  test.each<[string, (run: Run) => Uint8Array | Promise<Uint8Array>]>([
    ['about a good sub-share, with the true key of the box', async (run) => about(run, 1, await realComplaint(run, 1))],
    ['with a false key of the box', async (run) => about(run, 1, await realComplaint(run, 1, true))],
    ['with noise', (run) => about(run, 3, random(128))],
    ['cut off', async (run) => about(run, 3, (await realComplaint(run, 3)).slice(0, 100))],
    ['with a byte too many', async (run) => about(run, 1, concat(await realComplaint(run, 1), Uint8Array.of(0)))],
    ['about one dealer with the proof for another', async (run) => about(run, 3, await realComplaint(run, 1))],
    ['about its own dealing', async (run) => about(run, 2, await realComplaint(run, 2))],
  ])('row 30 false complaint %s: the complainer is named', async (_, make) => {
    const run = await complain(make);
    await expectAbort(run, 'E_FALSE_COMPLAINT', 'mallory');
  });

  test.each([0, 4, 255])('row 30 a complaint about dealer %i, who does not exist', async (dealer) => {
    const run = await complain((r) => about(r, dealer, random(128)));
    await expectAbort(run, 'E_FORMAT', 'mallory');
  });

  test.each<[string, Uint8Array]>([
    ['an unknown kind', Uint8Array.of(9)],
    ['nothing', new Uint8Array(0)],
    ['a refusal with a byte too many', concat(refusalBody('E_POP', 1), Uint8Array.of(0))],
    ['a refusal with an unknown code', Uint8Array.of(3, 200, 1)],
    ['a confirmation without contents', Uint8Array.of(1)],
  ])('row 30 a closing message that is %s names its sender', async (_, body) => {
    const run = await complain(() => body);
    await expectAbort(run, 'E_FORMAT', 'mallory');
  });

  test('row 30 a refusal that names an honest participant blames nobody but ends the attempt', async () => {
    const run = await complain(() => refusalBody('E_POP', 1));
    for (const name of HONEST) {
      expect(run.error(name).code).toBe('E_ABORTED');
      expect(run.error(name).facts.participant).toBe('mallory');
      expect(evidenceOf(run, name)).toEqual([]);
      expectNoKey(run, name);
    }
  });
});

describe('row 60 evidence that frames', () => {
  let run: Run;
  let good: Evidence;
  beforeEach(async () => {
    const made = await revealed();
    ({ run } = made);
    made.dealer.salt = random(32);
    run.say('mallory', DEAL, made.dealer.deal(run.messages()));
    await run.settle();
    await expectAbort(run, 'E_COMMIT', 'mallory');
    good = evidenceOf(run, 'alice')[0] as Evidence;
  });
  const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const raw = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

  const nothing = { code: 'E_EVIDENCE', culprit: undefined };

  test('row 60 forged evidence: the true envelopes name mallory, and prove nothing of anybody else', async () => {
    expect(await judge(run, good)).toEqual({ code: 'E_COMMIT', culprit: 'mallory' });
    expect(await judge(run, { ...good, participant: 'carol' })).toEqual(nothing);
    expect(await judge(run, { ...good, code: 'E_POP' })).toEqual(nothing);
    expect(await judge(run, { ...good, envelopes: [...good.envelopes, good.envelopes[0] as string] })).toEqual(nothing);
    expect(await judge(run, { ...good, envelopes: [] })).toEqual(nothing);
  });
  test('row 60 a byte of an honest envelope changed: the signature does not hold', async () => {
    const [first, ...rest] = good.envelopes;
    const at = raw(first as string);
    for (let i = 0; i < at.length; i += 11) expect(await judge(run, { ...good, envelopes: [b64(flip(at, i)), ...rest] })).toEqual(nothing);
  });
  test('row 60 an envelope in the name of 3, signed by mallory', async () => {
    const forged = makeBlob(run.session, run.seat('carol'), 9, { seq: 1, hash: new Uint8Array(32) }, utf8('nonsense'), table.party('mallory').identity.signer);
    expect(await judge(run, { ...good, code: 'E_FORMAT', participant: 'carol', envelopes: [b64(forged)] })).toEqual(nothing);
    const own = run.blob('mallory', 9, utf8('nonsense'));
    expect(await judge(run, { ...good, code: 'E_FORMAT', participant: 'mallory', envelopes: [b64(own)] })).toEqual({ code: 'E_FORMAT', culprit: 'mallory' });
  });
  test('row 60 true envelopes of honest participants show nothing against them', async () => {
    const others = good.envelopes.filter((t) => openBlob(raw(t), run.session).leaf !== 2);
    for (const participant of HONEST)
      for (const code of ['E_COMMIT', 'E_POP', 'E_SEALING', 'E_VSS', 'E_EQUIVOCATION'] as const) {
        expect(await judge(run, { ...good, code, participant, envelopes: others })).toEqual(nothing);
        expect(await judge(run, { ...good, code, participant })).toEqual(nothing);
      }
  });
  test('row 60 a set that mixes two of mallory’s own commits blames no honest echo', async () => {
    // alice and carol echo the commit that they got; beside another one of mallory's their deals must not look false
    const other = run.blob('mallory', COMMIT, random(32));
    const mixed = good.envelopes.map((t) => (openBlob(raw(t), run.session).slot === COMMIT && openBlob(raw(t), run.session).leaf === 2 ? b64(other) : t));
    for (const participant of HONEST) for (const code of ['E_COMMIT', 'E_VIEW', 'E_POP'] as const) expect(await judge(run, { ...good, code, participant, envelopes: mixed })).toEqual(nothing);
  });
  test('row 60 evidence of another ceremony', async () => {
    for (const name of ['alice', 'mallory', 'carol']) table.renew(name);
    const other = await table.dkg({ name: 'other', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    expect(await judge(other, good)).toEqual(nothing);
    expect(await judge(other, { ...good, session: toHex(other.session.sid) })).toEqual(nothing);
  });
});
