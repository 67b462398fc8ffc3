/**
 * A relay on NATS JetStream, for organisations that run one for many ceremonies and sites. Boxes and names are subjects of one stream
 * that keeps one message of each for ever ({@link ./nats-stream.ts}). Server and network may end and come back: whatever was not
 * acknowledged is said again, which a place that is written once allows.
 *
 * What it does not promise: nats-server 2.9 acknowledges before a part is on the disk. It may be killed at any time; after a power
 * cut parts can be missing, and are there again when their senders repeat a command. A name that was asked for and not found is seen by whoever
 * may listen to the server's own subjects, hence: list first, then fetch.
 */
import type * as v from 'valibot';
import { equalBytes, fromHex } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { DENIED, LinkDown, type LinkTarget, NatsLink } from './nats-link.ts';
import { parsePlace, PIECE_BYTES, pieceLength, storedPart } from './nats-pieces.ts';
import * as stream from './nats-stream.ts';
import { openNatsLogin, readAuthorities } from './open-nats-login.ts';
import { closer, pause } from './pause.ts';
import { checkPlace, MAX_NAMES, PLACE, type Relay, type RelayOptions } from './relay.ts';

/** How long what may take; milliseconds. */
export interface NatsPatience {
  /** For a connection with TLS and login. */
  readonly connect: number;
  /** For an answer, beside a twentieth of a millisecond for every byte sent. */
  readonly answer: number;
  /** For one request with all its repetitions. */
  readonly altogether: number;
}

const PATIENCE: NatsPatience = { connect: 10_000, answer: 10_000, altogether: 30_000 };
/** Pieces of one part that are under way at the same time. */
const TOGETHER = 4;
/** Between two looks at a box while waiting: when it was published to, when nothing is heard, and when this login may not subscribe. */
const LOOK = { rung: 100, silent: 15_000, deaf: 2_000 };
const OTHER_ROUTE = 'Tell the operator of the relay; meanwhile carry messages by another route.';

type Answer<T> = { readonly ok: T } | { readonly error: stream.StreamError };

/** The name that a subject has in a box, if it is a place of this box. */
function nameIn(box: string, subject: string): string | undefined {
  const start = stream.placeSubject(box, '');
  const name = subject.slice(start.length);
  return subject.startsWith(start) && PLACE.test(name) ? name : undefined;
}

/**
 * Connects to a NATS relay; creates its stream where there is none, and refuses one whose places can be written twice.
 * @param url `nats://HOST[:PORT]` or `tls://HOST[:PORT]`; with `tls://` or `options.ca` nothing is said without TLS
 * @throws E_USAGE for another address, also one with a login in it, and for files that are not what they must be; E_IO; E_RELAY
 */
export async function natsRelay(url: URL, options: RelayOptions = {}, patience: NatsPatience = PATIENCE): Promise<Relay> {
  const { protocol, hostname, port, username, password, pathname, search, hash } = url;
  if (!['nats:', 'tls:'].includes(protocol) || username + password + search + hash !== '' || !['', '/'].includes(pathname) || !/^(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)$/i.test(hostname))
    fail('E_USAGE', 'the address of a NATS relay is nats://HOST:PORT or tls://HOST:PORT, with nothing else in it', { field: 'relay', remedy: 'A login never stands in an address: give the credentials file with --relay-creds.' });
  const ca = options.ca === undefined ? undefined : readAuthorities(options.ca);
  const { wipe, ...login } = options.creds === undefined ? { wipe: () => undefined } : openNatsLogin(options.creds);
  const relay = new NatsRelay(
    {
      address: `${protocol}//${hostname}:${port || '4222'}`,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 4222),
      tls: protocol === 'tls:' || options.ca !== undefined,
      ca,
      ...login,
    },
    patience,
    wipe,
  );
  try {
    await relay.connected();
  } catch (e) {
    // nobody waits for an address where nobody ever was
    await relay.close();
    if (e instanceof LinkDown) relay.unreachable(e);
    throw e;
  }
  return relay;
}

class NatsRelay implements Relay {
  readonly #target: LinkTarget;
  readonly #patience: NatsPatience;
  readonly #wipe: () => void;
  readonly #closing = closer();
  #link: Promise<NatsLink> | undefined;

  /** @param wipe called when the login is not needed any more */
  constructor(target: LinkTarget, patience: NatsPatience, wipe: () => void) {
    this.#target = target;
    this.#patience = patience;
    this.#wipe = wipe;
  }

  get address(): string {
    return this.#target.address;
  }

  async put(box: string, name: string, bytes: Uint8Array): Promise<'stored' | 'there'> {
    checkPlace(box, name, bytes);
    const { body, pieces } = storedPart(bytes);
    for (let i = 0; i < pieces.length; i += TOGETHER)
      await Promise.all(
        pieces.slice(i, i + TOGETHER).map(async (piece) => {
          if ((await this.#store(stream.pieceSubject(box, piece.hash), piece.bytes)) === 'other') this.#lies('other bytes lie under the hash of a piece');
        }),
      );
    const stored = await this.#store(stream.placeSubject(box, name), body);
    if (stored !== 'other') return stored;
    return fail('E_RELAY_PART', `other bytes lie in place ${name} of ${this.address}`, {
      field: name,
      remedy: `Either this home is an older copy of itself, or somebody exchanged the part. A place of a NATS relay is never freed: carry this message by another route, and let the operator of the relay look at box ${box}.`,
    });
  }

  async get(box: string, name: string): Promise<Uint8Array | undefined> {
    checkPlace(box, name);
    const unreadable = (what: string): never =>
      fail('E_RELAY_PART', `place ${name} of ${this.address} ${what}`, { field: name, remedy: 'Somebody else wrote it, or the relay damaged it. Let its sender carry the message by another route.' });
    const body = await this.#fetch(stream.placeSubject(box, name));
    if (body === undefined) return undefined;
    const content = parsePlace(body) ?? unreadable('holds no part');
    if ('bytes' in content) return content.bytes;
    const { length, hashes } = content;
    const whole = new Uint8Array(length);
    for (let i = 0; i < hashes.length; i += TOGETHER) {
      const pieces = await Promise.all(hashes.slice(i, i + TOGETHER).map((hash) => this.#fetch(stream.pieceSubject(box, hash))));
      for (const [k, piece] of pieces.entries()) {
        // the list was stored after what it lists; a relay can make it look otherwise, and later right again
        if (piece === undefined) return undefined;
        if (piece.length !== pieceLength(length, i + k) || !equalBytes(sha256(piece), fromHex(hashes[i + k] ?? ''))) unreadable('names pieces that are not what they must be');
        whole.set(piece, (i + k) * PIECE_BYTES);
      }
    }
    return whole;
  }

  list(box: string): Promise<string[]> {
    checkPlace(box);
    return this.#list(box, this.#patience.altogether);
  }

  async wait(box: string, known: number, ms: number): Promise<void> {
    checkPlace(box);
    const until = performance.now() + ms;
    const left = (most: number): number => Math.max(0, Math.min(most, until - performance.now()));
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // heard from before the look on, so that nothing falls between
      const bell = (await this.#link?.catch(() => undefined))?.bell(stream.boxSubject(box));
      try {
        const names = new Set(await this.#list(box, left(this.#patience.altogether)));
        if (names.size > known || left(1) === 0) return;
        const heard = bell === undefined ? 'down' : await Promise.race([bell.rung, pause(left(LOOK.silent), signal)]);
        const name = typeof heard === 'object' ? nameIn(box, heard.subject) : undefined;
        // believed, since a look costs the server more than anything else; at worst the wait ends too early
        if (name !== undefined && !names.has(name) && names.size === known) return;
        await pause(left(heard === 'refused' ? LOOK.deaf : LOOK.rung), signal);
      } catch (e) {
        if (signal.aborted) return;
        if (!(e instanceof LinkDown)) throw e;
        // a relay that is away for no longer than was to be waited is no fault of the wait
        await pause(left(ms), signal);
        return;
      } finally {
        bell?.cancel();
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    (await this.#link?.catch(() => undefined))?.close();
    this.#wipe();
  }

  /** The connection in use, or a new one, once its stream was looked at. @throws LinkDown; E_RELAY */
  connected(): Promise<NatsLink> {
    const opened = (this.#link ??= this.#connect());
    return opened.then(
      (link) => {
        if (!link.down) return link;
        if (this.#link === opened) this.#link = undefined;
        return this.connected();
      },
      (e: unknown) => {
        if (this.#link === opened) this.#link = undefined;
        throw e;
      },
    );
  }

  unreachable(cause: LinkDown): never {
    return fail('E_RELAY', `${this.address} cannot be reached: ${cause.message}`, {
      // a server that asks for one may just end the connection
      remedy: `Check the address, and that the relay runs and can be reached from here${this.#target.tls && this.#target.clientPem === undefined ? '; if it asks for a client certificate, give it with --relay-creds' : ''}. Then repeat the command. What was not acknowledged is sent again, and nothing is lost.`,
    });
  }

  #lies(what: string): never {
    return fail('E_RELAY', `${this.address} misbehaves: ${what}`, { remedy: OTHER_ROUTE });
  }

  #refuses(what: string, error: stream.StreamError): never {
    return fail('E_RELAY', `${this.address} does not ${what}: ${stream.refusal(error)}`, { remedy: OTHER_ROUTE });
  }

  async #connect(): Promise<NatsLink> {
    if (this.#closing.signal.aborted) throw new LinkDown('it was closed');
    const link = await NatsLink.open(this.#target, this.#patience.connect);
    try {
      if (link.maxPayload < stream.MAX_STORED)
        fail('E_RELAY', `${this.address} takes messages of at most ${String(link.maxPayload)} bytes; places need ${String(stream.MAX_STORED)}`, { field: 'max_payload', remedy: 'Let the operator of the relay raise max_payload; its default, 1 MB, is enough.' });
      await this.#ensureStream(link);
      if (this.#closing.signal.aborted) throw new LinkDown('it was closed');
      return link;
    } catch (e) {
      link.close();
      throw e;
    }
  }

  async #ensureStream(link: NatsLink): Promise<void> {
    const settings = await this.#ask(link, stream.STREAM_INFO, {}, stream.StreamAnswer);
    if ('ok' in settings) {
      stream.checkStream(settings.ok.config, this.address);
      return;
    }
    if (settings.error.code !== stream.NOT_FOUND) this.#refuses('tell about its stream', settings.error);
    let made: Answer<v.InferOutput<typeof stream.StreamAnswer>>;
    try {
      made = await this.#ask(link, stream.STREAM_CREATE, stream.WANTED_STREAM, stream.StreamAnswer);
    } catch (e) {
      if (!(e instanceof CeremonyError) || e.facts.field !== DENIED) throw e;
      return fail('E_RELAY', `${this.address} has no stream ${stream.STREAM}, and this login may not create it`, { field: DENIED, remedy: 'Let the operator of the relay create it as "A relay on NATS" in CEREMONY.md says.' });
    }
    // two came first at the same time: the other's stream is looked at
    if ('error' in made && made.error.err_code === stream.NAME_IN_USE) throw new LinkDown('its stream is being created');
    if ('error' in made) this.#refuses(`create the stream ${stream.STREAM}`, made.error);
    else stream.checkStream(made.ok.config, this.address);
  }

  /** One request of JetStream; bytes are stored, anything else is a question. @throws LinkDown when nobody answers; E_RELAY */
  async #ask<T>(link: NatsLink, subject: string, question: object | Uint8Array, schema: v.GenericSchema<unknown, T>): Promise<Answer<T>> {
    const payload = question instanceof Uint8Array ? question : Buffer.from(JSON.stringify(question));
    const answer = await link.request(subject, payload, this.#patience.answer + payload.length / 20, question instanceof Uint8Array ? stream.EXPECTED_STREAM : undefined);
    return stream.parseAnswer(answer, schema, this.address);
  }

  /** Asks until there is an answer. @throws E_RELAY after all patience; LinkDown when `ms` is less than that */
  async #persist<T>(ms: number, subject: string, question: object | Uint8Array, schema: v.GenericSchema<unknown, T>): Promise<Answer<T>> {
    const until = performance.now() + ms;
    for (let wait = 50; ; wait = Math.min(2 * wait, 2000)) {
      let link: NatsLink | undefined;
      try {
        link = await this.connected();
        return await this.#ask(link, subject, question, schema);
      } catch (e) {
        if (!(e instanceof LinkDown)) throw e;
        // a stream that is gone is missed by everybody: the next connection looks, and creates it again
        link?.close();
        if (this.#closing.signal.aborted) return fail('E_RELAY', `${this.address} was closed`);
        if (performance.now() + wait >= until) {
          if (ms < this.#patience.altogether) throw e;
          this.unreachable(e);
        }
        await pause(wait, this.#closing.signal);
      }
    }
  }

  /** Stores under a subject that is written once. */
  async #store(subject: string, bytes: Uint8Array): Promise<'stored' | 'there' | 'other'> {
    const answer = await this.#persist(this.#patience.altogether, subject, bytes, stream.StoredAnswer);
    if ('ok' in answer) return 'stored';
    const there = await this.#fetch(subject);
    if (there === undefined) return this.#refuses('store', answer.error);
    return equalBytes(there, bytes) ? 'there' : 'other';
  }

  /** What lies under a subject. */
  async #fetch(subject: string): Promise<Uint8Array | undefined> {
    const answer = await this.#persist(this.#patience.altogether, stream.MESSAGE_GET, { last_by_subj: subject }, stream.MessageAnswer);
    if ('error' in answer) return answer.error.code === stream.NOT_FOUND ? undefined : this.#refuses('hand out a place', answer.error);
    const { message } = answer.ok;
    if (message.subject !== subject) this.#lies('it hands out another place than the one asked for');
    return new Uint8Array(Buffer.from(message.data, 'base64'));
  }

  async #list(box: string, ms: number): Promise<string[]> {
    const answer = await this.#persist(ms, stream.STREAM_INFO, { subjects_filter: stream.boxSubject(box) }, stream.StreamAnswer);
    if ('error' in answer) return answer.error.code === stream.NOT_FOUND ? [] : this.#refuses('list a box', answer.error);
    stream.checkStream(answer.ok.config, this.address);
    // a box that somebody fills shows its first names; whoever knows a place asks for it by itself
    return Object.keys(answer.ok.state.subjects).flatMap((s) => nameIn(box, s) ?? []).sort().slice(0, MAX_NAMES);
  }
}
