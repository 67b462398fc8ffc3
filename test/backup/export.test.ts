/** Making backups in real homes: who may keep one, where, under which key; the register; retired epochs; custody keys. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ageRecipient, parseRecipient } from '../../src/backup/recipient.ts';
import { careOf } from '../../src/ceremony/care.ts';
import { checkBackup } from '../../src/ceremony/backup-check.ts';
import { exportForeign } from '../../src/ceremony/foreign-export.ts';
import { addPeer } from '../../src/ceremony/peers.ts';
import { exportBackup, type ExportRequest } from '../../src/ceremony/backup-export.ts';
import { backupCopies, listBackups, noteTest } from '../../src/ceremony/backup-register.ts';
import { custodyCounters, custodySecrets, nextCustody } from '../../src/ceremony/custody.ts';
import { lockHome, ownCard } from '../../src/ceremony/home.ts';
import { addPrekeyToCard, freshPrekey, nextPrekeyCounter } from '../../src/ceremony/identity.ts';
import { activate, sharePath } from '../../src/ceremony/key-store.ts';
import { type Card, cardFingerprint, encodeCard, makeCard, parseCard } from '../../src/plan/card.ts';
import { Secret } from '../../src/vault/secret.ts';
import { fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { Table } from '../support/harness.ts';
import { Crash, crashing } from '../support/recovering.ts';
import { backupOf, codeOf, type Key, keeper, makeKey, random, toOne, toQuorum } from './support.ts';

const HOLDERS = ['alice', 'bob', 'carol'];
const OTHERS = ['c1', 'c2', 'c3'];
const QUORUM = '2-of(alice, bob, carol)';
let table: Table;
let key: Key;
let outs = 0;

/** Puts an epoch into the homes of all holders, as a ceremony would. */
function install(k: Key): void {
  for (const name of k.quorum.leaves.map((l) => l.name)) {
    const { home, identity } = table.party(name);
    identity.vault.put(sharePath('treasury', k.certificate.epoch.number), (k.shares.get(name) as Uint8Array).slice());
    activate(home, k.certificate);
  }
}
const people = (names: readonly string[]) => ({
  signers: new Map(names.map((n) => [n, table.party(n).identity.signer])),
  homes: new Map(names.map((n) => [n, table.party(n).home.facts.homeId])),
});
const nextEpoch = (expression = QUORUM): Key => makeKey('frost-ed25519', expression, { ...people(HOLDERS), number: 2, id: key.certificate.epoch.key.id, secret: key.secret });

beforeAll(async () => {
  table = await Table.open([...HOLDERS, ...OTHERS]);
  key = makeKey('frost-ed25519', QUORUM, people(HOLDERS));
  install(key);
  table.save('epoch-1');
});
beforeEach(() => {
  table.restore('epoch-1');
});
afterAll(() => {
  table.close();
});

const card = (name: string): string => join(table.party(name).home.root, 'identity', `${name}.card`);
const freshOut = (): string => join(table.root, 'out', String((outs += 1)));
const run = (over: Partial<ExportRequest>, who = 'alice') => {
  const { home, port } = table.party(who);
  return exportBackup(home, { key: 'treasury', to: [card('c1')], out: freshOut(), program: 'test 0', ...over }, port);
};
async function refusal(over: Partial<ExportRequest>, who = 'alice'): Promise<CeremonyError> {
  const out = freshOut();
  try {
    await run({ out, ...over }, who);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    if (over.out === undefined) expect(existsSync(out)).toBe(false);
    return e;
  }
  return expect.unreachable();
}
const codes = async (over: Partial<ExportRequest>): Promise<string> => (await refusal(over)).code;
/** A card file of the test's own making. */
function cardFile(over: Partial<Card> & { name: string }, from?: string): string {
  const file = join(table.root, `${over.name}-${String((outs += 1))}.card`);
  const base = from === undefined ? { mode: 'rehearsal' as const, homeId: toHex(random(16)), x25519: toHex(random(32)), prekeys: [], custody: { n: 1, key: toHex(keeper('x').key) } } : ownCard(table.party(from).home);
  const { sig: _, v: _v, type: _t, ed25519: _e, ...fields } = { sig: '', v: 1, type: '', ed25519: '', ...base, ...over } as Card & { sig: string };
  if (fields.custody === undefined) delete fields.custody;
  writeFileSync(file, encodeCard(makeCard(fields, from === undefined ? signerFromSeed(random(32)) : table.party(from).identity.signer)));
  return file;
}

describe('whom a backup is for', () => {
  it('to a card, to several, to custodians in the order of their quorum', async () => {
    expect(await run({})).toMatchObject({ lock: 'recipients', owner: 'alice', leaf: 1 });
    expect(await run({ to: [card('c1'), ageRecipient(keeper('x').key)] })).toMatchObject({ lock: 'recipients' });
    expect(await run({ to: [card('c3'), card('c1'), card('c2')], quorum: '2-of(c1, c2, c3)' })).toMatchObject({ lock: 'custodians' });
  });
  it('refuses nobody, a passphrase beside a card, damaged and double recipients', async () => {
    expect(await codes({ to: [] })).toBe('E_RECIPIENT');
    expect(await codes({ passphrase: new Secret(utf8('correct horse battery')) })).toBe('E_RECIPIENT');
    expect(await codes({ to: [`age1${'q'.repeat(58)}`] })).toBe('E_RECIPIENT');
    expect(await codes({ to: [card('c1'), card('c1')] })).toBe('E_RECIPIENT');
    expect(await codes({ to: [card('c1'), ageRecipient(fromHex(ownCard(table.party('c1').home).custody?.key as string))] })).toBe('E_RECIPIENT');
  });
  it('refuses cards that are missing, of production, without a custody key, or with an unusable one', async () => {
    expect(await codes({ to: [join(table.root, 'nothing.card')] })).toBe('E_CARD');
    expect(await codes({ to: [cardFile({ name: 'd', mode: 'production' })] })).toBe('E_REHEARSAL');
    const without = await refusal({ to: [cardFile({ name: 'd', custody: undefined } as never)] });
    expect([without.code, without.facts.field, without.facts.remedy]).toEqual(['E_CARD', 'custody', 'Ask d to run mpc-ceremony card renew, and take the new card.']);
    expect(await codes({ to: [cardFile({ name: 'd', custody: { n: 1, key: '01'.padEnd(64, '0') } })] })).toBe('E_RECIPIENT');
  });
  it('custodians: exactly the cards of their quorum', async () => {
    expect((await refusal({ to: [card('c1'), card('c2')], quorum: '2-of(c1, c2, c3)' })).facts.participant).toBe('c3');
    expect((await refusal({ to: OTHERS.map(card), quorum: 'all-of(c1, c2)' })).facts.participant).toBe('c3');
    expect(await codes({ to: OTHERS.map(card), quorum: '1-of(c1, c2, c3)' })).toBe('E_THRESHOLD');
    expect(await codes({ to: OTHERS.map(card), quorum: '2-of(c1, c2' })).toBe('E_QUORUM_SYNTAX');
    expect(await codes({ to: [card('c1'), ageRecipient(keeper('x').key)], quorum: 'all-of(c1, c2)' })).toBe('E_RECIPIENT');
  });
  it('a key that this home does not have, and a share that is not the one of the certificate', async () => {
    expect(await codes({ key: 'other' })).toBe('E_UNKNOWN_KEY');
    const { identity } = table.party('alice');
    identity.vault.put(sharePath('treasury', 1), (key.shares.get('bob') as Uint8Array).slice());
    expect(await codes({})).toBe('E_STATE');
  });
});

describe('central escrow (BAK-08)', () => {
  it('another holder does not keep a whole share', async () => {
    expect(await refusal({ to: [card('bob')] })).toMatchObject({ code: 'E_ESCROW', facts: { participant: 'bob' } });
    expect(await codes({ to: [card('c1'), card('bob')] })).toBe('E_ESCROW');
  });
  it('nor under another name: identity and home count', async () => {
    expect(await codes({ to: [cardFile({ name: 'robert' }, 'bob')] })).toBe('E_ESCROW');
    expect(await codes({ to: [cardFile({ name: 'robert', homeId: table.party('bob').home.facts.homeId })] })).toBe('E_ESCROW');
  });
  it('the owner keeps no key to its own backup in its own home', async () => {
    expect(await codes({ to: [card('alice')] })).toBe('E_ESCROW');
    expect(await codes({ to: [card('alice'), card('c1'), card('c2')], quorum: '2-of(alice, c1, c2)' })).toBe('E_ESCROW');
  });
  it('one home is not two custodians', async () => {
    const twin = cardFile({ name: 'c9', custody: { n: 9, key: toHex(keeper('x').key) } }, 'c1');
    expect(await codes({ to: [card('c1'), twin], quorum: 'all-of(c1, c9)' })).toBe('E_ESCROW');
  });
  it('holders who open it among themselves must not reach the key that way', async () => {
    // in 2-of-3 bob and carol sign anyway; in 3-of-3 alice's share is what they lack
    expect(await run({ to: [card('bob'), card('carol')], quorum: 'all-of(bob, carol)' })).toMatchObject({ lock: 'custodians' });
    const all = makeKey('frost-ed25519', 'all-of(alice, bob, carol)', { ...people(HOLDERS), number: 2, id: key.certificate.epoch.key.id });
    install(all);
    for (const name of ['bob', 'carol', 'c1', 'c2']) table.renew(name);
    expect(await refusal({ to: [card('bob'), card('carol'), card('c1')], quorum: '2-of(bob, carol, c1)' })).toMatchObject({ code: 'E_ESCROW', facts: { field: 'quorum' } });
    expect(await run({ to: [card('bob'), card('c2'), card('c1')], quorum: '2-of(bob, c2, c1)' })).toMatchObject({ lock: 'custodians' });
  });
});

describe('the register (BAK-03)', () => {
  it('two copies of one share at one site are refused, however it is spelt; another share may lie there', async () => {
    await run({ site: 'Zurich vault' });
    expect(await refusal({ site: ' zurich  VAULT ' })).toMatchObject({ code: 'E_BACKUP_PLACE', facts: { field: 'site' } });
    await run({ site: 'Geneva' });
    await run({ site: 'Zurich vault' }, 'bob');
    expect(listBackups(table.party('alice').home).map((c) => c.site)).toEqual(['Zurich vault', 'Geneva']);
  });
  it('the next epoch may take the place of the one before, which is retired', async () => {
    await run({ site: 'Zurich vault' });
    install(nextEpoch());
    table.renew('c1');
    await run({ site: 'Zurich vault' });
    expect(listBackups(table.party('alice').home, 'treasury').map((c) => [c.epoch, c.retired])).toEqual([[1, true], [2, false]]);
  });
  it('remembers the last test', async () => {
    await run({});
    const { home } = table.party('alice');
    const [copy] = backupCopies(home, 'treasury');
    expect(copy?.tested).toBeUndefined();
    expect(noteTest(home, 'treasury', '00'.repeat(32), '2026-03-02T00:00:00Z', 'proof')).toBe(false);
    expect(noteTest(home, 'treasury', copy?.sha256 as string, '2026-03-02T00:00:00Z', 'opened')).toBe(true);
    expect(backupCopies(home, 'treasury')[0]?.tested).toEqual({ at: '2026-03-02T00:00:00Z', how: 'opened' });
    expect(careOf(home, 'treasury')?.backupTested).toEqual({ epoch: 1, at: '2026-03-02T00:00:00Z' });
    // a test of a retired copy is no test of what is in use
    install(nextEpoch());
    noteTest(home, 'treasury', copy?.sha256 as string, '2026-04-02T00:00:00Z', 'opened');
    expect(careOf(home, 'treasury')?.backupTested?.at).toBe('2026-03-02T00:00:00Z');
  });
  it('a damaged register stops the export, and is never guessed', async () => {
    await run({});
    writeFileSync(join(table.party('alice').home.root, 'keys/treasury/backups.json'), '{"v":1}');
    expect(await codes({})).toBe('E_STATE');
  });
});

describe('a custody key holds one epoch', () => {
  it('refused for a second one, as custodian and as single recipient; fresh after card renew', async () => {
    const dealt = { to: ['c1', 'c2'].map(card), quorum: 'all-of(c1, c2)' };
    await run(dealt);
    // a further copy of the same epoch is no second epoch
    await run(dealt);
    install(nextEpoch());
    expect(await refusal(dealt)).toMatchObject({ code: 'E_CUSTODY_REUSED', facts: { field: 'custody', remedy: expect.stringContaining('card renew') as string } });
    expect(await codes({})).toBe('E_CUSTODY_REUSED');
    for (const name of OTHERS) table.renew(name);
    await run(dealt);
  });
  it('an age key of the owner’s own choice may be used again, with a remark', async () => {
    const to = [ageRecipient(keeper('x').key)];
    expect((await run({ to })).notes.join()).not.toContain('earlier epochs');
    install(nextEpoch());
    expect((await run({ to })).notes.join()).toContain('earlier epochs');
  });
});

describe('retired epochs', () => {
  it('a backup verifies for ever, and a home that is further says that it is retired (BAK-06)', async () => {
    const out = freshOut();
    await run({ out });
    const { home } = table.party('bob');
    const file = join(out, 'alice-treasury-epoch-1.backup');
    expect(await checkBackup(home.disk, file, undefined, home, undefined)).toMatchObject({ verdict: 'ok', retired: false });
    install(nextEpoch());
    const checked = await checkBackup(home.disk, file, undefined, home, undefined);
    expect(checked).toMatchObject({ verdict: 'ok', retired: true });
    expect(checked.checks.at(-1)).toMatchObject({ name: 'home', code: 'E_EPOCH', text: expect.stringContaining('RETIRED') as string });
    // against the certificate of the new epoch it is wrong
    expect(await checkBackup(home.disk, file, nextEpoch().certificate, undefined, undefined)).toMatchObject({ verdict: 'wrong' });
    // a home that knows another certificate of the same epoch says so
    const { home: c1 } = table.party('c1');
    const rival = makeKey('frost-ed25519', QUORUM, { ...people(HOLDERS), id: key.certificate.epoch.key.id });
    activate(c1, rival.certificate);
    expect((await checkBackup(c1.disk, file, undefined, c1, undefined)).checks.at(-1)).toMatchObject({ name: 'home', verdict: 'wrong', code: 'E_FORK' });
  });
});

describe('the files', () => {
  it('are closed to others, and never overwritten; others’ backups may lie beside them', async () => {
    const out = freshOut();
    const { wrote } = await run({ out });
    for (const { path } of wrote) expect([path, statSync(join(out, path)).mode & 0o777]).toEqual([path, /\.(?:backup|json)$/.test(path) ? 0o644 : 0o600]);
    expect(await codes({ out })).toBe('E_EXISTS');
    await run({ out }, 'bob');
    install(nextEpoch());
    table.renew('c1');
    await run({ out });
    expect(readdirSync(out).filter((f) => f.endsWith('certificate.json')).sort()).toEqual(['certificate.json', 'treasury-epoch-2.certificate.json']);
  });
  it('hold no share in clear, nor does the register (BAK-05)', async () => {
    const out = freshOut();
    await run({ out, to: OTHERS.map(card), quorum: '2-of(c1, c2, c3)' });
    const share = key.shares.get('alice') as Uint8Array;
    const needles = [toHex(share), Buffer.from(share).toString('base64').slice(0, 40), Buffer.from(share).toString('latin1')];
    const register = join(table.party('alice').home.root, 'keys/treasury/backups.json');
    for (const file of [...readdirSync(out).map((f) => join(out, f)), register]) {
      const text = readFileSync(file, 'latin1');
      for (const needle of needles) expect([file, text.includes(needle)]).toEqual([file, false]);
    }
  });
});

describe('custody keys', () => {
  it('stand sealed in the home from init on; a renewal adds one', () => {
    const { home, identity } = table.party('c2');
    const before = ownCard(home);
    expect([before.custody?.n, custodyCounters(home)]).toEqual([1, [1]]);
    table.renew('c2');
    const after = ownCard(home);
    expect([after.custody?.n, custodyCounters(home)]).toEqual([2, [1, 2]]);
    expect(toHex(cardFingerprint(after))).toBe(toHex(cardFingerprint(before)));
    const secrets = custodySecrets(home, identity.vault);
    expect(secrets.map((s) => s.n)).toEqual([2, 1]);
    const sealed = readFileSync(join(home.root, 'identity/custody/2.sealed'));
    expect(sealed.includes(Buffer.from(secrets[0]?.secret as Uint8Array))).toBe(false);
    expect(parseRecipient(ageRecipient(fromHex(after.custody?.key as string))).kind).toBe('x25519');
  });
  it('stay on the card when a confirmation adds a one-time key', () => {
    const { home, identity } = table.party('c2');
    const before = ownCard(home).custody;
    addPrekeyToCard(home, identity, freshPrekey(home, identity.vault, random, nextPrekeyCounter(home)));
    expect(ownCard(home).custody).toEqual(before);
  });
  it('a restored home skips the numbers that it may have published', () => {
    const { home } = table.party('c2');
    expect(nextCustody(home, 1, undefined)).toBe(2);
    expect(nextCustody(home, 7, undefined)).toBe(8);
    expect(nextCustody(home, 1, table.clock)).toBe(Math.floor(table.clock.getTime() / 1000));
    lockHome(home, 'a copy', table.clock);
    table.renew('c2');
    expect(ownCard(home).custody?.n).toBe(Math.floor(table.clock.getTime() / 1000));
  });
  it('a card without one is a card; one that was exchanged is not', () => {
    const file = cardFile({ name: 'd', custody: undefined } as never);
    const bytes = new Uint8Array(readFileSync(file));
    expect(parseCard(bytes, file).custody).toBeUndefined();
    expect(Buffer.from(bytes).toString()).not.toContain('custody');
    const own = Buffer.from(readFileSync(card('c1'))).toString();
    const swapped = own.replace(/("custody":\{"key":")[0-9a-f]{64}/, `$1${toHex(keeper('eve').key)}`);
    expect(swapped).not.toBe(own);
    expect(codeOf(() => parseCard(utf8(swapped), 'f'))).toBe('E_CARD');
    expect(codeOf(() => parseCard(utf8(own.replace(/"custody":\{[^}]*\},/, '')), 'f'))).toBe('E_CARD');
  });
});

describe('whose the keys of a backup are', () => {
  /** A backup of alice to keys under other people's names. */
  const fake = (names: readonly string[], keys = names.map(keeper)): string => {
    const file = join(table.root, `fake-${String((outs += 1))}.backup`);
    writeFileSync(file, backupOf(key, 'alice', names.length === 1 ? toOne(keys[0] as never) : toQuorum(`2-of(${names.join(', ')})`, keys), file).backup.bytes);
    return file;
  };
  const check = async (file: string, who?: string, cards: readonly Card[] = [], custody?: readonly Uint8Array[]) => {
    const home = who === undefined ? undefined : table.party(who).home;
    return checkBackup(table.party('alice').home.disk, file, key.certificate, home, custody && { custody }, cards);
  };
  const named = ({ keys }: Awaited<ReturnType<typeof check>>) => keys.map((k) => `${k.name ?? '-'} ${k.known}`);
  const wrong = ({ checks }: Awaited<ReturnType<typeof check>>) => checks.filter((c) => c.verdict === 'wrong').map((c) => `${c.name} ${c.of ?? ''} ${c.code ?? ''}`);

  it('nobody has a card: every key is shown, no name is believed', async () => {
    const own = OTHERS.map(keeper);
    const checked = await check(fake(OTHERS, own));
    expect([checked.verdict, checked.trusted, named(checked)]).toEqual(['ok', true, ['c1 unknown', 'c2 unknown', 'c3 unknown']]);
    expect(checked.keys.map((k) => k.key)).toEqual(own.map((k) => ageRecipient(k.key)));
    for (const { text } of checked.checks) expect(text).not.toMatch(/\bc[123]\b/);
  });
  it('the custodian itself, and whoever has its card, sees that the key is another', async () => {
    expect(wrong(await check(fake(OTHERS), 'c1'))).toEqual(['recipient c1 E_BACKUP_KEY']);
    const cards = OTHERS.map((c) => ownCard(table.party(c).home));
    expect(wrong(await check(fake(OTHERS), undefined, cards))).toEqual(OTHERS.map((c) => `recipient ${c} E_BACKUP_KEY`));
    addPeer(table.party('bob').home, cards[1] as Card, 'c2');
    const bob = await check(fake(OTHERS), 'bob');
    expect([bob.verdict, wrong(bob)]).toEqual(['wrong', ['recipient c2 E_BACKUP_KEY']]);
  });
  it('a real one is known by card, by its own home, and by the home that made it', async () => {
    const out = freshOut();
    const dealt = { to: OTHERS.map(card), quorum: '2-of(c1, c2, c3)', out };
    await run(dealt);
    const file = join(out, 'alice-treasury-epoch-1.backup');
    expect(named(await check(file, undefined, [ownCard(table.party('c2').home)]))).toEqual(['c1 unknown', 'c2 card', 'c3 unknown']);
    expect(named(await check(file, 'c1'))).toEqual(['c1 own', 'c2 unknown', 'c3 unknown']);
    // its card was renewed since: earlier keys are known where the home is opened, and to the register of the maker
    table.renew('c1');
    addPeer(table.party('alice').home, ownCard(table.party('c1').home), 'c1');
    expect([named(await check(file, 'c1'))[0], named(await check(file, 'alice'))[0]]).toEqual(['c1 unknown', 'c1 register']);
    const { home, identity } = table.party('c1');
    const opened = await check(file, 'c1', [], custodySecrets(home, identity.vault).map((k) => k.secret));
    expect([opened.verdict, named(opened)[0]]).toEqual(['ok', 'c1 own']);
    const stolen = await check(fake(['c1'], [keeper('c1')]), 'c1', [], custodySecrets(home, identity.vault).map((k) => k.secret));
    expect(wrong(stolen)).toContain('recipient c1 E_BACKUP_KEY');
  });
});

describe('a home that is behind', () => {
  it('cannot tell of a later epoch without its certificate; another public key is wrong', async () => {
    const next = nextEpoch();
    const file = join(table.root, 'alice-treasury-epoch-2.backup');
    writeFileSync(file, backupOf(next, 'alice', toOne(keeper('x')), file).backup.bytes);
    const { home } = table.party('bob');
    expect(await checkBackup(home.disk, file, undefined, home, undefined)).toMatchObject({ verdict: 'cannot-tell', trusted: false, retired: false });
    expect(await checkBackup(home.disk, file, next.certificate, home, undefined)).toMatchObject({ verdict: 'ok', trusted: true });
    const rival = makeKey('frost-ed25519', QUORUM, { ...people(HOLDERS), number: 2, id: key.certificate.epoch.key.id });
    writeFileSync(file, backupOf(rival, 'alice', toOne(keeper('x')), file).backup.bytes);
    expect((await checkBackup(home.disk, file, undefined, home, undefined)).checks.at(-1)).toMatchObject({ name: 'home', verdict: 'wrong', code: 'E_FORK' });
  });
});

describe('a share for another implementation', () => {
  const foreign = (to: string, out = freshOut()) => {
    const { home, port } = table.party('alice');
    return exportForeign(home, { key: 'treasury', as: 'zf-frost', to, out }, port);
  };
  const code = async (to: string): Promise<string> => {
    try {
      await foreign(to);
    } catch (e) {
      return (e as CeremonyError).code;
    }
    return 'none';
  };
  it('is kept by nobody who may not keep a backup, and stands in the register', async () => {
    expect(await code(card('bob'))).toBe('E_ESCROW');
    expect(await code(cardFile({ name: 'd', mode: 'production' }))).toBe('E_REHEARSAL');
    expect(backupCopies(table.party('alice').home, 'treasury')).toEqual([]);
    const [age] = await foreign(card('c1'));
    expect(backupCopies(table.party('alice').home, 'treasury')).toMatchObject([{ file: 'alice-treasury-epoch-1.zf-frost.age', sha256: age?.sha256, lock: 'recipients', owner: 'alice', epoch: 1, recipients: [{ name: 'c1' }] }]);
    lockHome(table.party('alice').home, 'a copy', table.clock);
    expect(await code(card('c2'))).toBe('E_ROLLBACK');
  });
});

describe('a crash', () => {
  it('at any write leaves no copy that nobody registered, and the same command ends it', async () => {
    const { home } = table.party('alice');
    let crashes = 0;
    for (let at = 1; at < 30; at++) {
      table.restore('epoch-1', 'alice');
      const out = freshOut();
      const request = { key: 'treasury', to: [card('c1')], site: 'Zurich vault', out, program: 'test 0' };
      const crashed = await crashing(table, 'alice', at);
      try {
        await exportBackup(crashed.home, request, crashed.port);
        break;
      } catch (e) {
        if (!(e instanceof Crash) && !(e instanceof CeremonyError && e.facts.cause instanceof Crash)) throw e;
      }
      crashes += 1;
      // after the last write nothing is left to do
      if (backupCopies(home, 'treasury').some((c) => c.begun === undefined)) continue;
      const files = existsSync(out) ? readdirSync(out).filter((f) => !f.startsWith('.')) : [];
      if (files.length > 0) expect([at, backupCopies(home, 'treasury').length]).toEqual([at, 1]);
      await exportBackup(home, request, table.party('alice').port);
      const file = join(out, 'alice-treasury-epoch-1.backup');
      const checked = await checkBackup(home.disk, file, undefined, home, undefined);
      expect([at, checked.verdict, checked.checks.some((c) => c.name === 'age' && c.verdict === 'ok')]).toEqual([at, 'ok', true]);
      const copies = backupCopies(home, 'treasury');
      expect([at, copies.filter((c) => c.begun === undefined).map((c) => c.sha256)]).toEqual([at, [checked.sha256]]);
      expect(await codes({ out, site: 'Geneva' })).toBe('E_EXISTS');
    }
    expect(crashes).toBeGreaterThan(4);
  });
  it('a locked home makes no backup', async () => {
    lockHome(table.party('alice').home, 'a copy', table.clock);
    expect(await codes({})).toBe('E_ROLLBACK');
  });
});
