/**
 * A signer in the rounds of threshold ECDSA whose every part can be exchanged before it speaks, and the table at which it
 * sits. What it says is made by the real functions of the protocol; left alone, it is honest.
 *
 * Mallory signs with alice, or with carol and dave: then what concerns one of the two must reach the other one too.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { expect } from 'vitest';
import { fromBytes, mod } from '../../src/arith/integer.ts';
import { publicModulus } from '../../src/arith/modulus.ts';
import { ownedModulus, ownedSquare } from '../../src/arith/owner.ts';
import { unit } from '../../src/arith/sample.ts';
import { inHome } from '../../src/ceremony/home.ts';
import { epochDir, epochPrimesPath, loadShare, requireKey, stockPath } from '../../src/ceremony/key-store.ts';
import { storedPrimes } from '../../src/ceremony/primes.ts';
import { storedPresignature, unspentPresignatures } from '../../src/ceremony/presignatures.ts';
import { group, type Point } from '../../src/curves/group.ts';
import { AFF_G_BYTES } from '../../src/ecdsa/aff-g.ts';
import { CHECKS } from '../../src/ecdsa/checks.ts';
import { natural } from '../../src/ecdsa/codec.ts';
import { ENC_ELG_BYTES } from '../../src/ecdsa/enc-elg.ts';
import { FAC_BYTES } from '../../src/ecdsa/fac.ts';
import type { AuxSecret } from '../../src/ecdsa/make-aux.ts';
import { MOD_BYTES } from '../../src/ecdsa/mod.ts';
import { offerHead } from '../../src/ecdsa/offer.ts';
import { add, encrypt, type PaillierKey, paillierKey, scale } from '../../src/ecdsa/paillier.ts';
import { type PartyAux, proofContext, type Which } from '../../src/ecdsa/presign.ts';
import { PRM_BYTES } from '../../src/ecdsa/prm.ts';
import { proveAffG } from '../../src/ecdsa/prove-aff-g.ts';
import { proveEncElg } from '../../src/ecdsa/prove-enc-elg.ts';
import { type RingPedersen, ringPedersen } from '../../src/ecdsa/ring-pedersen.ts';
import { TASKS } from '../../src/ecdsa/tasks.ts';
import type { PresignPlan, SignPlan } from '../../src/plan/plan.ts';
import { decide } from '../../src/policy/gate.ts';
import { intentMessage, parseIntent } from '../../src/policy/intent.ts';
import { type Outcome, outcomeOf } from '../../src/protocols/crew.ts';
import { type EcdsaContext, ecdsaContext, ecdsaFindings, ecdsaRequest } from '../../src/protocols/ecdsa-sign.ts';
import { makeEcdsaShare } from '../../src/protocols/ecdsa-sign-participant.ts';
import type { Inbound } from '../../src/protocols/machine.ts';
import { alone } from '../../src/protocols/make-crew.ts';
import { anybody } from '../../src/protocols/crew.ts';
import {
  bindingOfOffer,
  bindingOfRounds,
  CONVERT,
  type Mismatch,
  OFFER,
  offersOf,
  pointOf,
  type Presigning,
  signerInfos,
  signersOf,
} from '../../src/protocols/presign.ts';
import { makeConverts, makeOffers, makeSums, makeTraceMessage, presignSecrets, type Signer } from '../../src/protocols/presign-participant.ts';
import { presigningOf } from '../../src/protocols/presign-plan.ts';
import { keyFacts } from '../../src/protocols/signing.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { Stage } from './stage.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { type Evidence, expectAbort } from './expect.ts';
import { type Party, random, Table } from './harness.ts';
import { fixturePrimes } from './primes.ts';
import type { Run } from './run.ts';

export const ALL = ['alice', 'mallory', 'carol', 'dave'];
export const QUORUM = '2-of(alice, mallory, all-of(carol, dave))';
export const GROUP = group('secp256k1');

/** The outcome of every check that was made, and every honest proof of an error round: both are functions of what is public. */
const known = new Map<string, Outcome<unknown>>();
const proven = new Map<string, Outcome<unknown>>();
const keyOf = (...items: readonly unknown[]): string => createHash('sha256').update(serialize(items)).digest('hex');

/** From here on every check is made anew. */
export function forget(): void {
  known.clear();
}

type Tasks = Record<string, (args: never) => unknown>;

/** The factors of everybody's moduli are at hand in tests: with them the same powers take a fraction of the time. */
function quicken(): void {
  for (let i = 0; i < ALL.length; i++) {
    const { p, q, pHat, qHat } = fixturePrimes(i);
    for (const owned of [ownedModulus(p, q), ownedSquare(p, q), ownedModulus(pHat, qHat)]) Object.assign(publicModulus(owned.n), { pow: (base: bigint, exponent: bigint) => owned.pow(base, exponent) });
  }
}

/**
 * Prepares this process: a check is made once, for who judges live and for who verifies the evidence; what an honest
 * signer proves in an error round is proven once, for what others said does not enter it; and the proofs of a key
 * generation, on which nothing here depends, are empty.
 */
function prepare(): void {
  quicken();
  const [checks, tasks] = [CHECKS as unknown as Tasks, TASKS as unknown as Tasks];
  const once =
    (memory: Map<string, Outcome<unknown>>, name: string, work: (args: never) => unknown, essence: (args: never) => unknown) =>
    (args: never): unknown => {
      const key = keyOf(name, essence(args));
      const outcome = memory.get(key) ?? outcomeOf(() => work(args));
      memory.set(key, outcome);
      if (!outcome.ok) throw new CeremonyError(outcome.code, outcome.text);
      return outcome.value;
    };
  const publicly = ({ own: _, ...args }: { own?: unknown }): unknown => args;
  for (const name of Object.keys(checks)) {
    const formality = ['checkAuxOf', 'checkModulus', 'checkFactors'].includes(name);
    checks[name] = formality ? () => undefined : once(known, name, checks[name] as never, publicly);
    tasks[name] = formality ? () => undefined : once(known, name, tasks[name] as never, publicly);
  }
  tasks.proveRingPedersen = () => new Uint8Array(PRM_BYTES);
  tasks.proveModulus = () => new Uint8Array(MOD_BYTES);
  tasks.proveFactors = () => new Uint8Array(FAC_BYTES);
  type Traced = Parameters<typeof TASKS.makeTrace>[0];
  tasks.makeTrace = once(proven, 'makeTrace', tasks.makeTrace as never, ({ bind, which, prover, sums }: Traced) => [bind, which, prover, sums.find((s) => s.leaf === prover)?.bytes]);
}
prepare();

/** A table at which everybody holds a share of the ECDSA key `treasury`; saved as `key`. @param stock offers of everybody */
export async function ecdsaTable(stock = 0): Promise<Table> {
  const table = await Table.open(ALL);
  await makeKey(table, 'treasury', stock);
  table.save('key');
  return table;
}

/** One more key, of everybody. */
export async function makeKey(table: Table, name: string, stock = 0): Promise<Run> {
  const run = await table.dkg({ name, quorum: QUORUM, scheme: 'cggmp24-secp256k1', stock, honest: ALL });
  await run.settle();
  expect(run.code('alice')).toBe('DONE');
  return run;
}

/** All messages that lie in somebody's folder, taken in or not. */
export function messagesIn(run: Run, label: string): Inbound {
  const all = new Map<number, Map<number, Envelope>>();
  for (const file of run.files(label)) {
    if (!file.endsWith('.blob')) continue;
    const e = openBlob(run.file(label, file) as Uint8Array, run.session);
    all.set(e.slot, (all.get(e.slot) ?? new Map<number, Envelope>()).set(e.leaf, e));
  }
  return all;
}

/** A part of an entry: from where, and how many bytes. */
interface Span {
  readonly at: number;
  readonly length: number;
}
type Layout = readonly (readonly [name: string, length: number])[];

const within = (name: string, parts: Readonly<Record<string, number>>): [string, number][] => Object.entries(parts).map(([part, length]) => [`${name}.${part}`, length]);
const ENC_ELG = { e: 32, S: 384, z1: 98, z2: 384, z3: 482, w: 32 };
const AFF_G = { e: 32, S: 384, T: 384, z1: 98, z2: 226, z3: 482, z4: 482, w: 384, wy: 384 };
const ELOG = { e: 32, z: 32, u: 32 };

/** Names of the parts of an offer; psi0@3 is a proof for leaf 3, psi0@3.S a part of it. */
export const offerLayout = (verifiers: readonly number[]): Layout => [
  ...(['K', 'G'].map((name) => [name, 768]) as [string, number][]),
  ...(['Y', 'A1', 'A2', 'B1', 'B2'].map((name) => [name, 33]) as [string, number][]),
  ...verifiers.flatMap((v) => [...within(`psi0@${String(v)}`, ENC_ELG), ...within(`psi1@${String(v)}`, ENC_ELG)]),
];

/** Names of the parts of the three messages of a signer. */
function layoutOf(p: Presigning, leaf: number, slot: number): Layout {
  const peers = signersOf(p).filter((l) => l !== leaf);
  const echo: Layout = slot === CONVERT && p.stocked ? [] : [['echo', 32 * signersOf(p).length]];
  if (slot === OFFER) return offerLayout(peers);
  if (slot === CONVERT)
    return [
      ...echo,
      ['Gamma', 33],
      ...within('elog', ELOG),
      ...peers.flatMap((v): [string, number][] => [[`D@${String(v)}`, 768], [`F@${String(v)}`, 768], ...within(`psi@${String(v)}`, AFF_G), [`D^@${String(v)}`, 768], [`F^@${String(v)}`, 768], ...within(`psi^@${String(v)}`, AFF_G)]),
    ];
  return [...echo, ['delta', 32], ['Delta', 33], ['S', 33], ...within('elog', ELOG)];
}

/** The body of a message with names for its parts. */
export class Parts {
  readonly bytes: Uint8Array;
  readonly #layout: Layout;

  constructor(bytes: Uint8Array, layout: Layout) {
    this.bytes = bytes;
    this.#layout = layout;
    expect(bytes.length).toBe(layout.reduce((sum, [, length]) => sum + length, 0));
  }
  #span(name: string): Span {
    let at = 0;
    let length = 0;
    for (const [part, size] of this.#layout) {
      if (part === name || part.startsWith(`${name}.`)) length += size;
      else if (length === 0) at += size;
    }
    if (length === 0) throw new Error(`no part ${name}`);
    return { at, length };
  }
  get(name: string): Uint8Array {
    const { at, length } = this.#span(name);
    return this.bytes.slice(at, at + length);
  }
  number(name: string): bigint {
    return fromBytes(this.get(name));
  }
  /** The message with another part, of the same length or not. @param value bytes, or a number of the part's width */
  with(name: string, value: Uint8Array | bigint): Uint8Array {
    const { at, length } = this.#span(name);
    return concat(this.bytes.slice(0, at), typeof value === 'bigint' ? natural(value, length) : value, this.bytes.slice(at + length));
  }
  withAll(changes: Readonly<Record<string, Uint8Array | bigint>>): Uint8Array {
    return Object.entries(changes).reduce((bytes, [name, value]) => new Parts(bytes, this.#layout).with(name, value), this.bytes);
  }
  /** Several parts in the places of others. */
  swapped(...pairs: readonly (readonly [string, string])[]): Uint8Array {
    return pairs.reduce((bytes, [a, b]) => {
      const now = new Parts(bytes, this.#layout);
      return new Parts(now.with(a, now.get(b)), this.#layout).with(b, now.get(a));
    }, this.bytes);
  }
}
expect([ENC_ELG, AFF_G].map((parts) => Object.values(parts).reduce((a, b) => a + b))).toEqual([ENC_ELG_BYTES, AFF_G_BYTES]);

/** The context of an ECDSA signing, from the files of somebody's folder. */
export function ecdsaContextOf(run: Run, label: string): EcdsaContext {
  const plan = run.plan as SignPlan;
  const { home } = run.table.party(label);
  const intent = parseIntent(run.file(label, 'intent.json') as Uint8Array, 'intent.json');
  const record = plan.presignature === undefined ? undefined : storedPresignature(home, plan.key.name, plan.key.epoch, plan.presignature);
  return ecdsaContext(plan, requireKey(home, plan.key.name), intent, intentMessage(intent.intent, run.file(label, 'message.bin')), record);
}

/** A signer whose secrets the test holds in its hand. */
export class Presigner {
  readonly run: Run;
  readonly party: Party;
  readonly p: Presigning;
  /** Where a message is signed. */
  readonly ctx: EcdsaContext | undefined;
  readonly leaf: number;
  readonly own: AuxSecret;
  /** Leaf share, encoded. */
  leafShare: Uint8Array;
  offerSecret: Uint8Array = new Uint8Array(0);
  convertSecret: Uint8Array = new Uint8Array(0);
  sumSecret: Uint8Array = new Uint8Array(0);

  constructor(run: Run, label: string) {
    this.run = run;
    this.party = run.table.party(label);
    const { home, identity } = this.party;
    const plan = run.plan as SignPlan | PresignPlan;
    const certificate = requireKey(home, plan.key.name);
    this.ctx = plan.kind === 'sign' ? ecdsaContextOf(run, label) : undefined;
    this.p = plan.kind === 'presign' ? presigningOf(plan, certificate) : (this.ctx as EcdsaContext).presigning;
    this.leaf = run.seat(this.party.name).leaf;
    this.own = storedPrimes(identity.vault, epochPrimesPath(plan.key.name, plan.key.epoch)) as AuxSecret;
    this.leafShare = loadShare(identity.vault, certificate);
    const stocked = this.p.stocked?.get(this.leaf);
    if (stocked) this.offerSecret = identity.vault.get(stockPath(plan.key.name, plan.key.epoch, stocked.index)) as Uint8Array;
  }

  get #signer(): Signer {
    return { leaf: this.leaf, own: this.own, share: this.leafShare, crew: alone, random };
  }
  /** Auxiliary information and keys of a signer. */
  info(leaf = this.leaf): PartyAux {
    return signerInfos(this.p).find((i) => i.leaf === leaf) as PartyAux;
  }
  key(leaf = this.leaf): PaillierKey {
    return paillierKey(this.info(leaf).n);
  }
  ring(leaf: number): RingPedersen {
    const { nHat, s, t } = this.info(leaf);
    return ringPedersen(nHat, s, t);
  }
  parts(slot: number, body: Uint8Array): Parts {
    return new Parts(body, layoutOf(this.p, this.leaf, slot));
  }
  /** Signers but this one. */
  get peers(): number[] {
    return signersOf(this.p).filter((leaf) => leaf !== this.leaf);
  }

  /**
   * A message of round 1 with another k in it, and proofs for everybody.
   * @param claimed what the proofs are made for; whether they hold is theirs to say
   */
  withNonce(body: Uint8Array, k: bigint, claimed = k): Uint8Array {
    const key = this.key();
    const [a, rho] = [GROUP.randomScalar(random), unit(key.n, random)];
    const Y = GROUP.decodePoint(this.parts(OFFER, body).get('Y'));
    const times = (n: bigint, point = GROUP.base): Point => GROUP.multiplyPublic(point, mod(n, GROUP.order));
    const statement = { group: GROUP, key, A: Y, C: encrypt(key, k, rho), B: times(a), X: times(a, Y).add(times(k)) };
    const parts: Record<string, Uint8Array | bigint> = { K: statement.C, A1: GROUP.encodePoint(statement.B), A2: GROUP.encodePoint(statement.X) };
    for (const to of this.peers)
      parts[`psi0@${String(to)}`] = proveEncElg(proofContext(bindingOfOffer(this.p, this.leaf, 0), 'enc-elg/k', this.leaf, to), { ...statement, ring: this.ring(to) }, { x: claimed, rho, b: a }, random(32));
    return this.parts(OFFER, body).withAll(parts);
  }

  /**
   * A message of round 2 with another product for one peer: x times its k and y besides.
   * @param claimed what the proof is made for
   */
  withProduct(body: Uint8Array, messages: Inbound, which: Which, to: number, x: bigint, y: bigint, claimed = y): Uint8Array {
    const [own, receiver] = [this.key(), this.key(to)];
    const [rho, rhoY] = [unit(receiver.n, random), unit(own.n, random)];
    const C = offerHead(offersOf(this.p, messages, 0).find((o) => o.leaf === to)?.bytes as Uint8Array, 'secp256k1').K;
    const D = add(receiver, scale(receiver, C, x), encrypt(receiver, y, rho));
    const F = encrypt(own, y, rhoY);
    const X = GROUP.decodePoint(which === 'gamma' ? this.parts(CONVERT, body).get('Gamma') : pointOf(this.p, this.leaf));
    const ctx = proofContext(bindingOfRounds(this.p, messages, 0), `aff-g/${which}`, this.leaf, to);
    const proof = proveAffG(ctx, { group: GROUP, receiver, own, ring: this.ring(to), C, D, Y: F, X }, { x, y: claimed, rho, rhoY }, random(32));
    const hat = which === 'gamma' ? '' : '^';
    return this.parts(CONVERT, body).withAll({ [`D${hat}@${String(to)}`]: D, [`F${hat}@${String(to)}`]: F, [`psi${hat}@${String(to)}`]: proof });
  }

  /** Body of round 1. */
  async offer(): Promise<Uint8Array> {
    const { body, secret } = await makeOffers(this.p, this.#signer);
    this.offerSecret = secret;
    return body;
  }
  /** Body of round 2. @param messages what the victims hold and what it said itself */
  async convert(messages: Inbound, offerSecret: Uint8Array = this.offerSecret): Promise<Uint8Array> {
    const { body, secret } = await makeConverts(this.p, this.#signer, offerSecret, messages);
    this.convertSecret = secret;
    return body;
  }
  /** Body of round 3. */
  async sum(messages: Inbound, convertSecret: Uint8Array = this.convertSecret): Promise<Uint8Array> {
    const { body, secret } = await makeSums(this.p, this.#signer, convertSecret, messages);
    this.sumSecret = secret;
    return body;
  }
  /** Body of the error round. */
  trace(messages: Inbound, mismatch: Mismatch): Promise<Uint8Array> {
    return makeTraceMessage(this.p, this.#signer, this.sumSecret, messages, mismatch);
  }
  /** Body of a signature share, after three rounds without fault. */
  async share(messages: Inbound): Promise<Uint8Array> {
    const ctx = this.ctx as EcdsaContext;
    const { request } = await ecdsaFindings(ctx, messages, anybody);
    const [half] = presignSecrets(this.p, this.sumSecret, messages);
    return makeEcdsaShare(ctx, request ?? ecdsaRequest(ctx), this.leaf, half as Uint8Array, decide(ctx.intent, keyFacts(ctx.certificate), 'new', this.party.port.now()));
  }
}

/** What a home holds of a key and must keep whatever happens, by file: share, primes, certificate, stocks and marks. */
export function keyState(table: Table, label: string, name = 'treasury'): Record<string, string> {
  const { home } = table.party(label);
  const dir = epochDir(name, requireKey(home, name).epoch.number);
  const files = ['', 'presignatures', 'stock', 'spent'].flatMap((sub) => home.disk.list(inHome(home, dir, sub)).map((f) => join(sub, f)));
  return Object.fromEntries(files.filter((f) => f !== 'blamed.json').map((f) => [f, toHex(sha256(home.disk.read(inHome(home, dir, f), 1 << 26) as Uint8Array))]));
}

/** Names of those whom a home keeps out of signing. */
export function blamedIn(table: Table, label: string): string[] {
  const { home } = table.party(label);
  const bytes = home.disk.read(inHome(home, epochDir('treasury', 1), 'blamed.json'), 65_536);
  return bytes ? Object.keys(JSON.parse(Buffer.from(bytes).toString()) as object) : [];
}

export const unspent = (table: Table, label: string): number => unspentPresignatures(table.party(label).home, 'treasury', 1).length;

/**
 * After a step that came back to `stage`: every honest signer refused with this code and named the cheat, with evidence
 * that a stranger confirms; its home is as it was but for whom it remembers; nobody honest is named anywhere.
 */
export async function expectCaught(stage: Stage, code: ErrorCode, culprit: string | undefined, before: Readonly<Record<string, Record<string, string>>>): Promise<void> {
  const { run } = stage;
  await expectAbort(run, code, culprit);
  for (const label of run.honest) {
    expect([label, keyState(run.table, label)]).toEqual([label, before[label]]);
    expect([label, blamedIn(run.table, label)]).toEqual([label, culprit === undefined ? [] : [culprit]]);
    expect([label, run.store(label)?.home.disk.list(join(run.store(label)?.dir as string, 'secret'))]).toEqual([label, []]);
  }
}

/** States of the honest signers' homes. */
export const statesOf = (run: Run): Record<string, Record<string, string>> => Object.fromEntries(run.honest.map((label) => [label, keyState(run.table, label)]));

/** What was made modulo one number may be out of range for another: it is refused as the one or as the other. */
export const RANGE_OR_PROOF: readonly ErrorCode[] = ['E_RANGE', 'E_PROOF'];

/** A moment at which mallory is to say one thing, and a good thing to say. */
export class Turn {
  readonly stage: Stage;
  readonly cheat: Presigner;
  readonly slot: number;
  readonly good: Parts;
  readonly before: Readonly<Record<string, Record<string, string>>>;

  constructor(stage: Stage, cheat: Presigner, slot: number, good: Uint8Array) {
    this.stage = stage;
    this.cheat = cheat;
    this.slot = slot;
    this.good = cheat.parts(slot, good);
    this.before = statesOf(stage.run);
  }
  /** Mallory says this. */
  say(body: Uint8Array): Run {
    const run = this.stage.back();
    run.say('mallory', this.slot, body);
    return run;
  }
  /** Mallory says this, and all see what came of it. */
  async expectRefused(body: Uint8Array, ...codes: readonly ErrorCode[]): Promise<void> {
    const run = this.say(body);
    await run.settle();
    const code = run.error(run.honest[0] as string).code;
    expect(codes).toContain(code);
    await this.caught(code);
  }
  caught(code: ErrorCode): Promise<void> {
    return expectCaught(this.stage, code, 'mallory', this.before);
  }
  /** The message with another number in the place of this one. */
  shifted(name: string): Uint8Array {
    return this.good.with(name, this.good.number(name) ^ 1n);
  }
}

/** Milliseconds of processor time that something takes: others use this machine as well. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

/** A file that says that somebody is to blame. @param by leaf id of who is said to have judged */
export function evidenceAgainst(run: Run, code: ErrorCode, participant: string, by: number | null, envelopes: readonly Envelope[]): Evidence {
  const evidence = { schema: 'mpc-ceremony/evidence/1', session: toHex(run.session.sid), code, participant, judge: by, envelopes: envelopes.map((e) => Buffer.from(e.bytes).toString('base64')) };
  return evidence;
}
