/** What can be said about files without their plan: whether they have the form that they must have, and no more. */
import { parseCertificate } from '../protocols/epoch.ts';
import { parsePresignature } from '../protocols/presignature.ts';
import { CeremonyError } from '../wire/errors.ts';
import { chainLines } from './chain.ts';
import { NO_ENTRY, readUnproven } from './entry.ts';
import type { RecordFile, RecordFiles } from './record-files.ts';
import type { Report } from './report.ts';

/** Form and links of a chain; without the plan nobody knows whose keys sign. @throws the fault */
function readForm({ bytes }: RecordFile): number {
  let prev = NO_ENTRY;
  let seq = 0;
  let first: string | undefined;
  for (const line of chainLines(bytes)) {
    seq += 1;
    const { payload, hash } = readUnproven(line);
    first ??= `${payload.author} ${payload.ceremony}`;
    if (payload.seq !== seq) throw new CeremonyError('E_CHAIN', `line ${String(seq)}: GAP: expected entry ${String(seq)}, found ${String(payload.seq)}`);
    if (payload.prev !== prev || first !== `${payload.author} ${payload.ceremony}`)
      throw new CeremonyError('E_CHAIN', `line ${String(seq)}: BROKEN CHAIN: does not continue the entry before it`);
    prev = hash;
  }
  return seq;
}

/** Checks the form of what has one, and says what is missing. */
export function checkUnproven(report: Report, files: RecordFiles): void {
  for (const file of files.chains) {
    try {
      const entries = readForm(file);
      report.cannotTell('chain', `${String(entries)} entries are well formed and linked; without the plan nobody can tell whose signatures they bear`, { code: 'E_MISSING', place: file.file });
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      report.wrong('chain', `this transcript is damaged: ${e.message}`, { code: e.code, place: file.file });
    }
  }
  for (const { file, bytes } of files.certificates) {
    try {
      const { epoch } = parseCertificate(bytes, file);
      report.cannotTell('certificate', `confirmed by everybody whom it names, for the key ${epoch.key.name}; without plan and messages nobody can tell whether it is theirs`, { code: 'E_MISSING', place: file });
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      report.wrong('certificate', e.message, { code: e.code, place: file });
    }
  }
  for (const { file, bytes } of files.presignatures) {
    try {
      const { index, session } = parsePresignature(bytes, file);
      report.cannotTell('presignature', `well formed, number ${String(index + 1)} of ceremony ${session.slice(0, 32)}; without the plan nobody can tell what it was used for`, { code: 'E_MISSING', place: file });
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      report.wrong('presignature', e.message, { code: e.code, place: file });
    }
  }
  if (files.plans.length === 0) report.cannotTell('plan', 'the plan is missing: bring PLAN.yaml, or give the ceremony folder', { code: 'E_MISSING' });
}
