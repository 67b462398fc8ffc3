/** The client of a relay, and servers that are none, or lie, or fail. */
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as tcp, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { httpRelay } from '../../src/relay/http-relay.ts';
import { MAX_NAMES, MAX_PART_BYTES, type Relay } from '../../src/relay/relay.ts';
import { place, random, refusal } from './people.ts';

const box = place(0);
const name = place(1);
const MARK = { 'mpc-ceremony-relay': '1' };
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
}

/** A client of a server that answers so. */
async function against(answer: (res: ServerResponse, asked: Asked, n: number) => void, timing = { idle: 400, whole: 1500, patience: 600 }): Promise<{ relay: Relay; asked: Asked[]; address: string }> {
  const asked: Asked[] = [];
  const listener: RequestListener = (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('error', () => undefined);
    req.on('end', () => {
      const one = { method: req.method ?? '', url: req.url ?? '', body: Buffer.concat(chunks) };
      asked.push(one);
      answer(res, one, asked.length);
    });
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const relay = await httpRelay(new URL(address), { timing });
  open.push(() => relay.close());
  return { relay, asked, address };
}
const all = (relay: Relay): (() => Promise<unknown>)[] => [() => relay.put(box, name, random(10)), () => relay.get(box, name), () => relay.list(box), () => relay.wait(box, 0, 5000)];

describe('what is not a relay', () => {
  it('a portal that answers everything with its own page is not believed', async () => {
    for (const status of [200, 201, 401, 403, 404, 500]) {
      const { relay } = await against((res) => res.writeHead(status, { 'content-type': 'text/html' }).end('<html>please log in</html>'));
      for (const work of all(relay)) {
        const error = await refusal(work);
        expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('not a relay')]);
        expect(error.facts.remedy).toBeDefined();
      }
    }
  });
  it('redirections are not followed, whether marked or not', async () => {
    const elsewhere = await against((res) => res.writeHead(200, MARK).end('[]'));
    for (const status of [301, 302, 303, 307, 308])
      for (const mark of [{}, MARK]) {
        const { relay, asked } = await against((res) => res.writeHead(status, { ...mark, location: `${elsewhere.address}/v1/${box}` }).end());
        for (const work of all(relay)) expect((await refusal(work)).code).toBe('E_RELAY');
        expect(asked).toHaveLength(4);
      }
    expect(elsewhere.asked).toHaveLength(0);
  });
  it('something that speaks no HTTP, or nothing at all', async () => {
    for (const words of ['220 mail.example ESMTP\r\n', '\u0000\u0001\u0002', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n']) {
      const server = tcp((socket: Socket) => socket.on('error', () => undefined).end(words)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      open.push(() => server.close());
      const relay = await httpRelay(new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`), { timing: { idle: 400, whole: 1500, patience: 300 } });
      const error = await refusal(() => relay.get(box, name));
      expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('HTTP')]);
    }
    const closed = tcp().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const relay = await httpRelay(new URL(`http://127.0.0.1:${String(port)}`), { timing: { idle: 400, whole: 1500, patience: 300 } });
    expect((await refusal(() => relay.get(box, name))).message).toContain('nothing listens');
  });
});

describe('a relay that lies', () => {
  it.each([
    ['no JSON', 'names'],
    ['bytes that are no UTF-8', Buffer.from([0x5b, 0xff, 0x5d])],
    ['an object', '{}'],
    ['numbers', '[1]'],
    ['a path for a name', '["../../etc/passwd"]'],
    ['upper case', JSON.stringify([name.toUpperCase()])],
    ['a name twice', JSON.stringify([name, name])],
    ['nothing', ''],
    ['too many names', JSON.stringify(Array.from({ length: MAX_NAMES + 1 }, (_, n) => place(n)))],
  ])('lists %s: refused', async (_, body) => {
    const { relay } = await against((res) => res.writeHead(200, MARK).end(body));
    expect((await refusal(() => relay.list(box))).code).toBe('E_RELAY');
    expect((await refusal(() => relay.wait(box, 0, 5000))).code).toBe('E_RELAY');
  });
  it('lists as many names as a box can hold, in any order', async () => {
    const names = Array.from({ length: MAX_NAMES }, (_, n) => place(n));
    const { relay } = await against((res) => res.writeHead(200, MARK).end(JSON.stringify(names)));
    expect(await relay.list(box)).toEqual([...names].sort());
  });
  it('sends without end: cut off at the size of a part, or of a list', async () => {
    let sent = 0;
    const { relay } = await against((res) => {
      res.writeHead(200, MARK);
      const more = (): void => {
        if (res.destroyed) return;
        sent += 1 << 20;
        if (res.write(Buffer.alloc(1 << 20, 0x20))) setImmediate(more);
        else res.once('drain', more);
      };
      more();
    }, { idle: 10_000, whole: 20_000, patience: 100 });
    const error = await refusal(() => relay.get(box, name));
    expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('longer')]);
    expect(sent).toBeLessThan(MAX_PART_BYTES + (64 << 20));
    expect((await refusal(() => relay.list(box))).message).toContain('longer');
  });
  it('answers with any other status: told, with nothing that could steer a terminal', async () => {
    for (const status of [204, 206, 400, 411, 418, 500]) {
      const { relay } = await against((res) => res.writeHead(status, MARK).end(status === 204 ? undefined : '\u001b[2Jgo away\u202e\n'));
      for (const work of all(relay)) {
        const error = await refusal(work);
        expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining(String(status))]);
        expect(error.message).not.toMatch(/[^\x20-\x7e]/);
      }
    }
  });
  it('says that a place is empty when asked to put, or stored when asked to get: refused', async () => {
    const { relay } = await against((res, { method }) => res.writeHead(method === 'PUT' ? 404 : 201, MARK).end());
    for (const work of all(relay)) expect((await refusal(work)).code).toBe('E_RELAY');
  });
  it('that answers every question at once is not asked in a tight loop', async () => {
    const { relay, asked } = await against((res) => res.writeHead(200, MARK).end('[]'));
    await relay.wait(box, 0, 2500);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.length).toBeLessThan(6);
    for (const { url } of asked) expect(url).toMatch(new RegExp(`^/v1/${box}\\?known=0&wait=[0-2]$`));
  });
});

describe('a connection that fails', () => {
  it('in the middle of an answer: asked again, and only the whole answer counts', async () => {
    const bytes = random(200_000);
    const { relay, asked } = await against((res, _, n) => {
      res.writeHead(200, { ...MARK, 'content-length': bytes.length });
      if (n > 2) return res.end(bytes);
      return res.write(bytes.subarray(0, 50_000), () => res.destroy());
    });
    expect(Buffer.from((await relay.get(box, name)) ?? []).equals(bytes)).toBe(true);
    expect(asked).toHaveLength(3);
  });
  it('in the middle of an answer without a length: the same', async () => {
    const { relay } = await against((res, _, n) => {
      res.writeHead(200, MARK);
      if (n > 1) return res.end('whole');
      return res.write('half', () => res.destroy());
    });
    expect(Buffer.from((await relay.get(box, name)) ?? []).toString()).toBe('whole');
  });
  it('after a part was stored: the same bytes are put again', async () => {
    const bytes = random(1000);
    const { relay, asked } = await against((res, _, n) => (n === 1 ? res.destroy() : res.writeHead(200, MARK).end()));
    expect(await relay.put(box, name, bytes)).toBe('there');
    expect(asked.map((a) => a.body.equals(bytes))).toEqual([true, true]);
  });
  it('and a server that is busy: waited for, but not for ever', async () => {
    for (const status of [429, 502, 503, 504]) {
      const { relay, asked } = await against((res, _, n) => res.writeHead(n < 3 ? status : 200, n < 3 ? {} : MARK).end('[]'));
      expect(await relay.list(box)).toEqual([]);
      expect(asked).toHaveLength(3);
    }
    const { relay } = await against((res) => res.writeHead(503).end());
    const error = await refusal(() => relay.list(box));
    expect([error.code, error.message]).toEqual(['E_RELAY', expect.stringContaining('busy')]);
  });
  it('and a relay without room: asked again when it says, for longer than a connection that fails, but not for ever', async () => {
    const times: number[] = [];
    const { relay } = await against((res, _, n) => {
      times.push(performance.now());
      res.writeHead(n < 3 ? 503 : 200, n < 3 ? { ...MARK, 'retry-after': '1' } : MARK).end('[]');
    });
    // patience is 600 ms, and the relay asks for a second, twice
    expect(await relay.list(box)).toEqual([]);
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThan(900);
    const never = await against((res) => res.writeHead(503, { ...MARK, 'retry-after': '0' }).end(), { idle: 400, whole: 1500, patience: 120 });
    expect((await refusal(() => never.relay.list(box))).message).toContain('busy');
    expect(never.asked.length).toBeGreaterThan(1);
    expect(never.asked.length).toBeLessThan(5);
  });
  it('and what is not a relay, or names a day far away, does not decide how long this machine waits', async () => {
    for (const headers of [{ 'retry-after': '1' }, { ...MARK, 'retry-after': '999999' }, { ...MARK, 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }]) {
      const { relay } = await against((res) => res.writeHead(503, headers).end());
      expect((await refusal(() => relay.list(box))).message).toContain('busy');
    }
  });
  it('because this machine sends too slowly: said so', async () => {
    const { relay } = await against((res) => res.writeHead(408, MARK).end('too slow'));
    expect((await refusal(() => relay.put(box, name, random(5)))).message).toContain('slowly');
  });
  it('because the relay starts later: waited for', async () => {
    const reserved = tcp().listen(0, '127.0.0.1');
    await once(reserved, 'listening');
    const { port } = reserved.address() as AddressInfo;
    reserved.close();
    const relay = await httpRelay(new URL(`http://127.0.0.1:${String(port)}`), { timing: { idle: 1000, whole: 5000, patience: 10_000 } });
    open.push(() => relay.close());
    const late = relay.list(box);
    await new Promise((done) => setTimeout(done, 300));
    const server = createServer((_, res) => res.writeHead(200, MARK).end('[]')).listen(port, '127.0.0.1');
    open.push(() => {
      server.closeAllConnections();
      server.close();
    });
    expect(await late).toEqual([]);
  });
  it('by silence: given up after a while', async () => {
    const { relay } = await against(() => undefined);
    expect((await refusal(() => relay.get(box, name))).message).toContain('no answer');
  });
  it('by an answer of one byte now and then: given up after a while', async () => {
    const { relay } = await against((res) => {
      res.writeHead(200, MARK);
      const timer = setInterval(() => res.write('a'), 50);
      res.once('close', () => clearInterval(timer));
    });
    expect((await refusal(() => relay.get(box, name))).message).toContain('no whole answer');
  });
  it('or is ended by its owner: everything under way ends with it', async () => {
    const { relay } = await against(() => undefined, { idle: 60_000, whole: 60_000, patience: 60_000 });
    const works = [...Array.from({ length: 20 }, () => refusal(() => relay.get(box, name))), refusal(() => relay.put(box, name, random(5)))];
    const waiting = relay.wait(box, 0, 60_000);
    await new Promise((done) => setTimeout(done, 100));
    await relay.close();
    expect(new Set((await Promise.all(works)).map((e) => e.code))).toEqual(new Set(['E_RELAY']));
    await waiting;
  });
});

it('an address may have a path, for a relay behind another server', async () => {
  const { address, asked } = await against((res) => res.writeHead(200, MARK).end('[]'));
  for (const base of [`${address}/team/relay`, `${address}/team/relay/`]) {
    const relay = await httpRelay(new URL(base));
    open.push(() => relay.close());
    await relay.list(box);
    expect(relay.address).toBe(`${address}/team/relay`);
  }
  expect(asked.map((a) => a.url)).toEqual([`/team/relay/v1/${box}`, `/team/relay/v1/${box}`]);
});
