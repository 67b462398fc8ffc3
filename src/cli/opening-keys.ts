/** What opens a backup, as people bring it: identity files of age, a passphrase of its own, or the custody keys of the home. Secret. */
import type { OpeningKeys } from '../ceremony/backup-check.ts';
import type { Home } from '../ceremony/home.ts';
import type { Secret } from '../vault/secret.ts';
import { fail } from '../wire/errors.ts';
import { type Context, realPath } from './context.ts';

export interface OpeningOptions {
  readonly identity?: readonly string[];
  readonly passphraseBackupFile?: string;
}

/** The passphrase of a backup: another one than that of the home. */
export async function backupPassphrase(ctx: Context, file: string | undefined, confirm: boolean): Promise<Secret> {
  const { readPassphrase } = await import('../vault/passphrase.ts');
  if (file === undefined && ctx.flags.input === false)
    fail('E_PERSON', 'the passphrase of the backup is needed', { field: 'passphrase-backup-file', remedy: 'Give --passphrase-backup-file, or run at a terminal.' });
  const { secret, warning } = await readPassphrase({ file, confirm, prompt: 'Passphrase of the backup', stdin: process.stdin, stderr: process.stderr });
  if (warning !== undefined) ctx.out.say(`! ${warning}`);
  return secret;
}

/**
 * The keys that the options name; without any the custody keys of the home, and without those a passphrase, asked for.
 * @returns the keys, and what wipes them
 * @throws E_MISSING, E_PERSON, and what reading identities and passphrases throws
 */
export async function openingKeys(ctx: Context, home: Home | undefined, options: OpeningOptions): Promise<{ keys: OpeningKeys; wipe: () => void }> {
  const { parseIdentityFile } = await import('../ceremony/backup-age.ts');
  const identities = (options.identity ?? []).flatMap((path) => {
    const file = realPath(path);
    const bytes = ctx.disk.read(file, 65_536) ?? fail('E_MISSING', 'the identity file is missing', { file, field: 'identity' });
    try {
      return parseIdentityFile(bytes, file);
    } finally {
      bytes.fill(0);
    }
  });
  const given = identities.length > 0 || options.passphraseBackupFile !== undefined;
  const custody: Uint8Array[] = [];
  if (home && !given) {
    const { custodySecrets } = await import('../ceremony/custody.ts');
    custody.push(...custodySecrets(home, (await ctx.port(home).unlock()).vault).map((k) => k.secret));
  }
  const passphrase = options.passphraseBackupFile !== undefined || (!given && custody.length === 0) ? await backupPassphrase(ctx, options.passphraseBackupFile, false) : undefined;
  return {
    keys: { identities, passphrase, custody },
    wipe: () => {
      for (const k of custody) k.fill(0);
      passphrase?.wipe();
    },
  };
}
