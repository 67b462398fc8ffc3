/** What every relay does, whatever carries it: the folder, HTTP over a folder, HTTPS. */
import { afterEach, describe, expect, it } from 'vitest';
import { folderRelay } from '../../src/relay/folder-relay.ts';
import { httpRelay } from '../../src/relay/http-relay.ts';
import { MAX_PART_BYTES, type Relay } from '../../src/relay/relay.ts';
import { serve } from '../../src/relay/serve.ts';
import { openSpool } from '../../src/relay/spool.ts';
import { place, random, refusal, tempDir } from './people.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

/** Two clients of one relay. */
const KINDS: Record<string, () => Promise<[Relay, Relay]>> = {
  folder: async () => {
    const dir = tempDir();
    return [await folderRelay(dir), await folderRelay(dir)];
  },
  http: async () => {
    const server = await serve(openSpool(tempDir()), { host: '127.0.0.1', port: 0 });
    open.push(() => server.close());
    return [await httpRelay(new URL(server.address)), await httpRelay(new URL(`${server.address}/`))];
  },
};

describe.each(Object.keys(KINDS))('%s', (kind) => {
  const relays = async (): Promise<[Relay, Relay]> => {
    const pair = await (KINDS[kind] as () => Promise<[Relay, Relay]>)();
    for (const relay of pair) open.push(() => relay.close());
    return pair;
  };
  const box = place(0);

  it('gives what was put, byte for byte, to everybody, as often as asked', async () => {
    const [one, two] = await relays();
    for (const size of [1, 1000, 65_536, 65_537, 300_000, MAX_PART_BYTES]) {
      const bytes = random(size);
      expect(await one.put(box, place(size), bytes)).toBe('stored');
      for (const relay of [two, one, two]) expect(Buffer.from((await relay.get(box, place(size))) ?? []).equals(bytes)).toBe(true);
    }
  });
  it('has nothing where nothing was put', async () => {
    const [one] = await relays();
    expect(await one.get(box, place(1))).toBeUndefined();
    expect(await one.list(box)).toEqual([]);
    await one.put(box, place(2), random(5));
    expect(await one.get(box, place(1))).toBeUndefined();
    expect(await one.get(place(1), place(2))).toBeUndefined();
    expect(await one.list(place(2))).toEqual([]);
  });
  it('keeps the first bytes of a place for ever, and says whether they came twice', async () => {
    const [one, two] = await relays();
    const bytes = random(1000);
    expect(await one.put(box, place(1), bytes)).toBe('stored');
    expect(await one.put(box, place(1), bytes)).toBe('there');
    expect(await two.put(box, place(1), bytes)).toBe('there');
    const changed = bytes.slice();
    changed[999] = (changed[999] as number) ^ 1;
    for (const other of [changed, bytes.slice(0, 999), random(2000), Buffer.concat([bytes, random(1)])]) {
      const error = await refusal(() => two.put(box, place(1), other));
      expect([error.code, error.facts.field]).toEqual(['E_RELAY_PART', place(1)]);
      expect(error.message).toContain(place(1));
    }
    expect(await one.get(box, place(1))).toEqual(bytes);
  });
  it('of many who put different bytes at once, exactly one wins', async () => {
    const pair = await relays();
    for (let round = 0; round < 5; round++) {
      const tries = Array.from({ length: 16 }, (_, i) => ({ relay: pair[i % 2] as Relay, bytes: random(5000) }));
      const outcomes = await Promise.all(tries.map(({ relay, bytes }) => relay.put(box, place(round), bytes).then((said) => ({ said, bytes }), () => undefined)));
      const won = outcomes.filter((o) => o !== undefined);
      expect(won.map((o) => o.said)).toEqual(['stored']);
      expect(await pair[0].get(box, place(round))).toEqual(won[0]?.bytes);
    }
  });
  it('of many who put the same bytes at once, all are content', async () => {
    const pair = await relays();
    const bytes = random(5000);
    const said = await Promise.all(Array.from({ length: 16 }, (_, i) => (pair[i % 2] as Relay).put(box, place(9), bytes)));
    expect(said.filter((s) => s === 'stored')).toHaveLength(1);
    expect(new Set(said)).toEqual(new Set(['stored', 'there']));
  });
  it('lists names in order, and those of one box alone', async () => {
    const [one, two] = await relays();
    const names = Array.from({ length: 30 }, (_, i) => place(i));
    await Promise.all(names.map((n) => one.put(box, n, random(10))));
    await one.put(place(99), place(100), random(10));
    expect(await two.list(box)).toEqual([...names].sort());
  });
  it('wakes whoever waits when something came, and not before', async () => {
    const [one, two] = await relays();
    let woken = false;
    const waiting = two.wait(box, 1, 60_000).then(() => (woken = true));
    await one.put(box, place(1), random(10));
    await new Promise((done) => setTimeout(done, 700));
    expect(woken).toBe(false);
    await one.put(box, place(2), random(10));
    await waiting;
    // what is there already needs no waiting
    await two.wait(box, 1, 60_000);
    await two.wait(box, 0, 60_000);
  });
  it('lets go of whoever waits when the time is over, or the relay is closed', async () => {
    const [one, two] = await relays();
    await one.wait(box, 0, 0);
    await one.wait(box, 0, 1200);
    const waiting = [two.wait(box, 0, 600_000), two.wait(place(5), 3, 600_000)];
    await new Promise((done) => setTimeout(done, 100));
    await two.close();
    await Promise.all(waiting);
  });
  it('refuses what is no place and no part, before anything is sent', async () => {
    const [one] = await relays();
    for (const bad of ['', '..', place(1).toUpperCase(), place(1).slice(1), `${place(1)}0`, `../${place(1).slice(3)}`, `${place(1)}\n`]) {
      for (const work of [() => one.put(bad, place(1), random(1)), () => one.put(box, bad, random(1)), () => one.get(box, bad), () => one.get(bad, place(1)), () => one.list(bad), () => one.wait(bad, 0, 1)])
        expect((await refusal(work)).code).toBe('E_INTERNAL');
    }
    expect((await refusal(() => one.put(box, place(1), new Uint8Array(0)))).code).toBe('E_INTERNAL');
    expect((await refusal(() => one.put(box, place(1), new Uint8Array(MAX_PART_BYTES + 1)))).code).toBe('E_TOO_LARGE');
  });
});
