/** Giving a name once where there are no hard links, when a process stands still in the worst moment. The moments are made with a hook in the file system. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openSpool } from '../../src/relay/spool.ts';
import { place, random, tempDir } from './people.ts';

const hooks: { afterLook?: ((path: string) => void) | undefined; afterRename?: ((to: string, from: string) => void) | undefined; onPause?: (() => void) | undefined } = {};
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    lstat: async (path: string) => {
      try {
        return await real.lstat(path);
      } finally {
        hooks.afterLook?.(path);
      }
    },
    rename: async (from: string, to: string) => {
      await real.rename(from, to);
      hooks.afterRename?.(to, from);
    },
  };
});
vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof import('node:timers/promises')>();
  return {
    ...real,
    setTimeout: async (ms: number) => {
      hooks.onPause?.();
      await real.setTimeout(ms);
    },
  };
});
afterEach(() => {
  hooks.afterLook = hooks.afterRename = hooks.onPause = undefined;
});

const box = place(0);
const name = place(1);
const unlinkable = async (): Promise<never> => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }));
const claimOf = (dir: string): string => join(dir, '.tmp', `${box}-${name}.claim`);

it('a claim that others took over meanwhile is no right to rename, and theirs is left alone', async () => {
  const dir = tempDir();
  const theirs = random(500);
  hooks.afterLook = (path) => {
    if (path !== join(dir, box, name)) return;
    hooks.afterLook = undefined;
    // it stands still after its look; another one takes the claim over and stores
    writeFileSync(claimOf(dir), `${'f'.repeat(24)}.part`);
    writeFileSync(path, theirs);
  };
  expect(await openSpool(dir, { link: unlinkable }).put(box, name, random(500))).toBe('other');
  expect(hooks.afterLook).toBeUndefined();
  expect(readFileSync(join(dir, box, name)).equals(theirs)).toBe(true);
  expect(readdirSync(join(dir, '.tmp'))).toEqual([`${box}-${name}.claim`]);
});
it('a claim that is gone is no right either: it is made anew', async () => {
  const dir = tempDir();
  const renamed: string[] = [];
  hooks.afterRename = (_, from) => renamed.push(basename(from));
  let lost = '';
  hooks.afterLook = (path) => {
    if (path !== join(dir, box, name)) return;
    hooks.afterLook = undefined;
    lost = readFileSync(claimOf(dir), 'utf8');
    rmSync(claimOf(dir));
  };
  const bytes = random(500);
  expect(await openSpool(dir, { link: unlinkable }).put(box, name, bytes)).toBe('stored');
  expect(renamed).toHaveLength(1);
  expect(lost).toMatch(/^[0-9a-f]{24}\.part$/);
  expect(renamed[0]).not.toBe(lost);
  expect(readFileSync(join(dir, box, name)).equals(bytes)).toBe(true);
  expect(existsSync(claimOf(dir))).toBe(false);
});
it('other bytes under the name right after its renaming are told: nothing was stored', async () => {
  const dir = tempDir();
  hooks.afterRename = (to) => writeFileSync(to, 'of somebody else');
  expect(await openSpool(dir, { link: unlinkable }).put(box, name, random(500))).toBe('other');
});
it('a claim that passes from owner to owner is not taken over: each has its time', async () => {
  const dir = tempDir();
  mkdirSync(join(dir, '.tmp'));
  const owner = (n: number): string => `${n.toString(16).padStart(24, '0')}.part`;
  writeFileSync(claimOf(dir), owner(0));
  let pauses = 0;
  hooks.onPause = () => {
    expect(readFileSync(claimOf(dir), 'utf8')).toBe(owner(Math.min(pauses, 6)));
    if (++pauses <= 6) writeFileSync(claimOf(dir), owner(pauses));
  };
  // no time at all: the first look that finds the same owner again takes the claim over
  expect(await openSpool(dir, { link: unlinkable, claimMs: 0 }).put(box, name, random(10))).toBe('stored');
  expect(pauses).toBe(7);
});
