/**
 * Refresh and reshare of an ECDSA key. Rows 28, 31 and 44 of the attack table, and what a cheat can do with its new moduli
 * that it could not in a key generation.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { epochPrimesPath, pendingEpochs, sharePath, stockPath } from '../../src/ceremony/key-store.ts';
import { CHECKS } from '../../src/ecdsa/checks.ts';
import { FAC_BYTES } from '../../src/ecdsa/fac.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import type { RekeyPlan } from '../../src/plan/plan.ts';
import { type Outcome, outcomeOf } from '../../src/protocols/crew.ts';
import { concat } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { type ProveParts, proving } from '../support/dealer.ts';
import { EcdsaRedealer } from '../support/ecdsa-redealer.ts';
import { random, Table } from '../support/harness.ts';
import { fixturePrimes } from '../support/primes.ts';
import { expectRekeyAbort, expectSigns, refresh, reshare, standing, standings } from '../support/redealer.ts';
import type { Run } from '../support/run.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';
import { Stage } from '../support/stage.ts';

const [DEAL, REVEAL, PROVE, CONFIRM] = [1, 2, 3, 4];
const HOLDERS = ['alice', 'mallory', 'carol'];
const ALL = [...HOLDERS, 'dave'];
const HONEST = ['alice', 'carol'];
const OWN = fixturePrimes(9);

/** A check is made once: it is a pure function of public arguments. */
const known = new Map<string, Outcome<unknown>>();
for (const name of Object.keys(CHECKS) as (keyof typeof CHECKS)[]) {
  const work = CHECKS[name] as (args: object) => unknown;
  const remembered = (args: { own?: unknown }): unknown => {
    const { own: _, ...essence } = args;
    const key = createHash('sha256').update(serialize([name, essence])).digest('hex');
    const outcome = known.get(key) ?? outcomeOf(() => work(args));
    known.set(key, outcome);
    if (!outcome.ok) throw new CeremonyError(outcome.code, outcome.text);
    return outcome.value;
  };
  for (const place of [TASKS, CHECKS]) if (name in place) Object.assign(place, { [name]: remembered });
}

let table: Table;
/** The honest have dealt and committed. */
let dealt: Stage;
/** Everybody has; the honest have revealed. */
let revealed: Stage;
/** Everybody has; the honest have proved. */
let proved: Stage;
let cheat: EcdsaRedealer;
let good: ProveParts;
let before: ReturnType<typeof standings>;

beforeAll(async () => {
  table = await Table.open(ALL);
  const key = await table.dkg({ scheme: 'cggmp24-secp256k1', quorum: '2-of(alice, mallory, carol)', honest: HOLDERS, stock: 1 });
  await key.settle();
  expect(HOLDERS.map((n) => key.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
  table.save('key');
  before = standings(table, ALL);
  const run = await refresh(table, { honest: HONEST, cheats: ['mallory'] }, { stock: 1 });
  await run.settle();
  dealt = new Stage(run, 'dealt');
  cheat = new EcdsaRedealer(run, 'mallory', OWN);
  run.say('mallory', DEAL, cheat.deal());
  await run.settle();
  revealed = new Stage(run, 'revealed');
  run.say('mallory', REVEAL, cheat.reveal(cheat.messages()));
  await run.settle();
  good = await cheat.proofs(cheat.messages());
  proved = new Stage(run, 'proved');
}, 240_000);
afterAll(() => {
  table.close();
});

const abort = (run: Run, code: ErrorCode): Promise<void> => expectRekeyAbort(run, code, 'mallory', before);
const has = (label: string, file: string): boolean => table.party(label).home.disk.exists(join(table.party(label).home.root, file));

describe('reveals', () => {
  /** Mallory deals as crafted, then reveals. */
  async function reveal(craft: (c: EcdsaRedealer, run: Run) => Uint8Array | undefined, then: (c: EcdsaRedealer, run: Run) => Uint8Array = (c) => c.reveal(c.messages())): Promise<Run> {
    const run = dealt.back();
    const c = new EcdsaRedealer(run, 'mallory', OWN);
    run.say('mallory', DEAL, craft(c, run) ?? c.deal());
    await run.settle();
    run.say('mallory', REVEAL, then(c, run));
    await run.settle();
    return run;
  }
  test('row 20 V is of another announcement', async () => {
    await abort(await reveal((c) => c.deal(random(32))), 'E_COMMIT');
  });
  test('row 20 another salt', async () => {
    await abort(await reveal(() => undefined, (c) => ((c.salt = random(32)), c.reveal(c.messages()))), 'E_COMMIT');
  });
  test('row 19 the V of alice, and her announcement replayed', async () => {
    const run = await reveal(
      (c) => c.deal(c.messages().get(DEAL)?.get(1)?.body.slice(0, 32)),
      (c) => c.messages().get(REVEAL)?.get(1)?.body as Uint8Array,
    );
    await abort(run, 'E_COMMIT');
  });
  test('an announcement of another ceremony: Π-prm is bound to this one', async () => {
    await abort(await reveal((c) => ((c.ringProof = c.proveRing(random(32))), (c.auxiliary = c.announcement()), undefined)), 'E_PROOF');
  });
  test('Π-prm of another seat', async () => {
    await abort(await reveal((c) => ((c.ringProof = c.proveRing(c.ctx.session.sid, 1)), (c.auxiliary = c.announcement()), undefined)), 'E_PROOF');
  });
  test('cut off', async () => {
    await abort(await reveal(() => undefined, (c) => c.reveal(c.messages()).slice(0, -1)), 'E_FORMAT');
  });
  test('no V beside the dealing, and no dealing beside V', async () => {
    for (const [body, code] of [[(c: EcdsaRedealer) => c.dealing(), 'E_DEALING'], [(c: EcdsaRedealer) => c.commitment(), 'E_FORMAT']] as const) {
      const run = dealt.back();
      run.say('mallory', DEAL, body(new EcdsaRedealer(run, 'mallory', OWN)));
      await run.settle();
      await abort(run, code);
    }
  });
  test('its own reveal is signed twice', async () => {
    const run = revealed.back();
    run.say('mallory', REVEAL, cheat.reveal(cheat.messages()), ['alice']);
    run.say('mallory', REVEAL, concat(cheat.reveal(cheat.messages()).slice(0, -1), Uint8Array.of(0)), ['carol']);
    for (const n of HONEST) run.write(n, 'round-2/other.blob', run.file(n === 'alice' ? 'carol' : 'alice', 'round-2/mallory.blob') as Uint8Array);
    for (const n of HONEST) await run.next(n);
    await abort(run, 'E_EQUIVOCATION');
  });
});

describe('row 31 forget and forgive', () => {
  const wrong = (): Uint8Array => random(FAC_BYTES);
  async function prove(parts: ProveParts): Promise<Run> {
    const run = proved.back();
    run.say('mallory', PROVE, proving(parts));
    await run.settle();
    return run;
  }
  test.each<[string, () => ProveParts, readonly ErrorCode[]]>([
    ['Π-fac for carol alone is noise', () => ({ ...good, factors: new Map([[1, good.factors.get(1) as Uint8Array], [3, wrong()]]) }), ['E_PROOF', 'E_RANGE', 'E_FORMAT']],
    ['Π-fac for carol is the one for alice', () => ({ ...good, factors: new Map([[1, good.factors.get(1) as Uint8Array], [3, good.factors.get(1) as Uint8Array]]) }), ['E_PROOF', 'E_RANGE']],
    ['Π-mod of noise', () => ({ ...good, modulus: concat(good.modulus.slice(0, -1), Uint8Array.of((good.modulus.at(-1) as number) ^ 1)) }), ['E_PROOF', 'E_RANGE']],
    ['the share is not proven', () => ({ ...good, possession: concat(good.possession.slice(0, -1), Uint8Array.of((good.possession.at(-1) as number) ^ 1)) }), ['E_POP']],
  ])('row 31 in the last message before confirming: %s. Everybody holds the old epoch', async (_, parts, codes) => {
    const run = await prove(parts());
    expect(codes).toContain(run.code('alice'));
    await abort(run, run.code('alice') as ErrorCode);
    for (const n of HONEST) expect([pendingEpochs(table.party(n).home, 'treasury'), has(n, epochPrimesPath('treasury', 1)), has(n, stockPath('treasury', 1, 0))]).toEqual([[], true, true]);
  });
  test('row 31 after that, epoch 1 signs', async () => {
    await prove({ ...good, factors: new Map([[1, good.factors.get(1) as Uint8Array], [3, wrong()]]) });
    await expectSigns(table, HONEST, 1);
  }, 120_000);

  test('row 31 a stocked first message of noise in the confirmation: who has confirmed is in doubt, and holds both', async () => {
    const run = proved.back();
    run.say('mallory', PROVE, proving(good));
    await run.settle();
    const held = cheat.messages();
    const honest = held.get(CONFIRM)?.get(1)?.body as Uint8Array;
    // an offer of the right length
    const size = honest.length - (1 + 96 + 32 + 100 + 2);
    run.say('mallory', CONFIRM, await cheat.confirm(held, { stock: [random(size)] }));
    await run.settle();
    const code = run.code('alice') as ErrorCode;
    expect(['E_PROOF', 'E_RANGE', 'E_FORMAT', 'E_POINT', 'E_SCALAR']).toContain(code);
    await abort(run, code);
    for (const n of HONEST) expect([pendingEpochs(table.party(n).home, 'treasury'), has(n, sharePath('treasury', 1)), has(n, epochPrimesPath('treasury', 1))]).toEqual([[2], true, true]);
  });
});

describe('row 28 reshare', () => {
  const begin = async (cheats: readonly string[]): Promise<Run> => {
    table.restore('key');
    const run = await reshare(table, { honest: ALL.filter((n) => !cheats.includes(n)), cheats }, { quorum: '2-of(alice, carol, dave)', dealers: [['alice', 'alice'], ['mallory', 'mallory']] });
    await run.settle();
    return run;
  };
  test('row 28 the dealer who leaves deals one too much', async () => {
    const run = await begin(['mallory']);
    const c = new EcdsaRedealer(run, 'mallory', OWN);
    c.take(c.polynomials((c.constant() as bigint) + 1n));
    run.say('mallory', DEAL, c.dealing());
    await run.settle();
    await abort(run, 'E_DEALING');
  });
  test.each<[string, (c: EcdsaRedealer) => [number, Uint8Array][]]>([
    ['commits to moduli, though it receives nothing', (c) => [[DEAL, c.deal()]]],
    ['reveals moduli', (c) => [[DEAL, c.dealing()], [REVEAL, c.reveal(c.messages())]]],
  ])('row 28 the dealer who leaves %s', async (_, say) => {
    const run = await begin(['mallory']);
    const c = new EcdsaRedealer(run, 'mallory', OWN);
    for (const [slot, body] of say(c)) run.say('mallory', slot, body);
    await run.settle();
    expect(['E_FORMAT', 'E_DEALING']).toContain(run.code('alice'));
    await abort(run, run.code('alice') as ErrorCode);
  });
  test('row 28 a newcomer deals beside its V', async () => {
    const run = await begin(['dave']);
    const c = new EcdsaRedealer(run, 'dave', OWN);
    const dealing = new EcdsaRedealer(run, 'mallory', OWN).dealing();
    run.say('dave', DEAL, concat(c.commitment(), dealing));
    await run.settle();
    await expectRekeyAbort(run, 'E_FORMAT', 'dave', before);
  });
});

describe('row 44 what is left of the epoch before', () => {
  // in every run: row 44 for stocks in rekey-confirming.test.ts, for presignatures with the real program in rekey-ecdsa.test.ts
  test.runIf(ALL_TESTS)('row 44 presignatures, stocks and primes of epoch 1 are gone with epoch 2, and old ones are refused', async () => {
    table.restore('key');
    const pre = await table.presign({ honest: HONEST });
    await pre.settle();
    expect(HONEST.map((n) => pre.code(n))).toEqual(['DONE', 'DONE']);
    const dir = 'keys/treasury/epoch-1/presignatures';
    const sealed = (n: string): string[] => table.party(n).home.disk.list(join(table.party(n).home.root, dir)).filter((f) => f.endsWith('.sealed'));
    expect(HONEST.map((n) => sealed(n).length)).toEqual([1, 1]);
    // a plan that spends it, which carol has not joined
    const old = await table.sign({ honest: HONEST });
    expect((old.plan as { presignature?: string }).presignature).toBeDefined();
    table.save('presigned');
    const run = await refresh(table, { honest: HOLDERS });
    await run.settle();
    expect(HOLDERS.map((n) => [n, run.code(n), standing(table, n).epoch])).toEqual(HOLDERS.map((n) => [n, 'DONE', 2]));
    for (const n of HOLDERS) {
      expect([n, has(n, sharePath('treasury', 1)), has(n, epochPrimesPath('treasury', 1)), has(n, stockPath('treasury', 1, 0)), sealed(n)]).toEqual([n, false, false, false, []]);
      expect([has(n, sharePath('treasury', 2)), has(n, epochPrimesPath('treasury', 2))]).toEqual([true, true]);
    }
    old.carry();
    await old.next('carol');
    expect(old.code('carol')).toBe('E_EPOCH');
    expect(old.files('carol')).not.toContain('signature.bin');
    // forced: the plan says epoch 2
    const plan = { ...old.plan, nonce: 'ef'.repeat(32), key: { ...(run.plan as RekeyPlan & { key: object }).key, epoch: 2, certificate: standing(table, 'alice').digest } } as typeof old.plan;
    const forced = await table.plant(plan, ['carol'], Object.fromEntries(['intent.json', 'message.bin', 'base/presignature.json'].map((f) => [f, old.file('alice', f) as Uint8Array])));
    await forced.next('carol');
    expect(forced.last.get('carol')?.error).toBeDefined();
    expect(forced.files('carol').filter((f) => f.startsWith('round-'))).toEqual([]);
  }, 240_000);
});
