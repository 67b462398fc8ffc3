/** Tests against other implementations that have to be built first; not part of npm test. */
import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['test/interop/**/live.test.ts'], setupFiles: ['test/setup.ts'], testTimeout: 120_000 } });
