/** The recipe for a relay on NATS, as CEREMONY.md gives it: server, certificates and the real program; the server is killed in between. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type Member, type Ran, World } from '../e2e/support.ts';
import { type NatsServer, startNats } from '../support/nats.ts';

/** What the operator types, but for days and names. */
const CERTIFICATES = `
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=relay authority" -keyout ca.key -out ca.pem
certify() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr
  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -extfile <(echo "subjectAltName=$2") -out $1.crt
}
certify relay DNS:localhost
for who in alice bob carol mallory; do certify $who email:$who@relay; cat $who.crt $who.key > $who-login.pem; done
`;
const CONFIG = `
tls { cert_file: "DIR/relay.crt", key_file: "DIR/relay.key", ca_file: "DIR/ca.pem", verify_and_map: true }
participant: {
  publish: ["mpc.>", "$JS.API.STREAM.INFO.mpc-ceremony", "$JS.API.STREAM.MSG.GET.mpc-ceremony", "$JS.API.STREAM.CREATE.mpc-ceremony"]
  subscribe: ["_INBOX.>", "mpc.*.*"]
}
authorization {
  default_permissions: $participant
  users: [ { user: "alice@relay" }, { user: "bob@relay" }, { user: "carol@relay" } ]
}`;

let world: World;
let server: NatsServer;
beforeAll(async () => {
  world = await World.of(['alice', 'bob', 'carol']);
  execFileSync('bash', ['-euc', CERTIFICATES], { cwd: world.dir, stdio: ['ignore', 'ignore', 'pipe'] });
  server = await startNats(CONFIG, { files: Object.fromEntries(['relay.crt', 'relay.key', 'ca.pem'].map((f) => [f, readFileSync(join(world.dir, f))])) });
});
afterAll(() => server.remove());

const route = (login: string): string[] => ['--via', `relay:tls://localhost:${String(server.port)}`, '--relay-ca', join(world.dir, 'ca.pem'), '--relay-creds', join(world.dir, `${login}-login.pem`)];
const code = (ran: Ran): string | undefined => ran.json.nextAction?.code ?? ran.json.error?.code;

it('a key is generated over it, by participants who wait and see the server come back', async () => {
  const [alice, bob, carol] = world.members as [Member, Member, Member];
  const began = must(await alice.run(['dkg', '--name', 'k', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice,bob,carol)', '--cards', world.cards, '--out', alice.copy('k'), '--unattended', ...route('alice')]));
  expect(began.json['relay']).toMatchObject({ pushed: expect.arrayContaining(['bob: plan', 'carol: commit']) as unknown, problems: [] });
  const waits = [bob, carol].map((m) => m.run(['join', m.copy('k'), '--cards', world.cards, '--wait', '2', ...route(m.name)], { waits: true }));
  await server.kill();
  await server.start();
  const last = [await alice.run(['next', alice.copy('k'), '--wait', '2', ...route('alice')], { waits: true }), ...(await Promise.all(waits))];
  expect(last.map(code), JSON.stringify(last.map((r) => r.stderr + r.stdout))).toEqual(['DONE', 'DONE', 'DONE']);
  const keys = await Promise.all(world.members.map(async (m) => (await m.run(['key', 'show', 'k'])).json['publicKey']));
  expect(new Set(keys).size).toBe(1);
  expect((await alice.run(['relay', 'status', alice.copy('k'), ...route('alice')])).exit).toBe(0);
});
it('a login that is not on the list, or none, is refused in words, and nothing of the key is shown', async () => {
  const [alice] = world.members as [Member];
  cpSync(join(world.dir, 'ca.key'), join(world.dir, 'nobody-login.pem'));
  for (const [login, exit, error] of [['mallory', 74, 'E_RELAY'], ['nobody', 64, 'E_USAGE']] as const) {
    const ran = await alice.run(['next', alice.copy('k'), ...route(login)]);
    expect([ran.exit, code(ran)]).toEqual([exit, error]);
    const secret = readFileSync(join(world.dir, `${login}-login.pem`), 'latin1').split('PRIVATE KEY-----\n')[1]?.slice(0, 40) ?? '';
    expect(secret).toHaveLength(40);
    expect(ran.stdout + ran.stderr).not.toContain(secret);
  }
  const none = await alice.run(['next', alice.copy('k'), ...route('alice').slice(0, -2)]);
  expect([none.exit, code(none), none.json.error?.remedy]).toEqual([74, 'E_RELAY', expect.stringContaining('--relay-creds')]);
});
