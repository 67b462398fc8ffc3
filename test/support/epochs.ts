/**
 * A world for tests of the life of epochs: real homes of five people, any number of attempts to refresh or reshare one
 * key, a courier who brings any subset of the files to anybody at any time, computers that stop at any durable write, a
 * home that is an older copy of itself, and a dishonest participant who is in every attempt, shows what it likes to whom
 * it likes, and is bound by no rank. Everything honest goes through the ceremony layer, as the commands do.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { orTakeUp } from '../../src/ceremony/bystander.ts';
import { abort } from '../../src/ceremony/engine.ts';
import { lockReason, openHome, ownCard, sweepHome } from '../../src/ceremony/home.ts';
import { openIdentity, prekeyState, renewCard } from '../../src/ceremony/identity.ts';
import { requireKey } from '../../src/ceremony/key-store.ts';
import type { Step } from '../../src/ceremony/port.ts';
import { utc } from '../../src/ceremony/times.ts';
import { checkPlan, parsePlan, seated, type RekeyPlan } from '../../src/plan/plan.ts';
import { weakens } from '../../src/protocols/base.ts';
import { type Certificate, parseCertificate } from '../../src/protocols/epoch.ts';
import { ABANDON_BODY, closingOf, closingSlot } from '../../src/protocols/machine.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { smallestSize } from '../../src/sharing/quorum-facts.ts';
import { type Disk, realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { PASSPHRASE, type Party, random, Table } from './harness.ts';
import type { Outcome, Run } from './run.ts';

export const KEY = 'treasury';

/** The computer stops: nothing of the program runs after it. */
export class PowerCut extends Error {}

/** A disk whose computer stops before the n-th change from now, and stays off until it is switched on again. */
export interface FragileDisk extends Disk {
  stopBefore(change: number): void;
  switchOn(): void;
}

export function fragileDisk(): FragileDisk {
  const disk = realDisk();
  let left = Infinity;
  const spend = (): void => {
    left -= 1;
    if (left <= 0) throw new PowerCut('power cut');
  };
  return {
    ...disk,
    write: (path, bytes, opts) => {
      spend();
      disk.write(path, bytes, opts);
    },
    createOnce: (path, bytes, mode) => {
      spend();
      return disk.createOnce(path, bytes, mode);
    },
    erase: (path) => {
      spend();
      disk.erase(path);
    },
    makeDir: (path, mode) => {
      spend();
      disk.makeDir(path, mode);
    },
    stopBefore: (change) => {
      left = change;
    },
    switchOn: () => {
      left = Infinity;
    },
  };
}

/** Numbers that follow from a seed. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0;
  }
  /** 0 ≤ x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  one<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to choose from');
    return from[this.below(from.length)] as T;
  }
  /** As many as asked for, in the order in which they stand in the list. */
  some<T>(from: readonly T[], count: number): T[] {
    const left = from.map((_, i) => i);
    const chosen = Array.from({ length: count }, () => left.splice(this.below(left.length), 1)[0] as number);
    return chosen.sort((a, b) => a - b).map((i) => from[i] as T);
  }
  shuffled<T>(from: readonly T[]): T[] {
    const left = [...from];
    return Array.from({ length: left.length }, () => left.splice(this.below(left.length), 1)[0] as T);
  }
}

/** What a home holds of one epoch. */
export interface Held {
  readonly epoch: number;
  /** Session of the certificate, if there is one. */
  readonly certified: string | undefined;
  readonly share: boolean;
}

/** What an attempt is asked to be. */
export interface Proposal {
  readonly kind: 'refresh' | 'reshare';
  /** Attempt whose epoch it builds on; undefined for the first epoch. */
  readonly base?: Attempt | undefined;
  readonly rank: number;
  readonly quorum?: string;
  readonly dealers?: readonly string[];
  readonly lead?: string;
}

/** One attempt: a folder for everybody, and every version of every file that ever lay in one of them. */
export class Attempt {
  readonly number: number;
  readonly plan: RekeyPlan;
  readonly run: Run;
  readonly base: Attempt | undefined;
  /** Contents of a path, in the order in which they were first seen. */
  readonly shown = new Map<string, Uint8Array[]>();
  /** What the dishonest participant has made and shown to nobody. */
  readonly withheld = new Map<string, Uint8Array>();

  constructor(number: number, plan: RekeyPlan, run: Run, base: Attempt | undefined) {
    this.number = number;
    this.plan = plan;
    this.run = run;
    this.base = base;
  }
  get sid(): string {
    return toHex(this.run.session.sid);
  }
  get members(): string[] {
    return this.plan.participants.map((p) => p.name);
  }
  get everybody(): string[] {
    return seated(this.plan).map((p) => p.name);
  }
  get needed(): number {
    return smallestSize(parseQuorum(this.plan.quorum).root);
  }
  show(path: string, bytes: Uint8Array): void {
    const there = this.shown.get(path) ?? [];
    if (!there.some((b) => Buffer.compare(b, bytes) === 0)) this.shown.set(path, [...there, bytes]);
  }
  /** The complete certificate, if somebody has shown one. */
  get certificate(): Certificate | undefined {
    const bytes = this.shown.get('transcript/certificate.json')?.[0];
    return bytes && parseCertificate(bytes, 'certificate.json');
  }
}

/** The one-time key of somebody in a plan that makes an epoch. */
function prekeyIn(planFile: string, name: string): string | undefined {
  const plan = JSON.parse(planFile) as { rank?: number; participants: { name: string; prekey?: { P: string } }[] };
  return plan.rank === undefined ? undefined : plan.participants.find((p) => p.name === name)?.prekey?.P;
}

const CARRIED = /^(round-\d+|transcript|evidence|destroyed)\//;

export class World {
  readonly table: Table;
  readonly people: readonly string[];
  readonly attempts: Attempt[] = [];
  /** Everything that happened, for a report. */
  readonly log: string[] = [];
  dishonest: string | undefined;
  /** Whose home is put back to an older state in this story. */
  restored: string | undefined;
  #wasRestored = false;
  #disks = new Map<string, FragileDisk>();
  #prekeys = new Set<string>();
  #highest = new Map<string, number>();
  #seen = new Map<string, string>();
  #planOf = new Map<string, { id: string; prekey: string | undefined }>();
  #first: { quorum: string; members: readonly string[]; certificate: Certificate } | undefined;

  private constructor(table: Table, people: readonly string[]) {
    this.table = table;
    this.people = people;
  }

  /** Homes, and a key of the first few of them; the snapshot `key` holds it. */
  static async open(people: readonly string[], quorum: string, scheme: 'frost-ed25519' | 'frost-ristretto255' = 'frost-ed25519'): Promise<World> {
    const table = await Table.open(people);
    const world = new World(table, people);
    const members = parseQuorum(quorum).leaves.map((l) => l.name);
    const run = await table.dkg({ quorum, honest: members, scheme, stock: 1 });
    await run.settle();
    for (const name of people) await world.#fragile(name);
    for (const name of people) table.renew(name);
    table.save('key');
    return world;
  }

  get honest(): string[] {
    return this.people.filter((p) => p !== this.dishonest);
  }
  /** Whoever is honest and has the home that it always had. */
  get sound(): string[] {
    return this.honest.filter((p) => !(this.#wasRestored && p === this.restored));
  }
  get first(): { quorum: string; members: readonly string[]; certificate: Certificate } {
    const certificate = requireKey(this.table.party(this.sound[0] as string).home, KEY);
    return (this.#first ??= { quorum: certificate.epoch.quorum, members: certificate.epoch.roster.map((p) => p.name), certificate });
  }

  /** A new story: all homes as they were after the key generation. */
  reset(): void {
    this.table.restore('key');
    rmSync(join(this.table.root, 'runs'), { recursive: true, force: true });
    rmSync(join(this.table.root, 'aside'), { recursive: true, force: true });
    this.attempts.length = 0;
    this.log.length = 0;
    this.#prekeys.clear();
    this.#highest.clear();
    this.#seen.clear();
    this.#planOf.clear();
    this.#wasRestored = false;
    this.dishonest = undefined;
    this.restored = undefined;
    const certificate = requireKey(this.table.party(this.#first?.members[0] ?? (this.people[0] as string)).home, KEY);
    this.#first = { quorum: certificate.epoch.quorum, members: certificate.epoch.roster.map((p) => p.name), certificate };
  }

  /** Opens a home on a disk that can stop. */
  async #fragile(label: string): Promise<Party> {
    const disk = fragileDisk();
    const home = openHome(disk, join(this.table.root, 'homes', label));
    const identity = await openIdentity(home, new Secret(utf8(PASSPHRASE)), random);
    const { port } = this.table.parties.get(label) ?? this.table.party(this.people[0] as string);
    const party: Party = { name: home.facts.name, home, identity, port: { ...port, disk, unlock: () => Promise.resolve(identity) } };
    this.#disks.set(label, disk);
    this.table.parties.set(label, party);
    return party;
  }

  disk(label: string): FragileDisk {
    const disk = this.#disks.get(label);
    if (!disk) throw new Error(`no disk of ${label}`);
    return disk;
  }
  say(text: string): void {
    this.log.push(text);
  }
  tick(): void {
    this.table.clock = new Date(this.table.clock.getTime() + 1000);
  }

  // ——— attempts

  certificateOf(base: Attempt | undefined): Certificate | undefined {
    return base ? base.certificate : this.first.certificate;
  }

  /** A one-time key of somebody that no plan of this story has named. */
  #prekey(name: string): { n: number; P: string; pop: string } {
    const { home, identity } = this.table.party(name);
    const free = (): { n: number; P: string; pop: string } | undefined => ownCard(home).prekeys.find((p) => !this.#prekeys.has(p.P) && prekeyState(home, p.n) === 'free');
    if (!free() && lockReason(home) === undefined) renewCard(home, identity, random, this.table.clock);
    const found = free();
    if (!found) throw new Error(`${name} has no one-time key`);
    this.#prekeys.add(found.P);
    return { n: found.n, P: found.P, pop: found.pop };
  }

  /** A plan that its lead has made and carried to everybody; nobody has joined it. */
  async propose({ kind, base, rank, quorum, dealers, lead }: Proposal): Promise<Attempt> {
    const certificate = this.certificateOf(base);
    if (!certificate) throw new Error('nobody has the certificate of the base');
    const { epoch, digest } = certificate;
    const before = parseQuorum(epoch.quorum);
    const after = parseQuorum(kind === 'refresh' ? epoch.quorum : (quorum ?? epoch.quorum));
    const person = (name: string): { name: string; identity: string; homeId: string; x25519: string } => {
      const { ed25519: identity, homeId, x25519 } = ownCard(this.table.party(name).home);
      return { name, identity, homeId, x25519 };
    };
    const members = after.leaves.map((l) => l.name);
    const names = dealers ?? epoch.roster.map((p) => p.name).slice(0, smallestSize(before.root));
    const part =
      kind === 'refresh'
        ? {}
        : {
            dealers: names.map((name) => {
              const { identity, homeId } = person(name);
              return { name, identity, homeId, leaf: epoch.roster.findIndex((p) => p.name === name) + 1 };
            }),
            ...(weakens(before, after) ? { weakens: true } : {}),
          };
    this.tick();
    const plan = parsePlan(
      {
        schema: 'mpc-ceremony/plan/1', name: KEY, mode: 'rehearsal', attended: false, attempt: this.attempts.length + 1, nonce: toHex(random(32)),
        lead: lead ?? (members[0] as string), created: utc(this.table.clock), expires: utc(new Date(this.table.clock.getTime() + 30 * 86_400_000)),
        kind, rank, quorum: after.text, stock: 0,
        key: { name: KEY, id: epoch.key.id, scheme: epoch.key.scheme, epoch: epoch.number, certificate: toHex(digest) },
        participants: members.map((name) => ({ ...person(name), prekey: this.#prekey(name) })),
        ...part,
      },
      'PLAN.yaml',
    ) as RekeyPlan;
    checkPlan(plan, 'PLAN.yaml', this.table.clock);
    const run = await this.table.plant(plan, this.honest, { 'base/certificate.json': certificate.bytes });
    const attempt = new Attempt(this.attempts.length + 1, plan, run, base);
    this.attempts.push(attempt);
    this.say(`plan ${String(attempt.number)}: ${kind} rank ${String(rank)} on ${base ? String(base.number) : 'the first epoch'}${kind === 'reshare' ? `, ${names.join('+')} deal to ${after.text}` : ''}`);
    const bad = this.dishonest;
    if (bad !== undefined && attempt.everybody.includes(bad)) {
      const label = this.#puppet(attempt);
      const from = base ? join(this.table.root, 'homes', this.#puppet(base)) : join(this.table.root, 'saved', 'key', bad);
      const to = join(this.table.root, 'homes', label);
      rmSync(to, { recursive: true, force: true });
      cpSync(existsSync(from) ? from : join(this.table.root, 'saved', 'key', bad), to, { recursive: true });
      await this.#fragile(label);
      run.write(label, 'PLAN.yaml', run.file(this.honest[0] as string, 'PLAN.yaml') as Uint8Array);
      run.write(label, 'base/certificate.json', certificate.bytes);
    }
    return attempt;
  }

  /** The home of the dishonest participant in an attempt: it has one for each. */
  #puppet(attempt: Attempt): string {
    return `${this.dishonest ?? ''}-${String(attempt.number)}`;
  }

  // ——— the courier

  /** Puts a file into somebody's folder; what is there under its name stays beside it where it is a message. */
  bring(attempt: Attempt, to: string, path: string, bytes: Uint8Array): void {
    const there = attempt.run.file(to, path);
    if (there && path.startsWith('round-') && Buffer.compare(there, bytes) !== 0) attempt.run.write(to, path.replace('.blob', '-other.blob'), bytes);
    else attempt.run.write(to, path, bytes);
  }

  /** Brings some of what was ever shown, in any version. */
  bringSome(attempt: Attempt, to: string, dice: Dice, part: number): void {
    for (const [path, versions] of attempt.shown) if (dice.chance(part)) this.bring(attempt, to, path, path.startsWith('round-') ? (versions[0] as Uint8Array) : dice.one(versions));
  }

  /** Brings all that was ever shown. */
  bringAll(attempt: Attempt, to: string): void {
    for (const [path, versions] of attempt.shown)
      for (const bytes of path.startsWith('round-') ? versions : [[...versions].sort((a, b) => a.length - b.length).at(-1) as Uint8Array]) this.bring(attempt, to, path, bytes);
  }

  /** What somebody's program wrote is there to be carried. */
  #take(attempt: Attempt, label: string): void {
    for (const path of attempt.run.files(label)) {
      const bytes = CARRIED.test(path) && !path.includes('-other.blob') ? attempt.run.file(label, path) : undefined;
      if (bytes) attempt.show(path, bytes);
    }
  }

  // ——— what people do

  /** `join` or `next`, as the commands do it. */
  async #command(attempt: Attempt, name: string): Promise<Step> {
    const { run } = attempt;
    const { home, port } = this.table.party(name);
    const outcome = await run.next(name);
    if (outcome.step) return outcome.step;
    return orTakeUp(home, run.folder(name), port, outcome.error as CeremonyError);
  }

  /** One visit; after a power cut the computer is switched on again, and that is all. */
  async visit(attempt: Attempt, name: string, stopBefore?: number): Promise<Outcome | 'power cut'> {
    const party = this.table.party(name);
    const disk = this.disk(name);
    this.tick();
    let outcome: Outcome | 'power cut';
    if (stopBefore !== undefined) disk.stopBefore(stopBefore);
    try {
      outcome = { step: await this.#command(attempt, name) };
    } catch (e) {
      if (e instanceof PowerCut) outcome = 'power cut';
      else if (e instanceof CeremonyError) outcome = { error: e };
      else throw e;
    } finally {
      disk.switchOn();
    }
    if (outcome === 'power cut') sweepHome(party.home);
    else attempt.run.last.set(name, outcome);
    this.#take(attempt, name);
    const text = outcome === 'power cut' ? `power cut before change ${String(stopBefore)}` : outcome.error ? `${outcome.error.code} ${outcome.error.message}` : `${outcome.step?.did.join(' ') ?? ''} (${outcome.step?.nextAction.code ?? ''})`;
    this.say(`  ${name} next ${String(attempt.number)}: ${text}; ${this.describe(name)}`);
    if (outcome !== 'power cut' && outcome.error && ['E_INTERNAL', 'E_STATE'].includes(outcome.error.code) && this.sound.includes(name)) throw new Error(`${name}: ${outcome.error.code} ${outcome.error.message}`, { cause: outcome.error });
    this.check();
    return outcome;
  }

  async abort(attempt: Attempt, name: string): Promise<void> {
    const store = attempt.run.store(name);
    if (!store || store.done) return;
    this.tick();
    try {
      await abort(store, attempt.run.folder(name), this.table.party(name).port, 'operator');
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      this.say(`  ${name} aborts ${String(attempt.number)}: ${e.code}`);
    }
    this.#take(attempt, name);
    this.check();
  }

  /** The dishonest participant goes on in an attempt with all that anybody has shown, and shows nothing of its own. */
  async scheme(attempt: Attempt): Promise<void> {
    const bad = this.dishonest;
    if (bad === undefined || !attempt.everybody.includes(bad)) return;
    const label = this.#puppet(attempt);
    this.bringAll(attempt, label);
    await attempt.run.next(label);
    for (const path of attempt.run.files(label)) {
      const bytes = attempt.run.file(label, path);
      if (bytes && (new RegExp(`^round-\\d+/${bad}\\.blob$`).test(path) || (path === 'transcript/certificate.json' && !attempt.shown.has(path)))) attempt.withheld.set(path, bytes);
    }
    // a confirmation and its opposite: it has both in its hand
    const slot = closingSlot(attempt.plan);
    if (attempt.run.store(label)) attempt.withheld.set(`round-${String(slot)}/${bad}-not.blob`, attempt.run.blob(label, slot, ABANDON_BODY));
    this.say(`  ${bad} schemes in ${String(attempt.number)}: ${[...attempt.withheld.keys()].join(' ')}`);
  }

  /** It shows something that it withheld to somebody, who may show it to others. */
  reveal(attempt: Attempt, path: string, to: string): void {
    const bytes = attempt.withheld.get(path);
    if (!bytes) return;
    attempt.show(path, bytes);
    this.bring(attempt, to, path, bytes);
    this.say(`  ${this.dishonest ?? ''} shows ${path} of ${String(attempt.number)} to ${to}`);
  }

  /** A copy of a home, put aside. */
  image(name: string): void {
    cpSync(join(this.table.root, 'homes', name), join(this.table.root, 'aside'), { recursive: true });
    this.say(`  image of ${name}`);
  }
  get imageTaken(): boolean {
    return existsSync(join(this.table.root, 'aside'));
  }
  get wasRestored(): boolean {
    return this.#wasRestored;
  }
  /** The home of somebody becomes what it was when the copy was made. */
  restore(name: string): void {
    rmSync(join(this.table.root, 'homes', name), { recursive: true, force: true });
    cpSync(join(this.table.root, 'aside'), join(this.table.root, 'homes', name), { recursive: true });
    this.restored = name;
    this.#wasRestored = true;
    this.say(`  ${name} is restored; ${this.describe(name)}`);
  }
  /** Fresh one-time keys after a lock. */
  renew(name: string): void {
    const { home, identity } = this.table.party(name);
    this.tick();
    renewCard(home, identity, random, this.table.clock);
    this.tick();
    this.say(`  ${name} renews its card`);
  }

  /** Everybody gets everything and goes on, in any order, until nobody moves any more. */
  async settle(dice?: Dice): Promise<void> {
    const mixed = <T>(from: readonly T[]): readonly T[] => (dice ? dice.shuffled(from) : from);
    this.#seen.clear();
    for (let before = ''; ; ) {
      const now = this.people.map((p) => this.fingerprint(p)).join();
      if (now === before) return;
      before = now;
      for (const name of mixed(this.honest))
        for (const attempt of mixed(this.attempts)) {
          if (name === this.restored && lockReason(this.table.party(name).home) !== undefined) this.renew(name);
          if (this.isIdle(attempt, name)) continue;
          this.bringAll(attempt, name);
          await this.visit(attempt, name);
          this.visited(attempt, name);
        }
    }
  }

  // ——— what must hold

  held(label: string): Held[] {
    const dir = join(this.table.root, 'homes', label, 'keys', KEY);
    if (!existsSync(dir)) return [];
    return readdirSync(dir)
      .map((d) => /^epoch-(\d+)$/.exec(d)?.[1])
      .filter((d) => d !== undefined)
      .map((d) => {
        const file = join(dir, `epoch-${d}`, 'certificate.json');
        const certified = existsSync(file) ? /"session":"([0-9a-f]{64})"/.exec(readFileSync(file, 'latin1').slice(0))?.[1] : undefined;
        return { epoch: Number(d), certified, share: existsSync(join(dir, `epoch-${d}`, 'share.sealed')) };
      })
      .sort((a, b) => b.epoch - a.epoch);
  }
  active(label: string): Held | undefined {
    return this.held(label).find((h) => h.certified !== undefined);
  }
  forked(label: string): boolean {
    const file = join(this.table.root, 'homes', label, 'keys', KEY, 'fork.json');
    return existsSync(file) && (JSON.parse(readFileSync(file, 'latin1')) as { epoch: number }).epoch === this.active(label)?.epoch;
  }
  describe(label: string): string {
    const all = this.held(label).map((h) => `${String(h.epoch)}${h.certified === undefined ? '?' : ''}${h.share ? '*' : ''}`);
    return `${all.join(' ')}${this.forked(label) ? ' FORK' : ''}${lockReason(this.table.party(label).home) === undefined ? '' : ' LOCKED'}`;
  }
  #ceremonies(label: string): string[] {
    const dir = join(this.table.root, 'homes', label, 'ceremonies');
    return readdirSync(dir).map((d) => join(dir, d)).filter((d) => existsSync(join(d, 'journal.jsonl')));
  }
  /** Changes with everything that a home does. */
  fingerprint(label: string): string {
    const stores = this.#ceremonies(label).map((d) => `${d.slice(-8)}:${String(statSync(join(d, 'journal.jsonl')).size)}:${existsSync(join(d, 'ended.json')) ? 'ended' : ''}`);
    return `${this.describe(label)}|${stores.join()}`;
  }
  /** Whether a visit might change anything: somebody has shown something since the last one, or the home has changed. */
  isIdle(attempt: Attempt, name: string): boolean {
    return this.#seen.get(`${name} ${String(attempt.number)}`) === this.#sight(attempt, name);
  }
  /** Somebody has seen all there is. */
  visited(attempt: Attempt, name: string): void {
    this.#seen.set(`${name} ${String(attempt.number)}`, this.#sight(attempt, name));
  }
  #sight(attempt: Attempt, name: string): string {
    return `${this.fingerprint(name)} ${String([...attempt.shown.values()].reduce((n, v) => n + v.length, 0))}`;
  }

  /** The highest certificate that a sound home holds: its attempt, or undefined for the first epoch. */
  top(labels = this.sound): Attempt | undefined {
    const held = labels.flatMap((p) => this.active(p)?.certified ?? []);
    return this.attempts
      .filter((a) => held.includes(a.sid))
      .sort((a, b) => a.plan.rank - b.plan.rank || (a.sid < b.sid ? -1 : 1))
      .at(-1);
  }

  /** Whether everybody who receives has signed the confirmation, shown or not. */
  #confirmed(attempt: Attempt): boolean {
    const slot = closingSlot(attempt.plan);
    return attempt.members.every((m) => {
      const own = [attempt.withheld.get(`round-${String(slot)}/${m}.blob`), ...(attempt.shown.get(`round-${String(slot)}/${m}.blob`) ?? [])];
      return own.some((b) => b && closingOf(openBlob(b, attempt.run.session).body) === 'close');
    });
  }

  /** What holds at every moment. */
  check(): void {
    const top = this.top();
    const needed = this.attempts.filter((a) => a === top || (a.plan.rank > (top?.plan.rank ?? 1) && this.#confirmed(a)));
    const require = (members: readonly string[], epoch: number, what: string): void => {
      for (const name of members.filter((m) => this.sound.includes(m)))
        if (this.held(name).some((h) => h.epoch === epoch && h.share) !== true) throw new Error(`${name} has destroyed its share of ${what}, which is still needed`);
    };
    for (const attempt of needed) require(attempt.members, attempt.plan.rank, `attempt ${String(attempt.number)}`);
    if (!top) require(this.first.members, 1, 'the first epoch');
    for (const name of this.sound) {
      const active = this.active(name)?.epoch ?? 0;
      const before = this.#highest.get(name) ?? 0;
      if (active < before) throw new Error(`${name} went back from epoch ${String(before)} to ${String(active)}`);
      this.#highest.set(name, active);
      if (lockReason(this.table.party(name).home) !== undefined) throw new Error(`${name} is locked, and its home is the one that it always had`);
      const twice = this.attempts.flatMap((a) => [...a.shown].filter(([path, versions]) => path.startsWith('round-') && path.endsWith(`/${name}.blob`) && versions.length > 1).map(([path]) => `${path} of ${String(a.number)}`));
      if (twice.length > 0) throw new Error(`${name} signed two messages: ${twice.join()}`);
    }
    for (const name of this.honest) this.#checkPrekeys(name);
  }

  #checkPrekeys(name: string): void {
    const used = new Map<string, string>();
    for (const dir of this.#ceremonies(name)) {
      const known = this.#planOf.get(dir) ?? { id: dir, prekey: prekeyIn(readFileSync(join(dir, 'plan.json'), 'latin1'), name) };
      this.#planOf.set(dir, known);
      const { id, prekey } = known;
      if (prekey === undefined) continue;
      if (used.has(prekey)) throw new Error(`${name} uses one one-time key in ${id} and ${used.get(prekey) ?? ''}`);
      used.set(prekey, id);
    }
  }

  /** What holds once everybody has everything. @returns the names of those who can sign */
  checkEnd(): string[] {
    const top = this.top();
    const members = top ? top.members : this.first.members;
    const rank = top?.plan.rank ?? 1;
    for (const name of this.sound) {
      const held = this.held(name);
      const active = this.active(name);
      if (this.forked(name)) {
        if (members.includes(name)) throw new Error(`${name} is locked out of the epoch that it is a member of`);
        continue;
      }
      const involved = active !== undefined || this.attempts.some((a) => a.run.store(name));
      if (members.includes(name)) {
        if (active?.epoch !== rank || (top && active.certified !== top.sid)) throw new Error(`${name} is a member of epoch ${String(rank)} and has ${this.describe(name)}`);
        if (!active.share) throw new Error(`${name} has lost its share of epoch ${String(rank)}`);
      } else if (top && involved && held.some((h) => h.share && h.epoch < rank)) throw new Error(`${name} is no member of epoch ${String(rank)} and keeps ${this.describe(name)}`);
      if (held.some((h) => h.share && h.epoch < rank)) throw new Error(`${name} keeps a share that was to be destroyed: ${this.describe(name)}`);
      this.checkHome(name, rank);
    }
    return members.filter((m) => this.sound.includes(m));
  }

  /** Nothing that opens what was dealt in an attempt which an epoch supersedes, and none of its stocks, is left in a home. */
  checkHome(name: string, rank: number): void {
    const { root } = this.table.party(name).home;
    for (const a of this.attempts) {
      const own = a.plan.participants.find((p) => p.name === name);
      // of one rank the attempt with the higher session may still count
      const superseded = a.plan.rank < rank || (a.plan.rank === rank && a.sid <= (this.active(name)?.certified ?? a.sid));
      if (own && superseded && a.run.store(name) && existsSync(join(root, 'identity', 'prekeys', `${String(own.prekey.n)}.sealed`)))
        throw new Error(`${name} keeps the one-time key of attempt ${String(a.number)}, which epoch ${String(rank)} supersedes`);
    }
    for (const { epoch } of this.held(name)) {
      const stock = join(root, 'keys', KEY, `epoch-${String(epoch)}`, 'stock');
      if (epoch < rank && existsSync(stock) && readdirSync(stock).some((f) => f.endsWith('.sealed'))) throw new Error(`${name} keeps the stock of epoch ${String(epoch)}`);
    }
  }

  /** The test has put the homes back: what was shown since, and what lies in somebody's folder, is gone too. */
  forget(attempt: Attempt, shown: ReadonlyMap<string, readonly Uint8Array[]>, name: string): void {
    this.#highest.clear();
    this.#seen.clear();
    attempt.shown.clear();
    for (const [path, versions] of shown) attempt.shown.set(path, [...versions]);
    for (const dir of ['transcript', 'destroyed', 'evidence']) rmSync(join(attempt.run.folder(name), dir), { recursive: true, force: true });
  }

  /** A signature by as few as are needed, under the public key that never changes. */
  async sign(signers: readonly string[]): Promise<void> {
    this.tick();
    const run = await this.table.sign({ honest: signers, live: true, message: 'pay 5 to the baker' });
    await run.settle();
    for (const name of signers) if (run.code(name) !== 'DONE') throw new Error(`${name} cannot sign: ${run.code(name)}`);
    const { epoch } = requireKey(this.table.party(signers[0] as string).home, KEY);
    if (epoch.publicKey !== this.first.certificate.epoch.publicKey) throw new Error('the public key has changed');
    const signature = run.file(signers[0] as string, 'signature.bin');
    if (!signature || signature.length !== 64) throw new Error('no signature');
  }
}
