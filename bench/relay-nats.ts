/**
 * A NATS relay on loopback: one part of 20 kB put and fetched, and many ceremonies at once through one nats-server.
 *
 *   npm run bench:relay-nats                     1,000 ceremonies of 3 participants, 3 rounds, 2,000 bytes a part
 *   npm run bench:relay-nats -- 200 20000        so many ceremonies, bytes of a part
 *
 * Nothing is sealed here: the figures are those of the relay. Every participant has a connection of its own, as in life; all of them are in
 * one process, which shares the processor with the server. In each round everybody puts a part for each other, waits, lists and fetches. "delivered" is from
 * before the put until the reader has the bytes. At the end every part is fetched again and compared.
 */
import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { natsRelay } from '../src/relay/nats-relay.ts';
import type { Relay } from '../src/relay/relay.ts';
import { startNats } from '../test/support/nats.ts';

const CEREMONIES = Number(process.argv[2] ?? 1000);
const BYTES = Number(process.argv[3] ?? 2000);
const PEOPLE = 3;
const ROUNDS = 3;
const SINGLE = 300;
const PATIENCE = { connect: 60_000, answer: 60_000, altogether: 120_000 };

const name = (...words: readonly (string | number)[]): string => createHash('sha256').update(words.join(' ')).digest('hex').slice(0, 32);
/** The same bytes for the same part, so that whatever comes can be compared. */
const partOf = (place: string, bytes = BYTES): Uint8Array => {
  const seed = createHash('sha256').update(place).digest();
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 32) out.set(seed.subarray(0, Math.min(32, bytes - i)), i);
  return out;
};
const same = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0;
const at = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
const ms = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0)).padStart(8);
const line = (what: string, values: readonly number[]): void => {
  console.log(`${what.padEnd(26)} ${String(values.length).padStart(7)} ${ms(at(values, 0.5))} ${ms(at(values, 0.99))} ${ms(at(values, 1))}`);
};
const clientRss = (): number => Math.round(process.memoryUsage().rss / 1e6);

const server = await startNats();
const url = new URL(`nats://${server.host}`);
const serverRss = (): number => Math.round(server.rss() / 1e3);
console.log(`node ${process.version}; before: server ${String(serverRss())} MB, client ${String(clientRss())} MB\n`);
console.log(`${''.padEnd(26)}   count   median      p99      max   (ms)`);

// one part after another
const single = await natsRelay(url, {}, PATIENCE);
const puts: number[] = [];
const gets: number[] = [];
const box = name('single');
for (let i = 0; i < SINGLE + 20; i++) {
  const bytes = new Uint8Array(randomBytes(20_000));
  const marks = [performance.now()];
  await single.put(box, name('single', i), bytes);
  marks.push(performance.now());
  const got = await single.get(box, name('single', i));
  marks.push(performance.now());
  if (!same(got, bytes)) throw new Error('lost');
  if (i < 20) continue;
  puts.push((marks[1] ?? 0) - (marks[0] ?? 0));
  gets.push((marks[2] ?? 0) - (marks[1] ?? 0));
}
line('put, 20 kB', puts);
line('get, 20 kB', gets);
await single.close();

// all ceremonies at once
const began = new Map<string, number>();
const stored: number[] = [];
const delivered: number[] = [];
let wrong = 0;
const person = async (relay: Relay, ceremony: number, me: number): Promise<void> => {
  const lying = name('box', ceremony);
  const others = Array.from({ length: PEOPLE }, (_, i) => i).filter((i) => i !== me);
  const read = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      others.map(async (to) => {
        const place = name(ceremony, round, me, to);
        const from = performance.now();
        began.set(place, from);
        await relay.put(lying, place, partOf(place));
        stored.push(performance.now() - from);
      }),
    );
    const awaited = others.map((from) => name(ceremony, round, from, me));
    for (let known = 0; awaited.some((place) => !read.has(place)); ) {
      const names = new Set(await relay.list(lying));
      const come = awaited.filter((place) => names.has(place) && !read.has(place));
      await Promise.all(
        come.map(async (place) => {
          if (!same(await relay.get(lying, place), partOf(place))) wrong += 1;
          delivered.push(performance.now() - (began.get(place) ?? NaN));
          read.add(place);
        }),
      );
      known = names.size;
      if (awaited.some((place) => !read.has(place))) await relay.wait(lying, known, 60_000);
    }
  }
};
const relays: Relay[] = [];
for (let i = 0; i < CEREMONIES * PEOPLE; i += 100) relays.push(...(await Promise.all(Array.from({ length: Math.min(100, CEREMONIES * PEOPLE - i) }, () => natsRelay(url, {}, PATIENCE)))));
console.log(`\n${String(relays.length)} connections: server ${String(serverRss())} MB, client ${String(clientRss())} MB`);
let top = [0, 0];
const watch = setInterval(() => {
  top = [Math.max(top[0] ?? 0, serverRss()), Math.max(top[1] ?? 0, clientRss())];
}, 200);
const start = performance.now();
await Promise.all(relays.map((relay, i) => person(relay, Math.floor(i / PEOPLE), i % PEOPLE)));
const took = performance.now() - start;
clearInterval(watch);
line(`put, ${String(BYTES)} B, all at once`, stored);
line('delivered, all at once', delivered);
const parts = CEREMONIES * PEOPLE * (PEOPLE - 1) * ROUNDS;
console.log(`\n${String(CEREMONIES)} ceremonies, ${String(parts)} parts in ${(took / 1000).toFixed(1)} s: ${String(Math.round((parts / took) * 1000))} parts a second`);
console.log(`at most: server ${String(top[0])} MB, client ${String(top[1])} MB; processor: server ${server.cpu().toFixed(0)} s, client ${(process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6).toFixed(0)} s`);

// nothing lost
let there = 0;
const again = await natsRelay(url, {}, PATIENCE);
const lists: number[] = [];
for (let i = 0; i < SINGLE; i++) {
  const from = performance.now();
  await again.list(name('box', i % CEREMONIES));
  lists.push(performance.now() - from);
}
line('list, alone', lists);
const left = [...began.keys()];
const boxOf = new Map<string, string>();
for (let c = 0; c < CEREMONIES; c++)
  for (let r = 0; r < ROUNDS; r++) for (let a = 0; a < PEOPLE; a++) for (let b = 0; b < PEOPLE; b++) boxOf.set(name(c, r, a, b), name('box', c));
for (let i = 0; i < left.length; i += 64)
  await Promise.all(
    left.slice(i, i + 64).map(async (place) => {
      if (same(await again.get(boxOf.get(place) ?? '', place), partOf(place))) there += 1;
    }),
  );
console.log(`delivered ${String(delivered.length)} of ${String(parts)}, wrong ${String(wrong)}; afterwards in the relay ${String(there)} of ${String(parts)}`);
await Promise.all([again, ...relays].map((r) => r.close()));
await server.remove();
if (delivered.length !== parts || there !== parts || wrong > 0) process.exitCode = 1;
