/** A holder restores its share from its own backup: rows REC-01, REC-02, BAK-06, PLC-11 and rule P6. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseBackup } from '../../src/backup/backup-file.ts';
import { lockHome } from '../../src/ceremony/home.ts';
import { activeEpoch, epochPrimesPath, requireKey, retireKey, sharePath, stockPath } from '../../src/ceremony/key-store.ts';
import { recoverOwn, type RecoverRequest } from '../../src/ceremony/recover.ts';
import { recoveredShares } from '../../src/ceremony/recover-store.ts';
import type { Port } from '../../src/ceremony/port.ts';
import { Secret } from '../../src/vault/secret.ts';
import { words } from '../../src/wire/words.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { altered, backupOf, makeKey, toOne } from '../backup/support.ts';
import { Table } from '../support/harness.ts';
import { backUp, card, codeOf, crashEverywhere, errorOf, expectClean, expectNothing, expectRestored, hasShare, shareIn } from '../support/recovering.ts';
import { refresh, reshare } from '../support/redealer.ts';

const HOLDERS = ['alice', 'bob', 'carol'];
const PHRASE = 'gravel-otter-lantern-08';
const BACKUP = 'alice-treasury-epoch-1.backup';
let table: Table;
let identity: string;
let other: string;
/** Backups of alice, to an age key and to the card of dave; bob's, to the same age key. */
let bk: string;
let bkDave: string;
let bkBob: string;
let bkPhrase: string;
const shares = new Map<string, string>();

beforeAll(async () => {
  table = await Table.open([...HOLDERS, 'alice2', 'dave']);
  await (await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: HOLDERS, stock: 2 })).settle();
  for (const n of HOLDERS) shares.set(n, shareIn(table, n));
  identity = await generateX25519Identity();
  other = await generateX25519Identity();
  const to = await identityToRecipient(identity);
  bk = await backUp(table, 'alice', 'alice', { to: [to] });
  bkDave = await backUp(table, 'alice', 'dave', { to: [card(table, 'dave')] });
  bkBob = await backUp(table, 'bob', 'bob', { to: [to] });
  bkPhrase = await backUp(table, 'alice', 'phrase', { passphrase: new Secret(utf8(PHRASE)) });
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const of = (label: string): string => shares.get(label) as string;
const fromBackup = (file = join(bk, BACKUP), over: Partial<RecoverRequest> = {}): RecoverRequest => ({ from: { kind: 'backup', file }, identities: [identity], forensic: false, unattended: true, ...over });
const recover = (label: string, request: RecoverRequest = fromBackup()) => {
  const { home, port } = table.party(label);
  return recoverOwn(home, request, port);
};
/** A copy of a backup folder with something changed. */
function changed(from: string, change: (dir: string) => void): string {
  const dir = join(table.root, 'changed');
  rmSync(dir, { recursive: true, force: true });
  cpSync(from, dir, { recursive: true });
  change(dir);
  return dir;
}
const phrase = (text: string) => () => Promise.resolve(new Secret(utf8(text)));

describe('a share comes back', () => {
  test('in a new home: whole, marked, active, and it signs nothing', async () => {
    const done = await recover('alice2');
    expect([done.did, done.owner]).toEqual(['restored', 'alice']);
    expect(done.lines.join(' ')).toMatch(/SIGNS NOTHING.*reshare.*--dealers alice=alice2/);
    expectRestored(table, 'alice2', of('alice'));
    const { home } = table.party('alice2');
    expect(recoveredShares(home)).toMatchObject([{ owner: 'alice', epoch: 1, from: 'backup', forensic: false, at: '2026-03-01T12:00:00Z' }]);
    expectClean(home.root, shares);
    expect((await recover('alice2')).did).toBe('already-restored');
    expect(recoveredShares(home)).toHaveLength(1);
  });

  test('from the age file, the typed sheet, and a passphrase', async () => {
    const sheet = join(bk, 'SHEET-alice-treasury-epoch-1.txt');
    const digest = /SHA-256 of the age file\n(.+)\n/.exec(readFileSync(sheet, 'utf8'))?.[1] as string;
    const ways: RecoverRequest[] = [
      fromBackup(join(bk, 'alice-treasury-epoch-1.age'), { from: { kind: 'age', file: join(bk, 'alice-treasury-epoch-1.age') } }),
      { from: { kind: 'sheet', file: sheet }, digest, identities: [identity], forensic: false, unattended: true },
      { from: { kind: 'backup', file: join(bkPhrase, BACKUP) }, identities: [], passphrase: phrase(PHRASE), forensic: false, unattended: true },
    ];
    for (const request of ways) {
      table.restore('key', 'alice2');
      expect((await recover('alice2', request)).did).toBe('restored');
      expectRestored(table, 'alice2', of('alice'));
    }
  });

  test('with the custody key of a home that it was made to, if that home holds no share', async () => {
    expect((await recover('dave', fromBackup(join(bkDave, BACKUP), { identities: [] }))).did).toBe('restored');
    expectRestored(table, 'dave', of('alice'));
  });

  test('in the same home, when the share was lost or is damaged; its stocks and primes are void', async () => {
    const { home, identity: own } = table.party('alice');
    for (const spoil of [() => home.disk.erase(join(home.root, sharePath('treasury', 1))), () => own.vault.put(sharePath('treasury', 1), new Uint8Array(32).fill(7)), () => writeFileSync(join(home.root, sharePath('treasury', 1)), 'rot')]) {
      table.restore('key', 'alice');
      own.vault.put(epochPrimesPath('treasury', 1), new Uint8Array(32));
      spoil();
      expect(home.disk.exists(join(home.root, stockPath('treasury', 1, 0)))).toBe(true);
      const done = await recover('alice');
      expect(done.did).toBe('restored');
      expect(done.lines.join(' ')).toContain('refresh --key treasury');
      expectRestored(table, 'alice', of('alice'));
      for (const path of [stockPath('treasury', 1, 0), stockPath('treasury', 1, 1), epochPrimesPath('treasury', 1)]) expect(home.disk.exists(join(home.root, path))).toBe(false);
    }
    // it begins no signing, and takes part in none
    for (const lead of ['alice', 'bob']) {
      const run = await table.sign({ honest: ['alice', 'bob'], lead, live: true });
      if (lead === 'bob') await run.next('alice');
      expect(run.error('alice').code).toBe('E_RESTORED');
    }
  });

  test('a home whose share is good is left alone', async () => {
    expect(await codeOf(() => recover('alice'))).toBe('E_EXISTS');
    const run = await table.sign({ honest: ['alice', 'bob'] });
    await run.settle();
    expect(run.code('alice')).toBe('DONE');
  });

  test('a refresh in the same home makes it sign again; a reshare does in a new one', async () => {
    const { home } = table.party('alice');
    home.disk.erase(join(home.root, sharePath('treasury', 1)));
    await recover('alice');
    const fresh = await refresh(table, { honest: HOLDERS });
    await fresh.settle();
    expect(HOLDERS.map((n) => fresh.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
    const signed = await table.sign({ honest: ['alice', 'bob'], live: true });
    await signed.settle();
    expect(signed.code('alice')).toBe('DONE');
  });

  test('in a new home it is dealt on under the new name; peers refuse the lost home when it comes back', async () => {
    const publicKey = requireKey(table.party('bob').home, 'treasury').epoch.publicKey;
    await recover('alice2');
    const honest = ['alice2', 'bob', 'carol'];
    const run = await reshare(table, { honest, lead: 'alice2' }, { quorum: '2-of(alice2, bob, carol)', dealers: [['alice', 'alice2'], ['bob', 'bob']] });
    await run.settle();
    expect(honest.map((n) => run.code(n))).toEqual(['DONE', 'DONE', 'DONE']);
    expect(requireKey(table.party('alice2').home, 'treasury').epoch.publicKey).toBe(publicKey);
    const signed = await table.sign({ honest: ['alice2', 'carol'], live: true });
    await signed.settle();
    expect(signed.code('carol')).toBe('DONE');
    const back = await table.sign({ honest: ['alice', 'bob'], live: true });
    await back.settle();
    expect(back.error('bob').code).toBe('E_EPOCH');
    expect(hasShare(table.party('alice2').home, 1)).toBe(false);
  });
});

describe('one home, one share (PLC-11, REC-02)', () => {
  test('a holder takes no other share, whatever it is called', async () => {
    expect(await codeOf(() => recover('bob'))).toBe('E_TWO_SHARES');
    expect(shareIn(table, 'bob')).toBe(of('bob'));
  });
  test('a home that restored one share takes no second one', async () => {
    await recover('alice2');
    expect(await codeOf(() => recover('alice2', fromBackup(join(bkBob, 'bob-treasury-epoch-1.backup'))))).toBe('E_TWO_SHARES');
    expect(await codeOf(() => recover('alice2', { from: { kind: 'age', file: join(bkBob, 'bob-treasury-epoch-1.age') }, identities: [identity], forensic: false, unattended: true }))).toBe('E_TWO_SHARES');
    expectRestored(table, 'alice2', of('alice'));
  });
  test('nor one that held a share of its own in another epoch, or waits for the certificate of one', async () => {
    // dave joins with a share of its own
    const run = await reshare(table, { honest: [...HOLDERS, 'dave'] }, { quorum: '2-of(bob, carol, dave)', dealers: [['alice', 'alice'], ['bob', 'bob']] });
    await run.settle();
    expect(run.code('dave')).toBe('DONE');
    const later = join(table.root, 'later.json');
    writeFileSync(later, requireKey(table.party('dave').home, 'treasury').bytes);
    expect(await codeOf(() => recover('dave', fromBackup(undefined, { certificate: later, forensic: true })))).toBe('E_TWO_SHARES');
    // the same before the certificate: a pending share is a share
    const { home } = table.party('dave');
    rmSync(join(home.root, 'keys/treasury/epoch-2/certificate.json'));
    expect(activeEpoch(home, 'treasury')).toBeUndefined();
    expect(await codeOf(() => recover('dave'))).toBe('E_TWO_SHARES');
  });
  test('a new home under the name of a holder could never deal: refused', async () => {
    await table.seat('alice', 'alice-new');
    expect(await codeOf(() => recover('alice-new'))).toBe('E_SEAT_DUP');
    expectNothing(table.party('alice-new').home);
    table.parties.delete('alice-new');
  });
});

describe('retired epochs (BAK-06)', () => {
  let later: string;
  beforeAll(async () => {
    table.restore('key');
    const run = await refresh(table, { honest: HOLDERS });
    await run.settle();
    later = join(table.root, 'later.json');
    writeFileSync(later, requireKey(table.party('bob').home, 'treasury').bytes);
    table.save('refreshed');
  });
  beforeEach(() => {
    table.restore('refreshed');
  });

  test('a home that knows the later epoch refuses, a new one with its certificate too', async () => {
    const before = shareIn(table, 'alice');
    expect(await codeOf(() => recover('alice'))).toBe('E_EPOCH');
    expect(await codeOf(() => recover('alice2', fromBackup(undefined, { certificate: later })))).toBe('E_EPOCH');
    expectNothing(table.party('alice2').home);
    expect(shareIn(table, 'alice')).toBe(before);
    expect(hasShare(table.party('alice').home, 1)).toBe(false);
  });
  test('--forensic opens it and keeps nothing that could sign, deal or prove', async () => {
    for (const [label, over] of [['alice', {}], ['alice2', { certificate: later }]] as const) {
      const done = await recover(label, fromBackup(undefined, { ...over, forensic: true }));
      expect(done.did).toBe('examined');
      const { home } = table.party(label);
      expect(hasShare(home, 1)).toBe(false);
      expect(recoveredShares(home)).toMatchObject([{ owner: 'alice', epoch: 1, forensic: true }]);
      expectClean(home.root, shares);
    }
    expect(activeEpoch(table.party('alice2').home, 'treasury')).toBeUndefined();
    // who has examined one share has had it in memory
    expect(await codeOf(() => recover('alice2', fromBackup(join(bkBob, 'bob-treasury-epoch-1.backup'), { certificate: later, forensic: true })))).toBe('E_TWO_SHARES');
  });
  test('--forensic is no way round the checks', async () => {
    expect(await codeOf(() => recover('alice2', fromBackup(undefined, { forensic: true })))).toBe('E_USAGE');
    expect(await codeOf(() => recover('alice2', fromBackup(undefined, { certificate: later, forensic: true, identities: [other] })))).toBe('E_BACKUP_KEY');
    expectNothing(table.party('alice2').home);
  });
  test('an older home does not take a later epoch from a backup: anybody can write one', async () => {
    const to = await identityToRecipient(identity);
    const newer = await backUp(table, 'alice', 'newer', { to: [to] });
    table.restore('key', 'alice');
    const { home } = table.party('alice');
    home.disk.erase(join(home.root, sharePath('treasury', 1)));
    expect(await codeOf(() => recover('alice', fromBackup(join(newer, 'alice-treasury-epoch-2.backup'))))).toBe('E_EPOCH');
    expect(requireKey(home, 'treasury').epoch.number).toBe(1);
  });
});

describe('what does not fit is refused with its own reason, and nothing is kept', () => {
  test('another key, another passphrase, no passphrase', async () => {
    expect(await codeOf(() => recover('alice2', fromBackup(undefined, { identities: [other] })))).toBe('E_BACKUP_KEY');
    expect(await codeOf(() => recover('alice2', fromBackup(undefined, { identities: [] })))).toBe('E_BACKUP_KEY');
    expect(await codeOf(() => recover('alice2', { from: { kind: 'backup', file: join(bkPhrase, BACKUP) }, identities: [], passphrase: phrase('wrong'), forensic: false, unattended: true }))).toBe('E_BACKUP_KEY');
    expectNothing(table.party('alice2').home);
  });

  test('bit rot, exchanged files, foreign signature, forged proof', async () => {
    const cases: [string, string, (dir: string) => void][] = [
      ['a byte of the file', 'E_BACKUP_BAD', (dir) => flip(join(dir, BACKUP))],
      ["bob's under alice's name", 'E_BACKUP_BAD', (dir) => { cpSync(join(bkBob, 'bob-treasury-epoch-1.backup'), join(dir, BACKUP)); }],
      ['changed, not signed', 'E_SIGNATURE', (dir) => rewrite(dir, (r) => { r.made = '2026-03-01T12:00:01Z'; })],
      ['another owner', 'E_BACKUP_BAD', (dir) => rewrite(dir, (r) => { r.owner = 'bob'; })],
      ['another epoch', 'E_BACKUP_BAD', (dir) => { rewrite(dir, (r) => { r.epoch = 2; }); renameSync(join(dir, BACKUP), join(dir, 'x.backup')); }],
      ['a forged proof', 'E_BACKUP_PROOF', (dir) => rewrite(dir, (r) => {
        for (const each of (r.recipients ?? []) as { proof: string }[]) {
          const proof = Buffer.from(each.proof, 'base64');
          proof[proof.length - 1] = (proof.at(-1) ?? 0) ^ 1;
          each.proof = proof.toString('base64');
        }
      }, true)],
    ];
    for (const [what, code, change] of cases) {
      const dir = changed(bk, change);
      const file = what === 'another epoch' ? join(dir, 'x.backup') : join(dir, BACKUP);
      expect([what, await codeOf(() => recover('alice2', fromBackup(file)))]).toEqual([what, code]);
    }
    expectNothing(table.party('alice2').home);
  });

  test('an age file that rotted, or is of another backup', async () => {
    const rotten = changed(bkPhrase, (dir) => flip(join(dir, 'alice-treasury-epoch-1.age'), 400));
    expect(await codeOf(() => recover('alice2', { from: { kind: 'backup', file: join(rotten, BACKUP) }, identities: [], passphrase: phrase(PHRASE), forensic: false, unattended: true }))).toBe('E_BACKUP_BAD');
    const swapped = changed(bkPhrase, (dir) => { cpSync(join(bk, 'alice-treasury-epoch-1.age'), join(dir, 'alice-treasury-epoch-1.age')); });
    expect(await codeOf(() => recover('alice2', { from: { kind: 'backup', file: join(swapped, BACKUP) }, identities: [identity], passphrase: phrase(PHRASE), forensic: false, unattended: true }))).toBe('E_BACKUP_BAD');
    const alone = changed(bk, (dir) => { rmSync(join(dir, 'certificate.json')); });
    const age = { from: { kind: 'age' as const, file: join(alone, 'alice-treasury-epoch-1.age') }, identities: [identity], forensic: false, unattended: true };
    expect(await codeOf(() => recover('alice2', age))).toBe('E_MISSING');
    const foreign = join(table.root, 'foreign.json');
    writeFileSync(foreign, makeKey('frost-ed25519', '2-of(alice, bob, carol)').certificate.bytes);
    expect(await codeOf(() => recover('alice2', { ...age, certificate: foreign }))).toBe('E_BACKUP_BAD');
    expect(await codeOf(() => recover('alice2', fromBackup(undefined, { certificate: foreign })))).toBe('E_BACKUP_BAD');
    expectNothing(table.party('alice2').home);
  });

  test('a wrong line of the sheet is named', async () => {
    const sheet = readFileSync(join(bk, 'SHEET-alice-treasury-epoch-1.txt'), 'utf8');
    const file = join(table.root, 'typed.txt');
    writeFileSync(file, sheet.replace(/( {2}3 {2}mpc1 \w)(\w)/, (_, a: string, b: string) => a + (b === 'q' ? 'p' : 'q')));
    const error = await errorOf(() => recover('alice2', { from: { kind: 'sheet', file }, identities: [identity], certificate: join(bk, 'certificate.json'), forensic: false, unattended: true }));
    expect([error?.code, error?.facts.field]).toEqual(['E_SHEET', 'line 3']);
    expectNothing(table.party('alice2').home);
  });

  test('a made-up key of the same id and a higher epoch does not touch a holder', async () => {
    const real = requireKey(table.party('bob').home, 'treasury').epoch.key.id;
    const forged = makeKey('frost-ed25519', '2-of(erin, frank)', { id: real, number: 9 });
    const file = join(table.root, 'erin-treasury-epoch-9.backup');
    const custody = table.party('bob').home;
    const key = new Uint8Array(Buffer.from((JSON.parse(readFileSync(join(custody.root, 'identity/bob.card'), 'utf8')) as { custody: { key: string } }).custody.key, 'hex'));
    writeFileSync(file, backupOf(forged, 'erin', toOne({ name: 'bob', key }), file).backup.bytes);
    expect(await codeOf(() => recover('bob', fromBackup(file, { identities: [] })))).toBe('E_TWO_SHARES');
    expect([requireKey(custody, 'treasury').epoch.number, shareIn(table, 'bob')]).toEqual([1, of('bob')]);
  });

  test('a locked home, and one that has ended its part in the key', async () => {
    const { home } = table.party('alice');
    home.disk.erase(join(home.root, sharePath('treasury', 1)));
    lockHome(home, 'an older copy', table.clock);
    expect(await codeOf(() => recover('alice'))).toBe('E_ROLLBACK');
    table.restore('key', 'alice');
    retireKey(home, requireKey(home, 'treasury').epoch, 'nothing left', 'elsewhere', '2026-03-01T12:00:00Z');
    expect(await codeOf(() => recover('alice'))).toBe('E_RETIRED');
    expect(hasShare(home, 1)).toBe(false);
  });
});

describe('a crash at every write', () => {
  test.each([['alice2', 'a new home'], ['alice', 'the same home']])('%s: %s has nothing that signs, and the same command ends it', async (label) => {
    const { home } = table.party(label);
    if (label === 'alice') home.disk.erase(join(home.root, sharePath('treasury', 1)));
    // the age file: what is written is the same, and there are no proofs to check
    const quick: RecoverRequest = { from: { kind: 'age', file: join(bk, 'alice-treasury-epoch-1.age') }, identities: [identity], forensic: false, unattended: true };
    const start = join(table.root, 'start');
    rmSync(start, { recursive: true, force: true });
    mkdirSync(dirname(start), { recursive: true });
    cpSync(home.root, start, { recursive: true });
    const crashes = await crashEverywhere(table, label, (h, port) => recoverOwn(h, quick, port), async () => {
      // whatever is there: no share that signs
      if (activeEpoch(home, 'treasury') && hasShare(home)) expectRestored(table, label, of('alice'));
      if (!activeEpoch(home, 'treasury')) expect(await codeOf(() => Promise.resolve().then(() => requireKey(home, 'treasury')))).not.toBe('ok');
      expectClean(home.root, shares);
      expect(['restored', 'already-restored']).toContain((await recover(label, quick)).did);
      expectRestored(table, label, of('alice'));
      rmSync(home.root, { recursive: true, force: true });
      cpSync(start, home.root, { recursive: true });
    });
    expect(crashes).toBeGreaterThan(4);
    expectRestored(table, label, of('alice'));
  });
});

describe("peers' memory and an old copy of a whole home (rule P6)", () => {
  test('an old copy that signs from stock again: refused by its peer, and locked by its own traces', async () => {
    const first = await table.sign({ honest: ['bob', 'alice'] });
    await first.settle();
    expect(first.code('bob')).toBe('DONE');
    table.restore('key', 'bob');
    // bob's copy knows of nothing: its plan names the stock that is spent
    const second = await table.sign({ honest: ['bob', 'alice'], message: 'another one' });
    await second.next('alice');
    expect(second.code('alice')).toBe('E_NONCE_BURNED');
    table.restore('key', 'bob');
    // shown the folder of its newer self, it locks and its stock is void
    await first.next('bob');
    expect(first.code('bob')).toBe('E_ROLLBACK');
    const { home } = table.party('bob');
    expect(home.disk.exists(join(home.root, stockPath('treasury', 1, 1)))).toBe(false);
    // a locked home restores nothing on top
    expect(await codeOf(() => recover('bob', fromBackup(join(bkBob, 'bob-treasury-epoch-1.backup'))))).toBe('E_ROLLBACK');
  });
});

function flip(file: string, at = 3): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(file, bytes);
}
type Change = Parameters<typeof altered>[1];
/** The backup of a folder with other contents, signed again or not. */
function rewrite(dir: string, change: Change, signed = false): void {
  const file = join(dir, BACKUP);
  const next = altered(parseBackup(readFileSync(file), file), change, signed ? table.party('alice').identity.signer : undefined);
  writeFileSync(file, next.bytes);
}

describe('whose epoch it is', () => {
  /** A person at the terminal: types the two missing words of what it has on paper. */
  const paper = (all: readonly string[], source: 'typed' | 'scripted' = 'typed'): Pick<Port, 'ask'> => ({
    ask: (id, question) => {
      expect(id).toBe('recover-words');
      const [, a, b] = /words (\d+) and (\d+)/.exec(question.at(-1) as string) as unknown as [string, string, string];
      return Promise.resolve({ answer: `${all[Number(a) - 1] as string} ${all[Number(b) - 1] as string}`, source });
    },
  });
  const at = (port: Partial<Port>, request: RecoverRequest) => recoverOwn(table.party('alice2').home, request, { ...table.party('alice2').port, ...port });
  const attended = (over: Partial<RecoverRequest> = {}) => fromBackup(undefined, { unattended: false, ...over });
  const age = (): RecoverRequest => ({ from: { kind: 'age', file: join(bk, 'alice-treasury-epoch-1.age') }, identities: [identity], forensic: false });
  const wordsOf = (c: { digest: Uint8Array }): string[] => words(c.digest.slice(0, 16));

  test('a home that does not know the epoch asks for its words; a script does not answer', async () => {
    const own = wordsOf(requireKey(table.party('bob').home, 'treasury'));
    const other_ = wordsOf(makeKey('frost-ed25519', '2-of(alice, bob)').certificate);
    for (const request of [attended(), age()]) {
      expect(await codeOf(() => at({}, request))).toBe('E_PERSON');
      expect(await codeOf(() => at(paper(own, 'scripted'), request))).toBe('E_PERSON');
      expect(await codeOf(() => at(paper(other_), request))).toBe('E_WORDS');
      expectNothing(table.party('alice2').home);
    }
    expect((await at(paper(own), attended())).compared).toBe('typed');
    expect(recoveredShares(table.party('alice2').home)).toMatchObject([{ compared: 'typed' }]);
  });
  test('a certificate that was there before asks nothing; unattended is recorded', async () => {
    const trusted = join(table.root, 'trusted.json');
    writeFileSync(trusted, requireKey(table.party('bob').home, 'treasury').bytes);
    expect((await at({}, attended({ certificate: trusted }))).compared).toBe('certificate');
    table.restore('key', 'alice2');
    expect((await at({}, attended({ unattended: true }))).compared).toBe('not-compared');
    expect(recoveredShares(table.party('alice2').home)).toMatchObject([{ compared: 'not-compared' }]);
    // the lost share of a home that has the certificate
    table.party('alice').home.disk.erase(join(table.party('alice').home.root, sharePath('treasury', 1)));
    expect((await recover('alice', attended())).compared).toBe('certificate');
  });
});
