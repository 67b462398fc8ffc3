/** Backups with the real binary: the pinned run, custodians, single keys, passphrases, and files that went wrong on the way. */
import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseBackup } from '../../src/backup/backup-file.ts';
import { makeKey } from '../backup/support.ts';
import { invoke, type Member, newDir, printed, type Ran, World } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

interface Check {
  readonly name: string;
  readonly verdict: string;
  readonly code?: string;
  readonly of?: string;
  readonly text: string;
}
const CUSTODIANS = ['c1', 'c2', 'c3'];
let world: World;
let alice: Member;
let bk: string;
let exported: Ran;

beforeAll(async () => {
  world = await World.of(['alice', 'bob', 'carol', ...CUSTODIANS]);
  alice = world.member('alice');
  await world.dkg('treasury', '2-of(alice,bob,carol)', { members: ['alice', 'bob', 'carol'].map((n) => world.member(n)) });
  bk = join(world.dir, 'bk');
  exported = await alice.run(['backup', 'export', '--key', 'treasury', '--to', ...CUSTODIANS.map(card), '--quorum', '2-of(c1,c2,c3)', '--site', 'Zurich vault', '--out', bk]);
});

const card = (name: string): string => join(world.cards, `${name}.card`);
const out = (name: string): string => join(world.dir, name);
const backupIn = (dir: string): string => join(dir, 'alice-treasury-epoch-1.backup');
/** `backup verify` as anybody runs it: no home, no passphrase. */
const verify = (...args: string[]): Promise<Ran> => invoke(['backup', 'verify', ...args, '--json']);
const checks = (ran: Ran): Check[] => ran.json['checks'] as Check[];
const wrong = (ran: Ran): string[] => checks(ran).filter((c) => c.verdict === 'wrong').map((c) => `${c.name} ${c.code ?? ''}`);
const exportTo = (member: Member, dir: string, ...more: string[]): Promise<Ran> => member.run(['backup', 'export', '--key', 'treasury', '--out', out(dir), ...more]);
const codes = (ran: Ran): unknown => [ran.exit, ran.json.error?.code];

describe('the pinned run', () => {
  it('writes the backup, an age file and a sheet for each custodian, and the certificate', () => {
    expect(exported.json).toMatchObject({ schema: 'mpc-ceremony/backup/1', key: 'treasury', owner: 'alice', epoch: 1, leaf: 1, lock: 'custodians', exit: 0 });
    const stem = 'alice-treasury-epoch-1';
    expect(readdirSync(bk).sort()).toEqual(
      [...CUSTODIANS.flatMap((c) => [`SHEET-${stem}.${c}.html`, `SHEET-${stem}.${c}.txt`, `${stem}.${c}.age`]), `${stem}.backup`, 'certificate.json'].sort(),
    );
    // what holds a share, even encrypted, is for nobody else's eyes
    for (const f of readdirSync(bk)) expect([f, lstatSync(join(bk, f)).mode & 0o777]).toEqual([f, /\.(?:backup|json)$/.test(f) ? 0o644 : 0o600]);
  });
  it('is verified by anybody, without a home', async () => {
    const ran = await verify(backupIn(bk));
    expect(ran.exit).toBe(0);
    expect(ran.json).toMatchObject({ schema: 'mpc-ceremony/backup-check/1', verdict: 'ok', owner: 'alice', key: 'treasury', epoch: 1, custodians: { quorum: '2-of(c1, c2, c3)', names: CUSTODIANS }, opened: [], exit: 0 });
    expect(checks(ran).filter((c) => c.name === 'proof').map((c) => c.of)).toEqual(CUSTODIANS);
    expect(checks(ran).filter((c) => c.name === 'age').length).toBe(3);
    expect((await verify(backupIn(bk), '--certificate', join(bk, 'certificate.json'))).exit).toBe(0);
    // alone on another stick
    const alone = newDir();
    cpSync(backupIn(bk), join(alone, 'x.backup'));
    expect((await verify(join(alone, 'x.backup'))).json['verdict']).toBe('ok');
  });
  it('is said on the screen in 80 columns', async () => {
    const ran = await invoke(['backup', 'verify', backupIn(bk)]);
    expect(ran.stdout).toContain('It would restore the share of alice, leaf 1 of treasury, epoch 1.');
    for (const line of ran.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    // whose the keys are, nobody here knows
    for (const c of CUSTODIANS) expect(ran.stdout.replace(/\s+/g, ' ')).toMatch(new RegExp(`\\? recipient ${c}: the key is not known here: compare age1[02-9a-z]{58} with the card of ${c}`));
  });
  it('the keys are compared with the cards given', async () => {
    const ran = await verify(backupIn(bk), '--card', card('c1'), card('c3'));
    expect([ran.exit, ran.json['trusted'], (ran.json['keys'] as { name: string; known: string }[]).map((k) => `${k.name} ${k.known}`)]).toEqual([0, false, ['c1 card', 'c2 unknown', 'c3 card']]);
  });
  it('each custodian opens its own piece, and no holder does', async () => {
    const c2 = await world.member('c2').run(['backup', 'verify', backupIn(bk), '--open']);
    expect([c2.exit, c2.json['opened']]).toEqual([0, ['c2', 'alice-treasury-epoch-1.c2.age']]);
    const bob = await world.member('bob').run(['backup', 'verify', backupIn(bk), '--open']);
    expect([bob.exit, wrong(bob)]).toEqual([21, ['open E_BACKUP_KEY']]);
  });
  it('a sheet is typed back to the same age file', async () => {
    const sheet = join(bk, 'SHEET-alice-treasury-epoch-1.c3.txt');
    const file = out('typed.age');
    const ran = await invoke(['backup', 'type', sheet, '--out', file, '--json']);
    expect(ran.exit).toBe(0);
    expect(readFileSync(file).equals(readFileSync(join(bk, 'alice-treasury-epoch-1.c3.age')))).toBe(true);
    const opened = await world.member('c3').run(['backup', 'verify', file, '--open', '--certificate', join(bk, 'certificate.json')]);
    expect([opened.exit, opened.json['opened']]).toEqual([0, ['typed.age']]);
    const typo = out('typo.txt');
    // the first character that the typist misses
    writeFileSync(typo, readFileSync(sheet, 'utf8').replace(/^( {2}4 {2}mpc1 \w)(\w)/m, (_, before: string, c: string) => before + (c === 'q' ? 'p' : 'q')));
    expect(await invoke(['backup', 'type', typo, '--out', out('never.age'), '--json'])).toMatchObject({ exit: 21, json: { error: { code: 'E_SHEET', field: 'line 4' } } });
    expect(existsSync(out('never.age'))).toBe(false);
  });
});

describe('what can have happened on the way', () => {
  const copy = (): string => {
    const dir = newDir();
    cpSync(bk, dir, { recursive: true });
    return dir;
  };
  it('bit rot in one age file', async () => {
    const dir = copy();
    const file = join(dir, 'alice-treasury-epoch-1.c1.age');
    const bytes = readFileSync(file);
    bytes[300] = (bytes[300] as number) ^ 1;
    writeFileSync(file, bytes);
    const ran = await verify(backupIn(dir));
    expect([ran.exit, wrong(ran)]).toEqual([21, ['age E_BACKUP_BAD']]);
    const opened = await world.member('c1').run(['backup', 'verify', file, '--open']);
    expect([opened.exit, wrong(opened)]).toEqual([21, ['open E_BACKUP_BAD']]);
  });
  it('the age files of two custodians exchanged', async () => {
    const dir = copy();
    const [a, b] = [join(dir, 'alice-treasury-epoch-1.c1.age'), join(dir, 'alice-treasury-epoch-1.c2.age')];
    renameSync(a, `${a}.x`);
    renameSync(b, a);
    renameSync(`${a}.x`, b);
    const ran = await verify(backupIn(dir));
    expect([ran.exit, checks(ran).filter((c) => c.verdict === 'wrong').map((c) => c.text)]).toEqual([21, ['two age files of this backup were exchanged', 'two age files of this backup were exchanged']]);
  });
  it('bob’s backup under the name of alice', async () => {
    const bob = await exportTo(world.member('bob'), 'bob-bk', '--to', card('c1'));
    expect(bob.exit).toBe(0);
    const dir = copy();
    cpSync(join(out('bob-bk'), 'bob-treasury-epoch-1.backup'), backupIn(dir));
    for (const f of readdirSync(dir)) if (f.endsWith('.age')) rmSync(join(dir, f));
    const ran = await verify(backupIn(dir));
    expect([ran.exit, wrong(ran)]).toEqual([21, ['name E_BACKUP_BAD']]);
  });
  it('another key, a missing file, something else', async () => {
    const certificate = out('other-certificate.json');
    writeFileSync(certificate, makeKey('frost-ed25519', '2-of(alice, bob, carol)').certificate.bytes);
    const ran = await verify(backupIn(bk), '--certificate', certificate);
    expect([ran.exit, wrong(ran)]).toEqual([21, ['key E_BACKUP_BAD']]);
    expect([(await verify(out('nothing.backup'))).exit, (await verify(certificate)).exit]).toEqual([22, 21]);
    expect(codes(await alice.run(['backup', 'export', '--key', 'treasury', '--out', out('r1')]))).toEqual([20, 'E_RECIPIENT']);
    const several = await verify(backupIn(bk), out('nothing.backup'));
    expect([several.exit, several.json['verdict'], (several.json['files'] as { verdict: string }[]).map((f) => f.verdict)]).toEqual([22, 'cannot-tell', ['ok', 'cannot-tell']]);
  });
});

describe('single recipients', () => {
  it('an age key and a card: each opens it alone', async () => {
    const identity = await generateX25519Identity();
    const file = out('key.txt');
    writeFileSync(file, `# test\n${identity}\n`, { mode: 0o600 });
    const ran = await exportTo(alice, 'single', '--to', card('c1'), await identityToRecipient(identity), '--site', 'Geneva');
    expect(ran.json).toMatchObject({ lock: 'recipients', exit: 0 });
    const opened = await verify(backupIn(out('single')), '--open', '--identity', file);
    expect([opened.exit, opened.json['verdict'], (opened.json['opened'] as string[]).length]).toEqual([0, 'ok', 2]);
    // the secret is in no output
    const share = parseBackup(new Uint8Array(readFileSync(backupIn(out('single')))), 'f');
    expect(share.record.recipients?.length).toBe(2);
    expect(printed.join('')).not.toContain(identity);
  });
  // made and opened by the library in test/backup/age.test.ts in every run
  it.runIf(ALL_TESTS)('a passphrase: no public proof, told only by opening', async () => {
    const pw = out('backup-pw');
    writeFileSync(pw, 'correct horse battery staple\n', { mode: 0o600 });
    const ran = await exportTo(alice, 'pass', '--passphrase-backup-file', pw);
    expect(ran.json).toMatchObject({ lock: 'passphrase', exit: 0, notes: expect.arrayContaining([expect.stringContaining('no public proof') as string]) as string[] });
    const closed = await verify(backupIn(out('pass')));
    expect([closed.exit, closed.json['verdict']]).toEqual([22, 'cannot-tell']);
    const opened = await verify(backupIn(out('pass')), '--open', '--passphrase-backup-file', pw);
    expect([opened.exit, opened.json['verdict'], opened.json['opened']]).toEqual([0, 'ok', ['alice-treasury-epoch-1.age']]);
    writeFileSync(pw, 'another one\n', { mode: 0o600 });
    const not = await verify(backupIn(out('pass')), '--open', '--passphrase-backup-file', pw);
    expect([not.exit, wrong(not)]).toEqual([21, ['open E_BACKUP_KEY']]);
  });
});

describe('no secret leaves', () => {
  it('neither in files nor on screens', async () => {
    // the only way to the share is through a custodian's key; what lies in the open holds no package in clear
    for (const file of readdirSync(bk).map((f) => join(bk, f))) expect([file, /"(?:share|piece)":"[0-9a-f]/.test(readFileSync(file, 'latin1'))]).toEqual([file, false]);
    expect(/"(?:share|piece)":"[0-9a-f]|AGE-SECRET-KEY/.test(printed.join(''))).toBe(false);
  });
});
