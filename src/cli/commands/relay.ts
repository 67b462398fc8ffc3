/** `relay serve`: a relay for a team, over a folder of this machine. Needs no home and holds no secret but its TLS key, if it has one. */
import { parseListen, serve, SERVE_LIMITS } from '../../relay/serve.ts';
import { openSpool } from '../../relay/spool.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { type Context, realPath } from '../context.ts';

/** Flags of `relay serve`. */
export interface ServeFlags {
  readonly listen?: string;
  readonly maxBytes?: number;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
}

function pem(ctx: Context, path: string, flag: string): Uint8Array {
  return ctx.disk.read(realPath(path), 1 << 20) ?? fail('E_USAGE', `${path} is not there`, { file: path, field: flag });
}

/** Threads that wait for the disk. Node starts four when the first is needed, which no file of this program does before; parts come in faster with more. */
const DISK_THREADS = '16';

/** Serves until SIGINT or SIGTERM. @throws E_RELAY, E_USAGE, E_IO */
export async function relayServe(ctx: Context, folder: string, { listen = '127.0.0.1:8787', maxBytes = SERVE_LIMITS.disk, tlsKey, tlsCert }: ServeFlags): Promise<ExitCode> {
  const { host, port } = parseListen(listen);
  process.env['UV_THREADPOOL_SIZE'] ??= DISK_THREADS;
  if ((tlsKey === undefined) !== (tlsCert === undefined)) fail('E_USAGE', '--tls-key and --tls-cert belong together', { field: tlsKey === undefined ? 'tls-key' : 'tls-cert', remedy: 'Give both, or neither.' });
  const tls = tlsKey === undefined || tlsCert === undefined ? undefined : { key: pem(ctx, tlsKey, 'tls-key'), cert: pem(ctx, tlsCert, 'tls-cert') };
  const root = realPath(folder);
  if (!ctx.disk.exists(root)) ctx.disk.makeDir(root);
  const server = await serve(openSpool(root), { host, port, tls, limits: { disk: maxBytes }, onFault: (text) => ctx.out.say(`! ${text}`) });
  tls?.key.fill(0);
  const remarks = [
    'What it carries is sealed and signed: it can read and change nothing.',
    'It sees boxes, sizes, times and addresses of the machines that ask, and keeps',
    'nothing but the parts. It can delay and lose; other routes stay open.',
    ...(tls || /^(?:127\.|localhost$|::1$)/.test(host) ? [] : ['Without TLS the network between sees the same.']),
    ...server.bounds,
    `Parts lie in ${root}`,
    `and take at most ${String(maxBytes)} bytes. To make room, take away folders of`,
    'ceremonies that have ended. Stop it with Ctrl-C.',
  ];
  const shown = /^(?:0\.0\.0\.0|::)$/.test(host) ? server.address.replace(/\/\/.*:/, '//NAME-OF-THIS-MACHINE:') : server.address;
  ctx.out.result({ schema: 'mpc-ceremony/relay-serve/1', address: server.address, folder: root, maxBytes, tls: tls !== undefined, pid: process.pid }, [
    `Relay at ${server.address}`,
    `Participants say: --via relay:${shown}`,
    ...remarks,
  ]);
  ctx.out.flush();
  await new Promise<void>((stop) => {
    process.removeAllListeners('SIGINT');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop());
  });
  ctx.out.say('ending: finishing what was begun …');
  await server.close();
  return EXIT.ok;
}
