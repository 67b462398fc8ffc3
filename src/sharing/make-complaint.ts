/** Complaining about a sub-share. Secret side. */
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { boxFits, complaintContext, complaintStatement, type Dispute } from './complaint.ts';
import { proveDleq } from './prove.ts';
import { sealingGroup } from './sealing-group.ts';

/**
 * Reveals K = p·E of the complainer's box, which opens that box to everybody, with the proof that K is right.
 * @param dispute with a dealer that `receiveShares` named
 * @param prekeySecret p, 32 bytes, secret; also a bigint meanwhile, which cannot be wiped
 * @returns K ‖ A1 ‖ A2 ‖ z, `COMPLAINT_BYTES` bytes, public
 * @throws E_INTERNAL when the sub-share fits: the complaint would publish it and accuse an honest dealer
 */
export function makeComplaint(dispute: Dispute, prekeySecret: Uint8Array, random: Random): Uint8Array {
  const g = sealingGroup();
  const p = g.decodeScalar(prekeySecret);
  const E = dispute.dealing.sealing.point;
  const K = g.encodePoint(g.multiply(E, p));
  if (boxFits(dispute, K)) fail('E_INTERNAL', 'there is nothing to complain about');
  const proof = proveDleq(complaintContext(dispute), p, [g.base, E], complaintStatement(dispute, K), random);
  return concat(K, proof);
}
