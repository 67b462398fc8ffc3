/**
 * The provers. Secret: in the groups of keys the witness and the nonce exist as bigints, which cannot be wiped; in the
 * sealing group they are bytes.
 *
 * Every nonce comes from 32 fresh bytes, the witness and the context: a source of randomness that repeats gives away
 * nothing, because another context or witness gives another nonce.
 */
import { hashToScalar, type Group } from '../curves/group.ts';
import { concat } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import { dleqChallenge, type DleqStatement } from './dleq.ts';
import { schnorrChallenge } from './schnorr-proof.ts';
import { addProduct, hashToSealingScalar, multiply, multiplyBase } from './sealing-group.ts';

function freshBytes(random: Random): Uint8Array {
  const fresh = random(32);
  if (fresh.length !== 32) fail('E_RNG', 'the random source gave another number of bytes');
  return fresh;
}

function hedgedNonce(group: Group, context: Uint8Array, witness: bigint, random: Random): bigint {
  const fresh = freshBytes(random);
  const bytes = group.encodeScalar(witness);
  const nonce = hashToScalar(group, 'nonce/v1', fresh, bytes, context);
  bytes.fill(0);
  fresh.fill(0);
  return nonce;
}

/** A nonce of the sealing group for a witness there; 32 bytes each, secret. @throws E_RNG */
export function sealingNonce(context: Uint8Array, witness: Uint8Array, random: Random): Uint8Array {
  const fresh = freshBytes(random);
  const nonce = hashToSealingScalar('nonce/v1', fresh, witness, context);
  fresh.fill(0);
  return nonce;
}

/**
 * Proves knowledge of the witness of X = witness·G in the group of a key.
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
 * Proves that one witness gives both points of the statement: P1 = witness·B and P2 = witness·B2.
 * @param witness 32 bytes, secret
 * @returns A1 ‖ A2 ‖ z, 96 bytes
 */
export function proveDleq(context: Uint8Array, witness: Uint8Array, statement: DleqStatement, random: Random): Uint8Array {
  const nonce = sealingNonce(context, witness, random);
  const commitments = concat(multiplyBase(nonce), multiply(nonce, statement.B2));
  const z = addProduct(nonce, dleqChallenge(context, statement, commitments), witness);
  nonce.fill(0);
  return concat(commitments, z);
}
