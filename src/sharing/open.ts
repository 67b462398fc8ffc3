/**
 * The receiver's side of a round of dealings. Secret: sub-shares and the share are bigints while they are computed
 * with, which cannot be wiped; the result is bytes.
 */
import type { Group } from '../curves/group.ts';
import { equalBytes } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Leaf } from './expression.ts';
import { openBox, type OwnPrekey } from './seal.ts';
import { multiplyBase, requireScalar } from './sealing-group.ts';
import { leafPoint, type PublicTree } from './tree.ts';
import type { VerifiedRound } from './verify-dealings.ts';

export interface ReceiveRequest {
  /** The round, after every public check. */
  readonly round: VerifiedRound;
  /** The receiver's own leaf. */
  readonly leaf: Leaf;
  /** Secret. */
  readonly prekey: OwnPrekey;
}

export type Received =
  /** The sum of the sub-shares, encoded; secret. */
  | { readonly ok: true; readonly share: Uint8Array }
  /** Ids of the dealers whose sub-share does not fit their commitments (`E_VSS`), ascending: complain about the first. */
  | { readonly ok: false; readonly bad: readonly number[] };

/** A damaged or exchanged prekey would make every honest dealer look like a cheat. */
function requirePrekey({ round, leaf, prekey }: ReceiveRequest): void {
  const named = round.prekeys[leaf.id - 1];
  const own = multiplyBase(requireScalar(prekey.secret));
  if (named === undefined || !equalBytes(named, prekey.P) || !equalBytes(named, own))
    fail('E_STATE', 'the stored one-time key is not the one that the plan names', { participant: leaf.name });
}

/** Whether value·G = L_leaf; 0 fits the identity. */
function fits(tree: PublicTree, leaf: Leaf, value: bigint): boolean {
  const { group } = tree;
  const point = value === 0n ? group.identity : group.multiply(group.base, value);
  return point.equals(leafPoint(tree, leaf));
}

/**
 * Opens the receiver's boxes of all dealings and checks the sum against the combined tree, then, if it does not fit,
 * each sub-share against its dealer's tree.
 * @throws E_STATE, E_SCALAR for a prekey that is damaged at rest or not the plan's
 */
export function receiveShares(request: ReceiveRequest): Received {
  requirePrekey(request);
  const { round, leaf, prekey } = request;
  const { group } = round.tree;
  const values = new Map<number, bigint>();
  for (const [dealer, { sealing }] of round.dealings) {
    const box = sealing.boxes[leaf.id - 1] ?? fail('E_INTERNAL', 'the leaf is of another quorum');
    const facts = { group, sid: round.sid, dealer, leaf, E: sealing.E, P: prekey.P };
    values.set(dealer, openBox(facts, box, prekey.secret));
  }
  const total = [...values.values()].reduce((sum, v) => (sum + v) % group.order, 0n);
  if (fits(round.tree, leaf, total)) return { ok: true, share: group.encodeScalar(total) };
  const bad = [...values].filter(([dealer, value]) => {
    const dealing = round.dealings.get(dealer);
    return dealing === undefined || !fits(dealing.tree, leaf, value);
  });
  if (bad.length === 0) fail('E_INTERNAL', 'the sub-shares fit one by one and not together');
  return { ok: false, bad: bad.map(([dealer]) => dealer).sort((a, b) => a - b) };
}

/**
 * The new leaf share: what was received, plus the old share in a refresh. Encoded; secret.
 * @param parts encoded scalars
 * @throws E_DEGENERATE when the share is zero, E_SCALAR
 */
export function ownShare(group: Group, parts: readonly Uint8Array[]): Uint8Array {
  const share = parts.reduce((sum, part) => (sum + group.decodeScalar(part)) % group.order, 0n);
  if (share === 0n) fail('E_DEGENERATE', 'the share of this participant is zero', { remedy: 'Start a further attempt.' });
  return group.encodeScalar(share);
}
