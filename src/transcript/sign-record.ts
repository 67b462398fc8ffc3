/** The record of a signing: intent and message, what every gate decided, every share recomputed, and the signature. */
import { type SignPlan, signerLeaves } from '../plan/plan.ts';
import { decide } from '../policy/gate.ts';
import { intentMessage, parseIntent, type SignedIntent } from '../policy/intent.ts';
import { type Certificate, parseCertificate } from '../protocols/epoch.ts';
import { keyFacts, NONCE, SHARE, type SignContext, signContext, signatureFile, signFindings, type SignResult } from '../protocols/frost-sign.ts';
import { closingOf, type Finding } from '../protocols/machine.ts';
import { verifySignature } from '../schnorr/verify-signature.ts';
import { parseQuorum } from '../sharing/expression.ts';
import type { Seat } from '../wire/blob.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { CeremonyError } from '../wire/errors.ts';
import { sha256 } from '../wire/hash.ts';
import type { Outcome } from './dkg-record.ts';
import { type AuthorChain, placeOf } from './merge.ts';
import type { Recorded } from './messages.ts';
import type { RecordFile, RecordFiles } from './record-files.ts';
import type { Report } from './report.ts';

/** The parts of a signing's record that everything else is checked against. */
export interface SignBase {
  readonly certificate: Certificate | undefined;
  readonly intent: SignedIntent | undefined;
  readonly ctx: SignContext | undefined;
}

function tryEach<T>(report: Report, name: string, files: readonly RecordFile[], read: (file: RecordFile) => T): T | undefined {
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

/** Certificate of the epoch, intent and message: whole, and those that the plan names. */
export function readSignBase(report: Report, plan: SignPlan, files: RecordFiles): SignBase {
  let certificate: Certificate | undefined;
  report.section(
    'base',
    () => `the certificate of ${plan.key.name}, epoch ${String(plan.key.epoch)}, confirmed by all its ${String(certificate?.confirms.length ?? 0)} participants`,
    () => {
      certificate = tryEach(report, 'base', files.certificates, ({ file, bytes }) => parseCertificate(bytes, file));
      if (files.certificates.length === 0) report.cannotTell('base', 'the certificate of the key is missing: bring base/certificate.json', { code: 'E_MISSING' });
    },
  );
  let intent: SignedIntent | undefined;
  let ctx: SignContext | undefined;
  report.section(
    'intent',
    () => `the intent that the plan names, signed by ${intent?.intent.initiator.name ?? ''}; the message is the one that it names`,
    () => {
      intent = tryEach(report, 'intent', files.intents, ({ file, bytes }) => parseIntent(bytes, file));
      const read = intent;
      if (files.intents.length === 0) report.cannotTell('intent', 'the intent is missing: bring intent.json', { code: 'E_MISSING' });
      if (!read) return;
      const beside = files.messages.length === 0 ? [{ file: 'intent.json', bytes: undefined }] : files.messages;
      for (const { file, bytes } of beside) {
        try {
          const message = intentMessage(read.intent, bytes);
          if (bytes && !equalBytes(message, bytes)) report.wrong('intent', 'the message is not the one that the intent names', { code: 'E_INTENT_HASH', place: file });
          if (certificate) ctx ??= signContext(plan, certificate, read, message);
        } catch (e) {
          if (!(e instanceof CeremonyError)) throw e;
          if (e.code === 'E_MISSING') report.cannotTell('intent', 'the message of the intent is missing: bring message.bin', { code: 'E_MISSING' });
          else report.wrong('intent', e.message, { code: e.code, place: file });
        }
      }
      if (certificate) {
        try {
          signerLeaves(plan, parseQuorum(certificate.epoch.quorum));
        } catch (e) {
          if (!(e instanceof CeremonyError)) throw e;
          report.wrong('plan', `the signers are not an exact minimal quorum of the key: ${e.message}`, { code: e.code });
        }
      }
    },
  );
  return { certificate, intent, ctx };
}

/** The gate's decision before every message: for this intent, positive, and the one that the gate makes at that time. */
function checkGate({ report, messages }: Recorded, ctx: SignContext, result: SignResult | undefined, { name, leaf }: Seat, chain: AuthorChain): void {
  const intent = toHex(ctx.intent.hash);
  // entry numbers of the first decision, and of the request recorded after it
  let decided = Infinity;
  let requested = Infinity;
  for (const { payload } of chain.links) {
    const facts = { culprit: name, code: 'E_NO_DECISION' as const, place: placeOf(name, payload.seq) };
    if (payload.kind !== 'gate') continue;
    if (payload.intent !== intent) report.wrong('gate', `the gate of ${name} decided on another intent`, facts);
    else if (payload.allow !== true) continue; // a refusal is no fault; it is told with how the attempt ended
    else if (payload.request !== undefined) {
      if (result && payload.request !== toHex(result.request.hash)) report.wrong('gate', `${name} answered another request than the one that the messages give`, { code: 'E_VIEW', place: facts.place });
      if (decided < payload.seq) requested = Math.min(requested, payload.seq);
    } else {
      // what the gate remembers is its own; everything else about its decision follows from public facts
      const again = decide(ctx.intent, keyFacts(ctx.certificate), 'new', new Date(payload.at));
      if (payload.decision !== toHex(again.hash))
        report.wrong('gate', `the gate of ${name} allowed what it must refuse: ${again.reasons.map((r) => r.text).join('; ') || 'the recorded decision is another one'}`, facts);
      decided = Math.min(decided, payload.seq);
    }
  }
  for (const slot of [NONCE, SHARE]) {
    const e = messages.get(slot)?.get(leaf);
    if (!e || (slot === SHARE && closingOf(e.body) !== 'close') || chain.damaged) continue;
    const facts = { culprit: name, code: 'E_NO_DECISION' as const, place: placeOf(name, e.head.seq + 1) };
    // where the chain ends before the head of the message, what is missing is told elsewhere
    if (chain.links.length < e.head.seq) continue;
    if (decided > e.head.seq) report.wrong('gate', `${name} sent its ${slot === NONCE ? 'nonce' : 'share'} without a decision of its gate on the record`, facts);
    else if (slot === SHARE && requested > e.head.seq) report.wrong('gate', `${name} sent its share without recording the request that it answers`, facts);
  }
}

/** signature.bin, signature.json and what signers recorded, against the signature made again from the shares. */
function checkSignature({ report, session, chains }: Recorded, ctx: SignContext, result: SignResult | undefined, files: RecordFiles): void {
  const { message, key, plan } = ctx;
  for (const { file, bytes } of files.signatures) {
    if (result ? !equalBytes(bytes, result.signature) : !verifySignature(plan.key.scheme, key.outputKey, message, bytes))
      report.wrong('signature', result ? 'signature.bin is not the signature that the shares give' : 'signature.bin does not verify under the key', { code: 'E_SIGNATURE', place: file });
    else if (!result) report.ok('signature', 'signature.bin verifies under the key; the shares that made it are not all here', { place: file });
  }
  if (!result) return;
  if (!verifySignature(plan.key.scheme, key.outputKey, message, result.signature)) report.wrong('signature', 'the signature does not verify under the key', { code: 'E_SIGNATURE' });
  const facts = signatureFile(ctx, result.signature);
  for (const { file, bytes } of files.signatureFacts)
    if (!equalBytes(bytes, facts)) report.wrong('signature', 'signature.json does not say what the record gives', { code: 'E_SIGNATURE', place: file });
  for (const [name, list] of [['signature.bin', files.signatures], ['signature.json', files.signatureFacts]] as const)
    if (list.length === 0) report.cannotTell('signature', `${name} is missing; every signer’s next writes it again`, { code: 'E_MISSING' });
  for (const { name } of session.seats)
    for (const { payload } of chains.get(name)?.links ?? [])
      if (
        payload.kind === 'signature' &&
        (payload.intent !== toHex(ctx.intent.hash) || payload.request !== toHex(result.request.hash) || payload.subject?.sha256 !== toHex(sha256(result.signature)))
      )
        report.wrong('signature', `${name} recorded another signature than the shares give`, { culprit: name, code: 'E_SIGNATURE', place: placeOf(name, payload.seq) });
}

/** Checks the messages of a signing and everything that follows from them. */
export function checkSign(recorded: Recorded, { ctx }: SignBase, files: RecordFiles, tell: (findings: readonly Finding[]) => void): Outcome {
  const { report, session, chains, messages } = recorded;
  if (!ctx) return { findings: [], complete: false };
  const { findings, result } = signFindings(ctx, messages);
  tell(findings);
  if (result) report.ok('proofs', `the shares of ${String(session.seats.length)} signers verify and add up`);
  report.section(
    'gate',
    () => 'every signer’s gate decided on this intent before it signed',
    () => {
      for (const seat of session.seats) {
        const chain = chains.get(seat.name);
        if (chain) checkGate(recorded, ctx, result, seat, chain);
      }
    },
  );
  report.section(
    'signature',
    () => (result ? `${ctx.plan.key.scheme}, verified under the key ${toHex(ctx.key.outputKey).slice(0, 16)}…` : undefined),
    () => {
      checkSignature(recorded, ctx, result, files);
    },
  );
  return { findings, complete: result !== undefined };
}
