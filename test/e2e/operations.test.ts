/** What surrounds a ceremony: witnesses, notes, plans, rehearsals as a precondition, doctor, help, completion. */
import { execa } from 'execa';
import { readFileSync, writeFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, EXIT_TABLE } from '../../src/wire/errors.ts';
import { BIN, invoke, newDir, World } from './support.ts';

const QUORUM = 'all-of(alice,bob)';

async function begin(world: World, more: readonly string[] = []): Promise<void> {
  const alice = world.member('alice');
  const started = await alice.run(['dkg', '--name', 'treasury', '--scheme', 'frost-ed25519', '--quorum', QUORUM, '--cards', world.cards, '--out', alice.copy('dkg'), '--unattended', ...more]);
  expect(started.json.error).toBeUndefined();
  world.courier('dkg');
  expect((await world.member('bob').run(['join', world.member('bob').copy('dkg')])).exit).toBe(0);
}

describe('witnesses (DKG-10, AUD-11)', () => {
  it('a key is final only with the signature of the witness whom the plan names', async () => {
    const world = await World.of(['alice', 'bob', 'wendy']);
    const [alice, bob, wendy] = ['alice', 'bob', 'wendy'].map((n) => world.member(n)) as [never, never, never] as [ReturnType<World['member']>, ReturnType<World['member']>, ReturnType<World['member']>];
    await begin(world, ['--witness', 'wendy']);
    // the witness may not sign before everything is there
    world.courier('dkg');
    const early = await wendy.run(['note', 'witness', wendy.copy('dkg')]);
    expect([early.exit, early.json.error?.code]).toEqual([22, 'E_MISSING']);
    for (let i = 0; i < 3; i++) {
      for (const m of [alice, bob]) await m.run(['next', m.copy('dkg')]);
      world.courier('dkg');
    }
    const waits = await alice.run(['next', alice.copy('dkg')]);
    expect([waits.exit, waits.json.nextAction?.code, waits.json.needs]).toEqual([10, 'WITNESS_SIGN', [{ from: 'wendy', what: 'witness' }]]);
    expect((await alice.run(['key', 'show', 'treasury'])).json.error?.code).toBe('E_KEY_PENDING');
    // a stranger's signature is none
    const signed = await wendy.run(['note', 'witness', wendy.copy('dkg')]);
    expect([signed.exit, signed.json.did]).toEqual([0, ['witness']]);
    const again = await wendy.run(['note', 'witness', wendy.copy('dkg')]);
    expect(again.json.head).toBe(signed.json.head);
    world.courier('dkg');
    for (const m of [alice, bob]) expect((await m.run(['next', m.copy('dkg')])).json.nextAction?.code).toBe('DONE');
    const refused = await bob.run(['note', 'witness', bob.copy('dkg')]);
    expect(refused.json.error?.code).toBe('E_NOT_PARTICIPANT');
  });

  it('a witness holds no share', async () => {
    const world = await World.of(['alice', 'bob']);
    const alice = world.member('alice');
    const ran = await alice.run(['dkg', '--name', 't', '--scheme', 'frost-ed25519', '--quorum', QUORUM, '--witness', 'bob', '--cards', world.cards, '--out', alice.copy('x'), '--unattended']);
    expect([ran.exit, ran.json.error?.code]).toEqual([20, 'E_WITNESS_SHARE']);
  });
});

describe('a rehearsal as precondition (DKG-14)', () => {
  it('the draft asks for it; production begins only with the certificate of the same people', async () => {
    const lab = await World.of(['alice', 'bob']);
    await begin(lab);
    for (let i = 0; i < 4; i++) {
      lab.courier('dkg');
      for (const m of lab.members) await m.run(['next', m.copy('dkg')]);
    }
    const world = await World.of(['alice', 'bob'], { production: true });
    const alice = world.member('alice');
    const draft = join(world.dir, 'draft.yaml');
    writeFileSync(
      draft,
      ['schema: mpc-ceremony/draft/1', 'kind: dkg', 'name: real', 'scheme: frost-ed25519', `quorum: ${QUORUM}`, 'rehearsal: required', 'attended: false', 'expiresInDays: 3', 'participants:', '  - name: alice', '  - name: bob', ''].join('\n'),
    );
    const dkg = (out: string, more: readonly string[] = []) => alice.run(['dkg', '--plan', draft, '--cards', world.cards, '--out', alice.copy(out), ...more]);
    expect((await dkg('a')).json.error?.code).toBe('E_REHEARSAL');
    expect((await dkg('b', ['--rehearsed', newDir()])).json.error?.code).toBe('E_REHEARSAL');
    const folder = lab.member('alice').copy('dkg');
    expect((await dkg('c', ['--rehearsed', folder])).exit).toBe(0);
    // whoever joins checks it too
    cpSync(alice.copy('c'), world.member('bob').copy('c'), { recursive: true });
    writeFileSync(join(world.member('bob').copy('c'), 'base/rehearsal.json'), '{}');
    expect((await world.member('bob').run(['join', world.member('bob').copy('c')])).json.error?.code).toMatch(/E_REHEARSAL|E_CERTIFICATE/);
    cpSync(join(alice.copy('c'), 'base/rehearsal.json'), join(world.member('bob').copy('c'), 'base/rehearsal.json'));
    expect((await world.member('bob').run(['join', world.member('bob').copy('c')])).exit).toBe(0);
  });
});

describe('notes on the record', () => {
  it('the text lies in evidence, its hash in the signed chain', async () => {
    const world = await World.of(['alice', 'bob']);
    const alice = world.member('alice');
    await begin(world);
    const noted = await alice.run(['note', 'exception', alice.copy('dkg'), '--text', 'the lamp went out']);
    expect(noted.exit).toBe(0);
    expect(readFileSync(join(alice.copy('dkg'), String(noted.json['file'])), 'utf8')).toContain('the lamp went out');
    expect((await alice.run(['note', 'exception', alice.copy('dkg'), '--text', ' '])).exit).toBe(64);
  });
});

describe('plans', () => {
  it('new, check and print; a plan says who can sign, and the script is printed from it', async () => {
    const dir = newDir();
    const made = await invoke(['plan', 'new', '--template', 'dkg-2of3', '--out', join(dir, 'd.yaml'), '--json']);
    expect(made.exit).toBe(0);
    expect((await invoke(['plan', 'new', '--template', 'dkg-2of3', '--out', join(dir, 'd.yaml'), '--json'])).json.error?.code).toBe('E_EXISTS');
    expect((await invoke(['plan', 'new', '--template', '../x', '--json'])).exit).toBe(64);
    const checked = await invoke(['plan', 'check', join(dir, 'd.yaml'), '--json']);
    expect([checked.exit, checked.json['errors']]).toEqual([0, []]);
    writeFileSync(join(dir, 'd.yaml'), readFileSync(join(dir, 'd.yaml'), 'utf8').replace('quorum:', 'threshold: 1\nquorum:'));
    const bad = await invoke(['plan', 'check', join(dir, 'd.yaml'), '--json']);
    expect([bad.exit, bad.json.error?.code, bad.json.error?.field]).toEqual([20, 'E_PLAN_FIELD', 'threshold']);
    const world = await World.of(['alice', 'bob']);
    await begin(world);
    const alice = world.member('alice');
    const plan = join(alice.copy('dkg'), 'PLAN.yaml');
    const real = await invoke(['plan', 'check', plan, '--json']);
    expect(real.json['sentences']).toContain('alice and bob together.');
    const printed = await invoke(['plan', 'print', plan, '--out', join(dir, 's.html'), '--json']);
    expect(printed.exit).toBe(0);
    expect(readFileSync(join(dir, 's.html'), 'utf8')).toContain('<span>join</span>');
  });
});

describe('machine, help, completion', () => {
  it('doctor tells, and its bundle holds public facts only', async () => {
    const world = await World.of(['alice', 'bob']);
    const alice = world.member('alice');
    await begin(world);
    const file = join(world.dir, 'bundle.json');
    const ran = await alice.run(['doctor', '--bundle', file]);
    expect([ran.exit, ran.json['fit']]).toEqual([0, true]);
    const bundle = readFileSync(file, 'utf8');
    for (const word of ['treasury', 'bob', world.dir]) expect(bundle).not.toContain(word);
    const bare = await invoke(['doctor', '--home', join(world.dir, 'none'), '--json']);
    expect(bare.exit).toBe(0);
  });
  it('a plan that asks for an air gap is refused while an interface is up (SGN-22)', async () => {
    const { networkInterfaces } = await import('node:os');
    const up = Object.values(networkInterfaces()).some((a) => a?.some((x) => !x.internal));
    const world = await World.of(['alice', 'bob']);
    const draft = join(world.dir, 'draft.yaml');
    writeFileSync(draft, ['schema: mpc-ceremony/draft/1', 'kind: dkg', 'name: real', 'scheme: frost-ed25519', `quorum: ${QUORUM}`, 'machine:', '  network: off', 'attended: false', 'expiresInDays: 3', 'participants:', '  - name: alice', '  - name: bob', ''].join('\n'));
    const alice = world.member('alice');
    const ran = await alice.run(['dkg', '--plan', draft, '--cards', world.cards, '--out', alice.copy('x')]);
    expect(ran.json.error?.code).toBe(up ? 'E_NETWORK_UP' : undefined);
  });
  it('the exit codes are pinned', async () => {
    const ran = await invoke(['help', 'exit-codes', '--json']);
    expect((ran.json['exitCodes'] as { code: number }[]).map((e) => e.code)).toEqual([0, 10, 11, 20, 21, 22, 23, 24, 30, 40, 64, 70, 74, 130]);
    expect(EXIT_TABLE).toHaveLength(14);
    const errors = (await invoke(['help', 'errors', '--json'])).json['errors'] as { code: string }[];
    expect(errors.map((e) => e.code)).toEqual(Object.keys(ERRORS));
  });
  it('completion is a script that the shell accepts and that knows the commands', async () => {
    const { stdout } = await invoke(['completion', 'bash']);
    const dir = newDir();
    writeFileSync(join(dir, 'c'), stdout);
    const { stdout: words } = await execa('bash', ['-c', `source ${join(dir, 'c')}; COMP_WORDS=(mpc-ceremony transcript ""); COMP_CWORD=2; _mpc_ceremony; echo "\${COMPREPLY[@]}"`]);
    expect(words).toContain('verify');
    expect((await invoke(['completion', 'tcsh', '--json'])).exit).toBe(64);
    for (const shell of ['zsh', 'fish']) expect((await invoke(['completion', shell])).stdout).toContain('mpc-ceremony');
  });
  it('every command of the scripts in ceremonies/ exists', async () => {
    for (const name of ['dkg', 'sign']) {
      const text = readFileSync(join(import.meta.dirname, `../../ceremonies/${name}.md`), 'utf8') + readFileSync(join(import.meta.dirname, '../../CEREMONY.md'), 'utf8');
      const commands = new Set([...text.matchAll(/mpc-ceremony ([a-z]+)/g)]
        .map((m) => m[1] as string).filter((c) => c !== 'help'));
      for (const command of commands) {
        const { stdout, exitCode } = await execa(process.execPath, [BIN, 'help', command], { reject: false });
        expect(exitCode, `${command}: ${stdout}`).toBe(0);
      }
    }
  });
});
