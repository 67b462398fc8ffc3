/** Ceremonies over a relay, by the real binary: nothing is shared but the relay; servers and clients are killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, files, type Member, must, newDir, type Ran, World } from './support.ts';

let world: World;
beforeAll(async () => void (world = await World.of(['alice', 'bob', 'carol'])));

/** `relay serve` in a process of its own. */
class Server {
  readonly dir = newDir();
  #child: ChildProcess | undefined;
  address = '';
  async start(port = 0): Promise<this> {
    const child = spawn(process.execPath, [BIN, 'relay', 'serve', this.dir, '--listen', `127.0.0.1:${String(port)}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let said = '';
    this.address = await new Promise<string>((found) => {
      const look = (chunk: Buffer): void => {
        said += chunk.toString();
        const address = /http:\/\/127\.0\.0\.1:[0-9]+/.exec(said)?.[0];
        if (address !== undefined) found(address);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('exit', () => found(''));
    });
    if (this.address === '') throw new Error(`the relay did not start: ${said}`);
    return this;
  }
  get port(): number {
    return Number(new URL(this.address).port);
  }
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
const servers: Server[] = [];
const serve = async (): Promise<Server> => {
  const server = await new Server().start();
  servers.push(server);
  return server;
};
afterAll(async () => {
  for (const s of servers) await s.kill();
});

const codes = (rans: readonly Ran[]): (string | undefined)[] => rans.map((r) => r.json.nextAction?.code ?? r.json.error?.code);
const dkg = (lead: Member, folder: string, via: string, quorum = '2-of(alice,bob,carol)'): Promise<Ran> =>
  lead.run(['dkg', '--name', folder, '--scheme', 'frost-ed25519', '--quorum', quorum, '--cards', world.cards, '--out', lead.copy(folder), '--unattended', '--via', via]);
const sameKey = async (key: string, members: readonly Member[]): Promise<unknown> => {
  const keys = await Promise.all(members.map(async (m) => (await m.run(['key', 'show', key])).json['publicKey']));
  expect(new Set(keys).size).toBe(1);
  return keys[0];
};

describe('relay serve', () => {
  it('carries a key generation and a signature between people who stay online, though it is killed in between', async () => {
    const server = await serve();
    const via = `relay:${server.address}`;
    const [alice, bob, carol] = world.members as [Member, Member, Member];
    const began = must(await dkg(alice, 'online', via));
    expect(began.json.nextAction?.code).toBe('WAIT');
    expect(began.json['relay']).toMatchObject({ pushed: expect.arrayContaining(['bob: plan', 'carol: plan', 'bob: commit', 'carol: commit']) as unknown, problems: [] });

    const going = [bob, carol].map((m) => m.run(['join', m.copy('online'), '--via', via, '--cards', world.cards, '--wait', '2'], { waits: true }));
    // bob and carol have said what they can; the server dies, comes back at the same address, and they go on
    await new Promise((r) => setTimeout(r, 1500));
    await server.kill();
    await new Promise((r) => setTimeout(r, 500));
    await server.start(server.port);
    const last = [await alice.run(['next', alice.copy('online'), '--via', via, '--wait', '2'], { waits: true }), ...(await Promise.all(going))];
    expect(codes(last), JSON.stringify(last.map((r) => r.stderr + r.stdout))).toEqual(['DONE', 'DONE', 'DONE']);
    await sameKey('online', world.members);

    // who ended first fetches the others' transcripts; then every copy of the record verifies by itself
    for (const m of world.members) {
      expect((await m.run(['next', m.copy('online'), '--via', via])).json.nextAction?.code).toBe('DONE');
      expect((await m.run(['transcript', 'verify', m.copy('online')])).json['verdict']).toBe('ok');
    }

    const message = join(world.dir, 'm.bin');
    writeFileSync(message, 'pay 5 to the baker');
    const intent = join(world.dir, 'pay.json');
    must(await alice.run(['intent', 'create', '--key', 'online', '--action', 'message', '--file', message, '--out', intent]));
    must(await alice.run(['sign', '--intent', intent, '--signers', 'alice,bob', '--out', alice.copy('pay'), '--unattended', '--via', via]));
    // bob has two invitations behind him and one before him: it is the one that he has not joined
    const joined = bob.run(['join', bob.copy('pay'), '--cards', world.cards, '--via', via, '--wait', '1'], { waits: true });
    const signed = [await alice.run(['next', alice.copy('pay'), '--via', via, '--wait', '1'], { waits: true }), await joined];
    expect(codes(signed), JSON.stringify(signed.map((r) => r.stderr + r.stdout))).toEqual(['DONE', 'DONE']);
    expect(readFileSync(join(alice.copy('pay'), 'signature.bin'))).toEqual(readFileSync(join(bob.copy('pay'), 'signature.bin')));
  });

  it('says what is wrong when nobody answers, and nothing is lost', async () => {
    const [alice] = world.members as [Member];
    const ran = await dkg(alice, 'nobody', 'relay:http://127.0.0.1:9');
    expect(ran.exit).toBe(74);
    expect(ran.json.error).toMatchObject({ code: 'E_RELAY' });
    expect(ran.json.error?.remedy).toBeTruthy();
    // the plan and the first message are made, and may go another way
    expect(existsSync(join(alice.copy('nobody'), 'round-1', 'alice.blob'))).toBe(true);
    expect((await alice.run(['next', alice.copy('nobody')])).json.nextAction?.code).toBe('BRING_IN');
  });

  it.each([
    ['a secret in the address', 'relay:http://alice:secret@127.0.0.1:9', 64],
    ['another protocol', 'relay:ftp://127.0.0.1', 64],
    ['no address', 'relay:', 64],
    ['no route', 'pigeon', 64],
  ])('refuses %s', async (_, via, exit) => {
    const [alice] = world.members as [Member];
    const ran = await alice.run(['next', '--via', via]);
    expect(ran.exit).toBe(exit);
    expect(ran.stdout + ran.stderr).not.toContain('secret@');
  });
});

describe('a folder as relay', () => {
  it('tells who is awaited: relay status', async () => {
    const spool = join(newDir(), 'spool');
    mkdirSync(spool);
    const via = `relay:${spool}`;
    const [alice, bob] = world.members as [Member, Member];
    must(await dkg(alice, 'waiting', via));
    must(await bob.run(['join', bob.copy('waiting'), '--cards', world.cards, '--via', via]));
    const { json, exit } = await alice.run(['relay', 'status', alice.copy('waiting'), '--via', via]);
    expect(exit).toBe(0);
    const places = json['places'] as { from: string; what: string; held: boolean; onRelay: boolean }[];
    expect(places.find((p) => p.from === 'bob' && p.what === 'commit')).toMatchObject({ onRelay: true, held: false });
    expect(places.find((p) => p.from === 'carol' && p.what === 'commit')).toMatchObject({ onRelay: false, held: false });
    expect((json['sent'] as { to: string; onRelay: boolean }[]).every((p) => p.onRelay)).toBe(true);
  });

  it('an invitation is chosen where there are two', async () => {
    const spool = join(newDir(), 'spool');
    mkdirSync(spool);
    const via = `relay:${spool}`;
    const [alice, bob] = world.members as [Member, Member];
    expect((await bob.run(['join', bob.copy('none'), '--cards', world.cards, '--via', via])).exit).toBe(10);
    must(await dkg(alice, 'one', via, 'all-of(alice,bob)'));
    must(await dkg(alice, 'two', via, 'all-of(alice,bob)'));
    const asked = await bob.run(['join', bob.copy('two'), '--cards', world.cards, '--via', via]);
    expect(asked.exit).toBe(64);
    const id = readFileSync(join(alice.copy('two'), 'transcript', 'alice.jsonl'), 'utf8').split('\n')[0] as string;
    const { ceremony } = JSON.parse(Buffer.from((JSON.parse(id) as { payload: string }).payload, 'base64').toString()) as { ceremony: string };
    expect((await bob.run(['join', bob.copy('two'), '--cards', world.cards, '--via', via, '--ceremony', ceremony.slice(0, 8)])).json.did).toContain('round1.sent');
  });

  it('a folder that was used before belongs to the ceremony whose plan lies in it now', async () => {
    const spool = join(newDir(), 'spool');
    mkdirSync(spool);
    const via = `relay:${spool}`;
    const [alice, bob] = world.members as [Member, Member];
    for (const m of [alice, bob]) {
      must(await m.run(['card', 'renew']));
      cpSync(m.card, join(world.cards, `${m.name}.card`));
    }
    must(await dkg(alice, 'former', via, 'all-of(alice,bob)'));
    const place = bob.copy('same-place');
    must(await bob.run(['join', place, '--cards', world.cards, '--via', via]));
    rmSync(place, { recursive: true });
    must(await dkg(alice, 'latter', via, 'all-of(alice,bob)'));
    const ran = must(await bob.run(['join', place, '--cards', world.cards, '--via', via]));
    expect(ran.json['ceremony']).toBe('latter');
    expect(readFileSync(join(place, 'PLAN.yaml'))).toEqual(readFileSync(join(alice.copy('latter'), 'PLAN.yaml')));
    const going = must(await bob.run(['next', place, '--via', via]));
    expect(going.json['ceremony']).toBe('latter');
  });

  it('loses nothing when a client is killed at any write, and sends the same bytes again', async () => {
    const [alice, bob] = world.members as [Member, Member];
    for (const m of [alice, bob, alice, bob]) {
      must(await m.run(['card', 'renew']));
      cpSync(m.card, join(world.cards, `${m.name}.card`));
    }
    for (const at of [6, 21]) {
      const spool = join(newDir(), 'spool');
      mkdirSync(spool);
      const via = `relay:${spool}`;
      const key = `killed-${String(at)}`;
      must(await dkg(alice, key, via, 'all-of(alice,bob)'));
      const first = await bob.run(['join', bob.copy(key), '--cards', world.cards, '--via', via], { env: { MPC_CEREMONY_REHEARSE_CRASH: String(at) } });
      const seen = new Map(files(spool).map((f) => [f, readFileSync(f)]));
      must(await bob.run(['join', bob.copy(key), '--cards', world.cards, '--via', via]));
      for (const [file, bytes] of seen) expect(readFileSync(file).equals(bytes), `${key}: ${file}`).toBe(true);
      const last: Ran[] = [];
      for (let i = 0; i < 3; i++) last.splice(0, 2, must(await alice.run(['next', alice.copy(key), '--via', via])), must(await bob.run(['next', bob.copy(key), '--via', via])));
      expect(codes(last), `${key} after ${String(first.signal)}`).toEqual(['DONE', 'DONE']);
      expect(readdirSync(spool).length).toBeGreaterThan(0);
    }
  });

  it('is refused where the plan does not allow it', async () => {
    const spool = join(newDir(), 'spool');
    mkdirSync(spool);
    const [alice] = world.members as [Member];
    const ran = await alice.run(['dkg', '--name', 'sticks', '--scheme', 'frost-ed25519', '--quorum', 'all-of(alice,bob)', '--cards', world.cards, '--out', alice.copy('sticks'), '--unattended', '--routes', 'folder,qr', '--via', `relay:${spool}`]);
    expect(ran.json.error?.code).toBe('E_ROUTE');
    expect(files(spool)).toEqual([]);
  });
});
