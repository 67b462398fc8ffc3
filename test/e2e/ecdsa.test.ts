/**
 * The pinned session with threshold ECDSA, in production: real primes, made ahead by one participant and on the day by
 * the other. Everything is driven and judged by JSON and exit codes; signatures are verified with software that is not ours.
 *
 * After every command the homes are opened in this process; everything secret that ever lay in them is in the end looked
 * for in every file of every home and folder and in all that was printed.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HDKey } from '@scure/bip32';
import { computeAddress, hexlify, keccak256, recoverAddress, Signature } from 'ethers';
import * as secp from 'tiny-secp256k1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHome } from '../../src/ceremony/home.ts';
import { type Identity, openIdentity } from '../../src/ceremony/identity.ts';
import { preparedPrimes } from '../../src/ceremony/primes.ts';
import { group } from '../../src/curves/group.ts';
import { encodeAuxSecret } from '../../src/ecdsa/make-aux.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { decodePolynomials, subShares } from '../../src/sharing/deal.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { fixturePrimes } from '../support/primes.ts';
import { ScriptRunner } from '../transcript/script-runner.ts';
import { Scanner } from './scanner.ts';
import { expectStep, files, type Json, type Member, must, PASSPHRASE, printed, type Ran, rehearsedPrimes, type RunOptions, World } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const QUORUM = 'all-of(alice,bob)';
const g = group('secp256k1');
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Making primes takes long on a busy machine. */
const LONG: RunOptions = { seconds: 400 };

const identities = new Map<string, Identity>();
/** A home opened in this process; the passphrase is turned into a key once. */
async function opened(m: Member): Promise<Identity> {
  const known = identities.get(m.home) ?? (await openIdentity(openHome(realDisk(), m.home), new Secret(Buffer.from(PASSPHRASE)), (n) => new Uint8Array(randomBytes(n))));
  identities.set(m.home, known);
  return known;
}
/** All files below a folder, hidden ones too. */
const everything = (dir: string): string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((f) => join(dir, f)).filter((f) => statSync(f).isFile());
const json = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;

/** Every secret that was ever seen, by a name that says what it is. */
class Secrets {
  readonly all = new Map<string, Uint8Array>([['passphrase', Buffer.from(PASSPHRASE)]]);
  readonly polynomials = new Map<string, Uint8Array>();
  readonly shares = new Map<string, Uint8Array>();
  /** Halves k̃ ‖ χ̃ by owner. */
  readonly halves = new Map<string, Uint8Array[]>();

  /** Takes up parts of these lengths, the rest in scalars. */
  #take(name: string, bytes: Uint8Array, lengths: readonly number[] = []): void {
    for (let at = 0, i = 0; at < bytes.length; i += 1) {
      const length = lengths[i] ?? 32;
      this.all.set(`${name}[${String(i)}]`, bytes.slice(at, at + length));
      at += length;
    }
  }

  /** Opens every sealed file of a home and remembers what is in it. */
  async look(m: Member): Promise<void> {
    const { vault } = await opened(m);
    for (const file of everything(m.home).filter((f) => f.endsWith('.sealed') && !f.endsWith('identity.sealed'))) {
      const path = file.slice(m.home.length + 1);
      const bytes = vault.get(path) as Uint8Array;
      const name = `${m.name} ${path}`;
      if (/primes/.test(path)) this.#take(name, bytes, [192, 192, 192, 192]);
      else if (/-dkg-.*for-2/.test(path)) {
        // what stands before the polynomials is made public by the next message
        this.polynomials.set(m.name, bytes.slice(-64));
        this.#take(`${name} polynomial`, bytes.slice(-64));
      } else if (/for-[34]/.test(path)) {
        // k, γ, a, b, w, and of the two products with the only peer β, s and r; of each entry; then k and χ of each
        const entry = [32, 32, 32, 32, 32, 161, 384, 384, 161, 384, 384];
        this.#take(name, bytes, Array.from({ length: Math.floor(bytes.length / 2018) }, () => entry).flat());
      } else this.#take(name, bytes);
      if (path.endsWith('share.sealed')) this.shares.set(m.name, bytes);
      if (path.includes('presignatures/')) this.halves.set(m.name, [...(this.halves.get(m.name) ?? []), bytes]);
    }
  }

  /** Secrets that never lay in a file, from those that did. @returns the private key */
  derive(): bigint {
    const quorum = parseQuorum(QUORUM);
    for (const [name, poly] of this.polynomials)
      for (const [i, s] of subShares(decodePolynomials(g, quorum, 'dkg', poly), quorum).entries()) this.all.set(`${name} sub-share ${String(i)}`, g.encodeScalar(s));
    const weights = recombination(quorum, quorum.leaves, g.order);
    const key = quorum.leaves.reduce((sum, l) => sum + (weights.get(l.id) as bigint) * g.decodeScalar(this.shares.get(l.name) as Uint8Array), 0n) % g.order;
    this.all.set('private key', g.encodeScalar(key));
    for (const owner of ['alice', 'bob']) {
      const [p, q, pHat, qHat] = [0, 1, 2, 3].map((i) => BigInt(`0x${Buffer.from(this.all.get(`${owner} keys/treasury/epoch-1/primes.sealed[${String(i)}]`) as Uint8Array).toString('hex')}`)) as [bigint, bigint, bigint, bigint];
      // the upper half of φ is that of the modulus, which is public
      for (const [name, phi] of [['φ(N)', (p - 1n) * (q - 1n)], ['φ(N^)', (pHat - 1n) * (qHat - 1n)]] as const) this.all.set(`${owner} ${name}`, Buffer.from(phi.toString(16), 'hex').subarray(-190));
    }
    return key;
  }
}

describe('the pinned session of an ECDSA key, in production', { timeout: 600_000 }, () => {
  const secrets = new Secrets();
  let world: World;
  let alice: Member;
  let bob: Member;
  let script: ScriptRunner;
  let publicKey: Buffer;
  const COMPRESSED = /^0[23][0-9a-f]{64}$/;

  beforeAll(() => {
    script = new ScriptRunner();
    world = new World(3);
  });
  afterAll(() => {
    script.close();
  });

  const run = async (m: Member, args: readonly string[], options: RunOptions = {}): Promise<Ran> => {
    const ran = await m.run(args, options);
    await secrets.look(m);
    return ran;
  };
  /** A step that must do exactly this. */
  const step = async (m: Member, verb: string, folder: string, did: readonly string[], action: string, more: readonly string[] = [], options: RunOptions = {}): Promise<Ran> => {
    const at = verb === 'join' || verb === 'next' ? [verb, m.copy(folder)] : [verb, ...more, '--out', m.copy(folder), '--unattended'];
    const ran = await run(m, at, options);
    expect([ran.exit, ran.json.did, ran.json.nextAction?.code], ran.stdout).toEqual([0, did, action]);
    expectStep(ran, m, m.copy(folder), folder.replace(/-.*/, ''));
    return ran;
  };
  const carry = (folder: string, from: Member, to: Member): void => {
    for (const [a, b] of [[from, to], [to, from]] as const) if (existsSync(a.copy(folder))) cpSync(a.copy(folder), b.copy(folder), { recursive: true });
  };
  /** The stick goes to and fro; everybody does on each visit what can be done. */
  const pingPong = async (folder: string, begin: readonly string[], visits: readonly (readonly string[])[], options: RunOptions = {}): Promise<void> => {
    const last = visits.length - 1;
    for (const [i, did] of visits.entries()) {
      const [m, other] = i % 2 === 0 ? [alice, bob] : [bob, alice];
      const action = /^(?:certificate|presigned|signature)$/.test(did.at(-1) as string) ? 'DONE' : 'CARRY_OUT';
      if (i === 0) await step(m, begin[0] as string, folder, did, action, begin.slice(1), options);
      else await step(m, i === 1 ? 'join' : 'next', folder, did, action, [], options);
      if (i < last) carry(folder, m, other);
    }
    carry(folder, last % 2 === 0 ? alice : bob, last % 2 === 0 ? bob : alice);
  };
  const shown = async (m: Member): Promise<Json> => (await run(m, ['key', 'show', 'treasury'])).json;
  const intent = async (name: string, message: Uint8Array, ...more: string[]): Promise<string> => {
    const file = join(world.dir, `${name}.msg`);
    const out = join(world.dir, `${name}.json`);
    writeFileSync(file, message);
    expect((await run(alice, ['intent', 'create', '--key', 'treasury', '--action', 'message', '--file', file, '--out', out, ...more])).exit).toBe(0);
    return out;
  };

  it('init: one prepares its primes ahead, one does not', async () => {
    // hooks of rehearsals, which a production home must not obey: with these primes the ceremony would be refused
    const env = { ...rehearsedPrimes(world.dir, 0), MPC_CEREMONY_REHEARSE_CRASH: '1' };
    [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => world.join(name, true, env))) as [Member, Member];
    world.members.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const m of [alice, bob]) await secrets.look(m);
    const ran = await run(alice, ['init', '--prepare', 'cggmp24'], LONG);
    expect([ran.exit, ran.json], ran.stdout).toEqual([0, { schema: 'mpc-ceremony/prepared/1', participant: 'alice', home: alice.home, prepared: 1, exit: 0 }]);
    expect(ran.stderr).toMatch(/prime 1 of 4\n.*prime 4 of 4/s);
    expect([alice, bob].map((m) => preparedPrimes(openHome(realDisk(), m.home)).length)).toEqual([1, 0]);
  });

  it('dkg: four messages, the same key for both', async () => {
    await pingPong(
      'dkg-1',
      ['dkg', '--name', 'treasury', '--scheme', 'cggmp24-secp256k1', '--quorum', QUORUM, '--cards', world.cards],
      [['round1.sent'], ['round1.sent', 'round2.sent'], ['round2.sent', 'round3.sent'], ['round3.sent', 'round4.sent'], ['round4.sent', 'certificate'], ['certificate']],
      LONG,
    );
    for (const m of [alice, bob]) {
      for (const round of [1, 2, 3, 4]) expect(files(join(m.copy('dkg-1'), `round-${String(round)}`)).length).toBe(2);
      // a set of primes serves one key
      expect(preparedPrimes(openHome(realDisk(), m.home))).toEqual([]);
      expect(files(join(m.home, 'keys')).map((f) => f.slice(m.home.length)).sort()).toEqual(
        ['/keys/treasury/care.json', ...['certificate.json', 'pending.json', 'primes.sealed', 'share.sealed'].map((f) => `/keys/treasury/epoch-1/${f}`), '/keys/treasury/rank.json'],
      );
    }
    const facts = await shown(alice);
    // what is due, each home counts from its own activation
    expect({ ...(await shown(bob)), care: undefined }).toEqual({ ...facts, care: undefined });
    expect(facts).toMatchObject({ key: 'treasury', scheme: 'cggmp24-secp256k1', mode: 'production', epoch: 1, state: 'active', participants: ['alice', 'bob'], presignatures: [] });
    expect(facts['publicKey']).toMatch(COMPRESSED);
    publicKey = Buffer.from(String(facts['publicKey']), 'hex');
  });

  it('key export: PEM and JWK for OpenSSL, xpub for wallets', async () => {
    const exported = async (format: string): Promise<string> => {
      const { stdout } = await alice.say(['key', 'export', 'treasury', '--format', format]);
      expect((await bob.run(['key', 'export', 'treasury', '--format', format])).json['value']).toBe(format === 'pem' ? stdout : stdout.trimEnd());
      return stdout;
    };
    const key = createPublicKey(await exported('pem'));
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'secp256k1' });
    const jwk = key.export({ format: 'jwk' });
    expect(jwk.x && Buffer.from(jwk.x, 'base64url').toString('hex')).toBe(publicKey.subarray(1).toString('hex'));
    expect(JSON.parse(await exported('jwk'))).toEqual(jwk);
    expect(await exported('raw')).toBe(`${publicKey.toString('hex')}\n`);
    const hd = HDKey.fromExtendedKey((await exported('xpub')).trim());
    expect(Buffer.from(hd.publicKey as Uint8Array).equals(publicKey)).toBe(true);
  });

  it('presign: a stock of two in three messages', async () => {
    await pingPong(
      'presign-1',
      ['presign', '--key', 'treasury', '--count', '2', '--signers', 'alice,bob'],
      [['round1.sent'], ['round1.sent', 'round2.sent'], ['round2.sent', 'round3.sent'], ['round3.sent', 'presigned'], ['presigned']],
    );
    for (const m of [alice, bob]) {
      expect((await shown(m))['presignatures']).toEqual([{ signers: ['alice', 'bob'], path: 'm', count: 2 }]);
      expect(files(join(m.home, 'ceremonies')).filter((f) => f.endsWith('.sealed')), 'the secrets of the rounds are destroyed').toEqual([]);
    }
  });

  /** The signature of a folder, the same for both; its parts as they are published. */
  const signature = (folder: string): { der: Buffer; compact: Buffer; r: string; s: string; recoveryId: number } => {
    const der = readFileSync(join(alice.copy(folder), 'signature.bin'));
    expect(readFileSync(join(bob.copy(folder), 'signature.bin')).equals(der)).toBe(true);
    const about = json(join(alice.copy(folder), 'signature.json'));
    expect(json(join(bob.copy(folder), 'signature.json'))).toEqual(about);
    expect(about).toMatchObject({ signature: der.toString('hex'), publicKey: publicKey.toString('hex'), compact: `${String(about['r'])}${String(about['s'])}` });
    return { der, compact: Buffer.from(String(about['compact']), 'hex'), r: String(about['r']), s: String(about['s']), recoveryId: Number(about['recoveryId']) };
  };
  /** OpenSSL on a digest, as a stranger calls it. */
  const openssl = (digest: Uint8Array, der: Uint8Array): boolean => {
    const at = (name: string, bytes: Uint8Array | string): string => (writeFileSync(join(world.dir, name), bytes), join(world.dir, name));
    const pem = at('key.pem', createPublicKey({ key: Buffer.concat([Buffer.from('3036301006072a8648ce3d020106052b8104000a032200', 'hex'), publicKey]), format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' }));
    try {
      return execFileSync('openssl', ['pkeyutl', '-verify', '-pubin', '-inkey', pem, '-in', at('digest', digest), '-sigfile', at('signature', der)]).toString().includes('Verified Successfully');
    } catch {
      return false;
    }
  };
  const expectSigned = (folder: string, digest: Uint8Array): void => {
    const { der, compact, r, s, recoveryId } = signature(folder);
    for (const [d, good] of [[digest, true], [sha256(digest), false]] as const) {
      expect(openssl(d, der)).toBe(good);
      expect(secp.verify(d, publicKey, compact, true)).toBe(good);
      expect(recoverAddress(hexlify(d), Signature.from({ r: `0x${r}`, s: `0x${s}`, v: 27 + recoveryId })) === computeAddress(hexlify(publicKey))).toBe(good);
    }
    expect(Buffer.from(secp.recover(digest, compact, recoveryId as 0 | 1, true) as Uint8Array).equals(publicKey)).toBe(true);
  };
  const SHARE = ['round4.sent', 'signature'];

  it('sign from stock, for Ethereum: one message and one visit of the second signer', async () => {
    const message = Buffer.from('pay 5 ether to the baker');
    await pingPong('sign-1', ['sign', '--intent', await intent('sign-1', message, '--hash', 'keccak256'), '--signers', 'alice,bob'], [['round4.sent'], SHARE, ['signature']]);
    for (const m of [alice, bob]) expect(files(m.copy('sign-1')).filter((f) => f.endsWith('.blob')).map((f) => f.slice(m.copy('sign-1').length))).toEqual(['/round-4/alice.blob', '/round-4/bob.blob']);
    expectSigned('sign-1', Buffer.from(keccak256(message).slice(2), 'hex'));
    for (const m of [alice, bob]) expect((await shown(m))['presignatures']).toEqual([{ signers: ['alice', 'bob'], path: 'm', count: 1 }]);
  });

  it('sign live: four messages, the stock stays; the key is the same', async () => {
    const message = Buffer.from('pay 6 coins to the baker');
    await pingPong(
      'sign-2',
      ['sign', '--live', '--intent', await intent('sign-2', message), '--signers', 'alice,bob'],
      [['round1.sent'], ['round1.sent', 'round2.sent'], ['round2.sent', 'round3.sent'], ['round3.sent', 'round4.sent'], SHARE, ['signature']],
    );
    expectSigned('sign-2', sha256(message));
    expect(verify('sha256', message, createPublicKey((await alice.say(['key', 'export', 'treasury'])).stdout), signature('sign-2').der)).toBe(true);
    for (const m of [alice, bob]) expect((await shown(m))['presignatures']).toEqual([{ signers: ['alice', 'bob'], path: 'm', count: 1 }]);
    expect(signature('sign-1').r).not.toBe(signature('sign-2').r);
  });

  const FOLDERS = ['dkg-1', 'presign-1', 'sign-1', 'sign-2'];

  it.runIf(ALL_TESTS)('transcript verify and VERIFY.txt of every folder: ok', async () => {
    // DONE, every time; and the longest transcripts are put in place
    for (const folder of FOLDERS)
      for (const m of [alice, bob]) {
        const ran = await m.run(['next', m.copy(folder)]);
        expect([ran.exit, ran.json.nextAction?.code, ran.json.did], ran.stdout).toEqual([0, 'DONE', []]);
      }
    await Promise.all(
      FOLDERS.map(async (folder) => {
        const ran = await bob.run(['transcript', 'verify', bob.copy(folder)]);
        expect([folder, ran.exit, ran.json['verdict']], ran.stdout).toEqual([folder, 0, 'ok']);
      }),
    );
    for (const folder of FOLDERS) {
      const { exit, wrong, missing, lines } = await script.run(new Map(files(bob.copy(folder)).map((f) => [f.slice(bob.copy(folder).length + 1), readFileSync(f)])));
      expect([folder, exit, wrong, missing, lines.at(-1)]).toEqual([folder, 0, [], [], 'VERIFIED']);
    }
  });

  it('no secret lies in a file outside the vaults, nor was any printed', () => {
    const key = secrets.derive();
    expect(Buffer.from(g.encodePoint(g.multiply(g.base, key))).equals(publicKey), 'we hold the right secrets').toBe(true);
    expect([...secrets.halves].map(([name, halves]) => [name, new Set(halves.map((h) => Buffer.from(h).toString('hex'))).size]).sort()).toEqual([['alice', 2], ['bob', 2]]);
    const kinds = [...secrets.all.keys()];
    for (const [kind, least] of [
      [/^passphrase$/, 1],
      [/identity\/primes\/.*\[3\]/, 1],
      [/-dkg-.*secret\/primes\.sealed\[3\]/, 2],
      [/epoch-1\/primes\.sealed/, 8],
      [/share\.sealed/, 2],
      [/polynomial\[1\]/, 1],
      [/presignatures\/[0-9a-f]+\.sealed\[1\]/, 4],
      [/-presign-.*for-2\.sealed\[3\]/, 1],
      [/-presign-.*for-3\.sealed\[21\]/, 1],
      [/-presign-.*for-4\.sealed\[25\]/, 1],
      [/-sign-.*for-2\.sealed\[3\]/, 1],
      [/-sign-.*for-3\.sealed\[10\]/, 1],
      [/-sign-.*for-4\.sealed\[12\]/, 1],
      [/φ/, 4],
    ] as const)
      expect(kinds.filter((k) => kind.test(k)).length, `${String(kind)} in ${kinds.join('\n')}`).toBeGreaterThanOrEqual(least);

    const scanner = new Scanner(secrets.all);
    // the file that the passphrase comes from, and the test primes that nobody used
    const looked = everything(world.dir).filter((f) => f !== world.passphraseFile);
    const scan = (): string[] => looked.flatMap((f) => scanner.find(readFileSync(f)).map((name) => `${name} in ${f}`));
    expect(looked.length).toBeGreaterThan(150);
    expect(scan()).toEqual([]);
    expect(printed.length).toBeGreaterThan(ALL_TESTS ? 100 : 60);
    expect(scanner.find(Buffer.from(printed.join('\n')))).toEqual([]);
    // the scanner is not deaf
    const plant = join(alice.copy('sign-1'), 'planted');
    looked.push(plant);
    const planted = (name: string, form: (b: Buffer) => Buffer | string): void => {
      writeFileSync(plant, form(Buffer.from(secrets.all.get(name) as Uint8Array)));
      expect(scan()).toContain(`${name} in ${plant}`);
    };
    planted('alice keys/treasury/epoch-1/primes.sealed[2]', (b) => BigInt(`0x${b.toString('hex')}`).toString());
    planted('bob keys/treasury/epoch-1/primes.sealed[0]', (b) => b.toString('base64'));
    planted(kinds.find((k) => k.includes('presignatures/')) as string, (b) => b.toString('hex'));
    planted('private key', (b) => b.reverse());
    rmSync(plant);
  });

  it.runIf(ALL_TESTS)('primes that everybody knows are refused by everybody: E_FIXTURE names whoever brings them', async () => {
    // bob cheats: what lies in its vault as a prepared set is one of the tests; alice's are of two sets, whose products are nobody's
    const [one, other] = [fixturePrimes(1), fixturePrimes(2)];
    for (const [m, primes] of [[alice, { p: one.p, q: other.q, pHat: one.pHat, qHat: other.qHat }], [bob, fixturePrimes(3)]] as const) {
      const { vault } = await opened(m);
      realDisk().makeDir(join(m.home, 'identity/primes'));
      vault.put('identity/primes/0123456789abcdef.sealed', encodeAuxSecret(primes));
    }
    must(await alice.run(['dkg', '--name', 'k', '--scheme', 'cggmp24-secp256k1', '--quorum', QUORUM, '--cards', world.cards, '--out', alice.copy('k'), '--unattended']));
    carry('k', alice, bob);
    must(await bob.run(['join', bob.copy('k')]));
    carry('k', bob, alice);
    const refused = async (m: Member): Promise<void> => {
      const ran = await m.run(['next', m.copy('k')]);
      expect([m.name, ran.exit, ran.json.error?.code, ran.json.error?.participant], ran.stdout).toEqual([m.name, 21, 'E_FIXTURE', 'bob']);
      expect((await m.run(['key', 'show', 'k'])).json.error?.code).toBe('E_UNKNOWN_KEY');
      expect(files(m.home).filter((f) => /\/(?:keys\/k|ceremonies\/k-dkg[^/]*\/secret|identity\/primes)\/.*sealed$/.test(f)), 'nothing of it is kept').toEqual([]);
    };
    await refused(alice);
    // bob's own program says the same of its own message, before it has seen what alice found
    cpSync(join(alice.copy('k'), 'round-2/alice.blob'), join(bob.copy('k'), 'round-2/alice.blob'));
    await refused(bob);
    carry('k', bob, alice);
    const verdict = await bob.run(['transcript', 'verify', bob.copy('k')]);
    expect([verdict.exit, verdict.json['verdict']], verdict.stdout).toEqual([21, 'wrong']);
    expect((verdict.json['checks'] as { culprit?: string; code?: string }[]).filter((c) => c.culprit !== undefined).map((c) => [c.culprit, c.code])).toContainEqual(['bob', 'E_FIXTURE']);
  });
});
