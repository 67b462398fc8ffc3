/** Proof of share health (OPS-11): whoever forges, moves, keeps or changes one, and whose share is another. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { careItems, type CareEvent, careOf, CARE_RULES, type Care, overdue, recordCare, withEvent, activatedAt } from '../../src/ceremony/care.ts';
import { epochPrimesPath, loadShare, requireKey, sharePath } from '../../src/ceremony/key-store.ts';
import { isEarlierProof, proveShare, recordOwnProof, takeProof } from '../../src/ceremony/share-health.ts';
import { encodeAuxSecret } from '../../src/ecdsa/make-aux.ts';
import { group } from '../../src/curves/group.ts';
import { SCHEMES, type SchemeName } from '../../src/curves/scheme.ts';
import { possessionBinding } from '../../src/protocols/auxiliary.ts';
import type { Certificate } from '../../src/protocols/epoch.ts';
import { makeShareProof } from '../../src/protocols/share-proof-participant.ts';
import { parseShareProof, type ShareProof, shareOf, shareProofContext, shareProofMessage, verifyShareProof } from '../../src/protocols/share-proof.ts';
import { possessionContext } from '../../src/sharing/possession.ts';
import { proveSchnorr } from '../../src/sharing/prove.ts';
import { decodeSchnorrProof, failingSchnorr } from '../../src/sharing/schnorr-proof.ts';
import { fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { canonicalBytes, type Json } from '../../src/wire/canon.ts';
import { verifyEd25519 } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { random, Table } from '../support/harness.ts';
import { fixturePrimes } from '../support/primes.ts';

const ALL = ['alice', 'mallory', 'carol'];
const QUORUM = '2-of(alice, 1-of(mallory, carol))';
const KEY = 'treasury';
const CHALLENGE = 'ab'.repeat(32);
const NOW = new Date('2026-03-01T12:30:00Z');
let table: Table;

beforeAll(async () => {
  table = await Table.open(ALL);
  const run = await table.dkg({ quorum: QUORUM, honest: ALL });
  await run.settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});
beforeEach(() => {
  table.restore('key');
});

const certificateOf = (label: string): Certificate => requireKey(table.party(label).home, KEY);
const made = (label: string, challenge?: string, now = NOW): Uint8Array => proveShare(table.party(label).home, table.party(label).identity, KEY, now, random, challenge).bytes;
const read = (bytes: Uint8Array): ShareProof => parseShareProof(bytes, 'x.proof');
const bytesOf = (proof: unknown): Uint8Array => canonicalBytes(proof as Json);
const verify = (proof: ShareProof, challenge?: string, now = NOW): void => {
  verifyShareProof(proof, certificateOf('alice'), { file: 'x.proof', now, challenge });
};
/** Code, participant, field and file of a refusal; undefined when there is none. */
function refusal(work: () => unknown): readonly (string | undefined)[] | undefined {
  try {
    work();
    return undefined;
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    return [e.code, e.facts.participant, e.facts.field, e.facts.file];
  }
}
/** A proof with other contents under a good signature of `by`: what a holder itself can forge. */
function signedBy(by: string, { signature: _, ...proof }: ShareProof): ShareProof {
  return { ...proof, signature: toHex(table.party(by).identity.signer.sign(shareProofMessage(proof))) };
}
const otherHex = (hex: string): string => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);

describe('a proof', () => {
  test('of every holder convinces every other, and says who, what and when', () => {
    for (const label of ALL) {
      const proof = read(made(label, CHALLENGE));
      expect(refusal(() => { verify(proof, CHALLENGE); })).toBeUndefined();
      expect(proof).toMatchObject({ owner: label, epoch: 1, at: '2026-03-01T12:30:00Z', challenge: CHALLENGE, key: { name: KEY, scheme: 'frost-ed25519', mode: 'rehearsal' } });
    }
    expect(made('alice').length).toBeLessThan(1024);
  });

  test('is another every time, and holds neither share nor identity secret', () => {
    const { identity } = table.party('alice');
    const share = loadShare(identity.vault, certificateOf('alice'));
    const texts = [made('alice'), made('alice')].map((b) => Buffer.from(b).toString());
    expect(texts[0]).not.toBe(texts[1]);
    for (const text of texts) for (const secret of [share, share.slice().reverse()]) expect(text).not.toContain(toHex(secret));
  });

  // what any courier can do: the signature no longer fits, or the contents are for something else
  const CHANGES: readonly (readonly [string, (p: ShareProof) => unknown, string, string])[] = [
    ['v', (p) => ({ ...p, v: 2 }), 'E_FORMAT', 'v'],
    ['type', (p) => ({ ...p, type: 'mpc-ceremony/card' }), 'E_FORMAT', 'type'],
    ['key.name', (p) => ({ ...p, key: { ...p.key, name: 'other' } }), 'E_SHARE_PROOF', 'key.name'],
    ['key.id', (p) => ({ ...p, key: { ...p.key, id: otherHex(p.key.id) } }), 'E_SHARE_PROOF', 'key.id'],
    ['key.scheme', (p) => ({ ...p, key: { ...p.key, scheme: 'frost-ristretto255' } }), 'E_SHARE_PROOF', 'key.scheme'],
    ['key.mode', (p) => ({ ...p, key: { ...p.key, mode: 'production' } }), 'E_SHARE_PROOF', 'key.mode'],
    ['epoch', (p) => ({ ...p, epoch: 2 }), 'E_EPOCH', 'epoch'],
    ['certificate', (p) => ({ ...p, certificate: otherHex(p.certificate) }), 'E_EPOCH', 'certificate'],
    ['owner, of another holder', (p) => ({ ...p, owner: 'carol' }), 'E_SHARE_PROOF', 'leaf'],
    ['owner and leaf, of another holder', (p) => ({ ...p, owner: 'carol', leaf: 3 }), 'E_SIGNATURE', 'signature'],
    ['owner, of nobody', (p) => ({ ...p, owner: 'zoe' }), 'E_SHARE_PROOF', 'owner'],
    ['leaf', (p) => ({ ...p, leaf: 3 }), 'E_SHARE_PROOF', 'leaf'],
    ['at', (p) => ({ ...p, at: '2026-03-01T12:29:59Z' }), 'E_SIGNATURE', 'signature'],
    ['at, not a time', (p) => ({ ...p, at: '2026-02-30T12:29:59Z' }), 'E_FORMAT', 'at'],
    ['challenge', (p) => ({ ...p, challenge: otherHex(CHALLENGE) }), 'E_SIGNATURE', 'signature'],
    ['no challenge', ({ challenge: _, ...p }) => p, 'E_SIGNATURE', 'signature'],
    ['proof, first half', (p) => ({ ...p, proof: otherHex(p.proof) }), 'E_SIGNATURE', 'signature'],
    ['proof, last digit', (p) => ({ ...p, proof: p.proof.slice(0, -1) + (p.proof.endsWith('0') ? '1' : '0') }), 'E_SIGNATURE', 'signature'],
    ['signature', (p) => ({ ...p, signature: otherHex(p.signature) }), 'E_SIGNATURE', 'signature'],
    ['a field too many', (p) => ({ ...p, note: 'x' }), 'E_FORMAT', 'note'],
    ['a field of the key too many', (p) => ({ ...p, key: { ...p.key, note: 'x' } }), 'E_FORMAT', 'key.note'],
  ];
  test.each(CHANGES)('with a change of %s is refused', (_, change, code, field) => {
    const proof = read(made('mallory', CHALLENGE));
    const refused = refusal(() => { verify(read(bytesOf(change(proof)))); });
    expect([refused?.[0], refused?.[2], refused?.[3]]).toEqual([code, field, 'x.proof']);
    expect(code === 'E_FORMAT' || refused?.[1] !== undefined).toBe(true);
  });

  test('every single byte counts', () => {
    const bytes = made('carol');
    for (let i = 0; i < bytes.length; i++) {
      const flipped = bytes.slice();
      flipped[i] = (flipped[i] as number) ^ 1;
      expect(refusal(() => { verify(read(flipped)); })?.[0], `byte ${String(i)}`).toMatch(/^E_(?:CANON|FORMAT|SHARE_PROOF|EPOCH|SIGNATURE)$/);
    }
  });

  test('in another form or too large is refused, with the file', () => {
    const text = Buffer.from(made('carol')).toString();
    for (const bytes of [utf8(` ${text}`), utf8(`${text}\n`), utf8('{}'), utf8('[]'), new Uint8Array(0), utf8(`${text.slice(0, -1)},"z":"${'x'.repeat(4096)}"}`)]) {
      const refused = refusal(() => read(bytes));
      expect(['E_CANON', 'E_FORMAT', 'E_TOO_LARGE']).toContain(refused?.[0]);
      expect(refused?.[3]).toBe('x.proof');
    }
  });
});

describe('a holder who cheats is named', () => {
  // its own identity signs whatever it likes: the Schnorr proof is what counts
  const bound: readonly (readonly [string, (p: ShareProof) => ShareProof])[] = [
    ['at', (p) => ({ ...p, at: '2026-03-01T12:30:01Z' })],
    ['challenge', (p) => ({ ...p, challenge: otherHex(CHALLENGE) })],
    ['no challenge', ({ challenge: _, ...p }) => p],
    ['the commitment', (p) => ({ ...p, proof: otherHex(p.proof) })],
    ['the response', (p) => ({ ...p, proof: p.proof.slice(0, -4) + (p.proof.endsWith('0000') ? '0100' : '0000') })],
    ['the length', (p) => ({ ...p, proof: p.proof.slice(0, -2) })],
    ['a response beyond the order', (p) => ({ ...p, proof: p.proof.slice(0, -2) + 'ff' })],
  ];
  test.each(bound)('signed anew with another %s', (_, change) => {
    const proof = signedBy('mallory', change(read(made('mallory', CHALLENGE))));
    expect(refusal(() => { verify(proof); })).toEqual(['E_POP', 'mallory', 'proof', 'x.proof']);
  });

  test("another holder's proof under its own name", () => {
    const carols = read(made('carol', CHALLENGE));
    const stolen = signedBy('mallory', { ...carols, owner: 'mallory', leaf: 2 });
    expect(refusal(() => { verify(stolen); })).toEqual(['E_POP', 'mallory', 'proof', 'x.proof']);
    // and its own under another's name
    expect(refusal(() => { verify(signedBy('mallory', { ...read(made('mallory')), owner: 'carol', leaf: 3 })); })).toEqual(['E_SIGNATURE', 'carol', 'signature', 'x.proof']);
  });

  test('with another share than its own', () => {
    const certificate = certificateOf('mallory');
    const { identity } = table.party('mallory');
    const g = group('ed25519');
    const { signature: _, proof: __, ...fields } = read(made('mallory'));
    const { point } = shareOf(certificate, 'mallory');
    const proof = proveSchnorr(g, shareProofContext(fields), 12345n, g.encodePoint(point), random);
    expect(refusal(() => { verify(signedBy('mallory', { ...fields, proof: toHex(proof), signature: '' })); })).toEqual(['E_POP', 'mallory', 'proof', 'x.proof']);
    // the program itself does not make it
    expect(refusal(() => makeShareProof(certificate, { owner: 'mallory', at: fields.at }, g.encodeScalar(12345n), identity.signer, random))?.slice(0, 2)).toEqual(['E_SHARE_BAD', 'mallory']);
    expect(refusal(() => makeShareProof(certificate, { owner: 'mallory', at: fields.at }, loadShare(identity.vault, certificate), table.party('carol').identity.signer, random))?.[0]).toBe('E_NOT_PARTICIPANT');
  });
});

describe('freshness', () => {
  test('an old proof answers no new challenge', () => {
    const other = otherHex(CHALLENGE);
    expect(refusal(() => { verify(read(made('carol', CHALLENGE)), other); })).toEqual(['E_SHARE_PROOF', 'carol', 'challenge', 'x.proof']);
    expect(refusal(() => { verify(read(made('carol')), other); })).toEqual(['E_SHARE_PROOF', 'carol', 'challenge', 'x.proof']);
    expect(refusal(() => { verify(read(made('carol', other)), other); })).toBeUndefined();
  });
  test('a proof from the future is refused beyond ten minutes', () => {
    const at = (seconds: number): ShareProof => read(made('carol', undefined, new Date(NOW.getTime() + 1000 * seconds)));
    expect(refusal(() => { verify(at(600)); })).toBeUndefined();
    expect(refusal(() => { verify(at(601)); })).toEqual(['E_SHARE_PROOF', 'carol', 'at', 'x.proof']);
  });
  test('a proof of another epoch or another key of that name is refused', () => {
    const proof = read(made('carol'));
    const certificate = certificateOf('alice');
    const against = (change: Partial<Certificate['epoch']>, digest = certificate.digest): unknown =>
      refusal(() => { verifyShareProof(proof, { ...certificate, digest, epoch: { ...certificate.epoch, ...change } }, { file: 'f', now: NOW }); });
    expect(against({ number: 2 })).toEqual(['E_EPOCH', 'carol', 'epoch', 'f']);
    expect(against({}, random(32))).toEqual(['E_EPOCH', 'carol', 'certificate', 'f']);
    expect(against({ key: { ...certificate.epoch.key, id: '00'.repeat(16) } })).toEqual(['E_SHARE_PROOF', 'carol', 'key.id', 'f']);
    expect(against({})).toBeUndefined();
  });
});

describe('a proof is nothing else', () => {
  test('no proof of possession of a dealing or an epoch, and no signature', () => {
    const certificate = certificateOf('mallory');
    const g = group('ed25519');
    const proof = read(made('mallory', CHALLENGE));
    const { signature, ...signed } = proof;
    const { proof: encoded, ...fields } = signed;
    const { point, identity } = shareOf(certificate, 'mallory');
    const statementBytes = g.encodePoint(point);
    const own = shareProofContext(fields);
    const holds = (context: Uint8Array): boolean => failingSchnorr(g, [{ context, statementBytes, statement: point, proof: decodeSchnorrProof(g, fromHex(encoded)) }]).length === 0;
    expect(holds(own)).toBe(true);
    for (const context of [possessionContext(certificate.session.sid, 2, own), possessionContext(own, 2, certificate.digest), possessionBinding(certificate.digest, 2), possessionBinding(own, 2), shareProofMessage(signed), certificate.digest, new Uint8Array(32)])
      expect(holds(context)).toBe(false);
    // as an Ed25519 signature under X of anything that the proof speaks of
    for (const message of [own, shareProofMessage(signed), canonicalBytes(fields as unknown as Json), fromHex(CHALLENGE), new Uint8Array(0)]) {
      expect(verifyEd25519(statementBytes, message, fromHex(encoded))).toBe(false);
      expect(verifyEd25519(fromHex(certificate.epoch.publicKey), message, fromHex(encoded))).toBe(false);
    }
    // the challenge of somebody else is never signed as it is
    expect(verifyEd25519(identity, fromHex(CHALLENGE), fromHex(signature))).toBe(false);
    expect(verifyEd25519(identity, own, fromHex(signature))).toBe(false);
  });
  test('nor does another proof of the same share pass for it', () => {
    const certificate = certificateOf('mallory');
    const { identity } = table.party('mallory');
    const g = group('ed25519');
    const share = g.decodeScalar(loadShare(identity.vault, certificate));
    const { proof: _, signature: __, ...fields } = read(made('mallory'));
    const statementBytes = g.encodePoint(shareOf(certificate, 'mallory').point);
    for (const [context, code] of [[possessionBinding(shareProofContext(fields), 2), 'E_POP'], [shareProofContext({ ...fields, leaf: 3 }), 'E_POP'], [shareProofContext(fields), undefined]] as const) {
      const proof = signedBy('mallory', { ...fields, proof: toHex(proveSchnorr(g, context, share, statementBytes, random)), signature: '' });
      expect(refusal(() => { verify(proof); })?.[0]).toBe(code);
    }
  });
});

describe('a home whose share is damaged does not prove', () => {
  const prove = (): unknown => refusal(() => made('carol'));
  test('another value, sealed', () => {
    const { identity } = table.party('carol');
    const g = group('ed25519');
    const share = g.decodeScalar(loadShare(identity.vault, certificateOf('carol')));
    for (const value of [(share + 1n) % g.order, g.order - share, 1n, 0n]) {
      identity.vault.put(sharePath(KEY, 1), g.encodeScalar(value));
      expect(prove()).toEqual(['E_SHARE_BAD', 'carol', undefined, undefined]);
    }
    identity.vault.put(sharePath(KEY, 1), new Uint8Array(32).fill(255));
    expect(prove()).toEqual(['E_SHARE_BAD', 'carol', undefined, undefined]);
    identity.vault.put(sharePath(KEY, 1), new Uint8Array(31));
    expect(prove()).toEqual(['E_SHARE_BAD', 'carol', undefined, undefined]);
    identity.vault.put(sharePath(KEY, 1), g.encodeScalar(share));
    expect(prove()).toBeUndefined();
  });
  test('bit rot, and a file that has gone', () => {
    const { home } = table.party('carol');
    const file = join(home.root, sharePath(KEY, 1));
    const sealed = readFileSync(file);
    sealed[sealed.length - 1] = (sealed.at(-1) as number) ^ 1;
    writeFileSync(file, sealed, { mode: 0o600 });
    expect((prove() as string[])[0]).toBe('E_STATE');
    home.disk.erase(file);
    expect((prove() as string[])[0]).toBe('E_STATE');
  });
});

describe('every group', () => {
  const schemes = (Object.keys(SCHEMES) as SchemeName[]).filter((s) => s !== 'frost-ed25519');
  test.each(schemes)('%s', async (scheme) => {
    table.restore('fresh');
    const run = await table.dkg({ scheme, quorum: 'all-of(alice, carol)', honest: ['alice', 'carol'] });
    await run.settle();
    const carols = read(made('carol', CHALLENGE));
    expect(refusal(() => { verify(carols, CHALLENGE); })).toBeUndefined();
    const twisted = signedBy('carol', { ...carols, at: '2026-03-01T12:30:01Z' });
    expect(refusal(() => { verify(twisted); })?.slice(0, 2)).toEqual(['E_POP', 'carol']);
    const { identity } = table.party('carol');
    if (SCHEMES[scheme].protocol === 'cggmp24') {
      // the primes of another are no primes of this epoch, nor are its own with one exchanged, nor none
      const path = epochPrimesPath(KEY, 1);
      const own = identity.vault.get(path) as Uint8Array;
      const theirs = fixturePrimes(4);
      for (const bytes of [encodeAuxSecret(theirs), new Uint8Array([...own.slice(0, own.length / 2), ...encodeAuxSecret(theirs).slice(own.length / 2)]), own.slice(1)]) {
        identity.vault.put(path, bytes);
        expect(refusal(() => made('carol'))?.[0]).toBe('E_STATE');
      }
      identity.vault.erase(path);
      expect(refusal(() => made('carol'))).toEqual(['E_STATE', undefined, undefined, path]);
      identity.vault.put(path, own);
      expect(refusal(() => made('carol'))).toBeUndefined();
    }
    const g = group(SCHEMES[scheme].group);
    identity.vault.put(sharePath(KEY, 1), g.encodeScalar(7n));
    expect(refusal(() => made('carol'))?.[0]).toBe('E_SHARE_BAD');
  });
});

describe('the care register', () => {
  const alice = (): Parameters<typeof recordCare>[0] => table.party('alice').home;
  const at = (iso: string): Date => new Date(iso);

  test('takes proofs of others; the latest stands', () => {
    const early = made('carol', undefined, at('2026-03-01T12:10:00Z'));
    const late = made('carol', CHALLENGE, at('2026-03-01T12:20:00Z'));
    expect(takeProof(alice(), KEY, late, 'late', NOW, CHALLENGE).last).toBe('2026-03-01T12:20:00Z');
    expect(takeProof(alice(), KEY, early, 'early', NOW).last).toBe('2026-03-01T12:20:00Z');
    recordOwnProof(alice(), read(made('alice')));
    expect(careOf(alice(), KEY)?.proven).toEqual({ epoch: 1, by: { alice: { at: '2026-03-01T12:30:00Z', seen: 'here' }, carol: { at: '2026-03-01T12:20:00Z', seen: 'challenge' } } });
    const before = careOf(alice(), KEY);
    expect(refusal(() => takeProof(alice(), KEY, made('mallory'), 'm', NOW, CHALLENGE))?.[0]).toBe('E_SHARE_PROOF');
    expect(careOf(alice(), KEY)).toEqual(before);
  });

  test('what was recorded under a clock far ahead does not stand for ever', () => {
    takeProof(alice(), KEY, made('carol', undefined, at('2031-01-01T00:00:00Z')), 'f', at('2031-01-01T00:00:00Z'));
    expect(takeProof(alice(), KEY, made('carol'), 'f', NOW).last).toBe('2026-03-01T12:30:00Z');
  });

  test('the file of another proof is recognised, and nothing else is', () => {
    const own = read(made('alice'));
    expect(isEarlierProof(made('alice', CHALLENGE), own)).toBe(true);
    expect(isEarlierProof(made('carol'), own)).toBe(false);
    expect(isEarlierProof(utf8('notes'), own)).toBe(false);
    expect(isEarlierProof(bytesOf({ ...own, key: { ...own.key, id: '00'.repeat(16) } }), own)).toBe(false);
  });

  test('a damaged register is reported with its file and a way on', () => {
    recordCare(alice(), KEY, { kind: 'epoch', epoch: 1, at: '2026-03-01T12:00:00Z' });
    const file = join(alice().root, 'keys', KEY, 'care.json');
    const text = readFileSync(file, 'utf8');
    for (const bad of ['', '{}', text.replace('}', ',"x":1}'), text.replace('2026', '2O26'), `${text} `]) {
      writeFileSync(file, bad, { mode: 0o600 });
      expect(refusal(() => careOf(alice(), KEY))).toEqual(['E_STATE', undefined, undefined, file]);
      expect(refusal(() => { recordCare(alice(), KEY, { kind: 'epoch', epoch: 1, at: '2026-03-01T12:00:00Z' }); })?.[0]).toBe('E_STATE');
    }
    writeFileSync(file, text, { mode: 0o600 });
    expect(careOf(alice(), KEY)?.epoch).toEqual({ number: 1, at: '2026-03-01T12:00:00Z' });
  });

  test('an event out of form is not recorded, nor one of an unknown key', () => {
    const before = careOf(alice(), KEY);
    for (const event of [{ kind: 'backup-test', at: 'yesterday' }, { kind: 'drill', at: '2026-03-01T12:00:00Z', result: 'fine', due: '2026-03-01T12:00:00Z' }] as unknown as CareEvent[]) expect(refusal(() => { recordCare(alice(), KEY, event); })?.[0]).toBe('E_INTERNAL');
    expect(careOf(alice(), KEY)).toEqual(before);
    expect(refusal(() => { recordCare(alice(), 'nothing', { kind: 'backup-test', at: '2026-03-01T12:00:00Z' }); })?.[0]).toBe('E_UNKNOWN_KEY');
  });

  test('a register of another key of that name counts as none', () => {
    recordCare(alice(), KEY, { kind: 'backup-test', at: '2026-03-01T12:00:00Z' });
    const file = join(alice().root, 'keys', KEY, 'care.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(certificateOf('alice').epoch.key.id, '00'.repeat(16)), { mode: 0o600 });
    expect(careOf(alice(), KEY)).toBeUndefined();
    recordCare(alice(), KEY, { kind: 'drill', at: '2026-03-01T12:00:00Z', result: 'pass', due: '2026-06-01T12:00:00Z' });
    expect(careOf(alice(), KEY)).toMatchObject({ key: certificateOf('alice').epoch.key.id, drilled: { result: 'pass' } });
    expect(careOf(alice(), KEY)?.backupTested).toBeUndefined();
  });

  test('the activation is known from the journal, and from the register where it was recorded', () => {
    const certificate = certificateOf('alice');
    expect(activatedAt(alice(), certificate, undefined)).toBe('2026-03-01T12:00:00Z');
    recordCare(alice(), KEY, { kind: 'epoch', epoch: 1, at: '2026-02-02T02:02:02Z' });
    expect(activatedAt(alice(), certificate, careOf(alice(), KEY))).toBe('2026-02-02T02:02:02Z');
    expect(activatedAt(alice(), { ...certificate, epoch: { ...certificate.epoch, number: 2, session: '00'.repeat(32) } }, careOf(alice(), KEY))).toBeUndefined();
    // a damaged journal hides nothing else
    const [dir] = alice().disk.dirs(join(alice().root, 'ceremonies'));
    writeFileSync(join(alice().root, 'ceremonies', dir as string, 'journal.jsonl'), 'x', { mode: 0o600 });
    expect(activatedAt(alice(), certificate, undefined)).toBeUndefined();
  });
});

describe('what is overdue', () => {
  const DAY = 86_400_000;
  const START = '2026-03-01T12:00:00Z';
  const facts = { epoch: 3, activated: START, participants: ['alice', 'carol'] };
  const later = (days: number, seconds = 0): Date => new Date(Date.parse(START) + days * DAY + seconds * 1000);
  const iso = (d: Date): string => d.toISOString().replace('.000Z', 'Z');
  const empty: Care = { v: 1, type: 'mpc-ceremony/care', key: '00'.repeat(16) };
  const care = (...events: CareEvent[]): Care => events.reduce((c, e) => withEvent(c, e, 3), empty);
  const kinds = (c: Care | undefined, now: Date, f: Parameters<typeof overdue>[1] = facts): string[] => overdue(c, f, now).map((i) => i.participant ?? i.kind);

  test('each at its own time, to the second', () => {
    expect(kinds(undefined, later(0))).toEqual([]);
    expect(kinds(undefined, later(90, -1))).toEqual([]);
    expect(kinds(undefined, later(90))).toEqual(['alice', 'carol']);
    expect(kinds(undefined, later(180, -1))).toEqual(['alice', 'carol']);
    expect(kinds(undefined, later(180))).toEqual(['alice', 'carol', 'backup']);
    expect(kinds(undefined, later(365, -1))).toEqual(['alice', 'carol', 'backup']);
    expect(kinds(undefined, later(365))).toEqual(['alice', 'carol', 'refresh', 'backup', 'drill']);
  });
  test('what was done moves its own date alone', () => {
    const now = iso(later(364));
    expect(kinds(care({ kind: 'proof', epoch: 3, participant: 'carol', at: now, seen: 'dated' }), later(365))).toEqual(['alice', 'refresh', 'backup', 'drill']);
    expect(kinds(care({ kind: 'backup-test', at: now }), later(365))).toEqual(['alice', 'carol', 'refresh', 'drill']);
    expect(kinds(care({ kind: 'drill', at: now, result: 'pass', due: iso(later(500)) }), later(365))).toEqual(['alice', 'carol', 'refresh', 'backup']);
    expect(kinds(care({ kind: 'drill', at: now, result: 'pass', due: iso(later(500)) }), later(500))).toContain('drill');
    expect(kinds(care({ kind: 'drill', at: now, result: 'fail', due: iso(later(500)) }), later(365))).toContain('drill');
    expect(kinds(care({ kind: 'epoch', epoch: 3, at: now }), later(365), { ...facts, activated: now })).toEqual([]);
  });
  test('a new epoch: proofs and backup tests of an earlier one do not count, drills do', () => {
    const old = care({ kind: 'epoch', epoch: 2, at: START }, { kind: 'proof', epoch: 2, participant: 'alice', at: iso(later(99)), seen: 'here' }, { kind: 'backup-test', at: iso(later(99)), epoch: 2 }, { kind: 'epoch', epoch: 3, at: iso(later(10)) });
    const now = later(190);
    expect(kinds(old, now, { ...facts, activated: iso(later(10)) })).toEqual(['alice', 'carol', 'backup']);
    expect(careItems(old, facts, now, CARE_RULES).map((i) => i.last)).toEqual([undefined, undefined, START, undefined, undefined]);
    // a further proof begins the list of its epoch, and an older one cannot come back
    const begun = withEvent(old, { kind: 'proof', epoch: 3, participant: 'carol', at: iso(now), seen: 'dated' }, 3);
    expect(Object.keys(begun.proven?.by ?? {})).toEqual(['carol']);
    expect(refusal(() => withEvent(begun, { kind: 'proof', epoch: 2, participant: 'alice', at: iso(now), seen: 'here' }, 3))?.[0]).toBe('E_EPOCH');
    // drills count from the first epoch, refreshes from this one
    expect(kinds(old, later(365), { ...facts, activated: iso(later(10)) })).toContain('drill');
    expect(kinds(old, later(365), { ...facts, activated: iso(later(10)) })).not.toContain('refresh');
  });
  test('without a known beginning proofs and backup tests are due, and nobody invents a date for the others', () => {
    const unknown = { ...facts, activated: undefined };
    expect(kinds(undefined, later(9999), unknown)).toEqual(['alice', 'carol', 'backup']);
    expect(careItems(undefined, unknown, later(0), CARE_RULES).map((i) => i.due)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });
  test('a time ahead of the clock counts as none', () => {
    const ahead = iso(later(200));
    const c = care({ kind: 'proof', epoch: 3, participant: 'alice', at: ahead, seen: 'here' }, { kind: 'backup-test', at: ahead }, { kind: 'drill', at: ahead, result: 'pass', due: iso(later(900)) });
    expect(careItems(c, facts, later(100), CARE_RULES).map((i) => i.last)).toEqual([undefined, undefined, START, undefined, undefined]);
    expect(kinds(c, later(100))).toEqual(['alice', 'carol']);
  });
  test('other rules', () => {
    const rules = { proofDays: 1, refreshDays: 2, backupDays: 3, drillDays: 4 };
    for (const [days, count] of [[0, 0], [1, 2], [2, 3], [3, 4], [4, 5]] as const) expect(overdue(undefined, facts, later(days), rules)).toHaveLength(count);
  });
});
