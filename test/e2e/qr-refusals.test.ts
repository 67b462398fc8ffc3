/** What `qr` and `--via qr` refuse: codes, files, folders, plans. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { files, invoke, type Member, must, type Ran, World } from './support.ts';

let world: World;
let alice: Member;
let bob: Member;
const flags = (m: Member): string[] => ['--home', m.home, '--passphrase-file', world.passphraseFile];
const dkg = async (folder: string, ...more: string[]): Promise<Ran> =>
  must(await alice.run(['dkg', '--name', folder, '--scheme', 'frost-ed25519', '--quorum', '2-of(alice, bob)', '--cards', world.cards, '--out', alice.copy(folder), '--unattended', ...more]));
const scan = (into: string, ...paths: string[]): Promise<Ran> => invoke(['qr', 'scan', ...paths, '--into', into, '--json']);

beforeAll(async () => {
  world = await World.of(['alice', 'bob']);
  [alice, bob] = [world.member('alice'), world.member('bob')];
  await dkg('k');
  world.courier('k');
});

it('every refusal', async () => {
  const folder = alice.copy('k');
  const text = join(world.dir, 'a.txt');
  writeFileSync(text, 'no code');
  const plain = join(world.dir, 'plain.gif');
  must(await invoke(['qr', 'show', text, '--gif', plain]));
  const big = join(world.dir, 'big');
  writeFileSync(big, randomBytes(70_000));
  const refused = async (exit: number, code: string, args: readonly string[], more: Record<string, unknown> = {}): Promise<void> => {
    const ran = await invoke(['qr', ...args, '--json', '--home', alice.home], { cwd: world.dir });
    expect([args, ran.exit, ran.json.error?.code], ran.stdout).toEqual([args, exit, code]);
    expect(ran.json.error).toMatchObject(more);
  };
  await Promise.all([
    refused(11, 'E_PERSON', ['show', folder], { field: 'show-qr', remedy: expect.stringContaining('--gif FILE') }),
    refused(11, 'E_PERSON', ['scan', '--into', folder], { field: 'scan-qr' }),
    refused(11, 'E_PERSON', ['scan', '--into', folder, '--no-input'], { field: 'scan-qr' }),
    refused(64, 'E_USAGE', ['scan', plain], { field: 'into' }),
    refused(64, 'E_USAGE', ['scan', plain, '--into', 'x', '--out', 'y'], { field: 'out' }),
    refused(22, 'E_MISSING', ['show', join(world.dir, 'none')]),
    refused(20, 'E_ROUTE', ['show', big, '--gif', 'big.gif']),
    refused(64, 'E_USAGE', ['show', join(alice.home, 'identity', 'identity.sealed'), '--gif', 'secret.gif']),
    refused(64, 'E_USAGE', ['show', text, '--gif', 'x.gif', '--density', '41'], { field: 'density' }),
    refused(64, 'E_USAGE', ['show', text, '--gif', 'x.gif', '--fps', '16'], { field: 'fps' }),
    refused(64, 'E_USAGE', ['show', text, '--gif', 'x.gif', '--fps', 'fast']),
    refused(74, 'E_IO', ['scan', 'none.png', '--into', 'x'], { file: join(world.dir, 'none.png') }),
    refused(21, 'E_QR', ['scan', world.passphraseFile, '--into', 'x']),
    refused(20, 'E_EXISTS', ['page', text]),
  ]);
  // raw bytes are no part of a ceremony, unless they are asked for
  writeFileSync(join(world.dir, 'raw.txt'), 'UR:BYTES/GDHKWZDTFTHPTOKIGTVDNNOYO');
  await refused(22, 'E_MISSING', ['scan', 'raw.txt', '--into', 'x']);
  for (const gone of ['big.gif', 'secret.gif', 'x.gif', 'x', 'y']) expect(existsSync(join(world.dir, gone)), gone).toBe(false);
});

it('codes of another ceremony, or of a changed plan, are refused before anything is written', async () => {
  await dkg('other');
  const gif = join(world.dir, 'other.gif');
  must(await invoke(['qr', 'show', alice.copy('other'), '--gif', gif, '--home', alice.home]));
  const before = files(bob.copy('k')).map((f) => readFileSync(f, 'hex'));
  expect(await scan(bob.copy('k'), gif)).toMatchObject({ exit: 20, json: { error: { code: 'E_PLAN_CHANGED' } } });
  const blob = join(world.dir, 'blob.gif');
  must(await invoke(['qr', 'show', join(alice.copy('other'), 'round-1/alice.blob'), '--gif', blob, '--home', alice.home]));
  expect(await scan(bob.copy('k'), blob)).toMatchObject({ exit: 21, json: { error: { code: 'E_PARCEL', field: 'ceremony' } } });
  expect(before.length).toBeGreaterThan(3);
  expect(files(bob.copy('k')).map((f) => readFileSync(f, 'hex'))).toEqual(before);
  expect((await invoke(['join', bob.copy('full'), '--via', 'qr', ...flags(bob), '--json', '--no-input'])).json.error?.code).toBe('E_MISSING');
  mkdirSync(bob.copy('full'), { recursive: true });
  writeFileSync(join(bob.copy('full'), 'x'), '');
  expect(await bob.run(['join', bob.copy('full'), '--via', 'qr'])).toMatchObject({ exit: 20, json: { error: { code: 'E_EXISTS' } } });
});

it('a plan without this route refuses it everywhere, and nothing is moved', async () => {
  await dkg('nocodes', '--routes', 'folder,relay');
  const folder = alice.copy('nocodes');
  const route = { exit: 20, json: { error: { code: 'E_ROUTE', field: 'routes' } } };
  expect(await alice.run(['next', folder, '--via', 'qr'])).toMatchObject(route);
  expect(await alice.run(['qr', 'show', folder, '--gif', join(world.dir, 'no.gif')])).toMatchObject(route);
  world.courier('nocodes');
  expect(await bob.run(['join', bob.copy('nocodes'), '--via', 'qr'])).toMatchObject(route);
  expect(existsSync(join(bob.copy('nocodes'), 'round-1/bob.blob'))).toBe(false);
  // somebody shows the files by themselves
  const gif = join(world.dir, 'plan.gif');
  must(await invoke(['qr', 'show', join(folder, 'PLAN.yaml'), '--gif', gif]));
  expect(await scan(join(world.dir, 'fresh'), gif)).toMatchObject(route);
  expect(await scan(bob.copy('nocodes'), gif)).toMatchObject(route);
  expect(existsSync(join(world.dir, 'fresh'))).toBe(false);
});
