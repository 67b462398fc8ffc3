/** Asks for a new passphrase at the terminal and tells its length alone. */
import { readPassphrase } from '../../../src/vault/passphrase.ts';
import { CeremonyError } from '../../../src/wire/errors.ts';

try {
  const { secret } = await readPassphrase({ confirm: true, prompt: 'Passphrase', stdin: process.stdin, stderr: process.stderr });
  console.log(`LENGTH=${String(secret.use((b) => b.length))}`);
} catch (error) {
  console.log(error instanceof CeremonyError ? error.code : String(error));
}
