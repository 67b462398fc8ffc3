/** Takes the lock of a home (argument 1) in the manner of a platform (2) and says so; with `hold` (3) it stays alive. */
import { acquireLock } from '../../../src/vault/lock.ts';
import { CeremonyError } from '../../../src/wire/errors.ts';

const [home = '', platform = 'linux', hold] = process.argv.slice(2);
try {
  await acquireLock(home, platform as NodeJS.Platform);
  console.log('locked');
  if (hold === 'hold') setInterval(() => undefined, 1000);
} catch (error) {
  console.log(error instanceof CeremonyError ? error.code : String(error));
}
