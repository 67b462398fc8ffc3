/** Attempts that ended badly, and the evidence of it: proven faults name their culprit, unproven endings do not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { abort } from '../../src/ceremony/engine.ts';
import { noteFact } from '../../src/ceremony/witness.ts';
import { COMMIT, DEAL } from '../../src/protocols/dkg.ts';
import { NONCE, SHARE } from '../../src/protocols/frost-sign.ts';
import { complaintBody } from '../../src/protocols/dkg-messages.ts';
import { closingSlot, echo } from '../../src/protocols/machine.ts';
import { verifyEvidence } from '../../src/transcript/verify.ts';
import { canonicalBytes, type Json } from '../../src/wire/canon.ts';
import { openBlob } from '../../src/wire/blob.ts';
import { Cosigner } from '../support/cosigner.ts';
import { Dealer } from '../support/dealer.ts';
import { random, type Run, Table } from '../support/harness.ts';
import { bytesOf, faults, type Folder, folderOf, linesOf, rewritten, verify, withFiles } from './fixture.ts';

const HONEST = ['alice', 'carol'];
const ALL = ['alice', 'mallory', 'carol'];
const QUORUM = '2-of(alice, mallory, carol)';
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('fresh');
});

/** A key generation up to the moment when mallory deals. */
async function committed(): Promise<{ run: Run; dealer: Dealer }> {
  const run = await table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
  const dealer = new Dealer(run, 'mallory');
  run.say('mallory', COMMIT, dealer.commit());
  await run.settle();
  return { run, dealer };
}

/** mallory breaks its word. */
async function brokenWord(): Promise<{ run: Run; folder: Folder }> {
  const { run } = await committed();
  run.say('mallory', DEAL, new Dealer(run, 'mallory').deal(run.messages()));
  await run.settle();
  return { run, folder: await folderOf(run) };
}

const evidencePaths = (folder: Folder): string[] => [...folder.keys()].filter((p) => /^evidence\/.*\.json$/.test(p));
type File = Record<string, Json> & { envelopes: string[] };
const parse = (bytes: Uint8Array): File => JSON.parse(Buffer.from(bytes).toString()) as File;

/** Verifies an evidence file alone, with the other files of its folder. */
function alone(folder: Folder, bytes: Uint8Array): ReturnType<typeof verifyEvidence> {
  return verifyEvidence([{ file: 'evidence/x.json', bytes }], [...folder].map(([file, b]) => ({ file, bytes: b })));
}

describe('a proven fault makes the record wrong, and names its culprit and nobody else', () => {
  const expectBlame = (result: Awaited<ReturnType<typeof verify>>, code: string): void => {
    expect(result.verdict).toBe('wrong');
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'proofs', verdict: 'wrong', culprit: 'mallory', code }));
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'evidence', verdict: 'wrong', culprit: 'mallory', code }));
    expect(new Set(result.checks.map((c) => c.culprit).filter((c) => c !== undefined))).toEqual(new Set(['mallory']));
  };

  it('what was revealed is not what was committed to', async () => {
    const { folder } = await brokenWord();
    expectBlame(await verify(folder), 'E_COMMIT');
    for (const path of evidencePaths(folder)) {
      const result = await alone(folder, bytesOf(folder, path));
      expect([result.verdict, result.checks[0]]).toEqual(['ok', expect.objectContaining({ name: 'evidence', culprit: 'mallory', code: 'E_COMMIT' })]);
    }
  });

  it('a wrong share', async () => {
    const made = await table.dkg({ quorum: QUORUM, honest: ALL });
    await made.settle();
    const run = await table.sign({ honest: ['alice'], cheats: ['mallory'] });
    const mallory = new Cosigner(run, 'mallory');
    run.say('mallory', NONCE, mallory.nonce());
    await run.settle();
    const share = mallory.share(run.messages('alice'));
    share[40] = (share[40] as number) ^ 1;
    run.say('mallory', SHARE, share);
    await run.settle();
    const folder = await folderOf(run);
    expectBlame(await verify(folder), 'E_SHARE');
    const [path = ''] = evidencePaths(folder);
    expect(await alone(folder, bytesOf(folder, path))).toMatchObject({ verdict: 'ok' });
    // without certificate, intent or message nobody can judge it
    expect(await alone(withFiles(folder, { 'intent.json': undefined }), bytesOf(folder, path))).toMatchObject({ verdict: 'cannot-tell' });
    expect(await alone(withFiles(folder, { 'PLAN.yaml': undefined }), bytesOf(folder, path))).toMatchObject({ verdict: 'cannot-tell' });
  });

  it('a false complaint', async () => {
    const { run, dealer } = await committed();
    run.say('mallory', DEAL, dealer.deal(run.messages()));
    for (const label of HONEST) await run.next(label);
    run.carry();
    const deals = run.messages().get(DEAL);
    if (!deals) throw new Error('no deals');
    run.say('mallory', closingSlot(run.plan), complaintBody({ echo: echo(deals), dealer: 1, complaint: random(128) }));
    await run.settle();
    expectBlame(await verify(await folderOf(run)), 'E_FALSE_COMPLAINT');
  });

  it('two different messages that came together', async () => {
    const run = await table.dkg({ quorum: QUORUM, honest: HONEST, cheats: ['mallory'] });
    await run.next('carol');
    for (const victim of HONEST) {
      run.say('mallory', COMMIT, new Dealer(run, 'mallory').commit(), [victim]);
      await run.next(victim);
    }
    for (const victim of HONEST) run.write(victim, 'round-1/mallory-2.blob', run.file(victim === 'alice' ? 'carol' : 'alice', 'round-1/mallory.blob') as Uint8Array);
    await run.settle();
    const folder = await folderOf(run);
    const result = await verify(folder);
    expect(result.verdict).toBe('wrong');
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'evidence', verdict: 'wrong', culprit: 'mallory', code: 'E_EQUIVOCATION' }));
    expect(new Set(result.checks.map((c) => c.culprit).filter((c) => c !== undefined))).toEqual(new Set(['mallory']));
    // the evidence file is enough, even where only one of the two messages is left in the folder
    const one = withFiles(folder, { 'round-1/mallory-2.blob': undefined });
    expect((await verify(one)).checks).toContainEqual(expect.objectContaining({ verdict: 'wrong', culprit: 'mallory', code: 'E_EQUIVOCATION' }));
  });
});

describe('evidence that does not show what it claims says nothing against anybody', () => {
  let run: Run;
  let folder: Folder;
  let path: string;
  let good: File;
  beforeAll(async () => {
    ({ run, folder } = await brokenWord());
    path = evidencePaths(folder)[0] as string;
    good = parse(bytesOf(folder, path));
  });
  const cases: [string, () => File][] = [
    ['another culprit', () => ({ ...good, participant: 'carol' })],
    ['nobody', () => ({ ...good, participant: null })],
    ['a stranger', () => ({ ...good, participant: 'trent' })],
    ['another code', () => ({ ...good, code: 'E_SHARE' })],
    ['equivocation', () => ({ ...good, code: 'E_EQUIVOCATION' })],
    ['an unknown code', () => ({ ...good, code: 'E_GUILTY' })],
    ['another session', () => ({ ...good, session: 'ab'.repeat(32) })],
    ['fewer messages', () => ({ ...good, envelopes: good.envelopes.slice(0, -1) })],
    ['no messages', () => ({ ...good, envelopes: [] })],
    ['one message twice', () => ({ ...good, envelopes: [...good.envelopes, good.envelopes[0] as string] })],
    ['a message that is no base64', () => ({ ...good, envelopes: ['!', ...good.envelopes.slice(1)] })],
    ['a pad bit', () => ({ ...good, envelopes: good.envelopes.map((e) => e.replace(/([A-Za-z0-9+/])(=+)$/, (_, c: string, p: string) => `${String.fromCharCode(c.charCodeAt(0) + 1)}${p}`)) })],
    ['a field more', () => ({ ...good, note: 'believe me' })],
    ['an honest message, signed again by somebody else in its name', () => ({ ...good, envelopes: forged() })],
  ];
  /** carol's deal with one bit changed, signed with mallory's key: a frame-up. */
  function forged(): string[] {
    const { signer } = table.party('mallory').identity;
    const deal = openBlob(bytesOf(folder, 'round-2/carol.blob'), run.session);
    const signature = signer.sign(deal.body);
    const bytes = Uint8Array.from(deal.bytes);
    bytes[200] = (bytes[200] as number) ^ 1;
    bytes.set(signature, bytes.length - 64);
    return good.envelopes.map((e) => (e === Buffer.from(deal.bytes).toString('base64') ? Buffer.from(bytes).toString('base64') : e));
  }

  it('is good as it is', async () => {
    expect(await alone(folder, canonicalBytes(good))).toMatchObject({ verdict: 'ok' });
  });
  it.each(cases)('%s', async (_, file) => {
    const bytes = canonicalBytes(file());
    const result = await alone(folder, bytes);
    expect([result.verdict, faults(result)]).toEqual(['wrong', ['wrong evidence E_EVIDENCE']]);
    // put into the folder of an honest ceremony it spoils the record and frames nobody
    const inFolder = await verify(withFiles(folder, { [path]: bytes }));
    expect(inFolder.checks.filter((c) => c.name === 'evidence' && c.code === 'E_EVIDENCE').map((c) => c.culprit)).toEqual([undefined]);
    expect(inFolder.checks.filter((c) => c.culprit !== undefined && c.culprit !== 'mallory')).toEqual([]);
  });
  it('not canonical', async () => {
    expect(await alone(folder, new Uint8Array(Buffer.from(JSON.stringify(good, undefined, 1))))).toMatchObject({ verdict: 'wrong' });
  });
  it('an entry that points at evidence of something else', async () => {
    const who = path.includes('/carol-') ? 'carol' : 'alice';
    const chain = `transcript/${who}.jsonl`;
    const seq = linesOf(bytesOf(folder, chain)).length;
    const other = rewritten(run, who, bytesOf(folder, chain), 1, (e) => (e.payload.kind === 'blamed' ? { participant: who === 'carol' ? 'alice' : 'carol' } : {}));
    const result = await verify(withFiles(folder, { [chain]: other }));
    expect(seq).toBeGreaterThan(2);
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'evidence', verdict: 'wrong', code: 'E_EVIDENCE', text: expect.stringMatching(/points at evidence/) as string }));
    expect(result.checks.filter((c) => c.culprit === 'alice' || c.culprit === 'carol').map((c) => c.code)).not.toContain('E_COMMIT');
  });
  it('evidence that is missing is asked for', async () => {
    const result = await verify(withFiles(folder, Object.fromEntries(evidencePaths(folder).map((p) => [p, undefined]))));
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'evidence', verdict: 'cannot-tell', text: expect.stringMatching(/evidence of \w+ for E_COMMIT by mallory is missing/) as string }));
  });
});

describe('an attempt that ended without proof', () => {
  it('somebody ended it: cannot tell, with the reason and nobody to blame', async () => {
    const run = await table.dkg({ quorum: QUORUM, honest: ALL });
    for (const label of ALL) await run.next(label);
    const store = run.store('alice');
    const { port } = table.party('alice');
    await expect(abort(store as NonNullable<typeof store>, run.folder('alice'), port, 'operator')).rejects.toThrow();
    await run.settle();
    const result = await verify(await folderOf(run));
    expect([result.verdict, faults(result).filter((c) => c.startsWith('wrong'))]).toEqual(['cannot-tell', []]);
    const endings = result.checks.filter((c) => c.name === 'ending').map((c) => c.text);
    expect(endings).toContain('alice ended its part: operator');
    expect(endings).toContain('alice ended its part in this attempt');
    expect(result.checks.filter((c) => c.culprit !== undefined)).toEqual([]);
  });
});

describe('notes', () => {
  it('are told, belong to the record, and cannot be changed', async () => {
    const run = await table.dkg({ quorum: QUORUM, honest: ALL });
    await run.settle();
    const store = run.store('carol') as NonNullable<ReturnType<Run['store']>>;
    const { file } = await noteFact(store, run.folder('carol'), 'exception', 'the lights went out', table.party('carol').port);
    const folder = await folderOf(run);
    const good = await verify(folder);
    expect([good.verdict, good.checks.find((c) => c.name === 'exception')?.text]).toEqual(['ok', expect.stringContaining('carol noted an exception')]);
    const changed = withFiles(folder, { [file]: new Uint8Array(Buffer.from('all was well')) });
    expect(faults(await verify(changed))).toEqual(['cannot-tell evidence E_MISSING', 'wrong evidence E_EVIDENCE']);
    expect(await verify(withFiles(folder, { [file]: undefined }))).toMatchObject({ verdict: 'cannot-tell' });
  });
});
