/**
 * Ceremonies by QR alone: nothing passes between the participants but pictures of screens. Every code is drawn as a terminal
 * shows it, photographed askew, unsharp and noisy, a fifth of the photographs is lost, the rest comes in any order; the
 * real binary reads what is left. Transcripts are merged by file afterwards.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openHome } from '../../src/ceremony/home.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import { ceremonyLoad, type Load } from '../../src/cli/qr-load.ts';
import { chooseVersion, CodeSequence } from '../../src/cli/qr-sequence.ts';
import { scanPage } from '../../src/qr/page.ts';
import { fittingVersion, terminalCode } from '../../src/qr/terminal.ts';
import { realDisk } from '../../src/vault/durable.ts';
import { photograph, seeded } from '../support/photo.ts';
import { browserWith } from '../support/browser.ts';
import { grayPng, y4mOf } from '../support/pictures.ts';
import { Screen } from '../cli/screen.ts';
import { type Member, must, newDir, type Ran, World } from './support.ts';

const LOST = 0.2;
const disk = realDisk();

/** What a participant's machine would show of a ceremony. */
function shownBy(m: Member, folder: string): Load | undefined {
  const store = CeremonyStore.byPlace(openHome(disk, m.home), m.copy(folder), undefined);
  return store && ceremonyLoad(store);
}

/** A camera in front of a screen: numbers photographs, loses some of them, and hands them over in any order. */
class Camera {
  readonly #random: () => number;
  readonly #dir = newDir();
  #shots = 0;
  /** Codes taken, and the largest version among them. */
  taken = 0;
  version = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** Photographs of `count` codes from the n-th on, less what is lost. */
  photos(sequence: CodeSequence, from: number, count: number, columns: number, rows: number): string[] {
    const files: string[] = [];
    for (let n = from; n < from + count; n++) {
      if (sequence.count > 1 && this.#random() < LOST) continue;
      const { modules } = sequence.code(n);
      const screen = new Screen(columns, rows);
      screen.write(terminalCode(modules).join('\r\n'));
      const file = join(this.#dir, `photo-${String(this.#shots)}.png`);
      writeFileSync(file, grayPng(photograph(screen.picture(), { seed: (this.#shots += 1), fill: 0.95 })));
      files.push(file);
      this.taken += 1;
    }
    this.version = Math.max(this.version, sequence.version);
    return files.map((f) => [this.#random(), f] as const).sort(([a], [b]) => a - b).map(([, f]) => f);
  }

  /** A browser's camera before a screen: the file that its page saves when the message is complete. */
  async throughBrowser(load: Load): Promise<string> {
    const sequence = new CodeSequence(load.message, chooseVersion(load.message.length, 'low', 13));
    const shots = Array.from({ length: 2 * sequence.count }, (_, i) => photograph(sequence.code(i + 1).modules, { seed: i, width: 800, height: 600, degrees: 2, fill: 0.95 }));
    writeFileSync(join(this.#dir, 'camera.y4m'), y4mOf(shots, 8));
    writeFileSync(join(this.#dir, 'page.html'), await scanPage());
    const browser = await browserWith(join(this.#dir, 'camera.y4m'));
    try {
      const page = await (await browser.newContext({ acceptDownloads: true })).newPage();
      await page.goto(pathToFileURL(join(this.#dir, 'page.html')).href);
      await page.click('#start');
      await page.waitForSelector('#done:not([hidden])', { timeout: 60_000 });
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
      const file = join(this.#dir, download.suggestedFilename());
      await download.saveAs(file);
      return file;
    } finally {
      await browser.close();
    }
  }

  /** Holds `to`'s camera before `from`'s screen until the message is complete. */
  async carry(from: Member, to: Member, folder: string, columns = 120, rows = 40): Promise<Ran | undefined> {
    const load = shownBy(from, folder);
    if (!load) return undefined;
    const sequence = new CodeSequence(load.message, chooseVersion(load.message.length, 'low', fittingVersion(columns, rows) ?? 0));
    mkdirSync(to.copy(folder), { recursive: true });
    for (let at = 1; at < 40 * sequence.count; ) {
      // an impatient operator: takes away what there is, and comes again when the program says that something is missing
      const count = at === 1 ? Math.ceil(sequence.count * 1.1) : Math.ceil(sequence.count / 2);
      const photos = this.photos(sequence, at, count, columns, rows);
      at += count;
      if (photos.length === 0) continue;
      const ran = await to.run(['qr', 'scan', ...photos, '--into', to.copy(folder)]);
      if (ran.exit === 0) return ran;
      expect(ran.json.error?.code, ran.stdout).toBe('E_MISSING');
    }
    throw new Error(`${from.name} to ${to.name}: never complete`);
  }
}

const code = (ran: Ran): string | undefined => ran.json.nextAction?.code;

/** Rounds of a ceremony whose lead is the hub, until all are done. */
async function settle(lead: Member, others: readonly Member[], folder: string, camera: Camera, carry = camera.carry.bind(camera)): Promise<Ran[]> {
  const joined = new Set<string>();
  let last: Ran[] = [];
  for (let round = 0; round < 8; round++) {
    last = [];
    for (const m of others) {
      await carry(lead, m, folder);
      last.push(must(await m.run([joined.has(m.name) ? 'next' : 'join', m.copy(folder), '--via', 'qr'])));
      joined.add(m.name);
      await carry(m, lead, folder);
      last.unshift(must(await lead.run(['next', lead.copy(folder), '--via', 'qr'])));
    }
    const final = [last[0] as Ran, ...last.slice(-others.length)];
    if (last.slice(0, 1).every((r) => code(r) === 'DONE') && others.every((_, i) => code(last.at(-1 - i) as Ran) === 'DONE')) return final;
  }
  return last;
}

async function begin(world: World, kind: readonly string[], folder: string): Promise<Ran> {
  const [lead] = world.members as [Member];
  return must(await lead.run([...kind, '--out', lead.copy(folder), '--unattended', '--via', 'qr']));
}

async function intent(lead: Member, key: string, name: string): Promise<string> {
  const message = join(lead.world.dir, `${name}.msg`);
  writeFileSync(message, `pay 5 to the baker (${name})`);
  const file = join(lead.world.dir, `${name}.json`);
  must(await lead.run(['intent', 'create', '--key', key, '--action', 'message', '--file', message, '--out', file]));
  return file;
}

describe('FROST by QR alone', { timeout: 300_000 }, () => {
  it('key generation, a signature from stock, one code an answer; the records are merged by file and verify', async () => {
    const world = await World.of(['alice', 'bob', 'carol']);
    const [alice, bob, carol] = world.members as [Member, Member, Member];
    const camera = new Camera(5);
    const began = await begin(world, ['dkg', '--name', 'treasury', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice,bob,carol)', '--stock', '2', '--cards', world.cards], 'treasury');
    expect(began.json.nextAction?.code).toBe('SHOW_QR');
    await settle(alice, [bob, carol], 'treasury', camera);
    for (const m of world.members) expect(code(await m.run(['next', m.copy('treasury'), '--via', 'qr'])), m.name).toBe('DONE');
    expect(camera.version).toBe(13);

    // from stock: the lead shows plan, intent and its share; the answer is one code
    await begin(world, ['sign', '--intent', await intent(alice, 'treasury', 'pay'), '--signers', 'alice,bob'], 'pay');
    const answers: Load[] = [];
    await settle(alice, [bob], 'pay', camera, (from, to, folder) => {
      const load = from === bob ? shownBy(bob, folder) : undefined;
      if (load) answers.push(load);
      // bob's laptop has a small window
      return from === bob ? camera.carry(from, to, folder, 80, 24) : camera.carry(from, to, folder);
    });
    expect(readFileSync(join(alice.copy('pay'), 'signature.bin'))).toEqual(readFileSync(join(bob.copy('pay'), 'signature.bin')));
    expect(answers.length).toBeGreaterThan(0);
    for (const { message } of answers) expect(chooseVersion(message.length, 'low', 40)).toBeLessThanOrEqual(10);

    // afterwards the transcripts travel as files, and anybody verifies the whole record
    for (const folder of ['treasury', 'pay']) {
      for (const m of folder === 'pay' ? [bob] : [bob, carol]) cpSync(join(m.copy(folder), 'transcript', `${m.name}.jsonl`), join(alice.copy(folder), 'transcript', `${m.name}.jsonl`));
      expect((await alice.run(['transcript', 'verify', alice.copy(folder)])).json['verdict']).toBe('ok');
    }

    // the second signature once from a GIF, as it would stand in a chat
    await begin(world, ['sign', '--intent', await intent(alice, 'treasury', 'gif'), '--signers', 'alice,bob'], 'gif');
    let gifs = 0;
    let pages = 0;
    await settle(alice, [bob], 'gif', camera, async (from, to, folder) => {
      const load = shownBy(from, folder);
      if (!load) return undefined;
      // what bob reads first comes through the camera of a browser
      if (to === bob && (pages += 1) === 1) return must(await to.run(['qr', 'scan', await camera.throughBrowser(load), '--into', to.copy(folder)]));
      const gif = join(newDir(), `${String((gifs += 1))}.gif`);
      must(await from.run(['qr', 'show', from.copy(folder), '--gif', gif]));
      return must(await to.run(['qr', 'scan', gif, '--into', to.copy(folder)]));
    });
    expect([gifs > 0, pages > 0]).toEqual([true, true]);
    expect(readFileSync(join(alice.copy('gif'), 'signature.bin')).length).toBe(64);
  });
});

describe('ECDSA by QR alone', { timeout: 300_000 }, () => {
  it('a signature from a stocked presignature, one code an answer', async () => {
    const world = await World.of(['alice', 'bob'], { primes: true });
    const [alice, bob] = world.members as [Member, Member];
    await world.dkg('vault', 'all-of(alice,bob)', { scheme: 'cggmp24-secp256k1' });
    // the stock is made with sticks: its proofs are too large for codes
    must(await alice.run(['presign', '--key', 'vault', '--count', '1', '--signers', 'alice,bob', '--out', alice.copy('stock'), '--unattended']));
    world.courier('stock');
    must(await bob.run(['join', bob.copy('stock')]));
    await world.settle('stock');

    const camera = new Camera(6);
    const began = await begin(world, ['sign', '--intent', await intent(alice, 'vault', 'pay'), '--signers', 'alice,bob'], 'pay');
    expect(began.json.nextAction?.code).toBe('SHOW_QR');
    const answers: number[] = [];
    await settle(alice, [bob], 'pay', camera, (from, to, folder) => {
      const load = from === bob ? shownBy(bob, folder) : undefined;
      if (load) answers.push(chooseVersion(load.message.length, 'low', 40));
      return camera.carry(from, to, folder);
    });
    expect(readFileSync(join(alice.copy('pay'), 'signature.bin'))).toEqual(readFileSync(join(bob.copy('pay'), 'signature.bin')));
    expect(Math.max(...answers)).toBeLessThanOrEqual(10);
  });
});
