/**
 * Distributed key generation, the participant's side. Secret: what is returned as `secret` must be sealed before the
 * message leaves, and destroyed when the ceremony ends.
 */
import { encodeDealing } from '../sharing/dealing.ts';
import { decodePolynomials, encodePolynomials, makePolynomials } from '../sharing/deal.ts';
import { provePossession } from '../sharing/prove-possession.ts';
import { sealBoxes } from '../sharing/seal.ts';
import { decodeTree, encodeTree } from '../sharing/tree.ts';
import { concat, Reader, u32 } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { commitment, dealBody } from './dkg-messages.ts';
import { COMMIT, type DkgContext } from './dkg.ts';
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
