/** The command line as scripts and people meet it: exit codes, flags, prompts, screens. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import { sessionId } from '../../src/plan/plan.ts';
import { cardFingerprint, parseCard } from '../../src/plan/card.ts';
import { words } from '../../src/wire/words.ts';
import { invoke, Member, must, newDir, PASSPHRASE, type Ran, type RunOptions, World } from './support.ts';
import { atTerminal, hasTerminal } from './terminal.ts';

const Q = '2-of(alice,bob,carol)';
let world: World;
let alice: Member;
let bob: Member;
let carol: Member;

beforeAll(async () => {
  world = await World.of(['alice', 'bob', 'carol']);
  [alice, bob, carol] = world.members as [Member, Member, Member];
});

const dkg = (name: string, ...more: string[]): string[] => ['dkg', '--name', name, '--scheme', 'frost-ed25519', '--quorum', Q, '--cards', world.cards, '--out', alice.copy(name), ...more];
const answers = (content: unknown): string => {
  const file = join(newDir(), 'answers.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};

describe('exit codes', () => {
  it('are the closed table of the contract', async () => {
    const { json } = await invoke(['help', 'exit-codes', '--json']);
    const table = json['exitCodes'] as { code: number; meaning: string; advice: string }[];
    expect(table.map((row) => row.code)).toEqual([0, 10, 11, 20, 21, 22, 23, 24, 30, 40, 64, 70, 74, 130]);
    const { stdout } = await invoke(['help', 'exit-codes']);
    expect(stdout).toMatchInlineSnapshot(`
      "0    progressed, or complete (nextAction.code is DONE) → go on
      10   nothing to do: waiting for others → try later
      11   a person must answer, and there is no terminal to ask at → fetch a person
      20   plan or policy refuses → fix the plan or the intent
      21   checked and wrong; the culprit is named → stop, keep everything
      22   cannot tell: something needed is missing → supply it
      23   equivocation: same sender, same round, different bytes → stop; both signed
           copies are kept
      24   own state conflicts: rolled back, stale epoch, locked → compare with the
           words on paper
      30   the operator said no, or the ceremony was aborted → read the reason
      40   the environment is not fit → fix the machine
      64   usage → read the help of the command
      70   internal error → report it with the text shown
      74   input or output failed → check disk, stick and permissions, then repeat the
           command
      130  interrupted → repeat the command
      "
    `);
    // every error ends in a code of the table
    const errors = (await invoke(['help', 'errors', '--json'])).json['errors'] as { code: string; exit: number }[];
    expect(errors.filter((e) => !table.some((row) => row.code === e.exit))).toEqual([]);
    expect(new Set(errors.map((e) => e.code)).size).toBe(errors.length);
  });

  it('64 for a command line that cannot be understood, with one object', async () => {
    for (const args of [
      ['--bogus'],
      ['nonsense'],
      ['next', '--bogus'],
      ['next', 'a', 'b'],
      ['status', '--force'],
      ['dkg', '--yes'],
      ['init'],
      ['init', '--name'],
      ['init', '--name', 'Alice'],
      ['init', '--name', '../x'],
      ['init', '--name', 'x'.repeat(33)],
      ['card'],
      ['card', 'burn'],
      ['peers', 'add'],
      ['key', 'export', 'k', '--format', 'floppy'],
      ['dkg', '--stock', 'many'],
      ['dkg', '--stock', '-1'],
      ['abort', '.'],
      ['abort', '.', '--reason', 'because'],
      ['intent', 'create', '--key', 'k'],
      ['status', '--via', 'pigeon:7'],
      ['help', 'nothing'],
      ['completion', 'tcsh'],
    ]) {
      const ran = await invoke([...args, '--home', alice.home, '--no-input', '--json']);
      expect([args, ran.exit, ran.json['exit']], ran.stdout).toEqual([args, 64, 64]);
      expect(ran.json.error?.code, ran.stdout).toBe('E_USAGE');
    }
    const people = await invoke(['--bogus']);
    expect([people.exit, people.stdout]).toEqual([64, '']);
    expect(people.stderr).toContain('✗ 64 USAGE');
  });

  it('help and version are no errors, and honour --json', async () => {
    for (const args of [[], ['help'], ['--help'], ['help', 'dkg'], ['dkg', '--help'], ['--version'], ['completion', 'bash']]) {
      const plain = await invoke(args);
      expect([args, plain.exit]).toEqual([args, 0]);
      expect(plain.stdout).not.toBe('');
      expect((await invoke([...args, '--json'])).json['exit'], args.join(' ')).toBe(0);
    }
  });
});

describe('without a person', () => {
  const noPassphrase = (m: Member, args: readonly string[], options: RunOptions = {}): Promise<Ran> => invoke([...args, '--home', m.home, '--json'], options);

  it('no command hangs: 11 with the id of the prompt', async () => {
    const fresh = new Member(world, 'dave', join(world.dir, 'homes', 'dave'));
    for (const [m, args, id] of [
      [fresh, ['init', '--name', 'dave', '--rehearsal'], 'passphrase'],
      [alice, ['card', 'renew'], 'passphrase'],
      [alice, dkg('hang', '--unattended'), 'passphrase'],
    ] as const)
      // closed, empty, an endless pipe: none is a terminal
      for (const options of [{}, { stdin: '' }, { stdin: 'y\n'.repeat(1000) }]) {
        for (const flags of [['--no-input'], []]) {
          const ran = await noPassphrase(m, [...args, ...flags], options);
          expect([args[0], ran.exit, ran.json.error?.code, ran.json.error?.field], ran.stdout).toEqual([args[0], 11, 'E_PERSON', id]);
        }
      }
    expect(existsSync(fresh.home), 'nothing was made').toBe(false);
  });

  it('a wrong passphrase is 11, and changes nothing', async () => {
    const wrong = join(newDir(), 'pw');
    writeFileSync(wrong, 'not the passphrase\n', { mode: 0o600 });
    const ran = await invoke(['card', 'renew', '--home', alice.home, '--passphrase-file', wrong, '--no-input', '--json']);
    expect([ran.exit, ran.json.error?.code]).toEqual([11, 'E_PASSPHRASE']);
    expect(ran.stdout + ran.stderr).not.toContain('not the passphrase');
  });

  it('the passphrase comes from a file or a descriptor, never from an argument or the environment', async () => {
    const byDescriptor = await invoke(['card', 'renew', '--home', carol.home, '--passphrase-fd', '0', '--no-input', '--json'], { stdin: `${PASSPHRASE}\n` });
    expect(byDescriptor.exit, byDescriptor.stdout).toBe(0);
    for (const args of [['--passphrase', PASSPHRASE], ['--passphrase-file', '/nonexistent']]) {
      const ran = await invoke(['card', 'renew', '--home', carol.home, ...args, '--no-input', '--json']);
      expect([64, 74]).toContain(ran.exit);
    }
    const byEnvironment = await noPassphrase(carol, ['card', 'renew', '--no-input'], { env: { MPC_CEREMONY_PASSPHRASE: PASSPHRASE, PASSPHRASE } });
    expect(byEnvironment.exit).toBe(11);
  });

  it('words need a person: 11 names the prompt', async () => {
    must(await alice.run(['peers', 'add', bob.card]));
    const verify = await alice.run(['peers', 'verify', 'bob']);
    expect([verify.exit, verify.json.error?.code, verify.json.error?.field]).toEqual([11, 'E_PERSON', 'verify-peer']);
    must(await alice.run(dkg('attended')));
    world.courier('attended');
    const join_ = await bob.run(['join', bob.copy('attended')]);
    expect([join_.exit, join_.json.error?.code, join_.json.error?.field]).toEqual([11, 'E_PERSON', 'compare-words']);
    expect(existsSync(join(bob.copy('attended'), 'round-1', 'bob.blob'))).toBe(false);
  });
});

describe('answers from a file', () => {
  it('that is not there, no JSON, or has an unknown id: 64 before anything is done', async () => {
    for (const content of ['{', '[]', '"x"', { 'no-such-prompt': 'x' }, { 'compare-words': 7 }]) {
      const ran = await alice.run([...dkg('early', '--unattended'), '--answers', answers(content)]);
      expect([content, ran.exit, ran.json.error?.code]).toEqual([content, 64, 'E_ANSWERS']);
    }
    expect((await alice.run(['status', '--answers', join(world.dir, 'none.json')])).json.error?.code).toBe('E_ANSWERS');
    expect(existsSync(alice.copy('early')), 'nothing was begun').toBe(false);
  });

  it('that nobody asked for: 64, and one object', async () => {
    const ran = await alice.run(['status', '--answers', answers({ 'compare-words': 'a b' })]);
    expect([ran.exit, ran.json.error?.code, ran.json.error?.field]).toEqual([64, 'E_ANSWERS', 'compare-words']);
    expect((await alice.run(['status', '--answers', answers({})])).exit).toBe(0);
  });

  it('a plan with attended: true refuses scripted words: 20 E_ATTENDED', async () => {
    const plan = await parsePlanFile(readFileSync(join(bob.copy('attended'), 'PLAN.yaml')), 'PLAN.yaml');
    expect(plan.attended).toBe(true);
    const all = words(sessionId(plan).slice(0, 16)).join(' ');
    const ran = await bob.run(['join', bob.copy('attended'), '--answers', answers({ 'compare-words': all })]);
    expect([ran.exit, ran.json.error?.code]).toEqual([20, 'E_ATTENDED']);
  });

  it('scripted words of a card are recorded as scripted; wrong ones are 21', async () => {
    const wrong = await alice.run(['peers', 'verify', 'bob', '--answers', answers({ 'verify-peer': 'aardvark adroitness' })]);
    expect([wrong.exit, wrong.json.error?.code, wrong.json.error?.participant]).toEqual([21, 'E_WORDS', 'bob']);
    const { json } = await alice.run(['peers', 'list']);
    expect(json['peers']).toMatchObject([{ name: 'bob', compared: 'not-compared' }]);
  });
});

describe.runIf(hasTerminal)('a person at a terminal', { timeout: 120_000 }, () => {
  const flags = (m: Member): string[] => ['--home', m.home, '--passphrase-file', world.passphraseFile];
  /** The words at the blanked places, from the list that the other one holds. */
  const blanks =
    (list: readonly string[]) =>
    (screen: string): string => {
      const asked = [...screen.matchAll(/Type words (\d+) and (\d+)/g)].at(-1);
      return `${list[Number(asked?.[1]) - 1] as string} ${list[Number(asked?.[2]) - 1] as string}`;
    };
  const ASKED = /with a\s+space\s+between:\s*/;

  it('types the two blanked words, and takes part', async () => {
    const plan = await parsePlanFile(readFileSync(join(bob.copy('attended'), 'PLAN.yaml')), 'PLAN.yaml');
    const list = words(sessionId(plan).slice(0, 16));
    const wrong = await atTerminal(['join', bob.copy('attended'), ...flags(bob)], [[ASKED, () => 'Apollo zulu']]);
    expect(wrong.exit, wrong.screen).toBe(21);
    expect(wrong.screen).toContain('WORDS');
    const right = await atTerminal(['join', bob.copy('attended'), ...flags(bob)], [[ASKED, blanks(list)]]);
    expect(right.exit, right.screen).toBe(0);
    expect(right.screen.match(/________/g)?.length).toBeGreaterThanOrEqual(2);
    // carol types too, in small letters
    const small = await atTerminal(['join', carol.copy('attended'), ...flags(carol)], [[ASKED, (s) => blanks(list)(s).toLowerCase()]]);
    expect(small.exit, small.screen).toBe(0);
    const last = await world.settle('attended');
    expect([...last.values()].map((r) => r.json.nextAction?.code)).toEqual(['DONE', 'DONE', 'DONE']);
    const chain = readFileSync(join(alice.copy('attended'), 'transcript', 'bob.jsonl'), 'utf8').split('\n')[0] as string;
    expect(Buffer.from((JSON.parse(chain) as { payload: string }).payload, 'base64').toString()).toContain('"compared":"typed"');
  });

  it('compares the words of a card', async () => {
    const list = words(cardFingerprint(parseCard(readFileSync(bob.card), bob.card)));
    const ran = await atTerminal(['peers', 'verify', 'bob', ...flags(alice)], [[ASKED, blanks(list)]]);
    expect(ran.exit, ran.screen).toBe(0);
    expect((await alice.run(['peers', 'list'])).json['peers']).toMatchObject([{ name: 'bob', compared: 'typed' }]);
  });

  it('types the passphrase unseen; Ctrl-C is 130', async () => {
    const ran = await atTerminal(['card', 'renew', '--home', bob.home], [[/Passphrase: $/, () => PASSPHRASE]]);
    expect(ran.exit, ran.screen).toBe(0);
    expect(ran.screen).not.toContain(PASSPHRASE);
    const stopped = await atTerminal(['card', 'renew', '--home', bob.home], [[/Passphrase: $/, () => '\x03']]);
    expect(stopped.exit, stopped.screen).toBe(130);
  });

  it('sees colours only at a terminal that wants them, and the same words without', async () => {
    const card = async (...args: string[]): Promise<string> => (await atTerminal(['next', alice.copy('attended'), '--home', alice.home, ...args], [])).screen;
    const escape = /\u001b\[/;
    expect(await card()).toMatch(escape);
    expect(await card('--no-color')).not.toMatch(escape);
    expect((await atTerminal(['next', alice.copy('attended'), '--home', alice.home], [], { NO_COLOR: '1' })).screen).not.toMatch(escape);
    expect((await invoke(['next', alice.copy('attended'), '--home', alice.home])).stdout).not.toMatch(escape);
    // eslint-disable-next-line no-control-regex
    expect((await card()).replace(/\u001b\[[0-9;]*m/g, '')).toBe(await card('--no-color'));
  });
});

describe('screens', { timeout: 120_000 }, () => {
  it('of a whole ceremony stay within 80 columns and need no colour', async () => {
    const screens: [string, string][] = [];
    // short folders: a path is never broken
    const dir = newDir();
    const small = new Member({ dir, passphraseFile: world.passphraseFile }, 'dan', join(dir, 'h'));
    const erin = new Member({ dir, passphraseFile: world.passphraseFile }, 'erin', join(dir, 'i'));
    const say = async (m: Member, args: readonly string[]): Promise<Ran> => {
      const ran = await m.say(args);
      screens.push([args.join(' '), ran.stdout + ran.stderr]);
      return ran;
    };
    for (const m of [small, erin]) await say(m, ['init', '--name', m.name, '--rehearsal']);
    const cards = join(dir, 'c');
    mkdirSync(cards);
    for (const m of [small, erin]) writeFileSync(join(cards, `${m.name}.card`), readFileSync(m.card));
    for (const [scheme, key] of [['frost-ed448', 'ed'], ['frost-secp256k1-tr', 'tr']] as const) {
      const folder = join(dir, key);
      await say(small, ['dkg', '--name', key, '--scheme', scheme, '--quorum', 'all-of(dan,erin)', '--cards', cards, '--out', folder, '--unattended', '--stock', '1']);
      await say(erin, ['next', folder]);
      await say(erin, ['join', folder]);
      await say(erin, ['status', folder]);
      for (const m of [small, erin, small, erin]) await say(m, ['next', folder]);
      await say(small, ['key', 'show', key]);
      await say(small, ['key', 'list']);
      for (const format of ['pem', 'raw', 'jwk', 'xpub', 'descriptor']) await small.say(['key', 'export', key, '--format', format]);
      writeFileSync(join(dir, 'm'), 'a message of one line that is longer than the preview of it on the screen may be, by far');
      const intent = join(dir, `${key}.json`);
      await say(small, ['intent', 'create', '--key', key, '--action', 'message', '--file', join(dir, 'm'), '--out', intent, '--reason', 'a reason of many words, '.repeat(12).trim()]);
      await say(small, ['intent', 'show', intent]);
      const signing = join(dir, `${key}-s`);
      await say(small, ['sign', '--intent', intent, '--signers', 'dan', '--out', signing, '--unattended']);
      await say(small, ['sign', '--intent', intent, '--signers', 'dan,erin', '--out', signing, '--unattended']);
      await say(erin, ['join', signing]);
      await say(small, ['next', signing]);
      await say(small, ['status', signing]);
    }
    for (const args of [['card', 'show'], ['card', 'renew'], ['status'], ['peers', 'add', erin.card], ['peers', 'list'], ['peers', 'verify', 'erin'], ['next'], ['key', 'show', 'no'], ['help'], ['help', 'exit-codes'], ['help', 'errors'], ['help', 'actions'], ['dkg', '--help'], ['doctor'], ['dkg', '--nonsense']])
      await say(small, args);
    const wide = screens.flatMap(([command, text]) => text.split('\n').filter((line) => [...line].length > 80).map((line) => `${command}: ${line}`));
    expect(wide).toEqual([]);
    expect(screens.filter(([, text]) => text.includes('\u001b'))).toEqual([]);
    expect(screens.filter(([, text]) => /undefined|\[object|NaN/.test(text))).toEqual([]);

    const plain = (text: string): string =>
      text
        .replaceAll(dir, 'DIR')
        .replace(/\b[0-9a-f]{32,}\b/g, 'HEX')
        .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
        .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
        .replace(/^( *\d+ [A-Za-z]+ *){4}$/gm, ' WORDS');
    const seen = (start: string): string => plain(screens.find(([command]) => command.startsWith(start))?.[1] ?? '');
    expect(['init', 'dkg', 'join', 'key show ed'].map((s) => `$ ${s}\n${seen(s)}`).join('\n')).toMatchInlineSnapshot(`
      "$ init
      ✓ The home of dan is made (for rehearsals only).
      Words of this card. Read them aloud to whoever takes it up:
       WORDS
       WORDS
       WORDS
       WORDS
      NEXT  CARRY_OUT
        Give this card to the ceremony lead. It holds nothing secret:
        DIR/h/identity/dan.card
      making identity and one-time keys …

      $ dkg
      ✓ message 1 written
      NEXT  CARRY_OUT
        Carry this folder to erin, and bring it back with their commit. Then:
        mpc-ceremony next FOLDER
      opening the home …
      making commit …

      $ join
      ✓ message 1 written, message 2 written
      NEXT  CARRY_OUT
        Carry this folder to dan, and bring it back with their deal. Then:
        mpc-ceremony next FOLDER
      opening the home …
      making commit …
      making deal …

      $ key show ed
      Key          ed (rehearsal)
      Scheme       frost-ed448
      Quorum       all-of(dan, erin)
      Epoch        1, active
      Public key   HEX
                   HEX
      Words of this epoch:
       WORDS
       WORDS
       WORDS
       WORDS
      Shares proven in this epoch:
        dan          never, due DATE
        erin         never, due DATE
      Care:
        refresh      epoch began TIME, due DATE
        backup test  never, due DATE
        drill        never, due DATE
      "
    `);
  });
});
