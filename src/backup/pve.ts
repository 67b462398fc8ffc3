/**
 * Publicly verifiable encryption of a scalar x with X = xG to an X25519 key: cut and choose over 128 rows, made
 * non-interactive by Fiat and Shamir (formats, section C4; the construction is that of cb-mpc for any encryption).
 *
 * Row i splits x into x_0 + x_1 mod q and encrypts both sides, each with randomness that follows from a seed. The
 * challenge, a hash of everything, chooses one side of every row to be opened; the other stays a ciphertext. Who opens
 * a row repeats its encryption, so a cheat must guess the side of every row: 2^-128. Whoever holds the recipient's key
 * needs one good row: the kept side opened, plus the side that is public.
 *
 * A ciphertext is an ephemeral key E = r·B and c = x_b + H(…, E, r·P) mod q. It needs no tag: the challenge covers it,
 * and what it opens to is checked against X.
 *
 * Proof: challenge (32), then for each row E (32) and c of the kept side, the opened scalar, the opened seed (16): 14,368
 * bytes for scalars of 32 bytes, 20,768 for those of 57. This file is the public side.
 */
import { type KeyObject } from 'node:crypto';
import { type Group, hashToScalar, type Point } from '../curves/group.ts';
import { concat, equalBytes, Reader } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { importPublic, X25519_BYTES, x25519Agree, x25519Fault } from './x25519.ts';

/** Rows: the cheat's chance is 2^-ROWS for each hash it tries. */
export const ROWS = 128;
export const SEED_BYTES = 16;
const CHALLENGE_BYTES = 32;

/** A row of a proof: the kept ciphertext, and the opened side. All of it public. */
export interface Row {
  /** Ephemeral key of the kept side, 32 bytes. */
  readonly E: Uint8Array;
  /** Masked scalar of the kept side. */
  readonly c: bigint;
  /** The opened scalar, 1..q−1. */
  readonly opened: bigint;
  /** Seed of the opened side, 16 bytes. */
  readonly seed: Uint8Array;
}

export interface Proof {
  /** 32 bytes; the first 16 choose the opened sides. */
  readonly challenge: Uint8Array;
  readonly rows: readonly Row[];
}

/** What a proof is about. Public. */
export interface Statement {
  readonly group: Group;
  /** X = xG. */
  readonly X: Point;
  /** The recipient's X25519 key, checked by {@link proofRecipient}. */
  readonly recipient: Uint8Array;
  /** Digest of the context, 32 bytes. */
  readonly context: Uint8Array;
}

/** Bytes of a proof in this group. */
export function proofBytes(group: Group): number {
  return CHALLENGE_BYTES + ROWS * (X25519_BYTES + 2 * group.scalarBytes + SEED_BYTES);
}

/** The side of row i that is opened, 0 or 1: bit i of the challenge, the lowest bit of each byte first. */
export function openedSide(challenge: Uint8Array, i: number): 0 | 1 {
  return (((challenge[i >> 3] as number) >> (i & 7)) & 1) as 0 | 1;
}

/** The recipient's key for {@link encryptSide}. @throws E_RECIPIENT when it must not be encrypted to */
export function proofRecipient(recipient: Uint8Array): KeyObject {
  const fault = x25519Fault(recipient);
  if (fault !== undefined) fail('E_RECIPIENT', fault, { field: 'recipient' });
  return importPublic(recipient);
}

/**
 * The mask of side b of row i. As secret as the shared secret.
 * @param E ephemeral key, 32 bytes @param shared r·P, 32 bytes
 */
export function rowMask(s: Statement, i: number, b: number, E: Uint8Array, shared: Uint8Array): bigint {
  return hashToScalar(s.group, 'backup/mask/v1', s.context, i, b, s.recipient, E, shared);
}

/** One side of a row, encrypted: E ‖ c. Deterministic in the seed; the scalar is secret, or revealed with the seed. */
export function encryptSide(s: Statement, key: KeyObject, i: number, b: number, scalar: bigint, seed: Uint8Array): Uint8Array {
  const r = digest('backup/ephemeral/v1', s.context, i, b, seed);
  const { own: E, shared } = x25519Agree(r, key);
  const c = (scalar + rowMask(s, i, b, E, shared)) % s.group.order;
  r.fill(0);
  shared.fill(0);
  return concat(E, s.group.encodeScalar(c));
}

/**
 * The challenge: 32 bytes over statement, context and all rows.
 * @param points X_0 of every row, encoded @param sides the ciphertexts of every row, side 0 then side 1
 */
export function challengeOf(s: Statement, points: readonly Uint8Array[], sides: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  return digest('backup/challenge/v1', s.context, s.group.name, s.group.encodePoint(s.X), s.recipient, concat(...points), concat(...sides.flat()));
}

/** Bytes of a proof. */
export function encodeProof(group: Group, proof: Proof): Uint8Array {
  return concat(proof.challenge, ...proof.rows.flatMap((r) => [r.E, group.encodeScalar(r.c), group.encodeScalar(r.opened), r.seed]));
}

/**
 * Reads a proof: exactly {@link ROWS} rows, canonical scalars, the opened one not 0, ephemeral keys canonical and not of small order.
 * @throws E_BACKUP_PROOF naming the row and field
 */
export function parseProof(group: Group, bytes: Uint8Array): Proof {
  const wanted = proofBytes(group);
  if (bytes.length !== wanted) fail('E_BACKUP_PROOF', `the proof has ${String(bytes.length)} bytes instead of ${String(wanted)}: ${String(ROWS)} rows for ${group.name}`, { field: 'proof' });
  const reader = new Reader(bytes, 'E_BACKUP_PROOF');
  const challenge = reader.take(CHALLENGE_BYTES, 'challenge');
  const scalar = (field: string): bigint => {
    try {
      return group.decodeScalar(reader.take(group.scalarBytes, field));
    } catch (cause) {
      throw new CeremonyError('E_BACKUP_PROOF', 'a scalar of the proof is not below the order of the group', { field, cause });
    }
  };
  const rows = Array.from({ length: ROWS }, (_, i): Row => {
    const at = `row ${String(i + 1)}`;
    const E = reader.take(X25519_BYTES, `${at}, key`);
    if (x25519Fault(E) !== undefined) fail('E_BACKUP_PROOF', 'an ephemeral key of the proof is not canonical or of small order', { field: `${at}, key` });
    const c = scalar(`${at}, kept scalar`);
    const opened = scalar(`${at}, opened scalar`);
    if (opened === 0n) fail('E_BACKUP_PROOF', 'an opened scalar of the proof is zero', { field: `${at}, opened scalar` });
    return { E, c, opened, seed: reader.take(SEED_BYTES, `${at}, seed`) };
  });
  reader.end();
  return { challenge, rows };
}

/** Encodings of the points of all rows. @throws E_BACKUP_PROOF when one is the identity */
export function encodePoints(group: Group, points: readonly Point[]): Uint8Array[] {
  if (points.some((p) => p.is0())) fail('E_BACKUP_PROOF', 'a side of a row is zero', { field: 'proof' });
  return points.map((p) => group.encodePoint(p));
}

/**
 * Verifies that the kept ciphertexts of the proof restore the discrete logarithm of X for the holder of the recipient's
 * key. Needs nothing secret.
 * @throws E_BACKUP_PROOF when it does not hold, E_RECIPIENT when the recipient's key is unusable
 */
export function verifyProof(s: Statement, bytes: Uint8Array): Proof {
  const { group } = s;
  const key = proofRecipient(s.recipient);
  const proof = parseProof(group, bytes);
  const points: Point[] = [];
  const sides = proof.rows.map((row, i): [Uint8Array, Uint8Array] => {
    const open = openedSide(proof.challenge, i);
    const point = group.multiplyPublic(group.base, row.opened);
    points.push(open === 0 ? point : s.X.subtract(point));
    const kept = concat(row.E, group.encodeScalar(row.c));
    const again = encryptSide(s, key, i, open, row.opened, row.seed);
    return open === 0 ? [again, kept] : [kept, again];
  });
  if (!equalBytes(challengeOf(s, encodePoints(group, points), sides), proof.challenge))
    fail('E_BACKUP_PROOF', 'the proof does not show that this backup restores the share: it was changed, or made for another share, recipient, key, epoch or file', { field: 'proof' });
  return proof;
}
