import { defineConfig } from 'rolldown';
import { embedded } from './embedded.js';

// One entry, split along the dynamic imports: a command loads what it needs and nothing more. What nearly every command
// needs is one chunk, and chunks are CommonJS: node looks for and links many small ES modules too slowly for a program
// that is started for every step (bench/startup.mjs).
export default defineConfig({
  input: { main: 'src/cli/main.ts', 'crew-worker': 'src/ceremony/crew-worker.ts' },
  platform: 'node',
  logLevel: 'warn',
  plugins: [embedded()],
  // some files are loaded late for the sake of a few commands and early by others
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: 'dist',
    format: 'cjs',
    cleanDir: true,
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    codeSplitting: {
      groups: [
        { name: 'base', test: /src[\\/](?:wire[\\/]errors|cli[\\/]version)\.ts$/, priority: 2 },
        { name: 'core', test: /src[\\/](?:ceremony[\\/](?:engine|home|store)|cli[\\/](?:answers|choose|context|output)|vault[\\/]lock)\.ts$/, priority: 1 },
      ],
    },
  },
});
