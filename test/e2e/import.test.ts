/**
 * Taking in keys that existed elsewhere: shares of ZF FROST and of Lockness as these programs wrote them, and a private key
 * made by OpenSSL. The same public key signs afterwards, and says for ever that it was born whole.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HDKey } from '@scure/bip32';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import * as secp from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { files, type Json, type Member, must, World } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const VECTORS = join(import.meta.dirname, '../vectors/interop');
interface Zf {
  readonly keyPackages: readonly string[];
  readonly publicKeyPackage: string;
}
const vector = <T>(name: string): T => JSON.parse(readFileSync(join(VECTORS, name), 'utf8')) as T;
const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');
const MESSAGE = Buffer.from('the same address, other hands\n');

const ed25519 = (key: Buffer): ReturnType<typeof createPublicKey> => createPublicKey({ key: Buffer.concat([hex('302a300506032b6570032100'), key]), format: 'der', type: 'spki' });

/** A file of one member alone. */
function give(m: Member, name: string, text: string): string {
  const file = join(m.world.dir, `${m.name}-${name}`);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

async function signed(world: World, key: string, signers: readonly Member[], folder: string, path?: string): Promise<{ bytes: Buffer; json: Json }> {
  await world.sign(key, signers, folder, MESSAGE, path);
  await world.settle(folder, signers);
  const copy = (signers[0] as Member).copy(folder);
  return { bytes: readFileSync(join(copy, 'signature.bin')), json: JSON.parse(readFileSync(join(copy, 'signature.json'), 'utf8')) as Json };
}

const shown = async (m: Member, key: string): Promise<Json> => must(await m.run(['key', 'show', key])).json;

/** No home and no folder holds a secret of the old key in the clear. */
function expectSecret(world: World, secrets: readonly string[]): void {
  const given = new Set(world.members.flatMap((m) => files(world.dir).filter((f) => f.startsWith(join(world.dir, `${m.name}-`)))));
  for (const file of files(world.dir)) {
    if (given.has(file)) continue;
    const bytes = readFileSync(file);
    for (const s of secrets) expect([file, bytes.includes(hex(s)), bytes.includes(s)]).toEqual([file, false, false]);
  }
}

describe.concurrent('import', () => {
  it('three of five holders of a ZF FROST key hand it to 2-of(alice, bob, dave); it is refreshed, and stays born whole', { timeout: 240_000 }, async () => {
    const zf = vector<Zf>('frost-ed25519-3of5-named.json');
    const packages = zf.keyPackages.map((text) => ({ text, ...(JSON.parse(text) as { identifier: string; signing_share: string; verifying_key: string }) }));
    const inOrder = (JSON.parse(zf.publicKeyPackage) as { verifying_shares: Record<string, string> }).verifying_shares;
    const place = (id: string): string => String(Object.keys(inOrder).sort((a, b) => Buffer.compare(hex(a).reverse(), hex(b).reverse())).indexOf(id) + 1);
    const world = await World.of(['alice', 'bob', 'carol', 'dave'], { seed: 5 });
    const [alice, bob, carol, dave] = world.members as [Member, Member, Member, Member];
    const holders = [alice, bob, carol].map((m, i) => ({ m, pack: packages[i] as (typeof packages)[0] }));
    const publicFile = (m: Member): string => give(m, 'public.json', zf.publicKeyPackage);
    const shareFile = ({ m, pack }: (typeof holders)[0]): string => give(m, 'share.json', pack.text);
    const began = must(
      await alice.run([
        'import', '--name', 'old', '--format', 'zf-frost', '--share', shareFile(holders[0] as (typeof holders)[0]), '--public', publicFile(alice),
        '--dealers', holders.map(({ m, pack }) => `${m.name}=${/dave|erin/.test(m.name) ? place(pack.identifier) : pack.identifier}`).join(','),
        '--quorum', '2-of(alice, bob, dave)', '--cards', world.cards, '--out', alice.copy('in'), '--unattended',
      ]),
    );
    expect(began.json).toMatchObject({ kind: 'import', did: ['round1.sent'] });
    expect(began.stderr).toContain(packages[0]?.verifying_key);
    world.courier('in', world.members);

    const without = await bob.run(['join', bob.copy('in')]);
    expect([without.exit, without.json.error?.code, without.json.error?.participant]).toEqual([22, 'E_MISSING', 'bob']);
    const others = await bob.run(['join', bob.copy('in'), '--share', shareFile({ m: bob, pack: (holders[2] as (typeof holders)[0]).pack }), '--public', publicFile(bob)]);
    expect([others.exit, others.json.error?.code]).toEqual([21, 'E_FOREIGN']);
    for (const holder of holders.slice(1)) must(await holder.m.run(['join', holder.m.copy('in'), '--share', shareFile(holder), '--public', publicFile(holder.m)]));
    must(await dave.run(['join', dave.copy('in')]));
    const last = await world.settle('in');
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE', 'DONE', 'DONE']);

    const key = await shown(dave, 'old');
    expect(key['publicKey']).toBe(packages[0]?.verifying_key);
    const { bytes } = await signed(world, 'old', [bob, dave], 'first');
    expect(verify(null, MESSAGE, ed25519(hex(key['publicKey'])), bytes)).toBe(true);
    expectSecret(world, packages.map((p) => p.signing_share));
    const record = await alice.run(['transcript', 'verify', alice.copy('in')]);
    expect([record.exit, record.json['verdict']], record.stdout).toEqual([0, 'ok']);

    must(await dave.run(['refresh', '--key', 'old', '--out', dave.copy('r'), '--unattended']));
    world.courier('r', [alice, bob, dave]);
    for (const m of [alice, bob]) must(await m.run(['join', m.copy('r')]));
    await world.settle('r', [alice, bob, dave]);
    expect(await shown(bob, 'old')).toMatchObject({ epoch: 2, publicKey: key['publicKey'], born: 'whole' });
    expect(verify(null, MESSAGE, ed25519(hex(key['publicKey'])), (await signed(world, 'old', [alice, bob], 'second')).bytes)).toBe(true);
  });

  it('two of three holders of a Lockness key: ECDSA, with the chain code, so that child keys stay', { timeout: 240_000 }, async () => {
    const { keyShares } = vector<{ keyShares: readonly string[] }>('lockness-secp256k1-2of3-hd.json');
    const facts = JSON.parse(keyShares[0] as string) as { shared_public_key: string; chain_code: string };
    const world = await World.of(['alice', 'bob'], { seed: 6, primes: true });
    const [alice, bob] = world.members as [Member, Member];
    const share = (m: Member, i: number): string => give(m, 'share.json', keyShares[i] as string);
    must(
      await alice.run([
        'import', '--name', 'hot', '--format', 'lockness', '--share', share(alice, 2), '--dealers', 'alice=3,bob=1', '--quorum', 'all-of(alice, bob)',
        '--cards', world.cards, '--out', alice.copy('in'), '--unattended',
      ]),
    );
    world.courier('in');
    // a lead that exchanges the chain code would move every child key
    cpSync(bob.copy('in'), bob.copy('other'), { recursive: true });
    const plan = join(bob.copy('other'), 'PLAN.yaml');
    expect(readFileSync(plan, 'utf8')).toContain(facts.chain_code);
    writeFileSync(plan, readFileSync(plan, 'utf8').replace(facts.chain_code, 'ab'.repeat(32)));
    const exchanged = await bob.run(['join', bob.copy('other'), '--share', share(bob, 0)]);
    expect([exchanged.exit, exchanged.json.error?.code, exchanged.json.error?.participant]).toEqual([21, 'E_FOREIGN', 'bob']);
    must(await bob.run(['join', bob.copy('in'), '--share', share(bob, 0)]));
    const last = await world.settle('in');
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE']);
    expect((await shown(bob, 'hot'))['publicKey']).toBe(facts.shared_public_key);
    const { json } = await signed(world, 'hot', [alice, bob], 'child', 'm/4/2');
    const child = new HDKey({ publicKey: hex(facts.shared_public_key), chainCode: hex(facts.chain_code) }).derive('m/4/2').publicKey as Uint8Array;
    const digest = createHash('sha256').update(MESSAGE).digest();
    expect(secp.verify(digest, child, hex(`${String(json['r'])}${String(json['s'])}`))).toBe(true);
    expectSecret(world, keyShares.map((text) => (JSON.parse(text) as { x: string }).x));
  });

  it('a private key made by OpenSSL, dealt by its one holder, who keeps nothing', { timeout: 240_000 }, async () => {
    const world = await World.of(['alice', 'bob', 'carol'], { seed: 7 });
    const [alice, bob, carol] = world.members as [Member, Member, Member];
    const pem = join(world.dir, 'alice-key.pem');
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', pem], { stdio: 'ignore' });
    const raw = execFileSync('openssl', ['pkey', '-in', pem, '-pubout', '-outform', 'DER']).subarray(-32);
    must(await alice.run(['import', '--name', 'legacy', '--share', pem, '--scheme', 'frost-ed25519', '--quorum', 'all-of(bob, carol)', '--cards', world.cards, '--out', alice.copy('in'), '--unattended']));
    world.courier('in');
    for (const m of [bob, carol]) must(await m.run(['join', m.copy('in')]));
    await world.settle('in');
    expect((await shown(carol, 'legacy'))['publicKey']).toBe(raw.toString('hex'));
    expect(existsSync(join(alice.home, 'keys/legacy/epoch-1/share.sealed'))).toBe(false);
    expect(verify(null, MESSAGE, ed25519(raw), (await signed(world, 'legacy', [bob, carol], 's')).bytes)).toBe(true);
    expect(files(join(alice.home, 'ceremonies')).filter((f) => f.endsWith('.sealed'))).toEqual([]);
  });

  it.runIf(ALL_TESTS)('the way out: shares as ZF key packages, encrypted, which hold exactly the key; imported again they sign', { timeout: 240_000 }, async () => {
    const world = await World.of(['alice', 'bob', 'carol'], { seed: 9 });
    const [alice, bob, carol] = world.members as [Member, Member, Member];
    await world.dkg('out', '2-of(alice, bob, carol)');
    const identity = await generateX25519Identity();
    const to = await identityToRecipient(identity);
    const packages = await Promise.all(
      [alice, carol].map(async (m) => {
        const dir = join(world.dir, `out-${m.name}`);
        const ran = must(await m.run(['backup', 'export', '--key', 'out', '--as', 'zf-frost', '--to', to, '--out', dir]));
        expect(ran.json['wrote']).toHaveLength(2);
        const decrypter = new Decrypter();
        decrypter.addIdentity(identity);
        return { share: await decrypter.decrypt(readFileSync(join(dir, `${m.name}-out-epoch-1.zf-frost.age`)), 'text'), public: readFileSync(join(dir, 'out-epoch-1.public.json'), 'utf8') };
      }),
    );
    const key = await shown(alice, 'out');
    expect(packages.map((p) => (JSON.parse(p.share) as { verifying_key: string }).verifying_key)).toEqual([key['publicKey'], key['publicKey']]);
    const [first, second] = packages as [(typeof packages)[0], (typeof packages)[0]];
    const files_ = (m: Member, p: typeof first): string[] => ['--share', give(m, 'back.json', p.share), '--public', give(m, 'back-public.json', p.public)];
    must(await bob.run(['import', '--name', 'back', '--format', 'zf-frost', ...files_(bob, first), '--dealers', 'bob=1,carol=3', '--quorum', 'all-of(bob, carol)', '--cards', world.cards, '--out', bob.copy('b'), '--unattended']));
    world.courier('b', [bob, carol]);
    must(await carol.run(['join', carol.copy('b'), ...files_(carol, second)]));
    await world.settle('b', [bob, carol]);
    expect((await shown(carol, 'back'))['publicKey']).toBe(key['publicKey']);
    expect(verify(null, MESSAGE, ed25519(hex(key['publicKey'])), (await signed(world, 'back', [bob, carol], 'bs')).bytes)).toBe(true);
    const nested = await bob.run(['backup', 'export', '--key', 'back', '--as', 'lockness', '--to', to, '--out', join(world.dir, 'no')]);
    expect([nested.exit, nested.json.error?.code]).toEqual([20, 'E_SCHEME']);
  });

  it('files that do not fit are refused, each with its reason, and nothing begins', { timeout: 120_000 }, async () => {
    const world = await World.of(['alice', 'bob'], { seed: 8 });
    const [alice] = world.members as [Member, Member];
    const zf = vector<Zf>('frost-ed25519-2of3.json');
    const other = vector<Zf>('frost-ed25519-3of5-named.json');
    const begin = (...more: string[]) => alice.run(['import', '--name', 'x', '--quorum', 'all-of(alice, bob)', '--cards', world.cards, '--out', alice.copy('x'), '--unattended', ...more]);
    const share = give(alice, 'zf.json', zf.keyPackages[0] as string);
    const swapped = await begin('--format', 'zf-frost', '--share', share, '--public', give(alice, 'other.json', other.publicKeyPackage), '--dealers', 'alice=1,bob=2');
    expect([swapped.exit, swapped.json.error?.code]).toEqual([21, 'E_FOREIGN']);
    const few = await begin('--format', 'zf-frost', '--share', share, '--public', give(alice, 'pub.json', zf.publicKeyPackage));
    expect([few.exit, few.json.error?.code]).toEqual([20, 'E_QUORUM']);
    const nobody = await begin('--format', 'zf-frost', '--share', share, '--public', give(alice, 'pub.json', zf.publicKeyPackage), '--dealers', 'alice=1,bob=9');
    expect([nobody.exit, nobody.json.error?.code]).toEqual([20, 'E_QUORUM']);
    const gone = await begin('--share', join(world.dir, 'none.pem'), '--scheme', 'frost-ed25519');
    expect([gone.exit, gone.json.error?.code]).toEqual([22, 'E_MISSING']);
    const garbage = await begin('--share', give(alice, 'garbage', 'no key'), '--scheme', 'frost-ed25519');
    expect([garbage.exit, garbage.json.error?.code]).toEqual([21, 'E_FORMAT']);
    expect(existsSync(alice.copy('x'))).toBe(false);
  });
});
