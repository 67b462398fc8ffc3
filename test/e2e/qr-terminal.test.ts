/** Codes as people meet them: the real binary at a terminal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { codesInFile } from '../../src/qr/read-file.ts';
import { UrReader } from '../../src/qr/ur.ts';
import { Pty } from './pty.ts';
import { hasTerminal } from './terminal.ts';
import { invoke, type Member, must, PASSPHRASE, World } from './support.ts';

let world: World;
let alice: Member;
let bob: Member;
const textsOf = async (file: string): Promise<string[]> => {
  const texts: string[] = [];
  for await (const text of codesInFile(file)) texts.push(text);
  return texts;
};
beforeAll(async () => {
  world = await World.of(['alice', 'bob']);
  [alice, bob] = [world.member('alice'), world.member('bob')];
  must(await alice.run(['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice, bob)', '--cards', world.cards, '--out', alice.copy('k'), '--unattended']));
});

describe.runIf(hasTerminal)('at a terminal', () => {
  it.each([
    [80, 24],
    [120, 40],
  ])('of %i x %i the viewer stays in the window, is read by a camera, and gives the screen back', async (columns, rows) => {
    const file = join(world.dir, `shown-${String(columns)}`);
    const bytes = randomBytes(700);
    writeFileSync(file, bytes);
    const pty = new Pty(['qr', 'show', file, '--fps', '15'], { columns, rows });
    await pty.until(/code \d+ of \d+.*version/);
    const reader = new UrReader();
    for (let i = 0; i < 400 && reader.message === undefined; i++) {
      for (const text of await pty.screen.codes()) reader.take(text);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    pty.check();
    expect(Buffer.from(reader.message ?? []).includes(bytes)).toBe(true);
    pty.type('q');
    expect(await pty.end()).toMatchObject({ exit: 0, givenBack: true });
  });

  it.each([
    ['Ctrl-C', (pty: Pty) => { pty.type('\x03'); }, 130],
    ['SIGINT', (pty: Pty) => { pty.signal('SIGINT'); }, 130],
    ['SIGTERM', (pty: Pty) => { pty.signal('SIGTERM'); }, 143],
    ['SIGHUP', (pty: Pty) => { pty.signal('SIGHUP'); }, 129],
  ] as const)('%s gives the screen and the keyboard back', async (_, stop, exit) => {
    const pty = new Pty(['qr', 'show', alice.copy('k'), '--home', alice.home]);
    await pty.until(/code 1 of|the only code|code \d+ of/);
    stop(pty);
    const { screen, ...ended } = await pty.end();
    expect(ended).toEqual({ exit, givenBack: true });
    expect(screen).not.toContain('version');
  });

  it('too small a window is refused, and one that changes is followed', async () => {
    const small = new Pty(['qr', 'show', alice.copy('k'), '--home', alice.home], { columns: 40, rows: 12 });
    const ended = await small.end();
    expect(ended).toMatchObject({ exit: 40, givenBack: true });
    expect(ended.screen.replace(/\s+/g, ' ')).toMatch(/window larger/);
    const pty = new Pty(['qr', 'show', alice.copy('k'), '--home', alice.home]);
    await pty.until(/version 5/);
    pty.resize(40, 12);
    await pty.until(/too small/);
    pty.resize(100, 30);
    await pty.until(/version 5/);
    pty.type('q');
    expect(await pty.end()).toMatchObject({ exit: 0, givenBack: true });
    pty.check();
  });

  it('next in too small a window says how else the codes get out', async () => {
    const pty = new Pty(['next', alice.copy('k'), '--via', 'qr', '--home', alice.home], { columns: 100, rows: 14 });
    await pty.until(/Codes of bob are to come in/);
    pty.type('s\r');
    const ended = await pty.end();
    expect(ended).toMatchObject({ exit: 10, givenBack: true });
    expect(ended.screen.replace(/\s+/g, ' ')).toMatch(/too small for a code.*NEXT SHOW_QR .*--gif FILE/);
  });

  it('a USB scanner types a message in two sittings', async () => {
    const file = join(world.dir, 'usb');
    writeFileSync(file, randomBytes(500));
    const gif = join(world.dir, 'usb.gif');
    must(await invoke(['qr', 'show', file, '--gif', gif, '--density', '8']));
    const texts = await textsOf(gif);
    const into = join(world.dir, 'usb-in');
    const first = new Pty(['qr', 'scan', '--into', into]);
    await first.until(/no code yet/);
    first.type(`${texts[0] as string}\r${texts[1] as string}\r`);
    await first.until(/2 of \d+ parts, \d+ missing/);
    first.type('q\r');
    const left = await first.end();
    expect(left).toMatchObject({ exit: 22, givenBack: true });
    expect(left.screen).not.toContain('UR:');
    const second = new Pty(['qr', 'scan', '--into', into]);
    await second.until(/Going on with an earlier scan: 2 of/);
    for (const text of texts.slice(2)) second.type(`${text}\r`);
    expect(await second.end()).toMatchObject({ exit: 0, givenBack: true });
    expect(readFileSync(join(into, 'files/usb'))).toEqual(readFileSync(file));
  });

  it('a whole key generation by two people: passphrase, codes, passphrase, codes, until it is done', async () => {
    const [a, b] = [alice.copy('people'), bob.copy('people')];
    const lead = new Pty(['dkg', '--name', 'people', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice, bob)', '--cards', world.cards, '--out', a, '--unattended', '--via', 'qr', '--home', alice.home]);
    let n = 0;
    const show = async (m: Member): Promise<string> => {
      const gif = join(world.dir, `people-${String(n++)}.gif`);
      must(await invoke(['qr', 'show', m.copy('people'), '--gif', gif, '--home', m.home]));
      return gif;
    };
    await lead.until(/Passphrase:/);
    lead.type(`${PASSPHRASE}\r`);
    await lead.until(/people-dkg-1: plan, message of alice.*version 5/);
    expect(lead.screen.text).toContain('camera of');
    expect(lead.screen.text).toContain('bob.');

    const other = new Pty(['join', b, '--via', 'qr', '--home', bob.home]);
    await other.until(/The plan: the lead shows it on its screen/);
    other.type(`${await show(alice)}\r`);
    await other.until(/Passphrase:/);
    other.type(`${PASSPHRASE}\r`);
    await other.until(/2 messages of bob.*version/);
    lead.type('\r');
    await lead.until(/Codes of bob are to come in\.[^]*no code yet/);
    // the other side missed it: once more
    lead.type('s\r');
    await lead.until(/plan, message of alice.*version 5/);
    lead.type('\r');
    await lead.until(/s Enter +show my own codes again[^]*no code yet/);
    lead.type(`${await show(bob)}\r`);
    await lead.until(/2 messages of alice.*version/);
    other.type('\r');
    await other.until(/Codes of alice are to come in/);
    // the operator leaves, and comes back another time
    other.type('q\r');
    const left = await other.end();
    expect(left).toMatchObject({ exit: 0, givenBack: true });
    expect(left.screen).toMatch(/NEXT {2}SCAN_QR/);
    const again = new Pty(['next', b, '--via', 'qr', '--home', bob.home]);
    await again.until(/Codes of alice are to come in/);
    again.type(`${await show(alice)}\r`);
    await again.until(/Passphrase:/);
    again.type(`${PASSPHRASE}\r`);
    await again.until(/message of bob.*version/);
    const last = await show(bob);
    again.type('\r');
    const done = await again.end();
    expect(done).toMatchObject({ exit: 0, givenBack: true });
    expect(again.raw).toMatch(/NEXT {2}DONE/);
    expect(again.raw.replace(/\s+/g, ' ')).toContain('bring transcript/NAME.jsonl of everybody together');
    lead.type('\r');
    await lead.until(/Codes of bob are to come in\.[^]*no code yet/);
    lead.type(`${last}\r`);
    await lead.until(/message of alice.*version/);
    lead.type('\r');
    expect(await lead.end()).toMatchObject({ exit: 0, givenBack: true });
    expect(lead.raw).toMatch(/NEXT {2}DONE/);
    for (const p of [lead, again]) expect(p.raw).not.toContain(PASSPHRASE);
    for (const m of [alice, bob]) expect((await m.run(['key', 'show', 'people'])).json['state']).toBe('active');
  });
});
