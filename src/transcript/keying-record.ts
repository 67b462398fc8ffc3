/**
 * The record of a ceremony that makes an epoch of a key: generation, refresh, reshare, import. Every proof recomputed, the
 * certificate made again, what it builds on, and what entries say about all that.
 */
import { isRekey, type KeyingPlan, planQuorum, schemeOf, type RefreshPlan, type ResharePlan, witnessesOf } from '../plan/plan.ts';
import { baseOf } from '../protocols/base.ts';
import type { Checkers } from '../protocols/crew.ts';
import { dkgContext, dkgFindings } from '../protocols/dkg.ts';
import { type Certificate, completeCertificate, parseCertificate } from '../protocols/epoch.ts';
import { handover } from '../protocols/handover.ts';
import type { KeyingResult } from '../protocols/keying.ts';
import { closingOf, closingSlot, equivocation, type Finding, type Inbound } from '../protocols/machine.ts';
import { rekeyContext, rekeyFindings } from '../protocols/rekey.ts';
import { listOf } from '../sharing/quorum-words.ts';
import type { Envelope } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { readBase } from './base.ts';
import { placeOf } from './merge.ts';
import { parseStatement } from './statement.ts';
import type { Recorded } from './messages.ts';
import type { Outcome } from './outcome.ts';
import type { Proofs } from './proofs.ts';
import type { RecordFile } from './record-files.ts';
import type { Report } from './report.ts';

/** One such ceremony, with what it builds on. */
export interface Keying {
  readonly plan: KeyingPlan;
  /** The epoch that was refreshed or left. */
  readonly base: Certificate | undefined;
  /** The live check on a set of messages. @param own as in `LiveCheck` */
  judge(messages: Inbound, own?: number): Promise<{ findings: readonly Finding[]; result?: KeyingResult }>;
}

/** Certificate files by what they are here. */
interface Sorted {
  readonly base: readonly RecordFile[];
  readonly rehearsal: readonly RecordFile[];
  /** Of the epoch that is made. */
  readonly own: readonly RecordFile[];
}

/** Whether a file is the certificate of an epoch; damaged ones are of none. */
function isOf({ file, bytes }: RecordFile, epoch: string): boolean {
  try {
    return toHex(parseCertificate(bytes, file).digest) === epoch;
  } catch (e) {
    if (e instanceof CeremonyError) return false;
    throw e;
  }
}

/** By place where the place tells, else by content. */
function sortCertificates(plan: KeyingPlan, files: readonly RecordFile[]): Sorted {
  const sorted: { base: RecordFile[]; rehearsal: RecordFile[]; own: RecordFile[] } = { base: [], rehearsal: [], own: [] };
  for (const f of files) {
    const folder = f.file.split('/').at(-2);
    const builds = 'key' in plan && folder !== 'transcript' && (folder === 'base' || isOf(f, plan.key.certificate));
    const rehearsal = f.file.endsWith('rehearsal.json') || ('rehearsal' in plan && toHex(sha256(f.bytes)) === plan.rehearsal);
    sorted[rehearsal ? 'rehearsal' : builds ? 'base' : 'own'].push(f);
  }
  return sorted;
}

/** Whose shares of the base were given on. */
function givenOn(plan: RefreshPlan | ResharePlan, { epoch }: Certificate): string {
  if (plan.kind === 'refresh') return `; all of them dealt new shares to one another`;
  const { dealers, leaving, joining } = handover(plan, epoch);
  const part = (names: readonly string[], one: string, many: string): string => (names.length === 0 ? '' : `; ${listOf(names)} ${names.length === 1 ? one : many}`);
  return `; the ${dealers.length === 1 ? 'share' : 'shares'} of ${listOf(dealers)} were given on${part(leaving, 'leaves', 'leave')}${part(joining, 'joins', 'join')}`;
}

/**
 * What the plan builds on and how its messages are judged.
 * @returns undefined after what is wrong or missing was reported
 * @throws as `dkgContext` and `rekeyContext`: the plan cannot be used, or its base is another one
 */
export function readKeying(report: Report, plan: KeyingPlan, files: readonly RecordFile[], crew: Checkers): Keying | undefined {
  if (!isRekey(plan)) {
    const ctx = dkgContext(plan);
    return { plan, base: undefined, judge: (messages, own) => dkgFindings(ctx, messages, { crew, own }) };
  }
  let base: Certificate | undefined;
  if (plan.kind === 'import') {
    const ctx = rekeyContext(plan, undefined);
    report.ok('base', `the key came from outside (${plan.source.format}): ${listOf(plan.dealers.map((d) => d.name))} dealt what ${plan.dealers.length === 1 ? 'it' : 'they'} held of it`);
    return { plan, base, judge: (messages, own) => rekeyFindings(ctx, messages, { crew, own }) };
  }
  base = readBase(report, plan.key, sortCertificates(plan, files).base, (certificate) => void baseOf(plan, certificate), (certificate) => givenOn(plan, certificate));
  if (!base) return undefined;
  const ctx = rekeyContext(plan, base);
  return { plan, base, judge: (messages, own) => rekeyFindings(ctx, messages, { crew, own }) };
}

interface KeyingRecord {
  readonly recorded: Recorded;
  readonly plan: KeyingPlan;
  /** What the messages give, and the certificate made again from them. */
  readonly result: KeyingResult | undefined;
  readonly made: Certificate | undefined;
}

function certificateOf({ plan, session, messages }: Recorded, result: KeyingResult | undefined): Certificate | undefined {
  const confirms = messages.get(closingSlot(plan)) ?? new Map<number, Envelope>();
  const confirmed = [...confirms.values()].filter((e) => closingOf(e.body) === 'close').length;
  return result && confirmed === result.epoch.roster.length ? completeCertificate(result.epoch, session, confirms) : undefined;
}

/** A certificate file: whole, of this epoch, and of the confirmations that lie here. */
function checkCertificate({ recorded, plan, result, made }: KeyingRecord, { file, bytes }: RecordFile): void {
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
  const { epoch } = certificate;
  if (epoch.session !== toHex(session.sid)) wrong('the certificate belongs to another ceremony');
  else if ('key' in plan && (epoch.key.id !== plan.key.id || epoch.base?.epoch !== plan.key.certificate)) wrong('the epoch of the certificate does not build on the one that the plan names');
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

/** The rehearsal that a plan relies on, and no other. */
function checkRehearsal({ report }: Recorded, plan: KeyingPlan, files: readonly RecordFile[]): void {
  const named = 'rehearsal' in plan ? plan.rehearsal : undefined;
  const file = files.find((f) => toHex(sha256(f.bytes)) === named);
  for (const f of files) if (f !== file && toHex(sha256(f.bytes)) !== named) report.wrong('rehearsal', 'this is not the rehearsal that the plan names', { code: 'E_REHEARSAL', place: f.file });
  if (named === undefined) return;
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
function checkCertificateEntries({ recorded, result, made }: KeyingRecord): void {
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
function checkWitnesses({ recorded, plan, made }: KeyingRecord): void {
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
 * What old holders recorded about the destruction of what the new epoch supersedes. Nobody can prove destruction, and an
 * old quorum that kept its shares still signs: who has said nothing is remarked, and is no fault of the record.
 */
function checkDestruction({ recorded, plan, made }: KeyingRecord, base: Certificate | undefined, files: readonly RecordFile[]): void {
  const { report, session, chains } = recorded;
  const told = new Set<string>();
  for (const { name } of session.seats)
    for (const { payload } of chains.get(name)?.links ?? []) {
      if (payload.kind !== 'destroyed') continue;
      const place = placeOf(name, payload.seq);
      if (!('key' in plan) || payload.epoch !== plan.key.certificate)
        report.wrong('destruction', `${name} recorded the destruction of another epoch than the one that this ceremony supersedes`, { culprit: name, code: 'E_CERTIFICATE', place });
      else told.add(name);
    }
  if (!made || !base) return;
  // a holder is a key: whoever has another home now speaks under another name
  const holders = base.epoch.roster.map((p) => ({ name: p.name, now: session.seats.find((s) => toHex(s.identity) === p.identity)?.name }));
  const stated = new Set<string>();
  for (const { file, bytes } of files) {
    try {
      const s = parseStatement(bytes, file);
      const holder = base.epoch.roster.find((p) => p.identity === s.identity);
      if (s.id !== base.epoch.key.id || s.supersededBy !== toHex(made.digest)) report.wrong('destruction', `the statement of ${s.owner} is about another key or epoch`, { code: 'E_CERTIFICATE', place: file });
      else if (!holder) report.wrong('destruction', `the statement of ${s.owner} is of nobody who held a share of epoch ${String(base.epoch.number)}`, { code: 'E_CERTIFICATE', place: file });
      else if (s.epochs.includes(base.epoch.number)) stated.add(holder.name);
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      report.wrong('destruction', e.message, { code: e.code, place: file });
    }
  }
  const destroyed = holders.filter((h) => stated.has(h.name) || (h.now !== undefined && told.has(h.now))).map((h) => h.name);
  const open = holders.filter((h) => !destroyed.includes(h.name)).map((h) => h.name);
  const { number } = base.epoch;
  if (destroyed.length > 0) report.ok('destruction', `shares of epoch ${String(number)} recorded as destroyed by ${destroyed.join(', ')}`);
  if (open.length > 0)
    report.ok('destruction', `W_RETIRE_OPEN: no transcript here records that ${open.join(', ')} destroyed the ${open.length === 1 ? 'share' : 'shares'} of epoch ${String(number)}; a quorum of shares that were kept can still sign`);
}

/** The line about the proofs: what holds, and which key it gives. */
function proofsLine({ plan, result }: KeyingRecord, base: Certificate | undefined, dealings: number): string {
  const key = `${schemeOf(plan)} ${(result?.epoch.publicKey ?? '').slice(0, 16)}…`;
  const hold = `commitments, proofs and sealings of ${String(dealings)} dealings hold`;
  if (plan.kind === 'dkg') return `${hold}; they give the key ${key}`;
  if (plan.kind === 'refresh') return `${hold}; they add nothing to the key ${key}, and new shares of it replace those of epoch ${String(base?.epoch.number ?? 0)}`;
  return `${hold}, each of the very share of its dealer; together they give the key ${key}`;
}

/**
 * Checks the messages of such a ceremony and everything that follows from them.
 * @param keying undefined where what the plan builds on is missing or wrong
 * @param tell reports the faults that the live check finds
 */
export async function checkKeying(recorded: Recorded, plan: KeyingPlan, keying: Keying | undefined, files: readonly RecordFile[], statements: readonly RecordFile[], proofs: Proofs, tell: (findings: readonly Finding[]) => void): Promise<Outcome> {
  const { report, messages, session } = recorded;
  const { findings, result } = (await keying?.judge(messages)) ?? { findings: [], result: undefined };
  tell(findings);
  const made = findings.length === 0 ? certificateOf(recorded, result) : undefined;
  const record: KeyingRecord = { recorded, plan, result, made };
  if (findings.length === 0 && result)
    report.ok('proofs', [proofsLine(record, keying?.base, result.verdict.dealings.size), proofs.summary].filter((t) => t !== undefined).join('; '));
  const sorted = sortCertificates(plan, files);
  checkRehearsal(recorded, plan, sorted.rehearsal);
  report.section(
    'certificate',
    () => (made ? `complete: all ${String(made.confirms.length)} participants confirmed epoch ${String(made.epoch.number)}; made again from the messages, it is the same file` : undefined),
    () => {
      for (const file of sorted.own) checkCertificate(record, file);
      if (made && sorted.own.length === 0)
        report.cannotTell('certificate', 'transcript/certificate.json is missing; every participant’s next writes it again', { code: 'E_MISSING' });
      checkCertificateEntries(record);
    },
  );
  if (made) {
    const recordedBy = (name: string): boolean => recorded.chains.get(name)?.links.some((l) => l.payload.kind === 'certificate') === true;
    const active = made.session.seats.map((s) => s.name).filter(recordedBy);
    report.ok('activation', active.length === 0 ? 'no transcript here tells of the activation yet' : `recorded as active by ${active.join(', ')}`);
    const left = session.seats.slice(made.session.seats.length).map((s) => s.name).filter(recordedBy);
    if (left.length > 0) report.ok('activation', `the certificate was taken in by ${left.join(', ')}, who ${left.length === 1 ? 'has' : 'have'} left`);
    if (made.epoch.born === 'whole') report.ok('born', 'whole: this key was imported; it existed before it was shared, and copies elsewhere may exist');
  }
  checkDestruction(record, keying?.base, statements);
  checkWitnesses(record);
  return { findings, complete: made !== undefined };
}
