/** The record of a key generation: every proof recomputed, the certificate made again, and what entries say about it. */
import type { DkgPlan } from '../plan/plan.ts';
import { planQuorum, witnessesOf } from '../plan/plan.ts';
import type { Checkers } from '../protocols/crew.ts';
import { dkgContext, dkgFindings, type DkgResult } from '../protocols/dkg.ts';
import { type Certificate, completeCertificate, parseCertificate } from '../protocols/epoch.ts';
import { closingOf, closingSlot, equivocation, type Finding, type Inbound } from '../protocols/machine.ts';
import type { Envelope } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { placeOf } from './merge.ts';
import type { Recorded } from './messages.ts';
import type { Outcome } from './outcome.ts';
import type { Proofs } from './proofs.ts';
import type { RecordFile } from './record-files.ts';

interface DkgRecord {
  readonly recorded: Recorded;
  readonly plan: DkgPlan;
  readonly result: DkgResult | undefined;
  /** The certificate made again from the messages. */
  readonly made: Certificate | undefined;
}

/** The live check on a set of messages. @throws E_POP when a one-time key of the plan has no valid proof */
export function dkgProtocol(plan: DkgPlan, crew: Checkers): (messages: Inbound, own?: number) => ReturnType<typeof dkgFindings> {
  const ctx = dkgContext(plan);
  return (messages, own) => dkgFindings(ctx, messages, { crew, own });
}

function certificateOf({ plan, session, messages }: Recorded, result: DkgResult | undefined): Certificate | undefined {
  const confirms = messages.get(closingSlot(plan)) ?? new Map<number, Envelope>();
  const confirmed = [...confirms.values()].filter((e) => closingOf(e.body) === 'close').length;
  return result && confirmed === session.seats.length ? completeCertificate(result.epoch, session, confirms) : undefined;
}

/** A certificate file: whole, of this epoch, and of the confirmations that lie here. */
function checkCertificate({ recorded, plan, result, made }: DkgRecord, { file, bytes }: RecordFile): void {
  const { report, session, messages } = recorded;
  const wrong = (text: string, culprit?: string, code: 'E_CERTIFICATE' | 'E_EQUIVOCATION' = 'E_CERTIFICATE'): void => {
    report.wrong('certificate', text, { code, culprit, place: file });
  };
  let certificate: Certificate;
  try {
    certificate = parseCertificate(bytes, file);
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    wrong(`the certificate does not verify: ${e.message}`);
    return;
  }
  if (certificate.epoch.session !== toHex(session.sid)) wrong('the certificate belongs to another ceremony');
  else if (result && !equalBytes(certificate.digest, result.digest)) wrong('the certificate is of another epoch than the messages give');
  else {
    const confirm = closingSlot(plan);
    for (const { envelope } of certificate.confirms) {
      const here = messages.get(confirm)?.get(envelope.leaf);
      if (here && !equalBytes(here.bytes, envelope.bytes))
        wrong(`EQUIVOCATION: ${equivocation(here, envelope).text}: one in the certificate, one in round-${String(confirm)}`, envelope.name, 'E_EQUIVOCATION');
    }
    if (made && certificate.sha256 !== made.sha256) wrong('the certificate is not the one that the messages give, byte for byte');
  }
}

/** The rehearsal that a plan relies on. */
function checkRehearsal({ report }: Recorded, plan: DkgPlan, file: RecordFile | undefined): void {
  if (plan.rehearsal === undefined) return;
  if (!file) {
    report.cannotTell('rehearsal', 'the certificate of the rehearsal that the plan relies on is missing: bring base/rehearsal.json', { code: 'E_MISSING' });
    return;
  }
  try {
    const { epoch } = parseCertificate(file.bytes, file.file);
    if (epoch.key.mode === 'rehearsal' && epoch.quorum === planQuorum(plan).text) report.ok('rehearsal', 'the same people rehearsed with the same quorum');
    else report.wrong('rehearsal', 'the certificate is not that of a rehearsal by the same people with the same quorum', { code: 'E_REHEARSAL', place: file.file });
  } catch (e) {
    if (!(e instanceof CeremonyError)) throw e;
    report.wrong('rehearsal', e.message, { code: e.code, place: file.file });
  }
}

/** What participants recorded about the certificate. These entries come after it and may be missing. */
function checkCertificateEntries({ recorded, result, made }: DkgRecord): void {
  const { report, session, chains } = recorded;
  for (const { name } of session.seats)
    for (const { payload } of chains.get(name)?.links ?? []) {
      if (payload.kind !== 'certificate') continue;
      const place = placeOf(name, payload.seq);
      if (result && payload.epoch !== toHex(result.digest))
        report.wrong('certificate', `${name} recorded the certificate of another epoch than the messages give`, { culprit: name, code: 'E_CERTIFICATE', place });
      else if (made && payload.result !== made.sha256)
        report.wrong('certificate', `${name} recorded a certificate of this epoch with other confirmations than those here`, { code: 'E_VIEW', place });
    }
}

/** Witnesses of the plan signed this epoch and the heads that were confirmed. */
function checkWitnesses({ recorded, plan, made }: DkgRecord): void {
  const { report, session, chains } = recorded;
  for (const { name } of witnessesOf(plan)) {
    const statements = (chains.get(name)?.links ?? []).filter((l) => l.payload.kind === 'witness');
    for (const { payload } of statements) {
      const heads = made && Object.fromEntries(made.confirms.map((c) => [c.envelope.name, toHex(c.envelope.head.hash)]));
      const same =
        payload.plan === toHex(session.sid) &&
        (!made || !heads || (payload.epoch === toHex(made.digest) && payload.result === made.sha256 && JSON.stringify(Object.entries(payload.heads ?? {}).sort()) === JSON.stringify(Object.entries(heads).sort())));
      if (same) report.ok('witness', `${name} checked the record and signed this epoch with everybody's heads`, { place: placeOf(name, payload.seq) });
      else report.wrong('witness', `${name} signed something else than this epoch and these heads`, { culprit: name, code: 'E_WITNESS', place: placeOf(name, payload.seq) });
    }
    if (statements.length === 0)
      report.cannotTell('witness', `the statement of the witness ${name} is missing: bring transcript/${name}.jsonl`, { code: 'E_WITNESS', place: name });
  }
}

/**
 * Checks the messages of a key generation and everything that follows from them.
 * @param findings reports the faults that the live check finds
 */
export async function checkDkg(
  recorded: Recorded,
  plan: DkgPlan,
  files: readonly RecordFile[],
  protocol: ReturnType<typeof dkgProtocol>,
  proofs: Proofs,
  tell: (findings: readonly Finding[]) => void,
): Promise<Outcome> {
  const { report, messages } = recorded;
  const { findings, result } = await protocol(messages);
  tell(findings);
  const made = findings.length === 0 ? certificateOf(recorded, result) : undefined;
  const record: DkgRecord = { recorded, plan, result, made };
  if (findings.length === 0 && result) {
    const shown = `${plan.scheme} ${result.epoch.publicKey.slice(0, 16)}…`;
    const dealings = `commitments, proofs and sealings of ${String(recorded.session.seats.length)} dealings hold; they give the key ${shown}`;
    report.ok('proofs', [dealings, proofs.summary].filter((t) => t !== undefined).join('; '));
  }
  const isRehearsal = (f: RecordFile): boolean => f.file.endsWith('rehearsal.json') || toHex(sha256(f.bytes)) === plan.rehearsal;
  checkRehearsal(recorded, plan, files.find((f) => toHex(sha256(f.bytes)) === plan.rehearsal));
  for (const f of files)
    if (isRehearsal(f) && toHex(sha256(f.bytes)) !== plan.rehearsal) report.wrong('rehearsal', 'this is not the rehearsal that the plan names', { code: 'E_REHEARSAL', place: f.file });
  const certificates = files.filter((f) => !isRehearsal(f));
  report.section(
    'certificate',
    () => (made ? `complete: all ${String(made.confirms.length)} participants confirmed epoch ${String(made.epoch.number)}; made again from the messages, it is the same file` : undefined),
    () => {
      for (const file of certificates) checkCertificate(record, file);
      if (made && certificates.length === 0)
        report.cannotTell('certificate', 'transcript/certificate.json is missing; every participant’s next writes it again', { code: 'E_MISSING' });
      checkCertificateEntries(record);
    },
  );
  const active = recorded.session.seats.map((s) => s.name).filter((name) => recorded.chains.get(name)?.links.some((l) => l.payload.kind === 'certificate'));
  if (made) report.ok('activation', active.length === 0 ? 'no transcript here tells of the activation yet' : `recorded as active by ${active.join(', ')}`);
  checkWitnesses(record);
  return { findings, complete: made !== undefined };
}
