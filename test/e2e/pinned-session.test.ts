/**
 * The pinned session: the commands that outside checks are written against, with every FROST scheme, kind of quorum and
 * way of signing. Signatures are verified with software that is not ours.
 */
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as secp from 'tiny-secp256k1';
import { beforeAll, describe, expect, it } from 'vitest';
import { SCHEMES, type FrostSchemeName } from '../../src/curves/scheme.ts';
import { FOREIGN, sodium } from '../schnorr/foreign.ts';
import { files, invoke, type Json, type Member, must, newDir, type Ran, TEMPLATES, World } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const FLAT = '2-of(alice,bob,carol)';
const NESTED = 'all-of(1-of(carol,dave),2-of(alice,bob,erin))';
const ALL = 'all-of(alice,bob)';
const TEMPLATE = 'dkg-compliance-and-treasury.yaml';

interface Session {
  readonly scheme: FrostSchemeName;
  readonly quorum: string;
  readonly template?: string;
  readonly names: readonly string[];
  /** One minimal quorum for each signature; the first named leads. */
  readonly signers: readonly (readonly string[])[];
  readonly stock: number;
  /** Derivation path of each signature. */
  readonly paths?: readonly (string | undefined)[];
  readonly production?: true;
}

// Every scheme from stock and live, every kind of quorum, derived and not. With a stock of one the first signature takes
// it and the second is live. Whoever leads a second one has signed in the first: only then does it know what is spent.
const THREE = ['alice', 'bob', 'carol'];
const FIVE = ['carol', 'dave', 'alice', 'bob', 'erin'];
const SESSIONS: readonly Session[] = [
  { scheme: 'frost-ed25519', quorum: FLAT, names: THREE, signers: [['alice', 'bob'], ['bob', 'carol']], stock: 1 },
  { scheme: 'frost-secp256k1-tr', quorum: NESTED, names: FIVE, signers: [['alice', 'carol', 'bob'], ['bob', 'dave', 'erin']], stock: 1, paths: [undefined, 'm/0/5'] },
  { scheme: 'frost-secp256k1', quorum: ALL, names: ['alice', 'bob'], signers: [['alice', 'bob'], ['bob', 'alice']], stock: 1, paths: ['m/7/1', undefined] },
  { scheme: 'frost-p256', quorum: FLAT, names: THREE, signers: [['bob', 'carol'], ['bob', 'carol']], stock: 1 },
  { scheme: 'frost-ristretto255', quorum: ALL, names: ['alice', 'bob'], signers: [['bob', 'alice'], ['bob', 'alice']], stock: 1 },
  { scheme: 'frost-ed448', quorum: '', template: TEMPLATE, names: FIVE, signers: [['dave', 'bob', 'alice'], ['bob', 'erin', 'carol']], stock: 1 },
  { scheme: 'frost-ed25519', quorum: ALL, names: ['alice', 'bob'], signers: [['bob', 'alice']], stock: 0, production: true },
];

const KEY_BYTES: Readonly<Record<FrostSchemeName, number>> = {
  'frost-ed25519': 32,
  'frost-ristretto255': 32,
  'frost-ed448': 57,
  'frost-secp256k1': 33,
  'frost-p256': 33,
  'frost-secp256k1-tr': 32,
};
const SIGNATURE_BYTES: Readonly<Record<FrostSchemeName, number>> = {
  'frost-ed25519': 64,
  'frost-ristretto255': 64,
  'frost-ed448': 114,
  'frost-secp256k1': 65,
  'frost-p256': 65,
  'frost-secp256k1-tr': 64,
};

const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Checks of one step's object against the contract and the files it speaks of. */
function expectStep(ran: Ran, member: Member, folder: string, kind: 'dkg' | 'sign'): void {
  const { json } = ran;
  expect(json).toMatchObject({ schema: 'mpc-ceremony/step/1', kind, attempt: 1, participant: member.name, exit: ran.exit });
  expect(Object.keys(json).sort()).toEqual(['attempt', 'ceremony', 'did', 'exit', 'head', 'kind', 'needs', 'nextAction', 'participant', 'schema', 'wrote']);
  expect(json.nextAction?.who).toBe(member.name);
  for (const { path, sha256: digest } of json.wrote ?? []) expect(sha256(readFileSync(join(folder, path))), path).toBe(digest);
  const entry = JSON.parse(readFileSync(join(folder, 'transcript', `${member.name}.jsonl`), 'utf8').trimEnd().split('\n').at(-1) as string) as { payload: string };
  expect(sha256(Buffer.from(entry.payload, 'base64')), 'head').toBe(json['head']);
}

/** Schemes that another test of every run takes through key generation and signing as well. */
const ELSEWHERE = ['frost-secp256k1', 'frost-p256', 'frost-ristretto255'];

// a production session of an ECDSA key goes through ecdsa.test.ts in every run
describe.concurrent.each(SESSIONS.filter((s) => ALL_TESTS || (!ELSEWHERE.includes(s.scheme) && s.production !== true)).map((s) => ({ ...s, label: `${s.scheme} ${s.template ?? s.quorum}, stock ${String(s.stock)}${s.production ? ', production' : ''}` })))(
  '$label',
  (s) => {
    it('key generation, facts, signatures', { timeout: 240_000 }, async () => {
      await sodium.ready;
      const world = await World.of(s.names, { production: s.production === true, seed: s.names.length });
      const [lead, ...others] = world.members as [Member, ...Member[]];
      const template = join(world.dir, 'draft.yaml');
      if (s.template !== undefined) writeFileSync(template, readFileSync(join(TEMPLATES, s.template), 'utf8').replace(/^name: .*$/m, 'name: treasury').replace(/^scheme: .*$/m, `scheme: ${s.scheme}`));
      const began = await lead.run([
        'dkg', '--cards', world.cards, '--out', lead.copy('treasury-dkg'), '--unattended', ...(s.stock === 0 ? [] : ['--stock', String(s.stock)]),
        ...(s.template === undefined ? ['--name', 'treasury', '--scheme', s.scheme, '--quorum', s.quorum] : ['--plan', template]),
      ]);
      expect(began.exit, began.stdout).toBe(0);
      expect(began.json.did).toEqual(['round1.sent']);
      expect(began.json.nextAction?.code).toBe('CARRY_OUT');
      expectStep(began, lead, lead.copy('treasury-dkg'), 'dkg');
      expect(existsSync(join(lead.copy('treasury-dkg'), 'round-1', `${lead.name}.blob`)), 'dkg writes the first blob of the lead').toBe(true);
      expect(readFileSync(join(lead.copy('treasury-dkg'), 'PLAN.yaml'), 'utf8')).toMatch(/^attended: false$/m);

      world.courier('treasury-dkg');
      for (const [i, ran] of (await Promise.all(others.map((m) => m.run(['join', m.copy('treasury-dkg')])))).entries()) {
        const member = others[i] as Member;
        expect(ran.exit, ran.stdout).toBe(0);
        expect(ran.json.did?.[0]).toBe('round1.sent');
        expectStep(ran, member, member.copy('treasury-dkg'), 'dkg');
      }
      // nobody else's message is here: waiting, and harmless to repeat
      const waiting = await lead.run(['next', lead.copy('treasury-dkg')]);
      expect(waiting.exit).toBe(10);
      expect(waiting.json.did).toEqual([]);
      expect(waiting.json.needs?.map((n) => n.from).sort()).toEqual(others.map((m) => m.name).sort());
      expect(waiting.json.needs?.every((n) => n.what === 'round1')).toBe(true);

      const last = await world.settle('treasury-dkg');
      for (const m of world.members) {
        expect(last.get(m.name)?.json.nextAction?.code, m.name).toBe('DONE');
        const again = await m.run(['next', m.copy('treasury-dkg')]);
        expect([again.exit, again.json.nextAction?.code, again.json.did], 'every time').toEqual([0, 'DONE', []]);
        expectStep(again, m, m.copy('treasury-dkg'), 'dkg');
      }

      const shown = await Promise.all(world.members.slice(-2).map((m) => invoke(['key', 'show', 'treasury', '--home', m.home, '--json'])));
      const facts = shown[0]?.json as Json;
      // what is due, each home counts from its own activation
      for (const ran of shown) expect({ ...ran.json, care: undefined }).toEqual({ ...facts, care: undefined });
      expect(facts).toMatchObject({ key: 'treasury', scheme: s.scheme, epoch: 1, state: 'active', participants: s.names });
      const publicKey = hex(facts['publicKey']);
      expect(publicKey.length).toBe(KEY_BYTES[s.scheme]);
      expect(facts['internalKey'] === undefined).toBe(s.scheme !== 'frost-secp256k1-tr');
      if (s.scheme === 'frost-secp256k1-tr') expectTaproot(hex(facts['internalKey']), publicKey);
      await expectExports(lead, s.scheme, publicKey);

      for (const [i, names] of s.signers.entries()) {
        const folder = `sign-${String(i + 1)}`;
        const path = s.paths?.[i];
        const signers = names.map((n) => world.member(n));
        const message = createHash('sha256').update(`${s.scheme} ${String(i)}`).digest();
        const fromStock = i < s.stock;
        const started = await world.sign('treasury', signers, folder, message, path);
        for (const [k, ran] of started.entries()) {
          const signer = signers[k] as Member;
          expectStep(ran, signer, signer.copy(folder), 'sign');
          // from stock there is no first round, and the answer leaves at `sign` and `join`
          expect(ran.json.did?.[0]).toBe(fromStock ? 'round2.sent' : 'round1.sent');
          expect(existsSync(join(signer.copy(folder), 'round-1', `${signer.name}.blob`))).toBe(!fromStock);
          if (fromStock) expect(existsSync(join(signer.copy(folder), 'round-2', `${signer.name}.blob`)), 'answers at once').toBe(true);
        }
        const ends = await world.settle(folder, signers);
        const signatures = signers.map((m) => {
          expect(ends.get(m.name)?.json.nextAction?.code, m.name).toBe('DONE');
          const about = JSON.parse(readFileSync(join(m.copy(folder), 'signature.json'), 'utf8')) as Json;
          const bytes = readFileSync(join(m.copy(folder), 'signature.bin'));
          expect(about['signature']).toBe(bytes.toString('hex'));
          return { bytes, about };
        });
        const [first] = signatures;
        for (const other of signatures) expect(other).toEqual(first);
        expect(first?.bytes.length).toBe(SIGNATURE_BYTES[s.scheme]);
        const verifier = path === undefined ? publicKey : await derivedKey(lead, s.scheme, path);
        expect(first?.about['publicKey']).toBe(verifier.toString('hex'));
        expect(FOREIGN[s.scheme](verifier, message, first?.bytes as Buffer)).toBe(true);
        expect(FOREIGN[s.scheme](verifier, createHash('sha256').update('another').digest(), first?.bytes as Buffer)).toBe(false);
        for (const m of signers) expect((await m.run(['next', m.copy(folder)])).json.nextAction?.code).toBe('DONE');
      }
    });
  },
);

/** The output key is the internal key tweaked with an empty script tree (BIP-341), by libsecp256k1. */
function expectTaproot(internal: Buffer, output: Buffer): void {
  const tag = createHash('sha256').update('TapTweak').digest();
  const tweak = createHash('sha256').update(tag).update(tag).update(internal).digest();
  expect(Buffer.from(secp.xOnlyPointAddTweak(internal, tweak)?.xOnlyPubkey ?? []).toString('hex')).toBe(output.toString('hex'));
}

/** A public key derived along BIP-32, from the exported xpub, by OpenSSL's HMAC and libsecp256k1. */
async function derivedKey(member: Member, scheme: FrostSchemeName, path: string): Promise<Buffer> {
  const { stdout } = await member.say(['key', 'export', 'treasury', '--format', 'xpub']);
  const raw = base58(stdout.trim());
  expect(raw.subarray(0, 4).toString('hex')).toBe('0488b21e');
  let [chain, key] = [raw.subarray(13, 45), raw.subarray(45, 78)];
  for (const step of path.split('/').slice(1)) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(Number(step));
    const I = createHmac('sha512', chain).update(key).update(index).digest();
    key = Buffer.from(secp.pointAddScalar(key, I.subarray(0, 32), true) as Uint8Array);
    chain = I.subarray(32);
  }
  if (scheme !== 'frost-secp256k1-tr') return key;
  const tag = createHash('sha256').update('TapTweak').digest();
  const internal = key.subarray(1);
  const tweak = createHash('sha256').update(tag).update(tag).update(internal).digest();
  return Buffer.from((secp.xOnlyPointAddTweak(internal, tweak) as { xOnlyPubkey: Uint8Array }).xOnlyPubkey);
}

function base58(text: string): Buffer {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let n = 0n;
  for (const c of text) n = n * 58n + BigInt(alphabet.indexOf(c));
  const bytes = Buffer.from(n.toString(16).padStart(164, '0'), 'hex');
  const [body, check] = [bytes.subarray(0, -4), bytes.subarray(-4)];
  const twice = createHash('sha256').update(createHash('sha256').update(body).digest()).digest();
  expect(twice.subarray(0, 4).equals(check), 'checksum').toBe(true);
  return body;
}

/** Without --json only the key, in every form the scheme has. */
async function expectExports(member: Member, scheme: FrostSchemeName, publicKey: Buffer): Promise<void> {
  const raw = await member.say(['key', 'export', 'treasury', '--format', 'raw']);
  expect(raw.stdout).toBe(`${publicKey.toString('hex')}\n`);
  const pem = await member.say(['key', 'export', 'treasury', '--format', 'pem']);
  if (scheme === 'frost-ristretto255') {
    expect(pem.exit).toBe(20);
    return;
  }
  expect(pem.stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^]*-----END PUBLIC KEY-----\n$/);
  const key = createPublicKey(pem.stdout);
  const jwk = key.export({ format: 'jwk' });
  const x = Buffer.from(jwk.x as string, 'base64url').toString('hex');
  expect(publicKey.toString('hex').endsWith(x)).toBe(true);
  const asJwk = await member.say(['key', 'export', 'treasury', '--format', 'jwk']);
  expect(JSON.parse(asJwk.stdout)).toEqual(jwk);
  const json = await member.run(['key', 'export', 'treasury', '--format', 'pem']);
  expect(json.json['value']).toBe(pem.stdout);
  expect(SCHEMES[scheme].derivable).toBe((await member.say(['key', 'export', 'treasury', '--format', 'xpub'])).exit === 0);
}

describe('what the pinned run means', { timeout: 120_000 }, () => {
  let world: World;
  let alice: Member;
  let bob: Member;
  let carol: Member;
  let dave: Member;
  let three: Member[];
  const Q = ['--scheme', 'frost-ed25519', '--quorum', FLAT];
  const planned = (member: Member, folder: string, name: string): number =>
    Number(new RegExp(`- name: ${name}\\n(?:    .*\\n)*?    prekey:\\n      n: (\\d+)`).exec(readFileSync(join(member.copy(folder), 'PLAN.yaml'), 'utf8'))?.[1]);

  beforeAll(async () => {
    world = await World.of(['alice', 'bob', 'carol', 'dave']);
    [alice, bob, carol, dave] = world.members as [Member, Member, Member, Member];
    three = [alice, bob, carol];
  });

  it('--cards may hold stale, foreign, unnamed and damaged cards', async () => {
    // stale beside renewed, under names that say nothing
    cpSync(bob.card, join(world.cards, 'zz-old.card'));
    must(await bob.run(['card', 'renew']));
    cpSync(bob.card, join(world.cards, 'aa-new.card'));
    const stranger = new World(9);
    const mallory = await stranger.join('mallory', true);
    cpSync(mallory.card, join(world.cards, 'mallory.card'));
    writeFileSync(join(world.cards, 'torn.card'), readFileSync(carol.card).subarray(0, 100));
    writeFileSync(join(world.cards, 'README.txt'), 'not a card');
    mkdirSync(join(world.cards, 'folder.card'));

    const out = alice.copy('first');
    mkdirSync(out, { recursive: true });
    const ran = await alice.run(['dkg', '--name', 'first', ...Q, '--cards', world.cards, '--out', out, '--unattended']);
    expect(ran.exit, ran.stdout).toBe(0);
    expect(planned(alice, 'first', 'bob'), 'the newest key of the renewed card').toBe(8);
    expect(files(join(out, 'cards')).map((f) => f.slice(out.length))).toEqual(['/cards/alice.card', '/cards/bob.card', '/cards/carol.card']);
  });

  it('a card that the plan needs and that is not there: 20 E_CARD', async () => {
    const cards = newDir();
    cpSync(bob.card, join(cards, 'bob.card'));
    const ran = await alice.run(['dkg', '--name', 'nobody', ...Q, '--cards', cards, '--out', alice.copy('nobody'), '--unattended']);
    expect([ran.exit, ran.json.error?.code, ran.json.error?.participant]).toEqual([20, 'E_CARD', 'carol']);
    expect(existsSync(alice.copy('nobody'))).toBe(false);
  });

  it('--out that is not empty: 20 E_EXISTS, untouched', async () => {
    const out = alice.copy('taken');
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, 'mine.txt'), 'mine');
    const ran = await alice.run(['dkg', '--name', 'other', ...Q, '--cards', world.cards, '--out', out, '--unattended']);
    expect([ran.exit, ran.json.error?.code]).toEqual([20, 'E_EXISTS']);
    expect(files(out).map((f) => readFileSync(f, 'utf8'))).toEqual(['mine']);
    const again = await alice.run(['dkg', '--name', 'other', ...Q, '--cards', world.cards, '--out', alice.copy('first'), '--unattended']);
    expect([again.exit, again.json.error?.code], 'a ceremony that runs is not begun again').toEqual([20, 'E_EXISTS']);
  });

  it('next before join: 20 E_NOT_JOINED; not in the plan: 20 E_NOT_PARTICIPANT', async () => {
    world.courier('first');
    const early = await bob.run(['next', bob.copy('first')]);
    expect([early.exit, early.json.error?.code]).toEqual([20, 'E_NOT_JOINED']);
    expect(early.json.error?.remedy).toContain('join');
    for (const verb of ['join', 'next']) {
      const ran = await dave.run([verb, dave.copy('first')]);
      expect([verb, ran.exit, ran.json.error?.code]).toEqual([verb, 20, 'E_NOT_PARTICIPANT']);
    }
    const none = await dave.run(['next'], { cwd: newDir() });
    expect([none.exit, none.json.error?.code]).toEqual([20, 'E_NOT_JOINED']);
    const pending = await alice.run(['key', 'show', 'first']);
    expect([pending.exit, pending.json.error?.code]).toEqual([20, 'E_UNKNOWN_KEY']);
  });

  it('the lead never joins, and may', async () => {
    for (const m of [bob, carol]) must(await m.run(['join', m.copy('first')]));
    const ran = await alice.run(['join', alice.copy('first')]);
    expect([ran.exit, ran.json.did]).toEqual([10, []]);
    // joining twice is the same as next
    expect((await bob.run(['join', bob.copy('first')])).exit).toBe(10);
    const last = await world.settle('first', three);
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE', 'DONE']);
    expect((await alice.run(['join', alice.copy('first')])).json.nextAction?.code).toBe('DONE');
  });

  it('the newest unused one-time key is taken from cards, renewals and confirmations', async () => {
    // alice knows from bob's confirmation what CARDS does not hold: key 9, after 5 to 8 of the renewal
    const ran = await alice.run(['dkg', '--name', 'second', ...Q, '--cards', world.cards, '--out', alice.copy('second'), '--unattended']);
    expect(ran.exit, ran.stdout).toBe(0);
    expect(planned(alice, 'second', 'bob')).toBe(9);
    expect(planned(alice, 'second', 'carol')).toBe(5);
    world.courier('second', three);
    for (const m of [bob, carol]) must(await m.run(['join', m.copy('second')]));
    const last = await world.settle('second', three);
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE', 'DONE']);
  });

  it('a lead that does not know what of a stock is spent is refused by the owner, and --again takes the next', async () => {
    await world.dkg('stocked', FLAT, { stock: 2, members: three });
    await world.sign('stocked', [alice, bob], 'stock-1', Buffer.from('1'));
    await world.settle('stock-1', [alice, bob]);
    writeFileSync(join(world.dir, 's'), 's');
    must(await carol.run(['intent', 'create', '--key', 'stocked', '--action', 'message', '--file', join(world.dir, 's'), '--out', join(world.dir, 's.json')]));
    must(await carol.run(['sign', '--intent', join(world.dir, 's.json'), '--signers', 'bob,carol', '--out', carol.copy('stock-2'), '--unattended']));
    world.courier('stock-2', [bob, carol]);
    const refused = await bob.run(['join', bob.copy('stock-2')]);
    expect([refused.exit, refused.json.error?.code, refused.json.error?.participant]).toEqual([24, 'E_NONCE_BURNED', 'bob']);
    must(await carol.run(['sign', '--again', carol.copy('stock-2'), '--out', carol.copy('stock-3'), '--unattended']));
    world.courier('stock-3', [bob, carol]);
    const joined = await bob.run(['join', bob.copy('stock-3')]);
    expect([joined.exit, joined.json.nextAction?.code, joined.json.did]).toEqual([0, 'DONE', ['round2.sent', 'signature']]);
  });

  it('signers must be an exact minimal quorum', async () => {
    writeFileSync(join(world.dir, 'm'), 'm');
    must(await alice.run(['intent', 'create', '--key', 'first', '--action', 'message', '--file', join(world.dir, 'm'), '--out', join(world.dir, 'i.json')]));
    const sign = (signers: string): Promise<Ran> => alice.run(['sign', '--intent', join(world.dir, 'i.json'), '--signers', signers, '--out', alice.copy('no'), '--unattended']);
    for (const [signers, code] of [
      ['alice', 'E_QUORUM'],
      ['alice,bob,carol', 'E_QUORUM_SURPLUS'],
      ['alice,mallory', 'E_QUORUM'],
      ['alice,alice', 'E_SEAT_DUP'],
    ] as const) {
      const ran = await sign(signers);
      expect([signers, ran.exit, ran.json.error?.code]).toEqual([signers, 20, code]);
    }
    expect(existsSync(alice.copy('no'))).toBe(false);
  });

  it('an intent lasts 24 hours unless told, and can carry path and expiry', async () => {
    const made = async (...more: string[]): Promise<Json> => {
      const out = join(newDir(), 'i.json');
      const ran = await alice.run(['intent', 'create', '--key', 'first', '--action', 'message', '--file', join(world.dir, 'm'), '--out', out, ...more]);
      expect(ran.exit, ran.stdout).toBe(0);
      return (JSON.parse(readFileSync(out, 'utf8')) as { intent: Json }).intent;
    };
    const plain = await made();
    expect(Date.parse(String(plain['expires'])) - Date.parse(String(plain['created']))).toBe(86_400_000);
    const told = await made('--expires', '2099-01-31T12:00:00Z', '--path', 'm/1');
    expect(told).toMatchObject({ expires: '2099-01-31T12:00:00Z', path: 'm/1' });
  });

  it('global flags stand before or after the verb, and useless ones are accepted', async () => {
    const before = await invoke(['--home', alice.home, '--json', 'key', 'show', 'first']);
    const after = await invoke(['key', 'show', 'first', '--home', alice.home, '--json']);
    expect(before.json).toEqual(after.json);
    expect((await invoke(['key', '--json', 'show', '--home', alice.home, 'first', '--no-input', '--quiet', '--no-color', '--passphrase-file', '/nowhere'])).json).toEqual(after.json);
    const byEnvironment = await invoke(['key', 'show', 'first', '--json'], { env: { MPC_CEREMONY_HOME: alice.home } });
    expect(byEnvironment.json).toEqual(after.json);
    const via = await alice.run(['next', '--via', `folder:${alice.copy('first')}`]);
    expect([via.exit, via.json.nextAction?.code]).toEqual([0, 'DONE']);
    const here = await alice.run(['next'], { cwd: alice.copy('first') });
    expect(here.json.nextAction?.code).toBe('DONE');
  });

  it('every command honours --json: one object, with its exit code in it', async () => {
    const file = join(newDir(), 'i.json');
    const commands: readonly (readonly [Member, readonly string[], number])[] = [
      [alice, ['status'], 0],
      [alice, ['status', alice.copy('first')], 0],
      [dave, ['status', dave.copy('first')], 20],
      [alice, ['card', 'show'], 0],
      [dave, ['card', 'renew'], 0],
      [alice, ['peers', 'list'], 0],
      [dave, ['peers', 'add', carol.card], 0],
      [dave, ['peers', 'verify', 'carol'], 11],
      [dave, ['peers', 'verify', 'zoe'], 20],
      [alice, ['key', 'list'], 0],
      [alice, ['key', 'show', 'first'], 0],
      [alice, ['key', 'export', 'first'], 0],
      [alice, ['key', 'show', 'none'], 20],
      [alice, ['intent', 'create', '--key', 'first', '--action', 'message', '--file', join(world.dir, 'm'), '--out', file], 0],
      [alice, ['intent', 'show', file], 0],
      [alice, ['abort', alice.copy('first'), '--reason', 'operator'], 64],
      [alice, ['init', '--name', 'alice'], 20],
      [alice, ['dkg'], 64],
      [alice, ['sign'], 64],
      [alice, ['join'], 64],
      [alice, ['next', join(world.dir, 'nowhere')], 22],
      [alice, ['no-such-command'], 64],
    ];
    for (const [member, args, exit] of commands) {
      const ran = await member.run(args);
      expect([args, ran.exit, ran.json['exit']], ran.stdout).toEqual([args, exit, exit]);
      if (exit !== 0) expect(ran.json.error?.text, args.join(' ')).toBeTruthy();
    }
    expect((await invoke(['--version', '--json'])).json).toMatchObject({ version: '0.1.0', exit: 0 });
    expect((await invoke(['--version'])).stdout).toBe('0.1.0\n');
  });

  it('abort ends an attempt for everybody, and --again signs in a further one', async () => {
    writeFileSync(join(world.dir, 'pay'), 'pay');
    must(await alice.run(['intent', 'create', '--key', 'first', '--action', 'message', '--file', join(world.dir, 'pay'), '--out', join(world.dir, 'pay.json')]));
    must(await alice.run(['sign', '--intent', join(world.dir, 'pay.json'), '--signers', 'alice,bob', '--out', alice.copy('again-1'), '--unattended']));
    const aborted = await alice.run(['abort', alice.copy('again-1'), '--reason', 'mistake']);
    expect([aborted.exit, aborted.json.error?.code]).toEqual([30, 'E_ABORTED']);
    world.courier('again-1', [alice, bob]);
    const joined = await bob.run(['join', bob.copy('again-1')]);
    expect([joined.exit, joined.json.error?.code, joined.json.error?.participant]).toEqual([30, 'E_ABORTED', 'alice']);
    for (const m of [alice, bob]) expect((await m.run(['next', m.copy('again-1')])).exit, 'every time').toBe(30);
    const begun = await alice.run(['sign', '--again', alice.copy('again-1'), '--out', alice.copy('again-2'), '--unattended']);
    expect([begun.exit, begun.json['attempt']], begun.stdout).toEqual([0, 2]);
    world.courier('again-2', [alice, bob]);
    must(await bob.run(['join', bob.copy('again-2')]));
    await world.settle('again-2', [alice, bob]);
    const { stdout } = await alice.say(['key', 'export', 'first', '--format', 'pem']);
    expect(verify(null, Buffer.from('pay'), createPublicKey(stdout), readFileSync(join(bob.copy('again-2'), 'signature.bin')))).toBe(true);
  });
});
