/** Codes as scripts meet them: the real binary without a terminal. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { codesInFile } from '../../src/qr/read-file.ts';
import { files, invoke, type Member, must, type Ran, World } from './support.ts';

let world: World;
let alice: Member;
let bob: Member;
const dkg = async (folder: string, ...more: string[]): Promise<Ran> =>
  must(await alice.run(['dkg', '--name', folder, '--scheme', 'frost-ed25519', '--quorum', '2-of(alice, bob)', '--cards', world.cards, '--out', alice.copy(folder), '--unattended', ...more]));
const textsOf = async (file: string): Promise<string[]> => {
  const texts: string[] = [];
  for await (const text of codesInFile(file)) texts.push(text);
  return texts;
};
const scan = (into: string, ...paths: string[]): Promise<Ran> => invoke(['qr', 'scan', ...paths, '--into', into, '--json']);

beforeAll(async () => {
  world = await World.of(['alice', 'bob']);
  [alice, bob] = [world.member('alice'), world.member('bob')];
});

it('a whole key generation: every step says which codes to show and to scan', async () => {
  const began = await dkg('k', '--via', 'qr');
  expect(began.json.nextAction).toMatchObject({ code: 'SHOW_QR', who: 'alice', text: expect.stringContaining(`qr show ${alice.copy('k')} --gif FILE`) });
  expect(began.json.nextAction?.text).toContain(`qr scan FILE… --into ${alice.copy('k')}`);

  // bob has nothing yet
  const early = await bob.run(['join', bob.copy('k'), '--via', 'qr']);
  expect(early).toMatchObject({ exit: 22, json: { participant: 'bob', nextAction: { code: 'SCAN_QR', who: 'bob' }, error: { code: 'E_MISSING', file: join(bob.copy('k'), 'PLAN.yaml') } } });

  let n = 0;
  const carry = async (from: Member, to: Member): Promise<void> => {
    const gif = join(world.dir, `${from.name}-${String(n++)}.gif`);
    const shown = must(await invoke(['qr', 'show', from.copy('k'), '--gif', gif, '--home', from.home, '--json']));
    expect(shown.json).toMatchObject({ schema: 'mpc-ceremony/qr-show/1', bytes: expect.any(Number), shown: [{ format: 'gif', files: [{ path: gif, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }] }], exit: 0 });
    const got = must(await scan(to.copy('k'), gif));
    expect(got.json).toMatchObject({ schema: 'mpc-ceremony/qr-scan/1', messages: [{ wrote: expect.any(Array), known: expect.any(Array) }], scan: { have: 0, missing: 0, foreign: 0, damaged: 0 }, remembered: null, exit: 0 });
  };
  await carry(alice, bob);
  const joined = must(await bob.run(['join', bob.copy('k'), '--via', 'qr']));
  expect(joined.json).toMatchObject({ did: ['round1.sent', 'round2.sent'], nextAction: { code: 'SHOW_QR', text: expect.stringContaining('to alice') } });
  expect((await bob.run(['next', bob.copy('k'), '--via', 'qr'])).json).toMatchObject({ nextAction: { code: 'SCAN_QR', who: 'bob', text: expect.stringContaining('Waiting for alice') }, exit: 10 });
  await carry(bob, alice);
  must(await alice.run(['next', alice.copy('k'), '--via', 'qr']));
  await carry(alice, bob);
  const done = must(await bob.run(['next', bob.copy('k'), '--via', 'qr']));
  expect(done.json.nextAction).toMatchObject({ code: 'DONE', text: expect.stringMatching(/qr show .*transcript\/NAME\.jsonl/s) });
  await carry(bob, alice);
  expect((await alice.run(['next', alice.copy('k'), '--via', 'qr'])).json.nextAction?.code).toBe('DONE');
  expect((await alice.run(['next', alice.copy('k'), '--via', 'qr'])).json).toMatchObject({ did: [], nextAction: { code: 'DONE' }, exit: 0 });
  // the same codes once more are nothing new
  expect((await scan(alice.copy('k'), join(world.dir, 'bob-3.gif'))).json).toMatchObject({ messages: [{ wrote: [], known: ['round-3/bob.blob'] }], exit: 0 });
  expect(files(bob.copy('k')).filter((f) => f.includes('.scan'))).toEqual([]);
});

it('goes on with an incomplete scan in the next command (PRF-08), also from single photos', async () => {
  const pictures = join(world.dir, 'photos');
  mkdirSync(pictures);
  const file = join(world.dir, 'payload');
  writeFileSync(file, randomBytes(1500));
  const shown = must(await invoke(['qr', 'show', file, '--png', join(pictures, 'p.png'), '--density', '10', '--json']));
  const names = (shown.json as { shown?: { files: { path: string }[] }[] }).shown?.[0]?.files.map((f) => f.path) ?? [];
  expect(names.length).toBe(9);
  const into = join(world.dir, 'resumed');
  const first = await scan(into, names[0] as string, names[5] as string);
  expect(first).toMatchObject({ exit: 22, json: { error: { code: 'E_MISSING', text: 'not complete: 2 of 9 parts, 7 missing' }, scan: { parts: 9, have: 2, missing: 7 }, remembered: join(into, '.scan') } });
  const words = await invoke(['qr', 'scan', names[1] as string, '--into', into]);
  expect([words.exit, words.stdout]).toEqual([22, '']);
  expect(words.stderr).toMatch(/not complete: 3 of 9 parts, 6 missing[^]*What was scanned is remembered/);
  const last = must(await scan(into, pictures));
  expect(last.json).toMatchObject({ messages: [{ wrote: ['files/payload'] }], remembered: null });
  expect(readFileSync(join(into, 'files/payload'))).toEqual(readFileSync(file));
  expect(existsSync(join(into, '.scan'))).toBe(false);
});

it('--out gives the file itself back; beside it an incomplete scan is remembered; nothing is overwritten', async () => {
  const out = join(world.dir, 'alice-again.card');
  const [one, two] = [join(world.dir, 'card.gif'), join(world.dir, 'card.png')];
  must(await invoke(['qr', 'show', alice.card, '--gif', one, '--png', two, '--home', alice.home, '--json']));
  expect(await invoke(['qr', 'scan', join(world.dir, 'card-1.png'), '--out', out, '--json'])).toMatchObject({ exit: 22, json: { remembered: `${out}.scan` } });
  must(await invoke(['qr', 'scan', one, '--out', out, '--json']));
  expect(readFileSync(out)).toEqual(readFileSync(alice.card));
  expect(existsSync(`${out}.scan`)).toBe(false);
  expect(await invoke(['qr', 'scan', one, '--out', out, '--json'])).toMatchObject({ exit: 20, json: { error: { code: 'E_EXISTS', file: out } } });
  expect(await invoke(['qr', 'show', alice.card, '--gif', one, '--home', alice.home, '--json'])).toMatchObject({ exit: 20, json: { error: { code: 'E_EXISTS', file: one } } });
  must(await bob.run(['peers', 'add', out]));
});

it('without --into the ceremony folder where the command runs is meant; a camera needs no terminal', async () => {
  const [file, gif, bin] = [join(world.dir, 'seen'), join(world.dir, 'seen.gif'), join(world.dir, 'bin')];
  writeFileSync(file, randomBytes(600));
  must(await invoke(['qr', 'show', file, '--gif', gif, '--density', '10']));
  mkdirSync(bin);
  // what a camera of this machine would see
  writeFileSync(join(bin, 'ffmpeg'), `#!/bin/sh\nPATH='${process.env['PATH'] ?? ''}'\ncase "$*" in *" /dev/video7 "*) exec ffmpeg -loglevel error -i '${gif}' -pix_fmt gray -f yuv4mpegpipe -;; esac\nexit 1\n`, { mode: 0o755 });
  const folder = join(world.dir, 'here');
  mkdirSync(folder);
  writeFileSync(join(folder, 'PLAN.yaml'), readFileSync(join(alice.copy('k'), 'PLAN.yaml')));
  const ran = await invoke(['qr', 'scan', '--camera', '/dev/video7', '--json'], { cwd: folder, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
  expect(ran).toMatchObject({ exit: 0, json: { messages: [{ wrote: ['files/seen'] }] } });
  expect(readFileSync(join(folder, 'files/seen'))).toEqual(readFileSync(file));
  const none = await invoke(['qr', 'scan', '--camera', '/dev/video8', '--json'], { cwd: folder, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
  expect(none).toMatchObject({ exit: 22, json: { error: { code: 'E_MISSING', file: '/dev/video8' } } });
});

it('what a scanner types comes on standard input', async () => {
  const gif = join(world.dir, 'typed.gif');
  const file = join(world.dir, 'typed.bin');
  writeFileSync(file, randomBytes(900));
  must(await invoke(['qr', 'show', file, '--gif', gif, '--density', '10', '--json']));
  const texts = await textsOf(gif);
  const into = join(world.dir, 'typed');
  const half = await invoke(['qr', 'scan', '--typed', '--into', into, '--json'], { stdin: texts.slice(0, 3).join('\r\n') });
  expect(half).toMatchObject({ exit: 22, json: { scan: { have: 3 } } });
  const rest = await invoke(['qr', 'scan', '--typed', '--into', into, '--json'], { stdin: `nonsense\n${texts.slice(3).join('\n').toLowerCase()}\n` });
  expect(rest).toMatchObject({ exit: 0, json: { messages: [{ wrote: ['files/typed.bin'] }] } });
  expect((await invoke(['qr', 'scan', '--typed', '--into', into, '--json'], { stdin: 'A'.repeat(100_000) })).json.error?.code).toBe('E_TOO_LARGE');
});

it('a courier without a home, and a participant who has not joined, can show a folder on', async () => {
  await dkg('onward');
  world.courier('onward');
  for (const home of [bob.home, join(world.dir, 'nobody')]) {
    const gif = join(world.dir, `${home.length.toString()}-onward.gif`);
    const shown = must(await invoke(['qr', 'show', bob.copy('onward'), '--gif', gif, '--home', home, '--json']));
    expect(shown.json['what']).toBe('onward: plan, 1 message');
  }
});

it('the page is a file, made once', async () => {
  const page = join(world.dir, 'page.html');
  expect(await invoke(['qr', 'page', page, '--json'])).toMatchObject({ exit: 0, json: { schema: 'mpc-ceremony/qr-page/1', path: page, exit: 0 } });
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/);
});
