/** Records of threshold ECDSA: key generation, presigning and the three ways of signing. One table, whose files are changed. */
import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUX_BYTES } from '../../src/ecdsa/aux-info.ts';
import { AFFINE_BYTES, mtaBytes } from '../../src/ecdsa/mta.ts';
import { MOD_BYTES } from '../../src/ecdsa/mod.ts';
import { offerBytes } from '../../src/ecdsa/offer.ts';
import { derDecode, derEncode } from '../../src/ecdsa/signature.ts';
import { sumBytes } from '../../src/ecdsa/sum.ts';
import { traceBytes } from '../../src/ecdsa/trace.ts';
import { group } from '../../src/curves/group.ts';
import { encodePlanFile, parsePlanFile } from '../../src/plan/plan-file.ts';
import type { DkgPlan, SignPlan } from '../../src/plan/plan.ts';
import type { Intent } from '../../src/policy/intent.ts';
import { DEAL, dealOf, dkgContext } from '../../src/protocols/dkg.ts';
import { commitment, complaintBody } from '../../src/protocols/dkg-messages.ts';
import { closingSlot, echo } from '../../src/protocols/machine.ts';
import { traceBody } from '../../src/protocols/presign.ts';
import { encodePresignature, parsePresignature, presignatureId, type PresignatureRecord } from '../../src/protocols/presignature.ts';
import { openingBytes } from '../../src/sharing/dealing.ts';
import { schnorrProofBytes } from '../../src/sharing/schnorr-proof.ts';
import type { Verification } from '../../src/transcript/verify.ts';
import { verifyEvidence, verifyRecord } from '../../src/transcript/verify.ts';
import { verifyScript } from '../../src/transcript/verify-script.ts';
import { type Envelope, openBlob } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { random, type Run, Table } from '../support/harness.ts';
import { bytesOf, chainOf, DERIVED, entriesOf, faults, type Folder, folderOf, linesOf, remembering, resigned, rewritten, verify, withFiles, withoutChains } from './fixture.ts';
import { ScriptRunner } from './script-runner.ts';

const BOTH = ['alice', 'bob'];
const COUNT = 2;
/** A ceremony and the files of its folder. */
interface Finished {
  readonly run: Run;
  readonly folder: Folder;
}
let table: Table;
let script: ScriptRunner;
/** Signings: from a presignature (SHA-256, and Keccak-256), from stocked offers with a path, and live, of a digest. */
let dkg: Finished, presign: Finished, presigned: Finished, keccak: Finished, stocked: Finished, live: Finished;

async function finished(run: Run): Promise<Finished> {
  await run.settle();
  for (const name of run.honest) if (run.code(name) !== 'DONE') throw run.error(name);
  return { run, folder: await folderOf(run) };
}
const payload = (bytes: Uint8Array, hash?: 'sha256' | 'keccak256'): Intent['payload'] => ({ kind: 'message', ...(hash ? { hash } : {}), size: bytes.length, sha256: toHex(sha256(bytes)), bytes: `0x${toHex(bytes)}` });

beforeAll(async () => {
  script = new ScriptRunner();
  table = await Table.open(BOTH);
  dkg = await finished(await table.dkg({ quorum: '2-of(alice, bob)', scheme: 'cggmp24-secp256k1', stock: 1, honest: BOTH }));
  presign = await finished(await table.presign({ honest: BOTH, count: COUNT }));
  presigned = await finished(await table.sign({ honest: BOTH }));
  keccak = await finished(await table.sign({ honest: BOTH, intent: { payload: payload(utf8('pay in ether'), 'keccak256') } }));
  stocked = await finished(await table.sign({ honest: BOTH, intent: { path: 'm/0/7' } }));
  live = await finished(await table.sign({ honest: BOTH, live: true, intent: { action: 'digest', payload: payload(sha256(utf8('hashed elsewhere'))) } }));
}, 600_000);
afterAll(() => {
  table.close();
  script.close();
});

const culprits = ({ checks }: Verification): string[] => [...new Set(checks.flatMap((c) => c.culprit ?? []))];
const textsOf = ({ checks }: Verification, name: string): string[] => checks.filter((c) => c.name === name).map((c) => c.text);
const flip =
  (at: number) =>
  (body: Uint8Array): Uint8Array => {
    const i = at < 0 ? body.length + at : at;
    return body.map((b, k) => (k === i ? b ^ 1 : b));
  };

describe('a finished record is ok, every proof recomputed from its files alone', () => {
  const afresh = (folder: Folder): Promise<Verification> => verifyRecord([[...folder].map(([file, bytes]) => ({ file, bytes }))]);

  it('key generation', async () => {
    const result = await afresh(dkg.folder);
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(textsOf(result, 'proofs')[0]).toMatch(/; 10 zero-knowledge proofs recomputed: 2 of ring-Pedersen parameters, 2 of Paillier moduli, 2 of their factors, 4 of ranges in offers$/);
  });
  it('presigning', async () => {
    const result = await afresh(presign.folder);
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(textsOf(result, 'proofs')).toEqual(['the parts of 2 signers hold and add up to the key; 24 zero-knowledge proofs recomputed: 8 of ranges in offers, 4 of nonce points, 8 of conversions, 4 of sums']);
    expect(textsOf(result, 'presigned')).toEqual(['2 presignatures, made again from the messages; recorded as kept by alice, bob']);
  });
  it('signing live, and from stocked offers', async () => {
    for (const { folder } of [live, stocked]) {
      const result = await afresh(folder);
      expect([result.verdict, faults(result)]).toEqual(['ok', []]);
      expect(textsOf(result, 'proofs')).toEqual(['the shares of 2 signers verify and add up; 12 zero-knowledge proofs recomputed: 4 of ranges in offers, 2 of nonce points, 4 of conversions, 2 of sums']);
    }
  });
  it('signing from a presignature', async () => {
    for (const { folder } of [presigned, keccak]) {
      const result = await afresh(folder);
      expect([result.verdict, faults(result)]).toEqual(['ok', []]);
      expect(result.checks.map((c) => c.name)).toEqual(['plan', 'chain alice', 'chain bob', 'opening', 'base', 'presignature', 'intent', 'proofs', 'gate', 'signature', 'messages', 'seen']);
    }
  });
  it('also under other file names', async () => {
    for (const { folder } of [presign, presigned]) {
      const renamed = new Map([...folder].filter(([path]) => !DERIVED.includes(path)).map(([path, bytes], i) => [/^(?:PLAN|message|signature)/.test(path) ? path : `all/file-${String(i)}`, bytes]));
      expect(faults(await verify(renamed))).toEqual([]);
    }
  });

  it('without what comes after the last message: it seals the record', async () => {
    for (const { folder } of [dkg, presign, presigned, live])
      for (const tail of [1, 2]) {
        const path = 'transcript/bob.jsonl';
        const shorter = await verify(withFiles(folder, { [path]: chainOf(linesOf(bytesOf(folder, path)).slice(0, -tail)) }));
        expect([shorter.verdict, faults(shorter)]).toEqual(['ok', []]);
      }
  });
  it('without an entry before the last message: OMITTED', async () => {
    for (const { folder } of [dkg, presign, presigned, live]) {
      const path = 'transcript/bob.jsonl';
      const shorter = await verify(withFiles(folder, { [path]: chainOf(linesOf(bytesOf(folder, path)).slice(0, -3)) }));
      expect([shorter.verdict, culprits(shorter)]).toEqual(['cannot-tell', []]);
      expect(textsOf(shorter, 'messages').join()).toMatch(/^OMITTED bob:\d+ seen by bob's own (?:prove|confirm|convert|sum|share)/);
    }
  });
});

describe('something missing is named, and cannot be told', () => {
  const cases: [string, () => Finished, string, RegExp][] = [
    ...[1, 2, 3, 4].map((slot): (typeof cases)[number] => [`message ${String(slot)} of a key generation`, () => dkg, `round-${String(slot)}/bob.blob`, /of bob is missing: bring round-/]),
    ...[1, 2, 3].map((slot): (typeof cases)[number] => [`message ${String(slot)} of a presigning`, () => presign, `round-${String(slot)}/bob.blob`, /of bob is missing: bring round-/]),
    ...[1, 2, 3, 4].map((slot): (typeof cases)[number] => [`message ${String(slot)} of a live signing`, () => live, `round-${String(slot)}/bob.blob`, /of bob is missing: bring round-/]),
    ['a share from a presignature', () => presigned, 'round-4/bob.blob', /share of bob is missing/],
    ['the certificate of a presigning', () => presign, 'base/certificate.json', /bring base\/certificate.json/],
    ['the record of a presignature', () => presigned, 'base/presignature.json', /bring base\/presignature.json/],
    ['a transcript', () => presign, 'transcript/bob.jsonl', /transcript of bob is missing/],
  ];
  it.each(cases)('%s', async (_, which, path, text) => {
    const { folder } = which();
    expect(folder.has(path)).toBe(true);
    const result = await verify(withFiles(folder, { [path]: undefined }));
    expect([result.verdict, faults(result).filter((c) => c.startsWith('wrong'))]).toEqual(['cannot-tell', []]);
    expect(result.checks.filter((c) => c.verdict === 'cannot-tell').map((c) => c.text).join('\n')).toMatch(text);
  });
  it('everything but the plan, of each kind', async () => {
    for (const { folder } of [dkg, presign, presigned, live]) expect((await verify(new Map([['PLAN.yaml', bytesOf(folder, 'PLAN.yaml')]]))).verdict).toBe('cannot-tell');
  });
  it('the plan', async () => {
    const result = await verify(withFiles(presigned.folder, { 'PLAN.yaml': undefined }));
    expect([result.verdict, textsOf(result, 'presignature').length]).toEqual(['cannot-tell', 1]);
  });
});

it.each(['dkg', 'presign', 'presigned', 'live'] as const)('any change of any byte of a finished %s is never ok, and blames nobody', async (which) => {
  const { folder } = { dkg, presign, presigned, live }[which];
  const paths = [...folder.keys()].filter((p) => !DERIVED.includes(p));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), fc.integer({ min: 1, max: 255 }), async (path, at, value) => {
      const bytes = Uint8Array.from(bytesOf(folder, path));
      const offset = at % bytes.length;
      bytes[offset] = (bytes[offset] as number) ^ value;
      const result = await verify(withFiles(folder, { [path]: bytes }));
      if (result.verdict !== 'wrong' || culprits(result).length > 0) throw new Error(`${path} at ${String(offset)}: ${result.verdict} ${JSON.stringify(culprits(result))}`);
    }),
    { numRuns: 25 },
  );
});

describe('a proof that its sender spoiled is found, and names its sender and nobody else', () => {
  const curve = 'secp256k1';
  const [OFFER, MTA, SUM] = [offerBytes(curve, 1), mtaBytes(curve, 1), sumBytes(curve)];
  const possession = schnorrProofBytes(group(curve));
  const PROOF = /^E_(?:PROOF|RANGE|FORMAT|POINT|SCALAR)$/;
  const CASES: [string, () => Finished, number, number, RegExp][] = [
    ['knowledge of the share', () => dkg, 3, 64 + possession - 1, /^E_POP$/],
    ['Π-mod', () => dkg, 3, 64 + possession + MOD_BYTES - 1, PROOF],
    ['Π-fac', () => dkg, 3, -1, PROOF],
    ['what was dealt', () => dkg, 2, 128 + AUX_BYTES + 100, /^E_COMMIT$/],
    ['a stocked offer', () => dkg, 4, -1, PROOF],
    ['an offer: K', () => presign, 1, 700, PROOF],
    ['an offer: the second one', () => presign, 1, OFFER + 700, PROOF],
    ['an offer: a proof', () => presign, 1, -1, PROOF],
    ['a conversion: Γ', () => presign, 2, 64 + 20, PROOF],
    ['a conversion: Π-elog', () => presign, 2, 64 + 33 + 10, PROOF],
    ['a conversion: D', () => presign, 2, 64 + MTA - 2 * AFFINE_BYTES + 700, PROOF],
    ['a conversion: Π-aff-g of the other product', () => presign, 2, 64 + MTA - 1, PROOF],
    ['a conversion: the second one', () => presign, 2, -1, PROOF],
    ['a sum: Δ', () => presign, 3, 64 + 32 + 20, PROOF],
    ['a sum: Π-elog', () => presign, 3, 64 + SUM - 1, PROOF],
    ['a sum: the second one', () => presign, 3, -1, PROOF],
    ['an offer of a live signing', () => live, 1, -1, PROOF],
    ['a conversion of a live signing', () => live, 2, -1, PROOF],
    ['a sum of a live signing', () => live, 3, -1, PROOF],
    ['a share of a live signing', () => live, 4, -1, /^E_SHARE$/],
    ['a conversion from stocked offers', () => stocked, 2, -1, PROOF],
    ['a share from a presignature', () => presigned, 4, -1, /^E_SHARE$/],
    ['a request from a presignature', () => presigned, 4, 5, /^E_REQUEST$/],
  ];
  it.each(CASES)('%s', async (_, which, slot, at, code) => {
    const { run, folder } = which();
    const spoiled = resigned(run, folder, slot, 'bob', flip(at));
    const result = await verify(withoutChains(spoiled));
    expect([result.verdict, culprits(result)]).toEqual(['wrong', ['bob']]);
    const [found] = result.checks.filter((c) => c.name === 'proofs');
    expect([found?.culprit, found?.code]).toEqual(['bob', expect.stringMatching(code)]);
    // where its transcript is here, it tells of another message
    const recorded = await verify(spoiled);
    expect(culprits(recorded)).toEqual(['bob']);
    expect(faults(recorded)).toContain('wrong messages [bob] E_EQUIVOCATION');
  });

  it('Π-prm, committed to as it is', async () => {
    const { run, folder } = dkg;
    const ctx = dkgContext(run.plan as DkgPlan);
    const spoil = flip(128 + AUX_BYTES + 16);
    const spoiled = resigned(run, folder, DEAL, 'bob', spoil);
    const deal = dealOf(ctx, openBlob(bytesOf(spoiled, 'round-2/bob.blob'), run.session));
    const opening = deal.dealing.subarray(0, openingBytes({ kind: 'dkg', group: ctx.group, quorum: ctx.quorum }));
    const split = opening.length - ctx.group.pointBytes - ctx.group.scalarBytes;
    const V = commitment(run.session.sid, 2, { ...deal, commitments: opening.subarray(0, split), possession: opening.subarray(split) });
    const committed = resigned(run, folder, 1, 'bob', () => V);
    const views = (who: string, change = (b: Uint8Array): Uint8Array => b): Uint8Array =>
      bytesOf(resigned(run, folder, DEAL, who, (body) => change(concat(body.slice(0, 32), sha256(bytesOf(committed, 'round-1/bob.blob')), body.slice(64)))), `round-2/${who}.blob`);
    const result = await verify(withoutChains(withFiles(committed, { 'round-2/alice.blob': views('alice'), 'round-2/bob.blob': views('bob', spoil) })));
    expect([result.verdict, culprits(result), textsOf(result, 'proofs')[0]]).toEqual(['wrong', ['bob'], expect.stringMatching(/^bob: auxiliary information: /)]);
  });

  it('an echo, a request: another view, and nobody is blamed', async () => {
    for (const [{ run, folder }, slot, at] of [[dkg, 3, 0], [presign, 2, 0], [presign, 3, 40], [live, 4, 5]] as const) {
      const result = await verify(withoutChains(resigned(run, folder, slot, 'bob', flip(at))));
      expect([result.verdict, culprits(result), result.checks.find((c) => c.name === 'proofs')?.code]).toEqual(['wrong', [], 'E_VIEW']);
    }
  });

  it('entries exchanged, and a message of another ceremony', async () => {
    const { run, folder } = presign;
    const body = (f: Finished, path: string): Uint8Array => openBlob(bytesOf(f.folder, path), f.run.session).body;
    const swapped = resigned(run, folder, 1, 'bob', (b) => concat(b.slice(OFFER), b.slice(0, OFFER)));
    const foreign = resigned(live.run, live.folder, 1, 'bob', () => body(presign, 'round-1/bob.blob').slice(0, OFFER));
    const others = resigned(run, folder, 1, 'bob', () => body(presign, 'round-1/alice.blob'));
    for (const spoiled of [swapped, foreign, others]) {
      const result = await verify(withoutChains(spoiled));
      expect([result.verdict, culprits(result), result.checks.find((c) => c.name === 'proofs')?.code]).toEqual(['wrong', ['bob'], expect.stringMatching(PROOF)]);
    }
    // as bytes, a message of another ceremony or of another sender is damaged, foreign or forged
    const bytes = await verify(withFiles(folder, { 'round-1/bob.blob': bytesOf(live.folder, 'round-1/bob.blob') }));
    expect([bytes.verdict, culprits(bytes)]).toEqual(['wrong', []]);
  });
});

describe('a complaint in the closing slot is about the deals', () => {
  it('and says so in the transcript, whatever round has come since', async () => {
    const { run, folder } = dkg;
    const slot = closingSlot(run.plan);
    const deals = new Map(BOTH.map((name) => openBlob(bytesOf(folder, `round-2/${name}.blob`), run.session)).map((e) => [e.leaf, e]));
    const lie = resigned(run, folder, slot, 'bob', () => complaintBody({ echo: echo(deals), dealer: 1, complaint: random(128) }));
    const blob = bytesOf(lie, `round-${String(slot)}/bob.blob`);
    const chain = (inputs: ReadonlyMap<number, Envelope>): Folder => {
      const path = 'transcript/bob.jsonl';
      const lines = rewritten(run, 'bob', bytesOf(folder, path), 5, ({ payload: p }) =>
        p.slot === slot ? { message: 'complaint', subject: { bytes: blob.length, sha256: toHex(sha256(blob)) }, inputs: Object.fromEntries([...inputs.values()].map((e) => [e.name, toHex(e.hash)])) } : {},
      );
      return withFiles(lie, { [path]: chainOf(linesOf(lines).slice(0, 5)), 'transcript/certificate.json': undefined });
    };
    const result = await verify(chain(deals));
    expect([culprits(result), faults(result).filter((l) => l.includes('[bob]'))]).toEqual([['bob'], ['wrong proofs [bob] E_FALSE_COMPLAINT']]);
    const proves = new Map(BOTH.map((name) => openBlob(bytesOf(folder, `round-3/${name}.blob`), run.session)).map((e) => [e.leaf, e]));
    expect(faults(await verify(chain(proves)))).toContain('wrong messages E_VIEW');
    expect((await script.run(chain(deals))).wrong.filter((l) => !l.includes('SHA256SUMS') && !l.includes('alice'))).toEqual([]);
  });
});

describe('the key, the presignature and the signature', () => {
  const json = (bytes: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  const record = (): PresignatureRecord => parsePresignature(bytesOf(presigned.folder, 'base/presignature.json'), '');

  it('a certificate of another key, and one that somebody changed', async () => {
    const other = await finished(await table.dkg({ name: 'other', quorum: '2-of(alice, bob)', honest: BOTH }));
    const foreign = bytesOf(other.folder, 'transcript/certificate.json');
    const changed = Buffer.from(bytesOf(presign.folder, 'base/certificate.json').map((b) => b)).toString().replace(/"nHat":"(.)/, (_, c: string) => `"nHat":"${c === '9' ? '8' : '9'}`);
    for (const { folder } of [presign, presigned, live])
      for (const bytes of [foreign, utf8(changed)]) {
        const result = await verify(withFiles(folder, { 'base/certificate.json': bytes }));
        expect([result.verdict, culprits(result), faults(result)]).toEqual(['wrong', [], expect.arrayContaining(['wrong base E_CERTIFICATE'])]);
      }
  });

  it('another record than the plan names', async () => {
    const others = [
      bytesOf(keccak.folder, 'base/presignature.json'),
      encodePresignature({ ...record(), index: 7 }),
      encodePresignature({ ...record(), gamma: record().delta[0] as string }),
      utf8(Buffer.from(bytesOf(presigned.folder, 'base/presignature.json')).toString().replace(',', ', ')),
      utf8('{}'),
    ];
    for (const bytes of others) {
      const result = await verify(withFiles(presigned.folder, { 'base/presignature.json': bytes }));
      expect([result.verdict, culprits(result)]).toEqual(['wrong', []]);
      expect(faults(result)[0]).toMatch(/^wrong presignature E_(?:PRESIGN_USED|CANON|FORMAT)$/);
    }
    for (const bytes of others.slice(0, 2)) expect((await script.run(withFiles(presigned.folder, { 'base/presignature.json': bytes }))).wrong).toContain('base/presignature.json is not the presignature that the plan names');
    // nor does a record lie where the plan names none
    expect(faults(await verify(withFiles(live.folder, { 'base/presignature.json': bytesOf(presigned.folder, 'base/presignature.json') })))).toEqual(['wrong presignature E_PRESIGN_USED']);
  });

  it('a false record that the plan names', async () => {
    const plan = (await parsePlanFile(bytesOf(presigned.folder, 'PLAN.yaml'), '')) as SignPlan;
    const good = record();
    const falsified: [Partial<PresignatureRecord>, string][] = [
      [{ delta: [...good.delta].reverse().map((d, i) => (i === 0 ? good.gamma : d)) }, 'E_SUM'],
      [{ chi: [good.gamma, good.gamma] }, 'E_SUM'],
      [{ signers: [1, 3] }, 'E_PRESIGN_USED'],
      [{ epoch: 'ab'.repeat(32) }, 'E_PRESIGN_USED'],
      [{ path: 'm/1' }, 'E_PRESIGN_USED'],
      [{ publicKey: good.gamma }, 'E_PRESIGN_USED'],
      [{ gamma: `02${'ff'.repeat(32)}` }, 'E_POINT'],
    ];
    for (const [change, code] of falsified) {
      const lie = { ...good, ...change };
      const files = { 'PLAN.yaml': await encodePlanFile({ ...plan, presignature: toHex(presignatureId(lie)) }), 'base/presignature.json': encodePresignature(lie) };
      const kept = new Map([...presigned.folder].filter(([path]) => /^(?:base|intent|message)/.test(path)));
      expect(faults(await verify(withFiles(kept, files)))).toContain(`wrong presignature ${code}`);
    }
    // a digest that was made elsewhere is never signed with a presignature
    const digest = new Map([...live.folder].filter(([path]) => /^(?:intent|message)/.test(path)));
    const raw = { ...plan, intent: (await parsePlanFile(bytesOf(live.folder, 'PLAN.yaml'), '') as SignPlan).intent };
    const result = await verify(withFiles(digest, { 'PLAN.yaml': await encodePlanFile(raw), 'base/certificate.json': bytesOf(presigned.folder, 'base/certificate.json'), 'base/presignature.json': encodePresignature(good) }));
    expect(faults(result)).toContain('wrong presignature E_RAW_DIGEST');
  });

  it('what signers recorded about their presignatures', async () => {
    const { run, folder } = presign;
    const path = 'transcript/bob.jsonl';
    const last = linesOf(bytesOf(folder, path)).length;
    const told = (change: object): Folder => withFiles(folder, { [path]: rewritten(run, 'bob', bytesOf(folder, path), last, () => change) });
    const place = `bob:${String(last)}`;
    expect((await verify(told({ result: 'ab'.repeat(32) }))).checks).toContainEqual(expect.objectContaining({ name: 'presigned', verdict: 'wrong', code: 'E_VIEW', place }));
    expect(culprits(await verify(told({ result: 'ab'.repeat(32) })))).toEqual([]);
    expect((await verify(told({ epoch: 'ab'.repeat(32) }))).checks).toContainEqual(expect.objectContaining({ name: 'presigned', verdict: 'wrong', code: 'E_CERTIFICATE', culprit: 'bob', place }));
    expect((await script.run(told({ result: 'ab'.repeat(32), epoch: 'ab'.repeat(32) }))).wrong).toEqual([`${place} recorded presignatures of another epoch`, `${place} recorded other presignatures than others did`]);
  });

  it('the gate decided before the first message, and the request stands before the share', async () => {
    const rewrittenBy = ({ run, folder }: Finished, seq: number, change: object): Folder =>
      withFiles(folder, { 'transcript/bob.jsonl': rewritten(run, 'bob', bytesOf(folder, 'transcript/bob.jsonl'), seq, (e) => (e.payload.seq === seq ? change : {})) });
    const seqOf = ({ run, folder }: Finished, test: (p: { kind: string; request?: string | undefined }) => boolean): number =>
      entriesOf(run, 'bob', bytesOf(folder, 'transcript/bob.jsonl')).find((e) => test(e.payload))?.payload.seq as number;
    for (const [which, messages] of [[live, ['offer', 'convert', 'sum', 'share']], [stocked, ['convert', 'sum', 'share']], [presigned, ['share']]] as const) {
      const decided = seqOf(which, (p) => p.kind === 'gate' && p.request === undefined);
      const refused = await verify(rewrittenBy(which, decided, { allow: false }));
      expect(refused.checks.filter((c) => c.name === 'gate').map((c) => [c.culprit, c.code, c.text])).toEqual(messages.map((m) => ['bob', 'E_NO_DECISION', `bob sent its ${m} without a decision of its gate on the record`]));
      const requested = seqOf(which, (p) => p.request !== undefined);
      const other = await verify(rewrittenBy(which, requested, { request: 'ab'.repeat(32) }));
      expect(other.checks.filter((c) => c.name === 'gate').map((c) => c.code)).toEqual(['E_VIEW']);
      const unasked = await verify(rewrittenBy(which, requested, { allow: false }));
      expect(unasked.checks.filter((c) => c.name === 'gate').map((c) => [c.culprit, c.text])).toEqual([['bob', 'bob sent its share without recording the request that it answers']]);
    }
  });

  it('another signature, also where the shares are gone', async () => {
    const g = group('secp256k1');
    const good = bytesOf(presigned.folder, 'signature.bin');
    const { r, s } = derDecode(g, good);
    const bad = [derEncode(r, g.order - s), derEncode(s, r), bytesOf(keccak.folder, 'signature.bin'), concat(good, Uint8Array.of(0)), good.slice(0, -1), new Uint8Array(0), fromHex(json(bytesOf(presigned.folder, 'signature.json'))['compact'] as string)];
    const alone = withFiles(withoutChains(presigned.folder), { 'round-4/alice.blob': undefined, 'round-4/bob.blob': undefined });
    for (const bytes of bad)
      for (const folder of [presigned.folder, alone]) expect(faults(await verify(withFiles(folder, { 'signature.bin': bytes })))).toContain('wrong signature E_SIGNATURE');
    const kept = await verify(alone);
    expect([kept.verdict, textsOf(kept, 'signature')]).toEqual(['cannot-tell', ['signature.bin verifies under the key; the shares that made it are not all here']]);
    const facts = json(bytesOf(presigned.folder, 'signature.json'));
    const lie = utf8(Buffer.from(bytesOf(presigned.folder, 'signature.json')).toString().replace(`"recoveryId":${String(facts['recoveryId'])}`, '"recoveryId":3'));
    expect(faults(await verify(withFiles(presigned.folder, { 'signature.json': lie })))).toEqual(['wrong signature E_SIGNATURE']);
  });
});

describe('an error round', () => {
  /** bob's part of δ is wrong, its transcript says so, and alice has traced. */
  async function traced(): Promise<Run> {
    const run = await table.presign({ honest: ['alice'], cheats: ['bob'] });
    await run.next('bob');
    run.carry();
    await run.next('alice');
    run.carry();
    await run.next('bob');
    const lie = resigned(run, new Map([['round-3/bob.blob', run.file('bob', 'round-3/bob.blob') as Uint8Array]]), 3, 'bob', flip(64 + 31));
    const blob = bytesOf(lie, 'round-3/bob.blob');
    const chain = rewritten(run, 'bob', run.file('bob', 'transcript/bob.jsonl') as Uint8Array, 2, ({ payload: p }) => (p.slot === 3 ? { subject: { bytes: blob.length, sha256: toHex(sha256(blob)) } } : {}));
    const entries = entriesOf(run, 'bob', chain);
    const sum = entries.findIndex((e) => e.payload.slot === 3);
    run.write('alice', 'round-3/bob.blob', blob);
    run.write('alice', 'transcript/bob.jsonl', chainOf(linesOf(chain).slice(0, sum + 1)));
    await run.next('alice');
    return run;
  }
  const record = (run: Run): Folder => new Map(run.files('alice').map((path) => [path, run.file('alice', path) as Uint8Array]));

  it('of a presigning: who is left when the other has traced is named, and without that trace nobody', async () => {
    const run = await traced();
    expect(run.error('alice').facts.participant).toBe('bob');
    const folder = record(run);
    const result = await verify(folder);
    expect([result.verdict, culprits(result)]).toEqual(['wrong', ['bob']]);
    expect(result.checks.filter((c) => c.verdict === 'wrong').map((c) => c.name)).toEqual(['proofs', 'evidence']);
    expect((await script.run(folder)).exit).not.toBe(0);

    const [path = ''] = [...folder.keys()].filter((p) => p.startsWith('evidence/'));
    const evidence = [{ file: path, bytes: bytesOf(folder, path) }];
    const alone = await verifyEvidence(evidence, [...folder].map(([file, bytes]) => ({ file, bytes })), remembering);
    expect(alone).toMatchObject({ verdict: 'ok', checks: [{ name: 'evidence', culprit: 'bob' }] });
    const blind = await verifyEvidence(evidence, [...withFiles(folder, { 'base/certificate.json': undefined })].map(([file, bytes]) => ({ file, bytes })), remembering);
    expect(blind).toMatchObject({ verdict: 'cannot-tell', checks: [{ code: 'E_MISSING' }] });

    const without = await verify(withFiles(folder, { 'round-4/alice.blob': undefined, [path]: undefined }));
    expect([without.verdict, culprits(without)]).toEqual(['cannot-tell', []]);
    expect(textsOf(without, 'proofs').join()).toContain('nothing here names who is to blame');
    expect(textsOf(without, 'messages').join()).toMatch(/the trace of alice, which its transcript records, is missing/);
  });

  it('in place of a share: recorded as a trace, and false where the parts add up', async () => {
    const { run, folder } = live;
    const sums = new Map(BOTH.map((name) => openBlob(bytesOf(folder, `round-3/${name}.blob`), run.session)).map((e) => [e.leaf, e]));
    const lie = resigned(run, folder, 4, 'bob', () => traceBody(echo(sums), { entry: 0, which: 'chi' }, random(traceBytes('secp256k1', 1))));
    const blob = bytesOf(lie, 'round-4/bob.blob');
    const path = 'transcript/bob.jsonl';
    const chain = (message: string): Uint8Array =>
      chainOf(linesOf(rewritten(run, 'bob', bytesOf(folder, path), 2, ({ payload: p }) => (p.slot === 4 ? { message, subject: { bytes: blob.length, sha256: toHex(sha256(blob)) } } : {}))).slice(0, -1));
    expect(faults(await verify(withFiles(lie, { [path]: chain('trace') })))).toEqual(['wrong proofs [bob] E_SUM']);
    expect(faults(await verify(withFiles(lie, { [path]: chain('share') })))).toEqual(['wrong proofs [bob] E_SUM', 'wrong messages [bob] E_CHAIN']);
  });

  it('parts that do not add up, and nobody has traced: cannot tell', async () => {
    for (const at of [64 + 31, 64 + 32 + 33]) {
      const result = await verify(withoutChains(resigned(presign.run, presign.folder, 3, 'bob', flip(at))));
      expect([result.verdict, culprits(result), result.checks.find((c) => c.name === 'proofs')?.code]).toEqual(['cannot-tell', [], 'E_MISSING']);
    }
  });
});

describe('VERIFY.txt', () => {
  it('VERIFIED, every kind; openssl verifies the signature, or says what it cannot', async () => {
    const cases: [Finished, RegExp][] = [
      [dkg, /12 entries, 8 messages/],
      [presign, /10 entries, 6 messages/],
      [presigned, /openssl verified signature.bin under the key 0[23]/],
      [keccak, /openssl (?:cannot make the hash that the intent names|verified signature.bin)/],
      [stocked, /path m\/0\/7: that 0[23][0-9a-f]{64} is derived from the key of the certificate was not checked here[^]*openssl verified signature.bin under the key 0[23]/],
      [live, /openssl verified signature.bin under the key 0[23]/],
    ];
    for (const [{ folder }, text] of cases) {
      const { exit, wrong, missing, lines } = await script.run(folder);
      expect([exit, wrong, missing, lines.at(-1)]).toEqual([0, [], [], 'VERIFIED']);
      expect(lines.join('\n')).toMatch(text);
    }
  });
  it('knows both curves', () => {
    const [, prefix = ''] = /cggmp24-p256\) spki=([0-9a-f]+)/.exec(verifyScript(dkg.run.plan)) ?? [];
    const point = group('p256').encodePoint(group('p256').base);
    const key = createPublicKey({ key: Buffer.concat([Buffer.from(prefix, 'hex'), point]), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  });
  it.each([
    ['a message of a presigning', () => presign, 'round-3/bob.blob'],
    ['a confirmation with its stock', () => dkg, 'round-4/bob.blob'],
    ['a certificate', () => presign, 'base/certificate.json'],
    ['a presignature', () => presigned, 'base/presignature.json'],
  ] as const)('one byte of %s', async (_, which, path) => {
    const { folder } = which();
    const bytes = Uint8Array.from(bytesOf(folder, path));
    bytes[bytes.length - 5] = (bytes.at(-5) as number) ^ 1;
    // without the sums, which anybody can make again
    expect((await script.run(withFiles(folder, { [path]: bytes, SHA256SUMS: undefined }))).exit).toBe(1);
  });
  it('a message missing', async () => {
    const { exit, wrong, missing } = await script.run(withFiles(dkg.folder, { 'round-3/bob.blob': undefined }));
    expect([exit, wrong, missing.includes('round-3/bob.blob')]).toEqual([2, [], true]);
  });
  it('a signature of something else, by openssl', async () => {
    for (const { folder } of [presigned, stocked, live]) {
      const { exit, wrong } = await script.run(withFiles(folder, { 'signature.bin': bytesOf(keccak.folder, 'signature.bin') }));
      expect([exit, wrong.some((l) => l.startsWith('signature.bin does not verify under the key'))]).toEqual([1, true]);
    }
  });
});
