/**
 * The relay: how long one message takes, and how many ceremonies one server bears.
 *
 *   npm run bench:relay                    both parts, on the disk of the temporary folder (TMPDIR)
 *   npm run bench:relay -- one             one message of 20 kB: seal, push, fetch, open
 *   npm run bench:relay -- load 1000       so many ceremonies at once, of 3 participants, 3 messages each
 *
 * The server of the load is a process of its own; everything else runs in this one. A message of a ceremony is one part for each of
 * the two others, so that 1,000 ceremonies are 18,000 parts. Each participant has its own connections, puts its two parts, waits until its box
 * holds everybody's parts of the round, fetches and opens the two for it, and goes on to the next round. Everything is
 * durable: the server answers when a part is on the disk.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { folderRelay } from '../src/relay/folder-relay.ts';
import { httpRelay } from '../src/relay/http-relay.ts';
import { openPart } from '../src/relay/open-part.ts';
import { boxOf, placeName } from '../src/relay/place.ts';
import { relayKey, relayReady } from '../src/relay/relay-key.ts';
import type { Relay } from '../src/relay/relay.ts';
import { sealPart } from '../src/relay/seal-part.ts';
import { serve } from '../src/relay/serve.ts';
import { openSpool } from '../src/relay/spool.ts';
import { signerFromSeed } from '../src/wire/ed25519.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const BYTES = 20_000;
const NAMES = ['alice', 'bob', 'carol'] as const;

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
}
const ms = (values: readonly number[]): string => `median ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms`;

const person = (name: string) => ({ name, signer: signerFromSeed(random(32)), key: relayKey(random(32)) });
type Person = ReturnType<typeof person>;

/** One message from a to b; the parts of the way in milliseconds. */
async function message(relay: Relay, a: Person, b: Person, sid: Uint8Array, label: string, payload: Uint8Array): Promise<{ seal: number; push: number; fetch: number; open: number }> {
  const at = { sid, from: a.name, to: b.name, label };
  const t0 = performance.now();
  const name = placeName(a.key.shared(b.key.publicKey), at);
  const part = sealPart({ ...at, payload, reader: b.key.publicKey, signer: a.signer, key: a.key });
  const t1 = performance.now();
  await relay.put(boxOf(sid), name, part);
  const t2 = performance.now();
  const got = await relay.get(boxOf(sid), placeName(b.key.shared(a.key.publicKey), at));
  const t3 = performance.now();
  if (got === undefined || !Buffer.from(openPart(got, { ...at, identity: a.signer.publicKey }, b.key)).equals(payload)) throw new Error('lost');
  return { seal: t1 - t0, push: t2 - t1, fetch: t3 - t2, open: performance.now() - t3 };
}

async function one(what: string, relay: Relay): Promise<void> {
  const [a, b] = [person('alice'), person('bob')];
  const runs: Awaited<ReturnType<typeof message>>[] = [];
  for (let i = 0; i < 350; i++) runs.push(await message(relay, a, b, random(32), 'message-1', random(BYTES)));
  const warm = runs.slice(50);
  const each = (['seal', 'push', 'fetch', 'open'] as const).map((k) => `${k} ${quantile(warm.map((r) => r[k]), 0.5).toFixed(2)}`).join(', ');
  console.log(`${what}: ${ms(warm.map((r) => r.seal + r.push + r.fetch + r.open))} (${each})`);
  await relay.close();
}

/** Resident memory of a process in MB; the most it ever had, and what it has now. */
function memory(child: ChildProcess): { peak: number; now: number } {
  const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
  const of = (field: string): number => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1000);
  return { peak: of('VmHWM'), now: of('VmRSS') };
}

/** Processor time that a process has used, in milliseconds: other load on the machine does not show in it. */
function processorTime(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function spawnServer(dir: string): Promise<{ child: ChildProcess; address: string }> {
  const child = fork(process.argv[1] as string, ['server', dir], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [address] = (await once(child, 'message')) as [string];
  return { child, address };
}

async function load(ceremonies: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-relay-'));
  const { child, address } = await spawnServer(dir);
  try {
    const idle = memory(child).now;
    const people = NAMES.map(person);
    // sealed beforehand: the participants' own work is not the server's
    const rounds = 3;
    const payloads = Array.from({ length: ceremonies }, () => NAMES.map(() => Array.from({ length: rounds }, () => random(4000))));
    const sids = payloads.map(() => random(32));
    const shared = people.map((a) => people.map((b) => (a === b ? new Uint8Array(0) : a.key.shared(b.key.publicKey))));
    const at = (c: number, from: number, to: number, round: number) => ({ sid: sids[c] as Uint8Array, from: NAMES[from] as string, to: NAMES[to] as string, label: `message-${String(round + 1)}` });
    const name = (c: number, from: number, to: number, round: number): string => placeName(shared[from]?.[to] as Uint8Array, at(c, from, to, round));
    const parts = payloads.map((ofCeremony, c) =>
      ofCeremony.map((messages, from) => messages.map((payload, round) => people.map((b, to) => (to === from ? undefined : sealPart({ ...at(c, from, to, round), payload, reader: b.key.publicKey, signer: (people[from] as Person).signer, key: (people[from] as Person).key }))))),
    );
    const puts: number[] = [];
    const gets: number[] = [];
    const roundTimes: number[] = [];
    let opened = 0;
    const timed = async <T>(into: number[], work: Promise<T>): Promise<T> => {
      const start = performance.now();
      const out = await work;
      into.push(performance.now() - start);
      return out;
    };
    const participant = async (c: number, me: number): Promise<void> => {
      const relay = await httpRelay(new URL(address), { timing: { idle: 60_000, whole: 600_000, patience: 120_000 } });
      const box = boxOf(sids[c] as Uint8Array);
      const others = [0, 1, 2].filter((i) => i !== me);
      for (let round = 0; round < rounds; round++) {
        const start = performance.now();
        for (const to of others) if ((await timed(puts, relay.put(box, name(c, me, to, round), parts[c]?.[me]?.[round]?.[to] as Uint8Array))) !== 'stored') throw new Error('not new');
        const wanted = others.map((from) => ({ from, place: name(c, from, me, round) }));
        for (;;) {
          const there = new Set(await relay.list(box));
          if (wanted.every((w) => there.has(w.place))) break;
          await relay.wait(box, there.size, 60_000);
        }
        for (const { from, place } of wanted) {
          const got = await timed(gets, relay.get(box, place));
          const payload = openPart(got ?? new Uint8Array(0), { ...at(c, from, me, round), identity: (people[from] as Person).signer.publicKey }, (people[me] as Person).key);
          if (Buffer.from(payload).equals(payloads[c]?.[from]?.[round] as Uint8Array)) opened += 1;
        }
        roundTimes.push(performance.now() - start);
      }
      await relay.close();
    };
    const before = processorTime(child);
    const start = performance.now();
    await Promise.all(sids.flatMap((_, c) => NAMES.map((_, me) => participant(c, me))));
    const seconds = (performance.now() - start) / 1000;
    const expected = ceremonies * NAMES.length * (NAMES.length - 1) * rounds;
    const { peak } = memory(child);
    const work = processorTime(child) - before;
    console.log(`${String(ceremonies)} ceremonies at once, ${String(3 * ceremonies)} participants: ${seconds.toFixed(1)} s, ${Math.round((2 * expected) / seconds).toString()} parts a second in or out`);
    console.log(`  put: ${ms(puts)}; get: ${ms(gets)}; a round of a ceremony: ${ms(roundTimes)}`);
    console.log(`  server: ${(work / expected).toFixed(2)} ms of processor time for each part, with its way in, its way out and the waiting`);
    console.log(`  server memory: ${String(idle)} MB idle, ${String(peak)} MB at most`);
    console.log(`  ${String(opened)} of ${String(expected)} parts arrived whole and opened${opened === expected ? ': nothing lost' : '  LOST'}`);
    if (opened !== expected) process.exitCode = 1;
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(dir, { recursive: true });
  }
}

async function main([mode, argument]: readonly string[]): Promise<void> {
  if (mode === 'server') {
    process.env['UV_THREADPOOL_SIZE'] ??= '16'; // as relay serve does
    const server = await serve(openSpool(argument as string), { host: '127.0.0.1', port: 0, onFault: (text) => console.error(text) });
    process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
    process.send?.(server.address);
    return;
  }
  await relayReady();
  if (mode === undefined || mode === 'one') {
    const dir = mkdtempSync(join(tmpdir(), 'bench-relay-'));
    await one('folder', await folderRelay(dir));
    const { child, address } = await spawnServer(dir);
    await one('http', await httpRelay(new URL(address)));
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(dir, { recursive: true });
  }
  if (mode === undefined || mode === 'load') await load(Number(argument ?? 1000));
}

await main(process.argv.slice(2));
