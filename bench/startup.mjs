// How long the program takes to start, against an empty node in the same run: `npm run bench:startup`.
// Paired: every round runs each command once, in changing order, and the ratio is taken within the round; the median of
// the ratios is shown. A busy machine then slows both sides of a pair.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = process.env.MPC_CEREMONY_BIN ?? join(dirname(fileURLToPath(import.meta.url)), '../bin/mpc-ceremony.js');
const ROUNDS = Number(process.argv[2] ?? 25);
const dir = mkdtempSync(join(tmpdir(), 'startup-'));
const env = { PATH: process.env.PATH, HOME: dir };

const node = (...args) => spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
const program = (...args) => node(BIN, ...args);
const ms = (run) => {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e6;
};
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// a home with a ceremony that waits for two others
const pw = join(dir, 'pw');
writeFileSync(pw, 'startup-bench-passphrase\n', { mode: 0o600 });
mkdirSync(join(dir, 'cards'));
for (const name of ['alice', 'bob', 'carol']) {
  program('init', '--name', name, '--rehearsal', '--home', join(dir, name), '--passphrase-file', pw, '--no-input');
  cpSync(join(dir, name, 'identity', `${name}.card`), join(dir, 'cards', `${name}.card`));
}
const home = ['--home', join(dir, 'alice'), '--no-input', '--json'];
const folder = join(dir, 'key');
program('dkg', '--name', 'key', '--scheme', 'frost-ed25519', '--quorum', '2-of(alice,bob,carol)', '--cards', join(dir, 'cards'), '--out', folder, '--unattended', '--passphrase-file', pw, ...home);

const commands = [
  ['--version', 1.5, 0, () => program('--version')],
  ['status', 2, 0, () => program('status', ...home)],
  ['next (waiting)', 3, 10, () => program('next', folder, ...home)],
];
for (const [name, , exit, run] of commands) {
  const { status, stdout, stderr } = run();
  if (status !== exit) throw new Error(`${name} ended with ${status}: ${stdout}${stderr}`);
}

const ratios = commands.map(() => []);
const times = commands.map(() => []);
const empty = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const i of commands.keys()) {
    const command = commands[(i + round) % commands.length];
    const k = commands.indexOf(command);
    const first = round % 2 === 0;
    const base = first ? ms(() => node('-e', '0')) : 0;
    const took = ms(command[3]);
    const reference = first ? base : ms(() => node('-e', '0'));
    ratios[k].push(took / reference);
    times[k].push(took);
    empty.push(reference);
  }
}
rmSync(dir, { recursive: true });

console.log(`node -e 0          ${median(empty).toFixed(0)} ms`);
let missed = false;
for (const [k, [name, target]] of commands.entries()) {
  const ratio = median(ratios[k]);
  missed ||= ratio > target;
  console.log(`${name.padEnd(18)} ${median(times[k]).toFixed(0)} ms   ${ratio.toFixed(2)}×   target ${target}×${ratio > target ? '   MISSED' : ''}`);
}
process.exitCode = missed ? 1 : 0;
