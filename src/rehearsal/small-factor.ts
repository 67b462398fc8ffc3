/**
 * A dealer whose Paillier modulus has a small factor, with which it could learn the others' shares when the key is used
 * (CVE-2023-33241; attack row 4). Secret: see cheat.ts.
 */
import { isqrt } from '../arith/integer.ts';
import { publicModulus } from '../arith/modulus.ts';
import { ownedModulus } from '../arith/owner.ts';
import { blumPrime } from '../arith/primes.ts';
import { encodeAux } from '../ecdsa/aux-info.ts';
import { type AuxSecret, drawAux, orderOfRing } from '../ecdsa/make-aux.ts';
import { MODULUS_BITS, PRIME_BITS } from '../ecdsa/parameters.ts';
import { proveFac } from '../ecdsa/prove-fac.ts';
import { proveMod } from '../ecdsa/prove-mod.ts';
import { provePrm } from '../ecdsa/prove-prm.ts';
import { ringPedersen, ringPedersenOf } from '../ecdsa/ring-pedersen.ts';
import { type Announcements, announced, announcement, announcementBinding, proofBinding, proveBody } from '../protocols/auxiliary.ts';
import { COMMIT, DEAL, dealOf, type DkgContext, dkgContext, PROVE } from '../protocols/dkg.ts';
import { makeCommit } from '../protocols/dkg-participant.ts';
import { roundOf } from '../protocols/keying.ts';
import { schnorrProofBytes } from '../sharing/schnorr-proof.ts';
import { fail } from '../wire/errors.ts';
import { type Cheating, random, type Seized, sendChanged } from './cheat.ts';

/** Length of the small factor: far too long to be found by division. */
export const SMALL_FACTOR_BITS = 64;

/** Primes of the cheater: what its home holds, and what it deals. */
export interface SmallFactor {
  readonly kept: AuxSecret;
  readonly dealt: AuxSecret;
}

/** Makes them; takes seconds. The ring-Pedersen primes are not safe ones, which nobody can see. */
export async function smallFactor(): Promise<SmallFactor> {
  const [p, q, pHat, qHat, small, large] = (await Promise.all([PRIME_BITS, PRIME_BITS, PRIME_BITS, PRIME_BITS, SMALL_FACTOR_BITS, MODULUS_BITS - SMALL_FACTOR_BITS].map(blumPrime))) as [bigint, bigint, bigint, bigint, bigint, bigint];
  return { kept: { p, q, pHat, qHat }, dealt: { p: small, q: large, pHat, qHat } };
}

function contextOf({ store }: Seized): DkgContext {
  return store.plan.kind === 'dkg' ? dkgContext(store.plan) : fail('E_INTERNAL', 'nobody deals but in a key generation');
}

/** The auxiliary part of the deal, as `makeAnnouncement` makes it for primes of equal size. */
function announce(ctx: DkgContext, prover: number, dealt: AuxSecret): Uint8Array {
  const { aux, lambda } = drawAux(dealt, random);
  const ring = ringPedersenOf(ownedModulus(dealt.pHat, dealt.qHat), aux.s, aux.t);
  const bind = announcementBinding(ctx.session.sid);
  return announcement(encodeAux(aux), provePrm({ bind, prover, verifier: 0 }, { ring }, { lambda, phi: orderOfRing(dealt) }, random(32)), random(32));
}

/** Joins and commits to a dealing with the modulus; the deal itself is then sent by the program. @throws as `sendChanged` */
export function commitSmallFactor(cheating: Cheating, { kept, dealt }: SmallFactor): Promise<void> {
  return sendChanged({ ...cheating, primes: kept }, COMMIT, (_honest, seized) => {
    const { store, identity } = seized;
    const ctx = contextOf(seized);
    const { leaf } = store.seat;
    const { body, secret } = makeCommit(ctx, leaf, announce(ctx, leaf, dealt), random);
    identity.vault.put(store.secretPath(`for-${String(DEAL)}`), secret);
    return body;
  });
}

/**
 * Proves what can be proven. Π-mod holds: the modulus has two prime factors, both 3 mod 4. Π-fac would not fit its width
 * for the large factor; made for two factors of equal size, its responses are in range, and only its equation fails.
 * @throws as `sendChanged`
 */
export function proveSmallFactor(cheating: Cheating, { dealt }: SmallFactor): Promise<void> {
  return sendChanged(cheating, PROVE, (honest, seized) => {
    const ctx = contextOf(seized);
    const prover = seized.store.seat.leaf;
    const announcements: Announcements = new Map([...roundOf(seized.messages, DEAL)].map(([leaf, envelope]) => [leaf, { envelope, part: dealOf(ctx, envelope).auxiliary }]));
    const bind = proofBinding(ctx, announcements);
    const n = dealt.p * dealt.q;
    const half = isqrt(n);
    const echoBytes = 32 * ctx.session.seats.length;
    return proveBody({
      echo: honest.slice(0, echoBytes),
      possession: honest.slice(echoBytes, echoBytes + schnorrProofBytes(ctx.group)),
      modulus: proveMod({ bind, prover, verifier: 0 }, { N: publicModulus(n) }, dealt, random(32)),
      factors: announced(ctx, announcements)
        .filter((verifier) => verifier.leaf !== prover)
        .map(({ leaf, nHat, s, t }) => proveFac({ bind, prover, verifier: leaf }, { n, ring: ringPedersen(nHat, s, t) }, { p: half, q: half }, random(32))),
    });
  });
}
