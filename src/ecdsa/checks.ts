/**
 * Every check of ECDSA's heavy proofs by its name, as a function of plain data, so that any of them can run in another
 * thread. What one throws is about the prover. Public.
 */
import { publicModulus } from '../arith/modulus.ts';
import { type AuxInfo, checkAux } from './aux-info.ts';
import { checkFac } from './fac.ts';
import { checkMod } from './mod.ts';
import { type CheckAffine, checkAffine, checkGamma } from './mta.ts';
import { type CheckOffer, checkOffer } from './offer.ts';
import type { PartyAux } from './presign.ts';
import { checkPrm } from './prm.ts';
import { ringPedersen } from './ring-pedersen.ts';
import { checkSum } from './sum.ts';
import { checkTrace } from './trace.ts';

/** What a set-up proof is bound to (32 bytes), and whose it is. */
interface Proven {
  readonly bind: Uint8Array;
  readonly leaf: number;
  readonly proof: Uint8Array;
}

/** Form of auxiliary information, and Π-prm. @throws E_MODULUS, E_FORMAT, E_RANGE, E_PROOF */
function checkAuxOf({ bind, leaf, aux, proof }: Proven & { readonly aux: AuxInfo }): void {
  checkAux(aux);
  checkPrm({ bind, prover: leaf, verifier: 0 }, { ring: ringPedersen(aux.nHat, aux.s, aux.t) }, proof);
}

/** Π-mod. @throws E_MODULUS, E_FORMAT, E_RANGE, E_PROOF */
function checkModulus({ bind, leaf, n, proof }: Proven & { readonly n: bigint }): void {
  checkMod({ bind, prover: leaf, verifier: 0 }, { N: publicModulus(n) }, proof);
}

/** Π-fac for one verifier, under its parameters. @throws E_MODULUS, E_FORMAT, E_RANGE, E_PROOF */
function checkFactors({ bind, leaf, n, verifier, proof }: Proven & { readonly n: bigint; readonly verifier: PartyAux }): void {
  checkFac({ bind, prover: leaf, verifier: verifier.leaf }, { n, ring: ringPedersen(verifier.nHat, verifier.s, verifier.t) }, proof);
}

export const CHECKS = {
  checkAuxOf,
  checkModulus,
  checkFactors,
  checkOffer: (args: CheckOffer): void => checkOffer(args),
  checkGamma,
  checkAffine: (args: CheckAffine): void => checkAffine(args),
  checkSum,
  checkTrace,
} as const;

export type CheckName = keyof typeof CHECKS;
export type CheckArgs<K extends CheckName> = Parameters<(typeof CHECKS)[K]>[0];
