/** `rehearse` as somebody meets it after installing; every fault; and that nothing of it passes as production. */
import { createPublicKey, verify } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeAuxSecret } from '../../src/ecdsa/make-aux.ts';
import { castOf, plainDraft } from '../../src/rehearsal/cast.ts';
import { rehearsalHome } from '../../src/rehearsal/stage.ts';
import { dealWrongSubShare } from '../../src/rehearsal/wrong-sub-share.ts';
import { openHome } from '../../src/ceremony/home.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { parseYaml } from '../../src/wire/yaml.ts';
import { fixturePrimes } from '../support/primes.ts';
import { BIN, files, invoke, newDir, type Json, type Ran, World } from './support.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

interface Gate {
  participant: string;
  expected: Record<string, unknown>;
  observed: Record<string, unknown>;
  asItShouldBe: boolean;
  text: string;
}
interface Fault {
  fault: string;
  done: string[];
  gates: Gate[];
}
const faultsOf = (ran: { json: Json }): Fault[] => ran.json['faults'] as Fault[];
const contents = (dir: string): Map<string, string> => new Map(files(dir).map((f) => [f, readFileSync(f).toString('hex')]));

let dir = '';
let production: World;
let before: Map<string, string>;
let told: Ran;

beforeAll(async () => {
  dir = newDir();
  // a production home where the program looks for one by default
  production = new World();
  const alice = await production.join('alice', true);
  mkdirSync(join(dir, 'user'));
  cpSync(alice.home, join(dir, 'user', '.mpc-ceremony'), { recursive: true });
  before = contents(join(dir, 'user'));
  told = await invoke(['rehearse', '--out', 'r'], { cwd: dir, env: { HOME: join(dir, 'user') } });
});
const at = (...path: string[]): string => join(dir, 'r', ...path);

describe('a rehearsal without faults', () => {
  it('plays the whole ceremony and tells it in plain words', () => {
    expect(told.exit, told.stderr).toBe(0);
    expect(told.stderr).toContain("bob's laptop: join — reads the plan, writes message 1 of 3 (commit)");
    expect(told.stderr).toContain("carol's laptop: next — holds all confirmations: the key is active");
    expect(told.stderr).toContain('OpenSSL verifies the signature with the exported key');
    expect(told.stderr).toContain('the record of treasury-sign-1 verifies: ok');
    expect(told.stdout).toMatch(/^✓ A whole ceremony in \d+\.\d s/);
    expect(told.stdout).toContain('Everything lies in r/');
    expect(told.stdout).toContain('NEXT  ');
    expect(told.stdout.split('\n').length).toBeLessThanOrEqual(24);
  });

  it('keeps within 80 columns', () => {
    for (const line of (told.stdout + told.stderr).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('keeps homes, folder copies, and what explains them', async () => {
    for (const name of ['alice', 'bob', 'carol']) {
      expect(readFileSync(at('homes', name, 'VERSION'), 'latin1')).toContain('"mode":"rehearsal"');
      for (const file of ['PLAN.yaml', 'round-1/bob.blob', 'round-2/carol.blob', 'round-3/alice.blob', `transcript/${name}.jsonl`, 'transcript/certificate.json'])
        expect(existsSync(at(name, 'treasury-dkg-1', file)), `${name} ${file}`).toBe(true);
    }
    const readme = readFileSync(at('README.txt'), 'utf8');
    for (const word of ['passphrase.txt', 'homes/', 'log.txt', 'treasury-dkg-1', 'treasury-sign-1', 'rehearsal']) expect(readme).toContain(word);
    const plan = (await parseYaml(readFileSync(at('alice', 'treasury-dkg-1', 'PLAN.yaml')), 262_144)) as { mode: string };
    expect(plan.mode).toBe('rehearsal');
    expect(JSON.parse(readFileSync(at('alice', 'treasury-sign-1', 'intent.json'), 'utf8'))).toMatchObject(expect.any(Object));
  });

  it('leaves a signature that others verify', async () => {
    const key = await invoke(['key', 'export', 'treasury', '--format', 'pem', '--home', at('homes', 'carol')]);
    expect(verify(null, readFileSync(at('message.txt')), createPublicKey(key.stdout), readFileSync(at('bob', 'treasury-sign-1', 'signature.bin')))).toBe(true);
  });

  it('keeps commands in log.txt that can be typed in the folder', async () => {
    const line = readFileSync(at('log.txt'), 'utf8').split('\n').find((l) => l.includes('$ mpc-ceremony next bob/treasury-dkg-1')) as string;
    const again = await invoke(line.slice(line.indexOf('mpc-ceremony') + 'mpc-ceremony '.length).split(' '), { cwd: join(dir, 'r') });
    expect(again).toMatchObject({ exit: 0, json: { nextAction: { code: 'DONE' }, did: [] } });
  });

  it('touches no other home', () => {
    expect(contents(join(dir, 'user'))).toEqual(before);
  });
});

describe('faults', () => {
  it('on the way and in the laptop are overcome within one attempt', async () => {
    const ran = await invoke(['rehearse', '--json', '--quiet', '--fault', 'tampered-blob', '--fault', 'dropped-blob', '--fault', 'crash', '--fault', 'crash', '--out', 'f1'], { cwd: dir });
    expect(ran.exit, JSON.stringify(ran.json['error'])).toBe(0);
    expect(ran.stderr).toBe('');
    expect(ran.json).toMatchObject({
      schema: 'mpc-ceremony/rehearsal/1', mode: 'rehearsal', key: 'treasury', scheme: 'frost-ed25519', signers: ['alice', 'bob'],
      attempts: ['treasury-dkg-1'], folder: join(dir, 'f1'), exit: 0,
    });
    const steps = ran.json['steps'] as { at: number; participant: string; command: string; exit: number | null; text: string }[];
    expect(steps.length).toBeGreaterThan(20);
    for (const s of steps) expect(s).toMatchObject({ at: expect.any(Number) as number, participant: expect.any(String) as string, command: expect.any(String) as string, text: expect.any(String) as string });
    const faults = faultsOf(ran);
    expect(faults.map((f) => f.fault).sort()).toEqual(['crash', 'dropped-blob', 'tampered-blob']);
    const gates = (name: string): Gate[] => (faults.find((f) => f.fault === name) as Fault).gates;
    expect(gates('tampered-blob')).toMatchObject([{ participant: 'alice', observed: { exit: 21, code: 'E_SIGNATURE', file: 'alice/treasury-dkg-1/round-2/bob.blob' }, asItShouldBe: true }]);
    expect(gates('dropped-blob')).toMatchObject([{ participant: 'bob', observed: { exit: 10, participant: 'carol' }, asItShouldBe: true }]);
    // join and next of the key generation, and the step of the signing that writes the share
    expect(gates('crash').map((g) => g.text.replace(/\d+ times.*/, ''))).toEqual(['join of treasury-dkg-1 killed ', 'next of treasury-dkg-1 killed ', 'join of treasury-sign-1 killed ']);
    for (const g of gates('crash')) expect(g).toMatchObject({ participant: 'bob', expected: { sameBytes: true }, observed: { sameBytes: true }, asItShouldBe: true });
  });

  it('that end an attempt name the culprit, and a further attempt succeeds', async () => {
    const ran = await invoke(['rehearse', '--json', '--quiet', '--fault', 'bad-sub-share', '--fault', 'equivocation', '--out', 'f2'], { cwd: dir });
    expect(ran.exit, JSON.stringify(ran.json['error'])).toBe(0);
    expect(ran.json['attempts']).toEqual(['treasury-dkg-1', 'treasury-dkg-2', 'treasury-dkg-3']);
    const [twice, share] = faultsOf(ran) as [Fault, Fault];
    expect(twice.fault).toBe('equivocation');
    expect(twice.gates.slice(0, 2)).toMatchObject(['alice', 'bob'].map((participant) => ({ participant, observed: { exit: 23, code: 'E_EQUIVOCATION', participant: 'carol' }, asItShouldBe: true })));
    expect(twice.gates.slice(2)).toMatchObject([
      { participant: 'transcript verify', observed: { exit: 21, participant: 'carol' }, asItShouldBe: true },
      { participant: 'carol', observed: { exit: 24, code: 'E_ROLLBACK' }, asItShouldBe: true },
    ]);
    expect(share.fault).toBe('bad-sub-share');
    expect(share.gates.map((g) => g.participant).sort()).toEqual(['alice', 'bob', 'carol', 'transcript verify']);
    for (const g of share.gates) expect(g).toMatchObject({ observed: { exit: 21, participant: 'carol' }, asItShouldBe: true });
    for (const g of share.gates.slice(0, 3)) expect(g.observed['code']).toBe('E_VSS');
    const checks = ran.json['checks'] as { name: string; verdict: string }[];
    for (const name of ['evidence of alice in treasury-dkg-1', 'evidence of bob in treasury-dkg-1', 'evidence of bob in treasury-dkg-2', 'record of treasury-dkg-3']) expect(checks).toContainEqual(expect.objectContaining({ name, verdict: 'ok' }));
    // the copied laptop is gone; what it sent is kept
    expect(existsSync(join(dir, 'f2', 'homes', 'carol.copy'))).toBe(false);
  });
});

describe.runIf(ALL_TESTS)('threshold ECDSA', () => {
  // takes about a minute of one core: everything is asked of one run, and only the primes are brought along
  let ran: { exit: number | undefined; stderr: string; json: Json };
  beforeAll(async () => {
    const primes = join(dir, 'primes');
    mkdirSync(primes);
    ['alice', 'bob'].forEach((name, i) => {
      writeFileSync(join(primes, `${name}.primes`), encodeAuxSecret(fixturePrimes(i)));
    });
    const faults = ['bad-modulus', 'tampered-blob', 'dropped-blob', 'wrong-share'].flatMap((f) => ['--fault', f]);
    const result = await execa(process.execPath, [BIN, 'rehearse', '--scheme', 'cggmp24-secp256k1', '--quorum', '2-of(alice, bob)', ...faults, '--json', '--out', 'ecdsa'], {
      cwd: dir, reject: false, stdin: 'ignore', env: { MPC_CEREMONY_REHEARSE_PRIMES: primes }, timeout: 540_000,
    });
    ran = { exit: result.exitCode, stderr: result.stderr, json: JSON.parse(result.stdout) as Json };
  }, 600_000);
  const place = (...path: string[]): string => join(dir, 'ecdsa', ...path);
  const told = (): string => ran.stderr.replace(/\n +/g, ' ');
  const gates = (name: string): Gate[] => faultsOf(ran).find((f) => f.fault === name)?.gates ?? [];

  it('plays key generation, presigning, and signing from stock and without', () => {
    expect(ran.exit, JSON.stringify(ran.json['error'])).toBe(0);
    expect(ran.json).toMatchObject({
      scheme: 'cggmp24-secp256k1', attempts: ['treasury-dkg-1', 'treasury-dkg-2'], presigning: 'treasury-presign-1', signings: ['treasury-sign-2', 'treasury-sign-3'], exit: 0,
    });
    for (const words of [
      'alice\'s laptop: dkg — makes the plan and the ceremony folder, writes message 1 of 4 (commit)',
      'writes message 3 of 4 (prove), writes message 4 of 4 (confirm)',
      'bob\'s laptop: next — holds all confirmations: the key is active',
      'writes message 3 of 3 (sum), has the presignatures in stock',
      'bob\'s laptop: join — reads the plan, writes its one message (share), puts the signature together and verifies it',
      'alice\'s laptop: sign — makes the plan of the signing, writes message 1 of 4 (offer)',
    ]) expect(told()).toContain(words);
    for (const line of ran.stderr.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('tells what takes longer than a second, and does not keep that', () => {
    expect(ran.stderr).toContain(' s … ');
    expect(readFileSync(place('log.txt'), 'utf8')).not.toContain(' s … ');
    expect(told()).toContain('every participant makes primes of its own');
  });

  it('verifies every record', () => {
    const checks = ran.json['checks'] as { name: string; verdict: string }[];
    for (const name of ['same key', 'one message a signer', 'signature by OpenSSL', ...['dkg-2', 'presign-1', 'sign-2', 'sign-3'].map((c) => `record of treasury-${c}`)])
      expect(checks).toContainEqual(expect.objectContaining({ name, verdict: 'ok' }));
    expect(checks.filter((c) => c.verdict !== 'ok')).toEqual([]);
  });

  it('leaves signatures that others verify, from a presignature and without one', async () => {
    const key = await invoke(['key', 'export', 'treasury', '--format', 'pem', '--home', place('homes', 'bob')]);
    for (const ceremony of ['treasury-sign-2', 'treasury-sign-3'])
      expect(verify('sha256', readFileSync(place('message.txt')), createPublicKey(key.stdout), readFileSync(place('bob', ceremony, 'signature.bin')))).toBe(true);
    expect(existsSync(place('bob', 'treasury-sign-2', 'base', 'presignature.json'))).toBe(true);
    expect(existsSync(place('bob', 'treasury-sign-3', 'base', 'presignature.json'))).toBe(false);
    expect(files(place('alice', 'treasury-sign-2')).filter((f) => f.endsWith('.blob'))).toHaveLength(2);
  });

  it('names a dealer whose modulus has a small factor', () => {
    expect(gates('bad-modulus')).toMatchObject([
      { participant: 'alice', observed: { exit: 21, code: 'E_PROOF', participant: 'bob' }, asItShouldBe: true },
      { participant: 'transcript verify', observed: { exit: 21, participant: 'bob' }, asItShouldBe: true },
    ]);
    // what was true was proven: only the size of the factors is not
    expect(told()).toContain('factors of the Paillier modulus: Π-fac does not hold');
  });

  it('names a signer whose share is wrong, and signs with it again only when somebody has looked', () => {
    expect(gates('wrong-share')).toMatchObject([
      { participant: 'bob', observed: { exit: 21, code: 'E_SHARE', participant: 'bob' }, asItShouldBe: true },
      { participant: 'alice', observed: { exit: 21, code: 'E_SHARE', participant: 'bob' }, asItShouldBe: true },
      { participant: 'transcript verify', observed: { exit: 21, participant: 'bob' }, asItShouldBe: true },
      { participant: 'alice, who begins again', observed: { exit: 20, code: 'E_BLOCKED', participant: 'bob' }, asItShouldBe: true },
    ]);
    const commands = (ran.json['steps'] as { participant: string; command: string; exit: number }[]).filter((s) => s.command === 'peers clear');
    expect(commands).toMatchObject(['alice', 'bob'].map((participant) => ({ participant, exit: 0 })));
  });

  it('overcomes what goes wrong on the way', () => {
    expect(gates('tampered-blob')).toMatchObject([{ participant: 'alice', observed: { exit: 21, code: 'E_SIGNATURE', file: 'alice/treasury-dkg-2/round-2/bob.blob' }, asItShouldBe: true }]);
    expect(gates('dropped-blob')).toMatchObject([{ participant: 'alice', observed: { exit: 10, participant: 'bob' }, asItShouldBe: true }]);
  });
});

describe('drafts', () => {
  it('plays one’s own, with a role, a stock and a witness', async () => {
    const draft = join(dir, 'own.yaml');
    writeFileSync(
      draft,
      'schema: mpc-ceremony/draft/1\nkind: dkg\nname: own\nscheme: frost-secp256k1-tr\nquorum: all-of(lee, 1-of(desk))\nroles: { desk: [kim, max] }\n' +
        'participants: [{ name: lee }, { name: kim }, { name: max }]\nwitnesses: [wil]\nattended: true\nstock: 1\nmachine: { network: off }\nexpiresInDays: 7\n',
    );
    const ran = await invoke(['rehearse', '--template', draft, '--json', '--out', 'own'], { cwd: dir });
    expect(ran.exit, JSON.stringify(ran.json['error'])).toBe(0);
    expect(ran.json).toMatchObject({ key: 'own', scheme: 'frost-secp256k1-tr', participants: ['lee', 'kim', 'max'], signers: ['lee', 'kim'] });
    expect(ran.json['checks']).toContainEqual(expect.objectContaining({ name: 'signature by OpenSSL', verdict: 'not-checked' }));
    expect(existsSync(join(dir, 'own', 'lee', 'own-dkg-1', 'transcript', 'wil.jsonl'))).toBe(true);
  });

  it.each([
    [['--fault', 'flood'], 64, 'E_USAGE'],
    [['--fault', 'bad-modulus'], 64, 'E_USAGE'],
    [['--scheme', 'frost-p256', '--fault', 'wrong-share'], 64, 'E_USAGE'],
    [['--template', 'nothing'], 64, 'E_USAGE'],
    [['--template', 'dkg-2of3', '--quorum', '2-of(a, b)'], 64, 'E_USAGE'],
    [['--quorum', '2-of(a, b)', '--fault', 'equivocation'], 64, 'E_USAGE'],
    [['--quorum', '2-of(homes, b)'], 64, 'E_USAGE'],
    [['--quorum', '1-of(a, b)'], 20, 'E_THRESHOLD'],
    [['--scheme', 'rsa'], 20, 'E_SCHEME'],
    [['--out', 'r'], 20, 'E_EXISTS'],
  ])('refuses %j before anything is made', async (args, exit, code) => {
    const ran = await invoke(['rehearse', '--json', '--out', 'refused', ...args], { cwd: dir });
    expect(ran).toMatchObject({ exit, json: { error: { code } } });
    expect(existsSync(join(dir, 'refused'))).toBe(false);
  });
});

describe('production refuses what comes from a rehearsal', () => {
  const refused = (ran: Ran): void => {
    expect(ran).toMatchObject({ exit: 20, json: { error: { code: 'E_REHEARSAL' } } });
  };
  it('the plans', async () => {
    const alice = production.member('alice');
    for (const ceremony of ['treasury-dkg-1', 'treasury-sign-1']) refused(await alice.run(['join', at('alice', ceremony)]));
  });
  it('the cards and the intent', async () => {
    const alice = production.member('alice');
    refused(await alice.run(['peers', 'add', at('cards', 'bob.card')]));
    refused(await alice.run(['sign', '--intent', at('alice', 'treasury-sign-1', 'intent.json'), '--signers', 'alice,bob', '--out', join(dir, 'forged'), '--unattended']));
  });
  it('the certificate, even put into the home by force', async () => {
    const home = join(dir, 'planted');
    cpSync(production.member('alice').home, home, { recursive: true });
    cpSync(at('homes', 'alice', 'keys'), join(home, 'keys'), { recursive: true });
    refused(await invoke(['key', 'show', 'treasury', '--home', home, '--json']));
  });
  it('and a rehearsal neither opens a production home nor kills its processes', async () => {
    const stage = { root: production.dir, cast: castOf(plainDraft('frost-ed25519', '2-of(alice, bob)')) };
    const home = openHome(realDisk(), production.member('alice').home);
    expect(() => rehearsalHome(stage, 'alice', realDisk())).toThrow(expect.objectContaining({ code: 'E_REHEARSAL' }) as Error);
    await expect(dealWrongSubShare({ home, stage, cheater: 'alice', ceremony: 'x' }, 'bob')).rejects.toMatchObject({ code: 'E_REHEARSAL' });
    expect(await production.member('alice').run(['card', 'renew'], { env: { MPC_CEREMONY_REHEARSE_CRASH: '1' } })).toMatchObject({ exit: 0, signal: undefined });
  });
});
