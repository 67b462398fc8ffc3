/**
 * What every proof is bound to, and the challenges of the non-interactive proofs (protocol notes A.2; attack rows 1, 6,
 * 15, 16, 18). Public. A challenge is a stream of bytes from an injective encoding of: label, parameter set, context,
 * the whole statement, every element of the first message. Nothing is left out because it "follows" from the rest.
 */
import { expand } from '../arith/expand.ts';
import { centred, fromBytes } from '../arith/integer.ts';
import type { Group } from '../curves/group.ts';
import { fail } from '../wire/errors.ts';
import { digest, type Item } from '../wire/hash.ts';
import type { Random } from '../wire/random.ts';
import { ELL, PARAMETER_SET, REPETITIONS, SCALAR_BOUND } from './parameters.ts';

/** Where and between whom a proof is made. Public. */
export interface ProofContext {
  /** 32 bytes: digest of ceremony, epoch, round and whatever else fixes the place. */
  readonly bind: Uint8Array;
  /** Leaf id of who proves. */
  readonly prover: number;
  /** Leaf id of whom it is made for; 0 if for everybody. */
  readonly verifier: number;
}

/**
 * The context of one of several proofs of the same kind in one place, for example `enc-elg/k` and `enc-elg/gamma`:
 * neither passes as the other (attack row 16).
 */
export function inRole(ctx: ProofContext, role: string): ProofContext {
  return { ...ctx, bind: digest('proof-role/v1', ctx.bind, role) };
}

/** The context as it is hashed. @throws E_INTERNAL when `bind` is no digest */
export function contextItem({ bind, prover, verifier }: ProofContext): Item {
  if (bind.length !== 32) fail('E_INTERNAL', 'a proof is bound to a digest of 32 bytes');
  return [PARAMETER_SET, bind, prover, verifier];
}

/**
 * The random oracle of the proofs: any number of public bytes from everything that fixes the first message.
 * @param label of the kind of proof, with its version, for example `enc-elg/v1`
 * @param statement every element of the statement, bigints through `intItem`, points encoded
 * @param first every element of the first message
 */
export function challengeStream(label: string, ctx: ProofContext, statement: readonly Item[], first: readonly Item[]): Random {
  return expand(ctx.bind, `challenge/${label}`, contextItem(ctx), statement, first);
}

/** A scalar as a challenge. */
export interface ScalarChallenge {
  /** In (-q/2, q/2]. */
  readonly e: bigint;
  /** The same modulo q, canonical; scalarBytes of the group. */
  readonly bytes: Uint8Array;
}

/** The challenge that these bytes of a proof say. @throws E_SCALAR when they are not canonical */
export function readScalarChallenge(group: Group, bytes: Uint8Array): ScalarChallenge {
  return { e: centred(group.decodeScalar(bytes), group.order), bytes };
}

/** A challenge uniform modulo q up to 2^-256, from 512 bits. Arguments as {@link challengeStream}; the group is bound too. */
export function scalarChallenge(
  group: Group,
  label: string,
  ctx: ProofContext,
  statement: readonly Item[],
  first: readonly Item[],
): ScalarChallenge {
  const scalar = group.wideScalar(challengeStream(label, ctx, [group.name, statement], first)(group.wideBytes));
  return { e: centred(scalar, group.order), bytes: group.encodeScalar(scalar) };
}

/** One bit for each of the {@link REPETITIONS}. Arguments as {@link challengeStream}. */
export function bitChallenges(label: string, ctx: ProofContext, statement: readonly Item[], first: readonly Item[]): boolean[] {
  const bytes = challengeStream(label, ctx, statement, first)(REPETITIONS / 8);
  return Array.from({ length: REPETITIONS }, (_, i) => (((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1) === 1);
}

/** A challenge uniform in [-2^ℓ, 2^ℓ), for Π-fac. Arguments as {@link challengeStream}. */
export function symmetricChallenge(label: string, ctx: ProofContext, statement: readonly Item[], first: readonly Item[]): bigint {
  const bytes = challengeStream(label, ctx, statement, first)(ELL / 8 + 1);
  return (fromBytes(bytes) & (2n * SCALAR_BOUND - 1n)) - SCALAR_BOUND;
}
