/** Servers, wires and clients that end in the middle: nothing is lost, nothing is written twice, and silence has words. */
import { connect } from '@nats-io/transport-node';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PIECE_BYTES, storedPart } from '../../src/relay/nats-pieces.ts';
import { natsRelay } from '../../src/relay/nats-relay.ts';
import { pieceSubject, STREAM } from '../../src/relay/nats-stream.ts';
import type { Relay } from '../../src/relay/relay.ts';
import { falseServer, freePort, INFO, type NatsServer, startNats, type Wire, wireTo } from '../support/nats.ts';
import { bundle, place, random, refusal, tempDir } from './people.ts';

const BOX = place(0);
const PATIENCE = { connect: 5000, answer: 5000, altogether: 30_000 };
/** Of those who wait for nothing. */
const HASTE = { connect: 400, answer: 400, altogether: 600 };
/** Of those who reach somebody, and then nobody. */
const SOON = { connect: 5000, answer: 5000, altogether: 600 };

let server: NatsServer;
const ends: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  server = await startNats();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await server.remove();
});

async function relay(port = server.port, patience = PATIENCE): Promise<Relay> {
  const opened = await natsRelay(new URL(`nats://127.0.0.1:${String(port)}`), {}, patience);
  ends.push(() => opened.close());
  return opened;
}
async function wired(): Promise<Wire> {
  const wire = await wireTo(() => server.port);
  ends.push(() => wire.close());
  return wire;
}
/** What a look from outside says, over a connection of its own. */
async function counted(): Promise<number> {
  const nc = await connect({ servers: server.host });
  const manager: JetStreamManager = await jetstreamManager(nc);
  const { messages } = (await manager.streams.info(STREAM)).state;
  await nc.close();
  return messages;
}
const said = (subject: string): RegExp => new RegExp(`PUB ${subject.replaceAll('.', '\\.')} `);

describe('the server is killed', () => {
  it('while parts come in, again and again: all of them are there, once', async () => {
    const [one, two] = [await relay(), await relay()];
    const parts = Array.from({ length: 120 }, (_, i) => ({ name: place(i), bytes: random(1 + ((i * 7919) % 30_000)) }));
    let next = 0;
    const work = Promise.all(
      [one, two, one, two].map(async (r) => {
        while (next < parts.length) {
          const { name, bytes } = parts[next++] as (typeof parts)[number];
          expect(['stored', 'there']).toContain(await r.put(BOX, name, bytes));
        }
      }),
    );
    for (const at of [20, 60, 100]) {
      while (next < at) await sleep(1);
      await server.kill();
      await sleep(50);
      await server.start();
    }
    await work;
    expect(await two.list(BOX)).toEqual(parts.map((p) => p.name).sort());
    for (const { name, bytes } of parts) expect(Buffer.compare((await two.get(BOX, name)) ?? new Uint8Array(), bytes)).toBe(0);
    expect(await counted()).toBe(parts.length);
  });
  it('places stay written once, also after a restart', async () => {
    const mine = await relay();
    await mine.put(BOX, place(1), new Uint8Array([1]));
    await server.kill();
    await server.start();
    expect((await refusal(() => mine.put(BOX, place(1), new Uint8Array([2])))).code).toBe('E_RELAY_PART');
    expect(await mine.put(BOX, place(1), new Uint8Array([1]))).toBe('there');
    expect(await mine.get(BOX, place(1))).toEqual(new Uint8Array([1]));
  });
  it('in the middle of a large part: it goes on', async () => {
    const wire = await wired();
    const mine = await relay(wire.port);
    const bytes = random(6 * PIECE_BYTES);
    const third = pieceSubject(BOX, storedPart(bytes).pieces[2]?.hash ?? '');
    let killed = false;
    wire.onClient = async (chunk) => {
      if (killed || !said(third).test(chunk.toString('latin1'))) return chunk;
      killed = true;
      await server.kill();
      void sleep(100).then(() => server.start());
      return chunk;
    };
    expect(await mine.put(BOX, place(1), bytes)).toBe('stored');
    expect(killed).toBe(true);
    expect(Buffer.compare((await mine.get(BOX, place(1))) ?? new Uint8Array(), bytes)).toBe(0);
    expect(await counted()).toBe(7);
  });
  it('while somebody waits: what comes afterwards is seen', async () => {
    const [one, two] = [await relay(), await relay()];
    await one.put(BOX, place(1), random(5));
    const waiting = two.wait(BOX, 1, 600_000);
    await sleep(100);
    await server.kill();
    await sleep(100);
    await server.start();
    await one.put(BOX, place(2), random(5));
    await waiting;
    expect(await two.list(BOX)).toHaveLength(2);
  });
  it('and its store is lost: the stream is made again, and what is put is kept', async () => {
    const mine = await relay();
    await mine.put(BOX, place(1), random(5));
    await server.start(true);
    expect([await mine.list(BOX), await mine.get(BOX, place(1))]).toEqual([[], undefined]);
    expect(await mine.put(BOX, place(1), new Uint8Array([1]))).toBe('stored');
    expect((await refusal(() => mine.put(BOX, place(1), new Uint8Array([2])))).code).toBe('E_RELAY_PART');
  });
  it('and the stream is taken away under a client', async () => {
    const mine = await relay();
    await mine.put(BOX, place(1), random(5));
    const nc = await connect({ servers: server.host });
    await (await jetstreamManager(nc)).streams.delete(STREAM);
    await nc.close();
    expect(await mine.list(BOX)).toEqual([]);
    expect(await mine.put(BOX, place(1), new Uint8Array([1]))).toBe('stored');
    expect(await mine.list(BOX)).toEqual([place(1)]);
  });
});

describe('an answer is lost', () => {
  it('stored, and the wire is cut before it is known: the same again is "there", other bytes are refused', async () => {
    const wire = await wired();
    const mine = await relay(wire.port);
    let cut = false;
    wire.onServer = (chunk) => {
      if (cut || !chunk.includes('"seq":')) return chunk;
      cut = true;
      return undefined;
    };
    expect(await mine.put(BOX, place(1), new Uint8Array([1]))).toBe('there');
    expect(cut).toBe(true);
    expect(await counted()).toBe(1);
    cut = false;
    expect((await refusal(() => mine.put(BOX, place(1), new Uint8Array([2])))).code).toBe('E_RELAY_PART');
  });
  it('every wire is cut after some bytes, in both directions, and all work is done in the end', async () => {
    const wire = await wired();
    let left = 3000;
    const ration = (chunk: Buffer): Buffer | undefined => {
      left -= chunk.length;
      if (left > 0) return chunk;
      left = 3000 + Math.floor(Math.random() * 20_000);
      return undefined;
    };
    wire.onClient = ration;
    const mine = await relay(wire.port);
    const parts = Array.from({ length: 30 }, (_, i) => ({ name: place(i), bytes: random(500 + 20 * i) }));
    for (const { name, bytes } of parts) await mine.put(BOX, name, bytes);
    wire.onClient = (c) => c;
    wire.onServer = ration;
    for (const { name, bytes } of parts) expect(await mine.get(BOX, name)).toEqual(bytes);
    // a new connection after every cut, of which some fall into one answer
    expect(wire.made).toBeGreaterThan(3);
    expect(await counted()).toBe(parts.length);
  });
});

describe('a client is killed', () => {
  it.each([
    ['between publishing and the answer', 1000, 1, true],
    ['in the middle of a large part', 5 * PIECE_BYTES, 0, false],
  ])('%s: the next attempt finishes the work', async (_, size, names, whole) => {
    const script = await bundle('nats-putter', tempDir());
    const wire = await wired();
    let child: ReturnType<typeof spawn> | undefined;
    let stored = 0;
    wire.onServer = (chunk) => {
      // nothing that says "stored" comes through; the client is gone instead
      stored += chunk.toString('latin1').split('"seq":').length - 1;
      if (stored > 0) child?.kill('SIGKILL');
      return stored > 0 ? undefined : chunk;
    };
    const args = [script, `nats://127.0.0.1:${String(wire.port)}`, BOX, place(1), String(size)];
    child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
    expect(stored).toBeGreaterThan(0);
    const mine = await relay();
    expect(await mine.list(BOX)).toHaveLength(names);
    wire.onServer = (chunk) => chunk;
    const again = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    again.stdout.on('data', (d) => (out += String(d)));
    expect((await once(again, 'close'))[0]).toBe(0);
    expect(out).toBe(whole ? 'there\n' : 'stored\n');
    expect(Buffer.compare((await mine.get(BOX, place(1))) ?? new Uint8Array(), Buffer.alloc(size, 7))).toBe(0);
  });
});

describe('nobody answers', () => {
  it('at an address where nothing listens: said at once', async () => {
    const port = await freePort();
    const e = await refusal(() => relay(port));
    expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('nothing listens there')]);
    expect(e.facts.remedy).toContain('repeat the command');
  });
  it('at a name that nobody has', async () => {
    expect((await refusal(() => natsRelay(new URL('nats://relay.invalid:4222'), {}, HASTE))).code).toBe('E_RELAY');
  });
  it.each([
    ['says nothing', ''],
    ['greets and says no more', INFO()],
  ])('where somebody %s', async (_, first) => {
    const mute = await falseServer((s) => void s.resume().write(first));
    ends.push(() => mute.close());
    const e = await refusal(() => relay(mute.port, HASTE));
    expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('there is no answer')]);
    // and nothing is left open
    while (mute.sockets.size > 0) await sleep(10);
  });
  it('any more, for longer than patience lasts', async () => {
    const mine = await relay(server.port, SOON);
    await server.kill();
    for (const work of [() => mine.put(BOX, place(1), random(5)), () => mine.get(BOX, place(1)), () => mine.list(BOX), () => mine.wait(BOX, 0, 600_000)]) {
      const e = await refusal(work);
      expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('cannot be reached')]);
    }
    // a wait that is shorter than that only ends
    await mine.wait(BOX, 0, 300);
    await server.start();
    expect(await mine.put(BOX, place(1), random(5))).toBe('stored');
  });
  it('to a connection that is silently dead: another one is made', async () => {
    const wire = await wired();
    const mine = await relay(wire.port, { connect: 2000, answer: 700, altogether: 20_000 });
    const before = wire.made;
    const hole = before;
    // everything over the old connection disappears
    let dead = true;
    wire.onClient = (chunk) => (dead && wire.made === hole ? Buffer.alloc(0) : chunk);
    expect(await mine.put(BOX, place(1), random(5))).toBe('stored');
    dead = false;
    expect(wire.made).toBeGreaterThan(before);
  });
  it('for JetStream', async () => {
    const plain = await startNats('', { jetstream: false });
    ends.push(() => plain.remove());
    const e = await refusal(() => relay(plain.port, SOON));
    expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('JetStream')]);
  });
  it('to places because the server takes only small messages', async () => {
    const small = await startNats('max_payload: 100KB');
    ends.push(() => small.remove());
    const e = await refusal(() => relay(small.port));
    expect([e.code, e.facts.field]).toEqual(['E_RELAY', 'max_payload']);
  });
  it('once the relay was closed, waits end and other work is refused', async () => {
    const mine = await relay();
    const waits = [mine.wait(BOX, 0, 600_000), mine.wait(place(3), 5, 600_000)];
    await sleep(50);
    await mine.close();
    await Promise.all(waits);
    await mine.close();
    expect((await refusal(() => mine.put(BOX, place(1), random(5)))).message).toContain('closed');
    await mine.wait(BOX, 0, 600_000);
  });
});
