/**
 * One-time encryption keys: public side. A prekey is a point P = p·B of the sealing group, whatever group the key to be
 * dealt lives in, with a proof that its owner knows p. On the wire of the proof R ‖ z (64 bytes).
 */
import { Reader } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { equationHolds, FIRST_BASE, hashToSealingScalar, POINT_BYTES, requirePoint, requireScalar, SCALAR_BYTES } from './sealing-group.ts';

/** Bytes of an encoded prekey, and of its proof of possession. */
export const PREKEY_BYTES = POINT_BYTES;
export const PREKEY_PROOF_BYTES = POINT_BYTES + SCALAR_BYTES;

/** Which prekey: what its proof of possession is bound to. */
export interface PrekeyId {
  /** The owner's name. */
  readonly owner: string;
  /** The owner's home, lowercase hex. */
  readonly homeId: string;
  /** The counter, never given twice by one home. */
  readonly n: number;
}

/** Digest of the owner, the home and the counter, 32 bytes. */
export function prekeyContext({ owner, homeId, n }: PrekeyId): Uint8Array {
  return digest('prekey/v1', owner, homeId, n);
}

/** c = H(context, P, R), 32 bytes: the Schnorr challenge of the groups of keys, in the sealing group. */
export function prekeyChallenge(context: Uint8Array, P: Uint8Array, R: Uint8Array): Uint8Array {
  return hashToSealingScalar('schnorr-challenge/v1', context, P, R);
}

/**
 * Whether the proof of possession of a prekey holds for this owner and counter. Malformed bytes do not.
 * @param P 32 bytes
 * @param pop 64 bytes: R ‖ z
 */
export function verifyPrekeyPop(id: PrekeyId, P: Uint8Array, pop: Uint8Array): boolean {
  try {
    const reader = new Reader(pop, 'E_POP');
    const R = requirePoint(reader.take(POINT_BYTES, 'commitment of the proof'));
    const z = requireScalar(reader.take(SCALAR_BYTES, 'response of the proof'));
    reader.end();
    return equationHolds(z, FIRST_BASE, R, prekeyChallenge(prekeyContext(id), requirePoint(P), R), P);
  } catch (e) {
    if (e instanceof CeremonyError && e.code !== 'E_INTERNAL') return false;
    throw e;
  }
}
