/**
 * Refresh, reshare and import, the participant's side. Secret: what is returned as `secret` must be sealed before the
 * message leaves, and destroyed when the ceremony ends.
 */
import { foreignKeyOf } from '../interop/foreign-share.ts';
import { openConstant, openShare } from '../interop/open-share.ts';
import type { ImportPlan, ResharePlan } from '../plan/plan.ts';
import { additiveShare, makePolynomials } from '../sharing/deal.ts';
import { makeDealing } from '../sharing/make-dealing.ts';
import { concat, fromHex, Reader } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import type { Base } from './base.ts';
import { roundOf } from './keying.ts';
import { echo, type Inbound } from './machine.ts';
import type { RekeyContext } from './rekey.ts';
import { auxiliaryCommitment, revealBody } from './rekey-messages.ts';

/**
 * w = c·x: what a dealer of a reshare deals. Secret.
 * @param share encoded leaf share of the base
 * @throws E_STATE when the share is not the one of that leaf
 */
export function reshareConstant(base: Base, plan: ResharePlan, dealer: string, share: Uint8Array): bigint {
  const { group: g } = base.tree;
  const leaves = plan.dealers.map((d) => base.quorum.leaves[d.leaf - 1] ?? fail('E_INTERNAL', 'no such leaf'));
  const own = leaves[plan.dealers.findIndex((d) => d.name === dealer)] ?? fail('E_INTERNAL', 'no dealer');
  requireShare(base, own.id, share);
  return additiveShare(g, base.quorum, leaves, own, share);
}

/** @throws E_STATE when an encoded share (secret) is not that of a leaf of the base */
export function requireShare(base: Base, leaf: number, share: Uint8Array): void {
  const { group: g } = base.tree;
  const there = base.leafPoints.get(leaf);
  if (there?.equals(g.multiply(g.base, g.decodeScalar(share))) !== true)
    fail('E_STATE', `the share in this home is not that of ${base.epoch.roster[leaf - 1]?.name ?? 'this leaf'} in epoch ${String(base.epoch.number)}`, {
      remedy: 'The stored share is damaged or of another epoch. Restore it from a backup: mpc-ceremony recover.',
    });
}

/** λ·x: what a holder of a foreign key deals. Secret. @param share encoded @throws E_FOREIGN when it does not belong to the public share in the plan */
export function importConstant(plan: ImportPlan, dealer: string, share: Uint8Array): bigint {
  const holders = plan.dealers.map((d) => fromHex(d.identifier));
  const own = holders[plan.dealers.findIndex((d) => d.name === dealer)] ?? fail('E_INTERNAL', 'no dealer');
  return openConstant(openShare(foreignKeyOf(plan.source), own, share), holders);
}

/**
 * The dealing: made once, and stored as it is.
 * @param constant what is dealt (secret); undefined in a refresh
 */
export function makeRekeyDealing(ctx: RekeyContext, seat: number, constant: bigint | undefined, random: Random): Uint8Array {
  const { group: g, quorum, session, prekeys, plan } = ctx;
  const { tree, coefficients: poly } = makePolynomials(g, quorum, plan.kind, constant, random);
  return makeDealing({ sid: session.sid, kind: plan.kind, dealer: seat, tree, poly, prekeys, random });
}

/** The commitment to auxiliary information, and what is kept until it is revealed (secret until then): salt 32 ‖ auxiliary part. */
export function commitAuxiliary(ctx: RekeyContext, leaf: number, auxiliary: Uint8Array, random: Random): { commitment: Uint8Array; secret: Uint8Array } {
  const salt = random(32);
  return { commitment: auxiliaryCommitment(ctx.session.sid, leaf, salt, auxiliary), secret: concat(salt, auxiliary) };
}

/** The reveal message. @param secret of {@link commitAuxiliary} */
export function makeReveal(ctx: RekeyContext, secret: Uint8Array, messages: Inbound): Uint8Array {
  const r = new Reader(secret, 'E_STATE');
  const salt = r.take(32, 'salt');
  return revealBody({ echo: echo(roundOf(messages, ctx.deal)), salt, auxiliary: r.take(r.remaining, 'auxiliary part') });
}
