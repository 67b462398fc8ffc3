import { defineConfig } from 'vitest/config';

// the pure tests of the error rounds take minutes: npm run test:long. Error rounds in ceremonies are part of every run.
const LONG = 'test/**/*.long.test.ts';
const long = process.env['MPC_TEST_LONG'] === '1';

export default defineConfig({
  test: {
    include: [long ? LONG : 'test/**/*.test.ts'],
    // the oracles need other implementations, built by hand: npm run test:oracle
    exclude: ['test/interop/**', 'node_modules/**', ...(long ? [] : [LONG])],
    maxWorkers: 2,
    setupFiles: ['test/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
