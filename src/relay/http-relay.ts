/**
 * A relay over HTTP: the client of {@link ./serve.ts}. The server is not trusted: its answers are bounded and parsed, a
 * redirection is never followed, and whatever is not an answer of a relay is refused. Requests are repeated where a connection
 * fails, since every one of them may be.
 */
import { Agent, type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import * as v from 'valibot';
import { fail } from '../wire/errors.ts';
import { closer, pause } from './pause.ts';
import { checkPlace, MAX_NAMES, MAX_PART_BYTES, PLACE, type Relay, RELAY_HEADER, RELAY_HEADER_VALUE, taken } from './relay.ts';

/** Longest that one question waits at the server, in seconds. */
const POLL_SECONDS = 25;
/** Bytes of the longest list, and of the longest refusal that is read. */
const MAX_LIST_BYTES = MAX_NAMES * 35 + 2;

/** How long things may take, in milliseconds. */
export interface HttpTiming {
  /** Without a byte in either direction. */
  readonly idle: number;
  /** One request with its answer. */
  readonly whole: number;
  /** Repeating while no connection comes about, or breaks; ten times as long while a relay has no room for the moment. */
  readonly patience: number;
}
const TIMING: HttpTiming = { idle: 30_000, whole: 600_000, patience: 10_000 };

const NamesSchema = v.pipe(
  v.array(v.pipe(v.string(), v.regex(PLACE))),
  v.maxLength(MAX_NAMES),
  v.check((names) => new Set(names).size === names.length),
);

/** The connection failed, or the server asks to come again: the same request may be sent again. */
class Transient extends Error {
  /** @param after milliseconds after which the server asks to come again, if it says so */
  constructor(message: string, readonly after?: number) {
    super(message);
  }
}
/** Bounds of what a server may ask for. */
const AFTER_MS = { least: 500, most: 10_000 };
/** Answers that say: later. Proxies give them too. */
const LATER = new Set([429, 502, 503, 504]);

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'there is no way to this machine',
  ENETUNREACH: 'there is no network',
};

/**
 * A relay at an http:// or https:// address; nothing is sent before the first request.
 * @param base without user, query and fragment
 * @param options.ca PEM certificates of those who may vouch for the server, in place of the system's
 */
export async function httpRelay(base: URL, options: { readonly ca?: Uint8Array | undefined; readonly timing?: HttpTiming } = {}): Promise<Relay> {
  const { idle, whole, patience } = options.timing ?? TIMING;
  const address = base.href.replace(/\/+$/, '');
  const secure = base.protocol === 'https:' ? await import('node:https') : undefined;
  const agent = secure ? new secure.Agent({ keepAlive: true, maxSockets: 16, minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(options.ca ? { ca: Buffer.from(options.ca) } : {}) }) : new Agent({ keepAlive: true, maxSockets: 16 });
  const request: (url: string, options: RequestOptions, callback: (response: IncomingMessage) => void) => ReturnType<typeof plainRequest> = secure?.request ?? plainRequest;
  const closing = closer();

  const refuse = (text: string, remedy: string, cause?: unknown): never => fail('E_RELAY', `${address}: ${text}`, { file: address, remedy, cause });
  const UNREACHED = 'Check the address and the network, and that the relay runs; then repeat the command. Nothing is lost by repeating it, and every message may go by another route.';
  const FOREIGN = 'Check the address with whoever keeps the relay; a portal or proxy of the network may stand in between. Every message may go by another route.';

  /** One request and its answer. @throws Transient, E_RELAY */
  const once = (method: 'GET' | 'PUT', path: string, max: number, body?: Uint8Array): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/octet-stream', 'content-length': body.length };
      const req = request(`${address}${path}`, { method, agent, headers, timeout: idle, signal: closing.signal, maxHeaderSize: 16_384 }, (res) => {
        const status = res.statusCode ?? 0;
        const ours = res.headers[RELAY_HEADER] === RELAY_HEADER_VALUE;
        if (!LATER.has(status) && !ours) {
          req.destroy();
          settle(() => refuse(`what answers there is not a relay of this program (status ${String(status)})`, FOREIGN));
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        res.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size <= max) return;
          req.destroy();
          settle(() => refuse('the answer is longer than any of a relay', FOREIGN));
        });
        res.on('error', failed);
        res.on('close', () => {
          settle(() => {
            if (!res.complete) throw new Transient('the connection broke');
            if (LATER.has(status)) throw new Transient(`it is busy (status ${String(status)})`, status === 503 && ours ? afterMs(res.headers['retry-after']) : undefined);
            return { status, body: new Uint8Array(Buffer.concat(chunks)) };
          });
        });
      });
      const timer = setTimeout(() => {
        req.destroy();
        settle(() => refuse(`no whole answer within ${String(Math.round(whole / 1000))} seconds`, UNREACHED));
      }, whole);
      let settled = false;
      function settle(outcome: () => Answer): void {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        try {
          resolve(outcome());
        } catch (e) {
          reject(e as Error);
        }
      }
      function failed(cause: Error): void {
        const code = (cause as NodeJS.ErrnoException).code ?? '';
        settle(() => {
          if (closing.signal.aborted) return refuse('closed', UNREACHED);
          const words = FAULTS[code];
          if (words !== undefined && code !== 'ENOTFOUND') throw new Transient(words);
          if (code.startsWith('HPE_')) return refuse('what answers there does not speak HTTP', FOREIGN, cause);
          if (/CERT|TLS|SSL|VERIFY|_CA$|HOSTNAME/.test(code)) return refuse(`its certificate is not accepted (${code})`, 'Check the address. Where the relay has a certificate of an authority of your own, name that with --relay-ca FILE.', cause);
          return refuse(words ?? `cannot be reached (${code === '' ? cause.message : code})`, UNREACHED, cause);
        });
      }
      req.on('timeout', () => {
        req.destroy();
        settle(() => {
          throw new Transient('no answer');
        });
      });
      req.on('error', failed);
      req.end(body);
    });

  /** The same, repeated while the connection fails. @throws E_RELAY */
  const exchange = async (method: 'GET' | 'PUT', path: string, max: number, body?: Uint8Array): Promise<Answer> => {
    const began = performance.now();
    for (let next = 50; ; next = Math.min(2 * next, 2000)) {
      let pauseMs = next;
      try {
        return await once(method, path, max, body);
      } catch (e) {
        if (!(e instanceof Transient)) throw e;
        pauseMs = Math.max(next, e.after ?? 0);
        if (performance.now() + pauseMs > began + (e.after === undefined ? 1 : 10) * patience) return refuse(e.message, UNREACHED);
      }
      await pause(pauseMs, closing.signal);
    }
  };

  const unexpected = (what: string, { status, body }: Answer): never => {
    const said = new TextDecoder().decode(body.subarray(0, 200)).replace(/[^\x20-\x7e]/g, '').trim();
    if (status === 408) return refuse('this machine sends more slowly than the relay demands', 'Repeat the command where the network is faster; meanwhile every message may go by another route.');
    if (status === 507) return refuse('the relay is full', 'Tell whoever keeps the relay; meanwhile every message may go by another route.');
    return refuse(`${what} was answered with status ${String(status)}${said === '' ? '' : ` ("${said}")`}`, FOREIGN);
  };

  const names = async (path: string): Promise<string[]> => {
    const answer = await exchange('GET', path, MAX_LIST_BYTES);
    if (answer.status !== 200) return unexpected('a question for a list', answer);
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
    } catch (cause) {
      return refuse('a list of the relay cannot be read', FOREIGN, cause);
    }
    const parsed = v.safeParse(NamesSchema, json);
    return parsed.success ? parsed.output.sort() : refuse('a list of the relay holds something else than names', FOREIGN);
  };

  return {
    address,
    put: async (box, name, bytes) => {
      checkPlace(box, name, bytes);
      const answer = await exchange('PUT', `/v1/${box}/${name}`, MAX_LIST_BYTES, bytes);
      if (answer.status === 201) return 'stored';
      if (answer.status === 200) return 'there';
      return answer.status === 409 ? taken(address, box, name) : unexpected('a part', answer);
    },
    get: async (box, name) => {
      checkPlace(box, name);
      const answer = await exchange('GET', `/v1/${box}/${name}`, MAX_PART_BYTES);
      if (answer.status === 200) return answer.body;
      if (answer.status === 404) return undefined;
      if (answer.status === 409) return fail('E_RELAY_PART', `what lies in place ${name} of ${address} cannot be read there`, { field: name, remedy: `Tell whoever keeps the relay to take it away (box ${box}), then let the sender repeat its command.` });
      return unexpected('a question for a part', answer);
    },
    list: async (box) => {
      checkPlace(box);
      return await names(`/v1/${box}`);
    },
    wait: async (box, known, ms) => {
      checkPlace(box);
      const end = performance.now() + ms;
      for (;;) {
        const left = end - performance.now();
        if (left <= 0 || closing.signal.aborted) return;
        const seconds = Math.min(POLL_SECONDS, Math.floor(left / 1000));
        const asked = performance.now();
        try {
          if ((await names(`/v1/${box}?known=${String(Math.min(known, MAX_NAMES))}&wait=${String(seconds)}`)).length > known) return;
        } catch (e) {
          if (closing.signal.aborted) return;
          throw e;
        }
        // a server that answers too early must not be asked in a tight loop
        const early = Math.max(1000, 1000 * seconds) - (performance.now() - asked);
        if (early > 0) await pause(Math.min(1000, early, Math.max(0, end - performance.now())), closing.signal);
      }
    },
    close: () => {
      closing.abort();
      agent.destroy();
      return Promise.resolve();
    },
  };
}

/** The seconds of a Retry-After, as milliseconds within bounds. Undefined: none, or a date. */
function afterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Math.min(AFTER_MS.most, Math.max(AFTER_MS.least, 1000 * Number(header))) : undefined;
}
