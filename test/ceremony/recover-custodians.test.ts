/** A share comes back from custodians; custodians and recovering members who cheat are named or refused. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseBackup } from '../../src/backup/backup-file.ts';
import { makeProof } from '../../src/backup/make-proof.ts';
import { openPiece } from '../../src/backup/open-backup.ts';
import { cardText, encodeRecovery, parseReleased, parseRequest, pieceDigest, type PieceRecord, releaseStatement, requestDigest, type RequestRecord, requestWords } from '../../src/backup/recovery.ts';
import { encodeRecoveryEvidence, proveRecoveryEvidence } from '../../src/backup/recovery-evidence.ts';
import { backupCertificate } from '../../src/backup/verify-backup.ts';
import { x25519Public } from '../../src/backup/x25519.ts';
import { custodySecrets } from '../../src/ceremony/custody.ts';
import { type Home, ownCard } from '../../src/ceremony/home.ts';
import { activeEpoch, requireKey } from '../../src/ceremony/key-store.ts';
import { addPeer } from '../../src/ceremony/peers.ts';
import type { Port } from '../../src/ceremony/port.ts';
import { recoverOwn } from '../../src/ceremony/recover.ts';
import { finishRecovery, releasedPieces, releasePiece, requestPieces } from '../../src/ceremony/recover-custodians.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { altered, makeKey } from '../backup/support.ts';
import { random, Table } from '../support/harness.ts';
import { backUp, card, codeOf, crashEverywhere, errorOf, expectClean, expectNothing, expectRestored, hasShare, shareIn } from '../support/recovering.ts';
import { refresh } from '../support/redealer.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const HOLDERS = ['alice', 'bob', 'carol'];
const CUSTODIANS = ['c1', 'c2', 'c3'];
const BACKUP = 'alice-treasury-epoch-1.backup';
let table: Table;
let bk: string;
/** The folder of a request that alice2 made, unattended, and its state in the snapshot `asked`. */
let asked: string;
const secrets = new Map<string, string>();

beforeAll(async () => {
  table = await Table.open([...HOLDERS, ...CUSTODIANS, 'alice2', 'mallory']);
  await (await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: HOLDERS })).settle();
  for (const n of HOLDERS) secrets.set(n, shareIn(table, n));
  bk = await backUp(table, 'alice', 'alice', { to: CUSTODIANS.map((c) => card(table, c)), quorum: '2-of(c1, c2, c3)' });
  const backup = parseBackup(readFileSync(join(bk, BACKUP)), BACKUP);
  for (const c of CUSTODIANS) {
    const { home, identity } = table.party(c);
    for (const k of custodySecrets(home, identity.vault)) secrets.set(`piece of ${c}`, toHex(openPiece(backup, undefined, k.secret).scalar));
  }
  // alice2 knows the custodians' cards
  const { home } = table.party('alice2');
  for (const c of CUSTODIANS) addPeer(home, ownCard(table.party(c).home), c);
  table.save('key');
  asked = await ask('alice2', { attended: false });
  table.save('asked');
  cpSync(asked, join(table.root, 'asked'), { recursive: true });
  for (const c of CUSTODIANS) await release(c);
  cpSync(join(asked, 'pieces'), join(table.root, 'released'), { recursive: true });
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('asked');
  rmSync(asked, { recursive: true, force: true });
  cpSync(join(table.root, 'asked'), asked, { recursive: true });
});

const of = (name: string): string => secrets.get(name) as string;
let folders = 0;
/** A request. @returns its folder */
async function ask(label: string, over: { attended?: boolean; file?: string; certificate?: string } = {}): Promise<string> {
  const { home, port } = table.party(label);
  const out = join(table.root, 'requests', String((folders += 1)));
  mkdirSync(join(table.root, 'requests'), { recursive: true });
  await requestPieces(home, over.file ?? join(bk, BACKUP), { attended: over.attended ?? true, certificate: over.certificate ?? (over.attended === false ? undefined : trusted()), out }, port);
  return out;
}
const release = (label: string, dir = asked, unattended = true, port: Partial<Port> = {}, certificate?: string) => releasePiece(table.party(label).home, dir, unattended, { ...table.party(label).port, ...port }, certificate);
/** The certificate of the epoch, from somebody who has it. */
function trusted(): string {
  const file = join(table.root, 'trusted.json');
  writeFileSync(file, requireKey(table.party('bob').home, 'treasury').bytes);
  return file;
}
const finish = (label = 'alice2', dir = asked) => finishRecovery(table.party(label).home, dir, table.party(label).port);
/** What a custodian released for the request of every test, brought by a courier. */
function bring(...custodians: readonly string[]): void {
  mkdirSync(join(asked, 'pieces'), { recursive: true });
  for (const c of custodians) cpSync(join(table.root, 'released', `${c}.piece`), pieceFile(c));
}
const requestIn = (dir: string) => parseRequest(readFileSync(join(dir, 'request.json')), 'request.json');
const pieceFile = (c: string, dir = asked): string => join(dir, 'pieces', `${c}.piece`);
/** A person who types what the shown words lack, from the words of a request. */
function reads(dir: string, source: 'typed' | 'scripted' = 'typed'): Pick<Port, 'ask'> {
  const all = requestWords(requestIn(dir).digest);
  return {
    ask: (_id, question) => {
      const [, a, b] = /words (\d+) and (\d+)/.exec(question.at(-1) as string) as unknown as [string, string, string];
      return Promise.resolve({ answer: `${all[Number(a) - 1] as string} ${all[Number(b) - 1] as string}`, source });
    },
  };
}

/** A custodian who signs what it likes. */
function forge(label: string, change: { fields?: Partial<PieceRecord>; add?: bigint; transport?: Uint8Array; request?: ReturnType<typeof requestIn> }, dir = asked): void {
  const { home, identity } = table.party(label);
  const request = requestIn(dir);
  const backup = parseBackup(readFileSync(join(dir, BACKUP)), BACKUP);
  const certificate = backupCertificate(backup);
  const [key] = custodySecrets(home, identity.vault) as unknown as [{ secret: Uint8Array }];
  const opened = openPiece(backup, undefined, key.secret);
  const honest = releaseStatement(change.request ?? request, backup, certificate, opened.custodian);
  const { group } = honest;
  const x = (group.decodeScalar(opened.scalar) + (change.add ?? 0n)) % group.order;
  const statement = { ...honest, X: group.multiply(group.base, x), ...(change.transport ? { recipient: change.transport } : {}) };
  const fields = {
    v: 1 as const,
    type: 'mpc-ceremony/recovery-piece' as const,
    mode: 'rehearsal' as const,
    request: toHex(request.digest),
    backup: backup.sha256,
    key: request.record.key,
    epoch: 1,
    owner: 'alice',
    custodian: { name: label, leaf: opened.custodian },
    identity: toHex(identity.signer.publicKey),
    to: { name: request.card.name, identity: request.card.ed25519, homeId: request.card.homeId },
    compared: 'not-compared' as const,
    at: '2026-03-01T12:00:00Z',
    proof: Buffer.from(makeProof(statement, x, random)).toString('base64'),
    ...change.fields,
  };
  mkdirSync(join(dir, 'pieces'), { recursive: true });
  writeFileSync(pieceFile(label, dir), encodeRecovery({ ...fields, sig: toHex(identity.signer.sign(pieceDigest(fields))) }));
}

/** A request that somebody signs with whatever it likes in it. */
function forgeRequest(label: string, dir: string, change: Partial<RequestRecord>): void {
  const { home, identity } = table.party(label);
  const { sig: _, ...before } = requestIn(dir).record;
  const fields = { ...before, card: cardText(ownCard(home)), ...change };
  writeFileSync(join(dir, 'request.json'), encodeRecovery({ ...fields, sig: toHex(identity.signer.sign(requestDigest(fields))) }));
}
const transports = (home: Home): string[] => readdirSync(join(home.root, 'identity')).filter((f) => /^recovery-.*\.sealed$/.test(f));

describe('custodians give a share back', () => {
  test('two of three: the share is whole and signs nothing; what is in the folder is public; the key of the request is gone', async () => {
    const one = await release('c1');
    expect([one.custodian, one.piece.compared, one.again, one.wrote[0]?.path]).toEqual(['c1', 'not-compared', false, 'pieces/c1.piece']);
    expect(await codeOf(() => finish())).toBe('E_QUORUM');
    expect(activeEpoch(table.party('alice2').home, 'treasury')).toBeUndefined();
    await release('c3');
    // what a file is called does not matter
    renameSync(pieceFile('c3'), pieceFile('x'));
    const { home } = table.party('alice2');
    expect(transports(home)).toHaveLength(1);
    const done = await finish();
    expect([done.did, done.used, done.bad]).toEqual(['restored', ['c1', 'c3'], []]);
    expectRestored(table, 'alice2', of('alice'));
    expect(transports(home)).toEqual([]);
    for (const dir of [asked, home.root, table.party('c1').home.root]) expectClean(dir, secrets);
    expect((await finish()).did).toBe('already-restored');
    // the custodian remembers who, when, for which request
    expect(releasedPieces(table.party('c1').home)).toMatchObject([{ owner: 'alice', epoch: 1, to: { name: 'alice2' }, request: toHex(requestIn(asked).digest), compared: 'not-compared', at: '2026-03-01T12:00:00Z' }]);
  });

  test('a backup that was dealt to custodians is opened by nobody alone, and one that was not has nobody to ask', async () => {
    const { home, port } = table.party('alice2');
    expect(await codeOf(() => recoverOwn(home, { from: { kind: 'backup', file: join(bk, BACKUP) }, identities: [], forensic: false }, port))).toBe('E_QUORUM');
    const { home: c1, port: p1 } = table.party('c1');
    expect(await codeOf(() => recoverOwn(c1, { from: { kind: 'age', file: join(bk, 'alice-treasury-epoch-1.c1.age') }, identities: [], forensic: false }, p1))).toBe('E_QUORUM');
    const single = await backUp(table, 'alice', 'single', { to: [await identityToRecipient(await generateX25519Identity())] });
    expect(await codeOf(() => ask('mallory', { file: join(single, BACKUP) }))).toBe('E_BACKUP_BAD');
  });

  test.runIf(ALL_TESTS)('a crash at every write of finish: the same command ends it', async () => {
    bring('c1', 'c2');
    const { home } = table.party('alice2');
    const start = join(table.root, 'start');
    rmSync(start, { recursive: true, force: true });
    cpSync(home.root, start, { recursive: true });
    const again = (): void => {
      rmSync(home.root, { recursive: true, force: true });
      cpSync(start, home.root, { recursive: true });
    };
    // the crash tests of recoverOwn go on after each of these writes: they are the same
    const ends = await crashEverywhere(table, 'alice2', (h, port) => finishRecovery(h, asked, port), async (at) => {
      if (activeEpoch(home, 'treasury') && hasShare(home)) expectRestored(table, 'alice2', of('alice'));
      if (at % 3 === 0) {
        expect(['restored', 'already-restored']).toContain((await finish()).did);
        expectRestored(table, 'alice2', of('alice'));
        expect(transports(home)).toEqual([]);
      }
      again();
    });
    expect(ends).toBeGreaterThan(4);
    expectRestored(table, 'alice2', of('alice'));
  });

  test.runIf(ALL_TESTS)('a release that is repeated after a crash leaves the same bytes, or none before it was noted', async () => {
    const { home } = table.party('c1');
    let noted: string | undefined;
    await crashEverywhere(table, 'c1', (h, port) => releasePiece(h, asked, true, port), async () => {
      const kept = releasedPieces(home);
      if (existsSync(pieceFile('c1'))) {
        expect(kept).toHaveLength(1);
        noted ??= readFileSync(pieceFile('c1'), 'utf8');
        expect(readFileSync(pieceFile('c1'), 'utf8')).toBe(noted);
      }
      await Promise.resolve();
    });
    expect(releasedPieces(home)).toHaveLength(1);
    expect((await release('c1')).again).toBe(true);
  });
});

describe('words, and whoever asks twice', () => {
  test('attended: only a person who types what the other reads', async () => {
    const dir = await ask('alice2');
    expect(await codeOf(() => release('c1', dir, true))).toBe('E_ATTENDED');
    expect(await codeOf(() => release('c1', dir, false))).toBe('E_PERSON');
    expect(await codeOf(() => release('c1', dir, false, reads(dir, 'scripted')))).toBe('E_ATTENDED');
    expect(await codeOf(() => release('c1', dir, false, { ask: () => Promise.resolve({ answer: 'aardvark adroitness', source: 'typed' }) }))).toBe('E_WORDS');
    expect([existsSync(pieceFile('c1', dir)), releasedPieces(table.party('c1').home)]).toEqual([false, []]);
    expect((await release('c1', dir, false, reads(dir))).piece.compared).toBe('typed');
    // the same request again: the same bytes, and nobody is asked
    rmSync(pieceFile('c1', dir));
    expect((await release('c1', dir, false)).again).toBe(true);
  });

  test('another request for the same backup: only after the words, even when it says unattended', async () => {
    await release('c1');
    const again = await ask('alice2', { attended: false });
    expect(await codeOf(() => release('c1', again))).toBe('E_ATTENDED');
    expect(await codeOf(() => release('c1', again, false, reads(again, 'scripted')))).toBe('E_ATTENDED');
    let screen = '';
    const person = reads(again);
    const done = await release('c1', again, false, { ask: (id, q) => { screen = q.join('\n'); return person.ask(id, q); } });
    expect(screen).toContain('RELEASED ITS PIECE OF THIS BACKUP BEFORE');
    expect([done.piece.compared, releasedPieces(table.party('c1').home).length]).toEqual(['typed', 2]);
  });
});

describe('a malicious custodian', () => {
  test('a false piece: named with evidence that anybody judges; two honest ones still restore', async () => {
    forge('c1', { add: 1n });
    bring('c2');
    const error = await errorOf(() => finish());
    expect([error?.code, error?.exit, error?.facts.participant]).toEqual(['E_PIECE', 21, 'c1']);
    expect(activeEpoch(table.party('alice2').home, 'treasury')).toBeUndefined();
    bring('c3');
    const done = await finish();
    expect([done.did, done.used, done.bad.map((b) => [b.culprit, b.error.code])]).toEqual(['restored', ['c2', 'c3'], [['c1', 'E_PIECE']]]);
    expectRestored(table, 'alice2', of('alice'));
    const evidence = readFileSync(join(asked, done.bad[0]?.evidence as string));
    expect(proveRecoveryEvidence(evidence, 'evidence')).toMatchObject({ custodian: 'c1', identity: ownCard(table.party('c1').home).ed25519 });
    expectClean(asked, secrets);
  });

  test('evidence against an honest custodian shows nothing', async () => {
    bring('c1');
    const backup = parseBackup(readFileSync(join(asked, BACKUP)), BACKUP);
    const piece = new Uint8Array(readFileSync(pieceFile('c1')));
    const judge = (custodian: string, request = requestIn(asked), b = backup, p = piece): Promise<string> => codeOf(() => Promise.resolve().then(() => proveRecoveryEvidence(encodeRecoveryEvidence(custodian, request, b, p), 'e')));
    expect(await judge('c1')).toBe('E_EVIDENCE');
    // under another request, or with a backup that was tampered with, it would look false
    const other = await ask('alice2', { attended: false });
    expect(await judge('c1', requestIn(other))).toBe('E_EVIDENCE');
    const spoiled = altered(backup, (r) => { r.made = '2026-03-01T12:00:01Z'; });
    expect(await judge('c1', undefined, spoiled)).toBe('E_EVIDENCE');
    expect(await judge('c2')).toBe('E_EVIDENCE');
    const tampered = piece.slice();
    tampered[tampered.length - 20] = tampered[tampered.length - 20] === 48 ? 49 : 48;
    expect(await judge('c1', undefined, undefined, tampered)).toBe('E_EVIDENCE');
  });

  test('a piece encrypted to another key, or signed with other facts', async () => {
    const away = random(32);
    const cases: Parameters<typeof forge>[1][] = [{ transport: x25519Public(away) }, { fields: { backup: '00'.repeat(32) } }, { fields: { owner: 'bob' } }, { fields: { epoch: 2 } }, { fields: { to: { name: 'mallory', identity: '11'.repeat(32), homeId: '22'.repeat(16) } } }];
    for (const change of cases) {
      forge('c1', change);
      const error = await errorOf(() => finish());
      expect([change, error?.code, error?.facts.participant]).toEqual([change, 'E_PIECE', 'c1']);
    }
  });

  test('a replayed piece, and one that answers another request, blame nobody', async () => {
    const before = await ask('alice2', { attended: false });
    forge('c1', {}, before);
    mkdirSync(join(asked, 'pieces'), { recursive: true });
    cpSync(pieceFile('c1', before), pieceFile('c1'));
    expect(await codeOf(() => finish())).toBe('E_REQUEST');
    // the old proof under a new signature: it says that it answers this request, and does not
    forge('c1', { request: requestIn(before) });
    expect((await errorOf(() => finish()))?.code).toBe('E_PIECE');
    expect(existsSync(join(asked, 'evidence'))).toBe(true);
  });

  test('a courier who damages or invents pieces frames nobody', async () => {
    bring('c1');
    const good = readFileSync(pieceFile('c1'));
    const at = good.indexOf('"proof":"') + 40;
    const flipped = Buffer.from(good);
    flipped[at] = flipped[at] === 65 ? 66 : 65;
    writeFileSync(pieceFile('c1'), flipped);
    let error = await errorOf(() => finish());
    expect([error?.code, error?.facts.participant]).toEqual(['E_SIGNATURE', undefined]);
    writeFileSync(pieceFile('c1'), good.subarray(0, 100));
    error = await errorOf(() => finish());
    expect([error?.code, error?.facts.participant]).toEqual(['E_RECOVERY', undefined]);
    // mallory signs in the name of c2, whose card is known
    forge('c1', { add: 1n, fields: { custodian: { name: 'c2', leaf: 2 } } });
    error = await errorOf(() => finish());
    expect([error?.code, error?.facts.participant]).toEqual(['E_CARD', undefined]);
    // and where it is not known, the text says so and nobody is named
    rmSync(join(table.party('alice2').home.root, 'peers/c2.card'));
    error = await errorOf(() => finish());
    expect([error?.code, error?.facts.participant]).toEqual(['E_PIECE', undefined]);
    expect(error?.message).toContain('only its card can tell');
    // nobody who is no custodian
    forge('c1', { fields: { custodian: { name: 'zed', leaf: 2 } } });
    expect(await codeOf(() => finish())).toBe('E_RECOVERY');
    expect(parseReleased(readFileSync(pieceFile('c1')), 'p').custodian.name).toBe('zed');
  });
});

describe('a malicious recovering member', () => {
  test('a holder who asks for the share of another: refused by its own program, and by the custodians', async () => {
    expect(await codeOf(() => ask('bob'))).toBe('E_TWO_SHARES');
    forgeRequest('bob', asked, {});
    expect(await codeOf(() => release('c1'))).toBe('E_TWO_SHARES');
    expect(releasedPieces(table.party('c1').home)).toEqual([]);
  });

  test('a home that asks for two shares, one after the other', async () => {
    const bobs = await backUp(table, 'bob', 'bob', { to: CUSTODIANS.map((c) => card(table, c)), quorum: '2-of(c1, c2, c3)' });
    expect(await codeOf(() => ask('alice2', { file: join(bobs, 'bob-treasury-epoch-1.backup') }))).toBe('E_TWO_SHARES');
    await release('c1');
    // a program that does not care: the custodians' memory does
    const dir = join(table.root, 'requests', 'second');
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    cpSync(join(asked, 'request.json'), join(dir, 'request.json'));
    cpSync(join(bobs, 'bob-treasury-epoch-1.backup'), join(dir, 'bob-treasury-epoch-1.backup'));
    const backup = parseBackup(readFileSync(join(dir, 'bob-treasury-epoch-1.backup')), 'b');
    forgeRequest('alice2', dir, { backup: backup.sha256, owner: 'bob' });
    expect(await codeOf(() => release('c1', dir))).toBe('E_TWO_SHARES');
  });

  test('a request that was exchanged or changed on the way', async () => {
    // another home's key, under another home's card: the words are others
    const dir = await ask('alice2');
    const person = reads(dir);
    forgeRequest('mallory', dir, { transport: toHex(x25519Public(random(32))) });
    expect(await codeOf(() => release('c1', dir, false, person))).toBe('E_WORDS');
    // the same, and the home that made the request does not take it for its own
    expect(await codeOf(() => finish('alice2', dir))).toBe('E_NOT_PARTICIPANT');
    // a changed field without the signature
    const { record } = requestIn(asked);
    writeFileSync(join(asked, 'request.json'), encodeRecovery({ ...record, transport: toHex(x25519Public(random(32))) }));
    expect(await codeOf(() => release('c1'))).toBe('E_SIGNATURE');
    // signed again by the home itself, after pieces were asked for
    cpSync(join(table.root, 'asked', 'request.json'), join(asked, 'request.json'));
    forgeRequest('alice2', asked, { made: '2026-03-01T12:00:01Z' });
    expect(await codeOf(() => finish())).toBe('E_RECOVERY');
  });

  test('a request for another backup, owner or epoch than the one beside it', async () => {
    const changes: Partial<RequestRecord>[] = [{ backup: '00'.repeat(32) }, { owner: 'carol' }, { epoch: 2 }, { certificate: '00'.repeat(32) }, { key: { name: 'treasury', id: '00'.repeat(16) } }];
    for (const change of changes) {
      cpSync(join(table.root, 'asked', 'request.json'), join(asked, 'request.json'));
      forgeRequest('alice2', asked, change);
      expect([change, await codeOf(() => release('c1'))]).toEqual([change, 'E_RECOVERY']);
    }
    cpSync(join(table.root, 'asked', 'request.json'), join(asked, 'request.json'));
    forgeRequest('alice2', asked, { transport: '00'.repeat(32) });
    expect(await codeOf(() => release('c1'))).toBe('E_RECOVERY');
    rmSync(join(asked, BACKUP));
    cpSync(join(table.root, 'asked', 'request.json'), join(asked, 'request.json'));
    expect(await codeOf(() => release('c1'))).toBe('E_MISSING');
  });

  test('a backup with a false proof in it is not asked about, and nobody releases for it', async () => {
    const file = join(table.root, BACKUP);
    const backup = parseBackup(readFileSync(join(bk, BACKUP)), BACKUP);
    const bad = altered(backup, (r) => {
      const c = (r.custodians as { roster: { proof: string }[] }).roster[2] as { proof: string };
      c.proof = (r.custodians as { roster: { proof: string }[] }).roster[1]?.proof ?? '';
    }, table.party('alice').identity.signer);
    writeFileSync(file, bad.bytes);
    expect(await codeOf(() => ask('mallory', { file }))).toBe('E_BACKUP_PROOF');
    writeFileSync(join(asked, BACKUP), bad.bytes);
    forgeRequest('alice2', asked, { backup: bad.sha256 });
    expect(await codeOf(() => release('c1'))).toBe('E_BACKUP_PROOF');
  });

  test('a name that the custodian knows with another card; a home that is no custodian; a home that did not ask', async () => {
    const twin = await table.seat('alice2', 'twin');
    addPeer(table.party('c1').home, ownCard(twin.home), 'x');
    expect(await codeOf(() => release('c1'))).toBe('E_CARD');
    table.parties.delete('twin');
    expect(await codeOf(() => release('bob'))).toBe('E_BACKUP_KEY');
    expect(await codeOf(() => finish('mallory'))).toBe('E_NOT_PARTICIPANT');
    expectNothing(table.party('mallory').home);
  });

  test('a retired epoch: refused by who asks, and by a custodian that knows better', async () => {
    const holder = await backUp(table, 'alice', 'holder', { to: [card(table, 'bob'), card(table, 'c1')], quorum: '2-of(bob, c1)' });
    // a holder may be a custodian where it opens nothing alone
    const dir = await ask('mallory', { file: join(holder, BACKUP), attended: false });
    const run = await refresh(table, { honest: HOLDERS });
    await run.settle();
    const later = join(table.root, 'later.json');
    writeFileSync(later, requireKey(table.party('bob').home, 'treasury').bytes);
    expect(await codeOf(() => ask('alice2', { certificate: later }))).toBe('E_EPOCH');
    expect(await codeOf(() => release('bob', dir))).toBe('E_EPOCH');
  });
});

describe('couriers and certificates', () => {
  test('a folder full of junk does not keep the pieces away', async () => {
    bring('c1', 'c3');
    for (let i = 0; i < 130; i++) writeFileSync(join(asked, 'pieces', `a${String(i)}.piece`), '{}');
    const done = await finish();
    expect([done.did, done.used]).toEqual(['restored', ['c1', 'c3']]);
  });
  test('the words of an unknown epoch are asked for when the request is made, and the answer is remembered', async () => {
    const { home, port } = table.party('mallory');
    const out = join(table.root, 'words');
    expect(await codeOf(() => requestPieces(home, join(bk, BACKUP), { attended: true, out }, port))).toBe('E_PERSON');
    expect(existsSync(out)).toBe(false);
    bring('c1', 'c2');
    expect((await finish()).compared).toBe('not-compared');
  });
  test('a custodian may check the backup against a certificate of its own', async () => {
    const foreign = join(table.root, 'foreign.json');
    writeFileSync(foreign, makeKey('frost-ed25519', '2-of(alice, bob, carol)').certificate.bytes);
    expect(await codeOf(() => release('c1', asked, true, {}, foreign))).toBe('E_BACKUP_BAD');
    const { epoch } = requireKey(table.party('bob').home, 'treasury');
    writeFileSync(foreign, makeKey('frost-ed25519', '2-of(alice, bob, carol)', { number: 2, id: epoch.key.id }).certificate.bytes);
    expect(await codeOf(() => release('c1', asked, true, {}, foreign))).toBe('E_EPOCH');
    expect((await release('c1', asked, true, {}, trusted())).custodian).toBe('c1');
  });
});
