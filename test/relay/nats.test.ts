/** A relay on a real nats-server; the public JetStream client as oracle and as attacker. */
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { jetstream, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PIECE_BYTES, storedPart } from '../../src/relay/nats-pieces.ts';
import { natsRelay } from '../../src/relay/nats-relay.ts';
import { checkStream, MAX_STORED, pieceSubject, placeSubject, STREAM, StreamAnswer, type StreamConfig, WANTED_STREAM } from '../../src/relay/nats-stream.ts';
import { MAX_NAMES, type Relay } from '../../src/relay/relay.ts';
import { toHex, u32 } from '../../src/wire/bytes.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { type NatsServer, startNats, wireTo } from '../support/nats.ts';
import { place, random, refusal } from './people.ts';

const BOX = place(0);
const HASTE = { connect: 3000, answer: 3000, altogether: 6000 };

let server: NatsServer;
let oracle: NatsConnection;
let manager: JetStreamManager;
const ends: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  server = await startNats();
  oracle = await connect({ servers: server.host });
  manager = await jetstreamManager(oracle);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  // the operator may: nobody's login can take a single message away
  await manager.streams.delete(STREAM).catch(() => undefined);
});
afterAll(async () => {
  await oracle.close();
  await server.remove();
});

async function relay(port = server.port): Promise<Relay> {
  const opened = await natsRelay(new URL(`nats://127.0.0.1:${String(port)}`), {}, HASTE);
  ends.push(() => opened.close());
  return opened;
}

const store = (subject: string, bytes: Uint8Array): Promise<unknown> => jetstream(oracle).publish(subject, bytes);
const under = async (subject: string): Promise<Uint8Array | undefined> => (await manager.streams.getMessage(STREAM, { last_by_subj: subject }))?.data;

/** Compared at once: vitest would look at every byte. */
const same = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0;

describe('the stream', () => {
  it('is created so that places are written once, and the public client cannot change one', async () => {
    const mine = await relay();
    const bytes = random(100);
    await mine.put(BOX, place(1), bytes);
    const { config, state } = await manager.streams.info(STREAM);
    expect(config).toMatchObject(WANTED_STREAM);
    const subject = placeSubject(BOX, place(1));
    await expect(store(subject, random(5))).rejects.toThrow('maximum messages per subject exceeded');
    await expect(manager.streams.deleteMessage(STREAM, state.last_seq)).rejects.toThrow();
    await expect(manager.streams.purge(STREAM)).rejects.toThrow();
    await expect(manager.streams.purge(STREAM, { filter: subject })).rejects.toThrow();
    const rollup = headers();
    rollup.set('Nats-Rollup', 'sub');
    await expect(jetstream(oracle).publish(subject, random(5), { headers: rollup })).rejects.toThrow();
    await expect(manager.streams.update(STREAM, { ...config, deny_delete: false })).rejects.toThrow();
    await expect(manager.streams.update(STREAM, { ...config, deny_purge: false })).rejects.toThrow();
    expect(await mine.get(BOX, place(1))).toEqual(bytes);
    expect((await manager.streams.info(STREAM)).state.messages).toBe(1);
  });
  it('holds what the public client reads, and reads what it wrote', async () => {
    const mine = await relay();
    const bytes = random(1000);
    await mine.put(BOX, place(1), bytes);
    expect(await under(placeSubject(BOX, place(1)))).toEqual(new Uint8Array([0, ...bytes]));
    await store(placeSubject(BOX, place(2)), new Uint8Array([0, 7, 8]));
    expect(await mine.get(BOX, place(2))).toEqual(new Uint8Array([7, 8]));
  });
  it('two who come first at the same time agree', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => relay()));
    await Promise.all(many.map((r, i) => r.put(BOX, place(i), random(10))));
    expect(await many[0]?.list(BOX)).toHaveLength(8);
  });

  const WRONG: readonly (readonly [field: string, settings: object])[] = [
    ['subjects', { subjects: ['mpc.*.*'] }],
    ['max_msgs_per_subject', { max_msgs_per_subject: 2 }],
    ['max_msgs_per_subject', { max_msgs_per_subject: -1, discard_new_per_subject: false }],
    ['discard', { discard: 'old', discard_new_per_subject: false }],
    ['discard_new_per_subject', { discard_new_per_subject: false }],
    ['deny_delete', { deny_delete: false }],
    ['deny_purge', { deny_purge: false }],
    ['deny_purge', { deny_purge: false, allow_rollup_hdrs: true }],
    ['storage', { storage: 'memory' }],
    ['retention', { retention: 'workqueue' }],
    ['retention', { retention: 'interest' }],
    ['max_age', { max_age: 3600e9 }],
    ['max_msg_size', { max_msg_size: MAX_STORED - 1 }],
    ['no_ack', { no_ack: true }],
    ['subjects', { subjects: undefined, mirror: { name: 'other' }, discard: 'old', discard_new_per_subject: false }],
  ];
  it.each(WRONG)('%s: a stream with %o is refused, and nothing is put there', async (field, settings) => {
    await manager.streams.add({ ...WANTED_STREAM, ...settings } as unknown as StreamConfig & { name: string } as never);
    const e = await refusal(() => relay());
    expect([e.code, e.facts.field]).toEqual(['E_RELAY', field]);
    expect(e.facts.remedy).toContain('operator');
    expect((await manager.streams.info(STREAM)).state.messages).toBe(0);
  });
  const config = v.parse(StreamAnswer, { config: WANTED_STREAM, state: {} }).config;
  it.each<[keyof StreamConfig, unknown]>([
    ['name', 'other'],
    ['allow_rollup_hdrs', true],
    ['mirror', { name: 'x' }],
    ['sources', [{ name: 'x' }]],
    ['subject_transform', { src: 'a', dest: 'b' }],
    ['subject_delete_marker_ttl', 1e9],
    ['allow_msg_ttl', true],
    ['allow_msg_counter', true],
    ['allow_msg_schedules', true],
    ['persist_mode', 'async'],
  ])('%s: %o, which later servers know, is refused as well', (field, value) => {
    checkStream(config, 'here');
    expect(() => {
      checkStream({ ...config, [field]: value }, 'here');
    }).toThrow(expect.objectContaining({ code: 'E_RELAY', facts: expect.objectContaining({ field }) as object }));
  });
  it('with limits of the operator’s is taken', async () => {
    await manager.streams.add({ ...WANTED_STREAM, max_bytes: 1e6, max_msgs: 3, max_msg_size: -1, description: 'ours' } as never);
    const mine = await relay();
    for (const n of [1, 2, 3]) await mine.put(BOX, place(n), random(10));
    const e = await refusal(() => mine.put(BOX, place(4), random(10)));
    expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('full')]);
    expect(await mine.put(BOX, place(3), (await mine.get(BOX, place(3))) as Uint8Array)).toBe('there');
  });
  it('that is changed meanwhile is noticed at the next look', async () => {
    const mine = await relay();
    const now = (await manager.streams.info(STREAM)).config;
    await manager.streams.update(STREAM, { ...now, max_age: 3600e9 });
    expect((await refusal(() => mine.list(BOX))).facts.field).toBe('max_age');
  });
});

describe('another stream', () => {
  it('that takes the subjects is not written to, whether it was there before or came later', async () => {
    const mine = await relay();
    await manager.streams.delete(STREAM);
    await manager.streams.add({ name: 'other', subjects: ['mpc.>'] } as never);
    ends.push(() => manager.streams.delete('other'));
    for (const work of [() => mine.put(BOX, place(1), random(5)), () => relay()]) {
      const e = await refusal(work);
      expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('stream')]);
    }
    expect((await manager.streams.info('other')).state.messages).toBe(0);
  });
});

describe('large parts', () => {
  it('lie in pieces, and the place is filled last', async () => {
    const mine = await relay();
    const bytes = random(3 * PIECE_BYTES + 1);
    const { body, pieces } = storedPart(bytes);
    const order: string[] = [];
    const heard = oracle.subscribe('mpc.>', { callback: (_, m) => void order.push(m.subject) });
    await oracle.flush();
    expect(await mine.put(BOX, place(1), bytes)).toBe('stored');
    await oracle.flush();
    heard.unsubscribe();
    expect(order).toHaveLength(5);
    expect(new Set(order.slice(0, 4))).toEqual(new Set(pieces.map((p) => pieceSubject(BOX, p.hash))));
    expect(order[4]).toBe(placeSubject(BOX, place(1)));
    expect(same(await under(placeSubject(BOX, place(1))), body)).toBe(true);
    expect(same(await mine.get(BOX, place(1)), bytes)).toBe(true);
    expect(await mine.list(BOX)).toEqual([place(1)]);
  });
  it('that were cut off are not there, and go on where they stopped', async () => {
    const mine = await relay();
    const bytes = random(3 * PIECE_BYTES);
    for (const p of storedPart(bytes).pieces.slice(0, 2)) await store(pieceSubject(BOX, p.hash), p.bytes);
    expect([await mine.list(BOX), await mine.get(BOX, place(1))]).toEqual([[], undefined]);
    expect(await mine.put(BOX, place(1), bytes)).toBe('stored');
    expect((await manager.streams.info(STREAM)).state.messages).toBe(4);
    expect(await mine.put(BOX, place(1), bytes)).toBe('there');
    expect(same(await mine.get(BOX, place(1)), bytes)).toBe(true);
  });
  it('of which the relay shows the list and not all pieces are only late', async () => {
    const mine = await relay();
    const bytes = random(2 * PIECE_BYTES);
    const { body, pieces } = storedPart(bytes);
    await store(placeSubject(BOX, place(1)), body);
    expect(await mine.get(BOX, place(1))).toBeUndefined();
    for (const p of pieces) await store(pieceSubject(BOX, p.hash), p.bytes);
    expect(same(await mine.get(BOX, place(1)), bytes)).toBe(true);
  });
  it('with equal pieces are whole', async () => {
    const mine = await relay();
    const bytes = new Uint8Array(4 * PIECE_BYTES).fill(9);
    await mine.put(BOX, place(1), bytes);
    expect(same(await mine.get(BOX, place(1)), bytes)).toBe(true);
  });
});

describe('whoever may write to the stream', () => {
  const hash = (bytes: Uint8Array): string => toHex(sha256(bytes));
  const good = random(PIECE_BYTES + 1);
  const listOf = (length: number, hashes: Uint8Array[]): Uint8Array => Buffer.concat([new Uint8Array([1]), u32(length), ...hashes]);
  const CONTENT: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array()],
    ['an empty part', new Uint8Array([0])],
    ['an unknown form', new Uint8Array([2, 1, 2, 3])],
    ['text', Buffer.from('{"a":1}')],
    ['a small part that is too large', Buffer.concat([new Uint8Array([0]), random(PIECE_BYTES + 1)])],
    ['a list cut off', listOf(PIECE_BYTES + 1, []).subarray(0, 4)],
    ['a list without pieces', listOf(PIECE_BYTES + 1, [])],
    ['a list with a piece too few', listOf(PIECE_BYTES + 1, [random(32)])],
    ['a list with a piece too many', listOf(PIECE_BYTES + 1, [random(32), random(32), random(32)])],
    ['a list with half a hash', listOf(PIECE_BYTES + 1, [random(32), random(31)])],
    ['a list of a small part', listOf(PIECE_BYTES, [random(32)])],
    ['a list of 4 GiB', listOf(0xffffffff, Array.from({ length: 8192 }, () => random(32)))],
  ];
  it('fills a place with garbage: the reader says so and goes on with others', async () => {
    const mine = await relay();
    await mine.put(BOX, place(1000), random(10));
    for (const [i, [what, bytes]] of CONTENT.entries()) {
      await store(placeSubject(BOX, place(i)), bytes);
      const e = await refusal(() => mine.get(BOX, place(i)));
      expect([what, e.code, e.facts.field]).toEqual([what, 'E_RELAY_PART', place(i)]);
      expect((await refusal(() => mine.put(BOX, place(i), random(10)))).code).toBe('E_RELAY_PART');
    }
    expect(await mine.get(BOX, place(1000))).toHaveLength(10);
  });
  it('puts other bytes under the hash of a piece: neither reader nor sender take them', async () => {
    const mine = await relay();
    const { body, pieces } = storedPart(good);
    await store(pieceSubject(BOX, pieces[0]?.hash ?? ''), random(PIECE_BYTES));
    for (const p of pieces.slice(1)) await store(pieceSubject(BOX, p.hash), p.bytes);
    await store(placeSubject(BOX, place(1)), body);
    expect(await refusal(() => mine.get(BOX, place(1)))).toMatchObject({ code: 'E_RELAY_PART', facts: { field: place(1) } });
    expect((await refusal(() => mine.put(BOX, place(2), good))).code).toBe('E_RELAY');
  });
  it('shortens, lengthens or exchanges pieces that have the right hash: lengths are fixed', async () => {
    const mine = await relay();
    const short = random(10);
    const long = random(PIECE_BYTES);
    for (const bytes of [short, long]) await store(pieceSubject(BOX, hash(bytes)), bytes);
    await store(placeSubject(BOX, place(1)), listOf(PIECE_BYTES + 11, [sha256(long), sha256(short)]));
    await store(placeSubject(BOX, place(2)), listOf(PIECE_BYTES + 10, [sha256(short), sha256(long)]));
    await store(placeSubject(BOX, place(3)), listOf(2 * PIECE_BYTES, [sha256(short), sha256(long)]));
    await store(placeSubject(BOX, place(4)), listOf(PIECE_BYTES + 10, [sha256(long), sha256(short)]));
    for (const n of [1, 2, 3]) expect((await refusal(() => mine.get(BOX, place(n)))).code).toBe('E_RELAY_PART');
    expect(same(await mine.get(BOX, place(4)), Buffer.concat([long, short]))).toBe(true);
  });
  it('writes other subjects: they are no names', async () => {
    const mine = await relay();
    await mine.put(BOX, place(1), random(10));
    for (const subject of [`mpc.${BOX}`, `mpc.${BOX}.x`, `mpc.${BOX}.${place(2).toUpperCase()}`, `mpc.${BOX}.${place(2)}.x`, `mpc.${BOX}.${place(2)}0`, `mpc.${BOX}0.${place(2)}`, `mpc.${BOX}.__proto__`, 'mpc.x']) await store(subject, random(1));
    expect(await mine.list(BOX)).toEqual([place(1)]);
  });
  it('fills a box: its first names are shown, a known place is found all the same, nothing hangs, and other boxes are not touched', async () => {
    const mine = await relay();
    await mine.put(place(1), place(2), random(10));
    for (let i = 0; i < MAX_NAMES; i++) oracle.publish(placeSubject(BOX, toHex(u32(i)).padStart(32, '0')), new Uint8Array([0, 1]));
    await oracle.flush();
    expect(await mine.list(BOX)).toHaveLength(MAX_NAMES);
    const last = 'f'.repeat(32);
    await mine.put(BOX, last, random(7));
    const names = await mine.list(BOX);
    expect([names.length, names.includes(last)]).toEqual([MAX_NAMES, false]);
    expect((await mine.get(BOX, last))?.length).toBe(7);
    await mine.wait(BOX, 10_000, 300);
    expect(await mine.list(place(1))).toEqual([place(2)]);
  });
});

describe('waiting', () => {
  it('misses nothing that comes between the look and the listening', async () => {
    const wire = await wireTo(() => server.port);
    ends.push(() => wire.close());
    const mine = await relay(wire.port);
    let looks = 0;
    wire.onServer = async (chunk) => {
      // the first look has been taken, and its answer is on its way
      if (chunk.includes('stream_info_response') && looks++ === 0) await store(placeSubject(BOX, place(1)), new Uint8Array([0, 1]));
      return chunk;
    };
    // without listening first it would look again only after 15 seconds
    const missed = new Promise((done) => setTimeout(done, 10_000, 'missed'));
    expect(await Promise.race([mine.wait(BOX, 0, 3_600_000).then(() => 'seen'), missed])).toBe('seen');
  });
  it('is not kept busy by messages that are no news', async () => {
    const wire = await wireTo(() => server.port);
    ends.push(() => wire.close());
    const mine = await relay(wire.port);
    let looks = 0;
    wire.onClient = (chunk) => {
      looks += chunk.toString('latin1').split('subjects_filter').length - 1;
      return chunk;
    };
    const waiting = mine.wait(BOX, 0, 1500);
    const noise = setInterval(() => {
      oracle.publish(placeSubject(BOX, 'noise'), random(10));
    }, 1);
    await waiting;
    clearInterval(noise);
    expect(looks).toBeGreaterThan(2);
    expect(looks).toBeLessThan(20);
  });
});

describe('addresses', () => {
  it.each(['nats://user:pass@127.0.0.1:1', 'nats://token@127.0.0.1', 'tls://127.0.0.1/path', 'nats://127.0.0.1?x=1', 'nats://127.0.0.1#x', 'nats://a%20b', 'nats://127.0.0.1,127.0.0.2', 'http://127.0.0.1', 'ws://127.0.0.1'])(
    '%s is none',
    async (url) => {
      const e = await refusal(() => natsRelay(new URL(url)));
      expect(e.code).toBe('E_USAGE');
      expect(JSON.stringify([e.message, e.facts])).not.toMatch(/pass|token/);
    },
  );
  it('shows where it is, with the port', async () => {
    expect((await relay()).address).toBe(`nats://${server.host}`);
  });
});
