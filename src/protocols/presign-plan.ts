/** What a presigning plan and the certificate of its epoch fix. Public. */
import { type PresignPlan, planSession } from '../plan/plan.ts';
import { digest } from '../wire/hash.ts';
import { auxiliaryOf, type Certificate } from './epoch.ts';
import type { Presigning } from './presign.ts';
import { presignatureId, type PresignatureRecord } from './presignature.ts';
import { certifiedQuorumKey } from './quorum-of.ts';
import { requireSameKey } from './signing.ts';

/** @throws as `requireSameKey`; E_QUORUM, E_QUORUM_SURPLUS, E_PATH */
export function presigningOf(plan: PresignPlan, certificate: Certificate): Presigning {
  requireSameKey(plan, certificate);
  return {
    session: planSession(plan),
    epoch: certificate.digest,
    key: certifiedQuorumKey(certificate, plan.participants.map((p) => p.name), plan.path),
    auxiliary: auxiliaryOf(certificate.epoch),
    count: plan.count,
    stocked: undefined,
  };
}

/** Digest of a batch of presignatures (32 bytes): what a signer records at its end. */
export function presignedDigest(records: readonly PresignatureRecord[]): Uint8Array {
  return digest('presigned/v1', records.map(presignatureId));
}
