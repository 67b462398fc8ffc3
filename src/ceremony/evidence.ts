/** Evidence files: the original signed envelopes, from which anybody repeats the finding with the same check. */
import type { Finding } from '../protocols/machine.ts';
import { toHex } from '../wire/bytes.ts';
import { canonicalBytes } from '../wire/canon.ts';
import type { FolderFile } from './driver.ts';
import type { CeremonyStore } from './store.ts';

/** The evidence of a finding as a file of the folder. Public. */
export function evidenceFile(store: CeremonyStore, finding: Finding, participant: string | undefined): FolderFile {
  const bytes = canonicalBytes({
    schema: 'mpc-ceremony/evidence/1',
    session: toHex(store.session.sid),
    code: finding.code,
    participant: participant ?? null,
    envelopes: finding.evidence.map((e) => Buffer.from(e.bytes).toString('base64')),
  });
  const name = `${finding.code.slice(2).toLowerCase().replace(/_/g, '-')}-${participant ?? 'nobody'}`;
  return { path: `evidence/${name}.json`, bytes };
}
