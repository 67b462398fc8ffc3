/**
 * Where secrets must not be. A key generation with a stock, signing live and from stock, an abort, wrong
 * passphrases and a damaged message; the vaults are opened in this process after every command, and everything secret that
 * ever lay in them is then looked for in every file of every home and folder and in all that was printed.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { group } from '../../src/curves/group.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { decodePolynomials, subShares } from '../../src/sharing/deal.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { open, parseSealed, subkey } from '../../src/vault/container.ts';
import { deriveKey } from '../../src/vault/kdf.ts';
import { Secret } from '../../src/vault/secret.ts';
import { loadSodium } from '../../src/wire/sodium.ts';
import { invoke, Member, must, PASSPHRASE, printed, type Ran, World } from './support.ts';
import { Scanner } from './scanner.ts';

const SCHEME = 'frost-ed25519';
const QUORUM = 'all-of(alice,bob)';
const WRONG = 'walnut-ferry-gravel-09';

const sodium = await loadSodium();
const secrets = new Map<string, Uint8Array>();
const masters = new Map<string, Secret>();
const polynomials = new Map<string, Uint8Array>();
const shares = new Map<string, Uint8Array>();

const take = (name: string, bytes: Uint8Array): void => {
  // every 32 bytes by themselves: scalars lie side by side
  for (let i = 0; i < bytes.length; i += 32) secrets.set(bytes.length > 32 ? `${name}[${String(i / 32)}]` : name, bytes.slice(i, i + 32));
};

/** All files below a folder, hidden ones too. */
function everything(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((f) => join(dir, f))
    .filter((f) => statSync(f).isFile());
}

/** Opens every sealed file of a home and remembers what is in it. */
function look(m: Member): void {
  const identity = join(m.home, 'identity', 'identity.sealed');
  let master = masters.get(m.name);
  if (!master) {
    const sealed = parseSealed(readFileSync(identity), 'identity/identity.sealed', identity);
    if (!sealed.kdf) throw new Error('no key derivation');
    const key = deriveKey(sodium, new Secret(Buffer.from(PASSPHRASE)), sealed.kdf.salt, sealed.kdf);
    const contents = open(sodium, key, sealed);
    expect(contents.length).toBe(96);
    key.use((k) => { take(`${m.name} key of the passphrase`, k.slice()); });
    take(`${m.name} master key, identity seed, relay secret`, contents);
    master = new Secret(contents.slice(0, 32));
    masters.set(m.name, master);
  }
  for (const file of everything(m.home).filter((f) => f.endsWith('.sealed') && f !== identity)) {
    const path = file.slice(m.home.length + 1);
    const bytes = open(sodium, subkey(master, `file/${path}`), parseSealed(readFileSync(file), path, file));
    if (/ceremonies\/k-dkg.*for-2/.test(path) || /ceremonies\/gone-dkg.*for-2/.test(path)) {
      // salt, chain part, tree and proof are made public by the next message; the polynomials follow them
      const poly = bytes.slice(64 + 2 * 32 + 64 + 4);
      expect(poly.length).toBe(64);
      if (path.includes('/k-dkg')) polynomials.set(m.name, poly);
      take(`${m.name} ${path} polynomial`, poly);
    } else {
      if (path.endsWith('share.sealed')) shares.set(m.name, bytes);
      take(`${m.name} ${path}`, bytes);
    }
  }
}

describe('a canary for every secret', () => {
  it('sings nowhere', { timeout: 240_000 }, async () => {
    const world = await World.of(['alice', 'bob']);
    const [alice, bob] = world.members as [Member, Member];
    const wrong = join(world.dir, 'wrong-pw');
    writeFileSync(wrong, `${WRONG}\n`, { mode: 0o600 });
    for (const text of [PASSPHRASE, WRONG]) secrets.set(`passphrase ${text}`, Buffer.from(text));
    const run = async (m: Member, ...args: string[]): Promise<Ran> => {
      const ran = await m.run(args);
      look(m);
      return ran;
    };
    /** Only what the lead wrote goes to the other, so that no command does two rounds at once and hides a secret from us. */
    const planTo = (folder: string): void => {
      for (const sub of ['', 'cards', 'base']) {
        mkdirSync(join(bob.copy(folder), sub), { recursive: true });
        const from = join(alice.copy(folder), sub);
        for (const f of existing(from)) copyFileSync(join(from, f), join(bob.copy(folder), sub, f));
      }
    };
    const existing = (dir: string): string[] => {
      try {
        return readdirSync(dir).filter((f) => statSync(join(dir, f)).isFile());
      } catch {
        return [];
      }
    };
    for (const m of [alice, bob]) look(m);

    // an attempt that is aborted, with wrong passphrases and a damaged message on the way
    must(await run(alice, 'dkg', '--name', 'gone', '--scheme', SCHEME, '--quorum', QUORUM, '--cards', world.cards, '--out', alice.copy('gone'), '--unattended'));
    planTo('gone');
    const refused = await invoke(['join', bob.copy('gone'), '--home', bob.home, '--passphrase-file', wrong, '--no-input', '--json']);
    expect(refused.exit).toBe(11);
    must(await run(bob, 'join', bob.copy('gone')));
    world.courier('gone');
    appendFileSync(join(bob.copy('gone'), 'round-1', 'alice.blob'), 'x');
    expect((await run(bob, 'next', bob.copy('gone'))).exit).toBe(21);
    expect((await run(bob, 'abort', bob.copy('gone'), '--reason', 'suspicion')).exit).toBe(30);
    world.courier('gone');
    expect((await run(alice, 'next', alice.copy('gone'))).exit).toBe(30);

    // the key, with a stock
    must(await run(alice, 'dkg', '--name', 'k', '--scheme', SCHEME, '--quorum', QUORUM, '--cards', world.cards, '--out', alice.copy('k'), '--unattended', '--stock', '1'));
    planTo('k');
    must(await run(bob, 'join', bob.copy('k')));
    for (let round = 0; round < 4; round++) {
      world.courier('k');
      for (const m of [alice, bob]) must(await run(m, 'next', m.copy('k')));
    }

    // signing from stock, then live
    for (const folder of ['s1', 's2']) {
      writeFileSync(join(world.dir, folder), `message ${folder}`);
      const intent = join(world.dir, `${folder}.json`);
      must(await run(alice, 'intent', 'create', '--key', 'k', '--action', 'message', '--file', join(world.dir, folder), '--out', intent));
      must(await run(alice, 'sign', '--intent', intent, '--signers', 'alice,bob', '--out', alice.copy(folder), '--unattended'));
      planTo(folder);
      must(await run(bob, 'join', bob.copy(folder)));
      for (let round = 0; round < 2; round++) {
        world.courier(folder);
        for (const m of [alice, bob]) must(await run(m, 'next', m.copy(folder)));
      }
      expect(statSync(join(bob.copy(folder), 'signature.bin')).size).toBe(64);
    }

    // what people look at, and what support gets
    for (const args of [['status'], ['status', alice.copy('k')], ['key', 'show', 'k'], ['key', 'export', 'k'], ['card', 'show'], ['next', alice.copy('k')], ['next', alice.copy('s2')], ['doctor', '--bundle', join(world.dir, 'bundle.json')]]) {
      await alice.say(args, { env: { NODE_DEBUG: 'mpc-ceremony' } });
      await alice.run(args);
    }
    must(await run(alice, 'card', 'renew'));

    // secrets that never lay in a file: sub-shares, and the key itself
    const quorum = parseQuorum(QUORUM);
    const g = group('ed25519');
    for (const [name, poly] of polynomials)
      for (const [i, s] of subShares(decodePolynomials(g, quorum, 'dkg', poly), quorum).entries()) secrets.set(`${name} sub-share ${String(i)}`, g.encodeScalar(s));
    const weights = recombination(quorum, quorum.leaves, g.order);
    const scalar = quorum.leaves.reduce((sum, l) => sum + (weights.get(l.id) as bigint) * g.decodeScalar(shares.get(l.name) as Uint8Array), 0n) % g.order;
    secrets.set('private key', g.encodeScalar(scalar));
    const publicKey = (await alice.run(['key', 'show', 'k'])).json['publicKey'];
    expect(Buffer.from(g.encodePoint(g.multiply(g.base, scalar))).toString('hex'), 'we hold the right secrets').toBe(publicKey);

    expect(polynomials.size).toBe(2);
    const kinds = [...secrets.keys()].map((n) => n.replace(/alice|bob/, '').replace(/[0-9a-f]{8}/, ''));
    for (const kind of [/master key, identity seed, relay secret\[2\]/, /prekeys\/4/, /prekeys\/5/, /k-dkg.*polynomial\[1\]/, /gone-dkg.*polynomial/, /share\.sealed/, /stock\/0\.sealed\[1\]/, /k-sign-1-.*for-2\.sealed\[1\]/, /sub-share/])
      expect(kinds.filter((k) => kind.test(k)).length, String(kind)).toBeGreaterThanOrEqual(1);

    const scanner = new Scanner(secrets);
    const allowed = [world.passphraseFile, wrong];
    const scan = (): string[] => everything(world.dir).filter((f) => !allowed.includes(f)).flatMap((f) => scanner.find(readFileSync(f)).map((name) => `${name} in ${f}`));
    expect(everything(world.dir).length).toBeGreaterThan(100);
    expect(scan()).toEqual([]);
    expect(printed.length).toBeGreaterThan(80);
    expect(scanner.find(Buffer.from(printed.join('\n')))).toEqual([]);

    // the scanner is not deaf: every form of every secret is found, wherever it stands
    const plant = join(alice.copy('k'), 'round-1', 'planted');
    for (const [name, bytes] of secrets) {
      const b = Buffer.from(bytes);
      const swapped = Buffer.from(b).reverse();
      const decimal = b.length > 8 ? [BigInt(`0x${b.toString('hex')}`).toString(), BigInt(`0x${swapped.toString('hex')}`).toString()] : [];
      const forms = [b, swapped, ...[b, swapped].flatMap((x) => [x.toString('hex'), x.toString('hex').toUpperCase(), ...[0, 1, 2].map((pad) => Buffer.concat([Buffer.alloc(pad, 0x41), x]).toString('base64')), x.toString('base64url')]), ...decimal, b.subarray(5, 13)];
      for (const form of forms) expect(scanner.find(Buffer.concat([Buffer.from('{"x":"'), Buffer.from(form), Buffer.from('"}')])), `${name} as ${String(form)}`).toContain(name);
    }
    writeFileSync(plant, createHash('sha512').update('noise').digest());
    expect(scan()).toEqual([]);
    writeFileSync(plant, Buffer.from(secrets.get('private key') as Uint8Array).toString('base64'));
    expect(scan()).toEqual([`private key in ${plant}`]);
    rmSync(plant);
  });
});
