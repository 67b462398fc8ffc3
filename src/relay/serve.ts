/**
 * A relay as an HTTP server over a folder, for machines that can reach one address and share no folder.
 *
 *   PUT /v1/BOX/NAME                    201 stored · 200 these bytes are there · 409 others are · 413 too large · 507 full
 *                                       408 slower than is demanded · 503 no room now, with Retry-After
 *   GET /v1/BOX/NAME                    200 the bytes · 404 nothing there · 409 what is there cannot be read
 *   GET /v1/BOX[?known=N&wait=SECONDS]  200 JSON list of names; with a question, when there are more than N or the time is over
 *
 * Boxes are not listed: who does not know a box finds nothing. There is no way to change or remove a part. An answer to PUT is
 * given when the part is on the disk. Everything that a client can make large or slow is bounded ({@link ServeLimits}).
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { errnoOf } from '../vault/io-error.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { budget, networkOf } from './budget.ts';
import { MAX_NAMES, MAX_PART_BYTES, RELAY_HEADER, RELAY_HEADER_VALUE } from './relay.ts';
import { onDisk, type Spool } from './spool.ts';

/** What the server bounds. */
export interface ServeLimits {
  /** Bytes of one part. */
  readonly part: number;
  /** Names in one box. */
  readonly names: number;
  /** Bytes of all parts on the disk, each rounded up to a block, and a block for each box. */
  readonly disk: number;
  /** Bytes of parts that are being received, in memory, as announced: those of more than {@link SMALL_BYTES}, and those up to that. One address may have a quarter of either. */
  readonly memory: number;
  readonly small: number;
  /** Bytes a second that a body must bring on average, once `graceMs` milliseconds are over. */
  readonly rate: number;
  readonly graceMs: number;
  /** Questions that wait for news. */
  readonly waiters: number;
  /** Seconds that one of them waits. */
  readonly wait: number;
  readonly connections: number;
  /** Milliseconds for the header of a request, a whole request, a whole answer, and a connection without a byte. */
  readonly headerMs: number;
  readonly requestMs: number;
  readonly answerMs: number;
  readonly idleMs: number;
  /** Milliseconds between two looks at boxes that somebody waits for: parts may also come into the folder by another way. */
  readonly lookMs: number;
  /** Milliseconds between two countings of the whole folder, and clean-ups in it. */
  readonly tidyMs: number;
}

export const SERVE_LIMITS: ServeLimits = {
  part: MAX_PART_BYTES,
  names: MAX_NAMES,
  disk: 10_000_000_000,
  memory: 256 << 20,
  small: 128 << 20,
  rate: 16_000,
  graceMs: 10_000,
  waiters: 4096,
  wait: 55,
  connections: 8192,
  headerMs: 10_000,
  requestMs: 300_000,
  answerMs: 600_000,
  idleMs: 75_000,
  lookMs: 5000,
  tidyMs: 3_600_000,
};

const HEADER_BYTES = 8192;
const PATH = /^\/v1\/([0-9a-f]{32})(?:\/([0-9a-f]{32}))?$/;
const QUESTION = /^known=(\d{1,5})&wait=(\d{1,3})$/;
/** Parts up to this size are sent from memory in one piece, larger ones as they are read. */
const WHOLE_BYTES = 65_536;
/** Parts up to this size have memory of their own: large ones cannot shut them out. */
const SMALL_BYTES = 1 << 20;
/** Room in memory of which one address may have one. */
const SHARES = 4;
/** Seconds after which a client that found no room may come again. */
const RETRY_SECONDS = 2;
const CLOSE_MS = 10_000;

/** Where to listen, and how. */
export interface ServeOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Key and certificate chain (PEM); without them the server speaks plain HTTP. */
  readonly tls?: { readonly key: Uint8Array; readonly cert: Uint8Array } | undefined;
  readonly limits?: Partial<ServeLimits>;
  /** Told of faults of the machine, in one line without names of boxes; a fault of the same kind at most once a minute. */
  readonly onFault?: (text: string) => void;
}

/** A server that accepts requests. */
export interface RunningServer {
  readonly address: string;
  readonly port: number;
  /** What is bounded, for the operator: lines of at most 80 columns. */
  readonly bounds: readonly string[];
  /** Ends gracefully: takes no new request, answers who waits, finishes what it began, for at most ten seconds. */
  close(): Promise<void>;
}

/** An address to listen on: `HOST:PORT`, `[IPV6]:PORT`. @throws E_USAGE */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) return fail('E_USAGE', `--listen ${text}: not HOST:PORT`, { field: 'listen', remedy: 'For example --listen 127.0.0.1:8787, or --listen 0.0.0.0:8787 for all addresses of this machine.' });
  return { host, port };
}

/** What a server bounds, in words: lines of at most 80 columns. */
function inWords({ part, names, memory, small, rate, graceMs, requestMs }: ServeLimits): string[] {
  const mib = (bytes: number): string => `${String(Math.ceil(bytes / 2 ** 20))} MiB`;
  return [
    `A part has at most ${mib(part)}, a box at most ${String(names)} names.`,
    `Parts on their way take at most ${mib(memory + small)} of memory, those from one address`,
    `1/${String(SHARES)} of it (behind a proxy all have one address). Who sends slower than`,
    `${String(Math.round(rate / 1000))} kB/s on average is cut off after ${String(Math.round(graceMs / 1000))} seconds or more, everybody after ${String(Math.round(requestMs / 1000))}.`,
  ];
}

interface Waiter {
  readonly known: number;
  readonly answer: (names: readonly string[]) => void;
}

/**
 * Serves a spool until it is closed.
 * @throws E_RELAY when the address cannot be listened on, or the folder cannot be read
 */
export async function serve(spool: Spool, options: ServeOptions): Promise<RunningServer> {
  const limits: ServeLimits = { ...SERVE_LIMITS, ...options.limits };
  await spool.sweep(Date.now());
  let used = await spool.usage();
  const large = budget(limits.memory, limits.memory / SHARES);
  const small = budget(limits.small, limits.small / SHARES);
  let waiting = 0;
  let closing = false;
  const waiters = new Map<string, Set<Waiter>>();
  /** Names in boxes that were written to lately; too low where parts came by another way, until the next hour. */
  const counts = new Map<string, number>();
  /** Parts on their way into a box. */
  const coming = new Map<string, number>();
  const told = new Map<string, number>();

  const fault = (e: unknown): void => {
    const text = e instanceof Error ? e.message.replace(/[0-9a-f]{24,}/g, '…') : 'unknown fault';
    const last = told.get(text);
    if (last !== undefined && performance.now() - last < 60_000) return;
    if (told.size > 100) told.clear();
    told.set(text, performance.now());
    options.onFault?.(text);
  };

  const reply = (res: ServerResponse, status: number, body: string | Uint8Array = '', type = 'text/plain'): void => {
    if (res.headersSent || res.destroyed) return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (status === 503) res.setHeader('retry-after', RETRY_SECONDS);
    res.writeHead(status, {
      [RELAY_HEADER]: RELAY_HEADER_VALUE,
      'content-type': type,
      'content-length': bytes.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(closing ? { connection: 'close' } : {}),
    });
    res.end(bytes);
  };

  /** Receives a body of a length that was checked, for which room was set aside; or only reads it to its end (`keep` false). Undefined: the client has gone, or was too slow. */
  const receive = async (req: IncomingMessage, res: ServerResponse, keep: boolean): Promise<Uint8Array | undefined> => {
    const chunks: Buffer[] = [];
    let size = 0;
    const began = performance.now();
    const pace = setInterval(() => {
      if (size * 1000 >= limits.rate * (performance.now() - began - limits.graceMs)) return;
      // the answer first, the end a moment later: a request that was answered is not told that its connection has gone
      if (res.headersSent) req.destroy();
      else abrupt(res, 408, 'too slow');
    }, Math.min(1000, limits.graceMs));
    try {
      for await (const chunk of req as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (keep) chunks.push(chunk);
      }
      return res.headersSent ? undefined : Buffer.concat(chunks);
    } catch {
      res.destroy();
      return undefined;
    } finally {
      clearInterval(pace);
    }
  };

  /** A refusal after the whole body, so that the client, which reads no answer before it has sent all, gets it. */
  const drained = async (req: IncomingMessage, res: ServerResponse, status: number, text: string): Promise<void> => {
    if ((await receive(req, res, false)) !== undefined) reply(res, status, text);
  };

  /** Whether a place is taken; asked of the place, since a box that others filled may hold more than a list. */
  const holds = async (box: string, name: string): Promise<boolean> => {
    const file = await spool.open(box, name);
    await file?.handle.close();
    return file !== undefined;
  };

  const put = async (req: IncomingMessage, res: ServerResponse, box: string, name: string): Promise<void> => {
    const length = req.headers['content-length'];
    if (length === undefined || !/^\d{1,10}$/.test(length) || req.headers['transfer-encoding'] !== undefined) return abrupt(res, 411, 'a length is needed');
    if (Number(length) > limits.part) return abrupt(res, 413, 'larger than any part');
    if (Number(length) === 0) return reply(res, 400, 'a part of no bytes');
    const room = (Number(length) > SMALL_BYTES ? large : small).take(networkOf(req.socket.remoteAddress), Number(length));
    if (room === undefined) return drained(req, res, 503, 'too much at once');
    try {
      if (used + onDisk(Number(length)) > limits.disk && !(await holds(box, name))) return await drained(req, res, 507, 'the relay is full');
      const bytes = await receive(req, res, true);
      if (bytes !== undefined) await store(res, box, name, bytes);
    } finally {
      room();
    }
    return undefined;
  };

  const store = async (res: ServerResponse, box: string, name: string, bytes: Uint8Array): Promise<void> => {
    // what is on its way counts too
    coming.set(box, (coming.get(box) ?? 0) + 1);
    let size = onDisk(bytes.length);
    used += size;
    try {
      if (!counts.has(box)) {
        const { length: listed } = await spool.list(box);
        if (!counts.has(box)) counts.set(box, listed);
      }
      const count = counts.get(box) ?? 0;
      if (count === 0) {
        size += 4096;
        used += 4096;
      }
      const full = used > limits.disk ? 'the relay is full' : count + (coming.get(box) ?? 1) > limits.names ? 'the box is full' : undefined;
      if (full !== undefined && !(await holds(box, name))) return reply(res, 507, full);
      const outcome = await spool.put(box, name, bytes);
      if (outcome === 'stored') {
        size = 0;
        const now = counts.get(box);
        if (now !== undefined) counts.set(box, now + 1);
        if (counts.size > 10_000) counts.clear();
      }
      reply(res, outcome === 'stored' ? 201 : outcome === 'there' ? 200 : 409, outcome);
      if (outcome === 'stored') void look(box);
    } finally {
      used -= size;
      const left = (coming.get(box) ?? 1) - 1;
      if (left === 0) coming.delete(box);
      else coming.set(box, left);
    }
    return undefined;
  };

  const get = async (res: ServerResponse, box: string, name: string): Promise<void> => {
    const file = await spool.open(box, name);
    if (file === undefined) return reply(res, 404, 'nothing there');
    const { handle, size } = file;
    try {
      if (size <= WHOLE_BYTES) {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(size), 0, size, 0);
        return reply(res, 200, buffer.subarray(0, bytesRead), 'application/octet-stream');
      }
      res.writeHead(200, { [RELAY_HEADER]: RELAY_HEADER_VALUE, 'content-type': 'application/octet-stream', 'content-length': size, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      const slow = setTimeout(() => res.destroy(), limits.answerMs);
      try {
        const bytes = handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
        await pipeline(bytes, res);
        // somebody shortened the file meanwhile: the client must not wait for the rest
        if (bytes.bytesRead !== size) res.req.socket.destroy();
      } finally {
        clearTimeout(slow);
      }
    } finally {
      await handle.close();
    }
    return undefined;
  };

  const list = async (res: ServerResponse, box: string, question: string | undefined): Promise<void> => {
    const json = (names: readonly string[]): void => {
      reply(res, 200, JSON.stringify(names), 'application/json');
    };
    if (question === undefined) return json(await spool.list(box));
    const match = QUESTION.exec(question);
    if (match === null) return reply(res, 400, 'known=NUMBER&wait=SECONDS');
    const known = Number(match[1]);
    const seconds = Math.min(Number(match[2]), limits.wait);
    if (seconds === 0 || closing || waiting >= limits.waiters) return json(await spool.list(box));
    // in the queue before the look, so that nothing falls in between
    await new Promise<void>((done) => {
      const set = waiters.get(box) ?? new Set();
      waiters.set(box, set);
      waiting += 1;
      const leave = (): void => {
        if (!set.delete(waiter)) return;
        waiting -= 1;
        if (set.size === 0 && waiters.get(box) === set) waiters.delete(box);
        clearTimeout(timer);
        done();
      };
      const waiter: Waiter = {
        known,
        answer: (names) => {
          leave();
          json(names);
        },
      };
      set.add(waiter);
      const timer = setTimeout(() => {
        spool.list(box).then(waiter.answer, (e: unknown) => {
          leave();
          broken(res, e);
        });
      }, seconds * 1000);
      res.once('close', leave);
      void look(box);
    });
    return undefined;
  };

  /** Looks at a box that somebody may wait for, and answers whom it concerns. */
  const look = async (box: string): Promise<void> => {
    const set = waiters.get(box);
    if (set === undefined) return;
    try {
      const names = await spool.list(box);
      for (const waiter of [...set]) if (names.length > waiter.known || closing) waiter.answer(names);
    } catch (e) {
      fault(e);
    }
  };

  const broken = (res: ServerResponse, e: unknown): void => {
    const { status, text } = statusOf(e);
    if (status !== 409) fault(e);
    if (res.headersSent) res.destroy();
    else abrupt(res, status, text);
  };

  /** An answer after which the connection ends, because the rest of the request is not read. */
  const abrupt = (res: ServerResponse, status: number, text: string): void => {
    if (!res.headersSent) res.setHeader('connection', 'close');
    reply(res, status, text);
  };

  const listener: RequestListener = (req, res) => {
    const [path = '', question, ...rest] = (req.url ?? '').split('?');
    const match = PATH.exec(path);
    const [, box, name] = match ?? [];
    if (box === undefined || rest.length > 0) return abrupt(res, 404, 'no such path');
    if (name === undefined && req.method === 'GET') return run(res, list(res, box, question));
    if (name === undefined || (req.method !== 'GET' && req.method !== 'PUT')) return abrupt(res, 405, 'GET or PUT');
    if (question !== undefined) return abrupt(res, 400, 'a place has no question');
    return run(res, req.method === 'GET' ? get(res, box, name) : put(req, res, box, name));
  };
  const run = (res: ServerResponse, work: Promise<void>): void => {
    work.catch((e: unknown) => {
      // a client that goes away in the middle is no fault of this machine
      if (res.destroyed || (e instanceof Error && /^ERR_STREAM/.test((e as NodeJS.ErrnoException).code ?? ''))) res.destroy();
      else broken(res, e);
    });
  };

  const settings = { maxHeaderSize: HEADER_BYTES, headersTimeout: limits.headerMs, requestTimeout: limits.requestMs, keepAliveTimeout: 15_000, connectionsCheckingInterval: Math.min(5000, limits.headerMs) };
  const server: Server = options.tls
    ? (await import('node:https')).createServer({ ...settings, key: Buffer.from(options.tls.key), cert: Buffer.from(options.tls.cert), minVersion: 'TLSv1.2', handshakeTimeout: limits.headerMs }, listener)
    : createServer(settings, listener);
  server.maxConnections = limits.connections;
  server.timeout = limits.idleMs;
  server.maxHeadersCount = 50;
  const ended = new Promise<void>((done) => server.once('close', done));
  const port = await listen(server, options);
  server.on('error', fault);

  const looking = setInterval(() => {
    for (const box of waiters.keys()) void look(box);
  }, limits.lookMs).unref();
  const tidying = setInterval(() => {
    // what came or went by another way than through this server
    counts.clear();
    spool.sweep(Date.now()).then(() => spool.usage()).then((bytes) => (used = bytes), fault);
  }, limits.tidyMs).unref();

  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `${options.tls ? 'https' : 'http'}://${host}:${String(port)}`,
    port,
    bounds: inWords(limits),
    close: async () => {
      if (!closing) {
        closing = true;
        clearInterval(looking);
        clearInterval(tidying);
        server.close();
        server.closeIdleConnections();
        await Promise.all([...waiters.keys()].map(look));
        setTimeout(() => server.closeAllConnections(), CLOSE_MS).unref();
      }
      await ended;
    },
  };
}

function listen(server: Server, { host, port }: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const at = `${host}:${String(port)}`;
      const errno = errnoOf(cause);
      const [text, remedy] =
        errno === 'EADDRINUSE' ? [`another program listens on ${at}`, 'Is a relay running there already? Else name another port with --listen HOST:PORT.']
        : errno === 'EACCES' ? [`this user may not listen on ${at}`, 'Name a port above 1023 with --listen HOST:PORT.']
        : [`cannot listen on ${at} (${errno ?? cause.message})`, 'Name an address of this machine with --listen HOST:PORT; 0.0.0.0 stands for all of them.'];
      reject(new CeremonyError('E_RELAY', text, { field: 'listen', remedy, cause }));
    });
    server.listen({ host, port, backlog: 1024 }, () => {
      server.removeAllListeners('error');
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** What a client is told of a fault here: nothing of this machine. */
function statusOf(e: unknown): { status: number; text: string } {
  if (e instanceof CeremonyError && e.code === 'E_RELAY_PART') return { status: 409, text: 'what lies there cannot be read' };
  const errno = e instanceof CeremonyError ? errnoOf(e.facts.cause) : undefined;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return { status: 507, text: 'the relay is full' };
  if (errno === 'EMFILE' || errno === 'ENFILE') return { status: 503, text: 'too much at once' };
  return { status: 500, text: 'the relay has a fault' };
}
