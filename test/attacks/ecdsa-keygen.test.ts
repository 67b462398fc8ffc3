/**
 * Party 2 cheats in the generation of an ECDSA key: with its moduli and bases, with what it proves of them, with its
 * messages, with the offers that it stocks. Rows 1 to 4, 6 to 12, 16 to 18, 20, 29, 30, 35, 57, 58 of the attack table.
 *
 * Alice and carol are played to a point once, and from there mallory says something else in every test. The checks of
 * proofs are pure functions of public arguments: what alice has checked is not checked again for carol, nor for the
 * stranger who verifies the evidence.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bitLength, gcd, invert, isqrt, jacobi } from '../../src/arith/integer.ts';
import { adaptiveModulus, PRIME_SET_UP, publicModulus } from '../../src/arith/modulus.ts';
import { blumPrime, probablyPrime, safePrime } from '../../src/arith/primes.ts';
import { modPowReference } from '../../src/arith/reference.ts';
import { below, unit } from '../../src/arith/sample.ts';
import { createHome, prekeySecret } from '../../src/ceremony/identity.ts';
import { epochPrimesPath, requireKey, sharePath } from '../../src/ceremony/key-store.ts';
import { packBits, unpackBits } from '../../src/ecdsa/bits.ts';
import { CHECKS } from '../../src/ecdsa/checks.ts';
import { natural } from '../../src/ecdsa/codec.ts';
import { bitChallenges, type ProofContext } from '../../src/ecdsa/context.ts';
import { ENC_ELG_BYTES } from '../../src/ecdsa/enc-elg.ts';
import { FAC_BYTES } from '../../src/ecdsa/fac.ts';
import { type AuxSecret, orderOfRing } from '../../src/ecdsa/make-aux.ts';
import { MOD_BYTES, modChallenges, selected } from '../../src/ecdsa/mod.ts';
import { checkPrm, PRM_BYTES, PRM_LABEL, prmItems } from '../../src/ecdsa/prm.ts';
import { provePrm } from '../../src/ecdsa/prove-prm.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import { type DkgPlan, sessionId } from '../../src/plan/plan.ts';
import { type Outcome, outcomeOf } from '../../src/protocols/crew.ts';
import { COMMIT, DEAL, PROVE } from '../../src/protocols/dkg.ts';
import { commitment } from '../../src/protocols/dkg-messages.ts';
import { auxiliaryOf } from '../../src/protocols/epoch.ts';
import { ABANDON_BODY, CLOSING, closingOf, echo, type Inbound, refusalBody } from '../../src/protocols/machine.ts';
import { verifyRecord } from '../../src/transcript/verify.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { REHEARSAL } from '../../src/vault/kdf.ts';
import { Secret } from '../../src/vault/secret.ts';
import { BLOB_OVERHEAD, type Envelope } from '../../src/wire/blob.ts';
import { concat, toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { ABOVE, badModuli, BELOW_SMALL } from '../ecdsa/set-up.ts';
import { EcdsaDealer, ownRing, type ProveParts, proving, type Published, withMessage } from '../support/dealer.ts';
import { evidenceOf, expectAbort, expectEvidence, expectNobodyFramed, expectNoKey, expectNothingReleased, recordOf } from '../support/expect.ts';
import { PASSPHRASE, random, Table } from '../support/harness.ts';
import { fixturePrimes } from '../support/primes.ts';
import type { Run } from '../support/run.ts';
import { Stage } from '../support/stage.ts';

const CONFIRM = 4;
const HONEST = ['alice', 'carol'];
const ALL = ['alice', 'mallory', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
const [ALICE, CAROL] = [1, 3];
/** The fixtures are dealt out from the first on; these are mallory's. */
const OWN = fixturePrimes(9);

/**
 * A check is made once, and so are the proofs of round 3: those of the honest are bound to the session and everybody's ρ,
 * and to nothing else that mallory says.
 */
const known = new Map<string, Outcome<unknown>>();
function once(name: keyof typeof TASKS): void {
  const work = TASKS[name] as (args: object) => unknown;
  const remembered = (args: { own?: unknown; seed?: unknown }): unknown => {
    const { own, seed: _, ...essence } = args;
    const key = createHash('sha256').update(serialize([name, name in CHECKS ? essence : { own, ...essence }])).digest('hex');
    const outcome = known.get(key) ?? outcomeOf(() => work(args));
    known.set(key, outcome);
    if (!outcome.ok) throw new CeremonyError(outcome.code, outcome.text);
    return outcome.value;
  };
  for (const place of [TASKS, CHECKS]) if (name in place) Object.assign(place, { [name]: remembered });
}
for (const name of Object.keys(CHECKS)) once(name as keyof typeof CHECKS);
once('proveModulus');
once('proveFactors');

let table: Table;
/** The honest have committed. */
let committed: Stage;
/** What mallory publishes where it does as it should. */
let published: Published;
/** Everybody has dealt, and the honest have sent their proofs. */
let proved: Stage;
let dealer: EcdsaDealer;
let share: bigint;
/** Mallory's proofs, all of them good. */
let good: ProveParts;
/** Mallory's too, of a ceremony with alice before: there it published the same. */
let earlier: { readonly auxiliary: Uint8Array; readonly bind: Uint8Array; readonly parts: ProveParts };

const begin = (over = {}): Promise<Run> => table.dkg({ scheme: 'cggmp24-secp256k1', quorum: QUORUM, honest: HONEST, cheats: ['mallory'], stock: 2, ...over });

beforeAll(async () => {
  table = await Table.open(ALL);
  const before = await begin({ name: 'earlier', quorum: '2-of(alice, mallory)', honest: ['alice'] });
  await before.settle();
  const was = new EcdsaDealer(before, 'mallory', OWN);
  before.say('mallory', COMMIT, was.commit());
  await before.settle();
  const dealt = withMessage(before, before.messages(), before.blob('mallory', DEAL, was.deal(before.messages())));
  earlier = { auxiliary: was.auxiliary, bind: was.bind(dealt), parts: await was.proofs(dealt) };
  table.restore('fresh');

  const run = await begin();
  await run.settle();
  committed = new Stage(run, 'committed');
  dealer = new EcdsaDealer(run, 'mallory', was.published);
  dealer.ringProof = dealer.proveRing();
  dealer.announce();
  published = dealer.published;
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  run.say('mallory', DEAL, dealer.deal(run.messages()));
  await run.settle();
  proved = new Stage(run, 'proved');
  good = await dealer.proofs(run.messages());
  share = await dealer.share(run.messages());
});
afterAll(() => {
  table.close();
});

/** The home holds nothing of the attempt that could still be used: no share, no primes, no round secret, no one-time key. */
function expectNothingKept(run: Run, label: string): void {
  const { home, identity } = table.party(label);
  const plan = run.plan as DkgPlan;
  const store = run.store(label);
  expect(home.disk.list(join(store?.dir as string, 'secret'))).toEqual([]);
  for (const path of [sharePath, epochPrimesPath]) expect(home.disk.exists(join(home.root, path(plan.name, plan.rank)))).toBe(false);
  const { n } = plan.participants.find((p) => p.name === home.facts.name)?.prekey as { n: number };
  expect(prekeySecret(identity.vault, n)).toBeUndefined();
}

/** Everybody refused with this code, named the cheat, and keeps nothing. @param text of the refusal */
async function expectCaught(run: Run, code: ErrorCode, culprit: string | undefined = 'mallory', text = /./): Promise<void> {
  await expectAbort(run, code, culprit);
  for (const label of run.honest) {
    expect(run.error(label).message).toMatch(text);
    expectNothingKept(run, label);
  }
}

type Craft = (d: EcdsaDealer, run: Run) => void;
const revealing = (d: EcdsaDealer, messages: Inbound): Uint8Array => d.deal(messages);

/** From the commits of the honest on: mallory commits to what `craft` makes, and deals what `reveal` makes of it. */
async function dealing(craft: Craft, reveal = revealing): Promise<{ run: Run; cheat: EcdsaDealer }> {
  const run = committed.back();
  const cheat = new EcdsaDealer(run, 'mallory', published);
  craft(cheat, run);
  run.say('mallory', COMMIT, cheat.commit());
  await run.settle();
  run.say('mallory', DEAL, reveal(cheat, run.messages()));
  return { run, cheat };
}

/** The same, and nobody proves anything: the deal is refused. */
async function expectDealRefused(code: ErrorCode, craft: Craft, text = /./, reveal = revealing): Promise<void> {
  const { run } = await dealing(craft, reveal);
  await run.settle();
  await expectCaught(run, code, 'mallory', text);
  for (const label of HONEST) expect(run.store(label)?.sent.has(PROVE)).toBe(false);
}

/** From the proofs of the honest on: mallory's proofs are refused. */
async function expectProofsRefused(code: ErrorCode, body: Uint8Array, text = /./): Promise<void> {
  const run = proved.back();
  run.say('mallory', PROVE, body);
  await run.settle();
  await expectCaught(run, code, 'mallory', text);
}

/** The same for Π-fac that was made under other parameters: a number modulo one N^ may be too large for another. */
async function expectFactorsRefused(factors: ProveParts['factors']): Promise<void> {
  const run = proved.back();
  run.say('mallory', PROVE, proving({ ...good, factors }));
  await run.settle();
  const code = run.code('alice') as ErrorCode;
  expect(['E_PROOF', 'E_RANGE']).toContain(code);
  await expectCaught(run, code, 'mallory', /factors of the Paillier modulus/);
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const out = bytes.slice();
  (out[at] as number) ^= 1;
  return out;
};
/** Publishes something else, with the old proof or a new one. */
const publish =
  (over: Partial<{ n: bigint; nHat: bigint; s: bigint; t: bigint; lambda: bigint }>, prove = false): Craft =>
  (d) => {
    const { lambda = d.lambda, ...aux } = over;
    d.aux = { ...d.aux, ...aux };
    d.lambda = lambda;
    if (prove) d.ringProof = d.proveRing();
    d.announce();
  };

test('left alone, mallory is honest: the key is made, with a stock of offers', async () => {
  const run = proved.back();
  run.say('mallory', PROVE, proving(good));
  await run.settle();
  const messages = run.messages();
  const result = await dealer.result(messages);
  run.say('mallory', CONFIRM, dealer.confirm(messages, result.digest, await dealer.stock(result)));
  await run.settle();
  expect(HONEST.map((n) => run.code(n))).toEqual(['DONE', 'DONE']);
});

describe('row 1 what is joined, divided elsewhere', () => {
  /** Π-prm of which the challenge is made by hashing the first message otherwise. */
  const regrouped =
    (items: (first: readonly Uint8Array[]) => readonly Uint8Array[]): Craft =>
    (d) => {
      const ring = ownRing(d.aux, d.own);
      const phi = orderOfRing(d.own);
      const nonces = Array.from({ length: 128 }, () => below(phi, random));
      const first = nonces.map((a) => natural(ring.M.pow(ring.t, a), 384));
      const bits = bitChallenges(PRM_LABEL, d.announcing, prmItems({ ring }), items(first));
      d.ringProof = concat(packBits(bits), ...nonces.map((a, k) => natural(bits[k] === true ? (a + d.lambda) % phi : a, 384)));
      d.announce();
    };
  test('row 1 α-shuffle: Π-prm whose first two elements are one', () =>
    expectDealRefused('E_PROOF', regrouped(([one, two, ...rest]) => [concat(one as Uint8Array, two as Uint8Array), ...rest]), /Π-prm does not hold/));
  test('row 1 the same hand makes a good proof where it divides nothing', () => {
    const cheat = new EcdsaDealer(committed.back(), 'mallory', published);
    regrouped((all) => all)(cheat, committed.run);
    checkPrm(cheat.announcing, { ring: ownRing(cheat.aux, cheat.own) }, cheat.ringProof);
  });
  test('row 1 a commitment to the same bytes, of which one counts as another part', () =>
    expectDealRefused('E_COMMIT', (d) => {
      const { auxiliary, salt } = d;
      const moved = { salt: concat(salt, auxiliary.slice(0, 1)), auxiliary: auxiliary.slice(1) };
      d.commit = () => commitment(d.ctx.session.sid, d.leaf, { commitments: d.treeBytes, possession: d.possession, chainPart: d.chainPart, ...moved });
    }));
});

describe('rows 2 and 3 one long challenge, few repetitions', () => {
  test('row 2 c-split: s = -t^λ, with a Π-prm for λ', () => expectDealRefused('E_PROOF', (d) => publish({ s: d.aux.nHat - d.aux.s }, true)(d, committed.run), /Π-prm does not hold/));
  test('row 2 one valid repetition, 128 times', () =>
    expectDealRefused(
      'E_PROOF',
      (d) => {
        const k = unpackBits(d.ringProof.slice(0, 16)).indexOf(true);
        const response = d.ringProof.slice(16 + 384 * k, 400 + 384 * k);
        d.ringProof = concat(new Uint8Array(16).fill(255), ...Array.from({ length: 128 }, () => response));
        d.announce();
      },
      /Π-prm does not hold/,
    ));

  const repetitions = (proof: Uint8Array, head: number, each: number, count: number): Uint8Array => concat(proof, proof.slice(-each)).slice(0, head + each * count);
  test.each([127, 1, 0])('row 3 Π-prm of %i repetitions', (count) =>
    expectDealRefused('E_DEALING', (d) => {
      d.ringProof = repetitions(d.ringProof, 16, 384, count);
      d.announce();
    }));
  test.each([127, 1, 0])('row 3 Π-mod of %i repetitions', (count) => expectProofsRefused('E_FORMAT', proving({ ...good, modulus: repetitions(good.modulus, 416, 768, count) })));
});

/**
 * Π-mod for a modulus of any primes = 3 mod 4, as well as it can be made by who knows them: of y, -y, w·y, -w·y the one
 * with a fourth root, or no root where there is none.
 * @param w with Jacobi symbol -1, or whatever else is to stand there
 * @param complete with the N-th roots, at which nobody looks where a fourth root is wrong
 */
function proveAnyModulus(ctx: ProofContext, primes: readonly bigint[], w: bigint, complete: boolean): Uint8Array {
  const n = primes.reduce((a, b) => a * b, 1n);
  const sides = primes.map((p) => ({ p, ...(p >> 512n > 0n ? adaptiveModulus(p, PRIME_SET_UP) : { pow: (b: bigint, e: bigint) => modPowReference(b, e, p) }) }));
  const join = (residues: readonly bigint[]): bigint => primes.reduce((sum, p, i) => (sum + (residues[i] as bigint) * (n / p) * invert(n / p, p)) % n, 0n);
  const isSquare = (y: bigint): boolean => primes.every((p) => jacobi(y % p, p) !== -1);
  const fourthRoot = (y: bigint): bigint => join(sides.map(({ p, pow }) => pow(y % p, ((p + 1n) / 4n) ** 2n % (p - 1n))));
  const roots = modChallenges(ctx, { N: publicModulus(n) }, w).map((y) => {
    const kinds = [false, true].flatMap((withW) => [false, true].map((negative) => ({ withW, negative })));
    const kind = kinds.find(({ withW, negative }) => isSquare(selected(y, w, negative, withW, n)));
    const { withW, negative } = kind ?? { withW: false, negative: false };
    const x = kind ? fourthRoot(selected(y, w, negative, withW, n)) : 1n;
    return { withW, negative, x, z: complete ? join(sides.map(({ p, pow }) => pow(y % p, invert(n, p - 1n)))) : 1n };
  });
  const bits = (of: 'withW' | 'negative'): Uint8Array => packBits(roots.map((r) => r[of]));
  return concat(natural(w, 384), bits('negative'), bits('withW'), ...roots.flatMap(({ x, z }) => [natural(x, 384), natural(z, 384)]));
}
/** A number with Jacobi symbol -1. */
function nonResidue(n: bigint): bigint {
  for (;;) {
    const w = unit(n, random);
    if (jacobi(w, n) === -1) return w;
  }
}

/**
 * A ceremony in which mallory's N is the product of these primes, up to the proofs of the honest; and mallory's own, as
 * good as they can be made.
 * @param factors claimed to be those of N
 */
async function withPrimes(primes: readonly bigint[], factors: { p: bigint; q: bigint }): Promise<{ run: Run; parts: ProveParts; where: ProofContext }> {
  const n = primes.reduce((a, b) => a * b, 1n);
  expect(bitLength(n)).toBe(3072);
  const { run, cheat } = await dealing(publish({ n }));
  await run.settle();
  for (const label of HONEST) expect([label, run.store(label)?.sent.has(PROVE)]).toEqual([label, true]);
  const messages = run.messages();
  const bind = cheat.bind(messages);
  const where = { bind, prover: cheat.leaf, verifier: 0 };
  const parts = await cheat.proofs(messages, {
    modulus: proveAnyModulus(where, primes, nonResidue(n), primes.length === 2),
    factors: new Map(cheat.verifiers(messages).map((v) => [v.leaf, cheat.proveFactors(bind, v, factors)])),
  });
  return { run, parts, where };
}

describe('row 4 BitForge: N with a small factor', () => {
  test('row 4 of 16 bits: seen at once', () => expectDealRefused('E_MODULUS', publish({ n: BELOW_SMALL * ABOVE[3056] }), /has a small factor/));
  test('row 4 of 64 bits: Π-mod holds, Π-fac for numbers of the right size does not', async () => {
    const primes = [ABOVE[63], ABOVE[3008]];
    const half = isqrt(ABOVE[63] * ABOVE[3008]);
    const { run, parts } = await withPrimes(primes, { p: half, q: half });
    run.say('mallory', PROVE, proving(parts));
    await run.settle();
    await expectCaught(run, 'E_PROOF', 'mallory', /factors of the Paillier modulus: Π-fac does not hold/);
  });
  test('row 4 of 200 bits, one of three: Π-mod does not hold either', async () => {
    const rest = [OWN.p, await blumPrime(1337)] as const;
    const half = isqrt(ABOVE[199] * rest[0] * rest[1]);
    const { run, parts } = await withPrimes([ABOVE[199], ...rest], { p: half, q: half });
    run.say('mallory', PROVE, proving(parts));
    await run.settle();
    await expectCaught(run, 'E_PROOF', 'mallory', /Paillier modulus: Π-mod does not hold: a fourth root is wrong/);
  });
});

describe('rows 7 and 8 N of three primes', () => {
  const primes = [OWN.p, ABOVE[768], ABOVE.next768];
  const n = primes.reduce((a, b) => a * b, 1n);
  let three: Awaited<ReturnType<typeof withPrimes>>;
  let before: Stage;
  beforeAll(async () => {
    // Π-fac holds: two of the primes are one large factor
    three = await withPrimes(primes, { p: OWN.p, q: ABOVE[768] * ABOVE.next768 });
    before = new Stage(three.run, 'three');
  });
  const refused = async (code: ErrorCode, modulus: Uint8Array, text: RegExp): Promise<void> => {
    const run = before.back();
    run.say('mallory', PROVE, proving({ ...three.parts, modulus }));
    await run.settle();
    await expectCaught(run, code, 'mallory', text);
  };
  test('row 8 all = 3 mod 4: squares would all have roots, half of the challenges have none', () => refused('E_PROOF', three.parts.modulus, /a fourth root is wrong/));
  test('row 7 CVE-2025-66016: w = 0, with which 0 is a root of everything else', () => refused('E_RANGE', proveAnyModulus(three.where, primes, 0n, true), /w of Π-mod is no unit/));
  test('row 7 w of two of the primes, with which everything has a root', () => refused('E_RANGE', proveAnyModulus(three.where, primes, ABOVE[768] * ABOVE.next768, false), /w of Π-mod is no unit/));
  test('row 7 w of symbol 1', () => refused('E_PROOF', concat(natural(unit(n, random) ** 2n % n, 384), three.parts.modulus.slice(384)), /does not have the Jacobi symbol -1/));
});

describe('row 7 a w that is no non-residue, in an otherwise good proof', () => {
  const { p, q } = OWN;
  test.each<[string, ErrorCode, bigint]>([
    ['0', 'E_RANGE', 0n],
    ['N', 'E_RANGE', p * q],
    ['p', 'E_RANGE', p],
    ['a square', 'E_PROOF', 4n],
  ])('row 7 w = %s', (_, code, w) => expectProofsRefused(code, proving({ ...good, modulus: concat(natural(w, 384), good.modulus.slice(384)) }), /w of Π-mod/));
});

describe('row 6 replay', () => {
  test('row 6 Π-prm of an earlier ceremony, for the same moduli and bases', () =>
    expectDealRefused(
      'E_PROOF',
      (d) => {
        d.auxiliary = earlier.auxiliary;
      },
      /Π-prm does not hold/,
    ));
  test('row 6 Π-mod of an earlier ceremony, for the same N', () => expectProofsRefused('E_PROOF', proving({ ...good, modulus: earlier.parts.modulus }), /Π-mod does not hold/));
  test('row 6 the proof of the share of an earlier ceremony', () => expectProofsRefused('E_POP', proving({ ...good, possession: earlier.parts.possession })));
  test('row 6 a proof of this share, bound to an earlier ceremony', () => expectProofsRefused('E_POP', proving({ ...good, possession: dealer.sharePossession(earlier.bind, share) })));
  test('row 6 Π-fac of an earlier ceremony', () => expectFactorsRefused(new Map([...good.factors, ...earlier.parts.factors])));
  test('row 6 Π-fac for these verifiers, bound to an earlier ceremony', () =>
    expectProofsRefused('E_PROOF', proving({ ...good, factors: new Map(dealer.verifiers(proved.back().messages()).map((v) => [v.leaf, dealer.proveFactors(earlier.bind, v)])) }), /Π-fac does not hold/));
  test('row 18 the proof of alice’s share', () => {
    const alice = proved.back().messages().get(PROVE)?.get(ALICE)?.body as Uint8Array;
    return expectProofsRefused('E_POP', proving({ ...good, possession: alice.slice(96, 96 + good.possession.length) }));
  });
});

describe('row 9 ring-Pedersen parameters that hide nothing', () => {
  const { pHat, qHat } = OWN;
  const nHat = pHat * qHat;
  test.each<[string, ErrorCode, () => Craft]>([
    ['s = 1', 'E_MODULUS', () => publish({ s: 1n, lambda: 0n }, true)],
    // the form alone refuses these too: the proof is not looked at
    ['s = t', 'E_MODULUS', () => publish({ s: published.aux.t })],
    ['t = 1', 'E_MODULUS', () => publish({ t: 1n })],
    ['s = -1', 'E_MODULUS', () => publish({ s: nHat - 1n })],
    ['t with a factor of N^', 'E_MODULUS', () => publish({ t: pHat ** 2n % nHat })],
    ['s with a factor of N^', 'E_MODULUS', () => publish({ s: qHat * 5n })],
    ['s that is not in the group of t', 'E_PROOF', () => publish({ s: nonResidue(nHat) }, true)],
  ])('row 9 %s', (_, code, craft) => expectDealRefused(code, craft(), code === 'E_PROOF' ? /Π-prm does not hold/ : /\bs or t\b|\bs and t\b/));
});

describe('row 10 own primes', () => {
  test.each([64, 96, 128])('row 10 of %i bits for N^ are safe, whatever is asked for at the same time', async (bits) => {
    const made = await Promise.all(Array.from({ length: 12 }, () => [safePrime(bits), blumPrime(bits)] as const).flat());
    const safe = made.filter((_, i) => i % 2 === 0);
    for (const p of safe) expect([bitLength(p), probablyPrime(p), probablyPrime((p - 1n) / 2n), p % 4n]).toEqual([bits, true, true, 3n]);
    // what is asked for N need not be safe, and mostly is not: the test can tell them apart
    expect(made.every((p) => probablyPrime((p - 1n) / 2n))).toBe(false);
  });
});

/** What somebody deals, though it is secret until then: from its home. */
function secretAuxiliary(run: Run, label: string): Uint8Array {
  const secret = table.party(label).identity.vault.get(run.store(label)?.secretPath('for-2') as string) as Uint8Array;
  const at = 32 + 32 + 2 * 33 + 65 + 4;
  return secret.slice(at, at + 4 * 384 + PRM_BYTES + 32);
}
const numberAt = (bytes: Uint8Array, at: number): bigint => BigInt(`0x${toHex(bytes.slice(at, at + 384))}`);

describe('row 11 copied moduli', () => {
  test('row 11 N^ with s, t and the proof of alice, and an own N', () =>
    expectDealRefused(
      'E_PROOF',
      (d, run) => {
        const alice = secretAuxiliary(run, 'alice');
        d.auxiliary = concat(natural(d.aux.n, 384), alice.slice(384));
      },
      /Π-prm does not hold/,
    ));
  test('row 11 N of alice, with her proofs', async () => {
    const { run, cheat } = await dealing((d, r) => publish({ n: numberAt(secretAuxiliary(r, 'alice'), 0) })(d, r));
    await run.settle();
    const messages = run.messages();
    const alice = messages.get(PROVE)?.get(ALICE)?.body as Uint8Array;
    const at = 96 + good.possession.length;
    const [modulus, factors] = [alice.slice(at, at + MOD_BYTES), alice.slice(at + MOD_BYTES)];
    const copied = new Map([[ALICE, factors.slice(0, FAC_BYTES)], [CAROL, factors.slice(FAC_BYTES)]]);
    run.say('mallory', PROVE, proving(await cheat.proofs(messages, { modulus, factors: copied })));
    await run.settle();
    await expectCaught(run, 'E_PROOF', 'mallory', /Π-mod does not hold/);
  });
  test('row 11 N = N^', () => expectDealRefused('E_MODULUS', (d, r) => publish({ n: d.aux.nHat })(d, r), /common factor/));

  test('row 11 E_AUX_COLLISION: N^ of alice with own bases blames nobody, ends it for all, and a further attempt of the two completes', async () => {
    const { run, cheat } = await dealing((d, r) => {
      // Π-prm shows nothing about factors: any t, and a λ that is short enough
      const nHat = numberAt(secretAuxiliary(r, 'alice'), 384);
      const t = unit(nHat, random) ** 2n % nHat;
      const M = publicModulus(nHat);
      d.lambda = below(2n ** 256n, random);
      d.aux = { n: d.aux.n, nHat, t, s: M.pow(t, d.lambda) };
      d.ringProof = provePrm(d.announcing, { ring: { nHat, s: d.aux.s, t, M } }, { lambda: d.lambda, phi: nHat }, random(32));
      d.announce();
    });
    await run.settle();
    run.say('mallory', PROVE, proving(await cheat.proofs(run.messages())));
    await run.settle();
    await expectAbort(run, 'E_AUX_COLLISION', undefined);
    for (const label of HONEST) {
      expect(run.error(label).message).toContain('alice, mallory');
      expectNothingKept(run, label);
    }
    const before = [...(run.messages().get(DEAL)?.values() ?? [])].flatMap((e) => [0, 384].map((at) => numberAt(e.body, 96 + 64 + at)));
    expect(new Set(before).size).toBe(5);

    const owners = ['alice', 'mallory'];
    const again = await begin({ quorum: '2-of(alice, mallory)', honest: owners, cheats: [], stock: 0, previous: { sid: toHex(sessionId(run.plan)), attempt: 1 } });
    await again.settle(owners);
    expect(owners.map((label) => again.code(label))).toEqual(['DONE', 'DONE']);
    const { epoch } = requireKey(table.party('alice').home, 'treasury');
    expect([epoch.attempt, epoch.number, again.plan.previous]).toEqual([2, 2, toHex(sessionId(run.plan))]);
    const after = auxiliaryOf(epoch).flatMap(({ n, nHat }) => [n, nHat]);
    expect(after.every((m) => before.every((b) => gcd(m, b) === 1n))).toBe(true);
  });
});

describe('row 12 N or N^ of the wrong size', () => {
  const size = (name: string): bigint => (badModuli.find(([each]) => each === name) as [string, bigint])[1];
  test.each(['of 2048 bits', 'of 3070 bits', 'of 3071 bits', 'prime'])('row 12 N %s', (name) => expectDealRefused('E_MODULUS', publish({ n: size(name) }), /the Paillier modulus/));
  test.each(['of 2048 bits', 'of 3071 bits'])('row 12 N^ %s', (name) => expectDealRefused('E_MODULUS', publish({ nHat: size(name) }), /the ring-Pedersen modulus/));
  // they do not fit their place, and another place there is not
  test.each(['of 3073 bits', 'of 8192 bits'])('row 12 N %s', (name) =>
    expectDealRefused('E_DEALING', (d) => {
      const bytes = natural(size(name), Math.ceil(bitLength(size(name)) / 8));
      d.auxiliary = concat(bytes, d.auxiliary.slice(384));
    }));
});

describe('row 17 proofs for one of several', () => {
  const bad = (leaf: number): ReadonlyMap<number, Uint8Array> => new Map([...good.factors].map(([to, proof]) => [to, to === leaf ? flipped(proof, 2 * 384 + 100) : proof]));
  test.each([[['carol', 'alice']], [['alice', 'carol']]])('row 17 Π-fac is bad for carol alone, and both name mallory (%s)', async (order) => {
    const run = proved.back();
    run.say('mallory', PROVE, proving({ ...good, factors: bad(CAROL) }));
    await run.settle(order);
    await expectCaught(run, 'E_PROOF', 'mallory', /Π-fac does not hold/);
  });
  test('row 16 Π-fac of one verifier in the place of the other', () =>
    expectFactorsRefused(new Map([[ALICE, good.factors.get(CAROL)], [CAROL, good.factors.get(ALICE)]] as [number, Uint8Array][])));
  test('row 17 none for carol', () => expectProofsRefused('E_FORMAT', proving({ ...good, factors: new Map([[ALICE, good.factors.get(ALICE) as Uint8Array]]) })));
  test('row 17 one for itself besides', () => expectProofsRefused('E_FORMAT', proving({ ...good, factors: new Map([...good.factors, [2, good.factors.get(ALICE) as Uint8Array]]) })));
  test('row 57 nothing at all', () => expectProofsRefused('E_FORMAT', new Uint8Array(0)));
});

describe('row 20 what is revealed is not what was committed to', () => {
  const places: [string, number][] = [['N', 0], ['s', 2 * 384], ['Π-prm', 4 * 384], ['ρ', 4 * 384 + PRM_BYTES]];
  test.each(places)('row 20 the first byte of %s differs', async (_, at) => {
    const { run } = await dealing(() => undefined, (d, messages) => {
      d.auxiliary = flipped(d.auxiliary, at);
      return d.deal(messages);
    });
    await run.settle();
    await expectCaught(run, 'E_COMMIT');
  });
  test('row 20 other moduli, made when those of the others were known', async () => {
    const { run } = await dealing(() => undefined, (d, messages) => {
      d.own = fixturePrimes(8);
      publish({ n: d.own.p * d.own.q })(d, committed.run);
      return d.deal(messages);
    });
    await run.settle();
    await expectCaught(run, 'E_COMMIT');
  });
});

describe('row 29 a bad sub-share for carol, before the proofs', () => {
  /** f(x) + (x - 1)(x - 2) agrees with f at 1 and 2. */
  const forCarol = async (order: readonly string[]): Promise<Run> => {
    const { run } = await dealing((d) => {
      const { order: q } = d.ctx.group;
      const slope = d.poly.gates.get('')?.[0] as bigint;
      d.sealed = d.seal({ poly: { ...d.poly, constant: (d.poly.constant + 2n) % q, gates: new Map([['', [(slope + q - 3n) % q, 1n]]]) } });
    });
    await run.settle(order);
    return run;
  };
  test.each([[['carol', 'alice']], [['alice', 'carol']]])('row 29 E_VSS: carol complains in the closing slot and proves nothing (%s)', async (order) => {
    const run = await forCarol(order);
    await expectCaught(run, 'E_VSS');
    const { carol, alice } = Object.fromEntries(HONEST.map((label) => [label, run.store(label)]));
    expect([closingOf(carol?.ownBlob(CONFIRM)?.body as Uint8Array), carol?.sent.has(PROVE)]).toEqual(['complaint', false]);
    expect([closingOf(alice?.ownBlob(CONFIRM)?.body as Uint8Array), alice?.sent.has(PROVE)]).toEqual(['refuse', order[0] === 'alice']);
  });
});

describe('row 30 false complaints, and other ways to end it', () => {
  /** Mallory deals, and says something in the closing slot at once. */
  const atOnce = async (closing: (cheat: EcdsaDealer, messages: Inbound) => Uint8Array | Promise<Uint8Array>): Promise<Run> => {
    const { run, cheat } = await dealing(() => undefined);
    const all = withMessage(run, run.messages(), run.file('alice', 'round-2/mallory.blob') as Uint8Array);
    run.say('mallory', CONFIRM, await closing(cheat, all));
    await run.settle();
    return run;
  };
  /** The same when the honest have sent their proofs, or mallory too. */
  const later = async (body: Uint8Array, own = false): Promise<Run> => {
    const run = proved.back();
    if (own) run.say('mallory', PROVE, proving(good));
    run.say('mallory', CONFIRM, body);
    await run.settle();
    return run;
  };

  test('row 30 before the proofs: E_FALSE_COMPLAINT names the complainer', async () => {
    await expectCaught(await atOnce((cheat, messages) => cheat.complain(messages, ALICE)), 'E_FALSE_COMPLAINT');
  });
  test.each([false, true])('row 30 after the proofs of the honest (its own too: %s)', async (own) => {
    await expectCaught(await later(await dealer.complain(proved.back().messages(), ALICE), own), 'E_FALSE_COMPLAINT');
  });
  test('row 30 about the wrong round: the echo of the proofs, not of the deals', async () => {
    const body = await dealer.complain(proved.back().messages(), ALICE);
    const run = proved.back();
    const all = withMessage(run, run.messages(), run.blob('mallory', PROVE, proving(good)));
    const other = concat(body.slice(0, 1), echo(all.get(PROVE) as ReadonlyMap<number, Envelope>), body.slice(97));
    const ended = await later(other, true);
    // whoever says that it got other deals may have got them: nobody is blamed, and nothing is confirmed
    for (const label of HONEST) {
      expect([ended.code(label), ended.error(label).facts.participant]).toEqual(['E_VIEW', undefined]);
      expectNothingReleased(ended, label);
      expectNoKey(ended, label);
    }
  });

  test.each<[string, () => Promise<Run>]>([
    ['a refusal that names alice, with the deal', () => atOnce(() => refusalBody('E_PROOF', ALICE))],
    ['an abandonment, with the deal', () => atOnce(() => ABANDON_BODY)],
    ['a refusal that names alice, in place of the proofs', () => later(refusalBody('E_PROOF', ALICE))],
    ['an abandonment, in place of the proofs', () => later(ABANDON_BODY)],
    ['a refusal that names carol, after good proofs', () => later(refusalBody('E_MODULUS', CAROL), true)],
  ])('row 30 %s ends the attempt and blames nobody', async (what, play) => {
    const run = await play();
    for (const label of HONEST) {
      expect([label, run.code(label)]).toEqual([label, 'E_ABORTED']);
      expect(evidenceOf(run, label)).toEqual([]);
      expectNothingReleased(run, label);
      expectNoKey(run, label);
      expectNothingKept(run, label);
    }
    // of several abandonments nobody can tell whose was the first: carol sees alice's too
    expect(run.error('alice').facts.participant).toBe('mallory');
    expect(run.error('carol').facts.participant).toMatch(what.startsWith('a refusal') ? /^mallory$/ : /^(?:alice|mallory)$/);
    await expectNobodyFramed(run);
  });
  test.each<[string, Uint8Array]>([
    ['a refusal', refusalBody('E_PROOF', ALICE)],
    ['an abandonment', ABANDON_BODY],
  ])('row 30 %s where the proofs belong is no message of that round', (_, body) => expectProofsRefused('E_FORMAT', body));
  test.each<[string, () => Promise<Run>]>([
    ['the trace of a presigning', () => atOnce(() => Uint8Array.of(CLOSING.trace))],
    ['nothing', () => atOnce(() => new Uint8Array(0))],
    ['a confirmation without contents', () => later(Uint8Array.of(CLOSING.close), true)],
  ])('row 30 in the closing slot: %s', async (_, play) => {
    await expectCaught(await play(), 'E_FORMAT');
  });
});

describe('row 35 equivocation in the prove round, and false echoes', () => {
  /** Two good messages: the proof of the share has fresh randomness. */
  const two = async (): Promise<[Uint8Array, Uint8Array]> => [proving(good), proving({ ...good, possession: dealer.sharePossession(dealer.bind(proved.back().messages()), share) })];

  test('row 35 two prove messages, which meet before anybody confirms', async () => {
    const [one, other] = await two();
    const run = proved.back();
    run.say('mallory', PROVE, one, ['carol']);
    run.write('alice', 'round-3/mallory.blob', run.blob('mallory', PROVE, other));
    run.write('alice', 'round-3/again.blob', run.blob('mallory', PROVE, one));
    await run.settle();
    await expectCaught(run, 'E_EQUIVOCATION');
  });
  test('row 35 two prove messages, of which each of the honest has confirmed one: neither activates', async () => {
    const [one, other] = await two();
    const run = proved.back();
    run.say('mallory', PROVE, one, ['alice']);
    await run.next('alice');
    run.say('mallory', PROVE, other, ['carol']);
    await run.next('carol');
    expect(HONEST.map((label) => closingOf(run.store(label)?.ownBlob(CONFIRM)?.body as Uint8Array))).toEqual(['close', 'close']);
    await run.settle();
    for (const label of HONEST) {
      expect([label, run.code(label), run.error(label).facts.participant]).toEqual([label, 'E_EQUIVOCATION', 'mallory']);
      await expectEvidence(run, label, 'E_EQUIVOCATION', 'mallory');
      expect(() => requireKey(table.party(label).home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
    }
    await expectNobodyFramed(run);
  });
  test('row 35 E_VIEW: an echo of other deals blames nobody yet, and nobody confirms', async () => {
    const run = proved.back();
    run.say('mallory', PROVE, proving({ ...good, echo: flipped(good.echo, 40) }));
    await run.settle();
    for (const label of HONEST) {
      expect([label, run.code(label), run.error(label).exit, run.error(label).facts.participant]).toEqual([label, 'E_VIEW', 23, undefined]);
      await expectEvidence(run, label, 'E_VIEW', undefined);
      expect(run.store(label)?.sent.has(CONFIRM)).toBe(false);
      expectNoKey(run, label);
    }
    await expectNobodyFramed(run);
    // the other message turns up: then its sender is named, and the attempt is over
    run.say('mallory', DEAL, dealer.deal(withMessage(run, run.messages(), run.blob('mallory', COMMIT, random(32)))), ['alice']);
    await run.settle();
    await expectCaught(run, 'E_EQUIVOCATION');
  });
});

describe('stocked offers', () => {
  /** Mallory's proofs lie there; nobody has taken them in. */
  let closing: Stage;
  let messages: Inbound;
  let digest: Uint8Array;
  let stock: [Uint8Array, Uint8Array];
  /** Made for another epoch. */
  let other: Uint8Array[];
  beforeAll(async () => {
    const run = proved.back();
    run.say('mallory', PROVE, proving(good));
    closing = new Stage(run, 'closing');
    messages = withMessage(run, run.messages(), run.file('alice', 'round-3/mallory.blob') as Uint8Array);
    const result = await dealer.result(messages);
    ({ digest } = result);
    stock = (await dealer.stock(result)) as [Uint8Array, Uint8Array];
    other = await dealer.stock({ ...result, digest: random(32) });
  });
  const confirming = (...entries: readonly Uint8Array[]): Uint8Array => dealer.confirm(messages, digest, entries);
  const PROOFS = 2 * 768 + 5 * 33;
  const badFor = (leaf: number): Uint8Array => flipped(stock[0], PROOFS + (leaf === ALICE ? 0 : 2 * ENC_ELG_BYTES) + 20);

  test.each<[string, ErrorCode, () => readonly Uint8Array[]]>([
    ['none', 'E_CONFIRM', () => []],
    ['one too few', 'E_CONFIRM', () => [stock[0]]],
    ['twice the same', 'E_CONFIRM', () => [stock[0], stock[0]]],
    ['each a byte too short', 'E_FORMAT', () => stock.map((s) => s.slice(0, -1))],
    ['of two lengths', 'E_FORMAT', () => [stock[0], stock[1].slice(1)]],
    ['empty', 'E_FORMAT', () => [new Uint8Array(0), new Uint8Array(0)]],
    ['in exchanged places', 'E_PROOF', () => stock.toReversed()],
    ['of another epoch', 'E_PROOF', () => other],
    ['with a bad proof for both', 'E_PROOF', () => [flipped(badFor(ALICE), PROOFS + 2 * ENC_ELG_BYTES + 20), stock[1]]],
    ['with K = 0', 'E_RANGE', () => [stock[0], concat(new Uint8Array(768), stock[1].slice(768))]],
  ])('offers %s: %s', async (_, code, entries) => {
    const run = closing.back();
    run.say('mallory', CONFIRM, confirming(...entries()));
    await run.settle();
    await expectCaught(run, code);
  });

  test('a bad proof for carol alone: she names mallory, and so does alice after her', async () => {
    const run = closing.back();
    run.say('mallory', CONFIRM, confirming(badFor(CAROL), stock[1]));
    await run.settle(['carol', 'alice']);
    await expectCaught(run, 'E_PROOF');
  });
  test('C3: a bad proof for carol alone, when all have confirmed: she names mallory, and follows the certificate that alice completed', async () => {
    const run = closing.back();
    await run.settle();
    run.say('mallory', CONFIRM, confirming(badFor(CAROL), stock[1]));
    await run.next('carol');
    expect([run.code('carol'), run.error('carol').facts.participant]).toEqual(['E_PROOF', 'mallory']);
    await expectEvidence(run, 'carol', 'E_PROOF', 'mallory');
    expect(() => requireKey(table.party('carol').home, 'treasury')).toThrow(expect.objectContaining({ code: 'E_KEY_PENDING' }));
    await run.next('alice');
    expect(run.code('alice')).toBe('DONE');
    run.carry();
    await run.next('carol');
    expect(run.code('carol')).toBe('DONE');
    const { checks } = await verifyRecord([recordOf(run, 'alice')]);
    expect(new Set(checks.map((c) => c.culprit).filter((c) => c !== undefined))).toEqual(new Set(['mallory']));
  });
});

describe('test moduli in production', () => {
  const PEOPLE = ['olga', 'peter', 'mallory'];
  /** Primes of the right form, made here: for N^ they need not be safe, which nobody can see. */
  const fresh = async (): Promise<AuxSecret> => {
    const [p, q, pHat, qHat] = (await Promise.all([1, 2, 3, 4].map(() => blumPrime(1536)))) as [bigint, bigint, bigint, bigint];
    return { p, q, pHat, qHat };
  };
  let rooms: Table;
  let begun: Stage;
  beforeAll(async () => {
    rooms = await Table.open(['somebody']);
    for (const name of PEOPLE) {
      const root = join(rooms.root, 'homes', name);
      await createHome(realDisk(), root, { name, mode: 'production' }, new Secret(utf8(PASSPHRASE)), REHEARSAL, random);
      const party = await rooms.unlock(name);
      rooms.parties.set(name, { ...party, port: { ...party.port, primes: fresh } });
    }
    const run = await rooms.dkg({ scheme: 'cggmp24-secp256k1', quorum: '2-of(olga, peter, mallory)', honest: ['olga', 'peter'], cheats: ['mallory'] });
    await run.settle();
    begun = new Stage(run, 'begun');
  });
  afterAll(() => {
    rooms.close();
  });
  test.each<[string, Craft]>([
    ['both', () => undefined],
    ['N^', (d, run) => publish({ n: d.aux.n + 2n })(d, run)],
    ['N', (d, run) => publish({ nHat: d.aux.nHat + 2n })(d, run)],
  ])('E_FIXTURE names who publishes one: %s', async (_, craft) => {
    const run = begun.back();
    const cheat = new EcdsaDealer(run, 'mallory', published);
    craft(cheat, run);
    run.say('mallory', COMMIT, cheat.commit());
    await run.settle();
    run.say('mallory', DEAL, cheat.deal(run.messages()));
    await run.settle();
    expect(run.plan.mode).toBe('production');
    await expectAbort(run, 'E_FIXTURE', 'mallory');
  });
});

describe('row 58 oversized input, and the slowest that fits', () => {
  /** Milliseconds of processor time of one step. */
  const cost = async (run: Run, label: string): Promise<number> => {
    const from = process.cpuUsage();
    await run.next(label);
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1000;
  };
  /** The rest of the largest message that is read. */
  const padded = (run: Run, body: Uint8Array): Uint8Array => concat(body, new Uint8Array((run.session.maxBytes as number) - BLOB_OVERHEAD - body.length));
  /** Each of the honest takes in the message in less than a second, and it is refused. */
  const expectQuick = async (run: Run, code: ErrorCode, text?: RegExp): Promise<void> => {
    for (const label of HONEST) expect(await cost(run, label)).toBeLessThan(1000);
    await run.settle();
    await expectCaught(run, code, 'mallory', text);
  };

  test('row 58 a deal of the largest size', async () => {
    const { run } = await dealing(() => undefined, (d, messages) => padded(committed.run, d.deal(messages)));
    await expectQuick(run, 'E_DEALING');
  });
  test('row 58 a deal of noise', async () => {
    const { run } = await dealing(() => undefined, (d, messages) => random(d.deal(messages).length));
    await expectQuick(run, 'E_COMMIT');
  });
  test('row 58 a deal with noise for auxiliary information, committed to', async () => {
    const { run } = await dealing((d) => {
      // most of such numbers have a small factor; this one is too short besides
      d.auxiliary = concat(Uint8Array.of(0), random(d.auxiliary.length - 1));
    });
    await expectQuick(run, 'E_MODULUS');
  });
  test('row 58 a deal with good moduli, and noise for Π-prm', async () => {
    const { run } = await dealing((d) => {
      d.ringProof = concat(random(16), ...Array.from({ length: 128 }, () => natural(below(d.aux.nHat, random), 384)));
      d.announce();
    });
    await expectQuick(run, 'E_PROOF', /Π-prm does not hold/);
  });
  test('row 58 proofs of the largest size', async () => {
    const run = proved.back();
    run.say('mallory', PROVE, padded(run, proving(good)));
    await expectQuick(run, 'E_FORMAT');
  });
  test('row 58 proofs of noise', async () => {
    const run = proved.back();
    run.say('mallory', PROVE, concat(good.echo, random(proving(good).length - good.echo.length)));
    for (const label of HONEST) expect(await cost(run, label)).toBeLessThan(1000);
    await run.settle();
    // the first part is a point with one of two signs, mostly no point at all
    await expectCaught(run, run.code('alice') as ErrorCode);
    expect(['E_POINT', 'E_SCALAR', 'E_POP']).toContain(run.code('alice'));
  });
  test('row 58 proofs of which the very last root is wrong, and noise for Π-fac', async () => {
    // what the honest have proven is checked before, and not counted
    proved.back().say('mallory', PROVE, proving({ ...good, factors: new Map([ALICE, CAROL].map((leaf) => [leaf, new Uint8Array(FAC_BYTES)])) }));
    await proved.run.settle();
    const run = proved.back();
    const modulus = flipped(good.modulus, good.modulus.length - 1);
    run.say('mallory', PROVE, proving({ ...good, modulus, factors: new Map([ALICE, CAROL].map((leaf) => [leaf, concat(...[0, 1].map(() => natural(below(2n ** 3070n, random), 384)), good.factors.get(leaf)?.slice(768) as Uint8Array)])) }));
    await expectQuick(run, 'E_PROOF', /an N-th root is wrong/);
  });
  test.each([DEAL, PROVE])('row 58 larger than any honest message of round %i: it is none, nobody is blamed, the ceremony waits', async (slot) => {
    const run = slot === DEAL ? committed.back() : proved.back();
    for (const label of HONEST) run.write(label, `round-${String(slot)}/mallory.blob`, random((run.session.maxBytes as number) + 1));
    for (const label of HONEST) expect(await cost(run, label)).toBeLessThan(1000);
    for (const label of HONEST) {
      expect([run.code(label), run.error(label).facts.participant]).toEqual(['E_FORMAT', undefined]);
      expectNoKey(run, label);
    }
  });
});
