/** `relay serve` against clients that are hostile, slow, or killed, and against itself being killed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request as plain } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { folderRelay } from '../../src/relay/folder-relay.ts';
import { httpRelay } from '../../src/relay/http-relay.ts';
import { openRelay } from '../../src/relay/open-relay.ts';
import { MAX_NAMES, MAX_PART_BYTES, type Relay } from '../../src/relay/relay.ts';
import { parseListen, type RunningServer, serve, type ServeLimits } from '../../src/relay/serve.ts';
import { openSpool, type Spool } from '../../src/relay/spool.ts';
import { numberOf, part, partPlace } from './children/numbered.ts';
import { bundle, place, random, refusal, tempDir, until } from './people.ts';

const box = place(0);
const name = place(1);
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

const dirs = mkdtempSync(join(tmpdir(), 'relay-serve-'));
afterAll(() => {
  rmSync(dirs, { recursive: true, force: true });
});

async function started(limits: Partial<ServeLimits> = {}, spool: Spool = openSpool(mkdtempSync(join(dirs, 'd-'))), onFault: (text: string) => void = () => undefined): Promise<RunningServer & { root: string }> {
  const server = await serve(spool, { host: '127.0.0.1', port: 0, limits, onFault });
  open.push(() => server.close());
  return { ...server, root: spool.root };
}
async function client(server: RunningServer): Promise<Relay> {
  const relay = await httpRelay(new URL(server.address));
  open.push(() => relay.close());
  return relay;
}
interface Said {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}
/** One request in so many words, on a connection of its own. */
function ask(server: RunningServer, method: string, path: string, body?: Uint8Array, headers: Record<string, string | number> = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const req = plain({ host: '127.0.0.1', port: server.port, method, path, headers: { ...(body ? { 'content-length': body.length } : {}), ...headers }, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (c: Buffer) => chunks.push(c));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
}
const status = async (...args: Parameters<typeof ask>): Promise<number> => (await ask(...args)).status;
/** A connection that says exactly this. */
function raw(server: RunningServer, text: string): { socket: Socket; said: () => string; ended: Promise<void> } {
  const socket = connect(server.port, '127.0.0.1');
  open.push(() => socket.destroy());
  let out = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (out += chunk));
  socket.on('error', () => undefined);
  socket.write(text);
  return { socket, said: () => out, ended: new Promise((done) => socket.once('close', () => done())) };
}

/** A request whose arrival the server has confirmed. */
async function arrived(server: RunningServer, request: string, headers = ''): Promise<ReturnType<typeof raw>> {
  const one = raw(server, `${request} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${headers}\r\n`);
  await until(() => one.said().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  return { ...one, said: () => one.said().slice(25) };
}
/** The body of an answer that came on a raw connection, once it is whole. */
async function bodyOf({ said }: ReturnType<typeof raw>): Promise<string> {
  await until(() => Number(/content-length: (\d+)/.exec(said())?.[1]) === said().split('\r\n\r\n')[1]?.length);
  return said().split('\r\n\r\n')[1] as string;
}

describe('paths', () => {
  it('are two, and everything else is not there', async () => {
    const server = await started();
    writeFileSync(join(server.root, 'secret'), 'geheim');
    await (await client(server)).put(box, name, random(10));
    for (const path of [
      '/', '/v1', '/v1/', `/v1/${box}/`, `/v1/${box}/${name}/`, `/v1/${box}/${name}/x`, `//v1/${box}/${name}`, `/v2/${box}/${name}`, `/V1/${box}/${name}`,
      '/v1/../secret', '/secret', `/v1/${box}/../../secret`, `/v1/${box}/..%2f..%2fsecret`, '/v1/%2e%2e/secret', `/v1/${box}%2f${name}`, `/v1/${box}/%00`, `/v1/.tmp`, `/v1/.tmp/${name}`,
      `/v1/${box.toUpperCase()}`, `/v1/${box.slice(1)}`, `/v1/${box}0`, `/v1/${box}/${name}%20`, `/v1/${box}?known=0&wait=0?`, `http://elsewhere/v1/${box}`, '*',
    ])
      expect([path, await status(server, 'GET', path)]).toEqual([path, 404]);
    expect(await status(server, 'GET', `/v1/${box}/${name}`)).toBe(200);
    expect(await status(server, 'GET', `/v1/${box}/${name}?x`)).toBe(400);
    for (const question of ['', 'known=1', 'wait=1', 'wait=1&known=1', 'known=-1&wait=1', 'known=1&wait=1&x=1', 'known=1e3&wait=1', 'known=999999&wait=1']) expect([question, await status(server, 'GET', `/v1/${box}?${question}`)]).toEqual([question, 400]);
  });
  it('take no other methods: nothing is changed or removed', async () => {
    const server = await started();
    const relay = await client(server);
    const bytes = random(100);
    await relay.put(box, name, bytes);
    for (const method of ['DELETE', 'POST', 'PATCH', 'HEAD', 'OPTIONS', 'MOVE', 'PROPFIND', 'TRACE']) {
      expect([method, await status(server, method, `/v1/${box}/${name}`)]).toEqual([method, 405]);
      expect([method, await status(server, method, `/v1/${box}`)]).toEqual([method, 405]);
    }
    expect(await status(server, 'PUT', `/v1/${box}`, bytes)).toBe(405);
    expect(await relay.get(box, name)).toEqual(bytes);
  });
  it('answer what the page says, with the mark of a relay', async () => {
    const server = await started();
    const bytes = Buffer.from('sealed');
    const path = `/v1/${box}/${name}`;
    for (const [method, body, expected] of [['GET', undefined, 404], ['PUT', bytes, 201], ['PUT', bytes, 200], ['PUT', Buffer.from('other'), 409], ['GET', undefined, 200]] as const) {
      const said = await ask(server, method, path, body);
      expect([said.status, said.headers['mpc-ceremony-relay'], said.headers['cache-control']]).toEqual([expected, '1', 'no-store']);
    }
    expect((await ask(server, 'GET', path)).body).toEqual(bytes);
    const list = await ask(server, 'GET', `/v1/${box}`);
    expect([list.headers['content-type'], list.body.toString()]).toEqual(['application/json', JSON.stringify([name])]);
    // the parts lie in the folder as they are
    expect(readFileSync(join(server.root, box, name))).toEqual(bytes);
  });
});

describe('bounds', () => {
  it('of a part: what is too large is refused before it is sent', async () => {
    const server = await started({ part: 1000 });
    const relay = await client(server);
    expect(await relay.put(box, name, random(1000))).toBe('stored');
    const { said, ended } = raw(server, `PUT /v1/${box}/${place(2)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n`);
    await ended;
    expect(said()).toMatch(/^HTTP\/1\.1 413 /);
    expect(await status(server, 'PUT', `/v1/${box}/${place(2)}`, new Uint8Array(0))).toBe(400);
    expect(await relay.list(box)).toEqual([name]);
  });
  it('of a part: without a length, or with two ways to say it, nothing is read', async () => {
    const server = await started();
    const put = (headers: string): ReturnType<typeof raw> => raw(server, `PUT /v1/${box}/${name} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
    for (const [headers, answer] of [
      ['Transfer-Encoding: chunked', 411],
      ['X: y', 411],
      ['Content-Length: 5\r\nContent-Length: 6', 400],
      ['Content-Length: -1', 400],
      ['Content-Length: 1e3', 400],
      ['Content-Length: 5\r\nTransfer-Encoding: chunked', 400],
      ['Content-Length: 99999999999999999999', 400],
      ['Content-Length: 9999999999', 413],
    ] as const) {
      const { said, ended } = put(headers);
      await ended;
      expect([headers, Number(said().slice(9, 12))]).toEqual([headers, answer]);
    }
    expect(await (await client(server)).list(box)).toEqual([]);
  });
  it('of a header', async () => {
    const server = await started();
    for (const text of [`GET /v1/${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, `GET /v1/${box} HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(9000)}\r\n\r\n`]) {
      const { said, ended } = raw(server, text);
      await ended;
      expect(said()).toMatch(/^HTTP\/1\.1 431 /);
    }
    const { said, ended } = raw(server, 'what is this\r\n\r\n');
    await ended;
    expect(said()).toMatch(/^HTTP\/1\.1 400 /);
  });
  it('of a box: the last name fits, the next does not, and known ones always do', async () => {
    const server = await started({ names: 5 });
    const relay = await client(server);
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => relay.put(box, place(n), Buffer.from('x')).catch((e: Error) => e.message)));
    const stored = all.filter((a) => a === 'stored').length;
    // many at once: never more, and those that were refused may come again
    expect(stored).toBeLessThanOrEqual(5);
    for (let n = 0; n < 20; n++) await relay.put(box, place(n), Buffer.from('x')).catch(() => undefined);
    const names = await relay.list(box);
    expect(names).toHaveLength(5);
    const error = await refusal(() => relay.put(box, place(99), Buffer.from('x')));
    expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('full')]);
    expect(await relay.put(box, names[0] as string, Buffer.from('x'))).toBe('there');
    expect(await relay.put(place(1), place(99), Buffer.from('x'))).toBe('stored');
  });
  it('of the disk: 507, counted over restarts; what is there stays readable and may be said again', async () => {
    const spool = openSpool(tempDir());
    const limits = { disk: 3 * 4096 };
    const first = await started(limits, spool);
    const relay = await client(first);
    expect(await relay.put(box, place(1), random(4096))).toBe('stored');
    const full = await refusal(() => relay.put(box, place(2), random(4097)));
    expect([full.code, full.message]).toEqual(['E_RELAY', expect.stringContaining('full')]);
    const last = random(1);
    expect(await relay.put(box, place(3), last)).toBe('stored');
    expect((await refusal(() => relay.put(box, place(4), random(1)))).code).toBe('E_RELAY');
    await relay.close();
    await first.close();
    const again = await client(await started(limits, spool));
    expect((await refusal(() => again.put(box, place(4), random(1)))).code).toBe('E_RELAY');
    expect(await again.put(box, place(3), last)).toBe('there');
    expect(await again.get(box, place(3))).toEqual(last);
    expect(await again.list(box)).toHaveLength(2);
    // a refusal takes no room
    for (let i = 0; i < 5; i++) await refusal(() => again.put(box, place(3), random(1)));
    expect(await spool.usage()).toBe(3 * 4096);
  });
  const MIB = 1 << 20;
  const announced = (server: RunningServer, n: number, length: number): ReturnType<typeof arrived> => arrived(server, `PUT /v1/${box}/${place(n)}`, `Content-Length: ${String(length)}\r\n`);
  it('of memory: it is set aside when a part is announced; who finds none is told when to come again, and does', async () => {
    const server = await started({ memory: 6 * MIB });
    const slow = await announced(server, 2, 5 * MIB);
    const said = await ask(server, 'PUT', `/v1/${box}/${name}`, random(2 * MIB));
    expect([said.status, said.headers['retry-after']]).toEqual([503, '2']);
    const relay = await client(server);
    const late = relay.put(box, name, random(2 * MIB));
    await new Promise((done) => setTimeout(done, 300));
    slow.socket.destroy();
    expect(await late).toBe('stored');
    expect(await relay.list(box)).toEqual([name]);
  });
  it('of memory: one address has a share of it, and one part that is larger if it fits', async () => {
    const server = await started({ memory: 40 * MIB });
    // a quarter is 10 MiB
    const first = await announced(server, 2, 8 * MIB);
    expect(await status(server, 'PUT', `/v1/${box}/${place(3)}`, random(3 * MIB))).toBe(503);
    expect(await status(server, 'PUT', `/v1/${box}/${place(3)}`, random(2 * MIB))).toBe(201);
    first.socket.destroy();
    await until(async () => (await status(server, 'PUT', `/v1/${box}/${place(4)}`, random(12 * MIB))) === 201);
  });
  it('of memory: slow large parts do not shut out small ones, and slow small ones do not shut out large ones', async () => {
    const server = await started();
    for (let n = 0; n < 11; n++) {
      const one = await announced(server, 10 + n, MAX_PART_BYTES);
      one.socket.write(Buffer.alloc(100_000));
    }
    expect(await status(server, 'PUT', `/v1/${place(7)}/${place(8)}`, random(MIB))).toBe(201);
    expect(await status(server, 'PUT', `/v1/${place(7)}/${place(9)}`, random(MAX_PART_BYTES))).toBe(503);
    const other = await started();
    for (let n = 0; n < 40; n++) await announced(other, 100 + n, MIB);
    expect(await status(other, 'PUT', `/v1/${place(7)}/${place(8)}`, random(MIB))).toBe(503);
    expect(await status(other, 'PUT', `/v1/${place(7)}/${place(9)}`, random(MIB + 1))).toBe(201);
  });
  it('of slowness: a body that comes slower than is demanded is cut off and gives its room back, whether it had any or not', async () => {
    const server = await started({ memory: 6 * MIB, rate: 100_000, graceMs: 300 });
    const slow = [await announced(server, 2, 5 * MIB), await announced(server, 3, 5 * MIB)];
    const drip = setInterval(() => {
      for (const { socket } of slow) socket.write(Buffer.alloc(100));
    }, 20);
    open.push(() => clearInterval(drip));
    await Promise.all(slow.map(({ ended }) => ended));
    for (const { said } of slow) expect(said()).toMatch(/^HTTP\/1\.1 408 /);
    expect(await (await client(server)).put(box, name, random(2 * MIB))).toBe('stored');
    expect(await (await client(server)).list(box)).toEqual([name]);
  });
  it('of a box that was filled by another way: no further name, and what lies there can be read and said again, listed or not', async () => {
    const server = await started();
    const relay = await client(server);
    mkdirSync(join(server.root, box));
    for (let n = 0; n < MAX_NAMES + 20; n++) writeFileSync(join(server.root, box, n.toString(16).padStart(32, '0')), 'x');
    const last = (MAX_NAMES + 19).toString(16).padStart(32, '0');
    expect(await relay.list(box)).not.toContain(last);
    expect(await relay.get(box, last)).toEqual(new Uint8Array(Buffer.from('x')));
    expect(await relay.put(box, last, Buffer.from('x'))).toBe('there');
    expect(await status(server, 'PUT', `/v1/${box}/${place(1)}`, random(5))).toBe(507);
  });
  it('are told to the operator, in lines that fit', async () => {
    const { bounds } = await started();
    expect(bounds.join(' ')).toMatch(/25 MiB.*4096 names.*384 MiB.*1\/4.*16 kB\/s.*10 seconds.*300/);
    for (const line of bounds) expect(line.length).toBeLessThanOrEqual(80);
  });
  it('of time: connections that say nothing, or half of something, are ended', async () => {
    const server = await started({ headerMs: 400, requestMs: 800, idleMs: 600 });
    const lines = [
      raw(server, ''),
      raw(server, 'GET /v1'),
      raw(server, `GET /v1/${box} HTTP/1.1\r\nHost: x\r\n`),
      raw(server, `PUT /v1/${box}/${name} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc`),
    ];
    // one byte now and then does not help
    const drip = raw(server, `PUT /v1/${box}/${name} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n`);
    const dripping = setInterval(() => drip.socket.write('a'), 50);
    await Promise.all([...lines, drip].map((l) => l.ended));
    clearInterval(dripping);
    expect(await (await client(server)).list(box)).toEqual([]);
  });
  it('of an answer: a reader that takes nothing is let go, and others are served meanwhile', async () => {
    const server = await started({ answerMs: 500, idleMs: 60_000 });
    const relay = await client(server);
    await relay.put(box, name, random(MAX_PART_BYTES));
    const slow = raw(server, `GET /v1/${box}/${name} HTTP/1.1\r\nHost: x\r\n\r\n`);
    slow.socket.pause();
    expect((await relay.get(box, name))?.length).toBe(MAX_PART_BYTES);
    await new Promise((done) => setTimeout(done, 1500));
    slow.socket.resume();
    await slow.ended;
    expect(slow.said().length).toBeLessThan(MAX_PART_BYTES);
  });
  it('of connections', async () => {
    const server = await started({ connections: 3 });
    const three = await Promise.all([1, 2, 3].map(() => arrived(server, `GET /v1/${box}?known=0&wait=50`)));
    const fourth = raw(server, `GET /v1/${box} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await fourth.ended;
    expect(fourth.said()).toBe('');
    (three[0] as (typeof three)[0]).socket.destroy();
    // a client repeats until there is room
    expect(await (await client(server)).list(box)).toEqual([]);
  });
  it('of those who wait: one more is answered at once', async () => {
    const server = await started({ waiters: 2, wait: 50 });
    const two = await Promise.all([1, 2].map(() => arrived(server, `GET /v1/${box}?known=0&wait=40`)));
    expect((await ask(server, 'GET', `/v1/${box}?known=0&wait=40`)).body.toString()).toBe('[]');
    expect(two.map((t) => t.said())).toEqual(['', '']);
    await (await client(server)).put(box, name, random(1));
    expect(await Promise.all(two.map(bodyOf))).toEqual([JSON.stringify([name]), JSON.stringify([name])]);
    // who went away has left the queue
    const gone = await Promise.all([1, 2].map(() => arrived(server, `GET /v1/${box}?known=1&wait=40`)));
    for (const g of gone) g.socket.destroy();
    let waiting: Promise<Said> | undefined;
    await until(async () => {
      waiting = ask(server, 'GET', `/v1/${box}?known=1&wait=40`);
      return (await Promise.race([waiting, new Promise((done) => setTimeout(() => done('waits'), 300))])) === 'waits';
    });
    await (await client(server)).put(box, place(2), random(1));
    expect(JSON.parse((await waiting)?.body.toString() ?? '')).toHaveLength(2);
  });
});

describe('the folder under it', () => {
  it('may be filled by another way too: who waits hears of it', async () => {
    const server = await started({ lookMs: 200 });
    const waiting = await arrived(server, `GET /v1/${box}?known=0&wait=50`);
    await (await folderRelay(server.root)).put(box, name, random(10));
    expect(await bodyOf(waiting)).toBe(JSON.stringify([name]));
    expect(await (await client(server)).list(box)).toEqual([name]);
  });
  it('may be emptied: there is room again', async () => {
    const server = await started({ disk: 2 * 4096, names: 1, tidyMs: 200 });
    const relay = await client(server);
    expect(await relay.put(box, name, random(10))).toBe('stored');
    for (const work of [() => relay.put(box, place(2), random(10)), () => relay.put(place(2), name, random(10))]) expect((await refusal(work)).code).toBe('E_RELAY');
    rmSync(join(server.root, box), { recursive: true });
    await until(() => relay.put(box, place(2), random(10)).then(() => true, () => false));
  });
  it('with something in a place that is no part: named to the client, and said to the operator without boxes', async () => {
    const faults: string[] = [];
    const server = await started({}, undefined, (text) => faults.push(text));
    mkdirSync(join(server.root, box));
    mkdirSync(join(server.root, box, name));
    writeFileSync(join(server.root, place(5)), 'a file where a box should be');
    const relay = await client(server);
    for (const work of [() => relay.get(box, name), () => relay.put(box, name, random(5))]) {
      const error = await refusal(work);
      expect([error.code, error.facts.field]).toEqual(['E_RELAY_PART', name]);
    }
    expect((await refusal(() => relay.put(place(5), name, random(5)))).code).toBe('E_RELAY');
    expect((await refusal(() => relay.list(place(5)))).code).toBe('E_RELAY');
    expect(await relay.put(box, place(2), random(5))).toBe('stored');
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n')).not.toMatch(/[0-9a-f]{24}/);
  });
  it('that is full is told as full', async () => {
    const dir = tempDir();
    const server = await started({}, openSpool(dir, { link: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) }));
    const error = await refusal(async () => (await client(server)).put(box, name, random(10)));
    expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('full')]);
  });
  it('a large part that shrinks while it is sent is not taken for a whole one', async () => {
    const server = await started();
    await (await client(server)).put(box, name, random(20_000_000));
    const slow = raw(server, `GET /v1/${box}/${name} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => slow.said() !== '');
    slow.socket.pause();
    truncateSync(join(server.root, box, name), 100_000);
    slow.socket.resume();
    await slow.ended;
    expect(slow.said().length).toBeLessThan(20_000_000);
  });
});

describe('ending', () => {
  it('answers who waits, takes nothing new, and finishes what it began', async () => {
    const server = await started();
    const waiting = await arrived(server, `GET /v1/${box}?known=0&wait=50`);
    const half = await arrived(server, `PUT /v1/${box}/${name}`, 'Content-Length: 10\r\n');
    half.socket.write('abc');
    const closed = server.close();
    expect(await bodyOf(waiting)).toBe('[]');
    await expect(ask(server, 'GET', `/v1/${box}`)).rejects.toThrow();
    half.socket.write('defghij');
    await Promise.all([closed, half.ended]);
    expect(half.said()).toMatch(/^HTTP\/1\.1 201 /);
    expect(readFileSync(join(server.root, box, name), 'latin1')).toBe('abcdefghij');
  });
});

describe('listening', () => {
  it.each([['127.0.0.1:8787', '127.0.0.1', 8787], ['[::1]:0', '::1', 0], ['relay.example:65535', 'relay.example', 65535]])('%s', (text, host, port) => {
    expect(parseListen(text)).toEqual({ host, port });
  });
  it.each(['', '8787', ':8787', '127.0.0.1', '127.0.0.1:', '127.0.0.1:65536', '127.0.0.1:x', '::1:8787', 'http://x:1', 'a b:1', 'x:1/'])('"%s" is refused', async (text) => {
    expect((await refusal(() => parseListen(text))).code).toBe('E_USAGE');
  });
  it('where another program listens, or nobody can, is refused with words', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    open.push(() => other.close());
    const { port } = other.address() as { port: number };
    for (const [options, words] of [[{ host: '127.0.0.1', port }, 'another program'], [{ host: '192.0.2.1', port: 0 }, 'cannot listen']] as const) {
      const error = await refusal(() => serve(openSpool(tempDir()), options));
      expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining(words)]);
      expect(error.facts.remedy).toContain('--listen');
    }
  });
});

describe('over TLS', () => {
  const dir = mkdtempSync(join(dirs, 'tls-'));
  const file = (f: string): string => join(dir, f);
  beforeAll(() => {
    const ssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
    for (const ca of ['ca', 'other']) ssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${ca}.key`, '-out', `${ca}.pem`, '-subj', `/CN=${ca}`, '-days', '2');
    ssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'tls.key', '-out', 'tls.csr', '-subj', '/CN=relay');
    writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1');
    ssl('x509', '-req', '-in', 'tls.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'tls.pem', '-days', '2', '-extfile', 'ext');
  });
  it('serves those who know its authority; others refuse it, and say why', async () => {
    const server = await serve(openSpool(tempDir()), { host: '127.0.0.1', port: 0, tls: { key: readFileSync(file('tls.key')), cert: readFileSync(file('tls.pem')) } });
    open.push(() => server.close());
    expect(server.address).toMatch(/^https:/);
    const relay = await openRelay(server.address, { ca: file('ca.pem') });
    open.push(() => relay.close());
    const bytes = random(100_000);
    expect(await relay.put(box, name, bytes)).toBe('stored');
    expect(await relay.get(box, name)).toEqual(bytes);
    for (const options of [{}, { ca: file('other.pem') }]) {
      const stranger = await openRelay(server.address, options);
      open.push(() => stranger.close());
      const error = await refusal(() => stranger.get(box, name));
      expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('certificate')]);
    }
    // the right authority, but another machine's name
    const named = await openRelay(server.address.replace('127.0.0.1', 'localhost'), { ca: file('ca.pem') });
    open.push(() => named.close());
    expect((await refusal(() => named.list(box))).code).toBe('E_RELAY');
  });
});

describe.skipIf(process.platform === 'win32')('kill -9', () => {
  const bin = mkdtempSync(join(dirs, 'bin-'));
  let script = '';
  let putter = '';
  beforeAll(async () => {
    script = await bundle('server', bin);
    putter = await bundle('putter', bin);
  });
  async function spawned(dir: string, port: number): Promise<{ child: ChildProcess; address: string; port: number }> {
    const child = spawn(process.execPath, [script, dir, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    open.push(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    await until(() => out.includes('\n') || child.exitCode !== null);
    const address = out.trim();
    return { child, address, port: Number(new URL(address).port) };
  }

  it('of the server while parts come in: nothing that was acknowledged is lost, nothing torn is served, the client goes on by itself', async () => {
    const dir = tempDir();
    let { child, address, port } = await spawned(dir, 0);
    const relay = await httpRelay(new URL(address));
    open.push(() => relay.close());
    const acknowledged: number[] = [];
    let next = 0;
    let stop = false;
    const putting = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!stop) {
          const n = next++;
          await relay.put(box, partPlace(n), part(n));
          acknowledged.push(n);
        }
      }),
    );
    for (let kill = 0; kill < 4; kill++) {
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 10 + 3 * kill);
      child.kill('SIGKILL');
      await once(child, 'close');
      ({ child, address, port } = await spawned(dir, port));
    }
    stop = true;
    await putting;
    const there = await relay.list(box);
    for (const n of acknowledged) expect([n, there.includes(partPlace(n))]).toEqual([n, true]);
    for (const place of there) expect(numberOf((await relay.get(box, place)) ?? new Uint8Array(0))).toBeTypeOf('number');
    expect(acknowledged.length).toBe(next);
    // and a graceful end
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect(readdirSync(dir).sort()).toEqual(['.tmp', box]);
  });
  it('of the client: what it had said is there once, what it says again is known, nothing is torn', async () => {
    const server = await started();
    const acknowledged = new Set<number>();
    for (let kill = 0; kill < 4; kill++) {
      const child = spawn(process.execPath, [putter, server.address, '0', '400', box]);
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
      await until(() => out.split('\n').length > 8 + 20 * kill || child.exitCode !== null);
      child.kill('SIGKILL');
      await once(child, 'close');
      for (const [, word, n] of out.matchAll(/^(\w+) (\d+)\n/gm)) {
        if (acknowledged.has(Number(n))) expect(word).toBe('there');
        acknowledged.add(Number(n));
      }
    }
    const relay = await client(server);
    const names = await relay.list(box);
    for (const n of acknowledged) expect(names).toContain(partPlace(n));
    for (const place of names) expect(numberOf((await relay.get(box, place)) ?? new Uint8Array(0))).toBeTypeOf('number');
  });
});
