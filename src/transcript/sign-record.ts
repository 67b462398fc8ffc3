/** The record of a signing: intent and message, what every gate decided, every share recomputed, and the signature. */
import type { SignPlan } from '../plan/plan.ts';
import { decide } from '../policy/gate.ts';
import { intentMessage, parseIntent, type SignedIntent } from '../policy/intent.ts';
import type { Checkers } from '../protocols/crew.ts';
import { closingOf, closingSlot, type Finding, slotsOf } from '../protocols/machine.ts';
import { parsePresignature, presignatureId, type PresignatureRecord } from '../protocols/presignature.ts';
import { keyFacts } from '../protocols/signing.ts';
import type { Seat } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError, type ErrorCode, fail } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import { readSigningBase, readEach } from './base.ts';
import { type AuthorChain, placeOf } from './merge.ts';
import type { Recorded } from './messages.ts';
import { type Outcome, tellMismatch, UNJUDGED } from './outcome.ts';
import type { Proofs } from './proofs.ts';
import type { RecordFile, RecordFiles } from './record-files.ts';
import type { Report } from './report.ts';
import { type Signed, type SigningCheck, signingCheck } from './signing-check.ts';

/** The intent and its message: whole, and belonging together. */
function readIntent(report: Report, files: RecordFiles): { intent: SignedIntent; message: Uint8Array | undefined } | undefined {
  const intent = readEach(report, 'intent', files.intents, ({ file, bytes }) => parseIntent(bytes, file));
  if (files.intents.length === 0) report.cannotTell('intent', 'the intent is missing: bring intent.json', { code: 'E_MISSING' });
  if (!intent) return undefined;
  let message: Uint8Array | undefined;
  const beside = files.messages.length === 0 ? [{ file: 'intent.json', bytes: undefined }] : files.messages;
  for (const { file, bytes } of beside) {
    try {
      const named = intentMessage(intent.intent, bytes);
      if (bytes && !equalBytes(named, bytes)) report.wrong('intent', 'the message is not the one that the intent names', { code: 'E_INTENT_HASH', place: file });
      message ??= named;
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      if (e.code === 'E_MISSING') report.cannotTell('intent', 'the message of the intent is missing: bring message.bin', { code: 'E_MISSING' });
      else report.wrong('intent', e.message, { code: e.code, place: file });
    }
  }
  return { intent, message };
}

/** The record of the presignature that the plan names. Its hash is its name, and who answered the request vouched for it. */
function readPresignature(report: Report, plan: SignPlan, files: readonly RecordFile[]): PresignatureRecord | undefined {
  if (plan.presignature !== undefined && files.length === 0)
    report.cannotTell('presignature', 'the record of the presignature is missing: bring base/presignature.json', { code: 'E_MISSING' });
  return readEach(report, 'presignature', files, ({ file, bytes }) => {
    const record = parsePresignature(bytes, file);
    if (toHex(presignatureId(record)) !== plan.presignature) fail('E_PRESIGN_USED', 'this is not the presignature that the plan names');
    return record;
  });
}

/** What is at fault where plan, certificate, intent and presignature do not belong together. */
function sectionOf(code: ErrorCode): string {
  if (code === 'E_INTENT_HASH' || code === 'E_INTENT') return 'intent';
  return ['E_PRESIGN_USED', 'E_RAW_DIGEST', 'E_SUM', 'E_POINT'].includes(code) ? 'presignature' : 'base';
}

/**
 * Certificate of the epoch, intent, message and presignature: whole, and those that the plan names.
 * @returns what the rest is checked with; undefined after what is wrong or missing was reported
 */
export function readSigning(report: Report, plan: SignPlan, files: RecordFiles, crew: Checkers): SigningCheck | undefined {
  const certificate = readSigningBase(report, plan, files.certificates);
  let check: SigningCheck | undefined;
  let intent: SignedIntent | undefined;
  report.section(
    'intent',
    () => `the intent that the plan names, signed by ${intent?.intent.initiator.name ?? ''}; the message is the one that it names`,
    () => {
      const read = readIntent(report, files);
      const presignature = readPresignature(report, plan, files.presignatures);
      intent = read?.intent;
      if (!certificate || !read?.message || (plan.presignature !== undefined && !presignature)) return;
      try {
        check = signingCheck(plan, certificate, read.intent, read.message, presignature, crew);
      } catch (e) {
        if (!(e instanceof CeremonyError) || e.code === 'E_INTERNAL') throw e;
        report.wrong(sectionOf(e.code), e.message, { code: e.code });
      }
      if (check && presignature)
        report.ok('presignature', `number ${String(presignature.index + 1)} of ceremony ${presignature.session.slice(0, 32)}; its parts add up to the key. That it was made well, the record of that ceremony tells`);
    },
  );
  return check;
}

/** The gate's decision before every message: for this intent, positive, and the one that the gate makes at that time. */
function checkGate({ report, messages }: Recorded, check: SigningCheck, signed: Signed | undefined, { name, leaf }: Seat, chain: AuthorChain): void {
  const intent = toHex(check.intent.hash);
  // entry numbers of the first decision, and of the request recorded after it
  let decided = Infinity;
  let requested = Infinity;
  for (const { payload } of chain.links) {
    const facts = { culprit: name, code: 'E_NO_DECISION' as const, place: placeOf(name, payload.seq) };
    if (payload.kind !== 'gate') continue;
    if (payload.intent !== intent) report.wrong('gate', `the gate of ${name} decided on another intent`, facts);
    else if (payload.allow !== true) continue; // a refusal is no fault; it is told with how the attempt ended
    else if (payload.request !== undefined) {
      if (signed && payload.request !== toHex(signed.request)) report.wrong('gate', `${name} answered another request than the one that the messages give`, { code: 'E_VIEW', place: facts.place });
      if (decided < payload.seq) requested = Math.min(requested, payload.seq);
    } else {
      // what the gate remembers is its own; everything else about its decision follows from public facts
      const again = decide(check.intent, keyFacts(check.certificate), 'new', new Date(payload.at));
      if (payload.decision !== toHex(again.hash))
        report.wrong('gate', `the gate of ${name} allowed what it must refuse: ${again.reasons.map((r) => r.text).join('; ') || 'the recorded decision is another one'}`, facts);
      decided = Math.min(decided, payload.seq);
    }
  }
  for (const slot of slotsOf(check.plan)) {
    const closes = slot.slot === closingSlot(check.plan);
    const e = messages.get(slot.slot)?.get(leaf);
    if (!e || (closes && closingOf(e.body) !== 'close') || chain.damaged) continue;
    const facts = { culprit: name, code: 'E_NO_DECISION' as const, place: placeOf(name, e.head.seq + 1) };
    // where the chain ends before the head of the message, what is missing is told elsewhere
    if (chain.links.length < e.head.seq) continue;
    if (decided > e.head.seq) report.wrong('gate', `${name} sent its ${slot.name} without a decision of its gate on the record`, facts);
    else if (closes && requested > e.head.seq) report.wrong('gate', `${name} sent its ${slot.name} without recording the request that it answers`, facts);
  }
}

/** signature.bin, signature.json and what signers recorded, against the signature made again from the shares. */
function checkSignature({ report, session, chains }: Recorded, check: SigningCheck, signed: Signed | undefined, files: RecordFiles): void {
  for (const { file, bytes } of files.signatures) {
    if (signed ? !equalBytes(bytes, signed.signature) : !check.verifies(bytes))
      report.wrong('signature', signed ? 'signature.bin is not the signature that the shares give' : 'signature.bin does not verify under the key', { code: 'E_SIGNATURE', place: file });
    else if (!signed) report.ok('signature', 'signature.bin verifies under the key; the shares that made it are not all here', { place: file });
  }
  if (!signed) return;
  if (!check.verifies(signed.signature)) report.wrong('signature', 'the signature does not verify under the key', { code: 'E_SIGNATURE' });
  for (const { file, bytes } of files.signatureFacts)
    if (!equalBytes(bytes, signed.facts)) report.wrong('signature', 'signature.json does not say what the record gives', { code: 'E_SIGNATURE', place: file });
  for (const [name, list] of [['signature.bin', files.signatures], ['signature.json', files.signatureFacts]] as const)
    if (list.length === 0) report.cannotTell('signature', `${name} is missing; every signer’s next writes it again`, { code: 'E_MISSING' });
  for (const { name } of session.seats)
    for (const { payload } of chains.get(name)?.links ?? [])
      if (
        payload.kind === 'signature' &&
        (payload.intent !== toHex(check.intent.hash) || payload.request !== toHex(signed.request) || payload.subject?.sha256 !== toHex(sha256(signed.signature)))
      )
        report.wrong('signature', `${name} recorded another signature than the shares give`, { culprit: name, code: 'E_SIGNATURE', place: placeOf(name, payload.seq) });
}

/** Checks the messages of a signing and everything that follows from them. */
export async function checkSign(recorded: Recorded, check: SigningCheck | undefined, files: RecordFiles, proofs: Proofs, tell: (findings: readonly Finding[]) => void): Promise<Outcome> {
  const { report, session, chains, messages } = recorded;
  if (!check) return UNJUDGED;
  const { findings, mismatch, signed } = await check.judge(messages);
  tell(findings);
  if (mismatch && findings.length === 0) tellMismatch(recorded, mismatch);
  if (signed) report.ok('proofs', [`the shares of ${String(session.seats.length)} signers verify and add up`, proofs.summary].filter((t) => t !== undefined).join('; '));
  report.section(
    'gate',
    () => 'every signer’s gate decided on this intent before it signed',
    () => {
      for (const seat of session.seats) {
        const chain = chains.get(seat.name);
        if (chain) checkGate(recorded, check, signed, seat, chain);
      }
    },
  );
  report.section(
    'signature',
    () => (signed ? `${check.plan.key.scheme}, verified under the key ${toHex(check.publicKey).slice(0, 16)}…` : undefined),
    () => {
      checkSignature(recorded, check, signed, files);
    },
  );
  return { findings, complete: signed !== undefined, traced: mismatch !== undefined };
}
