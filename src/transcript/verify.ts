/**
 * Verification of a record by anybody: from files that were read already, without a home and without a secret. It reaches
 * no file that handles secrets, and repeats every check with the functions of the live ceremony.
 *
 * Verdicts. `ok`: the ceremony reached its end, everything that belongs to it is here and holds; entries after the
 * certificate or signature may be missing. `wrong`: something was checked and is not what it must be; that goes for
 * damaged bytes as for a proven cheat, and for a ceremony that ended because of one. `cannot-tell`: something is missing
 * or still to come, or somebody ended the attempt without proof against anybody.
 */
import { MAX_PLAN_FILE_BYTES, parsePlanFile } from '../plan/plan-file.ts';
import { checkPlan, isKeying, planSession, type Plan, sessionId, witnessesOf } from '../plan/plan.ts';
import { checkHere, type Checkers } from '../protocols/crew.ts';
import type { Finding } from '../protocols/machine.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { ceremonyId } from '../wire/blob.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { checkAllEvidence, checkEnding, checkEvidence, hasEnded, tellFindings } from './ending.ts';
import type { LiveCheck } from './evidence.ts';
import { checkKeying, readKeying } from './keying-record.ts';
import { type Author, claimedAuthor, mergeChains } from './merge.ts';
import { checkMessages, openMessages, type Recorded } from './messages.ts';
import { checkCards, checkOpenings, checkPlanFiles } from './opening.ts';
import { type Outcome, UNJUDGED } from './outcome.ts';
import { checkPresign, judgePresigning, readPresigning } from './presign-record.ts';
import { Proofs } from './proofs.ts';
import { type RecordFile, type RecordFiles, sortFiles } from './record-files.ts';
import { type Check, Report, type Verdict, worst } from './report.ts';
import { checkSign, readSigning } from './sign-record.ts';
import { checkUnproven } from './unproven.ts';

/** What a record turned out to be. */
export interface Verification {
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  /** The ceremony, where its plan was found. */
  readonly plan: Plan | undefined;
}

/** Everything of one ceremony, from one or more copies of its folder. */
interface Group {
  readonly plan: Plan | undefined;
  readonly files: RecordFile[];
}

/** The plan among some files. Several copies must say the same. */
async function readPlans(report: Report, files: readonly RecordFile[]): Promise<Plan | undefined> {
  let plan: Plan | undefined;
  for (const { file, bytes } of sortFiles(files).plans) {
    try {
      if (bytes.length > MAX_PLAN_FILE_BYTES) throw new CeremonyError('E_TOO_LARGE', 'larger than any plan');
      const read = await parsePlanFile(bytes, file);
      checkPlan(read, file, new Date(read.created));
      if (plan && toHex(sessionId(plan)) !== toHex(sessionId(read))) report.wrong('plan', 'two different plans lie in one folder', { code: 'E_PLAN_CHANGED', place: file });
      plan ??= read;
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      report.wrong('plan', `the plan cannot be used: ${e.message}`, { code: e.code, place: file });
    }
  }
  return plan;
}

async function verifyGroup(report: Report, { plan, files }: Group, crew: Checkers): Promise<void> {
  const sorted = sortFiles(files);
  if (!plan) {
    checkUnproven(report, sorted);
    return;
  }
  await sealingReady();
  const session = planSession(plan);
  const id = ceremonyId(session.sid);
  const foreign = sorted.chains.map(claimedAuthor).filter((c) => c.ceremony !== undefined && c.ceremony !== id);
  if (foreign.length > 0 && foreign.length === sorted.chains.length) {
    report.wrong('plan', 'this is not the plan that was joined: every transcript here belongs to another ceremony', { code: 'E_PLAN_CHANGED', place: sorted.plans[0]?.file });
    return;
  }
  const before = report.checks.length;
  report.ok('plan', `${plan.kind} ${plan.name}, attempt ${String(plan.attempt)}, ${plan.mode}; ceremony ${id}`);
  const authors: Author[] = [...session.seats, ...witnessesOf(plan).map((w) => ({ name: w.name, identity: fromHex(w.identity) }))];
  const chains = mergeChains(report, authors, new Set(session.seats.map((s) => s.name)), id, sorted.chains);
  const messages = openMessages(report, session, sorted.blobs);
  const recorded: Recorded = { report, plan, session, chains, messages };

  checkPlanFiles(recorded, sorted.plans);
  checkCards(report, plan, sorted.cards);
  checkOpenings(recorded);
  const { outcome, protocol } = await checkProtocol(recorded, sorted, crew);
  const proofs = await checkAllEvidence(recorded, sorted.evidence, sorted.notes, protocol);
  const ended = outcome.findings.length > 0 || outcome.traced === true || proofs.length > 0 || hasEnded(recorded);
  checkMessages(recorded, outcome.complete || !ended);
  checkEnding(recorded, outcome.complete);
  // whatever it was that kept this ceremony from its end: a record without a result is never a good one
  if (!outcome.complete && report.checks.slice(before).every((c) => c.verdict === 'ok')) report.cannotTell('ending', 'this ceremony did not reach its end', { code: 'E_MISSING' });
}

/** The live check of a ceremony and what it makes of the record. Proofs that evidence shares with the record are checked once. */
async function checkProtocol(recorded: Recorded, files: RecordFiles, crew: Checkers): Promise<{ outcome: Outcome; protocol: LiveCheck }> {
  const { report, plan } = recorded;
  const proofs = new Proofs(crew);
  const tell = (findings: readonly Finding[]): void => {
    tellFindings(recorded, findings);
  };
  const lacking = (what: string): never => {
    throw new CeremonyError('E_MISSING', `not here: ${what}`);
  };
  try {
    if (isKeying(plan)) {
      const keying = readKeying(report, plan, files.certificates, proofs);
      const protocol: LiveCheck = async (messages, own) => (keying ? (await keying.judge(messages, own)).findings : lacking('the certificate of the epoch that this ceremony builds on'));
      return { outcome: await checkKeying(recorded, plan, keying, files.certificates, files.statements, proofs, tell), protocol };
    }
    switch (plan.kind) {
      case 'presign': {
        const presigning = readPresigning(report, plan, files.certificates);
        const protocol: LiveCheck = async (messages, own) => (presigning ? (await judgePresigning(presigning, messages, { crew: proofs, own })).findings : lacking('plan and certificate of the presigning'));
        return { outcome: await checkPresign(recorded, presigning, proofs, tell), protocol };
      }
      case 'sign': {
        const check = readSigning(report, plan, files, proofs);
        const protocol: LiveCheck = async (messages, own) => (check ? (await check.judge(messages, own)).findings : lacking('certificate, intent or message of the signing'));
        return { outcome: await checkSign(recorded, check, files, proofs, tell), protocol };
      }
    }
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    if (e.code === 'E_DEGENERATE') report.cannotTell('proofs', e.message, { code: e.code });
    else report.wrong('plan', e.message, { code: e.code });
    return { outcome: UNJUDGED, protocol: () => Promise.resolve([]) };
  }
}

/**
 * Verifies records. Files of one folder belong together; folders with the same plan are copies of one ceremony, and are
 * checked against each other. Files without a plan are taken to belong to the only ceremony there is, if there is one.
 * @param folders the files of each folder; loose files form a folder of their own
 * @param crew checks the proofs of ECDSA
 */
export async function verifyRecord(folders: readonly (readonly RecordFile[])[], crew: Checkers = checkHere): Promise<Verification> {
  const report = new Report();
  const groups = new Map<string, Group>();
  const loose: RecordFile[] = [];
  for (const files of folders) {
    const plan = await readPlans(report, files);
    if (!plan) {
      loose.push(...files);
      continue;
    }
    const id = toHex(sessionId(plan));
    const group = groups.get(id) ?? { plan, files: [] };
    group.files.push(...files);
    groups.set(id, group);
  }
  const [only, second] = [...groups.values()];
  if (only && !second) only.files.push(...loose);
  else if (loose.length > 0) groups.set('', { plan: undefined, files: loose });
  for (const group of groups.values()) await verifyGroup(report, group, crew);
  if (report.checks.length === 0) report.cannotTell('record', 'there is nothing here to verify', { code: 'E_MISSING' });
  return { verdict: worst(report.checks.map((c) => c.verdict)), checks: report.checks, plan: second ? undefined : only?.plan };
}

/**
 * Verifies evidence files alone: `ok` means that they prove what they claim.
 * @param files of the ceremony folder: plan, and what it builds on: certificate, intent, message, presignature
 * @param crew checks the proofs of ECDSA
 */
export async function verifyEvidence(evidence: readonly RecordFile[], files: readonly RecordFile[], crew: Checkers = checkHere): Promise<Verification> {
  const report = new Report();
  const plan = await readPlans(report, files);
  if (!plan) {
    if (report.verdict === 'ok') report.cannotTell('evidence', 'the plan of the ceremony is missing: bring PLAN.yaml', { code: 'E_MISSING' });
    return { verdict: report.verdict, checks: report.checks, plan };
  }
  await sealingReady();
  const session = planSession(plan);
  // what the other files of the folder are worth is not asked here
  const aside: Recorded = { report: new Report(), plan, session, chains: new Map(), messages: new Map() };
  const { protocol } = await checkProtocol(aside, sortFiles(files), crew);
  for (const file of evidence) {
    const proof = await checkEvidence({ ...aside, report }, file, protocol);
    if (proof) report.ok('evidence', `proven: ${proof.text}`, { code: proof.code, culprit: proof.culprit, place: file.file });
  }
  return { verdict: report.verdict, checks: report.checks, plan };
}
