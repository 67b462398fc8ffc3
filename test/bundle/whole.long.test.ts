/** What takes minutes in the one file: threshold ECDSA with workers, and drills. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { bundle, digestOf, newDir, ROOT, runJson } from './support.ts';

const program = bundle(ROOT, join(newDir(), 'out'));
process.env['MPC_CEREMONY_BIN'] = program;
const { World, must } = await import('../e2e/support.ts');

it('ECDSA: a key, a stock with a pinned program, a signature; workers start from the same file', { timeout: 600_000 }, async () => {
  const world = await World.of(['alice', 'bob'], { primes: true });
  const log = join(world.dir, 'workers');
  const hook = join(world.dir, 'hook.mjs');
  writeFileSync(hook, `import { appendFileSync } from 'node:fs'; import threads from 'node:worker_threads'; import { syncBuiltinESMExports } from 'node:module';
const { Worker } = threads; threads.Worker = class extends Worker { constructor(file, options) { appendFileSync(${JSON.stringify(log)}, String(file) + '\\n'); super(file, options); } }; syncBuiltinESMExports();\n`);
  for (const m of world.members) m.env['NODE_OPTIONS'] = `--import ${hook}`;
  await world.dkg('hot', '2-of(alice, bob)', { scheme: 'cggmp24-secp256k1' });
  const [alice, bob] = [world.member('alice'), world.member('bob')];
  must(await alice.run(['presign', '--key', 'hot', '--count', '10', '--signers', 'alice,bob', '--out', alice.copy('stock'), '--unattended', '--pin-program']));
  expect(readFileSync(join(alice.copy('stock'), 'PLAN.yaml'), 'utf8')).toContain(digestOf(program));
  world.courier('stock');
  must(await bob.run(['join', bob.copy('stock')]));
  await world.settle('stock');
  // on one core there is nobody to share the work with
  if (availableParallelism() > 1) expect(new Set(readFileSync(log, 'utf8').trim().split('\n'))).toEqual(new Set([pathToFileURL(program).href]));
  await world.sign('hot', [alice, bob], 'tx', Buffer.from('pay nobody'));
  await world.settle('tx');
  expect(existsSync(join(alice.copy('tx'), 'signature.bin'))).toBe(true);
});

it('a drill', { timeout: 600_000 }, () => {
  const out = join(newDir(), 'drilled');
  expect(runJson(program, ['drill', 'run', 'lost-stick', '--out', out])).toMatchObject({ exited: 0 });
  expect(runJson(program, ['drill', 'verify', out])).toMatchObject({ exited: 0 });
});
