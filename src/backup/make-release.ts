/** A custodian releases its piece. Secret in: the piece and the custodian's signer; public out. */
import type { Certificate } from '../protocols/epoch.ts';
import { toHex } from '../wire/bytes.ts';
import type { Signer } from '../wire/ed25519.ts';
import type { Random } from '../wire/random.ts';
import type { ParsedBackup } from './backup-file.ts';
import { makeProof } from './make-proof.ts';
import { openPiece } from './open-backup.ts';
import { type Compared, encodeRecovery, pieceDigest, type PieceRecord, type RecoveryRequest, releaseStatement } from './recovery.ts';
import { x25519Public } from './x25519.ts';

/**
 * Opens what a custody key opens of a backup and encrypts it to the home that asked.
 * @param secret custody key, 32 bytes; the caller wipes it
 * @param at UTC to the second
 * @returns the file of the piece; public
 * @throws E_BACKUP_KEY when nothing in the backup is for this key; E_BACKUP_PROOF, E_RNG
 */
export function makeRelease(request: RecoveryRequest, backup: ParsedBackup, certificate: Certificate, secret: Uint8Array, compared: Compared, at: string, signer: Signer, random: Random): Uint8Array {
  const { name, custodian, scalar } = openPiece(backup, undefined, secret);
  try {
    const statement = releaseStatement(request, backup, certificate, custodian);
    const proof = makeProof(statement, statement.group.decodeScalar(scalar), random);
    const { record, card } = request;
    const fields: Omit<PieceRecord, 'sig'> = {
      v: 1,
      type: 'mpc-ceremony/recovery-piece',
      mode: record.mode,
      request: toHex(request.digest),
      backup: record.backup,
      key: record.key,
      epoch: record.epoch,
      owner: record.owner,
      custodian: { name: name ?? '', leaf: custodian },
      identity: toHex(signer.publicKey),
      to: { name: card.name, identity: card.ed25519, homeId: card.homeId },
      compared,
      at,
      proof: Buffer.from(proof).toString('base64'),
    };
    return encodeRecovery({ ...fields, sig: toHex(signer.sign(pieceDigest(fields))) });
  } finally {
    scalar.fill(0);
  }
}

/** Name of the custodian whose leaf a custody key opens, if there is one. @param secret 32 bytes; the caller wipes it */
export function custodianOf(backup: ParsedBackup, secret: Uint8Array): string | undefined {
  const own = toHex(x25519Public(secret));
  return backup.record.custodians?.roster.find((c) => c.key === own)?.name;
}
