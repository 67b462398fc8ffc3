/**
 * SECRET: everything heavy of ECDSA by its name, as functions of plain data, so that a task can run in another thread:
 * the checks, faster where the verifier's own factors are at hand, and the makers.
 */
import { CHECKS, type CheckArgs } from './checks.ts';
import type { AuxInfo } from './aux-info.ts';
import { makeAffine } from './make-affine.ts';
import { type AuxSecret, orderOfRing } from './make-aux.ts';
import { makeMta } from './make-mta.ts';
import { makeOffer } from './make-offer.ts';
import { makeSum } from './make-sum.ts';
import { makeTrace } from './make-trace.ts';
import { checkAffine } from './mta.ts';
import { checkOffer } from './offer.ts';
import { ownKeys, ownPaillier } from './owner-keys.ts';
import type { PartyAux } from './presign.ts';
import { proveFac } from './prove-fac.ts';
import { proveMod } from './prove-mod.ts';
import { provePrm } from './prove-prm.ts';
import { ringPedersen } from './ring-pedersen.ts';

/** The verifier's factors, where the task runs for the verifier. */
interface Owned {
  readonly own?: AuxSecret | undefined;
}

/** Whose proof, bound to what (32 bytes), and 32 fresh secret bytes. */
interface Proving {
  readonly bind: Uint8Array;
  readonly leaf: number;
  readonly own: AuxSecret;
  readonly seed: Uint8Array;
}

/** Π-prm for the own parameters. @param lambda secret, forgotten afterwards */
function proveRingPedersen({ bind, leaf, own, aux, lambda, seed }: Proving & { readonly aux: AuxInfo; readonly lambda: bigint }): Uint8Array {
  const ring = ownKeys(own, aux).pedersen;
  return provePrm({ bind, prover: leaf, verifier: 0 }, { ring }, { lambda, phi: orderOfRing(own) }, seed);
}

/** Π-mod for the own Paillier modulus. */
function proveModulus({ bind, leaf, own, seed }: Proving): Uint8Array {
  return proveMod({ bind, prover: leaf, verifier: 0 }, { N: ownPaillier(own.p, own.q).N }, own, seed);
}

/** Π-fac for the own Paillier modulus, under the parameters of one verifier. */
function proveFactors({ bind, leaf, own, verifier, seed }: Proving & { readonly verifier: PartyAux }): Uint8Array {
  const ring = ringPedersen(verifier.nHat, verifier.s, verifier.t);
  return proveFac({ bind, prover: leaf, verifier: verifier.leaf }, { n: own.p * own.q, ring }, own, seed);
}

export const TASKS = {
  ...CHECKS,
  checkOffer: ({ own, ...args }: CheckArgs<'checkOffer'> & Owned): void => checkOffer(args, own && ownKeys(own, args.verifier)),
  checkAffine: ({ own, ...args }: CheckArgs<'checkAffine'> & Owned): void => checkAffine(args, own && ownKeys(own, args.verifier)),
  proveRingPedersen,
  proveModulus,
  proveFactors,
  makeOffer,
  makeAffine,
  makeMta,
  makeSum,
  makeTrace,
} as const;

export type TaskName = keyof typeof TASKS;
export type TaskArgs<K extends TaskName> = Parameters<(typeof TASKS)[K]>[0];
export type TaskResult<K extends TaskName> = ReturnType<(typeof TASKS)[K]>;
