/**
 * Plans and cards that must be refused before any cryptography: by the lead's own tool, and by everybody who is handed
 * a plan that a malicious lead wrote. Row 23 of the attack table; GOV-01, GOV-02, PLC-11.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openIdentity } from '../../src/ceremony/identity.ts';
import { recordVerification, addPeer } from '../../src/ceremony/peers.ts';
import { encodeCard, makeCard, parseCard } from '../../src/plan/card.ts';
import type { DkgPlan } from '../../src/plan/plan.ts';
import { encodePlanFile } from '../../src/plan/plan-file.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { Secret } from '../../src/vault/secret.ts';
import { fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { type ErrorCode, ERRORS } from '../../src/wire/errors.ts';
import { random, Table } from '../support/harness.ts';
import type { Run } from '../support/run.ts';

const ALL = ['alice', 'mallory', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
let plan: DkgPlan;
beforeAll(async () => {
  table = await Table.open(ALL);
  // a good plan that nobody has joined, to be spoilt
  plan = (await table.dkg({ quorum: QUORUM, honest: ALL })).plan as DkgPlan;
  table.restore('fresh');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('fresh');
});

const seat = (i: number): DkgPlan['participants'][number] => plan.participants[i] as DkgPlan['participants'][number];
type Spoil = object | (() => object);
/** Another roster; made when the test runs, for the homes do not exist before. */
const seats = (change: (p: DkgPlan['participants']) => unknown[]) => (): Partial<DkgPlan> => ({ participants: change(plan.participants) as never });

/** Hands a spoilt plan to carol and expects that it is refused with nothing written, neither in the home nor in the folder. */
async function refused(spoil: Spoil, code: ErrorCode, who = 'carol'): Promise<Run> {
  const over = typeof spoil === 'function' ? (spoil as () => object)() : spoil;
  const run = await table.plant(plan, [who]);
  run.write(who, 'PLAN.yaml', await encodePlanFile({ ...plan, ...over } as DkgPlan));
  const { home } = table.party(who);
  const before = home.disk.dirs(join(home.root, 'ceremonies'));
  await run.next(who);
  expect([run.code(who), run.error(who).message]).toEqual([code, expect.any(String)]);
  expect(run.error(who).exit).toBe(ERRORS[code][0]);
  expect(run.error(who).facts.remedy).toBeTypeOf('string');
  expect(run.files(who)).toEqual(['PLAN.yaml']);
  expect(home.disk.dirs(join(home.root, 'ceremonies'))).toEqual(before);
  expect(home.disk.list(join(home.root, 'sessions'))).toEqual([]);
  expect(home.disk.exists(join(home.root, 'keys', 'treasury'))).toBe(false);
  return run;
}

test('the plan that is spoilt below is good', async () => {
  const run = await table.plant(plan, ALL);
  await run.settle();
  expect(ALL.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
});

describe('form', () => {
  test.each<[string, ErrorCode, Spoil]>([
    ['an unknown field', 'E_PLAN_FIELD', { note: 'hello' }],
    ['an unknown field of a participant', 'E_PLAN_FIELD', seats(([a, m, c]) => [a, m, { ...c, weight: 2 }])],
    ['another schema', 'E_PLAN_FIELD', { schema: 'mpc-ceremony/plan/2' }],
    ['another kind', 'E_PLAN_FIELD', { kind: 'import' }],
    ['a scheme that is not known', 'E_PLAN_FIELD', { scheme: 'gg18' }],
    ['a short nonce (row 55)', 'E_PLAN_FIELD', { nonce: '00' }],
    ['a nonce in capitals', 'E_PLAN_FIELD', { nonce: 'A'.repeat(64) }],
    ['no participants (row 57)', 'E_PLAN_FIELD', { participants: [] }],
    ['rank 0', 'E_PLAN_FIELD', { rank: 0 }],
    ['a rank of 2^53', 'E_PLAN_FIELD', { rank: 2 ** 53 }],
    ['a key name that leaves its folder', 'E_PLAN_FIELD', { name: '../x' }],
    ['a participant name that leaves its folder', 'E_PLAN_FIELD', seats(([a, m, c]) => [a, { ...m, name: '../mallory' }, c])],
    ['more stock than is allowed', 'E_PLAN_FIELD', { stock: 100_000 }],
    ['a time that does not exist', 'E_PLAN_FIELD', { expires: '2026-02-30T00:00:00Z' }],
    ['an end before its beginning', 'E_PLAN_FIELD', { created: '2026-03-02T00:00:00Z', expires: '2026-01-01T00:00:00Z' }],
    ['a rank far above', 'E_RANK', { rank: 1002 }],
    ['production mode in a rehearsal home', 'E_REHEARSAL', { mode: 'production' }],
    ['a lead who does not take part', 'E_PLAN_FIELD', { lead: 'nobody' }],
    ['a role that nothing uses', 'E_PLAN_FIELD', { roles: { board: ['alice'] } }],
  ])('plan with %s is refused', async (_, code, over) => {
    await refused(over, code);
  });

  test('expired plan: E_PLAN_EXPIRED', async () => {
    await refused({ expires: '2026-03-01T11:59:59Z', created: '2026-02-01T00:00:00Z' }, 'E_PLAN_EXPIRED');
  });
  test('a plan from the future: E_PLAN_EXPIRED', async () => {
    await refused({ created: '2026-03-02T00:00:00Z' }, 'E_PLAN_EXPIRED');
  });
  test.each<[string, string]>([
    ['an anchor', 'schema: &a mpc-ceremony/plan/1\n'],
    ['a repeated key', 'schema: a\nschema: b\n'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
    ['a tag', 'a: !!binary aGk=\n'],
    ['a bomb of brackets (row 58)', `a: ${'['.repeat(50_000)}\n`],
    ['__proto__', '__proto__: {kind: dkg}\n'],
  ])('a plan file with %s is refused', async (_, text) => {
    const run = await table.plant(plan, ['carol']);
    run.write('carol', 'PLAN.yaml', utf8(text));
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_PLAN_FIELD', 20]);
  });
  test('a plan file that is too large (row 58)', async () => {
    const run = await table.plant(plan, ['carol']);
    run.write('carol', 'PLAN.yaml', new Uint8Array(300_000).fill(0x20));
    await run.next('carol');
    expect(run.code('carol')).toBe('E_TOO_LARGE');
  });
});

describe('row 23 ids', () => {
  test.each<[string, ErrorCode, Spoil]>([
    ['roster in another order', 'E_ROSTER_ORDER', seats(([a, m, c]) => [m, a, c])],
    ['a participant twice in the roster', 'E_ROSTER_ORDER', seats(([a, m, c]) => [a, m, m, c])],
    ['one name for two seats', 'E_PLAN_FIELD', seats(([a, m]) => [a, m, m])],
    ['a participant twice in the quorum', 'E_SEAT_DUP', { quorum: '2-of(alice, mallory, carol, carol)' }],
    ['a participant twice, in two gates', 'E_SEAT_DUP', { quorum: '2-of(alice, all-of(mallory, carol), carol)' }],
    ['a participant whom the quorum does not name', 'E_PLAN_FIELD', { quorum: '2-of(alice, carol)' }],
    ['a participant who is missing from the roster', 'E_PLAN_FIELD', { quorum: '2-of(alice, mallory, carol, dave)' }],
  ])('row 23 %s is refused before round 1', async (_, code, over) => {
    await refused(over, code);
  });
  test('row 23 extra spaces in the quorum change the session, not the key that follows', async () => {
    const spaced = { ...plan, quorum: '  2-of(  alice,mallory ,carol )' };
    const run = await table.plant(spaced, ALL);
    await run.settle();
    expect(ALL.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  });
});

describe('GOV-02 nobody alone', () => {
  test.each<[string, ErrorCode, Spoil]>([
    ['1-of', 'E_THRESHOLD', { quorum: '1-of(alice, mallory, carol)' }],
    ['any-of', 'E_THRESHOLD', { quorum: 'any-of(alice, mallory, carol)' }],
    ['a nested gate that one satisfies', 'E_THRESHOLD', { quorum: '1-of(all-of(alice, mallory), carol)' }],
    ['one participant', 'E_THRESHOLD', { quorum: 'alice' }],
    ['one person behind two seats', 'E_THRESHOLD', seats(([a, m, c]) => [{ ...a, person: 'Ann Lee' }, { ...m, person: 'ann  LEE ' }, { ...c, person: 'Cy' }])],
    ['one identity on two seats', 'E_SEAT_DUP', seats(([a, m, c]) => [a, { ...m, identity: a?.identity }, c])],
    ['one home on two seats', 'E_SEAT_DUP', seats(([a, m, c]) => [a, { ...m, homeId: a?.homeId }, c])],
    ['one one-time key on two seats', 'E_SEAT_DUP', seats(([a, m, c]) => [a, { ...m, prekey: a?.prekey }, c])],
    ['a witness who holds a share', 'E_WITNESS_SHARE', () => ({ witnesses: [{ name: 'alice', identity: seat(0).identity, homeId: seat(0).homeId }] })],
  ])('GOV-02 E_THRESHOLD, E_SEAT_DUP: %s', async (_, code, over) => {
    await refused(over, code);
  });

  test('GOV-02 the lead’s own tool refuses the same: t = 1, two seats of one person, duplicate names', async () => {
    const start = (over: object): Promise<Run> => table.dkg({ quorum: QUORUM, honest: ALL, ...over });
    expect((await start({ quorum: '1-of(alice, mallory, carol)' })).code('alice')).toBe('E_THRESHOLD');
    expect((await start({ quorum: '2-of(alice, alice, carol)' })).code('alice')).toBe('E_SEAT_DUP');
    const about = new Map(ALL.map((n) => [n, { person: n === 'carol' ? 'Cy' : 'Ann' }]));
    expect((await start({ about })).code('alice')).toBe('E_THRESHOLD');
    expect((await start({ quorum: '2-of(alice, mallory, dave)' })).code('alice')).toBe('E_CARD');
  });
});

describe('seats and cards', () => {
  test('a foreign card in carol’s seat: E_CARD', async () => {
    const signer = signerFromSeed(random(32));
    await refused(seats(([a, m, c]) => [a, m, { ...c, identity: toHex(signer.publicKey) }]), 'E_CARD');
  });
  test('another home of carol in carol’s seat: E_CARD', () => refused(seats(([a, m, c]) => [a, m, { ...c, homeId: '00'.repeat(16) }]), 'E_CARD').then(() => undefined));
  test('another relay key in carol’s seat: E_CARD', () => refused(seats(([a, m, c]) => [a, m, { ...c, x25519: '00'.repeat(32) }]), 'E_CARD').then(() => undefined));
  test('a plan without a seat for carol: E_NOT_PARTICIPANT', async () => {
    await refused({ ...seats(([a, m]) => [a, m])(), quorum: 'all-of(alice, mallory)' }, 'E_NOT_PARTICIPANT');
  });

  test('a card that differs from the one that was compared: E_CARD, naming whose', async () => {
    const { home } = table.party('carol');
    const alice = table.party('alice');
    const real = parseCard(alice.home.disk.read(join(alice.home.root, 'identity/alice.card'), 65_536) as Uint8Array, 'alice.card');
    addPeer(home, real, 'alice.card');
    recordVerification(home, real, 'typed', '2026-03-01T12:00:00Z');
    // the lead puts a key of its own into alice's seat, with a one-time key that fits it
    const signer = signerFromSeed(random(32));
    const made = makePrekey({ owner: 'alice', homeId: real.homeId, n: 1 }, random);
    const forged = { ...seat(0), identity: toHex(signer.publicKey), prekey: { n: 1, P: toHex(made.P), pop: toHex(made.pop) } };
    const run = await table.plant({ ...plan, participants: [forged, seat(1), seat(2)] } as DkgPlan, ['carol']);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').facts.participant]).toEqual(['E_CARD', 'alice']);
    expect(run.files('carol')).toEqual(['PLAN.yaml']);
  });

  test('a card that is not signed by its own key, damaged, or with its one-time keys out of order: E_CARD', () => {
    const { home, identity } = table.party('alice');
    const bytes = home.disk.read(join(home.root, 'identity/alice.card'), 65_536) as Uint8Array;
    const card = parseCard(bytes, 'alice.card');
    const forged = makeCard({ mode: card.mode, name: 'alice', homeId: card.homeId, x25519: card.x25519, prekeys: card.prekeys }, signerFromSeed(random(32)));
    const bad: Uint8Array[] = [
      encodeCard({ ...forged, ed25519: card.ed25519 }),
      encodeCard({ ...card, name: 'mallory' }),
      encodeCard({ ...card, prekeys: [...card.prekeys].reverse() }),
      encodeCard({ ...card, ed25519: `01${'00'.repeat(31)}` }),
      bytes.slice(0, -1),
      utf8(`${Buffer.from(bytes).toString()}\n`),
      new Uint8Array(0),
    ];
    for (const b of bad) expect(() => parseCard(b, 'alice.card')).toThrow(expect.objectContaining({ code: 'E_CARD' }));
    for (let at = 0; at < bytes.length; at += 37) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] as number) ^ 1;
      expect(() => parseCard(flipped, 'alice.card')).toThrow(expect.objectContaining({ code: 'E_CARD' }));
    }
    expect(identity.signer.publicKey).toEqual(fromHex(card.ed25519));
  });

  test('PLC-11 E_TWO_SHARES: a home that holds a share of a key takes no second one', async () => {
    const run = await table.plant(plan, ALL);
    await run.settle();
    for (const n of ALL) table.renew(n);
    expect((await table.dkg({ quorum: QUORUM, honest: ALL })).code('alice')).toBe('E_TWO_SHARES');
    const other = (await table.dkg({ name: 'other', quorum: QUORUM, honest: ALL })).plan as DkgPlan;
    const planted = await table.plant({ ...other, name: 'treasury', rank: 2, nonce: toHex(random(32)) }, ['carol']);
    await planted.next('carol');
    expect([planted.code('carol'), planted.error('carol').exit]).toEqual(['E_TWO_SHARES', 20]);
  });

  test('a wrong passphrase opens nothing: E_PASSPHRASE', async () => {
    const { home } = table.party('carol');
    await expect(openIdentity(home, new Secret(utf8('wrong')), random)).rejects.toMatchObject({ code: 'E_PASSPHRASE', exit: 11 });
  });

  test('an attended plan is not joined by a script: E_PERSON, and nothing is promised', async () => {
    const run = await table.plant({ ...plan, attended: true }, ['carol']);
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual(['E_PERSON', 11]);
    expect(run.files('carol')).toEqual(['PLAN.yaml']);
    expect(table.party('carol').home.disk.list(join(table.party('carol').home.root, 'sessions'))).toEqual([]);
  });
});

describe('GOV-01 the roster is bound', () => {
  test.each<[string, (p: DkgPlan) => DkgPlan, ErrorCode]>([
    ['a unit', (p) => ({ ...p, participants: p.participants.map((x, i) => (i === 1 ? { ...x, unit: 'ops' } : x)) }), 'E_ROSTER_HASH'],
    ['a person', (p) => ({ ...p, participants: p.participants.map((x, i) => (i === 0 ? { ...x, person: 'Eve' } : x)) }), 'E_ROSTER_HASH'],
    ['an identity key', (p) => ({ ...p, participants: p.participants.map((x, i) => (i === 2 ? { ...x, identity: '11'.repeat(32) } : x)) }), 'E_ROSTER_HASH'],
    ['a one-time key', (p) => ({ ...p, participants: p.participants.map((x, i) => (i === 1 ? { ...x, prekey: { ...x.prekey, n: 77 } } : x)) }), 'E_ROSTER_HASH'],
    ['the quorum', (p) => ({ ...p, quorum: '3-of(alice, mallory, carol)' }), 'E_PLAN_CHANGED'],
    ['the expiry', (p) => ({ ...p, expires: '2027-01-01T00:00:00Z' }), 'E_PLAN_CHANGED'],
  ])('GOV-01 %s is changed in the folder after joining: E_ROSTER_HASH', async (_, change, code) => {
    const run = await table.plant(plan, ALL);
    await run.next('carol');
    run.write('carol', 'PLAN.yaml', await encodePlanFile(change(plan)));
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').exit]).toEqual([code, 20]);
    // with the right plan it goes on
    run.write('carol', 'PLAN.yaml', await encodePlanFile(plan));
    await run.settle();
    expect(ALL.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  });

  test('GOV-01 a plan that was changed on the way makes another session: its messages are refused', async () => {
    const run = await table.plant(plan, ['alice', 'mallory']);
    const other = await table.plant({ ...plan, participants: [seat(0), { ...seat(1), unit: 'ops' }, seat(2)] } as DkgPlan, ['carol']);
    await run.next('alice');
    await other.next('carol');
    run.write('alice', 'round-1/carol.blob', other.file('carol', 'round-1/carol.blob') as Uint8Array);
    await run.next('alice');
    expect([run.code('alice'), run.error('alice').facts.participant]).toEqual(['E_FORMAT', undefined]);
  });
});

test('cards in the folder of the lead: foreign, stale and damaged ones are passed over', async () => {
  const cards = join(table.root, 'cards');
  mkdirSync(cards, { recursive: true });
  for (const n of ALL) copyFileSync(join(table.party(n).home.root, 'identity', `${n}.card`), join(cards, `${n}.card`));
  writeFileSync(join(cards, 'zz.card'), 'nonsense');
  writeFileSync(join(cards, 'zy.card'), '');
  const stranger = makeCard({ mode: 'rehearsal', name: 'stranger', homeId: '22'.repeat(16), x25519: '33'.repeat(32), prekeys: [] }, signerFromSeed(random(32)));
  writeFileSync(join(cards, 'stranger.card'), encodeCard(stranger));
  const run = await table.dkg({ quorum: QUORUM, honest: ALL, cards });
  await run.settle();
  expect(ALL.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
});
