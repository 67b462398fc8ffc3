/**
 * A key as its holders keep it through the years: homes, ceremonies that give it on, and what must stay true of it after
 * each. Signatures are verified with software that is not ours; the shares themselves are read in this process, where the
 * homes are opened as their owners would.
 */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { HDKey } from '@scure/bip32';
import * as secp from 'tiny-secp256k1';
import { expect } from 'vitest';
import { openHome } from '../../src/ceremony/home.ts';
import { type Identity, openIdentity } from '../../src/ceremony/identity.ts';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type SchemeName } from '../../src/curves/scheme.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { select } from '../../src/sharing/quorum.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { FOREIGN, sodium } from '../schnorr/foreign.ts';
import { files, type Json, type Member, must, PASSPHRASE, type Ran, World } from './support.ts';

/** Steps of one participant in one ceremony, in order. */
export type Steps = readonly Ran[];

/** Messages that a participant sent, and steps in which it got on: a step without input or effect is no visit. */
export function counted(steps: Steps): { out: number; visits: number } {
  const did = steps.map((ran) => ran.json.did ?? []);
  return { out: did.flat().filter((d) => /^round\d+\.sent$/.test(d)).length, visits: did.filter((d) => d.length > 0).length };
}

/** All subsets of some names. */
const subsets = (names: readonly string[]): string[][] => names.reduce<string[][]>((all, n) => [...all, ...all.map((s) => [...s, n])], [[]]);

/** The minimal quorums of an expression, as names. */
export function minimalQuorums(text: string): string[][] {
  const quorum = parseQuorum(text);
  const all = subsets(quorum.leaves.map((l) => l.name)).flatMap((s) => select(quorum, new Set(s))?.map((l) => l.name).join() ?? []);
  return [...new Set(all)].map((s) => s.split(','));
}

/** A secret scalar and the leaf that it belongs to. */
export type Shares = ReadonlyMap<string, bigint>;

/** One key in a world of its own. */
export class Life {
  readonly world: World;
  readonly scheme: SchemeName;
  readonly key = 'treasury';
  /** As `key show` gave it at birth: hex. */
  publicKey = '';
  #signed = 0;
  readonly #identities = new Map<string, Promise<Identity>>();

  constructor(world: World, scheme: SchemeName) {
    this.world = world;
    this.scheme = scheme;
  }

  /** Homes for all of `names`; those of the quorum make the key. */
  static async born(scheme: SchemeName, quorum: string, names: readonly string[], options: { readonly stock?: number } = {}): Promise<Life> {
    await sodium.ready;
    const ecdsa = SCHEMES[scheme].protocol === 'cggmp24';
    const world = await World.of(names, { seed: names.length, primes: ecdsa });
    const life = new Life(world, scheme);
    const members = parseQuorum(quorum).leaves.map((l) => l.name);
    await world.dkg(life.key, quorum, { scheme, members: names.filter((n) => members.includes(n)).map((n) => world.member(n)), folder: 'dkg', ...options });
    life.publicKey = String((await life.shown(members[0] as string))['publicKey']);
    return life;
  }

  member(name: string): Member {
    return this.world.member(name);
  }

  async shown(name: string): Promise<Json> {
    const ran = await this.member(name).run(['key', 'show', this.key]);
    expect(ran.exit, ran.stdout).toBe(0);
    return ran.json;
  }

  /** Begins a ceremony; the courier brings it to the others, who join. @param more.early the plan travels ahead of the lead's first message */
  async begin(folder: string, args: readonly string[], names: readonly string[], more: { readonly early?: boolean } = {}): Promise<Map<string, Ran[]>> {
    const [lead, ...others] = names.map((n) => this.member(n)) as [Member, ...Member[]];
    const began = must(await lead.run([...args, '--out', lead.copy(folder), '--unattended']));
    const steps = new Map([[lead.name, [began]]]);
    this.world.courier(folder, [lead, ...others]);
    if (more.early === true) for (const m of others) rmSync(join(m.copy(folder), 'round-1'), { recursive: true });
    await Promise.all(others.map(async (m) => steps.set(m.name, [must(await m.run(['join', m.copy(folder)]))])));
    return steps;
  }

  /** Courier and `next` of everybody who is not done, until all are; another `next` changes nothing. */
  async end(folder: string, steps: Map<string, Ran[]>): Promise<Map<string, Ran[]>> {
    const members = [...steps.keys()].map((n) => this.member(n));
    for (let round = 0; round < 8; round++) {
      this.world.courier(folder, members);
      const open = members.filter((m) => steps.get(m.name)?.at(-1)?.json.nextAction?.code !== 'DONE');
      if (open.length === 0) break;
      await Promise.all(open.map(async (m) => steps.get(m.name)?.push(must(await m.run(['next', m.copy(folder)])))));
    }
    this.world.courier(folder, members);
    for (const [name, ran] of steps) expect([name, ran.at(-1)?.json.nextAction?.code], ran.at(-1)?.stdout).toEqual([name, 'DONE']);
    return steps;
  }

  async run(folder: string, args: readonly string[], names: readonly string[]): Promise<Map<string, Ran[]>> {
    return this.end(folder, await this.begin(folder, args, names));
  }

  /** A whole refresh; the first named leads. */
  refresh(folder: string, names: readonly string[], ...more: string[]): Promise<Map<string, Ran[]>> {
    return this.run(folder, ['refresh', '--key', this.key, ...more], names);
  }

  /** A whole reshare by all with a seat; the first named leads. */
  reshare(folder: string, names: readonly string[], ...more: string[]): Promise<Map<string, Ran[]>> {
    return this.run(folder, ['reshare', '--key', this.key, '--cards', this.world.cards, ...more], names);
  }

  /** All of them show this epoch of the unchanged key, in the same words. */
  async inForce(epoch: number, quorum: string, names: readonly string[]): Promise<void> {
    const shown = await Promise.all(names.map((n) => this.shown(n)));
    for (const facts of shown) expect({ ...facts, care: 0, overdue: 0, warnings: 0 }).toEqual({ ...shown[0], care: 0, overdue: 0, warnings: 0 });
    expect(shown[0]).toMatchObject({ epoch, publicKey: this.publicKey, scheme: this.scheme, state: 'active', quorum: parseQuorum(quorum).text, participants: parseQuorum(quorum).leaves.map((l) => l.name), pending: [] });
  }

  /** These sign, and strangers to our code verify it under the key that was born. @returns the steps */
  async signs(names: readonly string[], path?: string): Promise<Map<string, Ran[]>> {
    const folder = `sign-${String((this.#signed += 1))}`;
    const message = createHash('sha256').update(folder).digest();
    const signers = names.map((n) => this.member(n));
    const began = await this.world.sign(this.key, signers, folder, message, path);
    const steps = await this.end(folder, new Map(names.map((n, i) => [n, [began[i] as Ran]])));
    const signatures = signers.map((m) => readFileSync(join(m.copy(folder), 'signature.bin')));
    expect(new Set(signatures.map((s) => s.toString('hex'))).size).toBe(1);
    const key = path === undefined ? this.publicKey : await this.child(names[0] as string, path);
    expect((JSON.parse(readFileSync(join((signers[0] as Member).copy(folder), 'signature.json'), 'utf8')) as Json)['publicKey']).toBe(key);
    for (const [m, good] of [[message, true], [createHash('sha256').update('another').digest(), false]] as const) expect(this.#verifies(key, m, signatures[0] as Buffer), `${folder} of ${names.join()}`).toBe(good);
    return steps;
  }

  #verifies(key: string, message: Uint8Array, signature: Uint8Array): boolean {
    const { scheme } = this;
    if (scheme !== 'cggmp24-secp256k1' && scheme !== 'cggmp24-p256') return FOREIGN[scheme](Buffer.from(key, 'hex'), message, signature);
    const curve = scheme === 'cggmp24-secp256k1' ? '3036301006072a8648ce3d020106052b8104000a032200' : '3039301306072a8648ce3d020106082a8648ce3d030107032200';
    return verify('sha256', message, createPublicKey({ key: Buffer.concat([Buffer.from(curve, 'hex'), Buffer.from(key, 'hex')]), format: 'der', type: 'spki' }), signature);
  }

  /** The public key of a path, by another implementation of BIP-32 and libsecp256k1: hex. */
  async child(name: string, path: string): Promise<string> {
    const { stdout } = await this.member(name).say(['key', 'export', this.key, '--format', 'xpub']);
    const child = HDKey.fromExtendedKey(stdout.trim()).derive(path).publicKey as Uint8Array;
    if (this.scheme !== 'frost-secp256k1-tr') return Buffer.from(child).toString('hex');
    const tag = createHash('sha256').update('TapTweak').digest();
    const tweak = createHash('sha256').update(tag).update(tag).update(child.subarray(1)).digest();
    return Buffer.from((secp.xOnlyPointAddTweak(child.subarray(1), tweak) as { xOnlyPubkey: Uint8Array }).xOnlyPubkey).toString('hex');
  }

  /** A signing that must not begin: nothing is written. */
  async refuses(names: readonly string[], code: string): Promise<void> {
    const [lead] = names.map((n) => this.member(n)) as [Member];
    const out = lead.copy('refused');
    mkdirSync(join(out, '..'), { recursive: true });
    const intent = join(this.world.dir, `refused-${names.join('-')}.json`);
    if (!existsSync(intent)) must(await lead.run(['intent', 'create', '--key', this.key, '--action', 'message', '--file', this.world.passphraseFile, '--out', intent]));
    const ran = await lead.run(['sign', '--intent', intent, '--signers', names.join(), '--out', out, '--unattended']);
    expect([names, ran.exit, ran.json.error?.code], ran.stdout).toEqual([names, 20, code]);
    expect(existsSync(out)).toBe(false);
  }

  /** The shares of an epoch that lie in these homes: secret. */
  async shares(epoch: number, names: readonly string[]): Promise<Shares> {
    const g = group(SCHEMES[this.scheme].group);
    const found = await Promise.all(
      names.map(async (n) => {
        const { home } = this.member(n);
        const opened = this.#identities.get(home) ?? openIdentity(openHome(realDisk(), home), new Secret(Buffer.from(PASSPHRASE)), (k) => new Uint8Array(randomBytes(k)));
        this.#identities.set(home, opened);
        const bytes = (await opened).vault.get(`keys/${this.key}/epoch-${String(epoch)}/share.sealed`);
        return bytes ? [[n, g.decodeScalar(bytes)] as const] : [];
      }),
    );
    return new Map(found.flat());
  }

  /** Interpolates with the weights of a quorum; undefined where these are not all there or no quorum. */
  secretOf(quorumText: string, shares: Shares, names: readonly string[]): bigint | undefined {
    const quorum = parseQuorum(quorumText);
    const leaves = select(quorum, new Set(names));
    if (!leaves) return undefined;
    const { order } = group(SCHEMES[this.scheme].group);
    const weights = recombination(quorum, leaves, order);
    return leaves.reduce((sum, l) => sum + (weights.get(l.id) as bigint) * (shares.get(l.name) as bigint), 0n) % order;
  }

  /** The shares of an epoch give the private key by every minimal quorum. @returns the shares and the key, for what comes later */
  async wholeBy(epoch: number, quorum: string): Promise<{ shares: Shares; secret: bigint }> {
    const shares = await this.shares(epoch, parseQuorum(quorum).leaves.map((l) => l.name));
    const found = new Set(minimalQuorums(quorum).map((names) => this.secretOf(quorum, shares, names)));
    expect(found.size).toBe(1);
    const [secret] = found as unknown as [bigint];
    const g = group(SCHEMES[this.scheme].group);
    const point = Buffer.from(g.encodePoint(g.multiply(g.base, secret))).toString('hex');
    if (this.scheme === 'frost-secp256k1-tr') expect((await this.shown(parseQuorum(quorum).leaves[0]?.name as string))['internalKey']).toBe(point.slice(2));
    else expect(point).toBe(this.publicKey);
    return { shares, secret };
  }

  /** What of an epoch and of everything below it lies sealed in a home. */
  sealed(name: string, epoch: number): string[] {
    const { home } = this.member(name);
    return files(join(home, 'keys', this.key))
      .map((f) => relative(join(home, 'keys', this.key), f))
      .filter((f) => f.endsWith('.sealed') && Number(/^epoch-(\d+)\//.exec(f)?.[1]) <= epoch);
  }

  /** Brings a folder from one participant to another. */
  carry(folder: string, from: string, to: string): void {
    cpSync(this.member(from).copy(folder), this.member(to).copy(folder), { recursive: true });
  }
}

/** The statement of destruction of a participant in a copy of a folder. */
export function statement(m: Member, folder: string, owner: string): Json | undefined {
  const file = join(m.copy(folder), 'destroyed', `${owner}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Json) : undefined;
}

/** The record is good to somebody who has nothing but the folder. */
export async function expectGoodRecord(m: Member, folder: string): Promise<void> {
  const { exit, json } = await m.run(['transcript', 'verify', m.copy(folder)]);
  expect([folder, exit, json['verdict']], JSON.stringify(json['checks'] ?? json)).toEqual([folder, 0, 'ok']);
}

/** What a command prints for people: within 80 columns, and nothing that only a program would say. */
export async function screen(m: Member, ...args: string[]): Promise<string> {
  const ran = must(await m.say(args));
  const text = (ran.stdout + ran.stderr).replaceAll(m.world.dir, 'DIR');
  expect(text.split('\n').filter((line) => [...line].length > 80), args.join(' ')).toEqual([]);
  expect(text).not.toMatch(/undefined|\[object|NaN/);
  return text;
}
