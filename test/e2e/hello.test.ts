/** The program without a command. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { invoke, must, newDir, World } from './support.ts';

it('says what there is to do where no home is', async () => {
  const home = join(newDir(), 'none');
  const ran = await invoke(['--home', home]);
  expect(ran).toMatchObject({ exit: 0, stderr: '' });
  expect(ran.stdout.split('\n')).toEqual([
    'No ceremony here yet.',
    '  See a whole one, nothing is kept:   mpc-ceremony rehearse',
    '  You were sent a ceremony folder:    mpc-ceremony init, then mpc-ceremony join FOLDER',
    '  You lead one:                       mpc-ceremony dkg --help',
    '',
  ]);
  const json = await invoke(['--home', home, '--json']);
  expect(json).toMatchObject({ exit: 0, json: { schema: 'mpc-ceremony/hello/1', participant: null, open: [], exit: 0 } });
  expect(await invoke([], { env: { MPC_CEREMONY_HOME: home } })).toMatchObject({ exit: 0, stdout: ran.stdout });
});

it('leaves unknown words and flags to be refused, and help to be shown', async () => {
  for (const args of [['rehears'], ['--hom', 'x']]) expect(await invoke([...args, '--json']), args.join(' ')).toMatchObject({ exit: 64, json: { error: { code: 'E_USAGE' } } });
  const help = await invoke(['--help']);
  expect(help.exit).toBe(0);
  expect(help.stdout).toContain('Usage: mpc-ceremony');
});

it('says for each open ceremony whom it waits for, and what to do', async () => {
  const world = await World.of(['alice', 'bob']);
  const [alice, bob] = [world.member('alice'), world.member('bob')];
  const idle = await alice.say([]);
  expect(idle.exit).toBe(0);
  expect(idle.stdout).toContain('alice (rehearsal): no ceremony is open here.');
  expect(idle.stdout).toContain('mpc-ceremony join FOLDER');

  must(await alice.run(['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice, bob)', '--cards', world.cards, '--out', alice.copy('k'), '--unattended']));
  const waiting = await alice.say([]);
  expect(waiting.stdout.split('\n')).toEqual(['k-dkg-1  waits for the commit of bob', `  mpc-ceremony next ${alice.copy('k')}`, '']);
  expect((await alice.run([])).json).toMatchObject({
    participant: 'alice', mode: 'rehearsal', locked: null, exit: 0,
    open: [{ ceremony: 'k-dkg-1', kind: 'dkg', folder: alice.copy('k'), waitsFor: ['bob'], message: 'commit' }],
  });

  world.courier('k');
  must(await bob.run(['join', bob.copy('k')]));
  await world.settle('k');
  expect((await alice.run([])).json['open']).toEqual([]);
});
