/**
 * A table at which participants sit in one process, for tests that attack. Everybody has a real home and real folders
 * in a temporary place and is driven through the ceremony layer itself; a courier copies folders and never deletes.
 * A cheat holds a normal home and signs with its real identity, but says what the test makes it say.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { utc } from '../../src/ceremony/times.ts';
import { type Home, openHome } from '../../src/ceremony/home.ts';
import { createHome, type Identity, openIdentity, renewCard } from '../../src/ceremony/identity.ts';
import { requireKey } from '../../src/ceremony/key-store.ts';
import type { Port } from '../../src/ceremony/port.ts';
import { type DkgRequest, type PresignRequest, type SignRequest, startDkg, startPresign, startSign } from '../../src/ceremony/start.ts';
import { ulid } from '../../src/ceremony/ulid.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { encodePlanFile } from '../../src/plan/plan-file.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { type Intent, makeIntent } from '../../src/policy/intent.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { REHEARSAL } from '../../src/vault/kdf.ts';
import { Secret } from '../../src/vault/secret.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { rememberingCrew } from './crew.ts';
import { FIXTURES, fixturePrimes } from './primes.ts';
import { Run } from './run.ts';

export type { Run } from './run.ts';

// these tests are about messages and not about the medium: syncing to a memory file system costs nothing
const MEMORY = '/dev/shm';
export const PASSPHRASE = 'plover-anvil-quartz-71';
export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const disk = realDisk();

/** One participant: home, unlocked identity, effects. */
export interface Party {
  readonly name: string;
  readonly home: Home;
  readonly identity: Identity;
  readonly port: Port;
}

/** Everything that is set up once a file: homes with unlocked identities, and snapshots of them. */
export class Table {
  readonly root: string;
  readonly parties = new Map<string, Party>();
  /** Clock of everybody. */
  clock = new Date('2026-03-01T12:00:00Z');
  #runs = 0;
  #sets = 0;

  private constructor(root: string) {
    this.root = root;
  }

  /** Makes the homes; the snapshot `fresh` holds them as they are now. */
  static async open(names: readonly string[]): Promise<Table> {
    const table = new Table(realpathSync(mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'mpc-table-'))));
    for (const name of names) await table.seat(name);
    table.save('fresh');
    return table;
  }

  /** Makes a home for one more participant. @param label folder of the home, if not the name */
  async seat(name: string, label = name): Promise<Party> {
    const root = join(this.root, 'homes', label);
    const secret = (): Secret => new Secret(utf8(PASSPHRASE));
    await createHome(disk, root, { name, mode: 'rehearsal' }, secret(), REHEARSAL, random);
    return this.unlock(label);
  }

  /** Opens a home under `homes/` (also a copied one) as a participant of its own. */
  async unlock(label: string): Promise<Party> {
    const home = openHome(disk, join(this.root, 'homes', label));
    const identity = await openIdentity(home, new Secret(utf8(PASSPHRASE)), random);
    const port: Port = {
      disk,
      now: () => this.clock,
      random,
      unlock: () => Promise.resolve(identity),
      ask: (id) => Promise.reject(new CeremonyError('E_PERSON', `nobody answers ${id}`)),
      crew: rememberingCrew,
      primes: () => Promise.resolve(fixturePrimes(this.#sets++ % FIXTURES)),
      say: () => undefined,
    };
    const party = { name: home.facts.name, home, identity, port };
    this.parties.set(label, party);
    return party;
  }

  party(label: string): Party {
    const party = this.parties.get(label);
    if (!party) throw new Error(`no home ${label}`);
    return party;
  }

  /** Copies all homes aside, as they are. */
  save(label: string): void {
    rmSync(join(this.root, 'saved', label), { recursive: true, force: true });
    cpSync(join(this.root, 'homes'), join(this.root, 'saved', label), { recursive: true });
  }

  /** Puts the saved homes back, all of them or one; folders stay. */
  restore(label: string, only?: string): void {
    const at = only ?? '';
    rmSync(join(this.root, 'homes', at), { recursive: true, force: true });
    cpSync(join(this.root, 'saved', label, at), join(this.root, 'homes', at), { recursive: true });
  }

  /** A second copy of a home, opened beside the first. */
  async copyHome(label: string, copy: string): Promise<Party> {
    cpSync(join(this.root, 'homes', label), join(this.root, 'homes', copy), { recursive: true });
    return this.unlock(copy);
  }

  renew(label: string): void {
    const { home, identity } = this.party(label);
    renewCard(home, identity, random, this.clock);
  }

  /** A key generation that its first participant leads and has begun; the folder has been carried to everybody. */
  async dkg(request: Partial<DkgRequest> & { quorum: string; honest: readonly string[]; cheats?: readonly string[]; lead?: string }): Promise<Run> {
    const { honest, cheats = [], lead = honest[0] as string, ...rest } = request;
    const run = new Run(this, this.#freshFolder(), honest, cheats);
    const cards = join(this.root, 'runs', run.id, 'cards');
    mkdirSync(cards, { recursive: true });
    for (const [label, p] of this.parties) cpSync(join(p.home.root, 'identity', `${p.name}.card`), join(cards, `${label}.card`));
    const party = this.party(lead);
    await run.act(lead, () =>
      startDkg(party.home, { name: 'treasury', scheme: 'frost-ed25519', stock: 0, attended: false, days: 30, cards, out: run.folder(lead), ...rest }, party.port),
    );
    return run.begun(lead);
  }

  /** A signing that its first signer leads and has begun; the folder has been carried to everybody. */
  async sign(request: Partial<SignRequest> & { honest: readonly string[]; cheats?: readonly string[]; lead?: string; message?: string; intent?: Partial<Intent>; by?: string }): Promise<Run> {
    const { honest, cheats = [], lead = honest[0] as string, message, intent, by, ...rest } = request;
    const run = new Run(this, this.#freshFolder(), honest, cheats);
    const intentFile = join(this.root, 'runs', run.id, 'pay.json');
    mkdirSync(dirname(intentFile), { recursive: true });
    if (rest.intentFile === undefined) writeFileSync(intentFile, this.intent(by ?? lead, message ?? 'pay 5 to the baker', intent));
    const party = this.party(lead);
    await run.act(lead, () =>
      startSign(party.home, { intentFile, signers: [...honest, ...cheats], live: false, attended: false, out: run.folder(lead), ...rest }, party.port),
    );
    return run.begun(lead);
  }

  /** A presigning that its first signer leads and has begun; the folder has been carried to everybody. */
  async presign(request: Partial<PresignRequest> & { honest: readonly string[]; cheats?: readonly string[]; lead?: string }): Promise<Run> {
    const { honest, cheats = [], lead = honest[0] as string, ...rest } = request;
    const run = new Run(this, this.#freshFolder(), honest, cheats);
    const party = this.party(lead);
    await run.act(lead, () =>
      startPresign(party.home, { key: 'treasury', count: 1, signers: [...honest, ...cheats], attended: false, days: 30, out: run.folder(lead), ...rest }, party.port),
    );
    return run.begun(lead);
  }

  /** A ceremony whose plan the test made itself: nobody has begun anything, the folder lies with everybody. */
  async plant(plan: Plan, honest: readonly string[], files: Readonly<Record<string, Uint8Array>> = {}): Promise<Run> {
    const run = new Run(this, this.#freshFolder(), honest, []);
    for (const name of honest) {
      run.write(name, 'PLAN.yaml', await encodePlanFile(plan));
      for (const [path, bytes] of Object.entries(files)) run.write(name, path, bytes);
    }
    run.plan = plan;
    return run;
  }

  /** The file of an intent to sign a message with the key `treasury`, signed by `by`. */
  intent(by: string, message: string, over: Partial<Intent> = {}): Uint8Array {
    const { home, identity } = this.party(by);
    const { epoch } = requireKey(home, 'treasury');
    const bytes = utf8(message);
    return makeIntent(
      {
        v: 1,
        type: 'mpc-ceremony/intent',
        id: ulid(this.clock, random),
        mode: 'rehearsal',
        keyName: epoch.key.name,
        keyId: epoch.key.id,
        keyEpoch: epoch.number,
        algorithm: epoch.key.scheme,
        action: 'message',
        payload: { kind: 'message', ...(SCHEMES[epoch.key.scheme].protocol === 'cggmp24' ? { hash: 'sha256' as const } : {}), size: bytes.length, sha256: toHex(sha256(bytes)), bytes: `0x${toHex(bytes)}` },
        initiator: { name: by, identity: toHex(identity.signer.publicKey) },
        created: utc(this.clock),
        expires: utc(new Date(this.clock.getTime() + 86_400_000)),
        singleUse: true,
        ...over,
      },
      identity.signer,
    );
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #freshFolder(): string {
    return String((this.#runs += 1));
  }
}
