// `npm run bundle`: the whole program as the one file dist/mpc-ceremony.mjs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { defineConfig } from 'rolldown';
import program from '../rolldown.config.js';
import { oneFile, packed } from './one-file.js';

const require = createRequire(import.meta.url);

/** The WebAssembly of the code reader is the largest part of the program: compressed before it becomes text. */
const smallReader = {
  name: 'small-reader',
  load: {
    filter: { id: /^\0embedded:reader-wasm$/ },
    handler: () => {
      const wasm = readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm'));
      return `import { inflateRawSync } from 'node:zlib';\nexport default inflateRawSync(Buffer.from('${packed(wasm)}', 'base64')).toString('base64');\n`;
    },
  },
};

export default defineConfig({
  ...program,
  // a checkout whose node_modules is a link gives the same bytes
  resolve: { ...program.resolve, symlinks: false },
  plugins: [smallReader, program.plugins, oneFile({ fileName: 'mpc-ceremony.mjs', entries: ['main.cjs', 'crew-worker.cjs'] })],
  output: { ...program.output, cleanDir: false, comments: false },
});
