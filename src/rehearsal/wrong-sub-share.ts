/** A dealing with one wrong sub-share, for which all proofs are made. Secret: see cheat.ts. */
import { DEAL, type DkgContext, dkgContext } from '../protocols/dkg.ts';
import { dealBody, parseDeal } from '../protocols/dkg-messages.ts';
import { boxMask } from '../sharing/box.ts';
import { decodePolynomials, type Polynomials, subShares } from '../sharing/deal.ts';
import { dealingBytes, decodeDealing, encodeDealing } from '../sharing/dealing.ts';
import { proveDleq } from '../sharing/prove.ts';
import { multiply, multiplyBase, randomSealingScalar, secondBase } from '../sharing/sealing-group.ts';
import { sealingContext, sealingStatement, type SealedBoxes } from '../sharing/sealing-proof.ts';
import { fail } from '../wire/errors.ts';
import { type Cheating, random, sendChanged } from './cheat.ts';

/** Boxes of which the victim's holds one more than its sub-share, with a valid proof: as `sealBoxes` makes them otherwise. */
function sealWrong(ctx: DkgContext, dealer: number, victim: string, treeHash: Uint8Array, poly: Polynomials): SealedBoxes {
  const { group, quorum, prekeys } = ctx;
  const { sid } = ctx.session;
  const e = randomSealingScalar(random);
  const E = multiplyBase(e);
  const E2 = multiply(e, secondBase());
  const shares = subShares(poly, quorum);
  const boxes = quorum.leaves.map((leaf, i) => {
    const P = prekeys[i] as Uint8Array;
    const K = multiply(e, P);
    const wrong = leaf.name === victim ? 1n : 0n;
    return group.encodeScalar(((shares[i] as bigint) + wrong + boxMask({ group, sid, dealer, leaf, E, P }, K)) % group.order);
  });
  return { E, E2, boxes, proof: proveDleq(sealingContext(sid, dealer, treeHash, boxes, prekeys), e, sealingStatement(E, E2), random) };
}

/** The dealer deals, and what it seals to the victim is wrong by one. @throws as `sendChanged` */
export function dealWrongSubShare(cheating: Cheating, victim: string): Promise<void> {
  return sendChanged(cheating, DEAL, (honest, { store, identity }) => {
    if (store.plan.kind !== 'dkg') return fail('E_INTERNAL', 'nobody deals but in a key generation');
    const ctx = dkgContext(store.plan);
    const { group, quorum } = ctx;
    const secret = identity.vault.get(store.secretPath(`for-${String(DEAL)}`)) ?? fail('E_STATE', 'the round secret is missing');
    const scalars = 1 + quorum.gates.reduce((n, g) => n + g.threshold - 1, 0);
    const poly = decodePolynomials(group, quorum, 'dkg', secret.slice(-scalars * group.scalarBytes));
    const shape = { kind: 'dkg', group, quorum } as const;
    const deal = parseDeal(honest, ctx.session.seats.length, dealingBytes(shape));
    const { treeBytes, treeHash, possessionBytes } = decodeDealing(shape, deal.dealing);
    return dealBody({ ...deal, dealing: encodeDealing(treeBytes, possessionBytes, sealWrong(ctx, store.seat.leaf, victim, treeHash, poly)) });
  });
}
