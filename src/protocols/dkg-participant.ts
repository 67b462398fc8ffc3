/**
 * Distributed key generation, the participant's side. Secret: what is returned as `secret` must be sealed before the
 * message leaves, and destroyed when the ceremony ends.
 */
import { encodeDealing } from '../sharing/dealing.ts';
import { decodePolynomials, encodePolynomials, makePolynomials } from '../sharing/deal.ts';
import { makeComplaint } from '../sharing/make-complaint.ts';
import { ownShare, receiveShares } from '../sharing/open.ts';
import { provePossession } from '../sharing/prove-possession.ts';
import { sealBoxes } from '../sharing/seal.ts';
import { decodeTree, encodeTree } from '../sharing/tree.ts';
import { concat, Reader, u32 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { commitment, complaintBody, dealBody } from './dkg-messages.ts';
import { COMMIT, DEAL, type DkgContext, type Dealt } from './dkg.ts';
import { echo, type Inbound } from './machine.ts';

/** A message to send and the secret that goes with it. */
export interface Made {
  readonly body: Uint8Array;
  /** Secret; to be sealed. */
  readonly secret: Uint8Array;
}

/**
 * Round 1: draws the polynomials, proves possession of the constant, and commits to everything that round 2 reveals.
 * The secret is: salt 32 ‖ chain part 32 ‖ tree ‖ proof ‖ length of the auxiliary part 4 ‖ auxiliary part ‖ polynomials.
 * @param auxiliary of an ECDSA key (auxiliary-participant.ts); empty for every other
 */
export function makeCommit(ctx: DkgContext, leaf: number, auxiliary: Uint8Array, random: Random): Made {
  const { tree, coefficients: poly } = makePolynomials(ctx.group, ctx.quorum, 'dkg', undefined, random);
  const commitments = encodeTree(tree);
  const possession = provePossession(ctx.session.sid, leaf, tree, poly, random);
  const chainPart = random(32);
  const salt = random(32);
  return {
    body: commitment(ctx.session.sid, leaf, { commitments, possession, chainPart, salt, auxiliary }),
    secret: concat(salt, chainPart, commitments, possession, u32(auxiliary.length), auxiliary, encodePolynomials(poly, ctx.quorum, 'dkg')),
  };
}

/** Round 2: reveals, and seals every participant's sub-share to its one-time key. */
export function makeDeal(ctx: DkgContext, leaf: number, secret: Uint8Array, messages: Inbound, random: Random): Uint8Array {
  const { group, quorum } = ctx;
  const r = new Reader(secret, 'E_STATE');
  const salt = r.take(32, 'salt');
  const chainPart = r.take(32, 'chain part');
  const treeBytes = r.take(group.pointBytes * (1 + quorum.gates.reduce((n, g) => n + g.threshold - 1, 0)), 'tree');
  const possession = r.take(group.pointBytes + group.scalarBytes, 'possession');
  const auxiliary = r.take(r.u32('length of the auxiliary part'), 'auxiliary part');
  const poly = decodePolynomials(group, quorum, 'dkg', r.take(r.remaining, 'polynomials'));
  const tree = decodeTree(group, quorum, true, new Reader(treeBytes, 'E_STATE'));
  const sealed = sealBoxes({ sid: ctx.session.sid, dealer: leaf, tree, poly, prekeys: ctx.prekeys, random });
  const commits = messages.get(COMMIT) ?? fail('E_INTERNAL', 'no commits');
  return dealBody({ echo: echo(commits), salt, chainPart, auxiliary, dealing: encodeDealing(treeBytes, possession, sealed) });
}

/** The outcome of opening one's boxes: a share (secret), or the complaint that must go out in place of the confirmation. */
export type Opening = { readonly ok: true; readonly share: Uint8Array } | { readonly ok: false; readonly complaint: Uint8Array; readonly dealer: number };

/**
 * Opens this participant's boxes, after every public check has passed.
 * @param prekeySecret 32 bytes, secret
 * @throws E_DEGENERATE when the share is zero
 */
export function openShares(ctx: DkgContext, leafId: number, dealt: Dealt, messages: Inbound, prekeySecret: Uint8Array, random: Random): Opening {
  const leaf = ctx.quorum.leaves[leafId - 1] ?? fail('E_INTERNAL', 'no such leaf');
  const P = ctx.prekeys[leafId - 1] as Uint8Array;
  const received = receiveShares({ leaf, round: dealt.verdict, prekey: { secret: prekeySecret, P } });
  if (received.ok) return { ok: true, share: ownShare(ctx.group, [received.share]) };
  const dealer = received.bad[0] as number;
  const dealing = dealt.verdict.dealings.get(dealer) ?? fail('E_INTERNAL', 'no such dealing');
  const complaint = makeComplaint({ sid: ctx.session.sid, dealer, dealing, leaf, P }, prekeySecret, random);
  const deals = messages.get(DEAL) ?? fail('E_INTERNAL', 'no deals');
  return { ok: false, dealer, complaint: complaintBody({ echo: echo(deals), dealer, complaint }) };
}
