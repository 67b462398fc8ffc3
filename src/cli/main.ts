/**
 * cli/: what a person or a script meets. This file starts the program and loads nothing that the command does not need.
 */
import { EXIT } from '../wire/errors.ts';
import { VERSION } from './version.ts';

process.umask(0o077);

const args = process.argv.slice(2);
if (args.length === 1 && args[0] === '--version') {
  process.stdout.write(`${VERSION}\n`);
} else {
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
  const { main } = await import('./program.ts');
  process.exitCode = await main(args);
}
