/** Whether tests that take long run too: `npm run test:long`. */
export const LONG = process.env['MPC_TEST_LONG'] === '1';
