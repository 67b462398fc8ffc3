import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOB_OVERHEAD, USUAL_BLOB_BYTES, blobHint, EMPTY_HEAD, makeBlob, openBlob, type Session } from '../../src/wire/blob.ts';
import { signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';

const signer = (n: number) => signerFromSeed(new Uint8Array(32).fill(n));
const seats = [1, 2, 3].map((leaf) => ({ leaf, name: `p${String(leaf)}`, identity: signer(leaf).publicKey }));
const session: Session = { sid: new Uint8Array(32).fill(7), kind: 'dkg', attempt: 1, seats };
const seat = (leaf: number) => seats[leaf - 1] ?? seats[0]!;
const refused = (f: () => unknown): string => {
  try {
    f();
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
  return 'accepted';
};

describe('the envelope', () => {
  it('round trip, for any body, slot and head', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (body, slot, seq, hash) => {
        const blob = makeBlob(session, seat(2), slot, { seq, hash }, body, signer(2));
        expect(blob.length).toBe(BLOB_OVERHEAD + body.length);
        const e = openBlob(blob, session);
        expect([e.slot, e.leaf, e.name, e.head.seq]).toEqual([slot, 2, 'p2', seq]);
        expect(e.body).toEqual(body);
      }),
      { numRuns: 50 },
    );
  });

  it('every flipped bit and every truncation is refused', () => {
    const blob = makeBlob(session, seat(2), 1, EMPTY_HEAD, new Uint8Array(40).fill(5), signer(2));
    for (let i = 0; i < blob.length; i++)
      for (const bit of [1, 128]) {
        const bad = blob.slice();
        bad[i] = (bad[i] as number) ^ bit;
        expect(['E_SIGNATURE', 'E_FORMAT', 'E_VERSION'], `byte ${String(i)}`).toContain(refused(() => openBlob(bad, session)));
      }
    for (let n = 0; n < blob.length; n++) expect(refused(() => openBlob(blob.slice(0, n), session)), `length ${String(n)}`).not.toBe('accepted');
    expect(refused(() => openBlob(Uint8Array.from([...blob, 0]), session))).toBe('E_SIGNATURE');
  });

  it('what is not transmitted is signed: another session, kind, attempt, name or seat does not verify', () => {
    const blob = makeBlob(session, seat(2), 1, EMPTY_HEAD, new Uint8Array(4), signer(2));
    const sid = session.sid.slice();
    sid[31] = 0;
    const others: Session[] = [
      { ...session, sid },
      { ...session, kind: 'sign' },
      { ...session, attempt: 2 },
      { ...session, seats: seats.map((s) => (s.leaf === 2 ? { ...s, name: 'mallory' } : s)) },
      { ...session, seats: seats.map((s) => (s.leaf === 2 ? { ...s, identity: signer(9).publicKey } : s)) },
    ];
    for (const other of others) expect(refused(() => openBlob(blob, other))).toBe('E_SIGNATURE');
  });

  it('a hint is never more than a hint', () => {
    expect(blobHint(new Uint8Array(0))).toBeUndefined();
    expect(blobHint(new Uint8Array(BLOB_OVERHEAD))).toBeUndefined();
    expect(refused(() => openBlob(new Uint8Array(USUAL_BLOB_BYTES + 1), session))).toBe('E_TOO_LARGE');
  });
});
