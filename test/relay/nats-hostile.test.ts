/** A server that is none, or lies: whatever it says is bounded, refused in words of ours, and never seen on a screen. */
import fc from 'fast-check';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { natsRelay } from '../../src/relay/nats-relay.ts';
import { MAX_INFO, MAX_MESSAGE, NatsSieve } from '../../src/relay/nats-sieve.ts';
import { placeSubject, STREAM, WANTED_STREAM } from '../../src/relay/nats-stream.ts';
import type { Relay } from '../../src/relay/relay.ts';
import { falseServer, INFO } from '../support/nats.ts';
import { place, random, refusal, until } from './people.ts';

const BOX = place(0);
const PATIENCE = { connect: 5000, answer: 5000, altogether: 10_000 };
/** Of those to whom nothing useful is said. */
const HASTE = { connect: 500, answer: 500, altogether: 500 };
const ESCAPES = '\x1b[2J\x1b[31mtype your passphrase';
const ends: (() => Promise<unknown>)[] = [];
const screens = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error'), vi.spyOn(console, 'info'), vi.spyOn(console, 'warn')];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  for (const screen of screens) expect(screen).not.toHaveBeenCalled();
});

/** What a false server does with a request; undefined leaves it unanswered. */
type Answer = (subject: string, payload: Buffer, socket: Socket) => string | object | undefined;
const settings = { config: WANTED_STREAM, state: {}, total: 0 };
const honest: Answer = (subject) => (subject.includes('STREAM.INFO') ? settings : subject.includes('MSG.GET') ? { error: { code: 404, err_code: 10037, description: '' } } : { stream: STREAM, seq: 1 });

/** A server that speaks the protocol, with what it says in the hands of a test. */
async function server(answer: Answer = honest, greeting = INFO(), onPing = 'PONG\r\n'): Promise<{ port: number; sockets: ReadonlySet<Socket> }> {
  const made = await falseServer((socket) => {
    let held = Buffer.alloc(0);
    let sid = '';
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let end = held.indexOf('\r\n'); end >= 0; end = held.indexOf('\r\n')) {
        const words = held.subarray(0, end).toString('latin1').split(' ');
        if (words[0]?.endsWith('PUB')) {
          const size = Number(words.at(-1));
          if (held.length < end + 4 + size) return;
          const [, subject = '', reply = ''] = words;
          const payload = held.subarray(end + 2, end + 2 + size);
          held = held.subarray(end + 4 + size);
          const said = answer(subject, payload, socket);
          const text = typeof said === 'string' ? said : JSON.stringify(said);
          if (said !== undefined) socket.write(`MSG ${reply} ${sid} ${String(Buffer.byteLength(text))}\r\n${text}\r\n`);
          continue;
        }
        if (words[0] === 'SUB' && words[1]?.startsWith('_INBOX')) sid = words[2] ?? '';
        if (words[0] === 'PING') socket.write(onPing);
        held = held.subarray(end + 2);
      }
    });
    socket.write(greeting);
  });
  ends.push(() => made.close());
  return made;
}
async function open(port: number, patience = PATIENCE): Promise<Relay> {
  const relay = await natsRelay(new URL(`nats://127.0.0.1:${String(port)}`), {}, patience);
  ends.push(() => relay.close());
  return relay;
}
/** The error of an attempt, which shows nothing that the server said. */
async function refused(work: () => Promise<unknown>): Promise<string> {
  const e = await refusal(work);
  const shown = `${e.message}${JSON.stringify(e.facts)}${String(e.stack)}`;
  // eslint-disable-next-line no-control-regex -- what a terminal must never get
  expect(shown).not.toMatch(/passphrase|\x1b/);
  expect(e.code).toBe('E_RELAY');
  return e.message;
}

describe('instead of a greeting', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['escapes', `${ESCAPES}\r\n`],
    ['an INFO that is no JSON', `INFO {${ESCAPES}\r\n`],
    ['an INFO of nothing', 'INFO {}\r\n'],
    ['an INFO without headers', INFO({ headers: false })],
    ['an INFO with a payload of text', INFO({ max_payload: ESCAPES })],
    ['an INFO with a nonce of escapes', INFO({ nonce: ESCAPES })],
    ['an INFO with a version of escapes', INFO({ version: ESCAPES, max_payload: -1 })],
    ['an INFO that is a list', 'INFO [1]\r\n'],
    ['an error', `${INFO()}-ERR '${ESCAPES}'\r\n`],
    ['an INFO, then noise', `${INFO()}${ESCAPES}\r\n`],
    ['an INFO, then a damaged one', `${INFO()}INFO {\r\n`],
    ['an INFO, then another that is worse', `${INFO()}INFO {"max_payload":"x"}\r\n`],
    ['an INFO, then a message to nobody', `${INFO()}MSG x 99 3\r\nabc`],
    ['an INFO, then a message that does not end', `${INFO()}MSG x 1 3\r\nabcdef\r\n`],
    ['an INFO, then a message of odd lengths', `${INFO()}HMSG x 1 9 3\r\nabc\r\n`],
    ['an INFO, then a message of no length', `${INFO()}MSG x 1 -3\r\nabc\r\n`],
    ['an INFO, then headers of noise', `${INFO()}HMSG x 1 12 12\r\nNOPE\r\n: \x00\r\n\r\n`],
  ])('%s', async (_, greeting) => {
    const { port } = await server(honest, greeting, '');
    await refused(() => open(port, HASTE));
  });
  it('and after it: nothing but a hang-up', async () => {
    const { port } = await server(honest, INFO(), `-ERR '${ESCAPES}'\r\n`);
    await refused(() => open(port, HASTE));
  });
});

describe('floods', () => {
  /** Writes as fast as it is read. */
  const flood = (socket: Socket, start: string, more: string): void => {
    const block = Buffer.from(more.repeat(Math.ceil((1 << 20) / more.length)));
    const go = (): void => {
      while (socket.writable && socket.write(block));
    };
    socket.on('drain', go);
    socket.write(start);
    go();
  };
  it.each([
    ['a greeting without an end', 'INFO {"a":"', 'A', 'the connection ended'],
    ['a line without an end', `${INFO()}PONG\r\n`, 'A', 'a line without an end'],
    ['a message larger than any', `${INFO()}PONG\r\nMSG x 1 ${String(MAX_MESSAGE + 1)}\r\n`, 'A', 'more than 8 MiB'],
    ['a message of many terabytes', `${INFO()}PONG\r\nMSG x 1 99999999999999\r\n`, 'A', 'more than 8 MiB'],
    ['signs of life', `${INFO()}PONG\r\n`, 'PING\r\n', 'signs of life'],
  ])('%s: the connection is given up, and memory stays', async (_, start, more, words) => {
    let written = 0;
    const made = await falseServer((socket) => {
      socket.resume().once('close', () => (written = Math.max(written, socket.bytesWritten)));
      flood(socket, start, more);
    });
    ends.push(() => made.close());
    const before = process.memoryUsage().rss;
    expect(await refused(() => open(made.port))).toContain(words);
    await until(() => made.sockets.size === 0);
    // what the kernel holds in between counts as well
    expect(written).toBeLessThan(20 << 20);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });
});

describe('lies', () => {
  const place1 = placeSubject(BOX, place(1));
  const message = (more: object): object => ({ message: { subject: place1, seq: 1, data: 'AAE=', time: '', ...more } });
  const lying = async (subject: string, said: ReturnType<Answer>): Promise<Relay> => open((await server((s, p, c) => (s.startsWith(subject) ? said : honest(s, p, c)))).port);

  it.each<[string, ReturnType<Answer>]>([
    ['no JSON', ESCAPES],
    ['nothing', ''],
    ['a list', [1]],
    ['null', 'null'],
    ['no settings', { state: {} }],
    ['settings of another kind', { config: ESCAPES, state: {} }],
    ['an error of text', { error: ESCAPES }],
    ['an error without a number', { error: { code: '404' } }],
    ['an unknown error', { error: { code: 500, err_code: 99_999, description: ESCAPES } }],
    ['another stream', { ...settings, config: { ...WANTED_STREAM, name: ESCAPES } }],
  ])('about the stream: %s', async (_, said) => {
    const { port } = await server((s, p, c) => (s.includes('STREAM.INFO') ? said : honest(s, p, c)));
    await refused(() => open(port));
  });
  it.each<[string, ReturnType<Answer>]>([
    ['no JSON', ESCAPES],
    ['nothing', {}],
    ['another place', message({ subject: placeSubject(BOX, place(2)) })],
    ['a place of escapes', message({ subject: ESCAPES })],
    ['data that are no base64', message({ data: ESCAPES })],
    ['data of a number', message({ data: 7 })],
    ['an unknown error', { error: { code: 500, err_code: 7, description: ESCAPES } }],
  ])('about a place: %s', async (_, said) => {
    const relay = await lying('$JS.API.STREAM.MSG.GET', said);
    await refused(() => relay.get(BOX, place(1)));
  });
  it('about a place: base64 that is cut off is no part, or a shorter one', async () => {
    for (const [data, gives] of [['AAE', new Uint8Array([1])], ['A', undefined]] as const) {
      const relay = await lying('$JS.API.STREAM.MSG.GET', message({ data }));
      if (gives === undefined) expect((await refusal(() => relay.get(BOX, place(1)))).code).toBe('E_RELAY_PART');
      else expect(await relay.get(BOX, place(1))).toEqual(gives);
    }
  });
  it.each<[string, ReturnType<Answer>]>([
    ['no JSON', ESCAPES],
    ['another stream', { stream: 'other', seq: 1 }],
    ['no number', { stream: STREAM }],
    ['number 0', { stream: STREAM, seq: 0 }],
    ['a duplicate of something', { stream: STREAM, seq: 1, duplicate: true }],
    ['refused, and there is nothing', { error: { code: 503, err_code: 10077, description: `${ESCAPES} maximum bytes exceeded` } }],
  ])('about what was stored: %s', async (_, said) => {
    const relay = await lying('mpc.', said);
    await refused(() => relay.put(BOX, place(1), random(5)));
  });
  it.each<[string, object]>([
    ['text', { ...settings, state: { subjects: ESCAPES } }],
  ])('about a box: %s', async (_, said) => {
    const relay = await open((await server((s, p, c) => (p.includes('subjects_filter') ? said : honest(s, p, c)))).port);
    await refused(() => relay.list(BOX));
  });
  it.each([5000, 100_000])('about a box: of %i names the first are taken', async (length) => {
    const name = (i: number): string => i.toString(16).padStart(32, '0');
    const said = { ...settings, total: length, state: { subjects: Object.fromEntries(Array.from({ length }, (_, i) => [placeSubject(BOX, name(length - 1 - i)), 1])) } };
    const relay = await open((await server((s, p, c) => (p.includes('subjects_filter') ? said : honest(s, p, c)))).port);
    expect(await relay.list(BOX)).toEqual(Array.from({ length: 4096 }, (_, i) => name(i)));
  });
  it('about a box: foreign boxes and strange names are left out', async () => {
    const subjects = Object.fromEntries([place1, placeSubject(place(9), place(1)), `${place1}0`, `mpc.${BOX}.${ESCAPES}`, '__proto__', 'constructor', ''].map((s) => [s, ESCAPES]));
    const relay = await open((await server((s, p, c) => (p.includes('subjects_filter') ? { ...settings, state: { subjects } } : honest(s, p, c)))).port);
    expect(await relay.list(BOX)).toEqual([place(1)]);
  });
  it('in the middle: noise, errors and hang-ups end in words', async () => {
    const NOISE = [`${ESCAPES}\r\n`, `-ERR '${ESCAPES}'\r\n`, `-ERR 'Permissions Violation for Publish to "${ESCAPES.replaceAll(' ', '')}"'\r\n`, `MSG ${ESCAPES.replaceAll(' ', '')} 1 3\r\nabc\r\n`, 'HMSG x 1 4 4\r\n\x00\x00\x00\x00\r\n'];
    await Promise.all(
      NOISE.map(async (noise) => {
        const relay = await open((await server((s, p, c) => (s.startsWith('mpc.') ? void c.write(noise) : honest(s, p, c)))).port, { ...PATIENCE, answer: 1500, altogether: 500 });
        await refused(() => relay.put(BOX, place(1), random(5)));
      }),
    );
  });
  it('answers to other questions are not taken, and late ones not either', async () => {
    const relay = await open((await server((s, p, c) => (s.startsWith('mpc.') ? void c.write('MSG _INBOX.a.b 1 2\r\n{}\r\nMSG x 7 2\r\n{}\r\nMSG _INBOX.a.b 99999 2\r\n{}\r\n') : honest(s, p, c)))).port, { ...PATIENCE, answer: 1500, altogether: 500 });
    expect(await refused(() => relay.put(BOX, place(1), random(5)))).toContain('there is no answer');
  });
  it('addresses of other servers are not followed', async () => {
    const elsewhere = await server();
    let calls = 0;
    const others = { connect_urls: [`127.0.0.1:${String(elsewhere.port)}`], ldm: true };
    const { port } = await server(
      (s, p, c) => {
        if (!s.startsWith('mpc.')) return honest(s, p, c);
        if (calls++ > 0) return honest(s, p, c);
        c.write(INFO(others));
        c.destroy();
        return undefined;
      },
      INFO(others),
    );
    const relay = await open(port);
    expect(await relay.put(BOX, place(1), random(5))).toBe('stored');
    expect(calls).toBe(2);
    expect(elsewhere.sockets.size).toBe(0);
  });
});

describe('the sieve', () => {
  const take = (chunks: readonly Uint8Array[]): string => {
    const sieve = new NatsSieve();
    return Buffer.concat(chunks.flatMap((c) => sieve.take(c))).toString('latin1');
  };
  const stream = Buffer.from(
    `${INFO({ connect_urls: ['x'], nonce: 'abc' })}PING\r\n+OK\r\npong\r\nMSG a.b 1 5\r\nhello\r\nMSG a.b 2 reply 0\r\n\r\nHMSG c 3 16 18\r\nNATS/1.0 503\r\n\r\nxy\r\nHMSG c 3 r 23 24\r\nNATS/1.0\r\nNats-X: y\r\n\r\nz\r\n-ERR 'no ${ESCAPES}'\r\n`,
    'latin1',
  );
  const passed = `INFO ${JSON.stringify({ version: '2.9.0', proto: 1, headers: true, max_payload: 1048576, tls_required: false, tls_available: false, nonce: 'abc' })}\r\nPING\r\nPONG\r\nMSG a.b 1 5\r\nhello\r\nMSG a.b 2 0\r\n\r\nHMSG c 3 16 18\r\nNATS/1.0 503\r\n\r\nxy\r\nMSG c 3 1\r\nz\r\n-ERR 'no ?[2J?[31mtype your passphrase'\r\n`;
  it('lets through what was understood, and nothing else, however it is cut', () => {
    expect(take([stream])).toBe(passed);
    for (let cut = 1; cut < stream.length; cut++) expect(take([stream.subarray(0, cut), stream.subarray(cut)])).toBe(passed);
    expect(take(Array.from(stream, (b) => Uint8Array.of(b)))).toBe(passed);
  });
  it('holds what may be long, and refuses one byte more', () => {
    const info = INFO({ x: '' }).length;
    expect(take([Buffer.from(INFO({ x: 'A'.repeat(MAX_INFO - info + 1) }))])).toContain('INFO');
    expect(() => take([Buffer.from(INFO({ x: 'A'.repeat(MAX_INFO - info + 2) }))])).toThrow('without an end');
    expect(take([Buffer.from(`-ERR ${'A'.repeat(4091)}\r\n`)])).toContain('AAA');
    expect(() => take([Buffer.from(`-ERR ${'A'.repeat(4092)}\r\n`)])).toThrow('too long');
    expect(take([Buffer.from(`MSG a 1 ${String(MAX_MESSAGE)}\r\n`), Buffer.alloc(MAX_MESSAGE), Buffer.from('\r\n')])).toHaveLength(MAX_MESSAGE + 17 + 2);
    expect(() => take([Buffer.from(`MSG a 1 ${String(MAX_MESSAGE + 1)}\r\n`)])).toThrow('more than 8 MiB');
  });
  it('never says anything but E_RELAY to noise', () => {
    const word = fc.constantFrom('INFO ', 'MSG ', 'HMSG ', 'PING', 'PONG', '+OK', '-ERR ', 'a ', '1 ', '12 ', '-1 ', '99999999999999999999 ', '{}', '{"proto":1,"headers":true,"max_payload":9}', 'NATS/1.0 503', '\r\n', '\n', '\r', '\t', '\0', 'é');
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 30 }), (words) => {
        try {
          take([Buffer.from(words.join(''))]);
        } catch (e) {
          expect(e).toMatchObject({ code: 'E_RELAY' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
