/** Disks that are full, read-only, without hard links, or shared with a neighbour who tidies up. */
import { execFileSync } from 'node:child_process';
import type * as Fs from 'node:fs';
import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { realDisk } from '../../src/vault/durable.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { newDir, refusal, tempDir } from './support.ts';

/** Errors to be thrown by system calls, and things to happen just before them. */
const faults = vi.hoisted(() => ({ errno: new Map<string, string>(), before: new Map<string, (...args: unknown[]) => void>() }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof Fs>();
  const calls = ['linkSync', 'renameSync', 'writeFileSync', 'fsyncSync', 'unlinkSync', 'writeSync', 'fchmodSync'] as const;
  const wrapped = Object.fromEntries(
    calls.map((name) => [
      name,
      (...args: unknown[]): unknown => {
        faults.before.get(name)?.(...args);
        const errno = faults.errno.get(name);
        if (errno !== undefined) throw Object.assign(new Error(`${errno}: injected`), { code: errno });
        return (real[name] as (...a: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...wrapped };
});

afterEach(() => {
  faults.errno.clear();
  faults.before.clear();
});

const disk = realDisk();
const text = (path: string): string => readFileSync(path, 'utf8');

describe('a step that the system refuses', () => {
  for (const errno of ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'EWEIRD'])
    for (const call of ['writeFileSync', 'fsyncSync', 'renameSync'])
      it(`${errno} in ${call}: the earlier file is intact, nothing is left over`, () => {
        const dir = tempDir();
        const file = join(dir, 'f');
        disk.write(file, utf8('old'));
        faults.errno.set(call, errno);
        const error = refusal(() => {
          disk.write(file, utf8('new contents'));
        });
        faults.errno.clear();
        expect(error.code).toBe('E_IO');
        expect(error.message).toContain(errno);
        expect(error.facts.file).toBe(file);
        expect(error.facts.remedy).toMatch(/repeat the command/);
        expect(text(file)).toBe('old');
        expect(readdirSync(dir)).toEqual(['f']);
        disk.write(file, utf8('new contents'));
        expect(text(file)).toBe('new contents');
      });

  it('never makes createOnce tell that it won', () => {
    const dir = tempDir();
    for (const [call, errno] of [['writeFileSync', 'ENOSPC'], ['fsyncSync', 'EIO'], ['linkSync', 'ENOSPC']] as const) {
      faults.errno.set(call, errno);
      expect(refusal(() => disk.createOnce(join(dir, 'f'), utf8('x'))).code).toBe('E_IO');
      faults.errno.clear();
      expect(readdirSync(dir)).toEqual([]);
    }
  });

  it('that cannot be made durable is not called won or lost', () => {
    const dir = tempDir();
    disk.createOnce(join(dir, 'f'), utf8('x'));
    faults.errno.set('fsyncSync', 'EIO');
    expect(refusal(() => disk.createOnce(join(dir, 'f'), utf8('y'))).code).toBe('E_IO');
    expect(refusal(() => { disk.write(join(dir, 'f'), utf8('x')); }).code).toBe('E_IO');
  });

  it('does not keep an erased file under its name', () => {
    const dir = tempDir();
    disk.write(join(dir, 'f'), utf8('secret'));
    faults.errno.set('writeSync', 'ENOSPC'); // copy-on-write and full
    disk.erase(join(dir, 'f'));
    expect(readdirSync(dir)).toEqual([]);
    faults.errno.clear();
    disk.write(join(dir, 'f'), utf8('secret'));
    faults.errno.set('writeSync', 'EIO');
    expect(refusal(() => { disk.erase(join(dir, 'f')); }).code).toBe('E_IO');
    faults.errno.clear();
    expect(disk.exists(join(dir, 'f'))).toBe(false);
    disk.removeStaleTemps(dir);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a file system with less', () => {
  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('no hard links (%s): one winner all the same', (errno) => {
    const dir = tempDir();
    faults.errno.set('linkSync', errno);
    expect(disk.createOnce(join(dir, 'f'), utf8('one'))).toBe(true);
    expect(disk.createOnce(join(dir, 'f'), utf8('two'))).toBe(false);
    expect(text(join(dir, 'f'))).toBe('one');
    expect(readdirSync(dir)).toEqual(['f']);
    // another process creates it between our look and our attempt
    faults.before.set('linkSync', () => {
      if (!disk.exists(join(dir, 'g'))) mkdirSync(join(dir, 'g'));
    });
    expect(disk.createOnce(join(dir, 'g'), utf8('x'))).toBe(false);
    expect(readdirSync(dir).sort()).toEqual(['f', 'g']);
  });

  it('no modes (FAT): files for carrying are written all the same', () => {
    const file = join(tempDir(), 'f');
    faults.errno.set('fchmodSync', 'EPERM');
    disk.write(file, utf8('x'), { mode: 0o644, verify: true });
    expect(text(file)).toBe('x');
  });

  it.each(['EINVAL', 'EPERM'])('no sync (%s) is let pass', (errno) => {
    const file = join(tempDir(), 'f');
    let calls = 0;
    // the file itself syncs, the folder after it does not
    faults.before.set('fsyncSync', () => {
      if (++calls === 2) faults.errno.set('fsyncSync', errno);
    });
    disk.write(file, utf8('x'));
    expect(calls).toBe(2);
    expect(text(file)).toBe('x');
  });
});

describe('a shared folder', () => {
  it('where a neighbour sweeps our temporary file away: it is written again', () => {
    const dir = tempDir();
    let swept = 0;
    const sweep = (temp: unknown): void => {
      if (++swept < 3) unlinkSync(temp as string);
    };
    faults.before.set('renameSync', sweep);
    disk.write(join(dir, 'f'), utf8('x'));
    expect([text(join(dir, 'f')), swept]).toEqual(['x', 3]);
    swept = 0;
    faults.before.set('linkSync', sweep);
    expect(disk.createOnce(join(dir, 'g'), utf8('y'))).toBe(true);
    expect([text(join(dir, 'g')), swept]).toEqual(['y', 3]);
    expect(readdirSync(dir).sort()).toEqual(['f', 'g']);
  });

  it('where another wins between our look and our link', () => {
    const dir = tempDir();
    let first = true;
    faults.before.set('linkSync', () => {
      if (!first) return;
      first = false;
      realDisk().createOnce(join(dir, 'f'), utf8('theirs'));
    });
    expect(disk.createOnce(join(dir, 'f'), utf8('ours'))).toBe(false);
    expect(text(join(dir, 'f'))).toBe('theirs');
  });
});

describe('a stick that lies', () => {
  it('is found out by reading back', () => {
    const file = join(tempDir(), 'f');
    faults.before.set('renameSync', (temp) => {
      execFileSync('truncate', ['-s', '3', temp as string]);
    });
    const error = refusal(() => {
      disk.write(file, utf8('longer'), { verify: true });
    });
    expect([error.code, error.facts.file]).toEqual(['E_IO', file]);
    expect(error.facts.remedy).toContain('another stick');
  });
});

/** A small real file system, where the tests may mount one. */
function smallDisk(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const dir = newDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', dir], { stdio: 'ignore' });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

const small = smallDisk();
describe.skipIf(small === undefined)('a real full disk', () => {
  const dir = small ?? dirname('.');
  it('keeps the earlier file, and says what to do; so does a read-only one', () => {
    try {
      const file = join(dir, 'state');
      disk.write(file, new Uint8Array(20_000).fill(1));
      for (let i = 0; i < 2; i++) {
        const full = refusal(() => {
          disk.write(file, new Uint8Array(60_000).fill(2));
        });
        expect([full.code, full.facts.file]).toEqual(['E_IO', file]);
        expect(full.message).toContain('no space is left');
        expect(full.facts.remedy).toContain('free some space');
      }
      expect(refusal(() => disk.createOnce(join(dir, 'once'), new Uint8Array(60_000))).code).toBe('E_IO');
      expect(readdirSync(dir)).toEqual(['state']);
      expect(disk.read(file, 20_000)).toEqual(new Uint8Array(20_000).fill(1));
      execFileSync('mount', ['-o', 'remount,ro', dir]);
      expect(refusal(() => { disk.write(file, utf8('x')); }).message).toContain('read-only');
      expect(refusal(() => { disk.erase(file); }).message).toContain('read-only');
      disk.write(file, new Uint8Array(20_000).fill(1)); // what is there already needs no writing
    } finally {
      execFileSync('umount', [dir]);
      rmSync(dir, { recursive: true });
    }
  });
});
