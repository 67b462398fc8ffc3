/**
 * Reading a transcript of 10,000 entries (form, schema, hash, link and signature of each) on one core, against nothing
 * but node:crypto's verification of the same 10,000 signatures, in one run and on one machine.
 *
 *   npm run bench:transcript              10,000 entries
 *   npm run bench:transcript -- 50000     another number
 *
 * Node 20 runs no TypeScript, so the script bundles this file with rolldown and runs the bundle. Figures are medians of
 * five runs each, one of ours after one of theirs, warm. Memory is what is still held after the garbage collector ran
 * while the last entry is being looked at: reading holds one entry at a time.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { encodeChain, nextEntry, walkChain } from '../src/transcript/chain.ts';
import { type Entry, preAuthEncoding } from '../src/transcript/entry.ts';
import { concat, fromHex, toHex } from '../src/wire/bytes.ts';
import { signerFromSeed } from '../src/wire/ed25519.ts';

const count = Number(process.argv[2] ?? '10000');
const RUNS = 5;
const collect = (globalThis as { gc?: () => void }).gc;
const hash = (): string => toHex(new Uint8Array(randomBytes(32)));
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const signer = signerFromSeed(new Uint8Array(randomBytes(32)));
const owner = { author: 'alice', identity: signer.publicKey, ceremony: hash().slice(0, 32) };

/** A chain of deals among five: about 1,450 bytes an entry, as in a real ceremony. */
function makeChain(): Uint8Array {
  const others = ['bob', 'carol', 'dave', 'erin'];
  const entries: Entry[] = [];
  let last: Entry | undefined;
  for (let i = 0; i < count; i++) {
    last = nextEntry(last ? [last] : [], owner, {
      at: '2026-03-01T12:00:00Z',
      kind: 'sent',
      slot: 2,
      message: 'deal',
      subject: { bytes: 1024, sha256: hash() },
      inputs: Object.fromEntries(['alice', ...others].map((name) => [name, hash()])),
      seen: Object.fromEntries(others.map((name) => [name, { hash: hash(), seq: 2 }])),
    }, signer);
    entries.push(last);
  }
  return encodeChain(entries);
}

/** What bare verification needs, taken out of the file beforehand. */
function signatures(chain: Uint8Array): { message: Uint8Array; signature: Uint8Array }[] {
  return Buffer.from(chain).toString('latin1').trimEnd().split('\n').map((line) => {
    const { payload, signatures: [first] } = JSON.parse(line) as { payload: string; signatures: [{ sig: string }] };
    return { message: preAuthEncoding(Buffer.from(payload, 'base64').toString('latin1')), signature: Buffer.from(first.sig, 'base64') };
  });
}

const chain = makeChain();
const bare = signatures(chain);
const key = createPublicKey({ key: Buffer.from(concat(fromHex('302a300506032b6570032100'), signer.publicKey)), format: 'der', type: 'spki' });

function timeBare(): number {
  const start = performance.now();
  for (const { message, signature } of bare) if (!verify(null, message, key, signature)) throw new Error('a signature does not verify');
  return performance.now() - start;
}

function timeOurs(): number {
  const start = performance.now();
  let entries = 0;
  for (const { payload } of walkChain(chain, owner)) entries = payload.seq;
  if (entries !== count) throw new Error('entries are missing');
  return performance.now() - start;
}

/** Growth in bytes of heap and of the whole process between the first and the last entry. */
function growth(): { heap: number; rss: number } {
  let first = { heapUsed: 0, rss: 0 };
  for (const { payload } of walkChain(chain, owner)) {
    if (payload.seq !== 100 && payload.seq !== count) continue;
    collect?.();
    const { heapUsed, rss } = process.memoryUsage();
    if (payload.seq === 100) first = { heapUsed, rss };
    else return { heap: heapUsed - first.heapUsed, rss: rss - first.rss };
  }
  return { heap: 0, rss: 0 };
}

timeBare();
timeOurs();
const times = Array.from({ length: RUNS }, () => ({ bare: timeBare(), ours: timeOurs() }));
const theirs = median(times.map((t) => t.bare));
const ours = median(times.map((t) => t.ours));
const { heap, rss } = growth();
const rate = (ms: number): string => `${Math.round((count / ms) * 1000).toLocaleString('en')} a second`;
const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
console.log(`${count.toLocaleString('en')} entries, ${mib(chain.length)}`);
console.log(`  signatures alone (node:crypto)  ${theirs.toFixed(0)} ms, ${rate(theirs)}`);
console.log(`  the whole reading               ${ours.toFixed(0)} ms, ${rate(ours)}: ${(theirs / ours).toFixed(2)} of the rate`);
console.log(`  memory from entry 100 to the last: heap ${mib(heap)}, process ${mib(rss)}${collect ? '' : ' (without --expose-gc)'}`);
