/**
 * Threshold ECDSA with quorums of many, in rehearsal homes with test primes. The keys are made at one table in this
 * process, where everybody's checks are done once; what is signed with the nested one is signed by the real program.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as secp from 'tiny-secp256k1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireKey } from '../../src/ceremony/key-store.ts';
import { type Run, Table } from '../support/harness.ts';
import { files, Member, type Ran, World } from './support.ts';

const NINE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan'];
let table: Table;
beforeAll(async () => {
  table = await Table.open(NINE);
  table.clock = new Date();
});
afterAll(() => {
  table.close();
});

/** Message after message: the courier goes round, then everybody does a step. */
async function settled(run: Run): Promise<Run> {
  for (let round = 0; round < 6 && !run.honest.every((name) => run.code(name) === 'DONE'); round++) {
    run.carry();
    for (const name of run.honest) await run.next(name);
  }
  for (const name of run.honest) if (run.code(name) !== 'DONE') throw run.error(name);
  return run;
}

describe('five of nine', { timeout: 400_000 }, () => {
  it('make a key and sign with it', async () => {
    await settled(await table.dkg({ quorum: `5-of(${NINE.join(',')})`, scheme: 'cggmp24-secp256k1', honest: NINE }));
    const certificates = NINE.map((name) => requireKey(table.party(name).home, 'treasury'));
    expect(new Set(certificates.map((c) => c.sha256)).size).toBe(1);
    const sign = await settled(await table.sign({ honest: ['bob', 'dave', 'erin', 'heidi', 'ivan'], message: 'five agree' }));
    const about = JSON.parse(Buffer.from(sign.file('heidi', 'signature.json') as Uint8Array).toString()) as { compact: string };
    expect(secp.verify(createHash('sha256').update('five agree').digest(), Buffer.from(certificates[0]?.epoch.publicKey ?? '', 'hex'), Buffer.from(about.compact, 'hex'), true)).toBe(true);
  });
});

describe('a nested quorum with roles on P-256', { timeout: 400_000 }, () => {
  let world: World;
  /** What somebody did who has no terminal: nobody can be asked, and nobody was. */
  const say = async (m: Member, args: readonly string[], exit = 0): Promise<Ran> => {
    const ran = await m.say(args, { stdin: '' });
    expect(ran.exit, ran.stdout + ran.stderr).toBe(exit);
    return ran;
  };
  const all = (names: readonly string[]): [Member, ...Member[]] => names.map((name) => world.member(name)) as [Member, ...Member[]];
  /** The courier goes round, then everybody does a step; the lead did its first one when it began. */
  const everybody = async (verb: string, folder: string, members: readonly Member[]): Promise<string> => {
    world.courier(folder, members);
    const said = await Promise.all(members.slice(verb === 'join' ? 1 : 0).map((m) => say(m, [verb, m.copy(folder)])));
    return said.map((r) => r.stdout).join('');
  };

  beforeAll(async () => {
    const roles = { compliance: ['carol', 'dave'], treasury: ['alice', 'bob', 'erin'] };
    await settled(await table.dkg({ name: 'payments', quorum: 'all-of(1-of(compliance), 2-of(treasury))', roles, scheme: 'cggmp24-p256', stock: 1, honest: ['alice', 'bob', 'carol', 'dave', 'erin'] }));
    world = new World(7);
    // from here on the real program opens the homes
    for (const name of ['alice', 'bob', 'carol', 'dave', 'erin']) world.members.push(new Member(world, name, table.party(name).home.root));
  }, 400_000);

  it('signs in three visits from the stock: 1-of(carol, dave) and 2-of(alice, bob, erin)', async () => {
    const signers = all(['carol', 'alice', 'erin']);
    const [lead] = signers;
    expect((await say(lead, ['key', 'show', 'payments'])).stdout).toContain('Quorum       all-of(1-of(carol, dave), 2-of(alice, bob, erin))\n');
    const listed = (await say(lead, ['key', 'list'])).stdout;
    expect(listed.replace(/\n +/g, ' ')).toContain('payments  active  epoch 1  cggmp24-p256  all-of(1-of(carol, dave), 2-of(alice, bob, erin))\n');
    expect(listed.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const message = Buffer.from('pay 5 to the baker');
    writeFileSync(join(world.dir, 'm'), message);
    const intent = join(world.dir, 'i.json');
    await say(lead, ['intent', 'create', '--key', 'payments', '--action', 'message', '--file', join(world.dir, 'm'), '--out', intent]);
    const sign = (names: string, exit: number): Promise<Ran> => say(lead, ['sign', '--intent', intent, '--signers', names, '--out', lead.copy('s'), '--unattended'], exit);
    for (const others of ['alice,bob,erin', 'carol,dave,alice', 'carol,alice', 'carol,alice,bob,erin', 'carol,alice,frank']) expect((await sign(others, 20)).stderr).toMatch(/QUORUM/);
    expect((await sign('carol,alice,erin', 0)).stdout).toContain('✓ message 2 written\n');
    expect(await everybody('join', 's', signers)).toMatch(/^(?:✓ message 2 written\n[^✓]*){2}$/);
    for (const done of ['message 3 written', 'message 4 written', 'signature']) expect(await everybody('next', 's', signers)).toMatch(new RegExp(`^(?:✓ ${done}\\n[^✓]*){3}$`));
    for (const m of signers) {
      // convert, sum, share; what comes before lay in the stock, and is used up
      expect([1, 2, 3, 4].map((round) => existsSync(join(m.copy('s'), `round-${String(round)}`, `${m.name}.blob`)))).toEqual([false, true, true, true]);
      expect(files(m.home).filter((f) => /payments.*\/(?:stock|secret)\/.*sealed$/.test(f))).toEqual([]);
    }
    world.courier('s', signers);
    const key = createPublicKey((await say(lead, ['key', 'export', 'payments'])).stdout);
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    const signatures = signers.map((m) => readFileSync(join(m.copy('s'), 'signature.bin')));
    expect(new Set(signatures.map((s) => s.toString('hex'))).size).toBe(1);
    expect(verify('sha256', message, key, signatures[0] as Buffer)).toBe(true);
    expect(verify('sha256', Buffer.from('pay 6'), key, signatures[0] as Buffer)).toBe(false);
    const verdict = await lead.run(['transcript', 'verify', lead.copy('s')]);
    expect([verdict.exit, verdict.json['verdict']], verdict.stdout).toEqual([0, 'ok']);
  });

  it('presigning by signers who are no quorum, or under a path that this curve has not, is refused before it begins', async () => {
    const [lead] = all(['dave']);
    const presign = (...more: string[]): string[] => ['presign', '--key', 'payments', '--out', lead.copy('p'), '--unattended', ...more];
    for (const [refused, ...more] of [
      ['QUORUM', '--count', '2', '--signers', 'dave,alice'],
      ['QUORUM_SURPLUS', '--count', '2', '--signers', 'carol,dave,bob,erin'],
      ['PATH', '--count', '2', '--signers', 'dave,bob,erin', '--path', 'm/0'],
      ['PLAN_FIELD', '--count', '0', '--signers', 'dave,bob,erin'],
      ['UNKNOWN_KEY', '--count', '1', '--signers', 'dave,bob,erin', '--key', 'nothing'],
    ] as const)
      expect((await say(lead, presign(...more), 20)).stderr).toContain(`✗ 20 ${refused} `);
    expect(existsSync(lead.copy('p'))).toBe(false);
  });
});
