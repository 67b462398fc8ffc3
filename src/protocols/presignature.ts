/**
 * The public record of a presignature: what it is bound to, and the points against which shares are checked. Its hash is
 * its name: whoever answers a request that carries it vouches for all of it. Public.
 */
import * as v from 'valibot';
import type { Presignature } from '../ecdsa/outcome.ts';
import { hex, int } from '../plan/fields.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json, parseCanonical } from '../wire/canon.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { taggedHash } from '../wire/hash.ts';
import type { Presigning } from './presign.ts';

const point = hex(33);
const RecordSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('mpc-ceremony/presignature'),
  /** Session id of the ceremony that made it, and its number there. */
  session: hex(32),
  index: int(0, 999),
  /** Digest of the epoch. */
  epoch: hex(32),
  path: v.pipe(v.string(), v.regex(/^m(?:\/(?:0|[1-9][0-9]{0,9})){0,16}$/)),
  /** The key that signatures verify under. */
  publicKey: point,
  /** Leaf ids, ascending; the points of both lists follow their order. */
  signers: v.pipe(v.array(int(1, 64)), v.minLength(2), v.maxLength(64)),
  /** Γ: r is its x-coordinate. */
  gamma: point,
  /** Δ̃_j, which add up to G. */
  delta: v.pipe(v.array(point), v.minLength(2), v.maxLength(64)),
  /** S̃_j, which add up to the public key. */
  chi: v.pipe(v.array(point), v.minLength(2), v.maxLength(64)),
});
export type PresignatureRecord = v.InferOutput<typeof RecordSchema>;

/** Largest record file. */
export const MAX_PRESIGNATURE_BYTES = 32_768;

/** The record of a presignature that a ceremony has made. */
export function presignatureRecord(p: Presigning, index: number, made: Presignature): PresignatureRecord {
  return {
    v: 1,
    type: 'mpc-ceremony/presignature',
    session: toHex(p.session.sid),
    index,
    epoch: toHex(p.epoch),
    path: p.key.path,
    publicKey: toHex(p.key.publicKeyBytes),
    signers: p.key.signers.map((s) => s.leaf.id),
    gamma: toHex(made.gamma),
    delta: made.delta.map((d) => toHex(d.point)),
    chi: made.chi.map((d) => toHex(d.point)),
  };
}

/** Name of a presignature: 32-byte hash of its record. */
export function presignatureId(record: PresignatureRecord): Uint8Array {
  return taggedHash('presignature/v1', canonicalBytes(record as unknown as Json));
}

export function encodePresignature(record: PresignatureRecord): Uint8Array {
  return canonicalBytes(record as unknown as Json);
}

/** Reads a record. @throws E_CANON, E_TOO_LARGE, E_FORMAT naming the file */
export function parsePresignature(bytes: Uint8Array, file: string): PresignatureRecord {
  try {
    const parsed = v.safeParse(RecordSchema, parseCanonical(bytes, MAX_PRESIGNATURE_BYTES));
    if (!parsed.success) fail('E_FORMAT', 'not the record of a presignature');
    const { signers, delta, chi } = parsed.output;
    if (delta.length !== signers.length || chi.length !== signers.length || signers.some((s, i) => i > 0 && s <= (signers[i - 1] as number)))
      fail('E_FORMAT', 'the signers of the presignature are not in order, or points are missing');
    return parsed.output;
  } catch (e) {
    throw e instanceof CeremonyError ? e.with({ file }) : e;
  }
}
