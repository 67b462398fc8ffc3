/**
 * A real nats-server for tests: on loopback, with a port and a folder of its own. If it is missing, tests fail; they never skip.
 * Also a wire between client and server that can be listened to and cut, and a server that says whatever a test lets it say.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/bin`;
/** Ends with the server, and the server with the test's process, however that ends: the pipe is closed then. */
const GUARDED = 'exec 3<&0; nats-server -c "$0" & server=$!; (cat <&3 >/dev/null; kill -9 $server) 2>/dev/null & wait $server';
const MISSING = 'nats-server is missing: apt-get install nats-server. These tests need the real server and do not skip.';

export interface NatsServer {
  readonly port: number;
  readonly host: string;
  /** Holds the configuration, the log and, unless lost, the store. */
  readonly dir: string;
  /** Resident memory in kB. */
  rss(): number;
  /** Seconds of the processor used so far. */
  cpu(): number;
  log(): string;
  /** As `kill -9`; ends when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port. @param lost with an empty store */
  start(lost?: boolean): Promise<void>;
  /** Kills and removes everything. */
  remove(): Promise<void>;
}

/** A port of loopback where nobody listens at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const port = portOf(server);
  await new Promise((done) => server.close(done));
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Waits until the server says who it is, JetStream included where it was asked for. */
async function ready(port: number, alive: () => boolean, jetstream: boolean): Promise<boolean> {
  for (let i = 0; i < 400 && alive(); i++) {
    const said = await new Promise<string>((done) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('data', (d: Uint8Array) => {
        done(Buffer.from(d).toString('latin1'));
        socket.destroy();
      });
      socket.once('error', () => {
        done('');
      });
      socket.once('close', () => {
        done('');
      });
    });
    if (said.startsWith('INFO ') && (!jetstream || said.includes('"jetstream":true'))) return true;
    await sleep(25);
  }
  return false;
}

/**
 * Starts a server.
 * @param extra further lines of its configuration; `DIR` stands for its folder
 * @param options.jetstream false leaves it out; options.files: written into its folder before
 */
export async function startNats(extra = '', options: { readonly jetstream?: boolean; readonly files?: Readonly<Record<string, string | Uint8Array>> } = {}): Promise<NatsServer> {
  try {
    execFileSync('nats-server', ['--version'], { env: { ...process.env, PATH }, stdio: 'ignore' });
  } catch {
    throw new Error(MISSING);
  }
  const dir = mkdtempSync(join(tmpdir(), 'mpc-nats-'));
  for (const [name, bytes] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), bytes, { mode: 0o600 });
  const jetstream = options.jetstream ?? true;
  const log = join(dir, 'server.log');
  let child: ChildProcess | undefined;
  let port = 0;

  const kill = async (): Promise<void> => {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((done) => running.once('exit', done));
    // its guard kills it with -9 when the pipe ends
    running.stdin?.destroy();
    await gone;
  };
  const start = async (lost = false): Promise<void> => {
    await kill();
    if (lost) rmSync(join(dir, 'store'), { recursive: true, force: true });
    for (let attempt = 0; attempt < 5; attempt++) {
      if (attempt > 0 || port === 0) port = await freePort();
      mkdirSync(join(dir, 'store'), { recursive: true });
      const config = `listen: "127.0.0.1:${String(port)}"\nlog_file: "${log}"\npid_file: "${dir}/pid"\n${jetstream ? `jetstream { store_dir: "${dir}/store", max_file_store: 1GB }\n` : ''}${extra.replaceAll('DIR', dir)}\n`;
      writeFileSync(join(dir, 'server.conf'), config);
      const started = spawn('sh', ['-c', GUARDED, join(dir, 'server.conf')], { env: { ...process.env, PATH }, stdio: ['pipe', 'ignore', 'ignore'] });
      child = started;
      if (await ready(port, () => started.exitCode === null && started.signalCode === null, jetstream)) return;
      await kill();
    }
    throw new Error(`nats-server does not start: ${readLog().slice(-400)}`);
  };
  const readLog = (): string => {
    try {
      return readFileSync(log, 'utf8');
    } catch {
      return '';
    }
  };
  const remove = async (): Promise<void> => {
    await kill();
    rmSync(dir, { recursive: true, force: true });
  };
  const pid = (): string => readFileSync(join(dir, 'pid'), 'utf8').trim();
  await start();
  return {
    dir,
    get port() {
      return port;
    },
    get host() {
      return `127.0.0.1:${String(port)}`;
    },
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid()}/status`, 'utf8'))?.[1]),
    cpu: () => {
      const fields = readFileSync(`/proc/${pid()}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    log: readLog,
    kill,
    start,
    remove,
  };
}

export interface Wire {
  readonly port: number;
  /** Bytes on their way; what the function returns goes on, undefined cuts both ends. */
  onClient: (chunk: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;
  onServer: (chunk: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;
  /** Connections made so far. */
  readonly made: number;
  close(): Promise<void>;
}

/** Stands between a client and the server at `port`. */
export async function wireTo(port: () => number): Promise<Wire> {
  const open = new Set<Socket>();
  let made = 0;
  const server = createServer((client) => {
    made += 1;
    const there = connect(port(), '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      there.destroy();
    };
    for (const s of [client, there]) {
      open.add(s);
      s.on('error', cut).on('close', () => {
        open.delete(s);
        cut();
      });
    }
    const pass = (from: Socket, to: Socket, how: () => Wire['onClient']): void => {
      let turn = Promise.resolve();
      from.on('data', (chunk: Buffer) => {
        turn = turn.then(async () => {
          const goes = await how()(chunk);
          if (goes === undefined) cut();
          else if (!to.destroyed) to.write(goes);
        });
      });
    };
    pass(client, there, () => wire.onClient);
    pass(there, client, () => wire.onServer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const wire: Wire = {
    port: portOf(server),
    onClient: (c) => c,
    onServer: (c) => c,
    get made() {
      return made;
    },
    close: async () => {
      for (const s of open) s.destroy();
      await new Promise((done) => server.close(done));
    },
  };
  return wire;
}

/** A server that is none. @param talk called for every connection */
export async function falseServer(talk: (socket: Socket) => void): Promise<{ readonly port: number; readonly sockets: ReadonlySet<Socket>; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    talk(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: portOf(server),
    sockets,
    close: async () => {
      for (const s of sockets) s.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The first line of an honest server. */
export const INFO = (more: object = {}): string => `INFO ${JSON.stringify({ server_id: 'X', version: '2.9.10', proto: 1, headers: true, max_payload: 1048576, jetstream: true, ...more })} \r\n`;
