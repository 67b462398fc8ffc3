/** SECRET: a signer's half of a presignature (A.11, A.12). */
import { invert } from '../arith/integer.ts';
import { group } from '../curves/group.ts';
import { concat, Reader } from '../wire/bytes.ts';
import { storedScalar } from './make-offer.ts';
import { SCALAR_BYTES } from './parameters.ts';
import type { CurveName } from './presign.ts';

/** Bytes of k ‖ χ and of k~ ‖ χ~. */
export const PRESIGN_SECRET_BYTES = 2 * SCALAR_BYTES;

/** A signer's half, scalars in 1..q-1. */
export interface PresignSecret {
  /** k~ = k/δ. */
  readonly kTilde: bigint;
  /** χ~ = χ/δ. */
  readonly chiTilde: bigint;
}

/** Reads a stored half, or k ‖ χ of round 3. @throws E_STATE */
export function decodePresignSecret(curve: CurveName, bytes: Uint8Array): PresignSecret {
  const reader = new Reader(bytes, 'E_STATE');
  const kTilde = storedScalar(curve, reader.take(SCALAR_BYTES, 'k'));
  const chiTilde = storedScalar(curve, reader.take(SCALAR_BYTES, 'chi'));
  reader.end();
  return { kTilde, chiTilde };
}

export interface MakePresignSecret {
  readonly curve: CurveName;
  /** k ‖ χ of round 3. */
  readonly secret: Uint8Array;
  /** δ as `deltaSum` gives it, after `checkSums` found that all parts add up. */
  readonly delta: Uint8Array;
}

/** k~ ‖ χ~ ({@link PRESIGN_SECRET_BYTES}). All secrets of the rounds are erased once it is stored. @throws E_STATE, E_SCALAR */
export function makePresignSecret({ curve, secret, delta }: MakePresignSecret): Uint8Array {
  const g = group(curve);
  const { kTilde: k, chiTilde: chi } = decodePresignSecret(curve, secret);
  const inverse = invert(g.decodeScalar(delta), g.order);
  return concat(g.encodeScalar((k * inverse) % g.order), g.encodeScalar((chi * inverse) % g.order));
}
