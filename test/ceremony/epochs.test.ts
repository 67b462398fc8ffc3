/**
 * The life of epochs under rules C1 to C6 and P1 to P6, in random stories, each from a seed: overlapping attempts, late and
 * selective delivery, power cuts, a dishonest participant, a restored home. MPC_TEST_SEEDS=n tells n stories of each kind,
 * MPC_TEST_SEED=n begins with another seed.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { tell } from '../support/epoch-story.ts';
import { World } from '../support/epochs.ts';
import { LONG } from '../support/long.ts';

const SEEDS = Number(process.env['MPC_TEST_SEEDS'] ?? (LONG ? '4' : '1'));
const FIRST = Number(process.env['MPC_TEST_SEED'] ?? '1');
const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST + i);

// with 2 of 4 one may be dishonest and another restored
describe.each([
  ['2-of(alice, bob, carol)', 'frost-ed25519'],
  ['2-of(alice, bob, carol, dave)', 'frost-ristretto255'],
] as const)('a key of %s, %s', (quorum, scheme) => {
  let world: World;
  beforeAll(async () => {
    world = await World.open(['alice', 'bob', 'carol', 'dave', 'erin'], quorum, scheme);
  });
  afterAll(() => {
    world.table.close();
  });

  test.each(seeds)('seed %i', async (seed) => {
    try {
      const told = await tell(world, seed);
      if (process.env['MPC_TEST_SEEDS'] !== undefined) console.log(seed, JSON.stringify(told));
    } catch (e) {
      throw new Error(`seed ${String(seed)}: ${e instanceof Error ? e.message : String(e)}\n${world.log.join('\n')}`, { cause: e });
    }
  });
});
