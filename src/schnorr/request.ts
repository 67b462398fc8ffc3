/**
 * The signing request: all that a signature share depends on besides the signer's secrets. Its hash stands in every
 * message that carries a share, so that a share is only ever judged under the request that its owner agreed to. Public.
 */
import type { NonceCommitments } from '@noble/curves/abstract/frost.js';
import { equalBytes } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { digest, sha256 } from '../wire/hash.ts';
import { decodeCommitment } from './commitment.ts';
import type { SigningKey } from './signing-key.ts';

/** A nonce commitment of one signer: its leaf id, and hiding ‖ binding points. */
export interface SignerCommitment {
  readonly id: number;
  readonly commitment: Uint8Array;
}

export interface RequestFacts {
  readonly key: SigningKey;
  /** Identifies the key across its epochs. */
  readonly keyId: Uint8Array;
  /** 32 bytes: digest of the epoch's certificate. */
  readonly epochDigest: Uint8Array;
  /** One for each signer, in any order. */
  readonly commitments: readonly SignerCommitment[];
  /** Signed as it is. */
  readonly message: Uint8Array;
  /** 32 bytes. */
  readonly intentHash: Uint8Array;
}

declare const checked: unique symbol;

/** Made by {@link signingRequest} only. */
export interface SigningRequest {
  readonly [checked]: true;
  readonly key: SigningKey;
  /** By ascending id. */
  readonly commitments: readonly SignerCommitment[];
  /** The same in noble's form. */
  readonly list: readonly NonceCommitments[];
  readonly message: Uint8Array;
  /** 32 bytes: the request hash. */
  readonly hash: Uint8Array;
}

/**
 * Checks a request and computes its hash. The commitment list must hold each signer of the quorum once and nobody else.
 * @throws E_FORMAT for two commitments of one signer, one commitment of two signers, or a wrong length; E_POINT for a
 *   commitment that is not two canonical points of prime order; E_NOT_PARTICIPANT for a commitment of somebody outside
 *   the quorum; E_MISSING when one is missing. Each names the participant where it is one of the signers
 */
export function signingRequest(facts: RequestFacts): SigningRequest {
  const { key } = facts;
  if (facts.epochDigest.length !== 32) fail('E_FORMAT', 'an epoch digest has 32 bytes', { field: 'epochDigest' });
  if (facts.intentHash.length !== 32) fail('E_FORMAT', 'an intent hash has 32 bytes', { field: 'intentHash' });

  const given = new Map<number, Uint8Array>();
  for (const { id, commitment } of facts.commitments) {
    const seat = key.seats.find((s) => s.leaf.id === id);
    if (seat === undefined)
      return fail('E_NOT_PARTICIPANT', `a nonce commitment of id ${String(id)}, who is not one of the signers`);
    if (given.has(id))
      fail('E_FORMAT', `two nonce commitments of ${seat.leaf.name}`, { participant: seat.leaf.name });
    for (const [other, bytes] of given)
      if (equalBytes(bytes, commitment))
        fail('E_FORMAT', `id ${String(other)} and ${seat.leaf.name} have the same nonce commitment`);
    given.set(id, commitment.slice());
  }
  const list: NonceCommitments[] = [];
  const commitments: SignerCommitment[] = [];
  for (const { leaf, identifier } of key.seats) {
    const commitment = given.get(leaf.id);
    if (commitment === undefined)
      return fail('E_MISSING', `no nonce commitment of ${leaf.name}`, { participant: leaf.name });
    try {
      const { hiding, binding } = decodeCommitment(key.scheme, commitment);
      list.push({ identifier, hiding, binding });
    } catch (cause) {
      throw cause instanceof CeremonyError ? cause.with({ participant: leaf.name, field: 'commitment' }) : cause;
    }
    commitments.push({ id: leaf.id, commitment });
  }

  const message = facts.message.slice();
  const hash = digest(
    'signing-request/v1',
    facts.keyId,
    facts.epochDigest,
    key.outputKey,
    key.scheme,
    key.path,
    key.seats.map((seat) => seat.leaf.id),
    commitments.map(({ id, commitment }) => [id, commitment]),
    sha256(message),
    facts.intentHash,
  );
  const request: Omit<SigningRequest, typeof checked> = { key, commitments, list, message, hash };
  return request as SigningRequest;
}
