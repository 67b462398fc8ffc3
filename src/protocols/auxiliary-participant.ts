/** Auxiliary information, the participant's side. Secret: the primes, and λ until Π-prm is made. */
import { encodeAux } from '../ecdsa/aux-info.ts';
import { type AuxSecret, drawAux } from '../ecdsa/make-aux.ts';
import { proveSchnorr } from '../sharing/prove.ts';
import type { Random } from '../wire/random.ts';
import { announced, announcement, type Announcements, announcementBinding, possessionBinding, proofBinding, proveBody } from './auxiliary.ts';
import type { KeyingContext } from './keying.ts';
import { echo } from './machine.ts';
import { type Crew, make } from './make-crew.ts';
import { fail } from '../wire/errors.ts';

/** The auxiliary part of a deal: N, N̂, s, t of these primes, Π-prm and ρ. Public, but not before it is dealt. */
export async function makeAnnouncement(ctx: KeyingContext, leaf: number, own: AuxSecret, crew: Crew, random: Random): Promise<Uint8Array> {
  const { aux, lambda } = drawAux(own, random);
  const [proof] = await make(crew, 'proveRingPedersen', [{ bind: announcementBinding(ctx.session.sid), leaf, own, aux, lambda, seed: random(32) }]);
  return announcement(encodeAux(aux), proof ?? fail('E_INTERNAL', 'no proof'), random(32));
}

/**
 * The prove message: knowledge of the share, Π-mod, and Π-fac for each of the others.
 * @param share own leaf share, encoded, secret
 */
export async function makeProve(ctx: KeyingContext, leaf: number, own: AuxSecret, share: Uint8Array, announcements: Announcements, crew: Crew, random: Random): Promise<Uint8Array> {
  const bind = proofBinding(ctx, announcements);
  const { group } = ctx;
  const witness = group.decodeScalar(share);
  const statement = group.encodePoint(group.multiply(group.base, witness));
  const possession = proveSchnorr(group, possessionBinding(bind, leaf), witness, statement, random);
  const verifiers = announced(ctx, announcements).filter((v) => v.leaf !== leaf);
  const [moduli, factors] = await Promise.all([
    make(crew, 'proveModulus', [{ bind, leaf, own, seed: random(32) }]),
    make(crew, 'proveFactors', verifiers.map((verifier) => ({ bind, leaf, own, verifier, seed: random(32) }))),
  ]);
  return proveBody({ echo: echo(new Map([...announcements].map(([l, { envelope }]) => [l, envelope]))), possession, modulus: moduli[0] ?? fail('E_INTERNAL', 'no proof'), factors });
}
