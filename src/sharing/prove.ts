/**
 * The provers: Schnorr and equality of discrete logarithms. Secret: the witness and the nonce exist here as bigints,
 * which cannot be wiped.
 */
import { hashToScalar, type Group, type Point } from '../curves/group.ts';
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { dleqChallenge, type DleqStatement } from './dleq.ts';
import { schnorrChallenge } from './schnorr-proof.ts';
import { sealingGroup } from './sealing-group.ts';

/**
 * A nonce from 32 fresh bytes, the witness and the context: a source of randomness that repeats gives away nothing,
 * because another context or witness gives another nonce.
 */
function hedgedNonce(group: Group, context: Uint8Array, witness: bigint, random: Random): bigint {
  const fresh = random(32);
  if (fresh.length !== 32) fail('E_RNG', 'the random source gave another number of bytes');
  const bytes = group.encodeScalar(witness);
  const nonce = hashToScalar(group, 'nonce/v1', fresh, bytes, context);
  bytes.fill(0);
  fresh.fill(0);
  return nonce;
}

/**
 * Proves knowledge of the witness of X = witness·G.
 * @returns R ‖ z
 * @throws E_INTERNAL for witness 0
 */
export function proveSchnorr(
  group: Group,
  context: Uint8Array,
  witness: bigint,
  statementBytes: Uint8Array,
  random: Random,
): Uint8Array {
  const nonce = hedgedNonce(group, context, witness, random);
  const commitmentBytes = group.encodePoint(group.multiply(group.base, nonce));
  const challenge = schnorrChallenge(group, context, statementBytes, commitmentBytes);
  return concat(commitmentBytes, group.encodeScalar((nonce + challenge * witness) % group.order));
}

/**
 * Proves that one witness gives both points: P1 = witness·B1 and P2 = witness·B2, in ristretto255.
 * @returns A1 ‖ A2 ‖ z, 96 bytes
 */
export function proveDleq(
  context: Uint8Array,
  witness: bigint,
  bases: readonly [Point, Point],
  statement: DleqStatement,
  random: Random,
): Uint8Array {
  const g = sealingGroup();
  const nonce = hedgedNonce(g, context, witness, random);
  const commitments = concat(...bases.map((base) => g.encodePoint(g.multiply(base, nonce))));
  const challenge = dleqChallenge(context, statement, commitments);
  return concat(commitments, g.encodeScalar((nonce + challenge * witness) % g.order));
}
