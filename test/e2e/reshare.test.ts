/**
 * Reshare by the real program: an old quorum hands the key on. Other members, another threshold, another expression, a
 * lost device, the same structure again; every FROST scheme. Who leaves destroys and says so; nobody else can take a
 * holder out; what went out in an attempt that came to nothing is not forgotten.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { counted, expectGoodRecord, Life, minimalQuorums, screen, statement } from './key-life.ts';
import { files, type Member, must } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

const FLAT = '2-of(alice,bob,carol)';
const THREE = ['alice', 'bob', 'carol'];
const NESTED = 'all-of(1-of(carol,dave),2-of(alice,bob,erin))';
const ALL = 'all-of(alice,bob)';
const LONG = { timeout: 600_000 };

/** Nothing of the key is left here, and that is said: in the home, in the folder, on the screen. */
async function expectGone(life: Life, name: string, folder: string, epochs: readonly number[]): Promise<void> {
  expect(life.sealed(name, 99), name).toEqual([]);
  expect(statement(life.member(name), folder, name)).toMatchObject({ type: 'mpc-ceremony/destruction', owner: name, key: 'treasury', epochs, method: 'software-only' });
  expect((await life.shown(name))['state']).toBe('left');
  expect((await screen(life.member(name), 'key', 'show', 'treasury')).replace(/\s+/g, ' ')).toMatch(/without this home, which holds no share/);
  const intent = join(life.world.dir, `gone-${name}.json`);
  const ran = await life.member(name).run(['intent', 'create', '--key', 'treasury', '--action', 'message', '--file', life.world.passphraseFile, '--out', intent]);
  if (ran.exit !== 0) return;
  const sign = await life.member(name).run(['sign', '--intent', intent, '--signers', `${name},bob`, '--out', life.member(name).copy('gone'), '--unattended']);
  expect([sign.exit, sign.json.error?.code], sign.stdout).toEqual([20, 'E_QUORUM']);
}

describe.concurrent('2-of-3 becomes 3-of-5', () => {
  const AFTER = '3-of(alice,bob,dave,erin,frank)';
  const NEW = ['alice', 'bob', 'dave', 'erin', 'frank'];

  it('every quorum of three signs; who leaves deals in one visit and destroys in a second', LONG, async () => {
    const life = await Life.born('frost-ed25519', FLAT, [...THREE, 'dave', 'erin', 'frank']);
    const before = await life.wholeBy(1, FLAT);
    const steps = await life.reshare('reshare-1', ['alice', 'carol', 'bob', 'dave', 'erin', 'frank'], '--quorum', AFTER, '--dealers', 'alice,carol', '--stock', '3');
    // part E: both 2/2, new only 1/2, old only 1/2. The folder with the plan is a visit of whoever deals; for who leaves it is one of the two
    const parts = Object.fromEntries([...steps].map(([name, ran]) => [name, Object.values(counted(ran))]));
    expect(parts).toEqual({ alice: [2, 3], carol: [1, 2], bob: [1, 2], dave: [1, 2], erin: [1, 2], frank: [1, 2] });
    expect(steps.get('dave')?.[0]?.exit, 'who only receives has nothing to say at join').toBe(10);
    await life.inForce(2, AFTER, NEW);
    await expectGone(life, 'carol', 'reshare-1', [1]);
    for (const name of ['alice', 'bob']) expect(life.sealed(name, 1)).toEqual([]);

    const after = await life.wholeBy(2, AFTER);
    expect(after.secret === before.secret).toBe(true);
    // one old share less than the old quorum, and all new ones less than the new: no pair, no triple gives the key
    const mixed = new Map([...after.shares, ['alice', before.shares.get('alice') as bigint]]);
    for (const names of minimalQuorums(AFTER).filter((n) => n.includes('alice'))) expect(life.secretOf(AFTER, mixed, names) === before.secret).toBe(false);
    for (const names of minimalQuorums(FLAT).filter((n) => !n.includes('carol'))) expect(life.secretOf(FLAT, new Map([...before.shares, ['bob', after.shares.get('bob') as bigint]]), names) === before.secret).toBe(false);

    await life.signs(['alice', 'bob', 'dave']);
    await life.signs(['dave', 'erin', 'frank']);
    await life.refuses(['alice', 'bob'], 'E_QUORUM');
    await life.refuses(['alice', 'bob', 'dave', 'erin'], 'E_QUORUM_SURPLUS');
    for (const name of ['frank', 'carol']) await expectGoodRecord(life.member(name), 'reshare-1');
  });
});

describe.concurrent('flat becomes compliance and two of treasury', () => {
  it('with an old member that neither deals nor stays, and brings the folder to destroy', LONG, async () => {
    const life = await Life.born('frost-ed25519', '2-of(alice,bob,zoe)', ['alice', 'bob', 'zoe', 'carol', 'dave', 'erin']);
    const secret = (await life.wholeBy(1, '2-of(alice,bob,zoe)')).secret;
    const begun = await life.begin('reshare-1', ['reshare', '--key', 'treasury', '--cards', life.world.cards, '--quorum', NESTED, '--dealers', 'alice,bob'], ['alice', 'bob', 'carol', 'dave', 'erin']);
    const zoe = life.member('zoe');
    const plan = join(life.member('alice').copy('reshare-1'), 'PLAN.yaml');
    const told = (await screen(life.member('alice'), 'plan', 'check', plan)).replace(/\s+/g, ' ');
    expect(told).toMatch(/carol.*dave.*erin/);
    expect(readFileSync(join(life.member('alice').copy('reshare-1'), 'SCRIPT.html'), 'utf8')).toMatch(/[Rr]eshare/);
    expect(await screen(life.member('alice'), 'status', life.member('alice').copy('reshare-1'))).toMatch(/alice +deal\n/);

    // before the certificate is whole nothing is destroyed
    life.world.courier('reshare-1', [life.member('alice'), life.member('bob'), zoe]);
    const early = await zoe.run(['next', zoe.copy('reshare-1')]);
    expect([early.exit, early.json.error?.code], early.stdout).toEqual([22, 'E_MISSING']);
    expect(life.sealed('zoe', 9)).toEqual(['epoch-1/share.sealed']);
    const joins = await zoe.run(['join', zoe.copy('reshare-1')]);
    expect([joins.exit, joins.json.error?.code], joins.stdout).toEqual([20, 'E_NOT_PARTICIPANT']);

    await life.end('reshare-1', begun);
    await life.inForce(2, NESTED, ['carol', 'alice', 'erin']);
    expect((await life.wholeBy(2, NESTED)).secret === secret).toBe(true);
    await life.signs(['dave', 'alice', 'erin']);
    await life.refuses(['alice', 'bob', 'erin'], 'E_QUORUM');

    life.carry('reshare-1', 'dave', 'zoe');
    const done = must(await zoe.run(['next', zoe.copy('reshare-1')]));
    expect([done.exit, done.json.nextAction?.code, done.json.did], done.stdout).toEqual([0, 'DONE', ['destroyed']]);
    await expectGone(life, 'zoe', 'reshare-1', [1]);
    const again = must(await zoe.run(['next', zoe.copy('reshare-1')]));
    expect([again.exit, again.json.nextAction?.code, again.json.did]).toEqual([0, 'DONE', []]);
    await expectGoodRecord(life.member('carol'), 'reshare-1');
  });
});

describe.concurrent('a device is lost', () => {
  it.runIf(ALL_TESTS)('and replaced; found again, the old one learns of it and destroys', LONG, async () => {
    const life = await Life.born('frost-ed25519', FLAT, [...THREE, 'bob2']);
    const secret = (await life.wholeBy(1, FLAT)).secret;
    const none = await life.member('alice').run(['reshare', '--key', 'treasury', '--cards', life.world.cards, '--replace', 'dave=bob2', '--out', life.member('alice').copy('none'), '--unattended']);
    expect([none.exit, none.json.error?.code], none.stdout).toEqual([20, 'E_QUORUM']);
    expect(existsSync(life.member('alice').copy('none'))).toBe(false);
    await life.reshare('reshare-1', ['alice', 'carol', 'bob2'], '--replace', 'bob=bob2');
    const after = '2-of(alice,bob2,carol)';
    await life.inForce(2, after, ['alice', 'bob2', 'carol']);
    expect((await life.wholeBy(2, after)).secret === secret).toBe(true);
    await life.signs(['bob2', 'carol']);
    expect(life.sealed('bob', 9)).toEqual(['epoch-1/share.sealed']);
    life.carry('reshare-1', 'alice', 'bob');
    const bob = life.member('bob');
    expect(must(await bob.run(['next', bob.copy('reshare-1')])).json.did).toEqual(['destroyed']);
    await expectGone(life, 'bob', 'reshare-1', [1]);
  });

  it.runIf(ALL_TESTS)('a share is lost, and the same structure made again', LONG, async () => {
    const life = await Life.born('frost-ed25519', FLAT, THREE);
    const carol = life.member('carol');
    rmSync(join(carol.home, 'keys/treasury/epoch-1/share.sealed'));
    await life.reshare('reshare-1', THREE, '--dealers', 'alice,bob');
    await life.inForce(2, FLAT, THREE);
    await life.wholeBy(2, FLAT);
    await life.signs(['carol', 'alice']);
    // and on from there: the next epoch builds on this one
    await life.refresh('refresh-2', ['carol', 'bob', 'alice']);
    await life.inForce(3, FLAT, THREE);
    await life.signs(['bob', 'carol']);
    for (const folder of ['reshare-1', 'refresh-2']) await expectGoodRecord(carol, folder);
  });
});

describe.concurrent.each([
  { scheme: 'frost-secp256k1-tr', before: 'all-of(1-of(alice,carol),bob)', after: '2-of(bob,carol,dave)', dealers: 'alice,bob', names: ['bob', 'alice', 'carol', 'dave'], signers: ['carol', 'dave'], path: 'm/0/5' },
  { scheme: 'frost-secp256k1', before: ALL, after: 'all-of(bob,1-of(carol,dave))', dealers: 'alice,bob', names: ['alice', 'bob', 'carol', 'dave'], signers: ['dave', 'bob'], path: 'm/7/1' },
  { scheme: 'frost-p256', before: ALL, after: '2-of(bob,carol,dave)', dealers: 'bob,alice', names: ['bob', 'alice', 'carol', 'dave'], signers: ['carol', 'dave'], path: undefined },
  { scheme: 'frost-ristretto255', before: ALL, after: 'all-of(bob,carol)', dealers: 'alice,bob', names: ['alice', 'bob', 'carol'], signers: ['carol', 'bob'], path: undefined },
  { scheme: 'frost-ed448', before: ALL, after: 'all-of(bob,carol)', dealers: 'alice,bob', names: ['alice', 'bob', 'carol'], signers: ['bob', 'carol'], path: undefined },
] as const)('$scheme from $before to $after', (c) => {
  // two others go through a whole session in pinned-session.test.ts in every run, all of them through quorums-*.test.ts
  it.runIf(ALL_TESTS || c.scheme === 'frost-secp256k1')('is refreshed, then handed on; key and child key stay', LONG, async () => {
    const life = await Life.born(c.scheme, c.before, c.names.filter((n) => c.before.includes(n)));
    for (const name of c.names.filter((n) => !c.before.includes(n))) await life.world.join(name);
    const { secret } = await life.wholeBy(1, c.before);
    const child = c.path && (await life.child('alice', c.path));
    await life.refresh('refresh-1', c.names.filter((n) => c.before.includes(n)));
    await life.signs(['alice', 'bob']);
    await life.reshare('reshare-2', c.names, '--quorum', c.after, '--dealers', c.dealers);
    await life.inForce(3, c.after, c.signers);
    expect((await life.wholeBy(3, c.after)).secret === secret).toBe(true);
    await life.signs(c.signers, c.path);
    if (c.path !== undefined) expect(await life.child('bob', c.path)).toBe(child);
    expect(life.sealed('alice', 9)).toEqual([]);
    for (const folder of ['refresh-1', 'reshare-2']) await expectGoodRecord(life.member('bob'), folder);
  });
});

describe.concurrent('what the lead asks for', () => {
  it('a weaker quorum is refused until it is wanted; dealers are one exact minimal quorum', LONG, async () => {
    const life = await Life.born('frost-ed25519', FLAT, THREE);
    const [alice, bob] = life.world.members as [Member, Member];
    const asks = async (...more: string[]): Promise<[number | undefined, string | undefined]> => {
      const ran = await alice.run(['reshare', '--key', 'treasury', '--cards', life.world.cards, '--out', alice.copy('none'), '--unattended', ...more]);
      return [ran.exit, ran.json.error?.code];
    };
    expect(await asks('--quorum', ALL)).toEqual([20, 'E_WEAKEN']);
    expect(await asks('--quorum', '3-of(alice,bob,carol)', '--dealers', 'alice,bob,carol')).toEqual([20, 'E_QUORUM_SURPLUS']);
    expect(await asks('--quorum', FLAT, '--dealers', 'alice')).toEqual([20, 'E_QUORUM']);
    expect(await asks('--quorum', FLAT, '--dealers', 'alice,dave')).toEqual([20, 'E_QUORUM']);
    expect(await asks('--quorum', FLAT, '--replace', 'bob=carol')).toEqual([64, 'E_USAGE']);
    expect(await asks('--quorum', '2-of(alice,bob,nobody)')).toEqual([20, 'E_CARD']);
    expect(await asks('--quorum', '1-of(alice,bob)')).toEqual([20, 'E_THRESHOLD']);
    expect(existsSync(alice.copy('none'))).toBe(false);
    const refreshed = await alice.run(['refresh', '--key', 'nothing', '--out', alice.copy('none'), '--unattended']);
    expect([refreshed.exit, refreshed.json.error?.code]).toEqual([20, 'E_UNKNOWN_KEY']);

    // wanted, it stands in the plan, where all read it
    await life.reshare('reshare-1', ['alice', 'bob'], '--quorum', ALL, '--dealers', 'alice,bob', '--accept-weaker');
    expect(readFileSync(join(bob.copy('reshare-1'), 'PLAN.yaml'), 'utf8')).toMatch(/^weakens: true$/m);
    expect((await screen(bob, 'plan', 'check', join(bob.copy('reshare-1'), 'PLAN.yaml'))).replace(/\s+/g, ' ')).toMatch(/weaker/);
    await life.inForce(2, ALL, ['alice', 'bob']);
    await life.signs(['bob', 'alice']);
  });
});

describe.concurrent('an attempt comes to nothing', () => {
  it('W_DEALT: the next plan says who received dealings; --again takes the next rank', LONG, async () => {
    const life = await Life.born('frost-ed25519', FLAT, [...THREE, 'dave']);
    const [alice, bob] = life.world.members as [Member, Member];
    const AFTER = '2-of(alice,bob,dave)';
    await life.begin('reshare-1', ['reshare', '--key', 'treasury', '--cards', life.world.cards, '--quorum', AFTER, '--dealers', 'alice,bob'], ['alice', 'bob', 'dave']);
    // dave is never heard of again; alice gives up after her dealing went out
    const aborted = await alice.say(['abort', alice.copy('reshare-1'), '--reason', 'stalled']);
    expect(aborted.exit, aborted.stdout).toBe(30);
    expect(aborted.stderr.replace(/\s+/g, ' ')).toMatch(/dealing|W_DEALT/);
    life.world.courier('reshare-1', [alice, bob]);
    const follows = await bob.run(['next', bob.copy('reshare-1')]);
    expect([follows.exit, follows.json.error?.code, follows.json.error?.participant], follows.stdout).toEqual([30, 'E_ABORTED', 'alice']);
    // the old epoch signs meanwhile
    await life.inForce(1, FLAT, ['alice', 'carol']);
    expect((await life.shown('bob'))['pending'], 'who has confirmed stays in doubt').toEqual([2]);
    await life.signs(['bob', 'carol']);

    const begun = await life.begin('reshare-2', ['reshare', '--again', alice.copy('reshare-1'), '--cards', life.world.cards, '--dealers', 'alice,bob'], ['alice', 'bob', 'dave']);
    expect(begun.get('alice')?.[0]?.json['attempt']).toBe(2);
    const plan = readFileSync(join(alice.copy('reshare-2'), 'PLAN.yaml'), 'utf8');
    expect(plan).toMatch(/^rank: 3$/m);
    expect(plan).toMatch(/^dealt:\n {2}- alice\n {2}- bob\n {2}- dave\n/m);
    expect((await screen(bob, 'plan', 'check', join(bob.copy('reshare-2'), 'PLAN.yaml'))).replace(/\s+/g, ' ')).toMatch(/alice, bob and dave received dealings of epoch 1/);
    await life.end('reshare-2', begun);
    await life.inForce(3, AFTER, ['alice', 'bob', 'dave']);
    for (const name of ['alice', 'bob', 'dave']) expect(files(join(life.member(name).home, 'ceremonies')).filter((f) => f.endsWith('.sealed')), name).toEqual([]);
    await life.signs(['dave', 'bob']);
    await expectGoodRecord(bob, 'reshare-2');
    // what came to nothing stays so
    const old = await bob.run(['next', bob.copy('reshare-1')]);
    expect([old.exit, old.json.error?.code]).toEqual([30, 'E_ABORTED']);
    const record = await bob.run(['transcript', 'verify', bob.copy('reshare-1')]);
    expect([record.exit, record.json['verdict']], record.stdout).toEqual([22, 'cannot-tell']);
  });
});
