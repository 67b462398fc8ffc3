/**
 * cli/: what a person or a script meets. This file starts the program and loads nothing that the command does not need.
 */
import { writeSync } from 'node:fs';
import { EXIT } from '../wire/errors.ts';
import { VERSION } from './version.ts';

process.umask(0o077);

const args = process.argv.slice(2);
const json = args.includes('--json');
if ((args[0] === '--version' || args[1] === '--version') && args.length === (json ? 2 : 1)) {
  // not through process.stdout, which takes longer to set up than all the rest of this command
  writeSync(1, json ? `${JSON.stringify({ schema: 'mpc-ceremony/version/1', version: VERSION, node: process.version, exit: 0 })}\n` : `${VERSION}\n`);
} else {
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
  // no await at this level: the build is CommonJS, which node starts faster
  void import('./program.ts')
    .then(({ main }) => main(args))
    .then((exit) => {
      process.exitCode = exit;
    });
}
