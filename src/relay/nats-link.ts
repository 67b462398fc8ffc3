/**
 * One connection to a NATS server: NATS's own client library behind {@link ./nats-sieve.ts}, with TLS and login. It does not
 * connect again by itself: when it is gone, everything under way ends with {@link LinkDown}, and whoever uses it opens another and
 * repeats what was not answered ({@link ./nats-relay.ts}). Texts of the other side are told apart but never shown.
 *
 * What the library leaves open: it takes up to 64 kB before TLS, and signs the nonce in JavaScript.
 */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import {
  type Authenticator,
  AuthorizationError,
  headers as newHeaders,
  type Msg,
  type NatsConnection,
  NatsConnectionImpl,
  NoRespondersError,
  PermissionViolationError,
  setTransportFactory,
  TimeoutError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node';
import { NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';
import { CeremonyError, fail } from '../wire/errors.ts';
import { MAX_INFO, NatsSieve } from './nats-sieve.ts';

/** Something that may work when it is tried again. The text says what happened. */
export class LinkDown extends Error {}

/** The field of an E_RELAY that speaks of a missing permission. */
export const DENIED = 'permissions';

/** Where to, and as whom. */
export interface LinkTarget {
  /** For screens. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** TLS and nothing else, or none at all. */
  readonly tls: boolean;
  /** Certificates (PEM) that may vouch for the server, in place of the system's. */
  readonly ca?: string | undefined;
  /** A login by signature. */
  readonly authenticator?: Authenticator | undefined;
  /** A login by certificate: PEM with certificate and private key (secret). */
  readonly clientPem?: string | undefined;
}

/** What the library reads from the wire, sifted. */
class SievedTransport extends NodeTransport {
  override peekInfo(): ReturnType<NodeTransport['peekInfo']> {
    let bytes = 0;
    this.socket.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > MAX_INFO) this.socket.destroy();
    });
    return super.peekInfo();
  }

  override startTLS(): ReturnType<NodeTransport['startTLS']> {
    if (!this.options.tls) return Promise.reject(new CeremonyError('E_RELAY', 'it wants TLS', { remedy: 'Write tls:// in the address of the relay.' }));
    // what came with the first line, in the clear, would be taken for what came through TLS
    const before = Buffer.concat(this.yields);
    if (before.indexOf(10) !== before.length - 1) return Promise.reject(new CeremonyError('E_RELAY', 'somebody speaks before TLS begins', { remedy: 'Somebody may stand between: use another way into the network, or another route.' }));
    return super.startTLS();
  }

  /** The library forgets about a connection that did not come about; it must not read on. */
  override close(err?: Error): Promise<void> {
    if (this.connected) return super.close(err);
    this.discard();
    return Promise.resolve();
  }

  override async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const sieve = new NatsSieve();
    for await (const chunk of super.iterate()) {
      let passed: Uint8Array[];
      try {
        passed = sieve.take(chunk);
      } catch (e) {
        await super.close(e as Error);
        return;
      }
      yield* passed;
    }
  }
}

const ERRNO: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up',
  ETIMEDOUT: 'there is no answer',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no network',
};
const NOT_TRUSTED = 'is signed by nobody that is trusted here';
const CERTIFICATE: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name than the one asked for',
  CERT_HAS_EXPIRED: 'has expired, or the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'is not valid yet, or the clock of this machine is wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
};

const chain = (e: unknown): unknown[] => (e instanceof Error ? [e, ...chain(e.cause)] : []);

/** What went wrong, told apart: what waiting may cure, and what only a person can. */
function faultOf(target: LinkTarget, cause: unknown): CeremonyError | LinkDown {
  const { address } = target;
  const refused = (text: string, remedy: string): CeremonyError => new CeremonyError('E_RELAY', `${address}: ${text}`, { remedy });
  const causes = chain(cause);
  for (const e of causes) {
    if (e instanceof LinkDown) return e;
    if (e instanceof CeremonyError) return refused(e.message, e.facts.remedy ?? '');
    if (e instanceof AuthorizationError || e instanceof UserAuthenticationExpiredError) {
      if (target.authenticator === undefined && target.clientPem === undefined) return refused('it does not take visitors without a login', 'Ask its operator for a credentials file and give it with --relay-creds.');
      return refused('it does not accept this login', 'Check that --relay-creds names the file made for this relay, that it has not expired, and that the clock of this machine is right; otherwise ask its operator for a new one.');
    }
    if (e instanceof TimeoutError) return new LinkDown('there is no answer');
    if (e instanceof NoRespondersError) return new LinkDown('JetStream does not answer; it is starting, or not switched on');
    if (e instanceof Error && e.message === "server does not support 'tls'")
      return refused('it offers no TLS', 'Do not go on without: somebody may stand between. Ask the operator of the relay for the right address.');
    const code = String((e as NodeJS.ErrnoException).code ?? '');
    const words = CERTIFICATE[code];
    if (words !== undefined) return refused(`its certificate ${words}`, 'Give the certificate of whoever signed it with --relay-ca, and the name that stands in it. Do not go on without: somebody may stand between.');
    if (/ALERT_(?:CERTIFICATE_|BAD_CERTIFICATE|UNKNOWN_CA)|CERTIFICATE_REQUIRED/.test(code))
      return refused('it does not accept the certificate shown to it, or asks for one', 'Give client certificate and key in one PEM file with --relay-creds.');
    if (/^ERR_(?:SSL|TLS)_[A-Z0-9_]+$|^EPROTO$/.test(code)) return refused(`TLS cannot be agreed on (${code})`, 'Check the address and the port; another kind of server may listen there.');
    const known = ERRNO[code] ?? (e instanceof Error && e.message === 'connection refused' ? ERRNO['ECONNREFUSED'] : undefined);
    if (known !== undefined) return new LinkDown(known);
  }
  return new LinkDown('the connection ended');
}

/** Listens on a subject. */
export interface Bell {
  /** Ends with the subject of the next message, with the link, or when this login may not subscribe. */
  readonly rung: Promise<{ readonly subject: string } | 'down' | 'refused'>;
  cancel(): void;
}

/** An open connection. */
export class NatsLink {
  readonly #target: LinkTarget;
  readonly #nc: NatsConnection;
  #fault: CeremonyError | LinkDown | undefined;

  private constructor(target: LinkTarget, nc: NatsConnection) {
    this.#target = target;
    this.#nc = nc;
    void nc.closed().then((cause) => {
      this.#fault ??= faultOf(target, cause);
    });
  }

  /**
   * Connects and logs in.
   * @param ms for all of it
   * @throws LinkDown when trying again may help; E_RELAY when a person has to do something
   */
  static async open(target: LinkTarget, ms: number): Promise<NatsLink> {
    const { host, port, tls, ca, clientPem, authenticator } = target;
    // the name that is checked is the one in the address; without it, node takes a number for "localhost"
    const secured = {
      ...(ca === undefined ? {} : { ca }),
      ...(clientPem === undefined ? {} : { cert: clientPem, key: clientPem }),
      servername: isIP(host) ? '' : host,
      checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
    };
    setTransportFactory({ factory: () => new SievedTransport() });
    try {
      const nc = await NatsConnectionImpl.connect({
        servers: `${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}`,
        timeout: ms,
        tls: tls ? secured : null,
        reconnect: false,
        resolve: false,
        noAsyncTraces: true,
        ...(authenticator === undefined ? {} : { authenticator }),
      });
      return new NatsLink(target, nc);
    } catch (cause) {
      throw faultOf(target, cause);
    }
  }

  /** Bytes of the largest message that the server takes. */
  get maxPayload(): number {
    return this.#nc.info?.max_payload ?? 0;
  }

  get down(): boolean {
    return this.#nc.isClosed();
  }

  /**
   * Publishes and waits for the first answer.
   * @param ms for the answer
   * @throws LinkDown, after which the link is to be closed: an answer may still come; E_RELAY when this login may not publish there
   */
  async request(subject: string, payload: Uint8Array, ms: number, header?: readonly [string, string]): Promise<Uint8Array> {
    const headers = newHeaders();
    if (header !== undefined) headers.set(...header);
    let answer: Msg;
    try {
      answer = await this.#nc.request(subject, payload, { timeout: ms, ...(header === undefined ? {} : { headers }) });
    } catch (cause) {
      const denied = chain(cause).find((e) => e instanceof PermissionViolationError);
      if (denied?.operation === 'publish') return this.#denied(`publish to ${subject}`);
      if (denied !== undefined) return this.#denied('receive answers (subscribe to _INBOX.>)');
      // a connection that ended knows why
      if (this.#nc.isClosed()) await this.#nc.closed();
      throw this.#fault ?? faultOf(this.#target, cause);
    }
    const status = answer.headers?.code ?? 0;
    if (status !== 0) throw new LinkDown('JetStream does not answer');
    return answer.data;
  }

  #denied(what: string): never {
    return fail('E_RELAY', `${this.#target.address}: this login may not ${what}`, { field: DENIED, remedy: 'Ask the operator of the relay for the permissions that "A relay on NATS" in CEREMONY.md lists.' });
  }

  /** Listens for one message. */
  bell(subject: string): Bell {
    let ring: (how: Awaited<Bell['rung']>) => void = () => undefined;
    const rung: Bell['rung'] = new Promise((resolve) => {
      ring = resolve;
    });
    if (this.#nc.isClosed()) {
      ring('down');
      return { rung, cancel: () => undefined };
    }
    // one only: whoever waits lists the box anyway, and need not be sent what others fetch
    const heard = this.#nc.subscribe(subject, {
      max: 1,
      callback: (cause, message) => {
        ring(cause === null ? { subject: message.subject } : 'refused');
      },
    });
    void heard.closed.then(() => {
      ring('down');
    });
    return {
      rung,
      cancel: () => {
        if (!heard.isClosed()) heard.unsubscribe();
      },
    };
  }

  close(): void {
    this.#fault ??= new LinkDown('there is no answer');
    void this.#nc.close();
  }
}
