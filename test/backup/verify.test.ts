/** Backup files: made, verified by the public, opened by their keepers; every fault is refused with its own reason. */
import { describe, expect, it } from 'vitest';
import { encodeBackup, parseBackup, type ParsedBackup } from '../../src/backup/backup-file.ts';
import { combinePieces, openPiece, parsePackage } from '../../src/backup/open-backup.ts';
import { backupCertificate, checkAgeFile, verdictOf, verifyBackup } from '../../src/backup/verify-backup.ts';
import { SCHEMES } from '../../src/curves/scheme.ts';
import { ownerShare } from '../../src/backup/statement.ts';
import { type Certificate, completeCertificate, confirmBody, epochDigest, epochSeats } from '../../src/protocols/epoch.ts';
import { makePolynomials } from '../../src/sharing/deal.ts';
import { parseQuorum } from '../../src/sharing/expression.ts';
import { exactQuorum } from '../../src/sharing/quorum.ts';
import { recombination } from '../../src/sharing/recombination.ts';
import { encodeTree } from '../../src/sharing/tree.ts';
import { makeProof } from '../../src/backup/make-proof.ts';
import { EMPTY_HEAD, makeBlob, openBlob } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex } from '../../src/wire/bytes.ts';
import type { Signer } from '../../src/wire/ed25519.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { altered, backupOf, codeOf, keeper, type Keeper, makeKey, ONE_OF_EACH, random, statementFor, toOne, toQuorum } from './support.ts';

const KEY = 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))';
const NESTED = 'all-of(1-of(c1, c2), 2-of(c3, c4, c5))';
const named = (names: string): Keeper[] => names.split(' ').map(keeper);
/** All that is wrong, as `name code`. */
function faults(backup: ParsedBackup, trusted?: Certificate): string[] {
  return verifyBackup(backup, trusted).filter((c) => c.verdict === 'wrong').map((c) => `${c.name} ${c.code ?? ''}`);
}

describe.each([...ONE_OF_EACH, 'cggmp24-p256' as const])('%s', (scheme) => {
  it('a backup to one key: verified by anybody, opened by its keeper', () => {
    const key = makeKey(scheme, '2-of(alice, bob, carol)');
    const c1 = keeper('c1');
    const { backup, packages } = backupOf(key, 'bob', toOne(c1));
    const checks = verifyBackup(backup, key.certificate);
    expect(checks.map((c) => [c.name, c.verdict])).toEqual(['form', 'name', 'certificate', 'key', 'epoch', 'owner', 'signature', 'proof'].map((n) => [n, 'ok']));
    expect(verdictOf(checks)).toBe('ok');
    const opened = openPiece(backup, undefined, c1.secret);
    expect([opened.custodian, opened.name, toHex(opened.scalar)]).toEqual([0, 'c1', toHex(key.shares.get('bob') as Uint8Array)]);
    const share = parsePackage((packages[0] as { bytes: Uint8Array }).bytes, 'f');
    expect(share).toMatchObject({ type: 'mpc-ceremony/share', owner: 'bob', epoch: 1, share: toHex(key.shares.get('bob') as Uint8Array) });
  });
});

describe.each(['frost-ed25519', 'frost-ed448', 'frost-secp256k1'] as const)('custodians, %s', (scheme) => {
  const key = makeKey(scheme, KEY);
  const keepers = named('c1 c2 c3 c4 c5');
  const { backup } = backupOf(key, 'erin', toQuorum(NESTED, keepers));
  const pieces = new Map(keepers.map((k, i) => [i + 1, openPiece(backup, undefined, k.secret).scalar]));
  const some = (...ids: number[]) => new Map(ids.map((i) => [i, pieces.get(i) as Uint8Array]));

  it('one proof for each leaf, all verified', () => {
    expect(verifyBackup(backup, key.certificate).filter((c) => c.name === 'proof').map((c) => [c.of, c.verdict])).toEqual(keepers.map((k) => [k.name, 'ok']));
    expect(faults(backup, key.certificate)).toEqual([]);
  });
  it('every quorum of custodians restores the share, surplus pieces do no harm', () => {
    for (const ids of [[1, 3, 4], [2, 4, 5], [1, 3, 5], [1, 2, 3, 4, 5]]) expect(toHex(combinePieces(backup, key.certificate, some(...ids)))).toBe(toHex(key.shares.get('erin') as Uint8Array));
  });
  it('fewer do not', () => {
    for (const ids of [[], [1], [1, 2], [3, 4, 5], [1, 3], [1, 2, 5]]) expect(codeOf(() => combinePieces(backup, key.certificate, some(...ids)))).toBe('E_QUORUM');
  });
  it('a wrong piece is named', () => {
    const bad = new Map([...some(1, 3, 4), [3, pieces.get(5) as Uint8Array]]);
    try {
      combinePieces(backup, key.certificate, bad);
      expect.unreachable();
    } catch (e) {
      expect(e).toMatchObject({ code: 'E_BACKUP_BAD', facts: { participant: 'c3' } });
    }
  });
  it('a piece is no share, and says so', () => {
    const share = toHex(key.shares.get('erin') as Uint8Array);
    expect([...pieces.values()].map(toHex)).not.toContain(share);
  });
});

describe('k − 1 custodians', () => {
  it('whatever weights two of three choose, their pieces do not give the share', () => {
    const key = makeKey('frost-ristretto255', 'all-of(alice, bob)');
    const keepers = named('c1 c2 c3');
    const { backup } = backupOf(key, 'alice', toQuorum('all-of(c1, c2, c3)', keepers));
    const { group } = key;
    const [p1, p2] = keepers.slice(0, 2).map((k) => group.decodeScalar(openPiece(backup, undefined, k.secret).scalar)) as [bigint, bigint];
    const share = group.decodeScalar(key.shares.get('alice') as Uint8Array);
    const three = parseQuorum('all-of(c1, c2, c3)');
    const two = parseQuorum('all-of(c1, c2)');
    const of3 = recombination(three, exactQuorum(three, ['c1', 'c2', 'c3']), group.order);
    const of2 = recombination(two, exactQuorum(two, ['c1', 'c2']), group.order);
    for (const w of [of3, of2]) expect(((w.get(1) as bigint) * p1 + (w.get(2) as bigint) * p2) % group.order).not.toBe(share);
    // with the third it is the first of these that does
    const p3 = group.decodeScalar(openPiece(backup, undefined, (keepers[2] as Keeper).secret).scalar);
    expect(((of3.get(1) as bigint) * p1 + (of3.get(2) as bigint) * p2 + (of3.get(3) as bigint) * p3) % group.order).toBe(share);
  });
});

describe('each fault has its own reason', () => {
  const signersOf = makeKey('frost-ed25519', '2-of(alice, bob, carol)');
  const key = signersOf;
  const c1 = keeper('c1');
  const { backup, packages } = backupOf(key, 'alice', toOne(c1));
  const alice = key.signers.get('alice');
  const bob = key.signers.get('bob');

  it('a file that was cut, is empty, or is something else', () => {
    for (const bytes of [new Uint8Array(0), backup.bytes.slice(0, -10), Buffer.from('{}'), key.certificate.bytes]) expect(codeOf(() => parseBackup(new Uint8Array(bytes), 'f'))).toBe('E_BACKUP_BAD');
  });
  it('unknown fields, both kinds at once, a key twice, age files that do not fit', () => {
    const refuse = (change: (r: Record<string, unknown>) => void): string => {
      const json = JSON.parse(Buffer.from(backup.bytes).toString()) as Record<string, unknown>;
      change(json);
      return codeOf(() => parseBackup(encodeBackup(json as never), 'f'));
    };
    expect(refuse(() => undefined)).toBe('none');
    expect(refuse((r) => (r['extra'] = 1))).toBe('E_BACKUP_BAD');
    expect(refuse((r) => (r['recipients'] = [...(r['recipients'] as unknown[]), ...(r['recipients'] as unknown[])]))).toBe('E_BACKUP_BAD');
    expect(refuse((r) => (r['age'] = []))).toBe('E_BACKUP_BAD');
    expect(refuse((r) => (r['age'] = [{ ...(r['age'] as object[])[0], custodian: 1 }]))).toBe('E_BACKUP_BAD');
    const dealt = backupOf(key, 'alice', toQuorum('2-of(c1, c2)', named('c1 c2'))).backup;
    expect(refuse((r) => (r['custodians'] = dealt.record.custodians))).toBe('E_BACKUP_BAD');
  });
  it('changed by somebody who is not the owner', () => {
    expect(faults(altered(backup, (r) => void (r.made = '2026-03-02T12:00:00Z')))).toEqual(['signature E_SIGNATURE']);
    expect(faults(altered(backup, (r) => void (r.made = '2026-03-02T12:00:00Z'), bob))).toEqual(['signature E_SIGNATURE']);
    // the owner itself may sign what it likes about the time
    expect(faults(altered(backup, (r) => void (r.made = '2026-03-02T12:00:00Z'), alice))).toEqual([]);
  });
  it('swapped files: bob’s under the name of alice', () => {
    const bobs = backupOf(key, 'bob', toOne(c1)).backup;
    const swapped = parseBackup(bobs.bytes, 'stick/alice-treasury-epoch-1.backup');
    expect(faults(swapped, key.certificate)).toEqual(['name E_BACKUP_BAD']);
    // a name that says nothing is no fault
    expect(faults(parseBackup(bobs.bytes, 'copy-2.backup'), key.certificate)).toEqual([]);
  });
  it('swapped age files', () => {
    expect(checkAgeFile(backup, 0, (packages[0] as { bytes: Uint8Array }).bytes)).toMatchObject({ verdict: 'ok' });
    expect(checkAgeFile(backup, 0, random(900))).toMatchObject({ verdict: 'wrong', code: 'E_BACKUP_BAD', text: expect.stringContaining('damaged') as string });
    expect(checkAgeFile(backup, 0, undefined)).toMatchObject({ verdict: 'cannot-tell', code: 'E_MISSING' });
    const dealt = backupOf(key, 'alice', toQuorum('2-of(c1, c2)', named('c1 c2')));
    expect(checkAgeFile(dealt.backup, 1, (dealt.packages[1] as { bytes: Uint8Array }).bytes)).toMatchObject({ verdict: 'wrong', text: expect.stringContaining('exchanged') as string });
  });
  it('another key: the certificate given is of it', () => {
    const other = makeKey('frost-ed25519', '2-of(alice, bob, carol)', { signers: key.signers });
    expect(faults(backup, other.certificate)).toEqual(['key E_BACKUP_BAD']);
  });
  it('another epoch of the same key', () => {
    const { id } = key.certificate.epoch.key;
    const next = makeKey('frost-ed25519', '2-of(alice, bob, carol)', { signers: key.signers, number: 2, id, secret: key.secret });
    expect(faults(backup, next.certificate)).toEqual(['epoch E_EPOCH']);
    // the proof of epoch 1 in a file of epoch 2, signed by its owner
    const moved = altered(backupOf(next, 'alice', toOne(c1)).backup, (r) => void (r.recipients = structuredClone(backup.record.recipients) as never), alice);
    expect(faults(moved, next.certificate)).toEqual(['proof E_BACKUP_PROOF']);
    // the file of epoch 1 that says epoch 2
    expect(faults(altered(backup, (r) => void (r.epoch = 2), alice))).toEqual(['name E_BACKUP_BAD', 'epoch E_BACKUP_BAD']);
    // with the certificate of epoch 2 in it
    const wrapped = altered(backup, (r) => void ((r.epoch = 2), (r.certificate = Buffer.from(next.certificate.bytes).toString('base64'))), alice);
    expect(faults({ ...wrapped, file: 'x' }, next.certificate)).toEqual(['proof E_BACKUP_PROOF']);
  });
  it('an epoch that is not confirmed: the certificate inside lacks a confirmation', () => {
    const json = JSON.parse(Buffer.from(key.certificate.bytes).toString()) as { confirms: string[] };
    json.confirms[1] = json.confirms[0] as string;
    const bad = altered(backup, (r) => void (r.certificate = Buffer.from(JSON.stringify(json)).toString('base64')), alice);
    expect(faults(bad)).toEqual(['certificate E_CERTIFICATE']);
  });
  it('another owner, or another leaf', () => {
    expect(faults({ ...altered(backup, (r) => void (r.owner = 'bob'), bob), file: 'x' })).toEqual(['owner E_BACKUP_BAD']);
    expect(faults({ ...altered(backup, (r) => void ((r.owner = 'bob'), (r.leaf = { id: 2, label: '2' })), bob), file: 'x' })).toEqual(['proof E_BACKUP_PROOF']);
    expect(faults({ ...altered(backup, (r) => void (r.owner = 'mallory'), alice), file: 'x' })).toEqual(['owner E_BACKUP_BAD']);
    expect(faults(altered(backup, (r) => void (r.leaf.label = '2'), alice))).toEqual(['owner E_BACKUP_BAD']);
  });
  it('a proof for another recipient, or under another name', () => {
    const eve = keeper('eve');
    expect(faults(altered(backup, (r) => void ((r.recipients?.[0] as { key: string }).key = toHex(eve.key)), alice))).toEqual(['proof E_BACKUP_PROOF']);
    expect(faults(altered(backup, (r) => void ((r.recipients?.[0] as { name: string }).name = 'eve'), alice))).toEqual(['proof E_BACKUP_PROOF']);
    expect(faults(altered(backup, (r) => void ((r.recipients?.[0] as { key: string }).key = '01'.padEnd(64, '0')), alice))).toEqual(['proof E_RECIPIENT']);
  });
  it('a proof taken from another backup of the same share: the sid binds it', () => {
    const again = backupOf(key, 'alice', toOne(c1)).backup;
    const mixed = altered(backup, (r) => void (r.recipients = structuredClone(again.record.recipients) as never), alice);
    expect(faults(mixed)).toEqual(['proof E_BACKUP_PROOF']);
    expect(faults(altered(backup, (r) => void (r.sid = again.record.sid), alice))).toEqual(['proof E_BACKUP_PROOF']);
  });
  it('a proof with another number of rows', () => {
    const cut = altered(backup, (r) => {
      const first = r.recipients?.[0] as { proof: string };
      first.proof = Buffer.from(first.proof, 'base64').subarray(0, -112).toString('base64');
    }, alice);
    expect(verifyBackup(cut).find((c) => c.name === 'proof')).toMatchObject({ verdict: 'wrong', code: 'E_BACKUP_PROOF', text: expect.stringContaining('128 rows') as string });
  });
  it('a mode that is not the key’s', () => {
    expect(faults(altered(backup, (r) => void (r.mode = 'production'), alice))).toEqual(['epoch E_BACKUP_BAD']);
  });
  it('opened with another key', () => {
    expect(codeOf(() => openPiece(backup, undefined, keeper('eve').secret))).toBe('E_BACKUP_KEY');
  });
  it('without a proof it cannot be told', () => {
    const unproven = backupOf(key, 'alice', { kind: 'unproven' }).backup;
    const checks = verifyBackup(unproven, key.certificate);
    expect(verdictOf(checks)).toBe('cannot-tell');
    expect(checks.at(-1)).toMatchObject({ name: 'proof', verdict: 'cannot-tell', text: expect.stringContaining('only by opening') as string });
  });
});

describe('a dishonest owner and its custodians', () => {
  const key = makeKey('frost-secp256k1', '2-of(alice, bob, carol)');
  const keepers = named('c1 c2 c3');
  const { backup } = backupOf(key, 'alice', toQuorum('2-of(c1, c2, c3)', keepers));
  const alice = key.signers.get('alice');
  const { group } = key;

  it('deals something else than its share: C_0 ≠ X_leaf', () => {
    const quorum = parseQuorum('2-of(c1, c2, c3)');
    const { tree } = makePolynomials(group, quorum, 'backup', group.randomScalar(random), random);
    const bad = altered(backup, (r) => void ((r.custodians as { tree: string }).tree = toHex(encodeTree(tree))), alice);
    expect(faults(bad)).toEqual(['constant E_DEALING']);
    expect(codeOf(() => openPiece(bad, undefined, (keepers[0] as Keeper).secret))).toBe('E_DEALING');
    expect(codeOf(() => combinePieces(bad, key.certificate, new Map()))).toBe('E_DEALING');
  });
  it('another polynomial with the right constant: the pieces of all custodians but none fit', () => {
    const quorum = parseQuorum('2-of(c1, c2, c3)');
    const x = group.decodeScalar(key.shares.get('alice') as Uint8Array);
    const { tree } = makePolynomials(group, quorum, 'backup', x, random);
    const bad = altered(backup, (r) => void ((r.custodians as { tree: string }).tree = toHex(encodeTree(tree))), alice);
    expect(faults(bad)).toEqual(['proof E_BACKUP_PROOF', 'proof E_BACKUP_PROOF', 'proof E_BACKUP_PROOF']);
  });
  it('the proofs of two custodians exchanged', () => {
    const bad = altered(backup, (r) => {
      const [a, b] = r.custodians?.roster as unknown as [{ proof: string }, { proof: string }];
      [a.proof, b.proof] = [b.proof, a.proof];
    }, alice);
    expect(verifyBackup(bad).filter((c) => c.verdict === 'wrong').map((c) => c.of)).toEqual(['c1', 'c2']);
  });
  it('a proof of the whole share in the place of a piece', () => {
    const c1 = keepers[0] as Keeper;
    const s = statementFor(key, 'alice', backup.record.sid, c1);
    const proof = Buffer.from(makeProof(s, group.decodeScalar(key.shares.get('alice') as Uint8Array), random)).toString('base64');
    const bad = altered(backup, (r) => void ((r.custodians?.roster[0] as { proof: string }).proof = proof), alice);
    expect(verifyBackup(bad).filter((c) => c.verdict === 'wrong').map((c) => c.of)).toEqual(['c1']);
  });
  it.each([
    ['another threshold', (q: { quorum: string }) => void (q.quorum = 'all-of(c1, c2, c3)'), 'constant E_BACKUP_BAD'],
    ['another order', (q: { quorum: string }) => void (q.quorum = '2-of(c2, c1, c3)'), 'constant E_BACKUP_BAD'],
    ['not in its canonical form', (q: { quorum: string }) => void (q.quorum = '2-of(c1,c2,c3)'), 'constant E_BACKUP_BAD'],
    ['satisfied by one alone', (q: { quorum: string }) => void (q.quorum = '1-of(c1, c2, c3)'), 'constant E_THRESHOLD'],
  ])('the custodians’ quorum: %s', (_, change, fault) => {
    expect(faults(altered(backup, (r) => void change(r.custodians as { quorum: string }), alice))).toEqual([fault]);
  });
  it('a tree that is too long', () => {
    const bad = altered(backup, (r) => void ((r.custodians as { tree: string }).tree += backup.record.custodians?.tree.slice(0, 66) as string), alice);
    expect(faults(bad)).toEqual(['constant E_BACKUP_BAD']);
  });
});

describe('what a file costs', () => {
  it('one custodian’s proof is 14,368 bytes in a group of 256 bits', () => {
    const { backup } = backupOf(makeKey('cggmp24-secp256k1', '2-of(alice, bob)'), 'alice', toOne(keeper('c1')));
    expect(Buffer.from(backup.record.recipients?.[0]?.proof as string, 'base64').length).toBe(14_368);
    expect(SCHEMES[backupCertificate(backup).epoch.key.scheme].group).toBe('secp256k1');
    expect(toHex(sha256(backup.bytes))).toBe(backup.sha256);
  });
});

describe('a certificate that was made up', () => {
  it('its tree is not that of its public key: wrong, and nothing is opened', () => {
    const victim = makeKey('frost-ed25519', KEY);
    const made = forged(makeKey('frost-ed25519', '2-of(alice, mallory)', { number: 7, id: victim.certificate.epoch.key.id }), victim.certificate.epoch.publicKey);
    const k = keeper('vault');
    // a backup file by somebody who makes whatever passes
    const honest = backupOf(makeKey('frost-ed25519', '2-of(alice, mallory)', { number: 7 }), 'alice', toOne(k)).backup;
    const bad = altered(honest, (r) => void (r.certificate = Buffer.from(made.bytes).toString('base64')));
    expect(faults(bad)).toEqual(['certificate E_CERTIFICATE']);
    expect(codeOf(() => openPiece(bad, undefined, k.secret))).toBe('E_CERTIFICATE');
    expect(codeOf(() => ownerShare(made, 'alice'))).toBe('E_CERTIFICATE');
  });
});

describe('what keys open, no age file denies', () => {
  it.each(['passphrase', 'pq'] as const)('an age file with the lock %s beside recipients or custodians', (lock) => {
    const key = makeKey('frost-ed25519', '2-of(alice, bob, carol)');
    for (const to of [toOne(keeper('c1')), toQuorum('2-of(c1, c2)', named('c1 c2'))]) {
      const { backup } = backupOf(key, 'alice', to);
      expect(codeOf(() => altered(backup, (r) => void ((r.age[0] as { lock: string }).lock = lock), key.signers.get('alice')))).toBe('E_BACKUP_BAD');
    }
  });
});

/** The same epoch under another public key, confirmed again by the same people. */
function forged({ certificate, signers }: ReturnType<typeof makeKey>, publicKey: string): Certificate {
  const epoch = { ...certificate.epoch, publicKey };
  const session = { sid: fromHex(epoch.session), kind: epoch.kind, attempt: epoch.attempt, seats: epochSeats(epoch) };
  const echo = concat(...epoch.roster.map((p) => fromHex(epoch.rounds.deal[p.name] as string)));
  const body = confirmBody({ echo, epoch: epochDigest(epoch), prekey: { n: 5, P: random(32), pop: random(64) }, stock: [] });
  return completeCertificate(epoch, session, new Map(session.seats.map((seat) => [seat.leaf, openBlob(makeBlob(session, seat, 3, EMPTY_HEAD, body, signers.get(seat.name) as Signer), session)] as const)));
}
