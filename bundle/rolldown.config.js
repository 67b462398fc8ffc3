// `npm run bundle`: the whole program as the one file dist/mpc-ceremony.mjs.
import { defineConfig } from 'rolldown';
import program from '../rolldown.config.js';
import { oneFile } from './one-file.js';

export default defineConfig({
  ...program,
  // a checkout whose node_modules is a link gives the same bytes
  resolve: { ...program.resolve, symlinks: false },
  plugins: [program.plugins, oneFile({ fileName: 'mpc-ceremony.mjs', entries: ['main.cjs', 'crew-worker.cjs'] })],
  output: { ...program.output, cleanDir: false, comments: false },
});
