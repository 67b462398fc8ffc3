/**
 * Judging a complaint about a sub-share. Public: the complainer reveals K of its box, which opens a bad value and
 * nothing else, and proves that K is right; anybody opens the box and sees.
 */
import { Reader } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest } from '../wire/hash.ts';
import { unmask } from './box.ts';
import { decodeDleqProof, DLEQ_BYTES, dleqHolds, type DleqStatement } from './dleq.ts';
import type { Leaf } from './expression.ts';
import { POINT_BYTES, requirePoint } from './sealing-group.ts';
import { leafPoint } from './tree.ts';
import type { VerifiedDealing, VerifiedRound } from './verify-dealings.ts';

/** K ‖ A1 ‖ A2 ‖ z. */
export const COMPLAINT_BYTES = POINT_BYTES + DLEQ_BYTES;

/** Where the disputed box stands. */
export interface Dispute {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array;
  /** The accused dealer's id. */
  readonly dealer: number;
  /** The accused's dealing, all public checks passed: without its sealing proof nothing may be opened. */
  readonly dealing: VerifiedDealing;
  /** The complainer's leaf. */
  readonly leaf: Leaf;
  /** The complainer's prekey of this session, 32 bytes. */
  readonly P: Uint8Array;
}

/** The box of one leaf in one dealing of a verified round. @throws E_INTERNAL when there is none */
export function disputeOf(round: VerifiedRound, dealer: number, leaf: Leaf): Dispute {
  const dealing = round.dealings.get(dealer);
  const P = round.prekeys[leaf.id - 1];
  if (dealing === undefined || P === undefined) return fail('E_INTERNAL', 'no such box in this round');
  return { sid: round.sid, dealer, dealing, leaf, P };
}

/** What a complaint's proof is bound to (32 bytes). */
export function complaintContext({ sid, dealer, leaf, dealing }: Dispute): Uint8Array {
  return digest('complaint/v1', sid, dealer, leaf.id, leaf.label, dealing.treeHash);
}

/** What a complaint states: log_B P = log_E K. */
export function complaintStatement({ dealing, P }: Dispute, K: Uint8Array): DleqStatement {
  return { P1: P, B2: dealing.sealing.E, P2: K };
}

/**
 * Whether what the disputed box holds under K fits the dealer's commitments. In variable time: K is public by now, or
 * the value is bad.
 */
export function boxFits({ sid, dealer, dealing, leaf, P }: Dispute, K: Uint8Array): boolean {
  const { group } = dealing.tree;
  const box = dealing.sealing.boxes[leaf.id - 1] ?? fail('E_INTERNAL', 'the leaf is of another quorum');
  const value = unmask({ group, sid, dealer, leaf, E: dealing.sealing.E, P }, box, K);
  return group.multiplyPublic(group.base, value).equals(leafPoint(dealing.tree, leaf));
}

/**
 * Who is to blame after a complaint: the complainer when its proof is false or malformed or the sub-share fits after
 * all, otherwise the dealer. The dealer named must be the one that the complaint's envelope accuses.
 * @param bytes K ‖ A1 ‖ A2 ‖ z
 */
export function judgeComplaint(dispute: Dispute, bytes: Uint8Array): 'dealer' | 'complainer' {
  requirePoint(dispute.P);
  try {
    const reader = new Reader(bytes, 'E_FALSE_COMPLAINT');
    const K = requirePoint(reader.take(POINT_BYTES, 'K'));
    const proof = decodeDleqProof(reader.take(DLEQ_BYTES, 'proof'), 'E_FALSE_COMPLAINT');
    reader.end();
    if (!dleqHolds(complaintContext(dispute), complaintStatement(dispute, K), proof)) return 'complainer';
    return boxFits(dispute, K) ? 'complainer' : 'dealer';
  } catch (e) {
    if (e instanceof CeremonyError && e.code !== 'E_INTERNAL') return 'complainer';
    throw e;
  }
}
