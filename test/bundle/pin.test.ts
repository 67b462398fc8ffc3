/** A plan pins a program: `join` and `next` of another refuse, and whoever took part with another is named. */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromHex } from '../../src/wire/bytes.ts';
import { words } from '../../src/wire/words.ts';
import { altered, bundle, digestOf, newDir, ROOT, Room, run, runJson } from './support.ts';

const QUORUM = '2-of(alice, bob)';
/** The release that the lead runs; a later one; one that was altered so that it does not look at the pin. */
let release: string;
let later: string;
let unlooking: string;
beforeAll(() => {
  release = bundle(ROOT, join(newDir(), 'release'));
  const text = readFileSync(release, 'utf8');
  const variant = (name: string, change: (t: string) => string): string => {
    const file = join(newDir(), name);
    writeFileSync(file, change(text));
    return file;
  };
  later = variant('later.mjs', (t) => `${t}\n`);
  unlooking = variant('altered.mjs', (t) => altered(t, 'if (own === plan.program) return;', 'return;'));
});

const begin = (room: Room, more: readonly string[] = ['--pin-program']): ReturnType<typeof runJson> =>
  room.as('alice', ['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', QUORUM, '--cards', room.cards, '--out', room.folder('alice', 'k'), '--unattended', ...more]);
const planOf = (room: Room, name: string, ceremony: string): string => readFileSync(join(room.folder(name, ceremony), 'PLAN.yaml'), 'utf8');

/** Until both are done. */
function settle(room: Room, ceremony: string, names: readonly string[]): void {
  for (let i = 0; i < 6; i++) {
    room.courier(ceremony);
    const codes = names.map((n) => room.as(n, ['next', room.folder(n, ceremony)]));
    for (const c of codes) expect([0, 10], JSON.stringify(c)).toContain(c.exited);
    if (codes.every((c) => c.nextAction?.code === 'DONE')) return;
  }
  throw new Error('not done');
}

describe('a plan that pins its program', () => {
  let room: Room;
  beforeAll(() => {
    room = new Room({ alice: release, bob: release });
    expect(begin(room).exited).toBe(0);
    room.courier('k');
  });

  it('names the digest of the program that the lead runs', () => {
    expect(planOf(room, 'alice', 'k')).toContain(digestOf(release));
  });
  it('refuses to be joined with another program: both in hex and in words, and the remedy; the home is as it was', () => {
    const before = readdirSync(room.home('bob'), { recursive: true }).sort();
    const ran = room.as('bob', ['join', room.folder('bob', 'k')], later);
    expect(ran).toMatchObject({ exited: 20, error: { code: 'E_RELEASE', field: 'program' } });
    for (const file of [release, later]) expect(ran.error?.text).toContain(digestOf(file));
    expect(ran.error?.remedy).toContain('--pin-program');
    const shown = run(later, ['join', room.folder('bob', 'k'), '--home', room.home('bob'), '--no-input', '--passphrase-file', join(room.dir, 'pw')]);
    expect(shown.exit).toBe(20);
    const said = shown.stdout + shown.stderr;
    for (const file of [release, later]) for (const word of words(fromHex(digestOf(file)).slice(0, 16))) expect(said).toContain(word);
    expect(readdirSync(room.home('bob'), { recursive: true }).sort()).toEqual(before);
    expect(existsSync(join(room.folder('bob', 'k'), 'transcript/bob.jsonl'))).toBe(false);
  });
  it('plan check shows the pin, and whether it is this program', () => {
    const file = join(room.folder('bob', 'k'), 'PLAN.yaml');
    expect(runJson(release, ['plan', 'check', file])).toMatchObject({ exited: 0, program: digestOf(release) });
    expect(run(release, ['plan', 'check', file]).stdout).toContain('This program is it.');
    expect(run(later, ['plan', 'check', file]).stdout).toMatch(/This program is another one/);
  });
  it('goes on with the pinned one, and stops in the middle with another', () => {
    expect(room.as('bob', ['join', room.folder('bob', 'k')]).exited).toBe(0);
    room.courier('k');
    expect(room.as('alice', ['next', room.folder('alice', 'k')], later)).toMatchObject({ exited: 20, error: { code: 'E_RELEASE' } });
    settle(room, 'k', ['alice', 'bob']);
    expect(runJson(release, ['transcript', 'verify', room.folder('alice', 'k')])).toMatchObject({ exited: 0, verdict: 'ok' });
    // whoever checks the record may run any program
    expect(runJson(later, ['transcript', 'verify', room.folder('alice', 'k')])).toMatchObject({ exited: 0, verdict: 'ok' });
  });
  it('signing, refresh and reshare can pin as well; a further attempt keeps it', () => {
    const file = join(room.dir, 'letter');
    writeFileSync(file, 'hello\n');
    expect(room.as('alice', ['intent', 'create', '--key', 'k', '--action', 'message', '--file', file, '--out', join(room.dir, 'i.json')]).exited).toBe(0);
    const out = (name: string): string => room.folder('alice', name);
    expect(room.as('alice', ['sign', '--intent', join(room.dir, 'i.json'), '--signers', 'alice,bob', '--out', out('s'), '--unattended', '--pin-program']).exited).toBe(0);
    expect(room.as('alice', ['sign', '--again', out('s'), '--out', out('s2')]).exited).toBe(0);
    expect(room.as('alice', ['refresh', '--key', 'k', '--out', out('f'), '--unattended', '--pin-program']).exited).toBe(0);
    for (const name of ['s', 's2', 'f']) expect(planOf(room, 'alice', name), name).toContain(digestOf(release));
    // a card has one one-time key free at a time
    const fresh = (): void => {
      for (const name of ['alice', 'bob']) {
        expect(room.as(name, ['card', 'renew']).exited).toBe(0);
        cpSync(join(room.home(name), 'identity', `${name}.card`), join(room.cards, `${name}.card`));
      }
    };
    fresh();
    expect(room.as('alice', ['reshare', '--key', 'k', '--quorum', QUORUM, '--cards', room.cards, '--out', out('r'), '--unattended', '--pin-program'])).toMatchObject({ exited: 0 });
    expect(planOf(room, 'alice', 'r')).toContain(digestOf(release));
    fresh();
    expect(room.as('alice', ['refresh', '--key', 'k', '--cards', room.cards, '--out', out('g'), '--unattended'])).toMatchObject({ exited: 0 });
    expect(planOf(room, 'alice', 'g')).not.toContain('program:');
  });
});

describe('a participant with an altered program', () => {
  it('that does not look at the pin is named by everybody else, and by the record', () => {
    const room = new Room({ alice: release, bob: unlooking });
    begin(room);
    room.courier('k');
    expect(room.as('bob', ['join', room.folder('bob', 'k')]).exited).toBe(0);
    room.courier('k');
    const live = room.as('alice', ['next', room.folder('alice', 'k')]);
    expect(live).toMatchObject({ exited: 20, error: { code: 'E_RELEASE', participant: 'bob' } });
    for (const file of [release, unlooking]) expect(live.error?.text).toContain(digestOf(file));
    const judged = runJson(release, ['transcript', 'verify', room.folder('alice', 'k')]);
    expect([judged.exited, judged['verdict']]).toEqual([21, 'wrong']);
    expect(judged['checks']).toContainEqual(expect.objectContaining({ name: 'opening', verdict: 'wrong', culprit: 'bob', code: 'E_RELEASE', place: 'bob:1' }));
    expect((judged['checks'] as { culprit?: string }[]).filter((c) => c.culprit === 'alice')).toEqual([]);
  });
});

describe('an import', () => {
  it('can pin', () => {
    const room = new Room({ alice: release, bob: release });
    const key = join(room.dir, 'key.pem');
    writeFileSync(key, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const ran = room.as('alice', ['import', '--name', 'old', '--share', key, '--scheme', 'frost-ed25519', '--quorum', QUORUM, '--cards', room.cards, '--out', room.folder('alice', 'old'), '--unattended', '--pin-program']);
    expect(ran).toMatchObject({ exited: 0 });
    expect(planOf(room, 'alice', 'old')).toContain(digestOf(release));
  });
});

describe('a draft', () => {
  it('that says `program: pinned` makes a plan that pins', () => {
    const room = new Room({ alice: release, bob: release });
    const draft = join(room.dir, 'draft.yaml');
    const text = ['schema: mpc-ceremony/draft/1', 'kind: dkg', 'name: k', 'scheme: frost-ed25519', `quorum: ${QUORUM}`, 'program: pinned', 'attended: false', 'expiresInDays: 3', 'participants:', '  - name: alice', '  - name: bob', ''];
    writeFileSync(draft, text.join('\n'));
    expect(run(release, ['plan', 'check', draft]).stdout).toContain('The program is pinned');
    expect(room.as('alice', ['dkg', '--plan', draft, '--cards', room.cards, '--out', room.folder('alice', 'k')]).exited).toBe(0);
    expect(planOf(room, 'alice', 'k')).toContain(digestOf(release));
  });
});

describe('a start that was interrupted', () => {
  it('without the pin is not taken up again as one that pins', () => {
    const room = new Room({ alice: release, bob: release });
    const home = join(room.dir, 'before');
    cpSync(room.home('alice'), home, { recursive: true });
    expect(begin(room, []).exited).toBe(0);
    // as a crash right after the plan was written leaves it: a folder with the plan alone, and a home that knows nothing of it
    const out = join(room.dir, 'interrupted');
    cpSync(join(room.folder('alice', 'k'), 'PLAN.yaml'), join(out, 'PLAN.yaml'));
    const again = (more: readonly string[]): ReturnType<typeof runJson> =>
      runJson(release, ['dkg', '--home', home, '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', QUORUM, '--cards', room.cards, '--out', out, '--unattended', '--no-input', '--passphrase-file', join(room.dir, 'pw'), ...more]);
    expect(again(['--pin-program']).error?.code).toBe('E_EXISTS');
    expect(readFileSync(join(out, 'PLAN.yaml'), 'utf8')).not.toContain('program:');
    expect(again([]).exited).toBe(0);
  });
});
