import { defineConfig } from 'rolldown';

// One entry, split along the dynamic imports: a command loads what it needs and nothing more.
export default defineConfig({
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  logLevel: 'warn',
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: '[name]-[hash].js' },
});
