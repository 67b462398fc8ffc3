import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireLock } from '../../src/vault/lock.ts';
import { bundle, newDir, rejection, tempDir } from './support.ts';

const root = newDir();
let holder = '';

beforeAll(async () => {
  holder = await bundle('lock-holder', join(root, 'bin'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

async function start(home: string, platform: string, ...more: string[]): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [holder, home, platform, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: chunk.toString().trim() };
}

// the way of macOS works wherever there are socket files
const platforms = process.platform === 'linux' ? ['linux', 'darwin'] : [process.platform];

describe.each(platforms)('the lock of a home, in the manner of %s', (platform) => {
  const kind = platform as NodeJS.Platform;

  it('is held once, and can be taken again when it is released', async () => {
    const home = tempDir();
    const lock = await acquireLock(home, kind);
    const busy = await rejection(acquireLock(home, kind));
    expect([busy.code, busy.facts.file]).toEqual(['E_BUSY', home]);
    await (await acquireLock(tempDir(), kind)).release();
    await lock.release();
    await (await acquireLock(home, kind)).release();
  });

  it('is that of the real folder, by whatever name it is reached', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'home'));
    symlinkSync(join(dir, 'home'), join(dir, 'alias'));
    const lock = await acquireLock(join(dir, 'alias'), kind);
    expect((await rejection(acquireLock(join(dir, 'home'), kind))).code).toBe('E_BUSY');
    await lock.release();
  });

  it('does not keep its process alive', async () => {
    const { child, said } = await start(tempDir(), platform);
    expect(said).toBe('locked');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
  });

  it.runIf(process.platform !== 'win32')('is kept by a stopped process, and free at once after kill -9', async () => {
    const home = tempDir();
    const { child, said } = await start(home, platform, 'hold');
    expect(said).toBe('locked');
    child.kill('SIGSTOP');
    await new Promise((go) => setTimeout(go, 300));
    expect((await start(home, platform)).said).toBe('E_BUSY');
    expect((await rejection(acquireLock(home, kind))).code).toBe('E_BUSY');
    child.kill('SIGKILL');
    await once(child, 'close');
    await (await acquireLock(home, kind)).release();
    expect((await start(home, platform)).said).toBe('locked');
  });
});

describe('a socket file', () => {
  it.runIf(process.platform !== 'win32')('has a short place when the path of the home is long', async () => {
    const home = join(tempDir(), 'x'.repeat(120));
    mkdirSync(home);
    const lock = await acquireLock(home, 'darwin');
    expect(existsSync(join(home, '.lock'))).toBe(false);
    expect((await rejection(acquireLock(home, 'darwin'))).code).toBe('E_BUSY');
    await lock.release();
  });
});

it('needs a home', async () => {
  expect((await rejection(acquireLock(join(tempDir(), 'none')))).code).toBe('E_IO');
});
