/** `transcript verify` and `transcript show` as scripts and people run them: the built program, no home, no passphrase. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { Dealer } from '../support/dealer.ts';
import { Table } from '../support/harness.ts';
import { finishedCeremonies, type Fixture, type Folder, folderOf } from './fixture.ts';
import { failing, type RunOptions } from '../e2e/support.ts';

const BIN = process.env['MPC_CEREMONY_BIN'] ?? join(import.meta.dirname, '../../bin/mpc-ceremony.js');
let f: Fixture;
let dir: string;
let table: Table;

function put(name: string, folder: Folder): void {
  for (const [path, bytes] of folder) {
    mkdirSync(dirname(join(dir, name, path)), { recursive: true });
    writeFileSync(join(dir, name, path), bytes);
  }
}

beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'transcript-')));
  f = await finishedCeremonies();
  put('A/treasury-dkg', f.dkgFolder);
  put('B/treasury-dkg', f.dkgFolder);
  put('A/sign-1', f.signFolder);
  table = await Table.open(['alice', 'mallory', 'carol']);
  const run = await table.dkg({ quorum: '2-of(alice, mallory, carol)', honest: ['alice', 'carol'], cheats: ['mallory'] });
  run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit());
  await run.settle();
  run.say('mallory', DEAL, new Dealer(run, 'mallory').deal(run.messages()));
  await run.settle();
  put('A/cheated', await folderOf(run));
});
afterAll(() => {
  f.table.close();
  table.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Answer {
  readonly schema: string;
  readonly verdict: string;
  readonly checks: { name: string; verdict: string; culprit?: string; code?: string; place?: string; text: string }[];
  readonly exit: number;
  readonly [field: string]: unknown;
}
interface Ran {
  readonly exit: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Answer;
}

async function run(args: readonly string[], cwd = dir, { node = [], env = {} }: RunOptions = {}): Promise<Ran> {
  const result = await execa(process.execPath, [...node, BIN, ...args], { cwd, reject: false, extendEnv: false, env: { PATH: process.env['PATH'] ?? '', HOME: join(dir, 'no-home'), ...env }, stdin: 'ignore' });
  const json = args.includes('--json') ? (JSON.parse(result.stdout) as Answer) : ({} as Answer);
  return { exit: result.exitCode, stdout: result.stdout, stderr: result.stderr, json };
}
const verify = (...paths: string[]): Promise<Ran> => run(['transcript', 'verify', ...paths, '--json']);
const transcripts = (folder: string): string[] => readdirSync(join(dir, folder, 'transcript')).filter((n) => n.endsWith('.jsonl')).map((n) => `${folder}/transcript/${n}`);

/** A changed copy of the key generation. */
let copies = 0;
function copy(change: (root: string) => void): string {
  const name = `C${String((copies += 1))}`;
  cpSync(join(dir, 'A/treasury-dkg'), join(dir, name), { recursive: true });
  change(join(dir, name));
  return name;
}

describe('verdict, exit code and JSON', () => {
  it('the pinned call: transcripts of a folder bring its messages, plan and certificate', async () => {
    const { exit, json, stderr } = await verify(...transcripts('A/treasury-dkg'));
    expect([exit, json.verdict, json.exit, json.schema, stderr]).toEqual([0, 'ok', 0, 'mpc-ceremony/transcript-verify/1', '']);
    expect(json).toMatchObject({ ceremony: 'treasury', kind: 'dkg', attempt: 1, mode: 'rehearsal', participants: ['alice', 'bob', 'carol'] });
    for (const check of json.checks) {
      expect(Object.keys(check).filter((k) => !['name', 'verdict', 'culprit', 'code', 'place', 'text'].includes(k))).toEqual([]);
      expect([typeof check.name, check.verdict]).toEqual(['string', 'ok']);
    }
  });
  it.each([
    ['the folder', ['A/treasury-dkg']],
    ['the folder of transcripts', ['A/treasury-dkg/transcript']],
    ['everything in it, as a shell lists it', ['A/treasury-dkg/transcript/alice.jsonl', 'A/treasury-dkg/transcript/bob.jsonl', 'A/treasury-dkg/transcript/carol.jsonl', 'A/treasury-dkg/transcript/certificate.json']],
    ['several copies', ['A/treasury-dkg', 'B/treasury-dkg']],
    ['transcripts of several copies', ['A/treasury-dkg/transcript/alice.jsonl', 'A/treasury-dkg/transcript/bob.jsonl', 'B/treasury-dkg/transcript/carol.jsonl']],
    ['a folder of folders', ['A/treasury-dkg', 'A/sign-1']],
    ['one file twice', ['A/treasury-dkg', 'A/treasury-dkg/transcript/alice.jsonl']],
    ['a signing', ['A/sign-1']],
    ['global flags that it has no use for', ['A/sign-1', '--home', 'nowhere', '--no-input', '--passphrase-file', 'nowhere', '--quiet']],
  ])('%s', async (_, paths) => {
    expect(await verify(...paths)).toMatchObject({ exit: 0, json: { verdict: 'ok' } });
  });
  it('from inside the folder', async () => {
    for (const [cwd, path] of [['A/treasury-dkg', '.'], ['A/treasury-dkg', 'transcript'], ['A/treasury-dkg/transcript', '.'], ['A/treasury-dkg/transcript', '..']] as const)
      expect((await run(['transcript', 'verify', path, '--json'], join(dir, cwd))).json.verdict).toBe('ok');
    const inside = await run(['transcript', 'verify', 'alice.jsonl', 'bob.jsonl', 'carol.jsonl', '--json'], join(dir, 'A/treasury-dkg/transcript'));
    expect(inside.json.verdict).toBe('ok');
  });

  it('22 for what is missing: 21 for what is damaged; never anything else for bad files', async () => {
    const lone = copy(() => undefined);
    cpSync(join(dir, lone, 'transcript/alice.jsonl'), join(dir, 'lone.jsonl'));
    writeFileSync(join(dir, 'garbage.jsonl'), Buffer.from([0xff, 0xfe, 0, 1, 2, 10]));
    const cases: [string[], number][] = [
      [['nowhere'], 22],
      [['A/treasury-dkg/transcript/*.jsonl'], 22],
      [['lone.jsonl'], 22],
      [['A/treasury-dkg/transcript/alice.jsonl'], 22],
      [[...transcripts('A/treasury-dkg'), 'A/treasury-dkg/transcript/dave.jsonl'], 22],
      [['garbage.jsonl'], 21],
      [[...transcripts('A/treasury-dkg'), 'garbage.jsonl'], 21],
      [[copy((root) => rmSync(join(root, 'PLAN.yaml')))], 22],
      [[copy((root) => rmSync(join(root, 'transcript/bob.jsonl')))], 22],
      [[copy((root) => rmSync(join(root, 'round-2'), { recursive: true }))], 22],
      [[copy((root) => rmSync(join(root, 'transcript/certificate.json')))], 22],
      [[copy((root) => writeFileSync(join(root, 'PLAN.yaml'), 'a: ['))], 21],
      [[copy((root) => writeFileSync(join(root, 'PLAN.yaml'), Buffer.alloc(300_000, 'a')))], 21],
      [[copy((root) => writeFileSync(join(root, 'round-1/alice.blob'), 'x'))], 21],
      [[copy((root) => writeFileSync(join(root, 'transcript/bob.jsonl'), ''))], 21],
      [[copy((root) => { rmSync(join(root, 'transcript/bob.jsonl')); mkdirSync(join(root, 'transcript/bob.jsonl')); })], 22],
      [[copy((root) => { rmSync(join(root, 'transcript/bob.jsonl')); symlinkSync(join(dir, 'lone.jsonl'), join(root, 'transcript/bob.jsonl')); })], 22],
      [['B'], 0],
      [['A'], 21],
    ];
    mkdirSync(join(dir, 'empty'));
    cases.push([['empty'], 22]);
    for (const [paths, exit] of cases) {
      const ran = await verify(...paths);
      expect([paths, ran.exit, ran.json.exit]).toEqual([paths, exit, exit]);
      expect([paths, ran.json.verdict]).toEqual([paths, { 0: 'ok', 21: 'wrong', 22: 'cannot-tell' }[exit]]);
    }
  });

  it('22 for what may not be read', async () => {
    // refused by the file system, whoever runs the test
    const fault = failing({ calls: ['read'], error: 'EACCES', part: 'transcript/bob.jsonl' });
    const name = copy(() => undefined);
    expect(await run(['transcript', 'verify', name, '--json'], dir, fault)).toMatchObject({ exit: 22 });
    expect(await verify(name)).toMatchObject({ exit: 0 });
  });

  it('nothing to verify is a question of usage', async () => {
    expect((await run(['transcript', 'verify'])).exit).toBe(64);
  });
});

describe('a cheat', () => {
  it('21, the culprit by name, and evidence that stands for itself', async () => {
    const { exit, json } = await verify('A/cheated');
    expect([exit, json.verdict]).toEqual([21, 'wrong']);
    expect(json.checks).toContainEqual(expect.objectContaining({ verdict: 'wrong', culprit: 'mallory', code: 'E_COMMIT' }));
    const [name = ''] = readdirSync(join(dir, 'A/cheated/evidence'));
    for (const paths of [[`A/cheated/evidence/${name}`], [`A/cheated/evidence/${name}`, 'A/cheated']]) {
      const alone = await verify(...paths);
      expect([alone.exit, alone.json.checks]).toEqual([0, [expect.objectContaining({ name: 'evidence', verdict: 'ok', culprit: 'mallory', code: 'E_COMMIT' })]]);
    }
    const elsewhere = join(dir, 'B/treasury-dkg/evidence');
    mkdirSync(elsewhere);
    cpSync(join(dir, 'A/cheated/evidence', name), join(elsewhere, name));
    expect(await verify(`B/treasury-dkg/evidence/${name}`)).toMatchObject({ exit: 21, json: { checks: [{ name: 'evidence', code: 'E_EVIDENCE' }] } });
    rmSync(elsewhere, { recursive: true });
  });
});

describe('for people', () => {
  it('one line a check within 80 columns, a sign and words, the verdict last', async () => {
    const { stdout, stderr } = await run(['transcript', 'verify', 'A/treasury-dkg']);
    const lines = stdout.split('\n');
    expect(stderr).toBe('');
    expect(lines.filter((l) => l.length > 80)).toEqual([]);
    expect(lines.filter((l) => !/^(?:✓ | {18})/.test(l))).toEqual([]);
    expect(lines.at(-1)).toBe('✓ ok: everything that belongs to this record is here, and it holds.');
    const bad = await run(['transcript', 'verify', 'A/cheated']);
    expect(bad.stdout).toMatch(/^✗ proofs/m);
    expect(bad.stdout).toMatch(/\[culprit: mallory\]/);
    expect(bad.stdout.split('\n').at(-1)).toMatch(/^✗ wrong: /);
    const missing = await run(['transcript', 'verify', 'A/treasury-dkg/transcript/alice.jsonl']);
    expect(missing.stdout.split('\n').at(-1)).toMatch(/^\? cannot tell: /);
  });

  it('show lists the entries of one transcript', async () => {
    const { exit, stdout } = await run(['transcript', 'show', 'A/sign-1/transcript/bob.jsonl']);
    expect(exit).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.filter((l) => l.length > 80)).toEqual([]);
    expect(lines[0]).toMatch(/^Transcript of bob in ceremony [0-9a-f]{32}$/);
    expect(lines.filter((l) => /^ {4}\d /.test(l)).map((l) => l.slice(17, 29).trim())).toEqual(['open', 'gate', 'sent', 'gate', 'sent', 'signature']);
    expect(stdout).toMatch(/not checked here/);
    const { json } = await run(['transcript', 'show', 'A/sign-1/transcript/bob.jsonl', '--json']);
    expect(json).toMatchObject({ schema: 'mpc-ceremony/transcript-show/1', author: 'bob', exit: 0 });
    expect((json['entries'] as { seq: number }[]).map((e) => e.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await run(['transcript', 'show', 'nowhere.jsonl'])).exit).toBe(22);
    expect((await run(['transcript', 'show', 'A/sign-1/PLAN.yaml'])).exit).toBe(21);
  });
});
