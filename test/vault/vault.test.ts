import { chmodSync, cpSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Disk, realDisk } from '../../src/vault/durable.ts';
import { createVault, IDENTITY_FILE, openVault, REHEARSAL, type Vault } from '../../src/vault/vault.ts';
import { Secret } from '../../src/vault/secret.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { codeOf, random, refusal, rejection, tempDir } from './support.ts';

const disk = realDisk();
const secret = (text = 'correct horse battery'): Secret => new Secret(utf8(text));
const payload = utf8('seed of the identity');
const SHARE = 'keys/treasury/epoch-1/share.sealed';
const posix = process.platform !== 'win32';

async function newVault(): Promise<{ home: string; vault: Vault }> {
  const home = join(tempDir(), 'home');
  return { home, vault: await createVault(disk, home, secret(), REHEARSAL, random, payload) };
}

describe('a vault', () => {
  it('keeps what is put into it, across processes, closed to others', async () => {
    const { home, vault } = await newVault();
    vault.put(SHARE, utf8('share'));
    vault.put(SHARE, utf8('share 2'));
    vault.put('ceremonies/a/secret/1.sealed', new Uint8Array(0));
    vault.close();
    const opened = await openVault(disk, home, secret(), random);
    expect(opened.payload).toEqual(payload);
    expect(opened.vault.get(SHARE)).toEqual(utf8('share 2'));
    expect(opened.vault.get('ceremonies/a/secret/1.sealed')).toEqual(new Uint8Array(0));
    expect(opened.vault.get('keys/none')).toBeUndefined();
    opened.vault.erase(SHARE);
    opened.vault.erase(SHARE);
    expect(opened.vault.get(SHARE)).toBeUndefined();
    expect(readdirSync(join(home, 'keys/treasury/epoch-1'))).toEqual([]);
    if (posix) {
      expect(statSync(join(home, IDENTITY_FILE)).mode & 0o777).toBe(0o600);
      for (const dir of ['', 'identity', 'keys', 'keys/treasury']) expect(statSync(join(home, dir)).mode & 0o777).toBe(0o700);
    }
  });

  it('opens under its passphrase alone, and tells a wrong one from a damaged file', async () => {
    const { home } = await newVault();
    for (const wrong of ['correct horse batterY', 'correct horse battery ', 'x', 'correct horse battery\0'])
      expect((await rejection(openVault(disk, home, secret(wrong), random))).code).toBe('E_PASSPHRASE');
    const file = join(home, IDENTITY_FILE);
    const good = readFileSync(file);
    for (const at of [0, 5, 20, 60, good.length - 140, good.length - 40, good.length - 1]) {
      writeFileSync(file, good.map((b, i) => (i === at ? b ^ 1 : b)));
      const error = await rejection(openVault(disk, home, secret(), random));
      expect([at, error.code, error.facts.file]).toEqual([at, 'E_STATE', file]);
    }
    writeFileSync(file, good);
    expect((await openVault(disk, home, secret(), random)).payload).toEqual(payload);
  });

  it('is made once', async () => {
    const { home } = await newVault();
    const before = readFileSync(join(home, IDENTITY_FILE));
    const again = await rejection(createVault(disk, home, secret('another one'), REHEARSAL, random, payload));
    expect(again.code).toBe('E_EXISTS');
    expect(readFileSync(join(home, IDENTITY_FILE)).equals(before)).toBe(true);
    const none = await rejection(openVault(disk, join(home, 'none'), secret(), random));
    expect(none.code).toBe('E_NO_HOME');
  });

  it('refuses a file that was moved, exchanged, rolled into another home, or is not a sealed file', async () => {
    const { home, vault } = await newVault();
    const other = await newVault();
    const second = 'keys/treasury/epoch-2/share.sealed';
    vault.put(SHARE, utf8('1'));
    vault.put(second, utf8('2'));
    other.vault.put(SHARE, utf8('3'));
    renameSync(join(home, SHARE), join(home, 'tmp'));
    renameSync(join(home, second), join(home, SHARE));
    renameSync(join(home, 'tmp'), join(home, second));
    for (const path of [SHARE, second]) {
      const error = refusal(() => vault.get(path));
      expect([error.code, error.facts.file]).toEqual(['E_STATE', join(home, path)]);
    }
    cpSync(join(other.home, SHARE), join(home, SHARE));
    expect(refusal(() => vault.get(SHARE)).message).toContain('another home');
    cpSync(join(home, IDENTITY_FILE), join(home, SHARE));
    expect(codeOf(() => vault.get(SHARE))).toBe('E_STATE');
    vault.put(SHARE, utf8('4'));
    cpSync(join(home, SHARE), join(home, IDENTITY_FILE));
    expect((await rejection(openVault(disk, home, secret(), random))).code).toBe('E_STATE');
  });

  it.runIf(posix)('refuses a home or a file that others can read, and links', async () => {
    const { home, vault } = await newVault();
    vault.put(SHARE, utf8('1'));
    const file = join(home, SHARE);
    chmodSync(file, 0o640);
    expect(refusal(() => vault.get(SHARE)).facts.remedy).toBe(`chmod 600 ${file}`);
    chmodSync(file, 0o600);
    chmodSync(home, 0o755);
    expect(refusal(() => vault.get(SHARE)).facts.remedy).toBe(`chmod 700 ${home}`);
    expect((await rejection(openVault(disk, home, secret(), random))).code).toBe('E_IO');
    expect((await rejection(createVault(disk, home, secret(), REHEARSAL, random, payload))).code).toBe('E_IO');
    chmodSync(home, 0o700);
    renameSync(file, join(home, 'elsewhere'));
    symlinkSync(join(home, 'elsewhere'), file);
    expect(codeOf(() => vault.get(SHARE))).toBe('E_IO');
    expect(codeOf(() => { vault.put(SHARE, utf8('2')); })).toBe('E_IO');
    symlinkSync(home, `${home}-link`);
    expect((await rejection(openVault(disk, `${home}-link`, secret(), random))).code).toBe('E_IO');
  });

  it('takes only plain places within the home', async () => {
    const { vault } = await newVault();
    const bad = ['', '/etc/passwd', '../x', 'a/../b', 'a//b', 'a/', './a', '.hidden', 'A/b', 'a b', 'a\\b', 'a\0', 'ä', IDENTITY_FILE, 'a'.repeat(300)];
    for (const path of bad)
      for (const work of [() => { vault.put(path, payload); }, () => vault.get(path), () => { vault.erase(path); }])
        expect([path, codeOf(work)]).toEqual([path, 'E_INTERNAL']);
  });

  it('is of no use after closing, and prints nothing', async () => {
    const { vault } = await newVault();
    vault.put(SHARE, utf8('1'));
    expect(inspect(vault, { depth: 9, showHidden: true })).not.toMatch(/Uint8Array|Buffer/);
    vault.close();
    expect(codeOf(() => vault.get(SHARE))).toBe('E_INTERNAL');
    expect(codeOf(() => { vault.put(SHARE, utf8('2')); })).toBe('E_INTERNAL');
  });

  it('keeps the earlier file when the disk is full', async () => {
    const { home, vault } = await newVault();
    vault.put(SHARE, utf8('1'));
    vault.close();
    const full: Disk = {
      ...disk,
      write: (path) => {
        throw new CeremonyError('E_IO', 'no space is left', { file: path });
      },
    };
    const opened = await openVault(full, home, secret(), random);
    expect(codeOf(() => { opened.vault.put(SHARE, utf8('2')); })).toBe('E_IO');
    expect(opened.vault.get(SHARE)).toEqual(utf8('1'));
  });

  it('leaves no passphrase, payload or contents in any file', async () => {
    const { home, vault } = await newVault();
    vault.put(SHARE, utf8('LEAKCANARY-share'));
    const names = readdirSync(home, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
    expect(names).toHaveLength(2);
    for (const entry of names) {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      for (const needle of ['correct horse', 'seed of the', 'LEAKCANARY']) expect(bytes.includes(needle)).toBe(false);
    }
  });
});
