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
import { checkPlan, planSession, type Plan, sessionId, witnessesOf } from '../plan/plan.ts';
import { signFindings } from '../protocols/frost-sign.ts';
import type { Finding, Inbound } from '../protocols/machine.ts';
import { sealingReady } from '../sharing/sealing-group.ts';
import { ceremonyId } from '../wire/blob.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { checkDkg, dkgProtocol, type Outcome } from './dkg-record.ts';
import { checkAllEvidence, checkEnding, checkEvidence, hasEnded, tellFindings } from './ending.ts';
import { type Author, claimedAuthor, mergeChains } from './merge.ts';
import { checkMessages, openMessages, type Recorded } from './messages.ts';
import { checkCards, checkOpenings, checkPlanFiles } from './opening.ts';
import { type RecordFile, type RecordFiles, sortFiles } from './record-files.ts';
import { type Check, Report, type Verdict, worst } from './report.ts';
import { checkSign, readSignBase } from './sign-record.ts';
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

/** The live check of a ceremony, for its messages and for evidence. */
type Protocol = (messages: Inbound) => readonly Finding[];

async function verifyGroup(report: Report, { plan, files }: Group): Promise<void> {
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
  report.ok('plan', `${plan.kind} ${plan.name}, attempt ${String(plan.attempt)}, ${plan.mode}; ceremony ${id}`);
  const authors: Author[] = [...session.seats, ...witnessesOf(plan).map((w) => ({ name: w.name, identity: fromHex(w.identity) }))];
  const chains = mergeChains(report, authors, new Set(session.seats.map((s) => s.name)), id, sorted.chains);
  const messages = openMessages(report, session, sorted.blobs);
  const recorded: Recorded = { report, plan, session, chains, messages };

  checkPlanFiles(recorded, sorted.plans);
  checkCards(report, plan, sorted.cards);
  checkOpenings(recorded);
  const { outcome, protocol } = checkProtocol(recorded, sorted);
  const proofs = checkAllEvidence(recorded, sorted.evidence, sorted.notes, protocol);
  const ended = outcome.findings.length > 0 || proofs.length > 0 || hasEnded(recorded);
  checkMessages(recorded, outcome.complete || !ended);
  checkEnding(recorded, outcome.complete);
}

function checkProtocol(recorded: Recorded, files: RecordFiles): { outcome: Outcome; protocol: Protocol } {
  const { report, plan } = recorded;
  const tell = (findings: readonly Finding[]): void => {
    tellFindings(recorded, findings);
  };
  if (plan.kind === 'sign') {
    const base = readSignBase(report, plan, files);
    const { ctx } = base;
    const protocol: Protocol = (messages) => {
      if (!ctx) throw new CeremonyError('E_MISSING', 'certificate, intent or message of the signing are not here');
      return signFindings(ctx, messages).findings;
    };
    return { outcome: checkSign(recorded, base, files, tell), protocol };
  }
  try {
    const protocol = dkgProtocol(plan);
    return { outcome: checkDkg(recorded, plan, files.certificates, protocol, tell), protocol: (messages) => protocol(messages).findings };
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
    report.wrong('plan', e.message, { code: e.code });
    return { outcome: { findings: [], complete: false }, protocol: () => [] };
  }
}

/**
 * Verifies records. Files of one folder belong together; folders with the same plan are copies of one ceremony, and are
 * checked against each other. Files without a plan are taken to belong to the only ceremony there is, if there is one.
 * @param folders the files of each folder; loose files form a folder of their own
 */
export async function verifyRecord(folders: readonly (readonly RecordFile[])[]): Promise<Verification> {
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
  for (const group of groups.values()) await verifyGroup(report, group);
  if (report.checks.length === 0) report.cannotTell('record', 'there is nothing here to verify', { code: 'E_MISSING' });
  return { verdict: worst(report.checks.map((c) => c.verdict)), checks: report.checks, plan: second ? undefined : only?.plan };
}

/**
 * Verifies evidence files alone: `ok` means that they prove what they claim.
 * @param files of the ceremony folder: plan, and for a signing certificate, intent and message
 */
export async function verifyEvidence(evidence: readonly RecordFile[], files: readonly RecordFile[]): Promise<Verification> {
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
  const { protocol } = checkProtocol(aside, sortFiles(files));
  for (const file of evidence) {
    const proof = checkEvidence({ ...aside, report }, file, protocol);
    if (proof) report.ok('evidence', `proven: ${proof.text}`, { code: proof.code, culprit: proof.culprit, place: file.file });
  }
  return { verdict: report.verdict, checks: report.checks, plan };
}
