/** Evidence files: the original signed envelopes, from which anybody repeats the finding with the same check. */
import type { Finding } from '../protocols/machine.ts';
import { encodeEvidence, MAX_EVIDENCE_BYTES } from '../transcript/evidence.ts';
import { parseCanonical } from '../wire/canon.ts';
import { CeremonyError } from '../wire/errors.ts';
import type { FolderFile } from './driver.ts';
import { someoneRefused } from './judged.ts';
import type { CeremonyStore } from './store.ts';

/** The evidence of a finding as a file of the folder. Public. */
export function evidenceFile(store: CeremonyStore, finding: Finding, participant: string | undefined): FolderFile {
  const judge = someoneRefused(store.messages()) ? undefined : store.seat.leaf;
  // one writer a file: two participants may hold different evidence of the same finding
  const name = `${store.seat.name}-${finding.code.slice(2).toLowerCase().replace(/_/g, '-')}-${participant ?? 'nobody'}`;
  return { path: `evidence/${name}.json`, bytes: encodeEvidence(store.session, finding, participant, judge) };
}

/**
 * The envelopes in an evidence file, unchecked; none when it is no evidence file. They are messages like any other, and
 * often the only way in which two different ones of the same sender come together: a courier overwrites files.
 */
export function evidenceEnvelopes(bytes: Uint8Array): Uint8Array[] {
  try {
    const { envelopes } = parseCanonical(bytes, MAX_EVIDENCE_BYTES) as { readonly envelopes?: unknown };
    if (!Array.isArray(envelopes)) return [];
    return envelopes.filter((e) => typeof e === 'string').map((e) => new Uint8Array(Buffer.from(e, 'base64')));
  } catch (e) {
    if (e instanceof CeremonyError) return [];
    throw e;
  }
}
