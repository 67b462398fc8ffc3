/**
 * Bad disks and bad folders. Every error names a file and a remedy and ends as the contract says; nothing is lost: once the
 * cause is mended, the same command goes on, and the ceremonies begun here complete.
 */
import { createPublicKey, verify } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failing, type Fault, files, Member, must, newDir, type Ran, World } from './support.ts';

const Q = 'all-of(alice,bob)';
const posix = process.platform !== 'win32';

/** An error in its whole shape. */
function expectError(ran: Ran, exit: number, code: string, file?: string): void {
  expect([ran.exit, ran.json.error?.code], `${ran.stdout}${ran.stderr}`).toEqual([exit, code]);
  expect(ran.json.error?.remedy, ran.stdout).toBeTruthy();
  if (file === undefined) expect(ran.json.error?.file, ran.stdout).toBeTruthy();
  else expect(ran.json.error?.file).toBe(file);
}

const own = (m: Member, folder: string): Map<string, string> =>
  new Map(
    files(m.copy(folder))
      .filter((f) => f.endsWith(`${m.name}.blob`))
      .map((f) => [f, readFileSync(f, 'hex')]),
  );

/** Repeats a command on a disk that fails at its first, second, … write, until it gets through. Returns how often it failed. */
async function until(m: Member, folder: string, args: readonly string[], fault: Fault, code = 'E_IO'): Promise<number> {
  let released = new Map<string, string>();
  for (let n = 1; ; n++) {
    const ran = await m.run(args, failing({ ...fault, from: n }));
    if (fault.error !== 'FLIP') for (const [file, bytes] of released) expect(readFileSync(file, 'hex'), `released, then changed: ${file}`).toBe(bytes);
    released = own(m, folder);
    if (ran.exit === 0 || ran.exit === 10) return n - 1;
    expectError(ran, 74, code);
    expect(ran.json.error?.text).toMatch(/ENOSPC|EROFS|EIO|does not read back/);
  }
}

describe('a disk that is full, write-protected or failing', { timeout: 200_000 }, () => {
  let world: World;
  let alice: Member;
  let bob: Member;
  beforeAll(async () => {
    world = await World.of(['alice', 'bob']);
    [alice, bob] = world.members as [Member, Member];
  });

  it('full while a home is made', async () => {
    const carol = new Member(world, 'carol', join(world.dir, 'homes', 'carol'));
    expect(await until(carol, 'none', ['init', '--name', 'carol', '--rehearsal'], { calls: ['write'], error: 'TEAR' })).toBe(8);
    expect((await carol.run(['card', 'show'])).exit).toBe(0);
  });

  it('full at each write of a whole key generation and signing: nothing is lost', async () => {
    const full: Fault = { calls: ['write'], error: 'TEAR' };
    let failures = await until(alice, 'k', ['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy('k'), '--unattended'], full);
    world.courier('k');
    failures += await until(bob, 'k', ['join', bob.copy('k')], full);
    for (let round = 0; round < 3; round++) {
      world.courier('k');
      for (const m of [alice, bob]) failures += await until(m, 'k', ['next', m.copy('k')], full);
    }
    expect(failures).toBeGreaterThan(20);
    for (const m of [alice, bob]) expect((await m.run(['next', m.copy('k')])).json.nextAction?.code).toBe('DONE');

    writeFileSync(join(world.dir, 'm'), 'pay');
    const intent = join(world.dir, 'i.json');
    await until(alice, 's', ['intent', 'create', '--key', 'k', '--action', 'message', '--file', join(world.dir, 'm'), '--out', intent], full);
    await until(alice, 's', ['sign', '--intent', intent, '--signers', 'alice,bob', '--out', alice.copy('s'), '--unattended'], full);
    world.courier('s');
    await until(bob, 's', ['join', bob.copy('s')], full);
    for (let round = 0; round < 2; round++) {
      world.courier('s');
      for (const m of [alice, bob]) await until(m, 's', ['next', m.copy('s')], full);
    }
    const pem = (await alice.say(['key', 'export', 'k', '--format', 'pem'])).stdout;
    for (const m of [alice, bob]) expect(verify(null, Buffer.from('pay'), createPublicKey(pem), readFileSync(join(m.copy('s'), 'signature.bin')))).toBe(true);
  });

  it('a folder that is write-protected, or fails, or lies; and a home that does', async () => {
    await world.dkg('p', Q, { folder: 'p' });
    must(await alice.run(['dkg', '--name', 'q', '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy('q'), '--unattended']));
    world.courier('q');
    const [a, b] = [alice.copy('q'), bob.copy('q')];
    const protectedRun = await bob.run(['join', b], failing({ calls: ['open', 'mkdir', 'rename'], error: 'EROFS', under: b }));
    expectError(protectedRun, 74, 'E_IO');
    expect(protectedRun.json.error?.remedy).toContain('write protection');
    expectError(await bob.run(['next', b], failing({ calls: ['fsync'], error: 'EIO', under: b })), 74, 'E_IO');
    expect(await until(bob, 'q', ['next', b], { calls: ['rename'], error: 'FLIP', under: b, times: 1 })).toBeGreaterThan(1);
    expect(existsSync(join(b, 'round-1', 'bob.blob'))).toBe(true);
    world.courier('q');
    expectError(await alice.run(['next', a], failing({ calls: ['read'], error: 'EIO', under: a, part: 'bob.blob' })), 74, 'E_IO', join(a, 'round-1', 'bob.blob'));
    expectError(await alice.run(['next', a], failing({ calls: ['open'], error: 'EACCES', under: alice.home })), 74, 'E_IO');
    expectError(await alice.run(['next', a], failing({ calls: ['read'], error: 'EIO', under: alice.home, part: 'journal' })), 74, 'E_IO');
    const last = await world.settle('q');
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE']);
  });

  it.runIf(posix)('a limit of the system on file sizes', async () => {
    const ran = await alice.run(['dkg', '--name', 'u', '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy('u'), '--unattended'], {
      under: ['bash', '-c', 'ulimit -f 1; exec "$0" "$@"'],
    });
    expectError(ran, 74, 'E_IO');
    expect(ran.json.error?.text).toContain('EFBIG');
    await world.dkg('u', Q, { folder: 'u' });
  });

  const mount = newDir();
  const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96k,mode=0755', 'tmpfs', mount]).status === 0;
  afterAll(() => {
    if (mounted) spawnSync('umount', [mount]);
  });
  it.runIf(mounted)('a real stick that is full, then write-protected', async () => {
    must(await alice.run(['dkg', '--name', 'r', '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy('r'), '--unattended']));
    const stick = join(mount, 'r');
    cpSync(alice.copy('r'), stick, { recursive: true });
    spawnSync('dd', ['if=/dev/zero', `of=${join(mount, 'filler')}`, 'bs=4k']);
    const full = await bob.run(['join', stick]);
    expectError(full, 74, 'E_IO');
    expect(full.json.error?.text).toContain('ENOSPC');
    unlinkSync(join(mount, 'filler'));
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    const readOnly = await bob.run(['next', stick]);
    expectError(readOnly, 74, 'E_IO');
    expect(readOnly.json.error?.text).toContain('EROFS');
    execFileSync('mount', ['-o', 'remount,rw', mount]);
    const mended = await bob.run(['next', stick]);
    expect([mended.exit, mended.json.nextAction?.code], mended.stdout).toEqual([0, 'CARRY_OUT']);
    cpSync(stick, bob.copy('r'), { recursive: true });
    const last = await world.settle('r');
    expect([...last.values()].map((x) => x.json.nextAction?.code)).toEqual(['DONE', 'DONE']);
  });

  it.runIf(posix && process.getuid?.() !== 0)('a folder without write permission', async () => {
    must(await alice.run(['dkg', '--name', 'w', '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy('w'), '--unattended']));
    world.courier('w');
    chmodSync(bob.copy('w'), 0o555);
    expectError(await bob.run(['join', bob.copy('w')]), 74, 'E_IO');
    chmodSync(bob.copy('w'), 0o755);
    expect((await bob.run(['next', bob.copy('w')])).exit).toBe(0);
  });
});

describe('what may lie in a folder', { timeout: 200_000 }, () => {
  let world: World;
  let alice: Member;
  let bob: Member;
  let dir: string;
  let blob: string;
  let good: Buffer;
  const next = (): Promise<Ran> => alice.run(['next', dir]);

  beforeAll(async () => {
    world = await World.of(['alice', 'bob']);
    [alice, bob] = world.members as [Member, Member];
    must(await alice.run(['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy('k'), '--unattended']));
    world.courier('k');
    must(await bob.run(['join', bob.copy('k')]));
    dir = alice.copy('k');
    blob = join(dir, 'round-1', 'bob.blob');
    good = readFileSync(join(bob.copy('k'), 'round-1', 'bob.blob'));
  });

  // alice waits for bob's message; in its place there lies …
  it.each<[what: string, exit: number, code: string | undefined, put: () => void]>([
    ['nothing', 10, undefined, () => undefined],
    ['an empty file', 21, 'E_FORMAT', () => { writeFileSync(blob, ''); }],
    ['its first half', 21, 'E_SIGNATURE', () => { writeFileSync(blob, good.subarray(0, 130)); }],
    ['its first bytes', 21, 'E_FORMAT', () => { writeFileSync(blob, good.subarray(0, 40)); }],
    ['one more byte', 21, 'E_SIGNATURE', () => { writeFileSync(blob, Buffer.concat([good, Buffer.of(0)])); }],
    ['zeros', 21, 'E_FORMAT', () => { writeFileSync(blob, Buffer.alloc(good.length)); }],
    ['2 MB', 21, 'E_FORMAT', () => { writeFileSync(blob, Buffer.alloc(2 << 20, 1)); }],
    ['100 MB of nothing', 21, 'E_TOO_LARGE', () => { writeFileSync(blob, ''); truncateSync(blob, 100 << 20); }],
    ['a message of another ceremony', 21, 'E_FORMAT', () => { writeFileSync(blob, Buffer.concat([good.subarray(0, 1), Buffer.alloc(16, 7), good.subarray(17)])); }],
    ['a link to the message', 10, undefined, () => { symlinkSync(join(bob.copy('k'), 'round-1', 'bob.blob'), blob); }],
    ['a folder', 10, undefined, () => { mkdirSync(blob); }],
    ['a folder with the message in it', 10, undefined, () => { mkdirSync(blob); writeFileSync(join(blob, 'bob.blob'), good); }],
    ['a pipe that nobody writes', 10, undefined, () => { execFileSync('mkfifo', [blob]); }],
  ])('in place of a message: %s → %i', async (_what, exit, code, put) => {
    put();
    const ran = await next();
    if (code === undefined) {
      expect([ran.exit, ran.json.nextAction?.code, ran.json.needs]).toEqual([exit, 'BRING_IN', [{ from: 'bob', what: 'round1' }]]);
    } else expectError(ran, exit, code, blob);
    rmSync(blob, { recursive: true, force: true });
  });

  it('10,001 files beside it', async () => {
    const junk = join(dir, 'junk');
    mkdirSync(junk);
    for (let i = 0; i <= 10_000; i++) writeFileSync(join(junk, String(i)), '');
    expectError(await next(), 21, 'E_TOO_LARGE', junk);
    rmSync(junk, { recursive: true });
    expect((await next()).exit).toBe(10);
  });

  it('own files damaged, missing, or replaced by something else', async () => {
    const mine = join(dir, 'round-1', 'alice.blob');
    const chain = join(dir, 'transcript', 'alice.jsonl');
    const [blobBytes, chainBytes] = [readFileSync(mine), readFileSync(chain)];
    // damaged and missing files are written anew, and whoever carries is told to
    for (const spoil of [() => { writeFileSync(mine, blobBytes.subarray(0, 50)); }, () => { writeFileSync(mine, ''); }, () => { unlinkSync(mine); }, () => { rmSync(join(dir, 'round-1'), { recursive: true }); }]) {
      spoil();
      const ran = await next();
      expect([ran.exit, ran.json.nextAction?.code], ran.stdout).toEqual([0, 'CARRY_OUT']);
      expect(readFileSync(mine).equals(blobBytes)).toBe(true);
    }
    for (const spoil of [() => { writeFileSync(chain, '{'); }, () => { unlinkSync(chain); }, () => { writeFileSync(chain, chainBytes.subarray(0, 300)); }]) {
      spoil();
      expect((await next()).exit).toBe(10);
      expect(readFileSync(chain).equals(chainBytes)).toBe(true);
    }
    for (const [path, put] of [
      [mine, () => { symlinkSync('/etc/hostname', mine); }],
      [mine, () => { mkdirSync(mine); }],
      [mine, () => { execFileSync('mkfifo', [mine]); }],
      [chain, () => { symlinkSync('/etc/hostname', chain); }],
    ] as const) {
      rmSync(path);
      put();
      expectError(await next(), 74, 'E_IO', path);
      rmSync(path, { recursive: true });
      must(await next());
    }
    // a file where the folder of a round should be, and a link in its place
    for (const put of [() => { writeFileSync(join(dir, 'round-1'), ''); }, () => { symlinkSync(newDir(), join(dir, 'round-1')); }]) {
      rmSync(join(dir, 'round-1'), { recursive: true });
      put();
      expectError(await next(), 74, 'E_IO');
      rmSync(join(dir, 'round-1'));
      must(await next());
    }
    expect(statSync('/etc/hostname').isFile()).toBe(true);
  });

  it('the plan damaged, changed, missing, or no file', async () => {
    const plan = join(dir, 'PLAN.yaml');
    const bytes = readFileSync(plan);
    for (const [exit, code, put] of [
      [20, 'E_PLAN_FIELD', () => { writeFileSync(plan, bytes.subarray(0, 300)); }],
      [20, 'E_PLAN_FIELD', () => { writeFileSync(plan, Buffer.alloc(500, 0xff)); }],
      [20, 'E_PLAN_CHANGED', () => { writeFileSync(plan, bytes.toString().replace(/stock: 0/, 'stock: 1')); }],
      [20, 'E_ROSTER_HASH', () => { writeFileSync(plan, bytes.toString().replace(/(homeId: )[0-9a-f]{32}/, `$1${'a'.repeat(32)}`)); }],
      [21, 'E_TOO_LARGE', () => { truncateSync(plan, 100 << 20); }],
      [74, 'E_IO', () => { rmSync(plan); mkdirSync(plan); }],
      [74, 'E_IO', () => { rmSync(plan, { recursive: true }); symlinkSync('/dev/zero', plan); }],
      [74, 'E_IO', () => { rmSync(plan); execFileSync('mkfifo', [plan]); }],
    ] as const) {
      put();
      expectError(await next(), exit, code, plan);
    }
    rmSync(plan);
    // without a plan the folder is known by its place, and the home holds the plan
    expect((await next()).exit).toBe(10);
    writeFileSync(plan, `${bytes.toString()}# a remark\n`);
    expect((await next()).exit, 'the object counts, not the bytes').toBe(10);
    writeFileSync(plan, bytes);
  });

  it('messages renamed, duplicated and among files of all kinds: the ceremony completes', async () => {
    writeFileSync(join(dir, 'round-1', 'holiday.jpg'), good);
    writeFileSync(join(dir, 'copy of bob.blob'), good);
    writeFileSync(join(dir, 'round-1', 'random.bin'), Buffer.alloc(5000, 0x5a));
    mkdirSync(join(dir, 'System Volume Information'));
    writeFileSync(join(dir, '.DS_Store'), 'x');
    writeFileSync(join(dir, 'round-1', '._bob.blob'), 'resource fork');
    expect((await next()).json.did).toEqual(['round2.sent']);
    renameSync(join(dir, 'round-1', 'holiday.jpg'), join(dir, 'again.blob'));
    const last = await world.settle('k');
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE']);
  });

  it('a home that was tampered with says so, and works again when it is put back', async () => {
    const ceremony = files(join(alice.home, 'ceremonies')).find((f) => f.endsWith('journal.jsonl')) as string;
    const share = files(join(alice.home, 'keys')).find((f) => f.endsWith('share.sealed')) as string;
    writeFileSync(join(world.dir, 'm'), 'm');
    const intent = join(world.dir, 'i.json');
    const sign = (folder: string): Promise<Ran> => alice.run(['sign', '--intent', intent, '--signers', 'alice,bob', '--out', alice.copy(folder), '--unattended']);
    must(await alice.run(['intent', 'create', '--key', 'k', '--action', 'message', '--file', join(world.dir, 'm'), '--out', intent]));
    for (const [file, exit, code, run] of [
      [ceremony, 24, 'E_STATE', next],
      [ceremony.replace('journal.jsonl', 'place.json'), 24, 'E_STATE', next],
      [ceremony.replace('journal.jsonl', 'plan.json'), 24, 'E_STATE', next],
      [ceremony.replace('journal.jsonl', 'out/2.blob'), 24, 'E_STATE', next],
      [ceremony.replace('journal.jsonl', 'in/2-2.blob'), 24, 'E_STATE', next],
      [join(alice.home, 'VERSION'), 24, 'E_STATE', next],
      [join(alice.home, 'identity', 'alice.card'), 20, 'E_CARD', () => alice.run(['card', 'show'])],
      [join(alice.home, 'identity', 'identity.sealed'), 24, 'E_STATE', () => alice.run(['card', 'renew'])],
      [share, 24, 'E_STATE', () => sign('s')],
    ] as const) {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.subarray(0, bytes.length - 7));
      const ran = await run();
      expect([file, ran.exit, ran.json.error?.code], ran.stdout).toEqual([file, exit, code]);
      expect([ran.json.error?.file, ran.json.error?.remedy], file).toEqual([file, expect.stringMatching(/./)]);
      writeFileSync(file, bytes);
    }
    if (posix) {
      chmodSync(alice.home, 0o755);
      expectError(await next(), 74, 'E_IO', alice.home);
      chmodSync(alice.home, 0o700);
    }
    expect((await sign('s')).exit).toBe(0);
  });
});
