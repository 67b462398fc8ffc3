/** Publicly verifiable encryption by itself: every field of statement and proof, in all groups. */
import { x25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BackupContext, contextDigest } from '../../src/backup/context.ts';
import { makeProof } from '../../src/backup/make-proof.ts';
import { openProof } from '../../src/backup/open-proof.ts';
import { challengeOf, encodeProof, encryptSide, openedSide, parseProof, type Proof, proofBytes, proofRecipient, type Row, ROWS, SEED_BYTES, type Statement, verifyProof } from '../../src/backup/pve.ts';
import { x25519Agree, x25519Fault, x25519Public, importPublic } from '../../src/backup/x25519.ts';
import { group as groupOf, type GroupName } from '../../src/curves/group.ts';
import { concat, fromHex, toHex } from '../../src/wire/bytes.ts';
import { codeOf, random } from './support.ts';

const GROUPS: readonly GroupName[] = ['ed25519', 'ristretto255', 'ed448', 'secp256k1', 'p256'];

function fresh(name: GroupName, recipient = random(32)) {
  const group = groupOf(name);
  const x = group.randomScalar(random);
  const s: Statement = { group, X: group.multiply(group.base, x), recipient: x25519Public(recipient), context: random(32) };
  return { group, x, s, secret: recipient, proof: makeProof(s, x, random) };
}
const shared = fresh('ed25519');

/** The proof with some rows exchanged. */
function withRows(name: GroupName, bytes: Uint8Array, change: (rows: Row[], proof: Proof) => void): Uint8Array {
  const group = groupOf(name);
  const proof = parseProof(group, bytes);
  const rows = proof.rows.map((r) => ({ ...r }));
  change(rows, proof);
  return encodeProof(group, { challenge: proof.challenge, rows });
}

describe.each(GROUPS)('%s', (name) => {
  it('verifies with public data, and opens to the scalar with the key', () => {
    const { group, x, s, secret, proof } = name === 'ed25519' ? shared : fresh(name);
    expect(proof.length).toBe(proofBytes(group));
    expect(proof.length).toBe(32 + 128 * (32 + 2 * group.scalarBytes + 16));
    verifyProof(s, proof);
    expect(toHex(openProof(s, proof, secret))).toBe(toHex(group.encodeScalar(x)));
  });
  it('a flip anywhere is refused', () => {
    const { s, proof } = name === 'ed25519' ? shared : fresh(name);
    const row = (proof.length - 32) / ROWS;
    // one position in every kind of field, in the first, a middle and the last row of one group, and in one row of the others
    const n = s.group.scalarBytes;
    const places = [0, 31, ...(name === 'ed25519' ? [0, 64, 127] : [100]).flatMap((i) => [0, 32, 32 + n, 32 + 2 * n].map((at) => 32 + i * row + at + 3))];
    for (const at of places) {
      const bad = proof.slice();
      bad[at] = (bad[at] as number) ^ 1;
      expect([at, codeOf(() => verifyProof(s, bad))]).toEqual([at, 'E_BACKUP_PROOF']);
    }
  });
});

describe('the statement', () => {
  const { s, x, proof, secret } = shared;
  const other = fresh('ed25519');
  it.each([
    ['another point', { ...s, X: s.group.multiply(s.group.base, x + 1n) }],
    ['another recipient', { ...s, recipient: other.s.recipient }],
    ['another context', { ...s, context: random(32) }],
  ])('%s: refused', (_, changed) => {
    expect(codeOf(() => verifyProof(changed, proof))).toBe('E_BACKUP_PROOF');
  });
  it('a proof of another group of the same sizes does not pass', () => {
    expect(codeOf(() => verifyProof({ ...s, group: groupOf('ristretto255'), X: groupOf('ristretto255').base }, proof))).toBe('E_BACKUP_PROOF');
  });
  it('every field of the context changes its digest', () => {
    const context: BackupContext = {
      v: 1, sid: '00', mode: 'rehearsal', key: '01', scheme: 'frost-ed25519', curve: 'ed25519', publicKey: '02', epoch: 1, certificate: '03', owner: 'alice',
      leaf: { id: 1, label: '1' }, publicShare: '04', quorum: '05', custodians: '06', custodian: { id: 0, label: '' }, name: 'c1', recipient: '07', constant: '08', tree: '09',
    };
    const changed: Partial<Record<keyof BackupContext, unknown>> = {
      v: 2, sid: '10', mode: 'production', key: '11', scheme: 'frost-p256', curve: 'p256', publicKey: '12', epoch: 2, certificate: '13', owner: 'bob',
      leaf: { id: 1, label: '2' }, publicShare: '14', quorum: '15', custodians: '16', custodian: { id: 1, label: '' }, name: 'c2', recipient: '17', constant: '18', tree: '19',
    };
    expect(Object.keys(changed).sort()).toEqual(Object.keys(context).sort());
    const digests = Object.entries(changed).map(([field, value]) => toHex(contextDigest({ ...context, [field]: value } as BackupContext)));
    expect(new Set([toHex(contextDigest(context)), ...digests]).size).toBe(1 + digests.length);
  });
  it('opens for nobody else', () => {
    expect(codeOf(() => openProof(s, proof, other.secret))).toBe('E_BACKUP_KEY');
    // whoever says that the backup was made for the other key gets nothing either: the recipient is in every mask
    expect(codeOf(() => openProof({ ...s, recipient: other.s.recipient }, proof, other.secret))).toBe('E_BACKUP_PROOF');
    expect(codeOf(() => openProof({ ...s, context: random(32) }, proof, secret))).toBe('E_BACKUP_PROOF');
  });
});

describe('the form of a proof', () => {
  const { s, proof } = shared;
  const row = (proof.length - 32) / ROWS;
  it('has exactly 128 rows', () => {
    for (const bad of [proof.slice(0, -row), concat(proof, proof.slice(-row)), proof.slice(0, -1), concat(proof, Uint8Array.of(0)), new Uint8Array(0)]) expect(codeOf(() => verifyProof(s, bad))).toBe('E_BACKUP_PROOF');
  });
  it('a scalar not below the order is refused, where it stands', () => {
    for (const [field, at] of [['kept', 32], ['opened', 64]] as const) {
      const bad = proof.slice();
      bad.set(fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010'), 32 + 5 * row + at);
      try {
        verifyProof(s, bad);
        expect.unreachable();
      } catch (e) {
        expect(e).toMatchObject({ code: 'E_BACKUP_PROOF', facts: { field: `row 6, ${field} scalar` } });
      }
    }
  });
  it('an opened scalar of zero is refused', () => {
    const bad = proof.slice();
    bad.fill(0, 32 + 64, 32 + 96);
    expect(() => verifyProof(s, bad)).toThrow('zero');
  });
  it('two halves of which one is the whole are refused', () => {
    // side 1 opened to x leaves nothing for side 0
    const bad = withRows('ed25519', proof, (rows, { challenge }) => {
      const i = Array.from({ length: ROWS }, (_, k) => k).find((k) => openedSide(challenge, k) === 1) as number;
      rows[i] = { ...(rows[i] as Row), opened: shared.x };
    });
    expect(() => verifyProof(s, bad)).toThrow('a side of a row is zero');
  });
});

/** Points of small order and numbers that are not reduced, as a hostile card may carry them (RFC 7748, and u + p). */
const BAD_KEYS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0900000000000000000000000000000000000000000000000000000000000080',
];

describe('X25519', () => {
  it.each(BAD_KEYS)('%s is no recipient, nor an ephemeral key', (hex) => {
    const key = fromHex(hex);
    const { s, x, proof } = shared;
    expect(x25519Fault(key)).toMatch(/small order|canonical/);
    expect(codeOf(() => makeProof({ ...s, recipient: key }, x, random))).toBe('E_RECIPIENT');
    expect(codeOf(() => verifyProof({ ...s, recipient: key }, proof))).toBe('E_RECIPIENT');
    const bad = proof.slice();
    bad.set(key, 32);
    expect(() => verifyProof(s, bad)).toThrow('ephemeral key');
  });
  it('the five of small order really give zero, and the agreement says so by itself', () => {
    for (const hex of BAD_KEYS.slice(0, 5)) expect(codeOf(() => x25519Agree(random(32), importPublic(fromHex(hex))))).toBe('E_RECIPIENT');
  });
  it('is that of another implementation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (a, b) => {
        const B = x25519.getPublicKey(b);
        const { own, shared: secret } = x25519Agree(a, importPublic(B));
        return toHex(own) === toHex(x25519.getPublicKey(a)) && toHex(secret) === toHex(x25519.getSharedSecret(a, B)) && toHex(x25519Public(a)) === toHex(own);
      }),
      { numRuns: 40 },
    );
  });
  it('a key of another length is refused', () => {
    expect(codeOf(() => proofRecipient(random(31)))).toBe('E_RECIPIENT');
    expect(codeOf(() => proofRecipient(random(33)))).toBe('E_RECIPIENT');
  });
});

describe('a cheat', () => {
  /** Makes a proof as the honest prover does, but with rows of its own choice. */
  function forge(s: Statement, side: (i: number, honest: readonly [Uint8Array, Uint8Array]) => readonly [Uint8Array, Uint8Array], x: bigint) {
    const key = proofRecipient(s.recipient);
    const made = Array.from({ length: ROWS }, (_, i) => {
      const x0 = s.group.randomScalar(random);
      const halves = [x0, (x - x0 + s.group.order) % s.group.order] as const;
      const seeds = [random(SEED_BYTES), random(SEED_BYTES)] as const;
      const honest = [encryptSide(s, key, i, 0, halves[0], seeds[0]), encryptSide(s, key, i, 1, halves[1], seeds[1])] as const;
      return { halves, seeds, sides: side(i, honest), X0: s.group.encodePoint(s.group.multiply(s.group.base, x0)) };
    });
    const challenge = challengeOf(s, made.map((m) => m.X0), made.map((m) => m.sides));
    const rows = made.map((m, i): Row => {
      const open = openedSide(challenge, i);
      const kept = m.sides[open === 0 ? 1 : 0];
      return { E: kept.slice(0, 32), c: s.group.decodeScalar(kept.slice(32)), opened: m.halves[open], seed: m.seeds[open] };
    });
    return { bytes: encodeProof(s.group, { challenge, rows }), challenge };
  }
  const { s, x, secret } = shared;
  const garbage = (): Uint8Array => concat(x25519Public(random(32)), s.group.encodeScalar(s.group.randomScalar(random)));

  it('the test’s prover is honest when it does not cheat', () => {
    const { bytes } = forge(s, (_, honest) => honest, x);
    verifyProof(s, bytes);
    expect(toHex(openProof(s, bytes, secret))).toBe(toHex(s.group.encodeScalar(x)));
  });
  it('who encrypts garbage on one side is caught unless it guesses the side of every row', () => {
    const { bytes, challenge } = forge(s, (_, honest) => [honest[0], garbage()], x);
    // caught as soon as side 1 of one row is opened
    expect(Array.from({ length: ROWS }, (_, i) => openedSide(challenge, i)).includes(1)).toBe(true);
    expect(codeOf(() => verifyProof(s, bytes))).toBe('E_BACKUP_PROOF');
  });
  it('who guesses one row leaves all others good: the key still opens it', () => {
    for (;;) {
      const { bytes, challenge } = forge(s, (i, honest) => (i === 0 ? [honest[0], garbage()] : honest), x);
      if (openedSide(challenge, 0) === 1) continue;
      // it guessed right: row 1 keeps the garbage
      verifyProof(s, bytes);
      expect(toHex(openProof(s, bytes, secret))).toBe(toHex(s.group.encodeScalar(x)));
      break;
    }
  });
  it('who does not know x proves nothing', () => {
    const { bytes } = forge(s, (_, honest) => honest, x + 1n);
    expect(codeOf(() => verifyProof(s, bytes))).toBe('E_BACKUP_PROOF');
    expect(codeOf(() => makeProof(s, x + 1n, random))).toBe('E_INTERNAL');
  });
  it('a chosen challenge does not help: it is computed again', () => {
    const bad = shared.proof.slice();
    bad.set(forge(s, (_, honest) => honest, x).challenge);
    expect(codeOf(() => verifyProof(s, bad))).toBe('E_BACKUP_PROOF');
  });
});

describe('randomness', () => {
  it('is hedged: a stuck source gives different rows for different statements, the same for the same', () => {
    const { s, x } = shared;
    const stuck = (n: number): Uint8Array => new Uint8Array(n).fill(7);
    const a = makeProof(s, x, stuck);
    expect(toHex(makeProof(s, x, stuck))).toBe(toHex(a));
    const other: Statement = { ...s, context: random(32) };
    const b = makeProof(other, x, stuck);
    const [ra, rb] = [parseProof(s.group, a).rows, parseProof(s.group, b).rows];
    for (const [i, row] of ra.entries()) {
      expect(toHex(row.seed)).not.toBe(toHex(rb[i]?.seed as Uint8Array));
      expect(row.opened).not.toBe(rb[i]?.opened);
      expect(toHex(row.E)).not.toBe(toHex(rb[i]?.E as Uint8Array));
    }
    // and two rows never share randomness
    expect(new Set(ra.map((r) => toHex(r.E))).size).toBe(ROWS);
    verifyProof(s, a);
  });
  it('a short source is refused', () => {
    expect(codeOf(() => makeProof(shared.s, shared.x, (n) => new Uint8Array(n - 1)))).toBe('E_RNG');
  });
});
