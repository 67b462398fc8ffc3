/** The layers of the house, from the import graph of src/: who may know whom, and what nobody who verifies can reach. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../src');
/** Lower folders never import higher ones. */
const ORDER = ['wire', 'arith', 'curves', 'sharing', 'interop', 'schnorr', 'ecdsa', 'plan', 'policy', 'protocols', 'backup', 'transcript', 'vault', 'qr', 'transport', 'relay', 'ceremony', 'rehearsal', 'cli'];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((f) => f.replaceAll('\\', '/'))
  .filter((f) => f.endsWith('.ts'))
  .sort();
const textOf = new Map(files.map((f) => [f, readFileSync(join(SRC, f), 'utf8')]));

/** Everything that a file imports, statically, dynamically or for its types, as written. */
function specifiers(file: string): string[] {
  const text = textOf.get(file) ?? '';
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((m) => m[1] as string);
}
const imports = new Map(
  files.map((f) => [f, specifiers(f).filter((s) => s.startsWith('.')).map((s) => posix.join(posix.dirname(f), s))]),
);
const folderOf = (file: string): string => file.split('/')[0] as string;

/** What is loaded together with a file: no types, and nothing that waits for a dynamic import. */
const loaded = new Map(
  files.map((f) => {
    const text = (textOf.get(f) ?? '').replace(/^(?:import|export) type .*$/gm, '');
    return [f, [...text.matchAll(/\bfrom\s*'(\.[^']+)'/g)].map((m) => posix.join(posix.dirname(f), m[1] as string))];
  }),
);

/** Shortest way from a file to one that matches. */
function wayTo(from: string, forbidden: (file: string) => boolean, graph: ReadonlyMap<string, readonly string[]> = imports): string[] | undefined {
  const ways = [[from]];
  const seen = new Set([from]);
  for (let way = ways.shift(); way; way = ways.shift())
    for (const next of graph.get(way.at(-1) as string) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (forbidden(next)) return [...way, next];
      ways.push([...way, next]);
    }
  return undefined;
}

/** Files that handle secrets. */
const SECRET = new RegExp(
  `^(?:${[
    'vault/|ceremony/|rehearsal/',
    'sharing/(?:deal|open|seal|make-[a-z-]+|prove|prove-[a-z-]+)\\.ts',
    'relay/(?:seal-part|open-[a-z-]+login|open-part|relay-key)\\.ts',
    '(?:backup|interop)/(?:make-[a-z-]+|open-[a-z-]+)\\.ts',
    'schnorr/(?:sign|nonce)\\.ts',
    'arith/(?:owner|sample|primes)\\.ts',
    'ecdsa/(?:make-[a-z-]+|prove-[a-z-]+|owner-[a-z-]+|tasks)\\.ts',
    'protocols/(?:[a-z-]+-participant|make-crew|stock-offers)\\.ts',
  ].join('|')})`,
);

describe('the import graph', () => {
  it('is whole: every relative import is a file of src/', () => {
    expect(files.length).toBeGreaterThan(100);
    for (const [file, list] of imports) expect([file, list.filter((f) => !textOf.has(f))]).toEqual([file, []]);
  });
  it('every folder has its place in the order', () => {
    expect([...new Set(files.map(folderOf))].filter((f) => !ORDER.includes(f))).toEqual([]);
  });
  it('lower folders never import higher ones', () => {
    const climbing = [...imports].flatMap(([file, list]) => list.filter((f) => ORDER.indexOf(folderOf(f)) > ORDER.indexOf(folderOf(file))).map((f) => `${file} → ${f}`));
    expect(climbing).toEqual([]);
  });
});

describe('verification reaches nothing that handles secrets', () => {
  it('can tell: the participant does reach them', () => {
    expect(wayTo('ceremony/dkg-driver.ts', (f) => f === 'sharing/deal.ts')).toEqual(['ceremony/dkg-driver.ts', 'protocols/dkg-participant.ts', 'sharing/deal.ts']);
  });
  it('knows the files that do', () => {
    for (const f of ['vault/vault.ts', 'sharing/deal.ts', 'sharing/open.ts', 'sharing/seal.ts', 'sharing/prove.ts', 'sharing/make-prekey.ts', 'schnorr/sign.ts', 'schnorr/nonce.ts', 'protocols/dkg-participant.ts', 'ceremony/store.ts',
      'arith/owner.ts', 'arith/sample.ts', 'arith/primes.ts', 'ecdsa/make-aux.ts', 'ecdsa/prove-mod.ts', 'ecdsa/owner-paillier.ts', 'ecdsa/tasks.ts', 'protocols/make-crew.ts', 'protocols/stock-offers.ts'])
      expect([f, files.includes(f), SECRET.test(f)]).toEqual([f, true, true]);
  });
  it.each(files.filter((f) => /^(?:transcript|policy)\//.test(f)))('%s', (file) => {
    expect(wayTo(file, (f) => SECRET.test(f))).toBeUndefined();
  });
  it('the command that verifies brings only the disk', () => {
    const reached = wayTo('transport/record.ts', (f) => SECRET.test(f) && f !== 'vault/durable.ts' && f !== 'vault/raw-file.ts' && f !== 'vault/io-error.ts');
    expect(reached).toBeUndefined();
  });
});

describe('the lower layers have no effects of their own', () => {
  // node:crypto is for hashes and signatures of public data there; randomness comes in as a parameter
  const EFFECTS = /'node:(?!crypto')[a-z_/]+'|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomBytes\b|\bgetRandomValues\b|\brandomFill|\bprocess\.|\bconsole\./;
  it.each(files.filter((f) => /^(?:arith|sharing|interop|schnorr|ecdsa|protocols|backup)\//.test(f) && f !== 'arith/primes.ts'))('%s', (file) => {
    expect(EFFECTS.exec(textOf.get(file) ?? '')?.[0]).toBeUndefined();
  });
  it('verification neither', () => {
    for (const file of files.filter((f) => /^(?:transcript|policy|plan)\//.test(f))) expect([file, EFFECTS.exec(textOf.get(file) ?? '')?.[0]]).toEqual([file, undefined]);
  });
});

describe('a step that only waits', () => {
  it.each(['curves/group.ts', 'ceremony/room-script.ts', 'transcript/verify-script.ts', 'transcript/verify.ts', 'ceremony/dkg-driver.ts', 'ceremony/sign-driver.ts'])('does not load %s', (heavy) => {
    expect(wayTo('ceremony/engine.ts', (f) => f === heavy, loaded)).toBeUndefined();
  });
});

describe('GOV-09 cryptography does not know policy', () => {
  it.each(files.filter((f) => /^(?:arith|sharing|interop|schnorr|ecdsa)\//.test(f)))('%s', (file) => {
    expect(wayTo(file, (f) => folderOf(f) === 'policy')).toBeUndefined();
  });
});
