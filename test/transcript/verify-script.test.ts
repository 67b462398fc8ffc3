/** VERIFY.txt, as somebody runs it who does not have this program. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import { verifyScript } from '../../src/transcript/verify-script.ts';
import { makeBlob, openBlob } from '../../src/wire/blob.ts';
import { bytesOf, chainOf, finishedCeremonies, type Fixture, type Folder, linesOf, payloadOf, rewritten, signedLine, withFiles } from './fixture.ts';
import { type Said, ScriptRunner } from './script-runner.ts';
import { LONG as ALL_TESTS } from '../support/long.ts';

let f: Fixture;
let script: ScriptRunner;
beforeAll(async () => {
  script = new ScriptRunner();
  f = await finishedCeremonies();
});
afterAll(() => {
  f.table.close();
  script.close();
});
const run = (folder: Folder): Promise<Said> => script.run(folder);

describe('a finished ceremony', () => {
  it('VERIFIED, key generation and signing; openssl verifies the signature', async () => {
    const dkg = await run(f.dkgFolder);
    expect([dkg.exit, dkg.wrong, dkg.missing, dkg.lines.at(-1)]).toEqual([0, [], [], 'VERIFIED']);
    expect(dkg.lines).toContain('15 entries, 9 messages: form, signatures, links and hashes checked');
    const sign = await run(f.signFolder);
    expect([sign.exit, sign.wrong, sign.missing, sign.lines.at(-1)]).toEqual([0, [], [], 'VERIFIED']);
    expect(sign.lines.join('\n')).toMatch(/openssl verified signature.bin under the key [0-9a-f]{64}/);
  });

  it.runIf(ALL_TESTS)('Ed448 by openssl; other schemes say that openssl does not know them; from stock', async () => {
    const shapes = [
      { scheme: 'frost-ed448', note: /openssl verified/ },
      { scheme: 'frost-secp256k1-tr', note: /openssl knows no signatures of frost-secp256k1-tr/ },
    ] as const;
    for (const { note, scheme } of shapes) {
      const made = await finishedCeremonies({ scheme, stock: 1, quorum: 'all-of(alice, bob)', signers: ['alice', 'bob'] });
      for (const folder of [made.dkgFolder, made.signFolder]) {
        const result = await run(folder);
        expect([result.exit, result.wrong, result.missing]).toEqual([0, [], []]);
        if (folder === made.signFolder) expect(result.lines.join('\n')).toMatch(note);
      }
      made.table.close();
    }
  });

  it('is made from the plan alone, in lines that fit a screen', async () => {
    const plan = await parsePlanFile(bytesOf(f.dkgFolder, 'PLAN.yaml'), 'PLAN.yaml');
    expect(verifyScript(plan)).toBe(Buffer.from(bytesOf(f.dkgFolder, 'VERIFY.txt')).toString());
    const header = verifyScript(plan).split('\n').slice(0, 18);
    expect(header.filter((l) => l.length > 80)).toEqual([]);
  });
});

describe('tampering', () => {
  const BOB = 'transcript/bob.jsonl';
  const lines = (): string[] => linesOf(bytesOf(f.dkgFolder, BOB));
  const flipped = (path: string, folder: Folder, at: number): Folder => {
    const bytes = Uint8Array.from(bytesOf(folder, path));
    bytes[at < 0 ? bytes.length + at : at] = (bytes.at(at) as number) ^ 1;
    return withFiles(folder, { [path]: bytes });
  };

  it('flip: the line is named', async () => {
    const { exit, wrong } = await run(flipped(BOB, f.dkgFolder, 1500));
    expect([exit, wrong.some((l) => /^(BAD SIGNATURE bob:2 \(transcript\/bob.jsonl line 2\)|transcript\/bob.jsonl line 2 is damaged)$/.test(l))]).toEqual([1, true]);
  });
  it('drop: GAP, BROKEN CHAIN, OMITTED', async () => {
    const { exit, wrong, missing } = await run(withFiles(f.dkgFolder, { [BOB]: chainOf(lines().filter((_, i) => i !== 1)) }));
    expect(exit).toBe(1);
    expect(wrong).toEqual(expect.arrayContaining(['GAP bob expected 2 got 3', 'BROKEN CHAIN bob at 3']));
    expect(missing).toContain('OMITTED bob:2 seen by round-2/bob.blob');
  });
  it('truncate: OMITTED, and nothing wrong', async () => {
    const { exit, wrong, missing } = await run(withFiles(f.dkgFolder, { [BOB]: chainOf(lines().slice(0, 2)) }));
    expect([exit, wrong]).toEqual([2, []]);
    expect(missing).toEqual(expect.arrayContaining(['OMITTED bob:3 seen by round-3/bob.blob']));
  });
  it('the tail after the certificate may be missing', async () => {
    const { exit, lines: out } = await run(withFiles(f.dkgFolder, { [BOB]: chainOf(lines().slice(0, 4)) }));
    expect([exit, out.at(-1)]).toEqual([0, 'VERIFIED']);
  });
  it('fork: two copies in one folder', async () => {
    const other = rewritten(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB), 3, () => ({ at: '2026-03-01T13:00:00Z' }));
    const { exit, wrong } = await run(withFiles(f.dkgFolder, { 'transcript/bob-2.jsonl': other }));
    expect(exit).toBe(1);
    expect(wrong.filter((l) => / in transcript\/bob-2.jsonl, \w+ in /.test(l))).toEqual([3, 4, 5].map((n) => expect.stringContaining(`FORK by bob at seq ${String(n)}: `) as string));
  });
  it('a chain written again contradicts the messages', async () => {
    const other = rewritten(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB), 3, () => ({ at: '2026-03-01T13:00:00Z' }));
    const { exit, wrong } = await run(withFiles(f.dkgFolder, { [BOB]: other }));
    expect([exit, wrong]).toEqual([1, expect.arrayContaining(['FORK by bob at seq 3: round-3/bob.blob names another entry'])]);
  });
  it('equivocation', async () => {
    const { session } = f.dkg;
    const one = openBlob(bytesOf(f.dkgFolder, 'round-3/carol.blob'), session);
    const two = makeBlob(session, f.dkg.seat('carol'), 3, { ...one.head, hash: new Uint8Array(32) }, one.body, f.table.party('carol').identity.signer);
    const { exit, wrong } = await run(withFiles(f.dkgFolder, { 'round-3/carol-2.blob': two }));
    expect([exit, wrong]).toEqual([1, expect.arrayContaining(['EQUIVOCATION by carol: two different messages of round 3'])]);
  });
  it('a missing message, a missing transcript', async () => {
    const { exit, wrong, missing } = await run(withFiles(f.dkgFolder, { 'round-2/bob.blob': undefined, 'transcript/carol.jsonl': undefined }));
    expect([exit, wrong]).toEqual([2, []]);
    expect(missing).toEqual(expect.arrayContaining(['round-2/bob.blob', 'transcript/carol.jsonl']));
  });

  // without the sums, which anybody can make again; a card stands only there
  it.each(['PLAN.yaml', 'round-2/bob.blob', 'transcript/certificate.json', 'cards/bob.card'])('one byte of %s of a key generation', async (path) => {
    const folder = flipped(path, f.dkgFolder, Math.floor(bytesOf(f.dkgFolder, path).length / 2));
    const { exit } = await run(path.startsWith('cards/') ? folder : withFiles(folder, { SHA256SUMS: undefined }));
    expect(exit).toBe(1);
  });
  it.each(['base/certificate.json', 'intent.json', 'message.bin', 'signature.bin', 'signature.json'])('one byte of %s of a signing', async (path) => {
    const { exit } = await run(withFiles(flipped(path, f.signFolder, -3), { SHA256SUMS: undefined }));
    expect(exit).toBe(1);
  });

  it('a participant who signs shell syntax into its transcript runs nothing', async () => {
    const { signer } = f.table.party('bob').identity;
    const [first = '', second = ''] = lines();
    const evil = 'a[$(touch$IFS/pwned)]';
    for (const field of ['seq', 'slot']) {
      const payload = payloadOf(second).replace(new RegExp(`"${field}":\\d+`), `"${field}":"${evil}"`);
      const { exit, wrong } = await run(withFiles(f.dkgFolder, { [BOB]: chainOf([first, signedLine(signer, payload)]) }));
      expect([exit, wrong[0]]).toEqual([1, 'transcript/bob.jsonl line 2 is damaged']);
    }
    const payload = payloadOf(second).replace(/"seen":\{[^}]*\}\}/, `"seen":{"$(id):x y":{"hash":"${'0'.repeat(64)}","seq":1}}`);
    expect(payload).not.toBe(payloadOf(second));
    const { wrong } = await run(withFiles(f.dkgFolder, { [BOB]: chainOf([first, signedLine(signer, payload)]) }));
    expect(wrong[0]).toBe('transcript/bob.jsonl line 2 is damaged');
  });
});
