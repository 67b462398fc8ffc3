/** Entries: the allow-list of fields, the one form of a line, and the cheap reader against the general one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeChain, headOf, nextEntry, parseChain } from '../../src/transcript/chain.ts';
import { ENTRY_KINDS, type EntryKind, type EntryPayload } from '../../src/transcript/entry-fields.ts';
import { type Entry, keyId, makeEntry, MAX_ENTRY_BYTES, NO_ENTRY, parseEntry, readUnproven } from '../../src/transcript/entry.ts';
import { canonical, type Json, parseCanonical } from '../../src/wire/canon.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { signedLine } from './fixture.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(7));
const H = 'ab'.repeat(32);
const base = { v: 1 as const, author: 'alice', key: keyId(signer.publicKey), ceremony: 'cd'.repeat(16), seq: 1, prev: NO_ENTRY, at: '2026-03-01T12:00:00Z' };
const subject = { bytes: 1, sha256: H };

/** An entry of every kind with all that it must say. */
const LEAST: Readonly<Record<EntryKind, object>> = {
  open: { plan: H, roster: H, program: H, node: 'v20.19.0', platform: 'linux-x64', compared: 'typed', subject },
  gate: { intent: H, allow: true },
  sent: { slot: 1, message: 'commit', subject },
  certificate: { epoch: H, result: H },
  signature: { intent: H, request: H, subject },
  presigned: { epoch: H, result: H },
  refused: { code: 'E_SCOPE' },
  blamed: { code: 'E_VSS', evidence: H },
  aborted: { reason: 'operator' },
  destroyed: { epoch: H },
  witness: { plan: H, epoch: H, result: H, heads: { alice: H } },
  exception: { message: 'bag', evidence: H },
};
const payload = (kind: EntryKind, over: object = {}): EntryPayload => ({ ...base, kind, ...LEAST[kind], ...over }) as EntryPayload;
const code = (work: () => unknown): string => {
  try {
    work();
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
  return 'accepted';
};

describe('the allow-list', () => {
  it.each(Object.keys(ENTRY_KINDS) as EntryKind[])('%s: says what it must, and nothing of other kinds', (kind) => {
    const good = makeEntry(payload(kind), signer);
    expect(parseEntry(good.line, signer.publicKey)).toEqual(good);
    for (const field of Object.keys(LEAST[kind])) {
      const { [field as 'v']: _, ...less } = payload(kind);
      expect([field, code(() => makeEntry(less as EntryPayload, signer))]).toEqual([field, 'E_INTERNAL']);
      expect([field, code(() => parseEntry(signedLine(signer, canonical(less as unknown as Json)), signer.publicKey))]).toEqual([field, 'E_FORMAT']);
    }
    const foreign = kind === 'exception' ? { plan: H } : { heads: { alice: H }, message: 'bag', evidence: H };
    const more = { ...payload(kind), ...foreign };
    expect(code(() => makeEntry(more, signer))).toBe('E_INTERNAL');
    expect(code(() => parseEntry(signedLine(signer, canonical(more as unknown as Json)), signer.publicKey))).toBe('E_FORMAT');
  });
  it.each<[string, object]>([
    ['free text', { message: 'see the attached file' }],
    ['a number that is no whole one', { slot: 1.5 }],
    ['a slot beyond the wire', { slot: 256 }],
    ['a hash that is too short', { subject: { bytes: 1, sha256: 'ab' } }],
    ['upper-case hex', { prev: 'AB'.repeat(32) }],
    ['a time that does not exist', { at: '2026-02-30T12:00:00Z' }],
    ['a name that is no name', { author: 'Alice' }],
    ['an entry number below 1', { seq: 0 }],
  ])('%s cannot be written', (_, over) => {
    expect(code(() => makeEntry(payload('sent', over), signer))).toBe('E_INTERNAL');
  });
});

describe('one form', () => {
  const good = makeEntry(payload('sent'), signer).line;
  it('accepts what it made, and tells without a key what it says', () => {
    const { payload: p, hash } = parseEntry(good, signer.publicKey);
    expect(readUnproven(good)).toEqual({ payload: p, hash });
  });
  it('refuses another key, a longer line, and anything around it', () => {
    const other = signerFromSeed(new Uint8Array(32).fill(8));
    expect(code(() => parseEntry(good, other.publicKey))).toBe('E_SIGNATURE');
    expect(code(() => parseEntry(good + ' '.repeat(MAX_ENTRY_BYTES), signer.publicKey))).toBe('E_TOO_LARGE');
    for (const line of ['', ' ', '{}', good.slice(1), good.slice(0, -1), ` ${good}`, `${good} `, good.replace(',', ', '), good.toUpperCase()])
      expect([line, code(() => parseEntry(line, signer.publicKey))]).toEqual([line, 'E_CANON']);
  });

  it('the cheap reader is never less strict than canonical JSON', () => {
    // texts near to a payload: keys moved, doubled, spaced; values written in other ways
    const values = fc.constantFrom('1', '1.0', '1e0', '-0', '"alice"', '"alic\\u0065"', '"al ice"', 'null', 'true', '[]', '{}', `"${H}"`, '{"bytes":1,"sha256":"' + H + '"}', '{"sha256":"' + H + '","bytes":1}', '"sent"', '"2026-03-01T12:00:00Z"', '"é"');
    const keys = fc.constantFrom(...Object.keys(payload('sent')), 'seen', 'inputs', '__proto__', '1', '');
    const space = fc.constantFrom('', '', '', '', '', '', ' ', '\t');
    const object = fc.array(fc.tuple(keys, values, space), { maxLength: 14 }).map((fields) => `{${fields.map(([k, v, s]) => `${s}"${k}":${v}`).join(',')}}`);
    const mutated = fc.tuple(fc.nat(), fc.constantFrom('"', ',', ' ', '0', '}', '{', ':', '\\', '1', 'a'), fc.boolean()).map(([at, c, cut]) => {
      const text = canonical(payload('sent') as unknown as Json);
      const i = at % text.length;
      return text.slice(0, i) + c + text.slice(cut ? i + 1 : i);
    });
    fc.assert(
      fc.property(fc.oneof(object, mutated), (text) => {
        let entry: Entry;
        try {
          entry = parseEntry(signedLine(signer, Buffer.from(text).toString('latin1')), signer.publicKey);
        } catch (e) {
          if (e instanceof CeremonyError) return;
          throw e;
        }
        expect(parseCanonical(new Uint8Array(Buffer.from(text)), MAX_ENTRY_BYTES)).toEqual(entry.payload);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a chain', () => {
  const owner = { author: 'alice', identity: signer.publicKey, ceremony: base.ceremony };
  it('is read back as it was written, and its head is its last entry', () => {
    const entries: Entry[] = [];
    for (let i = 0; i < 20; i++) entries.push(nextEntry(entries, owner, { at: base.at, kind: 'exception', message: 'bag', evidence: H }, signer));
    expect(parseChain(encodeChain(entries), owner)).toEqual(entries);
    expect(headOf(entries)).toEqual({ seq: 20, hash: new Uint8Array(Buffer.from(entries[19]?.hash ?? '', 'hex')) });
  });
});
