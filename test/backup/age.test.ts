/** age files: those that the age program wrote are opened, ours are refused where age would refuse them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient, Decrypter } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { checkPackage, parsePackage } from '../../src/backup/open-backup.ts';
import { ageIdentity, ageRecipient, checkRecipients, parseIdentity, parseRecipient } from '../../src/backup/recipient.ts';
import { x25519Public } from '../../src/backup/x25519.ts';
import { isAgeFile, parseIdentityFile, readAge, readAgeShare, writeAge } from '../../src/ceremony/backup-age.ts';
import { Secret } from '../../src/vault/secret.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { backupOf, codeOf, keeper, makeKey, random, toOne, toQuorum } from './support.ts';

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, '../vectors/age', name)));
const PASSPHRASE = 'plover-anvil-quartz-71';
const identities = parseIdentityFile(fixture('key.txt'), 'key.txt');
const secret = (text: string): Secret => new Secret(utf8(text));

async function refusal(work: Promise<unknown>): Promise<CeremonyError> {
  try {
    await work;
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
  return expect.unreachable();
}

describe('what the age program wrote', () => {
  it.each(['x25519.age', 'x25519-armored.age', 'two-recipients.age'])('%s opens with the key', async (name) => {
    expect(isAgeFile(fixture(name))).toBe(true);
    expect(toHex(await readAge(fixture(name), { identities }, name))).toBe(toHex(fixture('package.json')));
    expect(await readAgeShare(fixture(name), { identities }, name)).toMatchObject({ type: 'mpc-ceremony/share', owner: 'alice', key: { name: 'treasury' } });
  });
  it('passphrase.age opens with the passphrase, and with no other', async () => {
    expect(await readAgeShare(fixture('passphrase.age'), { passphrase: secret(PASSPHRASE) }, 'f')).toMatchObject({ owner: 'alice' });
    expect((await refusal(readAge(fixture('passphrase.age'), { passphrase: secret('plover-anvil-quartz-72') }, 'f'))).code).toBe('E_BACKUP_KEY');
  });
  it('recipients and identities are those of age-keygen', () => {
    const own = parseIdentity(identities[0] as string) as Uint8Array;
    const recipient = Buffer.from(fixture('recipient.txt')).toString().trim();
    expect(ageRecipient(x25519Public(own))).toBe(recipient);
    expect(toHex(parseRecipient(recipient).key as Uint8Array)).toBe(toHex(x25519Public(own)));
    expect(ageIdentity(own)).toBe(identities[0]);
  });
  it('a wrong key, a wrong passphrase, rot and other files each have their reason', async () => {
    const other = await generateX25519Identity();
    expect((await refusal(readAge(fixture('x25519.age'), { identities: [other] }, 'f'))).code).toBe('E_BACKUP_KEY');
    expect((await refusal(readAge(fixture('x25519.age'), { passphrase: secret('x') }, 'f'))).code).toBe('E_BACKUP_KEY');
    for (const at of [60, 190, 300, 828]) {
      const bad = fixture('x25519.age');
      bad[at] = (bad[at] as number) ^ 1;
      expect(['E_BACKUP_BAD', 'E_BACKUP_KEY']).toContain((await refusal(readAge(bad, { identities }, 'f'))).code);
    }
    // within the body it is damage and nothing else
    const body = fixture('x25519.age');
    body[500] = (body[500] as number) ^ 1;
    expect((await refusal(readAge(body, { identities }, 'f'))).code).toBe('E_BACKUP_BAD');
    expect((await refusal(readAge(fixture('x25519.age').slice(0, -1), { identities }, 'f'))).code).toBe('E_BACKUP_BAD');
    const armored = Buffer.from(fixture('x25519-armored.age')).toString('latin1');
    expect((await refusal(readAge(utf8(armored.replace('-----END', '----END')), { identities }, 'f'))).code).toBe('E_BACKUP_BAD');
    expect((await refusal(readAge(fixture('package.json'), { identities }, 'f'))).code).toBe('E_BACKUP_BAD');
    expect((await refusal(readAge(new Uint8Array((1 << 20) + 1), { identities }, 'f'))).code).toBe('E_TOO_LARGE');
  });
});

describe('what we write', () => {
  const contents = fixture('package.json');
  it('opens for each of several recipients, and nobody else', async () => {
    const keys = [keeper('c1'), keeper('c2')];
    const file = await writeAge(contents, keys.map((k) => parseRecipient(ageRecipient(k.key))));
    for (const k of keys) expect(toHex(await readAge(file, { identities: [ageIdentity(k.secret)] }, 'f'))).toBe(toHex(contents));
    expect((await refusal(readAge(file, { identities: [ageIdentity(random(32))] }, 'f'))).code).toBe('E_BACKUP_KEY');
  });
  it('to a passphrase: scrypt with 2^18 unless told otherwise', async () => {
    const file = await writeAge(contents, secret('correct horse battery'));
    expect(Buffer.from(file).toString('latin1')).toMatch(/\n-> scrypt \S+ 18\n/);
    expect(toHex(await readAge(file, { passphrase: secret('correct horse battery') }, 'f'))).toBe(toHex(contents));
  });
  it('to a post-quantum recipient', async () => {
    const identity = await generateHybridIdentity();
    const recipient = parseRecipient(await identityToRecipient(identity));
    expect(recipient).toMatchObject({ kind: 'pq' });
    const file = await writeAge(contents, [recipient]);
    expect(toHex(await readAge(file, { identities: parseIdentityFile(utf8(`# a comment\n${identity}\n`), 'f') }, 'f'))).toBe(toHex(contents));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(toHex(await decrypter.decrypt(file))).toBe(toHex(contents));
    // mixed with an X25519 key it would only be as strong as that one; age-encryption itself lets it pass
    expect((await refusal(writeAge(contents, [recipient, parseRecipient(ageRecipient(keeper('c').key))]))).code).toBe('E_RECIPIENT');
  });
  it('a hostile amount of work is refused, not done', async () => {
    const file = Buffer.from(await writeAge(contents, secret('correct horse battery'), 10)).toString('latin1').replace(/(-> scrypt \S+) 10\n/, '$1 40\n');
    expect(['E_BACKUP_BAD', 'E_BACKUP_KEY']).toContain((await refusal(readAge(new Uint8Array(Buffer.from(file, 'latin1')), { passphrase: secret('correct horse battery') }, 'f'))).code);
  });
});

describe('recipients', () => {
  const good = parseRecipient(ageRecipient(keeper('c1').key));
  it('nobody, twice the same, a passphrase beside a key: refused', () => {
    expect(codeOf(() => checkRecipients([], false))).toBe('E_RECIPIENT');
    expect(codeOf(() => checkRecipients([good, good], false))).toBe('E_RECIPIENT');
    expect(codeOf(() => checkRecipients([good], true))).toBe('E_RECIPIENT');
    expect(codeOf(() => checkRecipients([], true))).toBe('none');
    expect(codeOf(() => checkRecipients([good], false))).toBe('none');
  });
  it('typing errors, foreign kinds, unusable keys', () => {
    const { text } = good;
    for (const bad of [text.slice(0, -1), `${text.slice(0, 20)}${text[20] === 'q' ? 'p' : 'q'}${text.slice(21)}`, text.toUpperCase(), 'age1yubikey1qqqqqqqqqqqqqq', 'ssh-ed25519 AAAA', '', 'alice'])
      expect([bad, codeOf(() => parseRecipient(bad))]).toEqual([bad, 'E_RECIPIENT']);
    expect(codeOf(() => ageRecipient(new Uint8Array(32)))).toBe('E_RECIPIENT');
  });
  it('an identity with a typing error is refused without being quoted', () => {
    const text = ageIdentity(random(32));
    const bad = text.slice(0, -1) + (text.endsWith('Q') ? 'P' : 'Q');
    for (const work of [() => parseIdentity(bad), () => parseIdentityFile(utf8('AGE-SECRET-KEY-1abc'), 'f'), () => parseIdentityFile(utf8('# nothing\n'), 'f')]) {
      try {
        work();
        expect.unreachable();
      } catch (e) {
        expect(e).toMatchObject({ code: 'E_RECIPIENT' });
        expect((e as Error).message).not.toMatch(/SECRET-KEY/);
      }
    }
    expect(parseIdentity('AGE-SECRET-KEY-PQ-1XYZ')).toBeUndefined();
  });
});

describe('packages', () => {
  const key = makeKey('frost-p256', '2-of(alice, bob, carol)');
  const dealt = backupOf(key, 'alice', toQuorum('2-of(c1, c2)', [keeper('c1'), keeper('c2')]));
  const whole = backupOf(key, 'alice', toOne(keeper('c1')));
  const share = Buffer.from((whole.packages[0] as { bytes: Uint8Array }).bytes).toString();
  const piece = Buffer.from((dealt.packages[0] as { bytes: Uint8Array }).bytes).toString();
  const parse = (text: string) => parsePackage(utf8(text), 'f');
  const change = (text: string, from: string | RegExp, to: string): string => {
    const out = text.replace(from, to);
    expect(out).not.toBe(text);
    return out;
  };
  it('a share and a piece belong to the certificate and the backup', () => {
    checkPackage(parse(share), key.certificate, whole.backup, 'f');
    checkPackage(parse(piece), key.certificate, dealt.backup, 'f');
  });
  it('a secret that does not fit its point, or is no scalar', () => {
    const other = toHex(key.group.encodeScalar(5n));
    expect(codeOf(() => parse(change(share, /"share":"[0-9a-f]+"/, `"share":"${other}"`)))).toBe('E_BACKUP_BAD');
    expect(codeOf(() => parse(change(piece, /"piece":"[0-9a-f]+"/, `"piece":"${other}"`)))).toBe('E_BACKUP_BAD');
    expect(codeOf(() => parse(change(share, /"share":"[0-9a-f]+"/, `"share":"${'ff'.repeat(32)}"`)))).toBe('E_BACKUP_BAD');
    expect(codeOf(() => parse(change(share, /"share":"[0-9a-f]+"/, `"share":"${'00'.repeat(32)}"`)))).toBe('E_BACKUP_BAD');
  });
  it('a piece never passes for a share, nor the other way round', () => {
    expect(codeOf(() => parse(change(piece, 'mpc-ceremony/share-piece', 'mpc-ceremony/share')))).toBe('E_BACKUP_BAD');
    expect(codeOf(() => parse(change(share, 'mpc-ceremony/share', 'mpc-ceremony/share-piece')))).toBe('E_BACKUP_BAD');
  });
  it('an error never quotes what is inside', () => {
    const hidden = toHex(key.shares.get('alice') as Uint8Array);
    try {
      parse(change(share, /"share":"[0-9a-f]+"/, `"share":"${hidden.toUpperCase()}"`));
      expect.unreachable();
    } catch (e) {
      expect(JSON.stringify([e, (e as Error).message, (e as CeremonyError).facts]).toLowerCase()).not.toContain(hidden);
    }
  });
  it.each([
    ['key', (p: Record<string, unknown>) => ((p['key'] as { id: string }).id = '00'.repeat(16)), 'E_BACKUP_BAD'],
    ['epoch', (p: Record<string, unknown>) => (p['certificate'] = '00'.repeat(32)), 'E_EPOCH'],
    ['epoch', (p: Record<string, unknown>) => (p['epoch'] = 2), 'E_BACKUP_BAD'],
    ['quorum', (p: Record<string, unknown>) => (p['quorum'] = 'all-of(alice, bob)'), 'E_BACKUP_BAD'],
    ['chainCode', (p: Record<string, unknown>) => (p['chainCode'] = '00'.repeat(32)), 'E_BACKUP_BAD'],
    ['leaf', (p: Record<string, unknown>) => ((p['leaf'] as { id: number }).id = 2), 'E_BACKUP_BAD'],
    ['mode', (p: Record<string, unknown>) => (p['mode'] = 'production'), 'E_BACKUP_BAD'],
    ['publicShare', (p: Record<string, unknown>) => (p['publicShare'] = '02'.repeat(33)), 'E_BACKUP_BAD'],
  ])('%s of something else', (field, work, code) => {
    const contents = structuredClone(parse(share)) as unknown as Record<string, unknown>;
    work(contents);
    try {
      checkPackage(contents as never, key.certificate, whole.backup, 'f');
      expect.unreachable();
    } catch (e) {
      expect(e).toMatchObject({ code, facts: { field } });
    }
  });
  it('a piece of another backup of the same share', () => {
    const again = backupOf(key, 'alice', toQuorum('2-of(c1, c2)', [keeper('c1'), keeper('c2')]));
    expect(codeOf(() => checkPackage(parse(piece), key.certificate, again.backup, 'f'))).toBe('E_BACKUP_BAD');
  });
});
