/** Every way of changing a finished record: it is found, the place is named, and nobody is blamed who did not sign it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEAL } from '../../src/protocols/dkg.ts';
import { NONCE, SHARE } from '../../src/protocols/frost-sign.ts';
import type { Entry } from '../../src/transcript/entry.ts';
import { makeBlob, openBlob } from '../../src/wire/blob.ts';
import { fromHex, toHex } from '../../src/wire/bytes.ts';
import { bytesOf, chainOf, entriesOf, faults, finishedCeremonies, firstFault, type Fixture, type Folder, linesOf, payloadOf, rewritten, signedLine, verify, withFiles } from './fixture.ts';

let f: Fixture;
beforeAll(async () => {
  f = await finishedCeremonies();
});
afterAll(() => {
  f.table.close();
});

const BOB = 'transcript/bob.jsonl';
const lines = (folder: Folder = f.dkgFolder, path = BOB): string[] => linesOf(bytesOf(folder, path));
const text = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, 'latin1'));

describe('a transcript file', () => {
  /** Changes bob's file; the first fault names line or entry, and blames nobody: anybody can have changed the bytes. */
  const cases: [string, () => Uint8Array, string | RegExp, RegExp][] = [
    ['one entry dropped', () => chainOf(lines().filter((_, i) => i !== 2)), 'copy-1/transcript/bob.jsonl line 3', /GAP: expected entry 3, found 4/],
    ['the first entry dropped', () => chainOf(lines().slice(1)), /line 1$/, /GAP: expected entry 1, found 2/],
    ['two entries swapped', () => chainOf([0, 2, 1, 3, 4].map((i) => lines()[i] as string)), /line 2$/, /GAP: expected entry 2, found 3/],
    ['one entry twice', () => chainOf([0, 1, 1, 2, 3, 4].map((i) => lines()[i] as string)), /line 3$/, /GAP: expected entry 3, found 2/],
    ['cut off in the middle of a line', () => bytesOf(f.dkgFolder, BOB).slice(0, -20), 'copy-1/transcript/bob.jsonl', /cut off/],
    ['the last newline missing', () => bytesOf(f.dkgFolder, BOB).slice(0, -1), 'copy-1/transcript/bob.jsonl', /cut off/],
    ['a newline too many', () => text(`${lines().join('\n')}\n\n`), /line 6$/, /canonical form/],
    ['CRLF', () => text(`${lines().join('\r\n')}\r\n`), /line 1$/, /canonical form/],
    ['a byte order mark', () => text(`\u00ef\u00bb\u00bf${lines().join('\n')}\n`), /line 1$/, /canonical form/],
    ['a space before a line', () => chainOf(lines().map((l, i) => (i === 1 ? ` ${l}` : l))), /line 2$/, /canonical form/],
    ['empty', () => new Uint8Array(0), 'copy-1/transcript/bob.jsonl', /empty/],
    ['no transcript at all', () => text('hello\n'), /line 1$/, /canonical form/],
    ["another author's entry in it", () => chainOf(lines().map((l, i) => (i === 2 ? (lines(f.dkgFolder, 'transcript/carol.jsonl')[2] as string) : l))), /line 3$/, /names another key/],
    ['an entry of another ceremony in it', () => chainOf([...lines().slice(0, 1), ...lines(f.signFolder).slice(1, 2)]), /line 2$/, /another ceremony/],
    ['a signature of another entry', () => chainOf(lines().map((l, i) => (i === 1 ? l.replace(/"sig":"[^"]+"/, /"sig":"[^"]+"/.exec(lines()[2] as string)?.[0] ?? '') : l))), /line 2$/, /not signed by bob/],
    ['another key id in the envelope', () => chainOf(lines().map((l) => l.replace(/"keyid":"[0-9a-f]{16}"/, `"keyid":"${'0'.repeat(16)}"`))), /line 1$/, /another key/],
    ['a pad bit set in the payload', () => chainOf(lines().map(padBit('payload'))), /line \d$/, /payload is not canonical base64/],
    ['a pad bit set in the signature', () => chainOf(lines().map(padBit('sig'))), /line 1$/, /sig is not canonical base64/],
  ];
  function padBit(field: 'payload' | 'sig'): (line: string) => string {
    // the last character before the padding has bits that no byte takes
    return (line) => line.replace(new RegExp(`("${field}":"[^"=]*)([A-Za-z0-9+/])(=+")`), (_, a: string, c: string, b: string) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
      return `${a}${alphabet[alphabet.indexOf(c) ^ 1] ?? ''}${b}`;
    });
  }

  it.each(cases)('%s', async (_, bytes, place, message) => {
    const result = await verify(withFiles(f.dkgFolder, { [BOB]: bytes() }));
    const fault = firstFault(result);
    expect([result.verdict, fault.name, fault.verdict]).toEqual(['wrong', 'chain bob', 'wrong']);
    expect(fault.place).toMatch(place);
    expect(fault.text).toMatch(message);
    expect(result.checks.filter((c) => c.culprit !== undefined)).toEqual([]);
  });

  it('a whole chain of another ceremony, or of somebody who has no part in this one', async () => {
    const foreign = await verify(withFiles(f.dkgFolder, { [BOB]: bytesOf(f.signFolder, BOB) }));
    expect([foreign.verdict, firstFault(foreign)]).toEqual(['wrong', expect.objectContaining({ name: 'chain bob', text: expect.stringContaining('another ceremony') })]);
    const stranger = await verify(withFiles(f.signFolder, { 'transcript/carol.jsonl': bytesOf(f.dkgFolder, 'transcript/carol.jsonl') }));
    expect([stranger.verdict, firstFault(stranger).text]).toEqual(['wrong', expect.stringContaining('carol has no part in this plan')]);
  });

  it('transcripts of another ceremony altogether point at the plan', async () => {
    const result = await verify(withFiles(f.signFolder, { 'PLAN.yaml': bytesOf(f.dkgFolder, 'PLAN.yaml') }));
    expect(faults(result)).toEqual(['wrong plan E_PLAN_CHANGED']);
  });
});

describe('entries that their author signed, and that the program would never write', () => {
  const changed = (payload: string): string => signedLine(f.table.party('bob').identity.signer, payload);
  const cases: [string, (payload: string) => string, RegExp][] = [
    ['a duplicate key', (p) => p.replace('"kind":"sent"', '"kind":"sent","kind":"sent"'), /not in canonical form/],
    ['keys in another order', (p) => p.replace(/^\{("at":"[^"]*"),("author":"bob"),/, '{$2,$1,'), /not in canonical form/],
    ['a space', (p) => p.replace('"v":1', '"v": 1'), /not in canonical form/],
    ['a number written otherwise', (p) => p.replace('"v":1', '"v":1.0'), /not in canonical form/],
    ['an exponent', (p) => p.replace('"v":1', '"v":1e0'), /not in canonical form/],
    ['an unknown field', (p) => p.replace('"kind":"sent"', '"kind":"sent","memo":"x"'), /unknown, missing or malformed/],
    ['a field of another kind of entry', (p) => p.replace('"key":', `"intent":"${'a'.repeat(64)}","key":`), /unknown, missing or malformed/],
    ['free text', (p) => p.replace('"message":"commit"', '"message":"Commit it!"'), /unknown, missing or malformed/],
    ['a missing field', (p) => p.replace(/"subject":\{[^}]*\},/, ''), /unknown, missing or malformed/],
    ['text outside ASCII', (p) => p.replace('"author":"bob"', '"author":"b\u00f6b"'), /plain ASCII/],
    ['an escape', (p) => p.replace('"author":"bob"', '"author":"b\\u006fb"'), /plain ASCII/],
    ['__proto__', (p) => p.replace('{"at"', '{"__proto__":{},"at"'), /unknown, missing or malformed|canonical/],
    ['not JSON', (p) => p.slice(0, -1), /not JSON/],
  ];
  it.each(cases)('%s', async (_, change, message) => {
    const all = lines();
    const before = payloadOf(all[1] as string);
    const after = change(before);
    expect(after).not.toBe(before);
    const result = await verify(withFiles(f.dkgFolder, { [BOB]: chainOf([all[0] as string, changed(after)]) }));
    expect([result.verdict, firstFault(result).place]).toEqual(['wrong', 'copy-1/transcript/bob.jsonl line 2']);
    expect(firstFault(result).text).toMatch(message);
  });
});

describe('FORK', () => {
  it('by two copies of a chain: author, number and both entries are named', async () => {
    const other = rewritten(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB), 3, () => ({ at: '2026-03-01T13:00:00Z' }));
    const result = await verify(f.dkgFolder, withFiles(f.dkgFolder, { [BOB]: other }));
    const [mine, theirs] = [bytesOf(f.dkgFolder, BOB), other].map((b) => entriesOf(f.dkg, 'bob', b)[2]?.hash.slice(0, 16) ?? '');
    expect(firstFault(result)).toMatchObject({ name: 'chain bob', verdict: 'wrong', culprit: 'bob', code: 'E_FORK', place: 'bob:3' });
    expect(firstFault(result).text).toMatch(/^FORK by bob at entry 3/);
    for (const hash of [mine, theirs]) expect(firstFault(result).text).toContain(hash);
    expect(firstFault(result).text).toMatch(/copy-1\/transcript\/bob.jsonl.*copy-2\/transcript\/bob.jsonl/);
  });

  it('also when the other branch is shorter, or lies in the same folder under another name', async () => {
    const other = linesOf(rewritten(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB), 2, () => ({ at: '2026-03-01T13:00:00Z' })));
    const result = await verify(withFiles(f.dkgFolder, { 'transcript/bob-2.jsonl': chainOf(other.slice(0, 2)) }));
    expect([result.verdict, firstFault(result).culprit, firstFault(result).place]).toEqual(['wrong', 'bob', 'bob:2']);
  });

  it('by a chain that was written again: it contradicts the head in the signed messages', async () => {
    const result = await verify(withFiles(f.dkgFolder, { [BOB]: rewritten(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB), 2, () => ({ at: '2026-03-01T13:00:00Z' })) }));
    const fork = result.checks.filter((c) => c.code === 'E_FORK');
    expect(fork.map((c) => [c.name, c.verdict, c.culprit, c.place])).toEqual([
      ['messages', 'wrong', 'bob', 'bob:2'],
      ['messages', 'wrong', 'bob', 'bob:3'],
    ]);
    expect(result.checks.filter((c) => c.culprit !== undefined && c.culprit !== 'bob')).toEqual([]);
  });
});

describe('EQUIVOCATION', () => {
  it('two different messages of one sender for one slot', async () => {
    const { session } = f.dkg;
    const { signer } = f.table.party('carol').identity;
    const one = openBlob(bytesOf(f.dkgFolder, 'round-2/carol.blob'), session);
    const body = Uint8Array.from(one.body);
    body[100] = (body[100] as number) ^ 1;
    const two = makeBlob(session, f.dkg.seat('carol'), DEAL, one.head, body, signer);
    const result = await verify(withFiles(f.dkgFolder, { 'round-2/carol-as-received-by-bob.blob': two }));
    expect(firstFault(result)).toMatchObject({ verdict: 'wrong', name: 'messages', culprit: 'carol', code: 'E_EQUIVOCATION' });
  });

  it('a message other than the one that its sender recorded', async () => {
    const { session } = f.sign;
    const one = openBlob(bytesOf(f.signFolder, 'round-1/bob.blob'), session);
    const other = openBlob(bytesOf(f.signFolder, 'round-1/alice.blob'), session);
    const two = makeBlob(session, f.sign.seat('bob'), NONCE, one.head, other.body, f.table.party('bob').identity.signer);
    const result = await verify(withFiles(f.signFolder, { 'round-1/bob.blob': two }));
    expect(result.checks).toContainEqual(expect.objectContaining({ verdict: 'wrong', culprit: 'bob', code: 'E_EQUIVOCATION', place: 'bob:3' }));
  });

  it('a confirmation in the certificate other than the one in the folder', async () => {
    const { session } = f.dkg;
    const one = openBlob(bytesOf(f.dkgFolder, 'round-3/carol.blob'), session);
    const two = makeBlob(session, f.dkg.seat('carol'), 3, { seq: one.head.seq, hash: new Uint8Array(32).fill(7) }, one.body, f.table.party('carol').identity.signer);
    const result = await verify(withFiles(f.dkgFolder, { 'round-3/carol.blob': two }));
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'certificate', verdict: 'wrong', culprit: 'carol', code: 'E_EQUIVOCATION' }));
  });
});

describe('an author who writes its own last words again', () => {
  // from this entry on nobody else holds anything of the author: only what the entries say can be wrong
  type Change = (e: Entry) => object;
  const dkg = (who: string, seq: number, change: Change): Folder => withFiles(f.dkgFolder, { [`transcript/${who}.jsonl`]: rewritten(f.dkg, who, bytesOf(f.dkgFolder, `transcript/${who}.jsonl`), seq, (e) => (e.payload.seq === seq ? change(e) : {})) });
  const sign = (who: string, seq: number, change: Change): Folder => withFiles(f.signFolder, { [`transcript/${who}.jsonl`]: rewritten(f.sign, who, bytesOf(f.signFolder, `transcript/${who}.jsonl`), seq, (e) => (e.payload.seq === seq ? change(e) : {})) });
  const H = 'ab'.repeat(32);
  const cases: [string, () => Folder, string, string | undefined, string][] = [
    ['confirms another message than it sent', () => dkg('bob', 4, (e) => ({ subject: { bytes: e.payload.subject?.bytes ?? 0, sha256: H } })), 'E_EQUIVOCATION', 'bob', 'bob:4'],
    ['another size', () => dkg('bob', 4, (e) => ({ subject: { bytes: 1, sha256: e.payload.subject?.sha256 ?? '' } })), 'E_EQUIVOCATION', 'bob', 'bob:4'],
    ['another name of its message', () => dkg('bob', 4, () => ({ message: 'complaint' })), 'E_CHAIN', 'bob', 'bob:4'],
    ['another slot', () => dkg('bob', 4, () => ({ slot: 2 })), 'E_CHAIN', 'bob', 'bob:4'],
    ['a slot that does not exist', () => dkg('bob', 4, () => ({ slot: 9 })), 'E_CHAIN', 'bob', 'bob:4'],
    ['no inputs', () => dkg('bob', 4, () => ({ inputs: undefined })), 'E_CHAIN', 'bob', 'bob:4'],
    ['inputs of fewer', () => dkg('bob', 4, (e) => ({ inputs: { alice: e.payload.inputs?.['alice'] } })), 'E_CHAIN', 'bob', 'bob:4'],
    ['another input', () => dkg('bob', 4, (e) => ({ inputs: { ...e.payload.inputs, carol: H } })), 'E_VIEW', undefined, 'bob:4'],
    ['nothing seen', () => dkg('bob', 4, () => ({ seen: undefined })), 'E_CHAIN', 'bob', 'bob:4'],
    ['less seen than it held', () => dkg('bob', 4, (e) => ({ seen: { ...e.payload.seen, carol: { seq: 1, hash: entriesOf(f.dkg, 'carol', bytesOf(f.dkgFolder, 'transcript/carol.jsonl'))[0]?.hash } } })), 'E_CHAIN', 'bob', 'bob:4'],
    ['another head seen', () => dkg('bob', 4, (e) => ({ seen: { ...e.payload.seen, carol: { seq: 2, hash: H } } })), 'E_CHAIN', undefined, 'carol:2'],
    ['more seen than there is', () => dkg('bob', 4, (e) => ({ seen: { ...e.payload.seen, carol: { seq: 77, hash: H } } })), 'E_MISSING', undefined, 'carol:77'],
    ['a stranger seen', () => dkg('bob', 4, (e) => ({ seen: { ...e.payload.seen, mallory: { seq: 1, hash: H } } })), 'E_CHAIN', 'bob', 'bob:4'],
    ['itself seen', () => dkg('bob', 4, (e) => ({ seen: { ...e.payload.seen, bob: { seq: 1, hash: H } } })), 'E_CHAIN', 'bob', 'bob:4'],
    ['another epoch active', () => dkg('bob', 5, () => ({ epoch: H })), 'E_CERTIFICATE', 'bob', 'bob:5'],
    ['another certificate', () => dkg('bob', 5, () => ({ result: H })), 'E_VIEW', undefined, 'bob:5'],
    ['a second opening', () => dkg('bob', 5, () => ({ ...entriesOf(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB))[0]?.payload, seq: 5, prev: entriesOf(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB))[3]?.hash, epoch: undefined, result: undefined })), 'E_CHAIN', 'bob', 'bob:5'],
    ['a gate for another intent', () => sign('bob', 4, () => ({ intent: H })), 'E_NO_DECISION', 'bob', 'bob:4'],
    ['a gate that refused, and a share all the same', () => sign('bob', 4, () => ({ allow: false })), 'E_NO_DECISION', 'bob', 'bob:5'],
    ['another request', () => sign('bob', 4, () => ({ request: H })), 'E_VIEW', undefined, 'bob:4'],
    ['no request', () => sign('bob', 4, () => ({ request: undefined })), 'E_NO_DECISION', 'bob', 'bob:5'],
    ['a decision that no gate makes', () => sign('bob', 2, () => ({ decision: H })), 'E_NO_DECISION', 'bob', 'bob:2'],
    ['a decision after the intent expired', () => sign('bob', 2, () => ({ at: '2027-01-01T00:00:00Z' })), 'E_NO_DECISION', 'bob', 'bob:2'],
    ['another signature', () => sign('bob', 6, () => ({ subject: { bytes: 64, sha256: H } })), 'E_SIGNATURE', 'bob', 'bob:6'],
    ['a signature for another request', () => sign('bob', 6, () => ({ request: H })), 'E_SIGNATURE', 'bob', 'bob:6'],
  ];
  it.each(cases)('%s', async (_, folder, code, culprit, place) => {
    const result = await verify(folder());
    expect(result.verdict).toBe(code === 'E_MISSING' ? 'cannot-tell' : 'wrong');
    expect(result.checks.map(({ verdict, code: c, culprit: who, place: at }) => [verdict, c, who, at])).toContainEqual([code === 'E_MISSING' ? 'cannot-tell' : 'wrong', code, culprit, place]);
    expect(result.checks.filter((c) => c.culprit !== undefined && c.culprit !== 'bob')).toEqual([]);
  });

  it('a share for which the gate was never asked, the entry that records it left out', async () => {
    const { session } = f.sign;
    const path = 'transcript/bob.jsonl';
    const short = chainOf(lines(f.signFolder).slice(0, 3));
    const head = { seq: 3, hash: fromHex(entriesOf(f.sign, 'bob', short)[2]?.hash ?? '') };
    const share = openBlob(bytesOf(f.signFolder, 'round-2/bob.blob'), session);
    const again = makeBlob(session, f.sign.seat('bob'), SHARE, head, share.body, f.table.party('bob').identity.signer);
    const result = await verify(withFiles(f.signFolder, { [path]: short, 'round-2/bob.blob': again }));
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'gate', verdict: 'wrong', culprit: 'bob', code: 'E_NO_DECISION', place: 'bob:4' }));
    // an honest chain that only lacks its tail is not blamed
    expect((await verify(withFiles(f.signFolder, { [path]: chainOf(lines(f.signFolder).slice(0, 4)) }))).verdict).toBe('ok');
    expect((await verify(withFiles(f.signFolder, { [path]: short }))).checks.filter((c) => c.culprit !== undefined)).toEqual([]);
  });

  it.each([
    ['another plan', { plan: H }, 'E_PLAN_CHANGED'],
    ['another roster', { roster: H }, 'E_ROSTER_HASH'],
  ])('joined %s', async (_, change, code) => {
    const result = await verify(dkg('bob', 1, () => change));
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'opening', verdict: 'wrong', culprit: 'bob', code, place: 'bob:1' }));
  });
});

describe('other files', () => {
  const swap = (path: string, change: (s: string) => string): Folder => {
    const before = Buffer.from(bytesOf(path in { 'intent.json': 1, 'signature.json': 1, 'base/certificate.json': 1 } ? f.signFolder : f.dkgFolder, path)).toString('latin1');
    const after = change(before);
    expect(after).not.toBe(before);
    return withFiles(path in { 'intent.json': 1, 'signature.json': 1, 'base/certificate.json': 1 } ? f.signFolder : f.dkgFolder, { [path]: text(after) });
  };
  const cases: [string, () => Folder, string][] = [
    ['a comment in the plan', () => swap('PLAN.yaml', (s) => s.replace('Whoever joins', 'Nobody who joins')), 'wrong plan file E_PLAN_CHANGED'],
    ['the layout of the plan', () => swap('PLAN.yaml', (s) => s.replace('attempt: 1', 'attempt:  1')), 'wrong plan file E_PLAN_CHANGED'],
    ['the expiry of the plan', () => swap('PLAN.yaml', (s) => s.replace(/expires: 20(\d\d)/, 'expires: 21$1')), 'wrong plan E_PLAN_CHANGED'],
    ['a key in the plan', () => swap('PLAN.yaml', (s) => s.replace(/x25519: ./, (m) => `${m.slice(0, -1)}${m.endsWith('0') ? '1' : '0'}`)), 'wrong plan E_PLAN_CHANGED'],
    ['the plan is no YAML', () => swap('PLAN.yaml', (s) => `${s}: [`), 'wrong plan E_PLAN_FIELD'],
    ['a field too many in the plan', () => swap('PLAN.yaml', (s) => `${s}threshold: 1\n`), 'wrong plan E_PLAN_FIELD'],
    ['a quorum that one person satisfies', () => swap('PLAN.yaml', (s) => s.replace('2-of(', '1-of(')), 'wrong plan E_THRESHOLD'],
    ['the certificate with a space', () => swap('transcript/certificate.json', (s) => s.replace(',', ', ')), 'wrong certificate E_CERTIFICATE'],
    ['the public key in the certificate', () => swap('transcript/certificate.json', (s) => s.replace(/"publicKey":"../, '"publicKey":"00')), 'wrong certificate E_CERTIFICATE'],
    ['a confirmation less', () => swap('transcript/certificate.json', (s) => s.replace(/"confirms":\["[^"]*",/, '"confirms":[')), 'wrong certificate E_CERTIFICATE'],
    ['a card', () => swap('cards/bob.card', (s) => s.replace(/"homeId":"../, '"homeId":"00')), 'wrong cards E_CARD'],
    ['the reason of the intent', () => swap('intent.json', (s) => s.replace('"singleUse":true', '"reason":"x","singleUse":true')), 'wrong intent E_INITIATOR_SIG'],
    ['the signature of the intent', () => swap('intent.json', (s) => s.replace(/"signature":"(..)/, (_all, b: string) => `"signature":"${b === '00' ? '01' : '00'}`)), 'wrong intent E_INITIATOR_SIG'],
    ['a name in signature.json', () => swap('signature.json', (s) => s.replace('"alice"', '"carol"')), 'wrong signature E_SIGNATURE'],
    ['the certificate of the key', () => swap('base/certificate.json', (s) => s.replace(/"chainCode":"(..)/, (_all, b: string) => `"chainCode":"${b === '00' ? '01' : '00'}`)), 'wrong base E_CERTIFICATE'],
    ['the message', () => withFiles(f.signFolder, { 'message.bin': text('pay 6 to the baker') }), 'wrong intent E_INTENT_HASH'],
    ['the signature', () => withFiles(f.signFolder, { 'signature.bin': new Uint8Array(64) }), 'wrong signature E_SIGNATURE'],
    ['a longer signature', () => withFiles(f.signFolder, { 'signature.bin': new Uint8Array([...bytesOf(f.signFolder, 'signature.bin'), 0]) }), 'wrong signature E_SIGNATURE'],
    ['an empty message of a round', () => withFiles(f.dkgFolder, { 'round-1/bob.blob': new Uint8Array(0) }), 'wrong messages E_FORMAT'],
    ['a message of another ceremony', () => withFiles(f.dkgFolder, { 'round-1/extra.blob': bytesOf(f.signFolder, 'round-1/bob.blob') }), 'wrong messages E_FORMAT'],
    ['a note of nobody', () => withFiles(f.dkgFolder, { 'evidence/bag-bob-9.txt': text('bag 17') }), 'cannot-tell evidence E_MISSING'],
    ['evidence of nothing', () => withFiles(f.dkgFolder, { 'evidence/vss-carol.json': text('{}') }), 'wrong evidence E_EVIDENCE'],
  ];
  it.each(cases)('%s', async (_, folder, fault) => {
    const result = await verify(folder());
    expect(faults(result)).toContain(fault);
    expect(result.checks.filter((c) => c.culprit !== undefined)).toEqual([]);
  });

  it('a transcript in which a stranger took the place of a participant', async () => {
    // carol's key, bob's name: the identity in the plan decides
    const all = entriesOf(f.dkg, 'bob', bytesOf(f.dkgFolder, BOB));
    const { signer } = f.table.party('carol').identity;
    const stranger = chainOf(all.map((e) => signedLine(signer, payloadOf(e.line))));
    const result = await verify(withFiles(f.dkgFolder, { [BOB]: stranger }));
    expect([firstFault(result).code, firstFault(result).place]).toEqual(['E_SIGNATURE', 'copy-1/transcript/bob.jsonl line 1']);
    expect(toHex(signer.publicKey)).not.toBe(toHex(f.dkg.seat('bob').identity));
  });
});
