/** Four people, three routes, one round: two by a relay, one whose machine is air-gapped by codes, one far away by a stick. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Member, must, newDir, type Ran, World } from './support.ts';

it('routes are mixed within a round, and everybody ends with the same key', { timeout: 240_000 }, async () => {
  const world = await World.of(['alice', 'bob', 'carol', 'dave']);
  const [alice, bob, carol, dave] = world.members as [Member, Member, Member, Member];
  const spool = join(newDir(), 'spool');
  mkdirSync(spool);
  const via = ['--via', `relay:${spool}`];
  const key = 'treasury';
  const last = new Map<string, Ran>();
  const does = async (m: Member, args: readonly string[]): Promise<void> => void last.set(m.name, must(await m.run(args)));
  let gifs = 0;
  /** Codes on one screen, as a GIF of them, read by another machine; nothing where there is nothing to show. */
  const show = async (from: Member, to: Member): Promise<void> => {
    const gif = join(newDir(), `${String((gifs += 1))}.gif`);
    const shown = await from.run(['qr', 'show', from.copy(key), '--gif', gif]);
    if (shown.exit === 0) must(await to.run(['qr', 'scan', gif, '--into', to.copy(key)]));
  };

  await does(alice, ['dkg', '--name', key, '--scheme', 'frost-ed25519', '--quorum', '3-of(alice,bob,carol,dave)', '--cards', world.cards, '--out', alice.copy(key), '--unattended', ...via]);
  for (let round = 0; round < 5; round++) {
    const go = round === 0 ? 'join' : 'next';
    await does(bob, [go, bob.copy(key), ...(round === 0 ? ['--cards', world.cards] : []), ...via]);
    await show(alice, carol);
    await does(carol, [go, carol.copy(key), '--via', 'qr']);
    await show(carol, alice);
    world.courier(key, [alice, dave]);
    await does(dave, [go, dave.copy(key)]);
    world.courier(key, [dave, alice]);
    await does(alice, ['next', alice.copy(key), ...via]);
    // what came to the lead by codes and by stick goes on to bob by a stick of his own
    world.courier(key, [alice, bob]);
    if ([...last.values()].every((r) => r.json.nextAction?.code === 'DONE')) break;
  }
  expect([...last].map(([name, r]) => [name, r.json.nextAction?.code])).toEqual(['alice', 'bob', 'carol', 'dave'].map((n) => [n, 'DONE']));
  expect(gifs).toBeGreaterThan(3);
  const keys = await Promise.all(world.members.map(async (m) => (await m.run(['key', 'show', key])).json['publicKey']));
  expect(new Set(keys).size).toBe(1);
});
