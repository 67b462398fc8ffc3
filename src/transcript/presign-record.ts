/** The record of a presigning: every proof recomputed, the presignatures made again, and what entries say about them. */
import type { PresignPlan } from '../plan/plan.ts';
import type { Judge } from '../protocols/crew.ts';
import type { Finding, Inbound } from '../protocols/machine.ts';
import { type Presigned, type Presigning, presignFindings } from '../protocols/presign.ts';
import { presignedDigest, presigningOf } from '../protocols/presign-plan.ts';
import { presignatureRecord } from '../protocols/presignature.ts';
import { toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { readSigningBase } from './base.ts';
import { placeOf } from './merge.ts';
import type { Recorded } from './messages.ts';
import { type Outcome, tellMismatch, UNJUDGED } from './outcome.ts';
import type { Proofs } from './proofs.ts';
import type { RecordFile } from './record-files.ts';
import type { Report } from './report.ts';

/** What the certificate of the epoch and the plan fix; undefined after what is wrong or missing was reported. */
export function readPresigning(report: Report, plan: PresignPlan, certificates: readonly RecordFile[]): Presigning | undefined {
  const certificate = readSigningBase(report, plan, certificates);
  if (!certificate) return undefined;
  try {
    return presigningOf(plan, certificate);
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    report.wrong('base', e.message, { code: e.code });
    return undefined;
  }
}

/** The live check on a set of messages. */
export function judgePresigning(p: Presigning, messages: Inbound, judge: Judge): ReturnType<typeof presignFindings> {
  return presignFindings(p, messages, judge, false);
}

/** What signers recorded about the presignatures. These entries come after the last message and may be missing. */
function checkEntries({ report, session, chains }: Recorded, p: Presigning, presigned: Presigned): void {
  const result = toHex(presignedDigest(presigned.presignatures.map((made, i) => presignatureRecord(p, i, made))));
  const recordedBy: string[] = [];
  report.section(
    'presigned',
    () => `${String(p.count)} presignatures, made again from the messages; ${recordedBy.length === 0 ? 'no transcript here tells yet that they were kept' : `recorded as kept by ${recordedBy.join(', ')}`}`,
    () => {
      for (const { name } of session.seats)
        for (const { payload } of chains.get(name)?.links ?? []) {
          if (payload.kind !== 'presigned') continue;
          const place = placeOf(name, payload.seq);
          recordedBy.push(name);
          if (payload.epoch !== toHex(p.epoch)) report.wrong('presigned', `${name} recorded presignatures of another epoch than the plan names`, { culprit: name, code: 'E_CERTIFICATE', place });
          // nobody confirms the last round: another signer may have shown two of its messages around
          else if (payload.result !== result) report.wrong('presigned', `${name} recorded other presignatures than the messages here give: one of the signers is to blame`, { code: 'E_VIEW', place });
        }
    },
  );
}

/** Checks the messages of a presigning and everything that follows from them. */
export async function checkPresign(recorded: Recorded, p: Presigning | undefined, proofs: Proofs, tell: (findings: readonly Finding[]) => void): Promise<Outcome> {
  const { report, session, messages } = recorded;
  if (!p) return UNJUDGED;
  const { findings, mismatch, presigned } = await judgePresigning(p, messages, { crew: proofs });
  tell(findings);
  if (mismatch && findings.length === 0) tellMismatch(recorded, mismatch);
  if (presigned) {
    report.ok('proofs', [`the parts of ${String(session.seats.length)} signers hold and add up to the key`, proofs.summary].filter((t) => t !== undefined).join('; '));
    checkEntries(recorded, p, presigned);
  }
  return { findings, complete: presigned !== undefined, traced: mismatch !== undefined };
}
