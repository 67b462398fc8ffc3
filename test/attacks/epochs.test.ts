/** Old epochs, forged certificates, one-time keys. Row 33 of the attack table; rules P2, P3, P5. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { join } from 'node:path';
import { ownCard } from '../../src/ceremony/home.ts';
import { prekeyState } from '../../src/ceremony/identity.ts';
import { activeEpoch, requireKey } from '../../src/ceremony/key-store.ts';
import type { DkgPlan } from '../../src/plan/plan.ts';
import { COMMIT, } from '../../src/protocols/dkg.ts';
import { type Certificate, completeCertificate, confirmBody, epochDigest, type EpochRecord, epochSeats, parseCertificate } from '../../src/protocols/epoch.ts';
import { NONCE } from '../../src/protocols/frost-sign.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { makeBlob, openBlob, type Session } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { Cosigner } from '../support/cosigner.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const CONFIRM = 3;

const ALL = ['alice', 'mallory', 'carol'];
const HONEST = ['alice', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
  const run = await table.dkg({ quorum: QUORUM, honest: ALL, stock: 3 });
  await run.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const path = (label: string, ...parts: string[]): string => join(table.party(label).home.root, ...parts);

/** A certificate of any epoch record, confirmed by everybody: the test holds all identities. */
function certify(epoch: EpochRecord, leaveOut: readonly string[] = [], signers: Readonly<Record<string, string>> = {}): Uint8Array {
  const session: Session = { sid: fromHex(epoch.session), kind: epoch.kind, attempt: epoch.attempt, seats: epochSeats(epoch) };
  const echo = concat(...epoch.roster.map((p) => fromHex(epoch.rounds.deal[p.name] as string)));
  const blobs = session.seats
    .filter((s) => !leaveOut.includes(s.name))
    .map((seat) => {
      const { homeId } = epoch.roster[seat.leaf - 1] as { homeId: string };
      const { P, pop } = makePrekey({ owner: seat.name, homeId, n: 900 }, random);
      const body = confirmBody({ echo, epoch: epochDigest(epoch), prekey: { n: 900, P, pop }, stock: [] });
      return makeBlob(session, seat, CONFIRM, { seq: 1, hash: new Uint8Array(32) }, body, table.party(signers[seat.name] ?? seat.name).identity.signer);
    });
  const envelopes = new Map(blobs.map((b) => openBlob(b, { ...session, seats: session.seats.map((s) => ({ ...s, identity: table.party(signers[s.name] ?? s.name).identity.signer.publicKey })) })).map((e) => [e.leaf, e]));
  try {
    return completeCertificate(epoch, session, envelopes).bytes;
  } catch {
    // an incomplete one, as a forger would write it
    const real = JSON.parse(Buffer.from(requireKey(table.party('alice').home, 'treasury').bytes).toString()) as { confirms: string[] };
    return utf8(JSON.stringify({ confirms: blobs.map((b) => Buffer.from(b).toString('base64')), epoch: sorted(epoch), type: (real as { type?: string }).type, v: 1 }));
  }
}
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]));
}
const current = (): Certificate => requireKey(table.party('alice').home, 'treasury');

describe('row 33 epochs', () => {
  /** Makes epoch 5 the active one in these homes. */
  function advance(labels: readonly string[]): Certificate {
    const epoch: EpochRecord = { ...current().epoch, number: 5 };
    const bytes = certify(epoch);
    for (const label of labels) {
      const { disk } = table.party(label).home;
      disk.makeDir(path(label, 'keys/treasury/epoch-5'));
      disk.write(path(label, 'keys/treasury/epoch-5/certificate.json'), bytes);
    }
    return parseCertificate(bytes, 'x');
  }

  test('row 33 epoch mixing: after epoch 5 a plan for epoch 1 is refused by whoever holds the certificate', async () => {
    const run = await table.sign({ honest: HONEST, live: true });
    const begun = await table.sign({ honest: ['alice'], cheats: ['mallory'], live: true, message: 'begun before' });
    begun.say('mallory', NONCE, new Cosigner(begun, 'mallory').nonce());
    advance(HONEST);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_EPOCH', 24]);
    expect(run.file('carol', 'round-1/carol.blob')).toBeUndefined();
    // and one that was joined before, too: the old share answers nothing any more
    await begun.next('alice');
    expect(begun.code('alice')).toBe('E_EPOCH');
    expect(begun.file('alice', 'round-2/alice.blob')).toBeUndefined();
  });

  test('row 33 a plan that names the new epoch with the old certificate', async () => {
    const run = await table.sign({ honest: HONEST, live: true });
    const old = run.plan;
    advance(HONEST);
    for (const key of [{ epoch: 5 }, {}]) {
      const plan = { ...old, nonce: toHex(random(32)), key: { ...(old as { key: object }).key, ...key } } as typeof old;
      const planted = await table.plant(plan, HONEST, { 'intent.json': run.file('alice', 'intent.json') as Uint8Array });
      await planted.settle();
      for (const n of HONEST) expect(['E_CERTIFICATE', 'E_EPOCH']).toContain(planted.code(n));
    }
  });

  test('row 33 a key generation below the active epoch is refused for ever', async () => {
    for (const n of ALL) table.renew(n);
    const run = await table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    await run.next('carol');
    const { plan } = run;
    advance(HONEST);
    const planted = await table.plant({ ...(plan as DkgPlan), name: 'treasury', nonce: toHex(random(32)) }, HONEST);
    await planted.settle();
    for (const n of HONEST) expect(planted.code(n)).toBe('E_TWO_SHARES');
  });

  test.each<[string, (epoch: EpochRecord) => Uint8Array]>([
    ['without the confirmation of 3', (e) => certify(e, ['carol'])],
    ['with a confirmation of 3 that mallory signed', (e) => certify(e, [], { carol: 'mallory' })],
    ['with every confirmation twice (row 57: or none)', (e) => utf8(Buffer.from(certify(e)).toString().replace(/"confirms":\[([^\]]*)\]/, '"confirms":[$1,$1]'))],
    ['without any', (e) => utf8(Buffer.from(certify(e)).toString().replace(/"confirms":\[[^\]]*\]/, '"confirms":[]'))],
    ['for another record than the one confirmed', (e) => utf8(Buffer.from(certify(e)).toString().replace('"number":5', '"number":6'))],
    ['with an unknown field', (e) => utf8(Buffer.from(certify(e)).toString().replace('"v":1}', '"v":1,"x":1}'))],
  ])('row 33 a certificate %s is none', (_, make) => {
    const bytes = make({ ...current().epoch, number: 5 });
    expect(() => parseCertificate(bytes, 'certificate.json')).toThrow(expect.objectContaining({ code: 'E_CERTIFICATE' }));
    // nor does a home believe it
    const { disk } = table.party('carol').home;
    disk.makeDir(path('carol', 'keys/treasury/epoch-5'));
    disk.write(path('carol', 'keys/treasury/epoch-5/certificate.json'), bytes);
    expect(() => activeEpoch(table.party('carol').home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_CERTIFICATE' }));
  });
});

describe('one-time keys', () => {
  const begin = (over = {}): Promise<Run> => table.dkg({ name: 'second', quorum: QUORUM, honest: HONEST, cheats: ['mallory'], ...over });
  beforeEach(() => {
    for (const n of ALL) table.renew(n);
  });

  test('P2, P3: a one-time key of the own card that another ceremony took', async () => {
    const run = await begin();
    await run.next('carol');
    const planted = await table.plant({ ...(run.plan as DkgPlan), name: 'third', nonce: toHex(random(32)) }, HONEST);
    await planted.settle();
    for (const n of HONEST) expect([planted.code(n), planted.error(n).exit]).toEqual(['E_PREKEY_BUSY', 20]);
  });

  test('P5: a one-time key of somebody else that another ceremony took', async () => {
    const run = await begin();
    await run.next('carol');
    table.renew('alice');
    table.renew('carol');
    const next = await begin({ name: 'third' });
    const fresh = (next.plan as DkgPlan).participants;
    const old = (run.plan as DkgPlan).participants[1];
    const planted = await table.plant({ ...(next.plan as DkgPlan), name: 'fourth', nonce: toHex(random(32)), participants: [fresh[0], old, fresh[2]] } as DkgPlan, ['carol']);
    await planted.settle();
    expect([planted.code('carol'), planted.error('carol').facts.participant]).toEqual(['E_PREKEY_BUSY', 'mallory']);
    // her own one-time key was not used up by the refused plan
    expect(prekeyState(table.party('carol').home, (fresh[2] as (typeof fresh)[number]).prekey.n)).toBe('free');
  });

  test('P3: a one-time key that the lead made itself, under the counter of 3: refused before anybody deals to it', async () => {
    const run = await begin();
    table.restore('key');
    for (const n of ALL) table.renew(n);
    const seats = (run.plan as DkgPlan).participants.map((p) => ({ ...p }));
    const carol = seats[2] as (typeof seats)[number];
    const { n } = ownCard(table.party('carol').home).prekeys.at(-1) as { n: number };
    const made = makePrekey({ owner: 'carol', homeId: carol.homeId, n }, random);
    carol.prekey = { n, P: toHex(made.P), pop: toHex(made.pop) };
    const planted = await table.plant({ ...(run.plan as DkgPlan), nonce: toHex(random(32)), participants: seats }, ['carol']);
    await planted.settle();
    expect(planted.code('carol')).toBe('E_PREKEY_BUSY');
    expect(planted.files('carol')).toEqual(['PLAN.yaml']);
  });

  test('a plan that is refused uses up nobody’s one-time keys', async () => {
    const run = await begin();
    const { plan } = run;
    table.restore('key');
    for (const n of ALL) table.renew(n);
    const good = await begin();
    const tooFar = await table.plant({ ...(good.plan as DkgPlan), rank: 5000, name: 'other', nonce: toHex(random(32)) }, ['carol']);
    await tooFar.settle();
    expect(tooFar.code('carol')).toBe('E_RANK');
    await good.next('carol');
    expect(good.code('carol')).not.toBe('E_PREKEY_BUSY');
    expect(good.store('carol')?.sent.has(COMMIT)).toBe(true);
    void plan;
  });

  test('E_POP: a one-time key without a valid proof of possession is refused before round 1', async () => {
    const run = await begin();
    const seats = (run.plan as DkgPlan).participants.map((p) => ({ ...p }));
    const mallory = seats[1] as (typeof seats)[number];
    mallory.prekey = { ...mallory.prekey, pop: toHex(concat(fromHex(mallory.prekey.pop).slice(0, 32), random(31), Uint8Array.of(0))) };
    const planted = await table.plant({ ...(run.plan as DkgPlan), name: 'third', nonce: toHex(random(32)), participants: seats }, ['carol']);
    await planted.settle();
    expect([planted.code('carol'), planted.error('carol').facts.participant]).toEqual(['E_POP', 'mallory']);
  });
});
