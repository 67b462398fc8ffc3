/** Drills as data: that each can be played and printed, that the paper is the run, and that nothing but its stage is touched. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openHome } from '../../src/ceremony/home.ts';
import { createHome, openIdentity } from '../../src/ceremony/identity.ts';
import { castOf, plainDraft } from '../../src/rehearsal/cast.ts';
import { refuseInsideHome, resultOf } from '../../src/rehearsal/drill.ts';
import { drillCast } from '../../src/rehearsal/drill-cast.ts';
import { doDeed } from '../../src/rehearsal/drill-deeds.ts';
import { difference } from '../../src/rehearsal/drill-play.ts';
import { printDrill } from '../../src/rehearsal/drill-print.ts';
import { scanForSecrets } from '../../src/rehearsal/drill-scan.ts';
import { DRILL_NAMES, drillName, scenarioOf } from '../../src/rehearsal/drill-scenarios.ts';
import type { Expect } from '../../src/rehearsal/drill-script.ts';
import type { Outcome, Report } from '../../src/rehearsal/program.ts';
import { makeStage, PASSPHRASE_FILE, type Stage } from '../../src/rehearsal/stage.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { REHEARSAL } from '../../src/vault/kdf.ts';
import { Secret } from '../../src/vault/secret.ts';
import { refusal } from './refusal.ts';

const QUORUM = '2-of(alice, bob, carol)';
const CEREMONIES = join(import.meta.dirname, '../../ceremonies');
const dirs: string[] = [];
const newDir = (): string => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'drill-')));
  dirs.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const QUORUMS = [QUORUM, '3-of(a, b, c, d, e)', '2-of(a, b, c, d, e)', 'all-of(1-of(carol, dan), 2-of(alice, bob, erin))', '1-of(2-of(alice, bob, carol), all-of(dan, erin))'];

describe.each(QUORUMS)('with %s', (quorum) => {
  const cast = drillCast('treasury', 'frost-ed25519', quorum);
  it.each(DRILL_NAMES)('%s: every fault is made once, and noticed once, afterwards', (name) => {
    const { steps, faults } = scenarioOf(name, cast);
    expect(faults.length).toBeGreaterThan(0);
    for (const { id } of faults) {
      const made = steps.flatMap((s, i) => (s.act.kind === 'deeds' && s.act.injects?.includes(id) === true ? [i] : []));
      const noticed = steps.flatMap((s, i) => (s.notices === id ? [i] : []));
      expect([id, made.length, noticed.length]).toEqual([id, 1, 1]);
      expect(noticed[0], id).toBeGreaterThan(made[0] as number);
    }
    const known = faults.map((f) => f.id);
    for (const s of steps) if (s.notices !== undefined) expect(known).toContain(s.notices);
  });
  it.each(DRILL_NAMES)('%s: nobody acts who has no laptop, and each step says who', (name) => {
    const { steps, joining } = scenarioOf(name, cast);
    const people = [...cast.holders, ...joining, 'leader', 'courier', 'thief', 'finder', 'anybody'];
    for (const s of steps) {
      expect(s.who.length, s.does).toBeGreaterThan(0);
      expect(people).toEqual(expect.arrayContaining([...s.who]));
    }
  });
  it.each(DRILL_NAMES)('%s: whoever is to join a signing is one of its signers', (name) => {
    const signers = new Map<string, readonly string[]>();
    for (const { who, act } of scenarioOf(name, cast).steps) {
      if (act.kind !== 'command') continue;
      const at = act.words.indexOf('--signers');
      if (act.begins !== undefined && at > 0) signers.set(act.begins, String(act.words[at + 1]).split(','));
      const folder = act.words[0] === 'join' ? (act.words[1] as { readonly folder: string }).folder : undefined;
      if (folder !== undefined && signers.has(folder)) expect(signers.get(folder)).toEqual(expect.arrayContaining([...who]));
    }
  });
  it('loses only whom the others can do without, in every drill but one', () => {
    expect(cast.suffices(cast.holders.filter((n) => n !== cast.victim))).toBe(true);
    const lost = scenarioOf('beyond-t', cast).steps.flatMap((s) => (s.act.kind === 'deeds' ? s.act.deeds.flatMap((d) => (d.deed === 'lose-home' ? [d.of] : [])) : []));
    expect(cast.suffices(cast.holders.filter((n) => !lost.includes(n)))).toBe(false);
  });
  it('chooses minimal quorums', () => {
    for (const name of cast.holders) {
      const signers = cast.signers(cast.holders, name);
      expect(signers).toContain(name);
      expect(cast.suffices(signers)).toBe(true);
      for (const out of signers) expect(cast.suffices(signers.filter((n) => n !== out))).toBe(false);
    }
  });
});

describe('a cast', () => {
  it.each([
    ['2-of(alice, bob)', 'no holder can be lost'],
    ['2-of(alice, thief, bob)', 'needs the name thief'],
    ['2-of(homes, alice, bob)', 'needs the name homes'],
  ])('refuses %s', (quorum, text) => {
    expect(refusal(() => drillCast('k', 'frost-ed25519', quorum))).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining(text) as string });
  });
  it('knows its drills and no others', () => {
    for (const other of ['flood', 'toString', '', 'all']) expect(refusal(() => drillName(other))).toMatchObject({ code: 'E_USAGE' });
  });
});

describe('the scripts in ceremonies/', () => {
  it.each(DRILL_NAMES)('drill-%s.md is what drill print makes', (name) => {
    const printed = printDrill(scenarioOf(name, drillCast('treasury', 'frost-ed25519', QUORUM)), 'treasury', QUORUM);
    expect(readFileSync(join(CEREMONIES, `drill-${name}.md`), 'utf8')).toBe(printed);
    expect(printed.split('\n').length).toBeLessThanOrEqual(60);
  });
  it('are those of the drills, and no others', () => {
    expect(readdirSync(CEREMONIES).filter((f) => f.startsWith('drill-')).sort()).toEqual(DRILL_NAMES.map((n) => `drill-${n}.md`).sort());
  });
});

describe('what must be seen, compared with what was seen', () => {
  const expected: Expect = { exit: [24], code: 'E_EPOCH', names: 'carol', file: 'round-1/', says: 'epoch 1' };
  const error = { code: 'E_EPOCH', participant: 'carol', file: 'alice/s/round-1/x', text: 'names epoch 1' };
  const outcome = (o: Partial<Outcome>): Outcome => ({ line: '', exit: 24, killed: false, report: { error }, ...o });
  it('agrees', () => {
    expect(difference(expected, outcome({}))).toBeUndefined();
    expect(difference({ exit: [10], next: ['BRING_IN'], names: 'bob' }, outcome({ exit: 10, report: { nextAction: { code: 'BRING_IN' }, needs: [{ from: 'bob', what: 'round1' }] } }))).toBeUndefined();
    expect(difference({ exit: [0], has: { retired: true } }, outcome({ exit: 0, report: { retired: true } }))).toBeUndefined();
    expect(difference({ exit: [] }, { line: '', exit: undefined, killed: true, report: {} })).toBeUndefined();
  });
  it.each<[string, Expect, Partial<Outcome>]>([
    ['exit', expected, { exit: 20 }],
    ['exit 0 instead of a refusal', expected, { exit: 0, report: {} }],
    ['code', expected, { report: { error: { ...error, code: 'E_RANK' } } }],
    ['name', expected, { report: { error: { ...error, participant: 'bob' } } }],
    ['file', expected, { report: { error: { ...error, file: 'PLAN.yaml' } } }],
    ['text', expected, { report: { error: { ...error, text: 'names epoch 2' } } }],
    ['action', { exit: [10], next: ['BRING_IN'] }, { exit: 10, report: { nextAction: { code: 'WAIT' } } }],
    ['whom it waits for', { exit: [10], names: 'bob' }, { exit: 10, report: { needs: [{ from: 'carol', what: 'round1' }] } }],
    ['field', { exit: [0], has: { retired: true } }, { exit: 0, report: { retired: false } as Report }],
    ['killed', { exit: [0] }, { exit: undefined, killed: true, report: {} }],
    ['not killed', { exit: [] }, { exit: 0, report: {} }],
  ])('differs in %s', (_what, expect_, seen) => {
    expect(difference(expect_, outcome(seen))).toEqual(expect.any(String));
  });
  it('any failure fails, any exception is told', () => {
    expect(resultOf({ failures: [], exceptions: [], faults: [] })).toBe('pass');
    expect(resultOf({ failures: [], exceptions: ['x'], faults: [] })).toBe('pass-with-exceptions');
    expect(resultOf({ failures: ['y'], exceptions: ['x'], faults: [] })).toBe('fail');
  });
});

/** A stage with homes, each made for rehearsals or not. */
async function stageWith(homes: Readonly<Record<string, 'rehearsal' | 'production'>>): Promise<Stage> {
  const cast = castOf(plainDraft('frost-ed25519', QUORUM));
  const stage = makeStage(join(newDir(), 'stage'), cast, '', '');
  const passphrase = (): Secret => new Secret(new Uint8Array(readFileSync(join(stage.root, PASSPHRASE_FILE))).filter((b) => b !== 10));
  for (const [name, mode] of Object.entries(homes)) await createHome(realDisk(), join(stage.root, 'homes', name), { name, mode }, passphrase(), REHEARSAL, (n) => new Uint8Array(randomBytes(n)));
  return stage;
}

describe('homes for production', () => {
  it('are neither copied nor destroyed nor searched, even if one lies on the stage', async () => {
    const stage = await stageWith({ alice: 'production' });
    const before = readdirSync(join(stage.root, 'homes'), { recursive: true });
    for (const deed of [{ deed: 'lose-home', of: 'alice' }, { deed: 'copy-home', of: 'alice', as: 'thief' }] as const) expect(refusal(() => { doDeed(stage, deed); })).toMatchObject({ code: 'E_REHEARSAL' });
    await expect(scanForSecrets(stage, ['alice'], stage.root)).rejects.toMatchObject({ code: 'E_REHEARSAL' });
    expect(readdirSync(join(stage.root, 'homes'), { recursive: true })).toEqual(before);
  });
  it('cannot hold the folder of a drill', async () => {
    const stage = await stageWith({ alice: 'production' });
    const home = join(stage.root, 'homes', 'alice');
    for (const out of [home, join(home, 'drill'), join(home, 'keys', 'x', 'y')]) expect(refusal(() => { refuseInsideHome(out); })).toMatchObject({ code: 'E_REHEARSAL' });
    expect(() => { refuseInsideHome(join(stage.root, 'elsewhere')); }).not.toThrow();
  });
});

describe('the search of a lost stick', () => {
  it('finds what is sealed in a home, in every form, and nothing in an honest folder', async () => {
    const stage = await stageWith({ alice: 'rehearsal' });
    const home = openHome(realDisk(), join(stage.root, 'homes', 'alice'));
    const passphrase = new Secret(new Uint8Array(readFileSync(join(stage.root, PASSPHRASE_FILE))).filter((b) => b !== 10));
    const { vault } = await openIdentity(home, passphrase, (n) => new Uint8Array(randomBytes(n)));
    const secret = Buffer.from(vault.get('identity/prekeys/1.sealed') ?? []);
    expect(secret.length).toBeGreaterThanOrEqual(32);
    const stick = join(stage.root, 'stick');
    mkdirSync(join(stick, 'sub'), { recursive: true });
    writeFileSync(join(stick, 'card'), readFileSync(join(home.root, 'identity', 'alice.card')));
    expect(await scanForSecrets(stage, ['alice', 'bob'], stick)).toEqual({ files: 1, found: [] });
    const part = secret.subarray(3, 20);
    writeFileSync(join(stick, 'a'), Buffer.concat([randomBytes(100), part, randomBytes(7)]));
    writeFileSync(join(stick, 'sub', 'b'), `x${part.toString('hex')}`);
    writeFileSync(join(stick, 'sub', 'c'), `x ${part.toString('base64')}`);
    writeFileSync(join(stick, 'd'), Buffer.from(part).reverse());
    expect((await scanForSecrets(stage, ['alice'], stick)).found).toEqual(['a', 'd', 'sub/b', 'sub/c']);
  });
});
