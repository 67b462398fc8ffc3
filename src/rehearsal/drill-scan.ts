/**
 * Looks for secrets where none may be. It opens the rehearsal homes of the stage with the rehearsal passphrase and searches
 * files for what is sealed in them. Secret: it handles the secrets of rehearsal homes, and no others.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openIdentity } from '../ceremony/identity.ts';
import { realDisk } from '../vault/durable.ts';
import { Secret } from '../vault/secret.ts';
import { concat } from '../wire/bytes.ts';
import { homeOf, PASSPHRASE_FILE, rehearsalHome, type Stage } from './stage.ts';

/** Bytes of a secret that must not stand anywhere in a row. */
const WINDOW = 8;

/** Regular files below a folder, absolute and sorted. */
export function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((file) => lstatSync(file).isFile())
    .sort();
}

/** Everything that is sealed in a home of the stage. Secret: the caller wipes it. @throws E_REHEARSAL */
async function secretsOf(stage: Stage, name: string): Promise<Uint8Array[]> {
  const home = rehearsalHome(stage, name, realDisk());
  const passphrase = new Secret(new Uint8Array(readFileSync(join(stage.root, PASSPHRASE_FILE))).filter((b) => b !== 0x0a));
  const { vault } = await openIdentity(home, passphrase, (length) => new Uint8Array(randomBytes(length)));
  try {
    return filesBelow(home.root)
      .filter((file) => file.endsWith('.sealed') && !file.endsWith('identity.sealed'))
      .flatMap((file) => vault.get(relative(home.root, file)) ?? []);
  } finally {
    vault.close();
    passphrase.wipe();
  }
}

/** Windows of a secret as they could stand in a file: raw, hex, base64 at every offset. */
function formsOf(secret: Uint8Array): string[] {
  const forms: string[] = [];
  const windows = concat(secret, secret.slice().reverse());
  for (let i = 0; i + WINDOW <= windows.length; i++) {
    // no window over the seam
    if (i < secret.length && i + WINDOW > secret.length) continue;
    const window = Buffer.from(windows.subarray(i, i + WINDOW));
    if (new Set(window).size < 4) continue;
    forms.push(window.toString('latin1'), window.toString('hex'), Buffer.from(windows.subarray(i, i + WINDOW + 1)).toString('base64'));
  }
  windows.fill(0);
  return forms;
}

/**
 * Searches the files below a folder for anything that is sealed in the homes of some people.
 * @returns the files in which something was found, relative to the folder; never what was found
 * @throws E_REHEARSAL
 */
export async function scanForSecrets(stage: Stage, people: readonly string[], dir: string): Promise<{ readonly files: number; readonly found: string[] }> {
  const files = filesBelow(dir);
  const found = new Set<string>();
  for (const name of people) {
    if (!existsSync(join(stage.root, homeOf(name)))) continue;
    for (const secret of await secretsOf(stage, name)) {
      const forms = formsOf(secret);
      secret.fill(0);
      for (const file of files) {
        const text = readFileSync(file).toString('latin1');
        if (forms.some((f) => text.includes(f))) found.add(relative(dir, file));
      }
    }
  }
  return { files: files.length, found: [...found].sort() };
}
