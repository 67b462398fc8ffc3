/**
 * Whole ceremonies of FROST keys in memory, without homes: key generation, refresh, reshare, import. All bodies are made by
 * the real functions of the protocol; any of them can be exchanged or left out before its sender signs it.
 */
import { group } from '../../src/curves/group.ts';
import { type SchemeName, SCHEMES } from '../../src/curves/scheme.ts';
import { foreignKeyRecord, type ForeignKey } from '../../src/interop/foreign-share.ts';
import { checkPlan, type DkgPlan, type ImportPlan, isRekey, type KeyingPlan, parsePlan, type RefreshPlan, type ResharePlan, rosterHash } from '../../src/plan/plan.ts';
import { encodePlanFile } from '../../src/plan/plan-file.ts';
import { weakens } from '../../src/protocols/base.ts';
import { anybody } from '../../src/protocols/crew.ts';
import { COMMIT, DEAL, dkgContext, dkgFindings } from '../../src/protocols/dkg.ts';
import { makeCommit, makeDeal } from '../../src/protocols/dkg-participant.ts';
import { type Certificate, completeCertificate, confirmBody } from '../../src/protocols/epoch.ts';
import { type Dealt, type KeyingContext, type KeyingResult, roundOf } from '../../src/protocols/keying.ts';
import { openShares } from '../../src/protocols/keying-participant.ts';
import { echo, type Finding, isComplete, requiredSlots, slotName, speakers } from '../../src/protocols/machine.ts';
import { type RekeyContext, rekeyContext, rekeyFindings } from '../../src/protocols/rekey.ts';
import { rekeyDealBody } from '../../src/protocols/rekey-messages.ts';
import { importConstant, makeRekeyDealing, reshareConstant } from '../../src/protocols/rekey-participant.ts';
import { makeNonces } from '../../src/schnorr/nonce.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { makePrekey } from '../../src/sharing/make-prekey.ts';
import { sealingReady } from '../../src/sharing/sealing-group.ts';
import { encodeChain, type EntryFacts, headOf, nextEntry } from '../../src/transcript/chain.ts';
import type { Entry } from '../../src/transcript/entry.ts';
import { verifyScript } from '../../src/transcript/verify-script.ts';
import { ceremonyId, type Envelope, makeBlob, openBlob, type Seat } from '../../src/wire/blob.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { type Signer, signerFromSeed } from '../../src/wire/ed25519.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { random } from './harness.ts';

const CREATED = '2026-03-01T12:00:00Z';

/** Somebody with an identity, one-time keys, and shares of the epochs that it took part in. */
export class Person {
  readonly name: string;
  readonly homeId = toHex(random(16));
  readonly x25519 = toHex(random(32));
  readonly signer: Signer = signerFromSeed(random(32));
  /** Secret one-time keys, by number. */
  readonly prekeys = new Map<number, Uint8Array>();
  /** Encoded shares, by session id of the ceremony that made them. */
  readonly shares = new Map<string, Uint8Array>();

  constructor(name: string) {
    this.name = name;
  }
  get seat(): { name: string; identity: string; homeId: string } {
    return { name: this.name, identity: toHex(this.signer.publicKey), homeId: this.homeId };
  }
  newPrekey(): { n: number; P: Uint8Array; pop: Uint8Array } {
    const n = this.prekeys.size + 1;
    const { secret, P, pop } = makePrekey({ owner: this.name, homeId: this.homeId, n }, random);
    this.prekeys.set(n, secret);
    return { n, P, pop };
  }
  get member(): KeyingPlan['participants'][number] {
    const { n, P, pop } = this.newPrekey();
    return { ...this.seat, x25519: this.x25519, prekey: { n, P: toHex(P), pop: toHex(pop) } };
  }
}

/** What somebody is about to say. */
export interface Saying {
  readonly name: string;
  readonly slot: number;
  /** As it is recorded: `deal`, `confirm`, … */
  readonly message: string;
  readonly body: Uint8Array;
}
/** What it says in place of it; undefined: nothing. */
export type Change = (saying: Saying, ceremony: Ceremony) => Pick<Saying, 'body'> | undefined;

/** One ceremony: messages, chains, and what the end gives. */
export class Ceremony {
  readonly plan: KeyingPlan;
  readonly people: People;
  readonly ctx: KeyingContext;
  readonly base: Certificate | undefined;
  readonly messages = new Map<number, Map<number, Envelope>>();
  readonly chains = new Map<string, Entry[]>();
  readonly planFile: Uint8Array;
  #secrets = new Map<string, Uint8Array>();
  certificate: Certificate | undefined;

  private constructor(people: People, plan: KeyingPlan, base: Certificate | undefined, planFile: Uint8Array) {
    this.people = people;
    this.plan = plan;
    this.base = base;
    this.planFile = planFile;
    this.ctx = isRekey(plan) ? rekeyContext(plan, base) : dkgContext(plan);
    for (const { name } of this.session.seats) {
      this.chains.set(name, []);
      this.#append(name, {
        kind: 'open',
        plan: toHex(this.session.sid),
        roster: toHex(rosterHash(plan)),
        program: toHex(sha256(utf8('program'))),
        node: 'v20.0.0',
        platform: 'linux-x64',
        compared: 'not-compared',
        subject: { bytes: planFile.length, sha256: toHex(sha256(planFile)) },
      });
    }
  }
  /** Everybody has opened its part of this plan. */
  static async of(people: People, plan: KeyingPlan, base?: Certificate): Promise<Ceremony> {
    await sealingReady();
    checkPlan(plan, 'PLAN.yaml', new Date(plan.created));
    return new Ceremony(people, plan, base, await encodePlanFile(plan));
  }

  get session(): KeyingContext['session'] {
    return this.ctx.session;
  }
  get sid(): string {
    return toHex(this.session.sid);
  }
  seat(name: string): Seat {
    const seat = this.session.seats.find((s) => s.name === name);
    if (!seat) throw new Error(`no seat of ${name}`);
    return seat;
  }
  #append(name: string, facts: Omit<EntryFacts, 'at'>): void {
    const { signer } = this.people.of(name);
    const chain = this.chains.get(name) as Entry[];
    chain.push(nextEntry(chain, { author: name, identity: signer.publicKey, ceremony: ceremonyId(this.session.sid) }, { at: CREATED, ...facts }, signer));
  }

  /** The live check. */
  async judged(): Promise<{ findings: readonly Finding[]; dealt?: Dealt; result?: KeyingResult }> {
    return isRekey(this.plan) ? rekeyFindings(this.ctx as RekeyContext, this.messages, anybody) : dkgFindings(dkgContext(this.plan), this.messages, anybody);
  }

  /** Signs a message, keeps it and records it, as the engine does. */
  say(name: string, slot: number, body: Uint8Array, message = slotName(this.plan, slot)): Envelope {
    const seat = this.seat(name);
    const { signer } = this.people.of(name);
    const head = headOf(this.chains.get(name) ?? []);
    const envelope = openBlob(makeBlob(this.session, seat, slot, head, body, signer), this.session);
    const ending = message === 'refuse' || message === 'abandon';
    const inputs = ending ? [] : [...roundOf(this.messages, message === 'complaint' ? this.ctx.deal : slot - 1).values()];
    const seen: Record<string, { hash: string; seq: number }> = {};
    if (!ending)
      for (const sent of this.messages.values())
        for (const e of sent.values()) if (e.leaf !== seat.leaf && (seen[e.name]?.seq ?? 0) < e.head.seq) seen[e.name] = { hash: toHex(e.head.hash), seq: e.head.seq };
    this.#append(name, {
      kind: 'sent',
      slot,
      message,
      subject: { bytes: envelope.bytes.length, sha256: toHex(envelope.hash) },
      ...(inputs.length > 0 ? { inputs: Object.fromEntries(inputs.map((e) => [e.name, toHex(e.hash)])) } : {}),
      ...(Object.keys(seen).length > 0 ? { seen } : {}),
    });
    const round = this.messages.get(slot) ?? new Map<number, Envelope>();
    this.messages.set(slot, round.set(seat.leaf, envelope));
    return envelope;
  }

  /** What an honest participant says in a slot. @throws when it cannot go on */
  async body(name: string, slot: number): Promise<Uint8Array> {
    const { plan, ctx } = this;
    const person = this.people.of(name);
    const { leaf } = this.seat(name);
    if (slot === ctx.confirm) return this.#confirm(person, leaf);
    if (isRekey(plan)) return rekeyDealBody({ commitment: new Uint8Array(0), dealing: makeRekeyDealing(ctx as RekeyContext, leaf, this.#constant(person), random) });
    const dkg = dkgContext(plan);
    if (slot === COMMIT) {
      const { body, secret } = makeCommit(dkg, leaf, new Uint8Array(0), random);
      this.#secrets.set(name, secret);
      return body;
    }
    if (slot !== DEAL) throw new Error(`nothing to say in round ${String(slot)}`);
    return makeDeal(dkg, leaf, this.#secrets.get(name) as Uint8Array, this.messages, random);
  }
  #constant(person: Person): bigint | undefined {
    const { plan, ctx } = this;
    if (plan.kind === 'refresh' || !isRekey(plan)) return undefined;
    if (plan.kind === 'import') return importConstant(plan, person.name, person.shares.get('') as Uint8Array);
    const base = (ctx as RekeyContext).base as NonNullable<RekeyContext['base']>;
    return reshareConstant(base, plan, person.name, person.shares.get(base.epoch.session) as Uint8Array);
  }
  async #confirm(person: Person, leaf: number): Promise<Uint8Array> {
    const { plan, ctx } = this;
    const { findings, dealt, result } = await this.judged();
    if (!dealt || !result) throw new Error(`the deals are not good: ${findings.map((f) => f.text).join()}`);
    const old = plan.kind === 'refresh' ? person.shares.get(this.base?.epoch.session ?? '') : undefined;
    const opening = openShares(ctx, leaf, dealt, this.messages, person.prekeys.get(plan.participants[leaf - 1]?.prekey.n ?? 0) as Uint8Array, old, random);
    if (!opening.ok) throw new Error('a box is bad');
    person.shares.set(this.sid, opening.share);
    const stock = Array.from({ length: plan.stock }, () => makeNonces(result.epoch.key.scheme, opening.share, random).commitment);
    return confirmBody({ echo: echo(roundOf(this.messages, ctx.confirm - 1)), epoch: result.digest, prekey: person.newPrekey(), stock });
  }

  /** All messages up to the end, or up to the first round that is not complete. */
  async play(change: Change = (saying) => saying): Promise<this> {
    const { plan, session } = this;
    for (const { slot, name: message } of requiredSlots(plan)) {
      for (const leaf of speakers(plan, slot, session.seats)) {
        const { name } = session.seats[leaf - 1] as Seat;
        const said = change({ name, slot, message, body: await this.body(name, slot) }, this);
        if (said) this.say(name, slot, said.body);
      }
      if (!isComplete(plan, slot, session.seats, this.messages)) return this;
    }
    const { result, findings } = await this.judged();
    if (!result || findings.length > 0) return this;
    this.certificate = completeCertificate(result.epoch, session, roundOf(this.messages, this.ctx.confirm));
    return this;
  }

  /** Everybody, or those who are named, puts the end on the record. */
  finish(names: readonly string[] = this.session.seats.map((s) => s.name)): this {
    const { certificate } = this;
    if (!certificate) throw new Error('there is no certificate');
    const { epoch } = certificate;
    for (const name of names) {
      if (epoch.base) this.record(name, { kind: 'destroyed', epoch: epoch.base.epoch });
      this.record(name, { kind: 'certificate', epoch: toHex(certificate.digest), result: certificate.sha256 });
    }
    return this;
  }
  /** Any entry in somebody's chain. */
  record(name: string, facts: Omit<EntryFacts, 'at'>): void {
    this.#append(name, facts);
  }

  /** The files of the ceremony folder. */
  folder(): Map<string, Uint8Array> {
    const { plan, base, certificate, messages, chains } = this;
    return new Map([
      ['PLAN.yaml', this.planFile],
      ['VERIFY.txt', utf8(verifyScript(plan))],
      ...(base ? [['base/certificate.json', base.bytes] as const] : []),
      ...[...messages].flatMap(([slot, sent]) => [...sent.values()].map((e) => [`round-${String(slot)}/${e.name}.blob`, e.bytes] as const)),
      ...[...chains].map(([name, entries]) => [`transcript/${name}.jsonl`, encodeChain(entries)] as const),
      ...(certificate ? [['transcript/certificate.json', certificate.bytes] as const] : []),
    ]);
  }
}

/** People by name, and the plans that they make. */
export class People {
  readonly #known = new Map<string, Person>();

  of(name: string): Person {
    const person = this.#known.get(name) ?? new Person(name);
    this.#known.set(name, person);
    return person;
  }

  #head(lead: string): object {
    return { schema: 'mpc-ceremony/plan/1', name: 'treasury', mode: 'rehearsal', attended: false, attempt: 1, nonce: toHex(random(32)), lead, created: CREATED, expires: '2026-03-31T12:00:00Z', stock: 0 };
  }
  #members(quorum: string): KeyingPlan['participants'] {
    return parseQuorum(quorum).leaves.map((l) => this.of(l.name).member);
  }

  dkgPlan(quorum: string, scheme: SchemeName = 'frost-ed25519', over: object = {}): DkgPlan {
    const participants = this.#members(quorum);
    return parsePlan({ ...this.#head(participants[0]?.name ?? ''), kind: 'dkg', rank: 1, scheme, quorum, participants, ...over }, 'PLAN.yaml') as DkgPlan;
  }
  #onBase({ epoch, digest }: Certificate): object {
    return { rank: epoch.number + 1, key: { name: epoch.key.name, id: epoch.key.id, scheme: epoch.key.scheme, epoch: epoch.number, certificate: toHex(digest) } };
  }
  refreshPlan(base: Certificate, over: object = {}): RefreshPlan {
    const { quorum } = base.epoch;
    const participants = this.#members(quorum);
    return parsePlan({ ...this.#head(participants[0]?.name ?? ''), ...this.#onBase(base), kind: 'refresh', quorum, participants, ...over }, 'PLAN.yaml') as RefreshPlan;
  }
  /** @param dealers names of the base, ascending; `[name in the base, name now]` for who has another home now */
  resharePlan(base: Certificate, quorum: string, dealers: readonly (string | readonly [string, string])[], over: object = {}): ResharePlan {
    const weaker = weakens(parseQuorum(base.epoch.quorum), parseQuorum(quorum));
    const dealing = dealers.map((d) => {
      const [before, now] = typeof d === 'string' ? [d, d] : d;
      return { ...this.of(now).seat, leaf: base.epoch.roster.findIndex((p) => p.name === before) + 1 };
    });
    const plan = { ...this.#head(dealing[0]?.name ?? ''), ...this.#onBase(base), kind: 'reshare', quorum, participants: this.#members(quorum), dealers: dealing, ...(weaker ? { weakens: true } : {}), ...over };
    return parsePlan(plan, 'PLAN.yaml') as ResharePlan;
  }
  /** Takes in a whole key that its owner holds. */
  importPlan(owner: string, quorum: string, scheme: SchemeName = 'frost-ed25519', over: object = {}): ImportPlan {
    const g = group(SCHEMES[scheme].group);
    const [one, secret] = [g.encodeScalar(1n), g.randomScalar(random)];
    const point = g.encodePoint(g.multiply(g.base, secret));
    const key: ForeignKey = { format: 'key', scheme, publicKey: point, minSigners: 1, shares: [{ identifier: one, point }] };
    this.of(owner).shares.set('', g.encodeScalar(secret));
    const plan = { ...this.#head(owner), kind: 'import', rank: 1, quorum, participants: this.#members(quorum), source: foreignKeyRecord(key), dealers: [{ ...this.of(owner).seat, identifier: toHex(one) }], ...over };
    return parsePlan(plan, 'PLAN.yaml') as ImportPlan;
  }

  /** A finished ceremony, as everybody recorded it. */
  async finished(plan: KeyingPlan, base?: Certificate): Promise<Ceremony & { readonly certificate: Certificate }> {
    const ceremony = await (await Ceremony.of(this, plan, base)).play();
    return ceremony.finish() as Ceremony & { readonly certificate: Certificate };
  }
}
