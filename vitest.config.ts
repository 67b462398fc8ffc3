import { defineConfig } from 'vitest/config';
import { embedded } from './embedded.js';

// what takes minutes and is shown in another way by every run: npm run test:long runs it with all the rest
const LONG = 'test/**/*.long.test.ts';
const long = process.env['MPC_TEST_LONG'] === '1';

export default defineConfig({
  plugins: [embedded()],
  test: {
    include: ['test/**/*.test.ts'],
    // the oracles need other implementations, built by hand: npm run test:oracle
    exclude: ['test/interop/**', 'node_modules/**', ...(long ? [] : [LONG])],
    // children compute while a worker waits for them
    maxWorkers: 3,
    setupFiles: ['test/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
