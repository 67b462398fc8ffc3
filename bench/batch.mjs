/**
 * Presigning by the real program, one process a step, two of three signers, rehearsal homes with the primes of the tests:
 * batches of 1, 10 and 100. For each: bytes of the messages, seconds and processor seconds of one participant over its three
 * processes, and the largest memory. Needs a build (npm run build).
 *
 *   npm run bench:batch
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'bench-batch-'));
const names = ['alice', 'bob', 'carol'];
writeFileSync(join(root, 'pw'), 'plover-anvil-quartz-71\n');
const sets = JSON.parse(readFileSync('test/vectors/primes.json', 'utf8'));
names.forEach((name, i) => {
  writeFileSync(join(root, `${name}.primes`), Buffer.from(['p', 'q', 'pHat', 'qHat'].map((k) => sets[i][k].padStart(384, '0')).join(''), 'hex'));
});

/** One process; processor time and memory as the system counts them. */
function run(name, args) {
  const started = performance.now();
  const child = spawnSync(
    '/usr/bin/time',
    ['-f', '%U %S %M', process.execPath, 'bin/mpc-ceremony.js', ...args, '--home', join(root, 'H', name), '--passphrase-file', join(root, 'pw'), '--no-input', '--json'],
    { encoding: 'utf8', env: { ...process.env, MPC_CEREMONY_REHEARSE_PRIMES: join(root, `${name}.primes`) }, maxBuffer: 1 << 26 },
  );
  const [user, system, memory] = child.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  if (child.status !== 0 && child.status !== 10) throw new Error(child.stdout + child.stderr);
  return { wall: (performance.now() - started) / 1000, cpu: user + system, mb: memory / 1024, done: JSON.parse(child.stdout).nextAction?.code === 'DONE' };
}

const copy = (from, to) => cpSync(join(root, from), join(root, to), { recursive: true });
/** The lead begins, the others join, and all go on until everybody has finished; what each process of the first one cost. */
function ceremony(label, who, begin) {
  const [lead, ...others] = who;
  const costs = [run(lead, [...begin, '--out', join(root, lead, label), '--unattended'])];
  for (const other of others) {
    copy(join(lead, label), join(other, label));
    run(other, ['join', join(root, other, label)]);
  }
  for (let open = new Set(who); open.size > 0; ) {
    for (const name of [...open]) {
      for (const other of who) if (other !== name) copy(join(other, label), join(name, label));
      const cost = run(name, ['next', join(root, name, label)]);
      if (name === lead) costs.push(cost);
      if (cost.done) open.delete(name);
    }
  }
  return costs;
}

try {
  mkdirSync(join(root, 'cards'));
  for (const name of names) {
    run(name, ['init', '--name', name, '--rehearsal']);
    cpSync(join(root, 'H', name, 'identity', `${name}.card`), join(root, 'cards', `${name}.card`));
  }
  ceremony('dkg', names, ['dkg', '--name', 'treasury', '--scheme', 'cggmp24-secp256k1', '--quorum', '2-of(alice, bob, carol)', '--cards', join(root, 'cards')]);
  console.log('count | bytes of one participant | wall s | cpu s | cpu s each | MB');
  for (const count of [1, 10, 100]) {
    const label = `presign-${count}`;
    const costs = ceremony(label, ['alice', 'bob'], ['presign', '--key', 'treasury', '--count', String(count), '--signers', 'alice,bob']);
    const folder = join(root, 'alice', label);
    const bytes = readdirSync(folder)
      .filter((d) => d.startsWith('round-'))
      .reduce((sum, d) => sum + statSync(join(folder, d, 'alice.blob')).size, 0);
    const sum = (what) => costs.reduce((total, c) => total + c[what], 0);
    console.log([count, bytes, sum('wall').toFixed(2), sum('cpu').toFixed(2), (sum('cpu') / count).toFixed(3), Math.max(...costs.map((c) => c.mb)).toFixed(0)].join(' | '));
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
