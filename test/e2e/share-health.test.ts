/** Share health with the real binary: prove, carry, take, `key show`; files that are somebody else's; a damaged share. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { openHome } from '../../src/ceremony/home.ts';
import { openIdentity } from '../../src/ceremony/identity.ts';
import { sharePath } from '../../src/ceremony/key-store.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { Secret } from '../../src/vault/secret.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { files, Member, must, PASSPHRASE, printed, World } from './support.ts';

const KEY = 'treasury';
const CHALLENGE = 'c4'.repeat(32);
interface Item { kind: string; participant?: string; last: string | null; due: string | null; seen?: string; overdue: boolean }

let world: World;
let alice: Member, bob: Member, carol: Member;
beforeAll(async () => {
  world = await World.of(['alice', 'bob', 'carol']);
  [alice, bob, carol] = world.members as [Member, Member, Member];
  await world.dkg(KEY, '2-of(alice, bob, carol)');
});

const path = (name: string): string => join(world.dir, name);
const shown = async (m: Member): Promise<{ items: Item[]; overdue: unknown; warnings: unknown }> => {
  const { json } = must(await m.run(['key', 'show', KEY]));
  return { items: (json['care'] as { items: Item[] }).items, overdue: json['overdue'], warnings: json['warnings'] };
};
const proofOf = async (m: Member, name: string): Promise<Item | undefined> => (await shown(m)).items.find((i) => i.participant === name);

describe('key prove (OPS-11)', () => {
  it('a new key: nothing is proven, nothing overdue', async () => {
    const { items, overdue, warnings } = await shown(alice);
    expect(items.map((i) => [i.kind, i.participant, i.last === null])).toEqual([['proof', 'alice', true], ['proof', 'bob', true], ['proof', 'carol', true], ['refresh', undefined, false], ['backup', undefined, true], ['drill', undefined, true]]);
    expect([overdue, warnings]).toEqual([[], []]);
  });

  it('is made, carried, taken and remembered', async () => {
    const file = path('bob.proof');
    const ran = await bob.run(['key', 'prove', KEY, '--out', file, '--challenge', CHALLENGE.toUpperCase()]);
    expect(ran.json).toMatchObject({ schema: 'mpc-ceremony/share-proof/1', key: KEY, epoch: 1, participant: 'bob', leaf: 2, challenge: CHALLENGE, file, exit: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o644);
    // without --out it has its own name in the working folder
    const made = await carol.run(['key', 'prove', KEY], { cwd: world.dir });
    expect(made.json['file']).toBe(path(`carol-${KEY}-epoch-1.proof`));
    const taken = await alice.run(['key', 'prove', KEY, '--take', file, made.json['file'] as string]);
    expect([taken.exit, taken.json['schema'], (taken.json['taken'] as { participant: string }[]).map((t) => t.participant)]).toEqual([0, 'mpc-ceremony/share-proofs/1', ['bob', 'carol']]);
    expect(await proofOf(alice, 'bob')).toMatchObject({ last: ran.json['at'], seen: 'dated' });
    must(await alice.run(['key', 'prove', KEY, '--challenge', CHALLENGE, '--take', file]));
    expect(await proofOf(alice, 'bob')).toMatchObject({ last: ran.json['at'], seen: 'challenge' });
    expect(await proofOf(carol, 'carol')).toMatchObject({ last: made.json['at'], seen: 'here' });
    expect(await proofOf(carol, 'bob')).toMatchObject({ last: null });
    // the same again replaces the file and changes nothing else
    must(await carol.run(['key', 'prove', KEY], { cwd: world.dir }));
  });

  it('needs the passphrase to make, and none to take', async () => {
    const wrong = path('wrong-pw');
    writeFileSync(wrong, 'not the passphrase\n', { mode: 0o600 });
    const stranger = new Member({ dir: world.dir, passphraseFile: wrong }, 'alice', alice.home);
    expect((await stranger.run(['key', 'prove', KEY, '--out', path('none')])).json.error?.code).toBe('E_PASSPHRASE');
    expect(existsSync(path('none'))).toBe(false);
    expect((await stranger.run(['key', 'prove', KEY, '--take', path('bob.proof')])).exit).toBe(0);
  });

  it('what does not hold is refused by name, and keeps no good one out', async () => {
    const bad = path('bad.proof');
    writeFileSync(bad, readFileSync(path('bob.proof'), 'utf8').replace('"leaf":2', '"leaf":3'));
    must(await carol.run(['key', 'prove', KEY, '--out', path('carol.proof')]));
    rmSync(join(bob.home, 'keys', KEY, 'care.json'));
    const ran = await bob.run(['key', 'prove', KEY, '--take', path('nowhere'), bad, path('carol.proof')]);
    expect([ran.exit, ran.json.error?.code, ran.json.error?.participant, ran.json.error?.file]).toEqual([21, 'E_SHARE_PROOF', 'bob', bad]);
    expect((ran.json['refused'] as { code: string }[]).map((r) => r.code)).toEqual(['E_MISSING', 'E_SHARE_PROOF']);
    expect((ran.json['taken'] as { participant: string }[]).map((r) => r.participant)).toEqual(['carol']);
    expect((await proofOf(bob, 'carol'))?.last).not.toBeNull();
    expect(await proofOf(bob, 'bob')).toMatchObject({ last: null });
    const missing = await bob.run(['key', 'prove', KEY, '--take', path('nowhere')]);
    expect([missing.exit, missing.json.error?.code, missing.json.error?.file]).toEqual([22, 'E_MISSING', path('nowhere')]);
    const stale = await alice.run(['key', 'prove', KEY, '--challenge', '00'.repeat(32), '--take', path('bob.proof')]);
    expect([stale.exit, stale.json.error?.code, stale.json.error?.participant, stale.json.error?.field]).toEqual([21, 'E_SHARE_PROOF', 'bob', 'challenge']);
  });

  it('overwrites nothing that is not its own', async () => {
    writeFileSync(path('notes.txt'), 'notes');
    for (const file of [path('notes.txt'), path('bob.proof')]) {
      const before = readFileSync(file, 'utf8');
      const ran = await alice.run(['key', 'prove', KEY, '--out', file]);
      expect([ran.exit, ran.json.error?.code, ran.json.error?.file]).toEqual([20, 'E_EXISTS', file]);
      expect(readFileSync(file, 'utf8')).toBe(before);
    }
    expect(await proofOf(alice, 'alice')).toMatchObject({ last: null });
  });

  it('wrong usage', async () => {
    for (const args of [['--challenge', 'ab'], ['--challenge', `${'ab'.repeat(31)}zz`], ['--take', path('bob.proof'), '--out', path('x')]]) {
      const ran = await alice.run(['key', 'prove', KEY, ...args]);
      expect([ran.exit, ran.json.error?.code]).toEqual([64, 'E_USAGE']);
    }
    expect((await alice.run(['key', 'prove', 'nothing'])).json.error?.code).toBe('E_UNKNOWN_KEY');
    expect((await alice.run(['key', 'prove'])).exit).toBe(64);
  });

  it('a home whose share is another one proves nothing and writes no file', async () => {
    const home = join(world.dir, 'homes', 'broken');
    cpSync(carol.home, home, { recursive: true });
    const disk = realDisk();
    const { vault } = await openIdentity(openHome(disk, home), new Secret(utf8(PASSPHRASE)), (n) => new Uint8Array(randomBytes(n)));
    const share = vault.get(sharePath(KEY, 1)) as Uint8Array;
    share[0] = (share[0] as number) ^ 1;
    vault.put(sharePath(KEY, 1), share);
    vault.close();
    const broken = new Member(world, 'carol', home);
    const ran = await broken.run(['key', 'prove', KEY, '--out', path('broken.proof')]);
    expect([ran.exit, ran.json.error?.code, ran.json.error?.participant]).toEqual([24, 'E_SHARE_BAD', 'carol']);
    expect(ran.json.error?.remedy).toContain('backup');
    expect(existsSync(path('broken.proof'))).toBe(false);
    expect(printed.some((text) => text.includes(Buffer.from(share).toString('hex')))).toBe(false);
  });

  it('says on one screen when the shares were proven, and what is overdue', async () => {
    const { stdout } = await alice.say(['key', 'show', KEY]);
    expect(stdout.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME').replace(/\d{4}-\d\d-\d\d/g, 'DATE').split('\n').slice(-9)).toEqual([
      'Shares proven in this epoch:',
      '  alice        never, due DATE',
      '  bob          TIME to a challenge, due DATE',
      '  carol        TIME by its own clock, due DATE',
      'Care:',
      '  refresh      epoch began TIME, due DATE',
      '  backup test  never, due DATE',
      '  drill        never, due DATE',
      '',
    ]);
    // years later
    const file = join(alice.home, 'keys', KEY, 'care.json');
    const care = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ drilled: { at: '2020-01-01T00:00:00Z', due: '2021-01-01T00:00:00Z', result: 'pass-with-exceptions' }, epoch: { at: '2020-01-01T00:00:00Z', number: 1 }, key: care['key'], proven: care['proven'], type: care['type'], v: 1 }), { mode: 0o600 });
    expect(await shown(alice)).toMatchObject({ overdue: ['proof', 'refresh', 'backup', 'drill'], warnings: ['W_PROOF_DUE', 'W_REFRESH_DUE', 'W_BACKUP_DUE', 'W_DRILL_DUE'] });
    const late = await alice.say(['key', 'show', KEY]);
    expect(late.stdout).toContain('  alice        never, overdue since 2020-03-31\n');
    expect(late.stdout).toContain('  refresh      epoch began 2020-01-01T00:00:00Z, overdue since 2020-12-31\n');
    expect(late.stdout).toContain('  backup test  never, overdue since 2020-06-29\n');
    expect(late.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect((await alice.say(['key', 'prove', '--help'])).stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('leaves nothing secret where others look', () => {
    for (const file of files(world.dir).filter((f) => f.endsWith('.proof'))) expect(statSync(file).size).toBeLessThan(1024);
  });
});
