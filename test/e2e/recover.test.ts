/**
 * Recovery with the real binary: two of three holders are lost, which is more than n−t; one comes back from custodians, one
 * from its own backup, each on a machine of its own; a reshare follows, and the key signs again under the same public key.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseBackup } from '../../src/backup/backup-file.ts';
import { encodeRecovery, parseReleased, parseRequest, pieceDigest } from '../../src/backup/recovery.ts';
import { encodeRecoveryEvidence } from '../../src/backup/recovery-evidence.ts';
import { openHome } from '../../src/ceremony/home.ts';
import { openIdentity } from '../../src/ceremony/identity.ts';
import { sharePath } from '../../src/ceremony/key-store.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { Scanner } from './scanner.ts';
import { files, invoke, type Member, must, newDir, PASSPHRASE, printed, type Ran, World } from './support.ts';
import { atTerminal, hasTerminal } from './terminal.ts';

const KEY = 'treasury';
const CUSTODIANS = ['c1', 'c2', 'c3'];
let world: World;
let publicKey: string;
/** Of bob: an age identity file that lay elsewhere. */
let keyFile: string;
const lost = new Map<string, string>();
const secrets = new Map<string, Uint8Array>();

const out = (name: string): string => join(world.dir, name);
const codes = (ran: Ran): unknown => [ran.exit, ran.json.error?.code];
const m = (name: string): Member => world.member(name);
const backup = (owner: string): string => out(`bk-${owner}/${owner}-${KEY}-epoch-1.backup`);

async function share(home: string, epoch: number): Promise<Uint8Array> {
  const { vault } = await openIdentity(openHome(realDisk(), home), new Secret(utf8(PASSPHRASE)), (n) => new Uint8Array(randomBytes(n)));
  const bytes = vault.get(sharePath(KEY, epoch));
  if (!bytes) throw new Error('no share');
  return bytes;
}

function expectSignature(member: Member, folder: string, message: Uint8Array): void {
  const signature = readFileSync(join(member.copy(folder), 'signature.bin'));
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey, 'hex')]);
  expect(verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)).toBe(true);
}

beforeAll(async () => {
  world = await World.of(['alice', 'bob', 'carol', ...CUSTODIANS, 'alice2', 'bob2']);
  await world.dkg(KEY, '2-of(alice,bob,carol)', { members: ['alice', 'bob', 'carol'].map(m), stock: 1 });
  publicKey = String(must(await m('alice').run(['key', 'show', KEY])).json['publicKey']);
  for (const name of ['alice', 'bob', 'carol']) secrets.set(name, await share(m(name).home, 1));
  keyFile = out('bob.key');
  const identity = await generateX25519Identity();
  writeFileSync(keyFile, `# away from home\n${identity}\n`, { mode: 0o600 });
  must(await m('alice').run(['backup', 'export', '--key', KEY, '--to', ...CUSTODIANS.map((c) => join(world.cards, `${c}.card`)), '--quorum', '2-of(c1,c2,c3)', '--out', out('bk-alice')]));
  must(await m('bob').run(['backup', 'export', '--key', KEY, '--to', await identityToRecipient(identity), '--out', out('bk-bob')]));
  for (const name of ['alice', 'bob']) {
    const aside = out(`lost-${name}`);
    renameSync(m(name).home, aside);
    lost.set(name, aside);
  }
}, 120_000);

describe('more than n−t shares are lost', () => {
  it('alice comes back from custodians, in a home that never held a share', async () => {
    const dir = out('recovery');
    const asked = await m('alice2').run(['recover', '--backup', backup('alice'), '--request', '--unattended', '--out', dir]);
    expect(asked.json).toMatchObject({ schema: 'mpc-ceremony/recovery-request/1', key: KEY, epoch: 1, owner: 'alice', quorum: '2-of(c1, c2, c3)', attended: false, nextAction: { code: 'CARRY_OUT' }, exit: 0 });
    expect(readdirSync(dir).sort()).toEqual(['alice-treasury-epoch-1.backup', 'cards', 'request.json']);
    expect(codes(await m('alice2').run(['recover', '--finish', dir]))).toEqual([20, 'E_QUORUM']);
    // each custodian has its own copy; a courier brings the pieces together
    for (const c of ['c1', 'c3']) {
      const copy = out(`at-${c}`);
      cpSync(dir, copy, { recursive: true });
      const ran = await m(c).run(['recover', '--release', copy, '--unattended']);
      expect(ran.json).toMatchObject({ schema: 'mpc-ceremony/recovery-piece/1', custodian: c, owner: 'alice', to: 'alice2', compared: 'not-compared', again: false, wrote: [{ path: `pieces/${c}.piece` }] });
      mkdirSync(join(dir, 'pieces'), { recursive: true });
      cpSync(join(copy, `pieces/${c}.piece`), join(dir, `pieces/${c}.piece`));
      if (c === 'c1') expect(codes(await m('alice2').run(['recover', '--finish', dir]))).toEqual([20, 'E_QUORUM']);
    }
    expect(codes(await m('bob2').run(['recover', '--finish', dir]))).toEqual([20, 'E_NOT_PARTICIPANT']);
    const done = await m('alice2').run(['recover', '--finish', dir]);
    expect(done.json).toMatchObject({ schema: 'mpc-ceremony/recover/1', did: 'restored', key: KEY, epoch: 1, owner: 'alice', leaf: 1, used: ['c1', 'c3'], bad: [], exit: 0 });
    expect(Buffer.from(await share(m('alice2').home, 1)).equals(Buffer.from(secrets.get('alice') as Uint8Array))).toBe(true);
  });

  it('evidence against a custodian is judged by whoever has its card', async () => {
    const dir = out('recovery');
    const request = parseRequest(readFileSync(join(dir, 'request.json')), 'request.json');
    const parsed = parseBackup(readFileSync(backup('alice')), 'x');
    const { sig: _, ...honest } = parseReleased(readFileSync(join(dir, 'pieces/c1.piece')), 'c1.piece');
    const { signer } = await openIdentity(openHome(realDisk(), m('c1').home), new Secret(utf8(PASSPHRASE)), (n) => new Uint8Array(randomBytes(n)));
    const lie = { ...honest, owner: 'bob' };
    const file = out('evidence.json');
    const judge = (...args: string[]): Promise<Ran> => invoke(['recover', '--evidence', file, ...args, '--home', out('no-home'), '--json']);
    writeFileSync(file, encodeRecoveryEvidence('c1', request, parsed, encodeRecovery({ ...lie, sig: toHex(signer.sign(pieceDigest(lie))) })));
    const proven = await judge('--card', join(world.cards, 'c1.card'));
    expect([proven.exit, proven.json['verdict'], proven.json['culprit'], proven.json['identity']]).toEqual([21, 'wrong', 'c1', toHex(signer.publicKey)]);
    // without its card, anybody could have signed it
    for (const args of [[], ['--card', join(world.cards, 'c2.card')]]) {
      const ran = await judge(...args);
      expect([ran.exit, ran.json['culprit'], ran.json['custodian']]).toEqual([22, undefined, 'c1']);
    }
    writeFileSync(file, encodeRecoveryEvidence('c1', request, parsed, readFileSync(join(dir, 'pieces/c1.piece'))));
    const innocent = await judge('--card', join(world.cards, 'c1.card'));
    expect([innocent.exit, innocent.json['code'], innocent.json['culprit']]).toEqual([22, 'E_EVIDENCE', undefined]);
  });

  it('no home takes two shares', async () => {
    for (const name of ['alice2', 'carol']) expect([name, codes(await m(name).run(['recover', '--backup', backup('bob'), '--identity', keyFile]))]).toEqual([name, [20, 'E_TWO_SHARES']]);
  });

  it('bob comes back from its own backup, also when the process is killed at any write', async () => {
    const command = ['recover', '--backup', backup('bob'), '--identity', keyFile, '--unattended'];
    const nobody = await m('bob2').run(command.slice(0, -1));
    expect([nobody.exit, nobody.json.error?.code, nobody.json.error?.field]).toEqual([11, 'E_PERSON', 'recover-words']);
    let killed = 0;
    for (let at = 1; ; at += 2) {
      const copy = join(newDir(), 'home');
      cpSync(m('bob2').home, copy, { recursive: true });
      const run = (env: Record<string, string>): Promise<Ran> => invoke([...command, '--home', copy, '--passphrase-file', world.passphraseFile, '--no-input', '--json'], { env });
      const ran = await run({ MPC_CEREMONY_REHEARSE_CRASH: String(at) });
      if (ran.signal === undefined) break;
      killed += 1;
      // nothing that signs in between, and the same command ends it
      const again = await run({});
      expect([again.exit, ['restored', 'already-restored'].includes(String(again.json['did']))]).toEqual([0, true]);
      expect(Buffer.from(await share(copy, 1)).equals(Buffer.from(secrets.get('bob') as Uint8Array))).toBe(true);
    }
    expect(killed).toBeGreaterThan(2);
    const ran = await m('bob2').run(command);
    expect(ran.json).toMatchObject({ did: 'restored', owner: 'bob', leaf: 2, compared: 'not-compared', exit: 0 });
    expect((await m('bob2').run(command)).json['did']).toBe('already-restored');
  });

  it('the screen says what has to follow, in 80 columns', async () => {
    const ran = await m('bob2').say(['recover', '--backup', backup('bob'), '--identity', keyFile]);
    expect(ran.stdout).toContain('IT SIGNS NOTHING');
    expect(ran.stdout).toContain('mpc-ceremony reshare');
    for (const line of ran.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('a reshare among the restored homes; the key signs again under the same public key', async () => {
    const members = ['alice2', 'bob2', 'carol'].map(m);
    const lead = m('alice2');
    must(await lead.run(['reshare', '--key', KEY, '--quorum', '2-of(alice2,bob2,carol)', '--dealers', 'alice=alice2,bob=bob2', '--cards', world.cards, '--out', lead.copy('reshare'), '--unattended']));
    world.courier('reshare', members);
    for (const member of members.slice(1)) must(await member.run(['join', member.copy('reshare')]));
    const last = await world.settle('reshare', members);
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE', 'DONE']);
    const shown = must(await m('carol').run(['key', 'show', KEY])).json;
    expect([shown['publicKey'], shown['epoch'], shown['quorum']]).toEqual([publicKey, 2, '2-of(alice2, bob2, carol)']);
    // what was restored is destroyed with its epoch
    for (const name of ['alice2', 'bob2']) expect(existsSync(join(m(name).home, sharePath(KEY, 1)))).toBe(false);
    const message = utf8('pay the baker');
    await world.sign(KEY, [m('alice2'), m('bob2')], 'sign-1', message);
    await world.settle('sign-1', [m('alice2'), m('bob2')]);
    expectSignature(m('bob2'), 'sign-1', message);
    expect(codes(await m('bob2').run(['recover', '--backup', backup('bob'), '--identity', keyFile]))).toEqual([24, 'E_EPOCH']);
    const examined = await m('bob2').run(['recover', '--backup', backup('bob'), '--identity', keyFile, '--forensic']);
    const screen = await m('bob2').say(['backup', 'verify', backup('bob')]);
    expect([screen.exit, screen.stdout.includes('RETIRED'), /would restore|It opens, and/.test(screen.stdout)]).toEqual([0, true, false]);
    // who deals under a name of its own has a share of its own now
    expect(codes(examined)).toEqual([20, 'E_TWO_SHARES']);
  });

  it('the lost homes come back: nobody signs with them, and shown the record they destroy their shares', async () => {
    for (const [name, aside] of lost) renameSync(aside, m(name).home);
    const pay = out('old.intent.json');
    const message = out('old.msg');
    writeFileSync(message, 'pay the thief');
    must(await m('alice').run(['intent', 'create', '--key', KEY, '--action', 'message', '--file', message, '--out', pay]));
    const folder = m('alice').copy('old');
    must(await m('alice').run(['sign', '--intent', pay, '--signers', 'alice,carol', '--out', folder, '--unattended']));
    world.courier('old', [m('alice'), m('carol')]);
    expect(codes(await m('carol').run(['join', m('carol').copy('old')]))).toEqual([24, 'E_EPOCH']);
    for (const name of ['alice', 'bob']) {
      mkdirSync(dirname(m(name).copy('reshare')), { recursive: true });
      cpSync(m('carol').copy('reshare'), m(name).copy('reshare'), { recursive: true });
      const ran = await m(name).run(['next', m(name).copy('reshare')]);
      expect([ran.exit, ran.json.did]).toEqual([0, ['destroyed']]);
      expect(existsSync(join(m(name).home, sharePath(KEY, 1)))).toBe(false);
    }
    expect(codes(await m('bob').run(['recover', '--backup', backup('bob'), '--identity', keyFile]))).toEqual([24, 'E_EPOCH']);
  });

  it('no share, old or restored, stands in clear in any home, folder or output', async () => {
    for (const name of ['alice2', 'bob2', 'carol']) secrets.set(`${name} now`, await share(m(name).home, 2));
    const scanner = new Scanner(secrets);
    for (const file of files(world.dir).filter((f) => f !== keyFile)) expect([file, scanner.find(readFileSync(file))]).toEqual([file, []]);
    for (const text of printed) expect(scanner.find(Buffer.from(text))).toEqual([]);
  });
});

describe('the command line', () => {
  it('one way at a time, and nothing that it has no use for', async () => {
    for (const args of [[], ['--backup', 'x', '--age', 'y'], ['--finish', 'd', '--release', 'd'], ['--request'], ['--request', '--backup', 'x'], ['--release', 'd', '--out', 'e'], ['--backup', 'x', '--digest', '00'], ['--finish', 'd', '--unattended']])
      expect([args, codes(await m('alice2').run(['recover', ...args]))]).toEqual([args, [64, 'E_USAGE']]);
  });
  it('without anybody to ask, the words of an attended request wait', async () => {
    const dir = out('attended');
    const c9 = await world.join('carol9');
    must(await m('carol').run(['backup', 'export', '--key', KEY, '--to', ...CUSTODIANS.map((c) => join(world.cards, `${c}.card`)), '--quorum', '2-of(c1,c2,c3)', '--out', out('bk-carol')]));
    const asked = must(await c9.run(['recover', '--backup', out(`bk-carol/carol-${KEY}-epoch-2.backup`), '--request', '--certificate', out('bk-carol/certificate.json'), '--out', dir]));
    const ran = await m('c1').run(['recover', '--release', dir]);
    expect([ran.exit, ran.json.error?.code, ran.json.error?.field]).toEqual([11, 'E_PERSON', 'release-piece']);
    const answers = out('answers.json');
    writeFileSync(answers, JSON.stringify({ 'release-piece': 'aardvark adroitness' }));
    expect(codes(await m('c1').run(['recover', '--release', dir, '--answers', answers]))).toEqual([20, 'E_ATTENDED']);
    expect(existsSync(join(dir, 'pieces'))).toBe(false);
    if (!hasTerminal) return;
    const words = asked.json['words'] as string[];
    const typed = await atTerminal(['recover', '--release', dir, '--home', m('c1').home, '--passphrase-file', world.passphraseFile], [
      [/Type words \d+ and \d+[^:]*:/, (screen) => { const [, a, b] = /Type words (\d+)\s+and\s+(\d+)/.exec(screen) as unknown as [string, string, string]; return `${words[Number(a) - 1] as string} ${words[Number(b) - 1] as string}`; }],
    ]);
    expect(typed.exit).toBe(0);
    expect(JSON.parse(readFileSync(join(dir, 'pieces/c1.piece'), 'utf8'))).toMatchObject({ compared: 'typed', owner: 'carol' });
  });
});
