/**
 * kill -9 in the steps of threshold ECDSA: key generation, presigning, signing from both kinds of stock. A step is ended
 * at a durable write and begun again, time after time in the same home, each time a few writes further, until it gets
 * through. What had reached the folder stays as it is to the byte, no stock answers twice, no secret is left behind, and
 * the ceremonies complete. With the key that was made so: derived keys, and digests that were made elsewhere.
 *
 * The commands are those that people type, and nobody sits at a terminal; what they print must fit on a screen.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { HDKey } from '@scure/bip32';
import * as secp from 'tiny-secp256k1';
import { beforeAll, describe, expect, it } from 'vitest';
import { failing, files, invoke, type Json, type Member, must, type Ran, type RunOptions, World } from './support.ts';

/** How many further writes a step is allowed before it is ended again. */
const WRITES = 3;
/** Kills a process just before it destroys the secret of a stocked first message. */
const BEFORE_ERASING = failing({ calls: ['rename'], part: 'stock/.mpc-erase', error: 'KILL' });
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

let world: World;
let alice: Member;
let bob: Member;
/** Everything that was printed, by command. */
const screens: [command: string, text: string][] = [];
/** In how many places a process was ended. */
let places = 0;

/** Somebody types a command without a terminal: nobody can be asked. */
const say = async (m: Member, args: readonly string[], options: RunOptions = {}): Promise<Ran> => {
  const ran = await m.say(args, { stdin: '', ...options });
  screens.push([`${m.name}: ${args.join(' ')}`, ran.stdout + ran.stderr]);
  return ran;
};
/** What must never change once it is there: blobs and results in the folder, and in the home what a stock was spent on. */
const fixed = (m: Member, folder: string): Map<string, string> =>
  new Map(
    [...files(m.copy(folder)), ...files(join(m.home, 'keys'))]
      .map((f) => [relative(m.world.dir, f), f] as const)
      .filter(([path]) => new RegExp(`round-\\d+/${m.name}\\.blob$|signature\\.|certificate\\.json$|PLAN\\.yaml$|/spent/|nonce-points/`).test(path))
      .map(([path, f]) => [path, readFileSync(f, 'hex')]),
  );
/** Names and sizes of all files, whatever their random names. A decision of the gate is put on record each time it is made. */
const listing = (m: Member, folder: string): string =>
  [...files(m.home), ...files(m.copy(folder))].map((f) => `${relative(m.world.dir, f).replace(/[0-9a-f]{8,}/g, '#')} ${f.endsWith('.jsonl') ? '' : String(statSync(f).size)}`).sort().join('\n');

/** Runs a step that is ended at one write after the other, until it gets through. */
async function through(m: Member, folder: string, args: readonly string[], writes = WRITES): Promise<void> {
  const there = fixed(m, folder);
  for (let n = writes; ; ) {
    const before = listing(m, folder);
    const ran = await say(m, args, { env: { MPC_CEREMONY_REHEARSE_CRASH: String(n) } });
    const now = fixed(m, folder);
    for (const [path, bytes] of there) expect(now.get(path), `${m.name}: ${args.join(' ')}, ended at write ${String(n)}: ${path}`).toBe(bytes);
    for (const [path, bytes] of now) there.set(path, bytes);
    if (ran.signal === undefined) {
      // ended at its very last write, a beginning has nothing left to do
      const begun = /^✗ 20 EXISTS/m.test(ran.stderr) && args.includes('--out');
      expect([0, 10, begun ? 20 : 0], ran.stdout + ran.stderr).toContain(ran.exit);
      return;
    }
    expect(ran.signal).toBe('SIGKILL');
    places += 1;
    // what is not committed yet is made again: then the same writes come first, and it is ended further on
    n = listing(m, folder) === before ? n + writes : writes;
  }
}
/** A step that nobody disturbs. */
async function plainly(m: Member, _folder: string, args: readonly string[]): Promise<void> {
  const ran = await say(m, args);
  expect(ran.exit, ran.stdout + ran.stderr).toBe(0);
}
/** A step that is ended when its message is made and the stocked secret behind it not yet destroyed. */
async function sparing(m: Member, folder: string, args: readonly string[]): Promise<void> {
  expect((await say(m, args, BEFORE_ERASING)).signal).toBe('SIGKILL');
  places += 1;
  expect(sealed(m)).toContain('keys/k/epoch-1/stock/0.sealed');
  await plainly(m, folder, args);
}
type Way = typeof plainly;

/** The stick goes to and fro; everybody does on each visit what can be done. */
async function pingPong(folder: string, begin: readonly string[], ways: readonly Way[]): Promise<void> {
  const visits = [alice, bob];
  for (const [i, way] of ways.entries()) {
    const [m, other] = [visits[i % 2], visits[(i + 1) % 2]] as [Member, Member];
    await way(m, folder, i === 0 ? [...begin, '--out', m.copy(folder), '--unattended'] : [i === 1 ? 'join' : 'next', m.copy(folder)]);
    cpSync(m.copy(folder), other.copy(folder), { recursive: true });
  }
  for (const m of visits) {
    const { json } = await m.run(['next', m.copy(folder)]);
    expect([m.name, json.nextAction?.code, json.did]).toEqual([m.name, 'DONE', []]);
  }
}
const sealed = (m: Member): string[] => files(m.home).filter((f) => f.endsWith('.sealed')).map((f) => relative(m.home, f).replace(/[0-9a-f]{64}/, 'ID')).filter((f) => !f.startsWith('identity/'));
const EPOCH = ['keys/k/epoch-1/primes.sealed', 'keys/k/epoch-1/share.sealed'];

async function intent(name: string, message: Uint8Array, ...more: string[]): Promise<string> {
  const [file, out] = [join(world.dir, `${name}.msg`), join(world.dir, `${name}.json`)];
  writeFileSync(file, message);
  const ran = await say(alice, ['intent', 'create', '--key', 'k', '--file', file, '--out', out, ...(more.includes('--action') ? [] : ['--action', 'message']), ...more]);
  expect(ran.exit, ran.stderr).toBe(0);
  return out;
}
const signing = (file: string, ...more: string[]): string[] => ['sign', '--intent', file, '--signers', 'alice,bob', ...more];
/** libsecp256k1 on what both have. */
function expectSigned(folder: string, publicKey: Uint8Array, digest: Uint8Array): void {
  const [a, b] = [alice, bob].map((m) => JSON.parse(readFileSync(join(m.copy(folder), 'signature.json'), 'utf8')) as Json) as [Json, Json];
  expect(a).toEqual(b);
  expect(a['publicKey']).toBe(Buffer.from(publicKey).toString('hex'));
  expect(secp.verify(digest, publicKey, Buffer.from(String(a['compact']), 'hex'), true)).toBe(true);
  expect(secp.verify(sha256(digest), publicKey, Buffer.from(String(a['compact']), 'hex'), true)).toBe(false);
}
const SIGNERS = { signers: ['alice', 'bob'] };
const stock = async (): Promise<unknown[]> => {
  const [a, b] = await Promise.all([alice, bob].map(async (m) => (await m.run(['key', 'show', 'k'])).json['presignatures'] as unknown[]));
  expect(a).toEqual(b);
  return a as unknown[];
};
let root: HDKey;

beforeAll(async () => {
  world = await World.of(['alice', 'bob'], { primes: true });
  [alice, bob] = world.members as [Member, Member];
});

describe('killed at durable writes', { timeout: 400_000 }, () => {
  it('init --prepare', async () => {
    await through(alice, 'none', ['init', '--prepare', 'cggmp24'], 1);
    expect(files(join(alice.home, 'identity/primes')).length).toBeGreaterThanOrEqual(1);
  });

  it('key generation with a stock: commit, deal, prove, confirm, certificate', async () => {
    const begin = ['dkg', '--name', 'k', '--scheme', 'cggmp24-secp256k1', '--quorum', 'all-of(alice,bob)', '--stock', '1', '--cards', world.cards];
    await pingPong('dkg', begin, [through, through, plainly, through, plainly, through]);
    for (const m of [alice, bob]) expect(sealed(m)).toEqual([...EPOCH, 'keys/k/epoch-1/stock/0.sealed']);
    expect(files(join(alice.home, 'identity/primes')).filter((f) => f.endsWith('.sealed')), 'the set that was prepared is used up').toEqual([]);
    root = HDKey.fromExtendedKey((await say(alice, ['key', 'export', 'k', '--format', 'xpub'])).stdout.trim());
    expect((await bob.run(['key', 'show', 'k'])).json['publicKey']).toBe(Buffer.from(root.publicKey as Uint8Array).toString('hex'));
  });

  it('presigning: offer, convert, sum, and the halves that are kept', async () => {
    await pingPong('presign', ['presign', '--key', 'k', '--count', '2', '--signers', 'alice,bob'], [through, through, plainly, through, plainly]);
    expect(await stock()).toEqual([{ ...SIGNERS, path: 'm', count: 2 }]);
    for (const m of [alice, bob]) expect(sealed(m)).toEqual(['keys/k/epoch-1/presignatures/ID.sealed', 'keys/k/epoch-1/presignatures/ID.sealed', ...EPOCH, 'keys/k/epoch-1/stock/0.sealed']);
  });

  it('signing with a presignature', async () => {
    const message = Buffer.from('pay 5 to the baker');
    await pingPong('s1', signing(await intent('i1', message)), [through, through, plainly]);
    expectSigned('s1', root.publicKey as Uint8Array, sha256(message));
    expect(await stock()).toEqual([{ ...SIGNERS, path: 'm', count: 1 }]);
    for (const m of [alice, bob]) expect(sealed(m)).toEqual(['keys/k/epoch-1/presignatures/ID.sealed', ...EPOCH, 'keys/k/epoch-1/stock/0.sealed']);
  });

  it('signing from stocked first messages, under a path that no presignature was made for', async () => {
    const message = Buffer.from('pay 6 to the baker');
    await pingPong('s2', signing(await intent('i2', message, '--path', 'm/0/7')), [sparing, (...step) => through(...step, 2 * WRITES), plainly, plainly, plainly]);
    expectSigned('s2', root.derive('m/0/7').publicKey as Uint8Array, sha256(message));
    for (const m of [alice, bob]) expect(sealed(m), 'the stocked secret is destroyed').toEqual(['keys/k/epoch-1/presignatures/ID.sealed', ...EPOCH]);
  });

  it('was so at many places, and the records of it are good', async () => {
    expect(places).toBeGreaterThan(75);
    for (const folder of ['dkg', 'presign', 's1', 's2']) {
      // whoever got an older transcript than it had seen puts the newest there
      for (const m of [alice, bob, alice]) {
        must(await m.run(['next', m.copy(folder)]));
        cpSync(m.copy(folder), (m === alice ? bob : alice).copy(folder), { recursive: true });
      }
      const { exit, json } = await alice.run(['transcript', 'verify', alice.copy(folder)]);
      expect([folder, exit, json['verdict']], JSON.stringify(json['checks'])).toEqual([folder, 0, 'ok']);
    }
  });
});

describe('derived keys and digests', { timeout: 200_000 }, () => {
  const PATH = 'm/44/60/0/0/5';

  it('the path of presignatures is fixed: only what is signed under it takes them', async () => {
    await pingPong('presign-path', ['presign', '--key', 'k', '--count', '1', '--signers', 'alice,bob', '--path', PATH], [plainly, plainly, plainly, plainly, plainly]);
    const both = [{ ...SIGNERS, path: 'm', count: 1 }, { ...SIGNERS, path: PATH, count: 1 }];
    expect(new Set(await stock())).toEqual(new Set(both));
    expect((await say(alice, ['key', 'show', 'k'])).stdout).toContain(`Stock        1 presignature of alice and bob, path ${PATH}\n`);
    const message = Buffer.from('from the fifth address');
    await pingPong('s3', signing(await intent('i3', message, '--path', PATH)), [plainly, plainly, plainly]);
    const child = root.derive(PATH).publicKey as Uint8Array;
    expectSigned('s3', child, sha256(message));
    expect(await stock()).toEqual([both[0]]);
    // the same key in every form
    expect((await say(bob, ['key', 'export', 'k', '--format', 'raw', '--path', PATH])).stdout).toBe(`${Buffer.from(child).toString('hex')}\n`);
    expect((await say(bob, ['key', 'export', 'k', '--format', 'xpub', '--path', PATH])).stdout).toBe(`${root.derive(PATH).publicExtendedKey}\n`);
    for (const path of ["m/0'", 'm/2147483648', '0/1', 'm/']) {
      const ran = await bob.run(['presign', '--key', 'k', '--count', '1', '--signers', 'alice,bob', '--path', path, '--out', bob.copy('none'), '--unattended']);
      expect([path, ran.exit, ran.json.error?.code], ran.stdout).toEqual([path, 20, path === 'm/2147483648' ? 'E_PATH' : 'E_PLAN_FIELD']);
      expect(existsSync(bob.copy('none')), 'nothing was begun').toBe(false);
    }
  });

  it('a digest made elsewhere is signed live, and never with a presignature: 20 E_RAW_DIGEST', async () => {
    const digest = sha256(Buffer.from('something that only its maker has seen'));
    const file = await intent('i4', digest, '--action', 'digest');
    expect(screens.at(-1)?.[1]).toContain('NOBODY HERE CAN READ');
    const refused = await alice.run([...signing(file), '--out', alice.copy('s4'), '--unattended']);
    expect([refused.exit, refused.json.error?.code], refused.stdout).toEqual([20, 'E_RAW_DIGEST']);
    expect(refused.json.error?.remedy).toContain('--live');
    expect(existsSync(alice.copy('s4'))).toBe(false);
    await pingPong('s4', signing(file, '--live'), [plainly, plainly, plainly, plainly, plainly, plainly]);
    expectSigned('s4', root.publicKey as Uint8Array, digest);
    expect(await stock(), 'nothing was taken from the stock').toHaveLength(1);
    for (const [more, code] of [[['--hash', 'sha256'], 'E_INTENT'], [['--file', join(world.dir, 'i3.msg')], 'E_INTENT']] as const) {
      const ran = await alice.run(['intent', 'create', '--key', 'k', '--action', 'digest', '--file', join(world.dir, 'i4.msg'), '--out', join(world.dir, 'none.json'), ...more]);
      expect([ran.exit, ran.json.error?.code]).toEqual([20, code]);
    }
  });
});

describe('without a person', () => {
  const begin = (out: string): string[] => ['presign', '--key', 'k', '--count', '1', '--signers', 'alice,bob', '--out', alice.copy(out)];

  it('nothing is asked where nobody sits: 11 with the id of the prompt', async () => {
    for (const args of [['init', '--prepare', 'cggmp24'], begin('p3')])
      for (const stdin of ['', 'y\n'.repeat(1000)]) {
        const ran = await invoke([...args, '--home', alice.home, '--json'], { stdin });
        expect([args[0], ran.exit, ran.json.error?.code, ran.json.error?.field], ran.stdout).toEqual([args[0], 11, 'E_PERSON', 'passphrase']);
      }
    // what an attempt that nobody opened has left is taken up
    await plainly(alice, 'p3', begin('p3'));
    cpSync(alice.copy('p3'), bob.copy('p3'), { recursive: true });
    const joined = await bob.run(['join', bob.copy('p3')], { stdin: 'y\n'.repeat(1000) });
    expect([joined.exit, joined.json.error?.code, joined.json.error?.field]).toEqual([11, 'E_PERSON', 'compare-words']);
    expect(existsSync(join(bob.copy('p3'), 'round-1', 'bob.blob'))).toBe(false);
  });
});

describe('screens', () => {
  it('stay within 80 columns, without colours, and ask nobody', async () => {
    for (const args of [['help', 'protocols'], ['status'], ['status', alice.copy('presign')], ['key', 'list'], ['key', 'show', 'k'], ['doctor'], ['presign', '--help'], ['init', '--help'], ['intent', 'create', '--help'], ['presign', '--key', 'k'], ['transcript', 'verify', alice.copy('s1')]]) await say(alice, args);
    const wide = screens.flatMap(([command, text]) =>
      text
        .replaceAll(world.dir, 'DIR')
        .split('\n')
        .filter((line) => [...line].length > 80)
        .map((line) => `${command}: ${line}`),
    );
    // what is to be copied is never broken
    expect(wide.filter((line) => !/: xpub/.test(line))).toEqual([]);
    expect(screens.filter(([, text]) => text.includes('\u001b'))).toEqual([]);
    expect(screens.filter(([, text]) => /undefined|\[object|NaN/.test(text))).toEqual([]);
    const plain = (end: string): string =>
      (screens.findLast(([command]) => command.includes(end))?.[1] ?? '')
        .replaceAll(world.dir, 'DIR')
        .replace(/\b[0-9a-f]{10,}\b/g, 'HEX')
        .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
        .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
        .replace(/^( *\d+ [A-Za-z]+ *){4}$/gm, ' WORDS');
    expect(['init --prepare', `next ${alice.copy('dkg')}`, `next ${alice.copy('presign')}`, `join ${bob.copy('s3')}`, 'key show k'].map((s) => `$ ${s.replaceAll(world.dir, 'DIR')}\n${plain(s)}`).join('\n')).toMatchInlineSnapshot(`
      "$ init --prepare
      ✓ The primes of an ECDSA key are made and sealed.
      Sets in this home: 1. Each serves one key.
      opening the home …
      making the primes of this participant: seconds, now and then half a minute …

      $ next DIR/copies/alice/dkg
      ✓ message 4 written, certificate
      The key k exists and is active (epoch 1, cggmp24-secp256k1).
      Public key  HEX
      Words of this key. Every participant must see the same; write them down:
       WORDS
       WORDS
       WORDS
       WORDS
      NEXT  DONE
        Done. Keep this folder with the record; power off when you are finished here.
      checking the proofs …
      opening the home …
      making confirm …
      checking the proofs …

      $ next DIR/copies/alice/presign
      ✓ presigned
      1 presignature of k for alice and bob, path m/44/60/0/0/5, is in stock.
      Each signs one message, in one visit of each signer. They die with this epoch
      and go into no backup.
      NEXT  DONE
        Done. Keep this folder with the record; power off when you are finished here.
      checking the proofs …
      opening the home …

      $ join DIR/copies/bob/s3
      ✓ message 4 written, signature
      The signature of k is complete and verified.
      Signature   HEX
                  HEX
                  HEX
      Public key  HEX
      It lies in the ceremony folder: signature.bin (DER) and signature.json (r, s,
      recovery id).
      NEXT  DONE
        Done. Keep this folder with the record; power off when you are finished here.
      opening the home …
      checking the proofs …
      making share …
      checking the proofs …

      $ key show k
      Key          k (rehearsal)
      Scheme       cggmp24-secp256k1
      Quorum       all-of(alice, bob)
      Epoch        1, active
      Public key   HEX
      Stock        1 presignature of alice and bob
      Words of this epoch:
       WORDS
       WORDS
       WORDS
       WORDS
      Shares proven in this epoch:
        alice        never, due DATE
        bob          never, due DATE
      Care:
        refresh      epoch began TIME, due DATE
        backup test  never, due DATE
        drill        never, due DATE
      "
    `);
  });
});
