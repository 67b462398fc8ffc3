/**
 * Refresh by the real program: all shares change, key and addresses do not. What each participant carries is counted;
 * somebody who is left behind is named and catches up. The other schemes are refreshed in reshare.test.ts on their way.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { counted, expectGoodRecord, Life, minimalQuorums, screen, statement } from './key-life.ts';
import { type Member, must } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const FLAT = '2-of(alice,bob,carol)';
const NESTED = 'all-of(1-of(carol,dave),2-of(alice,bob,erin))';
const ALL = 'all-of(alice,bob)';
const THREE = ['alice', 'bob', 'carol'];
const FIVE = ['carol', 'dave', 'alice', 'bob', 'erin'];
const LONG = { timeout: 600_000 };

// of those who sign one after the other the lead has seen what of the others' stocks is spent
const CASES = [
  { scheme: 'frost-ed25519', quorum: FLAT, names: THREE, signers: [['alice', 'bob'], ['bob', 'carol'], ['alice', 'carol']], refused: ['carol'], path: undefined },
  { scheme: 'frost-secp256k1-tr', quorum: NESTED, names: FIVE, signers: [['dave', 'bob', 'erin'], ['erin', 'carol', 'alice']], refused: ['alice', 'bob', 'erin'], path: 'm/0/5' },
] as const;

describe.concurrent.each(CASES.filter((c) => ALL_TESTS || c.path === undefined))('$scheme $quorum', (c) => {
  it('signs before and after, in new shares', LONG, async () => {
    const life = await Life.born(c.scheme, c.quorum, c.names, { stock: 1 });
    const before = await life.wholeBy(1, c.quorum);
    const child = c.path && (await life.child('alice', c.path));
    if (c.path === undefined) await life.signs(c.signers[0]);

    const steps = await life.refresh('refresh-1', c.names, '--stock', '1');
    // part E: 2 out, 2 in. The folder with the plan is the first visit, and not counted there
    for (const [name, ran] of steps) expect({ name, ...counted(ran) }).toEqual({ name, out: 2, visits: 3 });
    await life.inForce(2, c.quorum, c.names.slice(0, 3));
    for (const name of c.names) {
      expect(life.sealed(name, 2), 'share and stock of the old epoch are destroyed').toEqual(['epoch-2/share.sealed', 'epoch-2/stock/0.sealed']);
      expect(statement(life.member('alice'), 'refresh-1', name), 'and it is stated').toMatchObject({ owner: name, key: 'treasury', epochs: [1] });
    }
    const after = await life.wholeBy(2, c.quorum);
    expect(after.secret === before.secret).toBe(true);
    for (const name of c.names) expect(after.shares.get(name) === before.shares.get(name), name).toBe(false);
    // one that was captured before, with all others of after, gives nothing
    for (const names of minimalQuorums(c.quorum))
      for (const name of names) {
        const mixed = new Map([...after.shares, [name, before.shares.get(name) as bigint]]);
        expect(life.secretOf(c.quorum, mixed, names) === before.secret).toBe(false);
      }

    for (const [i, names] of c.signers.entries()) {
      const signing = await life.signs(names, c.path);
      expect(signing.get(names[1])?.[0]?.json.did?.[0]).toBe(i === 0 ? 'round2.sent' : 'round1.sent');
    }
    if (c.path !== undefined) expect(await life.child('bob', c.path)).toBe(child);
    await life.refuses(c.refused, 'E_QUORUM');
    await expectGoodRecord(life.member('bob'), 'refresh-1');
    await expectGoodRecord(life.member('alice'), 'dkg');
  });
});

describe.concurrent('one is left behind', () => {
  it('is named when it is to sign, brings the folder, and signs', LONG, async () => {
    const life = await Life.born('frost-ed25519', FLAT, THREE);
    await life.begin('refresh-1', ['refresh', '--key', 'treasury'], THREE);
    const [alice, bob, carol] = life.world.members as [Member, Member, Member];
    life.world.courier('refresh-1');
    for (const m of life.world.members) must(await m.run(['next', m.copy('refresh-1')]));
    // carol's confirmation goes out, and nobody's comes back to her
    life.carry('refresh-1', 'carol', 'alice');
    life.world.courier('refresh-1', [alice, bob]);
    for (const m of [alice, bob]) expect((await m.run(['next', m.copy('refresh-1')])).json.nextAction?.code).toBe('DONE');

    // in doubt: both epochs are here, and for her alone the old one is in force
    expect(await life.shown('carol')).toMatchObject({ epoch: 1, state: 'active', pending: [2] });
    expect(life.sealed('carol', 2)).toEqual(['epoch-1/share.sealed', 'epoch-2/share.sealed']);

    const signing = async (lead: Member, other: Member, folder: string): Promise<void> => {
      const intent = join(life.world.dir, `${folder}.json`);
      must(await lead.run(['intent', 'create', '--key', 'treasury', '--action', 'message', '--file', life.world.passphraseFile, '--out', intent]));
      must(await lead.run(['sign', '--intent', intent, '--signers', `${lead.name},${other.name}`, '--out', lead.copy(folder), '--unattended']));
      life.carry(folder, lead.name, other.name);
    };
    await signing(alice, carol, 'behind');
    const refused = await carol.run(['join', carol.copy('behind')]);
    expect([refused.exit, refused.json.error?.code], refused.stdout).toEqual([24, 'E_EPOCH']);
    expect(refused.json.error?.text).toMatch(/names epoch 2 of treasury; epoch 1 is active here/);
    expect(refused.json.error?.remedy).toMatch(/Bring/);
    // and the other way round: who is behind cannot make others sign in an epoch that is gone
    await signing(carol, bob, 'stale');
    const gone = await bob.run(['join', bob.copy('stale')]);
    expect([gone.exit, gone.json.error?.code, gone.json.error?.remedy], gone.stdout).toEqual([24, 'E_EPOCH', expect.stringMatching(/whoever is behind/)]);

    life.carry('refresh-1', 'bob', 'carol');
    expect(must(await carol.run(['next', carol.copy('refresh-1')])).json.nextAction?.code).toBe('DONE');
    await life.inForce(2, FLAT, THREE);
    expect(life.sealed('carol', 1)).toEqual([]);
    // the very plan that was refused
    await life.end('behind', new Map([['alice', []], ['carol', [must(await carol.run(['join', carol.copy('behind')]))]]]));
  });

  it('takes the certificate alone from anybody, whatever else it was shown', LONG, async () => {
    const life = await Life.born('frost-ed25519', ALL, ['alice', 'bob']);
    await life.begin('refresh-1', ['refresh', '--key', 'treasury'], ['alice', 'bob']);
    const [alice, bob] = life.world.members as [Member, Member];
    life.carry('refresh-1', 'bob', 'alice');
    expect(must(await alice.run(['next', alice.copy('refresh-1')])).json.nextAction?.code).toBe('DONE');
    // bob has confirmed and seen no other confirmation; what he does now takes nothing back
    const late = await bob.run(['abort', bob.copy('refresh-1'), '--reason', 'stalled']);
    expect(late.exit, late.stdout).toBe(30);
    expect(await life.shown('bob')).toMatchObject({ epoch: 1, pending: [2] });
    const { certificate } = await life.shown('alice');
    life.carry('refresh-1/transcript', 'alice', 'bob');
    const done = must(await bob.run(['next', bob.copy('refresh-1')]));
    expect(done.json.nextAction?.code, done.stdout).toBe('DONE');
    expect((await life.shown('bob'))['certificate']).toBe(certificate);
    await life.inForce(2, ALL, ['alice', 'bob']);
    await life.signs(['bob', 'alice']);
  });
});

describe.concurrent('words and screens', () => {
  it('plan, script and status speak of a refresh, within 80 columns', LONG, async () => {
    const life = await Life.born('frost-ed25519', ALL, ['alice', 'bob']);
    const [alice, bob] = life.world.members as [Member, Member];
    must(await alice.run(['refresh', '--key', 'treasury', '--out', alice.copy('refresh-1'), '--unattended']));
    life.world.courier('refresh-1');
    const plan = join(alice.copy('refresh-1'), 'PLAN.yaml');
    expect(await screen(alice, 'plan', 'check', plan)).toMatch(/alice and bob renew their shares[^]*sound/);
    expect(await screen(alice, 'plan', 'print', plan)).toMatch(/[Rr]efresh/);
    expect(readFileSync(join(alice.copy('refresh-1'), 'SCRIPT.html'), 'utf8')).toMatch(/[Rr]efresh/);
    expect(await screen(bob, 'join', bob.copy('refresh-1'))).toContain('message 2 written');
    expect(await screen(bob, 'status', bob.copy('refresh-1'))).toMatch(/treasury-refresh-1[^]*alice +deal +← waiting for confirm\n[^]*bob +deal, confirm/);
    life.world.courier('refresh-1');
    expect((await screen(alice, 'next', alice.copy('refresh-1'))).replace(/\s+/g, ' ')).toMatch(/Epoch 2 of treasury is active.*same as before/);
    expect(await screen(alice, 'status')).toMatch(/treasury-refresh-1/);
    expect(await screen(alice, 'key', 'list')).toMatch(/treasury +active +epoch 2/);
  });
});
