/**
 * A sieve between a NATS server and the client library. The library takes lines and messages of any length and prints what it cannot
 * parse to standard output; a relay is trusted with neither. What passes is rewritten from the little that was understood, so
 * that the library's parser meets nothing it could stumble over: no reply subjects, no headers but a status, no addresses of other servers.
 */
import * as v from 'valibot';
import { concat, utf8 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';

/** Longest line of a server but INFO: 4096 is what nats-server itself accepts. */
const MAX_LINE = 4096;
/** Longest INFO line; it lists the addresses of a cluster. */
export const MAX_INFO = 64 << 10;
/** Largest message taken from a server: a piece in base64, or the list of a box that somebody has filled. */
export const MAX_MESSAGE = 8 << 20;
/** Each is answered, and whoever does not read the answers fills our memory. An honest server asks every other minute. */
const MAX_PINGS = 10_000;

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
/** Field by field what the library reads; `version` decides about features that are not used here. */
const InfoSchema = v.object({
  proto: count,
  headers: v.literal(true),
  max_payload: count,
  tls_required: v.optional(v.boolean(), false),
  tls_available: v.optional(v.boolean(), false),
  nonce: v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,256}$/))),
});

function misbehaves(what: string): never {
  return fail('E_RELAY', `what answers there does not speak as a NATS server does: ${what}`, {
    remedy: 'Check address and port. If they are right, the relay is broken or somebody stands between: use another one, or another route.',
  });
}

/** A message of which only the first line was read yet. */
interface Begun {
  readonly start: string;
  readonly headerBytes: number;
  readonly body: Uint8Array;
  filled: number;
}

/** Takes bytes as they come and gives what the library may see. Holds at most one line or one message. */
export class NatsSieve {
  #line: Uint8Array[] = [];
  #lineBytes = 0;
  #begun: Begun | undefined;
  #pings = 0;

  /** @throws E_RELAY for what no server says; the connection is of no use afterwards */
  take(bytes: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      const begun = this.#begun;
      if (begun !== undefined) {
        const part = bytes.subarray(at, at + begun.body.length - begun.filled);
        begun.body.set(part, begun.filled);
        begun.filled += part.length;
        at += part.length;
        if (begun.filled < begun.body.length) break;
        this.#begun = undefined;
        out.push(rewritten(begun));
        continue;
      }
      const end = bytes.indexOf(10, at);
      const part = bytes.subarray(at, end < 0 ? bytes.length : end);
      this.#lineBytes += part.length;
      if (this.#lineBytes > MAX_INFO) misbehaves('a line without an end');
      this.#line.push(part.slice());
      if (end < 0) break;
      at = end + 1;
      const line = Buffer.from(concat(...this.#line)).toString('latin1').replace(/\r$/, '');
      this.#line = [];
      this.#lineBytes = 0;
      const passed = this.#pass(line);
      if (passed !== '') out.push(utf8(`${passed}\r\n`));
    }
    return out;
  }

  #pass(line: string): string {
    const verb = /^[-+]?[A-Za-z]{2,4}(?=[ \t]|$)/.exec(line)?.[0].toUpperCase() ?? '';
    if (verb === 'INFO') return `INFO ${JSON.stringify({ version: '2.9.0', ...infoOf(line.slice(4)) })}`;
    if (line.length > MAX_LINE) misbehaves('a line that is too long');
    if (verb === 'PING' && ++this.#pings > MAX_PINGS) misbehaves('it asks for signs of life all the time');
    if (verb === 'PING' || verb === 'PONG') return verb;
    if (verb === '+OK') return '';
    if (verb === '-ERR') return `-ERR ${line.slice(4).replace(/[^\x20-\x7e]/g, '?').trim() || '?'}`;
    if (verb !== 'MSG' && verb !== 'HMSG') misbehaves('an unknown line');
    this.#begun = begin(line.trim().split(/[ \t]+/), verb === 'HMSG');
    return '';
  }
}

function infoOf(text: string): v.InferOutput<typeof InfoSchema> {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
  } catch {
    misbehaves('its description of itself is not JSON');
  }
  const parsed = v.safeParse(InfoSchema, raw);
  return parsed.success ? parsed.output : misbehaves(`its description of itself lacks ${v.getDotPath(parsed.issues[0]) ?? 'everything'}, or it is too old`);
}

/** MSG subject sid [reply] bytes; HMSG subject sid [reply] header-bytes bytes. */
function begin(words: readonly string[], headers: boolean): Begun {
  const numbers = words.slice(headers ? -2 : -1);
  const [, subject = '', sid = ''] = words;
  const extra = words.length - 3 - numbers.length;
  if ((extra !== 0 && extra !== 1) || !/^[\x21-\x7e]+$/.test(subject) || ![sid, ...numbers].every((n) => /^[0-9]{1,15}$/.test(n))) misbehaves('the first line of a message');
  const bytes = Number(numbers.at(-1));
  const headerBytes = headers ? Number(numbers[0]) : 0;
  if (headerBytes > bytes) misbehaves('the lengths of a message');
  if (bytes > MAX_MESSAGE) misbehaves(`a message of more than ${String(MAX_MESSAGE >> 20)} MiB`);
  return { start: `${subject} ${sid}`, headerBytes, body: new Uint8Array(bytes + 2), filled: 0 };
}

function rewritten({ start, headerBytes, body }: Begun): Uint8Array {
  const length = body.length - 2;
  if (body[length] !== 13 || body[length + 1] !== 10) misbehaves('a message longer than it says');
  const status = /^NATS\/1\.0 ([0-9]{3})(?![0-9])/.exec(Buffer.from(body.subarray(0, Math.min(headerBytes, 64))).toString('latin1'))?.[1];
  const payload = body.subarray(headerBytes);
  if (status === undefined) return concat(utf8(`MSG ${start} ${String(length - headerBytes)}\r\n`), payload);
  const header = utf8(`NATS/1.0 ${status}\r\n\r\n`);
  return concat(utf8(`HMSG ${start} ${String(header.length)} ${String(header.length + length - headerBytes)}\r\n`), header, payload);
}
