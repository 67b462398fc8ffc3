/** What routes cost, as told before the day, against what real ceremonies say, show as codes and put into a relay. */
import { createCipheriv } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Draft, parseDraft } from '../../src/ceremony/draft.ts';
import { lintDraft } from '../../src/ceremony/draft-lint.ts';
import { planOfDraft } from '../../src/ceremony/draft-plan.ts';
import { allowedRoutes, onlyQr, parseRoutes, requireRoute } from '../../src/ceremony/routes.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import { type RouteFault, routeFaults, routeWarnings } from '../../src/ceremony/route-faults.ts';
import { codeCost, type ScreenName, transportBudget, VERSIONS } from '../../src/ceremony/transport-budget.ts';
import { mtaBytes } from '../../src/ecdsa/mta.ts';
import { offerBytes } from '../../src/ecdsa/offer.ts';
import { sumBytes } from '../../src/ecdsa/sum.ts';
import { type Plan, type Route, ROUTES } from '../../src/plan/plan.ts';
import { blobBytes, sizedPlan } from '../../src/plan/sizes.ts';
import { AUXILIARY_BYTES } from '../../src/protocols/dkg.ts';
import { parseReveal } from '../../src/protocols/rekey-messages.ts';
import { codeOf, fragmentFor } from '../../src/qr/code.ts';
import { UrReader, type UrSender, urSender } from '../../src/qr/ur.ts';
import { relayReady } from '../../src/relay/relay-key.ts';
import type { ParcelFile } from '../../src/transport/parcel.ts';
import { BLOB_OVERHEAD } from '../../src/wire/blob.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { canonicalBytes, type Json } from '../../src/wire/canon.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { expectBudget, expectSizes, trust } from '../support/carrying.ts';
import { Table } from '../support/harness.ts';
import { type Ceremony, People } from '../support/rekey.ts';

const THREE = ['alice', 'bob', 'carol'];
const FIVE = [...THREE, 'dave', 'erin'];
let table: Table;
beforeAll(async () => {
  await relayReady();
  table = await Table.open(FIVE);
  trust(table);
});
afterAll(() => {
  table.close();
});

/** The same of ceremonies in memory, without homes. */
function expectBodies({ plan, messages }: Ceremony, said: Readonly<Record<string, number>>): void {
  expectSizes(plan, messages, said);
}

describe('messages are as long as told, and so is what is shown and relayed', () => {
  test('FROST with homes: key generation 2-of-3 with a stock, signing from stock and without', async () => {
    const key = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: THREE, stock: 3 });
    await expectBudget(key, 'alice');
    expectSizes(key.plan, key.messages(), { commit: 3, deal: 3, confirm: 3 });
    const stocked = await table.sign({ honest: ['alice', 'bob'] });
    await expectBudget(stocked, 'alice');
    expectSizes(stocked.plan, stocked.messages(), { share: 2 });
    const live = await table.sign({ honest: ['bob', 'carol'], live: true, message: 'x'.repeat(5000) });
    await expectBudget(live, 'bob');
    expectSizes(live.plan, live.messages(), { nonce: 2, share: 2 });
  });

  test('… and key generation 3-of-5', async () => {
    const five = await table.dkg({ name: 'five', scheme: 'frost-secp256k1-tr', quorum: `3-of(${FIVE.join(',')})`, honest: FIVE });
    await expectBudget(five, 'alice');
    expectSizes(five.plan, five.messages(), { commit: 5, deal: 5, confirm: 5 });
  });

  test('FROST in memory: nested quorums, the longest scheme, refresh, reshare with newcomers and leavers, import by one', async () => {
    const people = new People();
    const nested = await people.finished(people.dkgPlan('all-of(1-of(carol, dave), 2-of(alice, bob, erin))', 'frost-p256', { stock: 2 }));
    expectBodies(nested, { commit: 5, deal: 5, confirm: 5 });
    expectBodies(await people.finished(people.dkgPlan('2-of(alice, bob, carol)', 'frost-ed448')), { commit: 3, deal: 3, confirm: 3 });
    expectBodies(await people.finished(people.refreshPlan(nested.certificate), nested.certificate), { deal: 5, confirm: 5 });
    const moved = await people.finished(people.resharePlan(nested.certificate, '3-of(alice, frank, grace, heidi)', ['dave', 'alice', 'bob'], { stock: 1 }), nested.certificate);
    expectBodies(moved, { deal: 3, confirm: 4 });
    expectBodies(await people.finished(people.importPlan('owen', '2-of(alice, bob, carol)')), { deal: 1, confirm: 3 });
    // ECDSA is too slow for here: as long as its reader demands
    const ecdsa = { ...sizedPlan(moved.plan), scheme: 'cggmp24-p256' as const };
    for (const more of [0, 1]) {
      const read = (): unknown => parseReveal(new Uint8Array(blobBytes(ecdsa, 'reveal', 1) - BLOB_OVERHEAD + more), ecdsa.seats, AUXILIARY_BYTES);
      if (more === 0) expect(read).not.toThrow();
      else expect(read).toThrow(/too many/);
    }
    expect([1, 4, 5].map((seat) => blobBytes(ecdsa, 'deal', seat) - blobBytes(sizedPlan(moved.plan), 'deal', seat))).toEqual([expect.any(Number), 32, expect.any(Number)]);
  });
});

describe('codes', () => {
  /** Whether a frame is lost: every fifth by chance, the same in every run. */
  function camera(seed: number): () => boolean {
    let x = seed;
    return () => {
      x = (x * 1_103_515_245 + 12_345) % 2 ** 31;
      return (x >>> 8) % 100 < 20;
    };
  }

  test.each<[number, ScreenName]>([[300, '80x24'], [1000, '80x24'], [184, '120x40'], [1000, '120x40'], [4000, '120x40'], [20_000, '120x40'], [20_000, 'v20'], [100_000, 'v27']])('%i bytes on %s: as many as the sender makes, and as many frames as a reader needs', (bytes, screen) => {
    const told = codeCost(bytes, screen);
    const senderOf = (seed: number): UrSender => urSender(noise(bytes, seed), fragmentFor(VERSIONS[screen], 'low', bytes));
    const sender = senderOf(0);
    expect(told?.codes).toBe(sender.count);
    expect(codeOf(sender.part(1), { ecc: 'low' }).version).toBeLessThanOrEqual(VERSIONS[screen]);
    const trials = bytes > 50_000 ? 4 : 30;
    let frames = 0;
    for (let t = 0; t < trials; t++) {
      const lost = camera(t + 7);
      const shows = senderOf(t);
      const reader = new UrReader();
      for (let n = 1; !reader.message; n++, frames++) if (!lost()) reader.take(shows.part(n));
    }
    const average = frames / trials;
    expect([average, told?.frames]).toEqual([average, expect.toSatisfy((f: number) => f >= 0.93 * average && f <= 1.25 * average + 1)]);
    expect(told?.seconds).toBe(Math.ceil((told?.frames ?? 0) / 8));
  });

  test('the figures of the design: 20 kB across a terminal of 120x40 in some 13 seconds, and the versions that fit', () => {
    expect(VERSIONS).toEqual({ '80x24': 5, '120x40': 13, v20: 20, v27: 27 });
    expect(codeCost(20_000, '120x40')).toEqual({ codes: 72, frames: 105, seconds: 14 });
  });

  test('what no sequence can hold is told as such, and not as a number', () => {
    expect(codeCost(200_000, '80x24')).toBeNull();
    expect(codeCost(2_000_000, '120x40')).toBeNull();
    expect(codeCost(4_000_000, 'v27')).toBeNull();
    expect(codeCost(3_900_000, 'v27')?.codes).toBeLessThanOrEqual(4096);
  });
});

/** Bytes that do not deflate, the same in every run. */
function noise(length: number, seed = 0): Uint8Array {
  return new Uint8Array(createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length)));
}

const DRAFT: Draft = {
  schema: 'mpc-ceremony/draft/1', kind: 'dkg', name: 'treasury', scheme: 'frost-ed25519', quorum: '2-of(alice, bob, carol)',
  participants: THREE.map((name) => ({ name })), attended: true, stock: 0, expiresInDays: 14,
};
const ECDSA: Draft = { ...DRAFT, scheme: 'cggmp24-secp256k1' };
const opening = (plan: Plan, more: readonly ParcelFile[] = []): ParcelFile[] => [{ path: 'PLAN.yaml', bytes: canonicalBytes(plan as unknown as Json) }, ...more];
function judged(plan: Plan, routes: Route[] | undefined, more: readonly ParcelFile[] = []): { faults: RouteFault[]; warnings: string[] } {
  const routed = { ...plan, ...(routes ? { routes } : {}) } as Plan;
  const budget = transportBudget(routed, opening(routed, more));
  return { faults: routeFaults(routed, budget), warnings: routeWarnings(routed, budget).map((w) => w.code) };
}
const faultsOf = (plan: Plan, routes: Route[] | undefined, more: readonly ParcelFile[] = []): string[] => judged(plan, routes, more).faults.map((f) => f.text);

/** A signing or presigning as a lead would plan it, with keys of nobody. */
function usePlan(kind: 'presign' | 'sign', count = 1): Plan {
  const { participants, ...head } = planOfDraft(ECDSA);
  const { schema, name, mode, attended, attempt, nonce, lead, created, expires } = head;
  const signers = participants.slice(0, 2).map((p, i) => ({ name: p.name, leaf: i + 1, identity: p.identity, homeId: p.homeId }));
  const common = { schema, name, mode, attended, attempt, nonce, lead, created, expires, key: { name, id: '0'.repeat(32), scheme: 'cggmp24-secp256k1' as const, epoch: 1, certificate: '0'.repeat(64) }, participants: signers };
  return kind === 'presign' ? { ...common, kind, count } : { ...common, kind, intent: '0'.repeat(64) };
}

describe('hopeless routes', () => {
  test('an ECDSA key by codes alone: the messages are named, with codes, time and what to do', () => {
    const { faults } = judged(planOfDraft(ECDSA), ['qr']);
    expect(faults.map((f) => /message (\w+) has (\d+ kB): (\d+) codes, \d+ \w+ on a terminal of 120x40/.exec(f.text)?.slice(1))).toEqual([['deal', '51 kB', '185'], ['prove', '105 kB', '382']]);
    for (const f of faults) {
      expect([f.code, f.field]).toEqual(['E_ROUTE', 'routes']);
      expect(f.remedy).toMatch(/routes: \[folder, qr\].*GIF or page.*\d+ codes, \d+ s at version 27/);
    }
  });
  test('… and with any second route it is not refused; nor without a word about routes', () => {
    for (const routes of [['folder', 'qr'], ['qr', 'relay'], ['folder'], ['relay'], undefined] as (Route[] | undefined)[]) expect([routes, faultsOf(planOfDraft(ECDSA), routes)]).toEqual([routes, []]);
  });
  test('FROST, and one presignature or ECDSA signature of two, go by codes alone; five presignatures do not', () => {
    expect(faultsOf(planOfDraft(DRAFT), ['qr'])).toEqual([]);
    expect(faultsOf(usePlan('sign'), ['qr'])).toEqual([]);
    expect(faultsOf(usePlan('presign'), ['qr'])).toEqual([]);
    expect(faultsOf(usePlan('presign', 5), ['qr'])).toEqual([expect.stringContaining('the message convert has')]);
    // a batch is its entries one after the other
    const [one, three] = [1, 3].map((n) => sizedPlan(usePlan('presign', n)));
    expect(['offer', 'convert', 'sum'].map((m) => blobBytes(three as never, m, 1) - blobBytes(one as never, m, 1))).toEqual([2 * offerBytes('secp256k1', 1), 2 * mtaBytes('secp256k1', 1), 2 * sumBytes('secp256k1')]);
  });
  test('an error round, which nobody plans, refuses nothing, but is told', () => {
    const plan = usePlan('presign');
    const trace = transportBudget(plan, opening(plan)).messages.find((m) => m.message === 'trace');
    expect([trace?.optional, trace?.bytes]).toEqual([true, expect.toSatisfy((n: number) => n > 380_000)]);
  });
  test('a long message to sign counts: by codes, and at last by relay', () => {
    const message = (bytes: number): ParcelFile[] => [{ path: 'message.bin', bytes: noise(bytes) }];
    expect(faultsOf(usePlan('sign'), ['qr'], message(30_000))).toEqual([]);
    expect(faultsOf(usePlan('sign'), ['qr'], message(45_000))).toEqual([expect.stringMatching(/what the ceremony begins with .* has 51 kB/)]);
    expect(faultsOf(usePlan('sign'), ['relay'], message(45_000))).toEqual([]);
    for (const routes of [['relay'], ['qr'], ['qr', 'relay']] as Route[][]) expect(faultsOf(usePlan('sign'), routes, message(26_000_000))).toEqual([expect.stringContaining('begins with has 26')]);
    expect(faultsOf(usePlan('sign'), ['folder', 'relay'], message(26_000_000))).toEqual([]);
  });
  test('many small messages that the lead would have to show at once', () => {
    const names = Array.from({ length: 64 }, (_, i) => `p${String(i)}`);
    const plan = planOfDraft({ ...DRAFT, quorum: `33-of(${names.join(',')})`, participants: names.map((name) => ({ name })), stock: 500 });
    expect(Math.max(...transportBudget(plan, opening(plan)).messages.map((m) => m.bytes))).toBeLessThan(40_000);
    expect(faultsOf(plan, ['qr'])).toEqual([expect.stringMatching(/confirm of 64 has 2\d{3} kB, which p0 shows to everybody: more codes than a sequence can have/)]);
  });
  test('a witness needs the folder', () => {
    const plan = planOfDraft({ ...DRAFT, witnesses: ['erin'] });
    for (const routes of [['qr'], ['relay'], ['qr', 'relay']] as Route[][]) expect(faultsOf(plan, routes)).toEqual([expect.stringContaining('a witness (erin) signs the whole record')]);
    expect(faultsOf(plan, ['folder', 'qr'])).toEqual([]);
  });
  test('PLC-08: at least one path that needs no network', () => {
    const plan = planOfDraft(DRAFT);
    expect(judged(plan, ['relay']).warnings).toEqual(['W_NO_OFFLINE']);
    for (const routes of [['folder', 'relay'], ['qr', 'relay'], ['folder'], ['qr'], undefined] as (Route[] | undefined)[]) expect(judged(plan, routes).warnings).toEqual([]);
  });
  test('long sequences on a small terminal are told before the day', () => {
    expect(judged(planOfDraft(ECDSA), ['folder', 'qr']).warnings).toEqual(['W_LONG_CODES']);
    expect(judged(planOfDraft(ECDSA), ['folder', 'relay']).warnings).toEqual([]);
  });

  test('the lead does not get past it: nothing is written, no one-time key is used up', async () => {
    table.restore('fresh');
    const run = await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: '2-of(alice, bob, carol)', honest: THREE, routes: ['qr'] });
    expect(run.error('alice')).toMatchObject({ code: 'E_ROUTE', facts: { field: 'routes', details: [expect.stringContaining('the message prove')] } });
    expect(existsSync(run.folder('alice'))).toBe(false);
    expect(CeremonyStore.all(table.party('alice').home)).toEqual([]);
    const again = await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: THREE, routes: ['qr'] });
    expect([again.plan.routes, again.code('alice')]).toEqual([['qr'], 'WAIT']);
  });

  test('who joins a plan that somebody made all the same is told, and may go on', async () => {
    table.restore('fresh');
    const { plan } = await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: '2-of(alice, bob, carol)', honest: THREE });
    table.restore('fresh');
    const run = await table.plant({ ...plan, routes: ['qr'] }, THREE);
    const told: string[] = [];
    const bob = table.party('bob');
    table.parties.set('bob', { ...bob, port: { ...bob.port, say: (text) => void (text.startsWith('!') && told.push(text)) } });
    await run.next('bob');
    table.parties.set('bob', bob);
    expect(run.code('bob')).toBe('WAIT');
    expect(told.map((t) => /^! (\w+) /.exec(t)?.[1])).toEqual(['E_ROUTE', 'E_ROUTE', 'W_LONG_CODES']);
  });
});

describe('a draft', () => {
  const YAML = `schema: mpc-ceremony/draft/1
kind: dkg
name: treasury
scheme: cggmp24-secp256k1
quorum: 2-of(alice, bob, carol)
participants: [{name: alice}, {name: bob}, {name: carol}]
attended: true
expiresInDays: 14
`;
  const lint = async (more: string) => lintDraft(await parseDraft(utf8(YAML + more), 'd.yaml'));
  test('says what it will cost', async () => {
    const { budget, errors } = await lint('');
    expect(errors).toEqual([]);
    expect(budget?.folder.handOvers).toBe(10);
    expect(budget?.qr.scans).toEqual({ hub: 8, others: 5, all: 18 });
    expect(budget?.messages.map((m) => [m.message, m.bytes])).toEqual([['commit', 151], ['deal', expect.any(Number)], ['prove', expect.any(Number)], ['confirm', expect.any(Number)]]);
  });
  test('and is refused where its routes cannot carry it', async () => {
    expect((await lint('routes: [qr]\n')).errors.map((e) => [e.code, e.field])).toEqual([['E_ROUTE', 'routes'], ['E_ROUTE', 'routes']]);
    expect((await lint('routes: [qr, folder]\n')).errors).toEqual([]);
    expect((await lint('routes: [relay]\n')).warnings.map((w) => w.code)).toEqual(['W_NO_OFFLINE']);
    expect((await lint('routes: [qr, qr, folder]\n')).errors.map((e) => e.text)).toEqual(['routes[1]: qr is named twice']);
  });
  test.each([
    ['routes: []', 'routes: is empty'],
    ['routes: [pigeon]', 'routes[0]: must be one of folder, qr, relay'],
    ['routes: qr', 'routes: must be a list'],
  ])('%s', async (line, text) => {
    await expect(lint(`${line}\n`)).rejects.toThrow(text);
  });
  test('has nothing to say about routes while its quorum cannot be read', async () => {
    const draft = await parseDraft(utf8(`${YAML.replace('carol)', 'carol')}routes: [qr]\n`), 'd.yaml');
    expect(lintDraft(draft)).toMatchObject({ errors: [{ code: 'E_QUORUM_SYNTAX' }] });
    expect(lintDraft(draft).budget).toBeUndefined();
  });
});

describe('routes of a plan', () => {
  const refused = (act: () => void): unknown => {
    try {
      act();
    } catch (e) {
      return e instanceof CeremonyError ? [e.code, e.facts.field, e.facts.remedy] : e;
    }
    return 'allowed';
  };
  test('without a word all are allowed', () => {
    for (const route of ROUTES) expect(refused(() => { requireRoute({}, route); })).toBe('allowed');
    expect(allowedRoutes({})).toEqual(['folder', 'qr', 'relay']);
    expect(onlyQr({})).toBe(false);
  });
  test('with one, nothing else moves, and the remedy names what does', () => {
    for (const mine of ROUTES)
      for (const route of ROUTES) {
        const outcome = refused(() => { requireRoute({ routes: [mine] }, route); });
        if (route === mine) expect(outcome).toBe('allowed');
        else expect(outcome).toEqual(['E_ROUTE', 'routes', expect.stringContaining(`--via ${mine === 'folder' ? 'folder:DIR' : mine === 'relay' ? 'relay:URL' : 'qr'}`)]);
      }
    expect([onlyQr({ routes: ['qr'] }), onlyQr({ routes: ['folder', 'qr'] })]).toEqual([true, false]);
  });
  test('as the lead types them: any order, each once', () => {
    expect(parseRoutes(['relay', 'folder'])).toEqual(['folder', 'relay']);
    for (const bad of [['tape'], ['qr', 'qr'], [''], ['qr', '']]) expect(refused(() => { parseRoutes(bad); })).toEqual(['E_USAGE', 'routes', bad[0] === 'qr' && bad[1] === 'qr' ? undefined : expect.any(String)]);
  });
});
