import { chmodSync, chownSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realDisk } from '../../src/vault/durable.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { codeOf, refusal, tempDir } from './support.ts';

const disk = realDisk();
const mode = (path: string): number => lstatSync(path).mode & 0o777;
const text = (path: string): string => readFileSync(path, 'utf8');
const posix = process.platform !== 'win32';

describe('write and read', () => {
  it('gives back what was written, for any bytes', () => {
    const file = join(tempDir(), 'f');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (bytes, verify) => {
        disk.write(file, bytes, { verify });
        expect(disk.read(file, 5000)).toEqual(bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves one file and no temporary ones', () => {
    const dir = tempDir();
    disk.write(join(dir, 'f'), utf8('one'));
    disk.write(join(dir, 'f'), utf8('two'));
    expect(disk.createOnce(join(dir, 'g'), utf8('one'))).toBe(true);
    expect(disk.createOnce(join(dir, 'g'), utf8('two'))).toBe(false);
    expect(text(join(dir, 'f'))).toBe('two');
    expect(text(join(dir, 'g'))).toBe('one');
    expect(readdirSync(dir).sort()).toEqual(['f', 'g']);
  });

  it.runIf(posix)('sets exactly the mode asked for, whatever the umask', () => {
    const dir = tempDir();
    const before = process.umask(0o077);
    try {
      disk.write(join(dir, 'open'), utf8('x'), { mode: 0o644 });
      disk.makeDir(join(dir, 'a/b'), 0o755);
    } finally {
      process.umask(0);
    }
    disk.write(join(dir, 'closed'), utf8('x'));
    disk.createOnce(join(dir, 'once'), utf8('x'));
    disk.makeDir(join(dir, 'c/d'));
    process.umask(before);
    expect([mode(join(dir, 'open')), mode(join(dir, 'a')), mode(join(dir, 'a/b'))]).toEqual([0o644, 0o755, 0o755]);
    expect([mode(join(dir, 'closed')), mode(join(dir, 'once')), mode(join(dir, 'c')), mode(join(dir, 'c/d'))]).toEqual([
      0o600, 0o600, 0o700, 0o700,
    ]);
  });

  it('does not touch a file that holds these bytes already', () => {
    const file = join(tempDir(), 'f');
    let writes = 0;
    const counted = realDisk({ onWrite: () => (writes += 1) });
    counted.write(file, utf8('same'));
    utimesSync(file, 1, 1);
    const { ino } = lstatSync(file);
    counted.write(file, utf8('same'), { verify: true });
    expect([lstatSync(file).ino, lstatSync(file).mtimeMs, writes]).toEqual([ino, 1000, 1]);
    counted.write(file, utf8('diff'));
    expect([text(file), writes]).toEqual(['diff', 2]);
  });

  it.runIf(posix)('writes a private file anew when it lay open to others', () => {
    const file = join(tempDir(), 'f');
    disk.write(file, utf8('same'));
    chmodSync(file, 0o644);
    disk.write(file, utf8('same'));
    expect(mode(file)).toBe(0o600);
  });

  it('refuses more than the caller accepts', () => {
    const file = join(tempDir(), 'f');
    disk.write(file, new Uint8Array(101));
    expect(codeOf(() => disk.read(file, 100))).toBe('E_TOO_LARGE');
    expect(disk.read(file, 101)).toHaveLength(101);
  });

  it('tells absent from refused', () => {
    const dir = tempDir();
    expect(disk.read(join(dir, 'none'), 1)).toBeUndefined();
    expect(disk.exists(join(dir, 'none'))).toBe(false);
    const error = refusal(() => {
      disk.write(join(dir, 'none/f'), utf8('x'));
    });
    expect(error.code).toBe('E_IO');
    expect(error.facts.file).toBe(join(dir, 'none/f'));
    expect(error.facts.remedy).toContain('repeat the command');
  });
});

describe.runIf(posix)('links and special files', () => {
  it('are refused in the last place of a path', () => {
    const dir = tempDir();
    const link = join(dir, 'link');
    writeFileSync(join(dir, 'target'), 'untouched');
    symlinkSync(join(dir, 'target'), link);
    expect(codeOf(() => disk.read(link, 100))).toBe('E_IO');
    expect(codeOf(() => { disk.write(link, utf8('x')); })).toBe('E_IO');
    expect(codeOf(() => { disk.write(link, utf8('untouched')); })).toBe('E_IO');
    expect(codeOf(() => disk.createOnce(link, utf8('x')))).toBe('E_IO');
    expect(codeOf(() => { disk.erase(link); })).toBe('E_IO');
    expect(codeOf(() => { disk.checkPrivate(link); })).toBe('E_IO');
    expect(text(join(dir, 'target'))).toBe('untouched');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(disk.list(dir)).toEqual(['target']);
  });

  it('are refused as the folder of a file', () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'elsewhere'));
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'round-1'));
    const file = join(dir, 'round-1/alice.blob');
    expect(codeOf(() => { disk.write(file, utf8('x')); })).toBe('E_IO');
    expect(codeOf(() => disk.createOnce(file, utf8('x')))).toBe('E_IO');
    expect(codeOf(() => { disk.erase(file); })).toBe('E_IO');
    expect(codeOf(() => disk.list(join(dir, 'round-1')))).toBe('E_IO');
    expect(codeOf(() => { disk.makeDir(join(dir, 'round-1')); })).toBe('E_IO');
    expect(codeOf(() => { disk.removeStaleTemps(join(dir, 'round-1')); })).toBe('E_IO');
    expect(readdirSync(join(dir, 'elsewhere'))).toEqual([]);
    expect(disk.dirs(dir)).toEqual(['elsewhere']);
  });

  it('never hang or read as files', () => {
    const dir = tempDir();
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    expect(codeOf(() => disk.read(join(dir, 'pipe'), 100))).toBe('E_IO');
    expect(codeOf(() => disk.read(dir, 100))).toBe('E_IO');
    expect(codeOf(() => disk.read('/dev/zero', 100))).toBe('E_IO');
    expect(disk.list(dir)).toEqual([]);
  });
});

describe('erase', () => {
  it('overwrites the contents, also under a second name', () => {
    const dir = tempDir();
    disk.write(join(dir, 'f'), utf8('secret'));
    linkSync(join(dir, 'f'), join(dir, 'witness'));
    disk.erase(join(dir, 'f'));
    expect(readdirSync(dir)).toEqual(['witness']);
    expect([...readFileSync(join(dir, 'witness'))]).toEqual([0, 0, 0, 0, 0, 0]);
    disk.erase(join(dir, 'f'));
  });
});

describe('folders', () => {
  it('list plain files and folders apart, sorted, without dot names', () => {
    const dir = tempDir();
    for (const name of ['b', 'a', '.hidden', '.mpc-1-2']) writeFileSync(join(dir, name), '');
    for (const name of ['d2', 'd1', '.git']) mkdirSync(join(dir, name));
    expect(disk.list(dir)).toEqual(['a', 'b']);
    expect(disk.dirs(dir)).toEqual(['d1', 'd2']);
    expect(disk.list(join(dir, 'none'))).toEqual([]);
    expect(disk.dirs(join(dir, 'none'))).toEqual([]);
    expect(codeOf(() => disk.list(join(dir, 'a')))).toBe('E_IO');
  });

  it('refuse more than 10,000 entries', () => {
    const dir = tempDir();
    for (let i = 0; i < 10_000; i++) writeFileSync(join(dir, String(i)), '');
    expect(disk.list(dir)).toHaveLength(10_000);
    writeFileSync(join(dir, '.one-more'), '');
    expect(codeOf(() => disk.list(dir))).toBe('E_TOO_LARGE');
  });

  it('refuse to be made where a file is', () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'f'), '');
    expect(codeOf(() => { disk.makeDir(join(dir, 'f')); })).toBe('E_IO');
    expect(codeOf(() => { disk.makeDir(join(dir, 'f/g')); })).toBe('E_IO');
  });
});

describe('what a crash leaves behind', () => {
  it('is swept: writes by name only, erasures with their contents', () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'once'), 'kept');
    // as if killed between link and unlink: the leftover is a second name of the real file
    linkSync(join(dir, 'once'), join(dir, '.mpc-1-0'));
    writeFileSync(join(dir, '.mpc-erase-1-1'), 'doomed');
    linkSync(join(dir, '.mpc-erase-1-1'), join(dir, 'witness'));
    disk.removeStaleTemps(dir);
    disk.removeStaleTemps(join(dir, 'none'));
    expect(readdirSync(dir).sort()).toEqual(['once', 'witness']);
    expect(text(join(dir, 'once'))).toBe('kept');
    expect(text(join(dir, 'witness'))).toBe('\0'.repeat(6));
  });
});

describe.runIf(posix)('checkPrivate', () => {
  it('accepts only what is closed to others, and names the remedy', () => {
    const dir = tempDir();
    const file = join(dir, 'f');
    disk.write(file, utf8('x'));
    disk.checkPrivate(dir);
    disk.checkPrivate(file);
    for (const bits of [0o640, 0o604, 0o620, 0o601]) {
      chmodSync(file, bits);
      const error = refusal(() => { disk.checkPrivate(file); });
      expect([error.code, error.facts.remedy]).toEqual(['E_IO', `chmod 600 ${file}`]);
    }
    chmodSync(dir, 0o750);
    expect(refusal(() => { disk.checkPrivate(dir); }).facts.remedy).toBe(`chmod 700 ${dir}`);
    expect(codeOf(() => { disk.checkPrivate(join(dir, 'none')); })).toBe('E_IO');
  });

  it.runIf(process.getuid?.() === 0)('refuses what another user owns', () => {
    const file = join(tempDir(), 'f');
    disk.write(file, utf8('x'));
    chownSync(file, 12_345, 12_345);
    expect(refusal(() => { disk.checkPrivate(file); }).message).toContain('another user');
  });
});

describe('onWrite', () => {
  it('counts completed changes, and nothing else', () => {
    const dir = tempDir();
    const counts: number[] = [];
    const counted = realDisk({ onWrite: (n) => counts.push(n) });
    const steps: (() => unknown)[] = [
      () => { counted.makeDir(join(dir, 'a/b')); },
      () => { counted.write(join(dir, 'f'), utf8('x')); },
      () => counted.createOnce(join(dir, 'g'), utf8('x')),
      () => { counted.erase(join(dir, 'g')); },
    ];
    for (const step of steps) step();
    expect(counts).toEqual([1, 2, 3, 4]);
    counted.makeDir(join(dir, 'a/b'));
    counted.write(join(dir, 'f'), utf8('x'));
    counted.createOnce(join(dir, 'f'), utf8('y'));
    counted.erase(join(dir, 'g'));
    counted.removeStaleTemps(dir);
    counted.read(join(dir, 'f'), 9);
    counted.list(dir);
    expect(counts).toEqual([1, 2, 3, 4]);
  });
});
