/**
 * A dealer and receiver in a refresh or reshare whose every part can be exchanged before it speaks. What it says is made
 * by the real functions of the protocol; left alone, it is honest. And the beginning of such ceremonies at a table.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { prekeySecret } from '../../src/ceremony/identity.ts';
import { activeEpoch, loadShare, requireKey, sharePath } from '../../src/ceremony/key-store.ts';
import { type RefreshRequest, type ReshareRequest, startRefresh, startReshare } from '../../src/ceremony/start-rekey.ts';
import { isRekey, type RekeyPlan } from '../../src/plan/plan.ts';
import { complaintBody } from '../../src/protocols/dkg-messages.ts';
import { type Certificate, confirmBody, parseCertificate } from '../../src/protocols/epoch.ts';
import { anybody } from '../../src/protocols/crew.ts';
import { type Dealt, type KeyingResult, roundOf } from '../../src/protocols/keying.ts';
import { openShares } from '../../src/protocols/keying-participant.ts';
import { echo, type Inbound } from '../../src/protocols/machine.ts';
import { type RekeyContext, rekeyContext, rekeyFindings } from '../../src/protocols/rekey.ts';
import { rekeyDealBody } from '../../src/protocols/rekey-messages.ts';
import { reshareConstant } from '../../src/protocols/rekey-participant.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { complaintContext, complaintStatement, disputeOf } from '../../src/sharing/complaint.ts';
import { makePolynomials, type Polynomials } from '../../src/sharing/deal.ts';
import { encodeDealing } from '../../src/sharing/dealing.ts';
import type { Leaf } from '../../src/sharing/expression.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { proveDleq } from '../../src/sharing/prove.ts';
import { provePossession } from '../../src/sharing/prove-possession.ts';
import { sealBoxes } from '../../src/sharing/seal.ts';
import type { SealedBoxes } from '../../src/sharing/sealing-proof.ts';
import { multiply } from '../../src/sharing/sealing-group.ts';
import { encodeTree, type PublicTree } from '../../src/sharing/tree.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { evidenceOf, judge } from './expect.ts';
import { type Party, random, type Table } from './harness.ts';
import { Run } from './run.ts';

const BASE = 'base/certificate.json';

/** Who sits in a ceremony, and who of them follows the program. */
export interface Seating {
  readonly honest: readonly string[];
  readonly cheats?: readonly string[];
  readonly lead?: string;
}

let runs = 0;
function freshRun(table: Table, { honest, cheats = [] }: Seating): Run {
  return new Run(table, `rekey-${String((runs += 1))}`, honest, cheats);
}

/** Cards of everybody at the table, as a lead gets them. */
function cardsFor(run: Run): string {
  const cards = join(run.table.root, 'runs', run.id, 'cards');
  mkdirSync(cards, { recursive: true });
  for (const [label, p] of run.table.parties) cpSync(join(p.home.root, 'identity', `${p.name}.card`), join(cards, `${label}.card`));
  return cards;
}
const asked = { key: 'treasury', stock: 0, attended: false, days: 30 };

/** A refresh that its first honest participant leads and has begun; the folder has been carried to everybody. */
export async function refresh(table: Table, seating: Seating, over: Partial<RefreshRequest> = {}): Promise<Run> {
  const run = freshRun(table, seating);
  const lead = seating.lead ?? (seating.honest[0] as string);
  const { home, port } = table.party(lead);
  mkdirSync(dirname(run.folder(lead)), { recursive: true });
  await run.act(lead, () => startRefresh(home, { ...asked, cards: cardsFor(run), out: run.folder(lead), ...over }, port));
  return run.begun(lead);
}

/** A reshare, likewise. */
export async function reshare(table: Table, seating: Seating, over: Partial<ReshareRequest> = {}): Promise<Run> {
  const run = freshRun(table, seating);
  const lead = seating.lead ?? (seating.honest[0] as string);
  const { home, port } = table.party(lead);
  mkdirSync(dirname(run.folder(lead)), { recursive: true });
  await run.act(lead, () => startReshare(home, { ...asked, cards: cardsFor(run), out: run.folder(lead), replace: [], acceptWeaker: false, ...over }, port));
  return run.begun(lead);
}

/** The plan of a run, changed, in fresh folders with the base certificate, as a lead who is a cheat would hand it out. */
export async function replantRekey(run: Run, change: (plan: RekeyPlan) => unknown, honest: readonly string[] = run.honest, base?: Uint8Array): Promise<Run> {
  const plan = change({ ...(run.plan as RekeyPlan), nonce: toHex(random(32)) }) as RekeyPlan;
  return run.table.plant(plan, honest, { [BASE]: base ?? (run.file(run.honest[0] as string, BASE) as Uint8Array) });
}

/** Everything that a participant says in a refresh or reshare. */
export class Redealer {
  readonly party: Party;
  readonly run: Run;
  readonly ctx: RekeyContext;
  readonly base: Certificate;
  readonly leaf: number;
  poly: Polynomials | undefined;
  tree: PublicTree | undefined;
  treeBytes: Uint8Array = new Uint8Array(0);
  possession: Uint8Array = new Uint8Array(0);
  sealed: SealedBoxes | undefined;

  /** @param constant what it deals, if not what it ought to */
  constructor(run: Run, label: string, constant?: bigint) {
    this.run = run;
    this.party = run.table.party(label);
    if (!isRekey(run.plan)) throw new Error('no refresh or reshare');
    const file = [...run.honest, ...run.cheats].map((l) => run.file(l, BASE)).find((b) => b !== undefined);
    if (!file) throw new Error('no base');
    this.base = parseCertificate(file, BASE);
    this.ctx = rekeyContext(run.plan, this.base);
    this.leaf = run.seat(this.party.name).leaf;
    const deals = !('dealers' in run.plan) || run.plan.dealers.some((d) => d.name === this.party.name);
    if (deals) this.take(constant === undefined ? this.polynomials() : this.polynomials(constant));
  }

  /** What it is to deal: zero, or c·x. */
  constant(): bigint | undefined {
    const { plan, base } = this.ctx;
    if (plan.kind !== 'reshare' || !base) return undefined;
    return reshareConstant(base, plan, this.party.name, loadShare(this.party.identity.vault, this.base));
  }
  polynomials(constant = this.constant()): Polynomials {
    const { group, quorum, plan } = this.ctx;
    return makePolynomials(group, quorum, plan.kind, constant, random).coefficients;
  }

  /** Deals these polynomials, with everything that follows from them. */
  take(poly: Polynomials): void {
    const { group, quorum, plan } = this.ctx;
    this.poly = poly;
    const gates = new Map([...poly.gates].map(([label, row]) => [label, row.map((s) => group.multiply(group.base, s))]));
    this.tree = plan.kind === 'refresh' ? { group, quorum, gates } : { group, quorum, constant: group.multiply(group.base, poly.constant), gates };
    this.treeBytes = encodeTree(this.tree);
    this.possession = plan.kind === 'refresh' ? new Uint8Array(0) : this.prove();
    this.sealed = this.seal();
  }
  prove(): Uint8Array {
    return provePossession(this.ctx.session.sid, this.leaf, this.tree as PublicTree, this.poly as Polynomials, random);
  }
  seal(over: Partial<Parameters<typeof sealBoxes>[0]> = {}): SealedBoxes {
    return sealBoxes({ sid: this.ctx.session.sid, dealer: this.leaf, tree: this.tree as PublicTree, poly: this.poly as Polynomials, prekeys: this.ctx.prekeys, random, ...over });
  }
  dealing(): Uint8Array {
    return this.sealed ? encodeDealing(this.treeBytes, this.possession, this.sealed) : new Uint8Array(0);
  }
  /** Body of the deal of a FROST key. */
  deal(): Uint8Array {
    return rekeyDealBody({ commitment: new Uint8Array(0), dealing: this.dealing() });
  }

  /** Messages of everybody: those that somebody holds, and what lies in this one's folder. */
  messages(label = this.run.honest[0] as string): Inbound {
    return withFiles(this.run, this.run.messages(label), label);
  }
  async dealt(messages: Inbound): Promise<Dealt> {
    const { dealt, findings } = await rekeyFindings(this.ctx, messages, anybody);
    if (!dealt) throw new Error(`the deals are not good: ${findings.map((f) => f.text).join()}`);
    return dealt;
  }
  async result(messages: Inbound): Promise<KeyingResult> {
    const { result, findings } = await rekeyFindings(this.ctx, messages, anybody);
    if (!result) throw new Error(`no result: ${findings.map((f) => f.text).join()}`);
    return result;
  }
  prekey(): Uint8Array {
    const { n } = this.ctx.plan.participants[this.leaf - 1]?.prekey as { n: number };
    return prekeySecret(this.party.identity.vault, n) as Uint8Array;
  }
  /** Its encoded share of the new epoch. */
  async share(messages: Inbound): Promise<Uint8Array> {
    const old = this.ctx.plan.kind === 'refresh' ? loadShare(this.party.identity.vault, this.base) : undefined;
    const opening = openShares(this.ctx, this.leaf, await this.dealt(messages), messages, this.prekey(), old, random);
    if (!opening.ok) throw new Error('a box of the cheat is bad');
    return opening.share;
  }
  /** Body of a complaint about a box that may be good, with its true key. */
  async complain(messages: Inbound, accused: number): Promise<Uint8Array> {
    const dispute = disputeOf((await this.dealt(messages)).verdict, accused, this.ctx.quorum.leaves[this.leaf - 1] as Leaf);
    const p = this.prekey();
    const K = multiply(p, dispute.dealing.sealing.E);
    const complaint = concat(K, proveDleq(complaintContext(dispute), p, complaintStatement(dispute, K), random));
    return complaintBody({ echo: echo(roundOf(messages, this.ctx.deal)), dealer: accused, complaint });
  }
  /** Body of an honest confirmation. @param over parts that are not */
  async confirm(messages: Inbound, over: Partial<Parameters<typeof confirmBody>[0]> = {}): Promise<Uint8Array> {
    const { name, homeId } = this.party.home.facts;
    const n = 1000;
    const { P, pop } = makePrekey({ owner: name, homeId, n }, random);
    const share = this.ctx.plan.stock > 0 && over.stock === undefined ? await this.share(messages) : undefined;
    const stock = Array.from({ length: share ? this.ctx.plan.stock : 0 }, () => makeNonces(this.base.epoch.key.scheme, share as Uint8Array, random).commitment);
    const last = messages.get(this.ctx.confirm - 1) ?? new Map<number, Envelope>();
    return confirmBody({ echo: echo(last), epoch: (await this.result(messages)).digest, prekey: { n, P, pop }, stock, ...over });
  }
}

/** Messages held, with those that lie in a folder and were not taken in yet. */
export function withFiles(run: Run, held: Inbound, label: string): Inbound {
  const all = new Map([...held].map(([slot, sent]) => [slot, new Map(sent)]));
  for (const file of run.files(label).filter((f) => /^round-\d\/[^/]+\.blob$/.test(f))) {
    const e = openBlob(run.file(label, file) as Uint8Array, run.session);
    const slot = all.get(e.slot) ?? new Map<number, Envelope>();
    if (!slot.has(e.leaf)) all.set(e.slot, slot.set(e.leaf, e));
  }
  return all;
}

/** What a home has of the key: its active epoch, and whether the share of it lies here. */
export function standing(table: Table, label: string): { epoch: number | undefined; digest: string | undefined; share: boolean } {
  const { home } = table.party(label);
  const active = activeEpoch(home, 'treasury');
  return {
    epoch: active?.epoch.number,
    digest: active && toHex(active.digest),
    share: active !== undefined && home.disk.exists(join(home.root, sharePath('treasury', active.epoch.number))),
  };
}

/** These sign with the active epoch, whichever that is, and the signature comes about. */
export async function expectSigns(table: Table, signers: readonly string[], epoch: number): Promise<void> {
  const run = await table.sign({ honest: signers, live: true, message: `with epoch ${String(epoch)} ${toHex(random(4))}` });
  await run.settle();
  expect(signers.map((n) => [n, run.code(n), requireKey(table.party(n).home, 'treasury').epoch.number])).toEqual(signers.map((n) => [n, 'DONE', epoch]));
}

/**
 * Every honest participant refused the attempt with this code, named the culprit, and wrote evidence that a stranger can
 * check; the epoch before is in force as before, and nobody has another one.
 * @param before what {@link standing} said of each before the attempt
 */
export async function expectRekeyAbort(run: Run, code: string, culprit: string | undefined, before: ReadonlyMap<string, ReturnType<typeof standing>>, labels: readonly string[] = run.honest): Promise<void> {
  const judged = new Set<string>();
  for (const label of labels) {
    const error = run.error(label);
    expect([label, error.code, error.message]).toEqual([label, code, expect.any(String)]);
    expect([label, error.facts.participant]).toEqual([label, culprit]);
    const evidence = evidenceOf(run, label).find((e) => e.code === code && e.participant === (culprit ?? null));
    expect(evidence, `${label} wrote evidence of ${code} by ${String(culprit)}`).toBeDefined();
    if (!evidence) continue;
    // evidence names who judged; the messages in it are the same for all
    const essence = JSON.stringify({ ...evidence, judge: null });
    if (!judged.has(essence)) expect(await judge(run, evidence)).toEqual({ code, culprit });
    judged.add(essence);
  }
  expectStanding(run.table, before);
}

/** {@link standing} of several homes. */
export function standings(table: Table, labels: readonly string[]): ReadonlyMap<string, ReturnType<typeof standing>> {
  return new Map(labels.map((l) => [l, standing(table, l)]));
}
export function expectStanding(table: Table, before: ReadonlyMap<string, ReturnType<typeof standing>>): void {
  for (const [label, was] of before) expect([label, standing(table, label)]).toEqual([label, was]);
}
