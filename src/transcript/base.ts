/** What a ceremony builds on: the certificate of the epoch whose key it uses. */
import { type PresignPlan, type RefreshPlan, signerLeaves, type SignPlan } from '../plan/plan.ts';
import { type Certificate, parseCertificate } from '../protocols/epoch.ts';
import { parseQuorum } from '../sharing/expression.ts';
import { CeremonyError } from '../wire/errors.ts';
import type { RecordFile } from './record-files.ts';
import type { Report } from './report.ts';

/** Reads files that should all say the same, and reports those that cannot be used. @returns what the first good one says */
export function readEach<T>(report: Report, name: string, files: readonly RecordFile[], read: (file: RecordFile) => T): T | undefined {
  let first: T | undefined;
  for (const file of files) {
    try {
      const value = read(file);
      first ??= value;
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      report.wrong(name, e.message, { code: e.code, place: file.file });
    }
  }
  return first;
}

/**
 * The certificate of the epoch that a plan names: of several files the first good one.
 * @param require throws for a certificate that is not the one
 * @param meaning what more it says, once it is there
 */
export function readBase(report: Report, key: RefreshPlan['key'], files: readonly RecordFile[], require: (certificate: Certificate) => void = () => undefined, meaning: (certificate: Certificate) => string = () => ''): Certificate | undefined {
  let certificate: Certificate | undefined;
  report.section(
    'base',
    () => `the certificate of ${key.name}, epoch ${String(key.epoch)}, confirmed by all its ${String(certificate?.confirms.length ?? 0)} participants${certificate ? meaning(certificate) : ''}`,
    () => {
      certificate = readEach(report, 'base', files, ({ file, bytes }) => {
        const read = parseCertificate(bytes, file);
        require(read);
        return read;
      });
      if (files.length === 0) report.cannotTell('base', 'the certificate of the key is missing: bring base/certificate.json', { code: 'E_MISSING' });
    },
  );
  return certificate;
}

/** The certificate of the key, and whether the signers of the plan are one of its minimal quorums. */
export function readSigningBase(report: Report, plan: SignPlan | PresignPlan, files: readonly RecordFile[]): Certificate | undefined {
  const certificate = readBase(report, plan.key, files);
  if (!certificate) return undefined;
  try {
    signerLeaves(plan, parseQuorum(certificate.epoch.quorum));
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    report.wrong('plan', `the signers are not an exact minimal quorum of the key: ${e.message}`, { code: e.code });
  }
  return certificate;
}
