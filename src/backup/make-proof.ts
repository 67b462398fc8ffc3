/** Making publicly verifiable encryptions. Secret in: the scalar; public out. */
import { hashToScalar } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import { digest, wideDigest } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';
import { challengeOf, encodePoints, encodeProof, encryptSide, openedSide, proofRecipient, type Row, ROWS, SEED_BYTES, type Statement } from './pve.ts';
import { X25519_BYTES } from './x25519.ts';

/**
 * Encrypts x to the recipient, with the proof that it is the discrete logarithm of X.
 * Randomness is hedged: 32 random bytes, the scalar and the context together seed all rows, so that a source that
 * repeats gives the same rows for the same statement and others for another.
 * @param x secret, 1..q−1, with xG = X
 * @returns the proof's bytes (see pve.ts); public
 * @throws E_RECIPIENT for an unusable key, E_RNG, E_INTERNAL when x does not fit X
 */
export function makeProof(s: Statement, x: bigint, random: Random): Uint8Array {
  const { group, context } = s;
  const key = proofRecipient(s.recipient);
  if (!group.multiply(group.base, x).equals(s.X)) fail('E_INTERNAL', 'the scalar does not fit its point');
  const fresh = random(32);
  if (fresh.length !== 32) fail('E_RNG', 'the random source gave another number of bytes');
  const witness = group.encodeScalar(x);
  const root = wideDigest('backup/hedge/v1', fresh, witness, context);
  fresh.fill(0);
  witness.fill(0);
  try {
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const x0 = splitOf(s, root, i, x);
      const seeds = [0, 1].map((b) => digest('backup/seed/v1', root, i, b).slice(0, SEED_BYTES)) as [Uint8Array, Uint8Array];
      const halves = [x0, (x - x0 + group.order) % group.order] as const;
      const sides = halves.map((half, b) => encryptSide(s, key, i, b, half, seeds[b] as Uint8Array)) as [Uint8Array, Uint8Array];
      return { halves, seeds, sides, point: group.multiply(group.base, x0) };
    });
    const challenge = challengeOf(s, encodePoints(group, rows.map((r) => r.point)), rows.map((r) => r.sides));
    const opened = rows.map(({ halves, seeds, sides }, i): Row => {
      const open = openedSide(challenge, i);
      const kept = sides[open === 0 ? 1 : 0];
      return { E: kept.slice(0, X25519_BYTES), c: group.decodeScalar(kept.slice(X25519_BYTES)), opened: halves[open], seed: seeds[open].slice() };
    });
    const bytes = encodeProof(group, { challenge, rows: opened });
    for (const { seeds } of rows) for (const seed of seeds) seed.fill(0);
    return bytes;
  } finally {
    root.fill(0);
  }
}

/** x_0 of a row: uniform, and neither side zero, which happens with a chance of 2^-250. */
function splitOf(s: Statement, root: Uint8Array, i: number, x: bigint): bigint {
  for (let n = 0; ; n++) {
    const x0 = hashToScalar(s.group, 'backup/split/v1', root, i, n);
    if (x0 !== 0n && x0 !== x) return x0;
  }
}
