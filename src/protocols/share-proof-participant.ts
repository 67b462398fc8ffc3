/** Proof of share health: the holder's side. Secret. */
import { proveSchnorr } from '../sharing/prove.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import type { Signer } from '../wire/ed25519.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import type { Random } from '../wire/random.ts';
import type { Certificate } from './epoch.ts';
import { shareOf, shareProofContext, shareProofMessage, type ShareStatement } from './share-proof.ts';

/** What the holder says with its proof. */
export interface ProofRequest {
  readonly owner: string;
  /** UTC to the second. */
  readonly at: string;
  /** 32 bytes in lowercase hex that the reader chose. */
  readonly challenge?: string | undefined;
}

/** The share as a scalar, if it is the one that belongs to X; secret. @throws E_SHARE_BAD */
function fittingShare({ group, point }: ReturnType<typeof shareOf>, share: Uint8Array, owner: string): bigint {
  const bad = (cause?: unknown): CeremonyError =>
    new CeremonyError('E_SHARE_BAD', 'the share in this home is damaged: it does not belong to the verification share in the certificate', {
      participant: owner,
      remedy: 'Sign nothing with this home. Recover the share from its backup, or ask for a reshare without this participant.',
      cause,
    });
  let scalar: bigint;
  try {
    scalar = group.decodeScalar(share);
  } catch (e) {
    throw e instanceof CeremonyError && e.code === 'E_SCALAR' ? bad(e) : e;
  }
  if (scalar === 0n || !group.multiply(group.base, scalar).equals(point)) throw bad();
  return scalar;
}

/**
 * Makes the file of a proof that its owner holds its share of the epoch.
 * @param share the leaf share as stored, secret; the caller wipes it
 * @param signer the owner's identity
 * @returns file bytes, public
 * @throws E_SHARE_BAD when the share is not the one of the epoch; E_NOT_PARTICIPANT when owner or identity has no place
 * in it; E_RNG
 */
export function makeShareProof(certificate: Certificate, request: ProofRequest, share: Uint8Array, signer: Signer, random: Random): Uint8Array {
  const { epoch, digest } = certificate;
  const { owner, at, challenge } = request;
  const place = shareOf(certificate, owner);
  if (!equalBytes(place.identity, signer.publicKey)) fail('E_NOT_PARTICIPANT', `the identity of this home is not that of ${owner} in epoch ${String(epoch.number)}`, { participant: owner });
  const { name, id, scheme, mode } = epoch.key;
  const fields: ShareStatement = {
    v: 1,
    type: 'mpc-ceremony/share-proof',
    key: { name, id, scheme, mode },
    epoch: epoch.number,
    certificate: toHex(digest),
    owner,
    leaf: place.leaf,
    at,
    ...(challenge === undefined ? {} : { challenge }),
  };
  const witness = fittingShare(place, share, owner);
  const proof = toHex(proveSchnorr(place.group, shareProofContext(fields), witness, place.group.encodePoint(place.point), random));
  const signed = { ...fields, proof };
  return canonicalBytes({ ...signed, signature: toHex(signer.sign(shareProofMessage(signed))) } as unknown as Json);
}
