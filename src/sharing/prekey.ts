/**
 * One-time encryption keys: public side. A prekey is a point P = p·B of ristretto255, whatever group the key to be
 * dealt lives in, with a proof that its owner knows p.
 */
import { CeremonyError } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { decodeSchnorrProof, failingSchnorr } from './schnorr-proof.ts';
import { sealingGroup } from './sealing-group.ts';

/** Bytes of an encoded prekey, and of its proof of possession. */
export const PREKEY_BYTES = 32;
export const PREKEY_PROOF_BYTES = 64;

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

/**
 * Whether the proof of possession of a prekey holds for this owner and counter. Malformed bytes do not.
 * @param P 32 bytes
 * @param pop 64 bytes: R ‖ z
 */
export function verifyPrekeyPop(id: PrekeyId, P: Uint8Array, pop: Uint8Array): boolean {
  const g = sealingGroup();
  try {
    const statement = g.decodePoint(P);
    const proof = decodeSchnorrProof(g, pop);
    return failingSchnorr(g, [{ context: prekeyContext(id), statementBytes: P, statement, proof }]).length === 0;
  } catch (e) {
    if (e instanceof CeremonyError) return false;
    throw e;
  }
}
