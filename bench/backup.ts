/**
 * Publicly verifiable encryption of one share to one key: time to make, to verify and to open, and the size, per group.
 *
 *   npm run bench:backup                  all groups
 *   npm run bench:backup -- ed448         one
 *
 * A backup to custodians costs this once for each of their leaves. Medians of one process on one core, warm.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { makeProof } from '../src/backup/make-proof.ts';
import { openProof } from '../src/backup/open-proof.ts';
import { type Statement, verifyProof } from '../src/backup/pve.ts';
import { x25519Public } from '../src/backup/x25519.ts';
import { group as groupOf, type GroupName } from '../src/curves/group.ts';

const GROUPS: readonly GroupName[] = ['ed25519', 'ristretto255', 'ed448', 'secp256k1', 'p256'];
const ROUNDS = 11;
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const chosen = process.argv.slice(2);
console.log('group          make ms  verify ms  open ms   bytes');
for (const name of GROUPS.filter((g) => chosen.length === 0 || chosen.includes(g))) {
  const group = groupOf(name);
  const times: [number, number, number][] = [];
  let bytes = 0;
  for (let i = 0; i < ROUNDS + 2; i++) {
    const secret = random(32);
    const x = group.randomScalar(random);
    const s: Statement = { group, X: group.multiply(group.base, x), recipient: x25519Public(secret), context: random(32) };
    const marks = [performance.now()];
    const proof = makeProof(s, x, random);
    marks.push(performance.now());
    verifyProof(s, proof);
    marks.push(performance.now());
    openProof(s, proof, secret);
    marks.push(performance.now());
    bytes = proof.length;
    // the first two build tables
    if (i >= 2) times.push([0, 1, 2].map((k) => (marks[k + 1] as number) - (marks[k] as number)) as [number, number, number]);
  }
  const [make, verify, open] = [0, 1, 2].map((k) => median(times.map((t) => t[k] as number)).toFixed(k === 2 ? 1 : 0)) as [string, string, string];
  console.log(`${name.padEnd(13)} ${make.padStart(8)} ${verify.padStart(10)} ${open.padStart(8)} ${String(bytes).padStart(7)}`);
}
