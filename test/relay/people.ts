/** Shared by the tests of the relay: people with keys, places, folders, refusals, scripts for child processes. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { onTestFinished } from 'vitest';
import { relayKey, relayReady } from '../../src/relay/relay-key.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { sha256 } from '../../src/wire/hash.ts';

await relayReady();

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** A participant as the relay layer sees it; the same keys for the same name. */
export const person = (name: string) => {
  const secret = sha256(utf8(`relay ${name}`));
  return { name, secret, signer: signerFromSeed(sha256(utf8(`identity ${name}`))), key: relayKey(secret) };
};
export type Person = ReturnType<typeof person>;

/** A place that depends on a number. */
export const place = (n: number): string => createHash('sha256').update(`place ${String(n)}`).digest('hex').slice(0, 32);

/** A fresh folder that goes with the test. */
export function tempDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'relay-test-')));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** The refusal that work ends with, now or later. */
export async function refusal(work: () => unknown): Promise<CeremonyError> {
  try {
    await work();
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
  throw new Error('nothing was refused');
}

/** Bundles `children/NAME.ts` into a folder; Node 20 does not run TypeScript. @returns the script */
export async function bundle(name: string, dir: string): Promise<string> {
  const build = await rolldown({ input: { [name]: join(import.meta.dirname, 'children', `${name}.ts`) }, platform: 'node', logLevel: 'warn' });
  await build.write({ dir, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' });
  await build.close();
  return join(dir, `${name}.mjs`);
}

/** Asks again until something is so. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((done) => setTimeout(done, 10));
}
