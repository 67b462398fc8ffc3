/** Verification of whole records: finished ones of every scheme and shape, incomplete ones, and several copies at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEMES, type SchemeName } from '../../src/curves/scheme.ts';
import { verifyRecord } from '../../src/transcript/verify.ts';
import { witness } from '../../src/ceremony/witness.ts';
import { type Entry, makeEntry } from '../../src/transcript/entry.ts';
import { Table } from '../support/harness.ts';
import { bytesOf, chainOf, DERIVED, faults, finishedCeremonies, firstFault, type Fixture, folderOf, linesOf, payloadOf, verify, withFiles } from './fixture.ts';

let f: Fixture;
beforeAll(async () => {
  f = await finishedCeremonies();
});
afterAll(() => {
  f.table.close();
});

describe('a finished record', () => {
  it('is ok, and says what was checked', async () => {
    const dkg = await verify(f.dkgFolder);
    expect([dkg.verdict, faults(dkg)]).toEqual(['ok', []]);
    expect(dkg.checks.map((c) => c.name)).toEqual([
      'plan', 'chain alice', 'chain bob', 'chain carol', 'cards', 'opening', 'proofs', 'certificate', 'activation', 'messages', 'seen',
    ]);
    const sign = await verify(f.signFolder);
    expect([sign.verdict, faults(sign)]).toEqual(['ok', []]);
    expect(sign.checks.map((c) => c.name)).toEqual(['plan', 'chain alice', 'chain bob', 'opening', 'base', 'intent', 'proofs', 'gate', 'signature', 'messages', 'seen']);
  });

  it('does not depend on the names of files, nor on files that are derived', async () => {
    const renamed = new Map([...f.dkgFolder].map(([path, bytes], i) => [path === 'PLAN.yaml' ? path : `round-1/file-${String(i)}`, bytes]));
    expect((await verify(renamed)).verdict).toBe('ok');
    const bare = withFiles(f.dkgFolder, Object.fromEntries(DERIVED.map((name) => [name, undefined])));
    expect((await verify(bare)).verdict).toBe('ok');
    expect((await verify(withFiles(f.dkgFolder, { 'REPORT.html': Buffer.from('<p>anything'), 'transcript/notes': Buffer.from('x') }))).verdict).toBe('ok');
  });

  it('stays ok without the entries that come after the certificate or signature', async () => {
    for (const folder of [f.dkgFolder, f.signFolder])
      for (const who of ['alice', 'bob']) {
        const path = `transcript/${who}.jsonl`;
        const shorter = chainOf(linesOf(bytesOf(folder, path)).slice(0, -1));
        expect(await verify(withFiles(folder, { [path]: shorter }))).toMatchObject({ verdict: 'ok' });
      }
  });

  it('both ceremonies can be verified in one go', async () => {
    const both = await verify(f.dkgFolder, f.signFolder);
    expect([both.verdict, faults(both)]).toEqual(['ok', []]);
    expect(both.checks.filter((c) => c.name === 'plan')).toHaveLength(2);
  });
});

describe('something missing is named, and cannot be told', () => {
  const cases: [string, () => ReadonlyMap<string, Uint8Array>, RegExp][] = [
    ...['alice', 'bob', 'carol'].flatMap((who): typeof cases => [
      [`transcript of ${who}`, () => withFiles(f.dkgFolder, { [`transcript/${who}.jsonl`]: undefined }), new RegExp(`transcript of ${who} is missing`)],
      ...[1, 2, 3].map((n): (typeof cases)[number] => [`message ${String(n)} of ${who}`, () => withFiles(f.dkgFolder, { [`round-${String(n)}/${who}.blob`]: undefined }), new RegExp(`of ${who} is missing: bring round-${String(n)}/${who}.blob`)]),
    ]),
    ['certificate', () => withFiles(f.dkgFolder, { 'transcript/certificate.json': undefined }), /certificate.json is missing/],
    ['plan', () => withFiles(f.dkgFolder, { 'PLAN.yaml': undefined }), /without the plan/],
    ['plan of a signing', () => withFiles(f.signFolder, { 'PLAN.yaml': undefined }), /without the plan/],
    ['intent', () => withFiles(f.signFolder, { 'intent.json': undefined }), /intent is missing/],
    ['certificate of the key', () => withFiles(f.signFolder, { 'base/certificate.json': undefined }), /certificate of the key is missing/],
    ['signature', () => withFiles(f.signFolder, { 'signature.bin': undefined }), /signature.bin is missing/],
    ['facts of the signature', () => withFiles(f.signFolder, { 'signature.json': undefined }), /signature.json is missing/],
    ['a share', () => withFiles(f.signFolder, { 'round-2/bob.blob': undefined }), /share of bob is missing/],
    ['a nonce', () => withFiles(f.signFolder, { 'round-1/alice.blob': undefined }), /nonce of alice is missing/],
    ['everything', () => new Map(), /nothing here/],
  ];
  it.each(cases)('%s', async (_, folder, text) => {
    const result = await verify(folder());
    expect([result.verdict, faults(result).filter((c) => c.startsWith('wrong'))]).toEqual(['cannot-tell', []]);
    expect(result.checks.filter((c) => c.verdict === 'cannot-tell').map((c) => c.text).join('\n')).toMatch(text);
  });

  it('a message that travels inside the intent is not missing', async () => {
    expect((await verify(withFiles(f.signFolder, { 'message.bin': undefined }))).verdict).toBe('ok');
  });

  it('a transcript that ends too early: OMITTED, with who saw it', async () => {
    const path = 'transcript/carol.jsonl';
    const lines = linesOf(bytesOf(f.dkgFolder, path));
    const two = await verify(withFiles(f.dkgFolder, { [path]: chainOf(lines.slice(0, 2)) }));
    expect(two.verdict).toBe('cannot-tell');
    expect(firstFault(two).text).toMatch(/^OMITTED carol:3 seen by carol's own deal: the transcript of carol ends at entry 2/);
    const one = await verify(withFiles(f.dkgFolder, { [path]: chainOf(lines.slice(0, 1)) }));
    expect(one.checks.find((c) => c.name === 'seen' && c.verdict === 'cannot-tell')?.text).toMatch(/^OMITTED carol:[23] seen by (?:alice|bob):[234]/);
    const confirmed = await verify(withFiles(f.dkgFolder, { [path]: chainOf(lines.slice(0, 3)) }));
    // the confirmation seals the chain up to its head; the entry that records the confirmation comes after
    expect(confirmed.verdict).toBe('ok');
  });

  it('an attempt that is under way', async () => {
    const run = await f.table.dkg({ name: 'other', quorum: '2-of(alice, bob, carol)', honest: ['alice', 'bob', 'carol'] });
    for (const who of run.honest) await run.next(who);
    run.carry();
    const result = await verify(await folderOf(run));
    expect(result.verdict).toBe('cannot-tell');
    expect(faults(result).filter((c) => c.startsWith('wrong'))).toEqual([]);
  });
});

describe('several copies', () => {
  const path = 'transcript/bob.jsonl';
  it('agree, or complete each other: the longest consistent chain stands', async () => {
    const lines = linesOf(bytesOf(f.dkgFolder, path));
    const stale = withFiles(f.dkgFolder, { [path]: chainOf(lines.slice(0, 2)), 'round-3/bob.blob': undefined });
    for (const copies of [[f.dkgFolder, stale], [stale, f.dkgFolder], [stale, f.dkgFolder, f.dkgFolder]]) {
      const result = await verify(...copies);
      expect([result.verdict, faults(result)]).toEqual(['ok', []]);
      expect(result.checks.find((c) => c.name === 'chain bob')?.text).toMatch(/5 entries.*copies agree/);
    }
  });

  it('a copy without its plan belongs to the only ceremony there is', async () => {
    const planless = withFiles(f.dkgFolder, { 'PLAN.yaml': undefined });
    const emptied = withFiles(f.dkgFolder, { [path]: undefined });
    expect((await verify(emptied, planless)).verdict).toBe('ok');
  });

  it('one damaged copy is wrong, though another one is whole', async () => {
    const bytes = Uint8Array.from(bytesOf(f.dkgFolder, path));
    bytes[40] = (bytes[40] as number) ^ 1;
    const result = await verify(f.dkgFolder, withFiles(f.dkgFolder, { [path]: bytes }));
    expect(result.verdict).toBe('wrong');
    expect(faults(result)).toHaveLength(1);
    expect(result.checks.find((c) => c.verdict === 'wrong')?.culprit).toBeUndefined();
  });
});

describe('a witness that the plan names', () => {
  it('must have signed this epoch', async () => {
    const table = await Table.open(['alice', 'bob', 'trent']);
    try {
      const run = await table.dkg({ quorum: 'all-of(alice, bob)', honest: ['alice', 'bob'], witnesses: ['trent'] });
      await run.settle();
      const before = await folderOf(run);
      const waiting = await verify(before);
      expect([waiting.verdict, faults(waiting)]).toEqual(['cannot-tell', ['cannot-tell certificate E_MISSING', 'cannot-tell witness E_WITNESS']]);
      const { home, port } = table.party('trent');
      await witness(home, run.folder('alice'), port);
      await run.settle();
      const folder = await folderOf(run);
      const done = await verify(folder);
      expect([done.verdict, faults(done)]).toEqual(['ok', []]);
      expect(done.checks.find((c) => c.name === 'witness')?.text).toMatch(/^trent checked the record/);
      const path = 'transcript/trent.jsonl';
      const { signer } = table.party('trent').identity;
      for (const change of [{ epoch: 'ab'.repeat(32) }, { result: 'ab'.repeat(32) }, { plan: 'ab'.repeat(32) }, { heads: { alice: 'ab'.repeat(32) } }]) {
        const [line = ''] = linesOf(bytesOf(folder, path));
        const other = makeEntry({ ...(JSON.parse(payloadOf(line)) as Entry['payload']), ...change }, signer);
        const result = await verify(withFiles(folder, { [path]: chainOf([other.line]) }));
        expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong witness [trent] E_WITNESS']]);
      }
    } finally {
      table.close();
    }
  });
});

describe('loose files', () => {
  it('without a plan can be well formed at best', async () => {
    const result = await verifyRecord([[{ file: 'alice.jsonl', bytes: bytesOf(f.dkgFolder, 'transcript/alice.jsonl') }]]);
    expect(result.verdict).toBe('cannot-tell');
  });
  it('with plan and messages are as good as a folder', async () => {
    const loose = [...f.dkgFolder].map(([path, bytes]) => ({ file: path.split('/').at(-1) === 'alice.blob' ? path.replace('/', '-') : path, bytes }));
    expect((await verifyRecord([loose])).verdict).toBe('ok');
  });
});

describe('every scheme, from stock and live, flat and nested', () => {
  const shapes: [SchemeName, number, string, string[]][] = [
    ...(Object.keys(SCHEMES) as SchemeName[]).map((scheme, i): [SchemeName, number, string, string[]] => [scheme, i % 2, 'all-of(alice, bob)', ['alice', 'bob']]),
    ['frost-ed25519', 1, 'all-of(1-of(carol, dave), 2-of(alice, bob, erin))', ['alice', 'carol', 'bob']],
  ];
  it.each(shapes)('%s, stock %i, %s', async (scheme, stock, quorum, signers) => {
    const made = await finishedCeremonies({ scheme, stock, quorum, signers });
    try {
      for (const folder of [made.dkgFolder, made.signFolder]) {
        const result = await verify(folder);
        expect([result.verdict, faults(result)]).toEqual(['ok', []]);
      }
    } finally {
      made.table.close();
    }
  });
});
