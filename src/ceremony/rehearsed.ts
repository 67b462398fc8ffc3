/** A production ceremony can ask for proof that the same people rehearsed it (DKG-14). */
import { join } from 'node:path';
import type { DkgPlan } from '../plan/plan.ts';
import { planQuorum } from '../plan/plan.ts';
import { parseCertificate } from '../protocols/epoch.ts';
import type { Disk } from '../vault/durable.ts';
import { fail } from '../wire/errors.ts';

const MAX_BYTES = 32 * 1024 * 1024;

/** Where the rehearsal's certificate lies in the ceremony folder. */
export const REHEARSAL_FILE = 'base/rehearsal.json';

/** The certificate of a finished rehearsal folder. @throws E_REHEARSAL */
export function readRehearsal(disk: Disk, folder: string): { bytes: Uint8Array; sha256: string } {
  const file = join(folder, 'transcript', 'certificate.json');
  const bytes = disk.read(file, MAX_BYTES) ?? fail('E_REHEARSAL', 'there is no finished rehearsal in this folder', { file, remedy: 'Name the folder of a finished rehearsal key generation with --rehearsed.' });
  return { bytes, sha256: parseCertificate(bytes, file).sha256 };
}

/**
 * Checks the rehearsal that a plan relies on: complete, a rehearsal, the same quorum of the same names.
 * @throws E_REHEARSAL
 */
export function requireRehearsal(disk: Disk, plan: DkgPlan, folder: string): void {
  if (plan.rehearsal === undefined) return;
  const file = join(folder, REHEARSAL_FILE);
  const remedy = 'Rehearse with the same names and quorum, then begin with --rehearsed FOLDER.';
  const bytes = disk.read(file, MAX_BYTES) ?? fail('E_REHEARSAL', 'the plan relies on a rehearsal whose certificate is missing', { file, remedy });
  const { epoch, sha256 } = parseCertificate(bytes, file);
  if (sha256 !== plan.rehearsal || epoch.key.mode !== 'rehearsal' || epoch.quorum !== planQuorum(plan).text)
    fail('E_REHEARSAL', 'the certificate is not that of a rehearsal by the same people with the same quorum', { file, remedy });
}
