// Modules that exist only at build time, so that the program holds everything that it needs as text: no file beside
// it, no download. The build (rolldown.config.js), the tests (vitest.config.ts) and the benchmarks use the same plugin.
//
//   embedded:reader-wasm   the WebAssembly of the code reader, base64
//   embedded:scan-script   src/qr/page-script.ts and all that it imports, one classic script for a browser
//   embedded:templates     the drafts of templates/, by name
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const require = createRequire(import.meta.url);
const asModule = (value) => `export default ${JSON.stringify(value)};`;
const TEMPLATES = new URL('templates/', import.meta.url);

const MODULES = {
  'embedded:reader-wasm': () => readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm')).toString('base64'),
  'embedded:scan-script': async () => {
    const bundle = await rolldown({ input: fileURLToPath(new URL('src/qr/page-script.ts', import.meta.url)), platform: 'browser', logLevel: 'warn' });
    try {
      const { output } = await bundle.generate({ format: 'iife', minify: true });
      if (output.length !== 1) throw new Error('the scan page must be one script');
      return output[0].code;
    } finally {
      await bundle.close();
    }
  },
  'embedded:templates': () => {
    const files = readdirSync(TEMPLATES).filter((f) => f.endsWith('.yaml')).sort();
    return Object.fromEntries(files.map((f) => [f.slice(0, -5), readFileSync(new URL(f, TEMPLATES), 'utf8')]));
  },
};

/** A plugin for rolldown and vite. */
export function embedded() {
  return {
    name: 'embedded',
    enforce: 'pre',
    resolveId: (id) => (Object.hasOwn(MODULES, id) ? `\0${id}` : null),
    load: async (id) => (id.startsWith('\0embedded:') ? { code: asModule(await MODULES[id.slice(1)]()), moduleSideEffects: false } : null),
  };
}
