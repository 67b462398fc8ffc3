/** Complaining about a sub-share. Secret side. */
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { boxFits, complaintContext, complaintStatement, type Dispute } from './complaint.ts';
import { proveDleq } from './prove.ts';
import { multiply, requireScalar } from './sealing-group.ts';

/**
 * Reveals K = p·E of the complainer's box, which opens that box to everybody, with the proof that K is right.
 * @param dispute with a dealer that `receiveShares` named
 * @param prekeySecret p, 32 bytes, secret
 * @returns K ‖ A1 ‖ A2 ‖ z, `COMPLAINT_BYTES` bytes, public
 * @throws E_INTERNAL when the sub-share fits: the complaint would publish it and accuse an honest dealer; E_SCALAR
 */
export function makeComplaint(dispute: Dispute, prekeySecret: Uint8Array, random: Random): Uint8Array {
  const K = multiply(requireScalar(prekeySecret), dispute.dealing.sealing.E);
  if (boxFits(dispute, K)) fail('E_INTERNAL', 'there is nothing to complain about');
  return concat(K, proveDleq(complaintContext(dispute), prekeySecret, complaintStatement(dispute, K), random));
}
