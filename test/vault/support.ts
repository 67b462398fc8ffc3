/** Shared by the tests of the vault: temporary folders, random bytes, and scripts bundled for child processes. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { onTestFinished } from 'vitest';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** A fresh folder (0700), removed after the test that asked for it. */
export function tempDir(): string {
  const dir = newDir();
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** A fresh folder that the caller removes. */
export function newDir(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'vault-test-')));
}

/** Bundles `children/<name>.ts` into `dir`; Node 20 does not run TypeScript. Returns the path of the script. */
export async function bundle(name: string, dir: string): Promise<string> {
  const build = await rolldown({
    input: { [name]: join(import.meta.dirname, 'children', `${name}.ts`) },
    platform: 'node',
    logLevel: 'warn',
  });
  await build.write({ dir, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' });
  await build.close();
  return join(dir, `${name}.mjs`);
}

/** The CeremonyError that `work` throws. */
export function refusal(work: () => unknown): CeremonyError {
  try {
    work();
  } catch (error) {
    if (error instanceof CeremonyError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export function codeOf(work: () => unknown): ErrorCode {
  return refusal(work).code;
}

/** The CeremonyError that a promise is rejected with. */
export async function rejection(work: Promise<unknown>): Promise<CeremonyError> {
  const error: unknown = await work.then(
    () => new Error('nothing was refused'),
    (cause: unknown) => cause,
  );
  if (error instanceof CeremonyError) return error;
  throw error;
}
