/** Who may come in, and who is talked to: TLS, nkeys, JWT accounts, client certificates, permissions; all with a real nats-server. */
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { natsRelay } from '../../src/relay/nats-relay.ts';
import { STREAM, WANTED_STREAM } from '../../src/relay/nats-stream.ts';
import type { Relay, RelayOptions } from '../../src/relay/relay.ts';
import type { CeremonyError } from '../../src/wire/errors.ts';
import { falseServer, INFO, type NatsServer, startNats, wireTo } from '../support/nats.ts';
import { place, random, refusal } from './people.ts';

const BOX = place(0);
const HASTE = { connect: 3000, answer: 3000, altogether: 3000 };
/** What a participant needs, and nothing more. */
const RIGHTS = {
  pub: ['mpc.>', `$JS.API.STREAM.INFO.${STREAM}`, `$JS.API.STREAM.MSG.GET.${STREAM}`],
  sub: ['_INBOX.>', 'mpc.*.*'],
};

let dir = '';
const at = (name: string): string => join(dir, name);
const ends: (() => Promise<unknown>)[] = [];

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
};
function authority(name: string): void {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
}
/** A certificate and its key by an authority. */
function certificate(name: string, by: string, alternative: string, days = 2): void {
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(at(`${name}.ext`), `subjectAltName=${alternative}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-out', `${name}.pem`, '-days', String(days), '-extfile', `${name}.ext`);
}
const tlsFiles = (name: string): Record<string, Uint8Array> => ({ 'server.pem': readFileSync(at(`${name}.pem`)), 'server.key': readFileSync(at(`${name}.key`)), 'ca.pem': readFileSync(at('ca.pem')) });
const TLS = 'tls { cert_file: "DIR/server.pem", key_file: "DIR/server.key", timeout: 5 }';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mpc-login-'));
  authority('ca');
  authority('other');
  certificate('both', 'ca', 'DNS:localhost,IP:127.0.0.1');
  certificate('localhost', 'ca', 'DNS:localhost');
  certificate('elsewhere', 'ca', 'DNS:relay.example,IP:127.0.0.9');
  certificate('signer', 'ca', 'email:signer@example.org');
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function start(extra = '', options: Parameters<typeof startNats>[1] = {}): Promise<NatsServer> {
  const server = await startNats(extra, options);
  ends.push(() => server.remove());
  return server;
}
async function open(url: string, options: RelayOptions = {}): Promise<Relay> {
  const relay = await natsRelay(new URL(url), options, HASTE);
  ends.push(() => relay.close());
  return relay;
}
async function works(relay: Relay): Promise<void> {
  const bytes = random(700_000);
  expect(await relay.put(BOX, place(1), bytes)).toBe('stored');
  expect(Buffer.compare((await relay.get(BOX, place(1))) ?? new Uint8Array(), bytes)).toBe(0);
  expect(await relay.list(BOX)).toEqual([place(1)]);
  await relay.wait(BOX, 0, 60_000);
}
/** The refusal of an opening, with nothing of any secret in it. */
async function refused(url: string, options: RelayOptions = {}, ...secrets: string[]): Promise<CeremonyError> {
  const e = await refusal(() => open(url, options));
  const shown = [e.message, JSON.stringify(e.facts), e.stack ?? '', String((e.facts.cause as Error | undefined)?.stack)].join('\n');
  for (const secret of secrets) expect(shown.includes(secret.trim().slice(0, 20))).toBe(false);
  return e;
}
function file(name: string, text: string | Uint8Array): string {
  writeFileSync(at(name), text, { mode: 0o600 });
  return at(name);
}
const seedOf = (pair: KeyPair): string => Buffer.from(pair.getSeed()).toString('latin1');

describe('TLS', () => {
  it('by name and by number, with the authority that was given', async () => {
    const server = await start(TLS, { files: tlsFiles('both') });
    await works(await open(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem') }));
    await (await open(`tls://127.0.0.1:${String(server.port)}`, { ca: at('ca.pem') })).list(BOX);
    // an authority alone asks for TLS as well
    await (await open(`nats://127.0.0.1:${String(server.port)}`, { ca: at('ca.pem') })).list(BOX);
  });
  it('refuses a certificate that somebody else signed, or that nobody here knows', async () => {
    const server = await start(TLS, { files: tlsFiles('both') });
    for (const options of [{ ca: at('other.pem') }, {}]) {
      const e = await refused(`tls://localhost:${String(server.port)}`, options);
      expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('signed by nobody that is trusted')]);
    }
  });
  it('refuses a certificate for another name, or another number', async () => {
    const server = await start(TLS, { files: tlsFiles('elsewhere') });
    for (const host of ['localhost', '127.0.0.1']) {
      const e = await refused(`tls://${host}:${String(server.port)}`, { ca: at('ca.pem') });
      expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('another name')]);
    }
  });
  it('does not take a number for "localhost"', async () => {
    const server = await start(TLS, { files: tlsFiles('localhost') });
    await (await open(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem') })).list(BOX);
    expect((await refused(`tls://127.0.0.1:${String(server.port)}`, { ca: at('ca.pem') })).message).toContain('another name');
  });
  it('says nothing where there is none, and does not slip into the clear', async () => {
    const server = await start();
    for (const [url, options] of [[`tls://127.0.0.1:${String(server.port)}`, {}], [`nats://127.0.0.1:${String(server.port)}`, { ca: at('ca.pem') }]] as const) {
      const e = await refused(url, options);
      expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('offers no TLS')]);
    }
    let said = '';
    const stripped = await falseServer((s) => {
      s.write(INFO());
      s.on('data', (d) => (said += String(d)));
    });
    ends.push(() => stripped.close());
    expect((await refused(`tls://127.0.0.1:${String(stripped.port)}`, { ca: at('ca.pem') })).message).toContain('offers no TLS');
    expect(said).toBe('');
  });
  it('is asked for where the server wants it', async () => {
    const server = await start(TLS, { files: tlsFiles('both') });
    const e = await refused(`nats://127.0.0.1:${String(server.port)}`);
    expect([e.code, e.facts.remedy]).toEqual(['E_RELAY', expect.stringContaining('tls://')]);
  });
  it('refuses words that came before it', async () => {
    const early = await falseServer((s) => s.write(`${INFO({ tls_required: true })}-ERR 'Authorization Violation'\r\n`));
    ends.push(() => early.close());
    expect((await refused(`tls://127.0.0.1:${String(early.port)}`, { ca: at('ca.pem') })).message).toContain('before TLS');
  });
  it('with a client certificate, where the server asks for one', async () => {
    const server = await start('tls { cert_file: "DIR/server.pem", key_file: "DIR/server.key", ca_file: "DIR/ca.pem", verify: true, timeout: 5 }', { files: tlsFiles('both') });
    const both = file('signer-both.pem', Buffer.concat([readFileSync(at('signer.pem')), readFileSync(at('signer.key'))]));
    await (await open(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem'), creds: both })).list(BOX);
    const e = await refused(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem') });
    expect([e.code, e.facts.remedy]).toEqual(['E_RELAY', expect.stringContaining('client certificate')]);
  });
});

describe('an nkey', () => {
  const pair = createUser();
  const list = (items: readonly string[]): string => `[${items.map((i) => `"${i}"`).join(', ')}]`;
  const users = (rights: typeof RIGHTS, key = pair): string =>
    `authorization { users: [ { nkey: ${key.getPublicKey()}, permissions: { publish: ${list(rights.pub)}, subscribe: ${list(rights.sub)} } }, { user: operator, password: pw } ] }`;
  /** A server whose operator has made the stream, as CEREMONY.md says. */
  const prepared = async (rights = RIGHTS, stream = true): Promise<NatsServer> => {
    const server = await start(users(rights));
    if (!stream) return server;
    const operator = await connect({ servers: server.host, user: 'operator', pass: 'pw' });
    await (await jetstreamManager(operator)).streams.add({ ...WANTED_STREAM } as never);
    await operator.close();
    return server;
  };
  it('with the least rights does everything, and nothing else', async () => {
    const server = await prepared();
    const creds = file('user.nk', `${seedOf(pair)}\n`);
    await works(await open(`nats://${server.host}`, { creds }));
    const raw = await connect({ servers: server.host, authenticator: (nonce?: string) => ({ nkey: pair.getPublicKey(), sig: Buffer.from(pair.sign(Buffer.from(nonce ?? ''))).toString('base64') }) });
    const manager = await jetstreamManager(raw, { checkAPI: false, timeout: 2000 });
    for (const forbidden of [() => manager.streams.delete(STREAM), () => manager.streams.purge(STREAM), () => manager.streams.update(STREAM, { max_age: 1e9 }), () => manager.streams.add({ name: 'x', subjects: ['x'] }), () => raw.request('_INBOX.forged', '', { timeout: 2000 })])
      await expect(forbidden()).rejects.toThrow(/permission/i);
    await raw.close();
  });
  it('that the server does not know is refused', async () => {
    const server = await prepared();
    const stranger = createUser();
    const e = await refused(`nats://${server.host}`, { creds: file('stranger.nk', seedOf(stranger)) }, seedOf(stranger));
    expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('does not accept this login')]);
    const none = await refused(`nats://${server.host}`);
    expect([none.code, none.facts.remedy]).toEqual(['E_RELAY', expect.stringContaining('--relay-creds')]);
  });
  it('that may not create the stream says that it is missing', async () => {
    const server = await prepared(RIGHTS, false);
    const e = await refused(`nats://${server.host}`, { creds: file('user.nk', seedOf(pair)) });
    expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('may not create it')]);
  });
  it.each([
    ['answers', { ...RIGHTS, sub: ['mpc.*.*'] }, 'receive answers'],
    ['the settings', { ...RIGHTS, pub: ['mpc.>'] }, 'publish to $JS.API.STREAM.INFO'],
  ])('without the right to %s says which one', async (_, rights, words) => {
    const server = await prepared(rights);
    const e = await refused(`nats://${server.host}`, { creds: file('user.nk', seedOf(pair)) });
    expect([e.code, e.message, e.facts.remedy]).toEqual(['E_RELAY', expect.stringContaining(words), expect.stringContaining('permissions')]);
  });
  it('without the right to write or to fetch says which one, and other things go on', async () => {
    const server = await prepared({ ...RIGHTS, pub: RIGHTS.pub.slice(1, 2) });
    const relay = await open(`nats://${server.host}`, { creds: file('user.nk', seedOf(pair)) });
    expect((await refusal(() => relay.put(BOX, place(1), random(5)))).message).toContain(`publish to mpc.${BOX}.${place(1)}`);
    expect((await refusal(() => relay.get(BOX, place(1)))).message).toContain('publish to $JS.API.STREAM.MSG.GET');
    expect(await relay.list(BOX)).toEqual([]);
  });
  it('without the right to listen still sees what comes, and does not ask all the time', async () => {
    const server = await prepared({ ...RIGHTS, sub: ['_INBOX.>'] });
    const wire = await wireTo(() => server.port);
    ends.push(() => wire.close());
    const relay = await open(`nats://127.0.0.1:${String(wire.port)}`, { creds: file('user.nk', seedOf(pair)) });
    let looks = 0;
    wire.onClient = (chunk) => {
      looks += chunk.toString('latin1').split('subjects_filter').length - 1;
      return chunk;
    };
    const waiting = relay.wait(BOX, 0, 60_000);
    await sleep(1000);
    expect(looks).toBe(1);
    await relay.put(BOX, place(1), random(5));
    await waiting;
    expect(looks).toBe(2);
  });
});

describe('a .creds file', () => {
  /** A JWT as nsc makes them. */
  function jwt(subject: KeyPair, by: KeyPair, name: string, nats: object, more: object = {}): string {
    const part = (o: object): string => Buffer.from(JSON.stringify(o)).toString('base64url');
    const claims = { iat: Math.floor(Date.now() / 1000), iss: by.getPublicKey(), sub: subject.getPublicKey(), name, nats: { version: 2, ...nats }, ...more };
    const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
    const head = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ jti, ...claims })}`;
    return `${head}.${Buffer.from(by.sign(Buffer.from(head))).toString('base64url')}`;
  }
  const operator = createOperator();
  const system = createAccount();
  const account = createAccount();
  const user = createUser();
  const limits = { subs: -1, data: -1, payload: -1 };
  const accountJwt = jwt(account, operator, 'ceremonies', {
    type: 'account',
    limits: { ...limits, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
  });
  const userJwt = (more: object = {}): string =>
    jwt(user, account, 'signer-1', { type: 'user', ...limits, pub: { allow: [...RIGHTS.pub, `$JS.API.STREAM.CREATE.${STREAM}`] }, sub: { allow: RIGHTS.sub } }, more);
  const credsOf = (token: string, seed: string): string =>
    `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n************************* IMPORTANT *************************\nNKEY Seed printed below can be used to sign and prove identity.\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  const systemJwt = jwt(system, operator, 'SYS', { type: 'account', limits: { ...limits, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 } });
  const managed = (): Promise<NatsServer> =>
    start(
      `operator: "DIR/operator.jwt"\nsystem_account: ${system.getPublicKey()}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: "${accountJwt}", ${system.getPublicKey()}: "${systemJwt}" }\n${TLS}`,
      { files: { ...tlsFiles('both'), 'operator.jwt': jwt(operator, operator, 'org', { type: 'operator' }) } },
    );

  it('over TLS, in an account with permissions', async () => {
    const server = await managed();
    await works(await open(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem'), creds: file('user.creds', credsOf(userJwt(), seedOf(user))) }));
  });
  it('with Windows line ends, and through a link', async () => {
    const server = await managed();
    file('windows.creds', credsOf(userJwt(), seedOf(user)).replaceAll('\n', '\r\n'));
    symlinkSync(at('windows.creds'), at('link.creds'));
    await (await open(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem'), creds: at('link.creds') })).list(BOX);
  });
  it('that has expired, or whose seed is another one, is refused', async () => {
    const server = await managed();
    const past = Math.floor(Date.now() / 1000) - 10;
    for (const text of [credsOf(userJwt({ exp: past }), seedOf(user)), credsOf(userJwt(), seedOf(createUser()))]) {
      const e = await refused(`tls://localhost:${String(server.port)}`, { ca: at('ca.pem'), creds: file('bad.creds', text) }, seedOf(user), userJwt());
      expect([e.code, e.message]).toEqual(['E_RELAY', expect.stringContaining('does not accept this login')]);
    }
  });
  it('login files that are none, or damaged, are named and not shown', async () => {
    const seed = seedOf(user);
    const good = credsOf(userJwt(), seed);
    const wrong = [
      '',
      'hello',
      seed.slice(1),
      `${seed.slice(0, 20)}${seed[20] === 'A' ? 'B' : 'A'}${seed.slice(21)}`,
      seed.toLowerCase(),
      `${seed}\n${seed}`,
      seedOf(account),
      good.replace(seed, seed.slice(0, 40)),
      good.replace(/-----BEGIN USER NKEY SEED-----[^]*/, ''),
      readFileSync(at('both.pem')),
      Buffer.concat([readFileSync(at('both.pem')), readFileSync(at('localhost.key'))]),
      Buffer.from(good).fill(0xff, 30, 60),
    ];
    for (const text of wrong) {
      const e = await refused('nats://127.0.0.1:1', { creds: file('wrong', text) }, seed);
      expect([String(text).slice(0, 40), e.code, e.facts.file, e.facts.field]).toEqual([String(text).slice(0, 40), 'E_USAGE', at('wrong'), 'relay-creds']);
    }
    expect((await refused('nats://127.0.0.1:1', { creds: at('nothing') })).code).toBe('E_IO');
    expect((await refused('nats://127.0.0.1:1', { creds: dir })).code).toBe('E_IO');
    expect((await refused('nats://127.0.0.1:1', { creds: file('large', Buffer.alloc(70_000)) })).code).toBe('E_TOO_LARGE');
  });
  it('authorities that are none are named', async () => {
    for (const text of ['', 'hello', seedOf(user), readFileSync(at('ca.pem'), 'latin1').replace(/[A-Za-z]{20}/, 'A'.repeat(20))]) {
      const e = await refused('tls://127.0.0.1:1', { ca: file('wrong.pem', text) });
      expect([e.code, e.facts.file, e.facts.field]).toEqual(['E_USAGE', at('wrong.pem'), 'relay-ca']);
    }
  });
});
